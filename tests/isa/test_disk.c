/* Fixed-block disks, attached to machines: commands, status, sense, lengths and times. */
#include "tests/support/channel_rig.h"

#include <string.h>

#include "tests/support/program.h"

static void attach_to_machine(struct machine *m, uint16_t address, uint32_t blocks) {
    struct disk_backing b;
    struct error e = ERROR_CLEAR;
    if (!disk_backing_memory(&b, blocks, &e) || !machine_attach(m, address, disk_new(machine_model(m), &b), &e))
        fail_msg("%s", e.text);
}

/* A page written to blocks 10 to 17 of the disk, and read back elsewhere. */
static const char page_out_and_in[] = "TEST     START 0\n"
                                      "         USING TEST,0\n"
                                      "         DC    XL4'00080000',A(START)\n"
                                      "         ORG   TEST+72\n"
                                      "         DC    A(WRITE)\n"
                                      "         ORG   TEST+120\n"
                                      "         DC    XL4'00080000',A(ENDED)\n"
                                      "         ORG   TEST+X'200'\n"
                                      "START    SIO   X'150'\n"
                                      "         LPSW  WAIT\n"
                                      "ENDED    MVC   SAVED(8),64\n"
                                      "         CLC   72(4),=A(READ)\n"
                                      "         BE    DONE\n"
                                      "         MVC   72(4),=A(READ)\n"
                                      "         B     START\n"
                                      "DONE     LPSW  STOP\n"
                                      "         DS    0D\n"
                                      "WAIT     DC    XL4'020A0000',A(0)\n"
                                      "STOP     DC    XL4'000A0000',A(0)\n"
                                      "SAVED    DS    D\n"
                                      "WRITE    DC    X'63',AL3(EXTENT),X'4000',H'16'\n"
                                      "         DC    X'43',AL3(OUT),X'4000',H'8'\n"
                                      "         DC    X'41',AL3(X'1000'),X'0000',H'4096'\n"
                                      "READ     DC    X'63',AL3(EXTENT),X'4000',H'16'\n"
                                      "         DC    X'43',AL3(IN),X'4000',H'8'\n"
                                      "         DC    X'42',AL3(X'2000'),X'0000',H'4096'\n"
                                      "EXTENT   DC    X'C0000000',F'10',F'0',F'7'\n"
                                      "OUT      DC    X'01000008',F'0'\n"
                                      "IN       DC    X'06000008',F'0'\n"
                                      "         LTORG\n"
                                      "         END\n";

static void test_a_program_writes_a_page_and_reads_it_back(void **state) {
    (void)state;
    struct machine *m = program_load("s370", page_out_and_in);
    uint8_t page[4096], back[4096];
    for (size_t i = 0; i < sizeof page; i++)
        page[i] = (uint8_t)(i * 7 + i / 256);
    attach_to_machine(m, ADDRESS_DISK, 1000);
    assert_int_equal(machine_poke(m, 0x1000, page, sizeof page), ACCESS_OK);
    assert_int_equal(program_run(m, 0), MACHINE_DISABLED_WAIT);
    assert_int_equal(machine_peek(m, 0x2000, back, sizeof back), ACCESS_OK);
    assert_memory_equal(page, back, sizeof page);
    /* Out: half a revolution and 8 blocks; in: the same again, the blocks having passed. */
    uint64_t cycles = program_stats(m).cycles;
    assert_in_range(cycles, 2 * (87800 + 8 * 2800), 2 * (87800 + 8 * 2800) + 2000);
    program_free(m);
}

static void test_an_address_that_is_taken_is_refused(void **state) {
    (void)state;
    struct machine *m = program_load("flat", "         END\n");
    struct disk_backing b;
    struct error e = ERROR_CLEAR;
    attach_to_machine(m, ADDRESS_DISK, 10);
    assert_true(disk_backing_memory(&b, 10, &e));
    assert_false(machine_attach(m, ADDRESS_DISK, disk_new(machine_model(m), &b), &e));
    assert_string_equal(e.text, "machine bare already has a device 150");
    assert_false(machine_attach(m, 0x151, NULL, &e));
    assert_string_equal(e.text, "no memory for device 151");
    assert_non_null(machine_device(m, ADDRESS_DISK));
    assert_null(machine_device(m, 0x151));
    program_free(m);
}

