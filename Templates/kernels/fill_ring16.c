/* Fills a ring of 16-bit sums with the level of its padding; rows overwrite all but the halo. */
static void fill_ring16(uint16_t *ring, uint32_t values, uint16_t level) {
    for (uint32_t i = 0; i < values; i++) {
        ring[i] = level;
        PLAIN_LOOP;
    }
}
