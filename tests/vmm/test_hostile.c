/* Guests that are broken or mean no good, beside others that only do their work: what they do comes to what the
 * architecture says, ends, and touches nobody else. */
#include "base/random.h"
#include "tests/vmm/hosts.h"

enum { VICTIM_BYTES = 64 * 1024, PATTERN = 0x2000, PATTERN_BYTES = 0xC000 };

/* A guest with a pattern in its storage, which it adds up again and again; the sum is in register 8. */
static const char victim[] = PAGE_0 "         LA    4,3\n"
                                    "         SR    8,8\n"
                                    "PASS     L     1,=F'8192'          2000\n"
                                    "         L     2,=F'12288'         words\n"
                                    "SUM      AL    8,0(,1)\n"
                                    "         LA    1,4(,1)\n"
                                    "         BCT   2,SUM\n"
                                    "         BCT   4,PASS\n" STOP_HERE "         LTORG\n"
                                    "         END\n";

static uint8_t pattern(unsigned guest, uint32_t at) { return (uint8_t)(at * 7 + (at >> 8) * 13 + guest * 101 + 1); }

static void add_victim(struct host *h) {
    static uint8_t bytes[PATTERN_BYTES];
    unsigned guest = h->guests;
    struct machine *m = hosts_add(h, victim, VICTIM_BYTES, 1);
    for (uint32_t at = 0; at < PATTERN_BYTES; at++)
        bytes[at] = pattern(guest, at);
    assert_int_equal(machine_poke(m, PATTERN, bytes, sizeof bytes), ACCESS_OK);
}

static void check_victim(struct host *h, unsigned guest) {
    static uint8_t bytes[PATTERN_BYTES];
    struct machine_state s;
    uint32_t sum = 0;
    assert_int_equal(machine_peek(h->guest[guest], PATTERN, bytes, sizeof bytes), ACCESS_OK);
    for (uint32_t at = 0; at < PATTERN_BYTES; at++)
        if (bytes[at] != pattern(guest, at))
            fail_msg("guest %u: a neighbour has changed %06X", guest, PATTERN + at);
    for (uint32_t at = 0; at < PATTERN_BYTES; at += 4)
        sum += bytes_get32(bytes + at);
    machine_state(h->guest[guest], &s);
    assert_int_equal(machine_status(h->guest[guest]), MACHINE_DISABLED_WAIT);
    assert_int_equal(s.psw.ia, GUEST_STOPPED);
    assert_int_equal(s.gpr[8], sum * 3);
}

/* The guest between two victims, each with a part of the disk, on a host `depth` levels up. It is not started. */
static struct machine *between(struct host *h, const char *source, unsigned depth) {
    hosts_build(h, 1 << 20, depth, false);
    hosts_disk(h, 300);
    add_victim(h);
    struct machine *m = hosts_add(h, source, GUEST_BYTES, 1);
    add_victim(h);
    for (unsigned n = 0; n < 3; n++)
        hosts_minidisk(h, n, n * 100, 100);
    return m;
}

/* Runs until everybody has ended, or for so many cycles; then the victims are as they were, and all frames are whose
 * they were. */
static void survive(struct host *h, uint64_t cycles) {
    hosts_start(h);
    enum machine_status status = machine_run(h->below.bare, &(struct machine_limits){.cycles = cycles});
    if (status == MACHINE_FAULT)
        fail_msg("%s", machine_fault(h->below.bare));
    check_victim(h, 0);
    check_victim(h, 2);
    hosts_check_owners(h);
}

/* ---- Tables ---- */

/* 60 times: random tables in a random format, at a place that is storage or not; 40 loads each from random addresses.
 * Page 0, where the program is, is mapped in most of them. What is loaded goes into register 9, what goes
 * wrong into a log at 7000.
 *
 * The segment table is at 4000, of 256 random entries, some of which lead to themselves, to the end of storage and
 * beyond; page tables are at 5000, random but for the first entry of the one at 5800. Low storage may be a table, too:
 * a monitor brings the interval timer up to date at exits only, so that it is kept still here. */
