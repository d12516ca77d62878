/* Nest: the tower of machines, the innermost one on top: who runs, and what each believes to be, beside what is. */
#include <string.h>

#include "isa/supervisor.h"
#include "ui/tui/tui.h"
#include "vmm/vmm.h"

enum { MACHINES_SHOWN = 100, BAR_MOST = 30, NARROW = 46, FULL_LINES = 4 /* of a machine that is told in full */ };

struct tower_view {
    struct machine *machines[MACHINES_SHOWN];
    unsigned count, top; /* how many there are, and the highest level */
    struct machine *bare, *chosen, *runs;
    struct machine_state real; /* of the bare CPU 0 */
    uint64_t busy;             /* cycles in which the machine did something */
    bool brief;                /* only the chosen machine and the running one in full */
    int width;
};

static const char *state_word(const struct psw *p) { return psw_problem(p) ? "problem" : "supervisor"; }

static uint64_t level_busy(const struct machine *bare, int level) {
    return machine_booked_level(bare, level) - machine_booked(bare, level, CAUSE_IDLE);
}

/* Whether a hypervisor in assembler is on it. */
static bool has_seen_guest(const struct tower_view *v, const struct machine *m) {
    for (unsigned n = 0; n < v->count; n++)
        if (machine_host(v->machines[n]) == m && machine_only_seen(v->machines[n]))
            return true;
    return false;
}

static unsigned guests_of(const struct tower_view *v, const struct machine *m) {
    unsigned guests = 0;
    for (unsigned n = 0; n < v->count; n++)
        guests += machine_host(v->machines[n]) == m;
    return guests;
}

static void write_monitor(const struct tower_view *v, struct machine *m, struct sheet *s) {
    const struct vmm *monitor = vmm_on(m);
    const char *kind = monitor ? vmm_kind(monitor) : has_seen_guest(v, m) ? "assembler" : "none";
    sheet_topic(s, "monitor:%s", kind);
    if (strcmp(kind, "none") == 0)
        sheet_print(s, STYLE_DIM, " program");
    else
        sheet_print(s, STYLE_TEXT, " %s%s", kind, monitor ? "" : " hypervisor");
    sheet_topic(s, NULL);
    if (guests_of(v, m) > 1)
        sheet_print(s, STYLE_DIM, ", %u guests", guests_of(v, m));
}

/* "supervisor EC DAT key 0", each with what is known of it; what differs from `other` is marked by a sign. */
static void write_mode(const struct psw *p, const struct psw *other, enum style style, struct sheet *s) {
    sheet_topic(s, "psw:problem");
    sheet_print(s, psw_problem(p) != psw_problem(other) ? STYLE_CHANGED : style, "%s%s",
                psw_problem(p) != psw_problem(other) ? sheet_sign(s, SIGN_CHANGED) : "", state_word(p));
    sheet_topic(s, "psw:mode");
    sheet_print(s, style, " %s", psw_ec(p) ? "EC" : "BC");
    sheet_topic(s, "psw:dat");
    sheet_print(s, psw_dat(p) != psw_dat(other) ? STYLE_CHANGED : style, " %sDAT %s",
                psw_dat(p) != psw_dat(other) ? sheet_sign(s, SIGN_CHANGED) : "", psw_dat(p) ? "on" : "off");
    sheet_topic(s, "psw:key");
    sheet_print(s, style, " key %d", p->key);
    sheet_topic(s, NULL);
    if (psw_wait(p)) {
        sheet_topic(s, "psw:wait");
        sheet_print(s, STYLE_WARNING, " WAIT");
        sheet_topic(s, NULL);
    }
}

static bool on_the_cpu(const struct tower_view *v, const struct machine *m) {
    return m == v->bare || machine_is_live(m, 0);
}

