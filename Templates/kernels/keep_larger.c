/* Max pool of levels, row r of its window after another. */
static void keep_larger(uint8_t *best, uint8_t level, uint32_t r) {
    if (r == 0 || level > *best) {
        *best = level;
    }
}
