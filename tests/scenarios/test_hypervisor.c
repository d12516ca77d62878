/* scenarios/guests/hypervisor.s: what runs on it cannot tell. The same lines, and the same instructions and
 * interruptions where time does not matter, bare, under it at depths 1 to 3, and with it and the monitor in C stacked
 * in every order of three; and what is seen of its guests through its map. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/random.h"
#include "isa/assembler.h"
#include "isa/disk.h"
#include "isa/machine.h"
#include "tests/support/orders.h"
#include "tests/support/unit.h"

enum {
    SMALL = 64 * 1024,
    MIDDLE = 96 * 1024,
    DISK_BLOCKS = 1216,
    INSTRUCTIONS = 200000000,
    ALL_ENDED = 0xD09E, /* where hypervisor.s stops */
    ONE_DIED = 0xDEAD,
    GUESTS = 0x200, /* its parameters */
    SLICE = 0x208,
    DEVICES = 0x230,
    BLOCKS = 0x2B4, /* its map */
    LENGTH = 0x2B8,
    STORAGE = 0x8000, /* of guest 0 */
};

static void take_line(void *self, const char *line, size_t length) {
    bytes_append(self, line, length);
    bytes_append(self, "\n", 1);
}

struct run {
    struct order order;
    struct cost_model model;
    struct bytes lines;
};

static void build(struct run *r, const char *kinds, const char *file, uint32_t memory, uint32_t disk) {
    struct error e = ERROR_CLEAR;
    *r = (struct run){0};
    assert_true(cost_model_find(&r->model, "s370", &e));
    order_new(&r->order, kinds,
              &(struct machine_options){
                  .memory_bytes = memory, .model = &r->model, .console_line = take_line, .line_self = &r->lines},
              disk);
    if (file)
        order_load(r->order.innermost, file);
}

static void drop(struct run *r) {
    order_free(&r->order);
    bytes_fini(&r->lines);
}

static uint32_t word(struct machine *m, uint32_t at) {
    uint8_t raw[4];
    assert_int_equal(machine_peek(m, at, raw, sizeof raw), ACCESS_OK);
    return bytes_get32(raw);
}

static void set_word(struct machine *m, uint32_t at, uint32_t value) {
    uint8_t raw[4];
    bytes_put32(raw, value);
    assert_int_equal(machine_poke(m, at, raw, sizeof raw), ACCESS_OK);
}

static void check_same(const struct bytes *bare, const struct bytes *under, const char *where) {
    if (bare->length == 0 || bare->length != under->length || memcmp(bare->data, under->data, bare->length) != 0)
        fail_msg("%s wrote\n%.*s\nbare it is\n%.*s", where, (int)under->length, (const char *)under->data,
                 (int)bare->length, (const char *)bare->data);
}

/* Runs it to a disabled wait, and says where that is. */
static uint32_t finish(struct run *r, const char *where) {
    struct machine_state s;
    enum machine_status status = order_run(&r->order, INSTRUCTIONS);
    machine_state(r->order.innermost, &s);
    if (status != MACHINE_DISABLED_WAIT)
        fail_msg("%s: %s at %06X %s\n%.*s", where, machine_status_name(status), s.psw.ia, machine_fault(r->order.bare),
                 (int)r->lines.length, (const char *)r->lines.data);
    return s.psw.ia;
}

static const char *const orders[] = {"A", "AA", "CA", "AC", "CCA", "CAC", "CAA", "ACC", "ACA", "AAC", "AAA"};
enum { ORDERS = sizeof orders / sizeof orders[0] };

/* ---- nucleus.s ---- */

static void test_nucleus_writes_the_same_lines_in_every_order(void **state) {
    (void)state;
    struct run bare;
    build(&bare, "", "nucleus.s", MIDDLE, DISK_BLOCKS);
    uint32_t end = finish(&bare, "bare");
    for (size_t i = 0; i < ORDERS; i++) {
        struct run r;
        build(&r, orders[i], "nucleus.s", MIDDLE, DISK_BLOCKS);
        assert_int_equal(finish(&r, orders[i]), end);
        check_same(&bare.lines, &r.lines, orders[i]);
        drop(&r);
    }
    drop(&bare);
}

