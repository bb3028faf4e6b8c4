/*
 * Runs an emitted model on recorded inputs and compares every row of every layer with the values
 * that the reference interpreter computed. The same code runs on the host and on emulated boards.
 *
 * It is compiled together with a generated file that includes the model's .c after defining its
 * probe as verify_probe, and that defines `verify_model` and `verify_expected` below with
 * exact-size buffers, so that the address sanitizer sees an overrun by a single byte.
 *
 * The vectors file, all numbers little-endian:
 *   header    8 bytes "STERNAV1"; then uint32_t samples, input_bytes, expected_bytes, output_count
 *   sample    input                                input_bytes
 *             for each layer in order, its values  [channel][row][column], element_bytes each, as
 *                                                  the model stores them (without level_offset)
 *             outputs                              output_count times int32_t
 */
#ifndef VERIFY_HARNESS_H
#define VERIFY_HARNESS_H

#include <stddef.h>
#include <stdint.h>

struct verify_layer {
    const char *name;
    uint32_t channels;
    uint32_t height;
    uint32_t width;
    uint32_t element_bytes; /* 1: uint8_t, 2: uint16_t, 4: int32_t */
    int32_t level_offset;   /* the true integer is the stored one plus this */
};

/* Lie before and behind the model's state and must stay as they are. */
#define VERIFY_GUARD_BYTES 64u

struct verify_model {
    const struct verify_layer *layers;
    uint32_t layer_count;
    uint32_t input_bytes;
    uint32_t expected_bytes; /* of all layers and the outputs together */
    uint32_t output_count;
    uint32_t state_bytes;

    uint8_t *input;     /* input_bytes */
    uint8_t *row_count; /* as many as the layers have rows together */
    int32_t *output;    /* output_count */
    uint8_t *guarded; /* VERIFY_GUARD_BYTES, the state, VERIFY_GUARD_BYTES; aligned for uint32_t */

    void (*run)(void *state, const uint8_t *input, int32_t *output);
};

extern const struct verify_model verify_model;

/*
 * expected_bytes of it, where VERIFY_VECTORS_IN_FLASH does not say that the file itself lies in
 * memory, and that there is no room for a copy. By this name the linker scripts put it where a
 * board has megabytes.
 */
extern uint8_t verify_expected[];

/*
 * The model has produced output row `row` of layer `layer`. `values` points to column 0 of channel
 * 0; columns are contiguous, channels lie `channel_stride` elements apart. Where `distance` is not
 * 0, elements are words of several columns, that far apart, of `bits` each.
 */
void verify_probe(uint32_t layer, uint32_t row, const void *values, uint32_t channel_stride,
                  uint32_t distance, uint32_t bits);

#endif
