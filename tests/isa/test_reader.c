/* Card reader, printer's forms, and the operator's keys at the console. */
#include "tests/support/channel_rig.h"

#include <string.h>

#include "isa/assembler.h"

enum { READER = 0x00C };

static void load(struct rig *f, const char *deck, bool eof) {
    struct error e = ERROR_CLEAR;
    if (!reader_load_text(channel_device(f->set, READER), deck, strlen(deck), eof, &e))
        fail_msg("%s", e.text);
}

/* What a read of one card put at 900. */
static void assert_card(struct rig *f, const char *text) {
    uint8_t card[READER_COLUMNS];
    memset(card, 0x40, sizeof card);
    for (size_t i = 0; text[i]; i++)
        card[i] = ebcdic_from_latin1[(uint8_t)text[i]];
    memset(f->storage + 0x900, 0x55, 100);
    PUT(f, {0x02, 0x900, 0, 80});
    assert_csw_of(f, READER, PROGRAM, 0x000005080C000000);
    assert_memory_equal(f->storage + 0x900, card, sizeof card);
    assert_int_equal(f->storage[0x900 + 80], 0x55);
}

static void assert_sense(struct rig *f, uint16_t address, uint8_t sense) {
    PUT(f, {0x04, 0x980, SLI, 1});
    assert_csw_of(f, address, PROGRAM, 0x000005080C000000);
    assert_int_equal(f->storage[0x980], sense);
}

static void test_cards_are_read_in_order_deck_after_deck(void **state) {
    struct rig *f = *state;
    struct device *d = attach_reader(f, READER);
    load(f, "FIRST\nSECOND\r\n\n\tx\tY", false);
    load(f, "ANOTHER DECK\n", false);
    assert_int_equal(reader_cards(d), 5);
    assert_card(f, "FIRST");
    assert_card(f, "SECOND");
    assert_card(f, "");
    assert_card(f, "        x       Y");
    assert_int_equal(reader_cards(d), 1);
    assert_card(f, "ANOTHER DECK");
    PUT(f, {0x02, 0x900, SLI, 80});
    assert_csw_of(f, READER, PROGRAM, 0x0000050802000050);
    assert_sense(f, READER, 0x40);
    assert_sense(f, READER, 0);
}

static void test_the_end_of_a_deck_is_unit_exception(void **state) {
    struct rig *f = *state;
    attach_reader(f, READER);
    load(f, "A\n", true);
    load(f, "B\n", true);
    assert_card(f, "A");
    PUT(f, {0x02, 0x900, SLI, 80});
    assert_csw_of(f, READER, PROGRAM, 0x000005080D000050);
    assert_card(f, "B");
    PUT(f, {0x02, 0x900, 0, 80});
    assert_csw_of(f, READER, PROGRAM, 0x000005080D400050);
    PUT(f, {0x02, 0x900, 0, 80});
    assert_csw_of(f, READER, PROGRAM, 0x0000050802400050);
}

static void test_cards_of_any_bytes(void **state) {
    struct rig *f = *state;
    struct device *d = attach_reader(f, READER);
    struct error e = ERROR_CLEAR;
    uint8_t cards[160];
    for (size_t i = 0; i < sizeof cards; i++)
        cards[i] = (uint8_t)(i * 3);
    assert_true(reader_load(d, cards, sizeof cards, false, &e));
    assert_true(reader_load(d, cards, 0, false, &e)); /* a deck without cards is none */
    PUT(f, {0x42, 0x900, CC, 80}, {0xC2, 0xA00, 0, 80});
    assert_csw_of(f, READER, PROGRAM, 0x000005100C000000);
    assert_memory_equal(f->storage + 0x900, cards, 80);
    assert_memory_equal(f->storage + 0xA00, cards + 80, 80);
}

