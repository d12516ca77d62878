/* The execution loop: fetch a decoded slot, perform its operation, charge its cost, go on.
 *
 * Threaded code: every slot holds the address of the label that performs it, and the labels are made from the
 * instruction table, so there is one place per instruction and no second list. The loop keeps its clock as the number
 * of cycles that remain until the horizon, the next moment at which anything but the program can matter; charging an
 * instruction and asking whether that moment has come are the same subtraction. */
#include "isa/isa_internal.h"
#include "isa/operations.h"

static inline bool problem_state(const struct processor *p) { return p->psw.state & PSW_PROBLEM; }

/* Takes what the present instruction cost beyond its text off the clock; TLB misses are no part of nominal time. */
static inline int64_t charge_extra(struct processor *p, int64_t remaining) {
    remaining -= p->dynamic_cost;
    if (p->tlb_cost) {
        p->booked[p->level][CAUSE_TLB] += p->tlb_cost;
        p->cycles_offset += p->tlb_cost;
        if (!p->machine->nominal_time) {
            /* All cycles count for the clock: less remains, and the offset to nominal time grows by as much. */
            p->horizon -= p->tlb_cost;
            remaining -= p->tlb_cost;
        }
    }
    p->charged = 0;
    return remaining;
}

/* Finds, or begins, the decoded form of the block that the next instruction lies in. A program code: it cannot be
 * fetched. */
static unsigned enter_block(struct processor *p) {
    uint32_t ia = p->psw.ia & ADDRESS_MASK, absolute;
    if (ia & 1)
        return PROGRAM_SPECIFICATION;
    struct lookaside_entry *e = &p->lookaside[ia >> STORAGE_BLOCK_SHIFT & (LOOKASIDE_ENTRIES - 1)];
    if (e->fetch == (p->context | (ia & 0xFFF800))) {
        absolute = (uint32_t)(e->host - p->storage->bytes);
    } else {
        unsigned x = access_locate(p, ia, ACCESS_INSTRUCTION, &absolute);
        if (x)
            return x;
        e = access_mark(p, ia, absolute, ACCESS_INSTRUCTION);
    }
    p->code = e->code ? e->code : code_block_at(p, absolute);
    if (!p->code)
        return OUTCOME_EVENT;
    p->code_base = ia & 0xFFF800;
    p->held = true;
    return 0;
}

/* Fetches an instruction that runs out of its block, or an EXECUTE's target: `length` bytes are made sure of. */
static unsigned fetch_text(struct processor *p, uint32_t ia, uint8_t text[6]) {
    struct span s;
    unsigned x = span_open(p, ia, 2, ACCESS_INSTRUCTION, &s);
    if (x)
        return x;
    span_read(&s, text);
    unsigned length = instruction_length(text[0]);
    if (length == 2)
        return 0;
    if ((x = span_open(p, (ia + 2) & ADDRESS_MASK, length - 2, ACCESS_INSTRUCTION, &s)) != 0)
        return x;
    span_read(&s, text + 2);
    return 0;
}

/* What is not in a window: clocks, devices, keys, the map, other CPUs. */
static bool needs_resources(enum instruction_id id) {
    return instruction_table[id].privileged || id == INSTRUCTION_STCK;
}

