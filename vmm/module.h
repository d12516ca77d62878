/* The interface of a virtual machine monitor: what a monitor is given, and what its parts owe each other.
 *
 * A monitor is a program of its machine. It has five parts under their classical names (Popek and Goldberg 1974 for the
 * first three): dispatcher, allocator, interpreter, shadow paging, and the scheduler of virtual CPUs. Each is a struct
 * of functions here and may be replaced by itself; the reference monitor (vmm/reference/) is written on this header
 * alone. docs/module-abi.md tells the same as a text to learn from.
 *
 * Every call takes and gives plain values, or copies bytes whose number is known. What is shared, the virtual machines
 * below, is a mirror: a monitor reads and writes it only inside an activation, others look at it only outside. So
 * every call and every entry can cross the border between two processes.
 *
 * Addresses: *guest virtual* is what the guest's program says, *guest real* what its own tables make of that, *guest
 * absolute* what its prefix makes of that; *host real* is a real address of the monitor's own machine. That machine may
 * itself be a guest: then the monitor's host real is guest real to the monitor below, and so on.
 *
 * Inside an activation [exits] marks calls in which the monitor's machine may be interrupted: there a monitor above the
 * bare machine can be suspended, and dropped for good when its machine is restarted. Across such a call it owns no
 * heap, lock or file, and what it has written by then makes sense by itself. Each such call is charged: register
 * accesses, storage accesses and instructions as docs/cost-models.md has them; a monitor cannot set its own cost. */
#ifndef VMM_MODULE_H
#define VMM_MODULE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/archive.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/trace.h"
#include "isa/cells.h"
#include "isa/clock.h"
#include "isa/codes.h"
#include "isa/instruction.h"
#include "isa/psw.h"
#include "isa/window.h"
#include "mmu/dat.h"
#include "mmu/storage.h"

enum { MONITOR_ABI = 3 }; /* changes whenever a struct or a signature in this header does */

enum {
    FRAME_BYTES = 4096,           /* the unit of allocation */
    HOST_ADDRESS_MASK = 0xFFFFFF, /* 24-bit addresses, everywhere */
    VIRTUAL_CPUS_MOST = 4,        /* of one guest */
    HOST_CPUS_MOST = 8,           /* of the monitor's machine */
    GUESTS_MOST = 64,             /* of one monitor */
    MINIDISKS_MOST = 2,           /* of one guest */
};
#define CYCLE_NEVER UINT64_MAX /* a cycle that does not come */

struct vmm; /* the monitor, as its calls name it */

/* ---- The virtual machines: data of their monitor, the image of the map f ---- */

/* External conditions that stay until they are taken; clock comparator and CPU timer are levels, not kept here. */
enum external_condition {
    EXTERNAL_INTERRUPT_KEY = 1,
    EXTERNAL_EMERGENCY_SIGNAL = 2,
    EXTERNAL_CALL = 4,
    EXTERNAL_INTERVAL_TIMER = 8,
};

/* How a virtual CPU begins when its monitor starts, or a signal tells it to. */
enum virtual_start { START_NONE, START_RESTART, START_PSW };

/* One virtual CPU. While it runs, general registers, condition code, program mask and instruction address are the real
 * ones; everything else of its PSW, and all of its control registers, exist only here. */
struct virtual_cpu {
    unsigned guest;   /* index of its virtual machine */
    unsigned address; /* its CPU address there, as STAP shows it */
    struct psw psw;
    uint32_t gpr[16], cr[16];
    uint32_t prefix;

    /* Clocks, in units of the TOD clock; `now` is what the monitor's machine's clock reads (STCK). TOD = now + epoch,
     * CPU timer = timer_sum - now, both modulo 2^64. */
    uint64_t epoch, comparator, timer_sum;
    uint64_t ticks;      /* of the interval timer, accounted for in its word at real 80 */
    uint32_t timer_word; /* what that word was then */

