/* Comparing two engines' results of a case, with the deliberate differences as data; showing and shrinking a case. */
#include <string.h>

#include "base/bytes.h"
#include "isa/disassembler.h"
#include "isa/psw.h"
#include "mmu/dat.h"
#include "tests/support/differential.h"

const struct differential_exception differential_exceptions[EXCEPTION_COUNT] = {
    [EXCEPTION_TIMER] = {"interval timer", "real 80-83 runs on host time in Hercules, on cycles here"},
    [EXCEPTION_CLOCKS] = {"clocks", "what STCK and STPT store is host time in Hercules, cycles here"},
    [EXCEPTION_FETCH] =
        {"failed instruction fetch",
         "IA and ILC are unpredictable; here IA + 2 and 2 bytes, Hercules adds twice or keeps an old ILC"},
    [EXCEPTION_FETCH_FAULT] = {"page fault at instruction fetch",
                               "the ILC is unpredictable; here 2 bytes, in Hercules that of an earlier instruction"},
    [EXCEPTION_MONITOR_BC] =
        {"monitor event in BC mode",
         "class and code are stored here, as the architecture says; Hercules stores them in EC mode only"},
    [EXCEPTION_EXTENDED_CODES] =
        {"bytes 144-147 and 160-163",
         "Hercules clears 144 on a data exception, and 160 and 162 on segment and page exceptions"},
    [EXCEPTION_DISPLAYED_PSW] = {"displayed BC PSW", "bits 16-33 of a current PSW have no meaning; here they are 0"},
    [EXCEPTION_EXTERNAL_ILC] = {"ILC of external and I/O interruptions",
                                "unpredictable in a BC old PSW; here 0, in Hercules that of the last instruction"},
    [EXCEPTION_LOOP] =
        {"interruption loop",
         "a program interruption that repeats itself for ever check-stops here, and keeps Hercules running"},
    [EXCEPTION_REFERENCE] =
        {"reference and change bits after an exception",
         "which operands of an instruction that did not end normally count as referred to is left open; here all "
         "that were found accessible"},
    [EXCEPTION_DECIMAL_ORDER] =
        {"decimal data against access",
         "when a decimal operand is invalid and the result cannot be stored, access exceptions come "
         "first here; Hercules looks at the digits before it tries to store"},
    [EXCEPTION_EXECUTED_LENGTH] =
        {"ILC under EXECUTE", "that of the EXECUTE, 4 bytes, here; in Hercules for some exceptions that of the target"},
    [EXCEPTION_OPCODES] = {"opcodes that only Hercules has",
                           "floating point and instructions of later machines are operation exceptions here"},
    [EXCEPTION_EDIT] = {"exceptions in ED and EDMK", "suppressed here; Hercules has stored the part of the result "
                                                     "before the invalid digit or the inaccessible byte"},
    [EXCEPTION_RESET_REFERENCE] = {"RRB",
                                   "one block of 2 KB here; Hercules looks at, and resets, both blocks of the 4 KB"},
    [EXCEPTION_REFERENCE_ONLY] =
        {"reference bits that Hercules leaves off",
         "a block referred to has its bit on here; Hercules leaves out the first block of some operands "
         "across a block's end (CLC), and the instructions' block after SSKE"},
    [EXCEPTION_ORDER] = {"which of two access exceptions",
                         "when both operands in storage are inaccessible, either may be reported"},
    [EXCEPTION_LONG] = {"registers of MVCL and CLCL after an access exception",
                        "unchanged here where nothing was processed; Hercules clears bits 0-7 of the addresses"},
    [EXCEPTION_WRAP] = {"MVO, PACK, UNPK, LCTL and STCTL across address 0",
                        "addresses wrap here; in Hercules an exception, another result, or no end"},
    [EXCEPTION_SET_KEY] = {"SSKE and RRBE, and SSK of the instruction's block",
                           "the new key counts at once here; Hercules goes on with what it looked up before"},
    [EXCEPTION_FORMAT] = {"LCTL of CR0 or CR1 with translation on",
                          "counts for the next instruction here; Hercules goes on in the page that it executes"},
    [EXCEPTION_COMPARE] = {"CLC beyond the first unequal byte",
                           "both operands must be accessible as a whole here; Hercules may stop before"},
    [EXCEPTION_HALT] = {"I/O interruption after HIO and HDV",
                        "before the next instruction here; some instructions later in Hercules"},
    [EXCEPTION_BLOCK_ADDRESS] = {"ISKE, SSKE and RRBE with bits 0-7 of R2 on",
                                 "ignored here; part of the address for Hercules"},
    [EXCEPTION_CHANNEL_ID] = {"change bit after STIDC", "on, for real 168, here; off in Hercules"},
    [EXCEPTION_PREFIX_KEYS] = {"change bits of blocks stored into before SPX", "on here; sometimes off in Hercules"},
    [EXCEPTION_ALIAS] = {"MVCL between two addresses of the same storage",
                         "operands that overlap in real storage only: in which order bytes are moved is left open"},
    [EXCEPTION_LOG] = {"a long move over the log of interruptions", "what led to the difference can no longer be told"},
    [EXCEPTION_PER] = {"PER", "its mask and control registers have no effect here"},
    [EXCEPTION_CLOCK_DUE] = {"when a clock's condition becomes pending", "by cycles here, by host time in Hercules"},
    [EXCEPTION_DIAGNOSE] = {"DIAGNOSE", "specification exception here; functions of Hercules' own, or nothing, there"},
    [EXCEPTION_TIME] = {"more than 2,000,000 instructions, or long ones",
                        "Hercules does not get the time to end such a loop"},
    [EXCEPTION_PREFIX] = {"SPX of an operand with bits 1-7 on", "ignored here; part of the address for Hercules"},
    [EXCEPTION_LATER_ORDER] = {"SIGP orders X'A', and from X'D' on",
                               "invalid orders here; Hercules resets the CPU, or makes it another"},
    [EXCEPTION_HOST_TRAP] = {"host trap", "Hercules itself ends on X'8000000000000000' divided by -1"},
};

/* What can be page 0, absolute. */
enum { PAGES = 3 };
static const uint32_t page_zeros[PAGES] = {0, DIFF_PREFIX_A, DIFF_PREFIX_B};

static uint32_t psw_ia(const uint8_t *psw) { return bytes_get24(psw + 5); }
static bool psw_is_ec(const uint8_t *psw) { return psw[1] & 8; }

static void equalize(uint8_t *a, uint8_t *b, size_t length) {
    memset(a, 0, length);
    memset(b, 0, length);
}

static void equalize_bits(uint8_t *a, uint8_t *b, uint8_t mask) {
    *a &= (uint8_t)~mask;
    *b &= (uint8_t)~mask;
}

static const struct differential_instruction *instruction_at(const struct differential_case *c, uint32_t at) {
    for (unsigned i = 0; i < c->count; i++)
        if (c->program[i].at == at)
            return &c->program[i];
    return NULL;
}

