/* What the user types: keys, the command line, and the lines of plain mode. */
#ifndef UI_TUI_INPUT_H
#define UI_TUI_INPUT_H

#include "ui/tui/tui.h"

void input_key(struct tui *t, const struct key *key);
/* Begins to ask for a line: of a command (before: its name and a space; "": any command). */
void input_ask(struct tui *t, const char *prompt, const char *before, const char *input);
/* Plain mode: reads a line; false: there are no more. And says what the last command has come to. */
bool input_read_line(struct tui *t, char *line, size_t size);
void input_tell(struct tui *t);
/* Lines of a pane or of what lies over it are moved. */
void input_scroll(struct tui *t, long lines, long columns);
/* What a command's key does: runs it, or asks for its argument. NULL: nothing. */
void input_command(struct tui *t, const struct command *c);
/* The pane that is at this place of the screen; NULL: none. */
struct pane *tui_pane_at(struct tui *t, int x, int y);
/* The pane with this key; NULL: none. */
struct pane *tui_pane_of_key(struct tui *t, const char *key);
/* tui.c: the next slot, or the next pane of this slot. */
void tui_next_slot(struct tui *t, int step);
void tui_next_tab(struct tui *t, int step);

#endif
