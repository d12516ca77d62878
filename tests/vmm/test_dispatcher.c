/* Guests that trap in every way: what they see is the same bare and under monitors. */
#include "tests/vmm/guests.h"

static void compare(const char *source, struct outcome *o) { guests_compare(source, 200000, o); }

static void test_guest_in_supervisor_state_ends_as_bare(void **state) {
    struct outcome o;
    (void)state;
    compare(PAGE_0 "         LA    1,5\n"
                   "LOOP     BCT   1,LOOP\n" STOP_HERE "         END\n",
            &o);
    assert_int_equal(o.status, MACHINE_DISABLED_WAIT);
    assert_int_equal(o.state.psw.ia, GUEST_STOPPED);
    assert_int_equal(o.stats.instructions, 7);
}

static void test_svc_is_reflected_in_both_modes(void **state) {
    struct outcome o;
    (void)state;
    compare(PAGE_0 "         MVC   96(8),NEW\n"
                   "         LA    1,X'2D'\n"
                   "         SVC   7\n"
                   "         EX    1,SVC\n" /* ILC 4 */
                   "         LPSW  BC\n"
                   "INBC     SVC   9\n"
                   "         LPSW  BCSTOP\n"
                   "SVC      SVC   0\n"
                   "HANDLER  LA    2,1(,2)\n"
                   "         LM    4,5,32\n"
                   "         LPSW  32\n"
                   "         DS    0D\n"
                   "NEW      DC    X'00080000',A(HANDLER)\n"
                   "BC       DC    X'00000000',A(INBC)\n"
                   "BCSTOP   DC    X'0002000000000E00'\n"
                   "         END\n",
            &o);
    assert_int_equal(o.state.gpr[2], 3);
    assert_int_equal(o.stats.interruptions[INTERRUPTION_SVC], 3);
    assert_int_equal(o.state.gpr[4], 0x00000009); /* BC: the code is in the old PSW */
    assert_int_equal(bytes_get32(o.storage + 136), 0x0004002D);
}

static void test_program_exceptions_are_reflected(void **state) {
    struct outcome o;
    (void)state;
    /* Operation, privileged (problem state), execute, protection, addressing, specification, data, divide, overflow. */
    compare(PAGE_0 "         MVC   104(8),NEW\n"
                   "         LA    1,X'40'\n"
                   "         LA    3,X'800'\n"
                   "         SSK   1,3\n" /* key 4 for block 800 */
                   "         LPSW  PROBLEM\n"
                   "GO       DC    X'B2FF0000'\n"
                   "         SSM   0\n"
                   "         EX    0,GO2\n"
                   "GO2      EX    0,GO2\n"
                   "         ST    1,X'800'\n"
                   "         L     1,=X'00800000'\n"
                   "         L     2,0(,1)\n"
                   "         M     3,0\n"
                   "         CVB   1,=D'0'\n"
                   "         AP    BAD,BAD\n"
                   "         SR    4,4\n"
                   "         LA    5,5\n"
                   "         DR    4,4\n"
                   "         L     4,=X'7FFFFFFF'\n"
                   "         AR    4,4\n"
                   "         MC    5,3\n"
                   "         SVC   0\n"
                   "BAD      DC    X'FF'\n"
                   "HANDLER  LA    9,1(,9)\n"
                   "         MH    10,=H'31'\n"
                   "         AH    10,142\n"
                   "         A     10,44\n"
                   "         LPSW  40\n"
                   "         LTORG\n"
                   "         DS    0D\n"
                   "PROBLEM  DC    X'0099080000',AL3(GO)\n"
                   "NEW      DC    X'00080000',A(HANDLER)\n"
                   "         END\n",
            &o);
    assert_int_equal(o.state.psw.ia, 0xE02);
    assert_true(o.stats.interruptions[INTERRUPTION_PROGRAM] >= 9);
}

