#include "tests/support/program.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "isa/assembler.h"
#include "tests/support/unit.h"

struct machine *program_load(const char *model, const char *source) {
    return program_load_on(model, (struct machine_options){.memory_bytes = 65536, .nominal_time = true}, source);
}

struct machine *program_load_on(const char *model_name, struct machine_options options, const char *source) {
    struct cost_model *model = malloc(sizeof *model);
    struct error e = ERROR_CLEAR;
    struct assembly a;
    if (!cost_model_find(model, model_name, &e))
        fail_msg("%s", e.text);
    options.model = model;
    struct machine *m = machine_new(&options, &e);
    if (!m)
        fail_msg("%s", e.text);
    if (!assemble(&a, "test.s", source, strlen(source), &(struct assembler_options){0}, &e)) {
        struct bytes text = {0};
        assembly_print_diagnostics(&a, &text);
        fail_msg("%s", (const char *)text.data);
    }
    assert_true(machine_load(m, a.origin, a.image.data, a.image.length, &e));
    assembly_fini(&a);
    return m;
}

void program_free(struct machine *m) {
    void *model = (void *)(uintptr_t)machine_model(m);
    machine_free(m);
    free(model);
}

enum machine_status program_run(struct machine *m, uint64_t limit) {
    struct machine_limits limits = {.instructions = limit};
    machine_restart(m);
    return machine_run(m, &limits);
}

uint32_t program_word(struct machine *m, uint32_t real) {
    uint8_t raw[4];
    assert_int_equal(machine_peek(m, real, raw, 4), ACCESS_OK);
    return bytes_get32(raw);
}

struct machine_state program_state(struct machine *m) {
    struct machine_state s;
    machine_state(m, &s);
    return s;
}

struct machine_stats program_stats(struct machine *m) {
    struct machine_stats s;
    machine_stats(m, &s);
    return s;
}
