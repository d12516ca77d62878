/* Many guests: each gets its share and its own results, whoever else is there and whatever they do; and many hosts. */
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/vmm/hosts.h"

enum {
    SEED = 0xE20,
    COUNT = 0xE24,
    RESULT = 0xE28,
    TABLE = 0x20000, /* 64 KB, all over which the work is done */
};

/* A random sequence, kept in a table at places that it gives itself; the sum of exclusive ors is the result. */
#define WORK_LOOP                                                                                                      \
    "WORK     L     7,X'E20'            seed\n"                                                                        \
    "         L     4,X'E24'            how many\n"                                                                    \
    "         SR    8,8\n"                                                                                             \
    "         L     6,=A(X'20000')\n"                                                                                  \
    "LOOP     LR    1,7\n"                                                                                             \
    "         M     0,=F'1664525'\n"                                                                                   \
    "         AL    1,=F'1013904223'\n"                                                                                \
    "         LR    7,1\n"                                                                                             \
    "         SRL   1,16\n"                                                                                            \
    "         N     1,=X'0000FFFC'\n"                                                                                  \
    "         X     8,0(1,6)\n"                                                                                        \
    "         ST    7,0(1,6)\n"                                                                                        \
    "         BCT   4,LOOP\n"                                                                                          \
    "         ST    8,X'E28'\n"
#define WORK PAGE_0 WORK_LOOP STOP_HERE "         LTORG\n         END\n"

static uint32_t work_result(uint32_t seed, uint32_t count) {
    static uint32_t table[0x4000];
    uint32_t x = seed, sum = 0;
    memset(table, 0, sizeof table);
    for (uint32_t n = 0; n < count; n++) {
        x = x * 1664525u + 1013904223u;
        sum ^= table[(x >> 16 & 0xFFFC) / 4];
        table[(x >> 16 & 0xFFFC) / 4] = x;
    }
    return sum;
}

static struct machine *add_worker(struct host *h, uint32_t count) {
    struct machine *g = hosts_add(h, WORK, 256 * 1024, 1);
    hosts_put_word(g, SEED, h->guests);
    hosts_put_word(g, COUNT, count);
    return g;
}

static uint64_t instructions_of(struct machine *m) {
    struct machine_stats s;
    machine_stats(m, &s);
    return s.instructions;
}

/* ---- Shares ---- */

/* What the monitor counted for its guests is what it counted in all; and every cycle is on somebody's account. */
static void check_figures(struct host *h) {
    struct vmm_stats all, sum = {0};
    struct machine_stats stats;
    uint64_t booked = 0;
    vmm_stats(h->monitor, &all);
    for (unsigned n = 0; n < h->guests; n++) {
        struct vmm_stats one;
        assert_true(vmm_guest_stats(h->guest[n], &one));
        sum.traps += one.traps;
        sum.shadow_faults += one.shadow_faults;
        sum.interpreted += one.interpreted;
        sum.reflected += one.reflected;
        sum.dispatches += one.dispatches;
    }
    assert_int_equal(sum.traps, all.traps); /* none comes while all of them wait */
    assert_int_equal(sum.shadow_faults, all.shadow_faults);
    assert_int_equal(sum.interpreted, all.interpreted);
    assert_int_equal(sum.reflected, all.reflected);
    assert_int_equal(sum.dispatches, all.dispatches);
    for (int level = 0; level <= 1; level++)
        booked += machine_booked_level(h->below.bare, level);
    machine_stats(h->below.bare, &stats);
    assert_int_equal(booked, stats.cycles);
}

