/* One table says for each kind of piece where monitors have it; a few functions for those that are not plain numbers.
 */
#include "vmm/isomorphism.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "isa/disk.h"
#include "vmm/map.h"
#include "vmm/vmm_internal.h"

enum { PAGE_BYTES = 4096, TIMER_WORD = 80, NO_PART = MAP_PARTS };

/* A number in a monitor's data: some bits of one of its fields. */
struct where {
    const char *name;
    uint16_t offset, bytes, stride; /* stride: from piece n to piece n + 1 */
    uint8_t shift;
    uint64_t mask;
};

struct description {
    const char *name; /* of one of them, with its number */
    const char *kind;
    unsigned count;                                            /* 0: `next` goes through them */
    bool in_cpu;                                               /* the CPU has it while the guest runs */
    bool in_force;                                             /* the CPU below has something in its place meanwhile */
    uint64_t (*of)(const struct machine_state *s, unsigned n); /* NULL: no register */
    struct where in_c;                                         /* in struct virtual_cpu */
    unsigned part;                                             /* of a VM block, enum map_part */
    struct where in_map;                                       /* in that */
    enum encoding encoding;
    /* Of those that are elsewhere. */
    bool (*place)(const struct isomorphism_level *l, struct isomorphism_row *to);
    bool (*next)(const struct isomorphism_level *l, struct piece *p);
};

/* ---- Values ---- */

#define STATE_VALUE(name, expression)                                                                                  \
    static uint64_t name(const struct machine_state *s, unsigned n) {                                                  \
        (void)n;                                                                                                       \
        return (expression);                                                                                           \
    }
STATE_VALUE(general_register, s->gpr[n])
STATE_VALUE(control_register, s->cr[n])
STATE_VALUE(system_mask, s->psw.system_mask)
STATE_VALUE(access_key, s->psw.key)
STATE_VALUE(ec_mode, psw_ec(&s->psw))
STATE_VALUE(machine_check_mask, (s->psw.state & PSW_MACHINE_CHECK) != 0)
STATE_VALUE(wait_state, psw_wait(&s->psw))
STATE_VALUE(problem_state, psw_problem(&s->psw))
STATE_VALUE(condition_code, s->psw.cc)
STATE_VALUE(program_mask, s->psw.program_mask)
STATE_VALUE(instruction_address, s->psw.ia)
STATE_VALUE(prefix, s->prefix)
STATE_VALUE(tod, s->tod)
STATE_VALUE(comparator, s->clock_comparator)
STATE_VALUE(cpu_timer, s->cpu_timer)

static uint64_t checksum(const uint8_t *bytes, uint32_t length) {
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (uint32_t n = 0; n < length; n++)
        hash = (hash ^ bytes[n]) * UINT64_C(0x100000001B3);
    return hash;
}

/* A number, or a checksum where it is too long for one. */
static bool storage_value(struct machine *m, uint32_t real, uint32_t length, uint64_t *value) {
    uint8_t bytes[PAGE_BYTES];
    if (length > sizeof bytes || machine_peek(m, real, bytes, length) != ACCESS_OK)
        return false;
    *value = length <= 8 ? 0 : checksum(bytes, length);
    for (uint32_t n = 0; length <= 8 && n < length; n++)
        *value = *value << 8 | bytes[n];
    return true;
}

/* ---- Storage ---- */

/* Absolute address of the machine below; -1: it is not the machine's. Prefixing is its own inverse. */
static int64_t below(const struct isomorphism_level *l, uint32_t absolute) {
    uint32_t real = storage_prefix(absolute, l->prefix);
    int64_t page = vmm_frame(l->machine, real & ~(PAGE_BYTES - 1u));
    return page < 0 ? -1 : (int64_t)storage_prefix((uint32_t)page + (real & (PAGE_BYTES - 1)), l->prefix_below);
}

