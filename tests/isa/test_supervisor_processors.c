/* Supervisors in C on several CPUs: cells in each CPU's page 0, activations one after another, and activations that are
 * suspended on one CPU and continued on another. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "isa/clock.h"
#include "isa/supervisor.h"
#include "tests/support/program.h"

static void load_psw(struct processor *p, const struct psw *psw) {
    uint8_t raw[8];
    psw_store(psw, raw, 0, 0);
    assert_int_equal(processor_store(p, SUPERVISOR_PSW, raw, 8), ACCESS_OK);
}

static const struct psw disabled_wait = {.state = PSW_EC | PSW_WAIT, .ia = 0xACE};

static unsigned signal(struct processor *p, uint32_t cpu, uint32_t order) {
    unsigned cc;
    processor_set_gpr(p, 1, cpu);
    processor_set_gpr(p, 3, order);
    assert_int_equal(processor_execute(p, CELL_SIGP, &cc), 0);
    return cc;
}

static void set_control(struct processor *p, enum supervisor_cell cell, uint32_t cr0, uint32_t cr1) {
    uint8_t raw[8];
    bytes_put32(raw, cr0);
    bytes_put32(raw + 4, cr1);
    processor_store(p, SUPERVISOR_CONTROL, raw, 8);
    assert_int_equal(processor_execute(p, cell, NULL), 0);
}

static void set_timer(struct processor *p, uint64_t cycles) {
    uint8_t raw[8];
    bytes_put64(raw, clock_units(cycles));
    processor_store(p, SUPERVISOR_CLOCK, raw, 8);
    assert_int_equal(processor_execute(p, CELL_SPT, NULL), 0);
}

/* ---- On the bare machine ---- */

/* Counts supervisor calls of a program on each CPU, 100 of each, and sends an emergency signal in the middle. */
struct counter {
    struct machine *m;
    unsigned calls[2], restarts[2], signals[2];
    uint32_t code, number[2];
    uint32_t gpr[2][16];
    uint64_t end; /* of the last activation, on whatever CPU */
    unsigned overlapping;
};

static uint64_t cycles_on(struct machine *m, unsigned cpu) {
    struct machine_stats s;
    machine_cpu_stats(m, cpu, &s);
    return s.cycles;
}

static void begin(struct counter *s, struct processor *p, unsigned cpu) {
    static const uint32_t zero[16];
    s->restarts[cpu]++;
    memcpy(s->gpr[cpu], zero, sizeof zero);
    if (cpu == 0)
        assert_int_equal(signal(p, 1, 6), 0);
    set_control(p, CELL_LCTL_0, CR0_EMERGENCY_SIGNAL, 0);
    load_psw(p, &(struct psw){.state = PSW_EC | PSW_PROBLEM, .system_mask = PSW_EXTERNAL, .ia = 0x4000 + 0x100 * cpu});
}

static void go_on(struct processor *p, uint32_t old) {
    uint8_t psw[8];
    processor_fetch(p, old, psw, 8);
    processor_store(p, SUPERVISOR_PSW, psw, 8);
}

static uint32_t counter_interrupt(void *self, struct processor *p, enum interruption_class c) {
    struct counter *s = self;
    unsigned cpu = processor_address(p);
    uint8_t raw[4];
    s->overlapping += cycles_on(s->m, cpu) < s->end;
    processor_gprs(p, s->gpr[cpu]);
    processor_charge(p, 3000, CAUSE_INTERPRETATION); /* longer than CPUs may be apart */
    switch (c) {
    case INTERRUPTION_RESTART: begin(s, p, cpu); break;
    case INTERRUPTION_SVC:
        processor_fetch(p, 136, raw, 4);
        s->number[cpu] = raw[3];
        if (++s->calls[cpu] == 50 && cpu == 0)
            assert_int_equal(signal(p, 1, 3), 0);
        if (s->calls[cpu] == 100)
            load_psw(p, &disabled_wait);
        else
            go_on(p, 32);
        break;
    case INTERRUPTION_EXTERNAL:
        processor_fetch(p, 132, raw, 4);
        s->code = bytes_get32(raw);
        s->signals[cpu]++;
        go_on(p, 24);
        break;
    default: load_psw(p, &disabled_wait); break;
    }
    processor_set_gprs(p, s->gpr[cpu]);
    s->end = cycles_on(s->m, cpu);
    return SUPERVISOR_PSW;
}

static const struct supervisor_ops counter_ops = {counter_interrupt, NULL, NULL};

