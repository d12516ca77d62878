/* Checks and expectations: what a scenario says must hold, and the verdict.
 *
 * check(name, points, function) calls the function; it passes when no expectation in it fails and nothing is raised.
 * expect(x).equals(y) and its like raise inside a check, which ends it there; outside of any they are noted as failed
 * checks of their own, and the scenario goes on. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/engine_internal.h"

#define CLASS_EXPECTATION "cloud370.expectation"

enum { CHECKS_MOST = 100000, DEEPEST = 50 };

/* --- the list of checks ------------------------------------------------------------------------------------------- */

/* Adds a check that has not passed yet. */
static struct engine_check *add_check(lua_State *L, const char *name, double most) {
    struct engine *engine = engine_of(L);
    if (engine->check_count >= CHECKS_MOST) {
        engine_expire(L, ERROR_BUDGET, "more than %d checks", CHECKS_MOST);
    }
    if (engine->check_count == engine->check_room) {
        size_t room = engine->check_room ? 2 * engine->check_room : 16;
        struct engine_check *larger = realloc(engine->checks, room * sizeof *larger);
        if (!larger) {
            luaL_error(L, "not enough memory");
        }
        engine->checks = larger;
        engine->check_room = room;
    }
    struct engine_check *check = &engine->checks[engine->check_count];
    *check = (struct engine_check){.name = strdup(name), .most = most, .message = strdup("")};
    if (!check->name || !check->message) {
        free((char *)check->name);
        free((char *)check->message);
        luaL_error(L, "not enough memory");
    }
    engine->check_count++;
    engine->lua_used += strlen(name);
    return check;
}

static void set_message(lua_State *L, struct engine_check *check, const char *message) {
    char *copy = strdup(message);
    if (!copy) {
        luaL_error(L, "not enough memory");
    }
    free((char *)check->message);
    check->message = copy;
}

/* "10", or "2.5". */
static const char *points_text(char to[32], double points) {
    snprintf(to, 32, "%.10g", points);
    return to;
}

static void print_verdict(lua_State *L, const struct engine_check *check) {
    bool color = engine_of(L)->options.color;
    char got[32], most[32];
    engine_print_plain(L, check->passed ? (color ? "\033[32mok  \033[0m  " : "ok    ")
                                        : (color ? "\033[31mFAIL\033[0m  " : "FAIL  "));
    engine_print(L, check->name, strlen(check->name));
    if (check->most > 0) {
        engine_print_plain(L, lua_pushfstring(L, "  (%s of %s points)", points_text(got, check->points),
                                              points_text(most, check->most)));
        lua_pop(L, 1);
    }
    engine_print_plain(L, "\n");
    if (*check->message) {
        engine_print_plain(L, "      ");
        engine_print(L, check->message, strlen(check->message));
        engine_print_plain(L, "\n");
    }
}

void check_print_summary(lua_State *L) {
    struct engine_results results;
    char got[32], most[32];
    engine_results(engine_of(L), &results);
    if (results.check_count == 0) {
        return;
    }
    lua_pushfstring(L, "%I check%s: %I passed, %I failed", (lua_Integer)results.check_count,
                    results.check_count == 1 ? "" : "s", (lua_Integer)(results.check_count - results.failed_count),
                    (lua_Integer)results.failed_count);
    if (results.most > 0) {
        lua_pushfstring(L, "; %s of %s points", points_text(got, results.points), points_text(most, results.most));
        lua_concat(L, 2);
    }
    lua_pushliteral(L, "\n");
    lua_concat(L, 2);
    engine_print_plain(L, lua_tostring(L, -1));
    lua_pop(L, 1);
}

/* --- check -------------------------------------------------------------------------------------------------------- */

/* A message handler's result: text, whatever was raised. */
static int describe_error(lua_State *L) {
    if (engine_of(L)->expired || lua_type(L, 1) == LUA_TSTRING) {
        return 1;
    }
    sandbox_text(L, 1, NULL);
    return 1;
}

