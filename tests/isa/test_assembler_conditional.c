/* Tests of conditional assembly: every directive, operator and attribute, what is wrong in each, and its limits.
 *
 * Rules are the HLASM Language Reference's; expected bytes come from it, or from the same program written out by hand.
 */
#include <stdio.h>
#include <string.h>

#include "tests/support/assembly.h"
#include "tests/support/unit.h"

struct row {
    const char *expression, *value;
};

/* Each expression, assigned to a SET symbol, gives this value as text. */
static void check_values(const char *operation, const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        char source[2048], plain[1024];
        snprintf(source, sizeof source,
                 "TEN      EQU   10\n"
                 "FIELD    DS    0CL7\n"
                 "&FIVE    SETA  5\n"
                 "&YES     SETB  1\n"
                 "&NO      SETB  (0)\n"
                 "&WORD    SETC  'WORD'\n"
                 "&NUMBER  SETC  '12'\n"
                 "&EMPTY   SETC  ''\n"
                 "&ARRAY(3) SETA 33\n"
                 "&X       %s %s\n"
                 "         DC    C'<&X>'\n",
                 operation, rows[i].expression);
        snprintf(plain, sizeof plain, " DC C'<%s>'\n", rows[i].value);
        check_same(source, plain);
    }
}
#define CHECK_VALUES(operation, rows) check_values(operation, rows, sizeof(rows) / sizeof *(rows))

static void check_problem(const char *operation, const char *operands, unsigned column, const char *text) {
    char source[512], expected[512];
    snprintf(source, sizeof source, "&FIVE    SETA  5\n&WORD    SETC  'WORD'\n&ARRAY(2) SETA 1\n&X       %s %s\n",
             operation, operands);
    snprintf(expected, sizeof expected, "t.s:4:%u: error: %s\n", column, text);
    check_errors(source, expected);
}

/* ---- expressions ---- */

static void test_arithmetic_expressions(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"1+2*3", "7"},
        {"(1+2)*3", "9"},
        {"7/2", "3"},
        {"7/0", "0"},
        {"(0-7)/2+10", "7"},
        {"-5", "5"}, /* the sign is lost where a number becomes text */
        {"+-+-5", "5"},
        {"-5+6", "1"},
        {"X'1F'", "31"},
        {"B'101'+C'A'", "198"},
        {"CA'A'", "65"},
        {"C''''", "125"},
        {"C'&&'", "80"},
        {"X'&FIVE.F'", "95"},
        {"TEN+1", "11"},
        {"L'FIELD", "7"},
        {"&FIVE*&FIVE", "25"},
        {"&NUMBER+1", "13"},
        {"&EMPTY+1", "1"},
        {"&YES+&YES", "2"},
        {"&ARRAY(1+2)", "33"},
        {"&ARRAY(2)", "0"},
        {"&ARRAY(&ARRAY(9)+3)", "33"},
        {"N'&ARRAY", "3"},
        {"K'&WORD", "4"},
        {"K'&FIVE", "1"},
        {"K'&EMPTY", "0"},
        {"2147483647", "2147483647"},
        {"(&FIVE AND 6)", "4"},
        {"(&FIVE OR 2)", "7"},
        {"(&FIVE XOR 1)", "4"},
        {"(NOT -6)", "5"},
        {"(NOT NOT &FIVE)", "5"},
        {"(1 SLL 4)", "16"},
        {"(1 SLL 32)", "0"},
        {"(-1 SRL 28)", "15"},
        {"(-8 SRA 1)+5", "1"},
        {"(3 SLA 2)", "12"},
        {"( 1 + ( 2 * 3 ) )", "7"},
        {"('ABCDE' INDEX 'CD')", "3"},
        {"('ABCDE' INDEX 'X')", "0"},
        {"('ABCDE' FIND 'ED')", "4"},
        {"X2A('FF')", "255"},
        {"B2A('101')", "5"},
        {"D2A('-12')+20", "8"},
        {"C2A('A')", "193"},
        {"ISNUM('12')+ISNUM('X')", "1"},
        {"ISSYM('A1')+ISSYM('1A')", "1"},
        {"D'TEN+D'NOTHERE", "1"},
        {"1 remarks", "1"},
    };
    CHECK_VALUES("SETA", rows);
    check_bytes("&A       SETA  -1\n"
                "         DC    A(&A)\n", /* not what one expects, but what the language says */
                "00000001");
}

