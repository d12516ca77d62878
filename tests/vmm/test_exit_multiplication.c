/* Exits multiply: how many interruptions of the bare CPU one privileged instruction of the innermost guest causes.
 *
 * With handle(x) the privileged instructions that a monitor executes from the trap of x to the LPSW that gives control
 * away, that LPSW included, and reflect(x) those with which it gives the trap to its guest instead,
 *
 *     T_x(d) = 1 + sum over j = 1..d-2 and y in reflect(x) of T_y(j) + sum over y in handle(x) of T_y(d-1)
 *
 * at depth d: the trap itself; d - 2 monitors that reflect it (the lowest does so on the bare machine, where nothing
 * traps); and the one that handles it, whose own privileged instructions are traps at depth d - 1.
 *
 * handle and reflect are watched, in the trace, at depths 1 and 2; T is computed from them, and compared at depths 1 to
 * 5 with what the bare CPU counts for one execution more in a loop that is warm. Where x makes shadow entries invalid,
 * they are filled again; each filling by the monitor at depth k is a trap at that depth, T_fill(k), and these are
 * listed apart: how many there are is taken from the monitors' own counters.
 *
 * What needs care: an LPSW of a monitor is not that of a guest with DAT off, for it turns DAT on, so its handling
 * includes LCTL; STCK traps in nominal time only, so it counts nothing in default time; and with a PSW key other than 0
 * a monitor asks for storage keys, with ISK, before it fetches. That is why handle is a property of x and of the state
 * in which it is executed, not of its operation code. */
#include "base/trace.h"
#include "isa/cells.h"
#include "tests/vmm/guests.h"

enum { DEPTHS = 5, X_ADDRESS = 0x800, WARM = 6, LIST_MOST = 16, SUBJECTS_MOST = 24, NAME_BYTES = 16, TRAPS_MOST = 3 };

/* Privileged instructions, in order. */
struct list {
    unsigned count;
    char name[LIST_MOST][NAME_BYTES];
};

static void append(struct list *l, const char *name) {
    assert_true(l->count < LIST_MOST);
    snprintf(l->name[l->count++], NAME_BYTES, "%s", name);
}

static bool same(const struct list *a, const struct list *b) {
    return a->count == b->count && memcmp(a->name, b->name, a->count * sizeof a->name[0]) == 0;
}

static const char *text_of(const struct list *l) {
    static char text[2][LIST_MOST * NAME_BYTES];
    static unsigned turn;
    char *to = text[turn++ & 1];
    size_t at = 0;
    to[0] = 0;
    for (unsigned n = 0; n < l->count; n++)
        at += (size_t)snprintf(to + at, sizeof text[0] - at, "%s%s", n ? " " : "", l->name[n]);
    return to;
}

/* ---- Watching ---- */

/* How a monitor handled an instruction of its guest's. */
struct subject {
    char name[NAME_BYTES];
    bool known, traps;
    struct list handle;
};

enum { BARE, VIRTUAL, WATCHED_LEVELS }; /* the machines of the two monitors watched */

/* The activation of a monitor that is going on. */
struct activation {
    bool on, filled, reflected;
    struct list cells;
};

struct watch {
    unsigned depth;
    bool within; /* the iteration that is watched */
    unsigned iterations;
    struct activation now[WATCHED_LEVELS];
    char pending[NAME_BYTES]; /* what the upper monitor is executing; "": nothing */

    struct subjects *monitors;
    unsigned traps; /* of one time round */
    struct list handle[TRAPS_MOST];
    struct list reflect[TRAPS_MOST]; /* at depth 2 */
};

/* What monitors execute, and how it is handled: what one example shows is used for all. */
struct subjects {
    unsigned count;
    struct list reflect;
    struct subject of[SUBJECTS_MOST];
};

static const struct subject *find(const struct subjects *all, const char *name) {
    for (unsigned n = 0; n < all->count; n++)
        if (strcmp(all->of[n].name, name) == 0)
            return &all->of[n];
    return NULL;
}

