/* The four requantizers, up to the edges of their arithmetic (the sanitizers see every step
 * beyond). */
#include "testing.h"

#include "../../Templates/kernels/requantize.c"
#include "../../Templates/kernels/requantize64.c"
#include "../../Templates/kernels/requantize_half_even.c"
#include "../../Templates/kernels/requantize_half_even64.c"

/* v / 2^shift, rounded down. */
static int64_t floor_shifted(int64_t v, unsigned shift) {
    const int64_t unit = (int64_t)1 << shift;
    const int64_t rest = ((v % unit) + unit) % unit;

    return (v - rest) / unit;
}

static int64_t clamped(int64_t value, int64_t low, int64_t high) {
    return value < low ? low : value > high ? high : value;
}

/* v / 2^shift, rounded to the nearest, ties to even. */
static int64_t half_even_shifted(int64_t v, unsigned shift) {
    const int64_t below = floor_shifted(v, shift);
    const int64_t twice = 2 * (v - below * ((int64_t)1 << shift));
    const int64_t unit = (int64_t)1 << shift;

    return twice > unit || (twice == unit && below % 2 != 0) ? below + 1 : below;
}

static void test_affine(void **unused) {
    (void)unused;
    /* 3a + 2 over 4, clamped to 0...7 */
    assert_int_equal(requantize(0, 3, 2, 2, 0, 31), 0);
    assert_int_equal(requantize(1, 3, 2, 2, 0, 31), 1);
    assert_int_equal(requantize(2, 3, 2, 2, 0, 31), 2);
    assert_int_equal(requantize(9, 3, 2, 2, 0, 31), 7);
    assert_int_equal(requantize(10, 3, 2, 2, 0, 31), 7);
    assert_int_equal(requantize(1000, 3, 2, 2, 0, 31), 7);
    assert_int_equal(requantize(-1000, 3, 2, 2, 0, 31), 0);
    /* clamped to 2...7 */
    assert_int_equal(requantize(-1000, 3, 2, 2, 8, 31), 2);
    /* falling */
    assert_int_equal(requantize(-5, -3, 2, 2, 0, 31), 4);
}

static void test_affine_extremes(void **unused) {
    (void)unused;
    assert_int_equal(requantize(1, INT32_MAX, 0, 31, 0, INT32_MAX), 0);
    assert_int_equal(requantize(1, INT32_MAX, 0, 30, 0, INT32_MAX), 1);
    assert_int_equal(requantize(1, INT32_MAX, 0, 23, 0, INT32_MAX), 255);
    assert_int_equal(requantize(1, INT32_MAX, 0, 0, 0, INT32_MAX), INT32_MAX);
    assert_int_equal(requantize(46340, 46340, 88047, 23, 0, INT32_MAX), 255);
    assert_int_equal(requantize(-65536, 32768, 0, 23, 0, INT32_MAX), 0);
    assert_int_equal(requantize(-1, INT32_MAX, -1, 23, 0, INT32_MAX), 0);
    assert_int_equal(requantize(-65536, 32768, INT32_MAX, 0, 0, 255), 0);
    assert_int_equal(requantize(0, 0, INT32_MAX, 24, 0, INT32_MAX), 127);
    assert_int_equal(requantize(0, 0, INT32_MIN, 24, 0, INT32_MAX), 0);
    assert_int_equal(requantize64(INT32_MIN, INT32_MIN, 0, 31, 0, ((int64_t)256 << 31) - 1), 255);
    assert_int_equal(requantize64(INT32_MAX, INT32_MIN, 0, 31, 0, ((int64_t)256 << 31) - 1), 0);
    assert_int_equal(requantize64(255, INT32_MAX, 255, 31, 0, ((int64_t)256 << 31) - 1), 255);
    assert_int_equal(requantize64(255, INT32_MAX, 254, 31, 0, ((int64_t)256 << 31) - 1), 254);
    assert_int_equal(requantize64(1, 1, INT64_MAX - 1, 0, 0, 255), 255);
    assert_int_equal(requantize64(-1, 1, INT64_MIN + 1, 0, 0, 255), 0);
}

/* Sums of four, halved twice: 2 is 0.5, 6 is 1.5, 10 is 2.5. */
static void test_half_even_ties(void **unused) {
    static const int32_t expected[] = {0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 4, 4, 4};

    (void)unused;
    for (int32_t a = 0; a <= 16; a++) {
        assert_int_equal(requantize_half_even(a, 1, 0, 2, 0, 255 << 2), expected[a]);
        assert_int_equal(requantize_half_even64(a, 1, 0, 2, 0, 255 << 2), expected[a]);
    }
    /* halves, the shortest shift that has ties: 0.5 down, 1.5 up, 2.5 down */
    assert_int_equal(requantize_half_even(1, 1, 0, 1, 0, 510), 0);
    assert_int_equal(requantize_half_even(3, 1, 0, 1, 0, 510), 2);
    assert_int_equal(requantize_half_even(5, 1, 0, 1, 0, 510), 2);
    /* no shift, no rounding */
    assert_int_equal(requantize_half_even(7, 1, 0, 0, 0, 255), 7);
    assert_int_equal(requantize_half_even64(7, 1, 0, 0, 0, 255), 7);
    assert_int_equal(requantize_half_even(-7, 1, 0, 0, 0, 255), 0);
    assert_int_equal(requantize_half_even(700, 1, 0, 0, 3, 255), 255);
}

