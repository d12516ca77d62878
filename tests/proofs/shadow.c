/* vmm/reference/shadow.c: that whatever a shadow has valid is what the guest's tables say, taken through the guest's
 * prefix and the allocator's map.
 *
 * The proof is by induction, so it holds for sequences of any length: each function below takes ANY state of a
 * shadow in which the invariant holds, calls ONE entry of the shadow part, and claims that the invariant holds again.
 * The invariant is about one virtual address and one translation of it, `any` of them, so about all.
 *
 * reset() is where the induction begins. Included is the source itself, for its structs. What it calls is real, too
 * (access.c, allocator.c, mmu/dat.c); stubs are the calls to the machine. Storage is modelled by what decides about
 * that one address: two entries in the guest's tables, and two in the shadow's tables for each space. All else in
 * storage is any value, at each fetch another one: more than storage can do, so what is proved holds for storage, too.
 *
 * Bounds: one virtual CPU, policy purge, SPACES cached spaces, and the SEGMENTS that the script has set. */
#include "vmm/reference/shadow.c"
#include "tests/proofs/translation.h"

enum {
    SPACES = 1,
    REAL = SPACES, /* the map of guest real storage */
    VIRTUAL_END = SEGMENTS << 16,
};

/* ---- The world ---- */

static struct virtual_machine guest;
static struct reference monitor;
static struct shadow shadow;
static struct space space[SPACES + 1];
static struct monitor_options options;
static uint32_t host_memory;

/* What is looked at. */
static struct {
    uint32_t va;
    uint32_t segment_entry, segment_at; /* the guest's, in its present space; host real, */
    uint16_t page_entry;
    uint32_t page_at;
    unsigned segment_code, page_code;                                   /* how fetching them ends */
    uint32_t shadow_segment[SPACES + 1], shadow_segment_at[SPACES + 1]; /* of each space: the same in its tables */
    uint16_t shadow_page[SPACES + 1];
    uint32_t shadow_page_at[SPACES + 1];
    bool invalidated[SPACES + 1]; /* by IPTE of the machine */
    uint32_t gpr[2];
} look;

static struct virtual_cpu *cpu(void) { return &guest.cpu[0]; }

/* ---- The calls to the monitor's machine ---- */

struct virtual_machine *monitor_guest(struct vmm *v, unsigned index) {
    return &guest;
}
void *monitor_private(const struct vmm *v) { return &monitor; }
const struct monitor_options *monitor_options(const struct vmm *v) { return &options; }
struct monitor_machine monitor_machine(const struct vmm *v) {
    return (struct monitor_machine){.memory = host_memory};
}
void monitor_cause(struct vmm *v, enum cycle_cause cause) {}
void monitor_filled(struct vmm *v, const struct virtual_cpu *c) {}
void monitor_trace(struct vmm *v, enum trace_kind kind, uint64_t a, uint64_t b, uint64_t c, const char *text) {}
static void hold(struct vmm *v, struct virtual_cpu *c) {}
static const struct monitor_dispatcher dispatcher = {.hold = hold};
static const struct monitor_parts parts = {
    .dispatcher = &dispatcher, .allocator = &reference_allocator, .shadow = &reference_shadow};
const struct monitor_parts *monitor_parts(const struct vmm *v) { return &parts; }

enum access monitor_fetch(struct vmm *v, uint32_t host, void *to, uint32_t length) {
    uint8_t *bytes = to;
    claim(length == 2 || length == 4, "an entry is fetched");
    if (length == 4) {
        uint32_t entry = host == look.segment_at ? look.segment_entry : any_u32();
        bytes_put32(bytes, entry);
        return ACCESS_OK;
    }
    uint16_t entry = host == look.page_at ? look.page_entry : any_u16();
    for (unsigned n = 0; n <= SPACES; n++)
        if (host == look.shadow_page_at[n])
            entry = look.shadow_page[n];
    bytes_put16(bytes, entry);
    return ACCESS_OK;
}

static uint16_t get16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static uint32_t get32(const uint8_t *p) { return (uint32_t)get16(p) << 16 | get16(p + 2); }

enum access monitor_store(struct vmm *v, uint32_t host, const void *from, uint32_t length) {
    const uint8_t *bytes = from;
    for (unsigned n = 0; n <= SPACES; n++) {
        uint32_t segment = look.shadow_segment_at[n] - host, page = look.shadow_page_at[n] - host;
        if (length == 2 ? page == 0 : page < length)
            look.shadow_page[n] = get16(bytes + (length == 2 ? 0 : page));
        if (length == 4 ? segment == 0 : segment < length)
            look.shadow_segment[n] = get32(bytes + (length == 4 ? 0 : segment));
    }
    return ACCESS_OK;
}

