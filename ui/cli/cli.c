/* The command line's frame: finding the command, reading options by the tables, help, errors. */
#include "ui/cli/cli.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scenarios/engine/units.h"

/* Understood before and after the command's name. */
static const struct cli_option root_options[] = {
    {"help", 'h', NULL, true, "print this help"},
    {"version", 'V', NULL, true, "print the version"},
    {"json", 0, NULL, true, "print results as JSON"},
    {"color", 0, "WHEN", false, "auto, always or never; auto minds NO_COLOR"},
    {NULL, 0, NULL, false, NULL},
};

static const struct cli_option no_options[] = {{NULL, 0, NULL, false, NULL}};

/* --- errors ------------------------------------------------------------------------------------------------------- */

int cli_fail(const struct cli *cli, const struct error *e) {
    fputs("cloud370: ", cli->err);
    for (const unsigned char *c = (const unsigned char *)e->text; *c; c++) {
        fputc(*c < 0x20 || *c == 0x7F ? '?' : *c, cli->err);
    }
    fputc('\n', cli->err);
    return e->kind ? (int)e->kind : (int)ERROR_INTERNAL;
}

int cli_refuse(const struct cli *cli, const char *format, ...) {
    struct error e = {.kind = ERROR_INPUT};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(e.text, sizeof e.text, format, arguments);
    va_end(arguments);
    return cli_fail(cli, &e);
}

/* Edit distance, transpositions as one; capped by the sizes here. */
static unsigned distance(const char *a, const char *b) {
    enum { LONGEST = 24 };
    size_t n = strlen(a), m = strlen(b);
    unsigned row[3][LONGEST + 1];
    if (n > LONGEST || m > LONGEST) {
        return UINT_MAX;
    }
    for (size_t j = 0; j <= m; j++) {
        row[0][j] = (unsigned)j;
    }
    for (size_t i = 1; i <= n; i++) {
        unsigned *now = row[i % 3], *before = row[(i + 2) % 3], *earlier = row[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned best = before[j - 1] + (a[i - 1] != b[j - 1]);
            if (before[j] + 1 < best) {
                best = before[j] + 1;
            }
            if (now[j - 1] + 1 < best) {
                best = now[j - 1] + 1;
            }
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && earlier[j - 2] + 1 < best) {
                best = earlier[j - 2] + 1;
            }
            now[j] = best;
        }
    }
    return row[n % 3][m];
}

const char *cli_nearest(const char *typed, const char *(*next)(const void *table, unsigned i), const void *table) {
    const char *nearest = NULL, *name;
    size_t length = strlen(typed);
    unsigned best = length <= 3 ? 2 : 3; /* must be less than this */
    for (unsigned i = 0; (name = next(table, i)); i++) {
        unsigned d = distance(typed, name);
        if (d < best) {
            best = d;
            nearest = name;
        }
    }
    return nearest;
}

/* --- values ------------------------------------------------------------------------------------------------------- */

bool cli_read_hex(const struct cli *cli, const char *what, const char *text, uint32_t most, uint32_t *to) {
    if (units_hex(text, most, to)) {
        return true;
    }
    cli_refuse(cli, "%s is %s; it takes hexadecimal digits, 0 to %X", what, *text ? text : "empty", most);
    return false;
}

bool cli_read_decimal(const struct cli *cli, const char *what, const char *text, uint64_t most, uint64_t *to) {
    if (units_decimal(text, most, to)) {
        return true;
    }
    cli_refuse(cli, "%s is %s; it takes a decimal number, 0 to %llu", what, *text ? text : "empty",
               (unsigned long long)most);
    return false;
}

bool cli_read_size(const struct cli *cli, const char *what, const char *text, uint64_t least, uint64_t most,
                   uint64_t *to) {
    uint64_t value;
    if (units_size(text, most, &value) && value >= least) {
        *to = value;
        return true;
    }
    char low[24], high[24];
    units_size_text(low, least);
    units_size_text(high, most);
    cli_refuse(cli, "%s is %s; it takes a size such as 64K or 2M, from %s to %s", what, *text ? text : "empty", low,
               high);
    return false;
}

bool cli_read_profile(const struct cli *cli, enum profile *to) {
    const char *text = cli_value(cli, "profile");
    if (!text || profile_find(text, to)) {
        return true;
    }
    cli_refuse(cli, "--profile is %s; it takes the name of an instruction set: s370 or flawed", *text ? text : "empty");
    return false;
}