static void test_monitor_calls_follow_the_guests_mask(void **state) {
    struct outcome o;
    (void)state;
    compare(PAGE_0 "         MVC   104(8),NEW\n"
                   "         MC    123(0),3\n" /* masked off */
                   "         LCTL  8,8,=X'00001000'\n"
                   "         MC    124(0),3\n"
                   "         MC    125(0),4\n" /* masked off */
                   "         LCTL  8,8,=X'00000800'\n"
                   "         MC    126(0),4\n" STOP_HERE "HANDLER  LA    9,1(,9)\n"
                   "         A     10,156\n"
                   "         LPSW  40\n"
                   "         LTORG\n"
                   "         DS    0D\n"
                   "NEW      DC    X'00080000',A(HANDLER)\n"
                   "         END\n",
            &o);
    assert_int_equal(o.state.gpr[9], 2);
    assert_int_equal(o.state.gpr[10], 124 + 126);
}

static void test_addresses_outside_storage_are_suppressed(void **state) {
    struct outcome o;
    (void)state;
    compare(PAGE_0 "         L     1,=X'00010000'\n"
                   "         MVC   104(8),NEW\n"
                   "         ST    2,0(,1)\n" /* ends at NEXT, with ILC 4 */
                   "NEXT     BR    1\n"
                   "HANDLER  L     3,44\n"
                   "         L     4,140\n"
                   "         MVC   104(8),NEW2\n"
                   "         LPSW  40\n"
                   "AGAIN    L     5,44\n"
                   "         L     6,140\n" STOP_HERE "         LTORG\n"
                   "         DS    0D\n"
                   "NEW      DC    X'00080000',A(HANDLER)\n"
                   "NEW2     DC    X'00080000',A(AGAIN)\n"
                   "         END\n",
            &o);
    assert_int_equal(o.state.gpr[4], 0x00040005);
    assert_int_equal(o.state.gpr[5], 0x00010002); /* a failed fetch: IA + 2, ILC 2 */
    assert_int_equal(o.state.gpr[6], 0x00020005);
}

/* ---- Timers ---- */

#define TIMED(CR0_BITS, SET)                                                                                           \
    PAGE_0 "         MVC   88(8),NEW\n"                                                                                \
           "         LCTL  0,0,=X'" CR0_BITS "'\n" SET "         STOSM MASK,1\n"                                       \
           "LOOP     LA    1,1(,1)\n"                                                                                  \
           "         B     LOOP\n"                                                                                     \
           "HANDLER  STCK  NOW\n"                                                                                      \
           "         STPT  LEFT\n"                                                                                     \
           "         LH    2,134\n"                                                                                    \
           "         LA    3,1(,3)\n"                                                                                  \
           "         C     3,=F'2'\n"                                                                                  \
           "         BE    DONE\n"                                                                                     \
           "         SPT   TIMER\n"                                                                                    \
           "         SCKC  LATER\n"                                                                                    \
           "         MVC   80(4),WORD\n"                                                                               \
           "         LPSW  24\n"                                                                                       \
           "DONE     LPSW  STOP\n"                                                                                     \
           "         LTORG\n"                                                                                          \
           "         DS    0D\n"                                                                                       \
           "NOW      DC    D'0'\n"                                                                                     \
           "LEFT     DC    D'0'\n"                                                                                     \
           "TIMER    DC    X'0000000001000000'\n"                                                                      \
           "SOON     DC    X'0000000001234500'\n"                                                                      \
           "LATER    DC    X'0000000002345600'\n"                                                                      \
           "NEW      DC    X'00080000',A(HANDLER)\n"                                                                   \
           "STOP     DC    X'000A000000000E00'\n"                                                                      \
           "WORD     DC    X'00000201'\n"                                                                              \
           "MASK     DC    X'00'\n"                                                                                    \
           "         END\n"

static void test_cpu_timer_interrupts_at_the_same_instruction(void **state) {
    struct outcome o;
    (void)state;
    compare(TIMED("00000400", "         SPT   TIMER\n"), &o);
    assert_int_equal(o.state.gpr[2], 0x1005);
    assert_int_equal(o.stats.interruptions[INTERRUPTION_EXTERNAL], 2);
}

