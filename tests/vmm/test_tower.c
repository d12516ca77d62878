/* Towers, monitors and guests: sizes, refusals, and the guest as a machine seen from outside. */
#include "tests/vmm/guests.h"

static void model_of(struct cost_model *m) {
    struct error e = ERROR_CLEAR;
    assert_true(cost_model_find(m, "s370", &e));
}

static bool build(struct tower *t, uint32_t bytes, unsigned count, const char *kind, struct error *e) {
    static struct cost_model model; /* only read after this */
    const char *kinds[TOWER_MOST + 1];
    model_of(&model);
    for (unsigned n = 0; n <= TOWER_MOST; n++)
        kinds[n] = kind;
    const struct machine_options o = {.memory_bytes = bytes, .model = &model};
    *e = ERROR_CLEAR;
    return tower_new(t, &o, kinds, count, e);
}

static void test_tower_of_none_is_the_bare_machine(void **state) {
    struct tower t;
    struct error e;
    (void)state;
    assert_true(build(&t, 65536, 0, "trap-and-emulate", &e));
    assert_ptr_equal(t.bare, t.innermost);
    assert_int_equal(machine_memory(t.bare), 65536);
    tower_free(&t);
}

static void test_each_level_gets_what_it_needs(void **state) {
    struct tower t;
    struct error e;
    (void)state;
    assert_true(build(&t, 65536, TOWER_MOST, "trap-and-emulate", &e));
    struct machine *m = t.innermost;
    for (int level = TOWER_MOST; level > 0; level--) {
        assert_int_equal(machine_level(m), level);
        assert_int_equal(machine_memory(machine_host(m)), vmm_host_bytes(machine_memory(m)));
        assert_ptr_equal(vmm_guest_at(t.monitor[level - 1], 0), m);
        assert_null(vmm_guest_at(t.monitor[level - 1], 1));
        assert_ptr_equal(vmm_machine(t.monitor[level - 1]), machine_host(m));
        m = machine_host(m);
    }
    assert_ptr_equal(m, t.bare);
    tower_free(&t);
}

static void test_tower_that_does_not_fit_names_the_largest_that_does(void **state) {
    struct tower t;
    struct error e;
    char largest[32];
    (void)state;
    assert_false(build(&t, 16 << 20, 2, "trap-and-emulate", &e));
    assert_int_equal(e.kind, ERROR_INPUT);
    snprintf(largest, sizeof largest, " %uK", (16 * 1024) - 2 * vmm_host_bytes(0) / 1024);
    assert_non_null(strstr(e.text, largest));
    assert_null(t.bare);
    assert_true(build(&t, (16 << 20) - 2 * vmm_host_bytes(0), 2, "trap-and-emulate", &e));
    assert_int_equal(machine_memory(t.bare), 16 << 20);
    tower_free(&t);
    assert_false(build(&t, (16 << 20) - 2 * vmm_host_bytes(0) + 4096, 2, "trap-and-emulate", &e));
    assert_false(build(&t, 65536, TOWER_MOST + 1, "trap-and-emulate", &e));
}

static void test_kinds_that_are_not_there_are_refused(void **state) {
    struct tower t;
    struct error e;
    (void)state;
    assert_string_equal(vmm_kind_name(0), "trap-and-emulate");
    assert_string_equal(vmm_kind_name(1), "hybrid");
    assert_null(vmm_kind_name(2));
    assert_true(vmm_kind_known("hardware-assisted"));
    assert_true(vmm_kind_known("module:a.c"));
    assert_false(vmm_kind_known("magic"));
    assert_false(build(&t, 65536, 1, "paravirtual", &e));
    assert_non_null(strstr(e.text, "not there yet; there are: trap-and-emulate, hybrid"));
    assert_false(build(&t, 65536, 1, "magic", &e));
    assert_non_null(strstr(e.text, "no monitor kind 'magic'"));
    assert_int_equal(e.kind, ERROR_INPUT);
}

