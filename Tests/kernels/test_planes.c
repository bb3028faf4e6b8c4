/* Convolutions that make whole planes: their sums against sums of values, and planes of all kinds.
 */
#include "testing.h"

#include "../../Templates/kernels/plain_loop.c"

#include "../../Templates/kernels/list_taps.c"
#include "../../Templates/kernels/no_inline.c"
#include "../../Templates/kernels/swar4.c"

#include "../../Templates/kernels/requantize_swar2.c"
#include "../../Templates/kernels/unpack_row_swar2.c"

#include "../../Templates/kernels/convolve_row_swar2_strided.c"

#include "../../Templates/kernels/make_swar4.c"

#include "../../Templates/kernels/planes.c"

#include "../../Templates/kernels/convolve_planes.c"

#include "../../Templates/kernels/convolve_plane_rows.c"

#define CHANNELS 6
#define EXTENT 11
#define KERNEL 4
#define TAPS (CHANNELS * KERNEL * KERNEL)
#define PADDED (EXTENT + 2 * KERNEL)
#define MAP_BYTES ((EXTENT + KERNEL) * (EXTENT + KERNEL) + 15)
#define SHIFT 3
#define BITS 8

struct shape {
    uint32_t height, width, kernel_height, kernel_width, stride, top, left, bottom, right, padding;
    uint32_t out_height, out_width;
};

static uint32_t in[CHANNELS * MAP_BYTES / 4 + 1];
/* The last map's rows may go beyond it. */
static uint32_t out[CHANNELS * MAP_BYTES / 4 + EXTENT + KERNEL + 2];
static uint32_t words[CHANNELS * PADDED * PADDED];
static uint32_t scratch[8 * PADDED * PADDED];
static uint8_t values[CHANNELS][EXTENT][EXTENT];
static int weights[CHANNELS][TAPS];
static uint8_t packed[CHANNELS * ((TAPS + 3) / 4)];
static int32_t multiplier[CHANNELS];
static int32_t bias[CHANNELS];
static uint16_t scale[CHANNELS][3];
static tap_offset window[TAPS];
static tap_offset offsets[TAPS];

/* Weights of taps taps and requantizers that leave hardly a code at its clamp. */
static void random_layer(uint32_t taps, uint32_t guard) {
    for (uint32_t c = 0; c < CHANNELS; c++) {
        random_weights(weights[c], packed + c * ((taps + 3) / 4), taps);
        multiplier[c] = (int32_t)random_between(1, 20);
        bias[c] = (int32_t)random_below(2000) - (int32_t)guard * multiplier[c];
        bias[c] = (bias[c] & ~63) | SHIFT;
        scale[c][0] = (uint16_t)multiplier[c];
        scale[c][1] = (uint16_t)((uint32_t)bias[c] & 0xFFFFU);
        scale[c][2] = (uint16_t)((uint32_t)bias[c] >> 16);
    }
}

static uint8_t code(uint32_t oc, int32_t sum, uint32_t guard) {
    const int32_t scaled = ((sum + (int32_t)guard) * multiplier[oc] + bias[oc]) / (1 << SHIFT);

    return (uint8_t)(scaled < 0 ? 0 : scaled > 255 ? 255 : scaled);
}

/* Values and the planes that hold them; the bytes behind a map are anything. */
static void random_maps(const struct shape *shape, uint32_t stride) {
    uint8_t *const bytes = (uint8_t *)in;

    for (uint32_t i = 0; i < sizeof in; i++) {
        bytes[i] = (uint8_t)random_below(256);
    }
    for (uint32_t c = 0; c < CHANNELS; c++) {
        for (uint32_t i = 0; i < shape->height * shape->width; i++) {
            values[c][i / shape->width][i % shape->width] = bytes[c * stride + i];
        }
    }
}

static int32_t value_at(const struct shape *shape, uint32_t c, uint32_t y, uint32_t x) {
    const int is_inside = y < shape->height && x < shape->width;

    return is_inside ? values[c][y][x] : (int32_t)shape->padding;
}

/* Of the channels from first to end, as one list of taps. */
static uint8_t expected(const struct shape *shape, uint32_t oc, uint32_t first, uint32_t end,
                        uint32_t oy, uint32_t ox, uint32_t guard) {
    const int *weight = weights[oc];
    int32_t sum = 0;

    for (uint32_t c = first; c < end; c++) {
        for (uint32_t ky = 0; ky < shape->kernel_height; ky++) {
            for (uint32_t kx = 0; kx < shape->kernel_width; kx++) {
                sum += *weight++ * value_at(shape, c, oy * shape->stride + ky - shape->top,
                                            ox * shape->stride + kx - shape->left);
            }
        }
    }
    return code(oc, sum, guard);
}

static struct shape random_shape(uint32_t most_kernel, uint32_t most_stride) {
    struct shape shape = {.height = random_between(1, EXTENT), .width = random_between(1, EXTENT)};
    const uint32_t stride = random_between(1, most_stride);

