/* Trap: what the last trap of the chosen machine was, and what was done about it, as a story.
 *
 * The steps are found in the events of the session (base/trace.h): from the bare machine's interruption up through the
 * monitors to the one whose guest trapped, and on to that guest's next dispatch. What the monitors below had to do
 * meanwhile is folded to a line each. */
#include <string.h>

#include "base/bytes.h"
#include "ui/tui/explain.h"
#include "ui/tui/look.h"

enum { WIDE = 52, BROAD = 80, TALL = 14, STEPS = 96, NONE = SIZE_MAX };

struct step {
    const struct session_event *event;
    uint64_t cycles; /* that it took */
    bool last;       /* it is, and nothing is known of its length */
    bool helps;      /* a monitor below works for the one whose story it is, in the middle of it */
};
struct trap {
    struct machine *machine; /* whose trap */
    unsigned count, left_out;
    struct step step[STEPS];
    uint64_t cycles;
    bool whole; /* it has control again */
};

/* ---- Finding the steps ---- */

static enum interruption_class class_of(const struct session_event *e) {
    for (int c = 0; c < INTERRUPTION_CLASSES; c++)
        if (strcmp(e->text, interruption_name((enum interruption_class)c)) == 0)
            return (enum interruption_class)c;
    return INTERRUPTION_PROGRAM;
}

typedef bool matches(const struct session_event *e);
static bool is_interruption(const struct session_event *e) { return e->kind == TRACE_INTERRUPTION; }
static bool is_trap(const struct session_event *e) { return e->kind == TRACE_TRAP; }
static bool is_reflection(const struct session_event *e) { return e->kind == TRACE_REFLECT; }
static bool is_dispatch(const struct session_event *e) { return e->kind == TRACE_DISPATCH; }
static bool is_exit(const struct session_event *e) { return is_trap(e) || is_reflection(e); }

/* The last event of m before `end` that matches; NONE. */
static size_t last_of(struct session *s, const struct machine *m, matches *match, size_t end) {
    while (end-- > 0)
        if (session_event(s, end)->machine == m && match(session_event(s, end)))
            return end;
    return NONE;
}

/* An interruption that came by itself, not from what the guest executed. */
static bool came_by_itself(const struct session_event *e) {
    return strcmp(e->text, "external") == 0 || strcmp(e->text, "io") == 0 || strcmp(e->text, "restart") == 0;
}

/* The monitor's exit for which this one is the first word: a trap, or a reflection without one. A guest that waited was
 * not dispatched since its trap; what ended its wait is another exit. */
static size_t last_exit(struct session *s, struct machine *host, size_t end) {
    struct machine *below = machine_host(host);
    size_t at = last_of(s, host, is_exit, end);
    if (at == NONE || is_trap(session_event(s, at)))
        return at;
    size_t dispatch = last_of(s, host, is_dispatch, at), trap = last_of(s, host, is_trap, at);
    size_t arrived = below ? last_of(s, below, is_reflection, at) : last_of(s, host, is_interruption, at);
    if (trap == NONE || (dispatch != NONE && dispatch > trap))
        return at;
    return arrived != NONE && arrived > trap && came_by_itself(session_event(s, arrived)) ? at : trap;
}

/* The bare machine's interruption from which this exit of a guest of `host` came: down through the reflections. */
static size_t origin(struct session *s, struct machine *host, size_t exit) {
    for (; exit != NONE && machine_host(host); host = machine_host(host)) {
        size_t reflection = last_of(s, machine_host(host), is_reflection, exit);
        exit = reflection == NONE ? NONE : last_exit(s, machine_host(host), reflection + 1);
    }
    return exit == NONE ? NONE : last_of(s, host, is_interruption, exit);
}

/* The event comes at the end of the work that it is about; others at its beginning. */
static bool is_told_when_done(const struct session_event *e) {
    return e->kind == TRACE_INTERPRET || e->kind == TRACE_SHADOW_FILL || e->kind == TRACE_REFLECT;
}

static void add(struct trap *t, const struct session_event *e, bool helps) {
    if (t->count == STEPS) {
        t->left_out++;
        return;
    }
    struct step *before = t->count ? &t->step[t->count - 1] : NULL, *now = &t->step[t->count++];
    *now = (struct step){.event = e, .helps = helps};
    if (before)
        (is_told_when_done(e) ? now : before)->cycles += e->cycle - before->event->cycle;
}

