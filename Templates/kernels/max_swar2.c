/* The larger of each lane. */
#if defined(__ARM_FEATURE_SIMD32) && defined(__GNUC__)
#include <arm_acle.h>

static uint32_t max_swar2(uint32_t a, uint32_t b) {
    (void)__usub16(a, b); /* sets a flag for each lane where a >= b, which selects */
    return __sel(a, b);
}
#else
/* Lanes are below 2^15: the guard bits never borrow from one another. */
static uint32_t max_swar2(uint32_t a, uint32_t b) {
    const uint32_t guard = 0x80008000U;
    const uint32_t difference = (a | guard) - b;
    const uint32_t not_less = difference & guard;

    return b + (difference & (not_less - (not_less >> 15)));
}
#endif
