/* The Lua face of the story of a machine's last trap (vmm/story.h). */
#include "scenarios/engine/engine_internal.h"
#include "vmm/story.h"

enum { STORY_CHARGE = 500 }; /* Lua instructions */

static void set_text(lua_State *L, const char *name, const char *text) {
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

/* g:follow([assembly]), g:follow(false) */
static int follow_lua(lua_State *L) {
    struct node *node = machine_self(L, "g:follow");
    struct error e = ERROR_CLEAR;
    machine_refuse_while_running(L, "g:follow");
    lua_settop(L, 2);
    bool off = lua_isboolean(L, 2) && !lua_toboolean(L, 2);
    const struct assembly *hypervisor = lua_isnil(L, 2) || off ? NULL : lua_to_assembly(L, 2);
    if (!lua_isnil(L, 2) && !off && !hypervisor) {
        return arguments_refuse(L, 2, "g:follow: the argument", "the assembly of a hypervisor, or false");
    }
    story_free(node->story);
    node->story = NULL;
    if (!off && !(node->story = story_new(node->machine, node->tree->engine->trace, hypervisor, &e))) {
        return luaL_error(L, "g:follow: %s", e.text);
    }
    if (node->story) {
        story_deaf_while(node->story, &node->tree->engine->again);
    }
    lua_settop(L, 1);
    return 1;
}

static void push_step(lua_State *L, const struct story_step *s) {
    lua_createtable(L, 0, 7);
    set_text(L, "kind", story_kind_name(s->kind));
    set_text(L, "label", s->label);
    set_text(L, "text", s->text);
    state_set_count(L, "level", (uint64_t)s->level);
    state_set_count(L, "address", s->address);
    state_set_count(L, "cycles", s->cycles);
    state_set_count(L, "instructions", s->instructions);
}

/* g:story() */
static int story_lua(lua_State *L) {
    const struct node *node = machine_self(L, "g:story");
    if (!node->story) {
        return luaL_error(L, "g:story: nobody follows the machine; g:follow() begins to");
    }
    engine_charge(L, STORY_CHARGE);
    struct story_trap *trap = lua_newuserdatauv(L, sizeof *trap, 0); /* too large for the stack */
    if (!story_last(node->story, trap)) {
        lua_pushnil(L);
        return 1;
    }
    lua_createtable(L, (int)trap->count, 4);
    for (unsigned n = 0; n < trap->count; n++) {
        push_step(L, &trap->step[n]);
        lua_rawseti(L, -2, (lua_Integer)n + 1);
    }
    lua_pushboolean(L, trap->whole);
    lua_setfield(L, -2, "whole");
    state_set_count(L, "cycles", trap->cycles);
    state_set_count(L, "instructions", trap->instructions);
    state_set_count(L, "left_out", trap->left_out);
    return 1;
}

const struct engine_function story_methods[] = {
    {"follow", follow_lua,
     "follow(hypervisor): of a guest: keeps the story of its last trap; hypervisor: the assembly whose labels tell; "
     "follow(false): no more",
     1},
    {"story", story_lua, "story(): the steps of its last trap, from its instruction to its next one; nil: none yet", 0},
    {NULL, NULL, NULL, 0},
};
