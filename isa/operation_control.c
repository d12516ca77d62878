/* Control and input/output instructions (Principles of Operation, "System-Control Instructions"). That the CPU is in
 * supervisor state has been checked before.
 *
 * They run outside the fast path: the clock is up to date, psw.ia is the next instruction's, and afterwards everything
 * that the loop had concluded about PSW, mapping and pending interruptions is concluded anew. */
#include "isa/isa_internal.h"

#define OPERATION(name) unsigned op_##name(struct processor *p, const struct operation *o)
#define R1 p->gpr[o->r1]

/* ---- PSW ---- */

OPERATION(load_psw) {
    uint32_t a = address_2(p, o);
    uint64_t wide;
    uint8_t raw[8];
    if (a & 7)
        return PROGRAM_SPECIFICATION;
    unsigned x = fetch_doubleword(p, a, &wide);
    if (x)
        return x;
    bytes_put64(raw, wide);
    psw_load(&p->psw, raw);
    return 0; /* whether it is valid is asked when the next instruction is about to be fetched */
}

/* A system mask with bits that EC mode does not have has been set when the exception is recognised. */
static unsigned set_mask(struct processor *p, uint8_t mask) {
    p->psw.system_mask = mask;
    return psw_ec(&p->psw) && mask & PSW_EC_MUST_BE_ZERO ? OUTCOME_COMPLETED | PROGRAM_SPECIFICATION : 0;
}

OPERATION(set_system_mask) {
    uint8_t mask;
    if (p->cr[0] & CR0_SSM_SUPPRESSION)
        return PROGRAM_SPECIAL_OPERATION;
    unsigned x = fetch_byte(p, address_2(p, o), &mask);
    return x ? x : set_mask(p, mask);
}

OPERATION(store_then_and_system_mask) {
    unsigned x = store_byte(p, address_2(p, o), p->psw.system_mask);
    return x ? x : set_mask(p, p->psw.system_mask & o->extra);
}

OPERATION(store_then_or_system_mask) {
    unsigned x = store_byte(p, address_2(p, o), p->psw.system_mask);
    return x ? x : set_mask(p, p->psw.system_mask | o->extra);
}

OPERATION(set_psw_key_from_address) {
    p->psw.key = address_2(p, o) >> 4 & 15;
    return 0;
}

OPERATION(insert_psw_key) {
    (void)o;
    p->gpr[2] = (p->gpr[2] & 0xFFFFFF00u) | (uint32_t)p->psw.key << 4;
    return 0;
}

/* ---- The profile `flawed`: what real machines had, and monitors could not see (docs/classify.md) ---- */

/* As JRST 1 of the PDP-10: supervisor state ends, and problem state does not notice. */
OPERATION(return_to_user) {
    p->psw.ia = address_2(p, o);
    p->psw.state |= PSW_PROBLEM;
    return 0;
}

/* As POPF of the 8086 line: what problem state may not change stays as it is, silently. The operand is laid out as the
 * first word of a PSW in EC mode. */
OPERATION(load_psw_masks) {
    uint32_t a = address_2(p, o), value;
    if (a & 3)
        return PROGRAM_SPECIFICATION;
    unsigned x = fetch_word(p, a, &value);
    if (x)
        return x;
    p->psw.cc = value >> 12 & 3;
    p->psw.program_mask = value >> 8 & 15;
    return psw_problem(&p->psw) ? 0 : set_mask(p, (uint8_t)(value >> 24));
}

/* As SMSW, SIDT and STR of the 80286: the machine shows itself to anybody. */
OPERATION(store_psw_and_origin) {
    uint32_t a = address_2(p, o);
    uint8_t raw[8];
    if (a & 7)
        return PROGRAM_SPECIFICATION;
    psw_store(&p->psw, raw, 0, 0);
    return store_doubleword(p, a, (uint64_t)bytes_get32(raw) << 32 | p->cr[1]);
}

/* ---- Control registers and translation ---- */

static uint32_t registers(const struct operation *o) { return ((o->r2 - o->r1) & 15u) + 1; }

static void control_changed(struct processor *p) {
    p->format_valid = dat_format(p->cr[0], &p->format);
    p->space = tlb_space(p->cr[0], p->cr[1]);
    access_forget(p);
}

OPERATION(load_control) {
    uint32_t a = address_2(p, o), n = registers(o);
    uint8_t raw[64];
    struct span s;
    if (a & 3)
        return PROGRAM_SPECIFICATION;
    unsigned x = span_open(p, a, 4 * n, ACCESS_FETCH, &s);
    if (x)
        return x;
    span_read(&s, raw);
    p->dynamic_cost += p->model->row[INSTRUCTION_LCTL].per_doubleword * (((a & 7) + 4 * n + 7) >> 3);
    uint32_t cr0 = p->cr[0], cr1 = p->cr[1];
    for (uint32_t i = 0; i < n; i++)
        p->cr[(o->r1 + i) & 15] = bytes_get32(raw + 4 * i);
    if (cr0 != p->cr[0] || cr1 != p->cr[1])
        control_changed(p);
    return 0;
}

