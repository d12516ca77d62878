/* Expressions: sums and products of terms, with the sections that they are relative to.
 *
 * Arithmetic is that of the language, 32 bits, overflow being an error and division by 0 giving 0. An address minus an
 * address of the same section is a plain number; everything else that can be done with addresses stays a sum of bases,
 * which the user of the value accepts or not. */
#include <string.h>

#include "isa/assembler/assembler_internal.h"

struct cursor cursor_of(struct assembler *a, struct statement *s, struct text t) {
    return (struct cursor){.a = a,
                           .s = s,
                           .text = t,
                           .section = s->section,
                           .location = s->offset,
                           .star_length = s->length ? s->length : 1};
}

bool cursor_at_end(const struct cursor *c) { return c->at >= c->text.length; }

char cursor_peek(const struct cursor *c) { return c->at < c->text.length ? c->text.at[c->at] : 0; }

bool cursor_take(struct cursor *c, char expected) {
    const bool there = cursor_peek(c) == expected && !cursor_at_end(c);
    c->at += there;
    return there;
}

bool value_is_number(const struct value *v) { return v->term_count == 0; }

bool value_is_address(const struct value *v) { return v->term_count == 1 && v->terms[0].count == 1; }

bool value_absolute(const struct value *v, int64_t *number) {
    *number = v->number;
    for (unsigned i = 0; i < v->term_count; i++) {
        if (v->terms[i].section->dummy) {
            return false;
        }
        *number += (int64_t)v->terms[i].count * v->terms[i].section->base;
    }
    return true;
}

static void value_clear(struct value *v, int64_t number, uint32_t length) {
    v->number = number;
    v->length = length;
    v->term_count = 0;
}

/* *v += sign * *w. False: too many different sections. */
static bool value_add(struct value *v, const struct value *w, int sign) {
    v->number += sign * w->number;
    for (unsigned i = 0; i < w->term_count; i++) {
        unsigned k = 0;
        while (k < v->term_count && v->terms[k].section != w->terms[i].section) {
            k++;
        }
        if (k == VALUE_TERMS) {
            return false;
        }
        if (k == v->term_count) {
            v->terms[v->term_count].section = w->terms[i].section;
            v->terms[v->term_count++].count = 0;
        }
        v->terms[k].count += sign * w->terms[i].count;
        if (v->terms[k].count == 0) {
            v->terms[k] = v->terms[--v->term_count];
        }
    }
    return true;
}

static bool in_32_bits(struct cursor *c, size_t at, int64_t number) {
    return (number >= INT32_MIN && number <= INT32_MAX) || cursor_error(c, at, "this needs more than 32 bits");
}

/* ---- terms ---- */

static int hex_digit(char c) {
    return character_is_digit(c)                                    ? c - '0'
           : character_upper(c) >= 'A' && character_upper(c) <= 'F' ? character_upper(c) - 'A' + 10
                                                                    : -1;
}

static bool parse_decimal(struct cursor *c, int64_t *number) {
    const size_t at = c->at;
    *number = 0;
    while (character_is_digit(cursor_peek(c))) {
        *number = *number * 10 + (cursor_peek(c) - '0');
        c->at++;
        if (*number > INT32_MAX) {
            return cursor_error(c, at, "this number is larger than 2147483647");
        }
    }
    return true;
}

/* X'…' and B'…': the quote is next. */
static bool parse_digits(struct cursor *c, unsigned bits, int64_t *number) {
    const size_t at = c->at++;
    uint64_t n = 0;
    size_t digits = 0;
    while (!cursor_at_end(c) && cursor_peek(c) != '\'') {
        const int digit = hex_digit(cursor_peek(c));
        if (digit < 0 || digit >> bits) {
            return cursor_error(c, c->at, bits == 4 ? "this is no hexadecimal digit" : "this is no binary digit");
        }
        n = n << bits | (unsigned)digit;
        if (n > UINT32_MAX) {
            return cursor_error(c, at, "a self-defining term has at most 4 bytes");
        }
        digits++;
        c->at++;
    }
    if (!cursor_take(c, '\'') || digits == 0) {
        return cursor_error(c, at, digits ? "the quote is not closed" : "there are no digits between the quotes");
    }
    *number = (int32_t)(uint32_t)n;
    return true;
}

