/* The benchmark "cpu": how fast simulated instructions run, with every cycle accounted for.
 *
 * One storage image holds all loops; a word in it chooses the loop, another whether the program turns DAT on first. It
 * runs on the bare machine with DAT off and on, in a virtual machine under a trap-and-emulate monitor, and, where
 * Hercules is installed, there too: the same bytes, in the same run, by process CPU time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "isa/assembler.h"
#include "ui/cli/bench.h"
#include "ui/cli/bench_hercules.h"
#include "vmm/vmm.h"

enum { MEMORY = 1 << 20, WORD_LOOP = 0x300, WORD_DAT = 0x304, WORD_COUNT = 0x308 };

static const char source[] =
    "         ORG   X'0'\n"
    "         DC    X'0008000000000400'      RESTART NEW PSW\n"
    "         ORG   X'68'\n"
    "         DC    X'000A00000000DEAD'      PROGRAM NEW PSW\n"
    "LOOP     EQU   X'300'                   CHOSEN BY WHO RUNS THIS: 4 TIMES THE LOOP'S NUMBER\n"
    "DAT      EQU   X'304'                   NOT 0: WITH DAT ON\n"
    "COUNT    EQU   X'308'                   ITERATIONS\n"
    "         ORG   X'400'\n"
    "START    BALR  12,0\n"
    "         USING *,12\n"
    "         L     11,DAT(0,0)\n"
    "         LTR   11,11\n"
    "         BZ    GO\n"
    "*        Sixteen segments of 64K, mapped to themselves.\n"
    "         LA    2,16\n"
    "         LA    3,1\n"
    "         SLL   3,16                     SEGMENT TABLE AT 10000\n"
    "         LR    4,3\n"
    "         LA    5,1024(,3)               PAGE TABLES BEHIND IT\n"
    "         SR    6,6\n"
    "SEGMENT  LR    7,5\n"
    "         O     7,=X'F0000000'\n"
    "         ST    7,0(,4)\n"
    "         LA    8,16\n"
    "PAGE     STH   6,0(,5)\n"
    "         LA    6,16(,6)\n"
    "         LA    5,2(,5)\n"
    "         BCT   8,PAGE\n"
    "         LA    4,4(,4)\n"
    "         BCT   2,SEGMENT\n"
    "         LCTL  0,1,=X'0080000000010000'\n"
    "         STOSM SCRATCH,X'04'\n"
    "GO       L     7,COUNT(0,0)\n"
    "         L     1,LOOP(0,0)\n"
    "         L     13,=A(AREA)\n"
    "         LM    2,6,=F'1,2,3,4,5'\n"
    "         B     TABLE(1)\n"
    "TABLE    B     RR\n"
    "         B     RX\n"
    "         B     BRANCH\n"
    "         B     BCTONLY\n"
    "         B     MVC256\n"
    "         B     MVC8\n"
    "         B     MVCL\n"
    "         B     LMSTM\n"
    "RR       LR    8,2\n"
    "         AR    8,3\n"
    "         SR    9,4\n"
    "         XR    10,5\n"
    "         CR    8,9\n"
    "         ALR   9,6\n"
    "         NR    10,3\n"
    "         LTR   8,8\n"
    "         LA    9,1(,9)\n"
    "         BCT   7,RR\n"
    "         B     DONE\n"
    "RX       L     8,0(,13)\n"
    "         A     8,4(,13)\n"
    "         ST    8,8(,13)\n"
    "         C     8,12(,13)\n"
    "         LH    9,2(,13)\n"
    "         N     9,4(,13)\n"
    "         AL    9,8(13,0)\n"
    "         IC    10,5(,13)\n"
    "         STC   10,20(,13)\n"
    "         BCT   7,RX\n"
    "         B     DONE\n"
    "BRANCH   BAL   14,B1\n"
    "         LTR   2,2\n"
    "         BZ    B3\n"
    "         BNZ   B2\n"
    "         NOP   0\n"
    "B2       LA    9,1\n"
    "         LR    10,9\n"
    "         LA    8,0\n"
    "         BXLE  8,9,B3\n"
    "         NOPR  0\n"
    "B3       BCT   7,BRANCH\n"
    "         B     DONE\n"
    "B1       BR    14\n"
    "BCTONLY  BCT   7,BCTONLY\n"
    "         B     DONE\n"
    "MVC256   MVC   0(256,13),1024(13)\n"
    "         BCT   7,MVC256\n"
    "         B     DONE\n"
    "MVC8     MVC   0(8,13),16(13)\n"
    "         BCT   7,MVC8\n"
    "         B     DONE\n"
    "MVCL     LR    2,13\n"
    "         LA    3,4095\n"
    "         LA    4,2048(,13)\n"
    "         LA    4,4095(,4)\n"
    "         LA    5,4095\n"
    "         MVCL  2,4\n"
    "         BCT   7,MVCL\n"
    "         B     DONE\n"
    "LMSTM    LM    0,6,0(13)\n"
    "         STM   0,6,32(13)\n"
    "         LM    8,11,0(13)\n"
    "         STM   8,11,64(13)\n"
    "         BCT   7,LMSTM\n"
    "DONE     LPSW  =X'000A000000000000'\n"
    "SCRATCH  DS    X\n"
    "         LTORG\n"
    "         ORG   X'2000'\n"
    "AREA     DC    64F'7'\n"
    "         ORG   X'6000'\n"
    "         DC    F'0'\n"
    "         END\n";

static const struct loop {
    const char *name;
    uint32_t count;        /* iterations, for a good part of a second */
    uint32_t instructions; /* an iteration */
    uint32_t bytes;        /* moved by an iteration; 0: MIPS is what counts */
} loops[] = {
    {"registers (RR, LA)", 30000000, 10, 0},
    {"storage operands (RX)", 30000000, 10, 0},
    {"branches", 30000000, 9, 0},
    {"BCT alone", 150000000, 1, 0},
    {"MVC, 256 bytes", 20000000, 2, 256},
    {"MVC, 8 bytes", 60000000, 2, 8},
    {"MVCL, 4095 bytes", 2000000, 7, 4095},
    {"LM and STM", 20000000, 5, 88},
};

