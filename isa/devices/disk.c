/* Fixed-block disk, IBM 3370.
 *
 * A program says where it may work (define extent), what it will do and on which blocks (locate), and then reads or
 * writes. What one command prepares for the next lasts no longer than a chain of commands; only the position of the
 * arm, on which times depend, outlives it. A part of a disk has a chain of its own, but the arm and the blocks of the
 * whole. */
#include "isa/disk.h"

#include <stdlib.h>

#include "isa/devices/devices_internal.h"

enum {
    DISK_WRITE = 0x41,
    DISK_READ = 0x42,
    DISK_LOCATE = 0x43,
    DISK_DEFINE_EXTENT = 0x63,
    DISK_READ_CHARACTERISTICS = 0x64,
    DISK_READ_LOG = 0xA4,
    DISK_RESERVE_UNCONDITIONALLY = 0x14,
    DISK_RESERVE = 0xB4,
    DISK_RELEASE = 0x94,
    DISK_READ_IPL = 0x02,

    EXTENT_BYTES = 16,
    EXTENT_MASK_RESERVED = 0x3B, /* bits 2, 3, 6, 7, and 4: the CE area, which this disk has not */
    EXTENT_WRITES = 0xC0,        /* bits 0-1 */
    EXTENT_NO_FORMAT = 0x00,
    EXTENT_NO_WRITES = 0x40,
    EXTENT_INVALID = 0x80,

    LOCATE_BYTES = 8,
    LOCATE_RESERVED = 0xE0,
    LOCATE_OPERATION = 0x0F,

    LOG_BYTES = 24,
    CYLINDER_BLOCKS = 744, /* under one position of the arm */
    TRACK_BLOCKS = 62,

    LOGGED_BYTES = 4 + DISK_BLOCK_BYTES,
    NO_BLOCK = 0xFFFFFFFF,
};

/* What a locate may ask for. */
enum { OPERATION_WRITE = 1, OPERATION_READ_REPLICATED = 2, OPERATION_FORMAT = 4, OPERATION_VERIFY = 5, OPERATION_READ };
enum { FOR_READ = 1, FOR_WRITE = 2, FOR_FORMAT = 4 };
static const uint8_t operations[LOCATE_OPERATION + 1] = {
    [OPERATION_WRITE] = FOR_WRITE,   [OPERATION_READ_REPLICATED] = FOR_READ,
    [OPERATION_FORMAT] = FOR_FORMAT, [OPERATION_VERIFY] = FOR_WRITE,
    [OPERATION_READ] = FOR_READ,
};

struct disk {
    struct device device;
    uint32_t blocks;
    struct disk_backing backing; /* of a whole disk */
    struct disk_part part;       /* of a part: `whole` is not NULL */
    uint64_t seek_cycles, cylinder_cycles, latency_cycles, block_cycles;
    uint32_t arm; /* of a whole disk: the block behind the last one that passed the heads */

    /* Of the present chain of commands. */
    bool extent_defined;
    uint8_t mask;
    uint32_t extent_at;                 /* its first block */
    uint32_t extent_first, extent_last; /* as the data set numbers them */
    uint8_t operation;                  /* FOR_READ, ...: of the last locate */
    uint32_t next, left;                /* the located blocks that were not moved yet */

    /* Of a whole disk. */
    struct disk_watch *watches;
    unsigned writes;  /* write commands of the present chain */
    bool remembers;   /* what is written, for brief archives */
    struct bytes log; /* of blocks: number and contents. First, for each that was written, in order, what it held
                       * before; then, for each write that was taken back, what it had written. */
    size_t written;   /* bytes of the first part */
};

static struct disk *disk_of(const struct device *d) { return (struct disk *)d; }

enum { STATUS_GOOD = UNIT_CHANNEL_END | UNIT_DEVICE_END, STATUS_CHECK = STATUS_GOOD | UNIT_CHECK };

static void reject(struct disk *k, struct device_command *c) { device_reject(&k->device, c, STATUS_CHECK); }

