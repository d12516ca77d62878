/* Map: where the chosen guest's state is in the machine below it, piece by piece; whether the last step's square held;
 * and where its last write to its disk went. */
#include <string.h>

#include "isa/disassembler.h"
#include "ui/tui/look.h"
#include "vmm/follow.h"
#include "vmm/isomorphism.h"
#include "vmm/square.h"

enum { WIDE = 52, BROAD = 96, TALL = 14, PAGE = 4096 };

static const char *changed_sign(const struct sheet *s, bool is) { return !is ? " " : s->ascii ? "*" : "\u203A"; }

/* ---- The square ---- */

static void write_step(const struct tui *t, const struct square *q, struct sheet *s) {
    char line[DISASSEMBLER_TEXT];
    (void)t;
    if (!q->last_count)
        return;
    const struct lockstep_step *step = &q->last[q->last_count - 1];
    disassemble(line, step->text, sizeof step->text);
    sheet_print(s, STYLE_TEXT, "%s", *step->interruption ? step->interruption : line);
}

static void write_square(struct tui *t, bool tall, unsigned width, struct sheet *s) {
    const char *why;
    const struct square *q = session_square(t->session, &why);
    const char *arrow = sheet_sign(s, SIGN_ARROW);
    bool holds = q && q->outcome != SQUARE_BROKEN;
    sheet_line(s);
    sheet_topic(s, "map:square");
    if (tall) {
        sheet_print(s, STYLE_VIRTUAL, "  S  ---- e ----%s e(S)      ", arrow);
        sheet_print(s, STYLE_DIM, "the guest: ");
        if (q)
            write_step(t, q, s);
        sheet_line(s);
        sheet_print(s, STYLE_DIM, "f |              | f");
        sheet_line(s);
        sheet_topic(s, "map:square");
        sheet_print(s, STYLE_REAL, " f(S) --- e' ---%s f(e(S))   ", arrow);
        sheet_print(s, STYLE_DIM, "its host, with all monitors");
        sheet_line(s);
        sheet_topic(s, "map:square");
    }
    if (!q) {
        sheet_print(s, STYLE_DIM, "%s f(e(S)) = e'(f(S)): %s", sheet_sign(s, SIGN_OPEN), why);
        return;
    }
    sheet_print(s, holds ? STYLE_GOOD : STYLE_BAD, "%s f(e(S)) %s e'(f(S))",
                sheet_sign(s, holds ? SIGN_GOOD : SIGN_BAD), holds ? "=" : "is not");
    if (holds)
        sheet_print(s, STYLE_DIM, ": %llu pieces", (unsigned long long)q->pieces);
    if (!tall) {
        sheet_print(s, STYLE_DIM, ", ");
        write_step(t, q, s);
    }
    if (!holds)
        sheet_wrapped(s, STYLE_BAD, width, 2, q->what);
}

/* ---- Rings ---- */

static void write_ring(const struct psw *psw, struct sheet *s) {
    sheet_print(s, psw_problem(psw) ? STYLE_INNOCUOUS : STYLE_SENSITIVE, "%s",
                psw_problem(psw) ? "problem" : "supervisor");
    sheet_print(s, STYLE_TEXT, "%s", psw_dat(psw) ? " DAT" : "");
}

/* What each machine believes that it runs in, and what the one below has in its PSW for it: where it runs. */
static void write_rings(const struct isomorphism *f, bool wide, struct sheet *s) {
    for (unsigned n = 0; n < f->levels; n++) {
        const struct isomorphism_level *l = &f->level[n];
        sheet_line(s);
        sheet_topic(s, "psw:problem");
        sheet_print(s, style_level(machine_level(l->machine)), "L%d", machine_level(l->machine));
        if (wide)
            sheet_print(s, STYLE_TEXT, " %s%s ", machine_name(l->machine), l->host ? " believes" : " is in");
        else
            sheet_print(s, STYLE_TEXT, ": ");
        write_ring(&l->state.psw, s);
        if (!l->host)
            continue;
        sheet_print(s, STYLE_TEXT, " %s ", sheet_sign(s, SIGN_ARROW));
        if (l->live)
            write_ring(&l->below.psw, s);
        else
            sheet_print(s, STYLE_DIM, "not on the CPU");
    }
}

