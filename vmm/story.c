/* A trap begins with an interruption of the bare machine while the virtual machine had control, and ends with the next
 * instruction that is executed at its level. In between, whatever is told of the levels below belongs to it. */
#include "vmm/story.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "isa/disassembler.h"
#include "vmm/map.h"
#include "vmm/vmm_internal.h"

enum { LABELS_MOST = 96, EXTERNAL_PLACE = 132, PLACES_BYTES = 60 };

struct label {
    uint32_t address;
    enum story_kind kind;
    char name[STORY_LABEL_BYTES];
    const char *text;
};

struct story {
    struct machine *guest;
    int level;                             /* of the guest */
    struct machine *chain[MACHINE_LEVELS]; /* by level, up to the guest */
    bool assembler[MACHINE_LEVELS];        /* its program is a hypervisor with labels */
    struct label label[LABELS_MOST];
    unsigned labels;
    struct trace *trace;
    int handle, instruction_handle; /* -1: not subscribed */
    const bool *again;              /* nothing is heard while it is true; may be NULL */
    bool telling;
    unsigned cpu;
    struct story_trap now, last;
};

const char *story_kind_name(enum story_kind k) {
    static const char *const names[] = {
#define STORY_NAME(id, name) name,
        STORY_KINDS(STORY_NAME)
#undef STORY_NAME
    };
    return names[k];
}

/* ---- Labels ---- */

static const struct {
    const char *name;
    enum story_kind kind;
    const char *text;
} documented[] = {
    {"HVTRAP", STORY_DECISION, "a program interruption: whose affair is it?"},
    {"SVCINT", STORY_DECISION, "a supervisor call: the guest's own affair"},
    {"EXTINT", STORY_DECISION, "external: the alarm, or the operator"},
    {"IOINT", STORY_DECISION, "I/O: whose channel program was it?"},
    {"HVSIM", STORY_DECISION, "ours: it is interpreted"},
    {"HVFILL", STORY_FILL, "a page is missing in the shadow tables: do the guest's have it?"},
    {"HVREFL", STORY_REFLECTION, "the guest gets the interruption"},
    {"HVPURGE", STORY_PURGE, "the guest's address spaces are emptied"},
    {"HVDISP", STORY_DISPATCH, "it has been dealt with: who can run?"},
    {"HVRUN", STORY_DISPATCH, "this guest gets control"},
    {"HVIDLE", STORY_DISPATCH, "nobody can run"},
    {"HVSTOP", STORY_STOP, "nobody will"},
};

static void add_label(struct story *s, const struct symbol *symbol, enum story_kind kind, const char *text) {
    if (s->labels == LABELS_MOST)
        return;
    struct label *l = &s->label[s->labels++];
    *l = (struct label){.address = symbol->value, .kind = kind, .text = text};
    snprintf(l->name, sizeof l->name, "%.15s", symbol->name);
}

/* The documented ones, and the interpreter's routines, which are called as their instructions are. */
static void take_labels(struct story *s, const struct assembly *a) {
    for (size_t n = 0; n < sizeof documented / sizeof *documented; n++) {
        const struct symbol *symbol = assembly_symbol(a, documented[n].name);
        if (symbol)
            add_label(s, symbol, documented[n].kind, documented[n].text);
    }
    for (size_t n = 0; n < a->symbol_count; n++)
        if (a->symbols[n].relocatable && instruction_find(a->symbols[n].name))
            add_label(s, &a->symbols[n], STORY_INTERPRETATION, "the interpreter's routine");
}

static const struct label *label_at(const struct story *s, uint32_t address) {
    for (unsigned n = 0; n < s->labels; n++)
        if (s->label[n].address == address)
            return &s->label[n];
    return NULL;
}

/* ---- Steps ---- */

static void close_step(struct story_trap *t, uint64_t cycle) {
    if (t->count)
        t->step[t->count - 1].cycles = cycle - t->step[t->count - 1].cycle;
}

static void add(struct story *s, enum story_kind kind, const struct trace_event *event, uint32_t address,
                const char *label, const char *format, ...) __attribute__((format(printf, 6, 7)));
