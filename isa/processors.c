/* Several CPUs on one storage: whose turn it is, and what they do to each other (docs/several-cpus.md).
 *
 * The host executes one CPU at a time, each for a turn, and so nothing that an instruction does is ever divided. Every
 * CPU has a clock of its own; the next turn is that of the CPU whose clock is furthest behind, and it ends a quantum
 * beyond the next one's. So CPUs that execute are never further apart than that, and an idle one is behind only until
 * something is due for it. Turns depend on clocks and signals alone, never on how the run is divided by limits. */
#include <stdlib.h>

#include "isa/isa_internal.h"

enum {
    QUANTUM_CYCLES = 500, /* how far CPUs that execute may be apart */
    TURN_CYCLES = 50000,  /* a turn's end while all others are idle: what they wait for may be in storage (real 80) */
};

enum { ORDER_COUNT = 13 };

/* ---- Resets ---- */

static void initial_registers(struct processor *p) {
    memset(p->cr, 0, sizeof p->cr);
    p->cr[0] = 0x000000E0;
    p->cr[2] = 0xFFFFFFFF;
    p->cr[14] = 0xC2000000;
    p->cr[15] = 0x00000200;
    p->format_valid = dat_format(p->cr[0], &p->format);
    p->space = tlb_space(p->cr[0], p->cr[1]);
}

struct processor *processor_new(struct machine *m, unsigned address) {
    struct processor *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->machine = m;
    p->storage = m->storage;
    p->model = m->model;
    p->address = address;
    p->dat_generation = p->real_generation = 1;
    initial_registers(p);
    access_mode_changed(p);
    return p;
}

static void stop(struct processor *p) { p->condition = PROCESSOR_STOPPED; }

void cpu_reset(struct processor *p) {
    stop(p);
    p->external = 0;
    memset(p->signals, 0, sizeof p->signals);
    p->machine_check = p->restart = p->last_valid = p->leaving = false;
    processor_left(p);
    tlb_purge(&p->tlb);
    access_forget(p);
}

void initial_cpu_reset(struct processor *p) {
    p->psw = (struct psw){0};
    p->prefix = 0;
    p->comparator = p->timer_value = 0;
    p->timer_set = clock_units(processor_clock(p));
    initial_registers(p);
    cpu_reset(p);
}

static void program_reset(struct processor *p) {
    cpu_reset(p);
    channel_reset(p->machine->channels);
}

static void initial_program_reset(struct processor *p) {
    initial_cpu_reset(p);
    channel_reset(p->machine->channels);
}

/* ---- Whose turn it is ---- */

static bool idle(const struct processor *p) { return p->condition != PROCESSOR_OPERATING || psw_wait(&p->psw); }

void processor_pass_time(struct processor *p, uint64_t until) {
    uint64_t now = processor_clock(p);
    processor_flush(p);
    p->horizon += until - now;
    p->flushed_nominal += until - now;
    for (struct machine_cpu c = processor_chain(p); c.machine; c = chain_next(c))
        c.machine->nominal += until - now;
    p->booked[p->level][CAUSE_IDLE] += until - now;
}

void processor_wake(struct processor *p, uint64_t clock) {
    if (!idle(p) || clock <= processor_clock(p))
        return;
    uint64_t timer = clock_timer(p);
    processor_pass_time(p, clock);
    if (p->condition == PROCESSOR_OPERATING)
        return;
    /* CPU timer and interval timer stand still in a CPU that is stopped. */
    p->timer_value = timer;
    p->timer_set = clock_units(clock);
    p->interval_ticks = clock_ticks(clock);
}

uint64_t processor_behind(const struct processor *p) {
    uint64_t now = processor_clock(p->machine->current), own = processor_clock(p);
    return idle(p) && now > own ? now - own : 0;
}

/* When the interval timer will be negative, if it is not and may interrupt. */
static uint64_t interval_timer_due(const struct processor *p) {
    uint8_t raw[4];
    if (p->machine->directed || !psw_external(&p->psw) || !(p->cr[0] & CR0_INTERVAL_TIMER))
        return UINT64_MAX;
    storage_read(p->storage, storage_prefix(80, p->prefix), raw, 4);
    int32_t value = (int32_t)bytes_get32(raw);
    return value < 0 ? UINT64_MAX : clock_tick_at(p->interval_ticks + (uint64_t)value / 256 + 1);
}

