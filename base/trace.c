/* Trace: the list of subscribers, and events as lines of JSON.
 *
 * Subscribers may come and go while an event is being handed out: one that leaves is only marked, and swept when the
 * outermost trace_emit ends; one that comes sees the next event first. */
#include "base/trace.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

static_assert(TRACE_KIND_COUNT <= 32, "a kind has a bit in a uint32_t");

struct subscriber {
    int handle;
    uint32_t kinds;
    trace_function *function; /* NULL: has left */
    void *self;
};

struct trace {
    struct trace_head head; /* first, for trace_wants */
    struct subscriber *subscribers;
    size_t count, capacity;
    int handles;  /* how many were given out: the next one */
    int emitting; /* how deep in trace_emit */
    bool mute;
};

static_assert(offsetof(struct trace, head) == 0, "trace_wants reads the head through the address of the trace");

struct trace *trace_new(void) {
    return calloc(1, sizeof(struct trace));
}

void trace_free(struct trace *t) {
    if (t) {
        free(t->subscribers);
        free(t);
    }
}

static void unite_kinds(struct trace *t) {
    t->head.kinds = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (t->subscribers[i].function && !t->mute) {
            t->head.kinds |= t->subscribers[i].kinds;
        }
    }
}

int trace_subscribe(struct trace *t, uint32_t kinds, trace_function *function, void *self) {
    if (t->count == t->capacity) {
        size_t capacity = t->capacity ? 2 * t->capacity : 4;
        struct subscriber *subscribers = realloc(t->subscribers, capacity * sizeof *subscribers);
        if (!subscribers) {
            return -1;
        }
        t->subscribers = subscribers;
        t->capacity = capacity;
    }
    t->subscribers[t->count++] = (struct subscriber){t->handles, kinds, function, self};
    unite_kinds(t);
    return t->handles++;
}

static void sweep(struct trace *t) {
    size_t kept = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (t->subscribers[i].function) {
            t->subscribers[kept++] = t->subscribers[i];
        }
    }
    t->count = kept;
}

void trace_unsubscribe(struct trace *t, int handle) {
    for (size_t i = 0; i < t->count; i++) {
        if (t->subscribers[i].handle == handle) {
            t->subscribers[i].function = NULL;
        }
    }
    unite_kinds(t);
    if (!t->emitting) {
        sweep(t);
    }
}

void trace_mute(struct trace *t, bool mute) {
    if (t) {
        t->mute = mute;
        unite_kinds(t);
    }
}

void trace_emit(struct trace *t, const struct trace_event *event) {
    if (!trace_wants(t, event->kind)) {
        return;
    }
    t->emitting++;
    size_t count = t->count;
    for (size_t i = 0; i < count; i++) {
        /* A copy: the function may subscribe, which can move the array. */
        struct subscriber s = t->subscribers[i];
        if (s.function && s.kinds >> event->kind & 1) {
            s.function(s.self, event);
        }
    }
    if (--t->emitting == 0) {
        sweep(t);
    }
}

/* --- JSON --------------------------------------------------------------------------------------------------------- */

static const struct kind_row {
    const char *name, *a, *b, *c, *text;
} kind_rows[] = {
#define TRACE_ROW(id, name, a, b, c, text) {name, a, b, c, text},
    TRACE_KINDS(TRACE_ROW)
#undef TRACE_ROW
};

