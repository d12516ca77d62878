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

#include "base/bytes.h"
#include "isa/machine.h"
#include "tests/support/differential.h"
#include "tests/support/orders.h"

enum { MEMORY = 0x200000, KEYS = MEMORY / STORAGE_BLOCK_BYTES, LIMIT = 20000, INTERVAL_TIMER = 80, SLOWER = 64 };

struct outcome {
    enum machine_status status;
    struct machine_state state;
    struct machine_stats stats;
    uint8_t keys[KEYS];
    uint8_t storage[MEMORY];
};

static void run(const struct differential_case *c, const uint8_t *image, const struct cost_model *model, unsigned depth,
                struct outcome *o) {
    static const char *const kinds[] = {"", "A", "AA", "AAA"};
    struct error e = ERROR_CLEAR;
    struct order t;
    order_new(&t, kinds[depth], &(struct machine_options){.memory_bytes = MEMORY, .model = model}, 0);
    struct machine *m = t.innermost;
    if (!machine_load(m, 0, image, DIFF_LOW, &e) || !machine_load(m, MEMORY - DIFF_HIGH, c->high, DIFF_HIGH, &e))
        fail_msg("%s", e.text);
    o->status = order_run(&t, LIMIT);
    machine_state(m, &o->state);
    machine_stats(m, &o->stats);
    machine_peek(m, 0, o->storage, MEMORY);
    for (uint32_t i = 0; i < KEYS; i++)
        o->keys[i] = (uint8_t)machine_key(m, i * STORAGE_BLOCK_BYTES);
    for (uint32_t at = DIFF_TABLES; at < DIFF_TABLES_END; at += STORAGE_BLOCK_BYTES)
        o->keys[at / STORAGE_BLOCK_BYTES] &= (uint8_t)~KEY_REFERENCE;
    memset(o->storage + INTERVAL_TIMER, 0, 4);
    memset(o->storage + DIFF_PREFIX_A + INTERVAL_TIMER, 0, 4);
    memset(o->storage + DIFF_PREFIX_B + INTERVAL_TIMER, 0, 4);
    order_free(&t);
}

/* Prints the first differences; false when there is one. */
static bool compare(const struct outcome *a, const struct outcome *b, bool print) {
    unsigned count = 0;
    uint8_t psw[2][8];
    char name[32];
#define SAME(what, x, y)                                                                                               \
    if ((x) != (y) && count++ < 12 && print)                                                                           \
    printf("  %s: %" PRIX64 " bare, %" PRIX64 " under hypervisor.s\n", what, (uint64_t)(x), (uint64_t)(y))
    psw_store(&a->state.psw, psw[0], 0, 0);
    psw_store(&b->state.psw, psw[1], 0, 0);
    SAME("status", a->status, b->status);
    SAME("PSW", bytes_get64(psw[0]), bytes_get64(psw[1]));
    SAME("prefix", a->state.prefix, b->state.prefix);
    SAME("instructions", a->stats.instructions, b->stats.instructions);
    for (int i = 0; i < 16; i++) {
        snprintf(name, sizeof name, "GR%d", i);
        SAME(name, a->state.gpr[i], b->state.gpr[i]);
        snprintf(name, sizeof name, "CR%d", i);
        SAME(name, a->state.cr[i], b->state.cr[i]);
    }
    for (int i = 0; i < INTERRUPTION_CLASSES; i++)
        SAME(interruption_name((enum interruption_class)i), a->stats.interruptions[i], b->stats.interruptions[i]);
    for (uint32_t i = 0; i < KEYS; i++) {
        snprintf(name, sizeof name, "key of %06X", i * STORAGE_BLOCK_BYTES);
        SAME(name, a->keys[i], b->keys[i]);
    }
    if (memcmp(a->storage, b->storage, MEMORY))
        for (uint32_t i = 0; i < MEMORY; i++) {
            snprintf(name, sizeof name, "storage at %06X", i);
            SAME(name, a->storage[i], b->storage[i]);
        }
#undef SAME
    return count == 0;
}

/* Whether one of the program's own MVCLs is not there any more. */
static bool overwrote_move(const struct differential_case *c, const uint8_t *image, const struct outcome *o) {
    for (unsigned i = 0; i < c->count; i++) {
        const struct differential_instruction *p = &c->program[i];
        if (p->id != INSTRUCTION_MVCL && p->id != INSTRUCTION_EX)
            continue;
        if (p->real + p->length <= DIFF_LOW && memcmp(image + p->real, o->storage + p->real, p->length))
            return true;
    }
    return false;
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
    return compare(&bare, &under, false);
}

static void run_case(uint64_t seed, uint64_t number, unsigned depth, const struct models *models,
                     struct totals *totals) {
    static struct differential_case c;
    static struct outcome bare, under;
    static uint8_t image[DIFF_LOW];
    differential_generate(&c, seed, number, -1);
    if (c.memory != MEMORY) { /* a machine of 16 MB does not fit under a monitor */
        totals->large++;
        return;
    }
    differential_image(&c, image);
    run(&c, image, &models->slower, 0, &under);
    run(&c, image, &models->model, 0, &bare);
    if (!compare(&bare, &under, false)) {
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
        if (compare(&bare, &under, false))
            continue;
        if (overwrote_move(&c, image, &bare) || asks_for_references(&c, models, d)) {
            totals->excused++;
            return;
        }
        totals->different++;
        printf("case %" PRIu64 " (seed %" PRIu64 ") differs at depth %u:\n", number, seed, d);
        compare(&bare, &under, true);
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
