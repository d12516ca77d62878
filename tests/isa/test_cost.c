/* Cost models: the numbers of s370 against the sheet they were taken from (worked out by hand here), and the parser's
 * messages for malformed files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "isa/cost.h"

static struct cost_model model_named(const char *name) {
    struct cost_model m;
    struct error e = ERROR_CLEAR;
    if (!cost_model_find(&m, name, &e))
        fail_msg("%s", e.text);
    return m;
}

/* --- s370 --------------------------------------------------------------------------------------------------------- */

/* In every model. */
static void assert_device_times(const struct cost_model *m) {
    assert_int_equal(m->console_character, 600000);
    assert_int_equal(m->printer_line, 500000);
    assert_int_equal(m->reader_card, 652000);
    assert_int_equal(m->disk_seek, 43500);
    assert_int_equal(m->disk_cylinder, 400);
    assert_int_equal(m->disk_latency, 87800);
    assert_int_equal(m->disk_block, 2800);
}

static void test_parameters_of_s370(void **state) {
    (void)state;
    struct cost_model m = model_named("s370");
    assert_string_equal(m.name, "s370");
    assert_int_equal(m.crossing, 2);
    assert_int_equal(m.index, 1);
    assert_int_equal(m.interruption, 27);
    assert_int_equal(m.tlb_miss, 8);
    assert_int_equal(m.table_fetch, 6);
    assert_int_equal(m.exception, 4);
    assert_int_equal(m.completion, 4);
    assert_int_equal(m.register_access, 3);
    assert_int_equal(m.storage_access, 250);
    assert_int_equal(m.storage_doubleword, 4);
    assert_int_equal(m.interpretation, 260);
    assert_device_times(&m);
}

struct row_case {
    const char *mnemonics; /* separated by spaces */
    struct cost_row row;
};

static const struct row_case rows[] = {
    {"LR LTR LCR LPR LNR AR SR ALR SLR CR CLR NR OR XR SPM", {.base = 2}},
    {"LA IPK", {.base = 3}},
    {"L LH IC A AH AL S SH SL C CH CL N O X", {.base = 5}},
    {"ST STH STC", {.base = 5}},
    {"MR", {.base = 16}},
    {"M", {.base = 19}},
    {"MH", {.base = 14}},
    {"DR", {.base = 36}},
    {"D", {.base = 39}},
    {"SLL SRL SLA SRA", {.base = 4, .per_unit = 1, .unit_size = 8, .unit_floor = true}},
    {"SLDL SRDL SLDA SRDA", {.base = 6, .per_unit = 1, .unit_size = 8, .unit_floor = true}},
    {"BC BCR", {.base = 2, .taken = 4}},
    {"BAL BALR BAS BASR", {.base = 4, .taken = 3}},
    {"BCT BCTR", {.base = 3, .taken = 3}},
    {"BXH BXLE", {.base = 5, .taken = 3}},
    {"EX", {.base = 7}},
    {"LM STM", {.base = 4, .per_unit = 1, .per_doubleword = 2}},
    {"ICM STCM CLM", {.base = 6, .per_unit = 1}},
    {"MVI CLI TM", {.base = 5}},
    {"NI OI XI", {.base = 7}},
    {"TS", {.base = 8}},
    {"CS", {.base = 10}},
    {"CDS", {.base = 12}},
    {"MVC", {.base = 8, .per_unit = 2, .unit_size = 8, .overlap_base = 8, .overlap_per_byte = 1}},
    {"NC OC XC MVN MVZ", {.base = 8, .per_unit = 3, .unit_size = 4}},
    {"CLC", {.base = 8, .per_unit = 2, .unit_size = 4}},
    {"MVCL", {.base = 16, .per_unit = 2, .unit_size = 8}},
    {"CLCL", {.base = 16, .per_unit = 2, .unit_size = 4}},
    {"TR TRT", {.base = 10, .per_unit = 3}},
    {"MVCIN", {.base = 10, .per_unit = 2}},
    {"PACK UNPK MVO", {.base = 10, .per_unit = 1}},
    {"CVB", {.base = 32}},
    {"CVD", {.base = 36}},
    {"ED EDMK", {.base = 14, .per_unit = 4}},
    {"AP SP ZAP CP", {.base = 14, .per_unit = 1}},
    {"MP", {.base = 20, .per_unit = 6}},
    {"DP", {.base = 24, .per_unit = 8}},
    {"SRP", {.base = 14, .per_unit = 2}},
    {"MC", {.base = 5}},
    {"SVC", {.base = 0}},
    {"STCK SCK SCKC SPT STCKC STPT STIDP", {.base = 8}},
    {"LPSW", {.base = 15}},
    {"SSM STNSM STOSM", {.base = 8}},
    {"LCTL", {.base = 6, .per_unit = 2, .per_doubleword = 2}},
    {"STCTL", {.base = 6, .per_unit = 1}},
    {"LRA", {.base = 26}},
    {"PTLB", {.base = 16}},
    {"IPTE", {.base = 24}},
    {"SPX", {.base = 20}},
    {"STPX STAP", {.base = 5}},
    {"ISK SSK RRB ISKE SSKE RRBE", {.base = 8}},
    {"SPKA", {.base = 4}},
    {"SIO SIOF", {.base = 60}},
    {"TIO CLRIO", {.base = 30}},
    {"HIO HDV", {.base = 40}},
    {"TCH", {.base = 12}},
    {"STIDC", {.base = 14}},
    {"SIGP", {.base = 30}},
    {"DIAG", {.base = 20}},
    {"RTU", {.base = 6}},
    {"LPM", {.base = 8}},
    {"SPS", {.base = 6}},
    {"TPROT", {.base = 10}},
};

