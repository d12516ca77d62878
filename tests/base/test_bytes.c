/* Tests of base/bytes: big-endian values, buffers, hexadecimal text, and files that are whole or not there. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "tests/support/unit.h"

/* --- values and buffers ------------------------------------------------------------------------------------------- */

static void test_bytes_get_and_put_are_big_endian_at_any_alignment(void **state) {
    (void)state;
    static const uint8_t from[9] = {0xFF, 0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF};
    assert_int_equal(bytes_get16(from + 1), 0x0123);
    assert_int_equal(bytes_get24(from + 1), 0x012345);
    assert_int_equal(bytes_get32(from + 1), 0x01234567);
    assert_true(bytes_get64(from + 1) == 0x0123456789ABCDEF);
    uint8_t to[9] = {0};
    bytes_put64(to + 1, 0x0123456789ABCDEF);
    assert_memory_equal(to + 1, from + 1, 8);
    bytes_put32(to + 1, 0xFEDCBA98);
    assert_memory_equal(to, "\x00\xFE\xDC\xBA\x98\x89", 6);
    bytes_put24(to + 1, 0x123456);
    assert_memory_equal(to, "\x00\x12\x34\x56\x98", 5);
    bytes_put16(to + 1, 0xABCD);
    assert_memory_equal(to, "\x00\xAB\xCD\x56", 4);
}

static void test_bytes_append_grows_and_ends_in_a_nul(void **state) {
    (void)state;
    struct bytes b = {0};
    for (int i = 0; i < 10000; i++) {
        uint8_t byte = (uint8_t)i;
        bytes_append(&b, &byte, 1);
        assert_int_equal(b.data[b.length], 0);
    }
    assert_int_equal(b.length, 10000);
    assert_int_equal(b.data[9999], (uint8_t)9999);
    assert_false(b.failed);
    bytes_fini(&b);
    assert_null(b.data);
    assert_int_equal(b.length, 0);
}

static void test_bytes_append_of_nothing_is_an_empty_text(void **state) {
    (void)state;
    struct bytes b = {0};
    bytes_append(&b, NULL, 0);
    assert_string_equal((char *)b.data, "");
    bytes_fini(&b);
}

static void test_bytes_printf_appends_text_longer_than_the_room(void **state) {
    (void)state;
    struct bytes b = {0};
    bytes_printf(&b, "%s", "");
    bytes_printf(&b, "%d-", 42);
    bytes_printf(&b, "%0*d", 300, 7);
    assert_int_equal(b.length, 303);
    assert_memory_equal(b.data, "42-0000", 7);
    assert_string_equal((char *)b.data + 300, "007");
    bytes_fini(&b);
}

static void test_bytes_that_failed_stay_failed_and_unchanged(void **state) {
    (void)state;
    struct bytes b = {0};
    bytes_append(&b, "abc", 3);
    bytes_append(&b, "x", SIZE_MAX); /* refused before anything is read */
    assert_true(b.failed);
    bytes_append(&b, "def", 3);
    bytes_printf(&b, "ghi");
    assert_false(bytes_from_hex(&b, "00"));
    assert_true(b.failed);
    assert_string_equal((char *)b.data, "abc");
    bytes_fini(&b);
    assert_false(b.failed);
}

static void test_bytes_to_hex_is_upper_case_and_terminated(void **state) {
    (void)state;
    char text[9];
    memset(text, '?', sizeof text);
    bytes_to_hex(text, (const uint8_t *)"\x00\x9A\xBC\xFF", 4);
    assert_string_equal(text, "009ABCFF");
    bytes_to_hex(text, NULL, 0);
    assert_string_equal(text, "");
}

static void test_bytes_from_hex_takes_either_case_and_appends(void **state) {
    (void)state;
    struct bytes b = {0};
    assert_true(bytes_from_hex(&b, "00fF"));
    assert_true(bytes_from_hex(&b, "aB"));
    assert_int_equal(b.length, 3);
    assert_memory_equal(b.data, "\x00\xFF\xAB", 4);
    bytes_fini(&b);
}

static void test_bytes_from_hex_refuses_all_else_and_appends_nothing(void **state) {
    (void)state;
    static const char *const wrong[] = {"", "0", "123", "0x12", "12 ", " 12", "1 2 ", "0G", "G0", "1234:", "\xC3\xA9"};
    struct bytes b = {0};
    bytes_append(&b, "k", 1);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(bytes_from_hex(&b, wrong[i]));
    }
    assert_string_equal((char *)b.data, "k");
    assert_false(b.failed);
    bytes_fini(&b);
}

/* --- files -------------------------------------------------------------------------------------------------------- */

static void assert_file(const char *path, const char *expected) {
    struct bytes b = {0};
    struct error e = ERROR_CLEAR;
    assert_true(bytes_read_file(&b, path, 1000000, &e));
    assert_int_equal(b.length, strlen(expected));
    assert_string_equal((char *)b.data, expected);
    assert_int_equal(e.kind, ERROR_NONE);
    bytes_fini(&b);
}

