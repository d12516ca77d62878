/* Every privileged instruction, interpreted: legal and illegal operands, and the state that only it can show. */
#include "tests/vmm/guests.h"

/* A program whose program new PSW counts in register 9 and sums codes into register 10, and goes on. */
#define COUNTING(BODY, DATA)                                                                                           \
    PAGE_0 "         MVC   104(8),NEW\n" BODY STOP_HERE "HANDLER  LA    9,1(,9)\n"                                     \
           "         MH    10,=H'7'\n"                                                                                 \
           "         AH    10,142\n"                                                                                   \
           "         A     10,140\n"                                                                                   \
           "         LPSW  40\n"                                                                                       \
           "         LTORG\n"                                                                                          \
           "         DS    0D\n"                                                                                       \
           "NEW      DC    X'00080000',A(HANDLER)\n" DATA "         END\n"

static void compare(const char *source, struct outcome *o) {
    guests_compare(source, 200000, o);
    assert_int_equal(o->status, MACHINE_DISABLED_WAIT);
    assert_int_equal(o->state.psw.ia, GUEST_STOPPED);
}

static void test_system_masks(void **state) {
    struct outcome o;
    (void)state;
    compare(COUNTING("         STOSM A,X'02'\n"
                     "         STNSM A+1,X'FD'\n"
                     "         SSM   A\n"
                     "         SSM   =X'40'\n"
                     "         STNSM A+4,X'00'\n"
                     "         LCTL  0,0,=X'40000000'\n"
                     "         SSM   A\n" /* special operation */
                     "         L     1,=X'00FF0000'\n"
                     "         STOSM 0(1),0\n" /* addressing */
                     "         EX    2,OR\n",
                     "OR       STOSM A+5,X'01'\n"
                     "A        DC    8X'00'\n"),
            &o);
    assert_int_equal(o.state.gpr[9], 2);
}

/* Its results are stored, and the old PSW shows them. */
static void test_bad_system_mask_is_set_and_then_an_exception(void **state) {
    struct outcome o;
    (void)state;
    for (unsigned depth = 0; depth <= DEEPEST; depth++) {
        guests_run(PAGE_0 "         LA    1,1\n"
                          "         STOSM X'F00',X'80'\n"
                          "         END\n",
                   depth, 0, &o);
        assert_int_equal(o.state.psw.ia, 0xE03);
        assert_memory_equal(o.storage + 40, "\x80\x08\x00\x00\x00\x00\x02\x08", 8);
        assert_int_equal(bytes_get32(o.storage + 140), 0x00040006);
        assert_int_equal(o.stats.instructions, 2);
    }
}

static void test_control_registers(void **state) {
    struct outcome o;
    (void)state;
    compare(COUNTING("         STCTL 0,15,A\n"
                     "         LCTL  3,7,B\n"
                     "         LCTL  14,1,B\n" /* wraps */
                     "         STCTL 13,4,A+64\n"
                     "         LCTL  5,5,B+2\n" /* specification */
                     "         STCTL 5,5,B+2\n"
                     "         L     1,=X'0000FFFC'\n"
                     "         LCTL  2,3,0(1)\n"
                     "         LCTL  4,4,0(1)\n",
                     "A        DS    32F\n"
                     "B        DC    16X'12345670'\n"),
            &o);
    assert_int_equal(o.state.gpr[9], 3);
    assert_int_equal(o.state.cr[0], 0x12345670);
}

