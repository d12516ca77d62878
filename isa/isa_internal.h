/* What the files of isa/ share: the processor, the bare machine, decoded instructions, and fast access to storage.
 *
 * Three caches stand between an instruction and storage, and none of them changes what a program or its cycle count
 * sees:
 *   code blocks  each 2 KB block of storage that is executed is decoded, an instruction at a time, into an array with
 * one slot per halfword; stores into the block reset the slots they touch. TLB          mmu/tlb.h, the simulated one:
 * its hits and misses are part of the machine. lookaside    a host pointer per recently used logical block, with the
 * right to fetch or store proved for the present key and space. A hit means: translated, accessible, reference (and
 * change) bit on already, and, with DAT on, last used in its TLB set; so nothing observable remains to be done. */
#ifndef ISA_ISA_INTERNAL_H
#define ISA_ISA_INTERNAL_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/random.h"
#include "base/timeline.h"
#include "base/trace.h"
#include "isa/channel.h"
#include "isa/cost.h"
#include "isa/instruction.h"
#include "isa/machine.h"
#include "isa/psw.h"
#include "isa/supervisor.h"
#include "isa/window.h"
#include "mmu/dat.h"
#include "mmu/storage.h"
#include "mmu/tlb.h"

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

enum { ADDRESS_MASK = 0xFFFFFF, NO_REGISTER = 16, BLOCK_SLOTS = STORAGE_BLOCK_BYTES / 2, LOOKASIDE_ENTRIES = 256 };

/* One decoded instruction, 16 bytes. Register fields that take part in address generation hold NO_REGISTER, which
 * always contains 0, where the instruction says register 0. */
struct operation {
    const void *go; /* where the execution loop continues for it */
    uint16_t cost;  /* cycles as far as the text decides */
    uint16_t d2;    /* displacement of the second (or only) storage operand */
    uint8_t r1;     /* R1, M1; SS: the length byte; SVC: the number */
    uint8_t b2;     /* base of the second (or only) storage operand */
    union {
        struct {
            uint8_t r2;    /* X2 (as an address register), R2, R3, M3 */
            uint8_t extra; /* SI: the immediate; branches: what a taken branch costs more */
        };
        uint16_t s1; /* SS, SSE: base and displacement of the first operand, as in the text */
    };
};
_Static_assert(sizeof(struct operation) == 16, "decoded instructions are indexed by shifting");

struct code_block {
    uint32_t lines;                         /* bit n: something in bytes 64 n .. 64 n + 63 has been decoded */
    const void *undecoded;                  /* what an empty slot holds */
    const uint8_t *text;                    /* the block itself */
    struct operation slot[BLOCK_SLOTS + 3]; /* the last three: execution runs out of the block */
};

struct lookaside_entry {
    uint64_t fetch, store;   /* context and logical address for which the access is free; 0: none */
    uint8_t *host;           /* first byte of the block */
    struct code_block *code; /* decoded instructions of this block, or NULL */
};

/* How an instruction ended, beside 0 (go on with the next one) and program-interruption codes. */
enum outcome {
    OUTCOME_COMPLETED = 0x200, /* OR-ed to a program code: all results are stored, the instruction counts */
    OUTCOME_EVENT = 0x1000,    /* nothing happened to the program: the horizon was reached */
    OUTCOME_SYNC,              /* an instruction that may have changed PSW, mapping or pending conditions is done */
    OUTCOME_RESUME,            /* an interruptible one stopped in the middle: it is to be executed again */
    OUTCOME_SVC,
    OUTCOME_CALL,
    OUTCOME_BRANCH,        /* execute_one only: target in p->branch_target */
    OUTCOME_NEEDS,         /* in a window only: an operand is not there; nothing was changed */
    OUTCOME_RESOURCE,      /* in a window only: it acts on more than registers, PSW and storage; not executed */
    OUTCOME_LATE = 0x2000, /* OR-ed to a program code: recognised in fetching the instruction */
};

