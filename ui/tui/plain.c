/* Plain mode's lines after a command: the next instruction, and what has changed. */
#include <string.h>

#include "ui/tui/tui.h"

void tui_print_next(struct tui *t) {
    struct machine *m = session_machine(t->session);
    struct machine_state now, before;
    struct pane *p = tui_pane(t, "code");
    machine_state(m, &now);
    tui_draw_pane(t, p);
    long line = sheet_focus_line(&p->sheet);
    if (line >= 0) {
        const struct line *l = sheet_line_at(&p->sheet, (size_t)line);
        fputs("next: ", t->out);
        for (size_t n = 2; n < l->count; n++) {
            const struct span *span = sheet_span(&p->sheet, l->first + n);
            fwrite(p->sheet.text.data + span->text, 1, span->length, t->out);
        }
        fputc('\n', t->out);
    }
    if (!session_before(t->session, m, &before))
        return;
    unsigned any = 0;
    for (int n = 0; n < 16; n++)
        if (now.gpr[n] != before.gpr[n])
            fprintf(t->out, "%s R%d %08X", any++ ? "," : "changed:", n, now.gpr[n]);
    for (int n = 0; n < 16; n++)
        if (now.cr[n] != before.cr[n])
            fprintf(t->out, "%s C%d %08X", any++ ? "," : "changed:", n, now.cr[n]);
    if (now.psw.cc != before.psw.cc)
        fprintf(t->out, "%s cc %d", any++ ? "," : "changed:", now.psw.cc);
    if (any)
        fputc('\n', t->out);
}
