#include "tests/support/assembly.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"

void check_text(const char *got, const char *expected) {
    size_t i = 0, line = 0;
    while (got[i] && got[i] == expected[i]) {
        line = got[i++] == '\n' ? i : line;
    }
    if (got[i] != expected[i]) {
        fail_msg("\n%.*s\ninstead of\n%.*s", (int)strcspn(got + line, "\n"), got + line,
                 (int)strcspn(expected + line, "\n"), expected + line);
    }
}

void check_diagnostics(const struct assembly *a, const char *expected) {
    struct bytes text = {0};
    assembly_print_diagnostics(a, &text);
    bytes_append(&text, "", 1);
    check_text((const char *)text.data, expected);
    bytes_fini(&text);
}

void check_bytes_at(const char *source, uint32_t origin, const char *hex) {
    struct assembly a;
    struct error e = ERROR_CLEAR;
    char *wanted = calloc(1, strlen(hex) + 1);
    size_t n = 0;
    for (const char *p = hex; *p; p++) {
        if (*p != ' ') {
            wanted[n++] = *p;
        }
    }
    const bool good = assemble(&a, "t.s", source, strlen(source), NULL, &e);
    check_diagnostics(&a, "");
    assert_true(good);
    char *got = malloc(2 * a.image.length + 1);
    bytes_to_hex(got, a.image.data, a.image.length);
    if (strcmp(got, wanted) != 0) {
        print_error("%s", source);
    }
    assert_string_equal(got, wanted);
    assert_int_equal(a.origin, origin);
    free(got);
    free(wanted);
    assembly_fini(&a);
}

void check_bytes(const char *source, const char *hex) { check_bytes_at(source, 0, hex); }

void check_errors(const char *source, const char *expected) {
    struct assembly a;
    struct error e = ERROR_CLEAR;
    const bool good = assemble(&a, "t.s", source, strlen(source), NULL, &e);
    check_diagnostics(&a, expected);
    assert_true(good == (a.error_count == 0));
    if (!good) {
        assert_int_equal(e.kind, ERROR_INPUT);
        assert_int_equal(a.image.length, 0);
    }
    assembly_fini(&a);
}

void check_same(const char *source, const char *plain) {
    struct assembly a;
    struct error e = ERROR_CLEAR;
    const bool good = assemble(&a, "plain.s", plain, strlen(plain), NULL, &e);
    check_diagnostics(&a, "");
    assert_true(good);
    char *hex = malloc(2 * a.image.length + 1);
    bytes_to_hex(hex, a.image.data, a.image.length);
    check_bytes_at(source, a.origin, hex);
    free(hex);
    assembly_fini(&a);
}
