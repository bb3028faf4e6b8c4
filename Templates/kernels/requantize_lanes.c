/*
 * Requantizes both lanes of a word: (a * multiplier + bias) >> shift, clamped to what bits hold.
 * Sums and products are those of integers modulo 2^32: the result is within 32 bits, a product
 * alone may not be. Armv7-M saturates in one instruction, and the compilers that say so shift
 * negative numbers as one expects.
 */
#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__) && defined(LEVEL_BITS)
#include <arm_acle.h>

static uint32_t requantize_lanes(uint32_t word, uint32_t multiplier, uint32_t bias, unsigned shift,
                                 unsigned bits) {
    const int32_t low = (int32_t)((word & 0xFFFFU) * multiplier + bias) >> shift;
    const int32_t high = (int32_t)((word >> 16) * multiplier + bias) >> shift;

    (void)bits;
    return (uint32_t)__usat(low, LEVEL_BITS) | (uint32_t)__usat(high, LEVEL_BITS) << 16;
}
#else
static uint32_t requantize_lanes(uint32_t word, uint32_t multiplier, uint32_t bias, unsigned shift,
                                 unsigned bits) {
    const uint32_t most = (UINT32_C(1) << (shift + bits)) - 1U;
    uint32_t low = (word & 0xFFFFU) * multiplier + bias;
    uint32_t high = (word >> 16) * multiplier + bias;

    /* Beyond most: a negative number, or one beyond the clamp. */
    if (low > most) {
        low = low > INT32_MAX ? 0 : most;
    }
    if (high > most) {
        high = high > INT32_MAX ? 0 : most;
    }
    return low >> shift | high >> shift << 16;
}
#endif