static bool parse_characters(struct cursor *c, bool ascii, int64_t *number) {
    const size_t at = c->at++;
    uint64_t n = 0;
    unsigned count = 0;
    while (!cursor_at_end(c)) {
        const char x = cursor_peek(c);
        const char next = c->at + 1 < c->text.length ? c->text.at[c->at + 1] : 0;
        if (x == '\'' && next != '\'') {
            break;
        }
        if (x == '&' && next != '&') {
            return cursor_error(c, c->at, "a single & here: write && for the character");
        }
        if (x == TEXT_FOREIGN) {
            return cursor_error(c, c->at, "this character is not in code page 037");
        }
        c->at += x == '\'' || x == '&' ? 2 : 1;
        n = n << 8 | (ascii ? (uint8_t)x : ebcdic_from_latin1[(uint8_t)x]);
        if (++count > 4) {
            return cursor_error(c, at, "a self-defining term has at most 4 bytes");
        }
    }
    if (!cursor_take(c, '\'') || count == 0) {
        return cursor_error(c, at, count ? "the quote is not closed" : "there are no characters between the quotes");
    }
    *number = (int32_t)(uint32_t)n;
    return true;
}

bool expression_self_defining(struct cursor *c, int64_t *number) {
    const char kind = character_upper(cursor_peek(c));
    c->at++;
    if (kind == 'C' && cursor_peek(c) != '\'') {
        const char code = character_upper(cursor_peek(c));
        c->at++;
        return parse_characters(c, code == 'A', number);
    }
    return kind == 'X'   ? parse_digits(c, 4, number)
           : kind == 'B' ? parse_digits(c, 1, number)
                         : parse_characters(c, false, number);
}

static bool is_self_defining(const struct cursor *c) {
    const char *p = c->text.at + c->at;
    const size_t left = c->text.length - c->at;
    const char kind = left ? character_upper(p[0]) : 0;
    if (left >= 2 && p[1] == '\'') {
        return kind == 'X' || kind == 'B' || kind == 'C';
    }
    return left >= 3 && kind == 'C' && p[2] == '\'' && (character_upper(p[1]) == 'A' || character_upper(p[1]) == 'E');
}

static bool undefined(struct cursor *c, size_t at, struct text name) {
    if (c->quiet) {
        c->undefined = true;
        return false;
    }
    const struct definition *like = symbol_like(c->a, name);
    if (like) {
        return cursor_error(c, at, "undefined symbol %.*s; did you mean %.*s?", TEXT_ARGS(name), TEXT_ARGS(like->name));
    }
    if (name.length <= 3 && character_upper(name.at[0]) == 'R' && name.length > 1 && character_is_digit(name.at[1])) {
        return cursor_error(c, at, "undefined symbol %.*s (registers are numbers; to name one: %.*s EQU %.*s)",
                            TEXT_ARGS(name), TEXT_ARGS(name), (int)name.length - 1, name.at + 1);
    }
    return cursor_error(c, at, "undefined symbol %.*s", TEXT_ARGS(name));
}

