/* The table library made safe: functions that run over a length charge it first, because a length can be anything that
 * a metamethod says. Sorting is a merge sort: stable, so that equal elements never depend on chance (the original draws
 * its pivots from the clock). */
#include "scenarios/engine/engine_internal.h"

enum { LENGTH_MOST = 100000000, SORT_MOST = 10000000 };

static int call_original(lua_State *L) {
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

/* Charges the elements from first to last. */
static void charge_range(lua_State *L, lua_Integer first, lua_Integer last) {
    if (first > last) {
        return;
    }
    uint64_t count = (uint64_t)last - (uint64_t)first + 1;
    engine_charge(L, count ? count : UINT64_MAX);
}

static lua_Integer checked_length(lua_State *L) {
    luaL_checkany(L, 1);
    lua_Integer n = luaL_len(L, 1);
    if (n > LENGTH_MOST) {
        luaL_error(L, "the table is too long: %I elements", n);
    }
    return n;
}

/* For functions that ask for the length themselves: __len could give them another one. */
static lua_Integer own_length(lua_State *L, const char *who) {
    luaL_checktype(L, 1, LUA_TTABLE);
    if (luaL_getmetafield(L, 1, "__len") != LUA_TNIL) {
        luaL_error(L, "%s: the table has a __len of its own", who);
    }
    return (lua_Integer)lua_rawlen(L, 1);
}

static int table_insert(lua_State *L) {
    lua_Integer n = own_length(L, "table.insert");
    if (lua_gettop(L) == 3) {
        charge_range(L, luaL_checkinteger(L, 2), n);
    }
    return call_original(L);
}

static int table_remove(lua_State *L) {
    lua_Integer n = own_length(L, "table.remove");
    if (!lua_isnoneornil(L, 2)) {
        charge_range(L, luaL_checkinteger(L, 2), n);
    }
    return call_original(L);
}

/* Makes the range at stack `at` (first, last) explicit, and charges it. */
static void fix_range(lua_State *L, int at) {
    lua_Integer first = luaL_optinteger(L, at, 1);
    lua_Integer last = lua_isnoneornil(L, at + 1) ? checked_length(L) : luaL_checkinteger(L, at + 1);
    lua_settop(L, at - 1);
    lua_pushinteger(L, first);
    lua_pushinteger(L, last);
    charge_range(L, first, last);
}

static int table_concat(lua_State *L) {
    lua_settop(L, 4);
    fix_range(L, 3);
    return call_original(L);
}

static int table_unpack(lua_State *L) {
    lua_settop(L, 3);
    fix_range(L, 2);
    return call_original(L);
}

static int table_move(lua_State *L) {
    charge_range(L, luaL_checkinteger(L, 2), luaL_checkinteger(L, 3));
    return call_original(L);
}

/* Whether the value at `a` comes before the one at `b`; stack 2 is the order function or nil. */
static bool is_before(lua_State *L, int a, int b) {
    if (lua_isnil(L, 2)) {
        return lua_compare(L, a, b, LUA_OPLT);
    }
    lua_pushvalue(L, 2);
    lua_pushvalue(L, a);
    lua_pushvalue(L, b);
    lua_call(L, 2, 1);
    bool before = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return before;
}

/* Merges from[low..middle) and from[middle..high) into to; 1-based places, tables at stack indices. */
static void merge(lua_State *L, int from, int to, lua_Integer low, lua_Integer middle, lua_Integer high) {
    lua_Integer left = low, right = middle;
    for (lua_Integer out = low; out < high; out++) {
        bool take_right = false;
        if (left < middle && right < high) {
            lua_rawgeti(L, from, left);
            lua_rawgeti(L, from, right);
            int top = lua_gettop(L);
            take_right = is_before(L, top, top - 1);
            lua_pop(L, 2);
        } else {
            take_right = left >= middle;
        }
        lua_rawgeti(L, from, take_right ? right++ : left++);
        lua_rawseti(L, to, out);
    }
}

static int table_sort(lua_State *L) {
    lua_Integer n = checked_length(L);
    if (n > SORT_MOST) {
        return luaL_error(L, "table.sort: %I elements; it takes up to %d", n, SORT_MOST);
    }
    if (!lua_isnoneornil(L, 2)) {
        luaL_checktype(L, 2, LUA_TFUNCTION);
    }
    lua_settop(L, 2);
    lua_createtable(L, (int)(n > 0 ? n : 0), 0); /* 3 and 4: the runs, from one to the other */
    lua_createtable(L, (int)(n > 0 ? n : 0), 0);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_geti(L, 1, i);
        lua_rawseti(L, 3, i);
    }
    int from = 3, to = 4;
    for (lua_Integer width = 1; width < n; width *= 2) {
        engine_charge(L, (uint64_t)n);
        for (lua_Integer low = 1; low <= n; low += 2 * width) {
            lua_Integer middle = low + width <= n ? low + width : n + 1;
            lua_Integer high = middle + width <= n ? middle + width : n + 1;
            merge(L, from, to, low, middle, high);
        }
        from = from == 3 ? 4 : 3;
        to = to == 3 ? 4 : 3;
    }
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, from, i);
        lua_seti(L, 1, i);
    }
    return 0;
}

void sandbox_open_table(lua_State *L) {
    static const luaL_Reg bounded[] = {{"insert", table_insert}, {"remove", table_remove}, {"concat", table_concat},
                                       {"unpack", table_unpack}, {"move", table_move},     {NULL, NULL}};
    lua_getglobal(L, "table");
    for (const luaL_Reg *f = bounded; f->name; f++) {
        lua_getfield(L, -1, f->name);
        lua_pushcclosure(L, f->func, 1);
        lua_setfield(L, -2, f->name);
    }
    lua_pushcfunction(L, table_sort);
    lua_setfield(L, -2, "sort");
    lua_pop(L, 1);
}
