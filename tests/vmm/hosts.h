/* Hosts: a machine with a monitor and several guests that know nothing of each other, and what must hold for them
 * whatever they do: nobody's frame becomes anybody else's. */
#ifndef TESTS_VMM_HOSTS_H
#define TESTS_VMM_HOSTS_H

#include <string.h>

#include "isa/disk.h"
#include "tests/vmm/guests.h"
#include "vmm/reference/reference.h"

struct host {
    struct cost_model model;
    struct tower below; /* its innermost machine is the host's */
    struct vmm *monitor;
    struct machine *guest[GUESTS_MOST];
    struct bytes lines[GUESTS_MOST]; /* of their consoles */
    unsigned guests;
    struct frames frames; /* as they were when the last guest was made */
};

/* A machine of so many bytes, `depth` levels up (1: a monitor on the bare machine), with a monitor and no guests. */
static inline void hosts_build(struct host *h, uint32_t bytes, unsigned depth, bool nominal) {
    const char *kinds[TOWER_MOST];
    struct error e = ERROR_CLEAR;
    for (unsigned n = 0; n < TOWER_MOST; n++)
        kinds[n] = "trap-and-emulate";
    *h = (struct host){0};
    assert_true(cost_model_find(&h->model, "s370", &e));
    const struct machine_options o = {.memory_bytes = bytes, .model = &h->model, .nominal_time = nominal};
    if (!tower_new(&h->below, &o, kinds, depth - 1, &e))
        fail_msg("%s", e.text);
    h->monitor = vmm_new(h->below.innermost, "trap-and-emulate", &e);
    assert_non_null(h->monitor);
}

static inline void hosts_disk(struct host *h, uint32_t blocks) {
    struct disk_backing disk;
    struct error e = ERROR_CLEAR;
    if (!disk_backing_memory(&disk, blocks, &e) || !tower_disk(&h->below, &disk, &e))
        fail_msg("%s", e.text);
}

static inline struct machine *hosts_guest(struct host *h, uint32_t bytes, unsigned cpus) {
    struct error e = ERROR_CLEAR;
    const struct guest_options o = {
        .memory_bytes = bytes, .cpus = cpus, .console_line = guests_line, .line_self = &h->lines[h->guests]};
    struct machine *g = vmm_guest(h->monitor, &o, &e);
    if (!g)
        fail_msg("%s", e.text);
    h->frames = reference(h->monitor)->frames;
    return h->guest[h->guests++] = g;
}

static inline void hosts_load(struct machine *g, struct assembly *a, bool assembled, const struct error *why) {
    struct error e = ERROR_CLEAR;
    if (!assembled) {
        struct bytes text = {0};
        assembly_print_diagnostics(a, &text);
        fail_msg("%s\n%.*s", why->text, (int)text.length, (const char *)text.data);
    }
    if (!machine_load(g, a->origin, a->image.data, a->image.length, &e))
        fail_msg("%s", e.text);
    assembly_fini(a);
    machine_restart(g);
}

static inline struct machine *hosts_add(struct host *h, const char *source, uint32_t bytes, unsigned cpus) {
    struct assembly a;
    struct error e = ERROR_CLEAR;
    struct machine *g = hosts_guest(h, bytes, cpus);
    bool ok = assemble(&a, "guest.s", source, strlen(source), NULL, &e);
    hosts_load(g, &a, ok, &e);
    return g;
}

static inline struct machine *hosts_add_file(struct host *h, const char *path, uint32_t bytes) {
    struct assembly a;
    struct error e = ERROR_CLEAR;
    struct machine *g = hosts_guest(h, bytes, 1);
    bool ok = assemble_file(&a, path, NULL, &e);
    hosts_load(g, &a, ok, &e);
    return g;
}

/* A part of the host's disk, of so many blocks, at the usual address. */
static inline void hosts_minidisk(struct host *h, unsigned guest, uint32_t first, uint32_t blocks) {
    struct error e = ERROR_CLEAR;
    const struct minidisk part = {
        .address = ADDRESS_DISK, .host_address = ADDRESS_DISK, .first = first, .blocks = blocks};
    if (!vmm_minidisk(h->guest[guest], &part, &e))
        fail_msg("%s", e.text);
    h->frames = reference(h->monitor)->frames;
}

static inline void hosts_start(struct host *h) {
    machine_restart(h->below.innermost);
    machine_restart(h->below.bare);
}

/* Every frame belongs to whom it belonged, a guest's storage is all its own, and no frame is two guests'. */
static inline void hosts_check_owners(struct host *h) {
    const struct frames *f = &reference(h->monitor)->frames;
    uint8_t *seen = calloc(f->count, 1);
    assert_non_null(seen);
    assert_int_equal(f->count, machine_memory(h->below.innermost) / FRAME_BYTES);
    assert_memory_equal(f->owner, h->frames.owner, sizeof f->owner);
    assert_int_equal(f->owner[0], FRAME_MONITOR);
    for (unsigned n = 0; n < h->guests; n++)
        for (uint32_t at = 0; at < machine_memory(h->guest[n]); at += FRAME_BYTES) {
            int64_t host = vmm_frame(h->guest[n], at);
            assert_true(host > 0 && (uint64_t)host / FRAME_BYTES < f->count);
            assert_int_equal(f->owner[host / FRAME_BYTES], FRAME_GUEST + n);
            assert_int_equal(seen[host / FRAME_BYTES]++, 0);
        }
    free(seen);
}

/* And no channel holds any of them. */
static inline void hosts_check_unpinned(struct host *h) {
    const struct frames *f = &reference(h->monitor)->frames;
    for (uint32_t n = 0; n < f->count; n++)
        assert_int_equal(f->pins[n], 0);
    assert_int_equal(reference(h->monitor)->outstanding, 0);
}

static inline void hosts_free(struct host *h) {
    vmm_free(h->monitor);
    tower_free(&h->below);
    for (unsigned n = 0; n < h->guests; n++)
        bytes_fini(&h->lines[n]);
}

static inline uint32_t hosts_word(struct machine *m, uint32_t at) {
    uint8_t raw[4];
    assert_int_equal(machine_peek(m, at, raw, sizeof raw), ACCESS_OK);
    return bytes_get32(raw);
}

static inline void hosts_put_word(struct machine *m, uint32_t at, uint32_t value) {
    uint8_t raw[4];
    bytes_put32(raw, value);
    assert_int_equal(machine_poke(m, at, raw, sizeof raw), ACCESS_OK);
}

#endif
