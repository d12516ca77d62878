/* Snapshots and clones: a machine that is restored, or copied, goes on as the one that was saved. That it goes on in
 * the same way is told from the trace, every event of it, and from the state in the end. */
#include <sys/wait.h>

#include "isa/history.h"
#include "isa/supervisor.h"
#include "tests/vmm/worlds.h"
#include "vmm/clone.h"
#include "vmm/reference/reference.h"

enum { SEED = 4711 };

/* Runs until no monitor is at work. */
static void settle(struct machine *m) {
    unsigned tries = 0;
    while (!machine_quiescent(m)) {
        assert_true(tries++ < 100000);
        run(machine_bare(m), 1);
    }
}

static void go_on(struct hearing *h, struct machine *m) {
    h->on = true;
    run(m, WORLD_STEPS);
}

static void expect_same(const struct hearing *a, struct machine *of_a, const struct hearing *b, struct machine *of_b,
                        const char *what) {
    if (a->events == 0 || a->events != b->events || a->hash != b->hash)
        fail_msg("%s: the traces differ", what);
    if (state_hash(of_a) != state_hash(of_b))
        fail_msg("%s: the states in the end differ", what);
}

/* ---- Files ---- */

static void test_a_restored_machine_goes_on_as_the_saved_one(void **state) {
    struct random r;
    char path[256];
    (void)state;
    random_init(&r, SEED, "snapshots");
    path_of(path, sizeof path, "state");
    for (const struct world_kind *k = world_kinds; k < world_kinds + WORLD_KINDS; k++) {
        struct world a, b;
        struct error e = ERROR_CLEAR;
        world_build(&a, k);
        world_build(&b, k);
        run(a.tower.bare, 20000 + random_below(&r, 1000000));
        settle(a.tower.bare);
        run(b.tower.bare, 1 + random_below(&r, 300000)); /* what it did is gone, whatever it is doing */
        if (!snapshot_save(a.tower.bare, path, &e) || !snapshot_load(b.tower.bare, path, &e))
            fail_msg("%s: %s", k->name, e.text);
        if (state_hash(a.tower.bare) != state_hash(b.tower.bare))
            fail_msg("%s: the restored state differs", k->name);
        go_on(&a.heard, a.tower.bare);
        go_on(&b.heard, b.tower.bare);
        expect_same(&a.heard, a.tower.bare, &b.heard, b.tower.bare, k->name);
        world_free(&a);
        world_free(&b);
    }
    unlink(path);
}

/* The real disk has not ended the guest's program yet: the copy of it, its pinned frames, and the device end to come.
 */
static void test_a_channel_program_under_way_is_saved(void **state) {
    char path[256];
    unsigned cuts = 0;
    (void)state;
    path_of(path, sizeof path, "channel");
    for (const struct world_kind *k = world_kinds; k < world_kinds + WORLD_KINDS; k++) {
        struct world a, b;
        struct error e = ERROR_CLEAR;
        if (!k->minidisk)
            continue;
        world_build(&a, k);
        world_build(&b, k);
        const struct reference *r = reference(a.tower.monitor[0]);
        for (unsigned tries = 0; !r->outstanding || !machine_quiescent(a.tower.bare); tries++) {
            assert_true(tries < 200000);
            run(a.tower.bare, 97);
        }
        assert_true(r->disk[0].program.used && r->disk[0].program.pins > 0);
        if (!snapshot_save(a.tower.bare, path, &e) || !snapshot_load(b.tower.bare, path, &e))
            fail_msg("%s: %s", k->name, e.text);
        assert_memory_equal(reference(b.tower.monitor[0])->frames.pins, r->frames.pins, sizeof r->frames.pins);
        struct machine *copy = vmm_clone(a.tower.bare, NULL, &e);
        assert_non_null(copy);
        go_on(&a.heard, a.tower.bare);
        go_on(&b.heard, b.tower.bare);
        run(copy, WORLD_STEPS);
        expect_same(&a.heard, a.tower.bare, &b.heard, b.tower.bare, k->name);
        assert_true(state_hash(copy) == state_hash(a.tower.bare));
        vmm_free_all(copy);
        world_free(&a);
        world_free(&b);
        cuts++;
    }
    assert_true(cuts >= 4);
    unlink(path);
}

