/* Walk: an address of the chosen machine, through its tables, its prefix and f, down to the bare machine; beside it the
 * tables that monitors have made of it, and the TLB.
 *
 * A path is laid first, level by level, and then written in one of two forms: short lines where there is little room,
 * sentences with the formulas where there is more. */
#include <string.h>

#include "base/bytes.h"
#include "isa/supervisor.h"
#include "ui/tui/explain.h"
#include "ui/tui/look.h"

enum { PAGE = 4096, WIDE = 52, BROAD = 80, TALL = 24, ADDRESSES = 0xFFFFFF };

/* One translation by tables in the storage of `machine`. */
struct walked {
    struct machine *machine;
    uint32_t cr0, cr1;
    bool valid_format;
    struct dat_format format;
    struct dat_walk walk;
};

/* One level of the way down: what real address became of the one above. */
struct level {
    struct machine *machine;
    uint32_t prefix, real, absolute;
    bool installed;
    int64_t below; /* real address of the machine below; -1: none */
    /* The tables that the machine below has in force for this one's addresses: its shadow. */
    bool has_shadow, now; /* of this moment; otherwise of the last dispatch that is known */
    struct walked shadow;
};

struct path {
    uint32_t address;
    const char *why; /* this address */
    bool dat;
    struct walked own;
    struct level level[MACHINE_LEVELS];
    unsigned levels;
    bool reached; /* the bare machine's storage */
};

/* ---- Laying the path ---- */

static enum access fetch(void *self, uint32_t real, void *to, uint32_t length) {
    return machine_peek(self, real, to, length);
}

static void walk(struct walked *w, struct machine *m, uint32_t cr0, uint32_t cr1, uint32_t va) {
    *w = (struct walked){.machine = m, .cr0 = cr0, .cr1 = cr1};
    w->valid_format = dat_format(cr0, &w->format);
    dat_translate(cr0, cr1, va, fetch, m, &w->walk);
}

/* Whether m's monitor has no other guest: then what it tells of a guest is m's. */
static bool is_only_guest(struct tui *t, const struct machine *m) {
    struct machine *other;
    for (size_t n = 0; (other = session_tree(t->session, n)); n++)
        if (other != m && machine_host(other) == machine_host(m))
            return false;
    return true;
}

/* The tables under which m was dispatched last; with `failed` before the trap for which this address was missing. */
static bool last_dispatch(struct tui *t, struct machine *m, uint32_t address, bool failed, uint32_t *cr1) {
    const struct machine *host = machine_host(m);
    bool found = !failed;
    if (!is_only_guest(t, m))
        return false;
    for (size_t n = session_events(t->session); n-- > 0;) {
        const struct session_event *e = session_event(t->session, n);
        if (e->machine != host)
            continue;
        if (found && e->kind == TRACE_DISPATCH) {
            *cr1 = (uint32_t)e->b;
            return true;
        }
        found = found || (e->kind == TRACE_TRAP && (e->a == ACCESS_SEGMENT || e->a == ACCESS_PAGE) && e->c == address);
    }
    return false;
}

/* With `earlier` the address is one of a space that is not in force any more: pages of its size, in segments of 64K, as
 * monitors make them. */
static void find_shadow(struct tui *t, const struct path *path, struct level *l, bool earlier) {
    struct machine *host = machine_host(l->machine);
    struct machine_state state;
    if (!host || (earlier && path->levels > 1))
        return;
    machine_state(host, &state);
    uint32_t cr0 = state.cr[0], cr1 = state.cr[1];
    l->now = !earlier && machine_is_live(l->machine, 0);
    l->has_shadow = l->now || last_dispatch(t, l->machine, path->address, earlier, &cr1);
    if (earlier)
        cr0 = (cr0 & ~DAT_FORMAT_MASK) | (path->own.format.page_shift == 11 ? DAT_FORMAT_2K_64K : DAT_FORMAT_4K_64K);
    if (l->has_shadow)
        walk(&l->shadow, host, cr0, cr1, path->address);
}

/* The machine's last interruption by program, when it was one of translation, with DAT on, and it is being handled with
 * DAT off: what failed. */
