# Cross-compiles for 64-bit Windows with Debian's MinGW-w64 against what third_party/mingw_root gathers. Programs and the
# library carry GCC's runtime in themselves: Windows has none. What is built runs under Wine, where that is there.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-posix)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-posix)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)

get_filename_component(TUFF_MINGW_ROOT ${CMAKE_CURRENT_LIST_DIR}/../build/mingw-root ABSOLUTE)
set(CMAKE_FIND_ROOT_PATH ${TUFF_MINGW_ROOT} /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
foreach(kind EXE SHARED MODULE)
  set(CMAKE_${kind}_LINKER_FLAGS_INIT -static)
endforeach()

find_program(TUFF_WINE NAMES wine64 PATHS /usr/lib/wine)
if(TUFF_WINE)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${CMAKE_COMMAND} -E env WINEPREFIX=${CMAKE_BINARY_DIR}/wine WINEDEBUG=-all ${TUFF_WINE})
endif()
