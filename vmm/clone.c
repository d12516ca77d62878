/* A copy of a tree of machines: others made alike, in the order in which these were made, so that everything is where
 * it was; then the state of these restored into them. */
#include "vmm/clone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/disk.h"
#include "isa/snapshot.h"
#include "vmm/map.h"
#include "vmm/vmm_internal.h"

struct copying {
    const struct vmm_clone_options *options;
    struct error *e;
};

/* ---- Devices ---- */

static bool copy_disk(const struct copying *c, struct machine *of, const struct device *disk, uint16_t address,
                      struct machine *to) {
    const struct disk_backing *backing = disk_backing_of(disk);
    struct disk_backing copy;
    if (!backing || backing->protected)
        return error_set(c->e, ERROR_INPUT, "the device %03X of %s cannot be copied%s", address, machine_name(of),
                         backing ? ": its file is not written" : "");
    return disk_backing_memory(&copy, backing->blocks, c->e) &&
           machine_attach(to, address, disk_new(machine_model(to), &copy), c->e);
}

static const struct minidisk *minidisk_at(const struct guest *g, uint16_t address) {
    for (unsigned n = 0; g && n < g->minidisks; n++)
        if (g->minidisk[n].is.address == address)
            return &g->minidisk[n].is;
    return NULL;
}

/* What was attached, in that order, from the first device that the copy does not have; `upto` the minidisk at that
 * address, or everything when it is NULL. */
static bool copy_devices(const struct copying *c, struct machine *of, struct machine *to, const uint16_t *upto) {
    struct device *d;
    uint16_t address;
    for (unsigned n = 0; (d = machine_device_at(of, n, &address)) != NULL; n++) {
        const struct minidisk *part = minidisk_at(guest_of(of), address);
        if (machine_device(to, address))
            continue;
        if (!(part ? vmm_minidisk(to, part, c->e) : copy_disk(c, of, d, address, to)))
            return false;
        if (upto && *upto == address)
            return true;
    }
    return true;
}

/* ---- Machines and monitors ---- */

static void name_of(const struct copying *c, const struct machine *of, char to[MACHINE_NAME_BYTES]) {
    snprintf(to, MACHINE_NAME_BYTES, "%s", machine_name(of));
    if (c->options->name)
        c->options->name(c->options->self, of, to);
}

/* The map of a hypervisor in assembler, with its guests, and theirs: all that is needed before monitors are put on
 * them. */
static bool copy_map(const struct copying *c, struct machine *of, struct machine *to) {
    char names[MAP_GUESTS_MOST][MACHINE_NAME_BYTES] = {""};
    struct map *map = map_on(of), *copy;
    if (!map)
        return true;
    for (unsigned n = 0; n < MAP_GUESTS_MOST; n++)
        if (map_guest_at(map, n))
            name_of(c, map_guest_at(map, n), names[n]);
    if (!(copy = map_copy(map, to, names, c->e)))
        return false;
    for (unsigned n = 0; n < MAP_GUESTS_MOST; n++)
        if (map_guest_at(map, n) && !copy_map(c, map_guest_at(map, n), map_guest_at(copy, n)))
            return false;
    return true;
}

static bool copy_guest(const struct copying *c, struct guest *g, struct vmm *to) {
    const struct vmm_clone_options *o = c->options;
    char name[MACHINE_NAME_BYTES];
    name_of(c, g->machine, name);
    const struct guest_options options = {.name = name,
                                          .memory_bytes = g->vm.memory,
                                          .cpus = g->vm.cpus,
                                          .console_line = o->line,
                                          .printer_line = o->line,
                                          .line_self = o->self,
                                          .forget_lines = o->forget_lines};
    struct machine *copy = vmm_guest(to, &options, c->e);
    return copy && copy_map(c, g->machine, copy);
}

