/* The bare machine: its life, its run loop, and the view from outside that virtual machines share.
 *
 * machine_run alternates between taking interruptions and executing until the next moment at which one could be due.
 * The host never enters into it: when the loop is left to ask whether the user has had enough, nothing of the machine
 * changes. */
#include "isa/machine.h"

#include <stdio.h>
#include <stdlib.h>

#include "isa/isa_internal.h"
#include "isa/snapshot.h"

/* How often the caller is asked whether to go on: a turn is at most so many cycles, and it is every so many turns. */
enum { POLL_CYCLES = 4000000, POLL_TURNS = 64 };

const char *machine_status_name(enum machine_status s) {
    static const char *const names[] = {"ready", "disabled-wait", "check-stop", "idle", "fault", "load"};
    return names[s];
}

const char *cycle_cause_name(enum cycle_cause c) {
    static const char *const names[CAUSE_COUNT] = {"direct", "tlb",        "interruption", "dispatch", "interpretation",
                                                   "shadow", "reflection", "device",       "idle"};
    return names[c];
}

/* ---- Life ---- */

static void storage_changed(void *self, uint32_t absolute, uint32_t length) {
    struct machine *m = self;
    while (length) {
        uint32_t offset = absolute & (STORAGE_BLOCK_BYTES - 1);
        uint32_t part = STORAGE_BLOCK_BYTES - offset < length ? STORAGE_BLOCK_BYTES - offset : length;
        struct code_block *code = m->code ? m->code[absolute >> STORAGE_BLOCK_SHIFT] : NULL;
        if (code)
            code_changed(code, offset, part);
        absolute += part;
        length -= part;
    }
}

static uint8_t channel_access(struct machine *m, uint32_t absolute, uint32_t length, uint8_t **key) {
    if (!storage_has(m->storage, absolute, length))
        return CHANNEL_PROGRAM_CHECK;
    *key = storage_key(m->storage, absolute);
    return 0;
}

static uint8_t channel_fetch(void *self, uint32_t absolute, unsigned access_key, void *to, uint32_t length) {
    struct machine *m = self;
    uint8_t *key, status = channel_access(m, absolute, length, &key);
    if (status)
        return status;
    if (!storage_may_fetch(*key, access_key))
        return CHANNEL_PROTECTION_CHECK;
    *key |= KEY_REFERENCE;
    storage_read(m->storage, absolute, to, length);
    return 0;
}

static uint8_t channel_store(void *self, uint32_t absolute, unsigned access_key, const void *from, uint32_t length) {
    struct machine *m = self;
    uint8_t *key, status = channel_access(m, absolute, length, &key);
    if (status)
        return status;
    if (!storage_may_store(*key, access_key))
        return CHANNEL_PROTECTION_CHECK;
    *key |= KEY_REFERENCE | KEY_CHANGE;
    storage_write(m->storage, absolute, from, length);
    return 0;
}

static void console_printed(void *self, const char *line, size_t length) {
    struct machine *m = self;
    if (m->console_line && !machine_bare(m)->again)
        m->console_line(m->line_self, line, length);
    if (!trace_wants(m->trace, TRACE_CONSOLE))
        return;
    char text[256];
    snprintf(text, sizeof text, "%.*s", (int)length, line);
    struct trace_event event = {.kind = TRACE_CONSOLE,
                                .cycle = processor_cycles(machine_present(m)),
                                .machine = m->name,
                                .level = m->level,
                                .cpu = machine_present(m)->address,
                                .a = ADDRESS_CONSOLE,
                                .text = text};
    trace_emit(m->trace, &event);
}

static void printer_printed(void *self, const char *line, size_t length) {
    struct machine *m = self;
    if (m->printer_line && !machine_bare(m)->again)
        m->printer_line(m->line_self, line, length);
}

bool machine_attach_devices(struct machine *m, struct channel_set *s, device_line *console_line,
                            device_line *printer_line, void *self, bool forget) {
    m->console_line = console_line;
    m->printer_line = printer_line;
    m->line_self = self;
    return channel_attach(s, ADDRESS_CONSOLE, console_new(m->model, console_printed, m, forget)) &&
           channel_attach(s, ADDRESS_READER, reader_new(m->model)) &&
           channel_attach(s, ADDRESS_PRINTER, printer_new(m->model, printer_printed, m, forget));
}

static bool make_processors(struct machine *m, unsigned count) {
    for (; m->cpus < count; m->cpus++) {
        if (!(m->cpu[m->cpus] = processor_new(m, m->cpus)))
            return false;
        m->cpu[m->cpus]->condition = m->cpus ? PROCESSOR_STOPPED : PROCESSOR_OPERATING;
    }
    m->processor = m->current = m->cpu[0];
    m->turn_end = count > 1 ? 0 : UINT64_MAX;
    return true;
}

