/* Tests of isa/assembler: bytes from source, and every diagnostic with its place.
 *
 * Expected bytes are the language's: HLASM's rules of padding, truncation, alignment, literal pools and base registers,
 * worked out by hand. Instruction by instruction GNU as is asked (test_assembler_against_gnu_as.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/assembler.h"
#include "tests/support/assembly.h"
#include "tests/support/unit.h"

/* ---- helpers ---- */

struct row {
    const char *operands, *hex;
};

static void check_rows(const char *operation, const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        char source[512];
        snprintf(source, sizeof source, "         %s %s\n", operation, rows[i].operands);
        check_bytes(source, rows[i].hex);
    }
}
#define CHECK_ROWS(operation, rows) check_rows(operation, rows, sizeof(rows) / sizeof *(rows))

/* ---- constants ---- */

static void test_dc_pads_and_truncates_as_hlasm_does(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"C'AB'", "C1C2"},
        {"CL4'AB'", "C1C24040"},
        {"CL2'ABC'", "C1C2"},
        {"C'IT''S A && B,(C'", "C9E37DE240C140504 0C26B4DC3"},
        {"3C'A'", "C1C1C1"},
        {"CA'AB'", "4142"},
        {"CE'AB'", "C1C2"},
        {"CL3''", "404040"},
        {"X'1'", "01"},
        {"X'123'", "0123"},
        {"XL1'1234'", "34"},
        {"XL3'F'", "00000F"},
        {"X'01,2,345'", "01020345"},
        {"X'12 34'", "1234"},
        {"2X'AB'", "ABAB"},
        {"(2+1)X'00'", "000000"},
        {"XL(1+1)'FF'", "00FF"},
        {"B'1'", "01"},
        {"B'100000001'", "0101"},
        {"BL1'111100001111'", "0F"},
        {"F'1,-1'", "00000001FFFFFFFF"},
        {"F'2147483647,-2147483648'", "7FFFFFFF80000000"},
        {"F'U4294967295'", "FFFFFFFF"},
        {"F'1E3'", "000003E8"},
        {"F'2.5'", "00000003"},
        {"FL3'-2'", "FFFFFE"},
        {"FL1'-128'", "80"},
        {"FD'-1'", "FFFFFFFFFFFFFFFF"},
        {"FL8'1'", "0000000000000001"},
        {"H'1,-2'", "0001FFFE"},
        {"H'-32768'", "8000"},
        {"HL1'127'", "7F"},
        {"P'0'", "0C"},
        {"P'12'", "012C"},
        {"P'-123'", "123D"},
        {"P'+1,2'", "1C2C"},
        {"PL3'5'", "00005C"},
        {"PL2'12345'", "345C"},
        {"P'1.25'", "125C"},
        {"Z'12'", "F1C2"},
        {"Z'-12'", "F1D2"},
        {"ZL4'7'", "F0F0F0C7"},
        {"ZL1'12'", "C2"},
        {"A(1,X'FF',C'A')", "00000001000000FF000000C1"},
        {"A(-1)", "FFFFFFFF"},
        {"A(X'FFFFFFFF')", "FFFFFFFF"},
        {"AL1(255,-128)", "FF80"},
        {"AL3(X'123456')", "123456"},
        {"AL2(B'101'*2+1)", "000B"},
        {"Y(65535)", "FFFF"},
        {"S(4)", "0004"},
        {"S(4095(15))", "FFFF"},
        {"D'0'", "0000000000000000"},
        {"X'FF',F'1'", "FF000000 00000001"},
        {"X'FF',H'1'", "FF000001"},
        {"X'FF',FL4'1'", "FF00000001"},
        {"0F'9',X'1'", "01"},
        {"2F'1,2'", "00000001000000020000000100000002"},
        {"X'1',0D'0',X'2'", "010000000000000002"},
        {"A(7/2,-7/2,7/0)", "00000003FFFFFFFD00000000"},
        {"A(2+3*4,(2+3)*4,-3+5,2*-3)", "0000000E0000001400000002FFFFFFFA"},
    };
    CHECK_ROWS("DC   ", rows);
}

static void test_dc_of_characters_is_code_page_037(void **state) {
    (void)state;
    /* The source may be UTF-8 or ISO 8859-1. */
    check_bytes(" DC C'\xC3\xA4\xC3\x9F\xC2\xA2'\n", "43594A");
    check_bytes(" DC C'\xE4\xDF\xA2'\n", "43594A");
    check_bytes(" DC C'aZ09 !|\\^[]{}~'\n", "81E9F0F9405A4FE0B0BABBC0D0A1");
    for (unsigned c = 0; c < 256; c++) {
        assert_int_equal(latin1_from_ebcdic[ebcdic_from_latin1[c]], c);
    }
    assert_int_equal(ebcdic_from_latin1['\n'], 0x25);
    assert_int_equal(ebcdic_from_latin1[0x85], 0x15);
}

static void test_location_counter_in_constants_is_that_of_each_value(void **state) {
    (void)state;
    check_bytes("T        DC    4AL1(*-T)\n", "00010203");
    check_bytes("T        DC    2AL1(*-T,*-T)\n", "00010203");
    check_bytes("         DC    F'0',A(*,*)\n", "000000000000000400000008");
}

