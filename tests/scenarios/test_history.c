/* Tests of snapshots, clones and histories in scenarios. */
#include <stdlib.h>
#include <unistd.h>

#include "tests/scenarios/scenario.h"

#define NUCLEUS                                                                                                        \
    "local image = assemble.file('guests/nucleus.s')\n"                                                                \
    "local function make(memory, policy)\n"                                                                            \
    "  local m = machine.new{memory = memory or '512K'}\n"                                                             \
    "  local g = vmm.new{on = m, policy = policy}:guest{memory = '64K', disk = {blocks = 1216}}\n"                     \
    "  g:load(image) g:restart() return g\n"                                                                           \
    "end\n"

/* A folder of the test's own, which the scenario may write. */
static void in_folder(char path[64]) {
    strcpy(path, "/tmp/history-XXXXXX");
    assert_non_null(mkdtemp(path));
    assert_int_equal(chdir(path), 0);
}

static void leave_folder(const char *path, const char *file) {
    if (file)
        assert_int_equal(unlink(file), 0);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(path), 0); /* and nothing else was left in it */
}

static void test_a_state_is_saved_and_restored(void **state) {
    char path[64];
    (void)state;
    in_folder(path);
    scenario_prints(NUCLEUS "local a, b = make(), make()\n"
                            "a:run{instructions = 100000} a:save('state.snap')\n"
                            "b:run{instructions = 1234} print(b:restore('state.snap') == b)\n"
                            "print(a.position == b.position, a.psw == b.psw or a.psw.hex == b.psw.hex)\n"
                            "local x, y = a:run(), b:run()\n"
                            "print(x.instructions == y.instructions, a.console:text() == b.console:text())\n"
                            "b.host:restore('state.snap') print(b.position < a.position)\n"
                            "local c = make() c.host:restore('state.snap') c:run()\n"
                            "print(c.console:text() == a.console:text())",
                    "true\ntrue\ttrue\ntrue\ttrue\ntrue\ntrue\n");
    leave_folder(path, "state.snap");
}

/* A restored state has no way behind it: what was known of another one is gone at once. */
static void test_a_history_begins_anew_with_a_restored_state(void **state) {
    char path[64];
    (void)state;
    in_folder(path);
    scenario_prints(NUCLEUS
                    "local g = make() g:run{instructions = 1000} g:save('state.snap') local p = g.position\n"
                    "g:record() g:run{instructions = 5000} local h = g:history() print(h.first == p, h.last > p)\n"
                    "g:restore('state.snap') h = g:history() print(h.first == p, h.last == p, h.checkpoints)\n"
                    "g:run{instructions = 10} g:back(10) print(g.position == p)",
                    "true\ttrue\ntrue\ttrue\t1\ntrue\n");
    leave_folder(path, "state.snap");
}

static void test_a_restored_machine_need_not_be_started(void **state) {
    char path[64];
    (void)state;
    in_folder(path);
    scenario_prints("local m = machine.new{memory = '64K'} m:load(assemble.file('guests/hello.s')) m:save('new.snap')\n"
                    "local n = machine.new{memory = '64K'} n:restore('new.snap')\n"
                    "print(pcall(n.run, n)) m:restart() m:save('new.snap') n:restore('new.snap')\n"
                    "print(n:run().status, #n.console:text() > 0)",
                    "false\tm:run: the machine was not started; m:restart(), m:start(psw) or m:ipl(device) does that\n"
                    "disabled-wait\ttrue\n");
    leave_folder(path, "new.snap");
}

/* The host would end the name at the NUL: nothing but what the suffix promises is written. */
static void test_names_of_files_have_no_nul(void **state) {
    char path[64];
    (void)state;
    in_folder(path);
    scenario_prints(
        "local m = machine.new{memory = '64K'}\n"
        "for _, f in ipairs{function() m:save('a.lua\\0.snap') end, function() m:restore('a\\0.snap') end,\n"
        "  function() m.printer:save('a.lua\\0.prt') end, function() assemble.file('a\\0.s') end,\n"
        "  function() machine.new{disk = {file = 'a\\0.disk', blocks = 10, keep = true}} end} do\n"
        "  local ok, why = pcall(f) print(ok, why:find('name of a file', 1, true) ~= nil)\n"
        "end",
        "false\ttrue\nfalse\ttrue\nfalse\ttrue\nfalse\ttrue\nfalse\ttrue\n");
    leave_folder(path, NULL);
}