static void test_arithmetic_errors(void **state) {
    (void)state;
    check_problem("SETA", "1+", 17, "an operand is missing");
    check_problem("SETA", ")", 15, "an expression cannot begin like this");
    check_problem("SETA", "(1", 17, "an operator or a closing parenthesis should be here");
    check_problem("SETA", "1)", 16, "an operator or the end of the expression should be here");
    check_problem("SETA", "2147483648", 15, "this number is larger than 2147483647");
    check_problem("SETA", "2147483647+1", 25, "this needs more than 32 bits");
    check_problem("SETA", "65536*65536", 20, "this needs more than 32 bits");
    check_problem("SETA", "(1 SLA 31)", 18, "this needs more than 32 bits");
    check_problem("SETA", "'5'", 15, "a number should be here, not characters in quotes");
    check_problem("SETA", "&WORD", 15, "'WORD' is no number");
    check_problem("SETA", "X'1G'", 15, "this is no self-defining term of up to 4 bytes: X'1F', B'101', C'A'");
    check_problem("SETA", "C'ABCDE'", 15, "this is no self-defining term of up to 4 bytes: X'1F', B'101', C'A'");
    check_problem("SETA", "NOTHERE", 15, "NOTHERE must be a number that is defined before this statement");
    check_problem("SETA", "&NONE", 15, "there is no variable symbol &NONE here");
    check_problem("SETA", "& 1", 15, "a single & here: write && for the character");
    check_problem("SETA", "&FIVE(1)", 15, "&FIVE has no dimension (write &FIVE.( where a parenthesis only follows)");
    check_problem("SETA", "&ARRAY", 15, "&ARRAY has a dimension: it needs a subscript");
    check_problem("SETA", "&ARRAY(0)", 15, "a subscript of &ARRAY must be from 1 to 262144, not 0");
    check_problem("SETA", "&ARRAY(1,2)", 15, "a SET symbol has one subscript");
    check_problem("SETA", "&ARRAY(1", 23, "a comma or a closing parenthesis of the subscript should be here");
    check_problem("SETA", "L'NOTHERE", 15, "L': 'NOTHERE' is no symbol that is defined before");
    check_problem("SETA", "K'NOTHERE", 15, "K' needs a variable symbol");
    check_problem("SETA", "S'&FIVE", 15, "attribute S' is not supported, only D' K' L' N' T'");
    check_problem("SETA", "BYTE(256)", 19, "a byte is from 0 to 255, not 256");
    check_problem("SETA", "UPPER(1)", 20, "UPPER needs characters in quotes");
    check_problem("SETA", "X2A('XY')", 18, "'XY' is no number of base 16 and 32 bits");
    check_problem("SETA", "('A' INDEX 5)", 20,
                  "characters and a number cannot be operands of one INDEX (characters stand in quotes)");
    check_problem("SETA", "(1 FIND 5)", 18, "FIND needs characters");
    check_problem("SETA", "('A' AND 'B')", 20, "AND needs numbers");
    check_problem("SETA", "-'A'", 15, "characters have no sign");
    check_problem("SETA", "(NOT 'A')", 16, "NOT needs a number or a condition");
    check_problem("SETA", "&(1A)", 16, "1A is no name for a variable symbol: letters, digits, @ # $ _, no digit first");
    check_problem("SETA", "&(A", 16, "a closing parenthesis is missing");
    check_problem("SETA", "1,2", 15, "&X has no dimension, so it takes one value");
}

static void test_logical_expressions(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"1", "1"},
        {"(0)", "0"},
        {"(5)", "1"},
        {"(&YES)", "1"},
        {"(&FIVE EQ 5)", "1"},
        {"(&FIVE NE 5)", "0"},
        {"(&FIVE LT 6)", "1"},
        {"(&FIVE LE 5)", "1"},
        {"(&FIVE GT 5)", "0"},
        {"(&FIVE GE 6)", "0"},
        {"(-1 LT 1)", "1"},
        {"('&WORD' EQ 'WORD')", "1"},
        {"('A' LT 'B')", "1"},
        {"('B' LT 'AA')", "1"}, /* the shorter one is less */
        {"('a' LT 'A')", "1"},  /* in EBCDIC */
        {"('9' GT 'Z')", "1"},
        {"('' EQ '&EMPTY')", "1"},
        {"(NOT &YES)", "0"},
        {"(NOT (&FIVE EQ 4))", "1"},
        {"(NOT &FIVE EQ 4)", "1"},
        {"(&YES AND &NO)", "0"},
        {"(&YES OR &NO)", "1"},
        {"(&YES XOR &YES)", "0"},
        {"(&YES AND NOT &NO)", "1"},
        {"(&NO OR NOT &NO)", "1"},
        {"(&YES XOR NOT &YES)", "1"},
        {"(1 AND 2)", "1"}, /* of conditions: both are true */
        {"((5 AND 2) EQ 0)", "1"},
        {"(1 OR 1 AND 0)", "1"}, /* AND before OR */
        {"((1 OR 1) AND 0)", "0"},
        {"(1 XOR 1 OR 1)", "0"}, /* OR before XOR */
        {"(&FIVE+1 EQ 2*3)", "1"},
        {"('&WORD'(1,1) EQ 'W' AND K'&WORD EQ 4)", "1"},
        {"(T'&WORD EQ 'U')", "1"},
        {"('A'EQ'A'OR'B'EQ'C')", "1"},
        {"((((&YES))))", "1"},
        {"(&five eq 5 and not &no)", "1"},
        {"('IT''S' EQ 'IT'.''''.'S')", "1"},
    };
    CHECK_VALUES("SETB", rows);
    check_problem("SETB", "('A' EQ 1)", 20,
                  "characters and a number cannot be operands of one EQ (characters stand in quotes)");
    check_problem("SETB", "('A')", 15, "a condition should be here, not characters");
    check_problem("SETB", "(1 EQ)", 20, "an expression cannot begin like this");
    check_problem("SETB", "(1 EQUALS 2)", 18, "an operator or a closing parenthesis should be here");
}

