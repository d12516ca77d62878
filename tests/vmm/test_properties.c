/* Popek and Goldberg's three properties, looked at by their checkers on monitors of every kind, alone and stacked: in C
 * of either kind, and hypervisor.s, whose guests are seen through its map.
 *
 * Excused: MVCL that overwrites its own text, of which a monitor may do a part only; what is resumed is the new text.
 *
 * By hand, more: PROPERTIES_CASES=2000 random programs for each order, of the seed PROPERTIES_SEED=5; PROPERTIES_STEPS
 * of nucleus.s; PROPERTIES_ORDER=CA, that order alone. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/disassembler.h"
#include "tests/support/altered.h"
#include "tests/support/orders.h"
#include "tests/support/outcome.h"
#include "vmm/efficiency.h"
#include "vmm/equivalence.h"
#include "vmm/resources.h"

enum { DISK_BLOCKS = 1216, SMALL = 64 * 1024 };

static uint64_t by_hand(const char *name, uint64_t usual) {
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : usual;
}

static bool is_asked(const char *order) {
    const char *only = getenv("PROPERTIES_ORDER");
    return !only || strcmp(only, order) == 0;
}

struct pair {
    struct cost_model model;
    struct order o;
    struct machine *reference;
};

static void build(struct pair *p, const char *kinds, uint32_t memory, uint32_t disk_blocks) {
    struct error e = ERROR_CLEAR;
    struct disk_backing disk;
    assert_true(cost_model_find(&p->model, "s370", &e));
    const struct machine_options options = {.memory_bytes = memory, .model = &p->model, .nominal_time = true};
    order_new(&p->o, kinds, &options, disk_blocks);
    p->reference = machine_new(&options, &e);
    if (!p->reference || (disk_blocks && (!disk_backing_memory(&disk, disk_blocks, &e) ||
                                          !machine_attach(p->reference, ADDRESS_DISK, disk_new(&p->model, &disk), &e))))
        fail_msg("%s", e.text);
}

static void drop(struct pair *p) {
    order_free(&p->o);
    machine_free(p->reference);
}

static void check(struct pair *p, uint64_t steps, struct equivalence *q) {
    struct error e = ERROR_CLEAR;
    const struct equivalence_options o = {.steps = steps};
    if (!equivalence_check(p->o.innermost, p->reference, &o, q, &e))
        fail_msg("%s", e.text);
}

static void print_finding(const struct equivalence *q) {
    for (unsigned n = 0; n < q->last_count; n++) {
        char line[DISASSEMBLER_TEXT];
        disassemble(line, q->last[n].text, 6);
        printf("    %06X  %-28s %s\n", q->last[n].address, line, q->last[n].interruption);
    }
    printf("    after %" PRIu64 " steps: %s\n", q->steps, q->what);
}

static void test_nucleus_runs_as_on_a_bare_machine(void **state) {
    static const char *const orders[] = {"H", "HH", "CH", "HC", "A", "AA", "AC", "CA", "AH", "HA"};
    uint64_t steps = by_hand("PROPERTIES_STEPS", 3000);
    (void)state;
    for (size_t n = 0; n < sizeof orders / sizeof *orders; n++) {
        struct pair p;
        struct equivalence q;
        if (!is_asked(orders[n]))
            continue;
        build(&p, orders[n], SMALL, DISK_BLOCKS);
        order_load(p.o.innermost, "nucleus.s");
        check(&p, steps, &q);
        if (q.end == EQUIVALENCE_BROKEN) {
            print_finding(&q);
            fail_msg("under %s", orders[n]);
        }
        drop(&p);
    }
}

static unsigned check_programs(const char *kinds, uint64_t seed, uint64_t cases) {
    static struct differential_case c;
    static struct outcome outcome;
    static uint8_t image[DIFF_LOW];
    unsigned broken = 0;
    for (uint64_t number = by_hand("PROPERTIES_FROM", 0), done = 0; done < cases; number++) {
        struct pair p;
        struct equivalence q;
        struct error e = ERROR_CLEAR;
        differential_generate(&c, seed, number, -1);
        if (c.memory != OUTCOME_MEMORY)
            continue;
        build(&p, kinds, OUTCOME_MEMORY, 0);
        differential_image(&c, image);
        assert_true(outcome_load(p.o.innermost, &c, image, &e));
        check(&p, 5000, &q);
        outcome_take(&outcome, p.reference, MACHINE_READY);
        if (q.end == EQUIVALENCE_BROKEN && !outcome_overwrote_move(&c, image, &outcome)) {
            printf("under %s, seed %" PRIu64 ", case %" PRIu64 "\n", kinds, seed, number);
            print_finding(&q);
            broken++;
        }
        drop(&p);
        done++;
    }
    return broken;
}

static void test_random_programs_run_as_on_a_bare_machine(void **state) {
    static const struct {
        const char *order;
        unsigned cases;
    } rows[] = {{"H", 40}, {"HH", 10}, {"CH", 10}, {"HC", 10}, {"A", 40}, {"AA", 10}, {"AC", 10}, {"CA", 10}};
    unsigned broken = 0;
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof *rows; n++)
        if (is_asked(rows[n].order))
            broken += check_programs(rows[n].order, by_hand("PROPERTIES_SEED", 2026),
                                     by_hand("PROPERTIES_CASES", rows[n].cases));
    assert_int_equal(broken, 0);
}

/* ---- Resource control, and efficiency, of hypervisor.s ---- */

enum { GUEST = 96 * 1024, LOOKS = 300, PIECE = 3001 };

