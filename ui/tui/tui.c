/* The screen: layout, drawing, keys; and the loop in which the session is held. */
#include "ui/tui/tui.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ui/tui/explain.h"
#include "ui/tui/input.h"
#include "ui/tui/lab.h"

static const struct pane_kind *const kinds[PANES] = {
    &pane_code,    &pane_state, &pane_nest,    &pane_trap, &pane_walk,        &pane_storage,  &pane_timeline,
    &pane_invoice, &pane_map,   &pane_console, &pane_tlb,  &pane_breakpoints, &pane_scenario,
};

const struct pane_kind *pane_kind_at(size_t n) { return n < PANES ? kinds[n] : NULL; }

/* ---- Layout ---- */

/* A slot shows one pane of its list at a time; `[` and `]` change it. Places are in percent of the screen. */
struct slot {
    uint8_t x, y, to_x, to_y;
    const char *panes;
};
struct layout {
    int width, height; /* at least */
    bool lab;          /* for a lab alone, whose text has a place of its own */
    struct slot slots[SLOTS_MOST];
};
// clang-format off
static const struct layout layouts[] = {
    {160, 50, false, {{ 0,  0,  40,  60, "code map"},       { 0,  60,  40, 100, "storage tlb"},
               {40,  0,  70,  40, "trap"},           {40,  40,  70,  70, "walk"},       {40, 70, 70, 100, "timeline breakpoints"},
               {70,  0, 100,  34, "state"},          {70,  34, 100,  58, "nest"},
               {70, 58, 100,  78, "invoice"},        {70,  78, 100, 100, "scenario console"}}},
    {100, 34, false, {{ 0,  0,  50,  42, "code map"},       { 0,  42,  50,  72, "trap"},
               { 0, 72,  50, 100, "walk storage timeline"},
               {50,  0, 100,  40, "state tlb"},      {50,  40, 100,  66, "nest invoice"},
               {50, 66, 100, 100, "scenario console breakpoints"}, {0}, {0}, {0}}},
    { 40, 10, true, {{ 0,  0,  49,  52, "code storage map"}, { 0, 52,  49, 100, "trap walk timeline"},
               {49,  0, 100,  52, "state nest invoice tlb"}, {49, 52, 100, 100, "scenario console breakpoints"},
               {0}, {0}, {0}, {0}, {0}}},
    { 40, 10, false, {{ 0,  0,  49,  52, "code storage map"}, { 0, 52,  49, 100, "trap walk timeline"},
               {49,  0, 100,  52, "state tlb"},      {49,  52, 100, 100, "nest invoice scenario console breakpoints"},
               {0}, {0}, {0}, {0}, {0}}},
};
// clang-format on
enum { LEAST_WIDTH = 40, LEAST_HEIGHT = 10 };

static const struct layout *layout_of(const struct tui *t) {
    const struct layout *l = layouts;
    bool lab = engine_lab(session_engine(t->session));
    while ((l->lab && !lab) || (l->width > LEAST_WIDTH && (t->canvas.width < l->width || t->canvas.height < l->height)))
        l++;
    return l;
}

/* The n-th pane of a slot's list, of those that are not hidden; NULL past the last. */
static struct pane *slot_pane(struct tui *t, const struct slot *slot, unsigned n) {
    const char *at = slot->panes ? slot->panes : "";
    while (*at) {
        size_t length = strcspn(at, " ");
        for (int i = 0; i < PANES; i++)
            if (strlen(kinds[i]->name) == length && memcmp(kinds[i]->name, at, length) == 0 && !t->panes[i].hidden &&
                n-- == 0)
                return &t->panes[i];
        at += length + (at[length] == ' ');
    }
    return NULL;
}

static int slot_with(struct tui *t, const struct pane *p) {
    const struct layout *l = layout_of(t);
    for (int s = 0; s < SLOTS_MOST; s++)
        for (unsigned n = 0; slot_pane(t, &l->slots[s], n); n++)
            if (slot_pane(t, &l->slots[s], n) == p)
                return s;
    return -1;
}

