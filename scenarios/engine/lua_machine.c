/* The Lua face of machines (isa/machine.h): making, loading, starting, running. A guest answers all that a bare machine
 * answers; lua_state.c has what shows a machine's inside, lua_devices.c its devices. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/assembler.h"
#include "scenarios/engine/engine_internal.h"
#include "scenarios/engine/units.h"

enum { ADDRESS_MOST = 0xFFFFFF };
enum { RUN_CHARGE = 50 }; /* Lua instructions */

struct node *machine_self(lua_State *L, const char *what) {
    return objects_check(L, 1, CLASS_MACHINE, what)->node;
}

uint32_t machine_address(lua_State *L, int index, const char *what) {
    return (uint32_t)arguments_integer(L, index, what, 0, ADDRESS_MOST);
}

/* Changing a machine while it runs, from a handler of its own events, would break the story that is being told. */
void machine_refuse_while_running(lua_State *L, const char *what) {
    if (engine_of(L)->running) {
        luaL_error(L, "%s: not inside an event handler; the machine is in the middle of m:run", what);
    }
}

/* --- making and starting ------------------------------------------------------------------------------------------ */

static enum channel_conditions check_channels(lua_State *L, int index) {
    const char *name = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
    if (strcmp(name, "hercules") && strcmp(name, "architecture")) {
        arguments_refuse(L, index, "machine.new: channels", "\"hercules\" or \"architecture\"");
    }
    return *name == 'h' ? CHANNEL_CONDITIONS_HERCULES : CHANNEL_CONDITIONS_ARCHITECTURE;
}

static int machine_new_lua(lua_State *L) {
    static const char *const keys[] = {"memory", "model", "nominal",  "name",    "cpus",
                                       "disk",   "cards", "channels", "profile", NULL};
    struct machine_options options = {.memory_bytes = 1 << 20};
    const char *model = "s370";
    lua_settop(L, 1);
    if (arguments_table(L, 1, "machine.new: the argument", keys, true)) {
        if (lua_getfield(L, 1, "memory") != LUA_TNIL) {
            options.memory_bytes = (uint32_t)arguments_size(L, -1, "machine.new: memory", 4096, STORAGE_MOST_BYTES);
            if (options.memory_bytes % STORAGE_BLOCK_BYTES) {
                return arguments_refuse(L, -1, "machine.new: memory", "a multiple of 2K");
            }
        }
        if (lua_getfield(L, 1, "nominal") != LUA_TNIL) {
            options.nominal_time = arguments_flag(L, -1, "machine.new: nominal");
        }
        if (lua_getfield(L, 1, "cpus") != LUA_TNIL) {
            options.cpus = (unsigned)arguments_integer(L, -1, "machine.new: cpus", 1, MACHINE_CPUS_MOST);
        }
        if (lua_getfield(L, 1, "channels") != LUA_TNIL) {
            options.channel_conditions = check_channels(L, -1);
        }
        if (lua_getfield(L, 1, "profile") != LUA_TNIL) {
            options.profile = arguments_profile(L, -1, "machine.new: profile");
        }
        if (lua_getfield(L, 1, "model") != LUA_TNIL) {
            model = arguments_text(L, -1, "machine.new: model", NULL);
        }
        if (lua_getfield(L, 1, "name") != LUA_TNIL) {
            options.name = arguments_text(L, -1, "machine.new: name", NULL);
        }
    }
    struct disk_choice *devices = devices_choose(L, 1, NULL, "machine.new");
    struct handle *h = objects_push(L, CLASS_MACHINE);
    struct node *node = objects_new_tree(L, h, &options, model, "machine.new");
    devices_attach(L, 1, node, devices, "machine.new");
    return 1;
}

