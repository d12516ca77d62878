/* Interruptions: the PSW swap, what each class stores, and which pending condition comes first (Principles of
 * Operation, "Interruptions").
 *
 * Whether old PSW and codes are stored in BC or EC form is decided by the PSW that was interrupted. What the
 * architecture leaves unpredictable is fixed: undefined instruction-length codes are 0. */
#include <inttypes.h>
#include <stdio.h>

#include "isa/isa_internal.h"

enum { OLD_RESTART = 8, OLD_EXTERNAL = 24, OLD_SVC = 32, OLD_PROGRAM = 40, OLD_MACHINE_CHECK = 48, OLD_IO = 56 };
enum { NEW_RESTART = 0, NEW_EXTERNAL = 88, NEW_SVC = 96, NEW_PROGRAM = 104, NEW_MACHINE_CHECK = 112, NEW_IO = 120 };

static const struct {
    uint16_t old, new;
} place[INTERRUPTION_CLASSES] = {
    [INTERRUPTION_RESTART] = {OLD_RESTART, NEW_RESTART},
    [INTERRUPTION_EXTERNAL] = {OLD_EXTERNAL, NEW_EXTERNAL},
    [INTERRUPTION_SVC] = {OLD_SVC, NEW_SVC},
    [INTERRUPTION_PROGRAM] = {OLD_PROGRAM, NEW_PROGRAM},
    [INTERRUPTION_MACHINE_CHECK] = {OLD_MACHINE_CHECK, NEW_MACHINE_CHECK},
    [INTERRUPTION_IO] = {OLD_IO, NEW_IO},
};

const char *interruption_name(enum interruption_class c) {
    static const char *const names[] = {"restart", "external", "svc", "program", "machine_check", "io"};
    return c < INTERRUPTION_CLASSES ? names[c] : "";
}

static void store16(struct processor *p, uint32_t real, uint32_t v) {
    uint8_t raw[2];
    bytes_put16(raw, (uint16_t)v);
    real_write(p, real, raw, 2);
}

static void store32(struct processor *p, uint32_t real, uint32_t v) {
    uint8_t raw[4];
    bytes_put32(raw, v);
    real_write(p, real, raw, 4);
}

static void store64(struct processor *p, uint32_t real, uint64_t v) {
    uint8_t raw[8];
    bytes_put64(raw, v);
    real_write(p, real, raw, 8);
}

static void trace_interruption(struct processor *p, enum interruption_class c, unsigned code, uint32_t old_ia) {
    if (!trace_wants(p->machine->trace, TRACE_INTERRUPTION))
        return;
    struct trace_event event = {.kind = TRACE_INTERRUPTION,
                                .cycle = processor_cycles(p),
                                .machine = p->machine->name,
                                .level = 0,
                                .cpu = p->address,
                                .a = code,
                                .b = old_ia,
                                .c = p->psw.ia,
                                .text = interruption_name(c)};
    trace_emit(p->machine->trace, &event);
}

/* Stores the old PSW and makes the new one current. Its validity is asked in psw_check. */
static void swap(struct processor *p, enum interruption_class c, unsigned code, unsigned ilc, uint8_t old[8]) {
    uint8_t raw[8];
    uint32_t old_ia = p->psw.ia;
    processor_flush(p);
    processor_left(p);
    p->leaving = false;
    p->machine->interruptions[c]++;
    p->interruptions[c]++;
    psw_store(&p->psw, old, (uint16_t)code, ilc);
    real_write(p, place[c].old, old, 8);
    real_read(p, place[c].new, raw, 8);
    psw_load(&p->psw, raw);
    p->held = false;
    access_mode_changed(p);
    processor_book(p, p->model->interruption, CAUSE_INTERRUPTION);
    trace_interruption(p, c, code, old_ia);
}

/* The same interruption again, with nothing retired between and nothing that could break in: it would go on for ever.
 */
static bool program_loop(struct processor *p, unsigned code, const uint8_t old[8]) {
    uint64_t retired = p->instructions;
    bool same = p->last_valid && p->last_code == code && p->last_retired == retired && !memcmp(p->last_old, old, 8);
    p->last_valid = true;
    p->last_code = code;
    p->last_retired = retired;
    memcpy(p->last_old, old, 8);
    return same && !psw_external(&p->psw) && !psw_channels(&p->psw, ~0u);
}

/* What a program interruption stores beside the PSWs; `old` is the interrupted PSW. */
static void store_program_codes(struct processor *p, const struct psw *old, unsigned code, unsigned ilc) {
    if (psw_ec(old)) {
        store16(p, 140, ilc * 2);
        store16(p, 142, code);
        if (code == ACCESS_SEGMENT || code == ACCESS_PAGE || (code == ACCESS_PROTECTION && p->page_protected))
            store32(p, 144, p->translation_address);
    }
    if (code == PROGRAM_MONITOR) {
        store16(p, 148, p->monitor_class);
        store32(p, 156, p->monitor_code);
    }
}

