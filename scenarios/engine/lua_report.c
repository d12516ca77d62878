/* Reports and chance: tables for people, and named random streams of the run's seed. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "scenarios/engine/engine_internal.h"
#include "scenarios/engine/units.h"

#define CLASS_RANDOM "cloud370.random stream"

enum { COLUMNS_MOST = 32, ROWS_MOST = 10000, WIDTH_MOST = 1000, CELL_CHARGE = 20 };

/* --- tables ------------------------------------------------------------------------------------------------------- */

/* Characters of UTF-8 text. */
static size_t width_of(const char *text, size_t length) {
    size_t width = 0;
    for (size_t i = 0; i < length; i++) {
        width += ((unsigned char)text[i] & 0xC0) != 0x80;
    }
    return width;
}

/* Pushes the text of a cell; whole numbers in groups of three. */
static const char *cell_text(lua_State *L, int index, size_t *length) {
    if (lua_isnil(L, index)) {
        lua_pushliteral(L, "");
    } else if (lua_isinteger(L, index)) {
        char text[32];
        lua_Integer n = lua_tointeger(L, index);
        units_grouped(text, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
        lua_pushfstring(L, "%s%s", n < 0 ? "-" : "", text);
    } else {
        sandbox_text(L, index, NULL);
    }
    return lua_tolstring(L, -1, length);
}

struct layout {
    int columns;
    size_t width[COLUMNS_MOST];
    bool is_number[COLUMNS_MOST]; /* all cells below the header are */
};

/* Pushes row r of the table at stack 1: 0 is the header. False: there is none. */
static bool push_row(lua_State *L, lua_Integer r) {
    if (r == 0) {
        lua_getfield(L, 1, "header");
    } else {
        lua_rawgeti(L, 1, r);
    }
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return false;
    }
    if (!lua_istable(L, -1)) {
        arguments_refuse(L, -1, "table_print: a row", "a table of cells");
    }
    return true;
}

