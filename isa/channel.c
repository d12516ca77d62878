/* Channels: runs channel programs and keeps the conditions that they leave behind (Principles of Operation,
 * "Input/Output Operations").
 *
 * A program runs as a whole inside channel_start_io: its data are moved and its devices have acted when that returns.
 * What takes time is only its ending, an event of the timeline. Everything about a running program is in a struct
 * program on the caller's stack, because fetch and store may never come back; the subchannel learns of it when it is
 * done. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "isa/channel_internal.h"

enum {
    CAW_MUST_BE_ZERO = 0x0F000000,
    ENDING_CYCLES_LEAST = 100, /* from SIO to the ending status */
};

/* --- conditions --------------------------------------------------------------------------------------------------- */

static unsigned channel_of(const struct subchannel *u) { return u->address >> 8; }

static bool is_enabled(const struct subchannel *u, uint32_t channels) {
    unsigned bit = channel_of(u) < 31 ? channel_of(u) : 31;
    return channels & UINT32_C(0x80000000) >> bit;
}

static void make_pending(struct subchannel *u, enum condition_kind kind, uint64_t csw) {
    struct condition *c = &u->conditions[kind];
    if (!c->pending) {
        c->pending = true;
        c->order = ++u->set->arrivals;
        u->set->pending++;
    }
    c->csw = csw;
}

static uint64_t clear_condition(struct subchannel *u, struct condition *c) {
    assert(c->pending && u->set->pending > 0);
    c->pending = false;
    u->set->pending--;
    return c->csw;
}

static void forget_condition(struct subchannel *u, enum condition_kind kind) {
    if (u->conditions[kind].pending)
        clear_condition(u, &u->conditions[kind]);
}

/* The device's oldest condition; NULL: none is pending. */
static struct condition *oldest_condition(struct subchannel *u) {
    struct condition *oldest = NULL;
    for (struct condition *c = u->conditions; c < u->conditions + CONDITION_KINDS; c++)
        if (c->pending && (!oldest || c->order < oldest->order))
            oldest = c;
    return oldest;
}

/* --- programs ----------------------------------------------------------------------------------------------------- */

static void set_activity(struct subchannel *u, enum activity activity) {
    u->set->ready -= u->activity == ACTIVITY_READY;
    u->set->ready += activity == ACTIVITY_READY;
    u->activity = activity;
}

static void notify(struct channel_set *s) {
    if (s->host.notify)
        s->host.notify(s->host.self);
}

static bool as_architecture(const struct subchannel *u) {
    return u->set->host.conditions == CHANNEL_CONDITIONS_ARCHITECTURE;
}

static bool schedule(struct subchannel *u, enum activity activity, sim_time at) {
    set_activity(u, activity);
    return timeline_schedule(u->set->host.timeline, &u->ending, at);
}

/* A PCI that was not taken by the end of the program is presented together with it. */
static uint64_t with_untaken_pci(struct subchannel *u, uint64_t csw) {
    if (!as_architecture(u) || !u->conditions[CONDITION_PCI].pending)
        return csw;
    forget_condition(u, CONDITION_PCI);
    return csw | (uint64_t)CHANNEL_PCI << 16;
}

static void present_device_end(struct subchannel *u) {
    set_activity(u, ACTIVITY_NONE);
    make_pending(u, CONDITION_DEVICE, (uint64_t)UNIT_DEVICE_END << 24);
}

/* Channel end was presented: device end comes when the device is done. */
static void leave_alone(struct subchannel *u) {
    if (!schedule(u, ACTIVITY_ALONE, u->device_end))
        present_device_end(u); /* no memory for the event: early is better than never */
}

static void present_ending(struct subchannel *u) {
    set_activity(u, ACTIVITY_NONE);
    u->burst_end = 0;
    make_pending(u, CONDITION_ENDING, with_untaken_pci(u, u->ending_csw));
    if (u->device_end)
        leave_alone(u);
}

static void fire_ending(struct timeline_event *event) {
    struct subchannel *u = event->self;
    if (u->activity == ACTIVITY_ALONE)
        present_device_end(u);
    else
        present_ending(u);
    notify(u->set);
}

