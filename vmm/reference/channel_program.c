/* Channel programs for minidisks: copied, relocated, run by the real disk, and their ends told to the guest.
 *
 * A guest's CCWs name guest absolute storage, and blocks of a disk that is only a part of one. So the monitor copies
 * the program into a frame of its own: every area of data becomes a list of indirect addresses, one for each 2 KB,
 * since what is contiguous for the guest need not be so here; frames stay where they are until the program has ended;
 * define extent gets the part's place on the real disk, or an extent that the disk refuses, when the guest's is not
 * within its part. A transfer in channel leads to the copy of its target, so loops remain loops. Storage keys need
 * nothing: the frames have the guest's keys, and the real channel is given the guest's.
 *
 * What is wrong with a program must come out where it would have come out: there the copy has something that the real
 * channel will not accept either, and the status is that which the guest's CCW would have given (`instead`).
 *
 * The program is copied when it is started: one that changes itself meanwhile is not followed. One that is too long for
 * the copy ends there with a program check. Several guests may have parts of one disk: their programs take turns, and
 * all of them are told that theirs was started. Each is copied when its turn has come, so that a real disk needs room
 * for one copy only, and that may be large. */
#include "vmm/reference/reference.h"

enum {
    CCW_BYTES = 8,
    CCW_CHAIN_DATA = 0x80,
    CCW_CHAIN_COMMAND = 0x40,
    CCW_SKIP = 0x10,
    CCW_INDIRECT = 0x04,

    COMMAND_READ_IPL = 0x02,
    COMMAND_NO_OPERATION = 0x03,
    COMMAND_TRANSFER = 0x08, /* low half */
    COMMAND_READ = 0x42,
    COMMAND_LOCATE = 0x43,
    COMMAND_DEFINE_EXTENT = 0x63,
    COMMAND_READ_CHARACTERISTICS = 0x64,

    STATUS_PCI = 0x80, /* channel status */
    STATUS_PROGRAM_CHECK = 0x20,
    STATUS_PROTECTION_CHECK = 0x10,
    STATUS_INTERFACE_CHECK = 0x02,

    PARAMETER_BYTES = 16,
    BLOCK_BYTES = STORAGE_BLOCK_BYTES,
    CAW_LOCATION = 72,
    CSW_LOCATION = 64,
    CHARACTERISTICS_BLOCKS = 14, /* offset of the number of blocks */
};
#define BAD_ADDRESS 0xFF000000u /* an IDAW that is a program check */

/* A program being copied. */
struct copying {
    struct vmm *v;
    struct virtual_cpu *c;
    struct channel_program *p;
    unsigned key;
    uint8_t previous; /* command; 0: none yet */
};
struct ccw {
    uint8_t code, flags;
    uint16_t count;
    uint32_t address;
};

/* Parameters, the first IDAWs, CCWs, and the other IDAWs: all of a short program is in one frame, since each frame more
 * is one more in the shadows of all monitors below. */
static uint32_t parameters_at(const struct channel_program *p) { return p->base; }
static uint32_t near_at(const struct channel_program *p) { return p->base + PROGRAM_PARAMETERS * PARAMETER_BYTES; }
static uint32_t ccws_at(const struct channel_program *p) { return near_at(p) + PROGRAM_NEAR * 4; }
static uint32_t far_at(const struct channel_program *p) { return ccws_at(p) + PROGRAM_CCWS * CCW_BYTES; }
static uint32_t address_at(const struct channel_program *p, unsigned n) {
    return n < PROGRAM_NEAR ? near_at(p) + n * 4 : far_at(p) + (n - PROGRAM_NEAR) * 4;
}
/* Where the list of an area of so many bytes begins: all of it on one side. */
static uint32_t begin_list(struct channel_program *p, uint32_t bytes) {
    unsigned most = bytes / BLOCK_BYTES + 2;
    if (p->addresses < PROGRAM_NEAR && p->addresses + most > PROGRAM_NEAR)
        p->addresses = PROGRAM_NEAR;
    return address_at(p, p->addresses);
}

