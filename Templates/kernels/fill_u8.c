/* Fills bytes with one code. */
static void fill_u8(uint8_t *buffer, uint32_t bytes, uint8_t code) {
    for (uint32_t i = 0; i < bytes; i++) {
        buffer[i] = code;
        PLAIN_LOOP;
    }
}
