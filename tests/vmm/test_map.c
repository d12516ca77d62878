/* The guests of a hypervisor in assembler as machines: what is seen through the map is what is there; and whatever is
 * written into the map, looking through it ends with a clear message or with nothing. */
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "isa/history.h"
#include "isa/snapshot.h"
#include "isa/supervisor.h"
#include "tests/support/orders.h"
#include "vmm/clone.h"

enum {
    MEMORY = 64 * 1024,
    GUESTS = 0x200,
    SIZES = 0x20C,
    FIRST = 0x22C,
    DEVICES = 0x230,
    MAP = 0x2B0,
    MAP_END = 0x300,
    STORAGE = 0x8000,
};

static struct cost_model model;

static struct machine *host(uint32_t bytes) {
    struct error e = ERROR_CLEAR;
    assert_true(cost_model_find(&model, "s370", &e));
    struct machine *m = machine_new(&(struct machine_options){.memory_bytes = bytes, .model = &model}, &e);
    assert_non_null(m);
    return m;
}

static void set_word(struct machine *m, uint32_t at, uint32_t value) {
    uint8_t raw[4];
    bytes_put32(raw, value);
    assert_int_equal(machine_poke(m, at, raw, sizeof raw), ACCESS_OK);
}

static uint32_t word(struct machine *m, uint32_t at) {
    uint8_t raw[4] = {0};
    machine_peek(m, at, raw, sizeof raw);
    return bytes_get32(raw);
}

/* A program that sets registers, CR3, a prefix and a key, and stops; with DAT on, page 0 mapped to itself. */
static const char program[] = "P        START 0\n"
                              "         USING P,0\n"
                              "         DC    X'0008000000000200'\n"
                              "         ORG   P+X'200'\n"
                              "         LM    0,15,REGS\n"
                              "         LCTL  3,3,CR3\n"
                              "         LCTL  0,1,CRS\n"
                              "         L     2,=A(X'3000')\n"
                              "         LA    1,X'70'\n"
                              "         SSK   1,2\n"
                              "         MVC   P+X'F00'(4),REGS\n"
                              "         SPM   3\n"
                              "         LPSW  DONE\n"
                              "REGS     DC    16F'77'\n"
                              "CR3      DC    X'12345678'\n"
                              "CRS      DC    X'00800000',X'00004000'\n"
                              "         LTORG\n"
                              "         DS    0D\n"
                              "DONE     DC    X'040A300000ABCDEF'\n"
                              "         ORG   P+X'4000'\n"
                              "         DC    X'F0005000',15F'1'\n"
                              "         ORG   P+X'5000'\n"
                              "         DC    X'0000',15X'0008'\n"
                              "         END\n";

static void load_source(struct machine *m, const char *source) {
    struct error e = ERROR_CLEAR;
    struct assembly a;
    if (!assemble(&a, "program.s", source, strlen(source), NULL, &e))
        fail_msg("%s", e.text);
    assert_true(machine_load(m, a.origin, a.image.data, a.image.length, &e));
    assembly_fini(&a);
}