/* The pane that the slot shows now. */
static struct pane *shown(struct tui *t, int s) {
    const struct slot *slot = &layout_of(t)->slots[s];
    for (unsigned n = 0; slot_pane(t, slot, n); n++)
        if (slot_pane(t, slot, n) - t->panes == t->slot_pane[s])
            return slot_pane(t, slot, n);
    return slot_pane(t, slot, 0);
}

void tui_focus(struct tui *t, struct pane *p) {
    int s = t->canvas.width ? slot_with(t, p) : -1;
    if (s >= 0)
        t->slot_pane[s] = (int)(p - t->panes);
    t->focus = (int)(p - t->panes);
}

void tui_next_slot(struct tui *t, int step) {
    int s = t->focus >= 0 ? slot_with(t, &t->panes[t->focus]) : 0;
    for (int n = 0; n < SLOTS_MOST; n++) {
        s = (s + step + SLOTS_MOST) % SLOTS_MOST;
        if (shown(t, s)) {
            t->focus = (int)(shown(t, s) - t->panes);
            return;
        }
    }
}

void tui_next_tab(struct tui *t, int step) {
    int s = t->focus >= 0 ? slot_with(t, &t->panes[t->focus]) : -1;
    if (s < 0)
        return;
    const struct slot *slot = &layout_of(t)->slots[s];
    int count = 0, present = 0;
    for (; slot_pane(t, slot, (unsigned)count); count++)
        if (slot_pane(t, slot, (unsigned)count) == &t->panes[t->focus])
            present = count;
    tui_focus(t, slot_pane(t, slot, (unsigned)((present + step + count) % count)));
}

/* ---- Drawing ---- */

void tui_draw_pane(struct tui *t, struct pane *p) {
    sheet_clear(&p->sheet);
    p->sheet.ascii = t->ascii;
    p->kind->draw(t, p, &p->sheet);
}

/* Moves the screen over the sheet so that the line is seen. */
static void make_visible(struct pane *p, long line) {
    long room = p->height > 0 ? p->height : 1;
    if (line < (long)p->top)
        p->top = (size_t)line;
    else if (line >= (long)p->top + room)
        p->top = (size_t)(line - room + 1);
}

static void keep_in_sheet(struct pane *p) {
    size_t lines = sheet_lines(&p->sheet);
    size_t most = lines > (size_t)p->height ? lines - (size_t)p->height : 0;
    if (p->top > most)
        p->top = most;
    if (p->cursor >= (long)lines)
        p->cursor = (long)lines - 1;
}

/* "code [1] | storage map": the tabs of the slot, the present one first by its title. */
static void title_of(struct tui *t, int s, const struct pane *p, char to[100]) {
    int length = snprintf(to, 100, "%c %s ", p->kind->key ? p->kind->key : ' ', p->kind->title);
    for (unsigned n = 0; s >= 0 && slot_pane(t, &layout_of(t)->slots[s], n); n++) {
        const struct pane *other = slot_pane(t, &layout_of(t)->slots[s], n);
        if (other != p && length < 80)
            length += snprintf(to + length, 100 - (size_t)length, "| %c %s ", other->kind->key ? other->kind->key : ' ',
                               other->kind->name);
    }
}

static void draw_box(struct tui *t, struct pane *p, struct area a, int s) {
    char title[100], note[60] = "";
    bool focus = t->focus == (int)(p - t->panes);
    p->width = a.width - 2;
    p->height = a.height - 2;
    p->visible = true;
    p->place = a;
    tui_draw_pane(t, p);
    long seen = p->cursor >= 0 ? p->cursor : sheet_focus_line(&p->sheet);
    if (!p->moved && p->cursor < 0 && seen >= 0) {
        /* what is to be seen stands in the upper half */
        long above = p->kind->text ? 0 : p->height / 3;
        p->top = seen > above ? (size_t)(seen - above) : 0;
    } else if (p->cursor >= 0) {
        make_visible(p, p->cursor);
    }
    keep_in_sheet(p);
    title_of(t, s, p, title);
    size_t lines = sheet_lines(&p->sheet);
    if (!p->kind->move && (long)lines > p->height && p->height > 0)
        snprintf(note, sizeof note, " %zu-%zu of %zu ", p->top + 1,
                 p->top + (size_t)p->height < lines ? p->top + (size_t)p->height : lines, lines);
    struct area inside = canvas_box(&t->canvas, a, focus ? STYLE_BORDER_FOCUS : STYLE_BORDER,
                                    focus ? STYLE_BORDER_FOCUS : STYLE_DIM, title, *note ? note : NULL);
    canvas_sheet(&t->canvas, inside, &p->sheet, p->top, p->left, focus ? p->cursor : -1);
}

