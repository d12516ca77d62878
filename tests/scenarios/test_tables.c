/* Tests of the table library: ours, which pays for each element, against Lua's own, over random tables and arguments.
 */
#include <lualib.h>

#include "scenarios/engine/engine_internal.h"
#include "tests/support/unit.h"

/* Calls both with equal copies of the same arguments, protected, and compares results and what became of the tables;
 * error messages only by there being one. Sorting is compared without equal elements: Lua's own is not stable. */
static const char compare[] =
    "local stock = ...\n"
    "local r = random.new('tables')\n"
    "local function value() local k = r:below(8) if k == 0 then return nil end\n"
    "  return k == 1 and 'text' or k == 2 and 2.5 or k == 3 and math.mininteger or r:between(-9, 9) end\n"
    "local function list() local t = {} for i = 1, r:below(7) do t[i] = value() or i end return t end\n"
    "local function copy(t) local c = {} for k, v in pairs(t) do c[k] = v end return c end\n"
    "local edges = {math.mininteger, math.maxinteger, math.maxinteger - 1, math.mininteger + 1, '3', 2.0, 2.5, 'x'}\n"
    "local function number() local k = r:below(40) if k < #edges then return edges[k + 1] end\n"
    "  if k == 39 then return nil end return r:between(-3, 9) end\n"
    "local function show(...) local s = {} for i = 1, select('#', ...) do local v = (select(i, ...))\n"
    "  if type(v) == 'table' then local t = {} for k, x in pairs(v) do t[#t + 1] = k .. '=' .. tostring(x) end\n"
    "    v = '{' .. stock.concat(t, ' ') .. '}' end s[i] = tostring(v) end return stock.concat(s, ', ') end\n"
    "local function outcome(f, arguments)\n"
    "  local a = table.pack(pcall(f, stock.unpack(arguments, 1, arguments.n)))\n"
    "  if not a[1] then return 'error, ' .. show(stock.unpack(arguments, 1, arguments.n)) end\n"
    "  return show(stock.unpack(a, 1, a.n)) .. ' / ' .. show(stock.unpack(arguments, 1, arguments.n))\n"
    "end\n"
    "local function same(name, ...)\n"
    "  local a, b = table.pack(...), table.pack(...)\n"
    "  for i = 1, a.n do if type(a[i]) == 'table' then\n"
    "    a[i] = a[i] == a[1] and i > 1 and a[1] or copy(a[i]) b[i] = copy(a[i]) end end\n"
    "  if a.n >= 5 and a[5] == nil then a.n, b.n = 4, 4 end\n"
    "  local before = show(stock.unpack(a, 1, a.n))\n"
    "  local ours, theirs = outcome(table[name], a), outcome(stock[name], b)\n"
    "  if ours ~= theirs then error(('%s(%s): ours %s, theirs %s'):format(name, before, ours, theirs), 0) end\n"
    "end\n"
    "for i = 1, 2000 do\n"
    "  same('insert', list(), value()) same('insert', list(), number(), value()) same('insert', list())\n"
    "  same('remove', list()) same('remove', list(), number())\n"
    "  same('move', list(), r:between(-2, 6), r:between(-2, 6), r:between(-2, 9))\n"
    "  same('move', list(), r:between(-2, 6), r:between(-2, 6), r:between(-2, 9), list())\n"
    "  same('move', list(), math.maxinteger - r:below(3), math.maxinteger, number())\n"
    "  same('move', list(), 1, r:below(4), math.maxinteger - r:below(5))\n"
    "  same('concat', list()) same('concat', list(), ', ') same('concat', list(), 1, r:between(-2, 6), r:between(-2, "
    "6))\n"
    "  same('concat', list(), nil, math.maxinteger, math.maxinteger)\n"
    "  same('unpack', list()) same('unpack', list(), r:between(-2, 6)) same('unpack', list(), number(), r:between(-2, "
    "6))\n"
    "  same('unpack', list(), math.maxinteger - r:below(3), math.maxinteger)\n"
    "  same('unpack', list(), math.mininteger, math.maxinteger)\n"
    "  local t = {} for k = 1, r:below(9) do t[k] = k * 7 % 11 end same('sort', t)\n"
    "  same('sort', t, function(a, b) return a > b end)\n"
    "end\n"
    "for _, name in ipairs{'insert', 'remove', 'move', 'concat', 'unpack', 'sort'} do\n"
    "  for _, v in ipairs{1, 'x', false, print} do same(name, v) same(name, v, 1, 2, 3) end same(name)\n"
    "end\n";

static void test_tables_do_as_lua_does(void **state) {
    (void)state;
    struct engine_options options = {.seed = 1, .budgets = {.lua_instructions = UINT64_C(1) << 40}};
    struct error e = ERROR_CLEAR;
    struct engine *engine = engine_new(&options, &e);
    assert_non_null(engine);
    lua_State *L = engine->L;
    assert_int_equal(luaL_loadbufferx(L, compare, sizeof compare - 1, "=compare", "t"), LUA_OK);
    luaopen_table(L); /* a table of the originals */
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        fail_msg("%s", lua_tostring(L, -1));
    }
    engine_free(engine);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tables_do_as_lua_does)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
