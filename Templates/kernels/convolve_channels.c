/* Row y of a map, or else where y lies beyond its height. */
static uint8_t *row_or(uint8_t *map, uint32_t y, uint32_t height, uint32_t width, uint8_t *other) {
    return y < height ? map + y * width : other;
}

/*
 * A depthwise convolution of stride 1. Each input map is spread into words of four rows, quarter of
 * them apart, so that a tap is the same distance from every output: the words under an output row
 * and those of the next one are a single run, with some sums between the rows that nobody needs.
 * The padding before a row is that behind the row above, too.
 *
 * words[] has room for spread words, for sums words behind them, and for two rows of bytes: one of
 * padding, and one for the rows behind the last that the four bytes of a word add up to.
 */
static void convolve_channels(const struct maps *m, uint8_t *in, tap_offset *window,
                              tap_offset *offsets, uint32_t *words, uint8_t *out) {
    const uint32_t quarter = m->quarter;
    const uint32_t width = m->width;
    const uint32_t out_width = m->out_width;
    const uint32_t first = 0U - m->top; /* wraps above the map, beyond its height */
    const uint32_t last = first + quarter + m->kernel_height - 1U;
    const uint32_t padding = m->padding * 0x01010101U;
    uint32_t *const quads = words + m->spread;
    uint8_t *const blank = (uint8_t *)(quads + m->sums);
    const uint8_t *weights = m->weights;
    tap_offset *place = window;

    for (uint32_t x = 0; x < width; x++) {
        blank[x] = (uint8_t)padding;
    }
    for (uint32_t i = 0; i < m->spread; i++) {
        words[i] = padding;
    }
    for (uint32_t ky = 0; ky < m->kernel_height; ky++) {
        for (uint32_t kx = 0; kx < m->kernel_width; kx++) {
            *place++ = (tap_offset)(sizeof(uint32_t) * (m->skip + ky * m->pitch + kx));
        }
    }
    for (uint32_t oc = 0; oc < m->channels; oc++) {
        const struct tap_list taps = list_taps(weights, m->taps, window, offsets);
        uint32_t *to = words;
        uint32_t *row = quads;

        for (uint32_t y = first; y != last; y++) {
            const uint8_t *const a = row_or(in, y, m->height, width, blank);
            const uint8_t *const b = row_or(in, y + quarter, m->height, width, blank);
            const uint8_t *const c = row_or(in, y + 2 * quarter, m->height, width, blank);
            const uint8_t *const d = row_or(in, y + 3 * quarter, m->height, width, blank);

            /* The sums of the channel before lie here, in the halo too. */
            for (uint32_t x = 0; x < m->halo; x++) {
                *to++ = padding;
            }
            for (uint32_t x = 0; x < width; x++) {
                *to++ = a[x] | (uint32_t)b[x] << 8 | (uint32_t)c[x] << 16 | (uint32_t)d[x] << 24;
            }
        }
        for (uint32_t x = 0; x < m->halo; x++) {
            *to++ = padding;
        }
        sum_quads(words, offsets, taps, m->lift, words, quads, m->sums);
        for (uint32_t y = 0; y < quarter; y++, row += m->pitch) {
            uint8_t *const a = out + y * out_width;
            uint8_t *const b = row_or(out, y + quarter, m->out_height, out_width, blank + width);
            uint8_t *const c =
                row_or(out, y + 2 * quarter, m->out_height, out_width, blank + width);
            uint8_t *const d =
                row_or(out, y + 3 * quarter, m->out_height, out_width, blank + width);

            requantize_quads(words + y * m->pitch, row, m->multiplier[oc], m->bias[oc], m->bits,
                             row, out_width);
            for (uint32_t x = 0; x < out_width; x++) {
                const uint32_t quad = row[x];

                a[x] = (uint8_t)quad;
                b[x] = (uint8_t)(quad >> 8);
                c[x] = (uint8_t)(quad >> 16);
                d[x] = (uint8_t)(quad >> 24);
            }
        }
        in += m->in_bytes;
        out += m->out_bytes;
        weights += (m->taps + 3U) / 4;
    }
}
