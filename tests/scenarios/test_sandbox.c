/* Tests of the sandbox: nothing leads out of it, and every budget ends what would go on for ever. */
#include "tests/scenarios/scenario.h"

static void test_sandbox_has_no_way_to_the_host(void **state) {
    (void)state;
    scenario_prints("print(os, io, debug, package, dofile, loadfile, collectgarbage, warn, string.dump, "
                    "math.randomseed)",
                    "nil\tnil\tnil\tnil\tnil\tnil\tnil\tnil\tnil\tnil\n");
    scenario_prints("for k in pairs(_G) do if type(_G[k]) == 'table' then print(k) end end",
                    "_G\nargs\nassemble\ncoroutine\nmachine\nmath\nrandom\nstring\ntable\nutf8\nvmm\n");
    scenario_fails("return getmetatable('').__index.x", ERROR_INPUT, "index a boolean");
    scenario_fails("setmetatable('', {})", ERROR_INPUT, "table expected");
    scenario_prints("print(getmetatable(machine.new{memory='64K'}))", "false\n");
}

static void test_sandbox_refuses_compiled_chunks(void **state) {
    (void)state;
    scenario_prints("print((load('\\27Lua')))", "nil\n");
    /* The mode is ours, whatever is asked for. */
    scenario_prints("print(load('return 1', 'x', 'b')())", "1\n");
    scenario_prints("print(load('return 1 + 1')())", "2\n");
    scenario_prints("print(load('return x', 'n', 't', {x = 7})())", "7\n");
    scenario_prints("print((load('syntax error')))", "nil\n");
    scenario_fails("\x1bLua", ERROR_INPUT, "binary chunk");
}

static void test_sandbox_reads_files_only_beside_the_scenario(void **state) {
    (void)state;
    scenario_fails("assemble.file('/etc/passwd')", ERROR_INPUT, "relative paths");
    scenario_fails("assemble.file('../../../../../../../../etc/passwd')", ERROR_INPUT, "scenario");
    scenario_fails("assemble.file('nothing.s')", ERROR_INPUT, "no such file");
    scenario_fails("assemble.file('guests')", ERROR_INPUT, "it is a folder, not a file");
    scenario_fails("require('../engine')", ERROR_INPUT, "letters");
    scenario_fails("require('nothing')", ERROR_INPUT, "no such file");
    scenario_fails("assemble.string(' COPY /etc/passwd\\n END')", ERROR_INPUT, "error");
}

static void test_sandbox_allows_no_finalizers(void **state) {
    (void)state;
    scenario_fails("setmetatable({}, {__gc = function() while true do end end})", ERROR_INPUT, "finalizers");
    /* Added later it has no effect. */
    scenario_prints("local m = {} setmetatable({}, m) m.__gc = function() print('called') end "
                    "for i = 1, 1e5 do local t = {} end print('end')",
                    "end\n");
}

