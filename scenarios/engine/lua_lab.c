/* lab{...}: a text beside what the terminal UI shows, steps for a student to do, and checks of what he has reached.
 *
 * Under `cloud370 run` it does nothing: there is nobody to read it. Its functions only look: while one runs, nothing
 * that moves or changes a machine is let through. */
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/engine_internal.h"

enum { TEXT_MOST = 16384, LIST_MOST = 64 };

/* Under this key the registry has the checks, a list. */
static const char checks_key = 0;

/* --- keeping it --------------------------------------------------------------------------------------------------- */

static void free_list(const char **list, size_t count) {
    for (size_t n = 0; list && n < count; n++) {
        free((char *)list[n]);
    }
    free(list);
}

static void free_lab(struct engine_lab *lab) {
    if (!lab) {
        return;
    }
    free((char *)lab->title);
    free((char *)lab->text);
    free((char *)lab->ending);
    free_list(lab->hide, lab->hide_count);
    free_list(lab->checks, lab->check_count);
    for (size_t n = 0; n < lab->step_count; n++) {
        free((char *)lab->steps[n].name);
        free((char *)lab->steps[n].text);
        free((char *)lab->steps[n].message);
    }
    free(lab->steps);
    free(lab);
}

void lab_free(struct engine *engine) {
    free_lab(engine->lab);
    free_lab(engine->new_lab);
    engine->lab = engine->new_lab = NULL;
}

const struct engine_lab *engine_lab(const struct engine *engine) { return engine->lab; }

/* --- reading the table at stack 1 --------------------------------------------------------------------------------- */

static char *copy_text(lua_State *L, int index, const char *what) {
    size_t length;
    const char *text = arguments_text(L, index, what, &length);
    if (length > TEXT_MOST || strlen(text) != length) {
        arguments_refuse(L, index, what, "a text of at most 16384 characters");
    }
    engine_charge(L, length / 16);
    char *copy = strdup(text);
    if (!copy) {
        luaL_error(L, "not enough memory");
    }
    return copy;
}

/* The text of a field; "" where there is none, and it may be left out. */
static char *take_field(lua_State *L, int table, const char *name, const char *what, bool optional) {
    if (lua_getfield(L, table, name) == LUA_TNIL && optional) {
        lua_pop(L, 1);
        lua_pushliteral(L, "");
    }
    char *copy = copy_text(L, -1, what);
    lua_pop(L, 1);
    return copy;
}

/* A list's length; pushes it. 0: there is none, and nil is pushed. */
static size_t open_list(lua_State *L, const char *name, const char *what) {
    if (lua_getfield(L, 1, name) == LUA_TNIL) {
        return 0;
    }
    if (!lua_istable(L, -1) || lua_rawlen(L, -1) > LIST_MOST) {
        arguments_refuse(L, -1, what, "a list of at most 64");
    }
    return lua_rawlen(L, -1);
}

static void *make_room(lua_State *L, size_t count, size_t size) {
    void *room = calloc(count ? count : 1, size);
    if (!room) {
        luaL_error(L, "not enough memory");
    }
    return room;
}

