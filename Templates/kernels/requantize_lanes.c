/*
 * Requantizes words of two accumulators: (a * multiplier + bias) >> shift, clamped to what bits
 * hold. The bias's lowest five bits are the shift, its sixth is the multiplier's seventeenth: there
 * they change no level. The compiler has proven that no step leaves 32 bits and that the result is
 * the exact real one, rounded. Armv7-M saturates in one instruction, and the compilers that say so
 * shift negative numbers as one expects.
 */
#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__) && defined(LEVEL_BITS)
#include <arm_acle.h>
#endif

static void requantize_lanes(const uint32_t *acc, uint32_t multiplier, int32_t bias, unsigned bits,
                             uint32_t *levels, uint32_t count) {
    const unsigned shift = (unsigned)bias & 31U;
    const int32_t m = (int32_t)(multiplier | ((uint32_t)bias & 32U) << 11);
    const uint32_t most = (UINT32_C(1) << (shift + bits)) - 1U;

    for (const uint32_t *const end = acc + count; acc != end; acc++) {
        const int32_t left = (int32_t)(*acc & 0xFFFFU) * m + bias;
        const int32_t right = (int32_t)(*acc >> 16) * m + bias;
        uint32_t low = (uint32_t)left;
        uint32_t high = (uint32_t)right;

#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__) && defined(LEVEL_BITS)
        (void)most;
        low = (uint32_t)__usat(left >> shift, LEVEL_BITS);
        high = (uint32_t)__usat(right >> shift, LEVEL_BITS);
#else
        /* Beyond most: a negative number, or one beyond the clamp. */
        low = (low <= most ? low : low > INT32_MAX ? 0 : most) >> shift;
        high = (high <= most ? high : high > INT32_MAX ? 0 : most) >> shift;
#endif
        *levels++ = low | high << 16;
    }
}
