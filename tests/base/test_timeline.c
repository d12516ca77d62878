/* Tests of base/timeline: order, stability, and what events may do while they fire. */
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/timeline.h"
#include "tests/support/unit.h"

/* What fired, as text: an event appends its name. */
struct log {
    struct timeline *t;
    char text[256];
    sim_time last;
    sim_time every; /* for fire_again */
};

static void fire_and_log(struct timeline_event *event) {
    struct log *log = event->self;
    assert_false(timeline_scheduled(event));
    strcat(log->text, event->name);
    log->last = timeline_now(log->t);
    assert_int_equal(log->last, event->at);
}

static int setup(void **state) {
    struct log *log = calloc(1, sizeof *log);
    log->t = timeline_new();
    *state = log;
    return log->t ? 0 : -1;
}

static int teardown(void **state) {
    struct log *log = *state;
    timeline_free(log->t);
    free(log);
    return 0;
}

#define EVENT(log, name) ((struct timeline_event){name, fire_and_log, log, 0, 0, 0})

static void test_timeline_starts_at_zero_with_nothing_due(void **state) {
    struct log *log = *state;
    assert_int_equal(timeline_now(log->t), 0);
    assert_true(timeline_next(log->t) == SIM_TIME_NEVER);
    timeline_advance(log->t, 1000);
    assert_int_equal(timeline_now(log->t), 1000);
}

static void test_timeline_time_never_goes_back(void **state) {
    struct log *log = *state;
    timeline_advance(log->t, 1000);
    timeline_advance(log->t, 10);
    assert_int_equal(timeline_now(log->t), 1000);
}

static void test_timeline_fires_in_order_of_time(void **state) {
    struct log *log = *state;
    struct timeline_event a = EVENT(log, "a"), b = EVENT(log, "b"), c = EVENT(log, "c");
    timeline_schedule(log->t, &b, 20);
    timeline_schedule(log->t, &c, 30);
    timeline_schedule(log->t, &a, 10);
    assert_int_equal(timeline_next(log->t), 10);
    timeline_advance(log->t, 20);
    assert_string_equal(log->text, "ab");
    assert_int_equal(timeline_now(log->t), 20);
    assert_true(timeline_scheduled(&c));
    timeline_advance(log->t, 100);
    assert_string_equal(log->text, "abc");
    assert_int_equal(log->last, 30);
    assert_int_equal(timeline_now(log->t), 100);
}

static void test_timeline_fires_equal_times_in_order_of_insertion(void **state) {
    struct log *log = *state;
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    struct timeline_event events[10];
    for (int i = 0; i < 10; i++) {
        events[i] = EVENT(log, names[i]);
        timeline_schedule(log->t, &events[i], 5);
    }
    timeline_cancel(log->t, &events[0]);
    timeline_cancel(log->t, &events[4]);
    timeline_advance(log->t, 5);
    assert_string_equal(log->text, "bcdfghij");
}

static void test_timeline_moves_an_event_already_scheduled_behind_its_equals(void **state) {
    struct log *log = *state;
    struct timeline_event a = EVENT(log, "a"), b = EVENT(log, "b");
    timeline_schedule(log->t, &a, 5);
    timeline_schedule(log->t, &b, 5);
    timeline_schedule(log->t, &a, 5);
    timeline_advance(log->t, 5);
    assert_string_equal(log->text, "ba");
}

static void test_timeline_takes_a_time_in_the_past_for_now(void **state) {
    struct log *log = *state;
    struct timeline_event a = EVENT(log, "a"), b = EVENT(log, "b");
    timeline_advance(log->t, 100);
    timeline_schedule(log->t, &b, 100);
    timeline_schedule(log->t, &a, 3);
    assert_int_equal(timeline_next(log->t), 100);
    timeline_advance(log->t, 100);
    assert_string_equal(log->text, "ba");
    assert_int_equal(log->last, 100);
}

static void test_timeline_cancel_of_an_event_not_scheduled_does_nothing(void **state) {
    struct log *log = *state;
    struct timeline_event a = EVENT(log, "a");
    timeline_cancel(log->t, &a);
    timeline_schedule(log->t, &a, 1);
    timeline_cancel(log->t, &a);
    timeline_cancel(log->t, &a);
    timeline_advance(log->t, 10);
    assert_string_equal(log->text, "");
}

static void fire_again(struct timeline_event *event) {
    struct log *log = event->self;
    fire_and_log(event);
    timeline_schedule(log->t, event, timeline_now(log->t) + log->every);
}

