/* sum_taps_swar2 and sum_taps_swar4: sums of words of columns against sums of the columns. */
#include "testing.h"

#include "../../Templates/kernels/fill_halo_swar4.c"

#include "../../Templates/kernels/fill_halo_swar2.c"
#include "../../Templates/kernels/keep_order.c"
#include "../../Templates/kernels/keep_pointer.c"
#include "../../Templates/kernels/no_inline.c"
#include "../../Templates/kernels/swar4.c"

#include "../../Templates/kernels/sum_taps_swar4.c"

#include "../../Templates/kernels/sum_taps_swar2.c"

#define WORDS 14
#define STRIDE 4
#define REACH 60
#define TAPS 300
#define INPUT ((WORDS - 1) * STRIDE + REACH + 1)
#define LANE_MOST 65535

/* The last words of each are used, so that sanitizers see what is read beyond. */
static uint32_t input[INPUT];
static uint16_t places[TAPS];
/* A guard, the sums, a guard. */
static uint32_t output[2 * WORDS + 2];

struct lists {
    uint16_t *taps;
    uint16_t counts[2];
};

/* Taps within 0...reach, some twice; as often as not one of the lists is empty. */
static struct lists random_taps(uint32_t reach, uint32_t most) {
    const uint32_t plus = random_below(4) == 0 ? 0 : random_below(most + 1);
    const uint32_t minus = random_below(4) == 0 ? 0 : random_below(most + 1);
    const struct lists lists = {places + TAPS - plus - minus, {(uint16_t)plus, (uint16_t)minus}};

    for (uint32_t i = 0; i < plus + minus; i++) {
        lists.taps[i] = (uint16_t)random_below(reach + 1);
    }
    return lists;
}

/* guard + sum of one lane of the word at x. */
static int32_t sum_of_lane(const uint32_t *in, const struct lists *lists, uint32_t x,
                           uint32_t shift, uint32_t mask, int32_t guard) {
    int32_t sum = guard;

    for (uint32_t i = 0; i < (uint32_t)lists->counts[0] + lists->counts[1]; i++) {
        const int32_t value = (int32_t)(in[x + lists->taps[i]] >> shift & mask);

        sum += i < lists->counts[0] ? value : -value;
    }
    return sum;
}

static void assert_sums(const uint32_t *in, const struct lists *lists, uint32_t words,
                        uint32_t stride, uint32_t guard) {
    uint32_t *const sums = output + 2 * WORDS + 1 - words;

    fill_guards(output, 2 * WORDS + 2);
    sum_taps_swar2(in, lists->taps, lists->counts, words, stride, guard, sums);
    for (uint32_t x = 0; x < words; x++) {
        assert_int_equal(sums[x] & 0xFFFFU,
                         sum_of_lane(in, lists, x * stride, 0, 0xFFFF, (int32_t)guard));
        assert_int_equal(sums[x] >> 16,
                         sum_of_lane(in, lists, x * stride, 16, 0xFFFF, (int32_t)guard));
    }
    assert_guards(sums - 1, 1);
    assert_guards(sums + words, 1);
}

/* The sums of byte 0 and byte 2 share a word, behind all of those come those of 1 and 3. */
static void assert_quad_sums(const uint32_t *in, const struct lists *lists, uint32_t words,
                             uint32_t guard) {
    uint32_t *const sums = output + 2 * WORDS + 1 - 2 * words;

    fill_guards(output, 2 * WORDS + 2);
    sum_taps_swar4(in, lists->taps, lists->counts, words, guard, sums);
    for (uint32_t x = 0; x < words; x++) {
        for (uint32_t byte = 0; byte < 4; byte++) {
            const uint32_t word = sums[byte % 2 == 0 ? x : words + x];

            assert_int_equal(byte < 2 ? word & 0xFFFFU : word >> 16,
                             sum_of_lane(in, lists, x, 8 * byte, 0xFF, (int32_t)guard));
        }
    }
    assert_guards(sums - 1, 1);
    assert_guards(sums + 2 * words, 1);
}

/* Codes in lanes, or in bytes: extremes in a third of all rounds. */
static void random_input(uint32_t mask) {
    const uint32_t kind = random_below(6);

    for (uint32_t i = 0; i < INPUT; i++) {
        const uint32_t word = random_word();

        input[i] = mask & (kind == 0   ? 0
                           : kind == 1 ? UINT32_MAX
                           : kind == 2 ? ((word & 1U) != 0 ? 0x0000FFFFU : 0xFFFF0000U)
                                       : word);
    }
}