struct machine *machine_new(const struct machine_options *o, struct error *e) {
    if (o->cpus > MACHINE_CPUS_MOST) {
        error_set(e, ERROR_INPUT, "a machine has 1 to %d CPUs, not %u", MACHINE_CPUS_MOST, o->cpus);
        return NULL;
    }
    struct machine *m = calloc(1, sizeof *m);
    if (!m) {
        error_set(e, ERROR_INTERNAL, "no memory for a machine");
        return NULL;
    }
    snprintf(m->name, sizeof m->name, "%s", o->name ? o->name : "bare");
    m->memory = o->memory_bytes;
    m->model = o->model;
    m->trace = o->trace;
    m->nominal_time = o->nominal_time;
    m->tod_epoch = o->tod;
    m->profile = o->profile;
    m->channel_conditions = o->channel_conditions;
    random_init(&m->keys, o->seed, "supervisor keys");
    if (!(m->storage = storage_new(o->memory_bytes, e))) {
        machine_free(m);
        return NULL;
    }
    m->storage->changed = storage_changed;
    m->storage->self = m;
    m->timeline = timeline_new();
    struct channel_host host = {.fetch = channel_fetch,
                                .store = channel_store,
                                .self = m,
                                .timeline = m->timeline,
                                .conditions = o->channel_conditions};
    if (m->timeline)
        m->channels = channel_set_new(&host);
    if (!m->channels ||
        !machine_attach_devices(m, m->channels, o->console_line, o->printer_line, o->line_self, o->forget_lines) ||
        !make_processors(m, o->cpus ? o->cpus : 1)) {
        machine_free(m);
        error_set(e, ERROR_INTERNAL, "no memory for a machine");
        return NULL;
    }
    return m;
}

void machine_free(struct machine *m) {
    if (!m)
        return;
    if (m->code)
        for (uint32_t i = 0; i < m->storage->size_bytes >> STORAGE_BLOCK_SHIFT; i++)
            free(m->code[i]);
    free(m->code);
    channel_set_free(m->channels);
    timeline_free(m->timeline);
    storage_free(m->storage);
    for (unsigned i = 0; i < m->cpus; i++)
        free(m->cpu[i]);
    free(m);
}

struct machine *machine_new_virtual(struct machine *host, const struct machine_ops *ops, void *self, const char *name,
                                    uint32_t memory_bytes, struct error *e) {
    struct machine *m = host->level + 1 < MACHINE_LEVELS ? calloc(1, sizeof *m) : NULL;
    if (!m) {
        error_set(e, ERROR_INPUT, "machines nest up to %d levels", MACHINE_LEVELS);
        return NULL;
    }
    struct machine *bare = machine_bare(host);
    snprintf(m->name, sizeof m->name, "%s", name);
    m->host = host;
    m->level = host->level + 1;
    m->memory = memory_bytes;
    m->ops = ops;
    m->self = self;
    m->processor = host->processor;
    m->trace = bare->trace;
    m->model = bare->model;
    m->nominal_time = bare->nominal_time;
    m->profile = bare->profile;
    m->channel_conditions = bare->channel_conditions;
    return m;
}

void machine_free_virtual(struct machine *m) {
    if (!m)
        return;
    for (unsigned i = 0; i < MACHINE_CPUS_MOST; i++)
        if (m->host->running[i].machine == m)
            m->host->running[i].machine = NULL;
    free(m);
}

/* ---- What everybody may ask ---- */

const char *machine_name(const struct machine *m) { return m->name; }
uint32_t machine_memory(const struct machine *m) { return m->memory; }
struct machine *machine_host(const struct machine *m) {
    return m->host;
}
int machine_level(const struct machine *m) { return m->level; }
const struct cost_model *machine_model(const struct machine *m) { return m->model; }
bool machine_nominal(const struct machine *m) { return m->nominal_time; }
enum profile machine_profile(const struct machine *m) { return m->profile; }
enum channel_conditions machine_channel_conditions(const struct machine *m) { return m->channel_conditions; }
enum machine_status machine_status(const struct machine *m) {
    return m->ops && m->ops->status ? m->ops->status(m->self) : m->status;
}
bool machine_started(const struct machine *m) { return m->started; }

struct machine *machine_bare(struct machine *m) {
    while (m->host)
        m = m->host;
    return m;
}

const char *machine_fault(const struct machine *m) { return m->processor->machine->fault; }

struct channel_set *machine_channels(const struct machine *m) {
    while (m->ops && !m->ops->channels)
        m = m->host;
    return m->ops ? m->ops->channels(m->self) : m->channels;
}

bool machine_only_seen(const struct machine *m) { return m->ops && !m->ops->set_state; }

struct device *machine_device(const struct machine *m, uint16_t address) {
    return channel_device(machine_channels(m), address);
}

uint64_t machine_device_activity(const struct machine *m, uint16_t address) {
    return channel_observe(machine_channels(m), address);
}

struct device *machine_device_at(const struct machine *m, unsigned n, uint16_t *address) {
    return channel_device_at(machine_channels(m), n, address);
}

bool machine_attach(struct machine *m, uint16_t address, struct device *d, struct error *e) {
    bool taken = machine_device(m, address) != NULL;
    if (channel_attach(machine_channels(m), address, d))
        return true;
    if (taken && d)
        return error_set(e, ERROR_INPUT, "machine %s already has a device %03X", m->name, address);
    return error_set(e, ERROR_INTERNAL, "no memory for device %03X", address);
}

