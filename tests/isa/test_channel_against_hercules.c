/* Channel programs against Hercules: the same random ones on both, and condition codes, CSWs, sense data and storage
 * compared.
 *
 *     test_channel_against_hercules [CASES [SEED [FIRST]]]
 *
 * A case is a small S/370 program that starts one channel program after the other on console, reader, printer and disk;
 * after each it polls until the device is free, keeps every CSW that it is given, and asks for the sense data. What
 * docs/differences.md lists is not generated. Exit status 0: no difference; 1: some; 77: Hercules is not installed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/random.h"
#include "isa/assembler.h"
#include "isa/disk.h"
#include "isa/machine.h"
#include "tests/support/hercules.h"

enum {
    MEMORY = 0x200000,
    IMAGE = 0xC000,
    STEPS = 6, /* channel programs in a case; the first fills the disk */
    TABLE = 0x800,
    RESULTS = 0x1000, /* RESULT_BYTES a step */
    RESULT_BYTES = 128,
    CCWS = 0x2000, /* PROGRAM_BYTES a step */
    PROGRAM_BYTES = 0x100,
    CONTROL = 0x3000,    /* extents and locates, 32 bytes each */
    LISTS = 0x3800,      /* of IDAWs, 64 bytes each */
    DATA = 0x4000,       /* what the disk is filled with */
    LOCKED = 0x6000,     /* a block of key 1, */
    LOCKED_TOO = 0x6800, /* and one of key 2 with fetch protection */
    CARDS = 40,          /* in a deck that does not end */
    BATCH = 32,
    CONSOLE = 0x009,
    READER = 0x00C,
    PRINTER = 0x00E,
    DISK = 0x150,
};
enum { CD = 0x80, CC = 0x40, SLI = 0x20, SKIP = 0x10, PCI = 0x08, IDA = 0x04 };

/* What the CPU does, for every step: SIO, TIO until the device is free, and the same for a sense command. */
static const char driver[] = "DRIVER   START 0\n"
                             "         USING DRIVER,12\n"
                             "         DC    X'0000000000000400'\n"
                             "         ORG   DRIVER+104\n"
                             "         DC    X'000A000000000BAD'\n"
                             "         ORG   DRIVER+X'400'\n"
                             "         SR    12,12\n"
                             "         LCTL  0,0,ZERO\n"
                             "         L     1,KEY1\n"
                             "         L     2,=A(X'6000')\n"
                             "         SSK   1,2\n"
                             "         L     1,KEY2\n"
                             "         L     2,=A(X'6800')\n"
                             "         SSK   1,2\n"
                             "         LA    3,X'800'\n"
                             "         LA    4,X'FFF'\n"
                             "         LA    4,1(4)\n"
                             "NEXT     L     2,0(3)\n"
                             "         LTR   2,2\n"
                             "         BZ    DONE\n"
                             "         MVC   72(4),4(3)\n"
                             "         MVC   64(8),ONES\n"
                             "         SIO   0(2)\n"
                             "         BALR  6,0\n"
                             "         N     6,=X'30000000'\n"
                             "         ST    6,0(4)\n"
                             "         LA    7,8(4)\n"
                             "         LA    8,4\n"
                             "POLL     TIO   0(2)\n"
                             "         BC    2,POLL\n"
                             "         BC    11,SENSE\n"
                             "         MVC   0(8,7),64\n"
                             "         LA    7,8(7)\n"
                             "         BCT   8,POLL\n"
                             "SENSE    LA    1,64(4)\n"
                             "         ST    1,SCCW\n"
                             "         MVI   SCCW,4\n"
                             "         MVC   72(4),=A(SCCW)\n"
                             "         SIO   0(2)\n"
                             "SPOLL    TIO   0(2)\n"
                             "         BC    2,SPOLL\n"
                             "         BC    11,STEP\n"
                             "         MVC   56(8,4),64\n"
                             "         B     SPOLL\n"
                             "STEP     LA    3,8(3)\n"
                             "         LA    4,128(4)\n"
                             "         B     NEXT\n"
                             "DONE     LPSW  STOP\n"
                             "         DS    0D\n"
                             "STOP     DC    X'000A000000000000'\n"
                             "ONES     DC    8X'FF'\n"
                             "ZERO     DC    F'0'\n"
                             "KEY1     DC    F'16'\n"
                             "KEY2     DC    F'40'\n"
                             "         DS    0D\n"
                             "SCCW     DC    X'0400000020000018'\n"
                             "         LTORG\n"
                             "         END\n";