static void put_word(uint8_t *image, uint32_t at, uint32_t v) { bytes_put32(image + at, v); }

/* CPU seconds that the image takes on the innermost machine of a tower with so many monitors; negative and *e on
 * failure. */
static double run_here(const uint8_t *image, size_t length, unsigned monitors, uint64_t *instructions,
                       struct error *e) {
    static const char *const kinds[] = {"trap-and-emulate"};
    struct cost_model model;
    struct tower t;
    struct machine_options options = {.memory_bytes = MEMORY, .model = &model, .nominal_time = true};
    struct machine_stats stats;
    double seconds = -1;
    if (!cost_model_find(&model, "s370", e) || !tower_new(&t, &options, kinds, monitors, e))
        return -1;
    if (machine_load(t.innermost, 0, image, length, e)) {
        machine_restart(t.innermost);
        double start = bench_seconds();
        enum machine_status status = machine_run(t.innermost, NULL);
        seconds = bench_seconds() - start;
        machine_stats(t.innermost, &stats);
        *instructions = stats.instructions;
        if (status != MACHINE_DISABLED_WAIT) {
            error_set(e, ERROR_INTERNAL, "bench: a loop ended in %s", machine_status_name(status));
            seconds = -1;
        }
    }
    tower_free(&t);
    return seconds;
}

static double log2_approximate(double x) { /* for a geometric mean without libm: enough digits for a ratio */
    double result = 0;
    while (x >= 2)
        x /= 2, result++;
    while (x < 1)
        x *= 2, result--;
    double bit = 0.5;
    for (int i = 0; i < 40; i++, bit /= 2) {
        x *= x;
        if (x >= 2)
            x /= 2, result += bit;
    }
    return result;
}

