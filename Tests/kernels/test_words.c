/*
 * Rows of words, each of two or four columns some distance apart: how they are made of codes,
 * completed, filled and moved.
 */
#include "testing.h"

#include "../../Templates/kernels/plain_loop.c"

#include "../../Templates/kernels/fill_halo_swar4.c"

#include "../../Templates/kernels/fill_halo_swar2.c"
#include "../../Templates/kernels/fill_u32.c"
#include "../../Templates/kernels/pack_row_swar2.c"
#include "../../Templates/kernels/slide_rows.c"

#define DISTANCE 12
#define WIDTH (4 * DISTANCE)
#define WORDS (3 * WIDTH)

/* The last words of it are used, so that sanitizers see what is read or written beyond. */
static uint32_t memory[WORDS];

/* Column p of the padded row. */
static uint32_t column(const uint8_t *row, uint32_t width, uint32_t left, uint32_t padding,
                       uint32_t p) {
    return p >= left && p - left < width ? row[p - left] : padding;
}

static void random_levels(uint8_t *row, uint32_t width) {
    const uint32_t codes = random_below(4) == 0 ? 2 : 256;

    for (uint32_t x = 0; x < width; x++) {
        row[x] = (uint8_t)(codes == 2 ? 255 * random_below(2) : random_below(codes));
    }
}

static uint32_t random_padding(void) {
    return random_below(3) == 0 ? 255 * random_below(2) : random_below(256);
}

/* Widths around the distance and its double, and counts within the halo, where branches end. */
static void test_pair_row(void **unused) {
    (void)unused;
    for (int round = 0; round < 40000; round++) {
        const uint32_t distance = random_between(1, DISTANCE);
        const uint32_t width =
            random_below(2) == 0 ? random_between(1, WIDTH) : 2 * distance - random_below(2);
        const uint32_t left = random_below(WIDTH);
        const uint32_t count = random_below(2) == 0 ? left + distance : random_between(1, WIDTH);
        const uint32_t padding = random_padding();
        uint8_t row[WIDTH];
        uint32_t *const words = memory + WORDS - 1 - count;

        random_levels(row, width);
        fill_guards(memory, WORDS);
        pack_row_swar2(row, width, left, distance, padding, words, count);
        for (uint32_t j = 0; j < count; j++) {
            assert_int_equal(words[j], column(row, width, left, padding, j) |
                                           column(row, width, left, padding, j + distance) << 16);
        }
        assert_guards(words - 1, 1);
        assert_guards(words + count, 1);
    }
}

/*
 * A row as a layer leaves it: its columns in lanes, old words where the halo belongs, and in lanes
 * of no column whatever was computed there.
 */
static void make_columns(const uint8_t *row, uint32_t width, uint32_t lanes, uint32_t left,
                         uint32_t distance, uint32_t count, uint32_t *words) {
    const uint32_t bits = 32 / lanes;

    for (uint32_t j = 0; j < count; j++) {
        words[j] = random_word();
    }
    for (uint32_t x = 0; x < width; x++) {
        uint32_t *const word = words + left + x % distance;
        const uint32_t shift = x / distance * bits;

        *word &= ~(((UINT32_C(1) << bits) - 1U) << shift);
        *word |= (uint32_t)row[x] << shift;
    }
}

static void assert_closed(const uint8_t *row, uint32_t width, uint32_t lanes, uint32_t left,
                          uint32_t distance, uint32_t count, uint32_t padding,
                          const uint32_t *words) {
    for (uint32_t j = 0; j < count; j++) {
        uint32_t expected = 0;

        for (uint32_t lane = 0; lane < lanes; lane++) {
            expected |= column(row, width, left, padding, j + lane * distance)
                        << (lane * (32 / lanes));
        }
        assert_int_equal(words[j], expected);
    }
}