bool cli_print_json(const struct cli *cli, json_t *value) {
    bool made = value && (json_dumpf(value, cli->out, JSON_COMPACT | JSON_ENSURE_ASCII) == 0 || ferror(cli->out));
    json_decref(value);
    if (!made) {
        cli_fail(cli, &(struct error){ERROR_INTERNAL, "cannot make the JSON text: out of memory"});
        return false;
    }
    fputc('\n', cli->out);
    return true;
}

json_t *cli_json_text(const char *text) {
    json_t *value = text ? json_string(text) : json_null();
    if (value) {
        return value;
    }
    char *copy = strdup(text);
    for (char *c = copy; copy && *c; c++) {
        *c = (char)((unsigned char)*c < 0x80 ? *c : '?');
    }
    value = copy ? json_string(copy) : NULL;
    free(copy);
    return value;
}

/* --- options ------------------------------------------------------------------------------------------------------ */

const char *cli_value(const struct cli *cli, const char *option) {
    unsigned at = 0;
    return cli_next_value(cli, option, &at);
}

const char *cli_next_value(const struct cli *cli, const char *option, unsigned *at) {
    while (*at < cli->given_count) {
        const struct cli_given *g = &cli->given[(*at)++];
        if (!strcmp(g->option->name, option)) {
            return g->value ? g->value : g->option->name;
        }
    }
    return NULL;
}

static const struct cli_option *find_in(const struct cli_option *table, const char *name, size_t length, char letter) {
    for (; table->name; table++) {
        if (letter ? table->letter == letter : strlen(table->name) == length && !memcmp(table->name, name, length)) {
            return table;
        }
    }
    return NULL;
}

static const struct cli_option *own_options(const struct cli *cli) {
    return cli->command && cli->command->options ? cli->command->options : no_options;
}

/* Name i of the command's options, then of the root's. */
static const char *option_name(const void *table, unsigned i) {
    const struct cli_option *o = own_options(table);
    for (; o->name; o++) {
        if (i-- == 0) {
            return o->name;
        }
    }
    return i < sizeof root_options / sizeof *root_options ? root_options[i].name : NULL;
}

static const char launcher_command[] = "test"; /* not ours, but users know it as one of the commands */

/* Name i of all commands; NULL past the last. */
static const char *command_name(const void *table, unsigned i) {
    unsigned count = 0;
    (void)table;
    while (cli_commands[count]) {
        count++;
    }
    return i < count ? cli_commands[i]->name : i == count ? launcher_command : NULL;
}

/* "exec: " where a command is known, for messages. */
static const char *prefix(const struct cli *cli) { return cli->command ? cli->command->name : ""; }
static const char *colon(const struct cli *cli) { return cli->command ? ": " : ""; }

static bool refuse_option(const struct cli *cli, const char *argument) {
    char name[32];
    const char *typed = argument;
    while (*typed == '-') {
        typed++;
    }
    snprintf(name, sizeof name, "%.*s", (int)strcspn(typed, "="), typed);
    const char *near = argument[1] == '-' ? cli_nearest(name, option_name, cli) : NULL;
    if (near) {
        cli_refuse(cli, "%s%sunknown option %s; did you mean --%s?", prefix(cli), colon(cli), argument, near);
    } else {
        cli_refuse(cli, "%s%sunknown option %s; cloud370 %s%s--help lists those there are", prefix(cli), colon(cli),
                   argument, prefix(cli), cli->command ? " " : "");
    }
    return false;
}

/* Reads the option at argv[*i]; moves *i to its last word. */
static bool take_option(struct cli *cli, int argc, char **argv, int *i) {
    const char *argument = argv[*i], *value = NULL;
    bool is_long = argument[1] == '-';
    const char *name = argument + (is_long ? 2 : 1);
    size_t length = is_long ? strcspn(name, "=") : 1;
    char letter = is_long ? '\0' : *name;
    const struct cli_option *option = find_in(own_options(cli), name, length, letter);
    if (!option) {
        option = find_in(root_options, name, length, letter);
    }
    if (!option) {
        return refuse_option(cli, argument);
    }
    if (name[length]) {
        value = name + length + is_long; /* --name=value, -oVALUE */
    }
    if (!option->argument && value) {
        cli_refuse(cli, "%s%soption --%s takes no value", prefix(cli), colon(cli), option->name);
        return false;
    }
    if (option->argument && !value) {
        if (*i + 1 >= argc) {
            cli_refuse(cli, "%s%soption --%s needs a value: %s", prefix(cli), colon(cli), option->name,
                       option->argument);
            return false;
        }
        value = argv[++*i];
    }
    if (!option->many && cli_value(cli, option->name)) {
        cli_refuse(cli, "%s%soption --%s is given twice", prefix(cli), colon(cli), option->name);
        return false;
    }
    cli->given[cli->given_count++] = (struct cli_given){option, value};
    return true;
}