static bool place_storage(const struct isomorphism_level *l, struct isomorphism_row *to) {
    const struct piece *p = &to->piece;
    if (p->bytes == 0 || p->bytes > PAGE_BYTES - p->n % PAGE_BYTES || p->n >= machine_memory(l->machine))
        return false;
    to->bytes = p->bytes;
    to->known = storage_value(l->machine, storage_prefix(p->n, l->prefix), p->bytes, &to->value);
    if (!l->host) {
        to->stands = to->value;
        return true;
    }
    int64_t host = below(l, p->n);
    to->place = PLACE_STORAGE;
    to->encoding = ENCODING_RELOCATED;
    to->at = (uint32_t)host;
    to->known = to->known && host >= 0 &&
                storage_value(l->host, storage_prefix(to->at, l->prefix_below), p->bytes, &to->stands);
    return host >= 0;
}

static bool place_interval_timer(const struct isomorphism_level *l, struct isomorphism_row *to) {
    to->piece.n = storage_prefix(TIMER_WORD, l->state.prefix);
    to->piece.bytes = 4;
    bool there = place_storage(l, to);
    to->field = l->guest ? "ticks, timer_word" : NULL; /* how far it has been counted */
    return there;
}

static bool next_page(const struct isomorphism_level *l, struct piece *p) {
    p->n = p->bytes ? p->n + PAGE_BYTES : 0;
    p->bytes = PAGE_BYTES;
    if (p->n < machine_memory(l->machine) && machine_memory(l->machine) - p->n < PAGE_BYTES)
        p->bytes = machine_memory(l->machine) - p->n;
    return p->n < machine_memory(l->machine);
}

static bool place_key(const struct isomorphism_level *l, struct isomorphism_row *to) {
    int key = machine_key(l->machine, storage_prefix(to->piece.n, l->prefix));
    if (key < 0)
        return false;
    to->known = true;
    to->value = to->stands = (uint64_t)key;
    if (!l->host)
        return true;
    int64_t host = below(l, to->piece.n);
    to->place = PLACE_KEY;
    to->encoding = ENCODING_RELOCATED;
    to->at = (uint32_t)host;
    to->bytes = 1;
    to->stands = host < 0 ? 0 : (uint64_t)machine_key(l->host, storage_prefix(to->at, l->prefix_below));
    return host >= 0;
}

static bool next_block(const struct isomorphism_level *l, struct piece *p) {
    p->n = p->bytes ? p->n + STORAGE_BLOCK_BYTES : 0;
    p->bytes = 1;
    return p->n < machine_memory(l->machine);
}

/* ---- Translations ---- */

/* Under the tables that the CPU below uses; false: it uses none, or they say nothing of this page. */
static bool walk_below(const struct isomorphism_level *l, uint32_t virtual, struct dat_walk *w) {
    return l->host && l->live && psw_dat(&l->below.psw) &&
           machine_walk_under(l->host, l->below.cr[0], l->below.cr[1], virtual, w) == ACCESS_OK;
}

static bool place_translation(const struct isomorphism_level *l, struct isomorphism_row *to) {
    struct dat_walk entry, own;
    uint32_t virtual = to->piece.n & HOST_ADDRESS_MASK;
    if (!walk_below(l, virtual, &entry))
        return false;
    to->place = PLACE_TABLE;
    to->encoding = ENCODING_COMPOSED;
    to->at = storage_prefix(entry.page_entry_address, l->prefix_below);
    to->bytes = 2;
    to->stands = entry.real;
    to->known = true;
    to->value = virtual;
    /* An entry may be older than the guest's tables, until the guest purges its TLB. */
    if (psw_dat(&l->state.psw)) {
        to->known = machine_walk_under(l->machine, l->state.cr[0], l->state.cr[1], virtual, &own) == ACCESS_OK;
        to->value = own.real;
    }
    return true;
}

static bool next_translation(const struct isomorphism_level *l, struct piece *p) {
    struct dat_format format;
    struct dat_walk w;
    if (!dat_format(l->below.cr[0], &format) || !l->host || !l->live || !psw_dat(&l->below.psw))
        return false;
    uint32_t step = 1u << format.page_shift;
    for (p->n = p->bytes ? p->n + step : 0, p->bytes = step; p->n < STORAGE_MOST_BYTES; p->n += step)
        if (walk_below(l, p->n, &w))
            return true;
    return false;
}