/* Peek and poke run along pages, since a range that is contiguous in real storage is not in absolute storage where it
 * crosses the prefix page. */
static enum access each_page(struct machine *m, uint32_t real, uint8_t *bytes, uint32_t length, bool poke) {
    uint32_t prefix = m->processor->prefix;
    for (uint32_t done = 0, part; done < length; done += part) {
        uint32_t at = real + done;
        part = 4096 - (at & 4095);
        if (part > length - done)
            part = length - done;
        uint32_t absolute = storage_prefix(at, prefix);
        if (poke)
            storage_write(m->storage, absolute, bytes + done, part);
        else
            storage_read(m->storage, absolute, bytes + done, part);
    }
    return ACCESS_OK;
}

enum access machine_peek(struct machine *m, uint32_t real, void *to, uint32_t length) {
    if (m->ops)
        return m->ops->peek(m->self, real, to, length);
    return storage_has(m->storage, real, length) ? each_page(m, real, to, length, false) : ACCESS_ADDRESSING;
}

enum access machine_poke(struct machine *m, uint32_t real, const void *from, uint32_t length) {
    if (m->ops)
        return m->ops->poke(m->self, real, from, length);
    if (!storage_has(m->storage, real, length))
        return ACCESS_ADDRESSING;
    return each_page(m, real, (uint8_t *)(uintptr_t)from, length, true);
}

enum access machine_move(struct machine *host, const struct machine_pages *pages, uint32_t real, void *bytes,
                         uint32_t length, bool poke) {
    enum { PAGE_BYTES = 4096 };
    uint8_t *at = bytes;
    if (real > ADDRESS_MASK || length > ADDRESS_MASK + 1 - real || pages->host(pages->self, real + length - 1) < 0)
        return ACCESS_ADDRESSING;
    for (uint32_t page = real; page < real + length; page = (page | (PAGE_BYTES - 1)) + 1)
        if (pages->host(pages->self, page) < 0)
            return ACCESS_ADDRESSING;
    for (uint32_t n; length; real += n, at += n, length -= n) {
        uint32_t left = PAGE_BYTES - (real & (PAGE_BYTES - 1)), to = (uint32_t)pages->host(pages->self, real);
        n = left < length ? left : length;
        enum access x = poke ? machine_poke(host, to, at, n) : machine_peek(host, to, at, n);
        if (x != ACCESS_OK)
            return x;
    }
    return ACCESS_OK;
}

int machine_key(struct machine *m, uint32_t real) {
    if (m->ops)
        return m->ops->key(m->self, real);
    if (!storage_has(m->storage, real, 1))
        return -1;
    return *storage_key(m->storage, storage_prefix(real, m->processor->prefix));
}

void machine_set_key(struct machine *m, uint32_t real, uint8_t key) {
    if (m->ops) {
        m->ops->set_key(m->self, real, key);
    } else if (storage_has(m->storage, real, 1)) {
        *storage_key(m->storage, storage_prefix(real, m->processor->prefix)) = key & 0xFE;
        access_forget_all(m);
    }
}

bool machine_load(struct machine *m, uint32_t at, const void *image, size_t length, struct error *e) {
    if (at > m->memory || length > m->memory - at)
        return error_set(e, ERROR_INPUT, "an image of %zu bytes at %06X does not fit into a storage of %u bytes",
                         length, at, m->memory);
    if (length)
        machine_poke(m, at, image, (uint32_t)length);
    return true;
}

unsigned machine_cpus(const struct machine *m) { return m->ops ? m->ops->cpus(m->self) : m->cpus; }

void machine_state(struct machine *m, struct machine_state *to) { machine_cpu_state(m, 0, to); }
void machine_set_state(struct machine *m, const struct machine_state *from) { machine_cpu_set_state(m, 0, from); }

void machine_cpu_state(struct machine *m, unsigned cpu, struct machine_state *to) {
    assert(cpu < machine_cpus(m));
    if (m->ops) {
        m->ops->state(m->self, cpu, to);
        return;
    }
    const struct processor *p = m->cpu[cpu];
    *to = (struct machine_state){.psw = p->psw,
                                 .prefix = p->prefix,
                                 .tod = clock_tod(p),
                                 .clock_comparator = p->comparator,
                                 .cpu_timer = clock_timer(p)};
    memcpy(to->gpr, p->gpr, sizeof to->gpr);
    memcpy(to->cr, p->cr, sizeof to->cr);
}

void machine_cpu_set_state(struct machine *m, unsigned cpu, const struct machine_state *from) {
    assert(cpu < machine_cpus(m));
    if (m->ops) {
        if (m->ops->set_state)
            m->ops->set_state(m->self, cpu, from);
        return;
    }
    struct processor *p = m->cpu[cpu];
    p->psw = from->psw;
    p->prefix = from->prefix;
    memcpy(p->gpr, from->gpr, sizeof from->gpr);
    memcpy(p->cr, from->cr, sizeof from->cr);
    p->format_valid = dat_format(p->cr[0], &p->format);
    p->space = tlb_space(p->cr[0], p->cr[1]);
    tlb_purge(&p->tlb);
    access_forget(p);
}

