/* Machines, seen from outside: the bare machine, and the virtual machines that monitors make on it, through one face.
 *
 * This is the view of the terminal UI, of Lua and of the checkers: it costs no cycles, causes no faults and leaves
 * reference and change bits alone, so that looking changes nothing. It is forbidden to supervisors, which are programs
 * of their machine and use isa/supervisor.h. */
#ifndef ISA_MACHINE_H
#define ISA_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/trace.h"
#include "isa/channel.h"
#include "isa/codes.h"
#include "isa/cost.h"
#include "isa/instruction.h"
#include "isa/psw.h"
#include "mmu/dat.h"
#include "mmu/storage.h"
#include "mmu/tlb.h"

struct machine;
struct processor;

/* The devices of every machine, bare or virtual: console typewriter, card reader (empty), line printer. Disks are
 * attached, the first at ADDRESS_DISK by convention. */
enum { ADDRESS_CONSOLE = 0x009, ADDRESS_READER = 0x00C, ADDRESS_PRINTER = 0x00E, ADDRESS_DISK = 0x150 };

enum { MACHINE_CPUS_MOST = 8, MACHINE_NAME_BYTES = 40 };

struct machine_options {
    const char *name;                         /* for traces; NULL: "bare". Copied. */
    uint32_t memory_bytes;                    /* a multiple of 2 KB, 4 KB to 16 MB */
    unsigned cpus;                            /* 1..MACHINE_CPUS_MOST; 0 is 1 (docs/several-cpus.md) */
    const struct cost_model *model;           /* borrowed for the machine's life */
    struct trace *trace;                      /* borrowed; may be NULL */
    uint64_t tod;                             /* what its TOD clock reads in the beginning */
    uint64_t seed;                            /* of its random streams (supervisors' keys) */
    bool nominal_time;                        /* clocks count only what retires (docs/architecture.md, nominal time) */
    device_line *console_line, *printer_line; /* called for each line completed on 009 and 00E; may be NULL */
    void *line_self;
    enum profile profile;                       /* its instructions, and those of the virtual machines on it */
    enum channel_conditions channel_conditions; /* of this machine, and of the virtual ones on it */
    bool forget_lines; /* lines are not kept after that call: console_text and printer_text have the unfinished one */
};

/* A bare machine with its CPUs, a console at 009 and a printer at 00E, after initial CPU reset; CPU 0 operates, the
 * others are stopped until a program starts them by SIGP. NULL and *e on failure.
 * Less than a millisecond; host memory grows with the storage touched. */
struct machine *machine_new(const struct machine_options *o, struct error *e);
/* Frees a bare machine. Its virtual machines belong to their monitors and must be gone before. */
void machine_free(struct machine *m);

const char *machine_name(const struct machine *m);
uint32_t machine_memory(const struct machine *m);      /* bytes of its storage */
struct machine *machine_host(const struct machine *m); /* the machine it runs on; NULL: it is bare */
struct machine *machine_bare(struct machine *m);
int machine_level(const struct machine *m); /* 0: bare */
const struct cost_model *machine_model(const struct machine *m);
bool machine_nominal(const struct machine *m);
enum profile machine_profile(const struct machine *m);
enum channel_conditions machine_channel_conditions(const struct machine *m);
struct device *machine_device(const struct machine *m, uint16_t address); /* NULL: none */
/* What it does (0: nothing) in the first byte, what is pending in the second, and the status of that; 0: no device. */
uint64_t machine_device_activity(const struct machine *m, uint16_t address);
/* The n-th in order of attachment, and its address; NULL: there are no more. */
struct device *machine_device_at(const struct machine *m, unsigned n, uint16_t *address);
/* Whether the machine belongs to a hypervisor in assembler and is only seen through its map (vmm/map.h): then
 * machine_set_state has no effect, and machine_ipl is refused. */
bool machine_only_seen(const struct machine *m);
/* Attaches a device, which it takes over (also when it fails). False and *e when the machine has one at this address,
 * or when d is NULL or there is no memory. A program sees a device that is attached while it runs from the next I/O
 * instruction on. */
bool machine_attach(struct machine *m, uint16_t address, struct device *d, struct error *e);

/* Real storage of this machine (prefixing applied), without cycles, faults or key changes. Peek and poke answer
 * ACCESS_ADDRESSING, with nothing transferred, when the range is not all installed. length: 1 or more. */
