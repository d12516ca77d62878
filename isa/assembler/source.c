/* Source files and macro bodies as one stream of statements: decoding, columns, continuation, fields, COPY.
 *
 * The rule of columns: a line of up to 80 characters is a card (statement in columns 1-71, continuation mark in 72,
 * sequence number in 73-80); a longer one is free-form and taken whole. What tells continuation from free-form text
 * that merely runs past column 72 is the next line, whose columns 1-15 must be blank. */
#include <stdio.h>
#include <string.h>

#include "isa/assembler/assembler_internal.h"

enum { LAST_COLUMN = 71, CARD_COLUMNS = 80, CONTINUE_COLUMN = 16, TAB_COLUMNS = 8 };

/* A file or a macro's body that is being read; the innermost is assembler.input. */
struct input {
    struct input *outer;
    unsigned depth;
    const struct source_file *file; /* NULL: a macro */
    size_t at;
    unsigned line; /* of the next one, from 1 */
    size_t start;  /* of the line last read */
    unsigned start_line;
    size_t scanned; /* up to here all sequence symbols are known */
    unsigned scanned_line;
    size_t outer_at; /* where the file goes on that asked for this one */
    unsigned outer_line;
    struct macro *macro;
    struct call *call;
    size_t next; /* line of the body */
};

/* ---- decoding ---- */

/* Length of the UTF-8 character at p, and its code point; 0 where there is none. */
static size_t utf8_character(const uint8_t *p, size_t length, uint32_t *code) {
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    const size_t n = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0;
    if (n == 0 || n > length) {
        return 0;
    }
    *code = n == 1 ? p[0] : p[0] & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if (p[i] >> 6 != 2) {
            return 0;
        }
        *code = *code << 6 | (p[i] & 0x3F);
    }
    return *code >= least[n] && *code <= 0x10FFFF && *code >> 11 != 0x1B ? n : 0;
}

bool text_is_utf8(const char *p, size_t length) {
    for (size_t i = 0, n; i < length; i += n) {
        uint32_t code;
        n = utf8_character((const uint8_t *)p + i, length - i, &code);
        if (n == 0) {
            return false;
        }
    }
    return true;
}

struct decoder {
    char *to;
    size_t length, line_start;
};

/* Appends a character or, counting only, makes room for it. */
static void decoder_put(struct decoder *d, char c, bool write) {
    if (write) {
        d->to[d->length] = c;
    }
    d->length++;
}

/* One pass over the source; `write` false: only the length is found. */
static void decode_pass(struct decoder *d, const uint8_t *p, size_t length, bool utf8, bool write) {
    d->length = d->line_start = 0;
    size_t blanks = 0; /* held back: those at the end of a line are dropped */
    for (size_t i = 0, n; i < length; i += n) {
        uint32_t code = p[i];
        n = utf8 ? utf8_character(p + i, length - i, &code) : 1;
        if (code == '\r' && (i + 1 == length || p[i + 1] == '\n')) {
            continue;
        }
        if (code == '\n') {
            decoder_put(d, '\n', write);
            d->line_start = d->length;
            blanks = 0;
        } else if (code == ' ') {
            blanks++;
        } else if (code == '\t') {
            const size_t column = d->length - d->line_start + blanks;
            blanks += TAB_COLUMNS - column % TAB_COLUMNS;
        } else {
            for (; blanks; blanks--) {
                decoder_put(d, ' ', write);
            }
            decoder_put(d, code <= 0xFF ? (char)code : TEXT_FOREIGN, write);
        }
    }
}

static struct source_file *decode(struct assembler *a, const char *name, const char *source, size_t length) {
    struct source_file *f = assembler_allocate(a, sizeof *f);
    struct decoder d = {0};
    if (length >= 3 && memcmp(source, "\xEF\xBB\xBF", 3) == 0) { /* a byte order mark is no character */
        source += 3;
        length -= 3;
    }
    const bool utf8 = text_is_utf8(source, length);
    decode_pass(&d, (const uint8_t *)source, length, utf8, false);
    d.to = assembler_allocate(a, d.length + 1);
    decode_pass(&d, (const uint8_t *)source, length, utf8, true);
    f->name = text_copy(a, (struct text){name, strlen(name)}).at;
    f->text = (struct text){d.to, d.length};
    f->next = a->files;
    a->files = f;
    return f;
}

