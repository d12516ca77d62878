/* Code: the program around the instruction that is next, in the terms of its source.
 *
 * Storage is seen as a sequence of items: instructions, constants (each the one statement that made it), areas without
 * a statement, runs of zeros. Source maps say where items begin; elsewhere one begins where the one before ends. The
 * sheet is a part of that sequence, from `at` of the pane on; the cursor moves over it, and at its ends it is laid
 * anew. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "isa/disassembler.h"
#include "ui/tui/look.h"

enum {
    BEFORE = 40, /* items that are written */
    ITEMS = 160,
    PLAIN_BEFORE = 8, /* in plain mode */
    PLAIN_ITEMS = 24,
    BLOCK = 2048,
    SEGMENT = 0x10000,
    ADDRESSES = 0x1000000,
    BYTES_FROM = 56, /* columns from which the bytes of instructions are shown, */
    BOTH_FROM = 100, /* and source and disassembly both */
    PLAIN_WIDTH = 150,
    ZEROS = 16,       /* bytes that are worth an item of their own */
    SEARCHED = 200000 /* items at most */
};

/* Instructions have at most six bytes; of the others the length is any. */
enum item_kind { ITEM_INSTRUCTION, ITEM_CONSTANT, ITEM_AREA, ITEM_ZEROS, ITEM_NOWHERE };
struct item {
    enum item_kind kind;
    uint32_t address, length;
    const char *label; /* that stands here; NULL: none */
    bool has_source;
    struct source_line source;
};

/* What the sheet has, as last drawn: in the pane's own. */
struct listing {
    size_t count;
    struct {
        uint32_t address;
        long row;
    } item[ITEMS];
};

/* Where one looks from. */
struct view {
    struct tui *t;
    struct machine *m;
    struct machine_state state;
    uint32_t asked; /* address; the next instruction's, where none was asked for */
};

static struct view view_of(struct tui *t, const struct pane *p, struct machine *m) {
    struct view v = {.t = t, .m = m};
    machine_state(m, &v.state);
    v.asked = v.state.psw.ia;
    look_at(t, p, &v.asked);
    return v;
}

/* ---- Items ---- */

/* Bytes of zeros from here on, an even number, up to the end of 64K. */
static uint32_t zeros(const struct view *v, uint32_t address) {
    uint8_t bytes[BLOCK];
    uint32_t at = address;
    do {
        uint32_t room = BLOCK - at % BLOCK, there = look_storage(v->m, &v->state, at, bytes, room), n = 0;
        bool all = there == room && !bytes[0] && memcmp(bytes, bytes + 1, room - 1) == 0;
        while (!all && n < there && !bytes[n])
            n++;
        at += all ? room : n;
        if (!all)
            break;
    } while (at % SEGMENT);
    return (at - address) & ~1u;
}

/* The same backward: where they begin, on an even address. */
static uint32_t zeros_before(const struct view *v, uint32_t address) {
    uint8_t bytes[BLOCK];
    uint32_t at = address;
    do {
        uint32_t start = (at - 1) / BLOCK * BLOCK, n = at - start;
        if (look_storage(v->m, &v->state, start, bytes, n) < n)
            break;
        while (n && !bytes[n - 1])
            n--;
        at = start + n;
        if (n)
            break;
    } while (at % SEGMENT);
    return (at + 1) & ~1u;
}

/* Storage that is not there, up to where there is some, or a segment ends. */
static uint32_t nowhere(const struct view *v, uint32_t address) {
    uint8_t byte;
    uint32_t end = address - address % BLOCK + BLOCK;
    if (!psw_dat(&v->state.psw))
        return ADDRESSES - address;
    while (end % SEGMENT && look_storage(v->m, &v->state, end, &byte, 1) == 0)
        end += BLOCK;
    return end - address;
}

