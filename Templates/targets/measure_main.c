/*
 * Runs a model once for its stack and once for its instructions, on an emulated core. The model's
 * header is included on the command line, where its names are mapped to MODEL_*: by `verify` and by
 * Tests/bench/count_instructions.
 */
#include "semihosting.h"

#if MODEL_INPUT_SIGNED
typedef int8_t input_byte;
#else
typedef uint8_t input_byte;
#endif

static MODEL_STATE state;
static input_byte input[MODEL_INPUT_BYTES];
static int32_t output[MODEL_OUTPUT_COUNT];

int main(void) {
    if (MODEL_SELF_TEST(&state) != 0) {
        semihosting_write("the self-test fails\n");
        return 1;
    }

    /* Noise reaches all values: the usual generator modulo 2^32, its high bits. */
    uint32_t random = 1;
    for (size_t i = 0; i < sizeof input; i++) {
        random = random * 1664525u + 1013904223u;
        input[i] = (input_byte)(random >> 24);
    }

    /* The stack first: later the counter's interrupt would push its frame as well. */
    stack_paint();
    MODEL_RUN(&state, input, output);
    const uint32_t stack = stack_peak();

    counter_start();
    MODEL_RUN(&state, input, output);
    const uint64_t instructions = counter_instructions();

    semihosting_write_uint(instructions);
    semihosting_write(" ");
    semihosting_write_uint(MODEL_STATE_BYTES);
    semihosting_write(" ");
    semihosting_write_uint(stack);
    semihosting_write("\n");
    return 0;
}