static struct subject *subject(struct subjects *all, const char *name) {
    for (unsigned n = 0; n < all->count; n++)
        if (strcmp(all->of[n].name, name) == 0)
            return &all->of[n];
    assert_true(all->count < SUBJECTS_MOST);
    struct subject *s = &all->of[all->count++];
    *s = (struct subject){0};
    snprintf(s->name, sizeof s->name, "%s", name);
    return s;
}

/* One handling of what a monitor executes. All are to be the same, or T is no function of it. */
static void learn(struct watch *w, const char *name, bool traps, const struct list *handle) {
    struct subject *s = subject(w->monitors, name);
    if (s->known && (s->traps != traps || !same(&s->handle, handle)))
        fail_msg("%s is handled by '%s' and by '%s' (depth %u)", name, text_of(&s->handle), text_of(handle), w->depth);
    s->known = true;
    s->traps = traps;
    s->handle = *handle;
}

/* It was not interrupted when it did this: the machine below allows it. */
static void settle_pending(struct watch *w) {
    static const struct list nothing;
    if (w->pending[0])
        learn(w, w->pending, false, &nothing);
    w->pending[0] = 0;
}

/* Of a cell. LCTL of masks is handled otherwise than LCTL of a space. */
static const char *cell_name(const struct trace_event *e) {
    unsigned cell = (unsigned)(e->a - SUPERVISOR_CELLS) / 16;
    return cell == CELL_LCTL_8 ? "LCTL-8" : cell == CELL_LCTL_0_1 ? "LCTL-0-1" : e->text;
}

/* A monitor gives control away. */
static void finish(struct watch *w, int level) {
    struct activation *a = &w->now[level];
    bool upper = level == (int)w->depth - 1;
    append(&a->cells, "LPSW");
    if (a->filled)
        learn(w, "fill", true, &a->cells);
    else if (upper) {
        assert_true(w->traps < TRAPS_MOST);
        w->handle[w->traps++] = a->cells;
    } else if (a->reflected)
        w->reflect[w->traps] = a->cells;
    else if (w->pending[0])
        learn(w, w->pending, true, &a->cells);
    else
        fail_msg("an activation for nothing");
    if (upper && w->depth == 2)
        snprintf(w->pending, sizeof w->pending, "LPSW");
    else if (!a->filled)
        w->pending[0] = 0;
    a->on = false;
}

static bool begins_iteration(const struct trace_event *e) {
    return e->kind == TRACE_TRAP && e->level == BARE && strcmp(e->text, "missing page") != 0 &&
           e->b - e->c == X_ADDRESS;
}

static void watch(void *self, const struct trace_event *e) {
    struct watch *w = self;
    if (e->level >= WATCHED_LEVELS)
        return;
    struct activation *a = &w->now[e->level];
    if (begins_iteration(e)) {
        w->within = ++w->iterations == WARM;
        w->pending[0] = 0;
    }
    if (e->kind == TRACE_ACTIVATION) {
        *a = (struct activation){.on = true};
        return;
    }
    if (!w->within || !a->on)
        return;
    if (e->level == VIRTUAL && e->kind != TRACE_DISPATCH)
        settle_pending(w);
    switch (e->kind) {
    case TRACE_CELL:
        append(&a->cells, cell_name(e));
        if (e->level == VIRTUAL)
            snprintf(w->pending, sizeof w->pending, "%s", cell_name(e));
        break;
    case TRACE_REFLECT: a->reflected = true; break;
    case TRACE_SHADOW_FILL: a->filled = true; break;
    case TRACE_DISPATCH:
        if (e->level == VIRTUAL)
            settle_pending(w);
        finish(w, e->level);
        break;
    default: break;
    }
}

/* ---- Running ---- */

