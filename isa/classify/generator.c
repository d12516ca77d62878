/* States by chance. Nothing here knows an instruction: registers, displacements and storage are drawn from kinds of
 * values (small numbers, addresses of all sorts, device and table addresses, decimal digits, PSWs), and which of them
 * meet in an instruction is chance. */
#include "isa/classify/generator.h"

#include <stddef.h>

static uint64_t below(struct generator *g, uint64_t n) { return random_below(g->random, n); }
static bool chance(struct generator *g, unsigned percent) { return below(g, 100) < percent; }
static uint32_t bits(struct generator *g) { return (uint32_t)random_u64(g->random); }

/* ---- Values ---- */

static uint32_t device_address(struct generator *g) { return lab_device_address[below(g, LAB_DEVICES)]; }
static uint32_t logical(struct generator *g, uint32_t unit) { return (uint32_t)below(g, LAB_BYTES / unit) * unit; }

static uint32_t value(struct generator *g) {
    switch (below(g, 12)) {
    case 0:
    case 9: return (uint32_t)below(g, 4);
    case 1: return (uint32_t)below(g, 256);
    case 2: return logical(g, 1);
    case 3:
    case 4: return logical(g, 8);
    case 5: return (uint32_t)below(g, LAB_MEMORY_BLOCKS) * STORAGE_BLOCK_BYTES;
    case 6: return device_address(g);
    case 7: return LAB_TABLES + (uint32_t)below(g, 8) * 0x80;
    case 10: return (uint32_t)below(g, LAB_MEMORY / 8) * 8;
    case 8: return chance(g, 50) ? 0u - (uint32_t)below(g, 300) : bits(g);
    default: return logical(g, 2);
    }
}

static uint16_t displacement(struct generator *g, unsigned base) {
    if (!base && chance(g, 50))
        return (uint16_t)device_address(g);
    switch (below(g, 4)) {
    case 0: return 0;
    case 1: return (uint16_t)below(g, 16);
    case 2: return (uint16_t)(below(g, 512) * 8);
    default: return (uint16_t)below(g, 4096);
    }
}

/* ---- Storage, in pieces of 32 bytes ---- */

enum { PIECE = 32 };

static void put_noise(struct generator *g, uint8_t *at) {
    for (int i = 0; i < PIECE; i += 8)
        bytes_put64(at + i, random_u64(g->random));
}

static void put_zeros(struct generator *g, uint8_t *at) {
    (void)g;
    memset(at, 0, PIECE);
}

static void put_values(struct generator *g, uint8_t *at) {
    for (int i = 0; i < PIECE; i += 4)
        bytes_put32(at + i, value(g));
}

static uint8_t digit(unsigned nibble) { return (uint8_t)(nibble * 10 >> 4); }

/* Packed numbers: a sign now and then. */
static void put_decimal(struct generator *g, uint8_t *at) {
    static const uint8_t lengths[] = {1, 2, 4, 8};
    uint8_t length = lengths[below(g, sizeof lengths)];
    bool small = chance(g, 40);
    put_noise(g, at);
    for (unsigned i = 0; i < PIECE; i++) {
        bool last = ((i + 1) & (length - 1u)) == 0; /* a power of 2 */
        unsigned high = digit(at[i] >> 4), low = last ? 0xC + (at[i] & 1u) : digit(at[i] & 15);
        at[i] = (uint8_t)(small && !last ? 0 : high << 4 | low);
    }
}

static void put_psws(struct generator *g, uint8_t *at) {
    for (int i = 0; i < PIECE; i += 8) {
        const struct psw psw = {.system_mask = (uint8_t)(bits(g) & ~PSW_EC_MUST_BE_ZERO),
                                .key = bits(g) & 15,
                                .state = PSW_EC | (bits(g) & 7),
                                .cc = bits(g) & 3,
                                .program_mask = bits(g) & 15,
                                .ia = logical(g, 2)};
        psw_store(&psw, at + i, 0, 0);
    }
}

