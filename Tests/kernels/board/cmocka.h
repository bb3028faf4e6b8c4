/*
 * As much of cmocka as these tests use, for emulated boards, to which cmocka has not been ported.
 * The first assertion that fails ends the program.
 */
#ifndef CMOCKA_H
#define CMOCKA_H

#include <semihosting.h>

struct CMUnitTest {
    const char *name;
    void (*run)(void **state);
};

#define cmocka_unit_test(function)                                                                 \
    { #function, function }
#define cmocka_run_group_tests_name(group, tests, setup, teardown)                                 \
    run_tests(group, tests, sizeof(tests) / sizeof((tests)[0]))

static inline int run_tests(const char *group, const struct CMUnitTest *tests, size_t count) {
    void *state = NULL;

    for (size_t i = 0; i < count; i++) {
        semihosting_write(group);
        semihosting_write(": ");
        semihosting_write(tests[i].name);
        semihosting_write("\n");
        tests[i].run(&state);
    }
    return 0;
}

static inline void assert_holds(int holds, const char *what, const char *file, uint32_t line) {
    if (!holds) {
        semihosting_write(file);
        semihosting_write(":");
        semihosting_write_uint(line);
        semihosting_write(": ");
        semihosting_write(what);
        semihosting_write("\n");
        semihosting_exit(1);
    }
}

#define assert_true(condition) assert_holds((condition) != 0, #condition, __FILE__, __LINE__)
#define assert_false(condition)                                                                    \
    assert_holds((condition) == 0, "not " #condition, __FILE__, __LINE__)
#define assert_int_equal(a, b)                                                                     \
    assert_holds((uint64_t)(a) == (uint64_t)(b), #a " == " #b, __FILE__, __LINE__)
#define assert_ptr_equal(a, b) assert_holds((a) == (b), #a " == " #b, __FILE__, __LINE__)
#define assert_memory_equal(a, b, size)                                                            \
    assert_holds(memcmp(a, b, size) == 0, #a " == " #b, __FILE__, __LINE__)

#endif