enum external_pending { /* conditions that stay until taken; clock comparator and CPU timer are levels, not kept here */
                        PENDING_INTERRUPT_KEY = 1,
                        PENDING_INTERVAL_TIMER = 2,
};

/* What CPUs can make pending in each other: each kept by sender, bit n for CPU n. */
enum cpu_signal { SIGNAL_NONE, SIGNAL_MALFUNCTION_ALERT, SIGNAL_EMERGENCY, SIGNAL_EXTERNAL_CALL, SIGNAL_COUNT };

/* Whether a CPU executes at all; that it waits is said by its PSW. */
enum processor_condition { PROCESSOR_OPERATING, PROCESSOR_STOPPED, PROCESSOR_CHECK_STOPPED };

enum { SUPERVISORS_MOST = 64 };

struct processor {
    /* What the execution loop touches, first. */
    uint32_t gpr[17];                  /* [16] is always 0 */
    struct psw psw;                    /* cc is live at all times; ia is right outside the loop only */
    struct lookaside_entry *lookaside; /* of the present mode: dat or real */
    uint64_t context;                  /* of the present mode: generation and key, OR-ed to addresses to make tags */
    union {
        struct {
            uint32_t dynamic_cost; /* cycles of the present instruction that its text did not decide */
            uint32_t tlb_cost;     /* cycles of TLB misses since it began */
        };
        uint64_t charged; /* either of the two */
    };
    int64_t remaining; /* cycles until the horizon */
    uint64_t retired;  /* instructions not yet flushed to the accounts */
    uint32_t branch_target;
    unsigned length;                   /* bytes of the instruction that ended with an outcome */
    struct code_block *code;           /* of the block being executed */
    uint32_t code_base;                /* its logical address */
    const void *undecoded, *block_end; /* what an empty slot, and one behind the block, hold */
    bool held;                         /* code and code_base may be used without asking again */
    bool page_protected;               /* the last protection exception was page protection's (TEA is stored) */
    uint32_t translation_address;      /* of the last translation exception */
    uint32_t monitor_code;             /* of the last monitor event */
    uint8_t monitor_class;
    uint8_t svc_number;

    /* Control state. */
    uint32_t cr[16];
    uint32_t prefix;
    uint64_t dat_generation, real_generation;
    struct dat_format format; /* of cr0, when format_valid */
    bool format_valid;
    uint64_t space; /* tlb_space of cr0 and cr1 */

    /* Clocks, in cycles of the clock (nominal ones, or all). `horizon` is the nominal time at which remaining is 0. */
    uint64_t horizon;
    uint64_t next_event; /* clock at which an interruption may be due; the horizon can be earlier, for other reasons */
    int64_t cycles_offset; /* all cycles = nominal ones + this */
    uint64_t comparator;
    uint64_t timer_value, timer_set; /* CPU timer: value at the clock reading (units) when it was set */
    uint64_t interval_ticks;         /* of the interval timer, so far */
    unsigned external;               /* enum external_pending */
    uint8_t signals[SIGNAL_COUNT];
    bool machine_check; /* pending */
    uint64_t machine_check_code;
    bool restart; /* pending */
    enum processor_condition condition;
    unsigned
        order; /* accepted, of those that the CPU itself performs when its turn comes (isa/processors.c); 0: none */

    /* Program-interruption loops: the last one. */
    uint8_t last_old[8];
    unsigned last_code;
    uint64_t last_retired;
    bool last_valid;

    uint64_t flushed_nominal; /* nominal time up to which the accounts are right */
    int level;                /* of whoever runs: the length of the chain of running machines */
    uint64_t booked[MACHINE_LEVELS][CAUSE_COUNT];

    uint64_t instructions; /* flushed; of this CPU alone */
    uint64_t interruptions[INTERRUPTION_CLASSES];

