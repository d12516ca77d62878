/* Channels, console and printer, on a host that is an array. The CSWs expected are those that Hercules 3.13 stores for
 * the same programs, unless a test says otherwise. */
#include "tests/support/channel_rig.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "isa/assembler.h"

static struct device *console(struct rig *f) { return channel_device(f->set, CONSOLE); }
static struct device *printer(struct rig *f) { return channel_device(f->set, PRINTER); }

static void type(struct rig *f, const char *line) { assert_true(console_type(console(f), line, strlen(line))); }

/* --- commands and chaining ---------------------------------------------------------------------------------------- */

static void test_write_appears_on_the_console(void **state) {
    struct rig *f = *state;
    PUT(f, {0x09, DATA, 0, 5});
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005080C000000);
    assert_text(console_text(console(f)), "HELLO\n");
    assert_text(&f->lines, "HELLO|");
}

static void test_no_operation_ends_with_its_count_as_residual(void **state) {
    struct rig *f = *state;
    PUT(f, {0x03, 0x582, IDA, 5}); /* its address is not looked at */
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005080C000005);
}

static void test_command_chaining_runs_all_commands(void **state) {
    struct rig *f = *state;
    PUT(f, {0x03, 0, CC, 1}, {0x01, DATA, CC, 5}, {0x09, DATA + 5, CC, 7}, {0x03, 0, SLI, 7});
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005200C000007);
    assert_text(console_text(console(f)), "HELLO, WORLD\n");
}

static void test_key_of_the_caw_is_in_the_csw_and_bits_4_to_7_are_ignored(void **state) {
    struct rig *f = *state;
    PUT(f, {0x03, 0, 0, 1});
    assert_csw_of(f, CONSOLE, 0xAF000000 | PROGRAM, 0xA00005080C000001);
}

static void test_data_chaining_is_one_command(void **state) {
    struct rig *f = *state;
    PUT(f, {0x09, DATA, CD, 3}, {0x00, DATA + 3, CD | CC, 2}, {0xFF, DATA + 5, 0, 7}); /* later codes do not matter */
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005180C000000);
    assert_text(&f->lines, "HELLO, WORLD|");
}

static void test_transfer_in_channel(void **state) {
    struct rig *f = *state;
    PUT(f, {0x03, 0, CC, 1}, {0x08, 0x700, 0xFF, 0}); /* a TIC's flags and count do not matter */
    put_ccw(f, 0x700, 0x09, DATA, CD, 3);
    put_ccw(f, 0x708, 0xF8, 0x740, 0, 0); /* any code that ends in 8 */
    put_ccw(f, 0x740, 0x01, DATA + 3, 0, 2);
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000007480C000000);
    assert_text(&f->lines, "HELLO|");
    put_ccw(f, PROGRAM, 0x08, 0x700, 0, 0); /* Hercules allows it as the first */
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000007480C000000);
}

static void test_incorrect_length(void **state) {
    struct rig *f = *state;
    static const struct {
        uint8_t code, flags;
        uint16_t count;
        uint64_t csw;
    } cases[] = {
        {0x04, 0, 1, 0x000005080C000000},        {0x04, 0, 6, 0x000005080C400005},
        {0x04, SLI, 6, 0x000005080C000005},      {0xE4, 0, 7, 0x000005080C000000},
        {0xE4, 0, 20, 0x000005080C40000D},       {0xE4, 0, 3, 0x000005080C400000},
        {0xE4, SLI, 3, 0x000005080C000000},      {0x01, 0, 200, 0x000005080C400032},
        {0x01, SLI, 200, 0x000005080C000032},    {0x0B, 0, 5, 0x000005080C000005},
        {0xE4, CC | SLI, 3, 0x000005100C000009}, {0xE4, CC, 3, 0x000005080C400000},
        {0xE4, CD, 9, 0x000005080C400002},       {0xE4, CD | SLI, 9, 0x000005080C400002},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        PUT(f, {cases[i].code, 0x900, cases[i].flags, cases[i].count}, {0x03, 0, 0, 9});
        assert_csw_of(f, CONSOLE, PROGRAM, cases[i].csw);
    }
}

/* Hercules begins the record anew for each CCW of a data chain; the architecture, and this channel, go on in it. */
static void test_a_record_is_spread_over_a_data_chain(void **state) {
    struct rig *f = *state;
    PUT(f, {0xE4, 0x900, CD, 3}, {0, 0x910, 0, 4});
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005100C000000);
    assert_memory_equal(f->storage + 0x900, "\xFF\x32\x15\0", 4);
    assert_memory_equal(f->storage + 0x910, "\0\x32\x15\0\0", 5);
    PUT(f, {0xE4, 0x900, CD, 3}, {0, 0x910, 0, 2});
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005100C400000);
    PUT(f, {0xE4, 0x900, CD, 3}, {0, 0x910, SLI, 2});
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005100C000000);
    PUT(f, {0xE4, 0x900, CD, 3}, {0, 0x910, 0, 9});
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005100C400005);
    PUT(f, {0xE4, 0x900, CD, 7}, {0, 0x910, SLI, 9}); /* the second CCW is used as soon as the first is full */
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005100C000009);
}

static void test_a_write_that_stops_early_names_the_ccw_of_that_byte(void **state) {
    struct rig *f = *state;
    PUT(f, {0x01, DATA, CD, 100}, {0, DATA, CD, 100}, {0, DATA, SLI, 100});
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005100C400032);
    PUT(f, {0x01, DATA, CD, 100}, {0, DATA, SLI, 100});
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005100C000032);
}

static void test_skip_moves_nothing_and_checks_nothing(void **state) {
    struct rig *f = *state;
    memset(f->storage + 0x900, 0x55, 16);
    PUT(f, {0xE4, 0x900, CD | SKIP, 3}, {0, 0x908, 0, 4});
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005100C000000);
    assert_int_equal(f->storage[0x900], 0x55);
    assert_memory_equal(f->storage + 0x908, "\0\x32\x15\0\x55", 5);
    PUT(f, {0xE4, 0x900000, SKIP, 7});
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005080C000000);
}

