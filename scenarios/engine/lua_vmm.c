/* The Lua face of monitors (vmm/vmm.h). */
#include <stdio.h>
#include <string.h>

#include "scenarios/engine/engine_internal.h"

static struct monitor *self_monitor(lua_State *L, const char *what) {
    return objects_check(L, 1, CLASS_VMM, what)->monitor;
}

/* The kinds that are ready, for messages. */
static const char *ready_kinds(char *to, size_t size) {
    const char *name;
    *to = '\0';
    for (unsigned i = 0; (name = vmm_kind_name(i)); i++) {
        snprintf(to + strlen(to), size - strlen(to), "%s\"%s\"", i ? ", " : "", name);
    }
    return to;
}

static const char *check_kind(lua_State *L, int index) {
    const char *kind = arguments_text(L, index, "vmm.new: kind", NULL), *name;
    char ready[256];
    for (unsigned i = 0; (name = vmm_kind_name(i)); i++) {
        if (!strcmp(name, kind)) {
            return kind;
        }
    }
    luaL_error(L, "vmm.new: kind is \"%s\", which is not %s; it takes %s", kind,
               vmm_kind_known(kind) ? "there yet" : "a kind of monitor", ready_kinds(ready, sizeof ready));
    return NULL;
}

/* "purge" or "protect" */
static enum shadow_policy check_policy(lua_State *L, int index) {
    const char *name = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
    if (strcmp(name, "purge") && strcmp(name, "protect")) {
        arguments_refuse(L, index, "vmm.new: policy", "\"purge\" or \"protect\"");
    }
    return strcmp(name, "purge") ? SHADOW_PROTECT : SHADOW_PURGE;
}

static void read_options(lua_State *L, struct monitor_options *options) {
    if (lua_getfield(L, 1, "spaces") != LUA_TNIL) {
        options->spaces = (unsigned)arguments_integer(L, -1, "vmm.new: spaces", 1, SHADOW_SPACES_MOST);
    }
    if (lua_getfield(L, 1, "policy") != LUA_TNIL) {
        options->policy = check_policy(L, -1);
    }
    if (lua_getfield(L, 1, "slice") != LUA_TNIL) {
        options->slice = (uint64_t)arguments_integer(L, -1, "vmm.new: slice", 1, LUA_MAXINTEGER);
    }
    if (lua_getfield(L, 1, "cpus") != LUA_TNIL) {
        options->cpus = (unsigned)arguments_integer(L, -1, "vmm.new: cpus", 1, HOST_CPUS_MOST);
    }
    lua_pop(L, 4);
}

static int vmm_new_lua(lua_State *L) {
    static const char *const keys[] = {"on", "kind", "spaces", "policy", "slice", "cpus", NULL};
    const char *kind = vmm_kind_name(0);
    struct monitor_options options = vmm_default_options();
    lua_settop(L, 1);
    arguments_table(L, 1, "vmm.new: the argument", keys, false);
    if (lua_getfield(L, 1, "kind") != LUA_TNIL) { /* 2 */
        kind = check_kind(L, 2);
    }
    read_options(L, &options);
    lua_getfield(L, 1, "on"); /* 3 */
    struct handle *on = objects_check(L, 3, CLASS_MACHINE, "vmm.new: on");
    struct handle *h = objects_push(L, CLASS_VMM);
    objects_new_monitor(L, h, on->node, kind, &options);
    lua_pushvalue(L, 3);
    lua_setiuservalue(L, -2, 1);
    return 1;
}

/* vmm.host_memory(memory [, cpus]): what a machine needs so that a monitor on it can have a guest of this size; machine
 * and guest have so many CPUs. */
static int vmm_host_memory(lua_State *L) {
    uint32_t memory = (uint32_t)arguments_size(L, 1, "vmm.host_memory: the guest's memory", 4096, STORAGE_MOST_BYTES);
    struct monitor_options options = vmm_default_options();
    options.cpus = 1;
    if (!lua_isnoneornil(L, 2)) {
        options.cpus = (unsigned)arguments_integer(L, 2, "vmm.host_memory: CPUs", 1, VIRTUAL_CPUS_MOST);
    }
    lua_pushinteger(L, vmm_host_bytes_with(memory, options.cpus, &options));
    return 1;
}

