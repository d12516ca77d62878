/* The listing: location, object code, addresses, statement number, source; then cross reference and diagnostics.
 *
 * Made during the second pass, a statement at a time, because ORG may go back and overwrite what was assembled. */
#include <stdlib.h>
#include <string.h>

#include "isa/assembler/assembler_internal.h"

enum {
    OBJECT_BYTES = 8, /* a line of constants */
    NUMBER_WIDTH = 8, /* of a statement's number, with what follows it */
};

static bool listing_wanted(const struct assembler *a) { return a->options && a->options->listing; }

/* Appends text as UTF-8; \n only where the listing wants one. */
static void append_text(struct bytes *to, struct text t) {
    for (size_t i = 0; i < t.length; i++) {
        const uint8_t c = (uint8_t)t.at[i];
        if (c >= 0x80) {
            const uint8_t two[2] = {(uint8_t)(0xC0 | c >> 6), (uint8_t)(0x80 | (c & 0x3F))};
            bytes_append(to, two, 2);
        } else {
            const uint8_t one = c < ' ' || c == 0x7F ? '?' : c;
            bytes_append(to, &one, 1);
        }
    }
}

/* The columns before the source: location, object code, two addresses. */
static void append_columns(struct assembler *a, bool located, uint32_t location, const char *object) {
    if (located) {
        bytes_printf(&a->listing, "%06X ", (unsigned)location);
    } else {
        bytes_printf(&a->listing, "       ");
    }
    bytes_printf(&a->listing, "%-16s ", object);
    for (unsigned i = 0; i < 2; i++) {
        if (a->has_address[i]) {
            bytes_printf(&a->listing, "%06X ", (unsigned)a->address[i] & 0xFFFFFF);
        } else {
            bytes_printf(&a->listing, "       ");
        }
    }
}

void listing_begin(struct assembler *a) {
    if (listing_wanted(a)) {
        bytes_printf(&a->listing, "  Loc  Object Code      Addr1  Addr2   Stmt  Source Statement\n");
    }
}

static const uint8_t *image_at(const struct assembler *a, const struct section *x, int64_t offset, size_t length) {
    const int64_t at = (int64_t)x->base + offset - a->origin;
    return x->dummy || !a->image || at < 0 || at + (int64_t)length > a->image_length ? NULL : a->image + at;
}

/* An instruction in halfwords, data without gaps. */
static void object_text(char to[2 * OBJECT_BYTES + 4], const uint8_t *from, size_t length, bool halfwords) {
    char hex[2 * OBJECT_BYTES + 1];
    bytes_to_hex(hex, from, length);
    size_t n = 0;
    for (size_t i = 0; i < 2 * length; i++) {
        if (halfwords && i && i % 4 == 0) {
            to[n++] = ' ';
        }
        to[n++] = hex[i];
    }
    to[n] = 0;
}

static void append_source(struct assembler *a, const struct statement *s) {
    bytes_printf(&a->listing, "%6u%c ", s->number, s->line.generated ? '+' : s->line.copied ? '=' : ' ');
    if (s->line.generated || !s->line.physical.at) {
        append_text(&a->listing, s->line.text);
        bytes_printf(&a->listing, "\n");
        return;
    }
    struct text rest = s->line.physical; /* as it was written, continuation lines too */
    bool first = true;
    for (bool more = true; more;) {
        const char *end = rest.length ? memchr(rest.at, '\n', rest.length) : NULL;
        const size_t length = end ? (size_t)(end - rest.at) : rest.length;
        if (!first) {
            bytes_printf(&a->listing, "%47s", "");
        }
        append_text(&a->listing, (struct text){rest.at, length});
        bytes_printf(&a->listing, "\n");
        more = end != NULL;
        rest = (struct text){rest.at + length + more, rest.length - length - more};
        first = false;
    }
}

static void append_more_data(struct assembler *a, const uint8_t *from, size_t length, uint32_t location) {
    char object[2 * OBJECT_BYTES + 4];
    a->has_address[0] = a->has_address[1] = false;
    for (size_t i = OBJECT_BYTES; i < length; i += OBJECT_BYTES) {
        object_text(object, from + i, length - i < OBJECT_BYTES ? length - i : OBJECT_BYTES, false);
        append_columns(a, true, location + (uint32_t)i, object);
        bytes_printf(&a->listing, "\n");
    }
}

static bool has_object(const struct statement *s) {
    return s->does && !s->bad && s->length &&
           (s->does->kind == OPERATION_INSTRUCTION || text_is(s->operation, "DC") || text_is(s->operation, "CNOP") ||
            text_is(s->operation, "CCW") || text_is(s->operation, "CCW0"));
}

/* The statement's first line, or the literal, begins at `text`. */
static void note_line(struct assembler *a, uint32_t location, size_t length, bool instruction, size_t text) {
    if (a->listing.failed || text > a->listing.length) {
        return;
    }
    const uint8_t *end = memchr(a->listing.data + text, '\n', a->listing.length - text);
    const struct assembly_line line = {.address = location,
                                       .length = (uint32_t)length,
                                       .instruction = instruction,
                                       .text = text,
                                       .text_length = end ? (size_t)(end - a->listing.data) - text : 0};
    bytes_append(&a->lines, &line, sizeof line);
}