static void test_indirect_addresses_continue_at_2k_boundaries(void **state) {
    struct rig *f = *state;
    PUT(f, {0x09, 0x580, IDA, 10});
    put_text(f, 0x1FFC, "ABCD");
    put_text(f, 0x4800, "EFGHIJ");
    bytes_put32(f->storage + 0x580, 0x1FFC);
    bytes_put32(f->storage + 0x584, 0x4800);
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005080C000000);
    assert_text(&f->lines, "ABCDEFGHIJ|");
    PUT(f, {0xE4, 0x580, IDA, 7});
    bytes_put32(f->storage + 0x580, 0x1FFD);
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005080C000000);
    assert_memory_equal(f->storage + 0x1FFD, "\xFF\x32\x15", 3);
    assert_memory_equal(f->storage + 0x4800, "\0\x32\x15\0", 4);
}

/* --- checks ------------------------------------------------------------------------------------------------------- */

static void test_program_checks(void **state) {
    struct rig *f = *state;
    static const struct {
        struct ccw_text ccw;
        uint32_t caw;
        uint64_t csw;
    } cases[] = {
        {{0x09, DATA, 0, 0}, PROGRAM, 0x0000050800200000},     /* count 0 */
        {{0x03, DATA, 0, 0}, PROGRAM, 0x0000050800200000},     /* of a no-operation too */
        {{0x09, DATA, 0, 5}, PROGRAM + 4, 0x0000050C00200000}, /* CCW not on a doubleword */
        {{0x09, DATA, 0, 5}, 0x800000, 0x0080000800200000},    /* CCW not installed */
        {{0x09, DATA, 0, 5}, 0xFFFFF8, 0x0000000000200000},    /* the address wraps */
        {{0x09, 0x800000, 0, 5}, PROGRAM, 0x0000050800200000}, /* data not installed */
        {{0x09, DATA, 1, 5}, PROGRAM, 0x0000050800200000},     /* bits 38-39 */
        {{0x09, DATA, 2, 5}, PROGRAM, 0x0000050800200000},
        {{0x00, DATA, 0, 5}, PROGRAM, 0x0000050800200005}, /* invalid command */
        {{0x10, DATA, 0, 5}, PROGRAM, 0x0000050800200005},
        {{0x08, 0x504, 0, 5}, PROGRAM, 0x0000050800200000},      /* TIC to no doubleword */
        {{0x08, PROGRAM, 0, 5}, PROGRAM, 0x0000050800200000},    /* TIC to a TIC */
        {{0x09, 0x582, IDA, 5}, PROGRAM, 0x0000050800200000},    /* IDAW not on a word */
        {{0x09, 0x900000, IDA, 5}, PROGRAM, 0x0000050800200000}, /* IDAW not installed */
        {{0xE4, 0x900000, 0, 7}, PROGRAM, 0x000005080C200000},   /* the device has done its part */
        {{0xE4, 0xFFFFFE, 0, 7}, PROGRAM, 0x000005080C200000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put_program(f, &cases[i].ccw, 1);
        assert_csw_of(f, CONSOLE, cases[i].caw, cases[i].csw);
    }
    assert_int_equal(console_text(console(f))->length, 0);
    PUT(f, {0x08, 0x540, 0, 0});
    put_ccw(f, 0x540, 0x08, 0x580, 0, 0); /* TIC to a TIC to a good command */
    put_ccw(f, 0x580, 0x09, DATA, 0, 5);
    assert_csw_of(f, CONSOLE, PROGRAM, 0x0000054800200000);
}

static void test_bad_indirect_address_words(void **state) {
    struct rig *f = *state;
    static const uint32_t words[][2] = {{0x01000600, 0}, {0x80000600, 0}, {0x7F0, 0x600}, {0x7FC, 0x01000800}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        PUT(f, {0x09, 0x580, IDA, 50});
        bytes_put32(f->storage + 0x580, words[i][0]);
        bytes_put32(f->storage + 0x584, words[i][1]);
        assert_csw_of(f, CONSOLE, PROGRAM, 0x0000050800200000);
    }
}

static void test_a_check_in_a_chain_names_the_ccw_and_keeps_what_was_done(void **state) {
    struct rig *f = *state;
    PUT(f, {0x09, DATA, CC, 5}, {0x09, DATA, 0, 0});
    assert_csw_of(f, CONSOLE, PROGRAM, 0x0000051000200000);
    assert_text(&f->lines, "HELLO|");
    PUT(f, {0x03, 0, CC, 1}, {0x08, 0x544, 0, 0}); /* the residual count is still the no-operation's */
    assert_csw_of(f, CONSOLE, PROGRAM, 0x0000051000200001);
    PUT(f, {0x03, 0, CC, 9}, {0x09, 0x900000, 0, 7});
    assert_csw_of(f, CONSOLE, PROGRAM, 0x0000051000200009);
    PUT(f, {0x03, 0, CC, 9}, {0x09, DATA, 0, 0});
    assert_csw_of(f, CONSOLE, PROGRAM, 0x0000051000200009);
    PUT(f, {0x09, DATA, CD, 3}, {0, 0x900000, 0, 7}); /* the device never sees half a command */
    assert_csw_of(f, CONSOLE, PROGRAM, 0x0000051000200000);
    assert_text(&f->lines, "HELLO|");
}

static void test_protection_checks(void **state) {
    struct rig *f = *state;
    f->keys[0x1000 / BLOCK] = 0x28; /* key 2, fetch-protected */
    PUT(f, {0x09, 0x1000, 0, 5});
    assert_csw_of(f, CONSOLE, 0x10000000 | PROGRAM, 0x1000050800100000);
    assert_csw_of(f, CONSOLE, 0x20000000 | PROGRAM, 0x200005080C000000);
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005080C000000);
    PUT(f, {0x04, 0x1000, 0, 1});
    assert_csw_of(f, CONSOLE, 0x10000000 | PROGRAM, 0x100005080C100000);
    PUT(f, {0x04, 0x900, 0, 1}); /* not fetch-protected, but key 0: no store */
    assert_csw_of(f, CONSOLE, 0x10000000 | PROGRAM, 0x100005080C100000);
    put_ccw(f, 0x1000, 0x03, 0, 0, 1);
    assert_csw_of(f, CONSOLE, 0x10001000, 0x1000100800100000);
}

