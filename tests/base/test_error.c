/* Tests of base/error. */
#include <string.h>

#include "base/error.h"
#include "tests/support/unit.h"

static void test_error_set_formats_text_and_returns_false(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    assert_false(error_set(&e, ERROR_INPUT, "%s: line %d", "lab.lua", 12));
    assert_int_equal(e.kind, 2);
    assert_string_equal(e.text, "lab.lua: line 12");
}

static void test_error_set_without_an_error_keeps_nothing(void **state) {
    (void)state;
    assert_false(error_set(NULL, ERROR_BUDGET, "%d", 1));
}

static void test_error_set_can_put_a_prefix_before_its_own_text(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    error_set(&e, ERROR_INPUT, "no such symbol");
    error_set(&e, e.kind, "guest.s:3: %s", e.text);
    assert_string_equal(e.text, "guest.s:3: no such symbol");
}

static void test_error_set_makes_one_line_of_several(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    error_set(&e, ERROR_INPUT, "a\nb\rc");
    assert_string_equal(e.text, "a b c");
}

static void test_error_set_cuts_long_text_to_fit(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    char text[2 * sizeof e.text];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    error_set(&e, ERROR_INPUT, "%s", text);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
}

/* Characters of 2, 3 and 4 bytes, begun at every distance from the end of the room. */
static void test_error_set_never_cuts_a_character_in_half(void **state) {
    (void)state;
    static const char *const characters[] = {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x92\xBB"};
    for (size_t c = 0; c < 3; c++) {
        size_t length = strlen(characters[c]);
        for (size_t missing = 0; missing <= length; missing++) {
            struct error e = ERROR_CLEAR;
            char text[sizeof e.text + 16];
            size_t before = sizeof e.text - 1 - length + missing;
            memset(text, 'x', before);
            strcpy(text + before, characters[c]);
            error_set(&e, ERROR_INPUT, "%s", text);
            assert_int_equal(strlen(e.text), missing ? before : sizeof e.text - 1);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_set_formats_text_and_returns_false),
        cmocka_unit_test(test_error_set_without_an_error_keeps_nothing),
        cmocka_unit_test(test_error_set_can_put_a_prefix_before_its_own_text),
        cmocka_unit_test(test_error_set_makes_one_line_of_several),
        cmocka_unit_test(test_error_set_cuts_long_text_to_fit),
        cmocka_unit_test(test_error_set_never_cuts_a_character_in_half),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
