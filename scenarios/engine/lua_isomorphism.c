/* The Lua face of the map f as data (vmm/isomorphism.h), and of disk writes that are followed (vmm/follow.h). */
#include <stdio.h>
#include <string.h>

#include "scenarios/engine/engine_internal.h"
#include "vmm/follow.h"
#include "vmm/isomorphism.h"

enum { ROW_CHARGE = 50, FOLLOW_CHARGE = 500, NAMES_BYTES = 512 }; /* Lua instructions; text */

/* --- f ------------------------------------------------------------------------------------------------------------ */

void isomorphism_push_row(lua_State *L, const struct isomorphism_row *row) {
    char text[ISOMORPHISM_TEXT];
    lua_createtable(L, 0, 16);
    isomorphism_piece_text(row, text);
    state_set_text(L, "piece", text);
    state_set_text(L, "kind", isomorphism_kind_name(row->piece.kind));
    state_set_count(L, "n", row->piece.n);
    state_set_text(L, "machine", machine_name(row->machine));
    state_set_count(L, "level", (uint64_t)row->level);
    if (row->host) {
        state_set_text(L, "host", machine_name(row->host));
    }
    isomorphism_place_text(row, text);
    state_set_text(L, "where", text);
    state_set_text(L, "place", isomorphism_place_name(row->place));
    state_set_text(L, "encoding", isomorphism_encoding_text(row->encoding));
    if (row->known) {
        state_set_count(L, "value", row->value);
        state_set_count(L, "stands", row->stands);
    }
    if (row->in_force_known) {
        state_set_count(L, "in_force", row->in_force);
    }
    if (row->bytes || row->place == PLACE_DISK || row->place == PLACE_DEVICE) {
        state_set_count(L, "at", row->at);
    }
    if (row->blocks) {
        state_set_count(L, "first", row->first);
        state_set_count(L, "blocks", row->blocks);
    }
}

/* All kinds, for messages. */
static const char *kind_names(char to[NAMES_BYTES]) {
    *to = '\0';
    for (unsigned k = 0; k < PIECE_KINDS; k++) {
        size_t used = strlen(to);
        snprintf(to + used, NAMES_BYTES - used, "%s\"%s\"", k ? ", " : "", isomorphism_kind_name((enum piece_kind)k));
    }
    return to;
}

static enum piece_kind check_kind(lua_State *L, int index) {
    const char *name = arguments_text(L, index, "vmm.f: the kind", NULL);
    char names[NAMES_BYTES];
    for (unsigned k = 0; k < PIECE_KINDS; k++) {
        if (!strcmp(name, isomorphism_kind_name((enum piece_kind)k))) {
            return (enum piece_kind)k;
        }
    }
    luaL_error(L, "vmm.f: there is no kind \"%s\"; there are %s", name, kind_names(names));
    return PIECE_KINDS;
}

/* Pieces of which there are thousands are listed when they are asked for. */
static bool wanted(enum piece_kind kind, int asked) {
    if (asked >= 0) {
        return (int)kind == asked;
    }
    return kind != PIECE_STORAGE && kind != PIECE_STORAGE_KEY && kind != PIECE_TRANSLATION;
}

static void push_pieces(lua_State *L, const struct isomorphism *f, int kind) {
    struct isomorphism_row row;
    lua_Integer count = 0;
    lua_newtable(L);
    for (unsigned k = 0; k < PIECE_KINDS; k++) {
        struct piece p;
        bool more = wanted((enum piece_kind)k, kind) && isomorphism_first(f, 0, (enum piece_kind)k, &p);
        for (; more && p.kind == (enum piece_kind)k; more = isomorphism_next(f, 0, &p)) {
            engine_charge(L, ROW_CHARGE);
            if (isomorphism_row(f, 0, &p, &row)) {
                isomorphism_push_row(L, &row);
                lua_rawseti(L, -2, ++count);
            }
        }
    }
}

static void push_way(lua_State *L, const struct isomorphism *f, const struct piece *p) {
    struct isomorphism_row rows[MACHINE_LEVELS];
    unsigned count = isomorphism_follow(f, p, rows);
    engine_charge(L, (uint64_t)ROW_CHARGE * count);
    lua_createtable(L, (int)count, 0);
    for (unsigned n = 0; n < count; n++) {
        isomorphism_push_row(L, &rows[n]);
        lua_rawseti(L, -2, (lua_Integer)n + 1);
    }
}

/* vmm.f(machine [, kind [, n [, bytes]]]) */
static int f_lua(lua_State *L) {
    const struct handle *h = objects_check(L, 1, CLASS_MACHINE, "vmm.f: the machine");
    struct isomorphism f;
    int kind = lua_isnoneornil(L, 2) ? -1 : (int)check_kind(L, 2);
    engine_charge(L, ROW_CHARGE);
    isomorphism_look(&f, h->node->machine, 0);
    if (kind < 0 || lua_isnoneornil(L, 3)) {
        push_pieces(L, &f, kind);
        return 1;
    }
    struct piece p = {.kind = (enum piece_kind)kind, .bytes = 1};
    struct isomorphism_row row;
    p.n = (uint32_t)arguments_integer(L, 3, "vmm.f: the number", 0, 0xFFFFFF);
    if (!lua_isnoneornil(L, 4)) {
        p.bytes = (uint32_t)arguments_integer(L, 4, "vmm.f: bytes", 1, 4096);
    }
    if (!isomorphism_row(&f, 0, &p, &row)) {
        return luaL_error(L, "vmm.f: %s has no %s %d%s", h->node->name, isomorphism_kind_name(p.kind), (int)p.n,
                          kind == PIECE_STORAGE ? ", of so many bytes within one page" : "");
    }
    push_way(L, &f, &p);
    return 1;
}

