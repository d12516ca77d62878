/* The benchmark "screen": how long the terminal UI takes from a key to the picture, at 200 x 60, and what a free run
 * costs under it. The guest stands on two monitors, and traps often. */
#include <stdio.h>
#include <string.h>

#include "ui/cli/bench.h"
#include "ui/tui/tui.h"

enum { WIDTH = 200, HEIGHT = 60, ROUNDS = 60 };

// clang-format off
static const char scenario[] =
    "local m = machine.new{ memory = '2M', name = 'host' }\n"
    "local inner = vmm.new{ on = m }:guest{ memory = vmm.host_memory(256 << 10), name = 'inner' }\n"
    "local g = vmm.new{ on = inner }:guest{ memory = '256K', name = 'guest' }\n"
    "g:load(assemble.string([[\n"
    "X     START 0\n"
    "      DC    X'0008000000000200'\n"
    "      ORG   X+X'60'\n"
    "      DC    X'0008000000000300'\n"
    "      ORG   X+X'200'\n"
    "LOOP  L     4,COUNT-X\n"
    "INNER LA    1,1(,1)\n"
    "      ST    1,X'100'\n"
    "      BCT   4,INNER-X\n"
    "      SVC   1\n"
    "      SSK   1,2\n"
    "      B     LOOP-X\n"
    "COUNT DC    F'2000'\n"
    "      ORG   X+X'300'\n"
    "      LPSW  X'20'\n"
    "      END   X\n"
    "]], 'loop'))\n"
    "g:restart()\n"
    "g:run{ instructions = 30e6 }\n";
// clang-format on

/* A screen that types by itself, and looks at the clock. */
struct typist {
    struct bench *bench;
    const char *const *keys; /* in turn, ROUNDS of them; then c, C and q */
    unsigned pressed;
    double since, sum, longest;
    double began; /* of the free run */
    double run;
    const char *last;
};

static void get_size(void *self, int *width, int *height) {
    (void)self;
    *width = WIDTH;
    *height = HEIGHT;
}

/* The picture of the key that was pressed last is there. */
static void show(void *self, const struct canvas *c, const struct theme *theme, int x, int y) {
    struct typist *t = self;
    (void)c, (void)theme, (void)x, (void)y;
    double took = bench_seconds() - t->since;
    if (!t->last)
        return;
    if (strcmp(t->last, "c") == 0) {
        t->run = took;
    } else if (t->last) {
        t->sum += took;
        t->longest = took > t->longest ? took : t->longest;
    }
    t->last = NULL;
}

static struct key next_key(void *self) {
    struct typist *t = self;
    struct key key = {.kind = PRESSED_TEXT};
    unsigned count = 0;
    while (t->keys[count])
        count++;
    t->last = t->pressed < ROUNDS ? t->keys[t->pressed % count] : t->pressed == ROUNDS ? "c" : "q";
    t->pressed++;
    snprintf(key.name, sizeof key.name, "%s", t->last);
    t->since = bench_seconds();
    return key;
}

static bool wants_stop(void *self) {
    const struct typist *t = self;
    return bench_interrupted(t->bench);
}
static void set_theme(void *self, const struct theme *theme) { (void)self, (void)theme; }

static bool type(struct bench *b, const char *what, const char *const *keys, double *run, struct error *e) {
    struct typist typist = {.bench = b, .keys = keys};
    const struct screen screen = {get_size, show, next_key, wants_stop, set_theme, &typist};
    const struct session_options session = {.path = "benchmark", .text = scenario};
    const struct tui_options o = {.session = &session, .screen = &screen, .theme = theme_at(0)};
    char line[60];
    if (tui_run(&o, e) == (int)ERROR_INTERNAL)
        return false;
    if (bench_interrupted(b))
        return true;
    snprintf(line, sizeof line, "%s, on average", what);
    bench_report(b, line, typist.sum * 1e3 / ROUNDS, "ms", NULL, 0);
    snprintf(line, sizeof line, "%s, the longest", what);
    bench_report(b, line, typist.longest * 1e3, "ms", NULL, 0);
    *run = typist.run;
    return true;
}

bool bench_screen(struct bench *b, struct error *e) {
    static const struct {
        const char *what;
        const char *keys[4];
    } rows[] = {
        {"another pane", {"1", "4", "5", NULL}},
        {"a step", {"s", NULL}},
        {"to the next trap", {"t", NULL}},
        {"a step, and one back", {"s", "s", "r", NULL}},
    };
    double run = 0, plain;
    const struct engine_options options = {0};
    struct engine *engine = engine_new(&options, e);
    if (!engine)
        return false;
    double start = bench_seconds();
    bool ok = engine_run_text(engine, "benchmark", scenario, sizeof scenario - 1, e);
    plain = bench_seconds() - start;
    engine_free(engine);
    for (unsigned n = 0; ok && n < sizeof rows / sizeof *rows && !bench_interrupted(b); n++)
        ok = type(b, rows[n].what, rows[n].keys, &run, e);
    if (ok && run > 0)
        bench_report(b, "speed of a free run", 100 * plain / run, "%", "without the UI", plain / run);
    bench_note(b, "200 x 60, all panes drawn, no terminal; the guest stands on two monitors; the process's CPU time");
    return ok;
}
