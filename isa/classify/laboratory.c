/* States set up on bare machines, one instruction at a time. The machines are real ones, and machine_run executes; but
 * states are laid out, and resources observed, where nobody is meant to look: in the machine's own data. */
#include "isa/classify/laboratory.h"

#include <stddef.h>
#include <stdio.h>

#include "isa/disk.h"

enum {
    TRIAL_CYCLES = 1000000, /* more than an instruction takes: from one moment to the next */
    TABLE_BYTES = 0x200,    /* of one location: segment table, page table */
    PAGE_TABLE = 0x100,
    PAGE_INVALID = 0x0008,
    MAP_NONE = -1,
};
/* Where the program's frames lie, and those to which a changed table leads. */
static const uint32_t base[LOCATIONS] = {0x2000, 0x5000}, spare = 0x8000;

const uint16_t lab_device_address[LAB_DEVICES] = {ADDRESS_CONSOLE, ADDRESS_READER, ADDRESS_PRINTER, ADDRESS_DISK};

/* ---- Life ---- */

static bool attach_disk(struct laboratory *l, struct machine *m, struct error *e) {
    struct disk_backing backing;
    return disk_backing_memory(&backing, 64, e) && machine_attach(m, ADDRESS_DISK, disk_new(&l->model, &backing), e);
}

bool laboratory_open(struct laboratory *l, enum profile profile, struct error *e) {
    *l = (struct laboratory){.clock = TRIAL_CYCLES};
    if (!cost_model_find(&l->model, "flat", e))
        return false;
    const struct machine_options o = {.name = "laboratory",
                                      .memory_bytes = LAB_MEMORY,
                                      .cpus = LAB_CPUS,
                                      .model = &l->model,
                                      .nominal_time = true,
                                      .profile = profile};
    for (int n = 0; n < 2; n++)
        if (!(l->machine[n] = machine_new(&o, e)))
            return false;
    return attach_disk(l, l->machine[1], e);
}

void laboratory_close(struct laboratory *l) {
    for (int n = 0; n < 2; n++)
        machine_free(l->machine[n]);
}

void laboratory_next(struct laboratory *l) { l->clock += TRIAL_CYCLES; }

/* ---- Setting up ---- */

/* Page 0 is real page 0: the prefix page. */
static void put_tables(uint8_t *image, enum lab_location at, uint32_t frames) {
    uint8_t *table = image + LAB_TABLES + at * TABLE_BYTES;
    for (int n = 0; n < 16; n++) {
        bytes_put32(table + 4 * n, 1); /* invalid */
        bytes_put16(table + PAGE_TABLE + 2 * n, PAGE_INVALID);
    }
    bytes_put32(table, 0xF0000000u | (LAB_TABLES + at * TABLE_BYTES + PAGE_TABLE));
    for (uint32_t n = 0; n < LAB_PAGES; n++)
        bytes_put16(table + PAGE_TABLE + 2 * n, (uint16_t)((n ? frames + n * 4096 : 0) >> 8));
}

static void put_storage(struct laboratory *l, struct machine *m, const struct lab_state *s, enum lab_location at) {
    memset(l->image, s->others_byte, LAB_MEMORY);
    put_tables(l->image, LOCATION_A, base[LOCATION_A]);
    put_tables(l->image, LOCATION_B, base[LOCATION_B]);
    memcpy(l->image + base[at], s->contents, LAB_BYTES);
    /* Only where it changes: states of a trial are much alike, and code that stays is not decoded again. */
    for (uint32_t n = 0; n < LAB_MEMORY; n += STORAGE_BLOCK_BYTES)
        if (memcmp(m->storage->bytes + n, l->image + n, STORAGE_BLOCK_BYTES) != 0)
            storage_write(m->storage, n, l->image + n, STORAGE_BLOCK_BYTES);
    memcpy(m->storage->keys, s->others_keys, LAB_MEMORY_BLOCKS);
    memcpy(storage_key(m->storage, base[at]), s->keys, LAB_BLOCKS);
}