/* check(name, [points,] function) */
static int check_lua(lua_State *L) {
    struct engine *engine = engine_of(L);
    const char *name = arguments_text(L, 1, "check: the name", NULL);
    double points = 0;
    int function = 2;
    if (!lua_isfunction(L, 2)) {
        points = lua_type(L, 2) == LUA_TNUMBER ? lua_tonumber(L, 2) : -1;
        if (!(points >= 0 && points <= 1e6)) {
            return arguments_refuse(L, 2, "check: the points", "a number of 0 or more, or the function");
        }
        function = 3;
    }
    if (!lua_isfunction(L, function)) {
        return arguments_refuse(L, function, "check: what is to be done", "a function");
    }
    if (engine->in_check) {
        return luaL_error(L, "check: not inside another check");
    }
    lua_settop(L, function);
    size_t place = engine->check_count;
    add_check(L, name, points);
    lua_pushcfunction(L, describe_error);
    lua_insert(L, function);
    engine->in_check = 1;
    int status = lua_pcall(L, 0, 0, function);
    engine->in_check = 0;
    if (engine->expired) {
        return engine_raise_end(L);
    }
    struct engine_check *check = &engine->checks[place];
    if (status == LUA_OK) {
        check->passed = true;
        check->points = check->most;
    } else {
        const char *message = lua_tostring(L, -1);
        set_message(L, check, message ? message : "an error without a message");
    }
    print_verdict(L, check);
    lua_pushboolean(L, check->passed);
    return 1;
}

/* --- expect ------------------------------------------------------------------------------------------------------- */

/* expect(x): the value is user value 1; `negated` after .not_ */
struct expectation {
    bool negated;
};

/* Appends the value to a message: short, on one line, recognisable. */
static void add_value(lua_State *L, struct bytes *to, int index, int depth) {
    enum { TEXT_MOST = 120, ITEMS_MOST = 8 };
    index = lua_absindex(L, index);
    size_t length;
    if (lua_type(L, index) == LUA_TSTRING) {
        const char *text = lua_tolstring(L, index, &length);
        size_t shown = length < TEXT_MOST ? length : TEXT_MOST;
        bytes_append(to, "\"", 1);
        for (size_t i = 0; i < shown; i++) {
            unsigned char c = (unsigned char)text[i];
            if (c == '\n') {
                bytes_append(to, "\\n", 2);
            } else if (c < 0x20 || c == 0x7F) {
                bytes_printf(to, "\\x%02X", c);
            } else {
                bytes_append(to, &c, 1);
            }
        }
        bytes_printf(to, shown < length ? "\"... (%zu bytes)" : "\"", length);
    } else if (lua_type(L, index) == LUA_TTABLE && depth < 3 && !luaL_getmetafield(L, index, "__tostring")) {
        int count = 0;
        bytes_append(to, "{", 1);
        for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, index) && count < ITEMS_MOST; i++, count++) {
            lua_rawgeti(L, index, i);
            bytes_append(to, ", ", i > 1 ? 2 : 0);
            add_value(L, to, -1, depth + 1);
            lua_pop(L, 1);
        }
        bytes_printf(to, "%s}", lua_rawlen(L, index) > ITEMS_MOST ? ", ..." : count ? "" : "...");
    } else {
        lua_settop(L, lua_gettop(L));
        const char *text = sandbox_text(L, index, &length);
        bytes_append(to, text, length < TEXT_MOST ? length : TEXT_MOST);
        lua_pop(L, 1);
    }
}

/* Equal values; tables by their contents. */
static bool is_equal(lua_State *L, int a, int b, int depth) {
    a = lua_absindex(L, a);
    b = lua_absindex(L, b);
    if (lua_compare(L, a, b, LUA_OPEQ)) {
        return true;
    }
    if (lua_type(L, a) != LUA_TTABLE || lua_type(L, b) != LUA_TTABLE) {
        return false;
    }
    if (depth > DEEPEST) {
        luaL_error(L, "expect: the tables are nested too deeply to be compared");
    }
    luaL_checkstack(L, 8, "comparing tables");
    lua_Integer left = 0;
    for (lua_pushnil(L); lua_next(L, a); lua_pop(L, 1)) {
        left++;
        engine_charge(L, 5);
        lua_pushvalue(L, -2);
        lua_rawget(L, b);
        bool equal = is_equal(L, -2, -1, depth + 1);
        lua_pop(L, 1);
        if (!equal) {
            lua_pop(L, 2);
            return false;
        }
    }
    for (lua_pushnil(L); lua_next(L, b); lua_pop(L, 1)) {
        left--;
    }
    return left == 0;
}