/* Whatever the value: a cycle is 471.04 units, and the last unit decides. */
static void test_cpu_timer_is_exact_for_every_value(void **state) {
    char source[1024];
    (void)state;
    for (unsigned value = 0; value < 4000; value += 97) {
        snprintf(source, sizeof source,
                 PAGE_0 "         LCTL  0,0,=X'00000400'\n"
                        "         SPT   TIMER\n"
                        "         STOSM X'F00',1\n"
                        "LOOP     LA    1,1(,1)\n"
                        "         MVC   X'F10'(8),X'F20'\n"
                        "         B     LOOP\n"
                        "         LTORG\n"
                        "         DS    0D\n"
                        "TIMER    DC    X'%016X'\n"
                        "         END\n",
                 value + 20000);
        guests_compare_to(2, source, 2000, NULL);
    }
}

static void test_clock_comparator_interrupts_at_the_same_instruction(void **state) {
    struct outcome o;
    (void)state;
    compare(TIMED("00000800", "         SCKC  SOON\n"), &o);
    assert_int_equal(o.state.gpr[2], 0x1004);
}

static void test_interval_timer_interrupts_at_the_same_tick(void **state) {
    struct outcome o;
    (void)state;
    compare(TIMED("00000080", "         MVC   80(4),WORD\n"), &o);
    assert_int_equal(o.state.gpr[2], 0x0080);
    assert_int_equal(o.stats.interruptions[INTERRUPTION_EXTERNAL], 2);
}

static void test_guest_sets_its_clock(void **state) {
    struct outcome o;
    (void)state;
    compare(TIMED("00000800", "         SCK   LATER\n"
                              "         SCKC  LATER\n"),
            &o);
    assert_int_equal(o.state.gpr[2], 0x1004);
}

static void test_wait_jumps_to_the_timer(void **state) {
    struct outcome o;
    (void)state;
    compare(PAGE_0 "         MVC   88(8),NEW\n"
                   "         LCTL  0,0,=X'00000C00'\n"
                   "         SPT   TIMER\n"
                   "         SCKC  SOON\n"
                   "         LPSW  WAIT\n"
                   "HANDLER  LH    2,134\n"
                   "         STCK  8(3)\n"
                   "         SCKC  NEVER\n"
                   "         LA    3,8(,3)\n"
                   "         C     3,=F'8'\n"
                   "         BE    WAITS\n" STOP_HERE "WAITS    LPSW  WAIT\n"
                   "         LTORG\n"
                   "         DS    0D\n"
                   "TIMER    DC    X'0000000010000000'\n"
                   "SOON     DC    X'0000000001234500'\n"
                   "NEVER    DC    X'FFFFFFFFFFFFFFFF'\n"
                   "NEW      DC    X'00080000',A(HANDLER)\n"
                   "WAIT     DC    X'010A000000ABCDEF'\n"
                   "         END\n",
            &o);
    assert_int_equal(o.state.gpr[2], 0x1005);
}

static void test_wait_for_nothing_is_idle(void **state) {
    struct outcome o;
    (void)state;
    compare(PAGE_0 "         LCTL  0,0,=X'00000040'\n"
                   "         LPSW  WAIT\n"
                   "         LTORG\n"
                   "         DS    0D\n"
                   "WAIT     DC    X'010A000000ABCDEE'\n"
                   "         END\n",
            &o);
    assert_int_equal(o.status, MACHINE_IDLE);
    assert_int_equal(o.state.psw.ia, 0xABCDEE);
}

/* ---- Loops and limits ---- */

static void test_program_interruption_loop_check_stops(void **state) {
    struct outcome o;
    (void)state;
    compare(PAGE_0 "         MVC   104(8),NEW\n"
                   "         DC    X'0000'\n"
                   "         DS    0D\n"
                   "NEW      DC    X'0008000000000F00'\n" /* where there are zeros */
                   "         END\n",
            &o);
    assert_int_equal(o.status, MACHINE_CHECK_STOP);
}

static void test_invalid_program_new_psw_check_stops(void **state) {
    struct outcome o;
    (void)state;
    compare(PAGE_0 "         MVC   104(8),NEW\n"
                   "         DC    X'0000'\n"
                   "         DS    0D\n"
                   "NEW      DC    X'8008000000000F00'\n"
                   "         END\n",
            &o);
    assert_int_equal(o.status, MACHINE_CHECK_STOP);
    assert_int_equal(o.state.psw.ia, 0xF00);
}

