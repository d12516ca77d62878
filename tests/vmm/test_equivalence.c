/* The check of equivalence: it holds for the reference monitor, at every depth, and for each of its mutants it finds
 * the difference. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/disassembler.h"
#include "tests/support/differential.h"
#include "tests/support/mutants.h"
#include "tests/support/stale.h"
#include "tests/vmm/towers.h"
#include "vmm/equivalence.h"

enum {
    DISK = 0x150,
    DISK_BLOCKS = 1216,
    SMALL = 64 * 1024,
    LARGE = 1024 * 1024,
    CASE_BYTES = 0x200000,
    SEED = 2026,
    CASES_MOST = 200
};

struct world {
    struct cost_model model;
    struct machine *bare, *guest, *reference;
    struct vmm *monitor[TOWER_MOST];
    unsigned depth;
};

/* `mutant` is the outermost monitor, next to the guest; NULL: the reference monitor. */
static void build(struct world *w, unsigned depth, uint32_t memory, bool nominal, const struct monitor_parts *mutant) {
    struct error e = ERROR_CLEAR;
    const struct monitor_options options = vmm_default_options();
    *w = (struct world){.depth = depth};
    assert_true(cost_model_find(&w->model, "s370", &e));
    struct machine_options o = {
        .memory_bytes = memory + depth * vmm_host_bytes(0), .model = &w->model, .nominal_time = nominal};
    w->bare = w->guest = machine_new(&o, &e);
    for (unsigned n = 0; n < depth && w->guest; n++) {
        const struct guest_options guest = {.memory_bytes = memory + (depth - n - 1) * vmm_host_bytes(0)};
        const struct monitor_parts *parts = mutant && n + 1 == depth ? mutant : &reference_monitor;
        w->monitor[n] = vmm_new_from(w->guest, parts, &options, &e);
        w->guest = w->monitor[n] ? vmm_guest(w->monitor[n], &guest, &e) : NULL;
    }
    o.memory_bytes = memory;
    w->reference = machine_new(&o, &e);
    if (!w->guest || !w->reference)
        fail_msg("%s", e.text);
}

static void drop(struct world *w) {
    while (w->depth > 0)
        vmm_free(w->monitor[--w->depth]);
    machine_free(w->bare);
    machine_free(w->reference);
}

static void add_disk(struct world *w, struct machine *m) {
    struct error e = ERROR_CLEAR;
    struct disk_backing backing;
    if (!disk_backing_memory(&backing, DISK_BLOCKS, &e) || !machine_attach(m, DISK, disk_new(&w->model, &backing), &e))
        fail_msg("%s", e.text);
}

static void load_guest(struct world *w, const char *name) {
    char path[256];
    struct error e = ERROR_CLEAR;
    struct assembly a;
    snprintf(path, sizeof path, SOURCE_DIR "/scenarios/guests/%s", name);
    if (!assemble_file(&a, path, NULL, &e) || !machine_load(w->guest, a.origin, a.image.data, a.image.length, &e))
        fail_msg("%s", e.text);
    assembly_fini(&a);
}

static void load_nucleus(struct world *w) {
    load_guest(w, "nucleus.s");
    add_disk(w, w->guest);
    add_disk(w, w->reference);
}

/* False: not for machines of this size. */
static bool load_case(struct world *w, uint64_t number, int focus) {
    static struct differential_case c;
    static uint8_t image[DIFF_LOW];
    struct error e = ERROR_CLEAR;
    differential_generate(&c, SEED, number, focus);
    if (c.memory != CASE_BYTES)
        return false;
    differential_image(&c, image);
    assert_true(machine_load(w->guest, 0, image, DIFF_LOW, &e));
    assert_true(machine_load(w->guest, CASE_BYTES - DIFF_HIGH, c.high, DIFF_HIGH, &e));
    return true;
}

static void print_finding(const struct equivalence *q) {
    for (unsigned n = 0; n < q->last_count; n++) {
        char line[DISASSEMBLER_TEXT];
        disassemble(line, q->last[n].text, 6);
        printf("    %06X  %-28s %s\n", q->last[n].address, line, q->last[n].interruption);
    }
    printf("    %s\n", q->what);
}

static void expect_held(const struct equivalence *q, const char *format, ...) {
    va_list arguments;
    if (q->end != EQUIVALENCE_BROKEN)
        return;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf(": after %" PRIu64 " steps\n", q->steps);
    print_finding(q);
    fail();
}

static void test_the_reference_monitor_runs_nucleus_as_a_bare_machine(void **state) {
    (void)state;
    for (unsigned depth = 1; depth <= 2; depth++)
        for (unsigned nominal = 0; nominal <= 1; nominal++) {
            struct world w;
            struct equivalence q;
            struct error e = ERROR_CLEAR;
            build(&w, depth, SMALL, nominal, NULL);
            load_nucleus(&w);
            const struct equivalence_options o = {.steps = 60000};
            assert_true(equivalence_check(w.guest, w.reference, &o, &q, &e));
            expect_held(&q, "depth %u, nominal %u", depth, nominal);
            assert_int_equal(q.end, EQUIVALENCE_BUDGET);
            assert_int_equal(q.steps, 60000);
            drop(&w);
        }
}

