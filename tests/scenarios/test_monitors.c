/* Tests of monitors in scenarios: several guests of one, minidisks, how a monitor is asked to work. */
#include "tests/scenarios/scenario.h"

#define GUEST                                                                                                          \
    "local function guest(v, name, file, options) options = options or {} options.name = name "                        \
    "options.memory = '64K'\n"                                                                                         \
    "  local g = v:guest(options) g:load(assemble.file('guests/' .. file .. '.s')) g:restart() return g end\n"

static void test_guests_take_turns(void **state) {
    (void)state;
    scenario_prints(GUEST "local v = vmm.new{on = machine.new{memory = '1M'}, slice = 20000}\n"
                          "local a, b, c = guest(v, 'a', 'primes'), guest(v, 'b', 'walk'), guest(v, 'c', 'hello')\n"
                          "a:run() b:run() c:run()\n"
                          "for _, n in ipairs{'primes', 'walk', 'hello'} do local m = machine.new{memory = '64K'}\n"
                          "  m:load(assemble.file('guests/' .. n .. '.s')) m:restart() m:run()\n"
                          "  local g = n == 'primes' and a or n == 'walk' and b or c\n"
                          "  print(g.name, g.status, g.console:text() == m.console:text(), g:stats().instructions == "
                          "m:stats().instructions) end\n"
                          "local all, sum = v:stats().traps, 0 for _, g in ipairs(v:guests()) do sum = sum + "
                          "v:stats(g).traps end print(all >= sum, v:stats(a).cycles, v:stats(a).kind)",
                    "a\tdisabled-wait\ttrue\ttrue\nb\tdisabled-wait\ttrue\ttrue\nc\tdisabled-wait\ttrue\ttrue\n"
                    "true\tnil\ttrap-and-emulate\n");
}

/* One computes for ever; the other waits for its typewriter, and must be looked at when that is ready. */
static void test_a_guest_that_waited_gets_its_turn(void **state) {
    (void)state;
    scenario_prints(GUEST
                    "local v = vmm.new{on = machine.new{memory = '1M'}, slice = 20000}\n"
                    "local loop = v:guest{memory = '64K', name = 'loop'} loop:write(0, '\\0\\8\\0\\0\\0\\0\\2\\0') "
                    "loop:write(0x200, '\\x47\\xF0\\2\\0') loop:restart()\n"
                    "local g = guest(v, 'g', 'hello') local stop = g:run{cycles = 50e6}\n"
                    "print(stop.status, g.console:text()) print(v:stats(loop).dispatches < 10000, loop.status)",
                    "disabled-wait\tHELLO FROM SYSTEM/370\n\ntrue\tready\n");
}

