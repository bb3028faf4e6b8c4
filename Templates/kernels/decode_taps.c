/* Offsets of the values that an output channel adds, and behind them of those that it subtracts. */
struct taps {
    const tap_offset *plus_end;
    const tap_offset *minus_begin;
    const tap_offset *minus_end;
    int32_t start; /* what the padding above and below contributes */
};

/*
 * Decodes the packed weights of one output channel, in the order [input channel][ky][kx], into
 * offsets from the window's first column. offsets[] has room for every weight: plus ones fill it
 * from the front, minus ones from the back. A weight over a row of padding becomes a constant.
 */
static struct taps decode_taps(const IN_FLASH struct stage *stage, const IN_FLASH uint8_t *weights,
                               uint32_t channels, const tap_offset *rows, int32_t padding,
                               tap_offset *offsets) {
    const uint32_t count = (uint32_t)channels * stage->kernel_height * stage->kernel_width;
    tap_offset *plus = offsets;
    tap_offset *minus = offsets + count;
    struct taps taps = {offsets, minus, minus, 0};
    uint32_t channel = 0;
    uint32_t left = 0; /* weights left in the byte */
    uint32_t byte = 0;

    for (uint32_t ic = 0; ic < channels; ic++) {
        for (uint32_t ky = 0; ky < stage->kernel_height; ky++) {
            const tap_offset row = rows[ky];
            uint32_t offset = row + channel;

            for (uint32_t kx = 0; kx < stage->kernel_width; kx++, offset++) {
                if (left == 0) {
                    byte = *weights++;
                    left = 4;
                }
                if ((byte & 1U) != 0) {
                    const int is_minus = (byte & 2U) != 0;

                    if (row == OUTSIDE) {
                        taps.start += is_minus ? -padding : padding;
                    } else if (is_minus) {
                        *--minus = (tap_offset)offset;
                    } else {
                        *plus++ = (tap_offset)offset;
                    }
                }
                byte >>= 2;
                left--;
            }
        }
        channel += stage->channel_stride;
    }
    taps.plus_end = plus;
    taps.minus_begin = minus;
    return taps;
}
