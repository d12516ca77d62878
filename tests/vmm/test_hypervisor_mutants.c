/* hypervisor.s with one mistake each: the check of equivalence finds every one of them by a program that is about it,
 * or by nucleus.s; and it finds nothing in these programs without the mistake. Random programs alone are not enough:
 * 300 of them leave 19 of the 32. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/disk.h"
#include "tests/support/altered.h"
#include "tests/support/orders.h"
#include "tests/support/stale.h"
#include "vmm/equivalence.h"

enum { DISK_BLOCKS = 1216, SMALL = 64 * 1024 };

/* Directed programs. */
// clang-format off
#define BEGINS                                                                                                        \
    "         DC    X'0008000000000200'      RESTART NEW PSW\n"                                                       \
    "         ORG   X'68'\n"                                                                                          \
    "         DC    X'000A000000000ABC'      PROGRAM NEW PSW\n"                                                       \
    "         ORG   X'200'\n"                                                                                         \
    "         BALR  12,0\n"                                                                                           \
    "         USING *,12\n"
#define ENDS                                                                                                          \
    "         LPSW  =X'000A000000000ABD'\n"                                                                           \
    "SCRATCH  DS    D\n"                                                                                              \
    "         LTORG\n"
/* Two spaces: the first maps pages 0 to 9 to themselves, the second page 8 to frame A; page A is invalid in both, and
 * segment 1 is. */
#define TABLES                                                                                                        \
    "         ORG   X'4000'\n"                                                                                        \
    "         DC    X'F0005000',15X'00000001'\n"                                                                      \
    "         ORG   X'4400'\n"                                                                                        \
    "         DC    X'F0005800',15X'00000001'\n"                                                                      \
    "         ORG   X'4800'\n"                                                                                        \
    "         DC    X'F0005004',15X'00000001'\n"                                                                      \
    "         ORG   X'4C00'\n"                                                                                        \
    "         DC    X'00005000',31X'00000001'\n"                                                                      \
    "         ORG   X'5000'\n"                                                                                        \
    "         DC    X'0000001000200030004000500060007000800090',6X'0008'\n"                                           \
    "         ORG   X'5800'\n"                                                                                        \
    "         DC    X'0000001000200030004000500060007000A00090',6X'0008'\n"                                           \
    "         END\n"

/* Every condition code of TEST PROTECTION, LOAD REAL ADDRESS and RESET REFERENCE BIT that there is. */
static const char codes[] = BEGINS
    "         L     2,=A(X'8000')\n"
    "         L     3,=A(X'9000')\n"
    "         L     4,=A(X'A000')\n"
    "         L     5,=A(X'10000')\n"
    "         L     9,=A(X'100000')\n"
    "         LA    6,X'38'                  KEY 3, FETCH PROTECTED\n"
    "         SSK   6,2\n"
    "         LA    6,X'30'                  KEY 3, NOT\n"
    "         SSK   6,3\n"
    "         LCTL  0,1,=X'0080000000004000'\n"
    "         STOSM SCRATCH,X'04'\n"
    "         TPROT 0(2),X'30'               0: ITS OWN KEY\n"
    "         BALR  7,0\n"
    "         TPROT 0(3),X'40'               1: FETCH ALONE\n"
    "         BALR  7,0\n"
    "         TPROT 0(2),X'40'               2: NEITHER\n"
    "         BALR  7,0\n"
    "         TPROT 0(4),0                   3: NO PAGE\n"
    "         BALR  7,0\n"
    "         TPROT 0(5),0                   3: NO SEGMENT\n"
    "         BALR  7,0\n"
    "         LRA   8,0(,2)                  0\n"
    "         BALR  7,0\n"
    "         LRA   8,0(,5)                  1\n"
    "         BALR  7,0\n"
    "         LRA   8,0(,4)                  2\n"
    "         BALR  7,0\n"
    "         LRA   8,0(,9)                  3: BEHIND THE END OF THE SEGMENT TABLE\n"
    "         BALR  7,0\n"
    "         LCTL  1,1,=X'00004C00'\n"
    "         LRA   8,0(,2)                  3: BEHIND THE END OF THE PAGE TABLE\n"
    "         BALR  7,0\n"
    "         LA    6,X'36'                  REFERENCED AND CHANGED\n"
    "         SSK   6,3\n"
    "         RRB   0(3)                     3\n"
    "         BALR  7,0\n"
    "         LCTL  1,1,=X'00004800'         THE SEGMENT IS PROTECTED\n"
    "         TPROT 0(2),X'30'               1\n"
    "         BALR  7,0\n"
    "         STNSM SCRATCH,X'FB'\n"
    "         LCTL  0,0,=X'10800000'         LOW-ADDRESS PROTECTION\n"
    "         TPROT 256,0                    1\n"
    "         BALR  7,0\n"
    "         TPROT 512,0                    0\n"
    "         BALR  7,0\n"
    ENDS TABLES;

