/* Initial program load from minidisks: the LOAD key does to a virtual machine what it does to a bare one, whatever its
 * disk is a part of. */
#include "tests/vmm/towers.h"

enum {
    DEEPEST = 3,
    STORAGE = 64 * 1024,
    CYLINDER = 744, /* blocks: parts begin with one, so that the arm has the same ways as on a disk alone */
    INSTRUCTIONS = 40000000,
};

struct run {
    struct tower tower;
    struct cost_model model;
    struct bytes lines;
    struct disk_backing backing;
};

static void take_line(void *self, const char *line, size_t length) {
    bytes_append(self, line, length);
    bytes_append(self, "\n", 1);
}

/* Each level's disk is that of the level below from its second cylinder on; with a depth of 0 the disk is whole. */
static void build(struct run *r, unsigned depth) {
    struct error e = ERROR_CLEAR;
    *r = (struct run){0};
    assert_true(cost_model_find(&r->model, "s370", &e));
    const struct machine_options o = {.memory_bytes = STORAGE,
                                      .model = &r->model,
                                      .nominal_time = true,
                                      .console_line = take_line,
                                      .line_self = &r->lines};
    const struct monitor_options monitors = vmm_default_options();
    towers_build(&r->tower, &o, depth, &monitors);
    uint32_t blocks = NUCLEUS_BLOCKS + depth * CYLINDER;
    assert_true(disk_backing_memory(&r->backing, blocks, &e));
    assert_true(machine_attach(r->tower.bare, ADDRESS_DISK, disk_new(&r->model, &r->backing), &e));
    for (unsigned n = 0; n < depth; n++) {
        blocks -= CYLINDER;
        const struct minidisk part = {
            .address = ADDRESS_DISK, .host_address = ADDRESS_DISK, .first = CYLINDER, .blocks = blocks};
        if (!vmm_minidisk(vmm_guest_at(r->tower.monitor[n], 0), &part, &e))
            fail_msg("%s", e.text);
    }
}

static void drop(struct run *r) {
    tower_free(&r->tower);
    bytes_fini(&r->lines);
}

static void put_file(struct run *r, uint32_t block, const char *path) {
    struct error e = ERROR_CLEAR;
    struct assembly a;
    if (!assemble_file(&a, path, NULL, &e))
        fail_msg("%s", e.text);
    for (size_t at = 0; at < a.image.length; at += DISK_BLOCK_BYTES) {
        uint8_t raw[DISK_BLOCK_BYTES] = {0};
        size_t left = a.image.length - at;
        memcpy(raw, a.image.data + at, left < sizeof raw ? left : sizeof raw);
        assert_true(r->backing.write(r->backing.self, block++, raw));
    }
    assembly_fini(&a);
}

static void test_nucleus_is_loaded_from_a_part_of_a_part(void **state) {
    static uint8_t storage[2][STORAGE];
    struct bytes lines = {0};
    struct machine_state s[2];
    struct machine_stats stats[2];
    (void)state;
    for (unsigned depth = 0; depth <= DEEPEST; depth++) {
        struct run r;
        struct error e = ERROR_CLEAR;
        unsigned at = depth > 0;
        build(&r, depth);
        put_file(&r, depth * CYLINDER, SOURCE_DIR "/scenarios/guests/loader.s");
        put_file(&r, depth * CYLINDER + 1, SOURCE_DIR "/scenarios/guests/nucleus.s");
        struct machine *m = r.tower.innermost;
        if (!machine_ipl(m, ADDRESS_DISK, LOAD_CLEAR, &e))
            fail_msg("depth %u: %s", depth, e.text);
        assert_int_equal(machine_run(m, &(struct machine_limits){.instructions = INSTRUCTIONS}), MACHINE_DISABLED_WAIT);
        machine_state(m, &s[at]);
        machine_stats(m, &stats[at]);
        assert_int_equal(s[at].psw.ia, NUCLEUS_DONE);
        assert_int_equal(machine_peek(m, 0, storage[at], STORAGE), ACCESS_OK);
        memset(storage[at] + 80, 0, 4); /* the interval timer */
        if (depth == 0) {
            bytes_append(&lines, r.lines.data, r.lines.length);
            assert_non_null(strstr((const char *)lines.data, "ALL PROCESSES HAVE ENDED"));
        } else { /* time included: the arm is where it would be */
            assert_int_equal(r.lines.length, lines.length);
            assert_memory_equal(r.lines.data, lines.data, lines.length);
            assert_int_equal(s[1].tod, s[0].tod);
            assert_int_equal(stats[1].instructions, stats[0].instructions);
            assert_memory_equal(storage[1], storage[0], STORAGE);
        }
        drop(&r);
    }
    bytes_fini(&lines);
}