static void write_modes(const struct tower_view *v, struct machine *m, struct sheet *s) {
    struct machine_state state;
    machine_state(m, &state);
    sheet_line(s);
    sheet_topic(s, "nest:virtual");
    sheet_print(s, STYLE_DIM, "  %s ", m == v->bare ? "PSW     " : "believes");
    write_mode(&state.psw, &state.psw, STYLE_VIRTUAL, s);
    if (m != v->runs && on_the_cpu(v, m) && v->width >= NARROW)
        sheet_print(s, STYLE_DIM, ", for its guest");
    if (m == v->bare)
        return;
    sheet_line(s);
    sheet_topic(s, "nest:real");
    sheet_print(s, STYLE_DIM, "  CPU has  ");
    if (on_the_cpu(v, m)) {
        write_mode(&v->real.psw, &state.psw, STYLE_REAL, s);
    } else {
        sheet_print(s, STYLE_DIM, "another machine now");
    }
}

static void write_bar(const struct tower_view *v, int level, int room, struct sheet *s) {
    uint64_t busy = level_busy(v->bare, level);
    unsigned percent = v->busy ? (unsigned)(busy * 100 / v->busy) : 0;
    room = room < BAR_MOST ? room : BAR_MOST;
    int filled = v->busy && room > 0 ? (int)((double)busy * room / (double)v->busy + 0.5) : 0;
    if (busy && !filled && room > 0)
        filled = 1;
    sheet_print(s, STYLE_TEXT, " ");
    for (int n = 0; n < filled; n++)
        sheet_print(s, style_level(level), "%s", sheet_sign(s, SIGN_BLOCK));
    sheet_print(s, STYLE_TEXT, " %u%%", percent);
}

static void write_counts(const struct tower_view *v, struct machine *m, bool bar, struct sheet *s) {
    struct machine_stats stats;
    char number[32];
    uint64_t traps = 0;
    machine_stats(m, &stats);
    for (int c = 0; c < INTERRUPTION_CLASSES; c++)
        traps += stats.interruptions[c];
    sheet_line(s);
    sheet_topic(s, "nest:traps");
    sheet_print(s, STYLE_TEXT, "  %s trap%s", tui_grouped(number, traps), traps == 1 ? "" : "s");
    sheet_topic(s, "nest:cycles");
    if (bar) {
        sheet_print(s, STYLE_TEXT, ", %s cycles", tui_grouped(number, level_busy(v->bare, machine_level(m))));
        write_bar(v, machine_level(m), v->width - 32, s);
    } else {
        sheet_print(s, STYLE_TEXT, ", %s instructions", tui_grouped(number, stats.instructions));
    }
    const struct vmm *monitor = vmm_on(m);
    if (!monitor || v->brief)
        return;
    struct vmm_stats did;
    vmm_stats(monitor, &did);
    sheet_line(s);
    sheet_topic(s, "monitor:%s", vmm_kind(monitor));
    sheet_print(s, STYLE_DIM, "  %s of them to the monitor:", tui_grouped(number, did.traps));
    sheet_print(s, STYLE_DIM, " %s interpreted,", tui_grouped(number, did.interpreted));
    sheet_print(s, STYLE_DIM, " %s filled,", tui_grouped(number, did.shadow_faults));
    sheet_print(s, STYLE_DIM, " %s reflected", tui_grouped(number, did.reflected));
}

/* The other CPUs of a machine, one line each. */
static void write_cpus(struct machine *m, struct sheet *s) {
    for (unsigned cpu = 1; cpu < machine_cpus(m); cpu++) {
        struct machine_state state;
        machine_cpu_state(m, cpu, &state);
        sheet_line(s);
        sheet_print(s, STYLE_DIM, "  CPU %u %s ", cpu, machine_cpu_status_name(machine_cpu_status(m, cpu)));
        write_mode(&state.psw, &state.psw, STYLE_VIRTUAL, s);
    }
}

