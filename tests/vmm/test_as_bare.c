/* Equivalence over random programs: the cases that are run against Hercules give the same results under a monitor of
 * either kind, and under a monitor on a monitor, as on the bare machine: registers, PSW, clocks, all of storage, keys,
 * what was retired, in how many nominal cycles, and every interruption.
 *
 * Not compared: reference bits of blocks that hold tables, which a monitor walks when the CPU would not, and the
 * interval timer's word, which it brings up to date at exits only. Excused, and counted: MVCL that overwrites its own
 * text. A monitor may bring a page in its middle; what is resumed then is the new text.
 *
 * All cases run under trap-and-emulate; under each of the other towers, which take longer, some do. For a long run by
 * hand: --cases 20000 --every 1.
 *
 *     test_as_bare [--seed S] [--cases N] [--case N] [--every N] */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/machine.h"
#include "tests/support/differential.h"
#include "tests/support/outcome.h"
#include "tests/vmm/towers.h"

enum { LIMIT = 20000 };

static bool run(const struct differential_case *c, const uint8_t *image, const struct cost_model *model,
                const char *const *kinds, unsigned monitors, enum shadow_policy policy, struct outcome *o) {
    struct monitor_options asked = vmm_default_options();
    struct machine_options options = {.memory_bytes = OUTCOME_MEMORY, .model = model, .nominal_time = true};
    struct machine_limits limits = {.instructions = LIMIT};
    struct error e = ERROR_CLEAR;
    struct tower t;
    asked.policy = policy;
    towers_build_of(&t, &options, kinds, monitors, &asked);
    struct machine *m = t.innermost;
    bool loaded = outcome_load(m, c, image, &e);
    machine_restart(m);
    outcome_take(o, m, machine_run(m, &limits));
    tower_free(&t);
    return loaded;
}

#define TRAP "trap-and-emulate"
#define HYBRID "hybrid"
static const struct {
    const char *kinds[2];
    unsigned count, every;
} towers[] = {
    {{TRAP}, 1, 1},          {{TRAP, TRAP}, 2, 5},    {{HYBRID}, 1, 5},
    {{HYBRID, TRAP}, 2, 17}, {{TRAP, HYBRID}, 2, 19}, {{HYBRID, HYBRID}, 2, 23},
};
enum { TOWERS = sizeof towers / sizeof *towers };

struct totals {
    unsigned cases, runs, excused, different, large;
};

static bool run_case(uint64_t seed, uint64_t number, uint64_t every, const struct cost_model *model,
                     struct totals *totals) {
    static struct differential_case c;
    static struct outcome bare, under;
    static uint8_t image[DIFF_LOW];
    differential_generate(&c, seed, number, -1);
    if (c.memory != OUTCOME_MEMORY) { /* a machine of 16 MB does not fit under a monitor */
        totals->large++;
        return true;
    }
    differential_image(&c, image);
    enum shadow_policy policy = number & 1 ? SHADOW_PROTECT : SHADOW_PURGE;
    if (!run(&c, image, model, NULL, 0, policy, &bare))
        return false;
    totals->cases++;
    for (unsigned n = 0; n < TOWERS; n++) {
        if (number % (every ? every : towers[n].every))
            continue;
        if (!run(&c, image, model, towers[n].kinds, towers[n].count, policy, &under))
            return false;
        totals->runs++;
        if (outcome_same(&bare, &under, true, NULL))
            continue;
        if (outcome_overwrote_move(&c, image, &bare)) {
            totals->excused++;
            return true;
        }
        totals->different++;
        printf("case %" PRIu64 " (seed %" PRIu64 ") differs under %s%s%s:\n", number, seed, towers[n].kinds[0],
               towers[n].count > 1 ? " and " : "", towers[n].count > 1 ? towers[n].kinds[1] : "");
        outcome_same(&bare, &under, true, "monitors");
        differential_print_case(stdout, &c);
        return true;
    }
    return true;
}

int main(int argc, char **argv) {
    uint64_t seed = 370, cases = 1500, from = 0, every = 0; /* 0: each tower's own */
    struct cost_model model;
    struct error e = ERROR_CLEAR;
    struct totals totals = {0};
    for (int i = 1; i + 1 < argc; i += 2) {
        uint64_t value = strtoull(argv[i + 1], NULL, 10);
        if (!strcmp(argv[i], "--seed"))
            seed = value;
        else if (!strcmp(argv[i], "--cases"))
            cases = value;
        else if (!strcmp(argv[i], "--case"))
            from = value, cases = every = 1;
        else if (!strcmp(argv[i], "--every") && value >= 1)
            every = value;
        else
            return 2;
    }
    bool ok = cost_model_find(&model, "s370", &e);
    for (uint64_t n = from; ok && n < from + cases && totals.different < 10; n++)
        ok = run_case(seed, n, every, &model, &totals);
    printf("%u cases (seed %" PRIu64
           ") bare and %u times under monitors: %u different, %u excused; %u left out, of 16 MB\n",
           totals.cases, seed, totals.runs, totals.different, totals.excused, totals.large);
    return ok && !totals.different ? 0 : 1;
}
