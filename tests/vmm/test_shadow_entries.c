/* Shadow tables, read by somebody else: at random moments the tables that the bare CPU uses, and those of every machine
 * in the chain that runs, are walked entry by entry in dumped storage, with a walker of this test's own.
 *
 *   - Each valid entry is what the tables of the machine above say, taken through the map of its storage.
 *   - None leads to a frame that is not of the machine that runs.
 *   - None grants a store that the tables above refuse.
 *   - Whenever a guest runs, the bare PSW is in problem state, and DAT is on.
 *
 * Of the monitors only what they publish is used: control registers, PSW and prefix of each virtual CPU
 * (machine_state), and the map from its storage to its host's (vmm_frame). All storage is read from the bare machine.
 *
 * An entry may be stale in one case only: the innermost guest has changed its tables and not purged yet, under
 * SHADOW_PURGE (or with pages of 2 KB, which the other policy serves as this one). The guest of the random runs says in
 * a byte of its storage when that is so. Then an entry may be anything that is safe.
 *
 *     test_shadow_entries [seed [runs]] */
#include "isa/cells.h"
#include "tests/vmm/guests.h"
#include "tests/vmm/towers.h"

enum { BARE_MOST = 4 << 20, CHAIN_MOST = TOWER_MOST + 1, CYCLES_MOST = 1 << 30 };

struct look {
    const struct tower *tower;
    struct machine *chain[CHAIN_MOST]; /* that runs: from the bare machine */
    unsigned levels;                   /* machines in it */
    struct machine_state state[CHAIN_MOST];
    uint8_t *storage; /* of the bare machine */
    uint32_t bytes;
    const char *where;
};

/* What was seen, to know that something was. */
static struct totals { unsigned samples, guest_ran, monitor_ran, entries, stale, holes, refused; } totals;

/* ---- Addresses ---- */

/* Real address in chain[level] -> absolute in the bare machine; -1: not installed in one of them. */
static int64_t to_bare(const struct look *l, unsigned level, uint32_t real) {
    int64_t at = real;
    for (; level > 0; level--) {
        int64_t frame = at < machine_memory(l->chain[level]) ? vmm_frame(l->chain[level], (uint32_t)at) : -1;
        if (frame < 0)
            return -1;
        at = frame + (at & (FRAME_BYTES - 1));
    }
    return at < l->bytes ? at : -1; /* the bare machine's own prefix is 0 */
}

static bool read_real(const struct look *l, unsigned level, uint32_t real, uint8_t *to, uint32_t length) {
    for (uint32_t n = 0; n < length; n++) {
        int64_t at = to_bare(l, level, (real + n) & HOST_ADDRESS_MASK);
        if (at < 0)
            return false;
        to[n] = l->storage[at];
    }
    return true;
}

/* ---- The walker ---- */

struct geometry {
    unsigned page, segment; /* shifts */
};

static bool geometry_of(uint32_t cr0, struct geometry *g) {
    static const unsigned pages[] = {0, 11, 12, 0};
    unsigned segment = cr0 >> 19 & 7;
    g->page = pages[cr0 >> 22 & 3];
    g->segment = segment == 0 ? 16 : segment == 2 ? 20 : 0;
    return g->page && g->segment;
}

/* What the tables of chain[level] make of an address. */
struct mapping {
    bool valid;
    bool protected;
    uint32_t frame; /* real: of the 2K block or 4K page that contains it */
    unsigned page;  /* shift */
};

