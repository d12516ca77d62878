/* The instruction table as data: find an instruction by its bytes or by its mnemonic, and take its fields apart.
 *
 * Everything that has to know instructions without executing them stands on this header: assembler, disassembler,
 * monitors' interpreters, classifier, docs, terminal UI. The rows are in isa/instructions.def. */
#ifndef ISA_INSTRUCTION_H
#define ISA_INSTRUCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One row a format: enumerator, length in bytes, the assembler's operands.
 *   R1 R2 R3 register; M1 M3 mask 0-15; I2 I3 I immediate; DXB2 = D2(X2,B2); DB1 DB2 = D(B); DLB1 = D1(L,B1), one
 *   length field of 8 bits; DLB1s DLB2s = D(L,B) with lengths of 4 bits. */
#define INSTRUCTION_FORMATS(FORMAT)                                                                                    \
    FORMAT(RR, 2, "R1,R2")                                                                                             \
    FORMAT(RR_R1, 2, "R1")                                                                                             \
    FORMAT(RR_MASK, 2, "M1,R2")                                                                                        \
    FORMAT(RR_SVC, 2, "I")                                                                                             \
    FORMAT(RX, 4, "R1,DXB2")                                                                                           \
    FORMAT(RX_MASK, 4, "M1,DXB2")                                                                                      \
    FORMAT(RS, 4, "R1,R3,DB2")                                                                                         \
    FORMAT(RS_MASK, 4, "R1,M3,DB2")                                                                                    \
    FORMAT(RS_SHIFT, 4, "R1,DB2")                                                                                      \
    FORMAT(SI, 4, "DB1,I2")                                                                                            \
    FORMAT(S, 4, "DB2")                                                                                                \
    FORMAT(S_NONE, 4, "")                                                                                              \
    FORMAT(RRE, 4, "R1,R2")                                                                                            \
    FORMAT(SS_L, 6, "DLB1,DB2")                                                                                        \
    FORMAT(SS_LL, 6, "DLB1s,DLB2s")                                                                                    \
    FORMAT(SS_LI, 6, "DLB1s,DB2,I3")                                                                                   \
    FORMAT(SSE, 6, "DB1,DB2")

enum instruction_format {
#define FORMAT_ENUM(id, ...) FORMAT_##id,
    INSTRUCTION_FORMATS(FORMAT_ENUM)
#undef FORMAT_ENUM
        FORMAT_COUNT
};

/* What the condition code means after the instruction; the texts for 0..3 are instruction_cc_text's. */
enum instruction_cc {
    CC_NONE,        /* unchanged */
    CC_ARITHMETIC,  /* zero, negative, positive, overflow */
    CC_SIGN,        /* zero, negative, positive, - */
    CC_CARRY,       /* zero no carry, not zero no carry, zero carry, not zero carry */
    CC_LOGICAL,     /* zero, not zero, -, - */
    CC_COMPARE,     /* equal, first low, first high, (MVCL: overlap) */
    CC_MASK,        /* all zero, mixed, -, all one */
    CC_TEST,        /* zero or equal, one or unequal, -, - */
    CC_SCAN,        /* none found, found, found at the last byte, - */
    CC_EDIT,        /* last field zero, negative, positive, - */
    CC_CLOCK,       /* set, not set or secure, error, not operational */
    CC_LOADED,      /* loaded */
    CC_TRANSLATION, /* translated, segment invalid, page invalid, length exceeded */
    CC_REFERENCE,   /* 2 x reference bit + change bit, as they were */
    CC_PROTECTION,  /* fetch and store, fetch only, neither, not translated */
    CC_SIGNAL,      /* accepted, status stored, busy, not operational */
    CC_IO,          /* started or available, CSW stored, busy, not operational */
    CC_COUNT
};

/* Popek and Goldberg's classes (1974). */
enum instruction_class {
    CLASS_INNOCUOUS = 0,
    CLASS_CONTROL = 1,   /* control-sensitive: changes mode, relocation or resources */
    CLASS_BEHAVIOUR = 2, /* behaviour-sensitive: its effect depends on mode, relocation or location */
    CLASS_TRAPS = 4,     /* traps in either state, on purpose */
};