static void add(struct story *s, enum story_kind kind, const struct trace_event *event, uint32_t address,
                const char *label, const char *format, ...) {
    struct story_trap *t = &s->now;
    va_list arguments;
    if (t->count == STORY_STEPS) {
        t->left_out++;
        return;
    }
    close_step(t, event->cycle);
    struct story_step *step = &t->step[t->count++];
    *step = (struct story_step){.kind = kind, .level = event->level, .address = address, .cycle = event->cycle};
    snprintf(step->label, sizeof step->label, "%.15s", label);
    va_start(arguments, format);
    vsnprintf(step->text, sizeof step->text, format, arguments);
    va_end(arguments);
}

static void watch_instructions(struct story *s, bool on);

static void finish(struct story *s, const struct trace_event *event) {
    struct story_trap *t = &s->now;
    close_step(t, event->cycle);
    t->whole = true;
    s->last = *t;
    s->telling = false;
    watch_instructions(s, false);
}

/* ---- The trap begins ---- */

/* Whether m had control of its host, as far as its host knows; its host itself may have lost it since. */
static bool had_control(const struct machine *m) {
    const struct guest *g = guest_of(m);
    if (!g)
        return map_guest_runs(m);
    for (unsigned n = 0; n < MACHINE_CPUS_MOST; n++)
        if (g->monitor->running[n] && g->monitor->running[n]->guest == g->index)
            return true;
    return false;
}

static bool was_running(const struct story *s) {
    for (int level = 1; level <= s->level; level++)
        if (!had_control(s->chain[level]))
            return false;
    return true;
}

static const char *program_name(unsigned code) {
    static const char *const names[] = {
        [0x01] = "operation",
        [0x02] = "privileged operation",
        [0x03] = "execute",
        [0x04] = "protection",
        [0x05] = "addressing",
        [0x06] = "specification",
        [0x07] = "data",
        [0x08] = "fixed-point overflow",
        [0x09] = "fixed-point divide",
        [0x0A] = "decimal overflow",
        [0x0B] = "decimal divide",
        [0x0C] = "exponent overflow",
        [0x0D] = "exponent underflow",
        [0x0E] = "significance",
        [0x0F] = "floating-point divide",
        [0x10] = "segment translation",
        [0x11] = "page translation",
        [0x12] = "translation specification",
        [0x13] = "special operation",
        [0x40] = "monitor event",
    };
    const char *name = code < sizeof names / sizeof *names ? names[code] : NULL;
    return name ? name : "";
}

static enum access fetch_logical(struct machine *m, uint32_t address, uint8_t *to) {
    struct machine_state state;
    struct dat_walk w = {.real = address};
    machine_state(m, &state);
    if (psw_dat(&state.psw)) {
        enum access x = machine_walk_under(m, state.cr[0], state.cr[1], address, &w);
        if (x != ACCESS_OK)
            return x;
    }
    return machine_peek(m, w.real, to, 1);
}

static void instruction_at(struct machine *m, uint32_t address, char line[DISASSEMBLER_TEXT]) {
    uint8_t text[6] = {0};
    unsigned length = 0;
    while (length < sizeof text && fetch_logical(m, (address + length) & 0xFFFFFF, text + length) == ACCESS_OK)
        length++;
    snprintf(line, DISASSEMBLER_TEXT, "-");
    if (length)
        disassemble(line, text, length);
}

/* The instruction that the interruption was the end of, or came before: found by the old PSW and, where that points
 * behind it, the length that the bare machine has stored. */
static void tell_instruction(struct story *s, const struct trace_event *event) {
    uint8_t low[PLACES_BYTES] = {0};
    char line[DISASSEMBLER_TEXT], mnemonic[STORY_LABEL_BYTES];
    struct trace_event of = *event;
    uint32_t at = (uint32_t)event->b;
    machine_peek(s->chain[0], EXTERNAL_PLACE, low, sizeof low);
    if (strcmp(event->text, "svc") == 0)
        at -= low[137 - EXTERNAL_PLACE];
    else if (strcmp(event->text, "program") == 0 && event->a != ACCESS_SEGMENT && event->a != ACCESS_PAGE)
        at -= low[141 - EXTERNAL_PLACE];
    at &= 0xFFFFFF;
    instruction_at(s->guest, at, line);
    snprintf(mnemonic, sizeof mnemonic, "%.*s", (int)strcspn(line, " "), line);
    of.level = s->level;
    add(s, STORY_INSTRUCTION, &of, at, mnemonic, "%s", line);
}