static struct mapping walk(const struct look *l, unsigned level, uint32_t address) {
    const struct machine_state *s = &l->state[level];
    struct mapping m = {.page = 12, .frame = address & ~0xFFFu, .valid = true};
    struct geometry g;
    uint8_t raw[4];
    if (!psw_dat(&s->psw))
        return m;
    m.valid = false;
    if (!geometry_of(s->cr[0], &g))
        return m;
    m.page = g.page;
    uint32_t segment = address >> g.segment, page = (address >> g.page) & ((1u << (g.segment - g.page)) - 1);
    if (g.segment == 16 && segment / 16 > s->cr[1] >> 24)
        return m;
    if (!read_real(l, level, (s->cr[1] & 0xFFFFC0) + segment * 4, raw, 4))
        return m;
    uint32_t entry = bytes_get32(raw);
    if (entry & 1 || entry & 0x0F000000 || (address >> (g.segment - 4) & 15) > entry >> 28)
        return m;
    if (!read_real(l, level, (entry & 0xFFFFF8) + page * 2, raw, 2))
        return m;
    uint32_t low = bytes_get16(raw) & (g.page == 12 ? 15 : 7);
    /* Page protection is the monitors', who have it offered; the innermost machine's program has not. */
    bool facility = machine_host(l->tower->innermost) && l->chain[level] != l->tower->innermost;
    bool by_page = g.page == 12 && facility && s->cr[0] & CR0_PAGE_PROTECTION;
    if (low & (g.page == 12 ? 8 : 4) || low & (g.page == 12 ? (by_page ? 4 : 6) : 2))
        return m;
    m.valid = true;
    m.protected = entry & 4 || (by_page && low & 2);
    m.frame = (uint32_t)(bytes_get16(raw) & (g.page == 12 ? 0xFFF0 : 0xFFF8)) << 8;
    return m;
}

/* ---- The checks ---- */

static void complain(const struct look *l, unsigned level, uint32_t address, uint32_t frame, const char *what) {
    fail_msg("%s: the shadow table of %s for %s has %06X at %06X: %s", l->where, machine_name(l->chain[level]),
             machine_name(l->chain[level + 1]), frame, address, what);
}

/* One valid entry of chain[level]'s loaded table, made for chain[level + 1]. */
static void check_entry(const struct look *l, unsigned level, uint32_t address, const struct mapping *entry,
                        bool may_be_stale) {
    unsigned guest = level + 1;
    bool in_guest = false;
    struct mapping own = walk(l, guest, address);
    totals.entries++;
    for (uint32_t at = 0; at < machine_memory(l->chain[guest]) && !in_guest; at += FRAME_BYTES)
        in_guest = vmm_frame(l->chain[guest], at) == (int64_t)(entry->frame & ~(FRAME_BYTES - 1u));
    /* A hole: what the guest has mapped outside its storage, and the segment protected, leads outside the host's. */
    if (!in_guest && (entry->frame < machine_memory(l->chain[level]) || !entry->protected))
        complain(l, level, address, entry->frame, "no frame of the guest's");
    totals.holes += !in_guest;
    bool differs = !own.valid || own.page != entry->page || (own.protected && !entry->protected);
    int64_t frame =
        own.valid && own.frame < machine_memory(l->chain[guest]) ? vmm_frame(l->chain[guest], own.frame) : -1;
    if (frame >= 0)
        frame += own.frame & (FRAME_BYTES - 1);
    if (in_guest ? frame != (int64_t)entry->frame : frame >= 0)
        differs = true;
    if (differs && !may_be_stale)
        complain(l, level, address, entry->frame,
                 !own.valid                           ? "the guest has nothing there"
                 : own.protected && !entry->protected ? "the guest refuses stores"
                                                      : "the guest has something else");
    totals.stale += differs;
    totals.refused += own.valid && own.protected;
}

static void check_tables(const struct look *l, unsigned level, bool may_be_stale) {
    struct geometry g;
    assert_true(psw_dat(&l->state[level].psw));
    assert_true(geometry_of(l->state[level].cr[0], &g));
    for (uint32_t address = 0; address <= HOST_ADDRESS_MASK;) {
        struct mapping entry = walk(l, level, address);
        if (entry.valid)
            check_entry(l, level, address, &entry, may_be_stale);
        address += 1u << g.page;
    }
}

/* The bare machine's dump, and the chain of machines that run. */
static void look(struct look *l, const struct tower *t, const char *where) {
    *l = (struct look){.tower = t, .where = where, .bytes = machine_memory(t->bare)};
    static uint8_t storage[BARE_MOST];
    assert_true(l->bytes <= sizeof storage);
    l->storage = storage;
    assert_int_equal(machine_peek(t->bare, 0, storage, l->bytes), ACCESS_OK);
    l->chain[l->levels++] = t->bare;
    for (unsigned n = 0; n < t->count && machine_is_live(vmm_guest_at(t->monitor[n], 0), 0); n++)
        l->chain[l->levels++] = vmm_guest_at(t->monitor[n], 0);
    for (unsigned n = 0; n < l->levels; n++)
        machine_state(l->chain[n], &l->state[n]);
}

