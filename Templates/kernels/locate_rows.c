/* Offsets of the kernel_height input rows under row oy of the layer, OUTSIDE for those in the
 * padding. */
static void locate_rows(const IN_FLASH struct stage *stage, uint32_t oy, tap_offset *rows) {
    int32_t y = (int32_t)(oy * stage->stride_height) - stage->top;

    for (uint32_t ky = 0; ky < stage->kernel_height; ky++, y++) {
        const int inside = y >= 0 && y < stage->height;

        rows[ky] = inside ? (tap_offset)row_offset(stage, (uint32_t)y) : OUTSIDE;
    }
}
