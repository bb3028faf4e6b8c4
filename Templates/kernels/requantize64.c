/*
 * (a * multiplier + bias) >> shift, clamped. low and high are the clamps times 2^shift, so that the
 * shifted value is never negative. The compiler has proven that no step leaves 64 bits and that the
 * result is the exact real one, rounded.
 */
static int32_t requantize64(int32_t a, int32_t multiplier, int64_t bias, unsigned shift,
                            int64_t low, int64_t high) {
    int64_t v = (int64_t)a * multiplier + bias;

    v = v < low ? low : v;
    v = v > high ? high : v;
    return (int32_t)(v >> shift);
}
