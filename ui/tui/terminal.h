/* The terminal as a screen: ncurses, in its wide form. It is restored however the program ends. */
#ifndef UI_TUI_TERMINAL_H
#define UI_TUI_TERMINAL_H

#include "base/error.h"
#include "ui/tui/tui.h"

/* Takes the terminal over. False and *e, nothing changed: there is none, or it cannot be addressed. At most one at a
 * time in a process, since the terminal is one. */
bool terminal_open(struct screen *to, const struct theme *theme, struct error *e);
void terminal_close(const struct screen *s);
/* Whether the locale's characters are UTF-8. */
bool terminal_utf8(void);

#endif
