/* Row y of a map, or else where y lies beyond its height. */
static const uint8_t *row_or(const uint8_t *map, uint32_t y, uint32_t height, uint32_t width,
                             const uint8_t *other) {
    return y < height ? map + y * width : other;
}

/*
 * A map as words of four rows, a quarter of the output's height apart, so that a tap is the same
 * distance from every output: the words under an output row and those of the next one are a single
 * run. The padding before a row is that behind the row above, too, and stays as it is.
 */
static NO_INLINE void spread_plane(const IN_FLASH struct grid *g, const uint8_t *map, uint32_t *to,
                                   const uint8_t *blank) {
    const uint32_t quarter = g->quarter;
    const uint32_t height = g->height;
    const uint32_t width = g->width;
    const uint32_t first = UINT32_C(0) - g->top; /* wraps above the map, beyond its height */
    const uint32_t last = first + g->rows;

    for (uint32_t y = first; y != last; y++) {
        const uint8_t *const a = row_or(map, y, height, width, blank);
        const uint8_t *const b = row_or(map, y + quarter, height, width, blank);
        const uint8_t *const c = row_or(map, y + 2 * quarter, height, width, blank);
        const uint8_t *const d = row_or(map, y + 3 * quarter, height, width, blank);

        to += g->pitch - width;
        for (uint32_t x = 0; x < width; x++) {
            *to++ = a[x] | (uint32_t)b[x] << 8 | (uint32_t)c[x] << 16 | (uint32_t)d[x] << 24;
        }
    }
}

/*
 * Words of four rows back to a map. The rows that four quarters have too many go behind it, where
 * the next channel's map is still to be made, or room has been left.
 */
static NO_INLINE void unpack_plane(const IN_FLASH struct grid *g, const uint32_t *row,
                                   uint8_t *map) {
    const uint32_t width = g->out_width;
    const uint32_t quarter = g->quarter * width;

    for (const uint8_t *const end = map + quarter; map != end; row += g->pitch - width) {
        for (const uint8_t *const stop = map + width; map != stop; map++) {
            const uint32_t quad = *row++;

            map[0] = (uint8_t)quad;
            map[quarter] = (uint8_t)(quad >> 8);
            map[2 * quarter] = (uint8_t)(quad >> 16);
            map[3 * quarter] = (uint8_t)(quad >> 24);
        }
    }
}

/*
 * A pointwise convolution, where an output channel's map is a sum of input planes, word by word; or
 * a depthwise one of stride 1, whose input planes are spread first. words[] has room then for
 * spread words and swar4 behind them, a multiple of four.
 */
static NO_INLINE void convolve_planes(const IN_FLASH struct planes *m, const uint8_t *in,
                                      tap_offset *window, tap_offset *offsets, uint32_t *words,
                                      uint8_t *out) {
    const IN_FLASH struct grid *const g = m->grid;
    const IN_FLASH uint8_t *weights = m->weights;
    const IN_FLASH uint16_t *scale = m->scale;
    uint32_t *const codes = words + g->spread;
    tap_offset *place = window;

    for (uint32_t *word = words; word != codes; word++) {
        *word = m->padding * 0x01010101U;
        PLAIN_LOOP;
    }
    for (uint32_t y = 0; y < g->tap_rows; y++) {
        for (uint32_t x = 0; x < g->tap_columns; x++) {
            *place++ = (tap_offset)(g->tap_first + y * g->tap_step + sizeof(uint32_t) * x);
        }
    }
    for (uint32_t oc = 0; oc < g->channels; oc++) {
        const struct tap_list taps = list_taps(weights, g->taps, window, offsets);
        const uint32_t *values = (const uint32_t *)(const void *)in;
        uint32_t *swar4 = (uint32_t *)(void *)out;

        if (g->spread > 0) {
            spread_plane(g, in, words, (const uint8_t *)codes - g->width);
            in += g->in_bytes;
            values = words;
            swar4 = codes;
        }
        make_swar4(values, offsets, taps, m->guard, scale, g->bits, swar4, g->swar4);
        if (g->spread > 0) {
            unpack_plane(g, swar4, out);
        }
        end_plane(g, out);
        out += g->out_bytes;
        weights += (g->taps + 3U) / 4;
        scale += 3;
    }
}