/* ---- What is pending ---- */

static const struct {
    const char *name;
    unsigned bit; /* of virtual_cpu.external; 0: machine_check */
} pending[PENDING_PIECES] = {
    [PENDING_PIECE_INTERRUPT_KEY] = {"interrupt key", EXTERNAL_INTERRUPT_KEY},
    [PENDING_PIECE_EMERGENCY_SIGNAL] = {"emergency signal", EXTERNAL_EMERGENCY_SIGNAL},
    [PENDING_PIECE_EXTERNAL_CALL] = {"external call", EXTERNAL_CALL},
    [PENDING_PIECE_INTERVAL_TIMER] = {"interval timer", EXTERNAL_INTERVAL_TIMER},
    [PENDING_PIECE_MACHINE_CHECK] = {"machine check", 0},
};

static bool place_pending(const struct isomorphism_level *l, struct isomorphism_row *to) {
    unsigned bit = pending[to->piece.n].bit;
    to->place = l->host ? PLACE_UNTOLD : PLACE_HARDWARE;
    if (!l->guest)
        return true;
    const struct virtual_cpu *c = &l->guest->vm.cpu[l->cpu];
    to->place = PLACE_MONITOR;
    to->field = bit ? "external" : "machine_check";
    to->known = true;
    to->value = to->stands = bit ? (c->external & bit) != 0 : c->machine_check;
    return true;
}

/* ---- Devices ---- */

static const struct minidisk *minidisk_of(const struct isomorphism_level *l, uint16_t address) {
    for (unsigned n = 0; l->guest && n < l->guest->minidisks; n++)
        if (l->guest->minidisk[n].is.address == address)
            return &l->guest->minidisk[n].is;
    return NULL;
}

static bool device_of(const struct machine *m, uint16_t address, struct isomorphism_device *to) {
    for (unsigned n = 0; isomorphism_device_at(m, n, to); n++)
        if (to->address == address)
            return true;
    return false;
}

bool isomorphism_device_at(const struct machine *m, unsigned n, struct isomorphism_device *to) {
    uint16_t host_address;
    *to = (struct isomorphism_device){0};
    if (!machine_only_seen(m)) {
        to->model = machine_device_at(m, n, &to->address);
        to->blocks = to->model ? disk_blocks(to->model) : 0;
        return to->model != NULL;
    }
    struct isomorphism_device real;
    if (!map_device_at(m, n, &to->address, &host_address) || !device_of(machine_host(m), host_address, &real))
        return false;
    to->model = real.model;
    if (real.blocks && map_disk(m, to->address, host_address, real.blocks, &to->first, &to->blocks))
        to->first += real.first;
    return true;
}

/* The n-th one of a guest that is seen through a map: the hypervisor's machine has it, or a disk that it is a part of.
 */
static void place_real_device(const struct isomorphism_level *l, struct isomorphism_row *to, uint16_t *address) {
    struct isomorphism_device real;
    uint16_t host_address = 0;
    to->place = PLACE_UNTOLD;
    to->known = false;
    if (!map_device_at(l->machine, to->piece.n, address, &host_address) || !device_of(l->host, host_address, &real))
        return;
    to->at = host_address;
    to->place = PLACE_DEVICE;
    if (real.blocks && map_disk(l->machine, *address, host_address, real.blocks, &to->first, &to->blocks)) {
        to->place = PLACE_DISK;
        to->encoding = ENCODING_RELOCATED;
    }
}

static bool place_device(const struct isomorphism_level *l, struct isomorphism_row *to) {
    struct isomorphism_device d;
    if (!isomorphism_device_at(l->machine, to->piece.n, &d))
        return false;
    to->known = true;
    to->device = d.address;
    to->value = to->stands = machine_device_activity(l->machine, d.address);
    to->blocks = d.blocks;
    if (!l->host)
        return true;
    if (l->seen) {
        uint16_t address;
        place_real_device(l, to, &address);
        return true;
    }
    const struct minidisk *disk = minidisk_of(l, d.address);
    to->place = PLACE_MODEL;
    to->at = d.address;
    if (disk) {
        to->place = PLACE_DISK;
        to->encoding = ENCODING_RELOCATED;
        to->at = disk->host_address;
        to->first = disk->first;
    }
    return true;
}

