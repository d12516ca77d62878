/* Writes the instruction reference, docs/instructions.md, from the instruction table and the default cost model.
 *
 *     instruction_reference            to standard output
 *     instruction_reference FILE       into FILE
 *
 * The build target `docs` runs it, and the test docs/generated.sh compares what it writes with the file in
 * the source tree. Everything that can be derived is derived: prose here is only what the table does not hold, and says
 * nothing about single instructions but the few notes in `notes`. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "isa/cost.h"
#include "isa/instruction.h"

static const char *const MODEL = "s370";

/* --- what the table does not hold --------------------------------------------------------------------------------- */

enum group {
    GROUP_WORDS,
    GROUP_SHIFTS,
    GROUP_BRANCHES,
    GROUP_BYTES,
    GROUP_DECIMAL,
    GROUP_STATE,
    GROUP_TRANSLATION,
    GROUP_CLOCKS,
    GROUP_IO,
    GROUP_FLAWED,
    GROUP_COUNT
};

static const char *const titles[GROUP_COUNT] = {
    [GROUP_WORDS] = "Registers, halfwords and words",
    [GROUP_SHIFTS] = "Shifts",
    [GROUP_BRANCHES] = "Branches and calls",
    [GROUP_BYTES] = "Bytes and fields",
    [GROUP_DECIMAL] = "Decimal and conversion",
    [GROUP_STATE] = "PSW, control registers, processors",
    [GROUP_TRANSLATION] = "Translation and storage keys",
    [GROUP_CLOCKS] = "Clocks and timers",
    [GROUP_IO] = "Input/output",
    [GROUP_FLAWED] = "The profile `flawed`",
};

/* Formats as the architecture names them, and their fields from left to right, with their widths in bits. */
static const struct {
    const char *name, *fields;
} formats[FORMAT_COUNT] = {
    [FORMAT_RR] = {"RR", "code 8, R1 4, R2 4"},
    [FORMAT_RR_R1] = {"RR", "code 8, R1 4, ignored 4"},
    [FORMAT_RR_MASK] = {"RR", "code 8, M1 4, R2 4"},
    [FORMAT_RR_SVC] = {"RR", "code 8, I 8"},
    [FORMAT_RX] = {"RX", "code 8, R1 4, X2 4, B2 4, D2 12"},
    [FORMAT_RX_MASK] = {"RX", "code 8, M1 4, X2 4, B2 4, D2 12"},
    [FORMAT_RS] = {"RS", "code 8, R1 4, R3 4, B2 4, D2 12"},
    [FORMAT_RS_MASK] = {"RS", "code 8, R1 4, M3 4, B2 4, D2 12"},
    [FORMAT_RS_SHIFT] = {"RS", "code 8, R1 4, ignored 4, B2 4, D2 12"},
    [FORMAT_SI] = {"SI", "code 8, I2 8, B1 4, D1 12"},
    [FORMAT_S] = {"S", "code 16 (of one-byte codes the second byte is ignored), B2 4, D2 12"},
    [FORMAT_S_NONE] = {"S", "code 16, ignored 16"},
    [FORMAT_RRE] = {"RRE", "code 16, ignored 8, R1 4, R2 4"},
    [FORMAT_SS_L] = {"SS", "code 8, L 8, B1 4, D1 12, B2 4, D2 12"},
    [FORMAT_SS_LL] = {"SS", "code 8, L1 4, L2 4, B1 4, D1 12, B2 4, D2 12"},
    [FORMAT_SS_LI] = {"SS", "code 8, L1 4, I3 4, B1 4, D1 12, B2 4, D2 12"},
    [FORMAT_SSE] = {"SSE", "code 16, B1 4, D1 12, B2 4, D2 12"},
};

