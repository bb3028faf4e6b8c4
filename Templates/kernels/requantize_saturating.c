/*
 * (a * multiplier + bias) >> shift, clamped to 0 and 2^bits - 1. The compiler has proven that no
 * step leaves 32 bits and that the result is the exact real one, rounded. Armv7-M saturates in one
 * instruction, and the compilers that say so shift negative numbers as one expects.
 */
#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__)
#include <arm_acle.h>

#define REQUANTIZE(a, multiplier, bias, shift, bits)                                               \
    ((int32_t)__usat(((a) * (multiplier) + (bias)) >> (shift), bits))
#else
static int32_t shift_clamped(int32_t v, unsigned shift, int32_t most) {
    if (v < 0) {
        return 0;
    }
    v >>= shift;
    return v > most ? most : v;
}
#define REQUANTIZE(a, multiplier, bias, shift, bits)                                               \
    shift_clamped((a) * (multiplier) + (bias), shift, (int32_t)((UINT32_C(1) << (bits)) - 1U))
#endif
