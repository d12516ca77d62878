#include "ui/tui/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/cost.h"
#include "isa/instruction.h"

/* ---- Instructions, from their table ---- */

static const struct {
    unsigned class;
    const char *topic, *what;
} classes[] = {
    {CLASS_CONTROL, "class:control", "control-sensitive"},
    {CLASS_BEHAVIOUR, "class:behaviour", "behaviour-sensitive"},
    {CLASS_TRAPS, "class:traps", "always traps"},
};

static void write_class(struct sheet *to, const struct instruction *i, unsigned width) {
    struct bytes text = {0};
    const char *between = "";
    for (size_t n = 0; n < sizeof classes / sizeof *classes; n++) {
        if (i->class & classes[n].class) {
            bytes_printf(&text, "%s%s", between, classes[n].what);
            between = ", ";
        }
    }
    if (!i->class)
        bytes_printf(&text, "innocuous");
    bytes_printf(&text, i->privileged                                  ? "; privileged: in problem state it traps"
                        : i->class & (CLASS_CONTROL | CLASS_BEHAVIOUR) ? "; not privileged: no monitor is told of it"
                                                                       : "; not privileged");
    if (!text.failed)
        sheet_wrapped(to, i->class ? STYLE_SENSITIVE : STYLE_TEXT, width, 2, (const char *)text.data);
    bytes_fini(&text);
    if (*i->reason)
        sheet_wrapped(to, STYLE_TEXT, width, 2, i->reason);
}

static void write_condition_codes(struct sheet *to, const struct instruction *i) {
    sheet_line(to);
    if (i->cc == CC_NONE) {
        sheet_print(to, STYLE_DIM, "condition code: unchanged");
        return;
    }
    sheet_print(to, STYLE_DIM, "condition code:");
    if (i->cc == CC_LOADED) {
        sheet_print(to, STYLE_TEXT, " loaded");
        return;
    }
    for (unsigned cc = 0; cc < 4; cc++) {
        const char *means = instruction_cc_text((enum instruction_cc)i->cc, cc);
        bool other = i->cc == CC_COMPARE && cc == 3 && instruction_id(i) != INSTRUCTION_MVCL;
        if (*means && !other)
            sheet_print(to, STYLE_TEXT, "%s %u %s", cc ? "," : "", cc, means);
    }
}

/* Under the default model: the machine's own may differ. */
static void write_cost(struct sheet *to, const struct instruction *i) {
    static const char *const units[] = {
        [UNIT_NONE] = "unit",
        [UNIT_SHIFT] = "positions shifted",
        [UNIT_REGISTERS] = "registers",
        [UNIT_MASK] = "bytes selected",
        [UNIT_LENGTH] = "bytes",
        [UNIT_LENGTH1] = "bytes of the first operand",
        [UNIT_LENGTHS] = "bytes of both operands",
        [UNIT_PAIRS] = "pairs of bytes",
        [UNIT_PROCESSED] = "bytes processed",
    };
    struct error e = ERROR_CLEAR;
    struct cost_model *model = malloc(sizeof *model);
    if (model && cost_model_find(model, "s370", &e)) {
        const struct cost_row *row = &model->row[instruction_id(i)];
        sheet_line(to);
        sheet_print(to, STYLE_DIM, "cost model %s:", model->name);
        sheet_print(to, STYLE_TEXT, " %u cycles", row->base);
        if (row->per_unit)
            sheet_print(to, STYLE_TEXT, ", %u for %u %s", row->per_unit, row->unit_size, units[i->unit]);
        if (row->per_doubleword)
            sheet_print(to, STYLE_TEXT, ", %u a doubleword of storage", row->per_doubleword);
        if (row->taken)
            sheet_print(to, STYLE_TEXT, ", %u more when it branches", row->taken);
    }
    free(model);
}

static bool explain_instruction(struct sheet *to, const char *mnemonic, unsigned width) {
    static const char *const formats[FORMAT_COUNT] = {
        [FORMAT_RR] = "RR",       [FORMAT_RR_R1] = "RR",   [FORMAT_RR_MASK] = "RR", [FORMAT_RR_SVC] = "RR",
        [FORMAT_RX] = "RX",       [FORMAT_RX_MASK] = "RX", [FORMAT_RS] = "RS",      [FORMAT_RS_MASK] = "RS",
        [FORMAT_RS_SHIFT] = "RS", [FORMAT_SI] = "SI",      [FORMAT_S] = "S",        [FORMAT_S_NONE] = "S",
        [FORMAT_RRE] = "RRE",     [FORMAT_SS_L] = "SS",    [FORMAT_SS_LL] = "SS",   [FORMAT_SS_LI] = "SS",
        [FORMAT_SSE] = "SSE",
    };
    const struct instruction *i = instruction_find(mnemonic);
    if (!i)
        return false;
    sheet_line(to);
    sheet_print(to, STYLE_STRONG, "%s", i->mnemonic);
    sheet_print(to, STYLE_TEXT, "  %s", i->name);
    sheet_print(to, STYLE_DIM, "  %s, %u bytes, operation code %0*X%s", formats[i->format], i->length,
                i->code > 0xFF ? 4 : 2, i->code, i->profile == PROFILE_FLAWED ? ", of the profile flawed alone" : "");
    write_class(to, i, width);
    write_condition_codes(to, i);
    write_cost(to, i);
    return true;
}