static void put_fields(struct generator *g, const struct instruction *i, uint8_t text[6]) {
    struct instruction_fields f = {
        .r1 = bits(g) & 15,
        .r3 = bits(g) & 15,
        .i2 = (uint8_t)bits(g),
        .l1 = (uint8_t)(chance(g, 80) || i->format != FORMAT_SS_L ? below(g, 8) : below(g, 256)),
        .l2 = (uint8_t)below(g, 8),
        .b1 = chance(g, 25) ? 0 : bits(g) & 15,
        .b2 = chance(g, 25) ? 0 : bits(g) & 15,
    };
    struct instruction_fields those_it_has;
    f.d1 = displacement(g, f.b1);
    f.d2 = displacement(g, f.b2);
    instruction_put(text, i, &f);
    instruction_take(&those_it_has, i, text);
    instruction_put(text, i, &those_it_has);
}

static void put_targets(struct generator *g, uint8_t *at) {
    for (int i = 0; i < PIECE; i += 8)
        put_fields(g, g->targets[below(g, g->target_count)], at + i);
}

static void put_piece(struct generator *g, uint8_t *at) {
    static void (*const kinds[])(struct generator * g, uint8_t * at) = {
        put_noise, put_zeros, put_values, put_decimal, put_decimal, put_psws,
    };
    if (g->target_count && chance(g, 60))
        put_targets(g, at);
    else
        kinds[below(g, sizeof kinds / sizeof *kinds)](g, at);
}

static void put_contents(struct generator *g, uint8_t *contents) {
    for (unsigned i = 0; i < LAB_BYTES; i += PIECE)
        put_piece(g, contents + i);
}

/* ---- Resources ---- */

/* Key 0, which opens everything, or one that most blocks have. */
static void put_keys(struct generator *g, struct lab_state *s) {
    uint32_t most = bits(g) & KEY_ACCESS;
    s->psw.key = chance(g, 50) ? 0 : (uint8_t)(most >> 4);
    for (unsigned n = 0; n < LAB_BLOCKS; n++)
        s->keys[n] = (uint8_t)((chance(g, 90) ? most : bits(g) & KEY_ACCESS) |
                               (bits(g) & (KEY_FETCH | KEY_REFERENCE | KEY_CHANGE)));
    for (unsigned n = 0; n < LAB_MEMORY_BLOCKS; n++)
        s->others_keys[n] = bits(g) & 0xFE;
}

static uint8_t masks(struct generator *g) { return (uint8_t)(PSW_EC_DAT | (bits(g) & (PSW_EC_IO | PSW_EXTERNAL))); }

enum { CR0_EXTERNAL_MASKS = 0xECE0 };

static void put_control_registers(struct generator *g, struct lab_state *s) {
    for (unsigned n = 2; n < 16; n++)
        s->cr[n] = bits(g);
    s->cr[8] = bits(g) & 0xFFFF;
    s->cr[0] = DAT_FORMAT_4K_64K | (bits(g) & CR0_EXTERNAL_MASKS);
    if (chance(g, 5))
        s->cr[0] |= CR0_SSM_SUPPRESSION;
    if (chance(g, 5))
        s->cr[0] |= CR0_LOW_ADDRESS_PROTECTION;
}

/* Most clocks far from interrupting. */
static void put_clocks(struct generator *g, struct lab_state *s) {
    s->tod = random_u64(g->random) >> 2;
    s->comparator = (s->tod + (random_u64(g->random) >> 3) + (1u << 20)) & ~(uint64_t)0xFF;
    s->timer = random_u64(g->random) >> (chance(g, 90) ? 1 : 0);
}

static void put_other_cpu(struct generator *g, struct lab_state *s) {
    s->other_cpu.condition = (enum processor_condition)below(g, 3);
    memset(s->other_cpu.signals, 0, sizeof s->other_cpu.signals);
    if (chance(g, 30))
        s->other_cpu.signals[1 + below(g, SIGNAL_COUNT - 1)] = (uint8_t)(1u << s->cpu);
}

