/*
 * (a * multiplier + bias) >> shift, clamped. low and high are the clamps times 2^shift, so that the
 * shifted value is never negative. The compiler has proven that no step leaves 32 bits and that the
 * result is the exact real one, rounded.
 */
static int32_t requantize(int32_t a, int32_t multiplier, int32_t bias, unsigned shift, int32_t low,
                          int32_t high) {
    int32_t v = a * multiplier + bias;

    v = v < low ? low : v;
    v = v > high ? high : v;
    return (int32_t)(v >> shift);
}
