/* ternary_dot in its forms, with the vectors of Templates/kernels/WEIGHTS.md. */
#include "testing.h"

#include "../../Templates/kernels/ternary_dot.c"
#include "../../Templates/kernels/ternary_dot_u16.c"

#define ternary_dot ternary_dot_fours
#include "../../Templates/kernels/ternary_dot_fours.c"
#undef ternary_dot

#define MOST 40
#define MANY 1024

struct vector {
    const char *weights;
    uint8_t bytes[3];
};

static const struct vector vectors[] = {
    {"+", {0x01}},
    {"-", {0x03}},
    {"0", {0x00}},
    {"++++", {0x55}},
    {"----", {0xff}},
    {"+0-+", {0x71}},
    {"-0++-", {0x53, 0x03}},
    {"0+-00+", {0x34, 0x04}},
    {"-+0-+-+", {0xc7, 0x1d}},
    {"+0-+00--", {0x71, 0xf0}},
    {"000000000", {0x00, 0x00, 0x00}},
    {"00000000-", {0x00, 0x00, 0x03}},
    {"+0-", {0x31}},
    {"--0", {0x0f}},
    {"+00--+--", {0xc1, 0xf7}},
};

/* Each weight alone shows which value it meets, and with which sign. */
static void test_vectors(void **unused) {
    (void)unused;
    for (size_t v = 0; v < sizeof vectors / sizeof vectors[0]; v++) {
        const uint32_t count = (uint32_t)strlen(vectors[v].weights);

        for (uint32_t i = 0; i < count; i++) {
            const char weight = vectors[v].weights[i];
            const int32_t sign = weight == '+' ? 1 : weight == '-' ? -1 : 0;
            /* The vectors leave the last byte's other weights zero: four at a time see them. */
            uint8_t values[12] = {0};
            uint16_t values16[9] = {0};

            values[i] = 255;
            values16[i] = 65535;
            assert_int_equal(ternary_dot(vectors[v].bytes, values, count), sign * 255);
            assert_int_equal(ternary_dot_u16(vectors[v].bytes, values16, count), sign * 65535);
            assert_int_equal(ternary_dot_fours(vectors[v].bytes, values, (count + 3) / 4 * 4),
                             sign * 255);
        }
    }
}

static void test_nothing(void **unused) {
    const uint8_t byte = 0xff;
    const uint8_t value = 1;

    (void)unused;
    assert_int_equal(ternary_dot(&byte, &value, 0), 0);
    assert_int_equal(ternary_dot_fours(&byte, &value, 0), 0);
}

static void test_random(void **unused) {
    (void)unused;
    for (int round = 0; round < 20000; round++) {
        const uint32_t count = random_between(1, 41);
        int weights[41];
        uint8_t packed[11];
        uint8_t values[41];
        uint16_t values16[41];
        int32_t expected = 0;
        int32_t expected16 = 0;

        random_weights(weights, packed, count);
        for (uint32_t i = 0; i < count; i++) {
            values[i] = (uint8_t)random_below(256);
            values16[i] = (uint16_t)random_below(65536);
            expected += weights[i] * values[i];
            expected16 += weights[i] * values16[i];
        }
        assert_int_equal(ternary_dot(packed, values, count), expected);
        assert_int_equal(ternary_dot_u16(packed, values16, count), expected16);
    }
}

/* Both ends lie at the ends of their arrays, so that sanitizers see what is read beyond. */
static void test_random_fours(void **unused) {
    (void)unused;
    for (int round = 0; round < 20000; round++) {
        const uint32_t count = 4 * random_between(1, MOST / 4);
        int weights[MOST];
        uint8_t packed[MOST / 4];
        uint8_t values[MOST];
        uint8_t *const first = packed + (MOST - count) / 4;
        int32_t expected = 0;

        random_weights(weights, first, count);
        for (uint32_t i = 0; i < count; i++) {
            const uint8_t value = (uint8_t)random_below(256);

            values[MOST - count + i] = value;
            expected += weights[i] * value;
        }
        assert_int_equal(ternary_dot_fours(first, values + MOST - count, count), expected);
        assert_int_equal(ternary_dot(first, values + MOST - count, count), expected);
    }
}

/* All weights alike, and all values the greatest. */
static void test_extremes(void **unused) {
    static const uint8_t bytes[] = {0x00, 0x55, 0xff};
    static const int32_t weights[] = {0, 1, -1};
    uint8_t packed[MANY / 4];
    uint8_t values[MANY];

    (void)unused;
    memset(values, 255, sizeof values);
    for (size_t i = 0; i < sizeof bytes; i++) {
        memset(packed, bytes[i], sizeof packed);
        assert_int_equal(ternary_dot(packed, values, MANY), weights[i] * MANY * 255);
        assert_int_equal(ternary_dot(packed, values, MANY - 3), weights[i] * (MANY - 3) * 255);
        assert_int_equal(ternary_dot_fours(packed, values, MANY), weights[i] * MANY * 255);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),  cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_random),   cmocka_unit_test(test_random_fours),
        cmocka_unit_test(test_extremes),
    };

    return cmocka_run_group_tests_name("dot", tests, NULL, NULL);
}
