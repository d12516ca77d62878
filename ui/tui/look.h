/* What several panes ask of a machine: its instructions, their operands, its storage as its program addresses it, names
 * of addresses, PSWs in words. Looking changes nothing. */
#ifndef UI_TUI_LOOK_H
#define UI_TUI_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "isa/instruction.h"
#include "isa/machine.h"
#include "ui/tui/tui.h"

/* Bytes at an address as the program has it: virtual with DAT on, else real. How many of them can be reached. */
unsigned look_storage(struct machine *m, const struct machine_state *state, uint32_t address, uint8_t *to,
                      unsigned length);

/* An instruction's storage operand, or where it branches to. */
struct look_operand {
    uint32_t address; /* as the program has it */
    uint32_t length;  /* bytes; 0: it is only an address */
    bool branch;
};
enum { LOOK_OPERANDS = 2 };
/* Of the instruction whose bytes these are, were it executed in this state: how many. */
unsigned look_operands(const struct machine_state *state, const struct instruction *i, const uint8_t text[6],
                       struct look_operand to[LOOK_OPERANDS]);

/* "LOOP", "LOOP+4"; "" where no program has a label before the address, or not near. */
enum { LOOK_NAME = 40, LOOK_LINE = 64 };
const char *look_name(struct tui *t, struct machine *m, uint32_t address, char to[LOOK_NAME]);

/* The instruction at an address, as its source has it without label and remarks, or disassembled; "" where storage
 * cannot be reached. NULL: it is none. Where the present translation does not lead there, the address is real. */
const struct instruction *look_instruction(struct tui *t, struct machine *m, uint32_t address, char to[LOOK_LINE]);

/* Cycles in few columns: "+564", "+27.6M". */
enum { LOOK_CYCLES = 12 };
const char *look_cycles(uint64_t cycles, char to[LOOK_CYCLES]);

/* "EC problem DAT key 0 cc 2 at 000246"; with `words` "EC mode, problem state, DAT on, key 0, cc 2, at 000246". */
enum { LOOK_PSW = 96 };
const char *look_psw(const struct psw *psw, bool words, char to[LOOK_PSW]);

/* Where the PSWs of each class of interruption are stored, and loaded from. */
struct look_place {
    uint16_t old_psw, new_psw;
};
extern const struct look_place look_places[INTERRUPTION_CLASSES];

/* What the architecture keeps at a real address of page 0, or NULL: "program old PSW". */
const char *look_low(uint32_t real);

/* Its real page in the machine below; -1: it has none. */
int64_t look_frame(const struct machine *m, uint32_t real);

/* Sets a pane to an address, or with "rN" or "follow rN" to what a register has from moment to moment (number). */
bool look_set(struct tui *t, struct pane *p, const char *arguments, struct error *e);
/* What it is set to: false: to nothing. */
bool look_at(struct tui *t, const struct pane *p, uint32_t *to);

#endif
