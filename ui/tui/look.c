#include "ui/tui/look.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "isa/disassembler.h"
#include "vmm/vmm.h"

enum { PAGE_BYTES = 2048, ADDRESSES = 0xFFFFFF, NEAR = 0x1000 };

const struct look_place look_places[INTERRUPTION_CLASSES] = {
    [INTERRUPTION_RESTART] = {0x08, 0x00}, [INTERRUPTION_EXTERNAL] = {0x18, 0x58},
    [INTERRUPTION_SVC] = {0x20, 0x60},     [INTERRUPTION_PROGRAM] = {0x28, 0x68},
    [INTERRUPTION_IO] = {0x38, 0x78},      [INTERRUPTION_MACHINE_CHECK] = {0x30, 0x70},
};

unsigned look_storage(struct machine *m, const struct machine_state *state, uint32_t address, uint8_t *to,
                      unsigned length) {
    unsigned done = 0;
    while (done < length) {
        uint32_t at = (address + done) & ADDRESSES;
        unsigned n = PAGE_BYTES - at % PAGE_BYTES;
        struct dat_walk walk = {.real = at};
        n = n < length - done ? n : length - done;
        if (psw_dat(&state->psw) && machine_walk(m, at, &walk) != ACCESS_OK)
            break;
        if (machine_peek(m, walk.real, to + done, n) != ACCESS_OK)
            break;
        done += n;
    }
    return done;
}

/* ---- Operands ---- */

/* What the format alone does not say: bytes of the operand at D2(..B2), or NOT_STORAGE, or BRANCHES. */
enum { NOT_STORAGE = 254, BRANCHES = 255 };
static const uint8_t second_bytes[INSTRUCTION_COUNT] = {
    [INSTRUCTION_BAL] = BRANCHES,
    [INSTRUCTION_BAS] = BRANCHES,
    [INSTRUCTION_BC] = BRANCHES,
    [INSTRUCTION_BCT] = BRANCHES,
    [INSTRUCTION_BXH] = BRANCHES,
    [INSTRUCTION_BXLE] = BRANCHES,
    [INSTRUCTION_LA] = NOT_STORAGE,
    [INSTRUCTION_DIAG] = NOT_STORAGE,
    [INSTRUCTION_SIO] = NOT_STORAGE,
    [INSTRUCTION_SIOF] = NOT_STORAGE,
    [INSTRUCTION_TIO] = NOT_STORAGE,
    [INSTRUCTION_CLRIO] = NOT_STORAGE,
    [INSTRUCTION_HIO] = NOT_STORAGE,
    [INSTRUCTION_HDV] = NOT_STORAGE,
    [INSTRUCTION_TCH] = NOT_STORAGE,
    [INSTRUCTION_SIGP] = NOT_STORAGE,
    [INSTRUCTION_STIDC] = NOT_STORAGE,
    [INSTRUCTION_SPKA] = NOT_STORAGE,
    [INSTRUCTION_RRB] = NOT_STORAGE,
    [INSTRUCTION_RTU] = BRANCHES,
    [INSTRUCTION_STH] = 2,
    [INSTRUCTION_LH] = 2,
    [INSTRUCTION_CH] = 2,
    [INSTRUCTION_AH] = 2,
    [INSTRUCTION_SH] = 2,
    [INSTRUCTION_MH] = 2,
    [INSTRUCTION_EX] = 2,
    [INSTRUCTION_STC] = 1,
    [INSTRUCTION_IC] = 1,
    [INSTRUCTION_CVB] = 8,
    [INSTRUCTION_CVD] = 8,
    [INSTRUCTION_CDS] = 8,
    [INSTRUCTION_LRA] = 1,
    [INSTRUCTION_TS] = 1,
    [INSTRUCTION_SSM] = 1,
    [INSTRUCTION_LPSW] = 8,
    [INSTRUCTION_STIDP] = 8,
    [INSTRUCTION_SCK] = 8,
    [INSTRUCTION_STCK] = 8,
    [INSTRUCTION_SCKC] = 8,
    [INSTRUCTION_STCKC] = 8,
    [INSTRUCTION_SPT] = 8,
    [INSTRUCTION_STPT] = 8,
    [INSTRUCTION_STAP] = 2,
    [INSTRUCTION_LPM] = 8,
};

