#include "vmm/efficiency.h"

bool efficiency_of(const struct machine *guest, struct efficiency *to) {
    struct vmm_stats monitor;
    struct machine_stats own;
    if (!vmm_guest_stats(guest, &monitor))
        return false;
    machine_stats(guest, &own);
    uint64_t idle = 0;
    for (int level = 0; level <= machine_level(guest); level++)
        idle += machine_booked(guest, level, CAUSE_IDLE);
    uint64_t waited = machine_booked(guest, machine_level(guest), CAUSE_IDLE); /* the guest's own time goes on then */
    uint64_t worked = own.nominal_cycles > waited ? own.nominal_cycles - waited : 0;
    double retired = own.instructions ? (double)own.instructions : 1;
    *to = (struct efficiency){.instructions = own.instructions,
                              .interpreted = monitor.interpreted,
                              .traps = monitor.traps,
                              .native = 1 - (double)monitor.interpreted / retired,
                              .traps_per_1000 = 1000 * (double)monitor.traps / retired,
                              .slowdown = worked ? (double)(own.cycles - idle) / (double)worked : 1};
    return true;
}