/* --- commands, on the rig ------------------------------------------------------------------------------------------
 */

enum { DISK = 0x151, BLOCKS = 2000, EXTENT = 0x700, LOCATE = 0x720, BUFFER = 0x1000 };

static int disk_setup(void **state) {
    rig_setup(state);
    attach_disk(*state, DISK, BLOCKS);
    return 0;
}
#define DISK_TEST(name) cmocka_unit_test_setup_teardown(name, disk_setup, rig_teardown)

static void put_extent(struct rig *f, uint8_t mask, uint32_t at, uint32_t first, uint32_t last) {
    uint8_t *p = f->storage + EXTENT;
    memset(p, 0, 16);
    p[0] = mask;
    bytes_put32(p + 4, at);
    bytes_put32(p + 8, first);
    bytes_put32(p + 12, last);
}

static void put_locate(struct rig *f, uint8_t operation, uint8_t replication, uint16_t blocks, uint32_t first) {
    uint8_t *p = f->storage + LOCATE;
    p[0] = operation;
    p[1] = replication;
    bytes_put16(p + 2, blocks);
    bytes_put32(p + 4, first);
}

#define DEFINE_EXTENT                                                                                                  \
    { 0x63, EXTENT, CC, 16 }
#define LOCATE_BLOCKS                                                                                                  \
    { 0x43, LOCATE, CC, 8 }

/* Of the disk: the command was rejected, which is the CCW before `behind`. */
static void assert_rejected(struct rig *f, uint32_t behind, uint16_t count) {
    assert_csw_of(f, DISK, PROGRAM, (uint64_t)behind << 32 | 0x0E000000 | (count ? 0x400000 : 0) | count);
    PUT(f, {0x04, BUFFER, 0, 24});
    assert_csw_of(f, DISK, PROGRAM, 0x000005080C000000);
    assert_int_equal(f->storage[BUFFER], 0x80);
}

static void transfer(struct rig *f, bool write, uint32_t first, uint16_t blocks) {
    put_extent(f, 0xC0, 0, 0, BLOCKS - 1);
    put_locate(f, write ? 1 : 6, 0, blocks, first);
    PUT(f, DEFINE_EXTENT, LOCATE_BLOCKS, {write ? 0x41 : 0x42, BUFFER, 0, (uint16_t)(blocks * 512)});
    assert_csw_of(f, DISK, PROGRAM, 0x000005180C000000);
}

static void fill(struct rig *f, uint32_t length, uint8_t seed) {
    for (uint32_t i = 0; i < length; i++)
        f->storage[BUFFER + i] = (uint8_t)(seed + i * 13 + i / 256);
}

static void test_the_disk_says_what_it_is(void **state) {
    struct rig *f = *state;
    static const uint8_t characteristics[32] = {0x30, 0x08, 0x21, 0x02, 0x02, 0, 0, 0, 0,
                                                62,   0,    0,    2,    232,  0, 0, 7, 208};
    PUT(f, {0xE4, BUFFER, CC, 7}, {0x64, BUFFER + 8, CC, 32}, {0xA4, BUFFER + 40, CC, 24}, {0x03, 0, 0, 1});
    fill(f, 100, 1);
    assert_csw_of(f, DISK, PROGRAM, 0x000005200C000001);
    assert_memory_equal(f->storage + BUFFER, "\xFF\x38\x80\x01\x33\x70\0", 7);
    assert_memory_equal(f->storage + BUFFER + 8, characteristics, 32);
    for (int i = 40; i < 64; i++)
        assert_int_equal(f->storage[BUFFER + i], 0);
}

