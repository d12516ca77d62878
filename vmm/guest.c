/* A guest seen from outside, as a machine like any other: `struct machine_ops` over the monitor's data.
 *
 * Nothing here is part of an activation and nothing costs cycles. While the guest runs, its registers are the CPU's;
 * its storage is looked up through the machine below, whose own frames may in turn be those of one further down. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/disk.h"
#include "vmm/vmm_internal.h"

/* ---- Storage ---- */

/* Real address of the monitor's machine; -1: not the guest's. */
static int64_t host_real(const void *self, uint32_t real) {
    const struct guest *g = self;
    if (real >= g->vm.memory)
        return -1;
    return g->monitor->parts->allocator->frame(g->monitor, g->index, guest_absolute(&g->vm.cpu[0], real));
}

static enum access guest_peek(void *self, uint32_t real, void *to, uint32_t length) {
    const struct guest *g = self;
    return machine_move(g->monitor->machine, &(struct machine_pages){host_real, g}, real, to, length, false);
}

static enum access guest_poke(void *self, uint32_t real, const void *from, uint32_t length) {
    const struct guest *g = self;
    void *bytes = (void *)(uintptr_t)from; /* only read */
    return machine_move(g->monitor->machine, &(struct machine_pages){host_real, g}, real, bytes, length, true);
}

static int guest_key_outside(void *self, uint32_t real) {
    const struct guest *g = self;
    int64_t host = host_real(g, real);
    return host < 0 ? -1 : machine_key(g->monitor->machine, (uint32_t)host);
}

static void guest_set_key_outside(void *self, uint32_t real, uint8_t key) {
    const struct guest *g = self;
    int64_t host = host_real(g, real);
    if (host >= 0)
        machine_set_key(g->monitor->machine, (uint32_t)host, key);
}

/* ---- State ---- */

static unsigned guest_cpus(void *self) {
    const struct guest *g = self;
    return g->vm.cpus;
}

/* The PSW under which an interruption of the monitor's machine found the guest, where the monitor has not been entered
 * yet: it stands at a call cell. A privileged operation is not done, and the guest is in front of it. */
static bool interrupted_psw(const struct guest *g, const struct machine_state *below, struct psw *to) {
    static const uint8_t old[INTERRUPTION_CLASSES] = {8, 24, 32, 40, 48, 56};
    enum { CALL_BYTES = 12, CODES = 140 };
    uint32_t at = below->psw.ia - SUPERVISOR_CALLS;
    uint8_t raw[8], codes[4];
    if (at % CALL_BYTES || at / CALL_BYTES >= INTERRUPTION_CLASSES)
        return false;
    if (machine_peek(g->monitor->machine, old[at / CALL_BYTES], raw, sizeof raw) != ACCESS_OK ||
        machine_peek(g->monitor->machine, CODES, codes, sizeof codes) != ACCESS_OK)
        return false;
    psw_load(to, raw);
    if (at / CALL_BYTES == INTERRUPTION_PROGRAM && bytes_get16(codes + 2) == PROGRAM_PRIVILEGED)
        to->ia = (to->ia - codes[1]) & HOST_ADDRESS_MASK;
    return true;
}

/* Whether what is known of the monitor's machine is of this moment. A hypervisor in assembler that has been interrupted
 * keeps what its guest was when it was dispatched, until it has saved what it finds. */
static bool is_known(const struct machine *m) {
    for (; m; m = machine_host(m))
        if (machine_only_seen(m) && !machine_is_live(m, 0))
            return false;
    return true;
}

/* Before the monitor's LPSW, what it keeps is right. */
static enum guest_found find(const struct guest *g, unsigned cpu, const struct machine_state *below, struct psw *psw) {
    const struct virtual_cpu *v = &g->vm.cpu[cpu];
    if (g->monitor->running[v->on] != v)
        return GUEST_SAVED;
    if (machine_is_live(g->machine, cpu))
        return GUEST_LIVE;
    if (!is_known(g->monitor->machine))
        return GUEST_SAVED;
    *psw = below->psw;
    if (psw_problem(psw))
        return GUEST_BELOW;
    return interrupted_psw(g, below, psw) ? GUEST_INTERRUPTED : GUEST_SAVED;
}

