/*
 * Moves the last kept words of a buffer of kept + step words to its front. Eight at a time, which a
 * word's distance of step >= 8 allows, are a few load and store multiples. Cores without these may
 * call the C library for a struct: there words go four at a time, which are read before any of them
 * is written.
 */
static void slide_rows(uint32_t *buffer, uint32_t kept, uint32_t step) {
    const uint32_t *from = buffer + step;

#if defined(__riscv)
    for (; kept >= 4; kept -= 4) {
        const uint32_t a = from[0];
        const uint32_t b = from[1];
        const uint32_t c = from[2];
        const uint32_t d = from[3];

        buffer[0] = a;
        buffer[1] = b;
        buffer[2] = c;
        buffer[3] = d;
        from += 4;
        buffer += 4;
        PLAIN_LOOP;
    }
#else
    struct eight {
        uint32_t words[8];
    };

    if (step >= 8) {
        for (; kept >= 8; kept -= 8) {
            *(struct eight *)(void *)buffer = *(const struct eight *)(const void *)from;
            from += 8;
            buffer += 8;
            PLAIN_LOOP;
        }
    }
#endif
    for (; kept > 0; kept--) {
        *buffer++ = *from++;
        PLAIN_LOOP;
    }
}
