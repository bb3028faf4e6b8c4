/*
 * Completes a row of words whose columns stand from words[left] on, width of them in lanes distance
 * apart: the halo of a lane repeats columns of the other lane, or is padding at the row's ends.
 */
static void fill_halo_swar2(uint32_t *words, uint32_t left, uint32_t distance, uint32_t width,
                            uint32_t count, uint32_t padding) {
    for (uint32_t j = left + width - distance; j < left + distance; j++) {
        words[j] = (words[j] & 0xFFFFU) | padding << 16;
    }
    for (uint32_t j = 0; j < left; j++) {
        words[j] = padding | words[j + distance] << 16;
    }
    for (uint32_t j = left + distance; j < count; j++) {
        words[j] = words[j - distance] >> 16 | padding << 16;
    }
}
