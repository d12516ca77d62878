/* I/O instructions under the architecture's condition codes (Principles of Operation, "Input/Output Operations"). */
#include "tests/support/channel_rig.h"

#include <string.h>

enum { DISK = 0x151, OTHER_DISK = 0x152, READER = 0x00C };
enum { START = 1, TEST, CLEAR, HALT, HALT_DEVICE };

/* The status that an instruction with condition code 1 stored: CSW bits 32-47. */
static unsigned do_io(struct rig *f, int instruction, uint16_t address, unsigned *status) {
    static unsigned (*const functions[])(struct channel_set *, uint16_t, uint64_t *) = {
        [TEST] = channel_test_io,
        [CLEAR] = channel_clear_io,
        [HALT] = channel_halt_io,
        [HALT_DEVICE] = channel_halt_device,
    };
    uint64_t csw = UINT64_MAX;
    unsigned cc = instruction == START ? channel_start_io(f->set, address, PROGRAM, &csw)
                                       : functions[instruction](f->set, address, &csw);
    *status = cc == 1 ? (unsigned)(csw >> 16 & 0xFFFF) : 0;
    if (cc != 1)
        assert_true(csw == UINT64_MAX); /* untouched */
    return cc;
}

static void assert_cc(struct rig *f, int instruction, uint16_t address, unsigned cc, unsigned status) {
    unsigned stored, got = do_io(f, instruction, address, &stored);
    if (got != cc || stored != status)
        fail_msg("instruction %d of %03X: cc %u, status %04X, not cc %u, status %04X", instruction, address, got,
                 stored, cc, status);
}

static void test_a_good_program_starts_and_ends_by_interruption(void **state) {
    struct rig *f = *state;
    PUT(f, {0x09, DATA, 0, 5});
    assert_cc(f, START, CONSOLE, 0, 0);
    pass_all_time(f);
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0x000005080C000000);
    assert_no_interruption(f);
    assert_cc(f, START, 0x0FF, 3, 0);
}

static void test_an_immediate_command_ends_in_the_instruction(void **state) {
    struct rig *f = *state;
    PUT(f, {0x03, 0, 0, 1});
    assert_cc(f, START, CONSOLE, 1, 0x0C00);
    pass_all_time(f);
    assert_no_interruption(f);
    PUT(f, {0x03, 0, PCI, 1});
    assert_cc(f, START, CONSOLE, 1, 0x0C80);
    assert_no_interruption(f);
    /* When it leads to another command, the program is one that was started. */
    PUT(f, {0x03, 0, CC, 1}, {0x03, 0, 0, 1});
    assert_cc(f, START, CONSOLE, 0, 0);
    pass_all_time(f);
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0x000005100C000001);
}

static void test_what_is_wrong_with_the_first_ccw_is_seen_by_the_instruction(void **state) {
    struct rig *f = *state;
    uint64_t csw = 0;
    static const struct ccw_text wrong[] = {
        {0x09, DATA, 0, 0}, {0x09, DATA, 1, 5}, {0x00, DATA, 0, 5}, {0x08, 0x540, 0, 5}, {0x10, DATA, 0, 5},
    };
    put_ccw(f, 0x540, 0x09, DATA, 0, 5); /* a good one, to which a TIC leads that may not be first */
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        put_program(f, &wrong[i], 1);
        assert_cc(f, START, CONSOLE, 1, 0x0020);
    }
    PUT(f, {0x09, DATA, 0, 5});
    assert_int_equal(channel_start_io(f->set, CONSOLE, 0x01000000 | PROGRAM, &csw), 1); /* CAW bits 4-7 */
    assert_int_equal(csw >> 16 & 0xFFFF, 0x0020);
    assert_int_equal(channel_start_io(f->set, CONSOLE, PROGRAM + 4, &csw), 1);
    assert_int_equal(channel_start_io(f->set, CONSOLE, 0x800000, &csw), 1);
    assert_int_equal(csw >> 16 & 0xFFFF, 0x0020);
    f->keys[0] = 0x28;
    assert_int_equal(channel_start_io(f->set, CONSOLE, 0x10000000 | PROGRAM, &csw), 1);
    assert_int_equal(csw >> 16 & 0xFFFF, 0x0010);
    f->keys[0] = 0;
    PUT(f, {0x99, DATA, 0, 5}); /* the device refuses it */
    assert_cc(f, START, CONSOLE, 1, 0x0E40);
    pass_all_time(f);
    assert_no_interruption(f);
    assert_int_equal(console_text(channel_device(f->set, CONSOLE))->length, 0);
    PUT(f, {0x03, 0, CC, 1}, {0x09, DATA, 0, 0}); /* the second one ends a program that was started */
    assert_cc(f, START, CONSOLE, 0, 0);
    pass_all_time(f);
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0x0000051000200001);
}

