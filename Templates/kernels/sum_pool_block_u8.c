/* One row of one channel of an average pool whose window's rows follow one another: exact sums. */
static void sum_pool_block_u8(const IN_FLASH struct stage *stage, const uint8_t *values,
                              int32_t *acc) {
    for (uint32_t ox = 0; ox < stage->out_width; ox++, values += stage->stride_width) {
        const uint8_t *row = values;
        int32_t sum = 0;

        for (uint32_t ky = 0; ky < stage->kernel_height; ky++, row += stage->row_stride) {
            for (uint32_t kx = 0; kx < stage->kernel_width; kx++) {
                sum += row[kx];
            }
        }
        acc[ox] = sum;
    }
}
