/* Monitors that are wrong in one thing: the reference monitor with one routine replaced, or with one lie about what
 * interrupted it. The checkers have to find each. */
#ifndef TESTS_SUPPORT_MUTANTS_H
#define TESTS_SUPPORT_MUTANTS_H

#include "vmm/module.h"

/* Copies of the reference parts, to be changed. */
struct mutant_parts {
    struct monitor_parts parts;
    struct monitor_dispatcher dispatcher;
    struct monitor_interpreter interpreter;
    struct monitor_shadow shadow;
    struct monitor_allocator allocator;
    interpreter_routine *routine[INSTRUCTION_COUNT];
};

struct mutant {
    const char *name;
    int focus; /* enum instruction_id: which instruction it is about; -1: none */
    enum mutant_found { FOUND_BY_PROGRAMS, FOUND_BY_ENTRIES, FOUND_BY_NUCLEUS } by;
    void (*make)(struct mutant_parts *to);
};

extern const struct mutant mutants[];
extern const unsigned mutant_count;
/* *to must stay where it is for as long as the monitor lives. */
void mutant_make(struct mutant_parts *to, const struct mutant *m);

#endif
