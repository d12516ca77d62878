/* Guests of the monitor's tests: assembled from text, run on the bare machine and under towers of monitors, compared.
 *
 * A guest's source starts with PSWs; the helper adds nothing. All machines are in nominal time, so everything that the
 * guest's program can see has to be equal at every depth: registers, PSW, control registers, clocks, storage (but for
 * the interval timer's word), storage keys (but for reference bits), what it retired and in how many cycles, which
 * interruptions it took. */
#ifndef TESTS_VMM_GUESTS_H
#define TESTS_VMM_GUESTS_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "isa/assembler.h"
#include "isa/disk.h"
#include "isa/machine.h"
#include "isa/supervisor.h"
#include "tests/support/unit.h"
#include "vmm/vmm.h"

enum { GUEST_BYTES = 64 * 1024, GUEST_DISK_BLOCKS = 1000, DEEPEST = 3 };

/* Page 0: restart begins at 200; every other class stops, in a disabled wait whose address tells which, unless the
 * guest overwrites its new PSW. */
#define PAGE_0                                                                                                         \
    "G        CSECT\n"                                                                                                 \
    "         USING G,0\n"                                                                                             \
    "         DC    X'0008000000000200'\n"                                                                             \
    "         ORG   G+88\n"                                                                                            \
    "         DC    X'000A000000000E01'\n"                                                                             \
    "         DC    X'000A000000000E02'\n"                                                                             \
    "         DC    X'000A000000000E03'\n"                                                                             \
    "         DC    X'000A000000000E04'\n"                                                                             \
    "         DC    X'000A000000000E05'\n"                                                                             \
    "         ORG   G+X'E08'\n"                                                                                        \
    "         DC    X'000A000000000E00'\n"                                                                             \
    "         ORG   G+X'200'\n"
#define STOP_HERE "         LPSW  X'E08'\n"
#define GUEST_STOPPED 0xE00u

struct run {
    struct tower tower;
    struct cost_model model;
    struct bytes console; /* lines, as the machine gave them */
};

struct outcome {
    enum machine_status status;
    struct machine_state state;
    struct machine_stats stats;
    uint8_t storage[GUEST_BYTES];
    uint8_t keys[GUEST_BYTES / 2048];
};

static inline void guests_line(void *self, const char *line, size_t length) {
    bytes_append(self, line, length);
    bytes_append(self, "\n", 1);
}

struct guests_setting {
    const char *kinds[TOWER_MOST];
    unsigned depth;
    bool nominal;
    enum profile profile;
    struct trace *trace;
};

/* A tower of monitors with the program loaded into the innermost machine. */
static inline void guests_build_as(struct run *r, const char *source, const struct guests_setting *setting) {
    struct error e = ERROR_CLEAR;
    struct assembly a;
    *r = (struct run){0};
    if (!cost_model_find(&r->model, "s370", &e))
        fail_msg("%s", e.text);
    struct machine_options o = {.memory_bytes = GUEST_BYTES,
                                .model = &r->model,
                                .nominal_time = setting->nominal,
                                .trace = setting->trace,
                                .profile = setting->profile,
                                .console_line = guests_line,
                                .line_self = &r->console};
    if (!assemble(&a, "guest.s", source, strlen(source), NULL, &e)) {
        struct bytes text = {0};
        assembly_print_diagnostics(&a, &text);
        fail_msg("%s\n%s", e.text, (const char *)text.data);
    }
    if (!tower_new(&r->tower, &o, setting->kinds, setting->depth, &e))
        fail_msg("%s", e.text);
    struct disk_backing disk;
    if (!disk_backing_memory(&disk, GUEST_DISK_BLOCKS, &e) || !tower_disk(&r->tower, &disk, &e))
        fail_msg("%s", e.text);
    if (!machine_load(r->tower.innermost, a.origin, a.image.data, a.image.length, &e))
        fail_msg("%s", e.text);
    assembly_fini(&a);
}

static inline void guests_build_traced(struct run *r, const char *source, unsigned depth, bool nominal,
                                       struct trace *trace) {
    struct guests_setting setting = {.depth = depth, .nominal = nominal, .trace = trace};
    for (unsigned n = 0; n < TOWER_MOST; n++)
        setting.kinds[n] = "trap-and-emulate";
    guests_build_as(r, source, &setting);
}

static inline void guests_build(struct run *r, const char *source, unsigned depth, bool nominal) {
    guests_build_traced(r, source, depth, nominal, NULL);
}

static inline enum machine_status guests_go(struct run *r, uint64_t instructions) {
    const struct machine_limits limits = {.instructions = instructions};
    return machine_run(r->tower.innermost, &limits);
}

