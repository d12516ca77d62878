/* The two PSW formats (Principles of Operation, "Program-Status Word"). */
#include "isa/psw.h"

#include "base/bytes.h"

void psw_load(struct psw *p, const uint8_t from[8]) {
    *p = (struct psw){.system_mask = from[0], .key = from[1] >> 4, .state = from[1] & 0xF, .ia = bytes_get24(from + 5)};
    uint8_t flags = psw_ec(p) ? from[2] : from[4];
    p->cc = flags >> 4 & 3;
    p->program_mask = flags & 0xF;
    if (psw_ec(p))
        p->stray = (uint32_t)(from[2] & 0xC0) << 16 | (uint32_t)from[3] << 8 | from[4];
}

void psw_store(const struct psw *p, uint8_t to[8], uint16_t code, unsigned ilc) {
    uint8_t flags = (uint8_t)(p->cc << 4 | p->program_mask);
    to[0] = p->system_mask;
    to[1] = (uint8_t)(p->key << 4 | p->state);
    if (psw_ec(p)) {
        to[2] = (uint8_t)(p->stray >> 16 | flags);
        to[3] = (uint8_t)(p->stray >> 8);
        to[4] = (uint8_t)p->stray;
    } else {
        bytes_put16(to + 2, code);
        to[4] = (uint8_t)(ilc << 6 | flags);
    }
    bytes_put24(to + 5, p->ia & 0xFFFFFF);
}

void psw_archive(struct psw *p, struct archive *a) {
    archive_u8(a, &p->system_mask);
    archive_u8(a, &p->key);
    archive_u8(a, &p->state);
    archive_u8(a, &p->cc);
    archive_u8(a, &p->program_mask);
    archive_u32(a, &p->ia);
    archive_u32(a, &p->stray);
    if (p->key > 15 || p->cc > 3 || p->program_mask > 15 || p->ia > 0xFFFFFF)
        archive_fail(a, "a PSW has values that no PSW can have");
}
