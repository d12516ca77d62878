/* The Lua face of machines (isa/machine.h): making, loading, starting, running, looking inside. A guest answers all
 * that a bare machine answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "isa/assembler.h"
#include "isa/disassembler.h"
#include "scenarios/engine/engine_internal.h"
#include "scenarios/engine/units.h"

enum { ADDRESS_MOST = 0xFFFFFF, CONSOLE = 0x009, PRINTER = 0x00E, GENERAL = 0, CONTROL = 1 };
/* What calls cost, in Lua instructions. */
enum { RUN_CHARGE = 50, VIEW_CHARGE = 50, DISASSEMBLE_CHARGE = 15, BYTES_PER_CHARGE = 16 };

/* The machine of the handle at stack 1. */
static struct node *self_node(lua_State *L, const char *what) { return objects_check(L, 1, CLASS_MACHINE, what)->node; }

static uint32_t address_at(lua_State *L, int index, const char *what) {
    return (uint32_t)arguments_integer(L, index, what, 0, ADDRESS_MOST);
}

/* Changing a machine while it runs, from a handler of its own events, would break the story that is being told. */
static void refuse_while_running(lua_State *L, const char *what) {
    if (engine_of(L)->running) {
        luaL_error(L, "%s: not inside an event handler; the machine is in the middle of m:run", what);
    }
}

/* --- making and starting ------------------------------------------------------------------------------------------ */

static int machine_new_lua(lua_State *L) {
    static const char *const keys[] = {"memory", "model", "nominal", "name", NULL};
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
        if (lua_getfield(L, 1, "model") != LUA_TNIL) {
            model = arguments_text(L, -1, "machine.new: model", NULL);
        }
        if (lua_getfield(L, 1, "name") != LUA_TNIL) {
            options.name = arguments_text(L, -1, "machine.new: name", NULL);
        }
    }
    struct handle *h = objects_push(L, CLASS_MACHINE);
    objects_new_tree(L, h, &options, model, "machine.new");
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
    struct node *node = self_node(L, "m:load");
    const struct assembly *assembly = lua_to_assembly(L, 2);
    const void *image;
    size_t length;
    uint32_t at = 0;
    refuse_while_running(L, "m:load");
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
            at = address_at(L, -1, "m:load: at");
        }
    }
    struct error e = ERROR_CLEAR;
    engine_charge(L, length / BYTES_PER_CHARGE);
    if (length && !machine_load(node->machine, at, image, length, &e)) {
        return luaL_error(L, "m:load: %s", e.text);
    }
    lua_settop(L, 1);
    return 1;
}

/* A guest is started by its monitor, which is started by the machine below: those that do not run yet start, too. */
static void start_hosts(struct node *node) {
    node->started = true;
    for (struct node *host = node->host; host; host = host->host) {
        if (!host->started || machine_status(host->machine) != MACHINE_READY) {
            machine_restart(host->machine);
            host->started = true;
        }
    }
}

static int machine_restart_lua(lua_State *L) {
    struct node *node = self_node(L, "m:restart");
    refuse_while_running(L, "m:restart");
    machine_restart(node->machine);
    start_hosts(node);
    lua_settop(L, 1);
    return 1;
}

static void psw_at(lua_State *L, int index, const char *what, uint8_t to[8]) {
    const char *text = arguments_text(L, index, what, NULL);
    bool ok = strlen(text) == 16;
    for (int i = 0; ok && i < 8; i++) {
        char pair[3] = {text[2 * i], text[2 * i + 1], '\0'};
        uint32_t byte;
        ok = units_hex(pair, 0xFF, &byte);
        to[i] = ok ? (uint8_t)byte : 0;
    }
    if (!ok) {
        arguments_refuse(L, index, what, "a text of 16 hexadecimal digits");
    }
}

static int machine_start_lua(lua_State *L) {
    struct node *node = self_node(L, "m:start");
    uint8_t psw[8];
    refuse_while_running(L, "m:start");
    psw_at(L, 2, "m:start: the PSW", psw);
    machine_start_psw(node->machine, psw);
    start_hosts(node);
    lua_settop(L, 1);
    return 1;
}

/* --- running ------------------------------------------------------------------------------------------------------ */

