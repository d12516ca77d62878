/* scenarios/guests/nucleus.s, bare, under towers of monitors, and on Hercules: the same lines on the typewriter in any
 * storage size and in any kind of time.
 *
 * What its processes have to find is computed here once more, in C, from what the comments of nucleus.s say. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "isa/assembler.h"
#include "isa/disk.h"
#include "isa/machine.h"
#include "tests/support/hercules.h"
#include "tests/support/hercules_boot.h"
#include "tests/support/unit.h"
#include "vmm/vmm.h"

enum {
    SMALL = 64 * 1024,
    MIDDLE = 96 * 1024,
    LARGE = 1024 * 1024,
    DISK = 0x150,
    DISK_BLOCKS = 1216,
    DONE = 0xFFF,  /* the address of the disabled wait */
    LIMIT = 0x200, /* labels in nucleus.s, documented in docs/nucleus.md */
    COUNTERS = 0x210,
    INSTRUCTIONS = 40000000,
    TRAPS_MOST = 40000, /* of the smallest, under one monitor: it is to run under five, and each makes three of one */
};

enum counter { PAGE_INS, PAGE_OUTS, ZEROED, STOLEN, RUNS, CALLS, FAULTS, EXTERNALS, IOS, IDLES, FORKS, COUNTER_COUNT };

/* ---- What it should find ---- */

enum { SORT_WORDS = 12288, SIEVE_BYTES = 49152, MATRIX_ORDER = 64, RECORDS = 16, RECORD_WORDS = 128 };

static uint32_t next_random(uint32_t *x) { return *x = *x * 1664525u + 1013904223u; }

static uint32_t hash(const uint32_t *words, size_t count) {
    uint32_t h = 0;
    for (size_t i = 0; i < count; i++)
        h = h * 31 + words[i];
    return h & 0x7FFFFFFF;
}

