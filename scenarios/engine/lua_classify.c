/* The Lua face of the classifier (isa/classify.h): one function, and tables of what it found. */
#include "isa/classify.h"

#include "scenarios/engine/engine_internal.h"

static const char *const CLASS_CLASSIFICATION = "classification";
enum { CHARGE_PER_INSTRUCTION = 500000 }; /* a few hundredths of a second of the host's */

static void set_flag(lua_State *L, const char *key, bool flag) {
    lua_pushboolean(L, flag);
    lua_setfield(L, -2, key);
}

static void push_names(lua_State *L, const struct instruction *const *of, unsigned count) {
    lua_createtable(L, (int)count, 0);
    for (unsigned n = 0; n < count; n++) {
        lua_pushstring(L, of[n]->mnemonic);
        lua_rawseti(L, -2, (lua_Integer)n + 1);
    }
}

static void push_witness(lua_State *L, const struct witness *w) {
    lua_createtable(L, 0, 7);
    state_set_text(L, "instruction", w->text);
    state_set_text(L, "operands", w->state);
    state_set_text(L, "mode", w->mode);
    state_set_text(L, "resource", w->resource);
    state_set_text(L, "differs", w->differs);
    state_set_text(L, "first", w->first);
    state_set_text(L, "second", w->second);
}

static void push_verdict(lua_State *L, const struct verdict *v) {
    lua_createtable(L, 0, 8);
    struct bytes *text = engine_scratch(L);
    classify_explain(v, text);
    engine_push_scratch(L, text);
    lua_setfield(L, -2, "text");
    state_set_text(L, "name", v->instruction->name);
    state_set_text(L, "class", classify_class_name(v->class));
    set_flag(L, "sensitive", verdict_sensitive(v));
    set_flag(L, "user_sensitive", v->user_sensitive);
    set_flag(L, "privileged", v->privileged);
    lua_newtable(L);
    for (int k = 0; k < WITNESS_KINDS; k++) {
        if (witness_found(&v->witness[k]) && (k != WITNESS_OUTSIDE || v->outside)) {
            push_witness(L, &v->witness[k]);
            lua_setfield(L, -2, witness_name((enum witness_kind)k));
        }
    }
    lua_setfield(L, -2, "witness");
    if (v->outside) {
        state_set_text(L, "footnote", classify_footnote((enum classify_outside)(v->outside & -v->outside)));
    }
}

static void push_theorems(lua_State *L, const struct classification *c) {
    lua_createtable(L, THEOREMS, 0);
    for (unsigned n = 1; n <= THEOREMS; n++) {
        struct theorem t;
        classification_theorem(c, n, &t);
        lua_createtable(L, 0, 4);
        state_set_text(L, "name", t.name);
        state_set_text(L, "condition", t.condition);
        set_flag(L, "holds", t.holds);
        push_names(L, t.breaks, t.count);
        lua_setfield(L, -2, "breaks");
        lua_rawseti(L, -2, n);
    }
}

/* Owns the classification while tables are made from it, which can raise. */
static int classification_gc(lua_State *L) {
    classification_free(lua_touserdata(L, 1));
    return 0;
}

static void push_classification(lua_State *L, const struct classification *c, bool all) {
    lua_createtable(L, 0, 4);
    state_set_text(L, "profile", profile_name(c->profile));
    lua_pushinteger(L, (lua_Integer)c->seed);
    lua_setfield(L, -2, "seed");
    lua_createtable(L, 0, (int)c->count);
    for (unsigned n = 0; n < c->count; n++) {
        push_verdict(L, &c->verdict[n]);
        lua_setfield(L, -2, c->verdict[n].instruction->mnemonic);
    }
    lua_setfield(L, -2, "instructions");
    if (all) {
        push_theorems(L, c);
        lua_setfield(L, -2, "theorems");
    }
}

static int classify_lua(lua_State *L) {
    static const char *const keys[] = {"profile", "instruction", "seed", NULL};
    struct engine *engine = engine_of(L);
    struct classify_options o = {
        .seed = CLASSIFY_SEED, .interrupted = engine->options.interrupted, .self = engine->options.self};
    struct error e = ERROR_CLEAR;
    lua_settop(L, 1);
    if (arguments_table(L, 1, "classify: the argument", keys, true)) {
        if (lua_getfield(L, 1, "profile") != LUA_TNIL) {
            o.profile = arguments_profile(L, -1, "classify: profile");
        }
        if (lua_getfield(L, 1, "seed") != LUA_TNIL) {
            o.seed = (uint64_t)arguments_integer(L, -1, "classify: seed", 0, LUA_MAXINTEGER);
        }
        if (lua_getfield(L, 1, "instruction") != LUA_TNIL &&
            !(o.only = instruction_find(arguments_text(L, -1, "classify: instruction", NULL)))) {
            arguments_refuse(L, -1, "classify: instruction", "a mnemonic such as \"LPSW\"");
        }
    }
    engine_charge(L, CHARGE_PER_INSTRUCTION * (o.only ? 1 : INSTRUCTION_COUNT));
    struct classification *c = lua_newuserdatauv(L, sizeof *c, 0);
    *c = (struct classification){0};
    luaL_setmetatable(L, CLASS_CLASSIFICATION);
    if (!classify(c, &o, &e)) {
        engine_charge(L, 0); /* ends the scenario when that was the reason */
        return luaL_error(L, "classify: %s", e.text);
    }
    push_classification(L, c, !o.only);
    return 1;
}

const struct engine_function classify_functions[] = {
    {"classify", classify_lua,
     "classify{ profile =, instruction =, seed = }: Popek and Goldberg's classes, by experiment", 1},
    {NULL, NULL, NULL, 0},
};

void lua_open_classify(lua_State *L) {
    engine_new_class(L, CLASS_CLASSIFICATION, NULL, NULL, NULL, classification_gc, NULL);
    lua_pushglobaltable(L);
    engine_add_functions(L, classify_functions);
    lua_pop(L, 1);
}
