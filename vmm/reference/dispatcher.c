/* The dispatcher: every trap arrives here, and leaves by one return.
 *
 * What arrives is an interruption of the monitor's machine while a virtual CPU was running (or all were waiting) on it.
 * That CPU is saved, the trap handed to whoever it concerns (docs/architecture.md): the interpreter, the shadow tables,
 * a device, or the guest itself by reflection. Then the virtual CPU whose turn it is gets the pending interruption that
 * it enables, if any, and control; when none can go on, the machine gets a wait on their behalf.
 *
 * At most one interruption is given in an activation. When another follows at once, the monitor lets its machine
 * interrupt it again first: so a guest whose interruptions never end can be watched, counted and stopped like any
 * other, and cannot hold its monitor for ever. */
#include "vmm/reference/reference.h"

/* External codes, in the order in which they are taken. */
enum { CODE_CPU_TIMER = 0x1005 };
static const struct {
    uint16_t code;
    uint32_t mask;    /* in CR0 */
    unsigned pending; /* enum external_condition; 0: a level */
} externals[] = {
    {0x0040, CR0_INTERRUPT_KEY, EXTERNAL_INTERRUPT_KEY},
    {0x1201, CR0_EMERGENCY_SIGNAL, EXTERNAL_EMERGENCY_SIGNAL},
    {0x1202, CR0_EXTERNAL_CALL, EXTERNAL_CALL},
    {0x1004, CR0_CLOCK_COMPARATOR, 0},
    {CODE_CPU_TIMER, CR0_CPU_TIMER, 0},
    {0x0080, CR0_INTERVAL_TIMER, EXTERNAL_INTERVAL_TIMER},
};
enum { EXTERNALS = sizeof externals / sizeof *externals };

/* ---- The machine's control registers ---- */

/* Control registers 0 and 1 in one instruction, and only when they change. */
static void load_space(struct vmm *v, uint32_t cr0, uint32_t cr1) {
    struct host_cpu *h = here(v);
    uint8_t operand[8];
    if (h->loaded && h->cr0 == cr0 && h->cr1 == cr1)
        return;
    bytes_put32(operand, cr0);
    bytes_put32(operand + 4, cr1);
    monitor_store(v, SUPERVISOR_CONTROL, operand, sizeof operand);
    monitor_execute(v, CELL_LCTL_0_1, NULL);
    h->cr0 = cr0;
    h->cr1 = cr1;
    h->loaded = true;
}

/* ---- Saving ---- */

static const uint8_t old_psw[INTERRUPTION_CLASSES] = {
    [INTERRUPTION_RESTART] = 8,  [INTERRUPTION_EXTERNAL] = 24,      [INTERRUPTION_SVC] = 32,
    [INTERRUPTION_PROGRAM] = 40, [INTERRUPTION_MACHINE_CHECK] = 48, [INTERRUPTION_IO] = 56,
};

/* The real PSW holds only these of the virtual one: everything else of it never reached the machine. */
static void save(struct vmm *v, struct virtual_cpu *c, enum interruption_class class) {
    uint8_t raw[8];
    struct psw old;
    monitor_gprs(v, c->gpr);
    monitor_fetch(v, old_psw[class], raw, sizeof raw);
    psw_load(&old, raw);
    c->psw.cc = old.cc;
    c->psw.program_mask = old.program_mask;
    c->psw.ia = old.ia;
}

static void read_program(struct vmm *v, struct interruption *i) {
    uint8_t low[20]; /* real 140-159 */
    monitor_fetch(v, 140, low, sizeof low);
    i->ilc = low[1];
    i->code = bytes_get16(low + 2);
    i->translation_address = bytes_get32(low + 4);
    i->monitor_class = low[9];
    i->monitor_code = bytes_get32(low + 16);
}

static void read_svc(struct vmm *v, struct interruption *i) {
    uint8_t low[4]; /* real 136-139 */
    monitor_fetch(v, 136, low, sizeof low);
    i->ilc = low[1];
    i->code = low[3];
}

static void read_external(struct vmm *v, struct interruption *i) {
    uint8_t low[2];
    monitor_fetch(v, 134, low, sizeof low);
    i->code = bytes_get16(low);
    if (i->code != CODE_CPU_TIMER)
        return;
    here(v)->armed = CYCLE_NEVER; /* it has fired; masked until it is set again */
    reference(v)->timer_fired = true;
}

