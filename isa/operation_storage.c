/* Operations on fields in storage: masks, characters, compare-and-swap, long moves, packing, editing (Principles of
 * Operation, "General Instructions").
 *
 * All operands are made accessible before anything is changed, so that an access exception suppresses or nullifies the
 * whole instruction. Where operands may overlap, bytes are handled in the architected order, directly in storage. */
#include "isa/isa_internal.h"

#define OPERATION(name) unsigned op_##name(struct processor *p, const struct operation *o)
#define R1 p->gpr[o->r1]

unsigned move_characters_slow(struct processor *p, struct span *to, struct span *from, uint32_t length);

/* Two operands of `length` bytes: the source is looked at first, or the destination (as Hercules does). */
static unsigned open_both(struct processor *p, const struct operation *o, uint32_t length, struct span *to,
                          struct span *from, bool destination_first) {
    unsigned x;
    if (destination_first && (x = span_open(p, address_1(p, o), length, ACCESS_STORE, to)))
        return x;
    if ((x = span_open(p, address_2(p, o), length, ACCESS_FETCH, from)))
        return x;
    return destination_first ? 0 : span_open(p, address_1(p, o), length, ACCESS_STORE, to);
}

static bool apart(const struct span *to, const struct span *from, uint32_t length) {
    return !to->length[1] && !from->length[1] && (uintptr_t)(to->piece[0] - from->piece[0]) >= length &&
           (uintptr_t)(from->piece[0] - to->piece[0]) >= length;
}

unsigned move_characters_slow(struct processor *p, struct span *to, struct span *from, uint32_t length) {
    const struct cost_row *row = &p->model->row[INSTRUCTION_MVC];
    uintptr_t distance = (uintptr_t)(to->piece[0] - from->piece[0]);
    if (distance > 0 && distance < 8 && distance < length && row->overlap_base | row->overlap_per_byte)
        p->dynamic_cost += row->overlap_base + row->overlap_per_byte * length - row->base - cost_units(row, length);
    for (uint32_t i = 0; i < length; i++)
        *span_at(to, i) = *span_at(from, i);
    span_stored(to);
    return 0;
}

/* A byte-wise combination of both operands; `expression` in terms of a (destination) and b (source). */
#define CHARACTERS(name, expression, sets_cc)                                                                          \
    OPERATION(name) {                                                                                                  \
        uint32_t length = o->r1 + 1u, i = 0;                                                                           \
        uint64_t any = 0;                                                                                              \
        struct span to, from;                                                                                          \
        unsigned x = open_both(p, o, length, &to, &from, length > 1);                                                  \
        if (x)                                                                                                         \
            return x;                                                                                                  \
        if (apart(&to, &from, length))                                                                                 \
            for (; i + 8 <= length; i += 8) {                                                                          \
                uint64_t a, b;                                                                                         \
                memcpy(&a, to.piece[0] + i, 8);                                                                        \
                memcpy(&b, from.piece[0] + i, 8);                                                                      \
                a = (expression);                                                                                      \
                memcpy(to.piece[0] + i, &a, 8);                                                                        \
                any |= a;                                                                                              \
            }                                                                                                          \
        for (; i < length; i++) {                                                                                      \
            uint8_t *at = span_at(&to, i);                                                                             \
            uint64_t a = *at, b = *span_at(&from, i);                                                                  \
            *at = (uint8_t)(expression);                                                                               \
            any |= *at;                                                                                                \
        }                                                                                                              \
        span_stored(&to);                                                                                              \
        if (sets_cc)                                                                                                   \
            p->psw.cc = any != 0;                                                                                      \
        return 0;                                                                                                      \
    }
CHARACTERS(and_characters, a &b, true)
CHARACTERS(or_characters, a | b, true)
CHARACTERS(exclusive_or_characters, a ^ b, true)
CHARACTERS(move_numerics, (a & 0xF0F0F0F0F0F0F0F0u) | (b & 0x0F0F0F0F0F0F0F0Fu), false)
CHARACTERS(move_zones, (a & 0x0F0F0F0F0F0F0F0Fu) | (b & 0xF0F0F0F0F0F0F0F0u), false)

OPERATION(move_inverse) {
    uint32_t length = o->r1 + 1u;
    struct span to, from;
    unsigned x = span_open(p, (address_2(p, o) - (length - 1)) & ADDRESS_MASK, length, ACCESS_FETCH, &from);
    if (x || (x = span_open(p, address_1(p, o), length, ACCESS_STORE, &to)))
        return x;
    for (uint32_t i = 0; i < length; i++)
        *span_at(&to, i) = *span_at(&from, length - 1 - i);
    span_stored(&to);
    return 0;
}

