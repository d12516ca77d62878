/* Tests of the Lua API: every function, and what it says to wrong arguments. */
#include "scenarios/engine/units.h"
#include "tests/scenarios/scenario.h"

/* A guest that counts register 1 down from 5 to 0 by SVCs, then stops at 000ACE; its SVC handler counts in register 2.
 */
#define COUNTDOWN                                                                                                      \
    "local text = [[\n"                                                                                                \
    "COUNT    START 0\n"                                                                                               \
    "         USING COUNT,0\n"                                                                                         \
    "         DC    X'0008000000000200'\n"                                                                             \
    "         ORG   COUNT+96\n"                                                                                        \
    "         DC    X'0008000000000300'\n"                                                                             \
    "         ORG   COUNT+X'200'\n"                                                                                    \
    "BEGIN    LA    1,5\n"                                                                                             \
    "LOOP     SVC   7\n"                                                                                               \
    "         BCT   1,LOOP\n"                                                                                          \
    "         LPSW  DONE\n"                                                                                            \
    "DONE     DC    0D'0',X'000A000000000ACE'\n"                                                                       \
    "         ORG   COUNT+X'300'\n"                                                                                    \
    "         LA    2,1(2)\n"                                                                                          \
    "         LPSW  32\n"                                                                                              \
    "         END   BEGIN\n"                                                                                           \
    "]]\n"                                                                                                             \
    "local image = assemble.string(text, 'count.s')\n"

static void test_units_read_and_write_sizes(void **state) {
    (void)state;
    uint64_t n;
    uint32_t h;
    char text[32];
    assert_true(units_size("64K", UINT64_MAX, &n) && n == 65536);
    assert_true(units_size("2M", UINT64_MAX, &n) && n == 2 << 20);
    assert_true(units_size("4096", UINT64_MAX, &n) && n == 4096);
    static const char *const bad[] = {"", "K", "64KB", "-1", " 1", "1 ", "0x10", "99999999999999999999", "16E", "1.5M"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(units_size(bad[i], UINT64_MAX, &n));
    }
    assert_false(units_size("18446744073709551615K", UINT64_MAX, &n));
    assert_true(units_hex("aB", 0xFF, &h) && h == 0xAB);
    assert_false(units_hex("100", 0xFF, &h));
    assert_false(units_hex("0x1", 0xFF, &h));
    assert_false(units_hex("123456789", UINT32_MAX, &h));
    assert_false(units_hex("", UINT32_MAX, &h));
    assert_true(units_decimal("18446744073709551615", UINT64_MAX, &n) && n == UINT64_MAX);
    assert_false(units_decimal("18446744073709551616", UINT64_MAX, &n));
    units_size_text(text, 65536);
    assert_string_equal(text, "64K");
    units_size_text(text, 1000);
    assert_string_equal(text, "1000");
    units_grouped(text, UINT64_MAX);
    assert_string_equal(text, "18,446,744,073,709,551,615");
    units_grouped(text, 0);
    assert_string_equal(text, "0");
    units_grouped(text, 1000);
    assert_string_equal(text, "1,000");
}

static void test_machine_runs_a_guest_to_its_end(void **state) {
    (void)state;
    scenario_prints(COUNTDOWN
                    "local m = machine.new{memory = '64K'} print(m, m.name, m.memory, m.level, m.status, m.host)\n"
                    "print(m:load(image) == m, m:restart() == m)\n"
                    "local s = m:run() print(s.status, s.reason, hex(s.address), s.instructions)\n"
                    "print(m.psw, m.psw.ec, m.psw.wait, m.psw.problem, m.psw.dat, m.psw.key, m.psw.cc, hex(m.psw.ia))\n"
                    "print(m.gpr[1], m.gpr[2], m.status)\n"
                    "local t = m:stats() print(t.instructions, t.interruptions.svc, t.interruptions.restart, "
                    "t.model, t.gpr[3], #t.cr, #t.levels, t.psw)\n",
                    "machine bare\tbare\t65536\t0\tready\tnil\ntrue\ttrue\n"
                    "disabled-wait\tdisabled-wait\t000ACE\t22\n"
                    "000A000000000ACE\ttrue\ttrue\tfalse\tfalse\t0\t0\t000ACE\n"
                    "0\t5\tdisabled-wait\n22\t5\t1\ts370\t00000005\t16\t0\t000A000000000ACE\n");
}