static void assert_row(const char *mnemonic, const struct cost_row *got, const struct cost_row *want) {
    unsigned unit_size = want->unit_size ? want->unit_size : 1;
    if (got->base != want->base || got->taken != want->taken || got->per_unit != want->per_unit ||
        got->unit_size != unit_size || got->per_doubleword != want->per_doubleword ||
        got->overlap_base != want->overlap_base || got->overlap_per_byte != want->overlap_per_byte ||
        got->unit_floor != want->unit_floor)
        fail_msg("%s: base %u taken %u unit %u/%u doubleword %u overlap %u %u floor %d", mnemonic, got->base,
                 got->taken, got->per_unit, got->unit_size, got->per_doubleword, got->overlap_base,
                 got->overlap_per_byte, got->unit_floor);
}

static void test_rows_of_s370_are_those_of_the_sheet(void **state) {
    (void)state;
    struct cost_model m = model_named("s370");
    bool seen[INSTRUCTION_COUNT] = {false};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char list[200];
        snprintf(list, sizeof list, "%s", rows[i].mnemonics);
        for (char *rest = list, *mnemonic; (mnemonic = strtok_r(rest, " ", &rest));) {
            const struct instruction *instruction = instruction_find(mnemonic);
            assert_non_null(instruction);
            assert_row(mnemonic, &m.row[instruction_id(instruction)], &rows[i].row);
            seen[instruction_id(instruction)] = true;
        }
    }
    for (size_t i = 0; i < INSTRUCTION_COUNT; i++)
        if (!seen[i])
            fail_msg("no expectation for %s", instruction_table[i].mnemonic);
}

static void test_flat_charges_one_cycle_an_instruction_and_nothing_else(void **state) {
    (void)state;
    struct cost_model m = model_named("flat");
    for (size_t i = 0; i < INSTRUCTION_COUNT; i++)
        assert_row(instruction_table[i].mnemonic, &m.row[i], &(struct cost_row){.base = 1});
    assert_int_equal(m.crossing + m.index + m.interruption + m.tlb_miss + m.table_fetch + m.exception, 0);
    assert_int_equal(m.completion, 1);
    assert_int_equal(m.register_access + m.storage_access + m.storage_doubleword + m.interpretation, 0);
    assert_device_times(&m);
}