void listing_statement(struct assembler *a, const struct statement *s) {
    if (!listing_wanted(a) || !a->print.on || (s->line.generated && !a->print.generated)) {
        return;
    }
    char object[2 * OBJECT_BYTES + 4] = "";
    const bool machine = s->does && s->does->kind == OPERATION_INSTRUCTION;
    const bool located = s->section && s->does && !text_is(s->operation, "EQU") && !text_is(s->operation, "USING") &&
                         !text_is(s->operation, "END");
    const uint32_t location = located ? (uint32_t)((int64_t)s->section->base + s->offset) & 0xFFFFFF : 0;
    const uint8_t *from = has_object(s) ? image_at(a, s->section, s->offset, s->length) : NULL;
    if (from) {
        object_text(object, from, s->length < OBJECT_BYTES ? s->length : OBJECT_BYTES, machine);
    }
    append_columns(a, located, location, object);
    const size_t text = a->listing.length + NUMBER_WIDTH;
    append_source(a, s);
    if (from) {
        note_line(a, location, s->length, machine, text);
    }
    if (from && a->print.data) {
        append_more_data(a, from, s->length, location);
    }
}

void listing_literal(struct assembler *a, const struct literal *l) {
    if (!listing_wanted(a) || !a->print.on) {
        return;
    }
    const struct constant *k = l->constant;
    const uint32_t bytes = k->size * k->duplication;
    const uint8_t *from = image_at(a, l->section, l->offset, bytes);
    char object[2 * OBJECT_BYTES + 4] = "";
    if (from) {
        object_text(object, from, bytes < OBJECT_BYTES ? bytes : OBJECT_BYTES, false);
    }
    a->has_address[0] = a->has_address[1] = false;
    append_columns(a, true, (uint32_t)(l->section->base + l->offset), object);
    bytes_printf(&a->listing, "%7s %14s", "", "");
    const size_t text = a->listing.length;
    append_text(&a->listing, l->written);
    bytes_printf(&a->listing, "\n");
    if (from) {
        note_line(a, (uint32_t)(l->section->base + l->offset) & 0xFFFFFF, bytes, false, text);
    }
}

static int by_name(const void *x, const void *y) {
    const struct definition *a = *(const struct definition *const *)x, *b = *(const struct definition *const *)y;
    const size_t shorter = a->name.length < b->name.length ? a->name.length : b->name.length;
    for (size_t i = 0; i < shorter; i++) {
        const int difference = character_upper(a->name.at[i]) - character_upper(b->name.at[i]);
        if (difference) {
            return difference;
        }
    }
    return (a->name.length > b->name.length) - (a->name.length < b->name.length);
}

static int by_number(const void *x, const void *y) {
    const unsigned a = *(const unsigned *)x, b = *(const unsigned *)y;
    return a < b ? -1 : a > b;
}

static void append_references(struct assembler *a, const struct definition *d) {
    enum { ACROSS = 10 };
    size_t count = 0;
    for (const struct reference *r = d->references; r; r = r->next) {
        count++;
    }
    unsigned *numbers = assembler_allocate(a, (count + 1) * sizeof *numbers);
    count = 0;
    for (const struct reference *r = d->references; r; r = r->next) {
        numbers[count++] = r->statement;
    }
    qsort(numbers, count, sizeof *numbers, by_number); /* those in literals were met late */
    size_t shown = 0;
    for (size_t i = 0; i < count; i++) {
        if (i && numbers[i] == numbers[i - 1]) {
            continue; /* both passes looked at it */
        }
        if (shown && shown % ACROSS == 0) {
            bytes_printf(&a->listing, "\n%42s", "");
        }
        bytes_printf(&a->listing, "%6u", numbers[i]);
        shown++;
    }
}

static void append_symbol(struct assembler *a, const struct definition *d) {
    const uint32_t value = (uint32_t)(d->value + (d->section ? d->section->base : 0));
    bytes_printf(&a->listing, "%-16.*s %6u  %08X %6u  ", TEXT_ARGS(d->name), (unsigned)d->length, (unsigned)value,
                 d->statement->number);
    append_references(a, d);
    bytes_printf(&a->listing, "\n");
}

void listing_end(struct assembler *a) {
    size_t count = 0;
    if (!listing_wanted(a)) {
        return;
    }
    for (const struct definition *d = a->definitions; d; d = d->next) {
        count++;
    }
    const struct definition **sorted = assembler_allocate(a, (count + 1) * sizeof *sorted);
    count = 0;
    for (const struct definition *d = a->definitions; d; d = d->next) {
        sorted[count++] = d;
    }
    qsort(sorted, count, sizeof *sorted, by_name);
    bytes_printf(&a->listing, "\nCross reference\nSymbol           Length     Value   Defn  References\n");
    for (size_t i = 0; i < count; i++) {
        append_symbol(a, sorted[i]);
    }
    bytes_printf(&a->listing, "\nDiagnostics\n");
}