static void draw_panes(struct tui *t, struct area a) {
    const struct layout *l = layout_of(t);
    for (int n = 0; n < PANES; n++)
        t->panes[n].visible = false;
    if (t->focus >= 0 && t->panes[t->focus].hidden)
        t->focus = -1;
    if (t->focus >= 0) /* in a layout of another size it stands somewhere else */
        tui_focus(t, &t->panes[t->focus]);
    if (t->zoomed && t->focus >= 0) {
        draw_box(t, &t->panes[t->focus], a, -1);
        return;
    }
    for (int s = 0; s < SLOTS_MOST; s++) {
        struct pane *p = shown(t, s);
        const struct slot *slot = &l->slots[s];
        if (!p)
            continue;
        if (t->focus < 0)
            t->focus = (int)(p - t->panes);
        int x = a.width * slot->x / 100, y = a.height * slot->y / 100;
        struct area box = {a.x + x, a.y + y, a.width * slot->to_x / 100 - x, a.height * slot->to_y / 100 - y};
        draw_box(t, p, box, s);
    }
}

const char *tui_grouped(char to[32], uint64_t n) {
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n), at = 0;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            to[at++] = ',';
        to[at++] = digits[i];
    }
    to[at] = '\0';
    return to;
}

/* The upper line: where we are. */
static void draw_bar(struct tui *t) {
    struct area a = {0, 0, t->canvas.width, 1};
    struct machine *m = session_machine(t->session);
    char text[200], steps[32];
    static const char *const phases[] = {[SESSION_RUNS] = "paused",
                                         [SESSION_OVER] = "run over",
                                         [SESSION_ENDED] = "scenario ended",
                                         [SESSION_EMPTY] = "no machine"};
    enum session_phase phase = session_phase(t->session);
    canvas_fill(&t->canvas, a, STYLE_BAR);
    snprintf(text, sizeof text, " cloud370 %s ", t->name);
    int x = canvas_text(&t->canvas, a, 0, 0, STYLE_BAR_STRONG, text);
    if (m) {
        struct machine_state state;
        struct session_place place;
        machine_state(m, &state);
        session_place(t->session, &place);
        snprintf(text, sizeof text, " L%d %s ", machine_level(m), machine_name(m));
        x = canvas_text(&t->canvas, a, x, 0, STYLE_BAR_STRONG, text);
        snprintf(text, sizeof text, " %s %s%s | step %s | ", psw_problem(&state.psw) ? "problem" : "supervisor",
                 psw_ec(&state.psw) ? "EC" : "BC", psw_dat(&state.psw) ? " DAT" : "", tui_grouped(steps, place.steps));
        x = canvas_text(&t->canvas, a, x, 0, STYLE_BAR, text);
        const struct machine *runs = session_running(t->session);
        bool elsewhere = phase == SESSION_RUNS && runs != m && place.cycles; /* and it has begun at all */
        snprintf(text, sizeof text, elsewhere ? " %s executes " : "%s", elsewhere ? machine_name(runs) : phases[phase]);
        x = canvas_text(&t->canvas, a, x, 0, elsewhere ? STYLE_BAR_STRONG : STYLE_BAR, text);
        /* the timeline: the part of the known way that lies behind */
        int room = a.width - x - 2;
        if (room >= 12) {
            int width = room > 42 ? 40 : room - 2;
            uint64_t known = place.last - place.first;
            int behind = known ? (int)((place.position - place.first) * (uint64_t)width / known) : width;
            char bar[64];
            for (int i = 0; i < width; i++)
                bar[i] = i < behind ? '=' : i == behind ? '>' : '.';
            bar[width] = '\0';
            snprintf(text, sizeof text, "[%s]", bar);
            canvas_text(&t->canvas, a, a.width - width - 3, 0, STYLE_BAR, text);
        }
    } else {
        snprintf(text, sizeof text, " %s", phases[phase]);
        canvas_text(&t->canvas, a, x, 0, STYLE_BAR, text);
    }
}

