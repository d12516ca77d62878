#include "ui/tui/terminal.h"

#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

enum { PASTE_BEGINS = KEY_MAX + 1, PASTE_ENDS, FIRST_PAIR = 1 };

/* What signal handlers need; there is one terminal. */
static volatile sig_atomic_t stop_wanted, end_wanted;
static struct termios saved;
static volatile sig_atomic_t taken;

struct terminal {
    SCREEN *screen;
    bool colours;
};

bool terminal_utf8(void) {
    setlocale(LC_CTYPE, "");
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* ---- However it ends ---- */

static void write_all(const char *text) {
    size_t length = strlen(text);
    while (length) {
        ssize_t n = write(STDOUT_FILENO, text, length);
        if (n <= 0)
            return;
        text += n;
        length -= (size_t)n;
    }
}

/* Leaves the alternate screen, shows the cursor, and puts the line discipline back: with nothing but what a signal
 * handler may call. */
static void restore_roughly(void) {
    if (!taken)
        return;
    taken = 0;
    write_all("\033[?2004l\033[?1000l\033[?1002l\033[?1006l\033[0m\033[?25h\033[?1049l\r\n");
    tcsetattr(STDIN_FILENO, TCSANOW, &saved);
}

static void fatal(int number) {
    restore_roughly();
    signal(number, SIG_DFL);
    raise(number);
}

static void note_stop(int number) {
    (void)number;
    stop_wanted = 1;
}
static void note_end(int number) {
    (void)number;
    end_wanted = stop_wanted = 1;
}

static void catch_signals(void) {
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT};
    struct sigaction action = {.sa_handler = fatal, .sa_flags = (int)SA_RESETHAND};
    for (size_t n = 0; n < sizeof deadly / sizeof *deadly; n++)
        sigaction(deadly[n], &action, NULL);
    action = (struct sigaction){.sa_handler = note_stop};
    sigaction(SIGINT, &action, NULL);
    action.sa_handler = note_end;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    atexit(restore_roughly);
}

/* ---- Looks ---- */

/* A palette of 8 colours gets the nearest. */
static short nearest(int colour) {
    uint8_t rgb[3];
    if (colour < 0 || COLORS >= 256)
        return (short)colour;
    palette_rgb(colour, rgb);
    return (short)((rgb[0] > 110) | (rgb[1] > 110) << 1 | (rgb[2] > 110) << 2);
}

static void set_theme(void *self, const struct theme *theme) {
    struct terminal *t = self;
    for (int s = 0; t->colours && s < STYLE_COUNT; s++)
        init_pair((short)(FIRST_PAIR + s), nearest(theme->look[s].ink), nearest(theme->look[s].paper));
}

static attr_t attributes(const struct look *look) {
    return (look->bold ? A_BOLD : 0) | (look->dim ? A_DIM : 0) | (look->underline ? A_UNDERLINE : 0) |
           (look->reverse ? A_REVERSE : 0);
}

static void get_size(void *self, int *width, int *height) {
    (void)self;
    getmaxyx(stdscr, *height, *width);
}

static void show(void *self, const struct canvas *c, const struct theme *theme, int cursor_x, int cursor_y) {
    const struct terminal *t = self;
    for (int y = 0; y < c->height; y++)
        for (int x = 0; x < c->width; x++) {
            const struct cell *cell = &c->cells[y * c->width + x];
            const struct look *look = &theme->look[cell->style];
            const wchar_t text[2] = {(wchar_t)cell->character, 0};
            cchar_t out;
            /* Without colours what colours tell is told by the signs; a paper of its own becomes reverse. */
            attr_t more = !t->colours && look->paper >= 0 && cell->style != STYLE_TEXT ? A_REVERSE : 0;
            setcchar(&out, text, attributes(look) | more, t->colours ? (short)(FIRST_PAIR + cell->style) : 0, NULL);
            mvadd_wch(y, x, &out);
        }
    curs_set(cursor_x >= 0);
    if (cursor_x >= 0)
        move(cursor_y, cursor_x);
    refresh();
}

/* ---- Keys ---- */

static const struct {
    int code;
    const char *name;
} named[] = {
    {KEY_UP, "Up"},          {KEY_DOWN, "Down"},
    {KEY_LEFT, "Left"},      {KEY_RIGHT, "Right"},
    {KEY_HOME, "Home"},      {KEY_END, "End"},
    {KEY_NPAGE, "PageDown"}, {KEY_PPAGE, "PageUp"},
    {KEY_DC, "Delete"},      {KEY_BACKSPACE, "Backspace"},
    {KEY_BTAB, "S-Tab"},     {KEY_ENTER, "Enter"},
    {KEY_F(1), "F1"},        {KEY_F(2), "F2"},
    {KEY_F(3), "F3"},        {KEY_F(4), "F4"},
    {KEY_F(5), "F5"},        {KEY_F(6), "F6"},
    {KEY_F(7), "F7"},        {KEY_F(8), "F8"},
    {KEY_F(9), "F9"},        {KEY_F(10), "F10"},
};

static struct key name_key(const char *name) {
    struct key key = {.kind = PRESSED_NAMED};
    snprintf(key.name, sizeof key.name, "%s", name);
    return key;
}

