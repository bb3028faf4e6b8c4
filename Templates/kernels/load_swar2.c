/* A column of a row of bytes, and the one distance columns on: two lanes of a word. */
static int32_t load_swar2(const uint8_t *column, uint32_t distance) {
    return column[0] | (int32_t)column[distance] << 16;
}
