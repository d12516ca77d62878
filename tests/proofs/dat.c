/* mmu/dat.c against tests/proofs/translation.h: for all CR0, CR1, addresses and entries, and for all ways in which
 * fetching one may end. No bound: the walk has no loops, and each of its inputs is any value at all. */
#include "mmu/dat.h"
#include "tests/proofs/translation.h"

/* Real storage, which the walk can only ask: two entries, and how fetching them ends. */
struct storage_asked {
    uint32_t segment_entry;
    uint16_t page_entry;
    unsigned code[2];
    unsigned fetches;
    uint32_t address[2], length[2];
};

static enum access fetch(void *self, uint32_t real, void *to, uint32_t length) {
    struct storage_asked *s = self;
    claim(s->fetches < 2, "at most two fetches");
    unsigned n = s->fetches++;
    s->address[n] = real;
    s->length[n] = length;
    uint8_t *bytes = to;
    for (unsigned i = 0; i < (n ? 2 : 4); i++)
        bytes[i] = (uint8_t)(n ? s->page_entry >> (8 - 8 * i) : s->segment_entry >> (24 - 8 * i));
    return (enum access)s->code[n];
}

int main(void) {
    uint32_t cr0 = any_u32(), cr1 = any_u32(), va = any_u32();
    struct storage_asked s = {.segment_entry = any_u32(), .page_entry = any_u16(), .code = {any_u8(), any_u8()}};
    struct dat_walk w;
    enum access result = dat_translate(cr0, cr1, va, fetch, &s, &w);
    struct translation t = translation(cr0, cr1, va, s.segment_entry, s.code[0], s.page_entry, s.code[1]);
    struct lookup l = lookup(cr0, cr1, va);

    show("cr0", cr0);
    show("cr1", cr1);
    show("va", va);
    show("segment entry", s.segment_entry);
    show("segment entry: code of the fetch", s.code[0]);
    show("page entry", s.page_entry);
    show("page entry: code of the fetch", s.code[1]);
    show("specification: code", t.code);
    show("specification: condition code", t.condition);
    show("specification: real", t.real);
    show("the walk: code", result);
    show("the walk: condition code", w.condition);
    show("the walk: real", w.real);

    claim(result == t.code && w.result == result, "the code");
    bool by_tables = t.test == TEST_SEGMENT_LENGTH || t.test == TEST_SEGMENT_INVALID || t.test == TEST_PAGE_LENGTH ||
                     t.test == TEST_PAGE_INVALID || t.test == TRANSLATED;
    claim(!by_tables || (w.condition == t.condition && w.real == t.real), "condition code and address");
    claim(w.virtual_address == bits(va, 8, 31) && w.segment_index == l.segment && w.page_index == l.page, "indices");

    bool segment_tried = l.f && t.test >= TEST_SEGMENT_FETCH, page_tried = l.f && t.test >= TEST_PAGE_FETCH;
    claim(s.fetches == segment_tried + page_tried, "fetches: one for each entry that is there");
    claim(!segment_tried || (s.address[0] == l.segment_at && s.length[0] == 4), "the fetch of the segment-table entry");
    claim(!page_tried || (s.address[1] == page_entry_at(&l, s.segment_entry) && s.length[1] == 2),
          "the fetch of the page-table entry");

    bool segment_read = l.f && t.test > TEST_SEGMENT_FETCH, page_read = l.f && t.test > TEST_PAGE_FETCH;
    claim(w.segment_read == segment_read && w.segment_entry == (segment_read ? s.segment_entry : 0),
          "the segment-table entry is shown if it was fetched");
    claim(w.page_read == page_read && w.page_entry == (page_read ? s.page_entry : 0),
          "the page-table entry is shown if it was fetched");
    claim(!l.f || w.segment_entry_address == l.segment_at, "where the segment-table entry is");
    claim(w.page_entry_address == (l.f && t.test > TEST_SEGMENT_ZEROS ? page_entry_at(&l, s.segment_entry) : 0),
          "where the page-table entry is");
    claim(w.segment_protected == t.segment_protected && w.page_protected == t.page_protected && w.common == t.common,
          "protection and common segment");
    claim(t.test != TRANSLATED || w.frame == t.real - bits(va, l.f->byte[0], l.f->byte[1]), "the frame");
    return 0;
}
