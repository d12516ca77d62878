/* Supervisors in C as programs of their machine: cells in page 0, activations, and the calls that are their
 * instructions.
 *
 * On the bare machine an activation is an ordinary call, for nothing can interrupt it. On any other machine it runs on
 * a stack of its own: whenever it needs the CPU (for a cell, for a page that a lower monitor must bring first, or
 * because an interruption of the bare machine is due) it gives the CPU back, with the PSW at a cell from which it is
 * continued. Whoever dispatches that PSW again continues it; the CPU loop never recurses. */
#include "isa/supervisor.h"

#include <stdio.h>
#include <stdlib.h>

#include "isa/coroutine.h"
#include "isa/isa_internal.h"

enum { CALL_BYTES = 12, CELL_BYTES = 16, CLASS_CONTINUE = 7 };

enum request {
    REQUEST_NONE,     /* not suspended */
    REQUEST_EXECUTE,  /* a cell is to be executed */
    REQUEST_FAULT,    /* a storage access failed: interrupt, and retry when continued */
    REQUEST_BOUNDARY, /* an interruption is due */
    REQUEST_DONE,
};

struct supervisor {
    struct machine *machine;
    const struct supervisor_ops *ops;
    void *self;
    unsigned number;
    struct {
        bool enabled;
        uint32_t page; /* where its cells are: its page 0 */
        uint8_t key[8];
    } cpu[MACHINE_CPUS_MOST];
    uint64_t activations[INTERRUPTION_CLASSES];
    bool direct; /* on the bare machine */

    /* The activation in progress, or the last one. */
    bool live;
    unsigned owner;      /* the CPU that it is on */
    uint64_t free_clock; /* when it ended, on the bare machine */
    enum interruption_class class;
    enum request request;
    unsigned code; /* REQUEST_FAULT: what failed; when continued: the program code that completed the call, or 0 */
    uint32_t psw_address;
    enum cycle_cause cause;
    struct machine_cpu running; /* whom it is about to dispatch */

    struct processor *scratch;   /* on which instructions are interpreted */
    struct coroutine *coroutine; /* NULL: direct */
    struct processor *processor; /* that it is on, or was suspended on */
};

static const struct {
    uint8_t length, text[4];
} cells[CELL_COUNT] = {
#define CELL_TEXT(id, length, b0, b1, b2, b3) [CELL_##id] = {length, {b0, b1, b2, b3}},
    SUPERVISOR_CELLS_TABLE(CELL_TEXT)
#undef CELL_TEXT
};

/* Where the new PSW of a class lies, as in isa/interruption.c. */
static const uint16_t new_psw[INTERRUPTION_CLASSES] = {0, 88, 96, 104, 112, 120};

static uint32_t call_cell(unsigned class) {
    return SUPERVISOR_CALLS + CALL_BYTES * (class == CLASS_CONTINUE ? 6 : class);
}
static uint32_t instruction_cell(enum supervisor_cell cell) { return SUPERVISOR_CELLS + CELL_BYTES * (uint32_t)cell; }

/* ---- Attaching ---- */

static void make_call(const struct supervisor *s, unsigned cpu, unsigned class, uint8_t to[CALL_BYTES]) {
    bytes_put16(to, 0xB2FE);
    bytes_put16(to + 2, (uint16_t)(s->number * 8 + class));
    memcpy(to + 4, s->cpu[cpu].key, 8);
}

/* A key of its own makes known which CPU executes a cell. */
static void write_cells(struct supervisor *s, unsigned cpu, uint32_t page) {
    uint8_t call[CALL_BYTES], psw[8];
    static const uint8_t lpsw[4] = {0x82, 0x00, 0x0E, 0x00};
    struct machine *m = s->machine;
    s->cpu[cpu].enabled = true;
    s->cpu[cpu].page = page;
    bytes_put64(s->cpu[cpu].key, random_u64(&m->processor->machine->keys));
    for (unsigned c = 0; c < INTERRUPTION_CLASSES; c++) {
        make_call(s, cpu, c, call);
        machine_poke(m, page + call_cell(c), call, CALL_BYTES);
        psw_store(&(struct psw){.state = PSW_EC, .ia = call_cell(c)}, psw, 0, 0);
        machine_poke(m, page + new_psw[c], psw, 8);
    }
    make_call(s, cpu, CLASS_CONTINUE, call);
    machine_poke(m, page + call_cell(CLASS_CONTINUE), call, CALL_BYTES);
    machine_poke(m, page + SUPERVISOR_LPSW, lpsw, 4);
    for (unsigned i = 0; i < CELL_COUNT; i++) {
        uint32_t at = page + instruction_cell((enum supervisor_cell)i);
        machine_poke(m, at, cells[i].text, cells[i].length);
        machine_poke(m, at + cells[i].length, call, CALL_BYTES);
    }
}