/* The instruction that is next begins an item, whatever the source says, and so does the address that was asked for. */
static uint32_t cut(const struct view *v, uint32_t address, uint32_t length) {
    uint32_t ahead = v->state.psw.ia - address, asked = v->asked - address, page = BLOCK - address % BLOCK;
    if (psw_dat(&v->state.psw) && length > page)
        length = page;
    if (asked && asked < length)
        length = asked;
    return ahead && ahead < length ? ahead : length;
}

/* Whether the instruction that is next lies between these real addresses of the map's program; in an area without a
 * statement, or in a statement. */
static bool executes_in(const struct view *v, const struct source_map *map, int64_t begin, int64_t end,
                        bool statement) {
    struct source_line line;
    uint32_t ia;
    return tui_source(v->t, v->m, v->state.psw.ia, &ia) == map && ia >= begin && ia < end &&
           source_map_line(map, ia, &line) == statement;
}

/* In a program, at an address at which no instruction was assembled: what its source says of it. False: nothing that is
 * to be believed; it is executed. */
static bool is_data(const struct view *v, const struct source_map *map, uint32_t real, bool within, struct item *to) {
    int64_t begin = within ? to->source.address : source_map_next(map, real + 1, -1);
    int64_t end = within ? begin + to->source.length : source_map_next(map, real, 1);
    if (end <= real || executes_in(v, map, begin, end, within))
        return false;
    to->kind = to->has_source ? ITEM_CONSTANT : ITEM_AREA;
    to->length = cut(v, to->address, (uint32_t)end - real);
    return true;
}

static void item_at(const struct view *v, uint32_t address, struct item *to) {
    uint32_t real, offset;
    uint8_t text[2] = {0};
    const struct source_map *map = tui_source(v->t, v->m, address, &real);
    *to = (struct item){.kind = ITEM_NOWHERE, .address = address, .length = 2};
    if (look_storage(v->m, &v->state, address, text, 2) < 2) {
        to->length = nowhere(v, address);
        return;
    }
    bool next = address == v->state.psw.ia, within = map && source_map_line(map, real, &to->source);
    const char *label = map ? source_map_label(map, real, &offset) : NULL;
    to->label = label && offset == 0 ? label : NULL;
    to->has_source = within && to->source.address == real;
    to->kind = ITEM_INSTRUCTION;
    to->length = instruction_length(text[0]);
    if (next && to->has_source && !to->source.instruction && !instruction_decode_in(machine_profile(v->m), text)) {
        to->kind = ITEM_CONSTANT; /* and will be an exception */
        to->length = to->source.length;
    }
    if (next || (map && !(within && to->source.instruction) && is_data(v, map, real, within, to)))
        return;
    if (!map && !text[0] && !text[1] && zeros(v, address) >= ZEROS) {
        to->kind = ITEM_ZEROS;
        to->length = zeros(v, address);
    }
    to->length = cut(v, address, to->length);
}

/* Where nothing says it: an instruction that ends here, or a halfword. */
static uint32_t guess_before(const struct view *v, uint32_t address) {
    static const uint8_t lengths[] = {4, 6, 2};
    uint8_t text[6];
    uint32_t run = zeros_before(v, address);
    if (run + ZEROS <= address)
        return run;
    for (size_t n = 0; n < sizeof lengths; n++) {
        uint32_t length = lengths[n];
        if (length <= address && look_storage(v->m, &v->state, address - length, text, length) == length &&
            instruction_length(text[0]) == length && instruction_decode_in(machine_profile(v->m), text))
            return address - length;
    }
    return address - (address & 1 ? 1 : 2);
}

/* The beginning of the item before this address, which is not 0. */
static uint32_t before(const struct view *v, uint32_t address) {
    uint32_t real;
    uint8_t byte;
    struct source_line line;
    struct item item;
    if (look_storage(v->m, &v->state, address - 1, &byte, 1) < 1)
        return psw_dat(&v->state.psw) ? (address - 1) / BLOCK * BLOCK : machine_memory(v->m);
    const struct source_map *map = tui_source(v->t, v->m, address - 1, &real);
    if (!map)
        return guess_before(v, address);
    int64_t begin = source_map_next(map, real + 1, -1);
    if (begin >= 0 && source_map_line(map, (uint32_t)begin, &line))
        begin = line.address;
    uint32_t at = begin >= 0 && real - (uint32_t)begin < address ? address - 1 - (real - (uint32_t)begin) : address - 1;
    if (psw_dat(&v->state.psw) && at < (address - 1) / BLOCK * BLOCK)
        at = (address - 1) / BLOCK * BLOCK;
    for (item_at(v, at, &item); at + item.length < address; item_at(v, at, &item))
        at += item.length;
    return at;
}

