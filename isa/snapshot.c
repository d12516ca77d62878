/* The state of a tree of machines, value by value.
 *
 * Left out is what follows from the rest, or can be found again: decoded instructions and lookasides (forgotten on
 * loading), horizons (set anew in each step). The TLB is state: what it holds, stale entries among it, a program can
 * see. */
#include "isa/snapshot.h"

#include <stdio.h>
#include <stdlib.h>

#include "isa/clock.h"
#include "isa/isa_internal.h"
#include "isa/snapshot_internal.h"

/* ---- The tree ---- */

enum { TREE_MOST = 4096 };

struct tree {
    unsigned count;
    struct machine *machine[TREE_MOST]; /* the bare one first, each before those that run on it */
};

/* The n-th virtual machine on m, of its supervisor or of the hypervisor in assembler that is its program; NULL: there
 * are no more. */
static struct machine *virtual_at(const struct machine *m, unsigned n) {
    if (m->witness)
        return m->witness->machine(m->witness_self, n);
    return m->supervisor ? supervisor_virtual(m->supervisor, n) : NULL;
}

static void collect(struct tree *t, struct machine *m) {
    if (t->count < TREE_MOST)
        t->machine[t->count++] = m;
    struct machine *vm;
    for (unsigned n = 0; (vm = virtual_at(m, n)) != NULL; n++)
        collect(t, vm);
}

static unsigned number_of(const struct tree *t, const struct machine *m) {
    unsigned n = 0;
    while (n < t->count && t->machine[n] != m)
        n++;
    return n;
}

/* A CPU of a virtual machine of `host`, or of none. */
static void archive_running(const struct tree *t, const struct machine *host, struct machine_cpu *c,
                            struct archive *a) {
    unsigned n = c->machine ? number_of(t, c->machine) : t->count;
    archive_unsigned(a, &n, t->count, "the number of a machine");
    archive_unsigned(a, &c->cpu, MACHINE_CPUS_MOST - 1, "the number of a CPU");
    if (!a->loading || a->failed)
        return;
    c->machine = n < t->count ? t->machine[n] : NULL;
    if (c->machine && (c->machine->host != host || c->cpu >= machine_cpus(c->machine))) {
        c->machine = NULL;
        archive_fail(a, "machine %u does not run on that machine", n);
    }
}

bool machine_quiescent(const struct machine *m) {
    struct machine *bare = m->processor->machine;
    for (unsigned n = 0; n < SUPERVISORS_MOST; n++)
        if (bare->supervisors[n] && supervisor_active(bare->supervisors[n]))
            return false;
    return true;
}

uint64_t machine_position(const struct machine *m) {
    const struct machine *bare = m->processor->machine;
    uint64_t position = bare->instructions + bare->moves;
    for (unsigned i = 0; i < bare->cpus; i++)
        position += bare->cpu[i]->retired;
    return position + interruption_total(bare->interruptions);
}

/* ---- CPUs ---- */

/* So that times, picoseconds in 64 bits, do not overflow for as long again. */
#define CYCLES_MOST (SIM_TIME_MOST / CYCLE_PICOSECONDS)

static void archive_clock(uint64_t *cycles, struct archive *a) {
    archive_u64(a, cycles);
    if (*cycles > CYCLES_MOST) {
        *cycles = 0;
        archive_fail(a, "a clock is later than any that is reached");
    }
}

static void archive_clocks(struct processor *p, struct archive *a) {
    uint64_t nominal = processor_nominal(p), cycles = processor_cycles(p);
    archive_clock(&nominal, a);
    archive_clock(&cycles, a);
    p->horizon = p->flushed_nominal = nominal;
    p->remaining = 0;
    p->cycles_offset = (int64_t)(cycles - nominal);
    archive_u64(a, &p->comparator);
    archive_u64(a, &p->timer_value);
    archive_u64(a, &p->timer_set);
    archive_u64(a, &p->interval_ticks);
    if (p->interval_ticks > clock_ticks(processor_clock(p))) {
        p->interval_ticks = clock_ticks(processor_clock(p));
        archive_fail(a, "an interval timer is ahead of its clock");
    }
}

static void archive_pending(struct processor *p, struct archive *a) {
    archive_unsigned(a, &p->external, PENDING_INTERRUPT_KEY | PENDING_INTERVAL_TIMER, "what is pending");
    archive_bytes(a, p->signals, sizeof p->signals);
    archive_bool(a, &p->machine_check);
    archive_u64(a, &p->machine_check_code);
    archive_bool(a, &p->restart);
    ARCHIVE_ENUM(a, &p->condition, PROCESSOR_CHECK_STOPPED, "the state of a CPU");
    unsigned order = p->order;
    archive_unsigned(a, &order, UINT8_MAX, "an order");
    if (order && !processor_has_order(order))
        archive_fail(a, "order %u is none that a CPU performs", order);
    else
        p->order = order;
    archive_bytes(a, p->last_old, sizeof p->last_old);
    archive_unsigned(a, &p->last_code, 0xFFFF, "a program code");
    archive_u64(a, &p->last_retired);
    archive_bool(a, &p->last_valid);
    archive_bool(a, &p->leaving);
}