static double exp2_approximate(double x) {
    double result = 1, root = 1.41421356237309504880, bit = 0.5;
    while (x >= 1)
        result *= 2, x--;
    while (x < 0)
        result /= 2, x++;
    for (int i = 0; i < 40; i++, bit /= 2) {
        if (x >= bit)
            result *= root, x -= bit;
        double r = root; /* Newton's square root */
        for (int k = 0; k < 20; k++)
            r = (r + root / r) / 2;
        root = r;
    }
    return result;
}

struct means {
    double hercules, vm;
    unsigned hercules_count, vm_count;
};

static bool run_loop(struct bench *b, const struct loop *l, unsigned index, uint8_t *image, size_t length,
                     struct bench_hercules *h, struct means *means, struct error *e) {
    static const char *const places[] = {"DAT off", "DAT on", "in a VM"};
    double dat_on = 0;
    for (int place = 0; place < 3 && !bench_interrupted(b); place++) {
        char measure[80];
        uint64_t instructions = 0;
        put_word(image, WORD_LOOP, index * 4);
        put_word(image, WORD_DAT, place == 1);
        put_word(image, WORD_COUNT, l->count);
        double seconds = run_here(image, length, place == 2, &instructions, e);
        if (seconds < 0)
            return false;
        double mips = (double)instructions / seconds / 1e6, ratio = 0;
        const char *peer = NULL;
        if (place < 2 && h) {
            double theirs = bench_hercules_run(h, image, length, e);
            if (theirs < 0)
                return false;
            peer = "Hercules";
            ratio = theirs / seconds;
            means->hercules += log2_approximate(ratio);
            means->hercules_count++;
        } else if (place == 2) {
            peer = "bare, DAT on";
            ratio = dat_on / seconds;
            means->vm += log2_approximate(ratio);
            means->vm_count++;
        }
        if (place == 1)
            dat_on = seconds;
        snprintf(measure, sizeof measure, "%s, %s", l->name, places[place]);
        if (l->bytes)
            bench_report(b, measure, (double)l->bytes * l->count / seconds / 1e6, "MB/s", peer, ratio);
        else
            bench_report(b, measure, mips, "MIPS", peer, ratio);
    }
    return true;
}

bool bench_cpu(struct bench *b, struct error *e) {
    struct assembly a;
    struct means means = {0};
    struct bench_hercules *h = NULL;
    uint8_t *image = NULL;
    bool ok = assemble(&a, "bench.s", source, sizeof source - 1, &(struct assembler_options){0}, e);
    size_t length = a.image.length;
    if (!ok) {
        struct bytes text = {0};
        assembly_print_diagnostics(&a, &text);
        if (text.data)
            bench_note(b, (const char *)text.data);
        bytes_fini(&text);
    }
    if (ok && bench_hercules_present())
        ok = (h = bench_hercules_new(e)) != NULL;
    else if (ok)
        bench_note(b, "Hercules is not installed: no ratios to it");
    if (ok && !(image = malloc(length)))
        ok = error_set(e, ERROR_INTERNAL, "no memory for an image");
    if (ok)
        memcpy(image, a.image.data, length);
    for (unsigned i = 0; ok && i < sizeof loops / sizeof *loops; i++)
        ok = run_loop(b, &loops[i], i, image, length, h, &means, e);
    if (ok && means.hercules_count)
        bench_report(b, "geometric mean", 0, "", "Hercules", exp2_approximate(means.hercules / means.hercules_count));
    if (ok && means.vm_count)
        bench_report(b, "geometric mean, in a VM", 0, "", "bare, DAT on", exp2_approximate(means.vm / means.vm_count));
    bench_note(b, "model s370, all cycles accounted for; CPU time of the process");
    bench_hercules_free(h);
    free(image);
    assembly_fini(&a);
    return ok;
}
