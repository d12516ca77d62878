/* The story of a trap: of monitors in C and hypervisors in assembler, alone and stacked, right ones and wrong ones. */
#include <stdio.h>
#include <string.h>

#include "tests/support/altered.h"
#include "tests/support/mutants.h"
#include "tests/support/orders.h"
#include "vmm/story.h"

enum { MEMORY = 64 * 1024 };

// clang-format off
static const char program[] =
    "         DC    X'0008000000000200'\n"
    "         ORG   X'60'\n"
    "         DC    X'0008000000000300'      SVC NEW PSW\n"
    "         ORG   X'200'\n"
    "         BALR  12,0\n"
    "         USING *,12\n"
    "         LA    1,1\n"
    "HERE     LCTL  3,3,CR3                  AT 206\n"
    "         LA    1,2\n"
    "         SVC   5                        AT 20E\n"
    "         ORG   X'300'\n"
    "         LA    1,3\n"
    "         L     2,=A(X'4000')\n"
    "         L     2,0(,2)                  AT 308: ANOTHER PAGE\n"
    "         LA    1,4\n"
    "         LPSW  USER                     AT 310\n"
    "         DS    0D\n"
    "USER     DC    X'0009000000000328'\n"
    "         LPSW  END\n"
    "         ORG   X'328'\n"
    "         LA    1,5\n"
    "         LA    1,6\n"
    "CR3      DC    X'12345678'\n"
    "         DS    0D\n"
    "END      DC    X'000A000000000ABD'\n"
    "         LTORG\n"
    "         END\n";
// clang-format on

struct told {
    struct cost_model model;
    struct trace *trace;
    struct order o;
    struct assembly hypervisor;
    struct story *story;
};

/* `from`, `to`: in the text of the lowest hypervisor; `parts`: of the monitor, which is the only one. */
static void build(struct told *t, const char *kinds, const char *from, const char *to,
                  const struct monitor_parts *parts) {
    struct error e = ERROR_CLEAR;
    assert_true(cost_model_find(&t->model, "s370", &e));
    t->trace = trace_new();
    const struct machine_options options = {.memory_bytes = MEMORY, .model = &t->model, .trace = t->trace};
    if (parts) {
        struct monitor_options asked = vmm_default_options();
        t->o = (struct order){.count = 1};
        struct machine_options bare = options;
        bare.memory_bytes += vmm_host_bytes(0);
        t->o.bare = machine_new(&bare, &e);
        t->o.monitor[0] = vmm_new_from(t->o.bare, parts, &asked, &e);
        t->o.innermost = vmm_guest(t->o.monitor[0], &(struct guest_options){.memory_bytes = MEMORY}, &e);
    } else {
        order_new(&t->o, kinds, &options, 0);
    }
    char *text = altered_text(from, to);
    assert_true(assemble(&t->hypervisor, "hypervisor.s", text, strlen(text), NULL, &e));
    if (from)
        machine_poke(t->o.bare, 0x1000, t->hypervisor.image.data + 0x1000, 0x7000);
    free(text);
    altered_load(t->o.innermost, program, sizeof program - 1);
    t->story = story_new(t->o.innermost, t->trace, &t->hypervisor, &e);
    if (!t->story)
        fail_msg("%s", e.text);
    machine_restart(t->o.bare);
}

static void drop(struct told *t) {
    story_free(t->story);
    assembly_fini(&t->hypervisor);
    order_free(&t->o);
    trace_free(t->trace);
}

/* Runs to behind this address, and a little: the story of the trap there. */
static struct story_trap trap_at(struct told *t, uint32_t address) {
    static struct story_trap s;
    machine_run(t->o.innermost, &(struct machine_limits){.has_address = true, .until_address = address});
    machine_run(t->o.innermost, &(struct machine_limits){.instructions = 1});
    machine_run(t->o.innermost, &(struct machine_limits){.instructions = 1}); /* the next one */
    assert_true(story_last(t->story, &s));
    return s;
}