OPERATION(compare_logical_characters) {
    uint32_t length = o->r1 + 1u, i = 0;
    struct span a, b;
    unsigned x = span_open(p, address_1(p, o), length, ACCESS_FETCH, &a);
    if (x || (x = span_open(p, address_2(p, o), length, ACCESS_FETCH, &b)))
        return x;
    while (i < length && *span_at(&a, i) == *span_at(&b, i))
        i++;
    p->psw.cc = i == length ? 0 : *span_at(&a, i) < *span_at(&b, i) ? 1 : 2;
    p->dynamic_cost += cost_units(&p->model->row[INSTRUCTION_CLC], i < length ? i + 1 : length);
    return 0;
}

/* ---- Under mask ---- */

OPERATION(insert_characters_under_mask) {
    unsigned mask = o->r2;
    uint32_t length = (uint32_t)__builtin_popcount(mask), value = R1;
    struct span s;
    unsigned x = span_open(p, address_2(p, o), length ? length : 1, ACCESS_FETCH, &s);
    if (x)
        return x;
    uint8_t any = 0;
    uint32_t i = 0;
    for (unsigned shift = 24; mask & 15; mask <<= 1, shift -= 8)
        if (mask & 8) {
            uint8_t byte = *span_at(&s, i++);
            value = (value & ~(0xFFu << shift)) | (uint32_t)byte << shift;
            any |= byte;
        }
    p->psw.cc = !any ? 0 : *span_at(&s, 0) & 0x80 ? 1 : 2;
    R1 = value;
    return 0;
}

OPERATION(store_characters_under_mask) {
    unsigned mask = o->r2;
    uint32_t length = (uint32_t)__builtin_popcount(mask), i = 0;
    struct span s;
    if (!length)
        return 0;
    unsigned x = span_open(p, address_2(p, o), length, ACCESS_STORE, &s);
    if (x)
        return x;
    for (unsigned shift = 24; mask & 15; mask <<= 1, shift -= 8)
        if (mask & 8)
            *span_at(&s, i++) = (uint8_t)(R1 >> shift);
    span_stored(&s);
    return 0;
}

/* Bytes are fetched one by one until one differs: those behind it are not accessed. */
OPERATION(compare_logical_under_mask) {
    unsigned mask = o->r2;
    uint32_t a = address_2(p, o);
    uint8_t cc = 0, byte;
    unsigned x;
    if (!mask && (x = fetch_byte(p, a, &byte)))
        return x;
    for (unsigned shift = 24; mask & 15 && !cc; mask <<= 1, shift -= 8)
        if (mask & 8) {
            if ((x = fetch_byte(p, a, &byte)))
                return x;
            uint8_t mine = (uint8_t)(R1 >> shift);
            cc = mine == byte ? 0 : mine < byte ? 1 : 2;
            a = (a + 1) & ADDRESS_MASK;
        }
    p->psw.cc = cc;
    return 0;
}

/* ---- Interlocked updates: store access is needed even where nothing is replaced ---- */

OPERATION(test_and_set) {
    struct span s;
    unsigned x = span_open(p, address_2(p, o), 1, ACCESS_STORE, &s);
    if (x)
        return x;
    p->psw.cc = *s.piece[0] >> 7;
    *s.piece[0] = 0xFF;
    span_stored(&s);
    return 0;
}

OPERATION(compare_and_swap) {
    uint32_t a = address_2(p, o);
    struct span s;
    if (a & 3)
        return PROGRAM_SPECIFICATION;
    unsigned x = span_open(p, a, 4, ACCESS_STORE, &s);
    if (x)
        return x;
    uint32_t now = bytes_get32(s.piece[0]);
    p->psw.cc = now != R1;
    if (now != R1) {
        R1 = now;
    } else {
        bytes_put32(s.piece[0], p->gpr[o->r2]);
        span_stored(&s);
    }
    return 0;
}

OPERATION(compare_double_and_swap) {
    uint32_t a = address_2(p, o);
    struct span s;
    if ((o->r1 | o->r2) & 1 || a & 7)
        return PROGRAM_SPECIFICATION;
    unsigned x = span_open(p, a, 8, ACCESS_STORE, &s);
    if (x)
        return x;
    uint64_t now = bytes_get64(s.piece[0]), compare = (uint64_t)R1 << 32 | p->gpr[o->r1 + 1];
    p->psw.cc = now != compare;
    if (now != compare) {
        R1 = (uint32_t)(now >> 32);
        p->gpr[o->r1 + 1] = (uint32_t)now;
    } else {
        bytes_put64(s.piece[0], (uint64_t)p->gpr[o->r2] << 32 | p->gpr[o->r2 + 1]);
        span_stored(&s);
    }
    return 0;
}

