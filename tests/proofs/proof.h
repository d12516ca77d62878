/* What the harnesses share. A harness is a C program that is never run: cbmc takes it together with the sources that it
 * is about, and answers for all values of `any_...` at once. docs/proofs.md tells the rest. */
#ifndef TESTS_PROOFS_PROOF_H
#define TESTS_PROOFS_PROOF_H

#include <stdbool.h>
#include <stdint.h>

/* Any value at all, another one at each call: functions without a body are that to cbmc. */
bool any_bool(void);
uint8_t any_u8(void);
uint16_t any_u16(void);
uint32_t any_u32(void);
uint64_t any_u64(void);

#ifndef __CPROVER__ /* cbmc knows them */
void __CPROVER_assume(_Bool);
void __CPROVER_assert(_Bool, const char *);
void __CPROVER_output(const char *, ...);
#endif

/* Any value in a proof; where a counterexample is looked for, and there is one with this constant, only that: it is
 * found sooner, and is easier to read. */
#ifdef REFUTED
#define any_or(any, constant) (constant)
#else
#define any_or(any, constant) (any)
#endif

/* Of all values only those for which this holds: a bound of the proof. */
#define assume(condition) __CPROVER_assume(condition)
/* What is proved. */
#define claim(condition, text) __CPROVER_assert(condition, text)
/* A value that a counterexample shows, under this name. */
#define show(name, value) __CPROVER_output(name, value)

/* Bits `from` to `to` of a word, as the Principles of Operation number them: bit 0 is the leftmost of 32. */
static inline uint32_t bits(uint32_t word, unsigned from, unsigned to) {
    return word >> (31 - to) & (uint32_t)((UINT64_C(2) << (to - from)) - 1);
}
/* The same of a halfword. */
static inline uint32_t half_bits(uint16_t half, unsigned from, unsigned to) { return bits(half, from + 16, to + 16); }

#endif
