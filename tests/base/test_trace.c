/* Tests of base/trace: who is called when, the JSON of an event, and the writer. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/trace.h"
#include "tests/support/unit.h"

#define BIT(kind) (1u << (kind))
#define ALL_KINDS (BIT(TRACE_KIND_COUNT) - 1)

/* --- subscribing -------------------------------------------------------------------------------------------------- */

/* A subscriber that writes its letter down, and may then do something to the trace. */
struct watcher {
    struct trace *t;
    char letter;
    char *log;
    int leave;             /* handle to unsubscribe when called; -1: none */
    struct watcher *enter; /* to subscribe when called; NULL: none */
    bool nest;             /* emits another kind when called */
};

static void watch(void *self, const struct trace_event *event) {
    struct watcher *w = self;
    size_t length = strlen(w->log);
    w->log[length] = w->letter;
    w->log[length + 1] = '\0';
    if (w->leave >= 0) {
        trace_unsubscribe(w->t, w->leave);
    }
    if (w->enter) {
        assert_true(trace_subscribe(w->t, ALL_KINDS, watch, w->enter) >= 0);
        w->enter = NULL;
    }
    if (w->nest && event->kind != TRACE_STOP) {
        trace_emit(w->t, &(struct trace_event){.kind = TRACE_STOP, .machine = "m"});
    }
}

static const struct trace_event trap = {.kind = TRACE_TRAP, .machine = "m"};
static const struct trace_event walk = {.kind = TRACE_WALK, .machine = "m"};

static void test_trace_wants_nothing_without_a_trace_or_a_subscriber(void **state) {
    (void)state;
    assert_false(trace_wants(NULL, TRACE_TRAP));
    trace_emit(NULL, &trap);
    trace_free(NULL);
    struct trace *t = trace_new();
    assert_false(trace_wants(t, TRACE_TRAP));
    trace_emit(t, &trap);
    trace_free(t);
}

static void test_trace_calls_those_who_want_the_kind_in_order_of_subscription(void **state) {
    (void)state;
    char log[16] = "";
    struct trace *t = trace_new();
    struct watcher a = {t, 'a', log, -1, NULL, false}, b = {t, 'b', log, -1, NULL, false},
                   c = {t, 'c', log, -1, NULL, false};
    trace_subscribe(t, BIT(TRACE_TRAP), watch, &a);
    trace_subscribe(t, BIT(TRACE_WALK), watch, &b);
    trace_subscribe(t, BIT(TRACE_TRAP) | BIT(TRACE_WALK), watch, &c);
    assert_true(trace_wants(t, TRACE_TRAP));
    assert_true(trace_wants(t, TRACE_WALK));
    assert_false(trace_wants(t, TRACE_STOP));
    trace_emit(t, &trap);
    assert_string_equal(log, "ac");
    trace_emit(t, &walk);
    assert_string_equal(log, "acbc");
    trace_free(t);
}

static void test_trace_unsubscribe_narrows_what_is_wanted(void **state) {
    (void)state;
    char log[16] = "";
    struct trace *t = trace_new();
    struct watcher a = {t, 'a', log, -1, NULL, false}, b = {t, 'b', log, -1, NULL, false};
    int first = trace_subscribe(t, BIT(TRACE_TRAP), watch, &a);
    trace_subscribe(t, BIT(TRACE_WALK), watch, &b);
    trace_unsubscribe(t, first);
    trace_unsubscribe(t, first);
    trace_unsubscribe(t, 12345);
    assert_false(trace_wants(t, TRACE_TRAP));
    assert_true(trace_wants(t, TRACE_WALK));
    int again = trace_subscribe(t, BIT(TRACE_TRAP), watch, &a);
    assert_int_not_equal(again, first);
    trace_free(t);
}

