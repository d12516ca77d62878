/* Channel programs of guests on a real disk: the same bytes, CSWs and condition codes at every depth as bare. */
#include "tests/vmm/guests.h"

/* Starts the channel program whose address is in register 2 and waits, enabled, for its end: CSWs of all interruptions
 * are kept from X'A00' on, and the number of them in register 9. */
#define DISK_CODE                                                                                                      \
    PAGE_0 "         LCTL  2,2,=F'-1'\n"                                                                               \
           "         LA    10,X'A00'\n"                                                                                \
           "         MVC   120(8),=X'0008000000000300'\n"                                                              \
           "         B     TEST\n"                                                                                     \
           "         ORG   G+X'300'\n"                                                                                 \
           "         MVC   0(8,10),64\n"                                                                               \
           "         LA    10,8(,10)\n"                                                                                \
           "         LA    9,1(,9)\n"                                                                                  \
           "         TM    69,X'80'            ONLY PCI?\n"                                                            \
           "         BZ    DONE\n"                                                                                     \
           "         LPSW  =X'020A000000000000'\n"                                                                     \
           "DONE     BR    14\n"                                                                                       \
           "GO       ST    2,72\n"                                                                                     \
           "         MVC   120(8),=X'0008000000000300'\n"                                                              \
           "         SIO   X'150'(0)\n"                                                                                \
           "         BCR   7,14\n"                                                                                     \
           "         LPSW  WAITPSW\n"                                                                                  \
           "         DS    0D\n"                                                                                       \
           "WAITPSW  DC    X'020A000000000000'\n"                                                                      \
           "         LTORG\n"

#define EXTENT "EXTENT   DC    X'C0000000',F'100',F'0',F'99'\n"

static void run_disk(const char *test, struct outcome *bare) {
    char source[8192];
    int n = snprintf(source, sizeof source, "%s%s%s         END\n", DISK_CODE, test, EXTENT);
    assert_true(n > 0 && (size_t)n < sizeof source);
    guests_compare(source, 100000, bare);
    assert_string_equal(machine_status_name(bare->status), "disabled-wait");
    assert_int_equal(bare->state.psw.ia, GUEST_STOPPED);
}

static uint64_t csw(const struct outcome *o, unsigned n) { return bytes_get64(o->storage + 0xA00 + n * 8); }

static void test_blocks_are_written_and_read(void **state) {
    struct outcome *o = malloc(sizeof *o);
    (void)state;
    run_disk("TEST     LA    2,WRITE\n"
             "         BAL   14,GO\n"
             "         LA    2,READ\n"
             "         BAL   14,GO\n" STOP_HERE "         LTORG\n         DS    0D\n"
             "WRITE    CCW   X'63',EXTENT,X'40',16\n"
             "         CCW   X'43',LOCW,X'40',8\n"
             "         CCW   X'41',X'1600',0,1024\n"
             "READ     CCW   X'63',EXTENT,X'40',16\n"
             "         CCW   X'43',LOCR,X'40',8\n"
             "         CCW   X'42',X'2600',0,1024\n"
             "LOCW     DC    X'01000002',F'7'\n"
             "LOCR     DC    X'06000002',F'7'\n"
             "         ORG   G+X'1600'\n"
             "         DC    64CL16'SIXTEEN BYTES...'\n",
             o);
    assert_int_equal(o->state.gpr[9], 2);
    assert_memory_equal(o->storage + 0x2600, o->storage + 0x1600, 1024);
    assert_int_equal(csw(o, 0) >> 16 & 0xFFFF, 0x0C00);
    free(o);
}