static void check(const struct tower *t, const char *where, bool may_be_stale) {
    struct look l;
    look(&l, t, where);
    totals.samples++;
    const struct psw *bare = &l.state[0].psw;
    if (l.levels == 1 || psw_wait(bare))
        return;
    if (!psw_problem(bare) || !psw_dat(bare))
        fail_msg("%s: %s runs in %s state, DAT %s", where, machine_name(l.chain[l.levels - 1]),
                 psw_problem(bare) ? "problem" : "supervisor", psw_dat(bare) ? "on" : "off");
    bool innermost = l.chain[l.levels - 1] == t->innermost;
    totals.guest_ran += innermost;
    totals.monitor_ran += !innermost;
    for (unsigned level = 0; level + 1 < l.levels; level++)
        check_tables(&l, level, may_be_stale && l.chain[level + 1] == t->innermost);
}

/* ---- Running ---- */

/* A random number of the guest's instructions, small ones as often as large ones; or of cycles, so as to stop in the
 * middle of monitors on monitors. */
static bool run_a_while(struct tower *t, struct random *random, unsigned most_bits) {
    bool everybody = random_below(random, 2);
    uint64_t bits = random_below(random, most_bits) + 1, number = random_below(random, UINT64_C(1) << bits) + 1;
    const struct machine_limits limits = {.instructions = everybody ? 0 : number,
                                          .cycles = everybody ? number : CYCLES_MOST};
    struct machine_stats before, after;
    machine_stats(t->bare, &before);
    enum machine_status status = machine_run(everybody ? t->bare : t->innermost, &limits);
    if (machine_status(t->bare) == MACHINE_FAULT)
        fail_msg("%s", machine_fault(t->bare));
    machine_stats(t->bare, &after);
    if (after.cycles - before.cycles >= CYCLES_MOST)
        fail_msg("nothing gets done any more");
    return status == MACHINE_READY && machine_status(t->innermost) == MACHINE_READY;
}

/* ---- Random guests ---- */

enum {
    RANDOM_BYTES = 64 * 1024,
    CODE = 0x1000, /* and variables, in page 1 */
    FLAG = 0x1F00,
    VALUES = 0x1F10,  /* 16 page-table entries to choose from */
    ENTRIES = 0x1F40, /* 16 segment-table entries */
    SPACES = 0x1F80,  /* 2 pairs of CR0 and CR1 */
    SHIFTS = 0x1F90,  /* segment and page shift */
    SEGMENT_TABLES = 0x4000,
    PAGE_TABLES = 0x5000, /* the identity, and two of 512 bytes that change */
};

