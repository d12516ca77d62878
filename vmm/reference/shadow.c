/* Shadow tables: what the guest's own translation comes to in the machine below.
 *
 * The guest always runs with DAT on under tables of the monitor. For the guest with DAT off they map guest real
 * storage; for each address space of the guest they are the product of its own tables and that map. They start empty; a
 * reference that finds nothing traps, the monitor walks the guest's tables as the CPU would, and either gives the guest
 * its exception or fills one entry. What happens when the guest changes its tables is the policy's affair:
 *
 *   SHADOW_PURGE    The architecture lets a TLB keep entries until they are purged, so a shadow may, too: it is a TLB,
 *                   only larger. PTLB empties all spaces of the virtual CPU, IPTE drops one entry.
 *   SHADOW_PROTECT  Pages that hold tables from which entries were made are write-protected in the shadows. A store
 * into one traps; the entries made from it go, the page becomes writable, and the store is repeated. So entries are not
 * stale, and PTLB has nothing to do. One exception is needed: what the store itself refers to may be mapped by the very
 * table that it changes, so a page that was opened stays open, whatever is made from it, until something else traps;
 * then, or at PTLB, all that was made from it goes, and it is protected when it is used again. Needs 4 KB pages: a
 * guest that uses others is served by the first policy from then on.
 *
 * What the monitor makes invalid or changes here may itself be in TLBs of its machine, hence purge_due; and another CPU
 * may be using it at this moment, hence `hold` before it. From invalid to valid needs neither. */
#include <stdlib.h>

#include "vmm/reference/reference.h"

/* One table region a space: a segment table of 256 segments of 64 KB, and for each a page table of 16 or 32 entries. */
enum {
    SEGMENTS = 256,
    SEGMENT_TABLE_BYTES = SEGMENTS * 4,
    PAGE_TABLE_BYTES = 64,
    SPACE_BYTES = SEGMENT_TABLE_BYTES + SEGMENTS * PAGE_TABLE_BYTES,

    SEGMENT_INVALID = 1,          /* the invalid segment-table entry; also: no guest entry */
    STE_WHOLE_TABLE = 0xF0000000, /* length of the page table: all of it */
    STE_PROTECTED = 4,
    STE_ORIGIN = 0x00FFFFF8,
    PTE_INVALID_4K = 8,
    PTE_INVALID_2K = 4,
    PTE_PROTECTED = 2, /* 4 KB pages, with CR0_PAGE_PROTECTION */
};

struct space {
    uint32_t table;           /* host real: the segment table; the page tables follow it */
    bool made;                /* the segment table has been written */
    uint64_t key;             /* the guest's CR1 and format; 0: free */
    uint64_t used;            /* larger: dispatched later */
    uint32_t cr1;             /* the guest's */
    uint8_t page_shift;       /* as the guest's pages: 11 or 12 */
    bool megabytes;           /* the guest's segments are of 1 MB: sixteen of ours each */
    uint32_t entry[SEGMENTS]; /* the guest's entry that a segment was made from; SEGMENT_INVALID: none */
};

struct shadow {
    uint64_t uses;
    unsigned spaces;     /* with DAT on */
    struct space *space; /* those, and last the map of guest real storage, whose `entry` is 0 where valid */
};

static struct shadow *shadow_of(struct vmm *v, const struct virtual_cpu *c) {
    return reference(v)->shadow[c->guest][c->address];
}
static struct space *real_space(struct shadow *s) { return &s->space[s->spaces]; }

static uint32_t page_table(const struct space *s, uint32_t segment) {
    return s->table + SEGMENT_TABLE_BYTES + segment * PAGE_TABLE_BYTES;
}
static uint32_t pages(const struct space *s) { return 0x10000u >> s->page_shift; } /* of a segment */
static uint32_t format(const struct space *s) { return s->page_shift == 12 ? DAT_FORMAT_4K_64K : DAT_FORMAT_2K_64K; }
static uint16_t invalid_page(const struct space *s) { return s->page_shift == 12 ? PTE_INVALID_4K : PTE_INVALID_2K; }

/* ---- Making nothing valid ---- */

