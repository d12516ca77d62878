/* A window: what one interpreted instruction refers to in storage, brought piece by piece.
 *
 * A monitor that interprets (isa/supervisor.h, processor_interpret) has the instruction executed on a window instead of
 * on its machine's storage. The window begins empty. When the instruction refers to something that is not there, it
 * ends before anything is changed, with `need` saying what; the monitor finds out where that lies, and brings it or
 * refuses it, and the instruction is executed again from its beginning. When it has come to an end, the monitor stores
 * what `store` lists. A window is plain data and knows no translation, no keys and no machine: these are the monitor's
 * affair. */
#ifndef ISA_WINDOW_H
#define ISA_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "mmu/storage.h"

enum {
    WINDOW_BLOCKS = 8, /* the instruction, EXECUTE's target, two operands: each in two blocks */
    WINDOW_STORES = 4,
    WINDOW_UNIT = 8, /* contents are brought in doublewords */
};

/* A reference: 1..2048 bytes at a logical address. */
struct window_reference {
    uint32_t address, length;
    bool store;       /* else a fetch, of the instruction too */
    bool interlocked; /* no other CPU may refer to it between this fetch and the store that follows */
};

struct window {
    struct window_reference need;
    unsigned code; /* program code with which `need` was refused; 0: it was not */
    uint32_t translation_address;
    unsigned pages;
    struct {
        uint32_t address; /* logical, of a block of 2 KB */
        uint8_t block;
        uint8_t rights; /* how it may be referred to, as far as asked */
    } page[WINDOW_BLOCKS];
    unsigned blocks;
    struct {
        uint32_t absolute;
        uint8_t there[STORAGE_BLOCK_BYTES / WINDOW_UNIT / 8]; /* bit n of byte m: doubleword 8 m + n is there */
        uint8_t bytes[STORAGE_BLOCK_BYTES];
    } block[WINDOW_BLOCKS];
    unsigned stores; /* what the instruction had opened for storing when it ended, changed or not */
    struct {
        uint8_t block;
        uint16_t offset, length;
    } store[WINDOW_STORES];
};

/* Empties it: another instruction. */
void window_clear(struct window *w);
/* The part of `need` in its first (0) or second (1) block: its length, 0 when there is none, and its address. */
uint32_t window_part(const struct window *w, unsigned part, uint32_t *address);
/* That part lies at this absolute address, and may be referred to as asked; its contents, which begin and end with
 * whole doublewords. Both parts are admitted, or `need` is refused. */
void window_admit(struct window *w, unsigned part, uint32_t absolute);
void window_put(struct window *w, uint32_t absolute, const uint8_t *bytes, uint32_t length);
void window_refuse(struct window *w, unsigned code, uint32_t translation_address);

/* ---- The instruction's side ---- */

enum { WINDOW_OPENED, WINDOW_REFUSED, WINDOW_NEEDS };
struct window_pieces {
    uint8_t *piece[2];
    uint32_t length[2];
};
/* Opens an operand. WINDOW_REFUSED: with w->code; WINDOW_NEEDS: `need` says what is missing. */
int window_open(struct window *w, uint32_t address, uint32_t length, bool store, struct window_pieces *to);

#endif
