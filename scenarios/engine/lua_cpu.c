/* The Lua face of CPUs: PSW, registers, clocks, counts. A machine's own fields are those of its CPU 0. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "scenarios/engine/engine_internal.h"
#include "scenarios/engine/units.h"

#define CLASS_CPUS "cloud370.list of CPUs"
#define CLASS_CPU "cloud370.CPU"
#define CLASS_REGISTERS "cloud370.registers"

enum { VIEW_CHARGE = 50 }; /* Lua instructions */

/* --- the PSW ------------------------------------------------------------------------------------------------------ */

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

int cpu_read_psw(lua_State *L, int index, const char *what, uint8_t to[8]) {
    const char *text = arguments_text(L, index, what, NULL);
    bool ok = strlen(text) == 16;
    for (int i = 0; ok && i < 8; i++) {
        char pair[3] = {text[2 * i], text[2 * i + 1], '\0'};
        uint32_t byte;
        ok = units_hex(pair, 0xFF, &byte);
        to[i] = ok ? (uint8_t)byte : 0;
    }
    return ok ? 0 : arguments_refuse(L, index, what, "a text of 16 hexadecimal digits");
}

/* --- registers ---------------------------------------------------------------------------------------------------- */

/* A handle's part: the CPU, and which registers. */
enum { GENERAL = 0, CONTROL = 1, REGISTERS = 2 };

static uint32_t *registers_of(const struct handle *h, struct machine_state *state) {
    machine_cpu_state(h->node->machine, (unsigned)h->part / REGISTERS, state);
    return h->part % REGISTERS == GENERAL ? state->gpr : state->cr;
}

static struct handle *register_at(lua_State *L, int *number) {
    struct handle *h = objects_check(L, 1, CLASS_REGISTERS, "m.gpr or m.cr");
    const char *what = h->part % REGISTERS == GENERAL ? "m.gpr: the register" : "m.cr: the register";
    *number = (int)arguments_integer(L, 2, what, 0, 15);
    return h;
}

/* A hypervisor in assembler has them; it would not notice. */
static void refuse_only_seen(lua_State *L, const struct handle *h, const char *what) {
    if (machine_only_seen(h->node->machine)) {
        luaL_error(L, "%s: %s belongs to a hypervisor in assembler, and can only be looked at", what, h->node->name);
    }
}

static int registers_index(lua_State *L) {
    struct machine_state state;
    int n;
    struct handle *h = register_at(L, &n);
    lua_pushinteger(L, registers_of(h, &state)[n]);
    return 1;
}

static int registers_newindex(lua_State *L) {
    struct machine_state state;
    int n;
    struct handle *h = register_at(L, &n);
    const char *what = h->part % REGISTERS == GENERAL ? "m.gpr: the value" : "m.cr: the value";
    lua_Integer value = arguments_integer(L, 3, what, INT32_MIN, UINT32_MAX);
    machine_refuse_while_running(L, "registers");
    refuse_only_seen(L, h, "registers");
    registers_of(h, &state)[n] = (uint32_t)value;
    machine_cpu_set_state(h->node->machine, (unsigned)h->part / REGISTERS, &state);
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
        const uint32_t *registers = registers_of(h, &state);
        for (int n = 0; n < 16; n++) {
            bytes_printf(text, "%s%08X", n ? " " : "", registers[n]);
        }
    }
    engine_push_scratch(L, text);
    return 1;
}

/* --- fields ------------------------------------------------------------------------------------------------------- */

static void push_psw_field(lua_State *L, const struct machine_state *state) { push_psw(L, &state->psw); }
static void push_prefix(lua_State *L, const struct machine_state *state) { lua_pushinteger(L, state->prefix); }
static void push_tod(lua_State *L, const struct machine_state *state) { lua_pushinteger(L, (lua_Integer)state->tod); }
static void push_comparator(lua_State *L, const struct machine_state *state) {
    lua_pushinteger(L, (lua_Integer)state->clock_comparator);
}
static void push_timer(lua_State *L, const struct machine_state *state) {
    lua_pushinteger(L, (lua_Integer)state->cpu_timer);
}

static const struct {
    const char *name;
    void (*push)(lua_State *L, const struct machine_state *state);
} values[] = {
    {"psw", push_psw_field},   {"prefix", push_prefix}, {"tod", push_tod}, {"clock_comparator", push_comparator},
    {"cpu_timer", push_timer},
};
enum { VALUES = sizeof values / sizeof *values };

bool cpu_push_field(lua_State *L, const struct handle *h, unsigned cpu, const char *name) {
    if (!strcmp(name, "gpr") || !strcmp(name, "cr")) {
        objects_push_part(L, h, CLASS_REGISTERS, (int)cpu * REGISTERS + (*name == 'g' ? GENERAL : CONTROL));
        return true;
    }
    for (int i = 0; i < VALUES; i++) {
        if (!strcmp(name, values[i].name)) {
            struct machine_state state;
            machine_cpu_state(h->node->machine, cpu, &state);
            values[i].push(L, &state);
            return true;
        }
    }
    return false;
}

