/* Symbols, the sections that they lie in, and the base registers that reach them.
 *
 * A symbol's value is an offset in its section, or a plain number. Sections get their addresses only between the
 * passes, so nothing in the first pass may depend on one. */
#include <string.h>

#include "isa/assembler/assembler_internal.h"

struct definition *symbol_find(struct assembler *a, struct text name) {
    char upper[MOST_SYMBOL_LENGTH];
    if (name.length > sizeof upper) {
        return NULL;
    }
    for (size_t i = 0; i < name.length; i++) {
        upper[i] = character_upper(name.at[i]);
    }
    return table_find(&a->symbols, (struct text){upper, name.length});
}

static struct definition *symbol_add(struct assembler *a, struct statement *s, struct text name,
                                     struct definition content) {
    struct definition *d = symbol_find(a, name);
    if (d) {
        assembler_error(a, s, name.at, "%.*s is already defined", TEXT_ARGS(name));
        if (d->statement) {
            assembler_note(a, &d->statement->line, 0, "the first definition of %.*s is here", TEXT_ARGS(d->name));
        }
        return NULL;
    }
    d = assembler_allocate(a, sizeof *d);
    *d = content;
    d->name = name;
    d->statement = s;
    table_set(a, &a->symbols, text_upper(a, name), d);
    *a->definition_end = d;
    a->definition_end = &d->next;
    return d;
}

/* Is this a name that a symbol can have? If not: a diagnostic. */
static bool symbol_check(struct assembler *a, struct statement *s, struct text name) {
    if (name.length > MOST_SYMBOL_LENGTH) {
        assembler_error(a, s, name.at, "this symbol is longer than %d characters", MOST_SYMBOL_LENGTH);
    } else if (name.length == 0 || text_symbol(name) != name.length) {
        assembler_error(a, s, name.at, "%.*s is not a symbol: letters, digits, @ # $ _, and no digit first",
                        TEXT_ARGS(name));
    } else {
        return true;
    }
    return false;
}

struct definition *symbol_define(struct assembler *a, struct statement *s, struct section *section, int64_t value,
                                 uint32_t length) {
    if (s->name.length == 0 || s->name.at[0] == '.') { /* .NAME: for conditional assembly only */
        return NULL;
    }
    if (!symbol_check(a, s, s->name)) {
        return NULL;
    }
    return symbol_add(
        a, s, s->name,
        (struct definition){.state = SYMBOL_DEFINED, .section = section, .value = value, .length = length});
}

struct definition *symbol_define_external(struct assembler *a, struct statement *s, struct text name, bool weak) {
    return symbol_check(a, s, name)
               ? symbol_add(a, s, name, (struct definition){.state = weak ? SYMBOL_WEAK : SYMBOL_EXTERNAL, .length = 1})
               : NULL;
}

/* EQU's third operand is the type, as a number or a character. */
static char equate_type(const struct statement *s) {
    size_t at = 0;
    struct text operand = {"", 0};
    int64_t number;
    for (unsigned i = 0; i < 3; i++) {
        if (!operand_next(s->operands, &at, &operand)) {
            return 'U';
        }
    }
    return text_self_defining(operand, &number) && number > 0 && number < 256 ? (char)latin1_from_ebcdic[number] : 'U';
}

char symbol_type(const struct definition *d) {
    const struct operation *o = d->statement ? d->statement->does : NULL;
    if (!o || o->kind == OPERATION_MACRO || d->state == SYMBOL_BAD) {
        return 'U';
    }
    if (o->kind == OPERATION_INSTRUCTION) {
        return 'I';
    }
    if (text_is(d->statement->operation, "EQU")) {
        return equate_type(d->statement);
    }
    return o->directive->type ? o->directive->type : d->statement->constants ? d->statement->constants->type : 'U';
}

const struct definition *symbol_like(struct assembler *a, struct text name) {
    enum { MOST_SUGGESTIONS = 20 }; /* each looks at every symbol */
    const unsigned most = name.length < 3 ? 0 : name.length < 6 ? 1 : 2;
    const struct definition *best = NULL;
    unsigned best_distance = most + 1;
    if (most == 0 || a->suggestions++ >= MOST_SUGGESTIONS) {
        return NULL;
    }
    for (const struct definition *d = a->definitions; d; d = d->next) {
        const unsigned distance = text_distance(d->name, name, most);
        if (distance < best_distance) {
            best = d;
            best_distance = distance;
        }
    }
    return best;
}