enum guest_found guest_find(const struct guest *g, unsigned cpu, const struct machine_state *below) {
    struct psw psw;
    return find(g, cpu, below, &psw);
}

static void guest_state(void *self, unsigned cpu, struct machine_state *to) {
    const struct guest *g = self;
    const struct virtual_cpu *c = &g->vm.cpu[cpu];
    struct machine_state below;
    struct psw psw;
    machine_cpu_state(g->monitor->machine, c->on, &below);
    *to = (struct machine_state){.psw = c->psw,
                                 .prefix = c->prefix,
                                 .tod = below.tod + c->epoch,
                                 .clock_comparator = c->comparator,
                                 .cpu_timer = c->timer_sum - below.tod};
    memcpy(to->gpr, c->gpr, sizeof to->gpr);
    memcpy(to->cr, c->cr, sizeof to->cr);
    enum guest_found found = find(g, cpu, &below, &psw);
    if (found == GUEST_LIVE)
        machine_live_state(g->machine, cpu, to);
    if (found == GUEST_LIVE || found == GUEST_SAVED)
        return;
    memcpy(to->gpr, below.gpr, sizeof to->gpr);
    to->psw.cc = psw.cc;
    to->psw.program_mask = psw.program_mask;
    to->psw.ia = psw.ia;
}

static enum machine_cpu_status guest_cpu_status(void *self, unsigned cpu) {
    const struct guest *g = self;
    const struct virtual_cpu *c = &g->vm.cpu[cpu];
    struct machine_state state;
    if (c->stopped)
        return CPU_STOPPED;
    if (c->status == MACHINE_CHECK_STOP)
        return CPU_CHECK_STOP;
    guest_state(self, cpu, &state);
    return psw_disabled_wait(&state.psw) ? CPU_DISABLED_WAIT : psw_wait(&state.psw) ? CPU_WAITING : CPU_RUNNING;
}

static void look(struct guest *g) {
    for (unsigned n = 0; n < g->vm.cpus; n++)
        g->vm.cpu[n].look = true;
}

/* The guest has a new condition: its monitor is interrupted, by the interrupt key of its own machine, to look. */
static void interrupt_monitor(struct guest *g) {
    look(g);
    machine_raise(g->monitor->machine, CONDITION_INTERRUPT_KEY);
}

static void guest_set_state(void *self, unsigned cpu, const struct machine_state *from) {
    struct guest *g = self;
    struct virtual_cpu *c = &g->vm.cpu[cpu];
    c->psw = from->psw;
    memcpy(c->gpr, from->gpr, sizeof c->gpr);
    memcpy(c->cr, from->cr, sizeof c->cr);
    c->prefix = from->prefix & 0x00FFF000;
    if (c->prefix >= g->vm.memory)
        c->prefix = 0;
    c->changed = true;
    if (g->monitor->running[c->on] == c) /* the machine has its registers: they are not to be saved over these */
        interrupt_monitor(g);
}

/* ---- Events ---- */

static void guest_raise(void *self, enum machine_condition c) {
    struct guest *g = self;
    switch (c) {
    case CONDITION_INTERRUPT_KEY: g->vm.cpu[0].external |= EXTERNAL_INTERRUPT_KEY; break;
    case CONDITION_MACHINE_CHECK: g->vm.cpu[0].machine_check = true; break;
    case CONDITION_ATTENTION: channel_attention(g->channels, ADDRESS_CONSOLE); return; /* which notifies */
    }
    interrupt_monitor(g);
}

/* A device has something to say; what the timeline fires in an activation, the monitor sees by itself, but it may
 * concern another CPU than that for which it was looking. */
static void device_notifies(void *self) {
    struct guest *g = self;
    if (!g->advancing)
        interrupt_monitor(g);
    else if (g->vm.cpus > 1)
        look(g);
}

