/* A monitor's life: made on a machine, given guests, looked at, freed. What it does meanwhile is its own affair
 * (vmm/module.h). */
#include "vmm/vmm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/map.h"
#include "vmm/vmm_internal.h"

/* The product's kinds; those without parts are still to come. */
static const struct {
    const char *name;
    const struct monitor_parts *parts;
} kinds[] = {
    {"trap-and-emulate", &reference_monitor},
    {"hybrid", &hybrid_monitor},
    {"binary-translation", NULL},
    {"paravirtual", NULL},
    {"hardware-assisted", NULL},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

const char *vmm_kind_name(unsigned index) {
    for (unsigned n = 0; n < KINDS; n++)
        if (kinds[n].parts && index-- == 0)
            return kinds[n].name;
    return NULL;
}

bool vmm_kind_known(const char *kind) {
    for (unsigned n = 0; n < KINDS; n++)
        if (strcmp(kinds[n].name, kind) == 0)
            return true;
    return strncmp(kind, "module:", 7) == 0;
}

static const struct monitor_parts *find_parts(const char *kind, struct error *e) {
    char names[128] = "";
    for (int n = 0; n < KINDS; n++) {
        if (!kinds[n].parts)
            continue;
        if (strcmp(kinds[n].name, kind) == 0)
            return kinds[n].parts;
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", kinds[n].name);
    }
    error_set(e, ERROR_INPUT,
              vmm_kind_known(kind) ? "monitor kind '%s' is not there yet; there are: %s"
                                   : "there is no monitor kind '%s'; there are: %s",
              kind, names);
    return NULL;
}

/* ---- Life ---- */

uint32_t vmm_interrupt(void *self, struct processor *p, enum interruption_class c) {
    struct vmm *v = self;
    v->p = p;
    v->started = true;
    const struct virtual_cpu **running = &v->running[monitor_cpu(v)];
    if (c != INTERRUPTION_RESTART) {
        v->stats.traps++;
        if (*running)
            v->guest[(*running)->guest]->stats.traps++;
    }
    *running = NULL;
    return v->parts->dispatcher->interruption(v, c);
}

static void vmm_archive(void *self, struct archive *a) {
    struct vmm *v = self;
    archive_same_text(a, v->parts->kind, "the kind of a monitor");
    archive_same(a, v->options.spaces, "how many address spaces a monitor caches");
    archive_same(a, v->options.policy, "what a monitor does about changed tables");
    archive_same(a, v->options.slice, "a time slice");
    archive_same(a, v->cpus, "how many CPUs a monitor uses");
    archive_same(a, v->guests, "the number of guests");
    archive_bool(a, &v->started);
    vmm_stats_archive(&v->stats, a);
    for (unsigned n = 0; n < v->guests; n++)
        guest_archive(v->guest[n], a);
    for (unsigned n = 0; n < v->cpus; n++) {
        struct virtual_cpu *c = (struct virtual_cpu *)(uintptr_t)v->running[n]; /* named, not changed */
        monitor_archive_cpu(v, &c, a);
        v->running[n] = c;
    }
    if (v->parts->archive)
        v->parts->archive(v, a);
    else
        archive_fail(a, "the monitor %s keeps a state that cannot be saved", v->parts->kind);
}

static struct machine *vmm_machine_at(void *self, unsigned n) { return vmm_guest_at(self, n); }

static const struct supervisor_ops operations = {
    .interrupt = vmm_interrupt, .archive = vmm_archive, .machine = vmm_machine_at};

_Static_assert((int)HOST_CPUS_MOST == (int)MACHINE_CPUS_MOST, "a monitor can use all CPUs of any machine");

static bool options_valid(const struct machine *on, const struct monitor_options *o, struct error *e) {
    if (o->cpus > machine_cpus(on))
        return error_set(e, ERROR_INPUT, "%s has %u CPU%s, not %u for a monitor", machine_name(on), machine_cpus(on),
                         machine_cpus(on) == 1 ? "" : "s", o->cpus);
    if (o->spaces < 1 || o->spaces > SHADOW_SPACES_MOST)
        return error_set(e, ERROR_INPUT, "a monitor caches 1 to %d address spaces of a virtual CPU, not %u",
                         SHADOW_SPACES_MOST, o->spaces);
    if (o->policy == SHADOW_PROTECT && machine_only_seen(on))
        return error_set(e, ERROR_INPUT,
                         "%s belongs to a hypervisor in assembler, which offers it no page protection: the policy "
                         "\"protect\" cannot work there",
                         machine_name(on));
    if (o->slice < 1000)
        return error_set(e, ERROR_INPUT, "a time slice is at least 1000 cycles, not %llu",
                         (unsigned long long)o->slice);
    return true;
}

/* Each has its page 0 where the interface says. */
static bool enable_cpus(struct vmm *v, struct error *e) {
    for (unsigned n = 1; n < v->cpus; n++)
        if (!supervisor_enable_cpu(v->supervisor, n, n * FRAME_BYTES, e))
            return false;
    return true;
}

struct vmm *vmm_new_with(struct machine *on, const char *kind, const struct monitor_options *options, struct error *e) {
    const struct monitor_parts *parts = find_parts(kind, e);
    return parts ? vmm_new_from(on, parts, options, e) : NULL;
}

struct vmm *vmm_new_from(struct machine *on, const struct monitor_parts *parts, const struct monitor_options *options,
                         struct error *e) {
    if (!options_valid(on, options, e))
        return NULL;
    struct vmm *v = calloc(1, sizeof *v);
    if (!v) {
        error_set(e, ERROR_INTERNAL, "no memory for a monitor");
        return NULL;
    }
    v->machine = on;
    v->parts = parts;
    v->options = *options;
    v->cpus = options->cpus ? options->cpus : machine_cpus(on);
    v->private = parts->create(v);
    if (!v->private)
        error_set(e, ERROR_INTERNAL, "no memory for a monitor");
    v->supervisor = v->private ? supervisor_attach(on, &operations, v, e) : NULL;
    if (!v->supervisor || !enable_cpus(v, e)) {
        vmm_free(v);
        return NULL;
    }
    struct guest *below = guest_of(on);
    if (below)
        below->vm.facilities = true;
    return v;
}

struct monitor_options vmm_default_options(void) {
    return (struct monitor_options){.spaces = SHADOW_SPACES_DEFAULT, .policy = SHADOW_PURGE, .slice = SLICE_DEFAULT};
}

struct vmm *vmm_new(struct machine *on, const char *kind, struct error *e) {
    const struct monitor_options options = vmm_default_options();
    return vmm_new_with(on, kind, &options, e);
}

void vmm_free(struct vmm *v) {
    if (!v)
        return;
    struct guest *below = guest_of(v->machine);
    if (below && v->supervisor)
        below->vm.facilities = false;
    supervisor_detach(v->supervisor);
    while (v->guests > 0)
        guest_free(v->guest[--v->guests]);
    if (v->private)
        v->parts->destroy(v->private);
    free(v);
}

void vmm_free_all(struct machine *m) {
    struct vmm *v = vmm_on(m);
    struct map *f = map_on(m);
    for (unsigned n = 0; v && vmm_guest_at(v, n); n++)
        vmm_free_all(vmm_guest_at(v, n));
    for (unsigned n = 0; f && n < MAP_GUESTS_MOST; n++)
        if (map_guest_at(f, n))
            vmm_free_all(map_guest_at(f, n));
    vmm_free(v);
    map_free(f);
    if (!machine_host(m))
        machine_free(m);
}

struct vmm *vmm_on(const struct machine *m) {
    return machine_supervisor_self(m, &operations);
}

const char *vmm_kind(const struct vmm *v) { return v->parts->kind; }
struct machine *vmm_machine(const struct vmm *v) {
    return v->machine;
}

/* ---- Guests ---- */

struct machine *vmm_guest(struct vmm *v, const struct guest_options *o, struct error *e) {
    if (o->memory_bytes % FRAME_BYTES != 0 || o->memory_bytes < FRAME_BYTES || o->memory_bytes > STORAGE_MOST_BYTES) {
        error_set(e, ERROR_INPUT, "a guest's memory is a multiple of 4 KB, 4 KB to 16 MB, not %u bytes",
                  o->memory_bytes);
        return NULL;
    }
    if (o->cpus > VIRTUAL_CPUS_MOST) {
        error_set(e, ERROR_INPUT, "a guest has 1 to %d CPUs, not %u", VIRTUAL_CPUS_MOST, o->cpus);
        return NULL;
    }
    if (v->guests == GUESTS_MOST) {
        error_set(e, ERROR_INPUT, "a monitor has at most %d guests", GUESTS_MOST);
        return NULL;
    }
    struct guest *g = guest_new(v, v->guests, o, e);
    if (!g)
        return NULL;
    g->made = v->made++;
    v->guests++;
    return g->machine;
}

struct machine *vmm_guest_at(const struct vmm *v, unsigned index) {
    return index < v->guests ? v->guest[index]->machine : NULL;
}

uint32_t vmm_host_bytes_with(uint32_t memory_bytes, unsigned cpus, const struct monitor_options *options) {
    return reference_monitor.bytes(options, 0, 0) + reference_monitor.bytes(options, memory_bytes, cpus);
}

uint32_t vmm_host_bytes(uint32_t memory_bytes) {
    const struct monitor_options options = vmm_default_options();
    return vmm_host_bytes_with(memory_bytes, 1, &options);
}

/* ---- Looking ---- */

void vmm_stats(const struct vmm *v, struct vmm_stats *to) { *to = v->stats; }

bool vmm_guest_stats(const struct machine *guest, struct vmm_stats *to) {
    const struct guest *g = guest_of(guest);
    if (g)
        *to = g->stats;
    return g != NULL;
}

int64_t vmm_frame(const struct machine *guest, uint32_t guest_real) {
    const struct guest *g = guest_of(guest);
    if (machine_only_seen(guest))
        return map_frame(guest, guest_real);
    if (!g || guest_real >= g->vm.memory)
        return -1;
    uint32_t absolute = guest_absolute(&g->vm.cpu[0], guest_real & ~(FRAME_BYTES - 1u));
    return g->monitor->parts->allocator->frame(g->monitor, g->index, absolute);
}
