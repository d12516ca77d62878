/* Histories: a machine that is taken back is as it was, all that came from outside is there again, and nobody is told
 * twice. */
#include "isa/history.h"
#include "tests/vmm/worlds.h"

enum { MOMENTS = 12, SEED = 815 };

/* What can be seen of a tree: every machine of it as its program sees it, and the books. */
static uint64_t sight_of(struct machine *m, uint64_t hash) {
    struct machine_stats t;
    uint8_t page[4096], psw[8];
    machine_stats(m, &t);
    for (unsigned cpu = 0; cpu < machine_cpus(m); cpu++) {
        struct machine_state s;
        machine_cpu_state(m, cpu, &s);
        psw_store(&s.psw, psw, 0, 0);
        const uint64_t values[] = {bytes_get64(psw), s.tod,          s.cpu_timer, s.clock_comparator,
                                   s.prefix,         t.instructions, t.cycles,    (uint64_t)machine_status(m)};
        for (size_t i = 0; i < sizeof values / sizeof *values; i++)
            hash = hash_byte(hash, values[i]);
        for (int i = 0; i < 16; i++)
            hash = hash_byte(hash, s.gpr[i] ^ (uint64_t)s.cr[i] << 32);
    }
    hash = hash_byte(hash, t.nominal_cycles);
    for (int c = 0; c < INTERRUPTION_CLASSES; c++)
        hash = hash_byte(hash, t.interruptions[c]);
    for (int c = 0; c < CAUSE_COUNT; c++)
        hash = hash_byte(hash, machine_booked(m, machine_level(m), (enum cycle_cause)c));
    for (uint32_t at = 0; at < machine_memory(m); at += sizeof page) {
        machine_peek(m, at, page, sizeof page);
        for (size_t i = 0; i < sizeof page; i += 8)
            hash = hash_byte(hash, bytes_get64(page + i));
    }
    const struct bytes *text = console_text(machine_device(m, ADDRESS_CONSOLE));
    for (size_t i = 0; i < text->length; i++)
        hash = hash_byte(hash, text->data[i]);
    return hash;
}

static uint64_t sight(struct world *w) {
    uint64_t hash = sight_of(w->tower.bare, HASH_BEGIN);
    for (unsigned n = 0; n < w->guests; n++)
        hash = sight_of(w->guest[n], hash);
    hash = hash_byte(hash, state_hash(w->tower.bare));
    struct device *disk = machine_device(w->tower.innermost, ADDRESS_DISK);
    uint8_t block[DISK_BLOCK_BYTES];
    for (uint32_t n = 0; n < NUCLEUS_BLOCKS; n++) {
        assert_true(disk_read_block(disk, n, block));
        for (size_t i = 0; i < sizeof block; i += 8)
            hash = hash_byte(hash, bytes_get64(block + i));
    }
    return hash;
}

static struct history *keep(struct world *w, uint64_t spacing, size_t memory) {
    struct error e = ERROR_CLEAR;
    struct history *h = history_new(w->tower.bare, &(struct history_options){.spacing = spacing, .memory = memory}, &e);
    if (!h)
        fail_msg("%s", e.text);
    return h;
}

struct moment {
    uint64_t position, seen;
};

static struct moment now(struct world *w) { return (struct moment){machine_position(w->tower.bare), sight(w)}; }

static void go(struct history *h, struct world *w, struct moment to, const char *what) {
    struct error e = ERROR_CLEAR;
    if (!history_go(h, to.position, &e))
        fail_msg("%s: %s", what, e.text);
    assert_int_equal(machine_position(w->tower.bare), to.position);
    if (sight(w) != to.seen)
        fail_msg("%s: position %llu is not the same again", what, (unsigned long long)to.position);
}

/* ---- Anywhere on the way, in every configuration ---- */

