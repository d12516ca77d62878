/* The calls of vmm/module.h for a monitor in this process: each is the supervisor's instruction of isa/supervisor.h on
 * the monitor's machine, or an entry in the books. */
#include "vmm/vmm_internal.h"

static struct guest *guest_of_cpu(struct vmm *v, const struct virtual_cpu *c) { return v->guest[c->guest]; }

/* ---- What the monitor is given ---- */

struct monitor_machine monitor_machine(const struct vmm *v) {
    return (struct monitor_machine){.memory = machine_memory(v->machine),
                                    .cpus = v->cpus,
                                    .nominal = machine_nominal(v->machine),
                                    .architected_conditions =
                                        machine_channel_conditions(v->machine) == CHANNEL_CONDITIONS_ARCHITECTURE};
}
unsigned monitor_guests(const struct vmm *v) { return v->guests; }
struct virtual_machine *monitor_guest(struct vmm *v, unsigned guest) {
    return &v->guest[guest]->vm;
}
void *monitor_private(const struct vmm *v) { return v->private; }
const struct monitor_options *monitor_options(const struct vmm *v) { return &v->options; }
const struct monitor_parts *monitor_parts(const struct vmm *v) { return v->parts; }

/* ---- The machine ---- */

unsigned monitor_cpu(const struct vmm *v) { return v->cpus > 1 ? processor_address(v->p) : 0; }
uint32_t monitor_gpr(struct vmm *v, unsigned n) { return processor_gpr(v->p, n); }
void monitor_set_gpr(struct vmm *v, unsigned n, uint32_t value) { processor_set_gpr(v->p, n, value); }
void monitor_gprs(struct vmm *v, uint32_t to[16]) { processor_gprs(v->p, to); }
void monitor_set_gprs(struct vmm *v, const uint32_t from[16]) { processor_set_gprs(v->p, from); }

enum access monitor_fetch(struct vmm *v, uint32_t host, void *to, uint32_t length) {
    return processor_fetch(v->p, host, to, length);
}
enum access monitor_store(struct vmm *v, uint32_t host, const void *from, uint32_t length) {
    return processor_store(v->p, host, from, length);
}
unsigned monitor_execute(struct vmm *v, enum supervisor_cell cell, unsigned *cc) {
    return processor_execute(v->p, cell, cc);
}
void monitor_charge(struct vmm *v, uint32_t cycles, enum cycle_cause cause) { processor_charge(v->p, cycles, cause); }

/* ---- Interpretation ---- */

static void interruption_of(const struct interpreted *from, enum interruption_class class, struct interruption *to) {
    *to = (struct interruption){.class = class,
                                .code = from->code,
                                .ilc = from->ilc,
                                .translation_address = from->translation_address,
                                .monitor_code = from->monitor_code,
                                .monitor_class = from->monitor_class};
}

enum interpreted_as monitor_interpret(struct vmm *v, struct virtual_cpu *c, struct window *w, struct interruption *i,
                                      bool *limit) {
    static const enum interpreted_as as[] = {
        [INTERPRETED_DONE] = INTERPRETED_AS_DONE,
        [INTERPRETED_SVC] = INTERPRETED_AS_INTERRUPTION,
        [INTERPRETED_PROGRAM] = INTERPRETED_AS_INTERRUPTION,
        [INTERPRETED_NEEDS] = INTERPRETED_AS_NEEDING,
        [INTERPRETED_RESOURCE] = INTERPRETED_AS_PRIVILEGED,
        [INTERPRETED_CALL] = INTERPRETED_AS_CALL,
        [INTERPRETED_NOTHING] = INTERPRETED_AS_STOP,
    };
    struct guest *g = guest_of_cpu(v, c);
    struct interpreted state = {.psw = c->psw};
    memcpy(state.gpr, c->gpr, sizeof state.gpr);
    memcpy(state.cr, c->cr, sizeof state.cr);
    enum interpreted_end end = processor_interpret(v->p, g->machine, &state, w);
    *limit = state.limit;
    interruption_of(&state, end == INTERPRETED_SVC ? INTERRUPTION_SVC : INTERRUPTION_PROGRAM, i);
    if (end != INTERPRETED_DONE && end != INTERPRETED_SVC && end != INTERPRETED_PROGRAM)
        return as[end];
    c->psw = state.psw;
    memcpy(c->gpr, state.gpr, sizeof c->gpr);
    c->progress = c->progress || state.completed;
    v->stats.interpreted += state.completed;
    g->stats.interpreted += state.completed;
    return as[end];
}

