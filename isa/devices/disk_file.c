/* Blocks of a disk in a host file, safe against being killed at any moment.
 *
 * What is written goes to a journal beside the file, and is found there by `record`, until a checkpoint moves it into
 * the file. While it does, the journal still has all of it; so the file alone need never be right, and opening the two
 * again is only reading the journal's records, not repairing anything.
 *
 *   journal   header, records
 *   header    "cloud370 journal", version 1 (4 bytes), blocks of the file (4), checksum of these (8)
 *   record    running number (8), block (4), zero (4), data (512), checksum of these (8)
 *
 * all numbers big-endian. The records that count are those from the beginning whose numbers rise by one, each with its
 * checksum. After a checkpoint the journal is cut, and the numbers go on, so that nothing left behind by a host that
 * lost power is taken for new. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "isa/disk.h"

enum {
    HEADER_BLOCKS = 20, /* where its fields are */
    HEADER_CHECKSUM = 24,
    HEADER_BYTES = 32,
    RECORD_BLOCK = 8,
    RECORD_DATA = 16,
    RECORD_CHECKSUM = RECORD_DATA + DISK_BLOCK_BYTES,
    RECORD_BYTES = RECORD_CHECKSUM + 8,
    JOURNAL_VERSION = 1,
    CHECKPOINT_RECORDS = 4096, /* 2 MB of blocks */
    PATH_BYTES_MOST = 4096,
};
static const char JOURNAL_NAME[] = "cloud370 journal"; /* without its NUL: 16 bytes */

struct disk_file {
    int file, journal; /* journal -1: there is none, and it is not needed (read-only) */
    bool writable, sync;
    uint32_t blocks;
    uint32_t *record; /* by block: its last record in the journal, from 1; 0: it is in the file */
    uint32_t records; /* in the journal */
    uint32_t unmoved; /* records at which the next checkpoint is due */
    uint64_t next;    /* running number of the next record */
    char journal_path[PATH_BYTES_MOST];
};

/* --- the host ----------------------------------------------------------------------------------------------------- */