static void test_ds_reserves_and_describes(void **state) {
    (void)state;
    struct assembly a;
    struct error e = ERROR_CLEAR;
    const char *source = "A        DS    CL5\n"
                         "B        DS    F\n"
                         "C        DS    3H\n"
                         "D        DS    0CL80,C'ABC',X'12345',P'123'\n"
                         "E        DS    D\n"
                         "F        DS    XL256,2FL3\n"
                         "G        DC    2CL3'A',C'LONGER'\n"
                         "H        LR    1,2\n"
                         "I        EQU   G\n"
                         "J        EQU   G+1,7\n"
                         "K        EQU   5\n"
                         "L        EQU   *\n"
                         "M        DC    AL1(L'A,L'F-256,L'J)\n";
    const bool good = assemble(&a, "t.s", source, strlen(source), NULL, &e);
    check_diagnostics(&a, "");
    assert_true(good);
    static const struct {
        const char *name;
        uint32_t value, length;
        bool relocatable;
    } rows[] = {{"A", 0, 5, true},   {"b", 8, 4, true},    {"C", 12, 2, true},  {"D", 18, 80, true},
                {"E", 32, 8, true},  {"F", 40, 256, true}, {"G", 302, 3, true}, {"H", 314, 2, true},
                {"I", 302, 3, true}, {"J", 303, 7, true},  {"K", 5, 1, false},  {"L", 316, 1, true},
                {"M", 316, 1, true}};
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct symbol *s = assembly_symbol(&a, rows[i].name);
        assert_non_null(s);
        assert_int_equal(s->value, rows[i].value);
        assert_int_equal(s->length, rows[i].length);
        assert_int_equal(s->relocatable, rows[i].relocatable);
    }
    assert_int_equal(a.image.length, 319);
    assert_memory_equal(a.image.data + 316, "\x05\x00\x07", 3);
    assert_null(assembly_symbol(&a, "N"));
    assembly_fini(&a);
}

static void test_dc_reports_what_does_not_fit(void **state) {
    (void)state;
    check_errors("         DC    F'2147483648'\n"
                 "         DC    H'-32769'\n"
                 "         DC    FL1'-129',FL1'128'\n"
                 "         DC    AL1(256),AL1(-129)\n"
                 "         DC    Y(65536)\n"
                 "         DC    X'1G'\n"
                 "         DC    B'12'\n"
                 "         DC    P'1A'\n"
                 "         DC    Z''\n"
                 "         DC    F'1.2.3'\n"
                 "         DC    F''\n"
                 "         DC    C''\n"
                 "         DC    C'A&B'\n"
                 "         DC    E'1.5'\n"
                 "         DC    Q(1)\n"
                 "         DC    F\n"
                 "         DC    F(1)\n"
                 "         DC    CL0'A'\n"
                 "         DC    FL9'1'\n"
                 "         DC    CL.4'A'\n"
                 "         DC    A(1\n"
                 "         DC    \n"
                 "         DC    F'1'F'2'\n"
                 "         DC    C'\xE2\x82\xAC'\n"
                 "         DC    20000000X'00'\n"
                 "         DC    FS4'1'\n",
                 "t.s:1:18: error: 2147483648 does not fit into 4 bytes\n"
                 "t.s:2:18: error: -32769 does not fit into 2 bytes\n"
                 "t.s:3:20: error: -129 does not fit into 1 byte\n"
                 "t.s:3:30: error: 128 does not fit into 1 byte\n"
                 "t.s:4:20: error: 256 does not fit into 1 byte\n"
                 "t.s:4:29: error: -129 does not fit into 1 byte\n"
                 "t.s:5:18: error: 65536 does not fit into 2 bytes\n"
                 "t.s:6:19: error: this is no hexadecimal digit\n"
                 "t.s:7:19: error: this is no binary digit\n"
                 "t.s:8:19: error: this is no decimal digit\n"
                 "t.s:9:18: error: there is no digit\n"
                 "t.s:10:21: error: this does not belong to a decimal number\n"
                 "t.s:11:18: error: a digit is missing\n"
                 "t.s:12:18: error: there is no character between the quotes\n"
                 "t.s:13:19: error: there is no variable symbol &B here\n"
                 "t.s:14:18: error: floating-point constants other than 0 are not supported\n"
                 "t.s:15:16: error: there is no constant of type Q\n"
                 "t.s:16:17: error: a constant needs a value\n"
                 "t.s:17:17: error: the value of type F stands in quotes\n"
                 "t.s:18:18: error: the length must be from 1 to 65535\n"
                 "t.s:19:18: error: the length must be from 1 to 8\n"
                 "t.s:20:18: error: lengths in bits are not supported\n"
                 "t.s:21:17: error: the parenthesis is not closed\n"
                 "t.s:22:12: error: a type is missing\n"
                 "t.s:23:20: error: a comma or the end of the operands should be here\n"
                 "t.s:24:18: error: this character is not in code page 037\n"
                 "t.s:25:16: error: the duplication factor must be from 0 to 16777216\n"
                 "t.s:26:17: error: scale and exponent modifiers are not supported\n");
}

/* ---- machine instructions ---- */

static void test_operands_as_hlasm_reads_them(void **state) {
    (void)state;
    static const struct {
        const char *statement, *hex;
    } rows[] = {
        {"LR    1,X'F'", "181F"},
        {"LA    1,5(2)", "41120005"}, /* one register in parentheses is the index */
        {"LA    1,5(,2)", "41102005"},
        {"LA    1,5(3,2)", "41132005"},
        {"LA    1,4095", "41100FFF"},
        {"LA    1,2*(3+4)(5)", "4115000E"},
        {"L     15,12(0,13)", "58F0D00C"},
        {"BR    14", "07FE"},
        {"NOPR  0", "0700"},
        {"NOP   0", "47000000"},
        {"B     0(,12)", "47F0C000"},
        {"BNE   8(12)", "477C0008"},
        {"BER   7", "0787"},
        {"BZ    0", "47800000"},
        {"BNO   0", "47E00000"},
        {"STM   14,12,12(13)", "90ECD00C"},
        {"SLL   3,4", "89300004"},
        {"MVI   5(6),C'A'", "92C16005"},
        {"CLI   0(1),X'40'", "95401000"},
        {"TM    0(1),B'10000001'", "91811000"},
        {"MVC   0(8,1),0(2)", "D20710002000"},
        {"MVC   0(,1),0(2)", "D20010002000"}, /* the implied length of a number is 1 */
        {"MVC   0(0,1),0(2)", "D20010002000"},
        {"MVC   8(256),16", "D2FF00080010"},
        {"PACK  0(8,1),0(5,2)", "F27410002000"},
        {"SRP   0(5,1),64-2,5", "F0451000003E"},
        {"SVC   255", "0AFF"},
        {"SPM   7", "0470"},
        {"IPK   remarks, (they) don't count", "B20B0000"},
        {"PTLB  ", "B20D0000"},
        {"DIAG  1,2,X'24'", "83120024"},
        {"MC    1(2),3", "AF032001"},
        {"TPROT 0(1),16(2)", "E50110002010"},
        {"lr    1,2", "1812"},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        char source[128];
        snprintf(source, sizeof source, "         %s\n", rows[i].statement);
        check_bytes(source, rows[i].hex);
    }
}

