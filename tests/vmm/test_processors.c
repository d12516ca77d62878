/* Monitors on machines with several CPUs: guests that really run side by side, virtual CPUs that signal one another
 * across real ones, and tables that change while another CPU uses them. */
#include "tests/vmm/guests.h"

enum { COUNT = 400, CPU_1_PAGE = 0x3000 };

static void model_s370(struct cost_model *to) {
    struct error e = ERROR_CLEAR;
    assert_true(cost_model_find(to, "s370", &e));
}

static void load(struct machine *m, const char *source) {
    struct error e = ERROR_CLEAR;
    struct assembly a;
    if (!assemble(&a, "guest.s", source, strlen(source), NULL, &e)) {
        struct bytes text = {0};
        assembly_print_diagnostics(&a, &text);
        fail_msg("%s\n%.*s", e.text, (int)text.length, (const char *)text.data);
    }
    if (!machine_load(m, a.origin, a.image.data, a.image.length, &e))
        fail_msg("%s", e.text);
    assembly_fini(&a);
}

static uint32_t word(struct machine *m, uint32_t real) {
    uint8_t raw[4];
    assert_int_equal(machine_peek(m, real, raw, 4), ACCESS_OK);
    return bytes_get32(raw);
}

/* FNV-1a over everything that an event says. */
static void hash_event(void *self, const struct trace_event *event) {
    uint64_t *hash = self;
    const uint64_t values[] = {event->kind, event->cycle, (uint64_t)event->level, event->cpu, event->a,
                               event->b,    event->c};
    const uint8_t *byte = (const uint8_t *)values;
    for (size_t n = 0; n < sizeof values; n++)
        *hash = (*hash ^ byte[n]) * BYTES_FNV_PRIME;
    for (const char *c = event->text; c && *c; c++)
        *hash = (*hash ^ (uint8_t)*c) * BYTES_FNV_PRIME;
}

/* A bare machine with a monitor and guests. */
struct host {
    struct cost_model model;
    struct trace *trace;
    uint64_t hash;
    struct machine *bare, *guest[4];
    struct vmm *v;
    unsigned guests;
};

static void host_new(struct host *h, unsigned cpus, const struct monitor_options *options) {
    struct error e = ERROR_CLEAR;
    *h = (struct host){.trace = trace_new(), .hash = BYTES_FNV_BEGIN};
    model_s370(&h->model);
    trace_subscribe(h->trace, ~0u & ~(1u << TRACE_INSTRUCTION | 1u << TRACE_WALK), hash_event, &h->hash);
    h->bare = machine_new(
        &(struct machine_options){.memory_bytes = 2 << 20, .model = &h->model, .cpus = cpus, .trace = h->trace}, &e);
    const struct monitor_options defaults = vmm_default_options();
    h->v = vmm_new_with(h->bare, "trap-and-emulate", options ? options : &defaults, &e);
    if (!h->v)
        fail_msg("%s", e.text);
}

static struct machine *host_add(struct host *h, const char *source, unsigned cpus) {
    struct error e = ERROR_CLEAR;
    struct machine *g = vmm_guest(h->v, &(struct guest_options){.memory_bytes = GUEST_BYTES, .cpus = cpus}, &e);
    if (!g)
        fail_msg("%s", e.text);
    load(g, source);
    machine_restart(g);
    h->guest[h->guests++] = g;
    return g;
}

static uint64_t cycles(struct machine *m) {
    struct machine_stats stats;
    machine_stats(m, &stats);
    return stats.cycles;
}

/* Each CPU's books are its own time, to the cycle. */
static void books_add_up(struct machine *bare) {
    for (unsigned cpu = 0; cpu < machine_cpus(bare); cpu++) {
        struct machine_stats stats;
        uint64_t sum = 0;
        machine_cpu_stats(bare, cpu, &stats);
        for (int level = 0; level < MACHINE_LEVELS; level++)
            for (int cause = 0; cause < CAUSE_COUNT; cause++)
                sum += machine_cpu_booked(bare, cpu, level, (enum cycle_cause)cause);
        assert_int_equal(sum, stats.cycles);
    }
}

static void host_run(struct host *h) {
    machine_restart(h->bare);
    assert_string_equal(machine_status_name(machine_run(h->bare, &(struct machine_limits){.instructions = 20000000})),
                        machine_status_name(MACHINE_DISABLED_WAIT));
    for (unsigned n = 0; n < machine_cpus(h->bare); n++)
        assert_int_equal(machine_cpu_status(h->bare, n), CPU_DISABLED_WAIT);
    books_add_up(h->bare);
}

static void host_free(struct host *h) {
    vmm_free(h->v);
    machine_free(h->bare);
    trace_free(h->trace);
}

/* ---- Guests side by side ---- */

/* Sums up, with a call and two privileged instructions in each round; the sum depends on all of them. */
#define COMPUTE                                                                                                        \
    PAGE_0 "         MVC   96(8,0),SVCNEW\n"                                                                           \
           "         SR    4,4\n"                                                                                      \
           "         L     2,=F'40'\n"                                                                                 \
           "ROUND    L     3,=F'4000'\n"                                                                               \
           "         AR    4,3\n"                                                                                      \
           "         BCT   3,*-2\n"                                                                                    \
           "         SVC   7\n"                                                                                        \
           "         BCT   2,ROUND\n"                                                                                  \
           "         ST    4,X'F00'\n" STOP_HERE "SVCCODE  SPKA  X'10'\n"                                              \
           "         SPKA  0\n"                                                                                        \
           "         AL    4,=F'3'\n"                                                                                  \
           "         LPSW  32\n"                                                                                       \
           "         LTORG\n"                                                                                          \
           "SVCNEW   DC    0D'0',X'00080000',A(SVCCODE)\n"                                                             \
           "         END\n"