/* A device of the machine's: only disks of which guests have parts are ever started. */
static void read_io(struct vmm *v) {
    uint8_t csw[8], address[4];
    monitor_fetch(v, 64, csw, sizeof csw);
    monitor_fetch(v, 184, address, sizeof address);
    channel_program_interruption(v, bytes_get16(address + 2), bytes_get64(csw));
}

/* ---- Who handles it ---- */

static bool nullifies(unsigned code) { return code == ACCESS_SEGMENT || code == ACCESS_PAGE; }
static bool completes(unsigned code) {
    return code == PROGRAM_FIXED_OVERFLOW || code == PROGRAM_DECIMAL_OVERFLOW || code == PROGRAM_MONITOR;
}

static void trace_trap(struct vmm *v, const struct virtual_cpu *c, const struct interruption *i, const char *cause) {
    monitor_trace(v, TRACE_TRAP, i->code, c->psw.ia, nullifies(i->code) ? i->translation_address : i->ilc, cause);
}

/* Whether instructions were retired since it last got control: the trapped one is not that which was to be first. */
static void note_progress(struct virtual_cpu *c, const struct interruption *i) {
    uint32_t at = c->psw.ia;
    if (i->class == INTERRUPTION_PROGRAM && !nullifies(i->code))
        at = (at - i->ilc) & HOST_ADDRESS_MASK;
    if (i->class == INTERRUPTION_SVC || at != c->dispatched_at || completes(i->code))
        c->progress = true;
}

/* Absent in the shadow: if the guest's tables have the page, it gets it and repeats the instruction, which was
 * nullified; otherwise it gets the exception that its own CPU would have found, suppressed unless that is a page or
 * segment fault. */
static void handle_missing_page(struct vmm *v, struct virtual_cpu *c, struct interruption *i) {
    trace_trap(v, c, i, "missing page");
    unsigned code = monitor_parts(v)->shadow->fault(v, c, i->translation_address);
    if (code == 0)
        return;
    i->code = code;
    if (!nullifies(code))
        c->psw.ia = (c->psw.ia + i->ilc) & HOST_ADDRESS_MASK;
    reflect(v, c, i);
}

/* Page protection stores an address, with a bit that no other exception sets; it is taken away, so that it is not seen
 * again. The low-address protection that the guest asked for would protect it. */
static void forget_translation_address(struct vmm *v) {
    static const uint8_t none[4] = {0};
    const struct host_cpu *h = here(v);
    load_space(v, h->cr0 & ~(uint32_t)CR0_LOW_ADDRESS_PROTECTION, h->cr1);
    monitor_store(v, 144, none, sizeof none);
}

/* A page that the monitor protects for itself is opened, and the suppressed store repeated. */
static void handle_protection(struct vmm *v, struct virtual_cpu *c, struct interruption *i) {
    if (!(here(v)->cr0 & CR0_PAGE_PROTECTION) || !(i->translation_address & TRANSLATION_PAGE_PROTECTION)) {
        i->translation_address = 0;
        trace_trap(v, c, i, "program");
        reflect(v, c, i);
        return;
    }
    forget_translation_address(v);
    trace_trap(v, c, i, "protected page");
    unsigned code = monitor_parts(v)->shadow->protection(v, c, i->translation_address & ~7u);
    if (code == 0) {
        c->psw.ia = (c->psw.ia - i->ilc) & HOST_ADDRESS_MASK;
        return;
    }
    i->code = code;
    if (nullifies(code))
        c->psw.ia = (c->psw.ia - i->ilc) & HOST_ADDRESS_MASK;
    reflect(v, c, i);
}

/* In problem state the monitor's own bit in CR0 makes STCK a privileged operation too: to be found out, unless the
 * guest asked for the same. */
static void handle_privileged(struct vmm *v, struct virtual_cpu *c, const struct interruption *i) {
    bool asked = machine_of(v, c)->facilities && c->cr[0] & CR0_STCK_CONTROL;
    bool interpret = !psw_problem(&c->psw) || (here(v)->cr0 & CR0_STCK_CONTROL && !asked);
    trace_trap(v, c, i, "privileged operation");
    if (interpret)
        interpreter_run(v, c, i);
    else
        reflect(v, c, i);
}

