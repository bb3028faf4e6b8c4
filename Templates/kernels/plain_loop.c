/*
 * Stands in loops that do nothing but copy or fill. Compilers take such a loop for memcpy, memmove
 * or memset and call the C library's, which on small cores may go byte by byte, or not be there.
 * The libraries of PCs are fast.
 */
#if defined(__GNUC__) && !defined(__x86_64__) && !defined(__aarch64__)
#define PLAIN_LOOP __asm__ volatile("")
#else
#define PLAIN_LOOP ((void)0)
#endif