void interrupt_program(struct processor *p, unsigned code, unsigned ilc) {
    struct psw interrupted = p->psw;
    uint8_t old[8];
    store_program_codes(p, &interrupted, code, ilc);
    swap(p, INTERRUPTION_PROGRAM, code, ilc, old);
    if (!psw_valid(&p->psw) || program_loop(p, code, old))
        processor_check_stop(p);
}

/* An invalid PSW interrupts as soon as it is current: it is stored as it is, with ILC 0. */
static void psw_check(struct processor *p) {
    if (!psw_valid(&p->psw))
        interrupt_program(p, PROGRAM_SPECIFICATION, 0);
}

void psw_make_current(struct processor *p, const struct psw *psw) {
    p->psw = *psw;
    p->held = false;
    access_mode_changed(p);
    psw_check(p);
}

void interrupt_svc(struct processor *p, unsigned ilc) {
    uint8_t old[8];
    if (psw_ec(&p->psw)) {
        store16(p, 136, ilc * 2);
        store16(p, 138, p->svc_number);
    }
    swap(p, INTERRUPTION_SVC, p->svc_number, ilc, old);
    psw_check(p);
}

void interrupt_restart(struct processor *p) {
    uint8_t old[8];
    p->restart = false;
    swap(p, INTERRUPTION_RESTART, 0, 0, old);
    psw_check(p);
}

/* ---- Clocks ---- */

uint64_t clock_tod(const struct processor *p) { return p->machine->tod_epoch + clock_units(processor_clock(p)); }
uint64_t clock_common(struct processor *p) {
    uint64_t clock = processor_clock(p);
    if (clock > p->machine->tod_clock)
        p->machine->tod_clock = clock;
    return p->machine->tod_clock;
}
uint64_t clock_timer(const struct processor *p) {
    return p->timer_value - (clock_units(processor_clock(p)) - p->timer_set);
}

/* ---- Asynchronous interruptions ---- */

static bool comparator_due(const struct processor *p) { return clock_tod(p) > p->comparator; }
static bool timer_due(const struct processor *p) { return clock_timer(p) >> 63; }

/* One row a condition, in the order in which they are taken; due: NULL for those that are kept pending. */
static const struct {
    uint16_t code;
    uint32_t mask; /* in CR0 */
    unsigned pending;
    enum cpu_signal signal;
    bool (*due)(const struct processor *p);
} externals[] = {
    {0x0040, CR0_INTERRUPT_KEY, PENDING_INTERRUPT_KEY, SIGNAL_NONE, NULL},
    {0x1200, CR0_MALFUNCTION_ALERT, 0, SIGNAL_MALFUNCTION_ALERT, NULL},
    {0x1201, CR0_EMERGENCY_SIGNAL, 0, SIGNAL_EMERGENCY, NULL},
    {0x1202, CR0_EXTERNAL_CALL, 0, SIGNAL_EXTERNAL_CALL, NULL},
    {0x1004, CR0_CLOCK_COMPARATOR, 0, SIGNAL_NONE, comparator_due},
    {0x1005, CR0_CPU_TIMER, 0, SIGNAL_NONE, timer_due},
    {0x0080, CR0_INTERVAL_TIMER, PENDING_INTERVAL_TIMER, SIGNAL_NONE, NULL},
};

/* `sender`: the CPU that signalled, 0 for what is not a signal. */
static void interrupt_external(struct processor *p, unsigned code, unsigned sender) {
    uint8_t old[8];
    store16(p, 132, sender);
    if (psw_ec(&p->psw))
        store16(p, 134, code);
    swap(p, INTERRUPTION_EXTERNAL, code, 0, old);
    psw_check(p);
}

/* The first external condition that is pending and enabled, as an index; -1: none. */
static int first_external(const struct processor *p) {
    if (!psw_external(&p->psw))
        return -1;
    for (unsigned i = 0; i < sizeof externals / sizeof *externals; i++) {
        if (!(p->cr[0] & externals[i].mask))
            continue;
        if (externals[i].due ? externals[i].due(p)
                             : p->external & externals[i].pending || p->signals[externals[i].signal])
            return (int)i;
    }
    return -1;
}