static void guest_start(void *self, const uint8_t *psw) {
    struct guest *g = self;
    struct virtual_cpu *c = &g->vm.cpu[0];
    c->start = psw ? START_PSW : START_RESTART;
    if (psw)
        memcpy(c->start_psw, psw, sizeof c->start_psw);
    c->started = true;
    if (g->monitor->started)
        interrupt_monitor(g);
}

static struct channel_set *guest_channels(void *self) {
    struct guest *g = self;
    return g->channels;
}

/* Initial CPU reset. */
static void reset(struct guest *g) {
    for (unsigned n = 0; n < g->vm.cpus; n++) {
        struct virtual_cpu *c = &g->vm.cpu[n];
        c->guest = g->index;
        c->address = n;
        memset(c->cr, 0, sizeof c->cr);
        c->cr[0] = CR0_INTERVAL_TIMER | CR0_INTERRUPT_KEY | CR0_EXTERNAL_SIGNALS;
        c->cr[2] = 0xFFFFFFFF;
        c->cr[14] = 0xC2000000;
        c->cr[15] = 512;
        c->start = n == 0 ? START_RESTART : START_NONE;
        c->stopped = n > 0;
        c->wake = CYCLE_NEVER;
    }
}

static void guest_reset(void *self) {
    struct guest *g = self;
    struct machine_state below;
    machine_state(g->monitor->machine, &below);
    reset(g);
    g->vm.reset = true;
    for (unsigned n = 0; n < g->vm.cpus; n++) {
        struct virtual_cpu *c = &g->vm.cpu[n];
        c->psw = (struct psw){0};
        c->prefix = 0;
        c->external = c->order = 0;
        c->machine_check = c->last_valid = c->looping = c->waiting = false;
        c->comparator = 0;
        c->timer_sum = below.tod;
        c->status = MACHINE_READY;
        c->changed = true;
    }
    channel_reset(g->channels);
}

static const struct machine_ops operations = {
    .peek = guest_peek,
    .poke = guest_poke,
    .key = guest_key_outside,
    .set_key = guest_set_key_outside,
    .cpus = guest_cpus,
    .state = guest_state,
    .set_state = guest_set_state,
    .cpu_status = guest_cpu_status,
    .raise = guest_raise,
    .start = guest_start,
    .channels = guest_channels,
    .reset = guest_reset,
};

struct guest *guest_of(const struct machine *m) {
    return machine_virtual_self(m, &operations);
}

/* ---- Channels: guest absolute storage, with the channel's key ---- */

/* Within one block, so within one frame. */
static uint8_t channel_move(struct guest *g, uint32_t absolute, unsigned key, uint8_t *bytes, uint32_t length,
                            bool store) {
    struct vmm *v = g->monitor;
    int64_t host = v->parts->allocator->frame(v, g->index, absolute);
    if (host < 0 || length > g->vm.memory - absolute)
        return CHANNEL_PROGRAM_CHECK;
    if (key) {
        uint8_t block = guest_key(v, &g->vm.cpu[0], absolute);
        if (store ? !storage_may_store(block, key) : !storage_may_fetch(block, key))
            return CHANNEL_PROTECTION_CHECK;
    }
    for (uint32_t done = 0, n; done < length; done += n) {
        n = length - done < 256 ? length - done : 256;
        if (store)
            processor_store(v->p, (uint32_t)host + done, bytes + done, n);
        else
            processor_fetch(v->p, (uint32_t)host + done, bytes + done, n);
    }
    if (store)
        v->parts->shadow->stored(v, g->index, absolute, length);
    return 0;
}

static uint8_t channel_fetch(void *self, uint32_t absolute, unsigned key, void *to, uint32_t length) {
    return channel_move(self, absolute, key, to, length, false);
}

static uint8_t channel_store(void *self, uint32_t absolute, unsigned key, const void *from, uint32_t length) {
    return channel_move(self, absolute, key, (uint8_t *)(uintptr_t)from, length, true); /* only read */
}

/* ---- A minidisk: its programs are run by the real disk, but for those of the LOAD key, which come from outside ----
 */

static struct device *whole_disk(void *self) {
    const struct guest_disk *d = self;
    return machine_device(d->guest->monitor->machine, d->is.host_address);
}