/* A matcher finds the value at stack 1, and its arguments from 2 on; `says` is what comes after "expected X to". */
typedef bool matcher_function(lua_State *L);

static bool equals(lua_State *L) { return is_equal(L, 1, 2, 0); }

static bool contains(lua_State *L) {
    if (lua_type(L, 1) == LUA_TSTRING) {
        size_t length, part_length;
        const char *text = lua_tolstring(L, 1, &length);
        const char *part = arguments_text(L, 2, "contains: what is looked for", &part_length);
        engine_charge(L, length / 64);
        return memmem(text, length, part, part_length) != NULL;
    }
    if (lua_type(L, 1) != LUA_TTABLE) {
        arguments_refuse(L, 1, "contains: the value", "a text or a table");
    }
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        engine_charge(L, 5);
        if (is_equal(L, -1, 2, 0)) {
            return true;
        }
    }
    return false;
}

static bool matches(lua_State *L) {
    arguments_text(L, 1, "matches: the value", NULL);
    arguments_text(L, 2, "matches: the pattern", NULL);
    return sandbox_matches(L, 1, 2);
}

static bool is_true(lua_State *L) { return lua_toboolean(L, 1); }
static bool is_false(lua_State *L) { return !lua_toboolean(L, 1); }
static bool is_nil(lua_State *L) { return lua_isnil(L, 1); }

/* Refuses to compare what is not two numbers or two texts. */
static void check_ordered(lua_State *L, int index, const char *what) {
    int type = lua_type(L, 1);
    if (type != LUA_TNUMBER && type != LUA_TSTRING) {
        arguments_refuse(L, 1, what, "a number or a text");
    }
    if (lua_type(L, index) != type) {
        arguments_refuse(L, index, what, type == LUA_TNUMBER ? "a number" : "a text");
    }
}

static bool at_least(lua_State *L) {
    check_ordered(L, 2, "at_least");
    return lua_compare(L, 2, 1, LUA_OPLE);
}

static bool at_most(lua_State *L) {
    check_ordered(L, 2, "at_most");
    return lua_compare(L, 1, 2, LUA_OPLE);
}

static bool between(lua_State *L) {
    check_ordered(L, 2, "between");
    check_ordered(L, 3, "between");
    return lua_compare(L, 2, 1, LUA_OPLE) && lua_compare(L, 1, 3, LUA_OPLE);
}

static bool is_near(lua_State *L) {
    for (int i = 1; i <= 3; i++) {
        if (lua_type(L, i) != LUA_TNUMBER) {
            arguments_refuse(L, i, "is_near(value, tolerance)", "numbers");
        }
    }
    return fabs(lua_tonumber(L, 1) - lua_tonumber(L, 2)) <= lua_tonumber(L, 3);
}

static const struct {
    const char *name, *says;
    int arguments;
    matcher_function *function;
} matchers[] = {
    {"equals", "equal", 1, equals},           {"contains", "contain", 1, contains},
    {"matches", "match", 1, matches},         {"is_true", "be true", 0, is_true},
    {"is_false", "be false", 0, is_false},    {"is_nil", "be nil", 0, is_nil},
    {"at_least", "be at least", 1, at_least}, {"at_most", "be at most", 1, at_most},
    {"between", "be between", 2, between},    {"is_near", "be near", 2, is_near},
};
enum { MATCHERS = sizeof matchers / sizeof *matchers };

/* Raises, or outside of a check notes, that an expectation failed; the message is on the top of the stack. */
static int fail_expectation(lua_State *L) {
    struct engine *engine = engine_of(L);
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
    if (engine->in_check) {
        return lua_error(L);
    }
    struct engine_check *check = add_check(L, "an expectation outside of a check", 0);
    set_message(L, check, lua_tostring(L, -1));
    print_verdict(L, check);
    lua_pushboolean(L, false);
    return 1;
}