_Static_assert(SUPERVISOR_CELLS + CELL_BYTES * CELL_COUNT <= SUPERVISOR_PSW, "the cells run into the areas");

static void supervisor_free(struct supervisor *s) {
    coroutine_free(s->coroutine);
    free(s->scratch);
    free(s);
}

struct supervisor *supervisor_attach(struct machine *m, const struct supervisor_ops *ops, void *self, struct error *e) {
    struct supervisor **supervisors = m->processor->machine->supervisors;
    unsigned number = 0;
    while (number < SUPERVISORS_MOST && supervisors[number])
        number++;
    bool started = m->started || (m->ops && m->ops->started && m->ops->started(m->self));
    if (m->supervisor || m->witness || started || number == SUPERVISORS_MOST) {
        error_set(e, ERROR_INPUT, "%s: a supervisor needs a machine that was not started and has none; %s", m->name,
                  m->supervisor ? "it has one"
                  : m->witness  ? "its program is a hypervisor in assembler"
                  : started     ? "it was started"
                                : "the processor has as many as it can have");
        return NULL;
    }
    struct supervisor *s = calloc(1, sizeof *s);
    if (!s) {
        error_set(e, ERROR_INTERNAL, "no memory for a supervisor");
        return NULL;
    }
    s->machine = m;
    s->ops = ops;
    s->self = self;
    s->number = number;
    s->direct = m->host == NULL;
    s->processor = m->processor;
    s->scratch = processor_new(m->processor->machine, 0);
    s->coroutine = s->direct ? NULL : coroutine_new();
    if (!s->scratch || (!s->direct && !s->coroutine)) {
        error_set(e, ERROR_INTERNAL, "no memory for a supervisor's stack");
        supervisor_free(s);
        return NULL;
    }
    supervisors[number] = s;
    m->supervisor = s;
    write_cells(s, 0, 0);
    return s;
}

/* Why this page cannot be that CPU's; NULL: it can. */
static const char *refused(const struct supervisor *s, unsigned cpu, uint32_t page) {
    if (s->machine->started)
        return "the machine was started";
    if (cpu >= machine_cpus(s->machine))
        return "there is none";
    if (s->cpu[cpu].enabled)
        return "it is enabled already";
    if (page & 4095 || page > s->machine->memory || s->machine->memory - page < 4096)
        return "its page 0 must be a whole page of storage";
    for (unsigned i = 0; i < MACHINE_CPUS_MOST; i++)
        if (s->cpu[i].enabled && s->cpu[i].page == page)
            return "its page 0 is another CPU's";
    return NULL;
}

bool supervisor_enable_cpu(struct supervisor *s, unsigned cpu, uint32_t page, struct error *e) {
    const char *why = refused(s, cpu, page);
    if (why)
        return error_set(e, ERROR_INPUT, "%s: CPU %u cannot be enabled for the supervisor, page 0 at %06X: %s",
                         s->machine->name, cpu, page, why);
    struct machine_state state;
    machine_cpu_state(s->machine, cpu, &state);
    state.prefix = page;
    machine_cpu_set_state(s->machine, cpu, &state);
    write_cells(s, cpu, page);
    return true;
}

void supervisor_detach(struct supervisor *s) {
    if (!s)
        return;
    s->processor->machine->supervisors[s->number] = NULL;
    s->machine->supervisor = NULL;
    supervisor_free(s);
}

uint64_t supervisor_activations(const struct supervisor *s, enum interruption_class c) { return s->activations[c]; }

