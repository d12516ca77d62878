/* Cells: where a supervisor written in C keeps, in page 0 of its machine, the few real instructions that do everything
 * privileged for it (isa/supervisor.h). */
#ifndef ISA_CELLS_H
#define ISA_CELLS_H

/* Layout of page 0 from 512 on. The areas are operands of the cells; the rest of the page is the supervisor's own. */
enum supervisor_layout {
    SUPERVISOR_CALLS = 0x200,   /* 6 call cells and the continue cell, 12 bytes each */
    SUPERVISOR_LPSW = 0x258,    /* LPSW SUPERVISOR_PSW */
    SUPERVISOR_CELLS = 0x280,   /* instruction cells, 16 bytes each: the instruction, then a continue cell */
    SUPERVISOR_PSW = 0xE00,     /* operand of LPSW */
    SUPERVISOR_CLOCK = 0xE08,   /* operand of the clock and timer cells, STIDP, STPX, STAP, SPX */
    SUPERVISOR_CONTROL = 0xE40, /* 16 words: CR n lies at SUPERVISOR_CONTROL + 4 n */
};

/* The privileged instructions that a supervisor can execute: one row a cell, enumerator and text. Operands are in the
 * areas, or in registers 0-3: a storage operand that is an address by itself is based on register 3. */
#define SUPERVISOR_CELLS_TABLE(CELL)                                                                                   \
    CELL(LCTL_0_1, 4, 0xB7, 0x01, 0x0E, 0x40)  /* LCTL 0,1: both in one, so no mixture is ever in force */             \
    CELL(LCTL_0, 4, 0xB7, 0x00, 0x0E, 0x40)    /* LCTL 0,0 */                                                          \
    CELL(LCTL_8, 4, 0xB7, 0x88, 0x0E, 0x60)    /* LCTL 8,8: monitor masks */                                           \
    CELL(LCTL_ALL, 4, 0xB7, 0x0F, 0x0E, 0x40)  /* LCTL 0,15 */                                                         \
    CELL(STCTL_ALL, 4, 0xB6, 0x0F, 0x0E, 0x40) /* STCTL 0,15 */                                                        \
    CELL(PTLB, 4, 0xB2, 0x0D, 0x00, 0x00)                                                                              \
    CELL(IPTE, 4, 0xB2, 0x21, 0x00, 0x01) /* IPTE 0,1: R0 page-table origin, R1 virtual address */                     \
    CELL(SPT, 4, 0xB2, 0x08, 0x0E, 0x08)                                                                               \
    CELL(STPT, 4, 0xB2, 0x09, 0x0E, 0x08)                                                                              \
    CELL(STCK, 4, 0xB2, 0x05, 0x0E, 0x08)                                                                              \
    CELL(SCKC, 4, 0xB2, 0x06, 0x0E, 0x08)                                                                              \
    CELL(STCKC, 4, 0xB2, 0x07, 0x0E, 0x08)                                                                             \
    CELL(SCK, 4, 0xB2, 0x04, 0x0E, 0x08)                                                                               \
    CELL(STIDP, 4, 0xB2, 0x02, 0x0E, 0x08)                                                                             \
    CELL(STAP, 4, 0xB2, 0x12, 0x0E, 0x08)                                                                              \
    CELL(SPX, 4, 0xB2, 0x10, 0x0E, 0x08)                                                                               \
    CELL(STPX, 4, 0xB2, 0x11, 0x0E, 0x08)                                                                              \
    CELL(SSK, 2, 0x08, 0x01, 0x00, 0x00) /* SSK 0,1: R0 key, R1 real address */                                        \
    CELL(ISK, 2, 0x09, 0x01, 0x00, 0x00) /* ISK 0,1 */                                                                 \
    CELL(RRB, 4, 0xB2, 0x13, 0x30, 0x00) /* RRB 0(3) */                                                                \
    CELL(LRA, 4, 0xB1, 0x00, 0x30, 0x00) /* LRA 0,0(3) */                                                              \
    CELL(SPKA, 4, 0xB2, 0x0A, 0x30, 0x00)                                                                              \
    CELL(SIO, 4, 0x9C, 0x00, 0x30, 0x00)                                                                               \
    CELL(SIOF, 4, 0x9C, 0x01, 0x30, 0x00)                                                                              \
    CELL(TIO, 4, 0x9D, 0x00, 0x30, 0x00)                                                                               \
    CELL(CLRIO, 4, 0x9D, 0x01, 0x30, 0x00)                                                                             \
    CELL(HIO, 4, 0x9E, 0x00, 0x30, 0x00)                                                                               \
    CELL(HDV, 4, 0x9E, 0x01, 0x30, 0x00)                                                                               \
    CELL(TCH, 4, 0x9F, 0x00, 0x30, 0x00)                                                                               \
    CELL(STIDC, 4, 0xB2, 0x03, 0x30, 0x00)                                                                             \
    CELL(SIGP, 4, 0xAE, 0x01, 0x30, 0x00) /* SIGP 0,1,0(3): R0 status, R1 CPU address and parameter, R3 order */

enum supervisor_cell {
#define SUPERVISOR_CELL_ENUM(id, ...) CELL_##id,
    SUPERVISOR_CELLS_TABLE(SUPERVISOR_CELL_ENUM)
#undef SUPERVISOR_CELL_ENUM
        CELL_COUNT
};

#endif
