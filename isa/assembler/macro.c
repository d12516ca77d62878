/* Macros: definition, call, and the replacement of parameters in the lines of a body.
 *
 * A body is kept as it was written; variable symbols are replaced each time a line is taken from it, and what comes out
 * goes through the same door as any other statement. A replaced one is one piece: its commas and blanks do not divide
 * the operands of a macro call, as they would if they had been written there. */
#include <string.h>

#include "isa/assembler/assembler_internal.h"

/* ---- operands ---- */

/* Does the character come from a variable symbol that was replaced? */
static bool is_replaced(const struct line *line, size_t offset) { return line_segment(line, offset)->fixed; }

/* The same as operand_next, where `line`, if not NULL, is what t is a part of: replaced commas do not count. */
static bool next_operand(struct text t, size_t *at, const struct line *line, struct text *operand) {
    const size_t start = *at;
    unsigned depth = 0;
    bool quoted = false;
    if (start > t.length || t.length == 0) {
        return false;
    }
    size_t i = start;
    for (; i < t.length; i++) {
        const char c = t.at[i];
        if (c == '\'') {
            quoted = !quoted && text_is_attribute(t, i) ? false : !quoted;
        } else if (quoted) {
            continue;
        } else if (c == '(') {
            depth++;
        } else if (c == ')' && depth) {
            depth--;
        } else if (c == ',' && depth == 0 && !(line && is_replaced(line, (size_t)(t.at + i - line->text.at)))) {
            break;
        }
    }
    *operand = (struct text){t.at + start, i - start};
    *at = i + 1;
    return true;
}

bool operand_next(struct text t, size_t *at, struct text *operand) { return next_operand(t, at, NULL, operand); }

static size_t count_operands(struct text t, const struct line *line) {
    struct text operand;
    size_t count = 0;
    for (size_t at = 0; next_operand(t, &at, line, &operand);) {
        count++;
    }
    return count;
}

/* Is it a sublist (a,b,c)? Then *inside is what the parentheses hold. */
static bool is_sublist(struct text t, struct text *inside) {
    *inside = t.length >= 2 ? (struct text){t.at + 1, t.length - 2} : t;
    return t.length >= 2 && t.at[0] == '(' && t.at[t.length - 1] == ')';
}

size_t sublist_count(struct text t) {
    struct text inside;
    if (!is_sublist(t, &inside)) {
        return t.length > 0;
    }
    return inside.length ? count_operands(inside, NULL) : 1;
}

struct text sublist_element(struct text t, size_t n) {
    struct text inside, operand;
    size_t at = 0;
    if (!is_sublist(t, &inside)) {
        return n == 1 ? t : (struct text){"", 0};
    }
    while (operand_next(inside, &at, &operand)) {
        if (--n == 0) {
            return operand;
        }
    }
    return (struct text){"", 0};
}

/* ---- definition ---- */

static bool parameter_name(struct assembler *a, struct text *t, struct text *name) {
    if (t->length < 2 || t->at[0] != '&') {
        return false;
    }
    const size_t n = text_symbol((struct text){t->at + 1, t->length - 1});
    *name = text_upper(a, (struct text){t->at + 1, n});
    *t = (struct text){t->at + 1 + n, t->length - 1 - n};
    return n > 0;
}

static const struct parameter *parameter_find(const struct macro *m, struct text name) {
    for (size_t i = 0; i < m->parameter_count; i++) {
        if (text_equal(m->parameters[i].name, name)) {
            return &m->parameters[i];
        }
    }
    return NULL;
}

static void add_parameter(struct assembler *a, struct statement *s, struct macro *m, struct parameter p,
                          const char *at) {
    if (parameter_find(m, p.name)) {
        assembler_error(a, s, at, "parameter &%.*s is there twice", TEXT_ARGS(p.name));
        return;
    }
    m->parameters[m->parameter_count++] = p;
}

