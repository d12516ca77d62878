/* Checkpoints in a list by position, each with its pages of storage, shared with the one before where they are the
 * same.
 *
 * `here` is the state in which the machine was left by the last run, or by going somewhere. When it is found in another
 * one, that came from outside. */
#include "isa/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/isa_internal.h"
#include "isa/snapshot_internal.h"

enum { PAGE_BYTES = 4096, SPACING = 20000000, MEMORY = 256 << 20 };

struct page {
    unsigned users;
    uint8_t bytes[PAGE_BYTES];
};

struct checkpoint {
    uint64_t position;
    uint64_t reach;      /* up to this position the machine does the same again when it is run from here */
    bool pinned;         /* it holds something that came from outside */
    uint64_t shape;      /* of its archive */
    struct bytes state;  /* a brief archive */
    struct page *page[]; /* of storage */
};

struct history {
    struct machine *m; /* bare */
    struct machine_observer observer;
    struct history_options options;
    size_t bytes;
    uint32_t pages;
    struct checkpoint **list; /* all quiescent; may be empty: history is to begin anew */
    size_t count, capacity;
    struct checkpoint *here; /* NULL: not known */
    uint64_t last;           /* position to which the way is known */
    uint64_t replayed;
    bool told;        /* what is run again is told to the trace */
    bool anew;        /* the state was replaced: nothing of before counts */
    struct error why; /* when the list is empty: why nothing could be noted */
};

/* ---- Checkpoints ---- */

static uint32_t page_length(const struct storage *s, uint32_t n) {
    uint32_t rest = s->size_bytes - n * PAGE_BYTES;
    return rest < PAGE_BYTES ? rest : PAGE_BYTES;
}

static void page_release(struct history *h, struct page *p) {
    if (--p->users == 0) {
        h->bytes -= sizeof *p;
        free(p);
    }
}

static size_t own_bytes(const struct history *h, const struct checkpoint *c) {
    return sizeof *c + h->pages * sizeof c->page[0] + c->state.capacity;
}

static void checkpoint_free(struct history *h, struct checkpoint *c) {
    if (!c)
        return;
    h->bytes -= own_bytes(h, c);
    for (uint32_t n = 0; n < h->pages; n++)
        if (c->page[n])
            page_release(h, c->page[n]);
    bytes_fini(&c->state);
    free(c);
}

/* The page as it is now: the other checkpoint's, if it is the same. */
static struct page *page_now(struct history *h, const struct checkpoint *other, uint32_t n) {
    const struct storage *s = h->m->storage;
    const uint8_t *bytes = s->bytes + (size_t)n * PAGE_BYTES;
    if (other && memcmp(other->page[n]->bytes, bytes, page_length(s, n)) == 0) {
        other->page[n]->users++;
        return other->page[n];
    }
    struct page *p = malloc(sizeof *p);
    if (!p)
        return NULL;
    p->users = 1;
    memcpy(p->bytes, bytes, page_length(s, n));
    h->bytes += sizeof *p;
    return p;
}

/* This moment, quiescent or not; NULL and *e: it cannot be saved, or there is no memory. */
static struct checkpoint *note(struct history *h, const struct checkpoint *other, struct error *e) {
    struct checkpoint *c = calloc(1, sizeof *c + h->pages * sizeof c->page[0]);
    if (!c) {
        error_set(e, ERROR_INTERNAL, "no memory for a checkpoint");
        return NULL;
    }
    struct archive a = archive_saving(&c->state, e);
    a.brief = a.still = true;
    c->position = machine_position(h->m);
    c->reach = UINT64_MAX;
    machine_archive(h->m, &a);
    c->shape = a.shape;
    bool ok = archive_finish(&a);
    h->bytes += own_bytes(h, c);
    for (uint32_t n = 0; ok && n < h->pages; n++)
        if (!(c->page[n] = page_now(h, other, n)))
            ok = error_set(e, ERROR_INTERNAL, "no memory for a checkpoint");
    if (ok)
        return c;
    checkpoint_free(h, c);
    return NULL;
}

