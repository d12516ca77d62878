/* The allocator: which frame of the monitor's machine belongs to whom.
 *
 * It decides at creation only, so far: a guest's frames are exclusive and contiguous, and stay its own until it goes.
 * So the real storage keys can be the guest's own, and a guest absolute address becomes a host real one by one
 * addition. Nothing but `frame` gives out a host real address of a guest's, and it gives out no other. */
#include "vmm/reference/reference.h"

static uint32_t frames_for(uint32_t bytes) { return (bytes + FRAME_BYTES - 1) / FRAME_BYTES; }

/* The first hole that is large enough. */
static int64_t take(struct frames *f, uint32_t bytes, unsigned owner) {
    uint32_t wanted = frames_for(bytes), run = 0;
    for (uint32_t frame = 0; frame < f->count; frame++) {
        run = f->owner[frame] == FRAME_FREE ? run + 1 : 0;
        if (run < wanted)
            continue;
        uint32_t first = frame + 1 - wanted;
        memset(f->owner + first, (int)owner, wanted);
        return (int64_t)first * FRAME_BYTES;
    }
    return -1;
}

static int64_t take_tables(struct vmm *v, unsigned guest, uint32_t bytes) {
    return take(&reference(v)->frames, bytes, FRAME_TABLES + guest);
}

static bool admit(struct vmm *v, unsigned guest, struct error *e) {
    struct reference *r = reference(v);
    const struct virtual_machine *vm = monitor_guest(v, guest);
    int64_t storage = take(&r->frames, vm->memory, FRAME_GUEST + guest);
    if (storage < 0)
        return error_set(e, ERROR_INPUT,
                         "the machine has %u KB, not enough in one piece for a guest of %u KB, which "
                         "needs %u KB with its tables",
                         r->frames.count * (FRAME_BYTES / 1024), vm->memory / 1024,
                         (reference_monitor.bytes(monitor_options(v), vm->memory, vm->cpus) +
                          (guest == 0 ? monitor_machine(v).cpus * FRAME_BYTES : 0)) /
                             1024);
    r->frames.origin[guest] = (uint32_t)storage;
    r->frames.memory[guest] = vm->memory;
    return true;
}

static bool disk(struct vmm *v, uint16_t host_address, struct error *e) {
    struct reference *r = reference(v);
    if (channel_program_disk(r, host_address))
        return true;
    if (r->disks == DISKS_MOST)
        return error_set(e, ERROR_INPUT, "the guests of a monitor have parts of at most %d disks", DISKS_MOST);
    int64_t at = take(&r->frames, PROGRAM_BYTES, FRAME_MONITOR);
    if (at < 0)
        return error_set(
            e, ERROR_INPUT,
            "the machine has %u KB, and no %d KB in one piece are left for the channel programs of its disk",
            r->frames.count * (FRAME_BYTES / 1024), PROGRAM_BYTES / 1024);
    r->disk[r->disks++] = (struct host_disk){.address = host_address, .program.base = (uint32_t)at};
    return true;
}

static void release(struct vmm *v, unsigned guest) {
    struct frames *f = &reference(v)->frames;
    for (uint32_t frame = 0; frame < f->count; frame++)
        if (f->owner[frame] == FRAME_GUEST + guest || f->owner[frame] == FRAME_TABLES + guest)
            f->owner[frame] = FRAME_FREE;
    f->memory[guest] = 0;
}

static int64_t frame(const struct vmm *v, unsigned guest, uint32_t absolute) {
    const struct frames *f = &reference(v)->frames;
    return absolute < f->memory[guest] ? (int64_t)f->origin[guest] + absolute : -1;
}

static void pin(struct vmm *v, uint32_t host) { reference(v)->frames.pins[host / FRAME_BYTES]++; }
static void unpin(struct vmm *v, uint32_t host) { reference(v)->frames.pins[host / FRAME_BYTES]--; }

uint32_t allocator_bytes(const struct monitor_options *o, uint32_t memory) {
    (void)o;
    return frames_for(memory) * FRAME_BYTES;
}

static int owner(const struct vmm *v, uint32_t host) {
    const struct frames *f = &reference(v)->frames;
    unsigned owner = host / FRAME_BYTES < f->count ? f->owner[host / FRAME_BYTES] : FRAME_FREE;
    if (owner == FRAME_FREE)
        return OWNER_NOBODY;
    return owner >= FRAME_GUEST && owner < FRAME_TABLES ? (int)owner - FRAME_GUEST : OWNER_MONITOR;
}

const struct monitor_allocator reference_allocator = {
    .take = take_tables,
    .admit = admit,
    .release = release,
    .disk = disk,
    .frame = frame,
    .owner = owner,
    .pin = pin,
    .unpin = unpin,
};

void allocator_archive(struct vmm *v, struct archive *a) {
    struct frames *f = &reference(v)->frames;
    archive_same(a, f->count, "the number of frames");
    for (unsigned n = 0; n < monitor_guests(v); n++) {
        archive_same(a, f->origin[n], "where a guest's storage is");
        archive_same(a, f->memory[n], "the storage of a guest");
    }
    if (a->loading)
        memset(f->pins, 0, sizeof f->pins); /* by those who hold them, each again */
}
