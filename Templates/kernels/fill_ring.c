/* Fills bytes with one level. */
static void fill_ring(uint8_t *ring, uint32_t bytes, uint8_t level) {
    for (uint32_t i = 0; i < bytes; i++) {
        ring[i] = level;
        PLAIN_LOOP;
    }
}