static void parse_prototype(struct assembler *a, struct statement *s, struct macro *m) {
    struct text operand, name;
    m->name = text_upper(a, s->operation);
    m->parameters = assembler_allocate(a, (count_operands(s->operands, NULL) + 1) * sizeof *m->parameters);
    if (text_symbol(s->operation) != s->operation.length || s->operation.length == 0) {
        assembler_error(a, s, s->operation.length ? NULL : s->line.text.at, "the prototype must name the macro");
    }
    if (s->name.length) {
        struct text rest = s->name;
        if (parameter_name(a, &rest, &name) && rest.length == 0) {
            add_parameter(a, s, m, (struct parameter){.name = name}, s->name.at);
            m->has_label = m->parameter_count > 0;
        } else {
            assembler_error(a, s, s->name.at, "the name field of a prototype is empty or a parameter (&NAME)");
        }
    }
    for (size_t at = 0; operand_next(s->operands, &at, &operand);) {
        struct text rest = operand;
        if (operand.length == 0) {
            continue;
        }
        if (!parameter_name(a, &rest, &name) || (rest.length && rest.at[0] != '=')) {
            assembler_error(a, s, operand.at, "a parameter is &NAME or &NAME=default");
            continue;
        }
        struct parameter p = {.name = name, .keyword = rest.length > 0};
        if (p.keyword) {
            p.value = (struct text){rest.at + 1, rest.length - 1};
        }
        add_parameter(a, s, m, p, operand.at);
    }
}

static void add_body(struct assembler *a, struct macro *m, size_t *room, const struct line *line) {
    if (m->body_count == *room) {
        *room = *room ? 2 * *room : 16;
        struct line *bigger = assembler_allocate(a, *room * sizeof *bigger);
        if (m->body_count) {
            memcpy(bigger, m->body, m->body_count * sizeof *bigger);
        }
        m->body = bigger;
    }
    m->body[m->body_count++] = *line;
}

/* Where AIF and AGO may go, MEND (the last line) included. Macros inside have names of their own. */
static void note_sequence_symbols(struct assembler *a, struct macro *m, struct statement *end) {
    unsigned depth = 0;
    for (size_t i = 0; i < m->body_count; i++) {
        const struct fields f = source_fields(m->body[i].text);
        const bool inside = depth > 0;
        depth += text_is(f.operation, "MACRO");
        depth -= depth && text_is(f.operation, "MEND");
        if (f.comment || inside || f.name.length == 0 || f.name.at[0] != '.') {
            continue;
        }
        const struct text key = text_upper(a, f.name);
        if (table_find(&m->sequence, key)) {
            assembler_error(a, end, NULL, "sequence symbol %.*s is twice in macro %.*s", TEXT_ARGS(f.name),
                            TEXT_ARGS(m->name));
            assembler_note(a, &m->body[i], 0, "the second one is here");
        } else {
            table_set(a, &m->sequence, key, &m->body[i]);
        }
    }
    m->body_count--; /* MEND itself does nothing */
}

void macro_define(struct assembler *a, struct statement *s) {
    struct macro *m = assembler_allocate(a, sizeof *m);
    struct line line;
    size_t room = 0;
    unsigned depth = 1;
    bool prototype = false;
    while (!a->ended && source_next(a, &line)) {
        struct statement *part = statement_new(a, &line);
        const struct fields f = source_fields(line.text);
        part->name = f.name;
        part->operation = f.operation;
        part->operands = f.operands;
        if (!prototype) {
            if (!f.comment) {
                prototype = true;
                parse_prototype(a, part, m);
            }
            continue;
        }
        depth += text_is(f.operation, "MACRO");
        depth -= text_is(f.operation, "MEND");
        if (line.text.length > 1 && line.text.at[0] == '.' && line.text.at[1] == '*') {
            continue;
        }
        if (text_is(f.operation, "COPY")) { /* what it brings becomes a part of the definition */
            source_copy(a, part);
            continue;
        }
        add_body(a, m, &room, &line);
        if (depth == 0) {
            struct operation *o = assembler_allocate(a, sizeof *o);
            *o = (struct operation){.kind = OPERATION_MACRO, .mask = -1, .macro = m};
            note_sequence_symbols(a, m, part);
            if (m->name.length) {
                table_set(a, &a->operations, m->name, o);
            }
            return;
        }
    }
    assembler_error(a, s, NULL, "this macro has no MEND");
}