static void wander(const struct world_kind *k, uint64_t spacing, size_t memory) {
    struct random r;
    struct world w;
    struct moment moment[MOMENTS];
    random_init(&r, SEED, k->name);
    world_build(&w, k);
    struct history *h = keep(&w, spacing, memory);
    for (int n = 0; n < MOMENTS; n++) {
        run(n % 2 ? w.tower.bare : w.tower.innermost, 1 + random_below(&r, n % 2 ? 150000 : 30000));
        moment[n] = now(&w);
    }
    w.heard.on = true;
    for (int n = 0; n < MOMENTS; n++)
        go(h, &w, moment[random_below(&r, MOMENTS)], k->name);
    go(h, &w, moment[MOMENTS - 1], k->name);
    assert_int_equal(w.heard.events, 0); /* nobody was told again */
    assert_int_equal(history_last(h), moment[MOMENTS - 1].position);
    history_free(h);
    world_free(&w);
}

static void test_any_moment_can_be_gone_to(void **state) {
    (void)state;
    for (const struct world_kind *k = world_kinds; k < world_kinds + WORLD_KINDS; k++)
        wander(k, 300000, 0);
}

/* So little memory that most checkpoints are given up. */
static void test_a_thinned_history_is_still_right(void **state) {
    struct world w;
    (void)state;
    wander(&world_kinds[0], 20000, 400 * 1024);
    wander(&world_kinds[4], 20000, 1 << 20);
    world_build(&w, &world_kinds[0]);
    struct history *h = keep(&w, 2000, 256 * 1024);
    run(w.tower.bare, 200000);
    struct history_stats s = history_stats(h);
    assert_true(s.checkpoints >= 8 && s.checkpoints < 60);
    assert_true(s.bytes < 512 * 1024);
    history_free(h);
    world_free(&w);
}

/* Everything pinned by something from outside: then the beginning is given up, and that is said. */
static void test_a_history_full_of_what_came_from_outside_loses_its_beginning(void **state) {
    struct world w;
    struct error e = ERROR_CLEAR;
    (void)state;
    world_build(&w, &world_kinds[0]);
    struct history *h = keep(&w, 0, 128 * 1024);
    for (uint32_t n = 0; n < 200; n++) {
        machine_poke(w.tower.bare, 0xF000, &n, sizeof n);
        run(w.tower.bare, 50);
    }
    assert_true(history_stats(h).checkpoints < 100);
    assert_true(history_first(h) > 0);
    assert_false(history_go(h, 1, &e));
    assert_non_null(strstr(e.text, "the history begins at "));
    history_free(h);
    world_free(&w);
}

static void test_steps_are_taken_back_one_by_one(void **state) {
    struct error e = ERROR_CLEAR;
    (void)state;
    for (const struct world_kind *k = world_kinds; k < world_kinds + WORLD_KINDS; k++) {
        struct world w;
        struct moment moment[MOMENTS];
        uint64_t seen[MOMENTS];
        if (!world_is_plain(k))
            continue;
        world_build(&w, k);
        struct history *h = keep(&w, 300000, 0);
        run(w.tower.bare, 150000);
        for (int n = 0; n < MOMENTS; n++) {
            run(w.tower.bare, 1);
            moment[n] = now(&w);
        }
        for (int n = MOMENTS - 2; n >= 0; n--) {
            if (!history_back(h, w.tower.bare, 1, &e))
                fail_msg("%s", e.text);
            assert_int_equal(machine_position(w.tower.bare), moment[n].position);
            assert_true(sight(&w) == moment[n].seen);
        }
        /* And those of the innermost machine, each of which is many of the bare one's. */
        for (int n = 0; n < MOMENTS; n++) {
            run(w.tower.innermost, 1);
            seen[n] = sight(&w);
        }
        for (int n = MOMENTS - 2; n >= 0; n--) {
            if (!history_back(h, w.tower.innermost, 1, &e))
                fail_msg("%s", e.text);
            if (sight(&w) != seen[n])
                fail_msg("%s: step %d is not the same again", k->name, n);
        }
        uint64_t here = sight(&w);
        assert_false(history_back(h, w.tower.innermost, UINT64_MAX, &e));
        assert_false(history_back(h, w.tower.innermost, 1000000000, &e));
        assert_non_null(strstr(e.text, "has not done 1000000000 steps since its history began"));
        assert_true(sight(&w) == here);
        history_free(h);
        world_free(&w);
    }
}