    unsigned external;                  /* enum external_condition, pending */
    unsigned call_from, emergency_from; /* CPU addresses: who called; bit n: CPU n gave the emergency signal */
    bool machine_check;                 /* pending */
    enum machine_status status;
    bool stopped; /* by a signal, or never started */
    enum virtual_start start;
    uint8_t start_psw[8]; /* with START_PSW */
    bool changed;         /* its state was set from outside: shadows and what the machine has of it no longer count */
    bool started;         /* from outside: it is to begin, if its monitor already has */

    /* Program-interruption loops: the last interruption, whether anything was retired since, whether it is a loop. */
    bool last_valid, progress, looping;
    uint8_t last_old[8];
    unsigned last_code;
    uint32_t dispatched_at; /* the instruction address it was last given control at */

    /* Where it is. `taken`: CPU `on` of the monitor's machine has been given to it and has not come back: registers and
     * PSW are there. Otherwise `on` is the CPU that had it last, and watches its wake. */
    bool taken;
    unsigned on;
    unsigned order; /* of SIGP, accepted while it was on another CPU: it is done when it comes back; 0: none */

    /* The scheduler's. */
    uint64_t wake; /* waiting: the cycle at which something may be due; CYCLE_NEVER: nothing will by itself */
    bool waiting;  /* its PSW is a wait; nothing was pending when it was last looked at */
    bool look;     /* something was raised since */
};

struct virtual_machine {
    uint32_t memory; /* bytes of its storage */
    bool facilities; /* its program is a monitor: it is offered the bare machine's facilities */
    unsigned cpus;   /* 1..VIRTUAL_CPUS_MOST */
    struct virtual_cpu cpu[VIRTUAL_CPUS_MOST];
    bool reset; /* it was reset from outside: nobody wants to know any more how its channel programs end */
};

/* A virtual machine's disk: a part of a real one. */
struct minidisk {
    uint16_t address, host_address; /* I/O addresses, in the virtual machine and in the monitor's */
    uint32_t first, blocks;         /* of the host's disk: block 0 of the virtual one, and how many it has */
    bool shared;                    /* it may have blocks in common with others: what guests share they ask for */
};

/* What the monitor's own machine is. */
struct monitor_machine {
    uint32_t memory;             /* bytes */
    unsigned cpus;               /* that the monitor uses: 0 up to cpus - 1; see "Several CPUs" */
    bool nominal;                /* clocks count what retires, and STCK is to be controlled (docs/architecture.md) */
    bool architected_conditions; /* its channels' condition codes are the architecture's, not Hercules'
                                    (docs/devices.md) */
};
struct monitor_machine monitor_machine(const struct vmm *v);
unsigned monitor_guests(const struct vmm *v);
struct virtual_machine *monitor_guest(struct vmm *v, unsigned guest); /* guest < monitor_guests */
/* What the monitor keeps for itself between activations; what its `create` returned. */
void *monitor_private(const struct vmm *v);

/* How it was asked to work. */
enum shadow_policy {
    SHADOW_PURGE,   /* a shadow is a large TLB: entries stay until the guest purges, which empties it */
    SHADOW_PROTECT, /* the guest's tables are write-protected: entries go when their tables change, and PTLB is free */
};
struct monitor_options {
    unsigned spaces;           /* cached address spaces per virtual CPU, 1..SHADOW_SPACES_MOST */
    enum shadow_policy policy; /* SHADOW_PROTECT needs the page-protection facility in the machine below */
    uint64_t slice;            /* cycles that a virtual CPU runs while others wait for their turn: long against traps
                                * (docs/several-cpus.md), which take thousands under monitors on monitors */
    unsigned cpus;             /* of its machine, that it uses, 1..HOST_CPUS_MOST; 0: all that there are */
};
enum { SHADOW_SPACES_MOST = 16, SHADOW_SPACES_DEFAULT = 8, SLICE_DEFAULT = 500000 };
const struct monitor_options *monitor_options(const struct vmm *v);

