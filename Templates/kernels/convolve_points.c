/*
 * A pointwise convolution: an output channel's map is a sum of input maps, word by word. sums[] has
 * room for those of a map, two for each of its words.
 */
static void convolve_points(const struct maps *m, const uint8_t *in, tap_offset *window,
                            tap_offset *offsets, uint32_t *sums, uint8_t *out) {
    const uint32_t words = m->in_bytes / 4U;
    const uint8_t *weights = m->weights;

    for (uint32_t ic = 0; ic < m->taps; ic++) {
        window[ic] = (tap_offset)(ic * m->in_bytes);
    }
    for (uint32_t oc = 0; oc < m->channels; oc++) {
        const struct tap_list taps = list_taps(weights, m->taps, window, offsets);

        sum_quads((const uint32_t *)(const void *)in, offsets, taps, m->lift, sums, sums + words,
                  words);
        requantize_quads(sums, sums + words, m->multiplier[oc], m->bias[oc], m->bits,
                         (uint32_t *)(void *)out, words);
        out += m->in_bytes;
        weights += (m->taps + 3U) / 4;
    }
}