static uint64_t traps_of(struct machine *m) {
    struct machine_stats s;
    uint64_t traps = 0;
    machine_stats(m, &s);
    for (int c = 0; c < INTERRUPTION_CLASSES; c++)
        traps += s.interruptions[c];
    return traps;
}

static void test_a_machine_goes_back_to_its_last_interruption(void **state) {
    struct error e = ERROR_CLEAR;
    (void)state;
    for (const struct world_kind *k = world_kinds; k < world_kinds + WORLD_KINDS; k++) {
        struct world w;
        struct machine *m;
        struct moment trap[MOMENTS];
        const struct machine_limits until_trap = {.until_trap = true};
        if (!world_is_plain(k))
            continue;
        world_build(&w, k);
        m = w.tower.innermost;
        struct history *h = keep(&w, 50000, 0);
        assert_false(history_back_to_trap(h, m, &e));
        run(m, 20000);
        for (int n = 0; n < MOMENTS; n++) {
            machine_run(m, &until_trap);
            trap[n] = now(&w);
            run(m, 3);
        }
        for (int n = MOMENTS - 1; n >= 0; n--) {
            uint64_t traps = traps_of(m);
            if (!history_back_to_trap(h, m, &e))
                fail_msg("%s: %s", k->name, e.text);
            /* Three steps may have had interruptions of their own. */
            while (machine_position(w.tower.bare) > trap[n].position) {
                assert_true(traps_of(m) <= traps);
                assert_true(history_back_to_trap(h, m, &e));
            }
            assert_int_equal(machine_position(w.tower.bare), trap[n].position);
            assert_true(sight(&w) == trap[n].seen);
        }
        unsigned taken = 0;
        while (history_back_to_trap(h, m, &e))
            taken++;
        assert_true(taken > 0);
        assert_non_null(strstr(e.text, "has had no interruption since its history began"));
        history_free(h);
        world_free(&w);
    }
}

/* ---- From outside ---- */

/* Reads lines and cards for ever, and counts external interruptions and attentions. */
static const char listener[] = "G        CSECT\n"
                               "         USING G,0\n"
                               "         DC    X'0008000000000200'\n"
                               "         ORG   G+88\n"
                               "         DC    X'0008000000000300',4X'000A000000000E0200'\n"
                               "         ORG   G+X'78'\n"
                               "         DC    X'0008000000000320'\n"
                               "         ORG   G+X'200'\n"
                               "         LCTL  2,2,=F'-1'\n"
                               "         SSM   =X'00'\n"
                               "NEXT     MVC   72(4),=A(READ)\n"
                               "         SIO   9\n"
                               "         MVC   72(4),=A(CARD)\n"
                               "         SIO   12\n"
                               "         LA    8,1(,8)\n"
                               "         LPSW  WAIT\n"
                               "         DS    0D\n"
                               "WAIT     DC    X'030A000000000000'\n"
                               "READ     CCW   X'0A',X'1000',X'20',80\n"
                               "CARD     CCW   X'02',X'1080',X'20',80\n"
                               "         ORG   G+X'300'\n"
                               "         LA    6,1(,6)\n"
                               "         B     NEXT\n"
                               "         ORG   G+X'320'\n"
                               "         LA    7,1(,7)\n"
                               "         MVC   X'F00'(8,9),64\n"
                               "         LA    9,8(,9)\n"
                               "         N     9,=F'120'\n"
                               "         B     NEXT\n"
                               "         LTORG\n"
                               "         END\n";

static void disturb(struct machine *m, unsigned n) {
    struct error e = ERROR_CLEAR;
    char line[32];
    snprintf(line, sizeof line, "LINE %u", n);
    switch (n % 6) {
    case 0: console_type(machine_device(m, ADDRESS_CONSOLE), line, strlen(line)); break;
    case 1: machine_raise(m, CONDITION_INTERRUPT_KEY); break;
    case 2: machine_raise(m, CONDITION_ATTENTION); break;
    case 3: assert_true(reader_load_text(machine_device(m, ADDRESS_READER), line, strlen(line), n % 2, &e)); break;
    case 4: machine_poke(m, 0xC000 + n, line, sizeof line); break;
    case 5: {
        uint8_t block[DISK_BLOCK_BYTES];
        memset(block, (int)n, sizeof block);
        assert_true(disk_write_block(machine_device(m, ADDRESS_DISK), 700 + n, block));
    }
    }
}

