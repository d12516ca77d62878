/* The reference monitor, "trap-and-emulate": what its parts share beside vmm/module.h.
 *
 *   dispatcher.c       every trap arrives here, and leaves by one return
 *   reflect.c          interruptions given to the guest, as its own CPU would give them
 *   interpreter.c      one routine a privileged instruction, reached through one table
 *   shadow.c           the tables under which guests run
 *   allocator.c        who owns which frame
 *   scheduler.c        whose turn it is
 *   access.c           guest storage as the guest's own CPU would reach it
 *   timers.c           the guests' clocks, and the machine's CPU timer that stands in for them
 *   hybrid.c           the kind "hybrid": the same, but that virtual supervisor state is interpreted
 *   channel_program.c  channel programs for real devices: copied, relocated, started, ended
 *
 * Nothing here includes anything but this and vmm/module.h. */
#ifndef VMM_REFERENCE_REFERENCE_H
#define VMM_REFERENCE_REFERENCE_H

#include "vmm/module.h"

enum { FRAMES_MOST = STORAGE_MOST_BYTES / FRAME_BYTES };

/* ---- The allocator's ---- */

enum { FRAME_FREE = 0, FRAME_MONITOR = 1, FRAME_GUEST = 2, FRAME_TABLES = FRAME_GUEST + GUESTS_MOST }; /* + the guest */
struct frames {
    uint32_t count; /* installed */
    uint8_t owner[FRAMES_MOST];
    uint16_t pins[FRAMES_MOST];
    uint32_t origin[GUESTS_MOST]; /* of the guest's storage, which is contiguous */
    uint32_t memory[GUESTS_MOST]; /* bytes; 0: none */
};

/* ---- Channel programs under way ---- */

enum {
    DISKS_MOST = 4,           /* real ones of which guests have parts */
    PROGRAM_CCWS = 2048,      /* of one channel program, as copied */
    PROGRAM_ADDRESSES = 4032, /* IDAWs, */
    PROGRAM_NEAR = 192,       /* the first of which lie in the frame where the program begins */
    PROGRAM_PARAMETERS = 16,  /* of 16 bytes each */
    PROGRAM_BYTES = PROGRAM_CCWS * 8 + PROGRAM_ADDRESSES * 4 + PROGRAM_PARAMETERS * 16,
};
_Static_assert(PROGRAM_BYTES % FRAME_BYTES == 0, "the copy fills its frames");
_Static_assert(PROGRAM_ADDRESSES *DISKS_MOST <= UINT16_MAX, "a frame's pins can be counted");

/* What a guest has asked for. */
struct channel_request {
    unsigned guest;
    struct minidisk disk;
    uint32_t caw;
};

/* The program that a real disk runs, as copied: where each CCW came from, and what it may not say about itself. */
struct channel_program {
    struct channel_request of;
    bool used;      /* it is of that guest, and has not ended */
    bool forgotten; /* the guest was reset meanwhile */
    uint32_t base;  /* host real: of the copy */
    unsigned ccws, addresses, parameters;
    bool extent;                        /* a read IPL has defined the extent, */
    unsigned ipl_extent;                /* by this CCW; PROGRAM_CCWS: none */
    uint32_t ipl_locate;                /* host real: what it locates; 0: none has yet */
    uint32_t came_from[PROGRAM_CCWS];   /* guest absolute address of the CCW */
    uint8_t instead[PROGRAM_CCWS];      /* channel status instead of program check when it fails there; 0: that */
    uint16_t pinned[PROGRAM_ADDRESSES]; /* frames of the guest */
    unsigned pins;
    uint32_t characteristics;    /* guest absolute: where device characteristics were read to; 0: nowhere */
    unsigned characteristics_at; /* by which CCW */
};

struct host_disk {
    uint16_t address;
    bool running; /* `program` */
    struct channel_program program;
    struct channel_request queue[GUESTS_MOST * MINIDISKS_MOST]; /* in order of arrival */
    unsigned queued;
};

/* ---- All of it ---- */

struct shadow;

/* A CPU of the machine: what this monitor has loaded into it, so that it need not again. */
struct host_cpu {
    unsigned address;
    struct virtual_cpu *current; /* it was given control; NULL: the CPU waits */
    struct virtual_cpu *last;    /* who had it last */
    struct virtual_cpu *between; /* it goes on with this one, after an interruption that is due at once; NULL: none */
    bool loaded;                 /* cr0, cr1, cr8 below are known */
    uint32_t cr0, cr1, cr8;
    uint64_t armed;     /* cycle of the machine's clock at which its CPU timer interrupts; CYCLE_NEVER: it is masked */
    uint64_t slice_end; /* cycle at which `last` has had its turn; CYCLE_NEVER: nobody else wants one */
    bool purge_due;     /* a shadow entry that may be in the TLB was made invalid or changed */
    uint8_t seen[GUESTS_MOST]; /* whose entries may be there: bit n, that guest's virtual CPU n */
    bool waits;                /* it was given an enabled wait */
    bool signalled;            /* it has been told to come, and has not come yet */
};

