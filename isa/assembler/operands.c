/* Machine instructions: operands into fields, driven by the notation of the instruction's format.
 *
 * Each name in the notation ("R1,DXB2") says both how the operand is written and which field it goes to, so no
 * instruction needs code of its own. */
#include <string.h>

#include "isa/assembler/assembler_internal.h"

void instruction_first(struct assembler *a, struct statement *s) {
    section_align(a, s, 2);
    s->length = s->does->instruction->length;
    symbol_define(a, s, s->section, s->offset, s->length);
    if (!s->bad) {
        literals_collect(a, s);
    }
    section_advance(a, s, s->does->instruction->length);
}

/* What stands in the parentheses behind a displacement: (first,second), either of which may be left out. */
struct parentheses {
    bool there, has_first, has_second, comma;
    size_t first_at, second_at;
    int64_t first, second;
};

static bool parse_parentheses(struct cursor *c, struct parentheses *p, const char *what, int64_t most) {
    *p = (struct parentheses){.there = true};
    p->first_at = c->at;
    if (cursor_peek(c) != ',') {
        if (!expression_number(c, 0, most, what, &p->first)) {
            return false;
        }
        p->has_first = true;
    }
    if (cursor_take(c, ',')) {
        p->comma = true;
        p->second_at = c->at;
        if (cursor_peek(c) != ')') {
            if (!expression_number(c, 0, 15, "a base register", &p->second)) {
                return false;
            }
            p->has_second = true;
        }
    }
    return cursor_take(c, ')') || cursor_error(c, c->at, "a closing parenthesis is missing");
}

/* An operand in storage, taken apart. */
struct address {
    uint8_t b;
    uint16_t d;
    uint8_t x;
    uint32_t length;
};

/* D(X,B), D(L,B) or D(B), as `form` says (X, L or B), or an expression that USING resolves. `longest`: of L. */
static bool parse_address(struct cursor *c, char form, unsigned longest, struct address *to, uint32_t *shown) {
    const size_t at = c->at;
    struct value v;
    struct parentheses p = {0};
    int64_t absolute;
    if (!expression_parse(c, &v)) {
        return false;
    }
    if (cursor_take(c, '(')) {
        const char *what = form == 'X' ? "an index register" : form == 'L' ? "the length" : "a base register";
        if (!parse_parentheses(c, &p, what, form == 'L' ? longest : 15)) {
            return false;
        }
        if (form == 'B' && p.has_first && p.comma) {
            return cursor_error(c, p.first_at, "this operand has neither index nor length: D(B)");
        }
        if (form == 'B' && p.has_first) {
            p.second = p.first;
            p.comma = true;
            p.has_first = false;
        }
    }
    if (p.comma) {
        if (!value_is_number(&v) || v.number < 0 || v.number > 4095) {
            return value_is_number(&v)
                       ? cursor_error(c, at, "a displacement must be from 0 to 4095, not %lld", (long long)v.number)
                       : cursor_error(c, at,
                                      "an address with a base register of its own: the displacement must be a "
                                      "number");
        }
        to->b = (uint8_t)p.second;
        to->d = (uint16_t)v.number;
    } else if (!using_resolve(c, at, &v, false, &to->b, &to->d)) {
        return false;
    }
    if (form == 'X') {
        to->x = (uint8_t)p.first;
    }
    if (form == 'L') {
        to->length = p.has_first ? (uint32_t)p.first : v.length;
        if (to->length > longest) {
            return cursor_error(c, at, "the implied length %u is more than %u: write the length", to->length, longest);
        }
    }
    *shown = value_absolute(&v, &absolute) ? (uint32_t)absolute : (uint32_t)v.number;
    return true;
}