static void test_a_snapshot_of_another_profile_is_refused(void **state) {
    char path[64];
    (void)state;
    in_folder(path);
    scenario_prints("machine.new{memory = '64K', profile = 'flawed'}:save('flawed.snap')\n"
                    "local ok, why = pcall(function() machine.new{memory = '64K'}:restore('flawed.snap') end)\n"
                    "print(ok, why:find('the profile', 1, true) ~= nil)",
                    "false\ttrue\n");
    leave_folder(path, "flawed.snap");
}

static void test_a_clone_is_a_machine_like_any_other(void **state) {
    (void)state;
    scenario_prints("print(machine.new{memory = '64K', profile = 'flawed'}:clone())", "machine bare-copy\n");
    scenario_prints(NUCLEUS "local g = make() g:run{instructions = 50000}\n"
                            "local c, d = g:clone(), g.host:clone()\n"
                            "print(g, c, c.host, d, d.level, c.disk.blocks)\n"
                            "g.host:close() g = nil\n"
                            "print(c:run().status, c.disk:read(0) == ('\\0'):rep(512), c.console:text():sub(1, 4))\n"
                            "print(d:run().address, d.position == c.position)\n"
                            "local e = c:clone():clone() print(e) e.host:close() print(e)",
                    "machine guest1\tmachine guest1-copy\tmachine bare-copy\tmachine bare-copy-2\t0\t1216\n"
                    "disabled-wait\ttrue\tINIT\n"
                    "0\ttrue\n"
                    "machine guest1-copy-copy-3-copy-4\nmachine (closed)\n");
}

#define SEEN                                                                                                           \
    "local image, hypervisor = assemble.file('guests/walk.s'), assemble.file('guests/hypervisor.s')\n"                 \
    "local function make()\n"                                                                                          \
    "  local m = machine.new{memory = '496K'} m:load(hypervisor)\n"                                                    \
    "  local g = vmm.map{on = m, memory = '280K'} g:load(hypervisor)\n"                                                \
    "  local h = vmm.map{on = g, memory = '64K'} h:load(image) h:restart() return h, g, m\n"                           \
    "end\n"                                                                                                            \
    "local function same(a, b)\n"                                                                                      \
    "  local s, t = a:stats(), b:stats()\n"                                                                            \
    "  for i, l in ipairs(s.levels) do if l.traps ~= t.levels[i].traps then return false end end\n"                    \
    "  for i, l in ipairs(a:account()) do if l.all ~= b:account()[i].all then return false end end\n"                  \
    "  return a.psw.hex == b.psw.hex and s.instructions == t.instructions and a.position == b.position\n"              \
    "    and a.console:text() == b.console:text() and #s.levels == #t.levels\n"                                        \
    "end\n"

/* Two hypervisors in assembler, seen through their maps: saved in the middle of a trap, cloned, and taken back. */
static void test_guests_of_hypervisors_in_assembler_are_saved_cloned_and_taken_back(void **state) {
    char path[64];
    (void)state;
    in_folder(path);
    scenario_prints(SEEN
                    "local a, ag, am = make() am:record{spacing = 200000, memory = '8M'}\n"
                    "a:run{instructions = 60} am:run{instructions = 150} a:save('seen.snap')\n"
                    "local b = make() b:restore('seen.snap') print(same(a, b))\n"
                    "local c = a:clone() print(c, c.host, c.host.host, same(a, c), c.disk == nil)\n"
                    "local p, n, psw = a.position, a:stats().instructions, a.psw.hex\n"
                    "a:run() b:run() c:run() print(same(a, b), same(a, c), a.status, #a.console:text() > 0)\n"
                    "local q = a.position a:go(p) print(a:stats().instructions == n, a.psw.hex == psw)\n"
                    "a:back(20) print(n - a:stats().instructions <= 20, a.position < p) a:go(q)\n"
                    "print(same(a, b)) a:back_to_trap() print(a.position < q, ag:stats().levels[1].kind)\n"
                    "local d = c.host.host:clone() c.host.host:close() print(d:stats().cycles == b:stats().cycles)",
                    "true\nmachine guest2-copy\tmachine guest1-copy\tmachine bare-copy\ttrue\ttrue\n"
                    "true\ttrue\tdisabled-wait\ttrue\ntrue\ttrue\ntrue\ttrue\ntrue\ntrue\tassembler\ntrue\n");
    scenario_fails(SEEN "local m = machine.new{memory = '496K'} m:save('seen.snap') make():restore('seen.snap')",
                   ERROR_INPUT, "seen.snap cannot be restored here: the number of machines is 1 there and 3 here");
    scenario_fails(SEEN "local a, ag, am = make() a:save('seen.snap')\n"
                        "local m = machine.new{memory = '496K'} m:load(hypervisor)\n"
                        "vmm.map{on = m, memory = '64K'} vmm.map{on = m, guest = 1, memory = '64K'}\n"
                        "m:restore('seen.snap')",
                   ERROR_INPUT, "seen.snap cannot be restored here: which of its guests are looked at is 0 there");
    leave_folder(path, "seen.snap");
}