/* Each would never end by itself. */
static const char *const endless[] = {
    "while true do end",
    "while true do pcall(function() while true do end end) end",
    "while true do pcall(pcall, pcall, function() while true do end end) end",
    "while true do xpcall(function() while true do end end, function() while true do end end) end",
    "xpcall(function() error('x') end, function() while true do end end)",
    "xpcall(function() while true do end end, function() while true do end end)",
    "coroutine.wrap(function() while true do end end)()",
    "while true do coroutine.wrap(function() for i = 1, 10 do end end)() end",
    "while true do local c = coroutine.create(function() while true do end end) coroutine.resume(c) end",
    "while true do pcall(coroutine.wrap(function() while true do end end)) end",
    "coroutine.wrap(function() while true do pcall(coroutine.yield) end end)() while true do end",
    "local function f() return f() end f()",
    "local f f = function() pcall(f) f() end f()",
    /* Variables to be closed. */
    "local x <close> = setmetatable({}, {__close = function() while true do end end}) while true do end",
    "do local x <close> = setmetatable({}, {__close = function() while true do end end}) end",
    "while true do pcall(function() local x <close> = setmetatable({}, {__close = function() while true do end end}) "
    "while true do end end) end",
    "local c = coroutine.wrap(function() local x <close> = setmetatable({}, {__close = function() while true do end "
    "end}) while true do end end) while true do pcall(c) end",
    "local c = coroutine.create(function() local x <close> = setmetatable({}, {__close = function() while true do end "
    "end}) coroutine.yield() end) coroutine.resume(c) while true do coroutine.close(c) end",
    "local c = coroutine.create(function() local x <close> = setmetatable({}, {__close = function() while true do end "
    "end}) error('x') end) while true do coroutine.resume(c) coroutine.close(c) end",
    /* Long library calls. */
    "string.rep('', 1 << 60) local s = string.rep('x', 1 << 20) while true do s:upper() end",
    "(('a'):rep(40)):find(('a?'):rep(40) .. ('a'):rep(40))",
    "(('a'):rep(1000)):find('.-.-.-.-.-.-.-b')",
    "(('a'):rep(1 << 20)):gsub('(a*)*b', '')  (('a'):rep(1 << 20)):find('(.-)%1%1%1b')",
    "for _ in (('a'):rep(1 << 20)):gmatch('a*b') do end",
    "table.move({}, 1, 1 << 60, 2)",
    "pcall(table.insert, setmetatable({}, {__len = function() return 1 << 60 end}), 1, 1) while true do end",
    "pcall(table.concat, setmetatable({}, {__index = tostring}), '', 1, 1 << 60) while true do end",
    "pcall(table.sort, setmetatable({}, {__len = function() return 1 << 30 end, __index = type})) while true do end",
    "local t = {} for i = 1, 1e5 do t[i] = i end while true do table.sort(t, function(a, b) return true end) end",
    "local t = {} for i = 1, 1e5 do t[i] = i end while true do for k in pairs(t) do break end end",
    "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) while true do pcall(function() return "
    "t[1] end) end",
    "setmetatable(_ENV, {__index = function() while true do end end}) return x",
    "print(setmetatable({}, {__tostring = function() while true do end end}))",
    "error(setmetatable({}, {__tostring = function() while true do end end}))",
    "check('x', 1, function() while true do end end)",
    "while true do pcall(check, 'x', 1, function() while true do end end) end",
    "check('x', 1, function() error(setmetatable({}, {__tostring = function() while true do end end})) end)",
    "expect(setmetatable({}, {__eq = function() while true do end end})).equals({})",
    "table_print{{setmetatable({}, {__tostring = function() while true do end end})}}",
    "while true do load('return 1')() end",
    "while true do assemble.string(' END') end",
    "while true do print('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx') end",
    "while true do machine.new{memory = '4K'} end",
    "local t = {} while true do t[#t + 1] = machine.new{memory = '4K'} end",
    "while true do string.format('%s', {}) end",
    "local s = ('x'):rep(900000) while true do local n = select('#', s:byte(1, -1)) end",
    "local s = ('x'):rep(1 << 22) while true do utf8.len(s) end",
    "local function f(...) return f(1, ...) end while true do pcall(f) end",
};

static void test_sandbox_ends_what_would_never_end(void **state) {
    (void)state;
    struct engine_options options = {
        .budgets = {.lua_instructions = 3000000, .lua_bytes = 16 << 20, .output_bytes = 1 << 20}};
    for (size_t i = 0; i < sizeof endless / sizeof *endless; i++) {
        struct outcome o;
        scenario_run(&o, endless[i], &options);
        if (o.ok || o.e.kind != ERROR_BUDGET) {
            fail_msg("kind %d, \"%s\", from: %s", (int)o.e.kind, o.e.text, endless[i]);
        }
        scenario_fini(&o);
    }
}

/* The end comes out of a coroutine, through protected calls, and nothing is printed after it. */
static void test_sandbox_end_cannot_be_caught(void **state) {
    (void)state;
    static const char *const attempts[] = {
        "pcall(function() while true do end end) print('caught')",
        "xpcall(function() while true do end end, print) print('caught')",
        "coroutine.resume(coroutine.create(function() while true do end end)) print('caught')",
        "local x <close> = setmetatable({}, {__close = function() print('caught') end}) while true do end",
        "check('c', function() while true do end end) print('caught')",
        "pcall(string.gsub, 'x', 'x', function() while true do end end) print('caught')",
        "local c = coroutine.wrap(function() local ok = pcall(function() while true do end end) print('caught') end) "
        "pcall(c) print('caught')",
        "pcall(load, function() while true do end end) pcall(function() while true do end end) print('caught')",
        "local m = machine.new{} m:load{bytes = '\\x00\\x08\\0\\0\\0\\0\\2\\0'} "
        "m:load{bytes = '\\x47\\xF0\\2\\0', at = 0x200} m:restart() pcall(m.run, m) print('caught')",
    };
    struct engine_options options = {.budgets = {.lua_instructions = 1000000, .machine_instructions = 100000}};
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        struct outcome o;
        scenario_run(&o, attempts[i], &options);
        assert_false(o.ok);
        if (o.e.kind != ERROR_BUDGET || o.output.length) {
            fail_msg("%s, printed \"%s\" from: %s", o.e.text, scenario_printed(&o), attempts[i]);
        }
        scenario_fini(&o);
    }
}