static void restore(struct history *h, const struct checkpoint *c) {
    struct storage *s = h->m->storage;
    for (uint32_t n = 0; n < h->pages; n++)
        if (memcmp(s->bytes + (size_t)n * PAGE_BYTES, c->page[n]->bytes, page_length(s, n)) != 0)
            storage_write(s, n * PAGE_BYTES, c->page[n]->bytes, page_length(s, n));
    struct error e = ERROR_CLEAR;
    struct archive a = archive_loading(c->state.data, c->state.length, &e);
    a.brief = true;
    machine_archive(h->m, &a);
    if (!archive_finish(&a)) {
        h->m->status = MACHINE_FAULT;
        snprintf(h->m->fault, sizeof h->m->fault, "a checkpoint cannot be restored: %.200s", e.text);
    }
}

static bool same(const struct history *h, const struct checkpoint *a, const struct checkpoint *b) {
    return a->state.length == b->state.length && memcmp(a->state.data, b->state.data, a->state.length) == 0 &&
           memcmp(a->page, b->page, h->pages * sizeof a->page[0]) == 0;
}

/* ---- The list ---- */

static struct checkpoint *latest(const struct history *h) { return h->count ? h->list[h->count - 1] : NULL; }

/* The last checkpoint at or before a position; NULL: it is before the first. */
static struct checkpoint *at_or_before(const struct history *h, uint64_t position) {
    size_t low = 0, high = h->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (h->list[middle]->position > position)
            high = middle;
        else
            low = middle + 1;
    }
    return low ? h->list[low - 1] : NULL;
}

static void leave_here(struct history *h) {
    checkpoint_free(h, h->here);
    h->here = NULL;
}

/* Gives up every other one of the older half that may be given up; or, where that are none, the beginning. The reach of
 * the one before is right without them, for what is pinned stays, and so does what follows an interruption. */
static void thin(struct history *h) {
    size_t kept = 1, half = h->count / 2;
    bool keep = false;
    for (size_t i = 1; i < h->count; i++) {
        struct checkpoint *c = h->list[i];
        if (i >= half || c->pinned || c->reach != UINT64_MAX || keep)
            h->list[kept++] = c;
        else
            checkpoint_free(h, c);
        keep = !keep;
    }
    if (kept == h->count) {
        checkpoint_free(h, h->list[0]);
        memmove(h->list, h->list + 1, --kept * sizeof(struct checkpoint *));
    }
    h->count = kept;
}

/* Takes c over; false: there was no memory to keep it. One at the same position is what it was before something came
 * from outside: nobody can go there. */
static bool append(struct history *h, struct checkpoint *c) {
    enum { FEW = 8 };
    if (h->count && latest(h)->position == c->position)
        checkpoint_free(h, h->list[--h->count]);
    if (h->count == h->capacity) {
        size_t capacity = h->capacity ? 2 * h->capacity : 64;
        struct checkpoint **list = realloc(h->list, capacity * sizeof(struct checkpoint *));
        if (!list) {
            h->anew = h->anew || c->pinned || !h->count; /* otherwise going back will take longer */
            checkpoint_free(h, c);
            return false;
        }
        h->list = list;
        h->capacity = capacity;
    }
    h->list[h->count++] = c;
    if (h->bytes > h->options.memory && h->count > FEW)
        thin(h);
    return true;
}

static void forget_after(struct history *h, uint64_t position) {
    while (h->count && latest(h)->position > position)
        checkpoint_free(h, h->list[--h->count]);
    if (h->count && latest(h)->reach > position)
        latest(h)->reach = UINT64_MAX; /* what interrupted the way has not happened */
    h->last = position;
}

static void forget_all(struct history *h) {
    leave_here(h);
    while (h->count)
        checkpoint_free(h, h->list[--h->count]);
    h->anew = false;
}

/* ---- Looking on ---- */

static void set_due(struct history *h, uint64_t cycles) {
    h->m->observer_due = processor_cycles(h->m->current) + cycles;
}

/* The machine was left like this. */
static void remember_here(struct history *h) {
    leave_here(h);
    h->here = note(h, latest(h), NULL);
}

