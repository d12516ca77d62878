/* The interpreter: one routine for each privileged instruction, all reached through one table.
 *
 * A routine does what the instruction does on the guest's virtual state, its tests in the architecture's order,
 * everything tested before anything is changed. It returns 0, or the program code with which the instruction ends; the
 * guest's instruction address is already that of the next instruction, as it is when an instruction is suppressed. */
#include "vmm/reference/reference.h"

/* ---- Operands ---- */

static uint32_t *r1(struct interpretation *i) { return &i->c->gpr[i->f.r1]; }
static uint32_t r2(const struct interpretation *i) { return i->c->gpr[i->f.r3]; }

static unsigned fetch_operand(struct interpretation *i, void *to, uint32_t length) {
    i->doublewords = ((i->address & 7) + length + 7) / 8;
    return guest_fetch(i->v, i->c, i->address, to, length, &i->failed);
}

static unsigned store_operand(struct interpretation *i, const void *from, uint32_t length) {
    i->doublewords = ((i->address & 7) + length + 7) / 8;
    return guest_store(i->v, i->c, i->address, from, length, &i->failed);
}

static unsigned fetch_doubleword(struct interpretation *i, uint64_t *value) {
    uint8_t raw[8];
    if (i->address & 7)
        return PROGRAM_SPECIFICATION;
    unsigned x = fetch_operand(i, raw, sizeof raw);
    if (x == 0)
        *value = bytes_get64(raw);
    return x;
}

static unsigned store_doubleword(struct interpretation *i, uint64_t value) {
    uint8_t raw[8];
    if (i->address & 7)
        return PROGRAM_SPECIFICATION;
    bytes_put64(raw, value);
    return store_operand(i, raw, sizeof raw);
}

/* ---- PSW ---- */

/* A bad PSW is found when it has become current: the dispatcher sees it. */
static unsigned load_psw(struct interpretation *i) {
    uint8_t raw[8];
    if (i->address & 7)
        return PROGRAM_SPECIFICATION;
    unsigned x = fetch_operand(i, raw, sizeof raw);
    if (x == 0)
        psw_load(&i->c->psw, raw);
    return x;
}

/* The mask has changed even when it is a bad one. */
static unsigned new_system_mask(struct interpretation *i, uint8_t mask) {
    i->c->psw.system_mask = mask;
    i->completed = !psw_valid(&i->c->psw);
    return i->completed ? PROGRAM_SPECIFICATION : 0;
}

static unsigned set_system_mask(struct interpretation *i) {
    uint8_t mask;
    if (i->c->cr[0] & CR0_SSM_SUPPRESSION)
        return PROGRAM_SPECIAL_OPERATION;
    unsigned x = fetch_operand(i, &mask, 1);
    return x ? x : new_system_mask(i, mask);
}

static unsigned store_then_and_system_mask(struct interpretation *i) {
    unsigned x = store_operand(i, &i->c->psw.system_mask, 1);
    return x ? x : new_system_mask(i, i->c->psw.system_mask & i->f.i2);
}

static unsigned store_then_or_system_mask(struct interpretation *i) {
    unsigned x = store_operand(i, &i->c->psw.system_mask, 1);
    return x ? x : new_system_mask(i, i->c->psw.system_mask | i->f.i2);
}

static unsigned set_psw_key_from_address(struct interpretation *i) {
    i->c->psw.key = i->address >> 4 & 15;
    return 0;
}

static unsigned insert_psw_key(struct interpretation *i) {
    i->c->gpr[2] = (i->c->gpr[2] & ~0xFFu) | (uint32_t)i->c->psw.key << 4;
    return 0;
}

/* ---- Control registers and translation ---- */

static unsigned control_count(const struct interpretation *i) { return ((i->f.r3 - i->f.r1) & 15u) + 1; }

static unsigned load_control(struct interpretation *i) {
    uint8_t raw[64];
    unsigned count = control_count(i);
    if (i->address & 3)
        return PROGRAM_SPECIFICATION;
    unsigned x = fetch_operand(i, raw, count * 4);
    if (x)
        return x;
    for (unsigned n = 0; n < count; n++)
        i->c->cr[(i->f.r1 + n) & 15] = bytes_get32(raw + n * 4);
    return 0;
}

