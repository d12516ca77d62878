/* Styles: what a piece of text means, and what that looks like in each theme.
 *
 * Panes say what something is; themes say how it looks. Nothing is told by the look alone: what a style marks is marked
 * by a sign or a word as well, for those who have no colours, or cannot tell them apart. */
#ifndef UI_TUI_STYLE_H
#define UI_TUI_STYLE_H

#include <stdbool.h>
#include <stdint.h>

enum style {
    STYLE_TEXT,
    STYLE_DIM,    /* of less interest */
    STYLE_STRONG, /* a heading, a name */
    STYLE_BORDER,
    STYLE_BORDER_FOCUS, /* of the pane that has the keys */
    STYLE_BAR,          /* the status line */
    STYLE_BAR_STRONG,
    STYLE_CURSOR,    /* the line that help is asked about */
    STYLE_NEXT,      /* the instruction that is next */
    STYLE_DONE,      /* the one that was just executed */
    STYLE_CHANGED,   /* what the last command changed */
    STYLE_GOOD,      /* it holds */
    STYLE_BAD,       /* it does not; an error */
    STYLE_WARNING,   /* a thing to see to */
    STYLE_KEY,       /* a key to press */
    STYLE_VIRTUAL,   /* what a machine believes, */
    STYLE_REAL,      /* and what is */
    STYLE_INNOCUOUS, /* instructions, by Popek and Goldberg's classes, */
    STYLE_SENSITIVE, /* control- or behaviour-sensitive, and privileged */
    STYLE_CRITICAL,  /* sensitive, and not privileged */
    STYLE_TRAPS,     /* traps in either state, on purpose */
    STYLE_LEVEL_0,   /* machines, by level; four, then the same again */
    STYLE_LEVEL_1,
    STYLE_LEVEL_2,
    STYLE_LEVEL_3,
    STYLE_COUNT
};
static inline enum style style_level(int level) { return (enum style)(STYLE_LEVEL_0 + (level & 3)); }

/* How a style looks. Colours are indexes of the usual palette of 256; -1: the terminal's own. */
struct look {
    int16_t ink, paper;
    bool bold, dim, underline, reverse;
};

struct theme {
    const char *name, *help;
    bool light; /* drawn on light paper */
    struct look look[STYLE_COUNT];
};

/* The n-th theme, the first is the default; NULL past the last. */
const struct theme *theme_at(unsigned n);
/* NULL when there is none of this name. */
const struct theme *theme_find(const char *name);
/* Red, green, blue of a colour of the palette, 0 to 255. */
void palette_rgb(int colour, uint8_t rgb[3]);

#endif
