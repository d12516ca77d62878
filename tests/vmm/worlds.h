/* Trees of machines for the tests of snapshots and histories: one row a configuration, and what is compared of two. */
#ifndef TESTS_VMM_WORLDS_H
#define TESTS_VMM_WORLDS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/archive.h"
#include "base/random.h"
#include "base/trace.h"
#include "isa/snapshot.h"
#include "tests/support/orders.h"
#include "tests/vmm/towers.h"

enum { WORLD_MEMORY = 64 * 1024, WORLD_STEPS = 150000 };
#define HASH_BEGIN BYTES_FNV_BEGIN
static inline uint64_t hash_byte(uint64_t hash, uint64_t value) { return (hash ^ value) * BYTES_FNV_PRIME; }

/* Everything of nucleus.s: address spaces, timers, a disk, paging; team.s: CPUs that signal each other. */
struct world_kind {
    const char *name;
    unsigned depth;      /* monitors on each other */
    const char *order;   /* instead: hypervisors of both kinds on each other, as in order_new, with minidisks */
    unsigned guests;     /* of the topmost monitor; 0 is 1 */
    unsigned cpus;       /* of every machine; 0 is 1 */
    const char *program; /* in scenarios/guests; NULL: nucleus.s */
    bool minidisk;       /* the innermost machine's disk is a part of the bare one's */
    bool nominal;
    enum shadow_policy policy;
    enum channel_conditions conditions;
};

/* clang-format off */
static const struct world_kind world_kinds[] = {
    {.name = "bare"},
    {.name = "one monitor", .depth = 1},
    {.name = "two monitors", .depth = 2},
    {.name = "three monitors", .depth = 3},
    {.name = "minidisk", .depth = 1, .minidisk = true},
    {.name = "minidisk of a minidisk", .depth = 2, .minidisk = true, .policy = SHADOW_PROTECT},
    {.name = "protected tables", .depth = 1, .policy = SHADOW_PROTECT},
    {.name = "protected tables, twice", .depth = 2, .policy = SHADOW_PROTECT},
    {.name = "nominal time", .depth = 2, .nominal = true, .minidisk = true},
    {.name = "the architecture's channels", .conditions = CHANNEL_CONDITIONS_ARCHITECTURE},
    {.name = "the architecture's channels, minidisk", .depth = 1, .minidisk = true,
     .conditions = CHANNEL_CONDITIONS_ARCHITECTURE},
    {.name = "three guests", .depth = 1, .guests = 3},
    {.name = "two guests of a second monitor", .depth = 2, .guests = 2},
    {.name = "several CPUs", .cpus = 4, .program = "team.s"},
    {.name = "several virtual CPUs", .depth = 1, .cpus = 2, .program = "team.s"},
    {.name = "several virtual CPUs, twice", .depth = 2, .cpus = 2, .program = "team.s"},
    {.name = "guests on several CPUs", .depth = 1, .guests = 3, .cpus = 2, .program = "team.s"},
    {.name = "hypervisor.s", .order = "A"},
    {.name = "hypervisor.s, twice", .order = "AA"},
    {.name = "hypervisor.s, three times", .order = "AAA"},
    {.name = "a monitor on hypervisor.s", .order = "AC"},
    {.name = "hypervisor.s on a monitor", .order = "CA"},
    {.name = "hypervisor.s between monitors", .order = "CAC"},
};
/* clang-format on */
enum { WORLD_KINDS = sizeof world_kinds / sizeof *world_kinds, DEPTHS = 4 };

/* Nothing but machines on each other: those where every test is made. */
static inline bool world_is_plain(const struct world_kind *k) { return k < world_kinds + DEPTHS || k->order; }
/* There is a monitor in C above the bare machine, which can be found at work. */
static inline bool world_is_at_work(const struct world_kind *k) {
    return k->depth > 1 || (k->order && strchr(k->order + 1, 'C'));
}

/* The trace, every event of it but instructions and walks, as counted by its subscriber. */
struct hearing {
    struct trace *trace;
    uint64_t events, hash;
    bool on;
    struct bytes line;
};

struct world {
    struct cost_model model;
    struct hearing heard;
    struct tower tower; /* of an order: its machines */
    struct order order;
    struct machine *guest[4]; /* of the topmost monitor, the innermost machine first; of an order: all machines */
    unsigned guests;
};

static inline void hear(void *self, const struct trace_event *event) {
    struct hearing *h = self;
    if (!h->on)
        return;
    h->line.length = 0;
    trace_to_json(&h->line, event);
    for (size_t i = 0; i < h->line.length; i++)
        h->hash = hash_byte(h->hash, h->line.data[i]);
    h->events++;
}

static inline void hearing_new(struct hearing *h) {
    *h = (struct hearing){.trace = trace_new(), .hash = HASH_BEGIN};
    assert_non_null(h->trace);
    assert_true(trace_subscribe(h->trace, ~(1u << TRACE_INSTRUCTION | 1u << TRACE_WALK), hear, h) >= 0);
}

static inline void hearing_free(struct hearing *h) {
    trace_free(h->trace);
    bytes_fini(&h->line);
}

static inline void world_load(struct machine *m, const struct world_kind *k) {
    char path[512];
    struct error e = ERROR_CLEAR;
    struct assembly a;
    snprintf(path, sizeof path, SOURCE_DIR "/scenarios/guests/%s", k->program ? k->program : "nucleus.s");
    bool ok = assemble_file(&a, path, NULL, &e);
    towers_load(m, &a, ok, &e);
}

