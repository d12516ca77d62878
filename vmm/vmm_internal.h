/* What the parts of a monitor share: struct vmm, struct guest, and each part's face towards the others.
 *
 *   dispatcher.c    every trap arrives here, and leaves by one return
 *   interpreter.c   one routine a privileged instruction, reached through one table
 *   reflect.c       interruptions given to the guest, as its own CPU would give them
 *   shadow.c        the tables under which the guest runs
 *   access.c        the guest's storage as its own CPU would reach it
 *   timers.c        the guest's clocks, and the machine's CPU timer that stands in for them
 *   guest.c         the guest as a machine, for those outside
 *   allocator.c     who owns which frame
 *
 * Everything below the line "inside an activation" runs as a program of the monitor's machine: it touches that machine
 * only by isa/supervisor.h, may be suspended in any processor_ call, and may be dropped there. So it owns nothing
 * across such a call, and what it has written into struct vmm and struct guest by then must make sense by itself; a
 * restart rebuilds what was derived (shadows, loaded registers).
 *
 * Addresses: guest logical (what the guest's program says), guest real (after the guest's DAT), guest absolute (after
 * its prefixing), and real ones of the monitor's machine, called host addresses here: origin + guest absolute. */
#ifndef VMM_VMM_INTERNAL_H
#define VMM_VMM_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/timeline.h"
#include "isa/channel.h"
#include "isa/instruction.h"
#include "isa/machine.h"
#include "isa/psw.h"
#include "isa/supervisor.h"
#include "mmu/dat.h"
#include "mmu/storage.h"
#include "vmm/vmm.h"

enum { VMM_FRAME_BYTES = 4096, VMM_ADDRESS_MASK = 0xFFFFFF };
#define VMM_NEVER UINT64_MAX /* a cycle that does not come */

/* ---- The allocator: frames of the monitor's machine, 4 KB each ---- */

enum { FRAME_FREE = 0, FRAME_MONITOR = 1, FRAME_GUEST = 2 /* + the guest's index */ };

struct allocator {
    uint32_t frames; /* installed */
    uint8_t owner[STORAGE_MOST_BYTES / VMM_FRAME_BYTES];
};
void allocator_init(struct allocator *a, uint32_t memory_bytes); /* page 0 is the monitor's */
/* The real address of `bytes` (rounded up to frames) in one piece, now owner's; -1: there is no such piece. */
int64_t allocator_take(struct allocator *a, uint32_t bytes, uint8_t owner);
void allocator_give_back(struct allocator *a, uint8_t owner); /* all that it owns */

/* ---- Shadow tables ---- */

/* One table region a space: a segment table of 256 segments of 64 KB, and for each a page table of 16 or 32 entries. */
enum {
    SHADOW_SPACES = 8, /* cached spaces with DAT on, besides the map of guest real storage */
    SHADOW_SEGMENTS = 256,
    SHADOW_SEGMENT_TABLE_BYTES = SHADOW_SEGMENTS * 4,
    SHADOW_PAGE_TABLE_BYTES = 64,
    SHADOW_SPACE_BYTES = SHADOW_SEGMENT_TABLE_BYTES + SHADOW_SEGMENTS * SHADOW_PAGE_TABLE_BYTES,
    SHADOW_BYTES = (SHADOW_SPACES + 1) * SHADOW_SPACE_BYTES,
};

struct shadow_space {
    uint32_t table;                  /* host address of the segment table; the page tables follow it */
    bool made;                       /* the segment table has been written */
    uint64_t key;                    /* the guest's CR1 and format; 0: free */
    uint64_t used;                   /* larger: dispatched later */
    uint8_t page_shift;              /* as the guest's pages: 11 or 12 */
    bool megabytes;                  /* the guest's segments are of 1 MB: sixteen of ours each */
    uint32_t entry[SHADOW_SEGMENTS]; /* the guest's entry that a segment was made from; SHADOW_INVALID: none */
};
enum { SHADOW_INVALID = 1 }; /* also the invalid segment-table entry itself */