static void assert_fails_with(bool result, struct error *e, const char *text) {
    assert_false(result);
    assert_int_equal(e->kind, ERROR_INPUT);
    assert_string_equal(e->text, text);
    *e = ERROR_CLEAR;
}

static void test_bytes_write_file_then_read_file_gives_the_same(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    assert_true(bytes_write_file("a", "hello", 5, &e));
    assert_file("a", "hello");
    assert_true(bytes_write_file("a", "", 0, &e));
    assert_file("a", "");
    assert_int_equal(unit_count_files("."), 1);
}

static void test_bytes_read_file_appends_to_what_is_there(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    struct bytes b = {0};
    bytes_append(&b, "<", 1);
    bytes_write_file("a", "hello", 5, &e);
    assert_true(bytes_read_file(&b, "a", 5, &e));
    assert_string_equal((char *)b.data, "<hello");
    bytes_fini(&b);
}

static void test_bytes_read_file_refuses_what_is_longer_than_the_most(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    struct bytes b = {0};
    bytes_append(&b, "<", 1);
    bytes_write_file("a", "hello", 5, &e);
    assert_fails_with(bytes_read_file(&b, "a", 4, &e), &e, "cannot read a: it is longer than 4 bytes");
    assert_string_equal((char *)b.data, "<");
    assert_fails_with(bytes_read_file(&b, "/dev/zero", 200000, &e), &e,
                      "cannot read /dev/zero: it is longer than 200000 bytes");
    bytes_fini(&b);
}

static void test_bytes_read_file_names_the_file_and_the_reason(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    struct bytes b = {0};
    assert_fails_with(bytes_read_file(&b, "none", 10, &e), &e, "cannot read none: No such file or directory");
    assert_fails_with(bytes_read_file(&b, ".", 10, &e), &e, "cannot read .: Is a directory");
    assert_int_equal(b.length, 0);
    bytes_fini(&b);
}

static void test_bytes_write_file_into_a_missing_folder_fails(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    assert_fails_with(bytes_write_file("no/a", "x", 1, &e), &e, "cannot write no/a: No such file or directory");
    bytes_write_file("file", "x", 1, &e);
    assert_fails_with(bytes_write_file("file/a", "x", 1, &e), &e, "cannot write file/a: Not a directory");
    assert_fails_with(bytes_write_file(".", "x", 1, &e), &e, "cannot write .: Is a directory");
    assert_fails_with(bytes_write_file("", "x", 1, &e), &e, "cannot write : No such file or directory");
}

static void test_bytes_write_file_into_an_unwritable_folder_leaves_the_old_file(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    assert_int_equal(mkdir("locked", 0755), 0);
    bytes_write_file("locked/a", "old", 3, &e);
    assert_int_equal(chmod("locked/a", 0666), 0);
    assert_int_equal(chmod("locked", 0555), 0);
    assert_int_equal(chmod(".", 0755), 0);
    unit_as_nobody();
    bool result = bytes_write_file("locked/a", "new", 3, &e);
    unit_root_again();
    assert_fails_with(result, &e, "cannot write locked/a: Permission denied");
    assert_file("locked/a", "old");
    assert_int_equal(unit_count_files("locked"), 1);
}

static void test_bytes_write_file_respects_a_read_only_file(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    assert_int_equal(mkdir("open", 0755), 0);
    assert_int_equal(chmod("open", 0777), 0);
    assert_int_equal(chmod(".", 0755), 0);
    bytes_write_file("open/a", "old", 3, &e);
    assert_int_equal(chmod("open/a", 0444), 0);
    unit_as_nobody();
    bool result = bytes_write_file("open/a", "new", 3, &e);
    unit_root_again();
    assert_fails_with(result, &e, "cannot write open/a: Permission denied");
    assert_file("open/a", "old");
}

static void test_bytes_write_file_keeps_permissions_and_symbolic_links(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    struct stat s;
    bytes_write_file("real", "old", 3, &e);
    assert_int_equal(chmod("real", 0750), 0);
    assert_int_equal(symlink("real", "link"), 0);
    assert_true(bytes_write_file("link", "new", 3, &e));
    assert_file("real", "new");
    assert_int_equal(lstat("link", &s), 0);
    assert_true(S_ISLNK(s.st_mode));
    assert_int_equal(stat("real", &s), 0);
    assert_int_equal(s.st_mode & 07777, 0750);
}

static void test_bytes_write_file_of_a_new_file_follows_the_umask(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    struct stat s;
    mode_t old = umask(027);
    bytes_write_file("a", "x", 1, &e);
    umask(old);
    assert_int_equal(stat("a", &s), 0);
    assert_int_equal(s.st_mode & 07777, 0640);
}