bool minidisks_overlap(const struct minidisk *a, const struct minidisk *b) {
    return a->host_address == b->host_address && !a->shared && !b->shared && a->first < b->first + b->blocks &&
           b->first < a->first + a->blocks;
}

static bool is_apart(const struct vmm *v, const struct minidisk *disk, struct error *e) {
    for (unsigned n = 0; n < v->guests; n++)
        for (unsigned k = 0; k < v->guest[n]->minidisks; k++) {
            const struct minidisk *other = &v->guest[n]->minidisk[k].is;
            if (minidisks_overlap(disk, other))
                return error_set(e, ERROR_INPUT,
                                 "a minidisk of blocks %u to %u overlaps that of %s, blocks %u to %u; one of the two "
                                 "must be shared",
                                 disk->first, disk->first + disk->blocks - 1, machine_name(v->guest[n]->machine),
                                 other->first, other->first + other->blocks - 1);
        }
    return true;
}

bool vmm_minidisk(struct machine *guest, const struct minidisk *disk, struct error *e) {
    struct guest *g = guest_of(guest);
    if (!g)
        return error_set(e, ERROR_INPUT, "%s is not a guest of a monitor: it has no minidisks", machine_name(guest));
    if (!disk->blocks || disk->blocks > UINT32_MAX - disk->first)
        return error_set(e, ERROR_INPUT, "a minidisk has at least one block");
    if (g->minidisks == MINIDISKS_MOST)
        return error_set(e, ERROR_INPUT, "%s has %d minidisks already, and that is the most", machine_name(guest),
                         MINIDISKS_MOST);
    if (channel_device(g->channels, disk->address))
        return error_set(e, ERROR_INPUT, "%s has a device at %03X already", machine_name(guest), disk->address);
    if (!is_apart(g->monitor, disk, e))
        return false;
    if (!g->monitor->parts->allocator->disk(g->monitor, disk->host_address, e))
        return false;
    struct guest_disk *to = &g->minidisk[g->minidisks];
    *to = (struct guest_disk){.is = *disk, .guest = g, .made = g->monitor->made};
    const struct disk_part part = {.whole = whole_disk, .self = to, .first = disk->first, .blocks = disk->blocks};
    struct device *d = disk_part_new(machine_model(guest), &part);
    if (!channel_attach(g->channels, disk->address, d))
        return error_set(e, ERROR_INTERNAL, "no memory for a minidisk");
    g->minidisks++;
    g->monitor->made++;
    return true;
}

/* ---- Life ---- */

static bool make_devices(struct guest *g, const struct guest_options *o) {
    g->timeline = timeline_new();
    if (!g->timeline)
        return false;
    const struct channel_host host = {.fetch = channel_fetch,
                                      .store = channel_store,
                                      .self = g,
                                      .timeline = g->timeline,
                                      .notify = device_notifies,
                                      .conditions = machine_channel_conditions(g->machine)};
    g->channels = channel_set_new(&host);
    if (!g->channels)
        return false;
    return machine_attach_devices(g->machine, g->channels, o->console_line, o->printer_line, o->line_self,
                                  o->forget_lines);
}

/* The parts find the guest by its index: it is entered first. */
static bool admit(struct vmm *v, struct guest *g, struct error *e) {
    for (unsigned n = 0; n < g->vm.cpus; n++)
        if (!v->parts->shadow->admit(v, &g->vm.cpu[n], e))
            return false;
    return v->parts->allocator->admit(v, g->index, e);
}

struct guest *guest_new(struct vmm *v, unsigned index, const struct guest_options *o, struct error *e) {
    struct guest *g = calloc(1, sizeof *g);
    char name[32];
    if (!g) {
        error_set(e, ERROR_INTERNAL, "no memory for a guest");
        return NULL;
    }
    g->monitor = v;
    g->index = index;
    g->vm.memory = o->memory_bytes;
    g->vm.cpus = o->cpus ? o->cpus : 1;
    if (index == 0)
        snprintf(name, sizeof name, "guest%d", machine_level(v->machine) + 1);
    else
        snprintf(name, sizeof name, "guest%d.%u", machine_level(v->machine) + 1, index + 1);
    v->guest[index] = g;
    reset(g);
    if (!admit(v, g, e))
        goto failed;
    g->machine = machine_new_virtual(v->machine, &operations, g, o->name ? o->name : name, g->vm.memory, e);
    if (!g->machine)
        goto failed;
    if (make_devices(g, o))
        return g;
    error_set(e, ERROR_INTERNAL, "no memory for a guest's devices");
failed:
    guest_free(g);
    return NULL;
}

