/* After each step of both, f of the bare machine's state is held against what stands in the host. */
#include "vmm/square.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mmu/storage.h"

enum { PAGE_BYTES = 4096 };

struct square_check {
    struct machine *reference;
    struct lockstep l;
    struct isomorphism f;
    uint64_t stood[PIECE_KINDS]; /* of clocks: what stood in the host before the step */
    uint32_t part;
    struct square result;
};

/* ---- What differs ---- */

static bool differs(struct square_check *s, const struct piece *p, uint64_t image, uint64_t stands, int digits) {
    struct isomorphism_row rows[MACHINE_LEVELS];
    char piece[ISOMORPHISM_TEXT], place[ISOMORPHISM_TEXT];
    unsigned n = isomorphism_follow(&s->f, p, rows);
    if (n == 0)
        return lockstep_broken(&s->l, "a piece of the guest's state is nowhere in the host");
    s->result.differs = true;
    s->result.row = rows[0];
    /* The bare machine's own row says no more than the one above it. */
    s->result.place = rows[n > 1 && !rows[n - 1].host ? n - 2 : n - 1];
    s->result.image = image;
    s->result.stands = stands;
    isomorphism_piece_text(&rows[0], piece);
    isomorphism_place_text(&s->result.place, place);
    return lockstep_broken(&s->l, "%s: f(e(S)) has %0*" PRIX64 " in %s, and e'(f(S)) %0*" PRIX64, piece, digits, image,
                           place, digits, stands);
}

/* ---- Registers ---- */

/* Clocks: what stands below does not change, but by the instruction that sets them, and then as of a moment within this
 * step. */
static bool same_clock(struct square_check *s, const struct isomorphism_row *row) {
    const struct lockstep *l = &s->l;
    bool ahead = row->encoding == ENCODING_PLUS_CLOCK;
    bool set = l->completed && lockstep_is(l, ahead ? INSTRUCTION_SPT : INSTRUCTION_SCK);
    uint64_t stood = s->stood[row->piece.kind], stands = row->stands;
    if (l->restarts)
        return true;
    if (!set)
        return stands == stood || differs(s, &row->piece, stood, stands, 16);
    uint64_t image = isomorphism_image(row, l->operand, s->f.level[0].below.tod);
    uint64_t earlier = ahead ? image - stands : stands - image;
    return earlier <= lockstep_passed(l) || differs(s, &row->piece, image, stands, 16);
}

static int digits_of(uint64_t a, uint64_t b) { return a >> 32 || b >> 32 ? 16 : 8; }

static bool same_register(struct square_check *s, const struct piece *p) {
    struct isomorphism_row rows[MACHINE_LEVELS];
    uint64_t value;
    if (!isomorphism_value(&s->l.reference_now, p, &value) || !isomorphism_row(&s->f, 0, p, &rows[0]))
        return lockstep_broken(&s->l, "f says nothing of a %s", isomorphism_kind_name(p->kind));
    if (!rows[0].known)
        return true;
    s->result.pieces++;
    if (rows[0].encoding == ENCODING_MINUS_CLOCK || rows[0].encoding == ENCODING_PLUS_CLOCK)
        return same_clock(s, &rows[0]);
    uint64_t image = isomorphism_image(&rows[0], value, 0), stands = rows[0].stands;
    if (rows[0].place == PLACE_REGISTER) /* of whatever it is called in the machines below: that of the bare CPU */
        stands = rows[isomorphism_follow(&s->f, p, rows) - 1].stands;
    return image == stands || differs(s, p, image, stands, digits_of(image, stands));
}

static bool same_registers(struct square_check *s) {
    struct piece p = {0};
    do {
        if (!same_register(s, &p))
            return false;
    } while (isomorphism_next(&s->f, 0, &p) && p.kind <= PIECE_CPU_TIMER);
    return true;
}

/* ---- Storage ---- */

static bool same_page(struct square_check *s, uint32_t absolute) {
    struct lockstep *l = &s->l;
    struct machine *bare = s->f.level[s->f.levels - 1].machine;
    uint32_t length = PAGE_BYTES < l->memory - absolute ? PAGE_BYTES : l->memory - absolute, n = 0;
    uint32_t prefix = l->reference_now.prefix, timer = storage_prefix(LOCKSTEP_TIMER_WORD, prefix);
    int64_t at = isomorphism_storage(&s->f, absolute);
    uint32_t real = storage_prefix((uint32_t)at, s->f.level[s->f.levels - 1].prefix);
    s->result.pieces++;
    if (at < 0 || machine_peek(bare, real, l->a, length) != ACCESS_OK)
        return lockstep_broken(l, "storage at %06" PRIX32 " is nowhere in the host", absolute);
    machine_peek(l->reference, storage_prefix(absolute, prefix), l->b, length);
    if (timer - absolute < length)
        memcpy(l->a + (timer - absolute), l->b + (timer - absolute), 4);
    if (memcmp(l->a, l->b, length) == 0)
        return true;
    while (l->a[n] == l->b[n])
        n++;
    return differs(s, &(struct piece){PIECE_STORAGE, absolute + n, 1}, l->b[n], l->a[n], 2);
}

