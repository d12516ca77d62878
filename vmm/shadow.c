/* Shadow tables: what the guest's own translation comes to in the machine below.
 *
 * The guest always runs with DAT on under tables of the monitor. For the guest with DAT off they map guest real
 * storage; for each address space of the guest they are the product of its own tables and that map. They start empty; a
 * reference that finds nothing traps, the monitor walks the guest's tables as the CPU would, and either gives the guest
 * its exception or fills one entry. The guest may change its tables at will: the entries made from them stay until it
 * purges its TLB, which is all that the architecture promises it. So a shadow is a TLB, only larger.
 *
 * What the monitor makes invalid or changes here may itself be in the TLB of its machine, hence purge_due. From invalid
 * to valid needs no purge. */
#include <string.h>

#include "base/bytes.h"
#include "vmm/vmm_internal.h"

enum {
    STE_WHOLE_TABLE = 0xF0000000, /* length of the page table: all of it */
    STE_PROTECTED = 4,
    PTE_INVALID_4K = 8,
    PTE_INVALID_2K = 4,
};

static uint32_t page_table(const struct shadow_space *s, uint32_t segment) {
    return s->table + SHADOW_SEGMENT_TABLE_BYTES + segment * SHADOW_PAGE_TABLE_BYTES;
}

static uint16_t invalid_page(const struct shadow_space *s) {
    return s->page_shift == 12 ? PTE_INVALID_4K : PTE_INVALID_2K;
}

/* ---- Making nothing valid ---- */

/* Writes the whole segment table: its first use, or nothing is known about it. */
static void make(struct vmm *v, struct shadow_space *s) {
    uint8_t invalid[256];
    for (unsigned n = 0; n < sizeof invalid; n += 4)
        bytes_put32(invalid + n, SHADOW_INVALID);
    for (uint32_t at = 0; at < SHADOW_SEGMENT_TABLE_BYTES; at += sizeof invalid)
        processor_store(v->p, s->table + at, invalid, sizeof invalid);
    for (unsigned n = 0; n < SHADOW_SEGMENTS; n++)
        s->entry[n] = SHADOW_INVALID;
    s->made = true;
}

/* The segments that are valid, one by one; their page tables are written anew when they are used again. */
static void clear(struct vmm *v, struct shadow_space *s) {
    uint8_t invalid[4];
    bytes_put32(invalid, SHADOW_INVALID);
    for (unsigned n = 0; n < SHADOW_SEGMENTS; n++) {
        if (s->entry[n] == SHADOW_INVALID)
            continue;
        v->purge_due = true;
        processor_store(v->p, s->table + n * 4, invalid, sizeof invalid);
        s->entry[n] = SHADOW_INVALID;
    }
}

void shadow_reset(struct vmm *v, struct guest *g) {
    processor_cause(v->p, CAUSE_SHADOW);
    for (unsigned n = 0; n < SHADOW_SPACES; n++) {
        struct shadow_space *s = &g->shadow.space[n];
        if (s->made)
            make(v, s);
        s->key = 0;
    }
    make(v, &g->shadow.real);
    v->purge_due = true;
}

void shadow_purge(struct vmm *v, struct guest *g, const char *cause) {
    unsigned spaces = 0;
    processor_cause(v->p, CAUSE_SHADOW);
    for (unsigned n = 0; n < SHADOW_SPACES; n++) {
        struct shadow_space *s = &g->shadow.space[n];
        if (!s->key)
            continue;
        clear(v, s);
        spaces++;
    }
    processor_trace(v->p, TRACE_SHADOW_PURGE, spaces, 0, 0, cause);
}

/* ---- Which space ---- */

static struct shadow_space *least_used(struct shadow *shadow) {
    struct shadow_space *least = &shadow->space[0];
    for (unsigned n = 1; n < SHADOW_SPACES; n++)
        if (shadow->space[n].used < least->used)
            least = &shadow->space[n];
    return least;
}

/* A space is what its segment-table origin and length, and the format, say it is. In an invalid format nothing can ever
 * be filled, so any page size will do. */
static struct shadow_space *take(struct vmm *v, struct guest *g, uint64_t key) {
    struct shadow_space *s = least_used(&g->shadow);
    struct dat_format f = {12, 16};
    processor_cause(v->p, CAUSE_SHADOW);
    if (s->made)
        clear(v, s);
    else
        make(v, s);
    dat_format(g->cr[0], &f);
    s->page_shift = f.page_shift;
    s->megabytes = f.segment_shift == 20;
    s->key = key;
    return s;
}

struct shadow_space *shadow_select(struct vmm *v, struct guest *g) {
    if (!psw_dat(&g->psw))
        return &g->shadow.real;
    uint64_t key = (uint64_t)1 << 63 | (uint64_t)(g->cr[0] & DAT_FORMAT_MASK) << 32 | (g->cr[1] & 0xFFFFFFC0);
    struct shadow_space *s = NULL;
    for (unsigned n = 0; n < SHADOW_SPACES && !s; n++)
        if (g->shadow.space[n].key == key)
            s = &g->shadow.space[n];
    if (!s)
        s = take(v, g, key);
    s->used = ++g->shadow.uses;
    return s;
}

/* ---- Filling ---- */

