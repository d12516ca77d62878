/* Cost models: the parser of the model files, and what an instruction costs by its text alone.
 *
 * The format is described at the top of isa/models/s370.model and in docs/cost-models.md. A model is accepted only when
 * it is complete, so that no reader of one ever asks whether a number is there: every parameter once, every
 * instruction of instructions.def once. */
#include "isa/cost.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "isa/embedded.h"

enum {
    WORDS_MOST = 16,   /* on a line */
    SYMBOLS_MOST = 32, /* in a file */
    SYMBOL_LENGTH_MOST = 8,
    SHOWN_MOST = 40, /* of a word, in a message */
};
#define DEVICE_CYCLES_MOST UINT64_C(1000000000000) /* more than a simulated day; its picoseconds fit into sim_time */

struct word {
    const char *text;
    size_t length;
};

struct named_number {
    struct word name;
    uint64_t value;
};

struct parser {
    const char *file;
    unsigned line; /* from 1 */
    struct word words[WORDS_MOST];
    unsigned count, next; /* words on the line; the one to be read next */
    struct named_number symbols[SYMBOLS_MOST];
    unsigned symbol_count;
    struct error *e;
};

/* --- what there is to be given ------------------------------------------------------------------------------------ */

/* The parameters of struct cost_model: name, greatest value, and what it must be a multiple of. */
#define PARAMETERS(PARAMETER)                                                                                          \
    PARAMETER(crossing, UINT16_MAX, 1)                                                                                 \
    PARAMETER(index, UINT16_MAX, 1)                                                                                    \
    PARAMETER(interruption, UINT16_MAX, 1)                                                                             \
    PARAMETER(tlb_miss, UINT16_MAX, 1)                                                                                 \
    PARAMETER(table_fetch, UINT16_MAX, 1)                                                                              \
    PARAMETER(exception, UINT16_MAX, 1)                                                                                \
    PARAMETER(completion, UINT16_MAX, 1)                                                                               \
    PARAMETER(register_access, UINT16_MAX, 1)                                                                          \
    PARAMETER(storage_access, UINT16_MAX, 1)                                                                           \
    PARAMETER(storage_doubleword, UINT16_MAX, 1)                                                                       \
    PARAMETER(interpretation, UINT16_MAX, 1)                                                                           \
    PARAMETER(console_character, DEVICE_CYCLES_MOST, 100)                                                              \
    PARAMETER(printer_line, DEVICE_CYCLES_MOST, 100)                                                                   \
    PARAMETER(reader_card, DEVICE_CYCLES_MOST, 100)                                                                    \
    PARAMETER(disk_seek, DEVICE_CYCLES_MOST, 100)                                                                      \
    PARAMETER(disk_cylinder, DEVICE_CYCLES_MOST, 100)                                                                  \
    PARAMETER(disk_latency, DEVICE_CYCLES_MOST, 100)                                                                   \
    PARAMETER(disk_block, DEVICE_CYCLES_MOST, 100)

enum parameter {
#define PARAMETER_ENUM(name, most, step) PARAMETER_##name,
    PARAMETERS(PARAMETER_ENUM)
#undef PARAMETER_ENUM
        PARAMETER_COUNT
};

static const struct {
    const char *name;
    uint64_t most, step;
} parameters[PARAMETER_COUNT] = {
#define PARAMETER_ROW(name, most, step) {#name, most, step},
    PARAMETERS(PARAMETER_ROW)
#undef PARAMETER_ROW
};

static void set_parameter(struct cost_model *m, enum parameter which, uint64_t value) {
    switch (which) {
#define PARAMETER_CASE(name, most, step)                                                                               \
    case PARAMETER_##name: m->name = (__typeof__(m->name))value; break;
        PARAMETERS(PARAMETER_CASE)
#undef PARAMETER_CASE
    case PARAMETER_COUNT: break;
    }
}

/* What the unit of an instruction is called in a model file; "": it has none. */
static const char *unit_name(enum instruction_unit unit) {
    switch (unit) {
    case UNIT_NONE: break;
    case UNIT_SHIFT: return "shift";
    case UNIT_REGISTERS: return "register";
    case UNIT_PAIRS: return "pair";
    case UNIT_MASK:
    case UNIT_LENGTH:
    case UNIT_LENGTH1:
    case UNIT_LENGTHS:
    case UNIT_PROCESSED: return "byte";
    }
    return "";
}

