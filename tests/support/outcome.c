#include "tests/support/outcome.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

enum { INTERVAL_TIMER = 80, PRINTED_MOST = 12 };

bool outcome_load(struct machine *m, const struct differential_case *c, const uint8_t *image, struct error *e) {
    return machine_load(m, 0, image, DIFF_LOW, e) && machine_load(m, OUTCOME_MEMORY - DIFF_HIGH, c->high, DIFF_HIGH, e);
}

void outcome_take(struct outcome *o, struct machine *m, enum machine_status status) {
    static const uint32_t low_pages[] = {0, DIFF_PREFIX_A, DIFF_PREFIX_B};
    o->status = status;
    machine_state(m, &o->state);
    machine_stats(m, &o->stats);
    machine_peek(m, 0, o->storage, OUTCOME_MEMORY);
    for (uint32_t i = 0; i < OUTCOME_KEYS; i++)
        o->keys[i] = (uint8_t)machine_key(m, i * STORAGE_BLOCK_BYTES);
    for (uint32_t at = DIFF_TABLES; at < DIFF_TABLES_END; at += STORAGE_BLOCK_BYTES) {
        o->keys[at / STORAGE_BLOCK_BYTES] &= (uint8_t)~KEY_REFERENCE;
        o->storage[DIFF_KEYS + at / STORAGE_BLOCK_BYTES] &= (uint8_t)~KEY_REFERENCE; /* as the program saw them */
    }
    for (size_t n = 0; n < sizeof low_pages / sizeof *low_pages; n++)
        memset(o->storage + low_pages[n] + INTERVAL_TIMER, 0, 4);
}

struct comparison {
    const char *under; /* NULL: nothing is printed */
    unsigned different;
};

static void same(struct comparison *c, const char *what, uint64_t bare, uint64_t other) {
    if (bare != other && c->different++ < PRINTED_MOST && c->under)
        printf("  %s: %" PRIX64 " bare, %" PRIX64 " under %s\n", what, bare, other, c->under);
}

static void same_states(struct comparison *c, const struct machine_state *a, const struct machine_state *b) {
    uint8_t psw[2][8];
    char name[16];
    psw_store(&a->psw, psw[0], 0, 0);
    psw_store(&b->psw, psw[1], 0, 0);
    same(c, "PSW", bytes_get64(psw[0]), bytes_get64(psw[1]));
    same(c, "prefix", a->prefix, b->prefix);
    for (int i = 0; i < 16; i++) {
        snprintf(name, sizeof name, "GR%d", i);
        same(c, name, a->gpr[i], b->gpr[i]);
        snprintf(name, sizeof name, "CR%d", i);
        same(c, name, a->cr[i], b->cr[i]);
    }
}

static void same_storage(struct comparison *c, const struct outcome *a, const struct outcome *b) {
    char name[32];
    for (uint32_t i = 0; i < OUTCOME_KEYS; i++) {
        if (a->keys[i] == b->keys[i])
            continue;
        snprintf(name, sizeof name, "key of %06X", i * STORAGE_BLOCK_BYTES);
        same(c, name, a->keys[i], b->keys[i]);
    }
    if (memcmp(a->storage, b->storage, OUTCOME_MEMORY) == 0)
        return;
    for (uint32_t i = 0; i < OUTCOME_MEMORY; i++) {
        if (a->storage[i] == b->storage[i])
            continue;
        snprintf(name, sizeof name, "storage at %06X", i);
        same(c, name, a->storage[i], b->storage[i]);
    }
}

bool outcome_same(const struct outcome *bare, const struct outcome *other, bool clocks, const char *under) {
    struct comparison c = {.under = under};
    same(&c, "status", bare->status, other->status);
    same_states(&c, &bare->state, &other->state);
    same(&c, "instructions", bare->stats.instructions, other->stats.instructions);
    if (clocks) {
        same(&c, "TOD clock", bare->state.tod, other->state.tod);
        same(&c, "clock comparator", bare->state.clock_comparator, other->state.clock_comparator);
        same(&c, "CPU timer", bare->state.cpu_timer, other->state.cpu_timer);
        same(&c, "nominal cycles", bare->stats.nominal_cycles, other->stats.nominal_cycles);
    }
    for (int i = 0; i < INTERRUPTION_CLASSES; i++)
        same(&c, interruption_name((enum interruption_class)i), bare->stats.interruptions[i],
             other->stats.interruptions[i]);
    same_storage(&c, bare, other);
    return c.different == 0;
}

bool outcome_overwrote_move(const struct differential_case *c, const uint8_t *image, const struct outcome *o) {
    for (unsigned i = 0; i < c->count; i++) {
        const struct differential_instruction *p = &c->program[i];
        if (p->id != INSTRUCTION_MVCL && p->id != INSTRUCTION_EX)
            continue;
        if (p->real + p->length <= DIFF_LOW && memcmp(image + p->real, o->storage + p->real, p->length))
            return true;
    }
    return false;
}
