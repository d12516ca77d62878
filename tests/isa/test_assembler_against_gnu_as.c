/* The assembler and the disassembler against GNU as and objdump for System/390, run as programs.
 *
 * Both assemblers get the same lines with random operands and must make the same bytes. The few S/370 instructions that
 * GNU as no longer knows are given to it as .insn, so their operands are checked as well. The seed is printed;
 * CLOUD370_SEED=N and CLOUD370_CASES=N in the environment choose others. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/random.h"
#include "isa/assembler.h"
#include "isa/disassembler.h"
#include "isa/instruction.h"
#include "tests/support/unit.h"

#define AS "s390x-linux-gnu-as -m31 -mesa"
#define OBJCOPY "s390x-linux-gnu-objcopy -O binary -j .text"
#define OBJDUMP "s390x-linux-gnu-objdump -D -b binary -m s390:31-bit -M esa"

enum { TEXT = 64 };

/* The extended mnemonics, with the instruction that each is. */
static const char *const branches[] = {"b",   "nop",  "bh",  "bl",  "be",   "bnh",  "bnl",  "bne",
                                       "bp",  "bm",   "bz",  "bo",  "bnp",  "bnm",  "bnz",  "bno",
                                       "br",  "nopr", "bhr", "blr", "ber",  "bnhr", "bnlr", "bner",
                                       "bpr", "bmr",  "bzr", "bor", "bnpr", "bnmr", "bnzr", "bnor"};
enum { BRANCHES = sizeof branches / sizeof *branches, MNEMONICS = INSTRUCTION_S370_COUNT + BRANCHES };

static uint64_t seed = 370;
static unsigned cases = 500;    /* of each mnemonic */
static bool unknown[MNEMONICS]; /* to GNU as */

static unsigned draw(struct random *r, unsigned n) { return (unsigned)random_below(r, n); }

static const struct instruction *instruction_of(unsigned mnemonic) {
    if (mnemonic < INSTRUCTION_S370_COUNT) {
        return &instruction_table[mnemonic];
    }
    const char *name = branches[mnemonic - INSTRUCTION_S370_COUNT];
    return instruction_find(name[strlen(name) - 1] == 'r' ? "BCR" : "BC");
}

static void lower(char *to, const char *from) {
    while ((*to++ = (char)tolower((unsigned char)*from++))) {
    }
}

static void mnemonic_text(char *to, unsigned mnemonic) {
    lower(to, mnemonic < INSTRUCTION_S370_COUNT ? instruction_table[mnemonic].mnemonic
                                                : branches[mnemonic - INSTRUCTION_S370_COUNT]);
}

/* A number below n; the edges come often. */
static unsigned number(struct random *r, unsigned n) {
    const unsigned kind = draw(r, 8);
    return kind == 0 ? 0 : kind == 1 ? n - 1 : draw(r, n);
}

static int put_operand(char *to, struct random *r, const char *name, size_t length) {
    const bool nibble = name[length - 1] == 's';
    switch (name[0]) {
    case 'R':
    case 'M': return sprintf(to, "%u", number(r, 16));
    case 'I': return sprintf(to, "%u", number(r, length > 1 && name[1] == '3' ? 16 : 256));
    default: break;
    }
    const unsigned d = number(r, 4096), b = number(r, 16), form = draw(r, 4);
    if (name[1] == 'X') {
        return form == 0   ? sprintf(to, "%u", d)
               : form == 1 ? sprintf(to, "%u(,%u)", d, b)
                           : sprintf(to, "%u(%u,%u)", d, number(r, 16), b);
    }
    if (name[1] == 'L') {
        const unsigned l = number(r, nibble ? 16 : 256) + 1;
        return form == 0 ? sprintf(to, "%u(%u)", d, l) : sprintf(to, "%u(%u,%u)", d, l, b);
    }
    return form == 0 ? sprintf(to, "%u", d) : sprintf(to, "%u(%u)", d, b);
}

static void put_operands(char to[TEXT], struct random *r, unsigned mnemonic) {
    const char *name = instruction_operands((enum instruction_format)instruction_of(mnemonic)->format);
    if (mnemonic >= INSTRUCTION_S370_COUNT) {
        name += strcspn(name, ",") + 1; /* the mask is in the mnemonic */
    }
    *to = 0;
    while (*name) {
        const size_t length = strcspn(name, ",");
        to += put_operand(to, r, name, length);
        name += length;
        if (*name) {
            *to++ = ',';
            *to = 0;
            name++;
        }
    }
}

/* GNU as insists on the even register of a pair where an instruction has one; HLASM and the machine leave it to the
 * programmer. */
static bool refused(unsigned mnemonic, const char *operands) {
    unsigned first = 0, second = 0;
    sscanf(operands, "%u,%u", &first, &second);
    switch (mnemonic) {
    case INSTRUCTION_M:
    case INSTRUCTION_MR:
    case INSTRUCTION_D:
    case INSTRUCTION_DR:
    case INSTRUCTION_SLDA:
    case INSTRUCTION_SLDL:
    case INSTRUCTION_SRDA:
    case INSTRUCTION_SRDL: return first & 1;
    case INSTRUCTION_CDS: return (first | second) & 1;
    default: return false;
    }
}