static void test_machine_stops_where_it_is_told(void **state) {
    (void)state;
    scenario_prints(COUNTDOWN
                    "local m = machine.new{memory = '64K'} m:load(image) m:restart()\n"
                    "local s = m:run{instructions = 2} print(s.status, s.reason, s.instructions, hex(m.psw.ia))\n"
                    "s = m:run{until_trap = true} print(s.status, s.reason, hex(m.psw.ia))\n"
                    "s = m:run{until_address = 0x206} print(s.reason, m.gpr[1])\n"
                    "s = m:run{until_address = 0x206} print(s.reason, m.gpr[1])\n"
                    "s = m:run{cycles = 1} print(s.reason)\n"
                    "s = m:run{instructions = 1000} print(s.status, s.reason)\n",
                    "limit\tinstructions\t1\t000204\nlimit\ttrap\t000300\naddress\t5\naddress\t4\ncycles\n"
                    "disabled-wait\tdisabled-wait\n");
}

static void test_machine_shows_and_takes_state(void **state) {
    (void)state;
    scenario_prints("local m = machine.new{memory = '64K', name = 'mine', model = 'flat', nominal = true}\n"
                    "m.gpr[3] = 0xFFFFFFFF print(m.gpr[3]) m.gpr[3] = -2 print(m.gpr[3]) m.cr[2] = 5 print(m.cr[2])\n"
                    "m.psw = '040C000000000200' print(m.psw, m.psw.dat)\n"
                    "m:write(0x100, 'abcd') print(m:read(0x100, 4), hex(m:word(0x100), 8))\n"
                    "m:load{bytes = '\\x1A\\x12', at = 0x200} local d = m:disassemble(0x200)[1]\n"
                    "print(hex(d.address), d.hex, d.text) print(#m:disassemble(0xFFFC, 9))\n"
                    "local k = m:key(0) print(k.value, k.access, k.fetch, k.reference, k.change)\n"
                    "print(m.gpr) print(m.name, m:stats().model, machine.models()[1])\n",
                    "4294967295\n4294967294\n5\n040C000000000200\ttrue\nabcd\t61626364\n000200\t1A12\tAR    1,2\n2\n"
                    "0\t0\tfalse\tfalse\tfalse\n"
                    "00000000 00000000 00000000 FFFFFFFE 00000000 00000000 00000000 00000000 "
                    "00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000\nmine\tflat\tflat\n");
}

static void test_machine_walks_its_tables(void **state) {
    (void)state;
    scenario_prints("local m = machine.new{memory = '64K'} m.cr[0] = 0x008000E0 m.cr[1] = 0x3000\n"
                    "m:write(0x3000, '\\xF0\\0\\x31\\0\\0\\0\\0\\1') m:write(0x3100, '\\0\\x50\\0\\8')\n"
                    "local w = m:walk(0x000123) print(w.result, w.code, hex(w.real), #w.steps, w.protected)\n"
                    "for _, s in ipairs(w.steps) do print(s.what, s.index, hex(s.address), hex(s.entry)) end\n"
                    "w = m:walk(0x001000) print(w.result, w.code, w.real, #w.steps)\n"
                    "w = m:walk(0x010000) print(w.result, w.code, #w.steps)\n"
                    "m.cr[0] = 0 w = m:walk(0) print(w.result, #w.steps)\n",
                    "ok\t0\t005123\t2\tfalse\nsegment\t0\t003000\tF0003100\npage\t0\t003100\t000050\n"
                    "page translation\t17\tnil\t2\nsegment translation\t16\t1\ntranslation specification\t0\n");
}

static void test_machine_has_a_console(void **state) {
    (void)state;
    scenario_prints(
        "local m = machine.new{memory = '64K'} m:load(assemble.file('guests/hello.s')) m:restart() m:run()\n"
        "io = m.console print(io:text(), m.printer:text() == '', m.psw)\n"
        "m.console:type('an answer') m:raise('attention') m:raise{condition = 'interrupt-key'}\n"
        "m:raise('machine-check')\n",
        "HELLO FROM SYSTEM/370\n\ttrue\t0002000000000000\n");
}

