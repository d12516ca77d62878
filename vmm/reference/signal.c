/* SIGNAL PROCESSOR between the virtual CPUs of one guest (Principles of Operation, "CPU Signaling and Response").
 *
 * All of them are data of this monitor, so every order is done at once: there is never a busy condition. */
#include "vmm/reference/reference.h"

enum signal_status {
    STATUS_CALL_PENDING = 0x80,
    STATUS_STOPPED = 0x40,
    STATUS_CHECK_STOP = 0x10,
    STATUS_INVALID_ORDER = 0x02,
};
enum { CC_ACCEPTED = 0, CC_STATUS_STORED = 1, CC_NOT_OPERATIONAL = 3 };

/* Each does its order to `to`: the condition code, with *status when it is CC_STATUS_STORED. */
typedef unsigned signal_order(struct interpretation *i, struct virtual_cpu *to, uint32_t *status);

static uint32_t status_of(const struct virtual_cpu *to) {
    return (to->external & EXTERNAL_CALL ? STATUS_CALL_PENDING : 0u) | (to->stopped ? STATUS_STOPPED : 0u) |
           (to->status == MACHINE_CHECK_STOP ? STATUS_CHECK_STOP : 0u);
}

static unsigned sense(struct interpretation *i, struct virtual_cpu *to, uint32_t *status) {
    (void)i;
    *status = status_of(to);
    return *status ? CC_STATUS_STORED : CC_ACCEPTED;
}

static unsigned external_call(struct interpretation *i, struct virtual_cpu *to, uint32_t *status) {
    if (to->external & EXTERNAL_CALL) {
        *status = STATUS_CALL_PENDING;
        return CC_STATUS_STORED;
    }
    to->external |= EXTERNAL_CALL;
    to->call_from = i->c->address;
    return CC_ACCEPTED;
}

static unsigned emergency_signal(struct interpretation *i, struct virtual_cpu *to, uint32_t *status) {
    (void)status;
    to->external |= EXTERNAL_EMERGENCY_SIGNAL;
    to->emergency_from |= 1u << i->c->address;
    return CC_ACCEPTED;
}

static unsigned start(struct interpretation *i, struct virtual_cpu *to, uint32_t *status) {
    (void)i, (void)status;
    to->stopped = false;
    return CC_ACCEPTED;
}

static unsigned stop(struct interpretation *i, struct virtual_cpu *to, uint32_t *status) {
    (void)i, (void)status;
    to->stopped = true;
    return CC_ACCEPTED;
}

static unsigned restart(struct interpretation *i, struct virtual_cpu *to, uint32_t *status) {
    const struct interruption restart = {.class = INTERRUPTION_RESTART};
    (void)status;
    to->stopped = false;
    to->status = MACHINE_READY;
    monitor_parts(i->v)->dispatcher->reflect(i->v, to, &restart);
    return CC_ACCEPTED;
}

/* CPU reset clears what is pending, initial CPU reset PSW, prefix, clocks and control registers as well. The CPU is
 * stopped. (Program resets reset the channels too: nothing of a virtual CPU's.) */
static unsigned reset(struct interpretation *i, struct virtual_cpu *to, uint32_t *status) {
    (void)i, (void)status;
    to->external = 0;
    to->machine_check = false;
    to->stopped = true;
    to->status = MACHINE_READY;
    to->changed = true;
    return CC_ACCEPTED;
}

static unsigned initial_reset(struct interpretation *i, struct virtual_cpu *to, uint32_t *status) {
    memset(&to->psw, 0, sizeof to->psw);
    memset(to->cr, 0, sizeof to->cr);
    to->cr[0] = CR0_INTERVAL_TIMER | CR0_INTERRUPT_KEY | CR0_EXTERNAL_SIGNALS;
    to->cr[2] = 0xFFFFFFFF;
    to->cr[14] = 0xC2000000;
    to->cr[15] = 512;
    to->prefix = 0;
    to->comparator = 0;
    to->timer_sum = clock_units(timers_now(i->v));
    return reset(i, to, status);
}

/* The save areas in absolute storage (Principles of Operation, "Store Status"). */
static unsigned stop_and_store_status(struct interpretation *i, struct virtual_cpu *to, uint32_t *status) {
    enum { AREA = 216, END = 512, TIMER = 216, COMPARATOR = 224, PSW = 256, PREFIX = 264, GPRS = 384, CRS = 448 };
    uint8_t area[END - AREA] = {0}, *at = area;
    uint64_t now = timers_now(i->v);
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
        monitor_store(i->v, host_real(i->v, to, pieces[n].from), area + pieces[n].from - AREA, pieces[n].length);
    return stop(i, to, status);
}

static signal_order *const orders[] = {
    [0x01] = sense,
    [0x02] = external_call,
    [0x03] = emergency_signal,
    [0x04] = start,
    [0x05] = stop,
    [0x06] = restart,
    [0x07] = initial_reset, /* initial program reset */
    [0x08] = reset,         /* program reset */
    [0x09] = stop_and_store_status,
    [0x0B] = initial_reset, /* initial CPU reset */
    [0x0C] = reset,         /* CPU reset */
};
enum { ORDERS = sizeof orders / sizeof *orders };

static bool answers(const struct virtual_cpu *to, unsigned order) {
    return to->status != MACHINE_CHECK_STOP || order == 0x01 || order >= 0x07;
}

unsigned signal_processor(struct interpretation *i) {
    struct virtual_machine *vm = monitor_guest(i->v, i->c->guest);
    uint32_t address = i->c->gpr[i->f.r3] & 0xFFFF, status = 0;
    unsigned order = i->address & 0xFF;
    if (address >= vm->cpus) {
        i->c->psw.cc = CC_NOT_OPERATIONAL;
        return 0;
    }
    struct virtual_cpu *to = &vm->cpu[address];
    unsigned cc = CC_STATUS_STORED;
    if (order >= ORDERS || !orders[order])
        status = STATUS_INVALID_ORDER;
    else if (!answers(to, order))
        status = status_of(to);
    else
        cc = orders[order](i, to, &status);
    if (cc == CC_STATUS_STORED)
        i->c->gpr[i->f.r1] = status;
    i->c->psw.cc = (uint8_t)cc;
    to->look = true;
    return 0;
}
