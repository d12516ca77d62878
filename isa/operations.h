/* The operations that are inlined into the execution loop: registers, loads and stores, branches.
 *
 * Only isa/execute.c includes this. Each function is the operation alone: fields were decoded before, and the loop adds
 * costs, moves on, and turns program codes into interruptions. */
#ifndef ISA_OPERATIONS_H
#define ISA_OPERATIONS_H

#include "isa/isa_internal.h"

#define OPERATION(name) static inline unsigned op_##name(struct processor *p, const struct operation *o)
#define R1 p->gpr[o->r1]
#define R2 p->gpr[o->r2]

/* ---- Condition codes ---- */

static inline uint8_t cc_sign(int32_t v) { return v == 0 ? 0 : v < 0 ? 1 : 2; }
static inline uint8_t cc_signed(int32_t a, int32_t b) { return a == b ? 0 : a < b ? 1 : 2; }
static inline uint8_t cc_logical(uint32_t a, uint32_t b) { return a == b ? 0 : a < b ? 1 : 2; }

/* All results of an overflow are stored; whether it also interrupts is the program mask's affair. */
static inline unsigned overflow(struct processor *p) {
    p->psw.cc = 3;
    return p->psw.program_mask & 8 ? OUTCOME_COMPLETED | PROGRAM_FIXED_OVERFLOW : 0;
}

static inline unsigned add_signed(struct processor *p, uint32_t *to, int32_t a, int32_t b) {
    int32_t sum;
    bool over = __builtin_add_overflow(a, b, &sum);
    *to = (uint32_t)sum;
    if (UNLIKELY(over))
        return overflow(p);
    p->psw.cc = cc_sign(sum);
    return 0;
}

static inline unsigned subtract_signed(struct processor *p, uint32_t *to, int32_t a, int32_t b) {
    int32_t difference;
    bool over = __builtin_sub_overflow(a, b, &difference);
    *to = (uint32_t)difference;
    if (UNLIKELY(over))
        return overflow(p);
    p->psw.cc = cc_sign(difference);
    return 0;
}

static inline void add_logical_to(struct processor *p, uint32_t *to, uint32_t a, uint32_t b) {
    uint32_t sum = a + b;
    *to = sum;
    p->psw.cc = (uint8_t)((sum < a) << 1 | (sum != 0));
}

static inline void subtract_logical_to(struct processor *p, uint32_t *to, uint32_t a, uint32_t b) {
    uint32_t difference = a - b;
    *to = difference;
    p->psw.cc = (uint8_t)((a >= b) << 1 | (difference != 0));
}

static inline void logical_result(struct processor *p, uint32_t *to, uint32_t v) {
    *to = v;
    p->psw.cc = v != 0;
}

/* ---- Registers ---- */

OPERATION(load_register) {
    R1 = R2;
    return 0;
}
OPERATION(load_and_test_register) {
    R1 = R2;
    p->psw.cc = cc_sign((int32_t)R1);
    return 0;
}
OPERATION(load_complement_register) { return subtract_signed(p, &R1, 0, (int32_t)R2); }
OPERATION(load_positive_register) {
    if ((int32_t)R2 < 0)
        return subtract_signed(p, &R1, 0, (int32_t)R2);
    R1 = R2;
    p->psw.cc = R1 ? 2 : 0;
    return 0;
}
OPERATION(load_negative_register) {
    R1 = (int32_t)R2 > 0 ? 0 - R2 : R2;
    p->psw.cc = R1 ? 1 : 0;
    return 0;
}
OPERATION(add_register) { return add_signed(p, &R1, (int32_t)R1, (int32_t)R2); }
OPERATION(subtract_register) { return subtract_signed(p, &R1, (int32_t)R1, (int32_t)R2); }
OPERATION(add_logical_register) {
    add_logical_to(p, &R1, R1, R2);
    return 0;
}
OPERATION(subtract_logical_register) {
    subtract_logical_to(p, &R1, R1, R2);
    return 0;
}
OPERATION(and_register) {
    logical_result(p, &R1, R1 & R2);
    return 0;
}
OPERATION(or_register) {
    logical_result(p, &R1, R1 | R2);
    return 0;
}
OPERATION(exclusive_or_register) {
    logical_result(p, &R1, R1 ^ R2);
    return 0;
}
OPERATION(compare_register) {
    p->psw.cc = cc_signed((int32_t)R1, (int32_t)R2);
    return 0;
}
OPERATION(compare_logical_register) {
    p->psw.cc = cc_logical(R1, R2);
    return 0;
}
OPERATION(set_program_mask) {
    p->psw.cc = R1 >> 28 & 3;
    p->psw.program_mask = R1 >> 24 & 15;
    return 0;
}
OPERATION(load_address) {
    R1 = address_rx(p, o);
    return 0;
}

