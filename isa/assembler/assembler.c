/* The assembler's front door: the two passes, what a statement is, diagnostics, and the results handed out.
 *
 * Nothing that a source does ends an assembly early; only the host's lack of memory does (see assembler_allocate). */
#include "isa/assembler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/assembler/assembler_internal.h"

/* ---- statements ---- */

struct statement *statement_new(struct assembler *a, const struct line *line) {
    struct statement *s = assembler_allocate(a, sizeof *s);
    s->line = *line;
    s->number = ++a->statement_count;
    *a->statement_end = s;
    a->statement_end = &s->next;
    a->generated_count += line->generated;
    if (!a->ended && (a->statement_count > MOST_STATEMENTS || a->generated_count > MOST_GENERATED ||
                      a->source_bytes > MOST_SOURCES)) {
        a->ended = true;
        assembler_error(a, s, line->text.at,
                        "too much source: more than %d statements, %d of them from macros, or %d MB", MOST_STATEMENTS,
                        MOST_GENERATED, MOST_SOURCES >> 20);
    }
    return s;
}

const struct segment *line_segment(const struct line *line, size_t offset) {
    size_t from = 0, to = line->segment_count; /* the last one that begins at or before the offset is in from .. to-1 */
    while (to - from > 1) {
        const size_t middle = (from + to) / 2;
        *(line->segments[middle].offset > offset ? &to : &from) = middle;
    }
    return &line->segments[from];
}

struct diagnostic_place statement_place(const struct line *line, size_t offset) {
    const struct segment *g = line_segment(line, offset);
    return (struct diagnostic_place){line->file->name, g->line,
                                     g->column + (g->fixed ? 0 : (unsigned)(offset - g->offset))};
}

/* ---- diagnostics ---- */

enum { MESSAGE_TEXT = 400 };

/* Text for people: UTF-8 without control characters. It may be that already, where it holds the name of a file. */
static struct text message_text(struct assembler *a, const char *text) {
    const size_t length = strlen(text);
    size_t n = 0, plain = 0;
    while (plain < length && text[plain] >= ' ' && text[plain] <= '~') {
        plain++;
    }
    if (plain == length) {
        return text_copy(a, (struct text){text, length});
    }
    const bool utf8 = text_is_utf8(text, length);
    char *to = assembler_allocate(a, 2 * length + 1);
    for (size_t i = 0; i < length; i++) {
        const uint8_t c = (uint8_t)text[i];
        if (c >= 0x80 && !utf8) {
            to[n++] = (char)(0xC0 | c >> 6);
            to[n++] = (char)(0x80 | (c & 0x3F));
        } else {
            to[n++] = (char)(c < ' ' || c == 0x7F ? '?' : c);
        }
    }
    return (struct text){to, n};
}

static struct message *message_new(struct assembler *a, const struct line *line, size_t offset, const char *text) {
    struct message *m = assembler_allocate(a, sizeof *m);
    const struct diagnostic_place p = statement_place(line, offset);
    *m = (struct message){.file = p.file, .line = p.line, .column = p.column, .text = message_text(a, text)};
    return m;
}

static void note_add(struct assembler *a, const struct line *line, size_t offset, const char *text) {
    struct message *m = message_new(a, line, offset, text);
    m->severity = DIAGNOSTIC_NOTE;
    *(a->last_message->last_note ? &a->last_message->last_note->next : &a->last_message->notes) = m;
    a->last_message->last_note = m;
}

/* Where the macros were called that the statement of the last message comes from, the innermost first. */
static void note_calls(struct assembler *a, const struct call *call) {
    enum { MOST_NOTES = 4 };
    for (unsigned i = 0; call && i < MOST_NOTES; i++, call = call->statement->line.call) {
        char note[128];
        const struct text *operation = &call->statement->operation;
        const size_t offset = (size_t)(operation->at - call->statement->line.text.at);
        snprintf(note, sizeof note, "%sin the macro %.*s called here", i + 1 == MOST_NOTES ? "and so on: " : "",
                 TEXT_ARGS(call->macro->name));
        note_add(a, &call->statement->line, offset, note);
    }
}

