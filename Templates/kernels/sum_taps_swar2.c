/*
 * The sums of a row of one channel, two columns a word: taps are the places of the counts[0] words
 * that are added, then of the counts[1] that are subtracted. guard keeps both lanes from going
 * below zero. Four words at a time share each tap.
 */
static void sum_taps_swar2(const uint32_t *in, const IN_FLASH uint16_t *taps,
                           const IN_FLASH uint16_t counts[2], uint32_t words, uint32_t stride,
                           uint32_t guard, uint32_t *sums) {
    const IN_FLASH uint16_t *const minus = taps + counts[0];
    const IN_FLASH uint16_t *const end = minus + counts[1];
    const uint32_t first = guard << 16 | guard;

    if (stride == 1) {
        for (; words >= 4; words -= 4, in += 4) {
            uint32_t a = first;
            uint32_t b = first;
            uint32_t c = first;
            uint32_t d = first;

            for (const IN_FLASH uint16_t *tap = taps; tap != minus; tap++) {
                const uint32_t *const at = in + *tap;

                a += at[0];
                b += at[1];
                c += at[2];
                d += at[3];
            }
            for (const IN_FLASH uint16_t *tap = minus; tap != end; tap++) {
                const uint32_t *const at = in + *tap;

                a -= at[0];
                b -= at[1];
                c -= at[2];
                d -= at[3];
            }
            *sums++ = a;
            *sums++ = b;
            *sums++ = c;
            *sums++ = d;
        }
    }
    for (; words > 0; words--, in += stride) {
        uint32_t sum = first;

        for (const IN_FLASH uint16_t *tap = taps; tap != minus; tap++) {
            sum += in[*tap];
        }
        for (const IN_FLASH uint16_t *tap = minus; tap != end; tap++) {
            sum -= in[*tap];
        }
        *sums++ = sum;
    }
}
