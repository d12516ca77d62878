/* Guests with DAT on: their tables, faults and purges, as the bare machine shows them. */
#include "tests/vmm/guests.h"
#include "tests/vmm/hosts.h"

/* Builds, in a loop, a page table at 5000 whose 16 entries map pages 0-15 onto themselves, and a segment table at 4000
 * whose first two entries are that table; the rest of it is invalid. */
#define TABLES                                                                                                         \
    PAGE_0 "         MVC   104(8),NEW\n"                                                                               \
           "         L     1,=X'00004000'\n"                                                                           \
           "         L     2,=X'00005000'\n"                                                                           \
           "         LA    3,16\n"                                                                                     \
           "         LA    4,0\n"                                                                                      \
           "PTES     STH   4,0(,2)\n"                                                                                  \
           "         LA    2,2(,2)\n"                                                                                  \
           "         LA    4,16(,4)\n"                                                                                 \
           "         BCT   3,PTES\n"                                                                                   \
           "         LA    3,255\n"                                                                                    \
           "         LA    5,1\n"                                                                                      \
           "STES     ST    5,4(,1)\n"                                                                                  \
           "         LA    1,4(,1)\n"                                                                                  \
           "         BCT   3,STES\n"                                                                                   \
           "         L     1,=X'00004000'\n"                                                                           \
           "         L     2,=X'00005000'\n"                                                                           \
           "         L     3,=X'F0005000'\n"                                                                           \
           "         ST    3,0(,1)\n"                                                                                  \
           "         ST    3,4(,1)\n"                                                                                  \
           "         LCTL  0,1,CRS\n"

#define AFTER(HANDLER, DATA)                                                                                           \
    STOP_HERE "         LTORG\n"                                                                                       \
              "HANDLER  LA    9,1(,9)\n" HANDLER "         DS    0D\n"                                                 \
              "NEW      DC    X'00080000',A(HANDLER)\n"                                                                \
              "DATON    DC    X'04080000',A(ON)\n"                                                                     \
              "CRS      DC    X'00800000',X'0F004000'\n" DATA "         END\n"

static void compare(const char *source, struct outcome *o) {
    guests_compare(source, 200000, o);
    assert_int_equal(o->status, MACHINE_DISABLED_WAIT);
    assert_int_equal(o->state.psw.ia, GUEST_STOPPED);
}

static void test_guest_repairs_its_page_faults(void **state) {
    struct outcome o;
    (void)state;
    compare(TABLES "         LA    4,8\n"
                   "         STH   4,18(,2)\n" /* page 9 is not there */
                   "         LPSW  DATON\n"
                   "ON       L     6,=X'00009800'\n"
                   "         ST    6,2(,6)\n"
                   "         L     7,=X'00019800'\n"
                   "         L     8,2(,7)\n" /* the same page by way of the other segment */
                   "         L     7,=X'00020000'\n"
                   "         L     8,2(,7)\n" AFTER("         L     10,144\n"
                                                    "         L     11,140\n"
                                                    "         L     12,44\n"
                                                    "         LA    13,X'90'\n"
                                                    "         STH   13,18(,2)\n"
                                                    "         C     9,=F'2'\n"
                                                    "         BNE   *+10\n"
                                                    "         MVC   8(4,1),4(1)\n"
                                                    "         LPSW  40\n"
                                                    "         LTORG\n",
                                                    ""),
            &o);
    assert_int_equal(o.state.gpr[9], 2); /* page, then segment */
    assert_int_equal(o.state.gpr[10], 0x20000);
    assert_int_equal(o.state.gpr[11], 0x00040010);
}

static void test_faults_in_fetching_instructions(void **state) {
    struct outcome o;
    (void)state;
    compare(TABLES "         LPSW  DATON\n"
                   "ON       L     6,=X'00021000'\n"
                   "         BALR  7,6\n" /* segment */
                   "         L     6,=X'00010201'\n"
                   "         BALR  7,6\n" /* odd */
                   "         L     6,=X'0001FFFE'\n"
                   "         MVC   0(2,6),=X'5800'\n"
                   "         BALR  7,6\n" /* its second half is in the missing segment */
                   "         L     6,=X'00021000'\n"
                   "         EX    0,0(6)\n" AFTER("         SLL   10,4\n"
                                                   "         A     10,140\n"
                                                   "         SLL   11,1\n"
                                                   "         A     11,44\n"
                                                   "         A     12,144\n"
                                                   "         C     9,=F'4'\n"
                                                   "         BE    LAST\n"
                                                   "         ST    7,44\n"
                                                   "         MVI   44,0\n"
                                                   "         LPSW  40\n"
                                                   "LAST     DS    0H\n" STOP_HERE "         LTORG\n",
                                                   ""),
            &o);
    assert_int_equal(o.state.gpr[9], 4);
}

