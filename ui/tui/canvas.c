#include "ui/tui/canvas.h"

#include <stdlib.h>
#include <string.h>

bool canvas_resize(struct canvas *c, int width, int height) {
    free(c->cells);
    c->cells = calloc((size_t)width * (size_t)height + 1, sizeof *c->cells);
    c->width = c->cells ? width : 0;
    c->height = c->cells ? height : 0;
    canvas_clear(c);
    return c->cells;
}

void canvas_fini(struct canvas *c) {
    free(c->cells);
    c->cells = NULL;
    c->width = c->height = 0;
}

void canvas_clear(struct canvas *c) {
    for (int i = 0; i < c->width * c->height; i++)
        c->cells[i] = (struct cell){' ', STYLE_TEXT};
}

static void put(struct canvas *c, struct area a, int x, int y, uint32_t character, enum style style) {
    if (x < 0 || y < 0 || x >= a.width || y >= a.height)
        return;
    x += a.x;
    y += a.y;
    if (x >= 0 && y >= 0 && x < c->width && y < c->height)
        c->cells[y * c->width + x] = (struct cell){character, (uint8_t)style};
}

static int put_text(struct canvas *c, struct area a, int x, int y, enum style style, const char *text, size_t length) {
    for (size_t at = 0; at < length; x++) {
        uint32_t character;
        at += text_decode(text + at, length - at, &character);
        put(c, a, x, y, character, style);
    }
    return x;
}

int canvas_text(struct canvas *c, struct area a, int x, int y, enum style style, const char *text) {
    return put_text(c, a, x, y, style, text, strlen(text));
}

void canvas_fill(struct canvas *c, struct area a, enum style style) {
    for (int y = 0; y < a.height; y++)
        for (int x = 0; x < a.width; x++)
            put(c, a, x, y, ' ', style);
}

struct area canvas_box(struct canvas *c, struct area a, enum style style, enum style title_style, const char *title,
                       const char *note) {
    static const uint32_t lines[2][6] = {{0x2500, 0x2502, 0x250C, 0x2510, 0x2514, 0x2518},
                                         {'-', '|', '+', '+', '+', '+'}};
    const uint32_t *l = lines[c->ascii];
    for (int x = 0; x < a.width; x++) {
        put(c, a, x, 0, l[0], style);
        put(c, a, x, a.height - 1, l[0], style);
    }
    for (int y = 0; y < a.height; y++) {
        put(c, a, 0, y, l[1], style);
        put(c, a, a.width - 1, y, l[1], style);
    }
    put(c, a, 0, 0, l[2], style);
    put(c, a, a.width - 1, 0, l[3], style);
    put(c, a, 0, a.height - 1, l[4], style);
    put(c, a, a.width - 1, a.height - 1, l[5], style);
    const struct area border = {a.x + 1, a.y, a.width - 2, a.height};
    canvas_text(c, border, 1, 0, title_style, title);
    if (note) {
        int columns = (int)text_columns(note, strlen(note));
        canvas_text(c, border, border.width - columns - 1, a.height - 1, style, note);
    }
    return (struct area){a.x + 1, a.y + 1, a.width - 2, a.height - 2};
}

/* One line; the columns that it has. */
static int put_line(struct canvas *c, struct area a, const struct sheet *s, const struct line *line, int x, int y) {
    for (size_t n = 0; n < line->count; n++) {
        const struct span *span = sheet_span(s, line->first + n);
        x = put_text(c, a, x, y, span->style, (const char *)s->text.data + span->text, span->length);
    }
    return x;
}

void canvas_sheet(struct canvas *c, struct area a, const struct sheet *s, size_t top, unsigned left, long cursor) {
    for (int y = 0; y < a.height && top + (size_t)y < sheet_lines(s); y++) {
        int end = put_line(c, a, s, sheet_line_at(s, top + (size_t)y), -(int)left, y);
        if (end > a.width)
            canvas_text(c, a, a.width - 1, y, STYLE_WARNING, sheet_sign(s, SIGN_MORE));
        if (left)
            canvas_text(c, a, 0, y, STYLE_WARNING, sheet_sign(s, SIGN_MORE));
        for (int x = 0; (long)top + y == cursor && x < a.width; x++) {
            struct cell *cell = &c->cells[(a.y + y) * c->width + a.x + x];
            if (a.y + y < c->height && a.x + x < c->width && cell->style == STYLE_TEXT)
                cell->style = STYLE_CURSOR;
        }
    }
}

