/* Tests of isa/classify: the classes derived by experiment are those that were written down by hand, and those that the
 * instruction table declares; witnesses say what they should; the theorems follow. */
#include <stdio.h>
#include <string.h>

#include "isa/classify.h"
#include "tests/isa/expected_classes.h"
#include "tests/support/unit.h"

static struct classification derived[PROFILE_COUNT];

static struct classification make(enum profile profile, uint64_t seed, const char *only) {
    struct classification c;
    struct error e = ERROR_CLEAR;
    const struct classify_options o = {.profile = profile, .seed = seed, .only = only ? instruction_find(only) : NULL};
    if (!classify(&c, &o, &e))
        fail_msg("%s", e.text);
    return c;
}

static int setup(void **state) {
    (void)state;
    for (int p = 0; p < PROFILE_COUNT; p++)
        derived[p] = make((enum profile)p, CLASSIFY_SEED, NULL);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    for (int p = 0; p < PROFILE_COUNT; p++)
        classification_free(&derived[p]);
    return 0;
}

static const struct verdict *verdict_of(const struct classification *c, const char *mnemonic) {
    for (unsigned n = 0; n < c->count; n++)
        if (strcmp(c->verdict[n].instruction->mnemonic, mnemonic) == 0)
            return &c->verdict[n];
    fail_msg("%s was not classified", mnemonic);
    return NULL;
}

/* How many instructions the rows name, all of them as expected. */
static unsigned compare(const struct classification *c, const struct expected_classes *rows, size_t count) {
    unsigned named = 0;
    for (size_t n = 0; n < count; n++) {
        char list[200];
        snprintf(list, sizeof list, "%s", rows[n].mnemonics);
        for (char *rest = list, *mnemonic; (mnemonic = strtok_r(rest, " ", &rest)); named++) {
            const struct verdict *v = verdict_of(c, mnemonic);
            if (strcmp(classify_class_name(v->class), rows[n].class) != 0 || v->privileged != rows[n].privileged ||
                v->user_sensitive != rows[n].user_sensitive)
                fail_msg("%s: %s, %sprivileged, %suser-sensitive; expected %s, %d, %d", mnemonic,
                         classify_class_name(v->class), v->privileged ? "" : "not ", v->user_sensitive ? "" : "not ",
                         rows[n].class, rows[n].privileged, rows[n].user_sensitive);
        }
    }
    return named;
}

#define ROWS(table) table, sizeof table / sizeof *table

static void test_classify_derives_the_expected_class_of_every_instruction(void **state) {
    (void)state;
    assert_int_equal(compare(&derived[PROFILE_S370], ROWS(expected_s370)), INSTRUCTION_S370_COUNT);
    assert_int_equal(derived[PROFILE_S370].count, INSTRUCTION_S370_COUNT);
    assert_int_equal(compare(&derived[PROFILE_FLAWED], ROWS(expected_s370)) +
                         compare(&derived[PROFILE_FLAWED], ROWS(expected_flawed)),
                     INSTRUCTION_COUNT);
    assert_int_equal(derived[PROFILE_FLAWED].count, INSTRUCTION_COUNT);
}

static void test_classify_agrees_with_the_declared_classes(void **state) {
    (void)state;
    const struct classification *c = &derived[PROFILE_FLAWED];
    for (unsigned n = 0; n < c->count; n++) {
        const struct instruction *i = c->verdict[n].instruction;
        if (c->verdict[n].class != i->class || c->verdict[n].privileged != i->privileged)
            fail_msg("%s is %s, and declared %s", i->mnemonic, classify_class_name(c->verdict[n].class),
                     classify_class_name(i->class));
        if (i->class != CLASS_INNOCUOUS && !*i->reason)
            fail_msg("%s has a class and no reason", i->mnemonic);
    }
}

static void test_classify_has_compared_enough_to_call_it_innocuous(void **state) {
    (void)state;
    const struct classification *c = &derived[PROFILE_S370];
    for (unsigned n = 0; n < c->count; n++) {
        const struct verdict *v = &c->verdict[n];
        if (v->class == CLASS_INNOCUOUS &&
            (!v->enough || v->pairs[WITNESS_MODE] < 50 || v->pairs[WITNESS_LOCATION] < 50))
            fail_msg("%s: too few pairs of states", v->instruction->mnemonic);
    }
}

