/* Channel programs of guests: the same random ones bare and under monitors, with the same condition codes, CSWs, sense
 * data and storage, under both sets of channel conditions. */
#include "tests/support/unit.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/channel_cases.h"
#include "vmm/vmm.h"

enum { CASES = 40, MONITORS = 2 };

static void run(const struct channel_case *c, unsigned monitors, enum channel_conditions conditions,
                uint8_t to[CASE_IMAGE]) {
    static const char *const kinds[MONITORS] = {"trap-and-emulate", "trap-and-emulate"};
    struct cost_model model;
    struct tower t;
    struct error e = ERROR_CLEAR;
    assert_true(channel_case_model(&model));
    struct machine_options o = {
        .memory_bytes = CASE_MEMORY, .model = &model, .nominal_time = true, .channel_conditions = conditions};
    if (!tower_new(&t, &o, kinds, monitors, &e))
        fail_msg("%s", e.text);
    if (!channel_case_run(t.innermost, c, to))
        fail_msg("case %llu did not end under %u monitors", (unsigned long long)c->number, monitors);
    tower_free(&t);
}

static void compare(enum channel_conditions conditions) {
    struct channel_case *c = malloc(sizeof *c);
    uint8_t(*got)[CASE_IMAGE] = calloc(MONITORS + 1, CASE_IMAGE);
    assert_non_null(c);
    assert_non_null(got);
    for (uint64_t number = 0; number < CASES; number++) {
        assert_true(channel_case_generate(c, 370, number));
        for (unsigned monitors = 0; monitors <= MONITORS; monitors++) {
            run(c, monitors, conditions, got[monitors]);
            memset(got[monitors] + 80, 0, 4); /* the interval timer */
            for (uint32_t at = 0; at < CASE_IMAGE; at++)
                if (got[0][at] != got[monitors][at])
                    fail_msg("case %llu differs at %04X under %u monitors", (unsigned long long)number, at, monitors);
        }
    }
    free(got);
    free(c);
}

static void test_hercules_conditions(void **state) {
    (void)state;
    compare(CHANNEL_CONDITIONS_HERCULES);
}

static void test_the_architecture_s_conditions(void **state) {
    (void)state;
    compare(CHANNEL_CONDITIONS_ARCHITECTURE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hercules_conditions),
        cmocka_unit_test(test_the_architecture_s_conditions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
