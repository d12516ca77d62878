/* The processor against Hercules: random programs on both, and everything that they leave behind compared.
 *
 *     test_against_hercules [--cases N] [--from N] [--seed S] [--case N] [--instruction MNEMONIC] [--jobs N] [--show N]
 *
 * Prints each difference as a reduced case, and at the end what was reached. Exit status 0: no unexplained difference;
 * 1: some; 77: Hercules is not installed. tests/support/differential.h says what a case is. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "isa/cost.h"
#include "tests/support/differential.h"
#include "tests/support/hercules.h"

enum { BATCH = 48, DIFFERENCES_SHOWN = 6, PROCESSES = 2, SEED = 370 };

#define OTHER_TOD UINT64_C(0xD5A1B2C3E4F60000)

struct options {
    uint64_t from, cases, seed, one;
    bool has_one, self, raw;
    int focus;
    unsigned jobs, shown;
};

/* What the workers share with their parent. */
struct tally {
    uint64_t cases, excused, different, varying;
    uint64_t ends[4];
    uint64_t by_exception[EXCEPTION_COUNT], by_focus[INSTRUCTION_S370_COUNT];
    struct differential_coverage coverage;
};

struct worker {
    const struct options *o;
    struct differential_engine standard, subject;
    struct differential_engine slower;     /* the subject, where it is another time, and goes by otherwise */
    struct differential_result a, b, c, d; /* for single cases */
    enum differential_end end_a, end_b;
    struct tally *tally;
};

static enum differential_verdict run_both(struct worker *w, const struct differential_case *c, const char **exception) {
    w->standard.run(w->standard.self, &c, &w->a, 1);
    w->subject.run(w->subject.self, &c, &w->b, 1);
    return differential_compare(c, &w->a, &w->b, exception);
}

/* True when the difference does not come again. Our machine gives the same every time, so it was the standard that gave
 * another result: host time got into it, or a busy host did not let it finish. */
static bool passes_over(struct worker *w, const struct differential_case *c) {
    const char *exception;
    for (int i = 0; i < 4; i++)
        if (run_both(w, c, &exception) != VERDICT_DIFFERENT)
            return true;
    /* What a Hercules that has run for long remembers of its devices is not the machine's. */
    struct error ignored = ERROR_CLEAR;
    w->standard.free(w->standard.self);
    if (!differential_hercules(&w->standard, PROCESSES, &ignored))
        abort();
    return run_both(w, c, &exception) != VERDICT_DIFFERENT;
}

/* True when the program looks at a clock: with other times it does something else on our machine, too. */
static bool looks_at_clocks(struct worker *w, const struct differential_case *c) {
    const char *exception;
    struct differential_case *other = malloc(sizeof *other);
    if (!other)
        return false;
    *other = *c;
    other->interval_timer = 0xFFFFFFFF;
    const struct differential_case *changed = other;
    w->subject.run(w->subject.self, &c, &w->a, 1);
    w->slower.run(w->slower.self, &changed, &w->b, 1);
    free(other);
    return differential_compare(c, &w->a, &w->b, &exception) != VERDICT_EQUAL;
}

/* True when the difference is gone where all blocks count as referred to and changed from the beginning: the program
 * looks at such a bit after an instruction of which it is left open which bits it sets, or that looks at two blocks. */
static bool looks_at_references(struct worker *w, const struct differential_case *c) {
    const char *exception;
    if (!differential_reference_exception(c))
        return false;
    struct differential_case *other = malloc(sizeof *other);
    if (!other)
        return false;
    *other = *c;
    for (unsigned i = 0; i < DIFF_LOW_BLOCKS; i++)
        other->keys[i] |= 6;
    for (unsigned i = 0; i < DIFF_HIGH_BLOCKS; i++)
        other->high_keys[i] |= 6;
    bool gone = run_both(w, other, &exception) != VERDICT_DIFFERENT;
    free(other);
    return gone;
}

/* True when the difference is gone where bytes 144-147 are 0 from the beginning: the program looks at them after a data
 * exception, at which Hercules clears them. */
