/* Machines with hypervisors stacked on them in any order: monitors in C, and hypervisor.s, which is seen through its
 * map. */
#ifndef TESTS_SUPPORT_ORDERS_H
#define TESTS_SUPPORT_ORDERS_H

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "isa/assembler.h"
#include "isa/disk.h"
#include "isa/machine.h"
#include "tests/support/unit.h"
#include "vmm/map.h"
#include "vmm/vmm.h"

enum { ORDER_MOST = 4, ASSEMBLER_BYTES = 216 * 1024, ASSEMBLER_IMAGE_BYTES = 0x8000, ASSEMBLER_MAP = 0x2B0 };

struct order {
    struct machine *bare, *innermost;
    struct vmm *monitor[ORDER_MOST]; /* from the bare machine upward: one of each two is NULL */
    struct map *map[ORDER_MOST];
    unsigned count;
};

/* Loads a guest of the scenarios, such as "nucleus.s", into a machine. */
static inline void order_load(struct machine *m, const char *file) {
    struct error e = ERROR_CLEAR;
    struct assembly a;
    char path[512];
    snprintf(path, sizeof path, "%s/scenarios/guests/%s", SOURCE_DIR, file);
    if (!assemble_file(&a, path, NULL, &e)) {
        struct bytes text = {0};
        assembly_print_diagnostics(&a, &text);
        fail_msg("%s\n%.*s", e.text, (int)text.length, (const char *)text.data);
    }
    if (!machine_load(m, a.origin, a.image.data, a.image.length, &e))
        fail_msg("%s", e.text);
    assembly_fini(&a);
}

static inline uint32_t overhead(char kind) { return kind == 'A' ? (uint32_t)ASSEMBLER_BYTES : vmm_host_bytes(0); }

static inline uint32_t overheads(const char *kinds) { return *kinds ? overhead(*kinds) + overheads(kinds + 1) : 0; }

static inline void add_assembler(struct order *o, uint32_t memory, struct error *e) {
    static uint8_t image[ASSEMBLER_IMAGE_BYTES]; /* assembled once */
    if (image[ASSEMBLER_MAP] == 0) {
        order_load(o->innermost, "hypervisor.s");
        machine_peek(o->innermost, 0, image, sizeof image);
    }
    machine_poke(o->innermost, 0, image, sizeof image);
    struct map *f = o->map[o->count] = map_new(o->innermost, e);
    o->innermost = f ? map_guest(f, 0, memory, NULL, e) : NULL;
}

static inline void add_monitor(struct order *o, char kind, uint32_t memory, const struct machine_options *lines,
                               uint32_t disk_blocks, struct error *e) {
    struct guest_options guest = {.memory_bytes = memory};
    const struct minidisk disk = {.address = ADDRESS_DISK, .host_address = ADDRESS_DISK, .blocks = disk_blocks};
    if (lines) {
        guest.console_line = lines->console_line;
        guest.line_self = lines->line_self;
    }
    struct vmm *v = o->monitor[o->count] = vmm_new(o->innermost, kind == 'H' ? "hybrid" : "trap-and-emulate", e);
    o->innermost = v ? vmm_guest(v, &guest, e) : NULL;
    if (o->innermost && disk_blocks && !vmm_minidisk(o->innermost, &disk, e))
        o->innermost = NULL;
}

/* `kinds` has a letter for each, from the bare machine upward: C for a monitor in C, H for a hybrid one, A for
 * hypervisor.s. `inner` is the innermost machine's, its console lines those of the machine whose console is written.
 * disk_blocks: of the disk 150 that all of them have; 0: none. It fails the test when that does not work. */
static inline void order_new(struct order *o, const char *kinds, const struct machine_options *inner,
                             uint32_t disk_blocks) {
    struct error e = ERROR_CLEAR;
    struct disk_backing disk;
    struct machine_options bare = *inner;
    const char *last = kinds + strlen(kinds); /* whose guest writes on a console of its own */
    *o = (struct order){0};
    bare.memory_bytes += overheads(kinds);
    while (last > kinds && last[-1] == 'A')
        last--;
    last = last > kinds ? last - 1 : NULL;
    if (last)
        bare.console_line = bare.printer_line = NULL;
    o->bare = o->innermost = machine_new(&bare, &e);
    if (!o->bare || (disk_blocks && (!disk_backing_memory(&disk, disk_blocks, &e) ||
                                     !machine_attach(o->bare, ADDRESS_DISK, disk_new(bare.model, &disk), &e))))
        fail_msg("%s", e.text);
    for (const char *kind = kinds; *kind; kind++, o->count++) {
        uint32_t memory = inner->memory_bytes + overheads(kind + 1);
        if (*kind == 'A')
            add_assembler(o, memory, &e);
        else
            add_monitor(o, *kind, memory, kind == last ? inner : NULL, disk_blocks, &e);
        if (!o->innermost)
            fail_msg("%s: %s", kinds, e.text);
    }
}

/* Starts it, and runs it to the end: the innermost machine's status. */
static inline enum machine_status order_run(struct order *o, uint64_t instructions) {
    machine_restart(o->bare);
    return machine_run(o->innermost, &(struct machine_limits){.instructions = instructions});
}

static inline void order_free(struct order *o) {
    while (o->count > 0) {
        o->count--;
        vmm_free(o->monitor[o->count]);
        map_free(o->map[o->count]);
    }
    machine_free(o->bare);
    *o = (struct order){0};
}

#endif
