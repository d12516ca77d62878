/* Tests of CPUs in scenarios: the state of each, its counts, and what a run says of several. */
#include "tests/scenarios/scenario.h"

/* CPU 0 starts CPU 1; both add 1 to SUM a hundred times, and stop at 0AC0 and 0AC1. */
#define PROGRAM                                                                                                        \
    "local image = assemble.string[[\n"                                                                                \
    "         DC    X'0008000000000200'\n         ORG   X'200'\n"                                                      \
    "BEGIN    BALR  12,0\n         USING *,12\n"                                                                       \
    "         STAP  ADDRESS\n         LH    9,ADDRESS\n         LTR   9,9\n         BC    7,ADD\n"                     \
    "         LA    2,1\n         SIGP  0,2,6\n"                                                                       \
    "ADD      LA    3,100\n"                                                                                           \
    "LOOP     L     4,SUM\nAGAIN    LR    5,4\n         LA    5,1(,5)\n"                                               \
    "         CS    4,5,SUM\n         BC    7,AGAIN\n         BCT   3,LOOP\n"                                          \
    "         SLL   9,3\n         LA    9,END(9)\n         LPSW  0(9)\n"                                               \
    "ADDRESS  DS    H\nSUM      DC    F'0'\n"                                                                          \
    "END      DC    0D'0',X'000A000000000AC0000A000000000AC1'\n"                                                       \
    "         END\n]]\n"                                                                                               \
    "local function machine_of(n) local m = machine.new{memory = '64K', cpus = n} m:load(image) m:restart() return m " \
    "end\n"

static void test_cpus_have_state_and_counts(void **state) {
    (void)state;
    scenario_prints(PROGRAM
                    "local m = machine_of(2) local s = m:run() print(s.status, #m.cpu, m:word(image.symbols.SUM))\n"
                    "for n = 0, #m.cpu - 1 do local c = m.cpu[n]\n"
                    "  print(c, c.address, c.status, hex(c.psw.ia), c.gpr[3], c.cr[2], c.prefix, "
                    "c:stats().interruptions.restart, c:stats().instructions > 500) end\n"
                    "print(hex(m.psw.ia), m.gpr[3], m.prefix, m.cpu)",
                    "disabled-wait\t2\t200\n"
                    "CPU 0 of bare\t0\tdisabled-wait\t000AC0\t0\t4294967295\t0\t1\ttrue\n"
                    "CPU 1 of bare\t1\tdisabled-wait\t000AC1\t0\t4294967295\t0\t1\ttrue\n"
                    "000AC0\t0\t0\t2 CPUs of bare\n");
    scenario_prints("local m = machine.new{} print(#m.cpu, m.cpu[0].status, m.cpu, m.tod >= 0, m.clock_comparator, "
                    "m.cpu_timer)",
                    "1\trunning\t1 CPU of bare\ttrue\t0\t0\n");
}

static void test_cpus_can_be_set(void **state) {
    (void)state;
    scenario_prints("local m = machine.new{memory = '64K', cpus = 3} m.cpu[2].gpr[5] = 7 m.cpu[1].cr[1] = 9 "
                    "m.cpu[2].psw = '000A000000001234'\n"
                    "for n = 0, 2 do print(m.cpu[n].gpr[5], m.cpu[n].cr[1], m.cpu[n].psw.hex) end",
                    "0\t0\t0000000000000000\n0\t9\t0000000000000000\n7\t0\t000A000000001234\n");
}

/* The books of each CPU add up to its cycles, and of all together to the machine's. */
static void test_cpus_have_accounts(void **state) {
    (void)state;
    scenario_prints(PROGRAM "local m = machine_of(2) m:run() local sum = 0\n"
                            "for n = 0, 1 do local all = 0 for _, level in ipairs(m.cpu[n]:account()) do all = all + "
                            "level.all end print(all == m.cpu[n]:stats().cycles) sum = sum + all end\n"
                            "print(sum == m:account()[1].all)",
                    "true\ntrue\ntrue\n");
    scenario_fails("vmm.new{on = machine.new{memory = '1M'}}:guest{memory = '64K'}.cpu[0]:account()", ERROR_INPUT,
                   "m.cpu[n]:account: guest1 is a guest");
}

static void test_cpus_are_named_by_runs_and_events(void **state) {
    (void)state;
    scenario_prints(PROGRAM "local m = machine_of(2) local signals, stops = {}, {}\n"
                            "m:on('signal', function(e) print('signal', e.cpu, e.cpu_address, e.name) end)\n"
                            "m.cpu[1].gpr[3] = 0 local s = m:run{until_address = image.symbols.ADD}\n"
                            "print(s.reason, s.cpu, hex(s.address) == hex(image.symbols.ADD))\n"
                            "s = m:run{until_address = image.symbols.END - 100} print(s.status, s.cpu)",
                    "signal\t0\t1\trestart\naddress\t0\ttrue\ndisabled-wait\t0\n");
}

static void test_cpus_are_refused_with_a_reason(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"machine.new{cpus = 0}", "machine.new: cpus is 0; it takes a whole number from 1 to 8"},
        {"machine.new{cpus = 9}", "machine.new: cpus is 9"},
        {"return machine.new{cpus = 2}.cpu[2]", "m.cpu: the CPU is 2; it takes a whole number from 0 to 1"},
        {"return machine.new{}.cpu.x", "m.cpu: the CPU is \"x\""},
        {"return machine.new{}.cpu[0].x", "a CPU has no field x; it has psw, gpr, cr, prefix"},
        {"machine.new{}.cpu[0].x = 1", "of a CPU only psw, gpr[n] and cr[n] can be set"},
        {"machine.new{}.cpu[0].psw = 1", "m.cpu[n].psw is 1; it takes a text"},
        {"machine.new{}.cpu[0].gpr[16] = 1", "m.gpr: the register is 16"},
        {"local m = machine.new{} local c = m.cpu[0] m:close() c:stats()", "m.cpu[n]:stats: the machine was closed"},
        {"local m = machine.new{} local c = m.cpu m:close() return c[0]", "m.cpu: the machine was closed"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scenario_fails(rows[i][0], ERROR_INPUT, rows[i][1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cpus_have_state_and_counts),
        cmocka_unit_test(test_cpus_can_be_set),
        cmocka_unit_test(test_cpus_have_accounts),
        cmocka_unit_test(test_cpus_are_named_by_runs_and_events),
        cmocka_unit_test(test_cpus_are_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
