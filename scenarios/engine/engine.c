/* The engine's life: the Lua state with its allocator and hook, budgets, the run itself, and how errors come out. */
#include "scenarios/engine/engine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lualib.h>

#include "scenarios/engine/engine_internal.h"
#include "scenarios/engine/units.h"

enum {
    HOOK_INSTRUCTIONS = 100, /* between two looks at the budget */
    BYTES_PER_CHARGE = 32,   /* bytes allocated or printed that count as one instruction */
    SCENARIO_MOST_BYTES = 4 << 20,
};

#define CLASS_SCRATCH "cloud370.scratch"

/* --- budgets ------------------------------------------------------------------------------------------------------ */

/* Lua's allocator: counts, and refuses beyond the budget. Allocation is charged as time too: it stands for the work of
 * library functions that build long results without executing an instruction. */
static void *allocate(void *self, void *block, size_t old, size_t wanted) {
    struct engine *engine = self;
    old = block ? old : 0; /* for a new block Lua passes its type */
    if (wanted == 0) {
        engine->lua_bytes -= old;
        free(block);
        return NULL;
    }
    if (wanted > old) {
        if (engine->lua_bytes - old + wanted > engine->options.budgets.lua_bytes) {
            /* Lua will collect everything and ask again: a scenario that lives at its limit pays for that. */
            engine->lua_used += engine->lua_bytes / BYTES_PER_CHARGE;
            return NULL;
        }
        engine->lua_used += (wanted - old) / BYTES_PER_CHARGE;
    }
    void *moved = realloc(block, wanted);
    if (!moved) {
        return wanted <= old ? block : NULL;
    }
    engine->lua_bytes += wanted - old;
    return moved;
}

/* Passing on thousands of variable arguments takes long, but few instructions. */
static void charge_arguments(lua_State *L, lua_Debug *activation) {
    for (int n = 512; n < 1 << 24 && lua_getlocal(L, activation, -n); n *= 2) {
        lua_pop(L, 1);
        engine_charge(L, (uint64_t)n);
    }
}

static void hook(lua_State *L, lua_Debug *activation) {
    engine_charge(L, HOOK_INSTRUCTIONS);
    charge_arguments(L, activation);
}

void engine_restore_hook(struct engine *engine) { lua_sethook(engine->L, hook, LUA_MASKCOUNT, HOOK_INSTRUCTIONS); }

int engine_raise_end(lua_State *L) {
    /* Every instruction from now on, so that not one of a handler's gets through. */
    lua_sethook(L, hook, LUA_MASKCOUNT, 1);
    lua_pushlightuserdata(L, engine_of(L)); /* needs no memory */
    return lua_error(L);
}

int engine_expire(lua_State *L, enum error_kind kind, const char *format, ...) {
    struct engine *engine = engine_of(L);
    if (!engine->expired) {
        char text[sizeof engine->end.text];
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
        error_set(&engine->end, kind, "%s", text);
        engine->expired = true;
    }
    return engine_raise_end(L);
}

void engine_charge(lua_State *L, uint64_t n) {
    struct engine *engine = engine_of(L);
    uint64_t most = engine->options.budgets.lua_instructions;
    if (engine->expired) {
        engine_raise_end(L);
    }
    engine->lua_used = n > UINT64_MAX - engine->lua_used ? UINT64_MAX : engine->lua_used + n;
    if (engine->lua_used > most) {
        char text[32];
        units_grouped(text, most);
        engine_expire(L, ERROR_BUDGET, "the scenario used up its budget of %s Lua instructions", text);
    }
    if (engine->options.interrupted && engine->options.interrupted(engine->options.self)) {
        engine_expire(L, ERROR_BUDGET, "interrupted");
    }
}

/* --- output ------------------------------------------------------------------------------------------------------- */

static void put(lua_State *L, const char *text, size_t length) {
    struct engine *engine = engine_of(L);
    if (length > engine->options.budgets.output_bytes - engine->printed_bytes) {
        char most[24];
        units_size_text(most, engine->options.budgets.output_bytes);
        engine_expire(L, ERROR_BUDGET, "the scenario used up its budget of %s of output", most);
    }
    engine->printed_bytes += length;
    engine->lua_used += length / BYTES_PER_CHARGE;
    if (engine->options.output && length) {
        engine->options.output(engine->options.self, text, length);
    }
}

