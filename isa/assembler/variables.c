/* Variable symbols: SET symbols, parameters of macros, and those that the system sets.
 *
 * A name is looked for among the parameters, the SET symbols of the scope, then the system's. SET symbols are never
 * freed before the end, as everything else here; what all of them may take together is limited. */
#include <stdio.h>
#include <string.h>

#include "isa/assembler/assembler_internal.h"

struct evaluator evaluator_of(struct assembler *a, const struct call *call, struct text t) {
    return (struct evaluator){.a = a, .call = call, .text = t};
}

char evaluator_peek(const struct evaluator *e) { return e->at < e->text.length ? e->text.at[e->at] : 0; }

bool evaluator_take(struct evaluator *e, char expected) {
    const bool there = e->at < e->text.length && e->text.at[e->at] == expected;
    e->at += there;
    return there;
}

bool evaluator_error(struct evaluator *e, size_t at, const char *format, ...) {
    char text[400];
    va_list list;
    if (e->problem) {
        return false;
    }
    va_start(list, format);
    const int length = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    const size_t most = sizeof text - 1;
    char *kept = assembler_allocate(e->a, sizeof text); /* a line may carry it further than temporary memory lives */
    memcpy(kept, text, (size_t)length < most ? (size_t)length : most);
    e->problem = kept;
    e->problem_at = at;
    return false;
}

struct scope *scope_of(struct assembler *a, const struct call *call) {
    return call ? call->scope : &a->open;
}

struct text number_text(struct assembler *a, int64_t number) {
    char buffer[24];
    const int length = snprintf(buffer, sizeof buffer, "%lld", (long long)(number < 0 ? -number : number));
    char *to = temporary_allocate(a, (size_t)length);
    memcpy(to, buffer, (size_t)length);
    return (struct text){to, (size_t)length};
}

/* ---- references ---- */

/* &(…): its characters, with variable symbols replaced, are the name. */
static bool take_created_name(struct evaluator *e, char name[MOST_SYMBOL_LENGTH], size_t *length) {
    const size_t start = e->at++;
    while (!evaluator_take(e, ')')) {
        struct text part = {e->text.at + e->at, 1};
        if (e->at >= e->text.length) {
            return evaluator_error(e, start, "a closing parenthesis is missing");
        }
        if (evaluator_peek(e) == '&') {
            struct variable_reference r;
            if (!reference_parse(e, &r, false) || !reference_text(e, &r, &part)) {
                return false;
            }
            evaluator_take(e, '.');
        } else {
            e->at++;
        }
        if (*length + part.length > MOST_SYMBOL_LENGTH) {
            return evaluator_error(e, start, "this name is longer than %d characters", MOST_SYMBOL_LENGTH);
        }
        if (part.length) {
            memcpy(name + *length, part.at, part.length);
        }
        *length += part.length;
    }
    if (*length == 0 || text_symbol((struct text){name, *length}) != *length) {
        return evaluator_error(e, start,
                               "%.*s is no name for a variable symbol: letters, digits, @ # $ _, no digit first",
                               (int)*length, name);
    }
    return true;
}

static bool take_subscripts(struct evaluator *e, struct variable_reference *r) {
    const size_t start = e->at++;
    bool good = true;
    if (++e->depth > MOST_EXPRESSION_DEPTH) {
        return evaluator_error(e, start, "nested more than %d deep", MOST_EXPRESSION_DEPTH);
    }
    e->parentheses++;
    do {
        if (r->subscript_count == MOST_SUBSCRIPTS) {
            return evaluator_error(e, e->at, "more than %d subscripts", MOST_SUBSCRIPTS);
        }
        good = evaluate_arithmetic(e, &r->subscripts[r->subscript_count++]);
    } while (good && evaluator_take(e, ','));
    e->parentheses--;
    e->depth--;
    return good && (evaluator_take(e, ')') ||
                    evaluator_error(e, e->at, "a comma or a closing parenthesis of the subscript should be here"));
}

