/* The Lua face of Popek and Goldberg's three properties: equivalence (vmm/equivalence.h), resource control
 * (vmm/resources.h) and efficiency (vmm/efficiency.h); and of the square f(e(S)) = e'(f(S)) (vmm/square.h). */
#include <inttypes.h>
#include <stdio.h>

#include "isa/disassembler.h"
#include "scenarios/engine/engine_internal.h"
#include "scenarios/engine/units.h"
#include "vmm/efficiency.h"
#include "vmm/equivalence.h"
#include "vmm/resources.h"
#include "vmm/square.h"

enum { CHECK_CHARGE = 500, LOOK_CHARGE = 5000 }; /* Lua instructions */

/* --- equivalence -------------------------------------------------------------------------------------------------- */

struct comparison {
    struct engine *engine;
    struct machine *guest_bare, *reference; /* NULL: it is the check's own */
    uint64_t before;                        /* counts of both together */
    bool interrupted, used_up;
};

static uint64_t count_of(const struct comparison *c) {
    return machine_count(c->guest_bare) + (c->reference ? machine_count(c->reference) : 0);
}

/* Asked after each step. */
static bool is_interrupted(void *self) {
    struct comparison *c = self;
    const struct engine_budgets *budgets = &c->engine->options.budgets;
    c->interrupted = c->engine->options.interrupted && c->engine->options.interrupted(c->engine->options.self);
    c->used_up = count_of(c) - c->before > budgets->machine_instructions - c->engine->machine_used ||
                 c->engine->device_bytes > budgets->output_bytes;
    events_clear(c->engine->queue); /* nobody hears of a check's events */
    return c->interrupted || c->used_up;
}

/* What was executed has a text; what came instead of an instruction is an interruption. */
static void push_step(lua_State *L, const struct lockstep_step *s) {
    lua_createtable(L, 0, 2);
    state_set_count(L, "address", s->address);
    if (*s->interruption) {
        state_set_text(L, "interruption", s->interruption);
    } else {
        char text[DISASSEMBLER_TEXT];
        disassemble(text, s->text, sizeof s->text);
        state_set_text(L, "text", text);
    }
}

static void push_state(lua_State *L, const struct machine_state *s) {
    uint8_t psw[8];
    char hex[20];
    psw_store(&s->psw, psw, 0, 0);
    bytes_to_hex(hex, psw, sizeof psw);
    lua_createtable(L, 0, 4);
    state_set_text(L, "psw", hex);
    state_push_registers(L, s->gpr);
    lua_setfield(L, -2, "gpr");
    state_push_registers(L, s->cr);
    lua_setfield(L, -2, "cr");
    state_set_count(L, "prefix", s->prefix);
}

static void push_steps(lua_State *L, const struct lockstep_step *last, unsigned count) {
    lua_createtable(L, (int)count, 0);
    for (unsigned n = 0; n < count; n++) {
        push_step(L, &last[n]);
        lua_rawseti(L, -2, (lua_Integer)n + 1);
    }
    lua_setfield(L, -2, "last");
}

static void push_result(lua_State *L, const struct equivalence *q) {
    static const char *const ends[] = {"ended", "budget", "broken"};
    lua_createtable(L, 0, 7);
    state_set_text(L, "ended", ends[q->end]);
    lua_pushboolean(L, q->end != EQUIVALENCE_BROKEN);
    lua_setfield(L, -2, "held");
    state_set_count(L, "steps", q->steps);
    state_set_text(L, "what", q->what);
    push_steps(L, q->last, q->last_count);
    push_state(L, &q->guest);
    lua_setfield(L, -2, "guest");
    push_state(L, &q->reference);
    lua_setfield(L, -2, "reference");
}

/* The machine in this field: no monitor in C is its program, nor, unless that may be, one in assembler. */
static struct node *check_program(lua_State *L, const char *field, bool assembler, const char *what) {
    lua_getfield(L, 1, field);
    struct node *node = objects_check(L, lua_gettop(L), CLASS_MACHINE, what)->node;
    for (const struct monitor *m = node->tree->monitors; m; m = m->next) {
        if (m->on == node && !(m->map && assembler)) {
            luaL_error(L, "%s is %s, whose program is a monitor; it takes a machine that is loaded with a program",
                       what, node->name);
        }
    }
    return node;
}

/* And it was not started. */
static struct node *check_machine(lua_State *L, const char *field, const char *what) {
    struct node *node = check_program(L, field, false, what);
    if (node->started) {
        luaL_error(L, "%s is %s, which was started; it takes a machine that is loaded, and not started yet", what,
                   node->name);
    }
    return node;
}

/* Ends the scenario where the check used up its budget, and says how far it had come. */
static void raise_end(lua_State *L, const struct comparison *c, const char *what, uint64_t steps, bool broken) {
    char count[32], who[128];
    if (c->interrupted) {
        engine_expire(L, ERROR_BUDGET, "interrupted");
    }
    units_grouped(count, steps);
    snprintf(who, sizeof who, "%s for %s step%s", what, count, steps == 1 ? "" : "s");
    if (c->used_up && !broken) {
        machine_raise_budget(L, who, true);
    }
}

