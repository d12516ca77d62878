/* The basic library made safe and repeatable.
 *
 * Safe: no chunk but text, no file but beside the scenario, no finalizers (the collector runs them with hooks off), and
 * no way to catch the end of the run: pcall, xpcall, resume and close look whether the engine has expired. Repeatable:
 * tostring shows no host addresses, pairs and next go in a fixed order, math.random draws from the seed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "scenarios/engine/engine_internal.h"

enum {
    CLOSE_DEPTH = 50,
    MODULE_MOST_BYTES = 1 << 20,
    RESUME_CHARGE = 50,
    LOAD_CHARGE = 50,
    INTEGER_TEXT_CHARGE = 5, /* a number made into text */
    FLOAT_TEXT_CHARGE = 30,
};

/* Registry keys. */
#define NUMBERS "cloud370.numbers" /* weak table: object -> its number in tostring */
#define MODULES "cloud370.modules" /* name -> what require returned */

/* --- wrapping the library's functions ----------------------------------------------------------------------------- */

int sandbox_call_original(lua_State *L) {
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

void sandbox_wrap(lua_State *L, const struct sandbox_wrapper *wrappers) {
    for (; wrappers->name; wrappers++) {
        lua_getfield(L, -1, wrappers->name);
        lua_pushcclosure(L, wrappers->function, 1);
        lua_setfield(L, -2, wrappers->name);
    }
}

/* --- text of values ----------------------------------------------------------------------------------------------- */

/* Pushes a number for the object at `index`: 1 for the first one that was ever shown, and so on. */
static void push_number(lua_State *L, int index) {
    index = lua_absindex(L, index);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, NUMBERS);
    lua_pushvalue(L, index);
    if (lua_rawget(L, -2) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_getfield(L, LUA_REGISTRYINDEX, NUMBERS "!");
        lua_Integer next = lua_tointeger(L, -1) + 1;
        lua_pop(L, 1);
        lua_pushinteger(L, next);
        lua_setfield(L, LUA_REGISTRYINDEX, NUMBERS "!");
        lua_pushvalue(L, index);
        lua_pushinteger(L, next);
        lua_rawset(L, -3);
        lua_pushinteger(L, next);
    }
    lua_remove(L, -2);
}

void sandbox_clear_nan_sign(lua_State *L, int index) {
    if (lua_type(L, index) == LUA_TNUMBER && isnan(lua_tonumber(L, index))) {
        index = lua_absindex(L, index);
        lua_pushnumber(L, copysign(NAN, 1));
        lua_replace(L, index);
    }
}

const char *sandbox_text(lua_State *L, int index, size_t *length) {
    index = lua_absindex(L, index);
    int type = lua_type(L, index);
    if (type == LUA_TNUMBER) {
        engine_charge(L, lua_isinteger(L, index) ? INTEGER_TEXT_CHARGE : FLOAT_TEXT_CHARGE);
        lua_pushvalue(L, index);
        sandbox_clear_nan_sign(L, -1);
        return lua_tolstring(L, -1, length);
    }
    if (type == LUA_TNIL || type == LUA_TBOOLEAN || type == LUA_TSTRING) {
        return luaL_tolstring(L, index, length);
    }
    if (luaL_callmeta(L, index, "__tostring")) {
        if (!lua_isstring(L, -1)) {
            luaL_error(L, "'__tostring' must return a string");
        }
        return lua_tolstring(L, -1, length);
    }
    lua_pushstring(L, lua_typename(L, type));
    push_number(L, index);
    lua_pushfstring(L, "%s: %d", lua_tostring(L, -2), (int)lua_tointeger(L, -1));
    lua_replace(L, -3);
    lua_pop(L, 1);
    return lua_tolstring(L, -1, length);
}

static int base_tostring(lua_State *L) {
    luaL_checkany(L, 1);
    sandbox_text(L, 1, NULL);
    return 1;
}

static int base_print(lua_State *L) {
    int count = lua_gettop(L);
    for (int i = 1; i <= count; i++) {
        size_t length;
        const char *text = sandbox_text(L, i, &length);
        if (i > 1) {
            engine_print_plain(L, "\t");
        }
        engine_print(L, text, length);
        lua_pop(L, 1);
    }
    engine_print_plain(L, "\n");
    return 0;
}

