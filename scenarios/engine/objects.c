/* Objects: trees of machines and monitors, and the handles that scenarios hold on their parts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/engine_internal.h"
#include "scenarios/engine/units.h"
#include "vmm/clone.h"

/* Registry key of the weak table from a node to its handle: a machine has one handle, so that handlers can live in it
 * and two variables with the same machine are equal. */
#define HANDLES "cloud370.handles"

enum { TREES_MOST = 4096, MACHINE_CHARGE = 10000 };

/* --- life --------------------------------------------------------------------------------------------------------- */

/* Takes everything down from the top; only the shell remains for handles that still point to it. */
static void dismantle(struct tree *tree) {
    watch_forget(tree);
    history_free(tree->history);
    tree->history = NULL;
    for (struct node *node = tree->nodes; node; node = node->next) {
        story_free(node->story);
        node->story = NULL;
    }
    while (tree->monitors) {
        struct monitor *monitor = tree->monitors;
        tree->monitors = monitor->next;
        vmm_free(monitor->vmm);
        map_free(monitor->map);
        free(monitor);
    }
    if (tree->bare) {
        machine_free(tree->bare);
        tree->engine->storage_bytes -= tree->storage_bytes;
    }
    while (tree->nodes) {
        struct node *node = tree->nodes;
        tree->nodes = node->next;
        free(node);
    }
    tree->bare = NULL;
    tree->closed = true;
}

static void free_tree(struct tree *tree) {
    struct tree **at = &tree->engine->trees;
    while (*at && *at != tree) {
        at = &(*at)->next;
    }
    if (*at) {
        *at = tree->next;
    }
    dismantle(tree);
    free(tree);
}

void objects_close(struct tree *tree) { dismantle(tree); }

void objects_free_all(struct engine *engine) {
    while (engine->trees) {
        free_tree(engine->trees);
    }
}

int objects_gc(lua_State *L) {
    struct handle *h = lua_touserdata(L, 1);
    if (h && h->tree && --h->tree->handles == 0) {
        free_tree(h->tree);
    }
    if (h) {
        h->tree = NULL;
    }
    return 0;
}

/* --- handles ------------------------------------------------------------------------------------------------------ */

struct handle *objects_push(lua_State *L, const char *class) {
    struct handle *h = lua_newuserdatauv(L, sizeof *h, 2);
    *h = (struct handle){0};
    luaL_setmetatable(L, class);
    return h;
}

void objects_hold(struct handle *h, struct tree *tree, struct node *node, struct monitor *monitor) {
    tree->handles++;
    h->tree = tree;
    h->node = node;
    h->monitor = monitor;
}

/* "machine" of "cloud370.machine". */
static const char *class_noun(const char *class) { return strrchr(class, '.') + 1; }

struct handle *objects_check(lua_State *L, int index, const char *class, const char *what) {
    struct handle *h = luaL_testudata(L, index, class);
    if (!h) {
        char accepts[64];
        snprintf(accepts, sizeof accepts, "a %s%s", class_noun(class),
                 index == 1 ? " (is the : of a method call missing?)" : "");
        arguments_refuse(L, index, what, accepts);
    } else if (!h->tree || h->tree->closed) {
        luaL_error(L, "%s: the machine was closed", what);
    }
    return h;
}

/* Keeps the handle on the top of the stack as the one of `node`. */
static void remember(lua_State *L, const struct node *node) {
    luaL_getsubtable(L, LUA_REGISTRYINDEX, HANDLES);
    lua_pushvalue(L, -2);
    lua_rawsetp(L, -2, node);
    lua_pop(L, 1);
}

void objects_push_machine(lua_State *L, struct node *node) {
    luaL_getsubtable(L, LUA_REGISTRYINDEX, HANDLES);
    if (lua_rawgetp(L, -1, node) == LUA_TNIL) {
        lua_pop(L, 1);
        struct handle *h = objects_push(L, CLASS_MACHINE);
        objects_hold(h, node->tree, node, NULL);
        remember(L, node);
    }
    lua_remove(L, -2);
}

void objects_push_part(lua_State *L, const struct handle *machine, const char *class, int part) {
    struct handle *h = objects_push(L, class);
    h->part = part;
    objects_hold(h, machine->tree, machine->node, NULL);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
}

void objects_open(lua_State *L) {
    luaL_getsubtable(L, LUA_REGISTRYINDEX, HANDLES);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}

/* --- making ------------------------------------------------------------------------------------------------------- */

struct node *objects_find(const struct engine *engine, const char *name) {
    for (const struct tree *tree = engine->trees; tree; tree = tree->next) {
        for (struct node *node = tree->nodes; node; node = node->next) {
            if (!strcmp(node->name, name)) {
                return node;
            }
        }
    }
    return NULL;
}

