/* Both lanes of a word requantized: clamp((a * m + b) >> shift) of a sum a as it is biased. */
#define INLINE
#define ROUND 4 /* channels at once */

#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__)
#include <arm_acle.h>

#define CODE_OF(scaled, shift) ((uint32_t)__usat((int32_t)(scaled) >> (shift), CODE_BITS))
#else
#define CODE_OF(scaled, shift) clamped_code(scaled, shift)

static uint32_t clamped_code(uint32_t scaled, unsigned shift) {
    const uint32_t most = ((UINT32_C(1) << CODE_BITS) << shift) - 1U;

    return (scaled <= most ? scaled : scaled > INT32_MAX ? 0 : most) >> shift;
}
#endif

static uint32_t codes_of(int32_t sum, int32_t multiplier, int32_t bias, unsigned shift) {
    const uint32_t m = (uint32_t)multiplier;
    const uint32_t b = (uint32_t)bias;
    const uint32_t low = ((uint32_t)sum & 0xFFFFU) * m + b;
    const uint32_t high = ((uint32_t)sum >> 16) * m + b;

    return CODE_OF(low, shift) | CODE_OF(high, shift) << 16;
}