static bool failed_address(struct machine *m, const struct machine_state *state, uint32_t *to) {
    uint8_t raw[4], old[8];
    struct psw psw;
    if (psw_dat(&state->psw) || machine_peek(m, look_places[INTERRUPTION_PROGRAM].old_psw, old, 8) != ACCESS_OK ||
        machine_peek(m, 0x8C, raw, 4) != ACCESS_OK)
        return false;
    uint16_t code = bytes_get16(raw + 2);
    psw_load(&psw, old);
    if (!psw_dat(&psw) || (code != ACCESS_SEGMENT && code != ACCESS_PAGE) || machine_peek(m, 0x90, raw, 4) != ACCESS_OK)
        return false;
    *to = bytes_get32(raw) & ADDRESSES;
    return true;
}

static uint32_t address_that_matters(struct tui *t, struct pane *p, struct machine *m,
                                     const struct machine_state *state, struct path *path) {
    struct look_operand operands[LOOK_OPERANDS];
    uint8_t text[6] = {0};
    uint32_t address;
    const struct instruction *i = NULL;
    path->dat = psw_dat(&state->psw);
    path->why = "as you asked";
    if (look_at(t, p, &address))
        return address;
    path->why = "last translation exception";
    if (failed_address(m, state, &address)) {
        path->dat = true;
        return address;
    }
    if (look_storage(m, state, state->psw.ia, text, 2) == 2)
        i = instruction_decode_in(machine_profile(m), text);
    look_storage(m, state, state->psw.ia, text, i ? i->length : 2);
    unsigned n = i ? look_operands(state, i, text, operands) : 0;
    path->why = "operand of the next instruction";
    for (unsigned k = 0; k < n; k++)
        if (operands[k].length && !operands[k].branch)
            return operands[k].address;
    path->why = "the next instruction";
    return state->psw.ia;
}

/* From a real address of the first machine to the bare one's storage. */
static void descend(struct tui *t, struct path *path, struct machine *m, uint32_t real, bool earlier) {
    bool leads = !path->dat || path->own.walk.result == ACCESS_OK;
    for (; m; m = machine_host(m)) {
        struct level *l = &path->level[path->levels++];
        struct machine_state state;
        machine_state(m, &state);
        *l = (struct level){.machine = m, .prefix = state.prefix, .real = real, .below = -1};
        find_shadow(t, path, l, earlier);
        if (!leads)
            continue;
        l->absolute = storage_prefix(real, state.prefix);
        l->installed = l->absolute < machine_memory(m);
        l->below = l->installed ? look_frame(m, real & ~(PAGE - 1u)) : -1;
        path->reached = l->installed && !machine_host(m);
        leads = l->below >= 0;
        real = (uint32_t)l->below + real % PAGE;
    }
}

static void lay(struct tui *t, struct pane *p, struct machine *m, struct path *path) {
    struct machine_state state;
    *path = (struct path){0};
    machine_state(m, &state);
    path->address = address_that_matters(t, p, m, &state, path);
    if (path->dat)
        walk(&path->own, m, state.cr[0], state.cr[1], path->address);
    descend(t, path, m, path->dat ? path->own.walk.real : path->address, path->dat != psw_dat(&state.psw));
}

/* ---- Entries, with their bits by name ---- */

static bool invalid_segment(const struct walked *w) { return w->walk.segment_entry & 1; }
static bool invalid_page(const struct walked *w) { return w->walk.page_entry & (w->format.page_shift == 12 ? 8 : 4); }

static void write_segment_bits(struct sheet *s, const struct walked *w) {
    uint32_t entry = w->walk.segment_entry;
    sheet_topic(s, invalid_segment(w) ? "ste:invalid" : "ste:valid");
    sheet_print(s, invalid_segment(w) ? STYLE_BAD : STYLE_GOOD, " %s%s",
                invalid_segment(w) ? sheet_sign(s, SIGN_BAD) : "", invalid_segment(w) ? "invalid" : "valid");
    if (entry & 4) {
        sheet_topic(s, "ste:protected");
        sheet_print(s, STYLE_WARNING, " protected");
    }
    if (entry & 2) {
        sheet_topic(s, "ste:common");
        sheet_print(s, STYLE_TEXT, " common");
    }
}

