/* Offset of input row y from slot 0. */
static uint32_t row_offset(const IN_FLASH struct stage *stage, uint32_t y) {
    return y % stage->slots * stage->row_stride;
}