static unsigned check_cases(unsigned depth, unsigned cases, const struct monitor_parts *mutant, int focus, bool find) {
    unsigned checked = 0;
    for (uint64_t number = 0; checked < cases; number++) {
        struct world w;
        struct equivalence q;
        struct error e = ERROR_CLEAR;
        build(&w, depth, CASE_BYTES, true, mutant);
        if (load_case(&w, number, focus)) {
            const struct equivalence_options o = {.steps = 5000};
            assert_true(equivalence_check(w.guest, w.reference, &o, &q, &e));
            checked++;
            if (find && q.end == EQUIVALENCE_BROKEN) {
                drop(&w);
                return checked;
            }
            if (!find)
                expect_held(&q, "depth %u, seed %d, case %" PRIu64, depth, SEED, number);
        }
        drop(&w);
    }
    return find ? 0 : checked;
}

static void test_random_programs_run_as_on_a_bare_machine(void **state) {
    (void)state;
    check_cases(1, 150, NULL, -1, false);
    check_cases(2, 30, NULL, -1, false);
}

/* Each is found, by nucleus.s or by one of the random programs; and many let nucleus.s come to its normal end. */
static bool found(const struct mutant *mutant) {
    struct mutant_parts m;
    struct world w;
    struct equivalence q;
    struct error e = ERROR_CLEAR;
    mutant_make(&m, mutant);
    if (mutant->by == FOUND_BY_PROGRAMS)
        return check_cases(1, CASES_MOST, &m.parts, mutant->focus, true) != 0;
    build(&w, 1, SMALL, true, &m.parts);
    if (mutant->by == FOUND_BY_NUCLEUS)
        load_nucleus(&w);
    else
        towers_load_source(w.guest, stale);
    assert_true(equivalence_check(w.guest, w.reference, &(struct equivalence_options){.steps = 400000}, &q, &e));
    drop(&w);
    return q.end == EQUIVALENCE_BROKEN && q.what[0];
}

static bool boots(const struct mutant *mutant) {
    struct mutant_parts m;
    struct world w;
    struct machine_state end;
    mutant_make(&m, mutant);
    build(&w, 1, LARGE, true, &m.parts);
    load_nucleus(&w);
    machine_run(w.guest, &(struct machine_limits){.instructions = 12000000});
    machine_state(w.guest, &end);
    bool normally = machine_status(w.guest) == MACHINE_DISABLED_WAIT && end.psw.ia == 0xFFF;
    drop(&w);
    return normally;
}

static void test_every_mutant_is_found(void **state) {
    unsigned normal = 0;
    (void)state;
    assert_true(mutant_count >= 20);
    for (unsigned n = 0; n < mutant_count; n++) {
        normal += boots(&mutants[n]);
        if (!found(&mutants[n]))
            fail_msg("%s was not found", mutants[n].name);
    }
    assert_true(2 * normal >= mutant_count);
}

/* It waits for ever for its typewriter; nothing is pending any more that a look could find. */
static void test_a_guest_that_waits_for_what_was_lost_is_found(void **state) {
    (void)state;
    for (unsigned n = 0; n < 2; n++) {
        struct mutant_parts m;
        struct world w;
        struct equivalence q;
        struct error e = ERROR_CLEAR;
        const struct mutant *mutant = mutants;
        while (strcmp(mutant->name, "device_interruption_is_lost") != 0)
            mutant++;
        mutant_make(&m, mutant);
        build(&w, 1, SMALL, true, n ? &m.parts : NULL);
        load_guest(&w, "walk.s");
        assert_true(equivalence_check(w.guest, w.reference, &(struct equivalence_options){.steps = 1000}, &q, &e));
        assert_int_equal(q.end, n ? EQUIVALENCE_BROKEN : EQUIVALENCE_ENDED);
        if (n)
            assert_non_null(strstr(q.what, "it waits for ever for an interruption of device 009"));
        drop(&w);
    }
}

static void refused(struct world *w, const char *why) {
    struct equivalence q;
    struct error e = ERROR_CLEAR;
    if (equivalence_check(w->guest, w->reference, &(struct equivalence_options){.steps = 1}, &q, &e) ||
        strcmp(e.text, why) != 0)
        fail_msg("\"%s\" instead of \"%s\"", e.text, why);
}

/* What both are given from outside must be the same. */
static void test_other_devices_are_refused_beforehand(void **state) {
    static const uint8_t block[DISK_BLOCK_BYTES] = {1};
    struct world w;
    (void)state;
    build(&w, 1, SMALL, true, NULL);
    load_guest(&w, "walk.s");
    add_disk(&w, w.reference);
    refused(&w, "equivalence: bare has a device 150 (3370), and guest1 has not");
    add_disk(&w, w.guest);
    assert_true(disk_write_block(machine_device(w.guest, DISK), 5, block));
    refused(&w, "equivalence: block 5 of disk 150 is not the same in guest1 and bare");
    assert_true(disk_write_block(machine_device(w.reference, DISK), 5, block));
    assert_true(console_type(machine_device(w.reference, ADDRESS_CONSOLE), "HELLO", 5));
    refused(&w, "equivalence: device 009 (3215) is not in the same state in guest1 and bare");
    assert_true(console_type(machine_device(w.guest, ADDRESS_CONSOLE), "HELLO", 5));
    struct equivalence q;
    struct error e = ERROR_CLEAR;
    assert_true(equivalence_check(w.guest, w.reference, &(struct equivalence_options){.steps = 100}, &q, &e));
    assert_int_equal(q.end, EQUIVALENCE_BUDGET);
    drop(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_reference_monitor_runs_nucleus_as_a_bare_machine),
        cmocka_unit_test(test_random_programs_run_as_on_a_bare_machine),
        cmocka_unit_test(test_a_guest_that_waits_for_what_was_lost_is_found),
        cmocka_unit_test(test_other_devices_are_refused_beforehand),
        cmocka_unit_test(test_every_mutant_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
