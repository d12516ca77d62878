/* The guest's storage, reached as the guest's own CPU would reach it: by its tables, its key, its protections.
 *
 * The order of tests is the CPU's: translation, segment protection, addressing, low-address protection, key; every
 * block of an operand is checked before any byte moves. */
#include <string.h>

#include "vmm/vmm_internal.h"

enum kind { KIND_FETCH, KIND_STORE };

struct walker {
    struct vmm *v;
    struct guest *g;
};

/* Moves within one 4 KB frame of guest absolute storage. */
static void transfer(struct vmm *v, struct guest *g, uint32_t absolute, void *bytes, uint32_t length, enum kind kind) {
    if (kind == KIND_FETCH)
        processor_fetch(v->p, g->origin + absolute, bytes, length);
    else
        processor_store(v->p, g->origin + absolute, bytes, length);
}

static uint32_t piece(uint32_t address, uint32_t length, uint32_t unit) {
    uint32_t left = unit - (address & (unit - 1));
    return left < length ? left : length;
}

static enum access move_real(struct vmm *v, struct guest *g, uint32_t real, uint8_t *bytes, uint32_t length,
                             enum kind kind) {
    for (uint32_t done = 0, n; done < length; done += n) {
        n = piece(real + done, length - done, VMM_FRAME_BYTES);
        if (guest_absolute(g, real + done) >= g->memory)
            return ACCESS_ADDRESSING;
    }
    for (uint32_t done = 0, n; done < length; done += n) {
        n = piece(real + done, length - done, VMM_FRAME_BYTES);
        transfer(v, g, guest_absolute(g, real + done), bytes + done, n, kind);
    }
    return ACCESS_OK;
}

enum access guest_fetch_real(struct vmm *v, struct guest *g, uint32_t real, void *to, uint32_t length) {
    return move_real(v, g, real, to, length, KIND_FETCH);
}

enum access guest_store_real(struct vmm *v, struct guest *g, uint32_t real, const void *from, uint32_t length) {
    uint8_t copy[256];
    memcpy(copy, from, length);
    return move_real(v, g, real, copy, length, KIND_STORE);
}

static enum access fetch_table_entry(void *self, uint32_t real, void *to, uint32_t length) {
    struct walker *w = self;
    return guest_fetch_real(w->v, w->g, real, to, length);
}

enum access guest_walk(struct vmm *v, struct guest *g, uint32_t address, struct dat_walk *w) {
    struct walker walker = {v, g};
    /* Page protection is a facility that this monitor does not offer: to its guests CR0 bit 28 means nothing. */
    return dat_translate(g->cr[0] & ~(uint32_t)CR0_PAGE_PROTECTION, g->cr[1], address, fetch_table_entry, &walker, w);
}

uint8_t guest_key(struct vmm *v, struct guest *g, uint32_t absolute) {
    processor_set_gpr(v->p, 1, (g->origin + absolute) & ~(STORAGE_BLOCK_BYTES - 1u));
    processor_execute(v->p, CELL_ISK, NULL);
    return (uint8_t)processor_gpr(v->p, 0);
}

/* Where one logical location lies, if the guest's program may use it so. */
static enum access locate(struct vmm *v, struct guest *g, uint32_t address, enum kind kind, uint32_t *absolute,
                          uint32_t *failed) {
    uint32_t real = address;
    if (psw_dat(&g->psw)) {
        struct dat_walk w;
        enum access x = guest_walk(v, g, address, &w);
        if (x != ACCESS_OK) {
            *failed = address & 0xFFF800;
            return x;
        }
        if (kind == KIND_STORE && w.segment_protected)
            return ACCESS_PROTECTION;
        real = w.real;
    }
    *absolute = guest_absolute(g, real);
    if (*absolute >= g->memory)
        return ACCESS_ADDRESSING;
    if (kind == KIND_STORE && address < 512 && g->cr[0] & CR0_LOW_ADDRESS_PROTECTION)
        return ACCESS_PROTECTION;
    if (g->psw.key == 0)
        return ACCESS_OK;
    uint8_t key = guest_key(v, g, *absolute);
    bool may = kind == KIND_STORE ? storage_may_store(key, g->psw.key) : storage_may_fetch(key, g->psw.key);
    return may ? ACCESS_OK : ACCESS_PROTECTION;
}

/* At most 64 bytes, so at most two blocks. */
static enum access move_logical(struct vmm *v, struct guest *g, uint32_t address, uint8_t *bytes, uint32_t length,
                                enum kind kind, uint32_t *failed) {
    uint32_t first = piece(address, length, STORAGE_BLOCK_BYTES), absolute[2];
    uint32_t second = (address + first) & VMM_ADDRESS_MASK;
    enum access x = locate(v, g, address, kind, &absolute[0], failed);
    if (x != ACCESS_OK)
        return x;
    if (first < length && (x = locate(v, g, second, kind, &absolute[1], failed)) != ACCESS_OK)
        return x;
    transfer(v, g, absolute[0], bytes, first, kind);
    if (first < length)
        transfer(v, g, absolute[1], bytes + first, length - first, kind);
    return ACCESS_OK;
}

enum access guest_fetch(struct vmm *v, struct guest *g, uint32_t address, void *to, uint32_t length, uint32_t *failed) {
    return move_logical(v, g, address, to, length, KIND_FETCH, failed);
}

enum access guest_store(struct vmm *v, struct guest *g, uint32_t address, const void *from, uint32_t length,
                        uint32_t *failed) {
    uint8_t copy[64];
    memcpy(copy, from, length);
    return move_logical(v, g, address, copy, length, KIND_STORE, failed);
}
