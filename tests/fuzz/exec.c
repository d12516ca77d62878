/* Anybody's bytes as a storage image, bare and under two monitors, with the same bytes on a disk and in the card
 * reader: whatever they do, the simulator survives, stops at its limit, and its books add up. The last byte chooses how
 * the machine is started, the channels' conditions, and whether the disk is the guest's own or a part of the bare
 * machine's. */
#include <stdint.h>
#include <stdlib.h>

#include "isa/disk.h"
#include "vmm/vmm.h"

enum { MEMORY = 65536, INSTRUCTIONS = 3000, CYCLES = 3000000, BLOCKS = 64 };
enum {
    CHOOSE_ARCHITECTURE = 1,
    CHOOSE_LOAD = 2,
    CHOOSE_DISK = 4,
    CHOOSE_END_OF_DECK = 8,
    CHOOSE_MINIDISK = 16
}; /* in the last byte */

static void attach(struct tower *t, const uint8_t *data, size_t size, uint8_t choice) {
    struct machine *m = t->innermost;
    struct disk_backing b;
    struct error e = ERROR_CLEAR;
    if (!disk_backing_memory(&b, BLOCKS, &e))
        abort();
    for (uint32_t block = 0; block < BLOCKS && (block + 1) * (size_t)DISK_BLOCK_BYTES <= size; block++)
        b.write(b.self, block, data + block * DISK_BLOCK_BYTES);
    if (!(choice & CHOOSE_MINIDISK ? tower_disk(t, &b, &e)
                                   : machine_attach(m, ADDRESS_DISK, disk_new(machine_model(m), &b), &e)))
        abort();
    reader_load(machine_device(m, ADDRESS_READER), data, size / READER_COLUMNS * READER_COLUMNS,
                choice & CHOOSE_END_OF_DECK, &e);
}

static void start(struct machine *m, uint8_t choice) {
    struct error e = ERROR_CLEAR;
    if (choice & CHOOSE_LOAD)
        machine_ipl(m, choice & CHOOSE_DISK ? ADDRESS_DISK : ADDRESS_READER, LOAD_NORMAL, &e);
    else
        machine_restart(m);
}

static void run(const uint8_t *data, size_t size, unsigned monitors) {
    static const char *const kinds[] = {"trap-and-emulate", "trap-and-emulate"};
    struct cost_model model;
    struct error e = ERROR_CLEAR;
    struct tower t;
    struct machine_limits limits = {.instructions = INSTRUCTIONS, .cycles = CYCLES};
    struct machine_options options = {.memory_bytes = MEMORY, .model = &model, .nominal_time = true};
    struct machine_stats stats;
    uint64_t booked = 0;
    uint8_t choice = size ? data[size - 1] : 0;
    options.channel_conditions = choice & CHOOSE_ARCHITECTURE ? CHANNEL_CONDITIONS_ARCHITECTURE : 0;
    if (!cost_model_find(&model, "s370", &e) || !tower_new(&t, &options, kinds, monitors, &e))
        abort();
    machine_load(t.innermost, 0, data, size < MEMORY ? size : MEMORY, &e);
    attach(&t, data, size, choice);
    start(t.innermost, choice);
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
