/* Tests of isa/disassembler: the text of each format, and that whatever it prints assembles to the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "isa/assembler.h"
#include "isa/disassembler.h"
#include "isa/instruction.h"
#include "tests/support/unit.h"

static void test_disassemble_writes_each_format(void **state) {
    (void)state;
    static const struct {
        const char *hex, *text;
    } rows[] = {
        {"1A27", "AR    2,7"},
        {"0490", "SPM   9"},
        {"07FE", "BCR   15,14"},
        {"0AC9", "SVC   201"},
        {"5A123ABC", "A     1,2748(2,3)"},
        {"58100010", "L     1,16"},
        {"41105004", "LA    1,4(0,5)"},
        {"41150004", "LA    1,4(5,0)"},
        {"47F0C010", "BC    15,16(0,12)"},
        {"98ECD00C", "LM    14,12,12(13)"},
        {"BF172FFF", "ICM   1,7,4095(2)"},
        {"89100008", "SLL   1,8"},
        {"83120024", "DIAG  1,2,36"},
        {"92405F00", "MVI   3840(5),64"},
        {"9C000009", "SIO   9"},
        {"B2086123", "SPT   291(6)"},
        {"B20D0000", "PTLB"},
        {"B2210035", "IPTE  3,5"},
        {"D2FF12345678", "MVC   564(256,1),1656(5)"},
        {"D20000000000", "MVC   0(1,0),0"},
        {"F27A12345678", "PACK  564(8,1),1656(11,5)"},
        {"F035FFFFFFFF", "SRP   4095(4,15),4095(15),5"},
        {"E50112345678", "TPROT 564(1),1656(5)"},
        /* not instructions, cut off, or with bits that the machine ignores */
        {"B2FF", "DC    X'B2FF'"},
        {"B2FF1234", "DC    X'B2FF'"},
        {"0000", "DC    X'0000'"},
        {"5810", "DC    X'5810'"},
        {"D2FF1234", "DC    X'D2FF1234'"},
        {"D2FF", "DC    X'D2FF'"},
        {"0491", "DC    X'0491'"},
        {"B20D0001", "DC    X'B20D0001'"},
        {"B2211035", "DC    X'B2211035'"},
        {"93FF1000", "DC    X'93FF1000'"},
        {"891F0008", "DC    X'891F0008'"},
        {"9F010009", "DC    X'9F010009'"},
        {"9C020009", "DC    X'9C020009'"},
    };
    for (unsigned k = 0; k < sizeof rows / sizeof *rows; k++) {
        struct bytes b = {0};
        char text[DISASSEMBLER_TEXT];
        assert_true(bytes_from_hex(&b, rows[k].hex));
        const unsigned used = disassemble(text, b.data, b.length);
        assert_string_equal(text, rows[k].text);
        assert_true(used >= 2 && used <= b.length);
        bytes_fini(&b);
    }
}

static void check_round_trip(const uint8_t *image, size_t length, uint32_t at) {
    struct bytes source = {0};
    struct assembly a;
    struct error e = ERROR_CLEAR;
    disassemble_image(&source, PROFILE_S370, image, length, at);
    if (!assemble(&a, "image", (const char *)source.data, source.length, NULL, &e)) {
        fail_msg("%s:%u: %s", e.text, a.diagnostics[0].line, a.diagnostics[0].text);
    }
    assert_int_equal(a.image.length, length);
    if (length) {
        assert_int_equal(a.origin, at);
        assert_memory_equal(a.image.data, image, length);
    }
    assembly_fini(&a);
    bytes_fini(&source);
}

static void test_random_bytes_come_back(void **state) {
    (void)state;
    struct random r;
    random_init(&r, 370, "bytes");
    for (unsigned k = 0; k < 1500; k++) {
        uint8_t image[300];
        const size_t length = random_below(&r, sizeof image + 1);
        const unsigned zeros = (unsigned)random_below(&r, 4);
        for (size_t i = 0; i < length; i++) {
            image[i] = zeros == 0 || random_below(&r, zeros + 1) ? (uint8_t)random_below(&r, 256) : 0;
        }
        if (length > 200 && zeros == 1) {
            memset(image + 50, 0, 100);
        }
        check_round_trip(image, length, (uint32_t)random_below(&r, (1 << 24) - 300));
    }
}

static void test_every_instruction_comes_back(void **state) {
    (void)state;
    struct random r;
    struct bytes image = {0};
    random_init(&r, 370, "instructions");
    for (unsigned id = 0; id < INSTRUCTION_S370_COUNT; id++) {
        for (unsigned k = 0; k < 100; k++) {
            struct instruction_fields f;
            uint8_t text[6];
            char line[DISASSEMBLER_TEXT];
            for (unsigned n = 0; n < 6; n++) {
                text[n] = (uint8_t)random_below(&r, 256);
            }
            instruction_take(&f, &instruction_table[id], text);
            instruction_put(text, &instruction_table[id], &f);
            assert_int_equal(disassemble(line, text, 6), instruction_table[id].length);
            assert_int_equal(strncmp(line, instruction_table[id].mnemonic, strlen(instruction_table[id].mnemonic)), 0);
            bytes_append(&image, text, instruction_table[id].length);
        }
    }
    check_round_trip(image.data, image.length, 0x200);
    bytes_fini(&image);
}

static void test_disassemble_image_shows_addresses_and_bytes(void **state) {
    (void)state;
    static const uint8_t image[] = {0x18, 0x12, 0x58, 0x10, 0x00, 0x10, 0xFF};
    struct bytes source = {0};
    disassemble_image(&source, PROFILE_S370, image, sizeof image, 0x1000);
    assert_string_equal((const char *)source.data, "         ORG   X'001000'\n"
                                                   "         LR    1,2                            001000 1812\n"
                                                   "         L     1,16                           001002 58100010\n"
                                                   "         DC    X'FF'                          001006 FF\n");
    bytes_fini(&source);
    /* Zeros of a whole storage take a line, and so no time. */
    uint8_t *big = calloc(1, 1 << 20);
    assert_non_null(big);
    big[0x80001] = 1;
    disassemble_image(&source, PROFILE_S370, big, 1 << 20, 0);
    assert_true(source.length < 1000);
    bytes_fini(&source);
    check_round_trip(big, 1 << 20, 0);
    free(big);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_disassemble_writes_each_format),
        cmocka_unit_test(test_random_bytes_come_back),
        cmocka_unit_test(test_every_instruction_comes_back),
        cmocka_unit_test(test_disassemble_image_shows_addresses_and_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
