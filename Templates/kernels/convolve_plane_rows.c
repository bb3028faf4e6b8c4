/*
 * A convolution of rows of words that are all there, the first one at in, to planes. Row by row of
 * an output channel, count words of two columns each.
 */
static void convolve_plane_rows(const IN_FLASH struct planes *m, const IN_FLASH struct stage *stage,
                                const uint32_t *in, tap_offset *window, tap_offset *offsets,
                                uint32_t *acc, uint8_t *out) {
    const IN_FLASH struct grid *const g = m->grid;
    const uint32_t count = stage->out_width;
    const IN_FLASH uint8_t *weights = m->weights;
    const IN_FLASH uint16_t *scale = m->scale;

    locate_taps(stage, g->taps / (stage->kernel_height * (uint32_t)stage->kernel_width), window);
    for (uint32_t oc = 0; oc < g->channels; oc++) {
        const struct tap_list taps = list_taps(weights, g->taps, window, offsets);
        const uint32_t *from = in;

        for (uint32_t oy = 0; oy < g->out_height; oy++) {
            convolve_row_swar2_strided(from, stage->stride_width, offsets, taps, m->guard * 65537U,
                                       acc, count);
            requantize_swar2(acc, scale, g->bits, acc, count);
            unpack_row_swar2(acc, count, g->out_width, out + oy * g->out_width);
            from += (uint32_t)stage->stride_height * stage->row_stride;
        }
        end_plane(g, out);
        out += g->out_bytes;
        weights += (g->taps + 3U) / 4;
        scale += 3;
    }
}
