/* Breakpoints: what there is, and how often it was met. */
#include "ui/tui/tui.h"

static void describe(const struct breakpoint *b, struct sheet *s) {
    switch (b->kind) {
    case BREAK_ADDRESS: sheet_print(s, STYLE_TEXT, "at %06X", b->address); break;
    case BREAK_CLASS:
        if (b->instruction >= 0)
            sheet_print(s, STYLE_TEXT, "before every %s", instruction_table[b->instruction].mnemonic);
        else
            sheet_print(s, STYLE_TEXT, "before every %s instruction",
                        b->critical                                       ? "critical"
                        : b->classes & CLASS_TRAPS                        ? "trapping"
                        : b->classes == (CLASS_CONTROL | CLASS_BEHAVIOUR) ? "sensitive"
                        : b->classes == CLASS_CONTROL                     ? "control-sensitive"
                                                                          : "behaviour-sensitive");
        break;
    case BREAK_TRAP:
        sheet_print(s, STYLE_TEXT, "behind every %s interruption",
                    interruption_name((enum interruption_class)b->interruption));
        if (b->code >= 0)
            sheet_print(s, STYLE_TEXT, " with code %04X", (unsigned)b->code);
        break;
    case BREAK_STORE: sheet_print(s, STYLE_TEXT, "when %u bytes at real %06X change", b->length, b->address); break;
    case BREAK_CONDITION: sheet_print(s, STYLE_TEXT, "where %s", b->condition); break;
    }
}

static void draw(struct tui *t, struct pane *p, struct sheet *s) {
    (void)p;
    if (!session_breakpoints(t->session))
        sheet_print(s, STYLE_DIM, "none; b sets one");
    for (size_t n = 0; n < session_breakpoints(t->session); n++) {
        const struct breakpoint *b = session_breakpoint(t->session, n);
        sheet_line(s);
        sheet_print(s, b->off ? STYLE_DIM : STYLE_BAD, "%2u ", b->number);
        sheet_print(s, style_level(machine_level(b->machine)), "%s ", machine_name(b->machine));
        describe(b, s);
        sheet_print(s, STYLE_DIM, "  met %llu times%s", (unsigned long long)b->hits, b->off ? ", off" : "");
    }
}

const struct pane_kind pane_breakpoints = {
    .name = "breakpoints",
    .title = "breakpoints",
    .key = 'B',
    .help = "The breakpoints: at an address, before a class of instructions, behind an interruption, when storage "
            "changes, or where a Lua expression becomes true. delete N and toggle N take them away and turn them off.",
    .draw = draw,
};