static void test_sandbox_bounds_memory(void **state) {
    (void)state;
    static const char *const hungry[] = {
        "local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end",
        "local s = 'x' while true do s = s .. s end",
        "local s = ('x'):rep(1 << 40)",
        "local function f(...) return f(1, ...) end f()",
        "local t = {} for i = 1, 1 << 40 do t[i] = i end",
    };
    struct engine_options options = {.budgets = {.lua_bytes = 8 << 20, .lua_instructions = 20000000}};
    for (size_t i = 0; i < sizeof hungry / sizeof *hungry; i++) {
        struct outcome o;
        scenario_run(&o, hungry[i], &options);
        assert_false(o.ok);
        assert_true(o.e.kind == ERROR_BUDGET || strstr(o.e.text, "too large") || strstr(o.e.text, "stack overflow"));
        scenario_fini(&o);
    }
    options.budgets = (struct engine_budgets){.storage_bytes = 32 << 20};
    struct outcome o;
    scenario_run(&o, "local t = {} while true do t[#t + 1] = machine.new{memory = '16M'} end", &options);
    assert_int_equal(o.e.kind, ERROR_BUDGET);
    assert_non_null(strstr(o.e.text, "storage"));
    scenario_fini(&o);
    /* Those that nobody holds make room. */
    scenario_run(&o, "for i = 1, 20 do machine.new{memory = '16M'} end print('done')", &options);
    assert_true(o.ok);
    scenario_fini(&o);
}

static bool always(void *self) {
    (void)self;
    return true;
}

static void test_sandbox_stops_when_it_is_interrupted(void **state) {
    (void)state;
    struct engine_options options = {.interrupted = always};
    struct outcome o;
    scenario_run(&o, "while true do pcall(function() while true do end end) end", &options);
    assert_int_equal(o.e.kind, ERROR_BUDGET);
    assert_string_equal(o.e.text, "interrupted");
    scenario_fini(&o);
}

/* Each is one call of a library function, behind the print. */
static const char *const long_calls[] = {
    "print('go') table.move({}, 1, 1e8, 2)",
    "print('go') table.concat(setmetatable({}, {__index = function() return 'x' end}), '', 1, 1e7)",
    "local t = setmetatable({}, {__index = function() return 'x' end}) print('go') table.unpack(t, 1, 900000)",
    "local t = {} for i = 1, 1e5 do t[i] = i end print('go') table.insert(t, 1, 0)",
    "local t = {} for i = 1, 1e5 do t[i] = i end print('go') table.remove(t, 1)",
    "local t = {} for i = 1, 1e5 do t[i] = -i end print('go') table.sort(t)",
    "local s = ('a'):rep(1 << 20) print('go') s:find('.-b')",
    "local s = ('a'):rep(1 << 20) print('go') s:match('[^a]')",
    "local s = ('a'):rep(1 << 20) print('go') s:gsub('a', 'b')",
    "local s = ('a'):rep(1 << 20) print('go') s:find('%bab')",
    "local s = ('a'):rep(1 << 20) print('go') s:gmatch('b')()",
};

static bool after_go(void *self) {
    struct outcome *o = self;
    return o->output.length && ++o->polls > 1000;
}

static void test_sandbox_is_interrupted_inside_library_calls(void **state) {
    (void)state;
    struct engine_options options = {.interrupted = after_go};
    for (size_t i = 0; i < sizeof long_calls / sizeof *long_calls; i++) {
        struct outcome o;
        scenario_run(&o, long_calls[i], &options);
        if (o.ok || strcmp(o.e.text, "interrupted")) {
            fail_msg("\"%s\", from: %s", o.e.text, long_calls[i]);
        }
        scenario_fini(&o);
    }
}

