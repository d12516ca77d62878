#include "ui/tui/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "isa/snapshot.h"
#include "isa/supervisor.h"

enum {
    REFILL = 20000, /* positions that are told again when the events of before are missing */
    SHORT = 1000,   /* a run of so many steps may be slower */
};

/* The run that the scenario asked for. */
struct asked_run {
    struct machine *m;
    struct machine_limits limits;
    uint64_t start;                /* position */
    uint64_t count, cycles, traps; /* of m, in the beginning */
    uint64_t at_address;           /* position at which m was found at until_address; UINT64_MAX: it was not */
    uint64_t heard;                /* up to this position handlers have heard everything */
    bool touched;                  /* a command has changed what there was */
};

struct session {
    struct session_options options;
    struct engine_watcher watcher;
    struct engine *engine;
    struct error error;
    struct bytes output;
    char message[256];

    struct machine *machine; /* chosen */
    struct asked_run run;
    bool running; /* run is in progress */
    bool ended;
    bool resumed, all, quit;
    bool dropped; /* the engine ends the run: there is nothing more to be done with it */

    struct machine_state before[MACHINE_LEVELS];
    struct machine *before_of[MACHINE_LEVELS];
    uint64_t booked[MACHINE_LEVELS][CAUSE_COUNT]; /* then, on the bare machine */
    int64_t done;
    uint64_t commands;
    double rate;
    const struct machine *told; /* session_moved was asked */
    uint64_t told_at;

    struct session_event *events; /* a ring */
    size_t first_event, event_count;
    struct machine *watched; /* the bare machine whose tree they are of */
    /* Of each level: a machine's name, as the last event had it, and that machine; NULL: it is of another tree. */
    const char *last_name[MACHINE_LEVELS];
    struct machine *last_machine[MACHINE_LEVELS];

    struct story *story; /* of the chosen machine's traps; NULL: not kept now */
    struct {
        struct square_check *check; /* of the chosen machine, which stands where it has left it; NULL: none */
        bool wanted, known;
        bool stopped; /* it did not come to the end of its step */
        uint64_t at;  /* position behind the step of `result`, or where `why` was said */
        struct square result;
        const char *why; /* it is not known */
    } square;
    struct follow *follow; /* of the chosen machine's disk; NULL: none */
    bool telling;          /* it is told again what the events have already */

    struct breakpoint breakpoints[BREAKPOINTS_MOST];
    size_t breakpoint_count;
    unsigned next_number;
    const struct breakpoint *hit;
    struct machine *level_of; /* a command ends when another machine executes; NULL: it does not */
    struct machine *trapping; /* a command ends when this machine has control again after a trap; NULL: not */
    uint64_t trapped;         /* traps of its host when it had it last */
    struct machine *target;   /* a command ends when this machine comes to `target_address`; NULL: not */
    uint32_t target_address;
    bool interrupted; /* by the user, */
    bool asked_back;  /* by the engine */
};

/* ---- Small questions ---- */

static uint64_t traps_of(const struct machine *m) {
    struct machine_stats stats;
    uint64_t sum = 0;
    machine_stats(m, &stats);
    for (int c = 0; c < INTERRUPTION_CLASSES; c++)
        sum += stats.interruptions[c];
    return sum;
}

static uint64_t count_of(const struct machine *m) {
    struct machine_stats stats;
    machine_stats(m, &stats);
    return stats.instructions + traps_of(m);
}

static uint64_t cycles_of(struct machine *m) {
    struct machine_stats stats;
    machine_stats(machine_bare(m), &stats);
    return stats.cycles;
}

static void say(struct session *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct session *s, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(s->message, sizeof s->message, format, arguments);
    va_end(arguments);
}

struct engine *session_engine(const struct session *s) {
    return s->engine;
}
struct machine *session_machine(const struct session *s) {
    return s->machine;
}
struct machine *session_asked(const struct session *s) {
    return s->running ? s->run.m : s->machine;
}
int64_t session_done(const struct session *s) { return s->done; }
const struct bytes *session_output(const struct session *s) { return &s->output; }
const char *session_message(const struct session *s) { return s->message; }
const struct error *session_error(const struct session *s) { return &s->error; }
bool session_resumed(const struct session *s) { return s->resumed || s->quit || s->dropped; }

static uint64_t at(const struct session *s) { return machine_position(machine_bare(s->machine)); }

struct machine *session_tree(const struct session *s, size_t n) {
    struct machine *m;
    for (size_t i = 0; s->machine && (m = engine_machine(s->engine, i)); i++)
        if (machine_bare(m) == machine_bare(s->machine) && n-- == 0)
            return m;
    return NULL;
}

struct machine *session_running(const struct session *s) {
    return s->machine ? machine_executing(s->machine, 0) : NULL;
}

bool session_before(const struct session *s, const struct machine *m, struct machine_state *to) {
    int level = machine_level(m);
    if (s->before_of[level] != m)
        return false;
    *to = s->before[level];
    return true;
}

int64_t session_cost(const struct session *s, int level, enum cycle_cause cause) {
    const struct machine *bare = s->machine ? machine_bare(s->machine) : NULL;
    return bare && s->before_of[0] == bare ? (int64_t)(machine_booked(bare, level, cause) - s->booked[level][cause])
                                           : 0;
}

