/* Cost models: how many cycles everything takes. A model is data, one named text file in isa/models/; the numbers of
 * the default, `s370`, and where they come from, are in docs/cost-models.md.
 *
 * The cost of an instruction is base + per_unit * units + per_doubleword * doublewords + taken (when it branches) +
 * refill (when it branches) + index (RX with both X2 and B2) + crossing (an operand crosses a doubleword boundary).
 * What its unit is, is the instruction's affair (instruction.h, enum instruction_unit); the numbers are the model's. */
#ifndef ISA_COST_H
#define ISA_COST_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "isa/instruction.h"

enum { CYCLE_PICOSECONDS = 115000 }; /* in every model */

struct cost_row {
    uint16_t base;
    uint16_t taken;                          /* more when a branch is taken, the refill included */
    uint16_t per_unit;                       /* for each `unit_size` units, started ones count */
    uint16_t unit_size;                      /* 1 or more */
    uint16_t per_doubleword;                 /* for each doubleword of storage touched, started ones count */
    uint16_t overlap_base, overlap_per_byte; /* MVC with operands closer than 8 bytes; both 0: no difference */
    bool unit_floor; /* units are divided downwards (shifts: n/8) instead of started ones counting */
};

struct cost_model {
    char name[32];
    uint16_t crossing;     /* X */
    uint16_t index;        /* IX */
    uint16_t interruption; /* the PSW swap, its refill included */
    uint16_t tlb_miss;     /* overhead of a TLB miss */
    uint16_t table_fetch;  /* each table entry fetched in a walk */
    uint16_t exception;    /* an instruction that ends with a program interruption, apart from the interruption */
    uint16_t completion;   /* the same where the instruction is completed and counts */
    /* What supervisors written in C or Lua are charged for their calls (isa/supervisor.h). */
    uint16_t register_access, storage_access, storage_doubleword;
    uint16_t interpretation; /* of an instruction by them, apart from what it refers to in storage */
    /* Device times, in cycles; multiples of 100. */
    uint64_t console_character, printer_line, reader_card;
    uint64_t disk_seek, disk_cylinder; /* moving the arm at all, and each cylinder of the way */
    uint64_t disk_latency, disk_block; /* waiting for the first block, and each block that passes */
    struct cost_row row[INSTRUCTION_COUNT];
};

/* Parses the text of a model file. False and *e (with the line) when it is malformed or a row is missing. */
bool cost_model_parse(struct cost_model *model, const char *file, const char *text, size_t length, struct error *e);
/* Loads one of the models built in, by name. False and *e, naming those there are, when there is none. */
bool cost_model_find(struct cost_model *model, const char *name, struct error *e);
/* The names of the models built in, in order; NULL past the last. */
const char *cost_model_name(size_t index);

/* units in cost_row's sense -> cycles. */
static inline uint32_t cost_units(const struct cost_row *r, uint32_t units) {
    return r->per_unit * ((units + (r->unit_floor ? 0u : r->unit_size - 1u)) / r->unit_size);
}

/* The cycles of an instruction as far as its text alone decides: base, index, and units of UNIT_REGISTERS, UNIT_MASK
 * and the lengths (MVC as if its operands did not overlap). What depends on registers or storage the executor adds:
 * units of UNIT_SHIFT (also where B2 is 0) and UNIT_PROCESSED, taken, doublewords, crossing. Looks at no more bytes of
 * text than the instruction has. */
uint32_t cost_static(const struct cost_model *model, const struct instruction *i, const uint8_t text[6]);

#endif
