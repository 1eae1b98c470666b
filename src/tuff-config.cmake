# find_package(tuff): tuff::tuff, tuff::tuff_runtime (without a compiler, for artifacts) and tuff_add_artifact().
include(${CMAKE_CURRENT_LIST_DIR}/tuff-targets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/tuff_add_artifact.cmake)
