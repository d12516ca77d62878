/* Windows: a few blocks of storage with the logical addresses under which they were asked for. */
#include "isa/window.h"

#include <assert.h>
#include <string.h>

enum { RIGHT_FETCH = 1, RIGHT_STORE = 2, RIGHT_STORE_LOW = 4, LOW = 512, ADDRESS_BITS = 0xFFFFFF };

static uint32_t block_of(uint32_t address) { return address & ~(STORAGE_BLOCK_BYTES - 1u); }
static uint32_t offset_of(uint32_t address) { return address & (STORAGE_BLOCK_BYTES - 1u); }

/* Low-address protection divides the first block: there a right to store is one for that half alone. */
static uint8_t right(uint32_t address, bool store) {
    return !store ? RIGHT_FETCH : address < LOW ? RIGHT_STORE_LOW : RIGHT_STORE;
}

void window_clear(struct window *w) {
    w->need = (struct window_reference){0};
    w->code = w->pages = w->blocks = w->stores = 0;
    w->translation_address = 0;
}

static uint32_t part_of(uint32_t address, uint32_t length, unsigned part, uint32_t *at) {
    uint32_t left = STORAGE_BLOCK_BYTES - offset_of(address), first = left < length ? left : length;
    *at = part ? (address + first) & ADDRESS_BITS : address;
    return part ? length - first : first;
}

uint32_t window_part(const struct window *w, unsigned part, uint32_t *address) {
    return part_of(w->need.address, w->need.length, part, address);
}

/* ---- The monitor's side ---- */

static unsigned find_block(struct window *w, uint32_t absolute) {
    unsigned n = 0;
    while (n < w->blocks && w->block[n].absolute != block_of(absolute))
        n++;
    if (n < w->blocks)
        return n;
    assert(n < WINDOW_BLOCKS);
    w->block[n].absolute = block_of(absolute);
    memset(w->block[n].there, 0, sizeof w->block[n].there);
    w->blocks++;
    return n;
}

static unsigned find_page(const struct window *w, uint32_t address) {
    unsigned n = 0;
    while (n < w->pages && w->page[n].address != block_of(address))
        n++;
    return n;
}

void window_admit(struct window *w, unsigned part, uint32_t absolute) {
    uint32_t address;
    window_part(w, part, &address);
    unsigned n = find_page(w, address);
    assert(n < WINDOW_BLOCKS);
    if (n == w->pages) {
        w->page[n].address = block_of(address);
        w->page[n].rights = 0;
        w->pages++;
    }
    w->page[n].block = (uint8_t)find_block(w, absolute);
    w->page[n].rights |= right(address, w->need.store);
}

void window_put(struct window *w, uint32_t absolute, const uint8_t *bytes, uint32_t length) {
    unsigned n = find_block(w, absolute);
    uint32_t at = offset_of(absolute);
    memcpy(w->block[n].bytes + at, bytes, length);
    for (uint32_t unit = at / WINDOW_UNIT; unit < (at + length) / WINDOW_UNIT; unit++)
        w->block[n].there[unit / 8] |= (uint8_t)(1u << unit % 8);
}

void window_refuse(struct window *w, unsigned code, uint32_t translation_address) {
    w->code = code;
    w->translation_address = translation_address;
}

/* ---- The instruction's side ---- */

static bool is_there(const struct window *w, unsigned block, uint32_t at, uint32_t length) {
    for (uint32_t unit = at / WINDOW_UNIT; unit <= (at + length - 1) / WINDOW_UNIT; unit++)
        if (!(w->block[block].there[unit / 8] >> unit % 8 & 1))
            return false;
    return true;
}

static bool open_part(struct window *w, uint32_t address, uint32_t length, bool store, uint8_t **piece) {
    unsigned n = find_page(w, address);
    if (n == w->pages || !(w->page[n].rights & right(address, store)) ||
        !is_there(w, w->page[n].block, offset_of(address), length))
        return false;
    *piece = w->block[w->page[n].block].bytes + offset_of(address);
    return true;
}

static void note_store(struct window *w, uint32_t address, uint32_t length) {
    assert(w->stores < WINDOW_STORES);
    w->store[w->stores].block = w->page[find_page(w, address)].block;
    w->store[w->stores].offset = (uint16_t)offset_of(address);
    w->store[w->stores].length = (uint16_t)length;
    w->stores++;
}

int window_open(struct window *w, uint32_t address, uint32_t length, bool store, struct window_pieces *to) {
    uint32_t at[2];
    if (w->code && w->need.address == address && w->need.length == length && w->need.store == store)
        return WINDOW_REFUSED;
    for (unsigned part = 0; part < 2; part++) {
        to->length[part] = part_of(address, length, part, &at[part]);
        if (to->length[part] == 0 || open_part(w, at[part], to->length[part], store, &to->piece[part]))
            continue;
        w->need = (struct window_reference){.address = address, .length = length, .store = store};
        w->code = 0;
        return WINDOW_NEEDS;
    }
    for (unsigned part = 0; store && part < 2; part++)
        if (to->length[part])
            note_store(w, at[part], to->length[part]);
    return WINDOW_OPENED;
}