static enum access peek_table_entry(void *self, uint32_t real, void *to, uint32_t length) {
    return machine_peek(self, real, to, length);
}

enum access machine_walk_under(struct machine *m, uint32_t cr0, uint32_t cr1, uint32_t va, struct dat_walk *to) {
    return dat_translate(cr0, cr1, va, peek_table_entry, m, to);
}

enum access machine_walk(struct machine *m, uint32_t va, struct dat_walk *to) {
    struct machine_state state;
    machine_state(m, &state);
    return machine_walk_under(m, state.cr[0], state.cr[1], va, to);
}

void machine_raise(struct machine *m, enum machine_condition c) {
    if (m->ops) {
        m->ops->raise(m->self, c);
        return;
    }
    struct processor *p = m->processor;
    switch (c) {
    case CONDITION_INTERRUPT_KEY: p->external |= PENDING_INTERRUPT_KEY; break;
    case CONDITION_MACHINE_CHECK:
        p->machine_check = true;
        p->machine_check_code = (uint64_t)1 << 63; /* system damage */
        break;
    case CONDITION_ATTENTION: channel_attention(m->channels, ADDRESS_CONSOLE); break;
    }
}

void machine_direct(struct machine *m) {
    assert(!m->ops && m->cpus == 1);
    m->directed = true;
}

bool machine_deliver_external(struct machine *m, unsigned code, unsigned sender) {
    return interrupt_deliver_external(m->processor, code, sender);
}

void machine_device_ends(struct machine *m, uint16_t address) {
    while (channel_is_working(m->channels, address))
        timeline_advance(m->timeline, timeline_next(m->timeline));
}

void machine_device_presents(struct machine *m, uint16_t address, uint64_t csw) {
    machine_device_ends(m, address);
    channel_outside_begin(m->channels, address);
    channel_outside_end(m->channels, address, csw, CHANNEL_ENDED);
}

void machine_set_comparator(struct machine *m, uint64_t value) { m->processor->comparator = value; }

bool machine_deliver_io(struct machine *m, uint16_t address) {
    machine_device_ends(m, address);
    return interrupt_deliver_io(m->processor, address);
}

bool machine_has_pending(struct machine *m) {
    struct machine_state s;
    machine_state(m, &s);
    if (psw_external(&s.psw) && ((s.cr[0] & CR0_CLOCK_COMPARATOR && s.tod > s.clock_comparator) ||
                                 (s.cr[0] & CR0_CPU_TIMER && s.cpu_timer >> 63)))
        return true;
    return channel_has_interruption(machine_channels(m), psw_channels(&s.psw, s.cr[2]));
}

/* CPU 0, which the operator starts. */
static struct processor *operate(struct machine *m) {
    struct processor *p = m->processor;
    processor_wake(p, processor_clock(m->current));
    p->condition = PROCESSOR_OPERATING;
    p->order = 0;
    m->started = true;
    machine_end_turn(m);
    return p;
}

void machine_restart(struct machine *m) {
    m->status = MACHINE_READY;
    if (m->ops) {
        m->ops->start(m->self, NULL);
        return;
    }
    struct processor *p = operate(m);
    p->restart = true;
    m->start_psw = false;
}

void machine_start_psw(struct machine *m, const uint8_t psw[8]) {
    m->status = MACHINE_READY;
    if (m->ops) {
        m->ops->start(m->self, psw);
        return;
    }
    struct processor *p = operate(m);
    memcpy(m->start, psw, 8);
    m->start_psw = true;
    p->restart = false;
}

/* ---- Accounts ---- */

void processor_flush(struct processor *p) {
    uint64_t nominal = processor_nominal(p), passed = nominal - p->flushed_nominal;
    p->flushed_nominal = nominal;
    p->booked[p->level][CAUSE_DIRECT] += passed;
    p->instructions += p->retired;
    for (struct machine_cpu c = processor_chain(p); c.machine; c = chain_next(c)) {
        c.machine->instructions += p->retired;
        c.machine->nominal += passed;
    }
    p->retired = 0;
}

/* The level of whoever runs on this CPU. */
static void find_level(struct processor *p) {
    for (struct machine_cpu c = processor_chain(p); c.machine; c = chain_next(c))
        p->level = c.machine->level;
}

void processor_given(struct processor *p, struct machine_cpu on, struct machine_cpu to) {
    on.machine->running[on.cpu] = to;
    for (; to.machine; to = chain_next(to))
        p->level = to.machine->level;
}

/* What the program of m's host has done for m since m was last told; the interruptions are added. A machine with a
 * supervisor of its own in C is that supervisor, whose instructions are not counted. */
static uint64_t witnessed(const struct machine *m, bool told, uint64_t interruptions[INTERRUPTION_CLASSES]) {
    uint64_t interpreted = m->ops && m->ops->witnessed ? m->ops->witnessed(m->self, told, interruptions) : 0;
    return m->supervisor ? 0 : interpreted;
}

