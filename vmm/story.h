/* The story of a virtual machine's last trap: what was executed, what interrupted, what was decided, who did what,
 * until the machine had control again, with the cycles of each step.
 *
 * It is put together while the machine runs, from the trace: monitors in C tell what they do (base/trace.h); a
 * hypervisor in assembler cannot, but reaches labels, which its text documents (docs/hypervisor.md), and the address of
 * each instruction is in the trace. Instructions are traced, which makes the machine slow, from a trap to the next
 * instruction of the virtual machine, and not outside of traps. Nothing of the machine changes by that.
 *
 * What is told is what was done. A monitor that is wrong in a decision tells that decision. */
#ifndef VMM_STORY_H
#define VMM_STORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/trace.h"
#include "isa/assembler.h"
#include "isa/machine.h"

// clang-format off
/* One row a kind: enumerator, name in scenarios. */
#define STORY_KINDS(KIND)                                                                                            \
    KIND(INSTRUCTION, "instruction")       /* that trapped, or before which the interruption came */                  \
    KIND(INTERRUPTION, "interruption")     /* of the bare machine */                                                  \
    KIND(ENTRY, "entry")                   /* a monitor in C has control */                                           \
    KIND(DECISION, "decision")             /* of the dispatcher: what it is */                                        \
    KIND(INTERPRETATION, "interpretation") /* by the routine `label` */                                               \
    KIND(FILL, "fill")                     /* of a shadow entry */                                                    \
    KIND(PURGE, "purge")                   /* of shadow entries */                                                    \
    KIND(REFLECTION, "reflection")         /* the virtual machine gets an interruption */                             \
    KIND(IO, "io")                                                                                                    \
    KIND(CELL, "cell")                     /* a monitor in C executes the privileged instruction `label` */           \
    KIND(DISPATCH, "dispatch")             /* it is decided who runs */                                               \
    KIND(RESUMPTION, "resumption")         /* the virtual machine's next instruction */                               \
    KIND(STOP, "stop")                     /* there is none */
// clang-format on
enum story_kind {
#define STORY_ENUM(id, name) STORY_##id,
    STORY_KINDS(STORY_ENUM)
#undef STORY_ENUM
        STORY_KIND_COUNT
};
const char *story_kind_name(enum story_kind k);

enum { STORY_STEPS = 160, STORY_LABEL_BYTES = 16, STORY_TEXT_BYTES = 96 };
struct story_step {
    enum story_kind kind;
    int level;                     /* of the machine whose program it is: 0: the bare one's */
    uint32_t address;              /* of the instruction, the label, the new PSW; 0: none */
    uint64_t cycle;                /* when it began */
    uint64_t cycles;               /* until the next step */
    uint64_t instructions;         /* of hypervisors in assembler, until the next step */
    char label[STORY_LABEL_BYTES]; /* documented label, or mnemonic, or interruption class; "" */
    char text[STORY_TEXT_BYTES];   /* one line */
};
struct story_trap {
    bool whole;        /* it has ended; otherwise the machine is in its middle */
    unsigned count;    /* of steps */
    unsigned left_out; /* that there was no room for: their cycles are the last one's */
    uint64_t cycles, instructions;
    struct story_step step[STORY_STEPS];
};

struct story;

/* Follows `guest`, a virtual machine, from now on, through the trace of its tree. `hypervisor`: the assembly of the
 * hypervisors in assembler below it, whose labels are copied; NULL: there are none, or they are to tell nothing. NULL
 * and *e: it is no virtual machine, there is no trace, or no memory. Machines and trace must outlive it. Machines are
 * told apart by their names; on a machine with several CPUs, the trap is the one of that which was first. */
struct story *story_new(struct machine *guest, struct trace *trace, const struct assembly *hypervisor, struct error *e);
void story_free(struct story *s);
/* What happens while *again is true is not heard: it has been told before. NULL: everything is heard. */
void story_deaf_while(struct story *s, const bool *again);
/* The last trap; or the one that the machine is in the middle of. False: there has been none. */
bool story_last(struct story *s, struct story_trap *to);
/* Forgets it: the machine is somewhere else now (isa/history.h). */
void story_forget(struct story *s);

#endif
