/* The check of resource control, and the figures of efficiency: right monitors keep control, wrong ones lose it and are
 * found. */
#include <stdio.h>
#include <string.h>

#include "tests/support/mutants.h"
#include "tests/vmm/towers.h"
#include "vmm/efficiency.h"
#include "vmm/reference/reference.h"
#include "vmm/resources.h"

enum { GUEST = 128 * 1024, HOST = 1024 * 1024, LOOKS = 400, PIECE = 20000 };

/* Touches all of its pages, for ever, and never yields. */
// clang-format off
static const char wanderer[] =
    "         DC    X'0008000000000200'      RESTART NEW PSW\n"
    "         ORG   X'200'\n"
    "         BALR  12,0\n"
    "         USING *,12\n"
    "AGAIN    L     2,=A(X'1000')\n"
    "         LA    3,31\n"
    "NEXT     L     4,0(,2)\n"
    "         LA    4,1(,4)\n"
    "         ST    4,0(,2)\n"
    "         AL    2,=A(X'1000')\n"
    "         BCT   3,NEXT\n"
    "         SPKA  0\n"
    "         B     AGAIN\n"
    "         LTORG\n"
    "         END\n";
// clang-format on

struct host {
    struct cost_model model;
    struct machine *bare, *on;
    struct vmm *below, *monitor;
    struct machine *guest[2];
};

/* Two guests of one monitor, on the bare machine or in a virtual one. */
static void build(struct host *h, bool deeper, const struct monitor_parts *parts) {
    const struct monitor_options options = vmm_default_options();
    const struct guest_options guest = {.memory_bytes = GUEST};
    struct error e = ERROR_CLEAR;
    *h = (struct host){0};
    assert_true(cost_model_find(&h->model, "s370", &e));
    h->bare = h->on =
        machine_new(&(struct machine_options){.memory_bytes = HOST * (deeper ? 2 : 1), .model = &h->model}, &e);
    if (deeper) {
        h->below = vmm_new(h->bare, "trap-and-emulate", &e);
        h->on = vmm_guest(h->below, &(struct guest_options){.memory_bytes = HOST}, &e);
    }
    h->monitor = h->on ? vmm_new_from(h->on, parts, &options, &e) : NULL;
    for (unsigned n = 0; n < 2; n++) {
        h->guest[n] = h->monitor ? vmm_guest(h->monitor, &guest, &e) : NULL;
        if (!h->guest[n])
            fail_msg("%s", e.text);
        towers_load_source(h->guest[n], wanderer);
    }
    machine_restart(h->bare);
}

static void drop(struct host *h) {
    vmm_free(h->monitor);
    vmm_free(h->below);
    machine_free(h->bare);
}

/* Looks every so often while it runs; false: control was lost. */
static bool keeps_control(struct host *h, char what[256]) {
    struct error e = ERROR_CLEAR;
    struct resources *r = resources_new(h->monitor, &e);
    bool kept = true;
    assert_non_null(r);
    for (unsigned n = 0; n < LOOKS && kept; n++) {
        machine_run(h->bare, &(struct machine_limits){.cycles = PIECE + n % 7});
        kept = resources_look(r, what);
    }
    resources_free(r);
    return kept;
}

static void test_the_reference_monitor_keeps_control(void **state) {
    (void)state;
    for (unsigned deeper = 0; deeper < 2; deeper++) {
        struct host h;
        char what[256];
        build(&h, deeper, &reference_monitor);
        if (!keeps_control(&h, what))
            fail_msg("%s", what);
        drop(&h);
    }
}

/* ---- Monitors that lose it ---- */

static int64_t frame_behind_the_end(const struct vmm *v, unsigned guest, uint32_t absolute) {
    bool last = absolute >= GUEST - FRAME_BYTES && absolute < GUEST;
    int64_t frame = reference_monitor.allocator->frame(v, guest, absolute);
    return last ? frame + FRAME_BYTES : frame;
}

