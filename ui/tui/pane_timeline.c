/* Timeline: traps and what was done about them, one lane a level, one column an event, the newest on the right; below,
 * the events in words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/tui/explain.h"
#include "ui/tui/tui.h"

enum { LANE_HEAD = 4, LEGEND_MOST = 24, COLUMNS_MOST = 400, SHOWN_ALL = 0, SHOWN_TRAPS = 1 };

/* ---- Events in letters and words ---- */

struct letter {
    char letter;
    const char *word, *topic;
    enum style style;
};

/* Traps by cause. */
static const struct {
    const char *cause;
    struct letter letter;
} causes[] = {
    {"privileged operation", {'P', "privileged", "trap:privileged operation", STYLE_SENSITIVE}},
    {"missing page", {'M', "missing page", "trap:missing page", STYLE_CHANGED}},
    {"protected page", {'W', "protected page", "trap:protected page", STYLE_CHANGED}},
    {"svc", {'S', "SVC", "trap:svc", STYLE_TRAPS}},
    {"program", {'E', "exception", "trap:program", STYLE_BAD}},
    {"external", {'X', "external", "trap:external", STYLE_STRONG}},
    {"i/o", {'O', "I/O", "trap:i/o", STYLE_STRONG}},
};

/* Interruptions by class; a program interruption for a privileged operation, or a missing page, as the trap. */
static const struct letter interruptions[INTERRUPTION_CLASSES] = {
    [INTERRUPTION_RESTART] = {'R', "restart", "interruption:restart", STYLE_STRONG},
    [INTERRUPTION_EXTERNAL] = {'X', "external", "interruption:external", STYLE_STRONG},
    [INTERRUPTION_SVC] = {'S', "SVC", "interruption:svc", STYLE_TRAPS},
    [INTERRUPTION_PROGRAM] = {'E', "exception", "interruption:program", STYLE_BAD},
    [INTERRUPTION_MACHINE_CHECK] = {'K', "machine check", "interruption:machine_check", STYLE_BAD},
    [INTERRUPTION_IO] = {'O', "I/O", "interruption:io", STYLE_STRONG},
};
static const struct letter other[TRACE_KIND_COUNT] = {
    [TRACE_INTERPRET] = {'i', "interpret", "event:interpret", STYLE_GOOD},
    [TRACE_REFLECT] = {'r', "reflect", "event:reflect", STYLE_VIRTUAL},
    [TRACE_SHADOW_FILL] = {'f', "fill", "event:shadow_fill", STYLE_GOOD},
    [TRACE_SHADOW_PURGE] = {'u', "purge", "event:shadow_purge", STYLE_GOOD},
    [TRACE_DISPATCH] = {'d', "dispatch", "event:dispatch", STYLE_DIM},
    [TRACE_IO_START] = {'>', "start I/O", "event:io_start", STYLE_TEXT},
    [TRACE_IO_END] = {'<', "I/O ends", "event:io_end", STYLE_TEXT},
    [TRACE_SIGNAL] = {'!', "signal", "event:signal", STYLE_TEXT},
    [TRACE_CONSOLE] = {'c', "console", "event:console", STYLE_TEXT},
    [TRACE_STOP] = {'#', "stop", "event:stop", STYLE_WARNING},
};

static const struct letter *trap_letter(const char *cause) {
    for (size_t n = 0; n < sizeof causes / sizeof *causes; n++)
        if (strcmp(causes[n].cause, cause) == 0)
            return &causes[n].letter;
    return &other[TRACE_STOP];
}

static enum interruption_class class_of(const char *name) {
    for (int c = 0; c < INTERRUPTION_CLASSES; c++)
        if (strcmp(interruption_name((enum interruption_class)c), name) == 0)
            return (enum interruption_class)c;
    return INTERRUPTION_RESTART;
}

static const struct letter *letter_of(const struct session_event *e) {
    if (e->kind == TRACE_TRAP)
        return trap_letter(e->text);
    if (e->kind != TRACE_INTERRUPTION)
        return &other[e->kind];
    enum interruption_class class = class_of(e->text);
    if (class == INTERRUPTION_PROGRAM && e->a == PROGRAM_PRIVILEGED)
        return trap_letter("privileged operation");
    if (class == INTERRUPTION_PROGRAM && (e->a == ACCESS_SEGMENT || e->a == ACCESS_PAGE))
        return trap_letter("missing page");
    return &interruptions[class];
}

