/*
 * Tests of words of two lanes as they are requantized, for both forms of codes_of. Who includes
 * this has defined CODE_BITS and included one of the forms, and says how many bits of a product it
 * drops and which shifts it takes.
 */
#ifndef PIXELS_H
#define PIXELS_H

#include "testing.h"

#include "../../Templates/kernels/requantize_hwc.c"

#define MOST_SUM 32767 /* of each lane */
#define TOP ((INT64_C(1) << CODE_BITS) - 1)
#define CHANNELS 24
#define WIDTH 5
#define GAP 9 /* words between the channels of two positions */

/* A shift that the compiler sees, where ALL_SHIFTS lists it, as emitted code has it. */
#define LEVELS_BY(shift)                                                                           \
    case shift:                                                                                    \
        return codes_of(sum, multiplier, bias, shift);
#define REQUANTIZE_BY(shift)                                                                       \
    case shift:                                                                                    \
        requantize_hwc(sums, scales, channels, shift, width, position, out);                       \
        break;

static uint32_t levels_by(int32_t sum, int32_t multiplier, int32_t bias, unsigned shift) {
    switch (shift) {
        ALL_SHIFTS(LEVELS_BY)
    default:
        return codes_of(sum, multiplier, bias, shift);
    }
}

static void requantize_by(const int32_t *sums, const int32_t (*scales)[2], uint32_t channels,
                          unsigned shift, uint32_t width, uint32_t position, uint32_t *out) {
    switch (shift) {
        ALL_SHIFTS(REQUANTIZE_BY)
    default:
        requantize_hwc(sums, scales, channels, shift, width, position, out);
        break;
    }
}

static int fits(int64_t v) {
    return v >= INT32_MIN && v <= INT32_MAX;
}

/* v / 2^bits, rounded down. */
static int64_t halved(int64_t v, unsigned bits) {
    const int64_t unit = INT64_C(1) << bits;

    return v < 0 ? -((unit - 1 - v) / unit) : v / unit;
}

static int64_t product(uint32_t sum, int64_t multiplier) {
    return halved((int64_t)sum * multiplier, DROP);
}

static int64_t scaled(uint32_t sum, const int32_t scale[2]) {
    return product(sum, scale[0]) + scale[1];
}

static uint32_t code(uint32_t sum, const int32_t scale[2], unsigned shift) {
    const int64_t v = halved(scaled(sum, scale), shift);

    return (uint32_t)(v < 0 ? 0 : v > TOP ? TOP : v);
}

static int32_t word_of(uint32_t low, uint32_t high) {
    return (int32_t)(high * 65536 + low);
}

static const uint32_t sum_edges[] = {0, 1, 2, 16383, 16384, MOST_SUM - 1, MOST_SUM};

#define SUM_EDGES (sizeof sum_edges / sizeof sum_edges[0])

static uint32_t random_sum(void) {
    return random_below(2) == 0 ? sum_edges[random_below(SUM_EDGES)]
                                : random_below(MOST_SUM + 1) >> random_below(15);
}

static int32_t random_multiplier(void) {
    static const int32_t edges[] = {0, 1, 65535, 65536, 65537, INT32_MAX - 1, INT32_MAX};

    return random_below(4) == 0 ? edges[random_below(sizeof edges / sizeof edges[0])]
                                : (int32_t)(random_word() >> random_between(1, 31));
}

/* What sums become has 32 bits. */
static void assert_levels(uint32_t low, uint32_t high, const int32_t scale[2], unsigned shift) {
    const uint32_t wanted = code(low, scale, shift) + code(high, scale, shift) * 65536;
    const int32_t sum = word_of(low, high);

    assert_int_equal(codes_of(sum, scale[0], scale[1], shift), wanted);
    assert_int_equal(levels_by(sum, scale[0], scale[1], shift), wanted);
}

/* A sum that becomes v, in either lane; the other lane's is any. */
static void assert_scaled(int64_t v, uint32_t sum, int32_t multiplier, unsigned shift) {
    const int64_t bias = v - product(sum, multiplier);
    const int32_t scale[2] = {multiplier, (int32_t)(fits(bias) ? bias : 0)};
    const uint32_t any = random_sum();
    const uint32_t other = fits(scaled(any, scale)) ? any : sum;

    if (fits(v) && fits(bias)) {
        assert_levels(sum, other, scale, shift);
        assert_levels(other, sum, scale, shift);
    }
}

/* Every step to a code and those that would follow, exactly there and beside it. */
static void test_steps(void **unused) {
    (void)unused;
    for (unsigned shift = LEAST_SHIFT; shift <= MOST_SHIFT; shift++) {
        for (int64_t k = -2; k <= TOP + 3; k++) {
            for (int64_t beside = -1; beside <= 1; beside++) {
                const int64_t v = k * (INT64_C(1) << shift) + beside;

                assert_scaled(v, random_sum(), random_multiplier(), shift);
                assert_scaled(v, 0, random_multiplier(), shift);
                assert_scaled(v, MOST_SUM, (int32_t)random_below(MOST_SUM), shift);
            }
        }
    }
}