struct run {
    struct engine *engine;
    struct node *node;
    struct machine_limits limits; /* what the scenario asked for, less what is done */
    uint64_t done;                /* instructions and interruptions of the machine, over all parts of the run */
    uint64_t traps;               /* its interruptions alone */
    uint64_t cycles;
    uint64_t bare_before; /* the bare machine's count when this part began */
    enum { RUN_ON, RUN_PAUSE, RUN_INTERRUPTED, RUN_BUDGET } stop;
};

static uint64_t interruptions_in(const struct machine_stats *stats) {
    uint64_t sum = 0;
    for (int c = 0; c < INTERRUPTION_CLASSES; c++) {
        sum += stats->interruptions[c];
    }
    return sum;
}

static uint64_t count_of(const struct machine *m) {
    struct machine_stats stats;
    machine_stats(m, &stats);
    return stats.instructions + interruptions_in(&stats);
}

/* Asked by the running machine every few thousand instructions. */
static bool is_interrupted(void *self) {
    struct run *run = self;
    struct engine *engine = run->engine;
    const struct engine_budgets *budgets = &engine->options.budgets;
    if (engine->options.interrupted && engine->options.interrupted(engine->options.self)) {
        run->stop = RUN_INTERRUPTED;
    } else if (count_of(run->node->tree->bare) - run->bare_before >
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
    const struct engine_budgets *budgets = &run->engine->options.budgets;
    char most[32];
    if (run->stop == RUN_INTERRUPTED) {
        engine_expire(L, ERROR_BUDGET, "interrupted");
    }
    if (run->engine->device_bytes > budgets->output_bytes) {
        units_size_text(most, budgets->output_bytes);
        engine_expire(L, ERROR_BUDGET, "the machines used up the budget of %s of console output", most);
    }
    if (run->stop == RUN_BUDGET || run->engine->machine_used >= budgets->machine_instructions) {
        units_grouped(most, budgets->machine_instructions);
        engine_expire(L, ERROR_BUDGET, "%s: the scenario used up its budget of %s simulated instructions",
                      run->node->name, most);
    }
}

/* Runs until the machine stops, a limit is reached or something asks for a pause; books what was used. */
static enum machine_status run_part(struct run *run) {
    struct machine *m = run->node->machine, *bare = run->node->tree->bare;
    struct engine *engine = run->engine;
    uint64_t left = engine->options.budgets.machine_instructions - engine->machine_used;
    struct machine_limits limits = run->limits;
    struct machine_stats before, after;
    uint64_t bare_before = count_of(bare);
    machine_stats(m, &before);
    run->stop = RUN_ON;
    run->bare_before = bare_before;
    limits.instructions = limits.instructions && limits.instructions < left ? limits.instructions : left;
    enum machine_status status = machine_run(m, &limits);
    machine_stats(m, &after);
    uint64_t used = count_of(bare) - bare_before;
    engine->machine_used += used < left ? used : left;
    uint64_t traps = interruptions_in(&after) - interruptions_in(&before);
    run->traps += traps;
    run->done += after.instructions - before.instructions + traps;
    run->cycles += after.cycles - before.cycles;
    return status;
}

/* What of the scenario's limits was reached; NULL: none, so the run can go on. */
static const char *limit_reached(const struct run *run, const struct machine_limits *asked) {
    struct machine_state state;
    if (asked->until_trap && run->traps > 0) {
        return "trap";
    }
    machine_state(run->node->machine, &state);
    if (asked->has_address && run->stop == RUN_ON && state.psw.ia == asked->until_address) {
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

/* Hands the events out; an error of a handler ends the run, not only the delivery. */
static void deliver_events(lua_State *L) {
    struct engine *engine = engine_of(L);
    lua_pushcfunction(L, deliver);
    engine->running = true;
    int status = lua_pcall(L, 0, 0, 0);
    engine->running = false;
    if (status != LUA_OK) {
        events_clear(engine->queue);
        if (engine->expired) {
            engine_raise_end(L);
        }
        lua_error(L);
    }
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
        limits->until_address = address_at(L, -1, "m:run: until_address");
        limits->has_address = true;
    }
}

static int machine_run_lua(lua_State *L) {
    struct engine *engine = engine_of(L);
    struct run run = {.engine = engine, .node = self_node(L, "m:run")};
    refuse_while_running(L, "m:run");
    engine_charge(L, RUN_CHARGE);
    read_limits(L, &run.limits);
    if (!run.node->started) {
        return luaL_error(L, "m:run: the machine was not started; m:restart() or m:start(psw) does that");
    }
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
    struct machine_state state;
    machine_state(run.node->machine, &state);
    lua_createtable(L, 0, 5);
    lua_pushstring(L, status == MACHINE_DISABLED_WAIT ? "disabled-wait"
                      : status == MACHINE_CHECK_STOP  ? "check-stop"
                                                      : "limit");
    lua_setfield(L, -2, "status");
    lua_pushstring(L, status == MACHINE_IDLE ? "idle" : reason ? reason : machine_status_name(status));
    lua_setfield(L, -2, "reason");
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
    struct node *node = self_node(L, "m:raise");
    refuse_while_running(L, "m:raise");
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
    struct node *node = self_node(L, "m:close");
    refuse_while_running(L, "m:close");
    if (node->host) {
        return luaL_error(L, "m:close: %s is a guest; close the bare machine that it runs on", node->name);
    }
    objects_close(node->tree);
    return 0;
}

/* --- looking inside ----------------------------------------------------------------------------------------------- */

static int psw_text(lua_State *L) {
    lua_getfield(L, 1, "hex");
    return 1;
}

static void push_psw(lua_State *L, const struct psw *psw) {
    uint8_t raw[8];
    char hex[17];
    psw_store(psw, raw, 0, 0);
    bytes_to_hex(hex, raw, sizeof raw);
    const struct {
        const char *name;
        lua_Integer value;
    } numbers[] = {{"system_mask", psw->system_mask},
                   {"key", psw->key},
                   {"cc", psw->cc},
                   {"program_mask", psw->program_mask},
                   {"ia", psw->ia}};
    const struct {
        const char *name;
        bool value;
    } flags[] = {{"ec", psw_ec(psw)}, {"wait", psw_wait(psw)}, {"problem", psw_problem(psw)}, {"dat", psw_dat(psw)}};
    lua_createtable(L, 0, 10);
    lua_pushstring(L, hex);
    lua_setfield(L, -2, "hex");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        lua_pushinteger(L, numbers[i].value);
        lua_setfield(L, -2, numbers[i].name);
    }
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        lua_pushboolean(L, flags[i].value);
        lua_setfield(L, -2, flags[i].name);
    }
    if (luaL_newmetatable(L, "cloud370.psw")) {
        lua_pushcfunction(L, psw_text);
        lua_setfield(L, -2, "__tostring");
        lua_pushboolean(L, false);
        lua_setfield(L, -2, "__metatable");
    }
    lua_setmetatable(L, -2);
}