/* Kinds and labels of the steps of one level; -1: of all. */
static const char *outline(const struct story_trap *s, int level) {
    static char text[4096];
    size_t length = 0;
    text[0] = 0;
    for (unsigned n = 0; n < s->count; n++)
        if (level < 0 || s->step[n].level == level)
            length +=
                (size_t)snprintf(text + length, sizeof text - length, "%s%s%s%s", length ? ", " : "",
                                 story_kind_name(s->step[n].kind), *s->step[n].label ? " " : "", s->step[n].label);
    return text;
}

static void expect_outline(const char *kinds, uint32_t at, int level, const char *outline_is) {
    struct told t;
    build(&t, kinds, NULL, NULL, NULL);
    struct story_trap s = trap_at(&t, at);
    assert_true(s.whole);
    assert_string_equal(outline(&s, level), outline_is);
    drop(&t);
}

static void test_a_trap_is_told_from_instruction_to_instruction(void **state) {
    (void)state;
    expect_outline("C", 0x206, -1,
                   "instruction LCTL, interruption program, entry program, decision, interpretation LCTL, dispatch, "
                   "resumption LA");
    expect_outline("C", 0x20E, -1,
                   "instruction SVC, interruption svc, entry svc, decision, reflection svc, dispatch, resumption LA");
    expect_outline("C", 0x308, -1,
                   "instruction L, interruption program, entry program, decision, fill, dispatch, resumption L");
    expect_outline("A", 0x206, -1,
                   "instruction LCTL, interruption program, decision HVTRAP, decision HVSIM, interpretation LCTL, "
                   "dispatch HVDISP, dispatch HVRUN, resumption LA");
    expect_outline("A", 0x20E, -1,
                   "instruction SVC, interruption svc, decision SVCINT, reflection HVREFL, dispatch HVDISP, dispatch "
                   "HVRUN, resumption LA");
    expect_outline("A", 0x308, -1,
                   "instruction L, interruption program, decision HVTRAP, fill HVFILL, dispatch HVDISP, dispatch "
                   "HVRUN, resumption L");
}

/* The upper monitor's part is what it would do alone, each step of the lower one's doing. */
static void test_levels_are_told_apart(void **state) {
    (void)state;
    expect_outline("CA", 0x206, 1,
                   "decision HVTRAP, decision HVSIM, interpretation LCTL, dispatch HVDISP, dispatch HVRUN");
    expect_outline("AC", 0x206, 1, "entry program, decision, interpretation LCTL, dispatch");
    expect_outline("CC", 0x20E, 1, "entry svc, decision, reflection svc, dispatch");
    expect_outline("CC", 0x20E, 0,
                   "interruption svc, entry svc, decision, reflection svc, cell LCTL, dispatch, interruption program, "
                   "entry program, decision, interpretation LPSW, cell LCTL, dispatch");
}

static void test_every_cycle_is_some_steps(void **state) {
    static const char *const orders[] = {"C", "A", "CC", "CA", "AC", "AA"};
    (void)state;
    for (size_t n = 0; n < sizeof orders / sizeof *orders; n++) {
        struct told t;
        uint64_t cycles = 0, instructions = 0;
        build(&t, orders[n], NULL, NULL, NULL);
        struct story_trap s = trap_at(&t, 0x206);
        for (unsigned k = 0; k < s.count; k++) {
            cycles += s.step[k].cycles;
            instructions += s.step[k].instructions;
        }
        assert_true(s.whole && s.left_out == 0 && cycles == s.cycles && instructions == s.instructions);
        assert_true(s.cycles > 500 && (s.instructions > 100) == (strchr(orders[n], 'A') != NULL));
        assert_int_equal(s.step[0].level, strlen(orders[n]));
        assert_int_equal(s.step[0].address, 0x206);
        drop(&t);
    }
}

static void test_being_told_changes_nothing(void **state) {
    static const char *const orders[] = {"C", "A", "CA"};
    (void)state;
    for (size_t n = 0; n < sizeof orders / sizeof *orders; n++) {
        struct machine_stats with, without;
        for (unsigned told = 0; told < 2; told++) {
            struct told t;
            build(&t, orders[n], NULL, NULL, NULL);
            if (!told) {
                story_free(t.story);
                t.story = NULL;
            }
            machine_run(t.o.innermost, NULL);
            machine_stats(t.o.bare, told ? &with : &without);
            drop(&t);
        }
        assert_memory_equal(&with, &without, sizeof with);
    }
}