static const char *const cc_kinds[CC_COUNT] = {
    [CC_NONE] = "-",
    [CC_ARITHMETIC] = "arithmetic",
    [CC_SIGN] = "sign",
    [CC_CARRY] = "carry",
    [CC_LOGICAL] = "logical",
    [CC_COMPARE] = "compare",
    [CC_MASK] = "mask",
    [CC_TEST] = "test",
    [CC_SCAN] = "scan",
    [CC_EDIT] = "edit",
    [CC_CLOCK] = "clock",
    [CC_LOADED] = "loaded",
    [CC_TRANSLATION] = "translation",
    [CC_REFERENCE] = "reference",
    [CC_PROTECTION] = "protection",
    [CC_SIGNAL] = "signal",
    [CC_IO] = "I/O",
};

static const char *const unit_names[] = {
    [UNIT_NONE] = "",
    [UNIT_SHIFT] = "position",
    [UNIT_REGISTERS] = "register",
    [UNIT_MASK] = "selected byte",
    [UNIT_LENGTH] = "byte",
    [UNIT_LENGTH1] = "byte of the first operand",
    [UNIT_LENGTHS] = "byte of both operands",
    [UNIT_PAIRS] = "pair of bytes",
    [UNIT_PROCESSED] = "byte processed",
};

static const struct {
    uint8_t id; /* enum instruction_id */
    const char *text;
} notes[] = {
    {INSTRUCTION_EX, "its target is charged besides"},
    {INSTRUCTION_SVC, "only the interruption"},
    {INSTRUCTION_TPROT, "its walk is charged apart"},
};

/* --- groups ------------------------------------------------------------------------------------------------------- */