static void equipment_check(struct disk *k, struct device_command *c) {
    k->device.sense[0] = SENSE_EQUIPMENT_CHECK;
    c->status = STATUS_CHECK;
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static const struct device_ops disk_ops;

/* The disk of which k is a part, or a part of a part, and where k's block is on it; NULL: it has no such block. */
static struct disk *whole_of(struct disk *k, uint32_t *block) {
    while (k && k->part.whole) {
        struct device *d = *block < k->blocks ? k->part.whole(k->part.self) : NULL;
        *block += k->part.first; /* blocks and first are such that this does not overflow */
        k = d && d->ops == &disk_ops ? disk_of(d) : NULL;
    }
    return k && *block < k->blocks ? k : NULL;
}

static bool read_block(struct disk *k, uint32_t block, uint8_t to[DISK_BLOCK_BYTES]) {
    struct disk *whole = whole_of(k, &block);
    return whole && whole->backing.read(whole->backing.self, block, to);
}

/* Logs what the block holds. Where the write is the one that was taken back last, the others of those remain. */
static bool log_write(struct disk *whole, uint32_t block, const uint8_t from[DISK_BLOCK_BYTES]) {
    uint8_t record[LOGGED_BYTES];
    bytes_put32(record, block);
    if (!whole->backing.read(whole->backing.self, block, record + 4))
        return false;
    uint8_t *next = whole->written < whole->log.length ? whole->log.data + whole->written : NULL;
    if (next && memcmp(next, record, 4) == 0 && memcmp(next + 4, from, DISK_BLOCK_BYTES) == 0) {
        memcpy(next, record, sizeof record);
    } else {
        whole->log.length = whole->written;
        bytes_append(&whole->log, record, sizeof record);
    }
    whole->written += whole->log.failed ? 0 : LOGGED_BYTES;
    return true;
}

static bool write_block(struct disk *k, uint32_t block, const uint8_t from[DISK_BLOCK_BYTES]) {
    struct disk *whole = whole_of(k, &block);
    return whole && (!whole->remembers || log_write(whole, block, from)) &&
           whole->backing.write(whole->backing.self, block, from);
}

/* What was written to the whole disk is safe. */
static bool sync_blocks(struct disk *k) {
    struct disk *whole = whole_of(k, &(uint32_t){0});
    return whole && (!whole->backing.sync || whole->backing.sync(whole->backing.self));
}

/* The block has passed the heads. */
static void move_arm(struct disk *k, uint32_t block) {
    struct disk *whole = whole_of(k, &block);
    if (whole)
        whole->arm = block + 1;
}

/* --- time --------------------------------------------------------------------------------------------------------- */

static uint64_t distance(uint32_t a, uint32_t b) { return a < b ? b - a : a - b; }

/* Moving the arm to a block, and waiting for it to come round: neither, where it is the next one anyway. */
static uint64_t positioning(struct disk *k, uint32_t block) {
    const struct disk *whole = whole_of(k, &block);
    if (!whole || block == whole->arm)
        return 0;
    uint64_t cylinders = distance(block / CYLINDER_BLOCKS, whole->arm / CYLINDER_BLOCKS);
    return (cylinders ? k->seek_cycles + cylinders * k->cylinder_cycles : 0) + k->latency_cycles;
}

/* --- blocks ------------------------------------------------------------------------------------------------------- */

/* Reads the located blocks, as many as there is room for; the last one perhaps in part. */
static void read_blocks(struct disk *k, struct device_command *c) {
    uint8_t part[DISK_BLOCK_BYTES];
    c->status = STATUS_GOOD;
    while (k->left && c->used < c->count) {
        uint32_t room = c->count - c->used, n = room < DISK_BLOCK_BYTES ? room : DISK_BLOCK_BYTES;
        uint8_t *to = n < DISK_BLOCK_BYTES ? part : c->data + c->used;
        if (!read_block(k, k->next, to)) {
            equipment_check(k, c);
            break;
        }
        if (to == part)
            memcpy(c->data + c->used, part, n);
        c->more = n < DISK_BLOCK_BYTES;
        c->used += n;
        c->cycles += k->block_cycles;
        c->burst += k->block_cycles;
        move_arm(k, k->next++);
        k->left--;
    }
    c->more = c->more || k->left > 0;
}

static void tell_written(struct disk *k, uint32_t first, const struct device_command *c) {
    for (const struct disk_watch *w = k->watches; w; w = w->next)
        w->written(w->self, k->writes, first, k->next - first, c->data, c->used);
    k->writes++;
}

/* Writes all the located blocks: where the data end, zeros follow. */
static void write_blocks(struct disk *k, struct device_command *c) {
    uint32_t first = k->next;
    c->status = STATUS_GOOD;
    c->more = c->count < (uint64_t)k->left * DISK_BLOCK_BYTES;
    while (k->left) {
        uint8_t block[DISK_BLOCK_BYTES] = {0};
        uint32_t rest = c->count - c->used, n = rest < DISK_BLOCK_BYTES ? rest : DISK_BLOCK_BYTES;
        memcpy(block, c->data + c->used, n);
        if (!write_block(k, k->next, block)) {
            equipment_check(k, c);
            break;
        }
        c->used += n;
        c->cycles += k->block_cycles;
        c->burst += k->block_cycles;
        move_arm(k, k->next++);
        k->left--;
    }
    tell_written(k, first, c);
    if (!sync_blocks(k))
        equipment_check(k, c);
}

/* --- commands ----------------------------------------------------------------------------------------------------- */

static void no_operation(struct disk *k, struct device_command *c) {
    (void)k;
    device_done(c, 0, 0);
}

static void read_ipl(struct disk *k, struct device_command *c) {
    if (c->chained && c->previous != DISK_READ_IPL) {
        reject(k, c);
        return;
    }
    k->extent_defined = true;
    k->mask = EXTENT_NO_FORMAT;
    k->extent_at = k->extent_first = 0;
    k->extent_last = k->blocks - 1;
    k->next = 0;
    k->left = 1;
    c->cycles = positioning(k, 0);
    read_blocks(k, c);
}

static void define_extent(struct disk *k, struct device_command *c) {
    if (c->count < EXTENT_BYTES || k->extent_defined) {
        c->used = c->count < EXTENT_BYTES ? c->count : EXTENT_BYTES;
        reject(k, c);
        return;
    }
    uint32_t at = bytes_get32(c->data + 4), first = bytes_get32(c->data + 8), last = bytes_get32(c->data + 12);
    c->used = EXTENT_BYTES;
    k->mask = c->data[0];
    if ((k->mask & EXTENT_MASK_RESERVED) || (k->mask & EXTENT_WRITES) == EXTENT_INVALID || last < first ||
        at >= k->blocks || last - first >= k->blocks - at) {
        reject(k, c);
        return;
    }
    k->extent_at = at;
    k->extent_first = first;
    k->extent_last = last;
    k->extent_defined = true;
    device_done(c, EXTENT_BYTES, 0);
}

static bool operation_allowed(const struct disk *k, uint8_t operation) {
    unsigned writes = k->mask & EXTENT_WRITES;
    return operation == FOR_READ || (operation == FOR_WRITE && writes != EXTENT_NO_WRITES) ||
           (operation == FOR_FORMAT && writes == EXTENT_WRITES);
}

static void locate(struct disk *k, struct device_command *c) {
    c->used = c->count < LOCATE_BYTES ? c->count : LOCATE_BYTES;
    k->left = 0;
    if (c->used < LOCATE_BYTES || !k->extent_defined || (c->data[0] & LOCATE_RESERVED)) {
        reject(k, c);
        return;
    }
    unsigned code = c->data[0] & LOCATE_OPERATION, replication = c->data[1];
    uint32_t blocks = bytes_get16(c->data + 2), first = bytes_get32(c->data + 4);
    k->operation = operations[code];
    if (!operation_allowed(k, k->operation) || blocks == 0 || first < k->extent_first || first > k->extent_last ||
        blocks - 1 > k->extent_last - first ||
        (code == OPERATION_READ_REPLICATED && (replication == 0 || replication % blocks != 0))) {
        reject(k, c);
        return;
    }
    k->next = k->extent_at + (first - k->extent_first);
    k->left = blocks;
    device_done(c, LOCATE_BYTES, positioning(k, k->next));
}

static void read_data(struct disk *k, struct device_command *c) {
    bool located = c->previous == DISK_LOCATE && k->operation == FOR_READ;
    if (located || c->previous == DISK_READ_IPL)
        read_blocks(k, c);
    else
        reject(k, c);
}

static void write_data(struct disk *k, struct device_command *c) {
    if (c->previous == DISK_LOCATE && k->operation == FOR_WRITE)
        write_blocks(k, c);
    else
        reject(k, c);
}

static void read_characteristics(struct disk *k, struct device_command *c) {
    uint8_t record[32] = {0x30, 0x08, 0x21, 0x02}; /* operation modes, features, direct access, 3370 */
    bytes_put16(record + 4, DISK_BLOCK_BYTES);
    bytes_put32(record + 6, TRACK_BLOCKS);
    bytes_put32(record + 10, CYLINDER_BLOCKS);
    bytes_put32(record + 14, k->blocks);
    device_deliver(c, record, sizeof record, 0);
}

static void read_log(struct disk *k, struct device_command *c) {
    static const uint8_t record[LOG_BYTES];
    (void)k;
    device_deliver(c, record, sizeof record, 0);
}

static void sense(struct disk *k, struct device_command *c) { device_sense(&k->device, c); }

static void sense_id(struct disk *k, struct device_command *c) {
    static const uint8_t id[] = {0xFF, 0x38, 0x80, 0x01, 0x33, 0x70, 0x00};
    (void)k;
    device_deliver(c, id, sizeof id, 0);
}

/* There is one path to the disk, so that nobody can be kept out: reserving it is only telling its sense data. */
static void reserve(struct disk *k, struct device_command *c) {
    if (k->extent_defined)
        reject(k, c);
    else
        sense(k, c);
}

static void reserve_unconditionally(struct disk *k, struct device_command *c) {
    if (c->chained)
        reject(k, c);
    else
        sense(k, c);
}

static const struct {
    uint8_t code;
    void (*run)(struct disk *k, struct device_command *c);
} commands[] = {
    {DISK_READ, read_data},
    {DISK_WRITE, write_data},
    {DISK_LOCATE, locate},
    {DISK_DEFINE_EXTENT, define_extent},
    {DISK_READ_IPL, read_ipl},
    {COMMAND_NO_OPERATION, no_operation},
    {COMMAND_SENSE, sense},
    {COMMAND_SENSE_ID, sense_id},
    {DISK_READ_CHARACTERISTICS, read_characteristics},
    {DISK_READ_LOG, read_log},
    {DISK_RESERVE, reserve},
    {DISK_RELEASE, reserve},
    {DISK_RESERVE_UNCONDITIONALLY, reserve_unconditionally},
};

static void disk_command(struct device *d, struct device_command *c) {
    struct disk *k = disk_of(d);
    if (!c->chained) {
        k->extent_defined = false;
        k->left = 0;
        k->writes = 0;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (commands[i].code == c->code) {
            commands[i].run(k, c);
            return;
        }
    }
    reject(k, c);
}

/* --- saving and restoring ----------------------------------------------------------------------------------------- */

/* What is logged goes to the disk, and what the disk has into the log. */
static void exchange(struct disk *k, uint8_t *record, struct archive *a) {
    uint8_t block[DISK_BLOCK_BYTES];
    uint32_t n = bytes_get32(record);
    if (!k->backing.read(k->backing.self, n, block) || !k->backing.write(k->backing.self, n, record + 4))
        archive_fail(a, "block %u of a disk cannot be written", n);
    else
        memcpy(record + 4, block, sizeof block);
}

/* Writes are taken back, the latest first, or done again. */
static void archive_briefly(struct disk *k, struct archive *a) {
    size_t written = k->written;
    archive_size(a, &written, k->log.length, "what was written to a disk");
    if (k->log.failed)
        archive_fail(a, "no memory for what is written to a disk");
    for (; !a->failed && k->written > written; k->written -= LOGGED_BYTES)
        exchange(k, k->log.data + k->written - LOGGED_BYTES, a);
    for (; !a->failed && k->written < written; k->written += LOGGED_BYTES)
        exchange(k, k->log.data + k->written, a);
}

static void disk_remember(struct device *d, bool on) {
    struct disk *k = disk_of(d);
    bytes_fini(&k->log);
    k->written = 0;
    k->remembers = on && !k->part.whole;
}

static void save_blocks(struct disk *k, struct archive *a) {
    static const uint8_t zeros[DISK_BLOCK_BYTES];
    uint8_t block[DISK_BLOCK_BYTES];
    uint32_t end = NO_BLOCK;
    for (uint32_t n = 0; n < k->blocks && !a->to->failed; n++) {
        if (!k->backing.read(k->backing.self, n, block))
            archive_fail(a, "block %u of a disk cannot be read", n);
        if (memcmp(block, zeros, sizeof block) == 0)
            continue;
        archive_u32(a, &n);
        archive_bytes(a, block, sizeof block);
    }
    archive_u32(a, &end);
}

static void set_block(struct disk *k, uint32_t n, const uint8_t from[DISK_BLOCK_BYTES], struct archive *a) {
    uint8_t block[DISK_BLOCK_BYTES];
    bool same = k->backing.read(k->backing.self, n, block) && memcmp(block, from, sizeof block) == 0;
    if (!same && !write_block(k, n, from))
        archive_fail(a, "block %u of a disk cannot be written", n);
}

static void load_blocks(struct disk *k, struct archive *a) {
    static const uint8_t zeros[DISK_BLOCK_BYTES];
    uint32_t next = 0, n = 0;
    while (!a->failed && n != NO_BLOCK) {
        uint8_t block[DISK_BLOCK_BYTES];
        archive_u32(a, &n);
        if (n != NO_BLOCK && (n < next || n >= k->blocks))
            archive_fail(a, "block %u of a disk is out of order", n);
        if (n != NO_BLOCK)
            archive_bytes(a, block, sizeof block);
        for (; !a->failed && next < k->blocks && next < n; next++)
            set_block(k, next, zeros, a);
        if (!a->failed && n != NO_BLOCK)
            set_block(k, next++, block, a);
    }
    if (k->backing.sync && !a->failed && !k->backing.sync(k->backing.self))
        archive_fail(a, "a disk cannot be written");
}

static void disk_archive(struct device *d, struct archive *a) {
    struct disk *k = disk_of(d);
    archive_same(a, k->blocks, "the size of a disk");
    archive_u32(a, &k->arm);
    archive_bool(a, &k->extent_defined);
    archive_u8(a, &k->mask);
    archive_u32(a, &k->extent_at);
    archive_u32(a, &k->extent_first);
    archive_u32(a, &k->extent_last);
    archive_u8(a, &k->operation);
    archive_u32(a, &k->next);
    archive_u32(a, &k->left);
    if (a->loading && (k->left > k->blocks || k->next > k->blocks - k->left || k->extent_last < k->extent_first ||
                       k->extent_at > k->blocks || k->extent_last - k->extent_first > k->blocks - k->extent_at)) {
        k->extent_defined = false;
        k->left = 0;
        archive_fail(a, "a disk is asked for blocks that it does not have");
    }
    if (k->part.whole)
        return; /* its blocks are another's */
    if (a->brief)
        archive_briefly(k, a);
    else if (a->loading)
        load_blocks(k, a);
    else
        save_blocks(k, a);
}

static void disk_free(struct device *d) {
    struct disk *k = disk_of(d);
    while (k->watches)
        disk_unwatch(k->watches);
    if (!k->part.whole)
        k->backing.free(k->backing.self);
    bytes_fini(&k->log);
    free(k);
}

static const struct device_ops disk_ops = {
    .type = "3370", .command = disk_command, .free = disk_free, .archive = disk_archive, .remember = disk_remember};

static struct disk *make(const struct cost_model *model, uint32_t blocks) {
    struct disk *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    k->device.ops = &disk_ops;
    k->device.sense_length = 24;
    k->blocks = blocks;
    k->seek_cycles = model->disk_seek;
    k->cylinder_cycles = model->disk_cylinder;
    k->latency_cycles = model->disk_latency;
    k->block_cycles = model->disk_block;
    return k;
}

struct device *disk_new(const struct cost_model *model, const struct disk_backing *backing) {
    struct disk *k = make(model, backing->blocks);
    if (!k) {
        backing->free(backing->self);
        return NULL;
    }
    k->backing = *backing;
    return &k->device;
}

struct device *disk_part_new(const struct cost_model *model, const struct disk_part *part) {
    struct disk *k = make(model, part->blocks);
    if (!k)
        return NULL;
    k->part = *part;
    return &k->device;
}

uint32_t disk_blocks(const struct device *d) { return d && d->ops == &disk_ops ? disk_of(d)->blocks : 0; }

const struct disk_backing *disk_backing_of(const struct device *d) {
    return d->ops == &disk_ops && !disk_of(d)->part.whole ? &disk_of(d)->backing : NULL;
}

bool disk_watch(struct device *d, struct disk_watch *w) {
    w->on = NULL;
    if (!disk_backing_of(d))
        return false;
    w->on = d;
    w->next = disk_of(d)->watches;
    disk_of(d)->watches = w;
    return true;
}

void disk_unwatch(struct disk_watch *w) {
    if (!w->on)
        return;
    struct disk_watch **at = &disk_of(w->on)->watches;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    w->on = NULL;
}

bool disk_read_block(struct device *d, uint32_t block, uint8_t to[DISK_BLOCK_BYTES]) {
    return d->ops == &disk_ops && read_block(disk_of(d), block, to);
}

bool disk_write_block(struct device *d, uint32_t block, const uint8_t from[DISK_BLOCK_BYTES]) {
    return d->ops == &disk_ops && write_block(disk_of(d), block, from) && sync_blocks(disk_of(d));
}