/* ---- Activations ---- */

static void emit(struct processor *p, const struct machine *m, enum trace_kind kind, uint64_t a, uint64_t b, uint64_t c,
                 const char *text) {
    if (!trace_wants(m->trace, kind))
        return;
    struct trace_event event = {.kind = kind,
                                .cycle = processor_cycles(p),
                                .machine = m->name,
                                .level = m->level,
                                .cpu = p->address,
                                .a = a,
                                .b = b,
                                .c = c,
                                .text = text};
    trace_emit(m->trace, &event);
}

static void run_activation(void *self) {
    struct supervisor *s = self;
    s->psw_address = s->ops->interrupt(s->self, s->processor, s->class);
    s->request = REQUEST_DONE;
}

/* Gives the CPU back from inside an activation, until it is continued. */
static void suspend(struct supervisor *s, enum request request) {
    s->request = request;
    coroutine_suspend(s->coroutine);
    s->request = REQUEST_NONE;
}

static void supervisor_fault(struct supervisor *s, const char *what) {
    struct machine *bare = machine_bare(s->machine);
    bare->status = MACHINE_FAULT;
    snprintf(bare->fault, sizeof bare->fault, "the supervisor of %s, handling a %s interruption, %s", s->machine->name,
             interruption_name(s->class), what);
}

/* The activation has ended: the LPSW, its last instruction. */
static void leave(struct supervisor *s) {
    struct processor *p = s->processor;
    s->live = false;
    if (s->psw_address != SUPERVISOR_PSW) {
        supervisor_fault(s, "returned a PSW address that is not SUPERVISOR_PSW");
        return;
    }
    if (!s->direct) {
        processor_flush(p);
        processor_given(p, (struct machine_cpu){s->machine, s->owner}, s->running);
        p->psw.ia = SUPERVISOR_LPSW;
        p->leaving = true;
        p->held = false;
        return;
    }
    uint8_t raw[8];
    struct psw psw;
    real_read(p, SUPERVISOR_PSW, raw, 8);
    psw_load(&psw, raw);
    processor_book(p, p->model->row[INSTRUCTION_LPSW].base, CAUSE_DISPATCH);
    processor_flush(p);
    processor_given(p, (struct machine_cpu){s->machine, s->owner}, s->running);
    if (p->machine->witnesses)
        processor_ask_witnesses(p);
    s->free_clock = processor_clock(p);
    p->last_valid = false;
    psw_make_current(p, &psw);
}

/* Runs the activation on its stack, from its start or from where it is, until it gives the CPU back, and does what it
 * asks for. */
static void resume(struct supervisor *s, struct processor *p, bool start) {
    struct supervisor *outer = p->active;
    p->active = s;
    s->processor = p;
    if (start)
        coroutine_start(s->coroutine, run_activation, s);
    else
        coroutine_resume(s->coroutine);
    p->active = outer;
    p->held = false;
    switch (s->request) {
    case REQUEST_EXECUTE: break; /* psw.ia is the cell */
    case REQUEST_BOUNDARY: p->psw.ia = call_cell(CLASS_CONTINUE); break;
    case REQUEST_FAULT:
        p->psw.ia = call_cell(CLASS_CONTINUE);
        if (s->code != ACCESS_SEGMENT && s->code != ACCESS_PAGE)
            p->psw.ia += 2;
        interrupt_program(p, s->code, 1);
        break;
    case REQUEST_DONE: leave(s); break;
    case REQUEST_NONE: break;
    }
}

static void activate(struct supervisor *s, struct processor *p, unsigned cpu, enum interruption_class c) {
    if (s->direct && processor_clock(p) < s->free_clock)
        processor_pass_time(p, s->free_clock);
    s->live = true;
    s->owner = cpu;
    s->processor = p;
    s->class = c;
    s->request = REQUEST_NONE;
    s->code = 0;
    s->cause = CAUSE_DISPATCH;
    s->running.machine = NULL;
    s->activations[c]++;
    emit(p, s->machine, TRACE_ACTIVATION, c, s->number, 0, interruption_name(c));
    if (s->direct) {
        p->active = s;
        s->psw_address = s->ops->interrupt(s->self, p, c);
        p->active = NULL;
        leave(s);
        return;
    }
    resume(s, p, true);
}