static void test_what_is_seen_is_what_is_there(void **state) {
    (void)state;
    struct order o;
    struct error e = ERROR_CLEAR;
    struct machine_state s;
    struct machine_stats stats;
    struct map_stats counted;
    struct dat_walk w;
    assert_true(cost_model_find(&model, "s370", &e));
    order_new(&o, "A", &(struct machine_options){.memory_bytes = MEMORY, .model = &model}, 0);
    struct machine *g = o.innermost;
    assert_true(machine_only_seen(g));
    assert_int_equal(machine_memory(g), MEMORY);
    assert_int_equal(machine_level(g), 1);
    assert_int_equal(machine_cpus(g), 1);
    assert_ptr_equal(map_guest(o.map[0], 0, 0, NULL, &e), g);
    assert_int_equal(machine_cpu_status(g, 0), CPU_STOPPED);
    load_source(g, program);
    assert_int_equal(word(o.bare, STORAGE + 4), word(g, 4));
    assert_int_equal(order_run(&o, 1000000), MACHINE_DISABLED_WAIT);
    machine_state(g, &s);
    assert_int_equal(s.psw.ia, 0xABCDEF);
    assert_true(psw_dat(&s.psw) && psw_wait(&s.psw) && psw_ec(&s.psw) && !psw_problem(&s.psw));
    assert_int_equal(s.psw.cc, 3);
    assert_int_equal(s.gpr[15], 77);
    assert_int_equal(s.cr[3], 0x12345678);
    assert_int_equal(machine_key(g, 0x3000) & 0xF8, 0x70);
    assert_int_equal(machine_key(g, 0x3000), machine_key(o.bare, STORAGE + 0x3000));
    assert_int_equal(word(g, 0xF00), 77);
    assert_int_equal(machine_walk(g, 0x123, &w), ACCESS_OK);
    assert_int_equal(w.real, 0x123);
    assert_int_equal(machine_walk(g, 0x1123, &w), ACCESS_PAGE);
    assert_int_equal(machine_cpu_status(g, 0), CPU_DISABLED_WAIT);
    machine_stats(g, &stats);
    assert_int_equal(stats.instructions, 9);
    assert_int_equal(stats.interruptions[INTERRUPTION_RESTART], 1);
    map_stats(o.map[0], &counted);
    assert_int_equal(counted.interpreted, 4);
    assert_int_equal(counted.reflected, 1);
    assert_true(counted.traps >= 4 + counted.shadow_faults && counted.shadow_faults > 0 && counted.dispatches > 0);
    assert_int_equal(vmm_frame(g, 0x1234), STORAGE + 0x1000);
    assert_int_equal(vmm_frame(g, MEMORY), -1);
    assert_int_equal(machine_key(g, MEMORY), -1);
    uint8_t bytes[8];
    assert_int_equal(machine_peek(g, MEMORY - 4, bytes, 8), ACCESS_ADDRESSING);
    assert_int_equal(machine_poke(g, 0xFFFFFF, bytes, 2), ACCESS_ADDRESSING);
    order_free(&o);
}

/* In the middle of a run its registers are the CPU's. */
static void test_a_running_guest_is_seen_as_it_is(void **state) {
    (void)state;
    struct order o;
    struct error e = ERROR_CLEAR;
    struct machine_state s;
    assert_true(cost_model_find(&model, "s370", &e));
    order_new(&o, "AA", &(struct machine_options){.memory_bytes = MEMORY, .model = &model}, 0);
    load_source(o.innermost, program);
    machine_restart(o.bare);
    const struct machine_limits limits = {.has_address = true, .until_address = 0x208};
    assert_int_equal(machine_run(o.innermost, &limits), MACHINE_READY);
    machine_state(o.innermost, &s);
    assert_int_equal(s.psw.ia, 0x208);
    assert_int_equal(s.gpr[7], 77);
    assert_int_equal(s.cr[3], 0x12345678);
    assert_int_equal(machine_cpu_status(o.innermost, 0), CPU_RUNNING);
    order_free(&o);
}

/* The map is for looking: with and without it the same happens, in the same cycles. */
static void test_nothing_is_executed_by_the_map(void **state) {
    (void)state;
    uint64_t cycles[2];
    for (int seen = 0; seen < 2; seen++) {
        struct error e = ERROR_CLEAR;
        struct machine_stats stats;
        struct machine *m = host(MEMORY + ASSEMBLER_BYTES);
        struct map *f = NULL;
        order_load(m, "hypervisor.s");
        set_word(m, SIZES, MEMORY);
        if (seen && (!(f = map_new(m, &e)) || !map_guest(f, 0, 0, NULL, &e)))
            fail_msg("%s", e.text);
        struct machine *other = host(MEMORY);
        uint8_t image[0x4000];
        order_load(other, "walk.s");
        assert_int_equal(machine_peek(other, 0, image, sizeof image), ACCESS_OK);
        assert_int_equal(machine_poke(m, STORAGE, image, sizeof image), ACCESS_OK);
        machine_free(other);
        machine_restart(m);
        assert_int_equal(machine_run(m, NULL), MACHINE_DISABLED_WAIT);
        machine_stats(m, &stats);
        cycles[seen] = stats.cycles;
        map_free(f);
        machine_free(m);
    }
    assert_int_equal(cycles[0], cycles[1]);
}

static void refused(struct map *f, unsigned guest, uint32_t bytes, const char *why) {
    struct error e = ERROR_CLEAR;
    if (map_guest(f, guest, bytes, NULL, &e) || !strstr(e.text, why))
        fail_msg("\"%s\" instead of \"%s\"", e.text, why);
}

