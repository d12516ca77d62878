/* The profile `flawed`: its three instructions in either state and either mode, and that other machines do not have
 * them. */
#include "tests/support/unit.h"

#include <stdio.h>

#include "isa/disassembler.h"
#include "tests/support/program.h"

/* Program interruptions end at B00. Problem state begins by LPSW USER. */
#define PAGE_0                                                                                                         \
    "         ORG   0\n"                                                                                               \
    "         DC    X'0008000000000400'\n"                                                                             \
    "         ORG   X'68'\n"                                                                                           \
    "         DC    X'000A000000000B00'\n"                                                                             \
    "         ORG   X'400'\n"                                                                                          \
    "         BALR  12,0\n"                                                                                            \
    "         USING *,12\n"
#define TO_USER                                                                                                        \
    "         LPSW  USER\n"                                                                                            \
    "USER     DC    0D'0',X'01290000',A(IN)\n"                                                                         \
    "IN       DS    0H\n"
#define DONE                                                                                                           \
    "         DC    H'0'\n"                                                                                            \
    "         LTORG\n"                                                                                                 \
    "         END\n"
enum { OPERATION_ENDS_IT = PROGRAM_OPERATION };

static struct machine *run(enum profile profile, const char *source) {
    struct machine *m = program_load_on(
        "s370", (struct machine_options){.memory_bytes = 64 << 10, .nominal_time = true, .profile = profile}, source);
    program_run(m, 100);
    return m;
}

/* The PSW with which it came to the operation exception of DONE, or to another program interruption. */
static void assert_ends(struct machine *m, uint32_t psw_high, uint32_t address, unsigned code) {
    assert_int_equal(machine_status(m), MACHINE_DISABLED_WAIT);
    assert_int_equal(program_word(m, 140) & 0xFFFF, code);
    assert_int_equal(program_word(m, 40), psw_high);
    assert_int_equal(program_word(m, 44), address);
    program_free(m);
}

static void test_flawed_instructions_are_operation_exceptions_in_s370(void **state) {
    (void)state;
    static const char *const sources[] = {"         RTU   X'600'\n", "         LPM   X'600'\n",
                                          "         SPS   X'600'\n"};
    for (int n = 0; n < 3; n++) {
        char source[1000];
        snprintf(source, sizeof source, "%s%s%s", PAGE_0, sources[n], DONE);
        assert_ends(run(PROFILE_S370, source), 0x00080000, 0x406, PROGRAM_OPERATION);
    }
}

static void test_return_to_user_leaves_supervisor_state(void **state) {
    (void)state;
    assert_ends(run(PROFILE_FLAWED, PAGE_0 "         RTU   X'600'\n" DONE), 0x00090000, 0x602, OPERATION_ENDS_IT);
}

static void test_return_to_user_is_a_branch_in_problem_state(void **state) {
    (void)state;
    assert_ends(run(PROFILE_FLAWED, PAGE_0 TO_USER "         RTU   X'600'\n" DONE), 0x01290000, 0x602,
                OPERATION_ENDS_IT);
}

static void test_return_to_user_to_an_odd_address_is_found_there(void **state) {
    (void)state;
    assert_ends(run(PROFILE_FLAWED, PAGE_0 "         RTU   X'601'\n" DONE), 0x00090000, 0x603, PROGRAM_SPECIFICATION);
}

static void test_load_psw_masks_loads_all_in_supervisor_state(void **state) {
    (void)state;
    assert_ends(run(PROFILE_FLAWED, PAGE_0 "         LPM   =X'03FF3AFF'\n" DONE), 0x03083A00, 0x408, OPERATION_ENDS_IT);
}

static void test_load_psw_masks_ignores_the_masks_in_problem_state(void **state) {
    (void)state;
    assert_ends(run(PROFILE_FLAWED, PAGE_0 TO_USER "         LPM   =X'02FF1500'\n" DONE), 0x01291500, 0x416,
                OPERATION_ENDS_IT);
}

static void test_load_psw_masks_wants_a_word(void **state) {
    (void)state;
    assert_ends(run(PROFILE_FLAWED, PAGE_0 "         LPM   X'602'\n" DONE), 0x00080000, 0x406, PROGRAM_SPECIFICATION);
}