/* The machine stands in its middle: that is told, as far as it has come. */
static void test_a_trap_can_be_looked_at_in_its_middle(void **state) {
    struct told t;
    static struct story_trap s;
    (void)state;
    build(&t, "A", NULL, NULL, NULL);
    assert_false(story_last(t.story, &s));
    machine_run(t.o.innermost, &(struct machine_limits){.has_address = true, .until_address = 0x206});
    machine_run(t.o.bare, &(struct machine_limits){.instructions = 60});
    assert_true(story_last(t.story, &s));
    assert_false(s.whole);
    assert_string_equal(outline(&s, -1), "instruction LCTL, interruption program, decision HVTRAP, decision HVSIM");
    story_forget(t.story);
    assert_false(story_last(t.story, &s));
    drop(&t);
}

/* What is run again by going back in time has been told. */
static void test_a_story_that_is_deaf_hears_nothing(void **state) {
    struct told t;
    static struct story_trap before, after;
    bool again = true;
    (void)state;
    build(&t, "C", NULL, NULL, NULL);
    story_deaf_while(t.story, &again);
    machine_run(t.o.innermost, &(struct machine_limits){.has_address = true, .until_address = 0x206});
    machine_run(t.o.innermost, &(struct machine_limits){.instructions = 1});
    assert_false(story_last(t.story, &before));
    again = false;
    machine_run(t.o.innermost, &(struct machine_limits){.until_trap = true});
    assert_true(story_last(t.story, &before));
    again = true;
    machine_run(t.o.innermost, NULL);
    assert_true(story_last(t.story, &after));
    assert_int_equal(after.step[0].cycle, before.step[0].cycle);
    drop(&t);
}

static void test_a_wrong_monitor_tells_its_wrong_decision(void **state) {
    struct told t;
    struct mutant_parts parts;
    const struct mutant *mutant = mutants;
    (void)state;
    /* It reflects what it has to interpret. */
    build(&t, "A", "PRIVOP   TM    VPSW+1,X'01'\n         BZ    SIMULATE\n",
          "PRIVOP   TM    VPSW+1,X'01'\n         BZ    THEIRS\n", NULL);
    struct story_trap s = trap_at(&t, 0x206);
    assert_string_equal(outline(&s, 0), "interruption program, decision HVTRAP, reflection HVREFL, dispatch HVDISP, "
                                        "dispatch HVRUN");
    drop(&t);
    /* LPSW leads to supervisor state, where problem state was asked for. */
    while (strcmp(mutant->name, "lpsw_stays_in_supervisor_state") != 0)
        mutant++;
    mutant_make(&parts, mutant);
    for (unsigned wrong = 0; wrong < 2; wrong++) {
        build(&t, "C", NULL, NULL, wrong ? &parts.parts : NULL);
        s = trap_at(&t, 0x310);
        assert_string_equal(s.step[4].label, "LPSW");
        assert_string_equal(s.step[5].text, wrong ? "gives control, at 000328 in supervisor state"
                                                  : "gives control, at 000328 in problem state");
        drop(&t);
    }
}

static void test_a_bare_machine_has_no_story(void **state) {
    struct told t;
    struct error e = ERROR_CLEAR;
    (void)state;
    build(&t, "C", NULL, NULL, NULL);
    assert_null(story_new(t.o.bare, t.trace, NULL, &e));
    assert_string_equal(e.text, "bare is a bare machine, which traps to nobody");
    e = ERROR_CLEAR;
    assert_null(story_new(t.o.innermost, NULL, NULL, &e));
    assert_string_equal(e.text, "guest1 is on a machine without a trace");
    drop(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_trap_is_told_from_instruction_to_instruction),
        cmocka_unit_test(test_levels_are_told_apart),
        cmocka_unit_test(test_every_cycle_is_some_steps),
        cmocka_unit_test(test_being_told_changes_nothing),
        cmocka_unit_test(test_a_trap_can_be_looked_at_in_its_middle),
        cmocka_unit_test(test_a_story_that_is_deaf_hears_nothing),
        cmocka_unit_test(test_a_wrong_monitor_tells_its_wrong_decision),
        cmocka_unit_test(test_a_bare_machine_has_no_story),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