struct reference {
    struct frames frames;
    struct shadow *shadow[GUESTS_MOST][VIRTUAL_CPUS_MOST];
    uint8_t *tables[GUESTS_MOST]; /* by guest absolute frame: whether the guest's tables lie there, and stores are
                                     caught (shadow.c); NULL: they are not */
    bool opened[GUESTS_MOST];     /* some such frame is open */
    struct host_disk disk[DISKS_MOST];
    unsigned disks;
    unsigned outstanding; /* programs started and not ended: I/O interruptions are to be enabled */

    unsigned cpus; /* of the machine */
    struct host_cpu cpu[HOST_CPUS_MOST];

    /* Of the present activation. */
    struct host_cpu *here; /* the CPU that it is on */
    bool clock_known;
    bool timer_fired;
    bool given; /* an interruption, or all that the run is limited to: nobody gets another in this activation */
    bool limit; /* all that the run is limited to: nobody does anything more */
    uint64_t clock;

    bool hybrid;          /* virtual supervisor state is interpreted */
    struct window window; /* of the instruction being interpreted */
};

static inline struct reference *reference(const struct vmm *v) { return monitor_private(v); }
static inline struct host_cpu *here(const struct vmm *v) { return reference(v)->here; }
static inline const struct virtual_machine *machine_of(struct vmm *v, const struct virtual_cpu *c) {
    return monitor_guest(v, c->guest);
}
/* Guest absolute, within the guest's storage -> host real. */
static inline uint32_t host_real(const struct vmm *v, const struct virtual_cpu *c, uint32_t absolute) {
    return (uint32_t)monitor_parts(v)->allocator->frame(v, c->guest, absolute);
}

extern const struct monitor_dispatcher reference_dispatcher;
extern const struct monitor_allocator reference_allocator;
extern const struct monitor_interpreter reference_interpreter;
extern const struct monitor_shadow reference_shadow;
extern const struct monitor_scheduler reference_scheduler;
uint32_t allocator_bytes(const struct monitor_options *o, uint32_t memory);
uint32_t shadow_bytes(const struct monitor_options *o);
/* The state of each part, saved or restored. */
void allocator_archive(struct vmm *v, struct archive *a);
void shadow_archive(struct vmm *v, struct archive *a);
void channel_program_archive(struct vmm *v, struct archive *a);

/* interpreter.c: i is the privileged-operation exception that the guest met in virtual supervisor state (or STCK, in
 * either). */
void interpreter_run(struct vmm *v, struct virtual_cpu *c, const struct interruption *i);

/* dispatcher.c: gives c the interruption that is due, if any, and finds out what is to become of it. */
enum verdict {
    VERDICT_RUN,
    VERDICT_WAIT,
    VERDICT_AGAIN, /* the machine is to interrupt the monitor at once: it goes on then */
    VERDICT_STOPPED,
    VERDICT_ELSEWHERE,
};
enum verdict dispatcher_prepare(struct vmm *v, struct virtual_cpu *c);

/* hybrid.c: c, which may run, has got as far as the monitor takes it. VERDICT_RUN: what is next is the machine's. */
enum verdict hybrid_interpret(struct vmm *v, struct virtual_cpu *c);

/* monitor.c */
void *reference_create(struct vmm *v);
void reference_destroy(void *private);
uint32_t reference_bytes(const struct monitor_options *o, uint32_t memory, unsigned cpus);
void reference_archive(struct vmm *v, struct archive *a);

/* signal.c: SIGP's routine; and the order that c has accepted, now that it is back. */
interpreter_routine signal_processor;
void signal_perform(struct vmm *v, struct virtual_cpu *c);

/* reflect.c. A program-interruption loop sets c->looping. */
void reflect(struct vmm *v, struct virtual_cpu *c, const struct interruption *i);
/* The exception of a PSW that became current and is not valid; nothing when it is. */
void reflect_invalid_psw(struct vmm *v, struct virtual_cpu *c);

/* timers.c. Cycles are those of the clock of the monitor's machine. */
uint64_t timers_now(struct vmm *v); /* read once an activation; reading it again after an instruction was retired */
uint64_t timers_tod(const struct virtual_cpu *c, uint64_t now);
uint64_t timers_cpu_timer(const struct virtual_cpu *c, uint64_t now);
/* Those of CR0_CLOCK_COMPARATOR, CR0_CPU_TIMER and CR0_INTERVAL_TIMER whose conditions hold and are enabled in CR0. */
uint32_t timers_pending(struct vmm *v, struct virtual_cpu *c);
/* The cycle at which the first timer or device will interrupt that it has enabled now; CYCLE_NEVER: none. */
uint64_t timers_deadline(struct vmm *v, struct virtual_cpu *c);
/* Sees to it that the monitor is interrupted at that cycle, or earlier. */
void timers_arm(struct vmm *v, uint64_t deadline);

/* channel_program.c: SIO of a minidisk, its condition code, *word as for monitor_io; and an I/O interruption of the
 * machine. */
unsigned channel_program_start(struct vmm *v, struct virtual_cpu *c, const struct minidisk *disk, uint64_t *word);
void channel_program_interruption(struct vmm *v, uint16_t host_address, uint64_t csw);
/* Everything under way is forgotten: the machine was reset; or what is of this guest, which was. */
void channel_program_reset(struct vmm *v);
void channel_program_forget(struct vmm *v, unsigned guest);
/* The real disk at this address of the monitor's machine; NULL: no guest has a part of it. */
struct host_disk *channel_program_disk(struct reference *r, uint16_t address);

#endif