/* Was the same reported at the same place of this macro call (or of open code) before? So it is in loops. */
static bool is_repeated(struct assembler *a, const struct statement *s, size_t offset, const char *text) {
    const struct diagnostic_place p = statement_place(&s->line, offset);
    char buffer[MESSAGE_TEXT + 128];
    const int length = snprintf(buffer, sizeof buffer, "%p %u %u %u %s", (const void *)s->line.file,
                                s->line.call ? s->line.call->number : 0, p.line, p.column, text);
    const struct text key = {buffer, (size_t)length < sizeof buffer ? (size_t)length : sizeof buffer - 1};
    if (table_find(&a->reported, key)) {
        return true;
    }
    table_set(a, &a->reported, text_copy(a, key), a);
    return false;
}

void assembler_report(struct assembler *a, struct statement *s, const char *at, enum diagnostic_severity severity,
                      const char *text) {
    const uintptr_t start = (uintptr_t)s->line.text.at, end = start + s->line.text.length;
    const char *place = at ? at : s->operation.length ? s->operation.at : s->line.text.at;
    const size_t offset = (uintptr_t)place >= start && (uintptr_t)place <= end ? (uintptr_t)place - start : 0;
    s->bad = s->bad || severity == DIAGNOSTIC_ERROR;
    a->last_message = NULL;
    if (a->message_count <= MOST_DIAGNOSTICS && is_repeated(a, s, offset, text)) {
        return;
    }
    a->error_count += severity == DIAGNOSTIC_ERROR;
    if (severity != DIAGNOSTIC_ERROR && ++a->minor_count > MOST_DIAGNOSTICS / 2) {
        return; /* errors must find room */
    }
    if (a->message_count == MOST_DIAGNOSTICS) {
        text = "too many diagnostics: further ones are not shown";
        severity = DIAGNOSTIC_NOTE;
    } else if (a->message_count > MOST_DIAGNOSTICS) {
        return;
    }
    struct message *m = message_new(a, &s->line, offset, text);
    m->severity = severity;
    m->statement = s->number;
    m->order = a->message_count++;
    *a->message_end = m;
    a->message_end = &m->next;
    a->last_message = m;
    note_calls(a, s->line.call);
}

void assembler_error(struct assembler *a, struct statement *s, const char *at, const char *format, ...) {
    char text[MESSAGE_TEXT];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    assembler_report(a, s, at, DIAGNOSTIC_ERROR, text);
}

void assembler_warning(struct assembler *a, struct statement *s, const char *at, const char *format, ...) {
    char text[MESSAGE_TEXT];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    assembler_report(a, s, at, DIAGNOSTIC_WARNING, text);
}

void assembler_note(struct assembler *a, const struct line *line, size_t offset, const char *format, ...) {
    char text[MESSAGE_TEXT];
    va_list list;
    if (!a->last_message) {
        return;
    }
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    note_add(a, line, offset, text);
}

bool cursor_error(struct cursor *c, size_t at, const char *format, ...) {
    char text[MESSAGE_TEXT];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    assembler_report(c->a, c->s, c->text.at + at, DIAGNOSTIC_ERROR, text);
    return false;
}

/* ---- first pass ---- */

/* What can be wrong with a statement whatever its operation. */
static void check_line(struct assembler *a, struct statement *s, bool open) {
    if (s->line.too_long) {
        assembler_error(a, s, s->line.text.at, "this statement is longer than %d characters", MOST_STATEMENT_LENGTH);
    } else if (s->line.problem) {
        assembler_error(a, s, s->line.text.at + s->line.problem_at, "%s", s->line.problem);
    } else if (open) {
        assembler_error(a, s, s->operands.at, "a quote in the operands is not closed");
    }
    if (s->line.unanswered_mark) {
        assembler_warning(a, s, s->line.text.at + s->line.text.length,
                          "column 72 is not blank, but the next line does not continue this one: its columns 1 to 15 "
                          "must be blank");
    }
}

