/* The benchmark "nest": what monitors on monitors cost, in host time and in simulated cycles.
 *
 *   traps       one loop for each kind of trap; what an empty loop of the same length takes is taken off
 *   fills       a guest that touches pages and purges
 *   innocuous   code that never traps, at depths 0 to 4
 *   nucleus.s   the operating system among the guests, at depths 0 to 5, and under both policies of shadow paging
 *
 * Counts and cycles are exact and the same in every run; only seconds are measured. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ui/cli/bench_program.h"
#include "ui/cli/cli.h"

enum { ROUNDS = 3, DEEPEST = 5, DEEPEST_INNOCUOUS = 4 };

// clang-format off
static const char source[] =
    BENCH_FRAME
    "TABLE    B     EMPTY\n"
    "         B     KEY\n"
    "         B     SPACE\n"
    "         B     CALL\n"
    "         B     MIX\n"
    "         B     TOUCH\n"
    "EMPTY    BCT   7,EMPTY\n"
    "         B     DONE\n"
    "KEY      SPKA  0                        INTERPRETED, AND NOTHING ELSE\n"
    "         BCT   7,KEY\n"
    "         B     DONE\n"
    "SPACE    LCTL  1,1,=X'00010000'         THE OTHER SPACE: HALF OF THE SEGMENT TABLE\n"
    "         LCTL  1,1,ORIGIN\n"
    "         BCT   7,SPACE\n"
    "         B     DONE\n"
    "CALL     MVC   96(8,0),CALLED           SVC NEW PSW\n"
    "         STOSM SCRATCH,0\n"
    "         MVC   96(1,0),SCRATCH          WITH DAT, IF IT IS ON\n"
    "CALLS    SVC   1                        REFLECTED; THE LPSW IS INTERPRETED\n"
    "         BCT   7,CALLS\n"
    "         B     DONE\n"
    "BACK     LPSW  32(0)\n"
    "MIX      L     8,0(,13)\n"
    "         AR    8,3\n"
    "         ST    8,8(,13)\n"
    "         LA    9,1(,8)\n"
    "         CR    8,9\n"
    "         BH    DONE                     NEVER\n"
    "         MVC   16(8,13),0(13)\n"
    "         N     9,4(,13)\n"
    "         IC    10,5(,13)\n"
    "         BCT   7,MIX\n"
    "         B     DONE\n"
    "TOUCH    LA    8,224                    PAGES FROM 20000 ON\n"
    "         L     9,=X'00020000'\n"
    "PAGES    IC    10,0(,9)\n"
    "         LA    9,2048(,9)\n"
    "         LA    9,2048(,9)\n"
    "         BCT   8,PAGES\n"
    "         PTLB\n"
    "         BCT   7,TOUCH\n"
    "         B     DONE\n"
    "CALLED   DC    0D'0',X'0008000000000000'\n"
    "         ORG   CALLED+4\n"
    "         DC    A(BACK)\n"
    "ORIGIN   DC    X'0F010000'\n"
    BENCH_END;
// clang-format on

enum loop { EMPTY, KEY, SPACE, CALL, MIX, TOUCH };
enum { TRAP_COUNT = 100000, PASSES = 200, MIX_COUNT = 4000000 };

static const struct trap {
    const char *name;
    enum loop loop;
    unsigned per_iteration; /* trapping instructions */
} traps[] = {
    {"SPKA", KEY, 1},
    {"LCTL of another address space", SPACE, 2},
    {"SVC, and LPSW", CALL, 2},
};

/* Fewer iterations at greater depth: there one trap makes many. */
static uint32_t trap_count(unsigned depth) { return TRAP_COUNT >> 2 * (depth - 1); }

static void report(struct bench *b, double value, const char *unit, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void report(struct bench *b, double value, const char *unit, const char *format, ...) {
    char measure[80];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(measure, sizeof measure, format, arguments);
    va_end(arguments);
    bench_report(b, measure, value, unit, NULL, 0);
}

/* The least CPU time of some rounds; everything else is the same in all of them. */
static bool best_of(const struct bytes *image, const struct bench_place *place, struct bench_run *to, struct error *e) {
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct bench_run run;
        if (!bench_run(image, place, &run, e))
            return false;
        if (round == 0 || run.seconds < to->seconds)
            *to = run;
    }
    return true;
}

