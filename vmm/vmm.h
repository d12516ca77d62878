/* Virtual machine monitors: make one on any machine, bare or virtual, give it guests, look inside.
 *
 * A monitor is a supervisor of its machine (isa/supervisor.h) in three parts under their classical names: the
 * dispatcher, where every trap arrives; the allocator, which owns frames and devices; and the interpreter, one routine
 * per privileged instruction. A guest is a `struct machine` like any other, so a monitor can be put on it again. */
#ifndef VMM_VMM_H
#define VMM_VMM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "isa/machine.h"
#include "vmm/module.h"

struct vmm;

/* The kinds that there are: "trap-and-emulate", "hybrid" (docs/hybrid.md). NULL past the last. */
const char *vmm_kind_name(unsigned index);
/* Whether `kind` is one of the product's kinds at all, ready or not: for messages that name what would be accepted. */
bool vmm_kind_known(const char *kind);

/* Makes a monitor of this kind the supervisor of `on`, which must be reset, not started, and have no supervisor yet.
 * NULL and *e on failure. It is freed, with its guests, by vmm_free, before `on` is. */
struct vmm *vmm_new(struct machine *on, const char *kind, struct error *e);
/* The same, asked to work in a certain way. By default it uses all CPUs that its machine has; those that it does not
 * use remain stopped. */
struct vmm *vmm_new_with(struct machine *on, const char *kind, const struct monitor_options *options, struct error *e);
/* The same from parts of one's own (vmm/module.h), which are borrowed for as long as the monitor lives. */
struct vmm *vmm_new_from(struct machine *on, const struct monitor_parts *parts, const struct monitor_options *options,
                         struct error *e);
struct monitor_options vmm_default_options(void);
void vmm_free(struct vmm *v);
/* Frees a bare machine with all monitors and guests on it. */
void vmm_free_all(struct machine *bare);
struct vmm *vmm_on(const struct machine *m); /* the monitor on m; NULL: there is none */
const char *vmm_kind(const struct vmm *v);
struct machine *vmm_machine(const struct vmm *v);

/* Makes a guest of memory_bytes (a multiple of 4 KB; 4 KB to 16 MB) from the monitor's free frames. It is reset, not
 * started, with a console at 009 and a printer at 00E whose lines go to the given functions (may be NULL). Up to
 * GUESTS_MOST of them share the monitor's machine by time slices. The machine belongs to the monitor. */
struct guest_options {
    const char *name; /* NULL: "guest" and the level */
    uint32_t memory_bytes;
    unsigned cpus; /* virtual ones; 0: 1 */
    device_line *console_line, *printer_line;
    void *line_self;
    bool forget_lines; /* as in struct machine_options */
};
struct machine *vmm_guest(struct vmm *v, const struct guest_options *o, struct error *e);
struct machine *vmm_guest_at(const struct vmm *v, unsigned index); /* NULL past the last */

/* Gives the guest a disk that is a part of its host's: its channel programs are translated by the monitor. False and *e
 * when the address is taken, there is no such guest, no room for the copies of its channel programs, or another guest
 * of the monitor, or this one, has blocks of it already and neither minidisk is `shared`. A host address without a
 * disk: not operational. */
bool vmm_minidisk(struct machine *guest, const struct minidisk *disk, struct error *e);

/* Bytes that a machine needs so that a monitor on it can give one guest `memory_bytes`, and a part of its disk: with
 * one CPU each; with `cpus` for the guest and options->cpus (0: one) for the monitor. */
uint32_t vmm_host_bytes(uint32_t memory_bytes);
uint32_t vmm_host_bytes_with(uint32_t memory_bytes, unsigned cpus, const struct monitor_options *options);

/* What a monitor counted. */
struct vmm_stats {
    uint64_t traps;         /* interruptions taken; its restart not */
    uint64_t shadow_faults; /* those that ended with a fill */
    uint64_t interpreted;   /* instructions interpreted; under trap-and-emulate, privileged ones */
    uint64_t reflected;     /* interruptions given to guests */
    uint64_t dispatches;
};
void vmm_stats(const struct vmm *v, struct vmm_stats *to);
/* The same for one guest; false: it is none. */
bool vmm_guest_stats(const struct machine *guest, struct vmm_stats *to);

/* A tower: a bare machine, monitors of the given kinds on it, each the guest of the one before, and the innermost
 * machine. With no kinds that is the bare machine itself. */
enum { TOWER_MOST = 8 };
struct tower {
    struct machine *bare, *innermost;
    struct vmm *monitor[TOWER_MOST]; /* from the bare machine upward */
    unsigned count;
};
/* `options` are the innermost machine's (memory, console lines); each machine below gets the storage that it needs, and
 * as many CPUs. False and *e
 * when that does not fit into 16 MB, naming the largest that does; nothing is left then. */
bool tower_new(struct tower *t, const struct machine_options *options, const char *const *kinds, unsigned count,
               struct error *e);
/* The same with monitors that are asked to work in a certain way, all of them. */
bool tower_new_with(struct tower *t, const struct machine_options *options, const char *const *kinds, unsigned count,
                    const struct monitor_options *monitors, struct error *e);
/* Attaches a disk to the bare machine at ADDRESS_DISK, and the whole of it as a minidisk to each guest. Takes the
 * backing over. */
struct disk_backing;
bool tower_disk(struct tower *t, const struct disk_backing *backing, struct error *e);
void tower_free(struct tower *t);

/* One entry of f, the map from guest to host state: guest real page -> host real page; -1: not the guest's. */
int64_t vmm_frame(const struct machine *guest, uint32_t guest_real);

#endif
