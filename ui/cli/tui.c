/* tui: a scenario in the terminal UI, or as plain lines. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ui/cli/cli.h"
#include "ui/tui/terminal.h"
#include "ui/tui/tui.h"

/* A screen of a size, of which nobody sees anything but the pictures that are taken of it. */
struct blind {
    int width, height;
};
static void blind_size(void *self, int *width, int *height) {
    const struct blind *b = self;
    *width = b->width;
    *height = b->height;
}
static void blind_show(void *self, const struct canvas *c, const struct theme *theme, int x, int y) {
    (void)self, (void)c, (void)theme, (void)x, (void)y;
}
static struct key blind_key(void *self) {
    (void)self;
    return (struct key){.kind = PRESSED_CLOSED};
}
static bool blind_stop(void *self) {
    (void)self;
    return false;
}
static void blind_theme(void *self, const struct theme *theme) { (void)self, (void)theme; }

static bool read_size(const struct cli *cli, const char *text, struct blind *to) {
    char *end;
    long width = strtol(text, &end, 10), height = *end == 'x' ? strtol(end + 1, &end, 10) : 0;
    to->width = (int)width;
    to->height = (int)height;
    if (!*end && width >= 20 && width <= 500 && height >= 5 && height <= 200)
        return true;
    cli_refuse(cli, "--size: \"%s\" is no size such as 120x40 (20x5 to 500x200)", text);
    return false;
}

static FILE *open_file(const struct cli *cli, const char *option, const char *mode) {
    const char *path = cli_value(cli, option);
    FILE *f = fopen(path, mode);
    if (!f)
        cli_refuse(cli, "--%s: %s: %m", option, path);
    return f;
}

static int run_ui(struct cli *cli, struct tui_options *o, const struct blind *size, bool plain) {
    struct error e = ERROR_CLEAR;
    struct screen screen;
    if (size->width) {
        screen = (struct screen){blind_size, blind_show, blind_key, blind_stop, blind_theme, (void *)size};
        o->screen = &screen;
    } else if (!plain) {
        if (!terminal_open(&screen, o->theme, &e))
            return cli_fail(cli, &e);
        o->screen = &screen;
    }
    int status = tui_run(o, &e);
    if (o->screen && !size->width)
        terminal_close(&screen);
    if (e.kind)
        cli_fail(cli, &e);
    return status;
}

static int run_tui(struct cli *cli) {
    char library[4096], place[4200];
    const char *seed = cli_value(cli, "seed"), *theme = cli_value(cli, "theme"), *term = getenv("TERM");
    struct session_options session = {.arguments = cli->rest, .argument_count = cli->rest_count};
    struct tui_options o = {.session = &session, .out = cli->out, .in = stdin, .theme = theme_at(0)};
    struct blind size = {0, 0};
    if (seed && !cli_read_decimal(cli, "--seed", seed, INT64_MAX, &session.seed))
        return ERROR_INPUT;
    if (theme && !(o.theme = theme_find(theme)))
        return cli_refuse(cli, "--theme: \"%s\" is none of dark, light, contrast, blue-yellow, mono", theme);
    if (cli_value(cli, "size") && !read_size(cli, cli_value(cli, "size"), &size))
        return ERROR_INPUT;
    bool plain = cli_value(cli, "plain") || (!size.width && term && strcmp(term, "dumb") == 0);
    if (!theme && !cli->color && !plain && !size.width)
        o.theme = theme_find("mono");
    o.ascii = cli_value(cli, "ascii") || (!size.width && !terminal_utf8());
    session.library = cli_scenarios(library, sizeof library) ? library : NULL;
    session.path = cli_find_scenario(cli->operands[0], session.library, place, sizeof place);
    if (access(session.path, R_OK))
        return cli_refuse(cli, "%s: %m", session.path);
    if (cli_value(cli, "replay") && !(o.replay = open_file(cli, "replay", "r")))
        return ERROR_INPUT;
    if (cli_value(cli, "record") && !(o.record = open_file(cli, "record", "w"))) {
        if (o.replay)
            fclose(o.replay);
        return ERROR_INPUT;
    }
    int status = run_ui(cli, &o, &size, plain);
    if (o.record)
        fclose(o.record);
    return status;
}

static const struct cli_option options[] = {
    {"plain", 0, NULL, false, "lines instead of a screen"},
    {"theme", 0, "NAME", false, "dark, light, contrast, blue-yellow, mono"},
    {"ascii", 0, NULL, false, "no characters but ASCII"},
    {"replay", 0, "FILE", false, "execute the commands of a file first"},
    {"record", 0, "FILE", false, "write every command to a file"},
    {"size", 0, "WxH", false, "a screen that nobody sees, for pictures"},
    {"seed", 0, "N", false, "the seed of all random streams (default 0)"},
    {NULL, 0, NULL, false, NULL},
};

const struct cli_command cli_tui = {
    .name = "tui",
    .summary = "run a Lua scenario in the terminal UI",
    .usage = "FILE.lua [OPTION]... [-- ARGS]",
    .details = "Where the scenario runs a machine, you take over: s steps, r steps back, t goes\n"
               "to the next trap, c continues, ? lists all keys. --plain is for screen readers,\n"
               "and terminals that can do no more. Exit status: 0, 1 an expectation or a\n"
               "replayed command failed, 2 an error in the scenario, or no terminal.\n",
    .options = options,
    .least = 1,
    .most = 1,
    .rest = true,
    .run = run_tui,
};
