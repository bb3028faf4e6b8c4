/*
 * Requantizes width positions of some channels, a multiple of four of them: clamp(((a * m >> 16) +
 * b) >> shift) of accumulators a of 15 bits as they are lifted, m and b of each channel. The DSP
 * extension multiplies either half of a word by m and keeps the upper 32 of the product's 48 bits.
 * Positions of the output are pixel words apart. Inlined, the shift is a constant.
 */
#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FEATURE_SAT) && defined(__GNUC__)
#include <arm_acle.h>

#define SCALE_LOW(word, m, b) __smlawb(m, word, b)
#define SCALE_HIGH(word, m, b) __smlawt(m, word, b)
#define LEVEL_OF(scaled, shift) ((uint32_t)__usat((scaled) >> (shift), LEVEL_BITS))
#define INLINE __attribute__((always_inline)) inline
#else
#define SCALE_LOW(word, m, b) scale_half((word) % 65536, m, b)
#define SCALE_HIGH(word, m, b) scale_half((word) / 65536, m, b)
#define LEVEL_OF(scaled, shift) clamped_level(scaled, shift)
#define INLINE

static int32_t scale_half(int32_t a, int32_t m, int32_t b) {
    return (int32_t)((int64_t)a * m >> 16) + b;
}

static uint32_t clamped_level(int32_t scaled, unsigned shift) {
    const uint32_t level = scaled < 0 ? 0 : (uint32_t)scaled >> shift;

    return level >> LEVEL_BITS == 0 ? level : (UINT32_C(1) << LEVEL_BITS) - 1U;
}
#endif

static INLINE uint32_t levels_of(int32_t word, const int32_t *scale, unsigned shift) {
    const int32_t m = scale[0];
    const int32_t b = scale[1];

    return LEVEL_OF(SCALE_LOW(word, m, b), shift) | LEVEL_OF(SCALE_HIGH(word, m, b), shift) << 16;
}

static INLINE void requantize_pixels(const int32_t *sums, const int32_t (*scales)[2],
                                     uint32_t channels, unsigned shift, uint32_t width,
                                     uint32_t pixel, uint32_t *out) {
    for (uint32_t x = 0; x < width; x++, out += pixel) {
        const int32_t(*scale)[2] = scales;
        uint32_t *to = out;

        for (const int32_t *const end = sums + channels; sums != end;) {
            to[0] = levels_of(sums[0], scale[0], shift);
            to[1] = levels_of(sums[1], scale[1], shift);
            to[2] = levels_of(sums[2], scale[2], shift);
            to[3] = levels_of(sums[3], scale[3], shift);
            sums += 4;
            scale += 4;
            to += 4;
        }
    }
}
