// clang-format off
/* The guests of a hypervisor in assembler as machines: seen through the map f that the hypervisor publishes.
 *
 * A hypervisor in assembler (scenarios/guests/hypervisor.s) is a program like any other; the simulator knows nothing of
 * it, and it makes its virtual machines from storage. But it says, in the page 0 of its own machine, where their parts
 * are. With that a guest can be looked at like every machine, a monitor in C can be put on it, and what passes while it
 * runs is booked to its level. Nothing that is executed depends on the map.
 *
 * The map, in real storage of the hypervisor's machine; words unless something else is said (docs/hypervisor.md):
 *
 *     200  number of guests, 1 to MAP_GUESTS_MOST       \  parameters: read, and set, before the hypervisor
 *     20C  bytes of storage of each guest, 8 words      /  is started
 *     204  how many spaces each guest has; 208  a time slice, microseconds
 *     22C  where the storage of guest 0 begins; the others' follow
 *     230  devices, eight rows of 16 bytes: guest (FF: each), flags (80: a disk in parts), its address for the guest and
 *          its real one (2 bytes each), two bytes; first block and number of blocks; 0 and 0: equal parts
 *     2B0  the characters HVF1 (EBCDIC)
 *     2B4  the VM blocks, one for each guest
 *     2B8  the length of one
 *     2BC  the block of the running guest
 *     2C0  the block that means: nobody, a wait
 *     2C4  offsets in a block, halfwords:
 *          2C4  general registers, 16 words
 *          2C6  PSW, in the format of EC mode; bit 12 tells the mode
 *          2C8  control registers, 16 words
 *          2CA  prefix
 *          2CC  origin of its storage, real
 *          2CE  size of its storage; 0: not started yet
 *          2D0  status, a byte: 0 can run, 1 waits, 2 disabled wait, 3 check-stop
 *          2D2  TOD clock minus the machine's, 8 bytes
 *          2D4  clock comparator, 8 bytes
 *          2D6  CPU timer plus the machine's TOD clock, 8 bytes
 *          2D8  address of the space in which it runs with DAT off, as it believes: of the shadow tables
 *          2DA  address of the others, one behind the other, as many as the word at 204 says
 *          2DC  instructions interpreted
 *          2DE  interruptions reflected, 7 words: restart, none, external, SVC, program, machine check, I/O
 *     2E0  counters of the hypervisor: program interruptions and SVCs, fills, purges, dispatches, waits, channel programs,
 *          spaces taken
 *     2FC  the length of a space, and where in it is what CR0 and CR1 of the machine are for it (8 bytes); halfwords
 *
 * Guest absolute address + origin = real address of the hypervisor's machine. While the guest runs, its registers,
 * condition code and instruction address are the CPU's; the block has them from when the hypervisor has saved them.
 * Contents that make no sense, addresses outside of storage too, give ACCESS_ADDRESSING, zeros, or no running guest. */
// clang-format on
#ifndef VMM_MAP_H
#define VMM_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "isa/machine.h"
#include "vmm/module.h"

enum { MAP_GUESTS_MOST = 8 };

/* Parts of a VM block, as the offsets follow each other. */
enum map_part {
    MAP_PART_GPR,
    MAP_PART_PSW,
    MAP_PART_CR,
    MAP_PART_PREFIX,
    MAP_PART_ORIGIN,
    MAP_PART_SIZE,
    MAP_PART_STATUS,
    MAP_PART_EPOCH,
    MAP_PART_COMPARATOR,
    MAP_PART_TIMER,
    MAP_PART_REAL_SPACE,
    MAP_PART_SPACES,
    MAP_PART_INTERPRETED,
    MAP_PART_INTERRUPTIONS,
    MAP_PARTS,
};

struct map;

/* The map of the hypervisor that was loaded into `on`, bare or virtual, with one CPU. NULL and *e when there is none,
 * what it says makes no sense, or `on` has a map or a monitor in C already. Freed, with its machines, by map_free,
 * before `on` is. */
struct map *map_new(struct machine *on, struct error *e);
void map_free(struct map *f);
/* The map of the hypervisor on this machine; NULL: none was made. */
struct map *map_on(const struct machine *m);
/* The map that this machine belongs to, and its number; NULL: none. */
struct map *map_of(const struct machine *guest, unsigned *number);

