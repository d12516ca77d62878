/* Two CPUs, here and on Hercules. Its CPUs are threads of the host, so programs wait for each other, and only what they
 * have stored in the end is compared. */
#include "tests/support/unit.h"

#include <string.h>

#include "base/bytes.h"
#include "isa/assembler.h"
#include "isa/machine.h"
#include "tests/support/hercules.h"
#include "tests/support/program.h"

enum { LOG = 0x2C00, LOG_BYTES = 0x300, STATUS = 256, STATUS_BYTES = 256 };

/* As in test_processors.c, but CPU 1 is restarted at the same address with page 0 at 9000. It is CPU 0 that ends. */
#define PAGE_0                                                                                                         \
    "         ORG   0\n"                                                                                               \
    "         DC    X'0008000000002000'\n"                                                                             \
    "         ORG   X'58'\n"                                                                                           \
    "         DC    X'00080000',A(EXTERNAL)\n"                                                                         \
    "         DC    X'000A000000000500'\n"                                                                             \
    "         DC    X'000A000000000B00'\n"                                                                             \
    "         DC    X'000A000000000C00'\n"                                                                             \
    "         DC    X'000A000000000D00'\n"                                                                             \
    "         ORG   X'2000'\n"                                                                                         \
    "         BALR  12,0\n"                                                                                            \
    "         USING *,12\n"                                                                                            \
    "         STAP  ADDRESS\n"                                                                                         \
    "         LH    9,ADDRESS\n"                                                                                       \
    "         LCTL  0,0,=F'0'\n"                                                                                       \
    "         LTR   9,9\n"                                                                                             \
    "         BZ    ZERO\n"                                                                                            \
    "         L     10,=X'00009000'\n"                                                                                 \
    "         MVC   0(256,10),0\n"                                                                                     \
    "         MVC   256(256,10),256\n"                                                                                 \
    "         SPX   PREFIX\n"                                                                                          \
    "         MVI   UP,1\n"                                                                                            \
    "         B     OTHER\n"                                                                                           \
    "ADDRESS  DS    H\n"                                                                                               \
    "UP       DC    X'0'\n"                                                                                            \
    "PREFIX   DC    A(X'9000')\n"
#define BRING_UP                                                                                                       \
    "         LA    2,1\n"                                                                                             \
    "BRING    SIGP  0,2,6\n"                                                                                           \
    "         BC    2,BRING\n"                                                                                         \
    "BRING1   CLI   UP,0\n"                                                                                            \
    "         BE    BRING1\n"
#define END                                                                                                            \
    "END      SIGP  0,2,5\n"                                                                                           \
    "         BC    2,END\n"                                                                                           \
    "END1     SR    1,1\n"                                                                                             \
    "         SIGP  1,2,1\n"                                                                                           \
    "         BC    11,END1\n"                                                                                         \
    "         LPSW  =X'000A000000000ACE'\n"                                                                            \
    "         LTORG\n"                                                                                                 \
    "         END\n"

