/*
 * Max pool of accumulators, two columns at a time: folds a row into the pooled row, kernel_width
 * columns into one. The requantizer that follows does not decrease, so pooling first gives the same
 * values from fewer of them.
 */
static void max_pool_row_swar2(const uint32_t *acc, uint32_t kernel_width, int is_first,
                               uint32_t *pooled, uint32_t width) {
    for (uint32_t ox = 0; ox < width; ox++) {
        uint32_t best = is_first ? acc[0] : pooled[ox];

        for (uint32_t kx = 0; kx < kernel_width; kx++) {
            best = max_swar2(acc[kx], best);
        }
        pooled[ox] = best;
        acc += kernel_width;
    }
}
