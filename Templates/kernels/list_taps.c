/*
 * Offsets of a window's values from its first one, in bytes and in the order of the packed weights:
 * [input channel][ky][kx]. They are the same wherever the window stands.
 */
static void locate_taps(const IN_FLASH struct stage *stage, uint32_t channels, tap_offset *window) {
    for (uint32_t ic = 0; ic < channels; ic++) {
        for (uint32_t ky = 0; ky < stage->kernel_height; ky++) {
            uint32_t offset = ky * stage->row_stride + ic * stage->channel_stride;

            for (uint32_t kx = 0; kx < stage->kernel_width; kx++, offset++) {
                *window++ = (tap_offset)(sizeof(uint32_t) * offset);
            }
        }
    }
}

static const uint32_t *words_at(const uint32_t *words, tap_offset offset) {
    return (const uint32_t *)(const void *)((const uint8_t *)words + offset);
}

/* The taps that an output channel adds, from the front of a list, and those that it subtracts. */
struct tap_list {
    const tap_offset *plus_end;
    const tap_offset *minus;
    const tap_offset *minus_end;
};

/*
 * Lists the offsets of the weights that are not zero, of one output channel: plus ones from the
 * front, minus ones from the back. offsets[] has room for all count of them.
 */
static struct tap_list list_taps(const IN_FLASH uint8_t *weights, uint32_t count,
                                 const tap_offset *window, tap_offset *offsets) {
    const tap_offset *const end = window + count;
    tap_offset *plus = offsets;
    tap_offset *minus = offsets + count;
    struct tap_list taps = {offsets, minus, minus};

    for (; window < end; window += 4) {
        const tap_offset *offset = window;

        for (uint32_t byte = *weights++; byte != 0; byte >>= 2, offset++) {
            if ((byte & 1U) != 0) {
                if ((byte & 2U) != 0) {
                    *--minus = *offset;
                } else {
                    *plus++ = *offset;
                }
            }
        }
    }
    taps.plus_end = plus;
    taps.minus = minus;
    return taps;
}