static void handle_program(struct vmm *v, struct virtual_cpu *c, struct interruption *i) {
    read_program(v, i);
    note_progress(c, i);
    switch (i->code) {
    case PROGRAM_PRIVILEGED: handle_privileged(v, c, i); break;
    case ACCESS_PROTECTION: handle_protection(v, c, i); break;
    case ACCESS_SEGMENT:
    case ACCESS_PAGE: handle_missing_page(v, c, i); break;
    default:
        trace_trap(v, c, i, "program");
        reflect(v, c, i);
        break;
    }
}

/* What interrupted it, its CPU being saved. */
static void handle(struct vmm *v, struct virtual_cpu *c, enum interruption_class class) {
    struct interruption i = {.class = class};
    switch (class) {
    case INTERRUPTION_PROGRAM: handle_program(v, c, &i); break;
    case INTERRUPTION_SVC:
        read_svc(v, &i);
        note_progress(c, &i);
        trace_trap(v, c, &i, "svc");
        reflect(v, c, &i);
        break;
    case INTERRUPTION_EXTERNAL:
        read_external(v, &i);
        note_progress(c, &i);
        trace_trap(v, c, &i, "external");
        break;
    case INTERRUPTION_IO:
        note_progress(c, &i);
        trace_trap(v, c, &i, "i/o");
        read_io(v);
        break;
    default: note_progress(c, &i); break; /* restart; machine checks are masked off in this machine */
    }
}

/* The same when nobody was running. */
static void handle_in_wait(struct vmm *v, enum interruption_class class) {
    if (class == INTERRUPTION_EXTERNAL)
        read_external(v, &(struct interruption){0});
    else if (class == INTERRUPTION_IO)
        read_io(v);
}

/* ---- Pending interruptions of a virtual CPU ---- */

static void take_external(struct virtual_cpu *c, unsigned condition, struct interruption *i) {
    if (condition == EXTERNAL_CALL)
        i->signalling = c->call_from;
    if (condition == EXTERNAL_EMERGENCY_SIGNAL) { /* one signal at a time, from the lowest address */
        while (!(c->emergency_from >> i->signalling & 1))
            i->signalling++;
        c->emergency_from &= c->emergency_from - 1;
        if (c->emergency_from)
            return;
    }
    c->external &= ~condition;
}

static bool external_pending(struct vmm *v, struct virtual_cpu *c, bool take, struct interruption *i) {
    i->class = INTERRUPTION_EXTERNAL;
    if (!psw_external(&c->psw))
        return false;
    uint32_t timers = timers_pending(v, c);
    for (unsigned n = 0; n < EXTERNALS; n++) {
        bool kept = externals[n].pending && c->cr[0] & externals[n].mask && c->external & externals[n].pending;
        if (!kept && !(timers & externals[n].mask))
            continue;
        i->code = externals[n].code;
        if (take)
            take_external(c, externals[n].pending, i);
        return true;
    }
    return false;
}

static bool io_pending(struct vmm *v, struct virtual_cpu *c, bool take, struct interruption *i) {
    uint32_t channels = psw_channels(&c->psw, c->cr[2]);
    uint16_t address = 0;
    i->class = INTERRUPTION_IO;
    if (!channels)
        return false;
    if (monitor_io_active(v, c->guest, channels))
        monitor_io_advance(v, c->guest, timers_now(v));
    if (!monitor_io_pending(v, c->guest, channels))
        return false;
    if (!take)
        return true;
    monitor_cause(v, CAUSE_DEVICE);
    bool taken = monitor_io_take(v, c->guest, channels, &address, &i->csw);
    i->code = address;
    if (taken)
        monitor_trace(v, TRACE_IO_END, address, i->csw >> 16 & 0xFFFF, i->csw & 0xFFFF, NULL);
    return taken;
}

/* The first that its PSW and control registers enable. */
static bool pending(struct vmm *v, struct virtual_cpu *c, bool take, struct interruption *i) {
    *i = (struct interruption){.class = INTERRUPTION_MACHINE_CHECK, .csw = (uint64_t)1 << 63}; /* system damage */
    if (c->machine_check && c->psw.state & PSW_MACHINE_CHECK) {
        if (take)
            c->machine_check = false;
        return true;
    }
    return external_pending(v, c, take, i) || io_pending(v, c, take, i);
}