static int64_t frame_of_the_monitor(const struct vmm *v, unsigned guest, uint32_t absolute) {
    int64_t frame = reference_monitor.allocator->frame(v, guest, absolute);
    return guest == 1 && absolute / FRAME_BYTES == 5 ? absolute % FRAME_BYTES : frame;
}

static struct monitor_space select_grants_more(struct vmm *v, struct virtual_cpu *c) {
    struct monitor_space s = reference_monitor.shadow->select(v, c);
    /* Its table of pages for the first segment gets an entry for a frame behind its storage. */
    uint8_t entry[4];
    monitor_fetch(v, s.cr1 & 0x00FFFFC0, entry, 4);
    uint32_t pages = bytes_get32(entry) & 0x00FFFFF8;
    if (!(entry[3] & 1)) {
        bytes_put16(entry, 0x0F00);
        monitor_store(v, pages + 30, entry, 2);
    }
    return s;
}

static struct virtual_cpu *choose_the_last(struct vmm *v, struct virtual_cpu *last, bool expired) {
    (void)expired;
    return last ? last : &monitor_guest(v, 0)->cpu[0];
}

static void make_frame_behind_the_end(struct mutant_parts *m) { m->allocator.frame = frame_behind_the_end; }
static void make_frame_of_the_monitor(struct mutant_parts *m) { m->allocator.frame = frame_of_the_monitor; }
static void make_select_grants_more(struct mutant_parts *m) { m->shadow.select = select_grants_more; }

static const struct mutant losers[] = {
    {"frame behind the end", -1, FOUND_BY_PROGRAMS, make_frame_behind_the_end},
    {"frame of the monitor", -1, FOUND_BY_PROGRAMS, make_frame_of_the_monitor},
    {"select grants more", -1, FOUND_BY_PROGRAMS, make_select_grants_more},
};

static void test_monitors_that_lose_control_are_found(void **state) {
    (void)state;
    for (size_t n = 0; n < sizeof losers / sizeof *losers; n++) {
        struct mutant_parts m;
        struct host h;
        char what[256];
        mutant_make(&m, &losers[n]);
        build(&h, false, &m.parts);
        if (keeps_control(&h, what))
            fail_msg("%s was not found", losers[n].name);
        drop(&h);
    }
}

static void test_a_guest_that_is_never_interrupted_is_found(void **state) {
    struct mutant_parts m;
    struct monitor_scheduler scheduler = *reference_monitor.scheduler;
    struct host h;
    char what[256];
    (void)state;
    mutant_make(&m, &losers[0]);
    m.allocator = *reference_monitor.allocator;
    scheduler.choose = choose_the_last;
    m.parts.scheduler = &scheduler;
    build(&h, false, &m.parts);
    /* It makes exits, and goes on after each: that is the scheduler's decision, and no loss of control. */
    assert_true(keeps_control(&h, what));
    struct efficiency first, second;
    assert_true(efficiency_of(h.guest[0], &first) && efficiency_of(h.guest[1], &second));
    assert_true(first.instructions > 0 && second.instructions == 0);
    drop(&h);
}

static void test_efficiency_is_counted(void **state) {
    struct host h;
    struct efficiency one;
    (void)state;
    build(&h, false, &reference_monitor);
    machine_run(h.bare, &(struct machine_limits){.cycles = 4000000});
    assert_true(efficiency_of(h.guest[0], &one));
    /* One of 159 instructions of the loop is privileged. */
    assert_true(one.native > 0.99 && one.native < 0.995);
    assert_true(one.traps_per_1000 > 6 && one.traps_per_1000 < 8);
    assert_true(one.slowdown > 1.5 && one.slowdown < 10);
    assert_false(efficiency_of(h.bare, &one));
    drop(&h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_reference_monitor_keeps_control),
        cmocka_unit_test(test_monitors_that_lose_control_are_found),
        cmocka_unit_test(test_a_guest_that_is_never_interrupted_is_found),
        cmocka_unit_test(test_efficiency_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