/* One page, valid: in a segment that has none yet the whole page table is written, the segment entry last. */
static void fill(struct vmm *v, struct shadow_space *s, uint32_t address, uint32_t host, uint32_t guest_entry) {
    uint32_t segment = address >> 16, page = (address & 0xFFFF) >> s->page_shift, pages = 0x10000u >> s->page_shift;
    uint16_t entry = (uint16_t)(host >> 8 & (s->page_shift == 12 ? 0xFFF0 : 0xFFF8));
    uint8_t raw[SHADOW_PAGE_TABLE_BYTES];
    if (s->entry[segment] == guest_entry) {
        bytes_put16(raw, entry);
        processor_store(v->p, page_table(s, segment) + page * 2, raw, 2);
        return;
    }
    /* Made from another entry of the guest's: it changed its segment table and has not purged (yet). */
    if (s->entry[segment] != SHADOW_INVALID)
        v->purge_due = true;
    for (uint32_t n = 0; n < pages; n++)
        bytes_put16(raw + n * 2, n == page ? entry : invalid_page(s));
    processor_store(v->p, page_table(s, segment), raw, pages * 2);
    bytes_put32(raw, STE_WHOLE_TABLE | page_table(s, segment) | (guest_entry & STE_PROTECTED));
    processor_store(v->p, s->table + segment * 4, raw, 4);
    s->entry[segment] = guest_entry;
}

/* A page that the guest has mapped outside its storage. That is an addressing exception, but for a store into a
 * protected segment, where protection comes first: there the shadow leads outside the machine's storage too, and the
 * CPU decides. */
static bool fill_hole(struct vmm *v, struct shadow_space *s, const struct dat_walk *w) {
    uint32_t end = v->frames.frames * VMM_FRAME_BYTES;
    if (!w->segment_protected || end >= STORAGE_MOST_BYTES)
        return false;
    fill(v, s, w->virtual_address, end, w->segment_entry);
    return true;
}

unsigned shadow_fault(struct vmm *v, struct guest *g, uint32_t address) {
    struct shadow_space *s = shadow_select(v, g);
    struct dat_walk w = {.frame = address};
    processor_cause(v->p, CAUSE_SHADOW);
    if (psw_dat(&g->psw)) {
        enum access x = guest_walk(v, g, address, &w);
        if (x != ACCESS_OK)
            return x;
    }
    uint32_t absolute = guest_absolute(g, w.frame);
    if (absolute >= g->memory)
        return fill_hole(v, s, &w) ? 0 : ACCESS_ADDRESSING;
    fill(v, s, address, g->origin + absolute, w.segment_entry);
    v->stats.shadow_faults++;
    processor_trace(v->p, TRACE_SHADOW_FILL, address, w.frame, g->origin + absolute, NULL);
    return 0;
}

/* ---- Single entries ---- */

static void drop_page(struct vmm *v, struct shadow_space *s, uint32_t address) {
    uint32_t segment = address >> 16, page = (address & 0xFFFF) >> s->page_shift;
    uint8_t raw[2];
    if (s->entry[segment] == SHADOW_INVALID)
        return;
    bytes_put16(raw, invalid_page(s));
    v->purge_due = true;
    processor_store(v->p, page_table(s, segment) + page * 2, raw, sizeof raw);
}

void shadow_prefix(struct vmm *v, struct guest *g, uint32_t new_prefix) {
    shadow_purge(v, g, "SPX");
    drop_page(v, &g->shadow.real, 0);
    drop_page(v, &g->shadow.real, g->prefix);
    drop_page(v, &g->shadow.real, new_prefix);
}

/* One entry: by IPTE on the monitor's own machine, which spares everybody a purge, if CR0 there says the right format.
 */
static void invalidate(struct vmm *v, struct shadow_space *s, uint32_t segment, uint32_t page) {
    uint8_t raw[2];
    processor_fetch(v->p, page_table(s, segment) + page * 2, raw, sizeof raw);
    if (bytes_get16(raw) & invalid_page(s))
        return;
    uint32_t format = s->page_shift == 12 ? DAT_FORMAT_4K_64K : DAT_FORMAT_2K_64K;
    if ((v->cr0 & DAT_FORMAT_MASK) != format) {
        drop_page(v, s, segment << 16 | page << s->page_shift);
        return;
    }
    processor_set_gpr(v->p, 0, page_table(s, segment));
    processor_set_gpr(v->p, 1, segment << 16 | page << s->page_shift);
    processor_execute(v->p, CELL_IPTE, NULL);
}

/* Wherever the guest's page table is part of a space, in as many segments as share it. */
void shadow_invalidate(struct vmm *v, struct guest *g, uint32_t origin, uint32_t index, const struct dat_format *f) {
    unsigned per_segment = 16 - f->page_shift; /* pages in 64 KB, as a power of two */
    uint32_t page = index & ((1u << per_segment) - 1);
    processor_cause(v->p, CAUSE_SHADOW);
    for (unsigned n = 0; n < SHADOW_SPACES; n++) {
        struct shadow_space *s = &g->shadow.space[n];
        if (!s->key || s->page_shift != f->page_shift || s->megabytes != (f->segment_shift == 20))
            continue;
        for (uint32_t segment = 0; segment < SHADOW_SEGMENTS; segment++) {
            if (s->entry[segment] == SHADOW_INVALID || (s->entry[segment] & 0x00FFFFF8) != origin)
                continue;
            if (s->megabytes && (segment & 15) != index >> per_segment)
                continue;
            invalidate(v, s, segment, page);
        }
    }
    processor_trace(v->p, TRACE_SHADOW_PURGE, 0, 0, 0, "IPTE");
}
