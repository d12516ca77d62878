/* Snapshots: the complete state of a bare machine and of everything that runs on it, virtual machines and monitors at
 * every depth, their devices and disks. docs/snapshots.md has the format of the file.
 *
 * A state is restored into machines that were made alike: of the same sizes, model, devices, monitors and guests; what
 * differs is named and refused. So there is nothing in a snapshot that would have to be believed: it has values, and no
 * structure. What belongs to the host (callbacks, host files, the trace) is not in it. */
#ifndef ISA_SNAPSHOT_H
#define ISA_SNAPSHOT_H

#include <stdbool.h>

#include "base/archive.h"
#include "isa/machine.h"

/* Between two activations: none of a supervisor above the bare machine is suspended, so that the C code has nothing on
 * its stacks. That is so whenever the innermost machine is between two of its instructions. */
bool machine_quiescent(const struct machine *m);

/* Saves or restores m's whole tree, which must be quiescent to be saved, and is afterwards. Not while machine_run is in
 * progress, except by who looks on (isa/history.c). A load that fails (archive_finish) leaves a state that
 * is safe to free or to load into, and makes no other sense. */
void machine_archive(struct machine *m, struct archive *a);

/* How far the whole tree has come: a count of all that happens on the bare machine, instructions, interruptions, calls
 * of supervisors, turns of CPUs. Two moments of a run with the same position are the same, but for the time that has
 * passed while all CPUs wait. */
uint64_t machine_position(const struct machine *m);

/* The same to and from a file. Loading is all or nothing, whatever m's monitors are doing; and when the snapshot was
 * made while a monitor was at work, it runs the machine on to that moment. A machine that is not quiescent cannot be
 * saved, except by its history (isa/history.h): false and *e. */
bool snapshot_save(struct machine *m, const char *path, struct error *e);
bool snapshot_load(struct machine *m, const char *path, struct error *e);

#endif
