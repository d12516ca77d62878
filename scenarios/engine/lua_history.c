/* The Lua face of a machine's state as a whole: saved, restored, cloned, and taken back (isa/snapshot.h, isa/history.h,
 * vmm/clone.h). On a guest all of these act on the whole tree that it stands in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/snapshot.h"
#include "scenarios/engine/engine_internal.h"
#include "scenarios/engine/units.h"
#include "vmm/clone.h"

#define SNAPSHOT_FILE ".snap"

/* --- files -------------------------------------------------------------------------------------------------------- */

/* What a tree's state may take, in bytes and so in work. */
static uint64_t state_bytes(const struct tree *tree) { return tree->storage_bytes - tree->history_bytes; }

/* The name's end keeps a scenario from writing over sources. */
static const char *check_file(lua_State *L, const char *what) {
    const char *file = arguments_file(L, 2, what);
    size_t length = strlen(file);
    if (length <= strlen(SNAPSHOT_FILE) || strcmp(file + length - strlen(SNAPSHOT_FILE), SNAPSHOT_FILE)) {
        arguments_refuse(L, 2, what, "a name that ends in \"" SNAPSHOT_FILE "\"");
    }
    return file;
}

static void charge_state(lua_State *L, const struct tree *tree) {
    engine_charge(L, state_bytes(tree) / STATE_BYTES_PER_CHARGE);
}

/* What was run again counts as run. */
static void charge_replay(lua_State *L, struct tree *tree) {
    struct engine *engine = tree->engine;
    uint64_t replayed = tree->history ? history_stats(tree->history).replayed : 0;
    uint64_t left = engine->options.budgets.machine_instructions - engine->machine_used;
    uint64_t more = replayed - tree->replayed;
    char most[32];
    tree->replayed = replayed;
    engine->machine_used += more < left ? more : left;
    if (more >= left && more) {
        units_grouped(most, engine->options.budgets.machine_instructions);
        engine_expire(L, ERROR_BUDGET, "the scenario used up its budget of %s simulated instructions", most);
    }
}

static int refuse(lua_State *L, const char *what, const struct error *e) {
    if (e->kind == ERROR_BUDGET) {
        return engine_expire(L, ERROR_BUDGET, "interrupted");
    }
    return luaL_error(L, "%s: %s", what, e->text);
}

static int machine_save_lua(lua_State *L) {
    struct tree *tree = machine_self(L, "m:save")->tree;
    struct error e = ERROR_CLEAR;
    char path[4096];
    bool exists;
    machine_refuse_while_running(L, "m:save");
    const char *file = check_file(L, "m:save: the file");
    engine_count_made(L, state_bytes(tree), "m:save");
    charge_state(L, tree);
    tree->replayed = tree->history ? history_stats(tree->history).replayed : 0;
    bool ok = files_own(tree->engine, file, path, sizeof path, &exists, &e) &&
              (tree->history ? history_save(tree->history, path, &e) : snapshot_save(tree->bare, path, &e));
    charge_replay(L, tree);
    if (!ok) {
        return refuse(L, "m:save", &e);
    }
    lua_settop(L, 1);
    return 1;
}

/* The tree was put into another state: what was told of it does not count any more. */
static void forget_events(struct tree *tree) {
    events_clear(tree->engine->queue);
    for (struct node *node = tree->nodes; node; node = node->next) {
        if (node->story) {
            story_forget(node->story);
        }
    }
}

static int machine_restore_lua(lua_State *L) {
    struct tree *tree = machine_self(L, "m:restore")->tree;
    struct error e = ERROR_CLEAR;
    char path[4096];
    machine_refuse_while_running(L, "m:restore");
    const char *file = arguments_file(L, 2, "m:restore: the file");
    charge_state(L, tree);
    if (!files_find(tree->engine, file, path, sizeof path, &e) || !snapshot_load(tree->bare, path, &e)) {
        return refuse(L, "m:restore", &e);
    }
    for (struct node *node = tree->nodes; node; node = node->next) {
        node->started = machine_started(tree->bare);
    }
    forget_events(tree);
    lua_settop(L, 1);
    return 1;
}

/* --- clones ------------------------------------------------------------------------------------------------------- */

static int machine_clone_lua(lua_State *L) {
    struct node *node = machine_self(L, "m:clone");
    machine_refuse_while_running(L, "m:clone");
    charge_state(L, node->tree);
    struct handle *h = objects_push(L, CLASS_MACHINE);
    objects_push_machine(L, objects_clone(L, h, node)); /* its one handle; h only held the tree until then */
    return 1;
}

/* --- history ------------------------------------------------------------------------------------------------------ */

static bool is_interrupted(void *self) {
    const struct engine *engine = self;
    return engine->options.interrupted && engine->options.interrupted(engine->options.self);
}

static void stop_recording(struct tree *tree) {
    tree->history_watched = false;
    history_free(tree->history);
    tree->history = NULL;
    tree->replayed = 0;
    tree->storage_bytes -= tree->history_bytes;
    tree->engine->storage_bytes -= tree->history_bytes;
    tree->history_bytes = 0;
}