/* ---- Writing ---- */

static enum style class_style(const struct instruction *i) {
    if (!i)
        return STYLE_DIM;
    if (i->class & CLASS_TRAPS)
        return STYLE_TRAPS;
    if (i->class & (CLASS_CONTROL | CLASS_BEHAVIOUR))
        return i->privileged ? STYLE_SENSITIVE : STYLE_CRITICAL;
    return STYLE_INNOCUOUS;
}

/* A letter that says the class, beside the colour. */
static const char *class_letter(const struct instruction *i) {
    if (!i)
        return " ";
    if (i->class & CLASS_TRAPS)
        return "T";
    if (i->class & CLASS_CONTROL)
        return i->privileged ? "c" : "C";
    if (i->class & CLASS_BEHAVIOUR)
        return i->privileged ? "b" : "B";
    return i->privileged ? "p" : " ";
}

static bool has_breakpoint(const struct tui *t, const struct machine *m, uint32_t address) {
    for (size_t n = 0; n < session_breakpoints(t->session); n++) {
        const struct breakpoint *b = session_breakpoint(t->session, n);
        if (b->kind == BREAK_ADDRESS && b->machine == m && b->address == address && !b->off)
            return true;
    }
    return false;
}

static int width_of(const struct view *v, const struct pane *p) { return v->t->screen ? p->width : PLAIN_WIDTH; }

/* The source statement without its label, which has a line of its own. */
static void write_statement(const struct item *item, bool with_label, struct sheet *s, enum style style) {
    const char *text = item->source.text, *end = text + item->source.text_length;
    while (!with_label && text < end && *text != ' ')
        text++;
    while (!with_label && text < end && *text == ' ')
        text++;
    sheet_text(s, style, text, (size_t)(end - text));
}

static void write_front(const struct view *v, const struct item *item, struct sheet *s) {
    bool next = item->address == v->state.psw.ia;
    bool done = (int64_t)item->address == session_done(v->t->session) && !next;
    enum style mark = next ? STYLE_NEXT : done ? STYLE_DONE : STYLE_TEXT;
    sheet_print(s, mark, "%s", next ? sheet_sign(s, SIGN_NEXT) : done ? sheet_sign(s, SIGN_DONE) : " ");
    sheet_print(s, STYLE_BAD, "%s", has_breakpoint(v->t, v->m, item->address) ? sheet_sign(s, SIGN_BREAKPOINT) : " ");
    sheet_print(s, next || done ? mark : STYLE_DIM, "%06X ", item->address);
}

static void write_instruction(const struct view *v, const struct item *item, int width, struct sheet *s) {
    uint8_t text[6] = {0};
    char line[DISASSEMBLER_TEXT], bytes[13];
    unsigned available = look_storage(v->m, &v->state, item->address, text, item->length);
    const struct instruction *i = instruction_decode_in(machine_profile(v->m), text);
    bool next = item->address == v->state.psw.ia, source = item->has_source && item->source.instruction;
    disassemble_in(machine_profile(v->m), line, text, available);
    bytes_to_hex(bytes, text, available);
    sheet_topic(s, i ? "instruction:%s" : NULL, i ? i->mnemonic : "");
    write_front(v, item, s);
    if (width >= BYTES_FROM)
        sheet_print(s, STYLE_DIM, "%-12s ", bytes);
    sheet_print(s, class_style(i), "%s ", class_letter(i));
    enum style style = next ? STYLE_NEXT : class_style(i);
    if (!source || width >= BOTH_FROM)
        sheet_print(s, style, source ? "%-26s" : "%s", line);
    if (source)
        write_statement(item, width >= BYTES_FROM, s, width >= BOTH_FROM ? STYLE_DIM : style);
}

