/* A stand-in for an emitted model: the same interface, three trivial layers. */
#ifndef STANDIN_H
#define STANDIN_H

#include <stddef.h>
#include <stdint.h>

#define STANDIN_INPUT_HEIGHT 4
#define STANDIN_INPUT_WIDTH 6
#define STANDIN_INPUT_CHANNELS 1
#define STANDIN_INPUT_BYTES 24
#define STANDIN_INPUT_SIGNED 0
#define STANDIN_OUTPUT_COUNT 3
#define STANDIN_STATE_BYTES 72

typedef union {
    uint32_t align;
    uint8_t bytes[STANDIN_STATE_BYTES];
} standin_state;

void standin_run(standin_state *state, const uint8_t input[STANDIN_INPUT_BYTES],
                 int32_t output[STANDIN_OUTPUT_COUNT]);
int standin_argmax(const int32_t output[STANDIN_OUTPUT_COUNT]);
int standin_self_test(standin_state *state);

#endif
