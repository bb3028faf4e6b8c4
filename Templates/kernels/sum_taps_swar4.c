/*
 * The sums of a row of one channel, four columns a word: taps are the places of the counts[0] words
 * that are added, then of the counts[1] that are subtracted. So many words make twice as many sums,
 * those of the even bytes first. Four words at a time share each tap. What is subtracted is summed
 * up first and is at most guard in any lane, so that guard less that sum does not borrow from the
 * lane beside.
 */
static void sum_taps_swar4(const uint32_t *in, const IN_FLASH uint16_t *taps,
                           const IN_FLASH uint16_t counts[2], uint32_t words, uint32_t guard,
                           uint32_t *sums) {
    const IN_FLASH uint16_t *const minus = taps + counts[0];
    const IN_FLASH uint16_t *const end = minus + counts[1];
    const uint32_t odd = guard << 16 | guard;
    const uint32_t even = start_even(odd);
    uint32_t left = words;

    for (; left >= 4; left -= 4, in += 4, sums += 4) {
        uint32_t a = 0, b = 0, c = 0, d = 0;
        uint32_t e = 0, f = 0, g = 0, h = 0;

        for (const IN_FLASH uint16_t *tap = minus; tap != end; tap++) {
            const uint32_t *const at = in + *tap;

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
        for (const IN_FLASH uint16_t *tap = taps; tap != minus; tap++) {
            const uint32_t *const at = in + *tap;

            a = add_even(a, at[0]);
            e = add_odd(e, at[0]);
            b = add_even(b, at[1]);
            f = add_odd(f, at[1]);
            c = add_even(c, at[2]);
            g = add_odd(g, at[2]);
            d = add_even(d, at[3]);
            h = add_odd(h, at[3]);
        }
        sums[0] = even_sum(a, e);
        sums[1] = even_sum(b, f);
        sums[2] = even_sum(c, g);
        sums[3] = even_sum(d, h);
        sums[words] = e;
        sums[words + 1] = f;
        sums[words + 2] = g;
        sums[words + 3] = h;
    }
    for (; left > 0; left--, in++, sums++) {
        uint32_t a = 0;
        uint32_t e = 0;

        for (const IN_FLASH uint16_t *tap = minus; tap != end; tap++) {
            a = add_even(a, in[*tap]);
            e = add_odd(e, in[*tap]);
        }
        a = even - a;
        e = odd - e;
        for (const IN_FLASH uint16_t *tap = taps; tap != minus; tap++) {
            a = add_even(a, in[*tap]);
            e = add_odd(e, in[*tap]);
        }
        sums[0] = even_sum(a, e);
        sums[words] = e;
    }
}
