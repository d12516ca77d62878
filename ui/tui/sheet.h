/* Sheets: what a pane has to say, as lines of styled text, before it is known how much of it fits on the screen.
 *
 * A piece of a line may have a topic: the key under which ui/tui/explain.h explains it, when help is asked for. In
 * plain mode sheets are printed as they are; on the screen a pane is a window onto its sheet. */
#ifndef UI_TUI_SHEET_H
#define UI_TUI_SHEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "ui/tui/style.h"

enum { TOPIC_BYTES = 40 };

struct span {
    size_t text, length; /* in the sheet's text, UTF-8 */
    size_t topic;        /* in the sheet's text + 1, with a NUL; 0: none */
    enum style style;
};
struct line {
    size_t first, count; /* spans */
    bool focus;          /* it is to be seen */
};

/* Zero-initialise; what ran out of memory is missing, and `failed` of one of the buffers is set. */
struct sheet {
    struct bytes text, spans, lines;
    size_t topic; /* of what is printed now */
    bool ascii;   /* only ASCII is to be printed: signs are chosen by sheet_sign */
};

void sheet_clear(struct sheet *s);
void sheet_fini(struct sheet *s);

/* Begins a line; what is printed goes to its end. The first is begun by the first print. */
void sheet_line(struct sheet *s);
/* Prints UTF-8 text without line ends; what is no text (control characters) becomes dots. */
void sheet_print(struct sheet *s, enum style style, const char *format, ...) __attribute__((format(printf, 3, 4)));
void sheet_text(struct sheet *s, enum style style, const char *text, size_t length);
/* Fills with spaces up to this column, from 0; one space at least. */
void sheet_tab(struct sheet *s, unsigned column);
/* What is printed from now on has this topic, until the line ends, or NULL. */
void sheet_topic(struct sheet *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The present line is one that is to be seen. */
void sheet_focus(struct sheet *s);
/* A line of text in words, wrapped to a width, the later lines indented. */
void sheet_wrapped(struct sheet *s, enum style style, unsigned width, unsigned indent, const char *text);

size_t sheet_lines(const struct sheet *s);
const struct line *sheet_line_at(const struct sheet *s, size_t n);
const struct span *sheet_span(const struct sheet *s, size_t n);
/* The n-th topic of a line, each once; NULL: there are no more. */
const char *sheet_topic_at(const struct sheet *s, size_t line, unsigned n);
/* The line that is to be seen; -1: it does not matter. */
long sheet_focus_line(const struct sheet *s);
/* Columns that UTF-8 text takes; every character is one wide. */
unsigned text_columns(const char *text, size_t length);
/* Decodes a character; returns its bytes. What is no UTF-8 becomes '?', one byte. */
unsigned text_decode(const char *text, size_t length, uint32_t *to);

/* Signs, in UTF-8 or ASCII. */
enum sign {
    SIGN_NEXT, /* the instruction that is next */
    SIGN_DONE,
    SIGN_BREAKPOINT,
    SIGN_CHANGED,
    SIGN_ARROW,
    SIGN_GOOD,
    SIGN_BAD,
    SIGN_OPEN,  /* not known yet */
    SIGN_DOT,   /* of an instruction's class, with a letter */
    SIGN_BLOCK, /* of a bar */
    SIGN_MORE,  /* more follows, cut off */
    SIGN_COUNT
};
const char *sheet_sign(const struct sheet *s, enum sign sign);

#endif