    unsigned address; /* CPU address */
    struct machine *machine;
    struct storage *storage;
    const struct cost_model *model;
    bool leaving;              /* a supervisor above the bare machine is about to execute its LPSW, which traps */
    struct supervisor *active; /* whose activation is running right now */
    struct window
        *window; /* it executes one instruction on this, apart from the machine; NULL: it is one of its CPUs */
    enum instruction_id interpreted; /* in a window: the instruction, or EXECUTE's target */
    struct tlb tlb;
    struct lookaside_entry dat_lookaside[LOOKASIDE_ENTRIES], real_lookaside[LOOKASIDE_ENTRIES];
};

/* A CPU of a machine, bare or virtual; no machine: none. */
struct machine_cpu {
    struct machine *machine;
    unsigned cpu;
};

struct machine {
    char name[MACHINE_NAME_BYTES];
    struct machine *host; /* NULL: bare */
    int level;
    uint32_t memory;
    struct machine_cpu running[MACHINE_CPUS_MOST]; /* the virtual ones to which its CPUs have given control */
    struct supervisor *supervisor;
    enum machine_status status;
    bool started;
    uint64_t instructions, nominal;
    uint64_t interruptions[INTERRUPTION_CLASSES];
    enum profile profile;
    bool nominal_time, directed;
    struct processor *processor;              /* of the bare machine: CPU 0 */
    device_line *console_line, *printer_line; /* who wants to see what is printed, and their self */
    void *line_self;

    /* A virtual machine's. */
    const struct machine_ops *ops;
    void *self;

    /* Of one whose program is a hypervisor that publishes whom it runs; `witnesses` counts them, on the bare machine.
     */
    const struct witness_ops *witness;
    void *witness_self;
    unsigned witnesses;

    /* The bare machine's. */
    struct trace *trace;
    const struct cost_model *model;
    struct storage *storage;
    struct timeline *timeline;
    struct channel_set *channels;
    enum channel_conditions channel_conditions;
    struct code_block **code; /* by block; NULL until something is executed */
    unsigned cpus;
    struct processor *cpu[MACHINE_CPUS_MOST];
    struct processor *current;                        /* whose turn it is */
    struct supervisor *supervisors[SUPERVISORS_MOST]; /* of this machine and of all above it, by number */
    uint64_t turn_end;                                /* clock at which it ends; UINT64_MAX with one CPU */
    enum machine_status ended;                        /* how the last of those CPUs ended that did not just stop */
    uint64_t tod_epoch;                               /* TOD = tod_epoch + clock_units(clock), modulo 2^64 */
    uint64_t tod_clock;                               /* clock at the latest reading of the TOD by any CPU */
    struct random keys;                               /* stream of supervisors' keys */
    char fault[256];
    bool start_psw;
    uint8_t start[8];
    const struct machine_limits *limits; /* of the machine_run in progress */
    const struct machine_observer *observer;
    uint64_t observer_due; /* cycles of all at which it is called next */
    bool again;            /* what happens has happened before: nobody is told of it */
    uint64_t moves;        /* calls of supervisors, orders performed, turns: what else changes it */
    uint64_t stop_at;      /* machine_position at which machine_run stops; 0: nowhere */
    struct machine *limited;
    uint64_t limit_count, limit_cycles, trap_count;
    uint64_t address_checked;     /* retired count at which until_address was last passed */
    struct machine *began;        /* who was to execute the first instruction of the run; NULL: it has gone on since, */
    uint64_t began_at;            /* from this retired count */
    const struct machine *stands; /* before an interpreted instruction of this machine the run is to stop; NULL: not */
};

/* ---- Looking on ---- */