static void append_character(struct bytes *to, uint32_t c) {
    uint8_t text[4];
    unsigned n = 0;
    if (c < 0x80) {
        text[n++] = (uint8_t)c;
    } else if (c < 0x800) {
        text[n++] = (uint8_t)(0xC0 | c >> 6);
        text[n++] = (uint8_t)(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        text[n++] = (uint8_t)(0xE0 | c >> 12);
        text[n++] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
        text[n++] = (uint8_t)(0x80 | (c & 0x3F));
    } else {
        text[n++] = (uint8_t)(0xF0 | c >> 18);
        text[n++] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
        text[n++] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
        text[n++] = (uint8_t)(0x80 | (c & 0x3F));
    }
    bytes_append(to, text, n);
}

void canvas_to_text(struct bytes *to, const struct canvas *c) {
    for (int y = 0; y < c->height; y++) {
        int end = c->width;
        while (end > 0 && c->cells[y * c->width + end - 1].character == ' ')
            end--;
        for (int x = 0; x < end; x++)
            append_character(to, c->cells[y * c->width + x].character);
        bytes_append(to, "\n", 1);
    }
}

/* ---- As a picture ---- */

enum { CELL_WIDTH = 8, CELL_HEIGHT = 17, BASELINE = 13, MARGIN = 8 };

static void colour_text(char to[8], int colour, const char *otherwise) {
    uint8_t rgb[3];
    if (colour < 0) {
        memcpy(to, otherwise, 8);
        return;
    }
    palette_rgb(colour, rgb);
    static const char digits[] = "0123456789abcdef";
    to[0] = '#';
    for (int i = 0; i < 3; i++) {
        to[1 + 2 * i] = digits[rgb[i] >> 4];
        to[2 + 2 * i] = digits[rgb[i] & 15];
    }
    to[7] = '\0';
}

static void append_escaped(struct bytes *to, uint32_t c) {
    const char *entity = c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : NULL;
    if (entity)
        bytes_append(to, entity, strlen(entity));
    else
        append_character(to, c);
}

void canvas_to_svg(struct bytes *to, const struct canvas *c, const struct theme *theme) {
    const char *ink = theme->light ? "#000000" : "#dddddd", *paper = theme->light ? "#ffffff" : "#16181d";
    int width = c->width * CELL_WIDTH + 2 * MARGIN, height = c->height * CELL_HEIGHT + 2 * MARGIN;
    bytes_printf(to, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n",
                 width, height, width, height);
    bytes_printf(to, "<rect width=\"100%%\" height=\"100%%\" fill=\"%s\"/>\n", paper);
    bytes_printf(to, "<g font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"13.29\">\n");
    for (int y = 0; y < c->height; y++) {
        for (int x = 0, end; x < c->width; x = end) {
            const struct cell *cell = &c->cells[y * c->width + x];
            const struct look *look = &theme->look[cell->style];
            bool blank = true;
            for (end = x; end < c->width && c->cells[y * c->width + end].style == cell->style; end++)
                blank = blank && c->cells[y * c->width + end].character == ' ';
            char front[8], back[8];
            colour_text(front, look->reverse ? look->paper : look->ink, look->reverse ? paper : ink);
            colour_text(back, look->reverse ? look->ink : look->paper, look->reverse ? ink : paper);
            int left = MARGIN + x * CELL_WIDTH, up = MARGIN + y * CELL_HEIGHT;
            if (strcmp(back, paper) != 0)
                bytes_printf(to, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>\n", left, up,
                             (end - x) * CELL_WIDTH, CELL_HEIGHT, back);
            if (blank)
                continue;
            bytes_printf(to, "<text x=\"%d\" y=\"%d\" textLength=\"%d\" xml:space=\"preserve\" fill=\"%s\"%s%s>", left,
                         up + BASELINE, (end - x) * CELL_WIDTH, front, look->bold ? " font-weight=\"bold\"" : "",
                         look->underline ? " text-decoration=\"underline\"" : "");
            for (int i = x; i < end; i++)
                append_escaped(to, c->cells[y * c->width + i].character);
            bytes_printf(to, "</text>\n");
        }
    }
    bytes_printf(to, "</g>\n</svg>\n");
}