OPERATION(store_control) {
    uint32_t a = address_2(p, o), n = registers(o);
    uint8_t raw[64];
    struct span s;
    if (a & 3)
        return PROGRAM_SPECIFICATION;
    unsigned x = span_open(p, a, 4 * n, ACCESS_STORE, &s);
    if (x)
        return x;
    for (uint32_t i = 0; i < n; i++)
        bytes_put32(raw + 4 * i, p->cr[(o->r1 + i) & 15]);
    span_write(&s, raw);
    span_stored(&s);
    return 0;
}

OPERATION(load_real_address) {
    struct dat_walk w;
    enum access x = walk_tables(p, address_rx(p, o), &w);
    if (x == ACCESS_ADDRESSING || x == ACCESS_TRANSLATION_SPECIFICATION)
        return x;
    R1 = w.real;
    p->psw.cc = (uint8_t)w.condition;
    return 0;
}

OPERATION(purge_tlb) {
    (void)o;
    tlb_purge(&p->tlb);
    access_forget(p);
    return 0;
}

/* The key of a block of real storage, or NULL. */
static uint8_t *key_at(struct processor *p, uint32_t real) {
    uint32_t absolute = storage_prefix(real & ADDRESS_MASK, p->prefix);
    return absolute < p->storage->size_bytes ? storage_key(p->storage, absolute) : NULL;
}

OPERATION(invalidate_page_table_entry) {
    struct dat_format f;
    if (!dat_format(p->cr[0], &f))
        return ACCESS_TRANSLATION_SPECIFICATION;
    uint32_t va = p->gpr[o->r2], index = (va & ((1u << f.segment_shift) - 1)) >> f.page_shift;
    uint32_t real = ((R1 & 0x00FFFFF8) + 2 * index) & ADDRESS_MASK;
    uint8_t raw[2];
    if (!real_read(p, real, raw, 2))
        return ACCESS_ADDRESSING;
    /* The entry is an operand here, so it is protected like one. */
    if (p->psw.key && p->psw.key != *key_at(p, real & 0xFFF800) >> 4)
        return ACCESS_PROTECTION;
    if (p->cr[0] & CR0_LOW_ADDRESS_PROTECTION && real < 512)
        return ACCESS_PROTECTION;
    uint16_t entry = bytes_get16(raw);
    uint32_t frame = (uint32_t)(entry & (f.page_shift == 12 ? 0xFFF0 : 0xFFF8)) << 8;
    bytes_put16(raw, entry | (f.page_shift == 12 ? 0x8 : 0x4));
    real_write(p, real, raw, 2);
    for (unsigned i = 0; i < p->machine->cpus; i++)
        tlb_drop_frame(&p->machine->cpu[i]->tlb, frame);
    access_forget_all(p->machine);
    return 0;
}

OPERATION(set_prefix) {
    uint32_t a = address_2(p, o), value;
    if (a & 3)
        return PROGRAM_SPECIFICATION;
    unsigned x = fetch_word(p, a, &value);
    if (x)
        return x;
    value &= 0x00FFF000;
    if (!storage_has(p->storage, value, 4096))
        return ACCESS_ADDRESSING;
    p->prefix = value;
    tlb_purge(&p->tlb);
    access_forget(p);
    return 0;
}

OPERATION(store_prefix) {
    uint32_t a = address_2(p, o);
    return a & 3 ? PROGRAM_SPECIFICATION : store_word(p, a, p->prefix);
}

OPERATION(store_cpu_address) {
    uint32_t a = address_2(p, o);
    return a & 1 ? PROGRAM_SPECIFICATION : store_halfword(p, a, (uint16_t)p->address);
}

OPERATION(store_cpu_id) {
    uint32_t a = address_2(p, o);
    return a & 7 ? PROGRAM_SPECIFICATION : store_doubleword(p, a, 0xFD00262330330000u | (uint64_t)p->address << 52);
}

/* ---- Storage keys: real addresses, no translation, no protection ---- */

OPERATION(set_storage_key) {
    uint32_t r2 = p->gpr[o->r2];
    uint8_t *key = key_at(p, r2 & 0xFFF800);
    if (r2 & 15)
        return PROGRAM_SPECIFICATION;
    if (!key)
        return ACCESS_ADDRESSING;
    *key = R1 & 0xFE;
    access_forget_all(p->machine);
    return 0;
}