static void test_storage_keys(void **state) {
    struct outcome o;
    (void)state;
    compare(COUNTING("         LA    1,X'3E'\n"
                     "         LA    2,X'800'\n"
                     "         SSK   1,2\n"
                     "         ISK   3,2\n"
                     "         RRB   X'800'\n"
                     "         BALR  4,0\n"
                     "         ISK   5,2\n"
                     "         LA    2,1(,2)\n"
                     "         ISK   5,2\n" /* specification */
                     "         SSK   5,2\n"
                     "         L     2,=X'00FFF000'\n"
                     "         ISK   5,2\n" /* addressing */
                     "         RRB   0(2)\n"
                     "         LA    2,0\n"
                     "         DC    X'B2290062'\n" /* ISKE 6,2 */
                     "         DC    X'B22A0002'\n" /* RRBE 0,2 */
                     "         BALR  7,0\n"
                     "         L     2,=X'00003800'\n"
                     "         LA    1,X'50'\n"
                     "         DC    X'B22B0012'\n" /* SSKE 1,2 */
                     "         ISK   8,2\n"
                     "         LPSW  BC\n"
                     "INBC     ISK   11,2\n",
                     "BC       DC    X'00000000',A(INBC)\n"),
            &o);
    assert_int_equal(o.state.gpr[3], 0x3E);
    assert_int_equal(o.state.gpr[9], 4);
    assert_int_equal(o.state.gpr[11], 0x50);
}

static void test_guest_in_supervisor_state_obeys_its_own_key(void **state) {
    struct outcome o;
    (void)state;
    compare(COUNTING("         LA    1,X'38'\n" /* key 3, fetch protected */
                     "         LA    2,X'800'\n"
                     "         SSK   1,2\n"
                     "         LA    1,X'40'\n"
                     "         LA    2,X'0'\n"
                     "         SSK   1,2\n"
                     "         SPKA  X'40'\n"
                     "         IPK\n"
                     "         STOSM X'800',0\n" /* protection */
                     "         SSM   X'801'\n"
                     "         LCTL  5,5,X'7FC'\n"
                     "         STCTL 4,6,X'7FC'\n" /* into the second block */
                     "         LPSW  X'800'\n"
                     "         STIDP X'F00'\n"
                     "         DC    X'E50108000040'\n" /* TPROT X'800',X'40' */
                     "         BALR  3,0\n"
                     "         TPROT X'F00',X'40'\n"
                     "         BALR  4,0\n"
                     "         TPROT X'800',X'30'\n"
                     "         BALR  5,0\n"
                     "         L     6,=X'00FFF000'\n"
                     "         TPROT 0(6),0\n"
                     "         SPKA  0\n",
                     ""),
            &o);
    assert_int_equal(o.state.gpr[9], 6);
}

static void test_low_address_protection(void **state) {
    struct outcome o;
    (void)state;
    guests_compare(COUNTING("         LCTL  0,0,=X'10000000'\n"
                            "         MVI   X'1FF',1\n"
                            "         STOSM X'1FF',0\n"
                            "         STAP  X'200'\n"
                            "         TPROT X'100',0\n"
                            "         BALR  1,0\n"
                            "         SVC   3\n",
                            ""),
                   1000, &o);
    assert_int_equal(o.state.gpr[9], 2);
    assert_int_equal(o.state.psw.ia, 0xE02);
}

static void test_prefix(void **state) {
    struct outcome o;
    (void)state;
    compare(COUNTING("         MVC   96(8),SVCNEW\n"
                     "         L     1,=X'00003000'\n"
                     "         LA    2,0\n"
                     "         LA    3,1\n"
                     "         SLL   3,12\n"
                     "         LR    4,1\n"
                     "         LR    5,3\n"
                     "         MVCL  4,2\n" /* page 0 at 3000 */
                     "         SPX   P3000\n"
                     "         SVC   1\n"
                     "         MVI   X'F00',7\n"
                     "         STPX  X'F04'\n"
                     "         SPX   BAD\n" /* addressing */
                     "         SPX   P3000+2\n"
                     "         SPX   ZERO\n"
                     "         L     7,X'F00'\n"
                     "         L     8,X'F00'(,1)\n"
                     "         B     ON\n"
                     "SVC      LPSW  32\n"
                     "         DS    0D\n"
                     "SVCNEW   DC    X'00080000',A(SVC)\n"
                     "P3000    DC    X'FF003FFF'\n"
                     "ZERO     DC    X'00000000'\n"
                     "BAD      DC    X'00FFF000'\n"
                     "ON       DS    0H\n",
                     ""),
            &o);
    assert_int_equal(o.state.gpr[8] >> 24, 7);
}

