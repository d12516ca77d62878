/* State: PSW field by field, registers, clocks of the chosen machine; what the last command has changed is marked. */
#include <string.h>

#include "ui/tui/tui.h"

static enum style changed(bool is) { return is ? STYLE_CHANGED : STYLE_TEXT; }

static void write_psw(struct sheet *s, const struct psw *psw, const struct psw *before) {
    uint8_t raw[8], old[8];
    char text[17];
    static const char *const bits[] = {"problem:off", "problem:on",        "wait:off",
                                       "wait:on",     "machine_check:off", "machine_check:on"};
    psw_store(psw, raw, 0, 0);
    psw_store(before, old, 0, 0);
    bytes_to_hex(text, raw, 8);
    sheet_line(s);
    sheet_topic(s, "psw:mode");
    sheet_print(s, STYLE_STRONG, "PSW ");
    sheet_print(s, changed(memcmp(raw, old, 8) != 0), "%.8s %.8s", text, text + 8);
    sheet_print(s, STYLE_TEXT, "  %s mode", psw_ec(psw) ? "EC" : "BC");
    sheet_line(s);
    sheet_topic(s, "psw:%s", bits[psw_problem(psw)]);
    sheet_print(s, changed(psw_problem(psw) != psw_problem(before)), " %s state",
                psw_problem(psw) ? "problem" : "supervisor");
    sheet_topic(s, "psw:dat");
    sheet_print(s, changed(psw_dat(psw) != psw_dat(before)), "  DAT %s", psw_dat(psw) ? "on" : "off");
    sheet_topic(s, "psw:key");
    sheet_print(s, changed(psw->key != before->key), "  key %d", psw->key);
    sheet_topic(s, "psw:cc");
    sheet_print(s, changed(psw->cc != before->cc), "  cc %d", psw->cc);
    sheet_line(s);
    sheet_topic(s, "psw:io");
    sheet_print(s, changed(psw->system_mask != before->system_mask), " mask %02X", psw->system_mask);
    sheet_print(s, STYLE_TEXT, " I/O %s", psw->system_mask & (psw_ec(psw) ? PSW_EC_IO : 0xFE) ? "on" : "off");
    sheet_topic(s, "psw:external");
    sheet_print(s, STYLE_TEXT, ", external %s", psw_external(psw) ? "on" : "off");
    if (psw_wait(psw)) {
        sheet_topic(s, "psw:wait");
        sheet_print(s, STYLE_WARNING, "  WAIT");
    }
    sheet_topic(s, "psw:program_mask");
    sheet_print(s, STYLE_TEXT, "  pm %X", psw->program_mask);
    sheet_line(s);
    sheet_topic(s, "psw:ia");
    sheet_print(s, changed(psw->ia != before->ia), " next instruction %06X", psw->ia);
}

static void write_registers(struct sheet *s, const char *name, const char *topic, const uint32_t now[16],
                            const uint32_t before[16]) {
    for (int n = 0; n < 16; n++) {
        if (n % 4 == 0) {
            sheet_line(s);
            sheet_print(s, STYLE_DIM, "%s%-2d", name, n);
        }
        bool is = now[n] != before[n];
        sheet_topic(s, "%s:%d", topic, n);
        sheet_print(s, STYLE_CHANGED, "%s", is ? (s->ascii ? "*" : "\u203A") : " ");
        sheet_print(s, changed(is), "%08X", now[n]);
    }
}

static void draw(struct tui *t, struct pane *p, struct sheet *s) {
    struct machine *m = session_machine(t->session);
    struct machine_state now, before;
    (void)p;
    if (!m) {
        sheet_print(s, STYLE_DIM, "no machine yet");
        return;
    }
    machine_state(m, &now);
    if (!session_before(t->session, m, &before))
        before = now;
    sheet_print(s, style_level(machine_level(m)), "L%d %s", machine_level(m), machine_name(m));
    sheet_print(s, STYLE_DIM, "  %s", machine_status_name(machine_status(m)));
    write_psw(s, &now.psw, &before.psw);
    write_registers(s, "R", "register", now.gpr, before.gpr);
    write_registers(s, "C", "control", now.cr, before.cr);
    sheet_line(s);
    sheet_topic(s, "prefix");
    sheet_print(s, changed(now.prefix != before.prefix), "prefix %06X", now.prefix);
    sheet_topic(s, "clock:tod");
    sheet_print(s, STYLE_TEXT, "  TOD %016llX", (unsigned long long)now.tod);
    sheet_line(s);
    sheet_topic(s, "clock:comparator");
    sheet_print(s, changed(now.clock_comparator != before.clock_comparator), "comparator %016llX",
                (unsigned long long)now.clock_comparator);
    sheet_line(s);
    sheet_topic(s, "clock:cpu_timer");
    sheet_print(s, STYLE_TEXT, "CPU timer  %016llX", (unsigned long long)now.cpu_timer);
    uint8_t timer[4];
    if (machine_peek(m, 0x50, timer, 4) == ACCESS_OK) {
        sheet_line(s);
        sheet_topic(s, "clock:interval_timer");
        sheet_print(s, STYLE_TEXT, "interval timer (80) %08X", bytes_get32(timer));
    }
}

const struct pane_kind pane_state = {
    .name = "state",
    .title = "state",
    .key = '2',
    .help = "The chosen machine as its own program sees it: the PSW field by field, general and control registers, "
            "prefix and clocks. What the last command has changed is marked.",
    .draw = draw,
};
