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

#include "base/archive.h"
#include "base/bytes.h"
#include "base/error.h"
#include "isa/cells.h"
#include "isa/clock.h"
#include "isa/instruction.h"
#include "isa/machine.h"
#include "isa/window.h"

struct supervisor;

struct supervisor_ops {
    /* Handles one interruption of class c and returns the real address of the PSW to load, which is SUPERVISOR_PSW: the
     * LPSW is the only one there is, a tail action, when the activation has already ended. Nothing to run: an enabled
     * wait; everything stopped: a disabled wait, which so travels down to the bare machine. On entry the general
     * registers are the interrupted program's; it saves them first, and sets those of whom it dispatches before it
     * returns. Above the bare machine it may be suspended in any call below, and dropped there: across a call it owns
     * no heap, lock or file. */
    uint32_t (*interrupt)(void *self, struct processor *p, enum interruption_class c);
    /* Saves or restores what it keeps between activations; none is in progress. What is loaded is checked: it may be
     * forged. NULL: its machine cannot be saved. */
    void (*archive)(void *self, struct archive *a);
    /* Its n-th virtual machine, from 0; NULL: there are no more. May be NULL: it makes none. */
    struct machine *(*machine)(void *self, unsigned n);
};

/* Makes `ops` with `self` the supervisor of m, bare or virtual: writes cells and new PSWs (EC mode, supervisor, DAT
 * off, masks off) into m's page 0. m must be reset, not started. NULL and *e when it was started, already has one, or
 * there is no memory. ops and self are borrowed until supervisor_detach, which must come before self goes away. */
struct supervisor *supervisor_attach(struct machine *m, const struct supervisor_ops *ops, void *self, struct error *e);
void supervisor_detach(struct supervisor *s);
/* Lets another CPU of the machine enter the supervisor, too: writes cells and new PSWs into the 4 KB page at `page`,
 * real (under CPU 0's prefix), and makes it that CPU's page 0: its prefix register is set. The CPU remains stopped
 * until the supervisor restarts it (CELL_SIGP); that is its first activation, of class restart. The machine must not
 * have been started. False and *e when there is no such CPU, it is enabled already, or the page is not a whole one,
 * outside of storage, or another CPU's. Activations of one supervisor are serialised: a CPU that interrupts while there
 * is one on another CPU waits for its end, and this is idle time. `self` needs no locks. Only a restart of CPU 0, which
 * is that of the machine, does not wait: it drops what is suspended, wherever. */
bool supervisor_enable_cpu(struct supervisor *s, unsigned cpu, uint32_t page, struct error *e);
/* Activations so far by class; "traps" of a monitor are all but restarts. */
uint64_t supervisor_activations(const struct supervisor *s, enum interruption_class c);

/* ---- The supervisor's instructions: executed by the CPU, charged, interruptible. Only inside `interrupt`. The
 * processor is the one that was given to it, and means the present one, should the activation have been continued on
 * another. ---- */

/* The address of the CPU, of the supervisor's own machine, that this activation is on: 0 or one that was enabled. */
unsigned processor_address(struct processor *p);
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

/* ---- Interpretation of a virtual machine's instruction ---- */

/* The virtual CPU before and after. */
struct interpreted {
    struct psw psw;
    uint32_t gpr[16], cr[16];                   /* control registers are only read */
    unsigned ilc;                               /* out: bytes */
    unsigned code;                              /* out: of the program interruption; the SVC's number */
    bool completed;                             /* out: it was retired; false also when a long one has done a part */
    uint32_t translation_address, monitor_code; /* out: of a program interruption */
    uint8_t monitor_class;
    bool limit; /* out: vm has now done as much as the run is limited to, as with processor_retire */
};
enum interpreted_end {
    INTERPRETED_DONE,    /* the PSW is that after it; a long one (MVCL, CLCL) may have done a part, and goes on there */
    INTERPRETED_SVC,     /* completed, and an interruption is due; the PSW is the one to store */
    INTERPRETED_PROGRAM, /* so does this end, completed or not */
    INTERPRETED_NEEDS,   /* nothing was changed: w->need is to be brought or refused, and the call repeated */
    INTERPRETED_RESOURCE, /* not executed: it is privileged, or STCK, and acts on more than `interpreted` holds */
    INTERPRETED_CALL,     /* not executed: a CALL, the entry into a supervisor in C, which only a CPU can execute */
    INTERPRETED_NOTHING,  /* not executed: the run is to stop in front of it; `limit` is set */
};
/* Executes one instruction of vm, by the functions of the instruction table that the CPU executes it by, on a processor
 * that is apart from the machine, with the window `w` for its storage. In problem state a privileged one is a
 * privileged-operation exception. When it has come to an end (the first three), it is counted as by processor_retire,
 * and the path length of an interpreter written in instructions is charged. */
enum interpreted_end processor_interpret(struct processor *p, struct machine *vm, struct interpreted *i,
                                         struct window *w);

/* ---- Telling the books who runs: accounting only, never execution. ---- */

