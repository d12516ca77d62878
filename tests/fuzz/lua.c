/* Fuzz target: any bytes as a scenario, with small budgets. It must come back, with a result or an error. */
#include "scenarios/engine/engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
    static const struct engine_options options = {
        .seed = 1,
        .budgets = {.lua_instructions = 200000,
                    .lua_bytes = 4 << 20,
                    .machine_instructions = 20000,
                    .storage_bytes = 8 << 20,
                    .output_bytes = 1 << 16},
    };
    struct error e = ERROR_CLEAR;
    struct engine *engine = engine_new(&options, &e);
    if (engine) {
        engine_run_text(engine, "fuzz.lua", (const char *)data, length, &e);
        engine_finish(engine, &e);
        engine_free(engine);
    }
    return 0;
}