static void test_timeline_event_may_schedule_itself_again_while_it_fires(void **state) {
    struct log *log = *state;
    log->every = 10;
    struct timeline_event tick = {"t", fire_again, log, 0, 0, 0};
    timeline_schedule(log->t, &tick, 10);
    timeline_advance(log->t, 45);
    assert_string_equal(log->text, "tttt");
    assert_int_equal(timeline_next(log->t), 50);
}

struct canceller {
    struct timeline_event event;
    struct timeline *t;
    struct timeline_event *victim;
};

static void fire_and_cancel(struct timeline_event *event) {
    struct canceller *c = event->self;
    timeline_cancel(c->t, c->victim);
}

static void test_timeline_event_may_cancel_another_due_at_the_same_time(void **state) {
    struct log *log = *state;
    struct timeline_event a = EVENT(log, "a");
    struct canceller c = {{"c", fire_and_cancel, &c, 0, 0, 0}, log->t, &a};
    timeline_schedule(log->t, &c.event, 5);
    timeline_schedule(log->t, &a, 5);
    timeline_advance(log->t, 5);
    assert_string_equal(log->text, "");
}

static void test_timeline_free_forgets_what_is_scheduled(void **state) {
    struct log *log = *state;
    struct timeline_event a = EVENT(log, "a");
    timeline_schedule(log->t, &a, 5);
    timeline_free(log->t);
    log->t = NULL;
    assert_false(timeline_scheduled(&a));
    assert_string_equal(log->text, "");
}

/* Schedules, moves and cancels at random, and compares what fires with a plain search for the least (time, order). */
struct model_event {
    struct timeline_event event;
    uint64_t order; /* the model's; 0: not scheduled */
    sim_time at;
};

static struct model_event *fired;

static void fire_model(struct timeline_event *event) { fired = event->self; }

static void test_timeline_agrees_with_a_search_for_the_least_over_random_operations(void **state) {
    struct log *log = *state;
    enum { EVENTS = 200, OPERATIONS = 20000 };
    struct model_event *events = calloc(EVENTS, sizeof *events);
    struct random r;
    random_init(&r, 1, "timeline");
    uint64_t orders = 1;
    for (int i = 0; i < EVENTS; i++) {
        events[i].event = (struct timeline_event){"", fire_model, &events[i], 0, 0, 0};
    }
    for (int operation = 0; operation < OPERATIONS; operation++) {
        struct model_event *chosen = &events[random_below(&r, EVENTS)];
        switch (random_below(&r, 4)) {
        case 0:
            timeline_cancel(log->t, &chosen->event);
            chosen->order = 0;
            break;
        case 1: {
            struct model_event *least = NULL;
            for (int i = 0; i < EVENTS; i++) {
                struct model_event *e = &events[i];
                if (e->order && (!least || e->at < least->at || (e->at == least->at && e->order < least->order))) {
                    least = e;
                }
            }
            assert_true(timeline_next(log->t) == (least ? least->at : SIM_TIME_NEVER));
            if (!least) {
                break;
            }
            /* Fires one alone: the others of the same time are put off and back, in their order. */
            fired = NULL;
            sim_time at = least->at;
            for (int i = 0; i < EVENTS; i++) {
                if (&events[i] != least && events[i].order && events[i].at == at) {
                    timeline_cancel(log->t, &events[i].event);
                    events[i].order = 0;
                }
            }
            timeline_advance(log->t, at);
            assert_ptr_equal(fired, least);
            least->order = 0;
            break;
        }
        default:
            chosen->at = timeline_now(log->t) + random_below(&r, 50);
            chosen->order = orders++;
            assert_true(timeline_schedule(log->t, &chosen->event, chosen->at));
            break;
        }
        assert_int_equal(timeline_scheduled(&chosen->event), chosen->order != 0);
    }
    timeline_free(log->t);
    log->t = NULL;
    free(events);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_timeline_starts_at_zero_with_nothing_due, setup, teardown),
        cmocka_unit_test_setup_teardown(test_timeline_time_never_goes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_timeline_fires_in_order_of_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_timeline_fires_equal_times_in_order_of_insertion, setup, teardown),
        cmocka_unit_test_setup_teardown(test_timeline_moves_an_event_already_scheduled_behind_its_equals, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_timeline_takes_a_time_in_the_past_for_now, setup, teardown),
        cmocka_unit_test_setup_teardown(test_timeline_cancel_of_an_event_not_scheduled_does_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_timeline_event_may_schedule_itself_again_while_it_fires, setup, teardown),
        cmocka_unit_test_setup_teardown(test_timeline_event_may_cancel_another_due_at_the_same_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_timeline_free_forgets_what_is_scheduled, setup, teardown),
        cmocka_unit_test_setup_teardown(test_timeline_agrees_with_a_search_for_the_least_over_random_operations, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("timeline", tests, NULL, NULL);
}
