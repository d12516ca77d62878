/* The map f as data: at any moment of a run, at every level, what stands in the host is f of the guest's value; where
 * each piece is; and what bad questions are answered. */
#include <inttypes.h>
#include <stdio.h>

#include "base/random.h"
#include "tests/support/orders.h"
#include "tests/vmm/towers.h"
#include "vmm/isomorphism.h"

enum { SMALL = 64 * 1024, DISK_BLOCKS = 1216 };

static struct cost_model model;

static void expect_row(const struct isomorphism *f, const struct isomorphism_row *row, const char *name) {
    char piece[ISOMORPHISM_TEXT], place[ISOMORPHISM_TEXT];
    isomorphism_piece_text(row, piece);
    isomorphism_place_text(row, place);
    uint64_t clock = row->host ? f->level[0].below.tod : 0;
    for (unsigned n = 0; n < f->levels; n++)
        if (f->level[n].machine == row->machine)
            clock = f->level[n].below.tod;
    assert_true(*piece && *place);
    if (row->known && isomorphism_image(row, row->value, clock) != row->stands)
        fail_msg("%s: %s of %s is %" PRIX64 ", and %" PRIX64 " stands in %s (%s)", name, piece,
                 machine_name(row->machine), row->value, row->stands, place, isomorphism_encoding_text(row->encoding));
}

/* How many pieces of each kind. */
static void look_at_all(struct machine *m, const char *name, unsigned counts[PIECE_KINDS]) {
    static struct isomorphism f;
    struct isomorphism_row row, down[MACHINE_LEVELS];
    isomorphism_look(&f, m, 0);
    assert_int_equal(f.levels, machine_level(m) + 1);
    memset(counts, 0, PIECE_KINDS * sizeof *counts);
    for (unsigned level = 0; level < f.levels; level++) {
        struct piece p = {0};
        do {
            if (!isomorphism_row(&f, level, &p, &row))
                fail_msg("%s: no row for %s %u at level %u", name, isomorphism_kind_name(p.kind), p.n, level);
            expect_row(&f, &row, name);
            assert_int_equal(row.host == NULL, row.place == PLACE_HARDWARE);
            counts[p.kind] += level == 0;
            if (level == 0) {
                unsigned n = isomorphism_follow(&f, &p, down);
                assert_true(n >= 1 && n <= f.levels);
                for (unsigned i = 0; i < n; i++)
                    expect_row(&f, &down[i], name);
                /* All but what C keeps leads down to the bare machine. */
                enum place_kind end = down[n - 1].place;
                assert_true(end == PLACE_HARDWARE || end == PLACE_MONITOR || end == PLACE_MODEL || end == PLACE_UNTOLD);
            }
        } while (isomorphism_next(&f, level, &p));
    }
}

static void expect_counts(const unsigned counts[PIECE_KINDS], bool disk) {
    static const struct {
        enum piece_kind kind;
        unsigned count;
    } rows[] = {{PIECE_GENERAL_REGISTER, 16},
                {PIECE_CONTROL_REGISTER, 16},
                {PIECE_PROBLEM, 1},
                {PIECE_TOD, 1},
                {PIECE_INTERVAL_TIMER, 1},
                {PIECE_PENDING, PENDING_PIECES},
                {PIECE_STORAGE, SMALL / 4096},
                {PIECE_STORAGE_KEY, SMALL / 2048}};
    for (size_t n = 0; n < sizeof rows / sizeof *rows; n++)
        assert_int_equal(counts[rows[n].kind], rows[n].count);
    assert_int_equal(counts[PIECE_DEVICE], disk ? 4 : 3);
}

/* While it has the CPU, the guest is in real problem state, with DAT on, whatever it believes. */
static void expect_rings(struct machine *m, bool *supervisor) {
    struct isomorphism f;
    struct isomorphism_row row;
    isomorphism_look(&f, m, 0);
    for (unsigned level = 0; level + 1 < f.levels; level++) {
        assert_true(isomorphism_row(&f, level, &(struct piece){.kind = PIECE_PROBLEM}, &row));
        if (!row.in_force_known)
            continue;
        assert_int_equal(row.in_force, 1);
        assert_int_equal(row.encoding, row.value ? ENCODING_SAME : ENCODING_KEPT);
        *supervisor = *supervisor || row.value == 0;
        assert_true(isomorphism_row(&f, level, &(struct piece){.kind = PIECE_SYSTEM_MASK}, &row));
        assert_true(row.in_force & PSW_EC_DAT);
    }
}

static void test_what_stands_in_the_host_is_f_of_the_guest(void **state) {
    static const char *const orders[] = {"C", "CC", "CCC", "A", "AC", "CA", "AA"};
    (void)state;
    for (unsigned n = 0; n < sizeof orders / sizeof *orders; n++) {
        struct order o;
        struct error e = ERROR_CLEAR;
        unsigned counts[PIECE_KINDS], translations = 0;
        bool supervisor = false;
        assert_true(cost_model_find(&model, "s370", &e));
        order_new(&o, orders[n], &(struct machine_options){.memory_bytes = SMALL, .model = &model}, DISK_BLOCKS);
        order_load(o.innermost, "nucleus.s");
        look_at_all(o.innermost, orders[n], counts); /* before anything */
        for (unsigned i = 0; i < 12; i++) {
            machine_run(o.innermost, &(struct machine_limits){.instructions = 1 + i * i * i * 53});
            look_at_all(o.innermost, orders[n], counts);
            expect_counts(counts, true);
            translations += counts[PIECE_TRANSLATION];
            expect_rings(o.innermost, &supervisor);
        }
        assert_true(translations > 12);
        assert_true(supervisor);
        order_free(&o);
    }
}