static void test_vmm_runs_guests_and_guests_of_guests(void **state) {
    (void)state;
    scenario_prints(COUNTDOWN
                    "local m = machine.new{memory = '4M'} local v = vmm.new{on = m}\n"
                    "local g = v:guest{memory = '2M'} local w = vmm.new{on = g, kind = 'trap-and-emulate'}\n"
                    "local h = w:guest{memory = '64K', name = 'inner'}\n"
                    "print(v, w, g, h, h.level, h.host == g, g.host == m, v.kind, w.machine == g)\n"
                    "print(v:guests()[1] == g, vmm.kinds()[1])\n"
                    "h:load(image) h:restart() local s = h:run() print(s.status, hex(s.address), h.gpr[2])\n"
                    "local t = h:stats() print(t.instructions, t.interruptions.svc, #t.levels, t.levels[2].kind)\n"
                    "local u = w:stats() print(u.traps > 0, u.traps == t.levels[2].traps, u.reflected >= 5, "
                    "u.kind, u.cycles == t.levels[2].cycles)\n"
                    "print(w:frame(0) % 4096, w:frame(0x20000), v:frame(w:frame(0)) ~= nil, v:frame(0, g) ~= nil)\n"
                    "local a, sum = m:account(), 0 for _, l in ipairs(a) do sum = sum + l.all end\n"
                    "print(#a, sum == m:stats().cycles)\n",
                    "trap-and-emulate monitor on bare\ttrap-and-emulate monitor on guest1\tmachine guest1\tmachine "
                    "inner\t2\ttrue\ttrue\ttrap-and-emulate\ttrue\ntrue\ttrap-and-emulate\n"
                    "disabled-wait\t000ACE\t5\n22\t5\t2\ttrap-and-emulate\ntrue\ttrue\ttrue\ttrap-and-emulate\ttrue\n"
                    "0\tnil\ttrue\ttrue\n3\ttrue\n");
}

static void test_vmm_guest_keeps_everything_below_it_alive(void **state) {
    (void)state;
    scenario_prints(COUNTDOWN "local function make() local m = machine.new{memory = '1M'} local n = 0\n"
                              "m:on('trap', function() n = n + 1 end)\n"
                              "return vmm.new{on = m}:guest{memory = '64K'}, function() return n end end\n"
                              "local g, count = make() for i = 1, 2e5 do local t = {i} end\n"
                              "g:load(image) g:restart() print(g:run().status, count() > 5)\n"
                              "local r = g.gpr g = nil for i = 1, 2e5 do local t = {i} end print(r[2])\n",
                    "disabled-wait\ttrue\n5\n");
}

static void test_machine_tells_events_in_order(void **state) {
    (void)state;
    scenario_prints(COUNTDOWN
                    "local m = machine.new{memory = '64K'} m:load(image) m:restart()\n"
                    "m:on('interruption', function(e) print(e.kind, e.machine, e.level, e.class, hex(e.old_address), "
                    "hex(e.new_address)) end)\n"
                    "local n, last = 0, 0 m:on('instruction', function(e) n = n + 1 assert(e.cycle >= last) "
                    "last = e.cycle end)\n"
                    "m:on('stop', function(e) print('stop', e.reason) end)\n"
                    "m:run{instructions = 3} m:run() print(n)\n",
                    "interruption\tbare\t0\trestart\t000000\t000200\n"
                    "interruption\tbare\t0\tsvc\t000206\t000300\ninterruption\tbare\t0\tsvc\t000206\t000300\n"
                    "interruption\tbare\t0\tsvc\t000206\t000300\ninterruption\tbare\t0\tsvc\t000206\t000300\n"
                    "interruption\tbare\t0\tsvc\t000206\t000300\nstop\tdisabled-wait\n22\n");
    scenario_fails(COUNTDOWN "local m = machine.new{memory = '64K'} m:load(image) m:restart()\n"
                             "m:on('interruption', function(e) error('from a handler') end) m:run()",
                   ERROR_INPUT, "from a handler");
    scenario_fails(COUNTDOWN "local m = machine.new{memory = '64K'} m:load(image) m:restart()\n"
                             "m:on('interruption', function(e) m:run() end) m:run()",
                   ERROR_INPUT, "not inside an event handler");
    /* More events than the queue holds: an endless loop, stopped by a handler's error. */
    scenario_fails("local m = machine.new{memory = '64K'} m:load{bytes = '\\0\\8\\0\\0\\0\\0\\2\\0'}\n"
                   "m:load{bytes = '\\x47\\xF0\\2\\0', at = 0x200} m:restart() local n = 0\n"
                   "m:on('instruction', function(e) n = n + 1 if n == 100000 then error('enough') end end) m:run()",
                   ERROR_INPUT, "enough");
}