static void test_purge_makes_changed_entries_count(void **state) {
    struct outcome o;
    (void)state;
    compare(TABLES "         LPSW  DATON\n"
                   "ON       L     6,=X'00007000'\n"
                   "         L     8,=X'00008000'\n"
                   "         MVI   0(6),7\n"
                   "         MVI   0(8),8\n"
                   "         MVC   14(2,2),16(2)\n" /* page 7 is page 8 */
                   "         PTLB\n"
                   "         IC    10,0(6)\n"
                   "         MVC   14(2,2),=X'0070'\n"
                   "         PTLB\n"
                   "         IC    12,0(,6)\n"
                   "         LA    11,0(,2)\n"
                   "         DC    X'B22100B6'\n" /* IPTE 11,6 */
                   "         L     12,14(,2)\n"
                   "         IC    11,0(,6)\n" AFTER("         MVC   14(2,2),=X'0070'\n"
                                                     "         LPSW  40\n"
                                                     "         LTORG\n",
                                                     ""),
            &o);
    assert_int_equal(o.state.gpr[9], 1);
    assert_int_equal(o.state.gpr[10] & 0xFF, 8);
    assert_int_equal(o.state.gpr[11] & 0xFF, 7);
    assert_int_equal(o.state.gpr[12] >> 16, 0x0078);
}

static void test_ipte_with_dat_off_and_2k_pages(void **state) {
    struct outcome o;
    (void)state;
    /* Two-kilobyte pages: 32 entries; page 15 of them is 7800. */
    compare(TABLES "         LA    3,32\n"
                   "         LA    4,0\n"
                   "         LR    5,2\n"
                   "SMALL    STH   4,0(,5)\n"
                   "         LA    5,2(,5)\n"
                   "         LA    4,8(,4)\n"
                   "         BCT   3,SMALL\n"
                   "         LCTL  0,0,=X'00400000'\n"
                   "         L     6,=X'00007800'\n"
                   "         MVI   0(6),9\n"
                   "         LPSW  DATON\n"
                   "ON       IC    10,0(,6)\n"
                   "         SSM   =X'00'\n" /* DAT off */
                   "         DC    X'B2210026'\n"
                   "         L     12,28(,2)\n"
                   "         SSM   =X'04'\n"
                   "         IC    11,0(,6)\n" AFTER("         MVC   30(2,2),=X'0078'\n"
                                                     "         LPSW  40\n"
                                                     "         LTORG\n",
                                                     ""),
            &o);
    assert_int_equal(o.state.gpr[9], 1);
    assert_int_equal(o.state.gpr[11] & 0xFF, 9);
    assert_int_equal(o.state.gpr[12] & 0xFFFF, 0x007C);
}

static void test_megabyte_segments(void **state) {
    struct outcome o;
    (void)state;
    for (unsigned small = 0; small < 2; small++) {
        static const char *const format[] = {"X'00900000'", "X'00500000'"};
        static const char *const step[] = {"16", "8"};
        char source[4096];
        snprintf(source, sizeof source,
                 TABLES "         LA    3,512\n"
                        "         LA    4,0\n"
                        "         L     5,=X'00006000'\n"
                        "BIG      STH   4,0(,5)\n"
                        "         LA    5,2(,5)\n"
                        "         LA    4,%s(,4)\n"
                        "         N     4,=X'000000F8'\n" /* over and over: all of storage but the end */
                        "         BCT   3,BIG\n"
                        "         L     5,=X'F0006000'\n"
                        "         ST    5,0(,1)\n"
                        "         LCTL  0,0,=%s\n"
                        "         L     6,=X'000A0F00'\n"
                        "         LPSW  DATON\n"
                        "ON       ST    6,0(,6)\n"
                        "         L     7,X'F00'\n"
                        "         L     5,=X'00006000'\n"
                        "         DC    X'B2210056'\n"
                        "         L     8,0(,6)\n" AFTER("         ST    4,X'F20'\n"
                                                         "         L     8,X'F00'\n"
                                                         "         LA    6,X'F00'\n"
                                                         "         LPSW  40\n",
                                                         ""),
                 step[small], format[small]);
        compare(source, &o);
        assert_int_equal(o.state.gpr[9], 1);
        assert_int_equal(o.state.gpr[8], 0x000A0F00);
    }
}

