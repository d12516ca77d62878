/* SIGNAL PROCESSOR between the virtual CPUs of one guest (Principles of Operation, "CPU Signaling and Response").
 *
 * They are data of this monitor, so every order is done at once, unless the addressed one is on another CPU of the
 * machine at this moment: then its registers are there. It accepts the order, its CPU is called, and the order is done
 * when it has come back; until then it is busy. */
#include "vmm/reference/reference.h"

enum signal_status {
    STATUS_CALL_PENDING = 0x80,
    STATUS_STOPPED = 0x40,
    STATUS_CHECK_STOP = 0x10,
    STATUS_INVALID_ORDER = 0x02,
};
enum { CC_ACCEPTED = 0, CC_STATUS_STORED = 1, CC_BUSY = 2, CC_NOT_OPERATIONAL = 3 };

/* What the sender learns at once: the condition code, with *status when it is CC_STATUS_STORED. */
typedef unsigned signal_answer(const struct virtual_cpu *from, struct virtual_cpu *to, uint32_t *status);
/* What is done to the addressed CPU, which is nowhere else. */
typedef void signal_action(struct vmm *v, struct virtual_cpu *to);

static uint32_t status_of(const struct virtual_cpu *to) {
    return (to->external & EXTERNAL_CALL ? STATUS_CALL_PENDING : 0u) | (to->stopped ? STATUS_STOPPED : 0u) |
           (to->status == MACHINE_CHECK_STOP ? STATUS_CHECK_STOP : 0u);
}

static unsigned sense(const struct virtual_cpu *from, struct virtual_cpu *to, uint32_t *status) {
    (void)from;
    *status = status_of(to);
    return *status ? CC_STATUS_STORED : CC_ACCEPTED;
}

static unsigned external_call(const struct virtual_cpu *from, struct virtual_cpu *to, uint32_t *status) {
    if (to->external & EXTERNAL_CALL) {
        *status = STATUS_CALL_PENDING;
        return CC_STATUS_STORED;
    }
    to->external |= EXTERNAL_CALL;
    to->call_from = from->address;
    return CC_ACCEPTED;
}

static unsigned emergency_signal(const struct virtual_cpu *from, struct virtual_cpu *to, uint32_t *status) {
    (void)status;
    to->external |= EXTERNAL_EMERGENCY_SIGNAL;
    to->emergency_from |= 1u << from->address;
    return CC_ACCEPTED;
}

static void start(struct vmm *v, struct virtual_cpu *to) {
    (void)v;
    to->stopped = false;
}

static void stop(struct vmm *v, struct virtual_cpu *to) {
    to->stopped = true;
    monitor_stopped(v, to, to->status);
}

static void restart(struct vmm *v, struct virtual_cpu *to) {
    const struct interruption restart = {.class = INTERRUPTION_RESTART};
    to->stopped = false;
    to->status = MACHINE_READY;
    monitor_parts(v)->dispatcher->reflect(v, to, &restart);
}

/* CPU reset clears what is pending, initial CPU reset PSW, prefix, clocks and control registers as well. The CPU is
 * stopped. (Program resets reset the channels too: nothing of a virtual CPU's.) */
static void reset(struct vmm *v, struct virtual_cpu *to) {
    to->external = 0;
    to->machine_check = false;
    to->status = MACHINE_READY;
    to->changed = true;
    stop(v, to);
}

static void initial_reset(struct vmm *v, struct virtual_cpu *to) {
    memset(&to->psw, 0, sizeof to->psw);
    memset(to->cr, 0, sizeof to->cr);
    to->cr[0] = CR0_INTERVAL_TIMER | CR0_INTERRUPT_KEY | CR0_EXTERNAL_SIGNALS;
    to->cr[2] = 0xFFFFFFFF;
    to->cr[14] = 0xC2000000;
    to->cr[15] = 512;
    to->prefix = 0;
    to->comparator = 0;
    to->timer_sum = clock_units(timers_now(v));
    reset(v, to);
}