/* The least and the greatest sums with the greatest multipliers, up to the ends of 32 bits. */
static void test_ends(void **unused) {
    static const int64_t ends[] = {INT32_MIN, INT32_MIN + 1, INT32_MIN / 2, -1,       0,
                                   1,         INT32_MAX / 2, INT32_MAX - 1, INT32_MAX};
    /* The greatest with which all sums become 32 bits. */
    const int32_t greatest = DROP > 0 ? INT32_MAX : (int32_t)(UINT32_MAX / MOST_SUM);

    (void)unused;
    for (unsigned shift = LEAST_SHIFT; shift <= MOST_SHIFT; shift++) {
        for (size_t i = 0; i < SUM_EDGES; i++) {
            for (size_t j = 0; j < sizeof ends / sizeof ends[0]; j++) {
                assert_scaled(ends[j], sum_edges[i], INT32_MAX, shift);
                assert_scaled(ends[j], sum_edges[i], greatest, shift);
                assert_scaled(ends[j], sum_edges[i], greatest / 2, shift);
                assert_scaled(ends[j], sum_edges[i], random_multiplier(), shift);
            }
        }
    }
}

/* All pairs of sums with biases that leave them negative, or beyond the top code. */
static void test_biases(void **unused) {
    const int32_t room = INT32_MAX - (int32_t)product(MOST_SUM, 65536);
    const int32_t biases[] = {INT32_MIN, INT32_MIN + 1, -1, 0, 1, room - 1, room};

    (void)unused;
    for (unsigned shift = LEAST_SHIFT; shift <= MOST_SHIFT; shift++) {
        for (size_t i = 0; i < SUM_EDGES * SUM_EDGES; i++) {
            for (size_t j = 0; j < sizeof biases / sizeof biases[0]; j++) {
                const int32_t scale[2] = {(int32_t)random_below(65537), biases[j]};

                assert_levels(sum_edges[i % SUM_EDGES], sum_edges[i / SUM_EDGES], scale, shift);
            }
        }
    }
}

/* A scale, and a sum of which it makes some code. A random number of sums takes all codes. */
static uint32_t random_scale(unsigned shift, int32_t scale[2]) {
    for (;;) {
        const uint32_t sum = random_sum();
        const int64_t all = INT64_C(1) << (CODE_BITS + shift + DROP);
        const int64_t multiplier = all / (1 + (random_below(MOST_SUM) >> random_below(15)));
        const int64_t v = random_below(TOP + 1) * (INT64_C(1) << shift) +
                          random_below((uint32_t)(INT64_C(1) << shift));
        const int64_t bias = v - product(sum, multiplier);

        if (fits(multiplier) && fits(bias)) {
            scale[0] = (int32_t)multiplier;
            scale[1] = (int32_t)bias;
            return sum;
        }
    }
}

/* Any that becomes 32 bits; some are near the given one. */
static uint32_t random_scaled_sum(uint32_t near, const int32_t scale[2]) {
    const uint32_t sum = random_below(4) == 0
                             ? random_sum()
                             : near ^ (random_below(MOST_SUM + 1) >> random_below(15));

    return fits(scaled(sum, scale)) ? sum : near;
}

static void test_random_levels(void **unused) {
    (void)unused;
    for (int round = 0; round < 50000; round++) {
        const unsigned shift = (unsigned)random_between(LEAST_SHIFT, MOST_SHIFT);
        int32_t scale[2];
        const uint32_t near = random_scale(shift, scale);
        const uint32_t low = random_scaled_sum(near, scale);

        assert_levels(low, random_scaled_sum(near, scale), scale, shift);
    }
}

/* Positions of channels, each with a scale of its own. */
static void test_requantize_pixels(void **unused) {
    static int32_t sums[WIDTH * CHANNELS];
    static int32_t scales[CHANNELS][2];
    static uint32_t expected[WIDTH * (CHANNELS + GAP)];
    static uint32_t out[1 + WIDTH * (CHANNELS + GAP)];

    (void)unused;
    for (int round = 0; round < 2000; round++) {
        const unsigned shift = (unsigned)random_between(LEAST_SHIFT, MOST_SHIFT);
        const uint32_t channels = 8 * random_between(1, CHANNELS / 8);
        const uint32_t width = random_between(1, WIDTH);
        const uint32_t position = channels + random_below(GAP + 1);
        /* The last of each are used, so that sanitizers see what is read beyond. */
        int32_t *const first = sums + WIDTH * CHANNELS - width * channels;
        int32_t(*const scale)[2] = scales + CHANNELS - channels;

        fill_guards(expected, sizeof expected / sizeof expected[0]);
        fill_guards(out, sizeof out / sizeof out[0]);
        for (uint32_t c = 0; c < channels; c++) {
            const uint32_t near = random_scale(shift, scale[c]);

            for (uint32_t x = 0; x < width; x++) {
                const uint32_t low = random_scaled_sum(near, scale[c]);
                const uint32_t high = random_scaled_sum(near, scale[c]);

                first[x * channels + c] = word_of(low, high);
                expected[x * position + c] =
                    code(low, scale[c], shift) + code(high, scale[c], shift) * 65536;
            }
        }
        requantize_hwc(first, (const int32_t(*)[2])scale, channels, shift, width, position,
                       out + 1);
        assert_guards(out, 1);
        assert_memory_equal(out + 1, expected, sizeof expected);

        fill_guards(out, sizeof out / sizeof out[0]);
        requantize_by(first, (const int32_t(*)[2])scale, channels, shift, width, position, out + 1);
        assert_guards(out, 1);
        assert_memory_equal(out + 1, expected, sizeof expected);
    }
}

#endif