/* The smallest pages a thousand times. */
static void test_nucleus_pages_under_it(void **state) {
    (void)state;
    struct run bare, r;
    build(&bare, "", "nucleus.s", SMALL, DISK_BLOCKS);
    finish(&bare, "bare");
    for (size_t i = 0; i < 4; i++) {
        build(&r, orders[i], "nucleus.s", SMALL, DISK_BLOCKS);
        finish(&r, orders[i]);
        check_same(&bare.lines, &r.lines, orders[i]);
        drop(&r);
    }
    drop(&bare);
}

/* Nothing but an image: hypervisor.s, as often as one likes, and the guest behind it. */
static void test_an_image_of_hypervisors_and_a_guest_runs_as_it_is(void **state) {
    (void)state;
    struct run bare;
    build(&bare, "", "nucleus.s", MIDDLE, DISK_BLOCKS);
    finish(&bare, "bare");
    for (uint32_t depth = 1; depth <= 3; depth++) {
        struct run r;
        struct machine_state s;
        uint8_t *image = calloc(3, STORAGE);
        struct error e = ERROR_CLEAR;
        assert_non_null(image);
        build(&r, "", "hypervisor.s", MIDDLE + depth * ASSEMBLER_BYTES, DISK_BLOCKS);
        assert_int_equal(machine_peek(r.order.bare, 0, image, STORAGE), ACCESS_OK);
        for (uint32_t n = 1; n < depth; n++)
            assert_true(machine_load(r.order.bare, n * STORAGE, image, STORAGE, &e));
        order_load(bare.order.bare, "nucleus.s"); /* its image, from another machine */
        assert_int_equal(machine_peek(bare.order.bare, 0, image, 2 * STORAGE), ACCESS_OK);
        assert_true(machine_load(r.order.bare, depth * STORAGE, image, 2 * STORAGE, &e));
        finish(&r, "an image");
        machine_state(r.order.bare, &s);
        assert_int_equal(s.psw.ia, ALL_ENDED);
        check_same(&bare.lines, &r.lines, "an image");
        free(image);
        drop(&r);
    }
    drop(&bare);
}

/* ---- The others ---- */

static void test_small_guests_do_the_same_in_every_order(void **state) {
    (void)state;
    static const char *const files[] = {"hello.s", "primes.s", "walk.s", "collatz.s"};
    for (size_t f = 0; f < sizeof files / sizeof files[0]; f++) {
        struct run bare;
        struct machine_stats alone;
        build(&bare, "", files[f], SMALL, 0);
        uint32_t end = finish(&bare, files[f]);
        machine_stats(bare.order.innermost, &alone);
        for (size_t i = 0; i < ORDERS; i++) {
            struct run r;
            struct machine_stats stats;
            char where[64];
            snprintf(where, sizeof where, "%s in order %s", files[f], orders[i]);
            build(&r, orders[i], files[f], SMALL, 0);
            assert_int_equal(finish(&r, where), end);
            check_same(&bare.lines, &r.lines, where);
            machine_stats(r.order.innermost, &stats);
            assert_int_equal(stats.instructions, alone.instructions);
            for (int c = 0; c < INTERRUPTION_CLASSES; c++)
                assert_int_equal(stats.interruptions[c], alone.interruptions[c]);
            drop(&r);
        }
        drop(&bare);
    }
}

/* Somebody types on the console of the bare machine, that of its first guest. */
static void test_an_operator_reaches_the_first_guest(void **state) {
    (void)state;
    static const char *const typed[] = {"e Hello, World", "g",      "r", "d 2000 20", "a 3100 051007F1",
                                        "g 3100",         "d 200x", "h", "q"};
    static const char *const kinds[] = {"", "A", "AA"};
    struct bytes bare = {0};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        struct run r;
        build(&r, kinds[k], "monitor.s", SMALL, 0);
        machine_restart(r.order.bare);
        for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++) {
            assert_true(console_type(machine_device(r.order.bare, ADDRESS_CONSOLE), typed[i], strlen(typed[i])));
            machine_run(r.order.bare, &(struct machine_limits){.cycles = 400000000});
        }
        assert_int_equal(machine_run(r.order.bare, &(struct machine_limits){.cycles = 400000000}),
                         MACHINE_DISABLED_WAIT);
        if (k == 0)
            bytes_append(&bare, r.lines.data, r.lines.length);
        else
            check_same(&bare, &r.lines, kinds[k]);
        drop(&r);
    }
    bytes_fini(&bare);
}