/* The definition of the symbol at the cursor, evaluated; NULL when it has no value (yet). */
static struct definition *parse_symbol(struct cursor *c) {
    const size_t at = c->at;
    const struct text rest = {c->text.at + at, c->text.length - at};
    const struct text name = {rest.at, text_symbol(rest)};
    c->at += name.length;
    if (name.length == 0) {
        cursor_error(c, at, cursor_at_end(c) ? "an operand is missing" : "an expression cannot begin like this");
        return NULL;
    }
    struct definition *d = symbol_find(c->a, name);
    if (d && d->state == SYMBOL_PENDING) {
        equate_evaluate(c->a, d, c->quiet || !c->a->second_pass);
    }
    if (d) {
        symbol_refer(c->a, d, c->s);
    }
    if (!d || d->state == SYMBOL_PENDING) {
        if (c->early && !c->quiet && (d || !c->a->second_pass)) {
            cursor_error(c, at, "%.*s must be defined before this statement", TEXT_ARGS(name));
        } else {
            undefined(c, at, name);
        }
        return NULL;
    }
    if (d->state == SYMBOL_EVALUATING) {
        cursor_error(c, at, "%.*s is defined by itself", TEXT_ARGS(name));
        return NULL;
    }
    if (d->state == SYMBOL_BAD) { /* its own statement has the diagnostic */
        c->s->bad = true;
        return NULL;
    }
    if (d->state == SYMBOL_EXTERNAL) {
        cursor_error(c, at, "external symbol %.*s cannot be resolved: there is no linkage editor", TEXT_ARGS(name));
        return NULL;
    }
    return d;
}

static bool parse_attribute(struct cursor *c, struct value *v) {
    const size_t at = c->at;
    const char kind = character_upper(cursor_peek(c));
    c->at += 2;
    if (kind != 'L') {
        return cursor_error(c, at, "attribute %c' is not supported, only L'", kind);
    }
    if (cursor_take(c, '*')) {
        value_clear(v, c->star_length, 1);
        return true;
    }
    const struct definition *d = parse_symbol(c);
    if (d) {
        value_clear(v, d->length, 1);
    }
    return d != NULL;
}

static bool parse_literal(struct cursor *c, struct value *v) {
    const struct literal_use *use = literal_at(c->s, (size_t)(c->text.at - c->s->line.text.at) + c->at);
    if (!use || !use->literal->section) {
        return c->s->bad ? false : cursor_error(c, c->at, "a literal is not possible here");
    }
    c->at = use->end - (size_t)(c->text.at - c->s->line.text.at);
    value_clear(v, use->literal->offset, use->literal->constant->length);
    v->terms[0].section = use->literal->section;
    v->terms[0].count = 1;
    v->term_count = 1;
    return true;
}

static bool parse_location(struct cursor *c, struct value *v) {
    c->at++;
    if (!c->section) {
        return cursor_error(c, c->at - 1, "* has no value: no section has begun");
    }
    value_clear(v, c->location, c->star_length);
    v->terms[0].section = c->section;
    v->terms[0].count = 1;
    v->term_count = 1;
    return true;
}

static bool parse_sum(struct cursor *c, struct value *v);

static bool parse_term(struct cursor *c, struct value *v) {
    const size_t at = c->at;
    const char x = cursor_peek(c);
    int64_t number;
    if (x == '(' || x == '-' || x == '+') {
        if (++c->depth > MOST_EXPRESSION_DEPTH) {
            return cursor_error(c, at, "this expression is nested more than %d deep", MOST_EXPRESSION_DEPTH);
        }
        c->at++;
        const bool good = x == '(' ? parse_sum(c, v) : parse_term(c, v);
        c->depth--;
        if (!good) {
            return false;
        }
        if (x == '(') {
            return cursor_take(c, ')') || cursor_error(c, c->at, "a closing parenthesis is missing");
        }
        if (x == '-') {
            v->number = -v->number;
            for (unsigned i = 0; i < v->term_count; i++) {
                v->terms[i].count = -v->terms[i].count;
            }
        }
        return in_32_bits(c, at, v->number);
    }
    if (x == '*') {
        return parse_location(c, v);
    }
    if (x == '=') {
        return parse_literal(c, v);
    }
    if (character_is_digit(x) || is_self_defining(c)) {
        if (!(character_is_digit(x) ? parse_decimal(c, &number) : expression_self_defining(c, &number))) {
            return false;
        }
        value_clear(v, number, 1);
        return true;
    }
    if (at + 1 < c->text.length && c->text.at[at + 1] == '\'' && text_is_attribute(c->text, at + 1)) {
        return parse_attribute(c, v);
    }
    const struct definition *d = parse_symbol(c);
    if (!d) {
        return false;
    }
    value_clear(v, d->value, d->length);
    if (d->section) {
        v->terms[0].section = d->section;
        v->terms[0].count = 1;
        v->term_count = 1;
    }
    return true;
}