/* "32 bytes: 00002000 ...": what is no instruction. */
static void write_contents(const struct view *v, const struct item *item, unsigned most, struct sheet *s) {
    uint8_t bytes[16];
    unsigned n = item->length < most ? item->length : most;
    n = look_storage(v->m, &v->state, item->address, bytes, n);
    for (unsigned k = 0; k < n; k++)
        sheet_print(s, STYLE_DIM, "%s%02X", k && k % 4 == 0 ? " " : "", bytes[k]);
    if (item->length > n)
        sheet_print(s, STYLE_DIM, "%s", sheet_sign(s, SIGN_MORE));
}

static void write_data(const struct view *v, const struct item *item, int width, struct sheet *s) {
    write_front(v, item, s);
    if (item->kind == ITEM_CONSTANT && width >= BYTES_FROM) {
        unsigned column = 8 + 13 + 2;
        write_contents(v, item, width >= BOTH_FROM ? 16 : 5, s);
        sheet_tab(s, width >= BOTH_FROM ? column + 26 : column);
    } else {
        sheet_print(s, STYLE_TEXT, "  ");
    }
    if (item->kind == ITEM_CONSTANT) {
        write_statement(item, width >= BYTES_FROM, s, STYLE_DIM);
        return;
    }
    sheet_print(s, STYLE_DIM, "%u bytes%s ", item->length, item->kind == ITEM_ZEROS ? " of zeros" : "");
    if (item->kind == ITEM_AREA)
        write_contents(v, item, width >= BYTES_FROM ? 16 : 4, s);
}

/* ---- What the next instruction refers to ---- */

static bool branches(const struct machine_state *state, const struct instruction *i, const uint8_t text[6]) {
    struct instruction_fields f;
    instruction_take(&f, i, text);
    int32_t sum = (int32_t)(state->gpr[f.r1] + state->gpr[f.r3]), limit = (int32_t)state->gpr[f.r3 | 1];
    switch (instruction_id(i)) {
    case INSTRUCTION_BC:
    case INSTRUCTION_BCR: return f.r1 >> (3 - state->psw.cc) & 1;
    case INSTRUCTION_BCT:
    case INSTRUCTION_BCTR: return state->gpr[f.r1] != 1;
    case INSTRUCTION_BXH: return sum > limit;
    case INSTRUCTION_BXLE: return sum <= limit;
    default: return true;
    }
}

/* The instruction that EX executes, as it would be. */
static void write_target(const struct view *v, const uint8_t text[6], uint32_t address, struct sheet *s) {
    uint8_t target[6] = {0};
    char line[DISASSEMBLER_TEXT];
    unsigned n = look_storage(v->m, &v->state, address, target, 6);
    if (n < 2)
        return;
    if (text[1] >> 4)
        target[1] |= (uint8_t)v->state.gpr[text[1] >> 4];
    disassemble_in(machine_profile(v->m), line, target, n);
    sheet_print(s, STYLE_TEXT, " = %s", line);
}

static void write_operand(const struct view *v, const struct instruction *i, const uint8_t text[6],
                          const struct look_operand *o, int width, struct sheet *s) {
    char name[LOOK_NAME];
    uint8_t bytes[16];
    uint32_t most = width >= BYTES_FROM ? 16 : 8, n = o->length < most ? o->length : most;
    sheet_line(s);
    sheet_topic(s, "operand:%s", o->branch ? "branch" : "storage");
    sheet_print(s, STYLE_NEXT, "         %s %06X", sheet_sign(s, SIGN_ARROW), o->address);
    if (*look_name(v->t, v->m, o->address, name))
        sheet_print(s, STYLE_STRONG, " %s", name);
    if (o->branch) {
        sheet_print(s, STYLE_TEXT, branches(&v->state, i, text) ? ": will branch" : ": will not branch");
        return;
    }
    if (instruction_id(i) == INSTRUCTION_EX) {
        write_target(v, text, o->address, s);
        return;
    }
    if (!o->length)
        return;
    unsigned there = look_storage(v->m, &v->state, o->address, bytes, n);
    sheet_print(s, STYLE_TEXT, " =");
    for (unsigned k = 0; k < there; k++)
        sheet_print(s, STYLE_TEXT, "%s%02X", k % 4 == 0 ? " " : "", bytes[k]);
    if (there < n)
        sheet_print(s, STYLE_BAD, " cannot be reached");
    else if (there < o->length)
        sheet_print(s, STYLE_DIM, "%s", sheet_sign(s, SIGN_MORE));
}