/* Asked while the machine is run again, on the way back: whether the user wants it to stop is remembered. */
static bool stops_going_back(void *self) {
    struct session *s = self;
    if (s->options.interrupted && s->options.interrupted(s->options.self))
        s->interrupted = true;
    return s->interrupted || s->quit;
}

static struct history *history(struct session *s, struct error *e) {
    const struct history_options o = {.interrupted = stops_going_back, .self = s};
    return s->machine ? engine_history(s->engine, s->machine, &o, e) : NULL;
}

void session_place(const struct session *s, struct session_place *to) {
    struct history *h = history((struct session *)s, NULL);
    *to = (struct session_place){.rate = s->rate};
    if (!s->machine)
        return;
    to->position = at(s);
    to->first = h ? history_first(h) : to->position;
    to->last = h ? history_last(h) : to->position;
    to->steps = count_of(s->machine);
    to->cycles = cycles_of(s->machine);
}

uint64_t session_commands(const struct session *s) { return s->commands; }

bool session_moved(struct session *s) {
    struct machine *m = s->machine;
    uint64_t position = m ? at(s) : 0;
    bool moved = m != s->told || position != s->told_at;
    s->told = m;
    s->told_at = position;
    return moved;
}

/* ---- Events ---- */

size_t session_events(const struct session *s) { return s->event_count; }
const struct session_event *session_event(const struct session *s, size_t n) {
    return &s->events[(s->first_event + n) % SESSION_EVENTS];
}

static struct machine *machine_called(const struct session *s, const char *name) {
    struct machine *m;
    for (size_t n = 0; (m = engine_machine(s->engine, n)); n++)
        if (strcmp(machine_name(m), name) == 0)
            return machine_bare(m) == s->watched ? m : NULL;
    return NULL;
}

/* Whose events are noted from now on; NULL: nobody's. */
static void watch(struct session *s, struct machine *bare) {
    s->event_count = 0;
    s->watched = bare;
    memset(s->last_name, 0, sizeof s->last_name);
}

static void note_event(void *self, const struct trace_event *event) {
    struct session *s = self;
    if (s->telling)
        return;
    int level = event->level;
    if (event->machine != s->last_name[level]) {
        s->last_name[level] = event->machine;
        s->last_machine[level] = machine_called(s, event->machine);
    }
    if (!s->last_machine[level])
        return;
    size_t place = (s->first_event + s->event_count) % SESSION_EVENTS;
    if (s->event_count == SESSION_EVENTS)
        s->first_event = (s->first_event + 1) % SESSION_EVENTS;
    else
        s->event_count++;
    struct session_event *to = &s->events[place];
    *to = (struct session_event){.kind = event->kind,
                                 .level = event->level,
                                 .machine = s->last_machine[level],
                                 .cycle = event->cycle,
                                 .a = event->a,
                                 .b = event->b,
                                 .c = event->c,
                                 .position = machine_position(s->watched)};
    size_t length = event->text ? strlen(event->text) : 0;
    length = length < SESSION_TEXT ? length : SESSION_TEXT - 1;
    if (length)
        memcpy(to->text, event->text, length);
}

/* Drops the events of what has not happened yet. */
static void drop_events(struct session *s) {
    uint64_t now = cycles_of(s->machine);
    while (s->event_count && session_event(s, s->event_count - 1)->cycle > now)
        s->event_count--;
}

/* After going back: what happened just before is told again, where it is not known any more. */
static void refill_events(struct session *s) {
    struct history *h = history(s, NULL);
    drop_events(s);
    uint64_t now = at(s), from = now > REFILL ? now - REFILL : 0;
    if (!h || s->event_count > SESSION_EVENTS / 8)
        return;
    if (from < history_first(h))
        from = history_first(h);
    s->event_count = 0;
    struct error e = ERROR_CLEAR;
    engine_again(s->engine, true);
    if (!history_tell(h, from, &e))
        say(s, "%s", e.text);
    engine_again(s->engine, false);
}

/* ---- The story of the last trap ---- */

static void drop_story(struct session *s) {
    story_free(s->story);
    s->story = NULL;
}

/* The program of a hypervisor in assembler below m: the one that has the label at which it decides. NULL: none. */
static const struct source_map *hypervisor_below(const struct session *s, const struct machine *m) {
    const struct source_map *map;
    uint32_t value;
    for (; machine_host(m); m = machine_host(m))
        for (size_t n = 0; machine_only_seen(m) && (map = engine_program(s->engine, machine_host(m), n)); n++)
            if (source_map_find(map, "HVTRAP", &value))
                return map;
    return NULL;
}

/* Begins it with the labels of the map. */
static struct story *new_story(struct session *s, const struct source_map *map) {
    struct error e = ERROR_CLEAR;
    uint32_t value;
    size_t count = 0;
    while (source_map_symbol(map, count, &value))
        count++;
    struct symbol *symbols = calloc(count + 1, sizeof *symbols);
    for (size_t n = 0; symbols && n < count; n++) {
        symbols[n].name = (char *)(uintptr_t)source_map_symbol(map, n, &symbols[n].value); /* only read, and copied */
        symbols[n].relocatable = true;
    }
    const struct assembly labels = {.symbols = symbols, .symbol_count = count};
    struct story *story = symbols ? story_new(s->machine, engine_trace(s->engine), &labels, &e) : NULL;
    free(symbols);
    return story;
}