static const char *const hints[] = {
    [SESSION_RUNS] = "s step  r back  t next trap  c continue  C scenario goes on  ? help  q quit",
    [SESSION_OVER] = "C scenario goes on  r back  R to the run's beginning  ? help  q quit",
    [SESSION_ENDED] = "s step  r back  t next trap  c continue  ? help  q quit",
    [SESSION_EMPTY] = "? help  q quit",
};

/* The lower line: what is typed, or the last message, or what keys there are. Returns the cursor's column, or -1. */
static int draw_line(struct tui *t) {
    struct area a = {0, t->canvas.height - 1, t->canvas.width, 1};
    if (t->typing) {
        char text[INPUT_BYTES + 40];
        int x = canvas_text(&t->canvas, a, 0, 0, STYLE_KEY, t->prompt);
        int at = (int)text_columns(t->input, t->input_at), room = a.width - x - 1;
        int cut = at > room ? at - room : 0;
        snprintf(text, sizeof text, "%s", t->input);
        struct area rest = {x, a.y, a.width - x, 1};
        canvas_text(&t->canvas, rest, -cut, 0, STYLE_TEXT, text);
        return x + at - cut;
    }
    if (*t->message)
        canvas_text(&t->canvas, a, 0, 0, t->bad ? STYLE_BAD : STYLE_STRONG, t->message);
    else
        canvas_text(&t->canvas, a, 0, 0, STYLE_DIM, hints[session_phase(t->session)]);
    return -1;
}

static void draw_over(struct tui *t) {
    int width = t->canvas.width - 4, height = t->canvas.height - 4;
    width = width > 130 ? 130 : width;
    char note[40];
    size_t lines = sheet_lines(&t->over_sheet);
    if ((long)lines + 2 < height)
        height = (int)lines + 2;
    struct area a = {(t->canvas.width - width) / 2, (t->canvas.height - height) / 2, width, height};
    size_t room = height > 2 ? (size_t)height - 2 : 1;
    if (t->over == OVER_MENU) {
        if (t->over_cursor < (long)t->over_top)
            t->over_top = (size_t)t->over_cursor;
        else if (t->over_cursor >= (long)(t->over_top + room))
            t->over_top = (size_t)t->over_cursor - room + 1;
    }
    if (t->over_top + room > lines)
        t->over_top = lines > room ? lines - room : 0;
    snprintf(note, sizeof note, " %zu-%zu of %zu  Esc closes ", t->over_top + 1,
             t->over_top + room < lines ? t->over_top + room : lines, lines);
    canvas_fill(&t->canvas, a, STYLE_TEXT);
    struct area inside = canvas_box(&t->canvas, a, STYLE_BORDER_FOCUS, STYLE_BORDER_FOCUS, t->over_title, note);
    canvas_sheet(&t->canvas, inside, &t->over_sheet, t->over_top, 0, t->over == OVER_MENU ? t->over_cursor : -1);
}

static void draw_screen(struct tui *t) {
    t->canvas.ascii = t->ascii;
    canvas_clear(&t->canvas);
    if (t->canvas.width < LEAST_WIDTH || t->canvas.height < LEAST_HEIGHT) {
        char text[80];
        snprintf(text, sizeof text, "%d x %d is too small: %d x %d", t->canvas.width, t->canvas.height, LEAST_WIDTH,
                 LEAST_HEIGHT);
        canvas_text(&t->canvas, (struct area){0, 0, t->canvas.width, t->canvas.height}, 0, 0, STYLE_BAD, text);
        return;
    }
    draw_panes(t, (struct area){0, 1, t->canvas.width, t->canvas.height - 2});
    draw_bar(t);
    if (t->over != OVER_NOTHING)
        draw_over(t);
}