static const struct operation *find_operation(struct assembler *a, struct text name) {
    char upper[MOST_SYMBOL_LENGTH];
    if (name.length == 0 || name.length > sizeof upper) {
        return NULL;
    }
    for (size_t i = 0; i < name.length; i++) {
        upper[i] = character_upper(name.at[i]);
    }
    return table_find(&a->operations, (struct text){upper, name.length});
}

/* A label whose statement makes no sense: defined all the same, so that it is not reported as undefined too. */
static void define_anyway(struct assembler *a, struct statement *s) {
    if (s->name.length && text_symbol(s->name) == s->name.length && !symbol_find(a, s->name)) {
        struct section *x = section_current(a);
        struct definition *d = symbol_define(a, s, x, x->location, 1);
        if (d) {
            d->state = SYMBOL_BAD;
        }
    }
}

static bool takes_operands(const struct operation *o) {
    return o->kind == OPERATION_INSTRUCTION
               ? *instruction_operands((enum instruction_format)o->instruction->format) != 0
               : o->kind != OPERATION_DIRECTIVE || !o->directive->remarks;
}

static void first_pass(struct assembler *a, struct statement *s) {
    const struct fields f = source_fields(s->line.text);
    if (f.comment || (f.name.length == 0 && f.operation.length == 0)) {
        return;
    }
    s->name = f.name;
    s->operation = f.operation;
    s->operands = f.operands;
    s->does = find_operation(a, f.operation);
    check_line(a, s, f.open && s->does && takes_operands(s->does));
    if (!s->does) {
        operation_unknown(a, s);
        define_anyway(a, s);
    } else if (s->does->kind == OPERATION_INSTRUCTION) {
        instruction_first(a, s);
    } else if (s->bad) {
        define_anyway(a, s);
    } else if (s->does->kind == OPERATION_MACRO) {
        macro_call(a, s, s->does->macro);
    } else if (s->does->kind == OPERATION_CONDITIONAL) {
        assembler_error(a, s, NULL, "%s cannot be made by replacing a variable symbol", s->does->conditional->name);
    } else if (s->does->directive->first) {
        s->does->directive->first(a, s);
    }
}

/* Literals that no LTORG has placed go to the end of the first control section. */
static void place_last_literals(struct assembler *a) {
    struct statement *s = a->end;
    if (!a->pool) {
        return;
    }
    if (!s) {
        const struct line empty = {
            .file = a->main_file, .text = TEXT_LITERAL(""), .segments = &a->nowhere, .segment_count = 1};
        s = statement_new(a, &empty);
        s->does = table_find(&a->operations, TEXT_LITERAL("END"));
    }
    struct section *first = a->sections;
    while (first && first->dummy) {
        first = first->next;
    }
    a->section = first;
    section_current(a);
    a->section->location = a->section->high;
    literals_place(a, s);
}

/* EQU whose operand was defined later. Last first, since chains mostly run that way; what is still open then is an
 * error. */
static void settle_equates(struct assembler *a) {
    size_t count = 0;
    for (const struct definition *d = a->definitions; d; d = d->next) {
        count += d->state == SYMBOL_PENDING;
    }
    struct definition **pending = assembler_allocate(a, (count + 1) * sizeof *pending);
    count = 0;
    for (struct definition *d = a->definitions; d; d = d->next) {
        if (d->state == SYMBOL_PENDING) {
            pending[count++] = d;
        }
    }
    for (size_t i = count; i-- > 0;) {
        if (pending[i]->state == SYMBOL_PENDING) {
            equate_evaluate(a, pending[i], true);
        }
    }
    a->second_pass = true; /* from here on an undefined symbol is an error */
    for (size_t i = 0; i < count; i++) {
        if (pending[i]->state == SYMBOL_PENDING) {
            equate_evaluate(a, pending[i], false);
        }
    }
}