/* --- protected calls ---------------------------------------------------------------------------------------------- */

/* Message handlers run where the error was raised, for a hook's error with hooks off: after the end, none is called. */
static int guarded_handler(lua_State *L) {
    if (!engine_of(L)->expired) {
        lua_settop(L, 1);
        lua_pushvalue(L, lua_upvalueindex(1));
        lua_insert(L, 1);
        lua_call(L, 1, 1);
    }
    return 1;
}

/* After an error Lua walks over all calls that are still active, to see how much stack they need. */
static void charge_depth(lua_State *L) {
    lua_Debug activation;
    for (int level = 64; level < 1 << 24 && lua_getstack(L, level, &activation); level *= 2) {
        engine_charge(L, (uint64_t)level / 2);
    }
}

static int finish_call(lua_State *L, int status, lua_KContext below) {
    if (engine_of(L)->expired) {
        return engine_raise_end(L);
    }
    if (status != LUA_OK && status != LUA_YIELD) {
        charge_depth(L);
        lua_pushboolean(L, false);
        lua_pushvalue(L, -2);
        return 2;
    }
    return lua_gettop(L) - (int)below;
}

static int base_pcall(lua_State *L) {
    luaL_checkany(L, 1);
    lua_pushboolean(L, true);
    lua_insert(L, 1);
    return finish_call(L, lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, finish_call), 0);
}

/* xpcall(f, handler, ...) */
static int base_xpcall(lua_State *L) {
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, guarded_handler, 1);
    lua_replace(L, 2);        /* f, handler, arguments */
    lua_pushboolean(L, true); /* the first result */
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2); /* f, handler, true, f, arguments */
    return finish_call(L, lua_pcallk(L, lua_gettop(L) - 4, LUA_MULTRET, 2, 2, finish_call), 2);
}

/* --- chunks ------------------------------------------------------------------------------------------------------- */

/* load(text [, name [, mode [, env]]]): text only. */
static int base_load(lua_State *L) {
    size_t length;
    const char *text = arguments_text(L, 1, "load: the chunk", &length);
    const char *name = luaL_optstring(L, 2, "=(load)");
    bool has_environment = !lua_isnone(L, 4);
    engine_charge(L, length + LOAD_CHARGE);
    if (luaL_loadbufferx(L, text, length, name, "t") != LUA_OK) {
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    if (has_environment) {
        lua_pushvalue(L, 4);
        if (!lua_setupvalue(L, -2, 1)) {
            lua_pop(L, 1);
        }
    }
    return 1;
}

/* require(name): the Lua text NAME.lua beside the scenario; dots are folders. */
static int base_require(lua_State *L) {
    struct engine *engine = engine_of(L);
    const char *name = arguments_text(L, 1, "require: the module", NULL);
    struct error e = ERROR_CLEAR;
    char relative[200], path[4096];
    lua_settop(L, 1);
    if (strlen(name) > 150 ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") != strlen(name) ||
        strstr(name, "..")) {
        return arguments_refuse(L, 1, "require: the module", "letters, digits, _ and single dots");
    }
    luaL_getsubtable(L, LUA_REGISTRYINDEX, MODULES);
    if (lua_getfield(L, 2, name) != LUA_TNIL) {
        return 1;
    }
    lua_pop(L, 1);
    snprintf(relative, sizeof relative, "%s.lua", name);
    for (char *c = relative; c < relative + strlen(name); c++) {
        *c = *c == '.' ? '/' : *c;
    }
    struct bytes *text = engine_scratch(L);
    if (!files_find(engine, relative, path, sizeof path, &e) ||
        !files_read(engine, path, MODULE_MOST_BYTES, text, &e)) {
        return luaL_error(L, "require: %s", e.text);
    }
    engine_charge(L, text->length);
    const char *chunk = lua_pushfstring(L, "@%s", path);
    if (luaL_loadbufferx(L, (const char *)text->data, text->length, chunk, "t") != LUA_OK) {
        return lua_error(L);
    }
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    if (lua_isnil(L, -1)) {
        lua_pushboolean(L, true);
    }
    lua_pushvalue(L, -1);
    lua_setfield(L, 2, name);
    return 1;
}

/* --- metatables and iteration ------------------------------------------------------------------------------------- */

static int base_setmetatable(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    if (!lua_isnil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL) {
            return luaL_error(L, "setmetatable: scenarios have no finalizers (__gc); use __close");
        }
    }
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) {
        return luaL_error(L, "cannot change a protected metatable");
    }
    lua_settop(L, 2);
    lua_setmetatable(L, 1);
    return 1;
}