static void test_a_subchannel_with_a_program_or_its_status_is_busy(void **state) {
    struct rig *f = *state;
    PUT(f, {0x09, DATA, 0, 5});
    assert_cc(f, START, CONSOLE, 0, 0);
    assert_cc(f, START, CONSOLE, 2, 0);
    assert_cc(f, TEST, CONSOLE, 2, 0);
    assert_cc(f, CLEAR, CONSOLE, 2, 0);
    assert_cc(f, START, PRINTER, 0, 0); /* on the byte multiplexer each has its own */
    pass_all_time(f);
    assert_cc(f, START, CONSOLE, 2, 0); /* its status is pending */
    assert_cc(f, TEST, CONSOLE, 1, 0x0C00);
    assert_cc(f, TEST, CONSOLE, 0, 0);
    assert_cc(f, START, CONSOLE, 0, 0);
}

static void test_status_at_the_device_is_presented_with_busy(void **state) {
    struct rig *f = *state;
    PUT(f, {0x09, DATA, 0, 5});
    assert_true(channel_attention(f->set, CONSOLE));
    assert_cc(f, START, CONSOLE, 1, 0x9000);
    assert_cc(f, START, CONSOLE, 0, 0); /* it was cleared */
    pass_all_time(f);
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0x000005080C000000);
    assert_true(channel_attention(f->set, CONSOLE));
    assert_cc(f, TEST, CONSOLE, 1, 0x8000);
    assert_cc(f, TEST, CONSOLE, 0, 0);
}

/* The printer prints from a buffer: the channel is free before the line is printed. */
static void test_device_end_comes_after_channel_end(void **state) {
    struct rig *f = *state;
    PUT(f, {0x09, DATA, 0, 5});
    assert_cc(f, START, PRINTER, 0, 0);
    pass_cycles(f, 100);
    assert_interruption(f, ALL_CHANNELS, PRINTER, 0x0000050808000000);
    assert_true(channel_active(f->set, CHANNEL_0));
    assert_cc(f, START, PRINTER, 1, 0x1000); /* busy */
    assert_cc(f, TEST, PRINTER, 1, 0x1000);
    assert_cc(f, HALT, PRINTER, 1, 0);
    pass_cycles(f, 500000 - 100);
    assert_no_interruption(f);
    pass_cycles(f, 100);
    assert_interruption(f, ALL_CHANNELS, PRINTER, 0x0000000004000000);
    assert_false(channel_active(f->set, CHANNEL_0));
    assert_cc(f, TEST, PRINTER, 0, 0);
}

static void test_channel_end_and_device_end_queue(void **state) {
    struct rig *f = *state;
    PUT(f, {0x09, DATA, 0, 5});
    assert_cc(f, START, PRINTER, 0, 0);
    pass_all_time(f);
    assert_cc(f, START, PRINTER, 2, 0); /* channel end in the subchannel */
    assert_interruption(f, ALL_CHANNELS, PRINTER, 0x0000050808000000);
    assert_cc(f, START, PRINTER, 1, 0x1400); /* device end at the device */
    assert_cc(f, START, PRINTER, 0, 0);
}

static void test_commands_are_chained_on_device_end(void **state) {
    struct rig *f = *state;
    PUT(f, {0x09, DATA, CC, 5}, {0x09, DATA, 0, 5});
    assert_cc(f, START, PRINTER, 0, 0);
    pass_cycles(f, 499900);
    assert_no_interruption(f);
    pass_cycles(f, 100);
    assert_interruption(f, ALL_CHANNELS, PRINTER, 0x0000051008000000);
    pass_all_time(f);
    assert_interruption(f, ALL_CHANNELS, PRINTER, 0x0000000004000000);
}

static void test_a_card_is_read_from_the_buffer(void **state) {
    struct rig *f = *state;
    struct device *reader = attach_reader(f, READER);
    struct error e = ERROR_CLEAR;
    assert_true(reader_load_text(reader, "ONE\nTWO\n", 8, true, &e));
    PUT(f, {0x02, 0x900, 0, 80});
    assert_cc(f, START, READER, 0, 0);
    pass_cycles(f, 100);
    assert_interruption(f, ALL_CHANNELS, READER, 0x0000050808000000);
    pass_all_time(f);
    assert_interruption(f, ALL_CHANNELS, READER, 0x0000000004000000);
    assert_cc(f, START, READER, 0, 0);
    pass_all_time(f);
    assert_interruption(f, ALL_CHANNELS, READER, 0x0000050808000000);
    assert_interruption(f, ALL_CHANNELS, READER, 0x0000000004000000);
    assert_cc(f, START, READER, 0, 0); /* end of the deck */
    pass_all_time(f);
    assert_interruption(f, ALL_CHANNELS, READER, 0x000005080D400050);
    assert_cc(f, START, READER, 1, 0x0240); /* nothing left: intervention required */
}

static void put_extent_and_locate(struct rig *f) {
    static const uint8_t extent[16] = {0xC0, [15] = 99}, locate[8] = {0x06, 0, 0, 4};
    memcpy(f->storage + 0x700, extent, sizeof extent);
    memcpy(f->storage + 0x710, locate, sizeof locate);
    PUT(f, {0x63, 0x700, CC, 16}, {0x43, 0x710, CC, 8}, {0x42, 0x900, 0, 2048});
}

