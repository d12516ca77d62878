/* From a disk's write upward: whose channel program that was. */
#include "vmm/follow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/disk.h"
#include "vmm/isomorphism.h"
#include "vmm/vmm_internal.h"

enum {
    CCW_CHAIN_DATA = 0x80,
    CCW_CHAIN_COMMAND = 0x40,
    CCW_INDIRECT = 0x04,
    CCW_TRANSFER = 0x08, /* low half */
    COMMAND_WRITE = 0x41,
    COMMAND_LOCATE = 0x43,
    COMMAND_DEFINE_EXTENT = 0x63,
    CCWS_MOST = 65536, /* a program that never ends */
    CANDIDATES_MOST = MACHINE_CPUS_MOST + VIRTUAL_CPUS_MOST,
};

/* A machine on the way down, and its disk. */
struct stage {
    struct machine *machine;
    uint16_t device;
    uint32_t first; /* where this machine's disk begins on that of the one below */
};
struct follow {
    struct disk_watch watch;
    const bool *again; /* nothing is followed while it is true; may be NULL */
    unsigned stages;
    struct stage stage[MACHINE_LEVELS];
    struct isomorphism at; /* as of the write */
    struct follow_write found, last;
};

/* ---- A channel program, read like a channel reads it ---- */

static bool fetch(const struct isomorphism_level *l, uint32_t absolute, void *to, uint32_t length) {
    return absolute < machine_memory(l->machine) &&
           machine_peek(l->machine, storage_prefix(absolute, l->prefix), to, length) == ACCESS_OK;
}

static uint32_t address_of(const uint8_t ccw[8]) { return bytes_get24(ccw + 1); }

/* The next piece of a CCW's data. done: bytes so far; list: the next IDAW. False: it leads nowhere. */
static bool next_piece(const struct isomorphism_level *l, const uint8_t ccw[8], uint32_t done, uint32_t *list,
                       struct follow_piece *piece) {
    uint8_t word[4];
    bool indirect = ccw[4] & CCW_INDIRECT;
    uint32_t next = piece->address + piece->length;
    piece->list = 0;
    if (indirect && (done == 0 || next % STORAGE_BLOCK_BYTES == 0)) {
        if (!fetch(l, *list, word, sizeof word))
            return false;
        piece->list = *list;
        next = bytes_get32(word);
        *list += sizeof word;
    } else if (done == 0) {
        next = address_of(ccw);
    }
    piece->address = next;
    piece->length = STORAGE_BLOCK_BYTES - next % STORAGE_BLOCK_BYTES;
    if (piece->length > bytes_get16(ccw + 6) - done)
        piece->length = bytes_get16(ccw + 6) - done;
    return true;
}

/* The first bytes of a command's data. */
static bool read_parameter(const struct isomorphism_level *l, const uint8_t ccw[8], uint8_t *to, uint32_t length) {
    struct follow_piece piece = {0};
    uint32_t list = address_of(ccw), done = 0;
    for (; done < length && done < bytes_get16(ccw + 6); done += piece.length) {
        uint32_t n = length - done;
        if (!next_piece(l, ccw, done, &list, &piece) || piece.length == 0 ||
            !fetch(l, piece.address, to + done, n < piece.length ? n : piece.length))
            return false;
    }
    return done >= length;
}

static bool add_pieces(const struct isomorphism_level *l, const uint8_t ccw[8], struct follow_level *to) {
    struct follow_piece piece = {0};
    uint32_t list = address_of(ccw);
    for (uint32_t done = 0; done < bytes_get16(ccw + 6); done += piece.length) {
        if (!next_piece(l, ccw, done, &list, &piece) || piece.length == 0)
            return false;
        if (to->pieces == FOLLOW_PIECES_MOST)
            return true;
        to->piece[to->pieces++] = piece;
    }
    return true;
}

/* A walk through a program, to its write command number `left`. */
struct walk {
    const struct isomorphism_level *l;
    struct follow_level *to;
    unsigned left;
    bool found;
    uint32_t at, first; /* of the extent: where it is on the disk, and what its first block is called */
};