static void test_32_guests_of_256_kb_in_a_machine_of_16_mb(void **state) {
    enum { GUESTS = 32, ROUNDS = 5, WORK_EACH = 300000 };
    struct host h;
    uint64_t least = UINT64_MAX, most = 0;
    (void)state;
    hosts_build(&h, 16 << 20, 1, false);
    for (unsigned n = 0; n < GUESTS; n++)
        add_worker(&h, WORK_EACH);
    hosts_start(&h);
    const uint64_t slice = vmm_default_options().slice;
    assert_int_equal(machine_run(h.below.bare, &(struct machine_limits){.cycles = ROUNDS * GUESTS * slice}),
                     MACHINE_READY);
    for (unsigned n = 0; n < GUESTS; n++) {
        uint64_t done = instructions_of(h.guest[n]);
        least = done < least ? done : least;
        most = done > most ? done : most;
    }
    /* Each has had ROUNDS turns, or one less: the monitor itself takes its time, too. */
    assert_true(least > 0);
    assert_in_range(most * 100 / least, 100, 100 * ROUNDS / (ROUNDS - 1) + 5);
    check_figures(&h);
    assert_int_equal(machine_run(h.below.bare, NULL), MACHINE_DISABLED_WAIT);
    for (unsigned n = 0; n < GUESTS; n++) {
        assert_int_equal(machine_status(h.guest[n]), MACHINE_DISABLED_WAIT);
        assert_int_equal(hosts_word(h.guest[n], RESULT), work_result(n + 1, WORK_EACH));
        assert_int_equal(instructions_of(h.guest[n]), instructions_of(h.guest[0]));
    }
    check_figures(&h);
    hosts_check_owners(&h);
    hosts_free(&h);
}

static void test_a_monitor_without_room_for_one_more_says_so(void **state) {
    struct host h;
    struct error e = ERROR_CLEAR;
    const struct guest_options o = {.memory_bytes = 256 * 1024};
    (void)state;
    hosts_build(&h, 16 << 20, 1, false);
    struct machine *g = NULL;
    while ((g = vmm_guest(h.monitor, &o, &e))) {
        h.guest[h.guests++] = g;
        h.frames = reference(h.monitor)->frames;
    }
    assert_int_equal(h.guests, (16384 - 4) / (256 + 156));
    assert_string_equal(e.text, "the machine has 16384 KB, not enough in one piece for a guest of 256 KB, which needs "
                                "412 KB with its tables");
    hosts_check_owners(&h); /* what the refused one had taken has been given back */
    const struct guest_options small = {.memory_bytes = 64 * 1024};
    assert_non_null(g = vmm_guest(h.monitor, &small, &e));
    hosts_free(&h);
}

/* Disabled for everything and without a privileged instruction: it can only be interrupted by the monitor's timer. */
static void test_a_guest_that_never_yields_has_its_share_and_no_more(void **state) {
    static const char selfish[] = PAGE_0 "SELF     LA    7,1(,7)\n"
                                         "         B     SELF\n"
                                         "         END\n";
    (void)state;
    for (unsigned depth = 1; depth <= 2; depth++) {
        struct host h;
        hosts_build(&h, 2 << 20, depth, false);
        struct machine *hog = hosts_add(&h, selfish, 64 * 1024, 1);
        struct machine *worker = add_worker(&h, 100000);
        hosts_start(&h);
        for (unsigned n = 0; n < 1000 && machine_status(worker) == MACHINE_READY; n++)
            machine_run(h.below.bare, &(struct machine_limits){.cycles = 100000});
        assert_int_equal(machine_status(worker), MACHINE_DISABLED_WAIT);
        assert_int_equal(hosts_word(worker, RESULT), work_result(2, 100000));
        assert_int_equal(machine_status(hog), MACHINE_READY);
        /* Both loops' instructions take the same few cycles. */
        assert_in_range(instructions_of(hog) * 100 / instructions_of(worker), 60, 400);
        hosts_check_owners(&h);
        hosts_free(&h);
    }
}

/* ---- Systems side by side ---- */

enum { NUCLEUS_BLOCKS = 1216, SYSTEM = 64 * 1024 };
static const char *const typed[] = {"E HELLO", "D 80 4", "H", "Q"};

