/*
 * As accumulate_row, two columns at a time: a word is hi * 65536 + lo, and sums of words are sums
 * of both lanes as long as no lane leaves 0...65535. start lifts both lanes so that the weights of
 * -1 never take them below zero.
 */
static void accumulate_lanes(const struct stage *stage, const uint32_t *values,
                             const tap_offset *offsets, struct taps taps, int32_t start,
                             uint32_t *acc) {
    const uint32_t first = (uint32_t)(start + taps.start) * 65537U;
    uint32_t left = stage->out_width;

    if (stage->stride_width == 1) {
        for (; left >= 4; left -= 4, values += 4) {
            uint32_t a0 = first;
            uint32_t a1 = first;
            uint32_t a2 = first;
            uint32_t a3 = first;

            for (const tap_offset *tap = offsets; tap != taps.plus_end; tap++) {
                const uint32_t *const value = values + *tap;

                a0 += value[0];
                a1 += value[1];
                a2 += value[2];
                a3 += value[3];
            }
            for (const tap_offset *tap = taps.minus_begin; tap != taps.minus_end; tap++) {
                const uint32_t *const value = values + *tap;

                a0 -= value[0];
                a1 -= value[1];
                a2 -= value[2];
                a3 -= value[3];
            }
            *acc++ = a0;
            *acc++ = a1;
            *acc++ = a2;
            *acc++ = a3;
        }
    }
    for (; left > 0; left--, values += stage->stride_width) {
        uint32_t a = first;

        for (const tap_offset *tap = offsets; tap != taps.plus_end; tap++) {
            a += values[*tap];
        }
        for (const tap_offset *tap = taps.minus_begin; tap != taps.minus_end; tap++) {
            a -= values[*tap];
        }
        *acc++ = a;
    }
}
