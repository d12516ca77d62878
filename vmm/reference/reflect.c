/* Reflection: the guest gets an interruption exactly as its own CPU would have given it (Principles of Operation,
 * "Interruptions").
 *
 * It changes the guest's low storage and its virtual PSW, and nothing else. Where old PSW and codes go, and in which
 * format, depends on the mode of the interrupted program, not on that of the new PSW. */
#include "vmm/reference/reference.h"

static const struct {
    uint8_t old_psw, new_psw;
} places[INTERRUPTION_CLASSES] = {
    [INTERRUPTION_RESTART] = {8, 0},    [INTERRUPTION_EXTERNAL] = {24, 88},       [INTERRUPTION_SVC] = {32, 96},
    [INTERRUPTION_PROGRAM] = {40, 104}, [INTERRUPTION_MACHINE_CHECK] = {48, 112}, [INTERRUPTION_IO] = {56, 120},
};

static void put(struct vmm *v, struct virtual_cpu *c, uint32_t real, const void *from, uint32_t length) {
    guest_store_real(v, c, real, from, length);
}

static void put_external_code(struct vmm *v, struct virtual_cpu *c, const struct interruption *i) {
    uint8_t code[4] = {(uint8_t)(i->signalling >> 8), (uint8_t)i->signalling, (uint8_t)(i->code >> 8),
                       (uint8_t)i->code}; /* 132: the signalling CPU, or 0, in either mode */
    put(v, c, 132, code, psw_ec(&c->psw) ? 4 : 2);
}

static void put_svc_code(struct vmm *v, struct virtual_cpu *c, const struct interruption *i) {
    const uint8_t code[4] = {0, (uint8_t)i->ilc, 0, (uint8_t)i->code};
    if (psw_ec(&c->psw))
        put(v, c, 136, code, sizeof code);
}

static void put_program_code(struct vmm *v, struct virtual_cpu *c, const struct interruption *i) {
    const uint8_t code[4] = {0, (uint8_t)i->ilc, (uint8_t)(i->code >> 8), (uint8_t)i->code};
    uint8_t word[4];
    if (psw_ec(&c->psw))
        put(v, c, 140, code, sizeof code);
    bool by_page = i->code == ACCESS_PROTECTION && i->translation_address & TRANSLATION_PAGE_PROTECTION;
    if (i->code == ACCESS_SEGMENT || i->code == ACCESS_PAGE || by_page) {
        bytes_put32(word, i->translation_address);
        put(v, c, 144, word, sizeof word);
    }
    if (i->code == PROGRAM_MONITOR) {
        const uint8_t class[2] = {0, i->monitor_class};
        put(v, c, 148, class, sizeof class);
        bytes_put32(word, i->monitor_code);
        put(v, c, 156, word, sizeof word);
    }
}

static void put_machine_check_code(struct vmm *v, struct virtual_cpu *c, const struct interruption *i) {
    uint8_t code[8];
    bytes_put64(code, i->csw);
    put(v, c, 232, code, sizeof code);
}

static void put_io_address(struct vmm *v, struct virtual_cpu *c, const struct interruption *i) {
    const uint8_t address[4] = {0, 0, (uint8_t)(i->code >> 8), (uint8_t)i->code};
    uint8_t csw[8];
    bytes_put64(csw, i->csw);
    put(v, c, 64, csw, sizeof csw);
    if (psw_ec(&c->psw))
        put(v, c, 184, address, sizeof address);
}

static void put_codes(struct vmm *v, struct virtual_cpu *c, const struct interruption *i) {
    switch (i->class) {
    case INTERRUPTION_EXTERNAL: put_external_code(v, c, i); break;
    case INTERRUPTION_SVC: put_svc_code(v, c, i); break;
    case INTERRUPTION_PROGRAM: put_program_code(v, c, i); break;
    case INTERRUPTION_MACHINE_CHECK: put_machine_check_code(v, c, i); break;
    case INTERRUPTION_IO: put_io_address(v, c, i); break;
    default: break;
    }
}

/* The same interruption twice with nothing retired between would repeat for ever, unless the new PSW lets something in.
 */
static bool loops(struct virtual_cpu *c, const struct interruption *i, const uint8_t old[8]) {
    uint8_t enabled = psw_ec(&c->psw) ? PSW_EC_IO | PSW_EXTERNAL : 0xFF;
    bool same = c->last_valid && !c->progress && c->last_code == i->code && memcmp(c->last_old, old, 8) == 0;
    memcpy(c->last_old, old, 8);
    c->last_code = i->code;
    c->last_valid = true;
    c->progress = false;
    return !psw_valid(&c->psw) || (same && !(c->psw.system_mask & enabled));
}

static void count(struct vmm *v, struct virtual_cpu *c, const struct interruption *i, uint32_t old_address) {
    reference(v)->given = true;
    if (monitor_reflected(v, c, i->class))
        reference(v)->limit = true;
    monitor_trace(v, TRACE_REFLECT, i->code, old_address, c->psw.ia, interruption_name(i->class));
}

static void swap(struct vmm *v, struct virtual_cpu *c, const struct interruption *i) {
    uint8_t old[8], new[8] = {0};
    uint32_t old_address = c->psw.ia;
    monitor_cause(v, CAUSE_REFLECTION);
    psw_store(&c->psw, old, (uint16_t)i->code, i->ilc / 2);
    put_codes(v, c, i);
    put(v, c, places[i->class].old_psw, old, sizeof old);
    guest_fetch_real(v, c, places[i->class].new_psw, new, sizeof new);
    psw_load(&c->psw, new);
    count(v, c, i, old_address);
    if (i->class == INTERRUPTION_PROGRAM && loops(c, i, old))
        c->looping = true;
}

void reflect(struct vmm *v, struct virtual_cpu *c, const struct interruption *i) {
    swap(v, c, i);
    reflect_invalid_psw(v, c);
}

/* Recognised as soon as it is current, before anything pending; the old PSW is the invalid one, as it is. */
void reflect_invalid_psw(struct vmm *v, struct virtual_cpu *c) {
    const struct interruption i = {.class = INTERRUPTION_PROGRAM, .code = PROGRAM_SPECIFICATION};
    if (!c->looping && !psw_valid(&c->psw))
        swap(v, c, &i);
}
