/* A scenario's lab (scenarios/engine/engine.h) in the terminal UI: panes that it hides, movements that it locks, and
 * its steps, looked at after each command. */
#ifndef UI_TUI_LAB_H
#define UI_TUI_LAB_H

#include "ui/tui/tui.h"

/* Whether the lab lets this command be; refuses otherwise. */
bool lab_allows(struct tui *t, const struct command *c);
/* After a command with its arguments (NULL: something else has happened): takes over a new lab, and looks whether a
 * step is done, and says so. */
void lab_look(struct tui *t, const struct command *c, const char *arguments);

#endif