/* ---- call ---- */

/* Is this operand of the line KEY=value, as written? Then *key is the length of KEY. */
static bool is_keyword(const struct line *line, struct text t, size_t *key) {
    *key = text_symbol(t);
    return *key && *key < t.length && t.at[*key] == '=' && !is_replaced(line, (size_t)(t.at + *key - line->text.at));
}

const struct text *macro_argument(const struct call *call, struct text name) {
    const struct parameter *p = parameter_find(call->macro, name);
    return p ? &call->arguments[p - call->macro->parameters].value : NULL;
}

void macro_call(struct assembler *a, struct statement *s, struct macro *m) {
    struct call *call = assembler_allocate(a, sizeof *call);
    struct text operands = s->operands, operand;
    size_t next = m->has_label;
    if (s->line.fields_end && operands.length) { /* blanks that were replaced do not end them */
        operands.length = (size_t)(s->line.text.at + s->line.fields_end - operands.at);
    }
    *call = (struct call){.statement = s, .macro = m, .number = ++a->call_count, .label = {"", 0}};
    call->section = a->section ? a->section->name : (struct text){"", 0};
    call->scope = assembler_allocate(a, sizeof *call->scope);
    call->scope->branches = MOST_BRANCHES;
    const size_t count = count_operands(operands, &s->line);
    a->effort += 2 * operands.length;
    a->variable_bytes +=
        sizeof *call + sizeof *call->scope + count * sizeof *call->list + m->parameter_count * sizeof *call->arguments;
    call->list = assembler_allocate(a, (count + 1) * sizeof *call->list);
    call->arguments = assembler_allocate(a, (m->parameter_count + 1) * sizeof *call->arguments);
    memcpy(call->arguments, m->parameters, m->parameter_count * sizeof *m->parameters);
    if (s->name.length && s->name.at[0] != '.') { /* a sequence symbol is only a place to go to */
        call->label = s->name;
    }
    if (m->has_label) {
        call->arguments[0].value = call->label;
    }
    for (size_t at = 0; next_operand(operands, &at, &s->line, &operand);) {
        size_t key;
        if (is_keyword(&s->line, operand, &key)) {
            const struct parameter *p = parameter_find(m, text_upper(a, (struct text){operand.at, key}));
            if (!p || !p->keyword) {
                assembler_error(a, s, operand.at, "macro %.*s has no keyword parameter %.*s", TEXT_ARGS(m->name),
                                (int)key, operand.at);
                continue;
            }
            call->arguments[p - m->parameters].value = (struct text){operand.at + key + 1, operand.length - key - 1};
            continue;
        }
        call->list[call->list_count++] = operand;
        while (next < m->parameter_count && m->parameters[next].keyword) {
            next++;
        }
        if (next < m->parameter_count) {
            call->arguments[next++].value = operand;
        }
    }
    if (!s->bad) {
        source_push_macro(a, m, call);
    }
}

/* ---- replacement ---- */

enum { FEW_SEGMENTS = 8 };

struct replacement {
    struct assembler *a;
    const struct line *model;
    struct line *to;
    char *text;
    size_t length;
    struct segment *segments;
    size_t segment_count, segment_room;
    const char *problem; /* first one, reported once the statement exists */
    size_t problem_at;
};

