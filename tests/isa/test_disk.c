/* Fixed-block disks, attached to machines: commands, status, sense, lengths and times. */
#include "tests/support/unit.h"

#include <string.h>

#include "base/bytes.h"
#include "isa/disk.h"
#include "tests/support/program.h"

static void attach_disk(struct machine *m, uint16_t address, uint32_t blocks) {
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
    attach_disk(m, ADDRESS_DISK, 1000);
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
    attach_disk(m, ADDRESS_DISK, 10);
    assert_true(disk_backing_memory(&b, 10, &e));
    assert_false(machine_attach(m, ADDRESS_DISK, disk_new(machine_model(m), &b), &e));
    assert_string_equal(e.text, "machine bare already has a device 150");
    assert_false(machine_attach(m, 0x151, NULL, &e));
    assert_string_equal(e.text, "no memory for device 151");
    assert_non_null(machine_device(m, ADDRESS_DISK));
    assert_null(machine_device(m, 0x151));
    program_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_program_writes_a_page_and_reads_it_back),
        cmocka_unit_test(test_an_address_that_is_taken_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
