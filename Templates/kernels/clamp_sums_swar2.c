/*
 * Beyond least and most the requantized value of a lane does not change any more; within them, its
 * arithmetic stays within 32 bits.
 */
static void clamp_sums_swar2(uint32_t *acc, uint32_t count, uint32_t least, uint32_t most) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t low = acc[i] & 0xFFFFU;
        uint32_t high = acc[i] >> 16;

        low = low < least ? least : low;
        low = low > most ? most : low;
        high = high < least ? least : high;
        high = high > most ? most : high;
        acc[i] = high << 16 | low;
    }
}
