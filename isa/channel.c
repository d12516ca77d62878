/* Channels: runs channel programs and keeps the conditions that they leave behind (Principles of Operation,
 * "Input/Output Operations").
 *
 * A program runs as a whole inside channel_start_io: its data are moved and its devices have acted when that returns.
 * What takes time is only its ending, an event of the timeline. Everything about a running program is in a struct
 * program on the caller's stack, because fetch and store may never come back; the subchannel learns of it when it is
 * done. */
#include "isa/channel.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    CCW_CHAIN_DATA = 0x80,
    CCW_CHAIN_COMMAND = 0x40,
    CCW_SUPPRESS_LENGTH = 0x20,
    CCW_SKIP = 0x10,
    CCW_PCI = 0x08,
    CCW_INDIRECT = 0x04,
    CCW_MUST_BE_ZERO = 0x03,

    COMMAND_NO_OPERATION = 0x03,

    CAW_MUST_BE_ZERO = 0x0F000000,
    ADDRESS_MASK = 0xFFFFFF,
    BLOCK_BYTES = 2048, /* fetch and store stay within one */

    ACCESSES_MOST = 65536,        /* in one program */
    CHAINED_BYTES_MOST = 1 << 20, /* in one data chain */
    ENDING_CYCLES_LEAST = 100,    /* from SIO to the ending status */
    UNIT_STATUS_GOOD = UNIT_CHANNEL_END | UNIT_DEVICE_END,
};
static const sim_time PROGRAM_TIME_MOST = UINT64_C(1000000000000000000); /* 11 days: additions cannot overflow */

struct ccw {
    uint8_t code, flags;
    uint16_t count;
    uint32_t address;
};

/* A channel program in execution. */
struct program {
    unsigned key;
    uint32_t next;     /* where the next CCW is */
    uint32_t behind;   /* CSW bits 8-31: 8 behind the last CCW used */
    struct ccw ccw;    /* the current one; in a data chain its code stays that of the first */
    uint16_t residual; /* of the last CCW that moved data */
    uint8_t unit_status, channel_status;
    unsigned accesses;
    bool pci;
    uint32_t pci_behind;
    sim_time free_at; /* when the device has done what it was told so far */
    sim_time alone;   /* how much of that, at its end, the last command leaves to the device alone */
    sim_time burst;   /* and for how long before that the device holds the channel */
    bool asked;       /* a device has been given a command */
    bool initial;     /* the last command was ended by the status with which the device answered it */
    bool committed;   /* the subchannel knows of this program */
    bool chained;     /* the current command is not the first; `previous` is the code of the one before */
    uint8_t previous;
};

/* Something that the CPU is to be interrupted for. */
struct condition {
    bool pending;
    uint64_t order; /* of arrival in the set */
    uint64_t csw;
};
enum condition_kind {
    CONDITION_PCI,
    CONDITION_ENDING,
    CONDITION_DEVICE, /* device end, apart from channel end */
    CONDITION_ATTENTION,
    CONDITION_KINDS
};

enum activity {
    ACTIVITY_NONE,
    ACTIVITY_ENDING,  /* the program has run; its ending status comes by event */
    ACTIVITY_WAITING, /* for the device, inside `program` */
    ACTIVITY_READY,   /* the device is ready: to be continued when the host may be called */
    ACTIVITY_ALONE,   /* the subchannel is free, the device still moves: its device end comes by event */
    ACTIVITY_OUTSIDE, /* its program is run by somebody else */
};

struct subchannel {
    struct channel_set *set;
    struct subchannel *next; /* in order of attachment */
    uint16_t address;
    struct device *device;
    enum activity activity;
    struct timeline_event ending;
    uint64_t ending_csw;             /* what the event will present; afterwards the device's last CSW */
    sim_time device_end;             /* when the device will be done, if it is to say so apart; 0: it is not */
    sim_time burst_begin, burst_end; /* when the device holds the channel */
    struct condition conditions[CONDITION_KINDS];
    struct program program; /* while waiting or ready */
};

