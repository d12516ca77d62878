/* Bytes: big-endian loads and stores, growing byte buffers, hexadecimal text, and whole files.
 *
 * System/370 is big-endian; every multi-byte value of simulated storage goes through these functions. Files are
 * written beside their place and renamed, so that nothing is ever left half written. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"

/* Fowler, Noll and Vo's hash FNV-1a in 64 bits: each value is XORed, then all is multiplied. */
#define BYTES_FNV_BEGIN UINT64_C(0xCBF29CE484222325)
#define BYTES_FNV_PRIME UINT64_C(0x100000001B3)

static inline uint16_t bytes_get16(const uint8_t *p) {
    uint16_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap16(v);
#endif
    return v;
}

static inline uint32_t bytes_get32(const uint8_t *p) {
    uint32_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    return v;
}

static inline uint64_t bytes_get64(const uint8_t *p) {
    uint64_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static inline uint32_t bytes_get24(const uint8_t *p) { return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2]; }

static inline void bytes_put16(uint8_t *p, uint16_t v) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap16(v);
#endif
    memcpy(p, &v, sizeof v);
}

static inline void bytes_put32(uint8_t *p, uint32_t v) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    memcpy(p, &v, sizeof v);
}

static inline void bytes_put64(uint8_t *p, uint64_t v) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    memcpy(p, &v, sizeof v);
}

static inline void bytes_put24(uint8_t *p, uint32_t v) {
    p[0] = (uint8_t)(v >> 16);
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)v;
}

/* A growing buffer. Zero-initialise it ({0}); bytes_fini frees what it holds and makes it empty again. `failed` is set,
 * and stays set, when memory ran out: check it once, after a series of appends. */
struct bytes {
    uint8_t *data;
    size_t length, capacity;
    bool failed;
};

/* `from` must not point into the buffer itself. A NUL, not counted in length, follows the last byte. */
void bytes_append(struct bytes *b, const void *from, size_t length);
/* printf into the buffer; the terminating NUL is not counted in length but is always there. */
void bytes_printf(struct bytes *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void bytes_fini(struct bytes *b);

/* Hexadecimal text, upper case. `to` must have room for 2 * length + 1 characters. */
void bytes_to_hex(char *to, const uint8_t *from, size_t length);
/* Parses an even number of hexadecimal digits, either case, nothing else (no spaces, no prefix). Appends the bytes to
 * *to. False (and nothing appended) when text is empty, has an odd length or another character, or memory ran out. */
bool bytes_from_hex(struct bytes *to, const char *text);

/* Reads a whole file of at most `most` bytes into *to (appending; nothing on failure). The error names the file and the
 * reason. */
bool bytes_read_file(struct bytes *to, const char *path, size_t most, struct error *e);
/* Writes a whole file by way of a temporary file in the same folder and rename(2); on failure the old file, if any, is
 * untouched and no temporary file is left. The new file has the old one's permissions, and a symbolic link stays one.
 * A path that is not a regular file (a pipe, anything in /dev) is written directly. */
bool bytes_write_file(const char *path, const void *data, size_t length, struct error *e);

/* The same for a file that is too long to be held in memory: what is appended goes to the temporary file. */
struct bytes_writer;
/* NULL and *e when path cannot be written. bytes_writer_close or bytes_writer_discard frees it. */
struct bytes_writer *bytes_writer_open(const char *path, struct error *e);
/* Trouble is kept until bytes_writer_close, which reports it. */
void bytes_writer_append(struct bytes_writer *w, const void *from, size_t length);
/* Gives the file its name; false and *e when something could not be written (then the old file is untouched). */
bool bytes_writer_close(struct bytes_writer *w, struct error *e);
/* Leaves the old file, if any, and nothing else. */
void bytes_writer_discard(struct bytes_writer *w);

#endif
