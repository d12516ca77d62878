/* Arguments: values from Lua with messages that name the parameter, what it got and what it accepts. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scenarios/engine/engine_internal.h"
#include "scenarios/engine/units.h"

/* What a value that has no short text is: one of our objects by its class, anything else by its type. */
static const char *type_noun(lua_State *L, int index) {
    const char *noun = luaL_typename(L, index), *class;
    if (lua_type(L, index) == LUA_TUSERDATA && luaL_getmetafield(L, index, "__name") == LUA_TSTRING) {
        class = lua_tostring(L, -1); /* the metatable keeps it */
        noun = strchr(class, '.') ? strchr(class, '.') + 1 : class;
        lua_pop(L, 1);
    }
    return noun;
}

const char *arguments_describe(lua_State *L, int index, char *to, size_t size) {
    switch (lua_type(L, index)) {
    case LUA_TNONE:
    case LUA_TNIL: snprintf(to, size, "missing"); break;
    case LUA_TBOOLEAN: snprintf(to, size, "%s", lua_toboolean(L, index) ? "true" : "false"); break;
    case LUA_TNUMBER:
        if (lua_isinteger(L, index)) {
            snprintf(to, size, LUA_INTEGER_FMT, lua_tointeger(L, index));
        } else {
            lua_Number number = lua_tonumber(L, index);
            snprintf(to, size, LUA_NUMBER_FMT, isnan(number) ? copysign(number, 1) : number); /* never "-nan" */
        }
        break;
    case LUA_TSTRING: {
        size_t length;
        const char *text = lua_tolstring(L, index, &length);
        int shown = (int)(length < 40 ? length : 40);
        snprintf(to, size, "\"%.*s%s\"", shown, text, length > 40 ? "..." : "");
        for (char *c = to; *c; c++) {
            *c = (unsigned char)*c < 0x20 ? '.' : *c;
        }
        break;
    }
    default: {
        const char *noun = type_noun(L, index);
        bool plural = noun[strlen(noun) - 1] == 's'; /* registers */
        snprintf(to, size, "%s%s", plural ? "" : strchr("aeiou", *noun) ? "an " : "a ", noun);
    }
    }
    return to;
}

int arguments_refuse(lua_State *L, int index, const char *what, const char *accepts) {
    char got[96];
    arguments_describe(L, index, got, sizeof got);
    return luaL_error(L, "%s is %s; it takes %s", what, got, accepts);
}

lua_Integer arguments_integer(lua_State *L, int index, const char *what, lua_Integer least, lua_Integer most) {
    int is_integer = 0;
    lua_Integer value = lua_type(L, index) == LUA_TNUMBER ? lua_tointegerx(L, index, &is_integer) : 0;
    if (!is_integer || value < least || value > most) {
        char accepts[80];
        if (most == LUA_MAXINTEGER) {
            snprintf(accepts, sizeof accepts, "a whole number of %lld or more", (long long)least);
        } else if (most >= 0x10000 && least >= 0) {
            snprintf(accepts, sizeof accepts, "a whole number from %lld to 0x%llX", (long long)least, (long long)most);
        } else {
            snprintf(accepts, sizeof accepts, "a whole number from %lld to %lld", (long long)least, (long long)most);
        }
        arguments_refuse(L, index, what, accepts);
    }
    return value;
}

uint64_t arguments_size(lua_State *L, int index, const char *what, uint64_t least, uint64_t most) {
    uint64_t value = 0;
    bool ok = false;
    if (lua_type(L, index) == LUA_TSTRING) {
        ok = units_size(lua_tostring(L, index), most, &value);
    } else if (lua_type(L, index) == LUA_TNUMBER) {
        int is_integer;
        lua_Integer number = lua_tointegerx(L, index, &is_integer);
        ok = is_integer && number >= 0;
        value = (uint64_t)number;
    }
    if (!ok || value < least || value > most) {
        char accepts[96], low[24], high[24];
        units_size_text(low, least);
        units_size_text(high, most);
        snprintf(accepts, sizeof accepts, "a size such as \"64K\" or \"2M\", from %s to %s", low, high);
        arguments_refuse(L, index, what, accepts);
    }
    return value;
}

const char *arguments_text(lua_State *L, int index, const char *what, size_t *length) {
    if (lua_type(L, index) != LUA_TSTRING) {
        arguments_refuse(L, index, what, "a text");
    }
    return lua_tolstring(L, index, length);
}

const char *arguments_file(lua_State *L, int index, const char *what) {
    size_t length;
    const char *name = arguments_text(L, index, what, &length);
    if (length == 0 || strlen(name) != length) {
        arguments_refuse(L, index, what, "the name of a file");
    }
    return name;
}

bool arguments_flag(lua_State *L, int index, const char *what) {
    if (!lua_isboolean(L, index)) {
        arguments_refuse(L, index, what, "true or false");
    }
    return lua_toboolean(L, index);
}

enum profile arguments_profile(lua_State *L, int index, const char *what) {
    enum profile profile = PROFILE_S370;
    if (lua_type(L, index) != LUA_TSTRING || !profile_find(lua_tostring(L, index), &profile)) {
        arguments_refuse(L, index, what, "\"s370\" or \"flawed\"");
    }
    return profile;
}

bool arguments_table(lua_State *L, int index, const char *what, const char *const *keys, bool optional) {
    char accepts[200] = "";
    for (const char *const *key = keys; *key; key++) {
        size_t used = strlen(accepts);
        snprintf(accepts + used, sizeof accepts - used, "%s%s", used ? ", " : "", *key);
    }
    if (optional && lua_isnoneornil(L, index)) {
        return false;
    }
    if (!lua_istable(L, index)) {
        char text[240];
        snprintf(text, sizeof text, "a table of options, {%s}", accepts);
        arguments_refuse(L, index, what, text);
    }
    index = lua_absindex(L, index);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        bool known = false;
        for (const char *const *key = keys; *key && lua_type(L, -2) == LUA_TSTRING && !known; key++) {
            known = !strcmp(*key, lua_tostring(L, -2));
        }
        if (!known) {
            char got[96];
            arguments_describe(L, -2, got, sizeof got);
            luaL_error(L, "%s: unknown option %s; there %s %s", what, got, keys[0] && keys[1] ? "are" : "is", accepts);
        }
    }
    return true;
}
