/*
 * Classifies a built-in sample and prints the result.
 *
 * On hardware, replace semihosting_write by the UART or the debug channel of the board, har_sample
 * by the sensor's frame, and the start-up files by the vendor's. What remains is har.h and har.c.
 */
#include "har.h"
#include "har_sample.h"
#include "semihosting.h"

/* All RAM that the network needs, besides the stack. */
static har_state state;

int main(void) {
    if (har_self_test(&state) != 0) {
        semihosting_write("self-test failed: flash or RAM is damaged\n");
        return 1;
    }

    int32_t output[HAR_OUTPUT_COUNT];
    har_run(&state, har_sample, output);

    const int class_index = har_argmax(output);
    semihosting_write("The network says ");
    semihosting_write(har_class_names[class_index]);
    semihosting_write(", the sample is ");
    semihosting_write(har_class_names[HAR_SAMPLE_CLASS]);
    semihosting_write("; logits");
    for (int i = 0; i < HAR_OUTPUT_COUNT; i++) {
        semihosting_write(" ");
        semihosting_write_int(output[i]);
    }
    semihosting_write("\n");
    return class_index == HAR_SAMPLE_CLASS ? 0 : 1;
}
