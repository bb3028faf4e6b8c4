/*
 * Max pool of accumulators, two columns at a time and in place. The requantizer that follows does
 * not decrease, so pooling first gives the same values from fewer of them.
 */
static void max_pool_swar2(const IN_FLASH struct stage *stage, uint32_t *acc) {
    const uint32_t *from = acc;

    for (uint32_t left = stage->out_width; left > 0; left -= stage->pool_width) {
        const uint32_t *column = from;
        uint32_t best = 0;

        for (uint32_t r = 0; r < stage->pool_height; r++, column += stage->out_width) {
            for (uint32_t kx = 0; kx < stage->pool_width; kx++) {
                best = max_swar2(column[kx], best);
            }
        }
        *acc++ = best;
        from += stage->pool_width;
    }
}
