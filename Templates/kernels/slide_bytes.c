/*
 * Moves the last kept bytes of a buffer of kept + step bytes to its front. Sixteen at a time, which
 * a distance of step >= 16 allows, are a vector of a computer's processor.
 */
static void slide_bytes(uint8_t *buffer, uint32_t kept, uint32_t step) {
    const uint8_t *from = buffer + step;

#if defined(__x86_64__) || defined(__aarch64__)
    struct sixteen {
        uint8_t bytes[16];
    };

    if (step >= 16) {
        for (; kept >= 16; kept -= 16) {
            *(struct sixteen *)(void *)buffer = *(const struct sixteen *)(const void *)from;
            from += 16;
            buffer += 16;
            PLAIN_LOOP;
        }
    }
#endif
    for (; kept > 0; kept--) {
        *buffer++ = *from++;
        PLAIN_LOOP;
    }
}
