/* Console: what the chosen machine's console typewriter has written. */
#include <string.h>

#include "ui/tui/tui.h"

static void write_lines(struct sheet *s, const char *text, size_t length) {
    while (length) {
        const char *end = memchr(text, '\n', length);
        size_t line = end ? (size_t)(end - text) : length;
        sheet_line(s);
        sheet_text(s, STYLE_TEXT, text, line);
        line += end != NULL;
        text += line;
        length -= line;
    }
}

static void draw(struct tui *t, struct pane *p, struct sheet *s) {
    struct machine *m = session_machine(t->session);
    (void)p;
    struct device *d = m ? machine_device(m, ADDRESS_CONSOLE) : NULL;
    const struct bytes *text = d ? console_text(d) : NULL;
    if (text && text->length)
        write_lines(s, (const char *)text->data, text->length);
    else
        sheet_print(s, STYLE_DIM, "%s", m ? "nothing was written yet" : "no machine yet");
    sheet_focus(s);
}

const struct pane_kind pane_console = {
    .name = "console",
    .title = "console",
    .key = '0',
    .help = "What the console typewriter (device 009) of the chosen machine has written.",
    .text = true,
    .draw = draw,
};
