/* Several virtual CPUs on one monitor: one that waits gets its turn when its time has come, whoever else computes. */
#include "tests/vmm/guests.h"

/* Counts down from register 2, then stops. */
#define COMPUTE                                                                                                        \
    PAGE_0 "         L     2,=F'200000'\n"                                                                             \
           "         BCT   2,*\n" STOP_HERE "         LTORG\n"                                                         \
           "         END\n"

/* Writes one character and waits for the interruption. */
#define WRITE                                                                                                          \
    PAGE_0 "         MVC   120(8,0),NEW\n"                                                                             \
           "         MVC   72(4,0),=A(CCW)\n"                                                                          \
           "         SIO   X'009'\n"                                                                                   \
           "         LPSW  WAITS\n"                                                                                    \
           "ENDED    DS    0H\n" STOP_HERE "         LTORG\n"                                                          \
           "CCW      CCW   X'01',TEXT,X'20',1\n"                                                                       \
           "TEXT     DC    C'X'\n"                                                                                     \
           "NEW      DC    0D'0',X'00080000',A(ENDED)\n"                                                               \
           "WAITS    DC    0D'0',X'020A000000000000'\n"                                                                \
           "         END\n"

static struct machine *add(struct vmm *v, const char *source) {
    struct assembly a;
    struct error e = ERROR_CLEAR;
    const struct guest_options o = {.memory_bytes = GUEST_BYTES};
    struct machine *g = vmm_guest(v, &o, &e);
    if (!g || !assemble(&a, "guest.s", source, strlen(source), NULL, &e) ||
        !machine_load(g, a.origin, a.image.data, a.image.length, &e))
        fail_msg("%s", e.text);
    assembly_fini(&a);
    machine_restart(g);
    return g;
}

static void test_a_guest_whose_device_ends_while_another_computes_gets_its_turn(void **state) {
    struct cost_model model;
    struct error e = ERROR_CLEAR;
    (void)state;
    assert_true(cost_model_find(&model, "s370", &e));
    for (int order = 0; order < 2; order++) {
        const struct machine_options o = {.memory_bytes = 1 << 20, .model = &model};
        struct machine *host = machine_new(&o, &e);
        struct vmm *v = vmm_new(host, "trap-and-emulate", &e);
        struct vmm_stats stats;
        assert_non_null(v);
        struct machine *first = add(v, order ? COMPUTE : WRITE), *second = add(v, order ? WRITE : COMPUTE);
        machine_restart(host);
        assert_int_equal(machine_run(host, &(struct machine_limits){.instructions = 1000000}), MACHINE_DISABLED_WAIT);
        assert_int_equal(machine_status(first), MACHINE_DISABLED_WAIT);
        assert_int_equal(machine_status(second), MACHINE_DISABLED_WAIT);
        vmm_stats(v, &stats);
        assert_in_range(stats.traps, 5, 50); /* the loop takes two slices */
        vmm_free(v);
        machine_free(host);
    }
}

/* CPU 1 waits for its clock comparator; CPU 0 stops it, computes until long after, and ends. */
static void test_a_stopped_cpu_is_not_woken_by_its_clock(void **state) {
    static const char source[] = PAGE_0 "         STAP  X'E10'\n"
                                        "         LH    1,X'E10'\n"
                                        "         LTR   1,1\n"
                                        "         BNZ   SECOND\n"
                                        "         LA    3,1\n"
                                        "         SIGP  0,3,X'06'\n" /* restart */
                                        "         L     2,=F'20000'\n"
                                        "         BCT   2,*\n"
                                        "         SIGP  0,3,X'05'\n" /* stop */
                                        "         L     2,=F'200000'\n"
                                        "         BCT   2,*\n" STOP_HERE "SECOND   SCKC  SOON\n"
                                        "         LCTL  0,0,=X'00000800'\n"
                                        "         LPSW  WAITS\n"
                                        "         LTORG\n"
                                        "WAITS    DC    0D'0',X'010A000000000000'\n"
                                        "SOON     DC    0D'0',X'0000000020000000'\n" /* 0.13 s */
                                        "         END\n";
    struct cost_model model;
    struct error e = ERROR_CLEAR;
    (void)state;
    assert_true(cost_model_find(&model, "s370", &e));
    const struct machine_options o = {.memory_bytes = 1 << 20, .model = &model};
    struct machine *host = machine_new(&o, &e);
    struct vmm *v = vmm_new(host, "trap-and-emulate", &e);
    struct vmm_stats stats;
    const struct guest_options two = {.memory_bytes = GUEST_BYTES, .cpus = 2};
    struct machine *g = vmm_guest(v, &two, &e);
    struct assembly a;
    assert_non_null(g);
    if (!assemble(&a, "guest.s", source, strlen(source), NULL, &e))
        fail_msg("%s", e.text);
    assert_true(machine_load(g, a.origin, a.image.data, a.image.length, &e));
    assembly_fini(&a);
    machine_restart(g);
    machine_restart(host);
    machine_run(host, &(struct machine_limits){.instructions = 1000000});
    vmm_stats(v, &stats);
    assert_int_equal(machine_status(g), MACHINE_DISABLED_WAIT);
    assert_in_range(stats.traps, 5, 100);
    vmm_free(v);
    machine_free(host);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_guest_whose_device_ends_while_another_computes_gets_its_turn),
        cmocka_unit_test(test_a_stopped_cpu_is_not_woken_by_its_clock),
    };
    return cmocka_run_group_tests_name("turns", tests, NULL, NULL);
}