static void test_guests_of_impossible_size_are_refused(void **state) {
    struct cost_model model;
    struct error e = ERROR_CLEAR;
    (void)state;
    model_of(&model);
    const struct machine_options o = {.memory_bytes = 1 << 20, .model = &model};
    struct machine *bare = machine_new(&o, &e);
    struct vmm *v = vmm_new(bare, "trap-and-emulate", &e);
    assert_non_null(v);
    assert_null(vmm_new(bare, "trap-and-emulate", &e)); /* it has a supervisor */
    assert_null(vmm_guest(v, &(struct guest_options){.memory_bytes = 6144}, &e));
    assert_null(vmm_guest(v, &(struct guest_options){.memory_bytes = 0}, &e));
    assert_null(vmm_guest(v, &(struct guest_options){.memory_bytes = 1 << 20}, &e));
    assert_non_null(strstr(e.text, "needs"));
    struct machine *g = vmm_guest(v, &(struct guest_options){.memory_bytes = 4096}, &e);
    assert_non_null(g);
    assert_string_equal(machine_name(g), "guest1");
    assert_null(vmm_guest(v, &(struct guest_options){.memory_bytes = 4096, .cpus = 5}, &e));
    assert_string_equal(vmm_kind(v), "trap-and-emulate");
    vmm_free(v);
    machine_free(bare);
}

static void test_monitor_without_a_guest_stops(void **state) {
    struct cost_model model;
    struct error e = ERROR_CLEAR;
    (void)state;
    model_of(&model);
    const struct machine_options o = {.memory_bytes = 65536, .model = &model};
    struct machine *bare = machine_new(&o, &e);
    struct vmm *v = vmm_new(bare, "trap-and-emulate", &e);
    machine_restart(bare);
    assert_int_equal(machine_run(bare, NULL), MACHINE_DISABLED_WAIT);
    vmm_free(v);
    machine_free(bare);
}

static void test_storage_is_seen_through_every_level(void **state) {
    struct run r;
    uint8_t bytes[8192], back[8192];
    (void)state;
    guests_build(&r, PAGE_0 "         END\n", 3, true);
    struct machine *m = r.tower.innermost;
    for (unsigned n = 0; n < sizeof bytes; n++)
        bytes[n] = (uint8_t)(n * 7);
    assert_int_equal(machine_poke(m, 0x1F80, bytes, sizeof bytes), ACCESS_OK);
    assert_int_equal(machine_peek(m, 0x1F80, back, sizeof back), ACCESS_OK);
    assert_memory_equal(bytes, back, sizeof bytes);
    assert_int_equal(machine_peek(m, GUEST_BYTES - 4, back, 5), ACCESS_ADDRESSING);
    assert_int_equal(machine_poke(m, GUEST_BYTES, bytes, 1), ACCESS_ADDRESSING);
    assert_int_equal(machine_peek(m, GUEST_BYTES - 4, back, 4), ACCESS_OK);
    assert_int_equal(machine_key(m, GUEST_BYTES), -1);
    assert_int_equal(machine_key(m, 0x1F80), 0);
    uint32_t at = 0x2000;
    for (; machine_host(m); m = machine_host(m)) {
        assert_int_equal(vmm_frame(m, machine_memory(m)), -1);
        at = (uint32_t)vmm_frame(m, at);
    }
    assert_int_equal(vmm_frame(m, 0), -1);
    assert_int_equal(machine_peek(m, at, back, 16), ACCESS_OK);
    assert_memory_equal(back, bytes + 0x80, 16);
    guests_free(&r);
}