static void write_page_bits(struct sheet *s, const struct walked *w) {
    sheet_topic(s, invalid_page(w) ? "pte:invalid" : "pte:valid");
    sheet_print(s, invalid_page(w) ? STYLE_BAD : STYLE_GOOD, " %s%s", invalid_page(w) ? sheet_sign(s, SIGN_BAD) : "",
                invalid_page(w) ? "invalid" : "valid");
    if (w->walk.page_protected) {
        sheet_topic(s, "pte:protected");
        sheet_print(s, STYLE_WARNING, " protected");
    }
}

static const char *reason(const struct walked *w) {
    const struct dat_walk *k = &w->walk;
    if (!w->valid_format)
        return "CR0 has no translation format";
    switch (k->result) {
    case ACCESS_OK: return "";
    case ACCESS_SEGMENT: return k->condition == 3 ? "beyond the segment table's length" : "segment invalid";
    case ACCESS_PAGE: return k->condition == 3 ? "beyond the page table's length" : "page invalid";
    case ACCESS_ADDRESSING: return "the table is outside of storage";
    default: return "a bit that must be zero is one";
    }
}

static void write_failure(struct sheet *s, const struct walked *w, bool shadow) {
    unsigned code = (unsigned)w->walk.result;
    sheet_topic(s, shadow ? "shadow:missing" : "program:%04X", code);
    if (shadow)
        sheet_print(s, STYLE_WARNING, "%s not made: the next use traps", sheet_sign(s, SIGN_OPEN));
    else
        sheet_print(s, STYLE_BAD, "%s exception %04X: %s", sheet_sign(s, SIGN_BAD), code, reason(w));
}

/* Short: one line an entry. Long: the formula, then the entry. */
static void write_entry_lines(struct sheet *s, const struct walked *w, const char *indent, bool formulas) {
    const struct dat_walk *k = &w->walk;
    if (!w->valid_format)
        return;
    sheet_line(s);
    sheet_topic(s, "ste:address");
    if (formulas)
        sheet_print(s, STYLE_TEXT, "%ssegment %02X: %06X + 4 x %02X = %06X:", indent, k->segment_index,
                    w->cr1 & 0xFFFFC0, k->segment_index, k->segment_entry_address);
    else
        sheet_print(s, STYLE_TEXT, "%ssegment %02X at %06X:", indent, k->segment_index, k->segment_entry_address);
    if (k->segment_read) {
        sheet_topic(s, "ste:entry");
        sheet_print(s, STYLE_STRONG, " %08X", k->segment_entry);
        write_segment_bits(s, w);
    }
    if (!k->page_entry_address)
        return;
    sheet_line(s);
    sheet_topic(s, "pte:address");
    if (formulas)
        sheet_print(s, STYLE_TEXT, "%spage %02X: %06X + 2 x %02X = %06X:", indent, k->page_index,
                    k->segment_entry & 0xFFFFF8, k->page_index, k->page_entry_address);
    else
        sheet_print(s, STYLE_TEXT, "%spage %02X at %06X:", indent, k->page_index, k->page_entry_address);
    if (k->page_read) {
        sheet_topic(s, "pte:entry");
        sheet_print(s, STYLE_STRONG, " %04X", k->page_entry);
        write_page_bits(s, w);
    }
}

/* Which tables: "CR1 00002000 64K/4K", or in more words. */
static void write_tables_head(struct sheet *s, const struct walked *w, bool wide) {
    sheet_topic(s, "control:1");
    sheet_print(s, STYLE_TEXT, " CR1 %08X", w->cr1);
    sheet_topic(s, "control:0");
    if (!w->valid_format) {
        sheet_print(s, STYLE_BAD, " CR0 %08X: no format", w->cr0);
        return;
    }
    const char *segment = w->format.segment_shift == 20 ? "1M" : "64K";
    unsigned page = 1u << (w->format.page_shift - 10);
    if (wide)
        sheet_print(s, STYLE_DIM, ": segments of %s, pages of %uK", segment, page);
    else
        sheet_print(s, STYLE_DIM, " %s/%uK", segment, page);
}