enum { COMPUTED = 40 * (4000 * 4001 / 2 + 3) };

static uint64_t run_computing(unsigned cpus, unsigned guests) {
    struct host h;
    host_new(&h, cpus, NULL);
    for (unsigned n = 0; n < guests; n++)
        host_add(&h, COMPUTE, 1);
    host_run(&h);
    for (unsigned n = 0; n < guests; n++) {
        assert_int_equal(machine_status(h.guest[n]), MACHINE_DISABLED_WAIT);
        assert_int_equal(word(h.guest[n], 0xF00), COMPUTED);
    }
    uint64_t took = cycles(h.bare);
    host_free(&h);
    return took;
}

static void test_two_guests_on_two_cpus_take_half_the_time_of_one_cpu(void **state) {
    (void)state;
    uint64_t alone = run_computing(1, 1), one_cpu = run_computing(1, 2), two_cpus = run_computing(2, 2);
    assert_in_range(one_cpu, 2 * alone - alone / 10, 2 * alone + alone / 5);
    /* The monitor is one at a time, but a CPU waits only for an activation that began before its own. */
    assert_in_range(two_cpus * 1000 / one_cpu, 490, 580);
}

static void test_three_guests_on_two_cpus_take_turns(void **state) {
    (void)state;
    uint64_t alone = run_computing(1, 1), three = run_computing(2, 3);
    assert_in_range(three * 100 / alone, 150, 190);
    /* And more CPUs than guests are no harm. */
    assert_in_range(run_computing(4, 2) * 100 / alone, 100, 120);
}

/* Computes for ever, and never traps; the other one does after it has waited. */
#define LOOPS PAGE_0 "         B     *\n         END\n"
#define LOOPS_LATER                                                                                                    \
    PAGE_0 "         SCKC  SOON\n"                                                                                     \
           "         LCTL  0,0,=X'00000800'\n"                                                                         \
           "         MVC   88(8,0),NEW\n"                                                                              \
           "         LPSW  WAITS\n"                                                                                    \
           "         LTORG\n"                                                                                          \
           "LOOP     B     *\n"                                                                                        \
           "NEW      DC    0D'0',X'00080000',A(LOOP)\n"                                                                \
           "WAITS    DC    0D'0',X'010A000000000000'\n"                                                                \
           "SOON     DC    0D'0',X'0000000002710000'\n" /* 10 ms */                                                    \
           "         END\n"

/* When the third one joins them, both CPUs begin to divide their time. */
static void test_turns_on_two_cpus_are_fair(void **state) {
    uint64_t least = UINT64_MAX, most = 0;
    struct monitor_options o = vmm_default_options();
    struct host h;
    (void)state;
    o.slice = 5000;
    host_new(&h, 2, &o);
    host_add(&h, LOOPS, 1);
    host_add(&h, LOOPS_LATER, 1);
    host_add(&h, LOOPS, 1);
    machine_restart(h.bare);
    machine_run(h.bare, &(struct machine_limits){.cycles = 3000000});
    for (int n = 0; n < 3; n++) {
        struct machine_stats stats;
        machine_stats(h.guest[n], &stats);
        least = stats.instructions < least ? stats.instructions : least;
        most = stats.instructions > most ? stats.instructions : most;
    }
    assert_in_range(most * 100 / least, 100, 110);
    host_free(&h);
}

/* ---- One guest with two CPUs ---- */

/* CPU 0 restarts CPU 1. Each has a page 0 of its own, with a count of its own at F08; both add to the word at X'5000'
 * under a lock, and to that at X'5008' by CS; then CPU 1 calls CPU 0, which has been waiting, and both stop. */