static struct machine *ask_witness(struct machine *m) {
    struct machine *vm = m->witness->running(m->witness_self);
    if (vm)
        vm->instructions += witnessed(vm, true, vm->interruptions);
    return vm;
}

/* A machine in supervisor state runs none of its own; in problem state whom its program says, if that tells. */
void processor_ask_witnesses(struct processor *p) {
    processor_flush(p);
    for (struct machine_cpu c = processor_chain(p); c.machine; c = chain_next(c)) {
        struct machine *m = c.machine;
        p->level = m->level;
        if (!m->witness && !(m->host && m->host->witness))
            continue;
        struct machine_state state;
        machine_cpu_state(m, c.cpu, &state);
        if (!psw_problem(&state.psw))
            m->running[c.cpu].machine = NULL;
        else if (m->witness)
            m->running[c.cpu] = (struct machine_cpu){ask_witness(m), 0};
    }
}

bool machine_set_witness(struct machine *m, const struct witness_ops *ops, void *self, struct error *e) {
    struct machine *bare = m->processor->machine;
    if (ops && (m->witness || m->supervisor))
        return error_set(e, ERROR_INPUT, "%s has a %s already", m->name,
                         m->witness ? "map of virtual machines" : "monitor in C");
    bare->witnesses += (ops != NULL) - (m->witness != NULL);
    m->witness = ops;
    m->witness_self = self;
    if (ops)
        return true;
    for (unsigned i = 0; i < bare->cpus; i++)
        processor_flush(bare->cpu[i]);
    memset(m->running, 0, sizeof m->running);
    for (unsigned i = 0; i < bare->cpus; i++)
        find_level(bare->cpu[i]);
    return true;
}

void *machine_witness_self(const struct machine *m, const struct witness_ops *ops) {
    return m->witness == ops ? m->witness_self : NULL;
}

void processor_left(struct processor *p) {
    p->machine->running[p->address].machine = NULL;
    p->level = 0;
}

/* The CPU that m is on, with any CPU of its own or with this one; NULL: none. */
enum { ANY_CPU = MACHINE_CPUS_MOST };
static const struct processor *cpu_of(const struct machine *m, unsigned cpu) {
    const struct machine *bare = m->processor->machine;
    for (unsigned i = 0; i < bare->cpus; i++)
        for (struct machine_cpu c = processor_chain(bare->cpu[i]); c.machine; c = chain_next(c))
            if (c.machine == m && (c.cpu == cpu || cpu == ANY_CPU))
                return bare->cpu[i];
    return NULL;
}

static bool is_running(const struct machine *m) { return cpu_of(m, ANY_CPU) != NULL; }
bool machine_is_live(const struct machine *m, unsigned cpu) {
    const struct processor *p = cpu_of(m, cpu);
    return p && !p->leaving;
}

void machine_live_state(const struct machine *m, unsigned cpu, struct machine_state *to) {
    const struct processor *p = cpu_of(m, cpu);
    memcpy(to->gpr, p->gpr, sizeof to->gpr);
    to->psw.cc = p->psw.cc;
    to->psw.program_mask = p->psw.program_mask;
    to->psw.ia = p->psw.ia;
}

static uint64_t interruptions_of(const struct machine *m) { return interruption_total(m->interruptions); }

static void later(uint64_t *time, uint64_t other) {
    if (other > *time)
        *time = other;
}

void machine_stats(const struct machine *m, struct machine_stats *to) {
    const struct machine *bare = m->processor->machine;
    *to = (struct machine_stats){0};
    for (unsigned i = 0; i < bare->cpus; i++) {
        processor_flush(bare->cpu[i]);
        later(&to->cycles, processor_cycles(bare->cpu[i]));
        later(&to->nominal_cycles, processor_nominal(bare->cpu[i]));
    }
    if (m != bare)
        to->nominal_cycles = m->nominal;
    memcpy(to->interruptions, m->interruptions, sizeof to->interruptions);
    to->instructions = m->instructions + witnessed(m, false, to->interruptions);
}

const struct tlb *machine_tlb(const struct machine *m, unsigned cpu) {
    const struct machine *bare = m->processor->machine;
    return &bare->cpu[cpu < bare->cpus ? cpu : 0]->tlb;
}

void machine_cpu_stats(const struct machine *m, unsigned cpu, struct machine_stats *to) {
    assert(cpu < machine_cpus(m));
    if (m->ops) {
        machine_stats(m, to);
        return;
    }
    struct processor *p = m->cpu[cpu];
    processor_flush(p);
    uint64_t behind = processor_behind(p);
    *to = (struct machine_stats){.instructions = p->instructions,
                                 .cycles = processor_cycles(p) + behind,
                                 .nominal_cycles = processor_nominal(p) + behind};
    memcpy(to->interruptions, p->interruptions, sizeof to->interruptions);
}