/* A program for each CPU: counts in register 1 and calls, with its address as number. */
#define PROGRAMS                                                                                                       \
    "         ORG   X'4000'\n"                                                                                         \
    "         USING *,0\n"                                                                                             \
    "         BALR  12,0\n"                                                                                            \
    "         LA    1,1(,1)\n"                                                                                         \
    "         SVC   7\n"                                                                                               \
    "         BCR   15,12\n"                                                                                           \
    "         ORG   X'4100'\n"                                                                                         \
    "         BALR  12,0\n"                                                                                            \
    "         LA    1,1(,1)\n"                                                                                         \
    "         SVC   9\n"                                                                                               \
    "         BCR   15,12\n"                                                                                           \
    "         END\n"

static void test_activations_of_one_supervisor_on_two_cpus_follow_each_other(void **state) {
    struct machine *m = program_load_on("s370", (struct machine_options){.memory_bytes = 0x10000, .cpus = 2}, PROGRAMS);
    struct counter s = {.m = m};
    struct error e = ERROR_CLEAR;
    (void)state;
    struct supervisor *v = supervisor_attach(m, &counter_ops, &s, &e);
    assert_true(supervisor_enable_cpu(v, 1, 0x8000, &e));
    assert_int_equal(program_run(m, 0), MACHINE_DISABLED_WAIT);
    for (unsigned cpu = 0; cpu < 2; cpu++) {
        struct machine_state end;
        machine_cpu_state(m, cpu, &end);
        assert_int_equal(end.psw.ia, 0xACE);
        assert_int_equal(end.gpr[1], 100);
        assert_int_equal(end.prefix, cpu ? 0x8000 : 0);
        assert_int_equal(s.restarts[cpu], 1);
        assert_int_equal(s.calls[cpu], 100);
        assert_int_equal(s.number[cpu], cpu ? 9 : 7);
        assert_int_equal(s.signals[cpu], cpu);
        /* Each has waited for the other, and the books add up. */
        uint64_t booked = 0;
        for (int c = 0; c < CAUSE_COUNT; c++)
            booked += machine_cpu_booked(m, cpu, 0, (enum cycle_cause)c);
        assert_int_equal(booked, cycles_on(m, cpu));
        assert_true(machine_cpu_booked(m, cpu, 0, CAUSE_IDLE) > 90 * 2000);
    }
    assert_int_equal(s.code, 0x1201);
    assert_int_equal(s.overlapping, 0);
    assert_int_equal(supervisor_activations(v, INTERRUPTION_SVC), 200);
    supervisor_detach(v);
    program_free(m);
}

static void test_cpus_are_enabled_once_and_with_pages_of_their_own(void **state) {
    static const struct {
        unsigned cpu;
        uint32_t page;
        const char *why;
    } refused[] = {
        {0, 0x3000, "it is enabled already"},
        {3, 0x3000, "there is none"},
        {2, 0x3800, "its page 0 must be a whole page of storage"},
        {2, 0x10000, "its page 0 must be a whole page of storage"},
        {2, 0xFFFFF000, "its page 0 must be a whole page of storage"},
        {2, 0, "its page 0 is another CPU's"},
        {2, 0x8000, "its page 0 is another CPU's"},
        {1, 0x9000, "it is enabled already"},
    };
    struct machine *m = program_load_on("s370", (struct machine_options){.memory_bytes = 0x10000, .cpus = 3}, PROGRAMS);
    struct counter s = {.m = m};
    struct error e = ERROR_CLEAR;
    (void)state;
    struct supervisor *v = supervisor_attach(m, &counter_ops, &s, &e);
    assert_true(supervisor_enable_cpu(v, 1, 0x8000, &e));
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        char text[160];
        struct error x = ERROR_CLEAR;
        snprintf(text, sizeof text, "bare: CPU %u cannot be enabled for the supervisor, page 0 at %06X: %s",
                 refused[i].cpu, refused[i].page, refused[i].why);
        assert_false(supervisor_enable_cpu(v, refused[i].cpu, refused[i].page, &x));
        assert_string_equal(x.text, text);
    }
    program_run(m, 1);
    assert_false(supervisor_enable_cpu(v, 2, 0x9000, &e));
    assert_non_null(strstr(e.text, "the machine was started"));
    supervisor_detach(v);
    program_free(m);
}

/* ---- On a virtual machine with two CPUs, which a supervisor below moves between the real ones ---- */