static void test_implied_lengths_come_from_symbols(void **state) {
    (void)state;
    check_bytes("P        START 0\n"
                "         USING P,12\n"
                "         MVC   A,B\n"
                "         MVC   A+1,B\n"
                "         MVC   A(2),B\n"
                "         AP    C,D\n"
                "         AP    C(3),D(1)\n"
                "         MVC   0(L'A,1),B\n"
                "A        DS    CL5\n"
                "B        DC    C'X'\n"
                "C        DC    P'123'\n"
                "D        DC    P'-1234'\n",
                "D204C024C029 D204C025C029 D201C024C029 FA12C02AC02C FA20C02AC02C D2041000C029"
                "0000000000 E7 123C 01234D");
}

static void test_using_picks_the_best_base(void **state) {
    (void)state;
    /* The smallest displacement; of equal ones the highest register. */
    check_bytes("P        CSECT\n"
                "         USING P,3\n"
                "         USING P,5\n"
                "         USING P,4\n"
                "         LA    1,Q\n"
                "         USING P+8,2\n"
                "         LA    1,Q\n"
                "         DROP  2,5\n"
                "         LA    1,Q(7)\n"
                "         DROP\n"
                "         USING (P,P+8),6\n"
                "         USING P,7\n"
                "         LA    1,P+4\n"
                "         LA    1,Q\n"
                "Q        DS    0H\n",
                "41105014 4110200C 41174014 41107004 41107014");
    /* Several registers, 4096 bytes apart, and a DSECT. */
    check_bytes("P        CSECT\n"
                "         USING P,10,11\n"
                "         USING D,9\n"
                "         LA    1,P+4095\n"
                "         LA    1,P+4096\n"
                "         LA    1,P+8191\n"
                "         LA    1,D2\n"
                "D        DSECT\n"
                "D1       DS    CL8\n"
                "D2       DC    F'1'\n",
                "4110AFFF 4110B000 4110BFFF 41109008");
    /* Register 0 reaches the first addresses of storage; numbers need no base, but take a better one. */
    check_bytes_at("P        START X'100'\n"
                   "         USING P,0\n"
                   "         LA    1,P+4\n"
                   "         LA    1,8\n"
                   "         USING 4096,2\n"
                   "         LA    1,4100\n",
                   0x100, "41100104 41100008 41102004");
    /* A dependent USING: the DSECT lies in storage that another base reaches. */
    check_bytes("P        CSECT\n"
                "         USING P,12\n"
                "         USING D,AREA\n"
                "         LA    1,D2\n"
                "         PUSH  USING\n"
                "         DROP\n"
                "         POP   USING\n"
                "         LA    1,D2\n"
                "AREA     DS    CL8\n"
                "D        DSECT\n"
                "         DS    F\n"
                "D2       DS    F\n",
                "4110C00C 4110C00C 0000000000000000");
}

static void test_literals_are_pooled_by_size_and_without_doubles(void **state) {
    (void)state;
    check_bytes("P        START 0\n"
                "         USING P,12\n"
                "         L     1,=F'1'\n"
                "         LH    1,=H'2'\n"
                "         MVC   0(3,1),=C'ABC'\n"
                "         L     1,=f'1'\n"
                "         LM    1,2,=A(P,8)\n"
                "         LTORG\n"
                "         L     1,=F'1'\n"
                "         LA    2,=C'X'\n"
                "         CLI   =C'Y',C'Z'\n"
                "         LA    3,=A(*)\n"
                "         LA    3,=A(*)(4)\n"
                "         END\n",
                /* 00 */ "5810C020 4810C024 D2021000C026 5810C020 9812C018 0000"
                         /* 18 */ "00000000 00000008 00000001 0002 C1C2C3 00"
                         /* 2A */ "5810C040 4120C04C 95E9C04D 4130C044 4134C048 0000"
                         /* 40 */ "00000001 00000036 0000003A E7 E8");
    /* Without LTORG or END the pool lies behind the first control section. */
    check_bytes("A        CSECT\n"
                "         USING A,12\n"
                "         L     1,=F'5'\n"
                "B        CSECT\n"
                "         DC    X'FF'\n",
                "5810C008 00000000 00000005 00000000 FF");
}

static void test_labels_of_instructions_are_aligned(void **state) {
    (void)state;
    check_bytes("         DC    X'01'\n"
                "L        LR    1,2\n"
                "         DC    Y(L)\n",
                "0100 1812 0002");
}

