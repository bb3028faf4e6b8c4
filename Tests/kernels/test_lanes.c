/* Kernels of words of two lanes: two columns a word against one at a time. */
#include "testing.h"

#include "../../Templates/kernels/plain_loop.c"

/* In the order in which emitted C has them: the sums take what list_taps makes. */
#include "../../Templates/kernels/list_taps.c"

#include "../../Templates/kernels/convolve_row_swar2_x8.c"

#include "../../Templates/kernels/convolve_row_swar2_x4.c"

#include "../../Templates/kernels/convolve_row_swar2_strided.c"
#include "../../Templates/kernels/convolve_row_swar2_x3.c"

#include "../../Templates/kernels/add_row_swar2.c"

#include "../../Templates/kernels/load_swar2.c"
#include "../../Templates/kernels/pack_row_swar2.c"

#include "../../Templates/kernels/max_swar2.c"

#include "../../Templates/kernels/max_pool_row_swar2.c"

#include "../../Templates/kernels/max_pool_swar2.c"
#define max_pool_swar2 max_pool_swar2_2x2
#include "../../Templates/kernels/max_pool_swar2_2x2.c"
#undef max_pool_swar2

#include "../../Templates/kernels/move_rows.c"
#include "../../Templates/kernels/requantize_swar2.c"
#include "../../Templates/kernels/unpack_row_swar2.c"

#define CHANNELS 3
#define ROWS 2
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
        pack_row_swar2(row, width, left, distance, padding, words, count);
        for (uint32_t j = 0; j < count; j++) {
            assert_int_equal(words[j] & 0xFFFFU, column(row, width, left, padding, j));
            assert_int_equal(words[j] >> 16, column(row, width, left, padding, j + distance));
        }
    }
}

/* The words that pack_row_swar2 makes of a row whose halo lies beside it. */
static void test_columns(void **unused) {
    uint8_t row[2 * WIDTH + 3];
    uint32_t words[WIDTH];

    (void)unused;
    for (int round = 0; round < 1000; round++) {
        const uint32_t distance = random_between(1, WIDTH);

        for (uint32_t x = 0; x < 2 * WIDTH + 3; x++) {
            row[x] = (uint8_t)random_below(256);
        }
        pack_row_swar2(row, 2 * WIDTH, 0, distance, 0, words, WIDTH);
        for (uint32_t x = 0; x < WIDTH; x++) {
            assert_int_equal(load_swar2(row + x, distance), words[x]);
        }
    }
}

/* A convolution over several rows and channels, of every width, stride and padding. */
static void test_sums(void **unused) {
    (void)unused;
    for (int round = 0; round < 5000; round++) {
        const uint32_t kernel = random_between(1, KERNEL);
        const uint32_t stride = random_between(1, 3);
        const uint32_t half = random_between(1, 24 / stride);
        const uint32_t width = random_between(1, WIDTH);
        const uint32_t left = random_below(kernel);
        const uint32_t padding = random_below(256);
        const uint32_t stored = (half - 1) * stride + kernel;
        const uint32_t taps_count = CHANNELS * ROWS * kernel;
        const struct stage stage = {.row_stride = CHANNELS * stored,
                                    .channel_stride = (uint16_t)stored,
                                    .kernel_height = ROWS,
                                    .kernel_width = (uint16_t)kernel};
        static uint8_t rows[ROWS][CHANNELS][WIDTH];
        static uint32_t words[ROWS * CHANNELS * (24 + KERNEL)];
        int weights[CHANNELS * ROWS * KERNEL];
        uint8_t packed[(CHANNELS * ROWS * KERNEL + 3) / 4];
        tap_offset window[CHANNELS * ROWS * KERNEL];
        tap_offset offsets[CHANNELS * ROWS * KERNEL];
        uint32_t acc[4][24] = {{0}};
        int32_t guard = 0;

        random_weights(weights, packed, taps_count);
        for (uint32_t i = 0; i < taps_count; i++) {
            guard += weights[i] < 0 ? 255 : 0;
        }
        for (uint32_t y = 0; y < ROWS; y++) {
            for (uint32_t c = 0; c < CHANNELS; c++) {
                for (uint32_t x = 0; x < width; x++) {
                    rows[y][c][x] = (uint8_t)random_below(256);
                }
                pack_row_swar2(rows[y][c], width, left, half * stride, padding,
                               words + (y * CHANNELS + c) * stored, stored);
            }
        }
        locate_taps(&stage, CHANNELS, window);
        const struct tap_list taps = list_taps(packed, taps_count, window, offsets);
        const uint32_t start = (uint32_t)guard * 65537U;

        convolve_row_swar2_strided(words, stride, offsets, taps, start, acc[0], half);
        if (stride == 1) {
            convolve_row_swar2_x8(words, offsets, taps, start, acc[1], half / 8 * 8);
            convolve_row_swar2_x4(words, offsets, taps, start, acc[2], half / 4 * 4);
            convolve_row_swar2_x3(words, offsets, taps, start, acc[3], half / 3 * 3);
        }
        for (uint32_t ox = 0; ox < 2 * half; ox++) {
            const uint32_t word = acc[0][ox % half];
            int32_t expected = guard;
            uint32_t i = 0;

            for (uint32_t c = 0; c < CHANNELS; c++) {
                for (uint32_t y = 0; y < ROWS; y++) {
                    for (uint32_t k = 0; k < kernel; k++) {
                        expected += weights[i++] * (int32_t)column(rows[y][c], width, left, padding,
                                                                   ox * stride + k);
                    }
                }
            }
            assert_int_equal(ox < half ? word & 0xFFFFU : word >> 16, expected);
        }
        for (uint32_t i = 0; stride == 1 && i < half; i++) {
            assert_true(i >= half / 8 * 8 || acc[1][i] == acc[0][i]);
            assert_true(i >= half / 4 * 4 || acc[2][i] == acc[0][i]);
            assert_true(i >= half / 3 * 3 || acc[3][i] == acc[0][i]);
        }
    }
}

