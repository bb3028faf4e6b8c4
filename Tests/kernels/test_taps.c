/* decode_taps and convolve_row_u8: a row of a convolution. */
#include "testing.h"

/* In the order in which emitted C has them: convolve_row_u8 takes what decode_taps makes. */
#include "../../Templates/kernels/outside.c"

#include "../../Templates/kernels/decode_taps.c"

#include "../../Templates/kernels/convolve_row_u8.c"

#include "../../Templates/kernels/convolve_row_u16.c"

#define CHANNELS 5
#define KERNEL 7
#define WIDTH 9
#define STRIDE 3
#define TAPS (CHANNELS * KERNEL * KERNEL)
#define ROW ((WIDTH - 1) * STRIDE + KERNEL)
#define VALUES (CHANNELS * KERNEL * ROW)

static void assert_taps(const tap_offset *offsets, struct taps taps, const tap_offset *plus,
                        uint32_t plus_count, const tap_offset *minus, uint32_t minus_count) {
    assert_int_equal(taps.plus_end - offsets, plus_count);
    assert_int_equal(taps.minus_end - taps.minus_begin, minus_count);
    for (uint32_t i = 0; i < plus_count; i++) {
        assert_int_equal(offsets[i], plus[i]);
    }
    /* The last minus one stands first. */
    for (uint32_t i = 0; i < minus_count; i++) {
        assert_int_equal(taps.minus_end[-1 - (int)i], minus[i]);
    }
}

/* +0 over -+ for the first input channel, 00 over -- for the second: an example of WEIGHTS.md. */
static const uint8_t example[2] = {0x71, 0xf0};
static const struct stage two_by_two = {
    .channel_stride = 100, .kernel_height = 2, .kernel_width = 2, .stride_width = 1};

static void test_decode(void **unused) {
    const tap_offset rows[2] = {10, 20};
    const tap_offset plus[2] = {10, 21};
    const tap_offset minus[3] = {20, 120, 121};
    tap_offset offsets[8];

    (void)unused;
    assert_taps(offsets, decode_taps(&two_by_two, example, 1, rows, 9, offsets), plus, 2, minus, 1);
    assert_taps(offsets, decode_taps(&two_by_two, example, 2, rows, 9, offsets), plus, 2, minus, 3);
    assert_int_equal(decode_taps(&two_by_two, example, 2, rows, 9, offsets).start, 0);
}

static void test_decode_padding(void **unused) {
    const tap_offset above[2] = {OUTSIDE, 20};
    const tap_offset below[2] = {10, OUTSIDE};
    const tap_offset nowhere[2] = {OUTSIDE, OUTSIDE};
    const tap_offset plus[2] = {10, 21};
    const tap_offset minus[3] = {20, 120, 121};
    tap_offset offsets[8];
    struct taps taps;

    (void)unused;
    taps = decode_taps(&two_by_two, example, 2, above, 9, offsets);
    assert_taps(offsets, taps, plus + 1, 1, minus, 3);
    assert_int_equal(taps.start, 9);
    taps = decode_taps(&two_by_two, example, 2, below, 9, offsets);
    assert_taps(offsets, taps, plus, 1, minus, 0);
    assert_int_equal(taps.start, 9 - 9 - 9 - 9);
    taps = decode_taps(&two_by_two, example, 2, nowhere, 200, offsets);
    assert_taps(offsets, taps, plus, 0, minus, 0);
    assert_int_equal(taps.start, -200);
    taps = decode_taps(&two_by_two, example, 2, nowhere, 0, offsets);
    assert_int_equal(taps.start, 0);
}

/* A list that ends within a byte: the unused bits are nobody's weights. */
static void test_decode_tail(void **unused) {
    const struct stage stage = {.channel_stride = 10, .kernel_height = 1, .kernel_width = 5};
    const uint8_t weights[2] = {0x53, 0x03}; /* -0++- */
    const tap_offset rows[1] = {1};
    const tap_offset plus[2] = {3, 4};
    const tap_offset minus[2] = {1, 5};
    tap_offset offsets[5];

    (void)unused;
    assert_taps(offsets, decode_taps(&stage, weights, 1, rows, 0, offsets), plus, 2, minus, 2);
}