static void write_operands(const struct view *v, const struct item *item, int width, struct sheet *s) {
    struct look_operand operands[LOOK_OPERANDS];
    uint8_t text[6] = {0};
    look_storage(v->m, &v->state, item->address, text, item->length);
    const struct instruction *i = instruction_decode_in(machine_profile(v->m), text);
    unsigned n = i ? look_operands(&v->state, i, text, operands) : 0;
    for (unsigned k = 0; k < n; k++)
        write_operand(v, i, text, &operands[k], width, s);
}

/* ---- The sheet ---- */

static void write_item(const struct view *v, const struct item *item, int width, struct sheet *s) {
    bool labelled = item->has_source && width >= BYTES_FROM; /* the statement shows its label */
    if (item->label && !labelled) {
        sheet_line(s);
        sheet_print(s, STYLE_STRONG, "         %s", item->label);
    }
    sheet_line(s);
    if (item->kind == ITEM_NOWHERE) {
        write_front(v, item, s);
        sheet_print(s, STYLE_BAD, "cannot be reached");
    } else if (item->kind == ITEM_INSTRUCTION) {
        write_instruction(v, item, width, s);
    } else {
        write_data(v, item, width, s);
    }
}

static void draw(struct tui *t, struct pane *p, struct sheet *s) {
    struct machine *m = session_machine(t->session);
    struct listing *l = p->own ? p->own : calloc(1, sizeof *l);
    p->own = l;
    if (!m || !l) {
        sheet_print(s, STYLE_DIM, "no machine yet");
        return;
    }
    struct view v = view_of(t, p, m);
    int width = width_of(&v, p);
    if (p->cursor < 0) {
        p->at = v.asked;
        for (unsigned n = 0; n < (t->screen ? BEFORE : PLAIN_BEFORE) && p->at > 0; n++)
            p->at = before(&v, p->at);
    }
    struct item item = {.address = p->at};
    size_t most = t->screen ? ITEMS : PLAIN_ITEMS;
    for (l->count = 0; l->count < most && item.address < ADDRESSES; item.address += item.length) {
        item_at(&v, item.address, &item);
        l->item[l->count].address = item.address;
        l->item[l->count++].row = (long)sheet_lines(s);
        write_item(&v, &item, width, s);
        if (item.address == v.asked)
            sheet_focus(s);
        if (item.address == v.state.psw.ia && item.kind == ITEM_INSTRUCTION)
            write_operands(&v, &item, width, s);
    }
}

/* ---- Moving ---- */

/* Lays the sheet anew around an item; the rows by which it has moved in it. */
static long lay_around(struct tui *t, struct pane *p, const struct view *v, size_t n) {
    const struct listing *l = p->own;
    uint32_t address = l->item[n].address;
    long row = l->item[n].row;
    p->at = address;
    for (unsigned k = 0; k < BEFORE * 2 && p->at > 0; k++)
        p->at = before(v, p->at);
    p->cursor = 0;
    tui_draw_pane(t, p);
    for (size_t k = 0; k < l->count; k++)
        if (l->item[k].address == address)
            return l->item[k].row - row;
    return 0;
}