static void test_load_psw_masks_of_a_bad_mask_is_done_and_found(void **state) {
    (void)state;
    assert_ends(run(PROFILE_FLAWED, PAGE_0 "         LPM   =X'80000000'\n" DONE), 0x80080000, 0x406,
                PROGRAM_SPECIFICATION);
}

static void test_store_psw_shows_masks_key_mode_and_origin(void **state) {
    (void)state;
    struct machine *m = run(PROFILE_FLAWED, PAGE_0 "         LCTL  1,1,=X'05001000'\n"
                                                   "         SPS   X'700'\n" TO_USER "         SPM   0\n"
                                                   "         MVI   X'720',1\n" DONE);
    assert_int_equal(program_word(m, 0x700), 0x00080000);
    assert_int_equal(program_word(m, 0x704), 0x05001000);
    program_free(m);
}

static void test_store_psw_shows_them_in_problem_state_too(void **state) {
    (void)state;
    struct machine *m = run(PROFILE_FLAWED, PAGE_0 "         LCTL  1,1,=X'05001000'\n"
                                                   "         SSK   0,13\n"
                                                   "         LPSW  USER\n"
                                                   "USER     DC    0D'0',X'01090000',A(IN)\n"
                                                   "IN       SPS   X'700'\n" DONE);
    assert_int_equal(program_word(m, 0x700), 0x01090000);
    assert_int_equal(program_word(m, 0x704), 0x05001000);
    program_free(m);
}

static void test_store_psw_wants_a_doubleword(void **state) {
    (void)state;
    assert_ends(run(PROFILE_FLAWED, PAGE_0 "         SPS   X'604'\n" DONE), 0x00080000, 0x406, PROGRAM_SPECIFICATION);
}

static void test_execute_finds_them_in_the_profile_alone(void **state) {
    (void)state;
    static const char source[] = PAGE_0 "         EX    0,TARGET\n"
                                        "         DC    H'0'\n"
                                        "TARGET   RTU   X'600'\n" DONE;
    assert_ends(run(PROFILE_FLAWED, source), 0x00090000, 0x602, OPERATION_ENDS_IT);
    assert_ends(run(PROFILE_S370, source), 0x00080000, 0x406, PROGRAM_OPERATION);
}

static void test_profiles_are_found_by_name(void **state) {
    (void)state;
    enum profile p = PROFILE_S370;
    assert_true(profile_find("flawed", &p));
    assert_int_equal(p, PROFILE_FLAWED);
    assert_string_equal(profile_name(p), "flawed");
    assert_false(profile_find("Flawed", &p));
    assert_false(profile_find("", &p));
}

static void test_the_disassembler_has_the_profile(void **state) {
    (void)state;
    static const uint8_t text[6] = {0xB2, 0xF6, 0xC0, 0x10, 0, 0};
    char line[DISASSEMBLER_TEXT];
    assert_int_equal(disassemble_in(PROFILE_FLAWED, line, text, 6), 4);
    assert_string_equal(line, "LPM   16(12)");
    assert_int_equal(disassemble(line, text, 6), 2);
    assert_string_equal(line, "DC    X'B2F6'");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flawed_instructions_are_operation_exceptions_in_s370),
        cmocka_unit_test(test_return_to_user_leaves_supervisor_state),
        cmocka_unit_test(test_return_to_user_is_a_branch_in_problem_state),
        cmocka_unit_test(test_return_to_user_to_an_odd_address_is_found_there),
        cmocka_unit_test(test_load_psw_masks_loads_all_in_supervisor_state),
        cmocka_unit_test(test_load_psw_masks_ignores_the_masks_in_problem_state),
        cmocka_unit_test(test_load_psw_masks_wants_a_word),
        cmocka_unit_test(test_load_psw_masks_of_a_bad_mask_is_done_and_found),
        cmocka_unit_test(test_store_psw_shows_masks_key_mode_and_origin),
        cmocka_unit_test(test_store_psw_shows_them_in_problem_state_too),
        cmocka_unit_test(test_store_psw_wants_a_doubleword),
        cmocka_unit_test(test_execute_finds_them_in_the_profile_alone),
        cmocka_unit_test(test_profiles_are_found_by_name),
        cmocka_unit_test(test_the_disassembler_has_the_profile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
