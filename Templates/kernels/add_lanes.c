/*
 * Adds words of two sums, each lifted, to the sums of single columns: those of the low halves, then
 * those of the high ones.
 */
static void add_lanes(const uint32_t *words, uint32_t count, uint32_t lift, int is_first,
                      int32_t *sums) {
    for (uint32_t x = 0; x < count; x++) {
        const int32_t low = (int32_t)(words[x] & 0xFFFFU) - (int32_t)lift;
        const int32_t high = (int32_t)(words[x] >> 16) - (int32_t)lift;

        sums[x] = is_first ? low : sums[x] + low;
        sums[count + x] = is_first ? high : sums[count + x] + high;
    }
}