/* The CPU of its machine whose cells have this key; MACHINE_CPUS_MOST: none. */
static unsigned cpu_with_key(const struct supervisor *s, const uint8_t key[8]) {
    unsigned cpu = 0;
    while (cpu < MACHINE_CPUS_MOST && !(s->cpu[cpu].enabled && memcmp(s->cpu[cpu].key, key, 8) == 0))
        cpu++;
    return cpu;
}

/* The supervisor that a CALL cell belongs to, its CPU, and the class; NULL when number and key are not registered. */
static struct supervisor *called(struct processor *p, unsigned *cpu, unsigned *class) {
    struct span span;
    uint8_t text[CALL_BYTES];
    if (span_open(p, p->psw.ia, CALL_BYTES, ACCESS_INSTRUCTION, &span))
        return NULL;
    span_read(&span, text);
    unsigned number = bytes_get16(text + 2) >> 3;
    struct supervisor *s = number < SUPERVISORS_MOST ? p->machine->supervisors[number] : NULL;
    *class = text[3] & 7;
    if (!s || (*cpu = cpu_with_key(s, text + 4)) == MACHINE_CPUS_MOST)
        return NULL;
    if (*class == CLASS_CONTINUE)
        return s->live && s->owner == *cpu && s->request != REQUEST_NONE ? s : NULL;
    return *class < INTERRUPTION_CLASSES ? s : NULL;
}

/* An activation is suspended on another CPU: this one tries again and again, as if it were a lock, and each time an
 * interruption can come between. */
static void try_later(struct processor *p) {
    const struct cost_row *branch = &p->model->row[INSTRUCTION_BC];
    processor_pass_time(p, processor_clock(p) + p->model->row[INSTRUCTION_CS].base + branch->base + branch->taken);
    machine_end_turn(p->machine);
}

/* CPU 0 is started with its machine: the CPU of an activation that is suspended is stopped, or will be restarted. */
static bool restarted(unsigned cpu, unsigned class) { return cpu == 0 && class == INTERRUPTION_RESTART; }

bool supervisor_call(struct processor *p) {
    unsigned cpu, class;
    struct supervisor *s = called(p, &cpu, &class);
    p->charged = 0;
    if (!s)
        return false;
    p->machine->moves++;
    p->last_valid = false;
    if (class == CLASS_CONTINUE) {
        s->code = 0;
        resume(s, p, false);
    } else if (s->direct && p->machine->cpus > 1 && !processor_is_first(p)) {
        machine_end_turn(p->machine); /* the call is repeated: activations follow each other in the order of clocks */
    } else if (s->live && s->owner != cpu && !restarted(cpu, class)) {
        try_later(p);
    } else if (class == INTERRUPTION_PROGRAM && s->live &&
               (s->request == REQUEST_EXECUTE || s->request == REQUEST_FAULT)) {
        s->code = 1; /* the call is completed by this interruption; its code is in low storage */
        resume(s, p, false);
    } else {
        activate(s, p, cpu, (enum interruption_class) class);
    }
    return true;
}

/* ---- The supervisor's instructions ---- */

/* The CPU that the activation is on: another one, perhaps, than that on which it began, or was before it was suspended.
 */
static struct processor *present(const struct processor *p) { return p->machine->current; }

/* Books the cycles and lets interruptions come. Returns the CPU on which it goes on. */
static struct processor *charge(struct processor *p, uint32_t cycles) {
    p = present(p);
    struct supervisor *s = p->active;
    processor_book(p, cycles, s->cause);
    while (!s->direct && interrupt_waiting(p)) {
        suspend(s, REQUEST_BOUNDARY);
        p = present(p);
    }
    return p;
}

unsigned processor_address(struct processor *p) { return present(p)->active->owner; }

void processor_charge(struct processor *p, uint32_t cycles, enum cycle_cause cause) {
    struct supervisor *s = present(p)->active;
    enum cycle_cause before = s->cause;
    s->cause = cause;
    charge(p, cycles);
    s->cause = before;
}