static bool next_device(const struct isomorphism_level *l, struct piece *p) {
    struct isomorphism_device d;
    p->n = p->bytes ? p->n + 1 : 0;
    p->bytes = 1;
    return isomorphism_device_at(l->machine, p->n, &d);
}

/* ---- The table ---- */

#define CPU_FIELD(field) (uint16_t) offsetof(struct virtual_cpu, field), sizeof(((struct virtual_cpu *)0)->field)
#define ALL UINT64_MAX

// clang-format off
static const struct description descriptions[PIECE_KINDS] = {
    [PIECE_GENERAL_REGISTER] = {
        .name = "general register %u", .kind = "general register", .count = 16, .in_cpu = true, .of = general_register,
        .in_c = {"gpr", CPU_FIELD(gpr[0]), 4, 0, ALL}, .part = MAP_PART_GPR, .in_map = {"GPR", 0, 4, 4, 0, ALL}},
    [PIECE_SYSTEM_MASK] = {
        .name = "PSW system mask", .kind = "system mask", .count = 1, .in_force = true, .of = system_mask,
        .in_c = {"psw.system_mask", CPU_FIELD(psw.system_mask), 0, 0, ALL},
        .part = MAP_PART_PSW, .in_map = {"PSW", 0, 1, 0, 0, ALL}},
    [PIECE_ACCESS_KEY] = {
        .name = "PSW key", .kind = "access key", .count = 1, .in_force = true, .of = access_key,
        .in_c = {"psw.key", CPU_FIELD(psw.key), 0, 0, ALL},
        .part = MAP_PART_PSW, .in_map = {"PSW", 1, 1, 0, 4, 15}},
    [PIECE_EC_MODE] = {
        .name = "PSW EC mode", .kind = "EC mode", .count = 1, .in_force = true, .of = ec_mode,
        .in_c = {"psw.state", CPU_FIELD(psw.state), 0, 3, 1},
        .part = MAP_PART_PSW, .in_map = {"PSW", 1, 1, 0, 3, 1}},
    [PIECE_MACHINE_CHECK_MASK] = {
        .name = "PSW machine-check mask", .kind = "machine-check mask", .count = 1, .in_force = true,
        .of = machine_check_mask, .in_c = {"psw.state", CPU_FIELD(psw.state), 0, 2, 1},
        .part = MAP_PART_PSW, .in_map = {"PSW", 1, 1, 0, 2, 1}},
    [PIECE_WAIT] = {
        .name = "PSW wait", .kind = "wait", .count = 1, .in_force = true, .of = wait_state,
        .in_c = {"psw.state", CPU_FIELD(psw.state), 0, 1, 1},
        .part = MAP_PART_PSW, .in_map = {"PSW", 1, 1, 0, 1, 1}},
    [PIECE_PROBLEM] = {
        .name = "PSW problem state", .kind = "problem state", .count = 1, .in_force = true, .of = problem_state,
        .in_c = {"psw.state", CPU_FIELD(psw.state), 0, 0, 1},
        .part = MAP_PART_PSW, .in_map = {"PSW", 1, 1, 0, 0, 1}},
    [PIECE_CONDITION_CODE] = {
        .name = "PSW condition code", .kind = "condition code", .count = 1, .in_cpu = true, .of = condition_code,
        .in_c = {"psw.cc", CPU_FIELD(psw.cc), 0, 0, ALL},
        .part = MAP_PART_PSW, .in_map = {"PSW", 2, 1, 0, 4, 3}},
    [PIECE_PROGRAM_MASK] = {
        .name = "PSW program mask", .kind = "program mask", .count = 1, .in_cpu = true, .of = program_mask,
        .in_c = {"psw.program_mask", CPU_FIELD(psw.program_mask), 0, 0, ALL},
        .part = MAP_PART_PSW, .in_map = {"PSW", 2, 1, 0, 0, 15}},
    [PIECE_INSTRUCTION_ADDRESS] = {
        .name = "PSW instruction address", .kind = "instruction address", .count = 1, .in_cpu = true,
        .of = instruction_address, .in_c = {"psw.ia", CPU_FIELD(psw.ia), 0, 0, ALL},
        .part = MAP_PART_PSW, .in_map = {"PSW", 4, 4, 0, 0, 0xFFFFFF}},
    [PIECE_CONTROL_REGISTER] = {
        .name = "control register %u", .kind = "control register", .count = 16, .in_force = true, .of = control_register,
        .in_c = {"cr", CPU_FIELD(cr[0]), 4, 0, ALL}, .part = MAP_PART_CR, .in_map = {"CR", 0, 4, 4, 0, ALL}},
    [PIECE_PREFIX] = {
        .name = "prefix register", .kind = "prefix", .count = 1, .in_force = true, .of = prefix,
        .in_c = {"prefix", CPU_FIELD(prefix), 0, 0, ALL},
        .part = MAP_PART_PREFIX, .in_map = {"PREFIX", 0, 4, 0, 0, 0xFFF000}},
    [PIECE_TOD] = {
        .name = "TOD clock", .kind = "TOD clock", .count = 1, .of = tod, .encoding = ENCODING_MINUS_CLOCK,
        .in_c = {"epoch", CPU_FIELD(epoch), 0, 0, ALL},
        .part = MAP_PART_EPOCH, .in_map = {"EPOCH", 0, 8, 0, 0, ALL}},
    [PIECE_COMPARATOR] = {
        .name = "clock comparator", .kind = "clock comparator", .count = 1, .of = comparator,
        .in_c = {"comparator", CPU_FIELD(comparator), 0, 0, ALL},
        .part = MAP_PART_COMPARATOR, .in_map = {"COMPARATOR", 0, 8, 0, 0, ALL}},
    [PIECE_CPU_TIMER] = {
        .name = "CPU timer", .kind = "CPU timer", .count = 1, .of = cpu_timer, .encoding = ENCODING_PLUS_CLOCK,
        .in_c = {"timer_sum", CPU_FIELD(timer_sum), 0, 0, ALL},
        .part = MAP_PART_TIMER, .in_map = {"TIMER", 0, 8, 0, 0, ALL}},
    [PIECE_INTERVAL_TIMER] = {
        .name = "interval timer", .kind = "interval timer", .count = 1, .place = place_interval_timer},
    [PIECE_PENDING] = {
        .name = "pending: %s", .kind = "pending", .count = PENDING_PIECES, .place = place_pending},
    [PIECE_STORAGE] = {
        .name = "storage at %06X", .kind = "storage", .place = place_storage, .next = next_page},
    [PIECE_STORAGE_KEY] = {
        .name = "storage key at %06X", .kind = "storage key", .place = place_key, .next = next_block},
    [PIECE_TRANSLATION] = {
        .name = "page %06X", .kind = "translation", .place = place_translation, .next = next_translation},
    [PIECE_DEVICE] = {
        .name = "device %03X", .kind = "device", .place = place_device, .next = next_device},
};
// clang-format on

