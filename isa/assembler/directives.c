/* The operation field: every directive with what it does in either pass, and the extended branch mnemonics.
 *
 * Instructions, directives and macros are found in one table, so a macro can take the place of an instruction. */
#include <stdio.h>
#include <string.h>

#include "isa/assembler/assembler_internal.h"

/* ---- sections and location ---- */

static void control_section(struct assembler *a, struct statement *s) { section_enter(a, s, false); }

static void dummy_section(struct assembler *a, struct statement *s) { section_enter(a, s, true); }

static void start(struct assembler *a, struct statement *s) {
    struct cursor c = cursor_of(a, s, s->operands);
    int64_t origin = 0;
    for (const struct section *x = a->sections; x; x = x->next) {
        if (!x->dummy) {
            assembler_error(a, s, NULL, "START must come before every other control section");
            return;
        }
    }
    c.early = true;
    if (!cursor_at_end(&c) && cursor_peek(&c) != ',' &&
        !expression_number(&c, 0, MOST_ADDRESS - 1, "the address of START", &origin)) {
        origin = 0;
    }
    struct section *x = section_enter(a, s, false);
    if (x) {
        x->base = (uint32_t)(origin + 7) & ~7u;
    }
}

static void org(struct assembler *a, struct statement *s) {
    struct section *x = section_current(a);
    struct cursor c = cursor_of(a, s, s->operands);
    struct value v;
    symbol_define(a, s, x, x->location, 1);
    if (cursor_at_end(&c) || cursor_peek(&c) == ',') { /* a comma alone says: no operand, only remarks */
        x->location = x->high;
        return;
    }
    c.section = x;
    c.location = x->location;
    c.early = true;
    if (!expression_parse(&c, &v)) {
        return;
    }
    if (!cursor_at_end(&c)) {
        cursor_error(&c, c.at, "ORG has one operand here");
        return;
    }
    section_origin(a, s, &v, (size_t)(s->operands.at - s->line.text.at));
    s->offset = x->location;
}

static void cnop_first(struct assembler *a, struct statement *s) {
    struct cursor c = cursor_of(a, s, s->operands);
    int64_t byte, word;
    section_align(a, s, 2);
    symbol_define(a, s, s->section, s->offset, 1);
    c.early = true;
    if (!expression_number(&c, 0, 14, "the byte of CNOP", &byte)) {
        return;
    }
    if (!cursor_take(&c, ',')) {
        cursor_error(&c, c.at, "CNOP needs two numbers");
        return;
    }
    if (!expression_number(&c, 4, 16, "the boundary of CNOP", &word)) {
        return;
    }
    if (byte & 1 || (word != 4 && word != 8 && word != 16) || byte >= word) {
        cursor_error(&c, 0, "CNOP: an even byte of a boundary of 4, 8 or 16");
        return;
    }
    const int64_t address = s->offset + (s->section->base & 15);
    const int64_t gap = ((byte - address) % word + word) % word;
    s->length = (uint32_t)gap;
    section_advance(a, s, gap);
}

static void cnop_second(struct assembler *a, struct statement *s) {
    uint8_t *to = assembler_room(a, s->section, s->offset, s->length);
    for (uint32_t i = 0; to && i + 1 < s->length; i += 2) {
        to[i] = 0x07; /* NOPR 0 */
        to[i + 1] = 0x00;
    }
}

static void ltorg_first(struct assembler *a, struct statement *s) {
    section_current(a);
    literals_place(a, s);
    symbol_define(a, s, s->section, s->offset, 1);
}

/* ---- values ---- */

static void equ(struct assembler *a, struct statement *s) {
    s->section = a->section;
    s->offset = a->section ? a->section->location : 0;
    if (!a->section && s->operands.length && memchr(s->operands.at, '*', s->operands.length)) {
        s->section = section_current(a);
    }
    if (s->name.length == 0) {
        assembler_error(a, s, NULL, "EQU needs a name");
        return;
    }
    struct definition *d = symbol_define(a, s, NULL, 0, 1);
    if (d) {
        equate_evaluate(a, d, true);
    }
}