/* Only the kind BRANCH can be taken. */
enum instruction_kind { KIND_PLAIN, KIND_STORAGE, KIND_FAR, KIND_BRANCH, KIND_CONTROL, KIND_EXECUTE, KIND_SVC };
static const uint8_t kinds[INSTRUCTION_COUNT] = {
#define INSTRUCTION(code, mnemonic, name, format, cc, privileged, class, unit, kind, ...)                              \
    [INSTRUCTION_##mnemonic] = KIND_##kind,
#include "isa/instructions.def"
};

/* --- words and numbers -------------------------------------------------------------------------------------------- */

static bool word_is(const struct word *w, const char *text) {
    return w->length == strlen(text) && memcmp(w->text, text, w->length) == 0;
}

/* A word for a message's %.*s, as far as it is shown there. */
#define SHOWN(w) (int)((w)->length < SHOWN_MOST ? (w)->length : SHOWN_MOST), (w)->text

static bool fail(const struct parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool fail(const struct parser *p, const char *format, ...) {
    char text[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return error_set(p->e, ERROR_INPUT, "%s:%u: %s", p->file, p->line, text);
}

/* The next word of the line; NULL at its end. */
static const struct word *next_word(struct parser *p) { return p->next < p->count ? &p->words[p->next++] : NULL; }

/* Takes the next word when it is `text`. */
static bool accept(struct parser *p, const char *text) {
    if (p->next == p->count || !word_is(&p->words[p->next], text))
        return false;
    p->next++;
    return true;
}

static bool end_of_line(struct parser *p) {
    return p->next == p->count || fail(p, "\"%.*s\" is not expected here", SHOWN(&p->words[p->next]));
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

/* One number or symbol of a sum. */
static bool parse_term(const struct parser *p, const struct word *term, uint64_t most, uint64_t *value) {
    if (term->length == 0)
        return fail(p, "a number or a symbol is missing beside +");
    if (!is_digit(term->text[0])) {
        for (unsigned i = 0; i < p->symbol_count; i++) {
            const struct named_number *s = &p->symbols[i];
            if (s->name.length == term->length && memcmp(s->name.text, term->text, term->length) == 0) {
                *value = s->value;
                return true;
            }
        }
        return fail(p, "\"%.*s\" is neither a number nor a symbol defined above", SHOWN(term));
    }
    *value = 0;
    for (size_t i = 0; i < term->length; i++) {
        if (!is_digit(term->text[i]))
            return fail(p, "\"%.*s\" is not a number", SHOWN(term));
        *value = *value * 10 + (uint64_t)(term->text[i] - '0');
        if (*value > most)
            return fail(p, "%.*s is too large: the greatest value is %llu", SHOWN(term), (unsigned long long)most);
    }
    return true;
}

/* Numbers and symbols joined by +, for `what`. */
static bool parse_sum(struct parser *p, const char *what, uint64_t most, uint64_t *sum) {
    const struct word *w = next_word(p);
    if (!w)
        return fail(p, "the value of %s is missing", what);
    *sum = 0;
    for (size_t from = 0, to; from <= w->length; from = to + 1) {
        for (to = from; to < w->length && w->text[to] != '+'; to++)
            ;
        uint64_t value = 0;
        if (!parse_term(p, &(struct word){w->text + from, to - from}, most, &value))
            return false;
        *sum += value;
        if (*sum > most)
            return fail(p, "%.*s is too large: the greatest value is %llu", SHOWN(w), (unsigned long long)most);
    }
    return true;
}

static bool parse_cycles(struct parser *p, const char *what, uint16_t *cycles) {
    uint64_t value;
    if (!parse_sum(p, what, UINT16_MAX, &value))
        return false;
    *cycles = (uint16_t)value;
    return true;
}

/* --- the kinds of lines ------------------------------------------------------------------------------------------- */

/* model NAME */
static bool parse_name(struct parser *p, struct cost_model *m) {
    const struct word *w = next_word(p);
    if (!w)
        return fail(p, "the name of the model is missing");
    if (w->length >= sizeof m->name)
        return fail(p, "the name of the model has more than %zu characters", sizeof m->name - 1);
    if (m->name[0])
        return fail(p, "the model already has a name, %s", m->name);
    memcpy(m->name, w->text, w->length);
    return end_of_line(p);
}

/* symbol NAME SUM */
static bool parse_symbol(struct parser *p) {
    const struct word *name = next_word(p);
    if (!name)
        return fail(p, "the name of the symbol is missing");
    bool good = name->length <= SYMBOL_LENGTH_MOST;
    for (size_t i = 0; i < name->length; i++)
        good = good && is_upper(name->text[i]);
    if (!good)
        return fail(p, "\"%.*s\" cannot be a symbol: 1 to %d capital letters can", SHOWN(name), SYMBOL_LENGTH_MOST);
    for (unsigned i = 0; i < p->symbol_count; i++)
        if (p->symbols[i].name.length == name->length && memcmp(p->symbols[i].name.text, name->text, name->length) == 0)
            return fail(p, "symbol %.*s is already defined", SHOWN(name));
    if (p->symbol_count == SYMBOLS_MOST)
        return fail(p, "more than %d symbols", SYMBOLS_MOST);
    uint64_t value;
    if (!parse_sum(p, "the symbol", UINT16_MAX, &value) || !end_of_line(p))
        return false;
    p->symbols[p->symbol_count++] = (struct named_number){*name, value};
    return true;
}

/* PARAMETER SUM */
static bool parse_parameter(struct parser *p, struct cost_model *m, enum parameter which) {
    uint64_t value;
    if (!parse_sum(p, parameters[which].name, parameters[which].most, &value) || !end_of_line(p))
        return false;
    if (value % parameters[which].step != 0)
        return fail(p, "%s must be a multiple of %llu", parameters[which].name,
                    (unsigned long long)parameters[which].step);
    set_parameter(m, which, value);
    return true;
}

/* UNIT SUM [started N | whole N], after UNIT. */
static bool parse_unit(struct parser *p, struct cost_row *r, const char *unit) {
    if (!parse_cycles(p, unit, &r->per_unit))
        return false;
    r->unit_floor = accept(p, "whole");
    if (!r->unit_floor && !accept(p, "started"))
        return true;
    if (!parse_cycles(p, r->unit_floor ? "whole" : "started", &r->unit_size))
        return false;
    return r->unit_size != 0 || fail(p, "units cannot be counted in groups of 0");
}

/* MNEMONIC BASE [taken SUM] [UNIT ...] [doubleword SUM] [overlap SUM SUM]; the clauses in any order, each once. */
static bool parse_row(struct parser *p, struct cost_row *r, const struct instruction *i) {
    enum { TAKEN = 1, UNIT = 2, DOUBLEWORD = 4, OVERLAP = 8 };
    const char *unit = unit_name(i->unit);
    unsigned seen = 0;
    *r = (struct cost_row){.unit_size = 1};
    if (!parse_cycles(p, i->mnemonic, &r->base))
        return false;
    while (p->next < p->count) {
        const struct word *w = next_word(p);
        unsigned clause;
        bool good;
        if (word_is(w, "taken")) {
            clause = TAKEN;
            if (kinds[instruction_id(i)] != KIND_BRANCH)
                return fail(p, "%s does not branch, so it is never taken", i->mnemonic);
            good = parse_cycles(p, "taken", &r->taken);
        } else if (word_is(w, "doubleword")) {
            clause = DOUBLEWORD;
            good = parse_cycles(p, "doubleword", &r->per_doubleword);
        } else if (word_is(w, "overlap")) {
            clause = OVERLAP;
            if (i->code != 0xD2)
                return fail(p, "only MVC has an overlap");
            good = parse_cycles(p, "overlap", &r->overlap_base) && parse_cycles(p, "overlap", &r->overlap_per_byte);
        } else if (unit[0] && word_is(w, unit)) {
            clause = UNIT;
            good = parse_unit(p, r, unit);
        } else if (unit[0]) {
            return fail(p, "\"%.*s\" is not expected here; the unit of %s is %s", SHOWN(w), i->mnemonic, unit);
        } else {
            return fail(p, "\"%.*s\" is not expected here; %s has no unit", SHOWN(w), i->mnemonic);
        }
        if (!good)
            return false;
        if (seen & clause)
            return fail(p, "%.*s is given twice", SHOWN(w));
        seen |= clause;
    }
    return true;
}

/* --- the file ----------------------------------------------------------------------------------------------------- */

/* Takes a line apart into words, without its comment. */
static bool split_line(struct parser *p, const char *line, size_t length) {
    p->count = p->next = 0;
    for (size_t i = 0; i < length && line[i] != '#';) {
        size_t from = i;
        while (i < length && line[i] > ' ' && line[i] <= '~' && line[i] != '#')
            i++;
        if (i > from) {
            if (p->count == WORDS_MOST)
                return fail(p, "more than %d words on a line", WORDS_MOST);
            p->words[p->count++] = (struct word){line + from, i - from};
        } else if (line[i] == ' ' || line[i] == '\t' || line[i] == '\r') {
            i++;
        } else {
            return fail(p, "character X'%02X' outside a comment", (unsigned)(unsigned char)line[i]);
        }
    }
    return true;
}

/* Where everything was given: line numbers, 0 for not yet. */
struct given {
    unsigned parameter[PARAMETER_COUNT];
    unsigned row[INSTRUCTION_COUNT];
};

static bool parse_line(struct parser *p, struct cost_model *m, struct given *given) {
    const struct word *w = next_word(p);
    if (word_is(w, "model"))
        return parse_name(p, m);
    if (!m->name[0])
        return fail(p, "a model file begins with: model NAME");
    if (word_is(w, "symbol"))
        return parse_symbol(p);
    for (unsigned i = 0; i < PARAMETER_COUNT; i++) {
        if (!word_is(w, parameters[i].name))
            continue;
        if (given->parameter[i])
            return fail(p, "%s is already given on line %u", parameters[i].name, given->parameter[i]);
        given->parameter[i] = p->line;
        return parse_parameter(p, m, (enum parameter)i);
    }
    for (unsigned i = 0; i < INSTRUCTION_COUNT; i++) {
        if (!word_is(w, instruction_table[i].mnemonic))
            continue;
        if (given->row[i])
            return fail(p, "%s is already given on line %u", instruction_table[i].mnemonic, given->row[i]);
        given->row[i] = p->line;
        return parse_row(p, &m->row[i], &instruction_table[i]);
    }
    return fail(p, "\"%.*s\" is neither an instruction nor a parameter", SHOWN(w));
}

/* What was not given is named, with the last line as its place. */
static bool complete(const struct parser *p, const struct cost_model *m, const struct given *given) {
    if (!m->name[0])
        return fail(p, "a model file begins with: model NAME");
    for (unsigned i = 0; i < PARAMETER_COUNT; i++)
        if (!given->parameter[i])
            return fail(p, "the file ends without %s", parameters[i].name);
    for (unsigned i = 0; i < INSTRUCTION_COUNT; i++)
        if (!given->row[i])
            return fail(p, "the file ends without a row for %s", instruction_table[i].mnemonic);
    return true;
}

bool cost_model_parse(struct cost_model *model, const char *file, const char *text, size_t length, struct error *e) {
    struct parser p = {.file = file, .line = 1, .e = e};
    struct cost_model m = {0};
    struct given given = {0};
    for (size_t from = 0; from < length; p.line++) {
        const char *end = memchr(text + from, '\n', length - from);
        size_t to = end ? (size_t)(end - text) : length;
        if (!split_line(&p, text + from, to - from) || (p.count && !parse_line(&p, &m, &given)))
            return false;
        from = to + 1;
    }
    if (p.line > 1)
        p.line--;
    if (!complete(&p, &m, &given))
        return false;
    *model = m;
    return true;
}

bool cost_model_find(struct cost_model *model, const char *name, struct error *e) {
    char there[200] = "";
    size_t used = 0;
    for (size_t i = 0; i < embedded_models_count; i++) {
        const struct embedded_file *f = &embedded_models[i];
        if (strcmp(f->name, name) == 0) {
            char file[64];
            snprintf(file, sizeof file, "%s.model", f->name);
            return cost_model_parse(model, file, f->text, f->length, e);
        }
        if (used < sizeof there)
            used += (size_t)snprintf(there + used, sizeof there - used, "%s%s", used ? ", " : "", f->name);
    }
    return error_set(e, ERROR_INPUT, "there is no cost model \"%.*s\"; there are: %s", SHOWN_MOST, name, there);
}

const char *cost_model_name(size_t index) { return index < embedded_models_count ? embedded_models[index].name : NULL; }

/* --- costs -------------------------------------------------------------------------------------------------------- */

/* The units that the text alone tells. */
static uint32_t static_units(enum instruction_unit unit, const struct instruction_fields *f) {
    switch (unit) {
    case UNIT_NONE:
    case UNIT_SHIFT: /* an address: depends on a register */
    case UNIT_PROCESSED: return 0;
    case UNIT_REGISTERS: return ((uint32_t)(f->r3 - f->r1) & 15) + 1; /* from R1 to R3, 0 after 15 */
    case UNIT_MASK: return (uint32_t)__builtin_popcount(f->r3);
    case UNIT_LENGTH:
    case UNIT_LENGTH1: return f->l1 + 1u;
    case UNIT_LENGTHS: return f->l1 + f->l2 + 2u;
    case UNIT_PAIRS: return (f->l1 + 1u) * (f->l2 + 1u);
    }
    return 0;
}

uint32_t cost_static(const struct cost_model *model, const struct instruction *i, const uint8_t text[6]) {
    const struct cost_row *row = &model->row[instruction_id(i)];
    struct instruction_fields f;
    instruction_take(&f, i, text);
    bool indexed = (i->format == FORMAT_RX || i->format == FORMAT_RX_MASK) && f.r3 != 0 && f.b2 != 0;
    return row->base + (indexed ? model->index : 0u) + cost_units(row, static_units(i->unit, &f));
}
