/* Archive: one description of a state, by which it is both saved and restored.
 *
 * A function that archives a struct calls, for each of its values in turn, a function of this header. With an archive
 * that saves, the values are appended; with one that loads, they are read back in the same order. So the two cannot
 * drift apart. Everything is big-endian and of a fixed width.
 *
 * What is loaded may be damaged or forged: each value is checked, the first trouble is kept in *error, and from then on
 * no value is changed any more and every call returns at once. Check archive_finish at the end, and rely on nothing
 * that was loaded before it was true. */
#ifndef BASE_ARCHIVE_H
#define BASE_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

struct archive {
    bool loading;
    bool brief; /* for use by this process alone: what is kept otherwise (storage, blocks of disks) is left out */
    bool still; /* nothing runs between saving and loading, or it is not loaded at all: what only the process itself can
                 * keep (stacks of monitors at work) is left as it is, and does not prevent saving */
    bool failed;
    uint64_t shape; /* saving: a hash of all that archive_same was told, to tell whether a state can be loaded later */
    struct bytes *to; /* saving: appended to; borrowed */
    const uint8_t *from, *end;
    struct error *error; /* of the first trouble; borrowed */
};

struct archive archive_saving(struct bytes *to, struct error *e);
struct archive archive_loading(const uint8_t *from, size_t length, struct error *e);
/* False, and *e set, when anything was wrong, or when there is more than was loaded. */
bool archive_finish(struct archive *a);
/* The first trouble counts: "the snapshot is damaged: ..." when loading. Always returns false. */
bool archive_fail(struct archive *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

void archive_u8(struct archive *a, uint8_t *value);
void archive_u16(struct archive *a, uint16_t *value);
void archive_u32(struct archive *a, uint32_t *value);
void archive_u64(struct archive *a, uint64_t *value);
void archive_bool(struct archive *a, bool *value);
/* 32 bits; a loaded value above `most` is trouble with `what`. */
void archive_unsigned(struct archive *a, unsigned *value, unsigned most, const char *what);
/* The same for a size, 64 bits. */
void archive_size(struct archive *a, size_t *value, size_t most, const char *what);
/* An enumeration: archive_unsigned, whatever type the compiler gives it. */
#define ARCHIVE_ENUM(a, value, most, what)                                                                             \
    do {                                                                                                               \
        unsigned archived_ = (unsigned)*(value);                                                                       \
        archive_unsigned((a), &archived_, (unsigned)(most), (what));                                                   \
        memcpy((value), &archived_, sizeof *(value));                                                                  \
        _Static_assert(sizeof *(value) == sizeof archived_, "enumerations are as wide as unsigned here");              \
    } while (0)
/* `length` bytes, as they are. */
void archive_bytes(struct archive *a, void *bytes, size_t length);
void archive_u32s(struct archive *a, uint32_t *values, size_t count);
void archive_u64s(struct archive *a, uint64_t *values, size_t count);
/* A buffer with its length, of at most `most` bytes; its contents are replaced. */
void archive_buffer(struct archive *a, struct bytes *buffer, size_t most, const char *what);
/* A value that is not restored, since it belongs to what is restored into: a loaded one must be the same. Texts have at
 * most 255 bytes. */
void archive_same(struct archive *a, uint64_t value, const char *what);
void archive_same_text(struct archive *a, const char *value, const char *what);

/* Files: a header (8 bytes that say what it is, 4 bytes of version, 8 bytes: length of the contents, 8 bytes: checksum
 * of the file without these), then the contents compressed by zstd, as one frame. Written beside their place and
 * renamed. A file that is of another kind or version, truncated, longer than it should be, or damaged in any bit is
 * refused, and so are contents of more than 1 GB. */
struct archive_kind {
    char magic[9]; /* 8 characters */
    uint32_t version;
    const char *name; /* for messages: "snapshot" */
};
bool archive_write_file(const char *path, const struct archive_kind *kind, const struct bytes *contents,
                        struct error *e);
const char *archive_compressor(void); /* the version of zstd */
/* Appends the contents to *to; nothing on failure. */
bool archive_read_file(const char *path, const struct archive_kind *kind, struct bytes *to, struct error *e);

#endif
