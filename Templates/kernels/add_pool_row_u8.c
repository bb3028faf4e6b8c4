/* Adds a row of one channel to the sums of an average pool's windows, which do not exceed 65535. */
static void add_pool_row_u8(const IN_FLASH struct stage *stage, const uint8_t *values, int is_first,
                            uint16_t *sums) {
    for (uint32_t ox = 0; ox < stage->out_width; ox++, values += stage->stride_width) {
        uint32_t sum = is_first ? 0 : sums[ox];

        for (uint32_t kx = 0; kx < stage->kernel_width; kx++) {
            sum += values[kx];
        }
        sums[ox] = (uint16_t)sum;
    }
}
