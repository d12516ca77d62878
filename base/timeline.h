/* Timeline: simulated time and the queue of what will happen.
 *
 * Time is a count of picoseconds, `sim_time`; nothing here or above ever asks the host's clock. Events fire in order of
 * (time, insertion), so equal times keep the order in which they were scheduled and a run repeats exactly. The owner
 * embeds the event in its own struct and must cancel it before that struct goes away. Scheduling, cancelling and firing
 * cost O(log n) for n scheduled events (a binary heap). */
#ifndef BASE_TIMELINE_H
#define BASE_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/archive.h"

typedef uint64_t sim_time; /* picoseconds since the run began */
#define SIM_TIME_NEVER UINT64_MAX

struct timeline;

struct timeline_event {
    const char *name;                           /* for traces; borrowed, usually a literal */
    void (*fire)(struct timeline_event *event); /* called with the event already off the queue; may schedule it again */
    void *self;                                 /* the owner's, for fire */
    /* The timeline's own; zero-initialise. */
    sim_time at;
    uint64_t order;
    size_t place; /* index in the heap + 1; 0: not scheduled */
};

struct timeline *timeline_new(void);    /* NULL when there is no memory */
void timeline_free(struct timeline *t); /* events still scheduled are forgotten, not fired */

sim_time timeline_now(const struct timeline *t);
/* When the earliest event is due; SIM_TIME_NEVER when there is none. */
sim_time timeline_next(const struct timeline *t);
/* Schedules *event at time `at` (not before now; an earlier time counts as now). An event already scheduled is moved,
 * and counts as inserted now. False when there is no memory. */
bool timeline_schedule(struct timeline *t, struct timeline_event *event, sim_time at);
/* Takes *event off the queue; no effect when it is not scheduled. */
void timeline_cancel(struct timeline *t, struct timeline_event *event);
static inline bool timeline_scheduled(const struct timeline_event *event) { return event->place != 0; }
/* Moves the time on to `to` (never back) and fires everything due up to and including it, in order, each at its own
 * time. Events that fire may schedule more, which fire too when due by then. */
void timeline_advance(struct timeline *t, sim_time to);

/* Loaded times are at most this: a hundred days, so that sums of them do not overflow. */
#define SIM_TIME_MOST ((sim_time)1 << 63)
void archive_time(struct archive *a, sim_time *time);
/* The time; loading takes everything off the queue. Then each event: whether it is scheduled, and when, in the same
 * order among those of the same time. */
void timeline_archive(struct timeline *t, struct archive *a);
void timeline_archive_event(struct timeline *t, struct timeline_event *event, struct archive *a);

#endif