static void test_trace_subscriber_may_leave_while_it_is_called(void **state) {
    (void)state;
    char log[16] = "";
    struct trace *t = trace_new();
    struct watcher a = {t, 'a', log, -1, NULL, false}, b = {t, 'b', log, -1, NULL, false};
    a.leave = trace_subscribe(t, ALL_KINDS, watch, &a);
    trace_subscribe(t, ALL_KINDS, watch, &b);
    trace_emit(t, &trap);
    assert_string_equal(log, "ab");
    trace_emit(t, &trap);
    assert_string_equal(log, "abb");
    trace_free(t);
}

static void test_trace_subscriber_that_another_one_removed_is_not_called(void **state) {
    (void)state;
    char log[16] = "";
    struct trace *t = trace_new();
    struct watcher a = {t, 'a', log, -1, NULL, false}, b = {t, 'b', log, -1, NULL, false};
    trace_subscribe(t, ALL_KINDS, watch, &a);
    a.leave = trace_subscribe(t, ALL_KINDS, watch, &b);
    trace_emit(t, &trap);
    assert_string_equal(log, "a");
    trace_free(t);
}

static void test_trace_subscriber_that_comes_during_an_event_sees_the_next(void **state) {
    (void)state;
    char log[64] = "";
    struct trace *t = trace_new();
    struct watcher late[8], a = {t, 'a', log, -1, &late[0], false};
    for (int i = 0; i < 8; i++) {
        late[i] = (struct watcher){t, (char)('1' + i), log, -1, i < 7 ? &late[i + 1] : NULL, false};
    }
    trace_subscribe(t, ALL_KINDS, watch, &a);
    trace_emit(t, &trap);
    assert_string_equal(log, "a");
    trace_emit(t, &trap);
    assert_string_equal(log, "aa1");
    trace_emit(t, &trap);
    assert_string_equal(log, "aa1a12");
    trace_free(t);
}

static void test_trace_event_emitted_inside_an_event_goes_to_all(void **state) {
    (void)state;
    char log[16] = "";
    struct trace *t = trace_new();
    struct watcher a = {t, 'a', log, -1, NULL, true}, b = {t, 'b', log, -1, NULL, false};
    a.leave = trace_subscribe(t, ALL_KINDS, watch, &a);
    trace_subscribe(t, ALL_KINDS, watch, &b);
    trace_emit(t, &trap); /* a leaves, then emits the stop, which only b gets */
    assert_string_equal(log, "abb");
    trace_free(t);
}

/* --- JSON --------------------------------------------------------------------------------------------------------- */

static void assert_json(const struct trace_event *event, const char *expected) {
    struct bytes b = {0};
    trace_to_json(&b, event);
    assert_string_equal((char *)b.data, expected);
    bytes_fini(&b);
}

static void test_trace_json_has_the_keys_of_its_kind_in_order(void **state) {
    (void)state;
    assert_json(&(struct trace_event){TRACE_INSTRUCTION, 123456789012, "bare", 0, 0, 0x1A2B, 4, 3, "L     1,0(0,2)"},
                "{\"cycle\":123456789012,\"machine\":\"bare\",\"level\":0,\"kind\":\"instruction\","
                "\"address\":\"001A2B\",\"length\":4,\"cost\":3,\"text\":\"L     1,0(0,2)\"}\n");
    assert_json(&(struct trace_event){TRACE_SHADOW_FILL, 7, "inner", 2, 0, 0x1000, 0x20000, 0xFFF000, "ignored"},
                "{\"cycle\":7,\"machine\":\"inner\",\"level\":2,\"kind\":\"shadow_fill\","
                "\"virtual\":\"001000\",\"guest_real\":\"020000\",\"host_real\":\"FFF000\"}\n");
    assert_json(&(struct trace_event){TRACE_SHADOW_PURGE, 7, "inner", 1, 0, 3, 0, 0, "PTLB"},
                "{\"cycle\":7,\"machine\":\"inner\",\"level\":1,\"kind\":\"shadow_purge\","
                "\"spaces\":3,\"cause\":\"PTLB\"}\n");
    assert_json(&(struct trace_event){TRACE_SIGNAL, 7, "bare", 0, 2, 0x9, 1, 3, "sense"},
                "{\"cycle\":7,\"machine\":\"bare\",\"level\":0,\"cpu\":2,\"kind\":\"signal\","
                "\"order\":\"09\",\"cpu_address\":1,\"condition\":3,\"name\":\"sense\"}\n");
}

