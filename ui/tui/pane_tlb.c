/* TLB: what the bare CPU remembers of translations, and what it says about the chosen machine's addresses.
 *
 * There is one TLB a CPU, and it knows nothing of levels: an entry counts under the control registers with which it was
 * made, which for a guest are its shadow table's. Nothing is used by looking. */
#include <stdio.h>

#include "isa/supervisor.h"
#include "ui/tui/tui.h"

struct view {
    struct machine *bare, *runs;
    const struct tlb *tlb;
    struct machine_state state; /* of the bare CPU */
    uint64_t space;
    struct dat_format format;
    bool dat; /* it translates now, in a format that there is */
};

static bool open_view(struct tui *t, unsigned cpu, struct view *v) {
    struct machine *m = session_machine(t->session);
    if (!m)
        return false;
    v->bare = machine_bare(m);
    v->runs = session_running(t->session);
    v->tlb = machine_tlb(m, cpu);
    machine_cpu_state(v->bare, cpu, &v->state);
    v->space = tlb_space(v->state.cr[0], v->state.cr[1]);
    v->dat = dat_format(v->state.cr[0], &v->format);
    return true;
}

/* ---- Where the chosen machine is ---- */

/* Which entries it has for an address, beside what the tables say now. */
static void write_lookup(const struct view *v, uint32_t va, const char *what, struct sheet *s) {
    unsigned way;
    const struct tlb_entry *e = tlb_look(v->tlb, v->space, va, v->format.page_shift, &way);
    struct dat_walk walk;
    bool walks = machine_walk(v->bare, va, &walk) == ACCESS_OK;
    sheet_line(s);
    sheet_print(s, STYLE_TEXT, "%-5s ", what);
    sheet_print(s, STYLE_STRONG, "%06X ", va);
    if (!e) {
        sheet_topic(s, "tlb:miss");
        sheet_print(s, STYLE_WARNING, "%s miss", sheet_sign(s, SIGN_OPEN));
        sheet_topic(s, NULL);
        if (walks)
            sheet_print(s, STYLE_DIM, ", walk %s %06X", sheet_sign(s, SIGN_ARROW), walk.frame);
        else
            sheet_print(s, STYLE_DIM, ", walk ends %04X", walk.result);
    } else {
        bool stale = !walks || walk.frame != e->frame;
        sheet_topic(s, stale ? "tlb:stale" : "tlb:hit");
        sheet_print(s, stale ? STYLE_BAD : STYLE_GOOD, "%s %s", sheet_sign(s, stale ? SIGN_BAD : SIGN_GOOD),
                    stale ? "stale" : "hit");
        sheet_topic(s, NULL);
        sheet_print(s, STYLE_REAL, " %s %06X", sheet_sign(s, SIGN_ARROW), e->frame);
        if (stale && walks)
            sheet_print(s, STYLE_BAD, ", tables %06X", walk.frame);
    }
    sheet_topic(s, "tlb:set");
    sheet_print(s, STYLE_DIM, " set %u", tlb_set(va, v->format.page_shift));
}

/* The instruction, and what the base registers point to. */
static void write_own(struct tui *t, struct pane *p, const struct view *v, struct sheet *s) {
    struct machine *m = session_machine(t->session);
    struct machine_state state;
    machine_state(m, &state);
    bool live = m == v->runs && (m == v->bare || machine_is_live(m, 0));
    sheet_line(s);
    sheet_print(s, style_level(machine_level(m)), "L%d %s", machine_level(m), machine_name(m));
    if (!live || !psw_dat(&v->state.psw) || !v->dat) {
        sheet_print(s, STYLE_DIM, "%s",
                    !live ? " is not on the CPU: its addresses mean nothing here"
                          : ": DAT is off, the TLB is not asked");
        return;
    }
    sheet_print(s, STYLE_DIM, " is on the CPU:");
    if (p->set)
        write_lookup(v, p->address, "asked", s);
    write_lookup(v, state.psw.ia, "next", s);
    uint32_t shown[4];
    unsigned count = 0;
    for (int n = 1; n < 16 && count < 4; n++) {
        uint32_t page = (state.gpr[n] & 0xFFFFFF) >> v->format.page_shift;
        bool again = page == state.psw.ia >> v->format.page_shift || (state.gpr[n] & 0xFFFFFF) < 0x100;
        for (unsigned i = 0; i < count; i++)
            again = again || shown[i] == page;
        if (again || !tlb_look(v->tlb, v->space, state.gpr[n] & 0xFFFFFF, v->format.page_shift, &(unsigned){0}))
            continue;
        char name[16];
        shown[count++] = page;
        snprintf(name, sizeof name, "R%d", n);
        write_lookup(v, state.gpr[n] & 0xFFFFFF, name, s);
    }
}

/* ---- The entries ---- */

/* How a walk from `space` to the entry's page goes now is known for the present space only. */
static bool is_stale(const struct view *v, const struct tlb_entry *e) {
    struct dat_walk walk;
    return e->space == v->space && (machine_walk(v->bare, e->page, &walk) != ACCESS_OK || walk.frame != e->frame);
}