#define COUNTERS                                                                                                       \
    PAGE_0 "         BALR  12,0\n"                                                                                     \
           "         USING *,12\n"                                                                                     \
           "         L     10,=A(X'5000')\n"                                                                           \
           "         STAP  X'F00'\n"                                                                                   \
           "         LH    1,X'F00'\n"                                                                                 \
           "         LTR   1,1\n"                                                                                      \
           "         BNZ   SECOND\n"                                                                                   \
           "         L     2,=A(X'3000')\n" /* page 0, and this program, for CPU 1 */                                  \
           "         L     3,=F'4096'\n"                                                                               \
           "         SR    4,4\n"                                                                                      \
           "         LR    5,3\n"                                                                                      \
           "         MVCL  2,4\n"                                                                                      \
           "         LA    3,1\n"                                                                                      \
           "START    SIGP  0,3,X'06'\n"                                                                                \
           "         BC    2,START\n"                                                                                  \
           "         B     COUNTER\n"                                                                                  \
           "SECOND   SPX   =A(X'3000')\n"                                                                              \
           "COUNTER  LA    9,400\n"                                                                                    \
           "LOCK     TS    16(10)\n"                                                                                   \
           "         BC    4,LOCK\n"                                                                                   \
           "         L     4,0(,10)\n"                                                                                 \
           "         LA    4,1(,4)\n"                                                                                  \
           "         ST    4,0(,10)\n"                                                                                 \
           "         MVI   16(10),0\n"                                                                                 \
           "         L     4,8(,10)\n"                                                                                 \
           "ADD      LA    5,1(,4)\n"                                                                                  \
           "         CS    4,5,8(10)\n"                                                                                \
           "         BC    4,ADD\n"                                                                                    \
           "         L     4,X'F08'\n"                                                                                 \
           "         LA    4,1(,4)\n"                                                                                  \
           "         ST    4,X'F08'\n"                                                                                 \
           "         BCT   9,LOCK\n"                                                                                   \
           "         LCTL  0,0,=X'00002000'\n" /* external calls only */                                               \
           "         LTR   1,1\n"                                                                                      \
           "         BNZ   CALLS\n"                                                                                    \
           "         MVC   88(8,0),EXTNEW\n"                                                                           \
           "         LPSW  WAITS\n"                                                                                    \
           "CALLED   DS    0H\n" STOP_HERE "CALLS    SR    3,3\n"                                                      \
           "         SIGP  0,3,X'02'\n"                                                                                \
           "         BC    2,CALLS\n" STOP_HERE "         LTORG\n"                                                     \
           "EXTNEW   DC    0D'0',X'00080000',A(CALLED)\n"                                                              \
           "WAITS    DC    0D'0',X'010A000000000000'\n"                                                                \
           "         END\n"

static void tower_with_cpus(struct tower *t, struct cost_model *model, unsigned cpus, unsigned depth,
                            struct trace *trace, const struct monitor_options *monitors) {
    struct error e = ERROR_CLEAR;
    const char *kinds[] = {"trap-and-emulate", "trap-and-emulate", "trap-and-emulate"};
    const struct monitor_options defaults = vmm_default_options();
    model_s370(model);
    const struct machine_options o = {.memory_bytes = GUEST_BYTES, .model = model, .cpus = cpus, .trace = trace};
    if (!tower_new_with(t, &o, kinds, depth, monitors ? monitors : &defaults, &e))
        fail_msg("%s", e.text);
}

static enum machine_status tower_run(struct tower *t) {
    machine_restart(t->innermost);
    if (t->count > 0)
        machine_restart(t->bare);
    enum machine_status status = machine_run(t->bare, &(struct machine_limits){.instructions = 50000000});
    if (status == MACHINE_FAULT)
        fail_msg("%s", machine_fault(t->bare));
    return status;
}

static void count_together(unsigned depth, uint64_t *hash) {
    struct tower t;
    struct cost_model model;
    struct trace *trace = trace_new();
    trace_subscribe(trace, ~0u & ~(1u << TRACE_INSTRUCTION | 1u << TRACE_WALK), hash_event, hash);
    tower_with_cpus(&t, &model, 2, depth, trace, NULL);
    load(t.innermost, COUNTERS);
    assert_string_equal(machine_status_name(tower_run(&t)), machine_status_name(MACHINE_DISABLED_WAIT));
    assert_int_equal(machine_status(t.innermost), MACHINE_DISABLED_WAIT);
    assert_int_equal(word(t.innermost, 0x5000), 2 * COUNT);
    assert_int_equal(word(t.innermost, 0x5008), 2 * COUNT);
    assert_int_equal(word(t.innermost, 0xF08), COUNT);
    assert_int_equal(word(t.innermost, CPU_1_PAGE + 0xF08), COUNT);
    assert_int_equal(word(t.innermost, 132), 0x00011202); /* called, by CPU 1 */
    for (unsigned n = 0; n < 2; n++) {
        struct machine_state s;
        machine_cpu_state(t.innermost, n, &s);
        assert_int_equal(s.psw.ia, GUEST_STOPPED);
        assert_int_equal(s.prefix, n ? CPU_1_PAGE : 0);
        assert_int_equal(machine_cpu_status(t.innermost, n), CPU_DISABLED_WAIT);
        assert_int_equal(machine_cpu_status(t.bare, n), CPU_DISABLED_WAIT);
        /* Both real CPUs have executed the guest, each its part. */
        assert_true(machine_cpu_booked(t.bare, n, (int)depth, CAUSE_DIRECT) > 10000);
    }
    books_add_up(t.bare);
    tower_free(&t);
    trace_free(trace);
}

static void test_a_guest_with_two_cpus_counts_as_bare(void **state) {
    (void)state;
    for (unsigned depth = 0; depth <= 3; depth++) {
        uint64_t first = 0, second = 0;
        count_together(depth, &first);
        count_together(depth, &second);
        assert_true(first == second);
    }
}

/* More virtual CPUs than real ones, at either level: a CPU may wait for an activation on one that has lost its own, for
 * a slice or longer, but not for ever. */
