/* Four channels: neighbours are loaded and stored together. */
static INLINE void requantize_four(const int32_t *sums, const IN_FLASH int32_t *scale,
                                   unsigned shift, uint32_t *out) {
    const int32_t a = sums[0];
    const int32_t b = sums[1];
    const uint32_t first = codes_of(a, scale[0], scale[1], shift);
    const uint32_t second = codes_of(b, scale[2], scale[3], shift);
    const int32_t c = sums[2];
    const int32_t d = sums[3];
    const uint32_t third = codes_of(c, scale[4], scale[5], shift);
    const uint32_t fourth = codes_of(d, scale[6], scale[7], shift);

    out[0] = first;
    out[1] = second;
    out[2] = third;
    out[3] = fourth;
}

/*
 * Requantizes width positions of some channels, a multiple of eight of them. Positions of the
 * output are position words apart.
 */
static INLINE void requantize_hwc(const int32_t *sums, const IN_FLASH int32_t (*scales)[2],
                                  uint32_t channels, unsigned shift, uint32_t width,
                                  uint32_t position, uint32_t *out) {
    for (uint32_t x = 0; x < width; x++, out += position) {
        const IN_FLASH int32_t *scale = scales[0];
        uint32_t *to = out;

        for (const int32_t *const end = sums + channels; sums != end; sums += ROUND) {
            requantize_four(sums, scale, shift, to);
            if (ROUND > 4) {
                requantize_four(sums + 4, scale + 8, shift, to + 4);
            }
            scale += 2 * ROUND;
            to += ROUND;
        }
    }
}
