# Cross-compilation for RV32IMC, and QEMU's `virt` machine to run the result.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR riscv32)
set(CMAKE_C_COMPILER riscv64-unknown-elf-gcc)

# There is no start-up code before sterna_link_board(), so the compiler check must not link.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)

set(CMAKE_C_FLAGS_INIT
    "--specs=picolibc.specs -march=rv32imc -mabi=ilp32 -ffreestanding -ffunction-sections -fdata-sections")
set(STERNA_LINKER_SCRIPT riscv32_virt.ld)
set(STERNA_STARTUP startup_riscv32.c)

# ctest appends the image.
set(CMAKE_CROSSCOMPILING_EMULATOR
    qemu-system-riscv32 -M virt -bios none -nographic -monitor none -serial none
    -semihosting-config enable=on,target=native -kernel)
