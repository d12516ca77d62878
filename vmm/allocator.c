/* The allocator: which frame of the monitor's machine belongs to whom.
 *
 * It decides at creation only, so far: a guest's frames are exclusive and contiguous, and stay its own until it goes.
 * So the real storage keys can be the guest's own, and a guest absolute address becomes a host address by one addition.
 */
#include <string.h>

#include "vmm/vmm_internal.h"

void allocator_init(struct allocator *a, uint32_t memory_bytes) {
    memset(a->owner, FRAME_FREE, sizeof a->owner);
    a->frames = memory_bytes / VMM_FRAME_BYTES;
    a->owner[0] = FRAME_MONITOR;
}

int64_t allocator_take(struct allocator *a, uint32_t bytes, uint8_t owner) {
    uint32_t wanted = (bytes + VMM_FRAME_BYTES - 1) / VMM_FRAME_BYTES, run = 0;
    for (uint32_t frame = 0; frame < a->frames; frame++) {
        run = a->owner[frame] == FRAME_FREE ? run + 1 : 0;
        if (run == wanted) {
            uint32_t first = frame + 1 - wanted;
            memset(a->owner + first, owner, wanted);
            return (int64_t)first * VMM_FRAME_BYTES;
        }
    }
    return -1;
}

void allocator_give_back(struct allocator *a, uint8_t owner) {
    for (uint32_t frame = 0; frame < a->frames; frame++)
        if (a->owner[frame] == owner)
            a->owner[frame] = FRAME_FREE;
}