static unsigned store_control(struct interpretation *i) {
    uint8_t raw[64];
    unsigned count = control_count(i);
    if (i->address & 3)
        return PROGRAM_SPECIFICATION;
    for (unsigned n = 0; n < count; n++)
        bytes_put32(raw + n * 4, i->c->cr[(i->f.r1 + n) & 15]);
    unsigned x = store_operand(i, raw, count * 4);
    i->doublewords = 0; /* its cost does not depend on them */
    return x;
}

static unsigned load_real_address(struct interpretation *i) {
    struct dat_walk w;
    enum access x = guest_walk(i->v, i->c, i->address, &w);
    if (x != ACCESS_OK && x != ACCESS_SEGMENT && x != ACCESS_PAGE)
        return x;
    *r1(i) = w.real;
    i->c->psw.cc = w.condition & 3;
    return 0;
}

static unsigned purge_tlb(struct interpretation *i) {
    monitor_parts(i->v)->shadow->purge(i->v, i->c, "PTLB");
    return 0;
}

/* The entry is named by a real address, and protected like an operand. */
static enum access may_store_entry(struct interpretation *i, uint32_t at) {
    unsigned key = i->c->psw.key;
    if (key && !storage_may_store(guest_key(i->v, i->c, guest_absolute(i->c, at)), key))
        return ACCESS_PROTECTION;
    return i->c->cr[0] & CR0_LOW_ADDRESS_PROTECTION && at < 512 ? ACCESS_PROTECTION : ACCESS_OK;
}

static unsigned invalidate_page_table_entry(struct interpretation *i) {
    struct dat_format f;
    uint8_t entry[2];
    if (!dat_format(i->c->cr[0], &f))
        return ACCESS_TRANSLATION_SPECIFICATION;
    uint32_t origin = *r1(i) & 0x00FFFFF8;
    uint32_t index = (r2(i) & ((1u << f.segment_shift) - 1)) >> f.page_shift;
    uint32_t at = (origin + index * 2) & HOST_ADDRESS_MASK;
    enum access x = guest_fetch_real(i->v, i->c, at, entry, sizeof entry);
    if (x == ACCESS_OK)
        x = may_store_entry(i, at);
    if (x != ACCESS_OK)
        return x;
    entry[1] |= f.page_shift == 12 ? 0x08 : 0x04;
    /* Not as a store of the guest's: the shadow learns of this entry alone. */
    monitor_store(i->v, host_real(i->v, i->c, guest_absolute(i->c, at)), entry, sizeof entry);
    monitor_parts(i->v)->shadow->invalidate(i->v, i->c, origin, index, &f);
    return 0;
}

static unsigned set_prefix(struct interpretation *i) {
    uint8_t raw[4];
    if (i->address & 3)
        return PROGRAM_SPECIFICATION;
    unsigned x = fetch_operand(i, raw, sizeof raw);
    if (x)
        return x;
    uint32_t prefix = bytes_get32(raw) & 0x00FFF000;
    if (prefix >= machine_of(i->v, i->c)->memory)
        return ACCESS_ADDRESSING;
    monitor_parts(i->v)->shadow->prefix(i->v, i->c, prefix);
    i->c->prefix = prefix;
    return 0;
}

static unsigned store_prefix(struct interpretation *i) {
    uint8_t raw[4];
    if (i->address & 3)
        return PROGRAM_SPECIFICATION;
    bytes_put32(raw, i->c->prefix);
    return store_operand(i, raw, sizeof raw);
}

/* ---- Storage keys: the guest's frames are its own, so the real keys are its keys ---- */

/* Guest real address -> the block's host address, in register 1 of the cells; or an addressing exception. */
static unsigned key_block(struct interpretation *i, uint32_t real, uint32_t *absolute) {
    *absolute = guest_absolute(i->c, real);
    return *absolute < machine_of(i->v, i->c)->memory ? 0 : ACCESS_ADDRESSING;
}

static void set_key(struct interpretation *i, uint32_t absolute, uint32_t key) {
    monitor_set_gpr(i->v, 0, key);
    monitor_set_gpr(i->v, 1, host_real(i->v, i->c, absolute) & ~(STORAGE_BLOCK_BYTES - 1u));
    monitor_execute(i->v, CELL_SSK, NULL);
}

