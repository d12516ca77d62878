/* isa/psw.c: of all 2^64 PSWs, in both formats, each field is where the Principles of Operation has it
 * ("Program-Status Word"), and what is loaded and stored again is the same. No bound. */
#include "isa/psw.h"
#include "tests/proofs/proof.h"

/* Bits of the doubleword, as the manual numbers them. */
static uint32_t of(const uint8_t raw[8], unsigned from, unsigned to) {
    uint64_t all = 0;
    for (unsigned n = 0; n < 8; n++)
        all = all << 8 | raw[n];
    return (uint32_t)(all >> (63 - to) & ((UINT64_C(2) << (to - from)) - 1));
}

int main(void) {
    uint8_t raw[8], stored[8];
    for (unsigned n = 0; n < 8; n++)
        raw[n] = any_u8();
    struct psw p;
    psw_load(&p, raw);
    /* Interruption code and ILC of a BC PSW are no part of the CPU's state: whoever stores it says what they are. */
    psw_store(&p, stored, (uint16_t)of(raw, 16, 31), of(raw, 32, 33));

    bool ec = of(raw, 12, 12);
    show("PSW, bits 0-31", of(raw, 0, 31));
    show("PSW, bits 32-63", of(raw, 32, 63));
    show("stored, bits 0-31", of(stored, 0, 31));
    show("stored, bits 32-63", of(stored, 32, 63));
    claim(p.system_mask == of(raw, 0, 7) && p.key == of(raw, 8, 11) && p.state == of(raw, 12, 15), "mask, key, state");
    claim(p.cc == (ec ? of(raw, 18, 19) : of(raw, 34, 35)), "condition code");
    claim(p.program_mask == (ec ? of(raw, 20, 23) : of(raw, 36, 39)), "program mask");
    claim(p.ia == of(raw, 40, 63), "instruction address");
    claim(of(raw, 0, 31) == of(stored, 0, 31) && of(raw, 32, 63) == of(stored, 32, 63), "stored as it was loaded");
    bool zeros = !of(raw, 0, 0) && !of(raw, 2, 4) && !of(raw, 16, 17) && !of(raw, 24, 39);
    claim(psw_valid(&p) == (!ec || zeros), "an EC PSW has zeros where they must be");
    claim(psw_dat(&p) == (ec && of(raw, 5, 5)), "DAT is on in EC mode only");
    return 0;
}
