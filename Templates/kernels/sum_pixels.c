/* The sum of one channel over all positions of a map, of both lanes: 65535 at most in each. */
static int32_t sum_pixels(const uint32_t *at, uint32_t rows, uint32_t width, uint32_t row_words,
                          uint32_t pixel) {
    uint32_t sum = 0;

    for (uint32_t y = 0; y < rows; y++, at += row_words - width * pixel) {
        for (uint32_t x = 0; x < width; x++, at += pixel) {
            sum += *at;
        }
    }
    return (int32_t)((sum & 0xFFFFU) + (sum >> 16));
}