#define TABLES                                                                                                         \
    PAGE_0 "         MVC   X'68'(8),NEW\n"                                                                             \
           "         L     7,X'E20'            seed\n"                                                                 \
           "         L     11,=F'28672'        7000: the log\n"                                                        \
           "         LA    4,60\n"                                                                                     \
           "ROUND    L     2,=F'16384'\n"                                                                              \
           "         L     3,=F'2048'          words: both kinds of tables\n"                                          \
           "FILL     BAL   14,NEXT\n"                                                                                  \
           "         LTR   1,1\n"                                                                                      \
           "         BM    ROUGH               half of them: bits where zeros must be\n"                               \
           "         N     1,=X'70FFFFF9'\n"                                                                           \
           "         C     3,=F'1792'\n"                                                                               \
           "         BH    ROUGH\n"                                                                                    \
           "         N     1,=X'0FF00FF0'      pages: mostly in storage\n"                                             \
           "ROUGH    ST    1,0(,2)\n"                                                                                  \
           "         LA    2,4(,2)\n"                                                                                  \
           "         BCT   3,FILL\n"                                                                                   \
           "         L     2,=F'16384'\n"                                                                              \
           "         MVC   0(16,2),STES\n"                                                                             \
           "         L     2,=X'00005800'\n"                                                                           \
           "         XC    0(2,2),0(2)         page 0 is page 0\n"                                                     \
           "         BAL   14,NEXT\n"                                                                                  \
           "         SRL   1,8\n"                                                                                      \
           "         N     1,=F'28'\n"                                                                                 \
           "         LA    1,CR0S(1)\n"                                                                                \
           "         MVC   CRS(4),0(1)\n"                                                                              \
           "         BAL   14,NEXT\n"                                                                                  \
           "         SRL   1,8\n"                                                                                      \
           "         N     1,=F'28'\n"                                                                                 \
           "         LA    1,CR1S(1)\n"                                                                                \
           "         MVC   CRS+4(4),0(1)\n"                                                                            \
           "         LCTL  0,1,CRS\n"                                                                                  \
           "         PTLB\n"                                                                                           \
           "         XC    X'50'(4),X'50'      no time passes\n"                                                       \
           "         LA    5,40\n"                                                                                     \
           "         LPSW  DATON\n"                                                                                    \
           "TOUCH    BAL   14,NEXT\n"                                                                                  \
           "         SRL   1,3\n"                                                                                      \
           "         L     8,0(1)\n"                                                                                   \
           "         XR    9,8\n"                                                                                      \
           "         LRA   8,0(1)\n"                                                                                   \
           "         BALR  10,0\n"                                                                                     \
           "         XR    9,8\n"                                                                                      \
           "         AR    9,10\n"                                                                                     \
           "         BCT   5,TOUCH\n"                                                                                  \
           "         LPSW  DATOFF\n"                                                                                   \
           "TRAP     MVC   0(8,11),X'8C'       length and code, address,\n"                                            \
           "         MVC   8(4,11),X'2C'       where\n"                                                                \
           "         LA    11,12(,11)\n"                                                                               \
           "         BCT   5,AGAIN\n"                                                                                  \
           "DONE     LCTL  0,1,=X'0080000000000000'\n"                                                                 \
           "         BCT   4,ROUND\n" STOP_HERE "AGAIN    XC    X'50'(4),X'50'\n"                                      \
           "         PTLB                      the log may be a table\n"                                               \
           "         LPSW  DATON\n"                                                                                    \
           "NEXT     L     1,=F'1664525'\n"                                                                            \
           "         MR    0,7\n"                                                                                      \
           "         AL    1,=F'1013904223'\n"                                                                         \
           "         LR    7,1\n"                                                                                      \
           "         BR    14\n"                                                                                       \
           "         LTORG\n"                                                                                          \
           "NEW      DC    0D'0',X'00080000',A(TRAP)\n"                                                                \
           "DATON    DC    X'04080000',A(TOUCH)\n"                                                                     \
           "DATOFF   DC    X'00080000',A(DONE)\n"                                                                      \
           "CRS      DC    2F'0'\n"                                                                                    \
           "STES     DC    X'F0005800',X'F0004000',X'F000FFF8',X'00FFFFF8'\n"                                          \
           "CR0S     DC    X'00800000',X'00400000',X'00900000',X'00500000'\n"                                          \
           "         DC    X'00800000',X'00800000',X'00000000',X'00C00000'\n"                                          \
           "CR1S     DC    4X'FF004000',X'00004000',X'FF00FFC0',X'FFFFFFC0',X'00005800'\n"