/* --- disk writes -------------------------------------------------------------------------------------------------- */

struct follower {
    struct handle handle; /* first: objects_check */
    struct follow *follow;
};

static int follower_gc(lua_State *L) {
    struct follower *follower = lua_touserdata(L, 1);
    if (follower) {
        follow_free(follower->follow);
        follower->follow = NULL;
    }
    return objects_gc(L);
}

static void push_ccw(lua_State *L, const char *name, const struct follow_ccw *ccw) {
    char text[FOLLOW_TEXT], hex[20];
    follow_ccw_text(ccw, text);
    bytes_to_hex(hex, ccw->text, sizeof ccw->text);
    lua_createtable(L, 0, 3);
    state_set_count(L, "address", ccw->address);
    state_set_text(L, "hex", hex);
    state_set_text(L, "text", text);
    lua_setfield(L, -2, name);
}

static void push_level(lua_State *L, const struct follow_level *l) {
    lua_createtable(L, 0, 10);
    state_set_text(L, "machine", machine_name(l->machine));
    state_set_count(L, "level", (uint64_t)l->level);
    state_set_count(L, "device", l->device);
    state_set_count(L, "caw", l->caw);
    state_set_count(L, "first", l->first);
    state_set_count(L, "blocks", l->blocks);
    push_ccw(L, "extent", &l->extent);
    push_ccw(L, "locate", &l->locate);
    push_ccw(L, "write", &l->write);
    lua_createtable(L, (int)l->pieces, 0);
    for (unsigned n = 0; n < l->pieces; n++) {
        lua_createtable(L, 0, 3);
        state_set_count(L, "address", l->piece[n].address);
        state_set_count(L, "length", l->piece[n].length);
        if (l->piece[n].list) {
            state_set_count(L, "list", l->piece[n].list);
        }
        lua_rawseti(L, -2, (lua_Integer)n + 1);
    }
    lua_setfield(L, -2, "pieces");
}

/* w:last() */
static int last_lua(lua_State *L) {
    const struct handle *h = objects_check(L, 1, CLASS_FOLLOWER, "w:last");
    const struct follow_write *write = follow_last(((const struct follower *)(const void *)h)->follow);
    engine_charge(L, FOLLOW_CHARGE);
    if (!write) {
        lua_pushnil(L);
        return 1;
    }
    lua_createtable(L, 0, 4);
    state_set_count(L, "number", write->number);
    state_set_count(L, "length", write->length);
    lua_pushlstring(L, (const char *)write->data,
                    write->length < FOLLOW_BYTES_MOST ? write->length : FOLLOW_BYTES_MOST);
    lua_setfield(L, -2, "bytes");
    lua_createtable(L, (int)write->levels, 0);
    for (unsigned n = 0; n < write->levels; n++) {
        push_level(L, &write->level[n]);
        lua_rawseti(L, -2, (lua_Integer)n + 1);
    }
    lua_setfield(L, -2, "levels");
    return 1;
}

/* vmm.follow{machine=, device=} */
static int follow_lua(lua_State *L) {
    static const char *const keys[] = {"machine", "device", NULL};
    struct error e = ERROR_CLEAR;
    uint16_t device = ADDRESS_DISK;
    lua_settop(L, 1);
    arguments_table(L, 1, "vmm.follow: the argument", keys, false);
    machine_refuse_while_running(L, "vmm.follow");
    if (lua_getfield(L, 1, "device") != LUA_TNIL) {
        device = machine_device_address(L, 2, "vmm.follow: device");
    }
    lua_getfield(L, 1, "machine");
    const struct handle *h = objects_check(L, 3, CLASS_MACHINE, "vmm.follow: machine");
    engine_charge(L, FOLLOW_CHARGE);
    struct follower *follower = lua_newuserdatauv(L, sizeof *follower, 1);
    *follower = (struct follower){.follow = NULL};
    luaL_setmetatable(L, CLASS_FOLLOWER);
    follower->follow = follow_new(h->node->machine, device, &e);
    if (!follower->follow) {
        return luaL_error(L, "vmm.follow: %s", e.text);
    }
    follow_deaf_while(follower->follow, &h->tree->engine->again);
    objects_hold(&follower->handle, h->tree, h->node, NULL);
    lua_pushvalue(L, 3);
    lua_setiuservalue(L, -2, 1);
    return 1;
}

/* --- opening ------------------------------------------------------------------------------------------------------ */

const struct engine_function isomorphism_functions[] = {
    {"f", f_lua,
     "f(machine, kind, n, bytes): where each piece of its state is in the machine below; of one piece: at all levels",
     4},
    {"follow", follow_lua, "follow{machine=, device=}: follows its writes to a disk down to the real one, from now on",
     1},
    {NULL, NULL, NULL, 0},
};

const struct engine_function follower_methods[] = {
    {"last", last_lua, "last(): the last write, level by level; nil: there was none", 0},
    {NULL, NULL, NULL, 0},
};

void lua_open_isomorphism(lua_State *L) {
    engine_new_class(L, CLASS_FOLLOWER, (const struct engine_function *const[]){follower_methods, NULL}, NULL, NULL,
                     follower_gc, NULL);
}
