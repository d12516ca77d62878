#include "ui/tui/sheet.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

unsigned text_decode(const char *text, size_t length, uint32_t *to) {
    const uint8_t *t = (const uint8_t *)text;
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned n = t[0] < 0x80                   ? 1
                 : t[0] >= 0xC2 && t[0] < 0xE0 ? 2
                 : t[0] >= 0xE0 && t[0] < 0xF0 ? 3
                 : t[0] < 0xF5                 ? 4
                                               : 0;
    uint32_t c = n == 1 ? t[0] : n ? t[0] & (0x7Fu >> n) : 0;
    bool good = n && n <= length && (n > 1 || t[0] < 0x80) && (t[0] < 0x80 || t[0] >= 0xC2);
    for (unsigned i = 1; good && i < n; i++) {
        good = (t[i] & 0xC0) == 0x80;
        c = c << 6 | (t[i] & 0x3F);
    }
    if (!good || c < least[n] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) {
        *to = '?';
        return 1;
    }
    *to = c < 0x20 || (c >= 0x7F && c < 0xA0) ? '.' : c;
    return n;
}

unsigned text_columns(const char *text, size_t length) {
    unsigned columns = 0;
    uint32_t c;
    for (size_t at = 0; at < length; columns++)
        at += text_decode(text + at, length - at, &c);
    return columns;
}

void sheet_clear(struct sheet *s) {
    s->text.length = s->spans.length = s->lines.length = 0;
    s->topic = 0;
}

void sheet_fini(struct sheet *s) {
    bytes_fini(&s->text);
    bytes_fini(&s->spans);
    bytes_fini(&s->lines);
}

size_t sheet_lines(const struct sheet *s) { return s->lines.length / sizeof(struct line); }
const struct line *sheet_line_at(const struct sheet *s, size_t n) {
    return (const struct line *)(const void *)s->lines.data + n;
}
const struct span *sheet_span(const struct sheet *s, size_t n) {
    return (const struct span *)(const void *)s->spans.data + n;
}

static struct line *last_line(struct sheet *s) {
    if (!sheet_lines(s))
        sheet_line(s);
    return s->lines.failed ? NULL : (struct line *)(void *)s->lines.data + sheet_lines(s) - 1;
}

void sheet_line(struct sheet *s) {
    const struct line line = {.first = s->spans.length / sizeof(struct span)};
    s->topic = 0;
    bytes_append(&s->lines, &line, sizeof line);
}

/* Appends the text as a span; in text for ASCII only, what is none becomes '?'. */
void sheet_text(struct sheet *s, enum style style, const char *text, size_t length) {
    struct line *line = last_line(s);
    struct span span = {.text = s->text.length, .style = style, .topic = s->topic};
    if (!line || !length)
        return;
    for (size_t at = 0; at < length;) {
        uint32_t c;
        unsigned n = text_decode(text + at, length - at, &c);
        if (c == '.' || c == '?' || (s->ascii && c >= 0x80)) {
            const char one = c >= 0x80 ? '?' : (char)c;
            bytes_append(&s->text, &one, 1);
        } else {
            bytes_append(&s->text, text + at, n);
        }
        at += n;
    }
    span.length = s->text.length - span.text;
    bytes_append(&s->spans, &span, sizeof span);
    if (!s->text.failed && !s->spans.failed)
        line->count++;
}

void sheet_print(struct sheet *s, enum style style, const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length > 0)
        sheet_text(s, style, text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
}

static unsigned columns_of(const struct sheet *s, const struct line *line) {
    unsigned columns = 0;
    for (size_t n = 0; n < line->count; n++) {
        const struct span *span = sheet_span(s, line->first + n);
        columns += text_columns((const char *)s->text.data + span->text, span->length);
    }
    return columns;
}

void sheet_tab(struct sheet *s, unsigned column) {
    const struct line *line = last_line(s);
    unsigned at = line ? columns_of(s, line) : 0;
    size_t topic = s->topic;
    s->topic = 0;
    sheet_print(s, STYLE_TEXT, "%*s", at < column ? (int)(column - at) : at ? 1 : 0, "");
    s->topic = topic;
}

void sheet_topic(struct sheet *s, const char *format, ...) {
    char text[TOPIC_BYTES];
    va_list arguments;
    (void)last_line(s);
    s->topic = 0;
    if (!format)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t at = s->text.length;
    bytes_append(&s->text, text, strlen(text) + 1);
    s->topic = s->text.failed ? 0 : at + 1;
}

void sheet_focus(struct sheet *s) {
    struct line *line = last_line(s);
    if (line)
        line->focus = true;
}

void sheet_wrapped(struct sheet *s, enum style style, unsigned width, unsigned indent, const char *text) {
    unsigned at = 0;
    bool begun = false;
    while (*text) {
        size_t word = strcspn(text, " \n");
        unsigned columns = text_columns(text, word);
        if (!begun || (at && at + 1 + columns > width) || (*text == '\n' && !word)) {
            sheet_line(s);
            at = 0;
            if (begun && indent) {
                sheet_print(s, style, "%*s", (int)indent, "");
                at = indent;
            }
            begun = true;
        } else if (at > (begun ? indent : 0)) {
            sheet_text(s, style, " ", 1);
            at++;
        }
        sheet_text(s, style, text, word);
        at += columns;
        text += word;
        bool ends = *text == '\n';
        text += *text != '\0';
        if (ends && *text) {
            at = width; /* the next word begins a line */
        }
    }
}

const char *sheet_topic_at(const struct sheet *s, size_t line, unsigned n) {
    if (line >= sheet_lines(s))
        return NULL;
    const struct line *l = sheet_line_at(s, line);
    size_t last = 0;
    for (size_t i = 0; i < l->count; i++) {
        const struct span *span = sheet_span(s, l->first + i);
        if (span->topic && span->topic != last && n-- == 0)
            return (const char *)s->text.data + span->topic - 1;
        if (span->topic)
            last = span->topic;
    }
    return NULL;
}

long sheet_focus_line(const struct sheet *s) {
    for (size_t n = 0; n < sheet_lines(s); n++)
        if (sheet_line_at(s, n)->focus)
            return (long)n;
    return -1;
}

const char *sheet_sign(const struct sheet *s, enum sign sign) {
    static const char *const signs[SIGN_COUNT][2] = {
        [SIGN_NEXT] = {"\u25B6", ">"},    [SIGN_DONE] = {"\u00B7", "."},   [SIGN_BREAKPOINT] = {"\u25CF", "B"},
        [SIGN_CHANGED] = {"\u2260", "*"}, [SIGN_ARROW] = {"\u2192", "->"}, [SIGN_GOOD] = {"\u2713", "ok"},
        [SIGN_BAD] = {"\u2717", "NO"},    [SIGN_OPEN] = {"\u25CB", "-"},   [SIGN_DOT] = {"\u2022", "*"},
        [SIGN_BLOCK] = {"\u2588", "#"},   [SIGN_MORE] = {"\u2026", "~"},
    };
    return signs[sign][s->ascii];
}
