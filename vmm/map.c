/* The guests of a hypervisor in assembler, seen through its map f. All that is read here was written by a program, and
 * is believed only as far as it lies within storage. */
#include "vmm/map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "isa/clock.h"
#include "isa/disk.h"
#include "isa/supervisor.h"
#include "mmu/storage.h"

enum {
    PAGE_BYTES = 4096,
    GUESTS = 0x200, /* parameters */
    SPACES = 0x204,
    SLICE = 0x208,
    STORAGE_SIZES = 0x20C,
    FIRST_STORAGE = 0x22C,
    DEVICES = 0x230,
    DEVICE_ROW_BYTES = 16,
    DEVICE_OF_EACH = 0xFF,
    DEVICE_IN_PARTS = 0x80,
    IDENTIFICATION = 0x2B0,
    BLOCKS = 0x2B4,
    BLOCK_LENGTH = 0x2B8,
    RUNNING = 0x2BC,
    OFFSETS = 0x2C4,
    COUNTERS = 0x2E0,
    SPACE_LENGTH = 0x2FC, /* halfwords */
    SPACE_CONTROL = 0x2FE,
    SPACES_MOST = 16,
    INTERRUPTION_WORDS = 7,
    STATUS_WAITS = 1,
    STATUS_STOPPED = 2,
    STATUS_CHECK_STOP = 3,
};
static const uint8_t identification[4] = {0xC8, 0xE5, 0xC6, 0xF1};

static const uint8_t part_bytes[MAP_PARTS] = {
    [MAP_PART_GPR] = 64,        [MAP_PART_PSW] = 8,
    [MAP_PART_CR] = 64,         [MAP_PART_PREFIX] = 4,
    [MAP_PART_ORIGIN] = 4,      [MAP_PART_SIZE] = 4,
    [MAP_PART_STATUS] = 1,      [MAP_PART_EPOCH] = 8,
    [MAP_PART_COMPARATOR] = 8,  [MAP_PART_TIMER] = 8,
    [MAP_PART_REAL_SPACE] = 4,  [MAP_PART_SPACES] = 4,
    [MAP_PART_INTERPRETED] = 4, [MAP_PART_INTERRUPTIONS] = 4 * INTERRUPTION_WORDS,
};

struct seen {
    struct map *map;
    unsigned number;
    struct machine *machine;                                 /* NULL: nobody has asked for it */
    uint32_t interpreted, interruptions[INTERRUPTION_WORDS]; /* of which its machine was told */
};

struct map {
    struct machine *on;
    uint32_t blocks, length;
    uint16_t offset[MAP_PARTS];
    struct seen guest[MAP_GUESTS_MOST];
};

/* ---- Reading ---- */

/* Zeros where there is no storage. */
static uint32_t word_at(struct machine *m, uint32_t real) {
    uint8_t raw[4] = {0};
    machine_peek(m, real, raw, sizeof raw);
    return bytes_get32(raw);
}

static void part(const struct seen *g, enum map_part which, uint8_t *to) {
    const struct map *f = g->map;
    memset(to, 0, part_bytes[which]);
    machine_peek(f->on, f->blocks + g->number * f->length + f->offset[which], to, part_bytes[which]);
}

static uint32_t part_word(const struct seen *g, enum map_part which) {
    uint8_t raw[4];
    part(g, which, raw);
    return bytes_get32(raw);
}

static uint64_t part_doubleword(const struct seen *g, enum map_part which) {
    uint8_t raw[8];
    part(g, which, raw);
    return bytes_get64(raw);
}

static bool started(void *self) { return part_word(self, MAP_PART_SIZE) != 0; }

static uint32_t asked_size(const struct map *f, unsigned number) {
    return word_at(f->on, STORAGE_SIZES + 4 * number) & 0x00FFF000;
}

/* Where its storage begins: the block says it, or before the start the sizes of those before it. */
static uint32_t origin(const struct seen *g) {
    if (started((void *)(uintptr_t)g))
        return part_word(g, MAP_PART_ORIGIN);
    uint32_t at = word_at(g->map->on, FIRST_STORAGE);
    for (unsigned n = 0; n < g->number; n++)
        at += asked_size(g->map, n);
    return at;
}