static void test_character_expressions(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"'ABC'", "ABC"},
        {"'A'.'B'", "AB"},
        {"'A''B'", "A''B"}, /* one quote, which the DC of the test needs doubled: see below */
        {"'ABC'(2,2)", "BC"},
        {"'ABC'(2,*)", "BC"},
        {"'ABC'(2,99)", "BC"},
        {"'ABC'(4,0)", ""},
        {"'ABC'(&FIVE-4,1)", "A"},
        {"'&WORD'(2,2).'X'", "ORX"},
        {"'&WORD'(1,1)'X'", "WX"},
        {"(3)'AB'", "ABABAB"},
        {"(2)'ABC'(1,2)", "ABAB"},
        {"(0)'AB'", ""},
        {"'A'.(&FIVE-3)'B'.'C'", "ABBC"},
        {"'&WORD.S'", "WORDS"},
        {"'&WORD..'", "WORD."},
        {"'&FIVE&YES'", "51"},
        {"'&ARRAY(3)'", "33"},
        {"'&(WO&EMPTY.RD)'", "WORD"},
        {"T'&FIVE", "N"},
        {"T'&EMPTY", "O"},
        {"T'FIELD", "C"},
        {"T'TEN", "U"},
        {"T'NOTHERE", "U"},
        {"(UPPER 'abc')", "ABC"},
        {"UPPER('a').'b'", "Ab"},
        {"(LOWER '&WORD')", "word"},
        {"(UPPER 'abc')(2,1)", "B"},
        {"(SIGNED -5)", "-5"},
        {"SIGNED(5)", "5"},
        {"BYTE(X'C1')", "A"},
        {"A2X(255)", "000000FF"},
        {"A2B(5)(30,3)", "101"},
        {"A2D(-5)", "-5"},
        {"A2D(5)", "+5"},
        {"'A&&B'", "A&&B"},
        {"'A' remarks", "A"},
        {"'&SYSDATE &SYSTIME &SYSDATC &SYSPARM'", "01/01/70 00.00 19700101 "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].expression, "'A''B'") != 0 && strcmp(rows[i].expression, "A2B(5)(30,3)") != 0) {
            check_values("SETC", &rows[i], 1);
        }
    }
    check_bytes("&Q       SETC  'A''B'\n"
                "&N       SETA  K'&Q\n"
                "&D       SETC  (DOUBLE '&Q')\n"
                "         DC    AL1(&N),C'&D'\n",
                "03 C17DC2");
    check_bytes("&AMP     SETC  '&&'(1,1)\n"
                "&PAIR    SETC  '&&'\n"
                "&N       SETA  K'&AMP*16+K'&PAIR\n"
                "         DC    AL1(&N),C'&AMP&AMP&PAIR'\n",
                "12 5050");
}

static void test_character_errors(void **state) {
    (void)state;
    check_problem("SETC", "'ABC", 15, "the quote is not closed");
    check_problem("SETC", "&WORD", 15, "'WORD' is no number");
    check_problem("SETC", "5", 15, "characters in quotes should be here");
    check_problem("SETC", "'ABC'(0,1)", 20, "a substring from character 0 of 3");
    check_problem("SETC", "'ABC'(4,1)", 20, "a substring from character 4 of 3");
    check_problem("SETC", "'ABC'(1,-1)", 20, "the length of a substring cannot be -1");
    check_problem("SETC", "'ABC'(1)", 22, "a substring is 'characters'(start,length)");
    check_problem("SETC", "'A'.5", 19, "only characters can be joined to characters: write '&NAME'");
    check_problem("SETC", "(1025)'A'", 15, "these are more than 1024 characters");
    check_problem("SETC", "(0-1)'A'", 15, "a duplication factor cannot be negative");
    check_problem("SETC", "(600)'A'.(600)'B'", 24, "these are more than 1024 characters");
    check_problem("SETC", "'&NONE'", 16, "there is no variable symbol &NONE here");
    check_problem("SETC", "'A&B'", 17, "there is no variable symbol &B here");
    check_problem("SETC", "'&SYSNDX'", 16, "&SYSNDX has a value in macros only");
    check_problem("SETC", "'&SYSDATE(1)'", 16, "&SYSDATE has no subscripts");
}

