/* Maps whose positions hold all channels: their codes, their padding, and sums over them. */
#include "testing.h"

#ifndef CODE_BITS
#define CODE_BITS 8
#endif
#include "../../Templates/kernels/plain_loop.c"

#include "../../Templates/kernels/fill_halo_hwc.c"
#include "../../Templates/kernels/hwc_codes.c"
#include "../../Templates/kernels/sum_hwc.c"

#define DROP 0
#define LEAST_SHIFT 0
#define MOST_SHIFT (31 - CODE_BITS)
#define ALL_SHIFTS(F) F(0) F(1) F(2) F(5) F(8) F(13) F(23)
#include "hwc.h"

#define HEIGHT 11
#define PADDED 3
#define ROW_WORDS 20
#define MAP_WORDS (((HEIGHT + 1) / 2 + 2 * PADDED) * ROW_WORDS + ROW_WORDS)

/* Single rows. */
static uint16_t rows[HEIGHT][ROW_WORDS];
static uint32_t map[1 + MAP_WORDS + 1];
static uint32_t before[1 + MAP_WORDS + 1];

struct shape {
    uint32_t height, words, sides, top, half, bottom, padding;
};

static uint32_t random_lane(void) {
    return random_below(3) == 0   ? 0xFFFF * random_below(2)
           : random_below(2) == 0 ? random_below(256)
                                  : random_below(0x10000);
}

static int is_row(const struct shape *shape, uint32_t y) {
    return y < shape->height;
}

/* Word i of a row, which may be one of padding. */
static uint32_t lane(const struct shape *shape, uint32_t y, uint32_t i) {
    return is_row(shape, y) && i >= shape->sides ? rows[y][i] : shape->padding;
}

/* What a layer leaves: its rows in lanes, and anything in all other words and lanes. */
static void make_map(const struct shape *shape) {
    for (uint32_t i = 0; i < sizeof map / sizeof map[0]; i++) {
        map[i] = random_word();
    }
    for (uint32_t y = 0; y < shape->half; y++) {
        for (uint32_t i = shape->sides; i < shape->words; i++) {
            uint32_t *const word = map + 1 + (shape->top + y) * shape->words + i;

            rows[y][i] = (uint16_t)random_lane();
            *word = (*word & 0xFFFF0000U) | rows[y][i];
            if (is_row(shape, shape->half + y)) {
                rows[shape->half + y][i] = (uint16_t)random_lane();
                *word = (uint32_t)rows[shape->half + y][i] << 16 | rows[y][i];
            }
        }
    }
    memcpy(before, map, sizeof map);
}

static void close_and_assert(const struct shape *shape) {
    const uint32_t row_count = shape->top + shape->half + shape->bottom;
    const uint32_t count = row_count * shape->words + shape->sides;

    make_map(shape);
    fill_halo_hwc(map + 1, shape->words, shape->sides, shape->top, shape->half, shape->bottom,
                  shape->height, shape->padding);
    for (uint32_t i = 0; i < count; i++) {
        /* Rows above the map are beyond its last, too: the numbers are unsigned. */
        const uint32_t y = i / shape->words - shape->top;
        const uint32_t at = i % shape->words;

        assert_int_equal(map[1 + i] & 0xFFFFU, lane(shape, y, at));
        assert_int_equal(map[1 + i] >> 16, lane(shape, y + shape->half, at));
    }
    assert_int_equal(map[0], before[0]);
    assert_memory_equal(map + 1 + count, before + 1 + count,
                        sizeof map - (1 + count) * sizeof map[0]);
}

static void test_close_pixels(void **unused) {
    static const uint32_t paddings[] = {0, 1, 255, 0xFFFF};

    (void)unused;
    for (uint32_t height = 1; height <= HEIGHT; height++) {
        const uint32_t half = (height + 1) / 2;

        for (uint32_t top = 0; top <= PADDED && top < half; top++) {
            for (uint32_t bottom = 0; bottom <= PADDED && bottom < half; bottom++) {
                for (uint32_t sides = 0; sides <= 12; sides += 4) {
                    for (size_t i = 0; i <= sizeof paddings / sizeof paddings[0]; i++) {
                        struct shape shape = {.height = height,
                                              .sides = sides,
                                              .top = top,
                                              .half = half,
                                              .bottom = bottom};

                        shape.words = sides + 4 * random_between(1, (ROW_WORDS - sides) / 4);
                        shape.padding =
                            i < sizeof paddings / sizeof paddings[0] ? paddings[i] : random_lane();
                        close_and_assert(&shape);
                    }
                }
            }
        }
    }
}

#define SUM_POSITIONS 257
#define SUM_PIXEL 5
#define SUM_WORDS ((2 * SUM_POSITIONS + 1) * SUM_PIXEL)

/*
 * A channel of which both lanes hold some part of what is left to 65535, the last position all of
 * it where it is to be full; other channels and what lies beside the map are anything.
 */
static void sum_and_assert(uint32_t row_count, uint32_t width, uint32_t most, int is_full) {
    static uint32_t words[SUM_WORDS];
    const uint32_t position = random_between(1, SUM_PIXEL);
    const uint32_t row_words = (width + random_below(2)) * position;
    const uint32_t channel = random_below(position);
    uint32_t left[2] = {65535, 65535};

    for (uint32_t i = 0; i < SUM_WORDS; i++) {
        words[i] = random_word();
    }
    for (uint32_t i = 0; i < row_count * width; i++) {
        uint32_t part[2];

        for (uint32_t side = 0; side < 2; side++) {
            const uint32_t limit = left[side] < most ? left[side] : most;
            const int is_last = i + 1 == row_count * width;

            part[side] = is_full ? (is_last ? left[side] : limit) : random_below(limit + 1);
            left[side] -= part[side];
        }
        words[i / width * row_words + i % width * position + channel] = part[1] << 16 | part[0];
    }
    assert_int_equal(sum_hwc(words + channel, row_count, width, row_words, position),
                     2 * 65535 - left[0] - left[1]);
}

/* One row, one column, odd and even widths; sums as large as a lane holds. */
static void test_sum_pixels(void **unused) {
    (void)unused;
    for (uint32_t row_count = 1; row_count <= 8; row_count++) {
        for (uint32_t width = 1; width <= 17; width++) {
            for (int round = 0; round < 10; round++) {
                sum_and_assert(row_count, width, 255, 0);
                sum_and_assert(row_count, width, 1, 0);
                sum_and_assert(row_count, width, 65535, 0);
                sum_and_assert(row_count, width, random_below(65536), 1);
            }
        }
    }
    /* 257 * 255 = 65535 */
    for (int round = 0; round < 10; round++) {
        sum_and_assert(1, SUM_POSITIONS, 255, 1);
        sum_and_assert(SUM_POSITIONS, 1, 255, 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_biases),
        cmocka_unit_test(test_random_levels),
        cmocka_unit_test(test_requantize_pixels),
        cmocka_unit_test(test_close_pixels),
        cmocka_unit_test(test_sum_pixels),
    };

    return cmocka_run_group_tests_name("hwc", tests, NULL, NULL);
}