enum access machine_peek(struct machine *m, uint32_t real, void *to, uint32_t length);
enum access machine_poke(struct machine *m, uint32_t real, const void *from, uint32_t length);
/* The storage key of the block that holds this real address, as ISK shows it in EC mode; -1: not installed. */
int machine_key(struct machine *m, uint32_t real);
/* Sets it; no effect when that is not installed. */
void machine_set_key(struct machine *m, uint32_t real, uint8_t key);
/* Copies a storage image; *e when it does not fit. */
bool machine_load(struct machine *m, uint32_t at, const void *image, size_t length, struct error *e);

/* Architected state as the machine's own program sees it. */
struct machine_state {
    struct psw psw;
    uint32_t gpr[16], cr[16];
    uint32_t prefix;
    uint64_t tod, clock_comparator, cpu_timer;
};
void machine_state(struct machine *m, struct machine_state *to);
/* Sets PSW, general and control registers and prefix (not the clocks) of a machine that is not running. */
void machine_set_state(struct machine *m, const struct machine_state *from);

/* The CPUs, 0 up to machine_cpus, of a bare or virtual machine. Functions without a CPU are CPU 0's, and real addresses
 * are under its prefix. */
unsigned machine_cpus(const struct machine *m);
void machine_cpu_state(struct machine *m, unsigned cpu, struct machine_state *to);
void machine_cpu_set_state(struct machine *m, unsigned cpu, const struct machine_state *from);
enum machine_cpu_status { CPU_RUNNING, CPU_WAITING, CPU_DISABLED_WAIT, CPU_STOPPED, CPU_CHECK_STOP };
enum machine_cpu_status machine_cpu_status(struct machine *m, unsigned cpu);
/* "running", "waiting", "disabled-wait", "stopped", "check-stop". */
const char *machine_cpu_status_name(enum machine_cpu_status s);

/* Walks this machine's own tables, under its own CR0 and CR1, without charges. */
enum access machine_walk(struct machine *m, uint32_t va, struct dat_walk *to);
/* Walks tables in its real storage under other control registers than its own. */
enum access machine_walk_under(struct machine *m, uint32_t cr0, uint32_t cr1, uint32_t va, struct dat_walk *to);

/* Whose instruction this CPU of the bare machine below m executes next: the innermost machine that has control. */
struct machine *machine_executing(const struct machine *m, unsigned cpu);
/* The TLB of a CPU of the bare machine below m, to look at: the only one there is. Entries are read with tlb_look under
 * the CPU's tlb_space, of its CR0 and CR1. Changes when the machine runs. */
const struct tlb *machine_tlb(const struct machine *m, unsigned cpu);

/* What can be raised from outside. */
enum machine_condition {
    CONDITION_INTERRUPT_KEY,
    CONDITION_MACHINE_CHECK,
    CONDITION_ATTENTION, /* of device 009 */
};
void machine_raise(struct machine *m, enum machine_condition c);

/* A directed machine (bare, one CPU): nothing happens to it by itself. Its timers interrupt for nobody, its devices go
 * on working for ever, and whoever directs it says when something comes: so it can follow another machine instruction
 * by instruction, whatever that one's clocks say. Waiting, it is idle. */
void machine_direct(struct machine *m);
/* The external interruption with this code, or the I/O interruption of this device, now: false, and nothing done, where
 * PSW and control registers do not enable it, or the device has no status to present (it ends what it is doing first).
 * sender: of a signal, the address of the CPU; 0 otherwise. */
bool machine_deliver_external(struct machine *m, unsigned code, unsigned sender);
bool machine_deliver_io(struct machine *m, uint16_t address);
/* The device ends what it is doing. */
void machine_device_ends(struct machine *m, uint16_t address);
/* The device has this status, whatever it did: of a program that was started before the machine was directed. */
void machine_device_presents(struct machine *m, uint16_t address, uint64_t csw);
/* The one clock that machine_set_state leaves alone and that is a register. */
void machine_set_comparator(struct machine *m, uint64_t value);
/* Whether an interruption is pending that this machine (CPU 0 of it) enables: its clocks', its devices'. What has no
 * outward sign (signals, the interrupt key of a virtual machine) is not among them. */
bool machine_has_pending(struct machine *m);

