/* Assembling and running the benchmarks' programs. */
#include "ui/cli/bench_program.h"

#include "isa/assembler.h"
#include "isa/disk.h"

bool bench_assemble(struct bench *b, const char *name, const char *source, size_t length, struct bytes *image,
                    struct error *e) {
    struct assembly a;
    bool ok = assemble(&a, name, source, length, &(struct assembler_options){0}, e);
    if (ok) {
        bytes_append(image, a.image.data, a.image.length);
    } else {
        struct bytes text = {0};
        assembly_print_diagnostics(&a, &text);
        if (b && text.data)
            bench_note(b, (const char *)text.data);
        bytes_fini(&text);
    }
    assembly_fini(&a);
    return ok && (!image->failed || error_set(e, ERROR_INTERNAL, "no memory for an image"));
}

void bench_choose(struct bytes *image, unsigned loop, bool dat, uint32_t count) {
    bytes_put32(image->data + BENCH_LOOP, loop * 4);
    bytes_put32(image->data + BENCH_DAT, dat);
    bytes_put32(image->data + BENCH_COUNT, count);
}

static bool build(struct tower *t, const struct cost_model *model, const struct bench_place *place, struct error *e) {
    const char *kinds[TOWER_MOST];
    struct machine_options options = {.memory_bytes = place->memory ? place->memory : BENCH_MEMORY,
                                      .model = model,
                                      .nominal_time = true,
                                      .forget_lines = true};
    struct monitor_options monitors = place->options ? *place->options : vmm_default_options();
    struct disk_backing disk;
    for (unsigned n = 0; n < TOWER_MOST; n++)
        kinds[n] = "trap-and-emulate";
    if (!tower_new_with(t, &options, kinds, place->depth, &monitors, e))
        return false;
    if (place->disk_blocks == 0 || (disk_backing_memory(&disk, place->disk_blocks, e) && tower_disk(t, &disk, e)))
        return true;
    tower_free(t);
    return false;
}

static void count(const struct tower *t, struct bench_run *to) {
    struct machine_stats bare, innermost;
    machine_stats(t->bare, &bare);
    machine_stats(t->innermost, &innermost);
    to->instructions = innermost.instructions;
    to->cycles = machine_busy_cycles(t->innermost);
    to->interruptions = interruption_total(bare.interruptions) - bare.interruptions[INTERRUPTION_RESTART];
    for (unsigned level = 0; level < t->count; level++)
        vmm_stats(t->monitor[level], &to->monitor[level]);
}

bool bench_run(const struct bytes *image, const struct bench_place *place, struct bench_run *to, struct error *e) {
    struct cost_model model;
    struct tower t;
    bool ok = cost_model_find(&model, "s370", e) && build(&t, &model, place, e);
    if (!ok)
        return false;
    ok = machine_load(t.innermost, 0, image->data, image->length, e);
    if (ok) {
        machine_restart(t.innermost);
        double start = bench_seconds();
        enum machine_status status = machine_run(t.innermost, NULL);
        to->seconds = bench_seconds() - start;
        count(&t, to);
        ok = status == MACHINE_DISABLED_WAIT ||
             error_set(e, ERROR_INTERNAL, "bench: a program ended in %s", machine_status_name(status));
    }
    tower_free(&t);
    return ok;
}