static void put_clock(struct processor *p, uint64_t clock) {
    p->horizon = p->flushed_nominal = clock;
    p->remaining = 0;
    p->interval_ticks = clock_ticks(clock);
}

static void put_processor(struct processor *p, const struct lab_state *s, enum lab_location at, bool problem,
                          uint64_t clock) {
    struct machine_state state = {.psw = s->psw, .prefix = base[at]};
    memcpy(state.gpr, s->gpr, sizeof state.gpr);
    memcpy(state.cr, s->cr, sizeof state.cr);
    state.cr[1] = LAB_TABLES + at * TABLE_BYTES;
    state.psw.state = (uint8_t)(state.psw.state | (problem ? PSW_PROBLEM : 0));
    machine_cpu_set_state(p->machine, p->address, &state);
    p->condition = PROCESSOR_OPERATING;
    p->last_code = 0;
    p->comparator = s->comparator;
    p->timer_value = s->timer;
    p->timer_set = clock_units(clock);
}

static void put_other_processor(struct processor *p, const struct lab_state *s) {
    static const struct machine_state waits = {.psw = {.state = PSW_EC | PSW_WAIT}};
    machine_cpu_set_state(p->machine, p->address, &waits);
    p->condition = s->other_cpu.condition;
    memcpy(p->signals, s->other_cpu.signals, sizeof p->signals);
}

static void put_device(struct channel_set *c, uint16_t address, enum lab_device_state state) {
    enum { STATUS = (UNIT_CHANNEL_END | UNIT_DEVICE_END) << 24 };
    if (state == DEVICE_ATTENTION)
        channel_attention(c, address);
    if (state == DEVICE_BUSY || state == DEVICE_ENDED)
        channel_outside_begin(c, address);
    if (state == DEVICE_ENDED)
        channel_outside_end(c, address, STATUS, CHANNEL_ENDED);
}

/* The TLB keeps what the tables no longer say. */
static void make_stale(struct laboratory *l, struct processor *p, enum lab_location at) {
    for (uint32_t page = 0; page < LAB_PAGES; page++) {
        uint32_t absolute;
        access_locate(p, page * 4096, ACCESS_FETCH, &absolute);
    }
    p->charged = 0;
    put_tables(l->image, at, spare);
    storage_write(p->storage, LAB_TABLES, l->image + LAB_TABLES, LOCATIONS * TABLE_BYTES);
}

static struct processor *set_up(struct laboratory *l, const struct lab_state *s, enum lab_location at, bool problem) {
    struct machine *m = l->machine[s->has_disk];
    channel_reset(m->channels);
    for (unsigned n = 0; n < LAB_CPUS; n++) {
        cpu_reset(m->cpu[n]);
        m->cpu[n]->order = 0;
        put_clock(m->cpu[n], l->clock);
    }
    timeline_advance(m->timeline, l->clock * CYCLE_PICOSECONDS);
    struct processor *p = m->cpu[s->cpu];
    m->tod_epoch = s->tod - clock_units(l->clock);
    m->tod_clock = l->clock;
    m->status = MACHINE_READY;
    m->started = true;
    m->current = p;
    m->turn_end = UINT64_MAX;
    put_storage(l, m, s, at);
    put_other_processor(m->cpu[1 - s->cpu], s);
    put_processor(p, s, at, problem, l->clock);
    for (unsigned n = 0; n < LAB_DEVICES; n++)
        put_device(m->channels, lab_device_address[n], s->device[n]);
    if (s->stale)
        make_stale(l, p, at);
    return p;
}

/* ---- Observing ---- */

static enum access peek(void *self, uint32_t real, void *to, uint32_t length) {
    struct processor *p = self;
    uint32_t absolute = storage_prefix(real, p->prefix);
    if (!storage_has(p->storage, absolute, length))
        return ACCESS_ADDRESSING;
    storage_read(p->storage, absolute, to, length);
    return ACCESS_OK;
}

