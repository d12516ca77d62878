/* The assembler: HLASM-style source in, storage image, symbols and listing out. docs/assembler.md is the language.
 *
 * It knows instructions only from isa/instruction.h. One call assembles one program completely: every error of the
 * source is reported in one pass, none of them stops it early. */
#ifndef ISA_ASSEMBLER_H
#define ISA_ASSEMBLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

struct assembler_options {
    /* Reads the file that COPY names, relative to the file that asks; appends to *to. NULL: the host's files. */
    bool (*read_file)(void *self, const char *path, struct bytes *to, struct error *e);
    void *self;
    bool listing; /* make assembly.listing */
};

enum diagnostic_severity { DIAGNOSTIC_NOTE, DIAGNOSTIC_WARNING, DIAGNOSTIC_ERROR };

struct diagnostic {
    enum diagnostic_severity severity;
    char *file;
    unsigned line, column; /* from 1 */
    char *text;
};

struct symbol {
    char *name;
    uint32_t value;
    uint32_t length;  /* L' attribute */
    bool relocatable; /* an address, not a plain number */
};

/* A statement or a literal that made instructions or constants, with the listing. */
struct assembly_line {
    uint32_t address, length; /* bytes that it made */
    bool instruction;         /* they are one machine instruction */
    size_t text, text_length; /* its first line, as it was written: offset in the listing, UTF-8, no newline */
};

struct assembly {
    struct bytes image; /* from origin on */
    uint32_t origin;    /* lowest address that anything was assembled at */
    bool has_entry;     /* END named one */
    uint32_t entry;
    struct symbol *symbols; /* in order of definition */
    size_t symbol_count;
    struct diagnostic *diagnostics; /* in order of file position */
    size_t diagnostic_count, error_count;
    struct bytes listing;
    struct assembly_line *lines; /* in order of statements; NULL: none */
    size_t line_count;
};

/* Assembles `source` (length bytes; name: for messages). Fills *a, to be freed with assembly_fini in every case. True
 * when there was no error diagnostic. False and *e: the summary line ("3 errors in hello.s"). */
bool assemble(struct assembly *a, const char *name, const char *source, size_t length,
              const struct assembler_options *options, struct error *e);
/* The same for a file. */
bool assemble_file(struct assembly *a, const char *path, const struct assembler_options *options, struct error *e);
void assembly_fini(struct assembly *a);
/* NULL when there is none. Names are compared without regard to case. */
const struct symbol *assembly_symbol(const struct assembly *a, const char *name);
/* Appends the diagnostics in gcc's form, `file:line:column: error: text`, a line each. */
void assembly_print_diagnostics(const struct assembly *a, struct bytes *to);
/* Appends the symbols, a line each: name, value (6 hex digits), length, `address` or `value`. */
void assembly_print_symbols(const struct assembly *a, struct bytes *to);

/* EBCDIC code page 037 <-> ISO 8859-1, the only character sets in the machine. */
extern const uint8_t ebcdic_from_latin1[256];
extern const uint8_t latin1_from_ebcdic[256];

#endif
