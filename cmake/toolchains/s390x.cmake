# Cross-compilation for Linux on s390x, whose words begin with the most significant byte, and QEMU to run the result.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR s390x)
set(CMAKE_C_COMPILER s390x-linux-gnu-gcc)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)

# ctest appends the program.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-s390x)