/* ---- Guest storage, as the guest's channel would see it ---- */

/* Within one block. 0, or the channel status. */
static uint8_t fetch(struct copying *k, uint32_t absolute, void *to, uint32_t length) {
    if (absolute >= machine_of(k->v, k->c)->memory)
        return STATUS_PROGRAM_CHECK;
    if (k->key && !storage_may_fetch(guest_key(k->v, k->c, absolute), k->key))
        return STATUS_PROTECTION_CHECK;
    monitor_fetch(k->v, host_real(k->v, k->c, absolute), to, length);
    return 0;
}

/* ---- Putting the copy together ---- */

static bool room(const struct copying *k) { return k->p->ccws < PROGRAM_CCWS; }

static void put(struct copying *k, uint32_t from, struct ccw ccw) {
    struct channel_program *p = k->p;
    uint8_t raw[CCW_BYTES] = {ccw.code, (uint8_t)(ccw.address >> 16), (uint8_t)(ccw.address >> 8), (uint8_t)ccw.address,
                              ccw.flags};
    bytes_put16(raw + 6, ccw.count);
    monitor_store(k->v, ccws_at(p) + p->ccws * CCW_BYTES, raw, sizeof raw);
    p->came_from[p->ccws] = from;
    p->instead[p->ccws] = 0;
    p->ccws++;
}

/* A CCW that the channel refuses: its count is 0. The last place is always kept for one. */
static void put_stop(struct copying *k, uint32_t from, uint8_t status) {
    put(k, from, (struct ccw){.code = COMMAND_NO_OPERATION});
    k->p->instead[k->p->ccws - 1] = status;
}

static bool put_address(struct copying *k, uint32_t address) {
    uint8_t raw[4];
    struct channel_program *p = k->p;
    if (p->addresses == PROGRAM_ADDRESSES)
        return false;
    bytes_put32(raw, address);
    monitor_store(k->v, address_at(p, p->addresses), raw, sizeof raw);
    p->addresses++;
    return true;
}

/* One piece of data within a block. */
static bool put_piece(struct copying *k, uint32_t absolute, uint32_t length, bool into_storage) {
    struct channel_program *p = k->p;
    if (absolute >= machine_of(k->v, k->c)->memory)
        return put_address(k, BAD_ADDRESS);
    uint32_t host = host_real(k->v, k->c, absolute);
    if (!put_address(k, host))
        return false;
    monitor_parts(k->v)->allocator->pin(k->v, host);
    p->pinned[p->pins++] = (uint16_t)(absolute / FRAME_BYTES);
    if (into_storage)
        monitor_parts(k->v)->shadow->stored(k->v, k->c->guest, absolute, length);
    return true;
}

/* The guest's own list: the address of the piece; false and the channel status. */
static bool next_indirect(struct copying *k, uint32_t list, bool first, uint32_t *address, uint8_t *status) {
    uint8_t raw[4];
    *status = STATUS_PROGRAM_CHECK;
    if (list % sizeof raw != 0 || list > HOST_ADDRESS_MASK)
        return false;
    uint8_t x = fetch(k, list, raw, sizeof raw);
    if (x) {
        *status = x;
        return false;
    }
    *address = bytes_get32(raw);
    return *address <= HOST_ADDRESS_MASK && (first || *address % BLOCK_BYTES == 0);
}

/* The area of a CCW as a list of our own. False: there is no room for it. */
static bool put_area(struct copying *k, const struct ccw *ccw, uint8_t *status) {
    bool indirect = ccw->flags & CCW_INDIRECT, into_storage = (ccw->code & 3) == 2 || (ccw->code & 15) == 4;
    uint32_t address = ccw->address, list = ccw->address;
    for (uint32_t left = ccw->count; left > 0;) {
        bool first = left == ccw->count;
        if (indirect && (first || address % BLOCK_BYTES == 0)) {
            if (!next_indirect(k, list, first, &address, status))
                return put_address(k, BAD_ADDRESS);
            list += 4;
        }
        if (address > HOST_ADDRESS_MASK)
            return put_address(k, BAD_ADDRESS);
        uint32_t piece = BLOCK_BYTES - address % BLOCK_BYTES;
        if (piece > left)
            piece = left;
        if (!put_piece(k, address, piece, into_storage))
            return false;
        address += piece;
        left -= piece;
    }
    return true;
}

