#include "base/archive.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

enum {
    CHECKSUM_AT = 20,
    HEADER_BYTES = 28,
    LEVEL = 1, /* the fastest: a state is mostly zeros, and somebody waits for it */
};
static const uint64_t contents_most = (uint64_t)1 << 30;

struct archive archive_saving(struct bytes *to, struct error *e) {
    return (struct archive){.to = to, .error = e};
}

struct archive archive_loading(const uint8_t *from, size_t length, struct error *e) {
    return (struct archive){.loading = true, .from = from, .end = from + length, .error = e};
}

bool archive_fail(struct archive *a, const char *format, ...) {
    char text[300];
    va_list arguments;
    if (a->failed)
        return false;
    a->failed = true;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return error_set(a->error, ERROR_INPUT, "%s", text);
}

bool archive_finish(struct archive *a) {
    if (!a->failed && a->loading && a->from != a->end)
        archive_fail(a, "there are %zu bytes more than the state has", (size_t)(a->end - a->from));
    if (!a->failed && !a->loading && a->to->failed) {
        a->failed = true;
        error_set(a->error, ERROR_INTERNAL, "no memory to save the state");
    }
    return !a->failed;
}

/* The next `length` bytes of what is loaded; NULL: they are not there. */
static const uint8_t *take(struct archive *a, size_t length) {
    if (a->failed)
        return NULL;
    if ((size_t)(a->end - a->from) < length) {
        archive_fail(a, "it ends too early");
        return NULL;
    }
    const uint8_t *from = a->from;
    a->from += length;
    return from;
}

void archive_bytes(struct archive *a, void *bytes, size_t length) {
    if (!a->loading) {
        bytes_append(a->to, bytes, length);
        return;
    }
    const uint8_t *from = take(a, length);
    if (from)
        memcpy(bytes, from, length);
}

void archive_u8(struct archive *a, uint8_t *value) { archive_bytes(a, value, 1); }

void archive_u16(struct archive *a, uint16_t *value) {
    uint8_t raw[2];
    bytes_put16(raw, *value);
    archive_bytes(a, raw, sizeof raw);
    *value = bytes_get16(raw);
}

void archive_u32(struct archive *a, uint32_t *value) {
    uint8_t raw[4];
    bytes_put32(raw, *value);
    archive_bytes(a, raw, sizeof raw);
    *value = bytes_get32(raw);
}

void archive_u64(struct archive *a, uint64_t *value) {
    uint8_t raw[8];
    bytes_put64(raw, *value);
    archive_bytes(a, raw, sizeof raw);
    *value = bytes_get64(raw);
}

void archive_bool(struct archive *a, bool *value) {
    unsigned one = *value;
    archive_unsigned(a, &one, 1, "a truth value");
    *value = one;
}

void archive_unsigned(struct archive *a, unsigned *value, unsigned most, const char *what) {
    uint32_t raw = *value;
    archive_u32(a, &raw);
    if (a->loading && raw > most)
        archive_fail(a, "%s is %u, of at most %u", what, raw, most);
    if (!a->failed)
        *value = raw;
}

void archive_size(struct archive *a, size_t *value, size_t most, const char *what) {
    uint64_t raw = *value;
    archive_u64(a, &raw);
    if (a->loading && raw > most)
        archive_fail(a, "%s is %llu, of at most %zu", what, (unsigned long long)raw, most);
    if (!a->failed)
        *value = (size_t)raw;
}

void archive_u32s(struct archive *a, uint32_t *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        archive_u32(a, &values[i]);
}

void archive_u64s(struct archive *a, uint64_t *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        archive_u64(a, &values[i]);
}

void archive_buffer(struct archive *a, struct bytes *buffer, size_t most, const char *what) {
    size_t length = buffer->length;
    archive_size(a, &length, most, what);
    if (!a->loading) {
        if (length)
            archive_bytes(a, buffer->data, length);
        return;
    }
    const uint8_t *from = take(a, length);
    if (!from)
        return;
    buffer->length = 0;
    bytes_append(buffer, from, length);
    if (buffer->failed) {
        buffer->failed = false;
        archive_fail(a, "no memory for %s", what);
    }
}

static void add_shape(struct archive *a, uint64_t value) { a->shape = (a->shape ^ value) * BYTES_FNV_PRIME; }

void archive_same(struct archive *a, uint64_t value, const char *what) {
    uint64_t other = value;
    add_shape(a, value);
    archive_u64(a, &other);
    if (other != value)
        archive_fail(a, "%s is %llu there and %llu here", what, (unsigned long long)other, (unsigned long long)value);
}