static void test_prefixing_is_part_of_the_view(void **state) {
    struct run r;
    uint8_t byte = 5, back = 0;
    struct machine_state s;
    (void)state;
    for (unsigned depth = 0; depth <= 2; depth++) {
        guests_build(&r, PAGE_0 "         END\n", depth, true);
        struct machine *m = r.tower.innermost;
        machine_state(m, &s);
        s.prefix = 0x3000;
        machine_poke(m, 0x3010, &byte, 1);
        machine_set_state(m, &s);
        assert_int_equal(machine_peek(m, 0x10, &back, 1), ACCESS_OK);
        assert_int_equal(back, 5);
        machine_state(m, &s);
        assert_int_equal(s.prefix, 0x3000);
        guests_free(&r);
    }
}

static void test_state_can_be_set_before_the_start(void **state) {
    struct run r;
    struct outcome o;
    struct machine_state s;
    (void)state;
    for (unsigned depth = 0; depth <= 2; depth++) {
        static const uint8_t psw[8] = {0, 8, 0, 0, 0, 0, 2, 0};
        guests_build(&r, PAGE_0 "         AR    1,2\n" STOP_HERE "         END\n", depth, true);
        machine_state(r.tower.innermost, &s);
        assert_int_equal(s.cr[0], 0xE0);
        assert_int_equal(s.cr[2], 0xFFFFFFFF);
        s.gpr[1] = 5;
        s.gpr[2] = 6;
        s.cr[9] = 7;
        machine_set_state(r.tower.innermost, &s);
        machine_start_psw(r.tower.innermost, psw);
        guests_look(&r, guests_go(&r, 0), &o);
        assert_int_equal(o.state.gpr[1], 11);
        assert_int_equal(o.state.cr[9], 7);
        guests_free(&r);
    }
}

static void test_state_is_live_while_the_guest_runs(void **state) {
    struct run r;
    struct outcome bare, o;
    (void)state;
    for (unsigned depth = 0; depth <= DEEPEST; depth++) {
        guests_build(&r,
                     PAGE_0 "LOOP     LA    1,1(,1)\n"
                            "         CR    1,2\n"
                            "         B     LOOP\n"
                            "         END\n",
                     depth, true);
        if (depth == 0)
            machine_restart(r.tower.innermost);
        guests_look(&r, guests_go(&r, 1000), &o);
        if (depth == 0)
            bare = o;
        assert_int_equal(o.state.gpr[1], bare.state.gpr[1]);
        assert_int_equal(o.state.psw.ia, bare.state.psw.ia);
        assert_int_equal(o.state.psw.cc, 2);
        guests_free(&r);
    }
}

/* Every frame that a guest's map names is inside the machine, and nobody else's. */
/* What the guest looks like while others execute. */
struct onlooker {
    struct machine *guest;
    struct machine_state last; /* in front of its last instruction */
    uint64_t count;
    unsigned asked, elsewhere;
};

static uint64_t retired(const struct machine *m) {
    struct machine_stats stats;
    machine_stats(m, &stats);
    return stats.instructions;
}

static bool look_at_guest(void *self, struct machine *m, uint32_t address, bool interpreted) {
    struct onlooker *o = self;
    struct machine_state state;
    machine_state(o->guest, &state);
    if (m == o->guest) {
        assert_int_equal(state.psw.ia, address);
        o->last = state;
        o->count = retired(m);
        o->asked++;
    } else if (o->asked && retired(o->guest) == o->count && !interpreted) {
        if (memcmp(state.gpr, o->last.gpr, sizeof state.gpr) != 0 || state.psw.ia != o->last.psw.ia)
            fail_msg("%s at %06X: the guest, last at %06X, seems to be at %06X", machine_name(m), address,
                     o->last.psw.ia, state.psw.ia);
        o->elsewhere++;
    }
    return false;
}