static void push(struct assembler *a, struct input in) {
    struct input *i = assembler_allocate(a, sizeof *i);
    *i = in;
    i->outer = a->input;
    i->depth = a->input ? a->input->depth + 1 : 0;
    i->outer_at = a->input ? a->input->at : 0;
    i->outer_line = a->input ? a->input->line : 0;
    a->input = i;
}

bool source_open(struct assembler *a, const char *name, const char *source, size_t length, struct error *e) {
    if (length > MOST_SOURCE) {
        return error_set(e, ERROR_INPUT, "%s is larger than %d MB: not a source program", name, MOST_SOURCE >> 20);
    }
    a->source_bytes = length;
    struct source_file *f = decode(a, name, source, length);
    a->main_file = f;
    push(a, (struct input){.file = f, .line = 1});
    return true;
}

/* ---- lines ---- */

/* The physical line at `at`; false at the end of the file. */
static bool physical_line(const struct source_file *f, size_t at, struct text *t) {
    if (at >= f->text.length) {
        return false;
    }
    const char *start = f->text.at + at, *end = memchr(start, '\n', f->text.length - at);
    *t = (struct text){start, end ? (size_t)(end - start) : f->text.length - at};
    return true;
}

static bool is_comment(struct text t) {
    return t.length == 0 || t.at[0] == '*' || (t.length > 1 && t.at[0] == '.' && t.at[1] == '*');
}

static bool can_continue(struct text t) {
    if (t.length < CONTINUE_COLUMN) {
        return false;
    }
    for (size_t i = 0; i < CONTINUE_COLUMN - 1; i++) {
        if (t.at[i] != ' ') {
            return false;
        }
    }
    return true;
}

/* Operations whose operands are expressions with blanks between their parentheses. */
static bool has_nested_blanks(struct text operation) {
    static const char *const names[] = {"AIF", "AGO", "SETA", "SETB", "SETC", "AIFB", "AGOB"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (text_is(operation, names[i])) {
            return true;
        }
    }
    return false;
}

struct fields source_fields(struct text line) {
    struct fields f = {.comment = is_comment(line)};
    if (f.comment) {
        return f;
    }
    size_t i = 0;
    while (i < line.length && line.at[i] != ' ') {
        i++;
    }
    f.name = (struct text){line.at, i};
    while (i < line.length && line.at[i] == ' ') {
        i++;
    }
    size_t start = i;
    while (i < line.length && line.at[i] != ' ') {
        i++;
    }
    f.operation = (struct text){line.at + start, i - start};
    while (i < line.length && line.at[i] == ' ') {
        i++;
    }
    start = i;
    i = text_operands_end(line, start, has_nested_blanks(f.operation), &f.open);
    f.operands = (struct text){line.at + start, i - start};
    return f;
}

static struct text first_columns(struct text t) {
    if (t.length > LAST_COLUMN) {
        t.length = LAST_COLUMN;
    }
    return t;
}

/* The part of a physical line that belongs to a statement which does not go on in the next line. */
static struct text last_part(struct text t) {
    if (t.length <= LAST_COLUMN || t.length > CARD_COLUMNS || t.at[LAST_COLUMN] != ' ') {
        return t;
    }
    /* Columns 73-80 are a sequence number, unless a quote is open before them and closed in them. */
    const struct text card = first_columns(t);
    return source_fields(card).open && !source_fields(t).open ? t : card;
}