static void test_instructions_report_their_operands(void **state) {
    (void)state;
    check_errors("P        START 0\n"
                 "         LR    1\n"
                 "         LR    1,2,3\n"
                 "         LR    16,-1\n"
                 "         LR    P,1\n"
                 "         LA    1,4096\n"
                 "         LA    1,P\n"
                 "         LA    1,4096(,2)\n"
                 "         LA    1,P(1,2)\n"
                 "         MVI   0(1),256\n"
                 "         MVI   0(1,2),1\n"
                 "         MVC   0(257,1),0\n"
                 "         PACK  0(17,1),0(16,2)\n"
                 "         LA    1,0(1\n"
                 "         LA    1,\n"
                 "         LA    1 ,2\n"
                 "         LM    1,2\n"
                 "         SVC   256\n"
                 "         LR    1;2\n"
                 "         USING P,12\n"
                 "         L     1,P+5000\n"
                 "         L     X,Y\n"
                 "         LA    1,P*2\n"
                 "         LA    1,=F\n"
                 "         LA    1,4+\n"
                 "         LA    1,2147483648\n"
                 "         LA    1,2147483647+1\n"
                 "         LA    1,T'P\n"
                 "         MR    1,2\n"
                 "         MVC   BIG,P\n"
                 "BIG      DS    CL300\n",
                 "t.s:2:17: error: LR: an operand is missing; it needs R1,R2\n"
                 "t.s:3:19: error: LR: too many operands; it needs R1,R2\n"
                 "t.s:4:16: error: a register must be from 0 to 15, not 16\n"
                 "t.s:4:19: error: a register must be from 0 to 15, not -1\n"
                 "t.s:5:16: error: a register must be a number, not an address\n"
                 "t.s:6:18: error: 4096 is no displacement: 0 to 4095, or a base register\n"
                 "t.s:7:18: error: not addressable: no USING in effect reaches section P\n"
                 "t.s:8:18: error: a displacement must be from 0 to 4095, not 4096\n"
                 "t.s:9:18: error: an address with a base register of its own: the displacement must be a number\n"
                 "t.s:10:21: error: an immediate operand must be from 0 to 255, not 256\n"
                 "t.s:11:18: error: this operand has neither index nor length: D(B)\n"
                 "t.s:12:18: error: the length must be from 0 to 256, not 257\n"
                 "t.s:13:18: error: the length must be from 0 to 16, not 17\n"
                 "t.s:14:21: error: a closing parenthesis is missing\n"
                 "t.s:15:18: error: an operand is missing\n"
                 "t.s:16:17: error: LA: an operand is missing; it needs R1,DXB2\n"
                 "t.s:17:19: error: LM: an operand is missing; it needs R1,R3,DB2\n"
                 "t.s:18:16: error: an immediate operand must be from 0 to 255, not 256\n"
                 "t.s:19:17: error: LR: a comma should be here; it needs R1,R2\n"
                 "t.s:21:18: error: not addressable: 5000 bytes behind the nearest base, 4095 is the most\n"
                 "t.s:22:16: error: undefined symbol X\n"
                 "t.s:22:18: error: undefined symbol Y\n"
                 "t.s:23:19: error: addresses can be added and subtracted, not multiplied or divided\n"
                 "t.s:24:20: error: a constant needs a value\n"
                 "t.s:25:20: error: an operand is missing\n"
                 "t.s:26:18: error: this number is larger than 2147483647\n"
                 "t.s:27:28: error: this needs more than 32 bits\n"
                 "t.s:28:18: error: attribute T' is not supported, only L'\n"
                 "t.s:29:16: warning: MR uses a pair of registers: the first one must be even\n"
                 "t.s:30:16: error: the implied length 300 is more than 256: write the length\n");
}

/* ---- symbols, sections, directives ---- */

static void test_symbols_and_operations_that_are_not_there(void **state) {
    (void)state;
    check_errors("P        START 0\n"
                 "         BCTX  1,2\n"
                 "         MVCC  0(1),0\n"
                 "         FROBNICATE\n"
                 "LABEL\n"
                 "LR 1,2\n"
                 "COUNTER  EQU   5\n"
                 "COUNTER  EQU   6\n"
                 "         LA    1,CONTER\n"
                 "         LR    R1,2\n"
                 "9LIVES   DS    F\n"
                 "         DC    A(LABEL)\n"
                 "ONE      EQU   TWO\n"
                 "TWO      EQU   ONE\n"
                 "         EQU   5\n"
                 "THREE    EQU   P*2\n"
                 "FOUR     EQU   NOTHERE\n"
                 "         DC    A(FOUR)\n"
                 "         DS    (LATER)F\n"
                 "LATER    EQU   3\n"
                 "         AIF   (1).X\n"
                 "&X       SETA  1\n",
                 "t.s:2:10: error: unknown operation BCTX; did you mean BCT?\n"
                 "t.s:3:10: error: unknown operation MVCC; did you mean MVC?\n"
                 "t.s:4:10: error: unknown operation FROBNICATE\n"
                 "t.s:5:1: error: a label without an operation\n"
                 "t.s:6:1: error: LR is in column 1, where a label stands: put a blank before it\n"
                 "t.s:8:1: error: COUNTER is already defined\n"
                 "t.s:7:1: note: the first definition of COUNTER is here\n"
                 "t.s:9:18: error: undefined symbol CONTER; did you mean COUNTER?\n"
                 "t.s:10:16: error: undefined symbol R1 (registers are numbers; to name one: R1 EQU 1)\n"
                 "t.s:11:1: error: 9LIVES is not a symbol: letters, digits, @ # $ _, and no digit first\n"
                 "t.s:13:16: error: TWO is defined by itself\n"
                 "t.s:15:10: error: EQU needs a name\n"
                 "t.s:16:17: error: addresses can be added and subtracted, not multiplied or divided\n"
                 "t.s:17:16: error: undefined symbol NOTHERE\n"
                 "t.s:19:17: error: LATER must be defined before this statement\n"
                 "t.s:21:19: error: there is no sequence symbol .X in this source\n");
}

static void test_equates_may_look_forward(void **state) {
    (void)state;
    check_bytes("A        EQU   B+1\n"
                "B        EQU   C-D\n"
                "D        DC    AL1(A,B,L'A)\n"
                "C        DS    0C\n",
                "040301");
    struct bytes chain = {0}; /* each refers to the next */
    for (unsigned i = 0; i < 2000; i++) {
        bytes_printf(&chain, "E%u EQU E%u+1\n", i, i + 1);
    }
    bytes_printf(&chain, "E2000 EQU 0\n DC A(E0)\n");
    check_bytes((const char *)chain.data, "000007D0");
    bytes_fini(&chain);
}