static void type_all(struct machine *m) {
    for (size_t n = 0; n < sizeof typed / sizeof *typed; n++)
        assert_true(console_type(machine_device(m, ADDRESS_CONSOLE), typed[n], strlen(typed[n])));
}

/* What the guest writes when it is alone with a bare machine. */
static void alone(const char *path, bool types, struct bytes *lines) {
    struct cost_model model;
    struct error e = ERROR_CLEAR;
    struct assembly a;
    struct disk_backing disk;
    assert_true(cost_model_find(&model, "s370", &e));
    const struct machine_options o = {
        .memory_bytes = SYSTEM, .model = &model, .console_line = guests_line, .line_self = lines};
    struct machine *m = machine_new(&o, &e);
    assert_true(disk_backing_memory(&disk, NUCLEUS_BLOCKS, &e));
    assert_true(machine_attach(m, ADDRESS_DISK, disk_new(&model, &disk), &e));
    bool ok = assemble_file(&a, path, NULL, &e);
    hosts_load(m, &a, ok, &e);
    if (types)
        type_all(m);
    assert_int_equal(machine_run(m, NULL), MACHINE_DISABLED_WAIT);
    machine_free(m);
}

static void test_two_systems_on_one_disk_and_one_of_the_sixties(void **state) {
    static const char nucleus[] = SOURCE_DIR "/scenarios/guests/nucleus.s";
    static const char monitor[] = SOURCE_DIR "/scenarios/guests/monitor.s";
    struct bytes expected[2] = {{0}, {0}};
    (void)state;
    alone(nucleus, false, &expected[0]);
    alone(monitor, true, &expected[1]);
    for (unsigned depth = 1; depth <= 2; depth++) {
        struct host h;
        hosts_build(&h, 1 << 20, depth, false);
        hosts_disk(&h, 2 * NUCLEUS_BLOCKS);
        hosts_add_file(&h, nucleus, SYSTEM);
        hosts_add_file(&h, nucleus, SYSTEM);
        type_all(hosts_add_file(&h, monitor, SYSTEM));
        hosts_minidisk(&h, 0, 0, NUCLEUS_BLOCKS);
        hosts_minidisk(&h, 1, NUCLEUS_BLOCKS, NUCLEUS_BLOCKS);
        hosts_start(&h);
        assert_int_equal(machine_run(h.below.bare, NULL), MACHINE_DISABLED_WAIT);
        for (unsigned n = 0; n < 3; n++) {
            const struct bytes *same = &expected[n == 2];
            if (h.lines[n].length != same->length || memcmp(h.lines[n].data, same->data, same->length) != 0)
                fail_msg("depth %u: guest %u wrote\n%.*s\nalone it writes\n%.*s", depth, n, (int)h.lines[n].length,
                         (const char *)h.lines[n].data, (int)same->length, (const char *)same->data);
        }
        hosts_check_owners(&h);
        hosts_check_unpinned(&h);
        hosts_free(&h);
    }
    bytes_fini(&expected[0]);
    bytes_fini(&expected[1]);
}

/* ---- Two virtual CPUs ---- */

/* CPU 0 makes page 2000 like page 0 and restarts CPU 1, which takes it for its prefix, stores there, and calls; CPU
 * 0 answers with an emergency signal; each counts what it took, in its own page 0. Then CPU 1 is stopped, and its
 * status stored. */