static void test_lists_of_addresses_and_chained_data(void **state) {
    struct outcome *o = malloc(sizeof *o);
    (void)state;
    run_disk("TEST     LA    2,WRITE\n"
             "         BAL   14,GO\n"
             "         LA    2,READ\n"
             "         BAL   14,GO\n" STOP_HERE "         LTORG\n         DS    0D\n"
             "WRITE    CCW   X'63',EXTENT,X'40',16\n"
             "         CCW   X'43',LOCW,X'40',8\n"
             "         CCW   X'41',LISTW,X'0C',4096\n" /* PCI, indirect */
             "READ     CCW   X'63',EXTENT,X'40',16\n"
             "         CCW   X'08',MORE,0,0\n"
             "MORE     CCW   X'43',LOCR,X'40',8\n"
             "         CCW   X'42',X'5000',X'80',2048\n"
             "         CCW   0,X'5900',X'90',512\n" /* skipped */
             "         CCW   0,X'6000',0,1536\n"
             "LISTW    DC    A(X'1400'),A(X'3800'),A(X'2000')\n"
             "LOCW     DC    X'01000008',F'0'\n"
             "LOCR     DC    X'06000008',F'0'\n"
             "         ORG   G+X'1400'\n"
             "         DC    32CL32'FIRST PIECE'\n"
             "         ORG   G+X'2000'\n"
             "         DC    32CL32'THIRD PIECE'\n"
             "         ORG   G+X'3800'\n"
             "         DC    64CL32'SECOND PIECE'\n",
             o);
    assert_int_equal(o->state.gpr[9], 3);
    assert_memory_equal(o->storage + 0x5000, o->storage + 0x1400, 1024);
    assert_memory_equal(o->storage + 0x6000, o->storage + 0x3E00, 512);
    assert_memory_equal(o->storage + 0x6200, o->storage + 0x2000, 1024);
    free(o);
}

/* Each program ends badly, in its own way; the CSW says which CCW it was, in guest addresses. */
static void test_bad_programs_end_as_on_the_bare_machine(void **state) {
    static const struct {
        const char *ccws;
        uint16_t status; /* unit and channel status; 0: only compared */
    } cases[] = {
        {"CCW   X'63',X'FFF0',0,16", 0x0C00 | 0x0200},                        /* zeros: first beyond last? */
        {"CCW   X'63',X'10000',0,16", 0x0020},                                /* outside storage */
        {"CCW   X'63',EXTENT,X'40',0", 0x0020},                               /* count 0 */
        {"CCW   X'43',EXTENT,X'00',8", 0x0E00},                               /* no extent yet */
        {"CCW   X'63',FAR,X'00',16", 0x0E00},                                 /* beyond the disk */
        {"CCW   X'08',BAD+1,0,0", 0x0020},                                    /* misaligned transfer */
        {"CCW   X'08',BAD,0,0", 0x0020},                                      /* transfer to transfer */
        {"CCW   X'08',X'20000',0,0", 0x0020},                                 /* transfer outside */
        {"CCW   X'03',0,X'40',1\n         CCW   X'08',BAD,0,0", 0},           /* for ever */
        {"CCW   X'E4',X'FFF0',X'40',7\n         CCW   X'E4',X'FFFE',0,7", 0}, /* runs over the end */
        {"CCW   X'E4',X'7FE',X'04',7", 0},                                    /* list is misaligned */
        {"CCW   X'E4',EVIL,X'04',7", 0x0C20},                                 /* list is nonsense */
        {"CCW   X'00',EXTENT,0,16", 0x0020},                                  /* no such command */
        {"CCW   X'27',EXTENT,0,16", 0x0E40},
        {"CCW   X'64',X'5000',X'20',32", 0x0C00},
        {"CCW   X'E4',X'5000',X'00',32", 0x0C40}, /* longer than the device's */
        {"CCW   X'02',X'5000',X'20',512", 0x0C00},
        {"CCW   X'63',EXTENT,X'40',16\n         CCW   X'63',EXTENT,0,16", 0x0E00},
        {"CCW   X'63',EXTENT,X'80',8\n         CCW   0,EXTENT+8,0,8", 0},
        /* For ever, with data: directly, in two blocks, through lists. */
        {"CCW   X'E4',X'5000',X'60',7\n         CCW   X'08',BAD,0,0", 0},
        {"CCW   X'E4',X'57FC',X'60',7\n         CCW   X'08',BAD,0,0", 0},
        {"CCW   X'E4',GOOD,X'64',7\n         CCW   X'08',BAD,0,0", 0},
    };
    struct outcome *o = malloc(sizeof *o);
    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        char test[2048];
        snprintf(test, sizeof test,
                 "TEST     LA    2,BAD\n"
                 "         BAL   14,GO\n"
                 "         LA    2,SENSE\n"
                 "         BAL   14,GO\n" STOP_HERE "         LTORG\n         DS    0D\n"
                 "SENSE    CCW   X'04',X'4000',X'20',24\n"
                 "EVIL     DC    X'01000000'\n"
                 "GOOD     DC    X'000057FC',X'00006000'\n"
                 "FAR      DC    X'C0000000',F'990',F'0',F'10'\n"
                 "         DS    0D\n"
                 "BAD      %s\n",
                 cases[n].ccws);
        char source[8192];
        snprintf(source, sizeof source, "%s%s%s         END\n", DISK_CODE, test, EXTENT);
        guests_compare(source, 200000, o);
        if (cases[n].status && (csw(o, 0) >> 16 & 0xFFFF) != cases[n].status && n > 0)
            fail_msg("case %zu: status %04X", n, (unsigned)(csw(o, 0) >> 16 & 0xFFFF));
    }
    free(o);
}