/* In the middle of a trap of three levels; and another process goes on. */
static void test_a_monitor_at_work_is_saved_by_its_history(void **state) {
    struct random r;
    char path[256];
    (void)state;
    random_init(&r, SEED, "traps");
    path_of(path, sizeof path, "trap");
    for (const struct world_kind *k = world_kinds; k < world_kinds + WORLD_KINDS; k++) {
        struct world a;
        struct error e = ERROR_CLEAR;
        if (!world_is_plain(k) || !world_is_at_work(k))
            continue;
        world_build(&a, k);
        struct history *h = history_new(a.tower.bare, NULL, &e);
        assert_non_null(h);
        run(a.tower.bare, 100000 + random_below(&r, 300000));
        for (unsigned tries = 0; machine_quiescent(a.tower.bare); tries++) {
            assert_true(tries < 100000);
            run(a.tower.bare, 1);
        }
        assert_false(snapshot_save(a.tower.bare, path, &e));
        assert_string_equal(e.text, "a monitor is at work, and its activation cannot be saved");
        if (!history_save(h, path, &e))
            fail_msg("%s", e.text);
        fflush(NULL);
        int report[2];
        assert_int_equal(pipe(report), 0);
        pid_t child = fork();
        if (child == 0) {
            struct world b;
            uint64_t end[3];
            world_build(&b, k);
            if (!snapshot_load(b.tower.bare, path, &e))
                _exit(1);
            go_on(&b.heard, b.tower.innermost);
            end[0] = b.heard.events, end[1] = b.heard.hash, end[2] = state_hash(b.tower.bare);
            world_free(&b);
            _exit(write(report[1], end, sizeof end) == sizeof end ? 0 : 2);
        }
        uint64_t end[3];
        int status;
        go_on(&a.heard, a.tower.innermost);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_int_equal(read(report[0], end, sizeof end), sizeof end);
        close(report[0]);
        close(report[1]);
        assert_int_equal(end[0], a.heard.events);
        assert_true(end[1] == a.heard.hash);
        assert_true(end[2] == state_hash(a.tower.bare));
        history_free(h);
        world_free(&a);
    }
    unlink(path);
}

/* The machine of every other configuration names what differs, and is as it was, also while a monitor is at work. */
static void test_a_snapshot_of_another_machine_is_refused_and_nothing_changes(void **state) {
    static const struct {
        struct world_kind kind;
        uint32_t memory;
        const char *why;
    } others[] = {
        {{.name = "model"}, 128 * 1024, "the size of storage is 65536 there and 131072 here"},
        {{.name = "time", .nominal = true}, WORLD_MEMORY, "nominal time is 0 there and 1 here"},
        {{.name = "CPUs", .cpus = 2}, WORLD_MEMORY, "the number of CPUs is 1 there and 2 here"},
        {{.name = "channels", .conditions = CHANNEL_CONDITIONS_ARCHITECTURE},
         WORLD_MEMORY,
         "the kind of channel conditions is 0 there and 1 here"},
        {{.name = "monitor", .depth = 1}, WORLD_MEMORY, "the number of machines is 1 there and 2 here"},
    };
    struct world a;
    struct error e = ERROR_CLEAR;
    char path[256];
    (void)state;
    path_of(path, sizeof path, "other");
    world_build(&a, &world_kinds[0]);
    run(a.tower.bare, 50000);
    assert_true(snapshot_save(a.tower.bare, path, &e));
    for (size_t n = 0; n < sizeof others / sizeof *others; n++) {
        struct world b;
        world_build_sized(&b, &others[n].kind, others[n].memory);
        run(b.tower.bare, 30000);
        uint64_t before = state_hash(b.tower.bare);
        e = ERROR_CLEAR;
        assert_false(snapshot_load(b.tower.bare, path, &e));
        assert_non_null(strstr(e.text, "cannot be restored here: "));
        if (!strstr(e.text, others[n].why))
            fail_msg("%s: %s", others[n].kind.name, e.text);
        assert_true(state_hash(b.tower.bare) == before);
        world_free(&b);
    }
    world_free(&a);
    /* Of the same number of machines, and in the middle of a trap: it goes on as if nothing had been. */
    struct world b, c;
    const struct world_kind small = {.name = "smaller", .depth = 2, .policy = SHADOW_PROTECT};
    world_build(&a, &small);
    assert_true(snapshot_save(a.tower.bare, path, &e));
    world_build(&b, &world_kinds[2]);
    world_build(&c, &world_kinds[2]);
    do
        run(b.tower.bare, 10007), run(c.tower.bare, 10007);
    while (machine_quiescent(b.tower.bare));
    assert_false(snapshot_load(b.tower.bare, path, &e));
    assert_non_null(strstr(e.text, "what a monitor does about changed tables is 1 there and 0 here"));
    assert_false(machine_quiescent(b.tower.bare));
    go_on(&b.heard, b.tower.bare);
    go_on(&c.heard, c.tower.bare);
    expect_same(&b.heard, b.tower.bare, &c.heard, c.tower.bare, "refused in a trap");
    world_free(&a);
    world_free(&b);
    world_free(&c);
    unlink(path);
}

