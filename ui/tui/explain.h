/* Explanations of what is seen: an instruction, a bit of the PSW, an interruption code, a table entry, a cause of
 * cycles. They come from the tables that the product works with, and that docs/ is made from; what no table has is one
 * table of texts (ui/tui/explain_texts.c).
 *
 * A topic is "kind:what". A program that asks for psw:problem:on, or register:7, gets psw:problem, or register, where
 * there is no row of just that name. */
#ifndef UI_TUI_EXPLAIN_H
#define UI_TUI_EXPLAIN_H

#include "ui/tui/sheet.h"

/* Writes the explanation of a topic, "kind:what" (instruction:LPSW, program:0005, psw:problem, ...), wrapped to a
 * width. False, nothing written: there is none. */
bool explain(struct sheet *to, const char *topic, unsigned width);
/* The n-th topic that there is, for completion; NULL: there are no more. */
const char *explain_topic(size_t n);

/* Short names of codes, "" when there is none: program interruptions (with 0080, PER, or without), external ones. */
const char *explain_program_code(unsigned code);
const char *explain_external_code(unsigned code);
/* The title of a topic that is in the table of texts; "" when there is none. */
const char *explain_title(const char *topic);

/* The table of texts: rows up to one without a topic. */
struct explain_text {
    const char *topic, *title, *text;
    const char *source; /* section of the Principles of Operation, or a page of docs/; "" where none is needed */
};
extern const struct explain_text explain_texts[];

#endif
