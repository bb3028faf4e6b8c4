/*
 * Moves the last kept words of a ring of kept + step words to its front. Eight at a time, which a
 * word's distance of step >= 8 allows, are a few load and store multiples.
 */
static void slide_rows(uint32_t *ring, uint32_t kept, uint32_t step) {
    struct eight {
        uint32_t words[8];
    };
    const uint32_t *from = ring + step;

    if (step >= 8) {
        for (; kept >= 8; kept -= 8) {
            *(struct eight *)(void *)ring = *(const struct eight *)(const void *)from;
            from += 8;
            ring += 8;
            PLAIN_LOOP;
        }
    }
    for (; kept > 0; kept--) {
        *ring++ = *from++;
        PLAIN_LOOP;
    }
}
