/* Real storage of one bare machine: bytes, storage keys, reference and change bits.
 *
 * Addresses here are absolute: prefixing and DAT have been done. Backing is lazy: pages that were never touched cost
 * the host nothing, so a machine of 16 MB starts at a few kilobytes. Nothing here checks protection or charges cycles;
 * who accesses storage for a program (the CPU, a channel) does that and then comes here. */
#ifndef MMU_STORAGE_H
#define MMU_STORAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/archive.h"
#include "base/error.h"

enum {
    STORAGE_BLOCK_BYTES = 2048, /* one storage key per block */
    STORAGE_BLOCK_SHIFT = 11,
    STORAGE_MOST_BYTES = 1 << 24,
};

/* A storage key as ISK shows it, in the low 7 bits of a byte shifted left by one: ACC(4) F R C 0. */
enum {
    KEY_ACCESS = 0xF0, /* access control */
    KEY_FETCH = 0x08,  /* fetch protection */
    KEY_REFERENCE = 0x04,
    KEY_CHANGE = 0x02,
};

/* What became of an access; a value other than ACCESS_OK is the program-interruption code to raise (Principles of
 * Operation, "Program interruption"). */
enum access {
    ACCESS_OK = 0,
    ACCESS_PROTECTION = 0x04,
    ACCESS_ADDRESSING = 0x05,
    ACCESS_SEGMENT = 0x10,
    ACCESS_PAGE = 0x11,
    ACCESS_TRANSLATION_SPECIFICATION = 0x12,
};

struct storage {
    uint8_t *bytes; /* size_bytes, zero until stored into; contiguous */
    uint8_t *keys;  /* one per block */
    uint32_t size_bytes;
    /* Blocks from which somebody has derived something (decoded instructions): stores into them are reported. */
    uint8_t *watched; /* one per block */
    void (*changed)(void *self, uint32_t absolute, uint32_t length);
    void *self;
};

/* size_bytes: a multiple of 2 KB, 4 KB to 16 MB. NULL and *e when it is not, or the host has no memory. */
struct storage *storage_new(uint32_t size_bytes, struct error *e);
void storage_free(struct storage *s);

/* True when all of absolute..absolute+length-1 is installed; length >= 1. */
static inline bool storage_has(const struct storage *s, uint32_t absolute, uint32_t length) {
    return absolute < s->size_bytes && length <= s->size_bytes - absolute;
}

static inline uint8_t *storage_key(const struct storage *s, uint32_t absolute) {
    return &s->keys[absolute >> STORAGE_BLOCK_SHIFT];
}

/* To be called after bytes were changed by any other way than the CPU's own stores. */
static inline void storage_tell(struct storage *s, uint32_t absolute, uint32_t length) {
    if (s->watched[absolute >> STORAGE_BLOCK_SHIFT] || s->watched[(absolute + length - 1) >> STORAGE_BLOCK_SHIFT] ||
        length > STORAGE_BLOCK_BYTES)
        s->changed(s->self, absolute, length);
}

/* Copies, without keys or checks; the range must be installed (storage_has). storage_write reports to the watcher. */
void storage_read(const struct storage *s, uint32_t absolute, void *to, uint32_t length);
void storage_write(struct storage *s, uint32_t absolute, const void *from, uint32_t length);

/* Keys, and (unless the archive is brief) the pages that are not all zeros. */
void storage_archive(struct storage *s, struct archive *a);

/* Whether a program (or channel) with this access key, 0..15, may fetch from, or store into, a block with this storage
 * key (Principles of Operation, "Protection"). */
static inline bool storage_may_fetch(uint8_t key, unsigned access_key) {
    return access_key == 0 || !(key & KEY_FETCH) || key >> 4 == access_key;
}
static inline bool storage_may_store(uint8_t key, unsigned access_key) {
    return access_key == 0 || key >> 4 == access_key;
}

/* Prefixing: real to absolute and back (the swap is its own inverse); prefix is a multiple of 4096. */
static inline uint32_t storage_prefix(uint32_t real, uint32_t prefix) {
    uint32_t page = real & ~0xFFFu;
    return page == 0 ? real | prefix : page == prefix ? real & 0xFFFu : real;
}

#endif
