/* row_is_due, locate_rows and fill_u8: how rows flow through a buffer. */
#include "testing.h"

#include "../../Templates/kernels/outside.c"
#include "../../Templates/kernels/plain_loop.c"

#include "../../Templates/kernels/fill_u8.c"

#include "../../Templates/kernels/fill_u16.c"
#include "../../Templates/kernels/row_offset.c"

#include "../../Templates/kernels/locate_rows.c"
#include "../../Templates/kernels/rows_needed.c"

#include "../../Templates/kernels/row_is_due.c"

static int due(const struct stage *stage, uint16_t arrived, uint16_t done) {
    const uint16_t rows[2] = {arrived, done};

    return row_is_due(stage, rows);
}

/* 3 rows, padded by one above and below, over 5. */
static void test_due_with_padding(void **unused) {
    const struct stage stage = {.height = 5, .out_height = 5, .reach = 3, .advance = 1, .top = 1};

    (void)unused;
    assert_false(due(&stage, 0, 0));
    assert_false(due(&stage, 1, 0));
    assert_true(due(&stage, 2, 0));
    assert_false(due(&stage, 2, 1));
    assert_true(due(&stage, 3, 1));
    assert_false(due(&stage, 4, 3));
    assert_true(due(&stage, 5, 3));
    assert_true(due(&stage, 5, 4));  /* the padding below comes with the last row */
    assert_false(due(&stage, 5, 5)); /* and then there is nothing left */
}

static void test_due_with_strides(void **unused) {
    /* The stride skips rows: windows at 0, 4 and 8 of 9. */
    const struct stage skipping = {.height = 9, .out_height = 3, .reach = 1, .advance = 4};
    /* A row that no window sees stands at the end. */
    const struct stage leaving = {.height = 5, .out_height = 2, .reach = 2, .advance = 2};
    /* A whole window in the padding above. */
    const struct stage above = {.height = 4, .out_height = 4, .reach = 2, .advance = 2, .top = 4};

    (void)unused;
    assert_false(due(&skipping, 0, 0));
    assert_true(due(&skipping, 1, 0));
    assert_false(due(&skipping, 4, 1));
    assert_true(due(&skipping, 5, 1));
    assert_false(due(&skipping, 8, 2));
    assert_true(due(&skipping, 9, 2));
    assert_false(due(&leaving, 3, 1));
    assert_true(due(&leaving, 4, 1));
    assert_false(due(&leaving, 5, 2));
    assert_true(due(&above, 0, 0));
    assert_true(due(&above, 0, 1));
    assert_false(due(&above, 0, 2));
    assert_false(due(&above, 1, 2));
    assert_true(due(&above, 2, 2));
}

static void test_locate(void **unused) {
    const struct stage stage = {.row_stride = 10,
                                .slots = 3,
                                .height = 7,
                                .kernel_height = 3,
                                .stride_height = 2,
                                .top = 1};
    tap_offset rows[3];

    (void)unused;
    locate_rows(&stage, 0, rows);
    assert_int_equal(rows[0], OUTSIDE);
    assert_int_equal(rows[1], 0);
    assert_int_equal(rows[2], 10);
    locate_rows(&stage, 1, rows); /* rows 1, 2, 3: the buffer has wrapped */
    assert_int_equal(rows[0], 10);
    assert_int_equal(rows[1], 20);
    assert_int_equal(rows[2], 0);
    locate_rows(&stage, 3, rows); /* rows 5, 6, 7: the last one is padding */
    assert_int_equal(rows[0], 20);
    assert_int_equal(rows[1], 0);
    assert_int_equal(rows[2], OUTSIDE);
}

/*
 * Rows arrive one after another at a buffer as small as the planner makes it. Each output row must
 * come as soon as its input rows are there, and find all of them: none missing, none overwritten.
 */
static void test_flow(void **unused) {
    (void)unused;
    for (int round = 0; round < 20000; round++) {
        const uint32_t height = random_between(1, 12);
        const uint32_t kernel = random_between(1, 7);
        const uint32_t stride = random_between(1, 5);
        const uint32_t top = random_below(kernel);
        const uint32_t bottom = random_below(kernel);
        const uint32_t slots = kernel < height ? kernel : height;
        struct stage stage = {.row_stride = 3,
                              .slots = (uint16_t)slots,
                              .height = (uint16_t)height,
                              .kernel_height = (uint16_t)kernel,
                              .stride_height = (uint16_t)stride,
                              .reach = (uint16_t)kernel,
                              .advance = (uint16_t)stride,
                              .top = (uint16_t)top};
        uint16_t rows[2] = {0, 0};
        uint32_t content[7];

        if (height + top + bottom < kernel) {
            continue;
        }
        stage.out_height = (uint16_t)((height + top + bottom - kernel) / stride + 1);
        for (uint32_t y = 0; y < height; y++) {
            content[row_offset(&stage, y) / stage.row_stride] = y;
            rows[0]++;
            while (row_is_due(&stage, rows)) {
                tap_offset window[7];
                int32_t last = (int32_t)(rows[1] * stride + kernel) - 1 - (int32_t)top;

                last = last < 0 ? 0 : last >= (int32_t)height ? (int32_t)height - 1 : last;
                assert_int_equal(y, last);
                locate_rows(&stage, rows[1], window);
                for (uint32_t ky = 0; ky < kernel; ky++) {
                    const int32_t wanted = (int32_t)(rows[1] * stride + ky) - (int32_t)top;

                    if (wanted < 0 || wanted >= (int32_t)height) {
                        assert_int_equal(window[ky], OUTSIDE);
                    } else {
                        assert_int_equal(window[ky] % stage.row_stride, 0);
                        assert_int_equal(content[window[ky] / stage.row_stride], wanted);
                    }
                }
                rows[1]++;
            }
        }
        assert_int_equal(rows[1], stage.out_height);
    }
}

static void test_fill(void **unused) {
    uint8_t buffer[6] = {1, 2, 3, 4, 5, 6};
    uint16_t ring16[4] = {1, 2, 3, 4};

    (void)unused;
    fill_u8(buffer, 0, 9);
    assert_int_equal(buffer[0], 1);
    fill_u8(buffer, 5, 9);
    assert_int_equal(buffer[0], 9);
    assert_int_equal(buffer[4], 9);
    assert_int_equal(buffer[5], 6);
    fill_u16(ring16, 3, 65535);
    assert_int_equal(ring16[0], 65535);
    assert_int_equal(ring16[2], 65535);
    assert_int_equal(ring16[3], 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_due_with_padding),
        cmocka_unit_test(test_due_with_strides),
        cmocka_unit_test(test_locate),
        cmocka_unit_test(test_flow),
        cmocka_unit_test(test_fill),
    };

    return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
