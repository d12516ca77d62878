/* Towers whose monitors are asked to work in a certain way, and guests that come from files and from other tests. */
#ifndef TESTS_VMM_TOWERS_H
#define TESTS_VMM_TOWERS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/random.h"
#include "isa/assembler.h"
#include "isa/disk.h"
#include "isa/machine.h"
#include "tests/support/unit.h"
#include "vmm/vmm.h"

/* As tower_new, but all its monitors have these options. `inner` is the innermost machine's. */
static inline void towers_build_of(struct tower *t, const struct machine_options *inner, const char *const *kinds,
                                   unsigned depth, const struct monitor_options *monitors) {
    struct error e = ERROR_CLEAR;
    struct machine_options bare = *inner;
    *t = (struct tower){0};
    if (depth > 0) {
        bare.memory_bytes += depth * vmm_host_bytes(0);
        bare.console_line = bare.printer_line = NULL;
    }
    t->bare = t->innermost = machine_new(&bare, &e);
    if (!t->bare)
        fail_msg("%s", e.text);
    for (unsigned n = 0; n < depth; n++) {
        struct guest_options guest = {.memory_bytes = inner->memory_bytes + (depth - n - 1) * vmm_host_bytes(0)};
        if (n + 1 == depth) {
            guest.console_line = inner->console_line;
            guest.line_self = inner->line_self;
        }
        t->monitor[n] = vmm_new_with(t->innermost, kinds[n], monitors, &e);
        t->innermost = t->monitor[n] ? vmm_guest(t->monitor[n], &guest, &e) : NULL;
        if (!t->innermost)
            fail_msg("%s", e.text);
        t->count++;
    }
}

static inline void towers_build(struct tower *t, const struct machine_options *inner, unsigned depth,
                                const struct monitor_options *monitors) {
    const char *kinds[TOWER_MOST];
    for (unsigned n = 0; n < TOWER_MOST; n++)
        kinds[n] = "trap-and-emulate";
    towers_build_of(t, inner, kinds, depth, monitors);
}

static inline void towers_load(struct machine *m, struct assembly *a, bool assembled, const struct error *why) {
    struct error e = ERROR_CLEAR;
    if (!assembled) {
        struct bytes text = {0};
        assembly_print_diagnostics(a, &text);
        fail_msg("%s\n%.*s", why->text, (int)text.length, (const char *)text.data);
    }
    if (!machine_load(m, a->origin, a->image.data, a->image.length, &e))
        fail_msg("%s", e.text);
    assembly_fini(a);
}

static inline void towers_load_source(struct machine *m, const char *source) {
    struct error e = ERROR_CLEAR;
    struct assembly a;
    bool ok = assemble(&a, "guest.s", source, strlen(source), NULL, &e);
    towers_load(m, &a, ok, &e);
}

static inline void towers_load_nucleus(struct machine *m) {
    struct error e = ERROR_CLEAR;
    struct assembly a;
    bool ok = assemble_file(&a, SOURCE_DIR "/scenarios/guests/nucleus.s", NULL, &e);
    towers_load(m, &a, ok, &e);
}

enum { NUCLEUS_BLOCKS = 1216, NUCLEUS_DONE = 0xFFF };

static inline void towers_disk(struct tower *t, uint32_t blocks) {
    struct error e = ERROR_CLEAR;
    struct disk_backing disk;
    if (!disk_backing_memory(&disk, blocks, &e) || !tower_disk(t, &disk, &e))
        fail_msg("%s", e.text);
}

#endif
