/* The sum of one channel over all positions of a map, of both lanes: 65535 at most in each. */
static int32_t sum_pixels(const uint32_t *at, uint32_t rows, uint32_t width, uint32_t row_words,
                          uint32_t pixel) {
    const uint32_t pairs = width / 2 * (2 * pixel);
    uint32_t sum = 0;

    for (; rows > 0; rows--, at += row_words - pairs) {
        for (const uint32_t *const end = at + pairs; at != end; at += 2 * pixel) {
            sum += at[0] + at[pixel];
        }
        if (width % 2 > 0) {
            sum += at[0];
        }
    }
    return (int32_t)((sum & 0xFFFFU) + (sum >> 16));
}