/* ---- second pass ---- */

uint8_t *assembler_room(struct assembler *a, const struct section *section, int64_t offset, size_t length) {
    const int64_t at = (int64_t)section->base + offset - a->origin;
    if (section->dummy || !a->image || at < 0 || at + (int64_t)length > a->image_length) {
        return NULL;
    }
    return a->image + at;
}

static void second_pass(struct assembler *a) {
    if (!a->too_much && a->image_length) {
        a->image = calloc(1, a->image_length);
        if (!a->image) {
            longjmp(a->no_memory, 1);
        }
    }
    a->print = (struct print_options){true, true, false};
    listing_begin(a);
    for (struct statement *s = a->statements; s; s = s->next) {
        a->has_address[0] = a->has_address[1] = false;
        const bool directive = s->does && s->does->kind == OPERATION_DIRECTIVE;
        const bool pool_only = s->pool && s->bad; /* the pool's constants have statements of their own */
        if (s->does && s->does->kind == OPERATION_INSTRUCTION && !s->bad) {
            instruction_second(a, s);
        } else if (directive && s->does->directive->second && (!s->bad || pool_only)) {
            s->does->directive->second(a, s);
        }
        listing_statement(a, s);
        for (const struct literal *l = s->pool; l; l = l->next) {
            listing_literal(a, l);
        }
    }
    listing_end(a);
}

/* Too much conditional assembly? Effort counts characters, since statements may be long; macro calls with all their
 * arguments stay to the end, as SET symbols do. */
static void check_effort(struct assembler *a, struct statement *s) {
    if (a->ended || (a->effort <= MOST_EFFORT && a->variable_bytes <= MOST_VARIABLE_BYTES)) {
        return;
    }
    a->ended = true;
    if (a->effort > MOST_EFFORT) {
        assembler_error(a, s, NULL, "too much conditional assembly: an endless loop?");
    } else {
        assembler_error(a, s, NULL, "too much conditional assembly: macro calls and SET symbols of more than %d MB",
                        MOST_VARIABLE_BYTES >> 20);
    }
}

/* A statement of conditional assembly; those in macros leave nothing behind. */
static void carry_out(struct assembler *a, const struct line *line, const struct fields *f, const struct operation *o) {
    struct statement passing = {.line = *line, .number = a->statement_count};
    struct statement *s = line->call ? &passing : statement_new(a, line);
    s->name = f->name;
    s->operation = f->operation;
    s->operands = f->operands;
    s->does = o;
    check_line(a, s, false);
    a->effort += 16 + line->text.length;
    if (!s->bad) {
        o->conditional->carry_out(a, s, o->conditional);
    }
    check_effort(a, s);
}

/* Is it one for open code's listing alone, followed by what came of it? */
static bool replaces_in_open_code(const struct line *model, const struct line *line) {
    return !model->generated && line->generated;
}

static void read_statement(struct assembler *a, const struct line *model) {
    const struct fields f = source_fields(model->text);
    const struct operation *o = f.comment ? NULL : find_operation(a, f.operation);
    struct line line;
    if (!f.comment && !model->call && f.name.length > 1 && f.name.at[0] == '.' && !source_sequence(a, f.name)) {
        struct statement here = {.line = *model, .number = a->statement_count + 1};
        assembler_error(a, &here, f.name.at, "sequence symbol %.*s is already on another line", TEXT_ARGS(f.name));
    }
    if (o && o->kind == OPERATION_CONDITIONAL) {
        carry_out(a, model, &f, o);
        return;
    }
    macro_line(a, &line, model, !o || takes_operands(o));
    if (replaces_in_open_code(model, &line)) {
        statement_new(a, model);
    }
    struct statement *s = statement_new(a, &line);
    first_pass(a, s);
    check_effort(a, s);
}