static void put_data(struct copying *k, uint32_t from, struct ccw ccw) {
    uint32_t list = begin_list(k->p, ccw.count);
    uint8_t status = 0;
    if (ccw.flags & CCW_SKIP) {
        ccw.flags &= (uint8_t)~CCW_INDIRECT; /* nothing is looked at */
        ccw.address = 0;
    } else if (put_area(k, &ccw, &status)) {
        ccw.flags |= CCW_INDIRECT;
        ccw.address = list;
    } else {
        put_stop(k, from, 0);
        return;
    }
    put(k, from, ccw);
    k->p->instead[k->p->ccws - 1] = status;
}

/* Bytes of our own as the data of a command. False: there is no room. */
static bool put_parameter(struct copying *k, uint32_t from, struct ccw ccw, const uint8_t *bytes) {
    struct channel_program *p = k->p;
    if (p->parameters == PROGRAM_PARAMETERS)
        return false;
    ccw.address = parameters_at(p) + p->parameters * PARAMETER_BYTES;
    ccw.flags &= (uint8_t)~CCW_INDIRECT;
    monitor_store(k->v, ccw.address, bytes, PARAMETER_BYTES);
    p->parameters++;
    put(k, from, ccw);
    return true;
}

/* ---- Commands that speak of places on the disk ---- */

/* Within the part: its place on the real disk. Otherwise a place that no disk has. */
static void relocate_extent(const struct minidisk *disk, uint8_t extent[PARAMETER_BYTES]) {
    uint32_t at = bytes_get32(extent + 4), first = bytes_get32(extent + 8), last = bytes_get32(extent + 12);
    bool within = last >= first && at < disk->blocks && last - first < disk->blocks - at;
    bytes_put32(extent + 4, within ? disk->first + at : UINT32_MAX);
}

/* Its parameters come from one area; those that do not are left to the disk, which refuses them. */
static void put_extent(struct copying *k, uint32_t from, const struct ccw *ccw) {
    uint8_t extent[PARAMETER_BYTES], status = 0;
    uint32_t address = ccw->address;
    bool simple = ccw->count == PARAMETER_BYTES && !(ccw->flags & CCW_CHAIN_DATA);
    if (simple && ccw->flags & CCW_INDIRECT)
        simple = next_indirect(k, ccw->address, true, &address, &status);
    for (uint32_t done = 0, n; simple && done < PARAMETER_BYTES; done += n) {
        uint32_t rest = BLOCK_BYTES - (address + done) % BLOCK_BYTES;
        n = rest < PARAMETER_BYTES - done ? rest : PARAMETER_BYTES - done;
        simple = !(done && ccw->flags & CCW_INDIRECT) && fetch(k, address + done, extent + done, n) == 0;
    }
    if (!simple && (ccw->count < PARAMETER_BYTES || ccw->count == PARAMETER_BYTES)) {
        put_data(k, from, *ccw); /* too short, or not accessible: it ends there */
        return;
    }
    if (!simple) {
        put_stop(k, from, 0);
        return;
    }
    relocate_extent(&k->p->of.disk, extent);
    if (!put_parameter(k, from, *ccw, extent))
        put_stop(k, from, 0);
}

