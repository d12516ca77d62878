/* DC and DS, and what literals are made of: one operand is a struct constant.
 *
 * The first pass needs sizes and alignments, so duplication factor and length modifier are evaluated there; the values
 * themselves are only measured. The second pass makes the bytes, and finds fault with the values. */
#include <string.h>

#include "isa/assembler/assembler_internal.h"

struct constant_type {
    char letter, extension; /* extension 0: none, as in F; FD has D */
    char delimiter;         /* of the values: a quote or a parenthesis */
    uint8_t length;         /* implied; 0: as long as the value */
    uint8_t alignment;      /* without a length modifier */
    uint16_t longest;       /* length modifier */
};

static const struct constant_type types[] = {
    {'C', 0, '\'', 0, 1, 65535}, {'C', 'A', '\'', 0, 1, 65535}, {'C', 'E', '\'', 0, 1, 65535},
    {'X', 0, '\'', 0, 1, 65535}, {'B', 0, '\'', 0, 1, 65535},   {'F', 0, '\'', 4, 4, 8},
    {'F', 'D', '\'', 8, 8, 8},   {'H', 0, '\'', 2, 2, 8},       {'A', 0, '(', 4, 4, 4},
    {'A', 'D', '(', 8, 8, 8},    {'Y', 0, '(', 2, 2, 2},        {'V', 0, '(', 4, 4, 4},
    {'S', 0, '(', 2, 2, 2},      {'P', 0, '\'', 0, 1, 16},      {'Z', 0, '\'', 0, 1, 16},
    {'E', 0, '\'', 4, 4, 8},     {'D', 0, '\'', 8, 8, 8},       {'L', 0, '\'', 16, 8, 16},
};

static const struct constant_type *type_find(char letter, char extension) {
    for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].letter == letter && types[i].extension == extension) {
            return &types[i];
        }
    }
    return NULL;
}

/* ---- measuring ---- */

/* Cuts the next value off *rest, at a comma outside quotes and parentheses. */
static bool next_value(const struct constant *k, struct text *rest, struct text *value) {
    if (!rest->at) {
        return false;
    }
    size_t i = 0;
    unsigned depth = 0;
    bool quoted = false;
    const bool list = k->type != 'C';
    for (; i < rest->length; i++) {
        const char c = rest->at[i];
        if (!list) {
            continue;
        }
        if (c == '\'') {
            quoted = !quoted && text_is_attribute(*rest, i) ? false : !quoted;
        } else if (!quoted && c == '(') {
            depth++;
        } else if (!quoted && c == ')' && depth) {
            depth--;
        } else if (!quoted && c == ',' && depth == 0) {
            break;
        }
    }
    *value = (struct text){rest->at, i};
    *rest = i < rest->length ? (struct text){rest->at + i + 1, rest->length - i - 1} : (struct text){NULL, 0};
    return true;
}

static uint32_t measure_characters(struct text t) {
    uint32_t n = 0;
    for (size_t i = 0; i < t.length; i++, n++) {
        if ((t.at[i] == '\'' || t.at[i] == '&') && i + 1 < t.length && t.at[i + 1] == t.at[i]) {
            i++;
        }
    }
    return n;
}

static uint32_t measure_digits(struct text t) {
    uint32_t n = 0;
    for (size_t i = 0; i < t.length; i++) {
        n += t.at[i] != ' ' && t.at[i] != '+' && t.at[i] != '-' && t.at[i] != '.';
    }
    return n;
}

/* Bytes of one value without a length modifier. */
static uint32_t measure(const struct constant *k, struct text value) {
    const uint32_t digits = measure_digits(value);
    switch (k->type) {
    case 'C': return measure_characters(value);
    case 'X': return (digits + 1) / 2;
    case 'B': return (digits + 7) / 8;
    case 'P': return digits / 2 + 1;
    case 'Z': return digits;
    default: return type_find(k->type, k->extension)->length;
    }
}

static uint32_t length_of(const struct constant *k, struct text value) {
    return k->has_length ? k->explicit_length : measure(k, value);
}

/* ---- parsing ---- */

/* A number, or an expression in parentheses. */
static bool parse_count(struct cursor *c, int64_t least, int64_t most, const char *what, int64_t *number) {
    if (cursor_take(c, '(')) {
        return expression_number(c, least, most, what, number) &&
               (cursor_take(c, ')') || cursor_error(c, c->at, "a closing parenthesis is missing"));
    }
    const size_t at = c->at;
    *number = 0;
    while (character_is_digit(cursor_peek(c)) && *number <= most) {
        *number = *number * 10 + (cursor_peek(c) - '0');
        c->at++;
    }
    if (c->at == at) {
        return cursor_error(c, at, "%s is missing", what);
    }
    return (*number >= least && *number <= most) ||
           cursor_error(c, at, "%s must be from %lld to %lld", what, (long long)least, (long long)most);
}

