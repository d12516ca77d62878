#include "tests/support/channel_rig.h"

#include <stdlib.h>
#include <string.h>

#include "isa/assembler.h"

/* --- the host ----------------------------------------------------------------------------------------------------- */

static void access_storage(struct rig *f, unsigned key, uint32_t length, uint32_t absolute) {
    if (++f->accesses == f->drop_at)
        longjmp(f->dropped, 1);
    assert_in_range(key, 0, 15);
    assert_in_range(length, 1, BLOCK);
    assert_true(absolute <= 0xFFFFFF);
    assert_int_equal(absolute / BLOCK, (absolute + length - 1) / BLOCK);
}

static uint8_t host_fetch(void *self, uint32_t absolute, unsigned key, void *to, uint32_t length) {
    struct rig *f = self;
    access_storage(f, key, length, absolute);
    if (absolute + length > STORAGE_BYTES)
        return CHANNEL_PROGRAM_CHECK;
    uint8_t lock = f->keys[absolute / BLOCK];
    if (key != 0 && (lock & 0x08) && lock >> 4 != key)
        return CHANNEL_PROTECTION_CHECK;
    memcpy(to, f->storage + absolute, length);
    return 0;
}

static uint8_t host_store(void *self, uint32_t absolute, unsigned key, const void *from, uint32_t length) {
    struct rig *f = self;
    access_storage(f, key, length, absolute);
    if (absolute + length > STORAGE_BYTES)
        return CHANNEL_PROGRAM_CHECK;
    if (key != 0 && f->keys[absolute / BLOCK] >> 4 != key)
        return CHANNEL_PROTECTION_CHECK;
    memcpy(f->storage + absolute, from, length);
    return 0;
}

static void host_notify(void *self) { ((struct rig *)self)->notified++; }

void rig_line(void *self, const char *line, size_t length) {
    struct rig *f = self;
    bytes_append(&f->lines, line, length);
    bytes_append(&f->lines, "|", 1);
}

static int set_up(void **state, enum channel_conditions conditions) {
    struct rig *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->timeline = timeline_new();
    assert_non_null(f->timeline);
    f->model.console_character = 600000;
    f->model.printer_line = 500000;
    f->model.reader_card = 652000;
    f->model.disk_seek = 43500;
    f->model.disk_cylinder = 400;
    f->model.disk_latency = 87800;
    f->model.disk_block = 2800;
    struct channel_host host = {.fetch = host_fetch,
                                .store = host_store,
                                .self = f,
                                .timeline = f->timeline,
                                .notify = host_notify,
                                .conditions = conditions};
    f->set = channel_set_new(&host);
    assert_non_null(f->set);
    assert_true(channel_attach(f->set, CONSOLE, console_new(&f->model, rig_line, f, false)));
    assert_true(channel_attach(f->set, PRINTER, printer_new(&f->model, rig_line, f, false)));
    assert_true(channel_attach(f->set, SECOND, console_new(&f->model, NULL, NULL, false)));
    assert_true(channel_attach(f->set, FAR, console_new(&f->model, NULL, NULL, false)));
    *state = f;
    return 0;
}

int rig_setup(void **state) { return set_up(state, CHANNEL_CONDITIONS_HERCULES); }
int rig_setup_architecture(void **state) { return set_up(state, CHANNEL_CONDITIONS_ARCHITECTURE); }

int rig_teardown(void **state) {
    struct rig *f = *state;
    channel_set_free(f->set);
    timeline_free(f->timeline);
    bytes_fini(&f->lines);
    free(f);
    return 0;
}

/* --- helpers ------------------------------------------------------------------------------------------------------ */

void put_text(struct rig *f, uint32_t at, const char *text) {
    while (*text)
        f->storage[at++] = ebcdic_from_latin1[(uint8_t)*text++];
}

void put_ccw(struct rig *f, uint32_t at, uint8_t code, uint32_t address, uint8_t flags, uint16_t count) {
    uint8_t *p = f->storage + at;
    p[0] = code;
    bytes_put24(p + 1, address);
    p[4] = flags;
    p[5] = 0xA5; /* ignored */
    bytes_put16(p + 6, count);
}

void put_program(struct rig *f, const struct ccw_text *ccws, size_t count) {
    put_text(f, DATA, "HELLO, WORLD");
    for (size_t i = 0; i < count; i++)
        put_ccw(f, PROGRAM + 8 * (uint32_t)i, ccws[i].code, ccws[i].address, ccws[i].flags, ccws[i].count);
}

unsigned start_io(struct rig *f, uint16_t address, uint32_t caw) {
    uint64_t csw;
    unsigned cc = channel_start_io(f->set, address, caw, &csw);
    assert_int_not_equal(cc, 1);
    return cc;
}

void pass_cycles(struct rig *f, uint64_t cycles) {
    timeline_advance(f->timeline, timeline_now(f->timeline) + cycles * CYCLE_PICOSECONDS);
}

void pass_all_time(struct rig *f) {
    while (timeline_next(f->timeline) != SIM_TIME_NEVER)
        timeline_advance(f->timeline, timeline_next(f->timeline));
}

void assert_interruption(struct rig *f, uint32_t channels, uint16_t address, uint64_t csw) {
    uint16_t got = 0;
    uint64_t its = 0;
    assert_true(channel_has_interruption(f->set, channels));
    assert_true(channel_take_interruption(f->set, channels, &got, &its));
    assert_int_equal(got, address);
    if (its != csw)
        fail_msg("CSW %016llX, not %016llX", (unsigned long long)its, (unsigned long long)csw);
}

void assert_no_interruption(struct rig *f) {
    uint16_t address;
    uint64_t csw;
    assert_false(channel_take_interruption(f->set, ALL_CHANNELS, &address, &csw));
    assert_false(channel_has_interruption(f->set, ALL_CHANNELS));
}

void assert_csw_of(struct rig *f, uint16_t address, uint32_t caw, uint64_t csw) {
    assert_int_equal(start_io(f, address, caw), 0);
    pass_all_time(f);
    assert_interruption(f, ALL_CHANNELS, address, csw);
    assert_no_interruption(f);
}

void attach_disk(struct rig *f, uint16_t address, uint32_t blocks) {
    struct disk_backing b;
    struct error e = ERROR_CLEAR;
    assert_true(disk_backing_memory(&b, blocks, &e));
    assert_true(channel_attach(f->set, address, disk_new(&f->model, &b)));
}

struct device *attach_reader(struct rig *f, uint16_t address) {
    struct device *d = reader_new(&f->model);
    assert_true(channel_attach(f->set, address, d));
    return d;
}

void assert_text(const struct bytes *text, const char *expected) {
    assert_int_equal(text->length, strlen(expected));
    if (text->length)
        assert_memory_equal(text->data, expected, text->length);
}