void guest_free(struct guest *g) {
    if (!g)
        return;
    for (unsigned n = 0; n < g->vm.cpus; n++)
        g->monitor->parts->shadow->release(g->monitor, &g->vm.cpu[n]);
    g->monitor->parts->allocator->release(g->monitor, g->index);
    g->monitor->guest[g->index] = NULL;
    if (g->channels)
        channel_set_free(g->channels);
    if (g->machine)
        machine_free_virtual(g->machine);
    if (g->timeline)
        timeline_free(g->timeline);
    free(g);
}

/* ---- Saving and restoring ---- */

static void archive_cpu(struct guest *g, struct virtual_cpu *c, struct archive *a) {
    psw_archive(&c->psw, a);
    archive_u32s(a, c->gpr, 16);
    archive_u32s(a, c->cr, 16);
    archive_u32(a, &c->prefix);
    if (c->prefix & 4095 || c->prefix > g->vm.memory - 4096) {
        c->prefix = 0;
        archive_fail(a, "the prefix of a virtual CPU does not name a page of its storage");
    }
    archive_u64(a, &c->epoch);
    archive_u64(a, &c->comparator);
    archive_u64(a, &c->timer_sum);
    archive_u64(a, &c->ticks);
    archive_u32(a, &c->timer_word);
    archive_unsigned(a, &c->external, 15, "what is pending");
    archive_unsigned(a, &c->call_from, VIRTUAL_CPUS_MOST - 1, "the address of a virtual CPU");
    archive_unsigned(a, &c->emergency_from, (1u << VIRTUAL_CPUS_MOST) - 1, "who has signalled");
    archive_bool(a, &c->machine_check);
    ARCHIVE_ENUM(a, &c->status, MACHINE_LOAD, "the status of a virtual CPU");
    archive_bool(a, &c->stopped);
    ARCHIVE_ENUM(a, &c->start, START_PSW, "how a virtual CPU begins");
    archive_bytes(a, c->start_psw, sizeof c->start_psw);
    archive_bool(a, &c->changed);
    archive_bool(a, &c->started);
    archive_bool(a, &c->last_valid);
    archive_bool(a, &c->progress);
    archive_bool(a, &c->looping);
    archive_bytes(a, c->last_old, sizeof c->last_old);
    archive_unsigned(a, &c->last_code, 0xFFFF, "a program code");
    archive_u32(a, &c->dispatched_at);
    archive_bool(a, &c->taken);
    archive_unsigned(a, &c->on, g->monitor->cpus - 1, "the number of a CPU");
    archive_unsigned(a, &c->order, 12, "an order");
    archive_u64(a, &c->wake);
    archive_bool(a, &c->waiting);
    archive_bool(a, &c->look);
}

void vmm_stats_archive(struct vmm_stats *s, struct archive *a) {
    archive_u64(a, &s->traps);
    archive_u64(a, &s->shadow_faults);
    archive_u64(a, &s->interpreted);
    archive_u64(a, &s->reflected);
    archive_u64(a, &s->dispatches);
}

void guest_archive(struct guest *g, struct archive *a) {
    archive_same(a, g->vm.cpus, "the number of a guest's CPUs");
    archive_same(a, g->minidisks, "the number of a guest's minidisks");
    for (unsigned n = 0; n < g->vm.cpus; n++)
        archive_cpu(g, &g->vm.cpu[n], a);
    archive_bool(a, &g->vm.reset);
    vmm_stats_archive(&g->stats, a);
    timeline_archive(g->timeline, a);
    channel_archive(g->channels, a);
}
