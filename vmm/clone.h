/* Cloning: a second tree of machines in the same state as one that there is, monitors, guests and disks included. From
 * then on the two know nothing of each other, and do the same as long as the same is done to them. */
#ifndef VMM_CLONE_H
#define VMM_CLONE_H

#include <stdbool.h>

#include "base/error.h"
#include "isa/machine.h"

/* Zero-initialise; everything may stay 0. */
struct vmm_clone_options {
    const struct cost_model *model; /* an equal one that lives longer; NULL: that of the other tree. Borrowed. */
    struct trace *trace;            /* of the copies; NULL: none. Borrowed. */
    /* Writes the name of the copy of this machine, which is `name` otherwise, over it. */
    void (*name)(void *self, const struct machine *of, char name[MACHINE_NAME_BYTES]);
    device_line *line; /* called for each line completed on any console or printer of the copies */
    void *self;        /* of both */
    bool forget_lines; /* as in struct machine_options */
};

/* Copies the whole tree that m stands in; what was on disks is in the process's storage in the copy. Returns the copy
 * of the bare machine, to be freed by vmm_free_all. NULL and *e when the state cannot be saved (a monitor is at work),
 * or there is something that cannot be copied (a supervisor that is not one of our monitors, a disk that is not
 * written), or no memory. */
struct machine *vmm_clone(struct machine *m, const struct vmm_clone_options *o, struct error *e);

/* The copy of a machine of the other tree, where `bare` is the copy of that one's bare machine. NULL: there is none. */
struct machine *vmm_clone_of(struct machine *of, struct machine *bare);

#endif
