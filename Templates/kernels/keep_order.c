/*
 * Straight-line blocks need all registers: inlined, a block would share them with its caller, and a
 * compiler that moved all loads to its front would run out of them. Elsewhere the sums are equal.
 */
#if defined(__GNUC__)
#define NO_INLINE __attribute__((noinline))
#define KEEP_ORDER __asm__ volatile("" ::: "memory")
#else
#define NO_INLINE
#define KEEP_ORDER ((void)0)
#endif