static void test_machine_run_ends_with_the_budget(void **state) {
    (void)state;
    static const char *const under[] = {"", "local v = vmm.new{on = m} m = v:guest{memory = '64K'}\n"};
    for (int i = 0; i < 2; i++) {
        char text[600];
        struct outcome o;
        struct engine_options options = {.budgets = {.machine_instructions = 300000}};
        snprintf(text, sizeof text,
                 "local m = machine.new{memory = '1M'} %s"
                 "m:load{bytes = '\\0\\8\\0\\0\\0\\0\\2\\0'}\n"
                 "m:load{bytes = '\\x47\\xF0\\2\\0', at = 0x200} m:restart() print(pcall(m.run, m))",
                 under[i]);
        scenario_run(&o, text, &options);
        assert_int_equal(o.e.kind, ERROR_BUDGET);
        assert_non_null(strstr(o.e.text, "300,000 simulated instructions"));
        assert_int_equal(o.output.length, 0);
        assert_int_equal(o.machine_used, 300000);
        scenario_fini(&o);
    }
}

/* Lines without end, on the bare machine and on a guest, in one run and in short ones. */
static void test_machine_output_ends_with_the_budget(void **state) {
    (void)state;
    static const char *const on[] = {"m", "vmm.new{on = m}:guest{memory = '64K'}"};
    static const char *const runs[] = {"m:run()", "while true do m:run{instructions = 100} end"};
    for (int i = 0; i < 4; i++) {
        char text[900];
        struct outcome o;
        struct engine_options options = {.budgets = {.output_bytes = 200}};
        snprintf(text, sizeof text,
                 "local m = machine.new{memory = '1M'} m = %s m:load(assemble.string[[\n"
                 "     DC    A(0,GO)\n     ORG   X'48'\n     DC    A(WRITE)\n     ORG   X'200'\n"
                 "GO   BALR  15,0\n     USING *,15\nMORE SIO   9\n     TIO   9\n     BC    7,*-4\n     B     MORE\n"
                 "     DS    0D\nWRITE CCW  X'09',TEXT,0,4\nTEXT DC    C'TEXT'\n     END\n]])\n"
                 "m:restart() %s",
                 on[i % 2], runs[i / 2]);
        scenario_run(&o, text, &options);
        assert_int_equal(o.e.kind, ERROR_BUDGET);
        assert_non_null(strstr(o.e.text, "of console output"));
        scenario_fini(&o);
    }
}

static void test_machine_can_be_closed(void **state) {
    (void)state;
    scenario_fails("local m = machine.new{} local r = m.gpr m:close() print(m, r) m:run()", ERROR_INPUT,
                   "m:run: the machine was closed");
    scenario_fails("local m = machine.new{} local c = m.console m:close() c:text()", ERROR_INPUT,
                   "m.console:text: the machine was closed");
    scenario_fails("local m = machine.new{} local r = m.gpr m:close() print(r[1])", ERROR_INPUT,
                   "m.gpr or m.cr: the machine was closed");
    scenario_fails("local m = machine.new{memory = '2M'} local v = vmm.new{on = m} local g = v:guest{memory = '64K'} "
                   "m:close() g:restart()",
                   ERROR_INPUT, "closed");
    scenario_fails("local m = machine.new{memory = '2M'} local v = vmm.new{on = m} local g = v:guest{memory = '64K'} "
                   "m:close() v:stats()",
                   ERROR_INPUT, "closed");
    scenario_fails("vmm.new{on = machine.new{memory = '2M'}}:guest{memory = '64K'}:close()", ERROR_INPUT,
                   "close the bare machine");
}

static void test_assemble_gives_image_symbols_and_listing(void **state) {
    (void)state;
    scenario_prints(COUNTDOWN "print(#image.image, image.origin, hex(image.entry), hex(image.symbols.LOOP), "
                              "image:listing():find('LOOP') ~= nil, #image:warnings())\n"
                              "print(assemble.string(' DC X\\'00\\'\\n END').entry)\n",
                    "776\t0\t000200\t000204\ttrue\t0\nnil\n");
}

