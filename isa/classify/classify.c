/* The search for witnesses, and what follows from them. */
#include "isa/classify.h"

#include <stdio.h>
#include <stdlib.h>

#include "isa/classify/generator.h"
#include "isa/disassembler.h"

enum {
    TRIALS_LEAST = 200,
    TRIALS_MOST = 30000,
    TRAPS_ENOUGH = 3000, /* of one kind and no other end, for "always traps" */
    PAIRS_ENOUGH = 50,   /* of a kind, for "none was found" */
    PAIRS_MANY = 500, /* the same where something is to be expected: it is privileged, or the other class was found */
};

struct search {
    const struct classify_options *options;
    bool interrupted;
    struct laboratory laboratory;
    struct generator generator;
    struct random random;
    struct verdict *v;
    uint64_t by_group[VARIATION_GROUPS];
    unsigned parents; /* bit n: a state is kept in which it did not trap and gave condition code n */
    uint64_t privileged_traps, other_ends; /* of problem state, where supervisor state did not trap likewise */
    uint64_t completed;                    /* without a trap, in either state */
    bool same_trap;                        /* supervisor state has always trapped, and with this code */
    unsigned trap;
    /* Of the present trial. */
    struct lab_state state, varied, other_state, parent[4];
    struct lab_result supervisor, problem, other;
};

/* ---- Witnesses ---- */

static void show_registers(const struct lab_state *s, const struct instruction *i, const struct instruction_fields *f,
                           struct bytes *to) {
    unsigned wanted = 0;
    const bool r3_is_mask = i->format == FORMAT_RS_MASK || i->format == FORMAT_SS_LI;
    const bool r1_is_mask = i->format == FORMAT_RX_MASK || i->format == FORMAT_RR_MASK;
    if (i->format != FORMAT_S && i->format != FORMAT_S_NONE && i->format != FORMAT_SI && i->length < 6) {
        wanted |= r1_is_mask ? 0 : 1u << f->r1;
        wanted |= r3_is_mask || i->format == FORMAT_RX || i->format == FORMAT_RX_MASK ? 0 : 1u << f->r3;
    }
    if (f->b1)
        wanted |= 1u << f->b1;
    if (f->b2)
        wanted |= 1u << f->b2;
    if ((i->format == FORMAT_RX || i->format == FORMAT_RX_MASK) && f->r3)
        wanted |= 1u << f->r3;
    if (i->format == FORMAT_RR_SVC || i->format == FORMAT_S_NONE)
        wanted = 0;
    for (unsigned n = 0; n < 16; n++)
        if (wanted >> n & 1)
            bytes_printf(to, "%sR%u %08X", to->length ? ", " : "", n, s->gpr[n]);
}

static void show_operand(const struct lab_state *s, unsigned base, unsigned index, uint32_t d, struct bytes *to) {
    uint32_t at = ((base ? s->gpr[base] : 0) + (index ? s->gpr[index] : 0) + d) & ADDRESS_MASK;
    char hex[17] = "";
    if (at + 8 <= LAB_BYTES)
        bytes_to_hex(hex, s->contents + at, 8);
    bytes_printf(to, "%s%06X%s%s", to->length ? ", " : "", at, *hex ? ": " : "", hex);
}

/* What the instruction's fields name. */
static void show_state(const struct search *s, char *to, size_t size) {
    const struct instruction *i = s->v->instruction;
    struct instruction_fields f;
    struct bytes text = {0};
    uint8_t raw[6];
    generator_text(&s->state, raw);
    instruction_take(&f, i, raw);
    show_registers(&s->state, i, &f, &text);
    bool addresses = i->format != FORMAT_S_NONE && i->format != FORMAT_RRE && i->length > 2;
    if (i->length == 6 || i->format == FORMAT_SI)
        show_operand(&s->state, f.b1, 0, f.d1, &text);
    if (addresses && i->format != FORMAT_SI)
        show_operand(&s->state, f.b2, i->format == FORMAT_RX || i->format == FORMAT_RX_MASK ? f.r3 : 0, f.d2, &text);
    snprintf(to, size, "%s", text.data ? (const char *)text.data : "");
    bytes_fini(&text);
}

