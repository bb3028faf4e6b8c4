/*
 * One row of one output channel: acc[ox] = sum of the taps' values under the window at ox. Every
 * partial sum lies within the accumulator range stated at the layer. Four columns share each tap's
 * offset.
 */
static void convolve_row_u16(const IN_FLASH struct stage *stage, const uint16_t *values,
                             const tap_offset *offsets, struct taps taps, int32_t *acc) {
    uint32_t left = stage->out_width;

    if (stage->stride_width == 1) {
        for (; left >= 4; left -= 4, values += 4) {
            int32_t a0 = taps.start;
            int32_t a1 = a0;
            int32_t a2 = a0;
            int32_t a3 = a0;

            for (const tap_offset *tap = offsets; tap != taps.plus_end; tap++) {
                const uint16_t *const value = values + *tap;

                a0 += value[0];
                a1 += value[1];
                a2 += value[2];
                a3 += value[3];
            }
            for (const tap_offset *tap = taps.minus_begin; tap != taps.minus_end; tap++) {
                const uint16_t *const value = values + *tap;

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
        int32_t a = taps.start;

        for (const tap_offset *tap = offsets; tap != taps.plus_end; tap++) {
            a += values[*tap];
        }
        for (const tap_offset *tap = taps.minus_begin; tap != taps.minus_end; tap++) {
            a -= values[*tap];
        }
        *acc++ = a;
    }
}
