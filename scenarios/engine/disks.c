/* Disks of scenarios: blocks in the process's storage, in a file, or, the usual thing, in a file that is only read,
 * with what is written kept in the process: so that the next run finds the same disk again. */
#include "scenarios/engine/disks.h"

#include <stdlib.h>

struct overlay {
    struct disk_backing file, changes;
    uint8_t changed[]; /* a bit a block */
};

static bool overlay_read(void *self, uint32_t block, uint8_t to[DISK_BLOCK_BYTES]) {
    struct overlay *o = self;
    struct disk_backing *from = o->changed[block / 8] >> block % 8 & 1 ? &o->changes : &o->file;
    return from->read(from->self, block, to);
}

static bool overlay_write(void *self, uint32_t block, const uint8_t from[DISK_BLOCK_BYTES]) {
    struct overlay *o = self;
    if (!o->changes.write(o->changes.self, block, from)) {
        return false;
    }
    o->changed[block / 8] |= (uint8_t)(1u << block % 8);
    return true;
}

static void overlay_free(void *self) {
    struct overlay *o = self;
    o->file.free(o->file.self);
    o->changes.free(o->changes.self);
    free(o);
}

bool disks_overlay(struct disk_backing *to, const char *path, struct error *e) {
    struct disk_backing file, changes;
    if (!disk_backing_file(&file, path, 0, e)) {
        return false;
    }
    if (!disk_backing_memory(&changes, file.blocks, e)) {
        file.free(file.self);
        return false;
    }
    struct overlay *o = calloc(1, sizeof *o + file.blocks / 8 + 1);
    if (!o) {
        file.free(file.self);
        changes.free(changes.self);
        return error_set(e, ERROR_INTERNAL, "no memory for a disk of %u blocks", file.blocks);
    }
    o->file = file;
    o->changes = changes;
    *to = (struct disk_backing){
        .blocks = file.blocks, .read = overlay_read, .write = overlay_write, .free = overlay_free, .self = o};
    return true;
}