/* By the TLB, of which this is a copy so that it is not touched itself, or by the tables. */
static uint32_t absolute_of(struct processor *p, struct tlb *copy, uint32_t page) {
    struct tlb_entry displaced;
    struct dat_walk w;
    uint32_t real = page;
    if (psw_dat(&p->psw)) {
        const struct tlb_entry *e =
            p->format_valid ? tlb_find(copy, p->space, page, p->format.page_shift, &displaced) : NULL;
        if (e)
            real = e->frame;
        else if (dat_translate(p->cr[0], p->cr[1], page, peek, p, &w) == ACCESS_OK)
            real = w.real;
        else
            return (uint32_t)MAP_NONE;
    }
    return storage_prefix(real, p->prefix);
}

static void observe(const struct laboratory *l, struct processor *p, struct lab_resources *r) {
    const struct machine *m = p->machine;
    uint64_t clock = processor_clock(p);
    memset(r, 0, sizeof *r);
    memcpy(r->cr, p->cr, sizeof r->cr);
    r->cr[8] = 0;
    r->prefix = p->prefix;
    struct tlb copy = p->tlb;
    for (uint32_t n = 0; n < LAB_PAGES; n++)
        r->map[n] = absolute_of(p, &copy, n * 4096);
    r->clock_setting = clock_tod(p) - (clock_units(clock) - clock_units(l->clock));
    r->comparator = p->comparator;
    r->timer_setting = clock_timer(p) + (clock_units(clock) - clock_units(l->clock));
    for (unsigned n = 0; n < LAB_DEVICES; n++)
        r->device[n] = channel_observe(m->channels, lab_device_address[n]);
    for (unsigned n = 0; n < LAB_CPUS; n++) {
        const struct processor *q = m->cpu[n];
        r->processors[n] = (uint32_t)q->condition << 28 | (uint32_t)q->order << 24 |
                           (uint32_t)q->signals[SIGNAL_EMERGENCY] << 16 |
                           (uint32_t)q->signals[SIGNAL_EXTERNAL_CALL] << 8 | q->signals[SIGNAL_MALFUNCTION_ALERT];
    }
    memcpy(r->keys, m->storage->keys, sizeof r->keys);
    r->system_mask = p->psw.system_mask;
    r->psw_key = p->psw.key;
    r->psw_state = p->psw.state & (uint8_t)~PSW_PROBLEM;
}

/* Recording references and changes is the machine's own doing in every access; turning a bit off is not. */
static void forgive_recording(const struct lab_resources *before, struct lab_resources *after) {
    for (unsigned n = 0; n < LAB_MEMORY_BLOCKS; n++)
        after->keys[n] &= (uint8_t) ~((KEY_REFERENCE | KEY_CHANGE) & ~before->keys[n]);
}

static void compare_others(const struct laboratory *l, const struct machine *m, enum lab_location at,
                           struct lab_result *r) {
    const uint8_t *now = m->storage->bytes;
    const struct { uint32_t from, to; } parts[] = {{0, base[at]}, {base[at] + LAB_BYTES, LAB_MEMORY}};
    r->others_changed = false;
    for (int n = 0; n < 2 && !r->others_changed; n++) {
        if (memcmp(now + parts[n].from, l->image + parts[n].from, parts[n].to - parts[n].from) == 0)
            continue;
        uint32_t i = parts[n].from;
        while (now[i] == l->image[i])
            i++;
        r->others_changed = true;
        snprintf(r->others.name, sizeof r->others.name, "absolute storage %06X, not the program's", i);
        snprintf(r->others.a, sizeof r->others.a, "%02X", l->image[i]);
        snprintf(r->others.b, sizeof r->others.b, "%02X", now[i]);
    }
}

/* ---- Running ---- */