uint64_t machine_cpu_booked(const struct machine *m, unsigned cpu, int level, enum cycle_cause cause) {
    const struct machine *bare = m->processor->machine;
    assert(cpu < bare->cpus);
    struct processor *p = bare->cpu[cpu];
    processor_flush(p);
    return p->booked[level][cause] + (cause == CAUSE_IDLE && level == p->level ? processor_behind(p) : 0);
}

uint64_t machine_booked(const struct machine *m, int level, enum cycle_cause cause) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < m->processor->machine->cpus; i++)
        sum += machine_cpu_booked(m, i, level, cause);
    return sum;
}

uint64_t machine_booked_level(const struct machine *m, int level) {
    uint64_t sum = 0;
    for (int c = 0; c < CAUSE_COUNT; c++)
        sum += machine_booked(m, level, (enum cycle_cause)c);
    return sum;
}

uint64_t machine_busy_cycles(const struct machine *m) {
    struct machine_stats s;
    uint64_t idle = 0;
    machine_stats(m, &s);
    for (int level = 0; level <= m->level; level++)
        idle += machine_booked(m, level, CAUSE_IDLE);
    return s.cycles - idle;
}

/* ---- Running ---- */

void machine_again(struct machine *m, bool again) {
    m->again = again;
    trace_mute(m->trace, again);
}

/* Everything that follows from the time: the interval timer's ticks, and device ends. */
static void catch_up(struct processor *p) {
    if (p->machine->directed)
        return;
    uint64_t clock = processor_clock(p), ticks = clock_ticks(clock);
    if (ticks != p->interval_ticks) {
        uint8_t raw[4];
        uint32_t absolute = storage_prefix(80, p->prefix);
        storage_read(p->storage, absolute, raw, 4);
        int64_t before = (int32_t)bytes_get32(raw), after = before - (int64_t)(ticks - p->interval_ticks) * 256;
        bytes_put32(raw, (uint32_t)after);
        storage_write(p->storage, absolute, raw, 4);
        if (before >= 0 && after < 0)
            p->external |= PENDING_INTERVAL_TIMER;
        p->interval_ticks = ticks;
    }
    sim_time now = clock * CYCLE_PICOSECONDS;
    if (timeline_next(p->machine->timeline) <= now)
        timeline_advance(p->machine->timeline, now);
}

/* Sets the horizon: cycles that may pass before anything has to be looked at again. */
static void set_horizon(struct processor *p, uint64_t cycles) {
    uint64_t now = processor_nominal(p);
    p->horizon = now + cycles;
    p->remaining = (int64_t)cycles;
}

enum machine_cpu_status machine_cpu_status(struct machine *m, unsigned cpu) {
    assert(cpu < machine_cpus(m));
    if (m->ops)
        return m->ops->cpu_status(m->self, cpu);
    const struct processor *p = m->cpu[cpu];
    switch (p->condition) {
    case PROCESSOR_STOPPED: return CPU_STOPPED;
    case PROCESSOR_CHECK_STOPPED: return CPU_CHECK_STOP;
    case PROCESSOR_OPERATING: break;
    }
    return psw_disabled_wait(&p->psw) ? CPU_DISABLED_WAIT : psw_wait(&p->psw) ? CPU_WAITING : CPU_RUNNING;
}

const char *machine_cpu_status_name(enum machine_cpu_status s) {
    static const char *const names[] = {"running", "waiting", "disabled-wait", "stopped", "check-stop"};
    return names[s];
}

static struct machine *innermost_running(struct processor *p) {
    struct machine_cpu c = processor_chain(p);
    while (chain_next(c).machine)
        c = chain_next(c);
    return c.machine;
}

/* Where a supervisor's LPSW is still to be executed, it is that supervisor's machine: in supervisor state, as it
 * believes, while those below it have given their CPUs away. */
static struct machine *executing(struct processor *p) {
    struct machine_state state;
    for (struct machine_cpu c = chain_next(processor_chain(p)); p->leaving && c.machine; c = chain_next(c)) {
        machine_cpu_state(c.machine, c.cpu, &state);
        if (!psw_problem(&state.psw))
            return c.machine;
    }
    return innermost_running(p);
}

struct machine *machine_executing(const struct machine *m, unsigned cpu) {
    const struct machine *bare = m->processor->machine;
    return executing(bare->cpu[cpu < bare->cpus ? cpu : 0]);
}

static bool single_step(const struct processor *p) {
    const struct machine *m = p->machine;
    return m->limits->has_address || m->limits->before || trace_wants(m->trace, TRACE_INSTRUCTION) ||
           trace_wants(m->trace, TRACE_WALK);
}