/* The subchannel learns of the program: it forgets what an earlier one left, and presents this one's PCI. */
static void commit_program(struct subchannel *u, struct program *p) {
    if (!p->committed) {
        forget_condition(u, CONDITION_PCI);
        forget_condition(u, CONDITION_ENDING);
    }
    p->committed = true;
    if (p->pci)
        make_pending(u, CONDITION_PCI, csw_of(p, p->pci_behind, 0, CHANNEL_PCI, 0));
    p->pci = false;
}

/* Whether device end comes apart: not after trouble, and not in Hercules. */
static bool ends_apart(const struct subchannel *u, const struct program *p) {
    return as_architecture(u) && p->alone && p->unit_status == UNIT_STATUS_GOOD;
}

/* The program has run: its ending status comes when the device's time is over. */
static void end_program(struct subchannel *u, struct program *p) {
    sim_time now = timeline_now(u->set->host.timeline);
    sim_time at = now + (sim_time)ENDING_CYCLES_LEAST * CYCLE_PICOSECONDS;
    bool apart = ends_apart(u, p);
    commit_program(u, p);
    if (p->free_at > at + (apart ? p->alone : 0))
        at = p->free_at - (apart ? p->alone : 0);
    u->device_end = apart ? at + p->alone : 0;
    u->burst_end = at;
    u->burst_begin = at > now + p->burst ? at - p->burst : now;
    u->ending_csw = csw_of(p, p->behind, apart ? UNIT_CHANNEL_END : p->unit_status, p->channel_status, p->residual);
    if (!schedule(u, ACTIVITY_ENDING, at))
        present_ending(u); /* no memory for the event: early is better than never */
}

static void wait_for_device(struct subchannel *u, struct program *p) {
    commit_program(u, p);
    u->program = *p;
    set_activity(u, ACTIVITY_WAITING);
}

/* Whether the instruction that started the program has seen its end: nothing was started, or the device answered the
 * first command with the status that ends it. */
static bool ended_at_once(const struct subchannel *u, const struct program *p) {
    return as_architecture(u) && !p->chained && (!p->asked || p->initial);
}

/* Continues the programs whose devices have become ready. One that is dropped inside fetch or store stays ready. */
static void continue_programs(struct channel_set *s) {
    for (struct subchannel *u = s->subchannels; u && s->ready; u = u->next) {
        if (u->activity != ACTIVITY_READY)
            continue;
        struct program p = u->program;
        sim_time now = timeline_now(s->host.timeline);
        if (p.free_at < now)
            p.free_at = now;
        if (channel_program_run(u, &p, true) == PROGRAM_ENDED)
            end_program(u, &p);
        else
            wait_for_device(u, &p);
    }
}

/* --- the set ------------------------------------------------------------------------------------------------------ */

struct channel_set *channel_set_new(const struct channel_host *host) {
    struct channel_set *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->host = *host;
    s->data = malloc(CHAINED_BYTES_MOST); /* touched only as far as it is used */
    if (!s->data) {
        free(s);
        return NULL;
    }
    return s;
}

void channel_set_free(struct channel_set *s) {
    if (!s)
        return;
    for (struct subchannel *u = s->subchannels, *next; u; u = next) {
        next = u->next;
        timeline_cancel(s->host.timeline, &u->ending);
        u->device->ops->free(u->device);
        free(u);
    }
    free(s->data);
    free(s);
}

static struct subchannel *find(const struct channel_set *s, uint16_t address) {
    struct subchannel *u = s->subchannels;
    while (u && u->address != address)
        u = u->next;
    return u;
}

bool channel_attach(struct channel_set *s, uint16_t address, struct device *device) {
    if (!device)
        return false;
    struct subchannel *u = find(s, address) ? NULL : calloc(1, sizeof *u);
    if (!u) {
        device->ops->free(device);
        return false;
    }
    u->set = s;
    u->address = address;
    u->device = device;
    u->ending = (struct timeline_event){.name = "channel end", .fire = fire_ending, .self = u};
    device->subchannel = u;
    struct subchannel **last = &s->subchannels;
    while (*last)
        last = &(*last)->next;
    *last = u;
    return true;
}

