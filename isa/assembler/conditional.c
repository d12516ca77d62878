/* The statements of conditional assembly: declarations, SETx, AIF, AGO, ACTR, ANOP, MEXIT.
 *
 * They are carried out while the source is read and make nothing, so those in macros leave no statement behind. What
 * keeps hostile sources from going on for ever are the branches of each scope (ACTR) and the effort of all together. */
#include <string.h>

#include "isa/assembler/assembler_internal.h"

static struct evaluator over(struct assembler *a, struct statement *s, struct text field) {
    return evaluator_of(a, s->line.call, field);
}

/* Reports the evaluator's problem at its place. */
static void report(struct assembler *a, struct statement *s, const struct evaluator *e) {
    assembler_error(a, s, e->text.at + e->problem_at, "%s", e->problem);
}

/* ---- GBLx, LCLx ---- */

static bool declare_one(struct evaluator *e, const struct conditional *self) {
    struct variable_reference r;
    if (!reference_parse(e, &r, true)) {
        return false;
    }
    if (r.subscript_count > 1 || (r.subscript_count && (r.subscripts[0] < 1 || r.subscripts[0] > MOST_SUBSCRIPT))) {
        return evaluator_error(e, r.at, "a dimension is one number from 1 to %d", MOST_SUBSCRIPT);
    }
    return variable_declare(e, &r, self->kind, self->global, r.subscript_count > 0) != NULL;
}

static void declare(struct assembler *a, struct statement *s, const struct conditional *self) {
    struct evaluator e = over(a, s, s->operands);
    bool good = true;
    do {
        good = declare_one(&e, self);
    } while (good && evaluator_take(&e, ','));
    if (good && e.at < e.text.length) {
        evaluator_error(&e, e.at, "a comma or the end of the operands should be here");
    }
    if (e.problem) {
        report(a, s, &e);
    }
}

/* ---- SETx ---- */

static bool evaluate(struct evaluator *e, enum variable_kind kind, struct item *v) {
    int32_t number = 0;
    bool truth = false;
    *v = (struct item){.text = {"", 0}};
    const bool good = kind == VARIABLE_ARITHMETIC ? evaluate_arithmetic(e, &number)
                      : kind == VARIABLE_BOOLEAN  ? evaluate_logical(e, &truth)
                                                  : evaluate_characters(e, &v->text);
    v->number = kind == VARIABLE_BOOLEAN ? truth : number;
    return good;
}

/* Several values go to elements that follow each other; one that is left out keeps its element as it is. */
static void set(struct assembler *a, struct statement *s, const struct conditional *self) {
    struct evaluator name = over(a, s, s->name), e = over(a, s, s->operands);
    struct variable_reference r;
    if (s->name.length == 0) {
        assembler_error(a, s, NULL, "%s needs a variable symbol in the name field", self->name);
        return;
    }
    struct variable *v = reference_parse(&name, &r, false) ? variable_to_set(&name, &r, self->kind) : NULL;
    if (v && name.at < name.text.length) {
        evaluator_error(&name, name.at, "unexpected text behind the variable symbol");
    }
    if (name.problem) {
        report(a, s, &name);
        return;
    }
    size_t subscript = r.subscript_count ? (size_t)r.subscripts[0] : 1;
    do {
        struct item value;
        if (evaluator_peek(&e) == ',') {
            continue;
        }
        evaluate(&e, self->kind, &value);
        variable_set(&e, v, subscript, &value); /* after an error 0 or nothing, so that it is declared */
    } while (!e.problem && ++subscript && evaluator_take(&e, ','));
    if (!e.problem && e.at < e.text.length) {
        evaluator_error(&e, e.at, "an operator or the end of the expression should be here");
    } else if (!e.problem && subscript > (r.subscript_count ? (size_t)r.subscripts[0] : 1) + 1 && !v->dimensioned) {
        evaluator_error(&e, 0, "&%.*s has no dimension, so it takes one value", TEXT_ARGS(r.name));
    }
    if (e.problem) {
        report(a, s, &e);
    }
}

/* ---- branches ---- */

static void branch(struct assembler *a, struct statement *s, struct text name) {
    struct scope *scope = scope_of(a, s->line.call);
    if (scope->branches <= 0) {
        assembler_error(a, s, NULL, "too many branches of AIF and AGO (ACTR; %d without it): an endless loop?",
                        MOST_BRANCHES);
        if (!s->line.call) {
            a->ended = true;
        }
        while (source_leave_macro(a)) { /* the callers would only call again */
        }
    } else if (!source_branch(a, name)) {
        assembler_error(a, s, name.at, "there is no sequence symbol %.*s in this %s", TEXT_ARGS(name),
                        s->line.call ? "macro" : "source");
    } else {
        scope->branches--;
    }
}