/* Changes its tables all the time, purges, and refers to what is in them. It survives whatever that leads to. */
static const char random_guest[] = "G        CSECT\n"
                                   "         USING G,0\n"
                                   "         DC    X'0008000000001000'\n"
                                   "         ORG   G+104\n"
                                   "         DC    X'00080000',A(HANDLER)\n"
                                   "         ORG   G+X'1000'\n"
                                   "         BALR  12,0\n"
                                   "         USING *,12\n"
                                   "         LA    1,0\n" /* the seed is poked here */
                                   "         LCTL  0,1,SPACE0\n"
                                   "         LPSW  RESUME\n"
                                   "HANDLER  LPSW  RESUME\n"
                                   "NEXT     LR    0,1\n"
                                   "         M     0,MULTIPLY\n"
                                   "         AL    1,ADD\n"
                                   "         LR    2,1\n"
                                   "         SRL   2,28\n"
                                   "         SLL   2,2\n"
                                   "         LR    3,1\n" /* R3: page number x 2 */
                                   "         SRL   3,20\n"
                                   "         N     3,MASK\n"
                                   "         LR    4,1\n" /* R4: choice x 2 */
                                   "         SRL   4,16\n"
                                   "         N     4,MASK\n"
                                   "         LR    6,1\n" /* R6: one of the two page tables */
                                   "         SRL   6,12\n"
                                   "         N     6,TABLE\n"
                                   "         A     6,FIRST\n"
                                   "         LR    7,1\n" /* R7: segment 1 or 2 */
                                   "         SRL   7,13\n"
                                   "         N     7,ONE\n"
                                   "         LR    9,7\n"
                                   "         LA    7,1(,7)\n"
                                   "         LR    8,7\n" /* R8: an address in it, in that page */
                                   "         L     10,SHIFT\n"
                                   "         SLL   8,0(10)\n"
                                   "         LR    5,3\n"
                                   "         SRL   5,1\n"
                                   "         L     10,SHIFT+4\n"
                                   "         SLL   5,0(10)\n"
                                   "         OR    8,5\n"
                                   "         B     JUMPS(2)\n"
                                   "JUMPS    B     PAGE\n"
                                   "         B     PAGE\n"
                                   "         B     IPTE\n"
                                   "         B     IPTE\n"
                                   "         B     SEGMENT\n"
                                   "         B     LOOK\n"
                                   "         B     LOOK\n"
                                   "         B     LOOK\n"
                                   "         B     STORE\n"
                                   "         B     STORE\n"
                                   "         B     STORE\n"
                                   "         B     SWITCH\n"
                                   "         B     LATER\n"
                                   "         B     LATER\n"
                                   "         B     OFF\n"
                                   "         B     PREFIX\n"
                                   "*                              a page-table entry, and a purge\n"
                                   "PAGE     MVI   STALE,1\n"
                                   "         LH    5,VALUE(4)\n"
                                   "         STH   5,0(3,6)\n"
                                   "PURGE    PTLB\n"
                                   "         MVI   STALE,0\n"
                                   "         B     NEXT\n"
                                   "*                              the same, the purge some time later\n"
                                   "LATER    MVI   STALE,1\n"
                                   "         LH    5,VALUE(4)\n"
                                   "         STH   5,0(3,6)\n"
                                   "         B     NEXT\n"
                                   "IPTE     DC    X'B2210068'\n"
                                   "         B     NEXT\n"
                                   "SEGMENT  MVI   STALE,1\n"
                                   "         SLL   4,1\n"
                                   "         L     5,ENTRY(4)\n"
                                   "         SLL   7,2\n"
                                   "         SLL   9,6\n"
                                   "         A     9,STO\n"
                                   "         ST    5,0(7,9)\n"
                                   "         B     PURGE\n"
                                   "LOOK     IC    5,0(,8)\n"
                                   "         B     NEXT\n"
                                   "STORE    STC   1,1(,8)\n"
                                   "         B     NEXT\n"
                                   "SWITCH   SLL   9,3\n"
                                   "         LA    9,SPACE0(9)\n"
                                   "         LCTL  0,1,0(9)\n"
                                   "         B     NEXT\n"
                                   "OFF      STNSM SAVED,X'FB'\n"
                                   "         IC    5,SAVED\n"
                                   "         STOSM SAVED,X'04'\n"
                                   "         B     NEXT\n"
                                   "PREFIX   SLL   9,2\n"
                                   "         LA    9,PREFIXES(9)\n"
                                   "         SPX   0(9)\n"
                                   "         MVI   STALE,0\n"
                                   "         B     NEXT\n"
                                   "         DS    0D\n"
                                   "RESUME   DC    X'04080000',A(NEXT)\n"
                                   "MULTIPLY DC    F'1103515245'\n"
                                   "ADD      DC    F'12345'\n"
                                   "MASK     DC    X'0000001E'\n"
                                   "TABLE    DC    X'00000200'\n"
                                   "FIRST    DC    X'00005200'\n"
                                   "STO      DC    X'00004000'\n"
                                   "ONE      DC    F'1'\n"
                                   "PREFIXES DC    X'00000000',X'00003000'\n"
                                   "SAVED    DC    X'00'\n"
                                   "         ORG   G+X'1F00'\n"
                                   "STALE    DC    X'00'\n"
                                   "         ORG   G+X'1F10'\n"
                                   "VALUE    DS    16H\n"
                                   "         ORG   G+X'1F40'\n"
                                   "ENTRY    DS    16F\n"
                                   "         ORG   G+X'1F80'\n"
                                   "SPACE0   DS    4F\n"
                                   "SHIFT    DS    2F\n"
                                   "         END\n";

