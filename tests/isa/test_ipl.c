/* Initial program loading from a deck and from a disk, of bare and of virtual machines. */
#include "tests/support/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "isa/assembler.h"
#include "isa/disk.h"
#include "tests/support/program.h"
#include "vmm/vmm.h"

enum { MEMORY = 65536, TYPED = 0x580 };

static uint32_t assembled(const char *source, uint8_t *to, size_t room) {
    struct assembly a;
    struct error e = ERROR_CLEAR;
    if (!assemble(&a, "ipl.s", source, strlen(source), &(struct assembler_options){0}, &e))
        fail_msg("%s", e.text);
    assert_true(a.image.length <= room);
    memcpy(to, a.image.data, a.image.length);
    uint32_t length = (uint32_t)a.image.length;
    assembly_fini(&a);
    return length;
}

/* What is loaded at 400: types where it was loaded from, and stops with the device's address in the PSW. */
#define PROGRAM_AT_400(SAVED)                                                                                          \
    "PROGRAM  START X'400'\n"                                                                                          \
    "         USING PROGRAM,12\n"                                                                                      \
    "         BALR  12,0\n"                                                                                            \
    "         BCTR  12,0\n"                                                                                            \
    "         BCTR  12,0\n"                                                                                            \
    "         STM   0,11,X'600'-X'400'(12)\n"                                                                          \
    "         LH    1," SAVED "\n"                                                                                     \
    "         ST    1,STOP+4\n"                                                                                        \
    "         LA    2,CCW\n"                                                                                           \
    "         ST    2,72\n"                                                                                            \
    "         SIO   X'009'\n"                                                                                          \
    "BUSY     TIO   X'009'\n"                                                                                          \
    "         BC    7,BUSY\n"                                                                                          \
    "         LPSW  STOP\n"                                                                                            \
    "         DS    0D\n"                                                                                              \
    "CCW      DC    X'09',AL3(TEXT),X'0000',H'6'\n"                                                                    \
    "STOP     DC    X'000A000000000000'\n"                                                                             \
    "TEXT     DC    C'LOADED'\n"                                                                                       \
    "         END\n"

/* Three cards: the load PSW with two reads, and the program. */
static const char first_card[] = "CARD     START 0\n"
                                 "         DC    X'0000000000000400'\n"
                                 "         DC    X'0200040060000050'\n"
                                 "         DC    X'0200045020000050'\n"
                                 "         END\n";

static void put_deck(struct machine *m, bool eof) {
    uint8_t cards[3 * READER_COLUMNS] = {0};
    struct error e = ERROR_CLEAR;
    assembled(first_card, cards, READER_COLUMNS);
    assembled(PROGRAM_AT_400("2"), cards + READER_COLUMNS, 2 * READER_COLUMNS);
    assert_true(reader_load(machine_device(m, ADDRESS_READER), cards, sizeof cards, eof, &e));
}

/* Block 0: the load PSW, an EC one, a read of the whole block to 800 and a TIC to the rest of the channel program in
 * it; block 5 is the program. */
static const char first_block[] = "BLOCK    START 0\n"
                                  "         DC    X'0008000000000400'\n"
                                  "         DC    X'0200080060000200'\n"
                                  "         DC    X'0800081800000000'\n"
                                  "         DC    X'4300082840000008'\n"
                                  "         DC    X'4200040000000200'\n"
                                  "         DC    X'0600000100000005'\n"
                                  "         END\n";

static void put_disk(struct machine *m) {
    struct disk_backing b;
    struct error e = ERROR_CLEAR;
    uint8_t block[DISK_BLOCK_BYTES] = {0};
    assert_true(disk_backing_memory(&b, 100, &e));
    assembled(first_block, block, sizeof block);
    b.write(b.self, 0, block);
    memset(block, 0, sizeof block);
    assembled(PROGRAM_AT_400("186"), block, sizeof block);
    b.write(b.self, 5, block);
    assert_true(machine_attach(m, ADDRESS_DISK, disk_new(machine_model(m), &b), &e));
}

static void put_both(struct machine *m) {
    put_deck(m, false);
    put_disk(m);
}