/* Order of keys: numbers, texts, false, true, objects. Objects have no order among themselves. */
static int rank_of(lua_State *L, int index) {
    switch (lua_type(L, index)) {
    case LUA_TNUMBER: return 0;
    case LUA_TSTRING: return 1;
    case LUA_TBOOLEAN: return 2 + lua_toboolean(L, index);
    default: return 4;
    }
}

struct key {
    int rank;
    bool is_integer;
    lua_Integer integer;
    lua_Number number;
    const char *text;
    size_t length;
    lua_Integer place;
};

static void take_key(lua_State *L, int index, struct key *k) {
    *k = (struct key){.rank = rank_of(L, index)};
    if (k->rank == 0) {
        k->is_integer = lua_isinteger(L, index);
        k->integer = k->is_integer ? lua_tointeger(L, index) : 0;
        k->number = lua_tonumber(L, index);
    } else if (k->rank == 1) {
        k->text = lua_tolstring(L, index, &k->length);
    }
}

/* -1, 0, 1. A float that is a key is never a whole number in the range of integers, so comparing as floats decides,
 * except among integers. */
static int compare_keys(const void *left, const void *right) {
    const struct key *a = left, *b = right;
    if (a->rank != b->rank) {
        return a->rank < b->rank ? -1 : 1;
    }
    if (a->rank == 0) {
        if (a->is_integer && b->is_integer) {
            return a->integer < b->integer ? -1 : a->integer > b->integer;
        }
        return a->number < b->number ? -1 : a->number > b->number;
    }
    if (a->rank == 1) {
        int order = memcmp(a->text, b->text, a->length < b->length ? a->length : b->length);
        return order ? (order < 0 ? -1 : 1) : a->length < b->length ? -1 : a->length > b->length;
    }
    return 0;
}

static int refuse_objects(lua_State *L, const char *who) {
    return luaL_error(L,
                      "%s: a table with several tables, functions or objects as keys has no fixed order; "
                      "keep them in an array",
                      who);
}

/* The keys' snapshot is upvalue 1, the place reached upvalue 2. */
static int step_pairs(lua_State *L) {
    lua_Integer place = lua_tointeger(L, lua_upvalueindex(2));
    lua_settop(L, 1);
    for (;;) {
        lua_rawgeti(L, lua_upvalueindex(1), ++place);
        if (lua_isnil(L, 2)) {
            return 1;
        }
        lua_pushvalue(L, 2);
        if (lua_rawget(L, 1) != LUA_TNIL) { /* not removed since */
            lua_pushinteger(L, place);
            lua_replace(L, lua_upvalueindex(2));
            return 2;
        }
        lua_settop(L, 1);
    }
}

static int base_pairs(lua_State *L) {
    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
        lua_pushvalue(L, 1);
        lua_call(L, 1, 3);
        return 3;
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_newtable(L); /* 2: keys as they come */
    lua_Integer count = 0, objects = 0;
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        objects += rank_of(L, -1) == 4;
        lua_rawseti(L, 2, ++count);
    }
    if (objects > 1) {
        return refuse_objects(L, "pairs");
    }
    engine_charge(L, (uint64_t)count * 4);
    struct key *keys = lua_newuserdatauv(L, (size_t)(count + 1) * sizeof *keys, 0); /* 3 */
    for (lua_Integer i = 0; i < count; i++) {
        lua_rawgeti(L, 2, i + 1);
        take_key(L, -1, &keys[i]);
        keys[i].place = i + 1;
        lua_pop(L, 1);
    }
    qsort(keys, (size_t)count, sizeof *keys, compare_keys);
    lua_createtable(L, (int)(count < INT32_MAX ? count : 0), 0); /* 4: keys in order */
    for (lua_Integer i = 0; i < count; i++) {
        lua_rawgeti(L, 2, keys[i].place);
        lua_rawseti(L, 4, i + 1);
    }
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, step_pairs, 2);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