void monitor_set_gpr(struct vmm *v, unsigned n, uint32_t value) { look.gpr[n] = value; }

/* IPTE, in the format that CR0 of the machine has. */
unsigned monitor_execute(struct vmm *v, enum supervisor_cell cell, unsigned *cc) {
    claim(cell == CELL_IPTE, "IPTE");
    struct lookup l = lookup(here(v)->cr0, 0, look.gpr[1]);
    claim(l.f, "IPTE in a valid format");
    for (unsigned n = 0; n <= SPACES; n++)
        if (page_entry_at(&l, look.gpr[0]) == look.shadow_page_at[n]) {
            look.shadow_page[n] |= (uint16_t)(0x8000u >> l.f->invalid);
            look.invalidated[n] = true;
        }
    return 0;
}

/* ---- What should be: the guest's translation followed by the host's ---- */

static uint32_t absolute_of(uint32_t real) {
    uint32_t block = bits(real, 8, 19) << 12, prefix = cpu()->prefix;
    return block == 0 ? prefix + real : block == prefix ? real - prefix : real;
}
static uint32_t host_of(uint32_t real) { return monitor.frames.origin[0] + absolute_of(real); }
static bool outside(uint32_t real) { return absolute_of(real) >= guest.memory; }

/* The product of two translations of `look.va`. OUTSIDE: of the machine's storage. */
struct product {
    unsigned code;
    uint32_t host;
    bool segment_protected, page_protected;
};
static bool same(struct product a, struct product b) {
    return a.code == b.code && (a.code || (a.host == b.host && a.segment_protected == b.segment_protected &&
                                           a.page_protected == b.page_protected));
}

static uint32_t guest_cr0(void) {
    return guest.facilities ? cpu()->cr[0] : cpu()->cr[0] & ~(uint32_t)CR0_PAGE_PROTECTION;
}

/* A store into a protected segment is a protection exception, tested before the address is: so the shadow leads out of
 * the machine's storage, too, where the machine's addresses leave room. */
enum { OUTSIDE = STORAGE_MOST_BYTES };
static struct product outside_of(bool segment_protected) {
    if (!segment_protected || host_memory > STORAGE_MOST_BYTES - FRAME_BYTES)
        return (struct product){.code = ACCESS_ADDRESSING};
    return (struct product){.host = OUTSIDE, .segment_protected = true};
}

static struct product should_be(void) {
    if (!psw_dat(&cpu()->psw))
        return outside(look.va) ? outside_of(false) : (struct product){.host = host_of(look.va)};
    struct translation t = translation(guest_cr0(), cpu()->cr[1], look.va, look.segment_entry, look.segment_code,
                                       look.page_entry, look.page_code);
    if (t.code)
        return (struct product){.code = t.code};
    if (outside(t.real))
        return outside_of(t.segment_protected);
    return (struct product){
        .host = host_of(t.real), .segment_protected = t.segment_protected, .page_protected = t.page_protected};
}

/* What the machine makes of it under the tables of a space. */
static uint32_t shadow_cr0(const struct space *s) {
    uint32_t format = s->page_shift == 12 ? 0x00800000 : 0x00400000;
    bool facility = s->page_shift == 12 && guest.facilities && bits(cpu()->cr[0], 28, 28);
    return facility ? format + CR0_PAGE_PROTECTION : format;
}
static struct product is(unsigned n) {
    const struct space *s = &space[n];
    struct translation t =
        translation(shadow_cr0(s), 0xFF000000 + s->table, look.va, look.shadow_segment[n], 0, look.shadow_page[n], 0);
    return (struct product){t.code, t.real < host_memory ? t.real : OUTSIDE, t.segment_protected, t.page_protected};
}
static bool nothing(struct product p) { return p.code == ACCESS_SEGMENT || p.code == ACCESS_PAGE; }

/* ---- The invariant ---- */

static uint64_t present_key(void) {
    return UINT64_C(1) << 63 | (uint64_t)(cpu()->cr[0] & (DAT_FORMAT_MASK | CR0_PAGE_PROTECTION)) << 32 |
           (cpu()->cr[1] & 0xFFFFFFC0);
}