static void test_what_came_from_outside_is_there_again(void **state) {
    enum { DISTURBANCES = 18 };
    struct error e = ERROR_CLEAR;
    (void)state;
    for (unsigned depth = 0; depth < DEPTHS; depth++) {
        struct world w;
        struct moment moment[DISTURBANCES];
        const struct world_kind k = {.name = "listener", .depth = depth, .minidisk = true};
        world_build(&w, &k);
        towers_load_source(w.tower.innermost, listener);
        struct history *h = keep(&w, 0, 0);
        for (unsigned n = 0; n < DISTURBANCES; n++) {
            machine_run(w.tower.innermost, &(struct machine_limits){.instructions = 100, .cycles = 300000});
            for (unsigned tries = 0; !machine_quiescent(w.tower.bare); tries++) {
                assert_true(tries < 10000);
                run(w.tower.bare, 1);
            }
            disturb(w.tower.innermost, n);
            machine_run(w.tower.innermost, &(struct machine_limits){.instructions = 7, .cycles = 300000});
            moment[n] = now(&w);
        }
        struct machine_state s;
        machine_state(w.tower.innermost, &s);
        assert_true(s.gpr[6] >= 3 && s.gpr[7] >= 6 && s.gpr[8] > 0); /* it has noticed */
        for (int n = DISTURBANCES - 1; n >= 0; n--)
            go(h, &w, moment[n], "back");
        for (unsigned n = 0; n < DISTURBANCES; n++)
            go(h, &w, moment[n], "and forward");
        assert_true(history_back(h, w.tower.bare, 3, &e));
        go(h, &w, moment[DISTURBANCES - 1], "a little back, and forward");

        /* Another future. */
        go(h, &w, moment[7], "before another future");
        machine_poke(w.tower.innermost, 0xD000, "other", 5);
        assert_true(history_go(h, machine_position(w.tower.bare) - 1, &e));
        assert_true(history_last(h) <= moment[7].position);
        go(h, &w, moment[3], "the past is the same");
        run(w.tower.innermost, 50);
        assert_int_equal(history_last(h), machine_position(w.tower.bare));
        struct moment other = now(&w);
        go(h, &w, moment[2], "before the other future");
        go(h, &w, other, "the other future");
        history_free(h);
        world_free(&w);
    }
}

/* What is done then is the one thing that cannot be repeated: what lies behind it cannot be gone to until no monitor is
 * at work, and nothing is silently wrong. */
static void test_what_is_done_while_a_monitor_is_at_work_interrupts_the_way(void **state) {
    struct world w;
    struct error e = ERROR_CLEAR;
    char path[256];
    (void)state;
    path_of(path, sizeof path, "interrupted");
    world_build(&w, &world_kinds[2]);
    struct history *h = keep(&w, 0, 0);
    run(w.tower.bare, 50000);
    struct moment before = now(&w);
    uint64_t at;
    do { /* at work here, and in the next moment, too */
        run(w.tower.bare, 1);
        at = machine_position(w.tower.bare);
        if (machine_quiescent(w.tower.bare))
            continue;
        run(w.tower.bare, 1);
        bool works_on = !machine_quiescent(w.tower.bare);
        assert_true(history_go(h, at, &e));
        if (works_on)
            break;
        run(w.tower.bare, 1);
    } while (true);
    machine_poke(w.tower.innermost, 0xF800, "outside", 7);
    assert_false(history_back(h, w.tower.bare, 1, &e));
    assert_non_null(strstr(e.text, "was done from outside while a monitor was at work"));
    assert_false(history_save(h, path, &e));
    run(w.tower.bare, 1);
    assert_false(machine_quiescent(w.tower.bare));
    run(w.tower.bare, 100000);
    struct moment behind = now(&w);
    assert_false(history_go(h, at + 1, &e));
    go(h, &w, behind, "still there");
    go(h, &w, before, "before");
    go(h, &w, behind, "behind");
    assert_true(history_back(h, w.tower.bare, 100, &e));
    go(h, &w, before, "before, again");
    run(w.tower.bare, 100000); /* a future without it */
    behind = now(&w);
    assert_true(history_go(h, at + 1, &e));
    go(h, &w, behind, "nothing is in the way any more");
    history_free(h);
    world_free(&w);
}

