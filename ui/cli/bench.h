/* Benchmarks: a table of them, and how one reports. They are never part of the test suite: a number on this machine,
 * beside the number of a peer or a baseline taken in the same run. */
#ifndef UI_CLI_BENCH_H
#define UI_CLI_BENCH_H

#include <stdbool.h>

#include "base/error.h"

struct bench;
struct benchmark {
    const char *name, *summary;
    /* Reports its measures. False and *e when it could not be done. */
    bool (*run)(struct bench *b, struct error *e);
};

/* All of them; ends with a row without a name. One file each: ui/cli/bench_<name>.c. */
extern const struct benchmark benchmarks[];

/* One measure: "MVC, DAT on", 812.5, "MIPS". peer: what it is compared with, NULL for nothing; ratio: ours to its. */
void bench_report(struct bench *b, const char *measure, double value, const char *unit, const char *peer, double ratio);
/* A line about the measurement for people: which model, which peer, what is missing. Not part of the JSON results but
 * of its "notes". */
void bench_note(struct bench *b, const char *text);
/* CPU seconds of this process so far. */
double bench_seconds(void);
/* Whether the user wants it to stop; a benchmark asks between its measures. */
bool bench_interrupted(const struct bench *b);

bool bench_cpu(struct bench *b, struct error *e);
bool bench_machines(struct bench *b, struct error *e);
bool bench_nest(struct bench *b, struct error *e);
bool bench_history(struct bench *b, struct error *e);
bool bench_screen(struct bench *b, struct error *e);

#endif