/* Events carry names, so names are unique: the one asked for, or stem, stem-2, ... counted per level and never used
 * again, so that they do not depend on when the collector runs. */
static void choose_name(lua_State *L, char to[NODE_NAME], const char *asked, const char *stem, int level) {
    struct engine *engine = engine_of(L);
    if (asked) {
        if (strlen(asked) >= NODE_NAME || !*asked) {
            luaL_error(L, "name is \"%s\"; it takes 1 to %d characters", asked, NODE_NAME - 1);
        }
        if (objects_find(engine, asked)) {
            luaL_error(L, "name is \"%s\"; another machine has it", asked);
        }
        snprintf(to, NODE_NAME, "%s", asked);
        return;
    }
    do {
        unsigned n = ++engine->made[level];
        snprintf(to, NODE_NAME, n == 1 ? "%s" : "%s-%u", stem, n);
    } while (objects_find(engine, to));
}

/* A node that belongs to the tree already, so that an error leaves nothing behind. */
static struct node *add_node(lua_State *L, struct tree *tree, struct node *host, const char *name) {
    struct node *node = calloc(1, sizeof *node);
    if (!node) {
        luaL_error(L, "not enough memory");
        return NULL;
    }
    node->tree = tree;
    node->host = host;
    node->next = tree->nodes;
    tree->nodes = node;
    strcpy(node->name, name);
    return node;
}

/* Machines are small to Lua, so it may not have collected those that nobody holds any more. */
void objects_make_room(lua_State *L, uint64_t bytes, const char *what) {
    struct engine *engine = engine_of(L);
    for (int attempt = 0; attempt < 2; attempt++) {
        unsigned count = 0;
        for (const struct tree *tree = engine->trees; tree; tree = tree->next) {
            count++;
        }
        if (count < TREES_MOST && engine->storage_bytes + bytes <= engine->options.budgets.storage_bytes) {
            return;
        }
        if (attempt == 0) {
            engine_charge(L, engine->lua_bytes / 32);
            lua_gc(L, LUA_GCCOLLECT);
        } else if (count >= TREES_MOST) {
            engine_expire(L, ERROR_BUDGET, "%s: more than %d bare machines at the same time", what, TREES_MOST);
        }
    }
    char most[24];
    units_size_text(most, engine->options.budgets.storage_bytes);
    engine_expire(L, ERROR_BUDGET, "%s: the storage of bare machines and disks would be more than the budget of %s",
                  what, most);
}

void engine_count_made(lua_State *L, uint64_t bytes, const char *who) {
    struct engine *engine = engine_of(L);
    objects_make_room(L, engine->made_bytes + bytes, who);
    engine->made_bytes += bytes;
}

/* What consoles and printers write is kept; the budget of output bounds it. */
static void count_line(void *self, const char *line, size_t length) {
    (void)line;
    ((struct engine *)self)->device_bytes += length + 1;
}

/* A tree of nothing yet. */
static struct tree *add_tree(lua_State *L, struct handle *h) {
    struct engine *engine = engine_of(L);
    struct tree *tree = calloc(1, sizeof *tree);
    if (!tree) {
        luaL_error(L, "not enough memory");
        return NULL;
    }
    tree->engine = engine;
    tree->next = engine->trees;
    engine->trees = tree;
    tree->watched = engine->options.watcher != NULL;
    tree->handles = tree->watched;
    objects_hold(h, tree, NULL, NULL); /* from here on the handle's end is the tree's */
    return tree;
}

struct node *objects_new_tree(lua_State *L, struct handle *h, const struct machine_options *options, const char *model,
                              const char *what) {
    struct engine *engine = engine_of(L);
    struct error e = ERROR_CLEAR;
    char name[NODE_NAME];
    engine_charge(L, MACHINE_CHARGE);
    objects_make_room(L, options->memory_bytes, what);
    choose_name(L, name, options->name, "bare", 0);
    struct tree *tree = add_tree(L, h);
    struct node *node = add_node(L, tree, NULL, name);
    struct machine_options o = *options;
    o.name = node->name;
    o.model = &tree->model;
    o.trace = engine->trace;
    o.seed = engine->options.seed;
    o.console_line = o.printer_line = count_line;
    o.line_self = engine;
    if (!cost_model_find(&tree->model, model, &e) || !(tree->bare = machine_new(&o, &e))) {
        objects_close(tree);
        luaL_error(L, "%s: %s", what, e.text);
    }
    node->machine = tree->bare;
    tree->storage_bytes = options->memory_bytes;
    engine->storage_bytes += options->memory_bytes;
    h->node = node;
    remember(L, node);
    return node;
}

static struct monitor *monitor_on(const struct node *on) {
    struct monitor *monitor = on->tree->monitors;
    while (monitor && monitor->on != on) {
        monitor = monitor->next;
    }
    return monitor;
}

