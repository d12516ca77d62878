/* Programs of the benchmarks: assembled from text, run to their end on the innermost machine of a tower, measured.
 *
 * A program begins with BENCH_FRAME. Who runs it stores three words: which of its loops to run, whether with DAT on,
 * and how many times; it ends in a disabled wait. */
#ifndef UI_CLI_BENCH_PROGRAM_H
#define UI_CLI_BENCH_PROGRAM_H

#include <stdint.h>

#include "base/bytes.h"
#include "ui/cli/bench.h"
#include "vmm/vmm.h"

enum { BENCH_MEMORY = 1 << 20, BENCH_LOOP = 0x300, BENCH_DAT = 0x304, BENCH_COUNT = 0x308 };

/* Page 0 and the way to the loop: at TABLE, which is to follow, there is a branch for each. Register 7 counts, 13 is a
 * data area, 2 to 6 are 1 to 5, and 12 is the base. */
#define BENCH_FRAME                                                                                                    \
    "         ORG   X'0'\n"                                                                                            \
    "         DC    X'0008000000000400'      RESTART NEW PSW\n"                                                        \
    "         ORG   X'68'\n"                                                                                           \
    "         DC    X'000A00000000DEAD'      PROGRAM NEW PSW\n"                                                        \
    "LOOP     EQU   X'300'                   CHOSEN BY WHO RUNS THIS: 4 TIMES THE LOOP'S NUMBER\n"                     \
    "DAT      EQU   X'304'                   NOT 0: WITH DAT ON\n"                                                     \
    "COUNT    EQU   X'308'                   ITERATIONS\n"                                                             \
    "         ORG   X'400'\n"                                                                                          \
    "START    BALR  12,0\n"                                                                                            \
    "         USING *,12\n"                                                                                            \
    "         L     11,DAT(0,0)\n"                                                                                     \
    "         LTR   11,11\n"                                                                                           \
    "         BZ    GO\n"                                                                                              \
    "*        Sixteen segments of 64K, mapped to themselves.\n"                                                        \
    "         LA    2,16\n"                                                                                            \
    "         LA    3,1\n"                                                                                             \
    "         SLL   3,16                     SEGMENT TABLE AT 10000\n"                                                 \
    "         LR    4,3\n"                                                                                             \
    "         LA    5,1024(,3)               PAGE TABLES BEHIND IT\n"                                                  \
    "         SR    6,6\n"                                                                                             \
    "SEGMENT  LR    7,5\n"                                                                                             \
    "         O     7,=X'F0000000'\n"                                                                                  \
    "         ST    7,0(,4)\n"                                                                                         \
    "         LA    8,16\n"                                                                                            \
    "PAGE     STH   6,0(,5)\n"                                                                                         \
    "         LA    6,16(,6)\n"                                                                                        \
    "         LA    5,2(,5)\n"                                                                                         \
    "         BCT   8,PAGE\n"                                                                                          \
    "         LA    4,4(,4)\n"                                                                                         \
    "         BCT   2,SEGMENT\n"                                                                                       \
    "         LCTL  0,1,=X'0080000000010000'\n"                                                                        \
    "         STOSM SCRATCH,X'04'\n"                                                                                   \
    "GO       L     7,COUNT(0,0)\n"                                                                                    \
    "         L     1,LOOP(0,0)\n"                                                                                     \
    "         L     13,=A(AREA)\n"                                                                                     \
    "         LM    2,6,=F'1,2,3,4,5'\n"                                                                               \
    "         B     TABLE(1)\n"
/* The end of the last loop, and data. */
#define BENCH_END                                                                                                      \
    "DONE     LPSW  =X'000A000000000000'\n"                                                                            \
    "SCRATCH  DS    X\n"                                                                                               \
    "         LTORG\n"                                                                                                 \
    "         ORG   X'2000'\n"                                                                                         \
    "AREA     DC    64F'7'\n"                                                                                          \
    "         ORG   X'6000'\n"                                                                                         \
    "         DC    F'0'\n"                                                                                            \
    "         END\n"

/* Appends the image, from address 0. False and *e; the assembler's messages become a note (b: NULL for none). */
bool bench_assemble(struct bench *b, const char *name, const char *source, size_t length, struct bytes *image,
                    struct error *e);
/* The three words. */
void bench_choose(struct bytes *image, unsigned loop, bool dat, uint32_t count);

/* Where a program runs. */
struct bench_place {
    uint32_t memory;                       /* of the innermost machine; 0: BENCH_MEMORY */
    unsigned depth;                        /* monitors below it */
    const struct monitor_options *options; /* of all of them; NULL: the default */
    uint32_t disk_blocks;                  /* of a disk at ADDRESS_DISK, whole at every level; 0: none */
};

struct bench_run {
    double seconds;                       /* CPU time of this process */
    uint64_t instructions;                /* of the innermost machine */
    uint64_t cycles;                      /* of the bare machine, those in which it waited left out */
    uint64_t interruptions;               /* of the bare machine, but for its restart */
    struct vmm_stats monitor[TOWER_MOST]; /* from the bare machine upward */
};

/* Runs it from its restart to its disabled wait, in nominal time, with the model s370. False and *e. */
bool bench_run(const struct bytes *image, const struct bench_place *place, struct bench_run *to, struct error *e);

#endif
