/* The Lua face of a machine's state: storage, keys, translation, counts. Looking costs no cycles and changes nothing.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "isa/disassembler.h"
#include "scenarios/engine/engine_internal.h"

/* What calls cost, in Lua instructions. */
#define FRAME_OFFSET 0xFFFu /* of an address in its page frame */
enum { VIEW_CHARGE = 50, DISASSEMBLE_CHARGE = 15 };

/* --- storage ------------------------------------------------------------------------------------------------------ */

static int refuse_range(lua_State *L, const char *what, const struct node *node, uint32_t at, size_t length) {
    char hex[12];
    snprintf(hex, sizeof hex, "%06X", at);
    return luaL_error(L, "%s: %I bytes at %s are not all in the storage of %s", what, (lua_Integer)length, hex,
                      node->name);
}

static int machine_read_lua(lua_State *L) {
    struct node *node = machine_self(L, "m:read");
    uint32_t at = machine_address(L, 2, "m:read: the address");
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
    struct node *node = machine_self(L, "m:write");
    size_t length;
    uint32_t at = machine_address(L, 2, "m:write: the address");
    const char *from = arguments_text(L, 3, "m:write: the bytes", &length);
    machine_refuse_while_running(L, "m:write");
    engine_charge(L, length / STATE_BYTES_PER_CHARGE);
    if (length &&
        (length > STORAGE_MOST_BYTES || machine_poke(node->machine, at, from, (uint32_t)length) != ACCESS_OK)) {
        return refuse_range(L, "m:write", node, at, length);
    }
    return 0;
}

static int machine_word_lua(lua_State *L) {
    struct node *node = machine_self(L, "m:word");
    uint32_t at = machine_address(L, 2, "m:word: the address");
    uint8_t word[4];
    if (machine_peek(node->machine, at, word, sizeof word) != ACCESS_OK) {
        return arguments_refuse(L, 2, "m:word: the address", "an address in the machine's storage");
    }
    lua_pushinteger(L, bytes_get32(word));
    return 1;
}