static void test_classify_notes_what_lies_outside_the_model(void **state) {
    (void)state;
    const struct classification *c = &derived[PROFILE_S370];
    for (unsigned n = 0; n < c->count; n++) {
        const char *mnemonic = c->verdict[n].instruction->mnemonic;
        unsigned expected = strcmp(mnemonic, "STCK") == 0 ? OUTSIDE_CLOCK
                            : strcmp(mnemonic, "MC") == 0 ? OUTSIDE_MONITOR_MASKS
                                                          : 0;
        if (c->verdict[n].outside != expected)
            fail_msg("%s has %u for a footnote, not %u", mnemonic, c->verdict[n].outside, expected);
    }
}

/* The classes hold for other states, too. */
static void test_classify_finds_the_same_with_another_seed(void **state) {
    (void)state;
    static const char *const some[] = {"LRA", "SIGP",  "IPTE", "STIDC", "TCH", "HDV", "PTLB", "RRB",
                                       "SSK", "STOSM", "RTU",  "LPM",   "SPS", "ST",  "MC",   "STCK"};
    for (size_t n = 0; n < sizeof some / sizeof *some; n++) {
        const struct verdict *usual = verdict_of(&derived[PROFILE_FLAWED], some[n]);
        for (uint64_t seed = 1; seed <= 2; seed++) {
            struct classification c = make(PROFILE_FLAWED, seed, some[n]);
            if (c.verdict->class != usual->class || c.verdict->privileged != usual->privileged ||
                c.verdict->user_sensitive != usual->user_sensitive || c.verdict->outside != usual->outside)
                fail_msg("%s with seed %u: %s", some[n], (unsigned)seed, classify_class_name(c.verdict->class));
            classification_free(&c);
        }
    }
}

static void assert_same_verdict(const struct verdict *a, const struct verdict *b) {
    struct bytes text_a = {0}, text_b = {0};
    classify_explain(a, &text_a);
    classify_explain(b, &text_b);
    assert_string_equal((const char *)text_a.data, (const char *)text_b.data);
    bytes_fini(&text_a);
    bytes_fini(&text_b);
}

static void test_classify_of_one_instruction_is_that_of_all(void **state) {
    (void)state;
    static const char *const some[] = {"SPS", "LPSW", "MVC"};
    for (size_t n = 0; n < sizeof some / sizeof *some; n++) {
        struct classification c = make(PROFILE_FLAWED, CLASSIFY_SEED, some[n]);
        assert_int_equal(c.count, 1);
        assert_same_verdict(c.verdict, verdict_of(&derived[PROFILE_FLAWED], some[n]));
        classification_free(&c);
    }
}

static void test_classify_refuses_what_the_profile_does_not_have(void **state) {
    (void)state;
    struct classification c;
    struct error e = ERROR_CLEAR;
    const struct classify_options o = {.only = &instruction_table[INSTRUCTION_LPM]};
    assert_false(classify(&c, &o, &e));
    assert_string_equal(e.text, "LPM is not an instruction of the profile s370");
}

static bool at_once(void *self) {
    (void)self;
    return true;
}

static void test_classify_ends_when_it_is_interrupted(void **state) {
    (void)state;
    struct classification c;
    struct error e = ERROR_CLEAR;
    const struct classify_options o = {.interrupted = at_once};
    assert_false(classify(&c, &o, &e));
    assert_int_equal(e.kind, ERROR_BUDGET);
}

/* ---- Witnesses ---- */

static void test_witness_of_return_to_user_is_the_mode(void **state) {
    (void)state;
    const struct verdict *v = verdict_of(&derived[PROFILE_FLAWED], "RTU");
    const struct witness *w = &v->witness[WITNESS_CONTROL];
    assert_string_equal(w->differs, "mode");
    assert_string_equal(w->first, "supervisor");
    assert_string_equal(w->second, "problem");
    assert_false(witness_found(&v->witness[WITNESS_MODE]));
    assert_false(witness_found(&v->witness[WITNESS_USER_CONTROL]));
}

