/*
 * Beyond least and most the requantized value does not change any more; within them, its arithmetic
 * stays within 32 bits.
 */
static int32_t limit_accumulator(int32_t a, int32_t least, int32_t most) {
    a = a < least ? least : a;
    return a > most ? most : a;
}