static void test_sections_lie_in_order_of_first_appearance(void **state) {
    (void)state;
    check_bytes_at("A        START X'100'\n"
                   "         DC    A(B,C)\n"
                   "B        CSECT\n"
                   "         DC    X'0B'\n"
                   "C        CSECT\n"
                   "         DC    AL1(C-B)\n"
                   "A        CSECT\n"
                   "         DC    X'0A'\n"
                   "D        DSECT\n"
                   "X        DS    F\n"
                   "Y        DC    F'1'\n"
                   "B        CSECT\n"
                   "         DC    X'BB',AL1(Y-X)\n",
                   0x100, "00000110 00000118 0A 00000000000000 0BBB04 0000000000 08");
}

static void test_org_moves_the_location_counter(void **state) {
    (void)state;
    check_bytes("P        START 0\n"
                "         DC    F'1'\n"
                "         ORG   P+8\n"
                "         DC    X'08'\n"
                "         ORG   P+2\n"
                "         DC    X'02'\n"
                "         ORG\n"
                "         DC    X'09'\n"
                "         ORG   *-1\n"
                "         DC    X'0A'\n",
                "00000201 00000000 080A");
    /* In an absolute program a number will do; the image begins at the lowest byte. */
    check_bytes_at("         ORG   X'200'\n         LR    1,2\n", 0x200, "1812");
    check_bytes_at(
        "A        CSECT\n         DC    X'01'\nB        CSECT\n         ORG   X'10'\n         DC    Y(B,*)\n", 0,
        "01 000000000000000000000000000000 00100012");
    check_errors("A        CSECT\n"
                 "         ORG   *-1\n"
                 "B        CSECT\n"
                 "         DC    F'1'\n"
                 "         ORG   5\n"
                 "         ORG   A\n"
                 "         ORG   X'FFFFFF'+8\n",
                 "t.s:2:16: error: ORG goes below the beginning of the section\n"
                 "t.s:5:16: error: ORG with a plain number, but only the first section's place is known: use "
                 "section+number\n"
                 "t.s:6:16: error: ORG needs an address in the current section\n"
                 "t.s:7:16: error: ORG with a plain number, but only the first section's place is known: use "
                 "section+number\n");
}

static void test_cnop_ccw_and_end(void **state) {
    (void)state;
    check_bytes("         CNOP  0,4\n"
                "         LR    1,2\n"
                "         CNOP  0,4\n"
                "         CNOP  2,8\n"
                "         CNOP  6,8\n"
                "A        CCW   X'02',*+8,X'40',80\n"
                "         CCW   9,A,,1\n",
                "1812 0700 070007000700 07000700 0000 "
                "02000018 40000050 09000010 00000001");
    struct assembly a;
    struct error e = ERROR_CLEAR;
    const char *source = "P  START 8\n BR 14\nGO BR 15\n END GO\n anything\n";
    assert_true(assemble(&a, "t.s", source, strlen(source), NULL, &e));
    assert_true(a.has_entry);
    assert_int_equal(a.entry, 10);
    assert_int_equal(a.origin, 8);
    assembly_fini(&a);
    check_errors("         CCW   1,2\n"
                 "         CCW   256,0,0,0\n"
                 "         CNOP  1,4\n"
                 "D        DSECT\n"
                 "         END   D\n",
                 "t.s:1:19: error: CCW needs command, data address, flags, count\n"
                 "t.s:2:16: error: the command must be from 0 to 255, not 256\n"
                 "t.s:3:16: error: CNOP: an even byte of a boundary of 4, 8 or 16\n"
                 "t.s:5:16: error: the entry point must be an address in a control section\n");
}

static void test_harmless_directives_do_no_harm(void **state) {
    (void)state;
    check_bytes("PROG     TITLE 'IT''S A TITLE'\n"
                "         PRINT NOGEN,ON\n"
                "         EJECT\n"
                "         SPACE 2\n"
                "PROG     CSECT , with remarks that don't matter\n"
                "PROG     AMODE 24\n"
                "PROG     RMODE 24\n"
                "         ENTRY PROG\n"
                "         EXTRN ELSE\n"
                "         WXTRN WEAK\n"
                "         PUNCH 'X'\n"
                "         REPRO\n"
                "this line is not for the assembler\n"
                "         DC    V(PROG),A(WEAK)\n"
                "GO       OPSYN BR\n"
                "         GO    14\n"
                ".SEQ     LR    1,2\n"
                "         DROP  , all\n"
                "         ORG   , back\n"
                "\n"
                "* comment\n"
                ".* another\n",
                "00000000 00000000 07FE 1812");
    check_errors("P        CSECT\n"
                 "         EXTRN ELSE\n"
                 "         DC    A(ELSE)\n"
                 "         ENTRY GONE\n"
                 "         POP   USING\n"
                 "         MEND\n"
                 "         MEXIT\n"
                 "P        DSECT\n"
                 "Q        START 0\n"
                 "Q        USING P,12\n"
                 "         USING P\n"
                 "         USING P,16\n"
                 "         DROP  5\n",
                 "t.s:3:18: error: external symbol ELSE cannot be resolved: there is no linkage editor\n"
                 "t.s:4:16: error: undefined symbol GONE\n"
                 "t.s:5:16: error: POP USING without PUSH USING\n"
                 "t.s:6:10: error: MEND without MACRO\n"
                 "t.s:7:10: error: MEXIT outside a macro\n"
                 "t.s:8:1: error: P is a control section\n"
                 "t.s:9:10: error: START must come before every other control section\n"
                 "t.s:10:1: error: USING with a label is not supported\n"
                 "t.s:11:17: error: USING needs a base register\n"
                 "t.s:12:18: error: a base register is a number from 0 to 15\n"
                 "t.s:13:16: warning: register 5 is no base register here\n");
}

