#include "tests/support/channel_cases.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/random.h"
#include "isa/assembler.h"
#include "isa/disk.h"

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

/* --- random channel programs -------------------------------------------------------------------------------------- */

struct generator {
    struct random r;
    struct channel_case *c;
    uint32_t control, list; /* where the next ones go */
    uint32_t key;           /* of the present step */
};

static uint32_t below(struct generator *g, uint32_t n) { return (uint32_t)random_below(&g->r, n); }
static bool chance(struct generator *g, unsigned percent) { return below(g, 100) < percent; }

static void put_ccw(struct channel_case *c, uint32_t at, uint8_t code, uint32_t address, uint8_t flags,
                    uint32_t count) {
    uint8_t *p = c->image + at;
    p[0] = code;
    bytes_put24(p + 1, address);
    p[4] = flags;
    bytes_put16(p + 6, (uint16_t)count);
}

static uint32_t data_address(struct generator *g) {
    if (!g->key && chance(g, 2))                    /* with a key it may be protected as well: either may come first */
        return chance(g, 50) ? 0x1FFFF0 : 0x300000; /* its end is beyond the storage, or all of it */
    return CASE_DATA + below(g, 0x5000);
}

/* A list for so many bytes; its address. */
static uint32_t put_list(struct generator *g, uint32_t count) {
    uint32_t at = g->list, first = data_address(g);
    bytes_put32(g->c->image + at, first);
    for (uint32_t i = 1; i < 16 && i < 2 + count / 2048; i++)
        bytes_put32(g->c->image + at + 4 * i, chance(g, 3) ? 0x4321 : CASE_DATA + 2048 * below(g, 10));
    g->list = CASE_LISTS + (g->list + 64 - CASE_LISTS) % 0x800;
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
    g->control = CASE_CONTROL + (g->control + 32 - CASE_CONTROL) % 0x800;
    return at;
}

static uint32_t put_extent(struct generator *g, uint32_t *first, uint32_t *blocks) {
    static const uint8_t masks[] = {0xC0, 0xC0, 0xC0, 0xC0, 0x40, 0x00, 0x80, 0xC4, 0xC8, 0x20};
    uint8_t *p = g->c->image + control_area(g);
    uint32_t at = below(g, CASE_BLOCKS);
    *first = chance(g, 50) ? 0 : below(g, 1000);
    *blocks = 1 + below(g, CASE_BLOCKS - at + chance(g, 10));
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
    uint32_t first = 0, blocks = CASE_BLOCKS, wanted = 1;
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
            put_ccw(g->c, at, code, CASE_DATA, random_flags(g, n == 1) & (uint8_t) ~(PCI | 3), count);
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
    case ADDRESS_CONSOLE: lines_program(g, at, console, sizeof console, 0x09); break;
    case ADDRESS_READER: lines_program(g, at, reader, g->c->cards < CASE_CARDS ? 6 : sizeof reader, 0x02); break;
    case ADDRESS_PRINTER: lines_program(g, at, printer, sizeof printer, 0x09); break;
    default: disk_program(g, at); break;
    }
}

/* The first step: all of the disk from CASE_DATA on. */
static void fill_disk(struct channel_case *c) {
    static const uint8_t extent[16] = {0xC0, [15] = CASE_BLOCKS - 1}, locate[8] = {1, 0, 0, CASE_BLOCKS};
    memcpy(c->image + CASE_CONTROL, extent, sizeof extent);
    memcpy(c->image + CASE_CONTROL + 32, locate, sizeof locate);
    put_ccw(c, CASE_CCWS, 0x63, CASE_CONTROL, CC, 16);
    put_ccw(c, CASE_CCWS + 8, 0x43, CASE_CONTROL + 32, CC, 8);
    put_ccw(c, CASE_CCWS + 16, 0x41, CASE_DATA, 0, CASE_BLOCKS * 512);
}

bool channel_case_generate(struct channel_case *c, uint64_t seed, uint64_t number) {
    static const uint16_t devices[] = {ADDRESS_CONSOLE, ADDRESS_READER, ADDRESS_PRINTER, ADDRESS_DISK, ADDRESS_DISK,
                                       ADDRESS_DISK,    0x0FF};
    struct generator g = {.c = c, .control = CASE_CONTROL + 64, .list = CASE_LISTS};
    char stream[64];
    struct assembly code;
    struct error e = ERROR_CLEAR;
    snprintf(stream, sizeof stream, "channel programs %llu", (unsigned long long)number);
    random_init(&g.r, seed, stream);
    memset(c, 0, sizeof *c);
    c->number = number;
    if (!assemble(&code, "driver.s", driver, strlen(driver), &(struct assembler_options){0}, &e))
        return false;
    memcpy(c->image, code.image.data, code.image.length);
    assembly_fini(&code);
    for (uint32_t at = CASE_DATA; at < CASE_IMAGE; at++)
        c->image[at] = (uint8_t)below(&g, 256);
    for (size_t i = 0; i < sizeof c->deck; i++)
        c->deck[i] = (uint8_t)below(&g, 256);
    c->cards = chance(&g, 20) ? below(&g, 5) : CASE_CARDS;
    fill_disk(c);
    bool read_before = false;
    for (uint32_t step = 0; step < CASE_STEPS; step++) {
        uint16_t device = step == 0 ? ADDRESS_DISK : devices[below(&g, chance(&g, 97) ? 6 : 7)];
        if (device == ADDRESS_READER && g.c->cards < CASE_CARDS && read_before)
            device = ADDRESS_DISK; /* what comes after the end of a deck is another matter */
        read_before = read_before || device == ADDRESS_READER;
        uint32_t at = CASE_CCWS + step * CASE_PROGRAM_BYTES;
        g.key = step && chance(&g, 15) ? 1 + below(&g, 2) : 0;
        if (step)
            program(&g, device, at);
        bytes_put32(c->image + CASE_TABLE + 8 * step, device);
        bytes_put32(c->image + CASE_TABLE + 8 * step + 4, g.key << 28 | (at + (step && chance(&g, 1) ? 4 : 0)));
    }
    return true;
}

/* --- running ------------------------------------------------------------------------------------------------------ */

bool channel_case_run(struct machine *m, const struct channel_case *c, uint8_t to[CASE_IMAGE]) {
    struct error e = ERROR_CLEAR;
    struct disk_backing b;
    if (!machine_load(m, 0, c->image, CASE_IMAGE, &e) ||
        !reader_load(machine_device(m, ADDRESS_READER), c->deck, c->cards * READER_COLUMNS, true, &e) ||
        !disk_backing_memory(&b, CASE_BLOCKS, &e) ||
        !machine_attach(m, ADDRESS_DISK, disk_new(machine_model(m), &b), &e))
        return false;
    machine_restart(m);
    enum machine_status status = machine_run(m, &(struct machine_limits){.instructions = 2000000});
    machine_peek(m, 0, to, CASE_IMAGE);
    return status == MACHINE_DISABLED_WAIT;
}

bool channel_case_model(struct cost_model *model) {
    struct error e = ERROR_CLEAR;
    if (!cost_model_find(model, "flat", &e))
        return false;
    model->console_character = model->printer_line = model->reader_card = 100;
    model->disk_latency = model->disk_block = 100;
    return true;
}