/* What a call must at least be charged. */
static const struct {
    const char *before, *call;
    uint64_t least;
} charges[] = {
    {"local t = {} for i = 1, 1000 do t[i] = i + 0.5 end", "table.concat(t)", 30000},
    {"local t = {} for i = 1, 1000 do t[i] = i end", "table.concat(t, ',')", 8000},
    {"", "table.move({}, 1, 1000, 2)", 3000},
    {"local t = {} for i = 1, 1000 do t[i] = i end", "table.insert(t, 1, 0)", 3000},
    {"local t = {} for i = 1, 1000 do t[i] = i end", "table.remove(t, 1)", 2900},
    {"local t = {} for i = 1, 1000 do t[i] = i end", "table.unpack(t)", 3000},
    {"local t = {} for i = 1, 1000 do t[i] = i end", "table.sort(t)", 30000},
    {"local s = ('0'):rep(100000)", "tonumber(s)", 50000},
    {"local s = ('0'):rep(100000)", "local n = s + 1", 50000},
    {"local s = ('0'):rep(100000)", "local n = -s", 50000},
    {"local s = ('0'):rep(100000)", "string.format('%d', s)", 50000},
    {"local s = ('x'):rep(100000)", "string.format('%.5s', s)", 6000},
    {"", "string.format('%99.99f', 1e308)", 200},
    {"", "string.format('%d', 1)", 10},
    {"", "tostring(1 / 3)", 30},
    {"local f = (' '):rep(100000)", "string.pack(f)", 100000},
    {"local f = (' '):rep(100000)", "string.unpack(f, '')", 100000},
    {"local f = ('x'):rep(100000)", "string.packsize(f)", 100000},
    {"local s = ('x'):rep(100000)", "utf8.len(s)", 100000},
    {"local s, f = ('\\x80'):rep(100000), utf8.codes('')", "pcall(f, s, 0)", 25000},
    {"local s = ('a'):rep(100) local p = '[' .. ('b'):rep(1000) .. ']'", "s:find(p)", 12500},
    {"local s = ('a'):rep(1000)", "s:match('%f[b]')", 1000},
    {"local s = ('a'):rep(100000)", "s:find('b', 1, true)", 6000},
    {"local m = machine.new{}", "m:write(0, ('x'):rep(100000))", 6000},
    {"local r = random.new('x')", "r:bytes(100000)", 100000},
};

static void test_sandbox_charges_library_calls_for_their_work(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof charges / sizeof *charges; i++) {
        char text[300];
        struct outcome none, ten;
        snprintf(text, sizeof text, "%s", charges[i].before);
        scenario_run(&none, text, NULL);
        snprintf(text, sizeof text, "%s for i = 1, 10 do %s end", charges[i].before, charges[i].call);
        scenario_run(&ten, text, NULL);
        if (!ten.ok || ten.lua_used - none.lua_used < 10 * charges[i].least) {
            fail_msg("%s: %llu %s", charges[i].call, (unsigned long long)(ten.lua_used - none.lua_used) / 10,
                     ten.e.text);
        }
        scenario_fini(&none);
        scenario_fini(&ten);
    }
}

/* The sign of a NaN depends on the host. */
static void test_sandbox_prints_no_sign_of_a_nan(void **state) {
    (void)state;
    scenario_prints("print(0/0, -(0/0), 1/0, -1/0, tostring(0/0), tostring(-(0/0)))",
                    "nan\tnan\tinf\t-inf\tnan\tnan\n");
    scenario_prints("for _, n in ipairs{0/0, -(0/0)} do print(('%f %e %G %s %5.1f %+f'):format(n, n, n, n, n, n)) end",
                    "nan nan NAN nan   nan +nan\nnan nan NAN nan   nan +nan\n");
    scenario_prints("for _, n in ipairs{0/0, -(0/0)} do print(table.concat({n, n}, n), #string.rep(n, 2, n), "
                    "string.upper(n), (('x'):gsub('x', n)), (('x'):gsub('x', {x = n})), string.find(n, n)) end",
                    "nannannan\t9\tNAN\tnan\tnan\t1\t3\nnannannan\t9\tNAN\tnan\tnan\t1\t3\n");
    scenario_prints("print(string.pack('>d', 0/0) == string.pack('>d', -(0/0)))", "true\n");
    scenario_prints("table_print{{0/0, -(0/0)}}", "nan  nan\n");
    scenario_fails("machine.new{memory = 0/0}", ERROR_INPUT, "memory is nan;");
    scenario_fails("machine.new{memory = -(0/0)}", ERROR_INPUT, "memory is nan;");
}