/* What the cost of an instruction grows with: isa/cost.h. */
enum instruction_unit {
    UNIT_NONE,
    UNIT_SHIFT,     /* the shift amount */
    UNIT_REGISTERS, /* registers loaded or stored */
    UNIT_MASK,      /* bytes that the mask selects */
    UNIT_LENGTH,    /* bytes of the 8-bit length */
    UNIT_LENGTH1,   /* bytes of the first operand, 4-bit length */
    UNIT_LENGTHS,   /* bytes of both operands, 4-bit lengths */
    UNIT_PAIRS,     /* length of the first operand times length of the second */
    UNIT_PROCESSED, /* bytes really compared, moved or examined */
};

/* Names every instruction: INSTRUCTION_LPSW, …; also the index into the table. Those of the profile `flawed` alone are
 * the last ones. */
enum instruction_id {
#define INSTRUCTION(code, mnemonic, ...) INSTRUCTION_##mnemonic,
#include "isa/instructions.def"
    INSTRUCTION_COUNT,
    INSTRUCTION_S370_COUNT = INSTRUCTION_RTU
};

/* Which instructions a machine has. */
enum profile {
    PROFILE_S370,   /* System/370's: what is sensitive is privileged */
    PROFILE_FLAWED, /* and three that are sensitive and not privileged */
    PROFILE_COUNT
};
/* "s370", "flawed"; and back: false when there is no such profile. */
const char *profile_name(enum profile p);
bool profile_find(const char *name, enum profile *to);

struct instruction {
    uint16_t code;  /* 0x18 or 0xB205 */
    uint8_t format; /* enum instruction_format */
    uint8_t length; /* bytes */
    uint8_t cc;     /* enum instruction_cc */
    uint8_t class;  /* enum instruction_class, OR-ed */
    uint8_t unit;   /* enum instruction_unit */
    bool privileged;
    uint8_t profile;                      /* enum profile: the first that has it */
    const char *mnemonic, *name, *reason; /* reason: "" where the class needs none */
};

extern const struct instruction instruction_table[INSTRUCTION_COUNT];

/* The instruction that these bytes begin with (two bytes are looked at), or NULL when the opcode is unassigned: of
 * System/370, and of a profile. */
const struct instruction *instruction_decode(const uint8_t text[2]);
const struct instruction *instruction_decode_in(enum profile p, const uint8_t text[2]);
/* By mnemonic, either case, of any profile; NULL when there is none. */
const struct instruction *instruction_find(const char *mnemonic);
static inline enum instruction_id instruction_id(const struct instruction *i) {
    return (enum instruction_id)(i - instruction_table);
}
/* Length in bytes, 2, 4 or 6, from the first byte alone; also for unassigned opcodes. */
static inline unsigned instruction_length(uint8_t first) { return first < 0x40 ? 2 : first < 0xC0 ? 4 : 6; }
/* The assembler's operands of a format, in the notation above. */
const char *instruction_operands(enum instruction_format format);
/* What condition code `cc` (0..3) says; "" where it cannot occur. */
const char *instruction_cc_text(enum instruction_cc kind, unsigned cc);

/* The fields of an instruction, whatever its format; fields that the format lacks are 0. */
struct instruction_fields {
    uint8_t r1;     /* R1 or M1 */
    uint8_t r3;     /* R3, M3, I3, R2 of RR and RRE, or X2 */
    uint8_t i2;     /* immediate or SVC number */
    uint8_t l1, l2; /* length fields as coded: bytes - 1 */
    uint8_t b1, b2;
    uint16_t d1, d2;
};
void instruction_take(struct instruction_fields *f, const struct instruction *i, const uint8_t text[6]);
/* The other way: writes the instruction's i->length bytes at text, ignored bits 0. */
void instruction_put(uint8_t text[6], const struct instruction *i, const struct instruction_fields *f);

#endif
