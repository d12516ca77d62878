/* Several CPUs on one storage: turns, SIGP, signals, prefixing, and what one CPU must notice of another. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/trace.h"
#include "isa/machine.h"
#include "tests/support/program.h"

/* Every program lies at 2000, outside of page 0, and is assembled with base register 12. CPU 0 comes to ZERO. BRING_UP
 * restarts the others, one after another; they give themselves page 0 at 8000 + 1000 times their address, with a copy
 * of the first 512 bytes, report, and come to OTHER with their address in register 9. An end is a disabled wait at ACE,
 * an interruption without a handler one at its class's address. */
#define PAGE_0                                                                                                         \
    "         ORG   0\n"                                                                                               \
    "         DC    X'0008000000002000'\n"                                                                             \
    "         ORG   X'58'\n"                                                                                           \
    "         DC    X'00080000',A(EXTERNAL)\n"                                                                         \
    "         DC    X'00080000',A(SUPER)\n"                                                                            \
    "         DC    X'00080000',A(PROGRAM)\n"                                                                          \
    "         DC    X'000A000000000C00'\n"                                                                             \
    "         DC    X'00080000',A(IO)\n"                                                                               \
    "         ORG   X'2000'\n"                                                                                         \
    "         BALR  12,0\n"                                                                                            \
    "         USING *,12\n"                                                                                            \
    "         STAP  ADDRESS\n"                                                                                         \
    "         LH    9,ADDRESS\n"                                                                                       \
    "         LCTL  0,0,=F'0'\n"                                                                                       \
    "         LTR   9,9\n"                                                                                             \
    "         BZ    ZERO\n"                                                                                            \
    "         LR    10,9\n"                                                                                            \
    "         SLL   10,12\n"                                                                                           \
    "         AL    10,=X'00008000'\n"                                                                                 \
    "         ST    10,PREFIX\n"                                                                                       \
    "         MVC   0(256,10),0\n"                                                                                     \
    "         MVC   256(256,10),256\n"                                                                                 \
    "         SPX   PREFIX\n"                                                                                          \
    "         MVI   UP,1\n"                                                                                            \
    "         B     OTHER\n"
#define BRING_UP                                                                                                       \
    "BRING    LA    2,1\n"                                                                                             \
    "BRING1   MVI   UP,0\n"                                                                                            \
    "BRING2   SIGP  0,2,6\n"                                                                                           \
    "         BC    2,BRING2\n"                                                                                        \
    "         BC    1,BRING4\n" /* there is none with this address */                                                  \
    "BRING3   CLI   UP,0\n"                                                                                            \
    "         BE    BRING3\n"                                                                                          \
    "         LA    2,1(,2)\n"                                                                                         \
    "         B     BRING1\n"                                                                                          \
    "BRING4   DS    0H\n"
#define END                                                                                                            \
    "END      LPSW  =X'000A000000000ACE'\n"                                                                            \
    "ADDRESS  DS    H\n"                                                                                               \
    "UP       DS    X\n"                                                                                               \
    "PREFIX   DS    F\n"                                                                                               \
    "         LTORG\n"                                                                                                 \
    "         END\n"
#define NO_EXTERNAL "EXTERNAL LPSW  =X'000A000000000E00'\n"
#define NO_SVC "SUPER    LPSW  =X'000A000000000500'\n"
#define NO_PROGRAM "PROGRAM  LPSW  =X'000A000000000B00'\n"
#define NO_IO "IO       LPSW  =X'000A000000000D00'\n"
#define NO_HANDLERS NO_EXTERNAL NO_SVC NO_PROGRAM NO_IO

static struct machine *load(unsigned cpus, const char *source) {
    return program_load_on("s370", (struct machine_options){.memory_bytes = 0x20000, .cpus = cpus}, source);
}

static struct machine_state cpu_state(struct machine *m, unsigned cpu) {
    struct machine_state s;
    machine_cpu_state(m, cpu, &s);
    return s;
}

static void run_to_end(struct machine *m) {
    assert_string_equal(machine_status_name(program_run(m, 10000000)), "disabled-wait");
    for (unsigned i = 0; i < machine_cpus(m); i++)
        if (machine_cpu_status(m, i) == CPU_DISABLED_WAIT)
            assert_int_equal(cpu_state(m, i).psw.ia, 0xACE);
}

/* ---- Turns ---- */

/* Every CPU adds 1 to COUNT, many times. `lock` and `unlock` surround this. */
#define COUNTING(lock, unlock) COUNTING_TIMES("500", lock, unlock)
#define COUNTING_TIMES(times, lock, unlock)                                                                            \
    PAGE_0 "ZERO     DS    0H\n" BRING_UP "OTHER    LA    5," times "\n"                                               \
           "LOOP     DS    0H\n" lock "         L     3,COUNT\n"                                                       \
           "         LA    3,1(,3)\n"                                                                                  \
           "         ST    3,COUNT\n" unlock "         BCT   5,LOOP\n"                                                 \
           "         L     6,DONE\n"                                                                                   \
           "FINISH   LA    7,1(,6)\n"                                                                                  \
           "         CS    6,7,DONE\n"                                                                                 \
           "         BNZ   FINISH\n"                                                                                   \
           "         B     END\n"                                                                                      \
           "         DS    0F\n"                                                                                       \
           "LOCK     DC    F'0'\n"                                                                                     \
           "         ORG   X'2C00'\n"                                                                                  \
           "COUNT    DC    F'0'\n"                                                                                     \
           "DONE     DC    F'0'\n" NO_HANDLERS END
#define SPIN                                                                                                           \
    "SPIN     SR    0,0\n"                                                                                             \
    "         LA    1,1\n"                                                                                             \
    "         CS    0,1,LOCK\n"                                                                                        \
    "         BNZ   SPIN\n"
#define RELEASE                                                                                                        \
    "         SR    0,0\n"                                                                                             \
    "         ST    0,LOCK\n"

static void test_a_lock_made_with_compare_and_swap_keeps_cpus_apart(void **state) {
    (void)state;
    for (unsigned cpus = 1; cpus <= 8; cpus++) {
        struct machine *m = load(cpus, COUNTING(SPIN, RELEASE));
        run_to_end(m);
        assert_int_equal(program_word(m, 0x2C00), 500 * cpus);
        assert_int_equal(program_word(m, 0x2C04), cpus);
        program_free(m);
    }
}

/* Else the test above would show nothing. */
static void test_without_a_lock_updates_are_lost(void **state) {
    struct machine *m = load(4, COUNTING("", ""));
    (void)state;
    run_to_end(m);
    assert_true(program_word(m, 0x2C00) < 4 * 500);
    assert_int_equal(program_word(m, 0x2C04), 4);
    program_free(m);
}