static void tell_interruption(struct story *s, const struct trace_event *event) {
    bool program = strcmp(event->text, "program") == 0;
    if (!s->telling) {
        if (!was_running(s))
            return;
        s->now = (struct story_trap){0};
        s->telling = true;
        s->cpu = event->cpu;
        watch_instructions(s, true);
        tell_instruction(s, event);
    }
    add(s, STORY_INTERRUPTION, event, (uint32_t)event->c, event->text, "%s %04X%s%s", event->text,
        (unsigned)event->a & 0xFFFF, program ? ", " : "", program ? program_name((unsigned)event->a & 0xFF) : "");
}

/* ---- What monitors tell ---- */

static void tell_interpretation(struct story *s, const struct trace_event *event) {
    const struct story_step *last = &s->now.step[s->now.count - 1];
    /* A hybrid monitor goes on so with the next one: that is the guest's progress. */
    if (event->level == s->level - 1 && last->level == event->level &&
        (last->kind == STORY_INTERPRETATION || last->kind == STORY_REFLECTION)) {
        add(s, STORY_RESUMPTION, event, (uint32_t)event->a, event->text, "goes on, interpreted");
        finish(s, event);
        return;
    }
    add(s, STORY_INTERPRETATION, event, (uint32_t)event->a, event->text, "the interpreter's routine");
}

static void tell(struct story *s, const struct trace_event *event) {
    uint32_t a = (uint32_t)event->a, b = (uint32_t)event->b, c = (uint32_t)event->c;
    switch (event->kind) {
    case TRACE_ACTIVATION: add(s, STORY_ENTRY, event, 0, event->text, "the monitor is entered"); return;
    case TRACE_TRAP: add(s, STORY_DECISION, event, b, "", "%s", event->text); return;
    case TRACE_INTERPRET: tell_interpretation(s, event); return;
    case TRACE_REFLECT:
        add(s, STORY_REFLECTION, event, c, event->text, "the guest gets %s %04X, from %06X to %06X", event->text,
            a & 0xFFFF, b, c);
        return;
    case TRACE_SHADOW_FILL:
        add(s, STORY_FILL, event, a, "", "virtual %06X: guest real %06X is host real %06X", a, b, c);
        return;
    case TRACE_SHADOW_PURGE: add(s, STORY_PURGE, event, 0, "", "%u spaces, for %s", a, event->text); return;
    case TRACE_CELL: add(s, STORY_CELL, event, a, event->text, "executed by the machine below"); return;
    case TRACE_DISPATCH:
        add(s, STORY_DISPATCH, event, a, "", "gives control, at %06X in %s state", a, c ? "problem" : "supervisor");
        return;
    case TRACE_IO_START: add(s, STORY_IO, event, c, event->text, "device %03X, condition code %u", a, b); return;
    case TRACE_IO_END: add(s, STORY_IO, event, 0, "", "device %03X has ended, status %04X", a, b); return;
    case TRACE_STOP:
        add(s, STORY_STOP, event, a, "", "%s", event->text);
        finish(s, event);
        return;
    default: return;
    }
}

static bool concerns(const struct story *s, const struct trace_event *event) {
    return event->level <= s->level && strcmp(event->machine, machine_name(s->chain[event->level])) == 0 &&
           (!s->telling || event->cpu == s->cpu);
}

static void on_event(void *self, const struct trace_event *event) {
    struct story *s = self;
    if ((s->again && *s->again) || !concerns(s, event))
        return;
    if (event->kind == TRACE_INTERRUPTION)
        tell_interruption(s, event);
    else if (s->telling && event->level < s->level)
        tell(s, event);
    else if (s->telling && event->kind == TRACE_STOP)
        tell(s, event);
}

/* ---- Instructions, between a trap and its end ---- */

static void resume(struct story *s, const struct trace_event *event) {
    add(s, STORY_RESUMPTION, event, (uint32_t)event->a, event->text, "goes on at %06X", (unsigned)event->a);
    finish(s, event);
}

