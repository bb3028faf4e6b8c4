/*
 * Completes a map whose lanes hold rows y and y + half, height of them in all: what one lane sees
 * above or below its own rows are rows of the other, or else padding. From the first row of words
 * on there are top rows, half of the map's, and bottom rows again, words of them each.
 */
static void close_pixels(uint32_t *map, uint32_t words, uint32_t top, uint32_t half,
                         uint32_t bottom, uint32_t height, uint32_t padding) {
    uint32_t *const first = map + top * words;
    uint32_t *const behind = first + half * words;

    if (height < 2 * half) {
        for (uint32_t *at = behind - words; at != behind; at++) {
            *at = (*at & 0xFFFFU) | padding << 16;
        }
    }
    for (uint32_t i = 0; i < top * words; i++) {
        map[i] = map[half * words + i] << 16 | padding;
    }
    for (uint32_t i = 0; i < bottom * words; i++) {
        behind[i] = first[i] >> 16 | padding << 16;
    }
}