static void write_machine(struct sheet *s, const struct machine *m) {
    sheet_topic(s, "level:%d", machine_level(m));
    sheet_print(s, style_level(machine_level(m)), "L%d %s", machine_level(m), machine_name(m));
}

/* ---- The whole picture ---- */

static void write_result(struct sheet *s, const struct path *path) {
    const struct level *last = &path->level[path->levels - 1];
    sheet_line(s);
    if (path->reached) {
        sheet_topic(s, "walk:reached");
        sheet_print(s, STYLE_GOOD, "%s %06X of L0 %s", sheet_sign(s, SIGN_ARROW), last->absolute,
                    machine_name(last->machine));
        int key = machine_key(last->machine, last->real);
        sheet_topic(s, "storage:key");
        if (key >= 0)
            sheet_print(s, STYLE_DIM, ", key %X%s%s%s", key >> 4, key & KEY_FETCH ? " fetch-protected" : "",
                        key & KEY_REFERENCE ? " referenced" : "", key & KEY_CHANGE ? " changed" : "");
    } else if (path->dat && path->own.walk.result != ACCESS_OK) {
        write_failure(s, &path->own, false);
    } else {
        sheet_topic(s, "program:0005");
        sheet_print(s, STYLE_BAD, "%s exception 0005: there is no such storage", sheet_sign(s, SIGN_BAD));
    }
}

static void write_own(struct sheet *s, const struct path *path, const struct machine *m, bool wide, bool formulas) {
    sheet_line(s);
    write_machine(s, m);
    if (!path->dat) {
        sheet_topic(s, "psw:dat");
        sheet_print(s, STYLE_TEXT, ": DAT off, real is %06X", path->address);
        return;
    }
    write_tables_head(s, &path->own, wide);
    write_entry_lines(s, &path->own, " ", formulas);
}

/* Real to absolute, and f. */
static void write_level(struct sheet *s, const struct path *path, unsigned n, bool wide) {
    const struct level *l = &path->level[n];
    const char *arrow = sheet_sign(s, SIGN_ARROW);
    if (n > 0 && path->level[n - 1].below < 0)
        return;
    if (path->dat && path->own.walk.result != ACCESS_OK)
        return;
    sheet_line(s);
    if (n > 0)
        write_machine(s, l->machine);
    sheet_topic(s, "prefix");
    sheet_print(s, STYLE_VIRTUAL, " real %06X", l->real);
    if (l->absolute != l->real || wide)
        sheet_print(s, STYLE_TEXT, " %s prefix %06X %s absolute %06X", arrow, l->prefix, arrow, l->absolute);
    if (!machine_host(l->machine))
        return;
    sheet_topic(s, "map:storage");
    if (l->below >= 0)
        sheet_print(s, STYLE_REAL, " %s f %s L%d %06X", arrow, arrow, machine_level(l->machine) - 1,
                    (uint32_t)l->below + l->real % PAGE);
    else
        sheet_print(s, STYLE_BAD, " %s outside of its storage", sheet_sign(s, SIGN_BAD));
}

/* Whether the monitor's entry leads where f does. */
static void write_agreement(struct sheet *s, const struct path *path, const struct level *l) {
    const struct walked *w = &l->shadow;
    sheet_line(s);
    if (w->walk.result != ACCESS_OK) {
        sheet_print(s, STYLE_TEXT, "  ");
        write_failure(s, w, true);
        return;
    }
    bool same = l->below >= 0 && w->walk.real == (uint32_t)l->below + l->real % PAGE;
    const struct level *top = &path->level[0];
    sheet_topic(s, "shadow:entry");
    sheet_print(s, STYLE_REAL, "  %s %06X", sheet_sign(s, SIGN_ARROW), w->walk.real);
    if (l->below < 0 && (l != top || path->dat))
        sheet_print(s, STYLE_WARNING, " the guest's tables do not lead there");
    else
        sheet_print(s, same ? STYLE_GOOD : STYLE_BAD, " %s %s", sheet_sign(s, same ? SIGN_GOOD : SIGN_BAD),
                    same ? "as f has it" : "not what f says: stale, or of another space");
}