/* ---- Pieces ---- */

static int digits(enum piece_kind kind) {
    static const uint8_t of[PIECE_KINDS] = {
        [PIECE_GENERAL_REGISTER] = 8, [PIECE_SYSTEM_MASK] = 2, [PIECE_INSTRUCTION_ADDRESS] = 6,
        [PIECE_CONTROL_REGISTER] = 8, [PIECE_PREFIX] = 6,      [PIECE_TOD] = 16,
        [PIECE_COMPARATOR] = 16,      [PIECE_CPU_TIMER] = 16,  [PIECE_INTERVAL_TIMER] = 8,
    };
    return of[kind] ? of[kind] : 1;
}

static void topic_of(const struct piece *p, struct sheet *s) {
    static const char *const topics[PIECE_KINDS] = {
        [PIECE_SYSTEM_MASK] = "psw:system_mask",
        [PIECE_ACCESS_KEY] = "psw:key",
        [PIECE_EC_MODE] = "psw:mode",
        [PIECE_MACHINE_CHECK_MASK] = "psw:machine_check",
        [PIECE_WAIT] = "psw:wait",
        [PIECE_PROBLEM] = "psw:problem",
        [PIECE_CONDITION_CODE] = "psw:cc",
        [PIECE_PROGRAM_MASK] = "psw:program_mask",
        [PIECE_INSTRUCTION_ADDRESS] = "psw:ia",
        [PIECE_PREFIX] = "prefix",
        [PIECE_TOD] = "clock:tod",
        [PIECE_COMPARATOR] = "clock:comparator",
        [PIECE_CPU_TIMER] = "clock:cpu_timer",
        [PIECE_INTERVAL_TIMER] = "clock:interval_timer",
    };
    if (p->kind == PIECE_GENERAL_REGISTER || p->kind == PIECE_CONTROL_REGISTER)
        sheet_topic(s, "%s:%u", p->kind == PIECE_CONTROL_REGISTER ? "control" : "register", p->n);
    else
        sheet_topic(s, "%s", topics[p->kind] ? topics[p->kind] : "map:piece");
}

static bool has_changed(struct tui *t, const struct isomorphism_row *row) {
    struct machine_state before;
    uint64_t was;
    return row->known && session_before(t->session, row->machine, &before) &&
           isomorphism_value(&before, &row->piece, &was) && was != row->value;
}

/* "R5", or the piece's name. */
static void write_piece(const struct isomorphism_row *row, bool wide, struct sheet *s) {
    char text[ISOMORPHISM_TEXT];
    if (!wide && row->piece.kind == PIECE_GENERAL_REGISTER)
        snprintf(text, sizeof text, "R%u", (unsigned)row->piece.n);
    else if (!wide && row->piece.kind == PIECE_CONTROL_REGISTER)
        snprintf(text, sizeof text, "C%u", (unsigned)row->piece.n);
    else
        isomorphism_piece_text(row, text);
    if (!wide && strncmp(text, "PSW ", 4) == 0)
        memmove(text, text + 4, strlen(text + 4) + 1);
    sheet_print(s, STYLE_VIRTUAL, wide ? "%-23s" : "%.14s", text);
}

/* "data psw.key", "R5 of the CPU": where, in few columns. */
static void write_place(const struct isomorphism_row *row, bool broad, struct sheet *s) {
    char text[ISOMORPHISM_TEXT];
    if (broad) {
        isomorphism_place_text(row, text);
        sheet_print(s, STYLE_REAL, "%s", text);
        return;
    }
    switch (row->place) {
    case PLACE_REGISTER: sheet_print(s, STYLE_REAL, "CPU L%d", row->level - 1); break;
    case PLACE_MONITOR: sheet_print(s, STYLE_REAL, "monitor's %s", row->field); break;
    case PLACE_STORAGE: sheet_print(s, STYLE_REAL, "L%d %06X", row->level - 1, row->at); break;
    case PLACE_DISK:
        sheet_print(s, STYLE_REAL, "disk %03X, blocks %u-%u", row->at, row->first, row->first + row->blocks - 1);
        break;
    default: sheet_print(s, STYLE_REAL, "%s", isomorphism_place_name(row->place)); break;
    }
}

