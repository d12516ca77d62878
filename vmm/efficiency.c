#include "vmm/efficiency.h"

#include "vmm/map.h"

static bool counts_of(const struct machine *guest, uint64_t *interpreted, uint64_t *traps) {
    struct vmm_stats monitor;
    struct map_stats hypervisor;
    if (vmm_guest_stats(guest, &monitor)) {
        *interpreted = monitor.interpreted;
        *traps = monitor.traps;
        return true;
    }
    if (!map_guest_stats(guest, &hypervisor))
        return false;
    *interpreted = hypervisor.interpreted;
    *traps = hypervisor.traps;
    return true;
}

bool efficiency_of(const struct machine *guest, struct efficiency *to) {
    uint64_t interpreted, traps;
    struct machine_stats own;
    if (!counts_of(guest, &interpreted, &traps))
        return false;
    machine_stats(guest, &own);
    uint64_t waited = machine_booked(guest, machine_level(guest), CAUSE_IDLE); /* the guest's own time goes on then */
    uint64_t worked = own.nominal_cycles > waited ? own.nominal_cycles - waited : 0;
    double retired = own.instructions ? (double)own.instructions : 1;
    *to = (struct efficiency){.instructions = own.instructions,
                              .interpreted = interpreted,
                              .traps = traps,
                              .native = 1 - (double)interpreted / retired,
                              .traps_per_1000 = 1000 * (double)traps / retired,
                              .slowdown = worked ? (double)machine_busy_cycles(guest) / (double)worked : 1};
    return true;
}
