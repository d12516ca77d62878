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
struct history;
struct machine;
struct machine_limits;
struct source_map;
struct trace;

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

/* Who watches a scenario, and holds the reins of its machines: the terminal UI. */
struct engine_watcher {
    /* Does what machine_run does, in whatever steps; the machine must be left as machine_run leaves it, whatever was
     * looked at, and gone back to, meanwhile. The limits' `interrupted` is to be asked. A value of enum machine_status.
     */
    int (*run)(void *self, struct machine *m, const struct machine_limits *limits);
    /* The scenario closes this bare machine: it and all machines on it are gone when this returns. */
    void (*closing)(void *self, struct machine *bare);
    void *self;
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
    const struct engine_watcher *watcher; /* NULL: nobody watches */
    bool color;                           /* verdicts may be coloured */
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

/* ---- For the watcher. With one, machines live until they are closed, or the engine is freed. ---- */

/* The n-th machine, in the order of their making from level to level of each tree; NULL: there are no more. */
struct machine *engine_machine(const struct engine *engine, size_t n);
/* All events of all machines. */
struct trace *engine_trace(const struct engine *engine);
/* The history of the machine's tree, begun here with these options when it is not kept yet; it belongs to the engine.
 * NULL and *e as with history_new. */
struct history_options;
struct history *engine_history(struct engine *engine, struct machine *m, const struct history_options *o,
                               struct error *e);
/* The map of the program that was loaded last over this real address of the machine; NULL: none was. Valid until
 * something else is loaded. The n-th program of the machine, from the last on: engine_program. */
const struct source_map *engine_source(const struct engine *engine, const struct machine *m, uint32_t real);
const struct source_map *engine_program(const struct engine *engine, const struct machine *m, size_t n);
/* While it does again what it has done before, handlers of events hear nothing. */
void engine_again(struct engine *engine, bool again);
/* Hands the events that have been heard out to the handlers, in the middle of a run. False when a handler went wrong:
 * the run is to return; the scenario will have the error then. */
bool engine_deliver(struct engine *engine);
/* Evaluates a Lua expression, or statements, as if they stood where the scenario is now: its local variables can be
 * read, `m` is the machine. What comes out is appended to *to, as text. It may use a hundredth of the budget of Lua
 * instructions. False and *e, one line: an error, or it was interrupted; the scenario goes on as if nothing had
 * happened. What it did to machines stays done. */
struct bytes;
bool engine_evaluate(struct engine *engine, struct machine *m, const char *text, struct bytes *to, struct error *e);
/* The same for a condition: 1 true, 0 false or nil, -1 and *e: an error. */
int engine_condition(struct engine *engine, struct machine *m, const char *text, struct error *e);

/* A lab: what the scenario tells a student beside what it shows, and looks for in what he does (docs/lua-api.md, lab).
 * The last that it gave; NULL: none. Borrowed from the engine; another `serial` is another lab. */
enum lab_granularity { LAB_INSTRUCTIONS, LAB_TRAPS, LAB_RUNS };
struct engine_lab_step {
    const char *name, *text;
    bool done;
    const char *message; /* why it is not done yet, when its check has said why; "" or NULL */
};
struct engine_lab {
    unsigned serial;
    const char *title, *text, *ending;
    enum lab_granularity granularity; /* the least that may be gone at once */
    size_t hide_count, check_count, step_count, done_count;
    const char **hide;   /* panes that are not to be seen */
    const char **checks; /* names of those to come */
    struct engine_lab_step *steps;
};
const struct engine_lab *engine_lab(const struct engine *engine);
/* What the student stands before: what its checks are given. Names, NULL: none. */
struct engine_lab_moment {
    struct machine *machine, *running;
    const char *command, *arguments, *pane;
};
/* Asks the check of the first step that is not done, and while they are, of those behind it. They only look. True: some
 * are done now that were not. */
bool engine_lab_look(struct engine *engine, const struct engine_lab_moment *now);

/* The binding's functions with their lines of help, for docs and the terminal UI: entry i, false past the last. `where`
 * is the table or the class they belong to, "" for globals. */
bool engine_help(size_t i, const char **where, const char **name, const char **help);

#endif