static void test_reserve_and_release_give_sense_data(void **state) {
    struct rig *f = *state;
    PUT(f, {0x0C, BUFFER, SLI, 1}); /* read backward: rejected */
    assert_csw_of(f, DISK, PROGRAM, 0x000005080E000001);
    PUT(f, {0x14, BUFFER, CC, 24}, {0xB4, BUFFER + 24, CC, 24}, {0x94, BUFFER + 48, 0, 24});
    assert_csw_of(f, DISK, PROGRAM, 0x000005180C000000);
    assert_int_equal(f->storage[BUFFER], 0x80);
    assert_int_equal(f->storage[BUFFER + 24] + f->storage[BUFFER + 48], 0);
    PUT(f, {0x03, 0, CC, 1}, {0x14, BUFFER, 0, 24}); /* not first */
    assert_rejected(f, 0x510, 24);
    put_extent(f, 0, 0, 0, 0);
    PUT(f, DEFINE_EXTENT, {0xB4, BUFFER, 0, 24});
    assert_rejected(f, 0x510, 24);
}

static void test_blocks_are_numbered_from_the_extent(void **state) {
    struct rig *f = *state;
    fill(f, 3 * 512, 1);
    transfer(f, true, 1000, 3);
    memset(f->storage + BUFFER, 0, 3 * 512);
    put_extent(f, 0x40, 990, 500, 520);
    put_locate(f, 6, 0, 2, 511);
    PUT(f, DEFINE_EXTENT, LOCATE_BLOCKS, {0x42, BUFFER, 0, 1024});
    assert_csw_of(f, DISK, PROGRAM, 0x000005180C000000);
    uint8_t got[1024];
    memcpy(got, f->storage + BUFFER, sizeof got);
    fill(f, 3 * 512, 1);
    assert_memory_equal(got, f->storage + BUFFER + 512, sizeof got);
}

