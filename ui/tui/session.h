/* Session: a scenario that is run, and held at any moment to be looked at: what can be done with it, without a screen.
 *
 * The scenario runs as under `cloud370 run`; but where it asks for a machine to be run, the session takes the reins:
 * the user steps, goes back, and looks around as long as he likes. However he gets there, the scenario goes on from
 * exactly the state in which its run would have ended by itself, and its event handlers have heard everything once
 * (unless he has changed something with a Lua command: then from what he made of it). */
#ifndef UI_TUI_SESSION_H
#define UI_TUI_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/trace.h"
#include "isa/history.h"
#include "isa/machine.h"
#include "isa/source_map.h"
#include "scenarios/engine/engine.h"
#include "vmm/follow.h"
#include "vmm/square.h"
#include "vmm/story.h"

struct session;

struct session_options {
    const char *path;    /* of the scenario */
    const char *text;    /* the scenario itself, named by `path`; NULL: it is in that file */
    const char *library; /* as in engine_options */
    uint64_t seed;
    const char *const *arguments;
    unsigned argument_count;
    /* Called when the session is held: it does what the user wants, and returns when the scenario is to go on
     * (session_resume was called, or session_quit). */
    void (*interact)(void *self);
    /* Asked every few thousand instructions while a machine runs, or Lua does: true stops. */
    bool (*interrupted)(void *self);
    void *self;
};

struct session *session_new(const struct session_options *o, struct error *e);
void session_free(struct session *s);
/* Runs the scenario, and at its end holds once more. False and *e: it ended with an error; session_results all the
 * same. */
bool session_run(struct session *s, struct error *e);

/* ---- What there is ---- */

enum session_phase {
    SESSION_RUNS,  /* a run of the scenario is in progress */
    SESSION_OVER,  /* it has come to its end: the scenario would go on now */
    SESSION_ENDED, /* the scenario has ended; the machines are there */
    SESSION_EMPTY, /* and there are none */
};
enum session_phase session_phase(const struct session *s);
struct engine *session_engine(const struct session *s);
/* The machine that is looked at; NULL: there is none. And choosing another. */
struct machine *session_machine(const struct session *s);
void session_choose(struct session *s, struct machine *m);
/* The machine whose run the scenario asked for; the chosen one otherwise. */
struct machine *session_asked(const struct session *s);
/* The n-th machine of the tree of the chosen one, from the bare machine upward; NULL: there are no more. */
struct machine *session_tree(const struct session *s, size_t n);
/* Which machine is executing: the innermost one that runs; the bare one otherwise. */
struct machine *session_running(const struct session *s);
/* State of CPU 0 of a machine of the tree as it was before the last command; false: it was not there. */
bool session_before(const struct session *s, const struct machine *m, struct machine_state *to);
/* How many commands there have been that could change a machine. */
uint64_t session_commands(const struct session *s);
/* Cycles that the last command has cost, by level and cause of the books; less than 0: it went back. */
int64_t session_cost(const struct session *s, int level, enum cycle_cause cause);
/* Whether it has been moved, or another one chosen, since this was last asked. */
bool session_moved(struct session *s);
/* Address of the instruction of the chosen machine that the last command executed, when it was one; -1: it was not. */
int64_t session_done(const struct session *s);
/* What the scenario printed so far; what happened last, one line ("": nothing to say); how the scenario ended. */
const struct bytes *session_output(const struct session *s);
const char *session_message(const struct session *s);
const struct error *session_error(const struct session *s);

/* Where we are, on the way that is known. In positions (isa/history.h). */
struct session_place {
    uint64_t position, first, last;
    uint64_t steps;  /* instructions and interruptions of the chosen machine */
    uint64_t cycles; /* of the bare machine */
    double rate;     /* instructions of the bare machine a second, in the last command that took long; 0: none did */
};
void session_place(const struct session *s, struct session_place *to);

/* ---- Events: traps and what was done about them, of the tree that is looked at; the last SESSION_EVENTS ---- */

enum { SESSION_EVENTS = 16384, SESSION_TEXT = 28 };
struct session_event {
    enum trace_kind kind;
    int level;
    struct machine *machine;
    uint64_t cycle, a, b, c;
    uint64_t position; /* when it happened (isa/history.h) */
    char text[SESSION_TEXT];
};
size_t session_events(const struct session *s);
const struct session_event *session_event(const struct session *s, size_t n); /* 0: the oldest */

