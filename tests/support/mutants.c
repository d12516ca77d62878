#include "tests/support/mutants.h"

/* ---- Routines that do something else ---- */

static unsigned reference_routine(struct interpretation *i) {
    return reference_monitor.interpreter->routine[instruction_id(i->instruction)](i);
}

static unsigned lra_sets_no_condition(struct interpretation *i) {
    uint8_t cc = i->c->psw.cc;
    unsigned x = reference_routine(i);
    i->c->psw.cc = cc;
    return x;
}

static unsigned lra_does_not_see_invalid(struct interpretation *i) {
    unsigned x = reference_routine(i);
    if (i->c->psw.cc == 2)
        i->c->psw.cc = 0;
    return x;
}

static unsigned ptlb_is_forgotten(struct interpretation *i) {
    (void)i;
    return 0;
}

static unsigned ssm_forgets_dat(struct interpretation *i) {
    uint8_t dat = i->c->psw.system_mask & PSW_EC_DAT;
    unsigned x = reference_routine(i);
    if (psw_ec(&i->c->psw))
        i->c->psw.system_mask = (uint8_t)((i->c->psw.system_mask & ~PSW_EC_DAT) | dat);
    return x;
}

static unsigned stosm_ands(struct interpretation *i) {
    uint8_t before = i->c->psw.system_mask;
    unsigned x = reference_routine(i);
    i->c->psw.system_mask = before & i->f.i2;
    return x;
}

static unsigned stnsm_stores_the_new_mask(struct interpretation *i) {
    unsigned x = reference_routine(i);
    if (x == 0)
        guest_store(i->v, i->c, i->address, &i->c->psw.system_mask, 1, &i->failed);
    return x;
}

static unsigned lpsw_keeps_the_key(struct interpretation *i) {
    uint8_t key = i->c->psw.key;
    unsigned x = reference_routine(i);
    i->c->psw.key = key;
    return x;
}

static unsigned lpsw_stays_in_supervisor_state(struct interpretation *i) {
    unsigned x = reference_routine(i);
    i->c->psw.state &= (uint8_t)~PSW_PROBLEM;
    return x;
}

static unsigned spka_takes_the_wrong_bits(struct interpretation *i) {
    i->c->psw.key = i->address & 15;
    return 0;
}

static unsigned ipk_clears_the_register(struct interpretation *i) {
    unsigned x = reference_routine(i);
    i->c->gpr[2] &= 0xFF;
    return x;
}

static unsigned lctl_loads_one(struct interpretation *i) {
    uint32_t before[16];
    memcpy(before, i->c->cr, sizeof before);
    unsigned x = reference_routine(i), first = i->f.r1;
    for (unsigned n = 0; n < 16; n++)
        if (n != first)
            i->c->cr[n] = before[n];
    return x;
}

static unsigned lctl_wants_no_alignment(struct interpretation *i) {
    i->address &= ~3u;
    return reference_routine(i);
}

static unsigned stctl_stores_ones(struct interpretation *i) {
    uint32_t before = i->c->cr[14];
    i->c->cr[14] = ~before;
    unsigned x = reference_routine(i);
    i->c->cr[14] = before;
    return x;
}

static unsigned ssk_forgets_the_change_bit(struct interpretation *i) {
    uint32_t *r1 = &i->c->gpr[i->f.r1], before = *r1;
    *r1 &= ~(uint32_t)KEY_CHANGE;
    unsigned x = reference_routine(i);
    *r1 = before;
    return x;
}

static unsigned isk_shows_no_change(struct interpretation *i) {
    unsigned x = reference_routine(i);
    if (x == 0)
        i->c->gpr[i->f.r1] &= ~(uint32_t)KEY_CHANGE;
    return x;
}

static unsigned rrb_sets_no_condition(struct interpretation *i) {
    uint8_t cc = i->c->psw.cc;
    unsigned x = reference_routine(i);
    i->c->psw.cc = (uint8_t)((cc & 1) | (i->c->psw.cc & 2));
    return x;
}

