/* Tests of the three properties in scenarios: equivalence, resource control, efficiency. */
#include "tests/scenarios/scenario.h"

/* A guest under so many monitors, and the bare machine that it is compared with. */
#define PAIR                                                                                                           \
    "local function pair(depth, file) local sizes = {[depth] = 64 << 10}\n"                                            \
    "  for level = depth - 1, 0, -1 do sizes[level] = vmm.host_memory(sizes[level + 1]) end\n"                         \
    "  local g, v = machine.new{memory = sizes[0]}\n"                                                                  \
    "  for level = 1, depth do v = vmm.new{on = g} g = v:guest{memory = sizes[level]} end\n"                           \
    "  g:load(assemble.file('guests/' .. file .. '.s')) return g, machine.new{memory = '64K'}, v end\n"

/* Its program is four instructions, and never ends; set n to another one at 202. */
#define LOOP                                                                                                           \
    "local host = machine.new{memory = '1M'} local v = vmm.new{on = host}\n"                                           \
    "local g, r = v:guest{memory = '64K', name = 'g'}, machine.new{memory = '64K', name = 'r'}\n"                      \
    "g:write(0, '\\0\\8\\0\\0\\0\\0\\2\\0') g:write(0x200, '\\x18\\x12\\x1A\\x34\\x47\\xF0\\2\\0')\n"

static void test_guests_are_equivalent_to_their_ends(void **state) {
    (void)state;
    scenario_prints(PAIR "for depth = 1, 3 do for _, file in ipairs{'hello', 'walk', 'primes'} do\n"
                         "  local g, r = pair(depth, file) local q = vmm.equivalence{guest = g, reference = r}\n"
                         "  print(q.ended, q.held, q.steps, q.what == '', #q.last, q.guest.psw == q.reference.psw)\n"
                         "end end",
                    "ended\ttrue\t12\ttrue\t10\ttrue\nended\ttrue\t302\ttrue\t10\ttrue\n"
                    "ended\ttrue\t7323\ttrue\t10\ttrue\nended\ttrue\t12\ttrue\t10\ttrue\n"
                    "ended\ttrue\t302\ttrue\t10\ttrue\nended\ttrue\t7323\ttrue\t10\ttrue\n"
                    "ended\ttrue\t12\ttrue\t10\ttrue\nended\ttrue\t302\ttrue\t10\ttrue\n"
                    "ended\ttrue\t7323\ttrue\t10\ttrue\n");
}

/* What one instruction costs there is no hang. */
static void test_the_deepest_guest_is_equivalent(void **state) {
    (void)state;
    scenario_prints(PAIR "local g, r = pair(8, 'walk') local q = vmm.equivalence{guest = g, reference = r}\n"
                         "print(q.ended, q.steps, q.what)",
                    "ended\t302\t\n");
}

static void test_a_difference_is_shown(void **state) {
    (void)state;
    scenario_prints(LOOP "g.gpr[2] = 5 local q = vmm.equivalence{guest = g, reference = r}\n"
                         "print(q.ended, q.held, q.steps, q.what)\n"
                         "for _, s in ipairs(q.last) do print(hex(s.address), s.text, s.interruption) end\n"
                         "print(q.guest.psw, q.guest.gpr[3], q.reference.gpr[3], q.guest.cr[3], q.guest.prefix)",
                    "broken\tfalse\t0\tgeneral register 2 is 00000005, and 00000000 on the bare machine\n"
                    "000000\tnil\trestart\n"
                    "0008000000000200\t00000005\t00000000\tFFFFFFFF\t0\n");
    /* What came from outside is among the last. */
    scenario_prints(PAIR "local g, r = pair(1, 'hello') local q = vmm.equivalence{guest = g, reference = r}\n"
                         "for _, s in ipairs(q.last) do if s.interruption then print(s.interruption, s.text) end end",
                    "io 0009\tnil\n");
}

static void test_a_check_ends_at_its_budget(void **state) {
    struct engine_options options = {.budgets = {.machine_instructions = 5000}};
    struct outcome o;
    (void)state;
    scenario_prints(LOOP "local q = vmm.equivalence{guest = g, reference = r, steps = 700}\n"
                         "print(q.ended, q.held, q.steps, q.what)",
                    "budget\ttrue\t700\t\n");
    scenario_run(&o, LOOP "pcall(vmm.equivalence, {guest = g, reference = r})", &options);
    assert_false(o.ok);
    assert_int_equal(o.e.kind, ERROR_BUDGET);
    assert_non_null(strstr(o.e.text, "vmm.equivalence: g was as the reference for 2,"));
    assert_non_null(strstr(o.e.text, "the scenario used up its budget of 5,000 simulated instructions"));
    scenario_fini(&o);
}