static bool take_external(struct processor *p) {
    int i = first_external(p);
    if (i < 0)
        return false;
    uint8_t *senders = &p->signals[externals[i].signal];
    unsigned sender = *senders ? (unsigned)__builtin_ctz(*senders) : 0;
    *senders &= (uint8_t)(*senders - 1); /* the lowest one */
    p->external &= ~externals[i].pending;
    interrupt_external(p, externals[i].code, sender);
    return true;
}

static bool take_machine_check(struct processor *p) {
    uint8_t old[8];
    if (!p->machine_check || !(p->psw.state & PSW_MACHINE_CHECK))
        return false;
    p->machine_check = false;
    store64(p, 232, p->machine_check_code);
    swap(p, INTERRUPTION_MACHINE_CHECK, 0, 0, old);
    psw_check(p);
    return true;
}

/* The channels whose interruptions this CPU takes: those that it enables, and no CPU with a lower address does. */
static uint32_t channels_of(const struct processor *p) {
    uint32_t channels = psw_channels(&p->psw, p->cr[2]);
    for (unsigned i = 0; i < p->address && channels; i++) {
        const struct processor *lower = p->machine->cpu[i];
        if (lower->condition == PROCESSOR_OPERATING)
            channels &= ~psw_channels(&lower->psw, lower->cr[2]);
    }
    return channels;
}

static void interrupt_io(struct processor *p, uint16_t address, uint64_t csw) {
    uint8_t old[8];
    store64(p, 64, csw);
    if (trace_wants(p->machine->trace, TRACE_IO_END)) {
        struct trace_event event = {.kind = TRACE_IO_END,
                                    .cycle = processor_cycles(p),
                                    .machine = p->machine->name,
                                    .level = 0,
                                    .cpu = p->address,
                                    .a = address,
                                    .b = csw >> 16 & 0xFFFF,
                                    .c = csw & 0xFFFF};
        trace_emit(p->machine->trace, &event);
    }
    if (psw_ec(&p->psw))
        store32(p, 184, address);
    swap(p, INTERRUPTION_IO, address, 0, old);
    psw_check(p);
}

static bool take_io(struct processor *p) {
    uint32_t channels = channels_of(p);
    uint16_t address;
    uint64_t csw;
    if (!channels || !channel_take_interruption(p->machine->channels, channels, &address, &csw))
        return false;
    interrupt_io(p, address, csw);
    return true;
}

bool interrupt_deliver_external(struct processor *p, unsigned code, unsigned sender) {
    for (unsigned i = 0; i < sizeof externals / sizeof *externals; i++)
        if (externals[i].code == code && psw_external(&p->psw) && p->cr[0] & externals[i].mask) {
            interrupt_external(p, code, sender);
            return true;
        }
    return false;
}

bool interrupt_deliver_io(struct processor *p, uint16_t address) {
    unsigned channel = address >> 8;
    uint32_t bit = 0x80000000u >> (channel < 31 ? channel : 31);
    uint64_t csw;
    if (!(psw_channels(&p->psw, p->cr[2]) & bit) || !channel_take_from(p->machine->channels, address, &csw))
        return false;
    interrupt_io(p, address, csw);
    return true;
}

bool interrupt_pending(struct processor *p) {
    if (!p->machine->directed && (take_machine_check(p) || take_external(p) || take_io(p)))
        return true;
    if (!p->restart)
        return false;
    interrupt_restart(p);
    return true;
}

bool interrupt_waiting(const struct processor *p) {
    if (p->machine->directed)
        return p->restart;
    return first_external(p) >= 0 || (p->machine_check && p->psw.state & PSW_MACHINE_CHECK) ||
           channel_has_interruption(p->machine->channels, channels_of(p)) || p->restart;
}

/* The clock at which a reading of `units` more than now will be exceeded. */
static uint64_t when_exceeded(const struct processor *p, uint64_t units) {
    uint64_t now = processor_clock(p), base = clock_units(now);
    return units > INT64_MAX - base ? UINT64_MAX : clock_cycles(base + units + 1);
}

uint64_t interrupt_next(const struct processor *p) {
    uint64_t next = UINT64_MAX, at;
    if (p->machine->directed)
        return next;
    sim_time event = timeline_next(p->machine->timeline);
    if (event != SIM_TIME_NEVER)
        next = (event + CYCLE_PICOSECONDS - 1) / CYCLE_PICOSECONDS;
    if (!psw_external(&p->psw))
        return next;
    if (p->cr[0] & CR0_CPU_TIMER && !timer_due(p)) {
        at = when_exceeded(p, clock_timer(p));
        if (at < next)
            next = at;
    }
    if (p->cr[0] & CR0_CLOCK_COMPARATOR && !comparator_due(p)) {
        at = when_exceeded(p, p->comparator - clock_tod(p));
        if (at < next)
            next = at;
    }
    return next;
}