static void test_assemble_raises_all_diagnostics(void **state) {
    (void)state;
    struct outcome o;
    scenario_run(&o, "\nassemble.string(' FOO 1\\n LA 99,0\\n END\\n', 'bad.s')", NULL);
    assert_false(o.ok);
    assert_int_equal(o.e.kind, ERROR_INPUT);
    assert_non_null(strstr(o.e.text, "2 errors in bad.s (test.lua:2)"));
    assert_non_null(o.detail.data);
    assert_non_null(strstr((const char *)o.detail.data, "bad.s:1:2: error:"));
    assert_non_null(strstr((const char *)o.detail.data, "bad.s:2:"));
    scenario_fini(&o);
    scenario_prints("local ok, m = pcall(assemble.string, ' FOO\\n', 'bad.s') print(ok, m:match('bad.s:1:2') ~= nil)",
                    "false\ttrue\n");
}

static void test_check_counts_points(void **state) {
    (void)state;
    struct outcome o;
    scenario_run(&o,
                 "print(check('one', 10, function() expect(1).equals(1) end))\n"
                 "print(check('two', 5, function() expect('abc').contains('x') print('not reached') end))\n"
                 "check('three', function() error({}) end)\n"
                 "check('four', 2.5, function() local x = nil + 1 end)\n"
                 "expect(3).at_most(2) print('goes on')\n",
                 NULL);
    assert_true(o.ok);
    assert_string_equal(
        scenario_printed(&o),
        "ok    one  (10 of 10 points)\ntrue\n"
        "FAIL  two  (0 of 5 points)\n      test.lua:2: expected \"abc\" to contain \"x\"\nfalse\n"
        "FAIL  three\n      table: 1\n"
        "FAIL  four  (0 of 2.5 points)\n      test.lua:4: attempt to perform arithmetic on a nil value\n"
        "FAIL  an expectation outside of a check\n      test.lua:5: expected 3 to be at most 2\n"
        "goes on\n5 checks: 1 passed, 4 failed; 10 of 17.5 points\n");
    assert_int_equal(o.checks, 5);
    assert_int_equal(o.failed, 4);
    assert_true(o.points == 10 && o.most == 17.5);
    scenario_fini(&o);
}