static void write_code(const struct session_event *e, struct sheet *s) {
    enum interruption_class class = class_of(e->text);
    const char *name = class == INTERRUPTION_PROGRAM    ? explain_program_code((unsigned)e->a)
                       : class == INTERRUPTION_EXTERNAL ? explain_external_code((unsigned)e->a)
                                                        : "";
    if (class == INTERRUPTION_PROGRAM || class == INTERRUPTION_EXTERNAL)
        sheet_topic(s, "%s:%04X", class == INTERRUPTION_PROGRAM ? "program" : "external", (unsigned)e->a);
    sheet_print(s, STYLE_TEXT, "%s %04X", class == INTERRUPTION_IO ? "I/O" : e->text, (unsigned)e->a);
    if (*name)
        sheet_print(s, STYLE_TEXT, " %s", name);
    sheet_topic(s, NULL);
}

static void write_words(const struct session_event *e, struct sheet *s) {
    const char *arrow = sheet_sign(s, SIGN_ARROW);
    unsigned a = (unsigned)e->a, b = (unsigned)e->b, c = (unsigned)e->c;
    switch (e->kind) {
    case TRACE_INTERRUPTION:
        write_code(e, s);
        sheet_print(s, STYLE_DIM, ": %06X %s %06X", b, arrow, c);
        break;
    case TRACE_TRAP:
        sheet_print(s, STYLE_TEXT, "trap: %s", e->text);
        if (strcmp(e->text, "missing page") == 0)
            sheet_print(s, STYLE_DIM, " %06X at %06X", c, b);
        else
            sheet_print(s, STYLE_DIM, " at %06X", (b - c) & 0xFFFFFF);
        break;
    case TRACE_INTERPRET:
        sheet_print(s, STYLE_TEXT, "interprets ");
        sheet_topic(s, "instruction:%s", e->text);
        sheet_print(s, STYLE_SENSITIVE, "%s", e->text);
        sheet_topic(s, NULL);
        sheet_print(s, STYLE_DIM, " at %06X", a);
        break;
    case TRACE_REFLECT:
        sheet_print(s, STYLE_TEXT, "reflects ");
        write_code(e, s);
        sheet_print(s, STYLE_DIM, ": %06X %s %06X", b, arrow, c);
        break;
    case TRACE_SHADOW_FILL: sheet_print(s, STYLE_TEXT, "fills %06X %s %06X %s host %06X", a, arrow, b, arrow, c); break;
    case TRACE_SHADOW_PURGE: sheet_print(s, STYLE_TEXT, "purges shadow entries: %s", e->text); break;
    case TRACE_DISPATCH:
        sheet_print(s, STYLE_DIM, "dispatches at %06X, %s, CR1 %08X", a, c ? "problem" : "supervisor", b);
        break;
    case TRACE_IO_START: sheet_print(s, STYLE_TEXT, "%s of %03X: condition code %u", e->text, a, b); break;
    case TRACE_IO_END:
        sheet_topic(s, "status:%04X", b);
        sheet_print(s, STYLE_TEXT, "%03X presents status %04X", a, b);
        sheet_topic(s, NULL);
        break;
    case TRACE_SIGNAL: sheet_print(s, STYLE_TEXT, "SIGP %s to CPU %u: condition code %u", e->text, b, c); break;
    case TRACE_CONSOLE: sheet_print(s, STYLE_TEXT, "console: %s", e->text); break;
    case TRACE_STOP: sheet_print(s, STYLE_TEXT, "stops: %s", e->text); break;
    default: break;
    }
}

/* ---- Which are shown ---- */

/* An interruption of the bare machine that its monitor takes at once is the same thing as the trap: told once. */
static bool is_shown(struct tui *t, size_t n, unsigned mode) {
    const struct session_event *e = session_event(t->session, n);
    if (e->kind == TRACE_INTERRUPTION && n + 1 < session_events(t->session)) {
        const struct session_event *next = session_event(t->session, n + 1);
        if (next->kind == TRACE_TRAP && next->level == 0)
            return false;
    }
    return mode == SHOWN_ALL || e->kind == TRACE_TRAP || e->kind == TRACE_INTERRUPTION || e->kind == TRACE_REFLECT ||
           e->kind == TRACE_STOP;
}

/* Index of the event that is `steps` shown ones before n; -1: there is none. */
static long before(struct tui *t, long n, unsigned steps, unsigned mode) {
    while (n >= 0 && (!is_shown(t, (size_t)n, mode) || steps-- > 0))
        n--;
    return n;
}
static long after(struct tui *t, long n, unsigned mode) {
    long count = (long)session_events(t->session);
    for (n++; n < count && !is_shown(t, (size_t)n, mode);)
        n++;
    return n < count ? n : -1;
}