static void write_file(const char *path, const uint8_t *data, size_t length) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, length, f), length);
    fclose(f);
}

static void expect_refused(struct machine *m, const char *path, const uint8_t *data, size_t length, const char *what) {
    struct error e = ERROR_CLEAR;
    write_file(path, data, length);
    if (snapshot_load(m, path, &e))
        fail_msg("%s: it was restored", what);
    if (!strstr(e.text, "is not a snapshot of this program: "))
        fail_msg("%s: %s", what, e.text);
}

static void test_damaged_and_foreign_files_are_refused(void **state) {
    enum { FLIPPED = 64 };
    struct world w;
    struct error e = ERROR_CLEAR;
    struct bytes file = {0};
    char path[256], what[64];
    (void)state;
    path_of(path, sizeof path, "damaged");
    world_build(&w, &world_kinds[0]);
    run(w.tower.bare, 20000);
    assert_true(snapshot_save(w.tower.bare, path, &e));
    assert_true(bytes_read_file(&file, path, 1 << 24, &e));
    uint64_t before = state_hash(w.tower.bare);
    for (size_t length = 0; length < file.length; length += length < 200 ? 1 : 97) {
        snprintf(what, sizeof what, "truncated to %zu", length);
        expect_refused(w.tower.bare, path, file.data, length, what);
    }
    expect_refused(w.tower.bare, path, file.data, file.length - 1, "without its last byte");
    for (size_t at = 0; at < FLIPPED; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            file.data[at] ^= (uint8_t)(1u << bit);
            snprintf(what, sizeof what, "byte %zu, bit %u", at, bit);
            expect_refused(w.tower.bare, path, file.data, file.length, what);
            file.data[at] ^= (uint8_t)(1u << bit);
        }
    for (size_t at = FLIPPED; at < file.length; at += 131) {
        file.data[at] ^= 0x10;
        snprintf(what, sizeof what, "byte %zu", at);
        expect_refused(w.tower.bare, path, file.data, file.length, what);
        file.data[at] ^= 0x10;
    }
    static const uint8_t skippable[] = {0x50, 0x2A, 0x4D, 0x18, 0, 0, 0, 0};
    size_t length = file.length;
    bytes_append(&file, skippable, sizeof skippable);
    expect_refused(w.tower.bare, path, file.data, file.length, "an empty frame behind it");
    expect_refused(w.tower.bare, path, file.data, length + 1, "a byte behind it");
    expect_refused(w.tower.bare, path, (const uint8_t *)"#!/bin/sh\nexit 0\n", 17, "a script");
    bytes_put32(file.data + 8, 99);
    write_file(path, file.data, length);
    assert_false(snapshot_load(w.tower.bare, path, &e));
    assert_non_null(strstr(e.text, "it is of another version"));
    unlink(path);
    assert_false(snapshot_load(w.tower.bare, path, &e));
    assert_true(state_hash(w.tower.bare) == before);
    bytes_fini(&file);
    world_free(&w);
}

/* ---- Clones ---- */

static void test_a_clone_and_the_original_go_on_in_the_same_way(void **state) {
    struct random r;
    (void)state;
    random_init(&r, SEED, "clones");
    for (const struct world_kind *k = world_kinds; k < world_kinds + WORLD_KINDS; k++) {
        struct world a;
        struct hearing heard;
        struct error e = ERROR_CLEAR;
        world_build(&a, k);
        run(a.tower.bare, 20000 + random_below(&r, 600000));
        settle(a.tower.bare);
        hearing_new(&heard);
        struct machine *copy = vmm_clone(a.tower.innermost, &(struct vmm_clone_options){.trace = heard.trace}, &e);
        if (!copy)
            fail_msg("%s: %s", k->name, e.text);
        assert_ptr_not_equal(copy, a.tower.bare);
        go_on(&a.heard, a.tower.bare); /* what it does is no affair of the copy's */
        go_on(&heard, copy);
        expect_same(&a.heard, a.tower.bare, &heard, copy, k->name);
        vmm_free_all(copy);
        world_free(&a);
        hearing_free(&heard);
    }
}