/* ---- SET symbols ---- */

static void test_set_symbols_are_local_or_global(void **state) {
    (void)state;
    check_same("         MACRO\n"
               "         COUNT\n"
               "         GBLA  &TOTAL,&EACH(10)\n"
               "         LCLA  &MINE,OTHER\n"
               "         LCLB  &FLAG\n"
               "         LCLC  &TEXT,&LIST(3)\n"
               "         DC    C'&MINE&FLAG<&TEXT&LIST(2)>'\n"
               "&MINE    SETA  &MINE+1\n"
               "&TOTAL   SETA  &TOTAL+1\n"
               "&EACH(&TOTAL) SETA &TOTAL*10\n"
               "&TEXT    SETC  'X'\n"
               "         DC    AL1(&MINE,&TOTAL,&EACH(&TOTAL))\n"
               "         MEND\n"
               "         GBLA  &TOTAL\n"
               "&MINE    SETA  9\n"
               "         COUNT\n"
               "         COUNT\n"
               "         DC    AL1(&TOTAL,&MINE)\n"
               "&LIST(2) SETC  'B','C',,'E'\n"
               "         DC    C'&LIST(1).&LIST(2).&LIST(3)&LIST(4)&LIST(5)'\n"
               "&I       SETA  7\n"
               "&(V&I)   SETA  77\n"
               "         DC    AL1(&V7,&(V&I))\n",
               " DC C'00<>',AL1(1,1,10)\n DC C'00<>',AL1(1,2,20)\n DC AL1(2,9)\n DC C'BCE',AL1(77,77)\n");
    check_errors("         MACRO\n"
                 "         M     &P\n"
                 "&P       SETC  'X'\n"
                 "         LCLC  &P\n"
                 "         GBLA  &SHARED\n"
                 "         MEND\n"
                 "&A       SETA  1\n"
                 "&A       SETC  'X'\n"
                 "&A(2)    SETA  1\n"
                 "         LCLA  &A\n"
                 "         LCLB  &A\n"
                 "         GBLA  &A\n"
                 "         GBLB  &SHARED\n"
                 "         M     1\n"
                 "         LCLA  &B(0)\n"
                 "         LCLA  B C\n"
                 "         LCLA  &C,\n"
                 "         LCLA  &D;\n"
                 "         SETA  1\n"
                 "A        SETA  1\n"
                 "&E.F     SETA  1\n"
                 "&SYSNDX  SETA  1\n"
                 "         GBLC  &SYSLIST\n"
                 "&F(300000) SETA 1\n"
                 "&G       SETAF 1\n",
                 "t.s:8:1: error: &A is a SETA symbol\n"
                 "t.s:9:1: error: &A has no dimension (write &A.( where a parenthesis only follows)\n"
                 "t.s:11:16: error: &A is already declared: a local SETA symbol without dimension\n"
                 "t.s:12:16: error: &A is already declared: a local SETA symbol without dimension\n"
                 "t.s:3:1: error: &P is a parameter of the macro\n"
                 "t.s:14:10: note: in the macro M called here\n"
                 "t.s:4:16: error: &P is a parameter of the macro\n"
                 "t.s:14:10: note: in the macro M called here\n"
                 "t.s:5:16: error: &SHARED is already declared: a global SETB symbol without dimension\n"
                 "t.s:14:10: note: in the macro M called here\n"
                 "t.s:15:16: error: a dimension is one number from 1 to 262144\n"
                 "t.s:17:19: error: a variable symbol (&NAME) should be here\n"
                 "t.s:18:18: error: a comma or the end of the operands should be here\n"
                 "t.s:19:10: error: SETA needs a variable symbol in the name field\n"
                 "t.s:20:1: error: a variable symbol (&NAME) should be here\n"
                 "t.s:21:3: error: unexpected text behind the variable symbol\n"
                 "t.s:22:1: error: &SYSNDX is a system variable symbol\n"
                 "t.s:23:16: error: &SYSLIST is a system variable symbol\n"
                 "t.s:24:1: error: a subscript of &F must be from 1 to 262144, not 300000\n"
                 "t.s:25:10: error: SETAF is not supported\n");
}

/* ---- branches ---- */

