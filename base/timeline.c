/* Timeline: a binary heap of borrowed events, smallest (at, order) first.
 *
 * The idea to hold while reading: every event on the heap knows its own place (index + 1), so that it can be cancelled
 * or moved without a search; `put` is the only function that writes a place. */
#include "base/timeline.h"

#include <assert.h>
#include <stdlib.h>

struct timeline {
    sim_time now;
    uint64_t orders; /* how many insertions there were: the next event's order */
    struct timeline_event **heap;
    size_t count, capacity;
};

struct timeline *timeline_new(void) {
    return calloc(1, sizeof(struct timeline));
}

void timeline_free(struct timeline *t) {
    if (!t) {
        return;
    }
    for (size_t i = 0; i < t->count; i++) {
        t->heap[i]->place = 0;
    }
    free(t->heap);
    free(t);
}

sim_time timeline_now(const struct timeline *t) { return t->now; }

sim_time timeline_next(const struct timeline *t) { return t->count ? t->heap[0]->at : SIM_TIME_NEVER; }

static bool before(const struct timeline_event *a, const struct timeline_event *b) {
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void put(struct timeline *t, size_t index, struct timeline_event *event) {
    t->heap[index] = event;
    event->place = index + 1;
}

/* Puts *event where it belongs, given that the heap is in order but for the free slot at `index`. */
static void settle(struct timeline *t, size_t index, struct timeline_event *event) {
    while (index > 0 && before(event, t->heap[(index - 1) / 2])) {
        put(t, index, t->heap[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= t->count) {
            break;
        }
        if (child + 1 < t->count && before(t->heap[child + 1], t->heap[child])) {
            child++;
        }
        if (!before(t->heap[child], event)) {
            break;
        }
        put(t, index, t->heap[child]);
        index = child;
    }
    put(t, index, event);
}

static bool insert(struct timeline *t, struct timeline_event *event, sim_time at, uint64_t order) {
    if (!event->place && t->count == t->capacity) {
        size_t capacity = t->capacity ? 2 * t->capacity : 16;
        struct timeline_event **heap = realloc(t->heap, capacity * sizeof *heap);
        if (!heap) {
            return false;
        }
        t->heap = heap;
        t->capacity = capacity;
    }
    timeline_cancel(t, event);
    event->at = at > t->now ? at : t->now;
    event->order = order;
    t->count++;
    settle(t, t->count - 1, event);
    return true;
}

bool timeline_schedule(struct timeline *t, struct timeline_event *event, sim_time at) {
    return insert(t, event, at, t->orders++);
}

void timeline_cancel(struct timeline *t, struct timeline_event *event) {
    if (!event->place) {
        return;
    }
    size_t index = event->place - 1;
    assert(index < t->count && t->heap[index] == event && "an event is cancelled on the timeline that it is on");
    event->place = 0;
    struct timeline_event *last = t->heap[--t->count];
    if (last != event) {
        settle(t, index, last);
    }
}

void timeline_advance(struct timeline *t, sim_time to) {
    while (t->count && t->heap[0]->at <= to) {
        struct timeline_event *event = t->heap[0];
        timeline_cancel(t, event);
        if (event->at > t->now) {
            t->now = event->at;
        }
        event->fire(event);
    }
    if (to > t->now) {
        t->now = to;
    }
}

void archive_time(struct archive *a, sim_time *time) {
    archive_u64(a, time);
    if (*time > SIM_TIME_MOST) {
        *time = SIM_TIME_MOST;
        archive_fail(a, "a time is later than any that is reached");
    }
}

void timeline_archive(struct timeline *t, struct archive *a) {
    archive_time(a, &t->now);
    archive_u64(a, &t->orders);
    if (a->loading) {
        for (size_t i = 0; i < t->count; i++)
            t->heap[i]->place = 0;
        t->count = 0;
    }
}

void timeline_archive_event(struct timeline *t, struct timeline_event *event, struct archive *a) {
    bool scheduled = timeline_scheduled(event);
    sim_time at = event->at;
    uint64_t order = event->order;
    archive_bool(a, &scheduled);
    if (!scheduled)
        return;
    archive_time(a, &at);
    archive_u64(a, &order);
    if (a->loading && !a->failed && !insert(t, event, at, order))
        archive_fail(a, "no memory for an event");
}