static uint32_t size(const struct seen *g) {
    uint32_t now = part_word(g, MAP_PART_SIZE), made = machine_memory(g->machine);
    return now && now < made ? now : made;
}

/* Real address of the hypervisor's machine; -1: outside of the guest's storage. */
static int64_t frame(const void *self, uint32_t real) {
    const struct seen *g = self;
    uint32_t absolute = storage_prefix(real & 0xFFFFFF, part_word(g, MAP_PART_PREFIX) & 0x00FFF000), first = origin(g);
    if (real > 0xFFFFFF || absolute >= size(g) || first >= machine_memory(g->map->on) ||
        absolute >= machine_memory(g->map->on) - first)
        return -1;
    return (int64_t)first + absolute;
}

/* ---- As a machine ---- */

static enum access peek(void *self, uint32_t real, void *to, uint32_t length) {
    const struct seen *g = self;
    return machine_move(g->map->on, &(struct machine_pages){frame, g}, real, to, length, false);
}

static enum access poke(void *self, uint32_t real, const void *from, uint32_t length) {
    const struct seen *g = self;
    void *bytes = (void *)(uintptr_t)from; /* only read */
    return machine_move(g->map->on, &(struct machine_pages){frame, g}, real, bytes, length, true);
}

static int key(void *self, uint32_t real) {
    const struct seen *g = self;
    int64_t host = frame(g, real);
    return host < 0 ? -1 : machine_key(g->map->on, (uint32_t)host);
}

static void set_key(void *self, uint32_t real, uint8_t value) {
    const struct seen *g = self;
    int64_t host = frame(g, real);
    if (host >= 0)
        machine_set_key(g->map->on, (uint32_t)host, value);
}

static unsigned cpus(void *self) {
    (void)self;
    return 1;
}

/* The block has every PSW in the format of EC mode: mode and masks as they are, condition code and program mask in
 * byte 2. */
static void unpack_psw(const uint8_t raw[8], struct psw *psw) {
    uint8_t ec[8];
    memcpy(ec, raw, sizeof ec);
    ec[1] |= PSW_EC;
    psw_load(psw, ec);
    psw->state = raw[1] & 15;
}

static void state(void *self, unsigned cpu, struct machine_state *to) {
    const struct seen *g = self;
    struct machine_state below;
    uint8_t psw[8], gpr[64], cr[64];
    machine_state(g->map->on, &below);
    part(g, MAP_PART_PSW, psw);
    part(g, MAP_PART_GPR, gpr);
    part(g, MAP_PART_CR, cr);
    *to = (struct machine_state){.prefix = part_word(g, MAP_PART_PREFIX) & 0x00FFF000,
                                 .tod = below.tod + part_doubleword(g, MAP_PART_EPOCH),
                                 .clock_comparator = part_doubleword(g, MAP_PART_COMPARATOR),
                                 .cpu_timer = part_doubleword(g, MAP_PART_TIMER) - below.tod};
    unpack_psw(psw, &to->psw);
    for (unsigned n = 0; n < 16; n++) {
        to->gpr[n] = bytes_get32(gpr + 4 * n);
        to->cr[n] = bytes_get32(cr + 4 * n);
    }
    if (machine_is_live(g->machine, cpu))
        machine_live_state(g->machine, cpu, to);
}

static uint8_t status_byte(const struct seen *g) {
    uint8_t b;
    part(g, MAP_PART_STATUS, &b);
    return b;
}

static enum machine_cpu_status cpu_status(void *self, unsigned cpu) {
    static const enum machine_cpu_status as[] = {CPU_RUNNING, CPU_WAITING, CPU_DISABLED_WAIT, CPU_CHECK_STOP};
    (void)cpu;
    return started(self) ? as[status_byte(self) & 3] : CPU_STOPPED;
}

static enum machine_status status(void *self) {
    switch (started(self) ? status_byte(self) : 0) {
    case STATUS_STOPPED: return MACHINE_DISABLED_WAIT;
    case STATUS_CHECK_STOP: return MACHINE_CHECK_STOP;
    default: return MACHINE_READY;
    }
}

static void raise_condition(void *self, enum machine_condition c) {
    const struct seen *g = self;
    if (g->number == 0 && c != CONDITION_MACHINE_CHECK)
        machine_raise(g->map->on, c);
}