/* The value, for the listing. */
static void equ_second(struct assembler *a, struct statement *s) {
    struct definition *d = symbol_find(a, s->name);
    if (d && d->state == SYMBOL_DEFINED) {
        a->has_address[1] = true;
        a->address[1] = (uint32_t)(d->value + (d->section ? d->section->base : 0));
    }
}

static void ccw_first(struct assembler *a, struct statement *s) {
    section_align(a, s, 8);
    s->length = 8;
    symbol_define(a, s, s->section, s->offset, 8);
    literals_collect(a, s);
    section_advance(a, s, 8);
}

/* An operand of CCW; left out it is 0. */
static bool ccw_number(struct cursor *c, int64_t most, const char *what, int64_t *number) {
    *number = 0;
    return cursor_peek(c) == ',' || expression_number(c, 0, most, what, number);
}

static void ccw_second(struct assembler *a, struct statement *s) {
    struct cursor c = cursor_of(a, s, s->operands);
    struct value v = {0};
    int64_t command, address = 0, flags, count;
    if (!ccw_number(&c, 255, "the command", &command)) {
        return;
    }
    size_t at = c.at;
    bool good = cursor_take(&c, ',');
    if (good && cursor_peek(&c) != ',') {
        at = c.at;
        if (!expression_parse(&c, &v)) {
            return;
        }
        if (!value_absolute(&v, &address) || address < 0 || address >= MOST_ADDRESS) {
            cursor_error(&c, at, "the data address must be below 16 MB");
            return;
        }
    }
    good = good && cursor_take(&c, ',');
    if (good && !ccw_number(&c, 255, "the flags", &flags)) {
        return;
    }
    good = good && cursor_take(&c, ',');
    if (good && !expression_number(&c, 0, 65535, "the count", &count)) {
        return;
    }
    if (!good || !cursor_at_end(&c)) {
        cursor_error(&c, c.at, "CCW needs command, data address, flags, count");
        return;
    }
    uint8_t *to = assembler_room(a, s->section, s->offset, 8);
    if (to) {
        bytes_put32(to, (uint32_t)(command << 24 | address));
        bytes_put32(to + 4, (uint32_t)(flags << 24 | count));
    }
    a->has_address[1] = true;
    a->address[1] = (uint32_t)address;
}

/* ---- linkage ---- */

/* Calls `each` for every name in the operands. */
static void each_name(struct assembler *a, struct statement *s,
                      void (*each)(struct assembler *a, struct statement *s, struct text name)) {
    struct cursor c = cursor_of(a, s, s->operands);
    do {
        const struct text rest = {c.text.at + c.at, c.text.length - c.at};
        const size_t length = text_symbol(rest);
        if (length == 0) {
            cursor_error(&c, c.at, "a symbol should be here");
            return;
        }
        each(a, s, (struct text){rest.at, length});
        c.at += length;
    } while (cursor_take(&c, ','));
    if (!cursor_at_end(&c)) {
        cursor_error(&c, c.at, "a comma or the end of the operands should be here");
    }
}

static void entry_name(struct assembler *a, struct statement *s, struct text name) {
    struct definition *d = symbol_find(a, name);
    if (!d) {
        assembler_error(a, s, name.at, "undefined symbol %.*s", TEXT_ARGS(name));
    } else {
        symbol_refer(a, d, s);
    }
}

static void entry(struct assembler *a, struct statement *s) { each_name(a, s, entry_name); }

static void strong_name(struct assembler *a, struct statement *s, struct text name) {
    symbol_define_external(a, s, name, false);
}

static void weak_name(struct assembler *a, struct statement *s, struct text name) {
    symbol_define_external(a, s, name, true);
}

