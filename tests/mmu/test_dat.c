/* The walk: every step and exception of the Principles of Operation, in all four formats, against an independent
 * formulation. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/random.h"
#include "mmu/dat.h"

enum { SIZE = 1 << 20 };
static enum access fetch(void *self, uint32_t real, void *to, uint32_t length) {
    if (real > SIZE - length)
        return ACCESS_ADDRESSING;
    memcpy(to, (uint8_t *)self + real, length);
    return ACCESS_OK;
}

static uint8_t real[SIZE];

struct expected {
    enum access result;
    unsigned condition;
    uint32_t real;
};

/* The rules in the words of the manual, by division instead of by shifting. */
static struct expected by_the_book(uint32_t cr0, uint32_t cr1, uint32_t va) {
    unsigned format = cr0 >> 19 & 31;
    uint32_t page = format == 0x08 || format == 0x0A ? 2048 : 4096;
    uint32_t segment = format == 0x08 || format == 0x10 ? 65536 : 1048576;
    if (format != 0x08 && format != 0x10 && format != 0x0A && format != 0x12)
        return (struct expected){ACCESS_TRANSLATION_SPECIFICATION, 0, 0};
    uint32_t s = va / segment, g = va % segment / page;
    uint32_t ste_at = (cr1 & 0xFFFFC0) + 4 * s;
    if (segment == 65536 && s / 16 > cr1 / 0x1000000)
        return (struct expected){ACCESS_SEGMENT, 3, ste_at};
    if (ste_at > SIZE - 4)
        return (struct expected){ACCESS_ADDRESSING, 0, 0};
    uint32_t ste = bytes_get32(real + ste_at);
    if (ste & 1)
        return (struct expected){ACCESS_SEGMENT, 1, ste_at};
    if (ste & 0x0F000000)
        return (struct expected){ACCESS_TRANSLATION_SPECIFICATION, 0, 0};
    uint32_t pte_at = (ste & 0xFFFFF8) + 2 * g;
    if (g / (segment / page / 16) > ste >> 28)
        return (struct expected){ACCESS_PAGE, 3, pte_at};
    if (pte_at > SIZE - 2)
        return (struct expected){ACCESS_ADDRESSING, 0, 0};
    uint32_t pte = bytes_get16(real + pte_at);
    if (pte & (page == 4096 ? 8 : 4))
        return (struct expected){ACCESS_PAGE, 2, pte_at};
    if (pte & (page == 4096 ? 6 : 2))
        return (struct expected){ACCESS_TRANSLATION_SPECIFICATION, 0, 0};
    return (struct expected){ACCESS_OK, 0, pte / (page / 256) * page + va % page};
}

static void test_dat_translate_agrees_with_the_rules_over_random_tables(void **state) {
    static const uint32_t formats[] = {DAT_FORMAT_2K_64K, DAT_FORMAT_4K_64K, DAT_FORMAT_2K_1M, DAT_FORMAT_4K_1M};
    struct random r;
    unsigned seen[0x20] = {0};
    (void)state;
    random_init(&r, 1, "test dat");
    for (unsigned n = 0; n < 200000; n++) {
        uint32_t cr0 = formats[random_below(&r, 4)];
        uint32_t cr1 = (uint32_t)(random_below(&r, 8) << 24 | random_below(&r, SIZE + 4096));
        uint32_t va = (uint32_t)random_u64(&r) & 0xFFFFFF;
        if (random_below(&r, 50) == 0)
            cr0 ^= 1u << (19 + random_below(&r, 5));
        for (unsigned i = 0; i < 4; i++) { /* a segment entry where it will be looked for, most of them good ones */
            uint32_t shift = cr0 & 0x00100000 ? 20 : 16, at = ((cr1 & 0xFFFFC0) + (va >> shift) * 4) & 0xFFFFFF;
            uint32_t ste = (uint32_t)(random_below(&r, 16) << 28 | random_below(&r, SIZE + 1024)) & 0xF0FFFFF8;
            if (random_below(&r, 6) == 0)
                ste |= 1u << random_below(&r, 32);
            if (at <= SIZE - 4)
                bytes_put32(real + at, ste);
            uint32_t index = (va & ((1u << shift) - 1)) >> (cr0 & DAT_FORMAT_2K_64K ? 11 : 12);
            uint32_t pte_at = ((ste & 0xFFFFF8) + 2 * index) & 0xFFFFFF;
            if (pte_at <= SIZE - 2)
                bytes_put16(real + pte_at, (uint16_t)(random_u64(&r) & (random_below(&r, 4) ? 0xFFF0 : 0xFFFF)));
        }
        struct expected e = by_the_book(cr0, cr1, va);
        struct dat_walk w;
        enum access x = dat_translate(cr0, cr1, va, fetch, real, &w);
        seen[x]++;
        if (x != e.result || (x != ACCESS_ADDRESSING && x != ACCESS_TRANSLATION_SPECIFICATION &&
                              (w.condition != e.condition || w.real != e.real)))
            fail_msg("case %u: CR0 %08X CR1 %08X address %06X: result %02X condition %u real %06X, not %02X %u %06X", n,
                     cr0, cr1, va, x, w.condition, w.real, e.result, e.condition, e.real);
    }
    assert_true(seen[ACCESS_OK] > 1000 && seen[ACCESS_SEGMENT] > 1000 && seen[ACCESS_PAGE] > 1000);
    assert_true(seen[ACCESS_ADDRESSING] > 100 && seen[ACCESS_TRANSLATION_SPECIFICATION] > 1000);
}

static void test_dat_page_protection_is_a_bit_only_while_it_is_enabled(void **state) {
    struct dat_walk w;
    (void)state;
    memset(real, 0, sizeof real);
    bytes_put32(real + 0x1000, 0xF0002000);
    bytes_put16(real + 0x2000, 0x0052);
    assert_int_equal(dat_translate(DAT_FORMAT_4K_64K, 0x1000, 0, fetch, real, &w), ACCESS_TRANSLATION_SPECIFICATION);
    assert_int_equal(dat_translate(DAT_FORMAT_4K_64K | 8, 0x1000, 0, fetch, real, &w), ACCESS_OK);
    assert_true(w.page_protected);
    assert_int_equal(w.frame, 0x5000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dat_translate_agrees_with_the_rules_over_random_tables),
        cmocka_unit_test(test_dat_page_protection_is_a_bit_only_while_it_is_enabled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
