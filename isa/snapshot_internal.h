/* What snapshots and histories share. */
#ifndef ISA_SNAPSHOT_INTERNAL_H
#define ISA_SNAPSHOT_INTERNAL_H

#include "isa/snapshot.h"

/* A snapshot in memory: the state, to be run on for so many positions. */
bool snapshot_state(struct machine *m, uint64_t replay, struct bytes *to, struct error *e);
bool snapshot_write(const struct bytes *state, const char *path, struct error *e);
/* What is written to the disks of m's tree is remembered from now on, for brief archives; or no longer. */
void machine_remember(struct machine *m, bool on);
/* machine_run of what has happened before, up to a position at most (0: none). `told`: the trace hears of it once more;
 * otherwise nobody does. */
void machine_replay(struct machine *m, const struct machine_limits *limits, uint64_t stop_at, bool told);

#endif