static void run(struct assembler *a) {
    struct line line;
    operations_fill(a);
    while (!a->ended && source_next(a, &line)) {
        temporary_reset(a);
        read_statement(a, &line);
    }
    a->input = NULL;
    place_last_literals(a);
    settle_equates(a);
    sections_place(a);
    second_pass(a);
}

/* ---- results ---- */

static int by_place(const void *x, const void *y) {
    const struct message *a = *(const struct message *const *)x, *b = *(const struct message *const *)y;
    return a->statement != b->statement ? (a->statement < b->statement ? -1 : 1)
           : a->line != b->line         ? (a->line < b->line ? -1 : 1)
           : a->column != b->column     ? (a->column < b->column ? -1 : 1)
                                        : (a->order < b->order ? -1 : a->order > b->order);
}

static char *string_of(struct text t) {
    char *s = malloc(t.length + 1);
    if (s) {
        if (t.length) {
            memcpy(s, t.at, t.length);
        }
        s[t.length] = 0;
    }
    return s;
}

static bool give_diagnostic(struct assembly *out, const struct message *m) {
    struct diagnostic *d = &out->diagnostics[out->diagnostic_count++];
    *d = (struct diagnostic){.severity = m->severity, .line = m->line, .column = m->column};
    d->file = string_of((struct text){m->file, strlen(m->file)});
    d->text = string_of(m->text);
    return d->file && d->text;
}

static bool give_diagnostics(struct assembler *a, struct assembly *out) {
    size_t count = 0, all = 0;
    const struct message **sorted = assembler_allocate(a, (a->message_count + 1) * sizeof *sorted);
    for (const struct message *m = a->messages; m; m = m->next) {
        sorted[count++] = m;
        all++;
        for (const struct message *note = m->notes; note; note = note->next) {
            all++;
        }
    }
    out->error_count = a->error_count;
    if (count == 0) {
        return true;
    }
    qsort(sorted, count, sizeof *sorted, by_place);
    out->diagnostics = calloc(all, sizeof *out->diagnostics);
    if (!out->diagnostics) {
        return false;
    }
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        good = give_diagnostic(out, sorted[i]) && good;
        for (const struct message *note = sorted[i]->notes; note; note = note->next) {
            good = give_diagnostic(out, note) && good;
        }
    }
    return good;
}

static bool give_symbols(const struct assembler *a, struct assembly *out) {
    size_t count = 0;
    for (const struct definition *d = a->definitions; d; d = d->next) {
        count += d->state == SYMBOL_DEFINED;
    }
    if (count == 0) {
        return true;
    }
    out->symbols = calloc(count, sizeof *out->symbols);
    if (!out->symbols) {
        return false;
    }
    for (const struct definition *d = a->definitions; d; d = d->next) {
        if (d->state != SYMBOL_DEFINED) {
            continue;
        }
        struct symbol *s = &out->symbols[out->symbol_count++];
        s->name = string_of(d->name);
        s->value = (uint32_t)(d->value + (d->section ? d->section->base : 0));
        s->length = d->length;
        s->relocatable = d->section && !d->section->dummy;
        if (!s->name) {
            return false;
        }
    }
    return true;
}

static bool give_results(struct assembler *a, struct assembly *out) {
    const bool good = give_diagnostics(a, out) && give_symbols(a, out);
    out->listing = a->listing;
    out->lines = (struct assembly_line *)(void *)a->lines.data;
    out->line_count = a->lines.length / sizeof *out->lines;
    a->listing = (struct bytes){0};
    const bool listed = !a->lines.failed;
    a->lines = (struct bytes){0};
    if (good && out->listing.data) {
        assembly_print_diagnostics(out, &out->listing);
    }
    if (a->error_count == 0) {
        out->image = (struct bytes){.data = a->image, .length = a->image_length, .capacity = a->image_length};
        out->origin = a->origin;
        out->has_entry = a->has_entry;
        out->entry = a->entry;
        a->image = NULL;
    }
    return good && listed && !out->listing.failed;
}