const char *isomorphism_kind_name(enum piece_kind k) { return (unsigned)k < PIECE_KINDS ? descriptions[k].kind : NULL; }

bool isomorphism_value(const struct machine_state *s, const struct piece *p, uint64_t *value) {
    const struct description *d = &descriptions[p->kind];
    if (!d->of || p->n >= d->count)
        return false;
    *value = d->of(s, p->n);
    return true;
}

/* ---- Looking ---- */

static bool has_cpu(const struct isomorphism_level *l) {
    if (!l->host || !machine_is_live(l->machine, l->cpu))
        return false;
    return !l->guest || l->guest->monitor->running[l->host_cpu] == &l->guest->vm.cpu[l->cpu];
}

/* Machines are peeked at from CPU 0. */
static uint32_t prefix_of(struct machine *m) {
    struct machine_state s;
    machine_state(m, &s);
    return s.prefix;
}

void isomorphism_look(struct isomorphism *f, struct machine *m, unsigned cpu) {
    f->levels = 0;
    for (unsigned next; m; m = machine_host(m), cpu = next) {
        struct isomorphism_level *l = &f->level[f->levels++];
        *l = (struct isomorphism_level){
            .machine = m, .host = machine_host(m), .cpu = cpu, .guest = guest_of(m), .seen = machine_only_seen(m)};
        l->host_cpu = next = l->guest ? l->guest->vm.cpu[cpu].on : 0;
        l->live = has_cpu(l);
        machine_cpu_state(m, cpu, &l->state);
        l->prefix = prefix_of(m);
        if (!l->host)
            continue;
        machine_cpu_state(l->host, l->host_cpu, &l->below);
        if (l->guest && !l->live) {
            enum guest_found found = guest_find(l->guest, cpu, &l->below);
            l->unsaved = found == GUEST_BELOW || found == GUEST_INTERRUPTED;
            l->moving = found == GUEST_INTERRUPTED;
        }
        l->prefix_below = prefix_of(l->host);
    }
}