/* The event under the cursor: what the user chose since the machine was moved, or the newest. */
static long at_cursor(struct tui *t, struct pane *p) {
    struct session_place place;
    session_place(t->session, &place);
    if (p->set && p->seen != place.position)
        p->set = false;
    if (!p->set)
        p->number = 0;
    return before(t, (long)session_events(t->session) - 1, (unsigned)p->number, p->mode);
}

static void hold(struct tui *t, struct pane *p, int number) {
    struct session_place place;
    session_place(t->session, &place);
    p->number = number;
    p->set = number != 0;
    p->seen = place.position;
}

static long shown_events(struct tui *t, const struct pane *p) {
    long shown = 0;
    for (size_t n = 0; n < session_events(t->session); n++)
        shown += is_shown(t, n, p->mode);
    return shown;
}

/* Lines down are to newer ones. */
static void move(struct tui *t, struct pane *p, long lines) {
    long oldest = shown_events(t, p) - 1;
    at_cursor(t, p);
    long number = p->number - lines;
    hold(t, p, number < 0 || oldest < 0 ? 0 : (int)(number < oldest ? number : oldest));
}

/* ---- Drawing ---- */

struct view {
    long column[COLUMNS_MOST]; /* events, from left to right */
    int columns, at;           /* at: which of them the cursor is on */
    int top;                   /* highest level */
};

static void fill_view(struct tui *t, const struct pane *p, long cursor, int room, struct view *v) {
    long n = cursor;
    room = room < COLUMNS_MOST ? room : COLUMNS_MOST;
    room = room > 1 ? room : 1;
    int right = 0, half = room / 2;
    while (right < half && (n = after(t, n, p->mode)) >= 0)
        right++;
    int left = room - right;
    n = cursor;
    for (v->columns = 0; v->columns < left && n >= 0; n = before(t, n - 1, 0, p->mode))
        v->column[v->columns++] = n;
    for (int i = 0; i < v->columns / 2; i++) { /* they were found backwards */
        long swap = v->column[i];
        v->column[i] = v->column[v->columns - 1 - i];
        v->column[v->columns - 1 - i] = swap;
    }
    v->at = v->columns - 1;
    for (n = cursor; v->columns < room && (n = after(t, n, p->mode)) >= 0;)
        v->column[v->columns++] = n;
    for (int i = 0; i < v->columns; i++) {
        int level = session_event(t->session, (size_t)v->column[i])->level;
        v->top = level > v->top ? level : v->top;
    }
}

static void write_lane(struct tui *t, const struct view *v, int level, struct sheet *s) {
    sheet_line(s);
    sheet_print(s, style_level(level), "L%-2d ", level);
    for (int i = 0; i < v->columns; i++) {
        const struct session_event *e = session_event(t->session, (size_t)v->column[i]);
        const struct letter *l = letter_of(e);
        bool arrives = e->kind == TRACE_REFLECT && level == e->level + 1;
        if (e->level == level)
            sheet_print(s, i == v->at ? STYLE_NEXT : l->style, "%c", l->letter);
        else
            sheet_print(s, arrives ? STYLE_VIRTUAL : STYLE_DIM, "%s", arrives ? "^" : s->ascii ? "." : "\u00B7");
    }
}

/* A mark under the cursor's column, and beside it, where there is room, the cycles from the left end to the right one.
 */
static void write_scale(struct tui *t, const struct view *v, struct sheet *s) {
    char from[32], to[32], text[120];
    const struct session_event *first = session_event(t->session, (size_t)v->column[0]);
    const struct session_event *last = session_event(t->session, (size_t)v->column[v->columns - 1]);
    snprintf(text, sizeof text, "cycles %s to %s", tui_grouped(from, first->cycle), tui_grouped(to, last->cycle));
    int mark = LANE_HEAD + v->at, length = (int)strlen(text);
    bool left = mark > length;
    sheet_line(s);
    sheet_print(s, STYLE_DIM, "%-*s", mark, left ? text : "");
    sheet_print(s, STYLE_NEXT, "^");
    if (!left)
        sheet_print(s, STYLE_DIM, " %s", text);
}