bool reference_parse(struct evaluator *e, struct variable_reference *r, bool declaration) {
    char created[MOST_SYMBOL_LENGTH];
    *r = (struct variable_reference){.at = e->at};
    if (!evaluator_take(e, '&') && !declaration) {
        return evaluator_error(e, e->at, "a variable symbol (&NAME) should be here");
    }
    struct text name = {e->text.at + e->at, text_symbol((struct text){e->text.at + e->at, e->text.length - e->at})};
    if (evaluator_peek(e) == '(') {
        name = (struct text){created, 0};
        if (++e->depth > MOST_EXPRESSION_DEPTH) {
            return evaluator_error(e, e->at, "nested more than %d deep", MOST_EXPRESSION_DEPTH);
        }
        if (!take_created_name(e, created, &name.length)) {
            return false;
        }
        e->depth--;
    } else if (name.length == 0) {
        return evaluator_error(e, r->at,
                               declaration ? "a variable symbol (&NAME) should be here"
                                           : "a single & here: write && for the character");
    } else {
        e->at += name.length;
    }
    if (name.length > MOST_SYMBOL_LENGTH) {
        return evaluator_error(e, r->at, "this name is longer than %d characters", MOST_SYMBOL_LENGTH);
    }
    char *upper = temporary_allocate(e->a, name.length);
    for (size_t i = 0; i < name.length; i++) {
        upper[i] = character_upper(name.at[i]);
    }
    r->name = (struct text){upper, name.length};
    return evaluator_peek(e) != '(' || take_subscripts(e, r);
}

/* ---- system variable symbols ---- */

static struct text system_index(struct assembler *a, const struct call *call) {
    char buffer[16];
    const int length = snprintf(buffer, sizeof buffer, "%04u", call->number);
    char *to = temporary_allocate(a, (size_t)length);
    memcpy(to, buffer, (size_t)length);
    return (struct text){to, (size_t)length};
}

static struct text system_section(struct assembler *a, const struct call *call) {
    (void)a;
    return call->section;
}

static struct text system_macro(struct assembler *a, const struct call *call) {
    (void)a;
    return call->macro->name;
}

static struct text system_nest(struct assembler *a, const struct call *call) {
    (void)call;
    return number_text(a, source_macro_depth(a));
}

/* Dates are fixed: the same source gives the same bytes at any time. */
static const struct system_variable {
    const char *name;
    struct text (*value)(struct assembler *a, const struct call *call); /* in macros only */
    const char *fixed;
} system_variables[] = {
    {"SYSNDX", system_index, NULL}, {"SYSECT", system_section, NULL},
    {"SYSMAC", system_macro, NULL}, {"SYSNEST", system_nest, NULL},
    {"SYSDATE", NULL, "01/01/70"},  {"SYSDATC", NULL, "19700101"},
    {"SYSTIME", NULL, "00.00"},     {"SYSPARM", NULL, ""},
    {"SYSASM", NULL, "CLOUD370"},   {"SYSTEM_ID", NULL, "CLOUD370"},
};

static const struct system_variable *find_system(struct text name) {
    for (unsigned i = 0; i < sizeof system_variables / sizeof *system_variables; i++) {
        if (text_is(name, system_variables[i].name)) {
            return &system_variables[i];
        }
    }
    return NULL;
}

static bool is_system(struct text name) { return find_system(name) || text_is(name, "SYSLIST"); }

/* ---- values ---- */

/* The elements of elements that the subscripts from `first` on name. */
static bool take_elements(struct evaluator *e, const struct variable_reference *r, unsigned first, struct text *t) {
    for (unsigned i = first; i < r->subscript_count; i++) {
        if (r->subscripts[i] < 1) {
            return evaluator_error(e, r->at, "a subscript of &%.*s must be 1 or more, not %d", TEXT_ARGS(r->name),
                                   (int)r->subscripts[i]);
        }
        e->a->effort += t->length;
        *t = sublist_element(*t, (size_t)r->subscripts[i]);
    }
    return true;
}

static bool in_macro_only(struct evaluator *e, const struct variable_reference *r) {
    return e->call || evaluator_error(e, r->at, "&%.*s has a value in macros only", TEXT_ARGS(r->name));
}

static bool system_list(struct evaluator *e, const struct variable_reference *r, struct text *t) {
    if (!in_macro_only(e, r)) {
        return false;
    }
    if (r->subscript_count == 0) {
        return evaluator_error(e, r->at, "&SYSLIST needs a subscript: &SYSLIST(1) is the first operand");
    }
    const int32_t n = r->subscripts[0];
    if (n < 0) {
        return evaluator_error(e, r->at, "a subscript of &SYSLIST must be 0 or more, not %d", (int)n);
    }
    *t = n == 0 ? e->call->label : (size_t)n <= e->call->list_count ? e->call->list[n - 1] : (struct text){"", 0};
    return take_elements(e, r, 1, t);
}

