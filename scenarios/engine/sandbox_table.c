/* The table library made safe: every function pays for each element before it touches it, because a length can be
 * anything that a metamethod says. Sorting is a merge sort: stable, so that equal elements never depend on chance (the
 * original draws its pivots from the clock). */
#include <limits.h>

#include "scenarios/engine/engine_internal.h"

enum {
    LENGTH_MOST = 100000000,
    SORT_MOST = 10000000,
    ELEMENT_CHARGE = 3, /* moved, taken or compared */
};

static lua_Integer checked_length(lua_State *L) {
    luaL_checkany(L, 1);
    lua_Integer n = luaL_len(L, 1);
    if (n > LENGTH_MOST) {
        luaL_error(L, "the table is too long: %I elements", n);
    }
    return n;
}

/* The length of a table that is to be changed: __len could give another one every time. */
static lua_Integer own_length(lua_State *L, const char *who) {
    luaL_checktype(L, 1, LUA_TTABLE);
    if (luaL_getmetafield(L, 1, "__len") != LUA_TNIL) {
        luaL_error(L, "%s: the table has a __len of its own", who);
    }
    return (lua_Integer)lua_rawlen(L, 1);
}

/* A table, or what can be read like one. */
static void check_readable(lua_State *L, int index) {
    if (lua_type(L, index) == LUA_TTABLE) {
        return;
    }
    if (luaL_getmetafield(L, index, "__index") == LUA_TNIL) {
        luaL_checktype(L, index, LUA_TTABLE);
    }
    lua_pop(L, 1);
}

/* to[at] = from[i]; tables at stack indices. */
static void move_element(lua_State *L, int from, lua_Integer i, int to, lua_Integer at) {
    engine_charge(L, ELEMENT_CHARGE);
    lua_geti(L, from, i);
    lua_seti(L, to, at);
}

/* table.insert(t, [place,] value) */
static int table_insert(lua_State *L) {
    lua_Integer end = own_length(L, "table.insert") + 1, place = end;
    int count = lua_gettop(L);
    if (count == 3) {
        place = luaL_checkinteger(L, 2);
        luaL_argcheck(L, place >= 1 && place <= end, 2, "position out of bounds");
        for (lua_Integer i = end; i > place; i--) {
            move_element(L, 1, i - 1, 1, i);
        }
    } else if (count != 2) {
        return luaL_error(L, "wrong number of arguments to 'insert'");
    }
    lua_seti(L, 1, place);
    return 0;
}

/* table.remove(t [, place]) */
static int table_remove(lua_State *L) {
    lua_Integer n = own_length(L, "table.remove"), place = luaL_optinteger(L, 2, n);
    if (!lua_isnoneornil(L, 2) && place != n) {
        luaL_argcheck(L, place >= 1 && place <= n + 1, 2, "position out of bounds");
    }
    lua_geti(L, 1, place);
    for (; place < n; place++) {
        move_element(L, 1, place + 1, 1, place);
    }
    lua_pushnil(L);
    lua_seti(L, 1, place);
    return 1;
}

/* table.move(from, first, last, at [, to]) */
static int table_move(lua_State *L) {
    lua_Integer first = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3), at = luaL_checkinteger(L, 4);
    int to = lua_isnoneornil(L, 5) ? 1 : 5;
    check_readable(L, 1);
    check_readable(L, to);
    if (last >= first) {
        luaL_argcheck(L, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many elements to move");
        lua_Integer n = last - first + 1;
        luaL_argcheck(L, at <= LUA_MAXINTEGER - n + 1, 4, "destination wrap around");
        if (at > last || at <= first || (to != 1 && !lua_compare(L, 1, to, LUA_OPEQ))) {
            for (lua_Integer i = 0; i < n; i++) {
                move_element(L, 1, first + i, to, at + i);
            }
        } else { /* the ranges overlap: from the end */
            for (lua_Integer i = n; i-- > 0;) {
                move_element(L, 1, first + i, to, at + i);
            }
        }
    }
    lua_pushvalue(L, to);
    return 1;
}

static void add_element(lua_State *L, luaL_Buffer *b, lua_Integer i) {
    engine_charge(L, ELEMENT_CHARGE);
    lua_geti(L, 1, i);
    if (lua_type(L, -1) == LUA_TNUMBER) {
        sandbox_text(L, -1, NULL);
        lua_remove(L, -2);
    } else if (lua_type(L, -1) != LUA_TSTRING) {
        luaL_error(L, "invalid value (at index %I) in table for 'concat'", i);
    }
    luaL_addvalue(b);
}

/* table.concat(t [, separator [, first [, last]]]) */
static int table_concat(lua_State *L) {
    luaL_Buffer b;
    size_t length;
    lua_settop(L, 4);
    check_readable(L, 1);
    sandbox_clear_nan_sign(L, 2);
    const char *separator = luaL_optlstring(L, 2, "", &length);
    lua_Integer i = luaL_optinteger(L, 3, 1);
    lua_Integer last = lua_isnil(L, 4) ? checked_length(L) : luaL_checkinteger(L, 4);
    luaL_buffinit(L, &b);
    for (; i < last; i++) {
        add_element(L, &b, i);
        luaL_addlstring(&b, separator, length);
    }
    if (i == last) {
        add_element(L, &b, i);
    }
    luaL_pushresult(&b);
    return 1;
}

/* table.unpack(t [, first [, last]]) */
static int table_unpack(lua_State *L) {
    lua_settop(L, 3);
    lua_Integer first = luaL_optinteger(L, 2, 1);
    lua_Integer last = lua_isnil(L, 3) ? checked_length(L) : luaL_checkinteger(L, 3);
    if (first > last) {
        return 0;
    }
    uint64_t count = (uint64_t)last - (uint64_t)first;
    if (count >= INT_MAX || !lua_checkstack(L, (int)(count + 1))) {
        return luaL_error(L, "too many results to unpack");
    }
    for (uint64_t i = 0; i <= count; i++) {
        engine_charge(L, ELEMENT_CHARGE);
        lua_geti(L, 1, first + (lua_Integer)i);
    }
    return (int)count + 1;
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
        engine_charge(L, ELEMENT_CHARGE);
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
        move_element(L, 1, i, 3, i);
    }
    int from = 3, to = 4;
    for (lua_Integer width = 1; width < n; width *= 2) {
        for (lua_Integer low = 1; low <= n; low += 2 * width) {
            lua_Integer middle = low + width <= n ? low + width : n + 1;
            lua_Integer high = middle + width <= n ? middle + width : n + 1;
            merge(L, from, to, low, middle, high);
        }
        from = from == 3 ? 4 : 3;
        to = to == 3 ? 4 : 3;
    }
    for (lua_Integer i = 1; i <= n; i++) {
        move_element(L, from, i, 1, i);
    }
    return 0;
}

static const struct engine_function table_functions[] = {
    {"insert", table_insert, "", ENGINE_ANY},
    {"remove", table_remove, "", ENGINE_ANY},
    {"move", table_move, "", ENGINE_ANY},
    {"concat", table_concat, "", ENGINE_ANY},
    {"unpack", table_unpack, "", ENGINE_ANY},
    {"sort", table_sort, "", ENGINE_ANY},
    {NULL, NULL, NULL, 0},
};

void sandbox_open_table(lua_State *L) {
    lua_getglobal(L, "table");
    engine_add_functions(L, table_functions);
    lua_pop(L, 1);
}
