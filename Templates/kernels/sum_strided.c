/* The same for words that lie stride apart, one at a time. */
static void sum_strided(const uint32_t *values, uint32_t stride, const tap_offset *offsets,
                        struct tap_list taps, uint32_t start, uint32_t *acc, uint32_t count) {
    for (const uint32_t *const end = acc + count; acc != end; values += stride) {
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