/* An order and what it must lead to: the sender polls until sense tells this, or patience is at its end. */
#define ORDERS                                                                                                         \
    PAGE_0 "ZERO     LA    2,1\n"                                                                                      \
           "         LA    5,LIST\n"                                                                                   \
           "         LA    6,LOG\n"                                                                                    \
           "NEXT     SR    3,3\n"                                                                                      \
           "         SR    8,8\n"                                                                                      \
           "         IC    3,0(,5)\n"                                                                                  \
           "         IC    8,1(,5)\n"                                                                                  \
           "         LA    5,2(,5)\n"                                                                                  \
           "         CL    3,=F'255'\n"                                                                                \
           "         BE    LAST\n"                                                                                     \
           "         MVI   LOOPS,0\n"                                                                                  \
           "SEND     L     1,=X'DEADBEEF'\n"                                                                           \
           "         SIGP  1,2,0(3)\n"                                                                                 \
           "         BC    2,SEND\n"                                                                                   \
           "         BALR  4,0\n"                                                                                      \
           "         L     10,=F'100000000'\n"                                                                         \
           "SENSE    SR    7,7\n"                                                                                      \
           "         SIGP  7,2,1\n"                                                                                    \
           "         BC    2,SENSE1\n"                                                                                 \
           "         CR    7,8\n"                                                                                      \
           "         BE    SENSED\n"                                                                                   \
           "SENSE1   BCT   10,SENSE\n"                                                                                 \
           "SENSED   CL    3,=F'6'\n" /* one that was restarted comes to its loop before the next order */             \
           "         BNE   LOGGED\n"                                                                                   \
           "LOOPING  CLI   LOOPS,0\n"                                                                                  \
           "         BE    LOOPING\n"                                                                                  \
           "LOGGED   N     4,=X'30000000'\n"                                                                           \
           "         ST    4,0(,6)\n"                                                                                  \
           "         ST    1,4(,6)\n"                                                                                  \
           "         ST    7,8(,6)\n"                                                                                  \
           "         LA    6,12(,6)\n"                                                                                 \
           "         B     NEXT\n"                                                                                     \
           "LAST     LA    6,2\n" /* CPUs that are not there */                                                        \
           "         SIGP  7,6,1\n"                                                                                    \
           "         BALR  4,0\n"                                                                                      \
           "         LH    6,=H'-1'\n"                                                                                 \
           "         SIGP  7,6,3\n"                                                                                    \
           "         BALR  5,0\n"                                                                                      \
           "         N     4,=X'30000000'\n"                                                                           \
           "         N     5,=X'30000000'\n"                                                                           \
           "         STM   4,5,LOG+X'2F0'\n"                                                                           \
           "         B     END\n"                                                                                      \
           "OTHER    LCTL  3,3,=X'00C0FFE0'\n"                                                                         \
           "         SCKC  =X'123456789ABCDE00'\n"                                                                     \
           "         LA    1,PREFIX\n"                                                                                 \
           "         SR    3,3\n"                                                                                      \
           "         MVI   LOOPS,1\n"                                                                                  \
           "WAIT     B     WAIT\n"                                                                                     \
           "LOOPS    DC    X'0'\n"                                                                                     \
           "EXTERNAL LPSW  24\n"                                                                                       \
           "LIST     DC    AL1(1,64,3,64,1,64,6,0,1,0,5,64,4,0,6,0,2,128,2,128,0,128,15,128,12,64,1,64,6,0,9,64)\n"    \
           "         DC    AL1(4,0,11,64,6,0,8,64,6,0,7,64,6,0,9,64,255,0)\n"                                          \
           "         ORG   X'2C00'\n"                                                                                  \
           "LOG      DC    192F'0'\n" END

/* Signals to and fro, and a lock made with COMPARE AND SWAP around a counter. */
#define SIGNALS                                                                                                        \
    PAGE_0 "ZERO     DS    0H\n" BRING_UP "OTHER    LCTL  0,0,=X'00006000'\n"                                          \
           "         LA    8,1\n"                                                                                      \
           "         SR    8,9\n" /* the other one */                                                                  \
           "         LA    5,20\n"                                                                                     \
           "         LR    7,9\n"                                                                                      \
           "         SLL   7,8\n"                                                                                      \
           "         LA    7,LOG(7)\n" /* own part of the log */                                                       \
           "         LTR   9,9\n"                                                                                      \
           "         BNZ   WAIT\n"                                                                                     \
           "NEXT     SIGP  0,8,3\n"                                                                                    \
           "         BC    2,NEXT\n"                                                                                   \
           "NEXT1    SIGP  0,8,2\n"                                                                                    \
           "         BC    6,NEXT1\n"                                                                                  \
           "WAIT     LPSW  =X'010A000000000AAA'\n"                                                                     \
           "EXTERNAL MVC   0(4,7),132\n"                                                                               \
           "         LA    7,4(,7)\n"                                                                                  \
           "         CLI   135,2\n" /* the call is the second */                                                       \
           "         BNE   WAIT\n"                                                                                     \
           "         LTR   9,9\n"                                                                                      \
           "         BNZ   BACK\n"                                                                                     \
           "         BCT   5,NEXT\n"                                                                                   \
           "         B     COUNT0\n"                                                                                   \
           "BACK     SIGP  0,8,3\n"                                                                                    \
           "         BC    2,BACK\n"                                                                                   \
           "BACK1    SIGP  0,8,2\n"                                                                                    \
           "         BC    6,BACK1\n"                                                                                  \
           "         BCT   5,WAIT\n"                                                                                   \
           "COUNT0   LA    5,1000\n"                                                                                   \
           "SPIN     SR    0,0\n"                                                                                      \
           "         LA    1,1\n"                                                                                      \
           "         CS    0,1,LOCK\n"                                                                                 \
           "         BNZ   SPIN\n"                                                                                     \
           "         L     3,COUNT\n"                                                                                  \
           "         LA    3,1(,3)\n"                                                                                  \
           "         ST    3,COUNT\n"                                                                                  \
           "         SR    0,0\n"                                                                                      \
           "         ST    0,LOCK\n"                                                                                   \
           "         BCT   5,SPIN\n"                                                                                   \
           "         LTR   9,9\n"                                                                                      \
           "         BNZ   *\n"                                                                                        \
           "         LA    2,1\n"                                                                                      \
           "ALL      CLC   COUNT(4),=F'2000'\n"                                                                        \
           "         BNE   ALL\n"                                                                                      \
           "         B     END\n"                                                                                      \
           "LOCK     DC    F'0'\n"                                                                                     \
           "         ORG   X'2C00'\n"                                                                                  \
           "LOG      DC    191F'0'\n"                                                                                  \
           "COUNT    DC    F'0'\n" END