/* Lists end within a byte, are empty, or hold one sign only. */
static void test_lists(void **unused) {
    const tap_offset window[9] = {0, 4, 8, 40, 44, 48, 80, 84, 88};
    const uint8_t weights[3] = {0x34, 0x04, 0x03}; /* 0+-00+00- */
    const uint8_t none[3] = {0, 0, 0};
    tap_offset offsets[9];
    struct tap_list taps;

    (void)unused;
    taps = list_taps(weights, 9, window, offsets);
    assert_int_equal(taps.plus_end - offsets, 2);
    assert_int_equal(offsets[0], 4);
    assert_int_equal(offsets[1], 48);
    assert_int_equal(taps.minus_end - taps.minus, 2);
    assert_int_equal(taps.minus[0], 88);
    assert_int_equal(taps.minus[1], 8);
    taps = list_taps(none, 9, window, offsets);
    assert_ptr_equal(taps.plus_end, offsets);
    assert_ptr_equal(taps.minus, taps.minus_end);
}

static void test_requantized(void **unused) {
    (void)unused;
    for (int round = 0; round < 20000; round++) {
        const uint32_t shift = random_below(23);
        const uint32_t bits = random_between(1, 8);
        const uint32_t multiplier = random_below(1U << 17) >> random_below(16);
        /* Within 32 bits for every lane. */
        const int32_t near = (int32_t)(random_below(1U << 30)) - (1 << 29);
        const int32_t bias = (int32_t)(((uint32_t)near & ~63U) | shift | (multiplier >> 16) << 5);
        const int64_t room = (INT64_C(1) << 31) - 1 - bias;
        const uint32_t most =
            multiplier == 0 || room / multiplier > 0xFFFF ? 0xFFFF : (uint32_t)(room / multiplier);
        const uint32_t word = random_below(most + 1) | random_below(most + 1) << 16;
        const uint16_t scale[3] = {(uint16_t)(multiplier & 0xFFFFU),
                                   (uint16_t)((uint32_t)bias & 0xFFFFU),
                                   (uint16_t)((uint32_t)bias >> 16)};
        uint32_t code;

        requantize_swar2(&word, scale, bits, &code, 1);
        for (uint32_t lane = 0; lane < 2; lane++) {
            const int64_t a = lane == 0 ? word & 0xFFFFU : word >> 16;
            int64_t expected = a * multiplier + bias;

            expected = expected < 0 ? 0 : expected >> shift;
            expected = expected >= INT64_C(1) << bits ? (INT64_C(1) << bits) - 1 : expected;
            assert_int_equal(lane == 0 ? code & 0xFFFFU : code >> 16, expected);
        }
    }
}