/* What happened in the last so many positions is told to the story alone. */
static void tell_story(struct session *s, uint64_t positions) {
    struct history *h = history(s, NULL);
    struct error e = ERROR_CLEAR;
    uint64_t now = at(s);
    s->telling = true;
    engine_again(s->engine, true);
    if (h)
        history_tell(h, now > positions ? now - positions : 0, &e);
    engine_again(s->engine, false);
    s->telling = false;
}

bool session_story(struct session *s, struct story_trap *to) {
    enum { NEAR = 2000 };
    const struct source_map *map = s->machine ? hypervisor_below(s, s->machine) : NULL;
    if (!map)
        return false;
    if (s->story)
        return story_last(s->story, to);
    s->story = new_story(s, map);
    for (uint64_t positions = NEAR; s->story && positions <= REFILL; positions *= REFILL / NEAR) {
        tell_story(s, positions);
        if (story_last(s->story, to))
            return true;
    }
    return false;
}

/* ---- The square of the last step, and disk writes ---- */

/* The machine goes its way without being looked at. */
static void drop_square(struct session *s) {
    square_free(s->square.check);
    s->square.check = NULL;
    s->square.known = false;
    s->square.why = NULL;
}

static void drop_follow(struct session *s) {
    follow_free(s->follow);
    s->follow = NULL;
}

/* All that has been learnt of the chosen machine by following it. */
static void lose_sight(struct session *s) {
    drop_story(s);
    drop_square(s);
    drop_follow(s);
}

const struct square *session_square(struct session *s, const char **why) {
    *why = s->square.wanted ? "only single steps are checked" : "checked from the next step on";
    s->square.wanted = true;
    if (s->machine && s->square.known && s->square.at == at(s))
        return &s->square.result;
    if (s->machine && s->square.why && s->square.at == at(s))
        *why = s->square.why;
    return NULL;
}

const struct follow_write *session_write(struct session *s) {
    struct error e = ERROR_CLEAR;
    if (!s->follow && s->machine && machine_host(s->machine))
        s->follow = follow_new(s->machine, ADDRESS_DISK, &e);
    return s->follow ? follow_last(s->follow) : NULL;
}

/* ---- Breakpoints ---- */

size_t session_breakpoints(const struct session *s) { return s->breakpoint_count; }
const struct breakpoint *session_breakpoint(const struct session *s, size_t n) { return &s->breakpoints[n]; }

unsigned session_break(struct session *s, const struct breakpoint *b, struct error *e) {
    if (s->breakpoint_count == BREAKPOINTS_MOST) {
        error_set(e, ERROR_INPUT, "there are %d breakpoints already; `delete N` takes one away", BREAKPOINTS_MOST);
        return 0;
    }
    if (b->kind == BREAK_STORE) {
        uint8_t bytes[WATCH_BYTES];
        if (b->length == 0 || b->length > WATCH_BYTES || machine_peek(b->machine, b->address, bytes, b->length)) {
            error_set(e, ERROR_INPUT, "%06X is not in the storage of %s, or the length is not 1 to %d", b->address,
                      machine_name(b->machine), WATCH_BYTES);
            return 0;
        }
    }
    if (b->kind == BREAK_CONDITION && engine_condition(s->engine, b->machine, b->condition, e) < 0)
        return 0;
    struct breakpoint *to = &s->breakpoints[s->breakpoint_count++];
    *to = *b;
    to->hits = 0;
    return to->number = ++s->next_number;
}

static struct breakpoint *find_breakpoint(struct session *s, unsigned number) {
    for (size_t n = 0; n < s->breakpoint_count; n++)
        if (s->breakpoints[n].number == number)
            return &s->breakpoints[n];
    return NULL;
}

bool session_unbreak(struct session *s, unsigned number) {
    struct breakpoint *b = find_breakpoint(s, number);
    if (!b)
        return false;
    size_t n = (size_t)(b - s->breakpoints);
    memmove(b, b + 1, (s->breakpoint_count - n - 1) * sizeof *b);
    s->breakpoint_count--;
    return true;
}

bool session_toggle(struct session *s, unsigned number) {
    struct breakpoint *b = find_breakpoint(s, number);
    if (b)
        b->off = !b->off;
    return b;
}

static bool is_at_address(struct session *s, struct breakpoint *b, struct machine *m, uint32_t address, bool foreign) {
    (void)s, (void)foreign;
    return m == b->machine && address == b->address;
}

/* The instruction's bytes, where its page can be reached. */
static bool instruction_text(struct machine *m, uint32_t address, uint8_t text[6]) {
    struct machine_state state;
    machine_state(m, &state);
    uint32_t real = address;
    if (psw_dat(&state.psw)) {
        struct dat_walk walk;
        if (machine_walk(m, address, &walk) != ACCESS_OK)
            return false;
        real = walk.real;
    }
    return machine_peek(m, real, text, 2) == ACCESS_OK;
}

static bool is_of_class(struct session *s, struct breakpoint *b, struct machine *m, uint32_t address, bool foreign) {
    (void)s, (void)foreign;
    uint8_t text[6];
    if (m != b->machine || !instruction_text(m, address, text))
        return false;
    const struct instruction *i = instruction_decode_in(machine_profile(m), text);
    if (!i)
        return false;
    return b->instruction >= 0 ? instruction_id(i) == (enum instruction_id)b->instruction
                               : i->class & b->classes && (!b->critical || !i->privileged);
}

