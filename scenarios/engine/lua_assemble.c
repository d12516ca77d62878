/* The Lua face of the assembler (isa/assembler.h). */
#include "isa/assembler.h"

#include <stdio.h>
#include <string.h>

#include "scenarios/engine/engine_internal.h"

enum { SOURCE_MOST_BYTES = 4 << 20, CHARGE_PER_CALL = 100, CHARGE_PER_BYTE = 20, COPIES_MOST = 1000 };

/* The assembly, and what the assembler needs while it works; owned by the userdata. */
struct assembled {
    struct assembly assembly;
    struct engine *engine;
    unsigned copies;
};

/* COPY reads under the same rule as the scenario itself. */
static bool read_copy(void *self, const char *path, struct bytes *to, struct error *e) {
    struct assembled *a = self;
    if (++a->copies > COPIES_MOST) {
        return error_set(e, ERROR_INPUT, "more than %d files are copied in", COPIES_MOST);
    }
    return files_read(a->engine, path, SOURCE_MOST_BYTES, to, e);
}

/* The host's memory that it holds, so that it counts in the scenario's budget. */
static size_t held_bytes(const struct assembly *a) {
    return a->image.capacity + a->listing.capacity + a->symbol_count * (sizeof *a->symbols + 16);
}

static int assembly_gc(lua_State *L) {
    struct assembled *a = lua_touserdata(L, 1);
    a->engine->lua_bytes -= held_bytes(&a->assembly);
    assembly_fini(&a->assembly);
    a->assembly = (struct assembly){0};
    return 0;
}

/* Raises the summary and, in the lines below it, the diagnostics. */
static int raise_diagnostics(lua_State *L, const struct assembly *a, const struct error *e) {
    luaL_where(L, 1);
    lua_pushstring(L, e->text);
    struct bytes *text = engine_scratch(L);
    assembly_print_diagnostics(a, text);
    while (text->length && text->data[text->length - 1] == '\n') {
        text->length--;
    }
    engine_push_scratch(L, text);
    if (lua_rawlen(L, -1)) {
        lua_pushliteral(L, "\n");
        lua_insert(L, -2);
        lua_concat(L, 4);
    } else {
        lua_pop(L, 1);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int assemble_text(lua_State *L, const char *name, const char *source, size_t length) {
    struct engine *engine = engine_of(L);
    struct error e = ERROR_CLEAR;
    engine_charge(L, CHARGE_PER_CALL + (uint64_t)length * CHARGE_PER_BYTE);
    struct assembled *a = lua_newuserdatauv(L, sizeof *a, 0);
    *a = (struct assembled){.engine = engine};
    luaL_setmetatable(L, CLASS_ASSEMBLY);
    struct assembler_options options = {.read_file = read_copy, .self = a, .listing = true};
    bool ok = assemble(&a->assembly, name, source, length, &options, &e);
    engine->lua_bytes += held_bytes(&a->assembly);
    if (!ok) {
        return raise_diagnostics(L, &a->assembly, &e);
    }
    if (engine->lua_bytes > engine->options.budgets.lua_bytes) {
        lua_gc(L, LUA_GCCOLLECT);
    }
    return 1;
}

static int assemble_file_lua(lua_State *L) {
    const char *path = arguments_file(L, 1, "assemble.file: the path");
    struct error e = ERROR_CLEAR;
    char found[4096];
    lua_settop(L, 1);
    struct bytes *source = engine_scratch(L);
    if (!files_find(engine_of(L), path, found, sizeof found, &e) ||
        !files_read(engine_of(L), found, SOURCE_MOST_BYTES, source, &e)) {
        return luaL_error(L, "assemble.file: %s", e.text);
    }
    return assemble_text(L, found, source->data ? (const char *)source->data : "", source->length);
}

static int assemble_string_lua(lua_State *L) {
    size_t length;
    const char *source = arguments_text(L, 1, "assemble.string: the source", &length);
    const char *name = lua_isnoneornil(L, 2) ? "source" : arguments_text(L, 2, "assemble.string: the name", NULL);
    lua_settop(L, 2);
    return assemble_text(L, name, source, length);
}

/* --- the assembly as a Lua object --------------------------------------------------------------------------------- */

const struct assembly *lua_to_assembly(lua_State *L, int index) {
    struct assembled *a = luaL_testudata(L, index, CLASS_ASSEMBLY);
    return a ? &a->assembly : NULL;
}

static const struct assembly *check_assembly(lua_State *L, const char *what) {
    const struct assembly *a = lua_to_assembly(L, 1);
    if (!a) {
        arguments_refuse(L, 1, what, "what assemble.file or assemble.string returned");
    }
    return a;
}

static int assembly_listing(lua_State *L) {
    const struct assembly *a = check_assembly(L, "assembly:listing");
    lua_pushlstring(L, a->listing.data ? (const char *)a->listing.data : "", a->listing.length);
    return 1;
}

static int assembly_warnings(lua_State *L) {
    const struct assembly *a = check_assembly(L, "assembly:warnings");
    struct bytes *text = engine_scratch(L);
    assembly_print_diagnostics(a, text);
    engine_push_scratch(L, text);
    return 1;
}

const struct engine_function assemble_functions[] = {
    {"file", assemble_file_lua, "file(path): assembles a source file beside the scenario", 1},
    {"string", assemble_string_lua, "string(source, name): assembles a text", 2},
    {NULL, NULL, NULL, 0},
};

const struct engine_function assembly_methods[] = {
    {"listing", assembly_listing, "the listing", 0},
    {"warnings", assembly_warnings, "the warnings, a line each", 0},
    {NULL, NULL, NULL, 0},
};

static int assembly_index(lua_State *L) {
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) {
        return 1;
    }
    const struct assembly *a = check_assembly(L, "assembly");
    if (!strcmp(name, "image")) {
        lua_pushlstring(L, a->image.data ? (const char *)a->image.data : "", a->image.length);
    } else if (!strcmp(name, "origin")) {
        lua_pushinteger(L, a->origin);
    } else if (!strcmp(name, "entry")) {
        if (a->has_entry) {
            lua_pushinteger(L, a->entry);
        } else {
            lua_pushnil(L);
        }
    } else if (!strcmp(name, "symbols")) {
        lua_createtable(L, 0, (int)a->symbol_count);
        for (size_t i = 0; i < a->symbol_count; i++) {
            lua_pushinteger(L, a->symbols[i].value);
            lua_setfield(L, -2, a->symbols[i].name);
        }
    } else {
        return luaL_error(L, "an assembly has no field %s; it has image, origin, entry, symbols, and methods",
                          *name ? name : luaL_typename(L, 2));
    }
    return 1;
}

void lua_open_assemble(lua_State *L) {
    engine_new_class(L, CLASS_ASSEMBLY, (const struct engine_function *const[]){assembly_methods, NULL}, assembly_index,
                     NULL, assembly_gc, NULL);
    lua_newtable(L);
    engine_add_functions(L, assemble_functions);
    lua_setglobal(L, "assemble");
}
