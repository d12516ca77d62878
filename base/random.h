/* Random numbers: one seeded generator per named stream (xoshiro256** seeded by splitmix64 over seed and name).
 *
 * Every draw in the program comes from such a stream, so a run repeats exactly; drawing more from one stream never
 * disturbs another. Source of the algorithms: Blackman & Vigna, "Scrambled linear pseudorandom number generators". */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdint.h>

#include "base/archive.h"

struct random {
    uint64_t state[4];
};

/* Starts the stream `name` of the run with `seed`; the same pair always gives the same numbers. */
void random_init(struct random *r, uint64_t seed, const char *name);
uint64_t random_u64(struct random *r);
/* Uniform in 0..n-1 without bias; n must not be 0. */
uint64_t random_below(struct random *r, uint64_t n);
void random_archive(struct random *r, struct archive *a);

#endif