static void extrn(struct assembler *a, struct statement *s) { each_name(a, s, strong_name); }

static void wxtrn(struct assembler *a, struct statement *s) { each_name(a, s, weak_name); }

static void end_first(struct assembler *a, struct statement *s) {
    (void)s;
    a->ended = true;
    a->end = s;
}

static void end_second(struct assembler *a, struct statement *s) {
    struct cursor c = cursor_of(a, s, s->operands);
    struct value v;
    int64_t address;
    literals_assemble(a, s);
    if (cursor_at_end(&c) || cursor_peek(&c) == ',' || !expression_parse(&c, &v)) {
        return;
    }
    if (!value_absolute(&v, &address) || address < 0 || address >= MOST_ADDRESS) {
        cursor_error(&c, 0, "the entry point must be an address in a control section");
        return;
    }
    a->has_entry = true;
    a->entry = (uint32_t)address;
}

/* ---- the listing's and the assembler's own state ---- */

/* Is `word` one of the operands? */
static bool has_operand(const struct statement *s, const char *word) {
    size_t start = 0;
    for (size_t i = 0; i <= s->operands.length; i++) {
        if (i == s->operands.length || s->operands.at[i] == ',') {
            if (text_is((struct text){s->operands.at + start, i - start}, word)) {
                return true;
            }
            start = i + 1;
        }
    }
    return false;
}

static void print(struct assembler *a, struct statement *s) {
    a->print.on = (a->print.on || has_operand(s, "ON")) && !has_operand(s, "OFF");
    a->print.generated = (a->print.generated || has_operand(s, "GEN")) && !has_operand(s, "NOGEN");
    a->print.data = (a->print.data || has_operand(s, "DATA")) && !has_operand(s, "NODATA");
}

static void push(struct assembler *a, struct statement *s) {
    if (has_operand(s, "USING")) {
        using_push(a);
    }
    if (has_operand(s, "PRINT")) {
        if (a->print_pushed < MOST_PUSHED) {
            a->print_stack[a->print_pushed] = a->print;
        }
        a->print_pushed++;
    }
}

static void pop(struct assembler *a, struct statement *s) {
    if (has_operand(s, "USING") && !using_pop(a)) {
        assembler_error(a, s, s->operands.at, "POP USING without PUSH USING");
    }
    if (has_operand(s, "PRINT")) {
        if (a->print_pushed == 0) {
            assembler_error(a, s, s->operands.at, "POP PRINT without PUSH PRINT");
        } else if (--a->print_pushed < MOST_PUSHED) {
            a->print = a->print_stack[a->print_pushed];
        }
    }
}

static void nothing(struct assembler *a, struct statement *s) {
    (void)a;
    (void)s;
}

static void using_first(struct assembler *a, struct statement *s) {
    s->section = section_current(a);
    s->offset = s->section->location;
}

static void repro(struct assembler *a, struct statement *s) {
    struct line line;
    (void)s;
    if (source_next(a, &line)) { /* the next line goes to a punched card that nobody wants */
        statement_new(a, &line);
    }
}

static void opsyn(struct assembler *a, struct statement *s) {
    struct operation *o = table_find(&a->operations, text_upper(a, s->operands));
    if (!o || s->name.length == 0) {
        assembler_error(a, s, s->name.length && s->operands.length ? s->operands.at : NULL,
                        "OPSYN needs a new name and the name of an operation");
    } else {
        table_set(a, &a->operations, text_upper(a, s->name), o);
    }
}

/* ---- macros ---- */

static void stray_mend(struct assembler *a, struct statement *s) { assembler_error(a, s, NULL, "MEND without MACRO"); }