/* Makes the machine ready to start: with a true restart interruption (machine_restart), or with this PSW. On a virtual
 * machine it takes effect when its monitor starts it. */
void machine_restart(struct machine *m);
void machine_start_psw(struct machine *m, const uint8_t psw[8]);
/* The LOAD key: initial CPU reset and I/O reset (and CPU reset of the other CPUs, which are left stopped); then the
 * first record of the device, and what its CCWs ask for, are read, the device's address is stored at real 2 (BC) or 184
 * (EC), and the machine is made ready to start with the PSW at real 0, as by machine_start_psw. LOAD_CLEAR zeroes
 * general registers, storage and storage keys before. The channel program takes no simulated time. False and *e, the
 * machine in status MACHINE_LOAD until it is loaded or started otherwise, when there is no such device or its program
 * ends otherwise than well; false, and nothing done, when the machine's program is a supervisor in C or Lua. */
enum machine_load_kind { LOAD_NORMAL, LOAD_CLEAR };
bool machine_ipl(struct machine *m, uint16_t address, enum machine_load_kind kind, struct error *e);

/* What has been counted since the machine was made, by all its CPUs together; for a virtual machine: what it retired,
 * as it sees itself. */
struct machine_stats {
    uint64_t instructions; /* retired: native plus interpreted */
    uint64_t cycles;       /* of the bare machine: of its CPU that is furthest on */
    uint64_t nominal_cycles;
    uint64_t interruptions[INTERRUPTION_CLASSES];
};
void machine_stats(const struct machine *m, struct machine_stats *to);
/* The same for one CPU of a bare machine; a virtual machine is counted as a whole. The time that it was stopped, or
 * waited, counts as its own, and is idle. */
void machine_cpu_stats(const struct machine *m, unsigned cpu, struct machine_stats *to);
/* Cycles booked on one level, by cause: by one CPU of the bare machine, and by all of them. Levels and causes add up to
 * the cycles of machine_cpu_stats of that CPU; with one CPU these are machine_stats.cycles of the bare machine. */
uint64_t machine_cpu_booked(const struct machine *m, unsigned cpu, int level, enum cycle_cause cause);
uint64_t machine_booked(const struct machine *m, int level, enum cycle_cause cause);
uint64_t machine_booked_level(const struct machine *m, int level);
/* Cycles of the bare machine below so far, with one CPU, but those in which it was idle, on whatever level up to m's.
 */
uint64_t machine_busy_cycles(const struct machine *m);

/* Limits of one call of machine_run; zero-initialise for none. */
struct machine_limits {
    uint64_t instructions; /* that this machine may still retire, on all its CPUs together, interruptions counted as
                            * well (an instruction that ends with its interruption counts for two and is not divided);
                            * 0: no limit */
    uint64_t cycles;       /* of the bare machine, on the CPU that reaches the limit first; 0: no limit */
    bool until_trap;       /* stop after the next interruption of this machine, on any CPU */
    bool has_address;
    uint32_t until_address; /* stop before a CPU of this machine executes the instruction there */
    /* Asked before each instruction of every machine of the tree, monitors' own included, in the course of execution:
     * it only looks. True stops in front of it. `interpreted`: a monitor is about to interpret it, and the stack is a
     * small one. Where the run begins it is not asked, so that one can go on from there. Instructions are then executed
     * one at a time, several times slower. May be NULL. */
    bool (*before)(void *self, struct machine *m, uint32_t address, bool interpreted);
    void *before_self;
    /* Asked every few thousand instructions; true stops (Ctrl-C, a Lua budget). May be NULL. */
    bool (*interrupted)(void *self);
    void *self;
};
/* Runs the whole tree that the machine stands in until the machine stops or a limit is reached. Returns its status;
 * MACHINE_READY when a limit was reached. A machine with several CPUs stops when none of them can go on: its status is
 * MACHINE_IDLE where one waits, enabled; otherwise that of the last one that came to a disabled wait or check-stop, and
 * MACHINE_IDLE when all of them are just stopped. */
enum machine_status machine_run(struct machine *m, const struct machine_limits *limits);
enum machine_status machine_status(const struct machine *m);
bool machine_started(const struct machine *m); /* of a bare machine: it was ever made ready to start */
/* What a supervisor did wrong, when the status is MACHINE_FAULT; "" otherwise. */
const char *machine_fault(const struct machine *m);

#endif
