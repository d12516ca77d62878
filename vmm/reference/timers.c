/* The guest's clocks, and how they interrupt.
 *
 * All of them are arithmetic on one number, the cycles that the clock of the monitor's machine has counted, which STCK
 * gives back exactly: TOD is that plus an epoch, the CPU timer a sum minus it, the interval timer's ticks lie at fixed
 * cycles, and devices live on a timeline of it. So a guest in nominal time sees what a bare machine shows.
 *
 * A condition that comes up while the guest runs has to interrupt it there: the monitor loads its own machine's CPU
 * timer so that it goes negative in exactly that cycle. Loading is privileged, hence dear on a nested machine: a
 * deadline that moves away is left where it was, and the interruption then finds nothing to do. */
#include "vmm/reference/reference.h"

enum { INTERVAL_TIMER = 80, INTERVAL_STEP = 256 };

/* Reading costs an instruction (and a trap where STCK is controlled), so it is done once, and only when it matters. */
uint64_t timers_now(struct vmm *v) {
    struct reference *r = reference(v);
    if (!r->clock_known) {
        uint8_t reading[8];
        monitor_execute(v, CELL_STCK, NULL);
        monitor_fetch(v, SUPERVISOR_CLOCK, reading, sizeof reading);
        r->clock = clock_cycles(bytes_get64(reading));
        r->clock_known = true;
    }
    return r->clock;
}

uint64_t timers_tod(const struct virtual_cpu *c, uint64_t now) { return clock_units(now) + c->epoch; }
uint64_t timers_cpu_timer(const struct virtual_cpu *c, uint64_t now) { return c->timer_sum - clock_units(now); }

/* The word at 80 is the guest's ordinary storage and is brought up to date at exits only. A word that is not the one
 * left there was stored by the guest since, nobody knows when: it counts from now on. */
static void tick(struct vmm *v, struct virtual_cpu *c) {
    uint64_t ticks = clock_ticks(timers_now(v)), passed = ticks - c->ticks;
    uint8_t word[4];
    if (passed == 0 || guest_fetch_real(v, c, INTERVAL_TIMER, word, sizeof word) != ACCESS_OK)
        return;
    uint32_t before = bytes_get32(word), after = before;
    if (before == c->timer_word) {
        after = before - (uint32_t)passed * INTERVAL_STEP;
        bytes_put32(word, after);
        guest_store_real(v, c, INTERVAL_TIMER, word, sizeof word);
        if ((int32_t)before >= 0 && passed > before / INTERVAL_STEP)
            c->external |= EXTERNAL_INTERVAL_TIMER;
    }
    c->timer_word = after;
    c->ticks = ticks;
}

uint32_t timers_pending(struct vmm *v, struct virtual_cpu *c) {
    uint32_t enabled = c->cr[0] & (CR0_CLOCK_COMPARATOR | CR0_CPU_TIMER | CR0_INTERVAL_TIMER), pending = 0;
    if (!enabled)
        return 0;
    uint64_t now = timers_now(v);
    tick(v, c);
    if (timers_tod(c, now) > c->comparator)
        pending |= CR0_CLOCK_COMPARATOR;
    if (timers_cpu_timer(c, now) >> 63)
        pending |= CR0_CPU_TIMER;
    if (c->external & EXTERNAL_INTERVAL_TIMER)
        pending |= CR0_INTERVAL_TIMER;
    return pending & enabled;
}

static uint64_t earlier(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* The first cycle at which more than `units` have passed since now. */
static uint64_t cycle_after(uint64_t now, uint64_t units) {
    uint64_t from = clock_units(now);
    return units >= UINT64_MAX - from - 47104 ? CYCLE_NEVER : clock_cycles(from + units + 1);
}

static uint64_t interval_deadline(struct vmm *v, struct virtual_cpu *c) {
    uint8_t word[4];
    if (guest_fetch_real(v, c, INTERVAL_TIMER, word, sizeof word) != ACCESS_OK)
        return CYCLE_NEVER;
    c->timer_word = bytes_get32(word); /* the ticks have been brought up to date: it counts from here */
    if (word[0] & 0x80)
        return CYCLE_NEVER;
    return clock_tick_at(c->ticks + c->timer_word / INTERVAL_STEP + 1);
}

/* Conditions that hold now have been taken before this is asked. */
static uint64_t external_deadline(struct vmm *v, struct virtual_cpu *c) {
    uint64_t deadline = CYCLE_NEVER;
    uint32_t cr0 = c->cr[0];
    if (!(cr0 & (CR0_CLOCK_COMPARATOR | CR0_CPU_TIMER | CR0_INTERVAL_TIMER)))
        return deadline;
    uint64_t now = timers_now(v);
    if (cr0 & CR0_CLOCK_COMPARATOR) {
        uint64_t left = c->comparator - timers_tod(c, now);
        /* With the comparator at its largest value, the TOD clock never exceeds it: it goes on from 0. */
        if (c->comparator != UINT64_MAX)
            deadline = earlier(deadline, cycle_after(now, left));
    }
    if (cr0 & CR0_CPU_TIMER)
        deadline = earlier(deadline, cycle_after(now, timers_cpu_timer(c, now)));
    if (cr0 & CR0_INTERVAL_TIMER)
        deadline = earlier(deadline, interval_deadline(v, c));
    return deadline;
}

uint64_t timers_deadline(struct vmm *v, struct virtual_cpu *c) {
    uint64_t deadline = psw_external(&c->psw) ? external_deadline(v, c) : CYCLE_NEVER;
    uint32_t channels = psw_channels(&c->psw, c->cr[2]);
    /* In a wait the clock goes from event to event, whether they interrupt or not. */
    if (psw_wait(&c->psw) || (channels && monitor_io_active(v, c->guest, channels)))
        deadline = earlier(deadline, monitor_io_next(v, c->guest));
    return deadline;
}

void timers_arm(struct vmm *v, uint64_t deadline) {
    struct host_cpu *h = here(v);
    if (deadline == CYCLE_NEVER || deadline >= h->armed)
        return;
    uint64_t now = timers_now(v);
    /* Negative after more than `value` units; a deadline that has passed: at once. */
    uint64_t value = deadline > now ? clock_units(deadline) - clock_units(now) - 1 : UINT64_MAX;
    uint8_t operand[8];
    if (deadline > now && value > INT64_MAX)
        return;
    bytes_put64(operand, value);
    monitor_store(v, SUPERVISOR_CLOCK, operand, sizeof operand);
    monitor_execute(v, CELL_SPT, NULL);
    h->armed = deadline;
}