struct test_case {
    uint64_t number;
    uint8_t image[IMAGE];
    uint8_t deck[CARDS * READER_COLUMNS];
    uint32_t cards;
    uint8_t got[2][IMAGE]; /* Hercules, ours */
};

/* --- random channel programs -------------------------------------------------------------------------------------- */

struct generator {
    struct random r;
    struct test_case *c;
    uint32_t control, list; /* where the next ones go */
    uint32_t key;           /* of the present step */
};

static uint32_t below(struct generator *g, uint32_t n) { return (uint32_t)random_below(&g->r, n); }
static bool chance(struct generator *g, unsigned percent) { return below(g, 100) < percent; }

static void put_ccw(struct test_case *c, uint32_t at, uint8_t code, uint32_t address, uint8_t flags, uint32_t count) {
    uint8_t *p = c->image + at;
    p[0] = code;
    bytes_put24(p + 1, address);
    p[4] = flags;
    bytes_put16(p + 6, (uint16_t)count);
}

static uint32_t data_address(struct generator *g) {
    if (!g->key && chance(g, 2))                    /* with a key it may be protected as well: either may come first */
        return chance(g, 50) ? 0x1FFFF0 : 0x300000; /* its end is beyond the storage, or all of it */
    return DATA + below(g, 0x5000);
}

/* A list for so many bytes; its address. */
static uint32_t put_list(struct generator *g, uint32_t count) {
    uint32_t at = g->list, first = data_address(g);
    bytes_put32(g->c->image + at, first);
    for (uint32_t i = 1; i < 16 && i < 2 + count / 2048; i++)
        bytes_put32(g->c->image + at + 4 * i, chance(g, 3) ? 0x4321 : DATA + 2048 * below(g, 10));
    g->list = LISTS + (g->list + 64 - LISTS) % 0x800;
    return chance(g, 2) ? at + 2 : at;
}

static uint8_t random_flags(struct generator *g, bool last) {
    uint8_t flags = last ? 0 : CC;
    flags |= chance(g, 60) ? SLI : 0;
    flags |= chance(g, 8) ? SKIP : 0;
    flags |= chance(g, 8) ? PCI : 0;
    flags |= chance(g, 2) ? 1 + below(g, 3) : 0;
    return flags;
}

/* A command whose data are anywhere. */
static void put_data_ccw(struct generator *g, uint32_t at, uint8_t code, uint32_t count, uint8_t flags) {
    bool indirect = chance(g, 20);
    uint32_t address = indirect ? put_list(g, count) : data_address(g);
    put_ccw(g->c, at, code, address, flags | (indirect ? IDA : 0), count);
}

static uint32_t control_area(struct generator *g) {
    uint32_t at = g->control;
    g->control = CONTROL + (g->control + 32 - CONTROL) % 0x800;
    return at;
}

static uint32_t put_extent(struct generator *g, uint32_t *first, uint32_t *blocks) {
    static const uint8_t masks[] = {0xC0, 0xC0, 0xC0, 0xC0, 0x40, 0x00, 0x80, 0xC4, 0xC8, 0x20};
    uint8_t *p = g->c->image + control_area(g);
    uint32_t at = below(g, HERCULES_DISK_BLOCKS);
    *first = chance(g, 50) ? 0 : below(g, 1000);
    *blocks = 1 + below(g, HERCULES_DISK_BLOCKS - at + chance(g, 10));
    p[0] = chance(g, 70) ? 0xC0 : masks[below(g, sizeof masks)];
    bytes_put32(p + 4, at);
    bytes_put32(p + 8, *first);
    bytes_put32(p + 12, *first + *blocks - 1 - (chance(g, 3) ? *blocks : 0));
    return (uint32_t)(p - g->c->image);
}

