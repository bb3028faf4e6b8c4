/*
 * Both lanes of a word requantized: clamp(((a * m >> 16) + b) >> shift) of a sum a of 15 bits as it
 * is biased. The DSP extension multiplies either half of a word and keeps the upper 32 of the
 * product's 48 bits. Inlined, the shift is a constant.
 */
#define ROUND 8 /* channels at once */

#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FEATURE_SAT) && defined(__GNUC__)
#include <arm_acle.h>

#define INLINE __attribute__((always_inline)) inline
#define SCALE_LOW(word, m, b) __smlawb(m, word, b)
#define SCALE_HIGH(word, m, b) __smlawt(m, word, b)
#define CODE_OF(scaled, shift) ((uint32_t)__usat((scaled) >> (shift), CODE_BITS))
#else
#define INLINE
#define SCALE_LOW(word, m, b) scale_half((word) % 65536, m, b)
#define SCALE_HIGH(word, m, b) scale_half((word) / 65536, m, b)
#define CODE_OF(scaled, shift) clamped_code(scaled, shift)

static int32_t scale_half(int32_t a, int32_t m, int32_t b) {
    return (int32_t)((int64_t)a * m >> 16) + b;
}

static uint32_t clamped_code(int32_t scaled, unsigned shift) {
    const uint32_t code = scaled < 0 ? 0 : (uint32_t)scaled >> shift;

    return code >> CODE_BITS == 0 ? code : (UINT32_C(1) << CODE_BITS) - 1U;
}
#endif

static INLINE uint32_t codes_of(int32_t sum, int32_t m, int32_t b, unsigned shift) {
    return CODE_OF(SCALE_LOW(sum, m, b), shift) | CODE_OF(SCALE_HIGH(sum, m, b), shift) << 16;
}
