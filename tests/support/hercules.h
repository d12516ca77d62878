/* Hercules as an oracle: a pool of headless processes that each run storage images to their end, one after another.
 *
 * A process is driven by commands on its standard input and by the log on its standard output; storage goes in and
 * comes out as files in a scratch folder (on a memory file system where there is one). Several processes take turns,
 * because a case is mostly waiting: for the CPU thread to start and for the log to arrive. A process that hangs is
 * stopped, one that does not stop, or dies, is replaced. Everything is gone after hercules_free, also when the caller
 * is killed. */
#ifndef TESTS_SUPPORT_HERCULES_H
#define TESTS_SUPPORT_HERCULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct hercules;

enum hercules_end {
    HERCULES_WAIT,  /* disabled wait */
    HERCULES_LOOP,  /* an invalid program new PSW: Hercules stops the CPU */
    HERCULES_LIMIT, /* it was still running after the time allowed, and was stopped */
    HERCULES_DIED,  /* the process ended, or did not answer, twice in a row */
};

struct hercules_job {
    /* What is loaded after a system clear, absolute; piece 1 may have length 0. The restart PSW at 0 starts it. */
    struct {
        uint32_t at, length;
        const uint8_t *bytes;
    } load[2];
    /* Which storage is read back, absolute, into `to`; piece 1 may have length 0. */
    struct {
        uint32_t at, length;
        uint8_t *to;
    } save[2];
    /* What lies in the reader: cards of 80 bytes; NULL: what is left from before. `deck_eof`: it ends with unit
     * exception. */
    const uint8_t *deck;
    uint32_t deck_length;
    bool deck_eof;
    unsigned limit_ms; /* how long it may run; 0: 400 */
    enum hercules_end end;
    uint8_t psw[8];
    uint32_t gpr[16], cr[16];
};

/* True when the program is installed. */
bool hercules_present(void);
enum { HERCULES_DISK = 0x150, HERCULES_DISK_BLOCKS = 64 };
/* Starts `processes` processes with so many megabytes of storage (2 to 16), so many CPUs (jobs begin on
 * CPU 0, must leave the others stopped, and end when CPU 0 does), CPU identification 002623 3033, and devices 009
 * (console), 00C (card reader), 00E (printer) and 150 (fixed-block disk of HERCULES_DISK_BLOCKS blocks, which keep what
 * an earlier job wrote). NULL and *e when they cannot be started. */
struct hercules *hercules_new(unsigned processes, unsigned megabytes, unsigned cpus, struct error *e);
/* Runs all jobs; each is complete (its `end` set) afterwards. */
void hercules_run(struct hercules *h, struct hercules_job *jobs, size_t count);
void hercules_free(struct hercules *h);

#endif
