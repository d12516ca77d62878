/* The walk, written as the architecture numbers its tests: the first that fails decides. */
#include "mmu/dat.h"

#include "base/bytes.h"

enum {
    STE_INVALID = 1 << 0,
    STE_COMMON = 1 << 1,
    STE_PROTECTED = 1 << 2,
    STE_MUST_BE_ZERO = 0x0F000000,
};

#define CR0_PAGE_PROTECTION 0x00000008u /* bit 28 */

bool dat_format(uint32_t cr0, struct dat_format *f) {
    switch (cr0 & DAT_FORMAT_MASK) {
    case DAT_FORMAT_2K_64K: *f = (struct dat_format){11, 16}; return true;
    case DAT_FORMAT_4K_64K: *f = (struct dat_format){12, 16}; return true;
    case DAT_FORMAT_2K_1M: *f = (struct dat_format){11, 20}; return true;
    case DAT_FORMAT_4K_1M: *f = (struct dat_format){12, 20}; return true;
    default: return false;
    }
}

static enum access fails(struct dat_walk *w, enum access result, unsigned condition, uint32_t entry_address) {
    w->condition = condition;
    w->real = entry_address;
    return w->result = result;
}

enum access dat_translate(uint32_t cr0, uint32_t cr1, uint32_t va, dat_fetch *fetch, void *self, struct dat_walk *w) {
    *w = (struct dat_walk){.virtual_address = va & 0xFFFFFF};
    struct dat_format f;
    uint8_t raw[4];
    enum access result;

    va &= 0xFFFFFF;
    if (!dat_format(cr0, &f))
        return w->result = ACCESS_TRANSLATION_SPECIFICATION;
    w->segment_index = va >> f.segment_shift;
    w->page_index = (va & ((1u << f.segment_shift) - 1)) >> f.page_shift;

    /* The length counts units of 64 bytes: 16 entries, a megabyte of 64K segments; 1M segments always fit in one. */
    w->segment_entry_address = ((cr1 & 0x00FFFFC0) + w->segment_index * 4) & 0xFFFFFF;
    if (f.segment_shift == 16 && va >> 20 > cr1 >> 24)
        return fails(w, ACCESS_SEGMENT, 3, w->segment_entry_address);
    if ((result = fetch(self, w->segment_entry_address, raw, 4)) != ACCESS_OK)
        return w->result = result;
    w->segment_entry = bytes_get32(raw);
    w->segment_read = true;
    if (w->segment_entry & STE_INVALID)
        return fails(w, ACCESS_SEGMENT, 1, w->segment_entry_address);
    if (w->segment_entry & STE_MUST_BE_ZERO)
        return w->result = ACCESS_TRANSLATION_SPECIFICATION;
    w->segment_protected = w->segment_entry & STE_PROTECTED;
    w->common = w->segment_entry & STE_COMMON;

    /* The length counts sixteenths of the largest table, so it is compared with the index's four leftmost bits. */
    w->page_entry_address = ((w->segment_entry & 0x00FFFFF8) + w->page_index * 2) & 0xFFFFFF;
    if (((va >> (f.segment_shift - 4)) & 15) > w->segment_entry >> 28)
        return fails(w, ACCESS_PAGE, 3, w->page_entry_address);
    if ((result = fetch(self, w->page_entry_address, raw, 2)) != ACCESS_OK)
        return w->result = result;
    w->page_entry = bytes_get16(raw);
    w->page_read = true;
    unsigned invalid = f.page_shift == 12 ? 0x8 : 0x4;
    unsigned must_be_zero = f.page_shift == 12 ? 0x6 : 0x2;
    if (cr0 & CR0_PAGE_PROTECTION && f.page_shift == 12)
        must_be_zero = 0x4;
    if (w->page_entry & invalid)
        return fails(w, ACCESS_PAGE, 2, w->page_entry_address);
    if (w->page_entry & must_be_zero)
        return w->result = ACCESS_TRANSLATION_SPECIFICATION;
    w->page_protected = cr0 & CR0_PAGE_PROTECTION && f.page_shift == 12 && w->page_entry & 0x2;
    w->frame = (uint32_t)(w->page_entry & (f.page_shift == 12 ? 0xFFF0 : 0xFFF8)) << 8;
    w->real = w->frame | (va & ((1u << f.page_shift) - 1));
    w->condition = 0;
    return w->result = ACCESS_OK;
}
