/* The table of commands, and what they do. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ui/tui/explain.h"
#include "ui/tui/input.h"
#include "ui/tui/lab.h"
#include "ui/tui/tui.h"

/* ---- Arguments ---- */

static bool is_end(const char *text) { return !text[strspn(text, " ")]; }

/* A whole number, with commas if the user likes; `otherwise` where there is none. */
static bool number(struct tui *t, const char *text, uint64_t otherwise, uint64_t *to) {
    uint64_t n = 0;
    text += strspn(text, " ");
    *to = otherwise;
    if (!*text)
        return true;
    for (; isdigit((uint8_t)*text) || *text == ','; text++) {
        if (*text == ',')
            continue;
        if (n > (UINT64_MAX - 9) / 10)
            return tui_refuse(t, "that number is too large");
        n = n * 10 + (uint64_t)(*text - '0');
    }
    *to = n;
    return is_end(text) || tui_refuse(t, "a whole number is wanted instead of \"%.40s\"", text);
}

/* Takes the next word. */
static bool word(const char **text, char *to, size_t size) {
    *text += strspn(*text, " ");
    size_t length = strcspn(*text, " ");
    snprintf(to, size, "%.*s", (int)(length < size ? length : size - 1), *text);
    *text += length;
    *text += strspn(*text, " ");
    return length;
}

static bool hex(const char *text, size_t length, uint32_t *to) {
    uint32_t n = 0;
    if (!length || length > 6)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!isxdigit((uint8_t)text[i]))
            return false;
        n = n << 4 | (uint32_t)(isdigit((uint8_t)text[i]) ? text[i] - '0' : (tolower((uint8_t)text[i]) - 'a') + 10);
    }
    *to = n;
    return true;
}

bool tui_address(struct tui *t, const char *text, uint32_t *to, struct error *e) {
    struct machine *m = session_machine(t->session);
    const struct source_map *map;
    struct machine_state state;
    size_t length = strcspn(text, "+ ");
    uint32_t more = 0;
    char name[80];
    if (!m)
        return error_set(e, ERROR_INPUT, "there is no machine");
    machine_state(m, &state);
    if (text[length] == '+' && !hex(text + length + 1, strcspn(text + length + 1, " "), &more))
        return error_set(e, ERROR_INPUT, "behind the + hexadecimal digits are wanted, not \"%.20s\"",
                         text + length + 1);
    snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1), text);
    char *end;
    long r = (*name == 'r' || *name == 'R') && isdigit((uint8_t)name[1]) ? strtol(name + 1, &end, 10) : -1;
    bool found = false;
    for (size_t n = 0; !found && (map = engine_program(session_engine(t->session), m, n)); n++)
        found = source_map_find(map, name, to);
    if (!found && r >= 0 && r < 16 && !*end) {
        *to = state.gpr[r] & 0xFFFFFF;
        found = true;
    }
    if (!found && strcasecmp(name, "psw") == 0) {
        *to = state.psw.ia;
        found = true;
    }
    if (!found && strlen(name) > 6 && strspn(name, "0123456789abcdefABCDEF") == strlen(name))
        return error_set(e, ERROR_INPUT, "%.20s is too large: an address has 24 bits, six hexadecimal digits", name);
    if (!found && !hex(name, strlen(name), to))
        return error_set(
            e, ERROR_INPUT,
            "\"%.40s\" is no address: hexadecimal digits, a symbol of the program, psw, or r0 to r15; +HEX "
            "may follow",
            name);
    *to = (*to + more) & 0xFFFFFF;
    return true;
}

static bool address(struct tui *t, const char *text, uint32_t *to) {
    struct error e = ERROR_CLEAR;
    return tui_address(t, text, to, &e) || tui_refuse(t, "%s", e.text);
}

const struct source_map *tui_source(struct tui *t, struct machine *m, uint32_t va, uint32_t *real) {
    struct machine_state state;
    struct dat_walk walk;
    machine_state(m, &state);
    *real = va;
    if (psw_dat(&state.psw)) {
        if (machine_walk(m, va, &walk) != ACCESS_OK)
            return NULL;
        *real = walk.real;
    }
    return engine_source(session_engine(t->session), m, *real);
}

/* ---- Moving the machine ---- */

static bool stopped(struct tui *t, enum session_stop stop) {
    const char *text = session_message(t->session);
    for (int n = 0; n < PANES; n++) {
        t->panes[n].moved = false;
        t->panes[n].cursor = -1;
    }
    if (stop == STOPPED_REFUSED)
        return tui_refuse(t, "%s", text);
    tui_say(t, "%s", text);
    return true;
}