/* The storage at an absolute address, at the beginning of the case; NULL when there is none. */
static const uint8_t *text_of(const struct differential_case *c, uint32_t address) {
    if (address < DIFF_LOW - 6)
        return c->low + address;
    if (address < c->memory && address >= c->memory - DIFF_HIGH)
        return c->high + (address - (c->memory - DIFF_HIGH));
    return NULL;
}

/* What an interruption left: its old PSW, and real 128-159. */
struct left {
    uint8_t *psw, *area;
};

static unsigned code_of(const struct left *x) {
    return psw_is_ec(x->psw) ? bytes_get16(x->area + 14) : bytes_get16(x->psw + 2);
}
static unsigned ilc_of(const struct left *x) { return psw_is_ec(x->psw) ? x->area[13] / 2 : x->psw[4] >> 6; }

/* True when this may be the fetch of the instruction that failed. (An RR instruction that fails otherwise leaves the
 * same old PSW in both engines.) */
static bool fetch_failed(const struct left *x, unsigned code) {
    if (ilc_of(x) != 1)
        return false;
    if (code == 6)
        return psw_ia(x->psw) & 1;
    return code == 4 || code == 5 || code == 0x12;
}

static bool access_code(unsigned code) { return code == 4 || code == 5 || (code >= 0x10 && code <= 0x12); }

struct tables {
    const struct differential_case *c;
    const struct differential_result *r;
};

static enum access fetch_entry(void *self, uint32_t real, void *to, uint32_t length) {
    const uint8_t *low = self;
    if (real + length > DIFF_LOW)
        return ACCESS_ADDRESSING;
    memcpy(to, low + real, length);
    return ACCESS_OK;
}

/* Page 0 as the program saw it last: that into which the epilogue dumped. */
static uint32_t last_prefix(const struct tables *t) {
    for (size_t i = 1; i < PAGES; i++)
        if (bytes_get32(t->r->low + page_zeros[i] + PAGE0_PREFIX_DUMP) == page_zeros[i])
            return page_zeros[i];
    return 0;
}

/* The storage at an absolute address, at the end of the case; NULL when it was not kept. */
static const uint8_t *text_at(const struct tables *t, uint32_t at) {
    uint32_t high = t->c->memory - DIFF_HIGH;
    if (at < DIFF_LOW - 1)
        return t->r->low + at;
    return at >= high && at < t->c->memory - 1 ? t->r->high + (at - high) : NULL;
}

/* The storage, at the end of the case, that an old PSW's address names; NULL when it is not known. */
static const uint8_t *instruction_text(const struct tables *t, const uint8_t *psw, uint32_t at) {
    struct dat_walk w;
    uint32_t prefix = last_prefix(t);
    const uint8_t *dump = t->r->low + prefix + PAGE0_CR_DUMP;
    bool dumped = bytes_get32(t->r->psw + 4) == DIFF_END_ADDRESS;
    uint32_t cr0 = dumped ? bytes_get32(dump) : t->r->cr[0], cr1 = dumped ? bytes_get32(dump + 4) : t->r->cr[1];
    if (psw_is_ec(psw) && psw[0] & 4) {
        /* The program may have changed, behind the TLB, entries of the page that it is in. */
        bool unchanged = instruction_at(t->c, at) && cr0 == t->c->cr[0] && cr1 == t->c->cr[1];
        const uint8_t *low = unchanged ? t->c->low : t->r->low;
        if (dat_translate(cr0, cr1, at, fetch_entry, (void *)(uintptr_t)low, &w) != ACCESS_OK)
            return NULL;
        at = w.real;
    }
    if (at < 4096)
        at += prefix;
    else if (at - prefix < 4096)
        at -= prefix;
    return text_at(t, at);
}

enum { NONE = -1, WILD = -2 };

enum { ASSIGNED_END = 512 }; /* of the locations that interruptions store into */

/* What an EXECUTE names with the registers that the case begins with, where its address is a real one; NULL: that is
 * not known. */
static const uint8_t *executed(const struct differential_case *c, const uint8_t *execute, uint32_t *at) {
    unsigned index = execute[1] & 15, base = execute[2] >> 4;
    *at = bytes_get16(execute + 2) & 0xFFF;
    *at = (*at + (index ? c->gpr[index] : 0) + (base ? c->gpr[base] : 0)) & 0xFFFFFF;
    return text_of(c, *at);
}

/* The instruction that is executed; WILD: one that is not the program's. */
static int target_of(const struct differential_case *c, const struct differential_instruction *execute) {
    uint32_t at;
    if (execute->target_id >= 0)
        return execute->target_id;
    const uint8_t *text = text_of(c, execute->real), *target = text ? executed(c, text, &at) : NULL;
    const struct instruction *found = target ? instruction_decode(target) : NULL;
    return found ? (int)instruction_id(found) : WILD;
}

/* The EXECUTE that was interrupted, whatever the ILC says; NULL: it was another instruction. */
static const struct differential_instruction *interrupted_execute(const struct differential_case *c,
                                                                  const struct left *x) {
    unsigned code = code_of(x);
    const struct differential_instruction *i = instruction_at(c, psw_ia(x->psw));
    if (code != 0x10 && code != 0x11)
        i = ilc_of(x) ? instruction_at(c, (psw_ia(x->psw) - 4) & 0xFFFFFF) : NULL;
    return i && i->id == INSTRUCTION_EX ? i : NULL;
}

/* Which instruction was interrupted: that of the program or in storage, or the target of an EXECUTE. WILD: an EXECUTE
 * of something that is not the program's. */
static int interrupted(const struct tables *t, const struct left *x) {
    unsigned code = code_of(x), length = code == 0x10 || code == 0x11 ? 0 : ilc_of(x) * 2;
    uint32_t at = (psw_ia(x->psw) - length) & 0xFFFFFF;
    const struct differential_instruction *i = instruction_at(t->c, at), *execute = interrupted_execute(t->c, x);
    if (execute)
        return target_of(t->c, execute);
    const uint8_t *text = instruction_text(t, x->psw, at);
    const struct instruction *found = text ? instruction_decode(text) : NULL;
    if (found)
        return instruction_id(found) == INSTRUCTION_EX ? WILD : (int)instruction_id(found);
    return i && i->id >= 0 ? i->id : NONE;
}

/* Hercules found invalid digits where the other found the result's place inaccessible. */
static bool decimal_order(int id, const struct left *a, const struct left *b) {
    if ((code_of(a) != 7 && code_of(a) != 0xB) || !access_code(code_of(b)))
        return false;
    switch (id) {
    case INSTRUCTION_ZAP:
    case INSTRUCTION_AP:
    case INSTRUCTION_SP:
    case INSTRUCTION_MP:
    case INSTRUCTION_DP:
    case INSTRUCTION_SRP:
    case INSTRUCTION_CP:
    case INSTRUCTION_ED:
    case INSTRUCTION_EDMK:
    case WILD: return true;
    default: return false;
    }
}