static void test_virtual_cpus_need_not_be_as_many_as_real_ones(void **state) {
    static const unsigned numbers[][2] = {{1, 2}, {2, 4}, {3, 2}, {4, 1}}; /* of the bare machine, of the one on it */
    (void)state;
    for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++) {
        struct host h;
        struct error e = ERROR_CLEAR;
        host_new(&h, numbers[n][0], NULL);
        const struct guest_options outer = {.memory_bytes = 1 << 20, .cpus = numbers[n][1]};
        struct machine *m = vmm_guest(h.v, &outer, &e);
        struct vmm *v = m ? vmm_new(m, "trap-and-emulate", &e) : NULL;
        struct machine *g =
            v ? vmm_guest(v, &(struct guest_options){.memory_bytes = GUEST_BYTES, .cpus = 2}, &e) : NULL;
        if (!g)
            fail_msg("%s", e.text);
        load(g, COUNTERS);
        machine_restart(g);
        host_run(&h);
        assert_int_equal(machine_status(g), MACHINE_DISABLED_WAIT);
        assert_int_equal(word(g, 0x5000), 2 * COUNT);
        assert_int_equal(word(g, 0x5008), 2 * COUNT);
        vmm_free(v);
        host_free(&h);
    }
}

static void test_a_monitor_may_use_fewer_cpus_than_there_are(void **state) {
    struct monitor_options o = vmm_default_options();
    struct host h;
    (void)state;
    o.cpus = 1;
    host_new(&h, 2, &o);
    host_add(&h, COMPUTE, 1);
    machine_restart(h.bare);
    assert_int_equal(machine_run(h.bare, &(struct machine_limits){.instructions = 1000000}), MACHINE_DISABLED_WAIT);
    assert_int_equal(machine_cpu_status(h.bare, 1), CPU_STOPPED);
    assert_int_equal(word(h.guest[0], 0xF00), COMPUTED);
    host_free(&h);
    struct error e = ERROR_CLEAR;
    struct cost_model model;
    model_s370(&model);
    struct machine *m = machine_new(&(struct machine_options){.memory_bytes = 1 << 20, .model = &model, .cpus = 2}, &e);
    o.cpus = 3;
    assert_null(vmm_new_with(m, "trap-and-emulate", &o, &e));
    assert_string_equal(e.text, "bare has 2 CPUs, not 3 for a monitor");
    machine_free(m);
}

/* The bare machine is restarted when anything may be going on: activations half done on a CPU that is stopped now. */
static void test_a_machine_that_is_restarted_starts_anew_on_all_cpus(void **state) {
    (void)state;
    for (uint64_t before = 3000; before < 60000; before += 1237) {
        struct host h;
        struct error e = ERROR_CLEAR;
        host_new(&h, 2, NULL);
        struct machine *m = vmm_guest(h.v, &(struct guest_options){.memory_bytes = 1 << 20, .cpus = 2}, &e);
        struct vmm *v = vmm_new(m, "trap-and-emulate", &e), *lower = h.v;
        assert_non_null(v);
        h.v = v;
        host_add(&h, COMPUTE, 1);
        host_add(&h, COMPUTE, 1);
        h.v = lower;
        machine_restart(h.bare);
        assert_int_equal(machine_run(h.bare, &(struct machine_limits){.cycles = before}), MACHINE_READY);
        host_run(&h);
        for (unsigned n = 0; n < 2; n++)
            assert_int_equal(word(h.guest[n], 0xF00), COMPUTED);
        vmm_free(v);
        host_free(&h);
    }
}

/* However the run is divided, it is the same run. */
static void test_a_run_in_pieces_is_the_same_run(void **state) {
    uint64_t hash[2];
    (void)state;
    for (int pieces = 0; pieces < 2; pieces++) {
        struct host h;
        host_new(&h, 2, NULL);
        host_add(&h, COUNTERS, 2);
        host_add(&h, COMPUTE, 1);
        machine_restart(h.bare);
        const struct machine_limits limits = {.cycles = pieces ? 777 : 0};
        while (machine_run(h.bare, &limits) == MACHINE_READY)
            ;
        assert_int_equal(machine_status(h.bare), MACHINE_DISABLED_WAIT);
        hash[pieces] = h.hash;
        host_free(&h);
    }
    assert_true(hash[0] == hash[1]);
}

/* ---- Tables that change ---- */

/* CPU 0 restarts CPU 1, which goes to SECOND; page 0 is common to them. Tables at X'4000' (of 64 KB, one segment) and
 * X'4100' map everything to itself; A000 and B000 are full of A and B. */
#define TWO_CPUS(PTE_STEP, PAGES)                                                                                      \
    PAGE_0 "         STAP  X'F00'\n"                                                                                   \
           "         LH    1,X'F00'\n"                                                                                 \
           "         LTR   1,1\n"                                                                                      \
           "         BNZ   SECOND\n"                                                                                   \
           "         MVC   104(8,0),FAULTNEW\n"                                                                        \
           "         L     10,=A(X'4000')\n"                                                                           \
           "         MVC   0(8,10),=X'F000410000000001'\n"                                                             \
           "         MVC   8(56,10),4(10)\n"                                                                           \
           "         LA    2," PAGES "\n"                                                                              \
           "         SR    3,3\n"                                                                                      \
           "         LA    4,X'100'(,10)\n"                                                                            \
           "TABLE    STH   3,0(,4)\n"                                                                                  \
           "         LA    3," PTE_STEP "(,3)\n"                                                                       \
           "         LA    4,2(,4)\n"                                                                                  \
           "         BCT   2,TABLE\n"                                                                                  \
           "         L     2,=A(X'A000')\n"                                                                            \
           "         L     3,=A(X'1000')\n"                                                                            \
           "         L     5,=X'C1000000'\n"                                                                           \
           "         MVCL  2,4\n" /* R4, R5: length 0, A */                                                            \
           "         L     3,=A(X'1000')\n"                                                                            \
           "         L     5,=X'C2000000'\n"                                                                           \
           "         MVCL  2,4\n"

