/* One row of one channel of an average pool: the exact sums of its windows, padding counted with
 * its own code. */
static void sum_pool_row_u8(const IN_FLASH struct stage *stage, const uint8_t *values,
                            const tap_offset *rows, int32_t padding, int32_t *acc) {
    for (uint32_t ox = 0; ox < stage->out_width; ox++, values += stage->stride_width) {
        int32_t sum = 0;

        for (uint32_t ky = 0; ky < stage->kernel_height; ky++) {
            for (uint32_t kx = 0; kx < stage->kernel_width; kx++) {
                sum += rows[ky] == OUTSIDE ? padding : values[rows[ky] + kx];
            }
        }
        acc[ox] = sum;
    }
}