/* Joins what continues `text`, beginning with the physical line at in->at. */
static struct text join(struct assembler *a, struct input *in, struct text text, struct line *line) {
    struct text t;
    char *to = NULL;
    size_t room = 0, segments = 1, segment_room = 4;
    struct segment *list = assembler_allocate(a, segment_room * sizeof *list);
    list[0] = line->segments[0];
    bool more = true;
    while (more && physical_line(in->file, in->at, &t) && can_continue(t)) {
        const unsigned number = in->line++;
        struct text after;
        in->at += t.length + 1;
        more = t.length > LAST_COLUMN && t.length <= CARD_COLUMNS && t.at[LAST_COLUMN] != ' ' &&
               physical_line(in->file, in->at, &after) && can_continue(after);
        if (line->too_long) {
            continue;
        }
        struct text part = more ? first_columns(t) : last_part(t);
        size_t skip = CONTINUE_COLUMN - 1;
        const struct fields f = source_fields(text);
        const size_t operands_end = f.operands.length ? (size_t)(f.operands.at - text.at) + f.operands.length : 0;
        if (f.operands.length && operands_end < text.length && text.at[operands_end - 1] == ',') {
            text.length = operands_end; /* remarks behind a comma: the next operand comes on the next line */
            while (skip < part.length && part.at[skip] == ' ') {
                skip++;
            }
        }
        const size_t piece = part.length > skip ? part.length - skip : 0;
        if (text.length + piece > MOST_STATEMENT_LENGTH) {
            line->too_long = true;
            continue;
        }
        if (text.length + piece > room) {
            room = 2 * (text.length + piece);
            char *bigger = assembler_allocate(a, room);
            memcpy(bigger, text.at, text.length);
            to = bigger;
        }
        if (segments == segment_room) {
            struct segment *bigger = assembler_allocate(a, 2 * segment_room * sizeof *bigger);
            memcpy(bigger, list, segments * sizeof *list);
            list = bigger;
            segment_room *= 2;
        }
        list[segments++] = (struct segment){text.length, number, (unsigned)skip + 1, false};
        memcpy(to + text.length, part.at + skip, piece);
        text = (struct text){to, text.length + piece};
    }
    line->segments = list;
    line->segment_count = segments;
    return text;
}

/* A mark in column 72 that nothing follows: worth a word only where it looks like a mark and not like text. */
static bool looks_continued(struct text t) {
    return t.length > LAST_COLUMN && t.length <= CARD_COLUMNS && t.at[LAST_COLUMN] != ' ' && !is_comment(t) &&
           t.at[LAST_COLUMN - 1] == ' ' && (t.length == LAST_COLUMN + 1 || t.at[LAST_COLUMN + 1] == ' ');
}

static bool file_line(struct assembler *a, struct input *in, struct line *line) {
    struct text t, next;
    if (!physical_line(in->file, in->at, &t)) {
        return false;
    }
    struct segment *s = assembler_allocate(a, sizeof *s);
    *s = (struct segment){0, in->line, 1, false};
    *line = (struct line){.file = in->file, .segments = s, .segment_count = 1, .copied = in->outer != NULL};
    in->start = in->at;
    in->start_line = in->line;
    in->at += t.length + 1;
    in->line++;
    const bool marked = t.length > LAST_COLUMN && t.length <= CARD_COLUMNS && t.at[LAST_COLUMN] != ' ';
    if (marked && physical_line(in->file, in->at, &next) && can_continue(next)) {
        struct text text = first_columns(t);
        line->text = join(a, in, text, line);
    } else {
        line->text = last_part(t);
        line->unanswered_mark = looks_continued(t);
        if (line->unanswered_mark) {
            line->text = first_columns(t);
        }
    }
    line->physical = (struct text){t.at, (size_t)(in->file->text.at + in->at - t.at) - 1};
    if (line->text.length > MOST_STATEMENT_LENGTH) {
        line->text.length = MOST_STATEMENT_LENGTH;
        line->too_long = true;
    }
    return true;
}