/* Writes the whole segment table: its first use, or nothing is known about it. */
static void make(struct vmm *v, struct space *s) {
    uint8_t invalid[256];
    for (unsigned n = 0; n < sizeof invalid; n += 4)
        bytes_put32(invalid + n, SEGMENT_INVALID);
    for (uint32_t at = 0; at < SEGMENT_TABLE_BYTES; at += sizeof invalid)
        monitor_store(v, s->table + at, invalid, sizeof invalid);
    for (unsigned n = 0; n < SEGMENTS; n++)
        s->entry[n] = SEGMENT_INVALID;
    s->made = true;
}

/* Entries of c's that may be in TLBs become invalid, or change: c uses them no more, and whichever CPU may have them
 * purges before it gives control to anyone. */
static void stale(struct vmm *v, struct virtual_cpu *c) {
    struct reference *r = reference(v);
    here(v)->purge_due = true;
    for (unsigned n = 0; n < r->cpus; n++)
        if (r->cpu[n].seen[c->guest] >> c->address & 1)
            r->cpu[n].purge_due = true;
    monitor_parts(v)->dispatcher->hold(v, c);
}

/* Its page table is written anew when the segment is used again. */
static void drop_segment(struct vmm *v, struct virtual_cpu *c, struct space *s, uint32_t segment) {
    static const uint8_t invalid[4] = {0, 0, 0, SEGMENT_INVALID};
    stale(v, c);
    monitor_store(v, s->table + segment * 4, invalid, sizeof invalid);
    s->entry[segment] = SEGMENT_INVALID;
}

static void clear(struct vmm *v, struct virtual_cpu *c, struct space *s) {
    for (uint32_t n = 0; n < SEGMENTS; n++)
        if (s->entry[n] != SEGMENT_INVALID)
            drop_segment(v, c, s, n);
}

static void reset(struct vmm *v, struct virtual_cpu *c) {
    struct shadow *shadow = shadow_of(v, c);
    monitor_cause(v, CAUSE_SHADOW);
    for (unsigned n = 0; n < shadow->spaces; n++) {
        if (shadow->space[n].made)
            make(v, &shadow->space[n]);
        shadow->space[n].key = 0;
    }
    make(v, real_space(shadow));
    stale(v, c);
}

static void clear_spaces(struct vmm *v, struct virtual_cpu *c, const char *cause) {
    struct shadow *shadow = shadow_of(v, c);
    unsigned spaces = 0;
    monitor_cause(v, CAUSE_SHADOW);
    for (unsigned n = 0; n < shadow->spaces; n++) {
        if (!shadow->space[n].key)
            continue;
        clear(v, c, &shadow->space[n]);
        spaces++;
    }
    monitor_trace(v, TRACE_SHADOW_PURGE, spaces, 0, 0, cause);
}

/* ---- Which space ---- */

static struct space *least_used(struct shadow *shadow) {
    struct space *least = &shadow->space[0];
    for (unsigned n = 1; n < shadow->spaces; n++)
        if (shadow->space[n].used < least->used)
            least = &shadow->space[n];
    return least;
}

/* From now on this guest's shadows are large TLBs. Nothing may be left that only write protection kept right. */
static void give_up_protection(struct vmm *v, struct virtual_cpu *c) {
    struct reference *r = reference(v);
    struct virtual_machine *vm = monitor_guest(v, c->guest);
    free(r->tables[c->guest]);
    r->tables[c->guest] = NULL;
    r->opened[c->guest] = false;
    for (unsigned n = 0; n < vm->cpus; n++) {
        clear_spaces(v, &vm->cpu[n], "pages of 2 KB");
        clear(v, &vm->cpu[n], real_space(shadow_of(v, &vm->cpu[n])));
    }
}

/* A space is what its segment-table origin and length, and the format, say it is. In an invalid format nothing can ever
 * be filled, so any page size will do. */
static struct space *take(struct vmm *v, struct virtual_cpu *c, uint64_t key) {
    struct space *s = least_used(shadow_of(v, c));
    struct dat_format f = {12, 16};
    monitor_cause(v, CAUSE_SHADOW);
    dat_format(c->cr[0], &f);
    if (f.page_shift != 12 && reference(v)->tables[c->guest])
        give_up_protection(v, c);
    if (s->made)
        clear(v, c, s);
    else
        make(v, s);
    s->page_shift = f.page_shift;
    s->megabytes = f.segment_shift == 20;
    s->cr1 = c->cr[1];
    s->key = key;
    return s;
}

