/* What a random program (tests/support/differential.h) has left behind on a machine, bare or virtual, to be compared.
 */
#ifndef TESTS_SUPPORT_OUTCOME_H
#define TESTS_SUPPORT_OUTCOME_H

#include <stdbool.h>

#include "isa/machine.h"
#include "tests/support/differential.h"

enum { OUTCOME_MEMORY = 0x200000, OUTCOME_KEYS = OUTCOME_MEMORY / STORAGE_BLOCK_BYTES };

struct outcome {
    enum machine_status status;
    struct machine_state state;
    struct machine_stats stats;
    uint8_t keys[OUTCOME_KEYS];
    uint8_t storage[OUTCOME_MEMORY];
};

/* Loads the case into a machine of OUTCOME_MEMORY; `image` is that of differential_image. */
bool outcome_load(struct machine *m, const struct differential_case *c, const uint8_t *image, struct error *e);
/* Of the machine as it is. Left out are reference bits of blocks that hold tables, which a monitor walks when the CPU
 * would not, and the interval timer's word, which is a clock. */
void outcome_take(struct outcome *o, struct machine *m, enum machine_status status);
/* False when they differ; `under`: prints the first differences, with what the second one ran under. `clocks`: they and
 * nominal cycles are compared, too. */
bool outcome_same(const struct outcome *bare, const struct outcome *other, bool clocks, const char *under);
/* Whether one of the program's own MVCLs is not there any more. */
bool outcome_overwrote_move(const struct differential_case *c, const uint8_t *image, const struct outcome *o);

#endif
