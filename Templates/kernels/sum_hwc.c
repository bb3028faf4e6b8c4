/* The sum of one channel over all positions of a map, of both lanes: 65535 at most in each. */
static int32_t sum_hwc(const uint32_t *from, uint32_t rows, uint32_t width, uint32_t row_words,
                       uint32_t position) {
    const uint32_t pairs = width / 2 * (2 * position);
    uint32_t sum = 0;

    for (uint32_t y = 0; y < rows; y++) {
        const uint32_t *const at = from + y * row_words;

        for (uint32_t i = 0; i < pairs; i += 2 * position) {
            sum += at[i] + at[i + position];
        }
        if (width % 2 > 0) {
            sum += at[pairs];
        }
    }
    return (int32_t)((sum & 0xFFFFU) + (sum >> 16));
}
