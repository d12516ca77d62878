/* The reference monitor as a whole. */
#include <stdlib.h>

#include "vmm/reference/reference.h"

void *reference_create(struct vmm *v) {
    struct reference *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->frames.count = monitor_machine(v).memory / FRAME_BYTES;
    r->cpus = monitor_machine(v).cpus;
    for (unsigned n = 0; n < r->cpus; n++) {
        r->frames.owner[n] = FRAME_MONITOR; /* its page 0: interruptions, cells, areas */
        r->cpu[n].address = n;
        r->cpu[n].armed = r->cpu[n].slice_end = CYCLE_NEVER;
    }
    return r;
}

void reference_destroy(void *private) { free(private); }

uint32_t reference_bytes(const struct monitor_options *o, uint32_t memory, unsigned cpus) {
    uint32_t own = (o->cpus ? o->cpus : 1) * FRAME_BYTES + PROGRAM_BYTES;
    return cpus == 0 ? own : allocator_bytes(o, memory) + cpus * shadow_bytes(o);
}

static void archive_host_cpu(struct vmm *v, struct host_cpu *c, struct archive *a) {
    monitor_archive_cpu(v, &c->current, a);
    monitor_archive_cpu(v, &c->last, a);
    archive_bool(a, &c->loaded);
    archive_u32(a, &c->cr0);
    archive_u32(a, &c->cr1);
    archive_u32(a, &c->cr8);
    archive_u64(a, &c->armed);
    archive_u64(a, &c->slice_end);
    archive_bool(a, &c->purge_due);
    archive_bytes(a, c->seen, sizeof c->seen);
    archive_bool(a, &c->waits);
    archive_bool(a, &c->signalled);
}

void reference_archive(struct vmm *v, struct archive *a) {
    struct reference *r = reference(v);
    allocator_archive(v, a);
    shadow_archive(v, a);
    channel_program_archive(v, a);
    for (unsigned n = 0; n < monitor_machine(v).cpus; n++)
        archive_host_cpu(v, &r->cpu[n], a);
}

const struct monitor_parts reference_monitor = {
    .kind = "trap-and-emulate",
    .dispatcher = &reference_dispatcher,
    .allocator = &reference_allocator,
    .interpreter = &reference_interpreter,
    .shadow = &reference_shadow,
    .scheduler = &reference_scheduler,
    .create = reference_create,
    .destroy = reference_destroy,
    .bytes = reference_bytes,
    .archive = reference_archive,
};
