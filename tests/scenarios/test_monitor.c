/* scenarios/guests/monitor.s: what an operator types and what comes back, bare, under monitors, and on Hercules. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "isa/assembler.h"
#include "isa/machine.h"
#include "tests/support/hercules.h"
#include "tests/support/hercules_boot.h"
#include "tests/support/unit.h"
#include "vmm/vmm.h"

enum { MEMORY = 64 * 1024, INSTRUCTIONS = 40000000 };

struct run {
    struct tower tower;
    struct cost_model model;
    struct bytes lines;
};

static void take_line(void *self, const char *line, size_t length) {
    bytes_append(self, line, length);
    bytes_append(self, "\n", 1);
}

static void assemble_monitor(struct assembly *a) {
    struct error e = ERROR_CLEAR;
    if (!assemble_file(a, SOURCE_DIR "/scenarios/guests/monitor.s", NULL, &e))
        fail_msg("%s", e.text);
}

static void build_with(struct run *r, unsigned depth, enum channel_conditions conditions) {
    struct error e = ERROR_CLEAR;
    struct assembly a;
    const char *kinds[TOWER_MOST];
    for (unsigned n = 0; n < TOWER_MOST; n++)
        kinds[n] = "trap-and-emulate";
    *r = (struct run){0};
    assert_true(cost_model_find(&r->model, "s370", &e));
    struct machine_options o = {.memory_bytes = MEMORY,
                                .model = &r->model,
                                .nominal_time = true,
                                .channel_conditions = conditions,
                                .console_line = take_line,
                                .line_self = &r->lines};
    assemble_monitor(&a);
    if (!tower_new(&r->tower, &o, kinds, depth, &e) ||
        !machine_load(r->tower.innermost, a.origin, a.image.data, a.image.length, &e))
        fail_msg("%s", e.text);
    assembly_fini(&a);
    if (depth == 0)
        machine_restart(r->tower.innermost);
}

static void build(struct run *r, unsigned depth) { build_with(r, depth, CHANNEL_CONDITIONS_HERCULES); }

static void drop(struct run *r) {
    tower_free(&r->tower);
    bytes_fini(&r->lines);
}

static void type(struct run *r, const char *line) {
    assert_true(console_type(machine_device(r->tower.innermost, ADDRESS_CONSOLE), line, strlen(line)));
}

static enum machine_status go(struct run *r, uint64_t instructions) {
    return machine_run(r->tower.innermost, &(struct machine_limits){.instructions = instructions});
}

/* Shows the first line that differs. */
static void check_lines(const struct bytes *lines, const char *expected) {
    size_t at = 0;
    for (unsigned n = 1;; n++) {
        size_t a = strcspn(expected, "\n"), b = 0;
        while (at + b < lines->length && lines->data[at + b] != '\n')
            b++;
        if (a != b || memcmp(expected, lines->data + at, a) != 0)
            fail_msg("line %u is `%.*s`, expected is `%.*s`", n, (int)b, (const char *)lines->data + at, (int)a,
                     expected);
        expected += a;
        at += b;
        if (!*expected || at == lines->length) {
            if (*expected || at < lines->length)
                fail_msg("more or fewer lines than the %u expected", n);
            return;
        }
        expected++;
        at++;
    }
}

/* What is typed, a line each, and all that has to come of it. X'0510 07F1' is BALR 1,0 and BR 1: a loop; X'92000200'
 * stores into the monitor, whose key is another; X'0510 58101006 0A01' has SVC 1 write a line that is nowhere. */
static const char *const typed[] = {
    "h",
    "e Hello, World",
    "g",
    "r",
    "d 2000 20",
    "A 3000 9200 0200",
    "g 3000",
    "a 3100 051007F1",
    "g 3100",
    "a 3200 0A07",
    "g 3200",
    "g 3201",
    "a 3500 0510 58101006 0a01 00ffffff",
    "g 3500",
    "d fffff0",
    "a fffff0 00",
    "d",
    "d 200x",
    "d 200 1001",
    "a 3000",
    "a 3000 123",
    "a 3000 12 x",
    "d 3000 1",
    "nothing of the kind",
    "",
    "e",
    "q",
};

static const char conversation[] = "MONITOR: H HELPS\n"
                                   "READY\n"
                                   "D ADDRESS LENGTH     DISPLAYS STORAGE\n"
                                   "A ADDRESS DIGITS     ALTERS STORAGE\n"
                                   "R                    DISPLAYS REGISTERS\n"
                                   "G ADDRESS            GOES; WITHOUT ONE: GOES ON\n"
                                   "T                    TELLS THE TIME\n"
                                   "E TEXT               ECHOES\n"
                                   "Q                    QUITS\n"
                                   "READY\n"
                                   "Hello, World\n"
                                   "READY\n"
                                   "HELLO FROM 002000\n"
                                   "THE PROGRAM HAS ENDED   0000 AT 00200A\n"
                                   "READY\n"
                                   "PSW     81110000 4000200A\n"
                                   "R0-R3   00000000 0000200A 00000000 00000000\n"
                                   "R4-R7   00000000 00000000 00000000 00000000\n"
                                   "R8-R11  00000000 00000000 00000000 00000000\n"
                                   "R12-R15 40002002 00000000 00000000 00000000\n"
                                   "READY\n"
                                   "002000  05C04110 C0080A01 0A0011C8 C5D3D3D6  ...........HELLO\n"
                                   "002010  40C6D9D6 D440F0F0 F2F0F0F0 00000000   FROM 002000....\n"
                                   "READY\n"
                                   "READY\n"
                                   "PROGRAM INTERRUPTION    0004 AT 003004\n"
                                   "READY\n"
                                   "READY\n"
                                   "EXTERNAL INTERRUPTION   0080 AT 003102\n"
                                   "READY\n"
                                   "READY\n"
                                   "SUPERVISOR CALL         0007 AT 003202\n"
                                   "READY\n"
                                   "PROGRAM INTERRUPTION    0006 AT 003203\n"
                                   "READY\n"
                                   "READY\n"
                                   "NO SUCH STORAGE\n"
                                   "READY\n"
                                   "NO SUCH STORAGE\n"
                                   "READY\n"
                                   "NO SUCH STORAGE\n"
                                   "READY\n"
                                   "WHAT?\n"
                                   "READY\n"
                                   "WHAT?\n"
                                   "READY\n"
                                   "WHAT?\n"
                                   "READY\n"
                                   "WHAT?\n"
                                   "READY\n"
                                   "WHAT?\n"
                                   "READY\n"
                                   "WHAT?\n"
                                   "READY\n"
                                   "003000  92000200 00000000 00000000 00000000  ................\n"
                                   "READY\n"
                                   "WHAT?\n"
                                   "READY\n"
                                   "READY\n"
                                   "READY\n";

