/* Hercules as the peer of the CPU benchmark: one headless process that runs storage images, timed by its own CPU time.
 */
#ifndef UI_CLI_BENCH_HERCULES_H
#define UI_CLI_BENCH_HERCULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct bench_hercules;

/* True when the program is on the PATH. */
bool bench_hercules_present(void);
/* Starts it, with 2 MB of storage. NULL and *e when it does not come up. */
struct bench_hercules *bench_hercules_new(struct error *e);
/* Loads an image at 0, restarts, and waits for its disabled wait: CPU seconds of the process between, or -1 and *e. */
double bench_hercules_run(struct bench_hercules *h, const uint8_t *image, size_t length, struct error *e);
void bench_hercules_free(struct bench_hercules *h);

#endif