/* As the screen has it now; the column of the cursor in the last line, or -1. */
static int draw_all(struct tui *t) {
    int width = 0, height = 0;
    t->screen->size(t->screen->self, &width, &height);
    if ((width != t->canvas.width || height != t->canvas.height) && !canvas_resize(&t->canvas, width, height))
        return -1;
    draw_screen(t);
    return t->canvas.height > 1 ? draw_line(t) : -1;
}

void tui_draw_all(struct tui *t) { draw_all(t); }

static void show(struct tui *t) {
    if (!t->screen)
        return;
    int x = draw_all(t);
    t->screen->show(t->screen->self, &t->canvas, t->theme, x, x >= 0 ? t->canvas.height - 1 : -1);
}

struct pane *tui_pane_at(struct tui *t, int x, int y) {
    for (int n = 0; n < PANES; n++) {
        const struct area *a = &t->panes[n].place;
        if (t->panes[n].visible && x >= a->x && x < a->x + a->width && y >= a->y && y < a->y + a->height)
            return &t->panes[n];
    }
    return NULL;
}

/* ---- What is said ---- */

void tui_say(struct tui *t, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(t->message, sizeof t->message, format, arguments);
    va_end(arguments);
    t->bad = false;
}

bool tui_refuse(struct tui *t, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(t->message, sizeof t->message, format, arguments);
    va_end(arguments);
    t->bad = true;
    return false;
}

static void print_sheet(const struct tui *t, const struct sheet *s) {
    for (size_t n = 0; n < sheet_lines(s); n++) {
        const struct line *line = sheet_line_at(s, n);
        for (size_t i = 0; i < line->count; i++) {
            const struct span *span = sheet_span(s, line->first + i);
            fwrite(s->text.data + span->text, 1, span->length, t->out);
        }
        fputc('\n', t->out);
    }
}

void tui_show_text(struct tui *t, const char *title, struct sheet *s) {
    if (!t->screen) {
        fprintf(t->out, "-- %s\n", title);
        print_sheet(t, s);
        sheet_fini(s);
        return;
    }
    sheet_fini(&t->over_sheet);
    t->over_sheet = *s;
    t->over = OVER_TEXT;
    t->over_top = 0;
    snprintf(t->over_title, sizeof t->over_title, " %s ", title);
}

struct pane *tui_pane(struct tui *t, const char *name) {
    struct pane *found = NULL;
    size_t length = strlen(name);
    for (int n = 0; n < PANES; n++) {
        const char *full = kinds[n]->name;
        if (strcmp(full, name) == 0)
            return &t->panes[n];
        if (length && strncmp(full, name, length) == 0) {
            if (found)
                return NULL;
            found = &t->panes[n];
        }
    }
    return found;
}

struct pane *tui_pane_of_key(struct tui *t, const char *key) {
    for (int n = 0; n < PANES && !key[1]; n++)
        if (kinds[n]->key == *key)
            return &t->panes[n];
    return NULL;
}

/* ---- The loop ---- */

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t executed(const struct machine *m) {
    struct machine_stats stats;
    machine_stats(m, &stats);
    return stats.instructions;
}

/* Where the machine is; going on, also how fast. On the way back it is run again from an earlier moment. */
static void show_progress(struct tui *t, double took) {
    struct machine *m = session_machine(t->session);
    char steps[32], text[32], rate[48] = "";
    uint64_t now = executed(machine_bare(m));
    if (now >= t->began)
        snprintf(rate, sizeof rate, ", %s a second", tui_grouped(text, (uint64_t)((double)(now - t->began) / took)));
    tui_say(t, "running: instruction %s of %s%s - Ctrl-C stops", tui_grouped(steps, executed(m)), machine_name(m),
            rate);
    canvas_fill(&t->canvas, (struct area){0, t->canvas.height - 1, t->canvas.width, 1}, STYLE_TEXT);
    int x = draw_line(t);
    t->screen->show(t->screen->self, &t->canvas, t->theme, x, -1);
}