static bool find_command(struct cli *cli, const char *name) {
    for (unsigned i = 0; cli_commands[i]; i++) {
        if (!strcmp(cli_commands[i]->name, name)) {
            cli->command = cli_commands[i];
            return true;
        }
    }
    if (!strcmp(name, launcher_command)) {
        cli_refuse(cli, "test is a command of the launcher: ./cloud370 test, in the source tree");
        return false;
    }
    char list[256] = "";
    const char *known;
    for (unsigned i = 0; (known = command_name(NULL, i)); i++) {
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", known);
    }
    const char *near = cli_nearest(name, command_name, NULL);
    cli_refuse(cli, "unknown command %s; %s%s%sthere are: %s", name, near ? "did you mean " : "", near ? near : "",
               near ? "? " : "", list);
    return false;
}

static bool parse(struct cli *cli, int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        const char *argument = argv[i];
        if (!strcmp(argument, "--")) {
            if (!cli->command || cli->command->rest) {
                cli->rest = (const char *const *)(argv + i + 1);
                cli->rest_count = (unsigned)(argc - i - 1);
                return true;
            }
            while (++i < argc) {
                cli->operands[cli->operand_count++] = argv[i];
            }
        } else if (argument[0] == '-' && argument[1]) {
            if (!take_option(cli, argc, argv, &i)) {
                return false;
            }
        } else if (!cli->command) {
            if (!find_command(cli, argument)) {
                return false;
            }
        } else {
            cli->operands[cli->operand_count++] = argument;
        }
    }
    return true;
}

static bool want_color(const struct cli *cli) {
    const char *when = cli_value(cli, "color"), *none = getenv("NO_COLOR"), *terminal = getenv("TERM");
    if (when && !strcmp(when, "always")) {
        return true;
    }
    if (when && !strcmp(when, "never")) {
        return false;
    }
    return !(none && *none) && terminal && strcmp(terminal, "dumb") && isatty(fileno(cli->out));
}

/* --- help --------------------------------------------------------------------------------------------------------- */

static void print_options(const struct cli *cli, const struct cli_option *o) {
    for (; o->name; o++) {
        char left[48], letter[8] = "    ";
        if (o->letter) {
            snprintf(letter, sizeof letter, "-%c, ", o->letter);
        }
        snprintf(left, sizeof left, "%s--%s%s%s", letter, o->name, o->argument ? " " : "",
                 o->argument ? o->argument : "");
        const char *text = o->help;
        fprintf(cli->out, strlen(left) > 30 ? "  %s\n%34s" : "  %-30s  ", left, "");
        for (size_t n; (n = strcspn(text, "\n")), text[n]; text += n + 1) {
            fprintf(cli->out, "%.*s\n%34s", (int)n, text, "");
        }
        fprintf(cli->out, "%s\n", text);
    }
}

static int print_command_help(const struct cli *cli) {
    const struct cli_command *c = cli->command;
    fprintf(cli->out, "usage: cloud370 %s %s\n\n%s\n", c->name, c->usage, c->summary);
    if (c->details) {
        fprintf(cli->out, "\n%s", c->details);
    }
    fputs("\noptions:\n", cli->out);
    print_options(cli, own_options(cli));
    print_options(cli, root_options);
    return 0;
}

static int print_help(const struct cli *cli) {
    fputs("usage: cloud370 COMMAND [OPTION]... [OPERAND]...\n\n"
          "A teaching simulator of S/370 machines and the monitors that virtualize them.\n\ncommands:\n",
          cli->out);
    for (unsigned i = 0; cli_commands[i]; i++) {
        fprintf(cli->out, "  %-8s  %s\n", cli_commands[i]->name, cli_commands[i]->summary);
    }
    fputs("  test      build and run the tests (launcher ./cloud370 in the source tree only)\n\noptions:\n", cli->out);
    print_options(cli, root_options);
    fputs("\ncloud370 COMMAND --help (or: cloud370 help COMMAND) tells more about one of them.\n"
          "exit status: 0 done, 1 an expectation failed, 2 bad usage or input,\n"
          "             3 a budget was reached, 70 our own fault or the host's\n",
          cli->out);
    return 0;
}