void processor_cause(struct processor *p, enum cycle_cause cause) { present(p)->active->cause = cause; }

uint32_t processor_gpr(struct processor *p, unsigned n) {
    p = charge(p, p->model->register_access);
    return p->gpr[n];
}

void processor_set_gpr(struct processor *p, unsigned n, uint32_t value) {
    p = charge(p, p->model->register_access);
    p->gpr[n] = value;
}

void processor_gprs(struct processor *p, uint32_t to[16]) {
    p = charge(p, 16u * p->model->register_access);
    memcpy(to, p->gpr, 16 * sizeof *to);
}

void processor_set_gprs(struct processor *p, const uint32_t from[16]) {
    p = charge(p, 16u * p->model->register_access);
    memcpy(p->gpr, from, 16 * sizeof *from);
}

/* The program code with which the call was completed, from the supervisor's own low storage. */
static unsigned completing_code(struct processor *p) {
    uint8_t raw[2] = {0, 0};
    present(p)->active->code = 0;
    processor_fetch(p, 142, raw, 2);
    return bytes_get16(raw);
}

/* Makes an operand accessible, however long that takes. */
static unsigned open_operand(struct processor *p, uint32_t real, uint32_t length, enum access_kind kind,
                             struct span *span) {
    p = charge(p, p->model->storage_access + p->model->storage_doubleword * (((real & 7) + length + 7) / 8));
    struct supervisor *s = p->active;
    for (;;) {
        unsigned x = span_open(p, real & ADDRESS_MASK, length, kind, span);
        if (p->tlb_cost)
            processor_book(p, p->tlb_cost, CAUSE_TLB);
        p->charged = 0;
        if (!x || s->direct)
            return x;
        s->code = x;
        suspend(s, REQUEST_FAULT);
        p = present(p);
        if (s->code)
            return completing_code(p);
    }
}

enum access processor_fetch(struct processor *p, uint32_t real, void *to, uint32_t length) {
    struct span s;
    unsigned x = open_operand(p, real, length, ACCESS_FETCH, &s);
    if (!x)
        span_read(&s, to);
    return (enum access)x;
}

enum access processor_store(struct processor *p, uint32_t real, const void *from, uint32_t length) {
    struct span s;
    unsigned x = open_operand(p, real, length, ACCESS_STORE, &s);
    if (x)
        return (enum access)x;
    span_write(&s, from);
    span_stored(&s);
    return ACCESS_OK;
}

static unsigned execute_directly(struct processor *p, enum supervisor_cell cell) {
    uint8_t text[6] = {0};
    struct operation o;
    memcpy(text, cells[cell].text, 4);
    const struct instruction *i = instruction_decode(text);
    operation_decode(&o, p->model, i, text);
    unsigned x = execute_one(p, &o, instruction_id(i), p->psw.ia);
    processor_book(p, p->dynamic_cost, p->active->cause);
    p->charged = 0;
    return x == OUTCOME_SYNC ? 0 : x & 0xFF;
}

unsigned processor_execute(struct processor *p, enum supervisor_cell cell, unsigned *cc) {
    p = present(p);
    struct supervisor *s = p->active;
    unsigned x = 0;
    emit(p, s->machine, TRACE_CELL, instruction_cell(cell), 0, 0, instruction_decode(cells[cell].text)->mnemonic);
    if (s->direct) {
        x = execute_directly(p, cell);
    } else {
        p = charge(p, 0);
        p->psw.ia = instruction_cell(cell);
        suspend(s, REQUEST_EXECUTE);
        p = present(p);
        if (s->code)
            x = completing_code(p);
    }
    if (cc)
        *cc = p->psw.cc;
    return x;
}

/* ---- The books ---- */

void processor_running(struct processor *p, struct machine *vm, unsigned cpu) {
    present(p)->active->running = (struct machine_cpu){vm, cpu};
}

static void count_retired(struct machine *m, unsigned instructions, uint32_t cost) {
    m->instructions += instructions;
    m->nominal += cost;
}

