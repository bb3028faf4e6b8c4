/* Runs the emitted network over raw inputs: uint8 from stdin, int32 logits (native order) to
 * stdout, one input after the other until the end of stdin. Used by product.py. */
#include <stdint.h>
#include <stdio.h>

#include "har.h"

int main(void)
{
    static har_state state;
    static uint8_t input[HAR_INPUT_BYTES];
    int32_t output[HAR_OUTPUT_COUNT];
    size_t got;

    while ((got = fread(input, 1, sizeof input, stdin)) == sizeof input) {
        har_run(&state, input, output);
        if (fwrite(output, sizeof output, 1, stdout) != 1) {
            perror("driver: stdout");
            return 1;
        }
    }
    if (got != 0) {
        fprintf(stderr, "driver: the last input has %lu bytes, not %lu\n", (unsigned long)got,
                (unsigned long)sizeof input);
        return 1;
    }
    return 0;
}
