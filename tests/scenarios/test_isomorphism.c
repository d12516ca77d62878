/* Tests of the map f in scenarios: vmm.f, vmm.square, vmm.follow. */
#include "tests/scenarios/scenario.h"

/* So many tables that what nobody holds is collected. */
#define COLLECT "local function collect() for i = 1, 300 do local t = {} for j = 1, 500 do t[j] = {} end end end\n"

#define WORLD                                                                                                          \
    "local host = machine.new{memory = '1M', disk = {blocks = 2000}, name = 'host'}\n"                                 \
    "local v = vmm.new{on = host}\n"                                                                                   \
    "local g = v:guest{memory = '64K', name = 'g', disk = {first = 100, blocks = 1216}}\n"                             \
    "g:load(assemble.file('guests/nucleus.s'))\n"

static void test_rows_are_told(void **state) {
    (void)state;
    scenario_prints(WORLD
                    "g:restart() g:run{instructions = 10}\n"
                    "local r = vmm.f(g, 'general register', 5)[1]\n"
                    "print(r.piece, r.kind, r.n, r.machine, r.host, r.level, r.place, r.value == g.gpr[5], r.at)\n"
                    "r = vmm.f(g, 'storage', 0x1FFE, 2)\n"
                    "print(#r, r[1].at == v:frame(0x1000) + 0xFFE, r[1].value == r[2].value, r[2].host)\n"
                    "r = vmm.f(g, 'device', 3)\n"
                    "print(#r, r[1].place, r[1].at == 0x150, r[1].first, r[1].blocks, r[2].place)\n"
                    "for _, k in ipairs{'pending', 'storage', 'storage key', 'TOD clock'} do print(#vmm.f(g, k)) end\n"
                    "print(#vmm.f(g, 'translation') > 0, #vmm.f(host, 'translation'), #vmm.f(host) == #vmm.f(g))",
                    "general register 5\tgeneral register\t5\tg\thost\t1\tregister\ttrue\tnil\n"
                    "2\ttrue\ttrue\tnil\n2\tdisk\ttrue\t100\t1216\thardware\n5\n16\n32\n1\ntrue\t0\ttrue\n");
}

static void test_squares_are_told(void **state) {
    (void)state;
    scenario_prints(WORLD
                    "g:restart()\n"
                    "local q = vmm.square{machine = g} print(q.ended, q.held, q.steps, #q.last, q.what, q.piece)\n"
                    "q = vmm.square{machine = g, steps = 500} print(q.ended, q.held, q.steps, #q.last)\n"
                    "g:run{instructions = 1e5} print(vmm.square{machine = g, steps = 50}.held)\n",
                    "held\ttrue\t1\t1\t\tnil\nheld\ttrue\t500\t10\ntrue\n");
    /* To its end; and there nothing more is to be done. */
    scenario_prints("local g = vmm.new{on = machine.new{memory = '1M'}}:guest{memory = '64K'}\n"
                    "g:load(assemble.file('guests/walk.s')) g:restart()\n"
                    "local q = vmm.square{machine = g, steps = 1000} print(q.ended, q.steps)\n"
                    "q = vmm.square{machine = g, steps = 1000} print(q.ended, q.steps)\n",
                    "ended\t301\nended\t0\n");
}

static void test_a_square_ends_at_its_budget(void **state) {
    struct engine_options options = {.budgets = {.machine_instructions = 5000}};
    struct outcome o;
    (void)state;
    scenario_run(&o, WORLD "g:restart() pcall(vmm.square, {machine = g, steps = 1e9})", &options);
    assert_false(o.ok);
    assert_int_equal(o.e.kind, ERROR_BUDGET);
    assert_non_null(strstr(o.e.text, "vmm.square: it held for g for "));
    scenario_fini(&o);
}

