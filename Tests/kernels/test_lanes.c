/* pair_row, accumulate_lanes and pool_lanes: two columns a word against one at a time. */
#include "testing.h"

#include "../../Templates/kernels/decode_taps.c"

#include "../../Templates/kernels/max_lanes.c"

#include "../../Templates/kernels/accumulate_lanes.c"
#include "../../Templates/kernels/pair_row.c"
#include "../../Templates/kernels/pool_lanes.c"

#define KERNEL 7
#define WIDTH 40

/* Column p of the padded row. */
static uint32_t column(const uint8_t *row, uint32_t width, uint32_t left, uint32_t padding,
                       uint32_t p) {
    return p >= left && p - left < width ? row[p - left] : padding;
}

static void test_pairs(void **unused) {
    (void)unused;
    for (int round = 0; round < 5000; round++) {
        const uint32_t width = random_between(1, WIDTH);
        const uint32_t left = random_below(4);
        const uint32_t distance = random_between(1, WIDTH);
        const uint32_t padding = random_below(256);
        const uint32_t count = random_between(1, WIDTH);
        uint8_t row[WIDTH];
        uint32_t words[WIDTH];

        for (uint32_t x = 0; x < width; x++) {
            row[x] = (uint8_t)random_below(256);
        }
        pair_row(row, width, left, distance, padding, words, count);
        for (uint32_t j = 0; j < count; j++) {
            assert_int_equal(words[j] & 0xFFFFU, column(row, width, left, padding, j));
            assert_int_equal(words[j] >> 16, column(row, width, left, padding, j + distance));
        }
    }
}

/* A one-row convolution of every width, stride and padding, lanes against columns. */
static void test_sums(void **unused) {
    (void)unused;
    for (int round = 0; round < 5000; round++) {
        const uint32_t kernel = random_between(1, KERNEL);
        const uint32_t stride = random_between(1, 3);
        const uint32_t half = random_between(1, 9);
        const uint32_t width = random_between(1, WIDTH);
        const uint32_t left = random_below(kernel);
        const uint32_t padding = random_below(256);
        const uint32_t count = (half - 1) * stride + kernel;
        const struct stage stage = {.out_width = (uint16_t)half,
                                    .channel_stride = (uint16_t)count,
                                    .kernel_height = 1,
                                    .kernel_width = (uint16_t)kernel,
                                    .stride_width = (uint16_t)stride};
        const tap_offset rows[1] = {0};
        int weights[KERNEL];
        uint8_t packed[2] = {0, 0};
        uint8_t row[WIDTH];
        uint32_t words[8 * 3 + KERNEL];
        tap_offset offsets[KERNEL];
        uint32_t acc[9];
        int32_t start = 0;

        for (uint32_t x = 0; x < width; x++) {
            row[x] = (uint8_t)random_below(256);
        }
        for (uint32_t k = 0; k < kernel; k++) {
            weights[k] = (int)random_below(3) - 1;
            packed[k / 4] =
                (uint8_t)(packed[k / 4] | (((unsigned)weights[k] & 3U) << (2 * (k % 4))));
            start += weights[k] < 0 ? 255 : 0;
        }
        pair_row(row, width, left, half * stride, padding, words, count);
        accumulate_lanes(&stage, words, offsets, decode_taps(&stage, packed, 1, rows, 0, offsets),
                         start, acc);
        for (uint32_t ox = 0; ox < 2 * half; ox++) {
            const uint32_t lane = ox < half ? acc[ox] & 0xFFFFU : acc[ox - half] >> 16;
            int32_t expected = start;

            for (uint32_t k = 0; k < kernel; k++) {
                expected +=
                    weights[k] * (int32_t)column(row, width, left, padding, ox * stride + k);
            }
            assert_int_equal(lane, expected);
        }
    }
}

static void test_maximum(void **unused) {
    static const uint32_t edges[] = {0, 1, 254, 255, 256, 0x3FFF, 0x7FFE, 0x7FFF};
    const uint32_t count = sizeof edges / sizeof edges[0];

    (void)unused;
    for (uint32_t i = 0; i < count * count * count * count; i++) {
        const uint32_t a = edges[i % count] | edges[i / count % count] << 16;
        const uint32_t b = edges[i / count / count % count] | edges[i / count / count / count]
                                                                  << 16;
        const uint32_t low = (a & 0xFFFFU) > (b & 0xFFFFU) ? a & 0xFFFFU : b & 0xFFFFU;
        const uint32_t high = a >> 16 > b >> 16 ? a >> 16 : b >> 16;

        assert_int_equal(max_lanes(a, b), low | high << 16);
    }
}

static void test_pool(void **unused) {
    const uint32_t first[4] = {0x00010007U, 0x00050002U, 0x00000000U, 0x7FFF0001U};
    const uint32_t second[4] = {0x00030003U, 0x00040009U, 0x00010001U, 0x00020002U};
    uint32_t pooled[2];

    (void)unused;
    pool_lanes(first, 2, 1, pooled, 2);
    assert_int_equal(pooled[0], 0x00050007U);
    assert_int_equal(pooled[1], 0x7FFF0001U);
    pool_lanes(second, 2, 0, pooled, 2);
    assert_int_equal(pooled[0], 0x00050009U);
    assert_int_equal(pooled[1], 0x7FFF0002U);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_maximum),
        cmocka_unit_test(test_pool),
    };

    return cmocka_run_group_tests_name("lanes", tests, NULL, NULL);
}