/* CPU 0 makes 300 numbers, CPU 1 doubles them, CPU 2 adds them up; each waits for the other's flag. */
static void test_a_pipeline_of_three_cpus_delivers_everything_in_order(void **state) {
    struct machine *m = load(3, PAGE_0 "ZERO     DS    0H\n" BRING_UP "         LA    5,300\n"
                                       "MAKE     CLI   FULL1,0\n"
                                       "         BNE   MAKE\n"
                                       "         ST    5,SLOT1\n"
                                       "         MVI   FULL1,1\n"
                                       "         BCT   5,MAKE\n"
                                       "         B     END\n"
                                       "OTHER    LA    5,300\n"
                                       "         BCT   9,ADD\n"
                                       "DOUBLE   CLI   FULL1,0\n"
                                       "         BE    DOUBLE\n"
                                       "         L     3,SLOT1\n"
                                       "         MVI   FULL1,0\n"
                                       "         AR    3,3\n"
                                       "DOUBLE1  CLI   FULL2,0\n"
                                       "         BNE   DOUBLE1\n"
                                       "         ST    3,SLOT2\n"
                                       "         MVI   FULL2,1\n"
                                       "         BCT   5,DOUBLE\n"
                                       "         B     END\n"
                                       "ADD      SR    6,6\n"
                                       "         LA    8,600\n"
                                       "ADD1     CLI   FULL2,0\n"
                                       "         BE    ADD1\n"
                                       "         L     3,SLOT2\n"
                                       "         MVI   FULL2,0\n"
                                       "         CR    3,8\n" /* 600, 598, ... 2 */
                                       "         BNE   WRONG\n"
                                       "         S     8,=F'2'\n"
                                       "         AR    6,3\n"
                                       "         BCT   5,ADD1\n"
                                       "         ST    6,SUM\n"
                                       "         B     END\n"
                                       "WRONG    LPSW  =X'000A000000000BAD'\n"
                                       "SLOT1    DS    F\n"
                                       "SLOT2    DS    F\n"
                                       "FULL1    DC    X'0'\n"
                                       "FULL2    DC    X'0'\n"
                                       "         ORG   X'2C00'\n"
                                       "SUM      DC    F'0'\n" NO_HANDLERS END);
    (void)state;
    run_to_end(m);
    assert_int_equal(program_word(m, 0x2C00), 300 * 301);
    program_free(m);
}

/* Two CPUs take the time under a lock, each comparing with what was there. */
static void test_the_clock_never_goes_back_from_one_cpu_to_another(void **state) {
    struct machine *m = load(4, COUNTING(SPIN "         STCK  NOW\n"
                                              "         CLC   NOW(8),LAST\n"
                                              "         BNL   LATER\n"
                                              "         LPSW  =X'000A000000000BAD'\n"
                                              "NOW      DS    D\n"
                                              "LAST     DC    D'0'\n"
                                              "LATER    MVC   LAST(8),NOW\n",
                                         RELEASE));
    (void)state;
    run_to_end(m);
    program_free(m);
}

/* ---- Signals ---- */

/* CPU 0 sends `order` to CPU 1, which sends it back, 50 times: all in handlers, between enabled waits. */
#define PING_PONG(order, mask)                                                                                         \
    PAGE_0 "ZERO     DS    0H\n" BRING_UP "         LCTL  0,0,=X'0000" mask "'\n"                                      \
           "         LA    8,1\n"                                                                                      \
           "         LA    5,50\n"                                                                                     \
           "         SIGP  0,8," order "\n"                                                                            \
           "         LPSW  =X'010A000000000AAA'\n"                                                                     \
           "OTHER    LCTL  0,0,=X'0000" mask "'\n"                                                                     \
           "         LA    8,0\n"                                                                                      \
           "         LA    5,50\n"                                                                                     \
           "         LPSW  =X'010A000000000AAA'\n"                                                                     \
           "EXTERNAL LH    6,132\n"                                                                                    \
           "         SLL   6,16\n"                                                                                     \
           "         AH    6,134\n"                                                                                    \
           "         LTR   9,9\n"                                                                                      \
           "         BZ    ECHO\n"                                                                                     \
           "         SIGP  0,8," order "\n"                                                                            \
           "         BCT   5,WAIT\n"                                                                                   \
           "         B     END\n"                                                                                      \
           "ECHO     BCT   5,AGAIN\n"                                                                                  \
           "         B     END\n"                                                                                      \
           "AGAIN    SIGP  0,8," order "\n"                                                                            \
           "WAIT     LPSW  =X'010A000000000AAA'\n" NO_SVC NO_PROGRAM NO_IO END

static void test_emergency_signals_go_to_and_fro(void **state) {
    struct machine *m = load(2, PING_PONG("3", "4000"));
    struct machine_stats stats;
    (void)state;
    run_to_end(m);
    assert_int_equal(cpu_state(m, 0).gpr[6], 0x00011201);
    assert_int_equal(cpu_state(m, 1).gpr[6], 0x00001201);
    for (unsigned i = 0; i < 2; i++) {
        machine_cpu_stats(m, i, &stats);
        assert_int_equal(stats.interruptions[INTERRUPTION_EXTERNAL], 50);
    }
    assert_int_equal(program_stats(m).interruptions[INTERRUPTION_EXTERNAL], 100);
    program_free(m);
}

static void test_external_calls_go_to_and_fro(void **state) {
    struct machine *m = load(2, PING_PONG("2", "2000"));
    (void)state;
    run_to_end(m);
    assert_int_equal(cpu_state(m, 0).gpr[6], 0x00011202);
    assert_int_equal(cpu_state(m, 1).gpr[6], 0x00001202);
    program_free(m);
}

/* What a signal ends is the wait of a CPU whose time has passed, too: its CPU timer has run. */
static void test_a_signal_finds_the_waiting_cpu_at_the_senders_time(void **state) {
    struct machine *m = load(2, PAGE_0 "ZERO     DS    0H\n" BRING_UP "         LA    2,1\n"
                                       "         L     3,=F'100000'\n"
                                       "         BCT   3,*\n"
                                       "         SIGP  0,2,3\n"
                                       "         B     END\n"
                                       "OTHER    LCTL  0,0,=X'00004000'\n"
                                       "         SPT   =X'0FFFFFFFFFFFFFFF'\n"
                                       "         LPSW  =X'010A000000000AAA'\n"
                                       "EXTERNAL STPT  X'F08'\n"
                                       "         B     END\n" NO_SVC NO_PROGRAM NO_IO END);
    (void)state;
    run_to_end(m);
    uint64_t passed = 0x0FFFFFFFFFFFFFFF - ((uint64_t)program_word(m, 0x9F08) << 32 | program_word(m, 0x9F0C));
    assert_true(passed > 599000 * 471 && passed < 602000 * 472);
    assert_true(machine_cpu_booked(m, 1, 0, CAUSE_IDLE) > 590000);
    program_free(m);
}

/* Emergency signals are kept by sender, external calls are not: three CPUs send both to CPU 0, which enables them then.
 */