#define TABLE_ENDS                                                                                                     \
    "         LTORG\n"                                                                                                 \
    "FAULTNEW DC    0D'0',X'00080000',A(FAULT)\n"                                                                      \
    "FAULT    CLI   143,17\n" /* the page is just being changed: again */                                              \
    "         BNE   WRONG\n"                                                                                           \
    "         LPSW  40\n"                                                                                              \
    "WRONG    LPSW  WRONGPSW\n"                                                                                        \
    "WRONGPSW DC    0D'0',X'000A000000000BAD'\n"                                                                       \
    "         END\n"

/* CPU 1 reads A000 again and again. CPU 0 invalidates that page by IPTE, gives it another frame, and tells. Its DAT is
 * off and the pages are of 2 KB: the monitor, which runs it with pages of 4 KB, has no use for an IPTE of its own. */
#define INVALIDATES                                                                                                    \
    TWO_CPUS("8", "32")                                                                                                \
    "         LCTL  0,1,TABLES\n"                                                                                      \
    "         LA    3,1\n"                                                                                             \
    "         SIGP  0,3,X'06'\n"                                                                                       \
    "UNTIL    L     2,X'F10'\n" /* until it has read often */                                                          \
    "         C     2,=F'1000'\n"                                                                                      \
    "         BL    UNTIL\n"                                                                                           \
    "         LA    4,X'100'(,10)\n"                                                                                   \
    "         L     5,=A(X'A000')\n"                                                                                   \
    "         IPTE  4,5\n"                                                                                             \
    "         MVC   X'100'+20*2(2,10),=X'00B0'\n"                                                                      \
    "         MVI   X'F20',1\n" STOP_HERE "SECOND   LCTL  0,1,TABLES\n"                                                \
    "         L     10,=A(X'A000')\n"                                                                                  \
    "         LPSW  DATON\n"                                                                                           \
    "READ     SR    6,6\n"                                                                                             \
    "         IC    6,X'F20'\n"                                                                                        \
    "         L     5,0(,10)\n"                                                                                        \
    "         L     2,X'F10'\n"                                                                                        \
    "         LA    2,1(,2)\n"                                                                                         \
    "         ST    2,X'F10'\n"                                                                                        \
    "         LTR   6,6\n"                                                                                             \
    "         BZ    READ\n"                                                                                            \
    "         ST    5,X'F30'\n" STOP_HERE "TABLES   DC    0D'0',X'0040000000004000'\n"                                 \
    "DATON    DC    0D'0',X'04080000',A(READ)\n" TABLE_ENDS

/* CPU 1 stores into 6000 again and again. CPU 0 makes that its page table, and uses it; then CPU 1 changes an entry in
 * it, and tells; CPU 0 purges, and uses it again. */
#define BECOMES_A_TABLE                                                                                                \
    TWO_CPUS("16", "16")                                                                                               \
    "         LA    3,1\n"                                                                                             \
    "         SIGP  0,3,X'06'\n"                                                                                       \
    "         L     11,=A(X'6000')\n"                                                                                  \
    "UNTIL    L     2,X'F00'(,11)\n"                                                                                   \
    "         C     2,=F'1000'\n"                                                                                      \
    "         BL    UNTIL\n"                                                                                           \
    "         MVC   0(32,11),X'100'(10)\n"                                                                             \
    "         MVC   X'200'(64,10),0(10)\n"                                                                             \
    "         MVC   X'200'(4,10),=X'F0006000'\n"                                                                       \
    "         LCTL  0,1,TABLES0\n"                                                                                     \
    "         L     9,=A(X'A000')\n"                                                                                   \
    "         LPSW  DATON0\n"                                                                                          \
    "USES     MVC   X'F30'(4,0),0(9)\n"                                                                                \
    "         MVI   X'F20',1\n"                                                                                        \
    "         CLI   X'F21',1\n"                                                                                        \
    "         BNE   *-4\n"                                                                                             \
    "         PTLB\n"                                                                                                  \
    "         MVC   X'F34'(4,0),0(9)\n" STOP_HERE "SECOND   LCTL  0,1,TABLES1\n"                                       \
    "         L     11,=A(X'6000')\n"                                                                                  \
    "         LPSW  DATON1\n"                                                                                          \
    "STORES   L     2,X'F00'(,11)\n"                                                                                   \
    "         LA    2,1(,2)\n"                                                                                         \
    "         ST    2,X'F00'(,11)\n"                                                                                   \
    "         CLI   X'F20',1\n"                                                                                        \
    "         BNE   STORES\n"                                                                                          \
    "         MVC   20(2,11),=X'00B0'\n"                                                                               \
    "         MVI   X'F21',1\n" STOP_HERE "TABLES0  DC    0D'0',X'0080000000004200'\n"                                 \
    "TABLES1  DC    0D'0',X'0080000000004000'\n"                                                                       \
    "DATON0   DC    0D'0',X'04080000',A(USES)\n"                                                                       \
    "DATON1   DC    0D'0',X'04080000',A(STORES)\n" TABLE_ENDS

