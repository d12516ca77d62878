/* lab{...}: what it takes, and how the steps of one are looked at. */
#include "isa/machine.h"
#include "tests/scenarios/scenario.h"

static void test_a_lab_does_nothing_in_a_plain_run(void **state) {
    (void)state;
    scenario_prints("lab{ title = 'T', text = 'words', hide = { 'map' }, step = 'trap', checks = { 'c' },\n"
                    "  steps = { { name = 'n', text = 't', check = function() print('asked') return true end } } }\n"
                    "lab{ title = 'again' }\n"
                    "print('done')",
                    "done\n");
}

static void test_what_is_wrong_in_a_lab_is_named(void **state) {
    static const char *const cases[][2] = {
        {"lab()", "lab is missing; it takes a table of options, {title, text, ending, hide, checks, step, steps}"},
        {"lab{}", "lab: title is missing; it takes a text"},
        {"lab{ title = 5 }", "lab: title is 5; it takes a text"},
        {"lab{ title = 'T', pane = 'map' }", "lab: unknown option \"pane\""},
        {"lab{ title = 'T', text = ('x'):rep(20000) }", "lab: text is"},
        {"lab{ title = 'T', text = 'a\\0b' }", "lab: text is"},
        {"lab{ title = 'T', step = 'level' }", "lab: step is \"level\"; it takes \"instruction\", \"trap\" or \"run\""},
        {"lab{ title = 'T', hide = 'map' }", "lab: hide is \"map\"; it takes a list"},
        {"lab{ title = 'T', hide = { 5 } }", "lab: hide is 5; it takes a text"},
        {"local t = {} for i = 1, 65 do t[i] = 'x' end lab{ title = 'T', checks = t }", "a list of at most 64"},
        {"lab{ title = 'T', steps = { 'one' } }", "lab: a step is \"one\"; it takes a table of options"},
        {"lab{ title = 'T', steps = { {} } }", "lab: a step's text is missing"},
        {"lab{ title = 'T', steps = { { text = 't' } } }", "lab: a step's name is missing"},
        {"lab{ title = 'T', steps = { { text = 't', name = 'n' } } }",
         "lab: a step's check is missing; it takes a function"},
        {"lab{ title = 'T', steps = { { text = 't', name = 'n', done = 1 } } }",
         "lab: a step: unknown option \"done\""},
    };
    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++)
        scenario_fails(cases[n][0], ERROR_INPUT, cases[n][1]);
}

/* ---- Looking ---- */

struct watched {
    struct engine *engine;
    unsigned held;
    void (*look)(struct watched *w, struct machine *m);
    struct bytes output;
};

static void take(void *self, const char *text, size_t length) {
    bytes_append(&((struct watched *)self)->output, text, length);
}

static int hold(void *self, struct machine *m, const struct machine_limits *limits) {
    struct watched *w = self;
    (void)limits;
    w->held++;
    w->look(w, m);
    return MACHINE_READY;
}
static void closes(void *self, struct machine *bare) { (void)self, (void)bare; }

static bool look(struct watched *w, struct machine *m, const char *command, const char *pane) {
    const struct engine_lab_moment now = {.machine = m, .running = m, .command = command, .pane = pane};
    return engine_lab_look(w->engine, &now);
}

static void watch(const char *text, void (*look_at)(struct watched *w, struct machine *m)) {
    struct watched w = {.look = look_at};
    struct error e = ERROR_CLEAR;
    const struct engine_watcher watcher = {.run = hold, .closing = closes, .self = &w};
    const struct engine_options options = {.output = take, .self = &w, .watcher = &watcher};
    w.engine = engine_new(&options, &e);
    assert_non_null(w.engine);
    assert_null(engine_lab(w.engine));
    assert_false(look(&w, NULL, NULL, NULL));
    if (!engine_run_text(w.engine, "test.lua", text, strlen(text), &e))
        fail_msg("%s", e.text);
    assert_int_equal(w.held, 1);
    engine_free(w.engine);
    bytes_fini(&w.output);
}

static void look_in_order(struct watched *w, struct machine *m) {
    const struct engine_lab *lab = engine_lab(w->engine);
    assert_non_null(lab);
    assert_string_equal(lab->title, "T");
    assert_string_equal(lab->text, "words");
    assert_string_equal(lab->ending, "");
    assert_int_equal(lab->granularity, LAB_TRAPS);
    assert_int_equal(lab->hide_count, 2);
    assert_string_equal(lab->hide[1], "tlb");
    assert_int_equal(lab->check_count, 0);
    assert_int_equal(lab->step_count, 4);
    assert_int_equal(lab->done_count, 0);

    assert_false(look(w, m, NULL, "walk")); /* the second's time has not come */
    assert_string_equal(lab->steps[0].message, "");
    assert_true(look(w, m, "trap", "code"));
    assert_int_equal(lab->done_count, 1);
    assert_true(lab->steps[0].done && !lab->steps[1].done);
    assert_false(look(w, m, "trap", "code"));
    assert_true(look(w, m, "step", "walk")); /* and the third at once */
    assert_int_equal(lab->done_count, 3);
    assert_false(look(w, m, "step", NULL));
    assert_non_null(strstr(lab->steps[3].message, "expected 0 to equal 1"));
    assert_true(lab->steps[0].done); /* for good */
    static const uint8_t one[] = {0, 0, 0, 1};
    assert_int_equal(machine_poke(m, 0, one, 4), ACCESS_OK);
    assert_true(look(w, m, "step", NULL));
    assert_int_equal(lab->done_count, lab->step_count);
    assert_false(look(w, m, "step", NULL));
}

