/* A monitor's life: made on a machine, given a guest, looked at, freed. What it does meanwhile is in the dispatcher. */
#include "vmm/vmm.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/vmm_internal.h"

/* The product's kinds; those without operations are still to come. */
static const struct {
    const char *name;
    const struct supervisor_ops *operations;
} kinds[] = {
    {"trap-and-emulate", &(const struct supervisor_ops){.interrupt = dispatcher_interrupt}},
    {"hybrid", NULL},
    {"binary-translation", NULL},
    {"paravirtual", NULL},
    {"hardware-assisted", NULL},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

const char *vmm_kind_name(unsigned index) {
    for (unsigned n = 0; n < KINDS; n++)
        if (kinds[n].operations && index-- == 0)
            return kinds[n].name;
    return NULL;
}

bool vmm_kind_known(const char *kind) {
    for (unsigned n = 0; n < KINDS; n++)
        if (strcmp(kinds[n].name, kind) == 0)
            return true;
    return strncmp(kind, "module:", 7) == 0;
}

static int find_kind(const char *kind, struct error *e) {
    for (int n = 0; n < KINDS; n++)
        if (strcmp(kinds[n].name, kind) == 0 && kinds[n].operations)
            return n;
    if (vmm_kind_known(kind))
        error_set(e, ERROR_INPUT, "monitor kind '%s' is not there yet; there is: trap-and-emulate", kind);
    else
        error_set(e, ERROR_INPUT, "there is no monitor kind '%s'; there is: trap-and-emulate", kind);
    return -1;
}

struct vmm *vmm_new(struct machine *on, const char *kind, struct error *e) {
    int found = find_kind(kind, e);
    if (found < 0)
        return NULL;
    struct vmm *v = calloc(1, sizeof *v);
    if (!v) {
        error_set(e, ERROR_INTERNAL, "no memory for a monitor");
        return NULL;
    }
    v->machine = on;
    v->kind = kinds[found].name;
    v->armed = VMM_NEVER;
    allocator_init(&v->frames, machine_memory(on));
    v->supervisor = supervisor_attach(on, kinds[found].operations, v, e);
    if (!v->supervisor) {
        free(v);
        return NULL;
    }
    struct guest *below = guest_of(on);
    if (below)
        below->facilities = true;
    return v;
}

void vmm_free(struct vmm *v) {
    if (!v)
        return;
    struct guest *below = guest_of(v->machine);
    if (below)
        below->facilities = false;
    supervisor_detach(v->supervisor);
    guest_free(v->guest);
    free(v);
}

const char *vmm_kind(const struct vmm *v) { return v->kind; }
struct machine *vmm_machine(const struct vmm *v) {
    return v->machine;
}

struct machine *vmm_guest(struct vmm *v, const struct guest_options *o, struct error *e) {
    if (o->memory_bytes % VMM_FRAME_BYTES != 0 || o->memory_bytes < VMM_FRAME_BYTES ||
        o->memory_bytes > STORAGE_MOST_BYTES) {
        error_set(e, ERROR_INPUT, "a guest's memory is a multiple of 4 KB, 4 KB to 16 MB, not %u bytes",
                  o->memory_bytes);
        return NULL;
    }
    if (v->guest) {
        error_set(e, ERROR_INPUT, "a monitor has one guest so far");
        return NULL;
    }
    v->guest = guest_new(v, o, e);
    return v->guest ? v->guest->machine : NULL;
}

struct machine *vmm_guest_at(const struct vmm *v, unsigned index) {
    return index == 0 && v->guest ? v->guest->machine : NULL;
}

uint32_t vmm_host_bytes(uint32_t memory_bytes) {
    uint32_t tables = (SHADOW_BYTES + VMM_FRAME_BYTES - 1) / VMM_FRAME_BYTES * VMM_FRAME_BYTES;
    return VMM_FRAME_BYTES + tables + memory_bytes;
}

void vmm_stats(const struct vmm *v, struct vmm_stats *to) { *to = v->stats; }

int64_t vmm_frame(const struct machine *guest, uint32_t guest_real) {
    const struct guest *g = guest_of(guest);
    if (!g || guest_real >= g->memory)
        return -1;
    return g->origin + (int64_t)guest_absolute(g, guest_real & ~(VMM_FRAME_BYTES - 1u));
}