bool source_next(struct assembler *a, struct line *line) {
    while (a->input) {
        struct input *in = a->input;
        if (in->file) {
            if (file_line(a, in, line)) {
                return true;
            }
        } else if (in->next < in->macro->body_count) {
            *line = in->macro->body[in->next++];
            line->call = in->call;
            line->generated = true;
            return true;
        }
        a->input = in->outer;
    }
    return false;
}

/* ---- sequence symbols ---- */

/* A line of open code that AIF and AGO may go to. The input outlives its end, so a branch may go back into it. */
struct sequence_point {
    struct input *input;
    size_t at;
    unsigned line;
};

/* False: the name is that of another line. A file that is copied again takes its names along. */
static bool add_point(struct assembler *a, struct input *in, struct text name, size_t at, unsigned line) {
    const struct text key = text_upper(a, name);
    struct sequence_point *p = table_find(&a->sequence, key);
    if (p && (p->line != line || strcmp(p->input->file->name, in->file->name) != 0)) {
        return false;
    }
    if (!p) {
        p = assembler_allocate(a, sizeof *p);
        table_set(a, &a->sequence, key, p);
    }
    *p = (struct sequence_point){in, at, line};
    return true;
}

bool source_sequence(struct assembler *a, struct text name) {
    return add_point(a, a->input, name, a->input->start, a->input->start_line);
}

static bool is_sequence_symbol(struct text name) {
    return name.length > 1 && name.at[0] == '.' &&
           text_symbol((struct text){name.at + 1, name.length - 1}) == name.length - 1;
}

/* Notes the sequence symbols of lines to come, up to the one that is looked for; macros have names of their own. */
static void scan(struct assembler *a, struct input *in, struct text wanted) {
    struct input probe = *in;
    struct line line;
    unsigned depth = 0;
    bool found = false;
    if (probe.scanned > probe.at) {
        probe.at = probe.scanned;
        probe.line = probe.scanned_line;
    }
    while (!found && file_line(a, &probe, &line)) {
        const struct fields f = source_fields(line.text);
        depth += text_is(f.operation, "MACRO");
        depth -= depth && text_is(f.operation, "MEND");
        if (depth == 0 && is_sequence_symbol(f.name)) {
            add_point(a, in, f.name, probe.start, probe.start_line);
            found = text_equal(text_upper(a, f.name), wanted);
        }
    }
    in->scanned = probe.at;
    in->scanned_line = probe.line;
}

static bool branch_in_macro(struct input *in, struct text name) {
    const struct line *to = table_find(&in->macro->sequence, name);
    if (to) {
        in->next = (size_t)(to - in->macro->body);
    }
    return to != NULL;
}

bool source_branch(struct assembler *a, struct text name) {
    const struct text key = text_upper(a, name);
    if (!a->input->file) {
        return branch_in_macro(a->input, key);
    }
    const struct sequence_point *p = table_find(&a->sequence, key);
    for (struct input *in = a->input; in && !p; in = in->outer) {
        scan(a, in, key);
        p = table_find(&a->sequence, key);
    }
    if (!p) {
        return false;
    }
    a->input = p->input;
    for (const struct input *in = p->input; in->outer; in = in->outer) {
        in->outer->at = in->outer_at;
        in->outer->line = in->outer_line;
    }
    p->input->at = p->at;
    p->input->line = p->line;
    return true;
}

/* ---- COPY and macros ---- */

/* Runaway recursion, mostly: everything that the main file asked for is given up, or each level would try again. */
static bool too_deep(struct assembler *a, struct statement *s, const char *what) {
    if (!a->input || a->input->depth < MOST_NESTING) {
        return false;
    }
    assembler_error(a, s, NULL, "%s nested more than %d deep", what, MOST_NESTING);
    while (a->input->outer) {
        a->input = a->input->outer;
    }
    return true;
}

void source_push_macro(struct assembler *a, struct macro *m, struct call *call) {
    if (!too_deep(a, (struct statement *)call->statement, "macro calls are")) {
        push(a, (struct input){.macro = m, .call = call});
    }
}