static void take_texts(lua_State *L, const char *name, const char *what, const char ***to, size_t *count) {
    size_t length = open_list(L, name, what);
    *to = make_room(L, length, sizeof **to);
    for (size_t n = 0; n < length; n++) {
        lua_rawgeti(L, -1, (lua_Integer)n + 1);
        (*to)[n] = copy_text(L, -1, what);
        *count = n + 1;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* Steps, and their checks into the list at stack 2. */
static void take_steps(lua_State *L, struct engine_lab *lab) {
    static const char *const keys[] = {"name", "text", "check", NULL};
    size_t length = open_list(L, "steps", "lab: steps");
    lab->steps = make_room(L, length, sizeof *lab->steps);
    for (size_t n = 0; n < length; n++) {
        struct engine_lab_step *step = &lab->steps[n];
        lab->step_count = n + 1;
        lua_rawgeti(L, -1, (lua_Integer)n + 1);
        arguments_table(L, -1, "lab: a step", keys, false);
        int at = lua_gettop(L);
        step->text = take_field(L, at, "text", "lab: a step's text", false);
        step->name = take_field(L, at, "name", "lab: a step's name", false);
        if (lua_getfield(L, at, "check") != LUA_TFUNCTION) {
            arguments_refuse(L, -1, "lab: a step's check", "a function");
        }
        lua_rawseti(L, 2, (lua_Integer)n + 1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void take_granularity(lua_State *L, struct engine_lab *lab) {
    static const char *const names[] = {"instruction", "trap", "run"};
    if (lua_getfield(L, 1, "step") != LUA_TNIL) {
        const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
        int n = 0;
        while (n <= LAB_RUNS && strcmp(names[n], name) != 0) {
            n++;
        }
        if (n > LAB_RUNS) {
            arguments_refuse(L, -1, "lab: step", "\"instruction\", \"trap\" or \"run\"");
        }
        lab->granularity = (enum lab_granularity)n;
    }
    lua_pop(L, 1);
}

/* What is read is the engine's at once, so that nothing is lost when something raises; it counts when all of it is
 * there. */
static int lab_lua(lua_State *L) {
    static const char *const keys[] = {"title", "text", "ending", "hide", "checks", "step", "steps", NULL};
    struct engine *engine = engine_of(L);
    unsigned serial = engine->lab ? engine->lab->serial + 1 : 1;
    arguments_table(L, 1, "lab", keys, false);
    lua_settop(L, 1);
    lua_newtable(L);
    free_lab(engine->new_lab);
    engine->new_lab = NULL;
    struct engine_lab *lab = engine->new_lab = make_room(L, 1, sizeof *lab);
    lab->serial = serial;
    lab->title = take_field(L, 1, "title", "lab: title", false);
    lab->text = take_field(L, 1, "text", "lab: text", true);
    lab->ending = take_field(L, 1, "ending", "lab: ending", true);
    take_granularity(L, lab);
    take_texts(L, "hide", "lab: hide", &lab->hide, &lab->hide_count);
    take_texts(L, "checks", "lab: checks", &lab->checks, &lab->check_count);
    take_steps(L, lab);
    lua_settop(L, 2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &checks_key);
    free_lab(engine->lab);
    engine->lab = lab;
    engine->new_lab = NULL;
    return 0;
}

/* --- looking ------------------------------------------------------------------------------------------------------ */

struct look {
    struct engine *engine;
    const struct engine_lab_moment *now;
    size_t step;
    bool done;
};

static void set_machine(lua_State *L, const struct engine *engine, const char *name, const struct machine *m) {
    struct node *node = m ? watch_node(engine, m) : NULL;
    if (node) {
        objects_push_machine(L, node);
        lua_setfield(L, -2, name);
    }
}

static void set_text(lua_State *L, const char *name, const char *text) {
    if (text) {
        lua_pushstring(L, text);
        lua_setfield(L, -2, name);
    }
}

/* The check, with what there is now. */
static int ask(lua_State *L) {
    struct look *x = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &checks_key);
    lua_rawgeti(L, 1, (lua_Integer)x->step + 1);
    lua_createtable(L, 0, 5);
    set_machine(L, x->engine, "machine", x->now->machine);
    set_machine(L, x->engine, "running", x->now->running);
    set_text(L, "command", x->now->command);
    set_text(L, "arguments", x->now->arguments);
    set_text(L, "pane", x->now->pane);
    lua_call(L, 1, 1);
    x->done = lua_toboolean(L, -1);
    return 0;
}

static void set_message(struct engine_lab_step *step, const char *text) {
    free((char *)step->message);
    step->message = strdup(text);
}

bool engine_lab_look(struct engine *engine, const struct engine_lab_moment *now) {
    struct engine_lab *lab = engine->lab;
    size_t before = lab ? lab->done_count : 0;
    while (lab && lab->done_count < lab->step_count) {
        struct look x = {.engine = engine, .now = now, .step = lab->done_count};
        struct engine_lab_step *step = &lab->steps[x.step];
        struct error e = ERROR_CLEAR;
        bool running = engine->running;
        int in_check = engine->in_check;
        engine->running = true;
        engine->in_check = 1;
        watch_call(engine, ask, &x, &e);
        engine->running = running;
        engine->in_check = in_check;
        set_message(step, e.text);
        if (!x.done) {
            break;
        }
        step->done = true;
        lab->done_count++;
    }
    return lab && lab->done_count > before;
}

const struct engine_function lab_functions[] = {
    {"lab", lab_lua,
     "lab{title, text, steps, ...}: what the terminal UI tells a student, and looks for in what he does", 1},
    {NULL, NULL, NULL, 0},
};

void lua_open_lab(lua_State *L) {
    lua_pushglobaltable(L);
    engine_add_functions(L, lab_functions);
    lua_pop(L, 1);
}