/* What `count` iterations of a loop take more than those of the empty one, with DAT on. */
static bool difference(struct bytes *image, enum loop loop, unsigned depth, uint32_t count, struct bench_run *to,
                       struct error *e) {
    struct bench_run empty;
    const struct bench_place place = {.depth = depth};
    bench_choose(image, loop, true, count);
    if (!best_of(image, &place, to, e))
        return false;
    bench_choose(image, EMPTY, true, count);
    if (!best_of(image, &place, &empty, e))
        return false;
    to->seconds -= empty.seconds;
    to->cycles -= empty.cycles;
    to->interruptions -= empty.interruptions;
    return true;
}

/* ---- Traps ---- */

static bool measure_trap(struct bench *b, struct bytes *image, const struct trap *t, struct error *e) {
    for (unsigned depth = 1; depth <= DEEPEST && !bench_interrupted(b); depth++) {
        struct bench_run run;
        uint32_t count = trap_count(depth);
        double instructions = (double)count * t->per_iteration;
        if (!difference(image, t->loop, depth, count, &run, e))
            return false;
        report(b, (double)run.interruptions / instructions, "traps", "%s, depth %u", t->name, depth);
        report(b, (double)run.cycles / instructions, "cycles", "%s, depth %u", t->name, depth);
        report(b, run.seconds * 1e9 / (double)run.interruptions, "ns", "%s, depth %u, a bare trap", t->name, depth);
    }
    return true;
}

/* ---- Shadow entries ---- */

/* One fill a page and pass, by the monitor below the guest; what others fill for that monitor happens once. */
static bool measure_fills(struct bench *b, struct bytes *image, struct error *e) {
    for (unsigned depth = 1; depth <= DEEPEST && !bench_interrupted(b); depth++) {
        struct bench_run run;
        if (!difference(image, TOUCH, depth, PASSES >> (depth - 1), &run, e))
            return false;
        double fills = (double)run.monitor[depth - 1].shadow_faults;
        report(b, (double)run.cycles / fills, "cycles", "shadow fill, depth %u", depth);
        report(b, run.seconds * 1e9 / fills, "ns", "shadow fill, depth %u", depth);
    }
    return true;
}

/* A guest that purges and has changed nothing: for one policy everything is gone, for the other nothing. */
static bool measure_purges(struct bench *b, struct bytes *image, struct error *e) {
    static const struct {
        const char *name;
        enum shadow_policy policy;
    } policies[] = {{"purge", SHADOW_PURGE}, {"protect", SHADOW_PROTECT}};
    for (unsigned n = 0; n < 2 && !bench_interrupted(b); n++) {
        struct bench_run run;
        struct monitor_options options = vmm_default_options();
        options.policy = policies[n].policy;
        bench_choose(image, TOUCH, true, PASSES);
        if (!best_of(image, &(struct bench_place){.depth = 1, .options = &options}, &run, e))
            return false;
        report(b, (double)run.interruptions / PASSES, "traps", "224 pages and a PTLB, policy %s", policies[n].name);
        report(b, (double)run.cycles / PASSES, "cycles", "224 pages and a PTLB, policy %s", policies[n].name);
    }
    return true;
}

/* ---- Code that does not trap ---- */

static bool measure_innocuous(struct bench *b, struct bytes *image, struct error *e) {
    double seconds[DEEPEST_INNOCUOUS + 1] = {0};
    struct bench_run run = {0};
    bench_choose(image, MIX, true, MIX_COUNT);
    for (unsigned round = 0; round < ROUNDS; round++) /* the depths in turn: a busy host hurts all alike */
        for (unsigned depth = 0; depth <= DEEPEST_INNOCUOUS && !bench_interrupted(b); depth++) {
            if (!bench_run(image, &(struct bench_place){.depth = depth}, &run, e))
                return false;
            if (round == 0 || run.seconds < seconds[depth])
                seconds[depth] = run.seconds;
        }
    for (unsigned depth = 0; depth <= DEEPEST_INNOCUOUS && !bench_interrupted(b); depth++) {
        char measure[80];
        snprintf(measure, sizeof measure, "innocuous code, DAT on, depth %u", depth);
        bench_report(b, measure, (double)run.instructions / 1e6 / seconds[depth], "MIPS", depth ? "bare, DAT on" : NULL,
                     seconds[0] / seconds[depth]);
    }
    return true;
}

/* ---- nucleus.s ---- */

enum { NUCLEUS_BLOCKS = 1216, NUCLEUS_MOST = 1 << 20, SIZES = 3 };
static const uint32_t sizes[SIZES] = {64 * 1024, 96 * 1024, 1024 * 1024};

