/* A tower: machine, monitor, machine, monitor, … built from the bare machine upward, sized from the innermost downward.
 */
#include <string.h>

#include "isa/disk.h"
#include "vmm/vmm_internal.h"

/* What a monitor and a guest of no storage need, all CPUs being used. */
static uint32_t level_bytes(const struct machine_options *o, const struct monitor_options *monitor) {
    struct monitor_options all = *monitor;
    if (!all.cpus)
        all.cpus = o->cpus;
    return vmm_host_bytes_with(0, o->cpus ? o->cpus : 1, &all);
}

static bool bare_bytes(const struct machine_options *o, unsigned count, const struct monitor_options *monitors,
                       uint32_t *bytes, struct error *e) {
    uint32_t innermost = o->memory_bytes, overhead = count * level_bytes(o, monitors);
    if (innermost > STORAGE_MOST_BYTES - overhead)
        return error_set(
            e, ERROR_INPUT,
            "%u KB under %u monitor%s does not fit into the bare machine's 16 MB; the largest that does is %uK",
            innermost / 1024, count, count == 1 ? "" : "s", (STORAGE_MOST_BYTES - overhead) / 1024);
    *bytes = innermost + overhead;
    return true;
}

static bool add_level(struct tower *t, const struct machine_options *o, const char *kind,
                      const struct monitor_options *monitor, unsigned left, struct error *e) {
    struct guest_options guest = {.memory_bytes = o->memory_bytes + left * level_bytes(o, monitor), .cpus = o->cpus};
    if (left == 0) {
        guest.name = o->name;
        guest.console_line = o->console_line;
        guest.printer_line = o->printer_line;
        guest.line_self = o->line_self;
        guest.forget_lines = o->forget_lines;
    }
    struct vmm *v = vmm_new_with(t->innermost, kind, monitor, e);
    if (!v)
        return false;
    t->monitor[t->count++] = v;
    struct machine *inner = vmm_guest(v, &guest, e);
    if (inner)
        t->innermost = inner;
    return inner != NULL;
}

bool tower_new_with(struct tower *t, const struct machine_options *options, const char *const *kinds, unsigned count,
                    const struct monitor_options *monitors, struct error *e) {
    struct machine_options bare = *options;
    *t = (struct tower){0};
    if (count > TOWER_MOST)
        return error_set(e, ERROR_INPUT, "at most %d monitors, not %u", TOWER_MOST, count);
    if (count > 0) {
        if (!bare_bytes(options, count, monitors, &bare.memory_bytes, e))
            return false;
        bare.name = NULL;
        bare.console_line = bare.printer_line = NULL;
    }
    t->bare = t->innermost = machine_new(&bare, e);
    if (!t->bare)
        return false;
    for (unsigned n = 0; n < count; n++) {
        if (add_level(t, options, kinds[n], monitors, count - n - 1, e))
            continue;
        tower_free(t);
        return false;
    }
    return true;
}

bool tower_new(struct tower *t, const struct machine_options *options, const char *const *kinds, unsigned count,
               struct error *e) {
    const struct monitor_options monitors = vmm_default_options();
    return tower_new_with(t, options, kinds, count, &monitors, e);
}

bool tower_disk(struct tower *t, const struct disk_backing *backing, struct error *e) {
    uint32_t blocks = backing->blocks;
    struct device *d = disk_new(machine_model(t->bare), backing);
    if (!d)
        return error_set(e, ERROR_INTERNAL, "no memory for a disk");
    if (!machine_attach(t->bare, ADDRESS_DISK, d, e))
        return false;
    const struct minidisk whole = {.address = ADDRESS_DISK, .host_address = ADDRESS_DISK, .first = 0, .blocks = blocks};
    for (unsigned n = 0; n < t->count; n++)
        if (!vmm_minidisk(vmm_guest_at(t->monitor[n], 0), &whole, e))
            return false;
    return true;
}

void tower_free(struct tower *t) {
    if (t->bare)
        vmm_free_all(t->bare);
    *t = (struct tower){0};
}
