/* The square f(e(S)) = e'(f(S)): it holds for the reference monitor, hybrid, and hypervisor.s, step by step and from
 * the middle of a run; wrong monitors break it, and the place is named. */
#include <inttypes.h>
#include <stdio.h>

#include "isa/disassembler.h"
#include "tests/support/differential.h"
#include "tests/support/mutants.h"
#include "tests/support/orders.h"
#include "tests/vmm/towers.h"
#include "vmm/square.h"

enum { SMALL = 64 * 1024, DISK_BLOCKS = 1216, CASE_BYTES = 0x200000, SEED = 2026 };

static struct cost_model model;

static void load_nucleus_tower(struct tower *t, const char *const *kinds, unsigned depth) {
    struct error e = ERROR_CLEAR;
    const struct monitor_options options = vmm_default_options();
    assert_true(cost_model_find(&model, "s370", &e));
    towers_build_of(t, &(struct machine_options){.memory_bytes = SMALL, .model = &model}, kinds, depth, &options);
    towers_disk(t, DISK_BLOCKS);
    towers_load_nucleus(t->innermost);
}

static void print_square(const struct square *q) {
    for (unsigned n = 0; n < q->last_count; n++) {
        char line[DISASSEMBLER_TEXT];
        disassemble(line, q->last[n].text, 6);
        printf("    %06X  %-28s %s\n", q->last[n].address, line, q->last[n].interruption);
    }
    printf("    %s\n", q->what);
}

static void expect_square(const struct square *q, uint64_t steps, const char *name) {
    if (q->outcome == SQUARE_HELD && q->steps == steps)
        return;
    print_square(q);
    fail_msg("%s: outcome %d after %" PRIu64 " steps", name, (int)q->outcome, q->steps);
}

static void check_run(struct machine *guest, uint64_t steps, const char *name) {
    struct error e = ERROR_CLEAR;
    struct square q;
    struct square_check *s = square_new(guest, &e);
    if (!s)
        fail_msg("%s: %s", name, e.text);
    square_run(s, &(struct square_options){.steps = steps, .parts = true}, &q);
    expect_square(&q, steps, name);
    square_free(s);
}

/* Each of many squares by itself, with a bare machine made for it, here and there in the run. */
static void check_places(struct machine *guest, unsigned places, const char *name) {
    for (unsigned n = 0; n < places; n++) {
        struct error e = ERROR_CLEAR;
        struct square q;
        machine_run(guest, &(struct machine_limits){.instructions = 1 + n * 37 % 501});
        if (!square_once(guest, &q, &e))
            fail_msg("%s: %s", name, e.text);
        expect_square(&q, 1, name);
        assert_true(q.pieces >= 40 + SMALL / 4096 + SMALL / 2048);
    }
}

/* And stretches: programs of devices that were started before are among what ends in them. */
static void check_stretches(struct machine *guest, unsigned stretches, uint64_t steps, const char *name) {
    for (unsigned n = 0; n < stretches; n++) {
        machine_run(guest, &(struct machine_limits){.instructions = 1 + n * 7919 % 12007});
        check_run(guest, steps, name);
    }
}

static void test_it_holds_for_monitors_in_c(void **state) {
    static const char *const towers[][2] = {
        {"trap-and-emulate"}, {"trap-and-emulate", "trap-and-emulate"}, {"hybrid"}, {"trap-and-emulate", "hybrid"}};
    (void)state;
    for (unsigned n = 0; n < sizeof towers / sizeof *towers; n++) {
        struct tower t;
        unsigned depth = towers[n][1] ? 2 : 1;
        load_nucleus_tower(&t, towers[n], depth);
        check_run(t.innermost, 20000, towers[n][depth - 1]);
        check_places(t.innermost, 200, towers[n][depth - 1]);
        check_stretches(t.innermost, 60, 500, towers[n][depth - 1]);
        tower_free(&t);
    }
}

static void test_it_holds_for_hypervisors_in_assembler(void **state) {
    static const char *const orders[] = {"A", "AC", "CA", "AA"};
    (void)state;
    for (unsigned n = 0; n < sizeof orders / sizeof *orders; n++) {
        struct order o;
        struct error e = ERROR_CLEAR;
        assert_true(cost_model_find(&model, "s370", &e));
        order_new(&o, orders[n], &(struct machine_options){.memory_bytes = SMALL, .model = &model}, DISK_BLOCKS);
        order_load(o.innermost, "nucleus.s");
        check_run(o.innermost, 3000, orders[n]);
        check_places(o.innermost, 40, orders[n]);
        check_stretches(o.innermost, 15, 300, orders[n]);
        order_free(&o);
    }
}