/* Finds the end of '…' or (…) at the cursor. */
static bool parse_nominal(struct cursor *c, struct constant *k) {
    const size_t start = c->at;
    const bool paren = cursor_peek(c) == '(';
    unsigned depth = 0;
    bool quoted = false;
    for (; !cursor_at_end(c); c->at++) {
        const char x = cursor_peek(c);
        if (x == '\'') {
            quoted = paren && !quoted && text_is_attribute(c->text, c->at) ? false : !quoted;
            if (!paren && !quoted && !(c->at + 1 < c->text.length && c->text.at[c->at + 1] == '\'')) {
                break;
            }
        } else if (paren && !quoted) {
            depth += x == '(';
            depth -= x == ')';
            if (depth == 0) {
                break;
            }
        }
    }
    if (cursor_at_end(c)) {
        return cursor_error(c, start, paren ? "the parenthesis is not closed" : "the quote is not closed");
    }
    k->nominal = (struct text){c->text.at + start + 1, c->at - start - 1};
    c->at++;
    return true;
}

static bool parse_type(struct cursor *c, struct constant *k, const struct constant_type **type) {
    const size_t at = c->at;
    k->type = character_upper(cursor_peek(c));
    *type = type_find(k->type, 0);
    if (!*type || cursor_at_end(c)) {
        return cursor_error(c, at, cursor_at_end(c) ? "a type is missing" : "there is no constant of type %c", k->type);
    }
    c->at++;
    const char extension = character_upper(cursor_peek(c));
    if (!cursor_at_end(c) && extension && type_find(k->type, extension)) {
        k->extension = extension;
        *type = type_find(k->type, extension);
        c->at++;
    } else if (strchr("EDL", k->type) && (extension == 'B' || extension == 'H' || extension == 'D')) {
        c->at++; /* binary, hexadecimal, decimal: all floating point */
    }
    return true;
}

static bool parse_modifiers(struct cursor *c, struct constant *k, const struct constant_type *type) {
    const char x = character_upper(cursor_peek(c));
    int64_t number;
    if (x == 'L') {
        c->at++;
        if (cursor_peek(c) == '.') {
            return cursor_error(c, c->at, "lengths in bits are not supported");
        }
        if (!parse_count(c, 1, type->longest, "the length", &number)) {
            return false;
        }
        k->has_length = true;
        k->explicit_length = (uint32_t)number;
    } else if ((x == 'S' || x == 'E') && (k->type == 'F' || k->type == 'H')) {
        return cursor_error(c, c->at, "scale and exponent modifiers are not supported");
    }
    return true;
}

/* The bytes of all values, once; false when they are too many. */
static bool measure_values(struct cursor *c, struct constant *k) {
    struct text rest = k->nominal, value;
    uint64_t size = 0;
    bool first = true;
    if (!k->has_nominal) {
        const uint32_t implied = measure(k, (struct text){"", 0});
        k->length = k->has_length ? k->explicit_length : implied ? implied : 1;
        size = k->length;
    }
    while (k->has_nominal && next_value(k, &rest, &value)) {
        const uint32_t length = length_of(k, value);
        if (first) {
            k->length = length;
        }
        first = false;
        size += length;
    }
    if (size * k->duplication > MOST_ADDRESS) {
        return cursor_error(c, k->at, "this is larger than 16 MB");
    }
    k->size = (uint32_t)size;
    return true;
}

struct constant *constant_parse(struct cursor *c, bool storage) {
    struct constant *k = assembler_allocate(c->a, sizeof *k);
    const struct constant_type *type;
    int64_t number = 1;
    *k = (struct constant){.s = c->s, .at = c->at};
    if (character_is_digit(cursor_peek(c)) || cursor_peek(c) == '(') {
        if (!parse_count(c, 0, MOST_ADDRESS, "the duplication factor", &number)) {
            return NULL;
        }
    }
    k->duplication = (uint32_t)number;
    if (!parse_type(c, k, &type) || !parse_modifiers(c, k, type)) {
        return NULL;
    }
    k->alignment = k->has_length ? 1 : type->alignment;
    if (cursor_peek(c) == '\'' || cursor_peek(c) == '(') {
        if (cursor_peek(c) != type->delimiter) {
            cursor_error(c, c->at, "the value of type %c stands in %s", k->type,
                         type->delimiter == '(' ? "parentheses" : "quotes");
            return NULL;
        }
        k->has_nominal = true;
        if (!parse_nominal(c, k)) {
            return NULL;
        }
    } else if (!storage && k->duplication) {
        cursor_error(c, c->at, "a constant needs a value");
        return NULL;
    }
    return measure_values(c, k) ? k : NULL;
}