/* The matcher's closure. Upvalues: the expectation, the matcher's number. */
static int apply_matcher(lua_State *L) {
    int number = (int)lua_tointeger(L, lua_upvalueindex(2));
    struct expectation *expectation = lua_touserdata(L, lua_upvalueindex(1));
    if (lua_rawequal(L, 1, lua_upvalueindex(1))) {
        lua_remove(L, 1); /* written with a colon */
    }
    int wanted = matchers[number].arguments;
    if (lua_gettop(L) != wanted) {
        return luaL_error(L, "expect(x).%s takes %d argument%s, not %d", matchers[number].name, wanted,
                          wanted == 1 ? "" : "s", lua_gettop(L));
    }
    lua_getiuservalue(L, lua_upvalueindex(1), 1);
    lua_insert(L, 1);
    lua_settop(L, wanted + 1);
    if (matchers[number].function(L) != expectation->negated) {
        lua_pushboolean(L, true);
        return 1;
    }
    lua_settop(L, wanted + 1);
    struct bytes *text = engine_scratch(L);
    bytes_printf(text, "expected ");
    add_value(L, text, 1, 0);
    bytes_printf(text, "%s to %s", expectation->negated ? " not" : "", matchers[number].says);
    for (int i = 0; i < wanted; i++) {
        bytes_printf(text, i ? (number == MATCHERS - 1 ? " within " : " and ") : " ");
        add_value(L, text, i + 2, 0);
    }
    engine_push_scratch(L, text);
    return fail_expectation(L);
}

static int push_expectation(lua_State *L, bool negated) {
    struct expectation *expectation = lua_newuserdatauv(L, sizeof *expectation, 1);
    expectation->negated = negated;
    luaL_setmetatable(L, CLASS_EXPECTATION);
    lua_insert(L, -2);
    lua_setiuservalue(L, -2, 1);
    return 1;
}

static int expect_lua(lua_State *L) {
    lua_settop(L, 1);
    return push_expectation(L, false);
}

static int expectation_index(lua_State *L) {
    struct expectation *expectation = luaL_checkudata(L, 1, CLASS_EXPECTATION);
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    if (!strcmp(name, "not_")) {
        lua_getiuservalue(L, 1, 1);
        return push_expectation(L, !expectation->negated);
    }
    for (int i = 0; i < MATCHERS; i++) {
        if (!strcmp(matchers[i].name, name)) {
            lua_pushvalue(L, 1);
            lua_pushinteger(L, i);
            lua_pushcclosure(L, apply_matcher, 2);
            return 1;
        }
    }
    struct bytes *list = engine_scratch(L);
    for (int i = 0; i < MATCHERS; i++) {
        bytes_printf(list, "%s, ", matchers[i].name);
    }
    bytes_printf(list, "not_");
    engine_push_scratch(L, list);
    return luaL_error(L, "expect(x) has no %s; it has %s", *name ? name : luaL_typename(L, 2), lua_tostring(L, -1));
}

const struct engine_function check_functions[] = {
    {"check", check_lua, "check(name, points, function): passes when every expectation in it holds", 3},
    {"expect", expect_lua, "expect(x): followed by a matcher, expect(x).equals(3)", 1},
    {NULL, NULL, NULL, 0},
};

/* For help only: matchers are found by expectation_index. */
const struct engine_function expect_methods[] = {
    {"equals", NULL, "equals(y): the same value; tables by their contents", ENGINE_ANY},
    {"contains", NULL, "contains(y): a text holds this part, a table this value", ENGINE_ANY},
    {"matches", NULL, "matches(pattern): a text matches a Lua pattern", ENGINE_ANY},
    {"is_true", NULL, "is_true(): neither false nor nil", ENGINE_ANY},
    {"is_false", NULL, "is_false(): false or nil", ENGINE_ANY},
    {"is_nil", NULL, "is_nil()", ENGINE_ANY},
    {"at_least", NULL, "at_least(y)", ENGINE_ANY},
    {"at_most", NULL, "at_most(y)", ENGINE_ANY},
    {"between", NULL, "between(low, high): both included", ENGINE_ANY},
    {"is_near", NULL, "is_near(y, tolerance)", ENGINE_ANY},
    {"not_", NULL, "expect(x).not_.equals(y): the opposite", ENGINE_ANY},
    {NULL, NULL, NULL, 0},
};

void lua_open_check(lua_State *L) {
    engine_new_class(L, CLASS_EXPECTATION, NULL, expectation_index, NULL, NULL, NULL);
    lua_pushglobaltable(L);
    engine_add_functions(L, check_functions);
    lua_pop(L, 1);
}
