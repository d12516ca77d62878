/* Anybody's changes to the contents of a snapshot, as a forger would make them who gets the checksum right: whatever
 * they say, they are refused or restored, and in either case the machines can be run on, looked at, saved and loaded
 * into again.
 *
 * The first byte chooses the configuration. Then each 6 bytes are one change: 4 bytes say where, from the beginning or
 * from the end, one byte how, and one is a value. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/assembler.h"
#include "isa/disk.h"
#include "isa/snapshot.h"
#include "vmm/map.h"
#include "vmm/vmm.h"

enum {
    MEMORY = 65536,
    HYPERVISOR_BYTES = 216 << 10,
    BLOCKS = 1216,
    BEFORE = 60000,
    AFTER = 3000,
    CYCLES = 3000000,
    CHANGE_BYTES = 6
};

struct kind {
    unsigned depth, cpus;
    unsigned seen; /* hypervisors in assembler on each other, and then at most one monitor in C: depth */
    bool minidisk;
    enum shadow_policy policy;
    enum channel_conditions conditions;
    const char *program;
};
static const struct kind kinds[] = {
    {.program = "nucleus.s"},
    {.program = "nucleus.s", .depth = 1, .minidisk = true},
    {.program = "nucleus.s", .depth = 2, .policy = SHADOW_PROTECT, .minidisk = true},
    {.program = "team.s", .depth = 1, .cpus = 2},
    {.program = "team.s", .cpus = 4, .conditions = CHANNEL_CONDITIONS_ARCHITECTURE},
    {.program = "nucleus.s", .seen = 2},
    {.program = "nucleus.s", .seen = 1, .depth = 1},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void expect(bool ok, const char *what) {
    if (!ok) {
        fprintf(stderr, "snapshot: %s\n", what);
        abort();
    }
}

static void load_program(struct machine *m, const char *program) {
    struct assembly a;
    struct error e = ERROR_CLEAR;
    char path[512];
    snprintf(path, sizeof path, SOURCE_DIR "/scenarios/guests/%s", program);
    expect(assemble_file(&a, path, NULL, &e), e.text);
    expect(machine_load(m, a.origin, a.image.data, a.image.length, &e), e.text);
    assembly_fini(&a);
}

static void build_seen(struct tower *t, const struct kind *k, const struct machine_options *inner) {
    struct error e = ERROR_CLEAR;
    struct machine_options o = *inner;
    uint32_t memory = MEMORY + k->depth * vmm_host_bytes(0);
    o.memory_bytes = memory + k->seen * HYPERVISOR_BYTES;
    t->bare = t->innermost = machine_new(&o, &e);
    for (unsigned n = k->seen; n-- > 0 && t->innermost;) {
        load_program(t->innermost, "hypervisor.s");
        struct map *f = map_new(t->innermost, &e);
        expect(f != NULL, e.text);
        t->innermost = map_guest(f, 0, memory + n * HYPERVISOR_BYTES, NULL, &e);
    }
    if (k->depth && t->innermost) {
        struct vmm *v = vmm_new(t->innermost, "trap-and-emulate", &e);
        t->innermost = v ? vmm_guest(v, &(struct guest_options){.memory_bytes = MEMORY}, &e) : NULL;
    }
    expect(t->innermost != NULL, e.text);
}

static void build(struct tower *t, const struct kind *k, struct cost_model *model) {
    static const char *const names[] = {"trap-and-emulate", "trap-and-emulate"};
    struct monitor_options monitors = vmm_default_options();
    struct disk_backing disk;
    struct error e = ERROR_CLEAR;
    monitors.policy = k->policy;
    expect(cost_model_find(model, "s370", &e), e.text);
    const struct machine_options o = {
        .memory_bytes = MEMORY, .model = model, .cpus = k->cpus, .channel_conditions = k->conditions};
    *t = (struct tower){0};
    if (k->seen)
        build_seen(t, k, &o);
    else
        expect(tower_new_with(t, &o, names, k->depth, &monitors, &e), e.text);
    expect(disk_backing_memory(&disk, BLOCKS, &e), e.text);
    expect(k->minidisk ? tower_disk(t, &disk, &e)
                       : machine_attach(k->seen ? t->bare : t->innermost, ADDRESS_DISK, disk_new(model, &disk), &e),
           e.text);
}

static void save(struct machine *m, struct bytes *to) {
    struct error e = ERROR_CLEAR;
    struct archive a = archive_saving(to, &e);
    machine_archive(m, &a);
    expect(archive_finish(&a), e.text);
}

static bool load(struct machine *m, const struct bytes *from, struct error *e) {
    struct archive a = archive_loading(from->data, from->length, e);
    machine_archive(m, &a);
    return archive_finish(&a);
}

/* What is changed: a machine in the middle of its work. */
static void make_state(const struct kind *k, struct bytes *to) {
    struct tower t;
    struct cost_model model;
    build(&t, k, &model);
    load_program(t.innermost, k->program);
    machine_restart(t.innermost);
    if (k->seen)
        machine_restart(t.bare);
    machine_run(t.innermost, &(struct machine_limits){.instructions = BEFORE});
    while (!machine_quiescent(t.bare))
        machine_run(t.bare, &(struct machine_limits){.instructions = 1});
    save(t.bare, to);
    vmm_free_all(t.bare);
}

static void change(struct bytes *state, const uint8_t c[CHANGE_BYTES]) {
    enum { FROM_END = 0x80, NEAR = 0x40 };
    static const uint8_t ones[8] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}, zeros[8];
    if (state->length < 16)
        return; /* nearly all was cut off before */
    size_t where = bytes_get32(c) % (c[4] & NEAR ? state->length / 16 : state->length);
    uint8_t *at = state->data + (c[4] & FROM_END ? state->length - 1 - where : where);
    size_t room = (size_t)(state->data + state->length - at), length = room < 8 ? room : 8;
    switch (c[4] & 7) {
    case 0: *at = c[5]; break;
    case 1: *at ^= c[5]; break;
    case 2: memcpy(at, ones, length); break;
    case 3: memcpy(at, zeros, length); break;
    case 4: memset(at, c[5], length); break;
    case 5: *at ^= (uint8_t)(1u << (c[5] & 7)); break;
    case 6: state->length -= c[5] < state->length ? c[5] : 0; break;
    case 7: memmove(at, at + c[5] % room, room - c[5] % room); break;
    }
}

