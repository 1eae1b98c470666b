# Fails unless the ABI is the one of tests/golden/abi: libtuff.abi has the functions, and the public types that they reach, as
# abidw describes them; constants.txt what the headers' anonymous enums number, which no function reaches.
# tests/run --update-goldens (TUFF_UPDATE_GOLDENS=1) writes both instead, which is right for what was added. What was removed
# or changed breaks hosts: with it goes another TUFF_VERSION.
# cmake -DABIDW=abidw -DABIDIFF=abidiff -DLIBRARY=with-debug-info.so -DHEADERS=include/tuff -DGOLDEN=tests/golden/abi
#   -DFOUND=folder -P abi.cmake
file(MAKE_DIRECTORY ${FOUND})
# No places, so that a function may move: neither files, nor lines, nor folders of the machine that built it.
execute_process(COMMAND ${ABIDW} --headers-dir ${HEADERS} --drop-private-types --drop-undefined-syms --exported-interfaces-only
                --no-show-locs --short-locs --no-corpus-path --no-comp-dir-path --no-elf-needed --no-parameter-names
                --type-id-style hash --out-file ${FOUND}/libtuff.abi ${LIBRARY} COMMAND_ERROR_IS_FATAL ANY)
set(constants)
foreach(header tuff.h tuff_vulkan.h)
  file(STRINGS ${HEADERS}/${header} lines REGEX "TUFF_[A-Z0-9_]+ = ")
  foreach(line ${lines})
    string(REGEX MATCHALL "TUFF_[A-Z0-9_]+ = -?[0-9a-fx]+" found "${line}")
    list(APPEND constants ${found})
  endforeach()
endforeach()
list(JOIN constants "\n" constants)
file(WRITE ${FOUND}/constants.txt "${constants}\n")

if("$ENV{TUFF_UPDATE_GOLDENS}" STREQUAL "1")
  file(COPY ${FOUND}/libtuff.abi ${FOUND}/constants.txt DESTINATION ${GOLDEN})
  return()
endif()
execute_process(COMMAND ${CMAKE_COMMAND} -E compare_files ${GOLDEN}/constants.txt ${FOUND}/constants.txt RESULT_VARIABLE differ)
if(differ)
  message(FATAL_ERROR "The headers' constants are not those of ${GOLDEN}/constants.txt, but these:\n${constants}")
endif()
execute_process(COMMAND ${ABIDIFF} --harmless ${GOLDEN}/libtuff.abi ${FOUND}/libtuff.abi RESULT_VARIABLE differ)
if(differ)
  message(FATAL_ERROR "The ABI is not the one of ${GOLDEN}/libtuff.abi.")
endif()
message("abi: as ${GOLDEN} has it.")
