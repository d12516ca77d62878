/* Expressions of conditional assembly: arithmetic, logical, and of characters.
 *
 * One grammar reads all three. What a part is shows while it is read: text begins with a quote, everything else is a
 * number. AND, OR, XOR and NOT work on bits when a number is wanted, on truth when a condition is; an item carries
 * both. Blanks matter outside parentheses, where they end the expression. */
#include <string.h>

#include "isa/assembler/assembler_internal.h"

static bool parse_level(struct evaluator *e, unsigned level, struct item *v);
static bool parse_part(struct evaluator *e, struct item *v);
static bool parse_signed(struct evaluator *e, struct item *v);

static struct item item_number(int64_t n) { return (struct item){.number = n, .truth = n != 0, .text = {"", 0}}; }

static struct item item_text(struct text t) { return (struct item){.is_text = true, .text = t}; }

static void skip_blanks(struct evaluator *e) {
    while (e->parentheses && evaluator_peek(e) == ' ') {
        e->at++;
    }
}

static bool deeper(struct evaluator *e, size_t at) {
    return ++e->depth <= MOST_EXPRESSION_DEPTH ||
           evaluator_error(e, at, "this expression is nested more than %d deep", MOST_EXPRESSION_DEPTH);
}

static struct text copy(struct evaluator *e, const char *from, size_t length) {
    char *to = temporary_allocate(e->a, length);
    if (length) {
        memcpy(to, from, length);
    }
    e->a->effort += length;
    return (struct text){to, length};
}

/* ---- numbers in text ---- */