static uint32_t put_locate(struct generator *g, uint8_t operation, uint32_t first, uint32_t blocks, uint32_t *wanted) {
    uint8_t *p = g->c->image + control_area(g);
    uint32_t from = below(g, blocks);
    *wanted = 1 + below(g, blocks - from + chance(g, 5)) % 8;
    p[0] = chance(g, 90) ? operation : (uint8_t)(below(g, 16) | (chance(g, 10) ? 0x20 : 0));
    if ((p[0] & 0x0F) == 4) /* formatting where writing is inhibited: Hercules allows it */
        p[0] = operation;
    p[1] = (uint8_t)(chance(g, 50) ? *wanted : below(g, 8));
    bytes_put16(p + 2, (uint16_t)(chance(g, 3) ? 0 : *wanted));
    bytes_put32(p + 4, first + from);
    return (uint32_t)(p - g->c->image);
}

static uint8_t other_disk_command(struct generator *g) {
    static const uint8_t codes[] = {0x03, 0x04, 0x64, 0xA4, 0x14, 0xB4, 0x94, 0xE4, 0x02,
                                    0x0C, 0x00, 0x07, 0x41, 0x42, 0x43, 0x63, 0xFF};
    return codes[below(g, sizeof codes)];
}

/* Define extent, locate, move; with a few of them left out, doubled, or wrong. */
static void disk_program(struct generator *g, uint32_t at) {
    uint32_t first = 0, blocks = HERCULES_DISK_BLOCKS, wanted = 1;
    bool write = chance(g, 40);
    for (unsigned n = below(g, 3); n && chance(g, 25); n--, at += 8) {
        uint8_t code = other_disk_command(g);
        if (code == 0x42 && g->c->image[at - 8] == 0x02) /* Hercules reads what an earlier program located */
            code = 0x41;
        put_data_ccw(g, at, code, 1 + below(g, 40), random_flags(g, false));
    }
    if (chance(g, 10)) { /* read IPL defines an extent, too */
        put_data_ccw(g, at, 0x02, chance(g, 50) ? 512 : 1 + below(g, 600), random_flags(g, false) | SLI);
        at += 8;
    } else if (chance(g, 95)) {
        put_ccw(g->c, at, 0x63, put_extent(g, &first, &blocks), random_flags(g, false),
                chance(g, 95) ? 16 : below(g, 20));
        at += 8;
    }
    for (unsigned n = 1 + below(g, 2); n; n--) {
        uint8_t operation = write ? (chance(g, 80) ? 1 : 5) : (chance(g, 80) ? 6 : 2);
        put_ccw(g->c, at, 0x43, put_locate(g, operation, first, blocks, &wanted),
                random_flags(g, false) & ~(unsigned)CD, chance(g, 95) ? 8 : below(g, 12));
        at += 8;
        uint8_t code = chance(g, 92) ? (write ? 0x41 : 0x42) : other_disk_command(g);
        uint32_t count = chance(g, 60) ? wanted * 512 : 1 + below(g, wanted * 600);
        bool chain = chance(g, 15) && wanted > 1 && (code == 0x41 || code == 0x42); /* data chaining, between blocks */
        if (chain) {
            put_data_ccw(g, at, code, 512, CD);
            at += 8;
            count = (wanted - 1) * 512;
        }
        if (chain && code == 0x41) /* a write whose data cannot all be fetched is not begun: Hercules writes in part */
            put_ccw(g->c, at, code, DATA, random_flags(g, n == 1) & (uint8_t) ~(PCI | 3), count);
        else
            put_data_ccw(g, at, code, count, random_flags(g, n == 1));
        at += 8;
    }
}

static void lines_program(struct generator *g, uint32_t at, const uint8_t *codes, size_t code_count, uint8_t write) {
    bool chained = false;
    for (unsigned n = 1 + below(g, 5); n; n--, at += 8) {
        uint8_t code = chance(g, 50) ? write : codes[below(g, (uint32_t)code_count)];
        uint32_t count = chance(g, 2) ? 0 : 1 + below(g, chance(g, 10) ? 300 : 140);
        uint8_t flags = random_flags(g, n == 1);
        if (n > 1 && chance(g, 8)) {
            put_ccw(g->c, at, 0x08, at + 8, 0, 0);
            continue;
        }
        bool chain = n > 1 && (chained || code == write) && chance(g, 20);
        if (chain)
            flags = (uint8_t)((flags & ~CC) | CD);
        if (chain || chained)
            count = count % 30 + 1; /* so that the chain is no longer than a line of the console */
        chained = chain;
        put_data_ccw(g, at, code, count, flags);
    }
}

