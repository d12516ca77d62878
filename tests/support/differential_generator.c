/* Random cases: the state before, and the program.
 *
 * Each case has one instruction in focus, with operands chosen so that its interesting outcomes are likely, and in half
 * of the cases other instructions around it. Registers get their initial values when the program first needs one: a
 * base for an operand's address, an edge value, a pair for a division. Contents of storage are placed in the same way,
 * through the case's own translation tables. What a case must not touch (because clocks of the host show there, or the
 * log of interruptions lies there) is avoided here; what cannot be foreseen is left to differential_compare.c. */
#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/random.h"
#include "tests/support/differential.h"

struct generator {
    struct random r;
    struct differential_case *c;
    bool assigned[16]; /* the initial value is fixed */
    bool changed[16];  /* some instruction has changed it */
    bool ec, dat;
    unsigned page_shift, segment_shift;
    unsigned aim;  /* a program-interruption code that operands of the instruction in focus shall cause; 0: none */
    uint32_t next; /* of the instruction being made: where execution goes on */
};

static uint32_t below(struct generator *g, uint32_t n) { return (uint32_t)random_below(&g->r, n); }
static bool chance(struct generator *g, uint32_t percent) { return below(g, 100) < percent; }
static uint32_t word(struct generator *g) { return (uint32_t)random_u64(&g->r); }

static uint32_t edge_word(struct generator *g) {
    static const uint32_t edges[] = {0,          1,          0xFFFFFFFF, 0x80000000, 0x7FFFFFFF,
                                     0x80000001, 2,          0xFFFFFFFE, 0x00008000, 0xFFFF8000,
                                     0x00007FFF, 0x0000FFFF, 0x40000000, 0xC0000000};
    switch (below(g, 8)) {
    case 0:
    case 1:
    case 2: return edges[below(g, sizeof edges / sizeof *edges)];
    case 3: return below(g, 256);
    case 4: return 0u - below(g, 256);
    case 5: return 1u << below(g, 32);
    default: return word(g);
    }
}

/* --- storage --- */

/* The absolute address of a real one. */
static uint32_t absolute(const struct generator *g, uint32_t real) {
    uint32_t page = real & 0xFFF000;
    if (page == 0)
        return real | g->c->prefix;
    if (page == g->c->prefix)
        return real & 0xFFF;
    return real;
}

static uint8_t *byte_at(struct generator *g, uint32_t address) {
    struct differential_case *c = g->c;
    if (address < DIFF_LOW)
        return c->low + address;
    if (address < c->memory && address >= c->memory - DIFF_HIGH)
        return c->high + (address - (c->memory - DIFF_HIGH));
    return NULL;
}

/* A walk through the tables of this case: the program-interruption code, or 0 and *real. */
static unsigned walk(struct generator *g, uint32_t va, uint32_t *real) {
    const struct differential_case *c = g->c;
    uint32_t segment = va >> g->segment_shift;
    uint32_t limit = g->segment_shift == 16 ? ((c->cr[1] >> 24) + 1) * 16 : 16;
    uint32_t at = (c->cr[1] & 0xFFFFC0) + segment * 4;
    if (segment >= limit)
        return 0x10;
    if (at < DIFF_TABLES || at + 4 > DIFF_TABLES_END)
        return 5;
    uint32_t ste = bytes_get32(c->low + at);
    unsigned page_bits = g->segment_shift - g->page_shift;
    uint32_t page = va >> g->page_shift & ((1u << page_bits) - 1);
    if (ste & 1)
        return 0x10;
    if (ste & 0x0F000000)
        return 0x12;
    if (page >> (page_bits - 4) > ste >> 28)
        return 0x11;
    at = (ste & 0xFFFFF8) + page * 2;
    if (at < DIFF_TABLES || at + 2 > DIFF_TABLES_END)
        return 5;
    uint32_t pte = bytes_get16(c->low + at);
    if (pte & (g->page_shift == 12 ? 8 : 4))
        return 0x11;
    if (pte & (g->page_shift == 12 ? 6 : 2))
        return 0x12;
    uint32_t frame = g->page_shift == 12 ? (pte & 0xFFF0) << 8 : (pte & 0xFFF8) << 8;
    *real = frame | (va & ((1u << g->page_shift) - 1));
    return 0;
}

/* The absolute address of a logical one under the initial PSW; false when there is none. */
static bool translate(struct generator *g, uint32_t va, uint32_t *address) {
    va &= 0xFFFFFF;
    uint32_t real = va;
    if (g->dat && walk(g, va, &real))
        return false;
    *address = absolute(g, real);
    return *address < g->c->memory;
}

/* Absolute addresses that random operands leave alone. */
static bool sensitive(uint32_t address) {
    uint32_t page = address & 0xFFF000, offset = address & 0xFFF;
    if (page == 0 || page == DIFF_PREFIX_A || page == DIFF_PREFIX_B)
        return (offset >= 0x50 && offset < 0xA4) || (offset >= PAGE0_GPR && offset < PAGE0_END);
    return (address >= DIFF_CLOCKS && address < DIFF_CLOCKS_END) || (address >= DIFF_LOG && address < DIFF_KEYS_END) ||
           (address >= DIFF_TABLES && address < DIFF_TABLES_END) || (address >= DIFF_PROLOGUE && address < DIFF_LOW);
}

static bool range_sensitive(struct generator *g, uint32_t va, uint32_t length) {
    uint32_t address;
    for (uint32_t i = 0; i < length; i++)
        if (translate(g, va + i, &address) && sensitive(address))
            return true;
    return false;
}

/* Puts bytes where the program will see them. */
static void place(struct generator *g, uint32_t va, const void *bytes, uint32_t length) {
    const uint8_t *from = bytes;
    uint32_t address;
    for (uint32_t i = 0; i < length; i++) {
        if (!translate(g, va + i, &address) || sensitive(address))
            continue;
        uint8_t *to = byte_at(g, address);
        if (to)
            *to = from[i];
    }
}

static void place32(struct generator *g, uint32_t va, uint32_t value) {
    uint8_t bytes[4];
    bytes_put32(bytes, value);
    place(g, va, bytes, 4);
}

static uint8_t peek(struct generator *g, uint32_t va) {
    uint32_t address;
    uint8_t *at = translate(g, va, &address) ? byte_at(g, address) : NULL;
    return at ? *at : 0;
}

/* The program-interruption code that a fetch at this address causes under the initial state; 0: none. */
static unsigned fetch_code(struct generator *g, uint32_t va) {
    const struct differential_case *c = g->c;
    uint32_t address = va;
    unsigned code = g->dat ? walk(g, va, &address) : 0;
    if (code)
        return code;
    address = absolute(g, address);
    if (address >= c->memory)
        return 5;
    uint8_t key = address < DIFF_LOW                 ? c->keys[address / 2048]
                  : address >= c->memory - DIFF_HIGH ? c->high_keys[(address - (c->memory - DIFF_HIGH)) / 2048]
                                                     : 0;
    return c->psw[1] >> 4 && key & 8 && key >> 4 != c->psw[1] >> 4 ? 4 : 0;
}

static uint32_t data_address(struct generator *g) {
    return chance(g, 70) ? 0x4000 + below(g, 0x8F00) : 0x18000 + below(g, 0x4F00);
}

/* A logical address for an operand of so many bytes. */
static uint32_t pick_address(struct generator *g, uint32_t length, uint32_t align) {
    uint32_t va = 0;
    if (g->aim && chance(g, 70))
        for (int attempt = 0; attempt < 300; attempt++) {
            va = chance(g, 50) ? word(g) & 0xFFFFFF : chance(g, 50) ? word(g) & 0x9FFFF : data_address(g);
            va &= ~(align - 1);
            if (fetch_code(g, va) == g->aim && !range_sensitive(g, va, length))
                return va;
        }
    for (int attempt = 0; attempt < 20; attempt++) {
        uint32_t kind = below(g, 100);
        if (kind < 60)
            va = data_address(g);
        else if (kind < 71) /* across a block's or page's end */
            va = (data_address(g) & 0xFFF800) - 1 - below(g, length < 8 ? 8 : length);
        else if (kind < 75)
            va = g->c->memory - 1 - below(g, length + 4);
        else if (kind < 78)
            va = g->c->memory + below(g, 64);
        else if (kind < 81)
            va = 0x1000000 - 1 - below(g, length + 4);
        else if (kind < 90 && g->dat)
            va = ((chance(g, 75) ? 1 + below(g, 9) : (0xFFu >> (g->segment_shift - 16))) << g->segment_shift) +
                 (chance(g, 50) ? below(g, 1u << g->segment_shift) : below(g, 0x2000));
        else if (kind < 92)
            va = 0xA4 + below(g, 0x200 - 0xA4);
        else if (kind < 93)
            va = g->c->program[0].at + below(g, 64);
        else if (kind < 95)
            va = word(g) & 0xFFFFFF;
        else
            va = data_address(g) & 0xFFFF00;
        if (align > 1 && chance(g, 88))
            va &= ~(align - 1);
        va &= 0xFFFFFF;
        if (!range_sensitive(g, va, length))
            return va;
    }
    return 0x5000;
}

/* --- registers --- */

static int free_register(struct generator *g, int from) {
    int n = 0, found[16];
    for (int i = from; i < 16; i++)
        if (!g->assigned[i])
            found[n++] = i;
    return n ? found[below(g, (uint32_t)n)] : -1;
}

static unsigned value_register(struct generator *g, uint32_t value) {
    int i = chance(g, 92) ? free_register(g, 0) : -1;
    if (i < 0)
        return below(g, 16);
    g->assigned[i] = true;
    g->c->gpr[i] = value;
    return (unsigned)i;
}

/* A register other than 0 with this value if there is one to be had. */
static unsigned pointer_register(struct generator *g, uint32_t value) {
    for (unsigned i = 1; i < 16; i++)
        if (g->assigned[i] && !g->changed[i] && g->c->gpr[i] == value)
            return i;
    int i = free_register(g, 1);
    if (i < 0)
        return 1 + below(g, 15);
    g->assigned[i] = true;
    g->c->gpr[i] = value;
    return (unsigned)i;
}

static unsigned pair_register(struct generator *g, uint32_t first, uint32_t second) {
    int n = 0;
    unsigned found[8];
    for (unsigned i = 0; i < 16; i += 2)
        if (!g->assigned[i] && !g->assigned[i + 1])
            found[n++] = i;
    unsigned i = n ? found[below(g, (uint32_t)n)] : below(g, 8) * 2;
    if (n) {
        g->assigned[i] = g->assigned[i + 1] = true;
        g->c->gpr[i] = first;
        g->c->gpr[i + 1] = second;
    }
    return chance(g, 6) ? i + 1 : i;
}