/* The least key greater than the given one; looks at the whole table. */
static int base_next(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    struct key after, best, key;
    bool has_after = !lua_isnil(L, 2), found = false;
    lua_Integer count = 0, objects = 0;
    if (has_after) {
        take_key(L, 2, &after);
    }
    lua_pushnil(L); /* 3: the best so far */
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        take_key(L, -2, &key);
        count++;
        objects += key.rank == 4;
        if ((!has_after || compare_keys(&key, &after) > 0) && (!found || compare_keys(&key, &best) < 0)) {
            found = true;
            best = key;
            lua_pushvalue(L, -2);
            lua_replace(L, 3);
        }
    }
    engine_charge(L, (uint64_t)count);
    if (objects > 1) {
        return refuse_objects(L, "next");
    }
    lua_settop(L, 3);
    if (!found) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushvalue(L, 3);
    lua_rawget(L, 1);
    return 2;
}

/* --- coroutines --------------------------------------------------------------------------------------------------- */

static lua_State *check_thread(lua_State *L) {
    lua_State *thread = lua_tothread(L, 1);
    luaL_argexpected(L, thread, 1, "coroutine");
    return thread;
}

/* Resumes with the `count` values on the top of L; leaves results, or one error, on L and returns how many, or -1. */
static int resume(lua_State *L, lua_State *thread, int count) {
    int results, status;
    /* A thread's hook counts anew, so a short coroutine would run for nothing. */
    engine_charge(L, RESUME_CHARGE);
    if (!lua_checkstack(thread, count)) {
        lua_pushliteral(L, "too many arguments to resume");
        return -1;
    }
    lua_xmove(L, thread, count);
    status = lua_resume(thread, L, count, &results);
    if (engine_of(L)->expired) {
        engine_raise_end(L);
    }
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_xmove(thread, L, 1);
        return -1;
    }
    if (!lua_checkstack(L, results + 1)) {
        lua_pop(thread, results);
        lua_pushliteral(L, "too many results to resume");
        return -1;
    }
    lua_xmove(thread, L, results);
    return results;
}

/* Closes what a coroutine has to close. Lua 5.4 does not count the host's stack that nested closings take. */
static int close_thread(lua_State *L, lua_State *thread) {
    struct engine *engine = engine_of(L);
    if (engine->close_depth >= CLOSE_DEPTH) {
        return luaL_error(L, "coroutines close one another too deeply");
    }
    engine->close_depth++;
    int status = lua_resetthread(thread);
    engine->close_depth--;
    if (engine->expired) {
        return engine_raise_end(L);
    }
    return status;
}

static int coroutine_resume(lua_State *L) {
    lua_State *thread = check_thread(L);
    int results = resume(L, thread, lua_gettop(L) - 1);
    lua_pushboolean(L, results >= 0);
    lua_insert(L, results >= 0 ? -(results + 1) : -2);
    return (results >= 0 ? results : 1) + 1;
}