static void put_devices(struct generator *g, struct lab_state *s) {
    for (unsigned n = 0; n < LAB_DEVICES; n++)
        s->device[n] = chance(g, 40) ? DEVICE_IDLE : (enum lab_device_state)below(g, DEVICE_STATES);
}

/* ---- States ---- */

static uint32_t effective(const struct lab_state *s, unsigned base, unsigned index, uint32_t d) {
    return ((base ? s->gpr[base] : 0) + (index ? s->gpr[index] : 0) + d) & ADDRESS_MASK;
}

/* What EXECUTE would find; NULL: nothing that may be there. */
static bool target_allowed(const struct generator *g, const struct lab_state *s) {
    struct instruction_fields f;
    uint8_t text[6];
    generator_text(s, text);
    instruction_take(&f, g->instruction, text);
    uint32_t at = effective(s, f.b2, f.r3, f.d2);
    if (at + 2 > LAB_BYTES)
        return true; /* an access exception */
    uint8_t target[2] = {s->contents[at], s->contents[at + 1]};
    if (f.r1)
        target[1] |= (uint8_t)s->gpr[f.r1];
    const struct instruction *i = instruction_decode_in(g->profile, target);
    for (unsigned n = 0; n < g->target_count; n++)
        if (g->targets[n] == i)
            return true;
    return !i;
}

/* A trap ends in a valid PSW. */
static void put_new_psws(struct lab_state *s) {
    enum { NEW_SVC = 96, NEW_PROGRAM = 104 };
    const struct psw psw = {.state = PSW_EC};
    psw_store(&psw, s->contents + NEW_SVC, 0, 0);
    psw_store(&psw, s->contents + NEW_PROGRAM, 0, 0);
}

void generator_text(const struct lab_state *s, uint8_t text[6]) { memcpy(text, s->contents + s->psw.ia, 6); }

static void put_resources(struct generator *g, struct lab_state *s) {
    s->psw.state = PSW_EC | (chance(g, 50) ? PSW_MACHINE_CHECK : 0);
    s->psw.system_mask = masks(g);
    s->cpu = (unsigned)below(g, LAB_CPUS);
    s->has_disk = chance(g, 50);
    s->stale = chance(g, 12);
    s->others_byte = (uint8_t)bits(g);
    put_keys(g, s);
    put_control_registers(g, s);
    put_clocks(g, s);
    put_other_cpu(g, s);
    put_devices(g, s);
}

static bool finish(struct generator *g, struct lab_state *s) {
    put_new_psws(s);
    return instruction_id(g->instruction) != INSTRUCTION_EX || target_allowed(g, s);
}

bool generator_state(struct generator *g, struct lab_state *s) {
    put_contents(g, s->contents);
    s->psw = (struct psw){.cc = bits(g) & 3, .program_mask = chance(g, 50) ? 0 : bits(g) & 15};
    s->psw.ia = 0x1000 + (uint32_t)below(g, 1000) * 2; /* within a block: that decoding it stays cheap */
    for (unsigned n = 0; n < 16; n++)
        s->gpr[n] = value(g);
    put_resources(g, s);
    put_fields(g, g->instruction, s->contents + s->psw.ia);
    return finish(g, s);
}

bool generator_mutate(struct generator *g, struct lab_state *s) {
    uint8_t text[6];
    generator_text(s, text);
    for (unsigned n = 0; n < 16; n++)
        if (chance(g, 6))
            s->gpr[n] = value(g);
    for (unsigned n = 0; n < 16; n++)
        put_piece(g, s->contents + below(g, LAB_BYTES / PIECE) * PIECE);
    s->psw.cc = bits(g) & 3;
    put_resources(g, s);
    if (chance(g, 15))
        put_fields(g, g->instruction, text);
    memcpy(s->contents + s->psw.ia, text, g->instruction->length);
    return finish(g, s);
}

/* ---- Pairs ---- */