void symbol_refer(struct assembler *a, struct definition *d, const struct statement *s) {
    if (!a->options || !a->options->listing || (d->last_reference && d->last_reference->statement == s->number)) {
        return;
    }
    struct reference *r = assembler_allocate(a, sizeof *r);
    r->statement = s->number;
    *(d->last_reference ? &d->last_reference->next : &d->references) = r;
    d->last_reference = r;
}

/* ---- sections ---- */

static struct section *section_new(struct assembler *a, struct text name, struct text key, bool dummy) {
    struct section *x = assembler_allocate(a, sizeof *x);
    bool first = !dummy;
    for (const struct section *other = a->sections; other; other = other->next) {
        first = first && other->dummy;
    }
    /* The first control section begins at 0 unless START says otherwise; it alone has its place from the start. */
    *x = (struct section){.name = name, .dummy = dummy, .placed = dummy || first, .low_used = 1, .high_used = 0};
    table_set(a, &a->section_names, key, x);
    *a->section_end = x;
    a->section_end = &x->next;
    return x;
}

struct section *section_current(struct assembler *a) {
    if (!a->section) {
        a->section = section_new(a, TEXT_LITERAL(""), TEXT_LITERAL(""), false);
    }
    return a->section;
}

struct section *section_enter(struct assembler *a, struct statement *s, bool dummy) {
    const bool named = s->name.length && s->name.at[0] != '.';
    const struct text key = named ? text_upper(a, s->name) : dummy ? TEXT_LITERAL(" ") : TEXT_LITERAL("");
    struct section *x = table_find(&a->section_names, key);
    if (x && x->dummy != dummy) {
        assembler_error(a, s, s->name.at, "%.*s is a %s", TEXT_ARGS(s->name), x->dummy ? "DSECT" : "control section");
        return NULL;
    }
    if (!x) {
        if (named && (!symbol_check(a, s, s->name) || symbol_find(a, s->name))) {
            symbol_define(a, s, NULL, 0, 1); /* for its message */
            return NULL;
        }
        x = section_new(a, s->name, key, dummy);
        symbol_define(a, s, x, 0, 1);
    }
    a->section = x;
    s->section = x;
    s->offset = x->location;
    return x;
}

static void section_reach(struct assembler *a, struct statement *s, struct section *x, int64_t to) {
    if (to + (int64_t)x->base > MOST_ADDRESS) {
        if (!a->too_much) {
            assembler_error(a, s, NULL, "the location counter goes beyond 16 MB");
            a->too_much = true;
        }
        s->bad = true;
        s->length = 0;
        to = x->location;
    }
    x->location = to;
    if (to > x->high) {
        x->high = to;
    }
}

void section_align(struct assembler *a, struct statement *s, unsigned boundary) {
    struct section *x = section_current(a);
    /* A section whose place is not known yet will begin on a doubleword. */
    const int64_t address = x->location + (int64_t)(x->base & 7);
    const int64_t gap = (boundary - address % boundary) % boundary;
    s->section = x;
    section_reach(a, s, x, x->location + gap);
    s->offset = x->location;
}

void section_advance(struct assembler *a, struct statement *s, int64_t bytes) {
    struct section *x = section_current(a);
    const int64_t from = x->location;
    section_reach(a, s, x, from + bytes);
    if (x->location > from) {
        if (x->low_used > x->high_used) {
            x->low_used = from;
            x->high_used = x->location;
        }
        x->low_used = from < x->low_used ? from : x->low_used;
        x->high_used = x->location > x->high_used ? x->location : x->high_used;
    }
}