static void poke32(struct machine *m, uint32_t at, uint32_t value) {
    uint8_t raw[4];
    bytes_put32(raw, value);
    assert_int_equal(machine_poke(m, at, raw, 4), ACCESS_OK);
}

static void poke16(struct machine *m, uint32_t at, uint32_t value) {
    uint8_t raw[2];
    bytes_put16(raw, (uint16_t)value);
    assert_int_equal(machine_poke(m, at, raw, 2), ACCESS_OK);
}

/* A frame from 7000 on, and now and then something else. */
static uint32_t random_page(struct random *random, unsigned page) {
    uint32_t frame = 0x7000 + ((uint32_t)random_below(random, 0x9000) & ~((1u << page) - 1));
    uint32_t invalid = page == 12 ? 8 : 4;
    switch (random_below(random, 8)) {
    case 0: return invalid;
    case 1: return frame >> 8 | invalid;
    case 2: return 0x7FF0; /* outside storage */
    case 3: return frame >> 8 | 2;
    default: return frame >> 8;
    }
}

static void set_up(struct machine *m, struct random *random, uint32_t cr0) {
    struct geometry g;
    uint8_t page0[FRAME_BYTES];
    assert_true(geometry_of(cr0, &g));
    towers_load_source(m, random_guest);
    poke16(m, CODE + 4, (uint32_t)random_below(random, 4096));
    machine_peek(m, 0, page0, sizeof page0);
    machine_poke(m, 0x3000, page0, sizeof page0);
    for (uint32_t n = 0; n < 256; n++) {
        uint32_t at = n << g.page;
        poke16(m, PAGE_TABLES + n * 2, at < 0x7000 ? at >> 8 : g.page == 12 ? 8u : 4u);
        poke16(m, PAGE_TABLES + 0x200 + n * 2, random_page(random, g.page));
        poke16(m, PAGE_TABLES + 0x400 + n * 2, random_page(random, g.page));
    }
    for (uint32_t n = 0; n < 16; n++) {
        static const uint32_t kinds[] = {0xF0005200, 0xF0005400, 0xF0005204, 0xF0005404,
                                         0xF0005201, 0x40005400, 0xF0005200, 0xF0005400};
        poke16(m, VALUES + n * 2, random_page(random, g.page));
        poke32(m, ENTRIES + n * 4, kinds[n & 7]);
        poke32(m, SEGMENT_TABLES + n * 4, n == 0 ? 0xF0005000 : n < 3 ? kinds[n] : 1u);
        poke32(m, SEGMENT_TABLES + 64 + n * 4, n == 0 ? 0xF0005000 : n < 3 ? kinds[3 - n] : 1u);
    }
    for (uint32_t n = 0; n < 2; n++) {
        poke32(m, SPACES + n * 8, cr0);
        poke32(m, SPACES + n * 8 + 4, SEGMENT_TABLES + n * 64);
    }
    poke32(m, SHIFTS, g.segment);
    poke32(m, SHIFTS + 4, g.page);
}