/* The page that is real page 0 changes. */
static const char prefixes[] = BEGINS
    "         LA    2,0\n"
    "         LA    3,4095\n"
    "         LA    3,1(,3)\n"
    "         L     4,=A(X'3000')\n"
    "         LR    5,3\n"
    "         MVCL  4,2                      A COPY OF PAGE 0\n"
    "         L     4,=A(X'3000')\n"
    "         MVI   X'F00',X'11'\n"
    "         MVI   X'F00'(4),X'22'\n"
    "         IC    6,X'F00'\n"
    "         SPX   =X'00003000'\n"
    "         IC    7,X'F00'                 22\n"
    "         IC    8,X'F00'(,4)             11\n"
    "         MVI   X'F01',X'33'\n"
    "         LA    2,0\n"
    "         LA    3,4095\n"
    "         LA    3,1(,3)\n"
    "         L     4,=A(X'5000')\n"
    "         LR    5,3\n"
    "         MVCL  4,2\n"
    "         L     4,=A(X'5000')\n"
    "         MVI   X'F00'(4),X'44'\n"
    "         IC    7,X'F00'\n"
    "         SPX   =X'00005000'             FROM ONE TO ANOTHER\n"
    "         IC    7,X'F00'                 44\n"
    "         SPX   =X'00000000'\n"
    "         IC    7,X'F00'\n"
    "         IC    8,X'F01'(,4)\n"
    ENDS "         END\n";

/* Exceptions of privileged instructions, after each of which it goes on; and ISK in BC mode. */
static const char rules[] =
    "         DC    X'0008000000000200'\n"
    "         ORG   X'60'\n"
    "         DC    X'0008000000000310'      SVC NEW PSW\n"
    "         DC    X'0008000000000300'\n"
    "         ORG   X'200'\n"
    "         BALR  12,0\n"
    "         USING *,12\n"
    "         LCTL  0,0,=X'40000000'\n"
    "         SSM   ZERO                     SPECIAL OPERATION\n"
    "         LCTL  0,0,ZERO\n"
    "         LCTL  3,3,ZERO+1               SPECIFICATION\n"
    "         LCTL  14,1,=X'C2000000000002000000000000000000'\n"
    "         STCTL 14,1,AREA\n"
    "         LCTL  0,0,=X'10000000'         LOW-ADDRESS PROTECTION\n"
    "         STCTL 0,0,X'180'               PROTECTION\n"
    "         LCTL  0,0,ZERO\n"
    "         LA    6,X'3F'\n"
    "         L     3,=A(X'9000')\n"
    "         SSK   6,3\n"
    "         SPKA  X'90'\n"
    "         STPX  X'A00'                   PROTECTION: ITS KEY IS NOT 9\n"
    "         SPKA  0\n"
    "         LPSW  BC\n"
    "NEXT     ISK   7,3\n"
    "         SVC   1\n"
    "         SVC   2\n"
    "         LPSW  =X'0008000000000400'\n"
    "ZERO     DC    2F'0'\n"
    "         DS    0D\n"
    "BC       DC    X'00000000',A(NEXT)\n"
    "AREA     DS    4F\n"
    "         LTORG\n"
    "         ORG   X'300'\n"
    "         LPSW  40\n"
    "         ORG   X'310'\n"
    "         LPSW  32\n"
    "         ORG   X'400'\n"
    "         ISK   7,3\n"
    "         LPSW  END\n"
    "         DS    0D\n"
    "END      DC    X'000A000000000ABD'\n"
    "         END\n";