static void test_half_even_extremes(void **unused) {
    const int64_t high = (int64_t)255 << 31;

    (void)unused;
    assert_int_equal(requantize_half_even(1, 1 << 29, 0, 30, 0, 1 << 30), 0);
    assert_int_equal(requantize_half_even(1, (1 << 29) + 1, 0, 30, 0, 1 << 30), 1);
    assert_int_equal(requantize_half_even(1, INT32_MAX, 0, 30, 0, 1 << 30), 1);
    assert_int_equal(requantize_half_even(1, 5, 0, 31, 0, 0), 0);
    assert_int_equal(requantize_half_even64(1, 1 << 30, 0, 31, 0, high), 0);
    assert_int_equal(requantize_half_even64(1, 1 << 30, 1, 31, 0, high), 1);
    assert_int_equal(requantize_half_even64(3, 1 << 30, 0, 31, 0, high), 2);
    assert_int_equal(requantize_half_even64(5, 1 << 30, 0, 31, 0, high), 2);
    assert_int_equal(requantize_half_even64(INT32_MAX, INT32_MAX, 0, 31, 0, high), 255);
    assert_int_equal(requantize_half_even64(INT32_MIN, INT32_MAX, 0, 31, 0, high), 0);
}

/* 32 bits: parameters as the planner admits them, everything else by the textbook in 64. */
static void test_random(void **unused) {
    int tried = 0;

    (void)unused;
    while (tried < 200000) {
        const unsigned shift = (unsigned)random_below(32);
        const int32_t low = (int32_t)random_below(4);
        const int32_t high = low + (int32_t)random_below(256);
        const int32_t a = (int32_t)(random_below(UINT32_MAX) >> random_below(32)) *
                          (random_below(2) != 0 ? 1 : -1);
        const int32_t m = (int32_t)(random_below(UINT32_MAX) >> random_between(1, 31));
        const int32_t b = (int32_t)(random_below(UINT32_MAX) >> random_between(1, 31));
        const int64_t v = (int64_t)a * m + b;
        const int64_t scaled_low = (int64_t)low << shift;
        const int64_t affine_high = ((int64_t)(high + 1) << shift) - 1;
        const int64_t even_high = (int64_t)high << shift;
        const int64_t expected = clamped(floor_shifted(v, shift), low, high);
        const int64_t even = clamped(half_even_shifted(v, shift), low, high);

        tried++;
        assert_int_equal(requantize64(a, m, b, shift, scaled_low, affine_high), expected);
        assert_int_equal(requantize_half_even64(a, m, b, shift, scaled_low, even_high), even);
        if ((int64_t)a * m < INT32_MIN || (int64_t)a * m > INT32_MAX || v < INT32_MIN ||
            v > INT32_MAX) {
            continue;
        }
        if (affine_high <= INT32_MAX) {
            assert_int_equal(requantize(a, m, b, shift, (int32_t)scaled_low, (int32_t)affine_high),
                             expected);
        }
        if (even_high + ((int64_t)1 << shift) <= INT32_MAX) {
            assert_int_equal(
                requantize_half_even(a, m, b, shift, (int32_t)scaled_low, (int32_t)even_high),
                even);
        }
    }
}

/* Every tie of a shift, and its neighbours, on both sides of the clamps. */
static void test_all_ties(void **unused) {
    (void)unused;
    for (unsigned shift = 1; shift <= 20; shift++) {
        const int32_t high = 255 << shift;

        for (int32_t k = -3; k <= 258; k++) {
            for (int32_t beside = -1; beside <= 1; beside++) {
                const int32_t v = k * (1 << shift) + (1 << (shift - 1)) + beside;
                const int64_t expected = clamped(half_even_shifted(v, shift), 0, 255);

                assert_int_equal(requantize_half_even(v, 1, 0, shift, 0, high), expected);
                assert_int_equal(requantize_half_even64(v, 1, 0, shift, 0, high), expected);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_affine),         cmocka_unit_test(test_affine_extremes),
        cmocka_unit_test(test_half_even_ties), cmocka_unit_test(test_half_even_extremes),
        cmocka_unit_test(test_random),         cmocka_unit_test(test_all_ties),
    };

    return cmocka_run_group_tests_name("requantize", tests, NULL, NULL);
}