/* Block 0 of the part, and all of it as the extent: three commands of the real disk, the first of them once only. */
static void put_read_ipl(struct copying *k, uint32_t from, const struct ccw *ccw) {
    struct channel_program *p = k->p;
    uint8_t extent[PARAMETER_BYTES] = {0}, locate[PARAMETER_BYTES] = {0x06, 0, 0, 1};
    bytes_put32(extent + 4, p->of.disk.first);
    bytes_put32(extent + 12, p->of.disk.blocks - 1);
    struct ccw define = {.code = COMMAND_DEFINE_EXTENT, .flags = CCW_CHAIN_COMMAND, .count = PARAMETER_BYTES};
    struct ccw where = {.code = COMMAND_LOCATE, .flags = CCW_CHAIN_COMMAND, .count = 8}, read = *ccw;
    read.code = COMMAND_READ;
    if (!p->extent && !put_parameter(k, from, define, extent)) {
        put_stop(k, from, 0);
        return;
    }
    if (!p->extent)
        p->ipl_extent = p->ccws - 1;
    p->extent = true;
    where.address = p->ipl_locate;
    if (p->ipl_locate)
        put(k, from, where);
    else if (!put_parameter(k, from, where, locate)) {
        put_stop(k, from, 0);
        return;
    } else
        p->ipl_locate = parameters_at(p) + (p->parameters - 1) * PARAMETER_BYTES;
    put_data(k, from, read);
}

/* The number of blocks that the disk tells is corrected afterwards, where the answer is in one place. */
static void note_characteristics(struct copying *k, const struct ccw *ccw) {
    if (ccw->count < CHARACTERISTICS_BLOCKS + 4 || ccw->flags & (CCW_INDIRECT | CCW_SKIP))
        return;
    k->p->characteristics = ccw->address;
    k->p->characteristics_at = k->p->ccws - 1;
}

/* One command, or the continuation of its data. Keeps a place free. */
static void put_command(struct copying *k, uint32_t from, const struct ccw *ccw, bool chained_data) {
    if (ccw->code == COMMAND_NO_OPERATION || ccw->count == 0)
        put(k, from, *ccw);
    else if (chained_data)
        put_data(k, from, *ccw);
    else if (ccw->code == COMMAND_DEFINE_EXTENT)
        put_extent(k, from, ccw);
    else if (ccw->code == COMMAND_READ_IPL && (!k->previous || k->previous == COMMAND_READ_IPL))
        put_read_ipl(k, from, ccw);
    else
        put_data(k, from, *ccw);
    if (ccw->code == COMMAND_READ_CHARACTERISTICS && !chained_data)
        note_characteristics(k, ccw);
}

/* ---- The whole program ---- */

/* The copy of the CCW at `from`, to which a transfer leads; -1: there is none yet. The extent that a read IPL defines
 * is not defined again. */
static int copy_of(const struct channel_program *p, uint32_t from) {
    for (unsigned n = 0; n < p->ccws; n++)
        if (p->came_from[n] == from && n != p->ipl_extent)
            return (int)n;
    return -1;
}

/* A transfer in channel: to the copy of its target, or to the next place, where the target will be. */
static bool put_transfer(struct copying *k, uint32_t from, uint32_t target, bool second) {
    struct channel_program *p = k->p;
    int there = second ? -1 : copy_of(p, target);
    uint32_t place = there >= 0 ? (uint32_t)there : p->ccws + 1;
    uint32_t wrong = target % CCW_BYTES ? 1 : 0; /* then it is refused here, too */
    put(k, from, (struct ccw){.code = COMMAND_TRANSFER, .address = ccws_at(p) + place * CCW_BYTES + wrong});
    return !wrong && !second && there < 0;
}

/* A copy takes up to three places, and one is kept for the end. */
static void copy(struct copying *k, uint32_t at) {
    bool chained_data = false, transferred = false;
    uint8_t code = 0;
    for (;;) {
        uint8_t raw[CCW_BYTES];
        if (k->p->ccws + 4 > PROGRAM_CCWS || !room(k)) {
            put_stop(k, at, 0);
            return;
        }
        uint8_t status = at % CCW_BYTES ? STATUS_PROGRAM_CHECK : fetch(k, at, raw, sizeof raw);
        if (status) {
            put_stop(k, at, status);
            return;
        }
        if ((raw[0] & 15) == COMMAND_TRANSFER) {
            if (!put_transfer(k, at, bytes_get24(raw + 1), transferred))
                return;
            at = bytes_get24(raw + 1);
            transferred = true;
            continue;
        }
        transferred = false;
        const struct ccw ccw = {chained_data ? code : raw[0], raw[4], bytes_get16(raw + 6), bytes_get24(raw + 1)};
        put_command(k, at, &ccw, chained_data);
        if (!chained_data)
            k->previous = ccw.code;
        code = ccw.code;
        chained_data = ccw.flags & CCW_CHAIN_DATA;
        if (!(ccw.flags & (CCW_CHAIN_DATA | CCW_CHAIN_COMMAND)))
            return;
        at = (at + CCW_BYTES) & HOST_ADDRESS_MASK;
    }
}