/* A line for the typewriter: busy until its end comes, which tells how it went. */
static const char devices[] =
    "         DC    X'0008000000000200'\n"
    "         ORG   X'78'\n"
    "         DC    X'0008000000000300'      I/O NEW PSW\n"
    "         ORG   X'200'\n"
    "         BALR  12,0\n"
    "         USING *,12\n"
    "         LA    2,CCW\n"
    "         ST    2,72\n"
    "         SIO   9\n"
    "         BALR  7,0\n"
    "         SIO   9                        BUSY\n"
    "         BALR  7,0\n"
    "         TIO   9                        BUSY\n"
    "         BALR  7,0\n"
    "         SIO   X'7F0'                   THERE IS NO SUCH DEVICE\n"
    "         BALR  7,0\n"
    "         LPSW  =X'020A000000000000'\n"
    "         DS    0D\n"
    "CCW      DC    X'09',AL3(LINE),X'2000',AL2(20)\n"
    "LINE     DC    C'HELLO'\n"
    "         LTORG\n"
    "         ORG   X'300'\n"
    "         LPSW  END\n"
    "         DS    0D\n"
    "END      DC    X'000A000000000ABD'\n"
    "         END\n";

/* A program new PSW whose first instruction is no instruction: on a CPU this goes on for ever. */
static const char hangs[] =
    "         DC    X'0008000000000200'\n"
    "         ORG   X'68'\n"
    "         DC    X'0008000000000300'\n"
    "         ORG   X'200'\n"
    "         DC    X'0000'\n"
    "         END\n";

/* A PSW with bits on that must be zero: the interruption comes behind it. */
static const char wrong[] =
    "         DC    X'0008000000000200'\n"
    "         ORG   X'68'\n"
    "         DC    X'000A000000000ABC'\n"
    "         ORG   X'200'\n"
    "         BALR  12,0\n"
    "         USING *,12\n"
    "         LPSW  BAD\n"
    "         DS    0D\n"
    "BAD      DC    X'8008000000000210'\n"
    "         ORG   X'210'\n"
    "         LPSW  END\n"
    "         DS    0D\n"
    "END      DC    X'000A000000000ABD'\n"
    "         END\n";

/* SPKA and MONITOR CALL with all bits. */
static const char bits[] = BEGINS
    "         SPKA  X'F0'\n"
    "         SPKA  0\n"
    "         LCTL  8,8,=X'0000FFFF'\n"
    "         MC    X'123',5\n"
    ENDS "         END\n";

/* The interval timer alone; ends otherwise when it does not come. The reference's does not either, of its own: so ends
 * are compared, of machines that run by themselves. */
static const char timer[] =
    "         DC    X'0008000000000200'\n"
    "         ORG   X'58'\n"
    "         DC    X'000A000000000ABD'      EXTERNAL NEW PSW\n"
    "         ORG   X'200'\n"
    "         BALR  12,0\n"
    "         USING *,12\n"
    "         LCTL  0,0,=X'00000080'\n"
    "         MVC   80(4),=F'255'\n"
    "         STOSM SCRATCH,X'01'\n"
    "         L     2,=F'100000'\n"
    "         BCT   2,*\n"
    "         LPSW  =X'000A000000000BAD'\n"
    "SCRATCH  DS    D\n"
    "         LTORG\n"
    "         END\n";

