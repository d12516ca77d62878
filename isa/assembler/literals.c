/* Literals: constants that the assembler stores by itself, in a pool at the next LTORG or at the end.
 *
 * The first pass meets every literal before it can know where the pool will lie; it notes at which character of a
 * statement which literal stands, and the second pass looks that up. Two literals are one when they are written alike,
 * unless they speak of their own place. */
#include <string.h>

#include "isa/assembler/assembler_internal.h"

/* How a literal is written, without regard to case outside quotes. */
static struct text literal_key(struct assembler *a, struct text t) {
    struct text key = text_copy(a, t);
    char *p = (char *)key.at;
    bool quoted = false;
    for (size_t i = 0; i < key.length; i++) {
        if (p[i] == '\'') {
            quoted = !quoted && text_is_attribute(t, i) ? false : !quoted;
        } else if (!quoted) {
            p[i] = character_upper(p[i]);
        }
    }
    return key;
}

static struct literal *literal_intern(struct cursor *c, struct constant *k, struct text written) {
    struct assembler *a = c->a;
    const struct text key = literal_key(a, written);
    const bool own = k->type != 'C' && memchr(key.at, '*', key.length);
    struct literal *l = own ? NULL : table_find(&a->literals, key);
    if (l && !l->placed) {
        return l;
    }
    l = assembler_allocate(a, sizeof *l);
    *l = (struct literal){.constant = k, .written = written, .star = {c->s->section, c->s->offset, false}};
    table_set(a, &a->literals, key, l);
    *a->pool_end = l;
    a->pool_end = &l->next;
    return l;
}

/* Does a term, so perhaps a literal, begin behind this character? */
static bool begins_term(char before) { return before == 0 || strchr(",(+-*/", before) != NULL; }

void literals_collect(struct assembler *a, struct statement *s) {
    struct cursor c = cursor_of(a, s, s->operands);
    struct literal_use **end = &s->uses;
    bool quoted = false;
    c.early = true;
    for (char before = 0; !cursor_at_end(&c);) {
        const char x = cursor_peek(&c);
        if (x == '\'') {
            quoted = !quoted && text_is_attribute(c.text, c.at) ? false : !quoted;
        } else if (x == '=' && !quoted && begins_term(before)) {
            const size_t at = c.at++;
            struct constant *k = constant_parse(&c, false);
            if (!k) {
                return;
            }
            if (k->size == 0 || k->duplication == 0) {
                cursor_error(&c, at, "a literal must have a value");
                return;
            }
            struct literal_use *use = assembler_allocate(a, sizeof *use);
            const size_t base = (size_t)(c.text.at - s->line.text.at);
            *use = (struct literal_use){base + at, base + c.at, NULL, NULL};
            use->literal = literal_intern(&c, k, (struct text){c.text.at + at, c.at - at});
            *end = use;
            end = &use->next;
            before = ')';
            continue;
        }
        before = x;
        c.at++;
    }
}

const struct literal_use *literal_at(const struct statement *s, size_t at) {
    for (const struct literal_use *use = s->uses; use; use = use->next) {
        if (use->at == at) {
            return use;
        }
    }
    return NULL;
}

/* Literals whose size is a multiple of 8 come first, then of 4, of 2, and the rest: so none needs a gap before it. */
static unsigned literal_group(const struct literal *l) {
    const uint64_t size = (uint64_t)l->constant->size * l->constant->duplication;
    return size % 8 == 0 ? 0 : size % 4 == 0 ? 1 : size % 2 == 0 ? 2 : 3;
}

void literals_place(struct assembler *a, struct statement *s) {
    struct literal *groups[4] = {0}, **ends[4], *next;
    for (unsigned g = 0; g < 4; g++) {
        ends[g] = &groups[g];
    }
    for (struct literal *l = a->pool; l; l = next) {
        const unsigned g = literal_group(l);
        next = l->next;
        l->next = NULL;
        *ends[g] = l;
        ends[g] = &l->next;
    }
    a->pool = NULL;
    a->pool_end = &a->pool;
    struct literal **end = &s->pool;
    section_align(a, s, 8);
    const int64_t start = s->offset;
    for (unsigned g = 0; g < 4; g++) {
        for (struct literal *l = groups[g]; l; l = l->next) {
            const uint32_t bytes = l->constant->size * l->constant->duplication;
            section_align(a, s, l->constant->alignment);
            l->section = s->section;
            l->offset = s->offset;
            l->placed = true;
            a->assembled += bytes;
            if (a->assembled > MOST_ASSEMBLED) {
                assembler_error(a, s, NULL, "too much data: constants of more than %d MB in all", MOST_ASSEMBLED >> 20);
                a->ended = true;
            } else {
                section_advance(a, s, bytes);
            }
            *end = l;
            end = &l->next;
        }
    }
    s->offset = start;
    s->length = (uint32_t)(a->section->location - start);
}

void literals_assemble(struct assembler *a, struct statement *s) {
    for (const struct literal *l = s->pool; l; l = l->next) {
        if (!l->constant->s->bad) {
            constant_assemble(a, l->constant, l->section, l->offset, &l->star);
        }
    }
}