/* The loop: one x each time round, at X_ADDRESS. */
static const char loop[] = PAGE_0 "%s"
                                  "         LA    5,%u\n"
                                  "         B     LOOP\n"
                                  "         ORG   G+X'%X'\n"
                                  "LOOP     %s\n"
                                  "NEXT     DS    0H\n"
                                  "%s"
                                  "%s         BCT   5,LOOP\n" STOP_HERE "         LTORG\n"
                                  "         DS    0D\n"
                                  "ZERO     DC    X'00'\n"
                                  "         DS    0D\n"
                                  "WORK     DS    16F\n"
                                  "ON       DC    X'04080000',A(START)\n"
                                  "KEYED    DC    X'00580000',A(START)\n"
                                  "AGAIN    DC    X'00080000',A(NEXT)\n"
                                  "DATAGAIN DC    X'04080000',A(NEXT)\n"
                                  "BACK     DC    X'04080000',A(THERE)\n"
                                  "CRS      DC    X'00800000',X'0F004000'\n"
                                  "         END\n";

struct counted {
    uint64_t interruptions;
    uint64_t fills[DEPTHS]; /* by the monitor at depth 1, 2, ... */
};

struct example {
    const char *name, *setup, *x, *rest;
    bool nominal;
};

static struct trace *run_example(const struct example *x, unsigned times, unsigned depth, struct watch *w,
                                 struct counted *to) {
    struct run r;
    struct outcome *o = malloc(sizeof *o);
    struct trace *t = w ? trace_new() : NULL;
    char source[8192];
    assert_non_null(o);
    snprintf(source, sizeof source, loop, x->setup, times, X_ADDRESS, x->x, x->rest,
             strstr(x->rest, "THERE") ? "" : "THERE    DS    0H\n");
    guests_build_traced(&r, source, depth, x->nominal, t);
    if (w)
        trace_subscribe(t,
                        1u << TRACE_CELL | 1u << TRACE_TRAP | 1u << TRACE_REFLECT | 1u << TRACE_SHADOW_FILL |
                            1u << TRACE_ACTIVATION | 1u << TRACE_DISPATCH,
                        watch, w);
    guests_look(&r, guests_go(&r, 100000), o);
    if (o->status != MACHINE_DISABLED_WAIT || o->state.psw.ia != GUEST_STOPPED)
        fail_msg("%s at depth %u: %s at %06X", x->name, depth, machine_status_name(o->status), o->state.psw.ia);
    struct machine_stats stats;
    machine_stats(r.tower.bare, &stats);
    *to = (struct counted){0};
    for (int c = 0; c < INTERRUPTION_CLASSES; c++)
        to->interruptions += stats.interruptions[c];
    for (unsigned n = 0; n < depth; n++) {
        struct vmm_stats s;
        vmm_stats(r.tower.monitor[n], &s);
        to->fills[n] = s.shadow_faults;
    }
    guests_free(&r);
    free(o);
    return t;
}

static void watch_example(const struct example *x, unsigned depth, struct subjects *monitors, struct watch *w) {
    struct counted c;
    *w = (struct watch){.depth = depth, .monitors = monitors};
    trace_free(run_example(x, WARM + 2, depth, w, &c));
    if (w->traps == 0)
        fail_msg("%s: nothing was seen at depth %u", x->name, depth);
}

/* ---- Computing ---- */

static uint64_t t_list(const struct subjects *all, const struct list *l, unsigned depth);

/* Of what is handled by `handle` and reflected by `reflect`. */
static uint64_t t_trap(const struct subjects *all, const struct list *handle, const struct list *reflect,
                       unsigned depth) {
    uint64_t t = 1;
    if (depth == 0)
        return 0;
    for (unsigned j = 1; j + 2 <= depth; j++)
        t += t_list(all, reflect, j);
    return t + t_list(all, handle, depth - 1);
}

static uint64_t t_list(const struct subjects *all, const struct list *l, unsigned depth) {
    uint64_t t = 0;
    for (unsigned n = 0; depth > 0 && n < l->count; n++) {
        const struct subject *s = find(all, l->name[n]);
        if (!s)
            fail_msg("nobody has seen how %s is handled", l->name[n]);
        t += s->traps ? t_trap(all, &s->handle, &all->reflect, depth) : 0;
    }
    return t;
}

/* ---- The examples ---- */

