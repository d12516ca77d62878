/* The isomorphism f of Popek and Goldberg as data: for every piece of a machine's state where it is in the machine
 * below, what stands there, and how it is written.
 *
 * f leads from the states of a virtual machine to those of the machine that it runs on. That one may be virtual again,
 * with an f of its own, and so on down to the bare machine; a look has all of these machines, the asked one first, and
 * gives one row for a piece and a level. Where a register of the guest is a register of its host, or its storage a part
 * of the host's, the row below is that of the host's piece. Data of a monitor in C lie outside of all machines, and
 * there the way ends; those of a hypervisor in assembler are storage of its machine (vmm/map.h), and lead on.
 *
 * What f says is true between two steps of a guest: while it has the CPU, or waits. A look is a copy of registers and
 * PSWs, and is taken anew after each run; storage and devices are looked at when a row is asked for. Looking changes
 * nothing and costs no cycles. */
#ifndef VMM_ISOMORPHISM_H
#define VMM_ISOMORPHISM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "isa/machine.h"

enum piece_kind {
    PIECE_GENERAL_REGISTER, /* n: 0..15 */
    PIECE_SYSTEM_MASK,      /* of the PSW, field by field */
    PIECE_ACCESS_KEY,
    PIECE_EC_MODE,
    PIECE_MACHINE_CHECK_MASK,
    PIECE_WAIT,
    PIECE_PROBLEM, /* 0: supervisor state: the rings */
    PIECE_CONDITION_CODE,
    PIECE_PROGRAM_MASK,
    PIECE_INSTRUCTION_ADDRESS,
    PIECE_CONTROL_REGISTER, /* n: 0..15 */
    PIECE_PREFIX,
    PIECE_TOD,
    PIECE_COMPARATOR,
    PIECE_CPU_TIMER,
    PIECE_INTERVAL_TIMER, /* the word at real 80 */
    PIECE_PENDING,        /* n: enum piece_pending */
    PIECE_STORAGE,        /* n: absolute address, with `bytes`, within one page; in order: whole pages */
    PIECE_STORAGE_KEY,    /* n: absolute address of a block of 2 KB */
    PIECE_TRANSLATION,    /* n: virtual address of a page that is mapped while the guest runs */
    PIECE_DEVICE,         /* n: in the machine's order */
    PIECE_KINDS,
};
enum piece_pending {
    PENDING_PIECE_INTERRUPT_KEY,
    PENDING_PIECE_EMERGENCY_SIGNAL,
    PENDING_PIECE_EXTERNAL_CALL,
    PENDING_PIECE_INTERVAL_TIMER,
    PENDING_PIECE_MACHINE_CHECK,
    PENDING_PIECES,
};
struct piece {
    enum piece_kind kind;
    uint32_t n, bytes; /* bytes: of storage, 1 to 4096; of others isomorphism_next's own affair */
};

enum place_kind {
    PLACE_HARDWARE, /* the machine is bare: its own */
    PLACE_REGISTER, /* the same register or field of the CPU below, which the guest has now */
    PLACE_MONITOR,  /* data of the monitor in C: `field` */
    PLACE_STORAGE,  /* storage of the machine below, absolute address `at`, `bytes` */
    PLACE_KEY,      /* the key there */
    PLACE_TABLE,    /* the entry of the tables that the monitor made, in the storage below at absolute `at` */
    PLACE_DISK,     /* blocks `first` to first + blocks - 1 of the disk `at` of the machine below */
    PLACE_DEVICE,   /* the device `at` of the machine below, in turns with others */
    PLACE_MODEL,    /* a device of its own, which the simulator keeps for the monitor */
    PLACE_UNTOLD,   /* the hypervisor's map does not say */
    PLACE_KINDS,
};

/* How what stands there is made of the guest's value. */
enum encoding {
    ENCODING_SAME,
    ENCODING_KEPT,        /* the same, but the CPU has another value while the guest runs, which is the monitor's: the
                           * PSW is de-privileged, control registers lead to shadow tables */
    ENCODING_RELOCATED,   /* the same bytes or blocks, elsewhere */
    ENCODING_MINUS_CLOCK, /* the value minus the TOD clock below */
    ENCODING_PLUS_CLOCK,  /* the value plus that */
    ENCODING_COMPOSED,    /* a translation: where the guest's page is below */
    ENCODING_KINDS,
};