static void test_guests_are_made_in_their_order_and_fit(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    struct machine *m = host(512 * 1024);
    order_load(m, "hypervisor.s");
    struct map *f = map_new(m, &e);
    assert_non_null(f);
    refused(f, 8, MEMORY, "numbered from 0 to 7");
    refused(f, 0, MEMORY + 2048, "a multiple of 4 KB");
    refused(f, 0, 0, "must be said before the hypervisor is started");
    refused(f, 1, MEMORY, "guest 1 begins where guest 0 ends");
    refused(f, 0, 512 * 1024, "512 KB for guest 0 do not fit; its storage begins at 008000 of 512 KB");
    struct machine *a = map_guest(f, 0, MEMORY, NULL, &e), *b = map_guest(f, 1, 2 * MEMORY, "b", &e);
    assert_true(a && b);
    assert_string_equal(machine_name(a), "guest1");
    assert_int_equal(word(m, GUESTS), 2);
    assert_int_equal(word(m, SIZES + 4), 2 * MEMORY);
    assert_int_equal(vmm_frame(b, 0), STORAGE + MEMORY);
    struct machine_state s;
    machine_state(a, &s);
    assert_false(machine_ipl(a, ADDRESS_READER, LOAD_NORMAL, &e));
    assert_non_null(strstr(e.text, "belongs to a hypervisor in assembler"));
    /* A disk in parts, or the whole of it. */
    uint32_t first, blocks;
    assert_true(map_disk(b, 0x150, 0x150, 1001, &first, &blocks));
    assert_int_equal(first, 500);
    assert_int_equal(blocks, 500);
    assert_false(map_disk(b, 0x151, 0x150, 1000, &first, &blocks));
    map_free(f);
    machine_free(m);
}

static void test_monitors_in_c_are_put_on_them_before_they_start(void **state) {
    (void)state;
    struct order o;
    struct error e = ERROR_CLEAR;
    struct monitor_options protect = vmm_default_options();
    protect.policy = SHADOW_PROTECT;
    assert_true(cost_model_find(&model, "s370", &e));
    order_new(&o, "A", &(struct machine_options){.memory_bytes = 512 * 1024, .model = &model}, 0);
    assert_null(vmm_new_with(o.innermost, "trap-and-emulate", &protect, &e));
    assert_non_null(strstr(e.text, "\"protect\" cannot work there"));
    machine_restart(o.bare);
    machine_run(o.bare, &(struct machine_limits){.instructions = 20000});
    assert_null(vmm_new(o.innermost, "trap-and-emulate", &e));
    assert_non_null(strstr(e.text, "it was started"));
    order_free(&o);
}

static void test_a_machine_has_one_program(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    struct machine *m = host(512 * 1024);
    order_load(m, "hypervisor.s");
    struct map *f = map_new(m, &e);
    assert_non_null(f);
    assert_ptr_equal(map_on(m), f);
    assert_null(map_new(m, &e));
    assert_non_null(strstr(e.text, "bare has a map of virtual machines already"));
    e = ERROR_CLEAR;
    assert_null(vmm_new(m, "trap-and-emulate", &e));
    assert_non_null(strstr(e.text, "its program is a hypervisor in assembler"));
    map_free(f);
    assert_null(map_on(m));
    struct vmm *v = vmm_new(m, "trap-and-emulate", &e);
    assert_non_null(v);
    e = ERROR_CLEAR;
    order_load(m, "hypervisor.s");
    assert_null(map_new(m, &e));
    assert_non_null(strstr(e.text, "bare has a monitor in C already"));
    vmm_free(v);
    machine_free(m);
}

/* ---- Counts ---- */

static uint64_t steps_of(struct machine *m) {
    struct machine_stats s;
    machine_stats(m, &s);
    return s.instructions + interruption_total(s.interruptions);
}

static void start_to_trap(struct order *o) {
    order_new(o, "A", &(struct machine_options){.memory_bytes = MEMORY, .model = &model}, 0);
    load_source(o->innermost, program);
    machine_restart(o->bare);
    machine_run(o->innermost, &(struct machine_limits){.has_address = true, .until_address = 0x204}); /* LCTL */
}

/* Whoever looks at a guest while its hypervisor works for it changes nothing of what it does, of where it stops, and of
 * what it is found to have done. */