static int digit_of(char c) {
    c = character_upper(c);
    return character_is_digit(c) ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

/* Digits of a base, at least one; the value must have at most 32 bits. */
static bool digits_value(struct text t, unsigned base, int64_t *number) {
    *number = 0;
    for (size_t i = 0; i < t.length; i++) {
        const int digit = digit_of(t.at[i]);
        if ((unsigned)digit >= base) {
            return false;
        }
        *number = *number * base + digit;
        if (*number > UINT32_MAX) {
            return false;
        }
    }
    return t.length > 0;
}

/* Up to 4 characters as their codes, with pairs of quotes and ampersands. */
static bool characters_value(struct text t, bool ascii, int64_t *number) {
    size_t count = 0;
    uint64_t n = 0;
    for (size_t i = 0; i < t.length; i++, count++) {
        const char x = t.at[i];
        if ((x == '\'' || x == '&') && (++i >= t.length || t.at[i] != x)) {
            return false;
        }
        n = n << 8 | (ascii ? (uint8_t)x : ebcdic_from_latin1[(uint8_t)x]);
    }
    *number = (int32_t)(uint32_t)n;
    return count >= 1 && count <= 4;
}

bool text_self_defining(struct text t, int64_t *number) {
    if (t.length && character_is_digit(t.at[0])) {
        return digits_value(t, 10, number) && *number <= INT32_MAX;
    }
    const char kind = t.length ? character_upper(t.at[0]) : 0;
    const char code = t.length > 1 ? character_upper(t.at[1]) : 0;
    const size_t quote = kind == 'C' && (code == 'A' || code == 'E') ? 2 : 1;
    if (t.length < quote + 2 || t.at[quote] != '\'' || t.at[t.length - 1] != '\'') {
        return false;
    }
    const struct text inner = {t.at + quote + 1, t.length - quote - 2};
    const bool good = kind == 'X'   ? digits_value(inner, 16, number)
                      : kind == 'B' ? digits_value(inner, 2, number)
                                    : kind == 'C' && characters_value(inner, code == 'A', number);
    *number = good ? (int32_t)(uint32_t)*number : 0;
    return good;
}

/* The value of a symbol that is a plain number, as far as it is defined yet. */
static bool symbol_number(struct evaluator *e, struct text name, int64_t *number) {
    struct definition *d = symbol_find(e->a, name);
    if (d && d->state == SYMBOL_PENDING) {
        equate_evaluate(e->a, d, true);
    }
    if (!d || d->state != SYMBOL_DEFINED || d->section) {
        return false;
    }
    *number = d->value;
    return true;
}

/* Text where a number is needed, as the value of a parameter or a SETC symbol is. None at all is 0. */
static bool to_number(struct evaluator *e, size_t at, struct item *v) {
    int64_t n = 0;
    if (!v->is_text) {
        return true;
    }
    const struct text t = v->text;
    const bool minus = t.length && t.at[0] == '-';
    const struct text rest = {t.at + minus, t.length - minus};
    const bool good = t.length == 0 || text_self_defining(rest, &n) ||
                      (text_symbol(rest) == rest.length && rest.length && symbol_number(e, rest, &n));
    *v = item_number(minus ? -n : n);
    return good || evaluator_error(e, at, "'%.*s' is no number", t.length > 40 ? 40 : (int)t.length, t.at);
}

static bool fits(struct evaluator *e, size_t at, struct item *v, int64_t n) {
    *v = item_number(n);
    return (n >= INT32_MIN && n <= INT32_MAX) || evaluator_error(e, at, "this needs more than 32 bits");
}

/* ---- characters ---- */

/* What stands between quotes, the first of which is next, with variable symbols replaced. A pair of quotes is one
 * quote (kept as a pair if `raw`); a pair of ampersands stays a pair, as the language has it. */
static bool take_quoted(struct evaluator *e, bool raw, struct text *t) {
    char buffer[MOST_CHARACTERS];
    size_t length = 0;
    const size_t start = e->at++;
    for (;;) {
        struct text part = {e->text.at + e->at, 1};
        const char x = evaluator_peek(e), next = e->at + 1 < e->text.length ? e->text.at[e->at + 1] : 0;
        if (e->at >= e->text.length) {
            return evaluator_error(e, start, "the quote is not closed");
        }
        if (x == '\'' && next != '\'') {
            break;
        }
        if (x == '\'' || (x == '&' && next == '&')) {
            part.length = x == '&' || raw ? 2 : 1;
            e->at += 2;
        } else if (x == '&') {
            struct variable_reference r;
            if (!reference_parse(e, &r, false) || !reference_text(e, &r, &part)) {
                return false;
            }
            evaluator_take(e, '.');
        } else {
            e->at++;
        }
        if (part.length > sizeof buffer - length) {
            return evaluator_error(e, start, "these are more than %d characters", MOST_CHARACTERS);
        }
        if (part.length) {
            memcpy(buffer + length, part.at, part.length);
        }
        length += part.length;
    }
    e->at++;
    *t = copy(e, buffer, length);
    return true;
}

/* (start,length) or (start,*), if it is there. */
static bool take_substring(struct evaluator *e, struct item *v) {
    int32_t start, length = INT32_MAX;
    const size_t at = e->at;
    if (!evaluator_take(e, '(')) {
        return true;
    }
    if (!deeper(e, at)) {
        return false;
    }
    e->parentheses++;
    if (!evaluate_arithmetic(e, &start)) {
        return false;
    }
    if (!evaluator_take(e, ',')) {
        return evaluator_error(e, e->at, "a substring is 'characters'(start,length)");
    }
    skip_blanks(e);
    if (evaluator_take(e, '*')) {
        skip_blanks(e);
    } else if (!evaluate_arithmetic(e, &length)) {
        return false;
    }
    e->parentheses--;
    e->depth--;
    if (!evaluator_take(e, ')')) {
        return evaluator_error(e, e->at, "a closing parenthesis is missing");
    }
    if (length < 0) {
        return evaluator_error(e, at, "the length of a substring cannot be %d", (int)length);
    }
    if (start < 1 || (size_t)start > v->text.length + (length == 0)) {
        return evaluator_error(e, at, "a substring from character %d of %u", (int)start, (unsigned)v->text.length);
    }
    v->text.at += start - 1;
    v->text.length -= (size_t)start - 1;
    v->text.length = (size_t)length < v->text.length ? (size_t)length : v->text.length;
    return true;
}

static bool repeat(struct evaluator *e, size_t at, int64_t times, struct item *v) {
    if (times < 0 || (uint64_t)times * v->text.length > MOST_CHARACTERS) {
        return evaluator_error(
            e, at, times < 0 ? "a duplication factor cannot be negative" : "these are more than 1024 characters");
    }
    const size_t length = v->text.length, all = (size_t)times * length;
    char *to = temporary_allocate(e->a, all);
    for (size_t i = 0; i < all; i += length) {
        memcpy(to + i, v->text.at, length);
    }
    e->a->effort += all;
    v->text = (struct text){to, all};
    return true;
}

static bool append(struct evaluator *e, size_t at, struct item *v, const struct item *w) {
    const size_t length = v->text.length + w->text.length;
    if (!w->is_text) {
        return evaluator_error(e, at, "only characters can be joined to characters: write '&NAME'");
    }
    if (length > MOST_CHARACTERS) {
        return evaluator_error(e, at, "these are more than %d characters", MOST_CHARACTERS);
    }
    char *to = temporary_allocate(e->a, length);
    if (v->text.length) {
        memcpy(to, v->text.at, v->text.length);
    }
    if (w->text.length) {
        memcpy(to + v->text.length, w->text.at, w->text.length);
    }
    e->a->effort += length;
    v->text = (struct text){to, length};
    return true;
}

/* ---- attributes ---- */

/* T': what an operand is. Symbols count as far as they are defined yet. */
static char type_attribute(struct evaluator *e, struct text t) {
    int64_t n;
    if (t.length == 0) {
        return 'O';
    }
    if (t.at[0] == '(') {
        e->a->effort += t.length;
        t = sublist_element(t, 1);
    }
    if (text_self_defining(t, &n)) {
        return 'N';
    }
    const struct definition *d = text_symbol(t) == t.length ? symbol_find(e->a, t) : NULL;
    return d ? symbol_type(d) : 'U';
}

static bool length_attribute(struct evaluator *e, size_t at, struct text name, struct item *v) {
    const struct definition *d = text_symbol(name) == name.length ? symbol_find(e->a, name) : NULL;
    if (!d || (d->state != SYMBOL_DEFINED && d->state != SYMBOL_PENDING)) {
        return evaluator_error(e, at, "L': '%.*s' is no symbol that is defined before", (int)name.length % 64, name.at);
    }
    *v = item_number(d->length);
    return true;
}

/* The letter of an attribute is next, and an apostrophe. */
static bool take_attribute(struct evaluator *e, struct item *v) {
    const size_t at = e->at;
    const char kind = character_upper(evaluator_peek(e));
    struct variable_reference r = {0};
    size_t count;
    e->at += 2;
    struct text t = {e->text.at + e->at, text_symbol((struct text){e->text.at + e->at, e->text.length - e->at})};
    const bool variable = evaluator_peek(e) == '&';
    if (variable && !reference_parse(e, &r, false)) {
        return false;
    }
    e->at += variable ? 0 : t.length;
    if (kind == 'N' && variable) {
        const bool good = reference_count(e, &r, &count);
        *v = item_number((int64_t)count * good);
        return good;
    }
    if ((kind == 'K' || kind == 'N') && !variable) {
        return evaluator_error(e, at, "%c' needs a variable symbol", kind);
    }
    if (variable && !reference_text(e, &r, &t)) {
        return false;
    }
    if (kind == 'K') {
        *v = item_number((int64_t)t.length);
        return true;
    }
    if (t.length == 0 && !variable) {
        return evaluator_error(e, e->at, "a symbol should be here");
    }
    if (kind == 'L') {
        return length_attribute(e, at, t, v);
    }
    if (kind == 'T') {
        const char type = type_attribute(e, t);
        *v = item_text(copy(e, &type, 1));
        return true;
    }
    if (kind == 'D') {
        *v = item_number(symbol_find(e->a, t) != NULL);
        return true;
    }
    return evaluator_error(e, at, "attribute %c' is not supported, only D' K' L' N' T'", kind);
}

/* ---- functions ---- */

static bool function_upper(struct evaluator *e, size_t at, struct item *v) {
    (void)at;
    char *to = temporary_allocate(e->a, v->text.length);
    for (size_t i = 0; i < v->text.length; i++) {
        to[i] = character_upper(v->text.at[i]);
    }
    v->text.at = to;
    return true;
}

static bool function_lower(struct evaluator *e, size_t at, struct item *v) {
    (void)at;
    char *to = temporary_allocate(e->a, v->text.length);
    for (size_t i = 0; i < v->text.length; i++) {
        const char c = v->text.at[i];
        to[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    v->text.at = to;
    return true;
}

/* Quotes and ampersands in pairs, as they are written between quotes. */
static bool function_double(struct evaluator *e, size_t at, struct item *v) {
    char *to = temporary_allocate(e->a, 2 * v->text.length);
    size_t n = 0;
    for (size_t i = 0; i < v->text.length; i++) {
        const char c = v->text.at[i];
        to[n++] = c;
        if (c == '\'' || c == '&') {
            to[n++] = c;
        }
    }
    v->text = (struct text){to, n};
    return n <= MOST_CHARACTERS || evaluator_error(e, at, "these are more than %d characters", MOST_CHARACTERS);
}

static bool function_signed(struct evaluator *e, size_t at, struct item *v) {
    const struct text digits = number_text(e->a, v->number);
    struct item sign = item_text(v->number < 0 ? TEXT_LITERAL("-") : TEXT_LITERAL(""));
    const struct item rest = item_text(digits);
    const bool good = append(e, at, &sign, &rest);
    *v = sign;
    return good;
}

/* The character with this code, in EBCDIC. */
static bool function_byte(struct evaluator *e, size_t at, struct item *v) {
    if (v->number < 0 || v->number > 255) {
        return evaluator_error(e, at, "a byte is from 0 to 255, not %d", (int)v->number);
    }
    const char c = (char)latin1_from_ebcdic[v->number];
    *v = item_text(copy(e, &c, 1));
    return true;
}

static void digits_of(struct evaluator *e, struct item *v, unsigned bits, unsigned count) {
    char buffer[32];
    for (unsigned i = 0; i < count; i++) {
        buffer[count - 1 - i] = "0123456789ABCDEF"[(uint32_t)v->number >> i * bits & ((1u << bits) - 1)];
    }
    *v = item_text(copy(e, buffer, count));
}

static bool function_to_hexadecimal(struct evaluator *e, size_t at, struct item *v) {
    (void)at;
    digits_of(e, v, 4, 8);
    return true;
}

static bool function_to_binary(struct evaluator *e, size_t at, struct item *v) {
    (void)at;
    digits_of(e, v, 1, 32);
    return true;
}

static bool function_to_decimal(struct evaluator *e, size_t at, struct item *v) {
    const struct item digits = item_text(number_text(e->a, v->number));
    struct item sign = item_text(v->number < 0 ? TEXT_LITERAL("-") : TEXT_LITERAL("+"));
    const bool good = append(e, at, &sign, &digits);
    *v = sign;
    return good;
}

static bool from_digits(struct evaluator *e, size_t at, struct item *v, unsigned base) {
    int64_t n = 0;
    if (v->text.length && !digits_value(v->text, base, &n)) {
        return evaluator_error(e, at, "'%.*s' is no number of base %u and 32 bits",
                               v->text.length > 40 ? 40 : (int)v->text.length, v->text.at, base);
    }
    *v = item_number((int32_t)(uint32_t)n);
    return true;
}

static bool function_from_hexadecimal(struct evaluator *e, size_t at, struct item *v) {
    return from_digits(e, at, v, 16);
}

static bool function_from_binary(struct evaluator *e, size_t at, struct item *v) { return from_digits(e, at, v, 2); }

static bool function_from_decimal(struct evaluator *e, size_t at, struct item *v) {
    const bool sign = v->text.length > 1 && (v->text.at[0] == '-' || v->text.at[0] == '+');
    const bool minus = sign && v->text.at[0] == '-';
    struct item n = item_text((struct text){v->text.at + sign, v->text.length - sign});
    return from_digits(e, at, &n, 10) && fits(e, at, v, minus ? -n.number : n.number);
}

static bool function_from_characters(struct evaluator *e, size_t at, struct item *v) {
    uint32_t n = 0;
    if (v->text.length > 4) {
        return evaluator_error(e, at, "a number has at most 4 characters");
    }
    for (size_t i = 0; i < v->text.length; i++) {
        n = n << 8 | ebcdic_from_latin1[(uint8_t)v->text.at[i]];
    }
    *v = item_number((int32_t)n);
    return true;
}

static bool function_is_number(struct evaluator *e, size_t at, struct item *v) {
    int64_t n;
    (void)e;
    (void)at;
    *v = item_number(text_self_defining(v->text, &n));
    return true;
}

static bool function_is_symbol(struct evaluator *e, size_t at, struct item *v) {
    (void)e;
    (void)at;
    *v = item_number(v->text.length && v->text.length <= MOST_SYMBOL_LENGTH && text_symbol(v->text) == v->text.length);
    return true;
}

static const struct function {
    const char *name;
    bool of_text;
    bool (*apply)(struct evaluator *e, size_t at, struct item *v);
} functions[] = {
    {"UPPER", true, function_upper},     {"LOWER", true, function_lower},      {"DOUBLE", true, function_double},
    {"SIGNED", false, function_signed},  {"BYTE", false, function_byte},       {"A2X", false, function_to_hexadecimal},
    {"A2B", false, function_to_binary},  {"A2D", false, function_to_decimal},  {"X2A", true, function_from_hexadecimal},
    {"B2A", true, function_from_binary}, {"D2A", true, function_from_decimal}, {"C2A", true, function_from_characters},
    {"ISNUM", true, function_is_number}, {"ISSYM", true, function_is_symbol},
};

/* A function's operand is in parentheses, A2X(1), or behind a blank, (UPPER 'a'). */
static bool take_function(struct evaluator *e, const struct function *f, size_t at, struct item *v) {
    if (!deeper(e, at)) {
        return false;
    }
    const size_t behind = e->at;
    skip_blanks(e);
    if (e->at == behind && evaluator_peek(e) != '(') {
        return evaluator_error(e, e->at, "%s needs an operand", f->name);
    }
    const size_t operand = e->at;
    if (!(f->of_text ? parse_part(e, v) : parse_signed(e, v))) {
        return false;
    }
    e->depth--;
    if (f->of_text && !v->is_text) {
        return evaluator_error(e, operand, "%s needs characters in quotes", f->name);
    }
    return (f->of_text || to_number(e, operand, v)) && f->apply(e, operand, v);
}

/* ---- terms ---- */

static bool take_word(struct evaluator *e, struct item *v) {
    const size_t at = e->at;
    const struct text rest = {e->text.at + at, e->text.length - at};
    const struct text word = {rest.at, text_symbol(rest)};
    if (word.length == 0) {
        return evaluator_error(e, at,
                               at >= e->text.length ? "an operand is missing" : "an expression cannot begin like this");
    }
    e->at += word.length;
    for (unsigned i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (text_is(word, functions[i].name) && (evaluator_peek(e) == '(' || evaluator_peek(e) == ' ')) {
            return take_function(e, &functions[i], at, v);
        }
    }
    int64_t n;
    if (!symbol_number(e, word, &n)) {
        return evaluator_error(e, at, "%.*s must be a number that is defined before this statement", TEXT_ARGS(word));
    }
    *v = item_number(n);
    return true;
}

static bool take_decimal(struct evaluator *e, struct item *v) {
    const size_t at = e->at;
    int64_t n;
    while (character_is_digit(evaluator_peek(e))) {
        e->at++;
    }
    if (!digits_value((struct text){e->text.at + at, e->at - at}, 10, &n) || n > INT32_MAX) {
        return evaluator_error(e, at, "this number is larger than 2147483647");
    }
    *v = item_number(n);
    return true;
}

/* X'…', B'…', C'…', CA'…', CE'…': is one next, then *quote is the length of what stands before the quote. */
static bool is_self_defining(const struct evaluator *e, size_t *quote) {
    const char *p = e->text.at + e->at;
    const size_t left = e->text.length - e->at;
    const char kind = left ? character_upper(p[0]) : 0, code = left > 1 ? character_upper(p[1]) : 0;
    *quote = kind == 'C' && (code == 'A' || code == 'E') ? 2 : 1;
    return left > *quote && p[*quote] == '\'' && (kind == 'X' || kind == 'B' || kind == 'C');
}

static bool take_self_defining(struct evaluator *e, size_t quote, struct item *v) {
    const size_t at = e->at;
    char buffer[MOST_CHARACTERS + 4];
    struct text inner;
    int64_t n;
    e->at += quote;
    if (!take_quoted(e, true, &inner)) {
        return false;
    }
    memcpy(buffer, e->text.at + at, quote + 1);
    if (inner.length) {
        memcpy(buffer + quote + 1, inner.at, inner.length);
    }
    buffer[quote + 1 + inner.length] = '\'';
    if (!text_self_defining((struct text){buffer, quote + 2 + inner.length}, &n)) {
        return evaluator_error(e, at, "this is no self-defining term of up to 4 bytes: X'1F', B'101', C'A'");
    }
    *v = item_number(n);
    return true;
}

static bool take_variable(struct evaluator *e, struct item *v) {
    struct variable_reference r;
    return reference_parse(e, &r, false) && reference_value(e, &r, v) && to_number(e, r.at, v);
}

static bool take_characters(struct evaluator *e, struct item *v) {
    *v = item_text((struct text){"", 0});
    return take_quoted(e, false, &v->text) && take_substring(e, v);
}

/* Something in parentheses; before a quote it is a duplication factor. */
static bool take_parentheses(struct evaluator *e, struct item *v) {
    const size_t at = e->at++;
    if (!deeper(e, at)) {
        return false;
    }
    e->parentheses++;
    if (!parse_level(e, 0, v)) {
        return false;
    }
    skip_blanks(e);
    e->parentheses--;
    e->depth--;
    if (!evaluator_take(e, ')')) {
        return evaluator_error(e, e->at, "an operator or a closing parenthesis should be here");
    }
    if (evaluator_peek(e) != '\'' || v->is_text) {
        return !v->is_text || take_substring(e, v);
    }
    const int64_t times = v->number;
    return take_characters(e, v) && repeat(e, at, times, v);
}

static bool parse_part(struct evaluator *e, struct item *v) {
    const char x = evaluator_peek(e), next = e->at + 1 < e->text.length ? e->text.at[e->at + 1] : 0;
    size_t quote;
    if (x == '\'') {
        return take_characters(e, v);
    }
    if (x == '(') {
        return take_parentheses(e, v);
    }
    if (x == '&') {
        return take_variable(e, v);
    }
    if (character_is_digit(x)) {
        return take_decimal(e, v);
    }
    if (is_self_defining(e, &quote)) {
        return take_self_defining(e, quote, v);
    }
    return next == '\'' && character_starts_symbol(x) ? take_attribute(e, v) : take_word(e, v);
}

/* Does text go on here, behind a period or at once? */
static bool takes_concatenation(struct evaluator *e) {
    const bool period = evaluator_peek(e) == '.';
    const char next = e->at + 1 < e->text.length ? e->text.at[e->at + 1] : 0;
    if (!period) {
        return evaluator_peek(e) == '\'';
    }
    if (e->branch && e->parentheses == 0 && next != '\'' && next != '(') {
        return false;
    }
    e->at++;
    return true;
}

static bool parse_term(struct evaluator *e, struct item *v) {
    if (!parse_part(e, v)) {
        return false;
    }
    while (v->is_text && takes_concatenation(e)) {
        const size_t at = e->at;
        struct item w;
        if (!parse_part(e, &w) || !append(e, at, v, &w)) {
            return false;
        }
    }
    return true;
}

/* ---- operators ---- */

static bool apply_sum(struct evaluator *e, size_t at, struct item *v, const struct item *w) {
    return fits(e, at, v, v->number + w->number);
}

static bool apply_difference(struct evaluator *e, size_t at, struct item *v, const struct item *w) {
    return fits(e, at, v, v->number - w->number);
}

static bool apply_product(struct evaluator *e, size_t at, struct item *v, const struct item *w) {
    return fits(e, at, v, v->number * w->number);
}

static bool apply_quotient(struct evaluator *e, size_t at, struct item *v, const struct item *w) {
    return fits(e, at, v, w->number ? v->number / w->number : 0);
}

/* Shifts by 0 to 63, as the machine's; SLA and SRA keep the sign. */
static bool apply_sll(struct evaluator *e, size_t at, struct item *v, const struct item *w) {
    const unsigned n = (unsigned)w->number & 63;
    return fits(e, at, v, n > 31 ? 0 : (int32_t)((uint32_t)v->number << n));
}

static bool apply_srl(struct evaluator *e, size_t at, struct item *v, const struct item *w) {
    const unsigned n = (unsigned)w->number & 63;
    return fits(e, at, v, n > 31 ? 0 : (int32_t)((uint32_t)v->number >> n));
}

static bool apply_sla(struct evaluator *e, size_t at, struct item *v, const struct item *w) {
    const unsigned n = (unsigned)w->number & 63;
    return v->number == 0 || n < 32 ? fits(e, at, v, v->number * ((int64_t)1 << (n & 31)))
                                    : evaluator_error(e, at, "this needs more than 32 bits");
}

static bool apply_sra(struct evaluator *e, size_t at, struct item *v, const struct item *w) {
    const unsigned n = (unsigned)w->number & 63;
    return fits(e, at, v, n > 31 ? -(v->number < 0) : (int32_t)v->number >> n);
}

/* The place, from 1, of the text w in v; 0: it is not there. */
static bool apply_index(struct evaluator *e, size_t at, struct item *v, const struct item *w) {
    size_t i = 0;
    (void)at;
    e->a->effort += v->text.length * (w->text.length + 1);
    while (i + w->text.length <= v->text.length && memcmp(v->text.at + i, w->text.at, w->text.length) != 0) {
        i++;
    }
    *v = item_number(w->text.length && i + w->text.length <= v->text.length ? (int64_t)i + 1 : 0);
    return true;
}

/* The place of the first character that is one of w's. */
static bool apply_find(struct evaluator *e, size_t at, struct item *v, const struct item *w) {
    size_t i = 0;
    (void)at;
    e->a->effort += v->text.length * (w->text.length + 1);
    while (i < v->text.length && !(w->text.length && memchr(w->text.at, v->text.at[i], w->text.length))) {
        i++;
    }
    *v = item_number(i < v->text.length ? (int64_t)i + 1 : 0);
    return true;
}

static bool apply_and(struct evaluator *e, size_t at, struct item *v, const struct item *w) {
    (void)e;
    (void)at;
    *v = (struct item){.number = v->number & w->number, .truth = v->truth && w->truth};
    return true;
}

static bool apply_or(struct evaluator *e, size_t at, struct item *v, const struct item *w) {
    (void)e;
    (void)at;
    *v = (struct item){.number = v->number | w->number, .truth = v->truth || w->truth};
    return true;
}

static bool apply_xor(struct evaluator *e, size_t at, struct item *v, const struct item *w) {
    (void)e;
    (void)at;
    *v = (struct item){.number = v->number ^ w->number, .truth = v->truth != w->truth};
    return true;
}

/* Text is compared by length first, then in EBCDIC. */
static int order(const struct item *v, const struct item *w) {
    if (!v->is_text) {
        return (v->number > w->number) - (v->number < w->number);
    }
    if (v->text.length != w->text.length) {
        return v->text.length < w->text.length ? -1 : 1;
    }
    for (size_t i = 0; i < v->text.length; i++) {
        const int difference = ebcdic_from_latin1[(uint8_t)v->text.at[i]] - ebcdic_from_latin1[(uint8_t)w->text.at[i]];
        if (difference) {
            return difference;
        }
    }
    return 0;
}

enum { LEVEL_XOR, LEVEL_OR, LEVEL_AND, LEVEL_RELATION, LEVEL_SUM, LEVEL_PRODUCT, LEVEL_TERM };
enum operands { NUMBERS, CHARACTERS, ALIKE };
enum { LESS = 1, EQUAL = 2, GREATER = 4 };

/* Those of one level are carried out from left to right, higher levels first. A relation is given by the orders in
 * which it holds. */
static const struct operator{
    const char *name;
    unsigned level;
    enum operands operands;
    unsigned holds;
    bool (*apply)(struct evaluator * e, size_t at, struct item * v, const struct item *w);
}
operators[] = {
    {"XOR", LEVEL_XOR, NUMBERS, 0, apply_xor},
    {"OR", LEVEL_OR, NUMBERS, 0, apply_or},
    {"AND", LEVEL_AND, NUMBERS, 0, apply_and},
    {"EQ", LEVEL_RELATION, ALIKE, EQUAL, NULL},
    {"NE", LEVEL_RELATION, ALIKE, LESS | GREATER, NULL},
    {"LT", LEVEL_RELATION, ALIKE, LESS, NULL},
    {"LE", LEVEL_RELATION, ALIKE, LESS | EQUAL, NULL},
    {"GT", LEVEL_RELATION, ALIKE, GREATER, NULL},
    {"GE", LEVEL_RELATION, ALIKE, GREATER | EQUAL, NULL},
    {"+", LEVEL_SUM, NUMBERS, 0, apply_sum},
    {"-", LEVEL_SUM, NUMBERS, 0, apply_difference},
    {"*", LEVEL_PRODUCT, NUMBERS, 0, apply_product},
    {"/", LEVEL_PRODUCT, NUMBERS, 0, apply_quotient},
    {"SLL", LEVEL_PRODUCT, NUMBERS, 0, apply_sll},
    {"SRL", LEVEL_PRODUCT, NUMBERS, 0, apply_srl},
    {"SLA", LEVEL_PRODUCT, NUMBERS, 0, apply_sla},
    {"SRA", LEVEL_PRODUCT, NUMBERS, 0, apply_sra},
    {"INDEX", LEVEL_PRODUCT, CHARACTERS, 0, apply_index},
    {"FIND", LEVEL_PRODUCT, CHARACTERS, 0, apply_find},
};

/* The operator of this level that is next, taken; NULL: none is. */
static const struct operator* take_operator(struct evaluator *e, unsigned level, size_t *at) {
    const size_t start = e->at;
    skip_blanks(e);
    *at = e->at;
    const struct text rest = {e->text.at + e->at, e->text.length - e->at};
    const size_t word = text_symbol(rest);
    const struct text name = {rest.at, word ? word : rest.length ? 1 : 0};
    for (unsigned i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (operators[i].level == level && text_is(name, operators[i].name)) {
            e->at += name.length;
            return &operators[i];
        }
    }
    e->at = start;
    return NULL;
}

static bool apply(struct evaluator *e, const struct operator* o, size_t at, struct item *v, const struct item *w) {
    if (v->is_text != w->is_text) {
        return evaluator_error(
            e, at, "characters and a number cannot be operands of one %s (characters stand in quotes)", o->name);
    }
    if (o->operands != ALIKE && v->is_text != (o->operands == CHARACTERS)) {
        return evaluator_error(e, at, o->operands == CHARACTERS ? "%s needs characters" : "%s needs numbers", o->name);
    }
    if (o->apply) {
        return o->apply(e, at, v, w);
    }
    const int difference = order(v, w);
    e->a->effort += v->text.length;
    *v = item_number((o->holds & (difference < 0 ? LESS : difference ? GREATER : EQUAL)) != 0);
    return true;
}

/* Signs before a term. */
static bool parse_signed(struct evaluator *e, struct item *v) {
    const size_t at = e->at;
    bool minus = false, sign = false;
    skip_blanks(e);
    for (char x = evaluator_peek(e); x == '+' || x == '-'; x = evaluator_peek(e)) {
        sign = true;
        minus = minus != (x == '-');
        e->at++;
        skip_blanks(e);
    }
    if (!parse_term(e, v)) {
        return false;
    }
    if (sign && v->is_text) {
        return evaluator_error(e, at, "characters have no sign");
    }
    return !minus || fits(e, at, v, -v->number);
}

static bool take_not(struct evaluator *e) {
    skip_blanks(e);
    const struct text rest = {e->text.at + e->at, e->text.length - e->at};
    const struct text word = {rest.at, text_symbol(rest)};
    const bool there = text_is(word, "NOT");
    e->at += there ? word.length : 0;
    return there;
}

static bool parse_level(struct evaluator *e, unsigned level, struct item *v) {
    const struct operator* o;
    size_t at;
    unsigned nots = 0;
    if (level == LEVEL_TERM) {
        return parse_signed(e, v);
    }
    const size_t start = e->at;
    while (level == LEVEL_RELATION && take_not(e)) {
        nots++;
    }
    if (!parse_level(e, level + 1, v)) {
        return false;
    }
    while ((o = take_operator(e, level, &at))) {
        struct item w;
        if (!parse_level(e, level + 1, &w) || !apply(e, o, at, v, &w)) {
            return false;
        }
    }
    if (nots && v->is_text) {
        return evaluator_error(e, start, "NOT needs a number or a condition");
    }
    if (nots % 2) {
        *v = (struct item){.number = ~v->number, .truth = !v->truth};
    }
    return true;
}

/* ---- whole expressions ---- */

bool evaluate_arithmetic(struct evaluator *e, int32_t *number) {
    struct item v;
    const size_t at = e->at;
    if (!parse_level(e, 0, &v)) {
        return false;
    }
    skip_blanks(e);
    if (v.is_text) {
        return evaluator_error(e, at, "a number should be here, not characters in quotes");
    }
    *number = (int32_t)v.number;
    return true;
}

bool evaluate_logical(struct evaluator *e, bool *truth) {
    struct item v;
    const size_t at = e->at;
    if (!parse_level(e, 0, &v)) {
        return false;
    }
    skip_blanks(e);
    if (v.is_text) {
        return evaluator_error(e, at, "a condition should be here, not characters");
    }
    *truth = v.truth;
    return true;
}

bool evaluate_characters(struct evaluator *e, struct text *t) {
    struct item v;
    const size_t at = e->at;
    if (!parse_level(e, 0, &v)) {
        return false;
    }
    skip_blanks(e);
    if (!v.is_text) {
        return evaluator_error(e, at, "characters in quotes should be here");
    }
    *t = v.text;
    return true;
}