static void measure_row(lua_State *L, lua_Integer r, struct layout *layout) {
    if (!push_row(L, r)) {
        return;
    }
    int cells = (int)lua_rawlen(L, -1);
    if (cells > COLUMNS_MOST) {
        luaL_error(L, "table_print: at most %d columns", COLUMNS_MOST);
    }
    layout->columns = cells > layout->columns ? cells : layout->columns;
    for (int c = 0; c < cells; c++) {
        size_t length;
        engine_charge(L, CELL_CHARGE);
        lua_rawgeti(L, -1, c + 1);
        layout->is_number[c] &= r == 0 || lua_type(L, -1) == LUA_TNUMBER || lua_isnil(L, -1);
        const char *text = cell_text(L, -1, &length);
        size_t width = width_of(text, length);
        width = width < WIDTH_MOST ? width : WIDTH_MOST;
        layout->width[c] = width > layout->width[c] ? width : layout->width[c];
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
}

static void add_spaces(struct bytes *line, size_t n) {
    for (size_t i = 0; i < n; i++) {
        bytes_append(line, " ", 1);
    }
}

static void print_row(lua_State *L, lua_Integer r, const struct layout *layout) {
    if (!push_row(L, r)) {
        return;
    }
    int row = lua_gettop(L);
    struct bytes *line = engine_scratch(L);
    for (int c = 0; c < layout->columns; c++) {
        size_t length;
        lua_rawgeti(L, row, c + 1);
        const char *text = cell_text(L, -1, &length);
        size_t width = width_of(text, length); /* a __tostring may say something else this time */
        size_t pad = layout->width[c] > width ? layout->width[c] - width : 0;
        add_spaces(line, (c ? 2 : 0) + (layout->is_number[c] ? pad : 0));
        bytes_append(line, text, length);
        add_spaces(line, layout->is_number[c] || c == layout->columns - 1 ? 0 : pad);
        lua_pop(L, 2);
    }
    bytes_append(line, "\n", 1);
    engine_push_scratch(L, line);
    size_t length;
    const char *text = lua_tolstring(L, -1, &length);
    engine_print(L, text, length);
    lua_settop(L, row - 1);
}

/* table_print{ header = {...}, {...}, {...} } */
static int table_print(lua_State *L) {
    struct layout layout = {0};
    lua_settop(L, 1);
    if (!lua_istable(L, 1)) {
        return arguments_refuse(L, 1, "table_print: the argument", "a table of rows, {header = {...}, {...}, ...}");
    }
    lua_Integer rows = (lua_Integer)lua_rawlen(L, 1);
    if (rows > ROWS_MOST) {
        return luaL_error(L, "table_print: at most %d rows", ROWS_MOST);
    }
    memset(layout.is_number, true, sizeof layout.is_number);
    for (lua_Integer r = 0; r <= rows; r++) {
        measure_row(L, r, &layout);
    }
    for (lua_Integer r = 0; r <= rows; r++) {
        print_row(L, r, &layout);
        if (r == 0 && push_row(L, 0)) {
            size_t width = 0;
            for (int c = 0; c < layout.columns; c++) {
                width += layout.width[c] + (c ? 2 : 0);
            }
            lua_pop(L, 1);
            struct bytes *line = engine_scratch(L);
            for (size_t i = 0; i < width && i < WIDTH_MOST; i++) {
                bytes_append(line, "-", 1);
            }
            bytes_append(line, "\n", 1);
            engine_push_scratch(L, line);
            engine_print_plain(L, lua_tostring(L, -1));
            lua_pop(L, 1);
        }
    }
    return 0;
}

/* hex(n [, digits]): upper case; six digits, an address, by default. */
static int hex_lua(lua_State *L) {
    lua_Integer n = arguments_integer(L, 1, "hex: the number", LUA_MININTEGER, LUA_MAXINTEGER);
    int digits = lua_isnoneornil(L, 2) ? 6 : (int)arguments_integer(L, 2, "hex: the digits", 1, 16);
    char text[24];
    snprintf(text, sizeof text, "%0*llX", digits, (unsigned long long)n);
    lua_pushstring(L, text);
    return 1;
}

static int grouped_lua(lua_State *L) {
    lua_settop(L, 1);
    arguments_integer(L, 1, "grouped: the number", LUA_MININTEGER, LUA_MAXINTEGER);
    lua_pushinteger(L, lua_tointeger(L, 1));
    cell_text(L, -1, NULL);
    return 1;
}

/* --- random streams ----------------------------------------------------------------------------------------------- */

static int random_new(lua_State *L) {
    const char *name = arguments_text(L, 1, "random.new: the name of the stream", NULL);
    struct random *stream = lua_newuserdatauv(L, sizeof *stream, 0);
    random_init(stream, engine_of(L)->options.seed, name);
    luaL_setmetatable(L, CLASS_RANDOM);
    return 1;
}

static struct random *check_stream(lua_State *L, const char *what) {
    struct random *stream = luaL_testudata(L, 1, CLASS_RANDOM);
    if (!stream) {
        arguments_refuse(L, 1, what, "a random stream (is the : of a method call missing?)");
    }
    return stream;
}

static int random_below_lua(lua_State *L) {
    struct random *stream = check_stream(L, "r:below");
    lua_Integer n = arguments_integer(L, 2, "r:below: the bound", 1, LUA_MAXINTEGER);
    lua_pushinteger(L, (lua_Integer)random_below(stream, (uint64_t)n));
    return 1;
}

static int random_between_lua(lua_State *L) {
    struct random *stream = check_stream(L, "r:between");
    lua_Integer low = arguments_integer(L, 2, "r:between: low", LUA_MININTEGER, LUA_MAXINTEGER);
    lua_Integer high = arguments_integer(L, 3, "r:between: high", low, LUA_MAXINTEGER);
    uint64_t span = (uint64_t)high - (uint64_t)low + 1;
    uint64_t drawn = span ? random_below(stream, span) : random_u64(stream);
    lua_pushinteger(L, (lua_Integer)((uint64_t)low + drawn));
    return 1;
}

static int random_number_lua(lua_State *L) {
    lua_pushnumber(L, ldexp((double)(random_u64(check_stream(L, "r:number")) >> 11), -53));
    return 1;
}

static int random_bytes_lua(lua_State *L) {
    struct random *stream = check_stream(L, "r:bytes");
    lua_Integer n = arguments_integer(L, 2, "r:bytes: the number", 0, 1 << 24);
    luaL_Buffer b;
    engine_charge(L, (uint64_t)n);
    char *to = luaL_buffinitsize(L, &b, (size_t)n);
    for (lua_Integer i = 0; i < n; i++) {
        to[i] = (char)random_below(stream, 256);
    }
    luaL_pushresultsize(&b, (size_t)n);
    return 1;
}

/* --- opening ------------------------------------------------------------------------------------------------------ */

const struct engine_function report_functions[] = {
    {"table_print", table_print, "table_print{header={...}, {...}, ...}: aligned columns, numbers to the right", 1},
    {"hex", hex_lua, "hex(n, digits): hexadecimal text, six digits by default", 2},
    {"grouped", grouped_lua, "grouped(n): 1,234,567", 1},
    {NULL, NULL, NULL, 0},
};

const struct engine_function random_functions[] = {
    {"new", random_new, "new(name): the stream of this name, from the run's seed", 1},
    {NULL, NULL, NULL, 0},
};

const struct engine_function random_methods[] = {
    {"below", random_below_lua, "below(n): a whole number from 0 to n-1", 1},
    {"between", random_between_lua, "between(low, high): a whole number, both included", 2},
    {"number", random_number_lua, "number(): from 0 up to, not including, 1", 0},
    {"bytes", random_bytes_lua, "bytes(n): a text of n random bytes", 1},
    {NULL, NULL, NULL, 0},
};

void lua_open_report(lua_State *L) {
    engine_new_class(L, CLASS_RANDOM, (const struct engine_function *const[]){random_methods, NULL}, NULL, NULL, NULL,
                     NULL);
    lua_pushglobaltable(L);
    engine_add_functions(L, report_functions);
    lua_newtable(L);
    engine_add_functions(L, random_functions);
    lua_setfield(L, -2, "random");
    lua_pop(L, 1);
}
