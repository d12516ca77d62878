/* The bare machine: interruptions and what they store, clocks, limits, counts, code that changes under execution. */
#include "tests/support/unit.h"

#include <string.h>

#include "base/bytes.h"
#include "isa/supervisor.h"
#include "tests/support/program.h"

/* Every program begins so: EC mode, starts at 400, all other new PSWs wait at an address that names the class. */
#define PAGE_0                                                                                                         \
    "         ORG   0\n"                                                                                               \
    "         DC    X'0008000000000400'\n"                                                                             \
    "         ORG   X'58'\n"                                                                                           \
    "         DC    X'000A000000000E00'\n"                                                                             \
    "         DC    X'000A000000000500'\n"                                                                             \
    "         DC    X'000A000000000B00'\n"                                                                             \
    "         DC    X'000A000000000C00'\n"                                                                             \
    "         DC    X'000A000000000D00'\n"                                                                             \
    "         ORG   X'400'\n"                                                                                          \
    "         USING X'400',12\n"                                                                                       \
    "         BALR  12,0\n"                                                                                            \
    "         USING *,12\n"
#define END                                                                                                            \
    "         LPSW  =X'000A000000000ACE'\n"                                                                            \
    "         LTORG\n"                                                                                                 \
    "         END\n"
enum {
    AT_EXTERNAL = 0xE00,
    AT_SVC = 0x500,
    AT_PROGRAM = 0xB00,
    AT_MACHINE_CHECK = 0xC00,
    AT_IO = 0xD00,
    AT_END = 0xACE
};

static void expect_end(struct machine *m, uint32_t at) {
    struct machine_state s = program_state(m);
    assert_int_equal(machine_status(m), MACHINE_DISABLED_WAIT);
    assert_int_equal(s.psw.ia, at);
}

static void test_svc_in_ec_mode_stores_number_and_length(void **state) {
    struct machine *m = program_load("s370", PAGE_0 "         SVC   23\n" END);
    (void)state;
    program_run(m, 0);
    expect_end(m, AT_SVC);
    assert_int_equal(program_word(m, 136), 0x00020017);
    assert_int_equal(program_word(m, 32), 0x00080000);
    assert_int_equal(program_word(m, 36), 0x00000404);
    assert_int_equal(program_stats(m).interruptions[INTERRUPTION_SVC], 1);
    program_free(m);
}

static void test_svc_in_bc_mode_stores_the_code_in_the_old_psw(void **state) {
    struct machine *m = program_load("s370", PAGE_0 "         LPSW  BC\n"
                                                    "         DS    0D\n"
                                                    "BC       DC    X'0000000037000410'\n"
                                                    "         ORG   X'410'\n"
                                                    "         SVC   23\n" END);
    (void)state;
    program_run(m, 0);
    expect_end(m, AT_SVC);
    assert_int_equal(program_word(m, 32), 0x00000017);
    assert_int_equal(program_word(m, 36), 0x77000412); /* ILC 1, condition code 3, program mask 7 */
    assert_int_equal(program_word(m, 136), 0);
    program_free(m);
}

static void test_invalid_psw_is_stored_as_it_was_loaded_with_ilc_0(void **state) {
    struct machine *m = program_load("s370", PAGE_0 "         LPSW  =X'8008000000000444'\n" END);
    (void)state;
    program_run(m, 0);
    expect_end(m, AT_PROGRAM);
    assert_int_equal(program_word(m, 40), 0x80080000);
    assert_int_equal(program_word(m, 44), 0x00000444);
    assert_int_equal(program_word(m, 140), PROGRAM_SPECIFICATION);
    assert_int_equal(program_stats(m).instructions, 2);
    program_free(m);
}

static void test_failed_fetch_stores_address_plus_2_and_ilc_2(void **state) {
    struct machine *m = program_load("s370", PAGE_0 "         LA    2,1029\n"
                                                    "         BR    2\n" END);
    (void)state;
    program_run(m, 0);
    expect_end(m, AT_PROGRAM);
    assert_int_equal(program_word(m, 140), 0x00020006);
    assert_int_equal(program_word(m, 44), 1031);
    program_free(m);
}

static void test_program_interruption_loop_check_stops(void **state) {
    struct machine *m = program_load("s370", PAGE_0 "         MVC   104(8,0),=X'0008000000000600'\n"
                                                    "         DC    X'0000'\n" END);
    (void)state;
    assert_int_equal(program_run(m, 0), MACHINE_CHECK_STOP);
    assert_int_equal(program_stats(m).interruptions[INTERRUPTION_PROGRAM], 3);
    program_free(m);
}