static inline unsigned multiply_pair(struct processor *p, const struct operation *o, uint32_t by) {
    int64_t product = (int64_t)(int32_t)p->gpr[o->r1 + 1] * (int32_t)by;
    R1 = (uint32_t)((uint64_t)product >> 32);
    p->gpr[o->r1 + 1] = (uint32_t)product;
    return 0;
}

static inline unsigned divide_pair(struct processor *p, const struct operation *o, uint32_t by) {
    int64_t dividend = (int64_t)((uint64_t)R1 << 32 | p->gpr[o->r1 + 1]);
    if (by == 0 || (by == UINT32_MAX && dividend == INT64_MIN))
        return PROGRAM_FIXED_DIVIDE;
    int64_t quotient = dividend / (int32_t)by;
    if (quotient != (int32_t)quotient)
        return PROGRAM_FIXED_DIVIDE;
    R1 = (uint32_t)(dividend % (int32_t)by);
    p->gpr[o->r1 + 1] = (uint32_t)quotient;
    return 0;
}

OPERATION(multiply_register) { return o->r1 & 1 ? PROGRAM_SPECIFICATION : multiply_pair(p, o, R2); }
OPERATION(divide_register) { return o->r1 & 1 ? PROGRAM_SPECIFICATION : divide_pair(p, o, R2); }

/* ---- Storage and registers ---- */

#define WITH_WORD                                                                                                      \
    uint32_t v;                                                                                                        \
    unsigned x = fetch_word(p, address_rx(p, o), &v);                                                                  \
    if (UNLIKELY(x))                                                                                                   \
    return x
#define WITH_HALFWORD                                                                                                  \
    uint16_t half;                                                                                                     \
    unsigned x = fetch_halfword(p, address_rx(p, o), &half);                                                           \
    if (UNLIKELY(x))                                                                                                   \
        return x;                                                                                                      \
    int32_t v = (int16_t)half

OPERATION(load) {
    WITH_WORD;
    R1 = v;
    return 0;
}
OPERATION(load_halfword) {
    WITH_HALFWORD;
    R1 = (uint32_t)v;
    return 0;
}
OPERATION(store) { return store_word(p, address_rx(p, o), R1); }
OPERATION(store_halfword) { return store_halfword(p, address_rx(p, o), (uint16_t)R1); }
OPERATION(store_character) { return store_byte(p, address_rx(p, o), (uint8_t)R1); }
OPERATION(insert_character) {
    uint8_t v;
    unsigned x = fetch_byte(p, address_rx(p, o), &v);
    if (UNLIKELY(x))
        return x;
    R1 = (R1 & 0xFFFFFF00u) | v;
    return 0;
}
OPERATION(add) {
    WITH_WORD;
    return add_signed(p, &R1, (int32_t)R1, (int32_t)v);
}
OPERATION(subtract) {
    WITH_WORD;
    return subtract_signed(p, &R1, (int32_t)R1, (int32_t)v);
}
OPERATION(add_halfword) {
    WITH_HALFWORD;
    return add_signed(p, &R1, (int32_t)R1, v);
}
OPERATION(subtract_halfword) {
    WITH_HALFWORD;
    return subtract_signed(p, &R1, (int32_t)R1, v);
}
OPERATION(add_logical) {
    WITH_WORD;
    add_logical_to(p, &R1, R1, v);
    return 0;
}
OPERATION(subtract_logical) {
    WITH_WORD;
    subtract_logical_to(p, &R1, R1, v);
    return 0;
}
OPERATION(and) {
    WITH_WORD;
    logical_result(p, &R1, R1 & v);
    return 0;
}
OPERATION(or) {
    WITH_WORD;
    logical_result(p, &R1, R1 | v);
    return 0;
}
OPERATION(exclusive_or) {
    WITH_WORD;
    logical_result(p, &R1, R1 ^ v);
    return 0;
}
OPERATION(compare) {
    WITH_WORD;
    p->psw.cc = cc_signed((int32_t)R1, (int32_t)v);
    return 0;
}
OPERATION(compare_halfword) {
    WITH_HALFWORD;
    p->psw.cc = cc_signed((int32_t)R1, v);
    return 0;
}
OPERATION(compare_logical) {
    WITH_WORD;
    p->psw.cc = cc_logical(R1, v);
    return 0;
}
OPERATION(multiply) {
    if (o->r1 & 1)
        return PROGRAM_SPECIFICATION;
    WITH_WORD;
    return multiply_pair(p, o, v);
}
OPERATION(divide) {
    if (o->r1 & 1)
        return PROGRAM_SPECIFICATION;
    WITH_WORD;
    return divide_pair(p, o, v);
}
OPERATION(multiply_halfword) {
    WITH_HALFWORD;
    R1 = R1 * (uint32_t)v;
    return 0;
}