static void test_expect_has_matchers_that_say_what_was_there(void **state) {
    (void)state;
    static const struct {
        const char *call, *message; /* NULL: it holds */
    } rows[] = {
        {"expect(1).equals(1.0)", NULL},
        {"expect(1):equals(1)", NULL},
        {"expect({1, {2}, a = 3}).equals({1, {2}, a = 3})", NULL},
        {"expect({1, 2}).equals({1, 3})", "expected {1, 2} to equal {1, 3}"},
        {"expect({1}).equals({1, 2})", "expected {1} to equal {1, 2}"},
        {"expect({1, 2}).equals({1})", "expected {1, 2} to equal {1}"},
        {"expect(nil).equals(false)", "expected nil to equal false"},
        {"expect('a\\nb').equals('c')", "expected \"a\\nb\" to equal \"c\""},
        {"expect(('x'):rep(500)).equals('c')", "\"... (500 bytes) to equal \"c\""},
        {"expect('hello').contains('ell')", NULL},
        {"expect('hello').contains('.')", "expected \"hello\" to contain \".\""},
        {"expect({1, 2}).contains(2)", NULL},
        {"expect({1, 2}).contains(3)", "expected {1, 2} to contain 3"},
        {"expect(5).contains(3)", "contains: the value is 5; it takes a text or a table"},
        {"expect('hello').matches('^h.*o$')", NULL},
        {"expect('hello').matches('^x')", "expected \"hello\" to match \"^x\""},
        {"expect(0).is_true()", NULL},
        {"expect(nil).is_true()", "expected nil to be true"},
        {"expect(1).is_false()", "expected 1 to be false"},
        {"expect(1).is_nil()", "expected 1 to be nil"},
        {"expect(2).at_least(3)", "expected 2 to be at least 3"},
        {"expect('b').at_least('a')", NULL},
        {"expect('b').at_least(1)", "at_least is 1; it takes a text"},
        {"expect(4).at_most(3)", "expected 4 to be at most 3"},
        {"expect(4).between(1, 4)", NULL},
        {"expect(5).between(1, 4)", "expected 5 to be between 1 and 4"},
        {"expect(1.01).is_near(1, 0.1)", NULL},
        {"expect(1.5).is_near(1, 0.1)", "expected 1.5 to be near 1 within 0.1"},
        {"expect(1).not_.equals(2)", NULL},
        {"expect(1).not_.equals(1)", "expected 1 not to equal 1"},
        {"expect(1).not_.not_.equals(1)", NULL},
        {"expect(1).equls(1)", "expect(x) has no equls; it has equals,"},
        {"expect(1).equals()", "expect(x).equals takes 1 argument, not 0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct outcome o;
        char text[300];
        snprintf(text, sizeof text, "check('c', 1, function() %s end)", rows[i].call);
        scenario_run(&o, text, NULL);
        if (!o.ok || o.failed != (rows[i].message ? 1u : 0u) ||
            (rows[i].message && !strstr(o.message, rows[i].message))) {
            fail_msg("%s: \"%s\" %s", rows[i].call, o.message, o.e.text);
        }
        scenario_fini(&o);
    }
}

static void test_report_prints_aligned_tables(void **state) {
    (void)state;
    scenario_prints(
        "table_print{header = {'name', 'n', 'x'}, {'a', 1234567, 'y'}, {'\xc3\xa4\xc3\xb6', -5}, {nil, nil, 'z'}}"
        "table_print{{1}, {22}} print(hex(255), hex(255, 2), hex(-1, 8), grouped(1e6), grouped(-1234))",
        "name          n  x\n------------------\na     1,234,567  y\n\xc3\xa4\xc3\xb6           -5  \n"
        "                 z\n 1\n22\n0000FF\tFF\tFFFFFFFFFFFFFFFF\t1,000,000\t-1,234\n");
}

static void test_api_names_what_is_wrong_with_an_argument(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"machine.new(5)", "machine.new: the argument is 5; it takes a table of options"},
        {"machine.new{memory = '3X'}", "machine.new: memory is \"3X\"; it takes a size such as \"64K\""},
        {"machine.new{memory = '32M'}", "machine.new: memory"},
        {"machine.new{memory = 5000}", "machine.new: memory is 5000; it takes a multiple of 2K"},
        {"machine.new{memory = {}}", "machine.new: memory is a table"},
        {"machine.new{nominal = 1}", "machine.new: nominal is 1; it takes true or false"},
        {"machine.new{model = 'x'}", "machine.new:"},
        {"machine.new{model = 5}", "machine.new: model is 5; it takes a text"},
        {"machine.new{name = ''}", "name is \"\""},
        {"machine.new{name = 'a'} machine.new{name = 'a'}", "another machine has it"},
        {"machine.new{[1] = 2}", "unknown option 1"},
        {"machine.new{}.foo()", "a machine has no field foo; it has psw"},
        {"machine.new{}.foo = 1", "only psw, gpr[n] and cr[n] can be set, not foo"},
        {"local m = machine.new{} m.load({})",
         "m:load is a table; it takes a machine (is the : of a method call missing?)"},
        {"machine.new{}:load(5)", "m:load: the argument is 5"},
        {"machine.new{}:load{}", "m:load: bytes is missing; it takes a text"},
        {"machine.new{}:load{bytes = 'x', at = -1}", "m:load: at is -1"},
        {"machine.new{memory = '4K'}:load{bytes = ('x'):rep(5000)}", "m:load:"},
        {"machine.new{}:run()", "m:restart(), m:start(psw) or m:ipl(device)"},
        {"machine.new{}:run{instructions = 0}", "m:run: instructions is 0; it takes a whole number of 1 or more"},
        {"machine.new{}:run{cycles = 1.5}", "m:run: cycles is 1.5"},
        {"machine.new{}:run{until_trap = 1}", "m:run: until_trap is 1; it takes true or false"},
        {"machine.new{}:run{until_address = 1 << 24}", "m:run: until_address is 16777216"},
        {"machine.new{}:run{steps = 1}", "unknown option \"steps\"; there are instructions, cycles"},
        {"machine.new{}:start('12')", "m:start: the PSW is \"12\"; it takes a text of 16 hexadecimal digits"},
        {"machine.new{}:start()", "m:start: the PSW is missing"},
        {"machine.new{}.gpr[16] = 1", "m.gpr: the register is 16; it takes a whole number from 0 to 15"},
        {"machine.new{}.gpr[1] = 1 << 32", "m.gpr: the value is 4294967296"},
        {"return machine.new{}.cr.x", "m.cr: the register is \"x\""},
        {"machine.new{}.psw = 5", "m.psw is 5; it takes a text"},
        {"machine.new{}:read(0)", "m:read: the length is missing"},
        {"machine.new{}:read(1 << 20, 1)", "m:read: 1 bytes at 100000 are not all in the storage of bare"},
        {"machine.new{}:read(0xFFFFF, 2)", "are not all in the storage"},
        {"machine.new{}:write(0, 5)", "m:write: the bytes is 5"},
        {"machine.new{}:write(0xFFFFF, 'ab')", "are not all in the storage"},
        {"machine.new{}:word(0xFFFFD)", "m:word: the address"},
        {"machine.new{}:key(1 << 20)", "m:key: the address"},
        {"machine.new{}:walk('x')", "m:walk: the virtual address is \"x\""},
        {"machine.new{}:disassemble(0, 0)", "m:disassemble: the number is 0"},
        {"machine.new{}:raise('fire')", "m:raise: the condition is \"fire\"; it takes \"interrupt-key\""},
        {"machine.new{}:raise()", "m:raise: the condition is missing"},
        {"machine.new{}:on('x', print)", "m:on: the kind of event is \"x\"; it takes one of instruction"},
        {"machine.new{}:on('trap')", "m:on: the handler is missing; it takes a function"},
        {"machine.new{}.console:type(('x'):rep(200))", "one line of up to 150 characters"},
        {"machine.new{}.printer:type('x')", "a printer has no type; it has text, pages"},
        {"vmm.new()", "vmm.new: the argument is missing"},
        {"vmm.new{}", "vmm.new: on is missing; it takes a machine"},
        {"vmm.new{on = vmm.new{on = machine.new{memory = '2M'}}}", "vmm.new: on is a vmm; it takes a machine"},
        {"vmm.new{on = machine.new{}.gpr}", "vmm.new: on is registers; it takes a machine"},
        {"vmm.new{on = assemble.string(' END')}", "vmm.new: on is an assembly; it takes a machine"},
        {"vmm.new{on = random.new('x')}", "vmm.new: on is a random stream; it takes a machine"},
        {"vmm.new{on = machine.new{}, kind = 'paravirtual'}",
         "kind is \"paravirtual\", which is not there yet; it takes"},
        {"vmm.new{on = machine.new{}, kind = 'magic'}", "kind is \"magic\", which is not a kind of monitor"},
        {"local m = machine.new{memory = '2M'} vmm.new{on = m} vmm.new{on = m}", "vmm.new:"},
        {"vmm.new{on = machine.new{memory = '2M'}}:guest{memory = '16M'}", "v:guest:"},
        {"vmm.new{on = machine.new{memory = '2M'}}:guest{memory = '5K'}",
         "v:guest: memory is \"5K\"; it takes a multiple"},
        {"return vmm.new{on = machine.new{memory = '2M'}}.foo", "a monitor has no field foo"},
        {"vmm.new{on = machine.new{memory = '2M'}}:frame(-1)", "v:frame: the address is -1"},
        {"vmm.new{on = machine.new{memory = '2M'}}:frame(0, machine.new{})", "a guest of this monitor"},
        {"assemble.file(5)", "assemble.file: the path is 5"},
        {"assemble.string()", "assemble.string: the source is missing"},
        {"return assemble.string(' END').foo", "an assembly has no field foo"},
        {"check()", "check: the name is missing"},
        {"check('x')", "check: the points is missing"},
        {"check('x', -1, print)", "check: the points is -1"},
        {"check('x', 0/0, print)", "check: the points"},
        {"check('x', 1)", "check: what is to be done is missing"},
        {"table_print(5)", "table_print: the argument is 5"},
        {"table_print{5}", "table_print: a row is 5"},
        {"hex('x')", "hex: the number is \"x\""},
        {"hex(1, 17)", "hex: the digits is 17"},
        {"random.new()", "random.new: the name of the stream is missing"},
        {"random.new('x'):below(0)", "r:below: the bound is 0"},
        {"random.new('x'):between(2, 1)", "r:between: high is 1"},
        {"random.new('x').number()", "r:number is missing; it takes a random stream"},
        {"load(5)", "load: the chunk is 5"},
        {"require(5)", "require: the module is 5"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scenario_fails(rows[i][0], ERROR_INPUT, rows[i][1]);
    }
}