static void test_an_endless_program_ends_with_a_program_check(void **state) {
    struct rig *f = *state;
    PUT(f, {0x03, 0, CC, 1}, {0x08, PROGRAM, 0, 0});
    assert_int_equal(start_io(f, CONSOLE, PROGRAM), 0);
    assert_int_equal(f->accesses, 65536);
    pass_all_time(f);
    uint16_t address;
    uint64_t csw;
    assert_true(channel_take_interruption(f->set, ALL_CHANNELS, &address, &csw));
    assert_int_equal(csw >> 16 & 0xFFFF, CHANNEL_PROGRAM_CHECK);
}

static void test_data_that_are_moved_count_towards_the_end_of_a_program(void **state) {
    struct rig *f = *state;
    PUT(f, {0x01, DATA, CC | SLI, 60000}, {0x08, PROGRAM, 0, 0}); /* the device takes 150 of them each time */
    assert_int_equal(start_io(f, CONSOLE, PROGRAM), 0);
    assert_int_equal(f->accesses, 65536);
}

static void test_an_endless_data_chain_ends_with_a_program_check(void **state) {
    struct rig *f = *state;
    PUT(f, {0x01, DATA, CD, 5000}, {0x08, PROGRAM, 0, 0});
    assert_int_equal(start_io(f, CONSOLE, PROGRAM), 0);
    PUT(f, {0xE4, DATA, CD | SKIP, 1}, {0x08, PROGRAM, 0, 0}); /* ends with its record */
    assert_int_equal(start_io(f, SECOND, PROGRAM), 0);
    pass_all_time(f);
    uint16_t address;
    uint64_t csw;
    assert_true(channel_take_interruption(f->set, CHANNEL_0, &address, &csw));
    assert_int_equal(csw >> 16 & 0xFFFF, CHANNEL_PROGRAM_CHECK);
    assert_interruption(f, CHANNEL_1, SECOND, 0x000005080C400001);
    assert_int_equal(console_text(console(f))->length, 0);
}

static void test_unknown_command_is_rejected_and_sense_tells_so(void **state) {
    struct rig *f = *state;
    PUT(f, {0x17, DATA, CC, 5}, {0x09, DATA, 0, 5});
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005080E400005);
    PUT(f, {0x04, 0x900, 0, 1});
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005080C000000);
    assert_int_equal(f->storage[0x900], 0x80);
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005080C000000);
    assert_int_equal(f->storage[0x900], 0); /* sense clears it */
    PUT(f, {0x0C, DATA, 0, 5});
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005080E400005);
    PUT(f, {0x02, DATA, SLI, 5});
    assert_csw_of(f, PRINTER, PROGRAM, 0x0000050802000005); /* the printer's own status */
}

/* --- a device of our own: status modifier, several bytes of status -------------------------------------------------
 */

struct odd_device {
    struct device device;
    uint8_t status;
    unsigned commands;
};

static void odd_command(struct device *d, struct device_command *c) {
    struct odd_device *odd = (struct odd_device *)d;
    odd->commands++;
    c->used = c->count;
    c->status = c->code == 0x11 ? odd->status : UNIT_CHANNEL_END | UNIT_DEVICE_END;
    c->cycles = UINT64_MAX;
}
static void odd_free(struct device *d) { free(d); }
static const struct device_ops odd_ops = {.type = "odd", .command = odd_command, .free = odd_free};

static struct odd_device *attach_odd(struct rig *f) {
    struct odd_device *odd = calloc(1, sizeof *odd);
    assert_non_null(odd);
    odd->device.ops = &odd_ops;
    assert_true(channel_attach(f->set, 0x190, &odd->device));
    return odd;
}

static void test_status_modifier_skips_a_ccw(void **state) {
    struct rig *f = *state;
    struct odd_device *odd = attach_odd(f);
    PUT(f, {0x11, DATA, CC, 5}, {0x08, PROGRAM, 0, 0}, {0x01, DATA, 0, 5});
    odd->status = UNIT_STATUS_MODIFIER | UNIT_CHANNEL_END | UNIT_DEVICE_END;
    assert_csw_of(f, 0x190, PROGRAM, 0x000005180C000000);
    assert_int_equal(odd->commands, 2);
}

static void test_other_status_ends_the_chain(void **state) {
    struct rig *f = *state;
    struct odd_device *odd = attach_odd(f);
    PUT(f, {0x11, DATA, CC, 5}, {0x01, DATA, 0, 5});
    static const uint8_t statuses[] = {0x0D, 0x0E, 0x08, 0x04, 0x00, 0x2C, 0x4E, 0x9C};
    for (size_t i = 0; i < sizeof statuses; i++) {
        odd->status = statuses[i];
        assert_csw_of(f, 0x190, PROGRAM, UINT64_C(0x0000050800000000) | (uint64_t)statuses[i] << 24);
    }
    assert_int_equal(odd->commands, sizeof statuses);
}

static void test_attach_takes_the_device_over_in_any_case(void **state) {
    struct rig *f = *state;
    struct device *d = console_new(&f->model, NULL, NULL, false);
    assert_false(channel_attach(f->set, CONSOLE, d)); /* and frees it */
    assert_false(channel_attach(f->set, 0x123, NULL));
    assert_null(channel_device(f->set, 0x123));
    assert_string_equal(printer(f)->ops->type, "1403");
}

/* --- time, conditions, the instructions ----------------------------------------------------------------------------
 */

