/* Start-up for RV32 in machine mode on QEMU's `virt` machine; the linker script is riscv32_virt.ld.
 */
#include "semihosting.h"

#include <string.h>

/* Set by the linker; only their addresses mean anything. */
extern uint32_t linker_data_load[];
extern uint32_t linker_data_start[];
extern uint32_t linker_data_end[];
extern uint32_t linker_bss_start[];
extern uint32_t linker_bss_end[];

void reset_handler(void);

__attribute__((naked, section(".vectors"), used)) void reset_handler(void) {
    __asm__ volatile(".option push\n"
                     ".option arch, +zicsr\n"
                     ".option norelax\n" /* or gp would be loaded relative to itself */
                     "la gp, __global_pointer$\n"
                     "la sp, linker_stack_top\n"
                     "la t0, trap_handler\n"
                     "csrw mtvec, t0\n"
                     "j start\n"
                     ".option pop");
}

static void __attribute__((used, noreturn)) start(void) {
    const size_t data_bytes = (size_t)((char *)linker_data_end - (char *)linker_data_start);
    const size_t bss_bytes = (size_t)((char *)linker_bss_end - (char *)linker_bss_start);
    memcpy(linker_data_start, linker_data_load, data_bytes);
    memset(linker_bss_start, 0, bss_bytes);
    semihosting_run_main();
    for (;;) {
    }
}

/* mtvec keeps its low two bits for the mode, so the handler is aligned to 4. */
static void __attribute__((used, noreturn, aligned(4))) trap_handler(void) {
    uint32_t cause;
    uint32_t pc;
    __asm__ volatile(".option push\n"
                     ".option arch, +zicsr\n"
                     "csrr %0, mcause\n"
                     "csrr %1, mepc\n"
                     ".option pop"
                     : "=&r"(cause), "=r"(pc));
    semihosting_write("fault: cause ");
    semihosting_write_uint(cause);
    semihosting_write(", pc ");
    semihosting_write_uint(pc);
    semihosting_write(" (decimal; see the map file)\n");
    semihosting_exit(70);
    for (;;) {
    }
}