enum {
    VM_BYTES = 0x10000,
    VM_AT = 0x20000,
    PAGE_OF_1 = 0x1000, /* of the virtual machine: CPU 1's page 0 */
    TABLES = 0x1E000,   /* two segment tables and two page tables */
    OWN_WORD = 0xF00,   /* in each virtual CPU's page 0: its address */
    DAT_4K_64K = 0x00800000,
};

struct lower {
    struct machine *bare, *vm;
    struct supervisor *below, *above;
    struct machine_state state[2]; /* of the virtual CPUs */
    int on[2];                     /* which virtual CPU is on each real one; -1: none */
    int waiting[2], waiting_count; /* those on none, first in, first out */
    bool finished[2];
    unsigned moves;
    /* What the supervisor above sees. */
    char log[64];
    unsigned wrong_words, cpus_seen[2];
};

static enum access vm_peek(void *self, uint32_t real, void *to, uint32_t length) {
    struct lower *l = self;
    return machine_peek(l->bare, VM_AT + real, to, length);
}
static enum access vm_poke(void *self, uint32_t real, const void *from, uint32_t length) {
    struct lower *l = self;
    return machine_poke(l->bare, VM_AT + real, from, length);
}
static unsigned vm_cpus(void *self) {
    (void)self;
    return 2;
}
static void vm_state(void *self, unsigned cpu, struct machine_state *to) {
    struct lower *l = self;
    *to = l->state[cpu];
}
static void vm_set_state(void *self, unsigned cpu, const struct machine_state *from) {
    struct lower *l = self;
    l->state[cpu] = *from;
}
static const struct machine_ops vm_ops = {
    .peek = vm_peek, .poke = vm_poke, .cpus = vm_cpus, .state = vm_state, .set_state = vm_set_state};

/* The map of a virtual CPU's real storage: page 0 and the prefix page exchanged. */
static void make_tables(struct lower *l, unsigned cpu) {
    uint32_t segments = TABLES + 0x40 * cpu, pages = TABLES + 0x100 + 0x40 * cpu;
    uint8_t raw[32];
    bytes_put32(raw, 0xF0000000 | pages);
    machine_poke(l->bare, segments, raw, 4);
    for (uint32_t i = 0; i < 16; i++)
        bytes_put16(raw + 2 * i, (uint16_t)((VM_AT + storage_prefix(i << 12, l->state[cpu].prefix)) >> 8));
    machine_poke(l->bare, pages, raw, 32);
}

static void dispatch(struct lower *l, struct processor *p, unsigned real) {
    if (l->waiting_count == 0) {
        bool all = l->finished[0] && l->finished[1];
        l->on[real] = -1;
        load_psw(p, all ? &disabled_wait
                        : &(struct psw){.state = PSW_EC | PSW_WAIT, .system_mask = PSW_EXTERNAL, .ia = 0xAAA});
        return;
    }
    int cpu = l->waiting[0];
    l->waiting[0] = l->waiting[1];
    l->waiting_count--;
    l->on[real] = cpu;
    l->moves++;
    set_control(p, CELL_LCTL_0_1, DAT_4K_64K | CR0_CPU_TIMER, TABLES + 0x40 * (uint32_t)cpu);
    processor_set_gprs(p, l->state[cpu].gpr);
    load_psw(p, &l->state[cpu].psw);
    processor_running(p, l->vm, (unsigned)cpu);
}

/* The virtual CPU that was on this one goes behind those that wait; false: there was none. */
static bool take_back(struct lower *l, struct processor *p, unsigned real, uint32_t old) {
    uint8_t psw[8];
    int cpu = l->on[real];
    if (cpu < 0)
        return false;
    processor_gprs(p, l->state[cpu].gpr);
    processor_fetch(p, old, psw, 8);
    psw_load(&l->state[cpu].psw, psw);
    l->on[real] = -1;
    l->waiting[l->waiting_count++] = cpu;
    return true;
}

static uint32_t lower_interrupt(void *self, struct processor *p, enum interruption_class c) {
    struct lower *l = self;
    unsigned real = processor_address(p);
    uint8_t code[2];
    switch (c) {
    case INTERRUPTION_RESTART:
        if (real == 0)
            assert_int_equal(signal(p, 1, 6), 0);
        break;
    case INTERRUPTION_EXTERNAL:
        if (take_back(l, p, real, 24) && l->waiting_count == 1 && l->on[!real] >= 0) {
            /* The other one will be back, too: then they change places, and this CPU takes that one. */
            set_timer(p, 25000);
            load_psw(p, &(struct psw){.state = PSW_EC | PSW_WAIT, .system_mask = PSW_EXTERNAL, .ia = 0xAAA});
            return SUPERVISOR_PSW;
        }
        break;
    case INTERRUPTION_PROGRAM: /* its LPSW, in problem state */
        processor_fetch(p, 142, code, 2);
        assert_int_equal(bytes_get16(code), PROGRAM_PRIVILEGED);
        l->finished[l->on[real]] = true;
        break;
    default: fail();
    }
    set_timer(p, 20000 + 3000 * real);
    dispatch(l, p, real);
    return SUPERVISOR_PSW;
}

