/*
 * Where constants lie: on an AVR in flash, an address space of its own, which GNU C can name. There
 * every read is volatile: where avr-gcc rearranges reads, it may forget the address space.
 */
#if defined(__FLASH) && !defined(__STRICT_ANSI__)
#define IN_FLASH volatile __flash
#define VOLATILE_IN_FLASH volatile __flash
#else
#define IN_FLASH
#define VOLATILE_IN_FLASH volatile
#endif
