#include "ui/tui/input.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "ui/tui/explain.h"

/* ---- Scrolling ---- */

void input_scroll(struct tui *t, long lines, long columns) {
    if (t->over == OVER_MENU) {
        long most = (long)sheet_lines(&t->over_sheet) - 1;
        t->over_cursor += lines;
        t->over_cursor = t->over_cursor < 0 ? 0 : t->over_cursor > most ? most : t->over_cursor;
        return;
    }
    if (t->over == OVER_TEXT) {
        t->over_top = lines < 0 && (size_t)-lines > t->over_top ? 0 : t->over_top + (size_t)lines;
        return;
    }
    struct pane *p = t->focus >= 0 ? &t->panes[t->focus] : NULL;
    if (!p)
        return;
    p->left = columns < 0 && (unsigned)-columns > p->left ? 0 : p->left + (unsigned)columns;
    if (p->kind->move) {
        p->kind->move(t, p, lines);
        p->moved = true;
        return;
    }
    long most = (long)sheet_lines(&p->sheet) - 1;
    if (p->kind->text) {
        p->top = lines < 0 && (size_t)-lines > p->top ? 0 : p->top + (size_t)lines;
        p->moved = true;
        return;
    }
    if (p->cursor < 0)
        p->cursor = sheet_focus_line(&p->sheet) >= 0 ? sheet_focus_line(&p->sheet) : (long)p->top;
    else
        p->cursor += lines;
    p->cursor = p->cursor < 0 ? 0 : p->cursor > most ? most : p->cursor;
    p->moved = true;
}

/* ---- The line that is typed ---- */

void input_ask(struct tui *t, const char *prompt, const char *before, const char *input) {
    t->typing = true;
    snprintf(t->prompt, sizeof t->prompt, "%s", prompt);
    snprintf(t->before_input, sizeof t->before_input, "%s", before);
    snprintf(t->input, sizeof t->input, "%s", input);
    t->input_at = strlen(t->input);
    t->past_at = t->past_count;
}

static void insert(struct tui *t, const char *text) {
    size_t length = strlen(text), have = strlen(t->input);
    if (have + length >= sizeof t->input)
        return;
    memmove(t->input + t->input_at + length, t->input + t->input_at, have - t->input_at + 1);
    memcpy(t->input + t->input_at, text, length);
    t->input_at += length;
}

/* The byte before which the character to the left begins. */
static size_t left_of(const struct tui *t) {
    size_t at = t->input_at;
    while (at > 0 && ((uint8_t)t->input[--at] & 0xC0) == 0x80) {
    }
    return at;
}

static size_t right_of(const struct tui *t) {
    size_t at = t->input_at;
    if (t->input[at])
        for (at++; ((uint8_t)t->input[at] & 0xC0) == 0x80; at++) {
        }
    return at;
}

static void erase(struct tui *t, size_t from, size_t to) {
    memmove(t->input + from, t->input + to, strlen(t->input + to) + 1);
    t->input_at = from;
}

static void remember_line(struct tui *t, const char *line) {
    if (!*line || (t->past_count && strcmp(t->past[t->past_count - 1], line) == 0))
        return;
    if (t->past_count == PAST_LINES) {
        free(t->past[0]);
        memmove(t->past, t->past + 1, (PAST_LINES - 1) * sizeof *t->past);
        t->past_count--;
    }
    char *copy = strdup(line);
    if (copy)
        t->past[t->past_count++] = copy;
}

static void recall(struct tui *t, int step) {
    if ((step < 0 && t->past_at == 0) || (step > 0 && t->past_at >= t->past_count))
        return;
    t->past_at = (size_t)((long)t->past_at + step);
    snprintf(t->input, sizeof t->input, "%s", t->past_at < t->past_count ? t->past[t->past_at] : "");
    t->input_at = strlen(t->input);
}

/* ---- Completion: the n-th word that can stand at this place ---- */

static const char *command_word(struct tui *t, size_t n) {
    (void)t;
    return command_at(n) ? command_at(n)->name : NULL;
}

static const char *pane_word(struct tui *t, size_t n) { return n < PANES ? t->panes[n].kind->name : NULL; }
static const char *topic_word(struct tui *t, size_t n) {
    (void)t;
    return explain_topic(n);
}
static const char *theme_word(struct tui *t, size_t n) {
    (void)t;
    return theme_at((unsigned)n) ? theme_at((unsigned)n)->name : NULL;
}

