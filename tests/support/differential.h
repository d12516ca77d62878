/* Differential testing: random programs that run on any engine that knows System/370, and results that are compared.
 *
 * A case is nothing but an initial state (storage, keys, registers, PSW); how it came about is the generator's business
 * and who runs it an engine's: Hercules, the bare machine, a machine under monitors. To every engine it is a storage
 * image that a restart starts: page 0 and a prologue, built here in S/370 code, load keys, prefix, control and general
 * registers and the PSW of the program under test; the new PSWs lead to handlers that log each interruption and go on;
 * and an epilogue dumps what only the machine itself can see (control registers, prefix, storage keys) and ends in a
 * disabled wait. So everything of interest lies in storage at the end.
 *
 * Storage of a case, absolute:
 *      0000  page 0: assigned locations, values for the prologue, save areas, handlers, epilogue
 *      1000  the program under test (by default), targets of EXECUTE
 *      2000  operands; 3000 and 1D000 can become the prefix page and begin as copies of page 0
 *      D000  where clocks are stored; never compared
 *      E000  log of interruptions; E800 dump of keys
 *     10000  segment and page tables
 *     18000  operands
 *     1F000  prologue, then the keys it sets
 *   the last 8 KB of storage: operands */
#ifndef TESTS_SUPPORT_DIFFERENTIAL_H
#define TESTS_SUPPORT_DIFFERENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "isa/instruction.h"

enum {
    DIFF_LOW = 0x20000,
    DIFF_HIGH = 0x2000,
    DIFF_PROGRAM = 0x1000,
    DIFF_PREFIX_A = 0x3000,
    DIFF_PREFIX_B = 0x1D000,
    DIFF_CLOCKS = 0xD000,
    DIFF_CLOCKS_END = 0xD100,
    DIFF_LOG = 0xE000,
    DIFF_LOG_ENTRY = 48,
    DIFF_LOG_ENTRIES = 16,
    DIFF_LOG_NEXT = DIFF_LOG + DIFF_LOG_ENTRIES * DIFF_LOG_ENTRY, /* address of the next free entry */
    DIFF_KEYS = 0xE800,                                           /* 1024 keys from 0, then 4 of the last 8 KB */
    DIFF_KEYS_END = 0xEC04,
    DIFF_TABLES = 0x10000,
    DIFF_TABLES_END = 0x18000,
    DIFF_PROLOGUE = 0x1F000,
    DIFF_LOW_BLOCKS = DIFF_LOW / 2048,
    DIFF_HIGH_BLOCKS = DIFF_HIGH / 2048,
    DIFF_INSTRUCTIONS = 40,
};

/* Where things lie in page 0. */
enum {
    PAGE0_GPR = 0x200,
    PAGE0_CR = 0x240,
    PAGE0_PSW = 0x280,
    PAGE0_PREFIX = 0x288,
    PAGE0_COMPARATOR = 0x290,
    PAGE0_TIMER = 0x298,
    PAGE0_SAVE = 0x2A0, /* general registers at the last interruption: at the end, those of the program */
    PAGE0_LOG = 0x2E0,  /* address of DIFF_LOG_NEXT; end */
    PAGE0_CODE = 0x300,
    PAGE0_CODE_END = 0x500,
    PAGE0_RESUME = 0x4D0,
    PAGE0_CR_DUMP = 0x500,
    PAGE0_PREFIX_DUMP = 0x540,
    PAGE0_END = 0x548,
};

/* The disabled wait of the epilogue. */
#define DIFF_END_ADDRESS 0x00E0D0u

struct cost_model; /* isa/cost.h */

struct differential_instruction {
    uint32_t at;   /* logical address */
    uint32_t real; /* of its first byte, in `low` or the last 8 KB */
    uint8_t length;
    bool target;       /* executed by an EXECUTE only */
    int16_t id;        /* enum instruction_id, or -1: an unassigned opcode */
    int16_t target_id; /* of an EXECUTE: what it executes; otherwise -1 */
};

struct differential_case {
    uint64_t seed;
    uint64_t number;
    uint32_t memory; /* bytes: 2 MB or 16 MB */
    bool full;       /* compare all of storage, not only the parts below */
    uint32_t gpr[16], cr[16], prefix;
    uint8_t psw[8];
    uint8_t new_psw[6][8]; /* restart's is not used; all zero: the handler's */
    uint32_t range[2];     /* interruptions outside these addresses end the case */
    uint64_t comparator, timer;
    uint32_t interval_timer; /* real 80, which Hercules changes as it likes */
    bool stops;              /* access exceptions end the case; otherwise it goes on behind them */
    uint8_t keys[DIFF_LOW_BLOCKS], high_keys[DIFF_HIGH_BLOCKS];
    uint8_t low[DIFF_LOW], high[DIFF_HIGH]; /* storage, without page 0's and the prologue's own contents */
    int16_t focus;                          /* the instruction that this case is about */
    uint32_t clock[64];                     /* absolute addresses of bytes where the program stores a clock */
    unsigned clock_count;
    unsigned count;
    struct differential_instruction program[DIFF_INSTRUCTIONS];
};

/* --- the generator (differential_generator.c) --- */

/* Makes case `number` of the run with `seed`; focus: an enum instruction_id, or -1 to take them in turn. */
void differential_generate(struct differential_case *c, uint64_t seed, uint64_t number, int focus);
/* Lays page 0, its copies and the prologue over low: the image that a restart starts. image: DIFF_LOW bytes. */
void differential_image(const struct differential_case *c, uint8_t *image);

