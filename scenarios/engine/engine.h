/* The scenario engine: runs one Lua 5.4 file over everything below, in a sandbox with budgets.
 *
 * A scenario can make machines, put monitors on them, assemble guests, run them, look inside, and check what it
 * expects; what it cannot do is reach the host: no files but those beside it (read only), no clock, no randomness but
 * the seed's, no compiled chunks. Everything it makes lives until the engine is freed or the scenario lets go of it.
 * The API is documented in docs/lua-api.md; each binding file lua_<layer>.c ends in one table of its functions. */
#ifndef SCENARIOS_ENGINE_ENGINE_H
#define SCENARIOS_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct engine;

/* What a run may use up; 0 stands for the default. All of them are counts, never seconds. */
struct engine_budgets {
    uint64_t lua_instructions;     /* of Lua's virtual machine, and what library calls are charged: about as many as
                                    * would take the same time; 500 million */
    uint64_t lua_bytes;            /* of Lua's memory; 256 MB */
    uint64_t machine_instructions; /* simulated, interruptions counted too, over all machines; 2 billion */
    uint64_t storage_bytes;        /* storage of all bare machines and disks alive; 4 GB (an untouched page or
                                    * block costs nothing) */
    uint64_t output_bytes;         /* that the scenario prints, and that its machines write to consoles; 64 MB each */
};

/* Zero-initialise; everything may stay 0. All pointers are borrowed until engine_free. */
struct engine_options {
    uint64_t seed;
    const char *const *arguments; /* after `--`, the scenario's `args` */
    unsigned argument_count;
    const char *trace_path; /* JSON lines of every event of every machine, written by engine_finish */
    const char *library;    /* a folder more where paths are looked up, after the scenario's own; NULL: none */
    struct engine_budgets budgets;
    /* Takes what the scenario prints, UTF-8 text, whole lines or parts of lines. NULL: nowhere. */
    void (*output)(void *self, const char *text, size_t length);
    /* Takes the lines that explain an error in detail (an assembler's diagnostics). NULL: nowhere. */
    void (*detail)(void *self, const char *text, size_t length);
    /* Asked at least every 100 Lua instructions, and in the middle of long library calls; true ends the run like an
     * exhausted budget. May be NULL. */
    bool (*interrupted)(void *self);
    void *self;
    bool color; /* verdicts may be coloured */
};

/* NULL and *e when there is no memory or the trace cannot be written. */
struct engine *engine_new(const struct engine_options *options, struct error *e);
void engine_free(struct engine *engine);

/* Runs a scenario; one per engine. False and *e when it ended with an error (ERROR_INPUT, with file and line), by a
 * budget (ERROR_BUDGET) or because a monitor of ours went wrong (ERROR_INTERNAL). A failed check or expectation is no
 * error: engine_results tells. */
bool engine_run_file(struct engine *engine, const char *path, struct error *e);
/* The same for text; `name` stands in messages, and its folder is where paths are looked up. */
bool engine_run_text(struct engine *engine, const char *name, const char *text, size_t length, struct error *e);
/* Ends the run: closes the trace. False and *e when it could not be written. */
bool engine_finish(struct engine *engine, struct error *e);

/* A check, or an expectation that stood outside of any. */
struct engine_check {
    const char *name;
    double points, most; /* got, and possible */
    bool passed;
    const char *message; /* what was expected, what was there, and the line; "" when it passed */
};
struct engine_results {
    size_t check_count, failed_count;
    double points, most;
    const struct engine_check *checks;
    uint64_t lua_instructions, machine_instructions; /* used up */
};
/* The results so far; borrowed from the engine. */
void engine_results(const struct engine *engine, struct engine_results *to);

/* The binding's functions with their lines of help, for docs and the terminal UI: entry i, false past the last. `where`
 * is the table or the class they belong to, "" for globals. */
bool engine_help(size_t i, const char **where, const char **name, const char **help);

#endif