static void test_identity_and_signals(void **state) {
    struct outcome o;
    (void)state;
    compare(COUNTING("         MVC   88(8),EXTNEW\n"
                     "         STIDP A\n"
                     "         STAP  A+8\n"
                     "         STIDP A+4\n"
                     "         STAP  A+1\n"
                     "         LM    1,3,A\n"
                     "         DC    X'83000000'\n" /* DIAGNOSE */
                     "         LA    4,0\n"
                     "         SIGP  6,4,1\n"
                     "         BALR  5,0\n"
                     "         SIGP  6,4,2\n"
                     "         SIGP  9,4,2\n"
                     "         BALR  7,0\n"
                     "         SIGP  6,4,1\n"
                     "         SIGP  6,4,3\n"
                     "         SIGP  6,4,15\n"
                     "         LA    4,1\n"
                     "         SIGP  6,4,1\n"
                     "         BALR  8,0\n"
                     "         LCTL  0,0,=X'00006000'\n"
                     "         STOSM A+9,1\n"
                     "         STNSM A+9,0\n",
                     "EXTNEW   DC    X'00080000',A(EXT)\n"
                     "EXT      LA    11,1(,11)\n"
                     "         AH    12,134\n"
                     "         LPSW  24\n"
                     "A        DS    2D\n"),
            &o);
    assert_int_equal(o.state.gpr[11], 2);
}

static void test_clocks(void **state) {
    struct outcome o;
    (void)state;
    compare(COUNTING("         STCK  A\n"
                     "         STCK  A+13\n" /* any alignment; crosses a doubleword */
                     "         SPT   V\n"
                     "         STPT  A+24\n"
                     "         SCKC  V\n"
                     "         STCKC A+32\n"
                     "         SCK   V\n"
                     "         STCK  A+40\n"
                     "         SPT   V+4\n"
                     "         STPT  A+4\n"
                     "         SCK   V+4\n"
                     "         SCKC  V+4\n"
                     "         STCKC A+4\n"
                     "         EX    0,CLOCK\n"
                     "         LPSW  PROBLEM\n"
                     "GO       STCK  A+56\n"
                     "         STPT  A+64\n" /* privileged */
                     "         LM    0,3,A+40\n"
                     "         SVC   0\n"
                     "CLOCK    STCK  A+48\n"
                     "         DS    0D\n"
                     "PROBLEM  DC    X'00090000',A(GO)\n"
                     "A        DS    10D\n"
                     "V        DC    X'00123456789ABCDE'\n",
                     "ON       DC    X'00080000',A(STOP)\n"
                     "STOP     DS    0H\n" STOP_HERE "         ORG   G+96\n"
                     "         DC    X'00080000',A(STOP)\n"
                     "         ORG\n"),
            &o);
    assert_int_equal(o.state.gpr[9], 6);
    assert_int_equal(o.state.gpr[0] >> 16, 0x12);
}

static void test_load_real_address(void **state) {
    struct outcome o;
    (void)state;
    compare(COUNTING("         LRA   1,X'123'\n" /* no format: translation specification */
                     "         LCTL  0,1,CR4K\n"
                     "         LRA   1,X'123'\n"
                     "         BALR  2,0\n"
                     "         LA    4,1\n"
                     "         SLL   4,12\n"
                     "         LRA   3,X'123'(4,4)\n"
                     "         BALR  5,0\n"
                     "         L     4,=X'00011111'\n"
                     "         LRA   6,0(4)\n"
                     "         BALR  7,0\n"
                     "         L     4,=X'00FF0000'\n"
                     "         LRA   8,0(4)\n"
                     "         L     1,=X'00800000'\n"
                     "         ST    1,CR1M+4\n"
                     "         LCTL  0,1,CR1M\n"
                     "         LRA   11,0\n", /* addressing */
                     "CR4K     DC    X'00800000',A(SEGMENTS)\n"
                     "CR1M     DC    X'00900000',F'0'\n"
                     "         ORG   G+X'600'\n"
                     "SEGMENTS DC    A(X'F0000000'+PAGES),X'00000001'\n"
                     "         ORG   G+X'680'\n"
                     "PAGES    DC    X'00300040',X'0008'\n"),
            &o);
}

/* ---- Input and output ---- */