/* The program of p->of, from its CAW on. */
static void make_copy(struct vmm *v, struct channel_program *p) {
    struct copying k = {.v = v, .c = &monitor_guest(v, p->of.guest)->cpu[0], .p = p, .key = p->of.caw >> 28};
    p->ccws = p->addresses = p->parameters = p->pins = 0;
    p->extent = false;
    p->ipl_extent = PROGRAM_CCWS;
    p->ipl_locate = p->characteristics = 0;
    copy(&k, p->of.caw & HOST_ADDRESS_MASK);
}

/* ---- Real disks, and whose turn it is there ---- */

struct host_disk *channel_program_disk(struct reference *r, uint16_t address) {
    for (unsigned n = 0; n < r->disks; n++)
        if (r->disk[n].address == address)
            return &r->disk[n];
    return NULL;
}

/* The request has become p's. */
static void take(struct channel_program *p, const struct channel_request *of) {
    p->of = *of;
    p->used = true;
    p->forgotten = false;
}

static void release(struct vmm *v, struct channel_program *p) {
    const struct monitor_allocator *allocator = monitor_parts(v)->allocator;
    for (unsigned n = 0; n < p->pins; n++)
        allocator->unpin(v, (uint32_t)allocator->frame(v, p->of.guest, (uint32_t)p->pinned[n] * FRAME_BYTES));
    p->pins = 0;
    reference(v)->outstanding -= p->used;
    p->used = false;
}

/* Tells the guest, unless it has been reset since. */
static void tell(struct vmm *v, const struct channel_program *p, uint64_t csw, enum io_progress progress) {
    if (!p->forgotten)
        monitor_io_end(v, p->of.guest, p->of.disk.address, csw, progress);
}

/* Starts the copy: the condition code of SIO. */
static unsigned start(struct vmm *v, struct host_disk *disk, uint64_t *csw) {
    const struct channel_program *p = &disk->program;
    uint8_t caw[4], status[8];
    unsigned cc = 3;
    bytes_put32(caw, (p->of.caw & 0xF0000000) | ccws_at(p));
    monitor_store(v, CAW_LOCATION, caw, sizeof caw);
    monitor_set_gpr(v, 3, disk->address);
    if (monitor_execute(v, CELL_SIO, &cc) != 0)
        return 3;
    disk->running = cc == 0;
    if (cc == 1) { /* of the architecture's conditions: it has ended already; the status alone is stored */
        monitor_fetch(v, CSW_LOCATION, status, sizeof status);
        *csw = bytes_get64(status) & 0xFFFF0000;
    }
    return cc;
}

/* Those who wait were told that theirs was started: one that was not, or has ended, ends with this status. */
static void start_next(struct vmm *v, struct host_disk *disk) {
    struct channel_program *p = &disk->program;
    while (!disk->running && disk->queued > 0) {
        take(p, &disk->queue[0]);
        disk->queued--;
        memmove(disk->queue, disk->queue + 1, disk->queued * sizeof *disk->queue);
        make_copy(v, p);
        uint64_t status = (uint64_t)STATUS_INTERFACE_CHECK << 16;
        if (start(v, disk, &status) == 0)
            continue;
        release(v, p);
        tell(v, p, (uint64_t)(p->of.caw >> 28) << 60 | status, IO_ENDED);
    }
}