static void test_steps_are_done_in_order_and_for_good(void **state) {
    (void)state;
    watch("local m = machine.new{ memory = '64K', name = 'm' } m:restart()\n"
          "lab{ title = 'T', text = 'words', step = 'trap', hide = { 'map', 'tlb' }, steps = {\n"
          "  { name = '1', text = 't', check = function(now) return now.command == 'trap' end },\n"
          "  { name = '2', text = 't', check = function(now) return now.pane == 'walk' and now.machine == m end },\n"
          "  { name = '3', text = 't', check = function(now) return now.running.name == 'm' end },\n"
          "  { name = '4', text = 't', check = function(now) expect(m:word(0)).equals(1) return true end },\n"
          "} }\n"
          "m:run()\n",
          look_in_order);
}

static void look_at_bad_checks(struct watched *w, struct machine *m) {
    static const char *const says[] = {"attempt to index", "not inside an event handler", "not inside an event handler",
                                       "used up", "not inside an event handler"};
    const struct engine_lab *lab = engine_lab(w->engine);
    uint8_t before[16], after[16];
    uint64_t instructions;
    struct machine_stats stats;
    struct engine_results results;
    machine_stats(m, &stats);
    instructions = stats.instructions;
    assert_int_equal(machine_peek(m, 0x100, before, 16), ACCESS_OK);
    for (unsigned n = 0; n < 5; n++) {
        assert_false(look(w, m, "step", NULL));
        assert_int_equal(lab->done_count, n);
        if (!strstr(lab->steps[n].message, says[n]))
            fail_msg("step %u: \"%s\" instead of \"%s\"", n, lab->steps[n].message, says[n]);
        const char pane[2] = {(char)('1' + n), 0};
        assert_true(look(w, m, "go", pane));
    }
    machine_stats(m, &stats);
    assert_int_equal(stats.instructions, instructions);
    assert_int_equal(machine_peek(m, 0x100, after, 16), ACCESS_OK);
    assert_memory_equal(before, after, 16);
    engine_results(w->engine, &results);
    assert_int_equal(results.check_count, 0);
}

/* One after the other goes wrong, until it is let through. */
static void test_checks_that_go_wrong_or_do_more_than_look_change_nothing(void **state) {
    (void)state;
    watch("local m = machine.new{ memory = '64K', name = 'm' } m:restart()\n"
          "local function step(n, f)\n"
          "  return { name = n, text = 't', check = function(now) if now.pane == n then return true end f() end }\n"
          "end\n"
          "lab{ title = 'T', steps = {\n"
          "  step('1', function() return nothing.at_all end),\n"
          "  step('2', function() m:run{ instructions = 1 } end),\n"
          "  step('3', function() m:write(0x100, 'x') end),\n"
          "  step('4', function() while true do end end),\n"
          "  step('5', function() m:restart() end),\n"
          "} }\n"
          "m:run()\n",
          look_at_bad_checks);
}

static void look_at_the_first(struct watched *w, struct machine *m) {
    const struct engine_lab *lab = engine_lab(w->engine);
    unsigned serial = lab->serial;
    struct bytes out = {0};
    struct error e = ERROR_CLEAR;
    assert_string_equal(lab->title, "whole");
    /* one that is wrong leaves the one that there is */
    assert_false(engine_evaluate(w->engine, m, "lab{ title = 'half', steps = { 5 } }", &out, &e));
    assert_string_equal(engine_lab(w->engine)->title, "whole");
    assert_int_equal(engine_lab(w->engine)->serial, serial);
    assert_true(engine_evaluate(w->engine, m, "lab{ title = 'new' }", &out, &e));
    assert_string_equal(engine_lab(w->engine)->title, "new");
    assert_true(engine_lab(w->engine)->serial != serial);
    bytes_fini(&out);
}

static void test_another_lab_replaces_the_first_when_it_is_whole(void **state) {
    (void)state;
    watch("local m = machine.new{ memory = '64K' } m:restart()\n"
          "lab{ title = 'whole' }\n"
          "pcall(lab, { title = 'half', text = 5 })\n"
          "m:run()\n",
          look_at_the_first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_lab_does_nothing_in_a_plain_run),
        cmocka_unit_test(test_what_is_wrong_in_a_lab_is_named),
        cmocka_unit_test(test_steps_are_done_in_order_and_for_good),
        cmocka_unit_test(test_checks_that_go_wrong_or_do_more_than_look_change_nothing),
        cmocka_unit_test(test_another_lab_replaces_the_first_when_it_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