/* The clock at which the CPU can do something; UINT64_MAX: when another one, or the operator, sees to it. */
static uint64_t due_at(const struct processor *p) {
    uint64_t clock = processor_clock(p);
    if (p->order)
        return clock;
    if (p->condition != PROCESSOR_OPERATING)
        return UINT64_MAX;
    if (!psw_wait(&p->psw))
        return clock;
    if (interrupt_waiting(p)) {
        /* Signals have woken the CPU, a channel has not: its time is the timeline's. */
        uint64_t now = (timeline_now(p->machine->timeline) + CYCLE_PICOSECONDS - 1) / CYCLE_PICOSECONDS;
        return now > clock ? now : clock;
    }
    if (psw_disabled_wait(&p->psw))
        return UINT64_MAX;
    uint64_t next = interrupt_next(p), interval = interval_timer_due(p);
    return interval < next ? interval : next;
}

enum machine_status machine_ended(const struct machine *m) {
    const struct processor *last = m->current;
    enum machine_status status = m->ended;
    bool all_stopped = true;
    if (last->condition == PROCESSOR_CHECK_STOPPED)
        status = MACHINE_CHECK_STOP;
    else if (last->condition == PROCESSOR_OPERATING && psw_disabled_wait(&last->psw))
        status = MACHINE_DISABLED_WAIT;
    for (unsigned i = 0; i < m->cpus; i++) {
        const struct processor *p = m->cpu[i];
        if (due_at(p) != UINT64_MAX)
            return MACHINE_READY;
        if (p->condition == PROCESSOR_OPERATING && !psw_disabled_wait(&p->psw))
            return MACHINE_IDLE;
        all_stopped = all_stopped && p->condition == PROCESSOR_STOPPED;
    }
    return all_stopped ? MACHINE_IDLE : status;
}

/* Remembers how the CPU whose turn ends has ended for good, if it has. */
static void note_end(struct machine *m) {
    const struct processor *p = m->current;
    if (p->condition == PROCESSOR_CHECK_STOPPED)
        m->ended = MACHINE_CHECK_STOP;
    else if (p->condition == PROCESSOR_OPERATING && psw_disabled_wait(&p->psw))
        m->ended = MACHINE_DISABLED_WAIT;
}

bool machine_schedule(struct machine *m) {
    struct processor *first = NULL;
    uint64_t earliest = UINT64_MAX, second = UINT64_MAX;
    note_end(m);
    for (unsigned i = 0; i < m->cpus; i++) {
        uint64_t at = due_at(m->cpu[i]);
        if (at < earliest) {
            second = earliest;
            earliest = at;
            first = m->cpu[i];
        } else if (at < second) {
            second = at;
        }
    }
    if (!first) {
        m->status = machine_ended(m);
        return false;
    }
    m->moves++;
    m->current = first;
    processor_wake(first, earliest);
    if (m->cpus > 1)
        m->turn_end =
            second < earliest + TURN_CYCLES - QUANTUM_CYCLES ? second + QUANTUM_CYCLES : earliest + TURN_CYCLES;
    return m->status == MACHINE_READY;
}

bool processor_is_first(const struct processor *p) {
    const struct machine *m = p->machine;
    for (unsigned i = 0; i < m->cpus; i++)
        if (m->cpu[i] != p && due_at(m->cpu[i]) < processor_clock(p))
            return false;
    return true;
}

void machine_end_turn(struct machine *m) {
    if (m->cpus > 1)
        m->turn_end = 0;
}

void processor_check_stop(struct processor *p) {
    struct machine *m = p->machine;
    p->condition = PROCESSOR_CHECK_STOPPED;
    for (unsigned i = 0; i < m->cpus; i++) {
        if (m->cpu[i] == p)
            continue;
        m->cpu[i]->signals[SIGNAL_MALFUNCTION_ALERT] |= (uint8_t)(1u << p->address);
        processor_wake(m->cpu[i], processor_clock(p));
    }
}

/* ---- What the addressed CPU does ---- */

static void start(struct processor *p) { p->condition = PROCESSOR_OPERATING; }

static void restart(struct processor *p) {
    bool stopped = p->condition == PROCESSOR_STOPPED;
    start(p);
    if (stopped)
        interrupt_restart(p); /* before anything that is pending */
    else
        p->restart = true;
}

/* Absolute locations. There are no floating-point registers: theirs are 0. */
static void store_status(struct processor *p) {
    enum { CPU_TIMER = 216, COMPARATOR = 224, PSW = 256, PREFIX = 264, FLOATING = 352, GENERAL = 384, CONTROL = 448 };
    uint8_t clocks[16], area[512 - PSW] = {0};
    stop(p);
    bytes_put64(clocks, clock_timer(p));
    bytes_put64(clocks + COMPARATOR - CPU_TIMER, p->comparator);
    psw_store(&p->psw, area, 0, 0);
    bytes_put32(area + PREFIX - PSW, p->prefix);
    for (unsigned i = 0; i < 16; i++) {
        bytes_put32(area + GENERAL - PSW + 4 * i, p->gpr[i]);
        bytes_put32(area + CONTROL - PSW + 4 * i, p->cr[i]);
    }
    storage_write(p->storage, CPU_TIMER, clocks, sizeof clocks);
    storage_write(p->storage, PSW, area, PREFIX + 4 - PSW);
    storage_write(p->storage, FLOATING, area + FLOATING - PSW, 512 - FLOATING);
    *storage_key(p->storage, 0) |= KEY_REFERENCE | KEY_CHANGE;
}

