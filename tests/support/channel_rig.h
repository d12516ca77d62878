/* A channel set on a host that is an array, with two consoles, a third on a far channel, and a printer: what the tests
 * of channels and devices stand on. */
#ifndef TESTS_SUPPORT_CHANNEL_RIG_H
#define TESTS_SUPPORT_CHANNEL_RIG_H

#include "tests/support/unit.h"

#include "base/bytes.h"
#include "isa/channel.h"
#include "isa/disk.h"

enum {
    STORAGE_BYTES = 64 * 1024,
    BLOCK = 2048,
    CONSOLE = 0x009,
    PRINTER = 0x00E,
    SECOND = 0x150, /* another console, on channel 1 */
    FAR = 0x2801,   /* and one on channel 40 */
    PROGRAM = 0x500,
    DATA = 0x600,
};
#define ALL_CHANNELS UINT32_C(0xFFFFFFFF)
#define CHANNEL_0 UINT32_C(0x80000000)
#define CHANNEL_1 UINT32_C(0x40000000)

enum { CD = 0x80, CC = 0x40, SLI = 0x20, SKIP = 0x10, PCI = 0x08, IDA = 0x04 };

struct rig {
    uint8_t storage[STORAGE_BYTES];
    uint8_t keys[STORAGE_BYTES / BLOCK]; /* ACC in bits 0-3, X'08' fetch protection */
    struct timeline *timeline;
    struct channel_set *set;
    struct cost_model model;
    struct bytes lines; /* what the line callbacks said, each ended by '|' */
    unsigned notified;
    unsigned accesses, drop_at; /* the access at which the caller is dropped; 0: never */
    jmp_buf dropped;
};

int rig_setup(void **state); /* of cmocka: *state is a struct rig */
int rig_teardown(void **state);
int rig_setup_architecture(void **state); /* with the architecture's conditions */
#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
#define ARCHITECTURE_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup_architecture, rig_teardown)
/* More devices: a disk of zeros, an empty card reader. */
void attach_disk(struct rig *f, uint16_t address, uint32_t blocks);
struct device *attach_reader(struct rig *f, uint16_t address);
/* A device_line, self being the rig. */
void rig_line(void *self, const char *line, size_t length);

/* Text into storage, in EBCDIC; a CCW; and a whole channel program at PROGRAM, beside HELLO, WORLD at DATA. */
void put_text(struct rig *f, uint32_t at, const char *text);
void put_ccw(struct rig *f, uint32_t at, uint8_t code, uint32_t address, uint8_t flags, uint16_t count);
struct ccw_text {
    uint8_t code;
    uint32_t address;
    uint8_t flags;
    uint16_t count;
};
#define PUT(f, ...)                                                                                                    \
    put_program(f, (const struct ccw_text[]){__VA_ARGS__},                                                             \
                sizeof((const struct ccw_text[]){__VA_ARGS__}) / sizeof(struct ccw_text))
void put_program(struct rig *f, const struct ccw_text *ccws, size_t count);

/* SIO under Hercules' conditions, where condition code 1 does not occur. */
unsigned start_io(struct rig *f, uint16_t address, uint32_t caw);
void pass_cycles(struct rig *f, uint64_t cycles);
void pass_all_time(struct rig *f);

/* The next interruption is this one. */
void assert_interruption(struct rig *f, uint32_t channels, uint16_t address, uint64_t csw);
void assert_no_interruption(struct rig *f);
/* Starts the program at PROGRAM, lets its time pass, and compares the one CSW it leaves. */
void assert_csw_of(struct rig *f, uint16_t address, uint32_t caw, uint64_t csw);
void assert_text(const struct bytes *text, const char *expected);

#endif