/* vmm.map{on=, guest=, memory=, name=}: a guest of the hypervisor in assembler that was loaded into `on`. */
static int vmm_map_lua(lua_State *L) {
    static const char *const keys[] = {"on", "guest", "memory", "name", NULL};
    unsigned guest = 0;
    uint32_t memory = 0;
    const char *name = NULL;
    lua_settop(L, 1);
    arguments_table(L, 1, "vmm.map: the argument", keys, false);
    if (lua_getfield(L, 1, "guest") != LUA_TNIL) {
        guest = (unsigned)arguments_integer(L, -1, "vmm.map: guest", 0, MAP_GUESTS_MOST - 1);
    }
    if (lua_getfield(L, 1, "memory") != LUA_TNIL) {
        memory = (uint32_t)arguments_size(L, -1, "vmm.map: memory", 4096, STORAGE_MOST_BYTES);
        if (memory % 4096) {
            return arguments_refuse(L, -1, "vmm.map: memory", "a multiple of 4K");
        }
    }
    if (lua_getfield(L, 1, "name") != LUA_TNIL) {
        name = arguments_text(L, -1, "vmm.map: name", NULL);
    }
    lua_getfield(L, 1, "on");
    objects_push_seen(L, objects_check(L, -1, CLASS_MACHINE, "vmm.map: on")->node, guest, memory, name);
    return 1;
}

