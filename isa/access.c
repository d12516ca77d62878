/* Access to storage: translation, protection, reference and change recording (Principles
 * of Operation, "Dynamic Address Translation" and "Protection").
 *
 * The order of tests is the architecture's: translation, segment and page protection, addressing, low-address
 * protection, key. An operand in two blocks has both checked before either is marked, so that an instruction that ends
 * with an access exception has changed nothing. */
#include "isa/isa_internal.h"

void access_mode_changed(struct processor *p) {
    bool dat = psw_dat(&p->psw);
    p->lookaside = dat ? p->dat_lookaside : p->real_lookaside;
    p->context = (dat ? p->dat_generation : p->real_generation) << 28 | (uint64_t)p->psw.key << 24;
}

void access_forget(struct processor *p) {
    p->dat_generation++;
    p->real_generation++;
    p->held = false;
    access_mode_changed(p);
}

void access_forget_all(struct machine *m) {
    for (unsigned i = 0; i < m->cpus; i++)
        access_forget(m->cpu[i]);
}

bool real_read(struct processor *p, uint32_t real, void *to, uint32_t length) {
    uint32_t absolute = storage_prefix(real & ADDRESS_MASK, p->prefix);
    if (!storage_has(p->storage, absolute, length))
        return false;
    storage_read(p->storage, absolute, to, length);
    *storage_key(p->storage, absolute) |= KEY_REFERENCE;
    return true;
}

bool real_write(struct processor *p, uint32_t real, const void *from, uint32_t length) {
    uint32_t absolute = storage_prefix(real & ADDRESS_MASK, p->prefix);
    if (!storage_has(p->storage, absolute, length))
        return false;
    storage_write(p->storage, absolute, from, length);
    *storage_key(p->storage, absolute) |= KEY_REFERENCE | KEY_CHANGE;
    return true;
}

static enum access fetch_table_entry(void *self, uint32_t real, void *to, uint32_t length) {
    return real_read(self, real, to, length) ? ACCESS_OK : ACCESS_ADDRESSING;
}

enum access walk_tables(struct processor *p, uint32_t va, struct dat_walk *w) {
    return dat_translate(p->cr[0], p->cr[1], va, fetch_table_entry, p, w);
}

/* A page that is no longer the last used in its TLB set must be asked for again: the next reference moves it back. */
static void displace(struct processor *p, const struct tlb_entry *displaced) {
    if (!displaced->space)
        return;
    for (uint32_t half = 0; half <= STORAGE_BLOCK_BYTES; half += STORAGE_BLOCK_BYTES) {
        struct lookaside_entry *e =
            &p->dat_lookaside[(displaced->page + half) >> STORAGE_BLOCK_SHIFT & (LOOKASIDE_ENTRIES - 1)];
        e->fetch = e->store = 0;
    }
}

static void trace_walk(struct processor *p, const struct dat_walk *w) {
    if (!trace_wants(p->machine->trace, TRACE_WALK))
        return;
    struct trace_event event = {.kind = TRACE_WALK,
                                .cycle = processor_cycles(p),
                                .machine = p->machine->name,
                                .level = p->level,
                                .cpu = p->address,
                                .a = w->virtual_address,
                                .b = w->real,
                                .c = w->result};
    trace_emit(p->machine->trace, &event);
}

static unsigned translate(struct processor *p, uint32_t va, const struct tlb_entry **to) {
    struct tlb_entry displaced;
    if (!p->format_valid)
        return ACCESS_TRANSLATION_SPECIFICATION;
    *to = tlb_find(&p->tlb, p->space, va, p->format.page_shift, &displaced);
    if (*to) {
        displace(p, &displaced);
        return ACCESS_OK;
    }
    struct dat_walk w;
    enum access x = walk_tables(p, va, &w);
    p->tlb_cost += p->model->tlb_miss + (uint32_t)p->model->table_fetch * (w.segment_read + w.page_read);
    trace_walk(p, &w);
    if (x != ACCESS_OK) {
        p->translation_address = va & 0xFFF800;
        return x;
    }
    struct tlb_entry e = {.space = p->space,
                          .page = va >> p->format.page_shift << p->format.page_shift,
                          .frame = w.frame,
                          .common = w.common,
                          .segment_protected = w.segment_protected,
                          .page_protected = w.page_protected};
    tlb_insert(&p->tlb, &e, p->format.page_shift, &displaced);
    displace(p, &displaced);
    *to = tlb_find(&p->tlb, p->space, va, p->format.page_shift, &displaced);
    return ACCESS_OK;
}

unsigned access_locate(struct processor *p, uint32_t address, enum access_kind kind, uint32_t *absolute) {
    uint32_t real = address;
    p->page_protected = false;
    if (psw_dat(&p->psw)) {
        const struct tlb_entry *e;
        unsigned x = translate(p, address, &e);
        if (x != ACCESS_OK)
            return x;
        if (kind == ACCESS_STORE && e->segment_protected)
            return ACCESS_PROTECTION;
        if (kind == ACCESS_STORE && e->page_protected) {
            p->page_protected = true;
            p->translation_address = (address & 0xFFF800) | 4;
            return ACCESS_PROTECTION;
        }
        real = e->frame | (address & ((1u << p->format.page_shift) - 1));
    }
    uint32_t a = storage_prefix(real, p->prefix);
    if (a >= p->storage->size_bytes)
        return ACCESS_ADDRESSING;
    uint8_t key = *storage_key(p->storage, a);
    if (kind == ACCESS_STORE) {
        if (address < 512 && p->cr[0] & CR0_LOW_ADDRESS_PROTECTION)
            return ACCESS_PROTECTION;
        if (!storage_may_store(key, p->psw.key))
            return ACCESS_PROTECTION;
    } else if (!storage_may_fetch(key, p->psw.key)) {
        return ACCESS_PROTECTION;
    }
    *absolute = a;
    return ACCESS_OK;
}