static struct space *present(struct vmm *v, struct virtual_cpu *c) {
    struct shadow *shadow = shadow_of(v, c);
    if (!psw_dat(&c->psw))
        return real_space(shadow);
    uint64_t key = (uint64_t)1 << 63 | (uint64_t)(c->cr[0] & (DAT_FORMAT_MASK | CR0_PAGE_PROTECTION)) << 32 |
                   (c->cr[1] & 0xFFFFFFC0);
    struct space *s = NULL;
    for (unsigned n = 0; n < shadow->spaces && !s; n++)
        if (shadow->space[n].key == key)
            s = &shadow->space[n];
    if (!s)
        s = take(v, c, key);
    s->used = ++shadow->uses;
    return s;
}

static uint32_t cr0_of(struct vmm *v, const struct virtual_cpu *c, const struct space *s) {
    const struct virtual_machine *vm = machine_of(v, c);
    bool own = vm->facilities && c->cr[0] & CR0_PAGE_PROTECTION; /* in the guest's tables */
    bool protection = s->page_shift == 12 && (own || reference(v)->tables[c->guest]);
    return format(s) | (protection ? (uint32_t)CR0_PAGE_PROTECTION : 0);
}

static struct monitor_space select_space(struct vmm *v, struct virtual_cpu *c) {
    struct host_cpu *h = here(v);
    const struct space *s = present(v, c);
    /* The table's length counts 16 entries, minus 1. */
    struct monitor_space to = {
        .cr0 = cr0_of(v, c, s), .cr1 = (uint32_t)(SEGMENTS / 16 - 1) << 24 | s->table, .purge = h->purge_due};
    if (h->purge_due)
        memset(h->seen, 0, sizeof h->seen);
    h->seen[c->guest] |= (uint8_t)(1u << c->address);
    h->purge_due = false;
    return to;
}

/* ---- Tables that are watched ---- */

/* Of a frame of the guest: nothing was made from it; it is protected; or it was, until a store into it. */
enum table_state { TABLE_NONE, TABLE_WATCHED, TABLE_OPEN };

/* Whether [at, at + bytes) of guest real storage lies in this frame of guest absolute storage at least in part. */
static bool lies_in(const struct virtual_cpu *c, uint32_t at, uint32_t bytes, uint32_t frame) {
    return guest_absolute(c, at) / FRAME_BYTES == frame || guest_absolute(c, at + bytes - 1) / FRAME_BYTES == frame;
}

/* Sets or resets the protection bit of every entry of this space that leads to host frame `host`. */
static void protect_in_space(struct vmm *v, struct virtual_cpu *c, struct space *s, uint32_t host, bool protect) {
    uint8_t raw[PAGE_TABLE_BYTES];
    for (uint32_t segment = 0; segment < SEGMENTS; segment++) {
        if (s->entry[segment] == SEGMENT_INVALID)
            continue;
        uint32_t length = pages(s) * 2;
        monitor_fetch(v, page_table(s, segment), raw, length);
        for (uint32_t n = 0; n < length; n += 2) {
            uint16_t entry = bytes_get16(raw + n);
            if (entry & invalid_page(s) || (uint32_t)(entry & 0xFFF0) << 8 != host)
                continue;
            bytes_put16(raw + n, (uint16_t)(protect ? entry | PTE_PROTECTED : entry & ~PTE_PROTECTED));
            stale(v, c);
            monitor_store(v, page_table(s, segment) + n, raw + n, 2);
        }
    }
}

/* In all spaces of the guest. An entry that the guest protects itself stays so: it leads to no table of ours. */
static void protect(struct vmm *v, struct virtual_cpu *c, uint32_t frame, bool on) {
    struct virtual_machine *vm = monitor_guest(v, c->guest);
    uint32_t host = host_real(v, c, frame * FRAME_BYTES);
    reference(v)->tables[c->guest][frame] = on ? TABLE_WATCHED : TABLE_NONE;
    for (unsigned n = 0; n < vm->cpus; n++) {
        struct shadow *shadow = shadow_of(v, &vm->cpu[n]);
        for (unsigned k = 0; k <= shadow->spaces; k++)
            if (shadow->space[k].made && shadow->space[k].page_shift == 12)
                protect_in_space(v, &vm->cpu[n], &shadow->space[k], host, on);
    }
}

