/* The engines that run cases: Hercules, and the bare machine. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "isa/disk.h"
#include "isa/machine.h"
#include "tests/support/differential.h"
#include "tests/support/hercules.h"

bool differential_result_init(struct differential_result *r) {
    memset(r, 0, sizeof *r);
    r->low = malloc(DIFF_LOW);
    r->high = malloc(DIFF_HIGH);
    r->rest = malloc(0x200000);
    if (r->low && r->high && r->rest)
        return true;
    differential_result_fini(r);
    return false;
}

void differential_result_fini(struct differential_result *r) {
    free(r->low);
    free(r->high);
    free(r->rest);
    memset(r, 0, sizeof *r);
}

/* --- Hercules --- */

struct hercules_engine {
    struct hercules *small, *large; /* 2 MB and 16 MB */
    unsigned processes;
};

/* Runs those cases that have so much storage. */
static void run_some(struct hercules *h, uint32_t memory, const struct differential_case *const *cases,
                     struct differential_result *results, size_t count, struct hercules_job *jobs, uint8_t *images) {
    size_t n = 0, index[256];
    for (size_t i = 0; i < count; i++) {
        const struct differential_case *c = cases[i];
        if (c->memory != memory)
            continue;
        uint8_t *image = images + n * DIFF_LOW;
        differential_image(c, image);
        struct hercules_job *j = &jobs[n];
        memset(j, 0, sizeof *j);
        j->load[0].at = 0;
        j->load[0].length = DIFF_LOW;
        j->load[0].bytes = image;
        j->load[1].at = memory - DIFF_HIGH;
        j->load[1].length = DIFF_HIGH;
        j->load[1].bytes = c->high;
        j->save[0].length = c->full ? memory : DIFF_LOW;
        j->save[0].to = c->full ? malloc(memory) : results[i].low;
        j->save[1].at = memory - DIFF_HIGH;
        j->save[1].length = DIFF_HIGH;
        j->save[1].to = results[i].high;
        index[n++] = i;
    }
    hercules_run(h, jobs, n);
    for (size_t k = 0; k < n; k++) {
        struct differential_result *r = &results[index[k]];
        struct hercules_job *j = &jobs[k];
        static const enum differential_end ends[] = {[HERCULES_WAIT] = END_WAIT,
                                                     [HERCULES_LOOP] = END_CHECK_STOP,
                                                     [HERCULES_LIMIT] = END_LIMIT,
                                                     [HERCULES_DIED] = END_FAILED};
        r->end = ends[j->end];
        memcpy(r->psw, j->psw, 8);
        memcpy(r->gpr, j->gpr, sizeof r->gpr);
        memcpy(r->cr, j->cr, sizeof r->cr);
        if (cases[index[k]]->full) {
            memcpy(r->low, j->save[0].to, DIFF_LOW);
            memcpy(r->rest, j->save[0].to + DIFF_LOW, memory - DIFF_LOW - DIFF_HIGH);
            free(j->save[0].to);
        }
    }
}

static void run_hercules(void *self, const struct differential_case *const *cases, struct differential_result *results,
                         size_t count) {
    struct hercules_engine *e = self;
    enum { BATCH = 64 };
    struct hercules_job *jobs = calloc(BATCH, sizeof *jobs);
    uint8_t *images = malloc((size_t)BATCH * DIFF_LOW);
    for (size_t at = 0; at < count; at += BATCH) {
        size_t n = count - at < BATCH ? count - at : BATCH;
        bool large = false;
        for (size_t i = 0; i < n; i++)
            large = large || cases[at + i]->memory == 0x1000000;
        struct error ignored = ERROR_CLEAR;
        if (large && !e->large)
            e->large = hercules_new(1, 16, 1, &ignored);
        for (size_t i = 0; i < n; i++)
            results[at + i].end = END_FAILED;
        run_some(e->small, 0x200000, cases + at, results + at, n, jobs, images);
        if (e->large)
            run_some(e->large, 0x1000000, cases + at, results + at, n, jobs, images);
    }
    free(images);
    free(jobs);
}

