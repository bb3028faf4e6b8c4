/*
 * Requantizes width positions of some channels, a multiple of four of them. Positions of the output
 * are pixel words apart.
 */
static INLINE void requantize_pixels(const int32_t *sums, const int32_t (*scales)[2],
                                     uint32_t channels, unsigned shift, uint32_t width,
                                     uint32_t pixel, uint32_t *out) {
    for (uint32_t x = 0; x < width; x++, out += pixel) {
        const int32_t *scale = scales[0];
        uint32_t *to = out;

        /* Neighbours are loaded and stored together. */
        for (const int32_t *const end = sums + channels; sums != end; scale += 8) {
            const int32_t a = *sums++;
            const int32_t b = *sums++;
            const uint32_t first = levels_of(a, scale[0], scale[1], shift);
            const uint32_t second = levels_of(b, scale[2], scale[3], shift);
            const int32_t c = *sums++;
            const int32_t d = *sums++;
            const uint32_t third = levels_of(c, scale[4], scale[5], shift);
            const uint32_t fourth = levels_of(d, scale[6], scale[7], shift);

            *to++ = first;
            *to++ = second;
            *to++ = third;
            *to++ = fourth;
        }
    }
}