static void keep(struct search *s, enum witness_kind kind, bool problem, const char *resource,
                 const struct lab_difference *d) {
    struct witness *w = &s->v->witness[kind];
    uint8_t raw[6];
    if (witness_found(w))
        return;
    generator_text(&s->state, raw);
    w->trial = s->v->trials;
    disassemble_in(s->generator.profile, w->text, raw, 6);
    show_state(s, w->state, sizeof w->state);
    snprintf(w->resource, sizeof w->resource, "%s", resource);
    snprintf(w->mode, sizeof w->mode, "%s", problem ? "problem" : "supervisor");
    snprintf(w->differs, sizeof w->differs, "%s", d->name);
    snprintf(w->first, sizeof w->first, "%s", d->a);
    snprintf(w->second, sizeof w->second, "%s", d->b);
}

/* ---- Experiments ---- */

static bool completed(const struct lab_result *r) { return r->end == LAB_COMPLETED; }

/* Control: before and after, in one state. */
static void look_for_control(struct search *s, const struct lab_result *r, bool problem) {
    struct lab_difference d;
    if (!completed(r))
        return;
    s->completed++;
    s->v->pairs[WITNESS_CONTROL]++;
    s->v->pairs[WITNESS_USER_CONTROL] += problem;
    bool mode = r->problem != problem;
    if (mode)
        d = (struct lab_difference){"mode", "", ""};
    if (mode) {
        snprintf(d.a, sizeof d.a, "%s", problem ? "problem" : "supervisor");
        snprintf(d.b, sizeof d.b, "%s", problem ? "supervisor" : "problem");
    } else if (r->others_changed) {
        d = r->others;
    } else if (!lab_resources_differ(&r->before, &r->after, &d)) {
        return;
    }
    keep(s, WITNESS_CONTROL, problem, "", &d);
    if (problem)
        keep(s, WITNESS_USER_CONTROL, problem, "", &d);
}

/* Privileged, and mode-sensitive. */
static void compare_modes(struct search *s) {
    const struct lab_result *in_s = &s->supervisor, *in_p = &s->problem;
    struct lab_difference d;
    if (in_s->end == LAB_NOT_RUN || in_p->end == LAB_NOT_RUN || lab_memory_trap(in_s) || lab_memory_trap(in_p))
        return;
    if (in_s->end == LAB_TRAPPED) {
        s->same_trap &= s->trap == 0 || s->trap == in_s->code;
        s->trap = in_s->code;
    }
    bool privileged = in_p->end == LAB_TRAPPED && in_p->code == PROGRAM_PRIVILEGED;
    bool in_supervisor = in_s->end == LAB_TRAPPED && in_s->code == PROGRAM_PRIVILEGED;
    s->privileged_traps += privileged && !in_supervisor;
    s->other_ends += !privileged || in_supervisor;
    s->v->pairs[WITNESS_TRAP]++;
    if (privileged) {
        d = (struct lab_difference){"end", "", "privileged-operation exception"};
        snprintf(d.a, sizeof d.a, completed(in_s) ? "completed" : "program interruption %02X", in_s->code);
        keep(s, WITNESS_TRAP, false, "", &d);
    }
    if (!completed(in_s) || !completed(in_p))
        return;
    s->v->pairs[WITNESS_MODE]++;
    if (lab_visible_differ(in_s, in_p, &d) || lab_resources_differ(&in_s->after, &in_p->after, &d))
        keep(s, WITNESS_MODE, false, "", &d);
}

/* Two states that differ in one thing, in the same mode. */
static void compare(struct search *s, const struct lab_result *one, bool problem, enum witness_kind kind,
                    const char *resource) {
    static const enum witness_kind user[WITNESS_KINDS] = {
        [WITNESS_LOCATION] = WITNESS_USER_LOCATION, [WITNESS_RESOURCE] = WITNESS_USER_RESOURCE};
    struct lab_difference d;
    if (!completed(&s->other) || !lab_visible_differ(one, &s->other, &d))
        return;
    keep(s, kind, problem, resource, &d);
    if (problem)
        keep(s, user[kind], problem, resource, &d);
}

