/* The reference monitor as a whole. */
#include <stdlib.h>

#include "vmm/reference/reference.h"

static void *create(struct vmm *v) {
    struct reference *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->frames.count = monitor_machine(v).memory / FRAME_BYTES;
    r->frames.owner[0] = FRAME_MONITOR; /* interruptions, cells, areas */
    r->armed = r->slice_end = CYCLE_NEVER;
    return r;
}

static void destroy(void *private) { free(private); }

static uint32_t bytes(const struct monitor_options *o, uint32_t memory, unsigned cpus) {
    return cpus == 0 ? FRAME_BYTES + PROGRAM_BYTES : allocator_bytes(o, memory) + cpus * shadow_bytes(o);
}

const struct monitor_parts reference_monitor = {
    .kind = "trap-and-emulate",
    .dispatcher = &reference_dispatcher,
    .allocator = &reference_allocator,
    .interpreter = &reference_interpreter,
    .shadow = &reference_shadow,
    .scheduler = &reference_scheduler,
    .create = create,
    .destroy = destroy,
    .bytes = bytes,
};
