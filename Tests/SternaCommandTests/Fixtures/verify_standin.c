/* What `sterna verify` generates for a model, written by hand for the stand-in. */
#include "verify_harness.h"

#define STANDIN_PROBE(layer, row, values, channel_stride, distance, bits)                          \
    verify_probe((layer), (row), (values), (channel_stride), (distance), (bits))
#include "standin.c"

#define LAYER_COUNT 3
#define ROW_COUNT 7
#define EXPECTED_BYTES (48 + 24 + 12 + 4 * STANDIN_OUTPUT_COUNT)

static const struct verify_layer layers[LAYER_COUNT] = {
    {"split", 2, 4, 6, 1, -3},
    {"pair", 1, 2, 6, 2, 0},
    {"dense", 3, 1, 1, 4, 0},
};

static struct {
    uint8_t before[VERIFY_GUARD_BYTES];
    standin_state state;
    uint8_t behind[VERIFY_GUARD_BYTES];
} guarded;

#if !defined(VERIFY_VECTORS_IN_FLASH)
uint8_t verify_expected[EXPECTED_BYTES];
#endif
static uint8_t input[STANDIN_INPUT_BYTES];
static uint8_t row_count[ROW_COUNT];
static int32_t output[STANDIN_OUTPUT_COUNT];

static void run(void *state, const uint8_t *from, int32_t *to) {
    standin_run(state, from, to);
}

const struct verify_model verify_model = {
    .layers = layers,
    .layer_count = LAYER_COUNT,
    .input_bytes = sizeof input,
    .expected_bytes = EXPECTED_BYTES,
    .output_count = STANDIN_OUTPUT_COUNT,
    .state_bytes = sizeof(standin_state),
    .input = input,
    .row_count = row_count,
    .output = output,
    .guarded = (uint8_t *)&guarded,
    .run = run,
};