static void assembler_free(struct assembler *a) {
    assembler_release(a);
    bytes_fini(&a->scratch);
    bytes_fini(&a->listing);
    bytes_fini(&a->lines);
    free(a->image);
    free(a);
}

bool assemble(struct assembly *out, const char *name, const char *source, size_t length,
              const struct assembler_options *options, struct error *e) {
    *out = (struct assembly){0};
    struct assembler *const a = calloc(1, sizeof *a);
    if (!a) {
        return error_set(e, ERROR_INTERNAL, "out of memory");
    }
    a->options = options;
    a->statement_end = &a->statements;
    a->definition_end = &a->definitions;
    a->section_end = &a->sections;
    a->pool_end = &a->pool;
    a->message_end = &a->messages;
    a->open.branches = MOST_BRANCHES;
    a->nowhere = (struct segment){.line = 1, .column = 1};
    if (setjmp(a->no_memory)) {
        assembler_free(a);
        assembly_fini(out);
        return error_set(e, ERROR_INTERNAL, "%s: out of memory", name);
    }
    if (!source_open(a, name, source, length, e)) {
        assembler_free(a);
        return false;
    }
    run(a);
    if (!give_results(a, out)) {
        longjmp(a->no_memory, 1);
    }
    assembler_free(a);
    if (out->error_count) {
        return error_set(e, ERROR_INPUT, "%zu error%s in %s", out->error_count, out->error_count == 1 ? "" : "s", name);
    }
    return true;
}

bool assemble_file(struct assembly *out, const char *path, const struct assembler_options *options, struct error *e) {
    struct bytes source = {0};
    *out = (struct assembly){0};
    const bool read = options && options->read_file ? options->read_file(options->self, path, &source, e)
                                                    : bytes_read_file(&source, path, MOST_SOURCE, e);
    const bool good = read && assemble(out, path, (const char *)source.data, source.length, options, e);
    bytes_fini(&source);
    return good;
}

void assembly_fini(struct assembly *a) {
    for (size_t i = 0; i < a->symbol_count; i++) {
        free(a->symbols[i].name);
    }
    for (size_t i = 0; i < a->diagnostic_count; i++) {
        free(a->diagnostics[i].file);
        free(a->diagnostics[i].text);
    }
    free(a->symbols);
    free(a->diagnostics);
    free(a->lines);
    bytes_fini(&a->image);
    bytes_fini(&a->listing);
    *a = (struct assembly){0};
}

const struct symbol *assembly_symbol(const struct assembly *a, const char *name) {
    const size_t length = strlen(name);
    for (size_t i = 0; i < a->symbol_count; i++) {
        const char *own = a->symbols[i].name;
        size_t k = 0;
        while (k < length && own[k] && character_upper(own[k]) == character_upper(name[k])) {
            k++;
        }
        if (k == length && !own[k]) {
            return &a->symbols[i];
        }
    }
    return NULL;
}

void assembly_print_diagnostics(const struct assembly *a, struct bytes *to) {
    static const char *const severities[] = {"note", "warning", "error"};
    for (size_t i = 0; i < a->diagnostic_count; i++) {
        const struct diagnostic *d = &a->diagnostics[i];
        bytes_printf(to, "%s:%u:%u: %s: %s\n", d->file, d->line, d->column, severities[d->severity], d->text);
    }
}

void assembly_print_symbols(const struct assembly *a, struct bytes *to) {
    for (size_t i = 0; i < a->symbol_count; i++) {
        const struct symbol *s = &a->symbols[i];
        bytes_printf(to, "%-16s %06X %5u %s\n", s->name, (unsigned)s->value, (unsigned)s->length,
                     s->relocatable ? "address" : "value");
    }
}