static void test_models_are_found_by_name(void **state) {
    (void)state;
    assert_string_equal(cost_model_name(0), "flat");
    assert_string_equal(cost_model_name(1), "s370");
    assert_null(cost_model_name(2));
    struct cost_model m;
    struct error e = ERROR_CLEAR;
    assert_false(cost_model_find(&m, "s390", &e));
    assert_int_equal(e.kind, ERROR_INPUT);
    assert_string_equal(e.text, "there is no cost model \"s390\"; there are: flat, s370");
}

/* --- cost_static and cost_units ----------------------------------------------------------------------------------- */

static void test_cost_static_adds_what_the_text_tells(void **state) {
    (void)state;
    static const struct {
        uint8_t text[6];
        unsigned cycles;
    } cases[] = {
        {{0x18, 0x12}, 2},                           /* LR */
        {{0x58, 0x10, 0xC0, 0x00}, 5},               /* L 1,0(0,12) */
        {{0x58, 0x12, 0x00, 0x00}, 5},               /* L 1,0(2,0): one register is not a second one */
        {{0x58, 0x12, 0xC0, 0x00}, 6},               /* L 1,0(2,12) */
        {{0x41, 0x12, 0xC0, 0x00}, 4},               /* LA with index */
        {{0x47, 0xF2, 0xC0, 0x00}, 3},               /* BC with index */
        {{0x98, 0xEC, 0xD0, 0x0C}, 19},              /* LM 14,12: 15 registers */
        {{0x90, 0x55, 0xD0, 0x0C}, 5},               /* STM 5,5: one */
        {{0xBF, 0x10, 0xC0, 0x00}, 6},               /* ICM with mask 0 */
        {{0xBF, 0x1F, 0xC0, 0x00}, 10},              /* ICM with mask 15 */
        {{0x89, 0x10, 0x00, 0x1F}, 4},               /* SLL: the shift is the executor's affair */
        {{0xD2, 0x00, 0xC0, 0x00, 0xC0, 0x10}, 10},  /* MVC of 1 byte */
        {{0xD2, 0x07, 0xC0, 0x00, 0xC0, 0x10}, 10},  /* of 8 */
        {{0xD2, 0x08, 0xC0, 0x00, 0xC0, 0x10}, 12},  /* of 9 */
        {{0xD2, 0xFF, 0xC0, 0x00, 0xC0, 0x10}, 72},  /* of 256 */
        {{0xD5, 0xFF, 0xC0, 0x00, 0xC0, 0x10}, 8},   /* CLC: what it compares is not known */
        {{0xD7, 0x04, 0xC0, 0x00, 0xC0, 0x00}, 14},  /* XC of 5 */
        {{0xF2, 0x73, 0xC0, 0x00, 0xC0, 0x10}, 22},  /* PACK of 8 and 4 */
        {{0xFC, 0x73, 0xC0, 0x00, 0xC0, 0x10}, 212}, /* MP of 8 and 4: 32 pairs */
        {{0xF0, 0x35, 0xC0, 0x00, 0x00, 0x02}, 22},  /* SRP of 4 */
        {{0xB7, 0x01, 0xC0, 0x00}, 10},              /* LCTL 0,1 */
        {{0x0A, 0x01}, 0},                           /* SVC */
    };
    struct cost_model m = model_named("s370");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct instruction *instruction = instruction_decode(cases[i].text);
        assert_non_null(instruction);
        unsigned cycles = cost_static(&m, instruction, cases[i].text);
        if (cycles != cases[i].cycles)
            fail_msg("%s: %u cycles, not %u", instruction->mnemonic, cycles, cases[i].cycles);
    }
}

static void test_cost_units_counts_started_or_whole_groups(void **state) {
    (void)state;
    struct cost_row started = {.per_unit = 3, .unit_size = 4};
    assert_int_equal(cost_units(&started, 0), 0);
    assert_int_equal(cost_units(&started, 1), 3);
    assert_int_equal(cost_units(&started, 4), 3);
    assert_int_equal(cost_units(&started, 5), 6);
    struct cost_row whole = {.per_unit = 1, .unit_size = 8, .unit_floor = true};
    assert_int_equal(cost_units(&whole, 7), 0);
    assert_int_equal(cost_units(&whole, 8), 1);
    assert_int_equal(cost_units(&whole, 63), 7);
}