static void test_monitor_does_what_is_typed_at_every_depth(void **state) {
    (void)state;
    /* The last time with channels as the architecture has them. */
    for (unsigned depth = 0; depth <= 3; depth++) {
        struct run r;
        struct machine_state s;
        build_with(&r, depth % 3, depth == 3 ? CHANNEL_CONDITIONS_ARCHITECTURE : CHANNEL_CONDITIONS_HERCULES);
        for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++)
            type(&r, typed[i]);
        enum machine_status status = go(&r, INSTRUCTIONS);
        check_lines(&r.lines, conversation);
        assert_int_equal(status, MACHINE_DISABLED_WAIT);
        machine_state(r.tower.innermost, &s);
        assert_int_equal(s.psw.ia, 0);
        drop(&r);
    }
}

static void test_monitor_stops_a_program_when_the_operator_calls(void **state) {
    (void)state;
    static const struct {
        enum machine_condition condition;
        const char *line;
    } calls[] = {
        {CONDITION_ATTENTION, "REQUEST KEY             0009 AT 00310"},
        {CONDITION_INTERRUPT_KEY, "EXTERNAL INTERRUPTION   0040 AT 00310"},
    };
    for (size_t i = 0; i < 2; i++) {
        struct run r;
        build(&r, 0);
        type(&r, "a 3100 051007F1");
        type(&r, "g 3100");
        assert_int_equal(go(&r, 50000), MACHINE_READY);
        machine_raise(r.tower.innermost, calls[i].condition);
        assert_int_equal(go(&r, 50000), MACHINE_IDLE); /* it waits for the next line */
        bytes_append(&r.lines, "", 1);
        const char *said = strstr((const char *)r.lines.data, calls[i].line);
        if (!said || strcmp(said + strlen(calls[i].line) + 1, "\nREADY\n") != 0)
            fail_msg("it wrote\n%s", (const char *)r.lines.data);
        drop(&r);
    }
}

static void test_monitor_tells_the_time_of_a_clock_that_runs(void **state) {
    (void)state;
    struct run r;
    double seconds[2];
    build(&r, 0);
    type(&r, "t");
    type(&r, "t");
    assert_int_equal(go(&r, 50000), MACHINE_IDLE);
    bytes_append(&r.lines, "", 1);
    assert_int_equal(sscanf((const char *)r.lines.data, "MONITOR: H HELPS READY %lf SECONDS READY %lf SECONDS",
                            &seconds[0], &seconds[1]),
                     2);
    assert_true(seconds[0] > 0 && seconds[1] > seconds[0] && seconds[1] < 60);
    drop(&r);
}

static void test_monitor_does_the_same_on_hercules(void **state) {
    (void)state;
    if (!hercules_present())
        skip();
    /* Left out, for Hercules takes another address of an odd instruction, and an interval timer of its own. */
    static const char *const apart[] = {"g 3201", "g 3100", "PROGRAM INTERRUPTION    0006",
                                        "EXTERNAL INTERRUPTION   0080"};
    const char *lines_typed[sizeof typed / sizeof typed[0]];
    size_t count = 0;
    for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++)
        if (strcmp(typed[i], apart[0]) != 0 && strcmp(typed[i], apart[1]) != 0)
            lines_typed[count++] = typed[i];
    struct bytes expected = {0}, lines = {0};
    for (const char *line = conversation; *line;) {
        size_t length = strcspn(line, "\n") + 1;
        if (strncmp(line, apart[2], strlen(apart[2])) != 0 && strncmp(line, apart[3], strlen(apart[3])) != 0)
            bytes_append(&expected, line, length);
        else
            length += strlen("READY\n");
        line += length;
    }
    bytes_append(&expected, "", 1);
    struct assembly a;
    uint64_t psw = 0;
    assemble_monitor(&a);
    const struct hercules_boot boot = {
        .image = a.image.data, .length = a.image.length, .typed = lines_typed, .typed_count = count};
    if (!hercules_boot(&boot, &lines, &psw))
        fail_msg("%.*s", (int)lines.length, (const char *)lines.data);
    assembly_fini(&a);
    check_lines(&lines, (const char *)expected.data);
    assert_int_equal(psw & 0xFFFF000000FFFFFF, 0x0002000000000000);
    bytes_fini(&lines);
    bytes_fini(&expected);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_monitor_does_what_is_typed_at_every_depth),
        cmocka_unit_test(test_monitor_stops_a_program_when_the_operator_calls),
        cmocka_unit_test(test_monitor_tells_the_time_of_a_clock_that_runs),
        unit_test_in_folder(test_monitor_does_the_same_on_hercules),
    };
    return cmocka_run_group_tests_name("monitor", tests, NULL, NULL);
}