static bool run_step(struct tui *t, const char *arguments) {
    uint64_t n;
    return number(t, arguments, 1, &n) && (n ? stopped(t, session_step(t->session, n)) : true);
}
static bool run_over(struct tui *t, const char *arguments) {
    (void)arguments;
    return stopped(t, session_over(t->session));
}
static bool run_trap(struct tui *t, const char *arguments) {
    (void)arguments;
    return stopped(t, session_trap(t->session));
}
static bool run_interruption(struct tui *t, const char *arguments) {
    (void)arguments;
    return stopped(t, session_interruption(t->session));
}
static bool run_cross(struct tui *t, const char *arguments) {
    (void)arguments;
    return stopped(t, session_level(t->session));
}
static bool run_until(struct tui *t, const char *arguments) {
    uint32_t to;
    return address(t, arguments, &to) && stopped(t, session_until(t->session, to));
}
static bool run_continue(struct tui *t, const char *arguments) {
    (void)arguments;
    return stopped(t, session_continue(t->session));
}
static bool run_back(struct tui *t, const char *arguments) {
    uint64_t n;
    return number(t, arguments, 1, &n) && (n ? stopped(t, session_back(t->session, n)) : true);
}
static bool run_back_to_trap(struct tui *t, const char *arguments) {
    (void)arguments;
    return stopped(t, session_back_to_trap(t->session));
}
static bool run_reverse(struct tui *t, const char *arguments) {
    (void)arguments;
    return stopped(t, session_reverse(t->session));
}

/* To a moment, as the timeline has it. */
static bool go_to_moment(struct tui *t, const char *text) {
    uint64_t n;
    if (is_end(text))
        return tui_refuse(t, "behind the @ a moment is wanted, as the pane timeline shows it");
    return number(t, text, 0, &n) && stopped(t, session_go(t->session, n));
}

/* To a step of the chosen machine, counted from its making: by going back or on. */
static bool run_go(struct tui *t, const char *arguments) {
    uint64_t n;
    struct session_place place;
    if (is_end(arguments))
        return tui_refuse(t, "go where? a number of steps, such as 1000, or a moment of the timeline, @1000");
    if (arguments[strspn(arguments, " ")] == '@')
        return go_to_moment(t, strchr(arguments, '@') + 1);
    if (!number(t, arguments, 0, &n))
        return false;
    session_place(t->session, &place);
    if (n < place.steps)
        return stopped(t, session_back(t->session, place.steps - n));
    return n == place.steps || stopped(t, session_step(t->session, n - place.steps));
}

static bool run_resume(struct tui *t, const char *arguments) {
    if (!is_end(arguments) && strcmp(arguments, "all") != 0)
        return tui_refuse(t, "resume takes nothing, or `all`");
    if (session_phase(t->session) == SESSION_ENDED || session_phase(t->session) == SESSION_EMPTY)
        return tui_refuse(t, "the scenario has ended");
    session_resume(t->session, !is_end(arguments));
    return true;
}

static bool run_again(struct tui *t, const char *arguments) {
    (void)arguments;
    char line[INPUT_BYTES];
    if (!*t->again)
        return tui_refuse(t, "nothing has been done yet that could be done again");
    snprintf(line, sizeof line, "%s", t->again);
    return tui_command(t, line);
}

/* ---- Machines ---- */

static bool choose(struct tui *t, struct machine *m) {
    session_choose(t->session, m);
    tui_say(t, "level %d: %s", machine_level(m), machine_name(m));
    return true;
}

static bool run_up(struct tui *t, const char *arguments) {
    (void)arguments;
    struct machine *m, *chosen = session_machine(t->session), *next = NULL;
    bool seen = false;
    for (size_t n = 0; (m = session_tree(t->session, n)); n++) {
        if (seen && !next)
            next = m;
        seen = seen || m == chosen;
    }
    return next ? choose(t, next) : tui_refuse(t, "%s", chosen ? "there is no level above" : "there is no machine");
}

static bool run_down(struct tui *t, const char *arguments) {
    (void)arguments;
    struct machine *m, *chosen = session_machine(t->session), *before = NULL;
    for (size_t n = 0; (m = session_tree(t->session, n)) && m != chosen; n++)
        before = m;
    return before ? choose(t, before)
                  : tui_refuse(t, "%s", chosen ? "this is the bare machine" : "there is no machine");
}