/* --- malformed files ---------------------------------------------------------------------------------------------- */

static void assert_message(const char *text, size_t length, const char *message) {
    struct cost_model m, before;
    memset(&m, 0x5A, sizeof m);
    before = m;
    struct error e = ERROR_CLEAR;
    if (cost_model_parse(&m, "x.model", text, length, &e))
        fail_msg("accepted: %s", text);
    assert_string_equal(e.text, message);
    assert_int_equal(e.kind, ERROR_INPUT);
    assert_memory_equal(&m, &before, sizeof m);
}

static void test_malformed_lines_are_reported_with_their_number(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "x.model:1: a model file begins with: model NAME"},
        {"# nothing\n\n", "x.model:2: a model file begins with: model NAME"},
        {"LR 2\n", "x.model:1: a model file begins with: model NAME"},
        {"model\n", "x.model:1: the name of the model is missing"},
        {"model a\nmodel b\n", "x.model:2: the model already has a name, a"},
        {"model a b\n", "x.model:1: \"b\" is not expected here"},
        {"model a2345678901234567890123456789012\n", "x.model:1: the name of the model has more than 31 characters"},
        {"model a\n\nLXX 2\n", "x.model:3: \"LXX\" is neither an instruction nor a parameter"},
        {"model a\nlr 2\n", "x.model:2: \"lr\" is neither an instruction nor a parameter"},
        {"model a\nLR\n", "x.model:2: the value of LR is missing"},
        {"model a\nLR 2x\n", "x.model:2: \"2x\" is not a number"},
        {"model a\nLR -2\n", "x.model:2: \"-2\" is neither a number nor a symbol defined above"},
        {"model a\nLR 2+\n", "x.model:2: a number or a symbol is missing beside +"},
        {"model a\nLR +2\n", "x.model:2: a number or a symbol is missing beside +"},
        {"model a\nLR 2+F\n", "x.model:2: \"F\" is neither a number nor a symbol defined above"},
        {"model a\nLR 65536\n", "x.model:2: 65536 is too large: the greatest value is 65535"},
        {"model a\nLR 65535+1\n", "x.model:2: 65535+1 is too large: the greatest value is 65535"},
        {"model a\nLR 99999999999999999999999\n",
         "x.model:2: 99999999999999999999999 is too large: the greatest value is 65535"},
        {"model a\nLR 2 3\n", "x.model:2: \"3\" is not expected here; LR has no unit"},
        {"model a\nLR 2 taken 3\n", "x.model:2: LR does not branch, so it is never taken"},
        {"model a\nLR 2 overlap 1 1\n", "x.model:2: only MVC has an overlap"},
        {"model a\nMVC 2 overlap 1\n", "x.model:2: the value of overlap is missing"},
        {"model a\nLM 4 byte 1\n", "x.model:2: \"byte\" is not expected here; the unit of LM is register"},
        {"model a\nLM 4 register 1 register 1\n", "x.model:2: register is given twice"},
        {"model a\nSLL 4 shift 1 whole 0\n", "x.model:2: units cannot be counted in groups of 0"},
        {"model a\nSLL 4 shift 1 started\n", "x.model:2: the value of started is missing"},
        {"model a\nLR 2\nL 5\nLR 2\n", "x.model:4: LR is already given on line 2"},
        {"model a\ncrossing 2\ncrossing 2\n", "x.model:3: crossing is already given on line 2"},
        {"model a\ncrossing\n", "x.model:2: the value of crossing is missing"},
        {"model a\ncrossing 1 2\n", "x.model:2: \"2\" is not expected here"},
        {"model a\nprinter_line 150\n", "x.model:2: printer_line must be a multiple of 100"},
        {"model a\nprinter_line 1000000000001\n",
         "x.model:2: 1000000000001 is too large: the greatest value is 1000000000000"},
        {"model a\nsymbol\n", "x.model:2: the name of the symbol is missing"},
        {"model a\nsymbol F\n", "x.model:2: the value of the symbol is missing"},
        {"model a\nsymbol f 2\n", "x.model:2: \"f\" cannot be a symbol: 1 to 8 capital letters can"},
        {"model a\nsymbol F 2\nsymbol F 2\n", "x.model:3: symbol F is already defined"},
        {"model a\nsymbol F G\nsymbol G 1\n", "x.model:2: \"G\" is neither a number nor a symbol defined above"},
        {"model a\nsymbol F 40000\nLR F+F\n", "x.model:3: F+F is too large: the greatest value is 65535"},
        {"model a\n\001\n", "x.model:2: character X'01' outside a comment"},
        {"model a\nLR 2 \303\n", "x.model:2: character X'C3' outside a comment"},
        {"model a\nLR 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n", "x.model:2: more than 16 words on a line"},
        {"model a\ncrossing 1 # \303\n", "x.model:2: the file ends without index"},
        {"model a\r\ncrossing 1\r\n", "x.model:2: the file ends without index"},
        {"model a\ncrossing 1", "x.model:2: the file ends without index"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_message(cases[i].text, strlen(cases[i].text), cases[i].message);
    assert_message("model a\nLR\0", 11, "x.model:2: character X'00' outside a comment");
}