static void test_invalid_psw_is_an_early_exception(void **state) {
    struct outcome o;
    (void)state;
    compare(PAGE_0 "         LPSW  BAD\n"
                   "         DS    0D\n"
                   "BAD      DC    X'00081000FF000F00'\n"
                   "         END\n",
            &o);
    assert_int_equal(o.state.psw.ia, 0xE03);
    assert_memory_equal(o.storage + 40, "\x00\x08\x10\x00\xFF\x00\x0F\x00", 8);
    assert_int_equal(bytes_get32(o.storage + 140), 6);
}

static void test_endless_external_interruptions_reach_the_limit(void **state) {
    struct outcome o;
    (void)state;
    guests_compare(PAGE_0 "         MVC   88(8),NEW\n"
                          "         LCTL  0,0,=X'00000800'\n"
                          "         STOSM X'F00',1\n"
                          "         LTORG\n"
                          "         DS    0D\n"
                          "NEW      DC    X'01080000',A(X'300')\n"
                          "         END\n",
                   500, &o);
    assert_int_equal(o.status, MACHINE_READY);
    assert_int_equal(o.stats.instructions + o.stats.interruptions[INTERRUPTION_EXTERNAL] + 1, 500);
}

/* The channel's time is the instruction's, also where no I/O has made the timeline move before. */
static void test_halted_device_interrupts_after_the_same_instructions(void **state) {
    (void)state;
    struct outcome o;
    guests_compare(PAGE_0 "         MVC   72(4),=A(READ)\n"
                          "         MVC   120(8),NEW\n"
                          "         STOSM X'F00',X'02'\n"
                          "         SIO   9\n"
                          "         LA    1,100\n"
                          "         BCT   1,*\n"
                          "         HIO   9\n"
                          "         LA    1,100\n"
                          "         BCT   1,*\n"
                          "         LPSW  X'E08'\n"
                          "         DS    0D\n"
                          "NEW      DC    X'000A000000000E00'\n"
                          "READ     CCW   X'0A',X'600',X'20',20\n"
                          "         END\n",
                   1000, &o);
    assert_int_equal(o.status, MACHINE_DISABLED_WAIT);
    assert_int_equal(o.stats.interruptions[INTERRUPTION_IO], 1);
    assert_true(o.state.gpr[1] > 0);
}

static void test_limit_stops_at_the_same_instruction(void **state) {
    (void)state;
    for (uint64_t limit = 1; limit < 40; limit++)
        guests_compare_to(DEEPEST,
                          PAGE_0 "         MVC   96(8),NEW\n"
                                 "AGAIN    SVC   1\n"
                                 "         STOSM X'F00',0\n"
                                 "         B     AGAIN\n"
                                 "HANDLER  STAP  X'F02'\n"
                                 "         LPSW  32\n"
                                 "         DS    0D\n"
                                 "NEW      DC    X'00080000',A(HANDLER)\n"
                                 "         END\n",
                          limit, NULL);
}

/* ---- From outside ---- */

static void test_restarting_again_starts_the_guest_again(void **state) {
    struct run r;
    struct outcome o;
    (void)state;
    guests_build(&r,
                 PAGE_0 "         L     1,X'F00'\n"
                        "         LA    1,1(,1)\n"
                        "         ST    1,X'F00'\n" STOP_HERE "         END\n",
                 2, true);
    for (uint32_t times = 1; times < 4; times++) {
        if (times > 1)
            machine_restart(r.tower.bare);
        guests_look(&r, guests_go(&r, 0), &o);
        assert_int_equal(o.status, MACHINE_DISABLED_WAIT);
        assert_int_equal(o.state.gpr[1], times);
        assert_int_equal(o.stats.interruptions[INTERRUPTION_RESTART], times);
    }
    guests_free(&r);
}