static struct key mouse_key(void) {
    struct key key = {.kind = PRESSED_NOTHING};
    MEVENT event;
    if (getmouse(&event) != OK)
        return key;
    const char *name = event.bstate & BUTTON4_PRESSED                       ? "WheelUp"
                       : event.bstate & BUTTON5_PRESSED                     ? "WheelDown"
                       : event.bstate & (BUTTON1_PRESSED | BUTTON1_CLICKED) ? "Click"
                                                                            : NULL;
    if (!name)
        return key;
    key = name_key(name);
    key.kind = PRESSED_MOUSE;
    key.x = event.x;
    key.y = event.y;
    return key;
}

/* What was pasted is read, and dropped, up to its end. */
static struct key pasted(void) {
    wint_t c;
    timeout(200);
    for (int status = OK; status != ERR;) {
        status = get_wch(&c);
        if (status == KEY_CODE_YES && c == PASTE_ENDS)
            break;
    }
    timeout(-1);
    return (struct key){.kind = PRESSED_PASTE, .name = "paste"};
}

static struct key function_key(wint_t c) {
    if (c == KEY_RESIZE)
        return (struct key){.kind = PRESSED_RESIZED};
    if (c == KEY_MOUSE)
        return mouse_key();
    if (c == PASTE_BEGINS)
        return pasted();
    for (size_t n = 0; n < sizeof named / sizeof *named; n++)
        if (named[n].code == (int)c)
            return name_key(named[n].name);
    return (struct key){.kind = PRESSED_NOTHING};
}

static struct key character_key(wint_t c) {
    struct key key = {.kind = PRESSED_TEXT};
    char text[16] = "";
    mbstate_t state = {0};
    if (c == '\r' || c == '\n')
        return name_key("Enter");
    if (c == '\t')
        return name_key("Tab");
    if (c == 27)
        return name_key("Esc");
    if (c == 127 || c == 8)
        return name_key("Backspace");
    if (c == ' ') {
        key = name_key("Space");
        key.kind = PRESSED_TEXT;
        snprintf(key.name, sizeof key.name, " ");
        return key;
    }
    if (c < 32) {
        snprintf(text, sizeof text, "C-%c", (char)(c + 96));
        return name_key(text);
    }
    size_t length = wcrtomb(text, (wchar_t)c, &state);
    if (length == (size_t)-1 || length >= sizeof key.name)
        return (struct key){.kind = PRESSED_NOTHING};
    memcpy(key.name, text, length);
    return key;
}

static struct key read_key(void *self) {
    enum { FAILURES = 10 };
    (void)self;
    for (unsigned failures = 0;;) {
        wint_t c = 0;
        stop_wanted = 0;
        if (end_wanted)
            return (struct key){.kind = PRESSED_CLOSED};
        errno = 0;
        int status = get_wch(&c);
        if (end_wanted)
            return (struct key){.kind = PRESSED_CLOSED};
        if (status == KEY_CODE_YES)
            return function_key(c);
        if (status == OK)
            return character_key(c);
        if (stop_wanted) {
            stop_wanted = 0;
            return name_key("C-c");
        }
        /* After a signal ncurses fails once more without a reason; a terminal that is gone fails for ever. */
        if (errno != EINTR && ++failures == FAILURES)
            return (struct key){.kind = PRESSED_CLOSED};
    }
}

static bool wants_stop(void *self) {
    (void)self;
    bool wanted = stop_wanted;
    if (!end_wanted)
        stop_wanted = 0;
    return wanted;
}

/* ---- Life ---- */

bool terminal_open(struct screen *to, const struct theme *theme, struct error *e) {
    const char *name = getenv("TERM");
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return error_set(e, ERROR_INPUT, "tui: this is not a terminal; --plain works without one");
    int status = 0;
    if (setupterm(NULL, STDOUT_FILENO, &status) != OK)
        return error_set(e, ERROR_INPUT, "tui: the terminal \"%.40s\" (TERM) is not known; --plain works on any",
                         name ? name : "");
    bool addressable = cursor_address != NULL;
    del_curterm(cur_term); /* newterm reads it for itself */
    if (!addressable)
        return error_set(e, ERROR_INPUT,
                         "tui: the terminal \"%.40s\" (TERM) has no addressable cursor; --plain works on any",
                         name ? name : "");
    struct terminal *t = calloc(1, sizeof *t);
    if (!t)
        return error_set(e, ERROR_INTERNAL, "out of memory");
    tcgetattr(STDIN_FILENO, &saved);
    t->screen = newterm(NULL, stdout, stdin);
    if (!t->screen) {
        free(t);
        return error_set(e, ERROR_INPUT, "tui: the terminal \"%.40s\" cannot be used; --plain works on any",
                         name ? name : "");
    }
    taken = 1;
    set_term(t->screen);
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, true);
    set_escdelay(25);
    mousemask(BUTTON1_PRESSED | BUTTON1_CLICKED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
    mouseinterval(0);
    define_key("\033[200~", PASTE_BEGINS);
    define_key("\033[201~", PASTE_ENDS);
    write_all("\033[?2004h");
    t->colours = has_colors() && !getenv("NO_COLOR");
    if (t->colours) {
        start_color();
        use_default_colors();
    }
    set_theme(t, theme);
    catch_signals();
    *to = (struct screen){get_size, show, read_key, wants_stop, set_theme, t};
    return true;
}

void terminal_close(const struct screen *s) {
    struct terminal *t = s->self;
    write_all("\033[?2004l");
    endwin();
    taken = 0;
    delscreen(t->screen);
    free(t);
}