void section_origin(struct assembler *a, struct statement *s, const struct value *v, size_t at) {
    struct section *x = section_current(a);
    int64_t to = v->number;
    if (value_is_number(v) && !x->dummy) {
        if (!x->placed && x->high == 0 && to >= 0 && to < MOST_ADDRESS) {
            x->base = (uint32_t)to; /* nothing is in it yet: ORG says where it lies */
            x->placed = true;
        } else if (!x->placed) {
            assembler_error(a, s, s->line.text.at + at,
                            "ORG with a plain number, but only the first section's place is known: use section+number");
            return;
        }
        to -= x->base;
    } else if (!(value_is_address(v) && v->terms[0].section == x) && !(value_is_number(v) && x->dummy)) {
        assembler_error(a, s, s->line.text.at + at, "ORG needs an address in the current section");
        return;
    }
    if (to + (int64_t)x->base < 0 || (to < 0 && !x->placed)) {
        assembler_error(a, s, s->line.text.at + at, "ORG goes below the beginning of the section");
        return;
    }
    section_reach(a, s, x, to);
}

void sections_place(struct assembler *a) {
    uint64_t next = 0;
    int64_t low = MOST_ADDRESS, high = 0;
    for (struct section *x = a->sections; x; x = x->next) {
        if (x->dummy) {
            continue;
        }
        if (!x->placed) {
            x->base = (uint32_t)((next + 7) & ~(uint64_t)7);
            x->placed = true;
        }
        next = x->base + (uint64_t)x->high;
        if (next > MOST_ADDRESS) {
            if (!a->too_much && a->statements) {
                assembler_error(a, a->statements, NULL, "the program is larger than 16 MB");
            }
            a->too_much = true;
            return;
        }
        if (x->low_used <= x->high_used) {
            low = x->base + x->low_used < low ? x->base + x->low_used : low;
            high = x->base + x->high_used > high ? x->base + x->high_used : high;
        }
    }
    a->origin = low < high ? (uint32_t)low : 0;
    a->image_length = low < high ? (uint32_t)(high - low) : 0;
}

/* ---- base registers ---- */

/* Takes base register r out; `plain`: only its ordinary USING (what a new one for the same register replaces). */
static bool bases_remove(struct bases *b, unsigned r, bool plain) {
    unsigned kept = 0;
    for (unsigned i = 0; i < b->count; i++) {
        if (b->base[i].reg != r || (plain && b->base[i].dependent)) {
            b->base[kept++] = b->base[i];
        }
    }
    const bool found = kept < b->count;
    b->count = kept;
    return found;
}

/* First operand of USING: where, and how far the bases reach together (0: as far as they can). */
static bool using_range(struct cursor *c, struct value *v, int64_t *range) {
    const size_t start = c->at;
    struct value end;
    *range = 0;
    if (cursor_take(c, '(')) {
        if (!expression_parse(c, v)) {
            return false;
        }
        if (cursor_take(c, ',')) {
            const size_t at = c->at;
            if (!expression_parse(c, &end)) {
                return false;
            }
            *range = end.number - v->number;
            const bool same =
                v->term_count == end.term_count && (v->term_count == 0 || v->terms[0].section == end.terms[0].section);
            if (!same || *range <= 0) {
                return cursor_error(c, at, "the end of the range must lie behind its start, in the same section");
            }
            return cursor_take(c, ')') || cursor_error(c, c->at, "the parenthesis of the range is not closed");
        }
        c->at = start; /* only an expression in parentheses */
    }
    return expression_parse(c, v);
}

static void using_add(struct cursor *c, struct base b) {
    struct bases *bases = &c->a->bases;
    if (!b.dependent) {
        bases_remove(bases, b.reg, true);
    }
    if (bases->count == MOST_BASES) {
        cursor_error(c, 0, "more than %d base addresses at a time", MOST_BASES);
        return;
    }
    bases->base[bases->count++] = b;
}

static void using_dependent(struct cursor *c, size_t at, struct base b, const struct value *anchor) {
    uint8_t reg;
    uint16_t displacement;
    if (!using_resolve(c, at, anchor, false, &reg, &displacement)) {
        return;
    }
    b.reg = reg;
    b.displacement = displacement;
    b.dependent = true;
    b.range = b.range && b.range < 4096 - displacement ? b.range : 4096 - displacement;
    using_add(c, b);
}

