/* Channel programs against Hercules: the same random ones on both, and condition codes, CSWs, sense data and storage
 * compared.
 *
 *     test_channel_against_hercules [CASES [SEED [FIRST]]]
 *
 * Cases are those of tests/support/channel_cases.h; what docs/differences.md lists is not generated. Exit status 0: no
 * difference; 1: some; 77: Hercules is not installed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tests/support/channel_cases.h"
#include "tests/support/hercules.h"

enum { BATCH = 32 };

/* A case and the storage that both leave. */
struct comparison {
    struct channel_case c;
    uint8_t got[2][CASE_IMAGE]; /* Hercules, ours */
};

/* --- both engines ------------------------------------------------------------------------------------------------- */

static void run_there(struct hercules *h, struct comparison *cases, size_t count, struct hercules_job *jobs) {
    memset(jobs, 0, count * sizeof *jobs);
    for (size_t i = 0; i < count; i++) {
        jobs[i].limit_ms = 20000; /* on a busy host, too: every program ends */
        jobs[i].load[0].bytes = cases[i].c.image;
        jobs[i].load[0].length = CASE_IMAGE;
        jobs[i].save[0].to = cases[i].got[0];
        jobs[i].save[0].length = CASE_IMAGE;
        jobs[i].deck = cases[i].c.deck;
        jobs[i].deck_length = cases[i].c.cards * READER_COLUMNS;
        jobs[i].deck_eof = true;
    }
    hercules_run(h, jobs, count);
}

static bool run_here(const struct cost_model *model, struct comparison *c) {
    struct error e = ERROR_CLEAR;
    struct machine *m = machine_new(&(struct machine_options){.memory_bytes = CASE_MEMORY, .model = model}, &e);
    if (!m)
        return false;
    bool ended = channel_case_run(m, &c->c, c->got[1]);
    machine_free(m);
    return ended;
}

/* --- comparison --------------------------------------------------------------------------------------------------- */

/* Everything but the CPU's own locations: clocks, and what an interruption may have left. */
static int32_t first_difference(const struct comparison *c, uint32_t from, uint32_t to) {
    for (uint32_t at = from; at < to; at++)
        if (c->got[0][at] != c->got[1][at])
            return (int32_t)at;
    return -1;
}

static void print_bytes(const char *name, const uint8_t *from, size_t length) {
    char text[129];
    bytes_to_hex(text, from, length);
    printf("    %-9s %s\n", name, text);
}

static void show(const struct comparison *c, uint64_t seed, int32_t at) {
    printf("\nDIFFERENCE at %04X: test_channel_against_hercules 1 %llu %llu\n", at, (unsigned long long)seed,
           (unsigned long long)c->c.number);
    for (uint32_t step = 0; step < CASE_STEPS; step++) {
        uint32_t result = CASE_RESULTS + step * CASE_RESULT_BYTES;
        bool differs = first_difference(c, result, result + CASE_RESULT_BYTES) >= 0;
        printf("  step %u, device %03X, CAW %08X%s\n", step, bytes_get32(c->c.image + CASE_TABLE + 8 * step),
               bytes_get32(c->c.image + CASE_TABLE + 8 * step + 4), differs ? ", differs" : "");
        if (!step)
            continue;
        for (uint32_t ccw = CASE_CCWS + step * CASE_PROGRAM_BYTES; bytes_get64(c->c.image + ccw); ccw += 8) {
            uint32_t address = bytes_get24(c->c.image + ccw + 1);
            print_bytes("CCW", c->c.image + ccw, 8);
            if (address >= CASE_CONTROL && address < CASE_DATA - 64)
                print_bytes("  at it", c->c.image + address, 32);
        }
        for (int side = 0; side < 2; side++) {
            const uint8_t *r = c->got[side] + result;
            print_bytes(side ? "ours" : "hercules", r, 4);
            for (int i = 0; i < 4 && bytes_get64(r + 8 + 8 * i); i++)
                print_bytes("  CSW", r + 8 + 8 * i, 8);
            print_bytes("  sense", r + 56, 32);
        }
    }
    if (at >= CASE_DATA) {
        print_bytes("hercules", c->got[0] + at, 32);
        print_bytes("ours", c->got[1] + at, 32);
    }
}

struct tally {
    uint64_t cases, different, failed, csws, checks[16];
};

/* What the CSWs of all cases had in them: a test that reaches nothing compares nothing. */
static void count(struct tally *t, const struct comparison *c) {
    for (uint32_t step = 0; step < CASE_STEPS; step++)
        for (uint32_t i = 0; i < 4; i++) {
            uint64_t csw = bytes_get64(c->got[1] + CASE_RESULTS + step * CASE_RESULT_BYTES + 8 + 8 * i);
            t->csws += csw != 0;
            for (unsigned bit = 0; bit < 16; bit++)
                t->checks[bit] += csw >> (31 - bit) & 1;
        }
}