static bool parse_product(struct cursor *c, struct value *v) {
    if (!parse_term(c, v)) {
        return false;
    }
    for (char x = cursor_peek(c); x == '*' || x == '/'; x = cursor_peek(c)) {
        const size_t at = c->at++;
        struct value w;
        if (!parse_term(c, &w)) {
            return false;
        }
        if (!value_is_number(v) || !value_is_number(&w)) {
            return cursor_error(c, at, "addresses can be added and subtracted, not multiplied or divided");
        }
        v->number = x == '*' ? v->number * w.number : w.number ? v->number / w.number : 0;
        if (!in_32_bits(c, at, v->number)) {
            return false;
        }
    }
    return true;
}

static bool parse_sum(struct cursor *c, struct value *v) {
    if (!parse_product(c, v)) {
        return false;
    }
    for (char x = cursor_peek(c); x == '+' || x == '-'; x = cursor_peek(c)) {
        const size_t at = c->at++;
        struct value w;
        if (!parse_product(c, &w)) {
            return false;
        }
        if (!value_add(v, &w, x == '+' ? 1 : -1)) {
            return cursor_error(c, at, "addresses of too many sections in one expression");
        }
        if (!in_32_bits(c, at, v->number)) {
            return false;
        }
    }
    return true;
}

bool expression_parse(struct cursor *c, struct value *v) {
    value_clear(v, 0, 1);
    return parse_sum(c, v);
}

bool expression_number(struct cursor *c, int64_t least, int64_t most, const char *what, int64_t *number) {
    const size_t at = c->at;
    struct value v;
    if (!expression_parse(c, &v)) {
        return false;
    }
    if (!value_is_number(&v)) {
        return cursor_error(c, at, "%s must be a number, not an address", what);
    }
    if (v.number < least || v.number > most) {
        return cursor_error(c, at, "%s must be from %lld to %lld, not %lld", what, (long long)least, (long long)most,
                            (long long)v.number);
    }
    *number = v.number;
    return true;
}

/* ---- EQU ---- */

/* The operands of EQU: value, length, type; the type attribute has no use here and is skipped. */
static bool parse_equate(struct cursor *c, struct definition *d) {
    struct value v;
    int64_t length;
    if (!expression_parse(c, &v)) {
        return false;
    }
    if (!value_is_number(&v) && !value_is_address(&v)) {
        return cursor_error(c, 0, "the value must be a number or an address in one section");
    }
    d->length = v.length ? v.length : 1;
    if (cursor_take(c, ',') && cursor_peek(c) != ',' && !cursor_at_end(c)) {
        if (!expression_number(c, 0, 65535, "the length", &length)) {
            return false;
        }
        d->length = (uint32_t)length;
    }
    if (!cursor_at_end(c) && cursor_peek(c) != ',') {
        return cursor_error(c, c->at, "unexpected text behind the value");
    }
    d->section = value_is_address(&v) ? (struct section *)v.terms[0].section : NULL;
    d->value = v.number;
    return true;
}

void equate_evaluate(struct assembler *a, struct definition *d, bool quiet) {
    struct cursor c = cursor_of(a, (struct statement *)d->statement, d->statement->operands);
    c.quiet = quiet;
    if (a->equate_depth >= MOST_EXPRESSION_DEPTH) {
        if (!quiet) {
            cursor_error(&c, 0, "EQU refers to EQU more than %d deep", MOST_EXPRESSION_DEPTH);
            d->state = SYMBOL_BAD;
        }
        return;
    }
    a->equate_depth++;
    d->state = SYMBOL_EVALUATING;
    const bool good = parse_equate(&c, d);
    a->equate_depth--;
    d->state = good ? SYMBOL_DEFINED : c.quiet && !d->statement->bad ? SYMBOL_PENDING : SYMBOL_BAD;
}