static const char pair[] = PAGE_0 "         L     1,=A(X'2000')        CPU 1's page 0 begins as CPU 0's\n"
                                  "         LA    4,16\n"
                                  "         SR    3,3\n"
                                  "COPY     MVC   0(256,1),0(3)\n"
                                  "         LA    1,256(,1)\n"
                                  "         LA    3,256(,3)\n"
                                  "         BCT   4,COPY\n"
                                  "         L     1,=A(X'2000')\n"
                                  "         MVC   0(8),NEW            where CPU 1 begins\n"
                                  "         MVC   X'58'(8),NEW+8\n"
                                  "         MVC   X'58'(8,1),NEW+16\n"
                                  "         LCTL  0,0,=X'00006000'    both signals\n"
                                  "         LA    3,1\n"
                                  "         SIGP  0,3,X'06'           restart\n"
                                  "         BC    7,BAD\n"
                                  "         LPSW  WAITS\n"
                                  "TAKE0    LH    5,X'84'             who called\n"
                                  "         ST    5,X'E30'\n"
                                  "         MVC   X'E34'(2),X'86'     the code\n"
                                  "         SIGP  0,3,X'03'           emergency signal\n"
                                  "UNTIL    L     6,=A(X'2E38')       until CPU 1 has taken it\n"
                                  "         CLI   0(6),1\n"
                                  "         BNE   UNTIL\n"
                                  "STOPIT   SIGP  7,3,X'09'           stop and store status\n"
                                  "         BC    2,STOPIT\n"
                                  "SENSE    SR    7,7\n"
                                  "         SIGP  7,3,X'01'           until it has\n"
                                  "         BC    2,SENSE\n"
                                  "         ST    7,X'E3C'\n" STOP_HERE "BAD      LPSW  X'58'+X'10'\n"
                                  "SECOND   SPX   PREFIX\n"
                                  "         LCTL  0,0,=X'00006000'\n"
                                  "         MVC   X'E30'(4),=C'MINE'  in its own page 0\n"
                                  "         STPX  X'E40'\n"
                                  "         STAP  X'E44'\n"
                                  "         SR    3,3\n"
                                  "         SIGP  0,3,X'02'           external call\n"
                                  "         LPSW  WAITS\n"
                                  "TAKE1    LH    5,X'84'\n"
                                  "         ST    5,X'E34'\n"
                                  "         MVC   X'E46'(2),X'86'\n"
                                  "         LA    9,99\n"
                                  "         MVI   X'E38',1\n"
                                  "         B     *\n"
                                  "         LTORG\n"
                                  "WAITS    DC    0D'0',X'010A000000000000'\n"
                                  "NEW      DC    X'00080000',A(SECOND),X'00080000',A(TAKE0),X'00080000',A(TAKE1)\n"
                                  "PREFIX   DC    A(X'2000')\n"
                                  "         END\n";

static void check_pair(struct machine *m, const char *where) {
    uint8_t mine[4], code[2];
    if (machine_status(m) != MACHINE_DISABLED_WAIT && machine_status(m) != MACHINE_READY)
        fail_msg("%s: %s", where, machine_status_name(machine_status(m)));
    assert_int_equal(hosts_word(m, 0xE30), 1); /* CPU 1 called CPU 0, */
    machine_peek(m, 0xE34, code, 2);
    assert_int_equal(bytes_get16(code), 0x1202);
    machine_peek(m, 0x2E30, mine, 4);
    assert_memory_equal(mine, "\xD4\xC9\xD5\xC5", 4); /* which had MINE in its own page 0, */
    assert_int_equal(hosts_word(m, 0x2E34), 0);       /* and was signalled by CPU 0 */
    machine_peek(m, 0x2E46, code, 2);
    assert_int_equal(bytes_get16(code), 0x1201);
    assert_int_equal(hosts_word(m, 0x2E40), 0x2000); /* its prefix, */
    machine_peek(m, 0x2E44, code, 2);
    assert_int_equal(bytes_get16(code), 1);              /* its address, */
    assert_int_equal(hosts_word(m, 0xE3C) & 0x40, 0x40); /* stopped; */
    assert_int_equal(hosts_word(m, 264), 0x2000);        /* in the status: its prefix, */
    assert_int_equal(hosts_word(m, 384 + 9 * 4), 99);    /* and register 9 */
}