#define DAT_ON                                                                                                         \
    "         L     1,=X'00004000'\n"                                                                                  \
    "         L     2,=X'00005000'\n"                                                                                  \
    "         LA    3,16\n"                                                                                            \
    "         LA    4,0\n"                                                                                             \
    "PTES     STH   4,0(,2)\n"                                                                                         \
    "         LA    2,2(,2)\n"                                                                                         \
    "         LA    4,16(,4)\n"                                                                                        \
    "         BCT   3,PTES\n"                                                                                          \
    "         LA    3,255\n"                                                                                           \
    "         LA    4,1\n"                                                                                             \
    "STES     ST    4,4(,1)\n"                                                                                         \
    "         LA    1,4(,1)\n"                                                                                         \
    "         BCT   3,STES\n"                                                                                          \
    "         L     1,=X'00004000'\n"                                                                                  \
    "         L     2,=X'00005000'\n"                                                                                  \
    "         L     3,=X'F0005000'\n"                                                                                  \
    "         ST    3,0(,1)\n"                                                                                         \
    "         LCTL  0,1,CRS\n"                                                                                         \
    "         L     6,=X'00007000'\n"                                                                                  \
    "         LPSW  ON\n"                                                                                              \
    "START    DS    0H\n"
#define DAT_OFF                                                                                                        \
    "         L     6,=X'00007000'\n"                                                                                  \
    "START    DS    0H\n"

// clang-format off
static const struct example examples[] = {
    {"SSM",                    DAT_OFF, "SSM   ZERO", "", true},
    {"SSM, default time",      DAT_OFF, "SSM   ZERO", "", false},
    {"STNSM",                  DAT_OFF, "STNSM WORK,255", "", true},
    {"STOSM",                  DAT_OFF, "STOSM WORK,0", "", true},
    {"LPSW",                   DAT_OFF, "LPSW  AGAIN", "", true},
    {"LPSW, DAT on",           DAT_ON,  "LPSW  DATAGAIN", "", true},
    {"STCK",                   DAT_OFF, "STCK  WORK", "", true},
    {"SSM and STCK, default time", DAT_OFF, "SSM   ZERO", "         STCK  WORK\n", false},
    {"LCTL",                   DAT_OFF, "LCTL  9,9,WORK", "", true},
    {"LCTL of masks",          DAT_OFF, "LCTL  8,8,WORK", "         LA    7,1(,7)\n         ST    7,WORK\n", true},
    {"LCTL 0, 1, DAT on",      DAT_ON,  "LCTL  0,1,CRS", "", true},
    {"STCTL",                  DAT_OFF, "STCTL 0,15,WORK", "", true},
    {"PTLB",                   DAT_OFF, "PTLB", "", true},
    {"PTLB, DAT on",           DAT_ON,  "PTLB", "", true},
    {"IPTE of nothing",        DAT_ON,  "DC    X'B2210026'", "", true},
    {"IPTE, DAT on",           DAT_ON,  "DC    X'B2210026'",
                                        "         MVC   14(2,2),=X'0070'\n         IC    7,0(,6)\n", true},
    {"ISK",                    DAT_OFF, "ISK   7,6", "", true},
    {"SSK",                    DAT_OFF, "SSK   7,6", "", true},
    {"RRB",                    DAT_OFF, "RRB   0(6)", "", true},
    {"SPX",                    DAT_OFF, "SPX   WORK", "         IC    7,0(,6)\n", true},
    {"SPT",                    DAT_OFF, "SPT   WORK", "", true},
    {"STPT",                   DAT_OFF, "STPT  WORK", "", true},
    {"STIDP",                  DAT_OFF, "STIDP WORK", "", true},
    {"SPKA",                   DAT_OFF, "SPKA  0", "", true},
    {"LRA, DAT on",            DAT_ON,  "LRA   7,0(,6)", "", true},
    {"TCH",                    DAT_OFF, "TCH   0", "", true},
    {"SVC",                    DAT_OFF "         MVC   96(8),AGAIN\n", "SVC   7", "", true},
    {"SVC with DAT on, and LPSW back",
                               "         MVC   96(8),AGAIN\n" DAT_ON, "SVC   7", "         LPSW  BACK\nTHERE    DS    0H\n", true},
    {"the same, default time",
                               "         MVC   96(8),AGAIN\n" DAT_ON, "SVC   7", "         LPSW  BACK\nTHERE    DS    0H\n", false},
    {"SVC, DAT on",            "         MVC   96(8),DATAGAIN\n" DAT_ON, "SVC   7", "", true},
    {"a program check",        DAT_OFF "         MVC   104(8),AGAIN\n", "DC    H'0'", "", true},
    {"an unknown instruction, default time", DAT_OFF "         MVC   104(8),AGAIN\n", "DC    X'B2FF0000'", "", false},
    {"SSM with a key",         "         L     6,=X'00007000'\n         LPSW  KEYED\nSTART    DS    0H\n", "SSM   ZERO", "", true},
    {"SSM with a key, default time", "         L     6,=X'00007000'\n         LPSW  KEYED\nSTART    DS    0H\n", "SSM   ZERO", "", false},
};
// clang-format on
enum { EXAMPLES = sizeof examples / sizeof *examples };