static inline void guests_look(struct run *r, enum machine_status status, struct outcome *to) {
    struct machine *m = r->tower.innermost;
    *to = (struct outcome){.status = status};
    machine_state(m, &to->state);
    machine_stats(m, &to->stats);
    assert_int_equal(machine_peek(m, 0, to->storage, GUEST_BYTES), ACCESS_OK);
    memset(to->storage + 80, 0, 4);
    for (uint32_t n = 0; n < sizeof to->keys; n++)
        to->keys[n] = (uint8_t)machine_key(m, n * 2048) & 0xFE;
}

static inline void guests_free(struct run *r) {
    tower_free(&r->tower);
    bytes_fini(&r->console);
}

/* Runs what was built, and drops it. */
static inline void guests_finish(struct run *r, uint64_t instructions, struct outcome *to) {
    if (r->tower.count == 0)
        machine_restart(r->tower.innermost);
    guests_look(r, guests_go(r, instructions), to);
    if (to->status == MACHINE_FAULT)
        fail_msg("depth %u: %s", r->tower.count, machine_fault(r->tower.bare));
    guests_free(r);
}

static inline void guests_run_as(const char *source, const struct guests_setting *setting, uint64_t instructions,
                                 struct outcome *to) {
    struct run r;
    guests_build_as(&r, source, setting);
    guests_finish(&r, instructions, to);
}

static inline void guests_run(const char *source, unsigned depth, uint64_t instructions, struct outcome *to) {
    struct run r;
    guests_build(&r, source, depth, true);
    guests_finish(&r, instructions, to);
}

static inline void guests_equal_storage(const struct outcome *a, const struct outcome *b, unsigned depth) {
    for (uint32_t n = 0; n < GUEST_BYTES; n++)
        if (a->storage[n] != b->storage[n])
            fail_msg("depth %u: storage at %04X is %02X, bare %02X", depth, n, b->storage[n], a->storage[n]);
    for (uint32_t n = 0; n < sizeof a->keys; n++)
        if (a->keys[n] != b->keys[n])
            fail_msg("depth %u: key of %05X is %02X, bare %02X", depth, n * 2048, b->keys[n], a->keys[n]);
}

static inline void guests_equal(const struct outcome *a, const struct outcome *b, unsigned depth) {
    uint8_t psw[2][8];
    assert_string_equal(machine_status_name(a->status), machine_status_name(b->status));
    guests_equal_storage(a, b, depth);
    for (int n = 0; n < 16; n++) {
        if (a->state.gpr[n] != b->state.gpr[n])
            fail_msg("depth %u: GR%d is %08X, bare %08X", depth, n, b->state.gpr[n], a->state.gpr[n]);
        if (a->state.cr[n] != b->state.cr[n])
            fail_msg("depth %u: CR%d is %08X, bare %08X", depth, n, b->state.cr[n], a->state.cr[n]);
    }
    psw_store(&a->state.psw, psw[0], 0, 0);
    psw_store(&b->state.psw, psw[1], 0, 0);
    if (memcmp(psw[0], psw[1], 8) != 0)
        fail_msg("depth %u: PSW %016" PRIX64 ", bare %016" PRIX64, depth, bytes_get64(psw[1]), bytes_get64(psw[0]));
    assert_int_equal(a->state.prefix, b->state.prefix);
    assert_int_equal(a->stats.instructions, b->stats.instructions);
    for (int c = 0; c < INTERRUPTION_CLASSES; c++)
        assert_int_equal(a->stats.interruptions[c], b->stats.interruptions[c]);
    assert_int_equal(a->stats.nominal_cycles, b->stats.nominal_cycles);
    assert_int_equal(a->state.tod, b->state.tod);
    assert_int_equal(a->state.clock_comparator, b->state.clock_comparator);
    assert_int_equal(a->state.cpu_timer, b->state.cpu_timer);
}

/* Runs it bare and at depths 1..deepest, and compares. *bare (may be NULL) is what to look at further. */
static inline void guests_compare_to(unsigned deepest, const char *source, uint64_t instructions,
                                     struct outcome *bare) {
    struct outcome *a = malloc(sizeof *a), *b = malloc(sizeof *b);
    assert_non_null(a);
    assert_non_null(b);
    guests_run(source, 0, instructions, a);
    for (unsigned depth = 1; depth <= deepest; depth++) {
        guests_run(source, depth, instructions, b);
        guests_equal(a, b, depth);
    }
    if (bare)
        *bare = *a;
    free(a);
    free(b);
}

static inline void guests_compare(const char *source, uint64_t instructions, struct outcome *bare) {
    guests_compare_to(DEEPEST, source, instructions, bare);
}

#endif