/* The length of the valid UTF-8 character at s, 0 when there is none (RFC 3629: no surrogates, no overlong forms). */
static size_t utf8_length(const unsigned char *s) {
    if (s[0] < 0x80) {
        return 1;
    }
    size_t length = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (s[0] < 0xC2 || s[0] > 0xF4) {
        return 0;
    }
    /* Only the second byte's range depends on the first. */
    unsigned char low = s[0] == 0xE0 ? 0xA0 : s[0] == 0xF0 ? 0x90 : 0x80;
    unsigned char high = s[0] == 0xED ? 0x9F : s[0] == 0xF4 ? 0x8F : 0xBF;
    if (s[1] < low || s[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return length;
}

/* A JSON string; bytes that are not UTF-8 become U+FFFD, one each, because a guest can write anything. */
static void append_string(struct bytes *to, const char *text) {
    if (!text) {
        bytes_append(to, "null", 4);
        return;
    }
    bytes_append(to, "\"", 1);
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        size_t length = utf8_length(s);
        if (length == 0) {
            bytes_append(to, "\xEF\xBF\xBD", 3);
            length = 1;
        } else if (*s == '"' || *s == '\\') {
            bytes_printf(to, "\\%c", *s);
        } else if (*s == '\n') {
            bytes_append(to, "\\n", 2);
        } else if (*s == '\t') {
            bytes_append(to, "\\t", 2);
        } else if (*s < ' ' || *s == 0x7F) {
            bytes_printf(to, "\\u%04X", *s);
        } else {
            bytes_append(to, s, length);
        }
        s += length;
    }
    bytes_append(to, "\"", 1);
}

/* How many hexadecimal digits a value has at least: those that the architecture's fields have. Addresses have 6. */
static int hex_digits(const char *name, size_t length) {
    static const struct {
        const char *name;
        int digits;
    } widths[] = {{"code", 4}, {"mnemonic_code", 4}, {"status", 4}, {"device", 3}, {"order", 2}, {"cr1", 8}};
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        if (strlen(widths[i].name) == length && memcmp(widths[i].name, name, length) == 0) {
            return widths[i].digits;
        }
    }
    return 6;
}

static void append_value(struct bytes *to, const char *name, uint64_t value) {
    if (!name) {
        return;
    }
    size_t length = strlen(name);
    if (name[length - 1] == '*') {
        length--;
        bytes_printf(to, ",\"%.*s\":\"%0*" PRIX64 "\"", (int)length, name, hex_digits(name, length), value);
    } else {
        bytes_printf(to, ",\"%s\":%" PRIu64, name, value);
    }
}

void trace_to_json(struct bytes *to, const struct trace_event *event) {
    const struct kind_row *row = &kind_rows[event->kind];
    bytes_printf(to, "{\"cycle\":%" PRIu64 ",\"machine\":", event->cycle);
    append_string(to, event->machine);
    bytes_printf(to, ",\"level\":%d", event->level);
    if (event->cpu)
        bytes_printf(to, ",\"cpu\":%u", event->cpu);
    bytes_printf(to, ",\"kind\":\"%s\"", row->name);
    append_value(to, row->a, event->a);
    append_value(to, row->b, event->b);
    append_value(to, row->c, event->c);
    if (row->text) {
        bytes_printf(to, ",\"%s\":", row->text);
        append_string(to, event->text);
    }
    bytes_append(to, "}\n", 2);
}

/* --- the writer --------------------------------------------------------------------------------------------------- */

struct trace_writer {
    struct trace *trace;
    int handle;
    struct bytes_writer *file;
    struct bytes line; /* the event at hand; kept, so that its memory is used again */
    bool failed;       /* no memory for a line */
};

static void write_event(void *self, const struct trace_event *event) {
    struct trace_writer *w = self;
    w->line.length = 0;
    trace_to_json(&w->line, event);
    if (w->line.failed) {
        w->failed = true;
        return;
    }
    bytes_writer_append(w->file, w->line.data, w->line.length);
}

struct trace_writer *trace_writer_open(struct trace *t, uint32_t kinds, const char *path, struct error *e) {
    struct trace_writer *w = calloc(1, sizeof *w);
    if (!w) {
        error_set(e, ERROR_INTERNAL, "no memory for the trace %s", path);
        return NULL;
    }
    w->trace = t;
    w->file = bytes_writer_open(path, e);
    if (!w->file) {
        free(w);
        return NULL;
    }
    w->handle = trace_subscribe(t, kinds, write_event, w);
    if (w->handle < 0) {
        error_set(e, ERROR_INTERNAL, "no memory for the trace %s", path);
        bytes_writer_discard(w->file);
        free(w);
        return NULL;
    }
    return w;
}

bool trace_writer_close(struct trace_writer *w, struct error *e) {
    trace_unsubscribe(w->trace, w->handle);
    bool written;
    if (w->failed) {
        bytes_writer_discard(w->file);
        written = error_set(e, ERROR_INTERNAL, "no memory for a line of the trace");
    } else {
        written = bytes_writer_close(w->file, e);
    }
    bytes_fini(&w->line);
    free(w);
    return written;
}