static void test_two_virtual_cpus_signal_each_other_from_their_own_page_0(void **state) {
    struct cost_model model;
    struct error e = ERROR_CLEAR;
    struct assembly a;
    (void)state;
    assert_true(cost_model_find(&model, "s370", &e));
    const struct machine_options two = {.memory_bytes = 64 * 1024, .cpus = 2, .model = &model};
    struct machine *bare = machine_new(&two, &e);
    bool ok = assemble(&a, "pair.s", pair, strlen(pair), NULL, &e);
    hosts_load(bare, &a, ok, &e);
    machine_run(bare, &(struct machine_limits){.instructions = 100000});
    check_pair(bare, "bare");
    machine_free(bare);
    for (unsigned depth = 1; depth <= 2; depth++) {
        struct host h;
        char where[32];
        snprintf(where, sizeof where, "depth %u", depth);
        hosts_build(&h, 2 << 20, depth, false);
        struct machine *m = hosts_add(&h, pair, 64 * 1024, 2);
        struct machine *other = add_worker(&h, 50000); /* which shares the machine with both */
        hosts_start(&h);
        machine_run(h.below.bare, &(struct machine_limits){.cycles = 100000000});
        check_pair(m, where);
        assert_int_equal(hosts_word(other, RESULT), work_result(2, 50000));
        hosts_check_owners(&h);
        hosts_free(&h);
    }
}

/* ---- Wakeups ---- */

/* Ten times: sets its clock for 20,000 units of 1/4096 us from now and waits, enabled; then how late it was is
 * added up in E30, and the largest in E34 (units; a cycle has 471). */
#define SLEEPER(mask, set)                                                                                             \
    PAGE_0 "         MVC   X'58'(8),NEW\n"                                                                             \
           "         LCTL  0,0,=X'" mask "'\n"                                                                         \
           "         LA    8,10\n"                                                                                     \
           "NAP      STCK  X'E40'\n"                                                                                   \
           "         L     1,X'E44'\n"                                                                                 \
           "         L     2,X'E40'\n"                                                                                 \
           "         AL    1,=F'200000000'\n"                                                                          \
           "         BC    12,NOCARRY\n"                                                                               \
           "         AL    2,=F'1'\n"                                                                                  \
           "NOCARRY  ST    1,X'E4C'            when to awake\n"                                                        \
           "         ST    2,X'E48'\n" set "         LPSW  WAITS\n"                                                    \
           "AWAKE    STCK  X'E50'\n"                                                                                   \
           "         L     1,X'E54'\n"                                                                                 \
           "         SL    1,X'E4C'            how late: less than 2**31 units\n"                                      \
           "         C     1,X'E34'\n"                                                                                 \
           "         BNH   NOTMORE\n"                                                                                  \
           "         ST    1,X'E34'\n"                                                                                 \
           "NOTMORE  LH    1,X'86'\n"                                                                                  \
           "         ST    1,X'E38'            the code\n"                                                             \
           "         L     1,X'E30'\n"                                                                                 \
           "         LA    1,1(,1)\n"                                                                                  \
           "         ST    1,X'E30'            how often\n"                                                            \
           "         BCT   8,NAP\n" STOP_HERE "         LTORG\n"                                                       \
           "WAITS    DC    0D'0',X'010A000000000000'\n"                                                                \
           "NEW      DC    X'00080000',A(AWAKE)\n"                                                                     \
           "AWHILE   DC    0D'0',F'0,200000000'\n"                                                                     \
           "         END\n"
static const char by_comparator[] = SLEEPER("00000800", "         SCKC  X'E48'\n");
static const char by_timer[] = SLEEPER("00000400", "         SPT   AWHILE\n");

