/* classify: the class of each instruction by experiment, and what Popek and Goldberg's theorems say of the profile. */
#include <string.h>

#include "isa/classify.h"
#include "ui/cli/cli.h"

/* --- as text ------------------------------------------------------------------------------------------------------ */

/* The one witness that a line has room for. */
static const struct witness *best_witness(const struct verdict *v, enum witness_kind *kind) {
    for (*kind = WITNESS_CONTROL; *kind <= WITNESS_RESOURCE; (*kind)++) {
        if (witness_found(&v->witness[*kind])) {
            return &v->witness[*kind];
        }
    }
    return NULL;
}

static unsigned footnote_of(const struct verdict *v) { return v->outside ? (v->outside & OUTSIDE_CLOCK ? 1 : 2) : 0; }

static void print_verdict(FILE *out, const struct verdict *v) {
    enum witness_kind kind;
    const struct witness *w = best_witness(v, &kind);
    char class[32];
    unsigned footnote = footnote_of(v);
    snprintf(class, sizeof class, footnote ? "%s (%u)" : "%s", classify_class_name(v->class), footnote);
    fprintf(out, w || v->privileged ? "%-6s %-18s" : "%-6s %s", v->instruction->mnemonic, class);
    if (w || v->privileged) {
        fprintf(out, w ? " %-11s" : " %s", v->privileged ? "privileged" : "");
    }
    if (w) {
        fprintf(out, " %s: %s, %s, %s / %s", witness_name(kind), w->text, w->differs, w->first, w->second);
    }
    fputs(v->user_sensitive ? "; user-sensitive\n" : "\n", out);
}

static void print_theorems(FILE *out, const struct classification *c) {
    for (unsigned n = 1; n <= THEOREMS; n++) {
        struct theorem t;
        classification_theorem(c, n, &t);
        fprintf(out, "Theorem %u, %s: %s", n, t.name, t.holds ? "yes" : "no");
        for (unsigned k = 0; k < t.count; k++) {
            fprintf(out, "%s%s", k ? ", " : ", because of ", t.breaks[k]->mnemonic);
        }
        fprintf(out, "\n  (%s", t.condition);
        for (unsigned k = 0; k < t.clocks; k++) {
            fprintf(out, "%s%s", k ? ", " : "; time shows in ", t.shows_time[k]->mnemonic);
        }
        fputs(")\n", out);
    }
}

static void print_summary(FILE *out, const struct classification *c) {
    unsigned of[CLASS_TRAPS + 1] = {0}, privileged = 0;
    for (unsigned n = 0; n < c->count; n++) {
        of[c->verdict[n].class]++;
        privileged += c->verdict[n].privileged;
    }
    fprintf(out, "\n%u instructions: %u innocuous, %u sensitive, %u always trap; %u privileged\n", c->count,
            of[CLASS_INNOCUOUS], c->count - of[CLASS_INNOCUOUS] - of[CLASS_TRAPS], of[CLASS_TRAPS], privileged);
}

static void print_all(FILE *out, const struct classification *c) {
    fprintf(out, "profile %s, seed %llu\n\n", profile_name(c->profile), (unsigned long long)c->seed);
    for (unsigned n = 0; n < c->count; n++) {
        print_verdict(out, &c->verdict[n]);
    }
    fprintf(out, "\n(1) %s\n(2) %s\n", classify_footnote(OUTSIDE_CLOCK), classify_footnote(OUTSIDE_MONITOR_MASKS));
    print_summary(out, c);
    print_theorems(out, c);
}

/* --- as JSON ------------------------------------------------------------------------------------------------------ */

static json_t *classes_json(unsigned class) {
    static const struct {
        unsigned bit;
        const char *name;
    } names[] = {{CLASS_CONTROL, "control"}, {CLASS_BEHAVIOUR, "behaviour"}, {CLASS_TRAPS, "traps"}};
    json_t *list = json_array();
    for (unsigned n = 0; n < sizeof names / sizeof *names; n++) {
        if (class & names[n].bit) {
            json_array_append_new(list, json_string(names[n].name));
        }
    }
    if (class == CLASS_INNOCUOUS) {
        json_array_append_new(list, json_string("innocuous"));
    }
    return list;
}

static json_t *witnesses_json(const struct verdict *v) {
    json_t *object = json_object();
    for (int k = 0; k < WITNESS_KINDS; k++) {
        const struct witness *w = &v->witness[k];
        if (!witness_found(w) || (k == WITNESS_OUTSIDE && !v->outside)) {
            continue;
        }
        json_object_set_new(object, witness_name((enum witness_kind)k),
                            json_pack("{s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "state", (json_int_t)w->trial, "instruction",
                                      w->text, "operands", w->state, "mode", w->mode, "resource", w->resource,
                                      "differs", w->differs, "first", w->first, "second", w->second));
    }
    return object;
}

