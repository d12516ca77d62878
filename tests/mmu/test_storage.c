/* Storage: sizes, laziness, keys and prefixing. */
#include "tests/support/unit.h"

#include "mmu/storage.h"

static void test_storage_new_refuses_sizes_that_are_not_blocks(void **state) {
    static const uint32_t bad[] = {0, 2048, 4097, STORAGE_MOST_BYTES + 2048};
    (void)state;
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error e = ERROR_CLEAR;
        assert_null(storage_new(bad[i], &e));
        assert_int_equal(e.kind, ERROR_INPUT);
    }
}

static void test_storage_begins_as_zeros_with_keys_zero(void **state) {
    struct storage *s = storage_new(STORAGE_MOST_BYTES, NULL);
    (void)state;
    for (uint32_t a = 0; a < STORAGE_MOST_BYTES; a += STORAGE_BLOCK_BYTES) {
        assert_int_equal(s->bytes[a], 0);
        assert_int_equal(*storage_key(s, a), 0);
    }
    storage_free(s);
}

static void test_storage_has_knows_the_last_byte(void **state) {
    struct storage *s = storage_new(8192, NULL);
    (void)state;
    assert_true(storage_has(s, 8191, 1));
    assert_false(storage_has(s, 8191, 2));
    assert_false(storage_has(s, 8192, 1));
    assert_false(storage_has(s, 0xFFFFFF, 0xFFFFFFFF));
    storage_free(s);
}

struct report {
    unsigned count;
    uint32_t absolute, length;
};

static void note(void *self, uint32_t absolute, uint32_t length) {
    *(struct report *)self = (struct report){((struct report *)self)->count + 1, absolute, length};
}

static void test_storage_write_reports_watched_blocks_only(void **state) {
    struct storage *s = storage_new(16384, NULL);
    struct report r = {0, 0, 0};
    (void)state;
    s->changed = note;
    s->self = &r;
    s->watched[2] = 1;
    storage_write(s, 0, "ab", 2);
    assert_int_equal(r.count, 0);
    storage_write(s, 4096 - 1, "ab", 2); /* its second byte lies in block 2 */
    assert_int_equal(r.count, 1);
    assert_int_equal(r.absolute, 4095);
    assert_int_equal(r.length, 2);
    storage_free(s);
}

static void test_prefixing_swaps_two_pages_and_nothing_else(void **state) {
    (void)state;
    assert_int_equal(storage_prefix(0x123, 0x5000), 0x5123);
    assert_int_equal(storage_prefix(0x5123, 0x5000), 0x123);
    assert_int_equal(storage_prefix(0x6123, 0x5000), 0x6123);
    assert_int_equal(storage_prefix(0x123, 0), 0x123);
}

static void test_key_rules(void **state) {
    (void)state;
    assert_true(storage_may_store(0x30, 0));
    assert_true(storage_may_store(0x30, 3));
    assert_false(storage_may_store(0x30, 4));
    assert_true(storage_may_fetch(0x30, 4)); /* no fetch protection */
    assert_false(storage_may_fetch(0x30 | KEY_FETCH, 4));
    assert_true(storage_may_fetch(0x30 | KEY_FETCH, 3));
    assert_true(storage_may_fetch(0x30 | KEY_FETCH, 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_storage_new_refuses_sizes_that_are_not_blocks),
        cmocka_unit_test(test_storage_begins_as_zeros_with_keys_zero),
        cmocka_unit_test(test_storage_has_knows_the_last_byte),
        cmocka_unit_test(test_storage_write_reports_watched_blocks_only),
        cmocka_unit_test(test_prefixing_swaps_two_pages_and_nothing_else),
        cmocka_unit_test(test_key_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
