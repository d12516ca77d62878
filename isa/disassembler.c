/* The disassembler: bytes back to source, driven by the operand notation of the instruction's format.
 *
 * The idea that keeps it honest: what it prints is what instruction_put would assemble again. An instruction that does
 * not come back bit by bit (ignored bits that are not 0) is printed as data instead. */
#include "isa/disassembler.h"

#include <stdio.h>

#include "isa/instruction.h"

/* Text of one line is at most "SRP   4095(16,15),4095(15),15", so DISASSEMBLER_TEXT never cuts anything. */
struct writer {
    char *to;
    size_t length;
};

#define WRITE(w, ...)                                                                                                  \
    ((w)->length += (size_t)snprintf((w)->to + (w)->length, DISASSEMBLER_TEXT - (w)->length, __VA_ARGS__))

static void write_address(struct writer *w, unsigned d, unsigned b) {
    WRITE(w, "%u", d);
    if (b) {
        WRITE(w, "(%u)", b);
    }
}

/* One operand of the notation in INSTRUCTION_FORMATS; `name` is not terminated by NUL but by a comma. */
static void write_operand(struct writer *w, const char *name, size_t length, const struct instruction_fields *f) {
    const bool second = name[length - 1] == '2' || (length > 1 && name[length - 2] == '2'); /* DB2, DLB2s */
    const unsigned d = second ? f->d2 : f->d1, b = second ? f->b2 : f->b1, l = second ? f->l2 : f->l1;
    switch (name[0]) {
    case 'R':
    case 'M': WRITE(w, "%u", name[1] == '1' ? f->r1 : f->r3); break;
    case 'I': WRITE(w, "%u", length > 1 && name[1] == '3' ? f->r3 : f->i2); break;
    default: /* D… */
        if (name[1] == 'L') {
            WRITE(w, "%u(%u,%u)", d, l + 1, b);
        } else if (name[1] == 'X' && (f->r3 || b)) {
            WRITE(w, "%u(%u,%u)", d, f->r3, b);
        } else {
            write_address(w, d, b);
        }
        break;
    }
}

static unsigned write_data(struct writer *w, const uint8_t *text, unsigned length) {
    WRITE(w, "DC    X'");
    for (unsigned i = 0; i < length; i++) {
        WRITE(w, "%02X", text[i]);
    }
    WRITE(w, "'");
    return length;
}

unsigned disassemble(char to[DISASSEMBLER_TEXT], const uint8_t *text, size_t length) {
    return disassemble_in(PROFILE_S370, to, text, length);
}

unsigned disassemble_in(enum profile p, char to[DISASSEMBLER_TEXT], const uint8_t *text, size_t length) {
    struct writer w = {to, 0};
    uint8_t whole[6] = {0}, again[6] = {0};
    struct instruction_fields f;
    to[0] = 0;
    if (length < 2) {
        return write_data(&w, text, (unsigned)length);
    }
    const struct instruction *i = instruction_decode_in(p, text);
    if (!i) {
        /* Two bytes, whatever the length of such an opcode: the rest of a table of data may well be instructions. */
        return write_data(&w, text, 2);
    }
    if (length < i->length) {
        return write_data(&w, text, length < 4 ? 2 : 4);
    }
    memcpy(whole, text, i->length);
    instruction_take(&f, i, whole);
    instruction_put(again, i, &f);
    if (memcmp(whole, again, i->length) != 0) {
        return write_data(&w, text, i->length);
    }
    const char *operands = instruction_operands((enum instruction_format)i->format);
    if (*operands) {
        WRITE(&w, "%-5s ", i->mnemonic);
    } else {
        WRITE(&w, "%s", i->mnemonic);
    }
    while (*operands) {
        const size_t name = strcspn(operands, ",");
        write_operand(&w, operands, name, &f);
        operands += name;
        if (*operands) {
            WRITE(&w, ",");
            operands++;
        }
    }
    return i->length;
}

static size_t zeros(const uint8_t *from, size_t length) {
    size_t n = 0;
    while (n < length && !from[n]) {
        n++;
    }
    return n;
}

void disassemble_image(struct bytes *to, enum profile p, const uint8_t *image, size_t length, uint32_t at) {
    enum { SHORTEST_RUN = 32 }; /* zero bytes that are worth one line with a duplication factor */
    bytes_printf(to, "         ORG   X'%06X'\n", (unsigned)at);
    for (size_t i = 0; i < length;) {
        const size_t run = zeros(image + i, length - i) & ~(size_t)1;
        char line[DISASSEMBLER_TEXT], hex[13];
        if ((at + i) & 1) { /* instructions lie on even addresses: the odd byte first */
            snprintf(line, sizeof line, "DC    X'%02X'", image[i]);
            bytes_printf(to, "         %-36s %06zX\n", line, at + i);
            i++;
            continue;
        }
        if (run >= SHORTEST_RUN) {
            snprintf(line, sizeof line, "DC    %zuX'00'", run);
            bytes_printf(to, "         %-36s %06zX\n", line, at + i);
            i += run;
            continue;
        }
        const unsigned bytes = disassemble_in(p, line, image + i, length - i);
        bytes_to_hex(hex, image + i, bytes);
        bytes_printf(to, "         %-36s %06zX %s\n", line, at + i, hex);
        i += bytes;
    }
}