unsigned channel_program_start(struct vmm *v, struct virtual_cpu *c, const struct minidisk *disk, uint64_t *word) {
    struct reference *r = reference(v);
    struct host_disk *real = channel_program_disk(r, disk->host_address);
    const struct channel_request request = {.guest = c->guest, .disk = *disk, .caw = (uint32_t)*word};
    if (!real)
        return 3;
    if (!monitor_io_begin(v, c->guest, disk->address))
        return 2;
    r->outstanding++;
    if (real->running) {
        real->queue[real->queued++] = request;
        return 0;
    }
    struct channel_program *p = &real->program;
    take(p, &request);
    make_copy(v, p);
    unsigned cc = start(v, real, word);
    if (cc == 0)
        return 0;
    release(v, p);
    tell(v, p, 0, IO_NEVER_BEGAN);
    return cc;
}

/* ---- The end ---- */

/* The frames have what was read now, if not when the program was copied: it may have had to wait. */
static void tell_stored(struct vmm *v, const struct channel_program *p) {
    for (unsigned n = 0; n < p->pins; n++)
        monitor_parts(v)->shadow->stored(v, p->of.guest, (uint32_t)p->pinned[n] * FRAME_BYTES, FRAME_BYTES);
}

/* As the guest's own channel would have said it. */
static uint64_t guest_csw(const struct channel_program *p, uint64_t csw) {
    uint32_t index = (uint32_t)((csw >> 32 & HOST_ADDRESS_MASK) - ccws_at(p)) / CCW_BYTES - 1;
    if (index >= p->ccws)
        return csw;
    uint64_t behind = (p->came_from[index] + CCW_BYTES) & HOST_ADDRESS_MASK;
    csw = (csw & ~((uint64_t)HOST_ADDRESS_MASK << 32)) | behind << 32;
    if (p->instead[index] && csw >> 16 & STATUS_PROGRAM_CHECK)
        csw = (csw & ~((uint64_t)STATUS_PROGRAM_CHECK << 16)) | (uint64_t)p->instead[index] << 16;
    return csw;
}

static void correct_characteristics(struct vmm *v, const struct channel_program *p, uint64_t csw) {
    uint32_t index = (uint32_t)((csw >> 32 & HOST_ADDRESS_MASK) - ccws_at(p)) / CCW_BYTES - 1;
    uint8_t blocks[4];
    bool refused = index == p->characteristics_at && csw >> 16 & ~(uint64_t)0x0C40 & 0xFFFF;
    if (!p->characteristics || index < p->characteristics_at || refused)
        return;
    bytes_put32(blocks, p->of.disk.blocks);
    for (unsigned n = 0; n < sizeof blocks; n++) {
        uint32_t at = p->characteristics + CHARACTERISTICS_BLOCKS + n;
        int64_t host = monitor_parts(v)->allocator->frame(v, p->of.guest, at);
        if (host >= 0)
            monitor_store(v, (uint32_t)host, blocks + n, 1);
    }
}

void channel_program_interruption(struct vmm *v, uint16_t host_address, uint64_t csw) {
    struct host_disk *disk = channel_program_disk(reference(v), host_address);
    if (!disk || !disk->running)
        return;
    struct channel_program *p = &disk->program;
    monitor_cause(v, CAUSE_DEVICE);
    bool ended = (csw >> 16 & 0xFFFF) != STATUS_PCI;
    if (ended) {
        if (!p->forgotten)
            correct_characteristics(v, p, csw);
        tell_stored(v, p);
        disk->running = false;
        release(v, p);
    }
    tell(v, p, guest_csw(p, csw), ended ? IO_ENDED : IO_GOES_ON);
    start_next(v, disk);
}

/* ---- What is not to be told any more ---- */

void channel_program_forget(struct vmm *v, unsigned guest) {
    struct reference *r = reference(v);
    for (struct host_disk *disk = r->disk; disk < r->disk + r->disks; disk++) {
        unsigned kept = 0;
        for (unsigned n = 0; n < disk->queued; n++)
            if (disk->queue[n].guest != guest)
                disk->queue[kept++] = disk->queue[n];
        r->outstanding -= disk->queued - kept;
        disk->queued = kept;
        if (disk->program.of.guest == guest)
            disk->program.forgotten = true;
    }
}

