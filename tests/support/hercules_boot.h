/* Hercules as a machine with a console: boots one image, types for it, and tells what it wrote.
 *
 * Apart from hercules.h, whose processes run thousands of short cases: here one process runs one program that does I/O
 * and takes its time. S/370 mode, 2 MB, a 3215-C at 009 and a 3370 at 150. Its files are left in the present folder. */
#ifndef TESTS_SUPPORT_HERCULES_BOOT_H
#define TESTS_SUPPORT_HERCULES_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct hercules_boot {
    const void *image; /* loaded at 0, and started by restart; NULL: it is loaded from the disk */
    size_t length;
    const void *disk; /* what is on the 3370; NULL: there is none */
    size_t disk_length;
    /* Lines for the console, one each time that the program asks for one; then it must say something within two
     * seconds. */
    const char *const *typed;
    size_t typed_count;
};

/* Runs it until the CPU is in a disabled wait; *psw is that. Appends to *lines what the program wrote, each line ended
 * by \n, without lines that begin with a blank (Hercules' own messages look like that). False when it did not get there
 * in a minute: *lines is Hercules' log then. */
bool hercules_boot(const struct hercules_boot *b, struct bytes *lines, uint64_t *psw);

#endif
