/*
 * One row of one channel of a max pool. Codes are never negative, so the halo's zeros and the rows
 * of padding never win.
 */
static void max_pool_row_u8(const IN_FLASH struct stage *stage, const uint8_t *values,
                            const tap_offset *rows, uint8_t *out) {
    for (uint32_t ox = 0; ox < stage->out_width; ox++, values += stage->stride_width) {
        uint32_t best = 0;

        for (uint32_t ky = 0; ky < stage->kernel_height; ky++) {
            if (rows[ky] == OUTSIDE) {
                continue;
            }
            for (uint32_t kx = 0; kx < stage->kernel_width; kx++) {
                const uint32_t value = values[rows[ky] + kx];

                if (value > best) {
                    best = value;
                }
            }
        }
        out[ox] = (uint8_t)best;
    }
}
