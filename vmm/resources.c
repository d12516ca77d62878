/* Everything is asked of an *authority*: the monitor in C, or what a hypervisor in assembler says in its map. What it
 * says of itself is compared with itself as it was, and with the machine. */
#include "vmm/resources.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/vmm_internal.h"

enum { FRAMES = STORAGE_MOST_BYTES / FRAME_BYTES, NOBODY = 0xFF, CALLED_BYTES = 48 };
static_assert((int)MAP_GUESTS_MOST <= (int)GUESTS_MOST && (int)GUESTS_MOST < (int)NOBODY,
              "guests have numbers below NOBODY");

/* What is asked of it, about guests by their numbers. */
struct authority {
    unsigned (*guests)(const void *self);
    void (*name)(const void *self, unsigned guest, char to[CALLED_BYTES]);
    uint32_t (*memory)(const void *self, unsigned guest); /* bytes; 0: it does not exist yet */
    /* Where a page of guest absolute storage is; -1: nowhere. And whether that frame is the guest's, as far as the
     * authority itself knows. */
    int64_t (*frame)(const void *self, unsigned guest, uint32_t absolute);
    bool (*granted)(const void *self, unsigned guest, uint32_t frame);
    int (*running)(const void *self, unsigned cpu);  /* the guest that has control of a CPU of the machine; -1: none */
    bool (*ready)(const void *self, unsigned guest); /* it could run and waits for a CPU */
    uint64_t (*slice)(const void *self);             /* cycles */
    unsigned disk_rows;
    bool (*disk)(const void *self, unsigned guest, unsigned row, struct minidisk *to); /* false: none there */
    /* The n-th tables that it keeps for the guest, besides those in force; NULL: it does not tell. */
    bool (*space)(const void *self, unsigned guest, unsigned n, struct map_space *to);
};

struct resources {
    const struct authority *ask;
    const void *of;
    struct machine *on;
    unsigned cpus, guests;
    uint8_t owner[FRAMES];       /* of the machine's frames: the guest; NOBODY */
    int64_t *frame[GUESTS_MOST]; /* by guest absolute page, as noted */
    uint32_t memory[GUESTS_MOST];
    /* By CPU of the machine: which guest was running, since when, and exits by then. */
    struct {
        int guest;
        uint64_t since, exits;
    } seen[MACHINE_CPUS_MOST];
    char called[CALLED_BYTES], other[CALLED_BYTES];
    char *what;
};