static int refuse_range(lua_State *L, const char *what, const struct node *node, uint32_t at, size_t length) {
    char hex[12];
    snprintf(hex, sizeof hex, "%06X", at);
    return luaL_error(L, "%s: %I bytes at %s are not all in the storage of %s", what, (lua_Integer)length, hex,
                      node->name);
}

static int machine_read_lua(lua_State *L) {
    struct node *node = self_node(L, "m:read");
    uint32_t at = address_at(L, 2, "m:read: the address");
    uint32_t length = (uint32_t)arguments_integer(L, 3, "m:read: the length", 1, STORAGE_MOST_BYTES);
    luaL_Buffer b;
    char *to = luaL_buffinitsize(L, &b, length);
    if (machine_peek(node->machine, at, to, length) != ACCESS_OK) {
        return refuse_range(L, "m:read", node, at, length);
    }
    luaL_pushresultsize(&b, length);
    return 1;
}

static int machine_write_lua(lua_State *L) {
    struct node *node = self_node(L, "m:write");
    size_t length;
    uint32_t at = address_at(L, 2, "m:write: the address");
    const char *from = arguments_text(L, 3, "m:write: the bytes", &length);
    refuse_while_running(L, "m:write");
    engine_charge(L, length / BYTES_PER_CHARGE);
    if (length &&
        (length > STORAGE_MOST_BYTES || machine_poke(node->machine, at, from, (uint32_t)length) != ACCESS_OK)) {
        return refuse_range(L, "m:write", node, at, length);
    }
    return 0;
}

