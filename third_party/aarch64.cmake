# Cross-compiles for 64-bit ARM with Debian's GCC against the packages that third_party/aarch64_sysroot unpacks; what is
# built runs under qemu-aarch64, where that is there.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

get_filename_component(TUFF_SYSROOT ${CMAKE_CURRENT_LIST_DIR}/../build/aarch64-sysroot ABSOLUTE)
set(CMAKE_SYSROOT ${TUFF_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

find_program(TUFF_QEMU_AARCH64 qemu-aarch64)
if(TUFF_QEMU_AARCH64)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${TUFF_QEMU_AARCH64} -L ${TUFF_SYSROOT})
endif()