static bool looks_at_translation_address(struct worker *w, const struct differential_case *c) {
    static const uint32_t page_zeros[] = {0, DIFF_PREFIX_A, DIFF_PREFIX_B};
    const char *exception;
    struct differential_case *other = malloc(sizeof *other);
    if (!other)
        return false;
    *other = *c;
    for (size_t i = 0; i < sizeof page_zeros / sizeof *page_zeros; i++)
        memset(other->low + page_zeros[i] + 144, 0, 4);
    bool gone = run_both(w, other, &exception) != VERDICT_DIFFERENT;
    free(other);
    return gone;
}

/* Differs still, and ends in the same way: otherwise shrinking wanders off to something else. */
static bool still_differs(void *self, const struct differential_case *c) {
    struct worker *w = self;
    const char *exception;
    return run_both(w, c, &exception) == VERDICT_DIFFERENT && w->a.end == w->end_a && w->b.end == w->end_b &&
           !looks_at_clocks(w, c) && !looks_at_references(w, c) && !looks_at_translation_address(w, c);
}

static void show(struct worker *w, const struct differential_case *original) {
    struct differential_case *c = malloc(sizeof *c);
    const char *exception;
    if (!c)
        return;
    *c = *original;
    run_both(w, c, &exception);
    w->end_a = w->a.end;
    w->end_b = w->b.end;
    if (!w->o->raw)
        differential_shrink(c, still_differs, w);
    bool differs = run_both(w, c, &exception) == VERDICT_DIFFERENT;
    char *text = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&text, &length);
    if (to) {
        fprintf(to, "\nDIFFERENCE in %s: test_against_hercules --seed %llu --case %llu%s%s\n",
                instruction_table[c->focus].mnemonic, (unsigned long long)c->seed, (unsigned long long)c->number,
                w->o->focus >= 0 ? " --instruction " : "",
                w->o->focus >= 0 ? instruction_table[w->o->focus].mnemonic : "");
        differential_print_case(to, c);
        if (differs)
            differential_print_difference(to, c, &w->a, &w->b, w->standard.name, w->subject.name);
        else
            fprintf(to, "  (equal when run again)\n");
        fclose(to);
        fwrite(text, 1, length, stdout);
        fflush(stdout);
    }
    free(text);
    free(c);
}

/* The verdict on two results, which become changed, with all that is excused. *exception stays NULL where host time is
 * the reason. */
static enum differential_verdict verdict_on(struct worker *w, const struct differential_case *c,
                                            struct differential_result *a, struct differential_result *b,
                                            const char **exception) {
    enum differential_verdict verdict = differential_compare(c, a, b, exception);
    if (verdict != VERDICT_DIFFERENT)
        return verdict;
    if (looks_at_clocks(w, c)) {
        *exception = differential_exceptions[EXCEPTION_CLOCKS].name;
        return VERDICT_EXCUSED;
    }
    if (passes_over(w, c))
        return VERDICT_EXCUSED;
    if (looks_at_references(w, c)) {
        *exception = differential_reference_exception(c);
        return VERDICT_EXCUSED;
    }
    if (looks_at_translation_address(w, c)) {
        *exception = differential_exceptions[EXCEPTION_EXTENDED_CODES].name;
        return VERDICT_EXCUSED;
    }
    return VERDICT_DIFFERENT;
}

/* An exception may hide what has nothing to do with it: without the instructions that it is about the program must not
 * differ, either. Changes *c to the program that does; false when there is none. */
static bool differs_without(struct worker *w, struct differential_case *c, const char *exception) {
    while (exception && differential_leave_out(c, exception)) {
        const struct differential_case *changed = c;
        w->standard.run(w->standard.self, &changed, &w->c, 1);
        w->subject.run(w->subject.self, &changed, &w->d, 1);
        if (verdict_on(w, c, &w->c, &w->d, &exception) == VERDICT_DIFFERENT)
            return true;
    }
    return false;
}

static void count_excused(struct tally *t, const char *exception) {
    t->excused++;
    t->varying += !exception;
    for (size_t i = 0; exception && i < EXCEPTION_COUNT; i++)
        t->by_exception[i] += exception == differential_exceptions[i].name;
}