static bool system_value(struct evaluator *e, const struct variable_reference *r, struct text *t) {
    if (text_is(r->name, "SYSLIST")) {
        return system_list(e, r, t);
    }
    const struct system_variable *v = find_system(r->name);
    if (!v) {
        return evaluator_error(e, r->at, "there is no variable symbol &%.*s here", TEXT_ARGS(r->name));
    }
    if (r->subscript_count) {
        return evaluator_error(e, r->at, "&%.*s has no subscripts", TEXT_ARGS(r->name));
    }
    if (v->value && !in_macro_only(e, r)) {
        return false;
    }
    *t = v->value ? v->value(e->a, e->call) : (struct text){v->fixed, strlen(v->fixed)};
    return true;
}

/* The element that the reference means, from 0. */
static bool element_of(struct evaluator *e, const struct variable_reference *r, const struct variable *v,
                       size_t *index) {
    *index = 0;
    if (v->dimensioned != (r->subscript_count > 0)) {
        return evaluator_error(e, r->at,
                               v->dimensioned
                                   ? "&%.*s has a dimension: it needs a subscript"
                                   : "&%.*s has no dimension (write &%.*s.( where a parenthesis only follows)",
                               TEXT_ARGS(r->name), TEXT_ARGS(r->name));
    }
    if (r->subscript_count > 1) {
        return evaluator_error(e, r->at, "a SET symbol has one subscript");
    }
    if (v->dimensioned && (r->subscripts[0] < 1 || r->subscripts[0] > MOST_SUBSCRIPT)) {
        return evaluator_error(e, r->at, "a subscript of &%.*s must be from 1 to %d, not %d", TEXT_ARGS(r->name),
                               MOST_SUBSCRIPT, (int)r->subscripts[0]);
    }
    *index = v->dimensioned ? (size_t)r->subscripts[0] - 1 : 0;
    return true;
}

static struct variable *find_variable(struct evaluator *e, struct text name) {
    return table_find(&scope_of(e->a, e->call)->variables, name);
}

bool reference_value(struct evaluator *e, const struct variable_reference *r, struct item *v) {
    size_t i;
    *v = (struct item){.is_text = true, .text = {"", 0}};
    const struct text *argument = e->call ? macro_argument(e->call, r->name) : NULL;
    if (argument) {
        v->text = *argument;
        return take_elements(e, r, 0, &v->text);
    }
    const struct variable *x = find_variable(e, r->name);
    if (!x) {
        return system_value(e, r, &v->text);
    }
    if (!element_of(e, r, x, &i)) {
        return false;
    }
    v->is_text = x->kind == VARIABLE_CHARACTER;
    if (i < x->count && v->is_text && x->strings[i].at) {
        v->text = (struct text){x->strings[i].at, x->strings[i].length};
    } else if (i < x->count && !v->is_text) {
        v->number = x->numbers[i];
    }
    v->truth = v->number != 0;
    return true;
}

bool reference_text(struct evaluator *e, const struct variable_reference *r, struct text *t) {
    struct item v;
    if (!reference_value(e, r, &v)) {
        return false;
    }
    *t = v.is_text ? v.text : number_text(e->a, v.number);
    e->a->effort += t->length;
    return true;
}

bool reference_count(struct evaluator *e, const struct variable_reference *r, size_t *count) {
    struct item v;
    const bool argument = e->call && macro_argument(e->call, r->name);
    const struct variable *x = argument ? NULL : find_variable(e, r->name);
    if (x && x->dimensioned && r->subscript_count == 0) {
        *count = x->count;
        return true;
    }
    if (!argument && !x && text_is(r->name, "SYSLIST") && r->subscript_count == 0 && e->call) {
        *count = e->call->list_count;
        return true;
    }
    if (!reference_value(e, r, &v)) {
        return false;
    }
    e->a->effort += v.text.length;
    *count = v.is_text ? sublist_count(v.text) : 1;
    return true;
}

/* ---- setting ---- */

/* May the name be that of a SET symbol here? */
static bool check_name(struct evaluator *e, const struct variable_reference *r) {
    if (e->call && macro_argument(e->call, r->name)) {
        return evaluator_error(e, r->at, "&%.*s is a parameter of the macro", TEXT_ARGS(r->name));
    }
    return !is_system(r->name) || evaluator_error(e, r->at, "&%.*s is a system variable symbol", TEXT_ARGS(r->name));
}

/* Room for another `bytes` bytes of SET symbols? */
static bool charge(struct evaluator *e, size_t bytes) {
    e->a->variable_bytes += bytes;
    return e->a->variable_bytes <= MOST_VARIABLE_BYTES;
}

