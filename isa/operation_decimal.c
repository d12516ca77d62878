/* Decimal arithmetic and conversion (Principles of Operation, "Decimal Instructions"). Packed numbers are taken apart
 * into digits, least significant first, worked on as one does on paper, and put together again. */
#include "isa/isa_internal.h"

#define OPERATION(name) unsigned op_##name(struct processor *p, const struct operation *o)

enum { DIGITS = 64 }; /* room for the product of two 31-digit numbers */

struct decimal {
    uint8_t digit[DIGITS]; /* [0]: units */
    unsigned count;        /* digits that the field has */
    bool negative;
};

static bool is_zero(const struct decimal *d) {
    for (unsigned i = 0; i < DIGITS; i++)
        if (d->digit[i])
            return false;
    return true;
}

/* False: a bad digit or sign. */
static bool take(struct decimal *d, const struct span *s) {
    unsigned length = s->length[0] + s->length[1];
    memset(d, 0, sizeof *d);
    for (unsigned i = 0; i < length; i++) {
        uint8_t byte = *span_at(s, length - 1 - i);
        if (i == 0) {
            if ((byte & 15) < 10)
                return false;
            d->negative = (byte & 15) == 0xB || (byte & 15) == 0xD;
        } else {
            d->digit[d->count++] = byte & 15;
        }
        d->digit[d->count++] = byte >> 4;
    }
    for (unsigned i = 0; i < d->count; i++)
        if (d->digit[i] > 9)
            return false;
    return true;
}

/* Stores the low digits that fit; true when a digit that is not zero did not. */
static bool put(const struct decimal *d, bool negative, const struct span *s) {
    unsigned length = s->length[0] + s->length[1], n = 0;
    for (unsigned i = 0; i < length; i++) {
        uint8_t low = i == 0 ? (negative ? 0xD : 0xC) : d->digit[n++];
        *span_at(s, length - 1 - i) = (uint8_t)(d->digit[n++] << 4 | low);
    }
    span_stored(s);
    for (; n < DIGITS; n++)
        if (d->digit[n])
            return true;
    return false;
}

static int compare_magnitudes(const struct decimal *a, const struct decimal *b) {
    for (int i = DIGITS - 1; i >= 0; i--)
        if (a->digit[i] != b->digit[i])
            return a->digit[i] < b->digit[i] ? -1 : 1;
    return 0;
}

static void add_magnitudes(struct decimal *to, const struct decimal *b) {
    unsigned carry = 0;
    for (unsigned i = 0; i < DIGITS; i++) {
        unsigned sum = to->digit[i] + b->digit[i] + carry;
        carry = sum > 9;
        to->digit[i] = (uint8_t)(sum - 10 * carry);
    }
}

/* to := larger - smaller */
static void subtract_magnitudes(struct decimal *to, const struct decimal *larger, const struct decimal *smaller) {
    int borrow = 0;
    for (unsigned i = 0; i < DIGITS; i++) {
        int difference = larger->digit[i] - smaller->digit[i] - borrow;
        borrow = difference < 0;
        to->digit[i] = (uint8_t)(difference + 10 * borrow);
    }
}

static void add_signed(struct decimal *a, const struct decimal *b) {
    if (a->negative == b->negative) {
        add_magnitudes(a, b);
    } else if (compare_magnitudes(a, b) >= 0) {
        subtract_magnitudes(a, a, b);
    } else {
        subtract_magnitudes(a, b, a);
        a->negative = b->negative;
    }
}

/* Stores a result with its condition code. A zero is positive, unless it is what overflow left of something else. */
static unsigned result(struct processor *p, const struct decimal *d, const struct span *s) {
    bool zero = is_zero(d), negative = d->negative && !zero;
    if (put(d, negative, s)) {
        p->psw.cc = 3;
        return p->psw.program_mask & 4 ? OUTCOME_COMPLETED | PROGRAM_DECIMAL_OVERFLOW : 0;
    }
    p->psw.cc = zero ? 0 : negative ? 1 : 2;
    return 0;
}

static uint32_t length_1(const struct operation *o) { return (o->r1 >> 4) + 1u; }
static uint32_t length_2(const struct operation *o) { return (o->r1 & 15) + 1u; }

static unsigned open_operands(struct processor *p, const struct operation *o, enum access_kind first, struct span *s1,
                              struct span *s2) {
    unsigned x = span_open(p, address_1(p, o), length_1(o), first, s1);
    return x ? x : span_open(p, address_2(p, o), length_2(o), ACCESS_FETCH, s2);
}

OPERATION(zero_and_add) {
    struct span s1, s2;
    struct decimal d;
    unsigned x = open_operands(p, o, ACCESS_STORE, &s1, &s2);
    if (x)
        return x;
    if (!take(&d, &s2))
        return PROGRAM_DATA;
    return result(p, &d, &s1);
}

static unsigned add_or_subtract(struct processor *p, const struct operation *o, bool subtract) {
    struct span s1, s2;
    struct decimal a, b;
    unsigned x = open_operands(p, o, ACCESS_STORE, &s1, &s2);
    if (x)
        return x;
    if (!take(&a, &s1) || !take(&b, &s2))
        return PROGRAM_DATA;
    b.negative ^= subtract;
    add_signed(&a, &b);
    return result(p, &a, &s1);
}

OPERATION(add_decimal) { return add_or_subtract(p, o, false); }
OPERATION(subtract_decimal) { return add_or_subtract(p, o, true); }