static void test_split(void **unused) {
    const uint32_t words[2] = {0x00030001U, 0x00040002U};
    uint8_t row[4] = {9, 9, 9, 9};

    (void)unused;
    unpack_row_swar2(words, 2, 3, row);
    assert_memory_equal(row, ((const uint8_t[4]){1, 2, 3, 9}), 4);
    unpack_row_swar2(words, 2, 4, row);
    assert_memory_equal(row, ((const uint8_t[4]){1, 2, 3, 4}), 4);
}

/* Parts whose sums fill a lane from end to end, columns far beyond it. */
static void test_parts(void **unused) {
    const uint32_t words[2] = {0xFFFF0000U, 0x7F80FFFFU};
    int32_t sums[5] = {7, 7, 7, 7, 7};

    (void)unused;
    add_row_swar2(words, 2, 32640, 1, sums);
    assert_memory_equal(sums, ((const int32_t[5]){-32640, 32895, 32895, 0, 7}), sizeof sums);
    for (int part = 0; part < 3; part++) {
        add_row_swar2(words, 2, 32640, 0, sums);
    }
    assert_memory_equal(sums, ((const int32_t[5]){-130560, 131580, 131580, 0, 7}), sizeof sums);
}

static void test_move(void **unused) {
    uint32_t buffer[7] = {1, 2, 3, 4, 5, 6, 7};

    (void)unused;
    move_rows(buffer, 4, 3);
    assert_memory_equal(buffer, ((const uint32_t[7]){4, 5, 6, 7, 5, 6, 7}), sizeof buffer);
    move_rows(buffer, 0, 7);
    assert_int_equal(buffer[0], 4);
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

        assert_int_equal(max_swar2(a, b), low | high << 16);
    }
}

static void test_pool(void **unused) {
    const uint32_t first[4] = {0x00010007U, 0x00050002U, 0x00000000U, 0x7FFF0001U};
    const uint32_t second[4] = {0x00030003U, 0x00040009U, 0x00010001U, 0x00020002U};
    uint32_t pooled[2];

    (void)unused;
    max_pool_row_swar2(first, 2, 1, pooled, 2);
    assert_int_equal(pooled[0], 0x00050007U);
    assert_int_equal(pooled[1], 0x7FFF0001U);
    max_pool_row_swar2(second, 2, 0, pooled, 2);
    assert_int_equal(pooled[0], 0x00050009U);
    assert_int_equal(pooled[1], 0x7FFF0002U);
}

/* In place, against the maxima of each window. */
static void test_pool_in_place(void **unused) {
    (void)unused;
    for (int round = 0; round < 2000; round++) {
        const uint32_t height = random_between(1, 3);
        const uint32_t width = random_between(1, 3);
        const uint32_t count = random_between(1, 6);
        const struct stage stage = {.out_width = (uint16_t)(count * width),
                                    .pool_height = (uint16_t)height,
                                    .pool_width = (uint16_t)width};
        uint32_t acc[3 * 18];
        uint32_t again[3 * 18];
        uint32_t expected[6] = {0};

        for (uint32_t i = 0; i < height * width * count; i++) {
            acc[i] = random_below(0x8000) | random_below(0x8000) << 16;
            expected[i % (width * count) / width] =
                max_swar2(acc[i], expected[i % (width * count) / width]);
        }
        memcpy(again, acc, sizeof acc);
        max_pool_swar2(&stage, acc);
        assert_memory_equal(acc, expected, count * sizeof acc[0]);
        if (height == 2 && width == 2) {
            max_pool_swar2_2x2(&stage, again);
            assert_memory_equal(again, expected, count * sizeof acc[0]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),         cmocka_unit_test(test_columns),
        cmocka_unit_test(test_sums),          cmocka_unit_test(test_maximum),
        cmocka_unit_test(test_pool),          cmocka_unit_test(test_lists),
        cmocka_unit_test(test_pool_in_place), cmocka_unit_test(test_requantized),
        cmocka_unit_test(test_split),         cmocka_unit_test(test_parts),
        cmocka_unit_test(test_move),
    };

    return cmocka_run_group_tests_name("lanes", tests, NULL, NULL);
}