static void write_legend(struct tui *t, const struct view *v, int width, int lines, struct sheet *s) {
    const struct letter *used[LEGEND_MOST];
    unsigned count = 0;
    int at = width;
    for (int i = 0; i < v->columns; i++) {
        const struct letter *l = letter_of(session_event(t->session, (size_t)v->column[i]));
        unsigned n = 0;
        while (n < count && used[n]->letter != l->letter)
            n++;
        if (n == count && count < LEGEND_MOST)
            used[count++] = l;
    }
    for (unsigned n = 0; n < count; n++) {
        int length = (int)strlen(used[n]->word) + 3;
        if (at + length > width) {
            if (lines-- == 0) {
                sheet_print(s, STYLE_DIM, "%s", sheet_sign(s, SIGN_MORE));
                return;
            }
            sheet_line(s);
            at = 1; /* a sign that more follows */
        }
        at += length;
        sheet_topic(s, "%s", used[n]->topic);
        sheet_print(s, used[n]->style, "%c", used[n]->letter);
        sheet_topic(s, NULL);
        sheet_print(s, STYLE_DIM, " %s ", used[n]->word);
    }
}

static void write_event(struct tui *t, const struct pane *p, const struct view *v, int i, struct sheet *s) {
    const struct session_event *e = session_event(t->session, (size_t)v->column[i]);
    const struct letter *l = letter_of(e);
    char cycle[32];
    bool cursor = i == v->at;
    sheet_line(s);
    if (cursor)
        sheet_focus(s);
    sheet_print(s, cursor ? STYLE_NEXT : STYLE_DIM, "%s", cursor ? sheet_sign(s, SIGN_NEXT) : " ");
    bool wide = p->width >= 60;
    tui_grouped(cycle, e->cycle);
    if (wide)
        sheet_print(s, STYLE_DIM, "%13s ", cycle);
    sheet_print(s, style_level(e->level), "L%d ", e->level);
    sheet_topic(s, "%s", l->topic);
    sheet_print(s, l->style, "%c ", l->letter);
    sheet_topic(s, NULL);
    write_words(e, s);
    if (!wide)
        sheet_print(s, STYLE_DIM, "  cycle %s", cycle);
    sheet_print(s, STYLE_DIM, "  @%llu", (unsigned long long)e->position);
}

static void draw(struct tui *t, struct pane *p, struct sheet *s) {
    struct view v = {0};
    long cursor = session_events(t->session) ? at_cursor(t, p) : -1;
    if (cursor < 0) {
        sheet_print(s, STYLE_DIM, "nothing has happened yet");
        return;
    }
    fill_view(t, p, cursor, p->width - LANE_HEAD - 1, &v);
    for (int level = v.top; level >= 0; level--)
        write_lane(t, &v, level, s);
    write_scale(t, &v, s);
    int left = p->height - (int)sheet_lines(s);
    if (left >= 3)
        write_legend(t, &v, p->width, left - 2, s);
    left = p->height - (int)sheet_lines(s);
    left = left < 2 ? 2 : left;
    int newer = v.columns - 1 - v.at < left / 3 ? v.columns - 1 - v.at : left / 3;
    int first = v.at - (left - 1 - newer);
    for (int i = first < 0 ? 0 : first; i <= v.at + newer; i++)
        write_event(t, p, &v, i, s);
}

static bool set(struct tui *t, struct pane *p, const char *arguments, struct error *e) {
    char *end;
    unsigned long long cycle = strtoull(arguments, &end, 10);
    if (strcmp(arguments, "all") == 0 || strcmp(arguments, "traps") == 0) {
        p->mode = arguments[0] == 't' ? SHOWN_TRAPS : SHOWN_ALL;
        p->set = false;
        return true;
    }
    if (strcmp(arguments, "newest") == 0) {
        p->set = false;
        return true;
    }
    if (end == arguments || end[strspn(end, " ")])
        return error_set(e, ERROR_INPUT, "timeline takes a cycle, newest, traps, or all");
    int number = 0;
    for (long n = (long)session_events(t->session) - 1; n >= 0; n--) {
        if (!is_shown(t, (size_t)n, p->mode))
            continue;
        if (session_event(t->session, (size_t)n)->cycle <= cycle)
            break;
        number++;
    }
    hold(t, p, number);
    move(t, p, 0); /* not beyond the oldest */
    return true;
}

const struct pane_kind pane_timeline = {
    .name = "timeline",
    .title = "timeline",
    .key = '7',
    .help =
        "Traps, and what monitors did about them: one lane a level, one column an event, a letter says which. A ^ is "
        "an interruption that the monitor below has given to this level. Below the lanes the events in words, with "
        "the cycle and the moment: `go @MOMENT` goes there. Up and Down move the cursor; `pane timeline traps` shows "
        "traps and reflections alone, `pane timeline CYCLE` goes to a cycle, Home to the newest.",
    .draw = draw,
    .move = move,
    .set = set,
    .arguments = "CYCLE | newest | traps | all",
};