void channel_program_reset(struct vmm *v) {
    struct reference *r = reference(v);
    for (struct host_disk *disk = r->disk; disk < r->disk + r->disks; disk++) {
        struct channel_program *p = &disk->program;
        if (p->used)
            tell(v, p, 0, IO_NEVER_BEGAN);
        release(v, p);
        for (unsigned n = 0; n < disk->queued; n++)
            monitor_io_end(v, disk->queue[n].guest, disk->queue[n].disk.address, 0, IO_NEVER_BEGAN);
        disk->queued = 0;
        disk->running = false;
    }
    r->outstanding = 0;
}

/* ---- Saving and restoring: the copies themselves are in storage ---- */

/* A minidisk is one of those that the guest has. */
static void archive_request(struct vmm *v, struct channel_request *q, struct archive *a) {
    struct minidisk disk = {0};
    archive_unsigned(a, &q->guest, GUESTS_MOST - 1, "the number of a guest");
    archive_u16(a, &q->disk.address);
    archive_u32(a, &q->caw);
    if (a->failed || !a->loading)
        return;
    if (q->guest >= monitor_guests(v) || !monitor_minidisk(v, q->guest, q->disk.address, &disk))
        archive_fail(a, "guest %u has no minidisk %03X", q->guest, q->disk.address);
    q->disk = disk;
}

static void archive_program(struct vmm *v, struct channel_program *p, struct archive *a) {
    const struct monitor_allocator *allocator = monitor_parts(v)->allocator;
    archive_request(v, &p->of, a);
    archive_bool(a, &p->forgotten);
    archive_unsigned(a, &p->ccws, PROGRAM_CCWS, "the CCWs of a channel program");
    archive_unsigned(a, &p->addresses, PROGRAM_ADDRESSES, "the addresses of a channel program");
    archive_unsigned(a, &p->parameters, PROGRAM_PARAMETERS, "the parameters of a channel program");
    archive_bool(a, &p->extent);
    archive_unsigned(a, &p->ipl_extent, PROGRAM_CCWS, "a CCW of a channel program");
    archive_u32(a, &p->ipl_locate);
    archive_u32s(a, p->came_from, p->ccws);
    archive_bytes(a, p->instead, p->ccws);
    archive_unsigned(a, &p->pins, PROGRAM_ADDRESSES, "the pinned frames of a channel program");
    for (unsigned n = 0; n < p->pins; n++) {
        archive_u16(a, &p->pinned[n]);
        int64_t host = a->failed ? -1 : allocator->frame(v, p->of.guest, (uint32_t)p->pinned[n] * FRAME_BYTES);
        if (host < 0) {
            p->pins = n;
            archive_fail(a, "a channel program holds a frame that is not its guest's");
        } else if (a->loading) {
            allocator->pin(v, (uint32_t)host);
        }
    }
    archive_u32(a, &p->characteristics);
    archive_unsigned(a, &p->characteristics_at, PROGRAM_CCWS, "a CCW of a channel program");
}

static void archive_disk(struct vmm *v, struct host_disk *d, struct archive *a) {
    archive_same(a, d->address, "the address of a disk");
    archive_same(a, d->program.base, "where a channel program is copied to");
    archive_bool(a, &d->running);
    archive_bool(a, &d->program.used);
    if (d->program.used)
        archive_program(v, &d->program, a);
    if (d->running && !d->program.used) {
        d->running = false;
        archive_fail(a, "a disk runs no program");
    }
    archive_unsigned(a, &d->queued, GUESTS_MOST * MINIDISKS_MOST, "the programs that wait for a disk");
    for (unsigned n = 0; n < d->queued && !a->failed; n++)
        archive_request(v, &d->queue[n], a);
}

void channel_program_archive(struct vmm *v, struct archive *a) {
    struct reference *r = reference(v);
    archive_same(a, r->disks, "the number of disks that guests have parts of");
    r->outstanding = 0;
    for (unsigned n = 0; n < r->disks && !a->failed; n++) {
        archive_disk(v, &r->disk[n], a);
        r->outstanding += r->disk[n].queued + r->disk[n].program.used;
    }
}
