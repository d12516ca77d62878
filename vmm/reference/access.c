/* The guest's storage, reached as the guest's own CPU would reach it: by its tables, its key, its protections.
 *
 * The order of tests is the CPU's: translation, segment protection, addressing, low-address protection, key; every
 * block of an operand is checked before any byte moves. */
#include "vmm/reference/reference.h"

struct walker {
    struct vmm *v;
    struct virtual_cpu *c;
};

/* Moves within one 4 KB frame of guest absolute storage. */
static void transfer(struct vmm *v, struct virtual_cpu *c, uint32_t absolute, void *bytes, uint32_t length,
                     bool store) {
    if (!store) {
        monitor_fetch(v, host_real(v, c, absolute), bytes, length);
        return;
    }
    monitor_store(v, host_real(v, c, absolute), bytes, length);
    monitor_parts(v)->shadow->stored(v, c->guest, absolute, length);
}

static bool installed(struct vmm *v, const struct virtual_cpu *c, uint32_t absolute) {
    return absolute < machine_of(v, c)->memory;
}

static uint32_t piece(uint32_t address, uint32_t length, uint32_t unit) {
    uint32_t left = unit - (address & (unit - 1));
    return left < length ? left : length;
}

static enum access move_real(struct vmm *v, struct virtual_cpu *c, uint32_t real, uint8_t *bytes, uint32_t length,
                             bool store) {
    for (uint32_t done = 0, n; done < length; done += n) {
        n = piece(real + done, length - done, FRAME_BYTES);
        if (!installed(v, c, guest_absolute(c, real + done)))
            return ACCESS_ADDRESSING;
    }
    for (uint32_t done = 0, n; done < length; done += n) {
        n = piece(real + done, length - done, FRAME_BYTES);
        transfer(v, c, guest_absolute(c, real + done), bytes + done, n, store);
    }
    return ACCESS_OK;
}

enum access guest_fetch_real(struct vmm *v, struct virtual_cpu *c, uint32_t real, void *to, uint32_t length) {
    return move_real(v, c, real, to, length, false);
}

enum access guest_store_real(struct vmm *v, struct virtual_cpu *c, uint32_t real, const void *from, uint32_t length) {
    uint8_t copy[256];
    memcpy(copy, from, length);
    return move_real(v, c, real, copy, length, true);
}

static enum access fetch_table_entry(void *self, uint32_t real, void *to, uint32_t length) {
    struct walker *w = self;
    return guest_fetch_real(w->v, w->c, real, to, length);
}

enum access guest_walk(struct vmm *v, struct virtual_cpu *c, uint32_t address, struct dat_walk *w) {
    struct walker walker = {v, c};
    /* Page protection is offered to monitors alone: to other guests CR0 bit 28 means nothing. */
    uint32_t ignored = machine_of(v, c)->facilities ? 0 : (uint32_t)CR0_PAGE_PROTECTION;
    return dat_translate(c->cr[0] & ~ignored, c->cr[1], address, fetch_table_entry, &walker, w);
}

uint8_t guest_key(struct vmm *v, const struct virtual_cpu *c, uint32_t absolute) {
    monitor_set_gpr(v, 1, host_real(v, c, absolute) & ~(STORAGE_BLOCK_BYTES - 1u));
    monitor_execute(v, CELL_ISK, NULL);
    return (uint8_t)monitor_gpr(v, 0);
}

enum access guest_locate(struct vmm *v, struct virtual_cpu *c, uint32_t address, bool store, uint32_t *absolute,
                         uint32_t *failed) {
    uint32_t real = address;
    if (psw_dat(&c->psw)) {
        struct dat_walk w;
        enum access x = guest_walk(v, c, address, &w);
        if (x != ACCESS_OK) {
            *failed = address & 0xFFF800;
            return x;
        }
        if (store && w.segment_protected)
            return ACCESS_PROTECTION;
        if (store && w.page_protected) {
            *failed = (address & 0xFFF800) | TRANSLATION_PAGE_PROTECTION;
            return ACCESS_PROTECTION;
        }
        real = w.real;
    }
    *absolute = guest_absolute(c, real);
    if (!installed(v, c, *absolute))
        return ACCESS_ADDRESSING;
    if (store && address < 512 && c->cr[0] & CR0_LOW_ADDRESS_PROTECTION)
        return ACCESS_PROTECTION;
    if (c->psw.key == 0)
        return ACCESS_OK;
    uint8_t key = guest_key(v, c, *absolute);
    bool may = store ? storage_may_store(key, c->psw.key) : storage_may_fetch(key, c->psw.key);
    return may ? ACCESS_OK : ACCESS_PROTECTION;
}

/* At most 64 bytes, so at most two blocks. */
static enum access move_logical(struct vmm *v, struct virtual_cpu *c, uint32_t address, uint8_t *bytes, uint32_t length,
                                bool store, uint32_t *failed) {
    uint32_t first = piece(address, length, STORAGE_BLOCK_BYTES), absolute[2];
    uint32_t second = (address + first) & HOST_ADDRESS_MASK;
    enum access x = guest_locate(v, c, address, store, &absolute[0], failed);
    if (x != ACCESS_OK)
        return x;
    if (first < length && (x = guest_locate(v, c, second, store, &absolute[1], failed)) != ACCESS_OK)
        return x;
    transfer(v, c, absolute[0], bytes, first, store);
    if (first < length)
        transfer(v, c, absolute[1], bytes + first, length - first, store);
    return ACCESS_OK;
}

enum access guest_fetch(struct vmm *v, struct virtual_cpu *c, uint32_t address, void *to, uint32_t length,
                        uint32_t *failed) {
    return move_logical(v, c, address, to, length, false, failed);
}

enum access guest_store(struct vmm *v, struct virtual_cpu *c, uint32_t address, const void *from, uint32_t length,
                        uint32_t *failed) {
    uint8_t copy[64];
    memcpy(copy, from, length);
    return move_logical(v, c, address, copy, length, true, failed);
}