/* What one CPU sends to itself, and what an operator and clocks send: all of it comes, when it is enabled. */
static const char signals[] =
    "         DC    X'0008000000000200'\n"
    "         ORG   X'58'\n"
    "         DC    X'0008000000000300'      EXTERNAL NEW PSW\n"
    "         ORG   X'68'\n"
    "         DC    X'000A000000000ABC'\n"
    "         ORG   X'200'\n"
    "         BALR  12,0\n"
    "         USING *,12\n"
    "         SR    1,1\n"
    "         SIGP  2,1,2                    EXTERNAL CALL\n"
    "         SIGP  2,1,2                    IT IS PENDING: STATUS\n"
    "         SIGP  2,1,1                    SENSE\n"
    "         SIGP  2,1,3                    EMERGENCY SIGNAL\n"
    "         LCTL  0,0,=X'00006CE0'\n"
    "         MVC   80(4),=F'-1'             THE INTERVAL TIMER IS BEHIND ITS END, AND DOES NOT COUNT\n"
    "         STOSM SCRATCH,X'01'            TWO INTERRUPTIONS\n"
    "         SCKC  =X'0000000000000FFF'\n"
    "         STCKC SCRATCH\n"
    "         NOP   0\n"
    "         SPT   =X'FFFFFFFFFFFFF000'\n"
    "         NOP   0\n"
    "         MVC   80(4),=F'1'              SOON\n"
    "LOOP     B     LOOP\n"
    "SCRATCH  DS    D\n"
    "         LTORG\n"
    "         ORG   X'300'\n"
    "         LH    4,134\n"
    "         CLI   135,X'80'\n"
    "         BE    DONE\n"
    "         CLI   135,4\n"
    "         BNE   *+8\n"
    "         NI    X'381'+1,X'F7'           THE COMPARATOR'S MASK\n"
    "         CLI   135,5\n"
    "         BNE   *+8\n"
    "         NI    X'381'+1,X'FB'\n"
    "         LCTL  0,0,X'380'\n"
    "         LPSW  24\n"
    "DONE     LPSW  =X'000A000000000ABD'\n"
    "         LTORG\n"
    "         ORG   X'380'\n"
    "         DC    X'00006CE0'\n"
    "         END\n";
// clang-format on

