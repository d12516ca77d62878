/* Dynamic address translation: the walk through segment and page table, alone (Principles of Operation, "Dynamic
 * Address Translation").
 *
 * No TLB, no charges, no side effects, and it knows nothing of instructions: the CPU, LRA, monitors that walk their
 * guests' tables, the terminal UI and the checkers all ask this one function, each with its own way to read real
 * storage. */
#ifndef MMU_DAT_H
#define MMU_DAT_H

#include <stdbool.h>
#include <stdint.h>

#include "mmu/storage.h"

/* CR0 bits 8-12, the translation format; the other bits of CR0 do not matter here. */
#define DAT_FORMAT_MASK 0x00F80000u
enum {
    DAT_FORMAT_2K_64K = 0x00400000,
    DAT_FORMAT_4K_64K = 0x00800000,
    DAT_FORMAT_2K_1M = 0x00500000,
    DAT_FORMAT_4K_1M = 0x00900000,
};

/* The geometry that a format stands for. */
struct dat_format {
    uint8_t page_shift;    /* 11 or 12 */
    uint8_t segment_shift; /* 16 or 20 */
};

/* False when CR0 bits 8-12 are none of the four formats. */
bool dat_format(uint32_t cr0, struct dat_format *f);

/* Reads 2 or 4 bytes of real storage for the walk. Anything but ACCESS_OK ends the walk with that value. */
typedef enum access dat_fetch(void *self, uint32_t real, void *to, uint32_t length);

/* Every step that was taken, for whoever wants to show it. */
struct dat_walk {
    uint32_t virtual_address;
    enum access result;
    unsigned condition;           /* LRA's condition code 0..3; meaningful when result is OK, SEGMENT or PAGE */
    bool segment_read, page_read; /* whether the entry below was fetched */
    uint32_t segment_index, page_index;
    uint32_t segment_entry_address,
        segment_entry; /* real; the address is set even when the entry lies outside the table */
    uint32_t page_entry_address;
    uint16_t page_entry;
    bool segment_protected; /* STE bit 29: stores are refused */
    bool common;            /* STE bit 30 */
    bool page_protected;    /* PTE bit 14, 4K pages, with CR0 bit 28 */
    uint32_t frame;         /* real address of the page frame */
    uint32_t real;          /* real address; also for condition 1..3: the table entry's address, as LRA shows it */
};

/* Translates virtual address `va` (24 bits) under cr0 and cr1. Fills *w completely. Returns w->result: ACCESS_OK with
 * w->real; ACCESS_SEGMENT or ACCESS_PAGE (condition 1: segment entry invalid, 2: page entry invalid, 3: index beyond
 * the table's length); ACCESS_TRANSLATION_SPECIFICATION; or what `fetch` returned. At most two fetches. */
enum access dat_translate(uint32_t cr0, uint32_t cr1, uint32_t va, dat_fetch *fetch, void *self, struct dat_walk *w);

#endif
