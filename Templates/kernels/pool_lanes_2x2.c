/*
 * Max pool 2x2 of accumulators, two columns at a time and in place. The requantizer that follows
 * does not decrease, so pooling first gives the same values from fewer of them.
 */
static void pool_lanes(const IN_FLASH struct stage *stage, uint32_t *acc) {
    const uint32_t *upper = acc;
    const uint32_t *const end = acc + stage->out_width;
    const uint32_t *lower = end;

    for (; upper != end; upper += 2, lower += 2) {
        const uint32_t left = max_lanes(upper[0], lower[0]);

        *acc++ = max_lanes(left, max_lanes(upper[1], lower[1]));
    }
}
