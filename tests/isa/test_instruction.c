/* Tests of isa/instruction: the table found by bytes and by mnemonic, and fields taken apart and put together. */
#include <ctype.h>
#include <string.h>

#include "base/random.h"
#include "isa/instruction.h"
#include "tests/support/unit.h"

static void bytes_of(uint8_t text[2], const struct instruction *i) {
    text[0] = (uint8_t)(i->code > 0xFF ? i->code >> 8 : i->code);
    text[1] = (uint8_t)(i->code > 0xFF ? i->code : 0);
}

static void test_instruction_decode_finds_every_row(void **state) {
    (void)state;
    for (unsigned id = 0; id < INSTRUCTION_S370_COUNT; id++) {
        uint8_t text[2];
        bytes_of(text, &instruction_table[id]);
        assert_ptr_equal(instruction_decode(text), &instruction_table[id]);
        assert_int_equal(instruction_id(&instruction_table[id]), id);
        assert_int_equal(instruction_table[id].length, instruction_length(text[0]));
    }
}

static void test_instruction_decode_knows_nothing_else(void **state) {
    (void)state;
    unsigned found = 0;
    for (unsigned code = 0; code < 0x10000; code++) {
        const uint8_t text[2] = {(uint8_t)(code >> 8), (uint8_t)code};
        const struct instruction *i = instruction_decode(text);
        if (!i) {
            continue;
        }
        const bool io = code >> 8 >= 0x9C && code >> 8 <= 0x9E;
        if (i->code <= 0xFF) {
            assert_int_equal(i->code, code >> 8);
        } else if (code >> 8 == 0x9F) {
            assert_int_equal(i->code, 0x9F00);
        } else {
            assert_int_equal(i->code, io ? code & 0xFF01 : code);
        }
        found++;
    }
    assert_true(found > INSTRUCTION_S370_COUNT);
    const uint8_t unassigned[][2] = {{0x00, 0x00}, {0x20, 0x00}, {0x78, 0x00}, {0xB2, 0xFF}, {0xB2, 0xFE},
                                     {0xB2, 0x14}, {0xE5, 0x00}, {0xA7, 0xF4}, {0xFF, 0xFF}};
    for (unsigned k = 0; k < sizeof unassigned / 2; k++) {
        assert_null(instruction_decode(unassigned[k]));
    }
}

static void test_instruction_decode_looks_at_one_bit_of_the_second_byte_of_io(void **state) {
    (void)state;
    static const struct {
        uint8_t text[2];
        enum instruction_id id;
    } rows[] = {{{0x9C, 0x00}, INSTRUCTION_SIO},  {{0x9C, 0xFE}, INSTRUCTION_SIO}, {{0x9C, 0x01}, INSTRUCTION_SIOF},
                {{0x9C, 0xFF}, INSTRUCTION_SIOF}, {{0x9D, 0x80}, INSTRUCTION_TIO}, {{0x9D, 0x03}, INSTRUCTION_CLRIO},
                {{0x9E, 0x02}, INSTRUCTION_HIO},  {{0x9E, 0x01}, INSTRUCTION_HDV}, {{0x9F, 0x00}, INSTRUCTION_TCH},
                {{0x9F, 0x01}, INSTRUCTION_TCH}};
    for (unsigned k = 0; k < sizeof rows / sizeof *rows; k++) {
        assert_ptr_equal(instruction_decode(rows[k].text), &instruction_table[rows[k].id]);
    }
}

static void test_instruction_find_takes_either_case_and_whole_names_only(void **state) {
    (void)state;
    for (unsigned id = 0; id < INSTRUCTION_S370_COUNT; id++) {
        char name[8] = "";
        strncpy(name, instruction_table[id].mnemonic, sizeof name - 1);
        assert_ptr_equal(instruction_find(name), &instruction_table[id]);
        for (char *p = name; *p; p++) {
            *p = (char)tolower((unsigned char)*p);
        }
        assert_ptr_equal(instruction_find(name), &instruction_table[id]);
    }
    assert_null(instruction_find(""));
    assert_null(instruction_find("MV"));
    assert_null(instruction_find("MVCX"));
    assert_null(instruction_find("BR"));
}

static void test_instruction_put_is_the_inverse_of_take(void **state) {
    (void)state;
    struct random r;
    random_init(&r, 370, "fields");
    for (unsigned id = 0; id < INSTRUCTION_S370_COUNT; id++) {
        const struct instruction *i = &instruction_table[id];
        for (unsigned k = 0; k < 200; k++) {
            struct instruction_fields f, again;
            uint8_t text[6];
            for (unsigned n = 0; n < 6; n++) {
                text[n] = (uint8_t)random_below(&r, 256);
            }
            instruction_take(&f, i, text);
            instruction_put(text, i, &f);
            assert_ptr_equal(instruction_decode(text), i);
            instruction_take(&again, i, text);
            assert_int_equal(f.r1, again.r1);
            assert_int_equal(f.r3, again.r3);
            assert_int_equal(f.i2, again.i2);
            assert_int_equal(f.l1, again.l1);
            assert_int_equal(f.l2, again.l2);
            assert_int_equal(f.b1, again.b1);
            assert_int_equal(f.b2, again.b2);
            assert_int_equal(f.d1, again.d1);
            assert_int_equal(f.d2, again.d2);
        }
    }
}