static void compare_locations(struct search *s, bool problem) {
    laboratory_run(&s->laboratory, &s->state, LOCATION_B, problem, &s->other);
    look_for_control(s, &s->other, problem);
    s->v->pairs[WITNESS_LOCATION] += completed(&s->other);
    s->v->pairs[WITNESS_USER_LOCATION] += problem && completed(&s->other);
    compare(s, problem ? &s->problem : &s->supervisor, problem, WITNESS_LOCATION, "");
}

/* All of a group are varied at once; when that makes a difference, which of them does it alone is found out. */
static void compare_resources(struct search *s, bool problem) {
    struct lab_difference d;
    const struct lab_result *one = problem ? &s->problem : &s->supervisor;
    unsigned group = s->by_group[0] > s->by_group[1] || s->v->trials % 3;
    struct lab_state *varied = &s->varied;
    *varied = s->state;
    generator_vary(&s->generator, varied, group);
    laboratory_run(&s->laboratory, varied, LOCATION_A, problem, &s->other);
    look_for_control(s, &s->other, problem);
    if (!completed(&s->other))
        return;
    s->by_group[group]++;
    s->v->pairs[WITNESS_RESOURCE]++;
    s->v->pairs[WITNESS_USER_RESOURCE] += problem;
    bool known = witness_found(&s->v->witness[problem ? WITNESS_USER_RESOURCE : WITNESS_RESOURCE]);
    if (known || !lab_visible_differ(one, &s->other, &d))
        return;
    for (unsigned n = 0; n < VARIATIONS; n++) {
        s->other_state = s->state;
        if (!generator_take(&s->other_state, varied, n))
            continue;
        laboratory_run(&s->laboratory, &s->other_state, LOCATION_A, problem, &s->other);
        compare(s, one, problem, WITNESS_RESOURCE, generator_resource(n));
    }
}

/* What lies outside the model may make the difference between a trap and none, too. */
static void compare_outside(struct search *s, enum classify_outside what) {
    const struct lab_result *one = &s->supervisor, *two = &s->other;
    struct lab_difference d = {"end", "completed", "completed"};
    s->other_state = s->state;
    if (what == OUTSIDE_CLOCK)
        generator_vary_clock(&s->generator, &s->other_state);
    else
        generator_vary_monitor_masks(&s->generator, &s->other_state);
    laboratory_run(&s->laboratory, &s->other_state, LOCATION_A, false, &s->other);
    if (one->end == LAB_NOT_RUN || two->end == LAB_NOT_RUN)
        return;
    s->v->pairs[WITNESS_OUTSIDE]++;
    bool differs = one->end != two->end || one->code != two->code;
    if (differs && one->code)
        snprintf(d.a, sizeof d.a, "program interruption %02X", one->code);
    if (differs && two->code)
        snprintf(d.b, sizeof d.b, "program interruption %02X", two->code);
    if (!differs && !(completed(one) && lab_visible_differ(one, two, &d)))
        return;
    s->v->outside |= what;
    keep(s, WITNESS_OUTSIDE, false, what == OUTSIDE_CLOCK ? "TOD clock" : "monitor masks of control register 8", &d);
}

/* Many states are like one that did not trap, of each condition code alike: so operands are found that are hard to hit
 * by chance. */
static bool make_state(struct search *s) {
    unsigned n = (unsigned)random_below(&s->random, 4);
    if (!(s->parents >> n & 1))
        return generator_state(&s->generator, &s->state);
    s->state = s->parent[n];
    return generator_mutate(&s->generator, &s->state);
}

static void keep_parent(struct search *s, const struct lab_result *r) {
    s->parent[r->cc & 3] = s->state;
    s->parents |= 1u << (r->cc & 3);
}

