/* Max pools of rows, of accumulators and of single codes; sum_pool_row_u8. */
#include "testing.h"

#include "../../Templates/kernels/outside.c"

#include "../../Templates/kernels/keep_larger.c"
#include "../../Templates/kernels/max_pool_row_u8.c"
#include "../../Templates/kernels/max_pool_sums.c"
#include "../../Templates/kernels/sum_pool_block_u8.c"
#include "../../Templates/kernels/sum_pool_row_u8.c"

#define KERNEL 5
#define WIDTH 9
#define STRIDE 6
#define VALUES (KERNEL * ((WIDTH - 1) * STRIDE + KERNEL))

static const uint8_t picture[2][5] = {{1, 7, 3, 0, 255}, {4, 2, 9, 0, 254}};

static void test_max(void **unused) {
    const struct stage stage = {
        .out_width = 2, .kernel_height = 2, .kernel_width = 2, .stride_width = 2};
    const tap_offset both[2] = {0, 5};
    const tap_offset above[2] = {OUTSIDE, 0};
    const tap_offset nowhere[2] = {OUTSIDE, OUTSIDE};
    uint8_t out[3] = {99, 99, 99};

    (void)unused;
    max_pool_row_u8(&stage, picture[0], both, out);
    assert_int_equal(out[0], 7);
    assert_int_equal(out[1], 9);
    assert_int_equal(out[2], 99);
    max_pool_row_u8(&stage, picture[0], above, out);
    assert_int_equal(out[0], 7);
    assert_int_equal(out[1], 3);
    max_pool_row_u8(&stage, picture[0], nowhere, out);
    assert_int_equal(out[0], 0);
}

static void test_sum(void **unused) {
    const struct stage stage = {
        .out_width = 2, .kernel_height = 2, .kernel_width = 2, .stride_width = 3};
    const tap_offset both[2] = {0, 5};
    const tap_offset below[2] = {5, OUTSIDE};
    int32_t acc[3] = {-1, -1, -1};

    (void)unused;
    sum_pool_row_u8(&stage, picture[0], both, 100, acc);
    assert_int_equal(acc[0], 14);
    assert_int_equal(acc[1], 509);
    assert_int_equal(acc[2], -1);
    sum_pool_row_u8(&stage, picture[0], below, 100, acc);
    assert_int_equal(acc[0], 6 + 200);
    assert_int_equal(acc[1], 254 + 200);
}

static void test_random(void **unused) {
    static uint8_t values[VALUES];

    (void)unused;
    for (int round = 0; round < 4000; round++) {
        const uint32_t height = random_between(1, KERNEL);
        const uint32_t width = random_between(1, KERNEL);
        const uint32_t stride = random_between(1, STRIDE);
        const uint32_t out_width = random_between(1, WIDTH);
        const uint32_t row_width = (out_width - 1) * stride + width;
        const int32_t padding = (int32_t)random_below(256);
        const uint32_t codes = random_between(1, 256);
        const struct stage stage = {.out_width = (uint16_t)out_width,
                                    .kernel_height = (uint16_t)height,
                                    .kernel_width = (uint16_t)width,
                                    .row_stride = row_width,
                                    .stride_width = (uint16_t)stride};
        tap_offset rows[KERNEL];
        uint8_t out[WIDTH];
        int32_t acc[WIDTH];
        int32_t block[WIDTH];
        int is_block = 1;

        for (uint32_t ky = 0; ky < height; ky++) {
            rows[ky] = (tap_offset)((ky + (uint32_t)round) % height * row_width);
            if (random_below(5) == 0) {
                rows[ky] = OUTSIDE;
            }
            is_block = is_block && rows[ky] == ky * row_width;
        }
        for (uint32_t i = 0; i < height * row_width; i++) {
            values[i] = (uint8_t)random_below(codes);
        }
        max_pool_row_u8(&stage, values, rows, out);
        sum_pool_row_u8(&stage, values, rows, padding, acc);
        sum_pool_block_u8(&stage, values, block);
        for (uint32_t ox = 0; ox < out_width; ox++) {
            int32_t largest = 0;
            int32_t sum = 0;

            for (uint32_t i = 0; i < height * width; i++) {
                const tap_offset row = rows[i / width];
                const int32_t value = row == OUTSIDE ? -1 : values[row + ox * stride + i % width];

                largest = value > largest ? value : largest;
                sum += value < 0 ? padding : value;
            }
            assert_int_equal(out[ox], largest);
            assert_int_equal(acc[ox], sum);
            assert_true(!is_block || block[ox] == sum);
        }
    }
}

/* Rows folded one after another equal the maximum over each window. */
static void test_pool_accumulators(void **unused) {
    (void)unused;
    for (int round = 0; round < 2000; round++) {
        const uint32_t kernel_width = random_between(1, 4);
        const uint32_t rows = random_between(1, 4);
        const uint32_t width = random_between(1, 9);
        int32_t acc[4][40];
        int32_t pooled[9];

        for (uint32_t r = 0; r < rows; r++) {
            for (uint32_t x = 0; x < width * kernel_width; x++) {
                acc[r][x] = (int32_t)random_between(0, 2000) - 1000;
            }
            max_pool_sums(acc[r], kernel_width, r == 0, pooled, width);
        }
        for (uint32_t ox = 0; ox < width; ox++) {
            int32_t best = INT32_MIN;

            for (uint32_t r = 0; r < rows; r++) {
                for (uint32_t kx = 0; kx < kernel_width; kx++) {
                    const int32_t value = acc[r][ox * kernel_width + kx];

                    best = value > best ? value : best;
                }
            }
            assert_int_equal(pooled[ox], best);
        }
    }
}

/* Every code after every other; what stood there before the window's first row does not count. */
static void test_keep_larger(void **unused) {
    (void)unused;
    for (uint32_t code = 0; code < 256; code++) {
        for (uint32_t other = 0; other < 256; other++) {
            uint8_t best[3] = {0xA5, (uint8_t)other, 0xA5};

            keep_larger(&best[1], (uint8_t)code, 0);
            assert_int_equal(best[1], code);
            keep_larger(&best[1], (uint8_t)other, 1);
            assert_int_equal(best[1], code > other ? code : other);
            keep_larger(&best[1], 0, 2 + code);
            assert_int_equal(best[1], code > other ? code : other);
            assert_int_equal(best[0], 0xA5);
            assert_int_equal(best[2], 0xA5);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keep_larger), cmocka_unit_test(test_pool_accumulators),
        cmocka_unit_test(test_max),         cmocka_unit_test(test_sum),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests_name("pools", tests, NULL, NULL);
}
