/* The benchmark "cpu": how fast simulated instructions run, with every cycle accounted for.
 *
 * One storage image holds all loops; a word in it chooses the loop, another whether the program turns DAT on first. It
 * runs on the bare machine with DAT off and on, in a virtual machine under a trap-and-emulate monitor, and, where
 * Hercules is installed, there too: the same bytes, in the same run, by process CPU time. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/cli/bench_hercules.h"
#include "ui/cli/bench_program.h"

enum { ROUNDS = 3 };

// clang-format off
static const char source[] =
    BENCH_FRAME
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
    BENCH_END;
// clang-format on

static const struct loop {
    const char *name;
    uint32_t count; /* iterations, over all rounds */
    uint32_t bytes; /* moved by an iteration; 0: MIPS is what counts */
} loops[] = {
    {"registers (RR, LA)", 30000000, 0}, {"storage operands (RX)", 30000000, 0}, {"branches", 30000000, 0},
    {"BCT alone", 150000000, 0},         {"MVC, 256 bytes", 20000000, 256},      {"MVC, 8 bytes", 60000000, 8},
    {"MVCL, 4095 bytes", 2000000, 4095}, {"LM and STM", 20000000, 88},
};

struct means { /* of ratios, as sums of logarithms */
    double hercules, vm;
    unsigned hercules_count, vm_count;
};

enum place { DAT_OFF, DAT_ON, IN_A_VM, PLACES };

/* The least CPU time over some rounds, the places and the peer taken in turn so that a busy host hurts all alike. */
static bool time_loop(struct bench *b, const struct loop *l, struct bytes *image, struct bench_hercules *h,
                      double ours[PLACES], double theirs[PLACES], uint64_t instructions[PLACES], struct error *e) {
    for (unsigned round = 0; round < ROUNDS; round++)
        for (int place = 0; place < PLACES && !bench_interrupted(b); place++) {
            struct bench_run run;
            bench_choose(image, (unsigned)(l - loops), place == DAT_ON, l->count / ROUNDS);
            if (!bench_run(image, &(struct bench_place){.depth = place == IN_A_VM}, &run, e))
                return false;
            instructions[place] = run.instructions;
            if (round == 0 || run.seconds < ours[place])
                ours[place] = run.seconds;
            if (place == IN_A_VM || !h)
                continue;
            double seconds = bench_hercules_run(h, image->data, image->length, e);
            if (seconds < 0)
                return false;
            if (round == 0 || seconds < theirs[place])
                theirs[place] = seconds;
        }
    return true;
}

static bool run_loop(struct bench *b, const struct loop *l, struct bytes *image, struct bench_hercules *h,
                     struct means *means, struct error *e) {
    static const char *const names[PLACES] = {"DAT off", "DAT on", "in a VM"};
    double ours[PLACES] = {0}, theirs[PLACES] = {0};
    uint64_t instructions[PLACES] = {0};
    if (!time_loop(b, l, image, h, ours, theirs, instructions, e))
        return false;
    for (int place = 0; place < PLACES && !bench_interrupted(b); place++) {
        char measure[80];
        const char *peer = place == IN_A_VM ? "bare, DAT on" : h ? "Hercules" : NULL;
        double ratio = (place == IN_A_VM ? ours[DAT_ON] : theirs[place]) / ours[place];
        double megabytes = (double)l->bytes * (l->count / ROUNDS) / 1e6, millions = (double)instructions[place] / 1e6;
        snprintf(measure, sizeof measure, "%s, %s", l->name, names[place]);
        bench_report(b, measure, (l->bytes ? megabytes : millions) / ours[place], l->bytes ? "MB/s" : "MIPS", peer,
                     ratio);
        if (place == IN_A_VM) {
            means->vm += log(ratio);
            means->vm_count++;
        } else if (h) {
            means->hercules += log(ratio);
            means->hercules_count++;
        }
    }
    return true;
}

static void report_mean(struct bench *b, const char *measure, const char *peer, double sum, unsigned count) {
    if (count)
        bench_report(b, measure, exp(sum / count), "times", peer, exp(sum / count));
}

bool bench_cpu(struct bench *b, struct error *e) {
    struct bytes image = {0};
    struct means means = {0};
    struct bench_hercules *h = NULL;
    bool ok = bench_assemble(b, "bench.s", source, sizeof source - 1, &image, e);
    if (ok && bench_hercules_present())
        ok = (h = bench_hercules_new(e)) != NULL;
    else if (ok)
        bench_note(b, "Hercules is not installed: no ratios to it");
    for (unsigned i = 0; ok && i < sizeof loops / sizeof *loops; i++)
        ok = run_loop(b, &loops[i], &image, h, &means, e);
    report_mean(b, "geometric mean", "Hercules", means.hercules, means.hercules_count);
    report_mean(b, "geometric mean, in a VM", "bare, DAT on", means.vm, means.vm_count);
    bench_note(b, "model s370, all cycles accounted for; the least process CPU time of 3 rounds");
    bench_hercules_free(h);
    bytes_fini(&image);
    return ok;
}