static int wrapped(lua_State *L) {
    lua_State *thread = lua_tothread(L, lua_upvalueindex(1));
    int results = resume(L, thread, lua_gettop(L));
    if (results >= 0) {
        return results;
    }
    int status = lua_status(thread);
    if (status != LUA_OK && status != LUA_YIELD) {
        /* Its pending variables are closed with the error at hand, and may replace it by their own. */
        lua_pushvalue(L, -1);
        lua_xmove(L, thread, 1);
        if (close_thread(L, thread) != LUA_OK) {
            lua_xmove(thread, L, 1);
        }
    }
    if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int coroutine_create(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *thread = lua_newthread(L); /* inherits the hook */
    lua_pushvalue(L, 1);
    lua_xmove(L, thread, 1);
    return 1;
}

static int coroutine_wrap(lua_State *L) {
    coroutine_create(L);
    lua_pushcclosure(L, wrapped, 1);
    return 1;
}

static int coroutine_close(lua_State *L) {
    lua_State *thread = check_thread(L);
    lua_Debug activation;
    int status = lua_status(thread);
    bool running = thread == L || (status == LUA_OK && lua_getstack(thread, 0, &activation));
    if (running) {
        return luaL_error(L, "cannot close a running coroutine");
    }
    if (close_thread(L, thread) == LUA_OK) {
        lua_pushboolean(L, true);
        return 1;
    }
    lua_pushboolean(L, false);
    lua_xmove(thread, L, 1);
    return 2;
}

/* --- numbers ------------------------------------------------------------------------------------------------------ */

/* math.random in its three forms, from the stream "math.random" (upvalue 1). */
static int math_random(lua_State *L) {
    struct random *stream = lua_touserdata(L, lua_upvalueindex(1));
    lua_Integer low = 1, high;
    switch (lua_gettop(L)) {
    case 0: lua_pushnumber(L, ldexp((double)(random_u64(stream) >> 11), -53)); return 1;
    case 1:
        high = luaL_checkinteger(L, 1);
        if (high == 0) {
            lua_pushinteger(L, (lua_Integer)random_u64(stream));
            return 1;
        }
        break;
    case 2:
        low = luaL_checkinteger(L, 1);
        high = luaL_checkinteger(L, 2);
        break;
    default: return luaL_error(L, "wrong number of arguments");
    }
    luaL_argcheck(L, low <= high, lua_gettop(L), "interval is empty");
    uint64_t span = (uint64_t)high - (uint64_t)low + 1;
    uint64_t drawn = span ? random_below(stream, span) : random_u64(stream);
    lua_pushinteger(L, (lua_Integer)((uint64_t)low + drawn));
    return 1;
}

/* tonumber: numerals can be long. */
static int base_tonumber(lua_State *L) {
    engine_charge(L, lua_type(L, 1) == LUA_TSTRING ? lua_rawlen(L, 1) / 2 : 0);
    return sandbox_call_original(L);
}

/* --- opening ------------------------------------------------------------------------------------------------------ */

const struct engine_function base_functions[] = {
    {"print", base_print, "prints values, separated by tabs", ENGINE_ANY},
    {"tostring", base_tostring, "text of a value; objects are numbered, host addresses never shown", ENGINE_ANY},
    {"pcall", base_pcall, "calls in protected mode; does not catch the end of a budget", ENGINE_ANY},
    {"xpcall", base_xpcall, "the same with a message handler", ENGINE_ANY},
    {"load", base_load, "compiles a text; binary chunks are refused", ENGINE_ANY},
    {"require", base_require, "runs NAME.lua beside the scenario, once", ENGINE_ANY},
    {"setmetatable", base_setmetatable, "sets a metatable; without __gc", ENGINE_ANY},
    {"pairs", base_pairs, "iterates in a fixed order: numbers, texts, booleans", ENGINE_ANY},
    {"next", base_next, "the next key in that order", ENGINE_ANY},
    {NULL, NULL, NULL, 0},
};

static const struct engine_function coroutine_functions[] = {
    {"create", coroutine_create, "", ENGINE_ANY},
    {"resume", coroutine_resume, "", ENGINE_ANY},
    {"wrap", coroutine_wrap, "", ENGINE_ANY},
    {"close", coroutine_close, "", ENGINE_ANY},
    {NULL, NULL, NULL, 0},
};

void sandbox_open_base(lua_State *L) {
    static const char *const forbidden[] = {"dofile", "loadfile", "collectgarbage", "warn"};
    lua_pushglobaltable(L);
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
        lua_pushnil(L);
        lua_setfield(L, -2, forbidden[i]);
    }
    engine_add_functions(L, base_functions);
    sandbox_wrap(L, (const struct sandbox_wrapper[]){{"tonumber", base_tonumber}, {NULL, NULL}});
    lua_getfield(L, -1, "coroutine");
    engine_add_functions(L, coroutine_functions);
    lua_pop(L, 1);
    lua_getfield(L, -1, "math");
    random_init(lua_newuserdatauv(L, sizeof(struct random), 0), engine_of(L)->options.seed, "math.random");
    lua_pushcclosure(L, math_random, 1);
    lua_setfield(L, -2, "random");
    lua_pushnil(L);
    lua_setfield(L, -2, "randomseed");
    lua_pop(L, 2);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, NUMBERS);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}