static const char *machine_word(struct tui *t, size_t n) {
    struct machine *m = session_tree(t->session, n);
    return m ? machine_name(m) : NULL;
}

/* Symbols of the programs of the chosen machine. */
static const char *symbol_word(struct tui *t, size_t n) {
    const struct source_map *map;
    const struct machine *m = session_machine(t->session);
    for (size_t i = 0; m && (map = engine_program(session_engine(t->session), m, i)); i++) {
        uint32_t value;
        size_t count = 0;
        while (source_map_symbol(map, count, &value))
            if (count++ == n)
                return source_map_symbol(map, n, &value);
        n -= count;
    }
    return NULL;
}

static const struct {
    const char *argument; /* in `arguments` of a command */
    const char *(*word)(struct tui *t, size_t n);
} completions[] = {
    {"PANE", pane_word},       {"TOPIC", topic_word},    {"THEME", theme_word},
    {"MACHINE", machine_word}, {"ADDRESS", symbol_word},
};

/* Completes the word before the cursor as far as all that fit agree. */
static void complete(struct tui *t) {
    char line[INPUT_BYTES + 48], common[80] = "";
    snprintf(line, sizeof line, "%s%.*s", t->before_input, (int)t->input_at, t->input);
    char *word = strrchr(line, ' ');
    const char *(*next)(struct tui *, size_t) = command_word;
    word = word ? word + 1 : line;
    if (word != line) {
        char name[40];
        struct error e = ERROR_CLEAR;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(line, " "), line);
        const struct command *c = command_find(name, &e);
        next = NULL;
        for (size_t i = 0; c && !next && i < sizeof completions / sizeof *completions; i++)
            if (strstr(c->arguments, completions[i].argument))
                next = completions[i].word;
    }
    size_t length = strlen(word), fit = 0;
    const char *candidate;
    for (size_t n = 0; next && (candidate = next(t, n)); n++) {
        if (strncasecmp(candidate, word, length) != 0)
            continue;
        if (fit++ == 0) {
            snprintf(common, sizeof common, "%s", candidate);
        } else {
            size_t same = 0;
            while (common[same] && tolower((uint8_t)common[same]) == tolower((uint8_t)candidate[same]))
                same++;
            common[same] = '\0';
        }
    }
    if (fit && strlen(common) >= length) {
        erase(t, t->input_at - length, t->input_at);
        insert(t, common);
        if (fit == 1)
            insert(t, " ");
    }
}

static void enter(struct tui *t) {
    char line[INPUT_BYTES + 48];
    bool search = *t->prompt == '/';
    t->typing = false;
    if (!search && !*t->before_input && !*t->input)
        return;
    snprintf(line, sizeof line, "%s%s", t->before_input, t->input);
    while (*line && line[strlen(line) - 1] == ' ')
        line[strlen(line) - 1] = '\0';
    remember_line(t, t->input);
    tui_command(t, line);
}

static void edit_left(struct tui *t) { t->input_at = left_of(t); }
static void edit_right(struct tui *t) { t->input_at = right_of(t); }
static void edit_home(struct tui *t) { t->input_at = 0; }
static void edit_end(struct tui *t) { t->input_at = strlen(t->input); }
static void edit_backspace(struct tui *t) {
    if (!*t->input)
        t->typing = false;
    erase(t, left_of(t), t->input_at);
}
static void edit_delete(struct tui *t) { erase(t, t->input_at, right_of(t)); }
static void edit_clear(struct tui *t) { erase(t, 0, t->input_at); }
static void edit_cut(struct tui *t) { t->input[t->input_at] = '\0'; }
static void edit_up(struct tui *t) { recall(t, -1); }
static void edit_down(struct tui *t) { recall(t, 1); }
static void edit_leave(struct tui *t) { t->typing = false; }

static const struct {
    const char *key;
    void (*edit)(struct tui *t);
} edits[] = {
    {"Enter", enter},    {"Esc", edit_leave},   {"C-c", edit_leave},     {"Tab", complete},
    {"Left", edit_left}, {"Right", edit_right}, {"Home", edit_home},     {"End", edit_end},
    {"C-a", edit_home},  {"C-e", edit_end},     {"C-u", edit_clear},     {"C-k", edit_cut},
    {"Up", edit_up},     {"Down", edit_down},   {"Delete", edit_delete}, {"Backspace", edit_backspace},
};