    do {
        shape.kernel_height = random_between(1, most_kernel);
        shape.kernel_width = random_between(1, most_kernel);
        shape.top = random_below(shape.kernel_height);
        shape.bottom = random_below(shape.kernel_height);
        shape.left = random_below(shape.kernel_width);
        shape.right = random_below(shape.kernel_width);
    } while (shape.height + shape.top + shape.bottom < shape.kernel_height ||
             shape.width + shape.left + shape.right < shape.kernel_width);
    shape.stride = stride;
    shape.padding = random_below(256);
    shape.out_height = (shape.height + shape.top + shape.bottom - shape.kernel_height) / stride + 1;
    shape.out_width = (shape.width + shape.left + shape.right - shape.kernel_width) / stride + 1;
    return shape;
}

static uint32_t map_bytes(uint32_t height, uint32_t width) {
    return (height * width + 15) / 16 * 16;
}

static void assert_maps(const struct shape *shape, int is_depthwise, uint32_t stride,
                        uint32_t guard) {
    const uint8_t *const bytes = (const uint8_t *)(out + 1);
    const uint16_t one = 1;
    const int most_significant_first = *(const uint8_t *)&one == 0;

    for (uint32_t oc = 0; oc < CHANNELS; oc++) {
        /* What shares a word with the map's last bytes, below them. */
        for (uint32_t i = shape->out_height * shape->out_width;
             most_significant_first && i < stride; i++) {
            assert_int_equal(bytes[oc * stride + i], 0);
        }
        for (uint32_t oy = 0; oy < shape->out_height; oy++) {
            for (uint32_t ox = 0; ox < shape->out_width; ox++) {
                const uint32_t first = is_depthwise ? oc : 0;
                const uint32_t end = is_depthwise ? oc + 1 : CHANNELS;

                assert_int_equal(bytes[oc * stride + oy * shape->out_width + ox],
                                 expected(shape, oc, first, end, oy, ox, guard));
            }
        }
    }
    assert_guards(out, 1);
}

static void test_points(void **unused) {
    (void)unused;
    for (int round = 0; round < 300; round++) {
        const struct shape shape = random_shape(1, 1);
        const uint32_t bytes = map_bytes(shape.height, shape.width);
        const uint32_t guard = random_between(CHANNELS * 255, 65535 - CHANNELS * 255);
        const struct grid grid = {.channels = CHANNELS,
                                  .taps = CHANNELS,
                                  .out_bytes = (uint16_t)bytes,
                                  .out_height = (uint16_t)shape.out_height,
                                  .out_width = (uint16_t)shape.out_width,
                                  .tap_rows = CHANNELS,
                                  .tap_columns = 1,
                                  .tap_step = (uint16_t)bytes,
                                  .swar4 = (uint16_t)(bytes / 4),
                                  .bits = BITS};
        const struct planes planes = {
            .grid = &grid, .weights = packed, .scale = scale[0], .guard = (uint16_t)guard};

        random_layer(CHANNELS, guard);
        random_maps(&shape, bytes);
        fill_guards(out, sizeof out / sizeof out[0]);
        convolve_planes(&planes, (const uint8_t *)in, window, offsets, scratch,
                        (uint8_t *)(out + 1));
        assert_maps(&shape, 0, bytes, guard);
        assert_guards(out + 1 + CHANNELS * bytes / 4, 1);
    }
}