static uint32_t upper_interrupt(void *self, struct processor *p, enum interruption_class c) {
    struct lower *l = self;
    unsigned cpu = processor_address(p);
    size_t used = strlen(l->log);
    snprintf(l->log + used, sizeof l->log - used, "%s %u begins; ", interruption_name(c), cpu);
    for (uint64_t i = 0; i < 60; i++) {
        uint8_t word[4];
        processor_charge(p, 4000, CAUSE_INTERPRETATION);
        processor_fetch(p, OWN_WORD, word, 4);
        l->wrong_words += bytes_get32(word) != cpu || processor_address(p) != cpu;
        processor_trace(p, TRACE_DISPATCH, i, 0, 0, NULL);
    }
    used = strlen(l->log);
    snprintf(l->log + used, sizeof l->log - used, "%u ends; ", cpu);
    return SUPERVISOR_PSW;
}

static void see(void *self, const struct trace_event *event) {
    struct lower *l = self;
    l->cpus_seen[event->cpu]++;
}

static const struct supervisor_ops lower_ops = {lower_interrupt, NULL, NULL};
static const struct supervisor_ops upper_ops = {upper_interrupt, NULL, NULL};

static void test_suspended_activations_move_between_cpus_and_others_wait_for_them(void **state) {
    struct error e = ERROR_CLEAR;
    struct trace *trace = trace_new();
    struct lower l = {.waiting = {0, 1}, .waiting_count = 2, .on = {-1, -1}};
    (void)state;
    trace_subscribe(trace, 1u << TRACE_DISPATCH, see, &l);
    l.bare = program_load_on(
        "s370", (struct machine_options){.memory_bytes = VM_AT + VM_BYTES, .cpus = 2, .trace = trace}, PROGRAMS);
    l.vm = machine_new_virtual(l.bare, &vm_ops, &l, "vm", VM_BYTES, &e);
    l.below = supervisor_attach(l.bare, &lower_ops, &l, &e);
    l.above = supervisor_attach(l.vm, &upper_ops, &l, &e);
    assert_true(supervisor_enable_cpu(l.below, 1, 0x8000, &e));
    assert_true(supervisor_enable_cpu(l.above, 1, PAGE_OF_1, &e));
    for (uint32_t cpu = 0; cpu < 2; cpu++) {
        uint8_t word[4];
        bytes_put32(word, cpu);
        machine_poke(l.vm, (cpu ? PAGE_OF_1 : 0) + OWN_WORD, word, 4);
        make_tables(&l, cpu);
        l.state[cpu].psw =
            (struct psw){.state = PSW_EC | PSW_PROBLEM,
                         .system_mask = PSW_EC_DAT | PSW_EXTERNAL,
                         .ia = SUPERVISOR_CALLS + (cpu ? 0 : 2 * 12)}; /* as after a restart, and an SVC */
    }
    assert_int_equal(program_run(l.bare, 0), MACHINE_DISABLED_WAIT);
    /* CPU 0 has left the supervisor below when CPU 1 enters it. */
    assert_string_equal(l.log, "svc 0 begins; 0 ends; restart 1 begins; 1 ends; ");
    assert_int_equal(l.wrong_words, 0);
    assert_int_equal(l.cpus_seen[0] + l.cpus_seen[1], 120);
    assert_true(l.cpus_seen[0] > 10 && l.cpus_seen[1] > 10);
    assert_true(l.moves > 10);
    /* While 0's was suspended, 1 waited for it, on its own level. */
    assert_true(machine_booked(l.bare, 1, CAUSE_IDLE) > 5000);
    supervisor_detach(l.above);
    supervisor_detach(l.below);
    machine_free_virtual(l.vm);
    program_free(l.bare);
    trace_free(trace);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_activations_of_one_supervisor_on_two_cpus_follow_each_other),
        cmocka_unit_test(test_cpus_are_enabled_once_and_with_pages_of_their_own),
        cmocka_unit_test(test_suspended_activations_move_between_cpus_and_others_wait_for_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
