/* Events: the queue between the trace and a scenario's handlers. */
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/engine_internal.h"

enum { QUEUE_PAUSE = 20000 }; /* events after which the machine pauses for their delivery */

struct queued {
    struct node *node; /* whose event; lives as long as its tree, which the running machine's handle holds */
    enum trace_kind kind;
    int level;
    unsigned cpu;
    uint64_t cycle, a, b, c;
    size_t text; /* offset in texts + 1; 0: none */
};

struct event_queue {
    struct bytes events, texts; /* struct queued one after another; texts with their NULs */
    const char *last_name;      /* of the last event: events come in runs from the same machine */
    struct node *last_node;
};

/* Names of kinds and values, without the star that marks hexadecimal ones. */
static const struct {
    const char *kind, *a, *b, *c, *text;
} names[] = {
#define NAMES(id, kind, a, b, c, text) {kind, a, b, c, text},
    TRACE_KINDS(NAMES)
#undef NAMES
};

struct event_queue *events_new(void) {
    return calloc(1, sizeof(struct event_queue));
}

void events_free(struct event_queue *q) {
    if (q) {
        bytes_fini(&q->events);
        bytes_fini(&q->texts);
        free(q);
    }
}

void events_clear(struct event_queue *q) {
    q->events.length = q->texts.length = 0;
    q->last_name = NULL;
}

bool events_full(const struct event_queue *q) {
    return q->events.length >= QUEUE_PAUSE * sizeof(struct queued) || q->events.failed || q->texts.failed;
}

/* Whether a handler of this machine, or of one that it runs on, wants the kind. */
static bool is_wanted(const struct node *node, enum trace_kind kind) {
    for (; node; node = node->host) {
        if (node->wanted >> kind & 1) {
            return true;
        }
    }
    return false;
}

/* Subscribed to the trace. Runs wherever the event arises: no Lua here. */
static void note_event(void *self, const struct trace_event *event) {
    struct engine *engine = self;
    struct event_queue *q = engine->queue;
    if (engine->again) {
        return;
    }
    if (event->machine != q->last_name) {
        q->last_node = objects_find(engine, event->machine);
        q->last_name = event->machine;
    }
    if (!is_wanted(q->last_node, event->kind)) {
        return;
    }
    struct queued queued = {q->last_node, event->kind, event->level, event->cpu, event->cycle,
                            event->a,     event->b,    event->c,     0};
    if (event->text) {
        queued.text = q->texts.length + 1;
        bytes_append(&q->texts, event->text, strlen(event->text) + 1);
    }
    bytes_append(&q->events, &queued, sizeof queued);
}

static int find_kind(const char *name) {
    for (int kind = 0; kind < TRACE_KIND_COUNT; kind++) {
        if (!strcmp(names[kind].kind, name)) {
            return kind;
        }
    }
    return -1;
}

int events_on(lua_State *L) {
    struct engine *engine = engine_of(L);
    struct handle *h = objects_check(L, 1, CLASS_MACHINE, "m:on");
    int kind = lua_type(L, 2) == LUA_TSTRING ? find_kind(lua_tostring(L, 2)) : -1;
    if (kind < 0) {
        char list[400] = "one of";
        for (int i = 0; i < TRACE_KIND_COUNT; i++) {
            strcat(strcat(list, i ? ", " : " "), names[i].kind);
        }
        return arguments_refuse(L, 2, "m:on: the kind of event", list);
    }
    if (!lua_isfunction(L, 3)) {
        return arguments_refuse(L, 3, "m:on: the handler", "a function");
    }
    /* User value 2 of the handle: kind -> list of handlers. */
    if (lua_getiuservalue(L, 1, 2) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setiuservalue(L, 1, 2);
    }
    if (lua_rawgeti(L, -1, kind + 1) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, kind + 1);
    }
    lua_pushvalue(L, 3);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    h->node->wanted |= 1u << kind;
    if (!(engine->wanted >> kind & 1)) {
        uint32_t wanted = engine->wanted | 1u << kind;
        int subscription = trace_subscribe(engine->trace, wanted, note_event, engine);
        if (subscription < 0) {
            return luaL_error(L, "not enough memory");
        }
        if (engine->subscription >= 0) {
            trace_unsubscribe(engine->trace, engine->subscription);
        }
        engine->subscription = subscription;
        engine->wanted = wanted;
    }
    return 0;
}

static void set_value(lua_State *L, const char *name, uint64_t value) {
    if (name) {
        lua_pushlstring(L, name, strcspn(name, "*"));
        lua_pushinteger(L, (lua_Integer)value);
        lua_rawset(L, -3);
    }
}

static void push_event(lua_State *L, const struct event_queue *q, const struct queued *event) {
    lua_createtable(L, 0, 9);
    lua_pushstring(L, names[event->kind].kind);
    lua_setfield(L, -2, "kind");
    lua_pushstring(L, event->node->name);
    lua_setfield(L, -2, "machine");
    set_value(L, "cycle", event->cycle);
    set_value(L, "level", (uint64_t)event->level);
    set_value(L, "cpu", event->cpu);
    set_value(L, names[event->kind].a, event->a);
    set_value(L, names[event->kind].b, event->b);
    set_value(L, names[event->kind].c, event->c);
    if (event->text && names[event->kind].text) {
        lua_pushstring(L, (const char *)q->texts.data + event->text - 1);
        lua_setfield(L, -2, names[event->kind].text);
    }
}

/* Calls the handlers that the machine of `node` has for the event. */
static void call_handlers(lua_State *L, struct node *node, const struct queued *event) {
    objects_push_machine(L, node);
    if (lua_getiuservalue(L, -1, 2) == LUA_TTABLE && lua_rawgeti(L, -1, event->kind + 1) == LUA_TTABLE) {
        lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
        for (lua_Integer i = 1; i <= count; i++) {
            lua_rawgeti(L, -1, i);
            push_event(L, engine_of(L)->queue, event);
            lua_call(L, 1, 0);
        }
    }
}

void events_deliver(lua_State *L) {
    struct event_queue *q = engine_of(L)->queue;
    int top = lua_gettop(L);
    luaL_checkstack(L, 10, "event handlers");
    if (q->events.failed || q->texts.failed) {
        luaL_error(L, "not enough memory for the events");
    }
    for (size_t i = 0; i < q->events.length; i += sizeof(struct queued)) {
        struct queued event;
        memcpy(&event, q->events.data + i, sizeof event);
        for (struct node *node = event.node; node; node = node->host) {
            if (node->wanted >> event.kind & 1) {
                call_handlers(L, node, &event);
                lua_settop(L, top);
            }
        }
    }
    events_clear(q);
}