static bool take_command(struct walk *w, uint32_t address, const uint8_t ccw[8]) {
    uint8_t parameter[16];
    struct follow_ccw here = {.address = address};
    memcpy(here.text, ccw, sizeof here.text);
    switch (ccw[0]) {
    case COMMAND_DEFINE_EXTENT:
        if (!read_parameter(w->l, ccw, parameter, 16))
            return false;
        w->to->extent = here;
        w->at = bytes_get32(parameter + 4);
        w->first = bytes_get32(parameter + 8);
        return true;
    case COMMAND_LOCATE:
        if (!read_parameter(w->l, ccw, parameter, 8))
            return false;
        w->to->locate = here;
        w->to->blocks = bytes_get16(parameter + 2);
        w->to->first = w->at + (bytes_get32(parameter + 4) - w->first);
        return true;
    case COMMAND_WRITE:
        w->to->write = here;
        w->found = w->left-- == 0;
        return true;
    default: return true;
    }
}

/* The write command `ordinal` of the program at `caw`. False: it has none. */
static bool find_write(const struct isomorphism_level *l, uint32_t caw, unsigned ordinal, struct follow_level *to) {
    struct walk w = {.l = l, .to = to, .left = ordinal};
    bool chained_data = false;
    uint32_t at = caw & HOST_ADDRESS_MASK;
    to->caw = caw;
    to->pieces = 0;
    for (unsigned n = 0; n < CCWS_MOST; n++) {
        uint8_t ccw[8];
        if (at % sizeof ccw != 0 || !fetch(l, at, ccw, sizeof ccw))
            return false;
        if ((ccw[0] & 15) == CCW_TRANSFER) {
            at = address_of(ccw);
            continue;
        }
        if (!chained_data && !take_command(&w, at, ccw))
            return false;
        if (w.found && !add_pieces(l, ccw, to))
            return false;
        chained_data = ccw[4] & CCW_CHAIN_DATA;
        if (w.found && !chained_data)
            return true;
        if (!(ccw[4] & (CCW_CHAIN_DATA | CCW_CHAIN_COMMAND)))
            return false;
        at = (at + sizeof ccw) & HOST_ADDRESS_MASK;
    }
    return false;
}

/* ---- Which programs they were ---- */

/* What the machine's CPUs may have given their channel: what is at real 72 of each now, and was when a monitor in C was
 * asked to start the program. */
static unsigned candidates(const struct isomorphism_level *l, uint16_t device, uint32_t to[CANDIDATES_MOST]) {
    unsigned count = 0;
    for (unsigned n = 0; l->guest && n < l->guest->minidisks; n++)
        for (unsigned cpu = 0; l->guest->minidisk[n].is.address == device && cpu < l->guest->vm.cpus; cpu++)
            to[count++] = l->guest->minidisk[n].caw[cpu];
    for (unsigned cpu = 0; cpu < machine_cpus(l->machine); cpu++) {
        struct machine_state s;
        uint8_t word[4];
        machine_cpu_state(l->machine, cpu, &s);
        if (fetch(l, storage_prefix(VMM_CAW_LOCATION, s.prefix), word, sizeof word))
            to[count++] = bytes_get32(word);
    }
    return count;
}

/* Each byte of the guest's data is where f has it in the host's. */
static bool same_data(const struct isomorphism_level *guest, const struct follow_level *a,
                      const struct follow_level *b) {
    unsigned i = 0, k = 0;
    uint32_t in_a = 0, in_b = 0;
    while (i < a->pieces && k < b->pieces) {
        struct isomorphism_row row;
        const struct follow_piece *from = &a->piece[i], *to = &b->piece[k];
        uint32_t left_a = from->length - in_a, left_b = to->length - in_b, n = left_a < left_b ? left_a : left_b;
        const struct isomorphism one = {.levels = 1, .level = {*guest}};
        if (!isomorphism_row(&one, 0, &(struct piece){PIECE_STORAGE, from->address + in_a, 1}, &row) ||
            row.at != to->address + in_b)
            return false;
        in_a = n < left_a ? in_a + n : 0;
        in_b = n < left_b ? in_b + n : 0;
        i += n == left_a;
        k += n == left_b;
    }
    bool all_a = i == a->pieces || a->pieces == FOLLOW_PIECES_MOST;
    return all_a || b->pieces == FOLLOW_PIECES_MOST;
}