static void test_sandbox_survives_deep_recursion(void **state) {
    (void)state;
    scenario_prints("local function f() return 1 + f() end print(pcall(f) == false)", "true\n");
    scenario_prints("print((pcall(string.find, ('a'):rep(1000), ('(a'):rep(1000))))", "false\n");
    scenario_prints("local s = ('('):rep(1000) print((load('return ' .. s)))", "nil\n");
    scenario_prints(
        "local t = {} for i = 1, 1000 do t = {t} end print(pcall(function() return expect(t).equals(1) end))",
        "FAIL  an expectation outside of a check\n      test.lua:1: expected {{{table: 1}}} to equal 1\n"
        "true\tfalse\n1 check: 0 passed, 1 failed\n");
    scenario_prints("local function nest(n) local c = coroutine.wrap(function() if n > 0 then nest(n - 1) end end) c() "
                    "end print((pcall(nest, 1000)))",
                    "false\n");
    scenario_prints("local last for i = 1, 2000 do local before = last last = coroutine.create(function() local x "
                    "<close> = setmetatable({}, {__close = function() if before then coroutine.close(before) end end}) "
                    "coroutine.yield() end) coroutine.resume(last) end print((coroutine.close(last)))",
                    "true\n");
}

static void test_sandbox_is_repeatable(void **state) {
    (void)state;
    static const char text[] =
        "local t = {} for i = 1, 50 do t['k' .. i * 7919 % 1000] = i end t[2.5] = 1 t[-1] = 2 t[true] = 3\n"
        "for k, v in pairs(t) do print(k, v) end print(next(t))\n"
        "print({}, print, coroutine.create(print), {}) print(string.format('%s', {}))\n"
        "print(math.random(), math.random(6), math.random(10, 20), math.random(0))\n"
        "local r = random.new('a') print(r:below(100), r:number(), r:between(-5, 5), #r:bytes(10))\n";
    struct outcome a, b;
    struct engine_options options = {.seed = 7};
    scenario_run(&a, text, &options);
    scenario_run(&b, text, &options);
    assert_true(a.ok);
    assert_string_equal(scenario_printed(&a), scenario_printed(&b));
    scenario_fini(&b);
    options.seed = 8;
    scenario_run(&b, text, &options);
    assert_string_not_equal(scenario_printed(&a), scenario_printed(&b));
    scenario_fini(&a);
    scenario_fini(&b);
}

static void test_sandbox_iterates_in_order(void **state) {
    (void)state;
    scenario_prints("for k, v in pairs({10, 20, [2.5] = 'h', b = 1, a = 2, [true] = 3, [-1] = 4}) do "
                    "print(k, v) end",
                    "-1\t4\n1\t10\n2\t20\n2.5\th\na\t2\nb\t1\ntrue\t3\n");
    scenario_prints("local t = {1, 2, 3} for k in pairs(t) do t[k] = nil end print(next(t))", "nil\n");
    scenario_prints("local t, n = {a = 1, b = 2}, 0 local k = next(t) while k do n = n + t[k] k = next(t, k) end "
                    "print(n)",
                    "3\n");
    scenario_fails("for k in pairs({[{}] = 1, [{}] = 2}) do end", ERROR_INPUT, "fixed order");
    scenario_prints("for k, v in pairs(setmetatable({}, {__pairs = function() return next, {x = 1} end})) do "
                    "print(k, v) end",
                    "x\t1\n");
}