unsigned execute_one(struct processor *p, const struct operation *o, enum instruction_id id, uint32_t next) {
    uint32_t here = p->psw.ia;
    unsigned x = 0;
    p->interpreted = id;
    if (instruction_table[id].privileged && problem_state(p))
        return PROGRAM_PRIVILEGED;
    if (p->window && needs_resources(id))
        return OUTCOME_RESOURCE;
    switch (id) {
#define ONE_PLAIN(function) x = op_##function(p, o);
#define ONE_STORAGE(function) x = op_##function(p, o);
#define ONE_FAR(function) x = op_##function(p, o);
#define ONE_CONTROL(function)                                                                                          \
    p->psw.ia = next;                                                                                                  \
    x = op_##function(p, o);                                                                                           \
    if (x)                                                                                                             \
        p->psw.ia = here;                                                                                              \
    else                                                                                                               \
        x = OUTCOME_SYNC;
#define ONE_BRANCH(function)                                                                                           \
    if (op_##function(p, o, next, &p->branch_target)) {                                                                \
        p->dynamic_cost += o->extra;                                                                                   \
        x = OUTCOME_BRANCH;                                                                                            \
    }
#define ONE_EXECUTE(function) x = PROGRAM_EXECUTE;
#define ONE_SVC(function)                                                                                              \
    p->svc_number = o->r1;                                                                                             \
    x = OUTCOME_SVC;
// clang-format off
#define INSTRUCTION(code, mnemonic, name, format, cc, privileged, class, unit, kind, function, reason)                 \
    case INSTRUCTION_##mnemonic: ONE_##kind(function) break;
#include "isa/instructions.def"
        // clang-format on
    case INSTRUCTION_COUNT: break;
    }
    p->dynamic_cost += o->cost;
    return x;
}

/* EXECUTE: the target, with the register's low byte OR-ed into its second byte, as part of this instruction. */
static unsigned execute_target(struct processor *p, const struct operation *o, uint32_t next) {
    uint32_t target = address_rx(p, o);
    uint8_t text[6] = {0};
    if (target & 1)
        return PROGRAM_SPECIFICATION;
    unsigned x = fetch_text(p, target, text);
    if (x)
        return x;
    if (o->r1)
        text[1] |= (uint8_t)p->gpr[o->r1];
    const struct instruction *i = instruction_decode_in(p->machine->profile, text);
    if (!i)
        return PROGRAM_OPERATION;
    struct operation subject;
    operation_decode(&subject, p->model, i, text);
    return execute_one(p, &subject, instruction_id(i), next);
}

unsigned execute_apart(struct processor *p) {
    uint8_t text[6] = {0};
    p->length = 2;
    if (p->psw.ia & 1)
        return PROGRAM_SPECIFICATION | OUTCOME_LATE;
    unsigned x = fetch_text(p, p->psw.ia, text);
    if (x)
        return x | OUTCOME_LATE;
    p->length = instruction_length(text[0]);
    const struct instruction *i = instruction_decode_in(p->machine->profile, text);
    if (!i)
        return bytes_get16(text) == 0xB2FE ? (unsigned)OUTCOME_CALL : (unsigned)PROGRAM_OPERATION;
    struct operation o;
    operation_decode(&o, p->model, i, text);
    uint32_t next = (p->psw.ia + p->length) & ADDRESS_MASK;
    if (instruction_id(i) != INSTRUCTION_EX)
        return execute_one(p, &o, instruction_id(i), next);
    x = execute_target(p, &o, next);
    p->dynamic_cost += o.cost;
    return x;
}

