/* Blocks of disks, in storage and in host files: what is refused, and that nothing is lost or torn whenever the process
 * is killed. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tests/support/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "isa/disk.h"

enum { BLOCKS = 100, JOURNAL_HEADER = 32, JOURNAL_RECORD = 536 };

/* A block whose every word says which write it is of. */
static void fill(uint8_t block[DISK_BLOCK_BYTES], uint32_t number) {
    for (int i = 0; i < DISK_BLOCK_BYTES; i += 4)
        bytes_put32(block + i, number);
}

static bool put(struct disk_backing *b, uint32_t block, uint32_t number) {
    uint8_t data[DISK_BLOCK_BYTES];
    fill(data, number);
    return b->write(b->self, block, data);
}

/* The number that a block was filled with; fails when it is torn. */
static uint32_t get(struct disk_backing *b, uint32_t block) {
    uint8_t data[DISK_BLOCK_BYTES], whole[DISK_BLOCK_BYTES];
    assert_true(b->read(b->self, block, data));
    fill(whole, bytes_get32(data));
    assert_memory_equal(data, whole, sizeof data);
    return bytes_get32(data);
}

static struct disk_backing open_disk(unsigned options) {
    struct disk_backing b;
    struct error e = ERROR_CLEAR;
    if (!disk_backing_file(&b, "disk", options, &e))
        fail_msg("%s", e.text);
    return b;
}

static void close_disk(struct disk_backing *b) { b->free(b->self); }

static void make_disk(uint32_t blocks) {
    struct error e = ERROR_CLEAR;
    if (!disk_file_new("disk", blocks, &e))
        fail_msg("%s", e.text);
}

static off_t size_of(const char *path) {
    struct stat s;
    return stat(path, &s) == 0 ? s.st_size : -1;
}

/* --- in storage --------------------------------------------------------------------------------------------------- */

static void test_blocks_in_storage_are_zero_until_written(void **state) {
    (void)state;
    struct disk_backing b;
    struct error e = ERROR_CLEAR;
    assert_true(disk_backing_memory(&b, DISK_BLOCKS_MOST, &e));
    assert_int_equal(b.blocks, DISK_BLOCKS_MOST);
    assert_int_equal(get(&b, 5), 0);
    assert_true(put(&b, 5, 55));
    assert_true(put(&b, DISK_BLOCKS_MOST - 1, 99));
    assert_int_equal(get(&b, 4), 0);
    assert_int_equal(get(&b, 5), 55);
    assert_int_equal(get(&b, DISK_BLOCKS_MOST - 1), 99);
    close_disk(&b);
    assert_false(disk_backing_memory(&b, 0, &e));
    assert_string_equal(e.text, "a disk has 1 to 16777216 blocks, not 0");
    assert_false(disk_backing_memory(&b, DISK_BLOCKS_MOST + 1, &e));
}

/* --- in a file ---------------------------------------------------------------------------------------------------- */

static void test_what_is_written_is_in_the_file_when_the_disk_is_gone(void **state) {
    (void)state;
    make_disk(BLOCKS);
    assert_int_equal(size_of("disk"), BLOCKS * DISK_BLOCK_BYTES);
    struct disk_backing b = open_disk(DISK_WRITABLE);
    assert_int_equal(b.blocks, BLOCKS);
    assert_true(put(&b, 7, 70));
    assert_true(put(&b, 7, 71));
    assert_true(put(&b, 99, 990));
    assert_int_equal(get(&b, 7), 71);
    close_disk(&b);
    assert_int_equal(unit_count_files("."), 1); /* the journal is gone */
    struct bytes file = {0};
    struct error e = ERROR_CLEAR;
    assert_true(bytes_read_file(&file, "disk", 1 << 20, &e));
    assert_int_equal(file.length, BLOCKS * DISK_BLOCK_BYTES);
    assert_int_equal(bytes_get32(file.data + 7 * 512), 71);
    assert_int_equal(bytes_get32(file.data + 99 * 512 + 508), 990);
    assert_int_equal(bytes_get32(file.data + 8 * 512), 0);
    bytes_fini(&file);
}

static void test_a_read_only_disk_refuses_writes_and_leaves_no_file(void **state) {
    (void)state;
    make_disk(BLOCKS);
    struct disk_backing b = open_disk(0);
    assert_false(put(&b, 1, 1));
    assert_int_equal(get(&b, 1), 0);
    assert_true(b.sync(b.self));
    assert_int_equal(unit_count_files("."), 1);
    close_disk(&b);
}

