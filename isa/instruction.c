/* The instruction table as data, and the three ways into it: by bytes, by mnemonic, and field by field.
 *
 * All tables are made by the compiler from the rows of instructions.def, so nothing here is ever written to. The
 * layouts of the fields are those of the Principles of Operation, "Instruction Formats". */
#include "isa/instruction.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

enum {
#define FORMAT_BYTES(id, length, operands) FORMAT_BYTES_##id = length,
    INSTRUCTION_FORMATS(FORMAT_BYTES)
#undef FORMAT_BYTES
};

const struct instruction instruction_table[INSTRUCTION_COUNT] = {
#define INSTRUCTION(...) ROW(PROFILE_S370, __VA_ARGS__)
#define INSTRUCTION_FLAWED(...) ROW(PROFILE_FLAWED, __VA_ARGS__)
#define ROW(profile_, opcode, name_, title, format_, cc_, privileged_, class_, unit_, kind, function, reason_)         \
    [INSTRUCTION_##name_] = {                                                                                          \
        .code = opcode,                                                                                                \
        .format = FORMAT_##format_,                                                                                    \
        .length = FORMAT_BYTES_##format_,                                                                              \
        .cc = cc_,                                                                                                     \
        .class = class_,                                                                                               \
        .unit = unit_,                                                                                                 \
        .privileged = privileged_,                                                                                     \
        .profile = profile_,                                                                                           \
        .mnemonic = #name_,                                                                                            \
        .name = title,                                                                                                 \
        .reason = reason_,                                                                                             \
    },
#include "isa/instructions.def"
#undef ROW
};

const char *profile_name(enum profile p) {
    static const char *const names[PROFILE_COUNT] = {"s370", "flawed"};
    return names[p];
}

bool profile_find(const char *name, enum profile *to) {
    for (unsigned p = 0; p < PROFILE_COUNT; p++) {
        if (strcmp(name, profile_name((enum profile)p)) == 0) {
            *to = (enum profile)p;
            return true;
        }
    }
    return false;
}

/* Opcodes as slots of one table: one-byte opcodes first, then a page for each first byte that has a second opcode byte,
 * then the I/O instructions 9C-9F, of whose second byte only the last bit counts. */
enum { PAGE_B2 = 0x100, PAGE_E5 = 0x200, PAGE_IO = 0x300, SLOT_COUNT = PAGE_IO + 8 };
#define SLOT_OF_IO(first, second) (PAGE_IO + ((first)&3) * 2 + ((second)&1))
#define SLOT_OF(code)                                                                                                  \
    ((code) < 0x100         ? (code)                                                                                   \
     : (code) >> 8 == 0xB2  ? PAGE_B2 + ((code)&0xFF)                                                                  \
     : (code) >> 8 == 0xE5  ? PAGE_E5 + ((code)&0xFF)                                                                  \
     : (code) >> 10 == 0x27 ? SLOT_OF_IO((code) >> 8, code)                                                            \
                            : -1) /* no such page: does not compile */

static_assert(INSTRUCTION_COUNT < UINT8_MAX, "a slot is one byte: instruction id + 1, 0 where unassigned");
static const uint8_t slots[SLOT_COUNT] = {
#define INSTRUCTION(opcode, name_, ...) [SLOT_OF(opcode)] = INSTRUCTION_##name_ + 1,
#include "isa/instructions.def"
};

const struct instruction *instruction_decode(const uint8_t text[2]) {
    return instruction_decode_in(PROFILE_S370, text);
}

const struct instruction *instruction_decode_in(enum profile p, const uint8_t text[2]) {
    unsigned slot = text[0];
    switch (text[0]) {
    case 0xB2: slot = PAGE_B2 + text[1]; break;
    case 0xE5: slot = PAGE_E5 + text[1]; break;
    case 0x9C:
    case 0x9D:
    case 0x9E: slot = (unsigned)SLOT_OF_IO(text[0], text[1]); break;
    case 0x9F: slot = SLOT_OF_IO(0x9F, 0); break; /* TCH has no partner: its last bit is ignored too */
    default: break;
    }
    const struct instruction *i = slots[slot] ? &instruction_table[slots[slot] - 1] : NULL;
    return i && i->profile <= p ? i : NULL;
}

static char upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c; }

const struct instruction *instruction_find(const char *mnemonic) {
    for (unsigned id = 0; id < INSTRUCTION_COUNT; id++) {
        const char *a = instruction_table[id].mnemonic, *b = mnemonic;
        while (*a && *a == upper(*b)) {
            a++;
            b++;
        }
        if (!*a && !*b) {
            return &instruction_table[id];
        }
    }
    return NULL;
}

const char *instruction_operands(enum instruction_format format) {
    static const char *const operands[FORMAT_COUNT] = {
#define FORMAT_OPERANDS(id, length, text) [FORMAT_##id] = text,
        INSTRUCTION_FORMATS(FORMAT_OPERANDS)
#undef FORMAT_OPERANDS
    };
    return operands[format];
}