struct isomorphism_row {
    struct piece piece;
    struct machine *machine, *host; /* whose piece; where it is; NULL: the machine is bare */
    int level;                      /* of `machine` */
    unsigned cpu, host_cpu;
    bool known; /* `value` and `stands` are */
    uint64_t value;
    enum place_kind place;
    const char *field;      /* PLACE_MONITOR; and what it is called in a hypervisor's map; or NULL */
    uint32_t at, bytes;     /* see enum place_kind */
    uint16_t device;        /* of a device: its address for `machine` */
    uint32_t first, blocks; /* PLACE_DISK */
    uint64_t stands;
    enum encoding encoding;
    bool in_force_known; /* the guest has the CPU below, and this is a register or a field of the PSW: */
    uint64_t in_force;   /* what that CPU really has there */
};
/* Values are numbers, storage of more than 8 bytes a checksum of its contents, and a device's what it does and what is
 * pending (machine_device_activity). */

struct guest;

/* One machine of a look. */
struct isomorphism_level {
    struct machine *machine, *host;
    unsigned cpu, host_cpu;
    bool live; /* it has the CPU below */
    /* It had, and its monitor has not come to save what it finds: the general registers are those of the CPU below, and
     * so is what changes of the PSW, or that is on its way. */
    bool unsaved, moving;
    struct machine_state state, below;
    uint32_t prefix, prefix_below; /* of their CPUs 0, from which storage is peeked at */
    const struct guest *guest;     /* of a monitor in C */
    bool seen;                     /* through a map */
};
struct isomorphism {
    unsigned levels; /* the asked machine and all below it */
    struct isomorphism_level level[MACHINE_LEVELS];
};

/* CPU `cpu` of m, with all that it runs on. */
void isomorphism_look(struct isomorphism *f, struct machine *m, unsigned cpu);
/* The row of a piece of f->level[level]. False: it has no such piece. */
bool isomorphism_row(const struct isomorphism *f, unsigned level, const struct piece *p, struct isomorphism_row *to);
/* The same from the asked machine downward, as far as it leads: how many rows. to: f->levels of them. */
unsigned isomorphism_follow(const struct isomorphism *f, const struct piece *p, struct isomorphism_row *to);
/* The composition of all f for one byte: absolute storage of the asked machine -> of the bare one; -1: not its own. */
int64_t isomorphism_storage(const struct isomorphism *f, uint32_t absolute);
/* The pieces of f->level[level] in order: the first one of a kind (false: there is none); and the one behind *p, of the
 * same kind or the next that there is (false: there are no more). {0} is the first of all, general register 0. */
bool isomorphism_first(const struct isomorphism *f, unsigned level, enum piece_kind kind, struct piece *p);
bool isomorphism_next(const struct isomorphism *f, unsigned level, struct piece *p);

/* f applied to another value of the row's piece: what would stand there. `clock`: of the machine below. */
uint64_t isomorphism_image(const struct isomorphism_row *row, uint64_t value, uint64_t clock);
/* The value of a piece that a machine_state has; false: it has none. */
bool isomorphism_value(const struct machine_state *s, const struct piece *p, uint64_t *value);

/* Texts: "general register 5", "PSW problem state"; "register 5 of the CPU of bare", "storage of bare at 0081F0";
 * "as it is", "minus the clock below". */
enum { ISOMORPHISM_TEXT = 96 };
void isomorphism_piece_text(const struct isomorphism_row *row, char to[ISOMORPHISM_TEXT]);
void isomorphism_place_text(const struct isomorphism_row *row, char to[ISOMORPHISM_TEXT]);
const char *isomorphism_encoding_text(enum encoding e);
const char *isomorphism_place_name(enum place_kind k); /* "register", "monitor", ... */
const char *isomorphism_kind_name(enum piece_kind k);  /* "general register", ... NULL: there is no such kind */

/* What serves device n of a machine: a model, and where in it the machine's disk begins. False: there are no more. */
struct isomorphism_device {
    uint16_t address;
    struct device *model;   /* of the machine itself, or of one below */
    uint32_t first, blocks; /* a disk's; 0 blocks: it is none */
};
bool isomorphism_device_at(const struct machine *m, unsigned n, struct isomorphism_device *to);

#endif