/* The line for GNU as: the mnemonic, or where it does not know that, .insn with the opcode. */
static void put_oracle_line(struct bytes *to, unsigned mnemonic, const char *operands) {
    char name[TEXT];
    mnemonic_text(name, mnemonic);
    if (!unknown[mnemonic] && !refused(mnemonic, operands)) {
        bytes_printf(to, " %s %s\n", name, operands);
        return;
    }
    const struct instruction *i = instruction_of(mnemonic);
    const unsigned code = i->code > 0xFF ? i->code : (unsigned)i->code << 8;
    const int first = (int)strcspn(operands, ",");
    switch (i->format) {
    case FORMAT_RR: bytes_printf(to, " .insn rr,0x%04x,%s\n", code, operands); break;
    case FORMAT_S: bytes_printf(to, " .insn s,0x%08x,%s\n", code << 16, operands); break;
    case FORMAT_RX: bytes_printf(to, " .insn rx,0x%08x,%s\n", code << 16, operands); break;
    case FORMAT_RS: bytes_printf(to, " .insn rs,0x%08x,%s\n", code << 16, operands); break;
    case FORMAT_RS_SHIFT:
        bytes_printf(to, " .insn rs,0x%08x,%.*s,0%s\n", code << 16, first, operands, operands + first);
        break;
    default: fail_msg("no .insn for %s", name);
    }
}

static void write_file(const char *name, const struct bytes *from) {
    struct error e = ERROR_CLEAR;
    assert_false(from->failed);
    if (!bytes_write_file(name, from->data, from->length, &e)) {
        fail_msg("%s", e.text);
    }
}

static void read_file(struct bytes *to, const char *name) {
    struct error e = ERROR_CLEAR;
    if (!bytes_read_file(to, name, 1 << 28, &e)) {
        fail_msg("%s", e.text);
    }
}

/* GNU as on the source; the bytes of its .text. */
static void oracle_assemble(const struct bytes *source, struct bytes *image) {
    write_file("oracle.s", source);
    if (system(AS " oracle.s -o oracle.o 2>oracle.err") != 0 || system(OBJCOPY " oracle.o oracle.bin") != 0) {
        (void)!system("grep -v Assembler oracle.err | head -20 >&2");
        fail_msg("GNU as refuses its lines");
    }
    read_file(image, "oracle.bin");
}

static void find_unknown(void) {
    struct bytes source = {0}, messages = {0};
    char name[TEXT];
    for (unsigned m = 0; m < MNEMONICS; m++) {
        mnemonic_text(name, m);
        bytes_printf(&source, " %s\n", name);
    }
    write_file("probe.s", &source);
    /* It fails, since operands are missing. */
    assert_int_not_equal(system("LC_ALL=C " AS " probe.s -o probe.o 2>probe.err"), 0);
    read_file(&messages, "probe.err");
    bytes_append(&messages, "", 1);
    for (char *line = strtok((char *)messages.data, "\n"); line; line = strtok(NULL, "\n")) {
        unsigned n;
        if (strstr(line, "nrecognized opcode") && sscanf(line, "probe.s:%u:", &n) == 1 && n >= 1 && n <= MNEMONICS) {
            unknown[n - 1] = true;
        }
    }
    bytes_fini(&source);
    bytes_fini(&messages);
}

static void assemble_or_fail(struct assembly *a, const struct bytes *source) {
    struct error e = ERROR_CLEAR;
    struct bytes text = {0};
    if (!assemble(a, "ours.s", (const char *)source->data, source->length, NULL, &e)) {
        assembly_print_diagnostics(a, &text);
        print_error("%.2000s", (const char *)text.data);
        fail_msg("%s", e.text);
    }
}

/* ---- tests ---- */

static void test_assembler_makes_the_bytes_of_gnu_as(void **state) {
    (void)state;
    struct bytes ours = {0}, theirs = {0}, image = {0};
    struct random r;
    unsigned count = 0, known = 0;
    random_init(&r, seed, "operands");
    find_unknown();
    print_message("seed %llu; not known to GNU as, given as .insn:", (unsigned long long)seed);
    for (unsigned m = 0; m < MNEMONICS; m++) {
        char name[TEXT], operands[TEXT];
        mnemonic_text(name, m);
        if (unknown[m]) {
            print_message(" %s", name);
        }
        known += !unknown[m];
        for (unsigned k = 0; k < cases; k++, count++) {
            put_operands(operands, &r, m);
            bytes_printf(&ours, " %s %s\n", name, operands);
            put_oracle_line(&theirs, m, operands);
        }
    }
    oracle_assemble(&theirs, &image);
    struct assembly a;
    assemble_or_fail(&a, &ours);
    size_t at = 0;
    const char *line = (const char *)ours.data;
    for (unsigned m = 0; m < MNEMONICS; m++) {
        const unsigned length = instruction_of(m)->length;
        for (unsigned k = 0; k < cases; k++, at += length) {
            const int line_length = (int)strcspn(line, "\n");
            assert_true(at + length <= image.length && at + length <= a.image.length);
            if (memcmp(a.image.data + at, image.data + at, length) != 0) {
                char x[13], y[13];
                bytes_to_hex(x, a.image.data + at, length);
                bytes_to_hex(y, image.data + at, length);
                fail_msg("%.*s: we make %s, GNU as %s", line_length, line, x, y);
            }
            line += line_length + 1;
        }
    }
    assert_int_equal(a.image.length, at);
    print_message("\n%u lines, %u mnemonics (%u by name): all bytes alike\n", count, (unsigned)MNEMONICS, known);
    assembly_fini(&a);
    bytes_fini(&ours);
    bytes_fini(&theirs);
    bytes_fini(&image);
}