static void test_emergency_signals_are_kept_for_each_sender(void **state) {
    struct machine *m = load(4, PAGE_0 "ZERO     DS    0H\n" BRING_UP "WAIT     CLC   COUNT(4),=F'3'\n"
                                       "         BNE   WAIT\n"
                                       "         LCTL  0,0,=X'00006000'\n"
                                       "         LA    5,LOG\n"
                                       "         SSM   =X'01'\n"
                                       "         SSM   =X'00'\n"
                                       "         B     END\n"
                                       "OTHER    LA    8,0\n"
                                       "         SIGP  0,8,3\n"
                                       "         LR    3,9\n"
                                       "         SIGP  3,8,2\n" /* accepted once */
                                       "         L     6,COUNT\n"
                                       "ADD      LA    7,1(,6)\n"
                                       "         CS    6,7,COUNT\n"
                                       "         BNZ   ADD\n"
                                       "         B     END\n"
                                       "EXTERNAL MVC   0(4,5),132\n"
                                       "         LA    5,4(,5)\n"
                                       "         LPSW  24\n"
                                       "COUNT    DC    F'0'\n"
                                       "         ORG   X'2C00'\n"
                                       "LOG      DC    8F'0'\n" NO_SVC NO_PROGRAM NO_IO END);
    (void)state;
    run_to_end(m);
    assert_int_equal(program_word(m, 0x2C00), 0x00011201);
    assert_int_equal(program_word(m, 0x2C04), 0x00021201);
    assert_int_equal(program_word(m, 0x2C08), 0x00031201);
    assert_int_equal(program_word(m, 0x2C0C) & 0xFFFF, 0x1202);
    assert_int_equal(program_word(m, 0x2C10), 0);
    unsigned caller = program_word(m, 0x2C0C) >> 16, refused = 0;
    for (unsigned i = 1; i < 4; i++)
        refused += i != caller && cpu_state(m, i).gpr[3] == 0x80;
    assert_int_equal(refused, 2);
    program_free(m);
}

/* CPU 1 cannot take its program interruption: its new PSW is invalid. CPU 0 is alerted, looks, and resets it. */
static void test_check_stop_alerts_the_others(void **state) {
    struct machine *m = load(3, PAGE_0 "ZERO     DS    0H\n" BRING_UP "         LCTL  0,0,=X'00008000'\n"
                                       "         MVI   GO,1\n"
                                       "         LPSW  =X'010A000000000AAA'\n"
                                       "OTHER    BCT   9,END\n"
                                       "         MVC   104(8),=X'0008FFFFFFFFFFFF'\n"
                                       "OTHER1   CLI   GO,0\n"
                                       "         BE    OTHER1\n"
                                       "         DC    H'0'\n"
                                       "EXTERNAL LH    5,132\n"
                                       "         AH    7,134\n"
                                       "         SIGP  3,5,1\n" /* sense */
                                       "         SIGP  4,5,4\n" /* start */
                                       "         SIGP  6,5,3\n" /* emergency signal */
                                       "RESET    SIGP  8,5,12\n"
                                       "RESET1   SIGP  8,5,1\n"
                                       "         BC    2,RESET1\n"
                                       "         B     END\n"
                                       "GO       DC    X'0'\n" NO_SVC NO_PROGRAM NO_IO END);
    (void)state;
    run_to_end(m);
    struct machine_state s = cpu_state(m, 0);
    assert_int_equal(s.gpr[5], 1);
    assert_int_equal(s.gpr[7], 0x1200);
    assert_int_equal(s.gpr[3], 0x10);
    assert_int_equal(s.gpr[4], 0x10);
    assert_int_equal(s.gpr[6], 0x10);
    assert_int_equal(s.gpr[8], 0x40);
    assert_int_equal(machine_cpu_status(m, 1), CPU_STOPPED);
    program_free(m);
}

/* ---- Start, stop, restart, store status, resets ---- */

/* CPU 0 sends the orders of a list to CPU 1, retrying while it is busy, and senses after each what became of it. What
 * CPU 1 counts tells whether it runs: register 7 is the count before, CHANGED whether it moved. */
#define ORDERS(list, other)                                                                                            \
    PAGE_0 "ZERO     DS    0H\n" BRING_UP "         LA    2,1\n"                                                       \
           "         LA    5,LIST\n"                                                                                   \
           "         LA    6,LOG\n"                                                                                    \
           "NEXT     SR    3,3\n"                                                                                      \
           "         IC    3,0(,5)\n"                                                                                  \
           "         LA    5,1(,5)\n"                                                                                  \
           "         CL    3,=F'255'\n"                                                                                \
           "         BE    END\n"                                                                                      \
           "SEND     L     1,=X'DEADBEEF'\n"                                                                           \
           "         SIGP  1,2,0(3)\n"                                                                                 \
           "         BC    2,SEND\n"                                                                                   \
           "         BALR  4,0\n"                                                                                      \
           "SENSE    SR    7,7\n"                                                                                      \
           "         SIGP  7,2,1\n"                                                                                    \
           "         BC    2,SENSE\n"                                                                                  \
           "         STM   4,4,0(6)\n"                                                                                 \
           "         ST    1,4(,6)\n"                                                                                  \
           "         ST    7,8(,6)\n"                                                                                  \
           "         L     7,COUNT\n"                                                                                  \
           "         LA    8,300\n"                                                                                    \
           "         BCT   8,*\n"                                                                                      \
           "         S     7,COUNT\n"                                                                                  \
           "         ST    7,12(,6)\n"                                                                                 \
           "         LA    6,16(,6)\n"                                                                                 \
           "         B     NEXT\n"                                                                                     \
           "OTHER    DS    0H\n" other "COUNTING L     3,COUNT\n"                                                      \
           "         LA    3,1(,3)\n"                                                                                  \
           "         ST    3,COUNT\n"                                                                                  \
           "         B     COUNTING\n"                                                                                 \
           "COUNT    DC    F'0'\n"                                                                                     \
           "LIST     DC    " list ",AL1(255)\n"                                                                        \
           "         ORG   X'2C00'\n"                                                                                  \
           "LOG      DC    128F'0'\n" NO_HANDLERS END

struct answer {
    unsigned cc;
    uint32_t status, sensed;
    bool counts;
};

static void expect_answers(struct machine *m, const struct answer *a, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        uint32_t at = 0x2C00 + 16 * i;
        if ((program_word(m, at) >> 28 & 3) != a[i].cc ||
            program_word(m, at + 4) != (a[i].cc == 1 ? a[i].status : 0xDEADBEEF) ||
            program_word(m, at + 8) != a[i].sensed || (program_word(m, at + 12) != 0) != a[i].counts)
            fail_msg("order %u: condition code %u, status %08X, then sensed %08X, counts: %d", i,
                     program_word(m, at) >> 28 & 3, program_word(m, at + 4), program_word(m, at + 8),
                     program_word(m, at + 12) != 0);
    }
}

