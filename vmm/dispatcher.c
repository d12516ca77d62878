/* The dispatcher: every trap arrives here, and leaves by one return.
 *
 * What arrives is an interruption of the monitor's machine while the guest was running (or waiting) on it. The guest's
 * CPU is saved, the trap handed to whoever it concerns (docs/architecture.md): the interpreter, the shadow tables, or
 * the guest itself by reflection. Then the guest gets the pending interruption that it enables, if any, and control, or
 * the machine a wait on its behalf.
 *
 * At most one interruption is given to the guest in an activation. When another follows at once, the monitor lets its
 * machine interrupt it again first: so a guest whose interruptions never end can be watched, counted and stopped like
 * any other, and cannot hold its monitor for ever. */
#include "base/bytes.h"
#include "vmm/vmm_internal.h"

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

/* ---- Saving ---- */

static const uint8_t old_psw[INTERRUPTION_CLASSES] = {
    [INTERRUPTION_RESTART] = 8,  [INTERRUPTION_EXTERNAL] = 24,      [INTERRUPTION_SVC] = 32,
    [INTERRUPTION_PROGRAM] = 40, [INTERRUPTION_MACHINE_CHECK] = 48, [INTERRUPTION_IO] = 56,
};

/* The real PSW holds only these of the guest's: everything else of it never reached the machine. */
static void save_guest(struct vmm *v, struct guest *g, enum interruption_class class) {
    uint8_t raw[8];
    struct psw old;
    processor_gprs(v->p, g->gpr);
    processor_fetch(v->p, old_psw[class], raw, sizeof raw);
    psw_load(&old, raw);
    g->psw.cc = old.cc;
    g->psw.program_mask = old.program_mask;
    g->psw.ia = old.ia;
}

static void read_program(struct vmm *v, struct interruption *i) {
    uint8_t low[20]; /* real 140-159 */
    processor_fetch(v->p, 140, low, sizeof low);
    i->ilc = low[1];
    i->code = bytes_get16(low + 2);
    i->translation_address = bytes_get32(low + 4);
    i->monitor_class = low[9];
    i->monitor_code = bytes_get32(low + 16);
}

static void read_svc(struct vmm *v, struct interruption *i) {
    uint8_t low[4]; /* real 136-139 */
    processor_fetch(v->p, 136, low, sizeof low);
    i->ilc = low[1];
    i->code = low[3];
}

static void read_external(struct vmm *v, struct interruption *i) {
    uint8_t low[2];
    processor_fetch(v->p, 134, low, sizeof low);
    i->code = bytes_get16(low);
    if (i->code == CODE_CPU_TIMER)
        v->armed = VMM_NEVER; /* it has fired; masked until it is set again */
}

/* ---- Who handles it ---- */

static bool nullifies(unsigned code) { return code == ACCESS_SEGMENT || code == ACCESS_PAGE; }
static bool completes(unsigned code) {
    return code == PROGRAM_FIXED_OVERFLOW || code == PROGRAM_DECIMAL_OVERFLOW || code == PROGRAM_MONITOR;
}

static void trace_trap(struct vmm *v, const struct guest *g, const struct interruption *i, const char *cause) {
    processor_trace(v->p, TRACE_TRAP, i->code, g->psw.ia, nullifies(i->code) ? i->translation_address : i->ilc, cause);
}

/* Whether instructions were retired since the guest last got control: the trapped one is not that which was to be
 * first. */
static void note_progress(struct guest *g, const struct interruption *i) {
    uint32_t at = g->psw.ia;
    if (i->class == INTERRUPTION_PROGRAM && !nullifies(i->code))
        at = (at - i->ilc) & VMM_ADDRESS_MASK;
    if (i->class == INTERRUPTION_SVC || at != g->dispatched_at || completes(i->code))
        g->progress = true;
}

/* Absent in the shadow: if the guest's tables have the page, it gets it and repeats the instruction, which was
 * nullified; otherwise it gets the exception that its own CPU would have found, suppressed unless that is a page or
 * segment fault. */
