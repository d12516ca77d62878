/* The terminal UI: panes onto a session, and commands that act on it.
 *
 * Everything that can be done is a command: a row of a table with its name, its keys and its help. Keys, the command
 * line, plain mode and replayed files all end in tui_command, so what can be done in one way can be done in each. A
 * pane is a struct of functions that writes a sheet; the screen shows parts of sheets, plain mode prints them. */
#ifndef UI_TUI_TUI_H
#define UI_TUI_TUI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "ui/tui/canvas.h"
#include "ui/tui/session.h"
#include "ui/tui/sheet.h"

struct tui;
struct pane;

/* ---- Panes ---- */

struct pane_kind {
    const char *name; /* as commands have it; one word */
    const char *title;
    char key;         /* that goes to it; '\0': none */
    const char *help; /* what it shows, a few sentences */
    /* Writes what it shows now into the sheet, which is empty. p->width and p->height are the room that it will have.
     * The line that is to be seen is marked by sheet_focus. */
    void (*draw)(struct tui *t, struct pane *p, struct sheet *s);
    /* A pane onto something too long to be written whole moves itself by so many lines. NULL: its sheet is whole, and
     * the screen moves over it. */
    void (*move)(struct tui *t, struct pane *p, long lines);
    /* `show` and `go` in words: "storage 1000", "walk 80000"; what follows the name. *e says what would be accepted.
     * NULL: it takes nothing. */
    bool (*set)(struct tui *t, struct pane *p, const char *arguments, struct error *e);
    const char *arguments; /* of `set`, for the help */
    /* Moves to where the text stands next (step 1) or before (-1). False: nowhere. NULL: its sheet is searched. */
    bool (*find)(struct tui *t, struct pane *p, const char *text, long step);
    bool text; /* it is read: there is no cursor, moving moves what is seen */
};
extern const struct pane_kind pane_code, pane_state, pane_nest, pane_trap, pane_walk, pane_storage, pane_timeline,
    pane_invoice, pane_map, pane_console, pane_tlb, pane_breakpoints, pane_scenario;
enum { PANES = 13 };
/* The n-th; NULL past the last. */
const struct pane_kind *pane_kind_at(size_t n);

struct pane {
    const struct pane_kind *kind;
    struct sheet sheet;
    int width, height; /* inside of its border */
    size_t top;        /* the first line of the sheet that is seen */
    unsigned left;
    long cursor;       /* line of the sheet; -1: none */
    struct area place; /* on the screen, with its border */
    bool visible;      /* it is there */
    bool hidden;       /* by the scenario */
    bool moved;        /* by the user since the machine was moved: the line with the focus is not searched */
    /* The kind's own. */
    bool set;
    uint32_t address;
    int number; /* of a register, for example; -1 */
    unsigned mode;
    uint64_t seen; /* session_commands when it was drawn */
    uint32_t at;   /* where a pane that moves itself stands */
    void *own;     /* allocated, freed with the pane */
};

/* ---- The whole ---- */

/* What the keys and lines come from, and the picture goes to: a terminal, or nothing. */
struct key {
    enum {
        PRESSED_NOTHING,
        PRESSED_TEXT,
        PRESSED_NAMED,
        PRESSED_PASTE,
        PRESSED_MOUSE,
        PRESSED_RESIZED,
        PRESSED_CLOSED
    } kind;
    char name[16]; /* PRESSED_TEXT: a character, UTF-8; PRESSED_NAMED: "Up", "Enter", "F7", "C-r" */
    int x, y;      /* PRESSED_MOUSE; name is "Click", "WheelUp" or "WheelDown" */
};
struct screen {
    void (*size)(void *self, int *width, int *height);
    void (*show)(void *self, const struct canvas *c, const struct theme *theme, int cursor_x, int cursor_y);
    /* Waits for a key, using no time of the processor. */
    struct key (*key)(void *self);
    /* Whether the user wants a running machine to stop; does not wait. */
    bool (*stop)(void *self);
    void (*theme)(void *self, const struct theme *theme);
    void *self;
};

enum { INPUT_BYTES = 400, PAST_LINES = 200, MARKS = 26, SLOTS_MOST = 9 };