static uint32_t second_length(const struct instruction *i, const struct instruction_fields *f) {
    uint8_t known = second_bytes[instruction_id(i)];
    if (known)
        return known < NOT_STORAGE ? known : 0;
    if (i->unit == UNIT_REGISTERS)
        return 4 * (((unsigned)f->r3 - f->r1) % 16 + 1);
    if (i->unit == UNIT_MASK)
        return (uint32_t)__builtin_popcount(f->r3);
    return 4;
}

static void add(struct look_operand **to, uint32_t address, uint32_t length) {
    *(*to)++ = (struct look_operand){.address = address & ADDRESSES, .length = length};
}

unsigned look_operands(const struct machine_state *state, const struct instruction *i, const uint8_t text[6],
                       struct look_operand to[LOOK_OPERANDS]) {
    struct instruction_fields f;
    struct look_operand *at = to;
    instruction_take(&f, i, text);
    uint32_t first = f.d1 + (f.b1 ? state->gpr[f.b1] : 0), second = f.d2 + (f.b2 ? state->gpr[f.b2] : 0);
    enum instruction_id id = instruction_id(i);
    switch ((enum instruction_format)i->format) {
    case FORMAT_RX:
    case FORMAT_RX_MASK: second += f.r3 ? state->gpr[f.r3] : 0; __attribute__((fallthrough));
    case FORMAT_RS:
    case FORMAT_RS_MASK:
    case FORMAT_S:
        add(&at, second, second_length(i, &f));
        to->branch = second_bytes[id] == BRANCHES;
        break;
    case FORMAT_SI:
        if (id != INSTRUCTION_MC)
            add(&at, first, 1);
        break;
    case FORMAT_SS_L:
        add(&at, first, f.l1 + 1u);
        add(&at, id == INSTRUCTION_MVCIN ? second - f.l1 : second,
            id == INSTRUCTION_TR || id == INSTRUCTION_TRT ? 256 : f.l1 + 1u);
        break;
    case FORMAT_SS_LL:
        add(&at, first, f.l1 + 1u);
        add(&at, second, f.l2 + 1u);
        break;
    case FORMAT_SS_LI: add(&at, first, f.l1 + 1u); break;
    case FORMAT_SSE: add(&at, first, 1); break;
    case FORMAT_RR_MASK:
    case FORMAT_RR:
        if ((id == INSTRUCTION_BCR || id == INSTRUCTION_BALR || id == INSTRUCTION_BASR || id == INSTRUCTION_BCTR) &&
            f.r3) {
            add(&at, state->gpr[f.r3], 0);
            to->branch = true;
        } else if (id == INSTRUCTION_MVCL || id == INSTRUCTION_CLCL) {
            add(&at, state->gpr[f.r1], 1);
            add(&at, state->gpr[f.r3], 1);
        }
        break;
    default: break;
    }
    return (unsigned)(at - to);
}

/* ---- In words ---- */

const char *look_name(struct tui *t, struct machine *m, uint32_t address, char to[LOOK_NAME]) {
    uint32_t real, offset;
    const struct source_map *map = tui_source(t, m, address, &real);
    const char *label = map ? source_map_label(map, real, &offset) : NULL;
    *to = '\0';
    if (label && offset == 0)
        snprintf(to, LOOK_NAME, "%s", label);
    else if (label && offset < NEAR)
        snprintf(to, LOOK_NAME, "%.30s+%X", label, offset);
    return to;
}

/* Name and operands of a statement: they end with the first blank outside of quotes behind the operands. */
static void copy_statement(const struct source_line *line, char to[LOOK_LINE]) {
    const char *at = line->text, *end = at + line->text_length;
    size_t length = 0;
    bool quoted = false;
    while (at < end && *at != ' ')
        at++;
    while (at < end && *at == ' ')
        at++;
    for (unsigned blanks = 0; at < end && length < LOOK_LINE - 1; at++) {
        quoted ^= *at == '\'' && (quoted || at[-1] != 'L');
        bool blank = *at == ' ' && !quoted;
        if (blank && (at[-1] != ' ' && blanks++ == 1))
            break;
        to[length++] = *at;
    }
    while (length && to[length - 1] == ' ')
        length--;
    to[length] = '\0';
}