/* Somebody else holds the guest's reins. */
static int run_counted(void *self, struct machine *m, const struct machine_limits *limits) {
    ++*(unsigned *)self;
    return (int)machine_run(m, limits);
}

static void test_who_holds_the_reins_runs_the_guest(void **state) {
    struct tower t;
    struct error e = ERROR_CLEAR;
    struct square q;
    unsigned runs = 0;
    (void)state;
    load_nucleus_tower(&t, (const char *const[]){"trap-and-emulate"}, 1);
    assert_false(lockstep_between_steps(t.innermost)); /* its monitor has not begun */
    machine_run(t.innermost, &(struct machine_limits){.instructions = 20});
    struct square_check *s = square_new(t.innermost, &e);
    assert_non_null(s);
    square_run(s, &(struct square_options){.steps = 7, .run = run_counted, .run_self = &runs}, &q);
    expect_square(&q, 7, "held by another");
    assert_int_equal(runs, 7);
    square_free(s);
    tower_free(&t);
}

/* ---- Monitors that are wrong ---- */

struct world {
    struct machine *bare, *guest;
    struct vmm *monitor;
};

static void build(struct world *w, uint32_t memory, const struct monitor_parts *parts) {
    struct error e = ERROR_CLEAR;
    const struct monitor_options options = vmm_default_options();
    assert_true(cost_model_find(&model, "s370", &e));
    w->bare = machine_new(
        &(struct machine_options){.memory_bytes = memory + vmm_host_bytes(0), .model = &model, .nominal_time = true},
        &e);
    w->monitor = w->bare ? vmm_new_from(w->bare, parts, &options, &e) : NULL;
    w->guest = w->monitor ? vmm_guest(w->monitor, &(struct guest_options){.memory_bytes = memory}, &e) : NULL;
    if (!w->guest)
        fail_msg("%s", e.text);
}

static void drop(struct world *w) {
    vmm_free(w->monitor);
    machine_free(w->bare);
}

/* Runs random programs under it until the square breaks: how many it took; 0: it held for all of them. */
static unsigned broken_by(const struct monitor_parts *parts, int focus, unsigned most, struct square *q) {
    static struct differential_case c;
    static uint8_t image[DIFF_LOW];
    unsigned tried = 0;
    for (uint64_t number = 0; tried < most; number++) {
        struct world w;
        struct error e = ERROR_CLEAR;
        differential_generate(&c, SEED, number, focus);
        if (c.memory != CASE_BYTES)
            continue;
        differential_image(&c, image);
        build(&w, CASE_BYTES, parts);
        assert_true(machine_load(w.guest, 0, image, DIFF_LOW, &e));
        assert_true(machine_load(w.guest, CASE_BYTES - DIFF_HIGH, c.high, DIFF_HIGH, &e));
        struct square_check *s = square_new(w.guest, &e);
        if (!s)
            fail_msg("%s", e.text);
        square_run(s, &(struct square_options){.steps = 2000, .parts = true}, q);
        square_free(s);
        drop(&w);
        tried++;
        if (q->outcome == SQUARE_BROKEN)
            return tried;
    }
    return 0;
}

static void test_it_holds_for_random_programs(void **state) {
    struct square q;
    (void)state;
    if (broken_by(&reference_monitor, -1, 40, &q)) {
        print_square(&q);
        fail();
    }
}

static void test_wrong_monitors_break_it(void **state) {
    unsigned found = 0, tried = 0;
    (void)state;
    for (unsigned n = 0; n < mutant_count; n++) {
        struct mutant_parts m;
        struct square q;
        if (mutants[n].by != FOUND_BY_PROGRAMS)
            continue;
        mutant_make(&m, &mutants[n]);
        tried++;
        if (broken_by(&m.parts, mutants[n].focus, 40, &q) == 0)
            continue;
        found++;
        assert_true(q.what[0] && q.last_count > 0);
        if (q.differs)
            assert_true(q.image != q.stands && q.row.machine != q.row.host);
    }
    assert_true(tried >= 27);
    assert_true(found >= 22); /* the others need more programs */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_holds_for_monitors_in_c),
        cmocka_unit_test(test_it_holds_for_hypervisors_in_assembler),
        cmocka_unit_test(test_it_holds_for_random_programs),
        cmocka_unit_test(test_who_holds_the_reins_runs_the_guest),
        cmocka_unit_test(test_wrong_monitors_break_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
