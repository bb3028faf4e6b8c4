/*
 * Moves the last kept bytes of a ring of kept + step bytes to its front. Sixteen at a time, which a
 * distance of step >= 16 allows, are a vector.
 */
static void slide_bytes(uint8_t *ring, uint32_t kept, uint32_t step) {
    struct sixteen {
        uint8_t bytes[16];
    };
    const uint8_t *from = ring + step;

    if (step >= 16) {
        for (; kept >= 16; kept -= 16) {
            *(struct sixteen *)(void *)ring = *(const struct sixteen *)(const void *)from;
            from += 16;
            ring += 16;
            PLAIN_LOOP;
        }
    }
    for (; kept > 0; kept--) {
        *ring++ = *from++;
        PLAIN_LOOP;
    }
}