/* A guard that keeps lanes from falling below zero, and at times the largest that fits. */
static uint32_t random_lift(const struct lists *lists) {
    const uint32_t least = lists->counts[1] * 255U;
    const uint32_t most = LANE_MOST - lists->counts[0] * 255U;

    switch (random_below(3)) {
    case 0:
        return least;
    case 1:
        return most;
    default:
        return random_between(least, most);
    }
}

static void test_taps(void **unused) {
    (void)unused;
    for (int round = 0; round < 20000; round++) {
        const uint32_t words = random_between(1, WORDS);
        const uint32_t stride = random_below(2) == 0 ? 1 : random_between(1, STRIDE);
        const uint32_t reach = random_below(REACH + 1);
        const struct lists lists = random_taps(reach, random_below(4) == 0 ? 100 : 9);
        const uint32_t *const in = input + INPUT - ((words - 1) * stride + reach + 1);

        random_input(0x00FF00FFU);
        assert_sums(in, &lists, words, stride, random_lift(&lists));
    }
}

static void test_quad_taps(void **unused) {
    (void)unused;
    for (int round = 0; round < 20000; round++) {
        const uint32_t words = random_between(1, WORDS);
        const uint32_t reach = random_below(REACH + 1);
        const struct lists lists = random_taps(reach, random_below(4) == 0 ? 100 : 9);
        const uint32_t *const in = input + INPUT - (words + reach);

        random_input(UINT32_MAX);
        assert_quad_sums(in, &lists, words, random_lift(&lists));
    }
}

/* No taps: a count of words of the guard, which may be any number of 16 bits. */
static void test_nothing(void **unused) {
    static const uint32_t guards[] = {0, 1, 256, 32767, 32768, 65535};
    const struct lists nothing = {places + TAPS, {0, 0}};

    (void)unused;
    for (size_t i = 0; i < sizeof guards / sizeof guards[0]; i++) {
        for (uint32_t words = 1; words <= WORDS; words++) {
            assert_sums(input, &nothing, words, 1, guards[i]);
            assert_sums(input, &nothing, words, 2, guards[i]);
            assert_quad_sums(input, &nothing, words, guards[i]);
        }
    }
}

/* 257 times 255 is 65535: a lane goes from one end to the other, and its neighbours stay. */
static void test_extremes(void **unused) {
    static const uint32_t inputs[] = {0,           UINT32_MAX,  0x0000FFFFU, 0xFFFF0000U,
                                      0x000000FFU, 0x0000FF00U, 0x00FF0000U, 0xFF000000U};
    struct lists lists = {places + TAPS - 257, {0, 0}};

    (void)unused;
    memset(places, 0, sizeof places);
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        for (uint32_t words = 1; words <= 5; words++) {
            for (uint32_t minus = 0; minus <= 257; minus += 257) {
                const uint32_t *const in = input + INPUT - words;

                lists.counts[0] = (uint16_t)(257 - minus);
                lists.counts[1] = (uint16_t)minus;
                for (uint32_t x = 0; x < INPUT; x++) {
                    input[x] = inputs[i];
                }
                assert_quad_sums(in, &lists, words, minus * 255);
                for (uint32_t x = 0; x < INPUT; x++) {
                    input[x] &= 0x00FF00FFU;
                }
                assert_sums(in, &lists, words, 1, minus * 255);
                assert_sums(in, &lists, words, words == 1 ? 2 : 1, minus * 255);
            }
        }
    }
}

/* Lanes may hold more than codes: one word, added to nothing or subtracted from the largest. */
static void test_wide_lanes(void **unused) {
    (void)unused;
    for (int round = 0; round < 2000; round++) {
        const uint32_t words = random_between(1, WORDS);
        const uint32_t stride = random_between(1, 2);
        const uint32_t minus = random_below(2);
        const struct lists one = {places + TAPS - 1, {(uint16_t)(1 - minus), (uint16_t)minus}};

        one.taps[0] = 0;
        random_input(UINT32_MAX);
        assert_sums(input + INPUT - ((words - 1) * stride + 1), &one, words, stride,
                    minus * LANE_MOST);
    }
}

#define KERNEL 5
#define WIDTH 40

/*
 * A whole row of a depthwise layer: its input as the layer before leaves it, completed, summed up,
 * against the sum of products as the textbook has it.
 */
