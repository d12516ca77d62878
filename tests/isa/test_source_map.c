/* Source maps: which label and which statement an address of a program is, and where the next one begins. */
#include "tests/support/unit.h"

#include "isa/source_map.h"

static const char source[] = "PROG     START X'100'\n"
                             "         USING PROG,0\n"
                             "BEGIN    LA    1,TABLE        the table\n"
                             "         L     2,=F'7'\n"
                             "MIDDLE   EQU   *-2\n"
                             "         SVC   1\n"
                             "TABLE    DC    F'1,2,3'\n"
                             "ROOM     DS    CL10\n"
                             "NUMBER   EQU   5\n"
                             "         END   BEGIN\n";

static struct source_map *map_of(const char *text) {
    struct assembly a = {0};
    struct error e = ERROR_CLEAR;
    const struct assembler_options options = {.listing = true};
    assert_true(assemble(&a, "test.s", text, strlen(text), &options, &e));
    struct source_map *map = source_map_new(&a);
    assert_non_null(map);
    assembly_fini(&a);
    return map;
}

static void assert_line(const struct source_map *map, uint32_t address, uint32_t begins, uint32_t length,
                        bool instruction, const char *text) {
    struct source_line line;
    assert_true(source_map_line(map, address, &line));
    assert_int_equal(line.address, begins);
    assert_int_equal(line.length, length);
    assert_int_equal(line.instruction, instruction);
    assert_int_equal(line.text_length, strlen(text));
    assert_memory_equal(line.text, text, line.text_length);
}

static void test_source_map_line_is_the_statement_that_made_what_is_there(void **state) {
    (void)state;
    struct source_map *map = map_of(source);
    struct source_line line;
    assert_line(map, 0x100, 0x100, 4, true, "BEGIN    LA    1,TABLE        the table");
    assert_line(map, 0x103, 0x100, 4, true, "BEGIN    LA    1,TABLE        the table");
    assert_line(map, 0x10C, 0x10C, 12, false, "TABLE    DC    F'1,2,3'");
    assert_line(map, 0x117, 0x10C, 12, false, "TABLE    DC    F'1,2,3'");
    assert_line(map, 0x128, 0x128, 4, false, "=F'7'"); /* the literal, behind everything */
    assert_false(source_map_line(map, 0x118, &line));  /* DS makes nothing */
    assert_false(source_map_line(map, 0xFF, &line));
    source_map_free(map);
}

static void test_source_map_next_goes_from_labels_and_statements_to_the_next(void **state) {
    (void)state;
    struct source_map *map = map_of(source);
    static const int64_t places[] = {0x100, 0x104, 0x106, 0x108, 0x10C, 0x118, 0x128, 0x12C, -1};
    for (size_t n = 0; places[n] >= 0; n++) {
        assert_int_equal(source_map_next(map, (uint32_t)places[n], 1), places[n + 1]);
        assert_int_equal(source_map_next(map, (uint32_t)places[n], -1), n ? places[n - 1] : -1);
    }
    assert_int_equal(source_map_next(map, 0, 1), 0x100);
    assert_int_equal(source_map_next(map, 0xFFFFFF, -1), 0x12C);
    assert_int_equal(source_map_next(map, 0x10A, -1), 0x108);
    source_map_free(map);
}

static void test_source_map_label_is_the_last_one_before(void **state) {
    (void)state;
    struct source_map *map = map_of(source);
    uint32_t offset, value;
    assert_string_equal(source_map_label(map, 0x100, &offset), "PROG"); /* of two the first */
    assert_int_equal(offset, 0);
    assert_string_equal(source_map_label(map, 0x11A, &offset), "ROOM");
    assert_int_equal(offset, 2);
    assert_null(source_map_label(map, 0xFF, &offset));
    assert_true(source_map_find(map, "number", &value));
    assert_int_equal(value, 5);
    source_map_free(map);
}

static void test_source_map_of_a_program_without_listing_has_labels_only(void **state) {
    (void)state;
    struct assembly a = {0};
    struct error e = ERROR_CLEAR;
    struct source_line line;
    uint32_t offset;
    assert_true(assemble(&a, "test.s", source, strlen(source), &(struct assembler_options){0}, &e));
    struct source_map *map = source_map_new(&a);
    assembly_fini(&a);
    assert_false(source_map_line(map, 0x100, &line));
    assert_string_equal(source_map_label(map, 0x10C, &offset), "TABLE");
    assert_int_equal(source_map_next(map, 0x100, 1), 0x106);
    source_map_free(map);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_source_map_line_is_the_statement_that_made_what_is_there),
        cmocka_unit_test(test_source_map_next_goes_from_labels_and_statements_to_the_next),
        cmocka_unit_test(test_source_map_label_is_the_last_one_before),
        cmocka_unit_test(test_source_map_of_a_program_without_listing_has_labels_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