static void change(struct generator *g, unsigned i) { g->assigned[i & 15] = g->changed[i & 15] = true; }

/* Base register and displacement for an address. */
static uint16_t base_displacement(struct generator *g, uint32_t va) {
    if (va < 4096 && chance(g, 30))
        return (uint16_t)va;
    int usable = -1;
    for (int i = 1; i < 16; i++)
        if (g->assigned[i] && !g->changed[i] && ((va - g->c->gpr[i]) & 0xFFFFFF) < 4096)
            usable = i;
    int i = usable >= 0 && chance(g, 50) ? usable : free_register(g, 1);
    if (i < 0)
        i = usable;
    if (i < 0)
        return (uint16_t)(below(g, 16) << 12 | (va & 0xFFF));
    if (i != usable) {
        static const uint32_t spans[] = {1, 16, 256, 4096};
        uint32_t d = below(g, spans[below(g, 4)]);
        g->assigned[i] = true;
        g->c->gpr[i] = ((va - d) & 0xFFFFFF) | (chance(g, 30) ? word(g) & 0xFF000000 : 0);
    }
    return (uint16_t)((uint32_t)i << 12 | ((va - g->c->gpr[i]) & 0xFFF));
}

/* --- instructions --- */

struct text {
    uint8_t bytes[6];
};

static void put_operand(struct text *t, int at, uint16_t base_and_displacement) {
    bytes_put16(t->bytes + at, base_and_displacement);
}

static void put_rx(struct generator *g, struct text *t, uint32_t va) {
    unsigned x = 0;
    if (chance(g, 25)) {
        uint32_t index = chance(g, 50) ? below(g, 64) : word(g);
        int i = free_register(g, 1);
        if (i > 0) {
            x = (unsigned)i;
            g->assigned[i] = true;
            g->c->gpr[i] = index;
            va = (va - index) & 0xFFFFFF;
        }
    }
    t->bytes[1] = (uint8_t)((t->bytes[1] & 0xF0) | x);
    put_operand(t, 2, base_displacement(g, va));
}

static void put_registers(struct text *t, unsigned upper, unsigned lower) {
    t->bytes[1] = (uint8_t)(upper << 4 | (lower & 15));
}

/* A packed number of `length` bytes with at most `digits` digits that are not leading zeros. */
static void packed(struct generator *g, uint8_t *to, uint32_t length, uint32_t digits) {
    static const uint8_t signs[] = {0xC, 0xC, 0xC, 0xD, 0xD, 0xD, 0xF, 0xA, 0xB, 0xE};
    uint32_t all = length * 2 - 1;
    if (digits > all)
        digits = all;
    uint8_t nibbles[64] = {0};
    unsigned style = below(g, 6);
    for (uint32_t i = all - digits; i < all; i++)
        nibbles[i] = (uint8_t)(style == 0 ? 0 : style == 1 ? 9 : style == 2 ? (i + 1 == all) : below(g, 10));
    nibbles[all] = signs[below(g, sizeof signs)];
    if (chance(g, 7))
        nibbles[below(g, all + 1)] = (uint8_t)below(g, 16);
    for (uint32_t i = 0; i < length; i++)
        to[i] = (uint8_t)(nibbles[2 * i] << 4 | nibbles[2 * i + 1]);
}

static void place_packed(struct generator *g, uint32_t va, uint32_t length, uint32_t digits) {
    uint8_t bytes[16];
    packed(g, bytes, length, digits);
    if (chance(g, 93))
        place(g, va, bytes, length);
}

static void make_psw(struct generator *g, uint8_t psw[8], uint32_t ia) {
    bool ec = chance(g, 60), wait = chance(g, 4);
    memset(psw, 0, 8);
    uint8_t key = chance(g, 70) ? 0 : (uint8_t)(below(g, 16) << 4);
    uint8_t state = (uint8_t)((chance(g, 30) ? 4 : 0) | (chance(g, 20) ? 1 : 0));
    if (ec) {
        static const uint8_t masks[] = {0x00, 0x00, 0x04, 0x02, 0x01, 0x03, 0x40, 0x07, 0x47};
        psw[0] = masks[below(g, sizeof masks)];
        if (!g->dat && chance(g, 60))
            psw[0] &= (uint8_t)~4;
        if (g->dat && chance(g, 60))
            psw[0] |= 4;
        psw[2] = (uint8_t)(below(g, 64));
        if (chance(g, 10))
            switch (below(g, 4)) {
            case 0: psw[0] |= (uint8_t)(0x08 << below(g, 3)); break;
            case 1: psw[2] |= 0x40; break;
            case 2: psw[3] = (uint8_t)(1 + below(g, 255)); break;
            default: psw[4] = (uint8_t)(1 + below(g, 255)); break;
            }
    } else {
        psw[0] = (uint8_t)(chance(g, 50) ? 0 : word(g));
        bytes_put16(psw + 2, (uint16_t)word(g)); /* ignored */
        psw[4] = (uint8_t)word(g);
    }
    psw[1] = (uint8_t)(key | (ec ? 8 : 0) | state);
    if (wait) {
        if (ec)
            psw[0] &= 0xFC;
        else
            psw[0] = 0;
        psw[1] = (uint8_t)((psw[1] & ~4) | 2);
    }
    psw[5] = (uint8_t)(ia >> 16);
    bytes_put16(psw + 6, (uint16_t)ia);
}

/* A value for a control register that the program may load. Left out are what Hercules has beyond our machine (dual
 * address space, PER) and the interval timer's mask. */
static uint32_t control_value(struct generator *g, unsigned n) {
    static const uint32_t formats[] = {0x00400000, 0x00800000, 0x00500000, 0x00900000};
    switch (n & 15) {
    case 0: {
        uint32_t format = chance(g, 85) ? g->c->cr[0] & 0x00F80000 : formats[below(g, 4)];
        if (chance(g, 4))
            format = word(g) & 0x00F80000;
        return format | (word(g) & (chance(g, 40) ? 0x50000C60 : 0x00000060));
    }
    case 1:
        if (chance(g, 90))
            return g->c->cr[1];
        return chance(g, 50) ? 0x0F000000 | DIFF_TABLES | 0x400 : 0xFF300000;
    case 2: return word(g);
    case 6:
    case 8: return word(g);
    case 3:
    case 4:
    case 5:
    case 7:
    case 9: return 0;
    default: return word(g);
    }
}