static uint64_t bits(const struct where *w, uint64_t value) { return value >> w->shift & w->mask; }

/* Numbers of the process itself. */
static uint64_t read_c(const struct virtual_cpu *c, const struct where *w, unsigned n) {
    const uint8_t *at = (const uint8_t *)c + w->offset + (size_t)n * w->stride;
    uint64_t u64;
    uint32_t u32;
    if (w->bytes == 1)
        return bits(w, *at);
    if (w->bytes == 4) {
        memcpy(&u32, at, sizeof u32);
        return bits(w, u32);
    }
    memcpy(&u64, at, sizeof u64);
    return bits(w, u64);
}

/* A register that is not in the CPU: in the monitor's data. */
static void place_data(const struct isomorphism_level *l, const struct description *d, struct isomorphism_row *to) {
    uint32_t bytes;
    unsigned n = to->piece.n;
    to->encoding = d->encoding;
    if (l->guest) {
        to->place = PLACE_MONITOR;
        to->field = d->in_c.name;
        to->stands = read_c(&l->guest->vm.cpu[l->cpu], &d->in_c, n);
        return;
    }
    to->place = PLACE_UNTOLD;
    to->known = false;
    if (!map_part(l->machine, (enum map_part)d->part, &to->at, &bytes))
        return;
    uint32_t real = to->at + d->in_map.offset + n * d->in_map.stride;
    to->place = PLACE_STORAGE;
    to->field = d->in_map.name;
    to->at = storage_prefix(real, l->prefix_below);
    to->bytes = d->in_map.bytes;
    to->known = storage_value(l->host, real, to->bytes, &to->stands);
    to->stands = bits(&d->in_map, to->stands);
}

static bool place_register(const struct isomorphism_level *l, const struct description *d, struct isomorphism_row *to) {
    to->known = true;
    to->value = to->stands = d->of(&l->state, to->piece.n);
    if (!l->host)
        return true;
    uint64_t in_cpu = d->of(&l->below, to->piece.n);
    bool moves = l->moving && to->piece.kind != PIECE_GENERAL_REGISTER;
    if (d->in_cpu && (l->live || (l->unsaved && !moves))) {
        to->place = PLACE_REGISTER;
        to->stands = in_cpu;
    } else {
        place_data(l, d, to);
        to->known = to->known && !(d->in_cpu && moves);
    }
    to->in_force_known = l->live && (d->in_cpu || d->in_force);
    to->in_force = in_cpu;
    if (to->in_force_known && to->in_force != to->value)
        to->encoding = ENCODING_KEPT;
    return true;
}

