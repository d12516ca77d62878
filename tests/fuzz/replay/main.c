/* Replay: the main function of a fuzz target where libFuzzer is not at hand.
 *
 * Runs the target once on nothing, and once on every file of the folders (or files) named on the command line, in the
 * order of their names; so each seed, and each input that once failed, is a test in every build. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static bool replay_file(const char *path) {
    struct error e = ERROR_CLEAR;
    struct bytes input = {0};
    if (!bytes_read_file(&input, path, 1 << 24, &e)) {
        fprintf(stderr, "%s\n", e.text);
        return false;
    }
    fprintf(stderr, "%s\n", path); /* before the run, so that a crash has a name */
    LLVMFuzzerTestOneInput(input.data, input.length);
    bytes_fini(&input);
    return true;
}

static bool replay(const char *path) {
    struct stat s;
    if (stat(path, &s) != 0) {
        return true; /* no seeds yet */
    }
    if (!S_ISDIR(s.st_mode)) {
        return replay_file(path);
    }
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    bool all = count >= 0;
    for (int i = 0; i < count; i++) {
        char name[4096];
        if (entries[i]->d_name[0] != '.') {
            snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
            all = replay(name) && all;
        }
        free(entries[i]);
    }
    if (count >= 0) {
        free(entries);
    }
    return all;
}

int main(int argc, char **argv) {
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    bool all = true;
    for (int i = 1; i < argc; i++) {
        all = replay(argv[i]) && all;
    }
    return all ? 0 : 1;
}