static void vary_masks(struct generator *g, struct lab_state *s) {
    s->psw.system_mask ^= (uint8_t)(1 + below(g, 3)) & (PSW_EC_IO | PSW_EXTERNAL);
}
static void vary_machine_check(struct generator *g, struct lab_state *s) {
    (void)g;
    s->psw.state ^= PSW_MACHINE_CHECK;
}
static void vary_psw_key(struct generator *g, struct lab_state *s) {
    s->psw.key = s->psw.key ? 0 : s->keys[below(g, LAB_BLOCKS)] >> 4;
}
static void vary_keys(struct generator *g, struct lab_state *s) {
    for (unsigned n = 0; n < LAB_BLOCKS; n++)
        s->keys[n] = chance(g, 50) ? s->keys[n] : bits(g) & 0xFE;
    for (unsigned n = 0; n < LAB_MEMORY_BLOCKS; n++)
        s->others_keys[n] = bits(g) & 0xFE;
}
/* All but the one that is relocation, the one that lies outside, and what would change their meaning. */
static void vary_control_registers(struct generator *g, struct lab_state *s) {
    for (unsigned n = 2; n < 16; n++)
        s->cr[n] = n == 8 ? s->cr[n] : bits(g);
    s->cr[0] ^= bits(g) & CR0_EXTERNAL_MASKS;
}
static void vary_comparator(struct generator *g, struct lab_state *s) { s->comparator ^= (1 + below(g, 255)) << 8; }
static void vary_timer(struct generator *g, struct lab_state *s) { s->timer ^= 1 + below(g, 0xFFFF); }
static void vary_cpu(struct generator *g, struct lab_state *s) {
    (void)g;
    s->cpu = 1 - s->cpu;
}
static void vary_other_cpu(struct generator *g, struct lab_state *s) { put_other_cpu(g, s); }
static void vary_devices(struct generator *g, struct lab_state *s) { put_devices(g, s); }
static void vary_attachment(struct generator *g, struct lab_state *s) {
    (void)g;
    s->has_disk = !s->has_disk;
}

/* Each is a part of struct lab_state. */
static const struct {
    const char *name;
    void (*vary)(struct generator *g, struct lab_state *s);
    unsigned group;
    size_t offset, bytes;
} variations[VARIATIONS] = {
#define PART(member) offsetof(struct lab_state, member), sizeof((struct lab_state *)0)->member
    {"key of the PSW", vary_psw_key, 0, PART(psw.key)},
    {"storage keys", vary_keys, 0, offsetof(struct lab_state, keys), LAB_BLOCKS + LAB_MEMORY_BLOCKS},
    {"interruption masks of the PSW", vary_masks, 1, PART(psw.system_mask)},
    {"machine-check mask of the PSW", vary_machine_check, 1, PART(psw.state)},
    {"control registers", vary_control_registers, 1, PART(cr)},
    {"clock comparator", vary_comparator, 1, PART(comparator)},
    {"CPU timer", vary_timer, 1, PART(timer)},
    {"processor that executes", vary_cpu, 1, PART(cpu)},
    {"state of the other processor", vary_other_cpu, 1, PART(other_cpu)},
    {"state of the devices", vary_devices, 1, PART(device)},
    {"devices that are attached", vary_attachment, 1, PART(has_disk)},
#undef PART
};

void generator_vary(struct generator *g, struct lab_state *s, unsigned group) {
    for (unsigned n = 0; n < VARIATIONS; n++)
        if (variations[n].group == group)
            variations[n].vary(g, s);
}

bool generator_take(struct lab_state *s, const struct lab_state *from, unsigned variation) {
    uint8_t *to = (uint8_t *)s + variations[variation].offset;
    const uint8_t *other = (const uint8_t *)from + variations[variation].offset;
    if (memcmp(to, other, variations[variation].bytes) == 0)
        return false;
    memcpy(to, other, variations[variation].bytes);
    return true;
}

const char *generator_resource(unsigned variation) { return variations[variation].name; }

void generator_vary_clock(struct generator *g, struct lab_state *s) { s->tod -= (1 + below(g, 1u << 30)) << 12; }
void generator_vary_monitor_masks(struct generator *g, struct lab_state *s) { s->cr[8] ^= 1 + below(g, 0xFFFF); }
