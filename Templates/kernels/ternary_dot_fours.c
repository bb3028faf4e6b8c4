/*
 * Scalar product of count packed ternary weights and as many values, a multiple of four of them.
 * Two bits less two, the upper one flipped, are the weight: their sign extension.
 */
static int32_t ternary_dot(const IN_FLASH uint8_t *weights, const uint8_t *values, uint32_t count) {
    int32_t acc = 0;

    for (const uint8_t *const end = values + count; values != end; values += 4) {
        const uint32_t byte = *weights++;

        acc += values[0] * ((int32_t)((byte & 3U) ^ 2U) - 2);
        acc += values[1] * ((int32_t)((byte >> 2 & 3U) ^ 2U) - 2);
        acc += values[2] * ((int32_t)((byte >> 4 & 3U) ^ 2U) - 2);
        acc += values[3] * ((int32_t)((byte >> 6) ^ 2U) - 2);
    }
    return acc;
}