/* Of the events from `at` on those of the machine's chain, until `host` dispatches. */
static void take(struct session *s, struct machine *host, size_t at, size_t exit, struct trap *to) {
    size_t end = session_events(s);
    for (; at < end; at++) {
        const struct session_event *e = session_event(s, at);
        bool below = e->machine != host;
        if (e->kind == TRACE_CONSOLE || machine_level(e->machine) > machine_level(host))
            continue;
        /* Of what helps, that it is done is enough: the decisions are its own story. */
        bool helps = below && at > exit;
        if (helps && e->kind != TRACE_INTERPRET && e->kind != TRACE_SHADOW_FILL && e->kind != TRACE_REFLECT)
            continue;
        add(to, e, helps);
        if (!below && is_dispatch(e)) {
            to->whole = true;
            break;
        }
    }
}

static bool find(struct session *s, struct machine *m, struct trap *to) {
    struct machine *host = machine_host(m) ? machine_host(m) : m;
    size_t end = session_events(s);
    *to = (struct trap){.machine = m};
    size_t exit = machine_host(m) ? last_exit(s, host, end) : last_of(s, m, is_interruption, end);
    size_t at = exit == NONE || !machine_host(m) ? exit : origin(s, host, exit);
    if (at == NONE)
        return false;
    take(s, host, at, exit, to);
    if (to->count) {
        struct step *last = &to->step[to->count - 1];
        last->last = true;
        to->cycles = last->event->cycle - to->step[0].event->cycle;
    }
    return to->count > 0;
}

/* ---- The instruction that it was about ---- */

/* What the monitor says of it; NULL: there was no monitor. */
static const struct session_event *of_kind(const struct trap *t, enum trace_kind kind, const struct machine *of) {
    for (unsigned n = 0; n < t->count; n++)
        if (t->step[n].event->kind == kind && t->step[n].event->machine == of && !t->step[n].helps)
            return t->step[n].event;
    return NULL;
}

static bool nullified(uint64_t code) { return code == ACCESS_SEGMENT || code == ACCESS_PAGE; }

/* Its address; false: the interruption did not come from an instruction. */
static bool trapped_address(const struct trap *t, uint32_t *to) {
    struct machine *host = machine_host(t->machine);
    const struct session_event *interpreted = of_kind(t, TRACE_INTERPRET, host);
    const struct session_event *trap = of_kind(t, TRACE_TRAP, host), *first = t->step[0].event;
    uint8_t ilc[2];
    if (interpreted) {
        *to = (uint32_t)interpreted->a;
        return true;
    }
    if (trap) {
        *to = (uint32_t)(nullified(trap->a) ? trap->b : trap->b - trap->c) & 0xFFFFFF;
        return true;
    }
    bool svc = strcmp(first->text, "svc") == 0, program = strcmp(first->text, "program") == 0;
    *to = (uint32_t)first->b;
    if (host || (!svc && !program) || machine_peek(t->machine, svc ? 0x88 : 0x8C, ilc, 2) != ACCESS_OK)
        return false;
    if (svc || !nullified(first->a))
        *to = (*to - (ilc[1] & 6)) & 0xFFFFFF;
    return true;
}

/* The only guest that m has; NULL. */
static struct machine *only_guest(struct tui *t, const struct machine *m) {
    struct machine *other, *guest = NULL;
    for (size_t n = 0; (other = session_tree(t->session, n)); n++) {
        if (machine_host(other) != m)
            continue;
        if (guest)
            return NULL;
        guest = other;
    }
    return guest;
}

/* Whose instruction it was: that of the machine for which it was interpreted, or of one above, to whose monitor it was
 * reflected. */
static struct machine *executing(struct tui *t, const struct trap *trap) {
    struct machine *host = machine_host(trap->machine), *m = trap->machine, *above;
    if (host && !of_kind(trap, TRACE_REFLECT, host))
        return m;
    while ((above = only_guest(t, m))) {
        host = m;
        m = above;
        if (of_kind(trap, TRACE_INTERPRET, host))
            break;
    }
    return m;
}