/* The code that the last interruption of the class has left in low storage; -1: it cannot be read. */
static int code_of(struct machine *m, enum interruption_class class) {
    static const struct {
        uint16_t ec, bc; /* where a halfword is; in BC mode, in the old PSW */
    } places[INTERRUPTION_CLASSES] = {
        [INTERRUPTION_EXTERNAL] = {0x86, 0x1A},
        [INTERRUPTION_SVC] = {0x8A, 0x22},
        [INTERRUPTION_PROGRAM] = {0x8E, 0x2A},
        [INTERRUPTION_IO] = {0xBA, 0x3A},
    };
    struct machine_state state;
    uint8_t raw[2];
    machine_state(m, &state);
    uint32_t place = psw_ec(&state.psw) ? places[class].ec : places[class].bc;
    return place && machine_peek(m, place, raw, 2) == ACCESS_OK ? bytes_get16(raw) : -1;
}

static bool is_trap(struct session *s, struct breakpoint *b, struct machine *m, uint32_t address, bool foreign) {
    (void)s, (void)m, (void)address, (void)foreign;
    struct machine_stats stats;
    machine_stats(b->machine, &stats);
    uint64_t count = stats.interruptions[b->interruption], before = b->count;
    b->count = count;
    return count > before && (b->code < 0 || code_of(b->machine, (enum interruption_class)b->interruption) == b->code);
}

static bool is_stored(struct session *s, struct breakpoint *b, struct machine *m, uint32_t address, bool foreign) {
    (void)s, (void)m, (void)address, (void)foreign;
    uint8_t now[WATCH_BYTES];
    if (machine_peek(b->machine, b->address, now, b->length) != ACCESS_OK)
        return false;
    bool changed = memcmp(now, b->bytes, b->length) != 0;
    memcpy(b->bytes, now, b->length);
    return changed;
}

/* On a monitor's small stack Lua does not run: the condition is looked at before the next instruction that the CPU
 * executes. */
static bool becomes_true(struct session *s, struct breakpoint *b, struct machine *m, uint32_t address, bool foreign) {
    (void)m, (void)address;
    struct error e = ERROR_CLEAR;
    if (foreign)
        return false;
    int holds = engine_condition(s->engine, b->machine, b->condition, &e);
    if (holds < 0) {
        b->off = true;
        say(s, "breakpoint %u is off: %s", b->number, e.text);
        return true;
    }
    bool before = b->held;
    b->held = holds;
    return holds && !before;
}

static bool (*const breaks[])(struct session *s, struct breakpoint *b, struct machine *m, uint32_t address,
                              bool foreign) = {
    [BREAK_ADDRESS] = is_at_address, [BREAK_CLASS] = is_of_class,      [BREAK_TRAP] = is_trap,
    [BREAK_STORE] = is_stored,       [BREAK_CONDITION] = becomes_true,
};

/* Whether the machine whose traps are waited for has control again after one. */
static bool is_behind_trap(struct session *s, const struct machine *m) {
    if (!s->trapping || m != s->trapping)
        return false;
    uint64_t before = s->trapped;
    s->trapped = traps_of(machine_host(m));
    return s->trapped != before;
}

/* machine_limits.before. */
static bool stops_before(void *self, struct machine *m, uint32_t address, bool foreign) {
    struct session *s = self;
    bool stops = false;
    for (size_t n = 0; n < s->breakpoint_count; n++) {
        struct breakpoint *b = &s->breakpoints[n];
        if (!b->off && breaks[b->kind](s, b, m, address, foreign)) {
            s->hit = b;
            stops = true;
        }
    }
    return stops || is_behind_trap(s, m) || (s->level_of && m != s->level_of) ||
           (m == s->target && address == s->target_address);
}

/* What they compare with is what there is now. */
static bool arm(struct session *s) {
    bool any = false;
    for (size_t n = 0; n < s->breakpoint_count; n++) {
        struct breakpoint *b = &s->breakpoints[n];
        bool off = b->off;
        any = any || !off;
        if (b->kind == BREAK_TRAP || b->kind == BREAK_STORE || (b->kind == BREAK_CONDITION && !off))
            breaks[b->kind](s, b, b->machine, 0, false);
    }
    s->hit = NULL;
    return any;
}

/* ---- Running ---- */

