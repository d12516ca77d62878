/* The books: at any moment, at any depth, in either kind of time, what is booked on levels and causes adds up to the
 * clock of the bare machine; and what each machine counts fits what those around it count. */
#include "tests/vmm/guests.h"
#include "tests/vmm/towers.h"

enum { MEMORY = 64 * 1024, DEPTHS = 5, STOPS = 40 };

static void check(const struct tower *t, const char *where) {
    struct machine_stats bare, s, below;
    uint64_t sum = 0;
    machine_stats(t->bare, &bare);
    for (int level = 0; level <= (int)t->count; level++) {
        uint64_t of_level = 0;
        for (int cause = 0; cause < CAUSE_COUNT; cause++)
            of_level += machine_booked(t->bare, level, (enum cycle_cause)cause);
        if (of_level != machine_booked_level(t->bare, level))
            fail_msg("%s: the causes of level %d add up to %" PRIu64 ", not %" PRIu64, where, level, of_level,
                     machine_booked_level(t->bare, level));
        sum += of_level;
    }
    if (sum != bare.cycles)
        fail_msg("%s: %" PRIu64 " cycles are booked, %" PRIu64 " have passed", where, sum, bare.cycles);
    /* What passes on a machine passes on those below it. */
    below = bare;
    for (unsigned n = 0; n < t->count; n++, below = s) {
        machine_stats(vmm_guest_at(t->monitor[n], 0), &s);
        assert_in_range(s.nominal_cycles, 0, below.nominal_cycles);
        assert_in_range(s.instructions, 0, below.instructions + below.interruptions[INTERRUPTION_PROGRAM]);
    }
    /* An interruption of a machine is an activation of its monitor, or is counted in the next moment. */
    for (unsigned n = 0; n < t->count; n++) {
        struct vmm_stats v;
        uint64_t interruptions = 0;
        vmm_stats(t->monitor[n], &v);
        machine_stats(vmm_machine(t->monitor[n]), &s);
        for (int c = 0; c < INTERRUPTION_CLASSES; c++)
            interruptions += c == INTERRUPTION_RESTART ? 0 : s.interruptions[c];
        assert_in_range(interruptions - v.traps, 0, 1);
    }
}

static void run(unsigned depth, bool nominal) {
    struct tower t;
    struct cost_model model;
    struct error e = ERROR_CLEAR;
    struct random random;
    char where[64];
    const struct monitor_options monitors = vmm_default_options();
    random_init(&random, depth, "account");
    snprintf(where, sizeof where, "depth %u, %s time", depth, nominal ? "nominal" : "default");
    assert_true(cost_model_find(&model, "s370", &e));
    const struct machine_options o = {.memory_bytes = MEMORY, .model = &model, .nominal_time = nominal};
    towers_build(&t, &o, depth, &monitors);
    towers_disk(&t, NUCLEUS_BLOCKS);
    towers_load_nucleus(t.innermost);
    machine_restart(t.bare);
    for (unsigned stop = 0; stop < STOPS; stop++) {
        const struct machine_limits limits = {.cycles = 1 + random_below(&random, UINT64_C(1) << (stop % 22))};
        assert_int_equal(machine_run(t.bare, &limits), MACHINE_READY);
        check(&t, where);
    }
    uint64_t idle = 0, direct = machine_booked(t.bare, (int)depth, CAUSE_DIRECT);
    for (unsigned level = 0; level <= depth; level++)
        idle += machine_booked(t.bare, (int)level, CAUSE_IDLE);
    assert_true(direct > 0);
    print_message("%s: %" PRIu64 " direct, %" PRIu64 " idle\n", where, direct, idle);
    tower_free(&t);
}

static void test_books_add_up_at_every_depth(void **state) {
    (void)state;
    for (unsigned depth = 0; depth <= DEPTHS; depth++)
        for (unsigned nominal = 0; nominal < 2; nominal++)
            run(depth, nominal);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_books_add_up_at_every_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