struct result {
    uint8_t log[LOG_BYTES], status[STATUS_BYTES];
};

static void run_here(const char *source, struct result *r) {
    struct machine *m = program_load_on("s370", (struct machine_options){.memory_bytes = 0x200000, .cpus = 2}, source);
    assert_string_equal(machine_status_name(program_run(m, 100000000)), "disabled-wait");
    assert_int_equal(program_state(m).psw.ia, 0xACE);
    machine_peek(m, LOG, r->log, LOG_BYTES);
    machine_peek(m, STATUS, r->status, STATUS_BYTES);
    program_free(m);
}

static void run_on_hercules(struct hercules *h, const char *source, struct result *r) {
    struct assembly a;
    struct error e = ERROR_CLEAR;
    assert_true(assemble(&a, "test.s", source, strlen(source), &(struct assembler_options){0}, &e));
    struct hercules_job job = {.limit_ms = 30000, /* other work of the host may keep its CPUs apart */
                               .load = {{a.origin, (uint32_t)a.image.length, a.image.data}},
                               .save = {{LOG, LOG_BYTES, r->log}, {STATUS, STATUS_BYTES, r->status}}};
    hercules_run(h, &job, 1);
    assert_int_equal(job.end, HERCULES_WAIT);
    assert_int_equal(bytes_get32(job.psw + 4), 0xACE);
    assembly_fini(&a);
}

static void expect_words(const char *what, const uint8_t *here, const uint8_t *there, size_t length) {
    for (size_t i = 0; i < length; i += 4)
        if (bytes_get32(here + i) != bytes_get32(there + i))
            fail_msg("%s + %zX: %08X here, %08X on Hercules", what, i, bytes_get32(here + i), bytes_get32(there + i));
}

static void test_programs_on_two_cpus_end_as_on_hercules(void **state) {
    const char *const sources[] = {ORDERS, SIGNALS};
    struct error e = ERROR_CLEAR;
    (void)state;
    if (!hercules_present()) {
        print_message("hercules is not installed\n");
        skip();
    }
    struct hercules *h = hercules_new(1, 2, 2, &e);
    assert_non_null(h);
    for (int i = 0; i < 2; i++) {
        struct result here, there;
        memset(&here, 0, sizeof here);
        memset(&there, 0, sizeof there);
        run_here(sources[i], &here);
        run_on_hercules(h, sources[i], &there);
        expect_words("log", here.log, there.log, LOG_BYTES);
        expect_words("status", here.status, there.status, STATUS_BYTES);
        assert_true(bytes_get32(here.log) != 0);
    }
    hercules_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_programs_on_two_cpus_end_as_on_hercules)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
