/* Units: the numbers that people write, on the command line and in Lua's option tables.
 *
 * Everything is strict: no spaces, no signs, no prefix, nothing left over; a number that does not fit is refused, never
 * cut. */
#ifndef SCENARIOS_ENGINE_UNITS_H
#define SCENARIOS_ENGINE_UNITS_H

#include <stdbool.h>
#include <stdint.h>

/* 1..8 hexadecimal digits, at most `most`. */
bool units_hex(const char *text, uint32_t most, uint32_t *to);
/* Decimal digits. */
bool units_decimal(const char *text, uint64_t most, uint64_t *to);
/* A size in bytes: decimal digits, and then K, M or G in either case, or nothing: "64K", "2M", "4096". */
bool units_size(const char *text, uint64_t most, uint64_t *to);
/* The size in the shortest form that units_size takes back: "64K", "1M", "1000". `to` has room for 24 characters. */
void units_size_text(char to[24], uint64_t bytes);
/* Digits in groups of three: "1,234,567". `to` has room for 32 characters. */
void units_grouped(char to[32], uint64_t n);

#endif
