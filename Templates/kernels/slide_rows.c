/*
 * Moves the last kept words of a ring of kept + step words to its front. Eight at a time, which a
 * word's distance of step >= 8 allows, are a few load and store multiples. Cores without these may
 * call the C library for a struct: there words go four at a time, which are read before any of them
 * is written.
 */
static void slide_rows(uint32_t *ring, uint32_t kept, uint32_t step) {
    const uint32_t *from = ring + step;

#if defined(__riscv)
    for (; kept >= 4; kept -= 4) {
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
        PLAIN_LOOP;
    }
#else
    struct eight {
        uint32_t words[8];
    };

    if (step >= 8) {
        for (; kept >= 8; kept -= 8) {
            *(struct eight *)(void *)ring = *(const struct eight *)(const void *)from;
            from += 8;
            ring += 8;
            PLAIN_LOOP;
        }
    }
#endif
    for (; kept > 0; kept--) {
        *ring++ = *from++;
        PLAIN_LOOP;
    }
}