static void test_check_does_not_nest(void **state) {
    (void)state;
    struct outcome o;
    scenario_run(&o, "check('a', function() check('b', function() end) end)", NULL);
    assert_int_equal(o.failed, 1);
    assert_non_null(strstr(o.message, "not inside another check"));
    scenario_fini(&o);
}

static void test_engine_writes_a_trace(void **state) {
    (void)state;
    struct engine_options options = {.trace_path = "t.jsonl"};
    struct outcome o;
    struct bytes text = {0};
    scenario_run(&o, COUNTDOWN "local m = machine.new{memory = '64K'} m:load(image) m:restart() m:run()", &options);
    assert_true(o.ok);
    assert_true(bytes_read_file(&text, "t.jsonl", 1 << 20, &o.e));
    assert_non_null(strstr((const char *)text.data, "\"class\":\"svc\""));
    bytes_fini(&text);
    scenario_fini(&o);
    options.trace_path = "no/such/folder/t.jsonl";
    struct error e = ERROR_CLEAR;
    assert_null(engine_new(&options, &e));
    assert_int_equal(e.kind, ERROR_INPUT);
}

static void test_engine_has_help_for_every_function(void **state) {
    (void)state;
    const char *where, *name, *help;
    size_t count = 0;
    while (engine_help(count, &where, &name, &help)) {
        assert_true(*help != '\0');
        count++;
    }
    assert_true(count > 50);
}

