#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__) && defined(CODE_BITS)
#include <arm_acle.h>
#endif

/* (sum * m + b) >> shift, clamped to what some bits hold: most is the largest before the shift. */
static uint32_t code_of(uint32_t sum, uint32_t m, uint32_t b, unsigned shift, uint32_t most) {
    const uint32_t scaled = sum * m + b;

#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__) && defined(CODE_BITS)
    (void)most;
    return (uint32_t)__usat((int32_t)scaled >> shift, CODE_BITS);
#else
    return (scaled <= most ? scaled : scaled > INT32_MAX ? 0 : most) >> shift;
#endif
}

/*
 * Words of four codes from those under the taps of one output channel. Four words at a time share
 * each tap: count is rounded up to a multiple of four. What is subtracted is summed up first and is
 * at most guard in any lane, so that guard less that sum does not borrow from the lane beside.
 * scale is the multiplier's low half and the two halves of the bias, the low one first. The bias's
 * lowest five bits are the shift, its sixth is the multiplier's seventeenth: there they change no
 * code.
 */
static NO_INLINE void make_swar4(const uint32_t *values, const tap_offset *offsets,
                                 struct tap_list taps, uint32_t guard,
                                 const IN_FLASH uint16_t scale[3], unsigned bits, uint32_t *swar4,
                                 uint32_t count) {
    const uint32_t bias = scale[1] | (uint32_t)scale[2] << 16;
    const uint32_t m = scale[0] | (bias & 32U) << 11;
    const unsigned shift = bias & 31U;
    const uint32_t most = (UINT32_C(1) << (shift + bits)) - 1U;
    const uint32_t odd = guard << 16 | guard;
    const uint32_t even = start_even(odd);

    for (const uint32_t *const stop = swar4 + count; swar4 < stop; values += 4) {
        uint32_t a = 0, b = 0, c = 0, d = 0;
        uint32_t e = 0, f = 0, g = 0, h = 0;
        uint32_t sums[8];

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
        sums[0] = even_sum(a, e);
        sums[1] = e;
        sums[2] = even_sum(b, f);
        sums[3] = f;
        sums[4] = even_sum(c, g);
        sums[5] = g;
        sums[6] = even_sum(d, h);
        sums[7] = h;
        for (const uint32_t *sum = sums; sum != sums + 8; sum += 2) {
            uint32_t quad = code_of(sum[1] >> 16, m, bias, shift, most) << 8;

            quad = (quad | code_of(sum[0] >> 16, m, bias, shift, most)) << 16;
            quad |= code_of(sum[1] & 0xFFFFU, m, bias, shift, most) << 8;
            *swar4++ = quad | code_of(sum[0] & 0xFFFFU, m, bias, shift, most);
        }
    }
}