/* In protected segments, pages far outside of storage. */
#define BEYOND_STORAGE                                                                                                 \
    TABLES "         OI    7(1),4\n"                                                                                   \
           "         LA    4,X'7FF'\n"                                                                                 \
           "         SLL   4,4\n"                                                                                      \
           "         STH   4,10(,2)\n" /* page 5 is far outside storage */                                             \
           "         LPSW  DATON\n"                                                                                    \
           "ON       L     6,=X'00015000'\n"                                                                           \
           "         L     7,=X'00016000'\n"                                                                           \
           "         ST    6,0(,6)\n" /* protection */                                                                 \
           "         L     8,0(,6)\n" /* addressing */                                                                 \
           "         ST    6,0(,7)\n" /* protection */                                                                 \
           "         L     8,0(,7)\n"                                                                                  \
           "         L     8,=X'00005000'\n"                                                                           \
           "         ST    8,0(,8)\n" /* addressing */                                                                 \
        AFTER("         SLL   10,4\n"                                                                                  \
              "         A     10,140\n"                                                                                \
              "         LPSW  40\n",                                                                                   \
              "")

static void test_segment_protection_comes_before_addressing(void **state) {
    struct outcome o;
    (void)state;
    compare(BEYOND_STORAGE, &o);
    assert_int_equal(o.state.gpr[9], 4);
    assert_int_equal(o.state.gpr[10] & 0xFFFF, 0x4545);
}

/* A machine may have half a frame more: it is nobody's, but it is storage. */
static void test_the_end_of_the_machine_is_in_no_guests_reach(void **state) {
    struct host h;
    struct machine_state s;
    const struct machine_limits limits = {.instructions = 200000};
    (void)state;
    hosts_build(&h, (512 << 10) + FRAME_BYTES / 2, 1, false);
    struct machine *g = hosts_add(&h, BEYOND_STORAGE, GUEST_BYTES, 1);
    hosts_start(&h);
    assert_int_equal(machine_run(g, &limits), MACHINE_DISABLED_WAIT);
    machine_state(g, &s);
    assert_int_equal(s.gpr[9], 4);
    assert_int_equal(s.gpr[10] & 0xFFFF, 0x4545);
    hosts_free(&h);
}

static void test_invalid_format_is_a_translation_specification(void **state) {
    struct outcome o;
    (void)state;
    compare(TABLES "         LCTL  0,0,=X'00180000'\n"
                   "         LPSW  DATON\n"
                   "ON       NOPR  0\n" AFTER("         L     10,140\n"
                                              "         L     11,44\n" STOP_HERE,
                                              ""),
            &o);
    assert_int_equal(o.state.gpr[10], 0x00020012);
}

/* More spaces than a monitor caches, in turn, twice; then each is changed and purged. */
static void test_more_spaces_than_are_cached(void **state) {
    struct outcome o;
    (void)state;
    compare(TABLES "         LA    12,2\n"
                   "TWICE    LA    5,12\n"
                   "         L     6,=X'0F006000'\n"
                   "         L     7,=X'F0008000'\n"
                   "SPACES   LA    8,0(,6)\n"
                   "         MVC   0(8,8),0(1)\n"
                   "         ST    7,4(,8)\n" /* its segment 1: a page table of its own */
                   "         LA    10,0(,7)\n"
                   "         LA    11,32(,7)\n"
                   "         SRL   11,8\n"
                   "         N     11,=X'0000FFF0'\n"
                   "         STH   11,0(,10)\n"
                   "         ST    6,SPACE\n"
                   "         LCTL  1,1,SPACE\n"
                   "         PTLB\n"
                   "         LPSW  DATON\n"
                   "ON       L     3,=X'00010000'\n"
                   "         A     13,X'40'(,3)\n"
                   "         ST    5,X'40'(,3)\n"
                   "         SSM   =X'00'\n"
                   "         LA    6,64(,6)\n"
                   "         LA    7,1024(,7)\n"
                   "         BCT   5,SPACES\n"
                   "         BCT   12,TWICE\n" AFTER(STOP_HERE, "SPACE    DC    F'0'\n"),
            &o);
    assert_int_equal(o.state.gpr[9], 0);
}