static unsigned reset_reference(struct interpretation *i, uint32_t absolute) {
    unsigned cc = 0;
    monitor_set_gpr(i->v, 3, host_real(i->v, i->c, absolute) & ~(STORAGE_BLOCK_BYTES - 1u));
    monitor_execute(i->v, CELL_RRB, &cc);
    return cc;
}

static unsigned set_storage_key(struct interpretation *i) {
    uint32_t absolute;
    if (r2(i) & 15)
        return PROGRAM_SPECIFICATION;
    unsigned x = key_block(i, r2(i), &absolute);
    if (x == 0)
        set_key(i, absolute, *r1(i));
    return x;
}

static unsigned insert_storage_key(struct interpretation *i) {
    uint32_t absolute;
    if (r2(i) & 15)
        return PROGRAM_SPECIFICATION;
    unsigned x = key_block(i, r2(i), &absolute);
    if (x)
        return x;
    uint8_t shown = psw_ec(&i->c->psw) ? 0xFE : KEY_ACCESS | KEY_FETCH;
    *r1(i) = (*r1(i) & ~0xFFu) | (guest_key(i->v, i->c, absolute) & shown);
    return 0;
}

static unsigned reset_reference_bit(struct interpretation *i) {
    uint32_t absolute;
    unsigned x = key_block(i, i->address, &absolute);
    if (x == 0)
        i->c->psw.cc = reset_reference(i, absolute) & 3;
    return x;
}

/* The extended ones act on both blocks of 4 KB. */
static unsigned set_storage_key_extended(struct interpretation *i) {
    uint32_t absolute;
    unsigned x = key_block(i, r2(i) & 0xFFF000, &absolute);
    if (x)
        return x;
    set_key(i, absolute, *r1(i));
    set_key(i, absolute + STORAGE_BLOCK_BYTES, *r1(i));
    return 0;
}

static unsigned insert_storage_key_extended(struct interpretation *i) {
    uint32_t absolute;
    unsigned x = key_block(i, r2(i) & 0xFFF000, &absolute);
    if (x)
        return x;
    unsigned key = guest_key(i->v, i->c, absolute) | guest_key(i->v, i->c, absolute + STORAGE_BLOCK_BYTES);
    *r1(i) = (*r1(i) & ~0xFFu) | (key & 0xFE);
    return 0;
}

static unsigned reset_reference_bit_extended(struct interpretation *i) {
    uint32_t absolute;
    unsigned x = key_block(i, r2(i) & 0xFFF000, &absolute);
    if (x)
        return x;
    unsigned cc = reset_reference(i, absolute);
    i->c->psw.cc = (cc | reset_reference(i, absolute + STORAGE_BLOCK_BYTES)) & 3;
    return 0;
}

static unsigned test_protection(struct interpretation *i) {
    struct virtual_cpu *c = i->c;
    uint32_t location = ((i->f.b1 ? c->gpr[i->f.b1] : 0) + i->f.d1) & HOST_ADDRESS_MASK, real = location, absolute;
    uint32_t second = ((i->f.b2 ? c->gpr[i->f.b2] : 0) + i->f.d2) & HOST_ADDRESS_MASK;
    unsigned access_key = second >> 4 & 15;
    struct dat_walk w = {0};
    if (psw_dat(&c->psw)) {
        enum access x = guest_walk(i->v, c, location, &w);
        if (x == ACCESS_SEGMENT || x == ACCESS_PAGE) {
            c->psw.cc = 3;
            return 0;
        }
        if (x != ACCESS_OK)
            return x;
        real = w.real;
    }
    unsigned x = key_block(i, real, &absolute);
    if (x)
        return x;
    uint8_t key = guest_key(i->v, c, absolute);
    bool low = location < 512 && c->cr[0] & CR0_LOW_ADDRESS_PROTECTION;
    bool store = storage_may_store(key, access_key) && !w.segment_protected && !low;
    c->psw.cc = store ? 0 : storage_may_fetch(key, access_key) ? 1 : 2;
    return 0;
}

/* ---- Clocks ---- */