static void test_orders_change_the_addressed_cpu_and_sense_tells(void **state) {
    struct machine *m = load(2, ORDERS("AL1(1,4,5,1,5,4,6,9,6,2,2,12,2,4,11,6,8,6,7,6,0,13,15,5)", ""));
    static const struct answer expected[] = {
        {0, 0, 0, true},        /* sense */
        {0, 0, 0, true},        /* start what runs */
        {0, 0, 0x40, false},    /* stop */
        {1, 0x40, 0x40, false}, /* sense */
        {0, 0, 0x40, false},    /* stop what is stopped */
        {0, 0, 0, true},        /* start */
        {0, 0, 0, true},        /* restart what runs */
        {0, 0, 0x40, false},    /* stop and store status */
        {0, 0, 0, true},        /* restart */
        {0, 0, 0x80, true},     /* external call */
        {1, 0x80, 0x80, true},  /* another, the first still pending */
        {0, 0, 0x40, false},    /* CPU reset: it is not any more */
        {0, 0, 0xC0, false},    /* external call to what is stopped */
        {0, 0, 0x80, true},     /* start */
        {0, 0, 0x40, false},    /* initial CPU reset */
        {0, 0, 0, true},        /* restart */
        {0, 0, 0x40, false},    /* program reset */
        {0, 0, 0, true},        /* restart */
        {0, 0, 0x40, false},    /* initial program reset */
        {0, 0, 0, true},        /* restart */
        {1, 0x02, 0, true},     /* no such orders */
        {1, 0x02, 0, true},     {1, 0x02, 0, true}, {0, 0, 0x40, false},
    };
    (void)state;
    run_to_end(m);
    expect_answers(m, expected, sizeof expected / sizeof *expected);
    assert_int_equal(machine_cpu_status(m, 1), CPU_STOPPED);
    program_free(m);
}

static void test_a_cpu_that_is_not_there_is_not_operational(void **state) {
    struct machine *m = load(2, PAGE_0 "ZERO     LA    3,2\n"
                                       "         LA    1,5\n"
                                       "         SIGP  1,3,1\n"
                                       "         BALR  4,0\n"
                                       "         L     3,=X'FFFF0001'\n"
                                       "         SIGP  2,3,1\n" /* bits 0-15 are ignored */
                                       "         BALR  5,0\n"
                                       "         SIGP  6,3,0(3)\n" /* and bits 0-23 of the order's address: sense */
                                       "OTHER    B     END\n" NO_HANDLERS END);
    (void)state;
    run_to_end(m);
    struct machine_state s = cpu_state(m, 0);
    assert_int_equal(s.gpr[4] >> 28 & 3, 3);
    assert_int_equal(s.gpr[1], 5);
    assert_int_equal(s.gpr[5] >> 28 & 3, 1);
    assert_int_equal(s.gpr[2], 0x40);
    assert_int_equal(s.gpr[6], 0x40);
    program_free(m);
}

/* CPU 1 runs, at times ahead of CPU 0: then it performs an order only later, is busy, and accepts nothing but a reset.
 */
static void test_a_cpu_is_busy_until_it_has_performed_an_order(void **state) {
    struct machine *m = load(2, PAGE_0 "ZERO     DS    0H\n" BRING_UP "         LA    2,1\n"
                                       "         LA    5,100\n"
                                       "         SR    6,6\n"
                                       "         SR    7,7\n"
                                       "NEXT     LA    3,0(5,5)\n" /* another moment each time */
                                       "         BCT   3,*\n"
                                       "STOP     SIGP  0,2,5\n"
                                       "         SIGP  1,2,1\n"
                                       "         BC    2,BUSY\n"
                                       "         C     1,=X'00000040'\n"
                                       "         BNE   BAD\n"
                                       "         LA    7,1(,7)\n"
                                       "         B     RESET\n"
                                       "BUSY     LA    6,1(,6)\n"
                                       "         SIGP  1,2,3\n"
                                       "         BC    13,BAD\n" /* only 2 is right */
                                       "RESET    SIGP  0,2,12\n"
                                       "         BC    7,BAD\n"
                                       "RESTART  SIGP  0,2,4\n"
                                       "         BC    2,RESTART\n"
                                       "         BCT   5,NEXT\n"
                                       "         SIGP  0,2,12\n"
                                       "         B     END\n"
                                       "BAD      LPSW  =X'000A000000000BAD'\n"
                                       "OTHER    B     OTHER\n" NO_HANDLERS END);
    (void)state;
    run_to_end(m);
    struct machine_state s = cpu_state(m, 0);
    assert_true(s.gpr[6] > 10);
    assert_true(s.gpr[7] > 10);
    assert_int_equal(s.gpr[6] + s.gpr[7], 100);
    program_free(m);
}

static void test_store_status_leaves_the_cpu_in_absolute_storage(void **state) {
    struct machine *m = load(2, ORDERS("AL1(9)", "         L     4,=X'2F000000'\n"
                                                 "         SPM   4\n"
                                                 "         LCTL  3,3,=X'00C0FFEE'\n"
                                                 "         SCKC  =X'123456789ABCDE00'\n"
                                                 "         SPT   =X'0FFFFFFFFFFFFFFF'\n"
                                                 "         L     14,=X'CAFE0000'\n"));
    (void)state;
    run_to_end(m);
    struct machine_state s = cpu_state(m, 1);
    uint8_t psw[8];
    psw_store(&s.psw, psw, 0, 0);
    assert_int_equal(program_word(m, 256), bytes_get32(psw));
    assert_int_equal(program_word(m, 256), 0x00082F00);
    assert_int_equal(program_word(m, 260), bytes_get32(psw + 4));
    assert_int_equal(program_word(m, 264), 0x9000);
    assert_int_equal(program_word(m, 216) >> 16, 0x0FFF);
    assert_int_equal(program_word(m, 216), s.cpu_timer >> 32);
    assert_int_equal(program_word(m, 220), s.cpu_timer & 0xFFFFFFFF); /* it stands still */
    assert_int_equal(program_word(m, 224), 0x12345678);
    assert_int_equal(program_word(m, 228), 0x9ABCDE00);
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(program_word(m, 384 + 4 * i), s.gpr[i]);
        assert_int_equal(program_word(m, 448 + 4 * i), s.cr[i]);
    }
    assert_int_equal(program_word(m, 384 + 4 * 14), 0xCAFE0000);
    assert_int_equal(program_word(m, 448 + 4 * 3), 0x00C0FFEE);
    program_free(m);
}

static void test_resets_leave_what_they_do_not_reset(void **state) {
    static const struct {
        const char *order;
        bool initial;
    } cases[] = {{"AL1(12)", false}, {"AL1(8)", false}, {"AL1(11)", true}, {"AL1(7)", true}};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        char source[8192];
        snprintf(source, sizeof source,
                 ORDERS("%s", "         LCTL  1,1,=X'0000F000'\n"
                              "         SCKC  =X'123456789ABCDE00'\n"
                              "         SPT   =X'0FFFFFFFFFFFFFFF'\n"
                              "         L     14,=X'CAFE0000'\n"),
                 cases[i].order);
        struct machine *m = load(2, source);
        run_to_end(m);
        struct machine_state s = cpu_state(m, 1);
        assert_int_equal(s.gpr[14], 0xCAFE0000);
        assert_int_equal(s.cr[1], cases[i].initial ? 0 : 0xF000);
        assert_int_equal(s.cr[0], cases[i].initial ? 0xE0 : 0);
        assert_int_equal(s.cr[14], 0xC2000000);
        assert_int_equal(s.prefix, cases[i].initial ? 0 : 0x9000);
        assert_true((s.psw.ia == 0) == cases[i].initial);
        assert_int_equal(s.clock_comparator, cases[i].initial ? 0 : 0x123456789ABCDE00);
        assert_int_equal(s.cpu_timer >> 48, cases[i].initial ? 0 : 0x0FFF);
        program_free(m);
    }
}

