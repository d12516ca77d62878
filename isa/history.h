/* History: a machine's way so far, on which it can be taken back, and forward again.
 *
 * While it is kept, the state of the whole tree is noted every now and then (a checkpoint); any moment is reached by
 * restoring the last checkpoint before it and running on from there, which does the same again, since nothing of a run
 * is left to chance. Storage is noted by the page, and pages that have not changed are noted once. Disks remember what
 * was overwritten.
 *
 * A moment is named by its position (machine_position). While all CPUs wait the position stands still; what is gone to
 * is then the moment at which it was reached.
 *
 * What is done to the machine from outside (storage, a line typed, a key pressed) is noted as well, by a checkpoint at
 * the next machine_run or going back, so that it is there again when the machine comes by. Only what is done while a
 * monitor above the bare machine is at work (machine_quiescent) is not: the way is interrupted until none is, and what
 * lies in between cannot be gone to. Whoever goes back and then runs the machine, or does something to it, begins
 * another future: what came later is forgotten. When the tree is given another form (a device, a guest), or a snapshot
 * is restored, history begins anew.
 *
 * Cost: a checkpoint compares all of storage with the one before, about 0.1 ms a megabyte; going back takes as long as
 * the machine took to run from the checkpoint before. */
#ifndef ISA_HISTORY_H
#define ISA_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "isa/machine.h"

struct history;

struct history_options {
    uint64_t spacing; /* cycles of the bare machine between checkpoints; 0: 20,000,000 */
    size_t memory;    /* bytes for checkpoints; 0: 256 MB. When they need more, every other of the older half is given
                       * up, and going back there takes longer; but where something came from outside they stay, and
                       * when there is nothing else left the beginning is given up. What disks remember, 516 bytes for
                       * each block written, is not counted. */
    /* Asked every few thousand instructions while the machine is run again; true stops it where it is, and the function
     * that did it returns false. May be NULL. */
    bool (*interrupted)(void *self);
    void *self;
};

/* Begins to keep the history of m's tree, here. NULL and *e when its state cannot be saved (a monitor is at work, or
 * one that cannot be saved), it is being kept already, or there is no memory. Free it before the machine. */
struct history *history_new(struct machine *m, const struct history_options *o, struct error *e);
void history_free(struct history *h);

/* The positions between which the way is known. */
uint64_t history_first(const struct history *h);
uint64_t history_last(const struct history *h);
/* The first position of the way that leads here without interruption: to it, and everything behind it, one can go, and
 * come back from there. UINT64_MAX: here itself the way is interrupted, and who goes back cannot return. */
uint64_t history_floor(struct history *h);
/* Goes to a position; where that divides an instruction from its interruption, behind both. Beyond the end of the known
 * way the machine runs on. False and *e, nothing changed, before the beginning and where the way is interrupted; false
 * and *e, at its end, when the machine stops earlier. */
bool history_go(struct history *h, uint64_t position, struct error *e);
/* Takes back the last `steps` instructions and interruptions of m, a machine of the tree: on to just before the
 * first of them that it can be divided at. False and *e, nothing changed, when m has not done so many since the
 * beginning, or the way is interrupted here. */
bool history_back(struct history *h, struct machine *m, uint64_t steps, struct error *e);
/* Goes back to the last moment before this one at which machine_run of m, under way, would have stopped by until_trap,
 * has_address or `before` of *stops (the rest of it counts for nothing). False and *e, nothing changed: there is none,
 * or the way is interrupted here. */
bool history_back_to(struct history *h, struct machine *m, const struct machine_limits *stops, struct error *e);
/* The same to the moment just after m's last interruption. */
bool history_back_to_trap(struct history *h, struct machine *m, struct error *e);

/* Tells the events between a position (or the beginning, where that is later) and here once more, as when they
 * happened; lines of consoles are not told. The machine is here again afterwards. False and *e: the way is interrupted
 * in between, or it was interrupted; then it is somewhere between the two. */
bool history_tell(struct history *h, uint64_t from, struct error *e);

/* snapshot_save at any moment: where a monitor is at work, the last checkpoint and how far to run from there. False and
 * *e also when that is more than 100 million steps, or the way is interrupted here. */
bool history_save(struct history *h, const char *path, struct error *e);

struct history_stats {
    size_t checkpoints, bytes;
    uint64_t replayed; /* positions that were run through again, in all */
};
struct history_stats history_stats(const struct history *h);

#endif