static void write_shadow(struct sheet *s, const struct path *path, unsigned n, bool wide, bool formulas) {
    const struct level *l = &path->level[n];
    if (!machine_host(l->machine))
        return;
    sheet_line(s);
    sheet_topic(s, "shadow:tables");
    sheet_print(s, style_level(machine_level(l->machine) - 1), "L%d", machine_level(l->machine) - 1);
    sheet_print(s, STYLE_STRONG, " shadow");
    if (!l->has_shadow) {
        sheet_print(s, STYLE_DIM, ": %s was not seen running in it", machine_name(l->machine));
        return;
    }
    write_tables_head(s, &l->shadow, false);
    if (!l->now && wide)
        sheet_print(s, STYLE_DIM, ", as %s ran last", machine_name(l->machine));
    write_entry_lines(s, &l->shadow, "  ", formulas);
    write_agreement(s, path, l);
}

/* What the CPU's TLB has for the address under the tables that it walks: the lowest shadow, or the bare machine's own.
 */
static void write_tlb(struct sheet *s, const struct path *path) {
    const struct level *bare = &path->level[path->levels - 1];
    const struct walked *w = path->levels > 1 ? &path->level[path->levels - 2].shadow : &path->own;
    const struct tlb *tlb = machine_tlb(bare->machine, 0);
    unsigned way = 0;
    sheet_line(s);
    sheet_topic(s, "tlb:entry");
    sheet_print(s, STYLE_STRONG, "TLB");
    if (!w->valid_format) {
        sheet_print(s, STYLE_DIM, ": not asked now");
        return;
    }
    const struct tlb_entry *entry = tlb_look(tlb, tlb_space(w->cr0, w->cr1), path->address, w->format.page_shift, &way);
    sheet_print(s, STYLE_TEXT, " set %u: ", tlb_set(path->address, w->format.page_shift));
    if (!entry) {
        sheet_print(s, STYLE_DIM, "%s not there", sheet_sign(s, SIGN_OPEN));
        return;
    }
    bool same = w->walk.result == ACCESS_OK && w->walk.frame == entry->frame;
    sheet_print(s, STYLE_REAL, "%s %06X, way %u", sheet_sign(s, SIGN_ARROW), entry->frame, way);
    sheet_print(s, same ? STYLE_GOOD : STYLE_WARNING, " %s %s", sheet_sign(s, same ? SIGN_GOOD : SIGN_BAD),
                same ? "as the tables" : "the tables say otherwise");
}

static void draw(struct tui *t, struct pane *p, struct sheet *s) {
    struct machine *m = session_machine(t->session);
    struct path path;
    char name[LOOK_NAME];
    if (!m) {
        sheet_print(s, STYLE_DIM, "no machine yet");
        return;
    }
    lay(t, p, m, &path);
    bool wide = p->width >= WIDE || !t->screen, formulas = wide && (p->height >= TALL || !t->screen);
    sheet_print(s, STYLE_STRONG, "%06X", path.address);
    if (*look_name(t, m, path.address, name))
        sheet_print(s, STYLE_STRONG, " %s", name);
    sheet_print(s, STYLE_DIM, ": %s", path.why);
    if (p->set && p->number >= 0)
        sheet_print(s, STYLE_DIM, ", R%d", p->number);
    write_result(s, &path);
    write_own(s, &path, m, wide, formulas);
    for (unsigned n = 0; n < path.levels; n++)
        write_level(s, &path, n, p->width >= BROAD || !t->screen);
    for (unsigned n = 0; n < path.levels; n++)
        write_shadow(s, &path, n, wide, formulas);
    write_tlb(s, &path);
}

const struct pane_kind pane_walk = {
    .name = "walk",
    .title = "walk",
    .key = '5',
    .help = "An address of the chosen machine through its segment and page tables to a real address, by its prefix to "
            "an absolute one, by f to a real address of the machine below, and so on down to the bare machine; then "
            "the same address in the shadow tables of each monitor, and in the TLB. Without an argument it is the "
            "address that matters now: what failed in the last translation exception, or what the next instruction "
            "refers to.",
    .draw = draw,
    .set = look_set,
    .arguments = "[ADDRESS or follow rN]",
};