/* MNOTE [severity,]'text' */
static void mnote(struct assembler *a, struct statement *s) {
    struct cursor c = cursor_of(a, s, s->operands);
    int64_t severity = 0;
    char text[256];
    size_t length = 0;
    if (cursor_peek(&c) == '*' && c.text.length > 1 && c.text.at[1] == ',') {
        return; /* only for whoever reads the listing */
    }
    c.early = true;
    if (cursor_peek(&c) != '\'' && cursor_peek(&c) != ',' &&
        !expression_number(&c, 0, 255, "the severity", &severity)) {
        return;
    }
    cursor_take(&c, ',');
    const size_t at = c.at;
    if (!cursor_take(&c, '\'')) {
        cursor_error(&c, c.at, "MNOTE needs a text in quotes");
        return;
    }
    for (; !cursor_at_end(&c) && length + 1 < sizeof text; c.at++) {
        const char x = cursor_peek(&c);
        if (x == '\'' || x == '&') {
            if (c.at + 1 >= c.text.length || c.text.at[c.at + 1] != x) {
                break;
            }
            c.at++;
        }
        text[length++] = x;
    }
    text[length] = 0;
    assembler_report(a, s, c.text.at + at,
                     severity >= 8   ? DIAGNOSTIC_ERROR
                     : severity >= 1 ? DIAGNOSTIC_WARNING
                                     : DIAGNOSTIC_NOTE,
                     text);
}

static const struct directive directives[] = {
    /* name, first pass, second pass, the operand field is all remarks (or might be anything), T' of the name */
    {"CSECT", control_section, NULL, true, 'J'},
    {"RSECT", control_section, NULL, true, 'J'},
    {"COM", control_section, NULL, true, 'J'},
    {"START", start, NULL, false, 'J'},
    {"DSECT", dummy_section, NULL, true, 'J'},
    {"ORG", org, NULL, false, 'U'},
    {"USING", using_first, using_directive, false, 'U'},
    {"DROP", NULL, drop_directive, false, 'U'},
    {"DC", constants_first, constants_second, false, 0},
    {"DS", constants_first, constants_second, false, 0},
    {"EQU", equ, equ_second, false, 'U'},
    {"CCW", ccw_first, ccw_second, false, 'W'},
    {"CCW0", ccw_first, ccw_second, false, 'W'},
    {"CNOP", cnop_first, cnop_second, false, 'I'},
    {"LTORG", ltorg_first, literals_assemble, true, 'U'},
    {"END", end_first, end_second, false, 'U'},
    {"ENTRY", NULL, entry, false, 'U'},
    {"EXTRN", extrn, NULL, false, 'T'},
    {"WXTRN", wxtrn, NULL, false, '$'},
    {"COPY", source_copy, NULL, false, 'U'},
    {"MACRO", macro_define, NULL, true, 'U'},
    {"MEND", stray_mend, NULL, true, 'U'},
    {"MNOTE", mnote, NULL, false, 'U'},
    {"OPSYN", opsyn, NULL, false, 'U'},
    {"PUSH", NULL, push, false, 'U'},
    {"POP", NULL, pop, false, 'U'},
    {"PRINT", NULL, print, false, 'U'},
    {"REPRO", repro, NULL, false, 'U'},
    {"TITLE", nothing, NULL, true, 'U'},
    {"EJECT", nothing, NULL, true, 'U'},
    {"CEJECT", nothing, NULL, true, 'U'},
    {"SPACE", nothing, NULL, true, 'U'},
    {"PUNCH", nothing, NULL, true, 'U'},
    {"ISEQ", nothing, NULL, false, 'U'},
    {"AMODE", nothing, NULL, false, 'U'},
    {"RMODE", nothing, NULL, false, 'U'},
    {"ALIAS", nothing, NULL, false, 'U'},
    {"ACONTROL", nothing, NULL, false, 'U'},
    {"ADATA", nothing, NULL, false, 'U'},
};

