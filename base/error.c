/* Errors: formatting one into its value. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Cuts text that filled its buffer so that no UTF-8 character is left half: a lead byte without all of its followers
 * goes, followers and all. */
static void cut_partial_character(char *text, size_t length) {
    size_t start = length;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80) {
        start--;
    }
    if (start == 0) {
        return;
    }
    unsigned char lead = (unsigned char)text[start - 1];
    size_t wanted = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (length - (start - 1) < wanted) {
        text[start - 1] = '\0';
    }
}

bool error_set(struct error *e, enum error_kind kind, const char *format, ...) {
    if (!e) {
        return false;
    }
    /* Formatted aside, because callers put a prefix before an error by passing its own text as an argument. */
    char text[sizeof e->text];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0) {
        text[0] = '\0';
    } else if ((size_t)length >= sizeof text) {
        cut_partial_character(text, sizeof text - 1);
    }
    for (char *c = text; *c; c++) {
        if (*c == '\n' || *c == '\r') {
            *c = ' ';
        }
    }
    e->kind = kind;
    memcpy(e->text, text, sizeof text);
    return false;
}
