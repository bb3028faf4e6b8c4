/*
 * Sums of words of four levels under the taps of one output channel, those of bytes 0 and 2 of each
 * in evens, of 1 and 3 in odds, a lane each. words is a multiple of four: so many share each tap.
 * What is subtracted is summed up first and is at most lift, so that lift less that sum does not
 * borrow from the lane beside. The values may be where the even sums go: taps lie ahead.
 */
static void sum_quads(const uint32_t *values, const tap_offset *offsets, struct tap_list taps,
                      uint32_t lift, uint32_t *evens, uint32_t *odds, uint32_t words) {
    const uint32_t odd = lift << 16 | lift;
    const uint32_t even = start_even(odd);

    for (const uint32_t *const stop = odds + words; odds != stop; values += 4) {
        uint32_t a = 0, b = 0, c = 0, d = 0;
        uint32_t e = 0, f = 0, g = 0, h = 0;

        for (const tap_offset *tap = taps.minus; tap != taps.minus_end; tap++) {
            const uint32_t *const at = words_at(values, *tap);

            a = add_even(a, at[0]);
            e = add_odd(e, at[0]);
            b = add_even(b, at[1]);
            f = add_odd(f, at[1]);
            c = add_even(c, at[2]);
            g = add_odd(g, at[2]);
            d = add_even(d, at[3]);
            h = add_odd(h, at[3]);
        }
        a = even - a;
        b = even - b;
        c = even - c;
        d = even - d;
        e = odd - e;
        f = odd - f;
        g = odd - g;
        h = odd - h;
        for (const tap_offset *tap = offsets; tap != taps.plus_end; tap++) {
            const uint32_t *const at = words_at(values, *tap);

            a = add_even(a, at[0]);
            e = add_odd(e, at[0]);
            b = add_even(b, at[1]);
            f = add_odd(f, at[1]);
            c = add_even(c, at[2]);
            g = add_odd(g, at[2]);
            d = add_even(d, at[3]);
            h = add_odd(h, at[3]);
        }
        *evens++ = even_sum(a, e);
        *evens++ = even_sum(b, f);
        *evens++ = even_sum(c, g);
        *evens++ = even_sum(d, h);
        *odds++ = e;
        *odds++ = f;
        *odds++ = g;
        *odds++ = h;
    }
}