/* ---- Translating ---- */

/* The table's 256 bytes, as far as they are used: a table in two blocks needs only those blocks that are referred to.
 */
static unsigned open_table(struct processor *p, uint32_t a, const struct span *arguments, uint32_t length,
                           const uint8_t *part[2], uint32_t *split) {
    bool used[2] = {false, false};
    struct span s;
    unsigned x;
    *split = STORAGE_BLOCK_BYTES - (a & (STORAGE_BLOCK_BYTES - 1));
    for (uint32_t i = 0; i < length; i++)
        used[*span_at(arguments, i) >= *split] = true;
    for (int i = 0; i < 2; i++) {
        if (!used[i])
            continue;
        uint32_t at = i ? (a + *split) & ADDRESS_MASK : a, before = *split < 256 ? *split : 256;
        if ((x = span_open(p, at, i ? 256 - before : before, ACCESS_FETCH, &s)))
            return x;
        part[i] = s.piece[0];
    }
    return 0;
}

OPERATION(translate) {
    uint32_t length = o->r1 + 1u, split;
    const uint8_t *part[2] = {NULL, NULL};
    struct span s;
    unsigned x = span_open(p, address_1(p, o), length, ACCESS_STORE, &s);
    if (x || (x = open_table(p, address_2(p, o), &s, length, part, &split)))
        return x;
    for (uint32_t i = 0; i < length; i++) {
        uint8_t *at = span_at(&s, i);
        *at = *at < split ? part[0][*at] : part[1][*at - split];
    }
    span_stored(&s);
    return 0;
}

OPERATION(translate_and_test) {
    uint32_t length = o->r1 + 1u, a = address_1(p, o), table = address_2(p, o), i = 0;
    uint8_t argument, function = 0;
    for (; i < length; i++) {
        unsigned x = fetch_byte(p, (a + i) & ADDRESS_MASK, &argument);
        if (x || (x = fetch_byte(p, (table + argument) & ADDRESS_MASK, &function)))
            return x;
        if (function)
            break;
    }
    if (function) {
        p->gpr[1] = (p->gpr[1] & 0xFF000000u) | ((a + i) & ADDRESS_MASK);
        p->gpr[2] = (p->gpr[2] & 0xFFFFFF00u) | function;
    }
    p->psw.cc = !function ? 0 : i + 1 < length ? 1 : 2;
    p->dynamic_cost += cost_units(&p->model->row[INSTRUCTION_TRT], i < length ? i + 1 : length);
    return 0;
}

/* ---- Moving and comparing long fields: interruptible after every unit, which ends where either operand leaves its
 * block. What has been done is charged and kept in the registers at once, so that any interruption resumes. ---- */

static uint32_t to_block_end(uint32_t a) { return STORAGE_BLOCK_BYTES - (a & (STORAGE_BLOCK_BYTES - 1)); }
static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

static void advance(struct processor *p, unsigned r, uint32_t by) {
    p->gpr[r] = (p->gpr[r] + by) & ADDRESS_MASK;
    p->gpr[r + 1] -= by;
}

static uint32_t count_of(const struct processor *p, unsigned r) { return p->gpr[r + 1] & ADDRESS_MASK; }

static void charge_progress(struct processor *p, enum instruction_id id, uint32_t length) {
    p->remaining -= cost_units(&p->model->row[id], length);
}

/* They stop for what can interrupt them only, not for the limit of a run: what a program does must not depend on how it
 * is watched. */
static bool interruption_due(const struct processor *p) { return processor_clock(p) >= p->next_event; }

static bool destructive(uint32_t to, uint32_t to_count, uint32_t from, uint32_t from_count) {
    uint32_t used = least(to_count, from_count);
    return used > 1 && to != from && ((to - from) & ADDRESS_MASK) < used;
}