/* ---- Topics with a number ---- */

static const struct explain_text *find_text(const char *topic, size_t length) {
    for (const struct explain_text *t = explain_texts; t->topic; t++)
        if (strlen(t->topic) == length && strncmp(t->topic, topic, length) == 0)
            return t;
    return NULL;
}

static const struct explain_text *find_code(const char *kind, unsigned code) {
    char topic[TOPIC_BYTES];
    int length = snprintf(topic, sizeof topic, "%s:%04X", kind, code);
    return find_text(topic, (size_t)length);
}

static const struct explain_text *find_program(unsigned code) {
    const struct explain_text *t = find_code("program", code);
    return t ? t : find_code("program", code & ~0x80u); /* with a PER event */
}

const char *explain_program_code(unsigned code) {
    const struct explain_text *t = find_program(code);
    return t ? t->title : "";
}

const char *explain_external_code(unsigned code) {
    const struct explain_text *t = find_code("external", code);
    return t ? t->title : "";
}

const char *explain_title(const char *topic) {
    const struct explain_text *t = find_text(topic, strlen(topic));
    return t ? t->title : "";
}

static void write_text(struct sheet *to, const struct explain_text *t, unsigned width) {
    sheet_line(to);
    sheet_print(to, STYLE_STRONG, "%s", t->title);
    sheet_wrapped(to, STYLE_TEXT, width, 0, t->text);
    if (*t->source) {
        sheet_line(to);
        sheet_print(to, STYLE_DIM, "%s%s", *t->source == '"' ? "Principles of Operation, " : "see ", t->source);
    }
}

/* status:0C00: unit status and channel status as in the CSW. */
static bool explain_status(struct sheet *to, unsigned status, unsigned width) {
    static const char *const bits[16] = {
        "io:attention",
        "io:status_modifier",
        "io:control_unit_end",
        "io:busy",
        "io:channel_end",
        "io:device_end",
        "io:unit_check",
        "io:unit_exception",
        "io:pci",
        "io:incorrect_length",
        "io:program_check",
        "io:protection_check",
        "io:channel_data_check",
        "io:channel_control_check",
        "io:interface_control_check",
        "io:chaining_check",
    };
    sheet_line(to);
    sheet_print(to, STYLE_STRONG, "status %04X: unit %02X, channel %02X", status & 0xFFFF, status >> 8 & 0xFF,
                status & 0xFF);
    for (unsigned n = 0; n < 16; n++)
        if (status & 0x8000u >> n)
            write_text(to, find_text(bits[n], strlen(bits[n])), width);
    return true;
}

/* The text of a row; or the row of its kind, where it has no row of its own. */
static const struct explain_text *find_topic(const char *topic) {
    size_t length = strlen(topic);
    const struct explain_text *t = find_text(topic, length);
    while (!t && length) {
        while (length && topic[length - 1] != ':')
            length--;
        if (length)
            t = find_text(topic, --length);
    }
    return t;
}

static bool read_code(const char *topic, const char *kind, unsigned *code) {
    size_t length = strlen(kind);
    if (strncmp(topic, kind, length) != 0)
        return false;
    char *end;
    unsigned long n = strtoul(topic + length, &end, 16);
    *code = (unsigned)n;
    return end != topic + length && !*end && n <= 0xFFFF;
}

bool explain(struct sheet *to, const char *topic, unsigned width) {
    unsigned code;
    const struct explain_text *t = NULL;
    if (strncmp(topic, "instruction:", 12) == 0)
        return explain_instruction(to, topic + 12, width);
    if (read_code(topic, "status:", &code))
        return explain_status(to, code, width);
    if (read_code(topic, "program:", &code))
        t = find_program(code);
    else if (read_code(topic, "external:", &code))
        t = find_code("external", code);
    else
        t = find_topic(topic);
    if (t)
        write_text(to, t, width);
    return t;
}

const char *explain_topic(size_t n) {
    static const char *const instructions[] = {
#define INSTRUCTION(code, mnemonic, ...) "instruction:" #mnemonic,
#include "isa/instructions.def"
    };
    enum { COUNT = sizeof instructions / sizeof *instructions };
    if (n < COUNT)
        return instructions[n];
    for (const struct explain_text *t = explain_texts; t->topic; t++)
        if (n-- == COUNT)
            return t->topic;
    return NULL;
}
