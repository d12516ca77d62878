/* Efficiency, the third of Popek and Goldberg's three properties, in figures: innocuous instructions are executed by
 * the machine itself, without the monitor. */
#ifndef VMM_EFFICIENCY_H
#define VMM_EFFICIENCY_H

#include "vmm/vmm.h"

struct efficiency {
    uint64_t instructions; /* that the guest has retired */
    uint64_t interpreted;  /* of those, by its monitor */
    uint64_t traps;        /* that its monitor took while it ran */
    double native;         /* share of instructions that the machine executed itself, 0..1 */
    double traps_per_1000; /* of its instructions */
    double slowdown;       /* cycles of the bare machine for one that the same instructions take by themselves: of all
                            * that has run there, waiting left out */
};

/* So far. A hypervisor in assembler does not count traps by guest: those of all its guests are told, and its own cycles
 * are among those of the guests' instructions (they are executed). False: neither a guest of a monitor (vmm/vmm.h) nor
 * of a hypervisor that is seen through its map (vmm/map.h). */
bool efficiency_of(const struct machine *guest, struct efficiency *to);

#endif
