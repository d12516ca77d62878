/* A virtual machine and a bare one in lock-step: what the checks of equivalence (vmm/equivalence.h) and of the map f
 * (vmm/square.h) stand on.
 *
 * The bare machine is directed (isa/machine.h): after each step of the guest, an instruction or an interruption, it
 * does the same one. What comes from outside of the program is taken over from the guest: when external and I/O
 * interruptions come, when devices have ended, and what the clocks said. Here is only that both do the same step; what
 * is then the same is for the caller to look at. */
#ifndef VMM_LOCKSTEP_H
#define VMM_LOCKSTEP_H

#include <stdbool.h>
#include <stdint.h>

#include "isa/machine.h"

enum { LOCKSTEP_LAST = 10, LOCKSTEP_CHUNK = 4096, LOCKSTEP_DEVICES_MOST = 64, LOCKSTEP_TIMER_WORD = 80 };

/* What a step was. */
struct lockstep_step {
    uint32_t address;
    uint8_t text[6];
    char interruption[16]; /* "" or what came instead of an instruction, or with it: "external 1004" */
};

/* A device of both that the reference has not used yet. */
struct lockstep_device {
    uint16_t address;
    bool adopt;   /* before it does, it is brought into the state of the guest's */
    bool earlier; /* what the guest's did, and had to say, began before the two were made the same */
};

struct lockstep {
    struct machine *guest, *reference;
    uint64_t patience;
    /* Does what machine_run does, for whoever holds the guest's reins; NULL: machine_run. */
    int (*run)(void *self, struct machine *m, const struct machine_limits *limits);
    void *run_self;
    uint32_t memory;
    /* The present step. */
    struct machine_state was;    /* the guest's state before; */
    struct machine_state before; /* the reference's, which is the guest's but for its clocks */
    uint64_t cycles;             /* of the bare machine below, before */
    uint64_t operand;            /* the doubleword that an instruction which sets a clock has set it to */
    uint8_t text[6];
    const struct instruction *instruction; /* NULL: none, or not to be read */
    struct instruction_fields f;
    bool restarts;              /* it was the restart */
    bool completed;             /* the instruction, without a program interruption */
    enum machine_status status; /* the guest's */
    struct machine_state now, reference_now;
    /* From step to step. */
    uint64_t counts[INTERRUPTION_CLASSES]; /* of the guest, before */
    uint64_t clock;                        /* the latest that was stored by STCK */
    uint64_t exits_since;                  /* exits when an enabled condition was seen pending; UINT64_MAX: none is */
    uint64_t steps;                        /* that were done */
    unsigned last_count;                   /* the last ones, oldest first, with one that broke off */
    struct lockstep_step last[LOCKSTEP_LAST];
    unsigned devices;
    struct lockstep_device device[LOCKSTEP_DEVICES_MOST];
    bool broken;
    char what[256]; /* the first difference, one line; "" */
    uint8_t a[LOCKSTEP_CHUNK], b[LOCKSTEP_CHUNK];
};

enum lockstep_begin {
    LOCKSTEP_RESTART,  /* both are restarted; the guest is loaded, not started, and their devices are the same */
    LOCKSTEP_FROM_NOW, /* from the state that the guest is in; its devices' states are taken over when they are used */
};

/* Makes the reference, a bare machine that was not started, the same as the guest. False and *e when they are not
 * machines that can be compared. LOCKSTEP_FROM_NOW: a guest that neither has the CPU nor waits, with every machine
 * below, is run on until it has done one step more, since its monitors are at work. patience: cycles in which the bare
 * machine below is busy with one step of the guest, after which it hangs; 0: 100,000,000. */
bool lockstep_begin(struct lockstep *l, struct machine *guest, struct machine *reference, enum lockstep_begin from,
                    uint64_t patience, struct error *e);

/* Whether the guest has the CPU, or waits, with every machine below: otherwise its monitors are at work. */
bool lockstep_between_steps(struct machine *guest);

enum lockstep_result {
    LOCKSTEP_DONE,    /* both have done a step */
    LOCKSTEP_NOTHING, /* there was nothing more to be done: the guest has stopped, or waits for what does not come */
    LOCKSTEP_BROKEN,  /* they could not, and `what` says why */
};
enum lockstep_result lockstep_step(struct lockstep *l);
/* Both have come to an end: it must be the same one. False: `what`. */
bool lockstep_same_end(struct lockstep *l);
/* Notes the first difference; returns false. */
bool lockstep_broken(struct lockstep *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The present instruction, or the target of an EXECUTE. */
bool lockstep_is(const struct lockstep *l, enum instruction_id id);
/* Cycles below that have passed in this step, in units of clocks, and the two by which readings may be off. */
uint64_t lockstep_passed(const struct lockstep *l);

/* A bare machine to be the reference: of the same storage, model, profile and devices. NULL and *e. machine_free frees
 * it. */
struct machine *lockstep_reference(const struct machine *guest, struct error *e);

#endif