/* Asked while a machine runs: shows how it goes, ten times a second. */
static bool wants_stop(void *self) {
    enum { A_SECOND = 10 };
    const double PATIENCE = 0.3;
    struct tui *t = self;
    if (!t->screen)
        return false;
    double now = seconds();
    if (now - t->shown_at > 1.0 / A_SECOND) {
        if (session_machine(t->session) && t->began_at > 0 && now - t->began_at > PATIENCE)
            show_progress(t, now - t->began_at);
        t->shown_at = now;
    }
    return t->screen->stop(t->screen->self);
}

/* The next line of the file that is replayed; false: there is none. */
static bool next_replayed(struct tui *t, char *line, size_t size) {
    while (t->replay && fgets(line, (int)size, t->replay)) {
        t->replayed_lines++;
        line[strcspn(line, "\r\n")] = '\0';
        if (*line && *line != '#')
            return true;
    }
    if (t->replay)
        fclose(t->replay);
    t->replay = NULL;
    return false;
}

static void replay_line(struct tui *t, const char *line) {
    if (!t->screen)
        fprintf(t->out, "> %s\n", line);
    if (!tui_command(t, line))
        t->failed++;
    if (!t->screen)
        input_tell(t);
}

/* session_options.interact. */
static void interact(void *self) {
    struct tui *t = self;
    char line[INPUT_BYTES];
    const char *text = session_message(t->session);
    if (*text)
        tui_say(t, "%s", text);
    t->bad = session_error(t->session)->kind != ERROR_NONE;
    for (int n = 0; n < PANES; n++)
        t->panes[n].moved = false;
    lab_look(t, NULL, NULL);
    if (!t->screen)
        input_tell(t);
    while (!session_resumed(t->session)) {
        if (next_replayed(t, line, sizeof line)) {
            show(t);
            replay_line(t, line);
        } else if (t->screen) {
            show(t);
            struct key key = t->screen->key(t->screen->self);
            const struct machine *m = session_machine(t->session);
            t->began_at = seconds();
            t->began = m ? executed(machine_bare((struct machine *)m)) : 0;
            input_key(t, &key);
        } else if (t->in && input_read_line(t, line, sizeof line)) {
            tui_command(t, line);
            input_tell(t);
        } else {
            t->leaving = true;
            session_quit(t->session);
        }
    }
    t->message[0] = '\0';
}

static void fini(struct tui *t) {
    for (int n = 0; n < PANES; n++) {
        sheet_fini(&t->panes[n].sheet);
        free(t->panes[n].own);
    }
    sheet_fini(&t->over_sheet);
    canvas_fini(&t->canvas);
    for (size_t n = 0; n < t->past_count; n++)
        free(t->past[n]);
    if (t->replay)
        fclose(t->replay);
    session_free(t->session);
}

int tui_run(const struct tui_options *o, struct error *e) {
    struct tui *t = calloc(1, sizeof *t);
    if (!t) {
        error_set(e, ERROR_INTERNAL, "out of memory");
        return ERROR_INTERNAL;
    }
    const char *slash = strrchr(o->session->path, '/');
    t->name = slash ? slash + 1 : o->session->path;
    t->screen = o->screen;
    t->out = o->out;
    t->in = o->in;
    t->replay = o->replay;
    t->record = o->record;
    t->ascii = o->ascii;
    t->theme = o->theme;
    t->focus = -1;
    for (int n = 0; n < PANES; n++)
        t->panes[n] = (struct pane){.kind = kinds[n], .cursor = -1, .number = -1, .width = 78, .height = 20};
    for (int s = 0; s < SLOTS_MOST; s++)
        t->slot_pane[s] = -1;
    struct session_options options = *o->session;
    options.interact = interact;
    options.interrupted = wants_stop;
    options.self = t;
    t->session = session_new(&options, e);
    int status = ERROR_INTERNAL;
    if (t->session) {
        bool ok = session_run(t->session, e);
        struct engine_results results;
        engine_results(session_engine(t->session), &results);
        status = !ok                                   ? (int)e->kind
                 : t->failed                           ? (int)ERROR_EXPECTATION
                 : results.failed_count && !t->leaving ? (int)ERROR_EXPECTATION
                                                       : 0;
    }
    fini(t);
    free(t);
    return status;
}
