/* Storage: bytes in hexadecimal, EBCDIC and ASCII, of real storage or as the program addresses it.
 *
 * The pane keeps a copy of what is around the rows that it shows, and of the same before the last command: what that
 * has changed is marked. Beyond the copy nothing is known to have changed until the next command. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "isa/assembler.h"
#include "ui/tui/look.h"

enum {
    BLOCK = 2048, /* has a storage key, and is the smallest page */
    BLOCKS = 32,
    WINDOW = BLOCK * BLOCKS,
    ADDRESSES = 0x1000000,
    TALL = 12, /* lines from which labels have lines of their own */
};
enum { MODE_PROGRAM, MODE_REAL, MODE_VIRTUAL };

struct copy {
    uint8_t bytes[WINDOW];
    bool there[BLOCKS];
};
struct window {
    const struct machine *machine; /* NULL: nothing was copied yet */
    bool virtual;
    uint32_t base; /* a multiple of BLOCK */
    struct copy now, before;
};

/* ---- What is shown ---- */

static bool is_virtual(const struct pane *p, const struct machine_state *state) {
    return p->mode == MODE_VIRTUAL || (p->mode == MODE_PROGRAM && psw_dat(&state->psw));
}

static uint32_t row_bytes(const struct pane *p) { return p->width >= 145 ? 32 : p->width >= 76 ? 16 : 8; }

static uint32_t rows(const struct pane *p) { return p->height > 2 ? (uint32_t)p->height - 1 : 1; }

/* Where the first row stands: where it was moved to; else so that the address is among the rows. */
static uint32_t top(struct tui *t, struct pane *p) {
    uint32_t row = row_bytes(p), address = 0, at = p->at - p->at % row;
    if (!p->moved && look_at(t, p, &address)) {
        uint32_t place = address - address % row;
        if (place < at || place >= at + rows(p) / 2 * row)
            at = place;
    } else if (!p->moved) {
        at = 0;
    }
    p->at = at;
    return at;
}

static bool real_address(struct machine *m, bool virtual, uint32_t address, uint32_t *real) {
    struct dat_walk walk = {.real = address};
    if (virtual && machine_walk(m, address, &walk) != ACCESS_OK)
        return false;
    *real = walk.real;
    return true;
}

/* ---- The copies ---- */

static void take(struct copy *c, struct machine *m, bool virtual, uint32_t base) {
    for (uint32_t n = 0; n < BLOCKS; n++) {
        uint32_t real;
        c->there[n] = real_address(m, virtual, (base + n * BLOCK) % ADDRESSES, &real) &&
                      machine_peek(m, real, c->bytes + n * BLOCK, BLOCK) == ACCESS_OK;
    }
}

static const struct window *look(struct tui *t, struct pane *p, struct machine *m, bool virtual, uint32_t at) {
    struct window *w = p->own ? p->own : calloc(1, sizeof *w);
    uint64_t commands = session_commands(t->session);
    uint32_t needed = (rows(p) + 1) * row_bytes(p), ahead = w ? (at - w->base) % ADDRESSES : 0;
    p->own = w;
    if (!w)
        return NULL;
    if (w->machine != m || w->virtual != virtual || ahead + needed > WINDOW) {
        w->machine = m;
        w->virtual = virtual;
        w->base = (at - WINDOW / 2 - at % BLOCK) % ADDRESSES;
        take(&w->now, m, virtual, w->base);
        w->before = w->now;
    } else if (p->seen != commands) {
        w->before = w->now;
        take(&w->now, m, virtual, w->base);
    }
    p->seen = commands;
    return w;
}

static bool changed(const struct window *w, uint32_t at, uint32_t length) {
    uint32_t ahead = (at - w->base) % ADDRESSES;
    return w->before.there[ahead / BLOCK] && memcmp(w->now.bytes + ahead, w->before.bytes + ahead, length) != 0;
}

/* ---- Writing ---- */

static char printable(uint8_t c) { return c >= 0x20 && c < 0x7F ? (char)c : '.'; }

/* A label at an address: of a program, or of page 0. */
static const char *label_at(struct tui *t, struct machine *m, bool virtual, uint32_t address) {
    uint32_t real, offset;
    if (!real_address(m, virtual, address, &real))
        return NULL;
    const struct source_map *map = engine_source(session_engine(t->session), m, real);
    const char *label = map ? source_map_label(map, real, &offset) : NULL;
    return label && offset == 0 ? label : look_low(real);
}

