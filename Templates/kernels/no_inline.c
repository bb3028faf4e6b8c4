/*
 * Functions of one loop are vectorized best by themselves: in their callers, compilers know less of
 * what pointers do not share.
 */
#if defined(__GNUC__)
#define NO_INLINE __attribute__((noinline))
#else
#define NO_INLINE
#endif