/* B and its relatives are BC (RX) and BCR (RR) with a mask; the RR ones end in R. */
static const struct {
    const char *name;
    uint8_t mask;
} branches[] = {
    {"B", 15}, {"NOP", 0}, {"BH", 2}, {"BL", 4}, {"BE", 8},   {"BNH", 13}, {"BNL", 11}, {"BNE", 7},
    {"BP", 2}, {"BM", 4},  {"BZ", 8}, {"BO", 1}, {"BNP", 13}, {"BNM", 11}, {"BNZ", 7},  {"BNO", 14},
};

static void add_operation(struct assembler *a, const char *name, struct operation content) {
    struct operation *o = assembler_allocate(a, sizeof *o);
    *o = content;
    table_set(a, &a->operations, text_copy(a, (struct text){name, strlen(name)}), o);
}

void operations_fill(struct assembler *a) {
    for (unsigned i = 0; i < INSTRUCTION_COUNT; i++) {
        const struct instruction *x = &instruction_table[i];
        add_operation(a, x->mnemonic, (struct operation){OPERATION_INSTRUCTION, .instruction = x, .mask = -1});
    }
    for (unsigned i = 0; i < sizeof branches / sizeof *branches; i++) {
        char name[8];
        snprintf(name, sizeof name, "%sR", branches[i].name);
        const int mask = branches[i].mask;
        add_operation(a, branches[i].name,
                      (struct operation){OPERATION_INSTRUCTION, &instruction_table[INSTRUCTION_BC], .mask = mask});
        add_operation(a, name,
                      (struct operation){OPERATION_INSTRUCTION, &instruction_table[INSTRUCTION_BCR], .mask = mask});
    }
    for (unsigned i = 0; i < sizeof directives / sizeof *directives; i++) {
        add_operation(a, directives[i].name,
                      (struct operation){OPERATION_DIRECTIVE, .mask = -1, .directive = &directives[i]});
    }
    for (unsigned i = 0; i < conditional_count; i++) {
        add_operation(a, conditionals[i].name,
                      (struct operation){OPERATION_CONDITIONAL, .mask = -1, .conditional = &conditionals[i]});
    }
}

/* The operation nearest in spelling; of several equally near, the one that begins alike, then the first by name. */
static struct text operation_like(struct assembler *a, struct text name) {
    enum { MOST_SUGGESTIONS = 20 }; /* each looks at every operation */
    const unsigned most = name.length < 2 ? 0 : name.length < 5 ? 1 : 2;
    struct text best = {"", 0};
    unsigned best_rank = 2 * most + 2;
    if (most == 0 || a->operation_suggestions++ >= MOST_SUGGESTIONS) {
        return best;
    }
    for (size_t i = 0; i < a->operations.size; i++) {
        const struct text key = a->operations.entries[i].key;
        if (!a->operations.entries[i].value) {
            continue;
        }
        const unsigned rank = 2 * text_distance(key, name, most) + (key.at[0] != character_upper(name.at[0]));
        const size_t shorter = key.length < best.length ? key.length : best.length;
        const int order = shorter ? memcmp(key.at, best.at, shorter) : 0;
        if (rank < best_rank ||
            (rank == best_rank && rank < 2 * most + 2 && (order < 0 || (order == 0 && key.length < best.length)))) {
            best = key;
            best_rank = rank;
        }
    }
    return best;
}

void operation_unknown(struct assembler *a, struct statement *s) {
    if (s->name.length && table_find(&a->operations, text_upper(a, s->name))) {
        assembler_error(a, s, s->name.at, "%.*s is in column 1, where a label stands: put a blank before it",
                        TEXT_ARGS(s->name));
        return;
    }
    if (s->operation.length == 0) {
        assembler_error(a, s, s->name.at, "a label without an operation");
        return;
    }
    const struct text like = operation_like(a, s->operation);
    if (like.length) {
        assembler_error(a, s, NULL, "unknown operation %.*s; did you mean %.*s?", TEXT_ARGS(s->operation),
                        TEXT_ARGS(like));
    } else {
        assembler_error(a, s, NULL, "unknown operation %.*s", TEXT_ARGS(s->operation));
    }
}