enum { LOG = 0x7000, LOG_BYTES = 12 };

static const char tables[] = TABLES "         ORG   G+X'E20'\n"
                                    "         DC    F'370'\n"
                                    "         END\n";

static void test_random_tables_give_what_they_give_on_the_bare_machine(void **state) {
    struct outcome *o[3];
    char source[8192];
    (void)state;
    for (unsigned depth = 0; depth < 3; depth++)
        assert_non_null(o[depth] = malloc(sizeof *o[0]));
    for (unsigned seed = 0; seed < 6; seed++) {
        snprintf(source, sizeof source, "%s         ORG   G+X'E20'\n         DC    F'%u'\n         END\n", TABLES,
                 seed);
        for (unsigned depth = 0; depth < 3; depth++) {
            guests_run(source, depth, 2000000, o[depth]);
            assert_string_equal(machine_status_name(o[depth]->status), "disabled-wait");
            assert_int_equal(o[depth]->state.psw.ia, GUEST_STOPPED);
            for (uint32_t at = LOG; at < GUEST_BYTES; at += LOG_BYTES)
                if (memcmp(o[depth]->storage + at, o[0]->storage + at, LOG_BYTES) != 0)
                    fail_msg("seed %u, depth %u: interruption %u is another", seed, depth, (at - LOG) / LOG_BYTES);
            assert_int_equal(o[depth]->state.gpr[9], o[0]->state.gpr[9]);
            assert_int_equal(o[depth]->stats.instructions, o[0]->stats.instructions);
            for (int c = 0; c < INTERRUPTION_CLASSES; c++)
                assert_int_equal(o[depth]->stats.interruptions[c], o[0]->stats.interruptions[c]);
            assert_memory_equal(o[depth]->storage, o[0]->storage, GUEST_BYTES);
        }
        assert_in_range(o[0]->stats.interruptions[INTERRUPTION_PROGRAM], 100, 2400);
    }
    for (unsigned depth = 0; depth < 3; depth++)
        free(o[depth]);
}

static void test_random_tables_are_no_danger_to_others(void **state) {
    (void)state;
    for (unsigned depth = 1; depth <= 2; depth++) {
        struct host h;
        struct machine *m = between(&h, tables, depth);
        survive(&h, UINT64_C(1) << 40);
        assert_int_equal(machine_status(m), MACHINE_DISABLED_WAIT);
        hosts_free(&h);
    }
}

/* Reaches for every frame that is not its own, up to 16 MB: by a page-table entry, by a segment-table entry whose page
 * table is there, by a real address, by a storage key, by its prefix. Register 11 counts addressing exceptions,
 * register 12 whatever else comes of it. */
