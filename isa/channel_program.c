/* Channel programs: fetches CCWs, gives commands to a device, and moves their data (Principles of Operation, "Execution
 * of Input/Output Operations").
 *
 * A data chain is one command to the device: what is to be sent is gathered first, what was received is spread
 * afterwards. */
#include <assert.h>

#include "isa/channel_internal.h"

enum {
    CCW_CHAIN_DATA = 0x80,
    CCW_CHAIN_COMMAND = 0x40,
    CCW_SUPPRESS_LENGTH = 0x20,
    CCW_SKIP = 0x10,
    CCW_PCI = 0x08,
    CCW_INDIRECT = 0x04,
    CCW_MUST_BE_ZERO = 0x03,

    COMMAND_NO_OPERATION = 0x03,

    BLOCK_BYTES = 2048,    /* fetch and store stay within one */
    ACCESSES_MOST = 65536, /* of one program, to CCWs and data */
};
static const sim_time PROGRAM_TIME_MOST = UINT64_C(1000000000000000000); /* 11 days: additions cannot overflow */

/* --- storage ------------------------------------------------------------------------------------------------------ */

/* Counts an access of the program; a program that never ends, ends here. IDAWs are not counted, so that a copy whose
 * data are all found through them ends where the program itself would have. */
static bool count_access(struct program *p) {
    if (p->accesses == ACCESSES_MOST) {
        p->channel_status |= CHANNEL_PROGRAM_CHECK;
        return false;
    }
    p->accesses++;
    return true;
}

static bool fetch_uncounted(struct channel_set *s, struct program *p, uint32_t address, void *to, uint32_t length) {
    p->channel_status |= s->host.fetch(s->host.self, address, p->key, to, length);
    return p->channel_status == 0;
}

static bool fetch(struct channel_set *s, struct program *p, uint32_t address, void *to, uint32_t length) {
    return count_access(p) && fetch_uncounted(s, p, address, to, length);
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
        if (area->list % sizeof word != 0 || area->list > CHANNEL_ADDRESS_MASK)
            return program_check(p);
        if (!fetch_uncounted(s, p, area->list, word, sizeof word))
            return false;
        area->address = bytes_get32(word);
        area->list += sizeof word;
        /* The first may point anywhere, the others to the beginning of a block. */
        if (area->address > CHANNEL_ADDRESS_MASK || (area->begun && area->address % BLOCK_BYTES != 0))
            return program_check(p);
        area->begun = true;
    }
    if (area->address > CHANNEL_ADDRESS_MASK) /* data do not continue from FFFFFF to 000000 */
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
        p->behind = (p->next + sizeof text) & CHANNEL_ADDRESS_MASK;
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
static bool ask_device(const struct subchannel *u, struct program *p, struct device_command *c) {
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
static enum command_result send_command(const struct subchannel *u, struct program *p, struct device_command *c) {
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

static enum command_result immediate_command(const struct subchannel *u, struct program *p, struct device_command *c) {
    c->data = u->set->data;
    p->residual = p->ccw.count;
    return ask_device(u, p, c) ? COMMAND_DONE : COMMAND_WAITS;
}

/* Read and sense. Read backward is stored forwards: no device here knows it, all reject it. */
static enum command_result receive_command(const struct subchannel *u, struct program *p, struct device_command *c) {
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
static enum command_result run_command(const struct subchannel *u, struct program *p) {
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
        p->next = (p->next + 8) & CHANNEL_ADDRESS_MASK;
    p->unit_status = 0;
    p->chained = true;
    p->previous = p->ccw.code;
    return true;
}

enum program_end channel_program_run(const struct subchannel *u, struct program *p, bool resumed) {
    for (;; resumed = false) {
        if (!resumed && !fetch_ccw(u->set, p, false))
            return PROGRAM_ENDED;
        if (run_command(u, p) == COMMAND_WAITS)
            return PROGRAM_WAITS;
        if (!chains_command(p))
            return PROGRAM_ENDED;
    }
}