/* An interruption that no instruction caused. */
static void write_interrupted(struct tui *t, const struct trap *trap, struct sheet *s) {
    struct machine *m = trap->machine;
    const struct session_event *e = of_kind(trap, TRACE_REFLECT, machine_host(m));
    char name[LOOK_NAME];
    uint8_t raw[8];
    struct psw old = {0};
    e = e ? e : trap->step[0].event;
    if (machine_peek(m, look_places[class_of(e)].old_psw, raw, 8) == ACCESS_OK)
        psw_load(&old, raw);
    sheet_print(s, style_level(machine_level(m)), "L%d", machine_level(m));
    if (psw_wait(&old) && old.ia == (uint32_t)e->b)
        sheet_print(s, STYLE_TEXT, " %s waited", machine_name(m));
    else
        sheet_print(s, STYLE_TEXT, " interrupted before %06X %s", (unsigned)e->b,
                    look_name(t, m, (uint32_t)e->b, name));
}

static void write_head(struct tui *t, const struct trap *trap, struct sheet *s) {
    struct machine *m = executing(t, trap);
    char line[LOOK_LINE], name[LOOK_NAME];
    uint32_t address;
    if (!trapped_address(trap, &address)) {
        write_interrupted(t, trap, s);
        return;
    }
    const struct instruction *i = look_instruction(t, m, address, line);
    sheet_print(s, style_level(machine_level(m)), "L%d", machine_level(m));
    sheet_print(s, STYLE_DIM, " %06X", address);
    if (*look_name(t, m, address, name))
        sheet_print(s, STYLE_STRONG, " %s", name);
    sheet_topic(s, i ? "instruction:%s" : NULL, i ? i->mnemonic : "");
    if (*line)
        sheet_print(s, STYLE_NEXT, "  %s", line);
}

/* ---- The steps in words ---- */

static const char *code_name(const struct session_event *e) {
    enum interruption_class c = class_of(e);
    return c == INTERRUPTION_PROGRAM    ? explain_program_code((unsigned)e->a)
           : c == INTERRUPTION_EXTERNAL ? explain_external_code((unsigned)e->a)
                                        : "";
}

static void write_code(const struct session_event *e, struct sheet *s) {
    sheet_topic(s, "%s:%04X", e->text, (unsigned)e->a & 0xFFFF);
    sheet_print(s, STYLE_WARNING, "%s %04X", e->text, (unsigned)e->a & 0xFFFF);
    if (*code_name(e))
        sheet_print(s, STYLE_WARNING, " %s", code_name(e));
}

/* One half of the exchange, as low storage has it now. */
static void write_psw(struct machine *m, uint32_t at, bool old, uint32_t expected, int width, struct sheet *s) {
    uint8_t raw[8];
    char words[LOOK_PSW], hex[17];
    struct psw psw;
    if (machine_peek(m, at, raw, 8) != ACCESS_OK)
        return;
    psw_load(&psw, raw);
    bytes_to_hex(hex, raw, 8);
    sheet_line(s);
    sheet_topic(s, old ? "psw:old" : "psw:new");
    sheet_print(s, STYLE_TEXT, "%*s%s PSW %s %02X: ", width >= WIDE ? 11 : 4, "", old ? "old" : "new",
                old ? sheet_sign(s, SIGN_ARROW) : "from", at);
    if (psw.ia != expected)
        sheet_print(s, STYLE_DIM, "at %06X; overwritten since", expected);
    else if (width >= WIDE)
        sheet_print(s, STYLE_TEXT, "%s", look_psw(&psw, width >= BROAD, words));
    else
        sheet_print(s, STYLE_TEXT, "%s%s %06X", psw_problem(&psw) ? "problem" : "superv.", psw_dat(&psw) ? " DAT" : "",
                    psw.ia);
}

static void write_swap(const struct step *step, struct machine *m, int width, struct sheet *s) {
    const struct look_place *place = &look_places[class_of(step->event)];
    write_psw(m, place->old_psw, true, (uint32_t)step->event->b, width, s);
    write_psw(m, place->new_psw, false, (uint32_t)step->event->c, width, s);
}

/* What the dispatcher made of it, by what was done next. */
static const char *decision(const struct trap *t, unsigned n) {
    for (unsigned k = n + 1; k < t->count; k++) {
        const struct step *next = &t->step[k];
        if (next->helps || next->event->machine != t->step[n].event->machine)
            continue;
        switch (next->event->kind) {
        case TRACE_INTERPRET: return "the guest is in its supervisor state: interpret";
        case TRACE_REFLECT: return "the guest's own affair: reflect";
        case TRACE_SHADOW_FILL: return "the guest's tables have the page: fill";
        case TRACE_SHADOW_PURGE: return "the guest's map changes: purge shadows";
        case TRACE_DISPATCH: return "dealt with";
        default: break;
        }
    }
    return "";
}