bool isomorphism_row(const struct isomorphism *f, unsigned level, const struct piece *p, struct isomorphism_row *to) {
    if (level >= f->levels || (unsigned)p->kind >= PIECE_KINDS)
        return false;
    const struct description *d = &descriptions[p->kind];
    const struct isomorphism_level *l = &f->level[level];
    *to = (struct isomorphism_row){.piece = *p,
                                   .machine = l->machine,
                                   .host = l->host,
                                   .level = machine_level(l->machine),
                                   .cpu = l->cpu,
                                   .host_cpu = l->host_cpu};
    if (d->count && p->n >= d->count)
        return false;
    return d->place ? d->place(l, to) : place_register(l, d, to);
}

/* The piece of the machine below that a row leads to; false: it ends there. */
static bool lead_on(const struct isomorphism *f, unsigned level, const struct isomorphism_row *row, struct piece *p) {
    struct isomorphism_device d;
    if (level + 1 >= f->levels)
        return false;
    switch (row->place) {
    case PLACE_REGISTER: return true;
    case PLACE_STORAGE:
    case PLACE_TABLE: *p = (struct piece){PIECE_STORAGE, row->at, row->bytes}; return true;
    case PLACE_KEY: *p = (struct piece){PIECE_STORAGE_KEY, row->at & ~(STORAGE_BLOCK_BYTES - 1u), 1}; return true;
    case PLACE_DISK:
    case PLACE_DEVICE:
        for (p->n = 0; isomorphism_device_at(row->host, p->n, &d); p->n++)
            if (d.address == row->at)
                return true;
        return false;
    default: return false;
    }
}

unsigned isomorphism_follow(const struct isomorphism *f, const struct piece *p, struct isomorphism_row *to) {
    struct piece piece = *p;
    unsigned rows = 0;
    while (isomorphism_row(f, rows, &piece, &to[rows])) {
        rows++;
        if (!lead_on(f, rows - 1, &to[rows - 1], &piece))
            break;
    }
    return rows;
}

int64_t isomorphism_storage(const struct isomorphism *f, uint32_t absolute) {
    int64_t at = absolute;
    for (unsigned n = 0; n + 1 < f->levels && at >= 0; n++)
        at = below(&f->level[n], (uint32_t)at);
    return at;
}

bool isomorphism_first(const struct isomorphism *f, unsigned level, enum piece_kind kind, struct piece *p) {
    const struct description *d = &descriptions[kind];
    *p = (struct piece){.kind = kind};
    return !d->next || d->next(&f->level[level], p);
}

bool isomorphism_next(const struct isomorphism *f, unsigned level, struct piece *p) {
    const struct description *d = &descriptions[p->kind];
    if (d->next ? d->next(&f->level[level], p) : ++p->n < d->count)
        return true;
    while (p->kind + 1 < PIECE_KINDS)
        if (isomorphism_first(f, level, (enum piece_kind)(p->kind + 1), p))
            return true;
    return false;
}

uint64_t isomorphism_image(const struct isomorphism_row *row, uint64_t value, uint64_t clock) {
    switch (row->encoding) {
    case ENCODING_MINUS_CLOCK: return row->host ? value - clock : value;
    case ENCODING_PLUS_CLOCK: return row->host ? value + clock : value;
    case ENCODING_COMPOSED: {
        int64_t page = vmm_frame(row->machine, (uint32_t)value & ~(PAGE_BYTES - 1u));
        return page < 0 ? UINT64_MAX : (uint64_t)page + value % PAGE_BYTES;
    }
    default: return value;
    }
}

/* ---- Texts ---- */

void isomorphism_piece_text(const struct isomorphism_row *row, char to[ISOMORPHISM_TEXT]) {
    const struct description *d = &descriptions[row->piece.kind];
    unsigned n = row->piece.n;
    if (row->piece.kind == PIECE_PENDING)
        snprintf(to, ISOMORPHISM_TEXT, "pending: %s", pending[n].name);
    else if (row->piece.kind == PIECE_DEVICE)
        snprintf(to, ISOMORPHISM_TEXT, "device %03X", row->device);
    else if (d->count == 1)
        snprintf(to, ISOMORPHISM_TEXT, "%s", d->name);
    else if (d->count)
        snprintf(to, ISOMORPHISM_TEXT, "%s %u", d->kind, n);
    else
        snprintf(to, ISOMORPHISM_TEXT, "%s %s%06X", d->kind, row->piece.kind == PIECE_TRANSLATION ? "of " : "at ", n);
}

