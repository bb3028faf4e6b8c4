/*
 * Sums of a row of one output channel, two columns a word, for words that lie stride apart: three
 * at a time, which share each tap's offset, and then one. start guards both lanes so that they
 * never go below zero.
 */
static void convolve_row_swar2_strided(const uint32_t *values, uint32_t stride,
                                       const tap_offset *offsets, struct tap_list taps,
                                       uint32_t start, uint32_t *acc, uint32_t count) {
    for (; count >= 3; count -= 3, values += 3 * stride) {
        uint32_t a = start;
        uint32_t b = start;
        uint32_t c = start;

        for (const tap_offset *tap = taps.minus; tap != taps.minus_end; tap++) {
            const uint32_t *const value = words_at(values, *tap);

            a -= value[0];
            b -= value[stride];
            c -= value[2 * stride];
        }
        for (const tap_offset *tap = offsets; tap != taps.plus_end; tap++) {
            const uint32_t *const value = words_at(values, *tap);

            a += value[0];
            b += value[stride];
            c += value[2 * stride];
        }
        *acc++ = a;
        *acc++ = b;
        *acc++ = c;
    }
    for (; count > 0; count--, values += stride) {
        uint32_t a = start;

        for (const tap_offset *tap = taps.minus; tap != taps.minus_end; tap++) {
            a -= *words_at(values, *tap);
        }
        for (const tap_offset *tap = offsets; tap != taps.plus_end; tap++) {
            a += *words_at(values, *tap);
        }
        *acc++ = a;
    }
}