static void test_channels(void **unused) {
    (void)unused;
    for (int round = 0; round < 500; round++) {
        const struct shape shape = random_shape(KERNEL, 1);
        const uint32_t taps = shape.kernel_height * shape.kernel_width;
        const uint32_t guard = random_between(taps * 255, 65535 - taps * 255);
        const uint32_t halo = shape.left > shape.right ? shape.left : shape.right;
        const uint32_t pitch = shape.width + halo;
        const uint32_t quarter = (shape.out_height + 3) / 4;
        const uint32_t rows = quarter + shape.kernel_height - 1;
        const uint32_t swar4 = (quarter - 1) * pitch + shape.out_width;
        const uint32_t sums = (swar4 + 3) / 4 * 4;
        const uint32_t reached =
            sums + halo - shape.left + (shape.kernel_height - 1) * pitch + shape.kernel_width - 1;
        const uint32_t spread =
            (reached > rows * pitch ? reached : rows * pitch) + (shape.width + 3) / 4;
        const uint32_t in_bytes = map_bytes(shape.height, shape.width);
        const uint32_t out_bytes = map_bytes(shape.out_height, shape.out_width);
        const uint32_t made = (CHANNELS - 1) * out_bytes + 4 * quarter * shape.out_width;
        const struct grid grid = {.channels = CHANNELS,
                                  .taps = (uint16_t)taps,
                                  .in_bytes = (uint16_t)in_bytes,
                                  .out_bytes = (uint16_t)out_bytes,
                                  .height = (uint16_t)shape.height,
                                  .width = (uint16_t)shape.width,
                                  .out_height = (uint16_t)shape.out_height,
                                  .out_width = (uint16_t)shape.out_width,
                                  .tap_rows = (uint16_t)shape.kernel_height,
                                  .tap_columns = (uint16_t)shape.kernel_width,
                                  .tap_first = (uint16_t)(4 * (halo - shape.left)),
                                  .tap_step = (uint16_t)(4 * pitch),
                                  .top = (uint16_t)shape.top,
                                  .rows = (uint16_t)rows,
                                  .quarter = (uint16_t)quarter,
                                  .pitch = (uint16_t)pitch,
                                  .swar4 = (uint16_t)swar4,
                                  .spread = (uint16_t)spread,
                                  .bits = BITS};
        const struct planes planes = {.grid = &grid,
                                      .weights = packed,
                                      .scale = scale[0],
                                      .guard = (uint16_t)guard,
                                      .padding = (uint16_t)shape.padding};
        uint32_t *const space = scratch + sizeof scratch / sizeof scratch[0] - spread - sums;

        assert_true(spread + sums < sizeof scratch / sizeof scratch[0]);
        random_layer(taps, guard);
        random_maps(&shape, in_bytes);
        fill_guards(scratch, sizeof scratch / sizeof scratch[0]);
        fill_guards(out, sizeof out / sizeof out[0]);
        convolve_planes(&planes, (const uint8_t *)in, window, offsets, space, (uint8_t *)(out + 1));
        assert_maps(&shape, 1, out_bytes, guard);
        assert_guards(
            out + 1 + ((made > CHANNELS * out_bytes ? made : CHANNELS * out_bytes) + 3) / 4, 1);
        assert_guards(space - 1, 1);
    }
}

/* Rows of words as pack_row_swar2 makes them, padding above and below stored too. */
static void test_rows(void **unused) {
    (void)unused;
    for (int round = 0; round < 300; round++) {
        const struct shape shape = random_shape(KERNEL, 3);
        const uint32_t taps = CHANNELS * shape.kernel_height * shape.kernel_width;
        const uint32_t guard = random_between(taps * 255, 65535 - taps * 255);
        const uint32_t count = (shape.out_width + 1) / 2;
        const uint32_t distance = count * shape.stride;
        const uint32_t span = (count - 1) * shape.stride + shape.kernel_width;
        const uint32_t bytes = map_bytes(shape.out_height, shape.out_width);
        const struct stage stage = {.row_stride = CHANNELS * span,
                                    .channel_stride = (uint16_t)span,
                                    .out_width = (uint16_t)count,
                                    .kernel_height = (uint16_t)shape.kernel_height,
                                    .kernel_width = (uint16_t)shape.kernel_width,
                                    .stride_height = (uint16_t)shape.stride,
                                    .stride_width = (uint16_t)shape.stride};
        const struct grid grid = {.channels = CHANNELS,
                                  .taps = (uint16_t)taps,
                                  .out_bytes = (uint16_t)bytes,
                                  .out_height = (uint16_t)shape.out_height,
                                  .out_width = (uint16_t)shape.out_width,
                                  .bits = BITS};
        const struct planes planes = {
            .grid = &grid, .weights = packed, .scale = scale[0], .guard = (uint16_t)guard};

        random_layer(taps, guard);
        random_maps(&shape, map_bytes(shape.height, shape.width));
        for (uint32_t y = 0; y < shape.height + shape.top + shape.bottom; y++) {
            for (uint32_t c = 0; c < CHANNELS; c++) {
                for (uint32_t j = 0; j < span; j++) {
                    const int32_t low = value_at(&shape, c, y - shape.top, j - shape.left);
                    const int32_t high =
                        value_at(&shape, c, y - shape.top, j + distance - shape.left);

                    words[y * stage.row_stride + c * span + j] = (uint32_t)low | (uint32_t)high
                                                                                     << 16;
                }
            }
        }
        fill_guards(out, sizeof out / sizeof out[0]);
        convolve_plane_rows(&planes, &stage, words, window, offsets, scratch, (uint8_t *)(out + 1));
        for (uint32_t oc = 0; oc < CHANNELS; oc++) {
            const uint8_t *const map = (const uint8_t *)(out + 1) + oc * bytes;

            for (uint32_t i = 0; i < shape.out_height * shape.out_width; i++) {
                assert_int_equal(map[i], expected(&shape, oc, 0, CHANNELS, i / shape.out_width,
                                                  i % shape.out_width, guard));
            }
        }
        assert_guards(out, 1);
        assert_guards(out + 1 + CHANNELS * bytes / 4, 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_points),
        cmocka_unit_test(test_channels),
        cmocka_unit_test(test_rows),
    };

    return cmocka_run_group_tests_name("planes", tests, NULL, NULL);
}