/* Of the space's books, and the tables that the machine sees: */
static bool books_hold(unsigned n, struct product is) {
    const struct space *s = &space[n];
    uint32_t entry = s->entry[look.va >> 16];
    uint32_t table = s->table + SEGMENTS * 4 + (look.va >> 16) * 64;
    if (!s->made)
        return n != REAL && s->key == 0;
    if (entry == SEGMENT_INVALID)
        return look.shadow_segment[n] == SEGMENT_INVALID;
    if (look.shadow_segment[n] != (0xF0000000 | table | (entry & 4)) || (n == REAL && entry != 0))
        return false;
    return is.code == 0 || is.code == ACCESS_PAGE;
}

/* and of what they say: `meaning` is any translation; `said` is that the guest's tables have had it since it last
 * purged. Then the architecture lets a TLB have it. */
static struct product meaning;
static bool said;

static unsigned page_shift(const struct format *f) { return f && f->byte[0] == 21 ? 11 : 12; }
static bool format_holds(void) {
    const struct space *s = &space[0];
    const struct format *f = format_of(cpu()->cr[0]);
    if (s->key != present_key())
        return true;
    if (s->cr1 >> 6 != cpu()->cr[1] >> 6)
        return false;
    if (!f)
        return s->page_shift == 12 && s->entry[look.va >> 16] == SEGMENT_INVALID;
    return s->page_shift == page_shift(f) && s->megabytes == (f->segment[1] == 11);
}
static bool translations_hold(struct product p) {
    return space[0].key != present_key() || nothing(p) || !same(p, meaning) || said;
}
/* DAT off: nothing is ever stale. */
static bool real_map_holds(struct product p) {
    return nothing(p) || same(p, outside(look.va) ? outside_of(false) : (struct product){.host = host_of(look.va)});
}

static bool invariant(struct product space, struct product real) {
    return books_hold(0, space) && books_hold(REAL, real) && format_holds() && translations_hold(space) &&
           real_map_holds(real);
}

/* ---- Any state ---- */

static void any_guest(bool dat) {
    struct virtual_machine *vm = &guest;
    struct virtual_cpu *c = cpu();
    vm->cpus = 1;
    vm->memory = any_or(any_u32(), 0x10000);
    vm->facilities = any_bool();
    c->psw = (struct psw){.state = PSW_EC, .system_mask = dat ? PSW_EC_DAT : 0};
    c->cr[0] = any_u32();
    c->cr[1] = any_u32();
    c->prefix = any_or(any_u32(), 0x3000);
    assume(vm->memory > 0 && vm->memory <= STORAGE_MOST_BYTES && vm->memory % FRAME_BYTES == 0);
    assume(c->prefix < vm->memory && c->prefix % FRAME_BYTES == 0);
}

static void any_host(void) {
    struct reference *r = &monitor;
    host_memory = any_or(any_u32(), 0x40800);
    r->frames.memory[0] = guest.memory;
    r->frames.origin[0] = any_or(any_u32(), 0x20000);
    assume(host_memory <= STORAGE_MOST_BYTES && r->frames.origin[0] <= STORAGE_MOST_BYTES);
    assume(r->frames.origin[0] % FRAME_BYTES == 0 && r->frames.origin[0] + guest.memory <= host_memory);
    r->cpus = 1;
    r->here = &r->cpu[0];
    r->cpu[0].loaded = any_bool();
    r->cpu[0].cr0 = any_u32();
    r->cpu[0].purge_due = any_bool();
    options = (struct monitor_options){.spaces = SPACES};
}

static void any_shadow(void) {
    monitor.shadow[0][0] = &shadow;
    shadow = (struct shadow){.spaces = SPACES, .space = space, .uses = any_u64()};
    uint32_t first = any_or(any_u32(), 0x1000);
    assume(first < STORAGE_MOST_BYTES / 2 && first % FRAME_BYTES == 0);
    for (unsigned n = 0; n <= SPACES; n++) {
        struct space *s = &space[n];
        s->table = first + n * SPACE_BYTES;
        s->made = any_bool();
        s->key = any_u64();
        s->used = any_u64();
        s->cr1 = any_u32();
        s->page_shift = n == REAL || any_bool() ? 12 : 11;
        s->megabytes = n != REAL && any_bool();
        for (unsigned k = 0; k < SEGMENTS; k++)
            s->entry[k] = any_u32();
    }
    /* The allocator's: tables are not in the guest's storage. */
    uint32_t origin = monitor.frames.origin[0];
    assume(first + (SPACES + 1) * SPACE_BYTES <= origin || first >= origin + guest.memory);
}