/* ---- Immediate operands ---- */

#define WITH_BYTE                                                                                                      \
    uint32_t a = address_2(p, o);                                                                                      \
    uint8_t v;                                                                                                         \
    unsigned x = fetch_byte(p, a, &v);                                                                                 \
    if (UNLIKELY(x))                                                                                                   \
    return x

OPERATION(move_immediate) { return store_byte(p, address_2(p, o), o->extra); }
OPERATION(compare_logical_immediate) {
    WITH_BYTE;
    p->psw.cc = cc_logical(v, o->extra);
    return 0;
}
OPERATION(test_under_mask) {
    WITH_BYTE;
    v &= o->extra;
    p->psw.cc = v == 0 ? 0 : v == o->extra ? 3 : 1;
    return 0;
}

/* Fetch, combine, store; the store decides about access, for a byte that may be stored may be fetched. */
#define IMMEDIATE(name, operator)                                                                                      \
    OPERATION(name) {                                                                                                  \
        struct span s;                                                                                                 \
        unsigned x = span_open(p, address_2(p, o), 1, ACCESS_STORE, &s);                                               \
        if (UNLIKELY(x))                                                                                               \
            return x;                                                                                                  \
        uint8_t v = *s.piece[0] operator o->extra;                                                                     \
        *s.piece[0] = v;                                                                                               \
        span_stored(&s);                                                                                               \
        p->psw.cc = v != 0;                                                                                            \
        return 0;                                                                                                      \
    }
IMMEDIATE(and_immediate, &)
IMMEDIATE(or_immediate, |)
IMMEDIATE(exclusive_or_immediate, ^)

/* ---- Multiple registers ---- */

static inline unsigned register_count(const struct operation *o) { return ((o->r2 - o->r1) & 15u) + 1; }

static inline void charge_doublewords(struct processor *p, const struct cost_row *row, uint32_t a, uint32_t length) {
    p->dynamic_cost += row->per_doubleword * (((a & 7) + length + 7) >> 3);
}

OPERATION(load_multiple) {
    unsigned n = register_count(o), r = o->r1;
    uint32_t a = address_2(p, o);
    struct span s;
    unsigned x = span_open(p, a, 4 * n, ACCESS_FETCH, &s);
    if (UNLIKELY(x))
        return x;
    charge_doublewords(p, &p->model->row[INSTRUCTION_LM], a, 4 * n);
    uint8_t copy[64];
    const uint8_t *from = s.piece[0];
    if (UNLIKELY(s.length[1])) {
        span_read(&s, copy);
        from = copy;
    }
    for (; n--; from += 4, r = (r + 1) & 15)
        p->gpr[r] = bytes_get32(from);
    return 0;
}

