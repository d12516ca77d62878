/* The program status word, in basic-control (BC) and extended-control (EC) mode (Principles of
 * Operation, "Program-Status Word").
 *
 * The two formats hold the same fields in different places; this struct holds the fields, and the two functions at the
 * end are the only ones that know the formats. */
#ifndef ISA_PSW_H
#define ISA_PSW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/archive.h"

/* Byte 0 of either format is the system mask. */
enum {
    PSW_EC_PER = 0x40,
    PSW_EC_DAT = 0x04,
    PSW_EC_IO = 0x02,
    PSW_EXTERNAL = 0x01,    /* both formats */
    PSW_BC_IO_OTHER = 0x02, /* BC: channels 6 and up; channels 0-5 are bits 0-5 */
    PSW_EC_MUST_BE_ZERO = 0xB8,
};

/* The low half of byte 1. */
enum { PSW_EC = 8, PSW_MACHINE_CHECK = 4, PSW_WAIT = 2, PSW_PROBLEM = 1 };

struct psw {
    uint8_t system_mask;
    uint8_t key;          /* 0..15 */
    uint8_t state;        /* PSW_EC, PSW_MACHINE_CHECK, PSW_WAIT, PSW_PROBLEM */
    uint8_t cc;           /* 0..3 */
    uint8_t program_mask; /* 8: fixed-point overflow, 4: decimal overflow, 2: exponent underflow, 1: significance */
    uint32_t ia;          /* 24 bits */
    uint32_t stray;       /* EC: bits 16, 17 and 24-39 as loaded, which must be zero; kept to show a bad PSW as it is */
};

static inline bool psw_ec(const struct psw *p) { return p->state & PSW_EC; }
static inline bool psw_problem(const struct psw *p) { return p->state & PSW_PROBLEM; }
static inline bool psw_wait(const struct psw *p) { return p->state & PSW_WAIT; }
/* DAT is on only in EC mode. */
static inline bool psw_dat(const struct psw *p) { return psw_ec(p) && p->system_mask & PSW_EC_DAT; }
static inline bool psw_external(const struct psw *p) { return p->system_mask & PSW_EXTERNAL; }
/* Which channels may interrupt, bit 0 (leftmost) for channel 0; channels above 31 share bit 31. */
static inline uint32_t psw_channels(const struct psw *p, uint32_t cr2) {
    if (psw_ec(p))
        return p->system_mask & PSW_EC_IO ? cr2 : 0;
    return (uint32_t)(p->system_mask & 0xFC) << 24 | (p->system_mask & PSW_BC_IO_OTHER ? cr2 & 0x03FFFFFF : 0);
}
/* Wait with every class masked off: the machine stops. */
static inline bool psw_disabled_wait(const struct psw *p) {
    uint8_t classes = psw_ec(p) ? (uint8_t)(PSW_EC_IO | PSW_EXTERNAL) : 0xFF;
    return psw_wait(p) && !(p->system_mask & classes) && !(p->state & PSW_MACHINE_CHECK);
}
/* False for an EC PSW with a must-be-zero bit on: a specification exception right after it became current. */
static inline bool psw_valid(const struct psw *p) {
    return !psw_ec(p) || (!(p->system_mask & PSW_EC_MUST_BE_ZERO) && !p->stray);
}

/* Reads either format from its 8 bytes; BC bits 16-33 are ignored, as they are on loading. */
void psw_load(struct psw *p, const uint8_t from[8]);
/* Writes 8 bytes. In BC mode `code` becomes bits 16-31 and `ilc` (0..3 halfwords) bits 32-33; EC mode has neither. */
void psw_store(const struct psw *p, uint8_t to[8], uint16_t code, unsigned ilc);
/* Its fields; those that no PSW can have are refused. */
void psw_archive(struct psw *p, struct archive *a);

#endif
