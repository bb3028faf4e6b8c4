/*
 * Requantizes width positions of some channels, a multiple of four of them: clamp((a * m + b) >>
 * shift) of accumulators a as they are lifted, m and b of each channel. Positions of the output are
 * pixel words apart.
 */
#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__)
#include <arm_acle.h>
#endif

static uint32_t level_of(uint32_t a, const int32_t *scale, unsigned shift) {
    const uint32_t scaled = a * (uint32_t)scale[0] + (uint32_t)scale[1];

#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__)
    return (uint32_t)__usat((int32_t)scaled >> shift, LEVEL_BITS);
#else
    const uint32_t most = ((UINT32_C(1) << LEVEL_BITS) << shift) - 1U;

    return (scaled <= most ? scaled : scaled > INT32_MAX ? 0 : most) >> shift;
#endif
}

static uint32_t levels_of(int32_t sum, const int32_t *scale, unsigned shift) {
    const uint32_t word = (uint32_t)sum;

    return level_of(word & 0xFFFFU, scale, shift) | level_of(word >> 16, scale, shift) << 16;
}

static void requantize_pixels(const int32_t *sums, const int32_t (*scales)[2], uint32_t channels,
                              unsigned shift, uint32_t width, uint32_t pixel, uint32_t *out) {
    for (uint32_t x = 0; x < width; x++, out += pixel) {
        const int32_t(*scale)[2] = scales;
        uint32_t *to = out;

        for (const int32_t *const end = sums + channels; sums != end; sums += 2, scale += 2) {
            *to++ = levels_of(sums[0], scale[0], shift);
            *to++ = levels_of(sums[1], scale[1], shift);
        }
    }
}