const struct instruction *look_instruction(struct tui *t, struct machine *m, uint32_t address, char to[LOOK_LINE]) {
    struct machine_state state;
    struct source_line line;
    uint8_t text[6] = {0};
    uint32_t real;
    machine_state(m, &state);
    unsigned length = look_storage(m, &state, address, text, 6);
    if (length < 2 && machine_peek(m, address, text, 6) == ACCESS_OK)
        length = 6;
    *to = '\0';
    if (length < 2)
        return NULL;
    const struct instruction *i = instruction_decode_in(machine_profile(m), text);
    const struct source_map *map = tui_source(t, m, address, &real);
    if (i && map && source_map_line(map, real, &line) && line.address == real && line.instruction)
        copy_statement(&line, to);
    else
        disassemble_in(machine_profile(m), to, text, length);
    return i;
}

const char *look_cycles(uint64_t cycles, char to[LOOK_CYCLES]) {
    if (cycles < 1000000)
        snprintf(to, LOOK_CYCLES, "+%u", (unsigned)cycles);
    else if (cycles < 1000000000)
        snprintf(to, LOOK_CYCLES, "+%.1fM", (double)cycles / 1e6);
    else
        snprintf(to, LOOK_CYCLES, "+%.1fG", (double)cycles / 1e9);
    return to;
}

const char *look_psw(const struct psw *psw, bool words, char to[LOOK_PSW]) {
    const char *mode = psw_ec(psw) ? "EC" : "BC", *state = psw_problem(psw) ? "problem" : "supervisor";
    if (words)
        snprintf(to, LOOK_PSW, "%s mode, %s state%s%s, key %d, cc %d, at %06X", mode, state,
                 psw_dat(psw) ? ", DAT on" : "", psw_wait(psw) ? ", WAIT" : "", psw->key, psw->cc, psw->ia);
    else
        snprintf(to, LOOK_PSW, "%s %s%s%s key %d cc %d at %06X", mode, state, psw_dat(psw) ? " DAT" : "",
                 psw_wait(psw) ? " WAIT" : "", psw->key, psw->cc, psw->ia);
    return to;
}

const char *look_low(uint32_t real) {
    static const struct {
        uint16_t at;
        const char *name;
    } places[] = {
        {0x00, "restart new PSW"},
        {0x08, "restart old PSW"},
        {0x18, "external old PSW"},
        {0x20, "SVC old PSW"},
        {0x28, "program old PSW"},
        {0x30, "machine-check old PSW"},
        {0x38, "I/O old PSW"},
        {0x40, "CSW"},
        {0x48, "CAW"},
        {0x50, "interval timer"},
        {0x58, "external new PSW"},
        {0x60, "SVC new PSW"},
        {0x68, "program new PSW"},
        {0x70, "machine-check new PSW"},
        {0x78, "I/O new PSW"},
        {0x84, "external code"},
        {0x88, "SVC code"},
        {0x8C, "program code"},
        {0x90, "translation exception"},
        {0x94, "monitor class"},
        {0x9C, "monitor code"},
        {0xB8, "I/O address"},
    };
    for (size_t n = 0; n < sizeof places / sizeof *places; n++)
        if (places[n].at == real)
            return places[n].name;
    return NULL;
}

int64_t look_frame(const struct machine *m, uint32_t real) { return machine_host(m) ? vmm_frame(m, real) : -1; }

/* ---- What a pane is set to ---- */

bool look_set(struct tui *t, struct pane *p, const char *arguments, struct error *e) {
    if (strncasecmp(arguments, "follow ", 7) == 0) {
        const char *name = arguments + 7 + strspn(arguments + 7, " ");
        char *end = NULL;
        long n = (*name == 'r' || *name == 'R') && isdigit((uint8_t)name[1]) ? strtol(name + 1, &end, 10) : -1;
        if (n < 0 || n > 15 || end[strspn(end, " ")])
            return error_set(e, ERROR_INPUT, "follow takes a register, r0 to r15, not \"%.20s\"", name);
        p->number = (int)n;
        p->set = true;
        return true;
    }
    if (!tui_address(t, arguments, &p->address, e))
        return false;
    p->number = -1;
    p->set = true;
    return true;
}

bool look_at(struct tui *t, const struct pane *p, uint32_t *to) {
    struct machine_state state;
    struct machine *m = session_machine(t->session);
    if (!p->set || !m)
        return false;
    *to = p->address;
    if (p->number >= 0) {
        machine_state(m, &state);
        *to = state.gpr[p->number] & ADDRESSES;
    }
    return true;
}
