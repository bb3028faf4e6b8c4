/*
 * As requantize_lanes, of what sum_quads makes: words of four levels. They may take
 * the place of sums.
 */
#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__) && defined(LEVEL_BITS)
#include <arm_acle.h>
#endif

static uint32_t level_of(uint32_t sum, uint32_t m, uint32_t b, unsigned shift, uint32_t most) {
    const uint32_t scaled = sum * m + b;

#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__) && defined(LEVEL_BITS)
    (void)most;
    return (uint32_t)__usat((int32_t)scaled >> shift, LEVEL_BITS);
#else
    return (scaled <= most ? scaled : scaled > INT32_MAX ? 0 : most) >> shift;
#endif
}

static void requantize_quads(const uint32_t *evens, const uint32_t *odds, uint32_t multiplier,
                             int32_t bias, unsigned bits, uint32_t *quads, uint32_t words) {
    const unsigned shift = (unsigned)bias & 31U;
    const uint32_t b = (uint32_t)bias;
    const uint32_t m = multiplier | (b & 32U) << 11;
    const uint32_t most = (UINT32_C(1) << (shift + bits)) - 1U;

    for (const uint32_t *const end = odds + words; odds != end; odds++, evens++) {
        uint32_t quad = level_of(*evens & 0xFFFFU, m, b, shift, most);

        quad |= level_of(*evens >> 16, m, b, shift, most) << 16;
        quad |= level_of(*odds & 0xFFFFU, m, b, shift, most) << 8;
        quad |= level_of(*odds >> 16, m, b, shift, most) << 24;
        *quads++ = quad;
    }
}