static const char grabber[] =
    PAGE_0 "         MVC   X'68'(8),NEW\n"
           "         L     2,=F'65536'\n"
           "         L     7,CRS+4             segment table\n"
           "         L     8,=F'20480'         page table\n"
           "GRAB     LR    1,2                 a page of another's\n"
           "         SRL   1,8\n"
           "         STH   1,2(,8)             page 1\n"
           "         LR    1,2\n"
           "         O     1,=X'F0000000'\n"
           "         ST    1,4(,7)             segment 1\n"
           "         LCTL  0,1,CRS\n"
           "         PTLB\n"
           "         L     3,=F'4096'\n"
           "         L     5,=F'65536'\n"
           "         STOSM OLD,X'04'\n"
           "         ST    2,0(,3)\n"
           "         BAL   10,GOT\n"
           "         MVC   0(8,3),0(0)\n"
           "         BAL   10,GOT\n"
           "         ST    2,0(,5)\n"
           "         BAL   10,GOT\n"
           "         LRA   6,0(,5)             its page table is not there\n"
           "         BAL   10,GOT\n"
           "         STNSM OLD,X'FB'\n"
           "         ST    2,0(,2)\n"
           "         BAL   10,GOT\n"
           "         SSK   3,2\n"
           "         BAL   10,GOT\n"
           "         ISK   6,2\n"
           "         BAL   10,GOT\n"
           "         RRB   0(2)\n"
           "         BAL   10,GOT\n"
           "         ST    2,OLD\n"
           "         SPX   OLD\n"
           "         BAL   10,GOT\n"
           "         A     2,=F'4096'\n"
           "         C     2,=X'01000000'\n"
           "         BL    GRAB\n" STOP_HERE "GOT      LA    12,1(,12)           nothing prevented it\n"
           "         BR    10\n"
           "REFUSED  CLI   X'8F',5\n"
           "         BNE   OTHER\n"
           "         LA    11,1(,11)\n"
           "         B     GOON\n"
           "OTHER    LA    12,1(,12)\n"
           "GOON     L     1,X'2C'             behind the BAL\n"
           "         LA    1,4(,1)\n"
           "         ST    1,X'2C'\n"
           "         LPSW  X'28'\n"
           "         LTORG\n"
           "OLD      DC    F'0'\n"
           "CRS      DC    X'00800000',X'00004000'\n"
           "NEW      DC    0D'0',X'00080000',A(REFUSED)\n"
           "         ORG   G+X'4000'\n"
           "         DC    X'F0005000',15F'1'\n"
           "         ORG   G+X'5000'\n"
           "         DC    X'0000',15X'0008'\n"
           "         END\n";

static void test_no_way_leads_to_another_s_frame(void **state) {
    enum { WAYS = 9, FRAMES = 4096 - GUEST_BYTES / FRAME_BYTES };
    (void)state;
    for (unsigned depth = 1; depth <= 2; depth++) {
        struct host h;
        struct machine_state s;
        struct machine *m = between(&h, grabber, depth);
        survive(&h, UINT64_C(1) << 40);
        machine_state(m, &s);
        assert_int_equal(s.psw.ia, GUEST_STOPPED);
        assert_int_equal(s.gpr[11], WAYS * FRAMES);
        assert_int_equal(s.gpr[12], 0);
        hosts_free(&h);
    }
}

/* Whatever the program does: random bytes in all of storage, started somewhere, in every mode. */
static void test_random_storage_is_no_danger_to_others(void **state) {
    static uint8_t noise[GUEST_BYTES];
    struct random r;
    (void)state;
    random_init(&r, 370, "noise");
    for (unsigned n = 0; n < 24; n++) {
        struct host h;
        struct machine *m = between(&h, victim, 1 + n % 2);
        for (uint32_t at = 0; at < sizeof noise; at += 4)
            bytes_put32(noise + at, (uint32_t)random_u64(&r));
        for (uint32_t at = 0; at < 128; at += 8) { /* PSWs that lead somewhere */
            noise[at] &= 0x07;
            noise[at + 1] = n & 2 ? 0x08 : 0x00;
            noise[at + 2] &= 0x30;
            noise[at + 3] = noise[at + 4] = noise[at + 5] = 0;
            noise[at + 7] &= 0xFE;
        }
        assert_int_equal(machine_poke(m, 0, noise, sizeof noise), ACCESS_OK);
        survive(&h, 6000000);
        hosts_free(&h);
    }
}

/* ---- Channel programs ---- */

/* 24 times on each of console, printer, and disk: eight random CCWs at 8000, the last a transfer to the first, whose
 * addresses, counts and flags are anything; then it waits for the end. Register 10 counts those started, 11 the ends.
 */
