/* Assembler sources as test cases: assemble, compare bytes and diagnostics. Sources are called t.s. */
#ifndef TESTS_SUPPORT_ASSEMBLY_H
#define TESTS_SUPPORT_ASSEMBLY_H

#include "isa/assembler.h"

/* Like assert_string_equal, but says which line differs: the texts are long. */
void check_text(const char *got, const char *expected);
void check_diagnostics(const struct assembly *a, const char *expected);
/* The source assembles without a word to these bytes, in hexadecimal (blanks in it are ignored), at the origin. */
void check_bytes_at(const char *source, uint32_t origin, const char *hex);
void check_bytes(const char *source, const char *hex); /* at 0 */
/* Both sources assemble without a word to the same bytes. */
void check_same(const char *source, const char *plain);
/* The source makes these diagnostics, and no image when one of them is an error. */
void check_errors(const char *source, const char *expected);

#endif