OPERATION(move_long) {
    unsigned r1 = o->r1, r2 = o->r2;
    if ((r1 | r2) & 1)
        return PROGRAM_SPECIFICATION;
    uint32_t to = p->gpr[r1] & ADDRESS_MASK, from = p->gpr[r2] & ADDRESS_MASK;
    uint8_t pad = (uint8_t)(p->gpr[r2 + 1] >> 24);
    uint8_t cc = count_of(p, r1) == count_of(p, r2) ? 0 : count_of(p, r1) < count_of(p, r2) ? 1 : 2;
    if (destructive(to, count_of(p, r1), from, count_of(p, r2))) {
        p->gpr[r1] = to;
        p->gpr[r2] = from;
        p->psw.cc = 3;
        return 0;
    }
    while (count_of(p, r1)) {
        struct span destination, source;
        uint32_t left = count_of(p, r2), unit = least(count_of(p, r1), to_block_end(p->gpr[r1] & ADDRESS_MASK));
        unsigned x = 0;
        if (left) {
            unit = least(unit, least(left, to_block_end(p->gpr[r2] & ADDRESS_MASK)));
            x = span_open(p, p->gpr[r2] & ADDRESS_MASK, unit, ACCESS_FETCH, &source);
        }
        if (x || (x = span_open(p, p->gpr[r1] & ADDRESS_MASK, unit, ACCESS_STORE, &destination)))
            return x;
        if (left)
            memmove(destination.piece[0], source.piece[0], unit);
        else
            memset(destination.piece[0], pad, unit);
        span_stored(&destination);
        advance(p, r1, unit);
        if (left && r2 != r1)
            advance(p, r2, unit);
        p->psw.cc = cc;
        charge_progress(p, INSTRUCTION_MVCL, unit);
        if (interruption_due(p) && count_of(p, r1))
            return OUTCOME_RESUME;
    }
    p->gpr[r1] &= ADDRESS_MASK;
    p->gpr[r2] &= ADDRESS_MASK;
    p->psw.cc = cc;
    return 0;
}

/* The length over which two spans (or one and the padding byte) agree. */
static uint32_t agreement(const struct span *a, const struct span *b, uint8_t pad, uint32_t length) {
    uint32_t i = 0;
    while (i < length && (a ? a->piece[0][i] : pad) == (b ? b->piece[0][i] : pad))
        i++;
    return i;
}

OPERATION(compare_logical_long) {
    unsigned r1 = o->r1, r2 = o->r2;
    if ((r1 | r2) & 1)
        return PROGRAM_SPECIFICATION;
    uint8_t pad = (uint8_t)(p->gpr[r2 + 1] >> 24);
    while (count_of(p, r1) || count_of(p, r2)) {
        struct span a, b;
        uint32_t left1 = count_of(p, r1), left2 = count_of(p, r2), unit = STORAGE_BLOCK_BYTES;
        unsigned x;
        if (left1)
            unit = least(unit, least(left1, to_block_end(p->gpr[r1] & ADDRESS_MASK)));
        if (left2)
            unit = least(unit, least(left2, to_block_end(p->gpr[r2] & ADDRESS_MASK)));
        if (left1 && (x = span_open(p, p->gpr[r1] & ADDRESS_MASK, unit, ACCESS_FETCH, &a)))
            return x;
        if (left2 && (x = span_open(p, p->gpr[r2] & ADDRESS_MASK, unit, ACCESS_FETCH, &b)))
            return x;
        uint32_t same = agreement(left1 ? &a : NULL, left2 ? &b : NULL, pad, unit);
        if (left1)
            advance(p, r1, same);
        if (left2 && r2 != r1)
            advance(p, r2, same);
        charge_progress(p, INSTRUCTION_CLCL, same < unit ? same + 1 : unit);
        if (same < unit) {
            p->psw.cc = (left1 ? a.piece[0][same] : pad) < (left2 ? b.piece[0][same] : pad) ? 1 : 2;
            p->gpr[r1] &= ADDRESS_MASK;
            p->gpr[r2] &= ADDRESS_MASK;
            return 0;
        }
        if (interruption_due(p) && (count_of(p, r1) || count_of(p, r2)))
            return OUTCOME_RESUME;
    }
    p->gpr[r1] &= ADDRESS_MASK;
    p->gpr[r2] &= ADDRESS_MASK;
    p->psw.cc = 0;
    return 0;
}

/* ---- Packing and editing ---- */

/* Two operands with lengths of their own. Where the first lies in two blocks it is looked at first (9.10). */
static unsigned open_lengths(struct processor *p, const struct operation *o, struct span *to, struct span *from) {
    uint32_t a1 = address_1(p, o), length1 = (o->r1 >> 4) + 1u, length2 = (o->r1 & 15) + 1u;
    bool first = to_block_end(a1) < length1;
    unsigned x;
    if (first && (x = span_open(p, a1, length1, ACCESS_STORE, to)))
        return x;
    if ((x = span_open(p, address_2(p, o), length2, ACCESS_FETCH, from)))
        return x;
    return first ? 0 : span_open(p, a1, length1, ACCESS_STORE, to);
}