static void test_branches_in_macros_and_in_open_code(void **state) {
    (void)state;
    const char *loop = "         LCLA  &I\n"
                       ".LOOP    AIF   (&I GE 5).DONE     remarks\n"
                       "&I       SETA  &I+1\n"
                       "         AIF   (&I EQ 2).LOOP,(&I EQ 3).THREE,(&I EQ 3).LOOP\n"
                       "         DC    AL1(&I)\n"
                       "         AGO   .LOOP\n"
                       ".THREE   DC    C'3'\n"
                       "         AGO   .loop          in either case\n"
                       ".DONE    ANOP  ,\n";
    struct bytes s = {0};
    bytes_printf(&s, "%s", loop);
    check_bytes((const char *)s.data, "01F30405");
    bytes_fini(&s);
    bytes_printf(&s, "         MACRO\n         LOOPS\n%s.END     MEND\n         LOOPS\n         LOOPS\n", loop);
    check_bytes((const char *)s.data, "01F3040501F30405");
    bytes_fini(&s);
    check_bytes("         MACRO\n"
                "         CASE  &N\n"
                "         AGO   (&N).ONE,.TWO\n"
                "         DC    X'FF'\n"
                "         MEXIT\n"
                ".ONE     DC    X'01'\n"
                "         AGO   .END\n"
                ".TWO     DC    X'02'\n"
                ".END     MEND\n"
                "         CASE  2\n"
                "         CASE  1\n"
                "         CASE  3\n"
                "         CASE  0\n",
                "0201FFFF");
    /* What is skipped is not even looked at, but macros have their own sequence symbols. */
    check_bytes("         AGO   .X\n"
                "         FROBNICATE &NONE\n"
                "         MACRO\n"
                "         M\n"
                ".X       ANOP\n"
                "         MEND\n"
                ".X       DC    X'01'\n",
                "01");
}

static void test_branch_errors(void **state) {
    (void)state;
    check_errors("         AIF   1.X\n"
                 "         AIF   (1)X\n"
                 "         AIF   (1 EQ 2)\n"
                 "         AIF   (1 EQ 2).X,\n"
                 "         AIF   (1 EQ 2).X;\n"
                 "         AIF   ('A').X\n"
                 "         AGO   X\n"
                 "         AGO   .X,.Y\n"
                 "         AGO   (1\n"
                 "         AGO\n"
                 "         ACTR  'A'\n"
                 "         ACTR  5;\n"
                 "         AGO   .NONE\n"
                 ".X       ANOP\n"
                 ".X       ANOP\n"
                 "&OP      SETC  'AGO'\n"
                 "         &OP   .X\n"
                 "         MACRO\n"
                 "         M\n"
                 ".A       ANOP\n"
                 ".A       ANOP\n"
                 "         AIF   (&X).A\n"
                 "         AGO   .X\n"
                 "         MEND\n"
                 "         M\n",
                 "t.s:1:16: error: a condition in parentheses should be here\n"
                 "t.s:2:19: error: a sequence symbol (.NAME) should be here\n"
                 "t.s:3:24: error: a sequence symbol (.NAME) should be here\n"
                 "t.s:4:27: error: a condition in parentheses should be here\n"
                 "t.s:5:26: error: a comma or the end of the operands should be here\n"
                 "t.s:6:16: error: a condition should be here, not characters\n"
                 "t.s:7:16: error: a sequence symbol (.NAME) should be here\n"
                 "t.s:8:18: error: unexpected text behind the sequence symbol\n"
                 "t.s:9:18: error: an operator or a closing parenthesis should be here\n"
                 "t.s:10:13: error: a sequence symbol (.NAME) should be here\n"
                 "t.s:11:16: error: a number should be here, not characters in quotes\n"
                 "t.s:12:17: error: an operator or the end of the expression should be here\n"
                 "t.s:13:16: error: there is no sequence symbol .NONE in this source\n"
                 "t.s:15:1: error: sequence symbol .X is already on another line\n"
                 "t.s:17:10: error: AGO cannot be made by replacing a variable symbol\n"
                 "t.s:24:10: error: sequence symbol .A is twice in macro M\n"
                 "t.s:21:1: note: the second one is here\n"
                 "t.s:22:17: error: there is no variable symbol &X here\n"
                 "t.s:25:10: note: in the macro M called here\n"
                 "t.s:23:16: error: there is no sequence symbol .X in this macro\n"
                 "t.s:25:10: note: in the macro M called here\n");
}