static void test_lengths_and_data_chaining_within_a_card(void **state) {
    struct rig *f = *state;
    attach_reader(f, READER);
    load(f, "ABCDEFGHIJ\nKLM\nNOP\nQRS\nTUV\nWXY\n", false);
    PUT(f, {0x02, 0x900, CD, 3}, {0, 0x910, CD | SKIP, 2}, {0, 0x920, 0, 75});
    assert_csw_of(f, READER, PROGRAM, 0x000005180C000000);
    assert_memory_equal(f->storage + 0x900, "\xC1\xC2\xC3\0", 4);
    assert_int_equal(f->storage[0x910], 0);
    assert_memory_equal(f->storage + 0x920, "\xC6\xC7\xC8\xC9\xD1\x40", 6);
    PUT(f, {0x02, 0x900, 0, 24}); /* the rest of the card is gone */
    assert_csw_of(f, READER, PROGRAM, 0x000005080C400000);
    PUT(f, {0x02, 0x900, SLI | CC, 24}, {0x02, 0x940, SLI, 1});
    assert_csw_of(f, READER, PROGRAM, 0x000005100C000000);
    assert_int_equal(f->storage[0x940], 0xD8);
    PUT(f, {0x02, 0x900, 0, 100});
    assert_csw_of(f, READER, PROGRAM, 0x000005080C400014);
    PUT(f, {0x02, 0x900, CD, 80}, {0, 0x910, SLI, 9});
    assert_csw_of(f, READER, PROGRAM, 0x000005100C000009);
}

static void test_other_commands_of_the_reader(void **state) {
    struct rig *f = *state;
    attach_reader(f, READER);
    load(f, "A\n", false);
    PUT(f, {0x03, 0, CC, 1}, {0x63, 0, CC, 1}, {0xE4, 0x900, 0, 7});
    assert_csw_of(f, READER, PROGRAM, 0x000005180C000000);
    assert_memory_equal(f->storage + 0x900, "\xFF\x28\x21\x01\x35\x05\x01", 7);
    static const uint8_t rejected[] = {0x01, 0x0C, 0x0A, 0x22, 0x41, 0x07, 0x14};
    for (size_t i = 0; i < sizeof rejected; i++) {
        PUT(f, {rejected[i], 0x900, SLI, 7});
        assert_csw_of(f, READER, PROGRAM, 0x000005080E000007);
        assert_sense(f, READER, 0x80);
    }
    assert_card(f, "A");
}

static void test_a_program_that_needed_cards_is_told_when_they_come(void **state) {
    struct rig *f = *state;
    attach_reader(f, READER);
    load(f, "A\n", false);
    assert_no_interruption(f); /* nobody had asked */
    assert_card(f, "A");
    PUT(f, {0x02, 0x900, SLI, 80});
    assert_csw_of(f, READER, PROGRAM, 0x0000050802000050);
    load(f, "", false);
    assert_no_interruption(f);
    f->notified = 0;
    load(f, "B\n", false);
    assert_int_equal(f->notified, 1);
    assert_interruption(f, ALL_CHANNELS, READER, 0x0000000004000000);
    load(f, "C\n", false);
    assert_no_interruption(f);
    assert_card(f, "B");
    assert_card(f, "C");
}

static void test_decks_that_are_refused(void **state) {
    struct rig *f = *state;
    struct device *d = attach_reader(f, READER);
    struct error e = ERROR_CLEAR;
    char line[100];
    memset(line, 'X', sizeof line);
    assert_false(reader_load(d, (const uint8_t *)line, 79, false, &e));
    assert_string_equal(e.text, "a deck of 79 bytes is not a whole number of cards of 80");
    line[0] = '\n';
    assert_true(reader_load_text(d, line, 81, false, &e));
    assert_int_equal(reader_cards(d), 2);
    assert_false(reader_load_text(d, line, 82, true, &e));
    assert_string_equal(e.text, "line 2 of the deck is longer than the 80 columns of a card");
    assert_int_equal(reader_cards(d), 2); /* nothing of it is left */
}

static void test_reading_a_card_takes_its_time(void **state) {
    struct rig *f = *state;
    attach_reader(f, READER);
    load(f, "A\nB\n", false);
    PUT(f, {0x02, 0x900, CC, 80}, {0x02, 0x900, 0, 80});
    assert_int_equal(start_io(f, READER, PROGRAM), 0);
    pass_cycles(f, 2 * 652000 - 100);
    assert_no_interruption(f);
    pass_cycles(f, 100);
    assert_interruption(f, ALL_CHANNELS, READER, 0x000005100C000000);
}

/* --- forms -------------------------------------------------------------------------------------------------------- */

