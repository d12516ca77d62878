/* Explanations: every topic that there is, and every one that a pane emits, is explained. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/support/unit.h"
#include "ui/tui/explain.h"
#include "ui/tui/tui.h"

/* ---- The table ---- */

static void test_every_topic_is_explained_in_words(void **state) {
    size_t count = 0;
    (void)state;
    for (const char *topic; (topic = explain_topic(count)); count++) {
        struct sheet s = {0};
        if (!explain(&s, topic, 60))
            fail_msg("%s is not explained", topic);
        assert_true(sheet_lines(&s) >= 2);
        assert_true(strlen(topic) < TOPIC_BYTES);
        for (size_t n = 0; n < sheet_lines(&s); n++) {
            const struct line *line = sheet_line_at(&s, n);
            for (size_t i = 0; i < line->count; i++)
                assert_int_equal(sheet_span(&s, line->first + i)->topic, 0);
        }
        sheet_fini(&s);
    }
    assert_true(count > INSTRUCTION_COUNT + 100);
}

static void test_rows_have_one_topic_and_sources_that_there_are(void **state) {
    (void)state;
    for (const struct explain_text *t = explain_texts; t->topic; t++) {
        assert_true(*t->title && *t->text);
        for (const struct explain_text *u = t + 1; u->topic; u++)
            if (strcmp(t->topic, u->topic) == 0)
                fail_msg("%s has two rows", t->topic);
        if (strncmp(t->source, "docs/", 5) == 0) {
            char path[400];
            struct stat status;
            snprintf(path, sizeof path, "%s/%s", SOURCE_DIR, t->source);
            if (stat(path, &status) != 0)
                fail_msg("%s: there is no %s", t->topic, t->source);
        } else if (*t->source && (*t->source != '"' || t->source[strlen(t->source) - 1] != '"')) {
            fail_msg("%s: %s is neither a section nor a page", t->topic, t->source);
        }
    }
}

static void test_what_is_not_known_is_not_explained(void **state) {
    static const char *const unknown[] = {"",
                                          "psw:colour",
                                          "nothing",
                                          "instruction:",
                                          "instruction:XYZ",
                                          "program",
                                          "program:",
                                          "program:0099",
                                          "program:00020",
                                          "external:0041",
                                          "status:",
                                          "status:G",
                                          "status:1000000",
                                          ":",
                                          "cause:coffee"};
    (void)state;
    for (size_t n = 0; n < sizeof unknown / sizeof *unknown; n++) {
        struct sheet s = {0};
        bool any = explain(&s, unknown[n], 60);
        /* what has a general row is explained by that */
        if (any && strcmp(unknown[n], "psw:colour") != 0)
            fail_msg("\"%s\" is explained", unknown[n]);
        if (!any)
            assert_int_equal(sheet_lines(&s), 0);
        sheet_fini(&s);
    }
}

static bool has(const struct sheet *s, const char *text) {
    return memmem(s->text.data, s->text.length, text, strlen(text)) != NULL;
}

/* Against the Principles of Operation, by hand. */
static void test_explanations_say_what_the_manual_says(void **state) {
    static const struct {
        const char *topic, *says;
    } cases[] = {
        {"instruction:LPSW", "operation code 82"},
        {"instruction:LPSW", "control-sensitive; privileged"},
        {"instruction:AR", "3 overflow"},
        {"instruction:MVC", "condition code: unchanged"},
        {"instruction:clc", "2 first operand high"},
        {"instruction:RTU", "no monitor is told of it"},
        {"program:0082", "privileged-operation exception"},
        {"program:2", "privileged-operation exception"},
        {"program:0011", "Nullified"},
        {"external:1005", "CPU timer"},
        {"status:0E40", "unit check"},
        {"status:0E40", "incorrect length"},
        {"psw:problem:on", "bit 15"},
        {"register:12", "general register"},
        {"svc:0001", "SVC number"},
    };
    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct sheet s = {0};
        assert_true(explain(&s, cases[n].topic, 200));
        if (!has(&s, cases[n].says))
            fail_msg("%s does not say \"%s\"", cases[n].topic, cases[n].says);
        sheet_fini(&s);
    }
    struct sheet s = {0};
    assert_true(explain(&s, "status:0C00", 200));
    assert_true(has(&s, "channel end") && has(&s, "device end") && !has(&s, "unit check"));
    sheet_fini(&s);
    assert_string_equal(explain_program_code(0x91), "page-translation exception");
    assert_string_equal(explain_program_code(0x99), "");
    assert_string_equal(explain_external_code(0x1004), "clock comparator");
}

/* ---- Panes ---- */

static const struct pane_kind *const kinds[PANES] = {
    &pane_code,    &pane_state, &pane_nest,    &pane_trap, &pane_walk,        &pane_storage,  &pane_timeline,
    &pane_invoice, &pane_map,   &pane_console, &pane_tlb,  &pane_breakpoints, &pane_scenario,
};

struct viewer {
    struct tui tui;
    unsigned held, topics, drawn[PANES];
};

