/* The architecture's numbers: interruption classes and codes, bits of CR0; and the names of what the simulator tells of
 * a machine, its status and the causes for which cycles were spent. */
#ifndef ISA_CODES_H
#define ISA_CODES_H

#include <stdint.h>

/* The six interruption classes; the order is that of supervisors' call cells. */
enum interruption_class {
    INTERRUPTION_RESTART,
    INTERRUPTION_EXTERNAL,
    INTERRUPTION_SVC,
    INTERRUPTION_PROGRAM,
    INTERRUPTION_MACHINE_CHECK,
    INTERRUPTION_IO,
    INTERRUPTION_CLASSES
};
/* "restart", "external", "svc", "program", "machine_check", "io". */
const char *interruption_name(enum interruption_class c);
/* Counts by class, added up. */
static inline uint64_t interruption_total(const uint64_t counts[INTERRUPTION_CLASSES]) {
    uint64_t sum = 0;
    for (int c = 0; c < INTERRUPTION_CLASSES; c++)
        sum += counts[c];
    return sum;
}

/* Program-interruption codes beside those of enum access. */
enum program_code {
    PROGRAM_OPERATION = 0x01,
    PROGRAM_PRIVILEGED = 0x02,
    PROGRAM_EXECUTE = 0x03,
    PROGRAM_SPECIFICATION = 0x06,
    PROGRAM_DATA = 0x07,
    PROGRAM_FIXED_OVERFLOW = 0x08,
    PROGRAM_FIXED_DIVIDE = 0x09,
    PROGRAM_DECIMAL_OVERFLOW = 0x0A,
    PROGRAM_DECIMAL_DIVIDE = 0x0B,
    PROGRAM_SPECIAL_OPERATION = 0x13,
    PROGRAM_MONITOR = 0x40,
};

/* Bits of CR0 that are not the translation format. */
enum {
    CR0_SSM_SUPPRESSION = 0x40000000,
    CR0_LOW_ADDRESS_PROTECTION = 0x10000000,
    CR0_MALFUNCTION_ALERT = 0x00008000,
    CR0_EMERGENCY_SIGNAL = 0x00004000,
    CR0_EXTERNAL_CALL = 0x00002000,
    CR0_CLOCK_COMPARATOR = 0x00000800,
    CR0_CPU_TIMER = 0x00000400,
    CR0_INTERVAL_TIMER = 0x00000080,
    CR0_INTERRUPT_KEY = 0x00000040,
    CR0_EXTERNAL_SIGNALS = 0x00000020,
    CR0_PAGE_PROTECTION = 0x00000008, /* facilities of the bare machine, off after reset (docs/architecture.md) */
    CR0_STCK_CONTROL = 0x00000002,
};

/* Why a machine is not running. */
enum machine_status {
    MACHINE_READY,         /* it can go on: a limit given to machine_run was reached, or it was never started */
    MACHINE_DISABLED_WAIT, /* the normal end of a program */
    MACHINE_CHECK_STOP,    /* a program-interruption loop */
    MACHINE_IDLE,          /* an enabled wait for which nothing is scheduled, or all CPUs have been stopped */
    MACHINE_FAULT,         /* a supervisor in C did what it must not; machine_fault tells what */
    MACHINE_LOAD,          /* initial program loading has failed */
};
/* "ready", "disabled-wait", "check-stop", "idle", "fault", "load". */
const char *machine_status_name(enum machine_status s);

/* By whom and for what cycles were spent (docs/architecture.md, the books). */
enum cycle_cause {
    CAUSE_DIRECT,
    CAUSE_TLB,
    CAUSE_INTERRUPTION,
    CAUSE_DISPATCH,
    CAUSE_INTERPRETATION,
    CAUSE_SHADOW,
    CAUSE_REFLECTION,
    CAUSE_DEVICE,
    CAUSE_IDLE,
    CAUSE_COUNT
};
const char *cycle_cause_name(enum cycle_cause c);
enum { MACHINE_LEVELS = 16 }; /* how deep machines may nest, the bare one included */

#endif