static bool covered(const struct tally *t) {
    static const struct {
        unsigned bit;
        const char *name;
    } wanted[] = {{4, "channel end"},      {6, "unit check"},     {7, "unit exception"},   {8, "PCI"},
                  {9, "incorrect length"}, {10, "program check"}, {11, "protection check"}};
    bool all = true;
    printf("%llu CSWs:", (unsigned long long)t->csws);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        printf(" %s %llu", wanted[i].name, (unsigned long long)t->checks[wanted[i].bit]);
        all = all && t->checks[wanted[i].bit] > 0;
    }
    printf("\n");
    return all;
}

/* Where a check ended a program, Hercules' count may be what an earlier command left, and for a CCW in the middle of a
 * data chain it has no unit status, though the device has done its part. */
static void forget_rest_of_checks(struct comparison *c) {
    for (uint32_t step = 0; step < CASE_STEPS; step++)
        for (uint32_t i = 0; i < 4; i++)
            for (int side = 0; side < 2; side++) {
                uint8_t *csw = c->got[side] + CASE_RESULTS + step * CASE_RESULT_BYTES + 8 + 8 * i;
                if (csw[5] & 0x30) {
                    memset(csw + 6, 0, 2);
                    csw[4] &= 0xF3;
                }
                if (csw[4] & 0x01) /* the end of the deck: the reader senses "not ready" from then on */
                    memset(c->got[side] + CASE_RESULTS + step * CASE_RESULT_BYTES + 64, 0, 24);
            }
}

/* Where data run into a protected block, or out of the storage, Hercules stores none of a CCW's; we, those before. */
static bool stored_in_part(const struct comparison *c) {
    for (uint32_t step = 0; step < CASE_STEPS; step++)
        for (uint32_t i = 0; i < 4; i++) {
            const uint8_t *csw = c->got[0] + CASE_RESULTS + step * CASE_RESULT_BYTES + 8 + 8 * i;
            if ((csw[4] & 0x08) && (csw[5] & 0x30))
                return true;
        }
    return false;
}

static void judge(struct tally *t, struct comparison *c, const struct hercules_job *job, bool ran, uint64_t seed) {
    t->cases++;
    if (!ran || job->end != HERCULES_WAIT) {
        t->failed++;
        printf("case %llu did not end: Hercules %d, ours %d\n", (unsigned long long)c->c.number, job->end, ran);
        return;
    }
    count(t, c);
    uint32_t end = stored_in_part(c) ? CASE_DATA : CASE_IMAGE;
    forget_rest_of_checks(c);
    int32_t at = first_difference(c, CASE_TABLE, end);
    if (at >= 0 && t->different++ < 5)
        show(c, seed, at);
}

int main(int argc, char **argv) {
    uint64_t cases = argc > 1 ? strtoull(argv[1], NULL, 0) : 3000, seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 370;
    uint64_t first = argc > 3 ? strtoull(argv[3], NULL, 0) : 0;
    struct error e = ERROR_CLEAR;
    struct cost_model model;
    if (!hercules_present()) {
        printf("Hercules is not installed: skipped\n");
        return 77;
    }
    struct hercules *h = hercules_new(2, CASE_MEMORY >> 20, 1, &e);
    struct comparison *batch = calloc(BATCH, sizeof *batch);
    struct hercules_job *jobs = calloc(BATCH, sizeof *jobs);
    struct tally t = {0};
    if (!h || !batch || !jobs || !channel_case_model(&model)) {
        fprintf(stderr, "test_channel_against_hercules: %s\n", e.text);
        return 2;
    }
    for (uint64_t at = first; at < first + cases;) {
        size_t n = 0;
        for (; n < BATCH && at < first + cases; n++, at++)
            channel_case_generate(&batch[n].c, seed, at);
        run_there(h, batch, n, jobs);
        for (size_t i = 0; i < n; i++)
            judge(&t, &batch[i], &jobs[i], run_here(&model, &batch[i]), seed);
    }
    hercules_free(h);
    free(batch);
    free(jobs);
    bool all = covered(&t) || cases < 1000;
    printf("%llu cases (seed %llu): %llu different, %llu failed\n", (unsigned long long)t.cases,
           (unsigned long long)seed, (unsigned long long)t.different, (unsigned long long)t.failed);
    return t.different || t.failed || !all;
}