/* ---- lines ---- */

/* Appends the text, filled with blanks up to column 71, and a mark in 72. */
static void add_card(struct bytes *to, const char *text, char mark, const char *sequence) {
    bytes_printf(to, "%-71s%c%s\n", text, mark, sequence);
}

static void test_cards_continue_in_column_16(void **state) {
    (void)state;
    struct bytes s = {0};
    /* a string through column 71; operands behind a comma with remarks; remarks that go on */
    char card[80] = "         DC    C'", expected[256] = "";
    for (size_t i = strlen(card); i < 71; i++) {
        strcat(card, "A");
        strcat(expected, "C1");
    }
    add_card(&s, card, 'X', "00010000");
    add_card(&s, "               BB',X'01'", ' ', "00020000");
    add_card(&s, "         DC    X'02',          FIRST", '-', "");
    add_card(&s, "               X'03',          SECOND", '-', "");
    add_card(&s, "                  X'04'        THIRD", ' ', "");
    add_card(&s, "         DC    X'05'           A REMARK WHICH", 'X', "");
    add_card(&s, "               GOES ON, WITH 'QUOTES", ' ', "00050000");
    add_card(&s, "*        A COMMENT", 'X', "");
    add_card(&s, "               LR 1,2", ' ', "");
    strcat(expected, "C2C2 01 02 03 04 05");
    check_bytes((const char *)s.data, expected);
    bytes_fini(&s);
}

static void test_long_lines_are_free_form(void **state) {
    (void)state;
    struct bytes s = {0};
    char expected[256] = "";
    bytes_printf(&s, "         DC    C'"); /* beyond column 80: whole */
    for (unsigned i = 0; i < 70; i++) {
        bytes_printf(&s, "A");
        strcat(expected, "C1");
    }
    bytes_printf(&s, "'    and a remark\n");
    bytes_printf(&s, "         DC    X'01'  a remark that goes beyond column 72, and even a bit beyond 80\n");
    bytes_printf(&s, "         DC    X'02'  a remark that runs through column seventy-two, but\n");
    bytes_printf(&s, "         DC    X'03'\n");
    bytes_printf(&s, "\tDC\tX'04'\t\ttabs\r\n");
    strcat(expected, "01020304");
    check_bytes((const char *)s.data, expected);
    bytes_fini(&s);
    add_card(&s, "         DC    X'01'", 'X', "");
    bytes_printf(&s, "         DC    X'02'\n");
    check_errors((const char *)s.data,
                 "t.s:1:72: warning: column 72 is not blank, but the next line does not continue this one: its columns "
                 "1 to 15 must be blank\n");
    bytes_fini(&s);
}

static void test_diagnostics_of_continued_lines_have_their_own_place(void **state) {
    (void)state;
    struct bytes s = {0};
    add_card(&s, "         DC    X'01',", 'X', "");
    add_card(&s, "               X'0G',", 'X', "");
    add_card(&s, "                 A(NOWHERE)", ' ', "");
    bytes_printf(&s, "         DC    C'OPEN\n");
    bytes_printf(&s, "\tDC    A(\xC3\xA4)\n");
    check_errors((const char *)s.data, "t.s:2:19: error: this is no hexadecimal digit\n"
                                       "t.s:3:20: error: undefined symbol NOWHERE\n"
                                       "t.s:4:16: error: a quote in the operands is not closed\n"
                                       "t.s:5:17: error: an expression cannot begin like this\n");
    bytes_fini(&s);
}

/* ---- macros and COPY ---- */

static void test_macros_replace_their_parameters(void **state) {
    (void)state;
    check_bytes("         MACRO\n"
                "&LABEL   TABLE &FIRST,&SECOND,&KEY=(7,8),&TEXT='A B'\n"
                ".*       not even in the listing\n"
                "&LABEL   DC    AL1(&FIRST,&SECOND)\n"
                "X&SYSNDX DC    AL1(&KEY(2),&KEY(1))\n"
                "         DC    C&TEXT\n"
                "         DC    C'&&&FIRST..&SECOND',AL1(&SECOND.0)\n"
                "         DC    AL1(L'&LABEL)           &NOPARAMETER here\n"
                "         MEXIT\n"
                "         DC    X'FF'\n"
                "         MEND\n"
                "T1       TABLE 1,2\n"
                "T2       table 3,4,TEXT='it''s, (so)',key=(5,6)\n"
                "         DC    AL1(X0002-X0001)\n",
                "0102 0807 C140C2 50F14BF2 14 01"
                "0304 0605 89A37DA26B404DA2965D 50F34BF4 28 01 0D");
    /* A macro in a macro, one that takes the place of an instruction, omitted operands. */
    check_bytes("         MACRO\n"
                "         OUTER &N\n"
                "         MACRO\n"
                "         INNER &X\n"
                "         DC    AL1(&X)\n"
                "         MEND\n"
                "         INNER &N\n"
                "         MEND\n"
                "         MACRO\n"
                "         LR    &A,&B,&C\n"
                "         DC    C'&A/&B/&C/&SYSLIST(3)'\n"
                "         MEND\n"
                "         OUTER 5\n"
                "         LR    1,,(2,3)\n",
                "05 F16161 4DF26BF35D 61 4DF26BF35D");
}

