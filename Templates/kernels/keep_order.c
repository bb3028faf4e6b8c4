/*
 * Straight-line blocks need all registers: a compiler that moved all loads to a block's front would
 * run out of them.
 */
#if defined(__GNUC__)
#define KEEP_ORDER __asm__ volatile("" ::: "memory")
#else
#define KEEP_ORDER ((void)0)
#endif