static void trial(struct search *s) {
    if (!make_state(s))
        return;
    bool problem = s->v->trials & 2;
    laboratory_next(&s->laboratory);
    laboratory_run(&s->laboratory, &s->state, LOCATION_A, false, &s->supervisor);
    laboratory_run(&s->laboratory, &s->state, LOCATION_A, true, &s->problem);
    look_for_control(s, &s->supervisor, false);
    look_for_control(s, &s->problem, true);
    compare_modes(s);
    if (problem ? !completed(&s->problem) : !completed(&s->supervisor))
        problem = !problem;
    if (problem ? completed(&s->problem) : completed(&s->supervisor)) {
        keep_parent(s, problem ? &s->problem : &s->supervisor);
        compare_locations(s, problem);
        compare_resources(s, problem);
    }
    if (s->v->trials % 4 == 0)
        compare_outside(s, s->v->trials % 8 ? OUTSIDE_CLOCK : OUTSIDE_MONITOR_MASKS);
}

static bool privileged(const struct search *s) { return s->privileged_traps && !s->other_ends; }

static bool behaviour_found(const struct verdict *v) {
    return witness_found(&v->witness[WITNESS_MODE]) || witness_found(&v->witness[WITNESS_LOCATION]) ||
           witness_found(&v->witness[WITNESS_RESOURCE]);
}

static bool user_sensitivity_found(const struct verdict *v) {
    return witness_found(&v->witness[WITNESS_USER_CONTROL]) || witness_found(&v->witness[WITNESS_USER_LOCATION]) ||
           witness_found(&v->witness[WITNESS_USER_RESOURCE]);
}

/* Whether so much was compared that "none was found" says something, where none was found. */
static bool enough(const struct search *s) {
    const struct verdict *v = s->v;
    bool user = privileged(s) || user_sensitivity_found(v) || v->pairs[WITNESS_USER_LOCATION] >= PAIRS_ENOUGH / 2;
    bool modes = privileged(s) || v->pairs[WITNESS_MODE] >= PAIRS_ENOUGH;
    bool control = witness_found(&v->witness[WITNESS_CONTROL]);
    bool suspected = privileged(s) || control;
    unsigned pairs = suspected ? PAIRS_MANY : PAIRS_ENOUGH;
    bool behaviour = behaviour_found(v) || (modes && v->pairs[WITNESS_LOCATION] >= pairs &&
                                            s->by_group[0] >= pairs / 2 && s->by_group[1] >= pairs);
    suspected |= behaviour_found(v);
    control |= v->pairs[WITNESS_CONTROL] >= 4 * (suspected ? PAIRS_MANY : PAIRS_ENOUGH);
    return v->pairs[WITNESS_TRAP] >= PAIRS_ENOUGH && user && behaviour && control;
}

static void conclude(struct search *s) {
    struct verdict *v = s->v;
    if (witness_found(&v->witness[WITNESS_CONTROL]))
        v->class |= CLASS_CONTROL;
    if (behaviour_found(v))
        v->class |= CLASS_BEHAVIOUR;
    if (!s->completed && s->same_trap && s->trap)
        v->class = CLASS_TRAPS;
    v->enough = v->class == CLASS_TRAPS || enough(s);
    v->privileged = privileged(s);
    v->user_sensitive = user_sensitivity_found(v);
    if (v->class != CLASS_INNOCUOUS)
        v->outside = 0;
}

/* Each instruction has a stream of chance of its own: it is classified alike alone and with the others. */
static void examine(struct search *s, uint64_t seed, struct verdict *v, const struct instruction *i) {
    char stream[32];
    snprintf(stream, sizeof stream, "classify %s", i->mnemonic);
    random_init(&s->random, seed, stream);
    s->v = v;
    s->generator.random = &s->random;
    s->generator.instruction = i;
    s->same_trap = true;
    s->trap = 0;
    s->privileged_traps = s->other_ends = s->completed = 0;
    s->parents = 0;
    memset(s->by_group, 0, sizeof s->by_group);
    v->instruction = i;
    s->interrupted |= s->options->interrupted && s->options->interrupted(s->options->self);
    while (!s->interrupted && v->trials < TRIALS_MOST && (v->trials < TRIALS_LEAST || !enough(s))) {
        v->trials++;
        trial(s);
        if (v->trials == TRAPS_ENOUGH && !s->completed && s->same_trap)
            break;
    }
    conclude(s);
}

/* ---- All of them ---- */

static bool in_profile(enum profile p, unsigned id) { return instruction_table[id].profile <= p; }