static void ipl(struct machine *m, uint16_t address, enum machine_load_kind kind) {
    struct error e = ERROR_CLEAR;
    if (!machine_ipl(m, address, kind, &e))
        fail_msg("%s", e.text);
}

static void assert_loaded(struct machine *m, uint16_t address) {
    struct machine_state state;
    assert_int_equal(machine_run(m, NULL), MACHINE_DISABLED_WAIT);
    machine_state(m, &state);
    assert_int_equal(state.psw.ia, address);
    const struct bytes *text = console_text(machine_device(m, ADDRESS_CONSOLE));
    assert_int_equal(text->length, 7);
    assert_memory_equal(text->data, "LOADED\n", 7);
}

static struct tower tower_of(const struct cost_model *model, unsigned monitors) {
    static const char *const kinds[] = {"trap-and-emulate", "trap-and-emulate"};
    struct tower t;
    struct error e = ERROR_CLEAR;
    struct machine_options options = {.memory_bytes = MEMORY, .model = model, .nominal_time = true};
    if (!tower_new(&t, &options, kinds, monitors, &e))
        fail_msg("%s", e.text);
    return t;
}

static void test_a_machine_is_loaded_from_a_deck_or_a_disk_at_every_level(void **state) {
    (void)state;
    static const uint16_t addresses[] = {ADDRESS_READER, ADDRESS_DISK};
    struct cost_model model;
    struct error e = ERROR_CLEAR;
    assert_true(cost_model_find(&model, "s370", &e));
    for (unsigned monitors = 0; monitors <= 2; monitors++) {
        for (unsigned i = 0; i < 2; i++) {
            struct tower t = tower_of(&model, monitors);
            put_both(t.innermost);
            ipl(t.innermost, addresses[i], LOAD_CLEAR);
            assert_loaded(t.innermost, addresses[i]);
            tower_free(&t);
        }
    }
}

/* Storage that the channel program did not read into, registers, keys, and what had been pending. */
static void test_load_normal_leaves_and_load_clear_clears(void **state) {
    (void)state;
    for (enum machine_load_kind kind = LOAD_NORMAL; kind <= LOAD_CLEAR; kind++) {
        struct machine *m = program_load("s370", "         END\n");
        struct machine_state s = program_state(m);
        uint32_t left = kind == LOAD_NORMAL ? 0xABCDEF : 0;
        put_both(m);
        for (int i = 0; i < 16; i++)
            s.gpr[i] = s.cr[i] = 0xABCDEF;
        s.prefix = 0x4000;
        machine_set_state(m, &s);
        machine_poke(m, 0x8000, "\x00\xAB\xCD\xEF", 4);
        machine_set_key(m, 0x8000, 0x56);
        machine_raise(m, CONDITION_INTERRUPT_KEY);
        machine_raise(m, CONDITION_MACHINE_CHECK);
        machine_raise(m, CONDITION_ATTENTION);
        ipl(m, ADDRESS_READER, kind);
        assert_int_equal(program_word(m, 0x8000), left);
        assert_int_equal(machine_key(m, 0x8000), kind == LOAD_NORMAL ? 0x56 : 0);
        s = program_state(m);
        assert_int_equal(s.prefix, 0);
        assert_int_equal(s.cr[0], 0xE0);
        assert_int_equal(s.cr[1], 0);
        assert_int_equal(s.cr[2], 0xFFFFFFFF);
        assert_loaded(m, ADDRESS_READER);
        assert_int_equal(program_word(m, 0x600 + 44), left); /* GR 11, as the program found it */
        struct machine_stats stats = program_stats(m);
        assert_int_equal(stats.interruptions[INTERRUPTION_EXTERNAL] + stats.interruptions[INTERRUPTION_IO] +
                             stats.interruptions[INTERRUPTION_MACHINE_CHECK],
                         0);
        program_free(m);
    }
}