/* ---- Giving control ---- */

static bool several(const struct vmm *v) { return reference(v)->cpus > 1; }

static uint32_t external_masks(const struct vmm *v) {
    return CR0_INTERRUPT_KEY | (here(v)->armed != CYCLE_NEVER ? (uint32_t)CR0_CPU_TIMER : 0) |
           (several(v) ? (uint32_t)CR0_EMERGENCY_SIGNAL : 0);
}

/* Devices interrupt while a program of ours is under way, and not otherwise. */
static uint8_t interruptible(const struct reference *r) {
    return (uint8_t)(PSW_EXTERNAL | (r->outstanding ? PSW_EC_IO : 0));
}

static void load_monitor_masks(struct vmm *v, const struct virtual_cpu *c) {
    struct host_cpu *h = here(v);
    uint8_t operand[4];
    if (h->cr8 == c->cr[8])
        return;
    bytes_put32(operand, c->cr[8]);
    monitor_store(v, SUPERVISOR_CONTROL + 8 * 4, operand, sizeof operand);
    monitor_execute(v, CELL_LCTL_8, NULL);
    h->cr8 = c->cr[8];
}

static uint32_t leave(struct vmm *v, const struct psw *psw) {
    uint8_t raw[8];
    psw_store(psw, raw, 0, 0);
    monitor_store(v, SUPERVISOR_PSW, raw, sizeof raw);
    return SUPERVISOR_PSW;
}

/* A wait of this CPU, for c (NULL: for nobody); c's instruction address is kept, to be recognised by. */
static uint32_t leave_waiting(struct vmm *v, const struct virtual_cpu *c, bool enabled) {
    struct host_cpu *h = here(v);
    struct psw psw = {.state = PSW_EC | PSW_WAIT, .system_mask = enabled ? interruptible(reference(v)) : 0};
    if (c)
        psw.ia = c->psw.ia;
    uint32_t kept = h->cr0 & ~(uint32_t)(CR0_CPU_TIMER | CR0_INTERRUPT_KEY);
    load_space(v, kept | external_masks(v), h->cr1);
    h->waits = enabled;
    uint32_t at = leave(v, &psw);
    if (c && enabled)
        monitor_running(v, c, true);
    return at;
}

static void set_status(struct vmm *v, struct virtual_cpu *c, enum machine_status status) {
    if (c->status == status)
        return;
    c->status = status;
    monitor_stopped(v, c, status);
}

/* The real CR0 is the shadow's format, the guest's low-address protection, and the monitor's own masks. */
static uint32_t real_cr0(struct vmm *v, const struct virtual_cpu *c, const struct monitor_space *s) {
    uint32_t cr0 = s->cr0 | (c->cr[0] & CR0_LOW_ADDRESS_PROTECTION);
    bool asked = machine_of(v, c)->facilities && c->cr[0] & CR0_STCK_CONTROL;
    if (monitor_machine(v).nominal || c->epoch || asked)
        cr0 |= CR0_STCK_CONTROL;
    return cr0 | external_masks(v);
}

static uint32_t run(struct vmm *v, struct virtual_cpu *c) {
    struct host_cpu *h = here(v);
    struct monitor_space s = monitor_parts(v)->shadow->select(v, c);
    monitor_cause(v, CAUSE_DISPATCH);
    /* De-privileged: problem state, DAT on, and interruptible whatever the guest's own masks say. */
    struct psw psw = {.system_mask = PSW_EC_DAT | interruptible(reference(v)),
                      .state = PSW_EC | PSW_PROBLEM,
                      .key = c->psw.key,
                      .cc = c->psw.cc,
                      .program_mask = c->psw.program_mask,
                      .ia = c->psw.ia};
    load_space(v, real_cr0(v, c, &s), s.cr1);
    load_monitor_masks(v, c);
    if (s.purge)
        monitor_execute(v, CELL_PTLB, NULL);
    c->dispatched_at = c->psw.ia;
    monitor_trace(v, TRACE_DISPATCH, c->psw.ia, s.cr1, psw_problem(&c->psw), NULL);
    monitor_set_gprs(v, c->gpr);
    uint32_t at = leave(v, &psw);
    h->current = h->last = c;
    c->taken = true;
    c->on = here(v)->address;
    monitor_running(v, c, false);
    return at;
}