static int ascending(const void *a, const void *b) {
    int32_t x = (int32_t) * (const uint32_t *)a, y = (int32_t) * (const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint32_t sort_code(void) {
    static uint32_t words[SORT_WORDS];
    uint32_t x = 1;
    for (int i = 0; i < SORT_WORDS; i++)
        words[i] = next_random(&x);
    qsort(words, SORT_WORDS, sizeof words[0], ascending);
    return hash(words, SORT_WORDS);
}

static uint32_t sieve_code(void) {
    uint32_t primes = 0;
    for (uint32_t n = 2; n < SIEVE_BYTES; n++) {
        uint32_t d = 2;
        while (d * d <= n && n % d != 0)
            d++;
        primes += d * d > n;
    }
    return primes;
}

static uint32_t matrix_code(void) {
    static uint32_t a[2][MATRIX_ORDER][MATRIX_ORDER], c[MATRIX_ORDER][MATRIX_ORDER];
    uint32_t x = 1;
    for (int m = 0; m < 2; m++)
        for (int i = 0; i < MATRIX_ORDER; i++)
            for (int k = 0; k < MATRIX_ORDER; k++)
                a[m][i][k] = next_random(&x) >> 24;
    for (int i = 0; i < MATRIX_ORDER; i++)
        for (int k = 0; k < MATRIX_ORDER; k++) {
            c[i][k] = 0;
            for (int j = 0; j < MATRIX_ORDER; j++)
                c[i][k] += a[0][i][j] * a[1][j][k];
        }
    return hash(c[0], MATRIX_ORDER * MATRIX_ORDER);
}

static uint32_t filer_code(void) {
    uint32_t x = 1, sum = 0, record[RECORD_WORDS];
    for (int i = 0; i < RECORDS; i++) {
        for (int k = 0; k < RECORD_WORDS; k++)
            record[k] = next_random(&x);
        sum = (sum * 31 + hash(record, RECORD_WORDS)) & 0x7FFFFFFF;
    }
    return sum;
}

static void expect_line(struct bytes *to, const char *format, ...) {
    char line[160];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    bytes_append(to, line, (size_t)length);
    bytes_append(to, "\n", 1);
}

/* `talk`: what comes between the jobs and the goodbye. */
static void expected_lines(struct bytes *to, const char *talk) {
    expect_line(to, "INIT: THE NUCLEUS IS UP");
    expect_line(to, "SORT     ENDED WITH %08" PRIX32, sort_code());
    expect_line(to, "SIEVE    ENDED WITH %08" PRIX32, sieve_code());
    expect_line(to, "MATRIX   ENDED WITH %08" PRIX32, matrix_code());
    expect_line(to, "SLEEPER  ENDED WITH %08X", 10); /* naps */
    expect_line(to, "TREE: BOTH CHILDREN HAVE ENDED");
    expect_line(to, "TREE     ENDED WITH %08X", 2 + 3 + 4 + 5); /* leaves 2 and 3 of branch 1, 4 and 5 of branch 2 */
    expect_line(to, "FILER: LEDGER IS WRITTEN");
    expect_line(to, "READER: LEDGER IS READ");
    expect_line(to, "FILER    ENDED WITH %08" PRIX32, filer_code());
    expect_line(to, "BEGGAR   ENDED WITH %08X", 13); /* calls that ask for too much */
    expect_line(to, "NULL     STOPPED BY PROGRAM INTERRUPTION 11");
    expect_line(to, "STRAY    STOPPED BY PROGRAM INTERRUPTION 10");
    expect_line(to, "VANDAL   STOPPED BY PROGRAM INTERRUPTION 04");
    expect_line(to, "USURPER  STOPPED BY PROGRAM INTERRUPTION 02");
    expect_line(to, "GARBLED  STOPPED BY PROGRAM INTERRUPTION 01");
    bytes_append(to, talk, strlen(talk));
    expect_line(to, "INIT: GOODBYE");
    expect_line(to, "NUCLEUS: ALL PROCESSES HAVE ENDED");
}

/* ---- On our machines ---- */

static void assemble_nucleus(struct assembly *a) {
    struct error e = ERROR_CLEAR;
    if (!assemble_file(a, SOURCE_DIR "/scenarios/guests/nucleus.s", NULL, &e)) {
        struct bytes text = {0};
        assembly_print_diagnostics(a, &text);
        fail_msg("%s\n%.*s", e.text, (int)text.length, (const char *)text.data);
    }
}

struct run {
    struct tower tower;
    struct cost_model model;
    struct bytes lines;
};

static void take_line(void *self, const char *line, size_t length) {
    bytes_append(self, line, length);
    bytes_append(self, "\n", 1);
}

struct setting {
    uint32_t memory;
    unsigned depth;
    bool nominal;
    enum channel_conditions conditions;
    const uint8_t *disk; /* what is on it; NULL: zeros */
};

static void build_with(struct run *r, const struct setting *s) {
    struct error e = ERROR_CLEAR;
    struct assembly a;
    struct disk_backing backing;
    const char *kinds[TOWER_MOST];
    for (unsigned n = 0; n < TOWER_MOST; n++)
        kinds[n] = "trap-and-emulate";
    *r = (struct run){0};
    assert_true(cost_model_find(&r->model, "s370", &e));
    struct machine_options o = {.memory_bytes = s->memory,
                                .model = &r->model,
                                .nominal_time = s->nominal,
                                .channel_conditions = s->conditions,
                                .console_line = take_line,
                                .line_self = &r->lines};
    assemble_nucleus(&a);
    if (!tower_new(&r->tower, &o, kinds, s->depth, &e) ||
        !machine_load(r->tower.innermost, a.origin, a.image.data, a.image.length, &e) ||
        !disk_backing_memory(&backing, DISK_BLOCKS, &e) ||
        !machine_attach(r->tower.innermost, DISK, disk_new(&r->model, &backing), &e))
        fail_msg("%s", e.text);
    for (uint32_t n = 0; s->disk && n < DISK_BLOCKS; n++)
        assert_true(backing.write(backing.self, n, s->disk + (size_t)n * DISK_BLOCK_BYTES));
    assembly_fini(&a);
    if (s->depth == 0)
        machine_restart(r->tower.innermost);
}

static void build(struct run *r, uint32_t memory, unsigned depth, bool nominal) {
    build_with(r, &(struct setting){.memory = memory, .depth = depth, .nominal = nominal});
}

static void drop(struct run *r) {
    tower_free(&r->tower);
    bytes_fini(&r->lines);
}

static uint32_t word(struct machine *m, uint32_t at) {
    uint8_t raw[4];
    assert_int_equal(machine_peek(m, at, raw, sizeof raw), ACCESS_OK);
    return bytes_get32(raw);
}

static uint32_t counted(struct machine *m, enum counter c) { return word(m, COUNTERS + 4 * (uint32_t)c); }

static enum machine_status go(struct run *r) {
    const struct machine_limits limits = {.instructions = INSTRUCTIONS};
    return machine_run(r->tower.innermost, &limits);
}

static void check_lines(const struct bytes *lines, const char *talk, const char *where) {
    struct bytes expected = {0};
    expected_lines(&expected, talk);
    if (lines->length != expected.length || memcmp(lines->data, expected.data, expected.length) != 0)
        fail_msg("%s wrote\n%.*s\nexpected is\n%.*s", where, (int)lines->length, (const char *)lines->data,
                 (int)expected.length, (const char *)expected.data);
    bytes_fini(&expected);
}

/* Runs it to its end, and checks what it wrote and how it ended. */
static void finish(struct run *r, const char *talk, const char *where) {
    struct machine_state state;
    enum machine_status status = go(r);
    machine_state(r->tower.innermost, &state);
    if (status != MACHINE_DISABLED_WAIT || state.psw.ia != DONE)
        fail_msg("%s: %s at %06X %s\n%.*s", where, machine_status_name(status), state.psw.ia,
                 machine_fault(r->tower.bare), (int)r->lines.length, (const char *)r->lines.data);
    check_lines(&r->lines, talk, where);
}

static void run_bare(struct run *r, uint32_t memory, bool nominal) {
    build(r, memory, 0, nominal);
    finish(r, "", nominal ? "bare, nominal time," : "bare");
}

static void test_nucleus_writes_the_same_lines_in_every_storage_size(void **state) {
    (void)state;
    /* From the least to the most; 66K end in the middle of a page. */
    static const uint32_t sizes[] = {60 * 1024, SMALL, 66 * 1024, MIDDLE, LARGE, 16 * LARGE};
    for (int nominal = 0; nominal < 2; nominal++)
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            struct run r;
            run_bare(&r, sizes[i], nominal);
            drop(&r);
        }
}

static void test_nucleus_pages_a_thousand_times_in_the_smallest_and_never_in_the_largest(void **state) {
    (void)state;
    struct run r;
    struct machine_stats stats;
    run_bare(&r, SMALL, true);
    struct machine *m = r.tower.innermost;
    machine_stats(m, &stats);
    assert_in_range(counted(m, PAGE_INS), 1000, 2500);
    assert_in_range(counted(m, PAGE_OUTS), 500, 2000);
    assert_in_range(stats.instructions, 5000000, 20000000);
    /* The counters are true: as many as the machine counted. */
    assert_int_equal(counted(m, CALLS), stats.interruptions[INTERRUPTION_SVC]);
    assert_int_equal(counted(m, IOS), stats.interruptions[INTERRUPTION_IO]);
    assert_int_equal(counted(m, EXTERNALS), stats.interruptions[INTERRUPTION_EXTERNAL]);
    /* Program interruptions: page faults, five processes that are stopped (one of them by a page fault), and the end
     * of storage. */
    assert_int_equal(counted(m, FAULTS), stats.interruptions[INTERRUPTION_PROGRAM] - 5);
    drop(&r);
    run_bare(&r, LARGE, true);
    assert_int_equal(counted(r.tower.innermost, PAGE_INS), 0);
    assert_int_equal(counted(r.tower.innermost, PAGE_OUTS), 0);
    drop(&r);
}

/* LIMIT makes a large machine small: the rest of storage stays as it was. */
static void test_nucleus_uses_no_more_storage_than_it_is_told(void **state) {
    (void)state;
    struct run r;
    uint8_t limit[4];
    build(&r, LARGE, 0, true);
    bytes_put32(limit, SMALL);
    assert_int_equal(machine_poke(r.tower.innermost, LIMIT, limit, sizeof limit), ACCESS_OK);
    finish(&r, "", "limited");
    assert_true(counted(r.tower.innermost, PAGE_INS) >= 1000);
    for (uint32_t at = SMALL; at < LARGE; at += 4)
        assert_int_equal(word(r.tower.innermost, at), 0);
    drop(&r);
}

static void test_nucleus_refuses_a_machine_that_is_too_small(void **state) {
    (void)state;
    struct run r;
    struct machine_state s;
    build(&r, 58 * 1024, 0, true);
    assert_int_equal(go(&r), MACHINE_DISABLED_WAIT);
    machine_state(r.tower.innermost, &s);
    assert_int_equal(s.psw.ia, 0xBAD05);
    assert_int_equal(r.lines.length, 0);
    drop(&r);
}

static void test_nucleus_stops_when_its_disk_is_missing(void **state) {
    (void)state;
    struct run r;
    struct machine_state s;
    struct assembly a;
    struct error e = ERROR_CLEAR;
    build(&r, LARGE, 0, true);
    struct machine_options o = {.memory_bytes = SMALL, .model = &r.model, .nominal_time = true};
    struct machine *m = machine_new(&o, &e);
    assert_non_null(m);
    assemble_nucleus(&a);
    assert_true(machine_load(m, a.origin, a.image.data, a.image.length, &e));
    assembly_fini(&a);
    machine_restart(m);
    assert_int_equal(machine_run(m, &(struct machine_limits){.instructions = INSTRUCTIONS}), MACHINE_DISABLED_WAIT);
    machine_state(m, &s);
    assert_int_equal(s.psw.ia, 0xBAD02);
    machine_free(m);
    drop(&r);
}

static void test_nucleus_talks_to_an_operator_who_calls(void **state) {
    (void)state;
    static const enum channel_conditions conditions[] = {CHANNEL_CONDITIONS_HERCULES, CHANNEL_CONDITIONS_ARCHITECTURE};
    static const char *const typed[] = {"Good morning.", "ANOTHER LINE", ""};
    for (size_t c = 0; c < 2; c++) {
        struct run r;
        build_with(&r, &(struct setting){.memory = SMALL, .nominal = true, .conditions = conditions[c]});
        struct device *console = machine_device(r.tower.innermost, ADDRESS_CONSOLE);
        for (size_t i = 0; i < 3; i++)
            assert_true(console_type(console, typed[i], strlen(typed[i])));
        machine_raise(r.tower.innermost, CONDITION_ATTENTION);
        finish(&r,
               "INIT: YOU CALLED? (AN EMPTY LINE ENDS THIS)\n"
               "YOU SAID: Good morning.\n"
               "YOU SAID: ANOTHER LINE\n",
               "with an operator");
        drop(&r);
    }
}

/* Channel end and device end apart, busy channels, status by SIO. */
static void test_nucleus_runs_with_channels_as_the_architecture_has_them(void **state) {
    (void)state;
    for (unsigned depth = 0; depth <= 1; depth++) {
        struct run r;
        build_with(
            &r, &(struct setting){
                    .memory = SMALL, .depth = depth, .nominal = true, .conditions = CHANNEL_CONDITIONS_ARCHITECTURE});
        finish(&r, "", "with the architecture's channels");
        drop(&r);
    }
}

/* ---- Under monitors ---- */

/* Everything in nominal time is as on the bare machine: storage too, but for the interval timer. */
static void check_storage(struct machine *bare, struct machine *m, uint32_t length, const char *where) {
    uint8_t *a = malloc(length), *b = malloc(length);
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(machine_peek(bare, 0, a, length), ACCESS_OK);
    assert_int_equal(machine_peek(m, 0, b, length), ACCESS_OK);
    for (uint32_t i = 0; i < length; i++)
        if (a[i] != b[i] && (i < 80 || i > 83))
            fail_msg("%s: storage at %06X is %02X, bare %02X", where, i, b[i], a[i]);
    free(a);
    free(b);
}

static void run_tower(uint32_t memory, unsigned depth, bool nominal) {
    struct run r;
    char where[64];
    snprintf(where, sizeof where, "%uK at depth %u%s", memory / 1024, depth, nominal ? ", nominal time" : "");
    build(&r, memory, depth, nominal);
    finish(&r, "", where);
    if (depth == 1 && nominal) {
        struct vmm_stats stats;
        vmm_stats(r.tower.monitor[0], &stats);
        assert_in_range(stats.traps, 1, TRAPS_MOST);
    }
    if (nominal) {
        struct run bare;
        run_bare(&bare, memory, true);
        check_storage(bare.tower.bare, r.tower.innermost, memory, where);
        drop(&bare);
    }
    drop(&r);
}

static void test_nucleus_under_monitors_leaves_what_it_leaves_bare_in_nominal_time(void **state) {
    (void)state;
    run_tower(SMALL, 1, true);
    run_tower(SMALL, 2, true);
    run_tower(MIDDLE, 2, true);
    run_tower(LARGE, 1, true);
    run_tower(MIDDLE, 3, true);
    run_tower(LARGE, 5, true);
}

static void test_nucleus_under_monitors_writes_the_same_lines_in_real_time(void **state) {
    (void)state;
    run_tower(SMALL, 1, false);
    run_tower(SMALL, 2, false);
    run_tower(MIDDLE, 3, false);
    run_tower(LARGE, 4, false);
}

/* ---- Loaded from its disk ---- */

enum { BLOCK = DISK_BLOCK_BYTES };

/* A disk with loader.s in block 0 and the nucleus behind it, told to use so much storage. */
static uint8_t *make_disk(uint32_t limit) {
    struct error e = ERROR_CLEAR;
    struct assembly loader, nucleus;
    uint8_t *disk = calloc(DISK_BLOCKS, BLOCK);
    assert_non_null(disk);
    if (!assemble_file(&loader, SOURCE_DIR "/scenarios/guests/loader.s", NULL, &e))
        fail_msg("%s", e.text);
    assemble_nucleus(&nucleus);
    assert_int_equal(loader.image.length, BLOCK);
    memcpy(disk, loader.image.data, BLOCK);
    memcpy(disk + BLOCK, nucleus.image.data, nucleus.image.length);
    bytes_put32(disk + BLOCK + LIMIT, limit);
    assembly_fini(&loader);
    assembly_fini(&nucleus);
    return disk;
}

static void test_nucleus_is_loaded_from_the_disk_that_it_pages_to(void **state) {
    (void)state;
    for (unsigned depth = 0; depth <= 2; depth++) {
        struct run r;
        struct error e = ERROR_CLEAR;
        uint8_t *disk = make_disk(0);
        build_with(&r, &(struct setting){.memory = SMALL, .depth = depth, .nominal = true, .disk = disk});
        free(disk);
        if (!machine_ipl(r.tower.innermost, DISK, LOAD_CLEAR, &e))
            fail_msg("%s", e.text);
        finish(&r, "", "loaded from disk");
        drop(&r);
    }
}

/* ---- On Hercules ---- */

static void check_hercules(const struct hercules_boot *boot, const char *where) {
    struct bytes lines = {0};
    uint64_t psw = 0;
    if (!hercules_boot(boot, &lines, &psw) || psw != 0x000A000000000000u + DONE)
        fail_msg("%s: PSW %016" PRIX64 "\n%.*s", where, psw, (int)lines.length, (const char *)lines.data);
    check_lines(&lines, "", where);
    bytes_fini(&lines);
}

static void test_nucleus_writes_the_same_lines_on_hercules(void **state) {
    (void)state;
    if (!hercules_present())
        skip();
    static const uint32_t limits[] = {MIDDLE, 0};
    for (size_t i = 0; i < 2; i++) {
        struct assembly a;
        void *disk = calloc(DISK_BLOCKS, BLOCK);
        assert_non_null(disk);
        assemble_nucleus(&a);
        bytes_put32(a.image.data + LIMIT, limits[i]);
        const struct hercules_boot boot = {
            .image = a.image.data, .length = a.image.length, .disk = disk, .disk_length = (size_t)DISK_BLOCKS * BLOCK};
        check_hercules(&boot, "Hercules");
        assembly_fini(&a);
        free(disk);
    }
    uint8_t *disk = make_disk(SMALL);
    check_hercules(&(struct hercules_boot){.disk = disk, .disk_length = (size_t)DISK_BLOCKS * BLOCK},
                   "Hercules, loaded from disk");
    free(disk);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nucleus_writes_the_same_lines_in_every_storage_size),
        cmocka_unit_test(test_nucleus_pages_a_thousand_times_in_the_smallest_and_never_in_the_largest),
        cmocka_unit_test(test_nucleus_uses_no_more_storage_than_it_is_told),
        cmocka_unit_test(test_nucleus_refuses_a_machine_that_is_too_small),
        cmocka_unit_test(test_nucleus_stops_when_its_disk_is_missing),
        cmocka_unit_test(test_nucleus_talks_to_an_operator_who_calls),
        cmocka_unit_test(test_nucleus_runs_with_channels_as_the_architecture_has_them),
        cmocka_unit_test(test_nucleus_under_monitors_leaves_what_it_leaves_bare_in_nominal_time),
        cmocka_unit_test(test_nucleus_under_monitors_writes_the_same_lines_in_real_time),
        cmocka_unit_test(test_nucleus_is_loaded_from_the_disk_that_it_pages_to),
        unit_test_in_folder(test_nucleus_writes_the_same_lines_on_hercules),
    };
    return cmocka_run_group_tests_name("nucleus", tests, NULL, NULL);
}