bool source_leave_macro(struct assembler *a) {
    if (!a->input || a->input->file) {
        return false;
    }
    a->input = a->input->outer;
    return true;
}

unsigned source_macro_depth(const struct assembler *a) {
    unsigned depth = 0;
    for (const struct input *in = a->input; in && !in->file; in = in->outer) {
        depth++;
    }
    return depth;
}

static bool read_file(struct assembler *a, const char *path, struct error *e) {
    a->scratch.length = 0;
    return a->options && a->options->read_file ? a->options->read_file(a->options->self, path, &a->scratch, e)
                                               : bytes_read_file(&a->scratch, path, MOST_SOURCE, e);
}

/* Tries the name as it is and as file names are usually made of a member's name: lower case, with an ending. */
static bool read_member(struct assembler *a, const char *folder, size_t folder_length, struct text name, char *path,
                        size_t room, struct error *e) {
    static const char *const endings[] = {"", ".s", ".asm", ".mac", ".copy", ".inc"};
    bool found = false;
    for (unsigned i = 0; i < 2 * sizeof endings / sizeof *endings && !found; i++) {
        const bool lower = i & 1;
        struct error first = ERROR_CLEAR;
        const int head = snprintf(path, room, "%.*s", (int)folder_length, folder);
        size_t at = (size_t)head;
        for (size_t k = 0; k < name.length && at + 8 < room; k++) { /* 8: an ending and a character of two bytes */
            const uint8_t c = (uint8_t)name.at[k];
            if (c < 0x80) {
                path[at++] = (char)(lower && c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
            } else { /* names of files are UTF-8 */
                path[at++] = (char)(0xC0 | c >> 6);
                path[at++] = (char)(0x80 | (c & 0x3F));
            }
        }
        snprintf(path + at, room - at, "%s", endings[i / 2]);
        found = read_file(a, path, &first);
        if (i == 0 && !found) {
            *e = first;
        }
    }
    return found;
}

void source_copy(struct assembler *a, struct statement *s) {
    struct text name = s->operands;
    char path[1024];
    struct error e = ERROR_CLEAR;
    if (name.length >= 2 && name.at[0] == '\'' && name.at[name.length - 1] == '\'') {
        name = (struct text){name.at + 1, name.length - 2};
    }
    if (name.length == 0 || memchr(name.at, TEXT_FOREIGN, name.length)) {
        assembler_error(a, s, s->operands.length ? s->operands.at : NULL, "COPY needs the name of a file");
        return;
    }
    if (s->line.call) {
        assembler_error(a, s, NULL, "COPY cannot be made by a macro: write it where the macro is defined");
        return;
    }
    if (too_deep(a, s, "COPY is")) {
        return;
    }
    const char *asking = s->line.file->name, *slash = strrchr(asking, '/');
    const size_t folder = slash && name.at[0] != '/' ? (size_t)(slash - asking) + 1 : 0;
    if (folder + 2 * name.length + 16 > sizeof path) {
        assembler_error(a, s, name.at, "this name of a file is too long");
        return;
    }
    if (!read_member(a, asking, folder, name, path, sizeof path, &e)) {
        assembler_error(a, s, name.at, "%s", e.kind ? e.text : "the file cannot be read");
        return;
    }
    if (a->scratch.failed) {
        longjmp(a->no_memory, 1);
    }
    a->source_bytes += a->scratch.length;
    if (a->scratch.length > MOST_SOURCE || a->source_bytes > MOST_SOURCES) {
        assembler_error(a, s, name.at, "too much source: the limit is %d MB a file, %d MB in all", MOST_SOURCE >> 20,
                        MOST_SOURCES >> 20);
        return;
    }
    for (const struct input *in = a->input; in; in = in->outer) {
        if (in->file && strcmp(in->file->name, path) == 0) {
            assembler_error(a, s, name.at, "%s copies itself", path);
            return;
        }
    }
    push(a, (struct input){.file = decode(a, path, (const char *)a->scratch.data, a->scratch.length), .line = 1});
}