static void test_looking_changes_nothing(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    assert_true(cost_model_find(&model, "s370", &e));
    unsigned cuts = 0;
    for (unsigned into = 1; into < 400; into += 9) {
        uint64_t steps[2], position[2];
        for (int looked = 0; looked < 2; looked++) {
            struct order o;
            start_to_trap(&o);
            uint64_t before = steps_of(o.innermost);
            machine_run(o.bare, &(struct machine_limits){.instructions = into});
            if (looked)
                cuts += steps_of(o.innermost) > before && !machine_is_live(o.innermost, 0);
            machine_run(o.innermost, &(struct machine_limits){.instructions = 1});
            steps[looked] = steps_of(o.innermost);
            position[looked] = machine_position(o.bare);
            order_free(&o);
        }
        assert_int_equal(position[0], position[1]);
        assert_int_equal(steps[0], steps[1]);
    }
    assert_true(cuts > 0); /* the instruction was interpreted, and the guest had not got control again */
}

static void test_one_step_is_one_step_in_the_middle_of_a_trap(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    assert_true(cost_model_find(&model, "s370", &e));
    struct order o;
    start_to_trap(&o);
    uint64_t before = steps_of(o.innermost);
    while (steps_of(o.innermost) == before)
        machine_run(o.bare, &(struct machine_limits){.instructions = 1});
    assert_false(machine_is_live(o.innermost, 0));
    machine_run(o.innermost, &(struct machine_limits){.instructions = 1});
    assert_int_equal(steps_of(o.innermost), before + 2);
    order_free(&o);
}

/* ---- Time backwards ---- */

/* What can be seen of the guest, of the hypervisor's machine, and of the books. */
struct moment {
    uint64_t position;
    struct machine_stats stats[2];
    struct machine_state guest;
    uint64_t booked[2][CAUSE_COUNT];
    bool live;
};

static struct moment moment_of(const struct order *o) {
    struct moment now;
    memset(&now, 0, sizeof now);
    now.position = machine_position(o->bare);
    machine_stats(o->bare, &now.stats[0]);
    machine_stats(o->innermost, &now.stats[1]);
    machine_state(o->innermost, &now.guest);
    for (int level = 0; level < 2; level++)
        for (int c = 0; c < CAUSE_COUNT; c++)
            now.booked[level][c] = machine_booked(o->bare, level, (enum cycle_cause)c);
    now.live = machine_is_live(o->innermost, 0);
    return now;
}

static void expect_moment(const struct order *o, const struct moment *was, const char *what) {
    const struct moment now = moment_of(o);
    if (now.position != was->position || memcmp(now.stats, was->stats, sizeof now.stats) != 0 ||
        memcmp(now.booked, was->booked, sizeof now.booked) != 0 || now.live != was->live ||
        memcmp(now.guest.gpr, was->guest.gpr, sizeof now.guest.gpr) != 0 || now.guest.psw.ia != was->guest.psw.ia ||
        now.guest.tod != was->guest.tod)
        fail_msg("%s: position %llu is not the same again", what, (unsigned long long)was->position);
}

/* A call whose new PSW admits the interrupt key, whose new PSW admits an attention: the hypervisor reflects all of them
 * before the guest gets control. */
static const char called[] = "P        START 0\n"
                             "         USING P,0\n"
                             "         DC    X'0008000000000200'\n"
                             "         ORG   P+88\n"
                             "         DC    X'0208000000000400'\n"
                             "         DC    X'0108000000000300'\n"
                             "         ORG   P+120\n"
                             "         DC    X'0008000000000500'\n"
                             "         ORG   P+X'200'\n"
                             "         LCTL  2,2,=F'-1'\n"
                             "         LA    2,100\n"
                             "LOOP     BCT   2,LOOP\n"
                             "         SVC   7\n"
                             "         LTORG\n"
                             "         ORG   P+X'500'\n"
                             "         LA    3,1(,3)\n"
                             "         LPSW  DONE\n"
                             "         DS    0D\n"
                             "DONE     DC    X'000A000000ABCDEF'\n"
                             "         END\n";