static void look(struct machine *m) {
    uint8_t page[4096];
    struct machine_state state;
    struct machine_stats stats;
    struct dat_walk walk;
    for (unsigned cpu = 0; cpu < machine_cpus(m); cpu++) {
        machine_cpu_state(m, cpu, &state);
        machine_cpu_status(m, cpu);
    }
    machine_stats(m, &stats);
    machine_walk(m, 0x1234, &walk);
    machine_peek(m, 0, page, sizeof page);
}

static void try(const struct kind *k, const struct bytes *good, const uint8_t *data, size_t size) {
    struct tower t;
    struct cost_model model;
    struct error e = ERROR_CLEAR;
    struct bytes forged = {0}, again = {0};
    bytes_append(&forged, good->data, good->length);
    for (size_t at = 0; at + CHANGE_BYTES <= size; at += CHANGE_BYTES)
        change(&forged, data + at);
    build(&t, k, &model);
    if (load(t.bare, &forged, &e)) {
        look(t.bare);
        look(t.innermost);
        machine_run(t.innermost, &(struct machine_limits){.instructions = AFTER, .cycles = CYCLES});
        machine_raise(t.innermost, CONDITION_ATTENTION);
        machine_run(t.bare, &(struct machine_limits){.instructions = AFTER, .cycles = CYCLES});
        look(t.innermost);
    } else {
        expect(e.text[0] != 0, "refused without a reason");
    }
    expect(load(t.bare, good, &e), "a good state does not go over a bad one");
    save(t.bare, &again);
    expect(again.length == good->length && memcmp(again.data, good->data, good->length) == 0,
           "a bad state has left something behind");
    machine_run(t.innermost, &(struct machine_limits){.instructions = 100});
    expect(!machine_fault(t.bare)[0], machine_fault(t.bare));
    vmm_free_all(t.bare);
    bytes_fini(&forged);
    bytes_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct bytes good[KINDS]; /* made once: they are always the same */
    unsigned n = size ? data[0] % KINDS : 0;
    if (!good[n].length)
        make_state(&kinds[n], &good[n]);
    try(&kinds[n], &good[n], data + (size > 0), size - (size > 0));
    return 0;
}