/* ---- Several CPUs ----
 *
 * The machine may have several CPUs, and each runs one virtual CPU at a time. The page at host real n * FRAME_BYTES (as
 * CPU 0 sees it) is CPU n's page 0: its prefix; the allocator gives none of these away. Only CPU 0 operates when the
 * machine is started: in its restart the monitor restarts the others by SIGP, and each begins with a restart of its
 * own. Every CPU has control registers, a CPU timer and a TLB of its own, and arrives in `interruption` by itself.
 *
 * Activations are serialised: a CPU that is interrupted while there is one on another CPU waits at its call cell until
 * that has ended. So a monitor needs no locks; what it does need is that no other CPU uses what it changes:
 *   - a virtual CPU that is taken is not looked at and not changed, its tables included: its registers are elsewhere,
 *     and translations from its tables are in the TLB there;
 *   - `hold` (of the dispatcher) makes that CPU come to the monitor, by an emergency signal. SIGP's condition code 0
 *     promises that it executes no further instruction of a guest: it takes the interruption, and waits for this
 *     activation to end. From then on it may be changed, if its CPU purges before it goes on;
 *   - a TLB that was used for tables earlier is purged before these are used there again. PTLB purges the own TLB
 *     only; IPTE works on all, at once.
 * The same holds one level up: the interpreter of SIGP has the CPU of the addressed virtual CPU interrupted before the
 * sender goes on, and IPTE of a guest concerns all its virtual CPUs. */

/* The CPU, by its address, that this activation is on. */
unsigned monitor_cpu(const struct vmm *v);

/* ---- Calls, inside an activation: the monitor's machine ---- */

/* General registers of the machine. [exits] */
uint32_t monitor_gpr(struct vmm *v, unsigned n);
void monitor_set_gpr(struct vmm *v, unsigned n, uint32_t value);
void monitor_gprs(struct vmm *v, uint32_t to[16]);
void monitor_set_gprs(struct vmm *v, const uint32_t from[16]);
/* Moves 1..256 bytes from or to host real storage, with key 0; reference and change bits are set. ACCESS_ADDRESSING:
 * not installed, nothing moved. [exits] */
enum access monitor_fetch(struct vmm *v, uint32_t host, void *to, uint32_t length);
enum access monitor_store(struct vmm *v, uint32_t host, const void *from, uint32_t length);
/* Executes a privileged instruction from its cell; operands lie in the areas of isa/cells.h or in registers 0-3. 0 and
 * *cc (may be NULL), or the program code with which it ended. [exits] */
unsigned monitor_execute(struct vmm *v, enum supervisor_cell cell, unsigned *cc);
/* More path length, for work that no other call shows. [exits] */
void monitor_charge(struct vmm *v, uint32_t cycles, enum cycle_cause cause);

/* ---- Calls that tell the simulator what happens: for books, traces and pictures, never for execution ---- */

/* What the following calls are booked under. */
void monitor_cause(struct vmm *v, enum cycle_cause cause);
/* The LPSW that ends this activation gives control to c; or, with `waits`, it is a wait of the whole machine on c's
 * behalf: what passes is c's time. */
void monitor_running(struct vmm *v, const struct virtual_cpu *c, bool waits);
/* The interruption being handled ended with shadow entries made valid. */
void monitor_filled(struct vmm *v, const struct virtual_cpu *c);
/* An interruption of this class was reflected to c. True: that was what the run is limited to, as with monitor_retired.
 */
bool monitor_reflected(struct vmm *v, const struct virtual_cpu *c, enum interruption_class class);
/* c stopped, or is ready again. */
void monitor_stopped(struct vmm *v, const struct virtual_cpu *c, enum machine_status status);
/* c's instruction was interpreted, as isa/supervisor.h has it (processor_retire), which also says what the last two
 * arguments are. True: c has now done as much as the run is limited to, and gets nothing more in this activation. */