/* A monitor in C and a hypervisor in assembler cannot both be a machine's program. */
static void refuse_other_kind(lua_State *L, const struct monitor *monitor, bool map) {
    if (monitor && map != !!monitor->map) {
        luaL_error(L, "%s: %s has a %s already", map ? "vmm.map" : "vmm.new", monitor->on->name,
                   map ? "monitor in C" : "hypervisor in assembler");
    }
}

struct monitor *objects_new_monitor(lua_State *L, struct handle *h, struct node *on, const char *kind,
                                    const struct monitor_options *options) {
    struct error e = ERROR_CLEAR;
    refuse_other_kind(L, monitor_on(on), false);
    struct monitor *monitor = calloc(1, sizeof *monitor);
    struct vmm *vmm = monitor ? vmm_new_with(on->machine, kind, options, &e) : NULL;
    if (!vmm) {
        free(monitor);
        luaL_error(L, "vmm.new: %s", monitor ? e.text : "not enough memory");
        return NULL;
    }
    *monitor = (struct monitor){on->tree->monitors, on->tree, on, vmm, NULL};
    on->tree->monitors = monitor;
    objects_hold(h, on->tree, on, monitor);
    return monitor;
}

struct node *objects_new_guest(lua_State *L, struct handle *h, struct monitor *monitor,
                               const struct guest_options *options) {
    struct tree *tree = monitor->tree;
    struct error e = ERROR_CLEAR;
    char stem[24], chosen[NODE_NAME];
    int level = machine_level(monitor->on->machine) + 1;
    engine_charge(L, MACHINE_CHARGE);
    snprintf(stem, sizeof stem, "guest%d", level);
    choose_name(L, chosen, options->name, stem, level < MACHINE_LEVELS ? level : MACHINE_LEVELS - 1);
    struct node *node = add_node(L, tree, monitor->on, chosen);
    struct guest_options o = *options;
    o.name = node->name;
    o.console_line = o.printer_line = count_line;
    o.line_self = tree->engine;
    node->monitor = monitor;
    node->machine = vmm_guest(monitor->vmm, &o, &e);
    if (!node->machine) {
        tree->nodes = node->next;
        free(node);
        luaL_error(L, "v:guest: %s", e.text);
    }
    objects_hold(h, tree, node, NULL);
    remember(L, node);
    return node;
}

/* --- guests of hypervisors in assembler --------------------------------------------------------------------------- */

static struct monitor *map_monitor(lua_State *L, struct node *on) {
    struct error e = ERROR_CLEAR;
    struct monitor *monitor = monitor_on(on);
    refuse_other_kind(L, monitor, true);
    if (monitor) {
        return monitor;
    }
    monitor = calloc(1, sizeof *monitor);
    struct map *map = monitor ? map_new(on->machine, &e) : NULL;
    if (!map) {
        free(monitor);
        luaL_error(L, "vmm.map: %s", monitor ? e.text : "not enough memory");
        return NULL;
    }
    *monitor = (struct monitor){on->tree->monitors, on->tree, on, NULL, map};
    on->tree->monitors = monitor;
    return monitor;
}

void objects_push_seen(lua_State *L, struct node *on, unsigned number, uint32_t memory, const char *name) {
    struct error e = ERROR_CLEAR;
    char stem[24], chosen[NODE_NAME];
    int level = machine_level(on->machine) + 1;
    struct monitor *monitor = map_monitor(L, on);
    engine_charge(L, MACHINE_CHARGE);
    for (struct node *node = on->tree->nodes; node; node = node->next) {
        if (node->monitor == monitor && node->number == number) {
            objects_push_machine(L, node);
            return;
        }
    }
    snprintf(stem, sizeof stem, "guest%d", level);
    choose_name(L, chosen, name, stem, level < MACHINE_LEVELS ? level : MACHINE_LEVELS - 1);
    struct machine *machine = map_guest(monitor->map, number, memory, chosen, &e);
    if (!machine) {
        luaL_error(L, "vmm.map: %s", e.text);
        return;
    }
    struct node *node = add_node(L, on->tree, on, chosen);
    node->monitor = monitor;
    node->machine = machine;
    node->number = number;
    node->started = on->started; /* it starts with its hypervisor */
    objects_push_machine(L, node);
}

const char *monitor_kind(const struct monitor *monitor, struct vmm_stats *stats) {
    if (!monitor->map) {
        vmm_stats(monitor->vmm, stats);
        return vmm_kind(monitor->vmm);
    }
    struct map_stats seen;
    map_stats(monitor->map, &seen);
    *stats = (struct vmm_stats){.traps = seen.traps,
                                .shadow_faults = seen.shadow_faults,
                                .interpreted = seen.interpreted,
                                .reflected = seen.reflected,
                                .dispatches = seen.dispatches};
    return "assembler";
}