static bool edits(int id, const struct left *b) {
    return (code_of(b) == 7 || access_code(code_of(b))) && (id == INSTRUCTION_ED || id == INSTRUCTION_EDMK);
}

/* Both engines report access exceptions of the same instruction with two operands in storage, but not the same one. */
static bool either_operand(int id, int id_a, const struct left *a, const struct left *b) {
    if (id != id_a || !access_code(code_of(a)) || !access_code(code_of(b)))
        return false;
    if (code_of(a) == code_of(b) && memcmp(a->area + 16, b->area + 16, 4) == 0)
        return false;
    if (id == WILD || id == INSTRUCTION_MVCL || id == INSTRUCTION_CLCL)
        return true;
    return id >= 0 && instruction_table[id].length == 6;
}

static bool wraps(int id) {
    return id == INSTRUCTION_MVO || id == INSTRUCTION_PACK || id == INSTRUCTION_UNPK || id == INSTRUCTION_STCTL ||
           id == INSTRUCTION_LCTL;
}

/* Whether this is floating point, or of a later machine. */
static bool only_hercules(const uint8_t *text) {
    static const uint8_t second[] = {0x00, 0x01, 0x18, 0x19, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x2C, 0x2D, 0xF0};
    uint8_t op = text[0];
    if ((op >= 0x20 && op <= 0x3F) || (op >= 0x60 && op <= 0x7F) || (op >= 0xD9 && op <= 0xDB) || op == 0xE5 ||
        op == 0xE6)
        return true;
    for (size_t i = 0; op == 0xB2 && i < sizeof second; i++)
        if (text[1] == second[i])
            return true;
    return false;
}

static bool foreign_opcode(const struct tables *t, int id, const struct left *b) {
    if (code_of(b) != 1)
        return false;
    const uint8_t *text = instruction_text(t, b->psw, (psw_ia(b->psw) - ilc_of(b) * 2) & 0xFFFFFF);
    if (ilc_of(b) == 2 && interrupted_execute(t->c, b))
        return true; /* what it executed is not known */
    if (((psw_ia(b->psw) - ilc_of(b) * 2) & 0xFFFFFF) < ASSIGNED_END)
        return true; /* what was there has been overwritten since */
    if (id == WILD || (text && only_hercules(text)))
        return true;
    /* As it was before the program changed it. */
    const uint8_t *before =
        text && text >= t->r->low && text < t->r->low + DIFF_LOW ? t->c->low + (text - t->r->low) : NULL;
    return before && only_hercules(before);
}

static bool contains(const struct differential_case *c, int id) {
    for (unsigned i = 0; i < c->count; i++)
        if (c->program[i].id == id)
            return true;
    return false;
}

struct unknown {
    bool monitor, address;
};

/* Masks what the list above allows in one interruption. True when the two engines go on at different addresses after
 * it. */
static bool equalize_program(const struct differential_case *c, struct left *a, struct left *b, struct unknown *u) {
    bool ec = psw_is_ec(b->psw);
    unsigned code = code_of(b);
    if (ec != psw_is_ec(a->psw) || code != code_of(a))
        return false;
    bool apart = false;
    if (fetch_failed(b, code)) {
        apart = psw_ia(a->psw) != psw_ia(b->psw);
        equalize(a->psw + 5, b->psw + 5, 3);
        if (ec)
            equalize(a->area + 13, b->area + 13, 1);
        else
            equalize_bits(a->psw + 4, b->psw + 4, 0xC0);
    }
    if (ilc_of(a) != ilc_of(b) && ilc_of(b) == 2 && psw_ia(a->psw) == psw_ia(b->psw)) {
        uint32_t length = code == 0x10 || code == 0x11 ? 0 : 4;
        const struct differential_instruction *i = instruction_at(c, (psw_ia(b->psw) - length) & 0xFFFFFF);
        if (i && i->id == INSTRUCTION_EX && ec)
            equalize(a->area + 13, b->area + 13, 1);
        else if (i && i->id == INSTRUCTION_EX)
            equalize_bits(a->psw + 4, b->psw + 4, 0xC0);
    }
    if ((code == 0x10 || code == 0x11) && ilc_of(b) == 1)
        equalize(a->area + 13, b->area + 13, 1);
    if (code == 7 && ec)
        u->address = true;
    if ((code == 0x10 || code == 0x11) && ec) {
        u->address = false;
        if (a->area[16] == 1)
            a->area[16] = 0; /* an operand across address 0: Hercules' address has 25 bits */
    }
    if (code == 0x40)
        u->monitor = !ec;
    return apart;
}

static void equalize_area(uint8_t *a, uint8_t *b, const struct unknown *u) {
    if (u->address)
        equalize(a + 16, b + 16, 4);
    if (u->monitor) {
        equalize(a + 20, b + 20, 2);
        equalize(a + 28, b + 28, 4);
    }
}

/* The exception that explains why two entries of the log, and all that follows, may differ; -1: none. */
static int apart_after(const struct tables *t, uint8_t *ea, uint8_t *eb) {
    struct left a = {ea + 4, ea + 16}, b = {eb + 4, eb + 16};
    bool both = bytes_get32(ea) == 3 && bytes_get32(eb) == 3;
    if (bytes_get32(eb) == 3) {
        int id = interrupted(t, &b);
        unsigned code = code_of(&b);
        if (foreign_opcode(t, id, &b))
            return EXCEPTION_OPCODES;
        if (edits(id, &b))
            return EXCEPTION_EDIT;
        if (code == 6 && id == INSTRUCTION_DIAG && memcmp(ea, eb, DIFF_LOG_ENTRY) != 0)
            return EXCEPTION_DIAGNOSE;
        /* (Its registers may have changed since: an EXECUTE can be of another instruction than it seems.) */
        bool executes = both && interrupted_execute(t->c, &b) && interrupted_execute(t->c, &a);
        int id_a = executes ? WILD : both ? interrupted(t, &a) : NONE;
        if (both && decimal_order(id_a, &a, &b))
            return EXCEPTION_DECIMAL_ORDER;
        if (both && either_operand(executes ? WILD : id, id_a, &a, &b))
            return EXCEPTION_ORDER;
        if (code == 0x12 && fetch_failed(&b, code) && !(both && code_of(&a) == code))
            return EXCEPTION_FORMAT;
        if (access_code(code) && wraps(id) && memcmp(ea, eb, DIFF_LOG_ENTRY) != 0)
            return EXCEPTION_WRAP;
        if (code == 4 && fetch_failed(&b, code) && memcmp(ea, eb, DIFF_LOG_ENTRY) != 0 &&
            (contains(t->c, INSTRUCTION_SSK) || contains(t->c, INSTRUCTION_SSKE)))
            return EXCEPTION_SET_KEY;
        if (id == INSTRUCTION_CLC && access_code(code) && memcmp(ea, eb, DIFF_LOG_ENTRY) != 0)
            return EXCEPTION_COMPARE;
    }
    if (bytes_get32(ea) == 3 && code_of(&a) & 0x80)
        return EXCEPTION_PER;
    if (bytes_get32(ea) == 3 && memcmp(ea, eb, DIFF_LOG_ENTRY) != 0) {
        int id = interrupted(t, &a);
        if (code_of(&a) == 5 && id == INSTRUCTION_SPX)
            return EXCEPTION_PREFIX;
        if (code_of(&a) == 5 && id >= INSTRUCTION_ISKE && id <= INSTRUCTION_SSKE)
            return EXCEPTION_BLOCK_ADDRESS;
        if (access_code(code_of(&a)) && wraps(id))
            return EXCEPTION_WRAP;
    }
    bool external = bytes_get32(ea) == 1 || bytes_get32(eb) == 1;
    if (external && memcmp(ea, eb, DIFF_LOG_ENTRY) != 0 &&
        (contains(t->c, INSTRUCTION_SPT) || contains(t->c, INSTRUCTION_SCKC)))
        return EXCEPTION_CLOCK_DUE;
    if (bytes_get32(eb) == 5 && memcmp(ea, eb, DIFF_LOG_ENTRY) != 0 &&
        (contains(t->c, INSTRUCTION_HIO) || contains(t->c, INSTRUCTION_HDV)))
        return EXCEPTION_HALT;
    return -1;
}

