/*
 * Beyond least and most the requantized value does not change any more; within them, its arithmetic
 * stays within 32 bits.
 */
static void clamp_sums_i32(int32_t *acc, uint32_t count, int32_t least, int32_t most) {
    for (uint32_t i = 0; i < count; i++) {
        const int32_t a = acc[i] < least ? least : acc[i];

        acc[i] = a > most ? most : a;
    }
}