static struct machine *tower_of_two(struct tower *t, struct cost_model *model, unsigned depth, const char *source,
                                    enum shadow_policy policy) {
    struct monitor_options o = vmm_default_options();
    o.policy = policy;
    tower_with_cpus(t, model, 2, depth, NULL, &o);
    load(t->innermost, source);
    assert_string_equal(machine_status_name(tower_run(t)), machine_status_name(MACHINE_DISABLED_WAIT));
    for (unsigned n = 0; n < 2; n++) {
        struct machine_state s;
        machine_cpu_state(t->innermost, n, &s);
        assert_int_equal(s.psw.ia, GUEST_STOPPED);
    }
    return t->innermost;
}

static void test_an_invalidated_page_is_not_used_by_the_other_cpu(void **state) {
    (void)state;
    for (unsigned depth = 0; depth <= 2; depth++)
        for (int policy = SHADOW_PURGE; policy <= SHADOW_PROTECT; policy++) {
            struct tower t;
            struct cost_model model;
            struct machine *m = tower_of_two(&t, &model, depth, INVALIDATES, (enum shadow_policy)policy);
            assert_int_equal(word(m, 0xF30), 0xC2C2C2C2);
            tower_free(&t);
        }
}

static void test_stores_of_the_other_cpu_into_a_new_table_are_seen(void **state) {
    (void)state;
    for (unsigned depth = 0; depth <= 2; depth++)
        for (int policy = SHADOW_PURGE; policy <= SHADOW_PROTECT; policy++) {
            struct tower t;
            struct cost_model model;
            struct machine *m = tower_of_two(&t, &model, depth, BECOMES_A_TABLE, (enum shadow_policy)policy);
            assert_int_equal(word(m, 0xF30), 0xC1C1C1C1);
            assert_int_equal(word(m, 0xF34), 0xC2C2C2C2);
            tower_free(&t);
        }
}

/* A000 is A and B in turns, with a PTLB between; counts the times when it was not, at F40. */
#define REMAPS                                                                                                         \
    TWO_CPUS("16", "16")                                                                                               \
    "         LCTL  0,1,TABLES\n"                                                                                      \
    "         L     9,=A(X'A000')\n"                                                                                   \
    "         LPSW  DATON\n"                                                                                           \
    "REMAP    L     7,=F'400'\n"                                                                                       \
    "ROUND    MVC   X'100'+20(2,10),=X'00B0'\n"                                                                        \
    "         PTLB\n"                                                                                                  \
    "         LA    3,20\n"                                                                                            \
    "         CLI   0(9),C'B'\n"                                                                                       \
    "         BNE   BAD\n"                                                                                             \
    "         BCT   3,*-8\n"                                                                                           \
    "         MVC   X'100'+20(2,10),=X'00A0'\n"                                                                        \
    "         PTLB\n"                                                                                                  \
    "         LA    3,20\n"                                                                                            \
    "         CLI   0(9),C'A'\n"                                                                                       \
    "         BNE   BAD\n"                                                                                             \
    "         BCT   3,*-8\n"                                                                                           \
    "         BCT   7,ROUND\n"                                                                                         \
    "         B     DONE\n"                                                                                            \
    "BAD      MVI   X'F40',1\n"                                                                                        \
    "DONE     DS    0H\n" STOP_HERE "SECOND   DS    0H\n"                                                              \
    "TABLES   DC    0D'0',X'0080000000004000'\n"                                                                       \
    "DATON    DC    0D'0',X'04080000',A(REMAP)\n" TABLE_ENDS

/* The others never purge: what is left in a real CPU's TLB stays there until it is asked for again. */
static void test_a_virtual_cpu_that_comes_back_finds_no_old_translations(void **state) {
    struct monitor_options o = vmm_default_options();
    struct host h;
    (void)state;
    o.slice = 3000;
    host_new(&h, 2, &o);
    host_add(&h, REMAPS, 1);
    host_add(&h, COMPUTE, 1);
    host_add(&h, COMPUTE, 1);
    host_run(&h);
    for (int n = 0; n < 3; n++)
        assert_int_equal(machine_status(h.guest[n]), MACHINE_DISABLED_WAIT);
    assert_int_equal(word(h.guest[0], 0xF40), 0);
    host_free(&h);
}

/* ---- Signals to a CPU that is running ---- */

/* CPU 1 counts at F10. CPU 0 stops it, lets time pass, starts it, restarts it, stops it with its status stored, and
 * resets it. At F20 and up, a word each: whether the count stood still; its status when stopped; GR9 as stored;
 * whether it was restarted; its prefix afterwards, at absolute 264. */