bool monitor_retired(struct vmm *v, const struct virtual_cpu *c, const uint8_t text[6], const uint8_t *execute,
                     uint32_t doublewords);
#define RETIRED_EXCEPTION UINT32_MAX
void monitor_trace(struct vmm *v, enum trace_kind kind, uint64_t a, uint64_t b, uint64_t c, const char *text);

/* ---- Calls to the devices of a virtual machine ----
 *
 * Console, reader and printer of a virtual machine are device models of the simulator; they move data through the
 * allocator's map, with the guest's keys, in calls of this monitor. A minidisk has no model: its programs are run by
 * the host's disk, and the monitor tells with monitor_io_begin and monitor_io_end what became of them. */

enum io_operation { IO_START, IO_TEST, IO_CLEAR, IO_HALT, IO_HALT_DEVICE, IO_TEST_CHANNEL, IO_CHANNEL_ID };
/* The instruction of that name on device `address` of the guest: the condition code. *word: in for IO_START, the CAW;
 * out with condition code 1 the CSW, for IO_CHANNEL_ID with 0 the word for 168. [exits] */
unsigned monitor_io(struct vmm *v, unsigned guest, enum io_operation operation, uint16_t address, uint64_t *word);
/* Takes the first interruption pending on the enabled channels (psw_channels): address and CSW. [exits] */
bool monitor_io_take(struct vmm *v, unsigned guest, uint32_t channels, uint16_t *address, uint64_t *csw);
/* Whether there is one; whether something is in progress there that will end by itself. */
bool monitor_io_pending(struct vmm *v, unsigned guest, uint32_t channels);
bool monitor_io_active(struct vmm *v, unsigned guest, uint32_t channels);
/* The models' next event, in cycles of the machine's clock (CYCLE_NEVER: none), and letting everything happen that is
 * due by cycle `now`. */
uint64_t monitor_io_next(struct vmm *v, unsigned guest);
void monitor_io_advance(struct vmm *v, unsigned guest, uint64_t now);
/* The minidisk at this address of the guest; false: there is none. */
bool monitor_minidisk(struct vmm *v, unsigned guest, uint16_t address, struct minidisk *to);
/* The virtual device is busy from now on: false when it was. And what has become of its program: it ended with this
 * CSW, which becomes pending; it goes on, and this is a program-controlled interruption; or it never began, and the
 * device is idle again. */
enum io_progress { IO_ENDED, IO_GOES_ON, IO_NEVER_BEGAN };
bool monitor_io_begin(struct vmm *v, unsigned guest, uint16_t address);
void monitor_io_end(struct vmm *v, unsigned guest, uint16_t address, uint64_t csw, enum io_progress progress);

/* ---- The parts ---- */

/* Bit 29 of a translation-exception address: a protection exception was the page's, not the key's. */
enum { TRANSLATION_PAGE_PROTECTION = 4 };

/* An interruption: one that arrived from the machine below, or one to be given to a virtual CPU. */
struct interruption {
    enum interruption_class class;
    unsigned code;                /* program, external; I/O: the device's address; SVC: the number */
    unsigned ilc;                 /* bytes */
    uint32_t translation_address; /* program codes 10 and 11; 4 with TRANSLATION_PAGE_PROTECTION */
    uint32_t monitor_code;
    uint8_t monitor_class;
    unsigned signalling; /* external codes 1201 and 1202: the CPU address */
    uint64_t csw;        /* I/O; machine check: its code */
};

/* ---- Interpretation of any instruction of a virtual CPU ---- */