static void test_what_is_reflected_at_once_is_taken_back_at_once(void **state) {
    enum { TOGETHER = 4 }; /* the SVC, and three interruptions */
    (void)state;
    struct order o;
    struct error e = ERROR_CLEAR;
    assert_true(cost_model_find(&model, "s370", &e));
    order_new(&o, "A", &(struct machine_options){.memory_bytes = MEMORY, .model = &model}, 0);
    load_source(o.innermost, called);
    machine_restart(o.bare);
    machine_run(o.innermost, &(struct machine_limits){.has_address = true, .until_address = 0x208});
    struct history *h = history_new(o.bare, NULL, &e);
    assert_non_null(h);
    machine_raise(o.innermost, CONDITION_INTERRUPT_KEY);
    machine_raise(o.innermost, CONDITION_ATTENTION);
    machine_run(o.innermost, &(struct machine_limits){.instructions = 20});
    machine_run(o.innermost, &(struct machine_limits){.has_address = true, .until_address = 0x500});
    struct moment behind = moment_of(&o);
    assert_int_equal(behind.guest.psw.ia, 0x500);
    uint64_t steps = steps_of(o.innermost);
    for (unsigned back = 1; back <= TOGETHER; back++) {
        if (!history_back(h, o.innermost, back, &e))
            fail_msg("%s", e.text);
        assert_int_equal(steps_of(o.innermost), steps - TOGETHER);
        assert_true(history_go(h, behind.position, &e));
        expect_moment(&o, &behind, "forward again");
    }
    machine_run(o.innermost, &(struct machine_limits){.instructions = 1});
    assert_true(history_back_to_trap(h, o.innermost, &e));
    expect_moment(&o, &behind, "its last interruption");
    assert_false(history_back_to_trap(h, o.innermost, &e));
    history_free(h);
    order_free(&o);
}

/* Every moment of a trap, back and forth, and looked at: the future is known all the same. */
static void test_every_moment_of_a_trap_is_there_again(void **state) {
    enum { MOMENTS = 400 };
    static struct moment moment[MOMENTS];
    (void)state;
    struct order o;
    struct error e = ERROR_CLEAR;
    assert_true(cost_model_find(&model, "s370", &e));
    start_to_trap(&o);
    struct history *h = history_new(o.bare, &(struct history_options){.spacing = 1000}, &e);
    assert_non_null(h);
    for (int n = 0; n < MOMENTS; n++) {
        machine_run(o.bare, &(struct machine_limits){.instructions = 1});
        moment[n] = moment_of(&o);
    }
    uint64_t last = history_last(h);
    for (int n = MOMENTS - 1; n >= 0; n -= 7) {
        assert_true(history_go(h, moment[n].position, &e));
        expect_moment(&o, &moment[n], "back");
        assert_int_equal(history_last(h), last);
    }
    for (int n = 0; n < MOMENTS; n += 13) {
        assert_true(history_go(h, moment[n].position, &e));
        expect_moment(&o, &moment[n], "forward");
    }
    history_free(h);
    order_free(&o);
}

/* The tree is another one from then on, in which nothing of before can be restored. */
static void test_a_history_begins_anew_with_a_map(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    struct machine *m = host(256 * 1024);
    order_load(m, "hypervisor.s");
    struct history *h = history_new(m, NULL, &e);
    assert_non_null(h);
    machine_restart(m);
    for (unsigned change = 0; change < 3; change++) {
        static struct map *f;
        machine_run(m, &(struct machine_limits){.instructions = 100});
        uint64_t position = machine_position(m);
        if (change == 0)
            f = map_new(m, &e);
        else if (change == 1)
            assert_non_null(map_guest(f, 0, MEMORY, NULL, &e));
        else
            map_free(f);
        machine_run(m, &(struct machine_limits){.instructions = 100});
        assert_int_equal(history_first(h), position);
        if (!history_back(h, m, 50, &e))
            fail_msg("%s", e.text);
        assert_int_equal(machine_position(m), position + 50);
        assert_true(history_go(h, position, &e));
        assert_false(history_back(h, m, 1, &e));
        machine_run(m, &(struct machine_limits){.instructions = 100});
    }
    history_free(h);
    machine_free(m);
}

/* ---- Copies ---- */