static void test_sleepers_are_woken_in_time_while_others_compute(void **state) {
    (void)state;
    for (unsigned depth = 1; depth <= 2; depth++) {
        struct host h;
        hosts_build(&h, 4 << 20, depth, false);
        struct machine *sleeper[2], *worker[2];
        worker[0] = add_worker(&h, 200000);
        sleeper[0] = hosts_add(&h, by_comparator, 64 * 1024, 1);
        worker[1] = add_worker(&h, 200000);
        sleeper[1] = hosts_add(&h, by_timer, 64 * 1024, 1);
        hosts_start(&h);
        for (unsigned n = 0; n < 2; n++) {
            for (unsigned k = 0; k < 1000 && machine_status(sleeper[n]) != MACHINE_DISABLED_WAIT; k++)
                machine_run(h.below.bare, &(struct machine_limits){.cycles = 100000});
            assert_int_equal(machine_status(sleeper[n]), MACHINE_DISABLED_WAIT);
            assert_int_equal(hosts_word(sleeper[n], 0xE30), 10);
            assert_int_equal(hosts_word(sleeper[n], 0xE38), n ? 0x1005 : 0x1004);
            /* When its time has come it is in line again: both workers may have their slices first, not more. */
            assert_in_range(hosts_word(sleeper[n], 0xE34) / 471, 0, 2 * SLICE_DEFAULT + SLICE_DEFAULT / 4);
        }
        for (unsigned n = 0; n < 2; n++)
            assert_int_equal(machine_status(worker[n]), MACHINE_READY); /* they were computing all the time */
        assert_int_equal(machine_run(h.below.bare, NULL), MACHINE_DISABLED_WAIT);
        assert_int_equal(hosts_word(worker[0], RESULT), work_result(1, 200000));
        assert_int_equal(hosts_word(worker[1], RESULT), work_result(3, 200000));
        hosts_free(&h);
    }
}

/* ---- Many hosts ---- */

static uint64_t resident_kb(void) {
    unsigned long total = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f) {
        if (fscanf(f, "%lu %lu", &total, &resident) != 2)
            resident = 0;
        fclose(f);
    }
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
}

static uint64_t microseconds(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void test_500_hosts_in_one_process(void **state) {
    enum { HOSTS = 500, WORK_EACH = 2000 };
    static struct host *h[HOSTS];
    uint64_t before_kb = resident_kb(), before_us = microseconds();
    (void)state;
    for (unsigned n = 0; n < HOSTS; n++) {
        assert_non_null(h[n] = malloc(sizeof *h[n]));
        hosts_build(h[n], 1 << 20, 1, true);
        hosts_put_word(add_worker(h[n], WORK_EACH), SEED, n);
        hosts_start(h[n]);
    }
    /* In turns, so that all of them are there, and in the middle of something, at once. */
    for (unsigned round = 0; round < 4; round++)
        for (unsigned n = 0; n < HOSTS; n++)
            machine_run(h[n]->below.bare, &(struct machine_limits){.instructions = WORK_EACH * 3});
    printf("%d hosts, each with a monitor and a guest: %llu KB and %llu us of CPU time each, a simulated machine of "
           "1 MB\n",
           HOSTS, (unsigned long long)(resident_kb() - before_kb) / HOSTS,
           (unsigned long long)(microseconds() - before_us) / HOSTS);
    for (unsigned n = 0; n < HOSTS; n++) {
        machine_run(h[n]->below.bare, NULL);
        assert_int_equal(machine_status(h[n]->guest[0]), MACHINE_DISABLED_WAIT);
        assert_int_equal(hosts_word(h[n]->guest[0], RESULT), work_result(n, WORK_EACH));
        hosts_check_owners(h[n]);
        hosts_free(h[n]);
        free(h[n]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_32_guests_of_256_kb_in_a_machine_of_16_mb),
        cmocka_unit_test(test_a_monitor_without_room_for_one_more_says_so),
        cmocka_unit_test(test_a_guest_that_never_yields_has_its_share_and_no_more),
        cmocka_unit_test(test_two_systems_on_one_disk_and_one_of_the_sixties),
        cmocka_unit_test(test_two_virtual_cpus_signal_each_other_from_their_own_page_0),
        cmocka_unit_test(test_sleepers_are_woken_in_time_while_others_compute),
        cmocka_unit_test(test_500_hosts_in_one_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
