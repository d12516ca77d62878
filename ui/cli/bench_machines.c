/* The benchmark "machines": an untouched machine must cost almost nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "isa/machine.h"
#include "ui/cli/bench.h"

enum { MACHINES = 1000 };

/* Resident megabytes of this process; 0 where the host does not tell. */
static double resident_megabytes(void) {
    unsigned long total, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file) {
        if (fscanf(file, "%lu %lu", &total, &resident) != 2) {
            resident = 0;
        }
        fclose(file);
    }
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

bool bench_machines(struct bench *b, struct error *e) {
    struct cost_model model;
    struct machine **machines = calloc(MACHINES, sizeof *machines);
    struct machine_options options = {.memory_bytes = STORAGE_MOST_BYTES, .model = &model};
    bool ok = machines && cost_model_find(&model, "s370", e);
    double before = resident_megabytes(), start = bench_seconds();
    unsigned count = 0;
    while (ok && count < MACHINES && !bench_interrupted(b)) {
        ok = (machines[count] = machine_new(&options, e)) != NULL;
        count += ok;
    }
    double seconds = bench_seconds() - start;
    if (ok && count == MACHINES) {
        bench_report(b, "one machine made", seconds * 1e6 / MACHINES, "us", NULL, 0);
        bench_report(b, "1,000 idle machines, resident", resident_megabytes() - before, "MB", NULL, 0);
    } else if (!machines) {
        error_set(e, ERROR_INTERNAL, "out of memory");
    }
    while (count > 0) {
        machine_free(machines[--count]);
    }
    free(machines);
    return ok;
}
