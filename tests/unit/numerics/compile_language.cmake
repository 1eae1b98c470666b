# Compiles every function of numerics.glsl as GLSL or as CUDA and looks for what exact mode forbids.
# cmake -DLANGUAGE=glsl|cuda -DROOT=<project> -DSCRATCH=<folder> -P compile_language.cmake
set(here ${ROOT}/tests/unit/numerics)

function(run_or_fail)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\n${output}")
  endif()
endfunction()

function(forbid text_file pattern reason)
  file(STRINGS ${text_file} lines REGEX "${pattern}")
  if(lines)
    list(JOIN lines "\n" lines)
    message(FATAL_ERROR "${reason}:\n${lines}")
  endif()
endfunction()

if(LANGUAGE STREQUAL "glsl")
  find_program(GLSLANG_VALIDATOR glslangValidator)
  find_program(SPIRV_VAL spirv-val)
  find_program(SPIRV_DIS spirv-dis)
  if(NOT GLSLANG_VALIDATOR OR NOT SPIRV_VAL OR NOT SPIRV_DIS)
    message("SKIPPED: glslangValidator, spirv-val and spirv-dis are needed.")
    return()
  endif()
  set(module ${SCRATCH}/every_function.spv)
  run_or_fail(${GLSLANG_VALIDATOR} -V --target-env vulkan1.1 -I${ROOT}/shaders -I${here} ${here}/every_function.comp
              -o ${module})
  run_or_fail(${SPIRV_VAL} --target-env vulkan1.1 ${module})
  run_or_fail(${SPIRV_DIS} ${module} -o ${module}.txt)
  forbid(${module}.txt "OpExtInst |OpFDiv|OpFRem|OpFMod|OpDot|OpFNegate|Float64|OpVectorTimes|OpMatrixTimes"
         "Exact mode allows only +, -, *, compare, select and integers")
elseif(LANGUAGE STREQUAL "cuda")
  find_program(NVCC nvcc PATHS /usr/local/cuda/bin)
  if(NOT NVCC)
    message("SKIPPED: nvcc is needed.")
    return()
  endif()
  set(module ${SCRATCH}/every_function.ptx)
  run_or_fail(${NVCC} -ptx --fmad=false -Werror all-warnings -I${ROOT}/shaders -I${here} ${here}/every_function.cu
              -o ${module})
  forbid(${module} "fma\\.|mad\\.f32|div\\.[a-z]+\\.f32|\\.approx|sqrt\\.|\\.f64"
         "Exact mode allows only +, -, *, compare, select and integers")
endif()
message("numerics.glsl is valid ${LANGUAGE}.")
