/* After each step of both, a look at the guest: is its state the reference's? */
#include "vmm/equivalence.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

static uint64_t psw_bits(const struct machine_state *s) {
    uint8_t raw[8];
    psw_store(&s->psw, raw, 0, 0);
    return bytes_get64(raw);
}

static bool same_states(struct lockstep *l) {
    const struct machine_state *g = &l->now, *r = &l->reference_now;
    if (psw_bits(g) != psw_bits(r))
        return lockstep_broken(l, "the PSW is %016" PRIX64 ", and %016" PRIX64 " on the bare machine", psw_bits(g),
                               psw_bits(r));
    for (int i = 0; i < 16; i++) {
        if (g->gpr[i] != r->gpr[i])
            return lockstep_broken(l, "general register %d is %08" PRIX32 ", and %08" PRIX32 " on the bare machine", i,
                                   g->gpr[i], r->gpr[i]);
        if (g->cr[i] != r->cr[i])
            return lockstep_broken(l, "control register %d is %08" PRIX32 ", and %08" PRIX32 " on the bare machine", i,
                                   g->cr[i], r->cr[i]);
    }
    if (g->prefix != r->prefix)
        return lockstep_broken(l, "the prefix is %06" PRIX32 ", and %06" PRIX32 " on the bare machine", g->prefix,
                               r->prefix);
    return true;
}

/* Between two steps TOD clock and CPU timer move by no more than what has passed below, and in their own direction,
 * from where they were or from what they were set to. */
static bool clocks_run(struct lockstep *l) {
    const struct machine_state *g = &l->now;
    uint64_t passed = lockstep_passed(l);
    uint64_t tod = l->completed && lockstep_is(l, INSTRUCTION_SCK) ? l->operand : l->was.tod;
    uint64_t timer = l->completed && lockstep_is(l, INSTRUCTION_SPT) ? l->operand : l->was.cpu_timer;
    if (g->tod - tod > passed)
        return lockstep_broken(l, "the TOD clock went from %016" PRIX64 " to %016" PRIX64, tod, g->tod);
    if (timer - g->cpu_timer > passed)
        return lockstep_broken(l, "the CPU timer went from %016" PRIX64 " to %016" PRIX64, timer, g->cpu_timer);
    if (g->clock_comparator != l->reference_now.clock_comparator)
        return lockstep_broken(l, "the clock comparator is %016" PRIX64 ", and %016" PRIX64 " on the bare machine",
                               g->clock_comparator, l->reference_now.clock_comparator);
    return true;
}

/* One part of storage, the interval timer's word apart. */
static bool same_storage(struct lockstep *l, uint32_t at) {
    uint32_t length = LOCKSTEP_CHUNK < l->memory - at ? LOCKSTEP_CHUNK : l->memory - at, n = 0;
    machine_peek(l->guest, at, l->a, length);
    machine_peek(l->reference, at, l->b, length);
    if (at == 0)
        memcpy(l->a + LOCKSTEP_TIMER_WORD, l->b + LOCKSTEP_TIMER_WORD, 4);
    if (memcmp(l->a, l->b, length) == 0)
        return true;
    while (l->a[n] == l->b[n])
        n++;
    return lockstep_broken(l, "storage at real %06" PRIX32 " is %02X, and %02X on the bare machine", at + n, l->a[n],
                           l->b[n]);
}

static bool same_whole_storage(struct lockstep *l) {
    for (uint32_t at = 0; at < l->memory; at += LOCKSTEP_CHUNK)
        if (!same_storage(l, at))
            return false;
    return true;
}

static bool same_changes(struct lockstep *l) {
    for (uint32_t at = 0; at < l->memory; at += STORAGE_BLOCK_BYTES) {
        int g = machine_key(l->guest, at), r = machine_key(l->reference, at);
        if ((g ^ r) & ~KEY_REFERENCE)
            return lockstep_broken(l, "the storage key at real %06" PRIX32 " is %02X, and %02X on the bare machine", at,
                                   (unsigned)g, (unsigned)r);
    }
    return true;
}

/* No difference so far: a last look, at all of storage. */
static enum equivalence_end finish(struct lockstep *l) {
    bool ended = l->status != MACHINE_READY && l->status != MACHINE_IDLE;
    if (l->broken || !lockstep_same_end(l) || (ended && !same_states(l)) || !same_whole_storage(l) ||
        (ended && !same_changes(l)))
        return EQUIVALENCE_BROKEN;
    return ended ? EQUIVALENCE_ENDED : EQUIVALENCE_BUDGET;
}

static void run(struct lockstep *l, const struct equivalence_options *o) {
    uint32_t part = 0;
    while ((!o->steps || l->steps < o->steps) && lockstep_step(l) == LOCKSTEP_DONE) {
        /* All of storage, a part at a time, beginning with the first. */
        if (!same_states(l) || !clocks_run(l) || !same_storage(l, part) || !same_storage(l, 0)) {
            l->steps--;
            break;
        }
        part += LOCKSTEP_CHUNK;
        if (part >= l->memory)
            part = 0;
        if (o->interrupted && o->interrupted(o->self))
            break;
    }
}

bool equivalence_check(struct machine *guest, struct machine *reference, const struct equivalence_options *o,
                       struct equivalence *to, struct error *e) {
    struct error why = ERROR_CLEAR;
    *to = (struct equivalence){.end = EQUIVALENCE_BUDGET};
    struct lockstep *l = malloc(sizeof *l);
    if (!l)
        return error_set(e, ERROR_INTERNAL, "no memory for the check of equivalence");
    if (!lockstep_begin(l, guest, reference, LOCKSTEP_RESTART, o->patience, &why)) {
        free(l);
        return error_set(e, why.kind, "equivalence: %s", why.text);
    }
    run(l, o);
    to->end = finish(l);
    to->steps = l->steps;
    memcpy(to->what, l->what, sizeof to->what);
    to->guest = l->now;
    to->reference = l->reference_now;
    to->last_count = l->last_count;
    memcpy(to->last, l->last, sizeof to->last);
    free(l);
    return true;
}