/* Guests and minidisks take frames, each when it is made. */
static bool copy_guests(const struct copying *c, struct vmm *of, struct vmm *to) {
    for (unsigned made = 0; made < of->made; made++) {
        for (unsigned n = 0; n < of->guests; n++) {
            struct guest *g = of->guest[n];
            if (g->made == made && !copy_guest(c, g, to))
                return false;
            for (unsigned k = 0; k < g->minidisks; k++)
                if (g->minidisk[k].made == made &&
                    !copy_devices(c, g->machine, vmm_guest_at(to, n), &g->minidisk[k].is.address))
                    return false;
        }
    }
    for (unsigned n = 0; n < of->guests; n++)
        if (!copy_devices(c, of->guest[n]->machine, vmm_guest_at(to, n), NULL))
            return false;
    return true;
}

struct machine *vmm_clone_of(struct machine *of, struct machine *bare) {
    struct guest *g = guest_of(of);
    unsigned number = 0;
    struct map *map = map_of(of, &number);
    if (!machine_host(of))
        return bare;
    struct machine *host = vmm_clone_of(machine_host(of), bare);
    struct vmm *v = host ? vmm_on(host) : NULL;
    struct map *copy = host ? map_on(host) : NULL;
    if (map)
        return copy ? map_guest_at(copy, number) : NULL;
    return v && g ? vmm_guest_at(v, g->index) : NULL;
}

/* The monitors in the order in which they were made. */
static bool copy_monitors(const struct copying *c, struct machine *of, struct machine *bare) {
    struct machine *on;
    for (unsigned n = 0; (on = machine_supervised(of, n)) != NULL; n++) {
        struct vmm *v = vmm_on(on), *copy;
        struct machine *to = vmm_clone_of(on, bare);
        if (!v || !to)
            return error_set(c->e, ERROR_INPUT, "the supervisor of %s cannot be copied", machine_name(on));
        struct monitor_options options = v->options;
        options.cpus = v->cpus;
        copy = vmm_new_with(to, vmm_kind(v), &options, c->e);
        if (!copy || !copy_guests(c, v, copy))
            return false;
    }
    return true;
}

static struct machine *copy_tree(const struct copying *c, struct machine *of) {
    const struct vmm_clone_options *o = c->options;
    char name[MACHINE_NAME_BYTES];
    name_of(c, of, name);
    const struct machine_options options = {.name = name,
                                            .memory_bytes = machine_memory(of),
                                            .cpus = machine_cpus(of),
                                            .model = o->model ? o->model : machine_model(of),
                                            .trace = o->trace,
                                            .nominal_time = machine_nominal(of),
                                            .console_line = o->line,
                                            .printer_line = o->line,
                                            .line_self = o->self,
                                            .profile = machine_profile(of),
                                            .channel_conditions = machine_channel_conditions(of),
                                            .forget_lines = o->forget_lines};
    struct machine *bare = machine_new(&options, c->e);
    if (!bare)
        return NULL;
    if (copy_devices(c, of, bare, NULL) && copy_map(c, of, bare) && copy_monitors(c, of, bare))
        return bare;
    vmm_free_all(bare);
    return NULL;
}

static bool restore(struct machine *to, const struct bytes *state, struct error *e) {
    struct archive a = archive_loading(state->data, state->length, e);
    machine_archive(to, &a);
    return archive_finish(&a);
}

struct machine *vmm_clone(struct machine *m, const struct vmm_clone_options *o, struct error *e) {
    static const struct vmm_clone_options usual;
    const struct copying c = {.options = o ? o : &usual, .e = e};
    struct bytes state = {0};
    struct archive a = archive_saving(&state, e);
    struct machine *copy = NULL;
    m = machine_bare(m);
    machine_archive(m, &a);
    if (archive_finish(&a))
        copy = copy_tree(&c, m);
    if (copy && !restore(copy, &state, e)) {
        vmm_free_all(copy);
        copy = NULL;
    }
    bytes_fini(&state);
    return copy;
}