static void assert_not_loaded(struct machine *m, uint16_t address, const char *text) {
    struct error e = ERROR_CLEAR;
    assert_false(machine_ipl(m, address, LOAD_NORMAL, &e));
    assert_int_equal(e.kind, ERROR_INPUT);
    if (!strstr(e.text, text))
        fail_msg("%s", e.text);
    assert_int_equal(machine_status(m), MACHINE_LOAD);
    assert_string_equal(machine_status_name(machine_status(m)), "load");
    assert_int_equal(machine_run(m, NULL), MACHINE_LOAD); /* it does nothing */
    assert_int_equal(program_stats(m).instructions, 0);
}

static void test_a_load_that_fails_leaves_the_machine_in_the_load_state(void **state) {
    (void)state;
    struct machine *m = program_load("flat", "         END\n");
    struct error e = ERROR_CLEAR;
    assert_not_loaded(m, 0x123, "machine bare has no device 123 to be loaded from");
    assert_not_loaded(m, ADDRESS_READER,
                      "machine bare cannot be loaded from device 00C: the device is not ready (CSW 0000000802000018, "
                      "sense 40)");
    assert_not_loaded(m, ADDRESS_PRINTER, "from device 00E: the device refused a command");
    struct device *reader = machine_device(m, ADDRESS_READER);
    assert_true(reader_load_text(reader, "", 0, true, &e));
    assert_not_loaded(m, ADDRESS_READER, "the deck is at its end");
    uint8_t card[80] = {[8] = 0x02, [11] = 8, [12] = 0, [15] = 79};
    assert_true(reader_load(reader, card, 80, false, &e)); /* CCW1 reads 79 of the 80 columns of nothing */
    assert_not_loaded(m, ADDRESS_READER, "the device is not ready");
    card[8] = 0;
    assert_true(reader_load(reader, card, 80, false, &e));
    assert_not_loaded(m, ADDRESS_READER, "the channel program is not valid");
    card[8] = 0x02;
    assert_true(reader_load(reader, card, 80, false, &e));
    assert_true(reader_load(reader, card, 80, false, &e));
    assert_not_loaded(m, ADDRESS_READER, "a record has another length than the channel program says");
    put_deck(m, true); /* and then it goes well */
    ipl(m, ADDRESS_READER, LOAD_NORMAL);
    assert_loaded(m, ADDRESS_READER);
    program_free(m);
}

static void test_a_channel_program_that_never_ends_or_waits_is_no_trouble(void **state) {
    (void)state;
    struct machine *m = program_load("flat", "         END\n");
    struct error e = ERROR_CLEAR;
    uint8_t card[80] = {[8] = 0x03, [12] = 0x60, [15] = 1, [16] = 0x08, [19] = 0x08};
    assert_true(reader_load(machine_device(m, ADDRESS_READER), card, 80, false, &e));
    assert_not_loaded(m, ADDRESS_READER, "the channel program is not valid");
    program_free(m);
}

static void test_a_machine_with_a_monitor_is_not_loaded(void **state) {
    (void)state;
    struct cost_model model;
    struct error e = ERROR_CLEAR;
    assert_true(cost_model_find(&model, "s370", &e));
    struct tower t = tower_of(&model, 1);
    assert_false(machine_ipl(t.bare, ADDRESS_READER, LOAD_CLEAR, &e));
    assert_string_equal(e.text, "machine bare has a monitor: it is not loaded from a device");
    put_both(t.innermost);
    assert_false(machine_ipl(t.innermost, 0x0FF, LOAD_NORMAL, &e));
    assert_int_equal(machine_run(t.innermost, NULL), MACHINE_LOAD);
    ipl(t.innermost, ADDRESS_DISK, LOAD_NORMAL);
    assert_loaded(t.innermost, ADDRESS_DISK);
    tower_free(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_machine_is_loaded_from_a_deck_or_a_disk_at_every_level),
        cmocka_unit_test(test_load_normal_leaves_and_load_clear_clears),
        cmocka_unit_test(test_a_load_that_fails_leaves_the_machine_in_the_load_state),
        cmocka_unit_test(test_a_channel_program_that_never_ends_or_waits_is_no_trouble),
        cmocka_unit_test(test_a_machine_with_a_monitor_is_not_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
