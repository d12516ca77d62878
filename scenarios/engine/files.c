/* Files: the only way of a scenario to the host's files. It may read regular files in and below its own folder, and
 * those of the library; only disks that it keeps, and page files, are
 * written, in and below its folder. Links are followed first, and
 * count by where they end. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "scenarios/engine/engine_internal.h"

/* Whether `path`, which exists, is the folder, or in or below it. */
static bool lies_below(const char *path, const char *folder) {
    char real[PATH_MAX], root[PATH_MAX];
    if (!realpath(path, real) || !realpath(*folder ? folder : ".", root)) {
        return false;
    }
    size_t length = strlen(root);
    return !strncmp(real, root, length) && (real[length] == '/' || !real[length] || (length == 1 && *root == '/'));
}

static bool is_regular(const char *path) {
    struct stat status;
    return !stat(path, &status) && S_ISREG(status.st_mode);
}

static bool is_folder(const char *path) {
    struct stat status;
    return !stat(path, &status) && S_ISDIR(status.st_mode);
}

static bool may_read(const struct engine *engine, const char *path) {
    return lies_below(path, engine->folder ? engine->folder : "") ||
           (engine->options.library && lies_below(path, engine->options.library));
}

bool files_find(const struct engine *engine, const char *path, char *to, size_t size, struct error *e) {
    const char *folders[] = {engine->folder ? engine->folder : "", engine->options.library};
    if (*path == '/') {
        return error_set(e, ERROR_INPUT, "%.200s: a scenario reads files beside it, by relative paths", path);
    }
    bool folder = false;
    for (int i = 0; i < 2 && folders[i]; i++) {
        const char *slash = i && *folders[i] ? "/" : "";
        if ((size_t)snprintf(to, size, "%s%s%s", folders[i], slash, path) >= size || !is_regular(to)) {
            folder = folder || is_folder(to);
            continue;
        }
        if (!may_read(engine, to)) {
            return error_set(e, ERROR_INPUT, "%.200s lies outside of the scenario's folder", path);
        }
        return true;
    }
    return error_set(e, ERROR_INPUT, "%.200s: %s", path,
                     folder ? "it is a folder, not a file" : "there is no such file beside the scenario");
}

bool files_own(const struct engine *engine, const char *path, char *to, size_t size, bool *exists, struct error *e) {
    const char *folder = engine->folder ? engine->folder : "";
    if (*path == '/') {
        return error_set(e, ERROR_INPUT, "%.200s: a scenario's files are beside it, named by relative paths", path);
    }
    if ((size_t)snprintf(to, size, "%s%s", folder, path) >= size) {
        return error_set(e, ERROR_INPUT, "%.200s: the path is too long", path);
    }
    struct stat status;
    *exists = !lstat(to, &status);
    char parent[PATH_MAX];
    const char *slash = strrchr(to, '/');
    snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - to) + 1 : 1, slash ? to : ".");
    if (!lies_below(*exists ? to : parent, folder)) {
        return error_set(e, ERROR_INPUT, "%.200s lies outside of the scenario's folder, or in none that there is",
                         path);
    }
    return true;
}

bool files_read(const struct engine *engine, const char *path, size_t most, struct bytes *to, struct error *e) {
    if (!is_regular(path)) {
        return error_set(e, ERROR_INPUT, "%.200s: there is no such file", path);
    }
    if (!may_read(engine, path)) {
        return error_set(e, ERROR_INPUT, "%.200s lies outside of the scenario's folder", path);
    }
    return bytes_read_file(to, path, most, e);
}