static void add_segment(struct replacement *r, size_t model_at, bool fixed) {
    const struct diagnostic_place p = statement_place(r->model, model_at);
    if (r->segment_count == r->segment_room) {
        struct segment *bigger = assembler_allocate(r->a, 2 * r->segment_room * sizeof *bigger);
        memcpy(bigger, r->segments, r->segment_count * sizeof *bigger);
        r->segments = bigger;
        r->segment_room *= 2;
    }
    r->segments[r->segment_count++] = (struct segment){r->length, p.line, p.column, fixed};
}

static void put(struct replacement *r, struct text t) {
    const size_t room = MOST_STATEMENT_LENGTH - r->length;
    if (t.length > room) {
        t.length = room;
        r->to->too_long = true;
    }
    if (t.length) {
        memcpy(r->text + r->length, t.at, t.length);
        r->length += t.length;
    }
}

/* Replaces the variable symbol at model text `at` (an ampersand); returns where the model goes on. After a problem it
 * stays as it is. */
static size_t replace_variable(struct replacement *r, size_t at, size_t fields_end) {
    struct evaluator e = evaluator_of(r->a, r->model->call, (struct text){r->model->text.at, fields_end});
    struct variable_reference reference;
    struct text value = {r->model->text.at + at, 1};
    e.at = at;
    if (reference_parse(&e, &reference, false) && reference_text(&e, &reference, &value)) {
        evaluator_take(&e, '.'); /* it only marks the end of the name */
    } else {
        e.at = at + 1;
        if (!r->problem) {
            add_segment(r, e.problem_at, true);
            r->problem = e.problem;
            r->problem_at = r->length;
        }
    }
    add_segment(r, r->problem && r->problem_at == r->length ? e.problem_at : at, true);
    put(r, value);
    add_segment(r, e.at, false);
    return e.at;
}

/* How much of the line variable symbols can be in. */
static size_t model_end(const struct line *model, bool operands) {
    const struct fields f = source_fields(model->text);
    const struct text last = operands && f.operands.length ? f.operands : f.operation.length ? f.operation : f.name;
    return f.comment ? 0 : (size_t)(last.at - model->text.at) + last.length;
}

void macro_line(struct assembler *a, struct line *to, const struct line *model, bool operands) {
    const size_t fields_end = model_end(model, operands);
    const struct text t = model->text;
    *to = *model;
    const bool sequence = fields_end && model->call && t.at[0] == '.';
    if (!sequence && (fields_end == 0 || !memchr(t.at, '&', fields_end))) {
        a->source_bytes += 16; /* the line itself is shared, but endless macros must end */
        return;
    }
    char buffer[MOST_STATEMENT_LENGTH];
    struct replacement r = {.a = a, .model = model, .to = to, .text = buffer, .segment_room = FEW_SEGMENTS};
    r.segments = assembler_allocate(a, r.segment_room * sizeof *r.segments);
    add_segment(&r, 0, false);
    for (size_t i = 0; i < fields_end;) {
        if (t.at[i] != '&') {
            size_t n = 1;
            while (i + n < fields_end && t.at[i + n] != '&') {
                n++;
            }
            put(&r, (struct text){t.at + i, n});
            i += n;
        } else if (i + 1 < fields_end && t.at[i + 1] == '&') {
            put(&r, (struct text){t.at + i, 2});
            i += 2;
        } else {
            i = replace_variable(&r, i, fields_end);
        }
    }
    to->fields_end = r.length;
    put(&r, (struct text){t.at + fields_end, t.length - fields_end}); /* remarks */
    for (size_t i = 0; sequence && i < r.length && buffer[i] != ' '; i++) {
        buffer[i] = ' '; /* a sequence symbol is no name */
    }
    to->text = text_copy(a, (struct text){buffer, r.length});
    to->segments = r.segments;
    to->segment_count = r.segment_count;
    to->problem = r.problem;
    to->problem_at = r.problem_at;
    to->generated = true;
    /* Memory counts, too: of that for places what goes beyond the usual. */
    a->source_bytes += r.length + (r.segment_room - FEW_SEGMENTS) * sizeof *r.segments;
}