static void test_the_ending_comes_after_the_devices_time(void **state) {
    struct rig *f = *state;
    PUT(f, {0x09, DATA, CC, 5}, {0x01, DATA, 0, 2});
    pass_cycles(f, 12345);
    start_io(f, CONSOLE, PROGRAM);
    pass_cycles(f, 7 * 600000 - 1);
    assert_false(channel_has_interruption(f->set, ALL_CHANNELS));
    assert_true(channel_active(f->set, CHANNEL_0));
    assert_false(channel_active(f->set, CHANNEL_1));
    assert_int_equal(f->notified, 0);
    pass_cycles(f, 1);
    assert_true(channel_has_interruption(f->set, ALL_CHANNELS));
    assert_false(channel_active(f->set, ALL_CHANNELS));
    assert_int_equal(f->notified, 1);
}

static void test_a_program_without_device_time_ends_after_100_cycles(void **state) {
    struct rig *f = *state;
    PUT(f, {0x03, 0, 0, 1});
    start_io(f, CONSOLE, PROGRAM);
    pass_cycles(f, 99);
    assert_false(channel_has_interruption(f->set, ALL_CHANNELS));
    pass_cycles(f, 1);
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0x000005080C000001);
}

static void test_busy_while_in_progress(void **state) {
    struct rig *f = *state;
    uint64_t csw = 42;
    PUT(f, {0x03, 0, 0, 1});
    assert_int_equal(start_io(f, CONSOLE, PROGRAM), 0);
    assert_int_equal(start_io(f, CONSOLE, PROGRAM), 2);
    assert_int_equal(channel_test_io(f->set, CONSOLE, &csw), 2);
    assert_int_equal(channel_clear_io(f->set, CONSOLE, &csw), 2);
    assert_int_equal(channel_halt_io(f->set, CONSOLE, &csw), 2);
    assert_int_equal(channel_test(f->set, CONSOLE), 0);
    assert_int_equal(start_io(f, PRINTER, PROGRAM), 0); /* its neighbour is free */
    assert_int_equal(csw, 42);
}

static void test_no_such_device(void **state) {
    struct rig *f = *state;
    uint64_t csw = 42;
    uint32_t id = 42;
    assert_int_equal(start_io(f, 0x0FF, PROGRAM), 3);
    assert_int_equal(channel_test_io(f->set, 0x0FF, &csw), 3);
    assert_int_equal(channel_clear_io(f->set, 0x0FF, &csw), 3);
    assert_int_equal(channel_halt_io(f->set, 0x0FF, &csw), 3);
    assert_int_equal(channel_test(f->set, 0x0FF), 0); /* the channel is there */
    assert_int_equal(channel_test(f->set, 0x500), 3);
    assert_int_equal(channel_id(f->set, 0x500, &id), 3);
    assert_int_equal(csw, 42);
    assert_int_equal(id, 42);
    assert_false(channel_attention(f->set, 0x0FF));
}

static void test_channel_id(void **state) {
    struct rig *f = *state;
    uint32_t id;
    assert_int_equal(channel_id(f->set, 0x0FF, &id), 0);
    assert_int_equal(id, 0x10000000);
    assert_int_equal(channel_id(f->set, SECOND, &id), 0);
    assert_int_equal(id, 0x20000000);
}

static void test_test_io_takes_the_condition(void **state) {
    struct rig *f = *state;
    uint64_t csw;
    PUT(f, {0x03, 0, 0, 1});
    assert_int_equal(channel_test_io(f->set, CONSOLE, &csw), 0);
    start_io(f, CONSOLE, PROGRAM);
    pass_all_time(f);
    assert_int_equal(channel_test(f->set, CONSOLE), 1);
    assert_int_equal(channel_test_io(f->set, CONSOLE, &csw), 1);
    assert_int_equal(csw, 0x000005080C000001);
    assert_int_equal(channel_test_io(f->set, CONSOLE, &csw), 0);
    assert_int_equal(channel_test(f->set, CONSOLE), 0);
    assert_no_interruption(f);
}

static void test_a_pending_condition_does_not_prevent_a_start_and_is_replaced(void **state) {
    struct rig *f = *state;
    PUT(f, {0x03, 0, PCI, 1}, {0x09, DATA, 0, 5});
    start_io(f, CONSOLE, PROGRAM);
    pass_all_time(f);
    assert_int_equal(start_io(f, CONSOLE, PROGRAM + 8), 0);
    assert_false(channel_has_interruption(f->set, ALL_CHANNELS));
    pass_all_time(f);
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0x000005100C000000);
    assert_no_interruption(f);
}

static void test_program_controlled_interruption_comes_apart_and_at_once(void **state) {
    struct rig *f = *state;
    uint64_t csw;
    PUT(f, {0x03, 0, PCI | CC, 1}, {0x03, 0, 0, 7});
    start_io(f, CONSOLE, PROGRAM);
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0x0000050800800000);
    assert_int_equal(channel_test_io(f->set, CONSOLE, &csw), 2);
    pass_all_time(f);
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0x000005100C000007);
    PUT(f, {0x03, 0, PCI | CC, 1}, {0x03, 0, PCI, 7}); /* one that was not taken is replaced by a later one */
    start_io(f, CONSOLE, PROGRAM);
    pass_all_time(f);
    assert_int_equal(channel_test_io(f->set, CONSOLE, &csw), 1);
    assert_int_equal(csw, 0x0000051000800000);
    assert_int_equal(channel_test_io(f->set, CONSOLE, &csw), 1);
    assert_int_equal(csw, 0x000005100C000007);
    PUT(f, {0x03, 0, PCI, 0}); /* also on a CCW that turns out to be invalid */
    start_io(f, CONSOLE, PROGRAM);
    pass_all_time(f);
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0x0000050800800000);
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0x0000050800200000);
    assert_no_interruption(f);
}