/* ---- Whose turn ---- */

static bool ended(const struct virtual_cpu *c) {
    return c->stopped || c->status == MACHINE_DISABLED_WAIT || c->status == MACHINE_CHECK_STOP;
}

static enum verdict stop(struct vmm *v, struct virtual_cpu *c, enum machine_status status) {
    set_status(v, c, status);
    return VERDICT_STOPPED;
}

/* It waits for something: until its first timer or device is due, or for ever when nothing is. */
static enum verdict wait(struct vmm *v, struct virtual_cpu *c) {
    if (monitor_io_next(v, c->guest) != CYCLE_NEVER)
        monitor_io_advance(v, c->guest, timers_now(v));
    c->wake = timers_deadline(v, c);
    c->waiting = true;
    c->on = here(v)->address;
    bool ends = c->wake != CYCLE_NEVER || reference(v)->outstanding;
    set_status(v, c, ends ? MACHINE_READY : MACHINE_IDLE);
    return VERDICT_WAIT;
}

enum verdict dispatcher_prepare(struct vmm *v, struct virtual_cpu *c) {
    struct reference *r = reference(v);
    struct interruption i;
    monitor_cause(v, CAUSE_DISPATCH);
    if (ended(c))
        return VERDICT_STOPPED;
    c->waiting = c->look = false;
    reflect_invalid_psw(v, c);
    if (!r->given && pending(v, c, true, &i))
        reflect(v, c, &i);
    monitor_cause(v, CAUSE_DISPATCH);
    if (c->looping)
        return stop(v, c, MACHINE_CHECK_STOP);
    if (r->given && pending(v, c, false, &i))
        return VERDICT_AGAIN;
    if (psw_disabled_wait(&c->psw))
        return stop(v, c, MACHINE_DISABLED_WAIT);
    if (psw_wait(&c->psw))
        return wait(v, c);
    set_status(v, c, MACHINE_READY);
    return VERDICT_RUN;
}

/* Still waiting, and nothing can have come up for it: it was not told to look, and it is not time yet. (What came up
 * for the only one there is, is found by looking: reading the clock first would cost more.) */
static bool sleeps(struct vmm *v, const struct virtual_cpu *c) {
    bool alone = monitor_guests(v) == 1 && machine_of(v, c)->cpus == 1;
    bool late = reference(v)->timer_fired || several(v); /* another CPU's timer may have fired */
    return !alone && c->waiting && !c->look && (!late || timers_now(v) < c->wake);
}

/* When it will have to be looked at by itself. */
static uint64_t wakes(const struct virtual_cpu *c) { return ended(c) || !c->waiting ? CYCLE_NEVER : c->wake; }

/* It could go on, or something has come up for it while it waited, or its time has come. */
static bool wants_turn(struct vmm *v, const struct virtual_cpu *c) {
    if (ended(c) || !c->waiting || c->look)
        return !ended(c);
    return c->wake != CYCLE_NEVER && c->wake <= timers_now(v);
}

/* ---- Several CPUs ---- */

/* R3 of the cell is the order, R1 the CPU. */
static void signal_cpu(struct vmm *v, unsigned cpu, uint32_t order) {
    monitor_set_gpr(v, 1, cpu);
    monitor_set_gpr(v, 3, order);
    monitor_execute(v, CELL_SIGP, NULL);
}

enum { ORDER_EMERGENCY_SIGNAL = 3, ORDER_RESTART = 6 };

/* It comes to the monitor as soon as this activation has ended, and executes nothing before. */
static void call(struct vmm *v, unsigned cpu) {
    struct host_cpu *h = &reference(v)->cpu[cpu];
    if (h->signalled)
        return;
    h->signalled = true;
    signal_cpu(v, cpu, ORDER_EMERGENCY_SIGNAL);
}

static void hold(struct vmm *v, struct virtual_cpu *c) {
    if (c->taken)
        call(v, c->on);
}

/* Something has come up for virtual CPUs that are on other CPUs: these have to see to it. */
static void call_those_concerned(struct vmm *v) {
    if (!several(v))
        return;
    for (unsigned guest = 0; guest < monitor_guests(v); guest++)
        for (unsigned n = 0; n < monitor_guest(v, guest)->cpus; n++) {
            struct virtual_cpu *c = &monitor_guest(v, guest)->cpu[n];
            if (c->look || c->order)
                hold(v, c);
        }
}