static void assert_refused(const char *path, unsigned options, const char *text) {
    struct disk_backing b;
    struct error e = ERROR_CLEAR;
    assert_false(disk_backing_file(&b, path, options, &e));
    assert_int_equal(e.kind, ERROR_INPUT);
    const char *at = strstr(e.text, text);
    if (!at)
        fail_msg("%s", e.text);
}

static void test_files_that_cannot_be_disks_are_refused(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    assert_refused("missing", DISK_WRITABLE, "missing: No such file or directory");
    assert_refused(".", 0, ".: is not a regular file");
    assert_true(bytes_write_file("odd", "abc", 3, &e));
    assert_refused("odd", 0, "odd: 3 bytes are not 1 to 16777216 blocks of 512 bytes");
    assert_true(bytes_write_file("empty", "", 0, &e));
    assert_refused("empty", 0, "empty: 0 bytes are not");
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_refused("pipe", DISK_WRITABLE, "pipe: is not a regular file");
    make_disk(BLOCKS);
    assert_int_equal(truncate("disk", BLOCKS * DISK_BLOCK_BYTES - 1), 0);
    assert_refused("disk", 0, "disk: 51199 bytes are not");
    assert_int_equal(truncate("disk", (off_t)(DISK_BLOCKS_MOST + 1) * DISK_BLOCK_BYTES), 0);
    assert_refused("disk", 0, "bytes are not");
    assert_false(disk_file_new("disk", BLOCKS, &e));
    assert_string_equal(e.text, "disk: File exists");
    assert_false(disk_file_new("no/disk", BLOCKS, &e));
    assert_string_equal(e.text, "no/disk: No such file or directory");
    assert_false(disk_file_new("other", 0, &e));
    assert_int_equal(size_of("other"), -1);
}

static void test_a_file_belongs_to_one_writer_or_to_readers(void **state) {
    (void)state;
    make_disk(BLOCKS);
    struct disk_backing writer = open_disk(DISK_WRITABLE);
    assert_refused("disk", 0, "disk: is in use by another disk");
    assert_refused("disk", DISK_WRITABLE, "in use");
    close_disk(&writer);
    struct disk_backing one = open_disk(0), two = open_disk(0);
    assert_refused("disk", DISK_WRITABLE, "in use");
    close_disk(&one);
    close_disk(&two);
}

static void test_a_file_that_shrinks_gives_errors(void **state) {
    (void)state;
    make_disk(BLOCKS);
    struct disk_backing b = open_disk(DISK_WRITABLE);
    uint8_t data[DISK_BLOCK_BYTES];
    assert_int_equal(truncate("disk", 1000), 0);
    assert_true(b.read(b.self, 0, data));
    assert_false(b.read(b.self, 1, data));
    assert_false(b.read(b.self, 50, data));
    close_disk(&b);
}

/* --- killed ------------------------------------------------------------------------------------------------------- */