static void free_hercules(void *self) {
    struct hercules_engine *e = self;
    hercules_free(e->small);
    hercules_free(e->large);
    free(e);
}

bool differential_hercules(struct differential_engine *engine, unsigned processes, struct error *e) {
    struct hercules_engine *self = calloc(1, sizeof *self);
    if (!self)
        return error_set(e, ERROR_INTERNAL, "out of memory");
    self->processes = processes;
    self->small = hercules_new(processes, 2, 1, e);
    if (!self->small) {
        free(self);
        return false;
    }
    *engine = (struct differential_engine){"hercules", self, run_hercules, free_hercules};
    return true;
}

/* --- the bare machine --- */

static void peek_absolute(struct machine *m, uint32_t prefix, uint32_t at, uint8_t *to, uint32_t length) {
    /* Real page 0 and the prefix page are each other's absolute ones. */
    for (uint32_t done = 0; done < length; done += 4096) {
        uint32_t page = at + done, n = length - done < 4096 ? length - done : 4096;
        uint32_t real = page == 0 ? prefix : page == prefix ? 0 : page;
        machine_peek(m, real, to + done, n);
    }
}

static void run_one(const struct differential_machine *made, const struct differential_case *c,
                    struct differential_result *r, uint8_t *image) {
    const struct cost_model *model = made->model;
    const struct machine_options options = {.memory_bytes = c->memory, .model = model, .tod = made->tod};
    struct error e = ERROR_CLEAR;
    r->end = END_FAILED;
    struct machine *m = machine_new(&options, &e);
    if (!m)
        return;
    differential_image(c, image);
    /* The devices of hercules.h: TCH and STIDC tell that channel 1 has one. */
    struct disk_backing disk;
    if (disk_backing_memory(&disk, HERCULES_DISK_BLOCKS, &e) &&
        machine_attach(m, HERCULES_DISK, disk_new(model, &disk), &e) && machine_load(m, 0, image, DIFF_LOW, &e) &&
        machine_load(m, c->memory - DIFF_HIGH, c->high, DIFF_HIGH, &e)) {
        machine_restart(m);
        enum machine_status status = machine_run(m, &(struct machine_limits){.instructions = 50000000});
        static const enum differential_end ends[] = {[MACHINE_READY] = END_LIMIT,
                                                     [MACHINE_DISABLED_WAIT] = END_WAIT,
                                                     [MACHINE_CHECK_STOP] = END_CHECK_STOP,
                                                     [MACHINE_IDLE] = END_LIMIT,
                                                     [MACHINE_FAULT] = END_FAILED};
        r->end = ends[status];
        struct machine_state s;
        machine_state(m, &s);
        struct machine_stats counted;
        machine_stats(m, &counted);
        r->instructions = counted.instructions;
        psw_store(&s.psw, r->psw, 0, 0);
        memcpy(r->gpr, s.gpr, sizeof r->gpr);
        memcpy(r->cr, s.cr, sizeof r->cr);
        peek_absolute(m, s.prefix, 0, r->low, DIFF_LOW);
        peek_absolute(m, s.prefix, c->memory - DIFF_HIGH, r->high, DIFF_HIGH);
        if (c->full)
            peek_absolute(m, s.prefix, DIFF_LOW, r->rest, c->memory - DIFF_LOW - DIFF_HIGH);
    }
    machine_free(m);
}

static void run_machine(void *self, const struct differential_case *const *cases, struct differential_result *results,
                        size_t count) {
    uint8_t *image = malloc(DIFF_LOW);
    for (size_t i = 0; image && i < count; i++)
        run_one(self, cases[i], &results[i], image);
    free(image);
}

static void free_nothing(void *self) { (void)self; }

void differential_machine(struct differential_engine *engine, const struct differential_machine *m) {
    *engine = (struct differential_engine){"machine", (void *)(uintptr_t)m, run_machine, free_nothing};
}