uint32_t objects_disk(const struct node *node, uint32_t *first) {
    uint32_t first_below, first_in_it, blocks;
    *first = 0;
    if (!machine_only_seen(node->machine)) {
        return node->disk_blocks;
    }
    uint32_t below = objects_disk(node->host, &first_below);
    if (!map_disk(node->machine, ADDRESS_DISK, ADDRESS_DISK, below, &first_in_it, &blocks)) {
        return 0;
    }
    *first = first_below + first_in_it;
    return blocks;
}

/* --- copying ------------------------------------------------------------------------------------------------------ */

/* The machine's own name with a suffix; where that would be too long, or somebody has it, a number. */
static void name_clone(void *self, const struct machine *of, char name[MACHINE_NAME_BYTES]) {
    struct engine *engine = self;
    char suffix[24] = "-copy";
    if (engine->clones > 1) {
        snprintf(suffix, sizeof suffix, "-copy-%u", engine->clones);
    }
    if (strlen(machine_name(of)) + strlen(suffix) < NODE_NAME) {
        snprintf(name, NODE_NAME, "%s%s", machine_name(of), suffix);
        if (!objects_find(engine, name)) {
            return;
        }
    }
    do {
        snprintf(name, NODE_NAME, "copy-%u", ++engine->numbered_clones);
    } while (objects_find(engine, name));
}

/* Nodes and monitors like those of the other tree, in the same order. False: no memory; the tree has all that was made.
 */
static bool mirror(struct tree *tree, const struct tree *of) {
    struct node **node = &tree->nodes;
    struct monitor **monitor = &tree->monitors;
    for (const struct node *n = of->nodes; n; n = n->next, node = &(*node)->next) {
        if (!(*node = calloc(1, sizeof **node))) {
            return false;
        }
        **node = (struct node){.tree = tree,
                               .machine = vmm_clone_of(n->machine, tree->bare),
                               .started = n->started,
                               .disk_blocks = n->disk_blocks,
                               .number = n->number};
        snprintf((*node)->name, NODE_NAME, "%s", machine_name((*node)->machine));
    }
    for (const struct monitor *m = of->monitors; m; m = m->next, monitor = &(*monitor)->next) {
        if (!(*monitor = calloc(1, sizeof **monitor))) {
            return false;
        }
        const struct machine *on = vmm_clone_of(m->on->machine, tree->bare);
        **monitor = (struct monitor){.tree = tree, .vmm = vmm_on(on), .map = map_on(on)};
    }
    return true;
}

static struct node *node_of(const struct tree *tree, const struct machine *m) {
    struct node *node = tree->nodes;
    while (node && node->machine != m) {
        node = node->next;
    }
    return node;
}

/* Who stands on whom. */
static void connect(struct tree *tree) {
    for (struct monitor *m = tree->monitors; m; m = m->next) {
        m->on = node_of(tree, m->map ? map_machine(m->map) : vmm_machine(m->vmm));
        for (struct node *node = tree->nodes; node; node = node->next) {
            if (machine_host(node->machine) == m->on->machine) {
                node->host = m->on;
                node->monitor = m;
            }
        }
    }
}

struct node *objects_clone(lua_State *L, struct handle *h, const struct node *node) {
    const struct tree *of = node->tree;
    struct engine *engine = engine_of(L);
    struct error e = ERROR_CLEAR;
    uint64_t bytes = of->storage_bytes - of->history_bytes;
    objects_make_room(L, bytes, "m:clone");
    for (const struct node *n = of->nodes; n; n = n->next) {
        engine_charge(L, MACHINE_CHARGE);
    }
    struct tree *tree = add_tree(L, h);
    engine->clones++;
    tree->model = of->model;
    const struct vmm_clone_options options = {
        .model = &tree->model, .trace = engine->trace, .name = name_clone, .line = count_line, .self = engine};
    struct machine *bare = vmm_clone(of->bare, &options, &e);
    if (!bare) {
        objects_close(tree);
        luaL_error(L, "m:clone: %s", e.text);
        return NULL;
    }
    tree->bare = bare;
    tree->storage_bytes = bytes;
    engine->storage_bytes += bytes;
    if (!mirror(tree, of)) {
        while (tree->monitors) { /* not all of them: they go with the machines */
            struct monitor *monitor = tree->monitors;
            tree->monitors = monitor->next;
            free(monitor);
        }
        vmm_free_all(bare);
        engine->storage_bytes -= bytes;
        tree->bare = NULL;
        objects_close(tree);
        luaL_error(L, "not enough memory");
        return NULL;
    }
    connect(tree);
    struct node *copy = node_of(tree, vmm_clone_of(node->machine, bare));
    h->node = copy;
    return copy;
}