/* The story of the chosen machine's last trap (vmm/story.h), where hypervisors in assembler are among the programs
 * below it: other monitors tell what they do in events. It is kept from when it is first asked for; after a long run,
 * or going back, what happened just before is told again for it, which takes some milliseconds. False: there is none.
 */
bool session_story(struct session *s, struct story_trap *to);

/* Whether f(e(S)) = e'(f(S)) held for the chosen guest's last step (vmm/square.h), which was the last command. From
 * when it is first asked for, single steps are checked. NULL: it is not known; *why, one line. */
const struct square *session_square(struct session *s, const char **why);
/* The chosen guest's last write to its disk, followed down (vmm/follow.h), since it was first asked for, or the machine
 * was taken back. NULL: there was none. */
const struct follow_write *session_write(struct session *s);

/* ---- Commands. Each returns how it stopped; session_message says it in words. ---- */

enum session_stop {
    STOPPED_THERE, /* where it was asked to */
    STOPPED_BREAKPOINT,
    STOPPED_OVER,        /* the scenario's run is over */
    STOPPED_ENDED,       /* the machine stopped */
    STOPPED_INTERRUPTED, /* by the user */
    STOPPED_REFUSED,     /* nothing was done */
};

/* n instructions (or interruptions) of the chosen machine. */
enum session_stop session_step(struct session *s, uint64_t n);
/* The same, but an SVC, a call of a subroutine, and what a monitor does are one step: to the instruction behind. */
enum session_stop session_over(struct session *s);
/* To behind the chosen machine's next trap: of a bare machine its next interruption; of a virtual one, when it has
 * control again after whatever its monitor did. */
enum session_stop session_trap(struct session *s);
/* To the next interruption that the chosen machine takes, or is given by its monitor. */
enum session_stop session_interruption(struct session *s);
/* Until another machine executes than now. */
enum session_stop session_level(struct session *s);
/* To the instruction of the chosen machine at this address. */
enum session_stop session_until(struct session *s, uint32_t address);
/* To the next breakpoint, or the end of the scenario's run. */
enum session_stop session_continue(struct session *s);
/* The same backwards. n instructions; to the last trap, before anything was done about it; to the last breakpoint, or
 * the beginning of the scenario's run. */
enum session_stop session_back(struct session *s, uint64_t n);
enum session_stop session_back_to_trap(struct session *s);
enum session_stop session_reverse(struct session *s);
/* To a position. */
enum session_stop session_go(struct session *s, uint64_t position);
/* Lets the scenario go on: from where its run ends. With `all` it is not held any more until its end. */
void session_resume(struct session *s, bool all);
bool session_resumed(const struct session *s);
/* Ends it. */
void session_quit(struct session *s);

/* Evaluates Lua at this place (engine_evaluate); false and *e. */
bool session_evaluate(struct session *s, const char *text, struct bytes *to, struct error *e);

/* ---- Breakpoints ---- */

enum breakpoint_kind {
    BREAK_ADDRESS,   /* in front of the instruction there */
    BREAK_CLASS,     /* in front of an instruction of these classes; or with this mnemonic */
    BREAK_TRAP,      /* behind an interruption of this class, and code (-1: any) */
    BREAK_STORE,     /* behind a change of these bytes of real storage */
    BREAK_CONDITION, /* where a Lua expression becomes true */
};
enum { BREAKPOINTS_MOST = 32, WATCH_BYTES = 16, CONDITION_BYTES = 120 };
struct breakpoint {
    enum breakpoint_kind kind;
    unsigned number;         /* by which it is named */
    struct machine *machine; /* whose; not NULL */
    bool off;
    uint64_t hits;
    uint32_t address, length;
    unsigned classes;       /* enum instruction_class, OR-ed; 0: by mnemonic */
    bool critical;          /* of those classes only what is not privileged */
    int instruction;        /* enum instruction_id; -1: any of the classes */
    int interruption, code; /* enum interruption_class; the code, -1: any */
    char condition[CONDITION_BYTES];
    /* The rest is the session's. */
    uint8_t bytes[WATCH_BYTES];
    uint64_t count;
    bool held;
};
size_t session_breakpoints(const struct session *s);
const struct breakpoint *session_breakpoint(const struct session *s, size_t n);
/* Adds one: its number; 0 and *e. */
unsigned session_break(struct session *s, const struct breakpoint *b, struct error *e);
/* Takes it away, or turns it off and on. False: there is none. */
bool session_unbreak(struct session *s, unsigned number);
bool session_toggle(struct session *s, unsigned number);

#endif