/* An entry is being made from a table there. True: it has not been watched before. */
static bool watch(struct vmm *v, struct virtual_cpu *c, uint32_t real) {
    const uint8_t *tables = reference(v)->tables[c->guest];
    uint32_t frame = guest_absolute(c, real) / FRAME_BYTES;
    if (!tables || tables[frame] != TABLE_NONE)
        return false;
    protect(v, c, frame, true);
    return true;
}

/* Everything that was made from tables in this frame. */
static void drop_made_from(struct vmm *v, struct virtual_cpu *c, uint32_t frame) {
    struct shadow *shadow = shadow_of(v, c);
    for (unsigned n = 0; n < shadow->spaces; n++) {
        struct space *s = &shadow->space[n];
        if (!s->key)
            continue;
        uint32_t origin = s->cr1 & 0x00FFFFC0, table = ((s->cr1 >> 24) + 1) * 64;
        if (lies_in(c, origin, s->megabytes ? 64 : table < SEGMENT_TABLE_BYTES ? table : SEGMENT_TABLE_BYTES, frame)) {
            clear(v, c, s);
            continue;
        }
        for (uint32_t segment = 0; segment < SEGMENTS; segment++)
            if (s->entry[segment] != SEGMENT_INVALID &&
                lies_in(c, s->entry[segment] & STE_ORIGIN, s->megabytes ? 512 : 32, frame))
                drop_segment(v, c, s, segment);
    }
}

static void drop_for_all(struct vmm *v, unsigned guest, uint32_t frame) {
    struct virtual_machine *vm = monitor_guest(v, guest);
    for (unsigned n = 0; n < vm->cpus; n++)
        drop_made_from(v, &vm->cpu[n], frame);
}

static void changed(struct vmm *v, struct virtual_cpu *c, uint32_t frame, const char *cause) {
    monitor_cause(v, CAUSE_SHADOW);
    drop_for_all(v, c->guest, frame);
    protect(v, c, frame, false);
    monitor_trace(v, TRACE_SHADOW_PURGE, 0, 0, 0, cause);
}

/* The guest may store into this frame until something else traps. */
static void open_frame(struct vmm *v, const struct virtual_cpu *c, uint32_t frame) {
    struct reference *r = reference(v);
    r->tables[c->guest][frame] = TABLE_OPEN;
    r->opened[c->guest] = true;
}

static void close_frames(struct vmm *v, const struct virtual_cpu *c) {
    struct reference *r = reference(v);
    uint32_t frames = machine_of(v, c)->memory / FRAME_BYTES;
    if (!r->opened[c->guest])
        return;
    r->opened[c->guest] = false;
    for (uint32_t frame = 0; frame < frames; frame++) {
        if (r->tables[c->guest][frame] != TABLE_OPEN)
            continue;
        drop_for_all(v, c->guest, frame);
        r->tables[c->guest][frame] = TABLE_NONE;
    }
}

static void purge(struct vmm *v, struct virtual_cpu *c, const char *cause) {
    monitor_cause(v, CAUSE_SHADOW);
    if (reference(v)->tables[c->guest])
        close_frames(v, c);
    else
        clear_spaces(v, c, cause);
}

static void stored(struct vmm *v, unsigned guest, uint32_t absolute, uint32_t length) {
    const uint8_t *tables = reference(v)->tables[guest];
    if (!tables)
        return;
    for (uint32_t frame = absolute / FRAME_BYTES; frame <= (absolute + length - 1) / FRAME_BYTES; frame++)
        if (tables[frame] == TABLE_WATCHED)
            changed(v, &monitor_guest(v, guest)->cpu[0], frame, "stored for the guest");
}

/* ---- Filling ---- */