static void test_trace_json_hexadecimal_has_the_digits_of_its_field(void **state) {
    (void)state;
    assert_json(&(struct trace_event){TRACE_TRAP, 1, "m", 1, 0, 0x11, 0x123456789, 0, "page"},
                "{\"cycle\":1,\"machine\":\"m\",\"level\":1,\"kind\":\"trap\","
                "\"code\":\"0011\",\"address\":\"123456789\",\"detail\":\"000000\",\"cause\":\"page\"}\n");
    assert_json(&(struct trace_event){TRACE_IO_END, 1, "m", 1, 0, 9, 0xC00, 80, NULL},
                "{\"cycle\":1,\"machine\":\"m\",\"level\":1,\"kind\":\"io_end\","
                "\"device\":\"009\",\"status\":\"0C00\",\"residual\":80}\n");
    assert_json(&(struct trace_event){TRACE_DISPATCH, 1, "m", 1, 0, 0x200, 0x12345678, 1, NULL},
                "{\"cycle\":1,\"machine\":\"m\",\"level\":1,\"kind\":\"dispatch\","
                "\"address\":\"000200\",\"cr1\":\"12345678\",\"problem\":1}\n");
}

static void test_trace_json_text_that_is_not_there_is_null(void **state) {
    (void)state;
    assert_json(
        &(struct trace_event){.kind = TRACE_STOP},
        "{\"cycle\":0,\"machine\":null,\"level\":0,\"kind\":\"stop\",\"address\":\"000000\",\"reason\":null}\n");
}

/* Text in, and the string that a JSON reader must get. */
static void test_trace_json_text_of_any_bytes_is_a_valid_string(void **state) {
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"a\"b\\c/d", "a\"b\\c/d"},
        {"\n\r\t\b\f\x01\x1F\x7F", "\n\r\t\b\f\x01\x1F\x7F"},
        {"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x92\xBB", "\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x92\xBB"},
        {"\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF",
         "\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"},
        {"\x80", "\xEF\xBF\xBD"},                                                 /* a follower alone */
        {"\xC3", "\xEF\xBF\xBD"},                                                 /* a lead alone, at the end */
        {"\xC3z", "\xEF\xBF\xBDz"},                                               /* a lead alone, before a letter */
        {"\xC0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD"},                                 /* overlong */
        {"\xE0\x9F\xBF", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},                 /* overlong */
        {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},                 /* a surrogate */
        {"\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"}, /* beyond the last */
        {"\xF0\x9F\x92", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},                 /* cut off */
        {"\xFF\xFE", "\xEF\xBF\xBD\xEF\xBF\xBD"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bytes b = {0};
        trace_to_json(&b, &(struct trace_event){.kind = TRACE_CONSOLE, .machine = "m", .text = cases[i].text});
        json_error_t trouble;
        json_t *json = json_loadb((char *)b.data, b.length, 0, &trouble);
        assert_non_null(json);
        assert_string_equal(json_string_value(json_object_get(json, "line")), cases[i].expected);
        assert_int_equal(strcspn((char *)b.data, "\n"), b.length - 1);
        json_decref(json);
        bytes_fini(&b);
    }
}

