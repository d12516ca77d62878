/* Coroutines: control goes in and out where it was, and what was suspended can be dropped. */
#include "isa/coroutine.h"

#include "tests/support/unit.h"

struct log {
    struct coroutine *c;
    char text[64];
    size_t length;
    double kept;
};

static void note(struct log *l, char what) {
    assert_true(l->length < sizeof l->text - 1);
    l->text[l->length++] = what;
}

static void twice(void *self) {
    struct log *l = self;
    volatile double fraction = 0.25;
    note(l, 'a');
    coroutine_suspend(l->c);
    note(l, 'b');
    coroutine_suspend(l->c);
    l->kept = fraction;
    note(l, 'c');
}

static void once(void *self) { note(self, 'x'); }

/* Uses more stack than one frame, so that a stack used again after a drop would show. */
static unsigned deep(struct log *l, unsigned n) {
    volatile unsigned here = n;
    if (n == 0)
        coroutine_suspend(l->c);
    else
        here += deep(l, n - 1);
    return here;
}

static void sum(void *self) {
    struct log *l = self;
    l->kept = deep(l, 100);
}

static void test_coroutine_goes_on_where_it_was_suspended(void **state) {
    struct log l = {.c = coroutine_new()};
    (void)state;
    assert_non_null(l.c);
    coroutine_start(l.c, twice, &l);
    note(&l, '1');
    coroutine_resume(l.c);
    note(&l, '2');
    coroutine_resume(l.c);
    assert_string_equal(l.text, "a1b2c");
    assert_true(l.kept == 0.25);
    coroutine_free(l.c);
}

static void test_coroutine_is_started_again_after_its_end_and_after_a_drop(void **state) {
    struct log l = {.c = coroutine_new()};
    (void)state;
    assert_non_null(l.c);
    for (int i = 0; i < 3; i++)
        coroutine_start(l.c, once, &l);
    coroutine_start(l.c, twice, &l); /* dropped in its middle */
    coroutine_start(l.c, once, &l);
    coroutine_start(l.c, twice, &l);
    coroutine_resume(l.c);
    coroutine_start(l.c, once, &l);
    coroutine_start(l.c, once, &l);
    assert_string_equal(l.text, "xxxaxabxx");
    coroutine_start(l.c, sum, &l);
    coroutine_start(l.c, sum, &l);
    coroutine_resume(l.c);
    assert_true(l.kept == 5050);
    coroutine_free(l.c);
}

struct pair {
    struct log *outer, *inner;
};

static void nest(void *self) {
    struct pair *p = self;
    note(p->outer, 'o');
    coroutine_start(p->inner->c, twice, p->inner);
    coroutine_suspend(p->outer->c);
    coroutine_resume(p->inner->c);
    note(p->outer, 'p');
}

static void test_coroutines_start_and_resume_one_another(void **state) {
    struct log outer = {.c = coroutine_new()}, inner = {.c = coroutine_new()};
    struct pair p = {&outer, &inner};
    (void)state;
    assert_non_null(outer.c);
    assert_non_null(inner.c);
    coroutine_start(outer.c, nest, &p);
    assert_string_equal(inner.text, "a");
    coroutine_resume(outer.c);
    coroutine_resume(inner.c);
    assert_string_equal(outer.text, "op");
    assert_string_equal(inner.text, "abc");
    coroutine_free(outer.c);
    coroutine_free(inner.c);
    coroutine_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_coroutine_goes_on_where_it_was_suspended),
        cmocka_unit_test(test_coroutine_is_started_again_after_its_end_and_after_a_drop),
        cmocka_unit_test(test_coroutines_start_and_resume_one_another),
    };
    return cmocka_run_group_tests_name("coroutine", tests, NULL, NULL);
}