#define CHANNEL(BODY)                                                                                                  \
    PAGE_0 "         MVC   120(8),NEW\n" BODY STOP_HERE "HANDLER  LA    9,1(,9)\n"                                     \
           "         LM    10,11,64\n"                                                                                 \
           "         L     12,184\n"                                                                                   \
           "         STCK  X'F08'\n"                                                                                   \
           "         LPSW  STOPS\n"                                                                                    \
           "         DS    0D\n"                                                                                       \
           "NEW      DC    X'00080000',A(HANDLER)\n"                                                                   \
           "STOPS    DC    X'000A000000000E00'\n"                                                                      \
           "WAIT     DC    X'020A000000000123'\n"                                                                      \
           "BCWAIT   DC    X'8002000000000123'\n"                                                                      \
           "PROGRAM  DC    X'09',AL3(TEXT),X'60000005'\n"                                                              \
           "         DC    X'09',AL3(TEXT2),X'20000005'\n"                                                             \
           "KEYED    DC    X'04',AL3(X'800'),X'20000001'\n"                                                            \
           "OUTSIDE  DC    X'01FFF00020000001'\n"                                                                      \
           "TEXT     DC    C'HELLO'\n"                                                                                 \
           "TEXT2    DC    C'WORLD'\n"                                                                                 \
           "         END\n"

static void test_console_interrupts_a_waiting_guest(void **state) {
    struct outcome o;
    (void)state;
    compare(CHANNEL("         LA    1,PROGRAM\n"
                    "         ST    1,72\n"
                    "         SIO   9\n"
                    "         BALR  2,0\n"
                    "         TIO   9\n"
                    "         BALR  3,0\n"
                    "         TCH   9\n"
                    "         SIO   X'123'\n"
                    "         BALR  4,0\n"
                    "         STIDC 0\n"
                    "         LPSW  WAIT\n"),
            &o);
    assert_int_equal(o.state.gpr[9], 1);
    assert_int_equal(o.state.gpr[12], 9);
    assert_int_equal(o.stats.interruptions[INTERRUPTION_IO], 1);
}

static void test_console_interrupts_in_basic_control_mode(void **state) {
    struct outcome o;
    (void)state;
    compare(CHANNEL("         LA    1,PROGRAM\n"
                    "         ST    1,72\n"
                    "         SIO   9\n"
                    "         LPSW  BCWAIT\n"),
            &o);
    assert_int_equal(bytes_get16(o.storage + 58), 9);
}

static void test_console_interrupts_a_running_guest_at_the_same_instruction(void **state) {
    struct outcome o;
    (void)state;
    guests_compare(CHANNEL("         LA    1,PROGRAM\n"
                           "         ST    1,72\n"
                           "         SIO   9\n"
                           "         STOSM X'F00',2\n"
                           "LOOP     LA    1,1(,1)\n"
                           "         B     LOOP\n"),
                   10000000, &o);
    assert_int_equal(o.state.gpr[9], 1);
}

static void test_console_is_polled(void **state) {
    struct outcome o;
    (void)state;
    guests_compare_to(2,
                      CHANNEL("         LA    1,PROGRAM\n"
                              "         ST    1,72\n"
                              "         SIO   9\n"
                              "         LA    3,9\n"
                              "         SLL   3,12\n"
                              "LOOP     BCT   3,LOOP\n"
                              "         LA    3,9\n"
                              "         SLL   3,12\n"
                              "         LA    1,1(,1)\n"
                              "         TIO   9\n"
                              "         BC    2,LOOP\n"
                              "         BALR  2,0\n"
                              "         LM    10,11,64\n"
                              "         HIO   9\n"
                              "         BALR  3,0\n"
                              "         CLRIO 9\n"),
                      10000000, &o);
    assert_int_equal(o.status, MACHINE_DISABLED_WAIT);
    assert_int_equal(o.state.gpr[2] >> 28 & 3, 1);
}

