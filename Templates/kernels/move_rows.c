/* Moves the last kept words of a ring of kept + step words to its front. */
static void move_rows(uint32_t *ring, uint32_t kept, uint32_t step) {
    for (const uint32_t *const end = ring + kept; ring != end; ring++) {
        *ring = ring[step];
        PLAIN_LOOP;
    }
}