static void start(void *self, const uint8_t *psw) {
    if (psw)
        poke(self, 0, psw, 8);
}

/* Since the machine was told of `before`, which is then `now`. */
static uint64_t passed(uint32_t now, uint32_t *before, bool told) {
    uint32_t n = now < *before ? now : now - *before; /* it was started again */
    if (told)
        *before = now;
    return n;
}

static uint64_t witnessed(void *self, bool told, uint64_t interruptions[INTERRUPTION_CLASSES]) {
    static const int8_t class_of[INTERRUPTION_WORDS] = {INTERRUPTION_RESTART,  -1,
                                                        INTERRUPTION_EXTERNAL, INTERRUPTION_SVC,
                                                        INTERRUPTION_PROGRAM,  INTERRUPTION_MACHINE_CHECK,
                                                        INTERRUPTION_IO};
    struct seen *g = self;
    uint8_t words[4 * INTERRUPTION_WORDS];
    part(g, MAP_PART_INTERRUPTIONS, words);
    for (unsigned n = 0; n < INTERRUPTION_WORDS; n++) {
        uint64_t more = passed(bytes_get32(words + 4 * n), &g->interruptions[n], told);
        if (class_of[n] >= 0)
            interruptions[class_of[n]] += more;
    }
    return passed(part_word(g, MAP_PART_INTERPRETED), &g->interpreted, told);
}

static const struct machine_ops operations = {
    .peek = peek,
    .poke = poke,
    .key = key,
    .set_key = set_key,
    .cpus = cpus,
    .state = state,
    .cpu_status = cpu_status,
    .raise = raise_condition,
    .start = start,
    .started = started,
    .status = status,
    .witnessed = witnessed,
};

/* ---- Who runs ---- */

int map_running(const struct map *f) {
    uint32_t block = word_at(f->on, RUNNING) - f->blocks, number = block / f->length;
    return block % f->length || number >= MAP_GUESTS_MOST ? -1 : (int)number;
}

static struct machine *who_runs(void *self) {
    struct map *f = self;
    int number = map_running(f);
    return number < 0 ? NULL : map_guest_at(f, (unsigned)number);
}

static struct machine *machine_at(void *self, unsigned n) {
    struct map *f = self;
    for (unsigned number = 0; number < MAP_GUESTS_MOST; number++)
        if (f->guest[number].machine && n-- == 0)
            return f->guest[number].machine;
    return NULL;
}

static void archive_map(void *self, struct archive *a) {
    struct map *f = self;
    archive_same(a, f->blocks, "where the VM blocks of a hypervisor in assembler are");
    archive_same(a, f->length, "the length of its VM blocks");
    for (unsigned n = 0; n < MAP_PARTS; n++)
        archive_same(a, f->offset[n], "an offset in its VM blocks");
    for (struct seen *g = f->guest; g < f->guest + MAP_GUESTS_MOST; g++) {
        archive_same(a, g->machine != NULL, "which of its guests are looked at");
        archive_u32(a, &g->interpreted);
        archive_u32s(a, g->interruptions, INTERRUPTION_WORDS);
    }
}

static const struct witness_ops witness = {.running = who_runs, .machine = machine_at, .archive = archive_map};

/* ---- Life ---- */

static bool damaged(const struct map *f, const char *what, uint32_t is, struct error *e) {
    return error_set(e, ERROR_INPUT, "%s: the map at %06X makes no sense: %s is %06X", machine_name(f->on),
                     IDENTIFICATION, what, is);
}

static bool read_map(struct map *f, struct error *e) {
    uint8_t header[4 + 4 * 4 + 2 * MAP_PARTS];
    uint32_t memory = machine_memory(f->on);
    if (machine_peek(f->on, IDENTIFICATION, header, sizeof header) != ACCESS_OK ||
        memcmp(header, identification, sizeof identification) != 0)
        return error_set(e, ERROR_INPUT,
                         "%s: there is no map of virtual machines at %06X (HVF1); the hypervisor has to be loaded "
                         "before",
                         machine_name(f->on), IDENTIFICATION);
    f->blocks = bytes_get32(header + (BLOCKS - IDENTIFICATION));
    f->length = bytes_get32(header + (BLOCK_LENGTH - IDENTIFICATION));
    if (f->length == 0 || f->length > PAGE_BYTES)
        return damaged(f, "the length of a VM block", f->length, e);
    if (f->blocks >= memory || MAP_GUESTS_MOST * f->length > memory - f->blocks)
        return damaged(f, "the address of the VM blocks", f->blocks, e);
    for (unsigned n = 0; n < MAP_PARTS; n++) {
        f->offset[n] = bytes_get16(header + (OFFSETS - IDENTIFICATION) + 2 * n);
        if (f->offset[n] + part_bytes[n] > f->length)
            return damaged(f, "an offset in VM blocks", f->offset[n], e);
    }
    return true;
}