OPERATION(compare_decimal) {
    struct span s1, s2;
    struct decimal a, b;
    unsigned x = open_operands(p, o, ACCESS_FETCH, &s1, &s2);
    if (x)
        return x;
    if (!take(&a, &s1) || !take(&b, &s2))
        return PROGRAM_DATA;
    b.negative = !b.negative;
    add_signed(&a, &b);
    p->psw.cc = is_zero(&a) ? 0 : a.negative ? 1 : 2;
    return 0;
}

OPERATION(multiply_decimal) {
    struct span s1, s2;
    struct decimal a, b, product = {.count = DIGITS};
    if (length_2(o) > 8 || length_2(o) >= length_1(o))
        return PROGRAM_SPECIFICATION;
    unsigned x = open_operands(p, o, ACCESS_STORE, &s1, &s2);
    if (x)
        return x;
    if (!take(&a, &s1) || !take(&b, &s2))
        return PROGRAM_DATA;
    /* The multiplicand must leave as many bytes of zeros on the left as the multiplier is long. */
    for (uint32_t i = 0; i < length_2(o); i++)
        if (*span_at(&s1, i))
            return PROGRAM_DATA;
    for (unsigned i = 0; i < b.count; i++)
        for (unsigned carry = 0, j = 0; i + j < DIGITS && (j < a.count || carry); j++) {
            unsigned v = product.digit[i + j] + (j < a.count ? a.digit[j] * b.digit[i] : 0) + carry;
            product.digit[i + j] = (uint8_t)(v % 10);
            carry = v / 10;
        }
    put(&product, a.negative != b.negative, &s1); /* the sign is algebraic even for zero */
    return 0;
}

/* Shifts a decimal left by one digit and brings `digit` in. */
static void bring_down(struct decimal *d, uint8_t digit) {
    memmove(d->digit + 1, d->digit, DIGITS - 1);
    d->digit[0] = digit;
}

OPERATION(divide_decimal) {
    struct span s1, s2;
    struct decimal a, b, quotient = {.count = 0}, remainder = {.count = 0};
    if (length_2(o) > 8 || length_2(o) >= length_1(o))
        return PROGRAM_SPECIFICATION;
    unsigned x = open_operands(p, o, ACCESS_STORE, &s1, &s2);
    if (x)
        return x;
    if (!take(&a, &s1) || !take(&b, &s2))
        return PROGRAM_DATA;
    for (int i = (int)a.count - 1; i >= 0; i--) {
        uint8_t times = 0;
        bring_down(&remainder, a.digit[i]);
        while (!is_zero(&b) && compare_magnitudes(&remainder, &b) >= 0) {
            subtract_magnitudes(&remainder, &remainder, &b);
            times++;
        }
        quotient.digit[i] = times;
    }
    uint32_t quotient_length = length_1(o) - length_2(o);
    bool fits = !is_zero(&b);
    for (unsigned i = quotient_length * 2 - 1; i < DIGITS; i++)
        fits = fits && !quotient.digit[i];
    if (!fits)
        return PROGRAM_DECIMAL_DIVIDE;
    uint8_t field[16];
    struct span left = {{field, NULL}, {quotient_length, 0}, {NULL, NULL}};
    struct span right = {{field + quotient_length, NULL}, {length_2(o), 0}, {NULL, NULL}};
    put(&quotient, a.negative != b.negative, &left);
    put(&remainder, a.negative, &right);
    span_write(&s1, field);
    span_stored(&s1);
    return 0;
}

OPERATION(shift_and_round_decimal) {
    unsigned amount = address_2(p, o) & 63, rounding = o->r1 & 15;
    struct span s;
    struct decimal d, shifted = {.count = DIGITS};
    unsigned x = span_open(p, address_1(p, o), length_1(o), ACCESS_STORE, &s);
    if (x)
        return x;
    if (!take(&d, &s) || rounding > 9)
        return PROGRAM_DATA;
    shifted.negative = d.negative;
    if (amount < 32) {
        for (unsigned i = 0; i < d.count; i++)
            if (i + amount < DIGITS)
                shifted.digit[i + amount] = d.digit[i];
    } else {
        unsigned right = 64 - amount;
        struct decimal one = {.count = 1};
        for (unsigned i = right; i < d.count; i++)
            shifted.digit[i - right] = d.digit[i];
        one.digit[0] = right - 1 < d.count && d.digit[right - 1] + rounding > 9;
        add_magnitudes(&shifted, &one);
    }
    return result(p, &shifted, &s);
}

OPERATION(convert_to_binary) {
    struct span s;
    struct decimal d;
    uint32_t a = address_rx(p, o);
    unsigned x = span_open(p, a, 8, ACCESS_FETCH, &s);
    if (x)
        return x;
    if ((a & 7) != 0)
        p->dynamic_cost += p->model->crossing;
    if (!take(&d, &s))
        return PROGRAM_DATA;
    int64_t value = 0;
    for (int i = 14; i >= 0; i--)
        value = value * 10 + d.digit[i];
    if (d.negative)
        value = -value;
    p->gpr[o->r1] = (uint32_t)value;
    return value == (int32_t)value ? 0 : OUTCOME_COMPLETED | PROGRAM_FIXED_DIVIDE;
}

OPERATION(convert_to_decimal) {
    int64_t value = (int32_t)p->gpr[o->r1];
    bool negative = value < 0;
    uint64_t packed = negative ? 0xD : 0xC, magnitude = (uint64_t)(negative ? -value : value);
    for (unsigned shift = 4; magnitude; shift += 4, magnitude /= 10)
        packed |= magnitude % 10 << shift;
    return store_doubleword(p, address_rx(p, o), packed);
}
