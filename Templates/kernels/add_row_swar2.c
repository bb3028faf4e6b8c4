/*
 * Adds words of two sums, each biased, to the sums of single columns: those of the low halves, then
 * those of the high ones.
 */
static void add_row_swar2(const uint32_t *words, uint32_t count, uint32_t guard, int is_first,
                          int32_t *sums) {
    for (uint32_t x = 0; x < count; x++) {
        const int32_t low = (int32_t)(words[x] & 0xFFFFU) - (int32_t)guard;
        const int32_t high = (int32_t)(words[x] >> 16) - (int32_t)guard;

        sums[x] = is_first ? low : sums[x] + low;
        sums[count + x] = is_first ? high : sums[count + x] + high;
    }
}