/* False, and no error, when it is not among the product's scenarios: then it is left out. */
static bool find_nucleus(struct bench *b, struct bytes *image, struct error *e) {
    char path[4096 + 32];
    struct bytes text = {0};
    if (!cli_scenarios(path, 4096)) {
        bench_note(b, "the scenarios of cloud370 are not found: no figures for nucleus.s");
        return false;
    }
    strcat(path, "/guests/nucleus.s");
    bool ok = bytes_read_file(&text, path, NUCLEUS_MOST, e) &&
              bench_assemble(b, "nucleus.s", (const char *)text.data, text.length, image, e);
    bytes_fini(&text);
    return ok;
}

static void report_nucleus(struct bench *b, const char *where, const struct bench_run *run, unsigned depth) {
    report(b, (double)run->instructions / 1e6, "million", "%s, its instructions", where);
    report(b, (double)run->interruptions, "traps", "%s, bare machine", where);
    if (depth > 0)
        report(b, (double)run->monitor[depth - 1].shadow_faults, "fills", "%s, innermost monitor", where);
    report(b, (double)run->cycles / 1e6, "Mcycles", "%s, but for waiting", where);
    report(b, run->seconds, "s", "%s", where);
}

/* One round each: the deepest run takes long enough to be measured by itself. */
static bool measure_depths(struct bench *b, const struct bytes *image, struct error *e) {
    for (unsigned size = 0; size < SIZES; size++)
        for (unsigned depth = 0; depth <= DEEPEST && !bench_interrupted(b); depth++) {
            char where[64];
            struct bench_run run;
            const struct bench_place place = {.memory = sizes[size], .depth = depth, .disk_blocks = NUCLEUS_BLOCKS};
            if (!bench_run(image, &place, &run, e))
                return false;
            snprintf(where, sizeof where, "nucleus.s, %uK, depth %u", sizes[size] / 1024, depth);
            report_nucleus(b, where, &run, depth);
        }
    return true;
}

static const struct variant {
    const char *name;
    struct monitor_options options;
} variants[] = {
    {"purge, 1 space", {.spaces = 1, .policy = SHADOW_PURGE, .slice = SLICE_DEFAULT}},
    {"purge, 2 spaces", {.spaces = 2, .policy = SHADOW_PURGE, .slice = SLICE_DEFAULT}},
    {"purge, 4 spaces", {.spaces = 4, .policy = SHADOW_PURGE, .slice = SLICE_DEFAULT}},
    {"purge, 8 spaces", {.spaces = 8, .policy = SHADOW_PURGE, .slice = SLICE_DEFAULT}},
    {"purge, 16 spaces", {.spaces = 16, .policy = SHADOW_PURGE, .slice = SLICE_DEFAULT}},
    {"protect, 8 spaces", {.spaces = 8, .policy = SHADOW_PROTECT, .slice = SLICE_DEFAULT}},
};
enum { VARIANTS = sizeof variants / sizeof *variants, VARIANT_DEEPEST = 3 };

static bool measure_variants(struct bench *b, const struct bytes *image, struct error *e) {
    for (unsigned depth = 1; depth <= VARIANT_DEEPEST; depth += 2)
        for (unsigned n = 0; n < VARIANTS && !bench_interrupted(b); n++) {
            char where[64];
            struct bench_run run;
            const struct bench_place place = {
                .memory = sizes[0], .depth = depth, .options = &variants[n].options, .disk_blocks = NUCLEUS_BLOCKS};
            if (!bench_run(image, &place, &run, e))
                return false;
            snprintf(where, sizeof where, "nucleus.s, %uK, depth %u, %s", sizes[0] / 1024, depth, variants[n].name);
            report_nucleus(b, where, &run, depth);
        }
    return true;
}

static bool measure_nucleus(struct bench *b, struct error *e) {
    struct bytes image = {0};
    bool found = find_nucleus(b, &image, e);
    bool ok = found ? measure_depths(b, &image, e) && measure_variants(b, &image, e) : e->kind == 0;
    bytes_fini(&image);
    return ok;
}

bool bench_nest(struct bench *b, struct error *e) {
    struct bytes image = {0};
    bool ok = bench_assemble(b, "nest.s", source, sizeof source - 1, &image, e);
    for (unsigned n = 0; ok && n < sizeof traps / sizeof *traps; n++)
        ok = measure_trap(b, &image, &traps[n], e);
    ok = ok && measure_fills(b, &image, e) && measure_purges(b, &image, e) && measure_innocuous(b, &image, e);
    bytes_fini(&image);
    ok = ok && measure_nucleus(b, e);
    bench_note(b, "model s370, nominal time; counts and cycles are exact, times the process's CPU time");
    return ok;
}