/* Something is the guest's, not this CPU's alone: the others look at it, too. */
static void tell_others(struct interpretation *i) {
    struct virtual_machine *vm = monitor_guest(i->v, i->c->guest);
    for (unsigned n = 0; n < vm->cpus; n++)
        if (&vm->cpu[n] != i->c)
            vm->cpu[n].look = true;
}

static unsigned store_clock(struct interpretation *i) {
    uint8_t raw[8];
    bytes_put64(raw, timers_tod(i->c, timers_now(i->v)));
    unsigned x = store_operand(i, raw, sizeof raw);
    if (x == 0)
        i->c->psw.cc = 0;
    return x;
}

static unsigned set_clock(struct interpretation *i) {
    uint64_t value;
    unsigned x = fetch_doubleword(i, &value);
    if (x)
        return x;
    struct virtual_machine *vm = monitor_guest(i->v, i->c->guest);
    for (unsigned n = 0; n < vm->cpus; n++)
        vm->cpu[n].epoch = value - clock_units(timers_now(i->v));
    tell_others(i);
    i->c->psw.cc = 0;
    return 0;
}

static unsigned set_clock_comparator(struct interpretation *i) {
    uint64_t value;
    unsigned x = fetch_doubleword(i, &value);
    if (x == 0)
        i->c->comparator = value & ~(uint64_t)0xFF;
    return x;
}

static unsigned store_clock_comparator(struct interpretation *i) { return store_doubleword(i, i->c->comparator); }

static unsigned set_cpu_timer(struct interpretation *i) {
    uint64_t value;
    unsigned x = fetch_doubleword(i, &value);
    if (x == 0)
        i->c->timer_sum = value + clock_units(timers_now(i->v));
    return x;
}

static unsigned store_cpu_timer(struct interpretation *i) {
    if (i->address & 7)
        return PROGRAM_SPECIFICATION;
    return store_doubleword(i, timers_cpu_timer(i->c, timers_now(i->v)));
}

/* ---- The CPU itself ---- */

static unsigned store_cpu_id(struct interpretation *i) { return store_doubleword(i, 0xFD00262330330000u); }

static unsigned store_cpu_address(struct interpretation *i) {
    const uint8_t address[2] = {0, (uint8_t)i->c->address};
    return i->address & 1 ? (unsigned)PROGRAM_SPECIFICATION : store_operand(i, address, sizeof address);
}

static unsigned diagnose(struct interpretation *i) {
    (void)i;
    return PROGRAM_SPECIFICATION;
}

/* ---- Input and output ---- */

static uint16_t device(const struct interpretation *i) { return (uint16_t)i->address; }

/* What of a CSW an instruction stores: all of it, or its status alone. */
enum csw_part { WHOLE_CSW, STATUS_OF_CSW };

static unsigned finish_io(struct interpretation *i, unsigned cc, uint64_t csw, enum csw_part part, uint32_t ccw) {
    uint8_t raw[8];
    i->c->psw.cc = cc & 3;
    bytes_put64(raw, csw);
    if (cc == 1 && part == WHOLE_CSW)
        guest_store_real(i->v, i->c, 64, raw, 8);
    else if (cc == 1)
        guest_store_real(i->v, i->c, 68, raw + 4, 2);
    monitor_trace(i->v, TRACE_IO_START, device(i), cc, ccw, i->instruction->mnemonic);
    return 0;
}

static void begin_io(struct interpretation *i) {
    monitor_cause(i->v, CAUSE_DEVICE);
    monitor_io_advance(i->v, i->c->guest, timers_now(i->v));
}

static unsigned start_io(struct interpretation *i) {
    uint8_t raw[4] = {0};
    struct minidisk disk;
    begin_io(i);
    tell_others(i); /* the interruption may be theirs: they will have to be interrupted when it comes */
    guest_fetch_real(i->v, i->c, 72, raw, sizeof raw);
    uint64_t word = bytes_get32(raw);
    unsigned cc = monitor_minidisk(i->v, i->c->guest, device(i), &disk)
                      ? channel_program_start(i->v, i->c, &disk, &word)
                      : monitor_io(i->v, i->c->guest, IO_START, device(i), &word);
    return finish_io(i, cc, word, STATUS_OF_CSW, bytes_get24(raw + 1));
}

