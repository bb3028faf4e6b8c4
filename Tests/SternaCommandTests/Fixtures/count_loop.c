/* Loops of known length, for the instruction counter to be compared with. */
#include "semihosting.h"

/* Two instructions a turn. */
__attribute__((noinline)) static void turn(uint32_t times) {
#if defined(__riscv)
    __asm__ volatile("1: addi %0, %0, -1\n"
                     "bnez %0, 1b"
                     : "+r"(times));
#else
    __asm__ volatile(".syntax unified\n"
                     "1: subs %0, %0, #1\n"
                     "bne 1b"
                     : "+l"(times));
#endif
}

int main(void) {
    static const uint32_t turns[] = {1000, 1000000, 400000000};
    for (size_t i = 0; i < sizeof turns / sizeof turns[0]; i++) {
        counter_start();
        turn(turns[i]);
        semihosting_write_uint(counter_instructions());
        semihosting_write("\n");
    }
    return 0;
}