/* A map that is made while the history is kept makes another tree: its history begins there. */
static void test_a_history_begins_anew_with_a_map(void **state) {
    (void)state;
    scenario_prints("local m = machine.new{memory = '280K'} m:load(assemble.file('guests/hypervisor.s'))\n"
                    "m:record() m:write(0x20C, '\\0\\1\\0\\0') m:restart() m:run{instructions = 500}\n"
                    "local p = m.position local g = vmm.map{on = m} m:run{instructions = 10}\n"
                    "print(m:history().first == p, m:history().last > p) m:back(5) print(pcall(m.back, m, 10))",
                    "true\ttrue\nfalse\tm:back: bare has not done 10 steps since its history began\n");
}

static void test_time_goes_backwards(void **state) {
    (void)state;
    scenario_prints(NUCLEUS "local g = make() print(g:history()) g:record{spacing = 100000, memory = '4M'}\n"
                            "g:run{instructions = 60000} local p, n = g.position, g:stats().instructions\n"
                            "local psw = g.psw.hex\n"
                            "g:back() print(g:stats().instructions < n, g.position < p)\n"
                            "g:back(1000) g:go(p) print(g:stats().instructions == n, g.psw.hex == psw)\n"
                            "g:write(0xF000, 'typed') g:run{instructions = 10} g:back(100)\n"
                            "print(g:read(0xF000, 5) == 'typed') g:go(g:history().last) print(g:read(0xF000, 5))\n"
                            "g:back_to_trap() print(g:run{until_trap = true}.reason)\n"
                            "print(g:history().first, g:history().checkpoints > 3, g:history().bytes < 4 << 20)\n"
                            "g:record(false) print(g:history()) g:record() print(g:history().checkpoints)",
                    "nil\ntrue\ttrue\ntrue\ttrue\nfalse\ntyped\ntrap\n0\ttrue\ttrue\nnil\n1\n");
}