void laboratory_run(struct laboratory *l, const struct lab_state *s, enum lab_location at, bool problem,
                    struct lab_result *r) {
    static const struct machine_limits one = {.instructions = 1};
    struct processor *p = set_up(l, s, at, problem);
    struct machine *m = p->machine;
    r->end = LAB_NOT_RUN;
    if (interrupt_waiting(p))
        return;
    observe(l, p, &r->before);
    uint64_t traps = m->interruptions[INTERRUPTION_PROGRAM], calls = m->interruptions[INTERRUPTION_SVC];
    machine_run(m, &one);
    bool called = m->interruptions[INTERRUPTION_SVC] != calls;
    r->end = called || m->interruptions[INTERRUPTION_PROGRAM] != traps ? LAB_TRAPPED : LAB_COMPLETED;
    r->code = r->end == LAB_COMPLETED ? 0 : called ? (unsigned)LAB_SVC : p->last_code;
    memcpy(r->contents, m->storage->bytes + base[at], LAB_BYTES);
    memcpy(r->gpr, p->gpr, sizeof r->gpr);
    r->ia = p->psw.ia;
    r->cc = p->psw.cc;
    r->program_mask = p->psw.program_mask;
    r->problem = psw_problem(&p->psw);
    observe(l, p, &r->after);
    forgive_recording(&r->before, &r->after);
    compare_others(l, m, at, r);
}

bool lab_memory_trap(const struct lab_result *r) {
    return r->end == LAB_TRAPPED &&
           (r->code == ACCESS_PROTECTION || r->code == ACCESS_ADDRESSING || r->code == ACCESS_SEGMENT ||
            r->code == ACCESS_PAGE || r->code == ACCESS_TRANSLATION_SPECIFICATION);
}

/* ---- Comparing ---- */

enum unit_kind { UNIT_IS_HEX, UNIT_IS_DEVICE, UNIT_IS_PROCESSOR };
enum numbering { NUMBERED_NOT, NUMBERED, NUMBERED_ADDRESS, NUMBERED_DEVICE };

/* The parts of an observation: arrays of `count` numbers of 1, 4 or 8 bytes. */
static const struct {
    const char *name;
    uint16_t offset;
    uint8_t bytes, count;
    enum unit_kind kind;
    enum numbering numbering;
    uint16_t step; /* the number in the name: this times the index */
} parts[] = {
#define PART(member) offsetof(struct lab_resources, member)
    {"system mask", PART(system_mask), 1, 1, UNIT_IS_HEX, NUMBERED_NOT, 0},
    {"PSW key", PART(psw_key), 1, 1, UNIT_IS_HEX, NUMBERED_NOT, 0},
    {"PSW bits 12-14", PART(psw_state), 1, 1, UNIT_IS_HEX, NUMBERED_NOT, 0},
    {"control register", PART(cr), 4, 16, UNIT_IS_HEX, NUMBERED, 1},
    {"prefix", PART(prefix), 4, 1, UNIT_IS_HEX, NUMBERED_NOT, 0},
    {"frame in effect for page", PART(map), 4, LAB_PAGES, UNIT_IS_HEX, NUMBERED_ADDRESS, 4096},
    {"key of absolute block", PART(keys), 1, LAB_MEMORY_BLOCKS, UNIT_IS_HEX, NUMBERED_ADDRESS, STORAGE_BLOCK_BYTES},
    {"setting of the TOD clock", PART(clock_setting), 8, 1, UNIT_IS_HEX, NUMBERED_NOT, 0},
    {"clock comparator", PART(comparator), 8, 1, UNIT_IS_HEX, NUMBERED_NOT, 0},
    {"setting of the CPU timer", PART(timer_setting), 8, 1, UNIT_IS_HEX, NUMBERED_NOT, 0},
    {"device", PART(device), 8, LAB_DEVICES, UNIT_IS_DEVICE, NUMBERED_DEVICE, 0},
    {"CPU", PART(processors), 4, LAB_CPUS, UNIT_IS_PROCESSOR, NUMBERED, 1},
#undef PART
};

static uint64_t number_at(const struct lab_resources *r, unsigned part, unsigned index) {
    const uint8_t *at = (const uint8_t *)r + parts[part].offset + (size_t)index * parts[part].bytes;
    uint32_t word;
    uint64_t wide;
    if (parts[part].bytes == 1)
        return *at;
    if (parts[part].bytes == 4) {
        memcpy(&word, at, sizeof word);
        return word;
    }
    memcpy(&wide, at, sizeof wide);
    return wide;
}