#define ORDERS                                                                                                         \
    PAGE_0 "         STAP  X'F00'\n"                                                                                   \
           "         LH    1,X'F00'\n"                                                                                 \
           "         LTR   1,1\n"                                                                                      \
           "         BNZ   SECOND\n"                                                                                   \
           "         LA    3,1\n"                                                                                      \
           "         LA    14,6\n"                                                                                     \
           "         BAL   13,ORDER\n"                                                                                 \
           "         BAL   13,COUNTS\n"                                                                                \
           "         LA    14,5\n" /* stop */                                                                          \
           "         BAL   13,ORDER\n"                                                                                 \
           "STOPPING SIGP  4,3,1\n" /* sense */                                                                        \
           "         BC    3,STOPPING\n"                                                                               \
           "         BC    8,STOPPING\n"                                                                               \
           "         ST    4,X'F24'\n"                                                                                 \
           "         L     5,X'F10'\n"                                                                                 \
           "         L     2,=F'3000'\n"                                                                               \
           "         BCT   2,*\n"                                                                                      \
           "         S     5,X'F10'\n"                                                                                 \
           "         ST    5,X'F20'\n"                                                                                 \
           "         LA    14,4\n" /* start */                                                                         \
           "         BAL   13,ORDER\n"                                                                                 \
           "         BAL   13,COUNTS\n"                                                                                \
           "         MVC   0(8,0),AGAINPSW\n"                                                                          \
           "         LA    14,6\n" /* restart */                                                                       \
           "         BAL   13,ORDER\n"                                                                                 \
           "         CLI   X'F2F',1\n"                                                                                 \
           "         BNE   *-4\n"                                                                                      \
           "         BAL   13,COUNTS\n"                                                                                \
           "         LA    14,9\n" /* stop and store status */                                                         \
           "         BAL   13,ORDER\n"                                                                                 \
           "STORING  SIGP  4,3,1\n"                                                                                    \
           "         BC    11,STORING\n"                                                                               \
           "         MVC   X'F28'(4,0),420\n"                                                                          \
           "         LA    14,X'B'\n" /* initial CPU reset */                                                          \
           "         BAL   13,ORDER\n" STOP_HERE "ORDER    SIGP  0,3,0(14)\n"                                          \
           "         BC    2,ORDER\n"                                                                                  \
           "         BR    13\n"                                                                                       \
           "COUNTS   L     5,X'F10'\n" /* until it has counted on by 1000 */                                           \
           "         A     5,=F'1000'\n"                                                                               \
           "         C     5,X'F10'\n"                                                                                 \
           "         BH    *-4\n"                                                                                      \
           "         BR    13\n"                                                                                       \
           "SECOND   L     9,=X'0BADCAFE'\n"                                                                           \
           "COUNT    L     2,X'F10'\n"                                                                                 \
           "         LA    2,1(,2)\n"                                                                                  \
           "         ST    2,X'F10'\n"                                                                                 \
           "         B     COUNT\n"                                                                                    \
           "AGAIN    MVI   X'F2F',1\n"                                                                                 \
           "         A     9,=F'1'\n"                                                                                  \
           "         B     COUNT\n"                                                                                    \
           "         LTORG\n"                                                                                          \
           "AGAINPSW DC    0D'0',X'00080000',A(AGAIN)\n"                                                               \
           "         END\n"

static void test_orders_reach_a_cpu_that_is_running(void **state) {
    (void)state;
    for (unsigned depth = 0; depth <= 2; depth++) {
        struct tower t;
        struct cost_model model;
        tower_with_cpus(&t, &model, 2, depth, NULL, NULL);
        load(t.innermost, ORDERS);
        assert_string_equal(machine_status_name(tower_run(&t)), machine_status_name(MACHINE_DISABLED_WAIT));
        assert_int_equal(word(t.innermost, 0xF20), 0);
        assert_int_equal(word(t.innermost, 0xF24), 0x40);
        assert_int_equal(word(t.innermost, 0xF28), 0x0BADCAFF);
        assert_int_equal(word(t.innermost, 0xF2C), 1);
        assert_int_equal(machine_status(t.innermost), MACHINE_DISABLED_WAIT);
        assert_int_equal(machine_cpu_status(t.innermost, 0), CPU_DISABLED_WAIT);
        assert_int_equal(machine_cpu_status(t.innermost, 1), CPU_STOPPED);
        tower_free(&t);
    }
}

/* ---- Waiting ---- */

/* Writes one character and waits for the interruption; then again, five times. */
#define WRITES                                                                                                         \
    PAGE_0 "         MVC   120(8,0),NEW\n"                                                                             \
           "         LA    2,5\n"                                                                                      \
           "WRITE    MVC   72(4,0),=A(CCW)\n"                                                                          \
           "         SIO   X'009'\n"                                                                                   \
           "         LPSW  WAITS\n"                                                                                    \
           "ENDED    BCT   2,WRITE\n" STOP_HERE "         LTORG\n"                                                     \
           "CCW      CCW   X'01',TEXT,X'20',1\n"                                                                       \
           "TEXT     DC    C'X'\n"                                                                                     \
           "NEW      DC    0D'0',X'00080000',A(ENDED)\n"                                                               \
           "WAITS    DC    0D'0',X'020A000000000000'\n"                                                                \
           "         END\n"

static void test_guests_that_wait_leave_the_cpus_to_others_and_come_back(void **state) {
    (void)state;
    for (unsigned order = 0; order < 3; order++) {
        struct host h;
        host_new(&h, 2, NULL);
        for (unsigned n = 0; n < 3; n++)
            host_add(&h, n == order ? COMPUTE : WRITES, 1);
        host_run(&h);
        for (unsigned n = 0; n < 3; n++) {
            assert_int_equal(machine_status(h.guest[n]), MACHINE_DISABLED_WAIT);
            struct machine_state s;
            machine_state(h.guest[n], &s);
            assert_int_equal(s.psw.ia, GUEST_STOPPED);
        }
        host_free(&h);
    }
}