static unsigned io_with_csw(struct interpretation *i, enum io_operation operation, enum csw_part part) {
    uint64_t csw = 0;
    begin_io(i);
    unsigned cc = monitor_io(i->v, i->c->guest, operation, device(i), &csw);
    return finish_io(i, cc, csw, part, 0);
}

static enum csw_part halt_part(const struct interpretation *i) {
    return monitor_machine(i->v).architected_conditions ? STATUS_OF_CSW : WHOLE_CSW;
}

static unsigned test_io(struct interpretation *i) { return io_with_csw(i, IO_TEST, WHOLE_CSW); }
static unsigned clear_io(struct interpretation *i) { return io_with_csw(i, IO_CLEAR, WHOLE_CSW); }
static unsigned halt_io(struct interpretation *i) { return io_with_csw(i, IO_HALT, halt_part(i)); }
static unsigned halt_device(struct interpretation *i) { return io_with_csw(i, IO_HALT_DEVICE, halt_part(i)); }

static unsigned finish_test(struct interpretation *i, unsigned cc) {
    i->c->psw.cc = cc & 3;
    monitor_trace(i->v, TRACE_IO_START, device(i), cc, 0, i->instruction->mnemonic);
    return 0;
}

static unsigned test_channel(struct interpretation *i) {
    uint64_t none = 0;
    begin_io(i);
    return finish_test(i, monitor_io(i->v, i->c->guest, IO_TEST_CHANNEL, device(i), &none));
}

static unsigned store_channel_id(struct interpretation *i) {
    uint64_t id = 0;
    uint8_t raw[4];
    begin_io(i);
    unsigned cc = monitor_io(i->v, i->c->guest, IO_CHANNEL_ID, device(i), &id);
    bytes_put32(raw, (uint32_t)id);
    if (cc == 0)
        guest_store_real(i->v, i->c, 168, raw, sizeof raw);
    return finish_test(i, cc);
}

/* ---- The table ---- */

static interpreter_routine *const routines[INSTRUCTION_COUNT] = {
    [INSTRUCTION_SSK] = set_storage_key,
    [INSTRUCTION_ISK] = insert_storage_key,
    [INSTRUCTION_SSM] = set_system_mask,
    [INSTRUCTION_LPSW] = load_psw,
    [INSTRUCTION_DIAG] = diagnose,
    [INSTRUCTION_SIO] = start_io,
    [INSTRUCTION_SIOF] = start_io,
    [INSTRUCTION_TIO] = test_io,
    [INSTRUCTION_CLRIO] = clear_io,
    [INSTRUCTION_HIO] = halt_io,
    [INSTRUCTION_HDV] = halt_device,
    [INSTRUCTION_TCH] = test_channel,
    [INSTRUCTION_STNSM] = store_then_and_system_mask,
    [INSTRUCTION_STOSM] = store_then_or_system_mask,
    [INSTRUCTION_SIGP] = signal_processor,
    [INSTRUCTION_LRA] = load_real_address,
    [INSTRUCTION_STIDP] = store_cpu_id,
    [INSTRUCTION_STIDC] = store_channel_id,
    [INSTRUCTION_SCK] = set_clock,
    [INSTRUCTION_STCK] = store_clock,
    [INSTRUCTION_SCKC] = set_clock_comparator,
    [INSTRUCTION_STCKC] = store_clock_comparator,
    [INSTRUCTION_SPT] = set_cpu_timer,
    [INSTRUCTION_STPT] = store_cpu_timer,
    [INSTRUCTION_SPKA] = set_psw_key_from_address,
    [INSTRUCTION_IPK] = insert_psw_key,
    [INSTRUCTION_PTLB] = purge_tlb,
    [INSTRUCTION_SPX] = set_prefix,
    [INSTRUCTION_STPX] = store_prefix,
    [INSTRUCTION_STAP] = store_cpu_address,
    [INSTRUCTION_RRB] = reset_reference_bit,
    [INSTRUCTION_IPTE] = invalidate_page_table_entry,
    [INSTRUCTION_ISKE] = insert_storage_key_extended,
    [INSTRUCTION_RRBE] = reset_reference_bit_extended,
    [INSTRUCTION_SSKE] = set_storage_key_extended,
    [INSTRUCTION_STCTL] = store_control,
    [INSTRUCTION_LCTL] = load_control,
    [INSTRUCTION_TPROT] = test_protection,
};

