/*
 * As locate_rows, of a buffer whose rows lie in the map's order: row y in slot y + shift, which may
 * be negative in two's complement.
 */
static void locate_moved_rows(const IN_FLASH struct stage *stage, uint32_t oy, uint32_t shift,
                              tap_offset *rows) {
    int32_t y = (int32_t)(oy * stage->stride_height) - stage->top;

    for (uint32_t ky = 0; ky < stage->kernel_height; ky++, y++) {
        const int inside = y >= 0 && y < stage->height;

        rows[ky] = inside ? (tap_offset)(((uint32_t)y + shift) * stage->row_stride) : OUTSIDE;
    }
}