/* hypervisor.s on the bare machine, or in a guest of another one, with two guests: `first`, and a loop that never
 * traps; NULL: two such loops. Its text may be altered before. */
struct hosted {
    struct cost_model model;
    struct order below;
    struct map *map;
};

static const char loop[] = "         DC    X'0008000000000200'\n"
                           "         ORG   X'200'\n"
                           "         BALR  12,0\n"
                           "         USING *,12\n"
                           "AGAIN    B     AGAIN\n"
                           "         END\n";

static void build_hosted(struct hosted *h, const char *below, const char *first, const char *from, const char *to) {
    struct error e = ERROR_CLEAR;
    char *source = altered_text(from, to);
    assert_true(cost_model_find(&h->model, "s370", &e));
    order_new(&h->below, below, &(struct machine_options){.memory_bytes = 1024 * 1024, .model = &h->model},
              2 * DISK_BLOCKS);
    altered_load(h->below.innermost, source, strlen(source));
    free(source);
    h->map = map_new(h->below.innermost, &e);
    for (unsigned n = 0; h->map && n < 2; n++) {
        struct machine *g = map_guest(h->map, n, GUEST, NULL, &e);
        if (g && first && n == 0)
            order_load(g, first);
        else if (g)
            altered_load(g, loop, sizeof loop - 1);
    }
    if (e.kind)
        fail_msg("%s", e.text);
    machine_restart(h->below.bare);
}

static void drop_hosted(struct hosted *h) {
    map_free(h->map);
    order_free(&h->below);
}

/* Runs it, and looks every so often; false: it has lost control. */
static bool keeps_control(struct hosted *h, char what[256]) {
    struct error e = ERROR_CLEAR;
    struct resources *r = NULL;
    assert_null(resources_new_seen(h->map, &e));
    for (unsigned n = 0; n < 100 && !r; n++) { /* until it has made its guests */
        machine_run(h->below.bare, &(struct machine_limits){.cycles = PIECE});
        r = resources_new_seen(h->map, &e);
    }
    if (!r)
        fail_msg("%s", e.text);
    bool kept = true;
    for (unsigned n = 0; n < LOOKS && kept; n++) {
        machine_run(h->below.bare, &(struct machine_limits){.cycles = PIECE + n % 7});
        kept = resources_look(r, what);
    }
    resources_free(r);
    return kept;
}

static void test_a_hypervisor_in_assembler_keeps_control(void **state) {
    static const char *const below[] = {"", "C", "H", "A"};
    (void)state;
    for (size_t n = 0; n < sizeof below / sizeof *below; n++) {
        struct hosted h;
        char what[256];
        build_hosted(&h, below[n], "nucleus.s", NULL, NULL);
        if (!keeps_control(&h, what))
            fail_msg("on \"%s\": %s", below[n], what);
        drop_hosted(&h);
    }
}

static void test_hypervisors_in_assembler_that_lose_control_are_found(void **state) {
    static const struct {
        const char *first, *from, *to, *what;
    } rows[] = {
        {"nucleus.s", "INSTALLD CL    2,VSIZE\n", "INSTALLD CL    2,MEMORY\n", "which is not its own"},
        {"nucleus.s", "         AR    2,0\n         L     13,VNEXT\n", "         L     13,VNEXT\n",
         "and another one of guest 0"},
        {NULL, "OI    RUNPSW+1,X'09'      EC mode, problem state\n",
         "OI    RUNPSW+1,X'08'\n         CLC   NTRAPS,=F'1'\n         BH    *+8\n         OI    RUNPSW+1,X'01'\n",
         "real supervisor state"},
        {NULL, "         BAL   14,ARM\n         BAL   14,SELECT", "         BAL   14,SELECT", "while others are ready"},
    };
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
        struct hosted h;
        char what[256];
        build_hosted(&h, "", rows[n].first, rows[n].from, rows[n].to);
        if (keeps_control(&h, what) || !strstr(what, rows[n].what))
            fail_msg("\"%s\" instead of \"%s\"", what, rows[n].what);
        drop_hosted(&h);
    }
}

static void test_efficiency_is_that_of_the_work(void **state) {
    static const char *const orders[] = {"C", "H", "A"};
    struct efficiency e[3];
    (void)state;
    for (size_t n = 0; n < 3; n++) {
        struct pair p;
        build(&p, orders[n], SMALL, 0);
        order_load(p.o.innermost, "primes.s");
        assert_int_equal(order_run(&p.o, 0), MACHINE_DISABLED_WAIT);
        assert_true(efficiency_of(p.o.innermost, &e[n]));
        drop(&p);
    }
    /* The same program; in C and in assembler the same instructions trap, and cost more in assembler, which is
     * executed. The hybrid one interprets all of supervisor state, and so has fewer traps. */
    assert_int_equal(e[0].instructions, e[1].instructions);
    assert_int_equal(e[0].instructions, e[2].instructions);
    assert_int_equal(e[0].interpreted, e[2].interpreted);
    assert_true(e[2].native > 0.99 && e[2].slowdown > e[0].slowdown);
    assert_true(e[1].interpreted > e[0].interpreted && e[1].traps < e[0].traps);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nucleus_runs_as_on_a_bare_machine),
        cmocka_unit_test(test_random_programs_run_as_on_a_bare_machine),
        cmocka_unit_test(test_a_hypervisor_in_assembler_keeps_control),
        cmocka_unit_test(test_hypervisors_in_assembler_that_lose_control_are_found),
        cmocka_unit_test(test_efficiency_is_that_of_the_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