/* Who keeps the history of a bare machine (isa/history.c). Between two steps, and the machine may be archived. */
struct machine_observer {
    void (*begins)(void *self); /* a machine_run */
    void (*due)(void *self);    /* observer_due has come; it sets it anew, or is called again after the next step */
    void (*ends)(void *self);   /* the machine_run */
    void (*anew)(void *self);   /* the machine's state was replaced by another */
    void *self;
};
struct channel_set *machine_channels(const struct machine *m);
/* From now on nothing is told to trace and lines; or again everything. */
void machine_again(struct machine *m, bool again);

/* ---- Time ---- */

/* Nominal cycles so far, with the present instruction not counted yet. */
static inline uint64_t processor_nominal(const struct processor *p) { return p->horizon - (uint64_t)p->remaining; }
static inline uint64_t processor_cycles(const struct processor *p) {
    return processor_nominal(p) + (uint64_t)p->cycles_offset;
}
/* What the machine's clocks are made from. */
static inline uint64_t processor_clock(const struct processor *p) {
    return p->machine->nominal_time ? processor_nominal(p) : processor_cycles(p);
}

/* Whose turn it is, on the bare machine below m. */
static inline struct processor *machine_present(const struct machine *m) { return m->processor->machine->current; }
/* The chain of those that run on this CPU: it begins with the bare machine, and ends with none. */
static inline struct machine_cpu processor_chain(const struct processor *p) {
    return (struct machine_cpu){p->machine, p->address};
}
static inline struct machine_cpu chain_next(struct machine_cpu c) { return c.machine->running[c.cpu]; }

/* Adds cycles that are not a retiring instruction's, for this cause, at the level that runs now. */
static inline void processor_book(struct processor *p, uint64_t cycles, enum cycle_cause cause) {
    p->cycles_offset += (int64_t)cycles;
    p->booked[p->level][cause] += cycles;
}
/* Brings instruction counts, nominal times and the books up to date. */
void processor_flush(struct processor *p);
/* Instructions and interruptions of m so far; of a machine that is only seen also those that will be counted when it
 * gets control. */
uint64_t machine_steps(const struct machine *m);
/* Whether m, for which the present machine_run was asked, has done as many instructions and interruptions as it may. */
bool machine_limit_reached(const struct machine *m);
/* Whether the run is to stop in front of this interpreted instruction; it does then. */
bool machine_stands_before(struct machine *m, uint32_t ia);
/* On this CPU the virtual CPU `to` (of no machine: none) begins to run on `on`. */
void processor_given(struct processor *p, struct machine_cpu on, struct machine_cpu to);
/* Asks the witnesses, from the bare machine upward, who runs on this CPU now. */
void processor_ask_witnesses(struct processor *p);
/* The channels with the machine's devices. */
struct channel_set *machine_channels(const struct machine *m);
/* Ends the run of whatever virtual machine is on this CPU: an interruption of the bare machine did. */
void processor_left(struct processor *p);
/* Whether an activation of the supervisor is in progress, suspended or not; its n-th virtual machine, NULL: none; and
 * all that it keeps (isa/snapshot.h). */
bool supervisor_active(const struct supervisor *s);
struct machine *supervisor_virtual(const struct supervisor *s, unsigned n);
void supervisor_archive(struct supervisor *s, struct archive *a);
/* CPU reset: the CPU is stopped, nothing is pending. Registers, PSW and clocks stay. */
void cpu_reset(struct processor *p);
/* Initial CPU reset: the same, and PSW, prefix, clock comparator and CPU timer 0, control registers at their initial
 * values. General registers and the TOD clock stay. */
void initial_cpu_reset(struct processor *p);

/* ---- Access to storage under the present PSW (isa/access.c) ---- */

enum access_kind { ACCESS_FETCH, ACCESS_STORE, ACCESS_INSTRUCTION };