static void program(struct generator *g, uint16_t device, uint32_t at) {
    static const uint8_t console[] = {0x01, 0x09, 0x03, 0x0B, 0x04, 0xE4, 0x0C, 0x10, 0x13, 0x02};
    static const uint8_t reader[] = {0x02, 0x42, 0x82, 0xC2, 0x04, 0xE4, 0x01, 0x0C, 0x07};
    static const uint8_t printer[] = {0x01, 0x09, 0x11, 0x19, 0x89, 0x91, 0xE1, 0x0B, 0x13,
                                      0x1B, 0x8B, 0x93, 0xE3, 0x03, 0x04, 0xE4, 0x0C, 0x02};
    switch (device) {
    case CONSOLE: lines_program(g, at, console, sizeof console, 0x09); break;
    case READER: lines_program(g, at, reader, g->c->cards < CARDS ? 6 : sizeof reader, 0x02); break;
    case PRINTER: lines_program(g, at, printer, sizeof printer, 0x09); break;
    default: disk_program(g, at); break;
    }
}

/* The first step: all of the disk from DATA on. */
static void fill_disk(struct test_case *c) {
    static const uint8_t extent[16] = {0xC0, [15] = HERCULES_DISK_BLOCKS - 1},
                         locate[8] = {1, 0, 0, HERCULES_DISK_BLOCKS};
    memcpy(c->image + CONTROL, extent, sizeof extent);
    memcpy(c->image + CONTROL + 32, locate, sizeof locate);
    put_ccw(c, CCWS, 0x63, CONTROL, CC, 16);
    put_ccw(c, CCWS + 8, 0x43, CONTROL + 32, CC, 8);
    put_ccw(c, CCWS + 16, 0x41, DATA, 0, HERCULES_DISK_BLOCKS * 512);
}

static void generate(struct test_case *c, const uint8_t *code, size_t code_length, uint64_t seed, uint64_t number) {
    static const uint16_t devices[] = {CONSOLE, READER, PRINTER, DISK, DISK, DISK, 0x0FF};
    struct generator g = {.c = c, .control = CONTROL + 64, .list = LISTS};
    char stream[64];
    snprintf(stream, sizeof stream, "channel programs %llu", (unsigned long long)number);
    random_init(&g.r, seed, stream);
    memset(c, 0, sizeof *c);
    c->number = number;
    memcpy(c->image, code, code_length);
    for (uint32_t at = DATA; at < IMAGE; at++)
        c->image[at] = (uint8_t)below(&g, 256);
    for (size_t i = 0; i < sizeof c->deck; i++)
        c->deck[i] = (uint8_t)below(&g, 256);
    c->cards = chance(&g, 20) ? below(&g, 5) : CARDS;
    fill_disk(c);
    bool read_before = false;
    for (uint32_t step = 0; step < STEPS; step++) {
        uint16_t device = step == 0 ? DISK : devices[below(&g, chance(&g, 97) ? 6 : 7)];
        if (device == READER && g.c->cards < CARDS && read_before)
            device = DISK; /* what comes after the end of a deck is another matter */
        read_before = read_before || device == READER;
        uint32_t at = CCWS + step * PROGRAM_BYTES;
        g.key = step && chance(&g, 15) ? 1 + below(&g, 2) : 0;
        if (step)
            program(&g, device, at);
        bytes_put32(c->image + TABLE + 8 * step, device);
        bytes_put32(c->image + TABLE + 8 * step + 4, g.key << 28 | (at + (step && chance(&g, 1) ? 4 : 0)));
    }
}

/* --- both engines ------------------------------------------------------------------------------------------------- */

static bool run_here(const struct cost_model *model, struct test_case *c) {
    struct error e = ERROR_CLEAR;
    struct disk_backing b;
    struct machine *m = machine_new(&(struct machine_options){.memory_bytes = MEMORY, .model = model}, &e);
    bool ok = m && machine_load(m, 0, c->image, IMAGE, &e) &&
              reader_load(machine_device(m, READER), c->deck, c->cards * READER_COLUMNS, true, &e) &&
              disk_backing_memory(&b, HERCULES_DISK_BLOCKS, &e) && machine_attach(m, DISK, disk_new(model, &b), &e);
    if (ok) {
        machine_restart(m);
        ok = machine_run(m, &(struct machine_limits){.instructions = 2000000}) == MACHINE_DISABLED_WAIT;
        machine_peek(m, 0, c->got[1], IMAGE);
    }
    if (m)
        machine_free(m);
    return ok;
}

