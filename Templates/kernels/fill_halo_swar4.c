/*
 * Completes a row of words of four columns, distance apart and a byte each, which stand from
 * words[left] on, width of them: the halo of a byte repeats columns of its neighbour, or is padding
 * at the row's ends.
 */
static void fill_halo_swar4(uint32_t *words, uint32_t left, uint32_t distance, uint32_t width,
                            uint32_t count, uint32_t padding) {
    for (uint32_t x = width; x < 4 * distance; x++) {
        const uint32_t shift = x / distance * 8;
        uint32_t *const word = words + left + x % distance;

        *word = (*word & ~(UINT32_C(0xFF) << shift)) | padding << shift;
    }
    for (uint32_t j = 0; j < left; j++) {
        words[j] = padding | words[j + distance] << 8;
    }
    for (uint32_t j = left + distance; j < count; j++) {
        words[j] = words[j - distance] >> 8 | padding << 24;
    }
}
