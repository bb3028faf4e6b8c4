/*
 * Sums of a row of one output channel, two columns at a time: a word is hi * 65536 + lo, and sums
 * of words are sums of both lanes as long as no lane leaves 0...65535. start guards both lanes so
 * that they never go below zero. Three words share each tap's offset; count is a multiple of them.
 */
static void convolve_row_swar2_x3(const uint32_t *values, const tap_offset *offsets,
                                  struct tap_list taps, uint32_t start, uint32_t *acc,
                                  uint32_t count) {
    for (const uint32_t *const end = acc + count; acc != end; acc += 3) {
        const tap_offset *tap = taps.minus;
        const tap_offset *stop = taps.minus_end;
        uint32_t from = 0;
        uint32_t a0 = 0;
        uint32_t a1 = 0;
        uint32_t a2 = 0;

        /* What is subtracted is summed up first, then the sums turn round. */
        for (uint32_t half = 0; half < 2; half++) {
            a0 = from - a0;
            a1 = from - a1;
            a2 = from - a2;
            for (; tap != stop; tap++) {
                const uint32_t *const value = words_at(values, *tap);

                a0 += value[0];
                a1 += value[1];
                a2 += value[2];
            }
            tap = offsets;
            stop = taps.plus_end;
            from = start;
        }
        acc[0] = a0;
        acc[1] = a1;
        acc[2] = a2;
        values += 3;
    }
}
