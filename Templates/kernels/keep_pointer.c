/* Offsets count from a pointer that the compiler may not take for another one: they are short. */
#if defined(__GNUC__)
#define KEEP_POINTER(p) __asm__("" : "+r"(p))
#else
#define KEEP_POINTER(p) ((void)0)
#endif
