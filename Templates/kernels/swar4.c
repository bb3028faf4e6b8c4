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

static uint32_t start_even(uint32_t guards) {
    return guards;
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

static uint32_t start_even(uint32_t guards) {
    return guards + (guards << 8);
}

static uint32_t even_sum(uint32_t even, uint32_t odd) {
    return even - (odd << 8);
}
#endif