static int machine_word_lua(lua_State *L) {
    struct node *node = self_node(L, "m:word");
    uint32_t at = address_at(L, 2, "m:word: the address");
    uint8_t word[4];
    if (machine_peek(node->machine, at, word, sizeof word) != ACCESS_OK) {
        return arguments_refuse(L, 2, "m:word: the address", "an address in the machine's storage");
    }
    lua_pushinteger(L, bytes_get32(word));
    return 1;
}

static int machine_key_lua(lua_State *L) {
    struct node *node = self_node(L, "m:key");
    int key = machine_key(node->machine, address_at(L, 2, "m:key: the address"));
    if (key < 0) {
        return arguments_refuse(L, 2, "m:key: the address", "an address in the machine's storage");
    }
    lua_createtable(L, 0, 5);
    lua_pushinteger(L, key);
    lua_setfield(L, -2, "value");
    lua_pushinteger(L, key >> 4);
    lua_setfield(L, -2, "access");
    lua_pushboolean(L, key & KEY_FETCH);
    lua_setfield(L, -2, "fetch");
    lua_pushboolean(L, key & KEY_REFERENCE);
    lua_setfield(L, -2, "reference");
    lua_pushboolean(L, key & KEY_CHANGE);
    lua_setfield(L, -2, "change");
    return 1;
}

