# How each dependency is found. Nothing is vendored: all of them are Debian packages, installed by third_party/install.
# README.md beside this file says version, licence, reason and sole user of each.

find_package(ZLIB REQUIRED)

# protozero (header-only): reads ONNX's protobuf. Sole user: src/model/onnx.
find_path(PROTOZERO_INCLUDE_DIR protozero/pbf_reader.hpp REQUIRED)
add_library(protozero INTERFACE)
target_include_directories(protozero SYSTEM INTERFACE ${PROTOZERO_INCLUDE_DIR})

# glslang: GLSL to SPIR-V, in process. Sole user: src/codegen. Debian 12's CMake files name targets that its package
# lacks, so the libraries are found one by one. A newer one brings what Debian 12's lacks: cooperative matrices, from 13.0 on.
set(TUFF_GLSLANG_SOURCE "" CACHE PATH "Source tree of glslang, or an archive of one, to build in place of the installed one")
add_library(tuff_glslang INTERFACE)
if(TUFF_GLSLANG_SOURCE)
  add_subdirectory(third_party/glslang_source)
  target_link_libraries(tuff_glslang INTERFACE tuff_glslang_headers glslang SPIRV)
else()
  find_path(GLSLANG_INCLUDE_DIR glslang/Public/ShaderLang.h REQUIRED)
  target_include_directories(tuff_glslang SYSTEM INTERFACE ${GLSLANG_INCLUDE_DIR})
  foreach(library glslang MachineIndependent GenericCodeGen OSDependent OGLCompiler SPIRV)
    find_library(GLSLANG_${library}_LIBRARY ${library})
    if(GLSLANG_${library}_LIBRARY)
      target_link_libraries(tuff_glslang INTERFACE ${GLSLANG_${library}_LIBRARY})
    endif()
  endforeach()
endif()
find_package(Threads REQUIRED)
target_link_libraries(tuff_glslang INTERFACE Threads::Threads)

# SPIRV-Tools: validates every module that is emitted. Sole user: src/codegen.
find_path(SPIRV_TOOLS_INCLUDE_DIR spirv-tools/libspirv.h REQUIRED)
find_library(SPIRV_TOOLS_LIBRARY NAMES SPIRV-Tools libSPIRV-Tools.a REQUIRED)
find_library(SPIRV_TOOLS_OPT_LIBRARY NAMES SPIRV-Tools-opt libSPIRV-Tools-opt.a)  # where glslang was built with it
find_path(SPIRV_HEADERS_INCLUDE_DIR spirv/unified1/spirv.h REQUIRED)
add_library(tuff_spirv_tools INTERFACE)
target_include_directories(tuff_spirv_tools SYSTEM INTERFACE ${SPIRV_TOOLS_INCLUDE_DIR} ${SPIRV_HEADERS_INCLUDE_DIR})
if(SPIRV_TOOLS_OPT_LIBRARY)
  target_link_libraries(tuff_spirv_tools INTERFACE ${SPIRV_TOOLS_OPT_LIBRARY})
endif()
target_link_libraries(tuff_spirv_tools INTERFACE ${SPIRV_TOOLS_LIBRARY})

# Vulkan headers: types only; the loader is opened at run time. Sole user: src/backend/vulkan.
find_path(VULKAN_INCLUDE_DIR vulkan/vulkan.h REQUIRED)
add_library(tuff_vulkan_headers INTERFACE)
target_include_directories(tuff_vulkan_headers SYSTEM INTERFACE ${VULKAN_INCLUDE_DIR})

# doctest (header-only): the unit tests. Sole user: tests.
if(TUFF_TESTS)
  find_path(DOCTEST_INCLUDE_DIR doctest/doctest.h REQUIRED)
  add_library(tuff_doctest INTERFACE)
  target_include_directories(tuff_doctest SYSTEM INTERFACE ${DOCTEST_INCLUDE_DIR})
endif()
