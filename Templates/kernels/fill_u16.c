/* Fills values of 16 bits with one code. */
static void fill_u16(uint16_t *buffer, uint32_t values, uint16_t code) {
    for (uint32_t i = 0; i < values; i++) {
        buffer[i] = code;
        PLAIN_LOOP;
    }
}