void using_directive(struct assembler *a, struct statement *s) {
    struct cursor c = cursor_of(a, s, s->operands);
    struct value v, r;
    int64_t range;
    if (s->name.length && s->name.at[0] != '.') {
        assembler_error(a, s, s->name.at, "USING with a label is not supported");
        return;
    }
    if (!using_range(&c, &v, &range)) {
        return;
    }
    if (!value_is_number(&v) && !value_is_address(&v)) {
        cursor_error(&c, 0, "USING needs one address or a number");
        return;
    }
    struct base b = {.section = value_is_address(&v) ? v.terms[0].section : NULL, .value = v.number};
    int64_t left = range;
    for (unsigned count = 0; !cursor_at_end(&c); count++) {
        size_t at = c.at + 1;
        if (!cursor_take(&c, ',')) {
            cursor_error(&c, c.at, "a comma is missing");
            return;
        }
        if (!expression_parse(&c, &r)) {
            return;
        }
        if (count == 0 && value_is_address(&r) && cursor_at_end(&c)) {
            b.range = range;
            using_dependent(&c, at, b, &r);
            return;
        }
        if (!value_is_number(&r) || r.number < 0 || r.number > 15) {
            cursor_error(&c, at, "a base register is a number from 0 to 15");
            return;
        }
        b.reg = (uint8_t)r.number;
        b.range = range && left < 4096 ? left : 4096;
        if (b.reg == 0) { /* "register 0" contributes nothing: what it reaches are the first addresses of storage */
            b.value = b.section ? -(int64_t)b.section->base : 0;
        }
        if (b.range > 0) {
            using_add(&c, b);
        }
        b.value += 4096;
        left -= 4096;
    }
    if (a->bases.count == 0 || c.at == 0 || !memchr(s->operands.at, ',', s->operands.length)) {
        cursor_error(&c, c.at, "USING needs a base register");
    }
}

void drop_directive(struct assembler *a, struct statement *s) {
    struct cursor c = cursor_of(a, s, s->operands);
    if (cursor_at_end(&c) || cursor_peek(&c) == ',') {
        a->bases.count = 0;
        return;
    }
    do {
        const size_t at = c.at;
        int64_t r;
        if (!expression_number(&c, 0, 15, "a base register", &r)) {
            return;
        }
        if (!bases_remove(&a->bases, (unsigned)r, false)) {
            assembler_warning(a, s, c.text.at + at, "register %d is no base register here", (int)r);
        }
    } while (cursor_take(&c, ','));
    if (!cursor_at_end(&c)) {
        cursor_error(&c, c.at, "unexpected text in the operands of DROP");
    }
}

void using_push(struct assembler *a) {
    if (a->pushed_count < MOST_PUSHED) {
        a->pushed[a->pushed_count] = a->bases;
    }
    a->pushed_count++;
}

bool using_pop(struct assembler *a) {
    if (a->pushed_count == 0) {
        return false;
    }
    if (--a->pushed_count < MOST_PUSHED) {
        a->bases = a->pushed[a->pushed_count];
    }
    return true;
}

bool using_resolve(struct cursor *c, size_t at, const struct value *v, bool quiet, uint8_t *b, uint16_t *d) {
    const struct section *section = value_is_address(v) ? v->terms[0].section : NULL;
    int64_t best = -1, beyond = -1;
    if (!section && !value_is_number(v)) {
        return quiet ? false : cursor_error(c, at, "an address here must lie in one section");
    }
    if (!section && v->number >= 0 && v->number < 4096) { /* without a base register */
        best = v->number;
        *b = 0;
    }
    for (unsigned i = 0; i < c->a->bases.count; i++) {
        const struct base *k = &c->a->bases.base[i];
        const int64_t distance = v->number - k->value, displacement = distance + k->displacement;
        if (k->section != section) {
            continue;
        }
        if (distance < 0 || distance >= k->range) {
            beyond = distance >= k->range && (beyond < 0 || displacement < beyond) ? displacement : beyond;
        } else if (best < 0 || displacement < best || (displacement == best && k->reg > *b)) {
            best = displacement;
            *b = k->reg;
        }
    }
    if (best >= 0) {
        *d = (uint16_t)best;
        return true;
    }
    if (quiet) {
        return false;
    }
    if (!section) {
        return cursor_error(c, at, "%lld is no displacement: 0 to 4095, or a base register", (long long)v->number);
    }
    if (beyond >= 0) {
        return cursor_error(c, at, "not addressable: %lld bytes behind the nearest base, 4095 is the most",
                            (long long)beyond);
    }
    return cursor_error(c, at, "not addressable: no USING in effect reaches %s%.*s",
                        section->name.length ? "section " : "this section", TEXT_ARGS(section->name));
}
