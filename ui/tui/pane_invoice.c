/* Invoice: where the cycles went, by level and cause, and what the last command has cost.
 *
 * Idle cycles are told apart: waiting for a typewriter is longer than everything else together. */
#include <stdlib.h>
#include <string.h>

#include "ui/tui/tui.h"

enum {
    NAME_COLUMNS = 15,
    NUMBER_COLUMNS = 12,
    NARROW_COLUMNS = 9,
    CHANGE_COLUMNS = 9,
    BAR_MOST = 40,
    BAR_LEAST = 6,
    NARROW = 46
};

struct account {
    const struct machine *bare;
    int levels; /* that have any */
    bool any[CAUSE_COUNT];
    uint64_t busy, idle;
    int64_t last, last_idle; /* of the last command */
    int width, columns;      /* of the pane, and of a number */
};

static void read_account(struct tui *t, struct account *a) {
    for (int level = 0; level < MACHINE_LEVELS; level++)
        for (int cause = 0; cause < CAUSE_COUNT; cause++) {
            uint64_t n = machine_booked(a->bare, level, (enum cycle_cause)cause);
            int64_t last = session_cost(t->session, level, (enum cycle_cause)cause);
            *(cause == CAUSE_IDLE ? &a->idle : &a->busy) += n;
            *(cause == CAUSE_IDLE ? &a->last_idle : &a->last) += last;
            if (n || last) {
                a->levels = level + 1;
                a->any[cause] = true;
            }
        }
}

/* A change, with its sign; "" where there is none. */
static const char *change_text(char to[40], int64_t n) {
    char number[32];
    if (!n)
        return strcpy(to, "");
    to[0] = n < 0 ? '-' : '+';
    strcpy(to + 1, tui_grouped(number, (uint64_t)(n < 0 ? -n : n)));
    return to;
}

static void write_bar(const struct account *a, uint64_t part, enum style style, struct sheet *s) {
    int room = a->width - NAME_COLUMNS - a->columns - CHANGE_COLUMNS - 8;
    room = room < BAR_MOST ? room : BAR_MOST;
    if (room < BAR_LEAST || !a->busy)
        return;
    int filled = (int)((double)part * room / (double)a->busy + 0.5);
    filled = part && !filled ? 1 : filled;
    sheet_print(s, STYLE_TEXT, " ");
    for (int n = 0; n < filled; n++)
        sheet_print(s, style, "%s", sheet_sign(s, SIGN_BLOCK));
}

static void write_amount(const struct account *a, uint64_t n, int64_t last, struct sheet *s) {
    char number[32], change[40];
    sheet_print(s, n ? STYLE_TEXT : STYLE_DIM, " %*s", a->columns, tui_grouped(number, n));
    if (a->busy)
        sheet_print(s, STYLE_TEXT, " %3u%%", (unsigned)((double)n * 100 / (double)a->busy + 0.5));
    else
        sheet_print(s, STYLE_TEXT, "     ");
    sheet_print(s, last ? STYLE_CHANGED : STYLE_DIM, " %*s", a->width < NARROW ? 1 : CHANGE_COLUMNS - 1,
                change_text(change, last));
}

static const char *machine_at(struct tui *t, int level) {
    struct machine *m;
    const char *name = "";
    unsigned count = 0;
    for (size_t n = 0; (m = session_tree(t->session, n)); n++)
        if (machine_level(m) == level) {
            name = machine_name(m);
            count++;
        }
    return count == 1 ? name : "several";
}

static uint64_t level_part(const struct machine *bare, int level) {
    return machine_booked_level(bare, level) - machine_booked(bare, level, CAUSE_IDLE);
}