/* This CPU of the virtual machine `vm` is about to run on the CPU that the activation is on: call right before
 * returning from `interrupt`. The next interruption of the supervisor's machine on that CPU ends it. */
void processor_running(struct processor *p, struct machine *vm, unsigned cpu);
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
/* An interruption of class c was reflected to this CPU of `vm`: counts it, and ends the run of vm's own guest there. As
 * with processor_retire, true when vm has now done as much as the run is limited to. */
bool processor_reflected(struct processor *p, struct machine *vm, unsigned cpu, enum interruption_class c);
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
    void (*set_key)(void *self, uint32_t real, uint8_t key);
    unsigned (*cpus)(void *self);
    void (*state)(void *self, unsigned cpu, struct machine_state *to);
    void (*set_state)(void *self, unsigned cpu, const struct machine_state *from); /* NULL: it is only seen */
    enum machine_cpu_status (*cpu_status)(void *self, unsigned cpu);
    void (*raise)(void *self, enum machine_condition c);
    /* Takes effect at the VM's start: psw is NULL for a true restart interruption. */
    void (*start)(void *self, const uint8_t *psw);
    struct channel_set *(*channels)(void *self); /* NULL: its devices are those of its host */
    /* Initial CPU reset, and I/O reset; general registers stay. Of a machine that is only seen: NULL. */
    void (*reset)(void *self);
    /* Of a machine that is only seen; NULL for others. Whether it was started; how it is, as far as it alone is
     * concerned; and what its host's program has done for it since this was last asked with `told`: it returns the
     * instructions that were interpreted, and adds the interruptions that were reflected. */
    bool (*started)(void *self);
    enum machine_status (*status)(void *self);
    uint64_t (*witnessed)(void *self, bool told, uint64_t interruptions[INTERRUPTION_CLASSES]);
};
/* A virtual machine on `host`. NULL: no memory, or deeper than MACHINE_LEVELS. Freed with machine_free_virtual. */
struct machine *machine_new_virtual(struct machine *host, const struct machine_ops *ops, void *self, const char *name,
                                    uint32_t memory_bytes, struct error *e);
void machine_free_virtual(struct machine *m);
/* Attaches the devices that every machine has to m's channels; `s` must be gone before m is. Lines as for console_new
 * and printer_new; a console line is also an event of the trace. False: no memory. */
bool machine_attach_devices(struct machine *m, struct channel_set *s, device_line *console_line,
                            device_line *printer_line, void *self, bool forget);
/* The `self` of a virtual machine made with these ops; NULL for any other machine. */
void *machine_virtual_self(const struct machine *m, const struct machine_ops *ops);
/* The `self` of m's supervisor, where it has these ops; NULL: it has none, or another. */
void *machine_supervisor_self(const struct machine *m, const struct supervisor_ops *ops);
/* The n-th machine of the tree that has a supervisor, in the order in which they were attached; NULL: there are no
 * more.
 */
struct machine *machine_supervised(const struct machine *m, unsigned n);
/* A witness of the program of a machine that is a hypervisor which publishes whom it runs. For the books alone. */
struct witness_ops {
    /* Asked when the machine gets control in problem state: the virtual machine, on it, to which the program has given
     * it; NULL: none that is known. It only looks. What the program has done for that machine (machine_ops.witnessed)
     * is then counted, so that counts are brought up to date at moments that are decided by the run alone. */
    struct machine *(*running)(void *self);
    /* Its n-th virtual machine, from 0; NULL: there are no more. */
    struct machine *(*machine)(void *self, unsigned n);
    /* Saves or restores what it keeps; what is loaded is checked. */
    void (*archive)(void *self, struct archive *a);
};
/* Sets m's witness; ops and self are borrowed. False and *e when m has one, or a supervisor: a machine has one program.
 * NULL: none any more, which always works. */
bool machine_set_witness(struct machine *m, const struct witness_ops *ops, void *self, struct error *e);
/* The `self` of m's witness, where it has these ops; NULL: it has none, or another. */
void *machine_witness_self(const struct machine *m, const struct witness_ops *ops);
/* Whether this CPU of m is on a CPU of the bare machine now, it and every machine below it in the chain of running
 * ones, and the LPSW that gave it control has been executed: then its general registers, condition code, program mask
 * and instruction address are the bare CPU's, with which machine_live_state overwrites those in *to. */
bool machine_is_live(const struct machine *m, unsigned cpu);
void machine_live_state(const struct machine *m, unsigned cpu, struct machine_state *to);
/* Peeks or pokes for a virtual machine whose pages of 4 KB are pages of its host: `host` answers with the host's real
 * address for a real address of the machine, under its prefix; -1: not installed. ACCESS_ADDRESSING, and nothing
 * transferred, when not all of it is there. `bytes` are only read when they are poked. */
struct machine_pages {
    int64_t (*host)(const void *self, uint32_t real);
    const void *self;
};
enum access machine_move(struct machine *host, const struct machine_pages *pages, uint32_t real, void *bytes,
                         uint32_t length, bool poke);

#endif