struct device *channel_device_at(const struct channel_set *s, unsigned n, uint16_t *address) {
    const struct subchannel *u = s->subchannels;
    while (u && n-- > 0)
        u = u->next;
    if (u)
        *address = u->address;
    return u ? u->device : NULL;
}

struct device *channel_device(const struct channel_set *s, uint16_t address) {
    const struct subchannel *u = find(s, address);
    return u ? u->device : NULL;
}

void channel_reset(struct channel_set *s) {
    for (struct subchannel *u = s->subchannels; u; u = u->next) {
        timeline_cancel(s->host.timeline, &u->ending);
        set_activity(u, ACTIVITY_NONE);
        for (int kind = 0; kind < CONDITION_KINDS; kind++)
            forget_condition(u, (enum condition_kind)kind);
        u->ending_csw = 0;
        u->device_end = u->burst_end = 0;
        memset(u->device->sense, 0, sizeof u->device->sense);
        if (u->device->ops->reset)
            u->device->ops->reset(u->device);
    }
}

bool channel_device_ready(struct device *d) {
    struct subchannel *u = d->subchannel;
    if (!u || u->activity != ACTIVITY_WAITING)
        return false;
    set_activity(u, ACTIVITY_READY);
    notify(u->set);
    return true;
}

void channel_device_end(struct device *d) {
    struct subchannel *u = d->subchannel;
    if (!u || u->activity == ACTIVITY_ALONE) /* which comes to it by itself */
        return;
    make_pending(u, CONDITION_DEVICE, (uint64_t)UNIT_DEVICE_END << 24);
    notify(u->set);
}

/* --- the instructions --------------------------------------------------------------------------------------------- */

/* The device that holds the channel of `address` just now; NULL: none does. The byte multiplexer is never held. */
static struct subchannel *in_burst(struct channel_set *s, uint16_t address) {
    sim_time now = timeline_now(s->host.timeline);
    if (address >> 8 == 0)
        return NULL;
    for (struct subchannel *u = s->subchannels; u; u = u->next)
        if (channel_of(u) == address >> 8 && u->activity == ACTIVITY_ENDING && u->burst_begin <= now &&
            now < u->burst_end)
            return u;
    return NULL;
}

/* Whether a program occupies the subchannel. */
static bool is_working(const struct subchannel *u) {
    return u->activity != ACTIVITY_NONE && u->activity != ACTIVITY_ALONE;
}

/* Why the architecture does not start a program; 0: it does. Status that is at the device, not in the subchannel, is
 * presented here and now, together with busy. */
static unsigned refuse_start(struct subchannel *u, uint64_t *csw) {
    if (in_burst(u->set, u->address) || is_working(u) || u->conditions[CONDITION_PCI].pending ||
        u->conditions[CONDITION_ENDING].pending)
        return 2;
    struct condition *c = oldest_condition(u);
    if (!c && u->activity == ACTIVITY_NONE)
        return 0;
    *csw = (c ? clear_condition(u, c) : 0) | (uint64_t)UNIT_BUSY << 24;
    return 1;
}

/* The program has ended within the instruction that was to start it: its status goes there. */
static unsigned end_at_once(struct subchannel *u, struct program *p, uint64_t *csw) {
    bool apart = ends_apart(u, p);
    *csw = csw_of(p, p->behind, apart ? UNIT_CHANNEL_END : p->unit_status,
                  p->channel_status | (p->pci ? CHANNEL_PCI : 0), p->residual);
    u->ending_csw = *csw;
    u->device_end = p->free_at;
    if (apart)
        leave_alone(u);
    return 1;
}