static bool same_key(struct square_check *s, uint32_t absolute) {
    const struct isomorphism_level *bare = &s->f.level[s->f.levels - 1];
    int64_t at = isomorphism_storage(&s->f, absolute);
    int stands = at < 0 ? -1 : machine_key(bare->machine, storage_prefix((uint32_t)at, bare->prefix));
    int image = machine_key(s->l.reference, storage_prefix(absolute, s->l.reference_now.prefix));
    s->result.pieces++;
    if (((stands ^ image) & ~(KEY_REFERENCE | KEY_CHANGE)) == 0)
        return true;
    return differs(s, &(struct piece){PIECE_STORAGE_KEY, absolute, 1}, (uint64_t)image, (uint64_t)stands & 0xFF, 2);
}

static bool same_storage(struct square_check *s, uint32_t from, uint32_t to) {
    for (uint32_t at = from; at < to && at < s->l.memory; at += PAGE_BYTES)
        if (!same_page(s, at))
            return false;
    for (uint32_t at = from; at < to && at < s->l.memory; at += STORAGE_BLOCK_BYTES)
        if (!same_key(s, at))
            return false;
    return true;
}

/* All of it, a page at a time, and that with which interruptions deal. */
static bool same_parts(struct square_check *s) {
    uint32_t low = s->l.reference_now.prefix, part = s->part;
    s->part = part + PAGE_BYTES < s->l.memory ? part + PAGE_BYTES : 0;
    return same_storage(s, part, part + PAGE_BYTES) && same_storage(s, low, low + PAGE_BYTES);
}

/* ---- Steps ---- */

static void note_clocks(struct square_check *s) {
    static const enum piece_kind clocks[] = {PIECE_TOD, PIECE_CPU_TIMER};
    struct isomorphism_row row;
    for (size_t n = 0; n < sizeof clocks / sizeof *clocks; n++)
        if (isomorphism_row(&s->f, 0, &(struct piece){.kind = clocks[n]}, &row))
            s->stood[clocks[n]] = row.stands;
}

/* The square of one step; the look at the host is as of the last one. False: it does not hold, or there was no step. */
static bool one_square(struct square_check *s, bool parts) {
    s->result.pieces = 0;
    if (lockstep_step(&s->l) != LOCKSTEP_DONE)
        return false;
    isomorphism_look(&s->f, s->l.guest, 0);
    bool same = same_registers(s) && (parts ? same_parts(s) : same_storage(s, 0, s->l.memory));
    note_clocks(s);
    s->l.steps -= !same;
    return same;
}

/* All of storage, after the last step; and the same end. */
static enum square_outcome finish(struct square_check *s, bool done, bool parts) {
    struct lockstep *l = &s->l;
    bool ended = !done && l->status != MACHINE_READY && l->status != MACHINE_IDLE;
    if (!l->broken && !done && lockstep_same_end(l) && ended) {
        isomorphism_look(&s->f, l->guest, 0);
        same_registers(s);
    }
    if (!l->broken && (parts || !done)) {
        isomorphism_look(&s->f, l->guest, 0);
        same_storage(s, 0, l->memory);
    }
    return l->broken ? SQUARE_BROKEN : done ? SQUARE_HELD : ended ? SQUARE_ENDED : SQUARE_WAITS;
}

void square_run(struct square_check *s, const struct square_options *o, struct square *to) {
    struct lockstep *l = &s->l;
    bool done = true;
    l->run = o->run;
    l->run_self = o->run_self;
    for (uint64_t n = 0; !l->broken && done && (!o->steps || n < o->steps); n++) {
        done = one_square(s, o->parts);
        if (o->interrupted && o->interrupted(o->self))
            break;
    }
    s->result.outcome = finish(s, done, o->parts);
    s->result.steps = l->steps;
    memcpy(s->result.what, l->what, sizeof s->result.what);
    s->result.last_count = l->last_count;
    memcpy(s->result.last, l->last, sizeof s->result.last);
    *to = s->result;
}

/* ---- Life ---- */

struct square_check *square_new(struct machine *guest, struct error *e) {
    struct error why = ERROR_CLEAR;
    if (!machine_host(guest) || machine_cpus(guest) != 1) {
        error_set(e, ERROR_INPUT, "%s is no virtual machine with one CPU", machine_name(guest));
        return NULL;
    }
    struct square_check *s = calloc(1, sizeof *s);
    if (!s) {
        error_set(e, ERROR_INTERNAL, "no memory for the check of f");
        return NULL;
    }
    s->reference = lockstep_reference(guest, &why);
    if (s->reference && lockstep_begin(&s->l, guest, s->reference, LOCKSTEP_FROM_NOW, 0, &why)) {
        isomorphism_look(&s->f, guest, 0);
        note_clocks(s);
        return s;
    }
    square_free(s);
    error_set(e, why.kind, "%s", why.text);
    return NULL;
}

void square_free(struct square_check *s) {
    if (!s)
        return;
    machine_free(s->reference);
    free(s);
}

bool square_once(struct machine *guest, struct square *to, struct error *e) {
    struct square_check *s = square_new(guest, e);
    if (!s)
        return false;
    square_run(s, &(struct square_options){.steps = 1}, to);
    square_free(s);
    return true;
}
