/* Verdicts and witnesses in words. */
#include <stdio.h>
#include <string.h>

#include "isa/classify.h"

const char *witness_name(enum witness_kind k) {
    static const char *const names[WITNESS_KINDS] = {
        "control", "mode", "location", "resource", "user control", "user location", "user resource", "trap", "outside"};
    return names[k];
}

const char *classify_class_name(unsigned class) {
    static const char *const names[] = {"innocuous", "control", "behaviour", "control, behaviour", "traps"};
    return names[class <= CLASS_TRAPS ? class : CLASS_TRAPS];
}

const char *classify_footnote(enum classify_outside o) {
    return o == OUTSIDE_CLOCK
               ? "It shows the TOD clock, and time lies outside the model. Where a guest's time is to be its own, the "
                 "monitor must make it trap (STCK control) or keep the difference between the clocks."
               : "Whether it traps depends on the masks in control register 8, which lies outside the model. A monitor "
                 "must keep the guest's masks in the real register, and reflect the event.";
}

/* What the pair of a witness is, and what its two results are called. */
static const struct {
    const char *pair, *first, *second, *conclusion;
} words[WITNESS_KINDS] = {
    [WITNESS_CONTROL] = {"One state, before the instruction and after it; there is no trap.", "before", "after",
                         "control-sensitive: it changes mode or resources without a trap"},
    [WITNESS_MODE] = {"Two states that differ in the mode only.", "in supervisor state", "in problem state",
                      "behaviour-sensitive (mode): neither traps, and the results differ by more than the mode"},
    [WITNESS_LOCATION] = {"Two states that differ in where the program's storage lies only.", "at location a",
                          "at location b",
                          "behaviour-sensitive (location): moved storage alone makes a difference that relocation does "
                          "not take out"},
    [WITNESS_RESOURCE] = {"Two states that differ in one resource only.", "in the first", "in the second",
                          "behaviour-sensitive (resource): the program sees what is not its own"},
    [WITNESS_USER_CONTROL] = {"The same in problem state.", "before", "after", "user-sensitive: control"},
    [WITNESS_USER_LOCATION] = {"Location again, both states in problem state.", "at location a", "at location b",
                               "user-sensitive: location"},
    [WITNESS_USER_RESOURCE] = {"A resource again, both states in problem state.", "in the first", "in the second",
                               "user-sensitive: resource"},
    [WITNESS_TRAP] = {"Two states that differ in the mode only.", "in supervisor state", "in problem state", ""},
    [WITNESS_OUTSIDE] = {"Two states that differ in what lies outside the model.", "in the first", "in the second", ""},
};

static void explain_witness(const struct witness *w, enum witness_kind k, bool also_of_users, struct bytes *to) {
    if (!witness_found(w))
        return;
    bytes_printf(to, "\n%s (state %llu)\n", words[k].pair, (unsigned long long)w->trial);
    if (*w->resource)
        bytes_printf(to, "  they differ in  %s\n", w->resource);
    bytes_printf(to, "  instruction     %s\n", w->text);
    if (*w->state)
        bytes_printf(to, "  operands        %s\n", w->state);
    if (k != WITNESS_MODE && k != WITNESS_TRAP)
        bytes_printf(to, "  mode            %s state\n", w->mode);
    bytes_printf(to, "  %s\n    %-20s%s\n    %-20s%s\n", w->differs, words[k].first, w->first, words[k].second,
                 w->second);
    if (*words[k].conclusion)
        bytes_printf(to, "  so it is %s\n", words[k].conclusion);
    if (also_of_users)
        bytes_printf(to, "  and, both states being in problem state, user-sensitive\n");
}

/* The witness of user-sensitivity for one of sensitivity; WITNESS_KINDS: there is no such kind. */
static enum witness_kind user_kind(enum witness_kind k) {
    return k == WITNESS_CONTROL    ? WITNESS_USER_CONTROL
           : k == WITNESS_LOCATION ? WITNESS_USER_LOCATION
           : k == WITNESS_RESOURCE ? WITNESS_USER_RESOURCE
                                   : WITNESS_KINDS;
}

static void explain_kind(const struct verdict *v, enum witness_kind k, struct bytes *to) {
    const struct witness *w = &v->witness[k];
    enum witness_kind user = user_kind(k);
    bool same = user < WITNESS_KINDS && witness_found(&v->witness[user]) && v->witness[user].trial == w->trial &&
                strcmp(w->mode, "problem") == 0;
    explain_witness(w, k, same, to);
    if (user < WITNESS_KINDS && !same)
        explain_witness(&v->witness[user], user, false, to);
}

static void explain_pairs(const struct verdict *v, struct bytes *to) {
    const uint64_t *n = v->pairs;
    bytes_printf(to,
                 "\n%llu states tried. Without a trap: %llu executions, %llu pairs of modes, %llu of locations, "
                 "%llu of resources.\n",
                 (unsigned long long)v->trials, (unsigned long long)n[WITNESS_CONTROL],
                 (unsigned long long)n[WITNESS_MODE], (unsigned long long)n[WITNESS_LOCATION],
                 (unsigned long long)n[WITNESS_RESOURCE]);
}

void classify_explain(const struct verdict *v, struct bytes *to) {
    const struct instruction *i = v->instruction;
    bytes_printf(to, "%s, %s: %s; %sprivileged%s\n", i->mnemonic, i->name, classify_class_name(v->class),
                 v->privileged ? "" : "not ", v->user_sensitive ? "; user-sensitive" : "");
    explain_kind(v, WITNESS_TRAP, to);
    for (unsigned k = WITNESS_CONTROL; k <= WITNESS_RESOURCE; k++)
        explain_kind(v, (enum witness_kind)k, to);
    if (v->outside) {
        explain_kind(v, WITNESS_OUTSIDE, to);
        for (unsigned o = OUTSIDE_CLOCK; o <= OUTSIDE_MONITOR_MASKS; o <<= 1)
            if (v->outside & o)
                bytes_printf(to, "  %s\n", classify_footnote((enum classify_outside)o));
    }
    explain_pairs(v, to);
    if (!verdict_sensitive(v) && !v->enough)
        bytes_printf(to, "That is too little to say that there is no difference.\n");
}
