/* Counting instructions and painting the stack; see semihosting.h for what the figures mean. */
#include "semihosting.h"

#if defined(__riscv)

static uint64_t start;

static uint64_t retired(void) {
    uint32_t low;
    uint32_t high;
    uint32_t again;
    do { /* until the halves belong together */
        __asm__ volatile(".option push\n"
                         ".option arch, +zicsr\n"
                         "csrr %0, minstreth\n"
                         "csrr %1, minstret\n"
                         "csrr %2, minstreth\n"
                         ".option pop"
                         : "=&r"(high), "=&r"(low), "=&r"(again));
    } while (high != again);
    return ((uint64_t)high << 32) | low;
}

void counter_start(void) {
    start = retired();
}

uint64_t counter_instructions(void) {
    return retired() - start;
}

#else

#ifndef TARGET_CLOCK_HZ
#error "TARGET_CLOCK_HZ: the frequency that the emulated board gives its SysTick"
#endif

/* SysTick counts down from RELOAD to 0, then interrupts and starts again; it has 24 bits. */
#define SYSTICK_CONTROL (*(volatile uint32_t *)0xE000E010u)
#define SYSTICK_RELOAD (*(volatile uint32_t *)0xE000E014u)
#define SYSTICK_VALUE (*(volatile uint32_t *)0xE000E018u)
#define RELOAD 0x00FFFFFFu

enum { ENABLE = 1u << 0, INTERRUPT = 1u << 1, PROCESSOR_CLOCK = 1u << 2 };

static volatile uint32_t wraps;

/* Named in the vector table of startup_cortex_m.c. */
void systick_handler(void);
void systick_handler(void) {
    wraps++;
}

void counter_start(void) {
    wraps = 0;
    SYSTICK_CONTROL = 0;
    SYSTICK_RELOAD = RELOAD;
    SYSTICK_VALUE = 0; /* whatever is written, it becomes 0 */
    SYSTICK_CONTROL = ENABLE | INTERRUPT | PROCESSOR_CLOCK;
}

uint64_t counter_instructions(void) {
    uint32_t high;
    uint32_t value;
    do { /* until no wrap fell between the two */
        high = wraps;
        value = SYSTICK_VALUE;
    } while (high != wraps);
    /* The counter starts at 0, then goes to RELOAD: the ticks are -value modulo 2^24. */
    const uint64_t ticks = (uint64_t)high * (RELOAD + 1u) + ((0u - value) & RELOAD);
    return ticks * 1000000000u / TARGET_CLOCK_HZ;
}

#endif

#define PAINT 0xC5C5C5C5u

/* Lowest painted word; the highest lies just below the frames of stack_paint and its caller. */
static volatile uint32_t *painted;

static volatile uint32_t *stack_pointer(void) {
    volatile uint32_t *here;
#if defined(__riscv)
    __asm__ volatile("mv %0, sp" : "=r"(here));
#else
    __asm__ volatile("mov %0, sp" : "=r"(here));
#endif
    return here;
}

__attribute__((noinline)) void stack_paint(void) {
    volatile uint32_t *word = stack_pointer();
    painted = word - STACK_PAINT_BYTES / sizeof *word;
    while (word != painted) {
        *--word = PAINT;
    }
}

__attribute__((noinline)) uint32_t stack_peak(void) {
    uint32_t untouched = 0;
    while (untouched < STACK_PAINT_BYTES && painted[untouched / sizeof *painted] == PAINT) {
        untouched += (uint32_t)sizeof *painted;
    }
    return STACK_PAINT_BYTES - untouched;
}
