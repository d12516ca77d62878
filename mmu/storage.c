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

/* ---- Saving and restoring ---- */

enum { PAGE_BYTES = 4096, NO_PAGE = 0xFFFFFFFF };

static const uint8_t zeros[PAGE_BYTES];

static uint32_t page_length(const struct storage *s, uint32_t page) {
    uint32_t rest = s->size_bytes - page * PAGE_BYTES;
    return rest < PAGE_BYTES ? rest : PAGE_BYTES;
}

static void set_page(struct storage *s, uint32_t page, const uint8_t *from) {
    uint32_t length = page_length(s, page);
    if (memcmp(s->bytes + (size_t)page * PAGE_BYTES, from, length) != 0)
        storage_write(s, page * PAGE_BYTES, from, length);
}

static void save_pages(struct storage *s, uint32_t pages, struct archive *a) {
    uint32_t end = NO_PAGE;
    for (uint32_t page = 0; page < pages; page++) {
        uint8_t *bytes = s->bytes + (size_t)page * PAGE_BYTES;
        if (memcmp(bytes, zeros, page_length(s, page)) == 0)
            continue;
        archive_u32(a, &page);
        archive_bytes(a, bytes, page_length(s, page));
    }
    archive_u32(a, &end);
}

static void load_pages(struct storage *s, uint32_t pages, struct archive *a) {
    uint32_t next = 0, page = NO_PAGE;
    uint8_t bytes[PAGE_BYTES];
    do {
        page = NO_PAGE;
        archive_u32(a, &page);
        if (!a->failed && page != NO_PAGE && (page < next || page >= pages))
            archive_fail(a, "page %u of storage is out of order", page);
        if (!a->failed && page != NO_PAGE)
            archive_bytes(a, bytes, page_length(s, page));
        if (a->failed)
            return;
        for (; next < pages && next < page; next++)
            set_page(s, next, zeros);
        if (page != NO_PAGE)
            set_page(s, next++, bytes);
    } while (page != NO_PAGE);
}

void storage_archive(struct storage *s, struct archive *a) {
    uint32_t pages = (s->size_bytes + PAGE_BYTES - 1) / PAGE_BYTES;
    archive_same(a, s->size_bytes, "the size of storage");
    archive_bytes(a, s->keys, s->size_bytes >> STORAGE_BLOCK_SHIFT);
    if (a->brief)
        return;
    if (a->loading)
        load_pages(s, pages, a);
    else
        save_pages(s, pages, a);
}