static void write_row(struct tui *t, const struct isomorphism_row *row, bool wide, bool broad, struct sheet *s) {
    bool changed = has_changed(t, row);
    int n = digits(row->piece.kind);
    sheet_line(s);
    topic_of(&row->piece, s);
    sheet_print(s, STYLE_CHANGED, "%s", changed_sign(s, changed));
    write_piece(row, wide, s);
    if (row->known)
        sheet_print(s, changed ? STYLE_CHANGED : STYLE_TEXT, " %0*llX", n, (unsigned long long)row->value);
    sheet_print(s, STYLE_TEXT, " %s ", sheet_sign(s, SIGN_ARROW));
    write_place(row, broad, s);
    if (row->known && row->stands != row->value)
        sheet_print(s, STYLE_TEXT, " %0*llX", n, (unsigned long long)row->stands);
    if (broad && row->known && row->encoding != ENCODING_SAME && row->encoding != ENCODING_KEPT)
        sheet_print(s, STYLE_DIM, ", %s", isomorphism_encoding_text(row->encoding));
    if (row->in_force_known && row->in_force != row->value)
        sheet_print(s, STYLE_WARNING, "%s %0*llX", wide ? "; the CPU has" : "; CPU", n,
                    (unsigned long long)row->in_force);
}

/* Registers that are the same in both, and were before, are folded. */
static bool is_plain(struct tui *t, const struct isomorphism_row *row) {
    return (row->piece.kind == PIECE_GENERAL_REGISTER || row->piece.kind == PIECE_CONTROL_REGISTER) && row->known &&
           row->stands == row->value && !(row->in_force_known && row->in_force != row->value) && !has_changed(t, row);
}

static void write_folded(const struct isomorphism_row *first, uint32_t last, bool wide, bool broad, struct sheet *s) {
    sheet_line(s);
    topic_of(&first->piece, s);
    sheet_print(s, STYLE_TEXT, " ");
    write_piece(first, wide, s);
    sheet_print(s, STYLE_VIRTUAL, wide ? " to %-5u" : "-%u", last);
    sheet_print(s, STYLE_TEXT, " %s ", sheet_sign(s, SIGN_ARROW));
    write_place(first, broad, s);
    sheet_print(s, STYLE_DIM, ", the same");
}

static void write_pieces(struct tui *t, const struct isomorphism *f, bool wide, bool broad, struct sheet *s) {
    struct isomorphism_row row, first = {0};
    struct piece p = {0};
    uint32_t folded = 0;
    sheet_line(s);
    sheet_print(s, STYLE_STRONG, "piece by piece");
    for (bool more = true; more && p.kind < PIECE_STORAGE;) {
        bool is = isomorphism_row(f, 0, &p, &row), plain = is && is_plain(t, &row);
        more = isomorphism_next(f, 0, &p);
        if (plain && folded++ == 0)
            first = row;
        if (plain && p.kind == row.piece.kind)
            continue;
        if (folded == 1)
            write_row(t, &first, wide, broad, s);
        else if (folded)
            write_folded(&first, first.piece.n + folded - 1, wide, broad, s);
        folded = 0;
        if (is && !plain)
            write_row(t, &row, wide, broad, s);
    }
    p = (struct piece){.kind = PIECE_DEVICE};
    for (; isomorphism_row(f, 0, &p, &row); p.n++) {
        row.known = false;
        write_row(t, &row, wide, broad, s);
    }
}