static void test_a_form_says_how_long_a_page_is_and_where_skips_stop(void **state) {
    struct rig *f = *state;
    struct device *printer = channel_device(f->set, PRINTER);
    static const uint8_t holes[PRINTER_CHANNELS] = {2, 4};
    static const uint8_t beyond[PRINTER_CHANNELS] = {1, 7};
    assert_false(printer_set_form(printer, 0, NULL));
    assert_false(printer_set_form(printer, 256, NULL));
    assert_false(printer_set_form(printer, 6, beyond));
    assert_true(printer_set_form(printer, 6, holes));
    PUT(f, {0x93, 0, CC, 1}, {0x09, DATA, CC, 5}, {0x89, DATA, CC, 5}, {0x93, 0, 0, 1});
    assert_csw_of(f, PRINTER, PROGRAM, 0x000005200C000001);
    /* Channel 2 is line 4; one line down is 5; channel 1 is line 2 of the next page; channel 2 again. */
    assert_text(printer_text(printer), "\n\n\nHELLO\nHELLO\n\f\n\n\n");
    assert_true(printer_set_form(printer, 5, NULL)); /* of the usual tape only channel 1 is left */
    PUT(f, {0x9B, 0, 0, 1});
    assert_csw_of(f, PRINTER, PROGRAM, 0x000005080C000001);
}

static void test_what_is_printed_goes_to_a_page_file(void **state) {
    struct rig *f = *state;
    struct device *printer = channel_device(f->set, PRINTER);
    struct bytes file = {0};
    struct error e = ERROR_CLEAR;
    void *folder;
    f->storage[DATA + 5] = 0;
    PUT(f, {0x89, DATA, CC, 5}, {0x09, DATA, 0, 1});
    f->storage[DATA] = ebcdic_from_latin1[0xC4]; /* A with two dots */
    assert_csw_of(f, PRINTER, PROGRAM, 0x000005100C000000);
    unit_enter_folder(&folder);
    assert_true(printer_save(printer, "pages", &e));
    assert_true(bytes_read_file(&file, "pages", 100, &e));
    assert_text(&file, "\xC3\x84"
                       "ELLO\n\f\xC3\x84\n");
    assert_false(printer_save(printer, "no/pages", &e));
    assert_non_null(strstr(e.text, "no/pages"));
    unit_leave_folder(&folder);
    bytes_fini(&file);
}

/* --- the console's keys ------------------------------------------------------------------------------------------- */

static void test_cancel_ends_a_read_inquiry(void **state) {
    struct rig *f = *state;
    struct device *console = channel_device(f->set, CONSOLE);
    assert_false(console_cancel(console)); /* nothing to cancel */
    PUT(f, {0x0A, 0x900, SLI, 20});
    assert_int_equal(start_io(f, CONSOLE, PROGRAM), 0);
    assert_true(console_cancel(console));
    assert_false(console_cancel(console)); /* once */
    assert_true(channel_has_interruption(f->set, ALL_CHANNELS));
    assert_no_interruption(f);
    pass_all_time(f);
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0x000005080D000014);
    /* The next one is a new one. */
    assert_true(console_type(console, "HI", 2));
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005080C000012);
}

static void test_a_reset_forgets_what_was_cancelled(void **state) {
    struct rig *f = *state;
    struct device *console = channel_device(f->set, CONSOLE);
    PUT(f, {0x0A, 0x900, SLI, 20});
    assert_int_equal(start_io(f, CONSOLE, PROGRAM), 0);
    assert_true(console_cancel(console));
    channel_reset(f->set);
    assert_true(console_type(console, "HI", 2));
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005080C000012);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_cards_are_read_in_order_deck_after_deck),
        RIG_TEST(test_the_end_of_a_deck_is_unit_exception),
        RIG_TEST(test_cards_of_any_bytes),
        RIG_TEST(test_lengths_and_data_chaining_within_a_card),
        RIG_TEST(test_other_commands_of_the_reader),
        RIG_TEST(test_a_program_that_needed_cards_is_told_when_they_come),
        RIG_TEST(test_decks_that_are_refused),
        RIG_TEST(test_reading_a_card_takes_its_time),
        RIG_TEST(test_a_form_says_how_long_a_page_is_and_where_skips_stop),
        RIG_TEST(test_what_is_printed_goes_to_a_page_file),
        RIG_TEST(test_cancel_ends_a_read_inquiry),
        RIG_TEST(test_a_reset_forgets_what_was_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
