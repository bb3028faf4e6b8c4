/* Fills values of 16 bits with one level. */
static void fill_ring16(uint16_t *ring, uint32_t values, uint16_t level) {
    for (uint32_t i = 0; i < values; i++) {
        ring[i] = level;
        PLAIN_LOOP;
    }
}