OPERATION(insert_storage_key) {
    uint32_t r2 = p->gpr[o->r2];
    uint8_t *key = key_at(p, r2 & 0xFFF800);
    if (r2 & 15)
        return PROGRAM_SPECIFICATION;
    if (!key)
        return ACCESS_ADDRESSING;
    R1 = (R1 & 0xFFFFFF00u) | (*key & (psw_ec(&p->psw) ? 0xFE : 0xF8));
    return 0;
}

static uint8_t reference_code(uint8_t key) { return (key & KEY_REFERENCE ? 2 : 0) | (key & KEY_CHANGE ? 1 : 0); }

OPERATION(reset_reference_bit) {
    uint8_t *key = key_at(p, address_2(p, o) & 0xFFF800);
    if (!key)
        return ACCESS_ADDRESSING;
    p->psw.cc = reference_code(*key);
    *key &= (uint8_t)~KEY_REFERENCE;
    access_forget_all(p->machine);
    return 0;
}

/* The extended ones act on the two keys of a 4 KB block. Storage may end between them. */
static uint8_t *key_pair(struct processor *p, uint32_t real, unsigned *count) {
    uint8_t *key = key_at(p, real & 0xFFF000);
    *count = key_at(p, (real & 0xFFF000) + STORAGE_BLOCK_BYTES) ? 2 : 1;
    return key;
}

OPERATION(set_storage_key_extended) {
    unsigned n;
    uint8_t *key = key_pair(p, p->gpr[o->r2], &n);
    if (!key)
        return ACCESS_ADDRESSING;
    for (unsigned i = 0; i < n; i++)
        key[i] = R1 & 0xFE;
    access_forget_all(p->machine);
    return 0;
}

OPERATION(insert_storage_key_extended) {
    unsigned n;
    uint8_t *key = key_pair(p, p->gpr[o->r2], &n);
    if (!key)
        return ACCESS_ADDRESSING;
    R1 = (R1 & 0xFFFFFF00u) | key[0] | (n > 1 ? key[1] : 0);
    return 0;
}

OPERATION(reset_reference_bit_extended) {
    unsigned n;
    uint8_t *key = key_pair(p, p->gpr[o->r2], &n);
    if (!key)
        return ACCESS_ADDRESSING;
    p->psw.cc = reference_code(n > 1 ? key[0] | key[1] : key[0]);
    for (unsigned i = 0; i < n; i++)
        key[i] &= (uint8_t)~KEY_REFERENCE;
    access_forget_all(p->machine);
    return 0;
}

/* Whether a fetch and a store with the given key would be allowed; the location is translated like an operand. */
OPERATION(test_protection) {
    uint32_t absolute;
    uint8_t key = p->psw.key;
    enum access_kind kinds[2] = {ACCESS_FETCH, ACCESS_STORE};
    unsigned x[2];
    p->psw.key = address_2(p, o) >> 4 & 15;
    for (int i = 0; i < 2; i++)
        x[i] = access_locate(p, address_1(p, o), kinds[i], &absolute);
    p->psw.key = key;
    if (x[0] == ACCESS_ADDRESSING || x[0] == ACCESS_TRANSLATION_SPECIFICATION)
        return x[0];
    p->psw.cc = x[0] == ACCESS_SEGMENT || x[0] == ACCESS_PAGE ? 3 : x[0] ? 2 : x[1] ? 1 : 0;
    return 0;
}

/* ---- Clocks: an instruction sees the time at its own start ---- */

OPERATION(store_clock) {
    if (p->cr[0] & CR0_STCK_CONTROL && psw_problem(&p->psw))
        return PROGRAM_PRIVILEGED;
    unsigned x = store_doubleword(p, address_2(p, o), p->machine->tod_epoch + clock_units(clock_common(p)));
    if (!x)
        p->psw.cc = 0;
    return x;
}

static unsigned fetch_clock(struct processor *p, const struct operation *o, uint64_t *value) {
    uint32_t a = address_2(p, o);
    return a & 7 ? PROGRAM_SPECIFICATION : fetch_doubleword(p, a, value);
}

static unsigned store_value(struct processor *p, const struct operation *o, uint64_t value) {
    uint32_t a = address_2(p, o);
    return a & 7 ? PROGRAM_SPECIFICATION : store_doubleword(p, a, value);
}

OPERATION(set_clock) {
    uint64_t value;
    unsigned x = fetch_clock(p, o, &value);
    if (x)
        return x;
    p->machine->tod_epoch = value - clock_units(clock_common(p));
    p->psw.cc = 0;
    return 0;
}

