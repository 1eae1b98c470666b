# tuff_add_artifact(TARGET MODEL.onnx [FOR DEVICE.txt ...] [NAME symbol])
#
# Compiles MODEL ahead when TARGET is built, and adds the artifact to it as bytes: NAME.h, on TARGET's include path, declares
# `extern const unsigned char NAME[]` (aligned to 64) and `extern const size_t NAME_size`, which tuff_program_load_memory takes.
# FOR names devices that it is for besides the fallback: texts that `tuff devices --text` writes. Files are relative to the
# current source folder; NAME is the model's file name without its last extension, if that is a C identifier. The same bytes
# lie as tuff_artifacts/TARGET/NAME.tuff in the current binary folder. TARGET needs tuff::tuff_runtime alone, and its project C. A compiler reads ten
# megabytes of array in half a minute: a larger model is better shipped as a file, for tuff_program_load_file.
#
# The compiler is the command `tuff`, which runs on the machine that builds: TUFF_COMMAND names it. Unset, it is the one that
# was installed with this package, or the one on PATH where that one is for another system.
function(tuff_add_artifact target model)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" NAME FOR)
  if(arg_UNPARSED_ARGUMENTS OR arg_KEYWORDS_MISSING_VALUES)
    message(FATAL_ERROR "tuff_add_artifact(${target} ${model}): not understood: ${arg_UNPARSED_ARGUMENTS}"
                        "${arg_KEYWORDS_MISSING_VALUES}")
  endif()
  if(NOT TARGET ${target})
    message(FATAL_ERROR "tuff_add_artifact: '${target}' is no target.")
  endif()
  if(NOT DEFINED arg_NAME)
    get_filename_component(arg_NAME ${model} NAME_WLE)
  endif()
  if(NOT arg_NAME MATCHES "^[A-Za-z_][A-Za-z0-9_]*$")
    message(FATAL_ERROR "tuff_add_artifact(${target} ${model}): '${arg_NAME}' is no C identifier; say NAME.")
  endif()
  set(command ${TUFF_COMMAND})
  if(NOT command AND TARGET tuff::tuff_command AND NOT CMAKE_CROSSCOMPILING)
    set(command $<TARGET_FILE:tuff::tuff_command>)
  elseif(NOT command)
    find_program(TUFF_COMMAND tuff DOC "Tuff's command, for the machine that builds" NO_CMAKE_FIND_ROOT_PATH)
    set(command ${TUFF_COMMAND})
  endif()
  if(NOT command)
    message(FATAL_ERROR "tuff_add_artifact(${target} ${model}): no command 'tuff' for this machine; set TUFF_COMMAND.")
  endif()
  get_filename_component(model ${model} ABSOLUTE)
  set(devices)
  set(options)
  foreach(device ${arg_FOR})
    get_filename_component(device ${device} ABSOLUTE)
    list(APPEND devices ${device})
    list(APPEND options --for ${device})
  endforeach()

  set(folder ${CMAKE_CURRENT_BINARY_DIR}/tuff_artifacts/${target})
  set(artifact ${folder}/${arg_NAME}.tuff)
  set(source ${folder}/${arg_NAME}.c)
  set(header ${folder}/${arg_NAME}.h)
  set(embed ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/embed_artifact.cmake)
  file(MAKE_DIRECTORY ${folder})
  add_custom_command(OUTPUT ${artifact} COMMAND ${command} compile ${model} -o ${artifact} ${options}
                     DEPENDS ${model} ${devices} ${command} VERBATIM)
  add_custom_command(OUTPUT ${source} ${header}
                     COMMAND ${CMAKE_COMMAND} -DARTIFACT=${artifact} -DNAME=${arg_NAME} -DFOLDER=${folder} -P ${embed}
                     DEPENDS ${artifact} ${embed} VERBATIM)
  target_sources(${target} PRIVATE ${source} ${header})
  target_include_directories(${target} PRIVATE ${folder})
endfunction()