const char *instruction_cc_text(enum instruction_cc kind, unsigned cc) {
    static const char *const texts[CC_COUNT][4] = {
        [CC_NONE] = {"", "", "", ""},
        [CC_ARITHMETIC] = {"zero", "negative", "positive", "overflow"},
        [CC_SIGN] = {"zero", "negative", "positive", ""},
        [CC_CARRY] = {"zero, no carry", "not zero, no carry", "zero, carry", "not zero, carry"},
        [CC_LOGICAL] = {"zero", "not zero", "", ""},
        [CC_COMPARE] = {"equal", "first operand low", "first operand high", "destructive overlap"},
        [CC_MASK] = {"all zero", "mixed", "", "all one"},
        [CC_TEST] = {"zero or equal", "one or unequal", "", ""},
        [CC_SCAN] = {"none found", "found before the last byte", "found at the last byte", ""},
        [CC_EDIT] = {"last field zero", "last field negative", "last field positive", ""},
        [CC_CLOCK] = {"clock set", "clock not set or secure", "clock in error", "clock not operational"},
        [CC_LOADED] = {"loaded", "loaded", "loaded", "loaded"},
        [CC_TRANSLATION] = {"translated", "segment invalid", "page invalid", "length exceeded"},
        [CC_REFERENCE] = {"not referred to, not changed", "changed", "referred to", "referred to and changed"},
        [CC_PROTECTION] = {"fetch and store allowed", "fetch only", "no access", "not translated"},
        [CC_SIGNAL] = {"accepted", "status stored", "busy", "not operational"},
        [CC_IO] = {"started or available", "CSW stored", "busy", "not operational"},
    };
    return texts[kind][cc & 3];
}

/* A base and displacement: B in the first four bits, D in the other twelve. */
static void take_address(uint8_t *b, uint16_t *d, const uint8_t *at) {
    *b = at[0] >> 4;
    *d = (uint16_t)((at[0] & 0xF) << 8 | at[1]);
}

void instruction_take(struct instruction_fields *f, const struct instruction *i, const uint8_t text[6]) {
    const uint8_t high = text[1] >> 4, low = text[1] & 0xF;
    *f = (struct instruction_fields){0};
    switch ((enum instruction_format)i->format) {
    case FORMAT_RR_R1: f->r1 = high; break;
    case FORMAT_RR:
    case FORMAT_RR_MASK:
        f->r1 = high;
        f->r3 = low;
        break;
    case FORMAT_RR_SVC: f->i2 = text[1]; break;
    case FORMAT_RX:
    case FORMAT_RX_MASK:
    case FORMAT_RS:
    case FORMAT_RS_MASK:
        f->r1 = high;
        f->r3 = low;
        take_address(&f->b2, &f->d2, text + 2);
        break;
    case FORMAT_RS_SHIFT:
        f->r1 = high;
        take_address(&f->b2, &f->d2, text + 2);
        break;
    case FORMAT_SI:
        f->i2 = text[1];
        take_address(&f->b1, &f->d1, text + 2);
        break;
    case FORMAT_S: take_address(&f->b2, &f->d2, text + 2); break;
    case FORMAT_S_NONE: break;
    case FORMAT_RRE:
        f->r1 = text[3] >> 4;
        f->r3 = text[3] & 0xF;
        break;
    case FORMAT_SS_L:
        f->l1 = text[1];
        take_address(&f->b1, &f->d1, text + 2);
        take_address(&f->b2, &f->d2, text + 4);
        break;
    case FORMAT_SS_LL:
        f->l1 = high;
        f->l2 = low;
        take_address(&f->b1, &f->d1, text + 2);
        take_address(&f->b2, &f->d2, text + 4);
        break;
    case FORMAT_SS_LI:
        f->l1 = high;
        f->r3 = low;
        take_address(&f->b1, &f->d1, text + 2);
        take_address(&f->b2, &f->d2, text + 4);
        break;
    case FORMAT_SSE:
        take_address(&f->b1, &f->d1, text + 2);
        take_address(&f->b2, &f->d2, text + 4);
        break;
    case FORMAT_COUNT: assert(false); break;
    }
}

static void put_address(uint8_t *at, unsigned b, unsigned d) { bytes_put16(at, (uint16_t)(b << 12 | d)); }

void instruction_put(uint8_t text[6], const struct instruction *i, const struct instruction_fields *f) {
    assert(f->r1 < 16 && f->r3 < 16 && f->b1 < 16 && f->b2 < 16 && f->d1 < 4096 && f->d2 < 4096);
    if (i->code > 0xFF) {
        bytes_put16(text, i->code);
    } else {
        text[0] = (uint8_t)i->code;
        text[1] = (uint8_t)(f->r1 << 4 | f->r3); /* what most formats have there */
    }
    if (i->length == 4) {
        put_address(text + 2, f->b2, f->d2);
    } else if (i->length == 6) {
        put_address(text + 2, f->b1, f->d1);
        put_address(text + 4, f->b2, f->d2);
    }
    switch ((enum instruction_format)i->format) {
    case FORMAT_RR_SVC: text[1] = f->i2; break;
    case FORMAT_SI:
        text[1] = f->i2;
        put_address(text + 2, f->b1, f->d1);
        break;
    case FORMAT_RRE:
        text[2] = 0;
        text[3] = (uint8_t)(f->r1 << 4 | f->r3);
        break;
    case FORMAT_SS_L: text[1] = f->l1; break;
    case FORMAT_SS_LL: text[1] = (uint8_t)(f->l1 << 4 | f->l2); break;
    case FORMAT_SS_LI: text[1] = (uint8_t)(f->l1 << 4 | f->r3); break;
    default: break;
    }
}
