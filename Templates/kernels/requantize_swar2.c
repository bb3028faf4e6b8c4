/*
 * Requantizes words of two accumulators: (a * multiplier + bias) >> shift, clamped to what bits
 * hold. scale is the multiplier's low half and the two halves of the bias, the low one first. The
 * bias's lowest five bits are the shift, its sixth is the multiplier's seventeenth: there they
 * change no code. The compiler has proven that the result is the exact real one, rounded, and
 * that the sum is within 32 bits; the product may wrap. Armv7-M saturates in one instruction, and
 * the compilers that say so shift negative numbers as one expects.
 */
#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__) && defined(CODE_BITS)
#include <arm_acle.h>
#endif

static void requantize_swar2(const uint32_t *acc, const IN_FLASH uint16_t scale[3], unsigned bits,
                             uint32_t *codes, uint32_t count) {
    const uint32_t b = scale[1] | (uint32_t)scale[2] << 16;
    const uint32_t m = scale[0] | (b & 32U) << 11;
    const unsigned shift = b & 31U;
    const uint32_t most = (UINT32_C(1) << (shift + bits)) - 1U;

    for (const uint32_t *const end = acc + count; acc != end; acc++) {
        uint32_t low = (*acc & 0xFFFFU) * m + b;
        uint32_t high = (*acc >> 16) * m + b;

#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__) && defined(CODE_BITS)
        (void)most;
        low = (uint32_t)__usat((int32_t)low >> shift, CODE_BITS);
        high = (uint32_t)__usat((int32_t)high >> shift, CODE_BITS);
#else
        /* Beyond most: a negative number, or one beyond the clamp. */
        low = (low <= most ? low : low > INT32_MAX ? 0 : most) >> shift;
        high = (high <= most ? high : high > INT32_MAX ? 0 : most) >> shift;
#endif
        *codes++ = low | high << 16;
    }
}
