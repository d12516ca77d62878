/* Guests that trap in every way: what they see is the same bare and under monitors. */
#include "tests/vmm/guests.h"

static void test_guest_in_supervisor_state_ends_as_bare(void **state) {
    (void)state;
    struct outcome o;
    guests_compare("G        CSECT\n"
                   "         USING G,0\n"
                   "         DC    X'0008000000000200'\n"
                   "         ORG   G+X'200'\n"
                   "         LA    1,5\n"
                   "LOOP     BCT   1,LOOP\n"
                   "         LPSW  STOP\n"
                   "         DS    0D\n"
                   "STOP     DC    X'000A00000000BEEF'\n"
                   "         END\n",
                   1000, &o);
    assert_int_equal(o.status, MACHINE_DISABLED_WAIT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guest_in_supervisor_state_ends_as_bare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