/* ---- The books ---- */

void monitor_cause(struct vmm *v, enum cycle_cause cause) { processor_cause(v->p, cause); }

void monitor_running(struct vmm *v, const struct virtual_cpu *c, bool waits) {
    struct guest *g = guest_of_cpu(v, c);
    v->running[monitor_cpu(v)] = waits ? NULL : c;
    v->stats.dispatches += !waits;
    g->stats.dispatches += !waits;
    processor_running(v->p, g->machine, c->address);
}

void monitor_filled(struct vmm *v, const struct virtual_cpu *c) {
    v->stats.shadow_faults++;
    guest_of_cpu(v, c)->stats.shadow_faults++;
}

bool monitor_reflected(struct vmm *v, const struct virtual_cpu *c, enum interruption_class class) {
    struct guest *g = guest_of_cpu(v, c);
    v->stats.reflected++;
    g->stats.reflected++;
    return processor_reflected(v->p, g->machine, c->address, class);
}

/* A machine goes on while one of its CPUs does; it is idle when one still waits, or all are just stopped; otherwise it
 * has ended as the last of them did. */
static enum machine_status machine_as_a_whole(const struct virtual_machine *vm, enum machine_status last) {
    bool all_stopped = true, idle = false;
    for (unsigned n = 0; n < vm->cpus; n++) {
        const struct virtual_cpu *c = &vm->cpu[n];
        if (!c->stopped && c->status == MACHINE_READY)
            return MACHINE_READY;
        idle = idle || (!c->stopped && c->status == MACHINE_IDLE);
        all_stopped = all_stopped && c->stopped;
    }
    return idle || all_stopped ? MACHINE_IDLE : last;
}

void monitor_stopped(struct vmm *v, const struct virtual_cpu *c, enum machine_status status) {
    struct guest *g = guest_of_cpu(v, c);
    processor_stopped(v->p, g->machine, machine_as_a_whole(&g->vm, status));
}

bool monitor_retired(struct vmm *v, const struct virtual_cpu *c, const uint8_t text[6], const uint8_t *execute,
                     uint32_t doublewords) {
    struct guest *g = guest_of_cpu(v, c);
    v->stats.interpreted++;
    g->stats.interpreted++;
    return processor_retire(v->p, g->machine, text, execute, doublewords);
}

void monitor_trace(struct vmm *v, enum trace_kind kind, uint64_t a, uint64_t b, uint64_t c, const char *text) {
    processor_trace(v->p, kind, a, b, c, text);
}

/* ---- Devices ---- */

static unsigned channel_id_word(struct channel_set *s, uint16_t address, uint64_t *word) {
    uint32_t id = 0;
    unsigned cc = channel_id(s, address, &id);
    *word = id;
    return cc;
}

static unsigned start_io(struct channel_set *s, uint16_t address, uint64_t *word) {
    return channel_start_io(s, address, (uint32_t)*word, word);
}

static unsigned test_channel(struct channel_set *s, uint16_t address, uint64_t *word) {
    (void)word;
    return channel_test(s, address);
}

unsigned monitor_io(struct vmm *v, unsigned guest, enum io_operation operation, uint16_t address, uint64_t *word) {
    static unsigned (*const operations[])(struct channel_set * s, uint16_t address, uint64_t * word) = {
        [IO_START] = start_io,
        [IO_TEST] = channel_test_io,
        [IO_CLEAR] = channel_clear_io,
        [IO_HALT] = channel_halt_io,
        [IO_HALT_DEVICE] = channel_halt_device,
        [IO_TEST_CHANNEL] = test_channel,
        [IO_CHANNEL_ID] = channel_id_word,
    };
    return operations[operation](v->guest[guest]->channels, address, word);
}