/* Two guests of one hypervisor; on the second a monitor in C, whose guest has a hypervisor again. */
static void test_everything_has_its_place_in_a_clone(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    struct disk_backing disk;
    assert_true(cost_model_find(&model, "s370", &e));
    struct machine *m = host(2 << 20);
    assert_true(disk_backing_memory(&disk, 1001, &e));
    assert_true(machine_attach(m, ADDRESS_DISK, disk_new(&model, &disk), &e));
    order_load(m, "hypervisor.s");
    struct map *f = map_new(m, &e);
    struct machine *a = map_guest(f, 0, MEMORY, "a", &e), *b = map_guest(f, 1, 768 << 10, "b", &e);
    assert_true(a && b);
    order_load(a, "walk.s");
    struct vmm *v = vmm_new(b, "trap-and-emulate", &e);
    struct machine *c = v ? vmm_guest(v, &(struct guest_options){.memory_bytes = 320 << 10, .name = "c"}, &e) : NULL;
    if (!c)
        fail_msg("%s", e.text);
    order_load(c, "hypervisor.s");
    struct map *deep = map_new(c, &e);
    struct machine *d = deep ? map_guest(deep, 0, MEMORY, "d", &e) : NULL;
    if (!d)
        fail_msg("%s", e.text);
    order_load(d, "walk.s");
    machine_restart(c);
    machine_restart(m);
    for (unsigned part = 0; part < 3; part++) { /* before the start, on the way, and at the end */
        struct machine *const of[] = {a, b, c, d};
        struct machine *copy = vmm_clone(d, NULL, &e);
        if (!copy)
            fail_msg("%s", e.text);
        for (size_t n = 0; n < sizeof of / sizeof *of; n++) {
            struct machine_stats one, other;
            struct machine *to = vmm_clone_of(of[n], copy);
            assert_non_null(to);
            assert_ptr_not_equal(to, of[n]);
            assert_ptr_equal(machine_bare(to), copy);
            assert_string_equal(machine_name(to), machine_name(of[n]));
            assert_int_equal(machine_memory(to), machine_memory(of[n]));
            assert_int_equal(machine_only_seen(to), machine_only_seen(of[n]));
            assert_int_equal(vmm_frame(to, 0), vmm_frame(of[n], 0));
            assert_int_equal(machine_status(to), machine_status(of[n]));
            machine_stats(to, &one);
            machine_stats(of[n], &other);
            assert_memory_equal(&one, &other, sizeof one);
        }
        uint32_t first, blocks;
        assert_true(map_disk(vmm_clone_of(b, copy), ADDRESS_DISK, ADDRESS_DISK, 1001, &first, &blocks));
        assert_int_equal(first, 500);
        machine_run(copy, NULL); /* to the end, and the other one does not notice */
        assert_int_equal(machine_status(vmm_clone_of(d, copy)), MACHINE_DISABLED_WAIT);
        assert_int_equal(machine_status(a), part == 2 ? MACHINE_DISABLED_WAIT : MACHINE_READY);
        vmm_free_all(copy);
        if (part == 0)
            machine_run(d, &(struct machine_limits){.instructions = 50});
        else
            machine_run(m, NULL);
    }
    vmm_free_all(m); /* maps and monitors, whatever stands on what */
}

/* A map that goes while its guest has control: the books have the levels that there are, and the state can be loaded.
 */
static void test_a_map_can_go_while_its_guest_runs(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    struct bytes kept = {0};
    struct order o;
    assert_true(cost_model_find(&model, "s370", &e));
    order_new(&o, "AA", &(struct machine_options){.memory_bytes = MEMORY, .model = &model}, 0);
    order_load(o.innermost, "walk.s");
    machine_restart(o.bare);
    machine_run(o.innermost, &(struct machine_limits){.instructions = 10});
    assert_true(machine_is_live(o.innermost, 0));
    map_free(o.map[1]);
    o.map[1] = NULL;
    struct archive a = archive_saving(&kept, &e);
    machine_archive(o.bare, &a);
    assert_true(archive_finish(&a));
    a = archive_loading(kept.data, kept.length, &e);
    machine_archive(o.bare, &a);
    if (!archive_finish(&a))
        fail_msg("%s", e.text);
    bytes_fini(&kept);
    order_free(&o);
}

