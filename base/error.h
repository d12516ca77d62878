/* Errors: one value that says what went wrong, fit to be shown to a person.
 *
 * Trouble of the user or of the host (a bad file, no memory, a wrong option) travels in this value; what a guest
 * does wrong is an interruption (isa/), and what we do wrong is an assertion. A function that can fail takes a
 * `struct error *` last, leaves it untouched on success, and returns false, NULL or a negative number on failure. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

/* What kind of trouble; the value is the exit status of the command line. */
enum error_kind {
    ERROR_NONE = 0,
    ERROR_EXPECTATION = 1, /* an expectation of a scenario failed */
    ERROR_INPUT = 2,       /* bad usage or bad input */
    ERROR_BUDGET = 3,      /* a budget was reached */
    ERROR_INTERNAL = 70,   /* our own fault, or the host's */
};

struct error {
    enum error_kind kind;
    char text[512]; /* one line, UTF-8, no newline, without "cloud370: " */
};

#define ERROR_CLEAR ((struct error){ERROR_NONE, ""})

/* Fills *e (e may be NULL: then nothing is kept) from a printf format; text that does not fit is cut. Always returns
 * false, so that a caller can write `return error_set(e, ...)`. */
bool error_set(struct error *e, enum error_kind kind, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