struct mark {
    bool set;
    struct machine *machine;
    uint64_t position;
};

struct tui {
    struct session *session;
    const struct screen *screen; /* NULL: plain mode */
    FILE *out, *in;              /* of plain mode */
    FILE *replay;                /* commands come from here first; NULL: no more */
    FILE *record;
    size_t printed;   /* of the session's output, in plain mode */
    const char *name; /* of the scenario, for the title */
    bool ascii;
    const struct theme *theme;
    struct canvas canvas;
    char message[256];
    bool bad; /* the message is an error */
    bool leaving;
    int failed; /* commands of a replay that went wrong */
    unsigned long replayed_lines;

    struct pane panes[PANES];
    int focus; /* index in panes; -1: none */
    bool zoomed;
    int slot_pane[SLOTS_MOST]; /* which pane of its list a slot shows; index in panes, -1: its first */

    /* What lies over the panes. */
    enum { OVER_NOTHING, OVER_TEXT, OVER_MENU } over;
    struct sheet over_sheet;
    char over_title[64];
    size_t over_top;
    long over_cursor;

    /* The line that is being typed. */
    bool typing;
    char prompt[24];
    char before_input[40]; /* what the prompt stands for: the command that the line is the argument of */
    char input[INPUT_BYTES];
    size_t input_at;
    char *past[PAST_LINES];
    size_t past_count, past_at;
    char search[80];
    char again[INPUT_BYTES]; /* the last command that moved the machine */
    struct mark marks[MARKS];
    unsigned lab_serial; /* of the lab that was taken over; 0: none */

    double shown_at; /* seconds, when progress was shown last */
    uint64_t began;  /* instructions of the bare machine when the present command began, and when */
    double began_at;
};

struct tui_options {
    const struct session_options *session; /* interact, interrupted and self are filled in */
    const struct screen *screen;
    FILE *out, *in, *replay, *record;
    bool ascii;
    const struct theme *theme;
};
/* Runs the scenario under the UI; the exit status. */
int tui_run(const struct tui_options *o, struct error *e);

/* Executes one line: a command with its arguments; "=..." is Lua. False: it was refused, t->message says why. */
bool tui_command(struct tui *t, const char *line);
void tui_say(struct tui *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool tui_refuse(struct tui *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* By name or the beginning of one; NULL: there is none, or several. */
struct pane *tui_pane(struct tui *t, const char *name);
/* Writes the pane's sheet anew. */
void tui_draw_pane(struct tui *t, struct pane *p);
/* Gives the keys to a pane, and shows it. */
void tui_focus(struct tui *t, struct pane *p);
/* Draws the screen on the canvas. */
void tui_draw_all(struct tui *t);
/* Lays a text over the panes; in plain mode prints it. The sheet is taken over. */
void tui_show_text(struct tui *t, const char *title, struct sheet *s);

/* An address: hex digits, a symbol of the chosen machine's programs with an optional +HEX, "psw", or "rN" for what a
 * general register has. False and *e. */
bool tui_address(struct tui *t, const char *text, uint32_t *to, struct error *e);
/* The source map for a virtual address of the machine; *real is where it lies. NULL: no program is known there. */
const struct source_map *tui_source(struct tui *t, struct machine *m, uint32_t address, uint32_t *real);
/* Plain mode: prints the next instruction, and what of the state the last command has changed. */
void tui_print_next(struct tui *t);
/* Numbers in groups of three digits. */
const char *tui_grouped(char to[32], uint64_t n);

/* ---- Commands ---- */

struct command {
    const char *name;
    const char *keys;      /* separated by spaces; "" */
    const char *arguments; /* "" none; "[N]"; "ADDRESS" */
    const char *group, *help;
    bool (*run)(struct tui *t, const char *arguments);
    const char *asks; /* the key asks for the argument with this prompt; NULL: it runs at once */
    bool moves;       /* the machine */
};
/* The n-th; NULL past the last. */
const struct command *command_at(size_t n);
/* By name, the beginning of one, or a key of one character. NULL and *e. */
const struct command *command_find(const char *name, struct error *e);
const struct command *command_of_key(const char *key);

#endif