static uint64_t cycles_to_run(struct processor *p) {
    struct machine *m = p->machine;
    uint64_t cycles = POLL_CYCLES, clock = processor_clock(p), next = interrupt_next(p);
    uint64_t tick = clock_tick_at(p->interval_ticks + 1);
    if (tick < next)
        next = tick;
    if (m->turn_end < next)
        next = m->turn_end;
    p->next_event = next;
    if (next - clock < cycles)
        cycles = next > clock ? next - clock : 1;
    if (m->limits->instructions) {
        /* Every instruction that stays in the loop takes a cycle at least. */
        uint64_t count = m->limited->instructions + interruptions_of(m->limited);
        uint64_t left = count < m->limit_count ? m->limit_count - count : 1;
        if (left < cycles)
            cycles = left;
    }
    if (m->stop_at && m->stop_at - machine_position(m) < cycles)
        cycles = m->stop_at - machine_position(m);
    if (m->limits->cycles && m->limit_cycles - processor_cycles(p) < cycles) {
        uint64_t left = m->limit_cycles - processor_cycles(p);
        cycles = left;
    }
    return single_step(p) ? 1 : cycles;
}

bool machine_limit_reached(const struct machine *m) {
    const struct machine *bare = m->processor->machine;
    const struct machine_limits *l = bare->limits;
    if (m != bare->limited)
        return false;
    return (l->instructions && m->instructions + interruptions_of(m) >= bare->limit_count) ||
           (l->until_trap && interruptions_of(m) != bare->trap_count);
}

/* Whether m, which is about to execute the instruction there, is asked to stop by `before`. */
static bool asked_before(struct machine *bare, struct machine *m, uint32_t ia, bool interpreted) {
    const struct machine_limits *l = bare->limits;
    if (!l->before || (m == bare->began && m->instructions == bare->began_at))
        return false;
    if (m == bare->began)
        bare->began = NULL;
    return l->before(l->before_self, m, ia, interpreted);
}

bool machine_stands_before(struct machine *m, uint32_t ia) {
    struct machine *bare = m->processor->machine;
    bool stands = asked_before(bare, m, ia, true);
    if (m == bare->limited && bare->limits->has_address && ia == bare->limits->until_address) {
        stands |= m->instructions != bare->address_checked;
        bare->address_checked = UINT64_MAX;
    }
    if (stands)
        bare->stands = m;
    return stands;
}

static bool limit_reached(struct processor *p) {
    struct machine *m = p->machine;
    const struct machine_limits *l = m->limits;
    if (m->stop_at && machine_position(m) >= m->stop_at)
        return true;
    if (l->instructions) {
        /* Between an instruction and the interruption that is part of it a virtual machine is not running: it stops
         * behind both, as the bare machine does. */
        uint64_t count = m->limited->instructions + interruptions_of(m->limited);
        if (count > m->limit_count || (count == m->limit_count && is_running(m->limited)))
            return true;
    }
    if (l->cycles && processor_cycles(p) >= m->limit_cycles)
        return true;
    return (m->stands && is_running(m->stands)) || (l->until_trap && interruptions_of(m->limited) != m->trap_count);
}

static void trace_instruction(struct processor *p, struct machine *m) {
    uint8_t text[6] = {0};
    uint32_t absolute;
    char line[8];
    if (!trace_wants(p->machine->trace, TRACE_INSTRUCTION))
        return;
    uint64_t charged = p->charged;
    if (access_locate(p, p->psw.ia, ACCESS_INSTRUCTION, &absolute) != ACCESS_OK) {
        p->charged = charged; /* the CPU will find that out, and pay for it */
        return;
    }
    storage_read(p->storage, absolute, text, storage_has(p->storage, absolute, 6) ? 6 : 2);
    const struct instruction *i = instruction_decode_in(p->machine->profile, text);
    snprintf(line, sizeof line, "%s", i ? i->mnemonic : "?");
    struct trace_event event = {.kind = TRACE_INSTRUCTION,
                                .cycle = processor_cycles(p),
                                .machine = m->name,
                                .level = p->level,
                                .cpu = p->address,
                                .a = p->psw.ia,
                                .b = instruction_length(text[0]),
                                .c = i ? cost_static(p->model, i, text) : 0,
                                .text = line};
    trace_emit(p->machine->trace, &event);
}

/* True when the machine that was asked for is about to execute the address at which to stop. */
static bool at_address(struct processor *p) {
    struct machine *m = p->machine;
    return m->limits->has_address && innermost_running(p) == m->limited && p->psw.ia == m->limits->until_address &&
           m->limited->instructions != m->address_checked;
}

/* Books what an instruction that did not complete has cost nevertheless: the walks it caused. */
static void settle(struct processor *p) {
    if (p->tlb_cost)
        processor_book(p, p->tlb_cost, CAUSE_TLB);
    p->charged = 0;
}

static void program_interruption(struct processor *p, unsigned x) {
    unsigned code = x & 0xFF, ilc = p->length / 2;
    bool nullified = code == ACCESS_SEGMENT || code == ACCESS_PAGE;
    settle(p);
    if (x & OUTCOME_COMPLETED) {
        p->remaining -= p->model->completion;
        p->retired++;
    } else {
        processor_flush(p);
        processor_book(p, p->model->exception, CAUSE_DIRECT);
    }
    if (!nullified)
        p->psw.ia = (p->psw.ia + p->length) & ADDRESS_MASK;
    interrupt_program(p, code, ilc);
}