static void run_there(struct hercules *h, struct test_case *cases, size_t count, struct hercules_job *jobs) {
    memset(jobs, 0, count * sizeof *jobs);
    for (size_t i = 0; i < count; i++) {
        jobs[i].load[0].bytes = cases[i].image;
        jobs[i].load[0].length = IMAGE;
        jobs[i].save[0].to = cases[i].got[0];
        jobs[i].save[0].length = IMAGE;
        jobs[i].deck = cases[i].deck;
        jobs[i].deck_length = cases[i].cards * READER_COLUMNS;
        jobs[i].deck_eof = true;
    }
    hercules_run(h, jobs, count);
}

/* --- comparison --------------------------------------------------------------------------------------------------- */

/* Everything but the CPU's own locations: clocks, and what an interruption may have left. */
static int32_t first_difference(const struct test_case *c, uint32_t from, uint32_t to) {
    for (uint32_t at = from; at < to; at++)
        if (c->got[0][at] != c->got[1][at])
            return (int32_t)at;
    return -1;
}

static void print_bytes(const char *name, const uint8_t *from, size_t length) {
    char text[129];
    bytes_to_hex(text, from, length);
    printf("    %-9s %s\n", name, text);
}

static void show(const struct test_case *c, uint64_t seed, int32_t at) {
    printf("\nDIFFERENCE at %04X: test_channel_against_hercules 1 %llu %llu\n", at, (unsigned long long)seed,
           (unsigned long long)c->number);
    for (uint32_t step = 0; step < STEPS; step++) {
        uint32_t result = RESULTS + step * RESULT_BYTES;
        bool differs = first_difference(c, result, result + RESULT_BYTES) >= 0;
        printf("  step %u, device %03X, CAW %08X%s\n", step, bytes_get32(c->image + TABLE + 8 * step),
               bytes_get32(c->image + TABLE + 8 * step + 4), differs ? ", differs" : "");
        if (!step)
            continue;
        for (uint32_t ccw = CCWS + step * PROGRAM_BYTES; bytes_get64(c->image + ccw); ccw += 8) {
            uint32_t address = bytes_get24(c->image + ccw + 1);
            print_bytes("CCW", c->image + ccw, 8);
            if (address >= CONTROL && address < DATA - 64)
                print_bytes("  at it", c->image + address, 32);
        }
        for (int side = 0; side < 2; side++) {
            const uint8_t *r = c->got[side] + result;
            print_bytes(side ? "ours" : "hercules", r, 4);
            for (int i = 0; i < 4 && bytes_get64(r + 8 + 8 * i); i++)
                print_bytes("  CSW", r + 8 + 8 * i, 8);
            print_bytes("  sense", r + 56, 32);
        }
    }
    if (at >= DATA) {
        print_bytes("hercules", c->got[0] + at, 32);
        print_bytes("ours", c->got[1] + at, 32);
    }
}

struct tally {
    uint64_t cases, different, failed, csws, checks[16];
};

/* What the CSWs of all cases had in them: a test that reaches nothing compares nothing. */
static void count(struct tally *t, const struct test_case *c) {
    for (uint32_t step = 0; step < STEPS; step++)
        for (uint32_t i = 0; i < 4; i++) {
            uint64_t csw = bytes_get64(c->got[1] + RESULTS + step * RESULT_BYTES + 8 + 8 * i);
            t->csws += csw != 0;
            for (unsigned bit = 0; bit < 16; bit++)
                t->checks[bit] += csw >> (31 - bit) & 1;
        }
}

