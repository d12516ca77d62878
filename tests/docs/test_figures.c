/* The figures of nucleus.s in docs/nesting.md and docs/shadow-paging.md are those of a run. Counts and cycles are the
 * same in every run, so that each has to be the page's when it is rounded to three digits like it. Host seconds are
 * not looked at.
 *
 * Deep runs take long, and are left out unless asked for:
 *
 *     test_docs_figures [--depth N] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"
#include "ui/cli/bench_program.h"

enum { CELLS_MOST = 10, NUCLEUS_BLOCKS = 1216 };
static unsigned deepest = 2;

struct table {
    struct bytes page;
    const char *path;
    char *next;             /* line of the page */
    char *cell[CELLS_MOST]; /* of the row read last, without blanks around them */
    char text[512];
    unsigned cells;
};

/* Goes to the row behind the heading, the text of whose line begins so. */
static void open_table(struct table *t, const char *path, const char *heading) {
    struct error e = ERROR_CLEAR;
    *t = (struct table){.path = path};
    if (!bytes_read_file(&t->page, path, 1 << 20, &e))
        fail_msg("%s", e.text);
    bytes_append(&t->page, "", 1);
    char *at = strstr((char *)t->page.data, heading);
    if (!at)
        fail_msg("%s has no table \"%s\"", path, heading);
    t->next = strchr(strchr(at, '\n') + 1, '\n') + 1;
}

static bool read_row(struct table *t) {
    size_t length = strcspn(t->next, "\n");
    if (*t->next != '|')
        return false;
    assert_in_range(length, 2, sizeof t->text - 1);
    memcpy(t->text, t->next, length);
    t->text[length] = '\0';
    t->next += length + (t->next[length] == '\n');
    t->cells = 0;
    for (char *cell = t->text + 1, *bar; (bar = strchr(cell, '|')) && t->cells < CELLS_MOST; cell = bar + 1) {
        *bar = '\0';
        cell += strspn(cell, " ");
        for (size_t n = strlen(cell); n > 0 && cell[n - 1] == ' '; n--)
            cell[n - 1] = '\0';
        t->cell[t->cells++] = cell;
    }
    return true;
}

static double number(const char *text) {
    char plain[32];
    size_t n = 0;
    for (; *text && n < sizeof plain - 1; text++)
        if (*text != ',')
            plain[n++] = *text;
    plain[n] = '\0';
    return strtod(plain, NULL);
}

/* Three digits, and all of a count below 1,000. */
static void check(const struct table *t, const char *what, unsigned cell, double is) {
    double says = number(t->cell[cell]), unit = pow(10, floor(log10(is)) - 2);
    if (fabs(is - says) > unit * 0.5001)
        fail_msg("%s: %s: the page says %s, it is %g", t->path, what, t->cell[cell], is);
}

static void assemble_nucleus(struct bytes *image) {
    struct bytes text = {0};
    struct error e = ERROR_CLEAR;
    if (!bytes_read_file(&text, SOURCE_DIR "/scenarios/guests/nucleus.s", 1 << 20, &e) ||
        !bench_assemble(NULL, "nucleus.s", (const char *)text.data, text.length, image, &e))
        fail_msg("%s", e.text);
    bytes_fini(&text);
}

static void run(const struct bytes *image, uint32_t memory, unsigned depth, const struct monitor_options *options,
                struct bench_run *to) {
    struct error e = ERROR_CLEAR;
    const struct bench_place place = {
        .memory = memory, .depth = depth, .options = options, .disk_blocks = NUCLEUS_BLOCKS};
    if (!bench_run(image, &place, to, &e))
        fail_msg("%s", e.text);
}

/* | 64K, 6.5 million instructions | 0 | 3,490 | - | 29.3 | 0.03 | */
static void test_nesting_has_the_figures_of_nucleus_at_every_depth(void **state) {
    struct bytes image = {0};
    struct table t;
    uint32_t memory = 0;
    unsigned rows = 0;
    (void)state;
    assemble_nucleus(&image);
    open_table(&t, SOURCE_DIR "/docs/nesting.md", "| Storage | Depth | Bare interruptions |");
    for (; read_row(&t); rows++) {
        struct bench_run r;
        char what[64];
        double size = strtod(t.cell[0], NULL), instructions = 0;
        if (*t.cell[0]) {
            memory = (uint32_t)(strstr(t.cell[0], "M,") ? size * 1024 : size) * 1024;
            instructions = strtod(strchr(t.cell[0], ',') + 1, NULL);
        }
        unsigned depth = (unsigned)number(t.cell[1]);
        if (depth > deepest)
            continue;
        snprintf(what, sizeof what, "%u KB, depth %u", memory / 1024, depth);
        run(&image, memory, depth, NULL, &r);
        if (instructions && fabs((double)r.instructions / 1e6 - instructions) > 0.05)
            fail_msg("%s: %s: the page says %g million instructions, it is %llu", t.path, what, instructions,
                     (unsigned long long)r.instructions);
        check(&t, what, 2, (double)r.interruptions);
        if (depth > 0)
            check(&t, what, 3, (double)r.monitor[depth - 1].shadow_faults);
        check(&t, what, 4, (double)r.cycles / 1e6);
    }
    assert_int_equal(rows, 3 * 6);
    bytes_fini(&t.page);
    bytes_fini(&image);
}

/* | purge, 1 space | 37,700 | 4,610 | 34.2 | 599,000 | 4,610 | 136 | */
static void test_shadow_paging_has_the_figures_of_each_policy(void **state) {
    struct bytes image = {0};
    struct table t;
    unsigned rows = 0;
    (void)state;
    assemble_nucleus(&image);
    open_table(&t, SOURCE_DIR "/docs/shadow-paging.md", "| Policy, spaces | Depth 1: traps |");
    for (; read_row(&t); rows++) {
        struct monitor_options o = vmm_default_options();
        o.policy = strncmp(t.cell[0], "protect", 7) == 0 ? SHADOW_PROTECT : SHADOW_PURGE;
        o.spaces = (unsigned)strtoul(strchr(t.cell[0], ',') + 1, NULL, 10);
        for (unsigned depth = 1; depth <= 3 && depth <= deepest; depth += 2) {
            struct bench_run r;
            unsigned cell = depth == 1 ? 1 : 4;
            run(&image, 64 * 1024, depth, &o, &r);
            check(&t, t.cell[0], cell, (double)r.interruptions);
            check(&t, t.cell[0], cell + 1, (double)r.monitor[depth - 1].shadow_faults);
            check(&t, t.cell[0], cell + 2, (double)r.cycles / 1e6);
        }
    }
    assert_int_equal(rows, 6);
    bytes_fini(&t.page);
    bytes_fini(&image);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nesting_has_the_figures_of_nucleus_at_every_depth),
        cmocka_unit_test(test_shadow_paging_has_the_figures_of_each_policy),
    };
    if (argc == 3 && strcmp(argv[1], "--depth") == 0)
        deepest = (unsigned)strtoul(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