static void test_minidisks_are_parts_of_a_disk(void **state) {
    (void)state;
    scenario_prints(
        GUEST "local m = machine.new{memory = '1M', disk = {blocks = 3000}} local v = vmm.new{on = m}\n"
              "local a = guest(v, 'a', 'cards', {disk = {first = 1000, blocks = 1000}, cards = {'A', eof = true}})\n"
              "local b = guest(v, 'b', 'cards', {disk = {first = 2000}, cards = {'B', 'C', eof = true}})\n"
              "print(a.disk.blocks, b.disk.blocks) a:run() b:run() print(a.psw.ia, b.psw.ia)\n"
              "local function first(d, n) return d:read(n):byte(1) end\n"
              "print(first(m.disk, 0), first(m.disk, 1000), first(m.disk, 1001), first(m.disk, 2000), "
              "first(m.disk, 2001), first(b.disk, 1))\n"
              "b.disk:write(999, 'x') print(first(m.disk, 2999))",
        "1000\t1000\n0\t0\n0\t193\t0\t194\t195\t195\n120\n");
    /* A minidisk of a minidisk. */
    scenario_prints("local m = machine.new{memory = '2M', disk = {blocks = 100}}\n"
                    "local g = vmm.new{on = m}:guest{memory = '1M', disk = {first = 10}}\n"
                    "local h = vmm.new{on = g}:guest{memory = '64K', disk = {first = 5, blocks = 20}}\n"
                    "h.disk:write(3, 'deep') print(g.disk.blocks, h.disk.blocks, m.disk:read(18):sub(1, 4))",
                    "90\t20\tdeep\n");
    /* Both of them are loaded from it. */
    scenario_prints("local m = machine.new{memory = '2M', nominal = true, disk = {blocks = 3000}}\n"
                    "local v = vmm.new{on = m}\n"
                    "local function guest(name, first)\n"
                    "  local g = v:guest{memory = '64K', name = name, disk = {first = first, blocks = 1216}}\n"
                    "  g.disk:write(0, assemble.file('guests/loader.s').image)\n"
                    "  local image = assemble.file('guests/nucleus.s').image\n"
                    "  for n = 0, #image - 1, 512 do g.disk:write(1 + n // 512, image:sub(n + 1, n + 512)) end\n"
                    "  g:ipl('150', {clear = true}) return g end\n"
                    "local a, b = guest('a', 0), guest('b', 1500) a:run() b:run()\n"
                    "print(a.status, a.console:text() == b.console:text(), a.console:text():match('([^\\n]+)\\n$'))",
                    "disabled-wait\ttrue\tNUCLEUS: ALL PROCESSES HAVE ENDED\n");
    static const char *const rows[][2] = {
        {"machine.new{disk = {first = 1}}",
         "machine.new: disk.first makes a minidisk, a part of the disk of the machine "
         "below; there is no machine below"},
        {"vmm.new{on = machine.new{}}:guest{memory = '64K', disk = {first = 1}}", "there is none"},
        {"vmm.new{on = machine.new{disk = {blocks = 9}}}:guest{memory = '64K', disk = {first = 9}}",
         "v:guest: disk.first is 9; it takes a whole number from 0 to 8"},
        {"vmm.new{on = machine.new{disk = {blocks = 9}}}:guest{memory = '64K', disk = {first = 5, blocks = 5}}",
         "v:guest: disk.blocks is 5; it takes a whole number from 1 to 4"},
        {"vmm.new{on = machine.new{disk = {blocks = 9}}}:guest{memory = '64K', disk = {first = 5, keep = true}}",
         "unknown option \"keep\""},
        {"local v = vmm.new{on = machine.new{memory = '1M', disk = {blocks = 90}}}\n"
         "v:guest{memory = '64K', name = 'a', disk = {first = 10, blocks = 20}}\n"
         "v:guest{memory = '64K', disk = {first = 30, blocks = 20}}\n"
         "v:guest{memory = '64K', disk = {first = 20, blocks = 5, shared = true}}\n"
         "v:guest{memory = '64K', disk = {first = 5, blocks = 6}}",
         "v:guest: a minidisk of blocks 5 to 10 overlaps that of a, blocks 10 to 29; one of the two must be shared"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scenario_fails(rows[i][0], ERROR_INPUT, rows[i][1]);
    }
}

/* By default a monitor uses all CPUs of its machine. */
static void test_guests_run_on_the_cpus_that_a_monitor_is_given(void **state) {
    (void)state;
    scenario_prints(
        "local team = assemble.file('guests/team.s')\n"
        "local function run(cpus, asked) local m = machine.new{memory = '1M', cpus = cpus}\n"
        "  local g = vmm.new{on = m, cpus = asked}:guest{memory = '64K', cpus = 2}\n"
        "  g:load(team) g:restart() local stop = g:run()\n"
        "  print(stop.status, g:word(team.symbols.TOTAL), #g.cpu, g.cpu[1].status, m.cpu[cpus - 1].status)\n"
        "  return stop.cycles end\n"
        "local one, two, asked = run(1), run(2), run(2, 1) print(two / one < 0.55, asked == one)\n"
        "print(vmm.host_memory('64K', 2) > vmm.host_memory('64K'), vmm.host_memory('64K', 1) == "
        "vmm.host_memory('64K'))",
        "disabled-wait\t303\t2\tdisabled-wait\tdisabled-wait\n"
        "disabled-wait\t303\t2\tdisabled-wait\tdisabled-wait\n"
        "disabled-wait\t303\t2\tdisabled-wait\tstopped\ntrue\ttrue\ntrue\ttrue\n");
    scenario_fails("vmm.new{on = machine.new{}, cpus = 2}", ERROR_INPUT, "bare has 1 CPU, not 2 for a monitor");
    scenario_fails("vmm.new{on = machine.new{}, cpus = 9}", ERROR_INPUT, "vmm.new: cpus is 9");
}

/* What a monitor is asked for changes what it does, and nothing for its guest. */
static void test_monitors_work_as_they_are_asked_to(void **state) {
    (void)state;
    scenario_prints(GUEST
                    "local text, purge\n"
                    "for _, o in ipairs{{}, {policy = 'purge'}, {policy = 'protect'}, {spaces = 1}, {spaces = 16}} do\n"
                    "  o.on = machine.new{memory = '1M', nominal = true} local v = vmm.new(o)\n"
                    "  local g = guest(v, nil, 'walk') g:run() text = text or g.console:text()\n"
                    "  purge = purge or v:stats().shadow_faults\n"
                    "  print(g.console:text() == text, g:stats().instructions, v:stats().shadow_faults == purge) end",
                    "true\t288\ttrue\ntrue\t288\ttrue\ntrue\t288\tfalse\ntrue\t288\ttrue\ntrue\t288\ttrue\n");
    static const char *const rows[][2] = {
        {"spaces = 0", "vmm.new: spaces is 0; it takes a whole number from 1 to 16"},
        {"policy = 'x'", "vmm.new: policy is \"x\"; it takes \"purge\" or \"protect\""},
        {"slice = 0", "vmm.new: slice is 0; it takes a whole number of 1 or more"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[200];
        snprintf(text, sizeof text, "vmm.new{on = machine.new{}, %s}", rows[i][0]);
        scenario_fails(text, ERROR_INPUT, rows[i][1]);
    }
    scenario_fails("vmm.new{on = machine.new{}}:guest{memory = '64K', cpus = 5}", ERROR_INPUT, "v:guest: cpus is 5");
    scenario_fails("vmm.new{on = machine.new{}}:stats(machine.new{})", ERROR_INPUT,
                   "v:stats: the guest is a machine; it takes a guest of this monitor");
}

static void test_monitors_say_what_they_need(void **state) {
    (void)state;
    scenario_prints("local n = vmm.host_memory('64K')\n"
                    "local function try(less, disk) return (pcall(function()\n"
                    "  local m = machine.new{memory = n - less, disk = {blocks = 9}}\n"
                    "  vmm.new{on = m}:guest{memory = '64K', disk = disk} end)) end\n"
                    "print(try(0, {first = 1}), try(4096, {first = 1}), try(32 << 10), try(36 << 10))",
                    "true\tfalse\ttrue\tfalse\n");
    scenario_fails("vmm.host_memory()", ERROR_INPUT, "vmm.host_memory: the guest's memory is missing");
}

#define MAPPED                                                                                                         \
    "local m = machine.new{} m:load(assemble.file('guests/hypervisor.s'))\n"                                           \
    "local g = vmm.map{on = m, memory = '64K'} "

/* Guests of a hypervisor in assembler are machines like others, as far as that goes. */
static void test_guests_of_a_hypervisor_in_assembler_are_machines(void **state) {
    (void)state;
    scenario_prints(
        "local m = machine.new{memory = '1M', disk = {blocks = 1000}}\n"
        "m:load(assemble.file('guests/hypervisor.s'))\n"
        "local a = vmm.map{on = m, memory = '64K', name = 'a'}\n"
        "print(a.disk.blocks, vmm.map{on = m} == a)\n"
        "local b = vmm.map{on = m, guest = 1, memory = '256K'}\n"
        "print(a.disk.blocks, b.disk.blocks, b.name, b.level, b.memory, b.host == m)\n"
        "b.disk:write(0, 'x') print(m.disk:read(500):sub(1, 1))\n"
        "a:load(assemble.file('guests/hello.s'))\n"
        "local c = vmm.new{on = b}:guest{memory = '64K'} c:load(assemble.file('guests/walk.s')) c:restart()\n"
        "c:run() m:run() print(a.status, c.status, a.console:text() == m.console:text(), c:stats().instructions)\n"
        "for _, l in ipairs(c:stats().levels) do print(l.kind, l.traps > 50) end",
        "1000\ttrue\n500\t500\tguest1\t1\t262144\ttrue\nx\n"
        "disabled-wait\tdisabled-wait\ttrue\t288\nassembler\ttrue\ntrap-and-emulate\ttrue\n");
    static const char *const rows[][2] = {
        {"vmm.map{on = machine.new{}}", "vmm.map: bare: there is no map of virtual machines at 0002B0"},
        {"vmm.map{on = machine.new{memory = '4K'}, guest = 8}",
         "vmm.map: guest is 8; it takes a whole number from 0 to 7"},
        {"vmm.map{}", "vmm.map: on is missing"},
        {"local m = machine.new{} m:load(assemble.file('guests/hypervisor.s')) vmm.map{on = m}",
         "how much storage guest 0 has must be said"},
        {"local m = machine.new{} m:load(assemble.file('guests/hypervisor.s')) vmm.map{on = m, memory = '6K'}",
         "it takes a multiple of 4K"},
        {"local m = machine.new{} m:load(assemble.file('guests/hypervisor.s'))\n"
         "vmm.map{on = m, memory = '64K', name = 'g'}.gpr[1] = 2",
         "registers: g belongs to a hypervisor in assembler, and can only be looked at"},
        {"local m = machine.new{} m:load(assemble.file('guests/hypervisor.s'))\n"
         "vmm.map{on = m, memory = '64K'}:ipl('00C')",
         "belongs to a hypervisor in assembler, which alone can load it"},
        {MAPPED "vmm.new{on = m}", "vmm.new: bare has a hypervisor in assembler already"},
        {MAPPED "m:efficiency()", "g:efficiency: bare is a bare machine; it takes a guest"},
        {"local m = machine.new{} vmm.new{on = m} vmm.map{on = m}", "vmm.map: bare has a monitor in C already"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scenario_fails(rows[i][0], ERROR_INPUT, rows[i][1]);
    }
}

/* Their disks are parts of parts; each is as large as the maps below say now. */
static void test_disks_of_guests_of_hypervisors_in_assembler_are_parts(void **state) {
    (void)state;
    scenario_prints("local m = machine.new{memory = '2M', disk = {blocks = 1000}}\n"
                    "local hv = assemble.file('guests/hypervisor.s') m:load(hv)\n"
                    "local a = vmm.map{on = m, memory = '256K'}\n"
                    "local b = vmm.map{on = m, guest = 1, memory = '700K'} b:load(hv)\n"
                    "local c = vmm.map{on = b, memory = '64K'}\n"
                    "local d = vmm.map{on = b, guest = 1, memory = '64K'} d.disk:write(249, 'y')\n"
                    "print(c.disk.blocks, d.disk.blocks, m.disk:read(999):sub(1, 1))\n"
                    "vmm.map{on = b, guest = 2, memory = '64K'}\n"
                    "print(c.disk.blocks, d.disk.blocks, d.disk:read(0) == m.disk:read(500 + 166))\n"
                    "print(machine.new{}.disk, vmm.map{on = (function()\n"
                    "  local n = machine.new{} n:load(hv) return n end)(), memory = '64K'}.disk)",
                    "250\t250\ty\n166\t166\ttrue\nnil\tnil\n");
}

/* What the checker of equivalence says of any monitor it says of one that is a program, too. */
static void test_guests_of_a_hypervisor_in_assembler_are_equivalent(void **state) {
    (void)state;
    scenario_prints("for _, name in ipairs{'walk', 'primes'} do\n"
                    "  local image = assemble.file('guests/' .. name .. '.s')\n"
                    "  local m, reference = machine.new{}, machine.new{memory = '64K'}\n"
                    "  m:load(assemble.file('guests/hypervisor.s'))\n"
                    "  local g = vmm.map{on = m, memory = '64K'}\n"
                    "  g:load(image) reference:load(image)\n"
                    "  local result = vmm.equivalence{guest = g, reference = reference}\n"
                    "  print(result.ended, result.what)\n"
                    "end",
                    "ended\t\nended\t\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guests_take_turns),
        cmocka_unit_test(test_a_guest_that_waited_gets_its_turn),
        cmocka_unit_test(test_minidisks_are_parts_of_a_disk),
        cmocka_unit_test(test_guests_run_on_the_cpus_that_a_monitor_is_given),
        cmocka_unit_test(test_monitors_work_as_they_are_asked_to),
        cmocka_unit_test(test_monitors_say_what_they_need),
        cmocka_unit_test(test_guests_of_a_hypervisor_in_assembler_are_machines),
        cmocka_unit_test(test_disks_of_guests_of_hypervisors_in_assembler_are_parts),
        cmocka_unit_test(test_guests_of_a_hypervisor_in_assembler_are_equivalent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