enum interpreted_as {
    INTERPRETED_AS_DONE,         /* completed, or a part of a long one (MVCL, CLCL) was */
    INTERPRETED_AS_INTERRUPTION, /* so it ended: *i is to be reflected */
    INTERPRETED_AS_NEEDING,      /* nothing was changed: w->need is to be brought (window_admit, window_put) or refused
                                    (window_refuse), and the call repeated */
    INTERPRETED_AS_PRIVILEGED,   /* not executed, since it acts on resources: it is the interpreter routines' affair.
                                    STCK is, too. i->ilc is its length */
    INTERPRETED_AS_CALL,         /* not executed: the entry into a monitor in C, which only a CPU can execute */
    INTERPRETED_AS_STOP,         /* not executed: the run stops in front of it */
};
/* Executes c's next instruction, in whichever state it is, by the machine's own definition of it, on c's virtual state
 * and on the window `w`, which is empty when the instruction is begun (window_clear). c->psw and c->gpr become what
 * they are after it; *i, when it ended with an interruption, what is to be reflected. Before *i is, the monitor stores
 * what w->store lists. Charged: the path length of an interpreter (`interpretation` in docs/cost-models.md), beside the
 * calls by which the window is filled. *limit: c has now done as much as the run is limited to, as with
 * monitor_retired; the instruction is counted. [exits]
 * Forgotten: another virtual CPU may store between the parts of an interlocked instruction (w->need.interlocked). */
enum interpreted_as monitor_interpret(struct vmm *v, struct virtual_cpu *c, struct window *w, struct interruption *i,
                                      bool *limit);

/* The dispatcher: every trap arrives here, and leaves by one return. */
struct monitor_dispatcher {
    /* Handles one interruption of class c of the monitor's machine and gives control away: returns the host real
     * address of the PSW to load, which is SUPERVISOR_PSW. On entry the general registers are the interrupted
     * program's. Duty: save the virtual CPU that was running; decide whom the interruption concerns; have it
     * interpreted, filled or reflected; then give the chosen virtual CPU the first pending interruption that it
     * enables, and control, always in problem state with DAT on; or wait, enabled while any virtual CPU may go on,
     * disabled when none may. Cost: two PSWs, sixteen registers twice, one LPSW; LCTL, SPT, LCTL 8 and PTLB only where
     * they must. Forgotten: registers not saved, and one guest computes with another's; masks not looked at, and
     * interruptions are lost or arrive where they are disabled; a guest in real supervisor state, and the machine is
     * the guest's. */
    uint32_t (*interruption)(struct vmm *v, enum interruption_class c);
    /* Gives the virtual CPU an interruption as its own CPU would: old PSW, codes and new PSW in its low storage.
     * Changes those and the virtual PSW, nothing else. [exits]
     * Forgotten: the format of the old PSW is that of the interrupted program, not of the new PSW. */
    void (*reflect)(struct vmm *v, struct virtual_cpu *c, const struct interruption *i);
    /* c, or tables under which it runs, will be changed: if it is taken, it executes nothing more until this activation
     * has ended, and its CPU comes to the monitor then. Cost: none; else two registers and a SIGP. [exits]
     * Forgotten: the other CPU goes on under what is not there any more. */
    void (*hold)(struct vmm *v, struct virtual_cpu *c);
};

enum { OWNER_MONITOR = -1, OWNER_NOBODY = -2 };

/* The allocator: who owns which frame of the host's storage. Its functions are called outside activations too (all but
 * pin and unpin), and make no calls. */
struct monitor_allocator {
    /* Frames for `bytes`, in one piece, for the monitor's own use (tables): host real, or -1. Given back by release. */
    int64_t (*take)(struct vmm *v, unsigned guest, uint32_t bytes);
    /* A guest's storage. False and *e: there is not enough; it says how much would be. */
    bool (*admit)(struct vmm *v, unsigned guest, struct error *e);
    void (*release)(struct vmm *v, unsigned guest); /* all that it owns, and that was taken for it */
    /* A guest is given a part of the disk at this address of the monitor's machine: room for the channel programs that
     * will be run there. False and *e: there is none. */
    bool (*disk)(struct vmm *v, uint16_t host_address, struct error *e);
    /* The map of storage: guest absolute -> host real; -1: outside the guest's storage.
     * Forgotten: an address that is not checked here is another guest's frame. */
    int64_t (*frame)(const struct vmm *v, unsigned guest, uint32_t absolute);
    /* Whose storage a frame of the machine is: the guest, or OWNER_MONITOR (its own, tables for guests among them), or
     * OWNER_NOBODY. For those who look on (vmm/resources.h). */
    int (*owner)(const struct vmm *v, uint32_t host);
    /* Frames that a channel uses stay where they are until unpinned; both count. */
    void (*pin)(struct vmm *v, uint32_t host);
    void (*unpin)(struct vmm *v, uint32_t host);
};