static bool read_at(int file, void *to, size_t length, off_t at) {
    uint8_t *bytes = to;
    while (length) {
        ssize_t n = pread(file, bytes, length, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        at += n;
        length -= (size_t)n;
    }
    return true;
}

static bool write_at(int file, const void *from, size_t length, off_t at) {
    const uint8_t *bytes = from;
    while (length) {
        ssize_t n = pwrite(file, bytes, length, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        at += n;
        length -= (size_t)n;
    }
    return true;
}

/* The host keeps the names of a folder apart from its files. */
static bool sync_folder_of(const char *path) {
    char folder[PATH_BYTES_MOST];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".");
    int fd = open(folder, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool done = fsync(fd) == 0;
    close(fd);
    return done;
}

/* FNV-1a, 64 bits: against accidents, not against malice. */
static uint64_t checksum(const uint8_t *bytes, size_t length) {
    uint64_t sum = BYTES_FNV_BEGIN;
    for (size_t i = 0; i < length; i++)
        sum = (sum ^ bytes[i]) * BYTES_FNV_PRIME;
    return sum;
}

/* --- the journal -------------------------------------------------------------------------------------------------- */

static off_t record_at(uint32_t record) { return HEADER_BYTES + (off_t)(record - 1) * RECORD_BYTES; }
static off_t block_at(uint32_t block) { return (off_t)block * DISK_BLOCK_BYTES; }

static void make_header(const struct disk_file *f, uint8_t header[HEADER_BYTES]) {
    memcpy(header, JOURNAL_NAME, sizeof JOURNAL_NAME - 1);
    bytes_put32(header + sizeof JOURNAL_NAME - 1, JOURNAL_VERSION);
    bytes_put32(header + HEADER_BLOCKS, f->blocks);
    bytes_put64(header + HEADER_CHECKSUM, checksum(header, HEADER_CHECKSUM));
}

/* Writes a header where there is none, which is safe on the host's disk before any record is. */
static bool begin_journal(struct disk_file *f, struct error *e) {
    uint8_t header[HEADER_BYTES];
    make_header(f, header);
    if (ftruncate(f->journal, 0) == 0 && write_at(f->journal, header, sizeof header, 0) && fsync(f->journal) == 0 &&
        sync_folder_of(f->journal_path))
        return true;
    return error_set(e, ERROR_INPUT, "%s: cannot be written: %s", f->journal_path, strerror(errno));
}

/* A block number in a record, or -1: the record does not count. */
static int64_t check_record(const struct disk_file *f, const uint8_t record[RECORD_BYTES]) {
    uint32_t block = bytes_get32(record + RECORD_BLOCK);
    bool counts = bytes_get64(record) == f->next && block < f->blocks &&
                  bytes_get64(record + RECORD_CHECKSUM) == checksum(record, RECORD_CHECKSUM);
    return counts ? (int64_t)block : -1;
}

/* Finds the records that count, and cuts off what does not: one that was being written when the process ended. */
static bool scan_journal(struct disk_file *f, off_t length, struct error *e) {
    uint8_t record[RECORD_BYTES];
    while (f->records < UINT32_MAX && read_at(f->journal, record, sizeof record, record_at(f->records + 1))) {
        if (f->records == 0)
            f->next = bytes_get64(record);
        int64_t block = check_record(f, record);
        if (block < 0)
            break;
        f->record[block] = ++f->records;
        f->next++;
    }
    off_t end = record_at(f->records + 1);
    if (!f->writable || length == end || (ftruncate(f->journal, end) == 0 && fsync(f->journal) == 0))
        return true;
    return error_set(e, ERROR_INPUT, "%s: cannot be written: %s", f->journal_path, strerror(errno));
}

static bool open_journal(struct disk_file *f, struct error *e) {
    uint8_t header[HEADER_BYTES], ours[HEADER_BYTES];
    struct stat s;
    f->journal = open(f->journal_path, (f->writable ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC, 0666);
    if (f->journal < 0 && errno == ENOENT)
        return true;
    if (f->journal < 0 || fstat(f->journal, &s) != 0)
        return error_set(e, ERROR_INPUT, "%s: %s", f->journal_path, strerror(errno));
    if (!S_ISREG(s.st_mode))
        return error_set(e, ERROR_INPUT, "%s: is not a regular file", f->journal_path);
    make_header(f, ours);
    bool whole = read_at(f->journal, header, sizeof header, 0);
    if (whole && memcmp(header, ours, sizeof header) == 0)
        return scan_journal(f, s.st_size, e);
    if (s.st_size > HEADER_BYTES || (whole && memcmp(header, ours, HEADER_BLOCKS) == 0))
        return error_set(e, ERROR_INPUT, "%s: is damaged, or does not belong to a disk of %u blocks", f->journal_path,
                         f->blocks);
    return !f->writable || begin_journal(f, e); /* its making was interrupted: it never had a record */
}

/* Moves what the journal has into the file, and empties it. Where that fails nothing is lost: it is tried again when
 * the journal has grown by as much again. */
static bool checkpoint(struct disk_file *f) {
    uint8_t data[DISK_BLOCK_BYTES];
    f->unmoved = f->records + CHECKPOINT_RECORDS;
    if (fsync(f->journal) != 0)
        return false;
    for (uint32_t block = 0; block < f->blocks; block++) {
        if (f->record[block] && (!read_at(f->journal, data, sizeof data, record_at(f->record[block]) + RECORD_DATA) ||
                                 !write_at(f->file, data, sizeof data, block_at(block))))
            return false;
    }
    if (fsync(f->file) != 0 || ftruncate(f->journal, HEADER_BYTES) != 0)
        return false;
    memset(f->record, 0, f->blocks * sizeof f->record[0]);
    f->records = 0;
    f->unmoved = CHECKPOINT_RECORDS;
    return fsync(f->journal) == 0;
}

/* --- the backing -------------------------------------------------------------------------------------------------- */

static bool file_read(void *self, uint32_t block, uint8_t to[DISK_BLOCK_BYTES]) {
    const struct disk_file *f = self;
    uint32_t record = f->record[block];
    return record ? read_at(f->journal, to, DISK_BLOCK_BYTES, record_at(record) + RECORD_DATA)
                  : read_at(f->file, to, DISK_BLOCK_BYTES, block_at(block));
}

static bool file_write(void *self, uint32_t block, const uint8_t from[DISK_BLOCK_BYTES]) {
    struct disk_file *f = self;
    uint8_t record[RECORD_BYTES] = {0};
    if (!f->writable || f->records == UINT32_MAX)
        return false;
    bytes_put64(record, f->next);
    bytes_put32(record + RECORD_BLOCK, block);
    memcpy(record + RECORD_DATA, from, DISK_BLOCK_BYTES);
    bytes_put64(record + RECORD_CHECKSUM, checksum(record, RECORD_CHECKSUM));
    if (!write_at(f->journal, record, sizeof record, record_at(f->records + 1)))
        return false; /* what there is of it does not count, and the next one is put over it */
    f->record[block] = ++f->records;
    f->next++;
    if (f->records >= f->unmoved)
        checkpoint(f);
    return true;
}

static bool file_sync(void *self) {
    const struct disk_file *f = self;
    return !f->sync || !f->writable || fdatasync(f->journal) == 0;
}

static void file_free(void *self) {
    struct disk_file *f = self;
    if (f->writable && f->journal >= 0 && f->record && (f->records == 0 || checkpoint(f)))
        unlink(f->journal_path);
    if (f->journal >= 0)
        close(f->journal);
    if (f->file >= 0)
        close(f->file);
    free(f->record);
    free(f);
}

static bool open_file(struct disk_file *f, const char *path, struct error *e) {
    struct stat s;
    f->file = open(path, (f->writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
    if (f->file < 0 || fstat(f->file, &s) != 0)
        return error_set(e, ERROR_INPUT, "%s: %s", path, strerror(errno));
    if (!S_ISREG(s.st_mode))
        return error_set(e, ERROR_INPUT, "%s: is not a regular file", path);
    if (s.st_size == 0 || s.st_size % DISK_BLOCK_BYTES != 0 || s.st_size / DISK_BLOCK_BYTES > DISK_BLOCKS_MOST)
        return error_set(e, ERROR_INPUT, "%s: %lld bytes are not 1 to %d blocks of %d bytes", path,
                         (long long)s.st_size, DISK_BLOCKS_MOST, DISK_BLOCK_BYTES);
    if (flock(f->file, (f->writable ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0)
        return error_set(e, ERROR_INPUT, "%s: %s", path,
                         errno == EWOULDBLOCK ? "is in use by another disk" : strerror(errno));
    f->blocks = (uint32_t)(s.st_size / DISK_BLOCK_BYTES);
    return true;
}

/* The journal is beside the file itself, whatever links lead to it. */
static bool name_journal(struct disk_file *f, const char *path, struct error *e) {
    char *real = realpath(path, NULL);
    int length = real ? snprintf(f->journal_path, sizeof f->journal_path, "%s.journal", real) : 0;
    int reason = real ? ENAMETOOLONG : errno;
    free(real);
    if (length > 0 && length < (int)sizeof f->journal_path)
        return true;
    return error_set(e, ERROR_INPUT, "%s: %s", path, strerror(reason));
}

bool disk_backing_file(struct disk_backing *to, const char *path, unsigned options, struct error *e) {
    struct disk_file *f = calloc(1, sizeof *f);
    if (!f)
        return error_set(e, ERROR_INTERNAL, "no memory for a disk");
    f->file = f->journal = -1;
    f->writable = options & DISK_WRITABLE;
    f->sync = options & DISK_SYNC;
    f->next = 1;
    f->unmoved = CHECKPOINT_RECORDS;
    if (!open_file(f, path, e) || !name_journal(f, path, e))
        goto failed;
    if (!(f->record = calloc(f->blocks, sizeof f->record[0]))) {
        error_set(e, ERROR_INTERNAL, "no memory for a disk of %u blocks", f->blocks);
        goto failed;
    }
    if (!open_journal(f, e))
        goto failed;
    *to = (struct disk_backing){.blocks = f->blocks,
                                .protected = !f->writable,
                                .read = file_read,
                                .write = file_write,
                                .sync = file_sync,
                                .free = file_free,
                                .self = f};
    return true;
failed:
    f->writable = false; /* nothing is to be moved */
    file_free(f);
    return false;
}

bool disk_file_new(const char *path, uint32_t blocks, struct error *e) {
    if (blocks == 0 || blocks > DISK_BLOCKS_MOST)
        return error_set(e, ERROR_INPUT, "a disk has 1 to %d blocks, not %u", DISK_BLOCKS_MOST, blocks);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0)
        return error_set(e, ERROR_INPUT, "%s: %s", path, strerror(errno));
    bool made = ftruncate(file, block_at(blocks)) == 0;
    int reason = errno;
    if (close(file) == 0 && made)
        return true;
    unlink(path);
    return error_set(e, ERROR_INPUT, "%s: %s", path, strerror(reason));
}
