/* What the cases reached: per instruction, each condition code and each program interruption that it can cause.
 *
 * What can be reached follows from the instruction table (condition codes, privilege) and from the table of exceptions
 * here; what can be reached in principle but not in these cases is listed with the reason. */
#include <string.h>

#include "base/bytes.h"
#include "tests/support/differential.h"

/* Exceptions beside operation and privileged operation, a letter each:
 *   F an operand in storage (protection, addressing, segment, page, translation specification)
 *   A addressing and P protection of a real location, Z translation specification alone
 *   S specification, D data, O fixed-point overflow, V fixed-point divide, N decimal overflow, W decimal divide,
 *   X execute, T special operation, M monitor event */
static const struct {
    int16_t id;
    const char *exceptions;
} can[] = {
    {INSTRUCTION_MVCL, "FS"},  {INSTRUCTION_CLCL, "FS"},  {INSTRUCTION_LPR, "O"},    {INSTRUCTION_LCR, "O"},
    {INSTRUCTION_AR, "O"},     {INSTRUCTION_SR, "O"},     {INSTRUCTION_MR, "S"},     {INSTRUCTION_DR, "SV"},
    {INSTRUCTION_STH, "F"},    {INSTRUCTION_STC, "F"},    {INSTRUCTION_IC, "F"},     {INSTRUCTION_EX, "FSX"},
    {INSTRUCTION_LH, "F"},     {INSTRUCTION_CH, "F"},     {INSTRUCTION_AH, "FO"},    {INSTRUCTION_SH, "FO"},
    {INSTRUCTION_MH, "F"},     {INSTRUCTION_CVD, "F"},    {INSTRUCTION_CVB, "FDV"},  {INSTRUCTION_ST, "F"},
    {INSTRUCTION_N, "F"},      {INSTRUCTION_CL, "F"},     {INSTRUCTION_O, "F"},      {INSTRUCTION_X, "F"},
    {INSTRUCTION_L, "F"},      {INSTRUCTION_C, "F"},      {INSTRUCTION_A, "FO"},     {INSTRUCTION_S, "FO"},
    {INSTRUCTION_M, "FS"},     {INSTRUCTION_D, "FSV"},    {INSTRUCTION_AL, "F"},     {INSTRUCTION_SL, "F"},
    {INSTRUCTION_SLA, "O"},    {INSTRUCTION_SRDL, "S"},   {INSTRUCTION_SLDL, "S"},   {INSTRUCTION_SRDA, "S"},
    {INSTRUCTION_SLDA, "SO"},  {INSTRUCTION_STM, "F"},    {INSTRUCTION_TM, "F"},     {INSTRUCTION_MVI, "F"},
    {INSTRUCTION_TS, "F"},     {INSTRUCTION_NI, "F"},     {INSTRUCTION_CLI, "F"},    {INSTRUCTION_OI, "F"},
    {INSTRUCTION_XI, "F"},     {INSTRUCTION_LM, "F"},     {INSTRUCTION_MC, "SM"},    {INSTRUCTION_STCK, "F"},
    {INSTRUCTION_CS, "FS"},    {INSTRUCTION_CDS, "FS"},   {INSTRUCTION_CLM, "F"},    {INSTRUCTION_STCM, "F"},
    {INSTRUCTION_ICM, "F"},    {INSTRUCTION_MVN, "F"},    {INSTRUCTION_MVC, "F"},    {INSTRUCTION_MVZ, "F"},
    {INSTRUCTION_NC, "F"},     {INSTRUCTION_CLC, "F"},    {INSTRUCTION_OC, "F"},     {INSTRUCTION_XC, "F"},
    {INSTRUCTION_TR, "F"},     {INSTRUCTION_TRT, "F"},    {INSTRUCTION_ED, "FD"},    {INSTRUCTION_EDMK, "FD"},
    {INSTRUCTION_MVCIN, "F"},  {INSTRUCTION_MVO, "F"},    {INSTRUCTION_PACK, "F"},   {INSTRUCTION_UNPK, "F"},
    {INSTRUCTION_SRP, "FDN"},  {INSTRUCTION_ZAP, "FDN"},  {INSTRUCTION_CP, "FD"},    {INSTRUCTION_AP, "FDN"},
    {INSTRUCTION_SP, "FDN"},   {INSTRUCTION_MP, "FSD"},   {INSTRUCTION_DP, "FSDW"},  {INSTRUCTION_SSK, "SA"},
    {INSTRUCTION_ISK, "SA"},   {INSTRUCTION_SSM, "FST"},  {INSTRUCTION_LPSW, "FS"},  {INSTRUCTION_STNSM, "F"},
    {INSTRUCTION_STOSM, "FS"}, {INSTRUCTION_LRA, "AZ"},   {INSTRUCTION_STIDP, "FS"}, {INSTRUCTION_SCK, "FS"},
    {INSTRUCTION_SCKC, "FS"},  {INSTRUCTION_STCKC, "FS"}, {INSTRUCTION_SPT, "FS"},   {INSTRUCTION_STPT, "FS"},
    {INSTRUCTION_SPX, "FS"},   {INSTRUCTION_STPX, "FS"},  {INSTRUCTION_STAP, "FS"},  {INSTRUCTION_RRB, "A"},
    {INSTRUCTION_IPTE, "APZ"}, {INSTRUCTION_ISKE, "A"},   {INSTRUCTION_RRBE, "A"},   {INSTRUCTION_SSKE, "A"},
    {INSTRUCTION_STCTL, "FS"}, {INSTRUCTION_LCTL, "FS"},  {INSTRUCTION_TPROT, "AZ"},
};