static void test_extents_that_are_rejected(void **state) {
    struct rig *f = *state;
    static const struct {
        uint8_t mask;
        uint32_t at, first, last;
        bool good;
    } cases[] = {
        {0xC0, 0, 0, BLOCKS - 1, true},   {0x40, 0, 0, 0, true},
        {0x04, BLOCKS - 1, 77, 77, true}, {0xC0, 0, 0, BLOCKS, false},
        {0xC0, 1, 0, BLOCKS - 1, false},  {0xC0, BLOCKS, 0, 0, false},
        {0xC0, 0, 5, 4, false},           {0x80, 0, 0, 0, false},
        {0xC8, 0, 0, 0, false},           {0xE0, 0, 0, 0, false},
        {0xD0, 0, 0, 0, false},           {0xC2, 0, 0, 0, false},
        {0xC1, 0, 0, 0, false},           {0xC0, 0xFFFFFFFF, 0, 1, false},
        {0xC0, 0, 0, 0xFFFFFFFF, false},  {0xC0, 0, 0xFFFFFFF0, 0xFFFFFFFF, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put_extent(f, cases[i].mask, cases[i].at, cases[i].first, cases[i].last);
        PUT(f, DEFINE_EXTENT, {0x03, 0, 0, 1});
        if (cases[i].good)
            assert_csw_of(f, DISK, PROGRAM, 0x000005100C000001);
        else
            assert_rejected(f, 0x508, 0);
    }
    put_extent(f, 0xC0, 0, 0, 9);
    PUT(f, DEFINE_EXTENT, DEFINE_EXTENT); /* once a chain */
    assert_rejected(f, 0x510, 0);
    PUT(f, {0x63, EXTENT, CC, 15});
    assert_rejected(f, 0x508, 0);
}

static void test_locates_that_are_rejected(void **state) {
    struct rig *f = *state;
    static const struct {
        uint8_t mask, operation, replication;
        uint16_t blocks;
        uint32_t first;
        bool good;
    } cases[] = {
        {0xC0, 6, 0, 10, 100, true},     {0xC0, 6, 0, 1, 109, true},         {0xC0, 6, 0, 0, 100, false},
        {0xC0, 6, 0, 1, 99, false},      {0xC0, 6, 0, 1, 110, false},        {0xC0, 6, 0, 11, 100, false},
        {0xC0, 6, 0, 2, 109, false},     {0xC0, 1, 0, 1, 100, true},         {0xC0, 5, 0, 1, 100, true},
        {0x40, 1, 0, 1, 100, false},     {0x40, 5, 0, 1, 100, false},        {0x00, 1, 0, 1, 100, true},
        {0xC0, 4, 0, 1, 100, true},      {0x00, 4, 0, 1, 100, false},        {0x40, 4, 0, 1, 100, false},
        {0xC0, 2, 4, 2, 100, true},      {0xC0, 2, 0, 2, 100, false},        {0xC0, 2, 3, 2, 100, false},
        {0xC0, 0, 0, 1, 100, false},     {0xC0, 3, 0, 1, 100, false},        {0xC0, 7, 0, 1, 100, false},
        {0xC0, 15, 0, 1, 100, false},    {0xC0, 0x26, 0, 1, 100, false},     {0xC0, 0x16, 0, 1, 100, true},
        {0xC0, 6, 0, 65535, 100, false}, {0xC0, 6, 0, 2, 0xFFFFFFFF, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put_extent(f, cases[i].mask, 50, 100, 109);
        put_locate(f, cases[i].operation, cases[i].replication, cases[i].blocks, cases[i].first);
        PUT(f, DEFINE_EXTENT, LOCATE_BLOCKS, {0x03, 0, 0, 1});
        if (cases[i].good)
            assert_csw_of(f, DISK, PROGRAM, 0x000005180C000001);
        else
            assert_rejected(f, 0x510, 0);
    }
    put_locate(f, 6, 0, 1, 0);
    PUT(f, LOCATE_BLOCKS); /* no extent: that of the chain before does not count */
    assert_rejected(f, 0x508, 0);
}

static void test_reads_and_writes_follow_their_locate(void **state) {
    struct rig *f = *state;
    put_extent(f, 0xC0, 0, 0, 9);
    put_locate(f, 6, 0, 1, 0);
    PUT(f, DEFINE_EXTENT, LOCATE_BLOCKS, {0x41, BUFFER, SLI, 512}); /* located to read */
    assert_csw_of(f, DISK, PROGRAM, 0x000005180E000200);
    PUT(f, DEFINE_EXTENT, LOCATE_BLOCKS, {0x03, 0, CC, 1}, {0x42, BUFFER, SLI, 512});
    assert_csw_of(f, DISK, PROGRAM, 0x000005200E000200);
    PUT(f, DEFINE_EXTENT, LOCATE_BLOCKS, {0x42, BUFFER, CC, 512}, {0x42, BUFFER, SLI, 512});
    assert_csw_of(f, DISK, PROGRAM, 0x000005200E000200);
    put_locate(f, 1, 0, 1, 0);
    PUT(f, DEFINE_EXTENT, LOCATE_BLOCKS, {0x42, BUFFER, SLI, 512});
    assert_csw_of(f, DISK, PROGRAM, 0x000005180E000200);
}

static void test_lengths_of_reads_and_writes(void **state) {
    struct rig *f = *state;
    fill(f, 3 * 512, 1);
    transfer(f, true, 0, 3);
    put_locate(f, 6, 0, 2, 0);
    PUT(f, DEFINE_EXTENT, LOCATE_BLOCKS, {0x42, BUFFER, 0, 700});
    assert_csw_of(f, DISK, PROGRAM, 0x000005180C400000);
    PUT(f, DEFINE_EXTENT, LOCATE_BLOCKS, {0x42, BUFFER, 0, 512}); /* whole blocks, but not all of them */
    assert_csw_of(f, DISK, PROGRAM, 0x000005180C400000);
    PUT(f, DEFINE_EXTENT, LOCATE_BLOCKS, {0x42, BUFFER, 0, 1100});
    assert_csw_of(f, DISK, PROGRAM, 0x000005180C40004C);
    PUT(f, DEFINE_EXTENT, LOCATE_BLOCKS, {0x42, BUFFER, SLI, 1100});
    assert_csw_of(f, DISK, PROGRAM, 0x000005180C00004C);
    /* A write that is short fills its blocks with zeros; what is too long is not taken. */
    fill(f, 512, 9);
    put_locate(f, 1, 0, 2, 0);
    PUT(f, DEFINE_EXTENT, LOCATE_BLOCKS, {0x41, BUFFER, 0, 100});
    assert_csw_of(f, DISK, PROGRAM, 0x000005180C400000);
    transfer(f, false, 0, 3);
    assert_int_equal(f->storage[BUFFER + 99], (uint8_t)(9 + 99 * 13));
    for (int i = 100; i < 1024; i++)
        assert_int_equal(f->storage[BUFFER + i], 0);
    assert_int_equal(f->storage[BUFFER + 1024], (uint8_t)(1 + 1024 * 13 + 4));
    put_locate(f, 1, 0, 1, 0);
    PUT(f, DEFINE_EXTENT, LOCATE_BLOCKS, {0x41, BUFFER, SLI, 600});
    assert_csw_of(f, DISK, PROGRAM, 0x000005180C000058);
}

/* Within blocks, too: Hercules calls that an overrun. */
static void test_data_chaining_within_blocks(void **state) {
    struct rig *f = *state;
    fill(f, 1024, 1);
    put_extent(f, 0xC0, 0, 0, 9);
    put_locate(f, 1, 0, 2, 4);
    PUT(f, DEFINE_EXTENT, LOCATE_BLOCKS, {0x41, BUFFER, CD, 1}, {0, BUFFER + 1, CD, 600}, {0, BUFFER + 601, 0, 423});
    assert_csw_of(f, DISK, PROGRAM, 0x000005280C000000);
    put_locate(f, 6, 0, 2, 4);
    PUT(f, DEFINE_EXTENT, LOCATE_BLOCKS, {0x42, BUFFER + 0x1000, CD, 513}, {0, BUFFER + 0x1801, 0, 511});
    assert_csw_of(f, DISK, PROGRAM, 0x000005200C000000);
    assert_memory_equal(f->storage + BUFFER + 0x1000, f->storage + BUFFER, 513);
    assert_memory_equal(f->storage + BUFFER + 0x1801, f->storage + BUFFER + 513, 511);
}

static void test_read_ipl_reads_the_first_block_and_opens_the_disk(void **state) {
    struct rig *f = *state;
    fill(f, 512, 1);
    transfer(f, true, 0, 1);
    memset(f->storage + BUFFER, 0, 512);
    put_locate(f, 6, 0, 1, BLOCKS - 1);
    PUT(f, {0x02, BUFFER, CC | SLI, 24}, {0x02, BUFFER + 0x800, CC, 512}, LOCATE_BLOCKS,
        {0x42, BUFFER + 0x400, 0, 512});
    assert_csw_of(f, DISK, PROGRAM, 0x000005200C000000);
    assert_memory_equal(f->storage + BUFFER, f->storage + BUFFER + 0x800, 24);
    assert_int_equal(f->storage[BUFFER + 24], 0);
    assert_int_equal(f->storage[BUFFER + 0x800 + 511], (uint8_t)(1 + 511 * 13 + 1));
    PUT(f, {0x03, 0, CC, 1}, {0x02, BUFFER, SLI, 24});
    assert_csw_of(f, DISK, PROGRAM, 0x000005100E000018);
    PUT(f, {0x02, BUFFER, CC, 512}, DEFINE_EXTENT);
    assert_rejected(f, 0x510, 0);
}

static void test_the_arm_takes_its_time(void **state) {
    struct rig *f = *state;
    static const struct {
        uint32_t first;
        uint16_t blocks;
        uint64_t cycles;
    } cases[] = {
        {0, 4, 4 * 2800},                       /* the arm is there */
        {4, 1, 2800},                           /* and the next block comes */
        {4, 1, 87800 + 2800},                   /* it has just passed */
        {744, 1, 43500 + 400 + 87800 + 2800},   /* one cylinder on */
        {1999, 1, 43500 + 400 + 87800 + 2800},  /* and another */
        {0, 1, 43500 + 2 * 400 + 87800 + 2800}, /* two back */
    };
    fill(f, 4 * 512, 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sim_time before = timeline_now(f->timeline);
        transfer(f, i % 2, cases[i].first, cases[i].blocks);
        assert_int_equal((timeline_now(f->timeline) - before) / CYCLE_PICOSECONDS, cases[i].cycles);
    }
}

/* --- a backing that fails ------------------------------------------------------------------------------------------
 */

struct failing {
    uint32_t bad; /* this block cannot be read or written */
    bool sync;
    unsigned freed;
};
static bool failing_read(void *self, uint32_t block, uint8_t to[DISK_BLOCK_BYTES]) {
    memset(to, 0x77, DISK_BLOCK_BYTES);
    return block != ((struct failing *)self)->bad;
}
static bool failing_write(void *self, uint32_t block, const uint8_t from[DISK_BLOCK_BYTES]) {
    (void)from;
    return block != ((struct failing *)self)->bad;
}
static bool failing_sync(void *self) { return ((struct failing *)self)->sync; }
static void failing_free(void *self) { ((struct failing *)self)->freed++; }

static void test_a_backing_that_fails_is_an_equipment_check(void **state) {
    struct rig *f = *state;
    struct failing failing = {.bad = 2, .sync = true};
    const struct disk_backing b = {.blocks = 10,
                                   .read = failing_read,
                                   .write = failing_write,
                                   .sync = failing_sync,
                                   .free = failing_free,
                                   .self = &failing};
    assert_true(channel_attach(f->set, 0x152, disk_new(&f->model, &b)));
    put_extent(f, 0xC0, 0, 0, 9);
    for (int write = 0; write < 2; write++) {
        put_locate(f, write ? 1 : 6, 0, 4, 0);
        PUT(f, DEFINE_EXTENT, LOCATE_BLOCKS, {write ? 0x41 : 0x42, BUFFER, SLI, 2048});
        assert_csw_of(f, 0x152, PROGRAM, 0x000005180E000400); /* two blocks were moved */
        PUT(f, {0x04, BUFFER, 0, 24});
        assert_csw_of(f, 0x152, PROGRAM, 0x000005080C000000);
        assert_int_equal(f->storage[BUFFER], 0x10);
    }
    failing.sync = false;
    put_locate(f, 1, 0, 1, 0);
    PUT(f, DEFINE_EXTENT, LOCATE_BLOCKS, {0x41, BUFFER, 0, 512});
    assert_csw_of(f, 0x152, PROGRAM, 0x000005180E000000);
    assert_false(channel_attach(f->set, 0x152, disk_new(&f->model, &b)));
    assert_int_equal(failing.freed, 1); /* with the device that was refused */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_program_writes_a_page_and_reads_it_back),
        cmocka_unit_test(test_an_address_that_is_taken_is_refused),
        DISK_TEST(test_the_disk_says_what_it_is),
        DISK_TEST(test_reserve_and_release_give_sense_data),
        DISK_TEST(test_blocks_are_numbered_from_the_extent),
        DISK_TEST(test_extents_that_are_rejected),
        DISK_TEST(test_locates_that_are_rejected),
        DISK_TEST(test_reads_and_writes_follow_their_locate),
        DISK_TEST(test_lengths_of_reads_and_writes),
        DISK_TEST(test_data_chaining_within_blocks),
        DISK_TEST(test_read_ipl_reads_the_first_block_and_opens_the_disk),
        DISK_TEST(test_the_arm_takes_its_time),
        DISK_TEST(test_a_backing_that_fails_is_an_equipment_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