/* `program` finds it; NULL: nucleus.s. */
static const struct mutant {
    const char *name, *program, *from, *to;
} mutants[] = {
    {"tprot: 3 is 2", codes, "         LA    15,3\n         B     SIMCC\nTPREAL",
     "         LA    15,2\n         B     SIMCC\nTPREAL"},
    {"tprot: 2 is 3", codes, "         BZ    SIMCC\n         LA    15,2\n",
     "         BZ    SIMCC\n         LA    15,3\n"},
    {"lra: 2 is 1", codes, "         MVI   WCC+3,2\n", "         MVI   WCC+3,1\n"},
    {"lra: 3 is 2", codes, "         MVI   WCC+3,3\n         SRL   4,28\n",
     "         MVI   WCC+3,2\n         SRL   4,28\n"},
    {"rrb: another code", codes, "RRBCC    SLL   15,2\n", "RRBCC    SLL   15,3\n"},
    {"ptlb is forgotten", stale, "PTLB     BAL   14,PURGE\n", "PTLB     DS    0H\n"},
    {"our tlb is not purged", stale, "         MVI   PURGEDUE,1\n         LA    0,INVALID\n",
     "         LA    0,INVALID\n"},
    {"spx does not purge the old page 0", prefixes,
     "         SR    2,2                 What real page 0 and the prefix page\n         BAL   14,DROPPAGE         are "
     "is different from now on.\n",
     ""},
    {"ipte is only stored", stale, "         BAL   14,DROPENT\n", ""},
    {"ilc is two", bits, "         ST    4,RILC\n         MVC   RADDR,PGMADDR\n",
     "         MVC   RILC,=F'2'\n         MVC   RADDR,PGMADDR\n"},
    {"ilc of an svc is lost", NULL, "         ST    0,LSVC\n         MVC   LSVC+2(2),RCODE\n",
     "         MVC   LSVC+2(2),RCODE\n"},
    {"monitor code is lost", bits, "         MVC   LMONCODE,MONCODE\n", ""},
    {"an external call is lost", signals, "         OI    VEXT,EXTCALL\n", "         OI    VEXT,0\n"},
    {"the interval timer is lost", timer, "         OI    VEXT,EXTTIMER\n", "         OI    VEXT,0\n"},
    {"a due comparator is lost", signals, "         MVC   RCODE,=X'1004'\n         B     PENDEXT\n",
     "         B     PCPUT\n"},
    {"status of devices is lost", devices, "RIO      MVC   LCSW,RCSW\n", "RIO      MVC   LCSW(4),RCSW\n"},
    {"a busy device: 2 is 1", devices, "IOCC2    LA    15,2\n", "IOCC2    LA    15,1\n"},
    {"spka takes other bits", bits, "SPKA     N     3,=X'000000F0'\n", "SPKA     N     3,=X'00000070'\n"},
    {"a bc psw keeps its ilc", rules, "         NI    VPSW+2,X'3F'\n", ""},
    {"stosm ands", codes, "         OC    VPSW(1),TEXT+1\n", "         NC    VPSW(1),TEXT+1\n"},
    {"ssm is never suppressed", rules, "         TM    VCR,X'40'\n         BO    SIMFAIL\n", ""},
    {"isk shows all in bc mode", rules, "         LA    1,X'F8'             BC mode: without reference, change\n",
     "         LA    1,X'FE'\n"},
    {"lctl wants no alignment", rules, "CONTROLS LA    0,3\n", "CONTROLS LA    0,0\n"},
    {"stctl does not wrap", rules, "         BNE   *+6\n         SR    7,7\n",
     "         BNE   *+6\n         LR    7,7\n"},
    {"low storage may be written", rules, "         TM    VCR,X'10'\n         BZ    LOCKEY\n",
     "         B     LOCKEY\n"},
    {"segments are not protected", codes, "         TM    WSTE+3,X'04'\n         BO    LOCPROT\n", ""},
    {"fetch protection is ignored", codes, "         N     15,=F'8'            Fetch protection\n",
     "         SR    15,15\n"},
    {"a loop is a wait", hangs, "PREPLOOP MVI   VSTATUS,CHECKSTP\n", "PREPLOOP MVI   VSTATUS,STOPPED\n"},
    {"a bad psw is good", wrong, "LOADBAD  OI    VFLAGS,BADPSW\n", "LOADBAD  NI    VFLAGS,255-BADPSW\n"},
    {"a comparator to the last bit", signals, "         MVI   VCOMP+7,0\n", ""},
    {"a segment is too long", codes, "         CR    2,0\n         BH    WNOSEG\n", "         CR    2,0\n"},
    {"page tables have no length", codes, "         BH    WNOPAGE\n", "         NOP   WNOPAGE\n"},
};
enum { MUTANTS = sizeof mutants / sizeof *mutants };

struct pair {
    struct cost_model model;
    struct machine *bare, *guest, *reference;
    struct map *map;
};

static void add_disk(struct pair *p, struct machine *m) {
    struct error e = ERROR_CLEAR;
    struct disk_backing backing;
    if (!disk_backing_memory(&backing, DISK_BLOCKS, &e) ||
        !machine_attach(m, ADDRESS_DISK, disk_new(&p->model, &backing), &e))
        fail_msg("%s", e.text);
}

static void build(struct pair *p, const uint8_t *hypervisor, uint32_t memory, bool disk) {
    struct error e = ERROR_CLEAR;
    assert_true(cost_model_find(&p->model, "s370", &e));
    struct machine_options o = {.memory_bytes = memory + ASSEMBLER_BYTES, .model = &p->model, .nominal_time = true};
    p->bare = machine_new(&o, &e);
    o.memory_bytes = memory;
    p->reference = machine_new(&o, &e);
    if (disk) {
        add_disk(p, p->bare);
        add_disk(p, p->reference);
    }
    machine_poke(p->bare, 0, hypervisor, ASSEMBLER_IMAGE_BYTES);
    p->map = map_new(p->bare, &e);
    p->guest = p->map ? map_guest(p->map, 0, memory, NULL, &e) : NULL;
    if (!p->guest)
        fail_msg("%s", e.text);
}

