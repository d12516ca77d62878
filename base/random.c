/* Random numbers: xoshiro256** (Blackman & Vigna), its state filled by splitmix64. */
#include "base/random.h"

#include <assert.h>

static uint64_t rotate_left(uint64_t x, int count) { return x << count | x >> (64 - count); }

/* One step of splitmix64: advances *x and returns a well mixed value of it. */
static uint64_t splitmix(uint64_t *x) {
    uint64_t z = *x += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
}

void random_init(struct random *r, uint64_t seed, const char *name) {
    /* Each byte of the name is mixed into all 64 bits before the next one arrives, so that neither similar names nor
     * neighbouring seeds give related streams. */
    uint64_t x = seed;
    x = splitmix(&x);
    for (const char *c = name; *c; c++) {
        x ^= (unsigned char)*c;
        x = splitmix(&x);
    }
    for (int i = 0; i < 4; i++) {
        r->state[i] = splitmix(&x); /* four values in a row, of which at most one is 0: the state is never all zero */
    }
}

uint64_t random_u64(struct random *r) {
    uint64_t *s = r->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t random_below(struct random *r, uint64_t n) {
    assert(n != 0 && "random_below needs at least one value to choose from");
    /* 2^64 mod n of the values are drawn again, the lowest, which leaves a multiple of n of them. They are less than n:
     * mostly that need not be divided out. */
    uint64_t value;
    do {
        value = random_u64(r);
    } while (value < n && value < -n % n);
    return value % n;
}

void random_archive(struct random *r, struct archive *a) { archive_u64s(a, r->state, 4); }