static void test_trace_json_of_every_kind_is_an_object(void **state) {
    (void)state;
    for (int kind = 0; kind < TRACE_KIND_COUNT; kind++) {
        struct bytes b = {0};
        trace_to_json(&b, &(struct trace_event){(enum trace_kind)kind, UINT64_MAX >> 1, "m", 3, 0, 1, 2, 3, "t"});
        json_t *json = json_loadb((char *)b.data, b.length, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(json);
        assert_string_equal(json_string_value(json_object_get(json, "machine")), "m");
        json_decref(json);
        bytes_fini(&b);
    }
}

/* --- the writer --------------------------------------------------------------------------------------------------- */

static void test_trace_writer_writes_the_wanted_kinds_when_it_is_closed(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    struct trace *t = trace_new();
    struct trace_writer *w = trace_writer_open(t, BIT(TRACE_TRAP) | BIT(TRACE_STOP), "trace.json", &e);
    assert_non_null(w);
    trace_emit(t, &trap);
    trace_emit(t, &walk);
    trace_emit(t, &(struct trace_event){.kind = TRACE_STOP, .machine = "m", .text = "wait"});
    assert_int_not_equal(access("trace.json", F_OK), 0);
    assert_true(trace_writer_close(w, &e));
    assert_false(trace_wants(t, TRACE_TRAP));
    assert_int_equal(unit_count_files("."), 1);
    struct bytes b = {0};
    assert_true(bytes_read_file(&b, "trace.json", 1000, &e));
    assert_string_equal(
        (char *)b.data,
        "{\"cycle\":0,\"machine\":\"m\",\"level\":0,\"kind\":\"trap\",\"code\":\"0000\",\"address\":\"000000\","
        "\"detail\":\"000000\",\"cause\":null}\n"
        "{\"cycle\":0,\"machine\":\"m\",\"level\":0,\"kind\":\"stop\",\"address\":\"000000\",\"reason\":\"wait\"}\n");
    bytes_fini(&b);
    trace_free(t);
}

static void test_trace_writer_of_no_event_writes_an_empty_file(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    struct trace *t = trace_new();
    struct trace_writer *w = trace_writer_open(t, ALL_KINDS, "trace.json", &e);
    assert_true(trace_writer_close(w, &e));
    assert_int_equal(access("trace.json", F_OK), 0);
    trace_free(t);
}

static void test_trace_writer_refuses_a_folder_that_is_not_there(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    struct trace *t = trace_new();
    assert_null(trace_writer_open(t, ALL_KINDS, "no/trace.json", &e));
    assert_int_equal(e.kind, ERROR_INPUT);
    assert_string_equal(e.text, "cannot write no/trace.json: No such file or directory");
    assert_false(trace_wants(t, TRACE_TRAP));
    trace_free(t);
}

static void test_trace_writer_reports_a_full_device(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    struct trace *t = trace_new();
    struct trace_writer *w = trace_writer_open(t, ALL_KINDS, "/dev/full", &e);
    assert_non_null(w);
    trace_emit(t, &trap);
    assert_false(trace_writer_close(w, &e));
    assert_string_equal(e.text, "cannot write /dev/full: No space left on device");
    trace_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace_wants_nothing_without_a_trace_or_a_subscriber),
        cmocka_unit_test(test_trace_calls_those_who_want_the_kind_in_order_of_subscription),
        cmocka_unit_test(test_trace_unsubscribe_narrows_what_is_wanted),
        cmocka_unit_test(test_trace_subscriber_may_leave_while_it_is_called),
        cmocka_unit_test(test_trace_subscriber_that_another_one_removed_is_not_called),
        cmocka_unit_test(test_trace_subscriber_that_comes_during_an_event_sees_the_next),
        cmocka_unit_test(test_trace_event_emitted_inside_an_event_goes_to_all),
        cmocka_unit_test(test_trace_json_has_the_keys_of_its_kind_in_order),
        cmocka_unit_test(test_trace_json_hexadecimal_has_the_digits_of_its_field),
        cmocka_unit_test(test_trace_json_text_that_is_not_there_is_null),
        cmocka_unit_test(test_trace_json_text_of_any_bytes_is_a_valid_string),
        cmocka_unit_test(test_trace_json_of_every_kind_is_an_object),
        unit_test_in_folder(test_trace_writer_writes_the_wanted_kinds_when_it_is_closed),
        unit_test_in_folder(test_trace_writer_of_no_event_writes_an_empty_file),
        unit_test_in_folder(test_trace_writer_refuses_a_folder_that_is_not_there),
        cmocka_unit_test(test_trace_writer_reports_a_full_device),
    };
    return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
