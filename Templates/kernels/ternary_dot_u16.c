/* Scalar product of count packed ternary weights and as many values. */
static int32_t ternary_dot_u16(const IN_FLASH uint8_t *weights, const uint16_t *values,
                               uint32_t count) {
    int32_t acc = 0;
    uint32_t byte = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (i % 4 == 0) {
            byte = *weights++;
        }
        if ((byte & 1U) != 0) {
            acc += (byte & 2U) != 0 ? -(int32_t)values[i] : (int32_t)values[i];
        }
        byte >>= 2;
    }
    return acc;
}
