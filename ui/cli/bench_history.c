/* The benchmark "history": what snapshots cost, and going back.
 *
 * The machine has 1 MB of numbers that cannot be compressed, and its program goes through all of them and changes them,
 * so that every checkpoint has every page anew: the worst case. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/random.h"
#include "isa/history.h"
#include "isa/snapshot.h"
#include "ui/cli/bench_program.h"

enum { ROUNDS = 20, STEPS_BACK = 8 };
static const uint64_t far = 1000000000; /* instructions, after which a step is taken back */
static const uint64_t compared = 100000000;

// clang-format off
static const char source[] =
    BENCH_FRAME
    "TABLE    B     CHANGE\n"
    "CHANGE   L     8,=X'00018000'           THE NUMBERS: TO THE END OF 1 MB\n"
    "         L     9,=X'000E8000'\n"
    "         SRL   9,5\n"
    "NEXT     L     10,0(,8)\n"
    "         ALR   10,9\n"
    "         ST    10,0(,8)\n"
    "         LA    8,32(,8)\n"
    "         BCT   9,NEXT\n"
    "         BCT   7,CHANGE\n"
    "         B     DONE\n"
    BENCH_END;
// clang-format on

static struct machine *make(const struct cost_model *model, const struct bytes *image, struct error *e) {
    struct machine *m = machine_new(&(struct machine_options){.memory_bytes = BENCH_MEMORY, .model = model}, e);
    struct random numbers;
    if (!m || !machine_load(m, 0, image->data, image->length, e)) {
        machine_free(m);
        return NULL;
    }
    random_init(&numbers, 1, "benchmark");
    for (uint32_t at = (uint32_t)image->length & ~7u; at < BENCH_MEMORY; at += 8) {
        uint8_t raw[8];
        bytes_put64(raw, random_u64(&numbers));
        machine_poke(m, at, raw, 8);
    }
    machine_load(m, 0, image->data, image->length, e);
    machine_restart(m);
    return m;
}

static void run(struct machine *m, uint64_t instructions) {
    machine_run(m, &(struct machine_limits){.instructions = instructions});
}

static bool measure_files(struct bench *b, struct machine *m, struct error *e) {
    char path[] = "/tmp/cloud370-bench-XXXXXX";
    int file = mkstemp(path);
    bool ok = file >= 0 || error_set(e, ERROR_INPUT, "cannot make a file in /tmp");
    double saving = 0, loading = 0;
    for (unsigned n = 0; ok && n < ROUNDS && !bench_interrupted(b); n++) {
        double start = bench_seconds();
        ok = snapshot_save(m, path, e);
        saving += bench_seconds() - start;
        run(m, 100000);
        start = bench_seconds();
        ok = ok && snapshot_load(m, path, e);
        loading += bench_seconds() - start;
    }
    if (file >= 0) {
        close(file);
        unlink(path);
    }
    if (ok) {
        bench_report(b, "1 MB saved to a file", saving * 1e3 / ROUNDS, "ms", NULL, 0);
        bench_report(b, "1 MB restored from a file", loading * 1e3 / ROUNDS, "ms", NULL, 0);
    }
    return ok;
}

/* The same run with and without a history, and then steps back. */
static bool measure_history(struct bench *b, struct machine *m, struct error *e) {
    double start = bench_seconds(), without, with, longest = 0;
    run(m, compared);
    without = bench_seconds() - start;
    struct history *h = history_new(m, NULL, e);
    if (!h)
        return false;
    start = bench_seconds();
    run(m, compared);
    with = bench_seconds() - start;
    bench_report(b, "run with its history kept", with / without, "times", "without", with / without);
    run(m, far - compared);
    struct history_stats stats = history_stats(h);
    bench_report(b, "checkpoints in 10^9 instructions", (double)stats.checkpoints, "", NULL, 0);
    bench_report(b, "what they occupy", (double)stats.bytes / (1 << 20), "MB", NULL, 0);
    bool ok = true;
    start = bench_seconds();
    for (unsigned n = 0; ok && n < STEPS_BACK && !bench_interrupted(b); n++) {
        double step = bench_seconds();
        ok = history_back(h, m, 1, e);
        step = bench_seconds() - step;
        longest = step > longest ? step : longest;
    }
    bench_report(b, "one step back, on average", (bench_seconds() - start) * 1e3 / STEPS_BACK, "ms", NULL, 0);
    bench_report(b, "one step back, the longest", longest * 1e3, "ms", NULL, 0);
    start = bench_seconds();
    ok = ok && history_go(h, machine_position(m) / 2, e);
    bench_report(b, "back to the middle", (bench_seconds() - start) * 1e3, "ms", NULL, 0);
    history_free(h);
    return ok;
}

bool bench_history(struct bench *b, struct error *e) {
    struct bytes image = {0};
    struct cost_model model;
    bool ok =
        cost_model_find(&model, "s370", e) && bench_assemble(b, "history.s", source, sizeof source - 1, &image, e);
    if (ok)
        bench_choose(&image, 0, false, UINT32_MAX);
    struct machine *m = ok ? make(&model, &image, e) : NULL;
    ok = m && measure_files(b, m, e) && measure_history(b, m, e);
    machine_free(m);
    bytes_fini(&image);
    bench_note(b, "model s370; the process's CPU time; every page changes between two checkpoints");
    return ok;
}
