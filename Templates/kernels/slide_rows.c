/*
 * Moves the last kept words of a ring of kept + step words to its front, and fills the rest with
 * padding: what is below the map, until a row arrives.
 */
static void slide_rows(uint32_t *ring, uint32_t kept, uint32_t step, uint32_t padding) {
    const uint32_t *from = ring + step;
    uint32_t *const end = ring + kept;

    while (end - ring >= 4) {
        const uint32_t a = from[0];
        const uint32_t b = from[1];
        const uint32_t c = from[2];
        const uint32_t d = from[3];

        ring[0] = a;
        ring[1] = b;
        ring[2] = c;
        ring[3] = d;
        from += 4;
        ring += 4;
    }
    while (ring != end) {
        *ring++ = *from++;
    }
    for (; step > 0; step--) {
        *ring++ = padding << 16 | padding;
    }
}
