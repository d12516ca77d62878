/* The ground that the assembler stands on: its arena, slices of text, the characters of the language, a hash table.
 *
 * Slices are borrowed from the source or from the arena and never end with a NUL that anybody relies on. */
#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "isa/assembler/assembler_internal.h"

enum { CHUNK_BYTES = 64 * 1024 };

struct chunk {
    struct chunk *next;
    size_t used, size;
    alignas(max_align_t) unsigned char data[];
};

static void *allocate(struct assembler *a, struct chunk **chunks, size_t bytes) {
    const size_t unit = alignof(max_align_t);
    bytes = (bytes + unit - 1) / unit * unit;
    if (!*chunks || (*chunks)->size - (*chunks)->used < bytes) {
        const size_t size = bytes > CHUNK_BYTES / 4 ? bytes : CHUNK_BYTES;
        struct chunk *c = calloc(1, sizeof *c + size);
        if (!c) {
            longjmp(a->no_memory, 1);
        }
        c->size = size;
        if (size != CHUNK_BYTES && *chunks) { /* full from the start: the open chunk stays in front */
            c->used = bytes;
            c->next = (*chunks)->next;
            (*chunks)->next = c;
            return c->data;
        }
        c->next = *chunks;
        *chunks = c;
    }
    void *p = (*chunks)->data + (*chunks)->used;
    (*chunks)->used += bytes;
    return p;
}

static void release(struct chunk **chunks) {
    while (*chunks) {
        struct chunk *next = (*chunks)->next;
        free(*chunks);
        *chunks = next;
    }
}

void *assembler_allocate(struct assembler *a, size_t bytes) { return allocate(a, &a->chunks, bytes); }

void *temporary_allocate(struct assembler *a, size_t bytes) { return allocate(a, &a->temporary, bytes); }

void temporary_reset(struct assembler *a) {
    if (a->temporary) {
        a->temporary->used = 0;
        release(&a->temporary->next);
    }
}

void assembler_release(struct assembler *a) {
    release(&a->chunks);
    release(&a->temporary);
}

struct text text_copy(struct assembler *a, struct text t) {
    char *to = assembler_allocate(a, t.length + 1);
    if (t.length) {
        memcpy(to, t.at, t.length);
    }
    return (struct text){to, t.length};
}

char character_upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c; }

struct text text_upper(struct assembler *a, struct text t) {
    char *to = assembler_allocate(a, t.length + 1);
    for (size_t i = 0; i < t.length; i++) {
        to[i] = character_upper(t.at[i]);
    }
    return (struct text){to, t.length};
}

bool text_equal(struct text a, struct text b) {
    return a.length == b.length && (a.length == 0 || memcmp(a.at, b.at, a.length) == 0);
}

bool text_is(struct text t, const char *upper) {
    size_t i = 0;
    while (i < t.length && upper[i] && character_upper(t.at[i]) == upper[i]) {
        i++;
    }
    return i == t.length && !upper[i];
}

bool character_is_digit(char c) { return c >= '0' && c <= '9'; }

bool character_starts_symbol(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '@' || c == '#' || c == '$' || c == '_';
}

bool character_in_symbol(char c) { return character_starts_symbol(c) || character_is_digit(c); }

size_t text_symbol(struct text t) {
    size_t i = 0;
    if (t.length && character_starts_symbol(t.at[0])) {
        while (i < t.length && character_in_symbol(t.at[i])) {
            i++;
        }
    }
    return i;
}

bool text_is_attribute(struct text t, size_t i) {
    if (i == 0 || i + 1 >= t.length || !strchr("LTKNSDIO", character_upper(t.at[i - 1])) || !t.at[i - 1] ||
        (i >= 2 && character_in_symbol(t.at[i - 2]))) {
        return false;
    }
    const char next = t.at[i + 1];
    return character_starts_symbol(next) || next == '*' || next == '=' || next == '&';
}

size_t text_operands_end(struct text t, size_t from, bool nested, bool *open) {
    bool quoted = false;
    size_t i = from, depth = 0;
    for (; i < t.length; i++) {
        const char c = t.at[i];
        if (c == '\'') {
            quoted = !quoted && text_is_attribute(t, i) ? false : !quoted;
        } else if (quoted) {
            continue;
        } else if (c == ' ' && depth == 0) {
            break;
        } else if (nested && c == '(') {
            depth++;
        } else if (nested && c == ')' && depth) {
            depth--;
        }
    }
    *open = quoted;
    return i;
}

unsigned text_distance(struct text a, struct text b, unsigned most) {
    enum { LONGEST = 16 };
    unsigned row[LONGEST + 1];
    const size_t difference = a.length > b.length ? a.length - b.length : b.length - a.length;
    if (a.length > LONGEST || b.length > LONGEST || difference > most) {
        return most + 1;
    }
    for (unsigned j = 0; j <= b.length; j++) {
        row[j] = j;
    }
    for (size_t i = 0; i < a.length; i++) {
        unsigned diagonal = row[0], least = row[0] = (unsigned)i + 1;
        for (size_t j = 0; j < b.length; j++) {
            const unsigned changed = diagonal + (character_upper(a.at[i]) != character_upper(b.at[j]));
            const unsigned moved = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;
            diagonal = row[j + 1];
            row[j + 1] = changed < moved ? changed : moved;
            least = row[j + 1] < least ? row[j + 1] : least;
        }
        if (least > most) {
            return most + 1;
        }
    }
    return row[b.length] <= most ? row[b.length] : most + 1;
}

/* FNV-1a. Its weakness against chosen keys costs only time, and statements are counted. */
static uint32_t hash(struct text key) {
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < key.length; i++) {
        h = (h ^ (uint8_t)key.at[i]) * 16777619u;
    }
    return h;
}

/* The entry with the key, or the free one where it belongs. Sizes are powers of two, never full. */
static struct table_entry *place_of(const struct table *t, struct text key, uint32_t h) {
    size_t i = h & (t->size - 1);
    while (t->entries[i].value && !(t->entries[i].hash == h && text_equal(t->entries[i].key, key))) {
        i = (i + 1) & (t->size - 1);
    }
    return &t->entries[i];
}

void *table_find(const struct table *t, struct text key) { return t->size ? place_of(t, key, hash(key))->value : NULL; }

static void grow(struct assembler *a, struct table *t) {
    struct table bigger = {NULL, t->size ? 2 * t->size : 8, t->count};
    bigger.entries = assembler_allocate(a, bigger.size * sizeof *bigger.entries);
    for (size_t i = 0; i < t->size; i++) {
        if (t->entries[i].value) {
            *place_of(&bigger, t->entries[i].key, t->entries[i].hash) = t->entries[i];
        }
    }
    *t = bigger;
}

void table_set(struct assembler *a, struct table *t, struct text key, void *value) {
    assert(value && "a free entry is one without a value");
    if (4 * (t->count + 1) > 3 * t->size) {
        grow(a, t);
    }
    const uint32_t h = hash(key);
    struct table_entry *entry = place_of(t, key, h);
    t->count += !entry->value;
    *entry = (struct table_entry){key, h, value};
}
