/* Source map: which label and which line of its source an address of a program is, for whoever shows it to a person. */
#ifndef ISA_SOURCE_MAP_H
#define ISA_SOURCE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "isa/assembler.h"

struct source_map;

/* The map of a program, which was assembled with a listing (without: it has no lines). Everything is copied. NULL when
 * there is no memory. */
struct source_map *source_map_new(const struct assembly *a);
void source_map_free(struct source_map *map);

/* Whether the address is one of the program's. */
bool source_map_has(const struct source_map *map, uint32_t address);
/* The last label at or before the address, and how far behind it that is; of several at one address the first that was
 * defined. NULL: none. */
const char *source_map_label(const struct source_map *map, uint32_t address, uint32_t *offset);
/* The value of a symbol, letters in either case. False: there is none. */
bool source_map_find(const struct source_map *map, const char *name, uint32_t *value);
/* The n-th symbol that is an address, in order of addresses; NULL: there are no more. */
const char *source_map_symbol(const struct source_map *map, size_t n, uint32_t *value);

struct source_line {
    uint32_t address, length; /* of what it made */
    bool instruction;         /* that is one machine instruction */
    const char *text;         /* length text_length, UTF-8, not terminated */
    size_t text_length;
};
/* The statement that made what is at the address; where several did, the last. False: none. */
bool source_map_line(const struct source_map *map, uint32_t address, struct source_line *to);
/* The next address behind this one (step 1) or the last before it (-1) at which a label stands, or a statement made
 * something, or the program ends. -1: there is none. */
int64_t source_map_next(const struct source_map *map, uint32_t address, int step);

#endif