/* To be called whenever PSW key or DAT bit, CR0, CR1, or the prefix has changed. */
void access_mode_changed(struct processor *p);
/* Forget what the lookasides have proved: storage keys, tables or the TLB have changed. */
void access_forget(struct processor *p);
/* The same for every CPU of the machine. */
void access_forget_all(struct machine *m);
/* Translates and checks one location without marking it; ACCESS_OK sets *absolute. */
unsigned access_locate(struct processor *p, uint32_t address, enum access_kind kind, uint32_t *absolute);
/* Sets reference (and change) bit of a block that access_locate has found accessible, and remembers it. */
struct lookaside_entry *access_mark(struct processor *p, uint32_t address, uint32_t absolute, enum access_kind kind);
/* Slow paths of the functions below; length 1..8. */
unsigned access_fetch(struct processor *p, uint32_t address, unsigned length, uint64_t *value);
unsigned access_store(struct processor *p, uint32_t address, unsigned length, uint64_t value);
/* Resets decoded instructions after a store of `length` bytes at `offset` of the block. */
void code_changed(struct code_block *code, uint32_t offset, uint32_t length);
/* The code block of a block of storage, made when it is not there; NULL: no memory. */
struct code_block *code_block_at(struct processor *p, uint32_t absolute);

#define ACCESS_FUNCTIONS(NAME, TYPE, BYTES, GET, PUT)                                                                  \
    static inline unsigned fetch_##NAME(struct processor *p, uint32_t a, TYPE *v) {                                    \
        const struct lookaside_entry *e = &p->lookaside[a >> STORAGE_BLOCK_SHIFT & (LOOKASIDE_ENTRIES - 1)];           \
        if (LIKELY(e->fetch == (p->context | (a & (0xFFF800u | (BYTES - 1)))))) {                                      \
            *v = GET(e->host + (a & (STORAGE_BLOCK_BYTES - 1)));                                                       \
            return 0;                                                                                                  \
        }                                                                                                              \
        uint64_t wide = 0;                                                                                             \
        unsigned x = access_fetch(p, a, BYTES, &wide);                                                                 \
        *v = (TYPE)wide;                                                                                               \
        return x;                                                                                                      \
    }                                                                                                                  \
    static inline unsigned store_##NAME(struct processor *p, uint32_t a, TYPE v) {                                     \
        const struct lookaside_entry *e = &p->lookaside[a >> STORAGE_BLOCK_SHIFT & (LOOKASIDE_ENTRIES - 1)];           \
        if (LIKELY(e->store == (p->context | (a & (0xFFF800u | (BYTES - 1)))))) {                                      \
            PUT(e->host + (a & (STORAGE_BLOCK_BYTES - 1)), v);                                                         \
            if (UNLIKELY(e->code != NULL))                                                                             \
                code_changed(e->code, a &(STORAGE_BLOCK_BYTES - 1), BYTES);                                            \
            return 0;                                                                                                  \
        }                                                                                                              \
        return access_store(p, a, BYTES, v);                                                                           \
    }
static inline uint8_t bytes_get8(const uint8_t *b) { return *b; }
static inline void bytes_put8(uint8_t *b, uint8_t v) { *b = v; }
ACCESS_FUNCTIONS(byte, uint8_t, 1, bytes_get8, bytes_put8)
ACCESS_FUNCTIONS(halfword, uint16_t, 2, bytes_get16, bytes_put16)
ACCESS_FUNCTIONS(word, uint32_t, 4, bytes_get32, bytes_put32)
ACCESS_FUNCTIONS(doubleword, uint64_t, 8, bytes_get64, bytes_put64)
#undef ACCESS_FUNCTIONS