static void test_writes_are_told(void **state) {
    (void)state;
    scenario_prints(WORLD "g:restart() local w = vmm.follow{machine = g, device = 0x150} print(w:last())\n"
                          "repeat g:run{instructions = 1000} until w:last()\n"
                          "local l = w:last().levels\n"
                          "print(#l, l[1].machine, l[2].machine, l[2].first - l[1].first, l[1].device == 0x150)\n"
                          "print(l[1].write.text:sub(1, 5), #l[1].write.hex, l[1].blocks, #w:last().bytes)\n"
                          "print(g.disk:read(l[1].first) == w:last().bytes:sub(1, 512))",
                    "nil\n2\tg\thost\t100\ttrue\nwrite\t16\t8\t4096\ntrue\n");
    /* In whatever order they go. */
    scenario_prints(COLLECT WORLD "g:restart() local w = vmm.follow{machine = g} vmm.follow{machine = g}\n"
                                  "collect() g:run{instructions = 1e5} host:close() collect()\n"
                                  "print(pcall(w.last, w))\n",
                    "false\tw:last: the machine was closed\n");
    scenario_prints(COLLECT "local w do " WORLD " w = vmm.follow{machine = g} end collect() print(w:last())\n"
                            "w = nil collect() print('gone')",
                    "nil\ngone\n");
}

static void test_what_is_wrong_is_refused_with_a_reason(void **state) {
    static const char *const rows[][2] = {
        {"vmm.f()", "vmm.f: the machine is missing; it takes a machine"},
        {"vmm.f(v)", "vmm.f: the machine is a vmm; it takes a machine"},
        {"vmm.f(g, 'gpr')", "vmm.f: there is no kind \"gpr\"; there are \"general register\", \"system mask\""},
        {"vmm.f(g, 5)", "vmm.f: the kind is 5"},
        {"vmm.f(g, 'general register', 16)", "vmm.f: g has no general register 16"},
        {"vmm.f(g, 'storage', 0xFFF, 2)", "vmm.f: g has no storage 4095, of so many bytes within one page"},
        {"vmm.f(g, 'storage', 0x10000)", "vmm.f: g has no storage 65536"},
        {"vmm.f(g, 'storage', 0, 4097)", "vmm.f: bytes is 4097; it takes a whole number"},
        {"vmm.f(g, 'storage', -1)", "vmm.f: the number is -1; it takes a whole number"},
        {"vmm.square()", "vmm.square: the argument is missing"},
        {"vmm.square{}", "vmm.square: machine is missing; it takes a machine"},
        {"vmm.square{guest = g}", "unknown option \"guest\""},
        {"vmm.square{machine = g}", "vmm.square: machine is g, which was not started"},
        {"g:restart() vmm.square{machine = g, steps = 0}", "vmm.square: steps is 0; it takes a whole number"},
        {"g:restart() vmm.square{machine = host}", "vmm.square: machine is host, whose program is a monitor"},
        {"local m = machine.new{} m:restart() vmm.square{machine = m}", "is no virtual machine with one CPU"},
        {"local two = vmm.new{on = machine.new{memory = '1M'}}:guest{memory = '64K', cpus = 2} two:restart() "
         "vmm.square{machine = two}",
         "is no virtual machine with one CPU"},
        {"vmm.follow{}", "vmm.follow: machine is missing; it takes a machine"},
        {"vmm.follow{machine = g, device = '151'}", "vmm.follow: g has no disk 151 that can be followed"},
        {"vmm.follow{machine = g, device = '009'}", "vmm.follow: g has no disk 009 that can be followed"},
        {"vmm.follow{machine = g, device = 'disk'}", "vmm.follow: device is \"disk\""},
        {"host:on('trap', function() vmm.square{machine = g} end) g:restart() g:run{cycles = 99999}",
         "vmm.square: not inside an event handler"},
        {"host:close() vmm.f(g)", "vmm.f: the machine: the machine was closed"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[1200];
        snprintf(text, sizeof text, "%s%s", WORLD, rows[i][0]);
        scenario_fails(text, ERROR_INPUT, rows[i][1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_told),
        cmocka_unit_test(test_squares_are_told),
        cmocka_unit_test(test_a_square_ends_at_its_budget),
        cmocka_unit_test(test_writes_are_told),
        cmocka_unit_test(test_what_is_wrong_is_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