const char *cpu_field_names(void) { return "psw, gpr, cr, prefix, tod, clock_comparator, cpu_timer"; }

void cpu_set_psw(lua_State *L, const struct handle *h, unsigned cpu, int index, const char *what) {
    struct machine_state state;
    uint8_t raw[8];
    cpu_read_psw(L, index, what, raw);
    machine_refuse_while_running(L, what);
    refuse_only_seen(L, h, what);
    machine_cpu_state(h->node->machine, cpu, &state);
    psw_load(&state.psw, raw);
    machine_cpu_set_state(h->node->machine, cpu, &state);
}

/* --- m.cpu[n] ----------------------------------------------------------------------------------------------------- */

static int cpus_index(lua_State *L) {
    struct handle *h = objects_check(L, 1, CLASS_CPUS, "m.cpu");
    lua_Integer most = (lua_Integer)machine_cpus(h->node->machine) - 1;
    objects_push_part(L, h, CLASS_CPU, (int)arguments_integer(L, 2, "m.cpu: the CPU", 0, most));
    return 1;
}

static int cpus_length(lua_State *L) {
    lua_pushinteger(L, machine_cpus(objects_check(L, 1, CLASS_CPUS, "m.cpu")->node->machine));
    return 1;
}

static int cpus_text(lua_State *L) {
    struct handle *h = objects_check(L, 1, CLASS_CPUS, "m.cpu");
    int count = (int)machine_cpus(h->node->machine);
    lua_pushfstring(L, "%d CPU%s of %s", count, count == 1 ? "" : "s", h->node->name);
    return 1;
}

static int cpu_index(lua_State *L) {
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : luaL_typename(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) {
        return 1;
    }
    struct handle *h = objects_check(L, 1, CLASS_CPU, "m.cpu[n]");
    if (!strcmp(name, "status")) {
        lua_pushstring(L, machine_cpu_status_name(machine_cpu_status(h->node->machine, (unsigned)h->part)));
    } else if (!strcmp(name, "address")) {
        lua_pushinteger(L, h->part);
    } else if (!cpu_push_field(L, h, (unsigned)h->part, name)) {
        return luaL_error(L, "a CPU has no field %s; it has %s, status, address, and methods", name, cpu_field_names());
    }
    return 1;
}

static int cpu_newindex(lua_State *L) {
    struct handle *h = objects_check(L, 1, CLASS_CPU, "m.cpu[n]");
    if (lua_type(L, 2) != LUA_TSTRING || strcmp(lua_tostring(L, 2), "psw")) {
        return luaL_error(L, "of a CPU only psw, gpr[n] and cr[n] can be set");
    }
    cpu_set_psw(L, h, (unsigned)h->part, 3, "m.cpu[n].psw");
    return 0;
}

static int cpu_text(lua_State *L) {
    struct handle *h = objects_check(L, 1, CLASS_CPU, "m.cpu[n]");
    lua_pushfstring(L, "CPU %d of %s", h->part, h->node->name);
    return 1;
}

static int cpu_stats_lua(lua_State *L) {
    struct machine_stats stats;
    struct handle *h = objects_check(L, 1, CLASS_CPU, "m.cpu[n]:stats");
    engine_charge(L, VIEW_CHARGE);
    machine_cpu_stats(h->node->machine, (unsigned)h->part, &stats);
    lua_createtable(L, 0, 3);
    state_set_count(L, "instructions", stats.instructions);
    state_set_count(L, "cycles", stats.cycles);
    state_push_interruptions(L, &stats);
    lua_setfield(L, -2, "interruptions");
    return 1;
}

static int cpu_account_lua(lua_State *L) {
    struct handle *h = objects_check(L, 1, CLASS_CPU, "m.cpu[n]:account");
    if (h->node->host) {
        return luaL_error(L, "m.cpu[n]:account: %s is a guest; the CPUs that have accounts are the bare machine's",
                          h->node->name);
    }
    state_push_account(L, h->tree, h->part);
    return 1;
}

const struct engine_function cpu_methods[] = {
    {"stats", cpu_stats_lua, "instructions, cycles and interruptions of this CPU", 0},
    {"account", cpu_account_lua, "the cycles of this CPU by level and cause", 0},
    {NULL, NULL, NULL, 0},
};

void cpu_push_all(lua_State *L, const struct handle *h) { objects_push_part(L, h, CLASS_CPUS, 0); }

void lua_open_cpu(lua_State *L) {
    static const struct engine_function *const methods[] = {cpu_methods, NULL};
    engine_new_class(L, CLASS_REGISTERS, NULL, registers_index, registers_newindex, objects_gc, registers_text);
    engine_new_class(L, CLASS_CPU, methods, cpu_index, cpu_newindex, objects_gc, cpu_text);
    engine_new_class(L, CLASS_CPUS, NULL, cpus_index, NULL, objects_gc, cpus_text);
    luaL_getmetatable(L, CLASS_CPUS);
    lua_pushcfunction(L, cpus_length);
    lua_setfield(L, -2, "__len");
    lua_pop(L, 1);
}