/* EXECUTE has no class of its own: it has that of its target. It is examined last, with innocuous ones. */
static void examine_execute(struct search *s, struct classification *c, struct verdict *execute) {
    const struct instruction *targets[INSTRUCTION_COUNT];
    unsigned count = 0;
    for (unsigned n = 0; n < c->count; n++) {
        const struct verdict *v = &c->verdict[n];
        if (v->instruction && v != execute && v->class == CLASS_INNOCUOUS)
            targets[count++] = v->instruction;
    }
    s->generator.targets = targets;
    s->generator.target_count = count;
    examine(s, c->seed, execute, &instruction_table[INSTRUCTION_EX]);
}

static void examine_all(struct search *s, struct classification *c) {
    struct verdict *execute = NULL;
    c->count = 0;
    for (unsigned id = 0; id < INSTRUCTION_COUNT; id++) {
        if (!in_profile(c->profile, id))
            continue;
        struct verdict *v = &c->verdict[c->count++];
        if (id == INSTRUCTION_EX)
            execute = v;
        else
            examine(s, c->seed, v, &instruction_table[id]);
    }
    examine_execute(s, c, execute);
}

static void keep_only(struct classification *c, const struct instruction *only) {
    for (unsigned n = 0; n < c->count; n++)
        if (c->verdict[n].instruction == only)
            c->verdict[0] = c->verdict[n];
    c->count = 1;
}

static void examine_what_is_asked(struct search *s, struct classification *c, const struct instruction *only) {
    bool execute = only && instruction_id(only) == INSTRUCTION_EX;
    if (only && !execute)
        examine(s, c->seed, &c->verdict[c->count++], only);
    else
        examine_all(s, c);
    if (execute)
        keep_only(c, only);
}

bool classify(struct classification *to, const struct classify_options *o, struct error *e) {
    *to = (struct classification){.profile = o->profile, .seed = o->seed};
    if (o->only && o->only->profile > o->profile)
        return error_set(e, ERROR_INPUT, "%s is not an instruction of the profile %s", o->only->mnemonic,
                         profile_name(o->profile));
    struct search *s = calloc(1, sizeof *s);
    to->verdict = calloc(INSTRUCTION_COUNT, sizeof *to->verdict);
    bool ok = s && to->verdict;
    if (!ok)
        error_set(e, ERROR_INTERNAL, "no memory for the classifier");
    else if ((ok = laboratory_open(&s->laboratory, o->profile, e))) {
        s->options = o;
        s->generator.profile = o->profile;
        examine_what_is_asked(s, to, o->only);
        ok = !s->interrupted || error_set(e, ERROR_BUDGET, "interrupted");
    }
    if (s)
        laboratory_close(&s->laboratory);
    free(s);
    if (!ok)
        classification_free(to);
    return ok;
}

void classification_free(struct classification *c) {
    free(c->verdict);
    c->verdict = NULL;
    c->count = 0;
}

/* ---- The theorems ---- */

void classification_theorem(const struct classification *c, unsigned number, struct theorem *to) {
    static const struct {
        const char *name, *condition;
    } texts[THEOREMS] = {
        {"virtualizable", "every sensitive instruction is privileged"},
        {"recursively virtualizable",
         "it is virtualizable, and a monitor without timing dependencies can be built for it"},
        {"hybrid-virtualizable", "every user-sensitive instruction is privileged"},
    };
    *to = (struct theorem){.number = number, .name = texts[number - 1].name, .condition = texts[number - 1].condition};
    for (unsigned n = 0; n < c->count; n++) {
        const struct verdict *v = &c->verdict[n];
        bool sensitive = number == 3 ? v->user_sensitive : verdict_sensitive(v);
        if (sensitive && !v->privileged && to->count < sizeof to->breaks / sizeof *to->breaks)
            to->breaks[to->count++] = v->instruction;
        if (number == 2 && v->outside & OUTSIDE_CLOCK && to->clocks < sizeof to->shows_time / sizeof *to->shows_time)
            to->shows_time[to->clocks++] = v->instruction;
    }
    to->holds = to->count == 0;
}