static int machine_models(lua_State *L) {
    const char *name;
    lua_newtable(L);
    for (size_t i = 0; (name = cost_model_name(i)); i++) {
        lua_pushstring(L, name);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* m:load(assembly) or m:load{ bytes = ..., at = 0 } */
static int machine_load_lua(lua_State *L) {
    struct node *node = machine_self(L, "m:load");
    const struct assembly *assembly = lua_to_assembly(L, 2);
    const void *image;
    size_t length;
    uint32_t at = 0;
    machine_refuse_while_running(L, "m:load");
    if (assembly) {
        image = assembly->image.data;
        length = assembly->image.length;
        at = assembly->origin;
    } else {
        static const char *const keys[] = {"bytes", "at", NULL};
        arguments_table(L, 2, "m:load: the argument", keys, false);
        lua_getfield(L, 2, "bytes");
        image = arguments_text(L, -1, "m:load: bytes", &length);
        if (lua_getfield(L, 2, "at") != LUA_TNIL) {
            at = machine_address(L, -1, "m:load: at");
        }
    }
    struct error e = ERROR_CLEAR;
    engine_charge(L, length / STATE_BYTES_PER_CHARGE);
    if (length && !machine_load(node->machine, at, image, length, &e)) {
        return luaL_error(L, "m:load: %s", e.text);
    }
    if (assembly) {
        watch_loaded(node, assembly);
    }
    lua_settop(L, 1);
    return 1;
}

void machine_start_hosts(struct node *node) {
    node->started = true;
    for (struct node *host = node->host; host; host = host->host) {
        if (!host->started || machine_status(host->machine) != MACHINE_READY) {
            machine_restart(host->machine);
            host->started = true;
        }
    }
}

static int machine_restart_lua(lua_State *L) {
    struct node *node = machine_self(L, "m:restart");
    machine_refuse_while_running(L, "m:restart");
    machine_restart(node->machine);
    machine_start_hosts(node);
    lua_settop(L, 1);
    return 1;
}

static int machine_start_lua(lua_State *L) {
    struct node *node = machine_self(L, "m:start");
    uint8_t psw[8];
    machine_refuse_while_running(L, "m:start");
    cpu_read_psw(L, 2, "m:start: the PSW", psw);
    machine_start_psw(node->machine, psw);
    machine_start_hosts(node);
    lua_settop(L, 1);
    return 1;
}

/* A device's address: a number, or the same as a text of hexadecimal digits. */
uint16_t machine_device_address(lua_State *L, int index, const char *what) {
    uint32_t address = 0;
    if (lua_type(L, index) == LUA_TSTRING ? !units_hex(lua_tostring(L, index), UINT16_MAX, &address)
                                          : !lua_isinteger(L, index)) {
        arguments_refuse(L, index, what, "three or four hexadecimal digits, such as \"150\", or a number");
    }
    if (lua_isinteger(L, index)) {
        address = (uint32_t)arguments_integer(L, index, what, 0, UINT16_MAX);
    }
    return (uint16_t)address;
}

/* m:ipl(device [, {clear=true}]) */
static int machine_ipl_lua(lua_State *L) {
    static const char *const keys[] = {"clear", NULL};
    struct node *node = machine_self(L, "m:ipl");
    struct error e = ERROR_CLEAR;
    bool clear = false;
    machine_refuse_while_running(L, "m:ipl");
    lua_settop(L, 3);
    uint16_t address = machine_device_address(L, 2, "m:ipl: the device");
    if (arguments_table(L, 3, "m:ipl: the argument", keys, true) && lua_getfield(L, 3, "clear") != LUA_TNIL) {
        clear = arguments_flag(L, -1, "m:ipl: clear");
    }
    engine_charge(L, machine_memory(node->machine) / STATE_BYTES_PER_CHARGE);
    if (!machine_ipl(node->machine, address, clear ? LOAD_CLEAR : LOAD_NORMAL, &e)) {
        return luaL_error(L, "m:ipl: %s", e.text);
    }
    machine_start_hosts(node);
    lua_settop(L, 1);
    return 1;
}

/* --- running ------------------------------------------------------------------------------------------------------ */

struct run {
    lua_State *L;
    struct engine *engine;
    struct node *node;
    struct machine_limits limits; /* what the scenario asked for, less what is done */
    uint64_t done;                /* instructions and interruptions of the machine, over all parts of the run */
    uint64_t traps;               /* its interruptions alone */
    uint64_t cycles;
    uint64_t bare_before; /* the bare machine's count when this part began */
    enum { RUN_ON, RUN_PAUSE, RUN_INTERRUPTED, RUN_BUDGET } stop;
};

uint64_t machine_count(const struct machine *m) {
    struct machine_stats stats;
    machine_stats(m, &stats);
    return stats.instructions + interruption_total(stats.interruptions);
}

/* Asked by the running machine every few thousand instructions. */
static bool is_interrupted(void *self) {
    struct run *run = self;
    struct engine *engine = run->engine;
    const struct engine_budgets *budgets = &engine->options.budgets;
    run->stop = RUN_ON;
    if (engine->options.interrupted && engine->options.interrupted(engine->options.self)) {
        run->stop = RUN_INTERRUPTED;
    } else if (machine_count(run->node->tree->bare) - run->bare_before >
               budgets->machine_instructions - engine->machine_used) {
        run->stop = RUN_BUDGET;
    } else if (engine->device_bytes > budgets->output_bytes) {
        run->stop = RUN_BUDGET;
    } else if (events_full(engine->queue)) {
        run->stop = RUN_PAUSE;
    }
    return run->stop != RUN_ON;
}

static void raise_budget(lua_State *L, const struct run *run) {
    if (run->stop == RUN_INTERRUPTED) {
        engine_expire(L, ERROR_BUDGET, "interrupted");
    }
    machine_raise_budget(L, run->node->name, run->stop == RUN_BUDGET);
}

void machine_raise_budget(lua_State *L, const char *who, bool used_up) {
    const struct engine *engine = engine_of(L);
    const struct engine_budgets *budgets = &engine->options.budgets;
    char most[32];
    if (engine->device_bytes > budgets->output_bytes) {
        units_size_text(most, budgets->output_bytes);
        engine_expire(L, ERROR_BUDGET, "the machines used up the budget of %s of console output", most);
    }
    if (used_up || engine->machine_used >= budgets->machine_instructions) {
        units_grouped(most, budgets->machine_instructions);
        engine_expire(L, ERROR_BUDGET, "%s: the scenario used up its budget of %s simulated instructions", who, most);
    }
}

/* Runs until the machine stops, a limit is reached or something asks for a pause; books what was used. */
static enum machine_status run_part(struct run *run) {
    struct machine *m = run->node->machine, *bare = run->node->tree->bare;
    struct engine *engine = run->engine;
    uint64_t left = engine->options.budgets.machine_instructions - engine->machine_used;
    struct machine_limits limits = run->limits;
    struct machine_stats before, after;
    uint64_t bare_before = machine_count(bare);
    machine_stats(m, &before);
    run->stop = RUN_ON;
    run->bare_before = bare_before;
    limits.instructions = limits.instructions && limits.instructions < left ? limits.instructions : left;
    const struct engine_watcher *watcher = engine->evaluating ? NULL : engine->options.watcher;
    lua_State *active = engine->active;
    engine->active = run->L;
    enum machine_status status =
        watcher ? (enum machine_status)watcher->run(watcher->self, m, &limits) : machine_run(m, &limits);
    engine->active = active;
    machine_stats(m, &after);
    uint64_t used = machine_count(bare) - bare_before;
    engine->machine_used += used < left ? used : left;
    uint64_t traps = interruption_total(after.interruptions) - interruption_total(before.interruptions);
    run->traps += traps;
    run->done += after.instructions - before.instructions + traps;
    run->cycles += after.cycles - before.cycles;
    return status;
}

/* The CPU that is about to execute the instruction there; -1: none is. */
static int cpu_at(struct machine *m, uint32_t address) {
    for (unsigned n = 0; n < machine_cpus(m); n++) {
        struct machine_state state;
        machine_cpu_state(m, n, &state);
        if (state.psw.ia == address && machine_cpu_status(m, n) == CPU_RUNNING) {
            return (int)n;
        }
    }
    return -1;
}

/* What of the scenario's limits was reached; NULL: none, so the run can go on. */
static const char *limit_reached(const struct run *run, const struct machine_limits *asked) {
    if (asked->until_trap && run->traps > 0) {
        return "trap";
    }
    if (asked->has_address && run->stop == RUN_ON && cpu_at(run->node->machine, asked->until_address) >= 0) {
        return "address";
    }
    if (asked->instructions && run->done >= asked->instructions) {
        return "instructions";
    }
    if (asked->cycles && run->cycles >= asked->cycles) {
        return "cycles";
    }
    return NULL;
}

static int deliver(lua_State *L) {
    events_deliver(L);
    return 0;
}

/* Hands the events out; false, and the error on the stack. */
static bool try_to_deliver(lua_State *L) {
    struct engine *engine = engine_of(L);
    lua_pushcfunction(L, deliver);
    engine->running = true;
    int status = lua_pcall(L, 0, 0, 0);
    engine->running = false;
    if (status != LUA_OK) {
        events_clear(engine->queue);
    }
    return status == LUA_OK;
}

bool engine_deliver(struct engine *engine) {
    lua_State *L = engine->active;
    if (engine->delivery_failed || (L && !lua_checkstack(L, 4))) {
        return false;
    }
    if (L && !try_to_deliver(L)) {
        lua_rawsetp(L, LUA_REGISTRYINDEX, engine);
        engine->delivery_failed = true;
    }
    return !engine->delivery_failed;
}

/* An error of a handler ends the run, not only the delivery. */
static void deliver_events(lua_State *L) {
    struct engine *engine = engine_of(L);
    if (!engine->delivery_failed && try_to_deliver(L)) {
        return;
    }
    if (engine->delivery_failed) {
        engine->delivery_failed = false;
        lua_rawgetp(L, LUA_REGISTRYINDEX, engine);
    }
    if (engine->expired) {
        engine_raise_end(L);
    }
    lua_error(L);
}

/* Runs in parts, so that handlers hear of a long run in time. The reason of a stop by a limit, or NULL. */
static const char *run_parts(lua_State *L, struct run *run, enum machine_status *status) {
    struct machine_limits asked = run->limits;
    const char *reason = NULL;
    do {
        *status = run_part(run);
        deliver_events(L);
        if (*status == MACHINE_READY) {
            reason = limit_reached(run, &asked);
            if (!reason) {
                raise_budget(L, run);
            }
        }
        run->limits.instructions = asked.instructions ? asked.instructions - run->done : 0;
        run->limits.cycles = asked.cycles ? asked.cycles - run->cycles : 0;
    } while (*status == MACHINE_READY && !reason && run->stop == RUN_PAUSE);
    return reason;
}

static void read_limits(lua_State *L, struct machine_limits *limits) {
    static const char *const keys[] = {"instructions", "cycles", "until_trap", "until_address", NULL};
    if (!arguments_table(L, 2, "m:run: the argument", keys, true)) {
        return;
    }
    if (lua_getfield(L, 2, "instructions") != LUA_TNIL) {
        limits->instructions = (uint64_t)arguments_integer(L, -1, "m:run: instructions", 1, LUA_MAXINTEGER);
    }
    if (lua_getfield(L, 2, "cycles") != LUA_TNIL) {
        limits->cycles = (uint64_t)arguments_integer(L, -1, "m:run: cycles", 1, LUA_MAXINTEGER);
    }
    if (lua_getfield(L, 2, "until_trap") != LUA_TNIL) {
        limits->until_trap = arguments_flag(L, -1, "m:run: until_trap");
    }
    if (lua_getfield(L, 2, "until_address") != LUA_TNIL) {
        limits->until_address = machine_address(L, -1, "m:run: until_address");
        limits->has_address = true;
    }
}

static int machine_run_lua(lua_State *L) {
    struct engine *engine = engine_of(L);
    struct run run = {.L = L, .engine = engine, .node = machine_self(L, "m:run")};
    machine_refuse_while_running(L, "m:run");
    engine_charge(L, RUN_CHARGE);
    read_limits(L, &run.limits);
    if (!run.node->started) {
        return luaL_error(L,
                          "m:run: the machine was not started; m:restart(), m:start(psw) or m:ipl(device) does that");
    }
    uint32_t until_address = run.limits.until_address;
    run.limits.interrupted = is_interrupted;
    run.limits.self = &run;
    raise_budget(L, &run);
    enum machine_status status;
    events_clear(engine->queue);
    lua_settop(L, 1);
    const char *reason = run_parts(L, &run, &status);
    if (status == MACHINE_FAULT) {
        engine->faulted = true;
        return luaL_error(L, "m:run: a supervisor of %s went wrong: %s", run.node->name,
                          machine_fault(run.node->machine));
    }
    bool at_address = reason && !strcmp(reason, "address");
    unsigned cpu = at_address ? (unsigned)cpu_at(run.node->machine, until_address) : 0;
    struct machine_state state;
    machine_cpu_state(run.node->machine, cpu, &state);
    lua_createtable(L, 0, 6);
    lua_pushstring(L, status == MACHINE_DISABLED_WAIT ? "disabled-wait"
                      : status == MACHINE_CHECK_STOP  ? "check-stop"
                                                      : "limit");
    lua_setfield(L, -2, "status");
    lua_pushstring(L, status == MACHINE_IDLE ? "idle" : reason ? reason : machine_status_name(status));
    lua_setfield(L, -2, "reason");
    lua_pushinteger(L, cpu);
    lua_setfield(L, -2, "cpu");
    lua_pushinteger(L, state.psw.ia);
    lua_setfield(L, -2, "address");
    lua_pushinteger(L, (lua_Integer)(run.done - run.traps));
    lua_setfield(L, -2, "instructions");
    lua_pushinteger(L, (lua_Integer)run.cycles);
    lua_setfield(L, -2, "cycles");
    return 1;
}

static int machine_raise_lua(lua_State *L) {
    static const char *const names[] = {"interrupt-key", "machine-check", "attention"};
    static const char *const keys[] = {"condition", NULL};
    struct node *node = machine_self(L, "m:raise");
    machine_refuse_while_running(L, "m:raise");
    if (lua_istable(L, 2)) {
        arguments_table(L, 2, "m:raise: the argument", keys, false);
        lua_getfield(L, 2, "condition");
        lua_replace(L, 2);
    }
    for (int i = 0; i < 3; i++) {
        if (lua_type(L, 2) == LUA_TSTRING && !strcmp(lua_tostring(L, 2), names[i])) {
            machine_raise(node->machine, (enum machine_condition)i);
            return 0;
        }
    }
    return arguments_refuse(L, 2, "m:raise: the condition", "\"interrupt-key\", \"machine-check\" or \"attention\"");
}

static int machine_close_lua(lua_State *L) {
    struct node *node = machine_self(L, "m:close");
    machine_refuse_while_running(L, "m:close");
    if (node->host) {
        return luaL_error(L, "m:close: %s is a guest; close the bare machine that it runs on", node->name);
    }
    objects_close(node->tree);
    return 0;
}

/* --- the machine as a Lua object ---------------------------------------------------------------------------------- */

const struct engine_function machine_methods[] = {
    {"load", machine_load_lua, "load(assembly) or load{bytes=, at=}: into real storage", 1},
    {"restart", machine_restart_lua, "makes it ready to start by a restart interruption, from the PSW at 0", 0},
    {"start", machine_start_lua, "start(psw): makes it ready to start with this PSW, 16 hex digits", 1},
    {"ipl", machine_ipl_lua, "ipl(\"150\", {clear=}): initial program load from this device", 2},
    {"run", machine_run_lua, "run{instructions=, cycles=, until_trap=, until_address=}: returns why it stopped", 1},
    {"raise", machine_raise_lua, "raise(\"interrupt-key\" | \"machine-check\" | \"attention\")", 1},
    {"on", events_on, "on(kind, handler): called with each event of it and of what runs on it", 2},
    {"close", machine_close_lua, "gives a bare machine's memory back, with all that runs on it", 0},
    {NULL, NULL, NULL, 0},
};

const struct engine_function machine_functions[] = {
    {"new", machine_new_lua, "new{memory=, model=, nominal=, name=, cpus=, channels=, disk=, cards=}: a bare machine",
     1},
    {"models", machine_models, "the names of the cost models", 0},
    {NULL, NULL, NULL, 0},
};

static void push_console(lua_State *L, const struct handle *h) { objects_push_part(L, h, CLASS_CONSOLE, 0); }
static void push_printer(lua_State *L, const struct handle *h) { objects_push_part(L, h, CLASS_PRINTER, 0); }
static void push_reader(lua_State *L, const struct handle *h) { objects_push_part(L, h, CLASS_READER, 0); }
static void push_disk(lua_State *L, const struct handle *h) {
    uint32_t first;
    if (objects_disk(h->node, &first)) {
        objects_push_part(L, h, CLASS_DISK, 0);
    } else {
        lua_pushnil(L);
    }
}
static void push_name(lua_State *L, const struct handle *h) { lua_pushstring(L, h->node->name); }
static void push_memory(lua_State *L, const struct handle *h) { lua_pushinteger(L, machine_memory(h->node->machine)); }
static void push_level(lua_State *L, const struct handle *h) { lua_pushinteger(L, machine_level(h->node->machine)); }
static void push_status(lua_State *L, const struct handle *h) {
    lua_pushstring(L, machine_status_name(machine_status(h->node->machine)));
}
static void push_host(lua_State *L, const struct handle *h) {
    if (h->node->host) {
        objects_push_machine(L, h->node->host);
    } else {
        lua_pushnil(L);
    }
}

static const struct {
    const char *name;
    void (*push)(lua_State *L, const struct handle *h);
} fields[] = {
    {"cpu", cpu_push_all},
    {"console", push_console},
    {"printer", push_printer},
    {"reader", push_reader},
    {"disk", push_disk},
    {"name", push_name},
    {"memory", push_memory},
    {"level", push_level},
    {"status", push_status},
    {"host", push_host},
    {"position", history_push_position},
};
enum { FIELDS = sizeof fields / sizeof *fields };

static int refuse_field(lua_State *L, const char *name) {
    struct bytes *list = engine_scratch(L);
    bytes_printf(list, "%s", cpu_field_names());
    for (int i = 0; i < FIELDS; i++) {
        bytes_printf(list, ", %s", fields[i].name);
    }
    engine_push_scratch(L, list);
    return luaL_error(L, "a machine has no field %s; it has %s, and methods", name, lua_tostring(L, -1));
}

static int machine_index(lua_State *L) {
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) {
        return 1;
    }
    const struct handle *h = objects_check(L, 1, CLASS_MACHINE, *name ? name : "m[...]");
    for (int i = 0; i < FIELDS; i++) {
        if (!strcmp(name, fields[i].name)) {
            fields[i].push(L, h);
            return 1;
        }
    }
    if (cpu_push_field(L, h, 0, name)) {
        return 1;
    }
    return refuse_field(L, *name ? name : luaL_typename(L, 2));
}

static int machine_newindex(lua_State *L) {
    struct handle *h = objects_check(L, 1, CLASS_MACHINE, "m");
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    if (strcmp(name, "psw")) {
        return luaL_error(L, "of a machine only psw, gpr[n] and cr[n] can be set, not %s",
                          *name ? name : luaL_typename(L, 2));
    }
    cpu_set_psw(L, h, 0, 3, "m.psw");
    return 0;
}

static int machine_text(lua_State *L) {
    struct handle *h = luaL_testudata(L, 1, CLASS_MACHINE);
    if (!h || !h->tree || h->tree->closed) {
        lua_pushliteral(L, "machine (closed)");
    } else {
        lua_pushfstring(L, "machine %s", h->node->name);
    }
    return 1;
}

void lua_open_machine(lua_State *L) {
    static const struct engine_function *const methods[] = {
        machine_methods,          state_methods, operator_methods, history_methods, story_methods,
        property_machine_methods, NULL};
    engine_new_class(L, CLASS_MACHINE, methods, machine_index, machine_newindex, objects_gc, machine_text);
    lua_newtable(L);
    engine_add_functions(L, machine_functions);
    lua_setglobal(L, "machine");
}