static struct map *empty(struct machine *on, struct error *e) {
    struct map *f = calloc(1, sizeof *f);
    if (!f) {
        error_set(e, ERROR_INTERNAL, "no memory for a map");
        return NULL;
    }
    f->on = on;
    for (unsigned n = 0; n < MAP_GUESTS_MOST; n++)
        f->guest[n] = (struct seen){.map = f, .number = n};
    return f;
}

static struct machine *see(struct seen *g, uint32_t bytes, const char *name, struct error *e) {
    return g->machine = machine_new_virtual(g->map->on, &operations, g, name, bytes, e);
}

struct map *map_new(struct machine *on, struct error *e) {
    if (machine_cpus(on) != 1) {
        error_set(e, ERROR_INPUT, "%s has %u CPUs; a map is of a machine with one", machine_name(on), machine_cpus(on));
        return NULL;
    }
    struct map *f = empty(on, e);
    if (f && (!read_map(f, e) || !machine_set_witness(on, &witness, f, e))) {
        free(f);
        return NULL;
    }
    return f;
}

struct map *map_copy(const struct map *of, struct machine *on, char names[MAP_GUESTS_MOST][MACHINE_NAME_BYTES],
                     struct error *e) {
    struct map *f = empty(on, e);
    if (!f)
        return NULL;
    f->blocks = of->blocks;
    f->length = of->length;
    memcpy(f->offset, of->offset, sizeof f->offset);
    bool ok = machine_set_witness(on, &witness, f, e);
    for (unsigned n = 0; ok && n < MAP_GUESTS_MOST; n++) {
        const struct machine *guest = of->guest[n].machine;
        if (guest && !see(&f->guest[n], machine_memory(guest), names[n], e))
            ok = false;
    }
    if (ok)
        return f;
    map_free(f);
    return NULL;
}

void map_free(struct map *f) {
    if (!f)
        return;
    if (map_on(f->on) == f)
        machine_set_witness(f->on, NULL, NULL, NULL);
    for (unsigned n = 0; n < MAP_GUESTS_MOST; n++)
        machine_free_virtual(f->guest[n].machine);
    free(f);
}

/* ---- Guests ---- */

static void set_parameter(struct map *f, uint32_t real, uint32_t value) {
    uint8_t raw[4];
    bytes_put32(raw, value);
    machine_poke(f->on, real, raw, sizeof raw);
}

/* Before the start: the parameters are to say so. Returns its size, or 0 and *e. */
static uint32_t ask_for(struct map *f, unsigned number, uint32_t bytes, struct error *e) {
    const char *name = machine_name(f->on);
    for (unsigned n = 0; n < number; n++)
        if (!asked_size(f, n)) {
            error_set(e, ERROR_INPUT, "%s: guest %u begins where guest %u ends, whose storage has no size yet", name,
                      number, n);
            return 0;
        }
    if (bytes == 0)
        bytes = asked_size(f, number);
    if (bytes == 0) {
        error_set(e, ERROR_INPUT, "%s: how much storage guest %u has must be said before the hypervisor is started",
                  name, number);
        return 0;
    }
    uint32_t first = origin(&f->guest[number]), memory = machine_memory(f->on);
    if (first >= memory || bytes > memory - first) {
        error_set(e, ERROR_INPUT, "%s: %u KB for guest %u do not fit; its storage begins at %06X of %u KB", name,
                  bytes / 1024, number, first, memory / 1024);
        return 0;
    }
    set_parameter(f, STORAGE_SIZES + 4 * number, bytes);
    if (word_at(f->on, GUESTS) <= number)
        set_parameter(f, GUESTS, number + 1);
    return bytes;
}