/* CR1 for a space: the length counts 16 entries, minus 1. */
static inline uint32_t shadow_cr1(const struct shadow_space *s) {
    return (uint32_t)(SHADOW_SEGMENTS / 16 - 1) << 24 | s->table;
}

struct shadow {
    struct shadow_space real; /* guest real storage, for the guest with DAT off; its `entry` is 0 where valid */
    struct shadow_space space[SHADOW_SPACES];
    uint64_t uses;
};

/* ---- Guest and monitor ---- */

/* External conditions that stay until they are taken; clock comparator and CPU timer are levels. */
enum external_condition {
    EXTERNAL_INTERRUPT_KEY = 1,
    EXTERNAL_EMERGENCY_SIGNAL = 2,
    EXTERNAL_CALL = 4,
    EXTERNAL_INTERVAL_TIMER = 8,
};

/* One virtual machine. It is data of its monitor: the CPU knows nothing of it. */
struct guest {
    struct vmm *monitor;
    struct machine *machine;
    uint32_t origin, memory; /* of its frames in the machine below; bytes */
    uint32_t tables;
    bool facilities; /* a monitor is its program: it is offered the bare machine's facilities */

    /* Its CPU. While it runs, general registers, condition code, program mask and instruction address are the real
     * ones. */
    struct psw psw;
    uint32_t gpr[16], cr[16];
    uint32_t prefix;
    uint64_t epoch; /* TOD = units of the machine's clock + epoch, modulo 2^64 */
    uint64_t comparator;
    uint64_t timer_sum;  /* CPU timer = timer_sum - units of the machine's clock, modulo 2^64 */
    uint64_t ticks;      /* of the interval timer, accounted for at real 80 */
    uint32_t timer_word; /* what real 80 held then */
    unsigned external;   /* enum external_condition: those that are kept pending */
    bool machine_check;  /* pending */
    enum machine_status status;
    bool start_with_psw; /* how the next restart of the monitor starts it */
    uint8_t start_psw[8];

    /* Program-interruption loops: the last interruption, whether anything was retired since, and whether it is a loop.
     */
    bool last_valid, progress, looping;
    uint8_t last_old[8];
    unsigned last_code;
    uint32_t dispatched_at; /* the instruction address it was last given control at */

    struct shadow shadow;
    bool shadows_stale; /* changed from outside: rebuild before the next dispatch */

    struct channel_set *channels;
    struct timeline *timeline; /* of its clock, in picoseconds */
    bool advancing;            /* the timeline fires what is due */
};

enum dispatched { DISPATCHED_NOTHING, DISPATCHED_WAIT, DISPATCHED_GUEST };

struct vmm {
    struct machine *machine;
    struct supervisor *supervisor;
    const char *kind;
    struct allocator frames;
    struct guest *guest; /* NULL: none yet */
    struct vmm_stats stats;

    /* What this monitor has loaded into its machine, so that it need not again. */
    enum dispatched dispatched;
    bool loaded; /* cr0, cr1, cr8 below are known */
    uint32_t cr0, cr1, cr8;
    uint64_t armed; /* cycle of the machine's clock at which its CPU timer interrupts; VMM_NEVER: it is masked */
    bool purge_due; /* a shadow entry that may be in the TLB was made invalid or changed */

    /* Of the present activation. */
    struct processor *p;
    bool clock_known;
    bool given; /* an interruption, or all that its run is limited to: it gets no other in this activation */
    uint64_t clock;
};

/* An interruption: one that arrived from the machine below, or one to be given to a guest. */
struct interruption {
    enum interruption_class class;
    unsigned code; /* program, external; I/O: the address; SVC: the number */
    unsigned ilc;  /* bytes */
    uint32_t translation_address;
    uint32_t monitor_code;
    uint8_t monitor_class;
    uint64_t csw; /* I/O; machine check: its code */
};

/* ---- Outside activations ---- */

struct guest *guest_new(struct vmm *v, const struct guest_options *o, struct error *e);
void guest_free(struct guest *g);
/* NULL: not a guest of a monitor of ours. */
struct guest *guest_of(const struct machine *m);
static inline uint32_t guest_absolute(const struct guest *g, uint32_t real) {
    return storage_prefix(real & VMM_ADDRESS_MASK, g->prefix);
}