unsigned channel_start_io(struct channel_set *s, uint16_t address, uint32_t caw, uint64_t *csw) {
    continue_programs(s);
    struct subchannel *u = find(s, address);
    if (!u)
        return 3;
    struct program p = {
        .key = caw >> 28, .next = caw & CHANNEL_ADDRESS_MASK, .free_at = timeline_now(s->host.timeline)};
    if (as_architecture(u)) {
        unsigned cc = refuse_start(u, csw);
        if (cc)
            return cc;
        if (caw & CAW_MUST_BE_ZERO) {
            p.channel_status = CHANNEL_PROGRAM_CHECK;
            return end_at_once(u, &p, csw);
        }
    } else if (u->activity != ACTIVITY_NONE) {
        return 2;
    }
    if (channel_program_run(u, &p, false) == PROGRAM_WAITS) {
        wait_for_device(u, &p);
        return 0;
    }
    if (ended_at_once(u, &p))
        return end_at_once(u, &p, csw);
    end_program(u, &p);
    return 0;
}

unsigned channel_test_io(struct channel_set *s, uint16_t address, uint64_t *csw) {
    continue_programs(s);
    struct subchannel *u = find(s, address);
    if (!u)
        return 3;
    if (is_working(u) || (as_architecture(u) && in_burst(s, address)))
        return 2;
    struct condition *c = oldest_condition(u);
    if (!c && u->activity == ACTIVITY_NONE)
        return 0;
    *csw = c ? clear_condition(u, c) : (uint64_t)UNIT_BUSY << 24;
    return 1;
}

unsigned channel_clear_io(struct channel_set *s, uint16_t address, uint64_t *csw) {
    return channel_test_io(s, address, csw);
}

/* Ends what is in progress. What waited for its device has transferred nothing, which is no error; of what runs only
 * the time is cut short. */
static void halt(struct subchannel *u) {
    if (u->activity == ACTIVITY_WAITING) {
        struct program p = u->program;
        p.residual = p.ccw.count;
        p.unit_status = UNIT_STATUS_GOOD;
        p.alone = p.burst = 0;
        end_program(u, &p);
    } else if (u->activity == ACTIVITY_ENDING && as_architecture(u)) {
        u->burst_end = 0;
        if (!schedule(u, ACTIVITY_ENDING,
                      timeline_now(u->set->host.timeline) + (sim_time)ENDING_CYCLES_LEAST * CYCLE_PICOSECONDS))
            present_ending(u);
    }
}

/* HIO ends whatever holds the channel, HDV only what the device does. */
static unsigned halt_as_architecture(struct subchannel *u, bool device_only, uint64_t *csw) {
    struct subchannel *holder = in_burst(u->set, u->address);
    if (holder) {
        if (holder == u || !device_only)
            halt(holder);
        return 2;
    }
    if (u->conditions[CONDITION_PCI].pending || u->conditions[CONDITION_ENDING].pending)
        return 0;
    halt(u);
    *csw = 0;
    return 1;
}

static unsigned halt_operation(struct channel_set *s, uint16_t address, bool device_only, uint64_t *csw) {
    continue_programs(s);
    struct subchannel *u = find(s, address);
    if (!u)
        return 3;
    if (as_architecture(u))
        return halt_as_architecture(u, device_only, csw);
    if (u->activity != ACTIVITY_NONE) {
        halt(u);
        return 2;
    }
    if (oldest_condition(u))
        return 0;
    make_pending(u, CONDITION_ENDING, u->ending_csw);
    *csw = u->ending_csw;
    return 1;
}

unsigned channel_halt_io(struct channel_set *s, uint16_t address, uint64_t *csw) {
    return halt_operation(s, address, false, csw);
}

unsigned channel_halt_device(struct channel_set *s, uint16_t address, uint64_t *csw) {
    return halt_operation(s, address, true, csw);
}

unsigned channel_test(struct channel_set *s, uint16_t address) {
    continue_programs(s);
    bool architecture = s->host.conditions == CHANNEL_CONDITIONS_ARCHITECTURE;
    unsigned cc = 3;
    if (architecture && in_burst(s, address))
        return 2;
    for (struct subchannel *u = s->subchannels; u; u = u->next) {
        if (channel_of(u) != address >> 8)
            continue;
        if (oldest_condition(u) && !(architecture && channel_of(u) == 0)) /* there it is in the subchannel */
            return 1;
        cc = 0;
    }
    return cc;
}