static void judge(struct worker *w, const struct differential_case *c, struct differential_result *a,
                  struct differential_result *b) {
    const char *exception;
    struct tally *t = w->tally;
    t->cases++;
    t->ends[a->end]++;
    differential_cover(&t->coverage, c, a);
    enum differential_verdict verdict = verdict_on(w, c, a, b, &exception);
    struct differential_case *without = verdict == VERDICT_EXCUSED ? malloc(sizeof *without) : NULL;
    if (without) {
        *without = *c;
        if (differs_without(w, without, exception)) {
            verdict = VERDICT_DIFFERENT;
            c = without;
        }
    }
    if (verdict == VERDICT_EXCUSED)
        count_excused(t, exception);
    if (verdict == VERDICT_DIFFERENT) {
        t->by_focus[c->focus]++;
        if (t->different++ < w->o->shown)
            show(w, c);
    } else if (w->o->has_one) {
        differential_print_case(stdout, c);
        differential_print_difference(stdout, c, a, b, w->standard.name, w->subject.name);
    }
    free(without);
}

static bool worker_run(struct worker *w, unsigned self) {
    const struct options *o = w->o;
    struct differential_case *cases = calloc(BATCH, sizeof *cases);
    struct differential_result a[BATCH], b[BATCH];
    const struct differential_case *list[BATCH];
    bool ok = cases && differential_result_init(&w->a) && differential_result_init(&w->b) &&
              differential_result_init(&w->c) && differential_result_init(&w->d);
    for (int i = 0; i < BATCH; i++)
        ok = differential_result_init(&a[i]) && differential_result_init(&b[i]) && ok;
    uint64_t first = o->has_one ? o->one : o->from, end = o->has_one ? o->one + 1 : o->from + o->cases;
    for (uint64_t at = first + self; ok && at < end;) {
        size_t n = 0;
        for (; n < BATCH && at < end; at += o->jobs) {
            differential_generate(&cases[n], o->seed, at, o->focus);
            list[n] = &cases[n];
            n++;
        }
        w->standard.run(w->standard.self, list, a, n);
        w->subject.run(w->subject.self, list, b, n);
        for (size_t i = 0; i < n; i++)
            judge(w, &cases[i], &a[i], &b[i]);
    }
    for (int i = 0; i < BATCH; i++) {
        differential_result_fini(&a[i]);
        differential_result_fini(&b[i]);
    }
    differential_result_fini(&w->a);
    differential_result_fini(&w->b);
    free(cases);
    return ok;
}

/* One process of the test, with processes of Hercules of its own. */
static int work(const struct options *o, unsigned self, struct tally *tally) {
    struct error e = ERROR_CLEAR;
    struct cost_model model, slow;
    struct worker w = {.o = o, .tally = tally};
    if (!cost_model_find(&model, "flat", &e) || !cost_model_find(&slow, "s370", &e) ||
        !differential_hercules(&w.standard, PROCESSES, &e)) {
        fprintf(stderr, "test_against_hercules: %s\n", e.text);
        return 2;
    }
    const struct differential_machine usual = {.model = &model}, other = {.model = &slow, .tod = OTHER_TOD};
    bool ok = true;
    differential_machine(&w.slower, &other);
    if (o->self)
        ok = differential_hercules(&w.subject, 1, &e);
    else
        differential_machine(&w.subject, &usual);
    ok = ok && worker_run(&w, self);
    w.standard.free(w.standard.self);
    w.subject.free(w.subject.self);
    return ok ? 0 : 2;
}

/* A worker does not outlive an interrupted test. */
static void end_with_parent(void) {
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
}