/* Monitors of two guests of another, with minidisks made in between. */
static void test_everything_has_its_place_in_a_clone(void **state) {
    struct world w;
    struct error e = ERROR_CLEAR;
    (void)state;
    world_build(&w, &(struct world_kind){.name = "room", .depth = 0});
    tower_free(&w.tower);
    const struct machine_options o = {.memory_bytes = 4 << 20, .model = &w.model};
    struct machine *bare = machine_new(&o, &e), *guest[3], *inner[3];
    struct vmm *v = vmm_new(bare, "trap-and-emulate", &e), *on[3] = {NULL};
    struct disk_backing disk;
    assert_true(disk_backing_memory(&disk, 400, &e));
    assert_true(machine_attach(bare, 0x151, disk_new(&w.model, &disk), &e));
    for (unsigned n = 0; n < 3; n++) {
        guest[n] = vmm_guest(v, &(struct guest_options){.memory_bytes = 768 << 10}, &e);
        assert_non_null(guest[n]);
        const struct minidisk part = {.address = 0x150, .host_address = 0x151, .first = 100 * n, .blocks = 100};
        assert_true(disk_backing_memory(&disk, 50, &e));
        assert_true(machine_attach(guest[n], 0x190, disk_new(&w.model, &disk), &e));
        if (n != 1)
            assert_true(vmm_minidisk(guest[n], &part, &e));
    }
    for (unsigned n = 3; n-- > 0;) {
        on[n] = vmm_new(guest[n], "trap-and-emulate", &e);
        assert_non_null(on[n]);
        inner[n] = vmm_guest(on[n], &(struct guest_options){.memory_bytes = 64 << 10}, &e);
        assert_non_null(inner[n]);
    }
    struct machine *copy = vmm_clone(bare, NULL, &e);
    if (!copy)
        fail_msg("%s", e.text);
    assert_true(state_hash(copy) == state_hash(bare));
    assert_int_equal(vmm_frame(vmm_guest_at(vmm_on(copy), 2), 0), vmm_frame(guest[2], 0));
    assert_string_equal(machine_name(vmm_guest_at(vmm_on(copy), 2)), machine_name(guest[2]));
    vmm_free_all(copy);
    for (unsigned n = 0; n < 3; n++)
        vmm_free(on[n]);
    vmm_free(v);
    machine_free(bare);
    hearing_free(&w.heard);
}

static uint32_t no_interruption(void *self, struct processor *p, enum interruption_class c) {
    (void)self, (void)p, (void)c;
    return SUPERVISOR_PSW;
}

static void test_what_cannot_be_saved_or_copied_is_refused(void **state) {
    static const struct supervisor_ops bare_ops = {.interrupt = no_interruption};
    struct world w;
    struct error e = ERROR_CLEAR;
    char path[256];
    (void)state;
    path_of(path, sizeof path, "refused");
    world_build(&w, &world_kinds[2]);
    run(w.tower.bare, 10000);
    while (machine_quiescent(w.tower.bare))
        run(w.tower.bare, 1);
    assert_null(vmm_clone(w.tower.bare, NULL, &e));
    assert_string_equal(e.text, "a monitor is at work, and its activation cannot be saved");
    world_free(&w);

    struct cost_model model;
    e = ERROR_CLEAR;
    assert_true(cost_model_find(&model, "s370", &e));
    struct machine *m = machine_new(&(struct machine_options){.memory_bytes = 1 << 20, .model = &model}, &e);
    struct supervisor *s = supervisor_attach(m, &bare_ops, NULL, &e);
    assert_false(snapshot_save(m, path, &e));
    assert_string_equal(e.text, "the supervisor of bare keeps a state that cannot be saved");
    assert_null(vmm_clone(m, NULL, &e));
    supervisor_detach(s);

    struct disk_backing disk;
    assert_true(disk_file_new(path, 8, &e));
    assert_true(disk_backing_file(&disk, path, 0, &e));
    assert_true(machine_attach(m, 0x150, disk_new(&model, &disk), &e));
    assert_null(vmm_clone(m, NULL, &e));
    assert_string_equal(e.text, "the device 150 of bare cannot be copied: its file is not written");
    machine_free(m);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_restored_machine_goes_on_as_the_saved_one),
        cmocka_unit_test(test_a_channel_program_under_way_is_saved),
        cmocka_unit_test(test_a_monitor_at_work_is_saved_by_its_history),
        cmocka_unit_test(test_a_snapshot_of_another_machine_is_refused_and_nothing_changes),
        cmocka_unit_test(test_damaged_and_foreign_files_are_refused),
        cmocka_unit_test(test_a_clone_and_the_original_go_on_in_the_same_way),
        cmocka_unit_test(test_everything_has_its_place_in_a_clone),
        cmocka_unit_test(test_what_cannot_be_saved_or_copied_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
