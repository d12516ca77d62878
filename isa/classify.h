/* The classifier: Popek and Goldberg's class of every instruction, derived by experiment (docs/classify.md).
 *
 * Their definitions speak of pairs of states. The search makes states from a seed, sets each up on a real bare machine,
 * executes the instruction there, and compares what became of two states that differ in one thing only:
 *   control-sensitive    one state, before and after: mode or resources have changed, and there was no trap
 *   mode-sensitive       supervisor and problem state: results differ, and neither trapped
 *   location-sensitive   the same storage elsewhere: results differ after relocation is taken out, and neither trapped
 *   resource-sensitive   one resource differs, or which processor executes: results differ, and neither trapped
 * The last three are behaviour-sensitive. Privileged: in problem state always a privileged-operation exception, in
 * supervisor state never. User-sensitive: control-, location- or resource-sensitive with both states in problem state.
 * What is found is kept as a witness; that nothing was found is as good as the number of pairs compared. Nothing is
 * known of any instruction beforehand but its format. */
#ifndef ISA_CLASSIFY_H
#define ISA_CLASSIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "isa/instruction.h"

enum { CLASSIFY_SEED = 1974 }; /* the default */

enum witness_kind {
    WITNESS_CONTROL,      /* in either mode; _USER: in problem state */
    WITNESS_MODE,         /* the first state is in supervisor state, the second in problem state */
    WITNESS_LOCATION,     /* the first state lies at location a, the second at b */
    WITNESS_RESOURCE,     /* the second has another `resource` */
    WITNESS_USER_CONTROL, /* of user-sensitivity */
    WITNESS_USER_LOCATION,
    WITNESS_USER_RESOURCE,
    WITNESS_TRAP,    /* of being privileged: the second, in problem state, traps */
    WITNESS_OUTSIDE, /* the second differs in the TOD clock, or CR8: not sensitive in the sense of the model */
    WITNESS_KINDS
};
/* "control", "mode", "location", "resource", "user control", …. */
const char *witness_name(enum witness_kind k);

/* Two states, or one and what became of it, in words. Empty: not found. */
struct witness {
    uint64_t trial;    /* of the search */
    char text[64];     /* the instruction as source */
    char state[320];   /* what of the state it could use: registers and storage that its fields name */
    char resource[48]; /* WITNESS_RESOURCE and _OUTSIDE: what the states differ in */
    char mode[12];     /* "supervisor", "problem" of the first state */
    char differs[48];  /* what of the results differs; WITNESS_CONTROL: what has changed */
    char first[32], second[32];
};
static inline bool witness_found(const struct witness *w) { return w->text[0]; }

/* What lies outside the model, and an innocuous instruction depends on: a footnote. */
enum classify_outside { OUTSIDE_CLOCK = 1, OUTSIDE_MONITOR_MASKS = 2 };
/* What a monitor must do about it. */
const char *classify_footnote(enum classify_outside o);

struct verdict {
    const struct instruction *instruction;
    unsigned class; /* enum instruction_class, OR-ed; CLASS_TRAPS: no state was found in which it does not trap */
    bool privileged, user_sensitive;
    unsigned outside;              /* enum classify_outside; 0 where it is not innocuous */
    uint64_t trials;               /* states tried */
    uint64_t pairs[WITNESS_KINDS]; /* compared, neither trapped; CONTROL: executions without a trap */
    bool enough;                   /* of them to call it innocuous */
    struct witness witness[WITNESS_KINDS];
};
static inline bool verdict_sensitive(const struct verdict *v) { return v->class & (CLASS_CONTROL | CLASS_BEHAVIOUR); }

struct classification {
    enum profile profile;
    uint64_t seed;
    unsigned count; /* of verdicts, in the order of the table */
    struct verdict *verdict;
};
struct classify_options {
    enum profile profile;
    uint64_t seed;
    const struct instruction *only; /* NULL: all of the profile */
    /* Asked now and then; true ends the search. May be NULL. */
    bool (*interrupted)(void *self);
    void *self;
};
/* Classifies the instructions of a profile, or one, which gives the same verdict. The same seed gives the same answer.
 * False and *e: `only` is not in the profile, interrupted (ERROR_BUDGET), or no memory. A few seconds for all. */
bool classify(struct classification *to, const struct classify_options *o, struct error *e);
void classification_free(struct classification *c);

/* Popek and Goldberg's theorems: 1, virtualizable; 2, recursively; 3, by a hybrid monitor. Verdicts of all instructions
 * are needed. */
struct theorem {
    unsigned number;
    const char *name, *condition;
    bool holds;
    unsigned count; /* of instructions that break it */
    const struct instruction *breaks[16];
    /* Theorem 2: instructions that show the time, on which a monitor could come to depend. */
    unsigned clocks;
    const struct instruction *shows_time[4];
};
enum { THEOREMS = 3 };
void classification_theorem(const struct classification *c, unsigned number, struct theorem *to);

/* One verdict with its witnesses, step by step, as text. */
void classify_explain(const struct verdict *v, struct bytes *to);
/* "innocuous", "control", "behaviour", "control, behaviour", "traps". */
const char *classify_class_name(unsigned class);

#endif