static void test_history_begins_anew_when_the_tree_is_another(void **state) {
    struct world w;
    struct error e = ERROR_CLEAR;
    struct disk_backing disk;
    char path[256];
    (void)state;
    path_of(path, sizeof path, "anew");
    world_build(&w, &world_kinds[1]);
    struct history *h = keep(&w, 10000, 0);
    assert_null(history_new(w.tower.innermost, NULL, &e));
    run(w.tower.bare, 20000);
    assert_true(snapshot_save(w.tower.bare, path, &e));
    struct moment saved = now(&w);
    run(w.tower.bare, 20000);
    uint64_t later = machine_position(w.tower.bare);
    assert_true(disk_backing_memory(&disk, 10, &e));
    assert_true(machine_attach(w.tower.bare, 0x1A0, disk_new(&w.model, &disk), &e));
    run(w.tower.bare, 5000);
    assert_int_equal(history_first(h), later);
    assert_false(history_go(h, later - 1, &e));
    history_free(h);
    world_free(&w);

    world_build(&w, &world_kinds[1]);
    h = keep(&w, 10000, 0);
    run(w.tower.bare, 60000);
    assert_true(snapshot_load(w.tower.bare, path, &e));
    assert_true(sight(&w) == saved.seen);
    run(w.tower.bare, 30000);
    assert_int_equal(history_first(h), saved.position);
    go(h, &w, saved, "the beginning");
    history_free(h);
    unlink(path);
    world_free(&w);
}

static void test_running_idly_costs_no_checkpoints(void **state) {
    struct world w;
    (void)state;
    world_build(&w, &world_kinds[0]);
    towers_load_source(w.tower.innermost, "G        CSECT\n"
                                          "         DC    X'0008000000000200'\n"
                                          "         ORG   G+X'200'\n"
                                          "         BALR  12,0\n"
                                          "         USING *,12\n"
                                          "         LPSW  WAIT\n"
                                          "         DS    0D\n"
                                          "WAIT     DC    X'020A000000000000'\n"
                                          "         END\n");
    struct history *h = keep(&w, 0, 0);
    for (int n = 0; n < 300; n++)
        run(w.tower.bare, 100);
    assert_int_equal(machine_status(w.tower.bare), MACHINE_IDLE);
    assert_int_equal(history_stats(h).checkpoints, 1);
    history_free(h);
    world_free(&w);
}

static bool at_once(void *self) {
    ++*(unsigned *)self;
    return true;
}

static void test_a_user_who_has_had_enough_is_heard(void **state) {
    struct world w;
    struct error e = ERROR_CLEAR;
    unsigned asked = 0;
    (void)state;
    world_build(&w, &world_kinds[0]);
    struct history *h =
        history_new(w.tower.bare, &(struct history_options){.interrupted = at_once, .self = &asked}, &e);
    assert_non_null(h);
    run(w.tower.bare, 100000);
    assert_false(history_back(h, w.tower.bare, 1, &e));
    assert_int_equal(e.kind, ERROR_BUDGET);
    assert_true(asked > 0);
    history_free(h);
    world_free(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_moment_can_be_gone_to),
        cmocka_unit_test(test_a_thinned_history_is_still_right),
        cmocka_unit_test(test_a_history_full_of_what_came_from_outside_loses_its_beginning),
        cmocka_unit_test(test_steps_are_taken_back_one_by_one),
        cmocka_unit_test(test_a_machine_goes_back_to_its_last_interruption),
        cmocka_unit_test(test_what_came_from_outside_is_there_again),
        cmocka_unit_test(test_what_is_done_while_a_monitor_is_at_work_interrupts_the_way),
        cmocka_unit_test(test_history_begins_anew_when_the_tree_is_another),
        cmocka_unit_test(test_running_idly_costs_no_checkpoints),
        cmocka_unit_test(test_a_user_who_has_had_enough_is_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