static void any_look(void) {
    const struct format *f = format_of(cpu()->cr[0]);
    struct lookup l;
    look.va = any_u32();
    assume(look.va < VIRTUAL_END);
    look.segment_entry = any_u32();
    look.page_entry = any_u16();
    l = lookup(cpu()->cr[0], cpu()->cr[1], look.va);
    look.segment_at = host_of(l.segment_at);
    look.page_at = host_of(page_entry_at(&l, look.segment_entry));
    look.segment_code = outside(l.segment_at) ? ACCESS_ADDRESSING : 0;
    look.page_code = outside(page_entry_at(&l, look.segment_entry)) ? ACCESS_ADDRESSING : 0;
    for (unsigned n = 0; n <= SPACES; n++) {
        uint32_t segment = look.va >> 16, byte = look.va & 0xFFFF;
        look.shadow_segment[n] = any_u32();
        look.shadow_page[n] = any_u16();
        look.shadow_segment_at[n] = space[n].table + segment * 4;
        look.shadow_page_at[n] =
            space[n].table + SEGMENTS * 4 + segment * 64 + (byte >> page_shift(n == REAL ? NULL : f)) * 2;
    }
    meaning = (struct product){any_u32(), any_u32(), any_bool(), any_bool()};
    said = any_bool();
}

/* Before an operation: the invariant holds, and what the tables say now, they have said. */
static struct {
    struct product should_be, space, real;
    uint32_t segment; /* entries of the space that will be used */
    uint16_t page;
    bool valid;
} before;
static bool purged; /* the machine's TLB, when the guest goes on */

static void any_state(bool dat) {
    any_guest(dat);
    any_host();
    any_shadow();
    any_look();
    before.should_be = should_be();
    before.space = is(0);
    before.real = is(REAL);
}

static void anything(bool dat) {
    any_state(dat);
    assume(invariant(before.space, before.real));
    assume(!dat || !same(before.should_be, meaning) || said);
    unsigned n = dat ? 0 : REAL;
    before.segment = space[n].made ? look.shadow_segment[n] : SEGMENT_INVALID;
    before.page = look.shadow_page[n];
    before.valid = space[n].made && (dat ? before.space : before.real).code == 0;
}

/* Afterwards. TLBs of the machine may have what was valid: it is purged unless that was left as it was, or was
 * invalidated by the machine's IPTE. */
static struct product claim_invariant(unsigned n) {
    struct product space = is(0), real = is(REAL), now = n == REAL ? real : space;
    show("virtual address", look.va);
    show("CR0", cpu()->cr[0]);
    show("CR1", cpu()->cr[1]);
    show("prefix", cpu()->prefix);
    show("guest's storage, bytes", guest.memory);
    show("guest's storage, origin", monitor.frames.origin[0]);
    show("guest's segment-table entry", look.segment_entry);
    show("guest's page-table entry", look.page_entry);
    show("shadow's segment-table entry before", before.segment);
    show("shadow's page-table entry before", before.page);
    show("shadow's segment-table entry", look.shadow_segment[n]);
    show("shadow's page-table entry", look.shadow_page[n]);
    show("should be: code", before.should_be.code);
    show("should be: host real", before.should_be.host);
    show("is: code", now.code);
    show("is: host real", now.host);
    claim(books_hold(0, space) && books_hold(REAL, real), "the books are those of the tables");
    claim(format_holds(), "the space is of its format");
    claim(translations_hold(space), "what is valid, the guest's tables have said since its purge");
    claim(real_map_holds(real), "the map of real storage is prefixing and the allocator's map");
    bool left = (before.segment & 1 || look.shadow_segment[n] == before.segment) &&
                (!before.valid || look.shadow_page[n] == before.page || look.invalidated[n]);
    claim(left || purged || monitor.cpu[0].purge_due, "what was valid and is not any more, TLBs do not keep");
    return now;
}

/* ---- The operations ---- */

static uint32_t any_address(void) {
    uint32_t address = any_u32();
    assume(address < VIRTUAL_END);
    return address;
}

/* The beginning: nothing is assumed. */
void begin(void) {
    any_state(any_bool());
    reference_shadow.reset(NULL, cpu());
    claim_invariant(0);
    claim(nothing(is(REAL)), "nothing is valid");
    claim(space[0].key == 0, "nor is there a space");
}

