/* See verify_harness.h. Exit status: 0 all equal, 2 something differs, 66 vectors unreadable. */
#include "verify_harness.h"

#include "semihosting.h"

#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ADDRESS_SANITIZER 1
#endif
#endif

#if defined(HAS_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#define POISON(from, bytes) ASAN_POISON_MEMORY_REGION(from, bytes)
#define UNPOISON(from, bytes) ASAN_UNPOISON_MEMORY_REGION(from, bytes)
#else
#define POISON(from, bytes)
#define UNPOISON(from, bytes)
#endif

enum { ALL_EQUAL = 0, MISMATCH = 2, UNREADABLE = 66 };
enum { HEADER_BYTES = 24, GUARD_PATTERN = 0xC3 };

static uint32_t sample;
static uint64_t compared;
static uint64_t differing;

/* Little-endian two's complement of 1, 2 or 4 bytes; only 4 bytes carry a sign. */
static int32_t load(const uint8_t *from, uint32_t bytes) {
    uint32_t bits = 0;
    for (uint32_t i = bytes; i > 0; i--) {
        bits = bits << 8 | from[i - 1];
    }
    int32_t value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* What is expected of the value at an offset in the sample's expectations. */
#if defined(VERIFY_VECTORS_IN_FLASH)
static int vectors;
static uint32_t expectations; /* their place in the file */

static int32_t expected_at(uint32_t offset, uint32_t bytes) {
    uint8_t value[4];

    semihosting_seek(vectors, expectations + offset);
    semihosting_read(vectors, value, (size_t)bytes);
    return load(value, bytes);
}
#else
static int32_t expected_at(uint32_t offset, uint32_t bytes) {
    return load(&verify_expected[offset], bytes);
}
#endif

static int32_t element(const void *values, uint32_t index, uint32_t bytes) {
    switch (bytes) {
    case 1:
        return ((const uint8_t *)values)[index];
    case 2:
        return ((const uint16_t *)values)[index];
    default:
        return ((const int32_t *)values)[index];
    }
}

/* Text and number alternate: say("sample ", 3) prints "sample 3". */
static void say(const char *text, int64_t number) {
    semihosting_write(text);
    if (number < 0) {
        semihosting_write("-");
    }
    /* |number| < 2^33: the sum of two 32-bit integers at most. */
    semihosting_write_uint((uint64_t)(number < 0 ? -number : number));
}

/* Counts `values` differing ones; true for the first difference of all, the one to be described. */
static int is_first_difference(uint64_t values) {
    const int first = differing == 0;
    differing += values;
    if (first) {
        say("verify: sample ", sample);
    }
    return first;
}

static void say_layer(uint32_t layer) {
    say(", layer ", layer);
    semihosting_write(" '");
    semihosting_write(verify_model.layers[layer].name);
    semihosting_write("'");
}

/*
 * A column of a channel's row, out of words of several where distance is not 0: the last of a
 * word's columns run on into the halo.
 */
static int32_t column_at(const void *values, uint32_t index, uint32_t x, uint32_t distance,
                         uint32_t bits, uint32_t bytes) {
    const uint32_t *const words = values;
    if (distance == 0) {
        return element(values, index + x, bytes);
    }
    const uint32_t last = 32 / bits - 1;
    const uint32_t lane = x / distance < last ? x / distance : last;

    return (int32_t)(words[index + x - lane * distance] >> bits * lane &
                     ((UINT32_C(1) << bits) - 1U));
}

void verify_probe(uint32_t layer, uint32_t row, const void *values, uint32_t channel_stride,
                  uint32_t distance, uint32_t bits) {
    if (layer >= verify_model.layer_count || row >= verify_model.layers[layer].height) {
        if (is_first_difference(1)) {
            say(": the model reports row ", row);
            say(" of layer ", layer);
            semihosting_write(", which does not exist\n");
        }
        return;
    }
    uint32_t first = 0;
    uint8_t *row_count = verify_model.row_count;
    for (const struct verify_layer *l = verify_model.layers; l < &verify_model.layers[layer]; l++) {
        first += l->channels * l->height * l->width * l->element_bytes;
        row_count += l->height;
    }
    if (row_count[row] < UINT8_MAX) {
        row_count[row]++;
    }

    const struct verify_layer *const l = &verify_model.layers[layer];
    for (uint32_t channel = 0; channel < l->channels; channel++) {
        for (uint32_t column = 0; column < l->width; column++) {
            const uint32_t index = (channel * l->height + row) * l->width + column;
            const int32_t want = expected_at(first + index * l->element_bytes, l->element_bytes);
            const int32_t got = column_at(values, channel * channel_stride, column, distance, bits,
                                          l->element_bytes);
            compared++;
            if (got != want && is_first_difference(1)) {
                say_layer(layer);
                say(": channel ", channel);
                say(", row ", row);
                say(", column ", column);
                say(": expected ", (int64_t)want + l->level_offset);
                say(", got ", (int64_t)got + l->level_offset);
                semihosting_write("\n");
            }
        }
    }
}

static void check_rows(void) {
    const uint8_t *row_count = verify_model.row_count;
    for (uint32_t layer = 0; layer < verify_model.layer_count; layer++) {
        const struct verify_layer *const l = &verify_model.layers[layer];
        for (uint32_t row = 0; row < l->height; row++, row_count++) {
            if (*row_count != 1 && is_first_difference((uint64_t)l->channels * l->width)) {
                say_layer(layer);
                say(": row ", row);
                say(" was produced ", *row_count);
                semihosting_write(" times\n");
            }
        }
    }
}

static void check_output(void) {
    /* They stand last. */
    const uint32_t first = verify_model.expected_bytes - 4 * verify_model.output_count;

    for (uint32_t i = 0; i < verify_model.output_count; i++) {
        const int32_t want = expected_at(first + 4 * i, 4);
        compared++;
        if (verify_model.output[i] != want && is_first_difference(1)) {
            say(", output ", i);
            say(": expected ", want);
            say(", got ", verify_model.output[i]);
            semihosting_write("\n");
        }
    }
}

static void check_guard(const uint8_t *guard, const char *side) {
    for (uint32_t i = 0; i < VERIFY_GUARD_BYTES; i++) {
        if (guard[i] != GUARD_PATTERN && is_first_difference(1)) {
            semihosting_write(", state: written ");
            semihosting_write(side);
            say(" it, guard byte ", i);
            semihosting_write("\n");
        }
    }
}

static uint32_t row_total(void) {
    uint32_t rows = 0;
    for (uint32_t layer = 0; layer < verify_model.layer_count; layer++) {
        rows += verify_model.layers[layer].height;
    }
    return rows;
}

static void run_sample(void) {
    uint8_t *const before = verify_model.guarded;
    uint8_t *const state = before + VERIFY_GUARD_BYTES;
    uint8_t *const behind = state + verify_model.state_bytes;

    /*
     * The pattern alternates, so that a result that depends on what the state held is seen; the
     * outputs of the sample before must not pass for this one's.
     */
    const int pattern = sample % 2 == 0 ? 0xA5 : 0x5A;
    memset(state, pattern, (size_t)verify_model.state_bytes);
    memset(verify_model.output, pattern, sizeof(int32_t) * (size_t)verify_model.output_count);
    memset(before, GUARD_PATTERN, VERIFY_GUARD_BYTES);
    memset(behind, GUARD_PATTERN, VERIFY_GUARD_BYTES);
    memset(verify_model.row_count, 0, (size_t)row_total());
    POISON(before, VERIFY_GUARD_BYTES);
    POISON(behind, VERIFY_GUARD_BYTES);
    verify_model.run(state, verify_model.input, verify_model.output);
    UNPOISON(before, VERIFY_GUARD_BYTES);
    UNPOISON(behind, VERIFY_GUARD_BYTES);

    check_rows();
    check_output();
    check_guard(before, "before");
    check_guard(behind, "behind");
}

static int unreadable(const char *why) {
    semihosting_write("verify: vectors: ");
    semihosting_write(why);
    semihosting_write("\n");
    return UNREADABLE;
}

static int read_all(int file, void *to, uint32_t bytes) {
    return semihosting_read(file, to, (size_t)bytes) == bytes;
}

/* The next sample's input and what is expected of it, or where that lies. */
static int read_sample(int file) {
#if defined(VERIFY_VECTORS_IN_FLASH)
    vectors = file;
    expectations = HEADER_BYTES + verify_model.input_bytes +
                   sample * (verify_model.input_bytes + verify_model.expected_bytes);
    return semihosting_seek(file, expectations - verify_model.input_bytes) == 0 &&
           read_all(file, verify_model.input, verify_model.input_bytes);
#else
    return read_all(file, verify_model.input, verify_model.input_bytes) &&
           read_all(file, verify_expected, verify_model.expected_bytes);
#endif
}

int main(int argc, char *argv[]) {
    uint8_t header[HEADER_BYTES];
    const int file = argc > 1 ? semihosting_open(argv[1]) : -1;
    if (file < 0) {
        return unreadable("the first argument must name a file that can be read");
    }
    if (!read_all(file, header, sizeof header) || memcmp(header, "STERNAV1", 8) != 0) {
        return unreadable("the file does not begin with a STERNAV1 header");
    }
    if ((uint32_t)load(&header[12], 4) != verify_model.input_bytes ||
        (uint32_t)load(&header[16], 4) != verify_model.expected_bytes ||
        (uint32_t)load(&header[20], 4) != verify_model.output_count) {
        return unreadable("the file was made for another model");
    }
    const uint32_t samples = (uint32_t)load(&header[8], 4);

    for (sample = 0; sample < samples; sample++) {
        if (!read_sample(file)) {
            return unreadable("the file is too short");
        }
        run_sample();
    }
    semihosting_close(file);

    say("verify: samples=", samples);
    say(" layers=", verify_model.layer_count);
    say(" values=", (int64_t)compared);
    say(" differing=", (int64_t)differing);
    semihosting_write("\n");
    return differing == 0 ? ALL_EQUAL : MISMATCH;
}