/* ---- making bytes ---- */

/* What the making of one value has to know. */
struct maker {
    struct cursor c; /* over the value's text */
    const struct constant *k;
    uint8_t *to;
    uint32_t length;
};

static bool make_characters(struct maker *m) {
    const struct text t = m->c.text;
    uint32_t n = 0;
    memset(m->to, m->k->extension == 'A' ? ' ' : ebcdic_from_latin1[' '], m->length);
    for (size_t i = 0; i < t.length; i++) {
        const char x = t.at[i];
        if (x == TEXT_FOREIGN) {
            return cursor_error(&m->c, i, "this character is not in code page 037");
        }
        if (x == '\'' || x == '&') {
            if (i + 1 >= t.length || t.at[i + 1] != x) {
                return cursor_error(&m->c, i, "a single & here: write && for the character");
            }
            i++;
        }
        if (n < m->length) {
            m->to[n++] = m->k->extension == 'A' ? (uint8_t)x : ebcdic_from_latin1[(uint8_t)x];
        }
    }
    return t.length || m->k->has_length || cursor_error(&m->c, 0, "there is no character between the quotes");
}

/* X and B: from the right, padded and cut on the left. */
static bool make_digits(struct maker *m, unsigned bits) {
    const struct text t = m->c.text;
    uint64_t place = 0; /* bits already filled */
    memset(m->to, 0, m->length);
    for (size_t i = t.length; i-- > 0;) {
        const char x = character_upper(t.at[i]);
        const int digit = character_is_digit(x) ? x - '0' : x >= 'A' && x <= 'F' ? x - 'A' + 10 : -1;
        if (x == ' ') {
            continue;
        }
        if (digit < 0 || digit >> bits) {
            return cursor_error(&m->c, i, bits == 4 ? "this is no hexadecimal digit" : "this is no binary digit");
        }
        if (place / 8 < m->length) {
            m->to[m->length - 1 - place / 8] |= (uint8_t)(digit << place % 8);
        }
        place += bits;
    }
    return place > 0 || cursor_error(&m->c, 0, "there is no digit");
}

/* Decimal digits with sign, point and exponent, as a magnitude; rounded to the nearest integer. */
static bool parse_number(struct cursor *c, bool *negative, uint64_t *magnitude) {
    const size_t start = c->at;
    int exponent = 0, written = 0;
    bool point = false, digits = false, round = false;
    *magnitude = 0;
    *negative = cursor_peek(c) == '-';
    c->at += *negative || cursor_peek(c) == '+';
    for (; !cursor_at_end(c) && (character_is_digit(cursor_peek(c)) || (cursor_peek(c) == '.' && !point)); c->at++) {
        const char x = cursor_peek(c);
        if (x == '.') {
            point = true;
            continue;
        }
        digits = true;
        if (*magnitude > (UINT64_MAX - 9) / 10) {
            return cursor_error(c, start, "this number is too large");
        }
        *magnitude = *magnitude * 10 + (uint64_t)(x - '0');
        exponent -= point;
    }
    if (digits && character_upper(cursor_peek(c)) == 'E') {
        c->at++;
        const bool down = cursor_peek(c) == '-';
        c->at += down || cursor_peek(c) == '+';
        if (!character_is_digit(cursor_peek(c))) {
            return cursor_error(c, c->at, "the exponent is missing");
        }
        while (character_is_digit(cursor_peek(c))) {
            written = written < 1000 ? written * 10 + (cursor_peek(c) - '0') : written;
            c->at++;
        }
        exponent += down ? -written : written;
    }
    if (!digits || !cursor_at_end(c)) {
        return cursor_error(c, c->at, digits ? "this does not belong to a decimal number" : "a digit is missing");
    }
    for (; exponent > 0 && *magnitude; exponent--) {
        if (*magnitude > UINT64_MAX / 10) {
            return cursor_error(c, start, "this number is too large");
        }
        *magnitude *= 10;
    }
    for (; exponent < 0 && *magnitude; exponent++) {
        round = *magnitude % 10 >= 5;
        *magnitude /= 10;
    }
    *magnitude += exponent == 0 && round;
    return true;
}