/* The LPSW of a monitor above the bare machine counts for whom it gives control to, but is not the guest's. */
static bool is_live(struct machine *m) {
    for (unsigned n = 0; n < machine_cpus(m); n++)
        if (machine_is_live(m, n))
            return true;
    return false;
}

static void on_instruction(void *self, const struct trace_event *event) {
    struct story *s = self;
    if (!s->telling || event->cpu != s->cpu || (s->again && *s->again))
        return;
    if (event->level >= s->level && is_live(s->guest)) {
        resume(s, event);
        return;
    }
    if (event->level >= s->level || !concerns(s, event) || !s->assembler[event->level])
        return;
    const struct label *l = label_at(s, (uint32_t)event->a);
    if (l)
        add(s, l->kind, event, l->address, l->name, "%s", l->text);
    s->now.instructions++;
    s->now.step[s->now.count - 1].instructions++;
}

static void watch_instructions(struct story *s, bool on) {
    if (on && s->instruction_handle < 0)
        s->instruction_handle = trace_subscribe(s->trace, 1u << TRACE_INSTRUCTION, on_instruction, s);
    if (on || s->instruction_handle < 0)
        return;
    trace_unsubscribe(s->trace, s->instruction_handle);
    s->instruction_handle = -1;
}

/* ---- Life ---- */

static const uint32_t kinds = 1u << TRACE_INTERRUPTION | 1u << TRACE_ACTIVATION | 1u << TRACE_CELL | 1u << TRACE_TRAP |
                              1u << TRACE_INTERPRET | 1u << TRACE_REFLECT | 1u << TRACE_SHADOW_FILL |
                              1u << TRACE_SHADOW_PURGE | 1u << TRACE_DISPATCH | 1u << TRACE_IO_START |
                              1u << TRACE_IO_END | 1u << TRACE_STOP;

struct story *story_new(struct machine *guest, struct trace *trace, const struct assembly *hypervisor,
                        struct error *e) {
    if (!machine_host(guest) || !trace) {
        error_set(e, ERROR_INPUT, "%s is %s", machine_name(guest),
                  trace ? "a bare machine, which traps to nobody" : "on a machine without a trace");
        return NULL;
    }
    struct story *s = calloc(1, sizeof *s);
    if (s) {
        s->guest = guest;
        s->level = machine_level(guest);
        s->trace = trace;
        s->instruction_handle = -1;
        for (struct machine *m = guest; m; m = machine_host(m)) {
            s->chain[machine_level(m)] = m;
            if (machine_only_seen(m))
                s->assembler[machine_level(m) - 1] = true;
        }
        if (hypervisor)
            take_labels(s, hypervisor);
        s->handle = trace_subscribe(trace, kinds, on_event, s);
    }
    if (s && s->handle >= 0)
        return s;
    free(s);
    error_set(e, ERROR_INTERNAL, "no memory for the story of a machine");
    return NULL;
}

void story_deaf_while(struct story *s, const bool *again) { s->again = again; }

void story_free(struct story *s) {
    if (!s)
        return;
    watch_instructions(s, false);
    trace_unsubscribe(s->trace, s->handle);
    free(s);
}

/* It has control again, and has not executed anything yet: the run has stopped there. */
static void settle(struct story *s) {
    struct machine_state state;
    struct machine_stats stats;
    char line[DISASSEMBLER_TEXT];
    machine_state(s->guest, &state);
    machine_stats(s->guest, &stats);
    instruction_at(s->guest, state.psw.ia, line);
    line[strcspn(line, " ")] = 0;
    const struct trace_event event = {.level = s->level, .cycle = stats.cycles, .a = state.psw.ia, .text = line};
    resume(s, &event);
}

bool story_last(struct story *s, struct story_trap *to) {
    if (s->telling && is_live(s->guest))
        settle(s);
    const struct story_trap *t = s->telling ? &s->now : &s->last;
    if (t->count == 0)
        return false;
    *to = *t;
    to->cycles = t->step[t->count - 1].cycle + t->step[t->count - 1].cycles - t->step[0].cycle;
    return true;
}

void story_forget(struct story *s) {
    s->telling = false;
    s->now.count = s->last.count = 0;
    watch_instructions(s, false);
}
