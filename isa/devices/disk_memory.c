/* Blocks of a disk in the process's own storage, made when they are written first. */
#include <stdlib.h>
#include <string.h>

#include "isa/disk.h"

enum { CHUNK_BLOCKS = 64 };

struct disk_memory {
    size_t chunks;
    uint8_t *chunk[]; /* of CHUNK_BLOCKS blocks each; NULL: zeros */
};

static bool memory_read(void *self, uint32_t block, uint8_t to[DISK_BLOCK_BYTES]) {
    const struct disk_memory *m = self;
    const uint8_t *chunk = m->chunk[block / CHUNK_BLOCKS];
    if (chunk)
        memcpy(to, chunk + (size_t)(block % CHUNK_BLOCKS) * DISK_BLOCK_BYTES, DISK_BLOCK_BYTES);
    else
        memset(to, 0, DISK_BLOCK_BYTES);
    return true;
}

static bool memory_write(void *self, uint32_t block, const uint8_t from[DISK_BLOCK_BYTES]) {
    struct disk_memory *m = self;
    uint8_t **chunk = &m->chunk[block / CHUNK_BLOCKS];
    if (!*chunk && !(*chunk = calloc(CHUNK_BLOCKS, DISK_BLOCK_BYTES)))
        return false;
    memcpy(*chunk + (size_t)(block % CHUNK_BLOCKS) * DISK_BLOCK_BYTES, from, DISK_BLOCK_BYTES);
    return true;
}

static void memory_free(void *self) {
    struct disk_memory *m = self;
    for (size_t i = 0; i < m->chunks; i++)
        free(m->chunk[i]);
    free(m);
}

bool disk_backing_memory(struct disk_backing *to, uint32_t blocks, struct error *e) {
    if (blocks == 0 || blocks > DISK_BLOCKS_MOST)
        return error_set(e, ERROR_INPUT, "a disk has 1 to %d blocks, not %u", DISK_BLOCKS_MOST, blocks);
    size_t chunks = ((size_t)blocks + CHUNK_BLOCKS - 1) / CHUNK_BLOCKS;
    struct disk_memory *m = calloc(1, sizeof *m + chunks * sizeof m->chunk[0]);
    if (!m)
        return error_set(e, ERROR_INTERNAL, "no memory for a disk of %u blocks", blocks);
    m->chunks = chunks;
    *to = (struct disk_backing){
        .blocks = blocks, .read = memory_read, .write = memory_write, .free = memory_free, .self = m};
    return true;
}