static void move(struct tui *t, struct pane *p, long lines) {
    enum { LINES_MOST = 20000 };
    struct machine *m = session_machine(t->session);
    tui_draw_pane(t, p);
    const struct listing *l = p->own;
    if (!m || !l || !l->count)
        return;
    struct view v = view_of(t, p, m);
    lines = lines > LINES_MOST ? LINES_MOST : lines < -LINES_MOST ? -LINES_MOST : lines;
    long focus = sheet_focus_line(&p->sheet), at = p->cursor >= 0 ? p->cursor : focus >= 0 ? focus : (long)p->top;
    for (at += lines; at < 0 || at >= (long)sheet_lines(&p->sheet);) {
        long shift = lay_around(t, p, &v, at < 0 ? 0 : l->count - 1);
        if (shift == 0)
            break;
        at += shift;
        p->top = (long)p->top + shift > 0 ? (size_t)((long)p->top + shift) : 0;
    }
    long most = (long)sheet_lines(&p->sheet) - 1;
    p->cursor = at < 0 ? 0 : at > most ? most : at;
}

/* ---- Searching ---- */

static bool contains(const char *text, size_t length, const char *what) {
    size_t n = strlen(what);
    for (size_t at = 0; at + n <= length; at++)
        if (strncasecmp(text + at, what, n) == 0)
            return true;
    return false;
}

static bool item_has(const struct view *v, const struct item *item, const char *what) {
    uint8_t text[6] = {0};
    char line[DISASSEMBLER_TEXT];
    if (item->label && contains(item->label, strlen(item->label), what))
        return true;
    if (item->has_source && contains(item->source.text, item->source.text_length, what))
        return true;
    if (item->kind != ITEM_INSTRUCTION || item->has_source)
        return false;
    disassemble_in(machine_profile(v->m), line, text, look_storage(v->m, &v->state, item->address, text, item->length));
    return contains(line, strlen(line), what);
}

static uint32_t cursor_address(const struct pane *p, uint32_t otherwise) {
    const struct listing *l = p->own;
    uint32_t address = otherwise;
    for (size_t n = 0; l && p->cursor >= 0 && n < l->count && l->item[n].row <= p->cursor; n++)
        address = l->item[n].address;
    return address;
}

static void put_cursor(struct tui *t, struct pane *p, const struct view *v, uint32_t address) {
    struct listing *l = p->own;
    l->item[0].address = address;
    l->item[0].row = 0;
    p->cursor = lay_around(t, p, v, 0);
    p->top = p->cursor > p->height / 3 ? (size_t)(p->cursor - p->height / 3) : 0;
    p->moved = true;
}

/* Onward from the cursor, over the end of storage to its beginning, once. */
static bool find(struct tui *t, struct pane *p, const char *what, long step) {
    struct machine *m = session_machine(t->session);
    tui_draw_pane(t, p);
    if (!m || !p->own)
        return false;
    struct view v = view_of(t, p, m);
    uint32_t from = cursor_address(p, v.asked), at = from, end = machine_memory(m);
    for (unsigned n = 0; n < SEARCHED; n++) {
        struct item item;
        if (step > 0) {
            item_at(&v, at, &item);
            at = at + item.length < end ? at + item.length : 0;
        } else {
            at = before(&v, at > 0 ? at : end);
        }
        item_at(&v, at, &item);
        if (item_has(&v, &item, what)) {
            put_cursor(t, p, &v, at);
            return true;
        }
        if (at == from)
            return false;
    }
    return false;
}

const struct pane_kind pane_code = {
    .name = "code",
    .title = "code",
    .key = '1',
    .help = "The program of the chosen machine around the instruction that is next: address, bytes, class, the "
            "statement of its source where the scenario has assembled it, else the instruction; with room both. Below "
            "the next instruction is what it refers to. The letter before an instruction is its class after Popek and "
            "Goldberg: c control-sensitive, b behaviour-sensitive, p privileged only, T traps on purpose; a capital C "
            "or B is sensitive and not privileged, which no monitor can see. Nothing: innocuous. / searches labels, "
            "source and instructions.",
    .draw = draw,
    .move = move,
    .set = look_set,
    .arguments = "[ADDRESS or follow rN]",
    .find = find,
};