/* The labels of a row, each above its byte. */
static void write_labels(struct tui *t, struct machine *m, bool virtual, uint32_t at, uint32_t row, struct sheet *s) {
    unsigned column = 0;
    for (uint32_t n = 0; n < row; n++) {
        const char *label = label_at(t, m, virtual, at + n);
        unsigned place = 8 + n / 4 * 9 + n % 4 * 2;
        if (!label || (column && place <= column))
            continue;
        if (!column)
            sheet_line(s);
        sheet_tab(s, place);
        sheet_print(s, STYLE_STRONG, "%s", label);
        column = place + (unsigned)strlen(label);
    }
}

static void write_key(struct machine *m, bool virtual, uint32_t at, struct sheet *s) {
    uint32_t real;
    int key = real_address(m, virtual, at, &real) ? machine_key(m, real) : -1;
    if (key < 0)
        return;
    sheet_topic(s, "storage:key");
    sheet_print(s, STYLE_DIM, "key %X%s%s%s", key >> 4, key & KEY_FETCH ? " fetch-protected" : "",
                key & KEY_REFERENCE ? " referenced" : "", key & KEY_CHANGE ? " changed" : "");
}

static void write_words(const struct window *w, uint32_t at, uint32_t row, struct sheet *s) {
    for (uint32_t n = 0; n < row; n += 4) {
        const uint8_t *bytes = w->now.bytes + (at + n - w->base) % ADDRESSES;
        bool is = changed(w, at + n, 4);
        sheet_print(s, STYLE_CHANGED, "%s", is ? (s->ascii ? "*" : "\u203A") : " ");
        for (uint32_t k = 0; is && k < 4; k++)
            sheet_print(s, changed(w, at + n + k, 1) ? STYLE_CHANGED : STYLE_TEXT, "%02X", bytes[k]);
        if (!is)
            sheet_print(s, bytes_get32(bytes) ? STYLE_TEXT : STYLE_DIM, "%08X", bytes_get32(bytes));
    }
}

static void write_characters(const uint8_t *bytes, uint32_t row, bool ascii_too, struct sheet *s) {
    char text[33];
    for (uint32_t n = 0; n < row; n++)
        text[n] = printable(latin1_from_ebcdic[bytes[n]]);
    sheet_print(s, STYLE_TEXT, " %.*s", (int)row, text);
    for (uint32_t n = 0; n < row; n++)
        text[n] = printable(bytes[n]);
    if (ascii_too)
        sheet_print(s, STYLE_DIM, " %.*s", (int)row, text);
}

static void write_row(const struct pane *p, const struct window *w, uint32_t at, bool here, struct sheet *s) {
    uint32_t row = row_bytes(p), ahead = (at - w->base) % ADDRESSES;
    sheet_line(s);
    sheet_print(s, STYLE_NEXT, "%s", here ? sheet_sign(s, SIGN_NEXT) : " ");
    sheet_print(s, here ? STYLE_NEXT : STYLE_DIM, "%06X", at);
    if (!w->now.there[ahead / BLOCK]) {
        sheet_print(s, STYLE_DIM, " %s", w->virtual ? "not mapped" : "not installed");
        return;
    }
    write_words(w, at, row, s);
    write_characters(w->now.bytes + ahead, row, p->width >= 43, s);
}

static void write_head(struct tui *t, const struct pane *p, struct machine *m, bool virtual, uint32_t at,
                       struct sheet *s) {
    uint32_t address, place = at;
    char name[LOOK_NAME];
    sheet_print(s, style_level(machine_level(m)), "L%d", machine_level(m));
    sheet_print(s, virtual ? STYLE_VIRTUAL : STYLE_REAL, " %s", virtual ? "virtual" : "real");
    if (!p->moved && look_at(t, p, &address)) {
        place = address;
        sheet_print(s, STYLE_STRONG, " %06X", address);
        if (p->number >= 0)
            sheet_print(s, STYLE_TEXT, " = R%d", p->number);
    }
    if (*look_name(t, m, place, name))
        sheet_print(s, STYLE_STRONG, " %s", name);
    sheet_print(s, STYLE_TEXT, " ");
    write_key(m, virtual, place, s);
}

static void draw(struct tui *t, struct pane *p, struct sheet *s) {
    struct machine *m = session_machine(t->session);
    struct machine_state state;
    uint32_t address = 0;
    if (!m) {
        sheet_print(s, STYLE_DIM, "no machine yet");
        return;
    }
    machine_state(m, &state);
    bool virtual = is_virtual(p, &state), labels = p->height >= TALL, pointed = look_at(t, p, &address);
    uint32_t at = top(t, p), row = row_bytes(p);
    const struct window *w = look(t, p, m, virtual, at);
    if (!w)
        return;
    write_head(t, p, m, virtual, at, s);
    for (uint32_t n = 0; n < rows(p) && sheet_lines(s) < (size_t)p->height; n++, at = (at + row) % ADDRESSES) {
        if (labels)
            write_labels(t, m, virtual, at, row, s);
        write_row(p, w, at, pointed && address - at < row, s);
        if (at % BLOCK == 0 && labels) {
            sheet_print(s, STYLE_TEXT, " ");
            write_key(m, virtual, at, s);
        }
    }
}

