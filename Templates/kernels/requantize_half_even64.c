/*
 * (a * multiplier + bias) / 2^shift, clamped and rounded to the nearest integer, ties to the even
 * one. low and high are the clamps times 2^shift, so that nothing negative is shifted. The compiler
 * has proven that no step leaves 64 bits and that the result is the exact real one, rounded.
 */
static int32_t requantize_half_even64(int32_t a, int32_t multiplier, int64_t bias, unsigned shift,
                                      int64_t low, int64_t high) {
    const int64_t half = (int64_t)(((uint32_t)1 << shift) >> 1);
    int64_t v = (int64_t)a * multiplier + bias;

    v = v < low ? low : v;
    v = v > high ? high : v;
    if (shift == 0) {
        return (int32_t)v;
    }
    return (int32_t)((v + half - 1 + ((v >> shift) & 1)) >> shift);
}
