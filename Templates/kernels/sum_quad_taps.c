/*
 * Sums of words of four columns. Such a word is even + 256 * odd, where even holds its bytes 0 and
 * 2 and odd its bytes 1 and 3, a lane of 16 bits each. Cores with SIMD add either of them in one
 * instruction. Others add whole words where even is to be added, and odd: in the end 256 times the
 * sum of odd is taken off. All is modulo 2^32, so that is exact as soon as no lane of the sum is
 * beyond 16 bits.
 */
#if defined(__ARM_FEATURE_SIMD32) && defined(__GNUC__)
static uint32_t add_even(uint32_t sum, uint32_t word) {
    __asm__("uxtab16 %0, %0, %1" : "+r"(sum) : "r"(word));
    return sum;
}

static uint32_t add_odd(uint32_t sum, uint32_t word) {
    __asm__("uxtab16 %0, %0, %1, ror #8" : "+r"(sum) : "r"(word));
    return sum;
}

static uint32_t start_even(uint32_t lifts) {
    return lifts;
}

static uint32_t even_sum(uint32_t even, uint32_t odd) {
    (void)odd;
    return even;
}
#else
static uint32_t add_even(uint32_t sum, uint32_t word) {
    return sum + word;
}

static uint32_t add_odd(uint32_t sum, uint32_t word) {
    return sum + (word >> 8 & 0x00FF00FFU);
}

static uint32_t start_even(uint32_t lifts) {
    return lifts + (lifts << 8);
}

static uint32_t even_sum(uint32_t even, uint32_t odd) {
    return even - (odd << 8);
}
#endif

/*
 * As sum_taps, of rows of words of four columns: words of them make twice as many sums, those of
 * the even bytes first. Four words at a time share each tap. What is subtracted is summed up first
 * and is at most lift in any lane, so that lift less that sum does not borrow from the lane beside.
 */
static void sum_quad_taps(const uint32_t *in, const uint16_t *taps, const uint16_t counts[2],
                          uint32_t words, uint32_t lift, uint32_t *sums) {
    const uint16_t *const minus = taps + counts[0];
    const uint16_t *const end = minus + counts[1];
    const uint32_t odd = lift << 16 | lift;
    const uint32_t even = start_even(odd);
    uint32_t left = words;

    for (; left >= 4; left -= 4, in += 4, sums += 4) {
        uint32_t a = 0, b = 0, c = 0, d = 0;
        uint32_t e = 0, f = 0, g = 0, h = 0;

        for (const uint16_t *tap = minus; tap != end; tap++) {
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
        for (const uint16_t *tap = taps; tap != minus; tap++) {
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

        for (const uint16_t *tap = minus; tap != end; tap++) {
            a = add_even(a, in[*tap]);
            e = add_odd(e, in[*tap]);
        }
        a = even - a;
        e = odd - e;
        for (const uint16_t *tap = taps; tap != minus; tap++) {
            a = add_even(a, in[*tap]);
            e = add_odd(e, in[*tap]);
        }
        sums[0] = even_sum(a, e);
        sums[words] = e;
    }
}