const char *isomorphism_place_name(enum place_kind k) {
    static const char *const names[PLACE_KINDS] = {
        [PLACE_HARDWARE] = "hardware", [PLACE_REGISTER] = "register", [PLACE_MONITOR] = "monitor",
        [PLACE_STORAGE] = "storage",   [PLACE_KEY] = "storage key",   [PLACE_TABLE] = "table",
        [PLACE_DISK] = "disk",         [PLACE_DEVICE] = "device",     [PLACE_MODEL] = "model",
        [PLACE_UNTOLD] = "untold",
    };
    return names[k];
}

static const char *cpu_text(const struct isomorphism_row *row, char to[ISOMORPHISM_TEXT]) {
    if (machine_cpus(row->host) > 1)
        snprintf(to, ISOMORPHISM_TEXT, "CPU %u of %s", row->host_cpu, machine_name(row->host));
    else
        snprintf(to, ISOMORPHISM_TEXT, "the CPU of %s", machine_name(row->host));
    return to;
}

void isomorphism_place_text(const struct isomorphism_row *row, char to[ISOMORPHISM_TEXT]) {
    const struct description *d = &descriptions[row->piece.kind];
    const char *host = row->host ? machine_name(row->host) : "";
    char text[ISOMORPHISM_TEXT];
    switch (row->place) {
    case PLACE_REGISTER:
        if (d->count > 1)
            snprintf(to, ISOMORPHISM_TEXT, "%s %u of %s", d->kind, row->piece.n, cpu_text(row, text));
        else
            snprintf(to, ISOMORPHISM_TEXT, "%s of %s", d->name, cpu_text(row, text));
        break;
    case PLACE_MONITOR:
        if (d->count > 1 && d->of)
            snprintf(to, ISOMORPHISM_TEXT, "data of the monitor on %s: %s[%u]", host, row->field, row->piece.n);
        else
            snprintf(to, ISOMORPHISM_TEXT, "data of the monitor on %s: %s", host, row->field);
        break;
    case PLACE_STORAGE:
        snprintf(to, ISOMORPHISM_TEXT, "storage of %s at %06X%s%s%s", host, row->at, row->field && d->of ? " (" : "",
                 row->field && d->of ? row->field : "", row->field && d->of ? ")" : "");
        break;
    case PLACE_KEY: snprintf(to, ISOMORPHISM_TEXT, "storage key of %s at %06X", host, row->at); break;
    case PLACE_TABLE: snprintf(to, ISOMORPHISM_TEXT, "page-table entry of %s at %06X", host, row->at); break;
    case PLACE_DISK:
        snprintf(to, ISOMORPHISM_TEXT, "disk %03X of %s, blocks %u to %u", row->at, host, row->first,
                 row->first + row->blocks - 1);
        break;
    case PLACE_DEVICE: snprintf(to, ISOMORPHISM_TEXT, "device %03X of %s, in turns", row->at, host); break;
    case PLACE_MODEL: snprintf(to, ISOMORPHISM_TEXT, "a device that the monitor on %s simulates", host); break;
    case PLACE_UNTOLD: snprintf(to, ISOMORPHISM_TEXT, "not told by the map on %s", host); break;
    default: snprintf(to, ISOMORPHISM_TEXT, "the machine itself"); break;
    }
}

const char *isomorphism_encoding_text(enum encoding e) {
    static const char *const texts[ENCODING_KINDS] = {
        [ENCODING_SAME] = "as it is",
        [ENCODING_KEPT] = "as it is; the CPU has another",
        [ENCODING_RELOCATED] = "as it is, elsewhere",
        [ENCODING_MINUS_CLOCK] = "minus the clock below",
        [ENCODING_PLUS_CLOCK] = "plus the clock below",
        [ENCODING_COMPOSED] = "both translations in one",
    };
    return texts[e];
}