/* Adds one step of a walk to the list on the top of the stack. */
static void add_step(lua_State *L, const char *what, uint32_t index, uint32_t address, bool was_read, uint32_t entry) {
    lua_createtable(L, 0, 4);
    lua_pushstring(L, what);
    lua_setfield(L, -2, "what");
    lua_pushinteger(L, index);
    lua_setfield(L, -2, "index");
    lua_pushinteger(L, address);
    lua_setfield(L, -2, "address");
    if (was_read) {
        lua_pushinteger(L, entry);
        lua_setfield(L, -2, "entry");
    }
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

static const char *access_name(enum access access) {
    switch (access) {
    case ACCESS_OK: return "ok";
    case ACCESS_PROTECTION: return "protection";
    case ACCESS_ADDRESSING: return "addressing";
    case ACCESS_SEGMENT: return "segment translation";
    case ACCESS_PAGE: return "page translation";
    case ACCESS_TRANSLATION_SPECIFICATION: return "translation specification";
    }
    return "unknown";
}

static int machine_walk_lua(lua_State *L) {
    struct node *node = self_node(L, "m:walk");
    struct dat_walk walk;
    enum access access = machine_walk(node->machine, address_at(L, 2, "m:walk: the virtual address"), &walk);
    lua_createtable(L, 0, 5);
    lua_pushstring(L, access_name(access));
    lua_setfield(L, -2, "result");
    lua_pushinteger(L, access);
    lua_setfield(L, -2, "code");
    if (access == ACCESS_OK) {
        lua_pushinteger(L, walk.real);
        lua_setfield(L, -2, "real");
        lua_pushboolean(L, walk.segment_protected || walk.page_protected);
        lua_setfield(L, -2, "protected");
    }
    lua_newtable(L);
    if (access != ACCESS_TRANSLATION_SPECIFICATION || walk.segment_read) {
        add_step(L, "segment", walk.segment_index, walk.segment_entry_address, walk.segment_read, walk.segment_entry);
    }
    if (walk.page_read || (walk.segment_read && access == ACCESS_PAGE)) {
        add_step(L, "page", walk.page_index, walk.page_entry_address, walk.page_read, walk.page_entry);
    }
    lua_setfield(L, -2, "steps");
    return 1;
}

/* m:disassemble(address [, n]): n instructions from a real address. */
static int machine_disassemble_lua(lua_State *L) {
    struct node *node = self_node(L, "m:disassemble");
    uint32_t at = address_at(L, 2, "m:disassemble: the address");
    lua_Integer count = lua_isnoneornil(L, 3) ? 1 : arguments_integer(L, 3, "m:disassemble: the number", 1, 10000);
    lua_newtable(L);
    for (lua_Integer i = 1; i <= count; i++) {
        uint8_t raw[6];
        uint32_t length = 6;
        engine_charge(L, DISASSEMBLE_CHARGE);
        char text[DISASSEMBLER_TEXT], hex[16];
        while (length >= 2 && machine_peek(node->machine, at, raw, length) != ACCESS_OK) {
            length -= 2;
        }
        if (length < 2) {
            break;
        }
        length = disassemble(text, raw, length);
        bytes_to_hex(hex, raw, length);
        lua_createtable(L, 0, 3);
        lua_pushinteger(L, at);
        lua_setfield(L, -2, "address");
        lua_pushstring(L, hex);
        lua_setfield(L, -2, "hex");
        lua_pushstring(L, text);
        lua_setfield(L, -2, "text");
        lua_rawseti(L, -2, i);
        at += length;
    }
    return 1;
}

static void set_count(lua_State *L, const char *name, uint64_t n) {
    lua_pushinteger(L, (lua_Integer)n);
    lua_setfield(L, -2, name);
}

static void push_registers(lua_State *L, const uint32_t registers[16]) {
    char hex[12];
    lua_createtable(L, 16, 0);
    for (int n = 0; n < 16; n++) {
        snprintf(hex, sizeof hex, "%08X", registers[n]);
        lua_pushstring(L, hex);
        lua_rawseti(L, -2, n + 1);
    }
}

/* Adds the monitors between the bare machine and `node`, from below, to the list on the top of the stack. */
static void push_levels(lua_State *L, struct node *node) {
    struct monitor *monitor = node->monitor;
    if (!monitor) {
        return;
    }
    push_levels(L, monitor->on);
    struct vmm_stats stats;
    vmm_stats(monitor->vmm, &stats);
    lua_createtable(L, 0, 4);
    lua_pushstring(L, vmm_kind(monitor->vmm));
    lua_setfield(L, -2, "kind");
    set_count(L, "traps", stats.traps);
    set_count(L, "shadow_faults", stats.shadow_faults);
    set_count(L, "cycles", machine_booked_level(node->tree->bare, machine_level(monitor->on->machine)));
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

void machine_push_stats(lua_State *L, struct node *node) {
    struct machine_stats stats, bare;
    struct machine_state state;
    char hex[17];
    uint8_t psw[8];
    machine_stats(node->machine, &stats);
    machine_stats(node->tree->bare, &bare);
    machine_state(node->machine, &state);
    psw_store(&state.psw, psw, 0, 0);
    bytes_to_hex(hex, psw, sizeof psw);
    lua_createtable(L, 0, 10);
    lua_pushstring(L, node->tree->model.name);
    lua_setfield(L, -2, "model");
    lua_pushstring(L, hex);
    lua_setfield(L, -2, "psw");
    push_registers(L, state.gpr);
    lua_setfield(L, -2, "gpr");
    push_registers(L, state.cr);
    lua_setfield(L, -2, "cr");
    set_count(L, "cc", state.psw.cc);
    set_count(L, "instructions", stats.instructions);
    set_count(L, "cycles", bare.cycles);
    lua_createtable(L, 0, INTERRUPTION_CLASSES);
    for (int c = 0; c < INTERRUPTION_CLASSES; c++) {
        set_count(L, interruption_name((enum interruption_class)c), stats.interruptions[c]);
    }
    lua_setfield(L, -2, "interruptions");
    lua_newtable(L);
    push_levels(L, node);
    lua_setfield(L, -2, "levels");
}

static int machine_stats_lua(lua_State *L) {
    engine_charge(L, VIEW_CHARGE);
    machine_push_stats(L, self_node(L, "m:stats"));
    return 1;
}

/* m:account(): cycles of the tree by level and cause; the first entry is level 0. */
static int machine_account_lua(lua_State *L) {
    struct node *node = self_node(L, "m:account");
    int deepest = 0;
    for (const struct node *n = node->tree->nodes; n; n = n->next) {
        int level = machine_level(n->machine);
        deepest = level > deepest ? level : deepest;
    }
    lua_newtable(L);
    for (int level = 0; level <= deepest; level++) {
        lua_newtable(L);
        for (int c = 0; c < CAUSE_COUNT; c++) {
            set_count(L, cycle_cause_name((enum cycle_cause)c),
                      machine_booked(node->tree->bare, level, (enum cycle_cause)c));
        }
        set_count(L, "all", machine_booked_level(node->tree->bare, level));
        lua_rawseti(L, -2, level + 1);
    }
    return 1;
}

/* --- registers, m.gpr and m.cr ------------------------------------------------------------------------------------ */

static struct handle *register_at(lua_State *L, int *number) {
    struct handle *h = objects_check(L, 1, CLASS_REGISTERS, "m.gpr or m.cr");
    *number = (int)arguments_integer(L, 2, h->part == GENERAL ? "m.gpr: the register" : "m.cr: the register", 0, 15);
    return h;
}

static int registers_index(lua_State *L) {
    struct machine_state state;
    int n;
    struct handle *h = register_at(L, &n);
    machine_state(h->node->machine, &state);
    lua_pushinteger(L, h->part == GENERAL ? state.gpr[n] : state.cr[n]);
    return 1;
}

static int registers_newindex(lua_State *L) {
    struct machine_state state;
    int n;
    struct handle *h = register_at(L, &n);
    lua_Integer value =
        arguments_integer(L, 3, h->part == GENERAL ? "m.gpr: the value" : "m.cr: the value", INT32_MIN, UINT32_MAX);
    refuse_while_running(L, "registers");
    machine_state(h->node->machine, &state);
    (h->part == GENERAL ? state.gpr : state.cr)[n] = (uint32_t)value;
    machine_set_state(h->node->machine, &state);
    return 0;
}

static int registers_text(lua_State *L) {
    struct handle *h = luaL_testudata(L, 1, CLASS_REGISTERS);
    engine_charge(L, VIEW_CHARGE);
    struct bytes *text = engine_scratch(L);
    if (!h || !h->tree || h->tree->closed) {
        bytes_printf(text, "registers of a closed machine");
    } else {
        struct machine_state state;
        machine_state(h->node->machine, &state);
        for (int n = 0; n < 16; n++) {
            bytes_printf(text, "%s%08X", n ? " " : "", h->part == GENERAL ? state.gpr[n] : state.cr[n]);
        }
    }
    engine_push_scratch(L, text);
    return 1;
}

/* --- devices, m.console and m.printer ----------------------------------------------------------------------------- */

static struct handle *check_device(lua_State *L, const char *what, struct device **device) {
    struct handle *h = objects_check(L, 1, CLASS_DEVICE, what);
    *device = machine_device(h->node->machine, (uint16_t)h->part);
    if (!*device) {
        luaL_error(L, "%s: %s has no such device", what, h->node->name);
    }
    return h;
}

static int device_text(lua_State *L) {
    struct device *device;
    struct handle *h = check_device(L, "m.console:text", &device);
    const struct bytes *latin1 = h->part == CONSOLE ? console_text(device) : printer_text(device);
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (size_t i = 0; i < latin1->length; i++) {
        unsigned char c = latin1->data[i];
        if (c < 0x80) {
            luaL_addchar(&b, (char)c);
        } else {
            luaL_addchar(&b, (char)(0xC0 | c >> 6));
            luaL_addchar(&b, (char)(0x80 | (c & 0x3F)));
        }
    }
    luaL_pushresult(&b);
    return 1;
}

static int device_type(lua_State *L) {
    struct device *device;
    struct handle *h = check_device(L, "m.console:type", &device);
    size_t length;
    const char *line = arguments_text(L, 2, "m.console:type: the line", &length);
    refuse_while_running(L, "m.console:type");
    if (h->part != CONSOLE) {
        return luaL_error(L, "m.console:type: a printer has no keyboard");
    }
    if (length > 150 || strpbrk(line, "\r\n")) {
        return arguments_refuse(L, 2, "m.console:type: the line", "one line of up to 150 characters");
    }
    if (!console_type(device, line, length)) {
        return luaL_error(L, "not enough memory");
    }
    return 0;
}

const struct engine_function device_methods[] = {
    {"text", device_text, "all that was written so far, lines ended by newlines"},
    {"type", device_type, "the operator types a line; the next read gets it (console only)"},
    {NULL, NULL, NULL},
};

/* --- the machine as a Lua object ---------------------------------------------------------------------------------- */

const struct engine_function machine_methods[] = {
    {"load", machine_load_lua, "load(assembly) or load{bytes=, at=}: into real storage"},
    {"restart", machine_restart_lua, "makes it ready to start by a restart interruption, from the PSW at 0"},
    {"start", machine_start_lua, "start(psw): makes it ready to start with this PSW, 16 hex digits"},
    {"run", machine_run_lua, "run{instructions=, cycles=, until_trap=, until_address=}: returns why it stopped"},
    {"read", machine_read_lua, "read(address, length): bytes of real storage"},
    {"write", machine_write_lua, "write(address, bytes)"},
    {"word", machine_word_lua, "word(address): four bytes of real storage as a number"},
    {"key", machine_key_lua, "key(address): the storage key there"},
    {"walk", machine_walk_lua, "walk(address): translates a virtual address, step by step"},
    {"disassemble", machine_disassemble_lua, "disassemble(address, n): the instructions there"},
    {"stats", machine_stats_lua, "counts and registers, with the names of cloud370 exec --json"},
    {"account", machine_account_lua, "cycles of the whole tree by level and cause"},
    {"raise", machine_raise_lua, "raise(\"interrupt-key\" | \"machine-check\" | \"attention\")"},
    {"on", events_on, "on(kind, handler): called with each event of it and of what runs on it"},
    {"close", machine_close_lua, "gives a bare machine's memory back, with all that runs on it"},
    {NULL, NULL, NULL},
};

const struct engine_function machine_functions[] = {
    {"new", machine_new_lua, "new{memory=, model=, nominal=, name=}: a bare machine"},
    {"models", machine_models, "the names of the cost models"},
    {NULL, NULL, NULL},
};

/* Pushes a part of the machine at stack 1, which the part keeps alive. */
static void push_part(lua_State *L, const struct handle *machine, const char *class, int part) {
    struct handle *h = objects_push(L, class);
    h->part = part;
    objects_hold(h, machine->tree, machine->node, NULL);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
}

static int machine_index(lua_State *L) {
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) {
        return 1;
    }
    struct handle *h = objects_check(L, 1, CLASS_MACHINE, *name ? name : "m[...]");
    struct machine_state state;
    if (!strcmp(name, "psw")) {
        machine_state(h->node->machine, &state);
        push_psw(L, &state.psw);
    } else if (!strcmp(name, "gpr")) {
        push_part(L, h, CLASS_REGISTERS, GENERAL);
    } else if (!strcmp(name, "cr")) {
        push_part(L, h, CLASS_REGISTERS, CONTROL);
    } else if (!strcmp(name, "console")) {
        push_part(L, h, CLASS_DEVICE, CONSOLE);
    } else if (!strcmp(name, "printer")) {
        push_part(L, h, CLASS_DEVICE, PRINTER);
    } else if (!strcmp(name, "name")) {
        lua_pushstring(L, h->node->name);
    } else if (!strcmp(name, "memory")) {
        lua_pushinteger(L, machine_memory(h->node->machine));
    } else if (!strcmp(name, "level")) {
        lua_pushinteger(L, machine_level(h->node->machine));
    } else if (!strcmp(name, "status")) {
        lua_pushstring(L, machine_status_name(machine_status(h->node->machine)));
    } else if (!strcmp(name, "host")) {
        if (h->node->host) {
            objects_push_machine(L, h->node->host);
        } else {
            lua_pushnil(L);
        }
    } else {
        return luaL_error(L,
                          "a machine has no field %s; it has psw, gpr, cr, console, printer, name, memory, level, "
                          "status, host, and methods",
                          *name ? name : luaL_typename(L, 2));
    }
    return 1;
}

static int machine_newindex(lua_State *L) {
    struct handle *h = objects_check(L, 1, CLASS_MACHINE, "m");
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    if (strcmp(name, "psw")) {
        return luaL_error(L, "of a machine only psw, gpr[n] and cr[n] can be set, not %s",
                          *name ? name : luaL_typename(L, 2));
    }
    struct machine_state state;
    uint8_t raw[8];
    psw_at(L, 3, "m.psw", raw);
    refuse_while_running(L, "m.psw");
    machine_state(h->node->machine, &state);
    psw_load(&state.psw, raw);
    machine_set_state(h->node->machine, &state);
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
    engine_new_class(L, CLASS_MACHINE, machine_methods, machine_index, machine_newindex, objects_gc, machine_text);
    engine_new_class(L, CLASS_REGISTERS, NULL, registers_index, registers_newindex, objects_gc, registers_text);
    engine_new_class(L, CLASS_DEVICE, device_methods, NULL, NULL, objects_gc, NULL);
    lua_newtable(L);
    engine_add_functions(L, machine_functions);
    lua_setglobal(L, "machine");
}