static void test_endless_loops_end(void **state) {
    (void)state;
    check_errors(".X       AGO   .X\n"
                 "         DC    X'01'\n",
                 "t.s:1:10: error: too many branches of AIF and AGO (ACTR; 4096 without it): an endless loop?\n");
    check_errors("         MACRO\n"
                 "         INNER\n"
                 ".X       AIF   (1).X\n"
                 "         MEND\n"
                 "         MACRO\n"
                 "         OUTER\n"
                 ".Y       INNER\n"
                 "         AGO   .Y\n"
                 "         MEND\n"
                 "         OUTER\n"
                 "         LR    16,0\n",
                 "t.s:3:10: error: too many branches of AIF and AGO (ACTR; 4096 without it): an endless loop?\n"
                 "t.s:7:10: note: in the macro INNER called here\n"
                 "t.s:10:10: note: in the macro OUTER called here\n"
                 "t.s:11:16: error: a register must be from 0 to 15, not 16\n");
    /* ACTR, smaller and larger; each macro call has its own. */
    check_errors("         ACTR  2\n"
                 ".X       ANOP\n"
                 "&I       SETA  &I+1\n"
                 "         AIF   (&I LT 3).X\n"
                 "         AIF   (&I LT 4).X\n",
                 "t.s:5:10: error: too many branches of AIF and AGO (ACTR; 4096 without it): an endless loop?\n");
    check_bytes("         ACTR  10000\n"
                "&I       SETA  0\n"
                ".X       ANOP\n"
                "&I       SETA  &I+1\n"
                "         AIF   (&I LT 9000).X\n"
                "         DC    Y(&I)\n",
                "2328");
    check_errors("         MACRO\n"
                 "         M\n"
                 "         ACTR  2147483647\n"
                 ".X       AGO   .X\n"
                 "         MEND\n"
                 "         M\n",
                 "t.s:4:10: error: too much conditional assembly: an endless loop?\n"
                 "t.s:6:10: note: in the macro M called here\n");
    check_errors(
        "         ACTR  2147483647\n"
        ".X       AGO   .X\n",
        "t.s:2:1: error: too much source: more than 500000 statements, 200000 of them from macros, or 32 MB\n");
    check_errors("         ACTR  2147483647\n"
                 "&I       SETA  1\n"
                 ".X       ANOP\n"
                 "&(V&I)   SETC  (1024)'X'\n"
                 "&I       SETA  &I+1\n"
                 "         AGO   .X\n",
                 "t.s:4:16: error: too much conditional assembly: macro calls and SET symbols of more than 64 MB\n");
}

/* ---- macros ---- */

static void test_operands_of_macros(void **state) {
    (void)state;
    check_same("         MACRO\n"
               "&L       M     &A,&B,&K=(7,(8,9))\n"
               "         LCLC  &S\n"
               "&S       SETC  '&SYSLIST(0)/&SYSLIST(1)/&SYSLIST(2,1)/&SYSLIST(3)/&SYSLIST(4)'\n"
               "         DC    C'&S'\n"
               "         DC    C'&B(2)&B(2,1)&K(2,2)/&B(9)&A(1)&A(2)'\n"
               "&N1      SETA  N'&SYSLIST\n"
               "&N2      SETA  N'&B\n"
               "&N3      SETA  N'&K(2)\n"
               "&N4      SETA  N'&A+N'&SYSLIST(2)*16\n"
               "&N5      SETA  K'&B\n"
               "         DC    AL1(&N1,&N2,&N3,&N4,&N5)\n"
               "&T       SETC  T'&A.T'&B.T'&SYSLIST(3).T'&SYSLIST(4).T'&L\n"
               "         DC    C'&T.&SYSMAC&SYSNEST.&SYSNDX'\n"
               "         MEND\n"
               "LAB      M     12,(X,(Y,Z),),LAB\n"
               "         M\n"
               ".SEQ     M     ,X\n"
               "LAB      DS    F\n",
               " DC C'LAB/12/X/LAB/'\n DC C'(Y,Z)Y9/12',AL1(3,3,2,49,10)\n DC C'NUUOUM10001'\n"
               " DC C'////'\n DC C'9/',AL1(0,0,2,0,0)\n DC C'OOOOOM10002'\n"
               " DC C'//X//'\n DC C'9/',AL1(2,1,2,16,1)\n DC C'OUOOOM10003'\n DS F\n");
    check_errors("         MACRO\n"
                 "         M     &A\n"
                 "         DC    C'&SYSLIST'\n"
                 "         DC    C'&SYSLIST(-1)'\n"
                 "         DC    C'&A(0)'\n"
                 "         DC    C'&A(1,1,1,1,1,1,1,1,1)'\n"
                 "         DC    C'&SYSNDX(1)'\n"
                 "         COPY  &A\n"
                 "         MEND\n"
                 "         M     (1,2)\n",
                 "t.s:8:16: error: cannot read &A: No such file or directory\n"
                 "t.s:3:18: error: &SYSLIST needs a subscript: &SYSLIST(1) is the first operand\n"
                 "t.s:10:10: note: in the macro M called here\n"
                 "t.s:4:18: error: a subscript of &SYSLIST must be 0 or more, not -1\n"
                 "t.s:10:10: note: in the macro M called here\n"
                 "t.s:5:18: error: a subscript of &A must be 1 or more, not 0\n"
                 "t.s:10:10: note: in the macro M called here\n"
                 "t.s:6:37: error: more than 8 subscripts\n"
                 "t.s:10:10: note: in the macro M called here\n"
                 "t.s:7:18: error: &SYSNDX has no subscripts\n"
                 "t.s:10:10: note: in the macro M called here\n");
}

