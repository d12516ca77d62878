/* Bytes: growing buffers, hexadecimal text, and files that are whole or not there.
 *
 * Invariant of a buffer that has data: length < capacity, and data[length] is NUL, so it can be read as text at any
 * time. A file being written lives under a temporary name in its own folder (rename(2) does not cross file systems)
 * until bytes_writer_close. */
#include "base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- buffers ------------------------------------------------------------------------------------------------------ */

/* Makes room for `more` bytes and the NUL; false, and *b has failed, when there is none. */
static bool reserve(struct bytes *b, size_t more) {
    if (b->failed || more >= SIZE_MAX / 2 - b->length) {
        b->failed = true;
        return false;
    }
    size_t needed = b->length + more + 1;
    if (needed <= b->capacity) {
        return true;
    }
    size_t capacity = b->capacity ? b->capacity : 64;
    while (capacity < needed) {
        capacity *= 2;
    }
    uint8_t *data = realloc(b->data, capacity);
    if (!data) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->capacity = capacity;
    return true;
}

void bytes_append(struct bytes *b, const void *from, size_t length) {
    if (!reserve(b, length)) {
        return;
    }
    if (length) {
        memcpy(b->data + b->length, from, length);
    }
    b->length += length;
    b->data[b->length] = '\0';
}

void bytes_printf(struct bytes *b, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        b->failed = true;
    }
    if (length < 0 || !reserve(b, (size_t)length)) {
        return;
    }
    va_start(arguments, format);
    vsnprintf((char *)b->data + b->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    b->length += (size_t)length;
}

void bytes_fini(struct bytes *b) {
    free(b->data);
    *b = (struct bytes){0};
}

/* --- hexadecimal text --------------------------------------------------------------------------------------------- */

void bytes_to_hex(char *to, const uint8_t *from, size_t length) {
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < length; i++) {
        *to++ = digits[from[i] >> 4];
        *to++ = digits[from[i] & 15];
    }
    *to = '\0';
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return -1;
}

bool bytes_from_hex(struct bytes *to, const char *text) {
    size_t digits = 0;
    while (hex_digit(text[digits]) >= 0) {
        digits++;
    }
    if (digits == 0 || digits % 2 || text[digits] || !reserve(to, digits / 2)) {
        return false;
    }
    for (size_t i = 0; i < digits; i += 2) {
        to->data[to->length++] = (uint8_t)(hex_digit(text[i]) << 4 | hex_digit(text[i + 1]));
    }
    to->data[to->length] = '\0';
    return true;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static bool file_error(struct error *e, const char *verb, const char *path, int reason) {
    return error_set(e, reason == ENOMEM ? ERROR_INTERNAL : ERROR_INPUT, "cannot %s %s: %s", verb, path,
                     strerror(reason));
}

/* Reads until the end of the file or one byte more than `most`. Returns 0 or an errno. */
static int read_all(struct bytes *to, int fd, size_t most) {
    size_t start = to->length;
    while (to->length - start <= most) {
        size_t left = most - (to->length - start);
        size_t wanted = left < 65536 ? left + 1 : 65536;
        if (!reserve(to, wanted)) {
            return ENOMEM;
        }
        ssize_t got = read(fd, to->data + to->length, wanted);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return errno;
        }
        if (got == 0) {
            break;
        }
        to->length += (size_t)got;
    }
    return 0;
}