OPERATION(set_clock_comparator) {
    uint64_t value;
    unsigned x = fetch_clock(p, o, &value);
    if (!x)
        p->comparator = value & ~(uint64_t)0xFF;
    return x;
}

OPERATION(store_clock_comparator) { return store_value(p, o, p->comparator); }

OPERATION(set_cpu_timer) {
    uint64_t value;
    unsigned x = fetch_clock(p, o, &value);
    if (x)
        return x;
    p->timer_value = value;
    p->timer_set = clock_units(processor_clock(p));
    return 0;
}

OPERATION(store_cpu_timer) { return store_value(p, o, clock_timer(p)); }

/* ---- Other processors ---- */

OPERATION(signal_processor) {
    uint32_t status = 0;
    p->psw.cc = (uint8_t)processor_signal(p, p->gpr[o->r2] & 0xFFFF, address_2(p, o) & 0xFF, &status);
    if (p->psw.cc == 1)
        R1 = status;
    return 0;
}

OPERATION(diagnose) {
    (void)p;
    (void)o;
    return PROGRAM_SPECIFICATION;
}

/* ---- Input/output ---- */

/* What of a CSW an instruction stores: all of it, or its status alone. */
enum csw_part { WHOLE_CSW, STATUS_OF_CSW };

static unsigned with_csw(struct processor *p, unsigned cc, uint64_t csw, enum csw_part part) {
    uint8_t raw[8];
    bytes_put64(raw, csw);
    if (cc == 1)
        real_write(p, part == WHOLE_CSW ? 64 : 68, part == WHOLE_CSW ? raw : raw + 4, part == WHOLE_CSW ? 8 : 2);
    p->psw.cc = (uint8_t)cc;
    return 0;
}

static void trace_io(struct processor *p, const struct operation *o, const char *name, uint32_t ccw) {
    if (!trace_wants(p->machine->trace, TRACE_IO_START))
        return;
    struct trace_event event = {.kind = TRACE_IO_START,
                                .cycle = processor_cycles(p),
                                .machine = p->machine->name,
                                .level = p->level,
                                .cpu = p->address,
                                .a = address_2(p, o) & 0xFFFF,
                                .b = p->psw.cc,
                                .c = ccw,
                                .text = name};
    trace_emit(p->machine->trace, &event);
}

/* The channels, with their time brought up to the instruction's: the timeline moves otherwise only when something is
 * due. */
static struct channel_set *channels_now(struct processor *p) {
    if (!p->machine->directed)
        timeline_advance(p->machine->timeline, processor_clock(p) * CYCLE_PICOSECONDS);
    machine_end_turn(p->machine);
    return p->machine->channels;
}

static unsigned start(struct processor *p, const struct operation *o, const char *name) {
    uint8_t caw[4];
    if (!real_read(p, 72, caw, 4))
        return ACCESS_ADDRESSING;
    uint64_t csw = 0;
    unsigned cc = channel_start_io(channels_now(p), (uint16_t)address_2(p, o), bytes_get32(caw), &csw);
    with_csw(p, cc, csw, STATUS_OF_CSW);
    trace_io(p, o, name, bytes_get32(caw) & ADDRESS_MASK);
    return 0;
}

OPERATION(start_io) { return start(p, o, "SIO"); }
OPERATION(start_io_fast_release) { return start(p, o, "SIOF"); }

#define WITH_CSW(name, function, part)                                                                                 \
    OPERATION(name) {                                                                                                  \
        uint64_t csw = 0;                                                                                              \
        unsigned cc = function(channels_now(p), (uint16_t)address_2(p, o), &csw);                                      \
        return with_csw(p, cc, csw, part);                                                                             \
    }
#define HALT_PART (p->machine->channel_conditions == CHANNEL_CONDITIONS_ARCHITECTURE ? STATUS_OF_CSW : WHOLE_CSW)
WITH_CSW(test_io, channel_test_io, WHOLE_CSW)
WITH_CSW(clear_io, channel_clear_io, WHOLE_CSW)
WITH_CSW(halt_io, channel_halt_io, HALT_PART)
WITH_CSW(halt_device, channel_halt_device, HALT_PART)
#undef HALT_PART
#undef WITH_CSW

OPERATION(test_channel) {
    p->psw.cc = (uint8_t)channel_test(channels_now(p), (uint16_t)address_2(p, o));
    return 0;
}

OPERATION(store_channel_id) {
    uint32_t id = 0;
    uint8_t raw[4];
    p->psw.cc = (uint8_t)channel_id(channels_now(p), (uint16_t)address_2(p, o), &id);
    bytes_put32(raw, id);
    if (p->psw.cc == 0)
        real_write(p, 168, raw, 4);
    return 0;
}