/* ---- SIGP ---- */

enum { STATUS_CALL_PENDING = 0x80, STATUS_STOPPED = 0x40, STATUS_CHECK_STOP = 0x10, STATUS_INVALID_ORDER = 0x02 };

static void send(struct processor *from, struct processor *to, enum cpu_signal signal) {
    to->signals[signal] |= (uint8_t)(1u << from->address);
    processor_wake(to, processor_clock(from));
}

static uint32_t call_pending(const struct processor *p) {
    return p->signals[SIGNAL_EXTERNAL_CALL] ? STATUS_CALL_PENDING : 0;
}

static uint32_t sense(struct processor *from, struct processor *to) {
    (void)from;
    return call_pending(to) | (to->condition == PROCESSOR_STOPPED ? STATUS_STOPPED : 0);
}

static uint32_t external_call(struct processor *from, struct processor *to) {
    if (call_pending(to))
        return STATUS_CALL_PENDING;
    send(from, to, SIGNAL_EXTERNAL_CALL);
    return 0;
}

static uint32_t emergency_signal(struct processor *from, struct processor *to) {
    send(from, to, SIGNAL_EMERGENCY);
    return 0;
}

/* One row an order. Either the sender learns the status at once, or the addressed CPU performs it in its next turn and
 * is busy until then. A reset is accepted by a CPU that is busy or in the check-stop state, too. */
static const struct {
    const char *name;
    uint32_t (*answer)(struct processor *from, struct processor *to);
    void (*perform)(struct processor *p);
    bool reset;
} orders[ORDER_COUNT] = {
    [0x1] = {"sense", sense, NULL, false},
    [0x2] = {"external call", external_call, NULL, false},
    [0x3] = {"emergency signal", emergency_signal, NULL, false},
    [0x4] = {"start", NULL, start, false},
    [0x5] = {"stop", NULL, stop, false},
    [0x6] = {"restart", NULL, restart, false},
    [0x7] = {"initial program reset", NULL, initial_program_reset, true},
    [0x8] = {"program reset", NULL, program_reset, true},
    [0x9] = {"stop and store status", NULL, store_status, false},
    [0xB] = {"initial CPU reset", NULL, initial_cpu_reset, true},
    [0xC] = {"CPU reset", NULL, cpu_reset, true},
};

static bool order_exists(unsigned order) { return order < ORDER_COUNT && orders[order].name; }
bool processor_has_order(unsigned order) { return order < ORDER_COUNT && orders[order].perform; }

static unsigned signal(struct processor *p, unsigned address, unsigned order, uint32_t *status) {
    struct machine *m = p->machine;
    if (address >= m->cpus)
        return 3;
    struct processor *to = m->cpu[address];
    bool exists = order_exists(order), reset = exists && orders[order].reset;
    if (to->order && !reset)
        return 2;
    *status = 0;
    if (!exists)
        *status = STATUS_INVALID_ORDER;
    else if (to->condition == PROCESSOR_CHECK_STOPPED && !reset)
        *status = STATUS_CHECK_STOP | (orders[order].answer == sense ? call_pending(to) : 0);
    else if (orders[order].answer)
        *status = orders[order].answer(p, to);
    else
        to->order = order;
    if (to->order)
        processor_wake(to, processor_clock(p));
    machine_end_turn(m);
    return *status ? 1 : 0;
}

unsigned processor_signal(struct processor *p, unsigned address, unsigned order, uint32_t *status) {
    unsigned cc = signal(p, address, order, status);
    if (trace_wants(p->machine->trace, TRACE_SIGNAL)) {
        struct trace_event event = {.kind = TRACE_SIGNAL,
                                    .cycle = processor_cycles(p),
                                    .machine = p->machine->name,
                                    .level = p->level,
                                    .cpu = p->address,
                                    .a = order,
                                    .b = address,
                                    .c = cc,
                                    .text = order_exists(order) ? orders[order].name : "invalid order"};
        trace_emit(p->machine->trace, &event);
    }
    return cc;
}

void processor_perform(struct processor *p) {
    unsigned order = p->order;
    p->machine->moves++;
    p->order = 0;
    p->held = false;
    orders[order].perform(p);
    machine_end_turn(p->machine);
}