static unsigned stpx_stores_nothing(struct interpretation *i) {
    static const uint8_t none[4];
    unsigned x = reference_routine(i);
    return x ? x : guest_store(i->v, i->c, i->address, none, 4, &i->failed);
}

static unsigned stidp_shows_another_version(struct interpretation *i) {
    static const uint8_t version = 0xFF;
    unsigned x = reference_routine(i);
    return x ? x : guest_store(i->v, i->c, i->address, &version, 1, &i->failed);
}

static unsigned sio_is_always_accepted(struct interpretation *i) {
    unsigned x = reference_routine(i);
    i->c->psw.cc = 0;
    return x;
}

static unsigned tprot_ignores_fetch_protection(struct interpretation *i) {
    unsigned x = reference_routine(i);
    if (i->c->psw.cc == 2)
        i->c->psw.cc = 1;
    return x;
}

static unsigned sckc_keeps_the_old(struct interpretation *i) {
    uint64_t before = i->c->comparator;
    unsigned x = reference_routine(i);
    i->c->comparator = before;
    return x;
}

static unsigned spt_sets_far_away(struct interpretation *i) {
    unsigned x = reference_routine(i);
    i->c->timer_sum += (uint64_t)1 << 62;
    return x;
}

/* ---- Interruptions that are told otherwise: old PSW and codes of the machine below are changed beforehand ---- */

static void alter(struct vmm *v, uint32_t at, uint8_t and, uint8_t or) {
    uint8_t byte;
    monitor_fetch(v, at, &byte, 1);
    byte = (uint8_t)((byte & and) | or);
    monitor_store(v, at, &byte, 1);
}

static uint32_t goes_on(struct vmm *v, enum interruption_class c) {
    return reference_monitor.dispatcher->interruption(v, c);
}

static uint32_t ilc_is_two(struct vmm *v, enum interruption_class c) {
    if (c == INTERRUPTION_PROGRAM)
        alter(v, 141, 0, 2);
    return goes_on(v, c);
}

static uint32_t condition_code_is_lost(struct vmm *v, enum interruption_class c) {
    if (c == INTERRUPTION_SVC)
        alter(v, 34, 0xCF, 0);
    return goes_on(v, c);
}

static uint32_t program_mask_is_lost(struct vmm *v, enum interruption_class c) {
    if (c == INTERRUPTION_PROGRAM)
        alter(v, 42, 0xF0, 0);
    return goes_on(v, c);
}

static uint32_t svc_number_has_seven_bits(struct vmm *v, enum interruption_class c) {
    if (c == INTERRUPTION_SVC)
        alter(v, 139, 0x7F, 0);
    return goes_on(v, c);
}

static uint32_t monitor_code_is_lost(struct vmm *v, enum interruption_class c) {
    if (c == INTERRUPTION_PROGRAM)
        alter(v, 159, 0, 0);
    return goes_on(v, c);
}

static uint32_t register_15_is_lost(struct vmm *v, enum interruption_class c) {
    if (c == INTERRUPTION_PROGRAM)
        monitor_set_gpr(v, 15, 0);
    return goes_on(v, c);
}

static uint32_t data_exception_is_operation(struct vmm *v, enum interruption_class c) {
    uint8_t code;
    monitor_fetch(v, 143, &code, 1);
    if (c == INTERRUPTION_PROGRAM && code == PROGRAM_DATA)
        alter(v, 143, 0, PROGRAM_OPERATION);
    return goes_on(v, c);
}

/* The guest's timer is set off, and the interruption never given. */
static uint32_t timer_interruption_is_lost(struct vmm *v, enum interruption_class c) {
    for (unsigned g = 0; c == INTERRUPTION_EXTERNAL && g < monitor_guests(v); g++)
        for (unsigned n = 0; n < monitor_guest(v, g)->cpus; n++)
            monitor_guest(v, g)->cpu[n].timer_sum |= (uint64_t)1 << 62;
    return goes_on(v, c);
}

