# Cross-compilation for the core in STERNA_CORE, and QEMU to run the result; included by cortex-m<n>.cmake.
# For hardware of your own take the flags and leave the emulator: sterna_add_model works with any toolchain file.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)

# There is no start-up code before sterna_link_board(), so the compiler check must not link.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)

# A line of boards.txt: core, QEMU machine, linker script, clock in Hz.
# Beside the toolchains where they are installed.
set(sterna_boards ${CMAKE_CURRENT_LIST_DIR}/../targets/boards.txt)
if(NOT EXISTS ${sterna_boards})
  set(sterna_boards ${CMAKE_CURRENT_LIST_DIR}/../../Templates/targets/boards.txt)
endif()
file(STRINGS ${sterna_boards} sterna_board REGEX "^${STERNA_CORE} ")
separate_arguments(sterna_board UNIX_COMMAND "${sterna_board}")
list(GET sterna_board 1 sterna_machine)
list(GET sterna_board 2 STERNA_LINKER_SCRIPT)
list(GET sterna_board 3 sterna_clock)

set(CMAKE_C_FLAGS_INIT
    "-mthumb -mcpu=${STERNA_CORE} -mfloat-abi=soft -ffreestanding -ffunction-sections -fdata-sections -DTARGET_CLOCK_HZ=${sterna_clock}")
set(STERNA_STARTUP startup_cortex_m.c)

# ctest appends the image.
set(CMAKE_CROSSCOMPILING_EMULATOR
    qemu-system-arm -M ${sterna_machine} -nographic -monitor none -serial none
    -semihosting-config enable=on,target=native -kernel)
