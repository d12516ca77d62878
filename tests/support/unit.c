/* Helpers of all tests. */
#include "tests/support/unit.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int unit_enter_folder(void **state) {
    char *folder = strdup("/tmp/cloud370-test-XXXXXX");
    *state = folder;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int open_up(const char *path, const struct stat *s, int type, struct FTW *at) {
    (void)at;
    (void)s;
    return type == FTW_D || type == FTW_DNR ? chmod(path, 0700) : 0;
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *at) {
    (void)s;
    (void)type;
    (void)at;
    return remove(path);
}

int unit_leave_folder(void **state) {
    char *folder = *state;
    int status = chdir("/");
    status |= nftw(folder, open_up, 16, FTW_PHYS);
    status |= nftw(folder, remove_one, 16, FTW_PHYS | FTW_DEPTH);
    free(folder);
    return status;
}

int unit_count_files(const char *folder) {
    int count = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *entry; (entry = readdir(d));) {
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    closedir(d);
    return count;
}

void unit_as_nobody(void) {
    if (geteuid() == 0) {
        assert_int_equal(seteuid(65534), 0);
    }
}

void unit_root_again(void) {
    if (getuid() == 0) {
        assert_int_equal(seteuid(0), 0);
    }
}