static void handle_missing_page(struct vmm *v, struct guest *g, struct interruption *i) {
    trace_trap(v, g, i, "missing page");
    unsigned code = shadow_fault(v, g, i->translation_address);
    if (code == 0)
        return;
    i->code = code;
    if (!nullifies(code))
        g->psw.ia = (g->psw.ia + i->ilc) & VMM_ADDRESS_MASK;
    reflect(v, g, i);
}

/* In problem state the monitor's own bit in CR0 makes STCK a privileged operation too, which the guest did not ask for.
 */
static void handle_privileged(struct vmm *v, struct guest *g, const struct interruption *i) {
    bool interpret = !psw_problem(&g->psw) || v->cr0 & CR0_STCK_CONTROL;
    trace_trap(v, g, i, "privileged operation");
    if (interpret)
        interpreter_run(v, g, i);
    else
        reflect(v, g, i);
}

static void handle_program(struct vmm *v, struct guest *g, struct interruption *i) {
    read_program(v, i);
    note_progress(g, i);
    switch (i->code) {
    case PROGRAM_PRIVILEGED: handle_privileged(v, g, i); break;
    case ACCESS_SEGMENT:
    case ACCESS_PAGE: handle_missing_page(v, g, i); break;
    default:
        trace_trap(v, g, i, "program");
        reflect(v, g, i);
        break;
    }
}

/* What interrupted the guest, its CPU being saved. */
static void handle(struct vmm *v, struct guest *g, enum interruption_class class) {
    struct interruption i = {.class = class};
    switch (class) {
    case INTERRUPTION_PROGRAM: handle_program(v, g, &i); break;
    case INTERRUPTION_SVC:
        read_svc(v, &i);
        note_progress(g, &i);
        trace_trap(v, g, &i, "svc");
        reflect(v, g, &i);
        break;
    case INTERRUPTION_EXTERNAL:
        read_external(v, &i);
        note_progress(g, &i);
        trace_trap(v, g, &i, "external");
        break;
    default: note_progress(g, &i); break; /* restart; the other classes are masked off in this machine */
    }
}

/* ---- Pending interruptions of the guest ---- */

static bool external_pending(struct vmm *v, struct guest *g, bool take, struct interruption *i) {
    i->class = INTERRUPTION_EXTERNAL;
    if (!psw_external(&g->psw))
        return false;
    uint32_t timers = timers_pending(v, g);
    for (unsigned n = 0; n < EXTERNALS; n++) {
        bool kept = externals[n].pending && g->cr[0] & externals[n].mask && g->external & externals[n].pending;
        if (!kept && !(timers & externals[n].mask))
            continue;
        i->code = externals[n].code;
        if (take)
            g->external &= ~externals[n].pending;
        return true;
    }
    return false;
}

static bool io_pending(struct vmm *v, struct guest *g, bool take, struct interruption *i) {
    uint32_t channels = psw_channels(&g->psw, g->cr[2]);
    uint16_t address = 0;
    i->class = INTERRUPTION_IO;
    if (!channels)
        return false;
    if (channel_active(g->channels, channels))
        timers_advance_devices(v, g);
    if (!channel_has_interruption(g->channels, channels))
        return false;
    if (!take)
        return true;
    processor_cause(v->p, CAUSE_DEVICE);
    bool taken = channel_take_interruption(g->channels, channels, &address, &i->csw);
    i->code = address;
    if (taken)
        processor_trace(v->p, TRACE_IO_END, address, i->csw >> 16 & 0xFFFF, i->csw & 0xFFFF, NULL);
    return taken;
}

/* The first that the guest's PSW and control registers enable. */
static bool pending(struct vmm *v, struct guest *g, bool take, struct interruption *i) {
    *i = (struct interruption){.class = INTERRUPTION_MACHINE_CHECK, .csw = (uint64_t)1 << 63}; /* system damage */
    if (g->machine_check && g->psw.state & PSW_MACHINE_CHECK) {
        if (take)
            g->machine_check = false;
        return true;
    }
    return external_pending(v, g, take, i) || io_pending(v, g, take, i);
}

