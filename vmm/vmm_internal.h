/* What the host side of monitors shares: struct vmm and struct guest, which modules never see.
 *
 *   vmm.c     a monitor's life, and looking at it from outside
 *   guest.c   a virtual machine as a machine like any other, and its devices
 *   calls.c   the calls of vmm/module.h, carried out on the monitor's machine
 *   tower.c   machine, monitor, machine, monitor, ...
 *
 * The monitor itself, with everything that decides, is behind vmm/module.h: vmm/reference/. */
#ifndef VMM_VMM_INTERNAL_H
#define VMM_VMM_INTERNAL_H

#include "base/timeline.h"
#include "isa/channel.h"
#include "isa/machine.h"
#include "isa/supervisor.h"
#include "vmm/module.h"
#include "vmm/vmm.h"

/* A minidisk, and how the host's side gets to the disk that it is a part of. */
enum { VMM_CAW_LOCATION = 72 };
struct guest_disk {
    struct minidisk is;
    uint32_t caw[VIRTUAL_CPUS_MOST]; /* at real 72 of each CPU, when a program was last started (vmm/follow.h) */
    struct guest *guest;
    unsigned made; /* as in struct guest */
};

struct guest {
    struct virtual_machine vm; /* first: what modules know of it */
    struct vmm *monitor;
    unsigned index;
    unsigned made; /* it was the so manieth of what its monitor has given frames to */
    struct machine *machine;
    struct channel_set *channels;
    struct timeline *timeline; /* of its clock, in picoseconds */
    bool advancing;            /* the timeline fires what is due */
    struct guest_disk minidisk[MINIDISKS_MOST];
    unsigned minidisks;
    struct vmm_stats stats;
};

struct vmm {
    struct machine *machine;
    struct supervisor *supervisor;
    const struct monitor_parts *parts;
    void *private;
    struct monitor_options options;
    struct guest *guest[GUESTS_MOST];
    unsigned guests;
    unsigned made; /* how many guests and minidisks */
    struct vmm_stats stats;
    bool started;                                         /* its machine has been */
    unsigned cpus;                                        /* of the machine, that it uses */
    const struct virtual_cpu *running[MACHINE_CPUS_MOST]; /* to whom each was given last; NULL: it waits */
    struct processor *p;                                  /* of the present activation */
};

/* A virtual machine without its monitor's tables. */
void guest_archive(struct guest *g, struct archive *a);
void vmm_stats_archive(struct vmm_stats *s, struct archive *a);

/* supervisor_ops.interrupt: the monitor's dispatcher, counted. */
uint32_t vmm_interrupt(void *self, struct processor *p, enum interruption_class c);

/* Where a virtual CPU's general registers, condition code, program mask and instruction address are. */
enum guest_found {
    GUEST_SAVED,       /* its monitor keeps them */
    GUEST_LIVE,        /* in the bare CPU */
    GUEST_BELOW,       /* its monitor has not come to save them: they are those of its machine's CPU; */
    GUEST_INTERRUPTED, /* or that was interrupted, and the PSW is in its page 0 */
};
/* below: state of the CPU of its monitor's machine that it is on. */
enum guest_found guest_find(const struct guest *g, unsigned cpu, const struct machine_state *below);

struct guest *guest_new(struct vmm *v, unsigned index, const struct guest_options *o, struct error *e);
void guest_free(struct guest *g);
/* Whether they have blocks in common that are not shared. */
bool minidisks_overlap(const struct minidisk *a, const struct minidisk *b);
/* NULL: not a guest of a monitor of ours. */
struct guest *guest_of(const struct machine *m);

#endif
