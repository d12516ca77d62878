/* Programs in assembler as test cases: assemble, load, run to the end, look. */
#ifndef TESTS_SUPPORT_PROGRAM_H
#define TESTS_SUPPORT_PROGRAM_H

#include "isa/machine.h"

/* A bare machine of 64K with this model ("s370", "flat"), on nominal time, with the program loaded: `source` is
 * assembled, page 0 and all. It fails the test when it does not assemble. Free with program_free. */
struct machine *program_load(const char *model, const char *source);
/* The same on a machine with these options; the model is filled in. */
struct machine *program_load_on(const char *model, struct machine_options options, const char *source);
void program_free(struct machine *m);
/* Restarts and runs; at most so many instructions and interruptions, 0: no limit. */
enum machine_status program_run(struct machine *m, uint64_t limit);
uint32_t program_word(struct machine *m, uint32_t real);
struct machine_state program_state(struct machine *m);
struct machine_stats program_stats(struct machine *m);

#endif