static void type_key(struct tui *t, const struct key *key) {
    if (key->kind == PRESSED_TEXT)
        insert(t, key->name);
    for (size_t n = 0; key->kind == PRESSED_NAMED && n < sizeof edits / sizeof *edits; n++)
        if (strcmp(edits[n].key, key->name) == 0) {
            edits[n].edit(t);
            return;
        }
}

/* ---- Keys ---- */

static void mouse(struct tui *t, const struct key *key) {
    if (strcmp(key->name, "WheelUp") == 0) {
        tui_command(t, "scroll -3");
    } else if (strcmp(key->name, "WheelDown") == 0) {
        tui_command(t, "scroll 3");
    } else if (t->over == OVER_NOTHING) {
        char line[40];
        const struct pane *p = tui_pane_at(t, key->x, key->y);
        if (p) {
            snprintf(line, sizeof line, "pane %s", p->kind->name);
            tui_command(t, line);
        }
    }
}

/* The line of the menu is a command with its key: it is run. */
static void choose(struct tui *t) {
    const char *topic = sheet_topic_at(&t->over_sheet, (size_t)t->over_cursor, 0);
    char name[TOPIC_BYTES];
    t->over = OVER_NOTHING;
    if (!topic)
        return;
    snprintf(name, sizeof name, "%s", topic);
    if (strchr(name, ' ')) { /* a pane's line has its argument */
        tui_command(t, name);
        return;
    }
    struct error e = ERROR_CLEAR;
    input_command(t, command_find(name, &e));
}

/* What a command's key does: runs it, or asks for its argument. */
void input_command(struct tui *t, const struct command *c) {
    char before[48];
    if (!c)
        return;
    if (!c->asks) {
        tui_command(t, c->name);
        return;
    }
    snprintf(before, sizeof before, "%s ", c->name);
    input_ask(t, c->asks, *c->name == ':' ? "" : before, "");
}

void input_key(struct tui *t, const struct key *key) {
    if (key->kind == PRESSED_CLOSED) {
        t->leaving = true;
        session_quit(t->session);
    } else if (key->kind == PRESSED_PASTE) {
        tui_refuse(t, "pasted text is taken on the command line only; `:` opens it");
    } else if (key->kind == PRESSED_MOUSE) {
        mouse(t, key);
    } else if (key->kind != PRESSED_TEXT && key->kind != PRESSED_NAMED) {
        return;
    } else if (t->typing) {
        type_key(t, key);
    } else if (t->over != OVER_NOTHING && (strcmp(key->name, "Esc") == 0 || strcmp(key->name, "q") == 0)) {
        t->over = OVER_NOTHING;
    } else if (t->over == OVER_MENU && strcmp(key->name, "Enter") == 0) {
        choose(t);
    } else {
        const struct command *c = command_of_key(key->name);
        const struct pane *p = c ? NULL : tui_pane_of_key(t, key->name);
        char line[40];
        if (p)
            snprintf(line, sizeof line, "pane %s", p->kind->name);
        if (c)
            input_command(t, c);
        else if (p)
            tui_command(t, line);
        else
            tui_refuse(t, "%s does nothing here; ? lists the keys", key->name);
    }
}

/* ---- Plain mode ---- */

bool input_read_line(struct tui *t, char *line, size_t size) {
    if (!fgets(line, (int)size, t->in))
        return false;
    size_t length = strcspn(line, "\r\n");
    if (!line[length] && length == size - 1) /* too long: the rest goes, too */
        for (int c = 0; c != '\n' && c != EOF;)
            c = fgetc(t->in);
    line[length] = '\0';
    return true;
}

/* After each command: what it came to, and where we are. */
void input_tell(struct tui *t) {
    struct machine *m = session_machine(t->session);
    const struct bytes *output = session_output(t->session);
    if (t->printed < output->length)
        fwrite(output->data + t->printed, 1, output->length - t->printed, t->out);
    t->printed = output->length;
    if (*t->message)
        fprintf(t->out, "%s%s\n", t->bad ? "error: " : "", t->message);
    t->message[0] = '\0';
    if (m && session_moved(t->session)) {
        struct machine_state state;
        struct session_place place;
        char steps[32];
        uint8_t raw[8];
        char hex[17];
        machine_state(m, &state);
        session_place(t->session, &place);
        psw_store(&state.psw, raw, 0, 0);
        bytes_to_hex(hex, raw, 8);
        fprintf(t->out, "L%d %s: step %s, PSW %s\n", machine_level(m), machine_name(m), tui_grouped(steps, place.steps),
                hex);
        tui_print_next(t);
    }
    fflush(t->out);
}
