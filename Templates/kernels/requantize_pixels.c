/*
 * Requantizes width positions of some channels, a multiple of four of them. Positions of the output
 * are pixel words apart.
 */
static INLINE void requantize_pixels(const int32_t *sums, const int32_t (*scales)[2],
                                     uint32_t channels, unsigned shift, uint32_t width,
                                     uint32_t pixel, uint32_t *out) {
    for (uint32_t x = 0; x < width; x++, out += pixel) {
        const int32_t(*scale)[2] = scales;
        uint32_t *to = out;

        /* Neighbours are loaded and stored together. */
        for (const int32_t *const end = sums + channels; sums != end; sums += 4) {
            const int32_t a = sums[0];
            const int32_t b = sums[1];
            const int32_t c = sums[2];
            const int32_t d = sums[3];
            const uint32_t first = levels_of(a, scale[0][0], scale[0][1], shift);
            const uint32_t second = levels_of(b, scale[1][0], scale[1][1], shift);

            to[0] = first;
            to[1] = second;
            to[2] = levels_of(c, scale[2][0], scale[2][1], shift);
            to[3] = levels_of(d, scale[3][0], scale[3][1], shift);
            scale += 4;
            to += 4;
        }
    }
}