static void put_number(struct maker *m, uint64_t number, bool negative) {
    for (uint32_t i = 0; i < m->length; i++) {
        m->to[m->length - 1 - i] = i < 8 ? (uint8_t)(number >> 8 * i) : negative ? 0xFF : 0;
    }
}

static bool make_fixed(struct maker *m) {
    const bool is_unsigned = character_upper(cursor_peek(&m->c)) == 'U';
    bool negative;
    uint64_t magnitude;
    m->c.at += is_unsigned;
    if (!parse_number(&m->c, &negative, &magnitude)) {
        return false;
    }
    const unsigned bits = m->length * 8 - !is_unsigned;
    const uint64_t most = bits == 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
    if ((negative && is_unsigned && magnitude) || magnitude > most + (negative && !is_unsigned)) {
        return cursor_error(&m->c, 0, "%.*s does not fit into %u byte%s", TEXT_ARGS(m->c.text), m->length,
                            m->length == 1 ? "" : "s");
    }
    put_number(m, negative ? 0 - magnitude : magnitude, negative);
    return true;
}

/* P and Z: digits, sign C or D, padded and cut on the left. */
static bool make_decimal(struct maker *m) {
    const struct text t = m->c.text;
    const bool zoned = m->k->type == 'Z', negative = t.length && t.at[0] == '-';
    bool digits = false, point = false;
    uint32_t place = zoned ? 0 : 1; /* nibbles (P) or bytes (Z) already filled */
    memset(m->to, zoned ? 0xF0 : 0, m->length);
    for (size_t i = t.length; i-- > 0;) {
        const char x = t.at[i];
        if (x == '.' && !point) {
            point = true;
            continue;
        }
        if ((x == '+' || x == '-') && i == 0) {
            continue;
        }
        if (!character_is_digit(x)) {
            return cursor_error(&m->c, i, "this is no decimal digit");
        }
        digits = true;
        if (zoned && place < m->length) {
            m->to[m->length - 1 - place] = (uint8_t)(0xF0 | (x - '0'));
        } else if (!zoned && place / 2 < m->length) {
            m->to[m->length - 1 - place / 2] |= (uint8_t)((x - '0') << place % 2 * 4);
        }
        place++;
    }
    if (!digits) {
        return cursor_error(&m->c, 0, "there is no digit");
    }
    uint8_t *last = &m->to[m->length - 1];
    *last = zoned ? (uint8_t)((negative ? 0xD0 : 0xC0) | (*last & 0xF)) : (uint8_t)(*last | (negative ? 0xD : 0xC));
    return true;
}

static bool make_address(struct maker *m) {
    struct value v;
    int64_t number;
    if (!expression_parse(&m->c, &v)) {
        return false;
    }
    if (!cursor_at_end(&m->c)) {
        return cursor_error(&m->c, m->c.at, "unexpected text in an expression");
    }
    if (!value_absolute(&v, &number)) {
        return cursor_error(&m->c, 0, "a name in a DSECT has no address of its own");
    }
    const int64_t half = (int64_t)1 << (m->length < 5 ? m->length * 8 - 1 : 40);
    if (number < -half || number >= 2 * half) {
        return cursor_error(&m->c, 0, "%lld does not fit into %u byte%s", (long long)number, m->length,
                            m->length == 1 ? "" : "s");
    }
    put_number(m, (uint64_t)number, number < 0);
    return true;
}

/* S: base and displacement, from an expression or as D(B). */
static bool make_base_displacement(struct maker *m) {
    struct value v;
    int64_t base;
    uint8_t b;
    uint16_t d;
    if (m->length != 2) {
        return cursor_error(&m->c, 0, "an S constant has two bytes");
    }
    if (!expression_parse(&m->c, &v)) {
        return false;
    }
    if (cursor_take(&m->c, '(')) {
        if (!expression_number(&m->c, 0, 15, "a base register", &base)) {
            return false;
        }
        if (!cursor_take(&m->c, ')')) {
            return cursor_error(&m->c, m->c.at, "a closing parenthesis is missing");
        }
        if (!value_is_number(&v) || v.number < 0 || v.number > 4095) {
            return cursor_error(&m->c, 0, "a displacement must be a number from 0 to 4095");
        }
        b = (uint8_t)base;
        d = (uint16_t)v.number;
    } else if (!using_resolve(&m->c, 0, &v, false, &b, &d)) {
        return false;
    }
    if (!cursor_at_end(&m->c)) {
        return cursor_error(&m->c, m->c.at, "unexpected text in an expression");
    }
    put_number(m, (uint64_t)b << 12 | d, false);
    return true;
}