static bool lost(struct resources *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool lost(struct resources *r, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(r->what, 256, format, arguments);
    va_end(arguments);
    return false;
}

/* ---- A monitor in C ---- */

static unsigned monitor_guest_count(const void *self) { return ((const struct vmm *)self)->guests; }

static void monitor_guest_name(const void *self, unsigned guest, char to[CALLED_BYTES]) {
    const struct vmm *v = self;
    snprintf(to, CALLED_BYTES, "%s", machine_name(v->guest[guest]->machine));
}

static uint32_t monitor_guest_memory(const void *self, unsigned guest) {
    return ((const struct vmm *)self)->guest[guest]->vm.memory;
}

static int64_t monitor_frame(const void *self, unsigned guest, uint32_t absolute) {
    const struct vmm *v = self;
    return v->parts->allocator->frame(v, guest, absolute);
}

static bool monitor_granted(const void *self, unsigned guest, uint32_t frame) {
    const struct vmm *v = self;
    return v->parts->allocator->owner(v, frame) == (int)guest;
}

static int monitor_running_guest(const void *self, unsigned cpu) {
    const struct vmm *v = self;
    const struct virtual_cpu *c = v->running[cpu];
    return c && machine_is_live(v->guest[c->guest]->machine, c->address) ? (int)c->guest : -1;
}

static bool monitor_guest_is_ready(const void *self, unsigned guest) {
    const struct guest *g = ((const struct vmm *)self)->guest[guest];
    for (unsigned n = 0; n < g->vm.cpus; n++) {
        const struct virtual_cpu *c = &g->vm.cpu[n];
        if (c->status == MACHINE_READY && !c->stopped && !c->taken && !c->waiting && !psw_wait(&c->psw))
            return true;
    }
    return false;
}

static uint64_t monitor_slice(const void *self) { return ((const struct vmm *)self)->options.slice; }

static bool monitor_disk(const void *self, unsigned guest, unsigned row, struct minidisk *to) {
    const struct guest *g = ((const struct vmm *)self)->guest[guest];
    if (row >= g->minidisks)
        return false;
    *to = g->minidisk[row].is;
    return true;
}

static const struct authority monitor_in_c = {
    .guests = monitor_guest_count,
    .name = monitor_guest_name,
    .memory = monitor_guest_memory,
    .frame = monitor_frame,
    .granted = monitor_granted,
    .running = monitor_running_guest,
    .ready = monitor_guest_is_ready,
    .slice = monitor_slice,
    .disk_rows = MINIDISKS_MOST,
    .disk = monitor_disk,
};

/* ---- A hypervisor in assembler: what it gives is one piece of storage, behind its own and before its tables ---- */

static unsigned seen_guests(const void *self) { return map_guests(self); }

static void seen_name(const void *self, unsigned guest, char to[CALLED_BYTES]) {
    snprintf(to, CALLED_BYTES, "guest %u of %s", guest, machine_name(map_machine(self)));
}

static uint32_t seen_memory(const void *self, unsigned guest) {
    uint32_t origin, bytes;
    return map_storage(self, guest, &origin, &bytes) && bytes <= STORAGE_MOST_BYTES ? bytes : 0;
}

static int64_t seen_frame(const void *self, unsigned guest, uint32_t absolute) {
    uint32_t origin, bytes;
    return map_storage(self, guest, &origin, &bytes) && absolute < bytes ? (int64_t)origin + absolute : -1;
}

static bool seen_granted(const void *self, unsigned guest, uint32_t frame) {
    const struct map *f = self;
    struct map_space s;
    (void)guest;
    for (unsigned g = 0; g < map_guests(f); g++)
        for (unsigned n = 0; map_space(f, g, n, &s); n++)
            if (frame + FRAME_BYTES > s.at && frame < s.at + s.bytes)
                return false;
    return frame >= map_first_storage(f);
}

static int seen_running(const void *self, unsigned cpu) {
    const struct map *f = self;
    struct machine_state s;
    int guest = map_running(f);
    machine_cpu_state(map_machine(f), cpu, &s);
    /* The hypervisor itself is in supervisor state, and has DAT off. */
    return psw_problem(&s.psw) || psw_dat(&s.psw) ? guest : -1;
}

static bool seen_ready(const void *self, unsigned guest) { return map_ready(self, guest); }
static uint64_t seen_slice(const void *self) { return map_slice(self); }

static bool seen_disk(const void *self, unsigned guest, unsigned row, struct minidisk *to) {
    return map_minidisk(self, guest, row, to);
}

static bool seen_space(const void *self, unsigned guest, unsigned n, struct map_space *to) {
    return map_space(self, guest, n, to);
}

static const struct authority hypervisor_in_assembler = {
    .guests = seen_guests,
    .name = seen_name,
    .memory = seen_memory,
    .frame = seen_frame,
    .granted = seen_granted,
    .running = seen_running,
    .ready = seen_ready,
    .slice = seen_slice,
    .disk_rows = MAP_DEVICES,
    .disk = seen_disk,
    .space = seen_space,
};

/* ---- Life ---- */

static struct resources *note(const struct authority *ask, const void *of, struct machine *on, unsigned cpus,
                              struct error *e) {
    struct resources *r = calloc(1, sizeof *r);
    bool ok = r != NULL;
    for (unsigned g = 0; ok && g < ask->guests(of); g++) {
        uint32_t pages = ask->memory(of, g) / FRAME_BYTES;
        r->guests = g + 1;
        r->memory[g] = ask->memory(of, g);
        ok = (r->frame[g] = calloc(pages + 1, sizeof *r->frame[g])) != NULL;
        for (uint32_t page = 0; ok && page < pages; page++)
            r->frame[g][page] = ask->frame(of, g, page * FRAME_BYTES);
    }
    if (!ok) {
        resources_free(r);
        error_set(e, ERROR_INTERNAL, "no memory for the check of resources");
        return NULL;
    }
    r->ask = ask;
    r->of = of;
    r->on = on;
    r->cpus = cpus;
    for (unsigned n = 0; n < MACHINE_CPUS_MOST; n++)
        r->seen[n].guest = -1;
    return r;
}

struct resources *resources_new(struct vmm *v, struct error *e) {
    return note(&monitor_in_c, v, v->machine, v->cpus, e);
}

struct resources *resources_new_seen(const struct map *f, struct error *e) {
    for (unsigned g = 0; g < map_guests(f); g++)
        if (seen_memory(f, g) == 0) {
            error_set(e, ERROR_INPUT, "%s: the hypervisor has not made its guests yet; there is nothing to be noted",
                      machine_name(map_machine(f)));
            return NULL;
        }
    return note(&hypervisor_in_assembler, f, map_machine(f), 1, e);
}

void resources_free(struct resources *r) {
    for (unsigned g = 0; r && g < r->guests; g++)
        free(r->frame[g]);
    free(r);
}

static const char *name_of(struct resources *r, unsigned guest) {
    r->ask->name(r->of, guest, r->called);
    return r->called;
}

static const char *other_name(struct resources *r, unsigned guest) {
    r->ask->name(r->of, guest, r->other);
    return r->other;
}

/* ---- Frames ---- */

static bool claim(struct resources *r, unsigned guest, uint32_t page) {
    int64_t frame = r->ask->frame(r->of, guest, page * FRAME_BYTES);
    uint32_t number = (uint32_t)(frame / FRAME_BYTES);
    if (frame != r->frame[guest][page])
        return lost(r, "page %06X of %s was at %06" PRIX64 " and is at %06" PRIX64, page * FRAME_BYTES,
                    name_of(r, guest), r->frame[guest][page], frame);
    if (frame < 0 || frame + FRAME_BYTES > machine_memory(r->on))
        return lost(r, "page %06X of %s is outside of the machine's storage", page * FRAME_BYTES, name_of(r, guest));
    if (!r->ask->granted(r->of, guest, (uint32_t)frame))
        return lost(r, "page %06X of %s is at %06" PRIX64 ", which the allocator has not given to it",
                    page * FRAME_BYTES, name_of(r, guest), frame);
    if (r->owner[number] != NOBODY)
        return lost(r, "the frame at %06" PRIX64 " is page %06X of %s, and another one of %s", frame,
                    page * FRAME_BYTES, name_of(r, guest), other_name(r, r->owner[number]));
    r->owner[number] = (uint8_t)guest;
    return true;
}

static bool frames_are_kept(struct resources *r) {
    memset(r->owner, NOBODY, sizeof r->owner);
    for (unsigned g = 0; g < r->guests; g++) {
        if (r->ask->memory(r->of, g) != r->memory[g])
            return lost(r, "%s had %u bytes of storage and has %u", name_of(r, g), r->memory[g],
                        r->ask->memory(r->of, g));
        for (uint32_t page = 0; page < r->memory[g] / FRAME_BYTES; page++)
            if (!claim(r, g, page))
                return false;
    }
    return true;
}

/* ---- What is granted by tables ---- */

static bool tables_grant_own(struct resources *r, unsigned guest, uint32_t cr0, uint32_t cr1, const char *how) {
    struct dat_format f;
    if (!dat_format(cr0, &f))
        return true;
    for (uint32_t va = 0; va < STORAGE_MOST_BYTES; va += 1u << f.page_shift) {
        struct dat_walk w;
        enum access x = machine_walk_under(r->on, cr0, cr1, va, &w);
        if (x == ACCESS_SEGMENT) {
            va |= (1u << f.segment_shift) - (1u << f.page_shift); /* on to the next segment */
            continue;
        }
        if (x == ACCESS_OK && r->owner[w.frame / FRAME_BYTES] != guest)
            return lost(r, "%s %s with %06" PRIX32 " mapped to the frame at %06" PRIX32 ", which is not its own",
                        name_of(r, guest), how, va, w.frame);
    }
    return true;
}

static bool spaces_grant_own(struct resources *r) {
    struct map_space s;
    for (unsigned g = 0; r->ask->space && g < r->guests; g++)
        for (unsigned n = 0; r->ask->space(r->of, g, n, &s); n++)
            if (!tables_grant_own(r, g, s.cr0, s.cr1, "has a space"))
                return false;
    return true;
}

/* ---- Who runs ---- */

static bool another_is_ready(const struct resources *r, unsigned guest) {
    for (unsigned g = 0; g < r->guests; g++)
        if (g != guest && r->ask->ready(r->of, g))
            return true;
    return false;
}

static bool shares_are_kept(struct resources *r, unsigned cpu, int guest) {
    struct machine_stats s;
    machine_stats(r->on, &s);
    uint64_t exits = interruption_total(s.interruptions);
    if (guest != r->seen[cpu].guest || exits != r->seen[cpu].exits || guest < 0 ||
        !another_is_ready(r, (unsigned)guest)) {
        r->seen[cpu].guest = guest;
        r->seen[cpu].exits = exits;
        r->seen[cpu].since = s.cycles;
        return true;
    }
    uint64_t had = s.cycles - r->seen[cpu].since;
    return had <= 2 * r->ask->slice(r->of) ||
           lost(r, "%s has had a CPU for %" PRIu64 " cycles while others are ready", name_of(r, (unsigned)guest), had);
}

static bool cpu_is_kept(struct resources *r, unsigned cpu) {
    int guest = r->ask->running(r->of, cpu);
    struct machine_state s;
    if (guest < 0)
        return shares_are_kept(r, cpu, -1);
    machine_cpu_state(r->on, cpu, &s);
    if (!psw_problem(&s.psw) || !psw_dat(&s.psw))
        return lost(r, "%s runs in %s", name_of(r, (unsigned)guest),
                    psw_problem(&s.psw) ? "real storage, without DAT" : "real supervisor state");
    return tables_grant_own(r, (unsigned)guest, s.cr[0], s.cr[1], "runs") && shares_are_kept(r, cpu, guest);
}

/* ---- Devices ---- */

static bool disks_are_apart(struct resources *r, unsigned g, unsigned h) {
    struct minidisk a, b;
    for (unsigned n = 0; n < r->ask->disk_rows; n++)
        for (unsigned k = 0; k < r->ask->disk_rows; k++)
            if (r->ask->disk(r->of, g, n, &a) && r->ask->disk(r->of, h, k, &b) && minidisks_overlap(&a, &b))
                return lost(r, "minidisks of %s and %s have blocks in common", name_of(r, g), other_name(r, h));
    return true;
}

static bool disks_are_kept(struct resources *r) {
    for (unsigned g = 0; g < r->guests; g++)
        for (unsigned h = g + 1; h < r->guests; h++)
            if (!disks_are_apart(r, g, h))
                return false;
    return true;
}

bool resources_look(struct resources *r, char what[256]) {
    r->what = what;
    what[0] = 0;
    if (!frames_are_kept(r) || !disks_are_kept(r) || !spaces_grant_own(r))
        return false;
    for (unsigned n = 0; n < r->cpus; n++)
        if (!cpu_is_kept(r, n))
            return false;
    return true;
}