/* What was simulated counts in the budget. */
static void charge_comparison(const struct comparison *c, uint64_t more) {
    struct engine *engine = c->engine;
    uint64_t used = count_of(c) - c->before + more;
    uint64_t left = engine->options.budgets.machine_instructions - engine->machine_used;
    engine->machine_used += used < left ? used : left;
    events_clear(engine->queue);
}

/* vmm.equivalence{guest=, reference=, steps=} */
static int equivalence_lua(lua_State *L) {
    static const char *const keys[] = {"guest", "reference", "steps", NULL};
    struct equivalence_options options = {0};
    struct equivalence result;
    struct error e = ERROR_CLEAR;
    struct engine *engine = engine_of(L);
    lua_settop(L, 1);
    arguments_table(L, 1, "vmm.equivalence: the argument", keys, false);
    machine_refuse_while_running(L, "vmm.equivalence");
    struct node *guest = check_machine(L, "guest", "vmm.equivalence: guest");
    struct node *reference = check_machine(L, "reference", "vmm.equivalence: reference");
    if (lua_getfield(L, 1, "steps") != LUA_TNIL) {
        options.steps = (uint64_t)arguments_integer(L, -1, "vmm.equivalence: steps", 1, LUA_MAXINTEGER);
    }
    uint32_t first, blocks = objects_disk(guest, &first);
    engine_charge(L, CHECK_CHARGE + (machine_memory(guest->machine) + (uint64_t)blocks * DISK_BLOCK_BYTES) /
                                        STATE_BYTES_PER_CHARGE);
    machine_raise_budget(L, guest->name, false);
    struct comparison c = {.engine = engine, .guest_bare = guest->tree->bare, .reference = reference->machine};
    c.before = count_of(&c);
    options.interrupted = is_interrupted;
    options.self = &c;
    machine_start_hosts(guest);
    if (!equivalence_check(guest->machine, reference->machine, &options, &result, &e)) {
        guest->started = false;
        return luaL_error(L, "vmm.%s", e.text);
    }
    reference->started = true;
    charge_comparison(&c, 0);
    char what[80];
    snprintf(what, sizeof what, "vmm.equivalence: %s was as the reference", guest->name);
    raise_end(L, &c, what, result.steps, result.end == EQUIVALENCE_BROKEN);
    push_result(L, &result);
    return 1;
}

/* --- the square --------------------------------------------------------------------------------------------------- */

static void push_square(lua_State *L, const struct square *q) {
    static const char *const outcomes[] = {"held", "ended", "waits", "broken"};
    lua_createtable(L, 0, 9);
    state_set_text(L, "ended", outcomes[q->outcome]);
    lua_pushboolean(L, q->outcome != SQUARE_BROKEN);
    lua_setfield(L, -2, "held");
    state_set_count(L, "steps", q->steps);
    state_set_count(L, "pieces", q->pieces);
    state_set_text(L, "what", q->what);
    push_steps(L, q->last, q->last_count);
    if (!q->differs) {
        return;
    }
    isomorphism_push_row(L, &q->row);
    lua_setfield(L, -2, "piece");
    isomorphism_push_row(L, &q->place);
    lua_setfield(L, -2, "place");
    state_set_count(L, "image", q->image);
    state_set_count(L, "stands", q->stands);
}

/* vmm.square{machine=, steps=} */
static int square_lua(lua_State *L) {
    static const char *const keys[] = {"machine", "steps", NULL};
    struct square_options options = {.steps = 1, .parts = true};
    struct square result;
    struct error e = ERROR_CLEAR;
    struct engine *engine = engine_of(L);
    char what[80];
    lua_settop(L, 1);
    arguments_table(L, 1, "vmm.square: the argument", keys, false);
    machine_refuse_while_running(L, "vmm.square");
    struct node *guest = check_program(L, "machine", true, "vmm.square: machine");
    if (!guest->started) {
        luaL_error(L, "vmm.square: machine is %s, which was not started; it takes one that is running", guest->name);
    }
    if (lua_getfield(L, 1, "steps") != LUA_TNIL) {
        options.steps = (uint64_t)arguments_integer(L, -1, "vmm.square: steps", 1, LUA_MAXINTEGER);
    }
    options.parts = options.steps > 1;
    uint32_t first, blocks = objects_disk(guest, &first);
    uint64_t bytes = machine_memory(guest->machine) + (uint64_t)blocks * DISK_BLOCK_BYTES;
    engine_charge(L, CHECK_CHARGE + 4 * bytes / STATE_BYTES_PER_CHARGE);
    machine_raise_budget(L, guest->name, false);
    objects_make_room(L, bytes, "vmm.square");
    struct comparison c = {.engine = engine, .guest_bare = guest->tree->bare};
    c.before = count_of(&c);
    options.interrupted = is_interrupted;
    options.self = &c;
    struct square_check *check = square_new(guest->machine, &e);
    if (!check) {
        return luaL_error(L, "vmm.square: %s", e.text);
    }
    square_run(check, &options, &result);
    square_free(check);
    charge_comparison(&c, result.steps);
    snprintf(what, sizeof what, "vmm.square: it held for %s", guest->name);
    raise_end(L, &c, what, result.steps, result.outcome == SQUARE_BROKEN);
    push_square(L, &result);
    return 1;
}