/* One page, valid: in a segment that has none yet the whole page table is written, the segment entry last. */
static void fill(struct vmm *v, struct virtual_cpu *c, struct space *s, uint32_t address, uint32_t host,
                 uint32_t guest_entry, uint16_t protection) {
    uint32_t segment = address >> 16, page = (address & 0xFFFF) >> s->page_shift;
    uint16_t entry = (uint16_t)((host >> 8 & (s->page_shift == 12 ? 0xFFF0 : 0xFFF8)) | protection);
    uint8_t raw[PAGE_TABLE_BYTES];
    if (s->entry[segment] == guest_entry) {
        bytes_put16(raw, entry);
        monitor_store(v, page_table(s, segment) + page * 2, raw, 2);
        return;
    }
    /* Made from another entry of the guest's: it changed its segment table and has not purged (yet). */
    if (s->entry[segment] != SEGMENT_INVALID)
        stale(v, c);
    for (uint32_t n = 0; n < pages(s); n++)
        bytes_put16(raw + n * 2, n == page ? entry : invalid_page(s));
    monitor_store(v, page_table(s, segment), raw, pages(s) * 2);
    bytes_put32(raw, STE_WHOLE_TABLE | page_table(s, segment) | (guest_entry & STE_PROTECTED));
    monitor_store(v, s->table + segment * 4, raw, 4);
    s->entry[segment] = guest_entry;
}

/* A page that the guest has mapped outside its storage. That is an addressing exception, but for a store into a
 * protected segment, where protection comes first: there the shadow leads outside the machine's storage too, and the
 * CPU decides. */
static bool fill_hole(struct vmm *v, struct virtual_cpu *c, struct space *s, const struct dat_walk *w) {
    uint32_t end = (monitor_machine(v).memory + FRAME_BYTES - 1) & ~(FRAME_BYTES - 1u);
    if (!w->segment_protected || end >= STORAGE_MOST_BYTES)
        return false;
    fill(v, c, s, w->virtual_address, end, w->segment_entry, 0);
    return true;
}

static bool watch_both(struct vmm *v, struct virtual_cpu *c, const struct dat_walk *w) {
    bool segment = watch(v, c, w->segment_entry_address);
    return watch(v, c, w->page_entry_address) || segment;
}

static unsigned fault(struct vmm *v, struct virtual_cpu *c, uint32_t address) {
    struct space *s = present(v, c);
    struct dat_walk w = {.frame = address};
    bool dat = psw_dat(&c->psw);
    monitor_cause(v, CAUSE_SHADOW);
    if (c->psw.ia != c->dispatched_at) /* it has got further than the store */
        close_frames(v, c);
    uint32_t absolute;
    bool changing; /* another CPU of the guest may have stored into a table before that was watched */
    do {
        enum access x = dat ? guest_walk(v, c, address, &w) : ACCESS_OK;
        if (x != ACCESS_OK)
            return x;
        absolute = guest_absolute(c, w.frame);
        if (absolute >= machine_of(v, c)->memory)
            return fill_hole(v, c, s, &w) ? 0 : ACCESS_ADDRESSING;
        changing = dat && watch_both(v, c, &w) && machine_of(v, c)->cpus > 1;
    } while (changing);
    const uint8_t *tables = reference(v)->tables[c->guest];
    bool protected = w.page_protected || (tables && tables[absolute / FRAME_BYTES] == TABLE_WATCHED);
    fill(v, c, s, address, host_real(v, c, absolute), w.segment_entry, protected ? PTE_PROTECTED : 0);
    monitor_filled(v, c);
    monitor_trace(v, TRACE_SHADOW_FILL, address, w.frame, host_real(v, c, absolute), NULL);
    return 0;
}

/* The page's own protection, unless it is there only because tables lie in the page. */
static unsigned protection(struct vmm *v, struct virtual_cpu *c, uint32_t address) {
    struct dat_walk w = {.real = address};
    monitor_cause(v, CAUSE_SHADOW);
    if (psw_dat(&c->psw)) {
        enum access x = guest_walk(v, c, address, &w);
        if (x != ACCESS_OK)
            return x;
        if (w.page_protected)
            return ACCESS_PROTECTION;
    }
    uint32_t frame = guest_absolute(c, w.real) / FRAME_BYTES;
    changed(v, c, frame, "store into tables");
    open_frame(v, c, frame);
    return 0;
}

/* ---- Single entries ---- */