/* What the cases do not reach, or not in every run of 20,000, and why. what: 'c' and a condition code, 'p' and a
 * program code. */
static const struct {
    int16_t id;
    const char *what, *reason;
} not_reached[] = {
    {INSTRUCTION_SLR, "c0", "a difference of zero always has a carry"},
    {INSTRUCTION_SL, "c0", "a difference of zero always has a carry"},
    {INSTRUCTION_LPR, "c1", "an absolute value is not negative"},
    {INSTRUCTION_LNR, "c2", "the complement of an absolute value is not positive"},
    {INSTRUCTION_ICM, "c3", "nothing can overflow"},
    {INSTRUCTION_STCK, "c1", "the clock is always set"},
    {INSTRUCTION_STCK, "c2", "the clock has no errors"},
    {INSTRUCTION_STCK, "c3", "the clock is always operational"},
    {INSTRUCTION_SCK, "c1", "the clock is not secured"},
    {INSTRUCTION_SCK, "c2", "the clock has no errors"},
    {INSTRUCTION_SCK, "c3", "the clock is always operational"},
    {INSTRUCTION_SIO, "c0",
     "starting programs makes results depend on Hercules' threads; tested with our channel alone"},
    {INSTRUCTION_SIO, "c1", "Hercules never gives it, and neither do we"},
    {INSTRUCTION_SIO, "c2", "no program is ever running"},
    {INSTRUCTION_SIOF, "c0", "as SIO"},
    {INSTRUCTION_SIOF, "c1", "as SIO"},
    {INSTRUCTION_SIOF, "c2", "as SIO"},
    {INSTRUCTION_TIO, "c2", "no program is ever running"},
    {INSTRUCTION_CLRIO, "c2", "no program is ever running"},
    {INSTRUCTION_HIO, "c2", "no program is ever running"},
    {INSTRUCTION_HDV, "c2", "no program is ever running"},
    {INSTRUCTION_TCH, "c2", "channels are never busy"},
    {INSTRUCTION_STIDC, "c1", "never given"},
    {INSTRUCTION_STIDC, "c2", "channels are never busy"},
    {INSTRUCTION_SIGP, "c2", "a CPU is never busy for itself"},
};

static const char *exceptions_of(int id) {
    for (size_t i = 0; i < sizeof can / sizeof *can; i++)
        if (can[i].id == id)
            return can[i].exceptions;
    return "";
}

