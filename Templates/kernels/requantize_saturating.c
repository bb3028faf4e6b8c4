/*
 * As requantize, with the clamps 0 and 2^bits - 1. Armv7-M saturates in one instruction, and the
 * compilers that say so shift negative numbers as one expects.
 */
#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__)
#include <arm_acle.h>

#define REQUANTIZE(a, multiplier, bias, shift, bits)                                               \
    ((int32_t)__usat(((a) * (multiplier) + (bias)) >> (shift), bits))
#else
static int32_t requantize_bits(int32_t a, int32_t multiplier, int32_t bias, unsigned shift,
                               unsigned bits) {
    const int32_t high = (int32_t)((UINT32_C(1) << (shift + bits)) - 1U);
    int32_t v = a * multiplier + bias;

    v = v < 0 ? 0 : v;
    v = v > high ? high : v;
    return (int32_t)(v >> shift);
}
#define REQUANTIZE requantize_bits
#endif
