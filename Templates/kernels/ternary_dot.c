/*
 * Scalar product of count packed ternary weights and as many values. Two bits less two, the upper
 * one flipped, are the weight.
 */
static int32_t ternary_dot(const IN_FLASH uint8_t *weights, const uint8_t *values, uint32_t count) {
    int32_t acc = 0;
    uint32_t byte = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (i % 4 == 0) {
            byte = *weights++;
        }
        acc += values[i] * ((int32_t)((byte & 3U) ^ 2U) - 2);
        byte >>= 2;
    }
    return acc;
}