static void test_conditions_are_taken_by_channel_then_by_arrival(void **state) {
    struct rig *f = *state;
    assert_true(channel_attach(f->set, 0x00A, console_new(&f->model, NULL, NULL, false)));
    PUT(f, {0x03, 0, 0, 1});
    channel_attention(f->set, FAR);
    start_io(f, SECOND, PROGRAM);
    start_io(f, PRINTER, PROGRAM);
    start_io(f, CONSOLE, PROGRAM);
    pass_all_time(f);
    assert_interruption(f, CHANNEL_1, SECOND, 0x000005080C000001);
    start_io(f, SECOND, PROGRAM);
    pass_all_time(f);
    assert_false(channel_has_interruption(f->set, 0x20000000));
    assert_interruption(f, ALL_CHANNELS, PRINTER, 0x000005080C000001);
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0x000005080C000001);
    start_io(f, 0x00A, PROGRAM); /* attached last, arrived last, but on the lowest channel */
    pass_all_time(f);
    assert_interruption(f, ALL_CHANNELS, 0x00A, 0x000005080C000001);
    assert_interruption(f, ALL_CHANNELS, SECOND, 0x000005080C000001);
    assert_false(channel_has_interruption(f->set, 2));
    assert_interruption(f, 1, FAR, 0x0000000080000000); /* channels above 31 share the last mask bit */
    assert_no_interruption(f);
}

static void test_attention(void **state) {
    struct rig *f = *state;
    uint64_t csw;
    assert_true(channel_attention(f->set, CONSOLE));
    assert_true(channel_attention(f->set, CONSOLE)); /* one is enough */
    assert_int_equal(f->notified, 2);
    PUT(f, {0x03, 0, 0, 1});
    start_io(f, CONSOLE, PROGRAM); /* does not forget it */
    pass_all_time(f);
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0x0000000080000000);
    assert_int_equal(channel_test_io(f->set, CONSOLE, &csw), 1);
    assert_no_interruption(f);
}

static void test_halting_an_idle_device_presents_its_last_status(void **state) {
    struct rig *f = *state;
    uint64_t csw = 42;
    assert_int_equal(channel_halt_io(f->set, CONSOLE, &csw), 1);
    assert_int_equal(csw, 0);
    assert_int_equal(channel_halt_io(f->set, CONSOLE, &csw), 0); /* now it is pending */
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0);
    PUT(f, {0x03, 0, 0, 1});
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005080C000001);
    assert_int_equal(channel_halt_io(f->set, CONSOLE, &csw), 1);
    assert_int_equal(csw, 0x000005080C000001);
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0x000005080C000001);
}

static void test_reset_forgets_everything(void **state) {
    struct rig *f = *state;
    uint64_t csw;
    PUT(f, {0x17, DATA, PCI, 5});
    start_io(f, CONSOLE, PROGRAM);
    start_io(f, PRINTER, PROGRAM);
    channel_attention(f->set, SECOND);
    PUT(f, {0x0A, 0x900, 0, 5});
    start_io(f, FAR, PROGRAM);
    pass_cycles(f, 100);
    start_io(f, CONSOLE, PROGRAM);
    channel_reset(f->set);
    assert_int_equal(timeline_next(f->timeline), SIM_TIME_NEVER);
    assert_false(channel_active(f->set, ALL_CHANNELS));
    assert_no_interruption(f);
    assert_int_equal(channel_test_io(f->set, CONSOLE, &csw), 0);
    assert_int_equal(channel_test_io(f->set, FAR, &csw), 0);
    PUT(f, {0x04, 0x900, 0, 1});
    assert_csw_of(f, PRINTER, PROGRAM, 0x000005080C000000);
    assert_int_equal(f->storage[0x900], 0);
}

/* --- console ------------------------------------------------------------------------------------------------------ */

static void test_console_lines(void **state) {
    struct rig *f = *state;
    PUT(f, {0x01, DATA, CC, 5}, {0x09, DATA, CC, 5}, {0x09, 0x800, CC, 9}, {0x01, DATA, 0, 3});
    memcpy(f->storage + 0x800, "\xC1\xC2\x15\xC3\xC4\x0D\xC1\x25\x15", 9);
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005200C000000);
    assert_text(console_text(console(f)), "HELLOHELLO\nAB\nCD.A.\n\nHEL");
    assert_text(&f->lines, "HELLOHELLO|AB|CD.A.||");
}

static void test_lines_are_forgotten_where_nobody_asks_for_them(void **state) {
    struct rig *f = *state;
    const uint16_t forgetful = 0x00A, paper = 0x00B;
    assert_true(channel_attach(f->set, forgetful, console_new(&f->model, rig_line, f, true)));
    assert_true(channel_attach(f->set, paper, printer_new(&f->model, rig_line, f, true)));
    PUT(f, {0x09, DATA, CC, 5}, {0x01, DATA, 0, 5});
    assert_csw_of(f, forgetful, PROGRAM, 0x000005100C000000);
    assert_text(console_text(channel_device(f->set, forgetful)), "HELLO");
    assert_csw_of(f, paper, PROGRAM, 0x000005100C000000);
    assert_text(printer_text(channel_device(f->set, paper)), "HELLO");
    assert_text(&f->lines, "HELLO|HELLO|");
}

static void test_an_endless_line_is_ended(void **state) {
    struct rig *f = *state;
    PUT(f, {0x01, 0x800, 0, 150});
    memset(f->storage + 0x800, 0xC1, 150);
    for (int i = 0; i < 437; i++)
        assert_csw_of(f, CONSOLE, PROGRAM, 0x000005080C000000);
    assert_int_equal(f->lines.length, 65536 + 1);
    assert_int_equal(console_text(console(f))->length, 437 * 150 + 1);
    PUT(f, {0x01, 0x800, 0, 132});
    for (int i = 0; i < 65536 / 133 + 1; i++) /* printed over each other */
        assert_csw_of(f, PRINTER, PROGRAM, 0x000005080C000000);
    assert_in_range(f->lines.length, 2 * 65000, 2 * 65536 + 2);
}

static void test_every_character_is_printed_or_a_dot(void **state) {
    struct rig *f = *state;
    PUT(f, {0x01, 0x800, CC, 128}, {0x01, 0x880, 0, 128});
    for (int i = 0; i < 256; i++)
        f->storage[0x800 + i] = (uint8_t)i;
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005100C000000);
    const struct bytes *text = console_text(console(f));
    assert_int_equal(text->length, 256);
    for (int i = 0; i < 256; i++) {
        uint8_t c = text->data[i], latin1 = latin1_from_ebcdic[i];
        bool control = latin1 < 0x20 || (latin1 >= 0x7F && latin1 < 0xA0);
        assert_int_equal(c, i == 0x15 ? '\n' : control ? '.' : latin1);
    }
}