static void begin_anew(struct history *h, struct checkpoint *now) {
    forget_all(h);
    machine_remember(h->m, false); /* what was logged is of another time */
    machine_remember(h->m, true);
    h->last = machine_position(h->m);
    checkpoint_free(h, now);
    h->why = ERROR_CLEAR;
    struct checkpoint *first = note(h, NULL, &h->why);
    if (first && !machine_quiescent(h->m)) {
        error_set(&h->why, ERROR_INPUT, "a monitor is at work");
        checkpoint_free(h, first);
    } else if (first && !append(h, first)) {
        error_set(&h->why, ERROR_INTERNAL, "no memory for a history");
    }
}

/* Something came from outside since the machine was left. */
static void change_way(struct history *h, struct checkpoint *now) {
    uint64_t position = now->position;
    forget_after(h, position);
    if (machine_quiescent(h->m)) {
        now->pinned = true;
        append(h, now);
        return;
    }
    struct checkpoint *before = latest(h);
    if (before && before->reach > position)
        before->reach = position;
    checkpoint_free(h, now);
}

/* Takes notice of what came from outside. */
static void look(struct history *h) {
    struct checkpoint *now = note(h, h->here ? h->here : latest(h), NULL);
    if (!now || h->anew || !h->count || now->shape != latest(h)->shape) {
        begin_anew(h, now);
    } else if (h->here && same(h, now, h->here)) {
        checkpoint_free(h, now);
        return;
    } else {
        change_way(h, now);
    }
    remember_here(h);
}

/* Whether a checkpoint is needed before its time: there is none yet, or the way is interrupted. */
static bool wanting(const struct history *h) { return !h->count || latest(h)->reach != UINT64_MAX; }

static void run_begins(void *self) {
    struct history *h = self;
    look(h);
    forget_after(h, machine_position(h->m));
    set_due(h, wanting(h) ? 0 : h->options.spacing);
}

static void run_ends(void *self) {
    struct history *h = self;
    h->last = machine_position(h->m);
    remember_here(h);
}

static void run_due(void *self) {
    struct history *h = self;
    if (!machine_quiescent(h->m))
        return;
    struct checkpoint *c = note(h, latest(h), NULL);
    if (c) {
        c->pinned = wanting(h); /* where the way begins again */
        append(h, c);
    }
    set_due(h, h->options.spacing);
}

static void run_anew(void *self) {
    struct history *h = self;
    h->anew = true;
    look(h);
}

/* ---- Life ---- */

struct history *history_new(struct machine *m, const struct history_options *o, struct error *e) {
    m = machine_bare(m);
    if (m->observer) {
        error_set(e, ERROR_INPUT, "the history of %s is kept already", m->name);
        return NULL;
    }
    if (!machine_quiescent(m)) {
        error_set(e, ERROR_INPUT, "a monitor is at work, and its activation cannot be saved");
        return NULL;
    }
    struct history *h = calloc(1, sizeof *h);
    if (!h) {
        error_set(e, ERROR_INTERNAL, "no memory for a history");
        return NULL;
    }
    h->m = m;
    if (o)
        h->options = *o;
    if (!h->options.spacing)
        h->options.spacing = SPACING;
    if (!h->options.memory)
        h->options.memory = MEMORY;
    h->pages = (m->memory + PAGE_BYTES - 1) / PAGE_BYTES;
    h->observer =
        (struct machine_observer){.begins = run_begins, .due = run_due, .ends = run_ends, .anew = run_anew, .self = h};
    machine_remember(m, true);
    h->last = machine_position(m);
    struct checkpoint *first = note(h, NULL, e);
    if (first && !append(h, first))
        error_set(e, ERROR_INTERNAL, "no memory for a history");
    if (!h->count) {
        machine_remember(m, false);
        history_free(h);
        return NULL;
    }
    remember_here(h);
    m->observer = &h->observer;
    return h;
}

void history_free(struct history *h) {
    if (!h)
        return;
    if (h->m->observer == &h->observer) {
        h->m->observer = NULL;
        machine_remember(h->m, false);
    }
    forget_all(h);
    free(h->list);
    free(h);
}

uint64_t history_first(const struct history *h) { return h->count ? h->list[0]->position : h->last; }
uint64_t history_last(const struct history *h) { return h->last; }

struct history_stats history_stats(const struct history *h) {
    return (struct history_stats){.checkpoints = h->count, .bytes = h->bytes, .replayed = h->replayed};
}

/* ---- Going ---- */

