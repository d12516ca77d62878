/* Equivalence over random programs, for scenarios/guests/hypervisor.s: the cases that are run against Hercules give the
 * same results under it, and under it on itself, as on the bare machine: registers, PSW, all of storage, keys, what was
 * retired, and every interruption.
 *
 * Its guests see its time. So a program that does something else on a machine whose instructions take longer is left
 * out, and counted; the words of the interval timer are not compared. Nor are reference bits of blocks that hold
 * tables, which it walks as no CPU would. Excused, and counted: programs that ask for such a bit, and do the same
 * without that; and MVCL that overwrites its own text. A page may be brought in its middle; what is resumed then is the
 * new text.
 *
 *     test_hypervisor_as_bare [--seed S] [--cases N] [--case N] [--depth N] */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/machine.h"
#include "tests/support/differential.h"
#include "tests/support/orders.h"
#include "tests/support/outcome.h"

enum { LIMIT = 20000, SLOWER = 64 };

static void run(const struct differential_case *c, const uint8_t *image, const struct cost_model *model, unsigned depth,
                struct outcome *o) {
    static const char *const kinds[] = {"", "A", "AA", "AAA"};
    struct error e = ERROR_CLEAR;
    struct order t;
    order_new(&t, kinds[depth], &(struct machine_options){.memory_bytes = OUTCOME_MEMORY, .model = model}, 0);
    struct machine *m = t.innermost;
    if (!outcome_load(m, c, image, &e))
        fail_msg("%s", e.text);
    outcome_take(o, m, order_run(&t, LIMIT));
    order_free(&t);
}

struct totals {
    unsigned cases, clocks, endless, excused, different, large;
};

struct models {
    struct cost_model model, slower;
};

/* Whether it asks for reference bits, and does the same without those instructions. */
static bool asks_for_references(const struct differential_case *c, const struct models *models, unsigned depth) {
    static struct differential_case other;
    static struct outcome bare, under;
    static uint8_t image[DIFF_LOW];
    other = *c;
    bool some = differential_leave_out(&other, differential_exceptions[EXCEPTION_REFERENCE].name);
    if (!differential_leave_out(&other, differential_exceptions[EXCEPTION_RESET_REFERENCE].name) && !some)
        return false;
    differential_image(&other, image);
    run(&other, image, &models->model, 0, &bare);
    run(&other, image, &models->model, depth, &under);
    return outcome_same(&bare, &under, false, NULL);
}

static void run_case(uint64_t seed, uint64_t number, unsigned depth, const struct models *models,
                     struct totals *totals) {
    static struct differential_case c;
    static struct outcome bare, under;
    static uint8_t image[DIFF_LOW];
    differential_generate(&c, seed, number, -1);
    if (c.memory != OUTCOME_MEMORY) { /* a machine of 16 MB does not fit under a monitor */
        totals->large++;
        return;
    }
    differential_image(&c, image);
    run(&c, image, &models->slower, 0, &under);
    run(&c, image, &models->model, 0, &bare);
    if (!outcome_same(&bare, &under, false, NULL)) {
        totals->clocks++;
        return;
    }
    if (bare.status == MACHINE_READY) {
        totals->endless++;
        return;
    }
    totals->cases++;
    for (unsigned d = 1; d <= depth; d++) {
        run(&c, image, &models->model, d, &under);
        if (outcome_same(&bare, &under, false, NULL))
            continue;
        if (outcome_overwrote_move(&c, image, &bare) || asks_for_references(&c, models, d)) {
            totals->excused++;
            return;
        }
        totals->different++;
        printf("case %" PRIu64 " (seed %" PRIu64 ") differs at depth %u:\n", number, seed, d);
        outcome_same(&bare, &under, false, "hypervisor.s");
        differential_print_case(stdout, &c);
        return;
    }
}

/* All that an instruction of the program costs, so that clocks run fast. */
static bool find_models(struct models *m, struct error *e) {
    if (!cost_model_find(&m->model, "s370", e))
        return false;
    m->slower = m->model;
    for (int i = 0; i < INSTRUCTION_COUNT; i++)
        m->slower.row[i].base *= SLOWER;
    m->slower.interruption *= SLOWER;
    return true;
}

int main(int argc, char **argv) {
    uint64_t seed = 370, cases = 200, from = 0;
    unsigned depth = 2;
    static struct models models;
    struct error e = ERROR_CLEAR;
    struct totals totals = {0};
    for (int i = 1; i + 1 < argc; i += 2) {
        uint64_t value = strtoull(argv[i + 1], NULL, 10);
        if (!strcmp(argv[i], "--seed"))
            seed = value;
        else if (!strcmp(argv[i], "--cases"))
            cases = value;
        else if (!strcmp(argv[i], "--depth") && value >= 1 && value <= 3)
            depth = (unsigned)value;
        else if (!strcmp(argv[i], "--case"))
            from = value, cases = 1;
        else
            return 2;
    }
    if (!find_models(&models, &e))
        return 1;
    for (uint64_t n = from; n < from + cases && totals.different < 10; n++)
        run_case(seed, n, depth, &models, &totals);
    printf("%u cases (seed %" PRIu64
           ") bare and under 1 to %u hypervisors: %u different, %u excused; left out: %u that "
           "depend on clocks, %u without an end, %u of 16 MB\n",
           totals.cases, seed, depth, totals.different, totals.excused, totals.clocks, totals.endless, totals.large);
    return totals.different ? 1 : 0;
}
