/* What every test includes: cmocka with all that its header needs, and a folder of one's own. */
#ifndef TESTS_SUPPORT_UNIT_H
#define TESTS_SUPPORT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* After the others, which it stands on. */
#include <cmocka.h>

/* Setup and teardown for tests that write files: makes a new folder and goes there, *state is its path; afterwards
 * leaves it and removes it with what is in it. */
int unit_enter_folder(void **state);
int unit_leave_folder(void **state);
/* A test that runs in such a folder. */
#define unit_test_in_folder(test) cmocka_unit_test_setup_teardown(test, unit_enter_folder, unit_leave_folder)
/* How many files and folders are in a folder, hidden ones too. */
int unit_count_files(const char *folder);

/* Gives up root until unit_root_again, because nothing is unwritable for root. */
void unit_as_nobody(void);
void unit_root_again(void);

#endif
