#include "vmm/resources.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/vmm_internal.h"

enum { FRAMES = STORAGE_MOST_BYTES / FRAME_BYTES, NOBODY = 0xFF };

struct resources {
    struct vmm *v;
    unsigned guests;
    uint8_t owner[FRAMES];       /* of the machine's frames: the guest; NOBODY */
    int64_t *frame[GUESTS_MOST]; /* by guest absolute page, as noted */
    /* By CPU of the machine: which guest was running, since when, and exits by then. */
    struct {
        int guest;
        uint64_t since, exits;
    } seen[MACHINE_CPUS_MOST];
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

static const char *name_of(const struct resources *r, unsigned guest) {
    return machine_name(r->v->guest[guest]->machine);
}

static int64_t frame_of(const struct resources *r, unsigned guest, uint32_t page) {
    return r->v->parts->allocator->frame(r->v, guest, page * FRAME_BYTES);
}

struct resources *resources_new(struct vmm *v, struct error *e) {
    struct resources *r = calloc(1, sizeof *r);
    bool ok = r != NULL;
    for (unsigned g = 0; ok && g < v->guests; g++) {
        uint32_t pages = v->guest[g]->vm.memory / FRAME_BYTES;
        r->v = v;
        ok = (r->frame[g] = calloc(pages, sizeof *r->frame[g])) != NULL;
        r->guests = g + 1;
        for (uint32_t page = 0; ok && page < pages; page++)
            r->frame[g][page] = frame_of(r, g, page);
    }
    if (ok) {
        r->v = v;
        memset(r->owner, NOBODY, sizeof r->owner);
        for (unsigned n = 0; n < MACHINE_CPUS_MOST; n++)
            r->seen[n].guest = -1;
        return r;
    }
    resources_free(r);
    error_set(e, ERROR_INTERNAL, "no memory for the check of resources");
    return NULL;
}

void resources_free(struct resources *r) {
    for (unsigned g = 0; r && g < r->guests; g++)
        free(r->frame[g]);
    free(r);
}

/* ---- Frames ---- */

static bool claim(struct resources *r, unsigned guest, uint32_t page) {
    int64_t frame = frame_of(r, guest, page);
    uint32_t number = (uint32_t)(frame / FRAME_BYTES);
    if (frame != r->frame[guest][page])
        return lost(r, "page %06X of %s was at %06" PRIX64 " and is at %06" PRIX64, page * FRAME_BYTES,
                    name_of(r, guest), r->frame[guest][page], frame);
    if (frame < 0 || frame + FRAME_BYTES > machine_memory(r->v->machine))
        return lost(r, "page %06X of %s is outside of the machine's storage", page * FRAME_BYTES, name_of(r, guest));
    if (r->v->parts->allocator->owner(r->v, (uint32_t)frame) != (int)guest)
        return lost(r, "page %06X of %s is at %06" PRIX64 ", which the allocator has not given to it",
                    page * FRAME_BYTES, name_of(r, guest), frame);
    if (r->owner[number] != NOBODY)
        return lost(r, "the frame at %06" PRIX64 " is page %06X of %s, and another one of %s", frame,
                    page * FRAME_BYTES, name_of(r, guest), name_of(r, r->owner[number]));
    r->owner[number] = (uint8_t)guest;
    return true;
}

static bool frames_are_kept(struct resources *r) {
    memset(r->owner, NOBODY, sizeof r->owner);
    for (unsigned g = 0; g < r->guests; g++)
        for (uint32_t page = 0; page < r->v->guest[g]->vm.memory / FRAME_BYTES; page++)
            if (!claim(r, g, page))
                return false;
    return true;
}

/* ---- What is granted to who runs ---- */

static bool tables_grant_own(struct resources *r, unsigned guest, const struct machine_state *s) {
    struct dat_format f;
    if (!dat_format(s->cr[0], &f))
        return true;
    for (uint32_t va = 0; va < STORAGE_MOST_BYTES; va += 1u << f.page_shift) {
        struct dat_walk w;
        enum access x = machine_walk_under(r->v->machine, s->cr[0], s->cr[1], va, &w);
        if (x == ACCESS_SEGMENT) {
            va |= (1u << f.segment_shift) - (1u << f.page_shift); /* on to the next segment */
            continue;
        }
        if (x == ACCESS_OK && r->owner[w.frame / FRAME_BYTES] != guest)
            return lost(r, "%s runs with %06" PRIX32 " mapped to the frame at %06" PRIX32 ", which is not its own",
                        name_of(r, guest), va, w.frame);
    }
    return true;
}

static bool another_is_ready(const struct resources *r, unsigned guest) {
    for (unsigned g = 0; g < r->guests; g++)
        for (unsigned n = 0; g != guest && n < r->v->guest[g]->vm.cpus; n++) {
            const struct virtual_cpu *c = &r->v->guest[g]->vm.cpu[n];
            if (c->status == MACHINE_READY && !c->stopped && !c->taken && !c->waiting && !psw_wait(&c->psw))
                return true;
        }
    return false;
}

static uint64_t exits_of(const struct resources *r) { return r->v->stats.traps; }

static bool shares_are_kept(struct resources *r, unsigned cpu, int guest) {
    struct machine_stats s;
    machine_stats(r->v->machine, &s);
    if (guest != r->seen[cpu].guest || exits_of(r) != r->seen[cpu].exits || guest < 0 ||
        !another_is_ready(r, (unsigned)guest)) {
        r->seen[cpu].guest = guest;
        r->seen[cpu].exits = exits_of(r);
        r->seen[cpu].since = s.cycles;
        return true;
    }
    uint64_t had = s.cycles - r->seen[cpu].since;
    return had <= 2 * r->v->options.slice ||
           lost(r, "%s has had a CPU for %" PRIu64 " cycles while others are ready", name_of(r, (unsigned)guest), had);
}

static bool cpu_is_kept(struct resources *r, unsigned cpu) {
    const struct virtual_cpu *c = r->v->running[cpu];
    struct machine_state s;
    if (!c || !machine_is_live(r->v->guest[c->guest]->machine, c->address))
        return shares_are_kept(r, cpu, -1);
    machine_cpu_state(r->v->machine, cpu, &s);
    if (!psw_problem(&s.psw) || !psw_dat(&s.psw))
        return lost(r, "%s runs in %s", name_of(r, c->guest),
                    psw_problem(&s.psw) ? "real storage, without DAT" : "real supervisor state");
    return tables_grant_own(r, c->guest, &s) && shares_are_kept(r, cpu, (int)c->guest);
}

/* ---- Devices ---- */

static bool disks_are_kept(struct resources *r) {
    for (unsigned g = 0; g < r->guests; g++)
        for (unsigned h = g + 1; h < r->guests; h++)
            for (unsigned n = 0; n < r->v->guest[g]->minidisks; n++)
                for (unsigned k = 0; k < r->v->guest[h]->minidisks; k++)
                    if (minidisks_overlap(&r->v->guest[g]->minidisk[n].is, &r->v->guest[h]->minidisk[k].is))
                        return lost(r, "minidisks of %s and %s have blocks in common", name_of(r, g), name_of(r, h));
    return true;
}

bool resources_look(struct resources *r, char what[256]) {
    r->what = what;
    what[0] = 0;
    if (!frames_are_kept(r) || !disks_are_kept(r))
        return false;
    for (unsigned n = 0; n < r->v->cpus; n++)
        if (!cpu_is_kept(r, n))
            return false;
    return true;
}