bool bytes_read_file(struct bytes *to, const char *path, size_t most, struct error *e) {
    if (to->failed) {
        return file_error(e, "read", path, ENOMEM);
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return file_error(e, "read", path, errno);
    }
    size_t start = to->length;
    int trouble = read_all(to, fd, most);
    close(fd);
    bool too_long = !trouble && to->length - start > most;
    if (trouble || too_long) {
        to->length = start;
    }
    if (to->data) {
        to->data[to->length] = '\0';
    }
    if (too_long) {
        return error_set(e, ERROR_INPUT, "cannot read %s: it is longer than %zu bytes", path, most);
    }
    return trouble ? file_error(e, "read", path, trouble) : true;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

struct bytes_writer {
    char *path;      /* as the caller named it, for messages */
    char *target;    /* where it goes, symbolic links resolved; NULL: written directly */
    char *temporary; /* where it is meanwhile; NULL: written directly */
    int fd;
    int trouble;          /* the first errno, or 0 */
    struct bytes pending; /* not written yet */
};

enum { WRITER_PENDING_BYTES = 65536 };

static void writer_free(struct bytes_writer *w) {
    if (w->fd >= 0) {
        close(w->fd);
    }
    free(w->path);
    free(w->target);
    free(w->temporary);
    bytes_fini(&w->pending);
    free(w);
}

/* True when path is to be written in place: a device, a pipe, or a name in /dev that stands for an open file (replacing
 * the file behind /dev/stdout would take it away from whoever reads it). */
static bool written_directly(const char *path, const struct stat *old) {
    return !S_ISREG(old->st_mode) || strncmp(path, "/dev/", 5) == 0;
}

/* Makes a new file beside w->target, with a name that no other process and no other writer of this one has. Returns 0
 * or an errno. */
static int open_temporary(struct bytes_writer *w) {
    const char *slash = strrchr(w->target, '/');
    int folder = slash ? (int)(slash + 1 - w->target) : 0;
    for (unsigned attempt = 0; attempt < 10000; attempt++) {
        free(w->temporary);
        if (asprintf(&w->temporary, "%.*s.cloud370-%ld-%u", folder, w->target, (long)getpid(), attempt) < 0) {
            w->temporary = NULL;
            return ENOMEM;
        }
        w->fd = open(w->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (w->fd >= 0 || errno != EEXIST) {
            return w->fd >= 0 ? 0 : errno;
        }
    }
    return EEXIST;
}

/* Decides where the file goes and opens it. Returns 0 or an errno. */
static int writer_begin(struct bytes_writer *w) {
    struct stat old;
    bool exists = stat(w->path, &old) == 0;
    if (!exists && errno != ENOENT) {
        return errno;
    }
    if (exists && S_ISDIR(old.st_mode)) {
        return EISDIR;
    }
    if (exists && written_directly(w->path, &old)) {
        w->fd = open(w->path, O_WRONLY | O_APPEND | O_CLOEXEC);
        return w->fd >= 0 ? 0 : errno;
    }
    /* rename(2) would replace a file that its owner has made read-only. */
    if (exists && faccessat(AT_FDCWD, w->path, W_OK, AT_EACCESS) != 0) {
        return errno;
    }
    w->target = exists ? realpath(w->path, NULL) : strdup(w->path);
    if (!w->target) {
        return errno;
    }
    int trouble = open_temporary(w);
    if (!trouble && exists && fchmod(w->fd, old.st_mode & 07777) != 0) {
        trouble = errno;
        unlink(w->temporary);
    }
    return trouble;
}

struct bytes_writer *bytes_writer_open(const char *path, struct error *e) {
    struct bytes_writer *w = calloc(1, sizeof *w);
    if (!w) {
        file_error(e, "write", path, ENOMEM);
        return NULL;
    }
    w->fd = -1;
    w->path = strdup(path);
    int trouble = w->path ? writer_begin(w) : ENOMEM;
    if (trouble) {
        file_error(e, "write", path, trouble);
        writer_free(w);
        return NULL;
    }
    return w;
}

static void write_all(struct bytes_writer *w, const uint8_t *from, size_t length) {
    while (length && !w->trouble) {
        ssize_t done = write(w->fd, from, length);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0) {
            w->trouble = errno;
            return;
        }
        from += done;
        length -= (size_t)done;
    }
}

static void write_pending(struct bytes_writer *w) {
    write_all(w, w->pending.data, w->pending.length);
    w->pending.length = 0;
}

void bytes_writer_append(struct bytes_writer *w, const void *from, size_t length) {
    if (w->pending.length + length > WRITER_PENDING_BYTES) {
        write_pending(w);
    }
    if (length > WRITER_PENDING_BYTES) {
        write_all(w, from, length);
        return;
    }
    bytes_append(&w->pending, from, length);
    if (w->pending.failed && !w->trouble) {
        w->trouble = ENOMEM;
    }
}

bool bytes_writer_close(struct bytes_writer *w, struct error *e) {
    write_pending(w);
    if (close(w->fd) != 0 && !w->trouble) {
        w->trouble = errno;
    }
    w->fd = -1;
    if (w->temporary && !w->trouble && rename(w->temporary, w->target) != 0) {
        w->trouble = errno;
    }
    if (w->temporary && w->trouble) {
        unlink(w->temporary);
    }
    bool written = !w->trouble || file_error(e, "write", w->path, w->trouble);
    writer_free(w);
    return written;
}

void bytes_writer_discard(struct bytes_writer *w) {
    if (w->temporary) {
        unlink(w->temporary);
    }
    writer_free(w);
}

bool bytes_write_file(const char *path, const void *data, size_t length, struct error *e) {
    struct bytes_writer *w = bytes_writer_open(path, e);
    if (!w) {
        return false;
    }
    bytes_writer_append(w, data, length);
    return bytes_writer_close(w, e);
}
