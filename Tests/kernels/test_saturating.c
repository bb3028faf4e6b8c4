/* REQUANTIZE, and what limits accumulators before it: up to the edges of their arithmetic. */
#include "testing.h"

#include "../../Templates/kernels/clamp_sums_i32.c"
#include "../../Templates/kernels/clamp_sums_swar2.c"
#include "../../Templates/kernels/requantize_saturating.c"

/* The instruction takes a constant number of bits. */
/* clang-format off */
#define ALL_BITS(F) \
    F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11) F(12) F(13) F(14) F(15) F(16) \
    F(17) F(18) F(19) F(20) F(21) F(22) F(23) F(24) F(25) F(26) F(27) F(28) F(29) F(30) F(31)
/* clang-format on */
#define CASE(bits)                                                                                 \
    case bits:                                                                                     \
        return REQUANTIZE(a, multiplier, bias, shift, bits);

static int32_t requantized(int32_t a, int32_t multiplier, int32_t bias, unsigned shift,
                           unsigned bits) {
    switch (bits) {
        ALL_BITS(CASE)
    default:
        return -1;
    }
}

/* v / 2^shift, rounded down, clamped to 0...2^bits - 1. */
static int64_t expected(int64_t v, unsigned shift, unsigned bits) {
    const int64_t unit = (int64_t)1 << shift;
    const int64_t most = ((int64_t)1 << bits) - 1;

    return v < 0 ? 0 : v / unit > most ? most : v / unit;
}

static int fits(int64_t v) {
    return v >= INT32_MIN && v <= INT32_MAX;
}

/* v as it is, as a bias, and as a product and a bias of any size. */
static void assert_requantized(int32_t v, unsigned shift, unsigned bits) {
    const int64_t wanted = expected(v, shift, bits);

    assert_int_equal(requantized(v, 1, 0, shift, bits), wanted);
    assert_int_equal(requantized(0, -3, v, shift, bits), wanted);
    for (int i = 0; i < 2; i++) {
        const int32_t a = (int32_t)random_below(0x10000) - 0x8000;
        const int32_t multiplier = (int32_t)random_below(0x10000) - 0x8000;
        const int64_t bias = (int64_t)v - (int64_t)a * multiplier;

        if (fits(bias)) {
            assert_int_equal(requantized(a, multiplier, (int32_t)bias, shift, bits), wanted);
        }
    }
}

/* Every clamp with every shift, at both of its ends and at those of 32 bits. */
static void test_clamps(void **unused) {
    (void)unused;
    for (unsigned bits = 1; bits <= 31; bits++) {
        for (unsigned shift = 0; shift + bits <= 31; shift++) {
            const int64_t unit = (int64_t)1 << shift;
            const int64_t edges[] = {INT32_MIN,          -unit,        0,        unit, unit / 2,
                                     unit << (bits - 1), unit << bits, INT32_MAX};

            for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
                for (int64_t v = edges[i] - 2; v <= edges[i] + 2; v++) {
                    if (fits(v)) {
                        assert_requantized((int32_t)v, shift, bits);
                    }
                }
            }
        }
    }
}

static void test_random(void **unused) {
    (void)unused;
    for (int round = 0; round < 200000; round++) {
        const unsigned bits = (unsigned)random_between(1, 31);
        const unsigned shift = (unsigned)random_below(32 - bits);
        const int32_t a =
            (int32_t)(random_word() >> random_between(1, 31)) * (random_below(2) != 0 ? 1 : -1);
        const int32_t multiplier =
            (int32_t)(random_word() >> random_between(1, 31)) * (random_below(2) != 0 ? 1 : -1);
        const int32_t bias =
            (int32_t)(random_word() >> random_between(1, 31)) * (random_below(2) != 0 ? 1 : -1);
        const int64_t v = (int64_t)a * multiplier + bias;

        if (fits((int64_t)a * multiplier) && fits(v)) {
            assert_int_equal(requantized(a, multiplier, bias, shift, bits),
                             expected(v, shift, bits));
        }
    }
}

/* One form is a macro: its parameters may be any expression. */
static void test_expressions(void **unused) {
    const int32_t three = 3;
    const unsigned one = 1;

    (void)unused;
    assert_int_equal(REQUANTIZE(three + 41, three - 1, three & 1, one | 2, 8), 89 >> 3);
    assert_int_equal(REQUANTIZE(three - 4, three - 1, three & 1, one | 2, 8), 0);
    assert_int_equal(2 * REQUANTIZE(three + 400, three - 1, three & 1, one, 4) + 1, 31);
}

#define COUNT 9

static void test_limit_accumulators(void **unused) {
    static const int32_t edges[] = {INT32_MIN, INT32_MIN + 1, -1, 0, 1, INT32_MAX - 1, INT32_MAX};
    const uint32_t edge_count = sizeof edges / sizeof edges[0];

    (void)unused;
    for (int round = 0; round < 20000; round++) {
        const uint32_t count = random_below(COUNT + 1);
        int32_t acc[COUNT + 1];
        int32_t before[COUNT + 1];
        int32_t range[2];

        for (uint32_t i = 0; i < 2 + COUNT + 1; i++) {
            const int32_t value = random_below(2) == 0
                                      ? edges[random_below(edge_count)]
                                      : (int32_t)random_below(20) - (int32_t)random_below(20);

            if (i < 2) {
                range[i] = value;
            } else {
                before[i - 2] = value;
            }
        }
        if (range[0] > range[1]) {
            continue;
        }
        memcpy(acc, before, sizeof acc);
        clamp_sums_i32(acc, count, range[0], range[1]);
        for (uint32_t i = 0; i <= COUNT; i++) {
            if (i >= count || (before[i] >= range[0] && before[i] <= range[1])) {
                assert_int_equal(acc[i], before[i]);
            } else {
                assert_int_equal(acc[i], range[before[i] < range[0] ? 0 : 1]);
            }
        }
    }
}

static uint32_t random_lane(void) {
    static const uint32_t edges[] = {0, 1, 32767, 32768, 65534, 65535};

    return random_below(2) == 0   ? edges[random_below(6)]
           : random_below(2) == 0 ? random_below(20)
                                  : random_below(65536);
}

static uint32_t limited(uint32_t lane, uint32_t least, uint32_t most) {
    return lane < least ? least : lane > most ? most : lane;
}

static void test_limit_lanes(void **unused) {
    (void)unused;
    for (int round = 0; round < 20000; round++) {
        const uint32_t count = random_below(COUNT + 1);
        const uint32_t least = random_lane();
        const uint32_t most = random_below(4) == 0 ? least : random_lane();
        uint32_t lanes[2][COUNT];
        uint32_t acc[COUNT + 1];

        if (least > most) {
            continue;
        }
        for (uint32_t i = 0; i < count; i++) {
            lanes[0][i] = random_lane();
            lanes[1][i] = random_lane();
            acc[i] = lanes[1][i] << 16 | lanes[0][i];
        }
        acc[count] = GUARD;
        clamp_sums_swar2(acc, count, least, most);
        for (uint32_t i = 0; i < count; i++) {
            assert_int_equal(acc[i] & 0xFFFFU, limited(lanes[0][i], least, most));
            assert_int_equal(acc[i] >> 16, limited(lanes[1][i], least, most));
        }
        assert_int_equal(acc[count], GUARD);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clamps),      cmocka_unit_test(test_random),
        cmocka_unit_test(test_expressions), cmocka_unit_test(test_limit_accumulators),
        cmocka_unit_test(test_limit_lanes),
    };

    return cmocka_run_group_tests_name("saturating", tests, NULL, NULL);
}
