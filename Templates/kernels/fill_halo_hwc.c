/*
 * Completes a map whose lanes hold rows y and y + half, height of them in all. What one lane sees
 * above or below its own rows are rows of the other, or else padding: before the half rows of words
 * there are top of them, and bottom behind. Each has words of them, the first sides are padding.
 * Words come in fours.
 */
static void fill_halo_hwc(uint32_t *map, uint32_t words, uint32_t sides, uint32_t top,
                          uint32_t half, uint32_t bottom, uint32_t height, uint32_t padding) {
    uint32_t *const first = map + top * words;
    uint32_t *const behind = first + half * words;
    const uint32_t *from = map + half * words;
    const uint32_t both = padding << 16 | padding;
    uint32_t *to = map;

    for (uint32_t y = 0; y <= top + half + bottom; y++, to += words) {
        for (uint32_t i = 0; i < sides; i += 4) {
            to[i] = both;
            to[i + 1] = both;
            to[i + 2] = both;
            to[i + 3] = both;
            PLAIN_LOOP;
        }
    }
    if (height < 2 * half) {
        for (uint32_t *at = behind - words; at != behind; at += 4) {
            at[0] = (at[0] & 0xFFFFU) | padding << 16;
            at[1] = (at[1] & 0xFFFFU) | padding << 16;
            at[2] = (at[2] & 0xFFFFU) | padding << 16;
            at[3] = (at[3] & 0xFFFFU) | padding << 16;
        }
    }
    for (to = map; to != first; to += 4, from += 4) {
        to[0] = from[0] << 16 | padding;
        to[1] = from[1] << 16 | padding;
        to[2] = from[2] << 16 | padding;
        to[3] = from[3] << 16 | padding;
    }
    from = first;
    for (to = behind; to != behind + bottom * words; to += 4, from += 4) {
        to[0] = from[0] >> 16 | padding << 16;
        to[1] = from[1] >> 16 | padding << 16;
        to[2] = from[2] >> 16 | padding << 16;
        to[3] = from[3] >> 16 | padding << 16;
    }
}