static bool run_machine(struct tui *t, const char *arguments) {
    struct machine *m;
    for (size_t n = 0; (m = engine_machine(session_engine(t->session), n)); n++)
        if (strcmp(machine_name(m), arguments) == 0)
            return choose(t, m);
    char names[160] = "";
    for (size_t n = 0; (m = engine_machine(session_engine(t->session), n)) && strlen(names) < 100; n++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", n ? ", " : "", machine_name(m));
    return tui_refuse(t, "there is no machine \"%.30s\"; there are %s", arguments, names);
}

/* ---- Breakpoints ---- */

static bool added(struct tui *t, const struct breakpoint *b) {
    struct error e = ERROR_CLEAR;
    unsigned number = session_break(t->session, b, &e);
    if (!number)
        return tui_refuse(t, "%s", e.text);
    tui_say(t, "breakpoint %u is set", number);
    return true;
}

static bool break_class(struct tui *t, const char *text, struct breakpoint *b) {
    static const struct {
        const char *name;
        unsigned classes;
        bool critical;
    } classes[] = {
        {"sensitive", CLASS_CONTROL | CLASS_BEHAVIOUR, false},
        {"control", CLASS_CONTROL, false},
        {"behaviour", CLASS_BEHAVIOUR, false},
        {"critical", CLASS_CONTROL | CLASS_BEHAVIOUR, true},
        {"traps", CLASS_TRAPS, false},
        {"c", CLASS_CONTROL, false}, /* as the pane code has them; C is an instruction */
        {"b", CLASS_BEHAVIOUR, false},
    };
    b->kind = BREAK_CLASS;
    b->instruction = -1;
    for (size_t n = 0; n < sizeof classes / sizeof *classes; n++)
        if (strcmp(text, classes[n].name) == 0) {
            b->classes = classes[n].classes;
            b->critical = classes[n].critical;
            return added(t, b);
        }
    const struct instruction *i = instruction_find(text);
    if (!i)
        return tui_refuse(
            t, "\"%.20s\" is neither a mnemonic nor a class: sensitive, control, behaviour, critical, traps", text);
    b->instruction = (int)instruction_id(i);
    return added(t, b);
}

static bool break_trap(struct tui *t, const char *text, struct breakpoint *b) {
    char name[20], code[12];
    uint32_t value = 0;
    b->kind = BREAK_TRAP;
    word(&text, name, sizeof name);
    b->code = -1;
    for (b->interruption = 0; b->interruption < INTERRUPTION_CLASSES; b->interruption++)
        if (strcasecmp(name, interruption_name((enum interruption_class)b->interruption)) == 0)
            break;
    if (b->interruption == INTERRUPTION_CLASSES)
        return tui_refuse(t, "break trap takes restart, external, svc, program, machine_check or io, and a code");
    if (word(&text, code, sizeof code)) {
        if (!hex(code, strlen(code), &value) || value > 0xFFFF)
            return tui_refuse(t, "the code is up to four hexadecimal digits, not \"%.20s\"", code);
        b->code = (int)value;
    }
    return added(t, b);
}

static bool break_store(struct tui *t, const char *text, struct breakpoint *b) {
    char place[80];
    uint64_t length;
    b->kind = BREAK_STORE;
    word(&text, place, sizeof place);
    if (!address(t, place, &b->address) || !number(t, text, 4, &length))
        return false;
    b->length = length > UINT32_MAX ? UINT32_MAX : (uint32_t)length;
    return added(t, b);
}

static bool break_if(struct tui *t, const char *text, struct breakpoint *b) {
    b->kind = BREAK_CONDITION;
    if (!*text || strlen(text) >= CONDITION_BYTES)
        return tui_refuse(t, "break if takes a Lua expression of at most %d characters, such as m.gpr[1] == 5",
                          CONDITION_BYTES - 1);
    snprintf(b->condition, sizeof b->condition, "%s", text);
    return added(t, b);
}

static const struct {
    const char *name;
    bool (*run)(struct tui *t, const char *text, struct breakpoint *b);
} break_kinds[] = {{"class", break_class}, {"trap", break_trap}, {"store", break_store}, {"if", break_if}};

static bool run_break(struct tui *t, const char *arguments) {
    char kind[80];
    const char *text = arguments;
    struct breakpoint b = {.machine = session_machine(t->session)};
    if (!b.machine)
        return tui_refuse(t, "there is no machine");
    if (!word(&text, kind, sizeof kind)) {
        struct machine_state state;
        machine_state(b.machine, &state);
        b.address = state.psw.ia;
        return added(t, &b);
    }
    for (size_t n = 0; n < sizeof break_kinds / sizeof *break_kinds; n++)
        if (strcmp(kind, break_kinds[n].name) == 0)
            return break_kinds[n].run(t, text, &b);
    if (!is_end(text))
        return tui_refuse(t, "\"%.40s\" behind the address is not understood; a condition is set by break if", text);
    return address(t, arguments, &b.address) && added(t, &b);
}

static bool run_delete(struct tui *t, const char *arguments) {
    uint64_t n;
    if (strcmp(arguments, "all") == 0) {
        while (session_breakpoints(t->session))
            session_unbreak(t->session, session_breakpoint(t->session, 0)->number);
        tui_say(t, "no breakpoints are left");
        return true;
    }
    if (!number(t, arguments, 0, &n))
        return false;
    if (!session_unbreak(t->session, (unsigned)n))
        return tui_refuse(t, "there is no breakpoint %llu; `pane breakpoints` shows them", (unsigned long long)n);
    tui_say(t, "breakpoint %llu is gone", (unsigned long long)n);
    return true;
}

static bool run_toggle(struct tui *t, const char *arguments) {
    uint64_t n;
    if (!number(t, arguments, 0, &n))
        return false;
    return session_toggle(t->session, (unsigned)n) ||
           tui_refuse(t, "there is no breakpoint %llu; `pane breakpoints` shows them", (unsigned long long)n);
}

/* ---- Marks ---- */

static struct mark *mark_of(struct tui *t, const char *text) {
    if (!islower((uint8_t)*text) || text[1]) {
        tui_refuse(t, "a mark is a letter, a to z");
        return NULL;
    }
    return &t->marks[*text - 'a'];
}

static bool run_mark(struct tui *t, const char *arguments) {
    struct mark *mark = mark_of(t, arguments);
    struct session_place place;
    if (!mark)
        return false;
    if (!session_machine(t->session))
        return tui_refuse(t, "there is no machine");
    session_place(t->session, &place);
    *mark = (struct mark){true, machine_bare(session_machine(t->session)), place.position};
    tui_say(t, "mark %s; '%s returns here", arguments, arguments);
    return true;
}

static bool run_return(struct tui *t, const char *arguments) {
    const struct mark *mark = mark_of(t, arguments);
    if (!mark)
        return false;
    const struct machine *m = session_machine(t->session);
    if (!mark->set || !m || machine_bare((struct machine *)m) != mark->machine)
        return tui_refuse(t, "there is no mark %s of this machine", arguments);
    return stopped(t, session_go(t->session, mark->position));
}

/* ---- The screen ---- */

static struct pane *pane_or_refuse(struct tui *t, const char *name) {
    struct pane *p = tui_pane(t, name);
    if (p && !p->hidden)
        return p;
    if (p) {
        tui_refuse(t, "the scenario has hidden the pane %s", p->kind->name);
        return NULL;
    }
    char names[160] = "";
    for (int n = 0; n < PANES; n++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", n ? ", " : "", t->panes[n].kind->name);
    tui_refuse(t, "there is no pane \"%.20s\"; there are %s", name, names);
    return NULL;
}

static bool set_pane(struct tui *t, struct pane *p, const char *text) {
    struct error e = ERROR_CLEAR;
    if (is_end(text))
        return true;
    if (!p->kind->set)
        return tui_refuse(t, "the pane %s takes no argument", p->kind->name);
    return p->kind->set(t, p, text, &e) || tui_refuse(t, "%s", e.text);
}

static void print_pane(struct tui *t, struct pane *p) {
    struct sheet copy = {0};
    tui_draw_pane(t, p);
    copy = p->sheet;
    p->sheet = (struct sheet){0};
    tui_show_text(t, p->kind->title, &copy);
}

/* In plain mode a pane that is gone to is printed. */
static bool run_pane(struct tui *t, const char *arguments) {
    char name[40];
    const char *text = arguments;
    word(&text, name, sizeof name);
    struct pane *p = pane_or_refuse(t, name);
    if (!p || !set_pane(t, p, text))
        return false;
    p->moved = false;
    tui_focus(t, p);
    if (!t->screen)
        print_pane(t, p);
    return true;
}

static bool run_zoom(struct tui *t, const char *arguments) {
    (void)arguments;
    t->zoomed = !t->zoomed;
    return true;
}
static bool run_next(struct tui *t, const char *arguments) {
    (void)arguments;
    tui_next_slot(t, 1);
    return true;
}
static bool run_previous(struct tui *t, const char *arguments) {
    (void)arguments;
    tui_next_slot(t, -1);
    return true;
}
static bool run_tab_right(struct tui *t, const char *arguments) {
    (void)arguments;
    tui_next_tab(t, 1);
    return true;
}
static bool run_tab_left(struct tui *t, const char *arguments) {
    (void)arguments;
    tui_next_tab(t, -1);
    return true;
}

static bool run_scroll(struct tui *t, const char *arguments) {
    char *end;
    long lines = strtol(arguments, &end, 10), columns = is_end(end) ? 0 : strtol(end, &end, 10);
    if (end == arguments || !is_end(end) || labs(lines) > 100000000 || labs(columns) > 10000)
        return tui_refuse(t, "scroll takes a number of lines, and of columns");
    input_scroll(t, lines, columns);
    return true;
}
static bool scroll_lines(struct tui *t, long lines) {
    input_scroll(t, lines, 0);
    return true;
}
static long page(const struct tui *t) {
    const struct pane *p = t->focus >= 0 ? &t->panes[t->focus] : NULL;
    return t->over == OVER_NOTHING && p && p->height > 2 ? p->height - 1 : 10;
}
static bool run_line_down(struct tui *t, const char *a) {
    (void)a;
    return scroll_lines(t, 1);
}
static bool run_line_up(struct tui *t, const char *a) {
    (void)a;
    return scroll_lines(t, -1);
}
static bool run_page_down(struct tui *t, const char *a) {
    (void)a;
    return scroll_lines(t, page(t));
}
static bool run_page_up(struct tui *t, const char *a) {
    (void)a;
    return scroll_lines(t, -page(t));
}
static bool run_left(struct tui *t, const char *a) {
    (void)a;
    input_scroll(t, 0, -8);
    return true;
}
static bool run_right(struct tui *t, const char *a) {
    (void)a;
    input_scroll(t, 0, 8);
    return true;
}
static bool run_home(struct tui *t, const char *a) {
    (void)a;
    struct pane *p = t->focus >= 0 ? &t->panes[t->focus] : NULL;
    if (p) {
        p->moved = p->set = false;
        p->cursor = -1;
        p->left = 0;
    }
    return true;
}

static bool run_escape(struct tui *t, const char *arguments) {
    t->over = OVER_NOTHING;
    t->zoomed = false;
    t->message[0] = '\0';
    return run_home(t, arguments);
}

static bool run_theme(struct tui *t, const char *arguments) {
    const struct theme *theme = theme_find(arguments);
    if (!theme) {
        char names[100] = "";
        for (unsigned n = 0; theme_at(n); n++)
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", n ? ", " : "", theme_at(n)->name);
        return tui_refuse(t, "the themes are %s", names);
    }
    t->theme = theme;
    if (t->screen)
        t->screen->theme(t->screen->self, theme);
    return true;
}

static bool run_ascii(struct tui *t, const char *arguments) {
    (void)arguments;
    t->ascii = !t->ascii;
    return true;
}

/* ---- Searching ---- */

static bool line_has(const struct sheet *s, size_t n, const char *text) {
    char line[500] = "";
    size_t length = 0;
    const struct line *l = sheet_line_at(s, n);
    for (size_t i = 0; i < l->count; i++) {
        const struct span *span = sheet_span(s, l->first + i);
        for (size_t k = 0; k < span->length && length < sizeof line - 1; k++)
            line[length++] = (char)s->text.data[span->text + k];
    }
    line[length] = '\0';
    return strcasestr(line, text);
}

static bool find(struct tui *t, long step) {
    struct pane *p = t->focus >= 0 ? &t->panes[t->focus] : NULL;
    if (!*t->search)
        return tui_refuse(t, "nothing was searched for yet: /TEXT does");
    if (t->over == OVER_NOTHING && p && p->kind->find)
        return p->kind->find(t, p, t->search, step) ||
               tui_refuse(t, "\"%s\" is nowhere in %s", t->search, p->kind->title);
    const struct sheet *s = t->over != OVER_NOTHING ? &t->over_sheet : p ? &p->sheet : NULL;
    long lines = s ? (long)sheet_lines(s) : 0;
    long at = t->over == OVER_MENU   ? t->over_cursor
              : t->over == OVER_TEXT ? (long)t->over_top
              : p && p->cursor >= 0  ? p->cursor
                                     : -1;
    for (long n = 1; n <= lines; n++) {
        long line = ((at + step * n) % lines + lines) % lines;
        if (!line_has(s, (size_t)line, t->search))
            continue;
        if (t->over == OVER_MENU)
            t->over_cursor = line;
        else if (t->over == OVER_TEXT)
            t->over_top = (size_t)line;
        else
            p->cursor = line;
        return true;
    }
    return tui_refuse(t, "\"%s\" is not in the pane %s", t->search, p ? p->kind->name : "");
}

static bool run_find(struct tui *t, const char *arguments) {
    if (!is_end(arguments))
        snprintf(t->search, sizeof t->search, "%s", arguments);
    return find(t, 1);
}
static bool run_find_next(struct tui *t, const char *arguments) {
    (void)arguments;
    return find(t, 1);
}
static bool run_find_previous(struct tui *t, const char *arguments) {
    (void)arguments;
    return find(t, -1);
}

/* ---- Help ---- */

static bool run_keys(struct tui *t, const char *arguments) {
    struct sheet s = {.ascii = t->ascii};
    const char *group = "";
    bool narrow = t->screen && t->canvas.width < 100;
    (void)arguments;
    for (size_t n = 0; command_at(n); n++) {
        const struct command *c = command_at(n);
        if (strcmp(group, c->group) != 0) {
            sheet_line(&s);
            sheet_print(&s, STYLE_STRONG, "%s", c->group);
            group = c->group;
        }
        sheet_line(&s);
        sheet_topic(&s, "%s", c->name);
        sheet_print(&s, STYLE_KEY, "  %-15s", c->keys);
        if (narrow)
            sheet_print(&s, STYLE_TEXT, " %-13s ", c->name);
        else
            sheet_print(&s, STYLE_TEXT, " %s%s%s", c->name, *c->arguments ? " " : "", c->arguments);
        if (!narrow)
            sheet_tab(&s, 47);
        sheet_print(&s, STYLE_DIM, "%s", c->help);
    }
    sheet_line(&s);
    sheet_print(&s, STYLE_STRONG, "Panes");
    for (size_t n = 0; pane_kind_at(n); n++) {
        const struct pane_kind *k = pane_kind_at(n);
        sheet_line(&s);
        sheet_topic(&s, "pane %s", k->name);
        sheet_print(&s, STYLE_KEY, "  %-15c", k->key ? k->key : ' ');
        sheet_print(&s, STYLE_TEXT, " pane %s%s%s", k->name, k->arguments && !narrow ? " " : "",
                    k->arguments && !narrow ? k->arguments : "");
        sheet_tab(&s, narrow ? 32 : 47);
        sheet_print(&s, STYLE_DIM, "%.*s", (int)strcspn(k->help, ".:"), k->help);
    }
    tui_show_text(t, "commands and keys: Enter runs, / searches", &s);
    if (t->screen) {
        t->over = OVER_MENU;
        t->over_cursor = 1;
    }
    return true;
}

/* Columns that fit into a box over the panes. */
static unsigned over_width(const struct tui *t) {
    int width = t->screen && t->canvas.width ? t->canvas.width - 8 : 78;
    return width > 90 ? 90 : width < 20 ? 20 : (unsigned)width;
}

static bool run_explain(struct tui *t, const char *arguments) {
    struct pane *p = t->focus >= 0 ? &t->panes[t->focus] : NULL;
    struct sheet s = {.ascii = t->ascii};
    bool any = false;
    if (!is_end(arguments)) {
        any = explain(&s, arguments, over_width(t));
        if (!any)
            return tui_refuse(t, "nothing is known about \"%.40s\"; Tab completes what is", arguments);
    } else if (p) {
        long line = p->cursor >= 0 ? p->cursor : sheet_focus_line(&p->sheet);
        const char *topic;
        for (unsigned n = 0; line >= 0 && (topic = sheet_topic_at(&p->sheet, (size_t)line, n)); n++) {
            if (any)
                sheet_line(&s);
            any = explain(&s, topic, over_width(t)) || any;
        }
        if (!any && p->kind->text) { /* nothing is pointed at: the next instruction */
            struct pane *code = tui_pane(t, "code");
            tui_draw_pane(t, code);
            line = sheet_focus_line(&code->sheet);
            topic = line >= 0 ? sheet_topic_at(&code->sheet, (size_t)line, 0) : NULL;
            any = topic && explain(&s, topic, over_width(t));
        }
        if (!any) { /* then the pane itself */
            sheet_wrapped(&s, STYLE_TEXT, over_width(t), 0, p->kind->help);
            any = true;
        }
    }
    if (!any)
        return tui_refuse(t, "explain what? For example: explain instruction:LPSW");
    tui_show_text(t, is_end(arguments) && p ? p->kind->title : "explained", &s);
    return true;
}

/* ---- Lua, files ---- */

static bool run_lua(struct tui *t, const char *arguments) {
    struct bytes out = {0};
    struct error e = ERROR_CLEAR;
    if (is_end(arguments))
        return tui_refuse(t, "lua takes an expression or statements, such as m.gpr[1] or m:poke(...)");
    bool ok = session_evaluate(t->session, arguments, &out, &e);
    if (!ok)
        tui_refuse(t, "%s", e.text);
    else if (t->screen && out.length < sizeof t->message - 1 &&
             !memchr(out.data ? out.data : (const uint8_t *)"", '\n', out.length))
        tui_say(t, "%s", out.length ? (const char *)out.data : "");
    else if (out.length) {
        struct sheet s = {.ascii = t->ascii};
        const char *text = (const char *)out.data;
        while (*text) {
            size_t length = strcspn(text, "\n");
            sheet_line(&s);
            sheet_text(&s, STYLE_TEXT, text, length);
            text += length + (text[length] == '\n');
        }
        tui_show_text(t, "Lua", &s);
    }
    bytes_fini(&out);
    return ok;
}

static bool run_shot(struct tui *t, const char *arguments) {
    struct bytes out = {0};
    struct error e = ERROR_CLEAR;
    size_t length = strlen(arguments);
    bool svg = length > 4 && strcmp(arguments + length - 4, ".svg") == 0;
    bool txt = length > 4 && strcmp(arguments + length - 4, ".txt") == 0;
    if (!svg && !txt)
        return tui_refuse(t, "shot takes the name of a file that ends in .svg or .txt");
    if (!t->screen)
        return tui_refuse(t, "in plain mode there is no screen to take a picture of");
    tui_draw_all(t);
    if (svg)
        canvas_to_svg(&out, &t->canvas, t->theme);
    else
        canvas_to_text(&out, &t->canvas);
    bool ok = !out.failed && bytes_write_file(arguments, out.data, out.length, &e);
    bytes_fini(&out);
    if (!ok)
        return tui_refuse(t, "%s", e.text);
    tui_say(t, "written: %s", arguments);
    return true;
}

static bool run_quit(struct tui *t, const char *arguments) {
    (void)arguments;
    t->leaving = true;
    session_quit(t->session);
    return true;
}

static bool run_line(struct tui *t, const char *arguments) {
    (void)arguments;
    input_ask(t, ":", "", "");
    return true;
}

static bool run_ask_lua(struct tui *t, const char *arguments) {
    (void)arguments;
    input_ask(t, "lua: ", "lua ", "");
    return true;
}

// clang-format off
static const struct command commands[] = {
    /* name          keys               arguments     group        help */
    {"step",         "s F7",            "[N]",        "Forward",   "one instruction (or interruption), or N", run_step, NULL, true},
    {"steps",        "S",               "N",          "Forward",   "N of them", run_step, "steps: ", true},
    {"over",         "o F8",            "",           "Forward",   "the same, over an SVC or a call of a subroutine", run_over, NULL, true},
    {"trap",         "t",               "",           "Forward",   "to behind this machine's next trap", run_trap, NULL, true},
    {"interruption", "I",               "",           "Forward",   "to the next interruption that it takes itself", run_interruption, NULL, true},
    {"cross",        "x",               "",           "Forward",   "until another machine executes: to a monitor, or back", run_cross, NULL, true},
    {"until",        "u",               "ADDRESS",    "Forward",   "to this address", run_until, "until address: ", true},
    {"continue",     "c F9",            "",           "Forward",   "to a breakpoint, or the end of the scenario's run", run_continue, NULL, true},
    {"resume",       "C",               "[all]",      "Forward",   "let the scenario go on; all: up to its end", run_resume, NULL, true},
    {"again",        ".",               "",           "Forward",   "the last movement once more", run_again, NULL, false},
    {"back",         "r F6",            "[N]",        "Back",      "one step back, or N", run_back, NULL, true},
    {"backs",        "U",               "N",          "Back",      "N steps back", run_back, "steps back: ", true},
    {"back-to-trap", "T",               "",           "Back",      "to its last trap, before anything was done about it", run_back_to_trap, NULL, true},
    {"reverse",      "R",               "",           "Back",      "back to a breakpoint, or to where the run began", run_reverse, NULL, true},
    {"go",           "g",               "STEP | @MOMENT", "Back",  "to this step of the machine, or moment of the timeline", run_go, "go to step: ", true},
    {"mark",         "m",               "LETTER",     "Back",      "give this moment a letter", run_mark, "mark: ", false},
    {"return",       "'",               "LETTER",     "Back",      "go back (or on) to a mark", run_return, "to mark: ", true},
    {"break",        "b",               "ADDRESS | class C | trap CLASS [CODE] | store ADDRESS [N] | if LUA",
                                                      "Breakpoints", "stop there; nothing: at the present instruction", run_break, "break (address, class, trap, store, if): ", false},
    {"delete",       "D",               "N | all",    "Breakpoints", "take a breakpoint away", run_delete, "delete breakpoint: ", false},
    {"toggle",       "",                "N",          "Breakpoints", "turn it off or on", run_toggle, "toggle: ", false},
    {"up",           "L >",             "",           "Machines",  "look at the machine one level up", run_up, NULL, false},
    {"down",         "K <",             "",           "Machines",  "look at the one below", run_down, NULL, false},
    {"machine",      "M",               "MACHINE",    "Machines",  "look at this one", run_machine, "machine: ", false},
    {"pane",         "p",               "PANE ...",   "Screen",    "go to a pane, and what it is to show", run_pane, "pane: ", false},
    {"zoom",         "+ _ z",           "",           "Screen",    "this pane alone, or all of them", run_zoom, NULL, false},
    {"next",         "Tab",             "",           "Screen",    "to the next pane", run_next, NULL, false},
    {"previous",     "S-Tab",           "",           "Screen",    "to the one before", run_previous, NULL, false},
    {"tab-right",    "]",               "",           "Screen",    "another pane in this place", run_tab_right, NULL, false},
    {"tab-left",     "[",               "",           "Screen",    "the same, the other way", run_tab_left, NULL, false},
    {"scroll",       "",                "LINES [COLUMNS]", "Screen", "move what is seen", run_scroll, NULL, false},
    {"line-down",    "j Down",          "",           "Screen",    "a line down", run_line_down, NULL, false},
    {"line-up",      "k Up",            "",           "Screen",    "a line up", run_line_up, NULL, false},
    {"page-down",    "PageDown Space",  "",           "Screen",    "a page down", run_page_down, NULL, false},
    {"page-up",      "PageUp",          "",           "Screen",    "a page up", run_page_up, NULL, false},
    {"left",         "h Left",          "",           "Screen",    "to the left", run_left, NULL, false},
    {"right",        "l Right",         "",           "Screen",    "to the right", run_right, NULL, false},
    {"home",         "Home",            "",           "Screen",    "to where the machine is", run_home, NULL, false},
    {"escape",       "Esc",             "",           "Screen",    "close what is open, zoom out, to where the machine is", run_escape, NULL, false},
    {"find",         "/",               "TEXT",       "Screen",    "search in this pane", run_find, "/", false},
    {"find-next",    "n",               "",           "Screen",    "the next place", run_find_next, NULL, false},
    {"find-previous","N",               "",           "Screen",    "the one before", run_find_previous, NULL, false},
    {"theme",        "",                "THEME",      "Screen",    "dark, light, contrast, blue-yellow, mono", run_theme, NULL, false},
    {"ascii",        "",                "",           "Screen",    "ASCII only, or UTF-8 again", run_ascii, NULL, false},
    {"keys",         "?",               "",           "Help",      "this list", run_keys, NULL, false},
    {"help",         "F1",              "",           "Help",      "the same", run_keys, NULL, false},
    {"explain",      "e Enter",         "[TOPIC]",    "Help",      "what stands under the cursor, or a topic", run_explain, NULL, false},
    {"command",      ":",               "",           "Help",      "type a command; Tab completes, Up recalls", run_line, NULL, false},
    {"ask-lua",      "=",               "",           "Help",      "type Lua", run_ask_lua, NULL, false},
    {"lua",          "",                "LUA",        "Help",      "evaluate Lua here; m is the machine; = before it does, too", run_lua, NULL, false},
    {"shot",         "",                "FILE",       "Help",      "write the screen as .svg or .txt", run_shot, NULL, false},
    {"quit",         "q",               "",           "Help",      "leave", run_quit, NULL, false},
};
// clang-format on

const struct command *command_at(size_t n) { return n < sizeof commands / sizeof *commands ? &commands[n] : NULL; }

const struct command *command_find(const char *name, struct error *e) {
    const struct command *found = strlen(name) == 1 ? command_of_key(name) : NULL;
    size_t length = strlen(name);
    if (found)
        return found;
    for (size_t n = 0; command_at(n); n++) {
        const struct command *c = command_at(n);
        if (strcmp(c->name, name) == 0)
            return c;
        if (length && strncmp(c->name, name, length) == 0 && !found)
            found = c; /* of several the first: the order of the table is the order of use */
    }
    if (!found)
        error_set(e, ERROR_INPUT, "there is no command \"%.40s\"; `keys` lists them", name);
    return found;
}

const struct command *command_of_key(const char *key) {
    size_t length = strlen(key);
    for (size_t n = 0; command_at(n); n++)
        for (const char *at = commands[n].keys; *at;) {
            size_t one = strcspn(at, " ");
            if (one == length && memcmp(at, key, length) == 0)
                return &commands[n];
            at += one + (at[one] == ' ');
        }
    return NULL;
}

bool tui_command(struct tui *t, const char *line) {
    char name[40];
    const char *arguments = line + strspn(line, " ");
    struct error e = ERROR_CLEAR;
    t->message[0] = '\0';
    t->bad = false;
    if (!*arguments)
        return true;
    if (t->record) {
        fprintf(t->record, "%s\n", line);
        fflush(t->record);
    }
    if (*arguments == '=')
        return run_lua(t, arguments + 1 + strspn(arguments + 1, " "));
    word(&arguments, name, sizeof name);
    const struct command *c = command_find(name, &e);
    if (!c)
        return tui_refuse(t, "%s", e.text);
    if (!*c->arguments && !is_end(arguments))
        return tui_refuse(t, "%s takes no argument", c->name);
    if (!lab_allows(t, c))
        return false;
    if (c->moves)
        snprintf(t->again, sizeof t->again, "%s", line);
    bool ok = c->run(t, arguments);
    lab_look(t, c, arguments);
    return ok;
}