/* Its guest `number` as a machine; the second time it is the same one. memory_bytes: a multiple of 4 KB; before the
 * hypervisor is started the parameters are set so that the guest is there, and has so much; 0: as the parameters have
 * it. Guests before it must have a size then. Afterwards it is what the guest has. name: NULL: "guest" and the level.
 *
 * Before the start it can be loaded, and be given a supervisor. It starts with the hypervisor, by a restart;
 * machine_start_psw puts the PSW to 0, where that finds it. Its devices are those of the hypervisor's machine, which
 * gets what is raised for guest 0 (of others: nothing). Only cycles and instructions that the CPU executed directly
 * count as its nominal time. What the hypervisor did for it is counted when it gets control again: there a run until
 * its next trap stops. machine_only_seen is true of it. */
struct machine *map_guest(struct map *f, unsigned number, uint32_t memory_bytes, const char *name, struct error *e);

/* That guest, if it was asked for; NULL otherwise. */
struct machine *map_guest_at(const struct map *f, unsigned number);

/* The same map, with the same guests under these names, of a machine that is a copy of f's, or is going to be one: its
 * storage is not read. NULL and *e: no memory. */
struct map *map_copy(const struct map *f, struct machine *on, char names[MAP_GUESTS_MOST][MACHINE_NAME_BYTES],
                     struct error *e);

/* The hypervisor's own counters; zeros when they cannot be read. */
struct map_stats {
    uint64_t traps, shadow_faults, interpreted, reflected, dispatches;
};
void map_stats(const struct map *f, struct map_stats *to);
/* Of one guest what it counts by guest: interpreted, reflected; and all interruptions that its machine has had but for
 * the restart, as `traps`. False: not such a guest. */
bool map_guest_stats(const struct machine *guest, struct map_stats *to);

/* Which part of the disk at host_address of the hypervisor's machine, of host_blocks blocks, is the guest's disk at
 * this address: its first block there, and how many there are. False: it has none. */
bool map_disk(const struct machine *guest, uint16_t address, uint16_t host_address, uint32_t host_blocks,
              uint32_t *first, uint32_t *blocks);

/* Guest real page -> real page of the hypervisor's machine; -1: not the guest's. */
int64_t map_frame(const struct machine *guest, uint32_t guest_real);

/* Where a part of the guest's block is, in real storage of the hypervisor's machine, and how many bytes. False: it is
 * not seen through a map. */
bool map_part(const struct machine *guest, enum map_part which, uint32_t *real, uint32_t *bytes);
/* The guest's n-th device: its address for the guest, and that in the hypervisor's machine, which has one there. */
bool map_device_at(const struct machine *guest, unsigned n, uint16_t *address, uint16_t *host_address);

/* ---- What there is to be looked after (vmm/resources.h); all by the guest's number ---- */

struct machine *map_machine(const struct map *f);
unsigned map_guests(const struct map *f); /* that the parameters ask for, MAP_GUESTS_MOST at the most */
/* Where its storage begins, and how long it is; false: it was not started yet. */
bool map_storage(const struct map *f, unsigned guest, uint32_t *origin, uint32_t *bytes);
/* Whose storage begins first: what is before that is the hypervisor's. */
uint32_t map_first_storage(const struct map *f);
/* The n-th space of shadow tables, the one of real storage first: where it is, what CR0 and CR1 are when the guest runs
 * in it. False: there are no more. */
struct map_space {
    uint32_t at, bytes, cr0, cr1;
};
bool map_space(const struct map *f, unsigned guest, unsigned n, struct map_space *to);
/* The part of a disk that the n-th row of devices gives to the guest; false: it gives it none, as far as n <
 * MAP_DEVICES. `shared`: a row that gives the same to each. */
enum { MAP_DEVICES = 8 };
bool map_minidisk(const struct map *f, unsigned guest, unsigned n, struct minidisk *to);
/* Whether the map says that this guest has control. */
bool map_guest_runs(const struct machine *guest);
int map_running(const struct map *f);                /* who has control, by the map; -1: nobody */
bool map_ready(const struct map *f, unsigned guest); /* it could run */
uint64_t map_slice(const struct map *f);             /* cycles */

#endif