static void expect_place(const struct isomorphism *f, struct piece p, enum place_kind place, const char *text) {
    struct isomorphism_row row;
    char is[ISOMORPHISM_TEXT];
    assert_true(isomorphism_row(f, 0, &p, &row));
    isomorphism_place_text(&row, is);
    assert_int_equal(row.place, place);
    assert_string_equal(is, text);
}

static const char loop[] = "         DC    X'0008000000000200'\n"
                           "         ORG   X'200'\n"
                           "         LA    5,7\n"
                           "         STOSM X'400',0\n"
                           "LOOP     B     LOOP-LOOP+X'208'\n"
                           "         END\n";

static void test_places_are_named(void **state) {
    struct tower t;
    struct isomorphism f;
    struct isomorphism_row row;
    struct error e = ERROR_CLEAR;
    static const char *const kinds[] = {"trap-and-emulate"};
    const struct monitor_options options = vmm_default_options();
    (void)state;
    assert_true(cost_model_find(&model, "s370", &e));
    towers_build_of(&t, &(struct machine_options){.memory_bytes = SMALL, .model = &model}, kinds, 1, &options);
    towers_disk(&t, 100);
    towers_load_source(t.innermost, loop);
    machine_run(t.innermost, &(struct machine_limits){.instructions = 5});
    isomorphism_look(&f, t.innermost, 0);
    char storage[ISOMORPHISM_TEXT];
    snprintf(storage, sizeof storage, "storage of bare at %06X", (unsigned)vmm_frame(t.innermost, 0x3000));
    expect_place(&f, (struct piece){PIECE_GENERAL_REGISTER, 5, 0}, PLACE_REGISTER,
                 "general register 5 of the CPU of bare");
    expect_place(&f, (struct piece){PIECE_CONTROL_REGISTER, 1, 0}, PLACE_MONITOR, "data of the monitor on bare: cr[1]");
    expect_place(&f, (struct piece){.kind = PIECE_PROBLEM}, PLACE_MONITOR, "data of the monitor on bare: psw.state");
    expect_place(&f, (struct piece){PIECE_STORAGE, 0x3000, 4096}, PLACE_STORAGE, storage);
    expect_place(&f, (struct piece){PIECE_DEVICE, 3, 0}, PLACE_DISK, "disk 150 of bare, blocks 0 to 99");
    expect_place(&f, (struct piece){PIECE_DEVICE, 0, 0}, PLACE_MODEL, "a device that the monitor on bare simulates");
    assert_true(isomorphism_row(&f, 0, &(struct piece){PIECE_GENERAL_REGISTER, 5, 0}, &row));
    assert_int_equal(row.value, 7);
    /* Control register 1 leads to shadow tables while the guest runs. */
    assert_true(isomorphism_row(&f, 0, &(struct piece){PIECE_CONTROL_REGISTER, 1, 0}, &row));
    assert_int_equal(row.value, 0);
    assert_true(row.in_force != 0);
    /* There is no such piece. */
    assert_false(isomorphism_row(&f, 0, &(struct piece){PIECE_GENERAL_REGISTER, 16, 0}, &row));
    assert_false(isomorphism_row(&f, 0, &(struct piece){PIECE_STORAGE, SMALL, 1}, &row));
    assert_false(isomorphism_row(&f, 0, &(struct piece){PIECE_STORAGE, 0xFFF, 2}, &row));
    assert_false(isomorphism_row(&f, 0, &(struct piece){PIECE_DEVICE, 4, 0}, &row));
    assert_false(isomorphism_row(&f, 2, &(struct piece){.kind = PIECE_WAIT}, &row));
    assert_false(isomorphism_row(&f, 0, &(struct piece){.kind = PIECE_KINDS}, &row));
    assert_int_equal(isomorphism_storage(&f, SMALL), -1);
    tower_free(&t);
}

/* Whatever a hypervisor's map says while it runs: rows, or none, and no more. */
static void test_damaged_maps_are_looked_at(void **state) {
    struct order o;
    struct error e = ERROR_CLEAR;
    struct random random;
    static struct isomorphism f;
    (void)state;
    assert_true(cost_model_find(&model, "s370", &e));
    order_new(&o, "AA", &(struct machine_options){.memory_bytes = SMALL, .model = &model}, DISK_BLOCKS);
    order_load(o.innermost, "nucleus.s");
    machine_run(o.innermost, &(struct machine_limits){.instructions = 2000});
    random_init(&random, 4, "damaged maps");
    for (unsigned n = 0; n < 300; n++) {
        uint8_t block[512], byte;
        uint32_t at, bytes;
        struct piece p = {0};
        struct isomorphism_row row, rows[MACHINE_LEVELS];
        assert_true(map_part(n & 1 ? o.innermost : machine_host(o.innermost), MAP_PART_GPR, &at, &bytes));
        struct machine *hypervisor = n & 1 ? machine_host(o.innermost) : o.bare;
        machine_peek(hypervisor, at, block, sizeof block);
        for (unsigned i = 0; i < 8; i++) {
            byte = (uint8_t)random_u64(&random);
            machine_poke(hypervisor, at + (uint32_t)(random_u64(&random) % sizeof block), &byte, 1);
            machine_poke(hypervisor, 0x230 + (uint32_t)(random_u64(&random) % 128), &byte, 1); /* devices */
        }
        isomorphism_look(&f, o.innermost, 0);
        do {
            if (isomorphism_row(&f, 0, &p, &row))
                isomorphism_follow(&f, &p, rows);
        } while (isomorphism_next(&f, 0, &p));
        machine_poke(hypervisor, at, block, sizeof block);
    }
    order_free(&o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_stands_in_the_host_is_f_of_the_guest),
        cmocka_unit_test(test_places_are_named),
        cmocka_unit_test(test_damaged_maps_are_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
