/* hypervisor.s as it is, or with some of its text altered: a hypervisor that is wrong in one thing. */
#ifndef TESTS_SUPPORT_ALTERED_H
#define TESTS_SUPPORT_ALTERED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "isa/assembler.h"
#include "isa/machine.h"
#include "tests/support/unit.h"

/* Assembles a text, and loads it. */
static inline void altered_load(struct machine *m, const char *text, size_t length) {
    struct error e = ERROR_CLEAR;
    struct assembly a;
    if (!assemble(&a, "program.s", text, length, NULL, &e)) {
        struct bytes diagnostics = {0};
        assembly_print_diagnostics(&a, &diagnostics);
        fail_msg("%s\n%.*s", e.text, (int)diagnostics.length, (const char *)diagnostics.data);
    }
    if (!machine_load(m, a.origin, a.image.data, a.image.length, &e))
        fail_msg("%s", e.text);
    assembly_fini(&a);
}

/* hypervisor.s with a part changed; `from` stands in it once. NULL: as it is. To be freed. */
static inline char *altered_text(const char *from, const char *to) {
    struct bytes text = {0};
    struct error e = ERROR_CLEAR;
    if (!bytes_read_file(&text, SOURCE_DIR "/scenarios/guests/hypervisor.s", 1 << 20, &e))
        fail_msg("%s", e.text);
    bytes_append(&text, "", 1);
    char *source = (char *)text.data, *at = from ? strstr(source, from) : NULL;
    if (!from)
        return source;
    if (!at || strstr(at + 1, from))
        fail_msg("\"%s\" stands %s in hypervisor.s", from, at ? "more than once" : "nowhere");
    char *changed = malloc(strlen(source) + strlen(to) + 1);
    sprintf(changed, "%.*s%s%s", (int)(at - source), source, to, at + strlen(from));
    free(source);
    return changed;
}

#endif