static void test_a_map_that_makes_no_sense_is_refused(void **state) {
    (void)state;
    static const struct {
        uint32_t at, value;
        const char *why;
    } rows[] = {
        {MAP, 0, "there is no map of virtual machines at 0002B0"},
        {MAP + 4, 0x00FFFFF0, "the address of the VM blocks is FFFFF0"},
        {MAP + 4, 0xFFFFFFF0, "the address of the VM blocks"},
        {MAP + 8, 0, "the length of a VM block is 000000"},
        {MAP + 8, 0x10000, "the length of a VM block is 010000"},
        {MAP + 0x14, 0xFFFF0000, "an offset in VM blocks is 00FFFF"},
        {MAP + 0x2C, 0x7FFF7FFF, "an offset in VM blocks is 007FFF"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error e = ERROR_CLEAR;
        struct machine *m = host(256 * 1024);
        order_load(m, "hypervisor.s");
        set_word(m, rows[i].at, rows[i].value);
        if (map_new(m, &e) || !strstr(e.text, rows[i].why))
            fail_msg("\"%s\" instead of \"%s\"", e.text, rows[i].why);
        machine_free(m);
    }
}

/* Everything that can be asked of a machine. */
static void look_at(struct machine *g) {
    struct machine_state s;
    struct machine_stats stats;
    struct dat_walk w;
    uint8_t bytes[300];
    machine_state(g, &s);
    machine_stats(g, &stats);
    machine_status(g);
    machine_cpu_status(g, 0);
    for (uint32_t at = 0; at < 0x1000000; at += 0x7F7F1) {
        machine_walk(g, at, &w);
        machine_peek(g, at, bytes, sizeof bytes);
        machine_poke(g, at, bytes, sizeof bytes);
        machine_set_key(g, at, (uint8_t)machine_key(g, at));
        vmm_frame(g, at);
    }
}

/* Parameters, map and blocks are overwritten by chance while the hypervisor runs and is looked at, from outside and for
 * the books. */
static void test_a_map_that_is_damaged_while_it_is_used_does_no_harm(void **state) {
    (void)state;
    struct random chance;
    random_init(&chance, 370, "damaged maps");
    for (int round = 0; round < 60; round++) {
        struct order o;
        struct error e = ERROR_CLEAR;
        struct machine_stats stats;
        uint64_t sum = 0;
        assert_true(cost_model_find(&model, "s370", &e));
        order_new(&o, round & 1 ? "AA" : "A", &(struct machine_options){.memory_bytes = MEMORY, .model = &model}, 0);
        order_load(o.innermost, "walk.s");
        machine_restart(o.bare);
        uint32_t blocks = word(o.bare, MAP + 4);
        for (int step = 0; step < 30; step++) {
            uint32_t base = step % 3 == 0 ? GUESTS : step % 3 == 1 ? MAP : blocks;
            machine_run(o.bare, &(struct machine_limits){.instructions = 1 + random_u64(&chance) % 2000});
            set_word(o.bare, base + (uint32_t)(random_u64(&chance) % (MAP_END - MAP)), (uint32_t)random_u64(&chance));
            look_at(o.innermost);
        }
        machine_stats(o.bare, &stats);
        for (int level = 0; level < MACHINE_LEVELS; level++)
            sum += machine_booked_level(o.bare, level);
        assert_int_equal(sum, stats.cycles);
        order_free(&o);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_seen_is_what_is_there),
        cmocka_unit_test(test_a_running_guest_is_seen_as_it_is),
        cmocka_unit_test(test_nothing_is_executed_by_the_map),
        cmocka_unit_test(test_guests_are_made_in_their_order_and_fit),
        cmocka_unit_test(test_monitors_in_c_are_put_on_them_before_they_start),
        cmocka_unit_test(test_a_machine_has_one_program),
        cmocka_unit_test(test_looking_changes_nothing),
        cmocka_unit_test(test_one_step_is_one_step_in_the_middle_of_a_trap),
        cmocka_unit_test(test_what_is_reflected_at_once_is_taken_back_at_once),
        cmocka_unit_test(test_every_moment_of_a_trap_is_there_again),
        cmocka_unit_test(test_a_history_begins_anew_with_a_map),
        cmocka_unit_test(test_everything_has_its_place_in_a_clone),
        cmocka_unit_test(test_a_map_can_go_while_its_guest_runs),
        cmocka_unit_test(test_a_map_that_makes_no_sense_is_refused),
        cmocka_unit_test(test_a_map_that_is_damaged_while_it_is_used_does_no_harm),
    };
    return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