/* m:record{spacing=, memory=}, m:record(false) */
static int machine_record_lua(lua_State *L) {
    static const char *const keys[] = {"spacing", "memory", NULL};
    enum { MEMORY = 256 << 20, MEMORY_LEAST = 64 << 10 };
    struct tree *tree = machine_self(L, "m:record")->tree;
    struct history_options options = {.memory = MEMORY, .interrupted = is_interrupted, .self = tree->engine};
    struct error e = ERROR_CLEAR;
    machine_refuse_while_running(L, "m:record");
    lua_settop(L, 2);
    if (lua_isboolean(L, 2) && !lua_toboolean(L, 2)) {
        stop_recording(tree);
        lua_settop(L, 1);
        return 1;
    }
    if (arguments_table(L, 2, "m:record: the argument", keys, true)) {
        if (lua_getfield(L, 2, "spacing") != LUA_TNIL) {
            options.spacing = (uint64_t)arguments_integer(L, -1, "m:record: spacing", 1000, LUA_MAXINTEGER);
        }
        if (lua_getfield(L, 2, "memory") != LUA_TNIL) {
            options.memory = (size_t)arguments_size(L, -1, "m:record: memory", MEMORY_LEAST, (uint64_t)1 << 32);
        }
    }
    charge_state(L, tree);
    if (tree->history_watched) {
        stop_recording(tree);
    }
    if (!tree->history) {
        objects_make_room(L, options.memory, "m:record");
    }
    struct history *history = history_new(tree->bare, &options, &e);
    if (!history) {
        return refuse(L, "m:record", &e);
    }
    tree->history = history;
    tree->history_bytes = options.memory;
    tree->storage_bytes += options.memory;
    tree->engine->storage_bytes += options.memory;
    lua_settop(L, 1);
    return 1;
}

/* The tree of a machine whose history is kept. */
static struct tree *recorded(lua_State *L, const char *what) {
    struct tree *tree = machine_self(L, what)->tree;
    machine_refuse_while_running(L, what);
    if (!tree->history) {
        luaL_error(L, "%s: the machine keeps no history; m:record() begins one", what);
    }
    charge_state(L, tree);
    tree->replayed = history_stats(tree->history).replayed; /* less what a watcher did */
    return tree;
}

static int moved(lua_State *L, struct tree *tree, bool ok, const char *what, const struct error *e) {
    charge_replay(L, tree);
    if (!ok) {
        return refuse(L, what, e);
    }
    forget_events(tree);
    lua_settop(L, 1);
    return 1;
}

static int machine_back_lua(lua_State *L) {
    struct tree *tree = recorded(L, "m:back");
    struct machine *m = machine_self(L, "m:back")->machine;
    struct error e = ERROR_CLEAR;
    lua_Integer steps = lua_isnoneornil(L, 2) ? 1 : arguments_integer(L, 2, "m:back: steps", 1, LUA_MAXINTEGER);
    return moved(L, tree, history_back(tree->history, m, (uint64_t)steps, &e), "m:back", &e);
}

static int machine_back_to_trap_lua(lua_State *L) {
    struct tree *tree = recorded(L, "m:back_to_trap");
    struct machine *m = machine_self(L, "m:back_to_trap")->machine;
    struct error e = ERROR_CLEAR;
    return moved(L, tree, history_back_to_trap(tree->history, m, &e), "m:back_to_trap", &e);
}

static int machine_go_lua(lua_State *L) {
    struct tree *tree = recorded(L, "m:go");
    struct error e = ERROR_CLEAR;
    uint64_t position = (uint64_t)arguments_integer(L, 2, "m:go: the position", 0, LUA_MAXINTEGER);
    if (position > history_last(tree->history)) {
        return luaL_error(L, "m:go: the way is known up to position %I; from there m:run goes on",
                          (lua_Integer)history_last(tree->history));
    }
    return moved(L, tree, history_go(tree->history, position, &e), "m:go", &e);
}

static void set_integer(lua_State *L, const char *name, uint64_t n) {
    lua_pushinteger(L, (lua_Integer)n);
    lua_setfield(L, -2, name);
}

static int machine_history_lua(lua_State *L) {
    const struct tree *tree = machine_self(L, "m:history")->tree;
    if (!tree->history) {
        lua_pushnil(L);
        return 1;
    }
    struct history_stats s = history_stats(tree->history);
    lua_createtable(L, 0, 5);
    set_integer(L, "first", history_first(tree->history));
    set_integer(L, "last", history_last(tree->history));
    set_integer(L, "checkpoints", s.checkpoints);
    set_integer(L, "bytes", s.bytes);
    set_integer(L, "replayed", s.replayed);
    return 1;
}

const struct engine_function history_methods[] = {
    {"save", machine_save_lua, "save(\"name.snap\"): writes the state of the whole tree to a file beside the scenario",
     1},
    {"restore", machine_restore_lua, "restore(\"name.snap\"): takes it back, into machines that were made alike", 1},
    {"clone", machine_clone_lua, "a copy of the whole tree in the same state; returns the copy of this machine", 0},
    {"record", machine_record_lua, "record{spacing=, memory=}: keeps the history from now on; record(false): no more",
     1},
    {"back", machine_back_lua,
     "back(n): takes back its last n instructions and interruptions, one unless said otherwise", 1},
    {"back_to_trap", machine_back_to_trap_lua, "goes back to the moment just after its last interruption", 0},
    {"go", machine_go_lua, "go(position): goes to a moment between history().first and .last", 1},
    {"history", machine_history_lua, "first, last: positions; checkpoints, bytes, replayed; nil without record", 0},
    {NULL, NULL, NULL, 0},
};

void history_push_position(lua_State *L, const struct handle *h) {
    lua_pushinteger(L, (lua_Integer)machine_position(h->node->tree->bare));
}