/* A program interruption that ended the case without being logged, in the log's form; its class is 0 if there is none.
 */
static uint8_t *unlogged(const struct differential_case *c, const struct differential_result *r, uint8_t *entry) {
    const uint8_t *page = r->low + c->prefix;
    memset(entry, 0, DIFF_LOG_ENTRY);
    if (bytes_get32(r->psw + 4) == DIFF_END_ADDRESS || bytes_get64(page + 40) == bytes_get64(c->low + c->prefix + 40))
        return entry;
    bytes_put32(entry, 3);
    memcpy(entry + 4, page + 40, 8);
    memcpy(entry + 16, page + 128, 32);
    return entry;
}

/* An MVCL or CLCL, or what may be one, ended with an access exception. */
static bool long_failed(const struct tables *t, const struct left *x) {
    int id = interrupted(t, x);
    for (uint32_t back = 0; back <= 2; back += 2) { /* its text may be gone, by its own doing */
        const struct differential_instruction *i = instruction_at(t->c, (psw_ia(x->psw) - back) & 0xFFFFFF);
        if (i && i->id == INSTRUCTION_MVCL)
            id = i->id;
    }
    return access_code(code_of(x)) && (id == INSTRUCTION_MVCL || id == INSTRUCTION_CLCL || id == WILD);
}

/* Masks what interruptions left. Returns the exception after which the two engines may go on differently, or -1. */
static int equalize_interruptions(const struct differential_case *c, struct differential_result *a,
                                  struct differential_result *b) {
    struct unknown u = {contains(c, INSTRUCTION_MC) && (!(c->psw[1] & 8) || contains(c, INSTRUCTION_LPSW)), false};
    bool apart = false;
    bool apart_long = false;
    struct tables t = {c, b};
    uint8_t refused = 0;
    for (unsigned i = 0; i < DIFF_LOG_ENTRIES; i++) {
        uint8_t *ea = a->low + DIFF_LOG + i * DIFF_LOG_ENTRY, *eb = b->low + DIFF_LOG + i * DIFF_LOG_ENTRY;
        uint8_t last[2][DIFF_LOG_ENTRY];
        if (bytes_get32(ea) == 0)
            ea = unlogged(c, a, last[0]);
        if (bytes_get32(eb) == 0)
            eb = unlogged(c, b, last[1]);
        uint32_t class = bytes_get32(eb);
        int after = apart_after(&t, ea, eb);
        if (after >= 0)
            return after;
        if (class != bytes_get32(ea) || class == 0)
            break;
        struct left la = {ea + 4, ea + 16}, lb = {eb + 4, eb + 16};
        apart_long = apart_long || (class == 3 && long_failed(&t, &lb));
        if (ea == last[0] || eb == last[1])
            break;
        if (class == 3) {
            unsigned code = code_of(&lb);
            if (code == 4 || code == 5 || code == 7 || code == 0xB || (code >= 0x10 && code <= 0x12))
                refused = 6;
            apart = equalize_program(c, &la, &lb, &u) || apart;
        }
        if ((class == 1 || class == 5) && !psw_is_ec(lb.psw))
            equalize_bits(la.psw + 4, lb.psw + 4, 0xC0);
        equalize_area(la.area, lb.area, &u);
        if (apart && memcmp(ea, eb, DIFF_LOG_ENTRY) == 0)
            return EXCEPTION_FETCH;
    }
    for (size_t k = 0; k < PAGES; k++) {
        uint8_t *pa = a->low + page_zeros[k], *pb = b->low + page_zeros[k];
        struct left la = {pa + 40, pa + 128}, lb = {pb + 40, pb + 128};
        struct unknown last = u;
        equalize_program(c, &la, &lb, &last);
        equalize_area(pa + 128, pb + 128, &last);
        for (uint32_t old = 24; old <= 56; old += 32)
            if (!psw_is_ec(pb + old))
                equalize_bits(pa + old + 4, pb + old + 4, 0xC0);
        equalize(pa + 160, pb + 160, 4);
        equalize(pa + 80, pb + 80, 4);
        equalize(pa + PAGE0_RESUME, pb + PAGE0_RESUME, 8); /* a copy of an old PSW */
    }
    if (refused)
        for (uint32_t i = DIFF_KEYS; i < DIFF_KEYS_END; i++)
            equalize_bits(a->low + i, b->low + i, refused);
    return apart_long ? EXCEPTION_LONG : -1;
}

static bool same(const struct differential_case *c, const struct differential_result *a,
                 const struct differential_result *b) {
    return memcmp(a->psw, b->psw, 8) == 0 && memcmp(a->gpr, b->gpr, sizeof a->gpr) == 0 &&
           memcmp(a->cr, b->cr, sizeof a->cr) == 0 && memcmp(a->low, b->low, DIFF_LOW) == 0 &&
           memcmp(a->high, b->high, DIFF_HIGH) == 0 &&
           (!c->full || memcmp(a->rest, b->rest, c->memory - DIFF_LOW - DIFF_HIGH) == 0);
}

/* True when they differ only in reference bits that are on in b and off in a; these are made equal. */
static bool reference_bits_only(const struct differential_case *c, struct differential_result *a,
                                struct differential_result *b) {
    uint8_t saved[DIFF_KEYS_END - DIFF_KEYS];
    memcpy(saved, a->low + DIFF_KEYS, sizeof saved);
    for (uint32_t i = DIFF_KEYS; i < DIFF_KEYS_END; i++)
        a->low[i] |= b->low[i] & 4;
    if (same(c, a, b))
        return true;
    memcpy(a->low + DIFF_KEYS, saved, sizeof saved);
    return false;
}