/* The clocks of vm and the machines below move by what was retired; no cycles pass. The instruction may have been that
 * of a machine on vm, which runs: one that is only seen, as vm has no supervisor in C. True: that was the limit. */
static bool retire(struct processor *p, struct machine *vm, unsigned instructions, uint32_t cost) {
    processor_flush(p);
    p->horizon += cost;
    p->flushed_nominal += cost;
    p->cycles_offset -= cost;
    p->instructions += instructions;
    for (struct machine *m = vm; m; m = m->host)
        count_retired(m, instructions, cost);
    bool limit = machine_limit_reached(vm);
    for (struct machine_cpu c = vm->running[0]; c.machine; c = chain_next(c)) {
        count_retired(c.machine, instructions, cost);
        limit = limit || machine_limit_reached(c.machine);
    }
    return limit;
}

bool processor_retire(struct processor *p, struct machine *vm, const uint8_t text[6], const uint8_t *execute,
                      uint32_t doublewords) {
    const struct instruction *i = instruction_decode(text);
    p = present(p);
    if (!i || vm->supervisor)
        return false;
    const struct cost_row *row = &p->model->row[instruction_id(i)];
    uint32_t cost = cost_static(p->model, i, text);
    if (execute)
        cost += cost_static(p->model, &instruction_table[INSTRUCTION_EX], execute);
    if (row->per_doubleword)
        cost += row->per_doubleword * doublewords;
    else if (doublewords > 1)
        cost += p->model->crossing;
    if (doublewords == RETIRE_EXCEPTION)
        cost = p->model->completion;
    return retire(p, vm, 1, cost);
}

/* An instruction in a window: as the CPU loop has it, but that nothing is pending and no time passes. */
static enum interpreted_end end_of(struct processor *scratch, unsigned x, struct interpreted *i) {
    uint32_t next = (scratch->psw.ia + scratch->length) & ADDRESS_MASK;
    i->ilc = scratch->length;
    switch (x & ~(unsigned)OUTCOME_LATE) {
    case OUTCOME_NEEDS: return INTERPRETED_NEEDS;
    case OUTCOME_RESOURCE: return INTERPRETED_RESOURCE;
    case OUTCOME_CALL: return INTERPRETED_CALL;
    case OUTCOME_RESUME:
    case OUTCOME_SYNC: return INTERPRETED_DONE;
    case OUTCOME_BRANCH: scratch->psw.ia = scratch->branch_target; return INTERPRETED_DONE;
    case 0: scratch->psw.ia = next; return INTERPRETED_DONE;
    case OUTCOME_SVC:
        scratch->psw.ia = next;
        i->code = scratch->svc_number;
        return INTERPRETED_SVC;
    default: break;
    }
    i->code = x & 0xFF;
    if (i->code != ACCESS_SEGMENT && i->code != ACCESS_PAGE)
        scratch->psw.ia = next;
    return INTERPRETED_PROGRAM;
}

/* Nominal cycles of an instruction that ended so, beside those that a long one has charged for its progress. */
static uint32_t cost_of(const struct processor *scratch, unsigned x, bool retired) {
    return !retired ? 0 : x & OUTCOME_COMPLETED ? scratch->model->completion : scratch->dynamic_cost;
}

static bool is_interlocked(enum instruction_id id) {
    return id == INSTRUCTION_CS || id == INSTRUCTION_CDS || id == INSTRUCTION_TS;
}

/* The scratch processor as the virtual CPU is; the time is always up, so that long instructions end after each part. */
static unsigned execute_in(struct processor *scratch, const struct interpreted *i, struct window *w) {
    scratch->window = w;
    scratch->psw = i->psw;
    memcpy(scratch->gpr, i->gpr, sizeof i->gpr);
    memcpy(scratch->cr, i->cr, sizeof i->cr);
    scratch->remaining = 0;
    scratch->charged = 0;
    scratch->next_event = 0;
    scratch->interpreted = INSTRUCTION_COUNT;
    scratch->monitor_code = scratch->monitor_class = 0;
    scratch->translation_address = 0;
    w->stores = 0;
    return execute_apart(scratch);
}

