/* Macros: definition, call, and the replacement of parameters in the lines of a body.
 *
 * A body is kept as it was written; parameters are replaced each time a line is taken from it, and what comes out goes
 * through the same door as any other statement. Conditional assembly can join at two places: variable_value finds what
 * a variable symbol stands for, and an input (source.c) knows its next line, which a branch would set. */
#include <stdio.h>
#include <string.h>

#include "isa/assembler/assembler_internal.h"

/* The list of operands, cut at commas outside quotes and parentheses. An empty field has no operand. */
static size_t split_operands(struct assembler *a, struct text t, struct text **list) {
    size_t count = 0, room = 8, start = 0;
    unsigned depth = 0;
    bool quoted = false;
    *list = assembler_allocate(a, room * sizeof **list);
    if (t.length == 0) {
        return 0;
    }
    for (size_t i = 0; i <= t.length; i++) {
        const char c = i < t.length ? t.at[i] : ',';
        if (i < t.length && c == '\'') {
            quoted = !quoted && text_is_attribute(t, i) ? false : !quoted;
        } else if (i < t.length && quoted) {
            continue;
        } else if (c == '(') {
            depth++;
        } else if (c == ')' && depth) {
            depth--;
        } else if (c == ',' && (depth == 0 || i == t.length)) {
            if (count == room) {
                struct text *bigger = assembler_allocate(a, 2 * room * sizeof *bigger);
                memcpy(bigger, *list, room * sizeof *bigger);
                *list = bigger;
                room *= 2;
            }
            (*list)[count++] = (struct text){t.at + start, i - start};
            start = i + 1;
        }
    }
    return count;
}

static bool is_conditional(struct text operation) {
    static const char *const names[] = {"AIF",  "AIFB", "AGO",  "AGOB", "ANOP", "ACTR", "SETA",  "SETB",  "SETC",
                                        "GBLA", "GBLB", "GBLC", "LCLA", "LCLB", "LCLC", "SETAF", "SETCF", "AREAD"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (text_is(operation, names[i])) {
            return true;
        }
    }
    return false;
}

bool macro_refuses(struct assembler *a, struct statement *s) {
    if (!is_conditional(s->operation)) {
        return false;
    }
    assembler_error(a, s, NULL, "conditional assembly is not supported yet (%.*s)", TEXT_ARGS(s->operation));
    return true;
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
    struct text *list, name;
    const size_t count = split_operands(a, s->operands, &list);
    m->name = text_upper(a, s->operation);
    m->parameters = assembler_allocate(a, (count + 1) * sizeof *m->parameters);
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
    for (size_t i = 0; i < count; i++) {
        struct text rest = list[i];
        if (list[i].length == 0) {
            continue;
        }
        if (!parameter_name(a, &rest, &name) || (rest.length && rest.at[0] != '=')) {
            assembler_error(a, s, list[i].at, "a parameter is &NAME or &NAME=default");
            continue;
        }
        struct parameter p = {.name = name, .keyword = rest.length > 0};
        if (p.keyword) {
            p.value = (struct text){rest.at + 1, rest.length - 1};
        }
        add_parameter(a, s, m, p, list[i].at);
    }
}

void macro_define(struct assembler *a, struct statement *s) {
    struct macro *m = assembler_allocate(a, sizeof *m);
    struct line line;
    size_t room = 0;
    unsigned depth = 1;
    bool prototype = false;
    while (!a->ended && source_next(a, &line, true)) {
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
        if (depth == 0) {
            struct operation *o = assembler_allocate(a, sizeof *o);
            *o = (struct operation){.kind = OPERATION_MACRO, .mask = -1, .macro = m};
            if (m->name.length) {
                table_set(a, &a->operations, m->name, o);
            }
            return;
        }
        if ((line.text.length > 1 && line.text.at[0] == '.' && line.text.at[1] == '*') || macro_refuses(a, part)) {
            continue;
        }
        if (m->body_count == room) {
            struct line *bigger = assembler_allocate(a, (room ? 2 * room : 16) * sizeof *bigger);
            if (room) {
                memcpy(bigger, m->body, room * sizeof *bigger);
            }
            m->body = bigger;
            room = room ? 2 * room : 16;
        }
        m->body[m->body_count++] = line;
    }
    assembler_error(a, s, NULL, "this macro has no MEND");
}

/* ---- call ---- */

/* Is this operand KEY=value? Then *key is the length of KEY. */
static bool is_keyword(struct text t, size_t *key) {
    *key = text_symbol(t);
    return *key && *key < t.length && t.at[*key] == '=';
}

void macro_call(struct assembler *a, struct statement *s, struct macro *m) {
    struct call *call = assembler_allocate(a, sizeof *call);
    struct text *list;
    const size_t count = split_operands(a, s->operands, &list);
    size_t next = m->has_label;
    *call = (struct call){.statement = s, .macro = m, .number = ++a->call_count};
    call->list = assembler_allocate(a, (count + 1) * sizeof *call->list);
    call->arguments = assembler_allocate(a, (m->parameter_count + 1) * sizeof *call->arguments);
    memcpy(call->arguments, m->parameters, m->parameter_count * sizeof *m->parameters);
    if (m->has_label) {
        call->arguments[0].value = s->name;
    }
    for (size_t i = 0; i < count; i++) {
        size_t key;
        if (is_keyword(list[i], &key)) {
            const struct parameter *p = parameter_find(m, text_upper(a, (struct text){list[i].at, key}));
            if (!p || !p->keyword) {
                assembler_error(a, s, list[i].at, "macro %.*s has no keyword parameter %.*s", TEXT_ARGS(m->name),
                                (int)key, list[i].at);
                continue;
            }
            call->arguments[p - m->parameters].value = (struct text){list[i].at + key + 1, list[i].length - key - 1};
            continue;
        }
        call->list[call->list_count++] = list[i];
        while (next < m->parameter_count && m->parameters[next].keyword) {
            next++;
        }
        if (next < m->parameter_count) {
            call->arguments[next++].value = list[i];
        }
    }
    if (!s->bad) {
        source_push_macro(a, m, call);
    }
}

