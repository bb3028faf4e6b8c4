/* The even bytes of a word of four columns, and the odd ones: two words of two lanes. */
#define EVEN(word) ((word)&0x00FF00FFU)
#define ODD(word) ((word) >> 8 & 0x00FF00FFU)

/*
 * As sum_taps, of rows of words of four columns: words of them make twice as many sums, those of
 * the even bytes first. Four words at a time share each tap.
 */
static void sum_quad_taps(const uint32_t *in, const uint16_t *taps, const uint16_t counts[2],
                          uint32_t words, uint32_t lift, uint32_t *sums) {
    const uint16_t *const minus = taps + counts[0];
    const uint16_t *const end = minus + counts[1];
    const uint32_t first = lift << 16 | lift;
    uint32_t left = words;

    for (; left >= 4; left -= 4, in += 4, sums += 4) {
        uint32_t a = first, b = first, c = first, d = first;
        uint32_t e = first, f = first, g = first, h = first;

        for (const uint16_t *tap = taps; tap != minus; tap++) {
            const uint32_t *const at = in + *tap;

            a += EVEN(at[0]);
            e += ODD(at[0]);
            b += EVEN(at[1]);
            f += ODD(at[1]);
            c += EVEN(at[2]);
            g += ODD(at[2]);
            d += EVEN(at[3]);
            h += ODD(at[3]);
        }
        for (const uint16_t *tap = minus; tap != end; tap++) {
            const uint32_t *const at = in + *tap;

            a -= EVEN(at[0]);
            e -= ODD(at[0]);
            b -= EVEN(at[1]);
            f -= ODD(at[1]);
            c -= EVEN(at[2]);
            g -= ODD(at[2]);
            d -= EVEN(at[3]);
            h -= ODD(at[3]);
        }
        sums[0] = a;
        sums[1] = b;
        sums[2] = c;
        sums[3] = d;
        sums[words] = e;
        sums[words + 1] = f;
        sums[words + 2] = g;
        sums[words + 3] = h;
    }
    for (; left > 0; left--, in++, sums++) {
        uint32_t even = first;
        uint32_t odd = first;

        for (const uint16_t *tap = taps; tap != minus; tap++) {
            even += EVEN(in[*tap]);
            odd += ODD(in[*tap]);
        }
        for (const uint16_t *tap = minus; tap != end; tap++) {
            even -= EVEN(in[*tap]);
            odd -= ODD(in[*tap]);
        }
        sums[0] = even;
        sums[words] = odd;
    }
}