/* Where a comparison of storage with itself ended: at Hercules' interval timer, which changed meanwhile. */
static bool stopped_at_timer(const struct differential_result *r) {
    for (uint32_t i = 0; i < 64; i += 4)
        if ((bytes_get32(r->low + PAGE0_SAVE + i) & 0xFFFFFC) == 0x50)
            return true;
    return false;
}

/* Address translation may be on at some time. */
static bool translates(const struct differential_case *c) {
    return c->psw[1] & 8 ? c->psw[0] & 4 || contains(c, INSTRUCTION_SSM) || contains(c, INSTRUCTION_STOSM) ||
                               contains(c, INSTRUCTION_LPSW)
                         : contains(c, INSTRUCTION_LPSW);
}

/* Interruptions, keys and registers are the same, and translation was on when an MVCL moved. */
static bool moved_aliases(const struct differential_case *c, const struct differential_result *a,
                          const struct differential_result *b) {
    uint32_t page = c->prefix;
    return contains(c, INSTRUCTION_MVCL) && translates(c) &&
           memcmp(a->low + DIFF_KEYS, b->low + DIFF_KEYS, DIFF_KEYS_END - DIFF_KEYS) == 0 &&
           memcmp(a->low + DIFF_LOG, b->low + DIFF_LOG, DIFF_LOG_ENTRIES * DIFF_LOG_ENTRY) == 0 &&
           memcmp(a->low + page + PAGE0_SAVE, b->low + page + PAGE0_SAVE, 64) == 0;
}

/* The first entry of the log is none. */
static bool log_lost(const struct differential_result *r) {
    uint32_t class = bytes_get32(r->low + DIFF_LOG);
    return class == 0 || class > 5;
}

/* Operands that may run across address 0: a register points to the end of the address space. */
static bool near_wrap(const struct differential_case *c) {
    for (int i = 0; i < 16; i++)
        if ((c->gpr[i] & 0xFFFFFF) >= 0xFFEF00)
            return true;
    return false;
}

/* True when they differ only in reference bits, as above, and in page 0's change bit, on in b and off in a; these are
 * made equal. */
static bool channel_id_only(const struct differential_case *c, struct differential_result *a,
                            struct differential_result *b) {
    for (size_t k = 0; k < PAGES; k++) {
        uint32_t at = DIFF_KEYS + page_zeros[k] / 2048;
        a->low[at] |= b->low[at] & 2;
    }
    return reference_bits_only(c, a, b);
}

static bool contains_any(const struct differential_case *c, const enum instruction_id *ids, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (contains(c, (int)ids[i]))
            return true;
    return false;
}

const char *differential_reference_exception(const struct differential_case *c) {
    static const enum instruction_id ids[] = {INSTRUCTION_ISK, INSTRUCTION_ISKE, INSTRUCTION_RRBE};
    if (contains(c, INSTRUCTION_RRB))
        return differential_exceptions[EXCEPTION_RESET_REFERENCE].name;
    return contains_any(c, ids, sizeof ids / sizeof *ids) ? differential_exceptions[EXCEPTION_REFERENCE].name : NULL;
}

/* Instructions after which, or in whose operands, Hercules leaves reference bits off. */
static bool leaves_references(const struct differential_case *c) {
    static const enum instruction_id ids[] = {INSTRUCTION_CLC, INSTRUCTION_RRB, INSTRUCTION_RRBE, INSTRUCTION_SSK,
                                              INSTRUCTION_SSKE};
    return contains_any(c, ids, sizeof ids / sizeof *ids);
}

/* Where condition codes of an old PSW tell of a block's bits: RRBE's of its reference bit, on in b and off in a; RRB's
 * of both bits, and in Hercules of two blocks. Makes them equal. */
static void equalize_condition(uint8_t *a, uint8_t *b, bool two_blocks) {
    unsigned at = psw_is_ec(b) ? 2 : 4;
    if (psw_is_ec(a) != psw_is_ec(b))
        return;
    a[at] |= b[at] & 0x20;
    if (two_blocks)
        equalize_bits(a + at, b + at, 0x30);
}

/* True when they differ only in reference bits, and in the condition code that tells of one; these are made equal. */
static bool reset_condition_only(const struct differential_case *c, struct differential_result *a,
                                 struct differential_result *b, bool two_blocks) {
    for (uint32_t at = DIFF_LOG; at < DIFF_LOG_NEXT; at += DIFF_LOG_ENTRY)
        equalize_condition(a->low + at + 4, b->low + at + 4, two_blocks);
    for (size_t k = 0; k < PAGES; k++)
        for (uint32_t old = 24; old <= 56; old += 8)
            equalize_condition(a->low + page_zeros[k] + old, b->low + page_zeros[k] + old, two_blocks);
    return reference_bits_only(c, a, b);
}

/* The program, or something in its way, has stored into it. */
static bool program_changed(const struct differential_case *c, const struct differential_result *r) {
    for (unsigned i = 0; i < c->count; i++) {
        const struct differential_instruction *p = &c->program[i];
        const uint8_t *before = text_of(c, p->real);
        const uint8_t *after = text_at(&(struct tables){c, r}, p->real);
        if (before && after && memcmp(before, after, p->length) != 0)
            return true;
    }
    return false;
}

/* It has not come to the end of an MVCL or CLCL of up to 16 MB. */
static bool in_long_instruction(const struct differential_case *c, const uint8_t psw[8]) {
    const struct differential_instruction *i = instruction_at(c, psw_ia(psw));
    return i && (i->id == INSTRUCTION_MVCL || i->id == INSTRUCTION_CLCL);
}

/* They differ only where, with the registers of the beginning, STCK stores. */
static bool clocks_only(const struct differential_case *c, struct differential_result *a,
                        struct differential_result *b) {
    for (unsigned i = 0; i < c->count; i++) {
        const uint8_t *text = c->program[i].id == INSTRUCTION_STCK ? text_of(c, c->program[i].real) : NULL;
        uint32_t base = text && text[2] >> 4 ? c->gpr[text[2] >> 4] : 0;
        for (uint32_t n = 0; text && n < 8; n++) {
            uint32_t at = (base + (bytes_get16(text + 2) & 0xFFF) + n) & 0xFFFFFF;
            if (at < DIFF_LOW)
                equalize(a->low + at, b->low + at, 1);
        }
    }
    return same(c, a, b);
}

/* The program has stored into the interruption handlers in page 0. */
static bool handlers_changed(const struct differential_case *c, const struct differential_result *r) {
    static uint8_t image[DIFF_LOW];
    differential_image(c, image);
    for (size_t k = 0; k < PAGES; k++)
        if ((k == 0 || c->prefix == page_zeros[k]) &&
            memcmp(r->low + page_zeros[k] + PAGE0_CODE, image + page_zeros[k] + PAGE0_CODE,
                   PAGE0_RESUME - PAGE0_CODE) != 0)
            return true;
    return false;
}

