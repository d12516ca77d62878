/* Tests of the monitor "hybrid": guests whose supervisor state is interpreted do what they do bare, at any depth and
 * mixed with the other kind; and on the profile `flawed` it is right exactly where the theory says (Popek and
 * Goldberg's Theorem 3). Random programs under it: test_as_bare.c. */
#include "isa/classify.h"
#include "tests/vmm/guests.h"
#include "tests/vmm/towers.h"

#define TRAP "trap-and-emulate"
#define HYBRID "hybrid"
enum { MANY = 100000000 };

/* ---- Complete guests ---- */

struct guest_run {
    struct bytes lines;
    struct machine_state state;
    struct machine_stats stats;
    enum machine_status status;
    uint32_t total; /* at the symbol TOTAL, if there is one */
    uint8_t storage[96 * 1024];
};

/* Returns the address of TOTAL; 0: there is none. */
static uint32_t load_file(struct machine *m, const char *name) {
    struct error e = ERROR_CLEAR;
    struct assembly a;
    char path[512];
    snprintf(path, sizeof path, "%s/scenarios/guests/%s.s", SOURCE_DIR, name);
    bool ok = assemble_file(&a, path, NULL, &e);
    const struct symbol *total = ok ? assembly_symbol(&a, "TOTAL") : NULL;
    uint32_t at = total ? total->value : 0;
    towers_load(m, &a, ok, &e);
    return at;
}

static void run_file(const char *name, const char *const *kinds, unsigned depth, unsigned cpus, struct guest_run *r) {
    struct cost_model model;
    struct error e = ERROR_CLEAR;
    struct tower t;
    const struct machine_limits limits = {.instructions = MANY};
    *r = (struct guest_run){0};
    assert_true(cost_model_find(&model, "s370", &e));
    const struct machine_options o = {.memory_bytes = sizeof r->storage,
                                      .cpus = cpus,
                                      .model = &model,
                                      .nominal_time = cpus == 1,
                                      .console_line = guests_line,
                                      .line_self = &r->lines};
    if (!tower_new(&t, &o, kinds, depth, &e))
        fail_msg("%s", e.text);
    towers_disk(&t, NUCLEUS_BLOCKS);
    uint32_t total = load_file(t.innermost, name);
    machine_restart(t.innermost);
    r->status = machine_run(t.innermost, &limits);
    machine_state(t.innermost, &r->state);
    machine_stats(t.innermost, &r->stats);
    assert_int_equal(machine_peek(t.innermost, 0, r->storage, sizeof r->storage), ACCESS_OK);
    memset(r->storage + 80, 0, 4);
    r->total = bytes_get32(r->storage + total);
    tower_free(&t);
}

static void assert_same_lines(const struct guest_run *a, const struct guest_run *b, const char *where) {
    if (a->lines.length != b->lines.length ||
        (a->lines.length && memcmp(a->lines.data, b->lines.data, a->lines.length) != 0))
        fail_msg("%s wrote\n%.*s", where, (int)b->lines.length, (const char *)b->lines.data);
}

static void assert_same(const struct guest_run *a, const struct guest_run *b, const char *where) {
    assert_same_lines(a, b, where);
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->state.psw.ia, b->state.psw.ia);
    assert_memory_equal(a->state.gpr, b->state.gpr, sizeof a->state.gpr);
    assert_memory_equal(a->state.cr, b->state.cr, sizeof a->state.cr);
    assert_int_equal(a->state.cpu_timer, b->state.cpu_timer);
    assert_int_equal(a->stats.instructions, b->stats.instructions);
    assert_int_equal(a->stats.nominal_cycles, b->stats.nominal_cycles);
    assert_memory_equal(a->stats.interruptions, b->stats.interruptions, sizeof a->stats.interruptions);
    assert_memory_equal(a->storage, b->storage, sizeof a->storage);
}

static const struct {
    const char *kinds[3];
    unsigned depth;
} towers[] = {
    {{HYBRID}, 1}, {{HYBRID, HYBRID}, 2}, {{TRAP, HYBRID}, 2}, {{HYBRID, TRAP}, 2}, {{HYBRID, TRAP, HYBRID}, 3},
};
enum { TOWERS = sizeof towers / sizeof *towers };

static void compare_file(const char *name, unsigned deepest) {
    static struct guest_run bare, under;
    char where[64];
    run_file(name, NULL, 0, 1, &bare);
    assert_true(bare.lines.length > 0);
    for (unsigned n = 0; n < TOWERS; n++) {
        if (towers[n].depth > deepest)
            continue;
        snprintf(where, sizeof where, "%s, tower %u", name, n);
        run_file(name, towers[n].kinds, towers[n].depth, 1, &under);
        assert_same(&bare, &under, where);
        bytes_fini(&under.lines);
    }
    bytes_fini(&bare.lines);
}