static void test_witness_of_load_psw_masks_is_the_system_mask(void **state) {
    (void)state;
    const struct verdict *v = verdict_of(&derived[PROFILE_FLAWED], "LPM");
    assert_string_equal(v->witness[WITNESS_CONTROL].differs, "system mask");
    assert_string_equal(v->witness[WITNESS_CONTROL].mode, "supervisor");
    assert_string_equal(v->witness[WITNESS_MODE].differs, "system mask");
    assert_false(witness_found(&v->witness[WITNESS_LOCATION]));
    assert_false(witness_found(&v->witness[WITNESS_RESOURCE]));
}

static void test_witness_of_load_real_address_is_the_location(void **state) {
    (void)state;
    const struct verdict *v = verdict_of(&derived[PROFILE_S370], "LRA");
    const struct witness *w = &v->witness[WITNESS_LOCATION];
    assert_memory_equal(w->differs, "general register ", 17);
    assert_string_not_equal(w->first, w->second);
    assert_string_equal(v->witness[WITNESS_TRAP].second, "privileged-operation exception");
}

static void test_witness_names_the_one_resource(void **state) {
    (void)state;
    static const struct {
        const char *mnemonic, *resource;
    } rows[] = {{"STIDP", "processor that executes"},
                {"STAP", "processor that executes"},
                {"STIDC", "devices that are attached"},
                {"TCH", "state of the devices"},
                {"IPK", "key of the PSW"},
                {"STPT", "CPU timer"},
                {"STCKC", "clock comparator"},
                {"ISK", "storage keys"},
                {"STNSM", "interruption masks of the PSW"}};
    for (size_t n = 0; n < sizeof rows / sizeof *rows; n++)
        assert_string_equal(verdict_of(&derived[PROFILE_S370], rows[n].mnemonic)->witness[WITNESS_RESOURCE].resource,
                            rows[n].resource);
}

/* ---- Theorems ---- */

static void assert_theorem(enum profile profile, unsigned number, const char *breaks) {
    struct theorem t;
    char list[64] = "";
    classification_theorem(&derived[profile], number, &t);
    for (unsigned n = 0; n < t.count; n++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", n ? " " : "", t.breaks[n]->mnemonic);
    assert_string_equal(list, breaks);
    assert_int_equal(t.holds, !*breaks);
}

static void test_theorems_hold_for_s370_and_break_for_flawed(void **state) {
    (void)state;
    struct theorem t;
    for (unsigned number = 1; number <= THEOREMS; number++)
        assert_theorem(PROFILE_S370, number, "");
    assert_theorem(PROFILE_FLAWED, 1, "RTU LPM SPS");
    assert_theorem(PROFILE_FLAWED, 2, "RTU LPM SPS");
    assert_theorem(PROFILE_FLAWED, 3, "SPS");
    classification_theorem(&derived[PROFILE_S370], 2, &t);
    assert_int_equal(t.clocks, 1);
    assert_string_equal(t.shows_time[0]->mnemonic, "STCK");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classify_derives_the_expected_class_of_every_instruction),
        cmocka_unit_test(test_classify_agrees_with_the_declared_classes),
        cmocka_unit_test(test_classify_has_compared_enough_to_call_it_innocuous),
        cmocka_unit_test(test_classify_notes_what_lies_outside_the_model),
        cmocka_unit_test(test_classify_finds_the_same_with_another_seed),
        cmocka_unit_test(test_classify_of_one_instruction_is_that_of_all),
        cmocka_unit_test(test_classify_refuses_what_the_profile_does_not_have),
        cmocka_unit_test(test_classify_ends_when_it_is_interrupted),
        cmocka_unit_test(test_witness_of_return_to_user_is_the_mode),
        cmocka_unit_test(test_witness_of_load_psw_masks_is_the_system_mask),
        cmocka_unit_test(test_witness_of_load_real_address_is_the_location),
        cmocka_unit_test(test_witness_names_the_one_resource),
        cmocka_unit_test(test_theorems_hold_for_s370_and_break_for_flawed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