static void drop_page(struct vmm *v, struct virtual_cpu *c, struct space *s, uint32_t address) {
    uint32_t segment = address >> 16, page = (address & 0xFFFF) >> s->page_shift;
    uint8_t raw[2];
    if (s->entry[segment] == SEGMENT_INVALID)
        return;
    bytes_put16(raw, invalid_page(s));
    stale(v, c);
    monitor_store(v, page_table(s, segment) + page * 2, raw, sizeof raw);
}

/* SPX implies a purge; and what real page 0 and the prefix page are, is different from now on. */
static void prefix(struct vmm *v, struct virtual_cpu *c, uint32_t new_prefix) {
    struct space *real = real_space(shadow_of(v, c));
    clear_spaces(v, c, "SPX");
    drop_page(v, c, real, 0);
    drop_page(v, c, real, c->prefix);
    drop_page(v, c, real, new_prefix);
}

/* One entry: by IPTE on the monitor's own machine, which spares everybody a purge, if CR0 there says the right format.
 */
static void invalidate_page(struct vmm *v, struct virtual_cpu *c, struct space *s, uint32_t segment, uint32_t page) {
    const struct host_cpu *h = here(v);
    uint8_t raw[2];
    monitor_fetch(v, page_table(s, segment) + page * 2, raw, sizeof raw);
    if (bytes_get16(raw) & invalid_page(s))
        return;
    if (!h->loaded || (h->cr0 & DAT_FORMAT_MASK) != format(s)) {
        drop_page(v, c, s, segment << 16 | page << s->page_shift);
        return;
    }
    monitor_set_gpr(v, 0, page_table(s, segment));
    monitor_set_gpr(v, 1, segment << 16 | page << s->page_shift);
    monitor_execute(v, CELL_IPTE, NULL);
}

/* Wherever the page table is part of a space of this CPU, in as many segments as share it. */
static void invalidate_for(struct vmm *v, struct virtual_cpu *c, uint32_t origin, uint32_t index,
                           const struct dat_format *f) {
    struct shadow *shadow = shadow_of(v, c);
    unsigned per_segment = 16 - f->page_shift; /* pages in 64 KB, as a power of two */
    uint32_t page = index & ((1u << per_segment) - 1);
    for (unsigned n = 0; n < shadow->spaces; n++) {
        struct space *s = &shadow->space[n];
        if (!s->key || s->page_shift != f->page_shift || s->megabytes != (f->segment_shift == 20))
            continue;
        for (uint32_t segment = 0; segment < SEGMENTS; segment++) {
            if (s->entry[segment] == SEGMENT_INVALID || (s->entry[segment] & STE_ORIGIN) != origin)
                continue;
            if (s->megabytes && (segment & 15) != index >> per_segment)
                continue;
            invalidate_page(v, c, s, segment, page);
        }
    }
}

static void invalidate(struct vmm *v, struct virtual_cpu *c, uint32_t origin, uint32_t index,
                       const struct dat_format *f) {
    struct virtual_machine *vm = monitor_guest(v, c->guest);
    monitor_cause(v, CAUSE_SHADOW);
    for (unsigned n = 0; n < vm->cpus; n++)
        invalidate_for(v, &vm->cpu[n], origin, index, f);
    monitor_trace(v, TRACE_SHADOW_PURGE, 0, 0, 0, "IPTE");
}

/* ---- Life ---- */

uint32_t shadow_bytes(const struct monitor_options *o) {
    uint32_t bytes = (o->spaces + 1) * SPACE_BYTES;
    return (bytes + FRAME_BYTES - 1) / FRAME_BYTES * FRAME_BYTES;
}

static void release(struct vmm *v, struct virtual_cpu *c) {
    struct reference *r = reference(v);
    struct shadow *s = shadow_of(v, c);
    if (s)
        free(s->space);
    free(s);
    r->shadow[c->guest][c->address] = NULL;
    free(r->tables[c->guest]);
    r->tables[c->guest] = NULL;
}