/* One privileged instruction being interpreted. */
struct interpretation {
    struct vmm *v;
    struct virtual_cpu *c;
    const struct instruction *instruction;
    struct instruction_fields f;
    uint8_t text[6], execute[6];
    bool executed;        /* it is the target of the EXECUTE in `execute` */
    uint32_t address;     /* guest logical: of its operand in storage */
    uint32_t failed;      /* out: translation-exception address */
    uint32_t doublewords; /* out: touched by the operand */
    bool completed;       /* out: it ends with a program interruption, but has been done */
};
/* An interpreter routine does what the instruction does, on the virtual state, its tests in the architecture's order,
 * everything tested before anything is changed. 0, or the program code with which the instruction ends; i->c->psw.ia is
 * already that of the next instruction, as it is when an instruction is suppressed. [exits] */
typedef unsigned interpreter_routine(struct interpretation *i);
struct monitor_interpreter {
    /* By enum instruction_id, INSTRUCTION_COUNT of them; NULL: an operation exception. Each cost and pitfall is told
     * with the routine (vmm/reference/interpreter.c) and in docs/module-abi.md. */
    interpreter_routine *const *routine;
};

/* The tables under which a virtual CPU runs. */
struct monitor_space {
    uint32_t cr0; /* translation format, and page protection where the tables use it */
    uint32_t cr1;
    bool purge; /* entries that may be in this CPU's TLB were made invalid or changed: PTLB after loading these */
};
struct monitor_shadow {
    /* Outside activations: a virtual CPU's tables are allocated, and forgotten. */
    bool (*admit)(struct vmm *v, struct virtual_cpu *c, struct error *e);
    void (*release)(struct vmm *v, struct virtual_cpu *c);
    /* Nothing is valid any more. [exits] */
    void (*reset)(struct vmm *v, struct virtual_cpu *c);
    /* The space for its present mode (DAT off: the map of guest real storage) and control registers. [exits] */
    struct monitor_space (*select)(struct vmm *v, struct virtual_cpu *c);
    /* It referred to an address that has no entry. 0: now it has; or the program code that its own tables give. [exits]
     * Forgotten: guest tables not walked afresh, and a page that the guest took away is still there. */
    unsigned (*fault)(struct vmm *v, struct virtual_cpu *c, uint32_t address);
    /* It stored into a page that the shadow protects. 0: it may repeat the store; or the program code to reflect.
     * [exits] */
    unsigned (*protection)(struct vmm *v, struct virtual_cpu *c, uint32_t address);
    /* It executed PTLB, or what implies it; `cause` is for the trace. [exits]
     * Forgotten: stale translations, for ever. */
    void (*purge)(struct vmm *v, struct virtual_cpu *c, const char *cause);
    /* Its prefix is about to change. [exits] */
    void (*prefix)(struct vmm *v, struct virtual_cpu *c, uint32_t new_prefix);
    /* IPTE: the guest's page-table entry `index` of the table at guest real `origin`, in format f, is invalid now, for
     * all CPUs of the guest. [exits] */
    void (*invalidate)(struct vmm *v, struct virtual_cpu *c, uint32_t origin, uint32_t index,
                       const struct dat_format *f);
    /* The monitor stored into the guest's storage on its behalf. [exits] */
    void (*stored)(struct vmm *v, unsigned guest, uint32_t absolute, uint32_t length);
};