/* Which tables the machine is given: those that are looked at. */
static void select_tables(bool dat) {
    unsigned n = dat ? 0 : REAL;
    anything(dat);
    bool known = space[n].made && (!dat || space[n].key == present_key());
    struct monitor_space to = reference_shadow.select(NULL, cpu());
    purged = to.purge;
    struct product now = claim_invariant(n);
    claim(!dat || space[0].key == present_key(), "it is the guest's present space");
    claim(known ? look.shadow_segment[n] == before.segment && look.shadow_page[n] == before.page : nothing(now),
          "a space that is known keeps what is valid; another begins empty");
    struct lookup l = lookup(to.cr0, to.cr1, look.va);
    claim(to.cr0 == shadow_cr0(&space[n]) && l.segment_at == look.shadow_segment_at[n] && !l.beyond_segments &&
              (now.code == ACCESS_SEGMENT || page_entry_at(&l, look.shadow_segment[n]) == look.shadow_page_at[n]),
          "the machine finds these tables");
}
void select_with_dat(void) { select_tables(true); }
void select_without_dat(void) { select_tables(false); }

/* A missing page, where the guest translates: at the address that is looked at, or at any other. */
void fill_with_dat(void) {
    anything(true);
    uint32_t address = any_address();
    const struct format *f = format_of(cpu()->cr[0]);
    bool here = address >> page_shift(f) == look.va >> page_shift(f);
    assume(!here || space[0].key != present_key() || nothing(before.space)); /* or it would not be missing */
    unsigned code = reference_shadow.fault(NULL, cpu(), address);
    show("missing address", address);
    show("its code", code);
    struct product now = claim_invariant(0);
    claim(!here || code == before.should_be.code, "the guest gets the exception of its own tables, or none");
    claim(!here || code || same(now, before.should_be),
          "the shadow's translation is the guest's followed by the host's");
    claim(!here || !code || nothing(now), "nothing is filled where the guest gets an exception");
}

void fill_without_dat(void) {
    anything(false);
    uint32_t address = any_address();
    bool here = address >> 12 == look.va >> 12;
    assume(!here || nothing(before.real));
    unsigned code = reference_shadow.fault(NULL, cpu(), address);
    show("missing address", address);
    show("its code", code);
    struct product now = claim_invariant(REAL);
    claim(!here || code == (outside(look.va) ? ACCESS_ADDRESSING : 0), "an exception just outside of storage");
    claim(!here || code || now.code == 0, "the page is there");
}

/* PTLB. */
void purge_all(void) {
    anything(true);
    reference_shadow.purge(NULL, cpu(), "PTLB");
    struct product now = claim_invariant(0);
    claim(space[0].key != present_key() || nothing(now), "nothing is left");
}

/* IPTE of the entry `index` in the table at `origin`. */
void invalidate_one(void) {
    anything(true);
    const struct format *f = format_of(cpu()->cr[0]);
    assume(f);
    struct dat_format format = {page_shift(f), f->segment[1] == 11 ? 20 : 16};
    uint32_t origin = any_u32() & STE_ORIGIN, index = any_u32();
    assume(index < 1u << (format.segment_shift - format.page_shift));
    struct lookup l = lookup(cpu()->cr[0], cpu()->cr[1], look.va);
    uint32_t entry = space[0].entry[look.va >> 16];
    bool made_from = entry != SEGMENT_INVALID && (entry & STE_ORIGIN) == origin && l.page == index;
    struct host_cpu *h = &monitor.cpu[0];
    reference_shadow.invalidate(NULL, cpu(), origin, index, &format);
    show("page table", origin);
    show("page index", index);
    struct product now = claim_invariant(0);
    claim(space[0].key != present_key() || !made_from || nothing(now), "what was made from the entry is gone");
    claim(made_from || look.shadow_page[0] == before.page || space[0].key != present_key(), "and nothing else");
}

/* SPX. The interpreter sets the new prefix afterwards. */
void change_prefix(void) {
    bool dat = any_bool();
    anything(false);
    uint32_t prefix = any_u32();
    assume(prefix % FRAME_BYTES == 0 && prefix < guest.memory);
    assume(cpu()->prefix < VIRTUAL_END && prefix < VIRTUAL_END);
    reference_shadow.prefix(NULL, cpu(), prefix);
    cpu()->prefix = prefix;
    show("new prefix", prefix);
    claim_invariant(REAL);
    claim(space[0].key != present_key() || nothing(is(0)), "nothing is left of what was made with the old prefix");
}