static bool has_code(int id, unsigned code) {
    const char *x = exceptions_of(id);
    switch (code) {
    case 0x00: return strchr(x, 'M');
    case 0x02: return instruction_table[id].privileged;
    case 0x03: return strchr(x, 'X');
    case 0x04: return strchr(x, 'F') || strchr(x, 'P');
    case 0x05: return strchr(x, 'F') || strchr(x, 'A');
    case 0x06: return strchr(x, 'S');
    case 0x07: return strchr(x, 'D');
    case 0x08: return strchr(x, 'O');
    case 0x09: return strchr(x, 'V');
    case 0x0A: return strchr(x, 'N');
    case 0x0B: return strchr(x, 'W');
    case 0x10:
    case 0x11: return strchr(x, 'F');
    case 0x12: return strchr(x, 'F') || strchr(x, 'Z');
    case 0x13: return strchr(x, 'T');
    default: return false;
    }
}

static bool has_cc(int id, unsigned cc) {
    if (instruction_table[id].cc == CC_COMPARE && cc == 3)
        return id == INSTRUCTION_MVCL; /* overlap */
    return instruction_table[id].cc != CC_NONE && instruction_cc_text(instruction_table[id].cc, cc)[0];
}

static const char *reason_of(int id, char kind, unsigned value) {
    for (size_t i = 0; i < sizeof not_reached / sizeof *not_reached; i++) {
        unsigned v = 0;
        for (const char *p = not_reached[i].what + 1; *p; p++)
            v = v * 16 + (unsigned)(*p <= '9' ? *p - '0' : *p - 'A' + 10);
        if (not_reached[i].id == id && not_reached[i].what[0] == kind && v == value)
            return not_reached[i].reason;
    }
    return NULL;
}

/* --- counting --- */

static const struct differential_instruction *at_address(const struct differential_case *c, uint32_t at) {
    for (unsigned i = 0; i < c->count; i++)
        if (c->program[i].at == (at & 0xFFFFFF) && !c->program[i].target)
            return &c->program[i];
    return NULL;
}

static void count_program(struct differential_coverage *v, const struct differential_case *c, unsigned code,
                          unsigned ilc, uint32_t ia, unsigned cc) {
    bool nullified = code == 0x10 || code == 0x11;
    const struct differential_instruction *i = at_address(c, nullified ? ia : ia - ilc * 2);
    if (!nullified && ilc == 0)
        v->early++;
    const struct differential_instruction *execute = at_address(c, nullified ? ia : ia - 4);
    if (execute && execute->id == INSTRUCTION_EX)
        i = execute;
    if (!i || i->id < 0 || i->real == 0xFFFFFFFF)
        return;
    unsigned slot = code == 0x40 ? 0 : code;
    if (slot >= COVERAGE_CODES)
        return;
    v->code[i->id][slot]++;
    if (i->target_id >= 0)
        v->code[i->target_id][slot]++;
    bool completed = code == 8 || code == 0xA;
    if (completed)
        v->cc[i->target_id >= 0 ? i->target_id : i->id][cc]++;
}

/* Whether the program may come to an instruction in another way than from the one before it. */
static bool jumps(const struct differential_case *c) {
    for (unsigned i = 0; i < c->count; i++) {
        int id = c->program[i].id == INSTRUCTION_EX ? c->program[i].target_id : c->program[i].id;
        switch (id) {
        case INSTRUCTION_BALR:
        case INSTRUCTION_BCTR:
        case INSTRUCTION_BCR:
        case INSTRUCTION_BASR:
        case INSTRUCTION_BAL:
        case INSTRUCTION_BCT:
        case INSTRUCTION_BC:
        case INSTRUCTION_BAS:
        case INSTRUCTION_BXH:
        case INSTRUCTION_BXLE:
        case INSTRUCTION_EX: return true;
        case -1:
            if (c->program[i].id == INSTRUCTION_EX)
                return true; /* of something unknown */
            break;
        default: break;
        }
    }
    return false;
}