static void run_random(uint64_t seed, unsigned depth, enum shadow_policy policy, unsigned samples) {
    static const uint32_t formats[] = {DAT_FORMAT_4K_64K, DAT_FORMAT_2K_64K, DAT_FORMAT_4K_1M, DAT_FORMAT_2K_1M};
    struct cost_model model;
    struct error e = ERROR_CLEAR;
    struct tower t;
    struct random random;
    char where[96];
    random_init(&random, seed, "shadow entries");
    uint32_t cr0 = formats[random_below(&random, 4)];
    bool small = cr0 == DAT_FORMAT_2K_64K || cr0 == DAT_FORMAT_2K_1M;
    struct monitor_options monitors = vmm_default_options();
    monitors.policy = policy;
    monitors.spaces = 1 + (unsigned)random_below(&random, SHADOW_SPACES_DEFAULT);
    snprintf(where, sizeof where, "seed %" PRIu64 ", depth %u, policy %d, CR0 %08X, %u spaces", seed, depth, policy,
             cr0, monitors.spaces);
    assert_true(cost_model_find(&model, "s370", &e));
    const struct machine_options o = {.memory_bytes = RANDOM_BYTES, .model = &model, .nominal_time = true};
    towers_build(&t, &o, depth, &monitors);
    set_up(t.innermost, &random, cr0);
    for (unsigned n = 0; n < samples; n++) {
        uint8_t flag;
        if (!run_a_while(&t, &random, 10))
            fail_msg("%s: the guest stopped: %s", where, machine_status_name(machine_status(t.innermost)));
        assert_int_equal(machine_peek(t.innermost, FLAG, &flag, 1), ACCESS_OK);
        check(&t, where, flag && (policy == SHADOW_PURGE || small));
    }
    tower_free(&t);
}

static uint64_t first_seed = 370;
static unsigned runs = 24;

static void test_random_guests(void **state) {
    (void)state;
    totals = (struct totals){0};
    for (unsigned n = 0; n < runs; n++)
        for (unsigned depth = 1; depth <= 3; depth++)
            for (unsigned policy = SHADOW_PURGE; policy <= SHADOW_PROTECT; policy++)
                run_random(first_seed + n, depth, (enum shadow_policy)policy, 24);
    print_message("from seed %" PRIu64 ": %u samples, %u of guests, %u of monitors on monitors; %u entries, %u of them "
                  "stale, %u outside storage, %u protected by the guest\n",
                  first_seed, totals.samples, totals.guest_ran, totals.monitor_ran, totals.entries, totals.stale,
                  totals.holes, totals.refused);
    assert_true(totals.guest_ran > 100 && totals.monitor_ran > 100 && totals.stale > 0 && totals.refused > 100);
    assert_true(totals.holes > 0);
}

/* ---- nucleus.s ---- */

static void run_nucleus(uint64_t seed, unsigned depth, enum shadow_policy policy) {
    struct cost_model model;
    struct error e = ERROR_CLEAR;
    struct tower t;
    struct random random;
    char where[96];
    struct monitor_options monitors = vmm_default_options();
    monitors.policy = policy;
    random_init(&random, seed, "nucleus");
    snprintf(where, sizeof where, "nucleus.s, seed %" PRIu64 ", depth %u, policy %d", seed, depth, policy);
    assert_true(cost_model_find(&model, "s370", &e));
    const struct machine_options o = {.memory_bytes = 96 * 1024, .model = &model, .nominal_time = true};
    towers_build(&t, &o, depth, &monitors);
    towers_disk(&t, NUCLEUS_BLOCKS);
    towers_load_nucleus(t.innermost);
    while (run_a_while(&t, &random, 18))
        check(&t, where, false);
    struct machine_state s;
    machine_state(t.innermost, &s);
    assert_int_equal(machine_status(t.innermost), MACHINE_DISABLED_WAIT);
    assert_int_equal(s.psw.ia, NUCLEUS_DONE);
    tower_free(&t);
}

static void test_nucleus(void **state) {
    (void)state;
    totals = (struct totals){0};
    for (unsigned depth = 1; depth <= 3; depth++)
        for (unsigned policy = SHADOW_PURGE; policy <= SHADOW_PROTECT; policy++)
            run_nucleus(first_seed, depth, (enum shadow_policy)policy);
    print_message("from seed %" PRIu64 ": %u samples, %u of guests, %u of monitors on monitors; %u entries\n",
                  first_seed, totals.samples, totals.guest_ran, totals.monitor_ran, totals.entries);
    assert_int_equal(totals.stale, 0);
    assert_true(totals.guest_ran > 100 && totals.entries > 1000);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_guests),
        cmocka_unit_test(test_nucleus),
    };
    if (argc > 1)
        first_seed = strtoull(argv[1], NULL, 10);
    if (argc > 2)
        runs = (unsigned)strtoul(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