/* ---- Giving control ---- */

/* Control registers 0 and 1 in one instruction, and only when they change. */
static void load_space(struct vmm *v, uint32_t cr0, uint32_t cr1) {
    uint8_t operand[8];
    if (v->loaded && v->cr0 == cr0 && v->cr1 == cr1)
        return;
    bytes_put32(operand, cr0);
    bytes_put32(operand + 4, cr1);
    processor_store(v->p, SUPERVISOR_CONTROL, operand, sizeof operand);
    processor_execute(v->p, CELL_LCTL_0_1, NULL);
    v->cr0 = cr0;
    v->cr1 = cr1;
    v->loaded = true;
}

static uint32_t external_masks(const struct vmm *v) {
    return CR0_INTERRUPT_KEY | (v->armed != VMM_NEVER ? (uint32_t)CR0_CPU_TIMER : 0);
}

static void load_monitor_masks(struct vmm *v, const struct guest *g) {
    uint8_t operand[4];
    if (v->cr8 == g->cr[8])
        return;
    bytes_put32(operand, g->cr[8]);
    processor_store(v->p, SUPERVISOR_CONTROL + 8 * 4, operand, sizeof operand);
    processor_execute(v->p, CELL_LCTL_8, NULL);
    v->cr8 = g->cr[8];
}

static uint32_t leave(struct vmm *v, const struct psw *psw, enum dispatched dispatched) {
    uint8_t raw[8];
    psw_store(psw, raw, 0, 0);
    processor_store(v->p, SUPERVISOR_PSW, raw, sizeof raw);
    v->dispatched = dispatched;
    return SUPERVISOR_PSW;
}

/* A wait of the whole machine; the guest's instruction address is kept, to be recognised by. */
static uint32_t leave_waiting(struct vmm *v, const struct guest *g, bool enabled) {
    struct psw psw = {.state = PSW_EC | PSW_WAIT, .system_mask = enabled ? PSW_EXTERNAL : 0};
    if (g)
        psw.ia = g->psw.ia;
    uint32_t kept = v->cr0 & ~(uint32_t)(CR0_CPU_TIMER | CR0_INTERRUPT_KEY);
    load_space(v, kept | external_masks(v), v->cr1);
    return leave(v, &psw, DISPATCHED_WAIT);
}

static void set_status(struct vmm *v, struct guest *g, enum machine_status status) {
    if (g->status == status)
        return;
    g->status = status;
    processor_stopped(v->p, g->machine, status);
}

/* The real CR0 is the shadow's format, the guest's low-address protection, and the monitor's own masks. */
static uint32_t real_cr0(const struct vmm *v, const struct guest *g, const struct shadow_space *s) {
    uint32_t cr0 = s->page_shift == 12 ? DAT_FORMAT_4K_64K : DAT_FORMAT_2K_64K;
    cr0 |= g->cr[0] & CR0_LOW_ADDRESS_PROTECTION;
    bool asked = g->facilities && g->cr[0] & CR0_STCK_CONTROL;
    if (machine_nominal(v->machine) || g->epoch || asked)
        cr0 |= CR0_STCK_CONTROL;
    return cr0 | external_masks(v);
}

static uint32_t run_guest(struct vmm *v, struct guest *g) {
    struct shadow_space *s = shadow_select(v, g);
    processor_cause(v->p, CAUSE_DISPATCH);
    /* De-privileged: problem state, DAT on, and interruptible whatever the guest's own masks say. */
    struct psw psw = {.system_mask = PSW_EC_DAT | PSW_EXTERNAL,
                      .state = PSW_EC | PSW_PROBLEM,
                      .key = g->psw.key,
                      .cc = g->psw.cc,
                      .program_mask = g->psw.program_mask,
                      .ia = g->psw.ia};
    load_space(v, real_cr0(v, g, s), shadow_cr1(s));
    load_monitor_masks(v, g);
    if (v->purge_due) {
        processor_execute(v->p, CELL_PTLB, NULL);
        v->purge_due = false;
    }
    g->dispatched_at = g->psw.ia;
    v->stats.dispatches++;
    processor_trace(v->p, TRACE_DISPATCH, g->psw.ia, shadow_cr1(s), psw_problem(&g->psw), NULL);
    processor_set_gprs(v->p, g->gpr);
    uint32_t at = leave(v, &psw, DISPATCHED_GUEST);
    processor_running(v->p, g->machine);
    return at;
}