static bool parse(int count, char **arguments, struct options *o) {
    for (int i = 1; i < count; i++) {
        const char *name = arguments[i], *value = i + 1 < count ? arguments[i + 1] : NULL;
        if (strcmp(name, "--self") == 0) {
            o->self = true;
            continue;
        }
        if (strcmp(name, "--raw") == 0) {
            o->raw = true;
            continue;
        }
        if (!value)
            return false;
        i++;
        if (strcmp(name, "--instruction") == 0) {
            const struct instruction *found = instruction_find(value);
            if (!found)
                return false;
            o->focus = instruction_id(found);
            continue;
        }
        char *rest;
        uint64_t number = strtoull(value, &rest, 0);
        if (*rest)
            return false;
        if (strcmp(name, "--cases") == 0)
            o->cases = number;
        else if (strcmp(name, "--from") == 0)
            o->from = number;
        else if (strcmp(name, "--seed") == 0)
            o->seed = number;
        else if (strcmp(name, "--case") == 0)
            o->one = number, o->has_one = true, o->jobs = 1;
        else if (strcmp(name, "--jobs") == 0 && number >= 1 && number <= 64)
            o->jobs = (unsigned)number;
        else if (strcmp(name, "--show") == 0)
            o->shown = (unsigned)number;
        else
            return false;
    }
    return true;
}

int main(int count, char **arguments) {
    struct options o = {.cases = 20000, .seed = SEED, .focus = -1, .jobs = 2, .shown = DIFFERENCES_SHOWN};
    if (!parse(count, arguments, &o)) {
        fprintf(
            stderr,
            "usage: %s [--cases N] [--from N] [--seed S] [--case N] [--instruction MNEMONIC] [--jobs N] [--show N]\n",
            arguments[0]);
        return 2;
    }
    if (!hercules_present()) {
        printf("Hercules is not installed: skipped\n");
        return 77;
    }
    struct tally *tallies =
        mmap(NULL, o.jobs * sizeof *tallies, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (tallies == MAP_FAILED)
        return 2;
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    int status = 0;
    if (o.jobs == 1) {
        status = work(&o, 0, &tallies[0]);
    } else {
        for (unsigned i = 0; i < o.jobs; i++) {
            pid_t pid = fork();
            if (pid == 0) {
                end_with_parent();
                _exit(work(&o, i, &tallies[i]));
            }
            if (pid < 0)
                status = 2;
        }
        for (int one; wait(&one) > 0;)
            if (!WIFEXITED(one) || WEXITSTATUS(one))
                status = 2;
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    struct tally *all = &tallies[0];
    for (unsigned i = 1; i < o.jobs; i++) {
        all->cases += tallies[i].cases;
        all->excused += tallies[i].excused;
        all->varying += tallies[i].varying;
        all->different += tallies[i].different;
        for (int k = 0; k < 4; k++)
            all->ends[k] += tallies[i].ends[k];
        for (size_t k = 0; k < EXCEPTION_COUNT; k++)
            all->by_exception[k] += tallies[i].by_exception[k];
        for (size_t k = 0; k < INSTRUCTION_S370_COUNT; k++)
            all->by_focus[k] += tallies[i].by_focus[k];
        differential_coverage_add(&all->coverage, &tallies[i].coverage);
    }
    if (!o.has_one)
        status |=
            differential_coverage_print(stdout, &all->coverage) && o.focus < 0 && o.cases >= 20000 && o.seed == SEED;
    for (size_t i = 0; i < EXCEPTION_COUNT; i++)
        if (all->by_exception[i])
            printf("excused: %llu by \"%s\"\n", (unsigned long long)all->by_exception[i],
                   differential_exceptions[i].name);
    if (all->varying)
        printf("excused: %llu by host time in the results of Hercules\n", (unsigned long long)all->varying);
    if (all->different)
        printf("different:");
    for (size_t i = 0; i < INSTRUCTION_S370_COUNT; i++)
        if (all->by_focus[i])
            printf(" %s %llu", instruction_table[i].mnemonic, (unsigned long long)all->by_focus[i]);
    if (all->different)
        printf("\n");
    printf("%llu cases (seed %llu) in %.1f s: %llu different, %llu excused; ended: %llu wait, %llu check-stop, %llu "
           "limit, "
           "%llu failed\n",
           (unsigned long long)all->cases, (unsigned long long)o.seed,
           (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec),
           (unsigned long long)all->different, (unsigned long long)all->excused, (unsigned long long)all->ends[0],
           (unsigned long long)all->ends[1], (unsigned long long)all->ends[2], (unsigned long long)all->ends[3]);
    if (all->different && !status)
        status = 1;
    munmap(tallies, o.jobs * sizeof *tallies);
    return status;
}
