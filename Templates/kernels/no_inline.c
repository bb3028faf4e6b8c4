/*
 * Functions of one loop or block are best by themselves: in their callers, compilers know less of
 * what pointers do not share, and have fewer registers left for them.
 */
#if defined(__GNUC__)
#define NO_INLINE __attribute__((noinline))
#else
#define NO_INLINE
#endif
