/*
 * split   2 x 4 x 6, uint8_t, offset -3   x / 2 and 255 - x
 * pair    1 x 2 x 6, uint16_t             both channels of two rows added
 * dense   3 x 1 x 1, int32_t              the two rows' sums, and their negative difference
 *
 * STANDIN_FAULT plants a mistake for the harness to find.
 */
#include "standin.h"

#include <string.h>

#ifndef STANDIN_PROBE
#define STANDIN_PROBE(layer, row, values, channel_stride, distance, bits)
#endif

#ifndef STANDIN_FAULT
#define STANDIN_FAULT 0 /* 1: a wrong value, 2: a row missing, 3: state overrun, 4: unaligned */
#endif

void standin_run(standin_state *state, const uint8_t input[STANDIN_INPUT_BYTES],
                 int32_t output[STANDIN_OUTPUT_COUNT]) {
    uint8_t *const split = state->bytes;
    for (size_t y = 0; y < 4; y++) {
        for (size_t x = 0; x < 6; x++) {
            const uint8_t value = input[6 * y + x];
            split[6 * y + x] = (uint8_t)(value / 2u);
            split[24 + 6 * y + x] = (uint8_t)(255u - value);
        }
        if (STANDIN_FAULT == 1 && y == 2) {
            split[24 + 6 * y + 5] ^= 1u;
        }
        if (STANDIN_FAULT != 2 || y != 3) {
            STANDIN_PROBE(0, (uint32_t)y, &split[6 * y], 24, 0, 0);
        }
    }
    if (STANDIN_FAULT == 3) {
        /* Volatile, or the compiler sees the mistake before the harness does. */
        uint8_t *volatile past = state->bytes + STANDIN_STATE_BYTES;
        *past = 0;
    }

    output[0] = 0;
    output[1] = 0;
    for (size_t y = 0; y < 2; y++) {
        uint16_t pair[6];
        for (size_t x = 0; x < 6; x++) {
            const uint8_t *const above = &split[12 * y + x];
            pair[x] = (uint16_t)(above[0] + above[6] + above[24] + above[30]); /* <= 764 */
            output[y] += pair[x];
        }
        STANDIN_PROBE(1, (uint32_t)y, pair, 6, 0, 0);
        memcpy(&state->bytes[48 + 12 * y], pair, sizeof pair);
    }
    output[2] = output[1] - output[0];
    STANDIN_PROBE(2, 0, output, 1, 0, 0);
    if (STANDIN_FAULT == 4) {
        *(volatile uint32_t *)((uintptr_t)state | 1u) = 0;
    }
}

int standin_argmax(const int32_t output[STANDIN_OUTPUT_COUNT]) {
    int best = 0;
    for (int i = 1; i < STANDIN_OUTPUT_COUNT; i++) {
        if (output[i] > output[best]) {
            best = i;
        }
    }
    return best;
}

int standin_self_test(standin_state *state) {
    static const uint8_t zeros[STANDIN_INPUT_BYTES];
    int32_t output[STANDIN_OUTPUT_COUNT];
    standin_run(state, zeros, output);
    return output[0] == 12 * 255 && output[2] == 0 ? 0 : 1;
}
