/* mmu/tlb.c: from any contents of the TLB, what is found was put there for the page and the space that is asked for,
 * and after a purge nothing is. No bound: all 128 entries are any values. */
#include "mmu/tlb.h"
#include "tests/proofs/proof.h"

static struct tlb tlb;
static struct tlb_entry displaced;

static struct tlb_entry any_entry(unsigned page_shift) {
    struct tlb_entry e = {.space = any_u64(),
                          .page = any_u32(),
                          .frame = any_u32(),
                          .common = any_bool(),
                          .segment_protected = any_bool(),
                          .page_protected = any_bool()};
    assume(e.page <= 0xFFFFFF && e.page >> page_shift << page_shift == e.page);
    return e;
}
static bool same(const struct tlb_entry *a, const struct tlb_entry *b) {
    return a->space == b->space && a->page == b->page && a->frame == b->frame && a->common == b->common &&
           a->segment_protected == b->segment_protected && a->page_protected == b->page_protected;
}
static const struct tlb_entry *find(uint64_t space, uint32_t va, unsigned page_shift) {
    return tlb_find(&tlb, space, va, page_shift, &displaced);
}
/* An address in a space, and the page that it is in. */
static struct asked {
    uint64_t space;
    uint32_t va, page;
    unsigned page_shift;
} asked;

static void anything(void) {
    for (unsigned n = 0; n < TLB_SETS; n++)
        for (unsigned w = 0; w < TLB_WAYS; w++)
            tlb.set[n][w] = any_entry(11);
    asked =
        (struct asked){.space = tlb_space(any_u32(), any_u32()), .va = any_u32(), .page_shift = any_bool() ? 11 : 12};
    assume(asked.va <= 0xFFFFFF);
    asked.page = asked.va >> asked.page_shift << asked.page_shift;
    show("space", asked.space);
    show("address", asked.va);
    show("page shift", asked.page_shift);
}

static void claim_it_counts(const struct tlb_entry *e) {
    show("entry: space", e->space);
    show("entry: page", e->page);
    show("entry: frame", e->frame);
    claim(e->page == asked.page, "it is the page's");
    /* The left half of a space's name is its format (mmu/tlb.h); the right one is CR1. */
    claim(e->space == asked.space || (e->common && e->space >> 32 == asked.space >> 32),
          "it is the space's, or a common segment's of the same format");
}

/* What is found is right, and was there. */
void find_any(void) {
    anything();
    uint32_t set = asked.va >> asked.page_shift & (TLB_SETS - 1);
    struct tlb_entry first = tlb.set[set][0], second = tlb.set[set][1];
    const struct tlb_entry *e = find(asked.space, asked.va, asked.page_shift);
    if (!e)
        return;
    claim_it_counts(e);
    claim(same(e, &first) || same(e, &second), "it was there");
    claim(same(e, &tlb.set[set][0]), "it is the one used last");
    claim(same(e, &first) ? displaced.space == 0 : same(&displaced, &first), "what it displaces is told");
}

/* What was put there after a miss is found as it is, whatever is put there next. */
void insert_two(void) {
    anything();
    struct tlb_entry one = any_entry(asked.page_shift), other = any_entry(asked.page_shift);
    one.space = asked.space;
    one.page = asked.page;
    assume(!find(asked.space, asked.va, asked.page_shift));
    tlb_insert(&tlb, &one, asked.page_shift, &displaced);
    const struct tlb_entry *e = find(asked.space, asked.va, asked.page_shift);
    claim(e && same(e, &one), "it is found");
    assume(other.page != one.page || (other.space != one.space && !other.common));
    tlb_insert(&tlb, &other, asked.page_shift, &displaced);
    e = find(asked.space, asked.va, asked.page_shift);
    claim(e && same(e, &one), "it is still found: a set has two ways");
}

void purge(void) {
    anything();
    tlb_purge(&tlb);
    const struct tlb_entry *e = find(asked.space, asked.va, asked.page_shift);
    claim(!e, "nothing is found");
}

void drop_frame(void) {
    anything();
    uint32_t frame = any_u32();
    tlb_drop_frame(&tlb, frame);
    const struct tlb_entry *e = find(asked.space, asked.va, asked.page_shift);
    show("frame", frame);
    claim(!e || e->frame != frame, "nothing leads to the frame");
}
