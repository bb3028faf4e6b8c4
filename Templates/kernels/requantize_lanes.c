/*
 * Requantizes words of two accumulators: (a * multiplier + bias) >> shift, clamped to what bits
 * hold. Sums and products are those of integers modulo 2^32: the result is within 32 bits, a product
 * alone may not be. Armv7-M saturates in one instruction, and the compilers that say so shift
 * negative numbers as one expects.
 */
#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__) && defined(LEVEL_BITS)
#include <arm_acle.h>
#endif

static void requantize_lanes(const uint32_t *acc, uint32_t multiplier, uint32_t bias,
                             unsigned shift, unsigned bits, uint32_t *levels, uint32_t count) {
    const uint32_t most = (UINT32_C(1) << (shift + bits)) - 1U;

    for (const uint32_t *const end = acc + count; acc != end; acc++) {
        uint32_t low = (*acc & 0xFFFFU) * multiplier + bias;
        uint32_t high = (*acc >> 16) * multiplier + bias;

#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__) && defined(LEVEL_BITS)
        (void)most;
        low = (uint32_t)__usat((int32_t)low >> shift, LEVEL_BITS);
        high = (uint32_t)__usat((int32_t)high >> shift, LEVEL_BITS);
#else
        /* Beyond most: a negative number, or one beyond the clamp. */
        low = (low <= most ? low : low > INT32_MAX ? 0 : most) >> shift;
        high = (high <= most ? high : high > INT32_MAX ? 0 : most) >> shift;
#endif
        *levels++ = low | high << 16;
    }
}
