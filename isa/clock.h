/* Clocks: how readings follow from a number of cycles (docs/cost-models.md). */
#ifndef ISA_CLOCK_H
#define ISA_CLOCK_H

#include <stdint.h>

/* TOD units (bit 63 = 1/4096 us) after n cycles, rounded down, and the cycle that a reading belongs to:
 * strictly increasing, so the second undoes the first (docs/cost-models.md). */
static inline uint64_t clock_units(uint64_t cycles) { return cycles / 100 * 47104 + cycles % 100 * 47104 / 100; }
static inline uint64_t clock_cycles(uint64_t units) {
    return units / 47104 * 100 + (units % 47104 * 100 + 47103) / 47104;
}

/* Ticks of the interval timer, 300 a second, in the first n cycles, and the first cycle with that many. */
static inline uint64_t clock_ticks(uint64_t cycles) { return cycles / 2000000 * 69 + cycles % 2000000 * 69 / 2000000; }
static inline uint64_t clock_tick_at(uint64_t ticks) { return ticks / 69 * 2000000 + (ticks % 69 * 2000000 + 68) / 69; }

#endif