static void test_what_cannot_be_is_said(void **state) {
    static const char *const rows[][2] = {
        {"g:save('state')", "m:save: the file is \"state\"; it takes a name that ends in \".snap\""},
        {"g:save('.snap')", "it takes a name that ends in"},
        {"g:save('/tmp/x.snap')", "m:save: /tmp/x.snap: a scenario's files are beside it, named by relative paths"},
        {"g:save('../x.snap')", "lies outside of the scenario's folder"},
        {"g:save(5)", "m:save: the file is 5; it takes a text"},
        {"g:restore('none.snap')", "m:restore: none.snap: there is no such file beside the scenario"},
        {"g:restore('guests')", "m:restore: guests: it is a folder, not a file"},
        {"g:restore('/etc/passwd')", "relative paths"},
        {"g:restore('guests/hello.s')", "hello.s is not a snapshot of this program: it does not begin like one"},
        {"g:back()", "m:back: the machine keeps no history; m:record() begins one"},
        {"g:back_to_trap()", "m:back_to_trap: the machine keeps no history"},
        {"g:go(1)", "m:go: the machine keeps no history"},
        {"g:record{spacing = 5}", "m:record: spacing is 5; it takes"},
        {"g:record{memory = 5}", "m:record: memory is 5; it takes"},
        {"g:record{often = 5}", "unknown"},
        {"g:record() g.host:record()", "m:record: the history of bare is kept already"},
        {"g:record() g:back(0)", "m:back: steps is 0; it takes"},
        {"g:record() g:back(5)", "m:back: guest1 has not done 5 steps since its history began"},
        {"g:record() g:go(10)", "m:go: the way is known up to position 0; from there m:run goes on"},
        {"g:run{instructions = 500} g:record() g:go(10)", "m:go: the history begins at "},
        {"g:record() g:back_to_trap()", "m:back_to_trap: guest1 has had no interruption since its history began"},
        {"g.host:on('trap', function() g:save('x.snap') end) g:run()", "m:save: not inside an event handler"},
        {"g.host:on('trap', function() g:restore('x.snap') end) g:run()", "m:restore: not inside an event handler"},
        {"g.host:on('trap', function() g:clone() end) g:run()", "m:clone: not inside an event handler"},
        {"g:record() g.host:on('trap', function() g:back() end) g:run()", "m:back: not inside an event handler"},
        {"g:record() g.host:on('trap', function() g:record(false) end) g:run()",
         "m:record: not inside an event handler"},
        {"local h = vmm.new{on = vmm.new{on = machine.new{memory = '2M'}}:guest{memory = '1M'}}:guest{memory = '64K'}\n"
         "h:load(image) h:restart() h:run{instructions = 9} while pcall(h.clone, h) do h.host.host:run{instructions = "
         "1} "
         "end h:clone()",
         "m:clone: a monitor is at work, and its activation cannot be saved"},
    };
    char path[64];
    (void)state;
    in_folder(path);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[1500];
        snprintf(text, sizeof text, NUCLEUS "local g = make()\n%s", rows[i][0]);
        scenario_fails(text, ERROR_INPUT, rows[i][1]);
    }
    scenario_fails(NUCLEUS "local g, h = make(), make('512K', 'protect') g:save('x.snap') h:restore('x.snap')",
                   ERROR_INPUT,
                   "x.snap cannot be restored here: what a monitor does about changed tables is 0 there and 1 here");
    leave_folder(path, "x.snap");
}

/* Running again is running. */
static void test_going_back_is_paid_for(void **state) {
    struct outcome o;
    const struct engine_options options = {.budgets = {.machine_instructions = 1000000}};
    (void)state;
    scenario_run(&o,
                 NUCLEUS "local g = make() g:record{spacing = 1000000000} g:run{instructions = 100000}\n"
                         "for i = 1, 1000 do g:back() end",
                 &options);
    assert_false(o.ok);
    assert_int_equal(o.e.kind, ERROR_BUDGET);
    assert_non_null(strstr(o.e.text, "used up its budget of 1,000,000 simulated instructions"));
    scenario_fini(&o);
    const struct engine_options small = {.budgets = {.storage_bytes = 2 << 20}};
    scenario_run(&o,
                 NUCLEUS "local g = make() g:record{memory = '1M'} g:record(false) g:record{memory = '1M'}\n"
                         "local copies = {} for i = 1, 10 do copies[i] = g:clone() end",
                 &small);
    assert_false(o.ok);
    assert_int_equal(o.e.kind, ERROR_BUDGET);
    scenario_fini(&o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_state_is_saved_and_restored),
        cmocka_unit_test(test_a_history_begins_anew_with_a_restored_state),
        cmocka_unit_test(test_a_restored_machine_need_not_be_started),
        cmocka_unit_test(test_names_of_files_have_no_nul),
        cmocka_unit_test(test_a_snapshot_of_another_profile_is_refused),
        cmocka_unit_test(test_a_clone_is_a_machine_like_any_other),
        cmocka_unit_test(test_guests_of_hypervisors_in_assembler_are_saved_cloned_and_taken_back),
        cmocka_unit_test(test_a_history_begins_anew_with_a_map),
        cmocka_unit_test(test_time_goes_backwards),
        cmocka_unit_test(test_what_cannot_be_is_said),
        cmocka_unit_test(test_going_back_is_paid_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