struct monitor_scheduler {
    /* Which virtual CPU to look at first: `last` ran last on this CPU of the machine (NULL: none did), `expired` is
     * whether its slice is over. Those that are `taken` are on other CPUs, and will be passed over. Makes no calls of
     * [exits]. */
    struct virtual_cpu *(*choose)(struct vmm *v, struct virtual_cpu *last, bool expired);
    /* Which one when c cannot run: asked until it has been once round all of them. */
    struct virtual_cpu *(*after)(struct vmm *v, struct virtual_cpu *c);
};

/* A monitor: its parts, all there. */
struct monitor_parts {
    const char *kind;
    const struct monitor_dispatcher *dispatcher;
    const struct monitor_allocator *allocator;
    const struct monitor_interpreter *interpreter;
    const struct monitor_shadow *shadow;
    const struct monitor_scheduler *scheduler;
    /* What it keeps between activations; NULL: no memory. Bytes that a machine needs for one guest of `memory` bytes
     * with so many CPUs, and for the monitor itself with one disk of the machine's (memory 0, no CPUs). */
    void *(*create)(struct vmm *v);
    void (*destroy)(void *private);
    uint32_t (*bytes)(const struct monitor_options *o, uint32_t memory, unsigned cpus);
    /* Saves or restores what it keeps between activations, where it was made with the same options and has the same
     * guests; the virtual machines themselves are archived by the simulator. What is loaded may be forged, and is
     * checked. NULL: its machine cannot be saved. Makes no calls but monitor_archive_cpu. */
    void (*archive)(struct vmm *v, struct archive *a);
};
/* Archives the name of a virtual CPU of this monitor, or NULL. */
void monitor_archive_cpu(struct vmm *v, struct virtual_cpu **c, struct archive *a);
/* The parts of this monitor, for calls from one to another. */
const struct monitor_parts *monitor_parts(const struct vmm *v);

/* ---- The reference parts, and what they are made from ---- */

extern const struct monitor_parts reference_monitor; /* "trap-and-emulate" */
extern const struct monitor_parts hybrid_monitor;    /* "hybrid" */

/* Guest storage as the guest's own CPU would reach it. 1..256 bytes. [exits] Real ones: no protection; anything but
 * ACCESS_OK moved nothing. */
enum access guest_fetch_real(struct vmm *v, struct virtual_cpu *c, uint32_t real, void *to, uint32_t length);
enum access guest_store_real(struct vmm *v, struct virtual_cpu *c, uint32_t real, const void *from, uint32_t length);
/* Walks the guest's own tables. */
enum access guest_walk(struct vmm *v, struct virtual_cpu *c, uint32_t address, struct dat_walk *w);
/* The storage key of the block at this guest absolute address, which must be installed. */
uint8_t guest_key(struct vmm *v, const struct virtual_cpu *c, uint32_t absolute);
/* Where one logical location lies in guest absolute storage, if the guest's program may fetch from it, or store: DAT,
 * key and protections. Not ACCESS_OK: the program code, *failed as below. [exits] */
enum access guest_locate(struct vmm *v, struct virtual_cpu *c, uint32_t address, bool store, uint32_t *absolute,
                         uint32_t *failed);
/* Logical ones, at most 64 bytes: as an instruction of the guest, with its DAT, key and protections, all blocks checked
 * first. Not ACCESS_OK: the program code; for SEGMENT and PAGE *failed is the translation-exception address. */
enum access guest_fetch(struct vmm *v, struct virtual_cpu *c, uint32_t address, void *to, uint32_t length,
                        uint32_t *failed);
enum access guest_store(struct vmm *v, struct virtual_cpu *c, uint32_t address, const void *from, uint32_t length,
                        uint32_t *failed);
static inline uint32_t guest_absolute(const struct virtual_cpu *c, uint32_t real) {
    return storage_prefix(real & HOST_ADDRESS_MASK, c->prefix);
}

#endif