static const char programs[] = PAGE_0 "         LCTL  2,2,=F'-1'\n"
                                      "         MVC   X'78'(8),NEW\n"
                                      "         L     7,=F'1970'\n"
                                      "         LA    4,24\n"
                                      "ROUND    LA    6,6                 devices\n"
                                      "DEVICE   LA    3,8\n"
                                      "         L     2,=F'32768'\n"
                                      "FILL     BAL   14,NEXT\n"
                                      "         ST    1,0(,2)\n"
                                      "         SRL   1,9\n"
                                      "         N     1,=F'15'\n"
                                      "         LA    1,CODES(1)\n"
                                      "         MVC   0(1,2),0(1)\n"
                                      "         LTR   7,7\n"
                                      "         BM    FAR\n"
                                      "         MVI   1(2),0              half of the addresses: in storage\n"
                                      "FAR      BAL   14,NEXT\n"
                                      "         ST    1,4(,2)\n"
                                      "         NI    4(2),X'FC'\n"
                                      "         OI    4(2),X'60'          mostly, the chain goes on\n"
                                      "         LA    2,8(,2)\n"
                                      "         BCT   3,FILL\n"
                                      "         SH    2,=H'8'\n"
                                      "         MVC   0(8,2),TIC\n"
                                      "         MVC   72(4),=X'00008000'\n"
                                      "         LH    1,DEVICES(6)\n"
                                      "         SIO   0(1)\n"
                                      "         BC    7,NOT\n"
                                      "         LA    10,1(,10)\n"
                                      "         LPSW  WAITS\n"
                                      "ENDED    TM    X'44',X'FF'\n"
                                      "         BNZ   IDLE\n"
                                      "         TM    X'45',X'7F'         only a PCI: it goes on\n"
                                      "         BNZ   IDLE\n"
                                      "         LPSW  WAITS\n"
                                      "IDLE     LA    11,1(,11)\n"
                                      "NOT      SH    6,=H'2'\n"
                                      "         BNM   DEVICE\n"
                                      "         BCT   4,ROUND\n" STOP_HERE "NEXT     L     1,=F'1664525'\n"
                                      "         MR    0,7\n"
                                      "         AL    1,=F'1013904223'\n"
                                      "         LR    7,1\n"
                                      "         BR    14\n"
                                      "         LTORG\n"
                                      "WAITS    DC    0D'0',X'020A000000000000'\n"
                                      "NEW      DC    X'00080000',A(ENDED)\n"
                                      "TIC      CCW   X'08',X'8000',0,1\n"
                                      "CODES    DC    X'0109030408636364434341424202E41B'\n"
                                      "DEVICES  DC    X'0009',X'000E',X'0150',X'0150'\n"
                                      "         END\n";

static void test_random_channel_programs_end_and_hurt_nobody(void **state) {
    (void)state;
    for (unsigned depth = 1; depth <= 2; depth++) {
        struct host h;
        struct machine_state s;
        struct machine *m = between(&h, programs, depth);
        survive(&h, UINT64_C(1) << 50);
        machine_state(m, &s);
        assert_int_equal(machine_status(m), MACHINE_DISABLED_WAIT);
        assert_int_equal(s.psw.ia, GUEST_STOPPED);
        assert_int_equal(s.gpr[10], 96);
        assert_int_equal(s.gpr[11], 96);
        hosts_check_unpinned(&h);
        hosts_free(&h);
    }
}

