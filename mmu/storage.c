/* Storage is one anonymous mapping, bytes first, then keys and watch flags: the host gives pages as they are touched,
 * which is all the laziness we need, and every block keeps one address for life. */
#define _GNU_SOURCE
#include "mmu/storage.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static size_t mapping_bytes(uint32_t size_bytes) {
    return (size_t)size_bytes + 2 * (size_t)(size_bytes >> STORAGE_BLOCK_SHIFT);
}

static void nobody_watches(void *self, uint32_t absolute, uint32_t length) {
    (void)self;
    (void)absolute;
    (void)length;
}

struct storage *storage_new(uint32_t size_bytes, struct error *e) {
    if (size_bytes < 4096 || size_bytes > STORAGE_MOST_BYTES || size_bytes % STORAGE_BLOCK_BYTES) {
        error_set(e, ERROR_INPUT, "storage of %u bytes: a multiple of 2K from 4K to 16M is accepted", size_bytes);
        return NULL;
    }
    struct storage *s = calloc(1, sizeof *s);
    void *map = mmap(NULL, mapping_bytes(size_bytes), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (!s || map == MAP_FAILED) {
        if (map != MAP_FAILED)
            munmap(map, mapping_bytes(size_bytes));
        free(s);
        error_set(e, ERROR_INTERNAL, "no memory for a storage of %u bytes", size_bytes);
        return NULL;
    }
    s->bytes = map;
    s->keys = s->bytes + size_bytes;
    s->watched = s->keys + (size_bytes >> STORAGE_BLOCK_SHIFT);
    s->size_bytes = size_bytes;
    s->changed = nobody_watches;
    return s;
}

void storage_free(struct storage *s) {
    if (!s)
        return;
    munmap(s->bytes, mapping_bytes(s->size_bytes));
    free(s);
}

void storage_read(const struct storage *s, uint32_t absolute, void *to, uint32_t length) {
    memcpy(to, s->bytes + absolute, length);
}

void storage_write(struct storage *s, uint32_t absolute, const void *from, uint32_t length) {
    if (!length)
        return;
    memcpy(s->bytes + absolute, from, length);
    storage_tell(s, absolute, length);
}