/* + - over 1 2 3 4 5 ... is -1 everywhere, whatever part of a group of four a row is. */
static void test_accumulate_widths(void **unused) {
    const uint8_t weights[1] = {0x0d};
    const tap_offset rows[1] = {0};
    uint8_t values[WIDTH + 1];
    uint16_t values16[WIDTH + 1];
    tap_offset offsets[2];

    (void)unused;
    for (uint32_t i = 0; i <= WIDTH; i++) {
        values[i] = (uint8_t)(i + 1);
        values16[i] = (uint16_t)(1000 * i);
    }
    for (uint16_t width = 1; width <= WIDTH; width++) {
        const struct stage stage = {
            .out_width = width, .kernel_height = 1, .kernel_width = 2, .stride_width = 1};
        const struct taps taps = decode_taps(&stage, weights, 1, rows, 0, offsets);
        int32_t acc[WIDTH + 1];

        memset(acc, 0x55, sizeof acc);
        convolve_row_u8(&stage, values, offsets, taps, acc);
        for (uint32_t x = 0; x < width; x++) {
            assert_int_equal(acc[x], -1);
        }
        assert_int_equal(acc[width], 0x55555555);
        convolve_row_u16(&stage, values16, offsets, taps, acc);
        for (uint32_t x = 0; x < width; x++) {
            assert_int_equal(acc[x], -1000);
        }
        assert_int_equal(acc[width], 0x55555555);
    }
}

/* No taps at all: what the padding contributes is the sum. */
static void test_accumulate_nothing(void **unused) {
    const uint8_t weights[1] = {0x01};
    const tap_offset rows[1] = {OUTSIDE};
    const struct stage stage = {
        .out_width = 6, .kernel_height = 1, .kernel_width = 1, .stride_width = 1};
    const uint8_t values[6] = {1, 2, 3, 4, 5, 6};
    tap_offset offsets[1] = {0};
    int32_t acc[6];

    (void)unused;
    convolve_row_u8(&stage, values, offsets, decode_taps(&stage, weights, 1, rows, 77, offsets),
                    acc);
    for (uint32_t x = 0; x < 6; x++) {
        assert_int_equal(acc[x], 77);
    }
}

/* Any geometry against the sum of products as the textbook has it. */
static void test_random(void **unused) {
    static uint8_t values[VALUES];
    static uint16_t values16[VALUES];
    static int weights[TAPS];
    static uint8_t packed[(TAPS + 3) / 4];
    static tap_offset offsets[TAPS];

    (void)unused;
    for (int round = 0; round < 4000; round++) {
        const uint32_t channels = random_between(1, CHANNELS);
        const uint32_t height = random_between(1, KERNEL);
        const uint32_t width = random_between(1, KERNEL);
        const uint32_t stride = random_between(1, STRIDE);
        const uint32_t out_width = random_between(1, WIDTH);
        const uint32_t row_width = (out_width - 1) * stride + width;
        const int32_t padding = (int32_t)random_below(256);
        const struct stage stage = {.channel_stride = (uint16_t)row_width,
                                    .out_width = (uint16_t)out_width,
                                    .kernel_height = (uint16_t)height,
                                    .kernel_width = (uint16_t)width,
                                    .stride_width = (uint16_t)stride};
        tap_offset rows[KERNEL];
        int32_t acc[WIDTH];
        int32_t acc16[WIDTH];
        struct taps taps;

        for (uint32_t ky = 0; ky < height; ky++) {
            /* Slots of a buffer stand in any order. */
            const uint32_t slot = (ky + (uint32_t)round) % height;

            rows[ky] = (tap_offset)(slot * channels * row_width);
            if (random_below(4) == 0) {
                rows[ky] = OUTSIDE;
            }
        }
        for (uint32_t i = 0; i < channels * height * row_width; i++) {
            values[i] = (uint8_t)random_below(256);
            values16[i] = (uint16_t)random_below(65536);
        }
        random_weights(weights, packed, channels * height * width);
        taps = decode_taps(&stage, packed, channels, rows, padding, offsets);
        assert_true(taps.plus_end <= taps.minus_begin);
        convolve_row_u8(&stage, values, offsets, taps, acc);
        convolve_row_u16(&stage, values16, offsets, taps, acc16);
        for (uint32_t ox = 0; ox < out_width; ox++) {
            int32_t expected = 0;
            int32_t expected16 = 0;

            for (uint32_t ic = 0; ic < channels; ic++) {
                for (uint32_t ky = 0; ky < height; ky++) {
                    for (uint32_t kx = 0; kx < width; kx++) {
                        const int weight = weights[(ic * height + ky) * width + kx];
                        const uint32_t x = ic * row_width + ox * stride + kx;

                        if (rows[ky] == OUTSIDE) {
                            expected += weight * padding;
                            expected16 += weight * padding;
                        } else {
                            expected += weight * values[rows[ky] + x];
                            expected16 += weight * values16[rows[ky] + x];
                        }
                    }
                }
            }
            assert_int_equal(acc[ox], expected);
            assert_int_equal(acc16[ox], expected16);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_decode_padding),
        cmocka_unit_test(test_decode_tail),
        cmocka_unit_test(test_accumulate_widths),
        cmocka_unit_test(test_accumulate_nothing),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests_name("taps", tests, NULL, NULL);
}