void engine_print(lua_State *L, const char *text, size_t length) {
    size_t start = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        bool is_control = (c < 0x20 && c != '\n' && c != '\t') || c == 0x7F;
        bool is_control_of_latin1 = c == 0xC2 && i + 1 < length && ((unsigned char)text[i + 1] & 0xE0) == 0x80;
        if (is_control || is_control_of_latin1) {
            put(L, text + start, i - start);
            put(L, ".", 1);
            i += is_control_of_latin1;
            start = i + 1;
        }
    }
    put(L, text + start, length - start);
}

void engine_print_plain(lua_State *L, const char *text) { put(L, text, strlen(text)); }

static int free_scratch(lua_State *L) {
    bytes_fini(lua_touserdata(L, 1));
    return 0;
}

struct bytes *engine_scratch(lua_State *L) {
    struct bytes *scratch = lua_newuserdatauv(L, sizeof *scratch, 0);
    *scratch = (struct bytes){0};
    luaL_setmetatable(L, CLASS_SCRATCH);
    return scratch;
}

void engine_push_scratch(lua_State *L, struct bytes *scratch) {
    if (scratch->failed) {
        luaL_error(L, "not enough memory");
    }
    lua_pushlstring(L, scratch->data ? (const char *)scratch->data : "", scratch->length);
    bytes_fini(scratch); /* early: the collector does not see how much it holds */
    lua_remove(L, -2);
}

/* --- the state ---------------------------------------------------------------------------------------------------- */

/* The function of a row, given no more than it takes. */
static int call_row(lua_State *L) {
    const struct engine_function *row = lua_touserdata(L, lua_upvalueindex(1));
    int object = (int)lua_tointeger(L, lua_upvalueindex(2)), count = lua_gettop(L) - object;
    if (count > row->most) {
        return luaL_error(L, "%s takes %d argument%s, not %d", row->name, row->most, row->most == 1 ? "" : "s", count);
    }
    return row->function(L);
}

static void add_functions(lua_State *L, const struct engine_function *functions, bool methods) {
    for (; functions->name; functions++) {
        if (functions->most == ENGINE_ANY) {
            lua_pushcfunction(L, functions->function);
        } else {
            lua_pushlightuserdata(L, (void *)(uintptr_t)functions);
            lua_pushinteger(L, methods);
            lua_pushcclosure(L, call_row, 2);
        }
        lua_setfield(L, -2, functions->name);
    }
}

void engine_add_functions(lua_State *L, const struct engine_function *functions) { add_functions(L, functions, false); }

void engine_new_class(lua_State *L, const char *name, const struct engine_function *const *methods, lua_CFunction index,
                      lua_CFunction newindex, lua_CFunction gc, lua_CFunction text) {
    luaL_newmetatable(L, name);
    lua_newtable(L);
    for (; methods && *methods; methods++) {
        add_functions(L, *methods, true);
    }
    if (index) { /* finds methods in its upvalue */
        lua_pushcclosure(L, index, 1);
    }
    lua_setfield(L, -2, "__index");
    const struct {
        const char *name;
        lua_CFunction function;
    } rest[] = {{"__newindex", newindex}, {"__gc", gc}, {"__tostring", text}};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) {
        if (rest[i].function) {
            lua_pushcfunction(L, rest[i].function);
            lua_setfield(L, -2, rest[i].name);
        }
    }
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

const struct engine_table engine_tables[] = {
    {"", base_functions},
    {"machine", machine_functions},
    {"m", machine_methods},
    {"m", state_methods},
    {"m", operator_methods},
    {"m", history_methods},
    {"m", story_methods},
    {"m.cpu[n]", cpu_methods},
    {"m.console", console_methods},
    {"m.printer", printer_methods},
    {"m.reader", reader_methods},
    {"m.disk", disk_methods},
    {"vmm", vmm_functions},
    {"v", vmm_methods},
    {"vmm", property_functions},
    {"m", property_machine_methods},
    {"v", property_monitor_methods},
    {"v:resources()", resources_methods},
    {"vmm", isomorphism_functions},
    {"vmm.follow{}", follower_methods},
    {"assemble", assemble_functions},
    {"assembly", assembly_methods},
    {"", classify_functions},
    {"", check_functions},
    {"expect(x)", expect_methods},
    {"", report_functions},
    {"", lab_functions},
    {"random", random_functions},
    {"r", random_methods},
    {NULL, NULL},
};

bool engine_help(size_t i, const char **where, const char **name, const char **help) {
    for (const struct engine_table *t = engine_tables; t->functions; t++) {
        for (const struct engine_function *f = t->functions; f->name; f++) {
            if (i-- == 0) {
                *where = t->where;
                *name = f->name;
                *help = f->help;
                return true;
            }
        }
    }
    return false;
}