static void write_trap(const struct trap *t, unsigned n, int width, struct sheet *s) {
    const struct session_event *e = t->step[n].event;
    sheet_topic(s, "part:dispatcher");
    if (width >= WIDE)
        sheet_print(s, STYLE_STRONG, "dispatcher: ");
    sheet_print(s, STYLE_TEXT, "%s", e->text);
    if (nullified(e->a))
        sheet_print(s, STYLE_TEXT, " %06X", (unsigned)e->c);
    const char *made = decision(t, n);
    if (!*made)
        return;
    sheet_line(s);
    sheet_print(s, STYLE_TEXT, "%*s%s %s", width >= WIDE ? 11 : 4, "", sheet_sign(s, SIGN_ARROW), made);
}

static void write_event(struct tui *t, const struct trap *trap, unsigned n, int width, bool tall, struct sheet *s) {
    const struct step *step = &trap->step[n];
    const struct session_event *e = step->event;
    struct machine *guest = only_guest(t, e->machine);
    unsigned a = (unsigned)e->a, b = (unsigned)e->b, c = (unsigned)e->c;
    switch (e->kind) {
    case TRACE_INTERRUPTION:
        write_code(e, s);
        if (tall || n == 0)
            write_swap(step, e->machine, width, s);
        break;
    case TRACE_TRAP: write_trap(trap, n, width, s); break;
    case TRACE_INTERPRET:
        sheet_topic(s, "instruction:%s", e->text);
        sheet_print(s, STYLE_SENSITIVE, "interpreter: %s", e->text);
        sheet_print(s, STYLE_TEXT, " at %06X", a);
        break;
    case TRACE_REFLECT:
        sheet_topic(s, "part:reflection");
        sheet_print(s, STYLE_TEXT, "reflects to %s: ", guest ? machine_name(guest) : "its guest");
        write_code(e, s);
        if (tall && guest && !step->helps)
            write_swap(step, guest, width, s);
        break;
    case TRACE_SHADOW_FILL:
        sheet_topic(s, "cause:shadow");
        sheet_print(s, STYLE_REAL, "fills shadow: %06X %s %06X %s %06X", a, sheet_sign(s, SIGN_ARROW), b,
                    sheet_sign(s, SIGN_ARROW), c);
        break;
    case TRACE_SHADOW_PURGE:
        sheet_topic(s, "cause:shadow");
        sheet_print(s, STYLE_REAL, "empties shadows: %s", e->text);
        break;
    case TRACE_DISPATCH:
        sheet_topic(s, "cause:dispatch");
        sheet_print(s, STYLE_GOOD, "gives control: %06X", a);
        sheet_print(s, STYLE_TEXT, ", believed %s", c ? "problem" : "supervisor");
        if (width >= BROAD)
            sheet_print(s, STYLE_TEXT, " state, CR1 %08X", b);
        break;
    case TRACE_IO_START: sheet_print(s, STYLE_TEXT, "%s %03X: condition code %u", e->text, a, b); break;
    case TRACE_IO_END: sheet_print(s, STYLE_TEXT, "device %03X has ended, status %04X", a, b); break;
    case TRACE_STOP: sheet_print(s, STYLE_BAD, "stops: %s", e->text); break;
    default: sheet_print(s, STYLE_TEXT, "%s", e->text); break;
    }
}

static void write_step(struct tui *t, const struct trap *trap, unsigned n, int width, bool tall, struct sheet *s) {
    const struct step *step = &trap->step[n];
    int level = machine_level(step->event->machine);
    char cycles[LOOK_CYCLES] = "";
    if (!step->last)
        look_cycles(step->cycles, cycles);
    sheet_line(s);
    sheet_print(s, style_level(level), "L%d", level);
    sheet_print(s, STYLE_DIM, width >= WIDE ? " %-8s" : *cycles ? " %s " : " %s", cycles);
    if (step->helps)
        sheet_print(s, STYLE_DIM, "(helps) ");
    write_event(t, trap, n, width, tall, s);
}

/* Where it is now, as far as the story goes. */
static void write_end(const struct trap *trap, struct sheet *s) {
    char cycles[32];
    sheet_line(s);
    tui_grouped(cycles, trap->cycles);
    if (trap->left_out)
        sheet_print(s, STYLE_DIM, "%s %u more steps; ", sheet_sign(s, SIGN_MORE), trap->left_out);
    if (!machine_host(trap->machine) && trap->count == 1)
        sheet_print(s, STYLE_DIM, "the machine's own program goes on");
    else
        sheet_print(s, STYLE_STRONG, "%s cycles%s", cycles, trap->whole ? "" : " so far");
}

