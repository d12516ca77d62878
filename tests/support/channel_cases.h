/* Random channel programs as cases: a small S/370 program starts one after the other on console, reader, printer and
 * disk; after each it polls until the device is free, keeps every CSW that it is given, and asks for the sense data. */
#ifndef TESTS_SUPPORT_CHANNEL_CASES_H
#define TESTS_SUPPORT_CHANNEL_CASES_H

#include "isa/machine.h"

enum {
    CASE_MEMORY = 0x200000,
    CASE_IMAGE = 0xC000,
    CASE_STEPS = 6, /* channel programs in a case; the first fills the disk */
    CASE_TABLE = 0x800,
    CASE_RESULTS = 0x1000, /* CASE_RESULT_BYTES a step */
    CASE_RESULT_BYTES = 128,
    CASE_CCWS = 0x2000, /* CASE_PROGRAM_BYTES a step */
    CASE_PROGRAM_BYTES = 0x100,
    CASE_CONTROL = 0x3000, /* extents and locates, 32 bytes each */
    CASE_LISTS = 0x3800,   /* of IDAWs, 64 bytes each */
    CASE_DATA = 0x4000,    /* what the disk is filled with */
    CASE_BLOCKS = 64,      /* of the disk */
    CASE_CARDS = 40,       /* in a deck that does not end */
};

struct channel_case {
    uint64_t number;
    uint8_t image[CASE_IMAGE]; /* storage from 0 on; started by a restart */
    uint8_t deck[CASE_CARDS * READER_COLUMNS];
    uint32_t cards; /* in the deck, which ends with unit exception */
};

/* The case of this seed and number, always the same. False: no memory. */
bool channel_case_generate(struct channel_case *c, uint64_t seed, uint64_t number);
/* Runs it on a machine of CASE_MEMORY, new and of channel_case_model, and fetches its storage. False: it
 * did not come to its end. */
bool channel_case_run(struct machine *m, const struct channel_case *c, uint8_t to[CASE_IMAGE]);
/* A model under which devices are quick, since polling until a slow one is done is the same instruction over and over.
 */
bool channel_case_model(struct cost_model *model);

#endif
