/* The laboratory of the classifier: any state of a machine, set up on a real bare machine; one instruction executed
 * there; and what became of it.
 *
 * A state is Popek and Goldberg's (E, M, P, R), with everything of R that System/370 has beside relocation. The program
 * has three pages. Where they lie is the location, a or b: at either, page 0 is the prefix page (so what the CPU does
 * to real page 0 stays within the program's storage, as E[0] and E[1] do), pages 1 and 2 lie behind it, and segment and
 * page tables of their own name them. Tables and all other frames are not the program's. The program is in EC mode with
 * DAT on. */
#ifndef ISA_CLASSIFY_LABORATORY_H
#define ISA_CLASSIFY_LABORATORY_H

#include "base/error.h"
#include "isa/cost.h"
#include "isa/isa_internal.h"

enum {
    LAB_PAGES = 3,
    LAB_BYTES = LAB_PAGES * 4096,
    LAB_BLOCKS = LAB_BYTES / STORAGE_BLOCK_BYTES,
    LAB_MEMORY = 11 * 4096,
    LAB_MEMORY_BLOCKS = LAB_MEMORY / STORAGE_BLOCK_BYTES,
    LAB_CPUS = 2,
    LAB_DEVICES = 4,
    LAB_TABLES = 0x1000, /* the frame of both locations' tables */
    LAB_SVC = 0x100,     /* in lab_result.code */
};
enum lab_location { LOCATION_A, LOCATION_B, LOCATIONS };

enum lab_device_state { DEVICE_IDLE, DEVICE_BUSY, DEVICE_ENDED, DEVICE_ATTENTION, DEVICE_STATES };
extern const uint16_t lab_device_address[LAB_DEVICES]; /* the last one is the only one on its channel */

/* A state, apart from mode and location. */
struct lab_state {
    uint8_t contents[LAB_BYTES]; /* E, the instruction in it */
    uint32_t gpr[16];
    struct psw psw; /* but for mode; EC mode, DAT on, no wait */
    uint32_t cr[16];
    uint8_t keys[LAB_BLOCKS], others_keys[LAB_MEMORY_BLOCKS];
    uint64_t tod, comparator, timer;
    unsigned cpu; /* the one that executes */
    struct {
        enum processor_condition condition;
        uint8_t signals[SIGNAL_COUNT];
    } other_cpu;
    enum lab_device_state device[LAB_DEVICES];
    bool has_disk;       /* the last device is there */
    bool stale;          /* pages 1 and 2 are in the TLB, and their table entries were changed since */
    uint8_t others_byte; /* what all storage that is not the program's is filled with */
};

/* The resources of a machine, R but for its location, and what the program may not change: an observation. */
struct lab_resources {
    uint32_t cr[16]; /* CR8 lies outside the model and is 0 here */
    uint32_t prefix;
    uint32_t map[LAB_PAGES]; /* absolute address of each page as the next access would find it; ~0: none */
    uint64_t clock_setting, comparator, timer_setting;
    uint64_t device[LAB_DEVICES]; /* activity, conditions pending, and their CSW */
    uint32_t processors[LAB_CPUS];
    uint8_t keys[LAB_MEMORY_BLOCKS];
    uint8_t system_mask, psw_key, psw_state;
};
/* The first resource that differs: its name, and its values in `a` and `b` as text; false: none does. */
struct lab_difference {
    char name[48], a[32], b[32];
};
bool lab_resources_differ(const struct lab_resources *a, const struct lab_resources *b, struct lab_difference *d);

enum lab_end {
    LAB_NOT_RUN,   /* the state has an interruption that would come first */
    LAB_COMPLETED, /* without a trap */
    LAB_TRAPPED,
};
struct lab_result {
    enum lab_end end;
    unsigned code; /* of the program interruption; LAB_SVC; 0: unknown, the new PSW was invalid as well */
    /* E and P afterwards, and M. */
    uint8_t contents[LAB_BYTES];
    uint32_t gpr[16], ia;
    uint8_t cc, program_mask;
    bool problem;
    struct lab_resources before, after; /* reference and change bits that were turned on are not in `after` */
    bool others_changed;                /* storage that is not the program's: the first byte of it */
    struct lab_difference others;
};
/* Whether it trapped because an operand, or the instruction, was not accessible: Popek and Goldberg's memory trap. */
bool lab_memory_trap(const struct lab_result *r);
/* The first difference in E or P; false: none. */
bool lab_visible_differ(const struct lab_result *a, const struct lab_result *b, struct lab_difference *d);

struct laboratory {
    struct cost_model model;
    struct machine *machine[2]; /* without and with the disk */
    uint64_t clock;             /* at which states begin */
    uint8_t image[LAB_MEMORY];
};
bool laboratory_open(struct laboratory *l, enum profile profile, struct error *e);
void laboratory_close(struct laboratory *l);
/* From now on states begin later: results of the same moment can be compared. */
void laboratory_next(struct laboratory *l);
void laboratory_run(struct laboratory *l, const struct lab_state *s, enum lab_location at, bool problem,
                    struct lab_result *r);

#endif