static void test_hybrid_runs_the_small_guests_as_bare(void **state) {
    (void)state;
    compare_file("hello", 3);
    compare_file("walk", 3);
    compare_file("primes", 3);
}

static void test_hybrid_runs_nucleus_as_bare(void **state) {
    (void)state;
    compare_file("nucleus", 2);
}

/* Virtual CPUs that share storage by CS and TS, interpreted and not: the sum of what they found is right. */
static void test_hybrid_runs_several_virtual_cpus(void **state) {
    (void)state;
    static struct guest_run bare, under;
    run_file("team", NULL, 0, 2, &bare);
    for (unsigned n = 0; n < 3; n++) {
        run_file("team", towers[n].kinds, towers[n].depth, 2, &under);
        assert_int_equal(under.total, 303); /* primes */
        assert_int_equal(bare.status, under.status);
        assert_int_equal(bare.state.psw.ia, under.state.psw.ia);
    }
    assert_int_equal(bare.total, 303);
}

/* ---- One instruction after the other ---- */

static const struct guests_setting bare_setting = {.nominal = true},
                                   hybrid_setting = {.kinds = {HYBRID}, .depth = 1, .nominal = true},
                                   trap_setting = {.kinds = {TRAP}, .depth = 1, .nominal = true},
                                   nested_setting = {.kinds = {HYBRID, HYBRID}, .depth = 2, .nominal = true};

/* Both states, DAT, a program interruption that completes and one that does not, EXECUTE, long operands, and a timer
 * that interrupts in the middle. */
// clang-format off
static const char steps_source[] = PAGE_0
    "         SR    0,0\n"
    "         LA    1,100\n"
    "LOOP     AR    0,1\n"
    "         BCT   1,LOOP\n"
    "         LM    4,7,LONG\n"
    "         MVCL  4,6\n"
    "         LM    4,7,LONG\n"
    "         CLCL  4,6\n"
    "         LA    1,5\n"
    "         EX    1,MOVE\n"
    "         EX    0,SVC\n"
    "         SPM   8\n"
    "         A     2,=X'7FFFFFFF'\n"
    "         A     2,=F'1'\n"            /* completed, with a program interruption */
    "         L     2,0(4)\n"             /* outside of storage */
    "         DC    X'0000'\n"
    "         TRT   LONG(4),X'300'\n"
    "         TR    LONG(4),X'7F0'\n"
    "         SPT   SOON\n"
    "         LCTL  0,0,TIMER\n"
    "         STOSM MASK,1\n"
    "         LA    1,50\n"
    "AGAIN    BCT   1,AGAIN\n"
    STOP_HERE
    "MOVE     MVC   X'7FC'(1),X'301'\n"
    "SVC      SVC   7\n"
    "LONG     DC    A(X'2000',X'6000',X'9001'),X'AA005C45'\n"
    "SOON     DC    0D'0',X'0000000000010000'\n"
    "TIMER    DC    X'000004E0'\n"
    "MASK     DC    X'00'\n"
    "         LTORG\n"
    "         ORG   G+88\n"
    "         DC    X'0008000000000440',X'0008000000000480',X'0008000000000400'\n"
    "         ORG   G+X'400'\n"
    "         LM    12,13,X'28'\n"
    "         LPSW  X'28'\n"
    "         ORG   G+X'440'\n"
    "         LCTL  0,0,X'448'\n"
    "         LPSW  X'18'\n"
    "         DC    X'000000E0'\n"
    "         ORG   G+X'480'\n"
    "         L     8,=X'3F000000'\n"
    "         LPSW  X'20'\n"
    "         LTORG\n"
    "         END\n";
// clang-format on

static void begin(struct run *r, const char *source, const struct guests_setting *s) {
    guests_build_as(r, source, s);
    if (s->depth == 0)
        machine_restart(r->tower.innermost);
}

static void test_hybrid_stops_after_each_instruction_as_the_bare_machine_does(void **state) {
    (void)state;
    const struct guests_setting *settings[] = {&hybrid_setting, &nested_setting};
    static struct outcome a, b;
    for (unsigned n = 0; n < 2; n++) {
        struct run bare, under;
        unsigned steps = 0;
        begin(&bare, steps_source, &bare_setting);
        begin(&under, steps_source, settings[n]);
        do {
            guests_look(&bare, guests_go(&bare, 1), &a);
            guests_look(&under, guests_go(&under, 1), &b);
            guests_equal(&a, &b, settings[n]->depth);
        } while (a.status == MACHINE_READY && steps++ < 1000);
        assert_int_equal(a.status, MACHINE_DISABLED_WAIT);
        assert_int_equal(a.state.psw.ia, GUEST_STOPPED);
        assert_true(a.stats.interruptions[INTERRUPTION_EXTERNAL] == 1);
        assert_true(a.stats.interruptions[INTERRUPTION_PROGRAM] >= 2);
        guests_free(&bare);
        guests_free(&under);
    }
}