bool monitor_io_take(struct vmm *v, unsigned guest, uint32_t channels, uint16_t *address, uint64_t *csw) {
    return channel_take_interruption(v->guest[guest]->channels, channels, address, csw);
}
bool monitor_io_pending(struct vmm *v, unsigned guest, uint32_t channels) {
    return channel_has_interruption(v->guest[guest]->channels, channels);
}
bool monitor_io_active(struct vmm *v, unsigned guest, uint32_t channels) {
    return channel_active(v->guest[guest]->channels, channels);
}

uint64_t monitor_io_next(struct vmm *v, unsigned guest) {
    sim_time next = timeline_next(v->guest[guest]->timeline);
    return next == SIM_TIME_NEVER ? CYCLE_NEVER : (next + CYCLE_PICOSECONDS - 1) / CYCLE_PICOSECONDS;
}

void monitor_io_advance(struct vmm *v, unsigned guest, uint64_t now) {
    struct guest *g = v->guest[guest];
    g->advancing = true;
    timeline_advance(g->timeline, now * CYCLE_PICOSECONDS);
    g->advancing = false;
}

bool monitor_minidisk(struct vmm *v, unsigned guest, uint16_t address, struct minidisk *to) {
    const struct guest *g = v->guest[guest];
    for (unsigned n = 0; n < g->minidisks; n++) {
        if (g->minidisk[n].is.address != address)
            continue;
        *to = g->minidisk[n].is;
        return true;
    }
    return false;
}

/* For whoever follows it: by the time the program runs the guest may have another one in mind. */
static void note_caws(struct guest *g, uint16_t address) {
    for (unsigned n = 0; n < g->minidisks; n++)
        for (unsigned cpu = 0; g->minidisk[n].is.address == address && cpu < g->vm.cpus; cpu++) {
            uint8_t word[4] = {0};
            uint32_t absolute = guest_absolute(&g->vm.cpu[cpu], VMM_CAW_LOCATION);
            machine_peek(g->machine, guest_absolute(&g->vm.cpu[0], absolute), word, sizeof word);
            g->minidisk[n].caw[cpu] = bytes_get32(word);
        }
}

bool monitor_io_begin(struct vmm *v, unsigned guest, uint16_t address) {
    note_caws(v->guest[guest], address);
    return channel_outside_begin(v->guest[guest]->channels, address);
}
void monitor_io_end(struct vmm *v, unsigned guest, uint16_t address, uint64_t csw, enum io_progress progress) {
    struct virtual_machine *vm = &v->guest[guest]->vm;
    static const enum channel_progress as[] = {
        [IO_ENDED] = CHANNEL_ENDED, [IO_GOES_ON] = CHANNEL_GOES_ON, [IO_NEVER_BEGAN] = CHANNEL_NEVER_BEGAN};
    channel_outside_end(v->guest[guest]->channels, address, csw, as[progress]);
    for (unsigned n = 0; n < vm->cpus; n++)
        vm->cpu[n].look = true;
}

void monitor_archive_cpu(struct vmm *v, struct virtual_cpu **c, struct archive *a) {
    bool any = *c != NULL;
    unsigned guest = any ? (*c)->guest : 0, address = any ? (*c)->address : 0;
    archive_bool(a, &any);
    archive_unsigned(a, &guest, GUESTS_MOST - 1, "the number of a guest");
    archive_unsigned(a, &address, VIRTUAL_CPUS_MOST - 1, "the address of a virtual CPU");
    if (any && (guest >= v->guests || address >= v->guest[guest]->vm.cpus))
        archive_fail(a, "there is no guest %u with a CPU %u", guest, address);
    if (a->loading && !a->failed)
        *c = any ? &v->guest[guest]->vm.cpu[address] : NULL;
}