/* Any instance of the instruction, ignored bits 0. */
static void random_instance(struct random *r, const struct instruction *i, uint8_t text[6]) {
    struct instruction_fields f;
    for (unsigned k = 0; k < 6; k++) {
        text[k] = (uint8_t)draw(r, 256);
    }
    instruction_take(&f, i, text);
    instruction_put(text, i, &f);
}

static void test_gnu_as_reads_the_disassembler(void **state) {
    (void)state;
    struct bytes source = {0}, expected = {0}, image = {0};
    struct random r;
    random_init(&r, seed, "instances");
    for (unsigned id = 0; id < INSTRUCTION_S370_COUNT; id++) {
        for (unsigned k = 0; k < cases; k++) {
            char line[DISASSEMBLER_TEXT], name[DISASSEMBLER_TEXT];
            uint8_t text[6];
            random_instance(&r, &instruction_table[id], text);
            assert_int_equal(disassemble(line, text, 6), instruction_table[id].length);
            lower(name, line);
            const char *operands = name + strcspn(name, " ");
            put_oracle_line(&source, id, operands + strspn(operands, " "));
            bytes_append(&expected, text, instruction_table[id].length);
        }
    }
    oracle_assemble(&source, &image);
    assert_int_equal(image.length, expected.length);
    for (size_t i = 0; i < image.length; i++) {
        if (image.data[i] != expected.data[i]) {
            fail_msg("byte %zu is %02X, GNU as makes it %02X", i, expected.data[i], image.data[i]);
        }
    }
    bytes_fini(&source);
    bytes_fini(&expected);
    bytes_fini(&image);
}

/* objdump writes BC and BCR as extended mnemonics, in a spelling of its own. */
static bool same_mnemonic(unsigned id, const char *ours, const char *theirs) {
    if (id == INSTRUCTION_BC || id == INSTRUCTION_BCR) {
        return theirs[0] == 'b' || strncmp(theirs, "nop", 3) == 0;
    }
    return strcmp(ours, theirs) == 0;
}

static void test_objdump_names_instructions_alike(void **state) {
    (void)state;
    struct bytes image = {0}, text = {0};
    struct random r;
    unsigned ids[INSTRUCTION_S370_COUNT], count = 0, next = 0;
    random_init(&r, seed, "names");
    for (unsigned id = 0; id < INSTRUCTION_S370_COUNT; id++) {
        uint8_t instance[6];
        if (!unknown[id]) {
            random_instance(&r, &instruction_table[id], instance);
            bytes_append(&image, instance, instruction_table[id].length);
            ids[count++] = id;
        }
    }
    write_file("names.bin", &image);
    assert_int_equal(system(OBJDUMP " names.bin >names.txt"), 0);
    read_file(&text, "names.txt");
    bytes_append(&text, "", 1);
    for (char *line = strtok((char *)text.data, "\n"); line; line = strtok(NULL, "\n")) {
        /* "   0:<tab>04 10 <tab>spm<tab>%r1" */
        char *bytes = strchr(line, '\t'), *theirs = bytes ? strchr(bytes + 1, '\t') : NULL, ours[TEXT];
        if (!theirs) {
            continue;
        }
        theirs++;
        theirs[strcspn(theirs, " \t")] = 0;
        assert_true(next < count);
        mnemonic_text(ours, ids[next]);
        if (!same_mnemonic(ids[next], ours, theirs)) {
            fail_msg("%s is %s for objdump", ours, theirs);
        }
        next++;
    }
    assert_int_equal(next, count);
    bytes_fini(&image);
    bytes_fini(&text);
}

int main(void) {
    const char *text = getenv("CLOUD370_SEED"), *many = getenv("CLOUD370_CASES");
    seed = text ? strtoull(text, NULL, 0) : seed;
    cases = many ? (unsigned)strtoul(many, NULL, 0) : cases;
    if (system("command -v s390x-linux-gnu-as >/dev/null") != 0) {
        fprintf(stderr, "skipped: no s390x-linux-gnu-as (package binutils-s390x-linux-gnu)\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_assembler_makes_the_bytes_of_gnu_as),
        cmocka_unit_test(test_gnu_as_reads_the_disassembler),
        cmocka_unit_test(test_objdump_names_instructions_alike),
    };
    return cmocka_run_group_tests(tests, unit_enter_folder, unit_leave_folder);
}