static bool one_of(const struct instruction *i, const char *mnemonics) {
    size_t length = strlen(i->mnemonic);
    for (const char *at = mnemonics; (at = strstr(at, i->mnemonic)); at += length)
        if ((at == mnemonics || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
            return true;
    return false;
}

/* Whether the execution loop may continue elsewhere after it. */
static bool branches(const struct instruction *i) {
    enum { PLAIN, STORAGE, FAR, CONTROL, BRANCH, EXECUTE, SVC };
    static const uint8_t kinds[INSTRUCTION_COUNT] = {
#define INSTRUCTION(code, mnemonic, name, format, cc, privileged, class, unit, kind, ...)                              \
    [INSTRUCTION_##mnemonic] = kind,
#include "isa/instructions.def"
    };
    return kinds[instruction_id(i)] >= BRANCH;
}

/* Lists where nothing in the row tells; a new instruction goes where its row says. */
static enum group group_of(const struct instruction *i) {
    if (i->profile == PROFILE_FLAWED)
        return GROUP_FLAWED;
    if (one_of(i, "STCK SCK SCKC STCKC SPT STPT"))
        return GROUP_CLOCKS;
    if (i->cc == CC_IO)
        return GROUP_IO;
    if (one_of(i, "LRA PTLB IPTE ISK SSK RRB ISKE SSKE RRBE TPROT"))
        return GROUP_TRANSLATION;
    if (i->privileged)
        return GROUP_STATE;
    if (branches(i) || one_of(i, "MC"))
        return GROUP_BRANCHES;
    if (i->format == FORMAT_RS_SHIFT)
        return GROUP_SHIFTS;
    if (i->format == FORMAT_SS_LL || i->format == FORMAT_SS_LI || one_of(i, "CVB CVD ED EDMK"))
        return GROUP_DECIMAL;
    if (one_of(i, "LM STM"))
        return GROUP_WORDS;
    if ((i->length == 2 && i->unit == UNIT_NONE) || i->format == FORMAT_RX)
        return GROUP_WORDS;
    return GROUP_BYTES;
}

/* --- cells of the tables ------------------------------------------------------------------------------------------ */

/* "R1,DXB2" in the table's notation -> R1,D2(X2,B2) in the assembler's. */
static void add_operands(struct bytes *to, enum instruction_format format) {
    static const struct {
        const char *short_form, *long_form;
    } forms[] = {{"DLB1s", "D1(L1,B1)"}, {"DLB2s", "D2(L2,B2)"}, {"DLB1", "D1(L,B1)"},
                 {"DXB2", "D2(X2,B2)"},  {"DB1", "D1(B1)"},      {"DB2", "D2(B2)"}};
    const char *at = instruction_operands(format);
    while (*at) {
        size_t n = 0, count = sizeof forms / sizeof *forms;
        while (n < count && strncmp(at, forms[n].short_form, strlen(forms[n].short_form)) != 0)
            n++;
        if (n == count) {
            bytes_append(to, at++, 1);
        } else {
            bytes_printf(to, "%s", forms[n].long_form);
            at += strlen(forms[n].short_form);
        }
    }
}

static void add_code(struct bytes *to, const struct instruction *i) {
    bytes_printf(to, i->code > 0xFF ? "%04X" : "%02X", i->code);
}

static void add_units(struct bytes *to, const struct cost_row *row, const struct instruction *i) {
    const char *unit = unit_names[i->unit];
    if (row->unit_size == 1)
        bytes_printf(to, " + %u a %s", row->per_unit, unit);
    else if (row->unit_floor)
        bytes_printf(to, " + %u for %u whole %ss", row->per_unit, row->unit_size, unit);
    else if (i->unit == UNIT_PROCESSED)
        bytes_printf(to, " + %u for %u bytes processed", row->per_unit, row->unit_size);
    else
        bytes_printf(to, " + %u for %u %ss", row->per_unit, row->unit_size, unit);
}

static void add_cost(struct bytes *to, const struct cost_model *model, const struct instruction *i) {
    const struct cost_row *row = &model->row[instruction_id(i)];
    bytes_printf(to, "%u", row->base);
    if (row->per_unit)
        add_units(to, row, i);
    if (row->per_doubleword)
        bytes_printf(to, " + %u a doubleword", row->per_doubleword);
    if (row->taken)
        bytes_printf(to, "; taken %u", row->base + row->taken);
    if (row->overlap_base || row->overlap_per_byte)
        bytes_printf(to, "; overlapping, less than 8 bytes apart: %u + %u a byte", row->overlap_base,
                     row->overlap_per_byte);
    for (size_t n = 0; n < sizeof notes / sizeof *notes; n++)
        if (notes[n].id == instruction_id(i))
            bytes_printf(to, "; %s", notes[n].text);
}

static void add_class(struct bytes *to, const struct instruction *i) {
    switch (i->class) {
    case CLASS_INNOCUOUS: bytes_printf(to, "innocuous"); break;
    case CLASS_CONTROL: bytes_printf(to, "control"); break;
    case CLASS_BEHAVIOUR: bytes_printf(to, "behaviour"); break;
    case CLASS_CONTROL | CLASS_BEHAVIOUR: bytes_printf(to, "control, behaviour"); break;
    default: bytes_printf(to, "traps"); break;
    }
    if (*i->reason)
        bytes_printf(to, ": %s", i->reason);
}

/* --- the page ----------------------------------------------------------------------------------------------------- */

static void add_head(struct bytes *to) {
    bytes_printf(to,
                 "<!-- Generated from isa/instructions.def and isa/models/%s.model by the build target `docs`. "
                 "Do not edit. -->\n\n# Instructions\n\n",
                 MODEL);
    bytes_printf(to,
                 "All %d instructions that the simulator executes, by group. What they do in detail is in the manual, "
                 "*IBM System/370\nPrinciples of Operation*; this page is what the program itself knows of them. "
                 "Decoder, execution loop, assembler,\ndisassembler and this page are made from the same table, "
                 "[isa/instructions.def](../isa/instructions.def).\n\n",
                 INSTRUCTION_S370_COUNT);
    bytes_printf(to, "Opcodes that are not here are operation exceptions: there is no floating point, no IPM, and no "
                     "SIE yet. DIAG is a\nspecification exception so far: no monitor gives it a meaning yet.\n\n");
}

static void add_formats(struct bytes *to) {
    bytes_printf(to, "## Formats\n\n"
                     "Operands in the assembler's notation: R register, M mask, I immediate, D displacement, X index, "
                     "B base, L length.\nThe assembler takes a length in bytes; the instruction holds one less.\n\n"
                     "| Format | Bytes | Operands | Fields, with their bits |\n|---|---|---|---|\n");
    for (unsigned f = 0; f < FORMAT_COUNT; f++) {
        unsigned bytes = 0;
        for (unsigned id = 0; id < INSTRUCTION_COUNT; id++)
            if (instruction_table[id].format == f)
                bytes = instruction_table[id].length;
        bytes_printf(to, "| %s | %u | ", formats[f].name, bytes);
        size_t before = to->length;
        bytes_printf(to, "`");
        add_operands(to, (enum instruction_format)f);
        if (to->length == before + 1) {
            to->length = before;
            bytes_printf(to, "none");
        } else {
            bytes_printf(to, "`");
        }
        bytes_printf(to, " | %s |\n", formats[f].fields);
    }
}

static void add_condition_codes(struct bytes *to) {
    bytes_printf(to, "\n## Condition codes\n\n"
                     "The column *Condition code* of the tables below names one of these kinds; `-` leaves it "
                     "unchanged.\n\n| Kind | 0 | 1 | 2 | 3 |\n|---|---|---|---|---|\n");
    for (unsigned kind = CC_NONE + 1; kind < CC_COUNT; kind++) {
        bytes_printf(to, "| %s |", cc_kinds[kind]);
        for (unsigned cc = 0; cc < 4; cc++) {
            const char *text = instruction_cc_text((enum instruction_cc)kind, cc);
            bytes_printf(to, " %s%s |", *text ? text : "-", kind == CC_COMPARE && cc == 3 ? " (MVCL only)" : "");
        }
        bytes_printf(to, "\n");
    }
}

static void add_classes(struct bytes *to) {
    unsigned innocuous = 0, control = 0, behaviour = 0, both = 0, unprivileged = 0;
    for (unsigned id = 0; id < INSTRUCTION_S370_COUNT; id++) {
        const struct instruction *i = &instruction_table[id];
        unsigned sensitive = i->class & (CLASS_CONTROL | CLASS_BEHAVIOUR);
        innocuous += i->class == CLASS_INNOCUOUS;
        control += sensitive == CLASS_CONTROL;
        behaviour += sensitive == CLASS_BEHAVIOUR;
        both += sensitive == (CLASS_CONTROL | CLASS_BEHAVIOUR);
        unprivileged += sensitive && !i->privileged;
    }
    bytes_printf(to,
                 "\n## Popek and Goldberg's classes\n\n"
                 "*Formal Requirements for Virtualizable Third Generation Architectures* (1974) sorts instructions by "
                 "what they do to\nthe machine, which is storage, mode, program counter and relocation:\n\n"
                 "| Class | Meaning | How many |\n|---|---|---|\n"
                 "| innocuous | neither of the two below; runs at full speed in any virtual machine | %u |\n"
                 "| control | control-sensitive: changes mode, relocation or resources | %u |\n"
                 "| behaviour | behaviour-sensitive: its effect depends on mode, relocation or location | %u |\n"
                 "| control, behaviour | both | %u |\n"
                 "| traps | traps in either state, on purpose | %u |\n\n",
                 innocuous, control, behaviour, both, INSTRUCTION_S370_COUNT - innocuous - control - behaviour - both);
    if (!unprivileged)
        bytes_printf(to, "Every sensitive instruction is privileged: in problem state it traps. That is the condition "
                         "of the paper's Theorem 1, so\na monitor that traps and emulates can be built for this "
                         "machine.\n");
    else
        bytes_printf(to,
                     "%u sensitive instructions are not privileged: the condition of the paper's Theorem 1 does "
                     "not hold.\n",
                     unprivileged);
}

static void add_costs(struct bytes *to, const struct cost_model *m) {
    bytes_printf(to,
                 "\n## Costs\n\n"
                 "Cycles in the model `%s` ([cost-models.md](cost-models.md)), a model and not a measurement. Of "
                 "groups of several units,\nstarted ones count, whole ones only where it says so. Besides:\n\n"
                 "| What | Cycles |\n|---|---|\n"
                 "| RX with both X2 and B2 | + %u |\n"
                 "| a halfword, word or doubleword that crosses a doubleword boundary | + %u |\n"
                 "| TLB miss; each table entry that its walk fetches | %u; %u |\n"
                 "| interruption | %u |\n"
                 "| an instruction that ends with a program interruption, before the interruption | %u |\n",
                 m->name, m->index, m->crossing, m->tlb_miss, m->table_fetch, m->interruption, m->exception);
}

static void add_row(struct bytes *to, const struct cost_model *model, const struct instruction *i, bool classes) {
    bytes_printf(to, "| ");
    add_code(to, i);
    bytes_printf(to, " | `%s", i->mnemonic);
    size_t before = to->length;
    bytes_printf(to, " ");
    add_operands(to, (enum instruction_format)i->format);
    if (to->length == before + 1)
        to->length = before;
    bytes_printf(to, "` | %s | %s | %s | ", i->name, formats[i->format].name, cc_kinds[i->cc]);
    add_cost(to, model, i);
    if (classes) {
        bytes_printf(to, " | %s | ", i->privileged ? "yes" : "no");
        add_class(to, i);
    }
    bytes_printf(to, " |\n");
}

static void add_group(struct bytes *to, const struct cost_model *model, enum group group) {
    bool classes = false;
    for (unsigned id = 0; id < INSTRUCTION_COUNT; id++) {
        const struct instruction *i = &instruction_table[id];
        if (group_of(i) == group && (i->privileged || i->class != CLASS_INNOCUOUS || *i->reason))
            classes = true;
    }
    bytes_printf(to, "\n## %s\n\n", titles[group]);
    if (group == GROUP_FLAWED)
        bytes_printf(to, "Three more that a machine has which is made with this profile, and other machines do not: "
                         "[classify.md](classify.md) tells\nwhat they are for.\n\n");
    if (!classes)
        bytes_printf(to, "All unprivileged and innocuous.\n\n");
    bytes_printf(to, "| Code | Operands | Name | Format | Condition code | Cycles |%s\n",
                 classes ? " Privileged | Class |" : "");
    bytes_printf(to, "|---|---|---|---|---|---|%s\n", classes ? "---|---|" : "");
    for (unsigned id = 0; id < INSTRUCTION_COUNT; id++)
        if (group_of(&instruction_table[id]) == group)
            add_row(to, model, &instruction_table[id], classes);
}

int main(int argc, char **argv) {
    struct error e = ERROR_CLEAR;
    struct cost_model model;
    struct bytes page = {0};
    int status = 2;
    if (argc > 2) {
        fprintf(stderr, "usage: instruction_reference [FILE]\n");
        return status;
    }
    if (!cost_model_find(&model, MODEL, &e))
        goto out;
    add_head(&page);
    add_formats(&page);
    add_condition_codes(&page);
    add_classes(&page);
    add_costs(&page, &model);
    for (unsigned group = 0; group < GROUP_COUNT; group++)
        add_group(&page, &model, (enum group)group);
    if (argc == 2 ? bytes_write_file(argv[1], page.data, page.length, &e)
                  : fwrite(page.data, 1, page.length, stdout) == page.length)
        status = 0;
out:
    if (status)
        fprintf(stderr, "instruction_reference: %s\n", e.text[0] ? e.text : "cannot write");
    bytes_fini(&page);
    return status;
}