/* ---- replacement ---- */

struct replacement {
    struct assembler *a;
    const struct line *model;
    const struct call *call;
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

/* The n-th (from 1) element of a sublist (a,b,c); anything else is a list of one. */
static struct text sublist_element(struct assembler *a, struct text t, size_t n) {
    struct text *list = &t;
    size_t count = 1;
    if (t.length >= 2 && t.at[0] == '(' && t.at[t.length - 1] == ')') {
        count = split_operands(a, (struct text){t.at + 1, t.length - 2}, &list);
    }
    return n >= 1 && n <= count ? list[n - 1] : (struct text){"", 0};
}

static struct text format_text(struct assembler *a, const char *format, unsigned n) {
    char buffer[16];
    const int length = snprintf(buffer, sizeof buffer, format, n);
    return text_copy(a, (struct text){buffer, (size_t)length});
}

/* What the variable symbol &name stands for. False: there is none of that name. */
static bool variable_value(struct replacement *r, struct text name, struct text *value) {
    const struct parameter *p = parameter_find(r->call->macro, name);
    if (p) {
        *value = r->call->arguments[p - r->call->macro->parameters].value;
    } else if (text_is(name, "SYSNDX")) {
        *value = format_text(r->a, "%04u", r->call->number);
    } else if (text_is(name, "SYSLIST")) {
        *value = (struct text){"", 0}; /* only with a subscript it says anything */
    } else if (text_is(name, "SYSECT")) {
        *value = r->a->section ? r->a->section->name : (struct text){"", 0};
    } else {
        return false;
    }
    return true;
}

/* The subscript that begins at model text `at` with a parenthesis: a number, or a variable that is one. */
static bool take_subscript(struct replacement *r, size_t *at, size_t *n) {
    const struct text t = r->model->text;
    size_t i = *at + 1, digits = 0;
    struct text number = {t.at + i, 0};
    *n = 0;
    if (i < t.length && t.at[i] == '&') {
        const size_t length = text_symbol((struct text){t.at + i + 1, t.length - i - 1});
        if (!variable_value(r, text_upper(r->a, (struct text){t.at + i + 1, length}), &number)) {
            return false;
        }
        i += 1 + length;
    } else {
        while (i < t.length && character_is_digit(t.at[i])) {
            i++;
        }
        number.length = i - *at - 1;
    }
    for (; digits < number.length && digits < 6 && character_is_digit(number.at[digits]); digits++) {
        *n = *n * 10 + (size_t)(number.at[digits] - '0');
    }
    *at = i + 1;
    return digits && digits == number.length && i < t.length && t.at[i] == ')';
}

/* Replaces the variable symbol at model text `at` (an ampersand); returns where the model goes on. */
static size_t replace_variable(struct replacement *r, size_t at) {
    const struct text t = r->model->text;
    const size_t length = text_symbol((struct text){t.at + at + 1, t.length - at - 1});
    const struct text name = text_upper(r->a, (struct text){t.at + at + 1, length});
    struct text value = {"", 0};
    size_t end = at + 1 + length;
    if (length == 0 || !variable_value(r, name, &value)) {
        if (!r->problem) {
            r->problem = length == 0 ? "a single & here: write && for the character"
                                     : "this variable symbol is no parameter of the macro";
            r->problem_at = r->length;
        }
        put(r, (struct text){t.at + at, end - at});
        return end;
    }
    if (end < t.length && t.at[end] == '(') {
        const size_t subscript = end;
        size_t n;
        if (!take_subscript(r, &end, &n)) {
            end = subscript;
            if (!r->problem) {
                r->problem = "a subscript must be a number (write &NAME.(...) where a parenthesis only follows)";
                r->problem_at = r->length;
            }
        } else if (text_is(name, "SYSLIST")) {
            value = n >= 1 && n <= r->call->list_count ? r->call->list[n - 1] : (struct text){"", 0};
        } else {
            value = sublist_element(r->a, value, n);
        }
    }
    add_segment(r, at, true);
    put(r, value);
    if (end < t.length && t.at[end] == '.') {
        end++; /* the period only marks the end of the name */
    }
    add_segment(r, end, false);
    return end;
}

void macro_line(struct assembler *a, struct line *to, const struct line *model, const struct call *call) {
    const struct fields f = source_fields(model->text);
    const struct text t = model->text;
    const size_t fields_end = f.comment ? 0 : (size_t)(f.operands.at - t.at) + f.operands.length;
    *to = *model;
    to->call = call;
    if (fields_end == 0 || !memchr(t.at, '&', fields_end)) {
        a->source_bytes += 16; /* the line itself is shared, but endless macros must end */
        return;
    }
    char buffer[MOST_STATEMENT_LENGTH];
    struct replacement r = {.a = a, .model = model, .call = call, .to = to, .text = buffer, .segment_room = 8};
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
            i = replace_variable(&r, i);
        }
    }
    put(&r, (struct text){t.at + fields_end, t.length - fields_end}); /* remarks */
    to->text = text_copy(a, (struct text){buffer, r.length});
    to->segments = r.segments;
    to->segment_count = r.segment_count;
    to->problem = r.problem;
    to->problem_at = r.problem_at;
    a->source_bytes += r.length;
}