static void test_invalid_program_new_psw_check_stops_and_shows_it(void **state) {
    struct machine *m = program_load("s370", PAGE_0 "         MVC   104(8,0),=X'F008000000000600'\n"
                                                    "         DC    X'0000'\n" END);
    (void)state;
    assert_int_equal(program_run(m, 0), MACHINE_CHECK_STOP);
    assert_int_equal(program_state(m).psw.system_mask, 0xF0);
    program_free(m);
}

static void test_cpu_timer_interrupts_between_the_right_instructions(void **state) {
    /* flat: a cycle an instruction. The timer is negative when more than 4710 units, 10 cycles, have passed. */
    struct machine *m = program_load("flat", PAGE_0 "         LCTL  0,0,=X'00000400'\n"
                                                    "         SPT   =XL8'1266'\n" /* 4710 */
                                                    "         LPSW  ON\n"
                                                    "         DS    0D\n"
                                                    "ON       DC    X'0108000000000500'\n"
                                                    "         ORG   X'500'\n"
                                                    "HERE     LA    2,1(,2)\n"
                                                    "         BCT   3,HERE\n" END);
    (void)state;
    program_run(m, 0);
    expect_end(m, AT_EXTERNAL);
    assert_int_equal(program_word(m, 132), 0x00001005);
    /* SPT began at cycle 2, and 11 cycles later 5181 units have passed: the loop began at cycle 4, so LA ran at 4, 6,
     * … 12. */
    assert_int_equal(program_state(m).gpr[2], 5);
    assert_int_equal(program_stats(m).instructions, 13);
    program_free(m);
}

static void test_clock_comparator_ends_an_enabled_wait(void **state) {
    struct machine *m = program_load("s370", PAGE_0 "         LCTL  0,0,=X'00000800'\n"
                                                    "         SCKC  =X'0000000100000000'\n"
                                                    "         LPSW  =X'010A000000000000'\n" END);
    (void)state;
    program_run(m, 0);
    expect_end(m, AT_EXTERNAL);
    assert_int_equal(program_word(m, 132), 0x00001004);
    assert_true(program_state(m).tod > 0x100000000u);
    assert_true(program_state(m).tod < 0x100000000u + 512);
    program_free(m);
}

static void test_interval_timer_counts_300_times_a_second_and_interrupts(void **state) {
    struct machine *m = program_load("s370", PAGE_0 "         MVC   80(4,0),=F'511'\n"
                                                    "         LPSW  =X'010A000000000000'\n" END);
    (void)state;
    program_run(m, 0);
    expect_end(m, AT_EXTERNAL);
    assert_int_equal(program_word(m, 132), 0x00000080);
    assert_int_equal((int32_t)program_word(m, 80), 511 - 512);
    assert_int_equal(program_stats(m).nominal_cycles, clock_tick_at(2));
    program_free(m);
}

static void test_enabled_wait_for_nothing_is_idle(void **state) {
    struct machine *m = program_load("s370", PAGE_0 "         LCTL  0,0,=F'0'\n"
                                                    "         LPSW  =X'030A000000000000'\n" END);
    (void)state;
    assert_int_equal(program_run(m, 0), MACHINE_IDLE);
    machine_raise(m, CONDITION_ATTENTION);
    machine_run(m, NULL);
    expect_end(m, AT_IO);
    assert_int_equal(program_word(m, 184), 0x009);
    assert_int_equal(program_word(m, 68), 0x80000000);
    program_free(m);
}

static void test_machine_check_and_key_are_taken_in_order(void **state) {
    struct machine *m = program_load("s370", PAGE_0 "         LPSW  =X'010E000000000000'\n" END);
    (void)state;
    machine_raise(m, CONDITION_INTERRUPT_KEY);
    machine_raise(m, CONDITION_MACHINE_CHECK);
    program_run(m, 0);
    expect_end(m, AT_MACHINE_CHECK);
    assert_int_equal(program_word(m, 232), 0x80000000);
    assert_int_equal(program_stats(m).interruptions[INTERRUPTION_EXTERNAL], 0);
    program_free(m);
}

static void test_limits_stop_behind_the_instruction_that_reaches_them(void **state) {
    (void)state;
    for (uint64_t limit = 1; limit < 40; limit++) {
        struct machine *m = program_load("s370", PAGE_0 "HERE     LA    2,1(,2)\n"
                                                        "         SVC   1\n"
                                                        "         B     HERE\n"
                                                        "         ORG   X'60'\n"
                                                        "         DC    X'0008000000000408'\n"
                                                        "         END\n");
        assert_int_equal(program_run(m, limit), MACHINE_READY);
        struct machine_stats s = program_stats(m);
        uint64_t done = s.instructions;
        for (int c = 0; c < INTERRUPTION_CLASSES; c++)
            done += s.interruptions[c];
        assert_in_range(done, limit, limit + 1); /* SVC and its interruption are one step */
        program_free(m);
    }
}