/* A replaced variable symbol is one piece, whatever is in it. */
static void test_replaced_commas_and_blanks_do_not_divide(void **state) {
    (void)state;
    check_same("         MACRO\n"
               "         M     &A,&B,&K=\n"
               "&N       SETA  N'&SYSLIST\n"
               "         DC    AL1(&N),C'&A/&B/&K'\n"
               "         MEND\n"
               "&X       SETC  'P,Q'\n"
               "&Y       SETC  'R S'\n"
               "&Z       SETC  'K=1'\n"
               "         M     &X,&Y\n"
               "         M     &Z,2,K=&X\n"
               "         M     A.&X.B\n",
               " DC AL1(2),C'P,Q/R S/'\n DC AL1(2),C'K=1/2/P,Q'\n DC AL1(1),C'A.P,QB//'\n");
}

static void test_sections_and_types_that_macros_see(void **state) {
    (void)state;
    check_same("         MACRO\n"
               "         DATA\n"
               "D        DSECT\n"
               "X        DS    F\n"
               "&SYSECT  CSECT\n"
               "         DC    C'&SYSECT'\n"
               "         MEND\n"
               "MAIN     CSECT\n"
               "         DATA\n"
               "         MACRO\n"
               "         TYPES &NAMES\n"
               "         LCLA  &I\n"
               "         LCLC  &T\n"
               ".L       ANOP\n"
               "&I       SETA  &I+1\n"
               "&T       SETC  '&T'.T'&NAMES(&I)\n"
               "         AIF   (&I LT N'&NAMES).L\n"
               "         DC    C'&T'\n"
               "         MEND\n"
               "I        LR    1,2\n"
               "P        DC    P'1'\n"
               "W        CCW   1,0,0,1\n"
               "E        EQU   5\n"
               "Q        EQU   5,1,C'Q'\n"
               "         EXTRN T\n"
               "         WXTRN U\n"
               "         TYPES (MAIN,I,P,W,E,Q,T,U,X,LATER,E+1,C'A','A',,(E))\n"
               "LATER    DS    H\n",
               "MAIN CSECT\n DC C'MAIN'\n LR 1,2\n DC P'1'\n CCW 1,0,0,1\n DC C'JIPWUQT$FUUNUOU'\n DS H\n");
}

struct library {
    const char *name, *text;
};

static bool read_member(void *self, const char *path, struct bytes *to, struct error *e) {
    const struct library *l = self;
    if (strcmp(path, l->name) != 0) {
        return error_set(e, ERROR_INPUT, "no %s", path);
    }
    bytes_append(to, l->text, strlen(l->text));
    return true;
}

static void check_library(const char *source, struct library l, const char *diagnostics, const char *hex) {
    const struct assembler_options options = {.read_file = read_member, .self = &l};
    struct assembly a;
    struct error e = ERROR_CLEAR;
    char got[256] = "";
    assemble(&a, "t.s", source, strlen(source), &options, &e);
    check_diagnostics(&a, diagnostics);
    assert_true(a.image.length < sizeof got / 2);
    bytes_to_hex(got, a.image.data, a.image.length);
    assert_string_equal(got, hex);
    assembly_fini(&a);
}

static void test_copy_and_conditional_assembly(void **state) {
    (void)state;
    check_library("         MACRO\n"
                  "         M     &A\n"
                  "         COPY  BODY\n"
                  "         DC    X'FF'\n"
                  "         MEND\n"
                  "         M     1\n"
                  "         M     2\n",
                  (struct library){"BODY", "         AIF   (&A EQ 2).TWO\n"
                                           "         DC    AL1(&A)\n"
                                           "         MEXIT\n"
                                           ".TWO     DC    X'22'\n"},
                  "", "0122FF");
    /* Out of a copied file, and back into it. */
    check_library("&I       SETA  0\n"
                  "&NAME    SETC  'FILE'\n"
                  "         COPY  &NAME\n"
                  "         DC    X'EE'\n"
                  "         AGO   .BACK\n"
                  "         DC    X'DD'\n"
                  ".OUT     DC    X'FF'\n",
                  (struct library){"FILE", ".BACK    ANOP\n"
                                           "&I       SETA  &I+1\n"
                                           "         DC    AL1(&I)\n"
                                           "         AIF   (&I EQ 3).OUT\n"
                                           "         DC    X'AA'\n"},
                  "", "01AAEE02AAEE03FF");
    check_library("         MACRO\n"
                  "         M     &OP\n"
                  "         &OP   FILE\n"
                  "         MEND\n"
                  "         M     COPY\n",
                  (struct library){"FILE", ""},
                  "t.s:3:10: error: COPY cannot be made by a macro: write it where the macro is defined\n"
                  "t.s:5:10: note: in the macro M called here\n",
                  "");
}

