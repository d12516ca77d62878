/* What the watcher of a scenario asks: its machines, their programs and histories, and Lua in the middle of a run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/source_map.h"
#include "scenarios/engine/engine_internal.h"

enum { BUDGET_PART = 100, LEVELS_LOOKED_AT = 20, COLLECT_BYTES = 4 << 20 };
#define CONDITIONS "cloud370.conditions" /* registry key of the table of conditions that were met */

/* --- machines ----------------------------------------------------------------------------------------------------- */

/* Lists hold what was made last first. */
struct machine *engine_machine(const struct engine *engine, size_t n) {
    size_t trees = 0;
    for (const struct tree *t = engine->trees; t; t = t->next) {
        trees++;
    }
    while (trees-- > 0) {
        const struct tree *tree = engine->trees;
        for (size_t i = 0; i < trees; i++) {
            tree = tree->next;
        }
        size_t nodes = 0;
        for (const struct node *node = tree->nodes; node; node = node->next) {
            nodes++;
        }
        if (n >= nodes) {
            n -= nodes;
            continue;
        }
        const struct node *node = tree->nodes;
        for (size_t i = 0; i < nodes - 1 - n; i++) {
            node = node->next;
        }
        return node->machine;
    }
    return NULL;
}

struct node *watch_node(const struct engine *engine, const struct machine *m) {
    for (const struct tree *tree = engine->trees; tree; tree = tree->next) {
        for (struct node *node = tree->nodes; node; node = node->next) {
            if (node->machine == m) {
                return node;
            }
        }
    }
    return NULL;
}

struct trace *engine_trace(const struct engine *engine) {
    return engine->trace;
}

struct history *engine_history(struct engine *engine, struct machine *m, const struct history_options *o,
                               struct error *e) {
    struct node *node = watch_node(engine, m);
    struct tree *tree = node ? node->tree : NULL;
    if (!tree) {
        error_set(e, ERROR_INPUT, "the machine was closed");
        return NULL;
    }
    if (!tree->history) {
        tree->history = history_new(tree->bare, o, e);
        tree->history_watched = tree->history != NULL;
    }
    return tree->history;
}

void engine_again(struct engine *engine, bool again) { engine->again = again; }

/* --- programs ----------------------------------------------------------------------------------------------------- */

void watch_loaded(struct node *node, const struct assembly *a) {
    struct tree *tree = node->tree;
    struct program *program = tree->watched ? calloc(1, sizeof *program) : NULL;
    if (!program) {
        return;
    }
    *program = (struct program){.next = tree->programs, .node = node, .map = source_map_new(a)};
    if (!program->map) {
        free(program);
        return;
    }
    tree->programs = program;
}

void watch_forget(struct tree *tree) {
    const struct engine_watcher *watcher = tree->engine->options.watcher;
    if (watcher && tree->bare) {
        watcher->closing(watcher->self, tree->bare);
    }
    while (tree->programs) {
        struct program *program = tree->programs;
        tree->programs = program->next;
        source_map_free(program->map);
        free(program);
    }
}

const struct source_map *engine_program(const struct engine *engine, const struct machine *m, size_t n) {
    const struct node *node = watch_node(engine, m);
    for (const struct program *p = node ? node->tree->programs : NULL; p; p = p->next) {
        if (p->node == node && n-- == 0) {
            return p->map;
        }
    }
    return NULL;
}

const struct source_map *engine_source(const struct engine *engine, const struct machine *m, uint32_t real) {
    const struct source_map *map = NULL;
    for (size_t n = 0; (map = engine_program(engine, m, n)) && !source_map_has(map, real); n++) {
    }
    return map;
}

/* --- Lua in the middle of a run ----------------------------------------------------------------------------------- */

struct evaluation {
    const char *text;
    struct node *node;
    bool condition;
    struct bytes *to; /* what came out; NULL with `condition` */
    bool holds;
};

/* The environment of a command, upvalue 1 its machine's node: `m`, then the local variables of all functions that are
 * active, the innermost one's first, then what is global. */
static int find_name(lua_State *L) {
    const char *wanted = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    struct node *node = lua_touserdata(L, lua_upvalueindex(1));
    lua_Debug activation;
    if (node && !strcmp(wanted, "m")) {
        objects_push_machine(L, node);
        return 1;
    }
    for (int level = 1; level < LEVELS_LOOKED_AT && lua_getstack(L, level, &activation); level++) {
        const char *name;
        int found = 0;
        for (int n = 1; (name = lua_getlocal(L, &activation, n)); n++) {
            found = strcmp(name, wanted) ? found : n; /* the last of a name hides the others */
            lua_pop(L, 1);
        }
        if (found) {
            lua_getlocal(L, &activation, found);
            return 1;
        }
    }
    lua_pushglobaltable(L);
    lua_pushvalue(L, 2);
    lua_gettable(L, -2);
    return 1;
}