static int vmm_kinds(lua_State *L) {
    const char *name;
    lua_newtable(L);
    for (unsigned i = 0; (name = vmm_kind_name(i)); i++) {
        lua_pushstring(L, name);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int vmm_guest_lua(lua_State *L) {
    static const char *const keys[] = {"memory", "name", "cpus", "disk", "cards", NULL};
    struct monitor *monitor = self_monitor(L, "v:guest");
    struct guest_options options = {.memory_bytes = 1 << 20};
    lua_settop(L, 2);
    if (arguments_table(L, 2, "v:guest: the argument", keys, true)) {
        if (lua_getfield(L, 2, "memory") != LUA_TNIL) {
            options.memory_bytes = (uint32_t)arguments_size(L, -1, "v:guest: memory", 4096, STORAGE_MOST_BYTES);
            if (options.memory_bytes % 4096) {
                return arguments_refuse(L, -1, "v:guest: memory", "a multiple of 4K");
            }
        }
        if (lua_getfield(L, 2, "name") != LUA_TNIL) {
            options.name = arguments_text(L, -1, "v:guest: name", NULL);
        }
        if (lua_getfield(L, 2, "cpus") != LUA_TNIL) {
            options.cpus = (unsigned)arguments_integer(L, -1, "v:guest: cpus", 1, VIRTUAL_CPUS_MOST);
        }
    }
    struct disk_choice *devices = devices_choose(L, 2, monitor->on, "v:guest");
    struct handle *h = objects_push(L, CLASS_MACHINE);
    struct node *node = objects_new_guest(L, h, monitor, &options);
    devices_attach(L, 2, node, devices, "v:guest");
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    return 1;
}

static void set_count(lua_State *L, const char *name, uint64_t n) {
    lua_pushinteger(L, (lua_Integer)n);
    lua_setfield(L, -2, name);
}

/* The guest of this monitor at `index`. */
static struct node *check_guest(lua_State *L, const struct monitor *monitor, int index, const char *what) {
    struct node *guest = objects_check(L, index, CLASS_MACHINE, what)->node;
    if (guest->monitor != monitor) {
        arguments_refuse(L, index, what, "a guest of this monitor");
    }
    return guest;
}

/* v:stats([guest]): of all its guests, or of one. */
static int vmm_stats_lua(lua_State *L) {
    struct monitor *monitor = self_monitor(L, "v:stats");
    struct vmm_stats stats;
    lua_settop(L, 2);
    bool all = lua_isnil(L, 2);
    if (all) {
        vmm_stats(monitor->vmm, &stats);
    } else {
        vmm_guest_stats(check_guest(L, monitor, 2, "v:stats: the guest")->machine, &stats);
    }
    lua_createtable(L, 0, 7);
    lua_pushstring(L, vmm_kind(monitor->vmm));
    lua_setfield(L, -2, "kind");
    set_count(L, "traps", stats.traps);
    set_count(L, "shadow_faults", stats.shadow_faults);
    set_count(L, "interpreted", stats.interpreted);
    set_count(L, "reflected", stats.reflected);
    set_count(L, "dispatches", stats.dispatches);
    if (!all) { /* cycles are booked to the monitor as a whole */
        return 1;
    }
    set_count(L, "cycles", machine_booked_level(monitor->tree->bare, machine_level(monitor->on->machine)));
    return 1;
}

/* v:frame(address [, guest]): where a guest's real page lies in the monitor's machine; nil when it is not the guest's.
 */
static int vmm_frame_lua(lua_State *L) {
    struct monitor *monitor = self_monitor(L, "v:frame");
    uint32_t address = (uint32_t)arguments_integer(L, 2, "v:frame: the address", 0, 0xFFFFFF);
    struct machine *guest = vmm_guest_at(monitor->vmm, 0);
    if (!lua_isnoneornil(L, 3)) {
        guest = check_guest(L, monitor, 3, "v:frame: the guest")->machine;
    }
    int64_t frame = guest ? vmm_frame(guest, address) : -1;
    if (frame < 0) {
        lua_pushnil(L);
    } else {
        lua_pushinteger(L, frame);
    }
    return 1;
}

static int vmm_guests_lua(lua_State *L) {
    struct monitor *monitor = self_monitor(L, "v:guests");
    lua_newtable(L);
    for (unsigned i = 0;; i++) {
        struct machine *guest = vmm_guest_at(monitor->vmm, i);
        struct node *node = monitor->tree->nodes;
        while (guest && node && node->machine != guest) {
            node = node->next;
        }
        if (!guest || !node) {
            return 1;
        }
        objects_push_machine(L, node);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

const struct engine_function vmm_functions[] = {
    {"new", vmm_new_lua, "new{on=, kind=, spaces=, policy=, slice=, cpus=}: a monitor on a machine, bare or virtual",
     1},
    {"map", vmm_map_lua,
     "map{on=, guest=, memory=, name=}: a guest of a hypervisor in assembler, through the map that it publishes", 1},
    {"host_memory", vmm_host_memory,
     "host_memory(memory, cpus): bytes that a machine needs for a monitor with such a guest, and its disk", 2},
    {"kinds", vmm_kinds, "the kinds of monitors there are", 0},
    {NULL, NULL, NULL, 0},
};

const struct engine_function vmm_methods[] = {
    {"guest", vmm_guest_lua,
     "guest{memory=, name=, cpus=, disk=, cards=}: a virtual machine; it answers all that a machine answers", 1},
    {"guests", vmm_guests_lua, "its guests", 0},
    {"stats", vmm_stats_lua, "traps, shadow faults, interpreted and reflected ones, dispatches, cycles", 1},
    {"frame", vmm_frame_lua, "frame(address): where a guest's real page lies in the machine below", 2},
    {NULL, NULL, NULL, 0},
};

static int vmm_index(lua_State *L) {
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) {
        return 1;
    }
    struct handle *h = objects_check(L, 1, CLASS_VMM, *name ? name : "v[...]");
    if (!strcmp(name, "kind")) {
        lua_pushstring(L, vmm_kind(h->monitor->vmm));
    } else if (!strcmp(name, "machine")) {
        objects_push_machine(L, h->monitor->on);
    } else {
        return luaL_error(L, "a monitor has no field %s; it has kind, machine, and methods",
                          *name ? name : luaL_typename(L, 2));
    }
    return 1;
}

static int vmm_text(lua_State *L) {
    struct handle *h = luaL_testudata(L, 1, CLASS_VMM);
    if (!h || !h->tree || h->tree->closed) {
        lua_pushliteral(L, "monitor (closed)");
    } else {
        lua_pushfstring(L, "%s monitor on %s", vmm_kind(h->monitor->vmm), h->monitor->on->name);
    }
    return 1;
}

void lua_open_vmm(lua_State *L) {
    engine_new_class(L, CLASS_VMM, (const struct engine_function *const[]){vmm_methods, property_monitor_methods, NULL},
                     vmm_index, NULL, objects_gc, vmm_text);
    lua_newtable(L);
    engine_add_functions(L, vmm_functions);
    engine_add_functions(L, property_functions);
    engine_add_functions(L, isomorphism_functions);
    lua_setglobal(L, "vmm");
}
