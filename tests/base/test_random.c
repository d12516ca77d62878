/* Tests of base/random. */
#include <string.h>

#include "base/random.h"
#include "tests/support/unit.h"

/* The first outputs for the state 1, 2, 3, 4 can be worked out by hand from the definition: 2 * 5 = 10, rotated by 7 is
 * 1280, times 9 is 11520; then s[1] is 0; and so on. */
static void test_random_follows_the_definition_of_xoshiro256starstar(void **state) {
    (void)state;
    static const uint64_t expected[] = {11520, 0, 1509978240, 1215971899390074240};
    struct random r = {{1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_int_equal(random_u64(&r), expected[i]);
    }
}

static void test_random_of_the_same_seed_and_name_repeats(void **state) {
    (void)state;
    struct random a, b;
    random_init(&a, 42, "keys");
    random_init(&b, 42, "keys");
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(random_u64(&a), random_u64(&b));
    }
}

static void test_random_of_another_seed_or_name_differs(void **state) {
    (void)state;
    static const struct {
        uint64_t seed;
        const char *name;
    } streams[] = {{0, ""}, {1, ""}, {0, "a"}, {0, "b"}, {1, "a"}, {0, "ab"}, {0, "ba"}, {0, "aa"}, {'a', ""}};
    enum { COUNT = sizeof streams / sizeof streams[0] };
    struct random r[COUNT];
    for (int i = 0; i < COUNT; i++) {
        random_init(&r[i], streams[i].seed, streams[i].name);
        for (int j = 0; j < i; j++) {
            for (int word = 0; word < 4; word++) {
                assert_int_not_equal(r[i].state[word], r[j].state[word]);
            }
        }
    }
}

static void test_random_below_one_is_always_zero(void **state) {
    (void)state;
    struct random r;
    random_init(&r, 1, "");
    for (int i = 0; i < 100; i++) {
        assert_int_equal(random_below(&r, 1), 0);
    }
}

static void test_random_below_stays_below_and_reaches_everything_evenly(void **state) {
    (void)state;
    struct random r;
    random_init(&r, 7, "dice");
    int counts[6] = {0};
    for (int i = 0; i < 60000; i++) {
        uint64_t value = random_below(&r, 6);
        assert_true(value < 6);
        counts[value]++;
    }
    for (int i = 0; i < 6; i++) {
        assert_in_range(counts[i], 9600, 10400); /* four standard deviations; the seed is fixed */
    }
}

/* With n a little over half of the range, nearly half of the draws have to be refused. */
static void test_random_below_has_no_bias_for_large_n(void **state) {
    (void)state;
    struct random r;
    random_init(&r, 7, "large");
    const uint64_t n = (1ULL << 63) + 1;
    int low = 0;
    for (int i = 0; i < 10000; i++) {
        uint64_t value = random_below(&r, n);
        assert_true(value < n);
        low += value < n / 2;
    }
    assert_in_range(low, 4800, 5200);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_follows_the_definition_of_xoshiro256starstar),
        cmocka_unit_test(test_random_of_the_same_seed_and_name_repeats),
        cmocka_unit_test(test_random_of_another_seed_or_name_differs),
        cmocka_unit_test(test_random_below_one_is_always_zero),
        cmocka_unit_test(test_random_below_stays_below_and_reaches_everything_evenly),
        cmocka_unit_test(test_random_below_has_no_bias_for_large_n),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