static void assert_convolution(uint32_t lanes, uint32_t outputs, uint32_t stride, uint32_t kernel,
                               uint32_t missing) {
    const uint32_t distance = outputs * stride;
    const uint32_t width = lanes * distance - missing;
    const uint32_t left = random_below(kernel);
    const uint32_t height = random_between(1, 3);
    const uint32_t least = (outputs - 1) * stride + kernel;
    const uint32_t count = least < left + distance ? left + distance : least;
    const uint32_t padding = random_below(256);
    const uint32_t guard = 255 * 3 * KERNEL;
    const uint32_t bits = 32 / lanes;
    int weights[3 * KERNEL];
    uint8_t rows[3][WIDTH];
    uint32_t words[3 * WIDTH];
    uint32_t sums[WIDTH];
    uint16_t taps[3 * KERNEL];
    uint16_t counts[2] = {0, 0};

    for (uint32_t y = 0; y < height; y++) {
        uint32_t *const row = words + y * count;

        for (uint32_t j = 0; j < count; j++) {
            row[j] = random_word() & (lanes == 2 ? 0x00FF00FFU : UINT32_MAX);
        }
        for (uint32_t x = 0; x < width; x++) {
            uint32_t *const word = row + left + x % distance;
            const uint32_t shift = x / distance * bits;

            rows[y][x] = (uint8_t)random_below(256);
            *word = (*word & ~(0xFFU << shift)) | (uint32_t)rows[y][x] << shift;
        }
        if (lanes == 2) {
            fill_halo_swar2(row, left, distance, width, count, padding);
        } else {
            fill_halo_swar4(row, left, distance, width, count, padding);
        }
    }
    for (int pass = 1; pass >= -1; pass -= 2) {
        for (uint32_t k = 0; k < height * kernel; k++) {
            if (pass == 1) {
                weights[k] = (int)random_below(3) - 1;
            }
            if (weights[k] == pass) {
                taps[counts[0] + counts[1]] = (uint16_t)(k / kernel * count + k % kernel);
                counts[pass == 1 ? 0 : 1]++;
            }
        }
    }
    if (lanes == 2) {
        sum_taps_swar2(words, taps, counts, outputs, stride, guard, sums);
    } else {
        sum_taps_swar4(words, taps, counts, outputs, guard, sums);
    }
    for (uint32_t ox = 0; ox < lanes * outputs; ox++) {
        /* Words of two lanes, of lanes / 2 * outputs columns each. */
        const uint32_t half = lanes / 2 * outputs;
        const uint32_t sum = ox < half ? sums[ox] & 0xFFFFU : sums[ox - half] >> 16;
        int32_t expected = (int32_t)guard;

        for (uint32_t k = 0; k < height * kernel; k++) {
            const uint32_t p = ox * stride + k % kernel;
            const uint32_t value =
                p >= left && p - left < width ? rows[k / kernel][p - left] : padding;

            expected += weights[k] * (int32_t)value;
        }
        assert_int_equal(sum, expected);
    }
}

static void test_convolution(void **unused) {
    (void)unused;
    for (int round = 0; round < 10000; round++) {
        const uint32_t kernel = random_between(1, KERNEL);
        const uint32_t stride = random_between(1, 3);
        const uint32_t outputs = random_between(1, 6);
        const uint32_t columns = random_between(kernel, 9);

        /* No halo is wider than a lane. */
        if (kernel <= outputs * stride) {
            assert_convolution(2, outputs, stride, kernel, random_below(2));
        }
        assert_convolution(4, columns, 1, kernel, random_below(2));
    }
}

/* Straight-line code, as it is emitted: the macros change no value. */
static NO_INLINE void sum_block(const uint32_t *in, uint32_t *sums) {
    const uint32_t *p = in;
    uint32_t v, w, s, a0, a1;

    /* clang-format off */
    v = p[0]; w = p[1]; s = v + w; a0 = 7 + s; a1 = 7 + v; KEEP_ORDER;
    p += 40; KEEP_POINTER(p);
    v = p[0]; a0 -= v; a1 += v; KEEP_ORDER;
    /* clang-format on */
    sums[0] = a0;
    sums[1] = a1;
}

static void test_order(void **unused) {
    (void)unused;
    for (int round = 0; round < 100; round++) {
        uint32_t sums[2];

        random_input(0x00FF00FFU);
        sum_block(input, sums);
        assert_int_equal(sums[0], 7 + input[0] + input[1] - input[40]);
        assert_int_equal(sums[1], 7 + input[0] + input[40]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taps),       cmocka_unit_test(test_quad_taps),
        cmocka_unit_test(test_nothing),    cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_wide_lanes), cmocka_unit_test(test_convolution),
        cmocka_unit_test(test_order),
    };

    return cmocka_run_group_tests_name("sums", tests, NULL, NULL);
}