static void test_each_monitor_keeps_one_space_apart_from_another(void **state) {
    struct run r;
    struct outcome o;
    struct vmm_stats stats;
    (void)state;
    /* DAT off, on, off, on: the second time nothing has to be filled again. */
    guests_build(&r,
                 TABLES "         LA    5,20\n"
                        "AGAIN    LPSW  DATON\n"
                        "ON       SSM   =X'00'\n"
                        "         BCT   5,AGAIN\n" AFTER(STOP_HERE, ""),
                 1, true);
    guests_look(&r, guests_go(&r, 0), &o);
    vmm_stats(r.tower.monitor[0], &stats);
    assert_int_equal(o.state.psw.ia, GUEST_STOPPED);
    assert_int_equal(stats.shadow_faults, 4); /* pages 0, 4 and 5 real; page 0 virtual */
    guests_free(&r);
}

static void test_prefixing_applies_to_translated_addresses(void **state) {
    struct outcome o;
    (void)state;
    compare(TABLES "         L     6,=X'00008000'\n"
                   "         LR    10,6\n"
                   "         L     11,=X'00001000'\n"
                   "         LA    12,0\n"
                   "         LR    13,11\n"
                   "         MVCL  10,12\n"
                   "         LPSW  DATON\n"
                   "ON       MVI   X'F00',1\n"
                   "         MVI   X'F00'(6),2\n"
                   "         ST    6,X'F10'\n"
                   "         MVC   X'F10'(4,6),X'F10'\n"
                   "         SPX   X'F10'\n"
                   "         IC    7,X'F00'\n"
                   "         IC    8,X'F00'(,6)\n" AFTER(STOP_HERE, ""),
            &o);
    assert_int_equal(o.state.gpr[7] & 0xFF, 2);
    assert_int_equal(o.state.gpr[8] & 0xFF, 1);
}

/* The tables are where they are said to be: real S/370 tables in the machine below. */
static void test_shadow_tables_can_be_walked(void **state) {
    struct run r;
    struct outcome o;
    struct dat_walk w;
    (void)state;
    guests_build(&r,
                 TABLES "         LPSW  DATON\n"
                        "ON       L     6,=X'00019800'\n"
                        "         ST    6,2(,6)\n"
                        "LOOP     B     LOOP\n" AFTER(STOP_HERE, ""),
                 2, true);
    guests_look(&r, guests_go(&r, 2000), &o);
    assert_int_equal(machine_walk(r.tower.innermost, 0x19802, &w), ACCESS_OK);
    assert_int_equal(w.real, 0x9802);
    struct machine *below = vmm_machine(r.tower.monitor[1]);
    uint32_t real = (uint32_t)vmm_frame(r.tower.innermost, 0x9000) + 0x802;
    assert_int_equal(machine_walk(r.tower.bare, 0x19802, &w), ACCESS_OK);
    assert_int_equal(w.real, vmm_frame(below, real) + 0x802);
    guests_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guest_repairs_its_page_faults),
        cmocka_unit_test(test_faults_in_fetching_instructions),
        cmocka_unit_test(test_purge_makes_changed_entries_count),
        cmocka_unit_test(test_ipte_with_dat_off_and_2k_pages),
        cmocka_unit_test(test_megabyte_segments),
        cmocka_unit_test(test_segment_protection_comes_before_addressing),
        cmocka_unit_test(test_the_end_of_the_machine_is_in_no_guests_reach),
        cmocka_unit_test(test_invalid_format_is_a_translation_specification),
        cmocka_unit_test(test_more_spaces_than_are_cached),
        cmocka_unit_test(test_each_monitor_keeps_one_space_apart_from_another),
        cmocka_unit_test(test_prefixing_applies_to_translated_addresses),
        cmocka_unit_test(test_shadow_tables_can_be_walked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