static void test_engine_runs_the_main_scenario(void **state) {
    (void)state;
    struct engine_options options = {0};
    struct error e = ERROR_CLEAR;
    struct engine_results results;
    struct engine *engine = engine_new(&options, &e);
    assert_true(engine_run_file(engine, SOURCE_DIR "/scenarios/first.lua", &e));
    engine_results(engine, &results);
    assert_int_equal(results.failed_count, 0);
    assert_true(results.points == 10);
    engine_free(engine);
}

static void test_arguments_that_are_too_many_are_refused(void **state) {
    (void)state;
    scenario_fails("machine.new({memory = '64K'}, 5)", ERROR_INPUT, "new takes 1 argument, not 2");
    scenario_fails("machine.new{memory = '64K'}:word(0, 1, 2)", ERROR_INPUT, "word takes 1 argument, not 3");
    scenario_fails("machine.new{memory = '64K'}:history(nil)", ERROR_INPUT, "history takes 0 arguments, not 1");
    scenario_fails("hex(1, 2, 3)", ERROR_INPUT, "hex takes 2 arguments, not 3");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_units_read_and_write_sizes),
        cmocka_unit_test(test_machine_runs_a_guest_to_its_end),
        cmocka_unit_test(test_machine_stops_where_it_is_told),
        cmocka_unit_test(test_machine_shows_and_takes_state),
        cmocka_unit_test(test_machine_walks_its_tables),
        cmocka_unit_test(test_machine_has_a_console),
        cmocka_unit_test(test_vmm_runs_guests_and_guests_of_guests),
        cmocka_unit_test(test_vmm_guest_keeps_everything_below_it_alive),
        cmocka_unit_test(test_machine_tells_events_in_order),
        cmocka_unit_test(test_machine_run_ends_with_the_budget),
        cmocka_unit_test(test_machine_output_ends_with_the_budget),
        cmocka_unit_test(test_machine_can_be_closed),
        cmocka_unit_test(test_assemble_gives_image_symbols_and_listing),
        cmocka_unit_test(test_assemble_raises_all_diagnostics),
        cmocka_unit_test(test_check_counts_points),
        cmocka_unit_test(test_expect_has_matchers_that_say_what_was_there),
        cmocka_unit_test(test_report_prints_aligned_tables),
        cmocka_unit_test(test_api_names_what_is_wrong_with_an_argument),
        cmocka_unit_test(test_check_does_not_nest),
        unit_test_in_folder(test_engine_writes_a_trace),
        cmocka_unit_test(test_engine_has_help_for_every_function),
        cmocka_unit_test(test_engine_runs_the_main_scenario),
        cmocka_unit_test(test_arguments_that_are_too_many_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