static void finish(struct processor *p, unsigned x) {
    switch (x) {
    case OUTCOME_EVENT:
        if (!p->code) {
            p->machine->status = MACHINE_FAULT;
            snprintf(p->machine->fault, sizeof p->machine->fault, "no memory for decoded instructions");
        }
        return;
    case OUTCOME_RESUME: settle(p); return;
    case OUTCOME_SYNC:
        p->held = false;
        p->psw.ia &= ADDRESS_MASK;
        psw_make_current(p, &p->psw);
        if (UNLIKELY(p->machine->witness) && psw_problem(&p->psw) && !p->machine->running[p->address].machine)
            processor_ask_witnesses(p);
        return;
    case OUTCOME_SVC:
        p->psw.ia = (p->psw.ia + p->length) & ADDRESS_MASK;
        interrupt_svc(p, p->length / 2);
        return;
    case OUTCOME_CALL:
        if (!supervisor_call(p))
            program_interruption(p, PROGRAM_OPERATION);
        return;
    default: program_interruption(p, x);
    }
}

static void begin(struct machine *m) {
    if (!m->start_psw)
        return;
    struct psw psw;
    m->start_psw = false;
    psw_load(&psw, m->start);
    psw_make_current(m->processor, &psw);
}

static void trace_stop(struct processor *p) {
    struct machine *m = p->machine;
    if (!trace_wants(m->trace, TRACE_STOP))
        return;
    struct trace_event event = {.kind = TRACE_STOP,
                                .cycle = processor_cycles(p),
                                .machine = m->name,
                                .level = 0,
                                .cpu = p->address,
                                .a = p->psw.ia,
                                .text = machine_status_name(m->status)};
    trace_emit(m->trace, &event);
}

/* Whether there is another step, after one that may have check-stopped the CPU. */
static bool going_on(struct processor *p) {
    if (p->condition == PROCESSOR_CHECK_STOPPED)
        return machine_schedule(p->machine);
    return p->machine->status == MACHINE_READY;
}

/* One step of the CPU whose turn it is: an interruption, an order of another CPU, or a run to the horizon; or another
 * CPU's turn begins. False: the machine is to be left. */
static bool step(struct machine *m) {
    struct processor *p = m->current;
    processor_flush(p);
    if (limit_reached(p)) {
        if (machine_ended(m) != MACHINE_IDLE)
            m->status = machine_ended(m); /* it has come to its end with the limit */
        return false;
    }
    if (UNLIKELY(p->order)) {
        processor_perform(p);
        return going_on(p);
    }
    if (UNLIKELY(processor_clock(p) >= m->turn_end || p->condition != PROCESSOR_OPERATING))
        return machine_schedule(m);
    catch_up(p);
    if (interrupt_pending(p))
        return going_on(p);
    if (psw_wait(&p->psw))
        return machine_schedule(m);
    if (at_address(p) || asked_before(m, executing(p), p->psw.ia, false))
        return false;
    if (innermost_running(p) == m->limited && !p->leaving) /* not a monitor's instruction before its */
        m->address_checked = UINT64_MAX;
    trace_instruction(p, innermost_running(p));
    set_horizon(p, cycles_to_run(p));
    finish(p, execute(p));
    return going_on(p);
}

uint64_t machine_steps(const struct machine *m) {
    struct machine_stats s;
    machine_stats(m, &s);
    return s.instructions + interruption_total(s.interruptions);
}

static uint64_t saturate(uint64_t a, uint64_t b) { return a + b < a ? UINT64_MAX : a + b; }

enum machine_status machine_run(struct machine *asked, const struct machine_limits *limits) {
    struct machine *m = machine_bare(asked);
    struct processor *p = m->current;
    if (asked->status == MACHINE_LOAD)
        return MACHINE_LOAD;
    static const struct machine_limits none;
    m->limits = limits ? limits : &none;
    m->limited = asked;
    processor_flush(p);
    m->limit_count = saturate(machine_steps(asked), m->limits->instructions);
    m->limit_cycles = saturate(processor_cycles(p), m->limits->cycles);
    m->trap_count = interruptions_of(asked);
    m->stands = NULL;
    m->began = innermost_running(p);
    m->began_at = m->began->instructions;
    m->address_checked = innermost_running(p) == asked ? asked->instructions : UINT64_MAX;
    if (!m->started && asked != m)
        machine_restart(m);
    if (m->observer)
        m->observer->begins(m->observer->self);
    if (m->status == MACHINE_IDLE)
        m->status = MACHINE_READY;
    begin(m);
    for (unsigned turns = 0; m->status == MACHINE_READY && step(m); turns++) {
        if (m->observer && processor_cycles(m->current) >= m->observer_due)
            m->observer->due(m->observer->self);
        if (turns % POLL_TURNS == 0 && m->limits->interrupted && m->limits->interrupted(m->limits->self))
            break;
    }
    processor_flush(m->current);
    if (m->status != MACHINE_READY)
        trace_stop(m->current);
    if (m->observer)
        m->observer->ends(m->observer->self);
    m->limits = NULL;
    enum machine_status own = machine_status(asked);
    return own == MACHINE_READY ? m->status : own;
}