static void drop(struct pair *p) {
    map_free(p->map);
    machine_free(p->bare);
    machine_free(p->reference);
}

/* Whether they are different, within so many steps. */
static bool differ(struct pair *p, uint64_t steps, char what[256]) {
    struct error e = ERROR_CLEAR;
    struct equivalence q;
    const struct equivalence_options o = {.steps = steps};
    if (!equivalence_check(p->guest, p->reference, &o, &q, &e))
        fail_msg("%s", e.text);
    snprintf(what, 256, "%s", q.what);
    return q.end == EQUIVALENCE_BROKEN;
}

static bool found_by_program(const uint8_t *hypervisor, const char *source, char what[256]) {
    struct pair p;
    build(&p, hypervisor, SMALL, false);
    altered_load(p.guest, source, strlen(source));
    bool found = differ(&p, 2000, what);
    drop(&p);
    return found;
}

static bool found_by_nucleus(const uint8_t *hypervisor, char what[256]) {
    struct pair p;
    build(&p, hypervisor, SMALL, true);
    order_load(p.guest, "nucleus.s");
    bool found = differ(&p, 5000, what);
    drop(&p);
    return found;
}

static void make(uint8_t image[ASSEMBLER_IMAGE_BYTES], const struct mutant *m) {
    struct error e = ERROR_CLEAR;
    struct assembly a;
    char *text = altered_text(m ? m->from : NULL, m ? m->to : NULL);
    if (!assemble(&a, "hypervisor.s", text, strlen(text), NULL, &e) || a.image.length != ASSEMBLER_IMAGE_BYTES)
        fail_msg("%s: %s", m ? m->name : "", e.text);
    memcpy(image, a.image.data, ASSEMBLER_IMAGE_BYTES);
    assembly_fini(&a);
    free(text);
}

/* Ends of machines that run by themselves. */
static bool found_by_end(const uint8_t *hypervisor, const char *source, char what[256]) {
    struct pair p;
    struct machine_state guest, reference;
    build(&p, hypervisor, SMALL, false);
    altered_load(p.guest, source, strlen(source));
    altered_load(p.reference, source, strlen(source));
    machine_restart(p.guest);
    machine_restart(p.reference);
    machine_run(p.guest, &(struct machine_limits){.instructions = 1000000});
    machine_run(p.reference, &(struct machine_limits){.instructions = 1000000});
    machine_state(p.guest, &guest);
    machine_state(p.reference, &reference);
    drop(&p);
    snprintf(what, 256, "it ends at %06X, and at %06X on the bare machine", guest.psw.ia, reference.psw.ia);
    return guest.psw.ia != reference.psw.ia;
}

static bool found(const uint8_t *hypervisor, const char *program, char what[256]) {
    if (program == timer)
        return found_by_end(hypervisor, program, what);
    return program ? found_by_program(hypervisor, program, what) : found_by_nucleus(hypervisor, what);
}

static void test_every_mutant_is_found(void **state) {
    static uint8_t image[ASSEMBLER_IMAGE_BYTES];
    char what[256];
    (void)state;
    for (unsigned n = 0; n < MUTANTS; n++) {
        make(image, &mutants[n]);
        if (!found(image, mutants[n].program, what))
            fail_msg("%s was not found", mutants[n].name);
    }
}

/* And all of them come to their ends. */
static void test_nothing_is_found_where_there_is_nothing(void **state) {
    static uint8_t image[ASSEMBLER_IMAGE_BYTES];
    static const char *const programs[] = {stale, codes, signals, prefixes, rules, devices,
                                           hangs, wrong, bits,    timer,    NULL};
    char what[256];
    (void)state;
    make(image, NULL);
    for (size_t n = 0; n < sizeof programs / sizeof *programs; n++)
        if (found(image, programs[n], what))
            fail_msg("program %zu: %s", n, what);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_mutant_is_found),
        cmocka_unit_test(test_nothing_is_found_where_there_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