/* The program of stage n that the one below, b, is a copy of. */
static bool find_above(struct follow *f, unsigned n, unsigned ordinal, const struct follow_level *b) {
    uint32_t caws[CANDIDATES_MOST];
    const struct isomorphism_level *l = &f->at.level[n];
    struct follow_level *a = &f->found.level[n];
    unsigned count = candidates(l, f->stage[n].device, caws);
    for (unsigned i = 0; i < count; i++)
        if (find_write(l, caws[i], ordinal, a) && a->blocks == b->blocks && a->first + f->stage[n].first == b->first &&
            same_data(l, a, b))
            return true;
    return false;
}

static bool find_bottom(struct follow *f, unsigned ordinal, uint32_t first, uint32_t blocks) {
    uint32_t caws[CANDIDATES_MOST];
    const unsigned n = f->stages - 1;
    const struct isomorphism_level *l = &f->at.level[n];
    struct follow_level *to = &f->found.level[n];
    unsigned count = candidates(l, f->stage[n].device, caws);
    for (unsigned i = 0; i < count; i++)
        if (find_write(l, caws[i], ordinal, to) && to->first == first && to->blocks == blocks)
            return true;
    return false;
}

/* disk_watch.written: the blocks of one write command. */
static void written(void *self, unsigned ordinal, uint32_t first, uint32_t blocks, const uint8_t *data,
                    uint32_t length) {
    struct follow *f = self;
    if (f->again && *f->again)
        return;
    isomorphism_look(&f->at, f->stage[0].machine, 0);
    for (unsigned n = 0; n < f->stages; n++)
        f->found.level[n] = (struct follow_level){
            .machine = f->stage[n].machine, .level = machine_level(f->stage[n].machine), .device = f->stage[n].device};
    if (!find_bottom(f, ordinal, first, blocks))
        return;
    for (unsigned n = f->stages - 1; n > 0; n--)
        if (!find_above(f, n - 1, ordinal, &f->found.level[n]))
            return;
    f->found.levels = f->stages;
    f->found.length = length;
    f->found.number = f->last.number + 1;
    memcpy(f->found.data, data, length < FOLLOW_BYTES_MOST ? length : FOLLOW_BYTES_MOST);
    f->last = f->found;
}

/* ---- Life ---- */

/* Down from m, as long as its disk is a part of one below. False: there is none. */
static bool find_stages(struct follow *f, struct machine *m, uint16_t device) {
    isomorphism_look(&f->at, m, 0);
    for (unsigned level = 0; level < f->at.levels; level++) {
        struct piece p = {.kind = PIECE_DEVICE};
        struct isomorphism_row row;
        while (isomorphism_row(&f->at, level, &p, &row) && row.device != device)
            p.n++;
        if (row.device != device || row.blocks == 0)
            return false;
        f->stage[f->stages++] = (struct stage){f->at.level[level].machine, device, row.first};
        if (row.place != PLACE_DISK)
            return true;
        device = (uint16_t)row.at;
    }
    return true;
}

struct follow *follow_new(struct machine *m, uint16_t device, struct error *e) {
    struct follow *f = calloc(1, sizeof *f);
    if (!f) {
        error_set(e, ERROR_INTERNAL, "no memory to follow a disk");
        return NULL;
    }
    f->watch.written = written;
    f->watch.self = f;
    if (find_stages(f, m, device)) {
        const struct stage *last = &f->stage[f->stages - 1];
        if (disk_watch(machine_device(last->machine, last->device), &f->watch))
            return f;
    }
    free(f);
    error_set(e, ERROR_INPUT, "%s has no disk %03X that can be followed", machine_name(m), device);
    return NULL;
}

void follow_deaf_while(struct follow *f, const bool *again) { f->again = again; }

void follow_free(struct follow *f) {
    if (!f)
        return;
    disk_unwatch(&f->watch);
    free(f);
}

const struct follow_write *follow_last(const struct follow *f) { return f->last.number ? &f->last : NULL; }

void follow_ccw_text(const struct follow_ccw *ccw, char to[FOLLOW_TEXT]) {
    const uint8_t *text = ccw->text;
    const char *name = text[0] == COMMAND_WRITE           ? "write"
                       : text[0] == COMMAND_LOCATE        ? "locate"
                       : text[0] == COMMAND_DEFINE_EXTENT ? "define extent"
                                                          : "command";
    snprintf(to, FOLLOW_TEXT, "%s, %u bytes %s %06X", name, bytes_get16(text + 6),
             text[4] & CCW_INDIRECT ? "by the list at" : "at", address_of(text));
}