/* With the registers of the beginning, a SIGP has an order that System/370 does not have. */
static bool later_order(const struct differential_case *c) {
    for (unsigned i = 0; i < c->count; i++) {
        const uint8_t *text = c->program[i].id == INSTRUCTION_SIGP ? text_of(c, c->program[i].real) : NULL;
        uint32_t base = text && text[2] >> 4 ? c->gpr[text[2] >> 4] : 0;
        uint32_t order = text ? (base + bytes_get16(text + 2)) & 0xFF : 0;
        if (order == 0xA || order >= 0xD)
            return true;
    }
    return false;
}

/* A wait that only a clock can end: here at once, since nothing else happens, and in Hercules after host time. */
static bool waits_for_clock(const uint8_t psw[8]) {
    struct psw p;
    psw_load(&p, psw);
    return psw_wait(&p) && psw_external(&p);
}

/* Whether a table that is known to the TLB is referred to again, after its bit was reset, is the TLB's business. */
static void equalize_table_references(const struct differential_case *c, uint8_t *a, uint8_t *b) {
    static const enum instruction_id ids[] = {INSTRUCTION_RRB, INSTRUCTION_RRBE, INSTRUCTION_SSK, INSTRUCTION_SSKE};
    if (!translates(c) || !contains_any(c, ids, sizeof ids / sizeof *ids))
        return;
    for (uint32_t at = DIFF_TABLES / 2048; at < DIFF_TABLES_END / 2048; at++)
        equalize_bits(a + DIFF_KEYS + at, b + DIFF_KEYS + at, 4);
}

enum differential_verdict differential_compare(const struct differential_case *c, struct differential_result *a,
                                               struct differential_result *b, const char **exception) {
    *exception = NULL;
    if (a->end == END_FAILED) {
        *exception = differential_exceptions[EXCEPTION_HOST_TRAP].name;
        return VERDICT_EXCUSED;
    }
    if (a->end == END_LIMIT && (b->end == END_LIMIT || b->end == END_CHECK_STOP)) {
        *exception = differential_exceptions[EXCEPTION_LOOP].name;
        return VERDICT_EXCUSED;
    }
    if (a->end == END_LIMIT && near_wrap(c) &&
        (contains(c, INSTRUCTION_MVO) || contains(c, INSTRUCTION_PACK) || contains(c, INSTRUCTION_UNPK))) {
        *exception = differential_exceptions[EXCEPTION_WRAP].name;
        return VERDICT_EXCUSED;
    }
    if (a->end != b->end) {
        int apart = equalize_interruptions(c, a, b);
        if (contains(c, INSTRUCTION_LCTL) && translates(c) && memcmp(b->cr, c->cr, 8) != 0)
            apart = EXCEPTION_FORMAT;
        if (apart < 0 && a->end == END_LIMIT && (b->instructions > 2000000 || in_long_instruction(c, a->psw)))
            apart = EXCEPTION_TIME;
        if (apart < 0 && a->end == END_LIMIT && waits_for_clock(a->psw))
            apart = EXCEPTION_CLOCK_DUE;
        if (apart < 0 && a->end == END_LIMIT &&
            (later_order(c) || (contains(c, INSTRUCTION_SIGP) && bytes_get64(a->psw) == 0)))
            apart = EXCEPTION_LATER_ORDER;
        if (apart < 0)
            return VERDICT_DIFFERENT;
        *exception = differential_exceptions[apart].name;
        return VERDICT_EXCUSED;
    }
    for (int i = 0; i < 2; i++) {
        struct differential_result *r = i ? b : a;
        if (!psw_is_ec(r->psw)) {
            memset(r->psw + 2, 0, 2);
            r->psw[4] &= 0x3F;
        }
    }
    equalize(a->low + DIFF_CLOCKS, b->low + DIFF_CLOCKS, DIFF_CLOCKS_END - DIFF_CLOCKS);
    for (unsigned i = 0; i < c->clock_count; i++) {
        uint32_t at = c->clock[i];
        if (at < DIFF_LOW)
            equalize(a->low + at, b->low + at, 1);
        else if (at >= c->memory - DIFF_HIGH)
            equalize(a->high + (at - (c->memory - DIFF_HIGH)), b->high + (at - (c->memory - DIFF_HIGH)), 1);
    }
    if (bytes_get32(b->psw + 4) == DIFF_END_ADDRESS) /* what the epilogue left in registers; it saved the program's */
        equalize((uint8_t *)a->gpr, (uint8_t *)b->gpr, sizeof a->gpr);
    int apart = equalize_interruptions(c, a, b);
    equalize_table_references(c, a->low, b->low);
    if (apart >= 0 && !same(c, a, b)) {
        *exception = differential_exceptions[apart].name;
        return VERDICT_EXCUSED;
    }
    if (same(c, a, b))
        return VERDICT_EQUAL;
    if (leaves_references(c) && reference_bits_only(c, a, b)) {
        *exception = differential_exceptions[EXCEPTION_REFERENCE_ONLY].name;
        return VERDICT_EXCUSED;
    }
    if (contains(c, INSTRUCTION_SPX) &&
        memcmp(a->low + DIFF_KEYS, b->low + DIFF_KEYS, DIFF_KEYS_END - DIFF_KEYS) != 0) {
        memcpy(a->low + DIFF_KEYS, b->low + DIFF_KEYS, DIFF_KEYS_END - DIFF_KEYS);
        if (same(c, a, b)) {
            *exception = differential_exceptions[EXCEPTION_PREFIX_KEYS].name;
            return VERDICT_EXCUSED;
        }
    }
    if (contains(c, INSTRUCTION_CLCL) && stopped_at_timer(a)) {
        *exception = differential_exceptions[EXCEPTION_TIMER].name;
        return VERDICT_EXCUSED;
    }
    if (moved_aliases(c, a, b)) {
        *exception = differential_exceptions[EXCEPTION_ALIAS].name;
        return VERDICT_EXCUSED;
    }
    uint8_t image_cr[8];
    bytes_put32(image_cr, c->cr[0]);
    bytes_put32(image_cr + 4, c->cr[1]);
    int cause = -1;
    if (contains(c, INSTRUCTION_MVCL) && (log_lost(a) || log_lost(b)))
        cause = EXCEPTION_LOG;
    if (near_wrap(c) &&
        (contains(c, INSTRUCTION_MVO) || contains(c, INSTRUCTION_PACK) || contains(c, INSTRUCTION_UNPK)))
        cause = EXCEPTION_WRAP;
    if (contains(c, INSTRUCTION_LCTL) && translates(c) &&
        memcmp(b->low + last_prefix(&(struct tables){c, b}) + PAGE0_CR_DUMP, image_cr, 8) != 0)
        cause = EXCEPTION_FORMAT;
    if (cause < 0 && contains(c, INSTRUCTION_STIDC) && channel_id_only(c, a, b))
        cause = EXCEPTION_CHANNEL_ID;
    if (cause < 0 && contains(c, INSTRUCTION_RRBE) && reset_condition_only(c, a, b, false))
        cause = EXCEPTION_SET_KEY;
    if (cause < 0 && contains(c, INSTRUCTION_RRB) && reset_condition_only(c, a, b, true))
        cause = EXCEPTION_RESET_REFERENCE;
    if (cause < 0 && contains(c, INSTRUCTION_STCK) && (program_changed(c, b) || clocks_only(c, a, b)))
        cause = EXCEPTION_CLOCKS;
    if (cause < 0 && later_order(c))
        cause = EXCEPTION_LATER_ORDER;
    if (cause < 0 && contains(c, INSTRUCTION_MC) && handlers_changed(c, b))
        cause = EXCEPTION_MONITOR_BC;
    if (cause >= 0) {
        *exception = differential_exceptions[cause].name;
        return VERDICT_EXCUSED;
    }
    return VERDICT_DIFFERENT;
}

