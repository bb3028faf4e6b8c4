/* Fills words of several columns with one code: word holds it in each. */
static void fill_u32(uint32_t *words, uint32_t count, uint32_t word) {
    for (uint32_t i = 0; i < count; i++) {
        words[i] = word;
        PLAIN_LOOP;
    }
}