static void test_bytes_write_file_writes_a_pipe_directly(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    char text[6] = "";
    assert_int_equal(mkfifo("pipe", 0600), 0);
    int fd = open("pipe", O_RDWR);
    assert_true(fd >= 0);
    assert_true(bytes_write_file("pipe", "hello", 5, &e));
    assert_int_equal(read(fd, text, 5), 5);
    assert_string_equal(text, "hello");
    close(fd);
    assert_int_equal(unit_count_files("."), 1);
}

static void test_bytes_write_file_reports_a_full_device(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    assert_fails_with(bytes_write_file("/dev/full", "hello", 5, &e), &e,
                      "cannot write /dev/full: No space left on device");
}

static void test_bytes_writer_keeps_the_old_file_until_it_is_closed(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    bytes_write_file("a", "old", 3, &e);
    struct bytes_writer *w = bytes_writer_open("a", &e);
    assert_non_null(w);
    bytes_writer_append(w, "new", 3);
    assert_file("a", "old");
    assert_true(bytes_writer_close(w, &e));
    assert_file("a", "new");
    assert_int_equal(unit_count_files("."), 1);
}

static void test_bytes_writer_discarded_leaves_nothing_behind(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    struct bytes_writer *w = bytes_writer_open("a", &e);
    bytes_writer_append(w, "new", 3);
    bytes_writer_discard(w);
    assert_int_equal(unit_count_files("."), 0);
}

static void test_bytes_writers_of_the_same_file_do_not_disturb_each_other(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    struct bytes_writer *first = bytes_writer_open("a", &e);
    struct bytes_writer *second = bytes_writer_open("a", &e);
    bytes_writer_append(first, "first", 5);
    bytes_writer_append(second, "2", 1);
    assert_true(bytes_writer_close(first, &e));
    assert_file("a", "first");
    assert_true(bytes_writer_close(second, &e));
    assert_file("a", "2");
    assert_int_equal(unit_count_files("."), 1);
}

static void test_bytes_writer_writes_pieces_of_every_size_in_order(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    struct bytes all = {0}, back = {0};
    struct bytes_writer *w = bytes_writer_open("a", &e);
    static const size_t sizes[] = {1, 65535, 1, 65536, 65537, 3, 200000, 0, 30000, 30000, 30000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t *piece = malloc(sizes[i] + 1);
        memset(piece, 'a' + (int)i, sizes[i] + 1);
        bytes_append(&all, piece, sizes[i]);
        bytes_writer_append(w, piece, sizes[i]);
        free(piece);
    }
    assert_true(bytes_writer_close(w, &e));
    assert_true(bytes_read_file(&back, "a", all.length, &e));
    assert_int_equal(back.length, all.length);
    assert_memory_equal(back.data, all.data, all.length);
    bytes_fini(&all);
    bytes_fini(&back);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_get_and_put_are_big_endian_at_any_alignment),
        cmocka_unit_test(test_bytes_append_grows_and_ends_in_a_nul),
        cmocka_unit_test(test_bytes_append_of_nothing_is_an_empty_text),
        cmocka_unit_test(test_bytes_printf_appends_text_longer_than_the_room),
        cmocka_unit_test(test_bytes_that_failed_stay_failed_and_unchanged),
        cmocka_unit_test(test_bytes_to_hex_is_upper_case_and_terminated),
        cmocka_unit_test(test_bytes_from_hex_takes_either_case_and_appends),
        cmocka_unit_test(test_bytes_from_hex_refuses_all_else_and_appends_nothing),
        unit_test_in_folder(test_bytes_write_file_then_read_file_gives_the_same),
        unit_test_in_folder(test_bytes_read_file_appends_to_what_is_there),
        unit_test_in_folder(test_bytes_read_file_refuses_what_is_longer_than_the_most),
        unit_test_in_folder(test_bytes_read_file_names_the_file_and_the_reason),
        unit_test_in_folder(test_bytes_write_file_into_a_missing_folder_fails),
        unit_test_in_folder(test_bytes_write_file_into_an_unwritable_folder_leaves_the_old_file),
        unit_test_in_folder(test_bytes_write_file_respects_a_read_only_file),
        unit_test_in_folder(test_bytes_write_file_keeps_permissions_and_symbolic_links),
        unit_test_in_folder(test_bytes_write_file_of_a_new_file_follows_the_umask),
        unit_test_in_folder(test_bytes_write_file_writes_a_pipe_directly),
        unit_test_in_folder(test_bytes_write_file_reports_a_full_device),
        unit_test_in_folder(test_bytes_writer_keeps_the_old_file_until_it_is_closed),
        unit_test_in_folder(test_bytes_writer_discarded_leaves_nothing_behind),
        unit_test_in_folder(test_bytes_writers_of_the_same_file_do_not_disturb_each_other),
        unit_test_in_folder(test_bytes_writer_writes_pieces_of_every_size_in_order),
    };
    return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
