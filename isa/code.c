/* Decoded instructions: taking an instruction's text apart once, and forgetting it when the text is stored into.
 *
 * A slot is the instruction that would begin at its halfword. Stores reset every slot whose instruction they could have
 * touched, the two before included, for an instruction is at most three halfwords long. */
#include <stdlib.h>

#include "isa/isa_internal.h"

static uint8_t address_register(unsigned n) { return n ? (uint8_t)n : NO_REGISTER; }

void operation_decode(struct operation *o, const struct cost_model *model, const struct instruction *i,
                      const uint8_t text[6]) {
    struct instruction_fields f;
    instruction_take(&f, i, text);
    o->cost = (uint16_t)cost_static(model, i, text);
    o->r1 = f.r1;
    o->r2 = f.r3;
    o->extra = i->format == FORMAT_SI ? f.i2 : (uint8_t)model->row[instruction_id(i)].taken;
    o->b2 = address_register(f.b2);
    o->d2 = f.d2;
    switch ((enum instruction_format)i->format) {
    case FORMAT_RX:
    case FORMAT_RX_MASK: o->r2 = address_register(f.r3); break;
    case FORMAT_RR_SVC: o->r1 = f.i2; break;
    case FORMAT_SI: /* its one storage operand counts as the second here */
        o->b2 = address_register(f.b1);
        o->d2 = f.d1;
        break;
    case FORMAT_SS_L:
    case FORMAT_SS_LL:
    case FORMAT_SS_LI:
        o->r1 = text[1];
        /* fall through */
    case FORMAT_SSE: o->s1 = bytes_get16(text + 2); break;
    default: break;
    }
}

void code_changed(struct code_block *code, uint32_t offset, uint32_t length) {
    uint32_t first = offset > 4 ? offset - 4 : 0, last = offset + length - 1;
    uint32_t lines = (last >> 6 == 31 ? 0 : ~0u << ((last >> 6) + 1)) ^ ~0u << (first >> 6);
    if (!(code->lines & lines))
        return;
    for (uint32_t slot = first >> 1; slot <= last >> 1; slot++)
        code->slot[slot].go = code->undecoded;
    if (length == STORAGE_BLOCK_BYTES)
        code->lines = 0;
}

struct code_block *code_block_at(struct processor *p, uint32_t absolute) {
    struct machine *m = p->machine;
    uint32_t block = absolute >> STORAGE_BLOCK_SHIFT;
    if (!m->code && !(m->code = calloc(m->storage->size_bytes >> STORAGE_BLOCK_SHIFT, sizeof *m->code)))
        return NULL;
    if (m->code[block])
        return m->code[block];
    struct code_block *code = malloc(sizeof *code);
    if (!code)
        return NULL;
    code->lines = 0;
    code->undecoded = p->undecoded;
    code->text = m->storage->bytes + ((size_t)block << STORAGE_BLOCK_SHIFT);
    for (unsigned i = 0; i < BLOCK_SLOTS + 3; i++)
        code->slot[i].go = i < BLOCK_SLOTS ? p->undecoded : p->block_end;
    m->code[block] = code;
    m->storage->watched[block] = 1;
    /* Whoever already knows the block must learn that stores into it matter now. */
    for (unsigned c = 0; c < m->cpus; c++)
        for (unsigned i = 0; i < LOOKASIDE_ENTRIES; i++) {
            if (m->cpu[c]->dat_lookaside[i].host == code->text)
                m->cpu[c]->dat_lookaside[i].code = code;
            if (m->cpu[c]->real_lookaside[i].host == code->text)
                m->cpu[c]->real_lookaside[i].code = code;
        }
    return code;
}