static void test_channel_programs_are_checked(void **state) {
    struct outcome o;
    (void)state;
    compare(CHANNEL("         LA    1,OUTSIDE\n"
                    "         ST    1,72\n"
                    "         SIO   9\n"
                    "         LPSW  WAIT\n"),
            &o);
    assert_int_equal(o.state.gpr[11] >> 16 & 0xFF, CHANNEL_PROGRAM_CHECK);
    compare(CHANNEL("         LA    1,X'58'\n"
                    "         LA    2,X'800'\n"
                    "         SSK   1,2\n"
                    "         L     1,=A(X'40000000'+KEYED)\n"
                    "         ST    1,72\n"
                    "         SIO   9\n"
                    "         LPSW  WAIT\n"
                    "         LTORG\n"),
            &o);
    assert_int_equal(o.state.gpr[11] >> 16 & 0xFF, CHANNEL_PROTECTION_CHECK);
}

static void test_lines_reach_the_guests_console(void **state) {
    struct run r;
    (void)state;
    for (unsigned depth = 0; depth <= DEEPEST; depth++) {
        guests_build(&r,
                     CHANNEL("         LA    1,PROGRAM\n"
                             "         ST    1,72\n"
                             "         SIO   9\n"
                             "         LPSW  WAIT\n"),
                     depth, true);
        if (depth == 0)
            machine_restart(r.tower.innermost);
        assert_int_equal(guests_go(&r, 0), MACHINE_DISABLED_WAIT);
        assert_string_equal((const char *)r.console.data, "HELLO\nWORLD\n");
        assert_string_equal(machine_device(r.tower.innermost, 9)->ops->type, "3215");
        guests_free(&r);
    }
}

static void test_attention_and_a_typed_line_reach_the_guest(void **state) {
    struct run r;
    struct outcome o;
    (void)state;
    for (unsigned depth = 0; depth <= DEEPEST; depth++) {
        guests_build(&r, CHANNEL("         LPSW  WAIT\n"), depth, true);
        if (depth == 0)
            machine_restart(r.tower.innermost);
        assert_int_equal(guests_go(&r, 0), MACHINE_IDLE);
        machine_raise(r.tower.innermost, CONDITION_ATTENTION);
        guests_look(&r, guests_go(&r, 0), &o);
        assert_int_equal(o.status, MACHINE_DISABLED_WAIT);
        assert_int_equal(o.state.gpr[11] >> 24, UNIT_ATTENTION);
        guests_free(&r);

        guests_build(&r,
                     CHANNEL("         LA    1,READ\n"
                             "         ST    1,72\n"
                             "         SIO   9\n"
                             "         LPSW  WAIT\n"
                             "         DS    0D\n"
                             "READ     DC    X'0A',AL3(X'F10'),X'20000005'\n"),
                     depth, true);
        if (depth == 0)
            machine_restart(r.tower.innermost);
        assert_int_equal(guests_go(&r, 0), MACHINE_IDLE);
        assert_true(console_type(machine_device(r.tower.innermost, 9), "typed", 5));
        guests_look(&r, guests_go(&r, 0), &o);
        assert_int_equal(o.status, MACHINE_DISABLED_WAIT);
        assert_memory_equal(o.storage + 0xF10, "\xA3\xA8\x97\x85\x84", 5);
        guests_free(&r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_system_masks),
        cmocka_unit_test(test_bad_system_mask_is_set_and_then_an_exception),
        cmocka_unit_test(test_control_registers),
        cmocka_unit_test(test_storage_keys),
        cmocka_unit_test(test_guest_in_supervisor_state_obeys_its_own_key),
        cmocka_unit_test(test_low_address_protection),
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_identity_and_signals),
        cmocka_unit_test(test_clocks),
        cmocka_unit_test(test_load_real_address),
        cmocka_unit_test(test_console_interrupts_a_waiting_guest),
        cmocka_unit_test(test_console_interrupts_in_basic_control_mode),
        cmocka_unit_test(test_console_interrupts_a_running_guest_at_the_same_instruction),
        cmocka_unit_test(test_console_is_polled),
        cmocka_unit_test(test_channel_programs_are_checked),
        cmocka_unit_test(test_lines_reach_the_guests_console),
        cmocka_unit_test(test_attention_and_a_typed_line_reach_the_guest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
