/*
 * Max pool 2x2 of accumulators, two columns at a time and in place. The requantizer that follows
 * does not decrease, so pooling first gives the same values from fewer of them.
 */
static void max_pool_swar2(const IN_FLASH struct stage *stage, uint32_t *acc) {
    const uint32_t *upper = acc;
    const uint32_t *const end = acc + stage->out_width;
    const uint32_t *lower = end;

    for (; upper != end; upper += 2, lower += 2) {
        const uint32_t left = max_swar2(upper[0], lower[0]);

        *acc++ = max_swar2(left, max_swar2(upper[1], lower[1]));
    }
}
