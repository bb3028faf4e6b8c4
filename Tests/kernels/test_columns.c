/* Kernels of rows of columns: bytes that move up, sums of 16 bits that are clamped. */
#include "testing.h"

#include "../../Templates/kernels/plain_loop.c"

#include "../../Templates/kernels/slide_bytes.c"

#include "../../Templates/kernels/clamp_sums_i16.c"

#define BYTES 120

static void test_slides(void **unused) {
    (void)unused;
    for (int round = 0; round < 20000; round++) {
        const uint32_t kept = random_below(BYTES / 2 + 1);
        const uint32_t step = random_below(BYTES / 2 + 1);
        uint8_t buffer[BYTES];
        uint8_t before[BYTES];

        for (uint32_t i = 0; i < BYTES; i++) {
            buffer[i] = before[i] = (uint8_t)random_below(256);
        }
        slide_bytes(buffer, kept, step);
        assert_memory_equal(buffer, before + step, kept);
        assert_memory_equal(buffer + kept, before + kept, BYTES - kept);
    }
}

static void test_limits(void **unused) {
    (void)unused;
    for (int round = 0; round < 5000; round++) {
        const uint32_t count = random_below(20);
        const int16_t least = (int16_t)((int32_t)random_below(65536) - 32768);
        const int16_t most = (int16_t)(least + (int32_t)random_below((uint32_t)(32768 - least)));
        int16_t sums[20];
        int16_t before[20];

        for (uint32_t i = 0; i < 20; i++) {
            sums[i] = before[i] = (int16_t)((int32_t)random_below(65536) - 32768);
        }
        clamp_sums_i16(sums, count, least, most);
        for (uint32_t i = 0; i < 20; i++) {
            const int16_t expected = before[i] < least  ? least
                                     : before[i] > most ? most
                                                        : before[i];

            assert_int_equal(sums[i], i < count ? expected : before[i]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slides),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests_name("columns", tests, NULL, NULL);
}