static bool admit(struct vmm *v, struct virtual_cpu *c, struct error *e) {
    struct reference *r = reference(v);
    const struct monitor_options *o = monitor_options(v);
    int64_t at = monitor_parts(v)->allocator->take(v, c->guest, (o->spaces + 1) * SPACE_BYTES);
    if (at < 0)
        return error_set(e, ERROR_INPUT, "the machine has %u KB, not enough for the shadow tables of a guest, %u KB",
                         monitor_machine(v).memory / 1024, shadow_bytes(o) / 1024);
    struct shadow *s = calloc(1, sizeof *s);
    r->shadow[c->guest][c->address] = s;
    if (s)
        s->space = calloc(o->spaces + 1, sizeof s->space[0]);
    if (o->policy == SHADOW_PROTECT && !r->tables[c->guest])
        r->tables[c->guest] = calloc(machine_of(v, c)->memory / FRAME_BYTES, 1);
    if (!s || !s->space || (o->policy == SHADOW_PROTECT && !r->tables[c->guest]))
        return error_set(e, ERROR_INTERNAL, "no memory for shadow tables");
    s->spaces = o->spaces;
    for (unsigned n = 0; n <= s->spaces; n++) {
        s->space[n].table = (uint32_t)at + n * SPACE_BYTES;
        s->space[n].page_shift = 12;
    }
    return true;
}

const struct monitor_shadow reference_shadow = {
    .admit = admit,
    .release = release,
    .reset = reset,
    .select = select_space,
    .fault = fault,
    .protection = protection,
    .purge = purge,
    .prefix = prefix,
    .invalidate = invalidate,
    .stored = stored,
};

/* ---- Saving and restoring: the tables themselves are in storage ---- */

static void archive_entries(struct space *s, struct archive *a) {
    uint32_t n = 0;
    for (unsigned i = 0; a->loading && i < SEGMENTS; i++)
        s->entry[i] = SEGMENT_INVALID;
    for (;;) {
        while (!a->loading && n < SEGMENTS && s->entry[n] == SEGMENT_INVALID)
            n++;
        archive_u32(a, &n);
        if (a->failed || n >= SEGMENTS)
            return;
        archive_u32(a, &s->entry[n]);
        n += !a->loading;
    }
}

static void archive_space(struct space *s, struct archive *a) {
    archive_same(a, s->table, "where shadow tables are");
    archive_bool(a, &s->made);
    archive_u64(a, &s->key);
    archive_u64(a, &s->used);
    archive_u32(a, &s->cr1);
    archive_u8(a, &s->page_shift);
    archive_bool(a, &s->megabytes);
    if (s->page_shift != 11 && s->page_shift != 12) {
        s->page_shift = 12;
        archive_fail(a, "pages of a shadow are of no size");
    }
    if (s->made)
        archive_entries(s, a);
}

/* Protection may have been given up there or here. */
static void archive_tables(struct vmm *v, unsigned guest, struct archive *a) {
    struct reference *r = reference(v);
    uint32_t frames = monitor_guest(v, guest)->memory / FRAME_BYTES;
    bool present = r->tables[guest] != NULL;
    archive_bool(a, &present);
    if (present && !r->tables[guest] && !(r->tables[guest] = calloc(frames, 1)))
        archive_fail(a, "no memory for shadow tables");
    if (!present) {
        free(r->tables[guest]);
        r->tables[guest] = NULL;
        return;
    }
    archive_bytes(a, r->tables[guest], r->tables[guest] ? frames : 0);
    for (uint32_t n = 0; r->tables[guest] && n < frames; n++)
        if (r->tables[guest][n] > TABLE_OPEN)
            archive_fail(a, "frame %u of a guest is in no state", n);
}

void shadow_archive(struct vmm *v, struct archive *a) {
    for (unsigned guest = 0; guest < monitor_guests(v) && !a->failed; guest++) {
        archive_tables(v, guest, a);
        archive_bool(a, &reference(v)->opened[guest]);
        if (reference(v)->opened[guest] && !reference(v)->tables[guest])
            archive_fail(a, "guest %u has opened a table that nobody watches", guest);
        for (unsigned n = 0; n < monitor_guest(v, guest)->cpus; n++) {
            struct shadow *s = reference(v)->shadow[guest][n];
            archive_u64(a, &s->uses);
            for (unsigned k = 0; k <= s->spaces; k++)
                archive_space(&s->space[k], a);
        }
    }
}