static inline void world_disk(struct world *w, const struct world_kind *k) {
    struct error e = ERROR_CLEAR;
    struct disk_backing disk;
    assert_true(disk_backing_memory(&disk, NUCLEUS_BLOCKS, &e));
    if (!(k->minidisk ? tower_disk(&w->tower, &disk, &e)
                      : machine_attach(w->tower.innermost, ADDRESS_DISK, disk_new(&w->model, &disk), &e)))
        fail_msg("%s", e.text);
}

/* The topmost monitor's other guests; nobody has given room for them, so they are made in the machine's spare frames.
 */
static inline void world_add_guests(struct world *w, const struct world_kind *k) {
    struct error e = ERROR_CLEAR;
    while (w->guests < k->guests) {
        struct machine *g = vmm_guest(w->tower.monitor[k->depth - 1],
                                      &(struct guest_options){.memory_bytes = WORLD_MEMORY, .cpus = k->cpus}, &e);
        if (!g)
            fail_msg("%s", e.text);
        world_load(g, k);
        machine_restart(g);
        w->guest[w->guests++] = g;
    }
}

static inline void world_build_order(struct world *w, const struct world_kind *k, const struct machine_options *o) {
    order_new(&w->order, k->order, o, NUCLEUS_BLOCKS);
    w->tower.bare = w->order.bare;
    w->tower.innermost = w->order.innermost;
    world_load(w->tower.innermost, k);
    for (struct machine *m = w->tower.innermost; m != w->tower.bare; m = machine_host(m)) {
        w->guest[w->guests++] = m;
        if (!machine_only_seen(m))
            machine_restart(m);
    }
    machine_restart(w->tower.bare);
}

/* Ready to start. */
static inline void world_build_sized(struct world *w, const struct world_kind *k, uint32_t memory) {
    struct error e = ERROR_CLEAR;
    const char *const kinds[TOWER_MOST] = {"trap-and-emulate", "trap-and-emulate", "trap-and-emulate",
                                           "trap-and-emulate"};
    struct monitor_options monitors = vmm_default_options();
    monitors.policy = k->policy;
    *w = (struct world){0};
    hearing_new(&w->heard);
    assert_true(cost_model_find(&w->model, "s370", &e));
    const struct machine_options o = {.memory_bytes = memory,
                                      .model = &w->model,
                                      .cpus = k->cpus,
                                      .trace = w->heard.trace,
                                      .nominal_time = k->nominal,
                                      .channel_conditions = k->conditions};
    if (k->order) {
        world_build_order(w, k, &o);
        return;
    }
    if (k->guests > 1) { /* a tower whose last machine has room for them all */
        struct machine_options wide = o;
        wide.memory_bytes = k->guests * (memory + vmm_host_bytes_with(memory, k->cpus, &monitors) + (256 << 10));
        if (!tower_new_with(&w->tower, &wide, kinds, k->depth - 1, &monitors, &e))
            fail_msg("%s", e.text);
        struct vmm *v = vmm_new_with(w->tower.innermost, kinds[0], &monitors, &e);
        struct machine *g =
            v ? vmm_guest(v, &(struct guest_options){.memory_bytes = memory, .cpus = k->cpus}, &e) : NULL;
        if (!g)
            fail_msg("%s", e.text);
        w->tower.monitor[w->tower.count++] = v;
        w->tower.innermost = g;
    } else if (!tower_new_with(&w->tower, &o, kinds, k->depth, &monitors, &e)) {
        fail_msg("%s", e.text);
    }
    world_load(w->tower.innermost, k);
    world_disk(w, k);
    w->guest[w->guests++] = w->tower.innermost;
    machine_restart(w->tower.innermost);
    world_add_guests(w, k);
    for (unsigned n = k->depth; n-- > 0;)
        machine_restart(vmm_machine(w->tower.monitor[n]));
}

static inline void world_build(struct world *w, const struct world_kind *k) { world_build_sized(w, k, WORLD_MEMORY); }

static inline void world_free(struct world *w) {
    if (w->order.bare)
        order_free(&w->order);
    else
        tower_free(&w->tower);
    hearing_free(&w->heard);
}

static inline void run(struct machine *m, uint64_t steps) {
    machine_run(m, &(struct machine_limits){.instructions = steps});
    if (machine_fault(m)[0])
        fail_msg("%s", machine_fault(m));
}

/* All of a tree, also where a monitor is at work. */
static inline uint64_t state_hash(struct machine *m) {
    struct error e = ERROR_CLEAR;
    struct bytes state = {0};
    struct archive a = archive_saving(&state, &e);
    a.still = true;
    machine_archive(m, &a);
    if (!archive_finish(&a))
        fail_msg("%s", e.text);
    uint64_t hash = HASH_BEGIN;
    for (size_t i = 0; i < state.length; i++)
        hash = hash_byte(hash, state.data[i]);
    bytes_fini(&state);
    return hash;
}

static inline void path_of(char *path, size_t size, const char *name) {
    const char *folder = getenv("TMPDIR");
    snprintf(path, size, "%s/snapshot-%d-%s", folder ? folder : "/tmp", (int)getpid(), name);
}

#endif