/* What a stopped CPU's clocks do: the TOD goes on, CPU timer and interval timer do not. */
static void test_timers_stand_still_in_a_stopped_cpu(void **state) {
    struct machine *m = load(2, PAGE_0 "ZERO     DS    0H\n" BRING_UP "WAIT     CLI   READY,1\n"
                                       "         BNE   WAIT\n"
                                       "         LA    2,1\n"
                                       "         SIGP  0,2,5\n"
                                       "         L     3,=F'300000'\n"
                                       "         BCT   3,*\n"
                                       "         MVI   GO,1\n"
                                       "         SIGP  0,2,4\n"
                                       "         B     END\n"
                                       "OTHER    SPT   =X'0FFFFFFFFFFFFFFF'\n"
                                       "         MVC   80(4),=F'100000'\n"
                                       "         STCK  BEFORE\n"
                                       "         LA    3,1000\n"
                                       "         BCT   3,*\n"
                                       "         MVI   READY,1\n"
                                       "OTHER1   CLI   GO,1\n"
                                       "         BNE   OTHER1\n"
                                       "         STPT  TIMER\n"
                                       "         STCK  AFTER\n"
                                       "         L     3,80\n"
                                       "         B     END\n"
                                       "READY    DC    X'0'\n"
                                       "GO       DC    X'0'\n"
                                       "         ORG   X'2C00'\n"
                                       "BEFORE   DS    D\n"
                                       "AFTER    DS    D\n"
                                       "TIMER    DS    D\n" NO_HANDLERS END);
    (void)state;
    run_to_end(m);
    uint64_t passed = ((uint64_t)program_word(m, 0x2C08) << 32 | program_word(m, 0x2C0C)) -
                      ((uint64_t)program_word(m, 0x2C00) << 32 | program_word(m, 0x2C04));
    uint64_t timed = 0x0FFFFFFFFFFFFFFF - ((uint64_t)program_word(m, 0x2C10) << 32 | program_word(m, 0x2C14));
    assert_true(passed > 1000000 * 471);
    assert_true(timed > 6000 * 471 && timed < 20000 * 471);
    assert_int_equal(cpu_state(m, 1).gpr[3], 100000);
    program_free(m);
}

/* ---- What one CPU must notice of another ---- */

static void test_each_cpu_has_its_own_page_0(void **state) {
    struct machine *m = load(4, PAGE_0 "ZERO     MVI   UP,0\n" BRING_UP "OTHER    LR    4,9\n"
                                       "         STAP  X'F00'\n"
                                       "         EX    4,CALL\n"
                                       "         B     END\n"
                                       "CALL     SVC   0\n"
                                       "SUPER    STPX  X'F04'\n"
                                       "         LPSW  32\n" NO_EXTERNAL NO_PROGRAM NO_IO END);
    (void)state;
    run_to_end(m);
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t page = i ? 0x8000 + 0x1000 * i : 0;
        assert_int_equal(cpu_state(m, i).prefix, page);
        assert_int_equal(program_word(m, page + 0xF00) >> 16, i);
        assert_int_equal(program_word(m, page + 0xF04), page);
        assert_int_equal(program_word(m, page + 136) & 0xFF, i);
    }
    program_free(m);
}

static void test_cpu_identification_has_the_address(void **state) {
    struct machine *m = load(2, PAGE_0 "ZERO     DS    0H\n" BRING_UP "OTHER    STIDP X'F08'\n"
                                       "         B     END\n" NO_HANDLERS END);
    (void)state;
    run_to_end(m);
    assert_int_equal(program_word(m, 0xF08), 0xFD002623);
    assert_int_equal(program_word(m, 0x9F08), 0xFD102623);
    program_free(m);
}

/* CPU 1 looks at virtual 1F000 again and again, under tables whose page-table entry CPU 0 changes: without IPTE, which
 * CPU 1 does not notice, having the entry in its TLB, and then with it. (While the entry is invalid, CPU 1 faults and
 * tries again.) */
static void test_invalidate_page_table_entry_reaches_the_other_cpu(void **state) {
    struct machine *m =
        load(2, "         ORG   X'10F00'\n"
                "         DC    X'AAAAAAAA'\n"
                "         ORG   X'11F00'\n"
                "         DC    X'BBBBBBBB'\n" PAGE_0 "ZERO     DS    0H\n" BRING_UP "         BAL   4,PASS2\n"
                "         L     5,SEEN\n"
                "         MVC   ENTRY(2),=X'0110'\n"
                "         BAL   4,PASS2\n"
                "         L     6,SEEN\n"
                "         MVC   ENTRY(2),=X'0100'\n"
                "         LCTL  0,0,=X'00800000'\n"
                "         LA    2,TABLE\n"
                "         L     3,=X'0001F000'\n"
                "         IPTE  2,3\n"
                "         LH    8,ENTRY\n"
                "         MVC   ENTRY(2),=X'0110'\n"
                "         BAL   4,PASS2\n"
                "         L     7,SEEN\n"
                "         MVI   STOP,1\n"
                "         B     END\n"
                "PASS2    L     0,PASSES\n"
                "         A     0,=F'2'\n"
                "PASS3    C     0,PASSES\n"
                "         BH    PASS3\n"
                "         BR    4\n"
                "OTHER    LCTL  0,1,CONTROL\n"
                "         LPSW  DAT\n"
                "LOOK     L     3,X'F00'(,13)\n"
                "         ST    3,SEEN\n"
                "         L     3,PASSES\n"
                "         LA    3,1(,3)\n"
                "         ST    3,PASSES\n"
                "         CLI   STOP,0\n"
                "         BE    LOOK\n"
                "         B     END\n"
                "PROGRAM  LPSW  40\n"
                "SEEN     DS    F\n"
                "PASSES   DC    F'0'\n"
                "STOP     DC    X'0'\n"
                "         DS    0D\n"
                "DAT      DC    X'04080000',A(LOOK0)\n"
                "CONTROL  DC    X'00800000',A(SEGMENTS)\n"
                "LOOK0    L     13,=X'0001F000'\n"
                "         B     LOOK\n"
                "         ORG   X'2C00'\n"
                "SEGMENTS DC    X'F0',AL3(LOW)\n" /* 64K segments, 4K pages */
                "         DC    X'F0',AL3(TABLE)\n"
                "         ORG   X'2C40'\n"
                "LOW      DC    X'00000010002000300040005000600070'\n"
                "         DC    X'008000900000000000000000000000F0'\n"
                "         ORG   X'2C80'\n"
                "TABLE    DC    15X'0008'\n"
                "ENTRY    DC    X'0100'\n" NO_EXTERNAL NO_SVC NO_IO END);
    (void)state;
    run_to_end(m);
    struct machine_state s = cpu_state(m, 0);
    assert_int_equal(s.gpr[5], 0xAAAAAAAA);
    assert_int_equal(s.gpr[6], 0xAAAAAAAA);
    assert_int_equal(s.gpr[8], 0x0108);
    assert_int_equal(s.gpr[7], 0xBBBBBBBB);
    program_free(m);
}