/* ---- Two at once ---- */

enum { OTHER_CONSOLE = 0x01F };

/* hypervisor.s with two guests: 0 has the console 009, 1 has 01F as its 009, and each a half of the disk. */
static void build_pair(struct run *r, const char *first, const char *second, uint32_t memory, struct bytes *others) {
    struct error e = ERROR_CLEAR;
    build(r, "", "hypervisor.s", 2 * memory + 2 * ASSEMBLER_BYTES, 2 * DISK_BLOCKS);
    struct machine *m = r->order.bare;
    assert_true(machine_attach(m, OTHER_CONSOLE, console_new(&r->model, take_line, others, false), &e));
    static const uint8_t rows[2][16] = {{0x00, 0x00, 0x00, 0x09, 0x00, 0x09}, {0x01, 0x00, 0x00, 0x09, 0x00, 0x1F}};
    machine_poke(m, DEVICES, rows[0], 16);
    machine_poke(m, DEVICES + 16, rows[1], 16); /* instead of the reader */
    struct map *f = r->order.map[0] = map_new(m, &e);
    assert_non_null(f);
    r->order.count = 1;
    struct machine *a = map_guest(f, 0, memory, "first", &e), *b = map_guest(f, 1, memory, "second", &e);
    if (!a || !b)
        fail_msg("%s", e.text);
    assert_int_equal(word(m, GUESTS), 2);
    order_load(a, first);
    order_load(b, second);
}

static void test_two_guests_run_at_once_and_each_is_alone(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"nucleus.s", "nucleus.s"}, {"nucleus.s", "primes.s"}, {"walk.s", "nucleus.s"}, {"primes.s", "collatz.s"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct run r, alone[2];
        struct bytes others = {0};
        struct machine_state s;
        struct error e = ERROR_CLEAR;
        build_pair(&r, pairs[i][0], pairs[i][1], SMALL, &others);
        assert_int_equal(order_run(&r.order, INSTRUCTIONS), MACHINE_DISABLED_WAIT);
        machine_state(r.order.bare, &s);
        assert_int_equal(s.psw.ia, ALL_ENDED);
        for (unsigned n = 0; n < 2; n++) {
            build(&alone[n], "", pairs[i][n], SMALL, DISK_BLOCKS);
            uint32_t end = finish(&alone[n], pairs[i][n]);
            check_same(&alone[n].lines, n ? &others : &r.lines, pairs[i][n]);
            machine_state(map_guest(r.order.map[0], n, 0, NULL, &e), &s);
            assert_int_equal(s.psw.ia, end);
            drop(&alone[n]);
        }
        drop(&r);
        bytes_fini(&others);
    }
}

/* The slices of two that never wait. */
static void test_guests_that_compute_take_turns(void **state) {
    (void)state;
    struct run r;
    struct bytes others = {0};
    struct error e = ERROR_CLEAR;
    static const uint8_t loop[] = {0x41, 0x10, 0x10, 0x01, 0x47, 0xF0, 0x02, 0x00}; /* LA 1,1(1); B 200 */
    static const uint8_t psw[] = {0x00, 0x08, 0, 0, 0, 0, 0x02, 0x00};
    build_pair(&r, "hello.s", "hello.s", SMALL, &others);
    struct machine_stats stats[2];
    struct machine *guest[2];
    for (unsigned n = 0; n < 2; n++) {
        guest[n] = map_guest(r.order.map[0], n, 0, NULL, &e);
        assert_true(machine_load(guest[n], 0x200, loop, sizeof loop, &e));
        machine_start_psw(guest[n], psw);
    }
    machine_restart(r.order.bare);
    assert_int_equal(machine_run(r.order.bare, &(struct machine_limits){.instructions = 5000000}), MACHINE_READY);
    for (unsigned n = 0; n < 2; n++)
        machine_stats(guest[n], &stats[n]);
    assert_in_range(stats[0].instructions, 2000000, 3000000);
    assert_in_range(stats[1].instructions, 2000000, 3000000);
    drop(&r);
    bytes_fini(&others);
}

/* ---- How it ends ---- */