static void test_sandbox_keeps_lua_as_it_is_otherwise(void **state) {
    (void)state;
    scenario_prints("print(pcall(error, 'x', 0)) print(select('#', pcall(function() return 1, 2, nil end)))",
                    "false\tx\n4\n");
    scenario_prints("print(xpcall(function(...) return ... end, print, 1, 2))", "true\t1\t2\n");
    scenario_prints("print(xpcall(function() error('a', 0) end, function(m) return m .. 'b' end))", "false\tab\n");
    scenario_prints("local c = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * 2 end) "
                    "print(c(1), c(5))",
                    "2\t10\n");
    scenario_prints("local c = coroutine.create(function() error('boom', 0) end) print(coroutine.resume(c)) "
                    "print(coroutine.status(c), coroutine.resume(c))",
                    "false\tboom\ndead\tfalse\tcannot resume dead coroutine\n");
    scenario_prints("print(pcall(coroutine.wrap(function() error('boom', 0) end)))", "false\tboom\n");
    scenario_prints("local c = coroutine.wrap(function() print(pcall(function() coroutine.yield(1) error('e', 0) end)) "
                    "return 2 end) print(c()) print(c())",
                    "1\nfalse\te\n2\n");
    scenario_prints("local l = {} local c = coroutine.create(function() local x <close> = setmetatable({}, {__close = "
                    "function() l[1] = 'closed' end}) coroutine.yield() end) coroutine.resume(c) "
                    "print(coroutine.close(c), l[1])",
                    "true\tclosed\n");
    scenario_prints("local t = {3, 1, 2} table.sort(t) print(table.concat(t, ',')) table.sort(t, function(a, b) return "
                    "a > b end) print(table.concat(t, ',', 2, 3), table.unpack(t))",
                    "1,2,3\n2,1\t3\t2\t1\n");
    scenario_prints("local t = {} table.insert(t, 'b') table.insert(t, 1, 'a') print(table.remove(t), table.remove(t, "
                    "1), #t) print(table.concat(table.move({1, 2, 3}, 1, 3, 2), ','))",
                    "b\ta\t0\n1,1,2,3\n");
    scenario_prints("print(('x'):rep(3, '-'), ('%5.1f|%-4s|%s'):format(1.25, 'a', true))", "x-x-x\t  1.2|a   |true\n");
    scenario_prints("print(_VERSION, type(math.pi), utf8.char(228), #table.pack(1, 2))",
                    "Lua 5.4\tnumber\t\xc3\xa4\t2\n");
    scenario_prints("print('a\\27[31mb\\tc')", "a.[31mb\tc\n");
    scenario_prints("print(args[1], #args, seed)", "nil\t0\t0\n");
}

static void test_sandbox_loads_modules_beside_the_scenario(void **state) {
    (void)state;
    struct error e;
    const char *text = "local t = {n = 0} t.n = t.n + 1 return t";
    assert_true(bytes_write_file("helper.lua", text, strlen(text), &e));
    scenario_prints("local a, b = require('helper'), require 'helper' print(a == b, a.n)", "true\t1\n");
    assert_true(bytes_write_file("bad.lua", "x = = 1", 7, &e));
    scenario_fails("require 'bad'", ERROR_INPUT, "bad.lua:1");
    assert_true(bytes_write_file("binary.lua", "\x1bLua", 4, &e));
    scenario_fails("require 'binary'", ERROR_INPUT, "binary chunk");
}

static void test_sandbox_names_file_and_line_of_an_error(void **state) {
    (void)state;
    scenario_fails("\n\nlocal x = nil + 1", ERROR_INPUT, "attempt to perform arithmetic on a nil value (test.lua:3)");
    scenario_fails("x = = 1", ERROR_INPUT, "unexpected symbol near '=' (test.lua:1)");
    scenario_fails("error({})", ERROR_INPUT, "table");
    scenario_fails("error()", ERROR_INPUT, "nil");
    scenario_fails("error('plain', 0)", ERROR_INPUT, "plain");
    scenario_fails(
        "\nmachine.new{memroy = 1}", ERROR_INPUT,
        "machine.new: the argument: unknown option \"memroy\"; there are memory, model, nominal, name, cpus, disk, "
        "cards, channels, profile "
        "(test.lua:2)");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sandbox_has_no_way_to_the_host),
        cmocka_unit_test(test_sandbox_refuses_compiled_chunks),
        unit_test_in_folder(test_sandbox_reads_files_only_beside_the_scenario),
        cmocka_unit_test(test_sandbox_allows_no_finalizers),
        cmocka_unit_test(test_sandbox_ends_what_would_never_end),
        cmocka_unit_test(test_sandbox_end_cannot_be_caught),
        cmocka_unit_test(test_sandbox_bounds_memory),
        cmocka_unit_test(test_sandbox_stops_when_it_is_interrupted),
        cmocka_unit_test(test_sandbox_is_interrupted_inside_library_calls),
        cmocka_unit_test(test_sandbox_charges_library_calls_for_their_work),
        cmocka_unit_test(test_sandbox_prints_no_sign_of_a_nan),
        cmocka_unit_test(test_sandbox_survives_deep_recursion),
        cmocka_unit_test(test_sandbox_is_repeatable),
        cmocka_unit_test(test_sandbox_iterates_in_order),
        cmocka_unit_test(test_sandbox_keeps_lua_as_it_is_otherwise),
        unit_test_in_folder(test_sandbox_loads_modules_beside_the_scenario),
        cmocka_unit_test(test_sandbox_names_file_and_line_of_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