/* CPU 1 stores with key 1 into block 10000 until that is forbidden; CPU 0 resets its reference bit meanwhile. */
static void test_storage_keys_set_by_one_cpu_count_for_the_other(void **state) {
    struct machine *m = load(2, PAGE_0 "ZERO     L     10,=X'00010000'\n"
                                       "         LA    11,X'10'\n"
                                       "         SSK   11,10\n" BRING_UP "         BAL   4,PASS2\n"
                                       "         RRB   0(10)\n"
                                       "         BAL   4,PASS2\n"
                                       "         ISK   5,10\n"
                                       "         LA    11,X'20'\n"
                                       "         SSK   11,10\n"
                                       "         B     END\n"
                                       "PASS2    L     0,0(,10)\n"
                                       "         A     0,=F'2'\n"
                                       "PASS3    C     0,0(,10)\n"
                                       "         BH    PASS3\n"
                                       "         BR    4\n"
                                       "OTHER    L     10,=X'00010000'\n"
                                       "         SPKA  X'10'\n"
                                       "OTHER1   LA    3,1(,3)\n"
                                       "         ST    3,0(,10)\n"
                                       "         B     OTHER1\n"
                                       "PROGRAM  LH    5,142\n"
                                       "         B     END\n" NO_EXTERNAL NO_SVC NO_IO END);
    (void)state;
    run_to_end(m);
    assert_int_equal(cpu_state(m, 0).gpr[5] & 0xFF, 0x16);
    assert_int_equal(cpu_state(m, 1).gpr[5], 4);
    program_free(m);
}

/* CPU 0 makes a branch of the no-operation that CPU 1 executes in a loop. */
static void test_instructions_stored_by_one_cpu_are_executed_by_the_other(void **state) {
    struct machine *m = load(2, PAGE_0 "ZERO     DS    0H\n" BRING_UP "WAIT     CLI   COUNT,0\n"
                                       "         BE    WAIT\n"
                                       "         OI    LOOP+1,X'F0'\n"
                                       "         B     END\n"
                                       "COUNT    DC    X'0'\n"
                                       "         DS    0H\n"
                                       "OTHER    SR    3,3\n"
                                       "LOOP     BC    0,END\n"
                                       "         BCTR  3,0\n"
                                       "         MVI   COUNT,1\n"
                                       "         B     LOOP\n" NO_HANDLERS END);
    (void)state;
    run_to_end(m);
    assert_true(cpu_state(m, 1).gpr[3] != 0);
    program_free(m);
}

/* The same, in a block into which CPU 0 has stored before it was executed, and which CPU 1 executes first. */
static void test_instructions_stored_before_and_after_they_were_executed_elsewhere(void **state) {
    struct machine *m = load(2, PAGE_0 "ZERO     L     10,=X'00010000'\n"
                                       "         MVC   0(10,10),LOOP\n" BRING_UP "WAIT     CLI   100(10),0\n"
                                       "         BE    WAIT\n"
                                       "         ST    10,200(,10)\n"
                                       "         MVI   0(10),X'07'\n" /* BR 11 */
                                       "         MVI   1(10),X'FB'\n"
                                       "         B     END\n"
                                       "OTHER    L     10,=X'00010000'\n"
                                       "         LA    11,END\n"
                                       "         BR    10\n"
                                       "LOOP     LR    0,0\n"
                                       "         MVI   100(10),1\n"
                                       "         B     0(,10)\n" NO_HANDLERS END);
    (void)state;
    run_to_end(m);
    program_free(m);
}

/* ---- Input and output ---- */

/* CPU `starter` writes a line on the console; all wait, those in `mask` (bit n: CPU n) with channel 0 enabled. Who
 * takes the interruption stops all the others. Returns who that was. */
static unsigned who_takes_the_interruption(unsigned starter, unsigned mask, bool starter_waits) {
    char source[8192];
    snprintf(source, sizeof source,
             PAGE_0 "ZERO     DS    0H\n" BRING_UP "OTHER    LCTL  2,2,=X'80000000'\n"
                    "         LA    3,1\n"
                    "         SLL   3,0(9)\n"
                    "         N     3,=F'%u'\n"
                    "         BNZ   SET\n"
                    "         LCTL  2,2,=F'0'\n"
                    "SET      C     9,=F'%u'\n"
                    "         BNE   WAIT\n"
                    "         MVC   72(4),=A(CCW)\n"
                    "         L     4,=F'20000'\n" /* until all the others wait */
                    "         BCT   4,*\n"
                    "         SIO   9\n"
                    "         SSM   =X'02'\n"
                    "LOOP     %s    LOOP\n"
                    "WAIT     LPSW  =X'020A000000000AAA'\n"
                    "IO       ST    9,WHO\n"
                    "         L     5,184\n"
                    "         SR    3,3\n"
                    "STOP     CR    3,9\n"
                    "         BE    STOP1\n"
                    "         SIGP  0,3,5\n"
                    "STOP1    LA    3,1(,3)\n"
                    "         C     3,=F'4'\n"
                    "         BNE   STOP\n"
                    "         B     END\n"
                    "         DS    0D\n"
                    "CCW      CCW   9,LINE,0,2\n"
                    "LINE     DC    X'C8C9'\n"
                    "         ORG   X'2C00'\n"
                    "WHO      DS    F\n" NO_EXTERNAL NO_SVC NO_PROGRAM END,
             mask, starter, starter_waits ? "NOP " : "B   ");
    struct machine *m = load(4, source);
    run_to_end(m);
    unsigned who = program_word(m, 0x2C00);
    assert_int_equal(cpu_state(m, who).gpr[5], 9);
    program_free(m);
    return who;
}

static void test_io_interruptions_go_to_the_first_cpu_that_enables_them(void **state) {
    (void)state;
    assert_int_equal(who_takes_the_interruption(0, 0xF, true), 0);
    assert_int_equal(who_takes_the_interruption(3, 0xF, true), 0);
    assert_int_equal(who_takes_the_interruption(0, 0xC, true), 2);
    assert_int_equal(who_takes_the_interruption(1, 0x8, true), 3);
    assert_int_equal(who_takes_the_interruption(2, 0x4, true), 2);
    assert_int_equal(who_takes_the_interruption(3, 0xF, false), 0);
    assert_int_equal(who_takes_the_interruption(3, 0xA, false), 1);
    assert_int_equal(who_takes_the_interruption(1, 0xA, false), 1);
}