static bool make_float(struct maker *m) {
    for (size_t i = 0; i < m->c.text.length; i++) {
        if (m->c.text.at[i] != '0' && m->c.text.at[i] != '.' && m->c.text.at[i] != '+') {
            return cursor_error(&m->c, 0, "floating-point constants other than 0 are not supported");
        }
    }
    memset(m->to, 0, m->length);
    return true;
}

static bool make_value(struct maker *m) {
    switch (m->k->type) {
    case 'C': return make_characters(m);
    case 'X': return make_digits(m, 4);
    case 'B': return make_digits(m, 1);
    case 'F':
    case 'H': return make_fixed(m);
    case 'P':
    case 'Z': return make_decimal(m);
    case 'S': return make_base_displacement(m);
    case 'A':
    case 'Y':
    case 'V': return make_address(m);
    default: return make_float(m);
    }
}

/* All values once, at `to`, the first at this offset of the section. */
static bool make_values(struct assembler *a, const struct constant *k, const struct constant_star *star, uint8_t *to) {
    struct text rest = k->nominal, value;
    bool good = true;
    uint32_t at = 0;
    while (next_value(k, &rest, &value)) {
        struct maker m = {.c = cursor_of(a, k->s, value), .k = k, .to = to + at, .length = length_of(k, value)};
        m.c.section = star->section;
        m.c.location = star->offset + (star->moves ? at : 0);
        m.c.star_length = m.length;
        uint8_t nothing[1];
        if (m.length == 0) { /* only to find fault with it */
            m.to = nothing;
        }
        good = make_value(&m) && good;
        at += m.length;
    }
    return good;
}

void constant_assemble(struct assembler *a, const struct constant *k, struct section *section, int64_t offset,
                       const struct constant_star *star) {
    const uint64_t whole = (uint64_t)k->size * k->duplication;
    uint8_t nothing[8];
    if (!k->has_nominal || section->dummy || k->duplication == 0) {
        return;
    }
    uint8_t *to = whole ? assembler_room(a, section, offset, whole) : nothing;
    if (!to) {
        return;
    }
    struct constant_star here = *star;
    /* Where the value speaks of its own place, each copy has another one: 256AL1(*-TABLE) is 0, 1, 2, … */
    const bool alike = type_find(k->type, 0)->delimiter != '(' || !memchr(k->nominal.at, '*', k->nominal.length);
    if (!make_values(a, k, &here, to)) {
        return;
    }
    if (alike) {
        for (size_t done = k->size; done < whole; done *= 2) {
            memcpy(to + done, to, whole - done < done ? whole - done : done);
        }
        return;
    }
    for (uint32_t i = 1; i < k->duplication; i++) {
        here.offset += here.moves ? k->size : 0;
        if (!make_values(a, k, &here, to + (size_t)k->size * i)) {
            return;
        }
    }
}

/* ---- DC and DS ---- */

void constants_first(struct assembler *a, struct statement *s) {
    struct cursor c = cursor_of(a, s, s->operands);
    const bool storage = text_is(s->operation, "DS");
    struct constant **end = &s->constants;
    bool first = true;
    section_current(a);
    do {
        c.early = true;
        c.section = a->section;
        c.location = a->section->location;
        struct constant *k = constant_parse(&c, storage);
        if (first) {
            section_align(a, s, k ? k->alignment : 1);
            symbol_define(a, s, s->section, s->offset, k ? k->length : 1);
        }
        if (!k) {
            return;
        }
        const int64_t start = s->offset;
        section_align(a, s, k->alignment);
        k->offset = s->offset;
        s->offset = start;
        const uint32_t bytes = k->size * k->duplication;
        if (!storage && !s->section->dummy) {
            a->assembled += bytes;
        }
        if (a->assembled > MOST_ASSEMBLED) {
            assembler_error(a, s, NULL, "too much data: constants of more than %d MB in all", MOST_ASSEMBLED >> 20);
            a->ended = true;
            return;
        }
        section_advance(a, s, bytes);
        s->length = (uint32_t)(a->section->location - s->offset);
        first = false;
        *end = k;
        end = &k->next;
    } while (cursor_take(&c, ','));
    if (!cursor_at_end(&c)) {
        cursor_error(&c, c.at, "a comma or the end of the operands should be here");
    }
}

void constants_second(struct assembler *a, struct statement *s) {
    if (text_is(s->operation, "DS")) {
        return;
    }
    for (const struct constant *k = s->constants; k; k = k->next) {
        const struct constant_star star = {s->section, k->offset, true};
        constant_assemble(a, k, s->section, k->offset, &star);
    }
}