static struct bytes text_of_s370(void) {
    struct bytes text = {0};
    struct error e = ERROR_CLEAR;
    if (!bytes_read_file(&text, SOURCE_DIR "/isa/models/s370.model", 1 << 20, &e))
        fail_msg("%s", e.text);
    return text;
}

static void test_a_missing_row_is_named(void **state) {
    (void)state;
    struct bytes text = text_of_s370();
    char *row = strstr((char *)text.data, "\nMVCL ");
    assert_non_null(row);
    row[1] = '#';
    struct cost_model m;
    struct error e = ERROR_CLEAR;
    assert_false(cost_model_parse(&m, "x.model", (char *)text.data, text.length, &e));
    assert_non_null(strstr(e.text, ": the file ends without a row for MVCL"));
    bytes_fini(&text);
}

/* Every prefix of a model, and every model with one byte changed: a message or a model, and never a read outside. */
static void test_damaged_files_never_crash_the_parser(void **state) {
    (void)state;
    struct bytes text = text_of_s370();
    struct cost_model m;
    for (size_t length = 0; length + 8 < text.length; length += 7) { /* the end of the last line may be spared */
        char *copy = malloc(length ? length : 1); /* exactly as long, so that the sanitizer sees its end */
        assert_non_null(copy);
        memcpy(copy, text.data, length);
        struct error e = ERROR_CLEAR;
        assert_false(cost_model_parse(&m, "x.model", copy, length, &e));
        assert_int_equal(e.kind, ERROR_INPUT);
        free(copy);
    }
    for (size_t at = 0; at < text.length; at += 11) {
        uint8_t was = text.data[at];
        text.data[at] = (uint8_t)(was + 1 + at % 255);
        struct error e = ERROR_CLEAR;
        (void)cost_model_parse(&m, "x.model", (char *)text.data, text.length, &e);
        text.data[at] = was;
    }
    bytes_fini(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parameters_of_s370),
        cmocka_unit_test(test_rows_of_s370_are_those_of_the_sheet),
        cmocka_unit_test(test_flat_charges_one_cycle_an_instruction_and_nothing_else),
        cmocka_unit_test(test_models_are_found_by_name),
        cmocka_unit_test(test_cost_static_adds_what_the_text_tells),
        cmocka_unit_test(test_cost_units_counts_started_or_whole_groups),
        cmocka_unit_test(test_malformed_lines_are_reported_with_their_number),
        cmocka_unit_test(test_a_missing_row_is_named),
        cmocka_unit_test(test_damaged_files_never_crash_the_parser),
    };
    return cmocka_run_group_tests_name("isa/cost", tests, NULL, NULL);
}