/* ---- Waits and time ---- */

/* CPU 1 waits for its clock comparator while CPU 0 is busy with something else, and takes it at the very cycle. */
static void test_a_waiting_cpu_is_interrupted_in_time_while_another_runs(void **state) {
    struct machine *m = load(2, PAGE_0 "ZERO     DS    0H\n" BRING_UP "         L     3,=F'500000'\n"
                                       "         BCT   3,*\n"
                                       "         STCK  X'F00'\n"
                                       "         B     END\n"
                                       "OTHER    LCTL  0,0,=X'00000800'\n"
                                       "         SCKC  =X'0000000010000000'\n"
                                       "         LPSW  =X'010A000000000AAA'\n"
                                       "EXTERNAL STCK  X'F08'\n"
                                       "         LH    3,134\n"
                                       "         B     END\n" NO_SVC NO_PROGRAM NO_IO END);
    (void)state;
    run_to_end(m);
    assert_int_equal(cpu_state(m, 1).gpr[3], 0x1004);
    assert_int_equal(program_word(m, 0x9F08), 0);
    assert_true(program_word(m, 0x9F0C) > 0x10000000 && program_word(m, 0x9F0C) < 0x10000000 + 200 * 471);
    assert_true(program_word(m, 0xF04) > 0x20000000);
    program_free(m);
}

static void test_when_all_wait_time_goes_on_to_the_next_event(void **state) {
    struct machine *m = load(4, PAGE_0 "ZERO     DS    0H\n" BRING_UP "OTHER    LCTL  0,0,=X'00000800'\n"
                                       "         L     3,=X'40000000'\n" /* CPU 3 is the first, CPU 0 never */
                                       "         LTR   5,9\n"
                                       "         BZ    SET\n"
                                       "LATER    SRL   3,1\n"
                                       "         BCT   5,LATER\n"
                                       "SET      STCM  3,15,X'F00'\n"
                                       "         XC    X'F04'(4),X'F04'\n"
                                       "         SCKC  X'F00'\n"
                                       "         LPSW  =X'010A000000000AAA'\n"
                                       "EXTERNAL STCK  X'F08'\n"
                                       "         B     END\n" NO_SVC NO_PROGRAM NO_IO END);
    (void)state;
    run_to_end(m);
    assert_int_equal(program_word(m, 0xBF08), 0x08000000);
    assert_int_equal(program_word(m, 0xAF08), 0x10000000);
    assert_int_equal(program_word(m, 0x9F08), 0x20000000);
    assert_int_equal(program_word(m, 0x0F08), 0x40000000);
    assert_true(program_stats(m).instructions < 1000);
    program_free(m);
}

static void test_the_books_of_each_cpu_add_up(void **state) {
    struct machine *m = load(4, COUNTING(SPIN, RELEASE));
    uint64_t all = 0, instructions = 0;
    struct machine_stats stats;
    (void)state;
    run_to_end(m);
    for (unsigned i = 0; i < 4; i++) {
        uint64_t booked = 0;
        for (int c = 0; c < CAUSE_COUNT; c++)
            booked += machine_cpu_booked(m, i, 0, (enum cycle_cause)c);
        machine_cpu_stats(m, i, &stats);
        assert_int_equal(booked, stats.cycles);
        assert_int_equal(stats.interruptions[INTERRUPTION_RESTART], 1);
        assert_true(stats.instructions > 500 * 8);
        assert_true(program_stats(m).cycles - stats.cycles < 2000);
        all += booked;
        instructions += stats.instructions;
    }
    assert_int_equal(machine_booked_level(m, 0), all);
    assert_int_equal(program_stats(m).instructions, instructions);
    assert_true(machine_cpu_booked(m, 3, 0, CAUSE_IDLE) > machine_cpu_booked(m, 0, 0, CAUSE_IDLE));
    program_free(m);
}

/* ---- How machines end ---- */

static enum machine_status end_of(unsigned cpus, const char *zero, const char *other) {
    char source[8192];
    snprintf(source, sizeof source, PAGE_0 "ZERO     DS    0H\n" BRING_UP "%sOTHER    DS    0H\n%s" NO_HANDLERS END,
             zero, other);
    struct machine *m = load(cpus, source);
    enum machine_status status = program_run(m, 100000);
    program_free(m);
    return status;
}

static void test_a_machine_ends_when_all_its_cpus_have_ended(void **state) {
    const char *end = "         B     END\n",
               *later = "         LA    3,2000\n         BCT   3,*\n         B     END\n";
    const char *loop = "LOOP     B     LOOP\n", *stop = "         SIGP  0,9,5\n";
    const char *wait = "         LPSW  =X'010A000000000AAA'\n";
    const char *check = "         MVC   104(8),=X'0008FFFFFFFFFFFF'\n         DC    H'0'\n";
    (void)state;
    assert_int_equal(end_of(2, end, later), MACHINE_DISABLED_WAIT);
    assert_int_equal(end_of(2, later, end), MACHINE_DISABLED_WAIT);
    assert_int_equal(end_of(2, end, stop), MACHINE_DISABLED_WAIT);
    assert_int_equal(end_of(2, stop, later), MACHINE_DISABLED_WAIT);
    assert_int_equal(end_of(2, end, loop), MACHINE_READY);
    assert_int_equal(end_of(2, end, wait), MACHINE_IDLE);
    assert_int_equal(end_of(3, stop, stop), MACHINE_IDLE);
    assert_int_equal(end_of(1, stop, end), MACHINE_IDLE);
    assert_int_equal(end_of(2, end, check), MACHINE_DISABLED_WAIT); /* CPU 1 ended first */
    assert_int_equal(end_of(2, check, stop), MACHINE_CHECK_STOP);
    assert_int_equal(end_of(1, check, end), MACHINE_CHECK_STOP);
}

static void test_a_machine_that_ended_can_be_restarted(void **state) {
    struct machine *m = load(2, COUNTING(SPIN, RELEASE));
    (void)state;
    run_to_end(m);
    run_to_end(m);
    assert_int_equal(program_word(m, 0x2C00), 2000);
    program_free(m);
}

static void test_names_of_states(void **state) {
    (void)state;
    assert_string_equal(machine_cpu_status_name(CPU_RUNNING), "running");
    assert_string_equal(machine_cpu_status_name(CPU_WAITING), "waiting");
    assert_string_equal(machine_cpu_status_name(CPU_DISABLED_WAIT), "disabled-wait");
    assert_string_equal(machine_cpu_status_name(CPU_STOPPED), "stopped");
    assert_string_equal(machine_cpu_status_name(CPU_CHECK_STOP), "check-stop");
}