/* What a process leaves that wrote so many blocks, block n % BLOCKS the number n + 1, and was killed. */
static void write_and_die(uint32_t writes) {
    pid_t child = fork();
    if (child == 0) {
        struct disk_backing b;
        if (!disk_backing_file(&b, "disk", DISK_WRITABLE, NULL))
            _exit(1);
        for (uint32_t n = 0; n < writes; n++)
            put(&b, n % BLOCKS, n + 1);
        kill(getpid(), SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static void assert_written(struct disk_backing *b, uint32_t writes) {
    for (uint32_t block = 0; block < BLOCKS; block++) {
        uint32_t last = block < writes ? block + (writes - 1 - block) / BLOCKS * BLOCKS + 1 : 0;
        assert_int_equal(get(b, block), last);
    }
}

static void test_every_write_survives_a_kill(void **state) {
    (void)state;
    static const uint32_t writes[] = {0, 1, 150, 4095, 4096, 4097, 9000};
    for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++) {
        make_disk(BLOCKS);
        write_and_die(writes[i]);
        struct disk_backing reader = open_disk(0); /* sees it, and changes nothing */
        assert_written(&reader, writes[i]);
        close_disk(&reader);
        struct disk_backing b = open_disk(DISK_WRITABLE);
        assert_written(&b, writes[i]);
        assert_true(put(&b, 3, 12345)); /* goes on from there */
        close_disk(&b);
        b = open_disk(0);
        assert_int_equal(get(&b, 3), 12345);
        close_disk(&b);
        assert_int_equal(unit_count_files("."), 1);
        assert_int_equal(unlink("disk"), 0);
    }
}

/* A writer that says what it has been told is written, killed wherever it is. */
static void test_a_kill_at_any_moment_loses_nothing(void **state) {
    (void)state;
    make_disk(BLOCKS);
    uint32_t written = 0;
    for (int round = 0; round < 40; round++) {
        int pipe_of[2];
        assert_int_equal(pipe(pipe_of), 0);
        pid_t child = fork();
        if (child == 0) {
            struct disk_backing b;
            if (!disk_backing_file(&b, "disk", DISK_WRITABLE, NULL))
                _exit(1);
            for (uint32_t n = written; put(&b, n % BLOCKS, n + 1); n++)
                if (write(pipe_of[1], &n, sizeof n) != sizeof n)
                    _exit(1);
            _exit(1);
        }
        close(pipe_of[1]);
        uint32_t said, stop = written + 1 + (uint32_t)round * 47;
        while (read(pipe_of[0], &said, sizeof said) == sizeof said && said + 1 < stop)
            ;
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(pipe_of[0], &said, sizeof said) == sizeof said)
            ;
        close(pipe_of[0]);
        struct disk_backing b = open_disk(0);
        /* The write in progress may have been done, too; it cannot be half done. */
        uint32_t next = said + 1;
        if (get(&b, next % BLOCKS) == next + 1)
            next++;
        assert_written(&b, next);
        close_disk(&b);
        written = next;
    }
    assert_true(written > 8192);
}

/* A journal cut anywhere: the records before the cut count, the one it goes through does not. */
static void test_a_torn_record_does_not_count(void **state) {
    (void)state;
    for (off_t cut = JOURNAL_RECORD; cut >= 0; cut -= cut > 20 && cut < 520 ? 50 : 1) {
        make_disk(BLOCKS);
        write_and_die(3);
        assert_int_equal(size_of("disk.journal"), JOURNAL_HEADER + 3 * JOURNAL_RECORD);
        assert_int_equal(truncate("disk.journal", JOURNAL_HEADER + 2 * JOURNAL_RECORD + cut), 0);
        for (int pass = 0; pass < 2; pass++) {
            struct disk_backing b = open_disk(pass ? DISK_WRITABLE : 0);
            assert_written(&b, cut == JOURNAL_RECORD ? 3 : 2);
            close_disk(&b);
        }
        assert_int_equal(unlink("disk"), 0);
    }
}

static void change_byte(const char *path, off_t at) {
    uint8_t byte;
    int file = open(path, O_RDWR);
    assert_int_equal(pread(file, &byte, 1, at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(file, &byte, 1, at), 1);
    close(file);
}

/* The host lost power: a record behind a bad one may be good, and counts as little. */
static void test_records_behind_a_bad_one_do_not_count(void **state) {
    (void)state;
    for (int at = 0; at < JOURNAL_RECORD; at += 67) {
        make_disk(BLOCKS);
        write_and_die(5);
        change_byte("disk.journal", JOURNAL_HEADER + 2 * JOURNAL_RECORD + at);
        struct disk_backing b = open_disk(DISK_WRITABLE);
        assert_written(&b, 2);
        assert_true(put(&b, 2, 3));
        close_disk(&b);
        b = open_disk(0);
        assert_written(&b, 3);
        close_disk(&b);
        assert_int_equal(unlink("disk"), 0);
    }
}

static void test_the_making_of_a_journal_may_be_interrupted(void **state) {
    (void)state;
    for (off_t length = 0; length <= JOURNAL_HEADER; length++) {
        make_disk(BLOCKS);
        write_and_die(0);
        assert_int_equal(truncate("disk.journal", length), 0);
        struct disk_backing b = open_disk(0);
        assert_written(&b, 0);
        close_disk(&b);
        b = open_disk(DISK_WRITABLE);
        assert_true(put(&b, 0, 1));
        close_disk(&b);
        assert_int_equal(unlink("disk"), 0);
    }
}

static void test_a_journal_that_is_not_the_file_s_is_refused(void **state) {
    (void)state;
    make_disk(BLOCKS);
    write_and_die(1);
    assert_int_equal(truncate("disk", (BLOCKS + 1) * DISK_BLOCK_BYTES), 0);
    assert_refused("disk", DISK_WRITABLE, "disk.journal: is damaged, or does not belong to a disk of 101 blocks");
    assert_int_equal(truncate("disk", BLOCKS * DISK_BLOCK_BYTES), 0);
    change_byte("disk.journal", 3);
    assert_refused("disk", 0, "disk.journal: is damaged");
    change_byte("disk.journal", 3);
    struct disk_backing b = open_disk(0);
    assert_int_equal(get(&b, 0), 1);
    close_disk(&b);
    assert_int_equal(unlink("disk.journal"), 0);
    assert_int_equal(mkdir("disk.journal", 0700), 0);
    assert_refused("disk", 0, "disk.journal: is not a regular file");
    assert_int_equal(rmdir("disk.journal"), 0);
}

static void test_the_journal_is_found_through_a_link(void **state) {
    (void)state;
    make_disk(BLOCKS);
    write_and_die(2);
    assert_int_equal(mkdir("folder", 0700), 0);
    assert_int_equal(symlink("../disk", "folder/link"), 0);
    struct disk_backing b;
    assert_true(disk_backing_file(&b, "folder/link", 0, NULL));
    assert_written(&b, 2);
    close_disk(&b);
    assert_int_equal(unlink("folder/link"), 0);
    assert_int_equal(rmdir("folder"), 0);
}

/* --- a full host disk --------------------------------------------------------------------------------------------- */

static void limit_files_to(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){bytes, RLIM_INFINITY});
}

