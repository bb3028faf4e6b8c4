/*
 * What every test of the kernels needs: cmocka, the window's geometry, and a generator of random
 * numbers that is the same everywhere. A test includes the kernel files themselves, the very bytes
 * that the compiler copies.
 */
#ifndef TESTING_H
#define TESTING_H

/* cmocka.h wants these four first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#ifdef TAP_OFFSET_32
typedef uint32_t tap_offset;
#else
typedef uint16_t tap_offset;
#endif

#include "../../Templates/kernels/in_flash.c"

#include "../../Templates/kernels/stage.c"

static uint32_t seed = 1;

/* From 0 to below. */
static inline uint32_t random_below(uint32_t below) {
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % below;
}

static inline uint32_t random_between(uint32_t low, uint32_t high) {
    return low + random_below(high - low + 1);
}

/* What a kernel must not touch: words that a test puts around what it may. */
#define GUARD UINT32_C(0x5AC35AC3)

static inline void fill_guards(uint32_t *words, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        words[i] = GUARD;
    }
}

static inline void assert_guards(const uint32_t *words, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(words[i], GUARD);
    }
}

/* All 32 bits; random_below() never makes the largest number. */
static inline uint32_t random_word(void) {
    return random_below(0x10000) << 16 | random_below(0x10000);
}

/* -1, 0 or +1, with a density of its own for each list, and packed as WEIGHTS.md says. */
static inline void random_weights(int *weights, uint8_t *packed, uint32_t count) {
    const uint32_t density = random_below(5);

    for (uint32_t i = 0; i < (count + 3) / 4; i++) {
        packed[i] = 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t is_zero = random_below(5) > density;

        weights[i] = is_zero ? 0 : random_below(2) != 0 ? 1 : -1;
        packed[i / 4] = (uint8_t)(packed[i / 4] | (((uint32_t)weights[i] & 3U) << (2 * (i % 4))));
    }
}

#endif