unsigned channel_id(struct channel_set *s, uint16_t address, uint32_t *id) {
    for (const struct subchannel *u = s->subchannels; u; u = u->next) {
        if (channel_of(u) == address >> 8) {
            *id = channel_of(u) == 0 ? 0x10000000 : 0x20000000; /* byte multiplexer; block multiplexer */
            return 0;
        }
    }
    return 3;
}

enum channel_load_end channel_load(struct channel_set *s, uint16_t address, const struct channel_host *host,
                                   uint64_t *csw) {
    struct subchannel *u = find(s, address);
    if (!u)
        return CHANNEL_LOAD_NO_DEVICE;
    const struct channel_host own = s->host;
    struct program p = {.free_at = timeline_now(own.timeline)};
    s->host.fetch = host->fetch;
    s->host.store = host->store;
    s->host.self = host->self;
    enum program_end end = channel_program_run(u, &p, false);
    s->host = own;
    *csw = csw_of(&p, p.behind, p.unit_status, p.channel_status, p.residual);
    return end == PROGRAM_ENDED ? CHANNEL_LOAD_ENDED : CHANNEL_LOAD_WAITS;
}

/* --- interruptions ------------------------------------------------------------------------------------------------ */

bool channel_take_interruption(struct channel_set *s, uint32_t channels, uint16_t *address, uint64_t *csw) {
    continue_programs(s);
    if (s->pending == 0)
        return false;
    struct subchannel *first = NULL;
    struct condition *its = NULL;
    for (struct subchannel *u = s->subchannels; u; u = u->next) {
        struct condition *c = is_enabled(u, channels) ? oldest_condition(u) : NULL;
        if (c && (!first || channel_of(u) < channel_of(first) ||
                  (channel_of(u) == channel_of(first) && c->order < its->order))) {
            first = u;
            its = c;
        }
    }
    if (!first)
        return false;
    *address = first->address;
    *csw = clear_condition(first, its);
    return true;
}

bool channel_take_from(struct channel_set *s, uint16_t address, uint64_t *csw) {
    continue_programs(s);
    struct subchannel *u = find(s, address);
    struct condition *c = u ? oldest_condition(u) : NULL;
    if (c)
        *csw = clear_condition(u, c);
    return c != NULL;
}

bool channel_is_working(const struct channel_set *s, uint16_t address) {
    const struct subchannel *u = find(s, address);
    return u && timeline_scheduled(&u->ending);
}

bool channel_has_interruption(const struct channel_set *s, uint32_t channels) {
    if (s->pending == 0 && s->ready == 0)
        return false;
    for (struct subchannel *u = s->subchannels; u; u = u->next)
        if (is_enabled(u, channels) && (u->activity == ACTIVITY_READY || oldest_condition(u)))
            return true;
    return false;
}

uint64_t channel_observe(const struct channel_set *s, uint16_t address) {
    const struct subchannel *u = find(s, address);
    uint64_t pending = 0, csw = 0;
    for (int kind = 0; u && kind < CONDITION_KINDS; kind++) {
        if (!u->conditions[kind].pending)
            continue;
        pending |= 1u << kind;
        csw ^= u->conditions[kind].csw;
    }
    return u ? (uint64_t)u->activity << 56 | pending << 48 | (csw & 0xFFFFFFFFFFFF) : 0;
}

bool channel_attention(struct channel_set *s, uint16_t address) {
    struct subchannel *u = find(s, address);
    if (!u)
        return false;
    make_pending(u, CONDITION_ATTENTION, (uint64_t)UNIT_ATTENTION << 24);
    notify(s);
    return true;
}

bool channel_outside_begin(struct channel_set *s, uint16_t address) {
    struct subchannel *u = find(s, address);
    if (!u || u->activity != ACTIVITY_NONE)
        return false;
    forget_condition(u, CONDITION_PCI);
    forget_condition(u, CONDITION_ENDING);
    set_activity(u, ACTIVITY_OUTSIDE);
    return true;
}

