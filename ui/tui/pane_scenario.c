/* Scenario: its lab, where it has one; its checks; what it has printed. */
#include <string.h>

#include "ui/tui/tui.h"

enum { ROOMY = 14 }; /* lines: in fewer, steps that are done become one */

/* ---- The lab ---- */

/* A text in paragraphs: a line that begins with '#' is a heading, one that begins with a space stays as it is, others
 * are joined up to an empty line and wrapped. */
static void write_prose(struct sheet *s, enum style style, unsigned width, const char *text) {
    struct bytes paragraph = {0};
    while (*text) {
        size_t length = strcspn(text, "\n");
        bool heading = *text == '#', kept = *text == ' ', empty = length == 0;
        if ((heading || kept || empty) && paragraph.length) {
            sheet_wrapped(s, style, width, 0, (const char *)paragraph.data);
            paragraph.length = 0;
        }
        if (heading || kept || empty) {
            sheet_line(s);
            size_t skip = heading ? 1 + strspn(text + 1, " ") : 0;
            sheet_text(s, heading ? STYLE_STRONG : style, text + skip, length - (skip < length ? skip : length));
        } else {
            bytes_printf(&paragraph, "%s%.*s", paragraph.length ? " " : "", (int)length, text);
        }
        text += length + (text[length] == '\n');
    }
    if (paragraph.length && !paragraph.failed)
        sheet_wrapped(s, style, width, 0, (const char *)paragraph.data);
    bytes_fini(&paragraph);
}

static void write_step(const struct engine_lab *lab, size_t n, unsigned width, struct sheet *s) {
    const struct engine_lab_step *step = &lab->steps[n];
    bool next = n == lab->done_count;
    sheet_line(s);
    if (next && n > 0)
        sheet_focus(s);
    sheet_print(s,
                step->done ? STYLE_GOOD
                : next     ? STYLE_NEXT
                           : STYLE_DIM,
                "%s",
                sheet_sign(s, step->done ? SIGN_GOOD
                              : next     ? SIGN_NEXT
                                         : SIGN_OPEN));
    sheet_print(s,
                step->done ? STYLE_GOOD
                : next     ? STYLE_STRONG
                           : STYLE_DIM,
                " %zu. %s%s", n + 1, step->name, step->done ? ": done" : "");
    if (next || step->done) /* what is done can be read again */
        write_prose(s, next ? STYLE_TEXT : STYLE_DIM, width, step->text);
    if (!next)
        return;
    if (step->message && *step->message) {
        sheet_line(s);
        sheet_print(s, STYLE_DIM, "not yet: %s", step->message);
    }
}

static void write_lab(const struct engine_lab *lab, unsigned width, int height, struct sheet *s) {
    sheet_line(s);
    sheet_print(s, STYLE_STRONG, "%s", lab->title);
    if (lab->step_count)
        sheet_print(s, STYLE_DIM, "  %zu of %zu done", lab->done_count, lab->step_count);
    if (lab->done_count == 0)
        sheet_focus(s);
    write_prose(s, STYLE_TEXT, width, lab->text);
    if (lab->step_count)
        sheet_line(s);
    size_t first = height < ROOMY && lab->done_count > 1 ? lab->done_count - (lab->done_count == lab->step_count) : 0;
    if (first) {
        sheet_line(s);
        sheet_print(s, STYLE_GOOD, "%s 1. to %zu. done", sheet_sign(s, SIGN_GOOD), first);
    }
    for (size_t n = first; n < lab->step_count; n++)
        write_step(lab, n, width, s);
    if (lab->step_count && lab->done_count == lab->step_count) {
        sheet_line(s);
        sheet_focus(s);
        sheet_print(s, STYLE_GOOD, "%s all done", sheet_sign(s, SIGN_GOOD));
        write_prose(s, STYLE_TEXT, width, lab->ending);
    }
    if (lab->granularity != LAB_INSTRUCTIONS) {
        sheet_line(s);
        sheet_print(s, STYLE_WARNING, "locked: %s",
                    lab->granularity == LAB_TRAPS ? "from trap to trap only" : "whole runs only");
    }
}

/* ---- Checks ---- */

static void write_check(const struct engine_check *check, struct sheet *s) {
    sheet_line(s);
    sheet_print(s, check->passed ? STYLE_GOOD : STYLE_BAD, "%s %s", sheet_sign(s, check->passed ? SIGN_GOOD : SIGN_BAD),
                check->passed ? "holds" : "fails");
    sheet_print(s, STYLE_TEXT, " %s", check->name);
    if (check->most > 0)
        sheet_print(s, STYLE_DIM, " (%.10g of %.10g)", check->points, check->most);
    if (*check->message) {
        sheet_line(s);
        sheet_print(s, STYLE_DIM, "  %s", check->message);
    }
}

static bool is_known(const struct engine_results *results, const char *name) {
    for (size_t n = 0; n < results->check_count; n++)
        if (strcmp(results->checks[n].name, name) == 0)
            return true;
    return false;
}

static void write_checks(const struct engine_results *results, const struct engine_lab *lab, struct sheet *s) {
    size_t open = 0;
    for (size_t n = 0; lab && n < lab->check_count; n++)
        open += !is_known(results, lab->checks[n]);
    if (results->check_count + open == 0)
        return;
    sheet_line(s);
    sheet_line(s);
    sheet_print(s, STYLE_STRONG, "checks");
    sheet_print(s, STYLE_DIM, "  %zu hold, %zu fail", results->check_count - results->failed_count,
                results->failed_count);
    if (open)
        sheet_print(s, STYLE_DIM, ", %zu open", open);
    for (size_t n = 0; n < results->check_count; n++)
        write_check(&results->checks[n], s);
    for (size_t n = 0; lab && n < lab->check_count; n++) {
        if (is_known(results, lab->checks[n]))
            continue;
        sheet_line(s);
        sheet_print(s, STYLE_DIM, "%s open  %s", sheet_sign(s, SIGN_OPEN), lab->checks[n]);
    }
}

/* ---- Output ---- */

static void write_output(const struct bytes *output, struct sheet *s) {
    const char *text = (const char *)output->data;
    size_t length = output->length;
    while (length) {
        const char *end = memchr(text, '\n', length);
        size_t line = end ? (size_t)(end - text) : length;
        sheet_line(s);
        sheet_text(s, STYLE_TEXT, text, line);
        line += end != NULL;
        text += line;
        length -= line;
    }
}

static void draw(struct tui *t, struct pane *p, struct sheet *s) {
    const struct engine *engine = session_engine(t->session);
    const struct engine_lab *lab = engine_lab(engine);
    const struct bytes *output = session_output(t->session);
    unsigned width = p->width > 10 ? (unsigned)p->width - 1 : 10;
    struct engine_results results;
    engine_results(engine, &results);
    if (lab) {
        write_lab(lab, width, p->height, s);
        write_checks(&results, lab, s);
        if (output->length) {
            sheet_line(s);
            sheet_line(s);
            sheet_print(s, STYLE_STRONG, "printed");
        }
        write_output(output, s);
        return;
    }
    write_output(output, s);
    write_checks(&results, lab, s);
    if (!output->length && !results.check_count)
        sheet_print(s, STYLE_DIM, "the scenario has printed nothing yet");
    if (sheet_lines(s)) /* the newest */
        sheet_focus(s);
}

const struct pane_kind pane_scenario = {
    .name = "scenario",
    .title = "scenario",
    .key = 'i',
    .help =
        "What the scenario has printed, and its checks. A lab's text stands above: what to do next is marked, what is "
        "done has a tick; steps are looked at after each command.",
    .text = true,
    .draw = draw,
};