static void write_entry(const struct view *v, unsigned set, unsigned way, struct sheet *s) {
    const struct tlb_entry *e = &v->tlb->set[set][way];
    bool stale = is_stale(v, e);
    sheet_line(s);
    sheet_topic(s, "tlb:set");
    sheet_print(s, STYLE_DIM, "%2u.%u ", set, way);
    sheet_topic(s, NULL);
    sheet_print(s, STYLE_VIRTUAL, "%06X", e->page);
    sheet_print(s, STYLE_DIM, " %s ", sheet_sign(s, SIGN_ARROW));
    sheet_print(s, STYLE_REAL, "%06X", e->frame);
    if (stale) {
        sheet_topic(s, "tlb:stale");
        sheet_print(s, STYLE_BAD, " %s stale", sheet_sign(s, SIGN_BAD));
    }
    if (e->common) {
        sheet_topic(s, "ste:common");
        sheet_print(s, STYLE_TEXT, " common");
    }
    if (e->segment_protected) {
        sheet_topic(s, "ste:protected");
        sheet_print(s, STYLE_TEXT, " segment protected");
    }
    if (e->page_protected) {
        sheet_topic(s, "pte:protected");
        sheet_print(s, STYLE_TEXT, " page protected");
    }
}

/* The spaces of which there are entries, each once; the present one first. */
static unsigned spaces_of(const struct view *v, uint64_t *to, unsigned most, unsigned *entries) {
    unsigned count = 0;
    to[count++] = v->space;
    *entries = 0;
    for (unsigned n = 0; n < TLB_SETS * TLB_WAYS; n++) {
        uint64_t space = v->tlb->set[n / TLB_WAYS][n % TLB_WAYS].space;
        unsigned i = 0;
        *entries += space != 0;
        while (i < count && to[i] != space)
            i++;
        if (space && i == count && count < most)
            to[count++] = space;
    }
    return count;
}

/* Who was given the CPU with this control register 1 last, as far as events tell. */
static const struct session_event *dispatched_with(struct tui *t, uint32_t cr1) {
    enum { LOOKED_AT = 2000 };
    size_t count = session_events(t->session);
    for (size_t n = 0; n < count && n < LOOKED_AT; n++) {
        const struct session_event *e = session_event(t->session, count - 1 - n);
        if (e->kind == TRACE_DISPATCH && e->level == 0 && e->b == cr1)
            return e;
    }
    return NULL;
}

static void write_space(struct tui *t, const struct view *v, uint64_t space, struct sheet *s) {
    uint32_t cr1 = (uint32_t)space;
    unsigned count = 0;
    for (unsigned n = 0; n < TLB_SETS * TLB_WAYS; n++)
        count += v->tlb->set[n / TLB_WAYS][n % TLB_WAYS].space == space;
    sheet_line(s);
    sheet_topic(s, "tlb:space");
    sheet_print(s, STYLE_STRONG, "CR1 %08X", cr1);
    sheet_topic(s, NULL);
    sheet_print(s, space == v->space ? STYLE_GOOD : STYLE_DIM, space == v->space ? " now" : " not now");
    if (dispatched_with(t, cr1)) {
        sheet_topic(s, "shadow");
        sheet_print(s, STYLE_VIRTUAL, ", shadow");
        sheet_topic(s, NULL);
    }
    sheet_print(s, STYLE_DIM, ", %u %s", count, count == 1 ? "entry" : "entries");
    for (unsigned n = 0; n < TLB_SETS * TLB_WAYS; n++)
        if (v->tlb->set[n / TLB_WAYS][n % TLB_WAYS].space == space)
            write_entry(v, n / TLB_WAYS, n % TLB_WAYS, s);
}

static void draw(struct tui *t, struct pane *p, struct sheet *s) {
    struct view v;
    uint64_t spaces[TLB_SETS * TLB_WAYS + 1];
    unsigned entries, cpu = p->number > 0 ? (unsigned)p->number : 0;
    if (!open_view(t, cpu, &v)) {
        sheet_print(s, STYLE_DIM, "no machine yet");
        return;
    }
    unsigned count = spaces_of(&v, spaces, sizeof spaces / sizeof *spaces, &entries);
    sheet_line(s);
    sheet_topic(s, "tlb");
    sheet_print(s, STYLE_STRONG, "%s CPU %u: %u of %d entries in use", machine_name(v.bare), cpu, entries,
                TLB_SETS * TLB_WAYS);
    if (cpu == 0)
        write_own(t, p, &v, s);
    for (unsigned n = 0; n < count; n++)
        write_space(t, &v, spaces[n], s);
}

static bool set(struct tui *t, struct pane *p, const char *arguments, struct error *e) {
    struct machine *m = session_machine(t->session);
    unsigned cpu;
    char rest;
    if (sscanf(arguments, " cpu %u %c", &cpu, &rest) == 1) {
        if (!m || cpu >= machine_cpus(machine_bare(m)))
            return error_set(e, ERROR_INPUT, "there is no CPU %u of the bare machine", cpu);
        p->number = (int)cpu;
        return true;
    }
    p->set = tui_address(t, arguments, &p->address, e);
    return p->set;
}

const struct pane_kind pane_tlb = {
    .name = "tlb",
    .title = "TLB",
    .key = 'y',
    .help =
        "The translation-lookaside buffer of the bare CPU. Above, what it says about the chosen machine's next "
        "instruction, its registers, and an address of your choice: hit, miss (with what a walk would give), or stale "
        "(a table was changed, and nobody purged). Below, its entries by address space: set and way, page, frame. For "
        "a guest the space is its shadow table's. Looking uses nothing.",
    .draw = draw,
    .set = set,
    .arguments = "ADDRESS | cpu N",
};
