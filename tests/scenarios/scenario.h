/* Running a scenario's text in a test: what it printed, how it ended. */
#ifndef TESTS_SCENARIOS_SCENARIO_H
#define TESTS_SCENARIOS_SCENARIO_H

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "scenarios/engine/engine.h"
#include "tests/support/unit.h"

struct outcome {
    bool ok;
    struct error e;
    struct bytes output, detail;
    size_t checks, failed;
    double points, most;
    char message[512]; /* of the first failed check */
    uint64_t lua_used, machine_used;
    unsigned polls; /* for tests of interruption: how often it was asked for */
};

static inline void scenario_take_output(void *self, const char *text, size_t length) {
    bytes_append(&((struct outcome *)self)->output, text, length);
}

static inline void scenario_take_detail(void *self, const char *text, size_t length) {
    bytes_append(&((struct outcome *)self)->detail, text, length);
}

/* Runs `text` under the name "test.lua"; options may be NULL. */
static inline void scenario_run(struct outcome *to, const char *text, const struct engine_options *options) {
    struct engine_options o = options ? *options : (struct engine_options){0};
    struct engine_results results;
    *to = (struct outcome){.e = ERROR_CLEAR};
    o.output = scenario_take_output;
    o.detail = scenario_take_detail;
    o.self = to;
    if (!o.library) {
        o.library = SOURCE_DIR "/scenarios";
    }
    struct engine *engine = engine_new(&o, &to->e);
    assert_non_null(engine);
    to->ok = engine_run_text(engine, "test.lua", text, strlen(text), &to->e);
    engine_results(engine, &results);
    to->checks = results.check_count;
    to->failed = results.failed_count;
    to->points = results.points;
    to->most = results.most;
    to->lua_used = results.lua_instructions;
    to->machine_used = results.machine_instructions;
    for (size_t i = 0; i < results.check_count && !*to->message; i++) {
        snprintf(to->message, sizeof to->message, "%s", results.checks[i].message);
    }
    assert_true(engine_finish(engine, NULL));
    engine_free(engine);
}

static inline void scenario_fini(struct outcome *o) {
    bytes_fini(&o->output);
    bytes_fini(&o->detail);
}

static inline const char *scenario_printed(const struct outcome *o) {
    return o->output.data ? (const char *)o->output.data : "";
}

/* The scenario ends well and prints exactly this. */
static inline void scenario_prints(const char *text, const char *wanted) {
    struct outcome o;
    scenario_run(&o, text, NULL);
    if (!o.ok) {
        fail_msg("%s\n%s", o.e.text, text);
    }
    assert_string_equal(scenario_printed(&o), wanted);
    scenario_fini(&o);
}

/* The scenario ends with an error of this kind that has this in its text. */
static inline void scenario_fails(const char *text, enum error_kind kind, const char *wanted) {
    struct outcome o;
    scenario_run(&o, text, NULL);
    if (o.ok || o.e.kind != kind || !strstr(o.e.text, wanted)) {
        fail_msg("\"%s\" (%d) instead of \"%s\" (%d) from:\n%s", o.e.text, (int)o.e.kind, wanted, (int)kind, text);
    }
    scenario_fini(&o);
}

#endif