/* ---- Inside an activation ---- */

/* dispatcher.c: supervisor_ops.interrupt. */
uint32_t dispatcher_interrupt(void *self, struct processor *p, enum interruption_class c);

/* interpreter.c: i is the privileged-operation exception that the guest met in virtual supervisor state (or STCK, in
 * either). */
void interpreter_run(struct vmm *v, struct guest *g, const struct interruption *i);

/* reflect.c: stores old PSW and codes, loads the new PSW. A program-interruption loop sets g->looping. */
void reflect(struct vmm *v, struct guest *g, const struct interruption *i);
void reflect_program(struct vmm *v, struct guest *g, unsigned code, unsigned ilc);
/* The exception of a PSW that became current and is not valid; nothing when it is. */
void reflect_invalid_psw(struct vmm *v, struct guest *g);

/* shadow.c */
void shadow_reset(struct vmm *v, struct guest *g);                  /* nothing is valid any more */
struct shadow_space *shadow_select(struct vmm *v, struct guest *g); /* for the guest's present mode and space */
/* The guest referred to a page that its shadow has not. 0: now it has; or the program code that its own tables give. */
unsigned shadow_fault(struct vmm *v, struct guest *g, uint32_t address);
void shadow_purge(struct vmm *v, struct guest *g, const char *cause);    /* all spaces with DAT on */
void shadow_prefix(struct vmm *v, struct guest *g, uint32_t new_prefix); /* before the prefix changes */
/* The guest's page-table entry `index` of the table at `origin`, under format f, is invalid now. */
void shadow_invalidate(struct vmm *v, struct guest *g, uint32_t origin, uint32_t index, const struct dat_format *f);

/* access.c. Real ones: no protection; anything but ACCESS_OK moved nothing. 1..256 bytes. */
enum access guest_fetch_real(struct vmm *v, struct guest *g, uint32_t real, void *to, uint32_t length);
enum access guest_store_real(struct vmm *v, struct guest *g, uint32_t real, const void *from, uint32_t length);
/* Walks the guest's own tables. */
enum access guest_walk(struct vmm *v, struct guest *g, uint32_t address, struct dat_walk *w);
/* The real key of the block at this guest absolute address. */
uint8_t guest_key(struct vmm *v, struct guest *g, uint32_t absolute);
/* Logical ones: as an instruction of the guest, with its DAT, key and protections, all blocks checked first. Not
 * ACCESS_OK: the program code; for SEGMENT and PAGE *failed is the translation-exception address. */
enum access guest_fetch(struct vmm *v, struct guest *g, uint32_t address, void *to, uint32_t length, uint32_t *failed);
enum access guest_store(struct vmm *v, struct guest *g, uint32_t address, const void *from, uint32_t length,
                        uint32_t *failed);

/* timers.c. Cycles are those of the clock of the monitor's machine. */
uint64_t timers_now(struct vmm *v); /* read once an activation; reading it again after an instruction was retired */
uint64_t timers_tod(const struct guest *g, uint64_t now);
uint64_t timers_cpu_timer(const struct guest *g, uint64_t now);
void timers_tick(struct vmm *v, struct guest *g); /* brings the interval timer at real 80 up to date */
/* Those of CR0_CLOCK_COMPARATOR, CR0_CPU_TIMER and CR0_INTERVAL_TIMER whose conditions hold and are enabled in CR0. */
uint32_t timers_pending(struct vmm *v, struct guest *g);
/* The cycle at which the first timer or device will interrupt that the guest has enabled now; VMM_NEVER: none. */
uint64_t timers_deadline(struct vmm *v, struct guest *g);
/* Sees to it that the monitor is interrupted at that cycle, or earlier. */
void timers_arm(struct vmm *v, uint64_t deadline);
/* The guest's devices do what is due by now. */
void timers_advance_devices(struct vmm *v, struct guest *g);

#endif