static void test_machines_have_one_to_eight_cpus(void **state) {
    struct error e = ERROR_CLEAR;
    struct machine_options options = {.memory_bytes = 0x10000, .cpus = 9};
    (void)state;
    assert_null(machine_new(&options, &e));
    assert_string_equal(e.text, "a machine has 1 to 8 CPUs, not 9");
}

/* ---- Determinism ---- */

/* 6000 bytes: longer than CPUs may be apart. */
#define LONG_MOVE                                                                                                      \
    "         L     14,=X'00018000'\n"                                                                                 \
    "         L     15,=F'6000'\n"                                                                                     \
    "         L     11,=X'40000000'\n"                                                                                 \
    "         MVCL  14,10\n"

static void collect(void *self, const struct trace_event *event) { trace_to_json(self, event); }

/* The whole trace of a run of four CPUs, in pieces of so many instructions, 0: in one. */
static struct bytes trace_of(uint32_t kinds, uint64_t piece, const char *source) {
    struct bytes text = {0};
    struct trace *trace = trace_new();
    trace_subscribe(trace, kinds, collect, &text);
    struct machine *m =
        program_load_on("s370", (struct machine_options){.memory_bytes = 0x20000, .cpus = 4, .trace = trace}, source);
    struct machine_limits limits = {.instructions = piece};
    machine_restart(m);
    while (machine_run(m, &limits) == MACHINE_READY)
        ;
    struct machine_stats stats;
    machine_stats(m, &stats);
    bytes_printf(&text, "%llu instructions, %llu cycles\n", (unsigned long long)stats.instructions,
                 (unsigned long long)stats.cycles);
    for (unsigned i = 0; i < 4; i++) {
        machine_cpu_stats(m, i, &stats);
        bytes_printf(&text, "%llu %llu\n", (unsigned long long)stats.instructions, (unsigned long long)stats.cycles);
    }
    program_free(m);
    trace_free(trace);
    return text;
}

static void expect_same(const struct bytes *a, const struct bytes *b) {
    assert_int_equal(a->length, b->length);
    assert_memory_equal(a->data, b->data, a->length);
}

/* The same run, whether it is looked at or not, and however it is divided. */
static void test_a_run_is_the_same_however_it_is_divided(void **state) {
    const char *const sources[] = {COUNTING_TIMES("20", SPIN LONG_MOVE, RELEASE), COUNTING_TIMES("200", "", "")};
    uint32_t few = 1u << TRACE_INTERRUPTION | 1u << TRACE_SIGNAL | 1u << TRACE_STOP;
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct bytes whole = trace_of(few, 0, sources[i]), again = trace_of(few, 0, sources[i]);
        expect_same(&whole, &again);
        bytes_fini(&again);
        static const uint64_t pieces[] = {1, 2, 7, 1000};
        for (int k = 0; k < 4; k++) {
            again = trace_of(few, pieces[k], sources[i]);
            expect_same(&whole, &again);
            bytes_fini(&again);
        }
        /* Executed one by one, to be told of each instruction. */
        again = trace_of(few | 1u << TRACE_INSTRUCTION, 0, sources[i]);
        size_t tail = 0;
        for (size_t at = whole.length; tail < 6 && at; at--)
            tail += whole.data[at - 1] == '\n';
        assert_int_equal(tail, 6);
        for (size_t at = 1; at < 60; at++)
            assert_int_equal(whole.data[whole.length - at], again.data[again.length - at]);
        bytes_fini(&again);
        bytes_fini(&whole);
    }
}

static void test_events_name_the_cpu(void **state) {
    struct bytes text = trace_of(1u << TRACE_SIGNAL | 1u << TRACE_INTERRUPTION, 0, COUNTING("", ""));
    (void)state;
    bytes_append(&text, "", 1);
    assert_non_null(strstr((char *)text.data, "\"level\":0,\"kind\":\"signal\",\"order\":\"06\",\"cpu_address\":1,"
                                              "\"condition\":0,\"name\":\"restart\"}\n"));
    assert_non_null(
        strstr((char *)text.data, "\"level\":0,\"kind\":\"interruption\",\"code\":\"0000\",\"old_address\""));
    assert_non_null(strstr((char *)text.data, "\"level\":0,\"cpu\":3,\"kind\":\"interruption\",\"code\":\"0000\","
                                              "\"old_address\":\"000000\",\"new_address\":\"002000\","));
    assert_non_null(strstr((char *)text.data, "\"cpu_address\":4,\"condition\":3,\"name\":\"restart\"}\n"));
    bytes_fini(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_lock_made_with_compare_and_swap_keeps_cpus_apart),
        cmocka_unit_test(test_without_a_lock_updates_are_lost),
        cmocka_unit_test(test_a_pipeline_of_three_cpus_delivers_everything_in_order),
        cmocka_unit_test(test_the_clock_never_goes_back_from_one_cpu_to_another),
        cmocka_unit_test(test_emergency_signals_go_to_and_fro),
        cmocka_unit_test(test_external_calls_go_to_and_fro),
        cmocka_unit_test(test_a_signal_finds_the_waiting_cpu_at_the_senders_time),
        cmocka_unit_test(test_emergency_signals_are_kept_for_each_sender),
        cmocka_unit_test(test_check_stop_alerts_the_others),
        cmocka_unit_test(test_orders_change_the_addressed_cpu_and_sense_tells),
        cmocka_unit_test(test_a_cpu_that_is_not_there_is_not_operational),
        cmocka_unit_test(test_a_cpu_is_busy_until_it_has_performed_an_order),
        cmocka_unit_test(test_store_status_leaves_the_cpu_in_absolute_storage),
        cmocka_unit_test(test_resets_leave_what_they_do_not_reset),
        cmocka_unit_test(test_timers_stand_still_in_a_stopped_cpu),
        cmocka_unit_test(test_each_cpu_has_its_own_page_0),
        cmocka_unit_test(test_cpu_identification_has_the_address),
        cmocka_unit_test(test_invalidate_page_table_entry_reaches_the_other_cpu),
        cmocka_unit_test(test_storage_keys_set_by_one_cpu_count_for_the_other),
        cmocka_unit_test(test_instructions_stored_by_one_cpu_are_executed_by_the_other),
        cmocka_unit_test(test_instructions_stored_before_and_after_they_were_executed_elsewhere),
        cmocka_unit_test(test_io_interruptions_go_to_the_first_cpu_that_enables_them),
        cmocka_unit_test(test_a_waiting_cpu_is_interrupted_in_time_while_another_runs),
        cmocka_unit_test(test_when_all_wait_time_goes_on_to_the_next_event),
        cmocka_unit_test(test_the_books_of_each_cpu_add_up),
        cmocka_unit_test(test_a_machine_ends_when_all_its_cpus_have_ended),
        cmocka_unit_test(test_a_machine_that_ended_can_be_restarted),
        cmocka_unit_test(test_names_of_states),
        cmocka_unit_test(test_machines_have_one_to_eight_cpus),
        cmocka_unit_test(test_a_run_is_the_same_however_it_is_divided),
        cmocka_unit_test(test_events_name_the_cpu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
