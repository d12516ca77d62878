/* Sets are chosen by the low bits of the page number. Space tags are compared in full, so two spaces compete for a set
 * but never see each other's entries; common segments are the exception that the architecture makes. */
#include "mmu/tlb.h"

#include <string.h>

static struct tlb_entry *set_of(struct tlb *t, uint32_t va, unsigned page_shift) {
    return t->set[tlb_set(va, page_shift)];
}

static bool counts(const struct tlb_entry *e, uint64_t space, uint32_t page) {
    if (e->page != page || !e->space)
        return false;
    return e->space == space || (e->common && e->space >> 32 == space >> 32);
}

static const struct tlb_entry *use_second(struct tlb_entry *set, struct tlb_entry *displaced) {
    struct tlb_entry first = set[0];
    set[0] = set[1];
    set[1] = first;
    *displaced = first;
    return set;
}

const struct tlb_entry *tlb_find(struct tlb *t, uint64_t space, uint32_t va, unsigned page_shift,
                                 struct tlb_entry *displaced) {
    struct tlb_entry *set = set_of(t, va, page_shift);
    uint32_t page = va >> page_shift << page_shift;
    displaced->space = 0;
    if (counts(&set[0], space, page))
        return set;
    if (counts(&set[1], space, page))
        return use_second(set, displaced);
    return NULL;
}

const struct tlb_entry *tlb_look(const struct tlb *t, uint64_t space, uint32_t va, unsigned page_shift, unsigned *way) {
    const struct tlb_entry *set = t->set[tlb_set(va, page_shift)];
    for (*way = 0; *way < TLB_WAYS; ++*way)
        if (counts(&set[*way], space, va >> page_shift << page_shift))
            return &set[*way];
    return NULL;
}

void tlb_insert(struct tlb *t, const struct tlb_entry *entry, unsigned page_shift, struct tlb_entry *displaced) {
    struct tlb_entry *set = set_of(t, entry->page, page_shift);
    *displaced = set[0];
    set[1] = set[0];
    set[0] = *entry;
}

void tlb_purge(struct tlb *t) { memset(t, 0, sizeof *t); }

void tlb_drop_frame(struct tlb *t, uint32_t frame) {
    for (unsigned i = 0; i < TLB_SETS; i++)
        for (unsigned w = 0; w < TLB_WAYS; w++)
            if (t->set[i][w].space && t->set[i][w].frame == frame)
                t->set[i][w].space = 0;
}

static void archive_entry(struct tlb_entry *e, struct archive *a) {
    archive_u64(a, &e->space);
    if (!e->space)
        return;
    archive_u32(a, &e->page);
    archive_u32(a, &e->frame);
    archive_bool(a, &e->common);
    archive_bool(a, &e->segment_protected);
    archive_bool(a, &e->page_protected);
    if (e->page > 0xFFFFFF || e->frame > 0xFFFFFF)
        archive_fail(a, "an address in the TLB has more than 24 bits");
}

void tlb_archive(struct tlb *t, struct archive *a) {
    for (unsigned i = 0; i < TLB_SETS; i++)
        for (unsigned w = 0; w < TLB_WAYS; w++)
            archive_entry(&t->set[i][w], a);
}
