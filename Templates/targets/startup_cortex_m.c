/*
 * Start-up for Cortex-M0 to M55: vector table, reset, faults. The linker scripts cortex_m_*.ld
 * name the symbols below; interrupts other than SysTick are never enabled, so the table ends there.
 */
#include "semihosting.h"

#include <string.h>

/* Set by the linker; only their addresses mean anything. */
extern uint32_t linker_stack_top[];
extern uint32_t linker_data_load[];
extern uint32_t linker_data_start[];
extern uint32_t linker_data_end[];
extern uint32_t linker_bss_start[];
extern uint32_t linker_bss_end[];

void reset_handler(void);
void fault_handler(void);
void systick_handler(void);

/* measure.c has a better one; a program that does not measure leaves it out. */
__attribute__((weak)) void systick_handler(void) {
}

struct vector_table {
    const uint32_t *stack_top;
    void (*handlers[15])(void);
};

extern const struct vector_table vector_table;
__attribute__((section(".vectors"), used)) const struct vector_table vector_table = {
    linker_stack_top,
    {
        [0] = reset_handler,
        [1] = fault_handler, /* NMI */
        [2] = fault_handler, /* hard fault; the finer ones escalate to it */
        [3] = fault_handler,
        [4] = fault_handler,
        [5] = fault_handler,
        [6] = fault_handler,
        [10] = fault_handler, /* SVCall */
        [13] = fault_handler, /* PendSV */
        [14] = systick_handler,
    },
};

void reset_handler(void) {
    const size_t data_bytes = (size_t)((char *)linker_data_end - (char *)linker_data_start);
    const size_t bss_bytes = (size_t)((char *)linker_bss_end - (char *)linker_bss_start);
    memcpy(linker_data_start, linker_data_load, data_bytes);
    memset(linker_bss_start, 0, bss_bytes);
#if __ARM_ARCH == 6
    /* M0 code runs on an emulated M3. An M0 faults on unaligned access, so let the M3 do so too. */
    volatile uint32_t *const configuration_control = (volatile uint32_t *)0xE000ED14u;
    *configuration_control |= 1u << 3;
#endif
    semihosting_run_main();
}

/* The frame that the core pushes: r0-r3, r12, lr, pc, xpsr. */
static void __attribute__((used)) report_fault(const uint32_t frame[8]) {
    semihosting_write("fault: pc ");
    semihosting_write_uint(frame[6]);
    semihosting_write(", lr ");
    semihosting_write_uint(frame[5]);
    semihosting_write(" (decimal; see the map file)\n");
    semihosting_exit(70);
}

__attribute__((naked)) void fault_handler(void) {
    __asm__ volatile("mov r0, sp\n"
                     "ldr r1, =report_fault\n"
                     "bx r1");
}