static void test_macros_call_themselves_up_to_a_limit(void **state) {
    (void)state;
    check_same("         MACRO\n"
               "         POWERS &N,&LAST\n"
               "         DC    AL1(&N)\n"
               "         AIF   (&N EQ &LAST).END\n"
               "&NEXT    SETA  2*&N\n"
               "         POWERS &NEXT,&LAST\n"
               ".END     MEND\n"
               "         POWERS 1,128\n",
               " DC AL1(1,2,4,8,16,32,64,128)\n");
    check_errors("&I       SETA  0\n" /* once, though it happens ten times */
                 ".L       DC    A(NONE)\n"
                 "&I       SETA  &I+1+&NONE\n"
                 "         AIF   (&I NE 9).L\n"
                 "         MNOTE 4,'END'\n",
                 "t.s:2:18: error: undefined symbol NONE\n"
                 "t.s:3:21: error: there is no variable symbol &NONE here\n"
                 "t.s:4:10: error: too many branches of AIF and AGO (ACTR; 4096 without it): an endless loop?\n");
    struct assembly a;
    struct error e = ERROR_CLEAR;
    const char *bomb = "         MACRO\n"
                       "         BOMB\n"
                       "         GBLC  &S\n"
                       "&S       SETC  '&S&S.X'\n"
                       "         BOMB\n"
                       "         BOMB\n"
                       "         MEND\n"
                       "         BOMB\n";
    assert_false(assemble(&a, "t.s", bomb, strlen(bomb), NULL, &e));
    assert_true(a.diagnostic_count < 5000);
    assembly_fini(&a);
}

static void test_listing_of_generated_lines(void **state) {
    (void)state;
    struct assembly a;
    struct error e = ERROR_CLEAR;
    const struct assembler_options options = {.listing = true};
    const char *source = "         MACRO\n"
                         "         TWO   &N\n"
                         "         AIF   (&N EQ 0).X\n"
                         "         DC    AL1(&N)\n"
                         ".X       DC    X'2'\n"
                         "         MEXIT\n"
                         "         MEND\n"
                         "&A       SETA  1\n"
                         "         TWO   &A\n"
                         "         AGO   .END\n"
                         "         DC    X'FF'\n"
                         ".END     ANOP\n"
                         "         PRINT NOGEN\n"
                         "         TWO   3\n";
    assert_true(assemble(&a, "t.s", source, strlen(source), &options, &e));
    bytes_append(&a.listing, "", 1);
    const char *from = strstr((const char *)a.listing.data, "     8  &A");
    assert_non_null(from);
    const char *expected = "     8  &A       SETA  1\n"
                           "                                           9           TWO   &A\n"
                           "                                          10+          TWO   1\n"
                           "000000 01                                 11+          DC    AL1(1)\n"
                           "000001 02                                 12+          DC    X'2'\n"
                           "                                          13           AGO   .END\n"
                           "                                          14  .END     ANOP\n"
                           "                                          15           PRINT NOGEN\n"
                           "                                          16           TWO   3\n"
                           "\n";
    assert_memory_equal(from, expected, strlen(expected));
    assembly_fini(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arithmetic_expressions),
        cmocka_unit_test(test_arithmetic_errors),
        cmocka_unit_test(test_logical_expressions),
        cmocka_unit_test(test_character_expressions),
        cmocka_unit_test(test_character_errors),
        cmocka_unit_test(test_set_symbols_are_local_or_global),
        cmocka_unit_test(test_branches_in_macros_and_in_open_code),
        cmocka_unit_test(test_branch_errors),
        cmocka_unit_test(test_endless_loops_end),
        cmocka_unit_test(test_operands_of_macros),
        cmocka_unit_test(test_replaced_commas_and_blanks_do_not_divide),
        cmocka_unit_test(test_sections_and_types_that_macros_see),
        cmocka_unit_test(test_copy_and_conditional_assembly),
        cmocka_unit_test(test_macros_call_themselves_up_to_a_limit),
        cmocka_unit_test(test_listing_of_generated_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