/* Calls CPUs that wait, one for each of `ready` virtual CPUs that could go on. Returns how many come. */
static unsigned call_waiting(struct vmm *v, unsigned ready) {
    unsigned come = 0;
    for (unsigned n = 0; n < reference(v)->cpus && come < ready; n++) {
        if (n == here(v)->address || !reference(v)->cpu[n].waits)
            continue;
        call(v, n);
        come++;
    }
    return come;
}

/* There are more virtual CPUs than CPUs: those that are not in slices on other CPUs will be. */
static void call_those_without_slices(struct vmm *v) {
    for (unsigned n = 0; n < reference(v)->cpus; n++)
        if (n != here(v)->address && reference(v)->cpu[n].current && reference(v)->cpu[n].slice_end == CYCLE_NEVER)
            call(v, n);
}

/* ---- Giving the CPU away ---- */

/* Another CPU has it, or goes on with it soon. */
static bool is_elsewhere(const struct vmm *v, const struct virtual_cpu *c) {
    return c->taken || (c->on != here(v)->address && reference(v)->cpu[c->on].between == c);
}

/* While one runs, others wait for their turn, or for something to be due: when that is. */
static uint64_t begin_slice(struct vmm *v, struct virtual_cpu *c) {
    struct host_cpu *h = here(v);
    const struct monitor_scheduler *s = monitor_parts(v)->scheduler;
    uint64_t deadline = timers_deadline(v, c);
    unsigned ready = 0;
    for (struct virtual_cpu *other = s->after(v, c); other != c; other = s->after(v, other)) {
        if (is_elsewhere(v, other))
            continue;
        if (wants_turn(v, other))
            ready++;
        else if (other->on == here(v)->address && wakes(other) < deadline)
            deadline = wakes(other);
    }
    bool rivals = ready && ready > call_waiting(v, ready);
    if (!rivals)
        h->slice_end = CYCLE_NEVER;
    else if (h->slice_end == CYCLE_NEVER || h->last != c)
        h->slice_end = timers_now(v) + monitor_options(v)->slice;
    if (rivals)
        call_those_without_slices(v);
    return h->slice_end < deadline ? h->slice_end : deadline;
}

/* The last virtual CPU has stopped: so do all CPUs. */
static uint32_t stop_machine(struct vmm *v) {
    call_waiting(v, HOST_CPUS_MOST);
    return leave_waiting(v, NULL, false);
}

/* None can run here, but one waits, or is on another CPU. `waits` is the first that waits here, and may go on by
 * itself; NULL: there is none. */
static uint32_t idle(struct vmm *v, struct virtual_cpu *waits) {
    const struct monitor_scheduler *s = monitor_parts(v)->scheduler;
    uint64_t deadline = waits ? waits->wake : CYCLE_NEVER;
    if (!waits)
        return leave_waiting(v, NULL, true);
    for (struct virtual_cpu *other = s->after(v, waits); other != waits; other = s->after(v, other))
        if (!other->taken && other->on == here(v)->address && wakes(other) < deadline)
            deadline = wakes(other);
    timers_arm(v, deadline);
    return leave_waiting(v, waits, true);
}

/* c is not done: the machine gets the chance to interrupt, and does so at once. */
static uint32_t leave_briefly(struct vmm *v, struct virtual_cpu *c) {
    struct host_cpu *h = here(v);
    call_those_concerned(v);
    begin_slice(v, c);
    h->last = h->between = c;
    c->on = h->address;
    timers_arm(v, 0);
    uint32_t at = leave_waiting(v, c, true);
    h->waits = false;
    return at;
}