static bool is_interrupted(void *self) {
    struct session *s = self;
    if (s->options.interrupted && s->options.interrupted(s->options.self))
        s->interrupted = true;
    if (s->running && s->run.limits.interrupted && s->run.limits.interrupted(s->run.limits.self))
        s->asked_back = true;
    return s->interrupted || s->asked_back || s->quit;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t rest(uint64_t limit, uint64_t used) { return used < limit ? limit - used : 0; }

/* Whether the scenario's run has come to its end. */
static bool is_over(const struct session *s) {
    const struct asked_run *r = &s->run;
    const struct machine_limits *l = &r->limits;
    return machine_status(r->m) != MACHINE_READY || machine_status(machine_bare(r->m)) != MACHINE_READY ||
           (l->instructions && count_of(r->m) - r->count >= l->instructions) ||
           (l->cycles && cycles_of(r->m) - r->cycles >= l->cycles) || (l->until_trap && traps_of(r->m) > r->traps) ||
           (l->has_address && r->at_address <= machine_position(machine_bare(r->m)));
}

enum session_phase session_phase(const struct session *s) {
    if (!s->machine)
        return SESSION_EMPTY;
    return !s->running ? SESSION_ENDED : is_over(s) ? SESSION_OVER : SESSION_RUNS;
}

static void remember(struct session *s) {
    struct machine *m;
    memset(s->before_of, 0, sizeof s->before_of);
    for (size_t n = 0; (m = session_tree(s, n)); n++) {
        int level = machine_level(m);
        if (s->before_of[level] && m != s->machine)
            continue;
        s->before_of[level] = m;
        machine_state(m, &s->before[level]);
    }
    for (int level = 0; s->machine && level < MACHINE_LEVELS; level++)
        for (int cause = 0; cause < CAUSE_COUNT; cause++)
            s->booked[level][cause] = machine_booked(machine_bare(s->machine), level, (enum cycle_cause)cause);
    s->done = -1;
    s->commands++;
    s->message[0] = '\0';
}

/* machine_run; handlers of events are served in between. */
static void run_on(struct session *s, struct machine *m, struct machine_limits *limits) {
    struct machine *bare = machine_bare(m);
    uint64_t began = count_of(bare), count = count_of(m), cycles = cycles_of(m);
    double start = seconds();
    for (;;) {
        s->asked_back = false;
        machine_run(m, limits);
        bool goes_on = engine_deliver(s->engine) && s->asked_back && !s->interrupted && !s->quit && s->hit == NULL;
        if (!goes_on)
            break;
        uint64_t done = count_of(m) - count, passed = cycles_of(m) - cycles;
        if ((limits->instructions && done >= limits->instructions) || (limits->cycles && passed >= limits->cycles))
            break;
        limits->instructions -= limits->instructions ? done : 0;
        limits->cycles -= limits->cycles ? passed : 0;
        count += done;
        cycles += passed;
    }
    s->dropped = s->dropped || (s->asked_back && !s->interrupted && !s->quit && !s->hit);
    double took = seconds() - start;
    if (took > 0.2)
        s->rate = (double)(count_of(bare) - began) / took;
}

/* Runs m forward within what the scenario asked for. */
static void forward(struct session *s, struct machine *m, struct machine_limits limits) {
    struct asked_run *r = &s->run;
    if (s->running && !is_over(s)) {
        const struct machine_limits *l = &r->limits;
        if (m == r->m && l->instructions) {
            uint64_t left = rest(l->instructions, count_of(m) - r->count);
            limits.instructions = limits.instructions && limits.instructions < left ? limits.instructions : left;
        }
        if (l->cycles) {
            uint64_t left = rest(l->cycles, cycles_of(m) - r->cycles);
            limits.cycles = limits.cycles && limits.cycles < left ? limits.cycles : left;
        }
        limits.until_trap = limits.until_trap || (m == r->m && l->until_trap);
        limits.has_address = m == r->m && l->has_address;
        limits.until_address = l->until_address;
    }
    if (!limits.until_trap && (!limits.instructions || limits.instructions > SHORT))
        drop_story(s);
    if (s->level_of || s->target)
        limits.before = stops_before;
    limits.before_self = s;
    limits.interrupted = is_interrupted;
    limits.self = s;
    bool hears = s->running && m == r->m && (r->touched || r->heard == at(s));
    engine_again(s->engine, !hears);
    run_on(s, m, &limits);
    engine_again(s->engine, false);
    if (hears)
        r->heard = at(s);
    if (s->running && r->limits.has_address) {
        struct machine_state state;
        machine_state(r->m, &state);
        if (state.psw.ia == r->limits.until_address && at(s) > r->start && at(s) < r->at_address)
            r->at_address = at(s);
    }
}

static enum session_stop stopped(struct session *s, enum session_stop otherwise) {
    if (s->interrupted) {
        s->interrupted = false;
        say(s, "interrupted");
        return STOPPED_INTERRUPTED;
    }
    if (s->hit) {
        ((struct breakpoint *)s->hit)->hits++;
        if (!*s->message)
            say(s, "stopped at breakpoint %u", s->hit->number);
        s->hit = NULL;
        return STOPPED_BREAKPOINT;
    }
    enum machine_status status = machine_status(s->machine);
    if (status == MACHINE_READY)
        status = machine_status(machine_bare(s->machine));
    if (status == MACHINE_FAULT)
        say(s, "a supervisor went wrong: %s", machine_fault(machine_bare(s->machine)));
    else if (status != MACHINE_READY)
        say(s, "%s has stopped: %s", machine_name(s->machine), machine_status_name(status));
    if (s->running && is_over(s)) {
        size_t length = strlen(s->message);
        snprintf(s->message + length, sizeof s->message - length, "%sthe scenario's run is over", length ? "; " : "");
        return STOPPED_OVER;
    }
    return status != MACHINE_READY ? STOPPED_ENDED : otherwise;
}

/* Where one cannot go back, another machine than the scenario's must not be run: that could pass by the moment at which
 * the run is over. */
static bool may_run(struct session *s, const struct machine *m) {
    struct history *h = history(s, NULL);
    if (!s->running || m == s->run.m || (h && history_floor(h) <= at(s)))
        return true;
    say(s, "here only %s can be run: there is no way back yet", machine_name(s->run.m));
    return false;
}

/* Whether m can be run; says why not. */
static bool ready(struct session *s, struct machine *m) {
    struct error e = ERROR_CLEAR;
    remember(s);
    s->interrupted = false;
    if (!s->machine) {
        say(s, "there is no machine");
        return false;
    }
    if (!machine_started(machine_bare(s->machine))) {
        say(s, "%s has not been started; in Lua: m:restart()", machine_name(s->machine));
        return false;
    }
    if (s->running && is_over(s)) {
        say(s, "the scenario's run is over: `resume` lets it go on");
        return false;
    }
    if (!s->running && machine_status(s->machine) != MACHINE_READY) {
        say(s, "%s has stopped: %s", machine_name(s->machine), machine_status_name(machine_status(s->machine)));
        return false;
    }
    if (!history(s, &e))
        say(s, "%s", e.text);
    return may_run(s, m);
}

/* lockstep.run: the step of the guest that is checked. */
static int run_checked(void *self, struct machine *m, const struct machine_limits *limits) {
    struct session *s = self;
    uint64_t before = count_of(m);
    (void)limits;
    forward(s, m, (struct machine_limits){.instructions = 1});
    s->square.stopped = count_of(m) == before;
    return s->square.stopped ? MACHINE_IDLE : (int)machine_status(m);
}

/* One step of the chosen machine, and whether the square holds. */
static void step_checked(struct session *s) {
    struct machine *m = s->machine;
    struct error e = ERROR_CLEAR;
    if (s->square.check && s->square.at != at(s))
        drop_square(s);
    s->square.known = false;
    s->square.why = NULL;
    if (!machine_host(m) || machine_cpus(m) != 1)
        s->square.why = "there is a square only for virtual machines with one CPU";
    else if (!s->square.check && !lockstep_between_steps(m))
        s->square.why = "its monitor was at work; the next step is checked";
    else if (!s->square.check && !(s->square.check = square_new(m, &e)))
        s->square.why = "it cannot be compared with a bare machine";
    if (s->square.why) {
        forward(s, m, (struct machine_limits){.instructions = 1});
    } else {
        square_run(s->square.check, &(struct square_options){.steps = 1, .run = run_checked, .run_self = s},
                   &s->square.result);
        s->square.known = !s->square.stopped;
    }
    s->square.at = at(s);
    if (s->square.stopped || s->square.result.outcome == SQUARE_BROKEN) { /* it goes on from where the machine is */
        square_free(s->square.check);
        s->square.check = NULL;
    }
    s->square.stopped = false;
}

enum session_stop session_step(struct session *s, uint64_t n) {
    if (!ready(s, s->machine))
        return STOPPED_REFUSED;
    struct machine_state state;
    machine_state(s->machine, &state);
    bool breaks_first = n > 1 && arm(s);
    if (n == 1 && s->square.wanted)
        step_checked(s);
    else
        forward(s, s->machine,
                (struct machine_limits){.instructions = n, .before = breaks_first ? stops_before : NULL});
    if (n == 1)
        s->done = state.psw.ia;
    return stopped(s, STOPPED_THERE);
}

enum session_stop session_over(struct session *s) {
    struct machine_state state;
    uint8_t text[6];
    if (!s->machine)
        return session_step(s, 1);
    machine_state(s->machine, &state);
    if (!instruction_text(s->machine, state.psw.ia, text))
        return session_step(s, 1);
    const struct instruction *i = instruction_decode_in(machine_profile(s->machine), text);
    bool calls = i && (instruction_id(i) == INSTRUCTION_SVC || instruction_id(i) == INSTRUCTION_BAL ||
                       (instruction_id(i) == INSTRUCTION_BALR && (text[1] & 15)));
    if (!calls)
        return session_step(s, 1);
    enum session_stop stop = session_until(s, (state.psw.ia + i->length) & 0xFFFFFF);
    s->done = state.psw.ia;
    return stop;
}

enum session_stop session_interruption(struct session *s) {
    if (!ready(s, s->machine))
        return STOPPED_REFUSED;
    bool any = arm(s);
    forward(s, s->machine, (struct machine_limits){.until_trap = true, .before = any ? stops_before : NULL});
    return stopped(s, STOPPED_THERE);
}

enum session_stop session_trap(struct session *s) {
    if (!s->machine || !machine_host(s->machine))
        return session_interruption(s);
    if (!ready(s, s->machine))
        return STOPPED_REFUSED;
    arm(s);
    s->trapping = s->machine;
    s->trapped = traps_of(machine_host(s->machine));
    forward(s, s->machine, (struct machine_limits){.before = stops_before});
    s->trapping = NULL;
    return stopped(s, STOPPED_THERE);
}

enum session_stop session_level(struct session *s) {
    if (!ready(s, session_asked(s)))
        return STOPPED_REFUSED;
    arm(s);
    s->level_of = session_running(s);
    forward(s, session_asked(s), (struct machine_limits){0});
    s->level_of = NULL;
    say(s, "%s executes", machine_name(session_running(s)));
    return stopped(s, STOPPED_THERE);
}

enum session_stop session_until(struct session *s, uint32_t address) {
    if (!ready(s, s->machine))
        return STOPPED_REFUSED;
    arm(s);
    s->target = s->machine;
    s->target_address = address;
    forward(s, s->machine, (struct machine_limits){0});
    s->target = NULL;
    return stopped(s, STOPPED_THERE);
}

enum session_stop session_continue(struct session *s) {
    if (!ready(s, session_asked(s)))
        return STOPPED_REFUSED;
    bool any = arm(s);
    forward(s, session_asked(s), (struct machine_limits){.before = any ? stops_before : NULL});
    return stopped(s, STOPPED_THERE);
}

/* ---- Back ---- */

/* How far one can go back: not before the scenario's run, whose beginning is the last moment that the scenario knows.
 */
static uint64_t floor_of(const struct session *s, struct history *h) {
    uint64_t floor = history_floor(h);
    return s->running && s->run.start > floor ? s->run.start : floor;
}

static void say_beginning(struct session *s, uint64_t floor) {
    say(s, s->running && floor == s->run.start ? "the scenario's run begins here" : "the history begins here");
}

/* After an attempt to go back. */
static enum session_stop went(struct session *s, struct history *h, uint64_t floor, bool ok, const struct error *e) {
    struct error ignored = ERROR_CLEAR;
    bool below = at(s) < floor, interrupted = s->interrupted;
    if (!ok)
        say(s, "%s", interrupted ? "interrupted" : e->text);
    s->interrupted = false;
    lose_sight(s);
    if (below) {
        history_go(h, floor, &ignored);
        say_beginning(s, floor);
    }
    refill_events(s);
    return interrupted ? STOPPED_INTERRUPTED : !ok ? STOPPED_REFUSED : below ? STOPPED_OVER : STOPPED_THERE;
}

/* NULL, and said why, where one cannot go back. */
static struct history *backwards(struct session *s, uint64_t *floor) {
    struct error e = ERROR_CLEAR;
    remember(s);
    s->interrupted = false;
    struct history *h = history(s, &e);
    if (!h) {
        say(s, "%s", s->machine ? e.text : "there is no machine");
        return NULL;
    }
    *floor = floor_of(s, h);
    if (*floor > at(s)) {
        say(s, "from here there is no way back: the scenario has changed the machine while a monitor was at work");
        return NULL;
    }
    return h;
}

enum session_stop session_back(struct session *s, uint64_t n) {
    struct error e = ERROR_CLEAR;
    uint64_t floor;
    struct history *h = backwards(s, &floor);
    if (!h)
        return STOPPED_REFUSED;
    if (at(s) == floor) {
        say_beginning(s, floor);
        return STOPPED_REFUSED;
    }
    if (history_back(h, s->machine, n, &e))
        return went(s, h, floor, true, &e);
    bool ok = !s->interrupted && history_go(h, floor, &e);
    if (ok)
        say_beginning(s, floor);
    return went(s, h, floor, ok, &e);
}

enum session_stop session_back_to_trap(struct session *s) {
    struct error e = ERROR_CLEAR;
    uint64_t floor;
    struct history *h = backwards(s, &floor);
    if (!h)
        return STOPPED_REFUSED;
    struct machine *taker = machine_host(s->machine) ? machine_host(s->machine) : s->machine;
    return went(s, h, floor, history_back_to_trap(h, taker, &e), &e);
}

enum session_stop session_go(struct session *s, uint64_t position) {
    struct error e = ERROR_CLEAR;
    uint64_t floor;
    struct history *h = backwards(s, &floor);
    if (!h)
        return STOPPED_REFUSED;
    if (position > at(s) && position > history_last(h)) {
        say(s, "the way is known up to %llu; from there `continue` goes on", (unsigned long long)history_last(h));
        return STOPPED_REFUSED;
    }
    bool below = position < floor;
    bool ok = history_go(h, below ? floor : position, &e);
    if (ok && below)
        say_beginning(s, floor);
    return went(s, h, floor, ok, &e);
}

enum session_stop session_reverse(struct session *s) {
    struct error e = ERROR_CLEAR;
    uint64_t floor;
    struct history *h = backwards(s, &floor);
    if (!h)
        return STOPPED_REFUSED;
    arm(s);
    const struct machine_limits stops = {.before = stops_before, .before_self = s};
    bool found = s->breakpoint_count && history_back_to(h, s->machine, &stops, &e) && at(s) >= floor;
    unsigned number = s->hit ? s->hit->number : 0;
    s->hit = NULL;
    if (found) {
        say(s, "stopped at breakpoint %u", number);
        return went(s, h, floor, true, &e);
    }
    bool ok = !s->interrupted && history_go(h, floor, &e);
    if (ok)
        say_beginning(s, floor);
    went(s, h, floor, ok, &e);
    return ok ? STOPPED_OVER : STOPPED_INTERRUPTED;
}

/* ---- The scenario ---- */

void session_choose(struct session *s, struct machine *m) {
    lose_sight(s);
    s->machine = m;
    s->done = -1;
}

void session_resume(struct session *s, bool all) {
    s->resumed = true;
    s->all = all;
}

void session_quit(struct session *s) { s->quit = true; }

bool session_evaluate(struct session *s, const char *text, struct bytes *to, struct error *e) {
    remember(s);
    lose_sight(s);
    bool ok = engine_evaluate(s->engine, s->machine, text, to, e);
    s->run.touched = true;
    s->run.at_address = UINT64_MAX;
    return ok;
}

static void interact(struct session *s) {
    s->resumed = false;
    s->options.interact(s->options.self);
}

/* Leaves the machine as machine_run would have, and handlers with what they would have heard. */
static void finish(struct session *s, struct history *h) {
    struct asked_run *r = &s->run;
    struct error e = ERROR_CLEAR;
    if (is_over(s) && (r->touched || r->heard == at(s)))
        return;
    engine_again(s->engine, true);
    if (!r->touched && h && r->heard != at(s))
        history_go(h, r->heard, &e);
    engine_again(s->engine, false);
    if (!is_over(s))
        forward(s, r->m, (struct machine_limits){0});
}

/* engine_watcher.run. */
static int run_machine(void *self, struct machine *m, const struct machine_limits *limits) {
    struct session *s = self;
    struct error e = ERROR_CLEAR;
    struct machine *chosen = s->machine;
    uint64_t position = machine_position(machine_bare(m));
    if (s->quit)
        return MACHINE_READY;
    if (!chosen || machine_bare(chosen) != machine_bare(m))
        session_choose(s, m);
    s->run = (struct asked_run){.m = m,
                                .limits = *limits,
                                .start = position,
                                .count = count_of(m),
                                .cycles = cycles_of(m),
                                .traps = traps_of(m),
                                .at_address = UINT64_MAX,
                                .heard = position};
    s->running = true;
    if (machine_bare(m) != s->watched || s->event_count == 0)
        watch(s, machine_bare(m));
    struct history *h = s->all ? NULL : history(s, &e);
    if (!s->all) {
        remember(s);
        say(s, "%s", e.text);
        interact(s);
    }
    if (!s->quit && !s->dropped)
        finish(s, h);
    s->running = s->interrupted = s->dropped = false;
    return (int)machine_status(m);
}

static void closing(void *self, struct machine *bare) {
    struct session *s = self;
    size_t kept = 0;
    memset(s->last_name, 0, sizeof s->last_name); /* another machine may get a name at the same place */
    if (s->machine && machine_bare(s->machine) == bare) {
        lose_sight(s);
        s->machine = NULL;
        watch(s, NULL);
        memset(s->before_of, 0, sizeof s->before_of);
    }
    for (size_t n = 0; n < s->breakpoint_count; n++)
        if (machine_bare(s->breakpoints[n].machine) != bare)
            s->breakpoints[kept++] = s->breakpoints[n];
    s->breakpoint_count = kept;
}

static void take_output(void *self, const char *text, size_t length) {
    struct session *s = self;
    bytes_append(&s->output, text, length);
}

static bool engine_interrupted(void *self) {
    struct session *s = self;
    return s->quit || (s->options.interrupted && s->options.interrupted(s->options.self));
}

/* ---- Life ---- */

struct session *session_new(const struct session_options *o, struct error *e) {
    enum {
        KINDS = 1 << TRACE_INTERRUPTION | 1 << TRACE_TRAP | 1 << TRACE_INTERPRET | 1 << TRACE_REFLECT |
                1 << TRACE_SHADOW_FILL | 1 << TRACE_SHADOW_PURGE | 1 << TRACE_DISPATCH | 1 << TRACE_IO_START |
                1 << TRACE_IO_END | 1 << TRACE_SIGNAL | 1 << TRACE_CONSOLE | 1 << TRACE_STOP,
    };
    struct session *s = calloc(1, sizeof *s);
    if (!s) {
        error_set(e, ERROR_INTERNAL, "out of memory");
        return NULL;
    }
    s->options = *o;
    s->done = -1;
    s->watcher = (struct engine_watcher){.run = run_machine, .closing = closing, .self = s};
    s->events = calloc(SESSION_EVENTS, sizeof *s->events);
    const struct engine_options options = {.seed = o->seed,
                                           .arguments = o->arguments,
                                           .argument_count = o->argument_count,
                                           .library = o->library,
                                           .output = take_output,
                                           .detail = take_output,
                                           .interrupted = engine_interrupted,
                                           .self = s,
                                           .watcher = &s->watcher};
    s->engine = s->events ? engine_new(&options, e) : NULL;
    if (!s->engine || trace_subscribe(engine_trace(s->engine), KINDS, note_event, s) < 0) {
        session_free(s);
        return NULL;
    }
    return s;
}

void session_free(struct session *s) {
    if (!s)
        return;
    lose_sight(s);
    engine_free(s->engine);
    free(s->events);
    bytes_fini(&s->output);
    free(s);
}

bool session_run(struct session *s, struct error *e) {
    const struct session_options *o = &s->options;
    bool ok = o->text ? engine_run_text(s->engine, o->path, o->text, strlen(o->text), &s->error)
                      : engine_run_file(s->engine, o->path, &s->error);
    struct engine_results results;
    engine_results(s->engine, &results);
    s->ended = true;
    if (!s->quit) {
        if (!ok)
            say(s, "the scenario has ended with an error: %s", s->error.text);
        else if (results.check_count)
            say(s, "the scenario has ended: %zu of %zu checks hold", results.check_count - results.failed_count,
                results.check_count);
        else
            say(s, "the scenario has ended");
        if (!s->machine)
            s->machine = engine_machine(s->engine, 0);
        interact(s);
        if (!ok && e)
            *e = s->error;
        return ok;
    }
    return true;
}