static void archive_books(struct processor *p, struct archive *a) {
    unsigned level = (unsigned)p->level;
    archive_unsigned(a, &level, MACHINE_LEVELS - 1, "a level");
    p->level = (int)level;
    for (int l = 0; l < MACHINE_LEVELS; l++)
        archive_u64s(a, p->booked[l], CAUSE_COUNT);
    archive_u64(a, &p->instructions);
    archive_u64s(a, p->interruptions, INTERRUPTION_CLASSES);
}

/* What the loop has concluded from all this is concluded anew. */
static void conclude(struct processor *p) {
    p->format_valid = dat_format(p->cr[0], &p->format);
    p->space = tlb_space(p->cr[0], p->cr[1]);
    p->held = false;
    p->code = NULL;
    p->charged = 0;
    access_forget(p);
    access_mode_changed(p);
}

static void archive_processor(struct processor *p, struct archive *a) {
    processor_flush(p);
    archive_u32s(a, p->gpr, 16);
    psw_archive(&p->psw, a);
    archive_u32s(a, p->cr, 16);
    archive_u32(a, &p->prefix);
    if (p->prefix & ~0xFFF000u || !storage_has(p->storage, p->prefix, 4096)) {
        p->prefix = 0;
        archive_fail(a, "a prefix does not name a page of storage");
    }
    archive_clocks(p, a);
    archive_pending(p, a);
    archive_books(p, a);
    tlb_archive(&p->tlb, a);
    if (a->loading)
        conclude(p);
}

/* ---- Machines ---- */

static void archive_any(struct machine *m, const struct tree *t, struct archive *a) {
    archive_same(a, (uint64_t)m->level, "the depth of a machine");
    archive_same(a, m->memory, "the storage of a machine");
    archive_same(a, m->supervisor != NULL, "whether a machine has a supervisor");
    archive_same(a, m->witness != NULL, "whether a hypervisor in assembler has a map");
    ARCHIVE_ENUM(a, &m->status, MACHINE_LOAD, "the status of a machine");
    archive_bool(a, &m->started);
    archive_u64(a, &m->instructions);
    archive_u64(a, &m->nominal);
    archive_u64s(a, m->interruptions, INTERRUPTION_CLASSES);
    for (unsigned i = 0; i < MACHINE_CPUS_MOST; i++)
        archive_running(t, m, &m->running[i], a);
    if (m->supervisor)
        supervisor_archive(m->supervisor, a);
    if (m->witness)
        m->witness->archive(m->witness_self, a);
}

static void archive_turns(struct machine *m, struct archive *a) {
    unsigned current = m->current->address;
    archive_unsigned(a, &current, m->cpus - 1, "the number of a CPU");
    m->current = m->cpu[current];
    archive_u64(a, &m->moves);
    archive_u64(a, &m->turn_end);
    if (m->cpus == 1 && m->turn_end != UINT64_MAX) {
        m->turn_end = UINT64_MAX;
        archive_fail(a, "the turn of the only CPU ends");
    }
    ARCHIVE_ENUM(a, &m->ended, MACHINE_LOAD, "how a CPU ended");
}

static void archive_bare(struct machine *m, const struct tree *t, struct archive *a) {
    archive_same_text(a, m->model->name, "the cost model");
    archive_same(a, m->profile, "the profile");
    archive_same(a, m->nominal_time, "nominal time");
    archive_same(a, m->channel_conditions, "the kind of channel conditions");
    archive_same(a, m->cpus, "the number of CPUs");
    archive_same(a, t->count, "the number of machines");
    archive_u64(a, &m->tod_epoch);
    archive_clock(&m->tod_clock, a);
    random_archive(&m->keys, a);
    archive_bytes(a, m->fault, sizeof m->fault);
    m->fault[sizeof m->fault - 1] = 0;
    archive_bool(a, &m->start_psw);
    archive_bytes(a, m->start, sizeof m->start);
    storage_archive(m->storage, a);
    archive_turns(m, a);
    for (unsigned i = 0; i < m->cpus; i++)
        archive_processor(m->cpu[i], a);
    timeline_archive(m->timeline, a);
    channel_archive(m->channels, a);
}