static void check_sheet(struct viewer *v, const struct pane *p) {
    for (size_t n = 0; n < sheet_lines(&p->sheet); n++) {
        const char *topic;
        for (unsigned i = 0; (topic = sheet_topic_at(&p->sheet, n, i)); i++) {
            struct sheet s = {0};
            if (!explain(&s, topic, 60))
                fail_msg("%s: the pane %s has the topic %s, which is not explained", v->tui.name, p->kind->name, topic);
            v->topics++;
            sheet_fini(&s);
        }
        const struct line *line = sheet_line_at(&p->sheet, n);
        for (size_t i = 0; p->sheet.ascii && i < line->count; i++) {
            const struct span *span = sheet_span(&p->sheet, line->first + i);
            for (size_t k = 0; k < span->length; k++)
                if (p->sheet.text.data[span->text + k] & 0x80)
                    fail_msg("%s: the pane %s is not ASCII only", v->tui.name, p->kind->name);
        }
    }
}

static void look_at_all(struct viewer *v) {
    static const int sizes[][2] = {{36, 9}, {58, 14}, {78, 40}};
    for (unsigned size = 0; size < 3; size++)
        for (int n = 0; n < PANES; n++) {
            struct pane *p = &v->tui.panes[n];
            p->width = sizes[size][0];
            p->height = sizes[size][1];
            v->tui.ascii = size == 1;
            tui_draw_pane(&v->tui, p);
            check_sheet(v, p);
            v->drawn[n] += sheet_lines(&p->sheet) > 0;
        }
}

static void view(void *self) {
    struct viewer *v = self;
    struct session *s = v->tui.session;
    struct machine *m;
    v->held++;
    for (unsigned n = 0; n < 12; n++) {
        if (n % 4 == 3)
            session_level(s);
        else if (n % 3 == 2)
            session_trap(s);
        else
            session_step(s, n * n);
        if (n == 6 && (m = session_tree(s, n % 3)))
            session_choose(s, m);
        if (n == 9)
            session_back(s, 2);
        look_at_all(v);
    }
    session_continue(s);
    look_at_all(v);
    session_resume(s, v->held > 6);
}

static void look_at_scenario(const char *path, const char *name) {
    struct viewer *v = calloc(1, sizeof *v);
    struct error e = ERROR_CLEAR;
    assert_non_null(v);
    v->tui.name = name;
    v->tui.focus = -1;
    v->tui.theme = theme_at(0);
    for (int n = 0; n < PANES; n++)
        v->tui.panes[n] = (struct pane){.kind = kinds[n], .cursor = -1, .number = -1};
    const struct session_options options = {
        .path = path, .library = SOURCE_DIR "/scenarios", .interact = view, .self = v};
    v->tui.session = session_new(&options, &e);
    assert_non_null(v->tui.session);
    if (!session_run(v->tui.session, &e))
        fail_msg("%s: %s", name, e.text);
    assert_true(v->held > 0 && v->topics > 1000);
    for (int n = 0; n < PANES; n++) {
        if (v->drawn[n] == 0)
            fail_msg("%s: the pane %s has shown nothing", name, kinds[n]->name);
        sheet_fini(&v->tui.panes[n].sheet);
        free(v->tui.panes[n].own);
    }
    session_free(v->tui.session);
    free(v);
}

static void test_every_topic_of_every_pane_is_explained(void **state) {
    static const char *const scenarios[] = {"labs/first-trap.lua", "labs/first-walk.lua", "first.lua", "cpus.lua",
                                            "classes.lua"};
    (void)state;
    for (size_t n = 0; n < sizeof scenarios / sizeof *scenarios; n++) {
        char path[400];
        snprintf(path, sizeof path, "%s/scenarios/%s", SOURCE_DIR, scenarios[n]);
        look_at_scenario(path, scenarios[n]);
    }
}

/* A nest with a hypervisor in assembler, monitors of both kinds, and several guests. */
static const char nest[] = "local host = machine.new{ memory = '4M', name = 'host' }\n"
                           "local v = vmm.new{ on = host, kind = 'hybrid' }\n"
                           "local a = v:guest{ memory = '1M', name = 'a' }\n"
                           "local b = v:guest{ memory = '64K', name = 'b' }\n"
                           "local w = vmm.new{ on = a }\n"
                           "local c = w:guest{ memory = '64K', name = 'c' }\n"
                           "for _, m in ipairs{ b, c } do m:load(assemble.file('guests/walk.s')) m:restart() end\n"
                           "b.console:type('HELLO')\n"
                           "lab{ title = 'T', text = '# H\\ntext\\n\\n kept', step = 'trap', hide = { 'map' },\n"
                           "  checks = { 'open' }, steps = { { name = 'n', text = 't', check = function() end } } }\n"
                           "c:run{ instructions = 2000 }\n"
                           "check('holds', 1, function() end) expect(1).equals(2)\n";

static void test_the_same_in_a_nest(void **state) {
    char path[] = "/tmp/cloud370-explain-XXXXXX.lua";
    (void)state;
    int file = mkstemps(path, 4);
    assert_true(file >= 0);
    FILE *f = fdopen(file, "w");
    fputs(nest, f);
    fclose(f);
    look_at_scenario(path, "nest");
    remove(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_topic_is_explained_in_words),
        cmocka_unit_test(test_rows_have_one_topic_and_sources_that_there_are),
        cmocka_unit_test(test_what_is_not_known_is_not_explained),
        cmocka_unit_test(test_explanations_say_what_the_manual_says),
        cmocka_unit_test(test_every_topic_of_every_pane_is_explained),
        cmocka_unit_test(test_the_same_in_a_nest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