/* Loops that write for ever, as short as they can be: on the typewriter, the printer and the disk. */
static void test_endless_channel_programs_end(void **state) {
    static const struct {
        const char *device, *ccws;
    } cases[] = {
        {"009", "LOOP     CCW   X'01',X'300',X'60',1\n         CCW   X'08',LOOP,0,1"},
        {"009", "LOOP     CCW   X'03',0,X'60',1\n         CCW   X'08',LOOP,0,1"},
        {"009", "LOOP     CCW   X'01',X'300',X'80',1\n         CCW   X'08',LOOP,0,1"},
        {"009", "LOOP     CCW   X'08',LOOP,0,1"},
        {"00E", "LOOP     CCW   X'09',X'300',X'60',132\n         CCW   X'08',LOOP,0,1"},
        {"00E", "LOOP     CCW   X'8B',X'300',X'60',1\n         CCW   X'08',LOOP,0,1"},
        {"150", "LOOP     CCW   X'03',0,X'68',1\n         CCW   X'08',LOOP,0,1"},
        {"150", "LOOP     CCW   X'E4',X'8000',X'60',7\n         CCW   X'08',LOOP,0,1"},
        {"150", "LOOP     CCW   X'02',X'8000',X'60',512\n         CCW   X'08',LOOP,0,1"},
        {"150", "LOOP     CCW   X'02',X'8000',X'E0',1\n         CCW   X'08',LOOP,0,1"},
        {"150", "LOOP     CCW   X'63',X'300',X'C0',1\n         CCW   X'08',LOOP,0,1"},
    };
    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++)
        for (unsigned depth = 1; depth <= 2; depth++) {
            char source[2048];
            struct host h;
            struct machine_state s;
            snprintf(source, sizeof source,
                     PAGE_0 "         LCTL  2,2,=F'-1'\n"
                            "         MVC   X'78'(8),NEW\n"
                            "         MVC   72(4),=A(LOOP)\n"
                            "         SIO   X'%s'\n"
                            "         LPSW  WAITS\n"
                            "ENDED    TM    X'45',X'80'         only a PCI?\n"
                            "         BZ    STOP\n"
                            "         TM    X'45',X'7F'\n"
                            "         BZ    MORE\n"
                            "STOP     L     8,X'44'\n" STOP_HERE "MORE     LPSW  WAITS\n"
                            "         LTORG\n"
                            "WAITS    DC    0D'0',X'020A000000000000'\n"
                            "NEW      DC    X'00080000',A(ENDED)\n"
                            "%s\n"
                            "         END\n",
                     cases[n].device, cases[n].ccws);
            struct machine *m = between(&h, source, depth);
            survive(&h, UINT64_C(1) << 50);
            machine_state(m, &s);
            if (machine_status(m) != MACHINE_DISABLED_WAIT || s.psw.ia != GUEST_STOPPED)
                fail_msg("case %zu, depth %u: %s at %06X", n, depth, machine_status_name(machine_status(m)), s.psw.ia);
            /* Most by a program check; some because the device has no more data, or never had. */
            if (s.gpr[8] >> 16 == (UNIT_CHANNEL_END | UNIT_DEVICE_END) << 8)
                fail_msg("case %zu, depth %u: it ended well", n, depth);
            hosts_check_unpinned(&h);
            hosts_free(&h);
        }
}

/* ---- No frames left ---- */

static void test_guests_that_do_not_fit_are_refused_and_leave_nothing_behind(void **state) {
    static const struct {
        uint32_t kb;
        unsigned cpus;
        const char *says;
    } cases[] = {
        {256, 1,
         "the machine has 512 KB, not enough in one piece for a guest of 256 KB, which needs 412 KB with its tables"},
        {16384, 1,
         "the machine has 512 KB, not enough in one piece for a guest of 16384 KB, which needs 16540 KB with its "
         "tables"},
        {4, 2, "the machine has 512 KB, not enough for the shadow tables of a guest, 156 KB"},
        {64, 5, "a guest has 1 to 4 CPUs, not 5"},
        {2, 1, "a guest's memory is a multiple of 4 KB, 4 KB to 16 MB, not 2048 bytes"},
        {32768, 1, "a guest's memory is a multiple of 4 KB, 4 KB to 16 MB, not 33554432 bytes"},
    };
    (void)state;
    for (unsigned depth = 1; depth <= 2; depth++) {
        struct host h;
        hosts_build(&h, 512 << 10, depth, false);
        add_victim(&h);
        for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
            struct error e = ERROR_CLEAR;
            const struct guest_options o = {.memory_bytes = cases[n].kb * 1024, .cpus = cases[n].cpus};
            assert_null(vmm_guest(h.monitor, &o, &e));
            assert_int_equal(e.kind, ERROR_INPUT);
            assert_string_equal(e.text, cases[n].says);
            hosts_check_owners(&h);
        }
        add_victim(&h); /* which fits */
        hosts_start(&h);
        assert_int_equal(machine_run(h.below.bare, NULL), MACHINE_DISABLED_WAIT);
        check_victim(&h, 0);
        check_victim(&h, 1);
        hosts_free(&h);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_tables_give_what_they_give_on_the_bare_machine),
        cmocka_unit_test(test_no_way_leads_to_another_s_frame),
        cmocka_unit_test(test_random_tables_are_no_danger_to_others),
        cmocka_unit_test(test_random_storage_is_no_danger_to_others),
        cmocka_unit_test(test_random_channel_programs_end_and_hurt_nobody),
        cmocka_unit_test(test_endless_channel_programs_end),
        cmocka_unit_test(test_guests_that_do_not_fit_are_refused_and_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
