/* TLB: remembers recent translations so that most references skip the table walk. 128 entries, two-way, LRU.
 *
 * An entry counts only for the address space it was made in, so that switching spaces needs no purge; editing a table
 * does, and forgetting that shows, as it should. The way used last in a set is always way 0, so a hit in way 0 changes
 * nothing: whoever remembers such a hit outside (the CPU's lookaside) must forget it when tlb_* says it was displaced.
 */
#ifndef MMU_TLB_H
#define MMU_TLB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/archive.h"

enum { TLB_SETS = 64, TLB_WAYS = 2 };

struct tlb_entry {
    uint64_t space; /* cr1 and the translation format, from tlb_space; 0: the entry is empty */
    uint32_t page;  /* virtual address of the page */
    uint32_t frame; /* real address of the frame */
    bool common;    /* counts in every space of the same format */
    bool segment_protected, page_protected;
};

struct tlb {
    struct tlb_entry set[TLB_SETS][TLB_WAYS]; /* way 0: used last */
};

/* What tags an address space: cr1, with the bits of cr0 that change how its tables are read. Never 0. */
static inline uint64_t tlb_space(uint32_t cr0, uint32_t cr1) {
    return (uint64_t)1 << 63 | (uint64_t)(cr0 & 0x00F80008u) << 32 | cr1;
}

/* Looks a page up and makes it the one used last in its set. NULL: a miss. *displaced is set when the page that was in
 * way 0 before is another one and was pushed back; page_shift is 11 or 12. */
const struct tlb_entry *tlb_find(struct tlb *t, uint64_t space, uint32_t va, unsigned page_shift,
                                 struct tlb_entry *displaced);
/* Looks without using it: nothing changes. *way: where it is. For whoever looks on. */
const struct tlb_entry *tlb_look(const struct tlb *t, uint64_t space, uint32_t va, unsigned page_shift, unsigned *way);
/* The set in which a page's entries are. */
static inline unsigned tlb_set(uint32_t va, unsigned page_shift) { return va >> page_shift & (TLB_SETS - 1); }
/* Puts an entry in, as the one used last in its set; the least recently used one goes. *displaced as for tlb_find. */
void tlb_insert(struct tlb *t, const struct tlb_entry *entry, unsigned page_shift, struct tlb_entry *displaced);
void tlb_purge(struct tlb *t);
/* Drops every entry that leads to this frame (IPTE). */
void tlb_drop_frame(struct tlb *t, uint32_t frame);
void tlb_archive(struct tlb *t, struct archive *a);

#endif
