/* The benchmarks' programs: their frame leads to the chosen loop, and their counts are exact. (Never their times.) */
#include "ui/cli/bench_program.h"

#include "tests/support/unit.h"

// clang-format off
static const char source[] =
    BENCH_FRAME
    "TABLE    B     EMPTY\n"
    "         B     KEY\n"
    "EMPTY    BCT   7,EMPTY\n"
    "         B     DONE\n"
    "KEY      SPKA  0\n"
    "         BCT   7,KEY\n"
    "         B     DONE\n"
    BENCH_END;
// clang-format on

static void run(struct bytes *image, unsigned loop, bool dat, uint32_t count, const struct bench_place *place,
                struct bench_run *to) {
    struct error e = ERROR_CLEAR;
    bench_choose(image, loop, dat, count);
    if (!bench_run(image, place, to, &e))
        fail_msg("%s", e.text);
}

static void make(struct bytes *image) {
    struct error e = ERROR_CLEAR;
    *image = (struct bytes){0};
    if (!bench_assemble(NULL, "test.s", source, sizeof source - 1, image, &e))
        fail_msg("%s", e.text);
}

/* One interpreted instruction at depth d, its monitor dispatching by LPSW alone (docs/nesting.md, the formula). */
static void test_one_trap_at_depth_d_is_as_many_as_the_formula_says(void **state) {
    static const uint64_t expected[] = {0, 1, 2, 6, 16, 44};
    enum { COUNT = 100 };
    struct bytes image;
    (void)state;
    make(&image);
    for (unsigned depth = 0; depth <= 5; depth++) {
        struct bench_run less, more;
        const struct bench_place place = {.depth = depth};
        run(&image, 1, true, COUNT, &place, &less);
        run(&image, 1, true, 2 * COUNT, &place, &more);
        assert_int_equal(more.interruptions - less.interruptions, COUNT * expected[depth]);
        assert_int_equal(more.instructions - less.instructions, 2 * COUNT);
    }
    bytes_fini(&image);
}

static void test_programs_run_with_dat_on_and_off_with_any_options_and_a_disk(void **state) {
    struct bytes image;
    struct bench_run off, on;
    struct monitor_options options = vmm_default_options();
    (void)state;
    make(&image);
    options.policy = SHADOW_PROTECT;
    options.spaces = 1;
    const struct bench_place place = {.memory = 2 << 20, .depth = 2, .options = &options, .disk_blocks = 16};
    run(&image, 0, false, 10, &place, &off);
    run(&image, 0, true, 10, &place, &on);
    assert_true(on.instructions > off.instructions);
    assert_true(on.monitor[1].shadow_faults > off.monitor[1].shadow_faults);
    assert_true(off.cycles > 0);
    bytes_fini(&image);
}

static void test_places_that_do_not_fit_are_errors(void **state) {
    struct bytes image;
    struct bench_run r;
    struct error e = ERROR_CLEAR;
    (void)state;
    make(&image);
    assert_false(bench_run(&image, &(struct bench_place){.memory = 16 << 20, .depth = 1}, &r, &e));
    assert_int_equal(e.kind, ERROR_INPUT);
    bytes_fini(&image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_trap_at_depth_d_is_as_many_as_the_formula_says),
        cmocka_unit_test(test_programs_run_with_dat_on_and_off_with_any_options_and_a_disk),
        cmocka_unit_test(test_places_that_do_not_fit_are_errors),
    };
    return cmocka_run_group_tests_name("bench_program", tests, NULL, NULL);
}
