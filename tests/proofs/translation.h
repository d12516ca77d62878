/* Dynamic address translation as the Principles of Operation has it ("Dynamic Address Translation"): the formats as a
 * table of bit positions, the tests as a list of which the first that fails decides. Written from the manual, for the
 * proofs; mmu/dat.c is not used here.
 *
 * Beyond the manual, since there it is unpredictable: table addresses wrap at 24 bits. And the page-protection facility
 * (docs/architecture.md): with CR0 bit 28 on, bit 14 of a page-table entry for 4 KB is protection and may be on. */
#ifndef TESTS_PROOFS_TRANSLATION_H
#define TESTS_PROOFS_TRANSLATION_H

#include "tests/proofs/proof.h"

/* Fields of a virtual address by their first and last bits; of a page-table entry, too. */
struct format {
    uint8_t cr0_8_12;                     /* what CR0 bits 8-12 are */
    uint8_t segment[2], page[2], byte[2]; /* indices in a virtual address */
    uint8_t compared[2];                  /* bits of the page index that are compared with the page table's length */
    uint8_t invalid;                      /* page-table entry: the invalid bit, */
    uint8_t zeros[2];                     /* bits that must be zeros, */
    uint8_t frame[2];                     /* the page-frame address, which is the leftmost of 24 bits */
    bool length;                          /* the segment table has a length that an index can exceed */
};
enum { FORMATS = 4 };
// clang-format off
static const struct format formats[FORMATS] = {
    /* CR0   segment   page       byte       compared  invalid  zeros     frame    length */
    {0x08, {8, 15}, {16, 20}, {21, 31}, {16, 19}, 13, {14, 14}, {0, 12}, true},  /* 2 KB, 64 KB */
    {0x10, {8, 15}, {16, 19}, {20, 31}, {16, 19}, 12, {13, 14}, {0, 11}, true},  /* 4 KB, 64 KB */
    {0x0A, {8, 11}, {12, 20}, {21, 31}, {12, 15}, 13, {14, 14}, {0, 12}, false}, /* 2 KB, 1 MB */
    {0x12, {8, 11}, {12, 19}, {20, 31}, {12, 15}, 12, {13, 14}, {0, 11}, false}, /* 4 KB, 1 MB */
};
// clang-format on

/* NULL: CR0 has no format. */
static const struct format *format_of(uint32_t cr0) {
    const struct format *f = 0;
    for (unsigned n = 0; n < FORMATS; n++)
        if (formats[n].cr0_8_12 == bits(cr0, 8, 12))
            f = &formats[n];
    return f;
}

/* A virtual address in a space: what is looked at, and where it lies in real storage. */
struct lookup {
    const struct format *f; /* NULL: there is none, and nothing below */
    uint32_t segment, page;
    uint32_t segment_at; /* of the segment-table entry */
    bool beyond_segments;
};

static struct lookup lookup(uint32_t cr0, uint32_t cr1, uint32_t va) {
    struct lookup l = {.f = format_of(cr0)};
    if (!l.f)
        return l;
    l.segment = bits(va, l.f->segment[0], l.f->segment[1]);
    l.page = bits(va, l.f->page[0], l.f->page[1]);
    l.segment_at = bits((bits(cr1, 8, 25) << 6) + 4 * l.segment, 8, 31);
    l.beyond_segments = l.f->length && bits(va, 8, 11) > bits(cr1, 0, 7);
    return l;
}
static uint32_t page_entry_at(const struct lookup *l, uint32_t segment_entry) {
    return bits((bits(segment_entry, 8, 28) << 3) + 2 * l->page, 8, 31);
}

/* What both entries say. Program codes as in the manual; for those that LRA tells apart the condition code, and the
 * address that it shows. */
struct translation {
    unsigned test;      /* the one that decided */
    unsigned code;      /* 0: translated */
    unsigned condition; /* where the tables decided: the tests that have an address */
    uint32_t real;
    bool segment_protected, page_protected, common;
};
enum test {
    TEST_SEGMENT_LENGTH,
    TEST_SEGMENT_FETCH,
    TEST_SEGMENT_INVALID,
    TEST_SEGMENT_ZEROS,
    TEST_PAGE_LENGTH,
    TEST_PAGE_FETCH,
    TEST_PAGE_INVALID,
    TEST_PAGE_ZEROS,
    TRANSLATED,
    TESTS,
    TEST_FORMAT = TESTS, /* comes first, but without a format there are no others */
};

static bool page_protection(uint32_t cr0, const struct format *f) { return bits(cr0, 28, 28) && f->frame[1] == 11; }

/* The entries' codes are those of fetching them: 0, or what ended it. */
static struct translation translation(uint32_t cr0, uint32_t cr1, uint32_t va, uint32_t segment_entry,
                                      unsigned segment_code, uint16_t page_entry, unsigned page_code) {
    enum { SEGMENT = 0x10, PAGE = 0x11, SPECIFICATION = 0x12 };
    struct lookup l = lookup(cr0, cr1, va);
    if (!l.f)
        return (struct translation){.test = TEST_FORMAT, .code = SPECIFICATION};
    uint32_t page_at = page_entry_at(&l, segment_entry);
    bool facility = page_protection(cr0, l.f);
    bool zeros = half_bits(page_entry, l.f->zeros[0], facility ? l.f->zeros[0] : l.f->zeros[1]) == 0;
    const struct {
        bool fails;
        unsigned code, condition;
        uint32_t real;
    } tests[TESTS] = {
        [TEST_SEGMENT_LENGTH] = {l.beyond_segments, SEGMENT, 3, l.segment_at},
        [TEST_SEGMENT_FETCH] = {segment_code != 0, segment_code},
        [TEST_SEGMENT_INVALID] = {bits(segment_entry, 31, 31), SEGMENT, 1, l.segment_at},
        [TEST_SEGMENT_ZEROS] = {bits(segment_entry, 4, 7) != 0, SPECIFICATION},
        [TEST_PAGE_LENGTH] = {bits(va, l.f->compared[0], l.f->compared[1]) > bits(segment_entry, 0, 3), PAGE, 3,
                              page_at},
        [TEST_PAGE_FETCH] = {page_code != 0, page_code},
        [TEST_PAGE_INVALID] = {half_bits(page_entry, l.f->invalid, l.f->invalid), PAGE, 2, page_at},
        [TEST_PAGE_ZEROS] = {!zeros, SPECIFICATION},
        [TRANSLATED] = {false, 0, 0,
                        half_bits(page_entry, l.f->frame[0], l.f->frame[1]) << (23 - l.f->frame[1]) |
                            bits(va, l.f->byte[0], l.f->byte[1])},
    };
    unsigned first = TRANSLATED;
    for (unsigned n = TRANSLATED; n-- > 0;)
        if (tests[n].fails)
            first = n;
    return (struct translation){
        .test = first,
        .code = tests[first].code,
        .condition = tests[first].condition,
        .real = tests[first].real,
        .segment_protected = first > TEST_SEGMENT_ZEROS && bits(segment_entry, 29, 29),
        .common = first > TEST_SEGMENT_ZEROS && bits(segment_entry, 30, 30),
        .page_protected = first == TRANSLATED && facility && half_bits(page_entry, 14, 14),
    };
}

#endif