static void test_macros_report_both_places(void **state) {
    (void)state;
    check_errors("         MACRO\n"
                 "         BAD   &A,&K=1\n"
                 "         LA    &A,NOWHERE\n"
                 "         DC    C'&B'\n"
                 "         MNOTE 8,'NO &A'\n"
                 "         MNOTE 4,'CARE'\n"
                 "         MNOTE *,'SILENT'\n"
                 "         AGO   .X\n"
                 "         MEND\n"
                 "         MACRO\n"
                 "         CALLS &A\n"
                 "         BAD   &A\n"
                 "         MEND\n"
                 "         CALLS 17\n"
                 "         BAD   1,J=2\n"
                 "         MACRO\n"
                 "1X       &A\n",
                 "t.s:3:16: error: a register must be from 0 to 15, not 17\n"
                 "t.s:12:10: note: in the macro BAD called here\n"
                 "t.s:14:10: note: in the macro CALLS called here\n"
                 "t.s:3:19: error: undefined symbol NOWHERE\n"
                 "t.s:12:10: note: in the macro BAD called here\n"
                 "t.s:14:10: note: in the macro CALLS called here\n"
                 "t.s:4:18: error: there is no variable symbol &B here\n"
                 "t.s:12:10: note: in the macro BAD called here\n"
                 "t.s:14:10: note: in the macro CALLS called here\n"
                 "t.s:5:18: error: NO 17\n"
                 "t.s:12:10: note: in the macro BAD called here\n"
                 "t.s:14:10: note: in the macro CALLS called here\n"
                 "t.s:6:18: warning: CARE\n"
                 "t.s:12:10: note: in the macro BAD called here\n"
                 "t.s:14:10: note: in the macro CALLS called here\n"
                 "t.s:8:16: error: there is no sequence symbol .X in this macro\n"
                 "t.s:12:10: note: in the macro BAD called here\n"
                 "t.s:14:10: note: in the macro CALLS called here\n"
                 "t.s:15:18: error: macro BAD has no keyword parameter J\n"
                 "t.s:16:10: error: this macro has no MEND\n"
                 "t.s:17:1: error: the name field of a prototype is empty or a parameter (&NAME)\n"
                 "t.s:17:10: error: the prototype must name the macro\n");
}

struct library {
    const char *names[4], *texts[4];
    char asked[256];
};

static bool read_member(void *self, const char *path, struct bytes *to, struct error *e) {
    struct library *l = self;
    strncat(l->asked, path, sizeof l->asked - strlen(l->asked) - 2);
    strcat(l->asked, " ");
    for (unsigned i = 0; i < 4 && l->names[i]; i++) {
        if (strcmp(path, l->names[i]) == 0) {
            bytes_append(to, l->texts[i], strlen(l->texts[i]));
            return true;
        }
    }
    return error_set(e, ERROR_INPUT, "cannot read %s: not in the library", path);
}

static void test_copy_reads_files_beside_the_one_that_asks(void **state) {
    (void)state;
    struct library l = {.names = {"lib/PSA", "lib/sub/regs.s", "lib/sub/LOOP"},
                        .texts = {"         DC    X'01'\n         COPY  'sub/REGS'\n         DC    X'0G'\n",
                                  "R1       EQU   1\n         COPY  LOOP\n", "         COPY  LOOP\n"}};
    const struct assembler_options options = {.read_file = read_member, .self = &l};
    struct assembly a;
    struct error e = ERROR_CLEAR;
    const char *source = "         COPY  PSA   the page\n         LR    R1,R1\n         COPY  NONE\n";
    assert_false(assemble(&a, "lib/t.s", source, strlen(source), &options, &e));
    assert_string_equal(e.text, "3 errors in lib/t.s");
    check_diagnostics(&a, "lib/sub/LOOP:1:16: error: lib/sub/LOOP copies itself\n"
                          "lib/PSA:3:19: error: this is no hexadecimal digit\n"
                          "lib/t.s:3:16: error: cannot read lib/NONE: not in the library\n");
    assert_memory_equal(l.asked, "lib/PSA lib/sub/REGS lib/sub/regs lib/sub/REGS.s lib/sub/regs.s ", 60);
    assembly_fini(&a);
}

/* ---- limits ---- */

static void check_ends(const char *source, const char *first_error) {
    struct assembly a;
    struct error e = ERROR_CLEAR;
    assert_false(assemble(&a, "t.s", source, strlen(source), NULL, &e));
    const struct diagnostic *d = a.diagnostics;
    while (d->severity != DIAGNOSTIC_ERROR) {
        d++;
    }
    assert_non_null(strstr(d->text, first_error));
    assembly_fini(&a);
}

static void test_runaway_sources_end(void **state) {
    (void)state;
    check_ends(" MACRO\n A\n A\n A\n MEND\n A\n", "nested more than 64 deep");
    check_ends(" MACRO\n M1\n DS F\n DS F\n DS F\n DS F\n DS F\n DS F\n DS F\n DS F\n MEND\n"
               " MACRO\n M2\n M1\n M1\n M1\n M1\n M1\n M1\n M1\n M1\n MEND\n"
               " MACRO\n M3\n M2\n M2\n M2\n M2\n M2\n M2\n M2\n M2\n MEND\n"
               " MACRO\n M4\n M3\n M3\n M3\n M3\n M3\n M3\n M3\n M3\n MEND\n"
               " MACRO\n M5\n M4\n M4\n M4\n M4\n M4\n M4\n M4\n M4\n MEND\n"
               " MACRO\n M6\n M5\n M5\n M5\n M5\n M5\n M5\n M5\n M5\n MEND\n"
               " M6\n",
               "too much source");
    check_ends(" MACRO\n A &X\n A &X&X\n MEND\n A 12345678\n", "longer than 8192 characters");
    check_ends(" DS 16777215X\n DS F\n", "beyond 16 MB");
    check_ends("P DC 16777216X'1'\n ORG P\n DC 16777216X'1'\n ORG P\n DC 16777216X'1'\n ORG P\n DC 16777216X'1'\n"
               " ORG P\n DC 16777216X'1'\n",
               "constants of more than 64 MB");
    struct bytes deep = {0};
    bytes_printf(&deep, " DC A(");
    for (unsigned i = 0; i < 1000; i++) {
        bytes_printf(&deep, "(");
    }
    bytes_printf(&deep, "1");
    for (unsigned i = 0; i < 1000; i++) {
        bytes_printf(&deep, ")");
    }
    bytes_printf(&deep, ")\n");
    check_ends((const char *)deep.data, "nested more than 64 deep");
    bytes_fini(&deep);
    for (unsigned i = 0; i < 9000; i++) {
        bytes_printf(&deep, " XXXX %u\n", i);
    }
    struct assembly a;
    struct error e = ERROR_CLEAR;
    assert_false(assemble(&a, "t.s", (const char *)deep.data, deep.length, NULL, &e));
    assert_int_equal(a.error_count, 9000); /* counted, though not all are kept */
    assert_true(a.diagnostic_count < 3000);
    assert_string_equal(e.text, "9000 errors in t.s");
    assembly_fini(&a);
    bytes_fini(&deep);
}