/* --- resource control --------------------------------------------------------------------------------------------- */

struct resource_check {
    struct handle handle; /* first: objects_check */
    struct resources *resources;
    uint64_t bytes; /* counted in the budget of storage */
};

static int resources_gc(lua_State *L) {
    struct resource_check *check = lua_touserdata(L, 1);
    if (check) {
        resources_free(check->resources);
        check->resources = NULL;
        engine_of(L)->storage_bytes -= check->bytes;
        check->bytes = 0;
    }
    return objects_gc(L);
}

/* About what the check notes: a frame for each page of each guest. */
static uint64_t size_of_check(const struct vmm *v) {
    uint64_t bytes = STORAGE_MOST_BYTES / 4096;
    const struct machine *guest;
    for (unsigned n = 0; (guest = vmm_guest_at(v, n)); n++) {
        bytes += machine_memory(guest) / 4096 * sizeof(int64_t);
    }
    return bytes;
}

/* v:resources() */
static int resources_lua(lua_State *L) {
    struct handle *v = objects_check(L, 1, CLASS_VMM, "v:resources");
    struct error e = ERROR_CLEAR;
    machine_refuse_while_running(L, "v:resources");
    engine_charge(L, CHECK_CHARGE);
    uint64_t bytes = size_of_check(v->monitor->vmm);
    objects_make_room(L, bytes, "v:resources");
    struct resource_check *check = lua_newuserdatauv(L, sizeof *check, 1);
    *check = (struct resource_check){.bytes = 0};
    luaL_setmetatable(L, CLASS_RESOURCES);
    check->resources = resources_new(v->monitor->vmm, &e);
    if (!check->resources) {
        return luaL_error(L, "v:resources: %s", e.text);
    }
    check->bytes = bytes;
    engine_of(L)->storage_bytes += bytes;
    objects_hold(&check->handle, v->tree, v->node, v->monitor);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    return 1;
}

/* r:look(): true; or false and how control was lost. */
static int look_lua(lua_State *L) {
    const struct handle *h = objects_check(L, 1, CLASS_RESOURCES, "r:look");
    const struct resource_check *check = (const struct resource_check *)(const void *)h;
    char what[256];
    machine_refuse_while_running(L, "r:look");
    engine_charge(L, LOOK_CHARGE * machine_cpus(h->monitor->on->machine));
    bool kept = resources_look(check->resources, what);
    lua_pushboolean(L, kept);
    if (kept) {
        return 1;
    }
    lua_pushstring(L, what);
    return 2;
}

/* --- efficiency --------------------------------------------------------------------------------------------------- */

static void set_number(lua_State *L, const char *name, double value) {
    lua_pushnumber(L, value);
    lua_setfield(L, -2, name);
}

/* g:efficiency() */
static int efficiency_lua(lua_State *L) {
    const struct node *node = machine_self(L, "g:efficiency");
    struct efficiency figures;
    engine_charge(L, CHECK_CHARGE / 10);
    if (!efficiency_of(node->machine, &figures)) {
        return luaL_error(L, "g:efficiency: %s is a bare machine; it takes a guest", node->name);
    }
    lua_createtable(L, 0, 6);
    state_set_count(L, "instructions", figures.instructions);
    state_set_count(L, "interpreted", figures.interpreted);
    state_set_count(L, "traps", figures.traps);
    set_number(L, "native", figures.native);
    set_number(L, "traps_per_1000", figures.traps_per_1000);
    set_number(L, "slowdown", figures.slowdown);
    return 1;
}

/* --- opening ------------------------------------------------------------------------------------------------------ */

const struct engine_function property_functions[] = {
    {"equivalence", equivalence_lua,
     "equivalence{guest=, reference=, steps=}: runs both in lock-step; how far they are the same, and what differs", 1},
    {"square", square_lua,
     "square{machine=, steps=}: whether f(e(S)) = e'(f(S)) for its next steps, and what differs where", 1},
    {NULL, NULL, NULL, 0},
};

const struct engine_function property_machine_methods[] = {
    {"efficiency", efficiency_lua, "efficiency(): of a guest: share of native instructions, traps, slowdown", 0},
    {NULL, NULL, NULL, 0},
};

const struct engine_function property_monitor_methods[] = {
    {"resources", resources_lua, "resources(): a check that nothing changes hands behind the allocator, from now on",
     0},
    {NULL, NULL, NULL, 0},
};

const struct engine_function resources_methods[] = {
    {"look", look_lua, "look(): true, or false and how control was lost", 0},
    {NULL, NULL, NULL, 0},
};

void lua_open_properties(lua_State *L) {
    engine_new_class(L, CLASS_RESOURCES, (const struct engine_function *const[]){resources_methods, NULL}, NULL, NULL,
                     resources_gc, NULL);
}
