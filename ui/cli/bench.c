/* bench: runs benchmarks and prints their measures. */
#include "ui/cli/bench.h"

#include <string.h>
#include <time.h>

#include "ui/cli/cli.h"

const struct benchmark benchmarks[] = {
    {"cpu", "simulated instructions a second, and the ratio to Hercules", bench_cpu},
    {"machines", "making machines of 16 MB, and what idle ones occupy", bench_machines},
    {"nest", "what traps, shadow tables and depth cost, in host time and in cycles", bench_nest},
    {"history", "what snapshots and going back cost", bench_history},
    {"screen", "how fast the terminal UI answers, and runs", bench_screen},
    {NULL, NULL, NULL},
};

struct bench {
    const struct cli *cli;
    const struct benchmark *current;
    json_t *results, *notes; /* NULL: text */
};

void bench_report(struct bench *b, const char *measure, double value, const char *unit, const char *peer,
                  double ratio) {
    if (!b->results) {
        fprintf(b->cli->out, "  %-36s %12.3f %-8s", measure, value, unit);
        if (peer) {
            fprintf(b->cli->out, " %8.2f x %s", ratio, peer);
        }
        fputc('\n', b->cli->out);
        fflush(b->cli->out);
        return;
    }
    json_t *o = json_object();
    json_object_set_new(o, "benchmark", json_string(b->current->name));
    json_object_set_new(o, "measure", json_string(measure));
    json_object_set_new(o, "value", json_real(value));
    json_object_set_new(o, "unit", json_string(unit));
    json_object_set_new(o, "peer", peer ? json_string(peer) : json_null());
    json_object_set_new(o, "ratio", peer ? json_real(ratio) : json_null());
    json_array_append_new(b->results, o);
}

void bench_note(struct bench *b, const char *text) {
    if (b->notes) {
        json_array_append_new(b->notes, json_string(text));
    } else {
        fprintf(b->cli->out, "  %s\n", text);
    }
}

double bench_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

bool bench_interrupted(const struct bench *b) {
    (void)b;
    return cli_interrupted(NULL);
}

static const char *benchmark_name(const void *table, unsigned i) { return ((const struct benchmark *)table)[i].name; }

static int refuse_name(const struct cli *cli, const char *name) {
    char list[256] = "";
    for (const struct benchmark *k = benchmarks; k->name; k++) {
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", k == benchmarks ? "" : ", ", k->name);
    }
    const char *near = cli_nearest(name, benchmark_name, benchmarks);
    return cli_refuse(cli, "bench: unknown benchmark %s; %s%s%sthere are: %s", name, near ? "did you mean " : "",
                      near ? near : "", near ? "? " : "", list);
}

static int run_bench(struct cli *cli) {
    struct bench b = {.cli = cli};
    struct error e = ERROR_CLEAR;
    const char *name = cli->operand_count ? cli->operands[0] : NULL;
    bool found = !name, ok = true;
    for (const struct benchmark *k = benchmarks; name && k->name; k++) {
        found |= !strcmp(k->name, name);
    }
    if (!found) {
        return refuse_name(cli, name);
    }
    if (cli->json) {
        b.results = json_array();
        b.notes = json_array();
    }
    cli_catch_interrupt();
    for (b.current = benchmarks; ok && b.current->name && !bench_interrupted(&b); b.current++) {
        if (name && strcmp(b.current->name, name)) {
            continue;
        }
        if (!cli->json) {
            fprintf(cli->out, "%s: %s\n", b.current->name, b.current->summary);
        }
        ok = b.current->run(&b, &e);
    }
    if (cli->json) {
        json_t *o = json_object();
        json_object_set_new(o, "results", b.results);
        json_object_set_new(o, "notes", b.notes);
        if (!cli_print_json(cli, o)) {
            return ERROR_INTERNAL;
        }
    }
    if (!ok) {
        return cli_fail(cli, &e);
    }
    if (bench_interrupted(&b)) {
        return cli_fail(cli, &(struct error){ERROR_BUDGET, "interrupted"});
    }
    return 0;
}

const struct cli_command cli_bench = {
    .name = "bench",
    .summary = "run benchmarks",
    .usage = "[NAME]",
    .details = "Without NAME all of them. Seconds are CPU seconds of this process.\n",
    .most = 1,
    .run = run_bench,
};