void differential_cover(struct differential_coverage *v, const struct differential_case *c,
                        const struct differential_result *r) {
    for (unsigned i = 0; i < c->count; i++)
        if (c->program[i].id >= 0)
            v->executed[c->program[i].id]++;
    uint32_t program_at = 0xFFFFFFFF; /* the instruction of the last program interruption that ended it early */
    for (unsigned k = 0; k < DIFF_LOG_ENTRIES; k++) {
        const uint8_t *e = r->low + DIFF_LOG + k * DIFF_LOG_ENTRY, *psw = e + 4, *area = e + 16;
        uint32_t class = bytes_get32(e), ia = bytes_get24(psw + 5);
        if (class == 0 || class > 5)
            return;
        v->interruptions[class]++;
        bool ec = psw[1] & 8;
        unsigned cc = ec ? psw[2] >> 4 & 3 : psw[4] >> 4 & 3;
        if (class == 3) {
            unsigned code = ec ? bytes_get16(area + 14) : bytes_get16(psw + 2);
            count_program(v, c, code, ec ? area[13] / 2u : psw[4] >> 6, ia, cc);
            program_at = ia;
        } else if (class == 2) {
            /* An SVC right behind an instruction shows the condition code that it left, unless it was refused. */
            for (unsigned i = 1; i < c->count; i++) {
                const struct differential_instruction *svc = &c->program[i], *before = svc - 1;
                if (svc->at != ((ia - 2) & 0xFFFFFF) || svc->id != INSTRUCTION_SVC || before->id < 0 || before->target)
                    continue;
                if (program_at == svc->at || jumps(c))
                    break;
                int id = before->target_id >= 0 ? before->target_id : before->id;
                if (has_cc(id, cc))
                    v->cc[id][cc]++;
            }
        }
    }
}

void differential_coverage_add(struct differential_coverage *to, const struct differential_coverage *from) {
    for (unsigned i = 0; i < INSTRUCTION_S370_COUNT; i++) {
        to->executed[i] += from->executed[i];
        for (unsigned k = 0; k < 4; k++)
            to->cc[i][k] += from->cc[i][k];
        for (unsigned k = 0; k < COVERAGE_CODES; k++)
            to->code[i][k] += from->code[i][k];
    }
    for (unsigned i = 0; i < 6; i++)
        to->interruptions[i] += from->interruptions[i];
    to->early += from->early;
}

/* --- printing --- */

static unsigned print_missing(FILE *to, int id, char kind, unsigned value) {
    const char *reason = reason_of(id, kind, value);
    fprintf(to, "  %-5s %s %X: %s\n", instruction_table[id].mnemonic,
            kind == 'c' ? "condition code" : "program interruption", kind == 'p' && value == 0 ? 0x40 : value,
            reason && *reason ? reason : "NOT EXPLAINED");
    return !(reason && *reason);
}

unsigned differential_coverage_print(FILE *to, const struct differential_coverage *v) {
    unsigned unexplained = 0;
    fprintf(to,
            "reached: instruction, times in a program, condition codes, program interruptions (40: monitor event)\n");
    for (int id = 0; id < INSTRUCTION_S370_COUNT; id++) {
        fprintf(to, "  %-5s %7u  cc", instruction_table[id].mnemonic, v->executed[id]);
        for (unsigned cc = 0; cc < 4; cc++)
            fprintf(to, "%c", v->cc[id][cc] && instruction_table[id].cc != CC_NONE ? (char)('0' + cc) : ' ');
        for (unsigned code = 1; code <= COVERAGE_CODES; code++) {
            unsigned slot = code % COVERAGE_CODES;
            if (v->code[id][slot])
                fprintf(to, " %02X", slot ? slot : 0x40);
        }
        fprintf(to, "\n");
    }
    static const char *const names[] = {"", "external", "SVC", "program", "machine check", "I/O"};
    fprintf(to, "interruptions:");
    for (unsigned i = 1; i < 6; i++)
        fprintf(to, " %s %u", names[i], v->interruptions[i]);
    fprintf(to, " (of them early PSW exceptions %u)\nnot reached:\n", v->early);
    for (int id = 0; id < INSTRUCTION_S370_COUNT; id++) {
        for (unsigned cc = 0; cc < 4; cc++)
            if (has_cc(id, cc) && !v->cc[id][cc])
                unexplained += print_missing(to, id, 'c', cc);
        for (unsigned slot = 0; slot < COVERAGE_CODES; slot++)
            if (has_code(id, slot) && !v->code[id][slot])
                unexplained += print_missing(to, id, 'p', slot);
    }
    return unexplained;
}