static void show_number(char to[32], unsigned part, uint64_t number) {
    static const char *const conditions[] = {"operating", "stopped", "check-stopped"};
    switch (parts[part].kind) {
    case UNIT_IS_HEX: snprintf(to, 32, "%0*llX", 2 * parts[part].bytes, (unsigned long long)number); break;
    case UNIT_IS_DEVICE:
        snprintf(to, 32, "%s%s", number >> 56 ? "busy" : "idle", number >> 48 & 0xFF ? ", status pending" : "");
        break;
    case UNIT_IS_PROCESSOR:
        snprintf(to, 32, "%s%s%s", conditions[number >> 28], number >> 24 & 15 ? ", has an order" : "",
                 number & 0xFFFFFF ? ", signalled" : "");
        break;
    }
}

static void show_difference(struct lab_difference *d, unsigned part, unsigned index, uint64_t a, uint64_t b) {
    const char *name = parts[part].name;
    unsigned n = index * parts[part].step;
    switch (parts[part].numbering) {
    case NUMBERED_NOT: snprintf(d->name, sizeof d->name, "%s", name); break;
    case NUMBERED: snprintf(d->name, sizeof d->name, "%s %u", name, n); break;
    case NUMBERED_ADDRESS: snprintf(d->name, sizeof d->name, "%s %06X", name, n); break;
    case NUMBERED_DEVICE: snprintf(d->name, sizeof d->name, "%s %03X", name, lab_device_address[index]); break;
    }
    show_number(d->a, part, a);
    show_number(d->b, part, b);
}

bool lab_resources_differ(const struct lab_resources *a, const struct lab_resources *b, struct lab_difference *d) {
    if (memcmp(a, b, sizeof *a) == 0)
        return false;
    for (unsigned part = 0; part < sizeof parts / sizeof *parts; part++)
        for (unsigned index = 0; index < parts[part].count; index++) {
            uint64_t in_a = number_at(a, part, index), in_b = number_at(b, part, index);
            if (in_a == in_b)
                continue;
            show_difference(d, part, index, in_a, in_b);
            return true;
        }
    return false;
}

static bool numbers_differ(struct lab_difference *d, const char *name, int digits, uint32_t a, uint32_t b) {
    if (a == b)
        return false;
    snprintf(d->name, sizeof d->name, "%s", name);
    snprintf(d->a, sizeof d->a, "%0*X", digits, a);
    snprintf(d->b, sizeof d->b, "%0*X", digits, b);
    return true;
}

/* As many bytes, from the first that differs, as fit a word. */
static bool contents_differ(const uint8_t *a, const uint8_t *b, struct lab_difference *d) {
    if (memcmp(a, b, LAB_BYTES) == 0)
        return false;
    uint32_t i = 0;
    while (a[i] == b[i])
        i++;
    i &= ~3u;
    snprintf(d->name, sizeof d->name, "storage %06X", i);
    snprintf(d->a, sizeof d->a, "%08X", bytes_get32(a + i));
    snprintf(d->b, sizeof d->b, "%08X", bytes_get32(b + i));
    return true;
}

bool lab_visible_differ(const struct lab_result *a, const struct lab_result *b, struct lab_difference *d) {
    char name[24];
    for (unsigned n = 0; n < 16; n++) {
        if (a->gpr[n] == b->gpr[n])
            continue;
        snprintf(name, sizeof name, "general register %u", n);
        return numbers_differ(d, name, 8, a->gpr[n], b->gpr[n]);
    }
    return numbers_differ(d, "condition code", 1, a->cc, b->cc) ||
           numbers_differ(d, "program mask", 1, a->program_mask, b->program_mask) ||
           numbers_differ(d, "instruction address", 6, a->ia, b->ia) || contents_differ(a->contents, b->contents, d);
}