/* Each of them, in one line, and the machine is left as it is. */
static void test_what_cannot_be_loaded_says_why(void **state) {
    struct run r;
    struct error e = ERROR_CLEAR;
    (void)state;
    for (unsigned depth = 1; depth <= 2; depth++) {
        build(&r, depth); /* with a disk of zeros, which are no channel program */
        struct machine *m = r.tower.innermost;
        assert_false(machine_ipl(m, ADDRESS_DISK, LOAD_CLEAR, &e));
        assert_non_null(strstr(e.text, "cannot be loaded from device 150: the channel program is not valid"));
        assert_string_equal(machine_status_name(machine_status(m)), "load");
        drop(&r);
    }
}

/* Parts of no disk, of another device, and of what is beyond the end of one. */
static void test_parts_of_nothing_cannot_be_loaded(void **state) {
    static const struct {
        uint16_t host_address;
        uint32_t first;
    } parts[] = {{0x151, 0}, {ADDRESS_CONSOLE, 0}, {ADDRESS_DISK, 10}, {ADDRESS_DISK, UINT32_MAX - 10}};
    struct cost_model model;
    (void)state;
    for (size_t n = 0; n < sizeof parts / sizeof *parts; n++) {
        struct error e = ERROR_CLEAR;
        struct tower t;
        struct disk_backing disk;
        const struct monitor_options monitors = vmm_default_options();
        assert_true(cost_model_find(&model, "s370", &e));
        const struct machine_options o = {.memory_bytes = STORAGE, .model = &model};
        towers_build(&t, &o, 1, &monitors);
        assert_true(disk_backing_memory(&disk, 10, &e));
        assert_true(machine_attach(t.bare, ADDRESS_DISK, disk_new(&model, &disk), &e));
        const struct minidisk part = {
            .address = 0x150, .host_address = parts[n].host_address, .first = parts[n].first, .blocks = 10};
        assert_true(vmm_minidisk(t.innermost, &part, &e));
        assert_false(machine_ipl(t.innermost, 0x150, LOAD_NORMAL, &e));
        assert_non_null(strstr(e.text, "cannot be loaded from device 150: the device failed"));
        tower_free(&t);
    }
}

static void test_parts_of_more_disks_than_there_is_room_for_are_refused(void **state) {
    struct cost_model model;
    struct error e = ERROR_CLEAR;
    (void)state;
    assert_true(cost_model_find(&model, "s370", &e));
    const struct machine_options o = {.memory_bytes = 1 << 20, .model = &model};
    const struct guest_options guest = {.memory_bytes = 64 * 1024};
    struct machine *host = machine_new(&o, &e), *g[3];
    struct vmm *v = vmm_new(host, "trap-and-emulate", &e);
    struct minidisk part = {.address = 0x150, .blocks = 1};
    for (unsigned n = 0; n < 3; n++)
        assert_non_null(g[n] = vmm_guest(v, &guest, &e));
    for (unsigned n = 0; n < 4; n++) {
        part.address = (uint16_t)(0x150 + n % 2);
        part.host_address = (uint16_t)(0x150 + n);
        assert_true(vmm_minidisk(g[n / 2], &part, &e));
    }
    part.host_address = 0x154;
    assert_false(vmm_minidisk(g[2], &part, &e));
    assert_string_equal(e.text, "the guests of a monitor have parts of at most 4 disks");
    vmm_free(v);
    machine_free(host);

    const struct machine_options small = {.memory_bytes = vmm_host_bytes(64 * 1024) - 4096, .model = &model};
    host = machine_new(&small, &e);
    v = vmm_new(host, "trap-and-emulate", &e);
    e = ERROR_CLEAR;
    assert_non_null(g[0] = vmm_guest(v, &guest, &e));
    assert_false(vmm_minidisk(g[0], &part, &e));
    assert_string_equal(e.text,
                        "the machine has 252 KB, and no 32 KB in one piece are left for the channel programs of "
                        "its disk");
    vmm_free(v);
    machine_free(host);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nucleus_is_loaded_from_a_part_of_a_part),
        cmocka_unit_test(test_what_cannot_be_loaded_says_why),
        cmocka_unit_test(test_parts_of_nothing_cannot_be_loaded),
        cmocka_unit_test(test_parts_of_more_disks_than_there_is_room_for_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
