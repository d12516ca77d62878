/* Supervisors written in C (or Lua) are programs of their machine (docs/architecture.md).
 *
 * An operating system or a monitor in assembler lives in its machine's storage and is entered by interruptions. One
 * written in C is entered in the same way: supervisor_attach writes a few cells into its machine's page 0, once, and
 * new PSWs that point to them. A cell is the instruction CALL, which enters the C code; everything privileged that the
 * C code does is done by real instructions in further cells, executed by the CPU under its current PSW. So the same
 * supervisor runs on the bare machine, on any monitor, and under a hypervisor in assembler, and cannot tell which.
 *
 * CALL is X'B2FE', a halfword (supervisor number x 8 + class), and an 8-byte key: 12 bytes, all of them instruction. It
 * is unprivileged, takes no cycles, is never counted; with a number and key that are not registered, or under EXECUTE,
 * it is an operation exception. */
#ifndef ISA_SUPERVISOR_H
#define ISA_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "isa/instruction.h"
#include "isa/machine.h"

struct supervisor;

struct supervisor_ops {
    /* Handles one interruption of class c and returns the real address of the PSW to load, which is SUPERVISOR_PSW: the
     * LPSW is the only one there is, a tail action, when the activation has already ended. Nothing to run: an enabled
     * wait; everything stopped: a disabled wait, which so travels down to the bare machine. On entry the general
     * registers are the interrupted program's; it saves them first, and sets those of whom it dispatches before it
     * returns. Above the bare machine it may be suspended in any call below, and dropped there: across a call it owns
     * no heap, lock or file. */
    uint32_t (*interrupt)(void *self, struct processor *p, enum interruption_class c);
    /* Append the supervisor's state, and take it back; 0, or -1 for a damaged record. NULL: it has none to bring. */
    int (*save)(void *self, struct bytes *to);
    int (*restore)(void *self, const struct bytes *from);
};

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
    CELL(STIDC, 4, 0xB2, 0x03, 0x30, 0x00)

enum supervisor_cell {
#define SUPERVISOR_CELL_ENUM(id, ...) CELL_##id,
    SUPERVISOR_CELLS_TABLE(SUPERVISOR_CELL_ENUM)
#undef SUPERVISOR_CELL_ENUM
        CELL_COUNT
};

/* Makes `ops` with `self` the supervisor of m, bare or virtual: writes cells and new PSWs (EC mode, supervisor, DAT
 * off, masks off) into m's page 0. m must be reset, not started. NULL and *e when it was started, already has one, or
 * there is no memory. ops and self are borrowed until supervisor_detach, which must come before self goes away. */
struct supervisor *supervisor_attach(struct machine *m, const struct supervisor_ops *ops, void *self, struct error *e);
void supervisor_detach(struct supervisor *s);
struct machine *supervisor_machine(const struct supervisor *s);
/* Activations so far by class; "traps" of a monitor are all but restarts. */
uint64_t supervisor_activations(const struct supervisor *s, enum interruption_class c);

/* ---- The supervisor's instructions: executed by the CPU, charged, interruptible. Only inside `interrupt`. ---- */

/* General register n, 0..15. Charged: a register access. */
uint32_t processor_gpr(struct processor *p, unsigned n);
void processor_set_gpr(struct processor *p, unsigned n, uint32_t value);
/* All sixteen. Charged: sixteen accesses. */
void processor_gprs(struct processor *p, uint32_t to[16]);
void processor_set_gprs(struct processor *p, const uint32_t from[16]);
/* Moves 1..256 bytes from or to real storage of the supervisor's own machine, with key 0. Both pages are checked first;
 * reference and change bits are set. A fault in a lower level's shadow is handled there and the call retried: the
 * caller sees nothing. ACCESS_ADDRESSING: not installed, nothing moved. Charged: a storage access, and per doubleword.
 */
enum access processor_fetch(struct processor *p, uint32_t real, void *to, uint32_t length);
enum access processor_store(struct processor *p, uint32_t real, const void *from, uint32_t length);
/* Executes the privileged instruction of a cell. Returns 0, with its condition code in *cc (may be NULL), or the
 * program code with which it ended. Cells that would enable interruptions do not exist. Charged: what the instruction
 * costs. */
unsigned processor_execute(struct processor *p, enum supervisor_cell cell, unsigned *cc);
/* Charges more path length of this supervisor. */
void processor_charge(struct processor *p, uint32_t cycles, enum cycle_cause cause);
/* What the charges of the calls are booked under from now on, in this activation. */
void processor_cause(struct processor *p, enum cycle_cause cause);

