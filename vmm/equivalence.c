/* One step of the guest, then the same step of the reference, then a look at both. */
#include "vmm/equivalence.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "isa/clock.h"
#include "isa/instruction.h"
#include "isa/psw.h"
#include "mmu/storage.h"

enum { PATIENCE = 100000000, WAITS_MOST = 100000, CHUNK = 4096, TIMER = 80 };

struct pair {
    struct machine *guest, *reference;
    struct equivalence *to;
    uint64_t patience;
    uint32_t memory;
    uint64_t counts[INTERRUPTION_CLASSES]; /* of the guest, before the step */
    struct machine_state before;           /* of the reference, which is the guest's, too */
    uint8_t text[6];
    const struct instruction *instruction; /* about to be executed; NULL: none, or not to be read */
    struct instruction_fields f;
    uint64_t clock;              /* the latest that was stored by STCK */
    uint64_t tod, timer, cycles; /* the guest's, and of the bare machine below, before the step */
    uint64_t exits_since;        /* exits when an enabled condition was seen pending; UINT64_MAX: none is */
    uint8_t a[CHUNK], b[CHUNK];
};

static bool broken(struct pair *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool broken(struct pair *p, const char *format, ...) {
    va_list arguments;
    if (p->to->end == EQUIVALENCE_BROKEN)
        return false;
    p->to->end = EQUIVALENCE_BROKEN;
    va_start(arguments, format);
    vsnprintf(p->to->what, sizeof p->to->what, format, arguments);
    va_end(arguments);
    return false;
}

/* ---- Looking ---- */

static uint64_t psw_bits(const struct machine_state *s) {
    uint8_t raw[8];
    psw_store(&s->psw, raw, 0, 0);
    return bytes_get64(raw);
}

static bool same_states(struct pair *p) {
    struct machine_state *g = &p->to->guest, *r = &p->to->reference;
    machine_state(p->guest, g);
    machine_state(p->reference, r);
    if (psw_bits(g) != psw_bits(r))
        return broken(p, "the PSW is %016" PRIX64 ", and %016" PRIX64 " on the bare machine", psw_bits(g), psw_bits(r));
    for (int i = 0; i < 16; i++) {
        if (g->gpr[i] != r->gpr[i])
            return broken(p, "general register %d is %08" PRIX32 ", and %08" PRIX32 " on the bare machine", i,
                          g->gpr[i], r->gpr[i]);
        if (g->cr[i] != r->cr[i])
            return broken(p, "control register %d is %08" PRIX32 ", and %08" PRIX32 " on the bare machine", i, g->cr[i],
                          r->cr[i]);
    }
    if (g->prefix != r->prefix)
        return broken(p, "the prefix is %06" PRIX32 ", and %06" PRIX32 " on the bare machine", g->prefix, r->prefix);
    return true;
}

/* One part of storage, the interval timer's word apart. */
static bool same_storage(struct pair *p, uint32_t at, uint32_t length) {
    machine_peek(p->guest, at, p->a, length);
    machine_peek(p->reference, at, p->b, length);
    if (at == 0)
        memcpy(p->a + TIMER, p->b + TIMER, 4);
    if (memcmp(p->a, p->b, length) == 0)
        return true;
    uint32_t n = 0;
    while (p->a[n] == p->b[n])
        n++;
    return broken(p, "storage at real %06" PRIX32 " is %02X, and %02X on the bare machine", at + n, p->a[n], p->b[n]);
}

static bool same_whole_storage(struct pair *p) {
    for (uint32_t at = 0; at < p->memory; at += CHUNK)
        if (!same_storage(p, at, CHUNK))
            return false;
    return true;
}

static bool same_changes(struct pair *p) {
    for (uint32_t at = 0; at < p->memory; at += STORAGE_BLOCK_BYTES) {
        int g = machine_key(p->guest, at), r = machine_key(p->reference, at);
        if ((g ^ r) & ~KEY_REFERENCE)
            return broken(p, "the storage key at real %06" PRIX32 " is %02X, and %02X on the bare machine", at,
                          (unsigned)g, (unsigned)r);
    }
    return true;
}

/* ---- What is next ---- */

/* Logical to real in the state before the step; false: it cannot be translated. */
static bool real_of(struct pair *p, uint32_t address, uint32_t *real) {
    struct dat_walk w;
    if (!psw_dat(&p->before.psw)) {
        *real = address & 0xFFFFFF;
        return true;
    }
    if (machine_walk_under(p->reference, p->before.cr[0], p->before.cr[1], address & 0xFFFFFF, &w) != ACCESS_OK)
        return false;
    *real = w.real;
    return true;
}

static bool read_logical(struct pair *p, uint32_t address, uint8_t *to, uint32_t length) {
    for (uint32_t i = 0; i < length; i++) {
        uint32_t real;
        if (!real_of(p, address + i, &real) || machine_peek(p->reference, real, to + i, 1) != ACCESS_OK)
            return false;
    }
    return true;
}

static uint32_t operand_of(const struct pair *p) {
    return ((p->f.b2 ? p->before.gpr[p->f.b2] : 0) + p->f.d2) & 0xFFFFFF;
}

/* The target of an EXECUTE takes its place: its first operand's fields are of no interest here. */
static void find_target(struct pair *p) {
    uint8_t text[6];
    uint32_t address = operand_of(p) + (p->f.r3 ? p->before.gpr[p->f.r3] : 0);
    memset(text, 0, sizeof text);
    if (!read_logical(p, address, text, 2) || !read_logical(p, address, text, instruction_length(text[0])))
        return;
    text[1] |= p->f.r1 ? (uint8_t)p->before.gpr[p->f.r1] : 0;
    p->instruction = instruction_decode(text);
    if (p->instruction)
        instruction_take(&p->f, p->instruction, text);
}

static void look_ahead(struct pair *p) {
    memset(p->text, 0, sizeof p->text);
    p->instruction = NULL;
    machine_state(p->reference, &p->before);
    uint32_t at = p->before.psw.ia;
    if (psw_wait(&p->before.psw) || !read_logical(p, at, p->text, 2) ||
        !read_logical(p, at, p->text, instruction_length(p->text[0])))
        return;
    p->instruction = instruction_decode(p->text);
    if (!p->instruction)
        return;
    instruction_take(&p->f, p->instruction, p->text);
    if (instruction_id(p->instruction) == INSTRUCTION_EX)
        find_target(p);
}

static void note_step(struct pair *p, const char *interruption) {
    struct equivalence *to = p->to;
    if (to->last_count == EQUIVALENCE_LAST) {
        memmove(to->last, to->last + 1, (EQUIVALENCE_LAST - 1) * sizeof to->last[0]);
        to->last_count--;
    }
    struct equivalence_step *s = &to->last[to->last_count++];
    s->address = p->before.psw.ia;
    memcpy(s->text, p->text, sizeof s->text);
    snprintf(s->interruption, sizeof s->interruption, "%s", interruption);
}

/* ---- What is taken over from the guest ---- */

static bool is(const struct pair *p, enum instruction_id id) {
    return p->instruction && instruction_id(p->instruction) == id;
}

/* The interval timer is a clock. */
static void take_over_timer(struct pair *p) {
    uint8_t word[4];
    machine_peek(p->guest, TIMER, word, 4);
    machine_poke(p->reference, TIMER, word, 4);
}

static void copy_logical(struct pair *p, uint32_t address, uint32_t length, uint8_t *guest) {
    for (uint32_t i = 0; i < length; i++) {
        uint32_t real;
        if (real_of(p, address + i, &real) && machine_peek(p->guest, real, guest + i, 1) == ACCESS_OK)
            machine_poke(p->reference, real, guest + i, 1);
    }
}

/* What a clock said. */
static bool take_over_clock(struct pair *p) {
    uint8_t value[8] = {0};
    if (is(p, INSTRUCTION_STPT)) {
        copy_logical(p, operand_of(p), 8, value);
        return true;
    }
    copy_logical(p, operand_of(p), 8, value);
    if (bytes_get64(value) < p->clock)
        return broken(p, "the TOD clock ran backwards, from %016" PRIX64 " to %016" PRIX64, p->clock,
                      bytes_get64(value));
    p->clock = bytes_get64(value);
    return true;
}

/* The doubleword at the operand of an instruction that sets a clock. */
static uint64_t operand_value(struct pair *p) {
    uint8_t raw[8] = {0};
    read_logical(p, operand_of(p), raw, 8);
    return bytes_get64(raw);
}

/* Between two steps TOD clock and CPU timer move by no more than what has passed below, and in their own direction,
 * from where they were or from what they were set to. `set`: the instruction has been executed. */
static bool clocks_run(struct pair *p, bool set) {
    const struct machine_state *g = &p->to->guest;
    struct machine_stats s;
    machine_stats(p->guest, &s);
    uint64_t passed = clock_units(s.cycles - p->cycles) + 2; /* readings are rounded down */
    uint64_t tod = set && is(p, INSTRUCTION_SCK) ? operand_value(p) : p->tod;
    uint64_t timer = set && is(p, INSTRUCTION_SPT) ? operand_value(p) : p->timer;
    if (g->tod - tod > passed)
        return broken(p, "the TOD clock went from %016" PRIX64 " to %016" PRIX64, tod, g->tod);
    if (timer - g->cpu_timer > passed)
        return broken(p, "the CPU timer went from %016" PRIX64 " to %016" PRIX64, timer, g->cpu_timer);
    if (g->clock_comparator != p->to->reference.clock_comparator)
        return broken(p, "the clock comparator is %016" PRIX64 ", and %016" PRIX64 " on the bare machine",
                      g->clock_comparator, p->to->reference.clock_comparator);
    return true;
}

/* What a storage key's reference bit, and so the instruction, said. */
static void take_over_reference(struct pair *p) {
    struct machine_state g, r;
    machine_state(p->guest, &g);
    machine_state(p->reference, &r);
    if (is(p, INSTRUCTION_ISK) || is(p, INSTRUCTION_ISKE))
        r.gpr[p->f.r1] = (r.gpr[p->f.r1] & ~(uint32_t)KEY_REFERENCE) | (g.gpr[p->f.r1] & KEY_REFERENCE);
    else
        r.psw.cc = (uint8_t)((r.psw.cc & 1) | (g.psw.cc & 2));
    machine_set_state(p->reference, &r);
}

/* A part of a long move, that the guest was interrupted in: the rest of it is compared. */
static void take_over_part(struct pair *p) {
    struct machine_state g, r;
    machine_state(p->guest, &g);
    machine_state(p->reference, &r);
    for (unsigned n = 0; n < 2; n++) {
        r.gpr[(p->f.r1 + n) & 15] = g.gpr[(p->f.r1 + n) & 15];
        r.gpr[(p->f.r3 + n) & 15] = g.gpr[(p->f.r3 + n) & 15];
    }
    machine_set_state(p->reference, &r);
    for (uint32_t at = 0; at < p->memory; at += CHUNK) {
        machine_peek(p->guest, at, p->a, CHUNK);
        machine_poke(p->reference, at, p->a, CHUNK);
    }
}

static bool transfers(const struct pair *p) {
    static const enum instruction_id ids[] = {INSTRUCTION_SIO, INSTRUCTION_SIOF, INSTRUCTION_TIO, INSTRUCTION_CLRIO,
                                              INSTRUCTION_HIO, INSTRUCTION_HDV,  INSTRUCTION_TCH};
    for (size_t n = 0; n < sizeof ids / sizeof *ids; n++)
        if (is(p, ids[n]))
            return true;
    return false;
}

/* The guest's device was not busy (any more). */
static void take_over_device(struct pair *p) {
    struct machine_state g;
    machine_state(p->guest, &g);
    if (g.psw.cc != 2)
        machine_device_ends(p->reference, (uint16_t)operand_of(p));
}

/* ---- One step ---- */

static uint64_t interruptions_of(struct machine *m, uint64_t counts[INTERRUPTION_CLASSES]) {
    struct machine_stats s;
    machine_stats(m, &s);
    memcpy(counts, s.interruptions, sizeof s.interruptions);
    return interruption_total(counts);
}

/* The class of the interruption that the guest took in this step, if it was not the instruction's own. */
static enum interruption_class came(const struct pair *p, const uint64_t now[INTERRUPTION_CLASSES]) {
    static const enum interruption_class outside[] = {INTERRUPTION_EXTERNAL, INTERRUPTION_IO,
                                                      INTERRUPTION_MACHINE_CHECK};
    for (size_t n = 0; n < sizeof outside / sizeof *outside; n++)
        if (now[outside[n]] != p->counts[outside[n]])
            return outside[n];
    return INTERRUPTION_CLASSES;
}

/* Its code, from where the guest's CPU stored it. */
static unsigned code_of(struct pair *p, enum interruption_class c, unsigned *sender) {
    uint8_t low[192];
    machine_peek(p->guest, 0, low, sizeof low);
    *sender = bytes_get16(low + 132);
    bool ec = psw_ec(&p->before.psw);
    if (c == INTERRUPTION_EXTERNAL)
        return bytes_get16(low + (ec ? 134 : 26));
    return bytes_get16(low + (ec ? 186 : 58));
}

static bool deliver(struct pair *p, enum interruption_class c) {
    unsigned sender, code = code_of(p, c, &sender);
    char text[16];
    snprintf(text, sizeof text, "%.8s %04X", interruption_name(c), code & 0xFFFF);
    if (is(p, INSTRUCTION_MVCL) || is(p, INSTRUCTION_CLCL))
        take_over_part(p);
    note_step(p, text);
    bool taken = c == INTERRUPTION_EXTERNAL ? machine_deliver_external(p->reference, code, sender)
                 : c == INTERRUPTION_IO     ? machine_deliver_io(p->reference, (uint16_t)code)
                                            : false;
    return taken || broken(p, "an interruption came, %s, that the bare machine would not take", text);
}

/* The instruction, or the interruption that starts the machine. */
static bool execute(struct pair *p, bool restarts) {
    if (transfers(p))
        take_over_device(p);
    note_step(p, restarts ? interruption_name(INTERRUPTION_RESTART) : "");
    machine_run(p->reference, &(struct machine_limits){.instructions = 1});
    if (is(p, INSTRUCTION_STCK) || is(p, INSTRUCTION_STPT))
        return take_over_clock(p);
    if (is(p, INSTRUCTION_ISK) || is(p, INSTRUCTION_ISKE) || is(p, INSTRUCTION_RRB) || is(p, INSTRUCTION_RRBE))
        take_over_reference(p);
    return true;
}

static uint64_t exits_of(struct pair *p) {
    uint64_t counts[INTERRUPTION_CLASSES];
    return interruptions_of(machine_host(p->guest), counts);
}

/* An interruption that the guest enables does not wait for longer than to the second exit. */
static bool nothing_lost(struct pair *p) {
    if (!machine_has_pending(p->guest)) {
        p->exits_since = UINT64_MAX;
        return true;
    }
    uint64_t exits = exits_of(p);
    if (p->exits_since == UINT64_MAX)
        p->exits_since = exits;
    return exits - p->exits_since <= 2 ||
           broken(p, "an interruption that is pending and enabled was not given to the guest in %" PRIu64 " exits",
                  exits - p->exits_since);
}

/* Cycles in which the machine below did something. */
static uint64_t busy_cycles(const struct pair *p) {
    struct machine_stats s;
    uint64_t idle = 0;
    machine_stats(p->guest, &s);
    for (int level = 0; level <= machine_level(p->guest); level++)
        idle += machine_booked(p->guest, level, CAUSE_IDLE);
    return s.cycles - idle;
}

/* Runs the guest for one step; it may wait for a device for as long as that takes. False: it hangs. */
static bool run_step(struct pair *p, enum machine_status *status) {
    struct machine_limits limits = {.instructions = 1, .cycles = p->patience};
    struct machine_stats before, after;
    uint64_t busy = busy_cycles(p), taken[INTERRUPTION_CLASSES], now[INTERRUPTION_CLASSES];
    uint64_t took = interruptions_of(p->guest, taken);
    machine_stats(p->guest, &before);
    for (unsigned n = 0; n < WAITS_MOST; n++) {
        *status = machine_run(p->guest, &limits);
        machine_stats(p->guest, &after);
        if (*status != MACHINE_READY || after.instructions != before.instructions ||
            interruptions_of(p->guest, now) != took)
            return true;
        if (busy_cycles(p) - busy >= p->patience)
            break;
    }
    return broken(p, "it did nothing in %" PRIu64 " cycles of the bare machine below", busy_cycles(p) - busy);
}

/* False: there is nothing more to be done, or they differ. */
static bool step(struct pair *p, enum machine_status *status) {
    uint64_t now[INTERRUPTION_CLASSES];
    struct machine_stats before, after;
    uint64_t taken = interruptions_of(p->guest, p->counts);
    struct machine_state clocks;
    machine_stats(p->guest, &before);
    machine_state(p->guest, &clocks);
    p->tod = clocks.tod;
    p->timer = clocks.cpu_timer;
    p->cycles = before.cycles;
    look_ahead(p);
    if (!run_step(p, status))
        return false;
    machine_stats(p->guest, &after);
    uint64_t took = interruptions_of(p->guest, now) - taken;
    if (took == 0 && after.instructions == before.instructions)
        return false;
    take_over_timer(p);
    enum interruption_class c = came(p, now);
    if (after.instructions != before.instructions || c == INTERRUPTION_CLASSES) {
        if (!execute(p, now[INTERRUPTION_RESTART] != p->counts[INTERRUPTION_RESTART]))
            return false;
        if (c != INTERRUPTION_CLASSES)
            look_ahead(p); /* and then an interruption came, in the same step */
    }
    if (c != INTERRUPTION_CLASSES && !deliver(p, c))
        return false;
    bool done = now[INTERRUPTION_PROGRAM] == p->counts[INTERRUPTION_PROGRAM];
    if (!same_states(p) || !clocks_run(p, done))
        return false;
    p->to->steps++;
    return nothing_lost(p);
}

/* ---- The whole ---- */

static bool suitable(struct machine *guest, struct machine *reference, struct error *e) {
    if (!machine_host(guest))
        return error_set(e, ERROR_INPUT, "equivalence: %s is no virtual machine", machine_name(guest));
    if (machine_host(reference) || machine_cpus(reference) != 1 || machine_cpus(guest) != 1)
        return error_set(e, ERROR_INPUT, "equivalence: the reference is a bare machine, and both have one CPU");
    if (machine_started(reference))
        return error_set(e, ERROR_INPUT, "equivalence: the reference, %s, was started", machine_name(reference));
    if (strcmp(machine_model(guest)->name, machine_model(reference)->name) != 0 ||
        machine_profile(guest) != machine_profile(reference) ||
        machine_channel_conditions(guest) != machine_channel_conditions(reference))
        return error_set(
            e, ERROR_INPUT,
            "equivalence: guest and reference are to be of the same model, profile and channel conditions");
    if (machine_memory(guest) != machine_memory(reference))
        return error_set(e, ERROR_INPUT, "equivalence: the guest has %u bytes of storage, the reference %u",
                         machine_memory(guest), machine_memory(reference));
    return true;
}

static void copy_storage(struct pair *p) {
    for (uint32_t at = 0; at < p->memory; at += CHUNK) {
        machine_peek(p->guest, at, p->a, CHUNK);
        machine_poke(p->reference, at, p->a, CHUNK);
    }
    for (uint32_t at = 0; at < p->memory; at += STORAGE_BLOCK_BYTES)
        machine_set_key(p->reference, at, (uint8_t)machine_key(p->guest, at));
}

/* The guest waits, and nothing can end that: so it must be with the bare machine when its devices have ended. */
static bool waits_as_well(struct pair *p) {
    for (unsigned address = 0; address <= 0xFFF; address++)
        if (machine_deliver_io(p->reference, (uint16_t)address))
            return broken(p, "it waits for ever for an interruption of device %03X, which the bare machine gets",
                          address);
    return true;
}

/* Both have come to the same end. */
static bool same_ends(struct pair *p, enum machine_status status) {
    machine_run(p->reference, &(struct machine_limits){.instructions = 1});
    enum machine_status other = machine_status(p->reference);
    if (status != other)
        return broken(p, "it ended in status %s, and the bare machine in %s", machine_status_name(status),
                      machine_status_name(other));
    return same_states(p) && same_whole_storage(p) && same_changes(p);
}

/* No difference so far: a last look, at all of storage. */
static void finish(struct pair *p, enum machine_status status) {
    if (p->to->end == EQUIVALENCE_BROKEN)
        return;
    if (status == MACHINE_READY || status == MACHINE_IDLE) {
        if (status == MACHINE_READY || waits_as_well(p))
            same_whole_storage(p);
    } else if (same_ends(p, status)) {
        p->to->end = EQUIVALENCE_ENDED;
    }
}

bool equivalence_check(struct machine *guest, struct machine *reference, const struct equivalence_options *o,
                       struct equivalence *to, struct error *e) {
    *to = (struct equivalence){.end = EQUIVALENCE_BUDGET};
    if (!suitable(guest, reference, e))
        return false;
    struct pair *p = calloc(1, sizeof *p);
    if (!p)
        return error_set(e, ERROR_INTERNAL, "no memory for the check of equivalence");
    p->guest = guest;
    p->reference = reference;
    p->to = to;
    p->memory = machine_memory(guest);
    p->patience = o->patience ? o->patience : PATIENCE;
    p->exits_since = UINT64_MAX;
    copy_storage(p);
    machine_direct(reference);
    machine_restart(guest);
    machine_restart(reference);
    enum machine_status status = MACHINE_READY;
    uint32_t part = 0;
    while ((!o->steps || to->steps < o->steps) && step(p, &status)) {
        /* All of storage, a part at a time, beginning with the first. */
        if (!same_storage(p, part, CHUNK) || !same_storage(p, 0, CHUNK))
            break;
        part = (part + CHUNK) % p->memory;
        if (o->interrupted && o->interrupted(o->self))
            break;
    }
    finish(p, status);
    free(p);
    return true;
}
