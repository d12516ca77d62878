// clang-format off
/* The square f(e(S)) = e'(f(S)), checked instruction by instruction.
 *
 *                   e: one instruction
 *            S --------------------------> e(S)           states of the guest's machine
 *            |                              |
 *          f |                              | f
 *            v                              v
 *          f(S) -------------------------> f(e(S))        states of its host
 *                   e': what the host does,
 *                   with all its monitors
 *
 * S is the state that the guest is in, at any moment of a run; f(S) is where that is in the host. e is done by a bare
 * machine in state S (vmm/lockstep.h), and e' by the host, until the guest has done that step, an instruction or an
 * interruption. Then f is applied to e(S), piece by piece through the table of vmm/isomorphism.h, down to the bare
 * machine or to the data of a monitor; and what stands in each of these places must be that. So a difference is named
 * with its place: a register of the CPU, an address of the host's storage, a field of a monitor.
 *
 * Compared after each step: registers, all fields of the PSW, prefix, and clocks, of which what stands below must not
 * change but by the instruction that sets them; storage and its keys. Not compared are reference and change bits, the
 * interval timer's word, what is pending, and devices, all of which follow from time; what they do to the rest is.
 * Answers of devices to what began before S are taken over from the guest. */
// clang-format on
#ifndef VMM_SQUARE_H
#define VMM_SQUARE_H

#include "vmm/isomorphism.h"
#include "vmm/lockstep.h"

enum square_outcome {
    SQUARE_HELD,  /* as far as it was asked for */
    SQUARE_ENDED, /* and then the program had come to its end */
    SQUARE_WAITS, /* or waited for what does not come by itself */
    SQUARE_BROKEN,
};

struct square {
    enum square_outcome outcome;
    uint64_t steps;  /* for which it held */
    uint64_t pieces; /* that were compared in the last one, a page and a key being one each */
    char what[256];  /* what differs, and where, one line; "" */
    /* And as data, where it is a piece: */
    bool differs;
    struct isomorphism_row row;   /* of the guest's piece; `value` is what e' made of it, as the guest sees it */
    struct isomorphism_row place; /* the last place to which f leads */
    uint64_t image, stands;       /* what f(e(S)) has there, and e'(f(S)) */
    unsigned last_count;          /* the last steps, oldest first */
    struct lockstep_step last[LOCKSTEP_LAST];
};

/* A check that goes on from step to step. It makes a bare machine of its own, and stands on the guest: nothing else may
 * run that or change it until the check is freed. It begins where the guest is (LOCKSTEP_FROM_NOW); a guest that has
 * not begun does its restart first. NULL and *e: it is no virtual machine with one CPU, or hangs, or there is no
 * memory. */
struct square_check;
struct square_check *square_new(struct machine *guest, struct error *e);
void square_free(struct square_check *s);
struct square_options {
    uint64_t steps; /* at most; 0: no limit */
    bool parts;     /* of storage, two pages after each step and all of it in the end; otherwise all after each step */
    /* How the guest is run for a step: lockstep.run. NULL: machine_run. */
    int (*run)(void *self, struct machine *m, const struct machine_limits *limits);
    void *run_self;
    bool (*interrupted)(void *self); /* asked after each step; true ends the run. May be NULL */
    void *self;
};
/* Runs both; *to says how far it held since the beginning. Once it is broken nothing is run any more. */
void square_run(struct square_check *s, const struct square_options *o, struct square *to);

/* The square of the guest's next step. False: *e, as square_new. */
bool square_once(struct machine *guest, struct square *to, struct error *e);

#endif