/* ---- results ---- */

static void test_listing_symbols_and_summary(void **state) {
    (void)state;
    struct assembly a;
    struct error e = ERROR_CLEAR;
    struct bytes symbols = {0};
    const struct assembler_options options = {.listing = true};
    const char *source = "         MACRO\n"
                         "         TWO   &A\n"
                         "         LR    &A,2\n"
                         "         MEND\n"
                         "HELLO    START X'100'\n"
                         "         BALR  12,0\n"
                         "         USING *,12\n"
                         "         TWO   1\n"
                         "         MVC   TEXT(3),=C'ABC'\n"
                         "         L     1,0(2,3)\n"
                         "LEN      EQU   L'TEXT\n"
                         "TEXT     DC    C'HELLO, W\xC3\x96RLD'\n"
                         "         END   HELLO\n";
    assert_true(assemble(&a, "t.s", source, strlen(source), &options, &e));
    check_text((const char *)a.listing.data,
               "  Loc  Object Code      Addr1  Addr2   Stmt  Source Statement\n"
               "                                           1           MACRO\n"
               "                                           2           TWO   &A\n"
               "                                           3           LR    &A,2\n"
               "                                           4           MEND\n"
               "000100                                     5  HELLO    START X'100'\n"
               "000100 05C0                                6           BALR  12,0\n"
               "                                           7           USING *,12\n"
               "                                           8           TWO   1\n"
               "000102 1812                                9+          LR    1,2\n"
               "000104 D202 C00C C01E   00010E 000120     10           MVC   TEXT(3),=C'ABC'\n"
               "00010A 5812 3000               000000     11           L     1,0(2,3)\n"
               "                               00000C     12  LEN      EQU   L'TEXT\n"
               "00010E C8C5D3D3D66B40E6                   13  TEXT     DC    C'HELLO, W\xC3\x96RLD'\n"
               "                                          14           END   HELLO\n"
               "000120 C1C2C3                                               =C'ABC'\n"
               "\n"
               "Cross reference\n"
               "Symbol           Length     Value   Defn  References\n"
               "HELLO                 1  00000100      5      14\n"
               "LEN                   1  0000000C     12  \n"
               "TEXT                 12  0000010E     13      10    12\n"
               "\n"
               "Diagnostics\n");
    assembly_print_symbols(&a, &symbols);
    assert_string_equal((const char *)symbols.data, "HELLO            000100     1 address\n"
                                                    "LEN              00000C     1 value\n"
                                                    "TEXT             00010E    12 address\n");
    bytes_fini(&symbols);
    assembly_fini(&a);
}

static void test_assemble_file_reports_a_missing_file(void **state) {
    (void)state;
    struct assembly a;
    struct error e = ERROR_CLEAR;
    assert_false(assemble_file(&a, "none.s", NULL, &e));
    assert_int_equal(e.kind, ERROR_INPUT);
    assert_non_null(strstr(e.text, "none.s"));
    assembly_fini(&a);
    assert_true(bytes_write_file("a.s", " COPY B\n", 8, &e));
    assert_true(bytes_write_file("b.s", " LR 1,2\n", 8, &e));
    assert_true(assemble_file(&a, "a.s", NULL, &e));
    assert_int_equal(a.image.length, 2);
    assembly_fini(&a);
    assert_true(assemble(&a, "empty.s", "", 0, NULL, &e));
    assert_int_equal(a.image.length, 0);
    assembly_fini(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dc_pads_and_truncates_as_hlasm_does),
        cmocka_unit_test(test_dc_of_characters_is_code_page_037),
        cmocka_unit_test(test_location_counter_in_constants_is_that_of_each_value),
        cmocka_unit_test(test_ds_reserves_and_describes),
        cmocka_unit_test(test_dc_reports_what_does_not_fit),
        cmocka_unit_test(test_operands_as_hlasm_reads_them),
        cmocka_unit_test(test_implied_lengths_come_from_symbols),
        cmocka_unit_test(test_using_picks_the_best_base),
        cmocka_unit_test(test_literals_are_pooled_by_size_and_without_doubles),
        cmocka_unit_test(test_labels_of_instructions_are_aligned),
        cmocka_unit_test(test_instructions_report_their_operands),
        cmocka_unit_test(test_symbols_and_operations_that_are_not_there),
        cmocka_unit_test(test_equates_may_look_forward),
        cmocka_unit_test(test_sections_lie_in_order_of_first_appearance),
        cmocka_unit_test(test_org_moves_the_location_counter),
        cmocka_unit_test(test_cnop_ccw_and_end),
        cmocka_unit_test(test_harmless_directives_do_no_harm),
        cmocka_unit_test(test_cards_continue_in_column_16),
        cmocka_unit_test(test_long_lines_are_free_form),
        cmocka_unit_test(test_diagnostics_of_continued_lines_have_their_own_place),
        cmocka_unit_test(test_macros_replace_their_parameters),
        cmocka_unit_test(test_macros_report_both_places),
        cmocka_unit_test(test_copy_reads_files_beside_the_one_that_asks),
        cmocka_unit_test(test_runaway_sources_end),
        cmocka_unit_test(test_listing_symbols_and_summary),
        unit_test_in_folder(test_assemble_file_reports_a_missing_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