/* The save areas in absolute storage (Principles of Operation, "Store Status"). */
static void stop_and_store_status(struct vmm *v, struct virtual_cpu *to) {
    enum { AREA = 216, END = 512, TIMER = 216, COMPARATOR = 224, PSW = 256, PREFIX = 264, GPRS = 384, CRS = 448 };
    uint8_t area[END - AREA] = {0}, *at = area;
    uint64_t now = timers_now(v);
    bytes_put64(at + TIMER - AREA, timers_cpu_timer(to, now));
    bytes_put64(at + COMPARATOR - AREA, to->comparator);
    psw_store(&to->psw, at + PSW - AREA, 0, 0);
    bytes_put32(at + PREFIX - AREA, to->prefix);
    for (unsigned n = 0; n < 16; n++) {
        bytes_put32(at + GPRS - AREA + n * 4, to->gpr[n]);
        bytes_put32(at + CRS - AREA + n * 4, to->cr[n]);
    }
    static const struct { uint16_t from, length; } pieces[] = {{TIMER, 16}, {PSW, 12}, {GPRS, 128}};
    for (unsigned n = 0; n < sizeof pieces / sizeof *pieces; n++)
        monitor_store(v, host_real(v, to, pieces[n].from), area + pieces[n].from - AREA, pieces[n].length);
    stop(v, to);
}

/* One row an order. A reset is accepted by a CPU that is busy or in the check-stop state, too. */
static const struct {
    signal_answer *answer;
    signal_action *action;
    bool reset;
} orders[] = {
    [0x01] = {sense, NULL, false},
    [0x02] = {external_call, NULL, false},
    [0x03] = {emergency_signal, NULL, false},
    [0x04] = {NULL, start, false},
    [0x05] = {NULL, stop, false},
    [0x06] = {NULL, restart, false},
    [0x07] = {NULL, initial_reset, true}, /* initial program reset */
    [0x08] = {NULL, reset, true},         /* program reset */
    [0x09] = {NULL, stop_and_store_status, false},
    [0x0B] = {NULL, initial_reset, true}, /* initial CPU reset */
    [0x0C] = {NULL, reset, true},         /* CPU reset */
};
enum { ORDERS = sizeof orders / sizeof *orders };

void signal_perform(struct vmm *v, struct virtual_cpu *c) {
    unsigned order = c->order;
    c->order = 0;
    orders[order].action(v, c);
}

/* The condition code; the dispatcher calls the CPU that `to` is on. */
static unsigned give(struct vmm *v, const struct virtual_cpu *from, struct virtual_cpu *to, unsigned order,
                     uint32_t *status) {
    bool exists = order < ORDERS && (orders[order].answer || orders[order].action);
    bool reset = exists && orders[order].reset;
    if (to->order && !reset)
        return CC_BUSY;
    if (!exists || (to->status == MACHINE_CHECK_STOP && !reset && orders[order].answer != sense)) {
        *status = exists ? status_of(to) : (uint32_t)STATUS_INVALID_ORDER;
        return CC_STATUS_STORED;
    }
    if (orders[order].answer)
        return orders[order].answer(from, to, status);
    to->order = order;
    if (!to->taken)
        signal_perform(v, to);
    return CC_ACCEPTED;
}

unsigned signal_processor(struct interpretation *i) {
    struct virtual_machine *vm = monitor_guest(i->v, i->c->guest);
    uint32_t address = i->c->gpr[i->f.r3] & 0xFFFF, status = 0;
    if (address >= vm->cpus) {
        i->c->psw.cc = CC_NOT_OPERATIONAL;
        return 0;
    }
    struct virtual_cpu *to = &vm->cpu[address];
    unsigned cc = give(i->v, i->c, to, i->address & 0xFF, &status);
    if (cc == CC_STATUS_STORED)
        i->c->gpr[i->f.r1] = status;
    i->c->psw.cc = (uint8_t)cc;
    to->look = true;
    return 0;
}