enum interpreted_end processor_interpret(struct processor *p, struct machine *vm, struct interpreted *i,
                                         struct window *w) {
    p = present(p);
    struct supervisor *s = p->active;
    struct processor *scratch = s->scratch;
    uint32_t at = i->psw.ia;
    i->limit = w->pages == 0 && !w->code && machine_stands_before(vm, at);
    if (i->limit)
        return INTERPRETED_NOTHING;
    unsigned x = execute_in(scratch, i, w);
    enum interpreted_end end = end_of(scratch, x, i);
    if (end == INTERPRETED_NEEDS)
        w->need.interlocked = is_interlocked(scratch->interpreted);
    if (end == INTERPRETED_NEEDS || end == INTERPRETED_RESOURCE || end == INTERPRETED_CALL)
        return end;
    p = charge(p, p->model->interpretation);
    i->completed = end == INTERPRETED_SVC || x & OUTCOME_COMPLETED || (end == INTERPRETED_DONE && x != OUTCOME_RESUME);
    i->psw = scratch->psw;
    memcpy(i->gpr, scratch->gpr, sizeof i->gpr);
    i->translation_address = scratch->translation_address;
    i->monitor_code = scratch->monitor_code;
    i->monitor_class = scratch->monitor_class;
    uint32_t cost = (uint32_t)-scratch->remaining + cost_of(scratch, x, i->completed);
    i->limit = !vm->supervisor && retire(p, vm, i->completed, cost);
    if (scratch->interpreted < INSTRUCTION_COUNT)
        emit(p, s->machine, TRACE_INTERPRET, at, instruction_table[scratch->interpreted].code, 0,
             instruction_table[scratch->interpreted].mnemonic);
    return end;
}

bool processor_reflected(struct processor *p, struct machine *vm, unsigned cpu, enum interruption_class c) {
    processor_flush(present(p));
    vm->interruptions[c]++;
    vm->running[cpu].machine = NULL;
    return machine_limit_reached(vm);
}

void processor_stopped(struct processor *p, struct machine *vm, enum machine_status status) {
    vm->status = status;
    emit(present(p), vm, TRACE_STOP, 0, 0, 0, machine_status_name(status));
}

void processor_trace(struct processor *p, enum trace_kind kind, uint64_t a, uint64_t b, uint64_t c, const char *text) {
    p = present(p);
    emit(p, p->active->machine, kind, a, b, c, text);
}

void *machine_virtual_self(const struct machine *m, const struct machine_ops *ops) {
    return m->ops == ops ? m->self : NULL;
}

void *machine_supervisor_self(const struct machine *m, const struct supervisor_ops *ops) {
    return m->supervisor && m->supervisor->ops == ops ? m->supervisor->self : NULL;
}

struct machine *machine_supervised(const struct machine *m, unsigned n) {
    struct supervisor *const *supervisors = m->processor->machine->supervisors;
    for (unsigned i = 0; i < SUPERVISORS_MOST; i++)
        if (supervisors[i] && n-- == 0)
            return supervisors[i]->machine;
    return NULL;
}

/* ---- Saving and restoring ---- */

bool supervisor_active(const struct supervisor *s) { return s->live; }

struct machine *supervisor_virtual(const struct supervisor *s, unsigned n) {
    return s->ops->machine ? s->ops->machine(s->self, n) : NULL;
}

void supervisor_archive(struct supervisor *s, struct archive *a) {
    if (!s->ops->archive) {
        archive_fail(a, "the supervisor of %s keeps a state that cannot be saved", s->machine->name);
        return;
    }
    archive_same(a, s->number, "the number of a supervisor");
    for (unsigned i = 0; i < MACHINE_CPUS_MOST; i++) {
        archive_same(a, s->cpu[i].enabled, "whether a CPU can enter a supervisor");
        archive_u32(a, &s->cpu[i].page);
        archive_bytes(a, s->cpu[i].key, sizeof s->cpu[i].key);
    }
    archive_u64s(a, s->activations, INTERRUPTION_CLASSES);
    archive_u64(a, &s->free_clock);
    archive_bool(a, &s->live);
    if (a->loading && !a->still)
        s->live = false; /* what is suspended now is dropped */
    s->ops->archive(s->self, a);
}