/* A chain of register 3 CCWs, made at 8000: 8 bytes each from 4000 on, with the code and the last flags in register 4;
 * behind a TIC, as 2,000 of them do not fit. */
#define MAKE_CHAIN                                                                                                     \
    "MAKE     L     5,=F'16384'\n"                                                                                     \
    "         LA    6,X'A00'\n"                                                                                        \
    "         SLL   6,4                 A000: where CCWs go\n"                                                         \
    "MAKE1    ST    5,0(,6)\n"                                                                                         \
    "         MVC   4(4,6),FLAGS\n"                                                                                    \
    "         STC   4,0(,6)\n"                                                                                         \
    "         LA    5,8(,5)\n"                                                                                         \
    "         LA    6,8(,6)\n"                                                                                         \
    "         BCT   3,MAKE1\n"                                                                                         \
    "         SH    6,=H'8'\n"                                                                                         \
    "         MVI   4(6),0              the last one\n"                                                                \
    "         BR    14\n"

static void test_long_programs_are_run_like_short_ones(void **state) {
    struct outcome *o = malloc(sizeof *o);
    (void)state;
    run_disk("TEST     LA    3,1536\n"
             "         LA    4,X'41'\n"
             "         BAL   14,MAKE\n"
             "         LA    2,WRITE\n"
             "         BAL   14,GO\n"
             "         LA    2,CLEAR               another order of the same blocks\n"
             "         BAL   14,GO\n" STOP_HERE MAKE_CHAIN "         LTORG\n         DS    0D\n"
             "WRITE    CCW   X'63',EXTENT,X'40',16\n"
             "         CCW   X'43',LOCW,X'40',8\n"
             "         CCW   X'08',X'A000',0,0\n"
             "CLEAR    CCW   X'63',EXTENT,X'40',16\n"
             "         CCW   X'43',LOCR,X'40',8\n"
             "         CCW   X'42',X'7000',0,12288\n"
             "FLAGS    DC    X'80000008'          data chaining\n"
             "LOCW     DC    X'01000018',F'3'\n"
             "LOCR     DC    X'06000018',F'3'\n"
             "         ORG   G+X'4000'\n"
             "         DC    384CL32'SOME OF IT IS AT EACH PLACE'\n",
             o);
    assert_int_equal(o->state.gpr[9], 2);
    assert_int_equal(csw(o, 0) >> 16 & 0xFFFF, 0x0C00);
    assert_int_equal(csw(o, 1) >> 16 & 0xFFFF, 0x0C00);
    assert_memory_equal(o->storage + 0x7000, o->storage + 0x4000, 12288);
    free(o);
}

