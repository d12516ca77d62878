/* run: a Lua scenario. What it prints goes to standard output, with --json to standard error, so that the verdict alone
 * is on standard output. */
#include <string.h>

#include "scenarios/engine/engine.h"
#include "ui/cli/cli.h"

static void print_text(void *self, const char *text, size_t length) {
    const struct cli *cli = self;
    fwrite(text, 1, length, cli->json ? cli->err : cli->out);
}

static void print_detail(void *self, const char *text, size_t length) {
    const struct cli *cli = self;
    fflush(cli->out);
    fwrite(text, 1, length, cli->err);
}

static bool read_number(const struct cli *cli, const char *option, uint64_t most, uint64_t *to) {
    const char *text = cli_value(cli, option);
    char what[40];
    snprintf(what, sizeof what, "--%s", option);
    return !text || cli_read_decimal(cli, what, text, most, to);
}

static json_t *points(double n) { return n == (double)(json_int_t)n ? json_integer((json_int_t)n) : json_real(n); }

static bool print_results_json(const struct cli *cli, const struct engine *engine, uint64_t seed,
                               const struct error *e) {
    struct engine_results results;
    json_t *o = json_object(), *checks = json_array();
    engine_results(engine, &results);
    for (size_t i = 0; i < results.check_count; i++) {
        const struct engine_check *c = &results.checks[i];
        json_t *check = json_object();
        json_object_set_new(check, "name", cli_json_text(c->name));
        json_object_set_new(check, "passed", json_boolean(c->passed));
        json_object_set_new(check, "points", points(c->points));
        json_object_set_new(check, "most", points(c->most));
        json_object_set_new(check, "message", cli_json_text(c->message));
        json_array_append_new(checks, check);
    }
    json_object_set_new(o, "scenario", cli_json_text(cli->operands[0]));
    json_object_set_new(o, "seed", json_integer((json_int_t)seed));
    json_object_set_new(o, "passed", json_boolean(!e->kind && !results.failed_count));
    json_object_set_new(o, "points", points(results.points));
    json_object_set_new(o, "most", points(results.most));
    json_object_set_new(o, "checks", checks);
    json_object_set_new(o, "error", cli_json_text(e->kind ? e->text : NULL));
    return cli_print_json(cli, o);
}

static int run_scenario(struct cli *cli, const struct engine_options *options) {
    struct error e = ERROR_CLEAR, trace = ERROR_CLEAR;
    struct engine_results results;
    char place[4200];
    struct engine *engine = engine_new(options, &e);
    if (!engine) {
        return cli_fail(cli, &e);
    }
    cli_catch_interrupt();
    engine_run_file(engine, cli_find_scenario(cli->operands[0], options->library, place, sizeof place), &e);
    engine_results(engine, &results);
    if (!engine_finish(engine, &trace) && !e.kind) {
        e = trace;
    }
    int status = e.kind ? (int)e.kind : results.failed_count ? (int)ERROR_EXPECTATION : 0;
    if (cli->json && !print_results_json(cli, engine, options->seed, &e)) {
        status = ERROR_INTERNAL;
    }
    if (e.kind) {
        fflush(cli->out);
        cli_fail(cli, &e);
    }
    engine_free(engine);
    return status;
}

static int run_run(struct cli *cli) {
    char library[4096];
    struct engine_options options = {.arguments = cli->rest,
                                     .argument_count = cli->rest_count,
                                     .trace_path = cli_value(cli, "trace"),
                                     .output = print_text,
                                     .detail = print_detail,
                                     .interrupted = cli_interrupted,
                                     .self = cli,
                                     .color = cli->color && !cli->json};
    const char *memory = cli_value(cli, "lua-memory");
    if (cli_scenarios(library, sizeof library)) {
        options.library = library;
    } else {
        library[0] = '\0';
    }
    if (!read_number(cli, "seed", INT64_MAX, &options.seed) ||
        !read_number(cli, "max-instructions", UINT64_MAX, &options.budgets.machine_instructions) ||
        !read_number(cli, "max-lua", UINT64_MAX, &options.budgets.lua_instructions) ||
        (memory &&
         !cli_read_size(cli, "--lua-memory", memory, 1 << 20, UINT64_C(1) << 36, &options.budgets.lua_bytes))) {
        return ERROR_INPUT;
    }
    return run_scenario(cli, &options);
}

static const struct cli_option options[] = {
    {"trace", 0, "FILE", false, "write every event as a line of JSON"},
    {"seed", 0, "N", false, "the seed of all random streams (default 0)"},
    {"max-instructions", 0, "N", false, "budget of simulated instructions (2000000000)"},
    {"max-lua", 0, "N", false, "budget of Lua instructions (500000000)"},
    {"lua-memory", 0, "SIZE", false, "budget of Lua memory (256M)"},
    {NULL, 0, NULL, false, NULL},
};

const struct cli_command cli_run = {
    .name = "run",
    .summary = "run a Lua scenario",
    .usage = "FILE.lua [OPTION]... [-- ARGS]",
    .details = "ARGS are the scenario's `args`. A FILE that is not there is looked for among the\n"
               "scenarios that come with cloud370. Exit status: 0 every expectation held, 1 one\n"
               "failed, 2 an error in the scenario, 3 a budget was reached, or Ctrl-C.\n",
    .options = options,
    .least = 1,
    .most = 1,
    .rest = true,
    .run = run_run,
};
