/* The TLB: two ways a set, least recently used goes, spaces apart. */
#include "tests/support/unit.h"

#include <stdlib.h>

#include "mmu/tlb.h"

enum { SET_STRIDE = TLB_SETS << 12 }; /* pages of 4 KB so far apart share a set */

static struct tlb_entry entry(uint64_t space, uint32_t page) {
    return (struct tlb_entry){.space = space, .page = page, .frame = page ^ 0x100000};
}

static int make(void **state) {
    *state = calloc(1, sizeof(struct tlb));
    return *state ? 0 : -1;
}
static int drop(void **state) {
    free(*state);
    return 0;
}

static void insert(struct tlb *t, uint64_t space, uint32_t page, struct tlb_entry *displaced) {
    struct tlb_entry e = entry(space, page);
    tlb_insert(t, &e, 12, displaced);
}

static void test_tlb_replaces_the_least_recently_used_of_two(void **state) {
    struct tlb *t = *state;
    struct tlb_entry displaced;
    uint64_t s = tlb_space(0x00800000, 0x1000);
    insert(t, s, 0, &displaced);
    assert_int_equal(displaced.space, 0);
    insert(t, s, SET_STRIDE, &displaced);
    assert_int_equal(displaced.page, 0);
    assert_non_null(tlb_find(t, s, 0x123, 12, &displaced)); /* now page 0 is the one used last */
    assert_int_equal(displaced.page, SET_STRIDE);
    insert(t, s, 2 * SET_STRIDE, &displaced);
    assert_int_equal(displaced.page, 0);
    assert_null(tlb_find(t, s, SET_STRIDE, 12, &displaced));
    assert_non_null(tlb_find(t, s, 0, 12, &displaced));
    assert_non_null(tlb_find(t, s, 2 * SET_STRIDE, 12, &displaced));
}

static void test_tlb_hit_in_the_way_used_last_displaces_nothing(void **state) {
    struct tlb *t = *state;
    struct tlb_entry displaced;
    uint64_t s = tlb_space(0x00800000, 0x1000);
    insert(t, s, 0x5000, &displaced);
    assert_non_null(tlb_find(t, s, 0x5FFF, 12, &displaced));
    assert_int_equal(displaced.space, 0);
}

static void test_tlb_entries_count_in_their_own_space_only(void **state) {
    struct tlb *t = *state;
    struct tlb_entry displaced;
    uint64_t one = tlb_space(0x00800000, 0x1000), other = tlb_space(0x00800000, 0x2000);
    uint64_t format = tlb_space(0x00900000, 0x1000);
    insert(t, one, 0x5000, &displaced);
    assert_null(tlb_find(t, other, 0x5000, 12, &displaced));
    assert_null(tlb_find(t, format, 0x5000, 12, &displaced));
    assert_non_null(tlb_find(t, one, 0x5000, 12, &displaced));
}

static void test_tlb_common_entries_count_in_every_space_of_their_format(void **state) {
    struct tlb *t = *state;
    struct tlb_entry displaced, e = entry(tlb_space(0x00800000, 0x1000), 0x5000);
    e.common = true;
    tlb_insert(t, &e, 12, &displaced);
    assert_non_null(tlb_find(t, tlb_space(0x00800000, 0x2000), 0x5000, 12, &displaced));
    assert_null(tlb_find(t, tlb_space(0x00900000, 0x2000), 0x5000, 12, &displaced));
}

static void test_tlb_drop_frame_leaves_other_frames(void **state) {
    struct tlb *t = *state;
    struct tlb_entry displaced;
    uint64_t s = tlb_space(0x00800000, 0x1000);
    insert(t, s, 0x5000, &displaced);
    insert(t, s, 0x6000, &displaced);
    tlb_drop_frame(t, 0x5000 ^ 0x100000);
    assert_null(tlb_find(t, s, 0x5000, 12, &displaced));
    assert_non_null(tlb_find(t, s, 0x6000, 12, &displaced));
    tlb_purge(t);
    assert_null(tlb_find(t, s, 0x6000, 12, &displaced));
}

static void test_tlb_look_finds_without_using(void **state) {
    struct tlb *t = *state;
    struct tlb_entry displaced;
    unsigned way;
    uint64_t s = tlb_space(0x00800000, 0x1000), other = tlb_space(0x00800000, 0x2000);
    insert(t, s, 0, &displaced);
    insert(t, s, SET_STRIDE, &displaced);
    const struct tlb before = *t;
    assert_int_equal(tlb_look(t, s, 0x123, 12, &way)->frame, 0x100000);
    assert_int_equal(way, 1);
    assert_int_equal(tlb_look(t, s, SET_STRIDE + 5, 12, &way)->page, SET_STRIDE);
    assert_int_equal(way, 0);
    assert_null(tlb_look(t, s, 2 * SET_STRIDE, 12, &way));
    assert_null(tlb_look(t, other, 0, 12, &way));
    assert_memory_equal(&before, t, sizeof before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tlb_replaces_the_least_recently_used_of_two, make, drop),
        cmocka_unit_test_setup_teardown(test_tlb_hit_in_the_way_used_last_displaces_nothing, make, drop),
        cmocka_unit_test_setup_teardown(test_tlb_entries_count_in_their_own_space_only, make, drop),
        cmocka_unit_test_setup_teardown(test_tlb_common_entries_count_in_every_space_of_their_format, make, drop),
        cmocka_unit_test_setup_teardown(test_tlb_drop_frame_leaves_other_frames, make, drop),
        cmocka_unit_test_setup_teardown(test_tlb_look_finds_without_using, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