void channel_outside_end(struct channel_set *s, uint16_t address, uint64_t csw, enum channel_progress progress) {
    struct subchannel *u = find(s, address);
    if (!u || u->activity != ACTIVITY_OUTSIDE)
        return;
    if (progress == CHANNEL_GOES_ON) {
        make_pending(u, CONDITION_PCI, csw);
    } else if (progress == CHANNEL_NEVER_BEGAN) {
        set_activity(u, ACTIVITY_NONE);
    } else {
        u->ending_csw = csw;
        present_ending(u);
    }
}

bool channel_active(const struct channel_set *s, uint32_t channels) {
    for (const struct subchannel *u = s->subchannels; u; u = u->next)
        if (is_enabled(u, channels) &&
            (u->activity == ACTIVITY_ENDING || u->activity == ACTIVITY_READY || u->activity == ACTIVITY_ALONE))
            return true;
    return false;
}

/* --- saving and restoring ----------------------------------------------------------------------------------------- */

static void archive_program(struct program *p, struct archive *a) {
    archive_unsigned(a, &p->key, 15, "the key of a channel program");
    archive_u32(a, &p->next);
    archive_u32(a, &p->behind);
    archive_u8(a, &p->ccw.code);
    archive_u8(a, &p->ccw.flags);
    archive_u16(a, &p->ccw.count);
    archive_u32(a, &p->ccw.address);
    archive_u16(a, &p->residual);
    archive_u8(a, &p->unit_status);
    archive_u8(a, &p->channel_status);
    archive_unsigned(a, &p->accesses, UINT32_MAX, "the accesses of a channel program");
    archive_bool(a, &p->pci);
    archive_u32(a, &p->pci_behind);
    archive_time(a, &p->free_at);
    archive_time(a, &p->alone);
    archive_time(a, &p->burst);
    archive_bool(a, &p->asked);
    archive_bool(a, &p->initial);
    archive_bool(a, &p->committed);
    archive_bool(a, &p->chained);
    archive_u8(a, &p->previous);
}

static void archive_subchannel(struct subchannel *u, struct archive *a) {
    struct device *d = u->device;
    archive_same(a, u->address, "the address of a device");
    archive_same_text(a, d->ops->type, "the type of a device");
    archive_bytes(a, d->sense, sizeof d->sense);
    ARCHIVE_ENUM(a, &u->activity, ACTIVITY_OUTSIDE, "what a device does");
    timeline_archive_event(u->set->host.timeline, &u->ending, a);
    archive_u64(a, &u->ending_csw);
    archive_time(a, &u->device_end);
    archive_time(a, &u->burst_begin);
    archive_time(a, &u->burst_end);
    for (struct condition *c = u->conditions; c < u->conditions + CONDITION_KINDS; c++) {
        archive_bool(a, &c->pending);
        archive_u64(a, &c->order);
        archive_u64(a, &c->csw);
    }
    archive_program(&u->program, a);
    bool awaited = u->activity == ACTIVITY_ENDING || u->activity == ACTIVITY_ALONE;
    if (awaited != timeline_scheduled(&u->ending))
        archive_fail(a, "device %03X is to end %s", u->address, awaited ? "at no time" : "what it did not begin");
    if (d->ops->archive)
        d->ops->archive(d, a);
}

void channel_archive(struct channel_set *s, struct archive *a) {
    unsigned devices = 0;
    for (struct subchannel *u = s->subchannels; u; u = u->next)
        devices++;
    archive_same(a, devices, "the number of devices");
    archive_u64(a, &s->arrivals);
    s->pending = s->ready = 0;
    for (struct subchannel *u = s->subchannels; u; u = u->next) {
        archive_subchannel(u, a);
        s->ready += u->activity == ACTIVITY_READY;
        for (struct condition *c = u->conditions; c < u->conditions + CONDITION_KINDS; c++)
            s->pending += c->pending;
    }
}

void channel_remember(struct channel_set *s, bool on) {
    for (struct subchannel *u = s->subchannels; u; u = u->next)
        if (u->device->ops->remember)
            u->device->ops->remember(u->device, on);
}