/* Between an interruption and the moment at which its monitor has saved it, the guest is in front of what trapped. */
static void test_a_guest_stands_where_it_trapped_at_every_moment(void **state) {
    (void)state;
    for (unsigned depth = 1; depth <= 3; depth++) {
        struct run r;
        guests_build(&r,
                     PAGE_0 "         LA    3,16\n"
                            "LOOP     LA    1,1(,1)\n"
                            "         STAP  X'F00'\n"
                            "         L     2,0(,4)\n"
                            "         LA    4,2048(,4)\n"
                            "         LA    4,2048(,4)\n"
                            "         BCT   3,LOOP\n" STOP_HERE "         END\n",
                     depth, true);
        struct onlooker o = {.guest = r.tower.innermost};
        const struct machine_limits limits = {.before = look_at_guest, .before_self = &o};
        assert_int_equal(machine_run(r.tower.innermost, &limits), MACHINE_DISABLED_WAIT);
        assert_true(o.elsewhere > 30 * depth);
        guests_free(&r);
    }
}

static void test_frames_belong_to_one_owner(void **state) {
    struct error e = ERROR_CLEAR;
    struct cost_model model;
    uint8_t owner[(1 << 20) / FRAME_BYTES] = {0};
    (void)state;
    assert_true(cost_model_find(&model, "s370", &e));
    struct machine *m = machine_new(&(struct machine_options){.memory_bytes = 1 << 20, .model = &model}, &e);
    struct vmm *v = vmm_new(m, "trap-and-emulate", &e);
    for (unsigned n = 0; n < 3; n++)
        assert_non_null(vmm_guest(v, &(struct guest_options){.memory_bytes = 64 * 1024}, &e));
    assert_null(vmm_guest(v, &(struct guest_options){.memory_bytes = 512 * 1024}, &e));
    assert_non_null(strstr(e.text, "not enough"));
    assert_null(vmm_guest_at(v, 3));
    for (unsigned n = 0; n < 3; n++)
        for (uint32_t at = 0; at < 64 * 1024; at += FRAME_BYTES) {
            int64_t frame = vmm_frame(vmm_guest_at(v, n), at);
            assert_true(frame >= FRAME_BYTES && frame + FRAME_BYTES <= 1 << 20);
            assert_int_equal(owner[frame / FRAME_BYTES], 0);
            owner[frame / FRAME_BYTES] = (uint8_t)(n + 1);
        }
    vmm_free(v);
    machine_free(m);
}

static void test_many_towers_live_side_by_side(void **state) {
    struct run r[4];
    struct outcome o;
    (void)state;
    for (unsigned n = 0; n < 4; n++)
        guests_build(&r[n],
                     PAGE_0 "LOOP     LA    1,1(,1)\n"
                            "         STAP  X'F00'\n"
                            "         B     LOOP\n"
                            "         END\n",
                     n % 3 + 1, true);
    for (unsigned turn = 0; turn < 5; turn++)
        for (unsigned n = 0; n < 4; n++)
            assert_int_equal(guests_go(&r[n], 30), MACHINE_READY);
    for (unsigned n = 0; n < 4; n++) {
        guests_look(&r[n], MACHINE_READY, &o);
        assert_int_equal(o.stats.instructions, 149);
        guests_free(&r[n]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tower_of_none_is_the_bare_machine),
        cmocka_unit_test(test_each_level_gets_what_it_needs),
        cmocka_unit_test(test_tower_that_does_not_fit_names_the_largest_that_does),
        cmocka_unit_test(test_kinds_that_are_not_there_are_refused),
        cmocka_unit_test(test_guests_of_impossible_size_are_refused),
        cmocka_unit_test(test_monitor_without_a_guest_stops),
        cmocka_unit_test(test_storage_is_seen_through_every_level),
        cmocka_unit_test(test_prefixing_is_part_of_the_view),
        cmocka_unit_test(test_state_can_be_set_before_the_start),
        cmocka_unit_test(test_state_is_live_while_the_guest_runs),
        cmocka_unit_test(test_a_guest_stands_where_it_trapped_at_every_moment),
        cmocka_unit_test(test_frames_belong_to_one_owner),
        cmocka_unit_test(test_many_towers_live_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
