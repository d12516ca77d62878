/* A guest's write to a disk, followed down to the real one: at each level the channel program with its write command,
 * where its data are and to which blocks they go; at the bottom the blocks that were really written.
 *
 * It is told by the disk itself, when it has written (isa/disk.h): at that moment the channel programs of all levels
 * are in their storage, the guest's and the copies that its monitors have made of it. Which ones they are is found by
 * what each machine has given its channel (the CAW at real 72), and believed only when it fits: command for command,
 * each piece of data where f has the guest's (vmm/isomorphism.h), and the blocks where the guest's part of the disk
 * begins. So it works for any monitor; for a hypervisor in assembler whose guests take turns at a disk only where the
 * guest has not changed its CAW before its turn came. Following changes nothing and costs no cycles. */
#ifndef VMM_FOLLOW_H
#define VMM_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "isa/machine.h"

enum { FOLLOW_PIECES_MOST = 64, FOLLOW_BYTES_MOST = 4096 };

struct follow_ccw {
    uint32_t address; /* absolute */
    uint8_t text[8];
};
struct follow_level {
    struct machine *machine;
    int level;
    uint16_t device; /* its address for that machine */
    uint32_t caw;
    struct follow_ccw extent, locate, write; /* the commands that say where and what; the first CCW of the write */
    uint32_t first, blocks;                  /* of this machine's disk */
    unsigned pieces;                         /* of the data, as many of them as there is room for below: */
    struct follow_piece {
        uint32_t address, length; /* absolute */
        uint32_t list;            /* where the IDAW is that leads there; 0: the CCW itself does */
    } piece[FOLLOW_PIECES_MOST];
};
struct follow_write {
    uint64_t number; /* of those that were followed, from 1; what a history runs again counts again */
    unsigned levels; /* from the machine that was asked for down to the one that has the disk */
    struct follow_level level[MACHINE_LEVELS];
    uint32_t length;                 /* bytes that were sent; zeros fill the last block */
    uint8_t data[FOLLOW_BYTES_MOST]; /* the first of them */
};

struct follow;
/* Follows the writes of m, bare or virtual, to its disk `device`, from now on. NULL and *e: it has no disk there, or
 * the disk is one of which nothing is known below; or no memory. */
struct follow *follow_new(struct machine *m, uint16_t device, struct error *e);
/* May come after the machines have gone. */
void follow_free(struct follow *f);
/* What is written while *again is true is not followed: it was written before. NULL: everything is followed. */
void follow_deaf_while(struct follow *f, const bool *again);
/* The last one; NULL: there was none yet. Borrowed, until the machine runs again. */
const struct follow_write *follow_last(const struct follow *f);

/* "write 1024 at 0017C0, indirect": a command of a disk as a text. */
enum { FOLLOW_TEXT = 64 };
void follow_ccw_text(const struct follow_ccw *ccw, char to[FOLLOW_TEXT]);

#endif