static void test_a_full_host_disk_is_an_error_that_leaves_the_block_as_it_was(void **state) {
    (void)state;
    make_disk(BLOCKS);
    pid_t child = fork();
    if (child == 0) {
        struct disk_backing b;
        limit_files_to(JOURNAL_HEADER + 3 * JOURNAL_RECORD + 100);
        bool ok = disk_backing_file(&b, "disk", DISK_WRITABLE, NULL);
        for (uint32_t n = 0; n < 3; n++)
            ok = ok && put(&b, 0, n + 1);
        uint8_t data[DISK_BLOCK_BYTES];
        ok = ok && !put(&b, 0, 4) && !put(&b, 50, 4) && b.read(b.self, 0, data) && bytes_get32(data + 508) == 3;
        limit_files_to(RLIM_INFINITY); /* room again */
        ok = ok && put(&b, 1, 5) && b.read(b.self, 1, data) && bytes_get32(data) == 5;
        b.free(b.self);
        _exit(ok ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    struct disk_backing b = open_disk(0);
    assert_int_equal(get(&b, 0), 3);
    assert_int_equal(get(&b, 1), 5);
    assert_int_equal(get(&b, 50), 0);
    close_disk(&b);
}

/* The file cannot take what the journal has: the journal stays, until it can. */
static void test_a_checkpoint_that_fails_loses_nothing(void **state) {
    (void)state;
    make_disk(BLOCKS);
    pid_t child = fork();
    if (child == 0) {
        struct disk_backing b;
        bool ok = disk_backing_file(&b, "disk", DISK_WRITABLE, NULL);
        for (uint32_t n = 0; n < 30; n++)
            ok = ok && put(&b, n + 60, n + 1);
        limit_files_to(70 * DISK_BLOCK_BYTES);
        b.free(b.self);
        _exit(ok && access("disk.journal", F_OK) == 0 ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    struct disk_backing b = open_disk(DISK_WRITABLE);
    for (uint32_t n = 0; n < 30; n++)
        assert_int_equal(get(&b, n + 60), n + 1);
    close_disk(&b);
    assert_int_equal(unit_count_files("."), 1);
}

static void test_a_folder_where_nothing_can_be_written(void **state) {
    (void)state;
    make_disk(BLOCKS);
    assert_int_equal(chmod("disk", 0666), 0);
    assert_int_equal(chmod(".", 0555), 0);
    unit_as_nobody();
    assert_refused("disk", DISK_WRITABLE, "disk.journal: Permission denied");
    struct disk_backing b = open_disk(0);
    close_disk(&b);
    unit_root_again();
    assert_int_equal(chmod(".", 0755), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_in_storage_are_zero_until_written),
        unit_test_in_folder(test_what_is_written_is_in_the_file_when_the_disk_is_gone),
        unit_test_in_folder(test_a_read_only_disk_refuses_writes_and_leaves_no_file),
        unit_test_in_folder(test_files_that_cannot_be_disks_are_refused),
        unit_test_in_folder(test_a_file_belongs_to_one_writer_or_to_readers),
        unit_test_in_folder(test_a_file_that_shrinks_gives_errors),
        unit_test_in_folder(test_every_write_survives_a_kill),
        unit_test_in_folder(test_a_kill_at_any_moment_loses_nothing),
        unit_test_in_folder(test_a_torn_record_does_not_count),
        unit_test_in_folder(test_records_behind_a_bad_one_do_not_count),
        unit_test_in_folder(test_the_making_of_a_journal_may_be_interrupted),
        unit_test_in_folder(test_a_journal_that_is_not_the_file_s_is_refused),
        unit_test_in_folder(test_the_journal_is_found_through_a_link),
        unit_test_in_folder(test_a_full_host_disk_is_an_error_that_leaves_the_block_as_it_was),
        unit_test_in_folder(test_a_checkpoint_that_fails_loses_nothing),
        unit_test_in_folder(test_a_folder_where_nothing_can_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
