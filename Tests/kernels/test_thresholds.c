/* count_thresholds. */
#include "testing.h"

#include "../../Templates/kernels/count_thresholds.c"

static void test_edges(void **unused) {
    const int32_t steps[5] = {-7, 0, 3, 3, 1000};

    (void)unused;
    assert_int_equal(count_thresholds(5, steps, 0), 0);
    assert_int_equal(count_thresholds(INT32_MIN, steps, 5), 0);
    assert_int_equal(count_thresholds(-8, steps, 5), 0);
    assert_int_equal(count_thresholds(-7, steps, 5), 1);
    assert_int_equal(count_thresholds(-1, steps, 5), 1);
    assert_int_equal(count_thresholds(0, steps, 5), 2);
    assert_int_equal(count_thresholds(2, steps, 5), 2);
    assert_int_equal(count_thresholds(3, steps, 5), 4); /* a code that is skipped */
    assert_int_equal(count_thresholds(999, steps, 5), 4);
    assert_int_equal(count_thresholds(1000, steps, 5), 5);
    assert_int_equal(count_thresholds(INT32_MAX, steps, 5), 5);
    assert_int_equal(count_thresholds(-7, steps, 1), 1);
    assert_int_equal(count_thresholds(-8, steps, 1), 0);
}

static void test_random(void **unused) {
    (void)unused;
    for (int round = 0; round < 5000; round++) {
        const uint32_t count = random_below(256);
        int32_t steps[255];
        int32_t step = -(int32_t)random_below(500);

        for (uint32_t i = 0; i < count; i++) {
            steps[i] = step;
            step += (int32_t)random_below(5);
        }
        for (int i = 0; i < 20; i++) {
            const int32_t a = (int32_t)random_below(1500) - 600;
            int32_t expected = 0;

            for (uint32_t k = 0; k < count; k++) {
                expected += steps[k] <= a;
            }
            assert_int_equal(count_thresholds(a, steps, count), expected);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests_name("thresholds", tests, NULL, NULL);
}