/* Runs m, a machine of the tree, again, to a position at most. False: it was interrupted. */
static bool replay(struct history *h, struct machine *m, struct machine_limits limits, uint64_t stop_at) {
    uint64_t before = machine_position(h->m);
    limits.interrupted = h->options.interrupted;
    limits.self = h->options.self;
    machine_replay(m, &limits, stop_at, h->told);
    h->replayed += machine_position(h->m) - before;
    return !limits.interrupted || !limits.interrupted(limits.self);
}

/* To a position on the way, from the last checkpoint before it. */
static bool replay_to(struct history *h, uint64_t position) {
    restore(h, at_or_before(h, position));
    return machine_position(h->m) >= position || replay(h, h->m, (struct machine_limits){0}, position);
}

static bool stopped_early(struct error *e) { return error_set(e, ERROR_BUDGET, "interrupted on the way"); }

/* Whether the position is on the way, and can be gone to. */
static bool reachable(const struct history *h, uint64_t position, struct error *e) {
    const struct checkpoint *c = at_or_before(h, position);
    if (!h->count)
        return error_set(e, ERROR_INPUT, "no history can be kept here: %s", h->why.text);
    if (!c)
        return error_set(e, ERROR_INPUT, "the history begins at %llu, after %llu", (unsigned long long)history_first(h),
                         (unsigned long long)position);
    /* At the very position where the way was interrupted the machine would be as it was before. */
    if (position > c->reach || (position == c->reach && position == h->last))
        return error_set(e, ERROR_INPUT,
                         "position %llu cannot be gone to: at %llu something was done from outside while a monitor was "
                         "at work",
                         (unsigned long long)position, (unsigned long long)c->reach);
    return true;
}

uint64_t history_floor(struct history *h) {
    look(h);
    uint64_t now = machine_position(h->m);
    if (!reachable(h, now, NULL))
        return UINT64_MAX;
    size_t n = h->count - 1;
    while (h->list[n]->position > now)
        n--;
    while (n > 0 && h->list[n - 1]->reach >= h->list[n]->position)
        n--;
    return h->list[n]->position;
}

/* The machine is where it was asked to be, or back where it was. */
static bool arrived(struct history *h, bool ok) {
    remember_here(h);
    return ok;
}

bool history_go(struct history *h, uint64_t position, struct error *e) {
    look(h);
    uint64_t known = position < h->last ? position : h->last;
    if (known != machine_position(h->m)) {
        if (!reachable(h, known, e))
            return false;
        if (!arrived(h, replay_to(h, known)))
            return stopped_early(e);
    }
    if (position > machine_position(h->m)) {
        h->m->stop_at = position;
        machine_run(h->m, &(struct machine_limits){.interrupted = h->options.interrupted, .self = h->options.self});
        h->m->stop_at = 0;
    }
    if (machine_position(h->m) < position)
        return error_set(e, ERROR_INPUT, "the machine stops at %llu, before %llu",
                         (unsigned long long)machine_position(h->m), (unsigned long long)position);
    return true;
}

/* Of a machine that is only seen: those that it was told of, which is what machine_run stops at. */
static uint64_t traps_of(const struct machine *m) { return interruption_total(m->interruptions); }

/* Restores the last checkpoint, of those before position `now`, at which m had not done more than so many steps; the
 * first one if there is none. */
static void restore_before(struct history *h, const struct machine *m, uint64_t steps, uint64_t now) {
    size_t low = 0, high = h->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        bool before = h->list[middle]->position <= now;
        if (before)
            restore(h, h->list[middle]);
        if (before && machine_steps(m) <= steps)
            low = middle;
        else
            high = middle;
    }
    restore(h, h->list[low]);
}

bool history_back(struct history *h, struct machine *m, uint64_t steps, struct error *e) {
    look(h);
    uint64_t now = machine_position(h->m), done = machine_steps(m), target = done - steps;
    if (steps == 0)
        return true;
    if (!reachable(h, now, e))
        return false;
    /* What is not divided (an instruction and its interruption, and all that a hypervisor reflects at once) overshoots;
     * then less is asked for, at worst a checkpoint. */
    for (uint64_t more = 0; steps <= done && more <= target; more++) {
        restore_before(h, m, target - more, now);
        if (machine_steps(m) > target)
            break;
        uint64_t left = target - more > machine_steps(m) ? target - more - machine_steps(m) : 0;
        if (left && !replay(h, m, (struct machine_limits){.instructions = left}, 0))
            return arrived(h, stopped_early(e));
        if (machine_steps(m) <= target)
            return arrived(h, true);
    }
    if (!arrived(h, replay_to(h, now)))
        return stopped_early(e);
    return error_set(e, ERROR_INPUT, "%s has not done %llu steps since its history began", machine_name(m),
                     (unsigned long long)steps);
}

