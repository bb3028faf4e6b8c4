/* Max pool of codes, row r of its window after another. */
static void keep_larger(uint8_t *best, uint8_t code, uint32_t r) {
    if (r == 0 || code > *best) {
        *best = code;
    }
}