/* An operand of 1..2048 bytes as it lies in host memory: one piece, or two where it crosses a block. */
struct span {
    uint8_t *piece[2];
    uint32_t length[2]; /* length[1] is 0 for one piece */
    struct code_block *code[2];
};
/* Makes every byte of the operand accessible, marks its blocks, and fills *s; or a program code, nothing marked. */
unsigned span_slow(struct processor *p, uint32_t address, uint32_t length, enum access_kind kind, struct span *s);
static inline unsigned span_open(struct processor *p, uint32_t a, uint32_t length, enum access_kind kind,
                                 struct span *s) {
    const struct lookaside_entry *e = &p->lookaside[a >> STORAGE_BLOCK_SHIFT & (LOOKASIDE_ENTRIES - 1)];
    uint32_t offset = a & (STORAGE_BLOCK_BYTES - 1);
    if (LIKELY((kind == ACCESS_STORE ? e->store : e->fetch) == (p->context | (a & 0xFFF800u)) &&
               offset + length <= STORAGE_BLOCK_BYTES)) {
        s->piece[0] = e->host + offset;
        s->length[0] = length;
        s->length[1] = 0;
        s->code[0] = e->code;
        return 0;
    }
    return span_slow(p, a, length, kind, s);
}
static inline uint8_t *span_at(const struct span *s, uint32_t i) {
    return i < s->length[0] ? s->piece[0] + i : s->piece[1] + (i - s->length[0]);
}
void span_stored_slow(const struct span *s);
/* To be called after bytes of a span opened for storing were changed. */
static inline void span_stored(const struct span *s) {
    if (UNLIKELY(s->code[0] || s->length[1]))
        span_stored_slow(s);
}
void span_read(const struct span *s, void *to);
void span_write(const struct span *s, const void *from);

/* Real storage without translation, protection or key 0..15 checks, for what the CPU itself reads and writes (PSWs,
 * codes, tables): false when it is not installed. `mark`: sets reference, and for a store change, bits. */
bool real_read(struct processor *p, uint32_t real, void *to, uint32_t length);
bool real_write(struct processor *p, uint32_t real, const void *from, uint32_t length);
/* Walks the present tables, without TLB or charge. */
enum access walk_tables(struct processor *p, uint32_t va, struct dat_walk *w);

/* ---- Addresses ---- */

static inline uint32_t address_rx(const struct processor *p, const struct operation *o) {
    return (p->gpr[o->r2] + p->gpr[o->b2] + o->d2) & ADDRESS_MASK;
}
static inline uint32_t address_2(const struct processor *p, const struct operation *o) {
    return (p->gpr[o->b2] + o->d2) & ADDRESS_MASK;
}
static inline uint32_t address_1(const struct processor *p, const struct operation *o) { /* SS, SSE */
    unsigned base = o->s1 >> 12;
    return ((base ? p->gpr[base] : 0) + (o->s1 & 0xFFF)) & ADDRESS_MASK;
}

/* ---- Execution ---- */

/* Fills an operation from an instruction's text (all but `go`). */
void operation_decode(struct operation *o, const struct cost_model *model, const struct instruction *i,
                      const uint8_t text[6]);
/* Runs until the horizon or until an instruction ends otherwise; psw.ia and p->length tell where. */
unsigned execute(struct processor *p);
/* Executes one decoded instruction outside the loop; `next` is the address of the instruction after it (after the
 * EXECUTE). Its static cost is charged here. */
unsigned execute_one(struct processor *p, const struct operation *o, enum instruction_id id, uint32_t next);

/* Fetches, decodes and executes the instruction at psw.ia apart from the loop; p->length becomes its length, 2 when it
 * could not be fetched. As execute_one, or an outcome with OUTCOME_LATE, or OUTCOME_CALL. */
unsigned execute_apart(struct processor *p);

/* The operations, one function an instruction, op_<function of the table>: those of kind FAR and CONTROL are called,
 * the others are inlined into the loop (isa/operations.h). They return 0, a program code, or an outcome. A CONTROL
 * operation finds psw.ia already at the next instruction and p->remaining up to date. */
#define OPERATION_DECLARE(function) unsigned op_##function(struct processor *p, const struct operation *o);
#define OPERATION_PLAIN(function)
#define OPERATION_STORAGE(function)
#define OPERATION_BRANCH(function)
#define OPERATION_EXECUTE(function)
#define OPERATION_SVC(function)
#define OPERATION_FAR(function) OPERATION_DECLARE(function)
#define OPERATION_CONTROL(function) OPERATION_DECLARE(function)
#define INSTRUCTION(code, mnemonic, name, format, cc, privileged, class, unit, kind, function, reason)                 \
    OPERATION_##kind(function)