void archive_same_text(struct archive *a, const char *value, const char *what) {
    struct bytes other = {0};
    size_t length = strlen(value);
    for (size_t i = 0; i < length; i++)
        add_shape(a, (uint8_t)value[i]);
    bytes_append(&other, value, length);
    archive_buffer(a, &other, 255, what);
    if (!a->failed && (other.length != length || memcmp(other.data, value, length) != 0)) {
        for (size_t i = 0; i < other.length; i++)
            if (other.data[i] < 0x20 || other.data[i] > 0x7E)
                other.data[i] = '?'; /* it goes to a terminal */
        archive_fail(a, "%s is %.*s there and %s here", what, (int)other.length, (const char *)other.data, value);
    }
    bytes_fini(&other);
}

/* ---- Files ---- */

const char *archive_compressor(void) { return ZSTD_versionString(); }

/* Of all of a file but the place where it stands: FNV-1a, by eight bytes at a time, each step reversible, so that any
 * single change is seen. Against accidents, not against malice. */
static uint64_t checksum(const uint8_t *file, size_t length) {
    uint64_t sum = BYTES_FNV_BEGIN ^ length;
    for (size_t at = 0; at < length; at += 8) {
        uint8_t word[8] = {0};
        memcpy(word, file + at, length - at < 8 ? length - at : 8);
        for (size_t i = 0; at + i < HEADER_BYTES && i < 8; i++)
            if (at + i >= CHECKSUM_AT)
                word[i] = 0;
        sum = (sum ^ bytes_get64(word)) * BYTES_FNV_PRIME;
        sum = sum << 29 | sum >> 35;
    }
    return sum;
}

bool archive_write_file(const char *path, const struct archive_kind *kind, const struct bytes *contents,
                        struct error *e) {
    if (contents->length > contents_most)
        return error_set(e, ERROR_INPUT, "%s: a %s of %zu bytes is too long; the most is %llu", path, kind->name,
                         contents->length, (unsigned long long)contents_most);
    size_t room = ZSTD_compressBound(contents->length);
    uint8_t *file = malloc(HEADER_BYTES + room);
    ZSTD_CCtx *context = ZSTD_createCCtx();
    size_t length = 0;
    bool ok = file && context;
    if (ok) {
        memcpy(file, kind->magic, 8);
        bytes_put32(file + 8, kind->version);
        bytes_put64(file + 12, contents->length);
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, LEVEL);
        length = ZSTD_compress2(context, file + HEADER_BYTES, room, contents->data, contents->length);
        ok = !ZSTD_isError(length);
        if (ok)
            bytes_put64(file + CHECKSUM_AT, checksum(file, HEADER_BYTES + length));
    }
    if (!ok)
        error_set(e, ERROR_INTERNAL, "%s: no memory for a %s of %zu bytes", path, kind->name, contents->length);
    ok = ok && bytes_write_file(path, file, HEADER_BYTES + length, e);
    ZSTD_freeCCtx(context);
    free(file);
    return ok;
}

/* Why the file cannot be one of ours; NULL: it can. */
static const char *refused(const struct bytes *file, const struct archive_kind *kind) {
    if (file->length < HEADER_BYTES || memcmp(file->data, kind->magic, 8) != 0)
        return "it does not begin like one";
    if (bytes_get32(file->data + 8) != kind->version)
        return "it is of another version";
    if (bytes_get64(file->data + CHECKSUM_AT) != checksum(file->data, file->length))
        return "it is truncated or damaged";
    const uint8_t *frame = file->data + HEADER_BYTES;
    size_t rest = file->length - HEADER_BYTES;
    if (bytes_get64(file->data + 12) > contents_most ||
        ZSTD_getFrameContentSize(frame, rest) != bytes_get64(file->data + 12) ||
        ZSTD_findFrameCompressedSize(frame, rest) != rest)
        return "its length is wrong";
    return NULL;
}

bool archive_read_file(const char *path, const struct archive_kind *kind, struct bytes *to, struct error *e) {
    struct bytes file = {0};
    if (!bytes_read_file(&file, path, contents_most, e))
        return false;
    const char *why = refused(&file, kind);
    uint8_t *contents = NULL;
    if (!why) {
        size_t length = bytes_get64(file.data + 12);
        contents = malloc(length + 1);
        size_t read =
            contents ? ZSTD_decompress(contents, length, file.data + HEADER_BYTES, file.length - HEADER_BYTES) : 0;
        if (!contents)
            why = "there is no memory for it";
        else if (ZSTD_isError(read) || read != length)
            why = "it is truncated or damaged";
        else
            bytes_append(to, contents, length);
        if (!why && to->failed)
            why = "there is no memory for it";
    }
    free(contents);
    bytes_fini(&file);
    return !why || error_set(e, ERROR_INPUT, "%s is not a %s of this program: %s", path, kind->name, why);
}
