/* Codes of products that lose their lower half: by instructions where the core has them. */
#include "testing.h"

#ifndef CODE_BITS
#define CODE_BITS 8
#endif
#include "../../Templates/kernels/hwc_codes_dsp.c"

#define DROP 16
#define LEAST_SHIFT 8
#define MOST_SHIFT 14
#define ALL_SHIFTS(F) F(8) F(9) F(10) F(11) F(12) F(13) F(14)
#include "hwc.h"

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_biases),
        cmocka_unit_test(test_random_levels),
        cmocka_unit_test(test_requantize_pixels),
    };

    return cmocka_run_group_tests_name("hwc_dsp", tests, NULL, NULL);
}