/* While the arm moves the channel is free; while blocks are transferred it is not. */
static void test_the_channel_is_busy_while_blocks_are_transferred(void **state) {
    struct rig *f = *state;
    attach_disk(f, DISK, 100);
    attach_disk(f, OTHER_DISK, 100);
    put_extent_and_locate(f);
    f->storage[0x717] = 8; /* away from where the arm is */
    assert_cc(f, START, DISK, 0, 0);
    assert_int_equal(channel_test(f->set, DISK), 0);
    assert_cc(f, TEST, OTHER_DISK, 0, 0);
    pass_cycles(f, 87800 - 100);
    assert_int_equal(channel_test(f->set, DISK), 0);
    pass_cycles(f, 100); /* the blocks come */
    assert_int_equal(channel_test(f->set, DISK), 2);
    assert_cc(f, TEST, OTHER_DISK, 2, 0);
    assert_cc(f, START, OTHER_DISK, 2, 0);
    assert_cc(f, HALT_DEVICE, OTHER_DISK, 2, 0); /* another device's: goes on */
    assert_int_equal(channel_test(f->set, CONSOLE), 0);
    pass_cycles(f, 4 * 2800 - 100);
    assert_int_equal(channel_test(f->set, DISK), 2);
    pass_cycles(f, 100);
    assert_int_equal(channel_test(f->set, DISK), 1); /* pending in the channel */
    assert_interruption(f, ALL_CHANNELS, DISK, 0x000005180C000000);
    assert_int_equal(channel_test(f->set, DISK), 0);
}

static void test_halt_ends_what_holds_the_channel(void **state) {
    struct rig *f = *state;
    attach_disk(f, DISK, 100);
    attach_disk(f, OTHER_DISK, 100);
    put_extent_and_locate(f);
    assert_cc(f, START, DISK, 0, 0); /* the arm is there: the blocks come at once */
    pass_cycles(f, 200);
    assert_cc(f, HALT, OTHER_DISK, 2, 0);
    assert_int_equal(channel_test(f->set, DISK), 0);
    pass_cycles(f, 100);
    assert_interruption(f, ALL_CHANNELS, DISK, 0x000005180C000000);
}

static void test_halt_ends_what_the_device_does(void **state) {
    struct rig *f = *state;
    assert_cc(f, HALT, CONSOLE, 1, 0); /* nothing */
    assert_no_interruption(f);
    PUT(f, {0x0A, 0x900, 0, 20});
    assert_cc(f, START, CONSOLE, 0, 0);
    pass_all_time(f);
    assert_no_interruption(f);
    assert_cc(f, HALT_DEVICE, CONSOLE, 1, 0);
    pass_all_time(f);
    assert_cc(f, HALT, CONSOLE, 0, 0); /* status is pending */
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0x000005080C000014);
    assert_cc(f, HALT, 0x0FF, 3, 0);
}

static void test_program_controlled_interruptions(void **state) {
    struct rig *f = *state;
    PUT(f, {0x09, DATA, CC | PCI, 5}, {0x09, DATA, 0, 5});
    assert_cc(f, START, CONSOLE, 0, 0);
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0x0000050800800000); /* before the end */
    pass_all_time(f);
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0x000005100C000000);
    assert_no_interruption(f);
    assert_cc(f, START, CONSOLE, 0, 0);
    pass_all_time(f); /* not taken: both are one */
    assert_interruption(f, ALL_CHANNELS, CONSOLE, 0x000005100C800000);
    assert_no_interruption(f);
}

static void test_a_reset_forgets_a_device_that_works_alone(void **state) {
    struct rig *f = *state;
    PUT(f, {0x09, DATA, 0, 5});
    assert_cc(f, START, PRINTER, 0, 0);
    pass_cycles(f, 100);
    channel_reset(f->set);
    pass_all_time(f);
    assert_no_interruption(f);
    assert_cc(f, START, PRINTER, 0, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARCHITECTURE_TEST(test_a_good_program_starts_and_ends_by_interruption),
        ARCHITECTURE_TEST(test_an_immediate_command_ends_in_the_instruction),
        ARCHITECTURE_TEST(test_what_is_wrong_with_the_first_ccw_is_seen_by_the_instruction),
        ARCHITECTURE_TEST(test_a_subchannel_with_a_program_or_its_status_is_busy),
        ARCHITECTURE_TEST(test_status_at_the_device_is_presented_with_busy),
        ARCHITECTURE_TEST(test_device_end_comes_after_channel_end),
        ARCHITECTURE_TEST(test_channel_end_and_device_end_queue),
        ARCHITECTURE_TEST(test_commands_are_chained_on_device_end),
        ARCHITECTURE_TEST(test_a_card_is_read_from_the_buffer),
        ARCHITECTURE_TEST(test_the_channel_is_busy_while_blocks_are_transferred),
        ARCHITECTURE_TEST(test_halt_ends_what_holds_the_channel),
        ARCHITECTURE_TEST(test_halt_ends_what_the_device_does),
        ARCHITECTURE_TEST(test_program_controlled_interruptions),
        ARCHITECTURE_TEST(test_a_reset_forgets_a_device_that_works_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
