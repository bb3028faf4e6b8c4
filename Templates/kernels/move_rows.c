/* Moves the last kept words of a buffer of kept + step words to its front. */
static void move_rows(uint32_t *buffer, uint32_t kept, uint32_t step) {
    for (const uint32_t *const end = buffer + kept; buffer != end; buffer++) {
        *buffer = buffer[step];
        PLAIN_LOOP;
    }
}