static void test_books_add_up_to_the_cycles(void **state) {
    struct machine *m = program_load("s370", PAGE_0 "         SVC   1\n"
                                                    "         ORG   X'60'\n"
                                                    "         DC    X'0008000000000600'\n"
                                                    "         ORG   X'600'\n"
                                                    "         L     1,1(0,0)\n"
                                                    "         LM    1,5,2(0)\n"
                                                    "         DC    X'0000'\n"
                                                    "         END\n");
    uint64_t sum = 0;
    (void)state;
    program_run(m, 0);
    for (int level = 0; level < MACHINE_LEVELS; level++)
        sum += machine_booked_level(m, level);
    assert_int_equal(sum, program_stats(m).cycles);
    /* BALR 4, SVC 0, L 5, LM 4 + 5 + 3 doublewords; three swaps; 4 for the operation exception. */
    assert_int_equal(program_stats(m).cycles, 4 + 5 + 4 + 5 + 6 + 3 * 27 + 4);
    assert_int_equal(program_stats(m).nominal_cycles, 4 + 5 + 4 + 5 + 6);
    program_free(m);
}

static void test_stores_into_the_next_instruction_are_seen(void **state) {
    struct machine *m = program_load("s370", PAGE_0 "         LA    4,3\n"
                                                    "AGAIN    MVI   NEXT+3,7\n"
                                                    "NEXT     LA    2,1(,0)\n"
                                                    "         IC    3,NEXT+3\n"
                                                    "         LA    3,1(,3)\n"
                                                    "         STC   3,AGAIN+1\n"
                                                    "         BCT   4,AGAIN\n" END);
    (void)state;
    program_run(m, 0);
    expect_end(m, AT_END);
    assert_int_equal(program_state(m).gpr[2], 9);
    program_free(m);
}

static void test_execute_stores_into_itself_and_counts_once(void **state) {
    struct machine *m = program_load("s370", PAGE_0 "         LA    2,7\n"
                                                    "         EX    2,MOVE\n"
                                                    "         B     PAST\n"
                                                    "MOVE     MVC   X'800'(1,0),X'400'(0)\n"
                                                    "PAST     DS    0H\n" END);
    (void)state;
    program_run(m, 0);
    expect_end(m, AT_END);
    assert_int_equal(program_stats(m).instructions, 5);
    assert_int_equal(program_word(m, 0x804), program_word(m, 0x404));
    program_free(m);
}

static void test_instruction_across_blocks_runs_and_changes(void **state) {
    struct machine *m = program_load("s370", PAGE_0 "         B     CROSS\n"
                                                    "         ORG   X'7FE'\n"
                                                    "CROSS    LA    2,1(,2)\n"
                                                    "         MVI   CROSS+3,5\n"
                                                    "         LA    3,1(,3)\n"
                                                    "         C     3,=F'2'\n"
                                                    "         BL    CROSS\n" END);
    (void)state;
    program_run(m, 0);
    expect_end(m, AT_END);
    assert_int_equal(program_state(m).gpr[2], 6);
    program_free(m);
}

static void test_move_long_is_interrupted_and_goes_on(void **state) {
    struct machine *m = program_load("s370", PAGE_0 "         LCTL  0,0,=X'00000400'\n"
                                                    "         MVC   88(8,0),=X'0008000000000700'\n"
                                                    "         L     2,=F'16384'\n"
                                                    "         L     3,=F'32768'\n"
                                                    "         SR    4,4\n"
                                                    "         L     5,=X'AB000000'\n"
                                                    "         SPT   =F'0,200000'\n"
                                                    "         STOSM X'900'(0),X'01'\n"
                                                    "         MVCL  2,4\n"
                                                    "         LPSW  =X'000A000000000ACE'\n"
                                                    "         LTORG\n"
                                                    "         ORG   X'700'\n"
                                                    "         ST    2,X'904'(0,0)\n"
                                                    "         SPT   X'910'(0)\n"
                                                    "         LPSW  24(0)\n"
                                                    "         ORG   X'910'\n"
                                                    "         DC    X'7FFFFFFFFFFFFFFF'\n"
                                                    "         END\n");
    (void)state;
    program_run(m, 0);
    expect_end(m, AT_END);
    struct machine_state s = program_state(m);
    assert_int_equal(s.gpr[2], 16384 + 32768);
    assert_int_equal(s.gpr[3], 0);
    uint32_t when = program_word(m, 0x904);
    assert_true(when > 16384 && when < 16384 + 32768);
    assert_int_equal(program_word(m, 16384 + 32768 - 4), 0xABABABAB);
    assert_int_equal(program_stats(m).interruptions[INTERRUPTION_EXTERNAL], 1);
    program_free(m);
}