static void check(const struct example *x, const struct watch *w) {
    for (unsigned n = 0; n < w->traps; n++)
        print_message("%-38s handled by %s; reflected by %s\n", n ? "  and" : x->name, text_of(&w->handle[n]),
                      text_of(&w->reflect[n]));
    for (unsigned depth = 1; depth <= DEPTHS; depth++) {
        struct counted before, after;
        run_example(x, WARM, depth, NULL, &before);
        run_example(x, WARM + 1, depth, NULL, &after);
        uint64_t seen = after.interruptions - before.interruptions, fills = 0, t_fills = 0, t = 0;
        for (unsigned n = 0; n < w->traps; n++)
            t += t_trap(w->monitors, &w->handle[n], &w->reflect[n], depth);
        for (unsigned n = 0; n < depth; n++) {
            uint64_t more = after.fills[n] - before.fills[n];
            const struct list again = {1, {"fill"}};
            fills += more;
            t_fills += more ? more * t_list(w->monitors, &again, n + 1) : 0;
        }
        print_message("    depth %u: %" PRIu64 " + %" PRIu64 " for %" PRIu64 " fills; counted %" PRIu64 "\n", depth, t,
                      t_fills, fills, seen);
        if (seen != t + t_fills)
            fail_msg("%s at depth %u: %" PRIu64 " computed and %" PRIu64 " for %" PRIu64 " fills, but %" PRIu64
                     " counted",
                     x->name, depth, t, t_fills, fills, seen);
    }
}

static void test_exits_multiply_as_computed(void **state) {
    struct subjects monitors[2] = {{0}, {0}}; /* in default and in nominal time */
    struct watch one, w[EXAMPLES];
    (void)state;
    for (size_t n = 0; n < EXAMPLES; n++) {
        const struct example *x = &examples[n];
        watch_example(x, 1, &monitors[x->nominal], &one);
        watch_example(x, 2, &monitors[x->nominal], &w[n]);
        assert_int_equal(one.traps, w[n].traps);
        for (unsigned k = 0; k < one.traps; k++)
            if (!same(&one.handle[k], &w[n].handle[k]))
                fail_msg("%s: handled by '%s' at depth 1, by '%s' at depth 2", x->name, text_of(&one.handle[k]),
                         text_of(&w[n].handle[k]));
        if (monitors[x->nominal].reflect.count == 0)
            monitors[x->nominal].reflect = w[n].reflect[0];
    }
    for (int nominal = 0; nominal < 2; nominal++)
        for (unsigned n = 0; n < monitors[nominal].count; n++) {
            const struct subject *s = &monitors[nominal].of[n];
            print_message("%-20s %-6s of a monitor: %s\n", nominal ? "in nominal time," : "in default time,", s->name,
                          s->traps ? text_of(&s->handle) : "does not trap");
        }
    for (size_t n = 0; n < EXAMPLES; n++)
        check(&examples[n], &w[n]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exits_multiply_as_computed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