OPERATION(store_multiple) {
    unsigned n = register_count(o), r = o->r1;
    uint32_t a = address_2(p, o);
    struct span s;
    unsigned x = span_open(p, a, 4 * n, ACCESS_STORE, &s);
    if (UNLIKELY(x))
        return x;
    charge_doublewords(p, &p->model->row[INSTRUCTION_STM], a, 4 * n);
    uint8_t copy[64];
    uint8_t *to = s.length[1] ? copy : s.piece[0];
    for (unsigned i = 0; i < n; i++, to += 4, r = (r + 1) & 15)
        bytes_put32(to, p->gpr[r]);
    if (UNLIKELY(s.length[1]))
        span_write(&s, copy);
    span_stored(&s);
    return 0;
}

/* ---- Shifts ---- */

static inline unsigned shift_amount(struct processor *p, const struct operation *o, enum instruction_id id) {
    unsigned n = address_2(p, o) & 63;
    p->dynamic_cost += cost_units(&p->model->row[id], n);
    return n;
}

static inline uint64_t pair(const struct processor *p, const struct operation *o) {
    return (uint64_t)p->gpr[o->r1] << 32 | p->gpr[o->r1 + 1];
}
static inline void set_pair(struct processor *p, const struct operation *o, uint64_t v) {
    p->gpr[o->r1] = (uint32_t)(v >> 32);
    p->gpr[o->r1 + 1] = (uint32_t)v;
}
static inline uint8_t cc_sign_pair(uint64_t v) { return v == 0 ? 0 : v >> 63 ? 1 : 2; }

OPERATION(shift_left_single_logical) {
    unsigned n = shift_amount(p, o, INSTRUCTION_SLL);
    R1 = n > 31 ? 0 : R1 << n;
    return 0;
}
OPERATION(shift_right_single_logical) {
    unsigned n = shift_amount(p, o, INSTRUCTION_SRL);
    R1 = n > 31 ? 0 : R1 >> n;
    return 0;
}
OPERATION(shift_right_single) {
    unsigned n = shift_amount(p, o, INSTRUCTION_SRA);
    R1 = (uint32_t)((int32_t)R1 >> (n > 31 ? 31 : n));
    p->psw.cc = cc_sign((int32_t)R1);
    return 0;
}
OPERATION(shift_left_single) {
    unsigned n = shift_amount(p, o, INSTRUCTION_SLA);
    /* All bits that leave position 1 must equal the sign; 64 bits hold them all, since n is at most 63. */
    uint32_t sign = R1 & 0x80000000u, magnitude = R1 & 0x7FFFFFFFu;
    uint32_t lost = n > 31 ? magnitude : (uint32_t)(((uint64_t)magnitude << n) >> 31);
    uint32_t expected = sign ? (n > 31 ? 0x7FFFFFFFu : (uint32_t)(((uint64_t)1 << n) - 1)) : 0;
    bool over = n > 31 ? (sign ? true : magnitude != 0) : lost != expected;
    R1 = sign | (n > 31 ? 0 : (magnitude << n & 0x7FFFFFFFu));
    if (over)
        return overflow(p);
    p->psw.cc = cc_sign((int32_t)R1);
    return 0;
}
OPERATION(shift_left_double_logical) {
    if (o->r1 & 1)
        return PROGRAM_SPECIFICATION;
    set_pair(p, o, pair(p, o) << shift_amount(p, o, INSTRUCTION_SLDL));
    return 0;
}
OPERATION(shift_right_double_logical) {
    if (o->r1 & 1)
        return PROGRAM_SPECIFICATION;
    set_pair(p, o, pair(p, o) >> shift_amount(p, o, INSTRUCTION_SRDL));
    return 0;
}
OPERATION(shift_right_double) {
    if (o->r1 & 1)
        return PROGRAM_SPECIFICATION;
    uint64_t v = (uint64_t)((int64_t)pair(p, o) >> shift_amount(p, o, INSTRUCTION_SRDA));
    set_pair(p, o, v);
    p->psw.cc = cc_sign_pair(v);
    return 0;
}
OPERATION(shift_left_double) {
    if (o->r1 & 1)
        return PROGRAM_SPECIFICATION;
    unsigned n = shift_amount(p, o, INSTRUCTION_SLDA);
    uint64_t v = pair(p, o), sign = v & (uint64_t)1 << 63, magnitude = v & ~((uint64_t)1 << 63);
    uint64_t lost = n ? magnitude >> (63 - n) : 0, expected = sign ? ((uint64_t)1 << n) - 1 : 0;
    uint64_t result = sign | (magnitude << n & ~((uint64_t)1 << 63));
    set_pair(p, o, result);
    if (lost != expected)
        return overflow(p);
    p->psw.cc = cc_sign_pair(result);
    return 0;
}