/* Storage in runs that lie together in the machine below. */
static void write_storage(const struct isomorphism *f, bool wide, struct sheet *s) {
    const struct isomorphism_level *l = &f->level[0];
    uint32_t memory = machine_memory(l->machine), from = 0;
    int64_t start = -1, bare = -1;
    for (uint32_t at = 0; at <= memory; at += PAGE) {
        int64_t below = at < memory ? look_frame(l->machine, storage_prefix(at, l->prefix)) : -1;
        if (start >= 0 && below == start + (at - from))
            continue;
        if (start >= 0) {
            sheet_line(s);
            sheet_topic(s, "map:storage");
            sheet_print(s, STYLE_VIRTUAL, wide ? " storage %06X-%06X" : " %06X-%06X", from, at - 1);
            sheet_print(s, STYLE_REAL, " %s L%d %06X-%06X", sheet_sign(s, SIGN_ARROW), machine_level(l->machine) - 1,
                        (unsigned)start, (unsigned)start + (at - from) - 1);
            if (bare >= 0 && f->levels > 2)
                sheet_print(s, STYLE_REAL, " %s L0 %06X", sheet_sign(s, SIGN_ARROW), (unsigned)bare);
        }
        from = at;
        start = below;
        bare = below >= 0 ? isomorphism_storage(f, at) : -1;
    }
}

/* ---- A disk write ---- */

static void write_followed(struct tui *t, struct sheet *s) {
    const struct follow_write *w = session_write(t->session);
    sheet_line(s);
    sheet_topic(s, "map:disk");
    sheet_print(s, STYLE_STRONG, "last disk write");
    if (!w) {
        sheet_print(s, STYLE_DIM, ": none yet");
        return;
    }
    sheet_print(s, STYLE_TEXT, ", number %llu, %u bytes", (unsigned long long)w->number, w->length);
    for (unsigned n = 0; n < w->levels; n++) {
        const struct follow_level *l = &w->level[n];
        char text[FOLLOW_TEXT];
        follow_ccw_text(&l->write, text);
        sheet_line(s);
        sheet_print(s, style_level(l->level), "L%d", l->level);
        sheet_print(s, n == 0 ? STYLE_VIRTUAL : STYLE_REAL, " disk %03X blocks %u-%u", l->device, l->first,
                    l->first + l->blocks - 1);
        sheet_print(s, STYLE_TEXT, ": CCW at %06X, %s", l->write.address, text);
        if (l->pieces)
            sheet_print(s, STYLE_DIM, "; data at %06X%s", l->piece[0].address,
                        l->pieces > 1 ? sheet_sign(s, SIGN_MORE) : "");
    }
}

static void draw(struct tui *t, struct pane *p, struct sheet *s) {
    struct machine *m = session_machine(t->session);
    struct isomorphism f;
    bool wide = p->width >= WIDE || !t->screen, tall = p->height >= TALL || !t->screen;
    if (!m || !machine_host(m)) {
        sheet_wrapped(s, STYLE_DIM, (unsigned)p->width, 0,
                      m ? "f leads from the states of a virtual machine to those of the machine below it. This is the "
                          "bare machine; > chooses the one above."
                        : "no machine yet");
        return;
    }
    isomorphism_look(&f, m, 0);
    sheet_print(s, style_level(machine_level(m)), "L%d %s", machine_level(m), machine_name(m));
    sheet_print(s, STYLE_TEXT, " %s f %s ", sheet_sign(s, SIGN_ARROW), sheet_sign(s, SIGN_ARROW));
    sheet_print(s, style_level(machine_level(m) - 1), "L%d %s", machine_level(m) - 1, machine_name(machine_host(m)));
    if (!f.level[0].live)
        sheet_print(s, STYLE_DIM, " (%s)", wide ? "its monitor has the CPU, or it waits" : "not running");
    write_square(t, tall, (unsigned)p->width, s);
    write_rings(&f, wide, s);
    write_pieces(t, &f, wide, p->width >= BROAD || !t->screen, s);
    write_storage(&f, wide, s);
    write_followed(t, s);
}

const struct pane_kind pane_map = {
    .name = "map",
    .title = "map",
    .key = '9',
    .help = "The map f of Popek and Goldberg: for every piece of the chosen guest's state where it is in the machine "
            "below, and what stands there. Above: whether f(e(S)) = e'(f(S)) held for the last single step, that is, "
            "whether the host went along with the guest; and the rings, what each machine believes that it runs in and "
            "what it does run in. Below: storage, devices, and the guest's last disk write followed to the real disk.",
    .draw = draw,
};
