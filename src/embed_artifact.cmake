# A file as a C array: cmake -DARTIFACT=FILE.tuff -DNAME=symbol -DFOLDER=folder -P embed_artifact.cmake writes NAME.c and
# NAME.h there. C99, 8 bytes a line.
file(READ ${ARTIFACT} bytes HEX)
string(LENGTH "${bytes}" digits)
math(EXPR size "${digits} / 2")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
file(WRITE ${FOLDER}/${NAME}.h "/* Made from a model by tuff_add_artifact. */
#ifndef TUFF_ARTIFACT_${NAME}_H
#define TUFF_ARTIFACT_${NAME}_H
#include <stddef.h>
#ifdef __cplusplus
extern \"C\" {
#endif
extern const unsigned char ${NAME}[]; /* aligned to 64 */
extern const size_t ${NAME}_size;
#ifdef __cplusplus
}
#endif
#endif
")
file(WRITE ${FOLDER}/${NAME}.c "#include \"${NAME}.h\"
#if defined(_MSC_VER)
__declspec(align(64))
#else
__attribute__((aligned(64)))
#endif
const unsigned char ${NAME}[${size}] = {
${bytes}};
const size_t ${NAME}_size = ${size};
")
