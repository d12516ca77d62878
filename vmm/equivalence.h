/* Equivalence, the first of Popek and Goldberg's three properties, put to the test: a program has the same effect on a
 * virtual machine as on a bare one.
 *
 * Two machines run the same program in lock-step (vmm/lockstep.h): the *guest*, on whatever monitors, in C or in
 * assembler, at any depth; and a bare machine, the *reference*. After each step of the guest, which is an instruction
 * or an interruption, the reference does the same step, and the guest's state, seen through f, must be the reference's.
 * The number of steps is the clock. What comes from outside of the program is taken over from the guest: when external
 * and I/O interruptions come, when devices have ended, and what the clocks said (which must never run backwards). What
 * they do to the machine is the reference's affair, and compared. That they come at all is looked after apart: a
 * clock's or a device's interruption that the guest enables must have been given to it by the second exit to its
 * monitor from then on; and a guest does not wait for ever where the bare machine's device would end.
 *
 * Compared in each step: PSW, general and control registers, prefix, which interruptions were taken; storage every few
 * steps, and at the end. Left out, because they are not the program's: reference bits, and what ISK, ISKE, RRB and RRBE
 * say of them; change bits are compared at the end; the interval timer's word at real 80, which is a clock. */
#ifndef VMM_EQUIVALENCE_H
#define VMM_EQUIVALENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "isa/machine.h"
#include "vmm/lockstep.h"

enum equivalence_end {
    EQUIVALENCE_ENDED,  /* it held until the program came to its end: a disabled wait or check-stop */
    EQUIVALENCE_BUDGET, /* it held as far as it was looked at, or until the program waited for what never comes */
    EQUIVALENCE_BROKEN,
};

struct equivalence {
    enum equivalence_end end;
    uint64_t steps;                        /* that were the same */
    char what[256];                        /* the first difference, one line; "" */
    struct machine_state guest, reference; /* at the end, or where they differ */
    unsigned last_count;                   /* the last instructions, oldest first */
    struct lockstep_step last[LOCKSTEP_LAST];
};

struct equivalence_options {
    uint64_t steps;    /* at most; 0: no limit */
    uint64_t patience; /* cycles in which the bare machine below is busy with one step of the guest, after which it
                        * hangs; 0: 100,000,000 */
    /* Asked after each step; true ends the check as its budget does. May be NULL. */
    bool (*interrupted)(void *self);
    void *self;
};

/* Checks `guest`, which is loaded and not started; it is restarted, as is `reference`: a bare machine of the same
 * storage, model and devices, into which the guest's storage and keys are copied. It must not have been started, and is
 * directed from then on. False and *e when they are not such machines, or when what their disks, readers or consoles
 * have been given is not the same. */
bool equivalence_check(struct machine *guest, struct machine *reference, const struct equivalence_options *o,
                       struct equivalence *to, struct error *e);

#endif
