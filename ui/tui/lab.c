#include "ui/tui/lab.h"

#include <string.h>

/* The least granularity under which a movement is still let through; what is not here always is. */
static const struct {
    const char *command;
    enum lab_granularity most;
} movements[] = {
    {"step", LAB_INSTRUCTIONS},  {"steps", LAB_INSTRUCTIONS}, {"over", LAB_INSTRUCTIONS}, {"until", LAB_INSTRUCTIONS},
    {"back", LAB_INSTRUCTIONS},  {"backs", LAB_INSTRUCTIONS}, {"go", LAB_INSTRUCTIONS},   {"trap", LAB_TRAPS},
    {"back-to-trap", LAB_TRAPS}, {"cross", LAB_TRAPS},        {"return", LAB_TRAPS},
};

bool lab_allows(struct tui *t, const struct command *c) {
    const struct engine_lab *lab = engine_lab(session_engine(t->session));
    for (size_t n = 0; lab && n < sizeof movements / sizeof *movements; n++)
        if (strcmp(c->name, movements[n].command) == 0 && lab->granularity > movements[n].most)
            return tui_refuse(t, "the lab lets you go %s; %s is locked",
                              lab->granularity == LAB_TRAPS
                                  ? "from trap to trap only: trap, back-to-trap, cross, continue"
                                  : "through whole runs only: continue, reverse, resume",
                              c->name);
    return true;
}

/* Panes that it hides, or the lab before it did; its text is shown. */
static void take_over(struct tui *t, const struct engine_lab *lab) {
    t->lab_serial = lab->serial;
    for (int n = 0; n < PANES; n++)
        t->panes[n].hidden = false;
    for (size_t i = 0; i < lab->hide_count; i++) {
        struct pane *hidden = tui_pane(t, lab->hide[i]);
        if (hidden && strcmp(hidden->kind->name, lab->hide[i]) == 0)
            hidden->hidden = true;
        else
            tui_refuse(t, "the lab hides a pane \"%.40s\", and there is none of that name", lab->hide[i]);
    }
    struct pane *p = tui_pane(t, "scenario");
    if (p->hidden)
        return;
    tui_focus(t, p);
    if (!t->screen) {
        tui_draw_pane(t, p);
        struct sheet text = p->sheet;
        p->sheet = (struct sheet){0};
        tui_show_text(t, p->kind->title, &text);
    }
}

static void tell(struct tui *t, const struct engine_lab *lab) {
    const char *done = lab->steps[lab->done_count - 1].name;
    bool all = lab->done_count == lab->step_count;
    const char *next = all ? "all steps are done" : lab->steps[lab->done_count].name;
    if (!t->screen) {
        fprintf(t->out, "lab: done: %s (%zu of %zu)%s%s\n", done, lab->done_count, lab->step_count,
                all ? "; " : "; next: ", next);
        if (!all)
            fprintf(t->out, "lab: %s\n", lab->steps[lab->done_count].text);
        return;
    }
    size_t length = strlen(t->message);
    snprintf(t->message + length, sizeof t->message - length, "%sdone: %s%s%s", length ? "; " : "", done,
             all ? "; " : "; next: ", next);
}

void lab_look(struct tui *t, const struct command *c, const char *arguments) {
    struct engine *engine = session_engine(t->session);
    const struct engine_lab *lab = engine_lab(engine);
    if (!lab)
        return;
    if (lab->serial != t->lab_serial)
        take_over(t, lab);
    const struct engine_lab_moment now = {
        .machine = session_machine(t->session),
        .running = session_running(t->session),
        .command = c ? c->name : NULL,
        .arguments = arguments,
        .pane = t->focus >= 0 ? t->panes[t->focus].kind->name : NULL,
    };
    if (engine_lab_look(engine, &now) && !t->bad)
        tell(t, lab);
}
