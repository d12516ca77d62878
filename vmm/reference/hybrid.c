/* The monitor "hybrid" (Popek and Goldberg's Theorem 3): all of virtual supervisor state is interpreted; virtual
 * problem state is executed directly.
 *
 * It is the monitor "trap-and-emulate" but for the dispatcher's last step. A virtual CPU that may run and is in
 * supervisor state is not given the CPU: the monitor executes its instructions one by one, on its virtual state, so
 * none of them ever finds out that the real state is another one, whether it would have trapped or not. Between two
 * instructions what is pending for the guest is given to it; after a number of them the machine may interrupt.
 *
 * Privileged instructions are left to the interpreter routines: what they act on are the guest's resources. A monitor
 * in C has no instructions that could be interpreted: its CALL is executed by the CPU, and leads to it. */
#include "vmm/reference/reference.h"

/* Instructions between two chances for the machine to interrupt. */
enum { INTERPRETED_TOGETHER = 100, FETCH_MOST = 256 };

/* ---- What an instruction refers to ---- */

static void bring_contents(struct vmm *v, struct virtual_cpu *c, struct window *w, uint32_t absolute, uint32_t length) {
    uint8_t bytes[FETCH_MOST];
    uint32_t end = (absolute + length + WINDOW_UNIT - 1) & ~(WINDOW_UNIT - 1u), n;
    for (uint32_t at = absolute & ~(WINDOW_UNIT - 1u); at < end; at += n) {
        n = end - at < FETCH_MOST ? end - at : FETCH_MOST;
        monitor_fetch(v, host_real(v, c, at), bytes, n);
        window_put(w, at, bytes, n);
    }
}

/* Another virtual CPU must not come between fetching and storing: above the bare machine this activation may be
 * suspended there. */
static void hold_others(struct vmm *v, const struct virtual_cpu *c) {
    struct virtual_machine *vm = monitor_guest(v, c->guest);
    for (unsigned n = 0; n < vm->cpus; n++)
        if (&vm->cpu[n] != c)
            monitor_parts(v)->dispatcher->hold(v, &vm->cpu[n]);
}

/* All parts are located before the contents of any are fetched, which sets its reference bit. */
static void bring(struct vmm *v, struct virtual_cpu *c, struct window *w) {
    uint32_t length[2], address, absolute[2], failed = 0;
    if (w->need.interlocked && machine_of(v, c)->cpus > 1)
        hold_others(v, c);
    for (unsigned part = 0; part < 2; part++) {
        length[part] = window_part(w, part, &address);
        if (length[part] == 0)
            continue;
        enum access x = guest_locate(v, c, address, w->need.store, &absolute[part], &failed);
        if (x != ACCESS_OK) {
            window_refuse(w, x, failed);
            return;
        }
    }
    for (unsigned part = 0; part < 2; part++) {
        if (length[part] == 0)
            continue;
        window_admit(w, part, absolute[part]);
        bring_contents(v, c, w, absolute[part], length[part]);
    }
}

/* Everything that was opened for storing, changed or not: its change bit is on. */
static void take_back(struct vmm *v, struct virtual_cpu *c, const struct window *w) {
    for (unsigned n = 0; n < w->stores; n++) {
        const uint8_t *bytes = w->block[w->store[n].block].bytes + w->store[n].offset;
        uint32_t absolute = w->block[w->store[n].block].absolute + w->store[n].offset, piece;
        for (uint32_t done = 0; done < w->store[n].length; done += piece) {
            piece = w->store[n].length - done < FETCH_MOST ? w->store[n].length - done : FETCH_MOST;
            monitor_store(v, host_real(v, c, absolute + done), bytes + done, piece);
        }
        monitor_parts(v)->shadow->stored(v, c->guest, absolute, w->store[n].length);
    }
}

/* ---- One instruction ---- */

/* False: only the CPU can execute it. */
static bool step(struct vmm *v, struct virtual_cpu *c) {
    struct reference *r = reference(v);
    struct window *w = &r->window;
    struct interruption i;
    enum interpreted_as as;
    bool limit;
    window_clear(w);
    monitor_cause(v, CAUSE_INTERPRETATION);
    while ((as = monitor_interpret(v, c, w, &i, &limit)) == INTERPRETED_AS_NEEDING)
        bring(v, c, w);
    if (limit)
        r->limit = r->given = true;
    switch (as) {
    case INTERPRETED_AS_CALL: return false;
    case INTERPRETED_AS_STOP: return true;
    case INTERPRETED_AS_PRIVILEGED:
        c->psw.ia = (c->psw.ia + i.ilc) & HOST_ADDRESS_MASK;
        interpreter_run(v, c, &i);
        return true;
    default: break;
    }
    r->clock_known = false; /* it moves now */
    take_back(v, c, w);
    if (as == INTERPRETED_AS_INTERRUPTION)
        reflect(v, c, &i);
    return true;
}

enum verdict hybrid_interpret(struct vmm *v, struct virtual_cpu *c) {
    for (unsigned n = 0; n < INTERPRETED_TOGETHER && !reference(v)->limit; n++) {
        if (psw_problem(&c->psw) || !step(v, c))
            return VERDICT_RUN;
        enum verdict verdict = dispatcher_prepare(v, c);
        if (verdict != VERDICT_RUN)
            return verdict;
    }
    return psw_problem(&c->psw) ? VERDICT_RUN : VERDICT_AGAIN;
}

/* ---- The monitor ---- */

static void *create(struct vmm *v) {
    struct reference *r = reference_create(v);
    if (r)
        r->hybrid = true;
    return r;
}

const struct monitor_parts hybrid_monitor = {
    .kind = "hybrid",
    .dispatcher = &reference_dispatcher,
    .allocator = &reference_allocator,
    .interpreter = &reference_interpreter,
    .shadow = &reference_shadow,
    .scheduler = &reference_scheduler,
    .create = create,
    .destroy = reference_destroy,
    .bytes = reference_bytes,
    .archive = reference_archive,
};