/* ---- Moving characters: one byte at a time, left to right, for programs clear a field by moving it onto itself one
 * byte along; a block copy where that cannot be told from it. ---- */

unsigned move_characters_slow(struct processor *p, struct span *to, struct span *from, uint32_t length);

OPERATION(move_characters) {
    uint32_t length = o->r1 + 1u;
    struct span to, from;
    unsigned x = span_open(p, address_2(p, o), length, ACCESS_FETCH, &from);
    if (UNLIKELY(x))
        return x;
    x = span_open(p, address_1(p, o), length, ACCESS_STORE, &to);
    if (UNLIKELY(x))
        return x;
    if (UNLIKELY(to.length[1] || from.length[1] || (uintptr_t)(to.piece[0] - from.piece[0]) < length))
        return move_characters_slow(p, &to, &from, length);
    memmove(to.piece[0], from.piece[0], length);
    span_stored(&to);
    return 0;
}

/* ---- Branches: true when taken, with *target set ---- */

#define BRANCH(name)                                                                                                   \
    static inline bool op_##name(struct processor *p, const struct operation *o, uint32_t next, uint32_t *target)

/* What BAL and BALR save beside the address: ILC, condition code, program mask. */
static inline uint32_t link(const struct processor *p, uint32_t next, unsigned ilc) {
    return ilc << 30 | (uint32_t)p->psw.cc << 28 | (uint32_t)p->psw.program_mask << 24 | next;
}

BRANCH(branch_on_condition) {
    (void)next;
    *target = address_rx(p, o);
    return o->r1 & (8u >> p->psw.cc);
}
BRANCH(branch_on_condition_register) {
    (void)next;
    *target = R2 & ADDRESS_MASK;
    return o->r2 && o->r1 & (8u >> p->psw.cc);
}
BRANCH(branch_on_count) {
    (void)next;
    *target = address_rx(p, o);
    return --R1 != 0;
}
BRANCH(branch_on_count_register) {
    (void)next;
    *target = R2 & ADDRESS_MASK;
    return --R1 != 0 && o->r2;
}
BRANCH(branch_and_link) {
    *target = address_rx(p, o);
    R1 = link(p, next, 2);
    return true;
}
BRANCH(branch_and_link_register) {
    *target = R2 & ADDRESS_MASK;
    R1 = link(p, next, p->length == 4 ? 2 : 1);
    return o->r2;
}
BRANCH(branch_and_save) {
    *target = address_rx(p, o);
    R1 = next;
    return true;
}
BRANCH(branch_and_save_register) {
    *target = R2 & ADDRESS_MASK;
    R1 = next;
    return o->r2;
}
static inline int32_t index_step(struct processor *p, const struct operation *o, int32_t *comparand) {
    uint32_t increment = R2;
    *comparand = (int32_t)p->gpr[o->r2 | 1];
    R1 += increment;
    return (int32_t)R1;
}
BRANCH(branch_on_index_high) {
    int32_t comparand;
    (void)next;
    *target = address_2(p, o);
    return index_step(p, o, &comparand) > comparand;
}
BRANCH(branch_on_index_low_or_equal) {
    int32_t comparand;
    (void)next;
    *target = address_2(p, o);
    return index_step(p, o, &comparand) <= comparand;
}

#undef OPERATION
#undef BRANCH
#undef R1
#undef R2
#undef WITH_WORD
#undef WITH_HALFWORD
#undef WITH_BYTE
#undef IMMEDIATE

#endif
