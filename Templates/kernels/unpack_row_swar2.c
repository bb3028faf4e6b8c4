/* Two codes a word into a row of bytes, width columns whose lanes lie count apart. */
static void unpack_row_swar2(const uint32_t *words, uint32_t count, uint32_t width, uint8_t *row) {
    for (uint32_t x = 0; x < count; x++) {
        row[x] = (uint8_t)words[x];
        if (count + x < width) { /* the last high lane of an odd width is nobody's column */
            row[count + x] = (uint8_t)(words[x] >> 16);
        }
    }
}