static void set_arguments(lua_State *L, const struct engine_options *options) {
    lua_createtable(L, (int)options->argument_count, 0);
    for (unsigned i = 0; i < options->argument_count; i++) {
        lua_pushstring(L, options->arguments[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setglobal(L, "args");
    lua_pushinteger(L, (lua_Integer)options->seed);
    lua_setglobal(L, "seed");
}

/* Runs protected: everything here can run out of memory. */
static int open_everything(lua_State *L) {
    static const luaL_Reg libraries[] = {
        {LUA_GNAME, luaopen_base},
        {LUA_COLIBNAME, luaopen_coroutine},
        {LUA_TABLIBNAME, luaopen_table},
        {LUA_STRLIBNAME, luaopen_string},
        {LUA_MATHLIBNAME, luaopen_math},
        {LUA_UTF8LIBNAME, luaopen_utf8},
        {NULL, NULL},
    };
    for (const luaL_Reg *library = libraries; library->name; library++) {
        luaL_requiref(L, library->name, library->func, true);
        lua_pop(L, 1);
    }
    engine_new_class(L, CLASS_SCRATCH, NULL, NULL, NULL, free_scratch, NULL);
    sandbox_open_base(L);
    sandbox_open_string(L);
    sandbox_open_table(L);
    objects_open(L);
    lua_open_machine(L);
    lua_open_cpu(L);
    lua_open_devices(L);
    lua_open_vmm(L);
    lua_open_properties(L);
    lua_open_isomorphism(L);
    lua_open_assemble(L);
    lua_open_classify(L);
    lua_open_check(L);
    lua_open_report(L);
    lua_open_lab(L);
    set_arguments(L, &engine_of(L)->options);
    return 0;
}

static void fill_budgets(struct engine_budgets *b) {
    b->lua_instructions = b->lua_instructions ? b->lua_instructions : UINT64_C(500000000);
    b->lua_bytes = b->lua_bytes ? b->lua_bytes : UINT64_C(256) << 20;
    b->machine_instructions = b->machine_instructions ? b->machine_instructions : UINT64_C(2000000000);
    b->storage_bytes = b->storage_bytes ? b->storage_bytes : UINT64_C(4) << 30;
    b->output_bytes = b->output_bytes ? b->output_bytes : UINT64_C(64) << 20;
}

struct engine *engine_new(const struct engine_options *options, struct error *e) {
    struct engine *engine = calloc(1, sizeof *engine);
    if (!engine) {
        error_set(e, ERROR_INTERNAL, "out of memory");
        return NULL;
    }
    engine->options = *options;
    engine->subscription = -1;
    fill_budgets(&engine->options.budgets);
    engine->trace = trace_new();
    engine->queue = events_new();
    engine->L = lua_newstate(allocate, engine);
    if (!engine->trace || !engine->queue || !engine->L) {
        error_set(e, ERROR_INTERNAL, "out of memory");
        engine_free(engine);
        return NULL;
    }
    *(struct engine **)lua_getextraspace(engine->L) = engine;
    lua_pushcfunction(engine->L, open_everything);
    if (lua_pcall(engine->L, 0, 0, 0) != LUA_OK) {
        error_set(e, ERROR_BUDGET, "the memory budget is too small to begin with");
        engine_free(engine);
        return NULL;
    }
    if (options->trace_path) {
        engine->writer = trace_writer_open(engine->trace, (1u << TRACE_KIND_COUNT) - 1, options->trace_path, e);
        if (!engine->writer) {
            engine_free(engine);
            return NULL;
        }
    }
    engine_restore_hook(engine);
    return engine;
}

void engine_free(struct engine *engine) {
    if (!engine) {
        return;
    }
    if (engine->L) {
        lua_sethook(engine->L, NULL, 0, 0);
        lua_close(engine->L);
    }
    objects_free_all(engine);
    if (engine->writer) {
        trace_writer_close(engine->writer, NULL);
    }
    for (size_t i = 0; i < engine->check_count; i++) {
        free((char *)engine->checks[i].name);
        free((char *)engine->checks[i].message);
    }
    free(engine->checks);
    lab_free(engine);
    events_free(engine->queue);
    trace_free(engine->trace);
    free(engine->folder);
    free(engine);
}

bool engine_finish(struct engine *engine, struct error *e) {
    struct trace_writer *writer = engine->writer;
    engine->writer = NULL;
    return !writer || trace_writer_close(writer, e);
}

/* --- running ------------------------------------------------------------------------------------------------------ */

/* An error becomes text where it was raised; the end of the run stays what it is. */
static int keep_error(lua_State *L) {
    if (!engine_of(L)->expired && lua_type(L, 1) != LUA_TSTRING) {
        if (luaL_getmetafield(L, 1, "__tostring") == LUA_TNIL) {
            lua_pushfstring(L, "the scenario raised %s instead of a message", luaL_typename(L, 1));
        } else {
            sandbox_text(L, 1, NULL);
        }
    }
    return 1;
}

/* "file:12: what" becomes "what (file:12)", the form of all our errors. Lines after the first are details. */
static void take_error(struct engine *engine, const char *text, size_t length, struct error *e) {
    const char *end = memchr(text, '\n', length), *colon = text;
    size_t first = end ? (size_t)(end - text) : length;
    if (end && engine->options.detail) {
        engine->options.detail(engine->options.self, end + 1, length - first - 1);
        engine->options.detail(engine->options.self, "\n", 1);
    }
    while ((colon = memchr(colon, ':', first - (size_t)(colon - text)))) {
        const char *digit = colon + 1;
        while (digit < text + first && *digit >= '0' && *digit <= '9') {
            digit++;
        }
        if (digit > colon + 1 && digit + 1 < text + first && digit[0] == ':' && digit[1] == ' ') {
            const char *what = digit + 2;
            error_set(e, ERROR_INPUT, "%.*s (%.*s)", (int)(first - (size_t)(what - text)), what, (int)(digit - text),
                      text);
            return;
        }
        colon++;
    }
    error_set(e, ERROR_INPUT, "%.*s", (int)first, text);
}

static bool take_outcome(struct engine *engine, int status, struct error *e) {
    lua_State *L = engine->L;
    if (engine->expired) {
        if (e) {
            *e = engine->end;
        }
        return false;
    }
    if (status == LUA_ERRMEM) {
        char most[24];
        units_size_text(most, engine->options.budgets.lua_bytes);
        return error_set(e, ERROR_BUDGET, "the scenario used up its budget of %s of Lua memory", most);
    }
    if (status != LUA_OK) {
        size_t length = 0;
        const char *text = lua_tolstring(L, -1, &length);
        take_error(engine, text ? text : "an error without a message", text ? length : 26, e);
        if (engine->faulted && e) {
            e->kind = ERROR_INTERNAL;
        }
        return false;
    }
    return true;
}

struct chunk {
    const char *name, *text;
    size_t length;
};

/* Runs protected: stack 1 is the chunk. */
static int run_chunk(lua_State *L) {
    const struct chunk *chunk = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lua_pushcfunction(L, keep_error);
    const char *name = lua_pushfstring(L, "@%s", chunk->name);
    int status = luaL_loadbufferx(L, chunk->text, chunk->length, name, "t");
    if (status == LUA_OK) {
        status = lua_pcall(L, 0, 0, 1);
    }
    if (status != LUA_OK) {
        return engine_of(L)->expired ? engine_raise_end(L) : lua_error(L);
    }
    check_print_summary(L);
    return 0;
}

bool engine_run_text(struct engine *engine, const char *name, const char *text, size_t length, struct error *e) {
    struct chunk chunk = {name, text, length};
    const char *slash = strrchr(name, '/');
    lua_State *L = engine->L;
    free(engine->folder);
    engine->folder = slash ? strndup(name, (size_t)(slash - name) + 1) : strdup("");
    if (!engine->folder) {
        return error_set(e, ERROR_INTERNAL, "out of memory");
    }
    lua_settop(L, 0);
    lua_pushcfunction(L, run_chunk);
    lua_pushlightuserdata(L, &chunk);
    return take_outcome(engine, lua_pcall(L, 1, 0, 0), e);
}

bool engine_run_file(struct engine *engine, const char *path, struct error *e) {
    struct bytes text = {0};
    bool ok = bytes_read_file(&text, path, SCENARIO_MOST_BYTES, e);
    if (ok) {
        /* A first line for the shell, #!…, is no Lua; its newline stays, so that lines keep their numbers. */
        size_t skip = 0;
        while (text.length && text.data[0] == '#' && skip < text.length && text.data[skip] != '\n') {
            skip++;
        }
        ok = engine_run_text(engine, path, text.length ? (const char *)text.data + skip : "", text.length - skip, e);
    }
    bytes_fini(&text);
    return ok;
}

void engine_results(const struct engine *engine, struct engine_results *to) {
    *to = (struct engine_results){.check_count = engine->check_count,
                                  .checks = engine->checks,
                                  .lua_instructions = engine->lua_used,
                                  .machine_instructions = engine->machine_used};
    for (size_t i = 0; i < engine->check_count; i++) {
        to->failed_count += !engine->checks[i].passed;
        to->points += engine->checks[i].points;
        to->most += engine->checks[i].most;
    }
}