/* Wherever the machine is interrupted, in the middle of whose activation, a restart forgets it and starts anew. */
static void test_restart_drops_activations_that_were_suspended(void **state) {
    (void)state;
    for (uint64_t cycles = 50; cycles < 30000; cycles += 137) {
        struct run r;
        struct outcome o;
        const struct machine_limits limits = {.cycles = cycles};
        guests_build(&r,
                     PAGE_0 "         STOSM X'F00',0\n"
                            "         LCTL  0,1,CRS\n"
                            "         LRA   2,X'123'\n"
                            "         PTLB\n"
                            "         ST    2,X'F04'\n" STOP_HERE "         DS    0D\n"
                            "CRS      DC    X'00800000',X'00000300'\n"
                            "         ORG   G+X'300'\n"
                            "         DC    X'F0000340'\n"
                            "         ORG   G+X'340'\n"
                            "         DC    X'0070'\n"
                            "         END\n",
                     3, true);
        machine_run(r.tower.innermost, &limits);
        machine_restart(r.tower.bare);
        guests_look(&r, guests_go(&r, 0), &o);
        if (o.status == MACHINE_FAULT)
            fail_msg("%s", machine_fault(r.tower.bare));
        assert_int_equal(o.status, MACHINE_DISABLED_WAIT);
        assert_int_equal(o.state.psw.ia, GUEST_STOPPED);
        assert_int_equal(bytes_get32(o.storage + 0xF04), 0x7123);
        guests_free(&r);
    }
}

static void test_guest_starts_with_a_given_psw(void **state) {
    struct run r;
    struct outcome o;
    static const uint8_t psw[8] = {0, 8, 0, 0, 0, 0, 2, 0};
    (void)state;
    guests_build(&r, PAGE_0 STOP_HERE "         END\n", 2, true);
    machine_start_psw(r.tower.innermost, psw);
    guests_look(&r, guests_go(&r, 0), &o);
    assert_int_equal(o.status, MACHINE_DISABLED_WAIT);
    assert_int_equal(o.stats.interruptions[INTERRUPTION_RESTART], 0);
    assert_int_equal(o.stats.instructions, 1);
    guests_free(&r);
}

static void test_interrupt_key_reaches_a_guest_that_waits(void **state) {
    struct run r;
    struct outcome o;
    (void)state;
    for (unsigned depth = 0; depth <= DEEPEST; depth++) {
        guests_build(&r,
                     PAGE_0 "         LPSW  WAIT\n"
                            "         DS    0D\n"
                            "WAIT     DC    X'010A000000ABCDEE'\n"
                            "         END\n",
                     depth, true);
        struct machine_state s;
        machine_state(r.tower.innermost, &s);
        s.cr[0] = CR0_INTERRUPT_KEY;
        machine_set_state(r.tower.innermost, &s);
        if (depth == 0)
            machine_restart(r.tower.innermost);
        assert_int_equal(guests_go(&r, 0), MACHINE_IDLE);
        machine_raise(r.tower.innermost, CONDITION_INTERRUPT_KEY);
        guests_look(&r, guests_go(&r, 0), &o);
        assert_int_equal(o.status, MACHINE_DISABLED_WAIT);
        assert_int_equal(o.state.psw.ia, 0xE01);
        assert_int_equal(bytes_get16(o.storage + 134), 0x0040);
        guests_free(&r);
    }
}

static void test_interrupt_key_reaches_a_guest_that_runs(void **state) {
    struct run r;
    struct outcome o;
    (void)state;
    for (unsigned depth = 0; depth <= DEEPEST; depth++) {
        guests_build(&r,
                     PAGE_0 "         LCTL  0,0,=X'00000040'\n"
                            "         STOSM X'F00',1\n"
                            "LOOP     B     LOOP\n"
                            "         END\n",
                     depth, true);
        if (depth == 0)
            machine_restart(r.tower.innermost);
        assert_int_equal(guests_go(&r, 100), MACHINE_READY);
        machine_raise(r.tower.innermost, CONDITION_INTERRUPT_KEY);
        guests_look(&r, guests_go(&r, 100), &o);
        assert_int_equal(o.state.psw.ia, 0xE01);
        assert_int_equal(o.stats.instructions, 99);
        guests_free(&r);
    }
}

