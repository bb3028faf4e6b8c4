/*
 * Spreads a row of codes into words of two lanes: word j holds padded column j in its low half and
 * column j + distance in its high half, so that one addition serves two columns of the output.
 * Columns of the halo hold the padding's code.
 */
static void pack_row_swar2(const uint8_t *row, uint32_t width, uint32_t left, uint32_t distance,
                           uint32_t padding, uint32_t *words, uint32_t count) {
    /* Behind the halo on the left come words with two columns of the row, then the others. */
    const uint32_t pairs = width > distance ? width - distance : 0;
    const uint32_t end = left + pairs < count ? left + pairs : count;

    for (uint32_t j = left; j < end; j++) {
        words[j] = row[j - left] | (uint32_t)row[j - left + distance] << 16;
    }
    for (uint32_t j = left > 0 ? 0 : end; j < count; j = j + 1 == left ? end : j + 1) {
        const uint32_t low = j - left; /* wraps in the halo, beyond any width */
        const uint32_t high = low + distance;

        words[j] = (low < width ? row[low] : padding) | (high < width ? row[high] : padding) << 16;
    }
}
