/*
 * What a program on an emulated board needs from the machine that runs the emulator: text, files,
 * an exit status; and two measurements of the program itself, instructions and stack.
 *
 * semihosting.c   implements it by traps to the debugger (or QEMU) on Cortex-M and RISC-V,
 * measure.c       holds the two measurements for the same targets,
 * semihosting_stdio.c   implements the first part by <stdio.h>, so that a test runs on the host
 * too,
 * simavr.c        implements it on an AVR, by a serial port and a file in flash.
 */
#ifndef SEMIHOSTING_H
#define SEMIHOSTING_H

#include <stddef.h>
#include <stdint.h>

/* Text, to the host's standard output. */
void semihosting_write(const char *text);
void semihosting_write_int(int32_t value);
void semihosting_write_uint(uint64_t value);

/* Ends the program; `status` becomes the exit status of the emulator's process. */
void semihosting_exit(int status);

/* Files of the host, for reading only. A handle below zero means that the file cannot be opened. */
int semihosting_open(const char *path);
size_t semihosting_read(int handle, void *to, size_t bytes); /* returns how many bytes arrived */
int semihosting_seek(int handle, uint32_t position);         /* returns 0 when done */
void semihosting_close(int handle);

/* Splits the emulator's `arg=` words into argv, calls main, exits with its result. */
void semihosting_run_main(void);

/*
 * Instructions executed since counter_start(). Under QEMU's `-icount shift=0` one instruction takes
 * one nanosecond of virtual time, so the count is exact to a tick of the timer that is read:
 * 1 on RISC-V (minstret), 1e9 / TARGET_CLOCK_HZ on Cortex-M (SysTick; 40 at 25 MHz).
 */
void counter_start(void);
uint64_t counter_instructions(void);

/*
 * Deepest use of the stack, in bytes below the frame of the function that called stack_paint().
 * At most STACK_PAINT_BYTES are painted, so a result of STACK_PAINT_BYTES says "at least".
 */
#define STACK_PAINT_BYTES 16384u
void stack_paint(void);
uint32_t stack_peak(void);

#endif