static void test_hybrid_stops_at_an_address_and_at_traps(void **state) {
    (void)state;
    const struct guests_setting *settings[] = {&bare_setting, &hybrid_setting, &nested_setting};
    for (unsigned n = 0; n < 3; n++) {
        struct run r;
        struct machine_state s;
        struct machine_limits limits = {.has_address = true, .until_address = 0x206, .instructions = 100000};
        begin(&r, steps_source, settings[n]);
        for (unsigned times = 1; times <= 3; times++) {
            assert_int_equal(machine_run(r.tower.innermost, &limits), MACHINE_READY);
            machine_state(r.tower.innermost, &s);
            assert_int_equal(s.psw.ia, 0x206);
            assert_int_equal(s.gpr[1], 101 - times);
        }
        limits = (struct machine_limits){.until_trap = true, .instructions = 100000};
        assert_int_equal(machine_run(r.tower.innermost, &limits), MACHINE_READY);
        machine_state(r.tower.innermost, &s);
        assert_int_equal(s.psw.ia, 0x480); /* SVC */
        guests_free(&r);
    }
}

/* Two guests that never leave supervisor state share the CPU. */
static void test_hybrid_guests_take_turns(void **state) {
    (void)state;
    struct cost_model model;
    struct error e = ERROR_CLEAR;
    static const char loop[] = PAGE_0 "LOOP     LA    1,1(1)\n         B     LOOP\n         END\n";
    assert_true(cost_model_find(&model, "s370", &e));
    const struct machine_options o = {.memory_bytes = 4 << 20, .model = &model};
    struct machine *m = machine_new(&o, &e), *guest[2];
    struct vmm *v = vmm_new(m, HYBRID, &e);
    struct machine_stats stats[2];
    assert_non_null(v);
    for (unsigned n = 0; n < 2; n++) {
        guest[n] = vmm_guest(v, &(struct guest_options){.memory_bytes = 64 * 1024}, &e);
        assert_non_null(guest[n]);
        towers_load_source(guest[n], loop);
        machine_restart(guest[n]);
    }
    machine_restart(m);
    machine_run(m, &(struct machine_limits){.cycles = 50000000});
    for (unsigned n = 0; n < 2; n++)
        machine_stats(guest[n], &stats[n]);
    assert_in_range(stats[0].instructions, stats[1].instructions * 8 / 10, stats[1].instructions * 12 / 10);
    assert_in_range(stats[0].instructions, 10000, 2500000);
    vmm_free(v);
    machine_free(m);
}

/* ---- The profile flawed ---- */

#define FLAWED_END                                                                                                     \
    "USERPSW  DC    0D'0',X'0009000000000600'\n"                                                                       \
    "SEEN     DC    0D'0',XL8'00'\n"                                                                                   \
    "SOON     DC    X'FF00000000000000'\n"                                                                             \
    "OFF      DC    X'00003000'\n"                                                                                     \
    "TIMER    DC    X'000004E0'\n"                                                                                     \
    "MASK     DC    X'00'\n"                                                                                           \
    "         END\n"

/* Each does something that the instruction decides; `user`: in problem state. */
static const struct {
    const char *mnemonic;
    bool user;
    const char *source;
} flawed[] = {
    /* Having left supervisor state, it may not load a PSW. */
    {"RTU", false, PAGE_0 "         RTU   USER\nUSER     LPSW  X'E08'\n" FLAWED_END},
    /* Having masked them off, it gets no external interruption. */
    {"LPM", false,
     PAGE_0 "         SPT   SOON\n         STOSM MASK,1\n         LPM   OFF\n         LCTL  0,0,TIMER\n"
            "         NOPR  0\n" STOP_HERE FLAWED_END},
    {"SPS", false, PAGE_0 "         SPS   SEEN\n" STOP_HERE FLAWED_END},
    {"RTU", true,
     PAGE_0 "         LPSW  USERPSW\n         ORG   G+X'600'\n         RTU   X'610'\n         ORG   G+X'610'\n"
            "         SVC   0\n" FLAWED_END},
    {"LPM", true,
     PAGE_0 "         LPSW  USERPSW\n         ORG   G+X'600'\n         LPM   OFF\n         BALR  3,0\n"
            "         SVC   0\n" FLAWED_END},
    {"SPS", true,
     PAGE_0 "         LPSW  USERPSW\n         ORG   G+X'600'\n         SPS   SEEN\n         SVC   0\n" FLAWED_END},
};
enum { FLAWED = sizeof flawed / sizeof *flawed };