static void test_equivalence_is_refused_with_a_reason(void **state) {
    static const char *const rows[][2] = {
        {"vmm.equivalence()",
         "vmm.equivalence: the argument is missing; it takes a table of options, {guest, reference"},
        {"vmm.equivalence{guest = g, reference = r, step = 1}", "unknown option \"step\""},
        {"vmm.equivalence{reference = r}", "vmm.equivalence: guest is missing; it takes a machine"},
        {"vmm.equivalence{guest = g, reference = v}", "vmm.equivalence: reference is a vmm; it takes a machine"},
        {"vmm.equivalence{guest = g, reference = r, steps = 0}",
         "vmm.equivalence: steps is 0; it takes a whole number"},
        {"vmm.equivalence{guest = r, reference = g}", "vmm.equivalence: r is no virtual machine"},
        {"vmm.equivalence{guest = g, reference = v:guest{memory = '64K'}}", "the reference is a bare machine"},
        {"vmm.equivalence{guest = g, reference = machine.new{memory = '128K'}}",
         "the guest has 65536 bytes of storage, the reference 131072"},
        {"vmm.equivalence{guest = g, reference = machine.new{memory = '64K', cpus = 2}}", "both have one CPU"},
        {"vmm.equivalence{guest = g, reference = machine.new{memory = '64K', disk = {blocks = 9}}}",
         "vmm.equivalence: bare-2 has a device 150 (3370), and g has not"},
        {"vmm.equivalence{guest = g, reference = host}", "reference is bare, whose program is a monitor"},
        {"g:restart() vmm.equivalence{guest = g, reference = r}", "guest is g, which was started"},
        {"for n = 1, 2 do vmm.equivalence{guest = v:guest{memory = '64K'}, reference = r, steps = 1} end",
         "reference is r, which was started"},
        {"host:close() vmm.equivalence{guest = g, reference = r}", "vmm.equivalence: guest: the machine was closed"},
        {"host:on('trap', function() vmm.equivalence{guest = g, reference = r} end) g:restart() g:run{cycles = 99999}",
         "vmm.equivalence: not inside an event handler"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[800];
        snprintf(text, sizeof text, "%s%s", LOOP, rows[i][0]);
        scenario_fails(text, ERROR_INPUT, rows[i][1]);
    }
}

static void test_resources_are_looked_at_between_runs(void **state) {
    (void)state;
    scenario_prints(LOOP "local check = v:resources() g:restart() local kept = 0\n"
                         "for n = 1, 20 do g:run{cycles = 5000 + n} kept = kept + (check:look() and 1 or 0) end\n"
                         "print(kept, select('#', check:look()), vmm.new{on = machine.new{}}:resources():look())",
                    "20\t1\ttrue\n");
    static const char *const rows[][2] = {
        {"v.resources(g)", "v:resources is a machine; it takes a vmm"},
        {"v:resources().look(v)", "r:look is a vmm; it takes a resource check"},
        {"local check = v:resources() host:close() check:look()", "r:look: the machine was closed"},
        {"local check = v:resources() host:on('trap', function() check:look() end) g:restart() g:run{cycles = 99999}",
         "r:look: not inside an event handler"},
        {"host:on('trap', function() v:resources() end) g:restart() g:run{cycles = 99999}",
         "v:resources: not inside an event handler"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[800];
        snprintf(text, sizeof text, "%s%s", LOOP, rows[i][0]);
        scenario_fails(text, ERROR_INPUT, rows[i][1]);
    }
    /* Many of them: the memory of those that nobody holds is given back, in time. */
    scenario_prints(LOOP "for n = 1, 20000 do v:resources() end print(v:resources():look())", "true\n");
}

static void test_efficiency_has_figures(void **state) {
    (void)state;
    scenario_prints(
        PAIR "local last for depth = 1, 2 do local g = pair(depth, 'primes') g:restart() g:run()\n"
             "  local e = g:efficiency()\n"
             "  print(e.instructions, e.interpreted, e.traps, e.native > 0.99, e.native < 1,\n"
             "    e.traps_per_1000 > 7 and e.traps_per_1000 < 8, e.slowdown > (last or 1), e.slowdown < 5 * depth * "
             "2)\n last = e.slowdown"
             " end",
        "7310\t38\t52\ttrue\ttrue\ttrue\ttrue\ttrue\n7310\t38\t52\ttrue\ttrue\ttrue\ttrue\ttrue\n");
    scenario_fails("machine.new{}:efficiency()", ERROR_INPUT, "g:efficiency: bare is a bare machine; it takes a guest");
}

static void test_a_story_is_followed_and_ended(void **state) {
    (void)state;
    scenario_prints("local g = vmm.new{on = machine.new{memory = '1M'}}:guest{memory = '64K'}\n"
                    "g:load(assemble.file('guests/walk.s')) g:restart() print(g:follow():story())\n"
                    "g:run{until_address = 0x204} g:run{instructions = 1} local s = g:story()\n"
                    "print(#s, s[1].label, s[1].level, s[4].text, s[#s].kind, s.whole, s.cycles > 100, s.left_out)\n"
                    "g:follow(false) print(pcall(g.story, g))",
                    "nil\n7\tLCTL\t1\tprivileged operation\tresumption\ttrue\ttrue\t0\n"
                    "false\tg:story: nobody follows the machine; g:follow() begins to\n");
    scenario_prints(
        "local g = vmm.new{on = machine.new{memory = '1M'}}:guest{memory = '64K'}\n"
        "g:load(assemble.file('guests/walk.s')) g:restart() g:record() g:follow() g:run{instructions = 50}\n"
        "print(g:story() ~= nil) g:back(10) print(g:story())",
        "true\nnil\n");
    scenario_fails("machine.new{}:follow()", ERROR_INPUT, "g:follow: bare is a bare machine, which traps to nobody");
    scenario_fails("machine.new{}:follow(5)", ERROR_INPUT,
                   "g:follow: the argument is 5; it takes the assembly of a hypervisor, or false");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guests_are_equivalent_to_their_ends),
        cmocka_unit_test(test_the_deepest_guest_is_equivalent),
        cmocka_unit_test(test_a_difference_is_shown),
        cmocka_unit_test(test_a_check_ends_at_its_budget),
        cmocka_unit_test(test_equivalence_is_refused_with_a_reason),
        cmocka_unit_test(test_resources_are_looked_at_between_runs),
        cmocka_unit_test(test_efficiency_has_figures),
        cmocka_unit_test(test_a_story_is_followed_and_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