/* --- showing --- */

static void print_bytes(FILE *to, const uint8_t *bytes, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        fprintf(to, "%02X", bytes[i]);
}

static const char *const end_names[] = {"disabled wait", "check-stop", "limit", "failed"};

static void print_storage(FILE *to, const uint8_t *a, const uint8_t *b, uint32_t length, uint32_t at, unsigned *lines) {
    for (uint32_t i = 0; i < length; i += 16) {
        if (memcmp(a + i, b + i, 16) == 0 || *lines == 0)
            continue;
        --*lines;
        const char *what = "";
        uint32_t address = at + i;
        if (address >= DIFF_LOG && address < DIFF_KEYS)
            what = " (log)";
        if (address >= DIFF_KEYS && address < DIFF_KEYS_END)
            what = " (keys)";
        if (address >= PAGE0_SAVE && address < PAGE0_SAVE + 64)
            what = " (registers)";
        if (address >= PAGE0_CR_DUMP && address < PAGE0_CR_DUMP + 64)
            what = " (control registers)";
        fprintf(to, "  %06X ", address);
        print_bytes(to, a + i, 16);
        fprintf(to, "\n         ");
        print_bytes(to, b + i, 16);
        fprintf(to, "%s\n", what);
    }
}

static void print_log(FILE *to, const struct differential_result *r) {
    for (unsigned i = 0; i < DIFF_LOG_ENTRIES; i++) {
        const uint8_t *e = r->low + DIFF_LOG + i * DIFF_LOG_ENTRY;
        uint32_t class = bytes_get32(e);
        static const char *const names[] = {"?", "external", "SVC", "program", "machine check", "I/O"};
        if (!class)
            break;
        fprintf(to, "    %-8s old PSW ", names[class < 6 ? class : 0]);
        print_bytes(to, e + 4, 8);
        fprintf(to, "  132: ");
        print_bytes(to, e + 20, 4);
        fprintf(to, " 136: ");
        print_bytes(to, e + 24, 4);
        fprintf(to, " 140: ");
        print_bytes(to, e + 28, 4);
        fprintf(to, " 144: ");
        print_bytes(to, e + 32, 16);
        fprintf(to, "\n");
    }
}

/* The general registers at the last interruption. */
static void print_registers(FILE *to, const struct differential_case *c, const struct differential_result *r) {
    const uint8_t *save = r->low + last_prefix(&(struct tables){c, r}) + PAGE0_SAVE;
    for (int i = 0; i < 16; i++)
        fprintf(to, "%s%08X%s", i % 8 ? " " : "    ", bytes_get32(save + 4 * i), i % 8 == 7 ? "\n" : "");
}

void differential_print_difference(FILE *to, const struct differential_case *c, const struct differential_result *a,
                                   const struct differential_result *b, const char *a_name, const char *b_name) {
    unsigned lines = 16;
    fprintf(to, "  %s: %s, PSW ", a_name, end_names[a->end]);
    print_bytes(to, a->psw, 8);
    fprintf(to, "\n");
    print_log(to, a);
    print_registers(to, c, a);
    fprintf(to, "  %s: %s, PSW ", b_name, end_names[b->end]);
    print_bytes(to, b->psw, 8);
    fprintf(to, "\n");
    print_log(to, b);
    print_registers(to, c, b);
    if (a->end != b->end)
        return;
    for (int i = 0; i < 16; i++) {
        if (a->gpr[i] != b->gpr[i])
            fprintf(to, "  GR%d %08X %08X\n", i, a->gpr[i], b->gpr[i]);
        if (a->cr[i] != b->cr[i])
            fprintf(to, "  CR%d %08X %08X\n", i, a->cr[i], b->cr[i]);
    }
    print_storage(to, a->low, b->low, DIFF_LOW, 0, &lines);
    print_storage(to, a->high, b->high, DIFF_HIGH, c->memory - DIFF_HIGH, &lines);
    if (c->full)
        print_storage(to, a->rest, b->rest, c->memory - DIFF_LOW - DIFF_HIGH, DIFF_LOW, &lines);
}

static void print_executed(FILE *to, const struct differential_case *c, const uint8_t *execute) {
    char line[DISASSEMBLER_TEXT];
    uint32_t at;
    const uint8_t *text = executed(c, execute, &at);
    if (!text)
        return;
    disassemble(line, text, 6);
    fprintf(to, "    %06X  ", at);
    print_bytes(to, text, 6);
    fprintf(to, "   %s\n", line);
}

void differential_print_case(FILE *to, const struct differential_case *c) {
    fprintf(to, "  PSW ");
    print_bytes(to, c->psw, 8);
    fprintf(to, "  storage %uM  prefix %06X\n", c->memory >> 20, c->prefix);
    for (int i = 0; i < 16; i++)
        fprintf(to, "%s%s%-2d %08X%s", i % 8 ? "  " : "  ", "GR", i, c->gpr[i], i % 8 == 7 ? "\n" : "");
    fprintf(to, "  CR0 %08X CR1 %08X CR2 %08X CR8 %08X  comparator %016llX timer %016llX\n", c->cr[0], c->cr[1],
            c->cr[2], c->cr[8], (unsigned long long)c->comparator, (unsigned long long)c->timer);
    for (unsigned i = 0; i < c->count; i++) {
        const struct differential_instruction *p = &c->program[i];
        const uint8_t *text = text_of(c, p->real);
        char line[DISASSEMBLER_TEXT] = "(not in storage)";
        if (text)
            disassemble(line, text, p->length);
        fprintf(to, "  %06X", p->at);
        if (p->real != p->at)
            fprintf(to, " (%06X)", p->real);
        fprintf(to, "  ");
        if (text)
            print_bytes(to, text, p->length);
        fprintf(to, "%*s %s\n", 14 - 2 * p->length, "", line);
        if (text && p->id == INSTRUCTION_EX)
            print_executed(to, c, text);
    }
    unsigned printed = 0;
    for (unsigned i = 0; i < DIFF_LOW_BLOCKS; i++)
        if (c->keys[i])
            fprintf(to, "%s %05X:%02X", printed++ ? "" : "  keys", i * 2048, c->keys[i]);
    for (unsigned i = 0; i < DIFF_HIGH_BLOCKS; i++)
        if (c->high_keys[i])
            fprintf(to, "%s %05X:%02X", printed++ ? "" : "  keys", c->memory - DIFF_HIGH + i * 2048, c->high_keys[i]);
    if (printed)
        fprintf(to, "\n");
}

