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
    const uint32_t high = (UINT32_C(1) << (shift + bits)) - 1U;
    uint32_t v = (uint32_t)(a * multiplier + bias);

    if (v > high) {
        v = v > INT32_MAX ? 0 : high; /* a negative number, or one beyond the clamp */
    }
    return (int32_t)(v >> shift);
}
#define REQUANTIZE requantize_bits
#endif
