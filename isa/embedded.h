/* Embedded files: texts that the build turns into tables of bytes, so that the program needs no file to run.
 *
 * Made by cmake/embed.cmake; which files go into which table is said in CMakeLists.txt. */
#ifndef ISA_EMBEDDED_H
#define ISA_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
    const char *name; /* the file's name without its folder and its extension: "s370" for isa/models/s370.model */
    const char *text; /* the file as it is, with a NUL behind it */
    size_t length;    /* in bytes, without that NUL */
};

/* The cost models of isa/models/, in the order of their names; a row of NULL and 0 follows the last. */
extern const struct embedded_file embedded_models[];
extern const size_t embedded_models_count;

#endif
