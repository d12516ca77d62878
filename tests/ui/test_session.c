/* The session against a plain run: whatever the user does while a scenario is held, the scenario comes to the same end,
 * prints the same, and its handlers hear the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "tests/support/unit.h"
#include "ui/tui/session.h"

enum { MOST_HELD = 12, COMMANDS = 7 };

struct user {
    struct session *session;
    struct random random;
    unsigned held, refused, done;
    char trail[4000]; /* what was done, for messages */
};

static void take(void *self, const char *text, size_t length) { bytes_append(self, text, length); }

/* What the scenario does by itself. */
static void run_plainly(const char *path, struct bytes *output) {
    struct error e = ERROR_CLEAR;
    const struct engine_options options = {.output = take, .detail = take, .self = output};
    struct engine *engine = engine_new(&options, &e);
    assert_non_null(engine);
    if (!engine_run_file(engine, path, &e))
        fail_msg("%s: %s", path, e.text);
    engine_free(engine);
}

static enum session_stop set_breakpoint(struct session *s, uint64_t n) {
    struct machine *m = session_machine(s);
    struct machine_state state;
    if (!m)
        return STOPPED_REFUSED;
    machine_state(m, &state);
    struct breakpoint b = {.kind = (enum breakpoint_kind)(n % 5),
                           .machine = m,
                           .address = n & 32 ? state.psw.ia : (uint32_t)(n >> 8) & 0x1FFC,
                           .length = 4,
                           .classes = CLASS_CONTROL | CLASS_BEHAVIOUR,
                           .instruction = -1,
                           .interruption = n & 64 ? INTERRUPTION_PROGRAM : INTERRUPTION_SVC,
                           .code = -1,
                           .condition = "m.gpr[1] % 3 == 1"};
    return session_break(s, &b, NULL) ? STOPPED_THERE : STOPPED_REFUSED;
}

static enum session_stop act(struct user *u, unsigned what, uint64_t n) {
    struct session *s = u->session;
    struct session_place place;
    struct machine *m;
    switch (what) {
    case 0: return session_step(s, n % 7 + 1);
    case 1: return session_trap(s);
    case 2: return session_back(s, n % 20 + 1);
    case 3: return session_back_to_trap(s);
    case 4: return session_level(s);
    case 5: return session_over(s);
    case 6: return session_reverse(s);
    case 7: return session_step(s, n % 3000 + 1);
    case 8: session_place(s, &place); return session_go(s, place.first + n % (place.last - place.first + 1));
    case 9: return session_continue(s);
    case 10: return set_breakpoint(s, n);
    case 11:
        while (session_breakpoints(s))
            session_unbreak(s, session_breakpoint(s, 0)->number);
        return STOPPED_THERE;
    default:
        m = session_tree(s, n % 4);
        if (m)
            session_choose(s, m);
        return STOPPED_THERE;
    }
}

static void play(void *self) {
    struct user *u = self;
    unsigned commands = u->held++ < MOST_HELD ? (unsigned)random_below(&u->random, COMMANDS) : 0;
    for (unsigned i = 0; i < commands; i++) {
        unsigned what = (unsigned)random_below(&u->random, 13);
        uint64_t n = random_u64(&u->random);
        size_t length = strlen(u->trail);
        snprintf(u->trail + length, sizeof u->trail - length, " %u:%u/%llu", u->held, what,
                 (unsigned long long)n % 100000);
        enum session_stop stop = act(u, what, n);
        u->refused += stop == STOPPED_REFUSED;
        u->done++;
    }
    session_resume(u->session, u->held > MOST_HELD);
}

static void compare(const char *name, uint64_t seed, unsigned *done, unsigned *refused) {
    char path[400];
    struct bytes plain = {0};
    struct error e = ERROR_CLEAR;
    struct user u = {.held = 0};
    snprintf(path, sizeof path, "%s/scenarios/%s", SOURCE_DIR, name);
    run_plainly(path, &plain);
    random_init(&u.random, seed, "user");
    const struct session_options options = {.path = path, .interact = play, .self = &u};
    u.session = session_new(&options, &e);
    assert_non_null(u.session);
    if (!session_run(u.session, &e))
        fail_msg("%s, seed %llu: %s;%s", name, (unsigned long long)seed, e.text, u.trail);
    const struct bytes *output = session_output(u.session);
    if (output->length != plain.length || memcmp(output->data, plain.data, plain.length) != 0) {
        size_t at = 0;
        while (at < output->length && at < plain.length && output->data[at] == plain.data[at])
            at++;
        size_t from = at > 100 ? at - 100 : 0;
        fail_msg("%s, seed %llu: after%s\nit prints\n%.300s\ninstead of\n%.300s", name, (unsigned long long)seed,
                 u.trail, (const char *)output->data + from, (const char *)plain.data + from);
    }
    *done += u.done;
    *refused += u.refused;
    session_free(u.session);
    bytes_fini(&plain);
}

static void test_the_scenario_cannot_tell(void **state) {
    (void)state;
    /* The last two run for long: only by hand. */
    static const char *const names[] = {"first.lua", "paging.lua", "devices.lua", "nesting.lua", "history.lua"};
    const char *more = getenv("SESSION_SEEDS");
    unsigned seeds = more ? (unsigned)atoi(more) : 2, done = 0, refused = 0;
    for (unsigned n = 0; n < sizeof names / sizeof *names - (more ? 0 : 2); n++)
        for (unsigned seed = 1; seed <= seeds; seed++)
            compare(names[n], seed, &done, &refused);
    fflush(stdout);
    print_message("%u commands, %u of them refused\n", done, refused);
    assert_true(done > refused);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_scenario_cannot_tell)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