static void test_it_says_how_its_guests_have_ended(void **state) {
    (void)state;
    static const struct {
        const char *what;
        uint8_t psw[8];
        enum machine_status status;
        uint32_t stop;
    } rows[] = {
        {"a disabled wait", {0, 0x0A, 0, 0, 0, 0, 0x12, 0x34}, MACHINE_DISABLED_WAIT, ALL_ENDED},
        {"a program new PSW that is not valid", {0, 0x08, 0, 0, 0, 0, 0, 1}, MACHINE_CHECK_STOP, ONE_DIED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static const uint8_t invalid[8] = {0xFF, 0x08};
        struct run r;
        struct machine_state s;
        build(&r, "A", "hello.s", SMALL, 0);
        machine_poke(r.order.innermost, 0x68, invalid, 8);
        machine_start_psw(r.order.innermost, rows[i].psw);
        assert_int_equal(order_run(&r.order, 1000000), rows[i].status);
        machine_state(r.order.bare, &s);
        assert_int_equal(s.psw.ia, rows[i].stop);
        drop(&r);
    }
}

static void test_it_refuses_what_it_cannot_do(void **state) {
    (void)state;
    static const struct {
        uint32_t at, value, stop;
    } rows[] = {
        {GUESTS, 0, 0xBAD06},         {GUESTS, 9, 0xBAD06},           {GUESTS, 0xFFFFFFFF, 0xBAD06},
        {GUESTS + 4, 0, 0xBAD06},     {GUESTS + 4, 17, 0xBAD06},      {0x20C, 0x00FFF000, 0xBAD05},
        {0x20C, 0x80000000, 0xBAD06}, {0x20C, SMALL + 4096, 0xBAD05}, {GUESTS, 8, 0xBAD05},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct run r;
        struct machine_state s;
        build(&r, "", "hypervisor.s", SMALL + ASSEMBLER_BYTES, 0);
        set_word(r.order.bare, rows[i].at, rows[i].value);
        assert_int_equal(order_run(&r.order, 1000000), MACHINE_DISABLED_WAIT);
        machine_state(r.order.bare, &s);
        assert_int_equal(s.psw.ia, rows[i].stop);
        drop(&r);
    }
}

/* ---- The books ---- */

/* What passes while the guest runs is the guest's, level by level; and the sums come out. */
static void test_cycles_are_booked_to_the_levels_that_its_map_tells(void **state) {
    (void)state;
    struct run bare;
    build(&bare, "", "primes.s", SMALL, 0);
    finish(&bare, "bare");
    uint64_t direct = machine_booked(bare.order.bare, 0, CAUSE_DIRECT);
    for (size_t i = 0; i < ORDERS; i++) {
        struct run r;
        struct machine_stats stats;
        uint64_t sum = 0;
        build(&r, orders[i], "primes.s", SMALL, 0);
        finish(&r, orders[i]);
        int depth = (int)strlen(orders[i]);
        uint64_t own = machine_booked(r.order.bare, depth, CAUSE_DIRECT);
        if (own > direct || own < direct - direct / 10)
            fail_msg("%s: %" PRIu64 " cycles at level %d, %" PRIu64 " bare", orders[i], own, depth, direct);
        for (int level = 0; level < MACHINE_LEVELS; level++) {
            uint64_t all = machine_booked_level(r.order.bare, level);
            assert_true(level <= depth ? all > 0 : all == 0);
            sum += all;
        }
        machine_stats(r.order.bare, &stats);
        assert_int_equal(sum, stats.cycles);
        drop(&r);
    }
    drop(&bare);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nucleus_writes_the_same_lines_in_every_order),
        cmocka_unit_test(test_nucleus_pages_under_it),
        cmocka_unit_test(test_an_image_of_hypervisors_and_a_guest_runs_as_it_is),
        cmocka_unit_test(test_small_guests_do_the_same_in_every_order),
        cmocka_unit_test(test_an_operator_reaches_the_first_guest),
        cmocka_unit_test(test_two_guests_run_at_once_and_each_is_alone),
        cmocka_unit_test(test_guests_that_compute_take_turns),
        cmocka_unit_test(test_it_says_how_its_guests_have_ended),
        cmocka_unit_test(test_it_refuses_what_it_cannot_do),
        cmocka_unit_test(test_cycles_are_booked_to_the_levels_that_its_map_tells),
    };
    return cmocka_run_group_tests_name("hypervisor", tests, NULL, NULL);
}
