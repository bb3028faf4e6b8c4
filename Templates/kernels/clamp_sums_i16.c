/*
 * Beyond least and most the requantized value does not change any more; within them, its arithmetic
 * stays within 32 bits. Both are sums that can occur.
 */
static void clamp_sums_i16(int16_t *sums, uint32_t count, int16_t least, int16_t most) {
    for (uint32_t i = 0; i < count; i++) {
        const int16_t sum = sums[i] < least ? least : sums[i];

        sums[i] = sum > most ? most : sum;
    }
}