struct machine *map_guest(struct map *f, unsigned number, uint32_t memory_bytes, const char *name, struct error *e) {
    char own[32];
    if (number >= MAP_GUESTS_MOST || memory_bytes % PAGE_BYTES || memory_bytes > STORAGE_MOST_BYTES) {
        error_set(e, ERROR_INPUT, "guests are numbered from 0 to %d, and have a multiple of 4 KB, not %u and %u bytes",
                  MAP_GUESTS_MOST - 1, number, memory_bytes);
        return NULL;
    }
    struct seen *g = &f->guest[number];
    if (g->machine)
        return g->machine;
    uint32_t bytes = started(g) ? part_word(g, MAP_PART_SIZE) : ask_for(f, number, memory_bytes, e);
    if (bytes > STORAGE_MOST_BYTES)
        damaged(f, "the size of a guest's storage", bytes, e);
    if (bytes == 0 || bytes > STORAGE_MOST_BYTES)
        return NULL;
    if (number == 0)
        snprintf(own, sizeof own, "guest%d", machine_level(f->on) + 1);
    else
        snprintf(own, sizeof own, "guest%d.%u", machine_level(f->on) + 1, number + 1);
    return see(g, bytes, name ? name : own, e);
}

struct map *map_on(const struct machine *m) {
    return machine_witness_self(m, &witness);
}

struct map *map_of(const struct machine *guest, unsigned *number) {
    const struct seen *g = machine_virtual_self(guest, &operations);
    if (g)
        *number = g->number;
    return g ? g->map : NULL;
}

struct machine *map_guest_at(const struct map *f, unsigned number) {
    return number < MAP_GUESTS_MOST ? f->guest[number].machine : NULL;
}

/* ---- Looking ---- */

static void add_counts(const struct seen *g, struct map_stats *to) {
    uint8_t words[4 * INTERRUPTION_WORDS];
    part(g, MAP_PART_INTERRUPTIONS, words);
    for (unsigned i = 0; i < INTERRUPTION_WORDS; i++)
        to->reflected += bytes_get32(words + 4 * i);
    to->interpreted += part_word(g, MAP_PART_INTERPRETED);
}

void map_stats(const struct map *f, struct map_stats *to) {
    *to = (struct map_stats){.traps = word_at(f->on, COUNTERS),
                             .shadow_faults = word_at(f->on, COUNTERS + 4),
                             .dispatches = word_at(f->on, COUNTERS + 12)};
    for (unsigned n = 0; n < map_guests(f); n++)
        add_counts(&f->guest[n], to);
}

bool map_guest_stats(const struct machine *guest, struct map_stats *to) {
    const struct seen *g = machine_virtual_self(guest, &operations);
    struct machine_stats s;
    if (!g)
        return false;
    map_stats(g->map, to);
    machine_stats(g->map->on, &s);
    to->traps = interruption_total(s.interruptions) - s.interruptions[INTERRUPTION_RESTART];
    to->interpreted = to->reflected = 0;
    add_counts(g, to);
    return true;
}

/* A row that says nothing else divides the disk among the guests. */
static void divide(const struct seen *g, const uint8_t row[DEVICE_ROW_BYTES], uint32_t all, uint32_t *first,
                   uint32_t *blocks) {
    uint32_t guests = word_at(g->map->on, GUESTS);
    *first = bytes_get32(row + 8);
    *blocks = bytes_get32(row + 12);
    if (*blocks == 0 && row[1] & DEVICE_IN_PARTS && guests > 1) {
        *blocks = all / guests;
        *first = *blocks * g->number;
    } else if (*blocks == 0) {
        *first = 0;
        *blocks = all;
    }
}

bool map_disk(const struct machine *guest, uint16_t address, uint16_t host_address, uint32_t host_blocks,
              uint32_t *first, uint32_t *blocks) {
    const struct seen *g = machine_virtual_self(guest, &operations);
    for (unsigned n = 0; g && n < MAP_DEVICES; n++) {
        uint8_t row[DEVICE_ROW_BYTES] = {0};
        machine_peek(g->map->on, DEVICES + n * DEVICE_ROW_BYTES, row, sizeof row);
        if ((row[0] != DEVICE_OF_EACH && row[0] != g->number) || bytes_get16(row + 2) != address ||
            bytes_get16(row + 4) != host_address)
            continue;
        divide(g, row, host_blocks, first, blocks);
        return *first < host_blocks && *blocks <= host_blocks - *first;
    }
    return false;
}