/* The guest waits for something: until its first timer or device is due, or for ever when nothing is. */
static uint32_t wait_for_guest(struct vmm *v, struct guest *g) {
    if (timeline_next(g->timeline) != SIM_TIME_NEVER)
        timers_advance_devices(v, g);
    uint64_t deadline = timers_deadline(v, g);
    set_status(v, g, deadline == VMM_NEVER ? MACHINE_IDLE : MACHINE_READY);
    timers_arm(v, deadline);
    uint32_t at = leave_waiting(v, g, true);
    processor_running(v->p, g->machine); /* what passes is its time */
    return at;
}

static uint32_t stop(struct vmm *v, struct guest *g, enum machine_status status) {
    set_status(v, g, status);
    return leave_waiting(v, g, false);
}

static uint32_t dispatch(struct vmm *v, struct guest *g) {
    struct interruption i;
    processor_cause(v->p, CAUSE_DISPATCH);
    if (g->status == MACHINE_DISABLED_WAIT || g->status == MACHINE_CHECK_STOP)
        return leave_waiting(v, g, false);
    reflect_invalid_psw(v, g);
    if (!v->given && pending(v, g, true, &i))
        reflect(v, g, &i);
    processor_cause(v->p, CAUSE_DISPATCH);
    if (g->looping)
        return stop(v, g, MACHINE_CHECK_STOP);
    if (v->given && pending(v, g, false, &i)) {
        timers_arm(v, 0);
        uint32_t at = leave_waiting(v, g, true);
        processor_running(v->p, g->machine);
        return at;
    }
    if (psw_disabled_wait(&g->psw))
        return stop(v, g, MACHINE_DISABLED_WAIT);
    if (psw_wait(&g->psw))
        return wait_for_guest(v, g);
    set_status(v, g, MACHINE_READY);
    timers_arm(v, timers_deadline(v, g));
    return run_guest(v, g);
}

/* ---- Starting ---- */

/* The monitor's machine was restarted: so is its guest, by a restart interruption of its own or with the PSW set for
 * it. Nothing that an earlier activation left half done counts any more. */
static void start(struct vmm *v, struct guest *g) {
    v->loaded = false;
    v->armed = VMM_NEVER;
    shadow_reset(v, g);
    g->last_valid = g->looping = false;
    set_status(v, g, MACHINE_READY);
    if (g->start_with_psw) {
        g->start_with_psw = false;
        psw_load(&g->psw, g->start_psw);
    } else {
        const struct interruption i = {.class = INTERRUPTION_RESTART};
        reflect(v, g, &i);
    }
}

uint32_t dispatcher_interrupt(void *self, struct processor *p, enum interruption_class c) {
    struct vmm *v = self;
    struct guest *g = v->guest;
    enum dispatched was = v->dispatched;
    v->p = p;
    v->clock_known = v->given = false;
    v->dispatched = DISPATCHED_NOTHING;
    processor_cause(p, CAUSE_DISPATCH);
    if (c != INTERRUPTION_RESTART)
        v->stats.traps++;
    if (!g)
        return leave_waiting(v, NULL, false);
    if (was == DISPATCHED_GUEST)
        save_guest(v, g, c);
    if (g->shadows_stale) {
        g->shadows_stale = false;
        shadow_reset(v, g);
    }
    if (was == DISPATCHED_GUEST)
        handle(v, g, c);
    else if (c == INTERRUPTION_EXTERNAL)
        read_external(v, &(struct interruption){0});
    if (c == INTERRUPTION_RESTART)
        start(v, g);
    return dispatch(v, g);
}
