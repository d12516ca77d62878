/* Fuzz target: the assembler on any bytes as source. It must end, without a crash, a leak or wild memory.
 *
 * COPY finds pieces of the source itself, so nesting is reached as well. What comes out is looked at, too: a program
 * without errors disassembles to a source that gives the same image. */
#include <stdlib.h>
#include <string.h>

#include "isa/assembler.h"
#include "isa/disassembler.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

struct input {
    const uint8_t *data;
    size_t length;
};

enum { MOST_COPIED = 256 }; /* nesting is of interest, not the time it takes */

static bool read_file(void *self, const char *path, struct bytes *to, struct error *e) {
    const struct input *in = self;
    if (strlen(path) > 8) {
        return error_set(e, ERROR_INPUT, "no file %s", path);
    }
    const size_t skip = (unsigned char)path[0] % 8 * in->length / 8;
    const size_t rest = in->length - skip;
    bytes_append(to, in->data + skip, rest < MOST_COPIED ? rest : MOST_COPIED);
    return true;
}

static void check(bool good) {
    if (!good) {
        abort();
    }
}

static void check_round_trip(const struct assembly *a) {
    enum { MOST = 65536 };
    struct bytes source = {0};
    struct assembly again;
    struct error e = ERROR_CLEAR;
    if (a->image.length == 0 || a->image.length > MOST) {
        return;
    }
    disassemble_image(&source, PROFILE_S370, a->image.data, a->image.length, a->origin);
    check(assemble(&again, "again", (const char *)source.data, source.length, NULL, &e));
    check(again.origin == a->origin && again.image.length == a->image.length);
    check(memcmp(again.image.data, a->image.data, a->image.length) == 0);
    assembly_fini(&again);
    bytes_fini(&source);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
    struct input in = {data, length};
    const struct assembler_options options = {.read_file = read_file, .self = &in, .listing = true};
    struct assembly a;
    struct error e = ERROR_CLEAR;
    struct bytes text = {0};
    const bool good = assemble(&a, "fuzz", (const char *)data, length, &options, &e);
    check(good == (a.error_count == 0) && good == (e.kind == ERROR_NONE));
    check((uint64_t)a.origin + a.image.length <= 1 << 24);
    assembly_print_diagnostics(&a, &text);
    assembly_print_symbols(&a, &text);
    if (good) {
        check_round_trip(&a);
    }
    bytes_fini(&text);
    assembly_fini(&a);
    return 0;
}