/* As if control register 2 masked all channels. */
static uint32_t device_interruption_is_lost(struct vmm *v, enum interruption_class c) {
    struct virtual_cpu *cpu = &monitor_guest(v, 0)->cpu[0];
    uint32_t channels = cpu->cr[2];
    cpu->cr[2] = 0;
    uint32_t psw = goes_on(v, c);
    cpu->cr[2] = channels;
    return psw;
}

/* ---- Shadow tables ---- */

static void no_purge(struct vmm *v, struct virtual_cpu *c, const char *cause) {
    (void)v;
    (void)c;
    (void)cause;
}

static void no_invalidation(struct vmm *v, struct virtual_cpu *c, uint32_t origin, uint32_t index,
                            const struct dat_format *f) {
    (void)v;
    (void)c;
    (void)origin;
    (void)index;
    (void)f;
}

static unsigned page_fault_for_segment_fault(struct vmm *v, struct virtual_cpu *c, uint32_t address) {
    unsigned x = reference_monitor.shadow->fault(v, c, address);
    return x == ACCESS_SEGMENT ? ACCESS_PAGE : x;
}

/* ---- The table ---- */

#define ROUTINE(function, id)                                                                                          \
    static void make_##function(struct mutant_parts *to) { to->routine[INSTRUCTION_##id] = function; }
#define DISPATCHER(function)                                                                                           \
    static void make_##function(struct mutant_parts *to) { to->dispatcher.interruption = function; }
#define SHADOW(function, member)                                                                                       \
    static void make_##function(struct mutant_parts *to) { to->shadow.member = function; }

ROUTINE(lra_sets_no_condition, LRA)
ROUTINE(lra_does_not_see_invalid, LRA)
ROUTINE(ptlb_is_forgotten, PTLB)
ROUTINE(ssm_forgets_dat, SSM)
ROUTINE(stosm_ands, STOSM)
ROUTINE(stnsm_stores_the_new_mask, STNSM)
ROUTINE(lpsw_keeps_the_key, LPSW)
ROUTINE(lpsw_stays_in_supervisor_state, LPSW)
ROUTINE(spka_takes_the_wrong_bits, SPKA)
ROUTINE(ipk_clears_the_register, IPK)
ROUTINE(lctl_loads_one, LCTL)
ROUTINE(lctl_wants_no_alignment, LCTL)
ROUTINE(stctl_stores_ones, STCTL)
ROUTINE(ssk_forgets_the_change_bit, SSK)
ROUTINE(isk_shows_no_change, ISK)
ROUTINE(rrb_sets_no_condition, RRB)
ROUTINE(stpx_stores_nothing, STPX)
ROUTINE(stidp_shows_another_version, STIDP)
ROUTINE(sio_is_always_accepted, SIO)
ROUTINE(tprot_ignores_fetch_protection, TPROT)
ROUTINE(sckc_keeps_the_old, SCKC)
ROUTINE(spt_sets_far_away, SPT)
DISPATCHER(ilc_is_two)
DISPATCHER(condition_code_is_lost)
DISPATCHER(program_mask_is_lost)
DISPATCHER(svc_number_has_seven_bits)
DISPATCHER(monitor_code_is_lost)
DISPATCHER(register_15_is_lost)
DISPATCHER(data_exception_is_operation)
DISPATCHER(timer_interruption_is_lost)
DISPATCHER(device_interruption_is_lost)
SHADOW(no_purge, purge)
SHADOW(no_invalidation, invalidate)
SHADOW(page_fault_for_segment_fault, fault)