static json_t *verdict_json(const struct verdict *v) {
    char code[8];
    snprintf(code, sizeof code, v->instruction->code > 0xFF ? "%04X" : "%02X", v->instruction->code);
    json_t *object = json_pack("{s:s,s:s,s:s,s:o,s:b,s:b,s:b,s:I,s:o}", "mnemonic", v->instruction->mnemonic, "code",
                               code, "name", v->instruction->name, "class", classes_json(v->class), "privileged",
                               v->privileged, "user_sensitive", v->user_sensitive, "enough", v->enough, "states",
                               (json_int_t)v->trials, "witnesses", witnesses_json(v));
    if (object && v->outside) {
        json_object_set_new(object, "footnote",
                            json_string(classify_footnote((enum classify_outside)(v->outside & -v->outside))));
    }
    return object;
}

static json_t *theorem_json(const struct classification *c, unsigned number) {
    struct theorem t;
    json_t *breaks = json_array(), *clocks = json_array();
    classification_theorem(c, number, &t);
    for (unsigned k = 0; k < t.count; k++) {
        json_array_append_new(breaks, json_string(t.breaks[k]->mnemonic));
    }
    for (unsigned k = 0; k < t.clocks; k++) {
        json_array_append_new(clocks, json_string(t.shows_time[k]->mnemonic));
    }
    return json_pack("{s:i,s:s,s:s,s:b,s:o,s:o}", "number", (int)number, "name", t.name, "condition", t.condition,
                     "holds", t.holds, "breaks", breaks, "shows_time", clocks);
}

static bool print_json(const struct cli *cli, const struct classification *c, bool all) {
    json_t *verdicts = json_array(), *theorems = json_array();
    for (unsigned n = 0; n < c->count; n++) {
        json_array_append_new(verdicts, verdict_json(&c->verdict[n]));
    }
    for (unsigned n = 1; all && n <= THEOREMS; n++) {
        json_array_append_new(theorems, theorem_json(c, n));
    }
    return cli_print_json(cli, json_pack("{s:s,s:I,s:o,s:o}", "profile", profile_name(c->profile), "seed",
                                         (json_int_t)c->seed, "instructions", verdicts, "theorems", theorems));
}

/* --- the command -------------------------------------------------------------------------------------------------- */

static bool print_one(const struct cli *cli, const struct classification *c) {
    struct bytes text = {0};
    classify_explain(&c->verdict[0], &text);
    if (text.failed) {
        cli_fail(cli, &(struct error){ERROR_INTERNAL, "out of memory"});
    } else {
        fprintf(cli->out, "%s", (const char *)text.data);
    }
    bool ok = !text.failed;
    bytes_fini(&text);
    return ok;
}

static int print_classification(const struct cli *cli, const struct classification *c, bool all) {
    bool ok = true;
    if (cli->json) {
        ok = print_json(cli, c, all);
    } else if (all) {
        print_all(cli->out, c);
    } else {
        ok = print_one(cli, c);
    }
    return ok ? 0 : ERROR_INTERNAL;
}

static int run_classify(struct cli *cli) {
    const char *text = cli_value(cli, "instruction"), *seed_text = cli_value(cli, "seed");
    struct classification c;
    struct classify_options o = {.seed = CLASSIFY_SEED, .interrupted = cli_interrupted};
    struct error e = ERROR_CLEAR;
    if (!cli_read_profile(cli, &o.profile) ||
        (seed_text && !cli_read_decimal(cli, "--seed", seed_text, INT64_MAX, &o.seed))) {
        return ERROR_INPUT;
    }
    if (text && !(o.only = instruction_find(text))) {
        return cli_refuse(cli, "--instruction is %.20s; it takes a mnemonic such as LPSW", *text ? text : "empty");
    }
    cli_catch_interrupt();
    if (!classify(&c, &o, &e)) {
        return cli_fail(cli, &e);
    }
    int status = print_classification(cli, &c, !o.only);
    classification_free(&c);
    return status;
}

static const struct cli_option options[] = {
    {"profile", 0, "NAME", false, "instruction set: s370 (the default) or flawed"},
    {"instruction", 0, "NAME", false, "just this one, with its witnesses step by step"},
    {"seed", 0, "N", false, "of the search (default 1974)"},
    {NULL, 0, NULL, false, NULL},
};

const struct cli_command cli_classify = {
    .name = "classify",
    .summary = "find Popek and Goldberg's class of each instruction, by experiment",
    .usage = "[OPTION]...",
    .details = "Executes every instruction in pairs of states that differ only in mode, location\n"
               "or one resource, on real bare machines, and compares; prints class, witness,\n"
               "whether it is privileged, and what Popek and Goldberg's theorems say.\n",
    .options = options,
    .run = run_classify,
};
