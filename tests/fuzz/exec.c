/* Anybody's bytes as a storage image, bare and under two monitors: whatever they do, the simulator survives, stops at
 * its limit, and its books add up. */
#include <stdint.h>
#include <stdlib.h>

#include "vmm/vmm.h"

enum { MEMORY = 65536, INSTRUCTIONS = 3000, CYCLES = 3000000 };

static void run(const uint8_t *data, size_t size, unsigned monitors) {
    static const char *const kinds[] = {"trap-and-emulate", "trap-and-emulate"};
    struct cost_model model;
    struct error e = ERROR_CLEAR;
    struct tower t;
    struct machine_limits limits = {.instructions = INSTRUCTIONS, .cycles = CYCLES};
    struct machine_options options = {.memory_bytes = MEMORY, .model = &model, .nominal_time = true};
    struct machine_stats stats;
    uint64_t booked = 0;
    if (!cost_model_find(&model, "s370", &e) || !tower_new(&t, &options, kinds, monitors, &e))
        abort();
    machine_load(t.innermost, 0, data, size < MEMORY ? size : MEMORY, &e);
    machine_restart(t.innermost);
    if (machine_run(t.innermost, &limits) == MACHINE_FAULT)
        abort();
    machine_stats(t.bare, &stats);
    for (int level = 0; level < MACHINE_LEVELS; level++)
        booked += machine_booked_level(t.bare, level);
    if (booked != stats.cycles)
        abort();
    tower_free(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    for (unsigned monitors = 0; monitors <= 2; monitors++)
        run(data, size, monitors);
    return 0;
}