OPERATION(move_with_offset) {
    struct span to, from;
    unsigned x = open_lengths(p, o, &to, &from);
    if (x)
        return x;
    int i = o->r1 >> 4, j = o->r1 & 15;
    uint8_t byte = *span_at(&from, (uint32_t)j--), *at = span_at(&to, (uint32_t)i--);
    *at = (uint8_t)(byte << 4 | (*at & 15));
    for (; i >= 0; i--) {
        uint8_t low = byte >> 4;
        byte = j >= 0 ? *span_at(&from, (uint32_t)j--) : 0;
        *span_at(&to, (uint32_t)i) = (uint8_t)(byte << 4 | low);
    }
    span_stored(&to);
    return 0;
}

OPERATION(pack) {
    struct span to, from;
    unsigned x = open_lengths(p, o, &to, &from);
    if (x)
        return x;
    int i = o->r1 >> 4, j = o->r1 & 15;
    uint8_t byte = *span_at(&from, (uint32_t)j--);
    *span_at(&to, (uint32_t)i--) = (uint8_t)(byte << 4 | byte >> 4);
    for (; i >= 0; i--) {
        uint8_t low = j >= 0 ? *span_at(&from, (uint32_t)j--) & 15 : 0;
        uint8_t high = j >= 0 ? *span_at(&from, (uint32_t)j--) & 15 : 0;
        *span_at(&to, (uint32_t)i) = (uint8_t)(high << 4 | low);
    }
    span_stored(&to);
    return 0;
}

OPERATION(unpack) {
    struct span to, from;
    unsigned x = open_lengths(p, o, &to, &from);
    if (x)
        return x;
    int i = o->r1 >> 4, j = o->r1 & 15;
    uint8_t byte = *span_at(&from, (uint32_t)j--);
    *span_at(&to, (uint32_t)i--) = (uint8_t)(byte << 4 | byte >> 4);
    while (i >= 0) {
        byte = j >= 0 ? *span_at(&from, (uint32_t)j--) : 0;
        *span_at(&to, (uint32_t)i--) = 0xF0 | (byte & 15);
        if (i >= 0)
            *span_at(&to, (uint32_t)i--) = (uint8_t)(0xF0 | byte >> 4);
    }
    span_stored(&to);
    return 0;
}

/* Editing (9.9). The result is made aside and stored when everything has been accepted; source bytes are fetched only
 * as digits are needed. */
static unsigned edit(struct processor *p, const struct operation *o, bool mark) {
    uint32_t length = o->r1 + 1u, from = address_2(p, o), a = address_1(p, o), marked = 0;
    struct span s;
    uint8_t pattern[256], source = 0, fill = 0;
    bool significant = false, nonzero = false, left = true, is_marked = false;
    unsigned x = span_open(p, a, length, ACCESS_STORE, &s);
    if (x)
        return x;
    span_read(&s, pattern);
    for (uint32_t i = 0; i < length; i++) {
        uint8_t c = pattern[i];
        if (i == 0)
            fill = c;
        if (c == 0x22) {
            pattern[i] = fill;
            significant = nonzero = false;
            continue;
        }
        if (c != 0x20 && c != 0x21) {
            if (!significant)
                pattern[i] = fill;
            continue;
        }
        uint8_t digit, sign = 0;
        if (left) {
            if ((x = fetch_byte(p, from, &source)))
                return x;
            from = (from + 1) & ADDRESS_MASK;
            digit = source >> 4;
            if (digit > 9)
                return PROGRAM_DATA;
            if ((source & 15) > 9)
                sign = source & 15;
            else
                left = false;
        } else {
            digit = source & 15;
            left = true;
        }
        if (digit && !significant) {
            marked = (a + i) & ADDRESS_MASK;
            is_marked = true;
        }
        pattern[i] = digit || significant ? 0xF0 | digit : fill;
        if (digit)
            nonzero = true;
        if (digit || c == 0x21)
            significant = true;
        if (sign && sign != 0xB && sign != 0xD)
            significant = false;
    }
    span_write(&s, pattern);
    span_stored(&s);
    if (mark && is_marked)
        p->gpr[1] = (p->gpr[1] & 0xFF000000u) | marked;
    p->psw.cc = !nonzero ? 0 : significant ? 1 : 2;
    return 0;
}

OPERATION(edit) { return edit(p, o, false); }
OPERATION(edit_and_mark) { return edit(p, o, true); }

/* ---- Monitor call ---- */

OPERATION(monitor_call) {
    unsigned class = o->extra;
    if (class > 15)
        return PROGRAM_SPECIFICATION;
    if (!(p->cr[8] & 0x8000u >> class))
        return 0;
    p->monitor_class = (uint8_t) class;
    p->monitor_code = address_2(p, o);
    return OUTCOME_COMPLETED | PROGRAM_MONITOR;
}