/* The copy has room for 2048 CCWs, and ends there with a program check; a bare machine goes on. */
static void test_programs_that_are_too_long_end_with_a_program_check(void **state) {
    static const char source[] = DISK_CODE "TEST     L     3,=F'2049'\n"
                                           "         LA    4,X'E4'\n"
                                           "         BAL   14,MAKE\n"
                                           "         LA    2,SENSE\n"
                                           "         BAL   14,GO\n" STOP_HERE MAKE_CHAIN "         LTORG\n"
                                           "FLAGS    DC    X'60000008'          command chaining, SLI\n"
                                           "SENSE    CCW   X'08',X'A000',0,0\n"
                                           "         END\n";
    struct outcome *o = malloc(sizeof *o);
    (void)state;
    for (unsigned depth = 0; depth <= DEEPEST; depth++) {
        guests_run(source, depth, 200000, o);
        assert_int_equal(o->state.psw.ia, GUEST_STOPPED);
        assert_int_equal(csw(o, 0) >> 16 & 0x20, depth ? 0x20 : 0);
    }
    free(o);
}

/* A machine that is loaded or reset anew does not learn how an earlier program ended. */
static void test_a_program_of_before_the_reset_is_nobody_s(void **state) {
    static const char source[] = DISK_CODE "TEST     MVC   72(4),=A(OLD)\n"
                                           "         SIO   X'150'(0)\n"
                                           "         B     *                   until it is reset\n"
                                           "         LTORG\n"
                                           "READ     CCW   X'E4',X'5000',X'20',7\n"
                                           "OLD      CCW   X'63',EXTENT,X'40',16       takes long\n"
                                           "         CCW   X'43',LAST,X'40',8\n"
                                           "         CCW   X'42',X'6000',0,512\n"
                                           "LAST     DC    X'06000001',F'95'\n" EXTENT "         ORG   G+X'400'\n"
                                           "         SR    9,9\n"
                                           "         LA    10,X'A00'\n"
                                           "         LA    2,READ\n"
                                           "         BAL   14,GO\n"
                                           "         LA    2,READ\n"
                                           "         BAL   14,GO\n" STOP_HERE "         END\n";
    (void)state;
    struct run r;
    struct error e = ERROR_CLEAR;
    struct machine_state s;
    uint8_t csws[16];
    guests_build(&r, source, 1, true);
    struct machine *m = r.tower.innermost;
    assert_int_equal(machine_run(m, &(struct machine_limits){.instructions = 10}), MACHINE_READY);
    assert_false(machine_ipl(m, ADDRESS_DISK, LOAD_NORMAL, &e)); /* a disk of zeros: it is reset, and not loaded */
    machine_start_psw(m, (const uint8_t[]){0, 0x08, 0, 0, 0, 0, 4, 0});
    assert_int_equal(machine_run(m, &(struct machine_limits){.instructions = 1000}), MACHINE_DISABLED_WAIT);
    machine_state(m, &s);
    assert_int_equal(s.psw.ia, GUEST_STOPPED);
    assert_int_equal(s.gpr[9], 2); /* its two programs, each told once: */
    assert_int_equal(machine_peek(m, 0xA00, csws, sizeof csws), ACCESS_OK);
    assert_memory_equal(csws, csws + 8, 8); /* of the same CCW */
    guests_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long_programs_are_run_like_short_ones),
        cmocka_unit_test(test_programs_that_are_too_long_end_with_a_program_check),
        cmocka_unit_test(test_a_program_of_before_the_reset_is_nobody_s),
        cmocka_unit_test(test_blocks_are_written_and_read),
        cmocka_unit_test(test_lists_of_addresses_and_chained_data),
        cmocka_unit_test(test_bad_programs_end_as_on_the_bare_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
