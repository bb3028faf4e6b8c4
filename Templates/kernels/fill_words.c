/* Fills a ring of words with the level of its padding, in both lanes. */
static void fill_words(uint32_t *ring, uint32_t words, uint32_t level) {
    for (uint32_t i = 0; i < words; i++) {
        ring[i] = level << 16 | level;
    }
}