static void write_level(struct tui *t, const struct account *a, int level, struct sheet *s) {
    int64_t last = 0;
    for (int cause = 0; cause < CAUSE_COUNT; cause++)
        last += cause == CAUSE_IDLE ? 0 : session_cost(t->session, level, (enum cycle_cause)cause);
    uint64_t part = level_part(a->bare, level);
    sheet_line(s);
    sheet_topic(s, "nest:cycles");
    sheet_print(s, style_level(level), "L%d %-*.*s", level, NAME_COLUMNS - 3, NAME_COLUMNS - 3, machine_at(t, level));
    sheet_topic(s, NULL);
    write_amount(a, part, last, s);
    write_bar(a, part, style_level(level), s);
    for (int cause = 0; cause < CAUSE_COUNT; cause++) {
        uint64_t n = machine_booked(a->bare, level, (enum cycle_cause)cause);
        int64_t cost = session_cost(t->session, level, (enum cycle_cause)cause);
        if (cause == CAUSE_IDLE || (!n && !cost))
            continue;
        sheet_line(s);
        sheet_topic(s, "cause:%s", cycle_cause_name((enum cycle_cause)cause));
        sheet_print(s, STYLE_TEXT, " %-*s", NAME_COLUMNS - 1, cycle_cause_name((enum cycle_cause)cause));
        sheet_topic(s, NULL);
        write_amount(a, n, cost, s);
        write_bar(a, n, STYLE_DIM, s);
    }
}

/* One column a level, where there is room: the same numbers side by side. */
static void write_table(struct tui *t, const struct account *a, struct sheet *s) {
    char number[40];
    sheet_line(s);
    sheet_print(s, STYLE_DIM, "%-*s", NAME_COLUMNS, "");
    for (int level = 0; level < a->levels; level++)
        sheet_print(s, style_level(level), " L%d %-*.*s", level, NUMBER_COLUMNS - 3, NUMBER_COLUMNS - 3,
                    machine_at(t, level));
    for (int cause = 0; cause < CAUSE_COUNT; cause++) {
        if (!a->any[cause])
            continue;
        sheet_line(s);
        sheet_topic(s, "cause:%s", cycle_cause_name((enum cycle_cause)cause));
        sheet_print(s, STYLE_TEXT, "%-*s", NAME_COLUMNS, cycle_cause_name((enum cycle_cause)cause));
        sheet_topic(s, NULL);
        for (int level = 0; level < a->levels; level++) {
            uint64_t n = machine_booked(a->bare, level, (enum cycle_cause)cause);
            sheet_print(s, n ? STYLE_TEXT : STYLE_DIM, " %*s", NUMBER_COLUMNS, tui_grouped(number, n));
        }
    }
}

static void draw(struct tui *t, struct pane *p, struct sheet *s) {
    struct machine *m = session_machine(t->session);
    struct account a = {.width = p->width, .columns = p->width < NARROW ? NARROW_COLUMNS : NUMBER_COLUMNS};
    char number[32], change[40];
    if (!m) {
        sheet_print(s, STYLE_DIM, "no machine yet");
        return;
    }
    a.bare = machine_bare(m);
    read_account(t, &a);
    sheet_line(s);
    sheet_print(s, STYLE_STRONG, "%s busy cycles", tui_grouped(number, a.busy));
    if (a.last)
        sheet_print(s, STYLE_CHANGED, ", last command %s", change_text(change, a.last));
    sheet_line(s);
    sheet_topic(s, "cause:idle");
    sheet_print(s, STYLE_DIM, "%s idle", tui_grouped(number, a.idle));
    if (a.last_idle)
        sheet_print(s, STYLE_DIM, ", last command %s", change_text(change, a.last_idle));
    sheet_topic(s, NULL);
    sheet_print(s, STYLE_DIM, "; model %s", machine_model(a.bare)->name);
    for (int level = a.levels - 1; level >= 0; level--)
        write_level(t, &a, level, s);
    if (a.levels > 1 && p->width >= NAME_COLUMNS + a.levels * (NUMBER_COLUMNS + 1)) {
        sheet_line(s);
        write_table(t, &a, s);
    }
}

const struct pane_kind pane_invoice = {
    .name = "invoice",
    .title = "invoice",
    .key = '8',
    .help =
        "Where the cycles of the bare machine went: by level, and by cause within it, with their part of all that were "
        "busy; behind a + what the last command has cost. Idle cycles stand apart. Who handles a trap pays for it: "
        "most of the cost of nesting is booked to the lowest level.",
    .draw = draw,
};