/* One operand, `name` of the notation. */
static bool parse_operand(struct cursor *c, const char *name, size_t length, struct instruction_fields *f) {
    struct assembler *a = c->a;
    int64_t number;
    switch (name[0]) {
    case 'R':
    case 'M':
        if (!expression_number(c, 0, 15, name[0] == 'R' ? "a register" : "a mask", &number)) {
            return false;
        }
        *(name[1] == '1' ? &f->r1 : &f->r3) = (uint8_t)number;
        return true;
    case 'I':
        if (length > 1 && name[1] == '3') {
            if (!expression_number(c, 0, 15, "the rounding digit", &number)) {
                return false;
            }
            f->r3 = (uint8_t)number;
            return true;
        }
        if (!expression_number(c, 0, 255, "an immediate operand", &number)) {
            return false;
        }
        f->i2 = (uint8_t)number;
        return true;
    default: break;
    }
    const bool nibble = name[length - 1] == 's'; /* a length field of 4 bits */
    const bool first = name[length - 1 - nibble] == '1';
    const char form = name[1] == 'D' ? 'B' : name[1];
    struct address x = {0};
    if (!parse_address(c, form, nibble ? 16 : 256, &x, &a->address[!first])) {
        return false;
    }
    a->has_address[!first] = true;
    *(first ? &f->b1 : &f->b2) = x.b;
    *(first ? &f->d1 : &f->d2) = x.d;
    if (form == 'X') {
        f->r3 = x.x;
    } else if (form == 'L') {
        *(first ? &f->l1 : &f->l2) = (uint8_t)(x.length ? x.length - 1 : 0);
    }
    return true;
}

/* After an error: on to the next operand, so that its errors are found too. */
static void skip_operand(struct cursor *c) {
    const size_t at = c->at;
    unsigned depth = 0;
    bool quoted = false;
    for (c->at = c->operand_at; !cursor_at_end(c); c->at++) {
        const char x = cursor_peek(c);
        if (x == '\'') {
            quoted = !quoted && text_is_attribute(c->text, c->at) ? false : !quoted;
        } else if (!quoted && x == '(') {
            depth++;
        } else if (!quoted && x == ')' && depth) {
            depth--;
        } else if (!quoted && x == ',' && depth == 0 && c->at >= at) {
            return;
        }
    }
}

static void check_pair(struct cursor *c, const struct instruction *i, const struct instruction_fields *f) {
    bool first = false, second = false;
    switch (instruction_id(i)) {
    case INSTRUCTION_M:
    case INSTRUCTION_MR:
    case INSTRUCTION_D:
    case INSTRUCTION_DR:
    case INSTRUCTION_SLDA:
    case INSTRUCTION_SLDL:
    case INSTRUCTION_SRDA:
    case INSTRUCTION_SRDL: first = true; break;
    case INSTRUCTION_MVCL:
    case INSTRUCTION_CLCL:
    case INSTRUCTION_CDS: first = second = true; break;
    default: break;
    }
    if ((first && f->r1 & 1) || (second && f->r3 & 1)) {
        assembler_warning(c->a, c->s, c->text.at, "%s uses a pair of registers: the first one must be even",
                          i->mnemonic);
    }
}

void instruction_second(struct assembler *a, struct statement *s) {
    const struct instruction *i = s->does->instruction;
    const char *all = instruction_operands((enum instruction_format)i->format), *name = all;
    struct cursor c = cursor_of(a, s, s->operands);
    struct instruction_fields f = {0};
    bool good = true, first = true;
    if (s->does->mask >= 0) {
        f.r1 = (uint8_t)s->does->mask;
        name = all += strcspn(all, ",") + 1;
    }
    if (!*name) { /* no operands: what stands there is remarks */
        c.at = c.text.length;
    }
    while (*name) {
        const size_t length = strcspn(name, ",");
        if (cursor_at_end(&c) || (!first && !cursor_take(&c, ','))) {
            cursor_error(&c, c.at,
                         cursor_at_end(&c) ? "%.*s: an operand is missing; it needs %s"
                                           : "%.*s: a comma should be here; it needs %s",
                         TEXT_ARGS(s->operation), all);
            return;
        }
        c.operand_at = c.at;
        if (!parse_operand(&c, name, length, &f)) {
            good = false;
            skip_operand(&c);
        }
        first = false;
        name += length;
        name += *name == ',';
    }
    if (!cursor_at_end(&c)) {
        good = cursor_error(&c, c.at, "%.*s: too many operands; it needs %s", TEXT_ARGS(s->operation), all);
    }
    if (!good) {
        return;
    }
    check_pair(&c, i, &f);
    uint8_t *to = assembler_room(a, s->section, s->offset, i->length);
    if (to) {
        uint8_t text[6];
        instruction_put(text, i, &f);
        memcpy(to, text, i->length);
    }
}