/* From the Principles of Operation, "Instruction Formats": one instruction of each format. */
static void test_instruction_take_follows_the_formats(void **state) {
    (void)state;
    static const struct {
        uint8_t text[6];
        struct instruction_fields f;
    } rows[] = {
        {{0x1A, 0x27}, {.r1 = 2, .r3 = 7}},                                   /* RR */
        {{0x04, 0x97}, {.r1 = 9}},                                            /* RR_R1 */
        {{0x07, 0x8E}, {.r1 = 8, .r3 = 14}},                                  /* RR_MASK */
        {{0x0A, 0xC9}, {.i2 = 0xC9}},                                         /* RR_SVC */
        {{0x5A, 0x12, 0x3A, 0xBC}, {.r1 = 1, .r3 = 2, .b2 = 3, .d2 = 0xABC}}, /* RX */
        {{0x47, 0xF0, 0xC0, 0x10}, {.r1 = 15, .b2 = 12, .d2 = 0x010}},        /* RX_MASK */
        {{0x98, 0xEC, 0xD0, 0x0C}, {.r1 = 14, .r3 = 12, .b2 = 13, .d2 = 12}}, /* RS */
        {{0xBF, 0x17, 0x2F, 0xFF}, {.r1 = 1, .r3 = 7, .b2 = 2, .d2 = 0xFFF}}, /* RS_MASK */
        {{0x89, 0x1F, 0x20, 0x08}, {.r1 = 1, .b2 = 2, .d2 = 8}},              /* RS_SHIFT */
        {{0x92, 0x40, 0x5F, 0x00}, {.i2 = 0x40, .b1 = 5, .d1 = 0xF00}},       /* SI */
        {{0xB2, 0x08, 0x61, 0x23}, {.b2 = 6, .d2 = 0x123}},                   /* S */
        {{0xB2, 0x0D, 0x61, 0x23}, {0}},                                      /* S_NONE */
        {{0xB2, 0x21, 0xFF, 0x35}, {.r1 = 3, .r3 = 5}},                       /* RRE */
        {{0xD2, 0xFF, 0x12, 0x34, 0x56, 0x78}, {.l1 = 255, .b1 = 1, .d1 = 0x234, .b2 = 5, .d2 = 0x678}},
        {{0xF2, 0x7A, 0x12, 0x34, 0x56, 0x78}, {.l1 = 7, .l2 = 10, .b1 = 1, .d1 = 0x234, .b2 = 5, .d2 = 0x678}},
        {{0xF0, 0x35, 0x12, 0x34, 0x00, 0x3F}, {.l1 = 3, .r3 = 5, .b1 = 1, .d1 = 0x234, .d2 = 0x3F}},
        {{0xE5, 0x01, 0x12, 0x34, 0x56, 0x78}, {.b1 = 1, .d1 = 0x234, .b2 = 5, .d2 = 0x678}},
    };
    for (unsigned k = 0; k < sizeof rows / sizeof *rows; k++) {
        struct instruction_fields f;
        instruction_take(&f, instruction_decode(rows[k].text), rows[k].text);
        assert_int_equal(f.r1, rows[k].f.r1);
        assert_int_equal(f.r3, rows[k].f.r3);
        assert_int_equal(f.i2, rows[k].f.i2);
        assert_int_equal(f.l1, rows[k].f.l1);
        assert_int_equal(f.l2, rows[k].f.l2);
        assert_int_equal(f.b1, rows[k].f.b1);
        assert_int_equal(f.d1, rows[k].f.d1);
        assert_int_equal(f.b2, rows[k].f.b2);
        assert_int_equal(f.d2, rows[k].f.d2);
    }
}

static void test_every_row_is_complete(void **state) {
    (void)state;
    for (unsigned id = 0; id < INSTRUCTION_S370_COUNT; id++) {
        const struct instruction *i = &instruction_table[id];
        assert_true(i->mnemonic[0] && i->name[0] && i->format < FORMAT_COUNT && i->cc < CC_COUNT);
        /* Popek and Goldberg's condition: what is sensitive is privileged, or traps anyway. */
        if (i->class & (CLASS_CONTROL | CLASS_BEHAVIOUR)) {
            assert_true(i->privileged);
            assert_true(i->reason[0]);
        }
    }
    for (unsigned kind = 0; kind < CC_COUNT; kind++) {
        for (unsigned cc = 0; cc < 4; cc++) {
            assert_non_null(instruction_cc_text((enum instruction_cc)kind, cc));
        }
    }
    assert_string_equal(instruction_cc_text(CC_ARITHMETIC, 3), "overflow");
    assert_string_equal(instruction_cc_text(CC_MASK, 2), "");
    assert_string_equal(instruction_operands(FORMAT_SS_LI), "DLB1s,DB2,I3");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_instruction_decode_finds_every_row),
        cmocka_unit_test(test_instruction_decode_knows_nothing_else),
        cmocka_unit_test(test_instruction_decode_looks_at_one_bit_of_the_second_byte_of_io),
        cmocka_unit_test(test_instruction_find_takes_either_case_and_whole_names_only),
        cmocka_unit_test(test_instruction_put_is_the_inverse_of_take),
        cmocka_unit_test(test_instruction_take_follows_the_formats),
        cmocka_unit_test(test_every_row_is_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
