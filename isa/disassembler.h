/* The disassembler: one instruction, or a whole image, as assembler source that reassembles to the same bytes. */
#ifndef ISA_DISASSEMBLER_H
#define ISA_DISASSEMBLER_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "isa/instruction.h"

enum { DISASSEMBLER_TEXT = 64 };

/* Writes the instruction at text (length available bytes, at least 2) as `LM    14,12,12(13)`: mnemonic padded to 5, a
 * space, operands with numbers only; extended mnemonics are not used. What is not an instruction, is cut off, or has
 * ignored bits set that the assembler would make 0, becomes `DC    X'B2FF'`. Returns the bytes consumed: 2, 4 or 6,
 * never more than length. Costs a table look-up. */
unsigned disassemble(char to[DISASSEMBLER_TEXT], const uint8_t *text, size_t length);
/* The same with the instructions of a profile. */
unsigned disassemble_in(enum profile p, char to[DISASSEMBLER_TEXT], const uint8_t *text, size_t length);

/* Appends a whole image as source: ORG to `at`, then a line an instruction with address and bytes in the remarks field.
 * Reassembled, it gives the same bytes at the same address. */
void disassemble_image(struct bytes *to, enum profile p, const uint8_t *image, size_t length, uint32_t at);

#endif
