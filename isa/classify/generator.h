/* States by chance, with a liking for values that mean something to some instruction. */
#ifndef ISA_CLASSIFY_GENERATOR_H
#define ISA_CLASSIFY_GENERATOR_H

#include "isa/classify/laboratory.h"

struct generator {
    struct random *random;
    const struct instruction *instruction; /* the one that is examined */
    /* Instructions that EXECUTE may find: those that were found innocuous and unprivileged. */
    const struct instruction *const *targets;
    unsigned target_count;
    enum profile profile;
};

/* A state with the instruction at psw.ia: a new one, or one that is like *s, of which most is kept. False: there is
 * none this time (EXECUTE, and no innocuous target). */
bool generator_state(struct generator *g, struct lab_state *s);
bool generator_mutate(struct generator *g, struct lab_state *s);
void generator_text(const struct lab_state *s, uint8_t text[6]);

/* The resources in which two states can differ, in two groups: keys, which decide what traps, and the others. Varies a
 * whole group; and takes a single resource over from another state. */
enum { VARIATIONS = 11, VARIATION_GROUPS = 2 };
void generator_vary(struct generator *g, struct lab_state *s, unsigned group);
bool generator_take(struct lab_state *s, const struct lab_state *from, unsigned variation); /* false: it is the same */
const char *generator_resource(unsigned variation);
/* And what lies outside the model: the TOD clock, the monitor masks of CR8. */
void generator_vary_clock(struct generator *g, struct lab_state *s);
void generator_vary_monitor_masks(struct generator *g, struct lab_state *s);

#endif