/* ---- Moving ---- */

static void move(struct tui *t, struct pane *p, long lines) {
    (void)t;
    p->at = (uint32_t)((long)p->at + lines * (long)row_bytes(p)) % ADDRESSES;
}

static bool set(struct tui *t, struct pane *p, const char *arguments, struct error *e) {
    static const char *const modes[] = {[MODE_PROGRAM] = "program", [MODE_REAL] = "real", [MODE_VIRTUAL] = "virtual"};
    size_t length = strcspn(arguments, " ");
    for (unsigned n = 0; n < sizeof modes / sizeof *modes; n++)
        if (length == strlen(modes[n]) && strncasecmp(arguments, modes[n], length) == 0) {
            p->mode = n;
            arguments += length + strspn(arguments + length, " ");
            break;
        }
    return !*arguments || look_set(t, p, arguments, e);
}

/* ---- Searching: bytes that are given as hexadecimal digits, or text in EBCDIC or ASCII ---- */

enum { PATTERN = 80 };

static size_t digits_to_bytes(const char *text, uint8_t to[PATTERN]) {
    size_t length = strspn(text, "0123456789abcdefABCDEF");
    if (text[length] || length % 2 || length / 2 > PATTERN)
        return 0;
    for (size_t n = 0; n < length / 2; n++) {
        char two[3] = {text[2 * n], text[2 * n + 1], '\0'};
        to[n] = (uint8_t)strtoul(two, NULL, 16);
    }
    return length / 2;
}

static bool is_there(const uint8_t *at, const uint8_t patterns[3][PATTERN], const size_t lengths[3]) {
    for (int k = 0; k < 3; k++)
        if (lengths[k] && memcmp(at, patterns[k], lengths[k]) == 0)
            return true;
    return false;
}

/* One storage-full of addresses, from behind (or before) where it is, around to there. */
static bool find(struct tui *t, struct pane *p, const char *text, long step) {
    struct machine *m = session_machine(t->session);
    struct machine_state state;
    uint8_t patterns[3][PATTERN], block[BLOCK + PATTERN];
    size_t length = strlen(text) < PATTERN ? strlen(text) : PATTERN;
    size_t lengths[3] = {digits_to_bytes(text, patterns[0]), length, length};
    if (!m || !length)
        return false;
    machine_state(m, &state);
    for (size_t n = 0; n < length; n++) {
        patterns[1][n] = ebcdic_from_latin1[(uint8_t)text[n]];
        patterns[2][n] = (uint8_t)text[n];
    }
    bool virtual = is_virtual(p, &state);
    uint32_t from = p->set && p->number < 0 ? p->address : p->at, base = from - from % BLOCK;
    for (uint32_t n = 0; n <= ADDRESSES / BLOCK; n++) {
        uint32_t here = (base + (uint32_t)(step * (long)n) * BLOCK) % ADDRESSES, real;
        memset(block, 0, sizeof block);
        if (!real_address(m, virtual, here, &real) || machine_peek(m, real, block, BLOCK) != ACCESS_OK)
            continue;
        if (real_address(m, virtual, (here + BLOCK) % ADDRESSES, &real))
            machine_peek(m, real, block + BLOCK, PATTERN);
        for (uint32_t k = 0; k < BLOCK; k++) {
            uint32_t at = step > 0 ? k : BLOCK - 1 - k;
            if ((n == 0 && (step > 0 ? here + at <= from : here + at >= from)) ||
                !is_there(block + at, (const uint8_t(*)[PATTERN])patterns, lengths))
                continue;
            p->address = here + at;
            p->number = -1;
            p->set = true;
            p->moved = false;
            return true;
        }
    }
    return false;
}

const struct pane_kind pane_storage = {
    .name = "storage",
    .title = "storage",
    .key = '6',
    .help = "Storage of the chosen machine in hexadecimal, EBCDIC and (with room) ASCII, as its program addresses it "
            "now: virtual with DAT on, else real; `pane storage real` and `virtual` fix it, `program` lets it go. "
            "`pane storage follow r5` keeps what a register points to in sight. What the last command has changed is "
            "marked. Labels stand above their bytes. / searches for text or, in hexadecimal digits, for bytes.",
    .draw = draw,
    .move = move,
    .set = set,
    .arguments = "[real, virtual or program] [ADDRESS or follow rN]",
    .find = find,
};