enum { ANY = -1 };
#define MUTANT(function, focus, by)                                                                                    \
    { #function, focus, FOUND_BY_##by, make_##function }
const struct mutant mutants[] = {
    MUTANT(lra_sets_no_condition, INSTRUCTION_LRA, PROGRAMS),
    MUTANT(lra_does_not_see_invalid, INSTRUCTION_LRA, PROGRAMS),
    MUTANT(ptlb_is_forgotten, INSTRUCTION_PTLB, ENTRIES),
    MUTANT(ssm_forgets_dat, INSTRUCTION_SSM, PROGRAMS),
    MUTANT(stosm_ands, INSTRUCTION_STOSM, PROGRAMS),
    MUTANT(stnsm_stores_the_new_mask, INSTRUCTION_STNSM, PROGRAMS),
    MUTANT(lpsw_keeps_the_key, INSTRUCTION_LPSW, PROGRAMS),
    MUTANT(lpsw_stays_in_supervisor_state, INSTRUCTION_LPSW, PROGRAMS),
    MUTANT(spka_takes_the_wrong_bits, INSTRUCTION_SPKA, PROGRAMS),
    MUTANT(ipk_clears_the_register, INSTRUCTION_IPK, PROGRAMS),
    MUTANT(lctl_loads_one, INSTRUCTION_LCTL, PROGRAMS),
    MUTANT(lctl_wants_no_alignment, INSTRUCTION_LCTL, PROGRAMS),
    MUTANT(stctl_stores_ones, INSTRUCTION_STCTL, PROGRAMS),
    MUTANT(ssk_forgets_the_change_bit, INSTRUCTION_SSK, PROGRAMS),
    MUTANT(isk_shows_no_change, INSTRUCTION_ISK, PROGRAMS),
    MUTANT(rrb_sets_no_condition, INSTRUCTION_RRB, PROGRAMS),
    MUTANT(stpx_stores_nothing, INSTRUCTION_STPX, PROGRAMS),
    MUTANT(stidp_shows_another_version, INSTRUCTION_STIDP, PROGRAMS),
    MUTANT(sio_is_always_accepted, INSTRUCTION_SIO, PROGRAMS),
    MUTANT(tprot_ignores_fetch_protection, INSTRUCTION_TPROT, PROGRAMS),
    MUTANT(sckc_keeps_the_old, INSTRUCTION_SCKC, PROGRAMS),
    MUTANT(spt_sets_far_away, INSTRUCTION_SPT, PROGRAMS),
    MUTANT(ilc_is_two, ANY, PROGRAMS),
    MUTANT(condition_code_is_lost, ANY, NUCLEUS),
    MUTANT(program_mask_is_lost, ANY, PROGRAMS),
    MUTANT(svc_number_has_seven_bits, ANY, PROGRAMS),
    MUTANT(monitor_code_is_lost, ANY, PROGRAMS),
    MUTANT(register_15_is_lost, ANY, NUCLEUS),
    MUTANT(data_exception_is_operation, ANY, PROGRAMS),
    MUTANT(timer_interruption_is_lost, ANY, NUCLEUS),
    MUTANT(device_interruption_is_lost, ANY, NUCLEUS),
    MUTANT(no_purge, ANY, ENTRIES),
    MUTANT(no_invalidation, ANY, ENTRIES),
    MUTANT(page_fault_for_segment_fault, ANY, PROGRAMS),
};
const unsigned mutant_count = sizeof mutants / sizeof *mutants;

void mutant_make(struct mutant_parts *to, const struct mutant *m) {
    to->parts = reference_monitor;
    to->dispatcher = *reference_monitor.dispatcher;
    to->interpreter = *reference_monitor.interpreter;
    to->shadow = *reference_monitor.shadow;
    to->allocator = *reference_monitor.allocator;
    memcpy(to->routine, reference_monitor.interpreter->routine, sizeof to->routine);
    to->interpreter.routine = to->routine;
    to->parts.dispatcher = &to->dispatcher;
    to->parts.interpreter = &to->interpreter;
    to->parts.shadow = &to->shadow;
    to->parts.allocator = &to->allocator;
    m->make(to);
}