static const char *const kind_names[] = {"SETA", "SETB", "SETC"};

static struct variable *variable_new(struct evaluator *e, const struct variable_reference *r, enum variable_kind kind,
                                     bool global, bool dimensioned) {
    struct table *t = global ? &e->a->globals : &scope_of(e->a, e->call)->variables;
    struct variable *v = assembler_allocate(e->a, sizeof *v);
    *v = (struct variable){.kind = kind, .global = global, .dimensioned = dimensioned};
    charge(e, sizeof *v + 4 * sizeof(struct table_entry));
    table_set(e->a, t, text_copy(e->a, r->name), v);
    return v;
}

struct variable *variable_declare(struct evaluator *e, const struct variable_reference *r, enum variable_kind kind,
                                  bool global, bool dimensioned) {
    if (!check_name(e, r)) {
        return NULL;
    }
    struct variable *here = find_variable(e, r->name), *v = here;
    if (!v && global) {
        v = table_find(&e->a->globals, r->name);
    }
    if (v && (v->kind != kind || v->global != global || v->dimensioned != dimensioned)) {
        evaluator_error(e, r->at, "&%.*s is already declared: a %s %s symbol %s dimension", TEXT_ARGS(r->name),
                        v->global ? "global" : "local", kind_names[v->kind], v->dimensioned ? "with" : "without");
        return NULL;
    }
    if (!v) {
        v = variable_new(e, r, kind, global, dimensioned);
    }
    if (!here && global) {
        table_set(e->a, &scope_of(e->a, e->call)->variables, text_copy(e->a, r->name), v);
    }
    return v;
}

struct variable *variable_to_set(struct evaluator *e, const struct variable_reference *r, enum variable_kind kind) {
    size_t index;
    if (!check_name(e, r)) {
        return NULL;
    }
    struct variable *v = find_variable(e, r->name);
    if (v && v->kind != kind) {
        evaluator_error(e, r->at, "&%.*s is a %s symbol", TEXT_ARGS(r->name), kind_names[v->kind]);
        return NULL;
    }
    if (!v) {
        v = variable_new(e, r, kind, false, r->subscript_count > 0);
    }
    return element_of(e, r, v, &index) ? v : NULL;
}

static bool out_of_room(struct evaluator *e) {
    e->a->ended = true;
    return evaluator_error(e, 0, "too much conditional assembly: macro calls and SET symbols of more than %d MB",
                           MOST_VARIABLE_BYTES >> 20);
}

static bool make_room(struct evaluator *e, struct variable *v, size_t index) {
    const size_t room = index < 2 * v->room ? 2 * v->room : index + 1;
    const size_t unit = v->kind == VARIABLE_CHARACTER ? sizeof *v->strings : sizeof *v->numbers;
    if (!charge(e, room * unit)) {
        return out_of_room(e);
    }
    void *bigger = assembler_allocate(e->a, room * unit);
    const void *old = v->kind == VARIABLE_CHARACTER ? (const void *)v->strings : v->numbers;
    if (v->room) {
        memcpy(bigger, old, v->room * unit);
    }
    if (v->kind == VARIABLE_CHARACTER) {
        v->strings = bigger;
    } else {
        v->numbers = bigger;
    }
    v->room = room;
    return true;
}

static bool set_characters(struct evaluator *e, struct characters *to, struct text t) {
    if (t.length > to->room) {
        const size_t room = t.length < 8 ? 8 : t.length < 2 * to->room ? 2 * to->room : t.length;
        if (!charge(e, room)) {
            return out_of_room(e);
        }
        char *bigger = assembler_allocate(e->a, room);
        to->at = bigger;
        to->room = room;
    }
    if (t.length) {
        memmove(to->at, t.at, t.length); /* it may be a part of the old value */
    }
    to->length = t.length;
    return true;
}

bool variable_set(struct evaluator *e, struct variable *v, size_t subscript, const struct item *value) {
    const size_t index = v->dimensioned ? subscript - 1 : 0;
    if (index >= MOST_SUBSCRIPT) {
        return evaluator_error(e, 0, "a subscript must be from 1 to %d", MOST_SUBSCRIPT);
    }
    if (index >= v->room && !make_room(e, v, index)) {
        return false;
    }
    v->count = index + 1 > v->count ? index + 1 : v->count;
    if (v->kind == VARIABLE_CHARACTER) {
        return set_characters(e, &v->strings[index], value->text);
    }
    v->numbers[index] = (int32_t)value->number;
    return true;
}