static int machine_key_lua(lua_State *L) {
    struct node *node = machine_self(L, "m:key");
    int key = machine_key(node->machine, machine_address(L, 2, "m:key: the address"));
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

/* --- translation -------------------------------------------------------------------------------------------------- */

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

/* Pushes where the real address lies in this machine and in each below it, as far as monitors gave it a frame. */
static void push_path(lua_State *L, const struct node *node, uint32_t real) {
    lua_newtable(L);
    for (;;) {
        lua_createtable(L, 0, 2);
        lua_pushstring(L, node->name);
        lua_setfield(L, -2, "machine");
        lua_pushinteger(L, real);
        lua_setfield(L, -2, "real");
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
        int64_t frame = node->host ? vmm_frame(node->machine, real & ~FRAME_OFFSET) : -1;
        if (frame < 0) {
            return;
        }
        real = (uint32_t)frame | (real & FRAME_OFFSET);
        node = node->host;
    }
}

/* m:path(address): of a real address of this machine. */
static int machine_path_lua(lua_State *L) {
    struct node *node = machine_self(L, "m:path");
    uint32_t real = machine_address(L, 2, "m:path: the real address");
    if (real >= machine_memory(node->machine)) {
        return arguments_refuse(L, 2, "m:path: the real address", "an address in the machine's storage");
    }
    push_path(L, node, real);
    return 1;
}

static int machine_walk_lua(lua_State *L) {
    struct node *node = machine_self(L, "m:walk");
    struct dat_walk walk;
    enum access access = machine_walk(node->machine, machine_address(L, 2, "m:walk: the virtual address"), &walk);
    lua_createtable(L, 0, 6);
    lua_pushstring(L, access_name(access));
    lua_setfield(L, -2, "result");
    lua_pushinteger(L, access);
    lua_setfield(L, -2, "code");
    if (access == ACCESS_OK) {
        lua_pushinteger(L, walk.real);
        lua_setfield(L, -2, "real");
        lua_pushboolean(L, walk.segment_protected || walk.page_protected);
        lua_setfield(L, -2, "protected");
        push_path(L, node, walk.real);
        lua_setfield(L, -2, "path");
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
    struct node *node = machine_self(L, "m:disassemble");
    uint32_t at = machine_address(L, 2, "m:disassemble: the address");
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
        length = disassemble_in(machine_profile(node->machine), text, raw, length);
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

/* --- counts ------------------------------------------------------------------------------------------------------- */

void state_set_text(lua_State *L, const char *name, const char *text) {
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

void state_set_count(lua_State *L, const char *name, uint64_t n) {
    lua_pushinteger(L, (lua_Integer)n);
    lua_setfield(L, -2, name);
}

void state_push_registers(lua_State *L, const uint32_t registers[16]) {
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
    const char *kind = monitor_kind(monitor, &stats);
    lua_createtable(L, 0, 4);
    lua_pushstring(L, kind);
    lua_setfield(L, -2, "kind");
    state_set_count(L, "traps", stats.traps);
    state_set_count(L, "shadow_faults", stats.shadow_faults);
    state_set_count(L, "cycles", machine_booked_level(node->tree->bare, machine_level(monitor->on->machine)));
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

void state_push_interruptions(lua_State *L, const struct machine_stats *stats) {
    lua_createtable(L, 0, INTERRUPTION_CLASSES);
    for (int c = 0; c < INTERRUPTION_CLASSES; c++) {
        state_set_count(L, interruption_name((enum interruption_class)c), stats->interruptions[c]);
    }
}

static void push_stats(lua_State *L, struct node *node) {
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
    state_push_registers(L, state.gpr);
    lua_setfield(L, -2, "gpr");
    state_push_registers(L, state.cr);
    lua_setfield(L, -2, "cr");
    state_set_count(L, "cc", state.psw.cc);
    state_set_count(L, "instructions", stats.instructions);
    state_set_count(L, "cycles", bare.cycles);
    state_push_interruptions(L, &stats);
    lua_setfield(L, -2, "interruptions");
    lua_newtable(L);
    push_levels(L, node);
    lua_setfield(L, -2, "levels");
}

static int machine_stats_lua(lua_State *L) {
    engine_charge(L, VIEW_CHARGE);
    push_stats(L, machine_self(L, "m:stats"));
    return 1;
}

/* Pushes the cycles of the tree by level and cause, of one CPU of the bare machine, or of all of them (cpu -1); the
 * first entry is level 0. */
void state_push_account(lua_State *L, const struct tree *tree, int cpu) {
    int deepest = 0;
    for (const struct node *n = tree->nodes; n; n = n->next) {
        int level = machine_level(n->machine);
        deepest = level > deepest ? level : deepest;
    }
    engine_charge(L, VIEW_CHARGE);
    lua_newtable(L);
    for (int level = 0; level <= deepest; level++) {
        uint64_t all = 0;
        lua_newtable(L);
        for (int c = 0; c < CAUSE_COUNT; c++) {
            enum cycle_cause cause = (enum cycle_cause)c;
            uint64_t booked = cpu < 0 ? machine_booked(tree->bare, level, cause)
                                      : machine_cpu_booked(tree->bare, (unsigned)cpu, level, cause);
            all += booked;
            state_set_count(L, cycle_cause_name(cause), booked);
        }
        state_set_count(L, "all", all);
        lua_rawseti(L, -2, level + 1);
    }
}

static int machine_account_lua(lua_State *L) {
    state_push_account(L, machine_self(L, "m:account")->tree, -1);
    return 1;
}

/* --- opening ------------------------------------------------------------------------------------------------------ */

const struct engine_function state_methods[] = {
    {"read", machine_read_lua, "read(address, length): bytes of real storage", 2},
    {"write", machine_write_lua, "write(address, bytes)", 2},
    {"word", machine_word_lua, "word(address): four bytes of real storage as a number", 1},
    {"key", machine_key_lua, "key(address): the storage key there", 1},
    {"walk", machine_walk_lua,
     "walk(address): translates a virtual address, step by step, and on down to the bare machine", 1},
    {"path", machine_path_lua, "path(address): where a real address lies in this machine and in each below it", 1},
    {"disassemble", machine_disassemble_lua, "disassemble(address, n): the instructions there", 2},
    {"stats", machine_stats_lua, "counts and registers, with the names of cloud370 exec --json", 0},
    {"account", machine_account_lua, "cycles of the whole tree by level and cause", 0},
    {NULL, NULL, NULL, 0},
};