/* --- engines --- */

enum differential_end { END_WAIT, END_CHECK_STOP, END_LIMIT, END_FAILED };

struct differential_result {
    enum differential_end end;
    uint8_t psw[8];
    uint32_t gpr[16], cr[16];
    uint64_t instructions; /* executed; 0: the engine does not count them */
    uint8_t *low, *high;   /* DIFF_LOW and DIFF_HIGH bytes, absolute */
    uint8_t *rest;         /* of a full case: everything from DIFF_LOW to memory - DIFF_HIGH */
};
bool differential_result_init(struct differential_result *r);
void differential_result_fini(struct differential_result *r);

struct differential_engine {
    const char *name;
    void *self;
    /* Runs the cases; low and high of the results are the caller's, rest too where a case is full. */
    void (*run)(void *self, const struct differential_case *const *cases, struct differential_result *results,
                size_t count);
    void (*free)(void *self);
};
/* Hercules, in processes that are started when first needed. False and *e when it cannot be started. */
bool differential_hercules(struct differential_engine *engine, unsigned processes, struct error *e);
/* The bare machine of isa/machine.h, with this model and TOD clock; *m is borrowed. */
struct differential_machine {
    const struct cost_model *model;
    uint64_t tod;
};
void differential_machine(struct differential_engine *engine, const struct differential_machine *m);

/* --- comparison (differential_compare.c) --- */

/* A deliberate difference between engines: docs/differences.md is written from this list. */
struct differential_exception {
    const char *name, *reason;
};
enum exception {
    EXCEPTION_TIMER,
    EXCEPTION_CLOCKS,
    EXCEPTION_FETCH,
    EXCEPTION_FETCH_FAULT,
    EXCEPTION_MONITOR_BC,
    EXCEPTION_EXTENDED_CODES,
    EXCEPTION_DISPLAYED_PSW,
    EXCEPTION_EXTERNAL_ILC,
    EXCEPTION_LOOP,
    EXCEPTION_REFERENCE,
    EXCEPTION_DECIMAL_ORDER,
    EXCEPTION_OPCODES,
    EXCEPTION_EDIT,
    EXCEPTION_PREFIX,
    EXCEPTION_RESET_REFERENCE,
    EXCEPTION_REFERENCE_ONLY,
    EXCEPTION_ORDER,
    EXCEPTION_LONG,
    EXCEPTION_WRAP,
    EXCEPTION_SET_KEY,
    EXCEPTION_FORMAT,
    EXCEPTION_COMPARE,
    EXCEPTION_HALT,
    EXCEPTION_BLOCK_ADDRESS,
    EXCEPTION_CHANNEL_ID,
    EXCEPTION_CLOCK_DUE,
    EXCEPTION_PER,
    EXCEPTION_LOG,
    EXCEPTION_ALIAS,
    EXCEPTION_PREFIX_KEYS,
    EXCEPTION_DIAGNOSE,
    EXCEPTION_TIME,
    EXCEPTION_LATER_ORDER,
    EXCEPTION_EXECUTED_LENGTH,
    EXCEPTION_HOST_TRAP,
    EXCEPTION_COUNT
};
extern const struct differential_exception differential_exceptions[EXCEPTION_COUNT];

enum differential_verdict {
    VERDICT_EQUAL,
    VERDICT_EXCUSED, /* differs, and an exception of the list covers it: *exception */
    VERDICT_DIFFERENT,
};
/* Compares a result `a` of the engine that is the standard with a result `b`. Both are changed: what a listed exception
 * masks is made equal. */
enum differential_verdict differential_compare(const struct differential_case *c, struct differential_result *a,
                                               struct differential_result *b, const char **exception);
/* The name of the exception that differences are to be put down to which vanish where reference and change bits are on
 * from the beginning; NULL when the program has no instruction that tells of them. */
const char *differential_reference_exception(const struct differential_case *c);
/* Puts no-operations in the place of the instructions that an exception is about. False when there are none: it is not
 * about instructions, or they were not the program's. */
bool differential_leave_out(struct differential_case *c, const char *exception);
/* Prints where they differ (after differential_compare). */
void differential_print_difference(FILE *to, const struct differential_case *c, const struct differential_result *a,
                                   const struct differential_result *b, const char *a_name, const char *b_name);
/* Prints a case: its state and its program, disassembled. */
void differential_print_case(FILE *to, const struct differential_case *c);

/* Reduces a case for as long as `differs` says that it still differs. */
void differential_shrink(struct differential_case *c, bool (*differs)(void *self, const struct differential_case *c),
                         void *self);

/* --- coverage (differential_coverage.c) --- */

enum { COVERAGE_CODES = 20 };
struct differential_coverage {
    uint32_t executed[INSTRUCTION_S370_COUNT];
    uint32_t cc[INSTRUCTION_S370_COUNT][4];
    uint32_t code[INSTRUCTION_S370_COUNT][COVERAGE_CODES]; /* program codes 0-13 hex; index 0: monitor event */
    uint32_t interruptions[6];
    uint32_t early; /* PSWs that were invalid when they became current */
};
/* Counts what this case reached, from its log. */
void differential_cover(struct differential_coverage *v, const struct differential_case *c,
                        const struct differential_result *r);
void differential_coverage_add(struct differential_coverage *to, const struct differential_coverage *from);
/* Prints the table and what was not reached. Returns how many of those have no explanation. */
unsigned differential_coverage_print(FILE *to, const struct differential_coverage *v);

#endif