static void test_read_inquiry_takes_a_line_typed_before(void **state) {
    struct rig *f = *state;
    type(f, "Hi there");
    type(f, "");
    type(f, "x");
    PUT(f, {0x0A, 0x900, SLI, 20});
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005080C00000C);
    assert_memory_equal(f->storage + 0x900, "\xC8\x89\x40\xA3\x88\x85\x99\x85\0", 9);
    PUT(f, {0x0A, 0x900, 0, 20});
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005080C400014); /* an empty line */
    PUT(f, {0x0A, 0x900, 0, 1});
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005080C000000);
    type(f, "LONG");
    PUT(f, {0x0A, 0x900, 0, 2});
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005080C400000);
    assert_memory_equal(f->storage + 0x900, "\xD3\xD6", 2);
    assert_int_equal(start_io(f, CONSOLE, PROGRAM), 0); /* what did not fit is lost: it waits */
    pass_all_time(f);
    assert_no_interruption(f);
}

static void test_read_inquiry_waits_for_a_line(void **state) {
    struct rig *f = *state;
    uint64_t csw;
    PUT(f, {0x09, DATA, CC, 5}, {0x0A, 0x900, CC | SLI, 20}, {0x09, DATA + 7, 0, 5});
    assert_int_equal(start_io(f, CONSOLE, PROGRAM), 0);
    assert_text(&f->lines, "HELLO|");
    pass_cycles(f, 100000000);
    assert_false(channel_active(f->set, ALL_CHANNELS));
    assert_false(channel_has_interruption(f->set, ALL_CHANNELS));
    assert_int_equal(channel_test_io(f->set, CONSOLE, &csw), 2);
    assert_int_equal(start_io(f, CONSOLE, PROGRAM), 2);

    unsigned notified = f->notified;
    type(f, "YES");
    assert_int_equal(f->notified, notified + 1);
    assert_int_equal(f->storage[0x900], 0); /* the host's storage is used only from its own calls */
    assert_true(channel_has_interruption(f->set, CHANNEL_0));
    assert_true(channel_active(f->set, CHANNEL_0));
    assert_int_equal(channel_test_io(f->set, CONSOLE, &csw), 2);
    assert_memory_equal(f->storage + 0x900, "\xE8\xC5\xE2", 3);
    assert_false(channel_has_interruption(f->set, CHANNEL_0));
    pass_cycles(f, (3 + 5) * 600000 - 1); /* the time of the first write is long over */
    assert_no_interruption(f);
    pass_cycles(f, 1);
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0x000005180C000000);
    assert_text(&f->lines, "HELLO|WORLD|");
}

static void test_a_waiting_program_is_continued_by_taking_interruptions(void **state) {
    struct rig *f = *state;
    PUT(f, {0x0A, 0x900, PCI, 3});
    start_io(f, CONSOLE, PROGRAM);
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0x0000050800800000); /* once, not again afterwards */
    type(f, "YES");
    assert_no_interruption(f);
    assert_memory_equal(f->storage + 0x900, "\xE8\xC5\xE2", 3);
    pass_all_time(f);
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0x000005080C000000);
}

static void test_a_pci_of_a_waiting_program_stays_pending_when_it_is_continued(void **state) {
    struct rig *f = *state;
    PUT(f, {0x0A, 0x900, PCI, 3});
    start_io(f, CONSOLE, PROGRAM);
    type(f, "YES");
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0x0000050800800000);
    pass_all_time(f);
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0x000005080C000000);
}

/* Hercules has no halt for its console: there the program goes on waiting. */
static void test_halt_ends_a_read_inquiry_that_waits(void **state) {
    struct rig *f = *state;
    uint64_t csw;
    PUT(f, {0x0A, 0x900, CC, 20}, {0x03, 0, 0, 1});
    start_io(f, CONSOLE, PROGRAM);
    assert_int_equal(channel_halt_io(f->set, CONSOLE, &csw), 2);
    pass_all_time(f);
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0x000005080C000014);
    type(f, "LATE");
    assert_no_interruption(f);
}

/* --- printer ------------------------------------------------------------------------------------------------------ */

static void test_printer_spacing(void **state) {
    struct rig *f = *state;
    PUT(f, {0x09, DATA, CC, 5}, {0x11, DATA, CC, 5}, {0x19, DATA, CC, 5}, {0x0B, 0, CC, 1}, {0x1B, 0x900000, CC, 1},
        {0x01, DATA, CC, 5}, {0x09, DATA + 7, 0, 5});
    assert_csw_of(f, PRINTER, PROGRAM, 0x000005380C000000);
    assert_text(printer_text(printer(f)), "HELLO\nHELLO\n\nHELLO\n\n\n\n\n\n\nHELLO\rWORLD\n");
    assert_text(&f->lines, "HELLO|HELLO||HELLO|||||||HELLO\rWORLD|");
}

static void test_printer_skips(void **state) {
    struct rig *f = *state;
    PUT(f, {0x91, DATA, CC, 5}, {0x09, DATA, CC, 5}, {0x9B, 0, CC, 1}, {0x8B, 0, CC, 1}, {0x89, DATA, CC, 5},
        {0x8B, 0, CC, 1}, {0x01, DATA, CC, 5}, {0x8B, 0, 0, 1});
    assert_csw_of(f, PRINTER, PROGRAM, 0x000005400C000001);
    /* Channel 2 is at line 7, channel 3 at line 13, channel 1 at the next page. */
    assert_text(printer_text(printer(f)), "HELLO\n\n\n\n\n\nHELLO\n\n\n\n\n\n\fHELLO\n\f\fHELLO\n\f");
}