static bool same_as_bare(const char *source, const struct guests_setting *under) {
    static struct outcome a, b;
    struct guests_setting bare = {.nominal = true, .profile = PROFILE_FLAWED}, s = *under;
    s.profile = PROFILE_FLAWED;
    guests_run_as(source, &bare, 10000, &a);
    guests_run_as(source, &s, 10000, &b);
    assert_int_equal(a.status, MACHINE_DISABLED_WAIT);
    return a.status == b.status && a.state.psw.ia == b.state.psw.ia && a.state.psw.state == b.state.psw.state &&
           memcmp(a.state.gpr, b.state.gpr, sizeof a.state.gpr) == 0 &&
           memcmp(a.storage, b.storage, sizeof a.storage) == 0 &&
           memcmp(a.stats.interruptions, b.stats.interruptions, sizeof a.stats.interruptions) == 0;
}

/* What the classifier says of one of them, and so what monitors can do about it. */
static void theory(const char *mnemonic, bool *sensitive, bool *user_sensitive) {
    struct classification c;
    struct error e = ERROR_CLEAR;
    struct theorem third;
    const struct classify_options o = {
        .profile = PROFILE_FLAWED, .seed = CLASSIFY_SEED, .only = instruction_find(mnemonic)};
    if (!classify(&c, &o, &e))
        fail_msg("%s", e.text);
    assert_false(c.verdict->privileged);
    *sensitive = verdict_sensitive(c.verdict);
    *user_sensitive = c.verdict->user_sensitive;
    classification_theorem(&c, 3, &third);
    assert_int_equal(third.holds, !*user_sensitive);
    classification_free(&c);
}

static void test_hybrid_is_right_on_the_flawed_profile_as_far_as_theorem_3_holds(void **state) {
    (void)state;
    for (unsigned n = 0; n < FLAWED; n++) {
        const char *source = flawed[n].source;
        bool sensitive, user_sensitive;
        theory(flawed[n].mnemonic, &sensitive, &user_sensitive);
        assert_true(sensitive);
        bool trap_right = same_as_bare(source, &trap_setting);
        bool hybrid_right = same_as_bare(source, &hybrid_setting);
        bool nested_right = same_as_bare(source, &nested_setting);
        if (trap_right != (flawed[n].user && !user_sensitive) || hybrid_right != !(flawed[n].user && user_sensitive) ||
            nested_right != hybrid_right)
            fail_msg("%s in %s state: as bare under trap-and-emulate %d, under hybrid %d, under two %d",
                     flawed[n].mnemonic, flawed[n].user ? "problem" : "supervisor", trap_right, hybrid_right,
                     nested_right);
    }
}

/* The very differences: what a program on the flawed machine sees. */
static void test_trap_and_emulate_misses_what_does_not_trap(void **state) {
    (void)state;
    static const struct {
        unsigned program;
        uint32_t bare, trap;
    } ends[] = {{0, 0xE03, 0xE00}, {1, 0xE00, 0xE01}};
    static struct outcome o;
    for (unsigned n = 0; n < 2; n++) {
        struct guests_setting s[] = {bare_setting, hybrid_setting, trap_setting};
        const uint32_t expected[] = {ends[n].bare, ends[n].bare, ends[n].trap};
        for (unsigned k = 0; k < 3; k++) {
            s[k].profile = PROFILE_FLAWED;
            guests_run_as(flawed[ends[n].program].source, &s[k], 10000, &o);
            assert_int_equal(o.state.psw.ia, expected[k]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hybrid_runs_the_small_guests_as_bare),
        cmocka_unit_test(test_hybrid_runs_nucleus_as_bare),
        cmocka_unit_test(test_hybrid_runs_several_virtual_cpus),
        cmocka_unit_test(test_hybrid_stops_after_each_instruction_as_the_bare_machine_does),
        cmocka_unit_test(test_hybrid_stops_at_an_address_and_at_traps),
        cmocka_unit_test(test_hybrid_guests_take_turns),
        cmocka_unit_test(test_hybrid_is_right_on_the_flawed_profile_as_far_as_theorem_3_holds),
        cmocka_unit_test(test_trap_and_emulate_misses_what_does_not_trap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