static bool covered(const struct tally *t) {
    static const struct {
        unsigned bit;
        const char *name;
    } wanted[] = {{4, "channel end"},      {6, "unit check"},     {7, "unit exception"},   {8, "PCI"},
                  {9, "incorrect length"}, {10, "program check"}, {11, "protection check"}};
    bool all = true;
    printf("%llu CSWs:", (unsigned long long)t->csws);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        printf(" %s %llu", wanted[i].name, (unsigned long long)t->checks[wanted[i].bit]);
        all = all && t->checks[wanted[i].bit] > 0;
    }
    printf("\n");
    return all;
}

/* Where a check ended a program, Hercules' count may be what an earlier command left, and for a CCW in the middle of a
 * data chain it has no unit status, though the device has done its part. */
static void forget_rest_of_checks(struct test_case *c) {
    for (uint32_t step = 0; step < STEPS; step++)
        for (uint32_t i = 0; i < 4; i++)
            for (int side = 0; side < 2; side++) {
                uint8_t *csw = c->got[side] + RESULTS + step * RESULT_BYTES + 8 + 8 * i;
                if (csw[5] & 0x30) {
                    memset(csw + 6, 0, 2);
                    csw[4] &= 0xF3;
                }
                if (csw[4] & 0x01) /* the end of the deck: the reader senses "not ready" from then on */
                    memset(c->got[side] + RESULTS + step * RESULT_BYTES + 64, 0, 24);
            }
}

/* Where data run into a protected block, or out of the storage, Hercules stores none of a CCW's; we, those before. */
static bool stored_in_part(const struct test_case *c) {
    for (uint32_t step = 0; step < STEPS; step++)
        for (uint32_t i = 0; i < 4; i++) {
            const uint8_t *csw = c->got[0] + RESULTS + step * RESULT_BYTES + 8 + 8 * i;
            if ((csw[4] & 0x08) && (csw[5] & 0x30))
                return true;
        }
    return false;
}

static void judge(struct tally *t, struct test_case *c, const struct hercules_job *job, bool ran, uint64_t seed) {
    t->cases++;
    if (!ran || job->end != HERCULES_WAIT) {
        t->failed++;
        printf("case %llu did not end: Hercules %d, ours %d\n", (unsigned long long)c->number, job->end, ran);
        return;
    }
    count(t, c);
    uint32_t end = stored_in_part(c) ? DATA : IMAGE;
    forget_rest_of_checks(c);
    int32_t at = first_difference(c, TABLE, end);
    if (at >= 0 && t->different++ < 5)
        show(c, seed, at);
}

int main(int argc, char **argv) {
    uint64_t cases = argc > 1 ? strtoull(argv[1], NULL, 0) : 3000, seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 370;
    uint64_t first = argc > 3 ? strtoull(argv[3], NULL, 0) : 0;
    struct error e = ERROR_CLEAR;
    struct cost_model model;
    struct assembly code;
    if (!hercules_present()) {
        printf("Hercules is not installed: skipped\n");
        return 77;
    }
    struct hercules *h = hercules_new(2, MEMORY >> 20, &e);
    struct test_case *batch = calloc(BATCH, sizeof *batch);
    struct hercules_job *jobs = calloc(BATCH, sizeof *jobs);
    struct tally t = {0};
    if (!h || !batch || !jobs || !cost_model_find(&model, "flat", &e) ||
        !assemble(&code, "driver.s", driver, strlen(driver), &(struct assembler_options){0}, &e)) {
        fprintf(stderr, "test_channel_against_hercules: %s\n", e.text);
        return 2;
    }
    /* Polling until a slow device is done is the same instruction over and over. */
    model.console_character = model.printer_line = model.reader_card = model.disk_latency = model.disk_block = 100;
    for (uint64_t at = first; at < first + cases;) {
        size_t n = 0;
        for (; n < BATCH && at < first + cases; n++, at++)
            generate(&batch[n], code.image.data, code.image.length, seed, at);
        run_there(h, batch, n, jobs);
        for (size_t i = 0; i < n; i++)
            judge(&t, &batch[i], &jobs[i], run_here(&model, &batch[i]), seed);
    }
    hercules_free(h);
    assembly_fini(&code);
    free(batch);
    free(jobs);
    bool all = covered(&t) || cases < 1000;
    printf("%llu cases (seed %llu): %llu different, %llu failed\n", (unsigned long long)t.cases,
           (unsigned long long)seed, (unsigned long long)t.different, (unsigned long long)t.failed);
    return t.different || t.failed || !all;
}