/* --- leaving instructions out --- */

static const uint8_t nothing[] = {0x07, 0x00, 0x07, 0x00, 0x07, 0x00};

bool differential_leave_out(struct differential_case *c, const char *exception) {
    static const struct {
        enum exception exception;
        enum instruction_id id;
    } about[] = {
        {EXCEPTION_CLOCKS, INSTRUCTION_STCK},        {EXCEPTION_CLOCKS, INSTRUCTION_STPT},
        {EXCEPTION_CLOCKS, INSTRUCTION_SCK},         {EXCEPTION_CLOCKS, INSTRUCTION_SCKC},
        {EXCEPTION_CLOCKS, INSTRUCTION_SPT},         {EXCEPTION_CLOCK_DUE, INSTRUCTION_SCKC},
        {EXCEPTION_CLOCK_DUE, INSTRUCTION_SPT},      {EXCEPTION_WRAP, INSTRUCTION_MVO},
        {EXCEPTION_WRAP, INSTRUCTION_PACK},          {EXCEPTION_WRAP, INSTRUCTION_UNPK},
        {EXCEPTION_WRAP, INSTRUCTION_LCTL},          {EXCEPTION_WRAP, INSTRUCTION_STCTL},
        {EXCEPTION_FORMAT, INSTRUCTION_LCTL},        {EXCEPTION_LOG, INSTRUCTION_MVCL},
        {EXCEPTION_ALIAS, INSTRUCTION_MVCL},         {EXCEPTION_LONG, INSTRUCTION_MVCL},
        {EXCEPTION_LONG, INSTRUCTION_CLCL},          {EXCEPTION_EDIT, INSTRUCTION_ED},
        {EXCEPTION_EDIT, INSTRUCTION_EDMK},          {EXCEPTION_COMPARE, INSTRUCTION_CLC},
        {EXCEPTION_CHANNEL_ID, INSTRUCTION_STIDC},   {EXCEPTION_RESET_REFERENCE, INSTRUCTION_RRB},
        {EXCEPTION_SET_KEY, INSTRUCTION_SSK},        {EXCEPTION_SET_KEY, INSTRUCTION_SSKE},
        {EXCEPTION_SET_KEY, INSTRUCTION_RRBE},       {EXCEPTION_DIAGNOSE, INSTRUCTION_DIAG},
        {EXCEPTION_HALT, INSTRUCTION_HIO},           {EXCEPTION_HALT, INSTRUCTION_HDV},
        {EXCEPTION_PREFIX, INSTRUCTION_SPX},         {EXCEPTION_PREFIX_KEYS, INSTRUCTION_SPX},
        {EXCEPTION_REFERENCE, INSTRUCTION_ISK},      {EXCEPTION_REFERENCE, INSTRUCTION_ISKE},
        {EXCEPTION_REFERENCE, INSTRUCTION_RRBE},     {EXCEPTION_BLOCK_ADDRESS, INSTRUCTION_ISKE},
        {EXCEPTION_BLOCK_ADDRESS, INSTRUCTION_SSKE}, {EXCEPTION_BLOCK_ADDRESS, INSTRUCTION_RRBE},
    };
    bool any = false;
    for (size_t k = 0; k < sizeof about / sizeof *about; k++) {
        if (exception != differential_exceptions[about[k].exception].name)
            continue;
        for (unsigned i = 0; i < c->count; i++) {
            uint8_t *text = (uint8_t *)(uintptr_t)text_of(c, c->program[i].real);
            if (c->program[i].id != (int)about[k].id || !text)
                continue;
            memcpy(text, nothing, c->program[i].length);
            c->program[i].id = INSTRUCTION_BCR;
            any = true;
        }
    }
    return any;
}

/* --- shrinking --- */

struct shrinker {
    struct differential_case *c;
    bool (*differs)(void *self, const struct differential_case *c);
    void *self;
};

/* Keeps the change if the case still differs; otherwise takes it back. */
static bool keep(struct shrinker *s, void *at, const void *value, size_t length) {
    uint8_t old[DIFF_HIGH];
    if (length > sizeof old || memcmp(at, value, length) == 0)
        return false;
    memcpy(old, at, length);
    memcpy(at, value, length);
    if (s->differs(s->self, s->c))
        return true;
    memcpy(at, old, length);
    return false;
}

static bool drop_instructions(struct shrinker *s) {
    struct differential_case *c = s->c;
    bool any = false;
    for (unsigned i = c->count; i-- > 0;) {
        uint8_t *text = (uint8_t *)(uintptr_t)text_of(c, c->program[i].real);
        if (text && text[0] == 0x0A && text[1] == 0xFF)
            continue; /* the end */
        if (text && keep(s, text, nothing, c->program[i].length))
            any = true;
    }
    return any;
}

static void simplify_storage(struct shrinker *s, uint8_t *at, uint32_t length) {
    static const uint8_t zeros[DIFF_HIGH];
    for (uint32_t part = 2048; part >= 16; part /= 4)
        for (uint32_t i = 0; i + part <= length; i += part) {
            bool tables = at == s->c->low && i >= DIFF_TABLES && i < DIFF_TABLES_END;
            if (!tables || part == 2048)
                keep(s, at + i, zeros, part);
            if (part < 2048 && i > 0x10000)
                break; /* enough */
        }
}

void differential_shrink(struct differential_case *c, bool (*differs)(void *self, const struct differential_case *c),
                         void *self) {
    struct shrinker s = {c, differs, self};
    static const uint32_t zero;
    static const uint8_t zeros[DIFF_HIGH];
    while (drop_instructions(&s))
        continue;
    keep(&s, &c->prefix, &zero, 4);
    keep(&s, c->keys, zeros, sizeof c->keys);
    keep(&s, c->high_keys, zeros, sizeof c->high_keys);
    for (int i = 0; i < 6; i++)
        keep(&s, c->new_psw[i], zeros, 8);
    for (int i = 0; i < 16; i++) {
        keep(&s, &c->gpr[i], &zero, 4);
        uint32_t low = c->gpr[i] & 0xFFFFFF;
        keep(&s, &c->gpr[i], &low, 4);
        keep(&s, &c->cr[i], &zero, 4);
    }
    for (int bit = 0; bit < 40; bit++) {
        uint8_t byte = (uint8_t)(c->psw[bit / 8] & ~(0x80 >> bit % 8));
        keep(&s, &c->psw[bit / 8], &byte, 1);
    }
    for (unsigned i = 0; i < DIFF_LOW_BLOCKS; i++)
        keep(&s, &c->keys[i], zeros, 1);
    simplify_storage(&s, c->low, DIFF_LOW);
    simplify_storage(&s, c->high, DIFF_HIGH);
    while (drop_instructions(&s))
        continue;
}