/* The levels that CPUs are on follow from who runs. */
static void check_levels(struct machine *m, struct archive *a) {
    for (unsigned i = 0; i < m->cpus; i++) {
        int level = 0;
        for (struct machine_cpu c = processor_chain(m->cpu[i]); c.machine; c = chain_next(c))
            level = c.machine->level;
        if (m->cpu[i]->level != level) {
            m->cpu[i]->level = level;
            archive_fail(a, "CPU %u is on another level than its machines", i);
        }
    }
}

void machine_archive(struct machine *m, struct archive *a) {
    struct tree *t = calloc(1, sizeof *t);
    m = machine_bare(m);
    if (!t) {
        archive_fail(a, "no memory to list the machines");
        return;
    }
    collect(t, m);
    if (!a->loading && !a->still && !machine_quiescent(m))
        archive_fail(a, "a monitor is at work, and its activation cannot be saved");
    archive_bare(m, t, a);
    for (unsigned n = 0; n < t->count && !a->failed; n++)
        archive_any(t->machine[n], t, a);
    if (a->loading)
        check_levels(m, a);
    free(t);
}

void machine_remember(struct machine *m, bool on) {
    struct machine *vm;
    if (!machine_only_seen(m)) /* whose devices are its host's */
        channel_remember(machine_channels(m), on);
    for (unsigned n = 0; (vm = virtual_at(m, n)) != NULL; n++)
        machine_remember(vm, on);
}

/* ---- Files ---- */

enum { REPLAY_MOST = 100000000 }; /* a second */

static const struct archive_kind kind = {"C370SNAP", 2, "snapshot"};

bool snapshot_write(const struct bytes *state, const char *path, struct error *e) {
    return archive_write_file(path, &kind, state, e);
}

bool snapshot_state(struct machine *m, uint64_t replay, struct bytes *to, struct error *e) {
    struct archive a = archive_saving(to, e);
    if (replay > REPLAY_MOST)
        return error_set(e, ERROR_INPUT, "the last moment that can be saved is %llu steps back, more than %u",
                         (unsigned long long)replay, REPLAY_MOST);
    archive_u64(&a, &replay);
    machine_archive(m, &a);
    return archive_finish(&a);
}

bool snapshot_save(struct machine *m, const char *path, struct error *e) {
    struct bytes state = {0};
    bool ok = snapshot_state(m, 0, &state, e) && snapshot_write(&state, path, e);
    bytes_fini(&state);
    return ok;
}

static bool load(struct machine *m, const struct bytes *state, uint64_t *replay, struct error *e) {
    struct archive a = archive_loading(state->data, state->length, e);
    archive_u64(&a, replay);
    if (*replay > REPLAY_MOST)
        archive_fail(&a, "it is to be followed by more than %u steps", REPLAY_MOST);
    machine_archive(m, &a);
    return archive_finish(&a);
}

/* For when the load fails: the state of now, with monitors that are at work, and back to it. */
static bool keep(struct machine *m, struct bytes *to, struct error *e) {
    struct archive a = archive_saving(to, e);
    a.still = true;
    machine_archive(m, &a);
    return archive_finish(&a);
}

static void back(struct machine *m, const struct bytes *kept) {
    struct archive a = archive_loading(kept->data, kept->length, NULL);
    a.still = true;
    machine_archive(m, &a);
    if (archive_finish(&a))
        return;
    m->status = MACHINE_FAULT; /* a disk that cannot be written */
    snprintf(m->fault, sizeof m->fault, "a snapshot was restored in part only");
}

void machine_replay(struct machine *m, const struct machine_limits *limits, uint64_t stop_at, bool told) {
    struct machine *bare = machine_bare(m);
    const struct machine_observer *observer = bare->observer;
    bare->observer = NULL;
    machine_again(bare, true);
    if (told)
        trace_mute(bare->trace, false);
    bare->stop_at = stop_at;
    machine_run(m, limits);
    bare->stop_at = 0;
    machine_again(bare, false);
    bare->observer = observer;
}

bool snapshot_load(struct machine *m, const char *path, struct error *e) {
    struct bytes state = {0}, kept = {0};
    struct error why = ERROR_CLEAR;
    uint64_t replay = 0;
    m = machine_bare(m);
    if (!archive_read_file(path, &kind, &state, e))
        return false;
    bool ok = keep(m, &kept, &why);
    if (ok && !load(m, &state, &replay, &why)) {
        ok = false;
        back(m, &kept);
    }
    if (!ok)
        error_set(e, why.kind, "%s cannot be restored here: %s", path, why.text);
    if (ok && replay)
        machine_replay(m, NULL, machine_position(m) + replay, false);
    if (ok && m->observer)
        m->observer->anew(m->observer->self);
    bytes_fini(&state);
    bytes_fini(&kept);
    return ok;
}