int64_t map_frame(const struct machine *guest, uint32_t guest_real) {
    const struct seen *g = machine_virtual_self(guest, &operations);
    return g ? frame(g, guest_real & ~(PAGE_BYTES - 1u)) : -1;
}

/* ---- For the map as data ---- */

bool map_part(const struct machine *guest, enum map_part which, uint32_t *real, uint32_t *bytes) {
    const struct seen *g = machine_virtual_self(guest, &operations);
    if (!g)
        return false;
    *real = g->map->blocks + g->number * g->map->length + g->map->offset[which];
    *bytes = part_bytes[which];
    return true;
}

bool map_device_at(const struct machine *guest, unsigned n, uint16_t *address, uint16_t *host_address) {
    const struct seen *g = machine_virtual_self(guest, &operations);
    for (unsigned i = 0; g && i < MAP_DEVICES; i++) {
        uint8_t row[DEVICE_ROW_BYTES] = {0};
        machine_peek(g->map->on, DEVICES + i * DEVICE_ROW_BYTES, row, sizeof row);
        *address = bytes_get16(row + 2);
        *host_address = bytes_get16(row + 4);
        bool its = row[0] == DEVICE_OF_EACH || row[0] == g->number;
        if (its && machine_device(g->map->on, *host_address) && n-- == 0)
            return true;
    }
    return false;
}

/* ---- What there is to be looked after ---- */

struct machine *map_machine(const struct map *f) {
    return f->on;
}

unsigned map_guests(const struct map *f) {
    uint32_t asked = word_at(f->on, GUESTS);
    return asked < MAP_GUESTS_MOST ? asked : MAP_GUESTS_MOST;
}

bool map_storage(const struct map *f, unsigned guest, uint32_t *first, uint32_t *bytes) {
    const struct seen *g = &f->guest[guest];
    *first = part_word(g, MAP_PART_ORIGIN);
    *bytes = part_word(g, MAP_PART_SIZE);
    return *bytes != 0;
}

uint32_t map_first_storage(const struct map *f) { return word_at(f->on, FIRST_STORAGE); }

bool map_space(const struct map *f, unsigned guest, unsigned n, struct map_space *to) {
    uint32_t spaces = word_at(f->on, SPACES), layout = word_at(f->on, SPACE_LENGTH);
    if (n > spaces || n > SPACES_MOST)
        return false;
    to->bytes = layout >> 16;
    to->at = n == 0 ? part_word(&f->guest[guest], MAP_PART_REAL_SPACE)
                    : part_word(&f->guest[guest], MAP_PART_SPACES) + (n - 1) * to->bytes;
    uint32_t control = to->at + (layout & 0xFFFF);
    to->cr0 = word_at(f->on, control);
    to->cr1 = word_at(f->on, control + 4);
    return true;
}

bool map_minidisk(const struct map *f, unsigned guest, unsigned n, struct minidisk *to) {
    const struct seen *g = &f->guest[guest];
    uint8_t row[DEVICE_ROW_BYTES] = {0};
    machine_peek(f->on, DEVICES + n * DEVICE_ROW_BYTES, row, sizeof row);
    *to = (struct minidisk){.address = bytes_get16(row + 2), .host_address = bytes_get16(row + 4)};
    uint32_t all = disk_blocks(machine_device(f->on, to->host_address));
    if (all == 0 || (row[0] != DEVICE_OF_EACH && row[0] != guest))
        return false;
    divide(g, row, all, &to->first, &to->blocks);
    to->shared = row[0] == DEVICE_OF_EACH && !(row[1] & DEVICE_IN_PARTS);
    return true;
}

bool map_guest_runs(const struct machine *guest) {
    const struct seen *g = machine_virtual_self(guest, &operations);
    return g && map_running(g->map) == (int)g->number;
}

bool map_ready(const struct map *f, unsigned guest) {
    const struct seen *g = &f->guest[guest];
    return started((void *)(uintptr_t)g) && status_byte(g) == 0;
}

uint64_t map_slice(const struct map *f) { return clock_cycles((uint64_t)word_at(f->on, SLICE) << 12); }