#include "isa/instructions.def"
#undef OPERATION_DECLARE
#undef OPERATION_PLAIN
#undef OPERATION_STORAGE
#undef OPERATION_BRANCH
#undef OPERATION_EXECUTE
#undef OPERATION_SVC
#undef OPERATION_FAR
#undef OPERATION_CONTROL

/* ---- Interruptions (isa/interruption.c) ---- */

/* Each stores the old PSW and the codes, loads the new PSW, counts and books the swap. psw.ia must be what the old PSW
 * is to show. */
void interrupt_program(struct processor *p, unsigned code, unsigned ilc);
void interrupt_svc(struct processor *p, unsigned ilc);
void interrupt_restart(struct processor *p);
/* For directed machines: machine_deliver_external and _io. */
bool interrupt_deliver_external(struct processor *p, unsigned code, unsigned sender);
bool interrupt_deliver_io(struct processor *p, uint16_t address);
/* Takes the first pending and enabled asynchronous interruption; false: there is none. */
bool interrupt_pending(struct processor *p);
/* Clock time at which the first of the timers and channels that are enabled now will interrupt; UINT64_MAX: none. */
uint64_t interrupt_next(const struct processor *p);
/* Makes *psw current; an invalid one interrupts at once (or check-stops the machine, when it came from there). */
void psw_make_current(struct processor *p, const struct psw *psw);
/* CPU timer and TOD as readings at the present clock. */
uint64_t clock_tod(const struct processor *p);
/* The clock for an instruction that reads or sets the TOD: the CPU's own, but never before what another CPU has seen.
 */
uint64_t clock_common(struct processor *p);
uint64_t clock_timer(const struct processor *p);

/* Whether one is pending and enabled. */
bool interrupt_waiting(const struct processor *p);

/* ---- Several CPUs (isa/processors.c) ---- */

/* A CPU after initial CPU reset, operating. NULL: no memory. */
struct processor *processor_new(struct machine *m, unsigned address);
/* Gives the turn to the CPU that is due first, its clock moved on to that moment when it is idle. False: none will ever
 * be due, and m->status says why. */
bool machine_schedule(struct machine *m);
/* Whether no other CPU has anything to do before the present clock of this one. */
bool processor_is_first(const struct processor *p);
/* The present turn ends: what was done may concern the other CPUs. */
void machine_end_turn(struct machine *m);
/* How the machine has ended, when none of its CPUs can go on or waits for anything; else MACHINE_READY. */
enum machine_status machine_ended(const struct machine *m);
/* Cycles by which an idle CPU's accounts are behind the machine's clock. */
uint64_t processor_behind(const struct processor *p);
/* Moves a CPU's clock on to `clock`, which is not earlier, without executing: idle time. */
void processor_pass_time(struct processor *p, uint64_t clock);
/* The same for an idle CPU, whose timers stand still if it is stopped; no effect when it is there already. */
void processor_wake(struct processor *p, uint64_t clock);
/* Enters the check-stop state and alerts the others. */
void processor_check_stop(struct processor *p);
/* Whether a CPU can have this order to perform. */
bool processor_has_order(unsigned order);
/* SIGP: p sends an order to the CPU at this address. Returns the condition code; 1: *status is set. */
unsigned processor_signal(struct processor *p, unsigned address, unsigned order, uint32_t *status);
/* Performs the order that the CPU has accepted. */
void processor_perform(struct processor *p);

/* ---- Supervisors (isa/supervisor.c) ---- */

/* Executes the CALL at psw.ia: enters or continues a supervisor. False: it is an operation exception. */
bool supervisor_call(struct processor *p);

#endif