/* .NAME, a sequence symbol. */
static bool take_target(struct evaluator *e, struct text *name) {
    const size_t at = e->at;
    const bool period = evaluator_take(e, '.');
    const size_t length = text_symbol((struct text){e->text.at + e->at, e->text.length - e->at});
    e->at += length;
    *name = (struct text){e->text.at + at, length + 1};
    return (period && length) || evaluator_error(e, at, "a sequence symbol (.NAME) should be here");
}

/* All of the operand is read even when the first condition holds, so that every mistake is found. */
static void aif(struct assembler *a, struct statement *s, const struct conditional *self) {
    struct evaluator e = over(a, s, s->operands);
    struct text name, target = {NULL, 0};
    bool truth, good = true;
    (void)self;
    e.branch = true;
    do {
        good = evaluator_peek(&e) == '(' || evaluator_error(&e, e.at, "a condition in parentheses should be here");
        good = good && evaluate_logical(&e, &truth) && take_target(&e, &name);
        if (good && truth && !target.at) {
            target = name;
        }
    } while (good && evaluator_take(&e, ','));
    if (good && e.at < e.text.length) {
        evaluator_error(&e, e.at, "a comma or the end of the operands should be here");
    }
    if (e.problem) {
        report(a, s, &e);
    } else if (target.at) {
        branch(a, s, target);
    }
}

/* AGO .NAME; or computed, AGO (n).FIRST,.SECOND: where there is no n-th one, it goes on. */
static void ago(struct assembler *a, struct statement *s, const struct conditional *self) {
    struct evaluator e = over(a, s, s->operands);
    struct text name, target = {NULL, 0};
    int32_t wanted = 1, n = 0;
    bool good = true;
    (void)self;
    e.branch = true;
    const bool computed = evaluator_peek(&e) == '(';
    if (computed) {
        good = evaluate_arithmetic(&e, &wanted);
    }
    do {
        good = good && take_target(&e, &name);
        if (good && ++n == wanted) {
            target = name;
        }
    } while (good && computed && evaluator_take(&e, ','));
    if (good && e.at < e.text.length) {
        evaluator_error(&e, e.at, "unexpected text behind the sequence symbol");
    }
    if (e.problem) {
        report(a, s, &e);
    } else if (target.at) {
        branch(a, s, target);
    }
}

static void actr(struct assembler *a, struct statement *s, const struct conditional *self) {
    struct evaluator e = over(a, s, s->operands);
    int32_t number;
    (void)self;
    if (evaluate_arithmetic(&e, &number) && e.at < e.text.length) {
        evaluator_error(&e, e.at, "an operator or the end of the expression should be here");
    }
    if (e.problem) {
        report(a, s, &e);
    } else {
        scope_of(a, s->line.call)->branches = number;
    }
}

static void mexit(struct assembler *a, struct statement *s, const struct conditional *self) {
    (void)self;
    if (!source_leave_macro(a)) {
        assembler_error(a, s, NULL, "MEXIT outside a macro");
    }
}

static void anop(struct assembler *a, struct statement *s, const struct conditional *self) {
    (void)a;
    (void)s;
    (void)self;
}

static void unsupported(struct assembler *a, struct statement *s, const struct conditional *self) {
    assembler_error(a, s, NULL, "%s is not supported", self->name);
}

const struct conditional conditionals[] = {
    {"GBLA", declare, VARIABLE_ARITHMETIC, true},
    {"GBLB", declare, VARIABLE_BOOLEAN, true},
    {"GBLC", declare, VARIABLE_CHARACTER, true},
    {"LCLA", declare, VARIABLE_ARITHMETIC, false},
    {"LCLB", declare, VARIABLE_BOOLEAN, false},
    {"LCLC", declare, VARIABLE_CHARACTER, false},
    {"SETA", set, VARIABLE_ARITHMETIC, false},
    {"SETB", set, VARIABLE_BOOLEAN, false},
    {"SETC", set, VARIABLE_CHARACTER, false},
    {"AIF", aif, VARIABLE_BOOLEAN, false},
    {"AIFB", aif, VARIABLE_BOOLEAN, false},
    {"AGO", ago, VARIABLE_ARITHMETIC, false},
    {"AGOB", ago, VARIABLE_ARITHMETIC, false},
    {"ACTR", actr, VARIABLE_ARITHMETIC, false},
    {"ANOP", anop, VARIABLE_ARITHMETIC, false},
    {"MEXIT", mexit, VARIABLE_ARITHMETIC, false},
    {"SETAF", unsupported, VARIABLE_ARITHMETIC, false},
    {"SETCF", unsupported, VARIABLE_CHARACTER, false},
    {"AREAD", unsupported, VARIABLE_CHARACTER, false},
    {"AINSERT", unsupported, VARIABLE_CHARACTER, false},
};

const unsigned conditional_count = sizeof conditionals / sizeof *conditionals;
