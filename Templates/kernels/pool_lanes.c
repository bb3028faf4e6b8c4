/* The larger of each lane. Lanes are below 2^15: the guard bits never borrow from one another. */
static uint32_t max_lanes(uint32_t a, uint32_t b) {
    const uint32_t guard = 0x80008000U;
    const uint32_t difference = (a | guard) - b;
    const uint32_t not_less = difference & guard;

    return b + (difference & (not_less - (not_less >> 15)));
}

/* As pool_accumulators, two columns at a time. */
static void pool_lanes(const uint32_t *acc, uint32_t kernel_width, int is_first, uint32_t *pooled,
                       uint32_t width) {
    for (uint32_t ox = 0; ox < width; ox++) {
        uint32_t best = is_first ? acc[0] : pooled[ox];

        for (uint32_t kx = 0; kx < kernel_width; kx++) {
            best = max_lanes(acc[kx], best);
        }
        pooled[ox] = best;
        acc += kernel_width;
    }
}