static uint32_t dispatch(struct vmm *v) {
    struct host_cpu *h = here(v);
    const struct monitor_scheduler *s = monitor_parts(v)->scheduler;
    bool expired = h->slice_end != CYCLE_NEVER && reference(v)->timer_fired && timers_now(v) >= h->slice_end;
    struct virtual_cpu *first = s->choose(v, h->last, expired), *c = first, *waits = NULL;
    bool stopped = true;
    do {
        enum verdict verdict = is_elsewhere(v, c) ? VERDICT_ELSEWHERE
                               : sleeps(v, c)     ? VERDICT_WAIT
                                                  : dispatcher_prepare(v, c);
        if (verdict == VERDICT_RUN && reference(v)->hybrid)
            verdict = hybrid_interpret(v, c);
        if (verdict == VERDICT_RUN) {
            call_those_concerned(v);
            timers_arm(v, begin_slice(v, c));
            return run(v, c);
        }
        if (verdict == VERDICT_AGAIN)
            return leave_briefly(v, c);
        if (verdict == VERDICT_WAIT && !waits && c->on == here(v)->address)
            waits = c;
        stopped = stopped && verdict == VERDICT_STOPPED;
        c = s->after(v, c);
    } while (c != first);
    call_those_concerned(v);
    return stopped ? stop_machine(v) : idle(v, waits);
}

/* ---- Starting ---- */

/* By a restart interruption of its own or with the PSW set for it. */
static void start(struct vmm *v, struct virtual_cpu *c) {
    const struct interruption restart = {.class = INTERRUPTION_RESTART};
    enum virtual_start how = c->start;
    c->taken = false;
    monitor_parts(v)->shadow->reset(v, c);
    c->last_valid = c->looping = c->waiting = c->changed = c->started = false;
    c->stopped = how == START_NONE;
    c->order = 0;
    if (how == START_NONE)
        return;
    set_status(v, c, MACHINE_READY);
    if (how == START_PSW)
        psw_load(&c->psw, c->start_psw);
    else
        reflect(v, c, &restart);
    c->start = START_RESTART;
}

/* The monitor's machine was restarted: so are its other CPUs, and its guests. Nothing that an earlier activation left
 * half done counts any more. */
static void start_all(struct vmm *v) {
    struct reference *r = reference(v);
    for (unsigned n = 0; n < reference(v)->cpus; n++) {
        struct host_cpu *h = &r->cpu[n];
        h->loaded = h->waits = h->signalled = false;
        h->armed = h->slice_end = CYCLE_NEVER;
        h->current = h->last = h->between = NULL;
        h->purge_due = true;
    }
    channel_program_reset(v);
    for (unsigned guest = 0; guest < monitor_guests(v); guest++) {
        struct virtual_machine *vm = monitor_guest(v, guest);
        vm->reset = false;
        for (unsigned n = 0; n < vm->cpus; n++) {
            r->given = false;
            start(v, &vm->cpu[n]);
        }
    }
    for (unsigned n = 1; n < reference(v)->cpus; n++)
        signal_cpu(v, n, ORDER_RESTART);
}

/* Reset, set or started from outside: what was derived is derived anew. */
static void reset_changed(struct vmm *v) {
    for (unsigned guest = 0; guest < monitor_guests(v); guest++) {
        struct virtual_machine *vm = monitor_guest(v, guest);
        if (vm->reset)
            channel_program_forget(v, guest);
        vm->reset = false;
        for (unsigned n = 0; n < vm->cpus; n++) {
            struct virtual_cpu *c = &vm->cpu[n];
            if (c->taken || (!c->changed && !c->started))
                continue;
            c->changed = c->waiting = false;
            monitor_parts(v)->shadow->reset(v, c);
            if (c->started)
                start(v, c);
        }
    }
}

static uint32_t interruption(struct vmm *v, enum interruption_class class) {
    struct reference *r = reference(v);
    struct host_cpu *h = &r->cpu[monitor_cpu(v)];
    struct virtual_cpu *was = h->current;
    r->here = h;
    h->current = h->between = NULL;
    h->waits = h->signalled = false;
    r->clock_known = r->given = r->limit = r->timer_fired = false;
    monitor_cause(v, CAUSE_DISPATCH);
    if (monitor_guests(v) == 0)
        return leave_waiting(v, NULL, false);
    if (was)
        was->taken = false;
    if (was && !was->changed && !was->started) { /* otherwise what the machine has of it does not count any more */
        save(v, was, class);
        handle(v, was, class);
    } else {
        handle_in_wait(v, class);
    }
    if (was && was->order)
        signal_perform(v, was);
    if (class == INTERRUPTION_RESTART && h->address == 0)
        start_all(v);
    else
        reset_changed(v);
    return dispatch(v);
}

const struct monitor_dispatcher reference_dispatcher = {.interruption = interruption, .reflect = reflect, .hold = hold};
