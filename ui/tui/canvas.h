/* Canvas: the screen as a grid of characters with styles, and what is drawn on it: boxes, sheets, pictures of it. */
#ifndef UI_TUI_CANVAS_H
#define UI_TUI_CANVAS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "ui/tui/sheet.h"
#include "ui/tui/style.h"

struct cell {
    uint32_t character; /* Unicode */
    uint8_t style;      /* enum style */
};

struct canvas {
    int width, height;
    bool ascii;         /* lines of boxes are drawn in ASCII */
    struct cell *cells; /* row by row */
};

/* Gives it a size, and clears it. False when there is no memory: it is empty then. Zero-initialise before. */
bool canvas_resize(struct canvas *c, int width, int height);
void canvas_fini(struct canvas *c);
void canvas_clear(struct canvas *c);

/* A part of it; what is drawn outside of the part, or the canvas, is cut off. */
struct area {
    int x, y, width, height;
};
/* Text from column x, row y of the area. Returns the column behind it. */
int canvas_text(struct canvas *c, struct area a, int x, int y, enum style style, const char *text);
void canvas_fill(struct canvas *c, struct area a, enum style style);
/* A box along the border of the area, with a title in its upper border, and a note in its lower one (NULL: none).
 * Returns the area inside. */
struct area canvas_box(struct canvas *c, struct area a, enum style style, enum style title_style, const char *title,
                       const char *note);
/* The lines of the sheet from `top`, from column `left` of each; `cursor`: the line that is marked, -1: none. A line
 * that is cut off says so. */
void canvas_sheet(struct canvas *c, struct area a, const struct sheet *s, size_t top, unsigned left, long cursor);

/* Appends it as an SVG picture, as the theme has it; as lines of text. */
void canvas_to_svg(struct bytes *to, const struct canvas *c, const struct theme *theme);
void canvas_to_text(struct bytes *to, const struct canvas *c);

#endif
