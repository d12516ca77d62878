/* Tests of pattern matching: ours, which pays for its steps, against Lua's own, over random patterns and subjects. */
#include <lualib.h>

#include "scenarios/engine/engine_internal.h"
#include "tests/support/unit.h"

/* Calls both with the same arguments, protected, and compares all results; error messages only by there being one. */
static const char compare[] =
    "local stock = ...\n"
    "local pieces = {'a', 'b', 'ab', '.', '%a', '%d', '%s', '%w', '%A', '%p', '%x', '%u', '%l', '%c', '%g', '%%', "
    "'%.',\n"
    "  '[ab]', '[^a]', '[a-c]', '[%d]', '[]]', '[^]]', '[a-]', '[%a%d]', '[b-a]', '(', ')', '()', '(a)', '(.)', "
    "'(a*)',\n"
    "  '%1', '%2', '*', '+', '-', '?', '^', '$', '%b()', '%bab', '%f[a]', '%f[^a]', '%f[%w]', '[', '%', ' ', '1', "
    "'\\0'}\n"
    "local letters = {'a', 'b', 'c', 'A', '1', ' ', '(', ')', ']', '-', '.', '%', '\\0', '\\n', '\\200', '^', '$'}\n"
    "local replacements = {'x', '%0', '%1', '<%1%0>', '%%', '%2', '%', '%x', '', '%9'}\n"
    "local r = random.new('patterns')\n"
    "local function pick(list, most)\n"
    "  local t = {}\n"
    "  for i = 1, r:below(most + 1) do t[i] = list[1 + r:below(#list)] end\n"
    "  return table.concat(t)\n"
    "end\n"
    "local function show(t) local s = {} for i = 1, t.n do s[i] = ('%q'):format(t[i]) end return table.concat(s, ' ') "
    "end\n"
    "local function same(what, ours, theirs, ...)\n"
    "  local a, b = table.pack(pcall(ours, ...)), table.pack(pcall(theirs, ...))\n"
    "  local equal = a[1] == b[1] and (not a[1] or a.n == b.n)\n"
    "  if a[1] and b[1] then for i = 1, a.n do equal = equal and a[i] == b[i] end end\n"
    "  if not equal then error(('%s(%s): ours %s, theirs %s'):format(what, show(table.pack(...)), show(a), show(b)), "
    "0) end\n"
    "end\n"
    "local function all(f) return function(...) local t = {} for a, b, c in f(...) do\n"
    "  t[#t + 1] = tostring(a) .. '|' .. tostring(b) .. '|' .. tostring(c) end return table.concat(t, ';') end end\n"
    "for i = 1, 60000 do\n"
    "  local s, p, at = pick(letters, 8), pick(pieces, 5), r:between(-10, 10)\n"
    "  same('find', string.find, stock.find, s, p, at)\n"
    "  same('match', string.match, stock.match, s, p, at)\n"
    "  same('find', string.find, stock.find, s, p, at, true)\n"
    "  same('gmatch', all(string.gmatch), all(stock.gmatch), s, p, at)\n"
    "  same('gsub', string.gsub, stock.gsub, s, p, pick(replacements, 2))\n"
    "  same('gsub', string.gsub, stock.gsub, s, p, {a = 'X', b = false, ab = 3}, r:below(4))\n"
    "  same('gsub', string.gsub, stock.gsub, s, p, function(x) return x == 'a' and '<' .. tostring(x) .. '>' end)\n"
    "end\n"
    "for c = 0, 255 do for _, class in ipairs{'a', 'c', 'd', 'g', 'l', 'p', 's', 'u', 'w', 'x'} do\n"
    "  same('match', string.match, stock.match, string.char(c), '%' .. class)\n"
    "  same('match', string.match, stock.match, string.char(c), '%' .. class:upper())\n"
    "end end\n";

static void test_patterns_match_as_lua_does(void **state) {
    (void)state;
    struct engine_options options = {.seed = 1, .budgets = {.lua_instructions = UINT64_C(1) << 40}};
    struct error e = ERROR_CLEAR;
    struct engine *engine = engine_new(&options, &e);
    assert_non_null(engine);
    lua_State *L = engine->L;
    assert_int_equal(luaL_loadbufferx(L, compare, sizeof compare - 1, "=compare", "t"), LUA_OK);
    luaopen_string(L); /* a table of the originals; also makes a new metatable for texts, which does not matter here */
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        fail_msg("%s", lua_tostring(L, -1));
    }
    engine_free(engine);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_patterns_match_as_lua_does)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