/* Runs m from this checkpoint to the last moment before position `before` at which it is to stop; *found: there is one.
 * False: it was interrupted. */
static bool last_stop(struct history *h, struct machine *m, const struct machine_limits *stops,
                      const struct checkpoint *from, uint64_t before, bool *found) {
    restore(h, from);
    uint64_t last = 0, at = from->position, traps = traps_of(m);
    *found = false;
    for (;;) {
        if (!replay(h, m, *stops, before))
            return false;
        if (machine_position(h->m) >= before || machine_position(h->m) == at)
            break; /* that far, or it has come to its end */
        at = machine_position(h->m);
        if (machine_status(m) == MACHINE_READY || traps_of(m) != traps) { /* not because it came to its end */
            last = at;
            *found = true;
        }
        traps = traps_of(m);
    }
    if (!*found)
        return true;
    restore(h, from);
    return replay(h, h->m, (struct machine_limits){0}, last);
}

bool history_back_to(struct history *h, struct machine *m, const struct machine_limits *asked, struct error *e) {
    const struct machine_limits stops = {.until_trap = asked->until_trap,
                                         .has_address = asked->has_address,
                                         .until_address = asked->until_address,
                                         .before = asked->before,
                                         .before_self = asked->before_self};
    look(h);
    uint64_t now = machine_position(h->m), before = now;
    bool ok = true, found = false;
    if (!reachable(h, now, e))
        return false;
    for (size_t n = h->count; n-- > 0 && ok && !found;) {
        const struct checkpoint *c = h->list[n];
        if (c->position >= now)
            continue;
        /* What lies behind an interruption of the way is not looked at. */
        ok = last_stop(h, m, &stops, c, c->reach < before ? c->reach : before, &found);
        before = c->position + 1;
    }
    if (!arrived(h, ok && (found || replay_to(h, now))))
        return stopped_early(e);
    return found || error_set(e, ERROR_INPUT, "%s has had no %s since its history began", machine_name(m),
                              asked->until_trap ? "interruption" : "such moment");
}

bool history_back_to_trap(struct history *h, struct machine *m, struct error *e) {
    return history_back_to(h, m, &(struct machine_limits){.until_trap = true}, e);
}

bool history_tell(struct history *h, uint64_t from, struct error *e) {
    look(h);
    uint64_t now = machine_position(h->m);
    from = from < history_first(h) ? history_first(h) : from;
    if (from >= now)
        return true;
    if (!reachable(h, from, e) || !reachable(h, now, e))
        return false;
    bool ok = replay_to(h, from);
    h->told = true;
    for (size_t n = 0; ok && n < h->count && h->list[n]->position <= now; n++)
        if (h->list[n]->position > from && h->list[n]->pinned) { /* here something came from outside */
            ok = replay(h, h->m, (struct machine_limits){0}, h->list[n]->position);
            restore(h, h->list[n]);
        }
    ok = ok && (machine_position(h->m) >= now || replay(h, h->m, (struct machine_limits){0}, now));
    h->told = false;
    return arrived(h, ok) || stopped_early(e);
}

bool history_save(struct history *h, const char *path, struct error *e) {
    struct bytes state = {0};
    bool ok = true;
    look(h);
    uint64_t now = machine_position(h->m);
    if (machine_quiescent(h->m)) {
        ok = snapshot_state(h->m, 0, &state, e);
    } else {
        if (!reachable(h, now, e))
            return false;
        restore(h, at_or_before(h, now));
        ok = snapshot_state(h->m, now - machine_position(h->m), &state, e);
        if (!arrived(h, replay_to(h, now)))
            ok = stopped_early(e);
    }
    ok = ok && snapshot_write(&state, path, e);
    bytes_fini(&state);
    return ok;
}