struct channel_set {
    struct channel_host host;
    struct subchannel *subchannels;
    uint64_t arrivals;
    unsigned pending, ready; /* how many conditions are pending, and programs to be continued */
    uint8_t *data;           /* of the command being executed; CHAINED_BYTES_MOST */
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

static uint64_t csw_of(const struct program *p, uint32_t behind, uint8_t unit_status, uint8_t channel_status,
                       uint16_t residual) {
    return (uint64_t)p->key << 60 | (uint64_t)behind << 32 | (uint64_t)unit_status << 24 |
           (uint64_t)channel_status << 16 | residual;
}

/* --- storage ------------------------------------------------------------------------------------------------------ */

/* Counts an access of the program; a program that never ends, ends here. */
static bool count_access(struct program *p) {
    if (p->accesses == ACCESSES_MOST) {
        p->channel_status |= CHANNEL_PROGRAM_CHECK;
        return false;
    }
    p->accesses++;
    return true;
}

static bool fetch(struct channel_set *s, struct program *p, uint32_t address, void *to, uint32_t length) {
    if (!count_access(p))
        return false;
    p->channel_status |= s->host.fetch(s->host.self, address, p->key, to, length);
    return p->channel_status == 0;
}

static bool store(struct channel_set *s, struct program *p, uint32_t address, const void *from, uint32_t length) {
    if (!count_access(p))
        return false;
    p->channel_status |= s->host.store(s->host.self, address, p->key, from, length);
    return p->channel_status == 0;
}

/* Marks a program check; always false. */
static bool program_check(struct program *p) {
    p->channel_status |= CHANNEL_PROGRAM_CHECK;
    return false;
}

/* Where a CCW's data are: one area, or pieces named by a list of IDAWs. */
struct area {
    uint32_t address; /* of the next byte; indirect: 0 until the first IDAW was fetched */
    uint32_t list;    /* indirect: where the next IDAW is */
    bool indirect, begun;
};

/* Brings area->address to a byte that can be accessed, and sets *length to how many lie in the same block. */
static bool next_piece(struct channel_set *s, struct program *p, struct area *area, uint32_t *length) {
    if (area->indirect && (!area->begun || area->address % BLOCK_BYTES == 0)) {
        uint8_t word[4];
        if (area->list % sizeof word != 0 || area->list > ADDRESS_MASK)
            return program_check(p);
        if (!fetch(s, p, area->list, word, sizeof word))
            return false;
        area->address = bytes_get32(word);
        area->list += sizeof word;
        /* The first may point anywhere, the others to the beginning of a block. */
        if (area->address > ADDRESS_MASK || (area->begun && area->address % BLOCK_BYTES != 0))
            return program_check(p);
        area->begun = true;
    }
    if (area->address > ADDRESS_MASK) /* data do not continue from FFFFFF to 000000 */
        return program_check(p);
    *length = BLOCK_BYTES - area->address % BLOCK_BYTES;
    return true;
}

enum direction { TO_DEVICE, TO_STORAGE };

/* Moves `length` bytes between `data` and the area of the current CCW. */
static bool move_data(struct channel_set *s, struct program *p, enum direction direction, uint8_t *data,
                      uint32_t length) {
    bool indirect = p->ccw.flags & CCW_INDIRECT;
    struct area area = {.address = indirect ? 0 : p->ccw.address, .list = p->ccw.address, .indirect = indirect};
    while (length > 0) {
        uint32_t piece;
        if (!next_piece(s, p, &area, &piece))
            return false;
        if (piece > length)
            piece = length;
        if (!(direction == TO_DEVICE ? fetch(s, p, area.address, data, piece) : store(s, p, area.address, data, piece)))
            return false;
        area.address += piece;
        data += piece;
        length -= piece;
    }
    return true;
}

/* --- CCWs --------------------------------------------------------------------------------------------------------- */

/* Fetches the CCW at p->next, through a transfer in channel where there is one. With `chaining_data` the command code
 * is that of the CCW before. */
static bool fetch_ccw(struct channel_set *s, struct program *p, bool chaining_data) {
    for (bool transferred = false;; transferred = true) {
        uint8_t text[8];
        p->behind = (p->next + sizeof text) & ADDRESS_MASK;
        if (p->next % sizeof text != 0)
            return program_check(p);
        if (!fetch(s, p, p->next, text, sizeof text))
            return false;
        uint32_t address = bytes_get24(text + 1);
        p->next = p->behind;
        if ((text[0] & 0x0F) == 0x08) {
            bool first = !chaining_data && !p->chained; /* Hercules allows it */
            if (transferred || address % sizeof text != 0 ||
                (first && s->host.conditions == CHANNEL_CONDITIONS_ARCHITECTURE))
                return program_check(p);
            p->next = address;
            continue;
        }
        uint8_t code = chaining_data ? p->ccw.code : text[0];
        p->ccw = (struct ccw){.code = code, .flags = text[4], .count = bytes_get16(text + 6), .address = address};
        if (p->ccw.flags & CCW_MUST_BE_ZERO)
            return program_check(p);
        if (p->ccw.flags & CCW_PCI) {
            p->pci = true;
            p->pci_behind = p->behind;
        }
        return p->ccw.count != 0 || program_check(p);
    }
}

/* What is done with the areas of a data chain. */
enum purpose {
    GATHER, /* all of them -> data */
    SPREAD, /* data -> as many as are needed */
    LOCATE, /* nothing moved: only find the CCW that the last byte belongs to */
};

enum walk_end {
    WALK_DONE,
    WALK_AREA, /* a check: the area of the current CCW cannot be accessed, */
    WALK_CCW,  /* or there is no valid CCW behind it */
};

/* Goes through a data chain from the current CCW on, for `length` bytes (GATHER: at most so many), and leaves the CCW
 * reached and its residual count in *p. *moved: how many bytes the CCWs had room for, up to length. */
static enum walk_end walk_data(struct channel_set *s, struct program *p, enum purpose purpose, uint8_t *data,
                               uint32_t length, uint32_t *moved) {
    for (*moved = 0;;) {
        uint32_t part = length - *moved < p->ccw.count ? length - *moved : p->ccw.count;
        if (purpose == GATHER && part < p->ccw.count) {
            program_check(p);
            return WALK_AREA;
        }
        if (purpose == GATHER && !move_data(s, p, TO_DEVICE, data + *moved, part))
            return WALK_AREA; /* the residual count is still the command's before */
        p->residual = (uint16_t)(p->ccw.count - part);
        if (purpose == SPREAD && !(p->ccw.flags & CCW_SKIP) && !move_data(s, p, TO_STORAGE, data + *moved, part))
            return WALK_AREA;
        *moved += part;
        if (p->residual != 0 || !(p->ccw.flags & CCW_CHAIN_DATA))
            return WALK_DONE;
        if (!fetch_ccw(s, p, true))
            return WALK_CCW;
    }
}

/* --- commands ----------------------------------------------------------------------------------------------------- */

enum command_result { COMMAND_DONE, COMMAND_WAITS };

static bool sends_data(uint8_t code) { return (code & 3) == 1 || (code & 3) == 3; }

static bool is_immediate(const struct subchannel *u, uint8_t code) {
    const struct device_ops *ops = u->device->ops;
    return code == COMMAND_NO_OPERATION || ((code & 3) == 3 && ops->immediate && ops->immediate(code));
}

/* Gives the command to the device and takes its answer, but for data and lengths. False: the device is to be waited
 * for. */
static bool ask_device(struct subchannel *u, struct program *p, struct device_command *c) {
    u->device->ops->command(u->device, c);
    if (c->wait)
        return false;
    assert(c->used <= c->count);
    assert(c->alone + c->burst <= c->cycles);
    sim_time now = timeline_now(u->set->host.timeline), most = PROGRAM_TIME_MOST;
    sim_time takes = c->cycles < most / CYCLE_PICOSECONDS ? c->cycles * CYCLE_PICOSECONDS : most;
    p->free_at = takes < now + most - p->free_at ? p->free_at + takes : now + most;
    p->alone = takes < most ? c->alone * CYCLE_PICOSECONDS : 0;
    p->burst = takes < most ? c->burst * CYCLE_PICOSECONDS : 0;
    p->unit_status = c->status;
    p->asked = true;
    p->initial = is_immediate(u, c->code) || ((c->status & UNIT_CHECK) && c->used == 0);
    return true;
}

/* Control and write: the data of the whole chain are gathered first; a device never sees a command whose data cannot be
 * fetched. */
static enum command_result send_command(struct subchannel *u, struct program *p, struct device_command *c) {
    struct channel_set *s = u->set;
    struct program before = *p;
    c->data = s->data;
    if (walk_data(s, p, GATHER, s->data, CHAINED_BYTES_MOST, &c->count) != WALK_DONE)
        return COMMAND_DONE;
    bool ready = ask_device(u, p, c);
    if (ready && c->used == c->count)
        return COMMAND_DONE;
    /* The device stopped at some byte, or has not begun: back to the CCW which that byte belongs to. */
    before.unit_status = p->unit_status;
    before.free_at = p->free_at;
    before.accesses = p->accesses;
    *p = before;
    if (!ready)
        return COMMAND_WAITS;
    walk_data(s, p, LOCATE, NULL, c->used, &c->count);
    return COMMAND_DONE;
}

static enum command_result immediate_command(struct subchannel *u, struct program *p, struct device_command *c) {
    c->data = u->set->data;
    p->residual = p->ccw.count;
    return ask_device(u, p, c) ? COMMAND_DONE : COMMAND_WAITS;
}

/* Read and sense. Read backward is stored forwards: no device here knows it, all reject it. */
static enum command_result receive_command(struct subchannel *u, struct program *p, struct device_command *c) {
    struct channel_set *s = u->set;
    c->data = s->data;
    c->count = p->ccw.flags & CCW_CHAIN_DATA ? (uint32_t)CHAINED_BYTES_MOST : p->ccw.count;
    if (!ask_device(u, p, c))
        return COMMAND_WAITS;
    uint32_t moved;
    switch (walk_data(s, p, SPREAD, s->data, c->used, &moved)) {
    case WALK_DONE: c->more = c->more || moved < c->used; break;
    case WALK_AREA: /* what could not be stored has a length nevertheless */
        c->more = !(p->ccw.flags & CCW_CHAIN_DATA) && (c->more || moved + p->ccw.count < c->used);
        break;
    case WALK_CCW: c->more = false; break;
    }
    return COMMAND_DONE;
}

/* Executes the command of the current CCW, data chain included. */
static enum command_result run_command(struct subchannel *u, struct program *p) {
    if ((p->ccw.code & 0x0F) == 0) {
        p->residual = p->ccw.count;
        program_check(p);
        return COMMAND_DONE;
    }
    struct device_command c = {.code = p->ccw.code, .chained = p->chained, .previous = p->previous};
    bool immediate = is_immediate(u, c.code);
    enum command_result result = immediate            ? immediate_command(u, p, &c)
                                 : sends_data(c.code) ? send_command(u, p, &c)
                                                      : receive_command(u, p, &c);
    if (result == COMMAND_WAITS)
        return COMMAND_WAITS;
    /* What a device could not be sent, it has not judged; what it delivered has a length, also where it went wrong. */
    bool delivered = p->channel_status == 0 || !sends_data(c.code);
    bool wrong_length = !immediate && delivered && (p->residual != 0 || c.more);
    bool suppressed = (p->ccw.flags & (CCW_SUPPRESS_LENGTH | CCW_CHAIN_DATA)) == CCW_SUPPRESS_LENGTH;
    if (wrong_length && !suppressed)
        p->channel_status |= CHANNEL_INCORRECT_LENGTH;
    return COMMAND_DONE;
}

/* Whether the command that has ended leads to another one; a status modifier skips a CCW. */
static bool chains_command(struct program *p) {
    if (p->channel_status != 0 || (p->unit_status & ~UNIT_STATUS_MODIFIER) != UNIT_STATUS_GOOD ||
        (p->ccw.flags & (CCW_CHAIN_DATA | CCW_CHAIN_COMMAND)) != CCW_CHAIN_COMMAND)
        return false;
    if (p->unit_status & UNIT_STATUS_MODIFIER)
        p->next = (p->next + 8) & ADDRESS_MASK;
    p->unit_status = 0;
    p->chained = true;
    p->previous = p->ccw.code;
    return true;
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

/* Whether the instruction that started the program has seen its end: nothing was started, or the device answered the
 * first command with the status that ends it. */
static bool ended_at_once(const struct subchannel *u, const struct program *p) {
    return as_architecture(u) && !p->chained && (!p->asked || p->initial);
}

enum program_end { PROGRAM_ENDED, PROGRAM_WAITS };

/* Runs a program, from its current CCW when `resumed`, otherwise from p->next, until it ends or has to wait. */
static enum program_end run_program(struct subchannel *u, struct program *p, bool resumed) {
    for (;; resumed = false) {
        if (!resumed && !fetch_ccw(u->set, p, false))
            return PROGRAM_ENDED;
        if (run_command(u, p) == COMMAND_WAITS) {
            commit_program(u, p);
            u->program = *p;
            set_activity(u, ACTIVITY_WAITING);
            return PROGRAM_WAITS;
        }
        if (!chains_command(p))
            return PROGRAM_ENDED;
    }
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
        if (run_program(u, &p, true) == PROGRAM_ENDED)
            end_program(u, &p);
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
    struct program p = {.key = caw >> 28, .next = caw & ADDRESS_MASK, .free_at = timeline_now(s->host.timeline)};
    if (as_architecture(u)) {
        unsigned cc = refuse_start(u, csw);
        if (cc)
            return cc;
        if (caw & CAW_MUST_BE_ZERO) {
            program_check(&p);
            return end_at_once(u, &p, csw);
        }
    } else if (u->activity != ACTIVITY_NONE) {
        return 2;
    }
    if (run_program(u, &p, false) == PROGRAM_WAITS)
        return 0;
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
    enum program_end end = run_program(u, &p, false);
    s->host = own;
    set_activity(u, ACTIVITY_NONE);
    for (int kind = 0; kind < CONDITION_KINDS; kind++)
        forget_condition(u, (enum condition_kind)kind);
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

bool channel_has_interruption(const struct channel_set *s, uint32_t channels) {
    if (s->pending == 0 && s->ready == 0)
        return false;
    for (struct subchannel *u = s->subchannels; u; u = u->next)
        if (is_enabled(u, channels) && (u->activity == ACTIVITY_READY || oldest_condition(u)))
            return true;
    return false;
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