static void test_prefix_moves_low_storage(void **state) {
    struct machine *m = program_load("s370", PAGE_0 "         L     2,=A(X'5000')\n"
                                                    "         MVC   X'400'(256,2),X'400'(0)\n"
                                                    "         MVC   X'60'(8,2),=X'000A000000000123'\n"
                                                    "         SPX   =A(X'5000')\n"
                                                    "         SVC   1\n" END);
    (void)state;
    program_run(m, 0);
    expect_end(m, 0x123);
    assert_int_equal(program_word(m, 136), 0x00020001);    /* real 136 is absolute 5088 now */
    assert_int_equal(program_word(m, 0x5060), 0x000A0000); /* and real 5060 absolute 60 */
    assert_int_equal(program_word(m, 0x5064), AT_SVC);
    assert_int_equal(program_state(m).prefix, 0x5000);
    program_free(m);
}

static void test_console_program_ends_with_an_interruption(void **state) {
    struct machine *m = program_load("s370", PAGE_0 "         MVC   72(4,0),=A(CCW)\n"
                                                    "         SIO   9(0)\n"
                                                    "         BNZ   BAD\n"
                                                    "         TIO   9(0)\n"
                                                    "         BC    13,BAD\n" /* busy is condition code 2 */
                                                    "         LPSW  =X'020A000000000000'\n"
                                                    "BAD      DC    X'0000'\n"
                                                    "         DS    0D\n"
                                                    "CCW      CCW   X'09',TEXT,X'20',5\n"
                                                    "TEXT     DC    C'HELLO'\n" END);
    (void)state;
    program_run(m, 0);
    expect_end(m, AT_IO);
    assert_int_equal(program_word(m, 184), 9);
    assert_int_equal(program_word(m, 68), 0x0C000000);
    const struct bytes *text = console_text(machine_device(m, 9));
    assert_int_equal(text->length, 6);
    assert_memory_equal(text->data, "HELLO\n", 6);
    program_free(m);
}

static void test_machine_looking_changes_nothing(void **state) {
    struct machine *m = program_load("s370", PAGE_0 END);
    uint8_t raw[16];
    (void)state;
    assert_int_equal(machine_peek(m, 0x400, raw, 16), ACCESS_OK);
    assert_int_equal(machine_peek(m, 65536 - 8, raw, 16), ACCESS_ADDRESSING);
    assert_int_equal(machine_key(m, 0x400), 0);
    assert_int_equal(machine_key(m, 65536), -1);
    program_run(m, 0);
    assert_int_equal(machine_key(m, 0x400), KEY_REFERENCE | KEY_CHANGE); /* block 0: the restart stored there */
    program_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_svc_in_ec_mode_stores_number_and_length),
        cmocka_unit_test(test_svc_in_bc_mode_stores_the_code_in_the_old_psw),
        cmocka_unit_test(test_invalid_psw_is_stored_as_it_was_loaded_with_ilc_0),
        cmocka_unit_test(test_failed_fetch_stores_address_plus_2_and_ilc_2),
        cmocka_unit_test(test_program_interruption_loop_check_stops),
        cmocka_unit_test(test_invalid_program_new_psw_check_stops_and_shows_it),
        cmocka_unit_test(test_cpu_timer_interrupts_between_the_right_instructions),
        cmocka_unit_test(test_clock_comparator_ends_an_enabled_wait),
        cmocka_unit_test(test_interval_timer_counts_300_times_a_second_and_interrupts),
        cmocka_unit_test(test_enabled_wait_for_nothing_is_idle),
        cmocka_unit_test(test_machine_check_and_key_are_taken_in_order),
        cmocka_unit_test(test_limits_stop_behind_the_instruction_that_reaches_them),
        cmocka_unit_test(test_books_add_up_to_the_cycles),
        cmocka_unit_test(test_stores_into_the_next_instruction_are_seen),
        cmocka_unit_test(test_execute_stores_into_itself_and_counts_once),
        cmocka_unit_test(test_instruction_across_blocks_runs_and_changes),
        cmocka_unit_test(test_move_long_is_interrupted_and_goes_on),
        cmocka_unit_test(test_prefix_moves_low_storage),
        cmocka_unit_test(test_console_program_ends_with_an_interruption),
        cmocka_unit_test(test_machine_looking_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