static int print_version(const struct cli *cli) {
    if (cli->json) {
        return cli_print_json(cli, json_pack("{s:s}", "version", CLOUD370_VERSION)) ? 0 : ERROR_INTERNAL;
    }
    fprintf(cli->out, "cloud370 %s\n", CLOUD370_VERSION);
    return 0;
}

static int run_help(struct cli *cli) {
    if (cli->operand_count == 0) {
        return print_help(cli);
    }
    if (!find_command(cli, cli->operands[0])) {
        return ERROR_INPUT;
    }
    return print_command_help(cli);
}

const struct cli_command cli_help = {
    .name = "help", .summary = "explain a command", .usage = "[COMMAND]", .most = 1, .run = run_help};

/* --- Ctrl-C ------------------------------------------------------------------------------------------------------- */

/* A signal handler can reach nothing but a global: the only one of the program. */
static volatile sig_atomic_t interrupt_seen;

static void note_interrupt(int number) {
    (void)number;
    interrupt_seen = 1;
}

void cli_catch_interrupt(void) {
    struct sigaction action = {.sa_handler = note_interrupt, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    interrupt_seen = 0;
    sigaction(SIGINT, &action, NULL);
}

bool cli_interrupted(void *self) {
    (void)self;
    return interrupt_seen;
}

/* --- the product's scenarios -------------------------------------------------------------------------------------- */

bool cli_scenarios(char *to, size_t size) {
    static const char *const places[] = {"../share/cloud370/scenarios", "../../scenarios", "../../../scenarios"};
    char self[PATH_MAX], path[PATH_MAX + 64], real[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0) {
        return false;
    }
    self[length] = '\0';
    *strrchr(self, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct stat status;
        snprintf(path, sizeof path, "%s/%s/guests", self, places[i]);
        if (stat(path, &status) || !S_ISDIR(status.st_mode)) {
            continue;
        }
        *strrchr(path, '/') = '\0';
        if (realpath(path, real) && strlen(real) < size) {
            strcpy(to, real);
            return true;
        }
    }
    return false;
}

/* --- main --------------------------------------------------------------------------------------------------------- */

static int run_command(struct cli *cli) {
    const struct cli_command *c = cli->command;
    const char *when = cli_value(cli, "color");
    if (when && strcmp(when, "auto") && strcmp(when, "always") && strcmp(when, "never")) {
        return cli_refuse(cli, "--color is %s; it takes auto, always or never", when);
    }
    cli->json = cli_value(cli, "json") != NULL;
    cli->color = want_color(cli);
    if (cli_value(cli, "help")) {
        return c ? print_command_help(cli) : print_help(cli);
    }
    if (cli_value(cli, "version")) {
        return print_version(cli);
    }
    if (!c) {
        return cli_refuse(cli, "no command is given; cloud370 --help lists those there are");
    }
    if (cli->operand_count < c->least) {
        return cli_refuse(cli, "%s: something is missing; usage: cloud370 %s %s", c->name, c->name, c->usage);
    }
    if (cli->operand_count > c->most) {
        return cli_refuse(cli, "%s: %s is one too many; usage: cloud370 %s %s", c->name, cli->operands[c->most],
                          c->name, c->usage);
    }
    return c->run(cli);
}

int cli_main(int argc, char **argv, FILE *out, FILE *err) {
    struct cli cli = {.program = argc > 0 ? argv[0] : "cloud370", .out = out, .err = err};
    size_t room = argc > 0 ? (size_t)argc : 1;
    int status = ERROR_INPUT;
    cli.operands = calloc(room, sizeof *cli.operands);
    cli.given = calloc(room, sizeof *cli.given);
    if (!cli.operands || !cli.given) {
        status = cli_fail(&cli, &(struct error){ERROR_INTERNAL, "out of memory"});
    } else if (parse(&cli, argc, argv)) {
        status = run_command(&cli);
    }
    free(cli.operands);
    free(cli.given);
    errno = 0;
    if ((fflush(out) || ferror(out)) && status != ERROR_INTERNAL) {
        struct error e = {.kind = ERROR_INPUT};
        snprintf(e.text, sizeof e.text, "cannot write standard output: %s", strerror(errno ? errno : EIO));
        status = cli_fail(&cli, &e);
    }
    return status;
}

const char *cli_find_scenario(const char *path, const char *library, char *place, size_t size) {
    if (library && *path != '/' && access(path, F_OK) && (size_t)snprintf(place, size, "%s/%s", library, path) < size &&
        !access(place, F_OK)) {
        return place;
    }
    return path;
}