/* CPU 1 computes, enabled for I/O; CPU 0 writes a character, and computes, disabled, until CPU 1 has seen the end. */
#define DEVICE_OF_BOTH                                                                                                 \
    PAGE_0 "         STAP  X'F00'\n"                                                                                   \
           "         LH    1,X'F00'\n"                                                                                 \
           "         LTR   1,1\n"                                                                                      \
           "         BNZ   SECOND\n"                                                                                   \
           "         MVC   120(8,0),NEW\n"                                                                             \
           "         LA    3,1\n"                                                                                      \
           "         SIGP  0,3,X'06'\n"                                                                                \
           "         CLI   X'F10',1\n" /* CPU 1 is there */                                                            \
           "         BNE   *-4\n"                                                                                      \
           "         MVC   72(4,0),=A(CCW)\n"                                                                          \
           "         SIO   X'009'\n"                                                                                   \
           "         CLI   X'F11',1\n"                                                                                 \
           "         BNE   *-4\n" STOP_HERE "SECOND   MVI   X'F10',1\n"                                                \
           "         LPSW  ENABLED\n"                                                                                  \
           "LOOP     B     *\n"                                                                                        \
           "ENDED    MVI   X'F11',1\n" STOP_HERE "         LTORG\n"                                                    \
           "CCW      CCW   X'01',TEXT,X'20',1\n"                                                                       \
           "TEXT     DC    C'X'\n"                                                                                     \
           "NEW      DC    0D'0',X'00080000',A(ENDED)\n"                                                               \
           "ENABLED  DC    0D'0',X'02080000',A(LOOP)\n"                                                                \
           "         END\n"

static void test_a_device_interrupts_the_cpu_that_enables_it(void **state) {
    (void)state;
    for (unsigned depth = 0; depth <= 2; depth++) {
        struct tower t;
        struct cost_model model;
        tower_with_cpus(&t, &model, 2, depth, NULL, NULL);
        load(t.innermost, DEVICE_OF_BOTH);
        assert_string_equal(machine_status_name(tower_run(&t)), machine_status_name(MACHINE_DISABLED_WAIT));
        assert_int_equal(machine_status(t.innermost), MACHINE_DISABLED_WAIT);
        tower_free(&t);
    }
}

/* The bare machine's key is CPU 0's; the guest that is meant runs, or waits, on CPU 1. */
static void test_the_interrupt_key_reaches_a_guest_on_another_cpu(void **state) {
    static const char *const enabled[] = {
        PAGE_0 "         LCTL  0,0,=X'00000040'\n"
               "         LPSW  GOES\n"
               "LOOP     B     *\n"
               "         LTORG\n"
               "GOES     DC    0D'0',X'01080000',A(LOOP)\n"
               "         END\n",
        PAGE_0 "         LCTL  0,0,=X'00000040'\n"
               "         LPSW  WAITS\n"
               "         LTORG\n"
               "WAITS    DC    0D'0',X'010A000000000000'\n"
               "         END\n",
    };
    (void)state;
    for (int n = 0; n < 2; n++) {
        struct host h;
        struct machine_state s;
        host_new(&h, 2, NULL);
        host_add(&h, LOOPS, 1);
        struct machine *g = host_add(&h, enabled[n], 1);
        machine_restart(h.bare);
        machine_run(h.bare, &(struct machine_limits){.cycles = 50000});
        assert_int_equal(machine_status(g), n ? MACHINE_IDLE : MACHINE_READY);
        machine_raise(g, CONDITION_INTERRUPT_KEY);
        machine_run(h.bare, &(struct machine_limits){.cycles = 50000});
        machine_state(g, &s);
        assert_int_equal(s.psw.ia, 0xE01); /* the external new PSW's disabled wait */
        assert_int_equal(machine_status(g), MACHINE_DISABLED_WAIT);
        host_free(&h);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_guests_on_two_cpus_take_half_the_time_of_one_cpu),
        cmocka_unit_test(test_three_guests_on_two_cpus_take_turns),
        cmocka_unit_test(test_turns_on_two_cpus_are_fair),
        cmocka_unit_test(test_a_guest_with_two_cpus_counts_as_bare),
        cmocka_unit_test(test_virtual_cpus_need_not_be_as_many_as_real_ones),
        cmocka_unit_test(test_a_monitor_may_use_fewer_cpus_than_there_are),
        cmocka_unit_test(test_a_machine_that_is_restarted_starts_anew_on_all_cpus),
        cmocka_unit_test(test_a_run_in_pieces_is_the_same_run),
        cmocka_unit_test(test_an_invalidated_page_is_not_used_by_the_other_cpu),
        cmocka_unit_test(test_stores_of_the_other_cpu_into_a_new_table_are_seen),
        cmocka_unit_test(test_a_virtual_cpu_that_comes_back_finds_no_old_translations),
        cmocka_unit_test(test_orders_reach_a_cpu_that_is_running),
        cmocka_unit_test(test_guests_that_wait_leave_the_cpus_to_others_and_come_back),
        cmocka_unit_test(test_a_device_interrupts_the_cpu_that_enables_it),
        cmocka_unit_test(test_the_interrupt_key_reaches_a_guest_on_another_cpu),
    };
    return cmocka_run_group_tests_name("processors", tests, NULL, NULL);
}