static bool store_is_free(const struct processor *p, uint32_t address, uint8_t key) {
    if (!(key & KEY_CHANGE) || !storage_may_store(key, p->psw.key))
        return false;
    return address >= STORAGE_BLOCK_BYTES || !(p->cr[0] & CR0_LOW_ADDRESS_PROTECTION);
}

struct lookaside_entry *access_mark(struct processor *p, uint32_t address, uint32_t absolute, enum access_kind kind) {
    struct lookaside_entry *e = &p->lookaside[address >> STORAGE_BLOCK_SHIFT & (LOOKASIDE_ENTRIES - 1)];
    uint8_t *key = storage_key(p->storage, absolute);
    uint64_t tag = p->context | (address & 0xFFF800);
    *key |= kind == ACCESS_STORE ? KEY_REFERENCE | KEY_CHANGE : KEY_REFERENCE;
    if (e->fetch != tag && e->store != tag)
        e->fetch = e->store = 0;
    if (storage_may_fetch(*key, p->psw.key))
        e->fetch = tag;
    if (kind == ACCESS_STORE && store_is_free(p, address, *key))
        e->store = tag;
    e->host = p->storage->bytes + (absolute & ~(STORAGE_BLOCK_BYTES - 1u));
    e->code = p->machine->code ? p->machine->code[absolute >> STORAGE_BLOCK_SHIFT] : NULL;
    return e;
}

static unsigned window_span(struct processor *p, uint32_t address, uint32_t length, bool store, struct span *s) {
    struct window_pieces pieces;
    switch (window_open(p->window, address, length, store, &pieces)) {
    case WINDOW_NEEDS: return OUTCOME_NEEDS;
    case WINDOW_REFUSED: p->translation_address = p->window->translation_address; return p->window->code;
    default: break;
    }
    *s = (struct span){.piece = {pieces.piece[0], pieces.piece[1]}, .length = {pieces.length[0], pieces.length[1]}};
    return 0;
}

unsigned span_slow(struct processor *p, uint32_t address, uint32_t length, enum access_kind kind, struct span *s) {
    if (p->window)
        return window_span(p, address, length, kind == ACCESS_STORE, s);
    uint32_t offset = address & (STORAGE_BLOCK_BYTES - 1);
    uint32_t first = STORAGE_BLOCK_BYTES - offset < length ? STORAGE_BLOCK_BYTES - offset : length;
    uint32_t next = (address + first) & ADDRESS_MASK;
    uint32_t absolute[2];
    unsigned x = access_locate(p, address, kind, &absolute[0]);
    if (x != ACCESS_OK)
        return x;
    if (first < length && (x = access_locate(p, next, kind, &absolute[1])) != ACCESS_OK)
        return x;
    /* Marking may reuse the lookaside slot of the first block for the second: take what is needed one by one. */
    s->code[0] = access_mark(p, address, absolute[0], kind)->code;
    s->piece[0] = p->storage->bytes + absolute[0];
    s->length[0] = first;
    s->length[1] = length - first;
    if (first < length) {
        s->code[1] = access_mark(p, next, absolute[1], kind)->code;
        s->piece[1] = p->storage->bytes + absolute[1];
    }
    return 0;
}

void span_stored_slow(const struct span *s) {
    for (int i = 0; i < 2 && s->length[i]; i++)
        if (s->code[i])
            code_changed(s->code[i], (uint32_t)((uintptr_t)s->piece[i] & (STORAGE_BLOCK_BYTES - 1)), s->length[i]);
}

void span_read(const struct span *s, void *to) {
    memcpy(to, s->piece[0], s->length[0]);
    if (s->length[1])
        memcpy((uint8_t *)to + s->length[0], s->piece[1], s->length[1]);
}

void span_write(const struct span *s, const void *from) {
    memcpy(s->piece[0], from, s->length[0]);
    if (s->length[1])
        memcpy(s->piece[1], (const uint8_t *)from + s->length[0], s->length[1]);
}

static void charge_crossing(struct processor *p, uint32_t address, unsigned length) {
    if ((address & 7) + length > 8)
        p->dynamic_cost += p->model->crossing;
}

unsigned access_fetch(struct processor *p, uint32_t address, unsigned length, uint64_t *value) {
    struct span s;
    unsigned x = span_open(p, address, length, ACCESS_FETCH, &s);
    if (x)
        return x;
    charge_crossing(p, address, length);
    uint8_t raw[8] = {0};
    span_read(&s, raw + 8 - length);
    *value = bytes_get64(raw);
    return 0;
}

unsigned access_store(struct processor *p, uint32_t address, unsigned length, uint64_t value) {
    struct span s;
    unsigned x = span_open(p, address, length, ACCESS_STORE, &s);
    if (x)
        return x;
    charge_crossing(p, address, length);
    uint8_t raw[8];
    bytes_put64(raw, value);
    span_write(&s, raw + 8 - length);
    span_stored(&s);
    return 0;
}