static void test_printer_reaches_every_channel(void **state) {
    struct rig *f = *state;
    static const uint8_t lines[] = {1, 7, 13, 19, 25, 31, 37, 43, 63, 49, 55, 61};
    for (unsigned channel = 1; channel <= 12; channel++) {
        channel_reset(f->set);
        PUT(f, {0x8B, 0, CC, 1}, {(uint8_t)(0x83 + 8 * channel), 0, 0, 1});
        size_t before = printer_text(printer(f))->length;
        assert_csw_of(f, PRINTER, PROGRAM, 0x000005100C000001);
        size_t breaks = printer_text(printer(f))->length - before - 1;         /* a form feed first */
        assert_int_equal(breaks, lines[channel - 1] - (channel == 1 ? 0 : 1)); /* channel 1: one more form feed */
    }
}

static void test_printer_columns_and_characters(void **state) {
    struct rig *f = *state;
    memset(f->storage + 0x800, 0xC1, 256);
    f->storage[0x801] = 0x15;
    PUT(f, {0x09, 0x800, 0, 200});
    assert_csw_of(f, PRINTER, PROGRAM, 0x000005080C000000);
    const struct bytes *text = printer_text(printer(f));
    assert_int_equal(text->length, 133);
    assert_memory_equal(text->data, "A A", 3);
    memset(f->storage + 0x800, 0x40, 256);
    assert_csw_of(f, PRINTER, PROGRAM, 0x000005080C000000);
    assert_int_equal(text->length, 134); /* trailing blanks are not kept */
}

static void test_printer_time_sense_and_rejects(void **state) {
    struct rig *f = *state;
    PUT(f, {0x09, DATA, CC, 5}, {0x09, DATA, 0, 5});
    start_io(f, PRINTER, PROGRAM);
    pass_cycles(f, 999999);
    assert_false(channel_has_interruption(f->set, ALL_CHANNELS));
    pass_cycles(f, 1);
    assert_interruption(f, ALL_CHANNELS, PRINTER, 0x000005100C000000);
    static const uint8_t unknown[] = {0x81, 0xE9, 0x21, 0x05, 0x0D, 0x02};
    for (size_t i = 0; i < sizeof unknown; i++) {
        PUT(f, {unknown[i], DATA, 0, 5});
        assert_csw_of(f, PRINTER, PROGRAM, 0x0000050802400005);
    }
    PUT(f, {0x04, 0x900, CC, 1}, {0xE4, 0x904, SLI, 20});
    assert_csw_of(f, PRINTER, PROGRAM, 0x000005100C00000D);
    assert_memory_equal(f->storage + 0x900, "\x80\0\0\0\xFF\x28\x21\x01\x14\x03\x01\0", 12);
    PUT(f, {0x03, 0, CC, 5}, {0x73, 0, 0, 5});
    assert_csw_of(f, PRINTER, PROGRAM, 0x000005100C000005);
}

/* --- a caller that never comes back ------------------------------------------------------------------------------- */

static void start_dropped(struct rig *f, uint16_t address, unsigned at) {
    f->accesses = 0;
    f->drop_at = at;
    if (setjmp(f->dropped) == 0) {
        start_io(f, address, PROGRAM);
        fail_msg("not dropped");
    }
    f->drop_at = 0;
}

static void test_a_dropped_start_leaves_the_device_idle(void **state) {
    struct rig *f = *state;
    uint64_t csw;
    PUT(f, {0x03, 0, CC, 1});
    put_ccw(f, PROGRAM, 0x03, 0, 0, 1);
    start_io(f, CONSOLE, PROGRAM);
    pass_all_time(f); /* a condition of an earlier program, which a dropped start does not touch */
    PUT(f, {0x09, DATA, PCI | CC | CD, 5}, {0, DATA, CC, 2}, {0xE4, 0x900, PCI, 7});
    for (unsigned at = 1; at <= 6; at++) {
        start_dropped(f, CONSOLE, at);
        assert_false(channel_active(f->set, ALL_CHANNELS));
        assert_int_equal(timeline_next(f->timeline), SIM_TIME_NEVER);
    }
    assert_int_equal(channel_test_io(f->set, CONSOLE, &csw), 1);
    assert_int_equal(csw, 0x000005080C000001);
    assert_no_interruption(f);
    start_io(f, CONSOLE, PROGRAM);
    pass_all_time(f);
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0x0000051800800000);
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0x000005180C000000);
}

static void test_a_dropped_continuation_is_ended_by_reset(void **state) {
    struct rig *f = *state;
    uint64_t csw;
    PUT(f, {0x0A, 0x900, 0, 3});
    start_io(f, CONSOLE, PROGRAM);
    type(f, "YES");
    f->accesses = 0;
    f->drop_at = 1;
    if (setjmp(f->dropped) == 0) {
        channel_test_io(f->set, CONSOLE, &csw);
        fail_msg("not dropped");
    }
    f->drop_at = 0;
    channel_reset(f->set);
    assert_int_equal(channel_test_io(f->set, CONSOLE, &csw), 0);
    assert_no_interruption(f);
}

/* --- anything at all ---------------------------------------------------------------------------------------------- */

static void put_random_ccw(struct rig *f, struct random *r, uint32_t at) {
    static const uint8_t codes[] = {0x01, 0x09, 0x03, 0x04, 0xE4, 0x0A, 0x0B, 0x08, 0x08, 0x11, 0x89, 0x8B, 0x1B, 0x0C};
    static const uint8_t flags[] = {0, CC, CC | SLI, CD, CD | CC, SLI, IDA, IDA | CC | SLI, PCI | CC, SKIP | CC | SLI};
    uint8_t code = random_below(r, 20) ? codes[random_below(r, sizeof codes)] : (uint8_t)random_below(r, 256);
    uint8_t flag = random_below(r, 30) ? flags[random_below(r, sizeof flags)] : (uint8_t)random_below(r, 256);
    uint32_t address =
        random_below(r, 25) ? (uint32_t)random_below(r, STORAGE_BYTES) & ~3u : (uint32_t)random_below(r, 1 << 24);
    if (code == 0x08 && random_below(r, 20))
        address = PROGRAM + 8 * (uint32_t)random_below(r, 32);
    uint16_t count = random_below(r, 10) ? (uint16_t)(1 + random_below(r, 30)) : (uint16_t)random_below(r, 65536);
    put_ccw(f, at, code, address, flag, count);
}