static void write_name(const struct tower_view *v, struct machine *m, struct sheet *s) {
    bool runs = m == v->runs, chosen = m == v->chosen;
    int level = machine_level(m);
    sheet_line(s);
    if (chosen)
        sheet_focus(s);
    if (runs)
        sheet_topic(s, "nest:runs");
    sheet_print(s, runs ? STYLE_NEXT : STYLE_TEXT, "%s", runs ? sheet_sign(s, SIGN_NEXT) : " ");
    sheet_topic(s, NULL);
    sheet_print(s, chosen ? STYLE_STRONG : style_level(level), "L%d %s", level, machine_name(m));
    if (chosen)
        sheet_print(s, STYLE_STRONG, " [chosen]");
    if (runs)
        sheet_print(s, STYLE_GOOD, " runs");
    enum machine_status status = machine_status(m);
    if (status != MACHINE_READY)
        sheet_print(s, STYLE_WARNING, " %s", machine_status_name(status));
    write_monitor(v, m, s);
}

/* In brief, behind the name: what it believes, and its traps. */
static void write_briefly(const struct tower_view *v, struct machine *m, bool bar, struct sheet *s) {
    struct machine_state state;
    machine_state(m, &state);
    bool narrow = v->width < NARROW;
    if (!narrow)
        sheet_print(s, STYLE_DIM, ", %s%s", state_word(&state.psw), psw_dat(&state.psw) ? " DAT" : "");
    if (bar)
        write_bar(v, machine_level(m), narrow ? 0 : v->width - 48, s);
}

static void write_level(const struct tower_view *v, int level, struct sheet *s) {
    unsigned here = 0;
    char number[32];
    for (unsigned n = 0; n < v->count; n++)
        here += machine_level(v->machines[n]) == level;
    if (here > 1) {
        sheet_line(s);
        sheet_topic(s, "nest:cycles");
        sheet_print(s, style_level(level), " level %d: %u machines, %s cycles", level, here,
                    tui_grouped(number, level_busy(v->bare, level)));
        write_bar(v, level, v->width - 44, s);
    }
    for (unsigned n = 0; n < v->count; n++) {
        struct machine *m = v->machines[n];
        if (machine_level(m) != level)
            continue;
        write_name(v, m, s);
        if (v->brief && m != v->chosen && m != v->runs) {
            write_briefly(v, m, here == 1, s);
            continue;
        }
        write_modes(v, m, s);
        write_counts(v, m, here == 1, s);
        write_cpus(m, s);
    }
}

static void draw(struct tui *t, struct pane *p, struct sheet *s) {
    struct tower_view v = {.chosen = session_machine(t->session), .width = p->width};
    char number[32];
    if (!v.chosen) {
        sheet_print(s, STYLE_DIM, "no machine yet");
        return;
    }
    v.bare = machine_bare(v.chosen);
    v.runs = session_running(t->session);
    machine_state(v.bare, &v.real);
    for (struct machine *m; v.count < MACHINES_SHOWN && (m = session_tree(t->session, v.count)); v.count++) {
        v.machines[v.count] = m;
        v.top = (unsigned)machine_level(m) > v.top ? (unsigned)machine_level(m) : v.top;
    }
    v.brief = (int)v.count * FULL_LINES > p->height;
    for (int level = 0; level < MACHINE_LEVELS; level++)
        v.busy += level_busy(v.bare, level);
    for (int level = (int)v.top; level >= 0; level--)
        write_level(&v, level, s);
    sheet_line(s);
    sheet_print(s, STYLE_DIM, " %s cycles busy", tui_grouped(number, v.busy));
    uint64_t idle = 0;
    for (int level = 0; level < MACHINE_LEVELS; level++)
        idle += machine_booked(v.bare, level, CAUSE_IDLE);
    sheet_print(s, STYLE_DIM, ", %s idle", tui_grouped(number, idle));
}

const struct pane_kind pane_nest = {
    .name = "nest",
    .title = "nest",
    .key = '3',
    .help =
        "The machines of the tree, the bare one at the bottom: which one runs now, what monitor is on each, what each "
        "believes of its own state, and what the real CPU has while it runs: problem state and DAT on, always, under "
        "a monitor. Traps are its interruptions, cycles what was booked to its level, the bar its part of all that "
        "were busy. > and < choose another machine.",
    .draw = draw,
};
