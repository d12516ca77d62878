/* Fixed-block disk, IBM 3370: blocks of 512 bytes, numbered from 0 (docs/devices.md).
 *
 * The device knows commands, extents and times; where the blocks are kept is its backing's affair, which is given from
 * above: storage of the process, or a host file. A command's blocks are moved when its channel program is started; what
 * takes the modelled time is only the end of the program. So a machine that is stopped in between is whole: its disk
 * has what the program wrote, and the program has not been told yet. */
#ifndef ISA_DISK_H
#define ISA_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "isa/cost.h"

struct device;

enum {
    DISK_BLOCK_BYTES = 512,
    DISK_BLOCKS_MOST = 1 << 24, /* 8 GB */
    DISK_BLOCKS_3370 = 558000,  /* what the real one has */
};

/* Where the blocks of a disk are. block: 0 to blocks - 1. False is an equipment check for the program: the host could
 * not do it, and nothing of the block was changed. */
struct disk_backing {
    uint32_t blocks;
    bool protected; /* every write fails */
    bool (*read)(void *self, uint32_t block, uint8_t to[DISK_BLOCK_BYTES]);
    bool (*write)(void *self, uint32_t block, const uint8_t from[DISK_BLOCK_BYTES]);
    bool (*sync)(void *self); /* after the last block of each write command; may be NULL */
    void (*free)(void *self);
    void *self;
};

/* A disk of zeros in the process's own storage, which grows with the blocks written. blocks: 1 to DISK_BLOCKS_MOST. */
bool disk_backing_memory(struct disk_backing *to, uint32_t blocks, struct error *e);

/* A host file: block n is its bytes 512 n to 512 n + 511. Its size says how many blocks there are.
 *
 * Writes go to a journal, PATH.journal: a record of the block, its number, a running number, and a checksum. They are
 * moved into the file every few thousand records and when the disk is freed, each time only after the journal is safe
 * on the host's disk; the journal is emptied only after the file is. So, whenever the process is killed:
 *   - no block is half written: a record without its checksum does not count, and the file alone is never relied upon
 *     while it is being changed;
 *   - no write that a program was told of is lost: its record was handed to the host before.
 * When the host itself loses power the disk is as it was at some earlier moment, whole; with DISK_SYNC at no moment
 * earlier than the last write command that ended. The next disk_backing_file finds the journal and goes on from there,
 * also a read-only one, which changes neither. The two files belong together: copy, move or delete both.
 *
 * *e and false when the file is missing, not a regular file, empty, not a whole number of blocks, larger than
 * DISK_BLOCKS_MOST blocks, in use by another disk that writes (or, for one that is to write, by any), or when its
 * journal is not one of ours, is damaged at its beginning, or belongs to a file of another size. */
enum disk_file_options {
    DISK_WRITABLE = 1, /* otherwise every write is an equipment check */
    DISK_SYNC = 2,     /* each write command waits until the host has it on its disk */
};
bool disk_backing_file(struct disk_backing *to, const char *path, unsigned options, struct error *e);
/* Makes a new file of zeros for it. False and *e when path exists already or cannot be written. */
bool disk_file_new(const char *path, uint32_t blocks, struct error *e);

/* A 3370 on this backing, which it takes over: it is freed with the device, and when there is no memory for one
 * (NULL). */
struct device *disk_new(const struct cost_model *model, const struct disk_backing *backing);
/* The backing of a disk; NULL for a part of one, and for any other device. Borrowed; to be written only by the disk. */
const struct disk_backing *disk_backing_of(const struct device *d);
/* How many blocks a disk, or a part of one, has; 0: it is none (d may be NULL). */
uint32_t disk_blocks(const struct device *d);
/* Blocks of a disk, or a part of one, from outside. False: it has no such block, or the host cannot do it. */
bool disk_read_block(struct device *d, uint32_t block, uint8_t to[DISK_BLOCK_BYTES]);
bool disk_write_block(struct device *d, uint32_t block, const uint8_t from[DISK_BLOCK_BYTES]);

/* Somebody who is told of each write command of a disk that is not a part of one, when its blocks have been written: by
 * the which one of its channel program, from 0, it was; first block, number of blocks, and the data sent for them,
 * which may be shorter: the rest is zeros. The struct is the watcher's, and in the disk's list until disk_unwatch, or
 * until the disk is gone; `on` tells. Nothing may be done to the machine. False: d is no such disk. */
struct disk_watch {
    void (*written)(void *self, unsigned ordinal, uint32_t first, uint32_t blocks, const uint8_t *data,
                    uint32_t length);
    void *self;
    struct device *on; /* NULL: it is gone, or was never watched */
    struct disk_watch *next;
};
bool disk_watch(struct device *d, struct disk_watch *w);
void disk_unwatch(struct disk_watch *w);

/* A 3370 that is a part of another disk: its block 0 is block `first` of that one, whose blocks and arm it uses. The
 * whole is asked for at each command, and may be a part itself; NULL, another device, or a block that it does not have:
 * an equipment check. first + blocks: at most UINT32_MAX. */
struct disk_part {
    struct device *(*whole)(void *self);
    void *self; /* borrowed for the device's life */
    uint32_t first, blocks;
};
struct device *disk_part_new(const struct cost_model *model, const struct disk_part *part); /* NULL: no memory */

#endif