static void random_step(struct rig *f, struct random *r) {
    static const uint16_t addresses[] = {CONSOLE, CONSOLE, PRINTER, SECOND, FAR, 0x123};
    uint16_t address = addresses[random_below(r, sizeof addresses / sizeof addresses[0])], its;
    uint32_t mask = random_below(r, 3) ? ALL_CHANNELS : (uint32_t)random_below(r, UINT64_C(1) << 32), id;
    uint64_t csw;
    switch (random_below(r, 12)) {
    case 0:
    case 1:
    case 2: assert_in_range(start_io(f, address, (uint32_t)random_below(r, 3) << 28 | PROGRAM), 0, 3); break;
    case 3: assert_in_range(channel_test_io(f->set, address, &csw), 0, 3); break;
    case 4: assert_in_range(channel_halt_io(f->set, address, &csw), 0, 3); break;
    case 5: assert_in_range(channel_test(f->set, address), 0, 3); break;
    case 6: channel_id(f->set, address, &id); break;
    case 7: channel_attention(f->set, address); break;
    case 8: type(f, "SOME LINE"); break;
    case 9: pass_cycles(f, random_below(r, 20000000)); break;
    case 10:
        if (!random_below(r, 20))
            channel_reset(f->set);
        break;
    default: {
        bool has = channel_has_interruption(f->set, mask);
        bool took = channel_take_interruption(f->set, mask, &its, &csw);
        assert_true(has || !took);
        break;
    }
    }
}

static void test_random_programs_do_no_harm(void **state) {
    struct rig *f = *state;
    struct random r;
    random_init(&r, 370, "channels");
    f->keys[0x2000 / BLOCK] = 0x28;
    f->keys[0x2800 / BLOCK] = 0x10;
    for (int program = 0; program < 3000; program++) {
        for (uint32_t i = 0; i < 32; i++)
            put_random_ccw(f, &r, PROGRAM + 8 * i);
        for (uint32_t at = 0x8000; at < 0x8100; at += 4) /* IDAWs that may be hit upon */
            bytes_put32(f->storage + at, (uint32_t)random_below(&r, 40) * BLOCK);
        for (int step = 0; step < 8; step++)
            random_step(f, &r);
    }
    /* Whatever happened: after a reset everything works. */
    channel_reset(f->set);
    memset(f->keys, 0, sizeof f->keys);
    PUT(f, {0x09, DATA, 0, 5});
    assert_csw_of(f, CONSOLE, PROGRAM, 0x000005080C000000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_write_appears_on_the_console),
        RIG_TEST(test_no_operation_ends_with_its_count_as_residual),
        RIG_TEST(test_command_chaining_runs_all_commands),
        RIG_TEST(test_key_of_the_caw_is_in_the_csw_and_bits_4_to_7_are_ignored),
        RIG_TEST(test_data_chaining_is_one_command),
        RIG_TEST(test_transfer_in_channel),
        RIG_TEST(test_incorrect_length),
        RIG_TEST(test_a_record_is_spread_over_a_data_chain),
        RIG_TEST(test_a_write_that_stops_early_names_the_ccw_of_that_byte),
        RIG_TEST(test_skip_moves_nothing_and_checks_nothing),
        RIG_TEST(test_indirect_addresses_continue_at_2k_boundaries),
        RIG_TEST(test_program_checks),
        RIG_TEST(test_bad_indirect_address_words),
        RIG_TEST(test_a_check_in_a_chain_names_the_ccw_and_keeps_what_was_done),
        RIG_TEST(test_protection_checks),
        RIG_TEST(test_an_endless_program_ends_with_a_program_check),
        RIG_TEST(test_data_that_are_moved_count_towards_the_end_of_a_program),
        RIG_TEST(test_an_endless_data_chain_ends_with_a_program_check),
        RIG_TEST(test_unknown_command_is_rejected_and_sense_tells_so),
        RIG_TEST(test_status_modifier_skips_a_ccw),
        RIG_TEST(test_other_status_ends_the_chain),
        RIG_TEST(test_attach_takes_the_device_over_in_any_case),
        RIG_TEST(test_the_ending_comes_after_the_devices_time),
        RIG_TEST(test_a_program_without_device_time_ends_after_100_cycles),
        RIG_TEST(test_busy_while_in_progress),
        RIG_TEST(test_no_such_device),
        RIG_TEST(test_channel_id),
        RIG_TEST(test_test_io_takes_the_condition),
        RIG_TEST(test_a_pending_condition_does_not_prevent_a_start_and_is_replaced),
        RIG_TEST(test_program_controlled_interruption_comes_apart_and_at_once),
        RIG_TEST(test_conditions_are_taken_by_channel_then_by_arrival),
        RIG_TEST(test_attention),
        RIG_TEST(test_halting_an_idle_device_presents_its_last_status),
        RIG_TEST(test_reset_forgets_everything),
        RIG_TEST(test_console_lines),
        RIG_TEST(test_lines_are_forgotten_where_nobody_asks_for_them),
        RIG_TEST(test_an_endless_line_is_ended),
        RIG_TEST(test_every_character_is_printed_or_a_dot),
        RIG_TEST(test_read_inquiry_takes_a_line_typed_before),
        RIG_TEST(test_read_inquiry_waits_for_a_line),
        RIG_TEST(test_a_waiting_program_is_continued_by_taking_interruptions),
        RIG_TEST(test_a_pci_of_a_waiting_program_stays_pending_when_it_is_continued),
        RIG_TEST(test_halt_ends_a_read_inquiry_that_waits),
        RIG_TEST(test_printer_spacing),
        RIG_TEST(test_printer_skips),
        RIG_TEST(test_printer_reaches_every_channel),
        RIG_TEST(test_printer_columns_and_characters),
        RIG_TEST(test_printer_time_sense_and_rejects),
        RIG_TEST(test_a_dropped_start_leaves_the_device_idle),
        RIG_TEST(test_a_dropped_continuation_is_ended_by_reset),
        RIG_TEST(test_random_programs_do_no_harm),
    };
    return cmocka_run_group_tests_name("isa/channel", tests, NULL, NULL);
}