/* Its labels' addresses are data: there must be one copy of it. */
#if defined __GNUC__ && !defined __clang__
__attribute__((noinline, noclone))
#else
__attribute__((noinline))
#endif
unsigned
execute(struct processor *p) {
    static const void *const labels[INSTRUCTION_COUNT] = {
#define INSTRUCTION(code, mnemonic, ...) [INSTRUCTION_##mnemonic] = &&do_##mnemonic,
#include "isa/instructions.def"
    };
    const struct operation *o, *slots;
    uint32_t base;
    int64_t remaining = p->remaining;
    uint64_t retired = 0;
    unsigned x;
    p->undecoded = &&do_decode;
    p->block_end = &&do_end;

#define HERE ((base + (uint32_t)((const uint8_t *)o - (const uint8_t *)slots) / 8) & ADDRESS_MASK)
#define SAVE                                                                                                           \
    do {                                                                                                               \
        p->remaining = remaining;                                                                                      \
        p->retired += retired;                                                                                         \
        retired = 0;                                                                                                   \
    } while (0)
#define END(outcome)                                                                                                   \
    do {                                                                                                               \
        SAVE;                                                                                                          \
        return outcome;                                                                                                \
    } while (0)
#define NEXT(bytes)                                                                                                    \
    do {                                                                                                               \
        remaining -= o->cost;                                                                                          \
        retired++;                                                                                                     \
        o += (bytes) / 2;                                                                                              \
        if (UNLIKELY(remaining <= 0))                                                                                  \
            goto horizon;                                                                                              \
        goto * o->go;                                                                                                  \
    } while (0)
#define STOP_IF(condition, bytes)                                                                                      \
    if (UNLIKELY(condition)) {                                                                                         \
        p->length = (bytes);                                                                                           \
        goto ended;                                                                                                    \
    }
#define EXTRA                                                                                                          \
    if (UNLIKELY(p->charged))                                                                                          \
    remaining = charge_extra(p, remaining)

enter:
    if (UNLIKELY(remaining <= 0)) /* what cannot be fetched is the next instruction's affair */
        END(OUTCOME_EVENT);
    if (!p->held || ((p->psw.ia ^ p->code_base) & 0xFFF801)) {
        x = enter_block(p);
        EXTRA;
        if (UNLIKELY(x)) {
            p->length = 2;
            END(x == OUTCOME_EVENT ? x : x | OUTCOME_LATE);
        }
    }
    slots = p->code->slot;
    base = p->code_base;
    o = slots + ((p->psw.ia & (STORAGE_BLOCK_BYTES - 1)) >> 1);
    if (UNLIKELY(remaining <= 0))
        goto horizon;
    goto * o->go;

horizon:
    p->psw.ia = HERE;
    END(OUTCOME_EVENT);

ended: /* the instruction at o ended with x */
    p->psw.ia = HERE;
    END(x);

do_end: /* ran out of the block, exactly at its end */
    p->psw.ia = HERE;
    goto enter;

do_decode : {
    struct code_block *code = p->code;
    uint32_t offset = (uint32_t)(o - slots) * 2;
    struct operation *slot = &code->slot[offset >> 1];
    const uint8_t *text = code->text;
    uint8_t copy[6] = {0};
    unsigned length = instruction_length(text[offset]);
    if (offset + length > STORAGE_BLOCK_BYTES) {
        slot->go = &&do_crossing;
        code->lines |= 1u << 31;
        goto do_crossing;
    }
    memcpy(copy, text + offset, length);
    const struct instruction *i = instruction_decode_in(p->machine->profile, copy);
    if (i) {
        operation_decode(slot, p->model, i, copy);
        slot->go = labels[instruction_id(i)];
    } else {
        slot->r1 = (uint8_t)length;
        slot->go = bytes_get16(copy) == 0xB2FE ? &&do_call : &&do_unassigned;
    }
    code->lines |= 1u << (offset >> 6) | 1u << ((offset + length - 1) >> 6);
    goto * slot->go;
}

do_unassigned:
    x = PROGRAM_OPERATION;
    STOP_IF(true, o->r1);

do_call:
    x = OUTCOME_CALL;
    STOP_IF(true, 4);

do_crossing: /* an instruction that lies in two blocks is taken apart anew each time: its end may be mapped elsewhere */
    SAVE;
    p->psw.ia = HERE;
    x = execute_apart(p);
    goto generic;

do_EX : {
    SAVE;
    p->psw.ia = HERE;
    p->length = 4;
    uint32_t next = (p->psw.ia + 4) & ADDRESS_MASK;
    x = execute_target(p, o, next);
    p->dynamic_cost += o->cost;
    goto generic;
}

generic:                      /* an instruction executed by execute_one ended with x; psw.ia and p->length tell which */
    remaining = p->remaining; /* interruptible ones have charged their progress there */
    if (x == 0)
        p->psw.ia = (p->psw.ia + p->length) & ADDRESS_MASK;
    if (x == OUTCOME_BRANCH)
        p->psw.ia = p->branch_target;
    if (x == 0 || x == OUTCOME_BRANCH || x == OUTCOME_SYNC || x == OUTCOME_SVC) {
        remaining = charge_extra(p, p->remaining);
        retired++;
        if (x == OUTCOME_SYNC || x == OUTCOME_SVC)
            END(x);
        goto enter;
    }
    END(x);

#define PRIVILEGED_0(bytes)
#define PRIVILEGED_1(bytes)                                                                                            \
    if (UNLIKELY(problem_state(p))) {                                                                                  \
        x = PROGRAM_PRIVILEGED;                                                                                        \
        STOP_IF(true, bytes);                                                                                          \
    }
#define DO_PLAIN(function, bytes)                                                                                      \
    x = op_##function(p, o);                                                                                           \
    STOP_IF(x, bytes)                                                                                                  \
    NEXT(bytes);
#define DO_STORAGE(function, bytes)                                                                                    \
    x = op_##function(p, o);                                                                                           \
    STOP_IF(x, bytes)                                                                                                  \
    EXTRA;                                                                                                             \
    NEXT(bytes);
#define DO_FAR(function, bytes) DO_STORAGE(function, bytes)
#define DO_BRANCH(function, bytes)                                                                                     \
    uint32_t target;                                                                                                   \
    p->length = (bytes);                                                                                               \
    if (op_##function(p, o, (HERE + (bytes)) & ADDRESS_MASK, &target)) {                                               \
        remaining -= o->cost + o->extra;                                                                               \
        retired++;                                                                                                     \
        uint32_t offset = target - base;                                                                               \
        if (UNLIKELY(remaining <= 0 || offset >= STORAGE_BLOCK_BYTES || offset & 1)) {                                 \
            p->psw.ia = target;                                                                                        \
            goto enter;                                                                                                \
        }                                                                                                              \
        o = slots + (offset >> 1);                                                                                     \
        goto * o->go;                                                                                                  \
    }                                                                                                                  \
    NEXT(bytes);
#define DO_CONTROL(function, bytes)                                                                                    \
    SAVE;                                                                                                              \
    p->length = (bytes);                                                                                               \
    uint32_t here = HERE;                                                                                              \
    p->psw.ia = (here + (bytes)) & ADDRESS_MASK;                                                                       \
    x = op_##function(p, o);                                                                                           \
    if (x) {                                                                                                           \
        p->psw.ia = here;                                                                                              \
        return x;                                                                                                      \
    }                                                                                                                  \
    p->remaining = charge_extra(p, p->remaining) - o->cost;                                                            \
    p->retired++;                                                                                                      \
    return OUTCOME_SYNC;
#define DO_EXECUTE(function, bytes)
#define DO_SVC(function, bytes)                                                                                        \
    p->svc_number = o->r1;                                                                                             \
    remaining -= o->cost;                                                                                              \
    retired++;                                                                                                         \
    x = OUTCOME_SVC;                                                                                                   \
    STOP_IF(true, bytes)
#define BYTES_OF(code)                                                                                                 \
    (((code) > 0xFF ? (code) >> 8 : (code)) < 0x40 ? 2 : ((code) > 0xFF ? (code) >> 8 : (code)) < 0xC0 ? 4 : 6)
#define LABEL_PLAIN(mnemonic) do_##mnemonic:
#define LABEL_STORAGE(mnemonic) do_##mnemonic:
#define LABEL_FAR(mnemonic) do_##mnemonic:
#define LABEL_BRANCH(mnemonic) do_##mnemonic:
#define LABEL_CONTROL(mnemonic) do_##mnemonic:
#define LABEL_SVC(mnemonic) do_##mnemonic:
#define LABEL_EXECUTE(mnemonic) /* written out above */
#define INSTRUCTION(code, mnemonic, name, format, cc, privileged, class, unit, kind, function, reason)                 \
    LABEL_##kind(mnemonic){PRIVILEGED_##privileged(BYTES_OF(code)) DO_##kind(function, BYTES_OF(code))}
#include "isa/instructions.def"
    __builtin_unreachable();
}