/* ---- Of a machine under a hypervisor in assembler, which tells nothing but reaches its labels ---- */

static enum style kind_style(const struct story_step *step) {
    static const enum style styles[STORY_KIND_COUNT] = {
        [STORY_INSTRUCTION] = STYLE_NEXT,
        [STORY_INTERRUPTION] = STYLE_WARNING,
        [STORY_INTERPRETATION] = STYLE_SENSITIVE,
        [STORY_FILL] = STYLE_REAL,
        [STORY_PURGE] = STYLE_REAL,
        [STORY_RESUMPTION] = STYLE_GOOD,
        [STORY_STOP] = STYLE_BAD,
    };
    return styles[step->kind];
}

static void write_story_step(const struct story_trap *trap, unsigned n, int width, struct sheet *s) {
    const struct story_step *step = &trap->step[n];
    char cycles[LOOK_CYCLES] = "";
    if (step->cycles || n + 1 < trap->count)
        look_cycles(step->cycles, cycles);
    sheet_line(s);
    sheet_print(s, style_level(step->level), "L%d", step->level);
    sheet_print(s, STYLE_DIM, width >= WIDE ? " %-8s" : " %s ", cycles);
    sheet_topic(s, "story:%s", story_kind_name(step->kind));
    if (width >= WIDE)
        sheet_print(s, STYLE_DIM, "%-15s", story_kind_name(step->kind));
    if (*step->label && step->kind != STORY_INSTRUCTION && step->kind != STORY_INTERRUPTION)
        sheet_print(s, STYLE_STRONG, "%s ", step->label);
    sheet_print(s, kind_style(step), "%s", step->text);
}

static void write_story(struct tui *t, const struct story_trap *trap, int width, struct sheet *s) {
    char cycles[32], instructions[32];
    const struct story_step *first = &trap->step[0];
    struct machine *m = session_machine(t->session);
    char line[LOOK_LINE], name[LOOK_NAME];
    const struct instruction *i = look_instruction(t, m, first->address, line);
    sheet_print(s, style_level(first->level), "L%d", first->level);
    sheet_print(s, STYLE_DIM, " %06X", first->address);
    if (*look_name(t, m, first->address, name))
        sheet_print(s, STYLE_STRONG, " %s", name);
    sheet_topic(s, i ? "instruction:%s" : NULL, i ? i->mnemonic : "");
    sheet_print(s, STYLE_NEXT, "  %s", *line ? line : first->text);
    for (unsigned n = 1; n < trap->count; n++)
        write_story_step(trap, n, width, s);
    sheet_line(s);
    if (trap->left_out)
        sheet_print(s, STYLE_DIM, "%s %u more steps; ", sheet_sign(s, SIGN_MORE), trap->left_out);
    sheet_print(s, STYLE_STRONG, "%s cycles%s", tui_grouped(cycles, trap->cycles), trap->whole ? "" : " so far");
    if (trap->instructions)
        sheet_print(s, STYLE_TEXT, ", %s instructions of hypervisors", tui_grouped(instructions, trap->instructions));
}

static void draw(struct tui *t, struct pane *p, struct sheet *s) {
    struct machine *m = session_machine(t->session);
    struct trap trap;
    struct story_trap story;
    int width = t->screen ? p->width : BROAD;
    bool tall = p->height >= TALL || !t->screen;
    if (!m) {
        sheet_print(s, STYLE_DIM, "no machine yet");
        return;
    }
    if (session_story(t->session, &story)) {
        write_story(t, &story, width, s);
        return;
    }
    if (!find(t->session, m, &trap)) {
        sheet_print(s, STYLE_DIM, "no trap yet: t runs to the next one");
        return;
    }
    write_head(t, &trap, s);
    for (unsigned n = 0; n < trap.count; n++)
        write_step(t, &trap, n, width, tall, s);
    write_end(&trap, s);
}

const struct pane_kind pane_trap = {
    .name = "trap",
    .title = "trap",
    .key = '4',
    .help = "The last trap of the chosen machine as a story: the instruction, the interruption and its code, the "
            "exchange of PSWs in low storage, what the monitor's dispatcher took it for, the interpreter's routine, "
            "the shadow entry or the reflection, and who got control; with the cycles of each step. What the monitors "
            "below had to do for that is among them, marked (helps).",
    .draw = draw,
};