/* What is assigned to a name that is no local one is global. */
static void push_environment(lua_State *L, struct node *node) {
    lua_newtable(L);
    lua_createtable(L, 0, 2);
    lua_pushlightuserdata(L, node);
    lua_pushcclosure(L, find_name, 1);
    lua_setfield(L, -2, "__index");
    lua_pushglobaltable(L);
    lua_setfield(L, -2, "__newindex");
    lua_setmetatable(L, -2);
}

/* Pushes the function; an expression is preferred. */
static int load_text(lua_State *L, const char *text) {
    lua_pushfstring(L, "return %s", text);
    int status = luaL_loadbufferx(L, lua_tostring(L, -1), lua_rawlen(L, -1), "=command", "t");
    lua_remove(L, -2);
    if (status != LUA_OK) {
        lua_pop(L, 1);
        status = luaL_loadbufferx(L, text, strlen(text), "=command", "t");
    }
    return status;
}

/* Pushes the function of the text at this machine. A condition is asked millions of times: it is kept. */
static void push_command(lua_State *L, const struct evaluation *x) {
    luaL_getsubtable(L, LUA_REGISTRYINDEX, CONDITIONS);
    lua_pushfstring(L, "%p %s", (void *)x->node, x->text);
    lua_pushvalue(L, -1);
    if (x->condition && lua_rawget(L, -3) == LUA_TFUNCTION) {
        return;
    }
    lua_pop(L, 1);
    if (load_text(L, x->text) != LUA_OK) {
        lua_error(L);
    }
    push_environment(L, x->node);
    lua_setupvalue(L, -2, 1);
    if (x->condition) {
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, -5);
    }
}

static int evaluate(lua_State *L) {
    struct evaluation *x = lua_touserdata(L, 1);
    luaL_checkstack(L, 50, "a command");
    push_command(L, x);
    lua_replace(L, 1);
    lua_settop(L, 1);
    lua_call(L, 0, LUA_MULTRET);
    if (x->condition) {
        x->holds = lua_gettop(L) && lua_toboolean(L, 1);
        return 0;
    }
    for (int n = 1; n <= lua_gettop(L); n++) {
        size_t length;
        const char *text = sandbox_text(L, n, &length);
        bytes_append(x->to, n > 1 ? "  " : "", n > 1 ? 2 : 0);
        bytes_append(x->to, text, length);
        lua_pop(L, 1);
    }
    return 0;
}

/* The message without its place, which is the command itself. */
static void take_message(lua_State *L, struct error *e) {
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "an error without a message";
    const char *own = "command:1: ";
    if (!strncmp(text, own, strlen(own))) {
        text += strlen(own);
    }
    error_set(e, ERROR_INPUT, "%.*s", (int)strcspn(text, "\n"), text);
}

bool watch_call(struct engine *engine, lua_CFunction function, void *argument, struct error *e) {
    lua_State *L = engine->active ? engine->active : engine->L;
    uint64_t lua_used = engine->lua_used, machine_used = engine->machine_used;
    uint64_t most = engine->options.budgets.lua_instructions;
    if (engine->expired) {
        return error_set(e, ERROR_INPUT, "the scenario has ended: %s", engine->end.text);
    }
    bool evaluating = engine->evaluating;
    engine->evaluating = true;
    engine->lua_used = most - most / BUDGET_PART;
    int top = lua_gettop(L);
    int status = LUA_ERRMEM;
    if (lua_checkstack(L, 4)) {
        lua_pushcfunction(L, function);
        lua_pushlightuserdata(L, argument);
        status = lua_pcall(L, 1, 0, 0);
    }
    if (engine->expired) {
        *e = engine->end;
        engine->expired = false;
        engine->end = ERROR_CLEAR;
        engine_restore_hook(engine);
    } else if (status == LUA_ERRMEM) {
        error_set(e, ERROR_INPUT, "not enough memory for that");
    } else if (status != LUA_OK) {
        take_message(L, e);
    }
    lua_settop(L, top);
    /* Handles are small, their finalizers late: a condition that is asked millions of times would fill memory. */
    if (engine->lua_bytes > engine->collected_bytes + COLLECT_BYTES) {
        lua_gc(L, LUA_GCCOLLECT);
        engine->collected_bytes = engine->lua_bytes;
    }
    engine->evaluating = evaluating;
    engine->lua_used = lua_used;
    engine->machine_used = machine_used;
    return status == LUA_OK;
}

bool engine_evaluate(struct engine *engine, struct machine *m, const char *text, struct bytes *to, struct error *e) {
    struct evaluation x = {.text = text, .node = watch_node(engine, m), .to = to};
    return watch_call(engine, evaluate, &x, e);
}

int engine_condition(struct engine *engine, struct machine *m, const char *text, struct error *e) {
    struct evaluation x = {.text = text, .node = watch_node(engine, m), .condition = true};
    return watch_call(engine, evaluate, &x, e) ? x.holds : -1;
}