static void place_operand_word(struct generator *g, uint32_t va, uint32_t length) {
    uint32_t value = edge_word(g);
    if (length == 4)
        place32(g, va, value);
    else if (length == 2)
        place(g, va, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
    else if (length == 1)
        place(g, va, (uint8_t[]){(uint8_t)value}, 1);
}

/* Where a branch goes: mostly forward in the program. */
static uint32_t branch_target(struct generator *g, unsigned self, bool back) {
    const struct differential_case *c = g->c;
    if (back && self > 0 && chance(g, 60))
        return c->program[below(g, self)].at;
    unsigned last = self;
    while (last + 1 < c->count && !c->program[last + 1].target)
        last++;
    if (chance(g, 90) && last > self)
        return c->program[self + 1 + below(g, last - self)].at;
    if (chance(g, 40))
        return (g->next + 1) & 0xFFFFFF;
    if (chance(g, 50))
        return g->c->memory + 0x1000;
    return pick_address(g, 2, 2);
}

static void make_rr(struct generator *g, struct text *t, enum instruction_id id, unsigned self) {
    uint32_t value = edge_word(g);
    unsigned r1, r2;
    switch (id) {
    case INSTRUCTION_BALR:
    case INSTRUCTION_BASR:
    case INSTRUCTION_BCR:
    case INSTRUCTION_BCTR: {
        bool count = id == INSTRUCTION_BCTR;
        uint32_t target = branch_target(g, self, count) | (chance(g, 30) ? word(g) & 0xFF000000 : 0);
        r1 = id == INSTRUCTION_BCR ? below(g, 16) : value_register(g, count ? below(g, 4) : word(g));
        r2 = chance(g, 15) ? 0 : chance(g, 8) ? r1 : pointer_register(g, target);
        if (count && chance(g, 90))
            change(g, r1);
        if (id != INSTRUCTION_BCR)
            change(g, r1);
        put_registers(t, r1, r2);
        return;
    }
    case INSTRUCTION_MR:
        r1 = pair_register(g, word(g), value);
        r2 = value_register(g, edge_word(g));
        put_registers(t, r1, r2);
        change(g, r1);
        change(g, r1 + 1);
        return;
    case INSTRUCTION_DR: {
        uint32_t divisor = edge_word(g);
        uint32_t high = chance(g, 60) ? (value >> 31 ? 0xFFFFFFFF : 0) : chance(g, 50) ? below(g, 256) : word(g);
        if (high == 0x80000000)
            high = 0;
        r1 = pair_register(g, high, value);
        put_registers(t, r1, value_register(g, divisor));
        change(g, r1);
        change(g, r1 + 1);
        return;
    }
    case INSTRUCTION_MVCL:
    case INSTRUCTION_CLCL: {
        uint32_t n1 = chance(g, 15) ? 0 : chance(g, 80) ? below(g, 80) : below(g, 5000);
        uint32_t n2 = chance(g, 30) ? n1 : chance(g, 15) ? 0 : chance(g, 80) ? below(g, 80) : below(g, 5000);
        uint32_t a1 = pick_address(g, n1 ? n1 : 1, 1), a2 = pick_address(g, n2 ? n2 : 1, 1);
        if (chance(g, 25)) {
            uint32_t near = (a1 + below(g, 128) - 64) & 0xFFFFFF;
            if (!range_sensitive(g, near, n2))
                a2 = near;
        }
        uint8_t pad = chance(g, 60) ? 0x40 : (uint8_t)word(g);
        if (id == INSTRUCTION_CLCL && chance(g, 75)) {
            uint32_t length = n1 > n2 ? n1 : n2;
            for (uint32_t i = 0; i < length && i < 5000; i++) {
                uint8_t byte = i < n1 ? peek(g, a1 + i) : pad;
                if (i >= n1 || i < n2)
                    place(g, a2 + i, &byte, 1);
                if (i >= n2)
                    place(g, a1 + i, &pad, 1);
            }
            if (n1 && chance(g, 50))
                place(g, a1 + below(g, n1), (uint8_t[]){(uint8_t)word(g)}, 1);
        }
        uint32_t junk = chance(g, 40) ? word(g) & 0xFF000000 : 0;
        r1 = pair_register(g, a1 | junk, n1 | junk);
        r2 = pair_register(g, a2 | junk, n2 | (uint32_t)pad << 24);
        put_registers(t, r1, r2);
        for (unsigned i = 0; i < 2; i++) {
            change(g, r1 + i);
            change(g, r2 + i);
        }
        return;
    }
    case INSTRUCTION_SSK:
    case INSTRUCTION_ISK: {
        uint32_t block = chance(g, 80)   ? below(g, DIFF_LOW_BLOCKS) * 2048
                         : chance(g, 50) ? g->c->memory - 2048 * (1 + below(g, DIFF_HIGH_BLOCKS))
                                         : g->c->memory + below(g, 4) * 2048;
        block = (block & 0xFFFFF0) | (chance(g, 10) ? below(g, 16) : 0) | (chance(g, 50) ? below(g, 128) << 4 : 0);
        r2 = chance(g, 90) ? value_register(g, block | (chance(g, 30) ? word(g) & 0xFF000000 : 0)) : below(g, 16);
        r1 = value_register(g, word(g));
        put_registers(t, r1, r2);
        if (id == INSTRUCTION_ISK)
            change(g, r1);
        return;
    }
    case INSTRUCTION_SVC: t->bytes[1] = (uint8_t)below(g, 255); return;
    case INSTRUCTION_SPM: put_registers(t, value_register(g, word(g)), below(g, 16)); return;
    default:
        r1 = value_register(g, value);
        r2 = chance(g, 15)   ? r1
             : chance(g, 25) ? value_register(g, value + below(g, 3) - 1)
             : chance(g, 15) ? value_register(g, 0u - value)
                             : value_register(g, edge_word(g));
        put_registers(t, r1, r2);
        change(g, r1);
        return;
    }
}

static void make_rx(struct generator *g, struct text *t, enum instruction_id id, unsigned self) {
    uint32_t value = edge_word(g), length = 4;
    unsigned r1;
    switch (id) {
    case INSTRUCTION_BC:
        put_registers(t, below(g, 16), 0);
        put_rx(g, t, branch_target(g, self, false));
        return;
    case INSTRUCTION_BAL:
    case INSTRUCTION_BAS:
    case INSTRUCTION_BCT: {
        bool count = id == INSTRUCTION_BCT;
        r1 = value_register(g, count ? below(g, 4) : word(g));
        put_registers(t, r1, 0);
        change(g, r1);
        put_rx(g, t, branch_target(g, self, count));
        return;
    }
    case INSTRUCTION_LA:
        r1 = value_register(g, value);
        put_registers(t, r1, 0);
        put_rx(g, t, word(g) & 0xFFFFFF);
        change(g, r1);
        return;
    case INSTRUCTION_LRA: {
        static const uint32_t offsets[] = {0, 0x7FF, 0x800, 0xFFF};
        uint32_t segment = chance(g, 60)   ? below(g, 10)
                           : chance(g, 50) ? 0xFFu >> (g->segment_shift - 16)
                                           : below(g, 256);
        uint32_t va = ((segment << g->segment_shift) + (below(g, 32) << 11) + offsets[below(g, 4)]) & 0xFFFFFF;
        r1 = value_register(g, value);
        put_registers(t, r1, 0);
        put_rx(g, t, va);
        change(g, r1);
        return;
    }
    case INSTRUCTION_STH:
    case INSTRUCTION_LH:
    case INSTRUCTION_CH:
    case INSTRUCTION_AH:
    case INSTRUCTION_SH:
    case INSTRUCTION_MH: length = 2; break;
    case INSTRUCTION_IC:
    case INSTRUCTION_STC: length = 1; break;
    case INSTRUCTION_CVB:
    case INSTRUCTION_CVD: length = 8; break;
    default: break;
    }
    uint32_t va = pick_address(g, length, length);
    if (id == INSTRUCTION_CVB) {
        place_packed(g, va, 8, chance(g, 70) ? 10 : 15);
        if (chance(g, 12))
            place(g, va, "\0\0\2\x14\x74\x83\x64\x8C", 8);
        if (chance(g, 12))
            place(g, va, "\0\0\2\x14\x74\x83\x64\x8D", 8);
        if (chance(g, 12))
            place(g, va, "\0\0\2\x14\x74\x83\x64\x7C", 8);
    } else if (chance(g, 85)) {
        place_operand_word(g, va, length);
    }
    if (id == INSTRUCTION_M || id == INSTRUCTION_D) {
        uint32_t high = chance(g, 60) ? (value >> 31 ? 0xFFFFFFFF : 0) : chance(g, 50) ? below(g, 256) : word(g);
        if (high == 0x80000000)
            high = 0;
        r1 = pair_register(g, high, value);
        change(g, r1 + 1);
    } else {
        if (length == 4 && chance(g, 5))
            place32(g, va, value = 0);
        else if (length == 4 && chance(g, 25))
            place32(g, va, value + below(g, 3) - 1);
        if (length == 4 && chance(g, 8))
            place32(g, va, 0u - value);
        if (length == 2 && chance(g, 25)) {
            value = (uint32_t)(int32_t)(int16_t)value;
            place(g, va, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
            if (id == INSTRUCTION_AH)
                value = 0u - value;
        }
        if ((id == INSTRUCTION_AH || id == INSTRUCTION_SH) && chance(g, 20)) { /* overflows */
            bool up = chance(g, 50);
            value = up ? 0x7FFFFFF0 : 0x80000010;
            place(g, va, (uint8_t[]){up == (id == INSTRUCTION_AH) ? 0x7F : 0x80, 0x12}, 2);
        }
        r1 = value_register(g, value);
    }
    put_registers(t, r1, 0);
    put_rx(g, t, va);
    change(g, r1);
}

static unsigned ones(unsigned mask) { return (mask & 1) + (mask >> 1 & 1) + (mask >> 2 & 1) + (mask >> 3 & 1); }

static void make_rs(struct generator *g, struct text *t, enum instruction_id id, unsigned self) {
    unsigned r1, r3;
    uint32_t va;
    switch (id) {
    case INSTRUCTION_BXH:
    case INSTRUCTION_BXLE: {
        uint32_t increment = chance(g, 70) ? 1 + below(g, 8) : edge_word(g);
        uint32_t comparand = chance(g, 70) ? below(g, 40) : edge_word(g);
        r1 = value_register(g, chance(g, 70) ? below(g, 40) : edge_word(g));
        if (chance(g, 60)) {
            unsigned pair = pair_register(g, increment, comparand);
            r3 = chance(g, 80) ? pair & 14 : pair;
        } else {
            r3 = chance(g, 20) ? r1 : value_register(g, increment);
        }
        put_registers(t, r1, r3);
        change(g, r1);
        put_operand(t, 2, base_displacement(g, branch_target(g, self, id == INSTRUCTION_BXLE && increment - 1 < 8)));
        return;
    }
    case INSTRUCTION_CS:
    case INSTRUCTION_CDS: {
        uint32_t length = id == INSTRUCTION_CS ? 4 : 8, v1 = edge_word(g), v2 = edge_word(g);
        va = pick_address(g, length, length);
        if (chance(g, 88))
            va &= ~(length - 1);
        if (id == INSTRUCTION_CS) {
            r1 = value_register(g, v1);
            r3 = value_register(g, edge_word(g));
        } else {
            r1 = pair_register(g, v1, v2);
            r3 = pair_register(g, edge_word(g), edge_word(g));
            change(g, r1 + 1);
        }
        if (chance(g, 60) && !range_sensitive(g, va, length)) {
            place32(g, va, v1);
            if (length == 8)
                place32(g, va + 4, chance(g, 80) ? v2 : word(g));
        }
        if (range_sensitive(g, va, length))
            va = 0x5000;
        put_registers(t, r1, r3);
        put_operand(t, 2, base_displacement(g, va));
        change(g, r1);
        return;
    }
    case INSTRUCTION_LM:
    case INSTRUCTION_STM:
    case INSTRUCTION_LCTL:
    case INSTRUCTION_STCTL: {
        r1 = below(g, 16);
        r3 = chance(g, 60) ? (r1 + below(g, 4)) & 15 : below(g, 16);
        bool control = id == INSTRUCTION_LCTL || id == INSTRUCTION_STCTL;
        if (id == INSTRUCTION_LCTL && chance(g, 40))
            r1 = 0, r3 = below(g, 2);
        uint32_t n = ((r3 - r1) & 15) + 1;
        va = pick_address(g, n * 4, 4);
        if (control)
            va = chance(g, 92) ? va & ~3u : va | (1 + below(g, 3));
        if (range_sensitive(g, va, n * 4))
            va = 0x5000;
        for (uint32_t i = 0; i < n; i++)
            place32(g, va + 4 * i, id == INSTRUCTION_LCTL ? control_value(g, r1 + i) : edge_word(g));
        put_registers(t, r1, r3);
        put_operand(t, 2, base_displacement(g, va));
        if (id == INSTRUCTION_LM)
            for (uint32_t i = 0; i < n; i++)
                change(g, r1 + i);
        return;
    }
    case INSTRUCTION_SIGP: { /* of CPUs that do not exist; and to itself, where that does not end the program */
        static const uint8_t orders[] = {0x0, 0x1, 0x1, 0x2, 0x2, 0x3, 0x4, 0xF};
        bool own = below(g, 2);
        r3 = value_register(g, (own ? 0 : 1 + below(g, 15)) + (word(g) & 0xFFFF0000));
        put_registers(t, value_register(g, word(g)), r3);
        put_operand(t, 2, base_displacement(g, own ? orders[below(g, sizeof orders)] : 1 + below(g, 12)));
        if (((g->c->gpr[r3] & 0xFFFF) == 0) != own || g->changed[r3])
            memcpy(t->bytes, "\x47\0\0\0", 4);
        return;
    }
    default: /* DIAG: only where it is privileged (differential_generate) */
        put_registers(t, below(g, 16), below(g, 16));
        put_operand(t, 2, base_displacement(g, word(g) & 0xFFFFFF));
        return;
    }
}

static void make_rs_mask(struct generator *g, struct text *t, enum instruction_id id) {
    unsigned mask = below(g, 16), n = ones(mask);
    uint32_t value = edge_word(g), va = pick_address(g, n ? n : 1, 1);
    uint8_t bytes[4] = {0};
    unsigned k = 0;
    for (unsigned i = 0; i < 4; i++)
        if (mask & 8u >> i)
            bytes[k++] = (uint8_t)(value >> (24 - 8 * i));
    if (id == INSTRUCTION_ICM && chance(g, 30))
        memset(bytes, 0, 4);
    if (id == INSTRUCTION_CLM && k && chance(g, 30))
        bytes[below(g, k)] ^= (uint8_t)(1u << below(g, 8));
    if (chance(g, 85))
        place(g, va, bytes, k);
    unsigned r1 = value_register(g, value);
    put_registers(t, r1, mask);
    put_operand(t, 2, base_displacement(g, va));
    if (id == INSTRUCTION_ICM)
        change(g, r1);
}

static void make_shift(struct generator *g, struct text *t, enum instruction_id id) {
    uint32_t value = edge_word(g), amount = chance(g, 60) ? below(g, 12) : chance(g, 80) ? below(g, 64) : word(g);
    unsigned r1;
    if (id == INSTRUCTION_SLL || id == INSTRUCTION_SRL || id == INSTRUCTION_SLA || id == INSTRUCTION_SRA) {
        r1 = value_register(g, value);
    } else {
        r1 = pair_register(g, value, chance(g, 30) ? 0 : edge_word(g));
        change(g, r1 + 1);
    }
    put_registers(t, r1, below(g, 16));
    put_operand(t, 2, chance(g, 60) ? (uint16_t)(amount & 0xFFF) : base_displacement(g, amount & 0xFFFFFF));
    change(g, r1);
}

static void make_si(struct generator *g, struct text *t, enum instruction_id id) {
    if (id == INSTRUCTION_MC) {
        t->bytes[1] = (uint8_t)(chance(g, 88) ? below(g, 16) : word(g));
        put_operand(t, 2, base_displacement(g, word(g) & 0xFFFFFF));
        return;
    }
    uint32_t va = pick_address(g, 1, 1);
    uint8_t mask = (uint8_t)word(g), byte = (uint8_t)word(g);
    if (id == INSTRUCTION_STNSM || id == INSTRUCTION_STOSM) {
        static const uint8_t masks[] = {0x00, 0xFF, 0xFB, 0x04, 0x03, 0x40, 0x20, 0xFC, 0xF8};
        mask = chance(g, 80) ? masks[below(g, sizeof masks)] : mask;
    }
    switch (below(g, 4)) {
    case 0: byte = mask; break;
    case 1: byte = (uint8_t)~mask; break;
    case 2: byte = (uint8_t)(mask + below(g, 3) - 1); break;
    default: break;
    }
    if (chance(g, 10))
        mask = chance(g, 50) ? 0 : 0xFF;
    if (chance(g, 5))
        mask = byte = 0;
    if (chance(g, 85))
        place(g, va, &byte, 1);
    t->bytes[1] = mask;
    put_operand(t, 2, base_displacement(g, va));
}

static void make_s(struct generator *g, struct text *t, enum instruction_id id) {
    uint32_t length = 8, va;
    if (instruction_table[id].code < 0x100)
        t->bytes[1] = (uint8_t)(chance(g, 70) ? 0 : word(g)); /* ignored */
    switch (id) {
    case INSTRUCTION_IPK:
    case INSTRUCTION_PTLB:
        put_operand(t, 2, (uint16_t)word(g));
        if (id == INSTRUCTION_IPK)
            change(g, 2);
        return;
    case INSTRUCTION_SPKA: put_operand(t, 2, base_displacement(g, chance(g, 50) ? 0 : word(g) & 0xFFFFFF)); return;
    case INSTRUCTION_SIO:
    case INSTRUCTION_SIOF: { /* only devices and channels that are not there */
        static const uint32_t absent[] = {0x000, 0x00F, 0x0FF, 0x100, 0x1FF, 0xA00, 0xF42, 0x800};
        t->bytes[1] = (uint8_t)((t->bytes[1] & 1) | (chance(g, 30) ? word(g) & 0xFE : 0));
        put_operand(t, 2, base_displacement(g, absent[below(g, 8)] | (word(g) & 0xFF0000)));
        return;
    }
    case INSTRUCTION_TIO:
    case INSTRUCTION_CLRIO:
    case INSTRUCTION_HIO:
    case INSTRUCTION_HDV:
    case INSTRUCTION_TCH:
    case INSTRUCTION_STIDC: {
        static const uint32_t addresses[] = {0x000, 0x009, 0x00E, 0x00E, 0x00E, 0x00E, 0x1FF, 0xA00, 0xF42, 0x00E};
        if (id != INSTRUCTION_STIDC && id != INSTRUCTION_TCH)
            t->bytes[1] = (uint8_t)((t->bytes[1] & 1) | (chance(g, 30) ? word(g) & 0xFE : 0));
        uint32_t device = addresses[below(g, 10)];
        put_operand(t, 2, base_displacement(g, device | (word(g) & 0xFF0000)));
        return;
    }
    case INSTRUCTION_RRB: {
        uint32_t block = chance(g, 90) ? below(g, DIFF_LOW_BLOCKS) * 2048 : g->c->memory + below(g, 4) * 2048;
        if (block < DIFF_LOW) { /* Hercules takes both blocks of a page */
            uint8_t *pair = g->c->keys + (block / 4096) * 2;
            pair[1] = (uint8_t)((pair[1] & 0xF8) | (pair[0] & 6));
        }
        put_operand(t, 2, base_displacement(g, (block | below(g, 2048)) & 0xFFFFFF));
        return;
    }
    case INSTRUCTION_TS:
    case INSTRUCTION_SSM: length = 1; break;
    case INSTRUCTION_SPX:
    case INSTRUCTION_STPX: length = 4; break;
    case INSTRUCTION_STAP: length = 2; break;
    default: break;
    }
    if ((id == INSTRUCTION_STCK || id == INSTRUCTION_STPT) && !g->aim && chance(g, 75)) {
        va = DIFF_CLOCKS + below(g, 30) * 8 + (chance(g, 10) ? below(g, 8) : 0);
    } else {
        va = pick_address(g, length, length);
        va = chance(g, 92) || length == 1 ? va & ~(length - 1) : va | (1 + below(g, length - 1));
        if (range_sensitive(g, va, length))
            va = 0x5000;
    }
    if (id == INSTRUCTION_STCK || id == INSTRUCTION_STPT) {
        uint32_t address;
        for (uint32_t i = 0; i < 8 && g->c->clock_count < 64; i++)
            if (translate(g, va + i, &address))
                g->c->clock[g->c->clock_count++] = address;
    }
    uint8_t bytes[8] = {0};
    switch (id) {
    case INSTRUCTION_LPSW:
        make_psw(g, bytes, chance(g, 90) ? g->next : g->next + 1);
        if (chance(g, 95))
            place(g, va, bytes, 8);
        break;
    case INSTRUCTION_SSM: {
        static const uint8_t masks[] = {0x00, 0x00, 0x04, 0x03, 0x07, 0x40, 0x20, 0xFC, 0xFF, 0x10, 0x80};
        bytes[0] = masks[below(g, sizeof masks)];
        if (chance(g, 90))
            place(g, va, bytes, 1);
        break;
    }
    case INSTRUCTION_SPX: {
        static const uint32_t prefixes[] = {0, DIFF_PREFIX_A, DIFF_PREFIX_B, DIFF_PREFIX_A, DIFF_PREFIX_B, 0};
        uint32_t prefix = prefixes[below(g, 6)];
        if (chance(g, 10) && g->c->memory < 0x1000000)
            prefix = g->c->memory + 0x3000;
        place32(g, va, prefix | (word(g) & 0x80000FFF));
        break;
    }
    case INSTRUCTION_SCK:
    case INSTRUCTION_SCKC:
    case INSTRUCTION_SPT: {
        /* Far from anything that the clock reaches within a test, so that only the order decides. */
        memset(bytes, 0, 8);
        bool up = chance(g, 50);
        if (id == INSTRUCTION_SPT)
            bytes[0] = up ? 0x7F : 0xC0;
        else if (id == INSTRUCTION_SCKC)
            memset(bytes, up ? 0xFF : 0x00, 7);
        else
            bytes[0] = up ? 0x40 : 0x60;
        place(g, va, bytes, 8);
        break;
    }
    default:
        if (length == 1) {
            bytes[0] = (uint8_t)word(g);
            place(g, va, bytes, 1);
        }
        break;
    }
    put_operand(t, 2, base_displacement(g, va));
}

static void make_rre(struct generator *g, struct text *t, enum instruction_id id) {
    t->bytes[2] = (uint8_t)(chance(g, 80) ? 0 : word(g));
    if (id == INSTRUCTION_IPTE) {
        uint32_t segment = below(g, 8), ste = bytes_get32(g->c->low + DIFF_TABLES + 4 * segment);
        uint32_t va = (segment << g->segment_shift) + (below(g, 32) << 11) + below(g, 2048);
        unsigned r1 = value_register(g, (ste & 0xFFFFF8) | (chance(g, 30) ? word(g) & 0xFF000007 : 0));
        unsigned r2 = value_register(g, va | (chance(g, 30) ? word(g) & 0xFF000000 : 0));
        uint32_t table = g->c->gpr[r1] & 0xFFFFF8;
        if (g->changed[r1] || g->changed[r2] ||
            ((table < DIFF_TABLES || table >= DIFF_TABLES_END - 0x400) && table < g->c->memory)) {
            g->assigned[15] = true;
            r1 = 15;
            if (!g->changed[15])
                g->c->gpr[15] = DIFF_TABLES + 0x1000;
        }
        t->bytes[3] = (uint8_t)(r1 << 4 | r2);
        return;
    }
    uint32_t block = chance(g, 85) ? below(g, DIFF_LOW_BLOCKS) * 2048 : g->c->memory + below(g, 4) * 2048;
    unsigned r2 = value_register(g, (block | below(g, 2048)) & 0xFFFFFF); /* Hercules takes bits 0-7 into account */
    unsigned r1 = value_register(g, word(g));
    t->bytes[3] = (uint8_t)(r1 << 4 | r2);
    if (id == INSTRUCTION_ISKE)
        change(g, r1);
}

static void place_edit(struct generator *g, uint32_t pattern, uint32_t source, uint32_t length) {
    uint8_t bytes[256] = {0};
    static const uint8_t messages[] = {0x6B, 0x4B, 0x40, 0x5C, 0xF0, 0x60, 0xC3, 0xD9, 0x00};
    for (uint32_t i = 0; i < length; i++) {
        uint32_t kind = below(g, 20);
        bytes[i] = kind < 12 ? 0x20 : kind < 14 ? 0x21 : kind < 15 ? 0x22 : messages[below(g, sizeof messages)];
    }
    if (chance(g, 90))
        bytes[0] = chance(g, 60) ? 0x40 : 0x5C;
    place(g, pattern, bytes, length);
    uint32_t size = 1 + below(g, 9), at = 0;
    while (at < length) {
        uint8_t number[16];
        packed(g, number, size, chance(g, 30) ? 0 : below(g, 2 * size));
        for (uint32_t i = 0; i < size && at < length; i++)
            bytes[at++] = number[i];
        if (chance(g, 30))
            size = 1 + below(g, 9);
    }
    place(g, source, bytes, length);
}

static void make_ss(struct generator *g, struct text *t, enum instruction_id id) {
    uint32_t length = 1 + (chance(g, 60) ? below(g, 16) : chance(g, 60) ? below(g, 64) : below(g, 256));
    uint32_t a1 = pick_address(g, length, 1), a2 = pick_address(g, length, 1);
    bool table = id == INSTRUCTION_TR || id == INSTRUCTION_TRT;
    if (table)
        a2 = pick_address(g, 256, 1);
    if (id == INSTRUCTION_MVCIN)
        a2 = (pick_address(g, length, 1) + length - 1) & 0xFFFFFF;
    if (chance(g, 25)) {
        uint32_t near = (a1 + below(g, 2 * length + 2) - length) & 0xFFFFFF;
        /* The result of editing is unpredictable when the operands overlap. */
        if (id == INSTRUCTION_ED || id == INSTRUCTION_EDMK)
            near = (a1 + 2 * length) & 0xFFFFFF;
        if (!range_sensitive(g, (near - 256) & 0xFFFFFF, 512))
            a2 = near;
    }
    switch (id) {
    case INSTRUCTION_CLC:
        if (chance(g, 70)) {
            for (uint32_t i = 0; i < length; i++)
                place(g, a2 + i, (uint8_t[]){peek(g, a1 + i)}, 1);
            if (chance(g, 60))
                place(g, a2 + below(g, length), (uint8_t[]){(uint8_t)word(g)}, 1);
        }
        break;
    case INSTRUCTION_TRT:
        if (chance(g, 80)) {
            for (uint32_t i = 0; i < 256; i++)
                place(g, a2 + i, (uint8_t[]){chance(g, 3) ? (uint8_t)word(g) : 0}, 1);
            if (chance(g, 30))
                place(g, a2 + peek(g, a1 + length - 1), (uint8_t[]){(uint8_t)word(g)}, 1);
        }
        break;
    case INSTRUCTION_NC:
    case INSTRUCTION_XC:
    case INSTRUCTION_OC:
        if (chance(g, 30))
            for (uint32_t i = 0; i < length; i++) {
                uint8_t byte = id == INSTRUCTION_OC ? 0 : peek(g, a1 + i);
                if (id == INSTRUCTION_OC)
                    place(g, a1 + i, &byte, 1);
                if (id == INSTRUCTION_NC)
                    byte = (uint8_t)~byte;
                place(g, a2 + i, &byte, 1);
            }
        break;
    case INSTRUCTION_ED:
    case INSTRUCTION_EDMK:
        if (chance(g, 92))
            place_edit(g, a1, a2, length);
        break;
    default: break;
    }
    t->bytes[1] = (uint8_t)(length - 1);
    put_operand(t, 2, base_displacement(g, a1));
    put_operand(t, 4, base_displacement(g, a2));
    if (id == INSTRUCTION_EDMK || id == INSTRUCTION_TRT)
        change(g, 1);
    if (id == INSTRUCTION_TRT)
        change(g, 2);
}

static void make_decimal(struct generator *g, struct text *t, enum instruction_id id) {
    uint32_t n1 = 1 + below(g, chance(g, 50) ? 16 : 6), n2 = 1 + below(g, chance(g, 40) ? 16 : 6);
    bool product = id == INSTRUCTION_MP || id == INSTRUCTION_DP;
    if (product && chance(g, 85)) {
        n2 = 1 + below(g, 8);
        n1 = n2 + 1 + below(g, 16 - n2);
    }
    uint32_t a1 = pick_address(g, n1, 1), a2 = pick_address(g, n2, 1);
    if (chance(g, 12))
        a2 = (a1 + n1 - n2) & 0xFFFFFF;
    if (chance(g, 8)) {
        uint32_t near = (a1 + below(g, 2 * n1 + 2) - n1) & 0xFFFFFF;
        if (!range_sensitive(g, near, n2))
            a2 = near;
    }
    switch (id) {
    case INSTRUCTION_MVO: break;
    case INSTRUCTION_PACK:
        if (chance(g, 70)) {
            uint8_t zoned[16];
            for (uint32_t i = 0; i < n2; i++)
                zoned[i] = (uint8_t)(0xF0 | below(g, 10));
            if (chance(g, 50))
                zoned[n2 - 1] = (uint8_t)((zoned[n2 - 1] & 0xF) | (chance(g, 50) ? 0xC0 : 0xD0));
            place(g, a2, zoned, n2);
        }
        break;
    case INSTRUCTION_UNPK: place_packed(g, a2, n2, 2 * n2); break;
    case INSTRUCTION_MP:
        place_packed(g, a2, n2, below(g, 2 * n2 + 1));
        place_packed(g, a1, n1, n1 > n2 && chance(g, 90) ? 2 * (n1 - n2) - 1 : 2 * n1);
        break;
    case INSTRUCTION_DP: {
        uint32_t digits = chance(g, 80) ? 1 + below(g, 2 * n2 - 1) : 2 * n2;
        place_packed(g, a2, n2, digits);
        place_packed(g, a1, n1, chance(g, 75) && n1 > n2 ? 2 * (n1 - n2) - 1 + below(g, 3) : 2 * n1);
        break;
    }
    case INSTRUCTION_CP:
        place_packed(g, a2, n2, below(g, 2 * n2));
        place_packed(g, a1, n1, below(g, 2 * n1));
        if (chance(g, 40)) {
            uint8_t number[16] = {0};
            uint32_t n = n1 < n2 ? n1 : n2;
            packed(g, number, n, 2 * n);
            for (uint32_t i = 0; i < n1; i++)
                place(g, a1 + i, (uint8_t[]){i + n < n1 ? (uint8_t)0 : number[i + n - n1]}, 1);
            for (uint32_t i = 0; i < n2; i++)
                place(g, a2 + i, (uint8_t[]){i + n < n2 ? 0 : number[i + n - n2]}, 1);
        }
        break;
    default:
        place_packed(g, a2, n2, below(g, 2 * n2 + 1));
        place_packed(g, a1, n1, below(g, 2 * n1 + 1));
        break;
    }
    t->bytes[1] = (uint8_t)((n1 - 1) << 4 | (n2 - 1));
    put_operand(t, 2, base_displacement(g, a1));
    if (id == INSTRUCTION_SRP) {
        uint32_t shift = chance(g, 80) ? (below(g, 12) - 6) & 63 : below(g, 64);
        t->bytes[1] = (uint8_t)((n1 - 1) << 4 | (chance(g, 90) ? below(g, 10) : below(g, 16)));
        put_operand(t, 4, (uint16_t)(chance(g, 70) ? shift : base_displacement(g, shift | (word(g) & 0xFFFFC0))));
    } else {
        put_operand(t, 4, base_displacement(g, a2));
    }
}

static void make_text(struct generator *g, struct text *t, enum instruction_id id, unsigned self) {
    const struct instruction *i = &instruction_table[id];
    memset(t, 0, sizeof *t);
    if (i->code > 0xFF) {
        t->bytes[0] = (uint8_t)(i->code >> 8);
        t->bytes[1] = (uint8_t)i->code;
    } else {
        t->bytes[0] = (uint8_t)i->code;
    }
    switch ((enum instruction_format)i->format) {
    case FORMAT_RR:
    case FORMAT_RR_R1:
    case FORMAT_RR_MASK:
    case FORMAT_RR_SVC: make_rr(g, t, id, self); break;
    case FORMAT_RX:
    case FORMAT_RX_MASK: make_rx(g, t, id, self); break;
    case FORMAT_RS: make_rs(g, t, id, self); break;
    case FORMAT_RS_MASK: make_rs_mask(g, t, id); break;
    case FORMAT_RS_SHIFT: make_shift(g, t, id); break;
    case FORMAT_SI: make_si(g, t, id); break;
    case FORMAT_S:
    case FORMAT_S_NONE: make_s(g, t, id); break;
    case FORMAT_RRE: make_rre(g, t, id); break;
    case FORMAT_SS_L: make_ss(g, t, id); break;
    case FORMAT_SS_LL:
    case FORMAT_SS_LI: make_decimal(g, t, id); break;
    case FORMAT_SSE: /* TPROT */
        put_operand(t, 2, base_displacement(g, pick_address(g, 1, 1)));
        put_operand(t, 4, base_displacement(g, chance(g, 70) ? below(g, 16) << 4 : word(g) & 0xFFFFFF));
        break;
    case FORMAT_COUNT: break;
    }
}

/* EXECUTE of the instruction at `target`, whose text is changed so that the OR with a register restores it. False: it
 * executes whatever is somewhere else. */
static bool make_execute(struct generator *g, struct text *t, struct text *target, uint32_t at) {
    unsigned r1 = 0;
    if (chance(g, 60)) {
        uint8_t give = (uint8_t)word(g);
        int i = free_register(g, 1);
        if (i > 0 && target->bytes[0] != 0xB2 && target->bytes[0] != 0xE5) {
            r1 = (unsigned)i;
            g->assigned[i] = true;
            g->c->gpr[i] = (word(g) & 0xFFFFFF00) | (target->bytes[1] & give);
            target->bytes[1] &= (uint8_t)~give;
        }
    }
    memset(t, 0, sizeof *t);
    t->bytes[0] = 0x44;
    put_registers(t, r1, 0);
    bool wild = chance(g, 2);
    put_rx(g, t, wild ? pick_address(g, 2, 2) : chance(g, 98) ? at : at + 1);
    return !wild;
}

/* --- the state before --- */

static void fill_storage(struct generator *g, uint8_t *to, uint32_t length) {
    for (uint32_t at = 0; at < length; at += 64) {
        switch (below(g, 6)) {
        case 0: memset(to + at, 0, 64); break;
        case 1:
            for (int i = 0; i < 64; i += 8)
                packed(g, to + at + i, 8, 15);
            break;
        case 2:
            for (int i = 0; i < 64; i += 4)
                bytes_put32(to + at + i, edge_word(g));
            break;
        case 3:
            for (int i = 0; i < 64; i++)
                to[at + (uint32_t)i] = (uint8_t)(0xF0 | below(g, 10));
            break;
        default:
            for (int i = 0; i < 64; i += 8)
                bytes_put64(to + at + i, random_u64(&g->r));
            break;
        }
    }
}

static uint32_t data_frame(struct generator *g) {
    return chance(g, 70) ? 0x4000 + (below(g, 18) << 11) : 0x18000 + (below(g, 10) << 11);
}

static void build_segment(struct generator *g, unsigned index, uint32_t table, uint32_t flags, bool wild) {
    struct differential_case *c = g->c;
    uint32_t pages = 1u << (g->segment_shift - g->page_shift), base = index << g->segment_shift;
    bytes_put32(c->low + DIFF_TABLES + 4 * index, flags | table);
    for (uint32_t p = 0; p < pages && table + 2 * p + 2 <= DIFF_TABLES_END; p++) {
        uint32_t va = base + (p << g->page_shift);
        uint32_t frame = va < DIFF_LOW && !(wild && chance(g, 15)) ? va : data_frame(g) & ~((1u << g->page_shift) - 1);
        uint32_t entry = g->page_shift == 12 ? frame >> 8 & 0xFFF0 : frame >> 8 & 0xFFF8;
        if (wild && chance(g, 8))
            entry |= g->page_shift == 12 ? 8 : 4;
        if (wild && chance(g, 2) && g->page_shift == 11)
            entry |= 2;
        if (wild && chance(g, 3) && c->memory < 0x1000000)
            entry |= 0x4000;
        if (chance(g, 10))
            entry |= 1; /* ignored */
        bytes_put16(c->low + table + 2 * p, (uint16_t)entry);
    }
}

static void build_tables(struct generator *g) {
    struct differential_case *c = g->c;
    bool wild = chance(g, 60) || g->aim == 0x12;
    unsigned format = below(g, 4);
    g->page_shift = format & 1 ? 12 : 11;
    g->segment_shift = format & 2 ? 20 : 16;
    c->cr[0] |= (format & 1 ? 0x00800000 : 0x00400000) | (format & 2 ? 0x00100000 : 0);
    uint32_t length = g->segment_shift == 16 ? 15 : 0;
    if (wild && g->segment_shift == 16 && chance(g, 25))
        length = below(g, 4);
    c->cr[1] = length << 24 | DIFF_TABLES;
    if (chance(g, 20))
        c->cr[1] |= word(g) & 0x3F;
    if (g->segment_shift == 20 && chance(g, 30))
        c->cr[1] |= word(g) & 0xFF000000;
    unsigned segments = 1u << (24 - g->segment_shift);
    for (unsigned i = 0; i < segments; i++)
        bytes_put32(c->low + DIFF_TABLES + 4 * i, (word(g) & 0xFFFFF8) | 1);
    for (unsigned i = 0; i < segments; i++)
        if (chance(g, 50))
            bytes_put32(c->low + DIFF_TABLES + 0x400 + 4 * i, 1);
    uint32_t table = DIFF_TABLES + 0x1000;
    for (unsigned i = 0; i < 10; i++, table += 0x400) {
        uint32_t flags = 0xF0000000;
        if (i == 2)
            flags |= 4; /* protected */
        if (i == 3 && wild)
            flags |= 0x01000000u << below(g, 4); /* not zero */
        if (i == 4)
            flags = 0; /* a sixteenth of the pages */
        if (i == 5)
            flags |= 2; /* common */
        if (i == 6)
            flags |= 1; /* invalid */
        if (i == 0 && g->segment_shift == 16 && wild && chance(g, 10))
            flags |= 4;
        build_segment(g, i, table, flags, wild);
        /* A table outside storage. */
        if (i == 7 && wild && c->memory < 0x1000000 && chance(g, 30))
            bytes_put32(c->low + DIFF_TABLES + 4 * i, 0xF0000000 | (c->memory + 0x1000));
    }
    build_segment(g, segments - 1, table, 0xF0000000, wild);
    /* The second segment table begins as the first one, so that loading CR1 with it can go on. */
    memcpy(c->low + DIFF_TABLES + 0x400, c->low + DIFF_TABLES, 0x400);
    if (wild && chance(g, 2))
        c->cr[0] = (c->cr[0] & ~0x00F80000u) | (word(g) & 0x00F80000);
    if (wild && chance(g, 2) && c->memory < 0x1000000)
        c->cr[1] = 0xFF300000;
}

static void choose_keys(struct generator *g, uint8_t key) {
    struct differential_case *c = g->c;
    unsigned style = g->aim == 4 ? 2 : below(g, 4);
    for (unsigned i = 0; i < DIFF_LOW_BLOCKS + DIFF_HIGH_BLOCKS; i++) {
        uint8_t k = 0;
        if (style == 1)
            k = key;
        if (style >= 2)
            k = chance(g, 65) ? key : (uint8_t)(below(g, 16) << 4);
        if (style >= 1 && chance(g, 25))
            k |= 8;
        if (chance(g, 40))
            k |= (uint8_t)(below(g, 4) << 1);
        if (i < DIFF_LOW_BLOCKS)
            c->keys[i] = k;
        else
            c->high_keys[i - DIFF_LOW_BLOCKS] = k;
    }
    if (style == 0 && key && chance(g, 90))
        for (unsigned i = 0; i < DIFF_LOW_BLOCKS; i++)
            c->keys[i] = (uint8_t)(key | (c->keys[i] & 0xF));
}

static void choose_state(struct generator *g) {
    struct differential_case *c = g->c;
    bool privileged = instruction_table[c->focus].privileged;
    static const uint8_t aims[] = {4, 5, 0x10, 0x11, 0x12};
    if (chance(g, 30))
        g->aim = aims[below(g, 5)];
    g->ec = chance(g, 70) || g->aim >= 0x10;
    g->dat = g->ec && (chance(g, 50) || g->aim >= 0x10);
    uint8_t key = chance(g, 55) && g->aim != 4 ? 0 : (uint8_t)(below(g, 16) << 4);
    bool problem = chance(g, privileged ? 10 : 40);
    if (c->focus == INSTRUCTION_DIAG)
        problem = true;
    bool external = chance(g, 12);
    c->psw[0] = (uint8_t)((g->dat ? 4 : 0) | external);
    if (!g->ec && chance(g, 20))
        c->psw[0] |= (uint8_t)word(g) & 0xFE;
    if (g->ec && chance(g, 20))
        c->psw[0] |= (uint8_t)word(g) & 0x42;
    c->psw[1] = (uint8_t)(key | (g->ec ? 8 : 0) | (chance(g, 20) ? 4 : 0) | problem);
    if (g->ec)
        c->psw[2] = (uint8_t)below(g, 64);
    else
        c->psw[4] = (uint8_t)below(g, 64);
    c->prefix = chance(g, 85) ? 0 : chance(g, 50) ? DIFF_PREFIX_A : DIFF_PREFIX_B;
    for (unsigned i = 0; i < 16; i++)
        c->cr[i] = 0;
    if (external && chance(g, 60))
        c->cr[0] |= word(g) & 0xC00;
    if (chance(g, 10))
        c->cr[0] |= 0x40000000;
    if (chance(g, 10))
        c->cr[0] |= 0x10000000;
    if (chance(g, 20))
        c->cr[0] |= word(g) & 0x80000060;
    c->cr[2] = word(g);
    c->cr[8] = word(g);
    c->cr[14] = 0xC2000000;
    c->cr[15] = 512;
    c->stops = chance(g, 60);
    c->comparator = chance(g, 92) ? 0xFFFFFFFFFFFFFF00u : 0;
    c->timer = chance(g, 92) ? 0x7FFF000000000000u : 0xC000000000000000u;
    choose_keys(g, key);
    fill_storage(g, c->low + 0x600, DIFF_PROLOGUE - 0x600);
    memset(c->low + DIFF_CLOCKS, 0, DIFF_CLOCKS_END - DIFF_CLOCKS);
    memset(c->low + DIFF_LOG, 0, 0x1000);
    memset(c->low + DIFF_TABLES, 0, DIFF_TABLES_END - DIFF_TABLES);
    fill_storage(g, c->high, DIFF_HIGH);
    build_tables(g);
    if (chance(g, 2)) { /* ends of the case other than the epilogue */
        unsigned class = chance(g, 70) ? 3 : 2;
        static const uint8_t psws[4][8] = {{0x00, 0x0A, 0, 0, 0, 0, 0x12, 0x34},    /* EC disabled wait */
                                           {0x00, 0x02, 0, 0, 0, 0, 0x43, 0x21},    /* BC disabled wait */
                                           {0x00, 0x0A, 0, 0, 0x01, 0, 0x12, 0x34}, /* invalid */
                                           {0x80, 0x08, 0, 0, 0, 0, 0x12, 0x34}};   /* invalid */
        memcpy(c->new_psw[class], psws[below(g, 4)], 8);
    }
}

/* Where the program goes: logical address of its first instruction. */
static uint32_t choose_place(struct generator *g) {
    struct differential_case *c = g->c;
    switch (below(g, 12)) {
    case 0: return (g->page_shift == 12 ? 0x2000 : 0x1800) - 2 * (1 + below(g, 20)); /* across a page's end */
    case 1:
        if (c->memory == 0x1000000)
            return DIFF_PROGRAM;                   /* it would go on in page 0, with what interruptions leave there */
        return c->memory - 2 * (4 + below(g, 60)); /* at the end of storage */
    case 2: return 0xA000 + below(g, 0x400) * 2;
    case 3:
        if (!g->dat)
            return DIFF_PROGRAM;
        /* Across the end of the address space, whose first page is then not page 0. */
        bytes_put16(c->low + DIFF_TABLES + 0x1000, 0x2000 >> 8);
        return 0x1000000 - 2 * (1 + below(g, 40));
    default: return DIFF_PROGRAM + (chance(g, 50) ? 0 : below(g, 64) * 2);
    }
}

struct item {
    enum instruction_id id;
    bool execute, svc;
};

/* Puts an instruction into the program's storage and list. */
static void set_instruction(struct generator *g, unsigned n, const struct text *t) {
    struct differential_instruction *p = &g->c->program[n];
    uint32_t address = 0;
    place(g, p->at, t->bytes, p->length);
    p->real = translate(g, p->at, &address) ? address : 0xFFFFFFFF;
}

static unsigned add(struct generator *g, uint32_t *at, int id, unsigned length, bool target) {
    struct differential_case *c = g->c;
    c->program[c->count] = (struct differential_instruction){
        .at = *at & 0xFFFFFF, .length = (uint8_t)length, .id = (int16_t)id, .target = target, .target_id = -1};
    *at += length;
    return c->count++;
}

static enum instruction_id any_instruction(struct generator *g, bool problem) {
    for (;;) {
        enum instruction_id id = (enum instruction_id)below(g, INSTRUCTION_S370_COUNT);
        if (id == INSTRUCTION_DIAG && !problem)
            continue;
        if (instruction_table[id].privileged && chance(g, problem ? 90 : 50))
            continue;
        return id;
    }
}

static bool pending_wanted(enum instruction_id id) {
    return id == INSTRUCTION_TIO || id == INSTRUCTION_CLRIO || id == INSTRUCTION_HIO || id == INSTRUCTION_HDV ||
           id == INSTRUCTION_TCH;
}

static void make_program(struct generator *g) {
    struct differential_case *c = g->c;
    struct item items[13];
    unsigned aim = g->aim;
    bool problem = c->psw[1] & 1;
    unsigned count = chance(g, 50) ? 1 : 1 + below(g, chance(g, 70) ? 4 : 12);
    unsigned focus = chance(g, 70) ? 0 : below(g, count);
    for (unsigned i = 0; i < count; i++) {
        items[i].id = i == focus ? (enum instruction_id)c->focus : any_instruction(g, problem);
        items[i].execute = items[i].id != INSTRUCTION_EX ? chance(g, 12) : true;
        items[i].svc = chance(g, i == focus ? 85 : 40);
        /* Something pending for it. */
        if (i == focus && count < 12 && pending_wanted(items[i].id) && chance(g, 40)) {
            items[i + 1] = items[i];
            items[i] = (struct item){chance(g, 50) ? INSTRUCTION_HIO : INSTRUCTION_HDV, false, false};
            focus = ++i;
            count++;
        }
        /* A privileged operation with effects outside the case must stay one. */
        if (items[i].id == INSTRUCTION_DIAG && i > 0)
            items[i].id = INSTRUCTION_LR;
    }
    uint32_t at = choose_place(g);
    c->psw[5] = (uint8_t)(at >> 16);
    bytes_put16(c->psw + 6, (uint16_t)at);
    c->range[0] = at & 0xFFFFFF;
    unsigned index[13];
    for (unsigned i = 0; i < count; i++) {
        const struct instruction *t = &instruction_table[items[i].id];
        index[i] =
            items[i].execute ? add(g, &at, INSTRUCTION_EX, 4, false) : add(g, &at, items[i].id, t->length, false);
        if (items[i].svc)
            add(g, &at, INSTRUCTION_SVC, 2, false);
    }
    unsigned last = add(g, &at, INSTRUCTION_SVC, 2, false);
    c->range[1] = at & 0xFFFFFF;
    if (c->range[1] < c->range[0])
        c->range[0] = 0, c->range[1] = 0xFFFFFF;
    unsigned target[13] = {0};
    for (unsigned i = 0; i < count; i++) {
        if (!items[i].execute)
            continue;
        const struct instruction *t = &instruction_table[items[i].id];
        target[i] = add(g, &at, items[i].id, t->length, true);
        c->program[index[i]].target_id = (int16_t)items[i].id;
    }
    for (unsigned i = 0; i < count; i++) {
        struct text text, executed;
        if (i != focus)
            g->aim = 0;
        else
            g->aim = aim;
        g->next = c->program[index[i] + 1].at;
        /* Instructions of the program are known to be short of the log and the clocks, so `place` puts them. */
        if (items[i].execute) {
            enum instruction_id id = items[i].id;
            if (id == INSTRUCTION_EX) { /* of an EXECUTE */
                memset(&executed, 0, sizeof executed);
                executed.bytes[0] = 0x44;
                executed.bytes[1] = (uint8_t)word(g);
            } else {
                make_text(g, &executed, id, index[i]);
            }
            if (id == INSTRUCTION_EX && chance(g, 75)) { /* or of something harmless, in different ways */
                static const uint8_t harmless[][2] = {{0x1A, 0x12}, {0x18, 0x34}, {0x0A, 0x07}, {0x05, 0x10}};
                memcpy(executed.bytes, harmless[below(g, 4)], 2);
                change(g, executed.bytes[0] == 0x18 ? 3 : 1);
            }
            if (!make_execute(g, &text, &executed, c->program[target[i]].at))
                c->program[index[i]].target_id = -1;
            set_instruction(g, target[i], &executed);
        } else {
            make_text(g, &text, items[i].id, index[i]);
            /* Now and then an opcode that is none. */
            static const uint8_t unassigned[] = {0x00, 0x01, 0x02, 0x03, 0x0B, 0x0C, 0x51, 0x52, 0x81,
                                                 0x84, 0xA7, 0xC0, 0xE3, 0xF4, 0x99, 0xFF, 0xA5, 0x76};
            if (i != focus && chance(g, 3)) {
                uint8_t op = unassigned[below(g, sizeof unassigned)];
                if (instruction_length(op) == c->program[index[i]].length) {
                    text.bytes[0] = op;
                    c->program[index[i]].id = -1;
                }
            }
        }
        set_instruction(g, index[i], &text);
        if (items[i].svc) {
            struct text svc = {{0x0A, (uint8_t)(i + 1)}};
            set_instruction(g, index[i] + 1, &svc);
        }
    }
    struct text end = {{0x0A, 0xFF}};
    set_instruction(g, last, &end);
    for (unsigned i = 0; i < 16; i++)
        if (!g->assigned[i])
            c->gpr[i] = edge_word(g);
}

void differential_generate(struct differential_case *c, uint64_t seed, uint64_t number, int focus) {
    struct generator g;
    memset(c, 0, sizeof *c);
    memset(&g, 0, sizeof g);
    c->seed = seed;
    c->number = number;
    g.c = c;
    random_init(&g.r, seed + number * 0x9E3779B97F4A7C15u, "case");
    c->focus = (int16_t)(focus >= 0 ? focus : (int)(number % INSTRUCTION_S370_COUNT));
    c->memory = chance(&g, 8) ? 0x1000000 : 0x200000;
    c->full = c->memory < 0x1000000 && chance(&g, 6);
    choose_state(&g);
    make_program(&g);
    /* The block that the program begins in can mostly be fetched. */
    uint32_t real = c->program[0].real;
    if (real < DIFF_LOW && chance(&g, 95)) {
        c->keys[real / 2048] &= 0xF7;
        if (real / 2048 + 1 < DIFF_LOW_BLOCKS)
            c->keys[real / 2048 + 1] &= 0xF7;
    } else if (real != 0xFFFFFFFF && real >= DIFF_LOW) {
        for (unsigned i = 0; i < DIFF_HIGH_BLOCKS; i++)
            c->high_keys[i] &= 0xF7;
    }
}

/* --- page 0 and the prologue --- */

struct emitter {
    uint8_t *base;
    uint32_t at;
};

static void emit16(struct emitter *e, uint16_t v) {
    bytes_put16(e->base + e->at, v);
    e->at += 2;
}
static void rr(struct emitter *e, uint8_t op, unsigned r1, unsigned r2) {
    emit16(e, (uint16_t)(op << 8 | r1 << 4 | r2));
}
static void rx(struct emitter *e, uint8_t op, unsigned r1, unsigned r2, unsigned b, unsigned d) {
    rr(e, op, r1, r2);
    emit16(e, (uint16_t)(b << 12 | d));
}
static void si(struct emitter *e, uint8_t op, unsigned b, unsigned d, uint8_t i) {
    emit16(e, (uint16_t)(op << 8 | i));
    emit16(e, (uint16_t)(b << 12 | d));
}
static void ss(struct emitter *e, uint8_t op, uint8_t l, unsigned b1, unsigned d1, unsigned b2, unsigned d2) {
    si(e, op, b1, d1, l);
    emit16(e, (uint16_t)(b2 << 12 | d2));
}
static void s(struct emitter *e, uint16_t op, unsigned b, unsigned d) {
    emit16(e, op);
    emit16(e, (uint16_t)(b << 12 | d));
}

enum { /* page 0 */
       COMMON = 0x390,
       EPILOGUE = 0x460,
       END_PSW = 0x4D8,
       ZERO = 0x4E0,
       RANGE = 0x4E4,
       POINTERS = 0x4EC, /* keys, high blocks */
       FLAGS = 0x4F4,    /* 1: access exceptions end the case */
       CODE = 0x4F5,
};

static void emit_epilogue(struct emitter *e) {
    e->at = EPILOGUE;
    rx(e, 0xB6, 0, 15, 0, PAGE0_CR_DUMP); /* STCTL 0,15 */
    s(e, 0xB211, 0, PAGE0_PREFIX_DUMP);   /* STPX */
    rx(e, 0x58, 1, 0, 0, POINTERS);       /* L    1,=A(keys) */
    rr(e, 0x1B, 2, 2);                    /* SR   2,2 */
    rx(e, 0x41, 3, 0, 0, 1024);           /* LA   3,1024 */
    for (int part = 0; part < 2; part++) {
        if (part) {
            rx(e, 0x58, 2, 0, 0, POINTERS + 4); /* L    2,=A(high blocks) */
            rx(e, 0x41, 3, 0, 0, DIFF_HIGH_BLOCKS);
        }
        uint32_t loop = e->at;
        rr(e, 0x09, 0, 2);          /* ISK  0,2 */
        rx(e, 0x42, 0, 0, 1, 0);    /* STC  0,0(1) */
        rx(e, 0x41, 1, 0, 1, 1);    /* LA   1,1(1) */
        rx(e, 0x41, 2, 0, 2, 2048); /* LA   2,2048(2) */
        rx(e, 0x46, 3, 0, 0, loop); /* BCT  3,loop */
    }
    s(e, 0xB210, 0, ZERO);      /* SPX  =F'0' */
    si(e, 0x82, 0, END_PSW, 0); /* LPSW */
}

static void emit_handlers(struct emitter *e) {
    for (unsigned class = 1; class < 6; class ++) {
        e->at = PAGE0_CODE + 24 * (class - 1);
        rx(e, 0x90, 0, 15, 0, PAGE0_SAVE);    /* STM  0,15,save */
        rx(e, 0x41, 4, 0, 0, 16 + 8 * class); /* LA   4,old PSW */
        rx(e, 0x41, 5, 0, 0, class);          /* LA   5,class */
        rx(e, 0x47, 15, 0, 0, COMMON);        /* B    common */
    }
    e->at = COMMON;
    rx(e, 0x58, 3, 0, 0, PAGE0_LOG);      /* L    3,=A(log) */
    rx(e, 0x58, 2, 0, 3, 0);              /* L    2,0(3) */
    rx(e, 0x50, 5, 0, 2, 0);              /* ST   5,0(2) */
    ss(e, 0xD2, 7, 2, 4, 4, 0);           /* MVC  4(8,2),0(4) */
    ss(e, 0xD2, 31, 2, 16, 0, 128);       /* MVC  16(32,2),128 */
    rx(e, 0x41, 2, 0, 2, DIFF_LOG_ENTRY); /* LA   2,48(2) */
    rx(e, 0x50, 2, 0, 3, 0);              /* ST   2,0(3) */
    rx(e, 0x59, 2, 0, 0, PAGE0_LOG + 4);  /* C    2,log end */
    rx(e, 0x47, 10, 0, 0, EPILOGUE);      /* BNL  epilogue */
    rx(e, 0x41, 6, 0, 0, 2);              /* LA   6,2 */
    rr(e, 0x19, 5, 6);                    /* CR   5,6 */
    uint32_t not_svc = e->at;
    rx(e, 0x47, 7, 0, 0, 0); /* BNE  L1 */
    si(e, 0x91, 0, 33, 8);   /* TM   33,8: EC? */
    uint32_t bc = e->at;
    rx(e, 0x47, 8, 0, 0, 0);        /* BZ   bc */
    si(e, 0x95, 0, 139, 0xFF);      /* CLI  139,X'FF' */
    rx(e, 0x47, 8, 0, 0, EPILOGUE); /* BE   epilogue */
    uint32_t ec = e->at;
    rx(e, 0x47, 15, 0, 0, 0); /* B    L1 */
    bytes_put16(e->base + bc + 2, (uint16_t)e->at);
    si(e, 0x95, 0, 35, 0xFF);       /* CLI  35,X'FF' */
    rx(e, 0x47, 8, 0, 0, EPILOGUE); /* BE   epilogue */
    bytes_put16(e->base + not_svc + 2, (uint16_t)e->at);
    bytes_put16(e->base + ec + 2, (uint16_t)e->at);
    rx(e, 0x58, 6, 0, 4, 4);         /* L    6,4(4) */
    rx(e, 0x41, 6, 0, 6, 0);         /* LA   6,0(6) */
    rx(e, 0x55, 6, 0, 0, RANGE);     /* CL   6,low */
    rx(e, 0x47, 4, 0, 0, EPILOGUE);  /* BL   epilogue */
    rx(e, 0x55, 6, 0, 0, RANGE + 4); /* CL   6,high */
    rx(e, 0x47, 2, 0, 0, EPILOGUE);  /* BH   epilogue */
    si(e, 0x91, 4, 7, 1);            /* TM   7(4),1: odd? */
    rx(e, 0x47, 1, 0, 0, EPILOGUE);  /* BO   epilogue */
    si(e, 0x91, 0, FLAGS, 1);        /* TM   flags,1 */
    uint32_t go_on = e->at;
    rx(e, 0x47, 8, 0, 0, 0); /* BZ   L3 */
    rx(e, 0x41, 6, 0, 0, 3); /* LA   6,3 */
    rr(e, 0x19, 5, 6);       /* CR   5,6 */
    uint32_t not_program = e->at;
    rx(e, 0x47, 7, 0, 0, 0);        /* BNE  L3 */
    ss(e, 0xD2, 0, 0, CODE, 0, 43); /* MVC  code,43 */
    si(e, 0x91, 0, 41, 8);          /* TM   41,8: EC? */
    uint32_t bc_code = e->at;
    rx(e, 0x47, 8, 0, 0, 0);         /* BZ   L2 */
    ss(e, 0xD2, 0, 0, CODE, 0, 143); /* MVC  code,143 */
    bytes_put16(e->base + bc_code + 2, (uint16_t)e->at);
    static const uint8_t ends[] = {0x04, 0x05, 0x12};
    for (int i = 0; i < 3; i++) {
        si(e, 0x95, 0, CODE, ends[i]);  /* CLI  code,… */
        rx(e, 0x47, 8, 0, 0, EPILOGUE); /* BE   epilogue */
    }
    bytes_put16(e->base + go_on + 2, (uint16_t)e->at);
    bytes_put16(e->base + not_program + 2, (uint16_t)e->at);
    ss(e, 0xD2, 7, 0, PAGE0_RESUME, 4, 0); /* MVC  resume(8),0(4) */
    rx(e, 0x98, 0, 15, 0, PAGE0_SAVE);     /* LM   0,15,save */
    si(e, 0x82, 0, PAGE0_RESUME, 0);       /* LPSW resume */
    assert(e->at <= EPILOGUE);
}

static void set_psw(uint8_t *to, uint8_t state, uint32_t ia) {
    memset(to, 0, 8);
    to[1] = (uint8_t)(8 | state);
    bytes_put32(to + 4, ia);
}

static void emit_page0(const struct differential_case *c, uint8_t *page) {
    struct emitter e = {page, 0};
    memset(page + 0x50, 0, 0x30);
    bytes_put32(page + 0x50, c->interval_timer);
    memset(page + PAGE0_GPR, 0, PAGE0_END - PAGE0_GPR);
    set_psw(page, 0, DIFF_PROLOGUE);
    for (unsigned class = 1; class < 6; class ++) {
        uint8_t *to = page + 80 + 8 * class;
        set_psw(to, 0, PAGE0_CODE + 24 * (class - 1));
        if (memcmp(c->new_psw[class], "\0\0\0\0\0\0\0", 8) != 0)
            memcpy(to, c->new_psw[class], 8);
    }
    for (unsigned i = 0; i < 16; i++) {
        bytes_put32(page + PAGE0_GPR + 4 * i, c->gpr[i]);
        bytes_put32(page + PAGE0_CR + 4 * i, c->cr[i]);
    }
    memcpy(page + PAGE0_PSW, c->psw, 8);
    bytes_put32(page + PAGE0_PREFIX, c->prefix);
    bytes_put64(page + PAGE0_COMPARATOR, c->comparator);
    bytes_put64(page + PAGE0_TIMER, c->timer);
    bytes_put32(page + PAGE0_LOG, DIFF_LOG_NEXT);
    bytes_put32(page + PAGE0_LOG + 4, DIFF_LOG + (DIFF_LOG_ENTRIES - 1) * DIFF_LOG_ENTRY);
    set_psw(page + END_PSW, 2, DIFF_END_ADDRESS);
    bytes_put32(page + RANGE, c->range[0]);
    bytes_put32(page + RANGE + 4, c->range[1]);
    page[FLAGS] = c->stops;
    bytes_put32(page + POINTERS, DIFF_KEYS);
    bytes_put32(page + POINTERS + 4, c->memory - DIFF_HIGH);
    emit_handlers(&e);
    emit_epilogue(&e);
}

static void emit_prologue(const struct differential_case *c, uint8_t *image) {
    enum { KEYS = 0x100, HIGH = 0xF0 };
    struct emitter e = {image, DIFF_PROLOGUE};
    rr(&e, 0x05, 12, 0);     /* BALR 12,0 */
    const uint32_t base = 2; /* what 12 is beyond the prologue's start */
    rx(&e, 0x41, 1, 0, 12, KEYS - base);
    rr(&e, 0x1B, 2, 2); /* SR   2,2 */
    rx(&e, 0x41, 3, 0, 0, DIFF_LOW_BLOCKS);
    for (int part = 0; part < 2; part++) {
        if (part) {
            rx(&e, 0x58, 2, 0, 12, HIGH - base);
            rx(&e, 0x41, 3, 0, 0, DIFF_HIGH_BLOCKS);
        }
        uint32_t loop = e.at - DIFF_PROLOGUE;
        rx(&e, 0x43, 4, 0, 1, 0);            /* IC   4,0(1) */
        rr(&e, 0x08, 4, 2);                  /* SSK  4,2 */
        rx(&e, 0x41, 1, 0, 1, 1);            /* LA   1,1(1) */
        rx(&e, 0x41, 2, 0, 2, 2048);         /* LA   2,2048(2) */
        rx(&e, 0x46, 3, 0, 12, loop - base); /* BCT  3,loop */
    }
    s(&e, 0xB206, 0, PAGE0_COMPARATOR); /* SCKC */
    s(&e, 0xB208, 0, PAGE0_TIMER);      /* SPT */
    s(&e, 0xB210, 0, PAGE0_PREFIX);     /* SPX: page 0 is now the copy */
    rx(&e, 0xB7, 0, 15, 0, PAGE0_CR);   /* LCTL 0,15 */
    rx(&e, 0x98, 0, 15, 0, PAGE0_GPR);  /* LM   0,15 */
    si(&e, 0x82, 0, PAGE0_PSW, 0);      /* LPSW */
    bytes_put32(image + DIFF_PROLOGUE + HIGH, c->memory - DIFF_HIGH);
    memcpy(image + DIFF_PROLOGUE + KEYS, c->keys, DIFF_LOW_BLOCKS);
    memcpy(image + DIFF_PROLOGUE + KEYS + DIFF_LOW_BLOCKS, c->high_keys, DIFF_HIGH_BLOCKS);
}

void differential_image(const struct differential_case *c, uint8_t *image) {
    memcpy(image, c->low, DIFF_LOW);
    emit_page0(c, image);
    emit_page0(c, image + DIFF_PREFIX_A);
    emit_page0(c, image + DIFF_PREFIX_B);
    bytes_put32(image + DIFF_LOG_NEXT, DIFF_LOG);
    emit_prologue(c, image);
}