static void test_machine_check_reaches_the_guest(void **state) {
    struct run r;
    struct outcome o;
    (void)state;
    for (unsigned depth = 0; depth <= DEEPEST; depth++) {
        guests_build(&r,
                     PAGE_0 "         LPSW  OPEN\n"
                            "LOOP     B     LOOP\n"
                            "         DS    0D\n"
                            "OPEN     DC    X'000C0000',A(LOOP)\n"
                            "         END\n",
                     depth, true);
        if (depth == 0)
            machine_restart(r.tower.innermost);
        guests_go(&r, 100);
        machine_raise(r.tower.innermost, CONDITION_MACHINE_CHECK);
        guests_look(&r, guests_go(&r, 100), &o);
        assert_int_equal(o.state.psw.ia, 0xE04);
        assert_int_equal(o.storage[232], 0x80);
        guests_free(&r);
    }
}

/* ---- Time that follows the bare machine ---- */

static void test_books_add_up_and_every_clock_follows_the_bare_machine(void **state) {
    struct run r;
    struct outcome o;
    (void)state;
    for (unsigned depth = 1; depth <= DEEPEST; depth++) {
        guests_build(&r, TIMED("00000400", "         SPT   TIMER\n"), depth, false);
        guests_look(&r, guests_go(&r, 0), &o);
        assert_int_equal(o.status, MACHINE_DISABLED_WAIT);
        assert_int_equal(o.stats.interruptions[INTERRUPTION_EXTERNAL], 2);
        uint64_t sum = 0;
        for (int level = 0; level < MACHINE_LEVELS; level++)
            sum += machine_booked_level(r.tower.bare, level);
        assert_int_equal(sum, o.stats.cycles);
        assert_int_equal(o.state.tod, clock_units(o.stats.cycles));
        guests_free(&r);
    }
}

static void test_monitors_count_what_they_do(void **state) {
    struct run r;
    struct outcome o;
    struct vmm_stats stats;
    (void)state;
    guests_build(&r,
                 PAGE_0 "         STAP  X'F00'\n"
                        "         STAP  X'F00'\n"
                        "         SVC   1\n"
                        "         END\n",
                 1, true);
    guests_look(&r, guests_go(&r, 0), &o);
    vmm_stats(r.tower.monitor[0], &stats);
    assert_int_equal(stats.traps, 4); /* one page, two privileged ones, SVC */
    assert_int_equal(stats.shadow_faults, 1);
    assert_int_equal(stats.interpreted, 2);
    assert_int_equal(stats.reflected, 2); /* restart, SVC */
    assert_int_equal(stats.dispatches, 4);
    guests_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guest_in_supervisor_state_ends_as_bare),
        cmocka_unit_test(test_svc_is_reflected_in_both_modes),
        cmocka_unit_test(test_program_exceptions_are_reflected),
        cmocka_unit_test(test_monitor_calls_follow_the_guests_mask),
        cmocka_unit_test(test_addresses_outside_storage_are_suppressed),
        cmocka_unit_test(test_cpu_timer_interrupts_at_the_same_instruction),
        cmocka_unit_test(test_cpu_timer_is_exact_for_every_value),
        cmocka_unit_test(test_clock_comparator_interrupts_at_the_same_instruction),
        cmocka_unit_test(test_interval_timer_interrupts_at_the_same_tick),
        cmocka_unit_test(test_guest_sets_its_clock),
        cmocka_unit_test(test_wait_jumps_to_the_timer),
        cmocka_unit_test(test_wait_for_nothing_is_idle),
        cmocka_unit_test(test_program_interruption_loop_check_stops),
        cmocka_unit_test(test_invalid_program_new_psw_check_stops),
        cmocka_unit_test(test_invalid_psw_is_an_early_exception),
        cmocka_unit_test(test_endless_external_interruptions_reach_the_limit),
        cmocka_unit_test(test_halted_device_interrupts_after_the_same_instructions),
        cmocka_unit_test(test_limit_stops_at_the_same_instruction),
        cmocka_unit_test(test_restarting_again_starts_the_guest_again),
        cmocka_unit_test(test_restart_drops_activations_that_were_suspended),
        cmocka_unit_test(test_guest_starts_with_a_given_psw),
        cmocka_unit_test(test_interrupt_key_reaches_a_guest_that_waits),
        cmocka_unit_test(test_interrupt_key_reaches_a_guest_that_runs),
        cmocka_unit_test(test_machine_check_reaches_the_guest),
        cmocka_unit_test(test_books_add_up_and_every_clock_follows_the_bare_machine),
        cmocka_unit_test(test_monitors_count_what_they_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