/* ---- Telling the books who runs: accounting only, never execution. ---- */

/* The virtual machine `vm` is about to run: call right before returning from `interrupt`. The next interruption of the
 * supervisor's machine ends it. */
void processor_running(struct processor *p, struct machine *vm);
/* `vm` retired an instruction that its monitor interpreted: counts it and moves the nominal clocks of vm and the
 * machines below by its cost. `execute`: the text of the EXECUTE whose target it was, NULL: none; both count as one
 * instruction and cost what both do. `doublewords` of storage its operand touched (LCTL costs by them; elsewhere more
 * than one is a crossing); RETIRE_EXCEPTION: it was completed and ended with a program interruption, and costs what
 * those cost. A machine with a supervisor of its own in C is that supervisor, whose instructions are a monitor's and
 * not counted. True when vm has now done as much as the run is limited to: its monitor gives it nothing more in this
 * activation, so that it stops where it would stop bare. */
bool processor_retire(struct processor *p, struct machine *vm, const uint8_t text[6], const uint8_t *execute,
                      uint32_t doublewords);
#define RETIRE_EXCEPTION UINT32_MAX
/* An interruption of class c was reflected to `vm`: counts it, and ends the run of vm's own guest. */
void processor_reflected(struct processor *p, struct machine *vm, enum interruption_class c);
/* The virtual machine stopped, or is ready again. */
void processor_stopped(struct processor *p, struct machine *vm, enum machine_status s);
/* An event of this supervisor, for the trace; level and cycle are filled in. Costs nothing. */
void processor_trace(struct processor *p, enum trace_kind kind, uint64_t a, uint64_t b, uint64_t c, const char *text);

/* ---- How a monitor presents its virtual machine as a machine (isa/machine.h). ---- */

struct machine_ops {
    /* As the functions of the same names; real addresses are vm's. */
    enum access (*peek)(void *self, uint32_t real, void *to, uint32_t length);
    enum access (*poke)(void *self, uint32_t real, const void *from, uint32_t length);
    int (*key)(void *self, uint32_t real);
    void (*state)(void *self, struct machine_state *to);
    void (*set_state)(void *self, const struct machine_state *from);
    void (*raise)(void *self, enum machine_condition c);
    /* Takes effect at the VM's start: psw is NULL for a true restart interruption. */
    void (*start)(void *self, const uint8_t *psw);
    struct device *(*device)(void *self, uint16_t address);
};
/* A virtual machine on `host`. NULL: no memory, or deeper than MACHINE_LEVELS. Freed with machine_free_virtual. */
struct machine *machine_new_virtual(struct machine *host, const struct machine_ops *ops, void *self, const char *name,
                                    uint32_t memory_bytes, struct error *e);
void machine_free_virtual(struct machine *m);
/* Attaches the devices that every machine has to m's channels; `s` must be gone before m is. Lines as for console_new
 * and printer_new; a console line is also an event of the trace. False: no memory. */
bool machine_attach_devices(struct machine *m, struct channel_set *s, device_line *console_line,
                            device_line *printer_line, void *self);
/* The `self` of a virtual machine made with these ops; NULL for any other machine. */
void *machine_virtual_self(const struct machine *m, const struct machine_ops *ops);
/* Whether m is on the CPU now: it and every machine above it in the chain of running ones. */
bool machine_is_running(const struct machine *m);
/* And the LPSW that gave it control has been executed: then its general registers, condition code and instruction
 * address are the CPU's, read with these. */
bool machine_is_live(const struct machine *m);
void machine_live_gprs(const struct machine *m, uint32_t to[16]);
void machine_live_psw(const struct machine *m, struct psw *to);

/* Clocks. TOD units (bit 63 = 1/4096 us) after n cycles, rounded down, and the cycle that a reading belongs to:
 * strictly increasing, so the second undoes the first (docs/cost-models.md). */
static inline uint64_t clock_units(uint64_t cycles) { return cycles / 100 * 47104 + cycles % 100 * 47104 / 100; }
static inline uint64_t clock_cycles(uint64_t units) {
    return units / 47104 * 100 + (units % 47104 * 100 + 47103) / 47104;
}

/* Ticks of the interval timer, 300 a second, in the first n cycles, and the first cycle with that many. */
static inline uint64_t clock_ticks(uint64_t cycles) { return cycles / 2000000 * 69 + cycles % 2000000 * 69 / 2000000; }
static inline uint64_t clock_tick_at(uint64_t ticks) { return ticks / 69 * 2000000 + (ticks % 69 * 2000000 + 68) / 69; }

#endif