static void close_and_assert(uint32_t lanes, uint32_t width, uint32_t left, uint32_t distance,
                             uint32_t right, uint32_t padding) {
    const uint32_t count = left + distance + right;
    uint8_t row[WIDTH];
    uint32_t *const words = memory + WORDS - 1 - count;

    random_levels(row, width);
    fill_guards(memory, WORDS);
    make_columns(row, width, lanes, left, distance, count, words);
    if (lanes == 2) {
        fill_halo_swar2(words, left, distance, width, count, padding);
    } else {
        fill_halo_swar4(words, left, distance, width, count, padding);
    }
    assert_closed(row, width, lanes, left, distance, count, padding, words);
    assert_guards(words - 1, 1);
    assert_guards(words + count, 1);
}

/* Every halo that is no wider than a lane, around every width that lanes are made for. */
static void test_close(void **unused) {
    (void)unused;
    for (uint32_t distance = 1; distance <= 7; distance++) {
        for (uint32_t left = 0; left <= distance; left++) {
            for (uint32_t right = 0; right <= distance; right++) {
                for (uint32_t width = 1; width <= 4 * distance; width++) {
                    const uint32_t padding = random_padding();

                    close_and_assert(4, width, left, distance, right, padding);
                    if (width >= distance && width <= 2 * distance) {
                        close_and_assert(2, width, left, distance, right, padding);
                    }
                }
            }
        }
    }
}

static void test_close_random(void **unused) {
    (void)unused;
    for (int round = 0; round < 20000; round++) {
        const uint32_t lanes = random_below(2) == 0 ? 2 : 4;
        const uint32_t distance = random_between(1, DISTANCE);
        const uint32_t missing = random_below(3) == 0 ? random_below(distance) : random_below(2);

        close_and_assert(lanes, lanes * distance - missing, random_below(distance + 1), distance,
                         random_below(distance + 1), random_padding());
    }
}

/* What a layer makes and completes is what the first layer makes of the same codes. */
static void test_close_as_pairs(void **unused) {
    (void)unused;
    for (int round = 0; round < 2000; round++) {
        const uint32_t distance = random_between(1, DISTANCE);
        const uint32_t width = 2 * distance - random_below(2);
        const uint32_t left = random_below(distance + 1);
        const uint32_t count = left + distance + random_below(distance + 1);
        const uint32_t padding = random_padding();
        uint8_t row[WIDTH];
        uint32_t made[WIDTH];
        uint32_t paired[WIDTH];

        random_levels(row, width);
        make_columns(row, width, 2, left, distance, count, made);
        fill_halo_swar2(made, left, distance, width, count, padding);
        pack_row_swar2(row, width, left, distance, padding, paired, count);
        assert_memory_equal(made, paired, count * sizeof made[0]);
    }
}

/* Rings of every size up to some groups of eight: behind what is moved, nothing changes. */
static void test_slide(void **unused) {
    static uint32_t before[WORDS];

    (void)unused;
    for (uint32_t step = 1; step <= 35; step++) {
        for (uint32_t kept = 0; kept <= 70; kept++) {
            uint32_t *const buffer = memory + WORDS - kept - step;

            for (uint32_t i = 0; i < WORDS; i++) {
                memory[i] = random_word();
            }
            memcpy(before, memory, sizeof before);
            slide_rows(buffer, kept, step);
            for (uint32_t i = 0; i < kept + step; i++) {
                const uint32_t from = WORDS - kept - step + i;

                assert_int_equal(buffer[i], before[i < kept ? from + step : from]);
            }
            assert_int_equal(buffer[-1], before[WORDS - kept - step - 1]);
        }
    }
}

static void test_fill(void **unused) {
    static const uint32_t codes[] = {0, UINT32_MAX, 0x00FF00FFU, 0x01020304U};

    (void)unused;
    for (uint32_t count = 0; count < 20; count++) {
        for (size_t code = 0; code < sizeof codes / sizeof codes[0]; code++) {
            fill_guards(memory, WORDS);
            fill_u32(memory + 1, count, codes[code]);
            for (uint32_t i = 0; i < count; i++) {
                assert_int_equal(memory[1 + i], codes[code]);
            }
            assert_guards(memory, 1);
            assert_guards(memory + 1 + count, 20);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pair_row),     cmocka_unit_test(test_close),
        cmocka_unit_test(test_close_random), cmocka_unit_test(test_close_as_pairs),
        cmocka_unit_test(test_slide),        cmocka_unit_test(test_fill),
    };

    return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