const struct monitor_interpreter reference_interpreter = {.routine = routines};

/* ---- Finding out which instruction it is ---- */

static uint32_t effective(const struct virtual_cpu *c, unsigned base, unsigned index, uint32_t displacement) {
    return ((base ? c->gpr[base] : 0) + (index ? c->gpr[index] : 0) + displacement) & HOST_ADDRESS_MASK;
}

static unsigned fetch_text(struct interpretation *i, uint32_t at) {
    unsigned x = guest_fetch(i->v, i->c, at, i->text, 2, &i->failed);
    unsigned length = instruction_length(i->text[0]);
    if (x || length == 2)
        return x;
    return guest_fetch(i->v, i->c, (at + 2) & HOST_ADDRESS_MASK, i->text + 2, length - 2, &i->failed);
}

/* The target of the EXECUTE whose text has been fetched. */
static unsigned fetch_target(struct interpretation *i) {
    memcpy(i->execute, i->text, sizeof i->execute);
    i->executed = true;
    instruction_take(&i->f, &instruction_table[INSTRUCTION_EX], i->execute);
    unsigned x = fetch_text(i, effective(i->c, i->f.b2, i->f.r3, i->f.d2));
    if (x == 0 && i->f.r1)
        i->text[1] |= (uint8_t)i->c->gpr[i->f.r1];
    return x;
}

static unsigned find(struct interpretation *i, uint32_t at) {
    unsigned x = fetch_text(i, at);
    if (x == 0 && i->text[0] == instruction_table[INSTRUCTION_EX].code)
        x = fetch_target(i);
    if (x)
        return x;
    i->instruction = instruction_decode(i->text);
    if (!i->instruction)
        return PROGRAM_OPERATION;
    instruction_take(&i->f, i->instruction, i->text);
    bool first = i->instruction->format == FORMAT_SI;
    i->address = first ? effective(i->c, i->f.b1, 0, i->f.d1)
                       : effective(i->c, i->f.b2, i->instruction->format == FORMAT_RX ? i->f.r3 : 0, i->f.d2);
    return 0;
}

/* In virtual problem state only STCK may have trapped for a reason of the monitor's own. */
static unsigned allowed(const struct interpretation *i) {
    bool problem = psw_problem(&i->c->psw);
    return problem && instruction_id(i->instruction) != INSTRUCTION_STCK ? PROGRAM_PRIVILEGED : 0;
}

static void end_with(struct interpretation *i, unsigned code, unsigned ilc) {
    struct virtual_cpu *c = i->c;
    struct interruption r = {.class = INTERRUPTION_PROGRAM, .code = code, .ilc = ilc};
    r.translation_address = i->failed;
    if (code == ACCESS_SEGMENT || code == ACCESS_PAGE)
        c->psw.ia = (c->psw.ia - ilc) & HOST_ADDRESS_MASK;
    reflect(i->v, c, &r);
}

void interpreter_run(struct vmm *v, struct virtual_cpu *c, const struct interruption *trap) {
    struct reference *r = reference(v);
    struct interpretation i = {.v = v, .c = c, .text = {0}};
    uint32_t at = (c->psw.ia - trap->ilc) & HOST_ADDRESS_MASK;
    monitor_cause(v, CAUSE_INTERPRETATION);
    unsigned x = find(&i, at);
    if (x == 0)
        x = allowed(&i);
    interpreter_routine *const *table = monitor_parts(v)->interpreter->routine;
    interpreter_routine *routine = x == 0 ? table[instruction_id(i.instruction)] : NULL;
    if (x == 0)
        x = routine ? routine(&i) : (unsigned)PROGRAM_OPERATION;
    if (x == 0 || i.completed) {
        c->progress = true;
        r->clock_known = false; /* it moves now */
        monitor_trace(v, TRACE_INTERPRET, at, i.instruction->code, 0, i.instruction->mnemonic);
        if (monitor_retired(v, c, i.text, i.executed ? i.execute : NULL,
                            i.completed ? RETIRED_EXCEPTION : i.doublewords))
            r->given = r->limit = true;
    }
    if (x)
        end_with(&i, x, trap->ilc);
}
