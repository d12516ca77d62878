/* doctor: what this program was built with and what it finds around it. The launcher ./cloud370 prints the packages
 * before, and hands its list over in CLOUD370_PACKAGES for the JSON form. */
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lua.h>

#include "base/archive.h"
#include "ui/cli/cli.h"

/* Programs that only tests and benchmarks use. */
static const struct {
    const char *name, *purpose;
} tools[] = {
    {"hercules", "the CPU's oracle, and the peer of bench cpu"},
    {"s390x-linux-gnu-as", "the assembler's oracle"},
    {"clang", "the second compiler, and the fuzzers"},
};
enum { TOOLS = sizeof tools / sizeof *tools };

/* Finds an executable on PATH. */
static bool find_program(const char *name, char *to, size_t size) {
    const char *path = getenv("PATH");
    while (path && *path) {
        size_t length = strcspn(path, ":");
        struct stat status;
        if (length && (size_t)snprintf(to, size, "%.*s/%s", (int)length, path, name) < size && !access(to, X_OK) &&
            !stat(to, &status) && S_ISREG(status.st_mode)) {
            return true;
        }
        path += length + (path[length] == ':');
    }
    return false;
}

/* The launcher's lines, "present<tab>to build<tab>package<tab>what it is". */
static json_t *packages_json(const char *text) {
    json_t *list = json_array();
    while (*text) {
        char line[512], *rest = line;
        size_t length = strcspn(text, "\n");
        snprintf(line, sizeof line, "%.*s", (int)length, text);
        const char *state = strsep(&rest, "\t"), *purpose = strsep(&rest, "\t"), *package = strsep(&rest, "\t");
        if (purpose && package) {
            json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:b}", "package", package, "what", rest ? rest : "",
                                                  "purpose", purpose, "present", !strcmp(state, "present")));
        }
        text += length + (text[length] == '\n');
    }
    return list;
}

struct findings {
    char tool[TOOLS][512]; /* "": not found */
    char scenarios[4096];
    const char *terminal, *charset;
    bool is_terminal, is_utf8;
    unsigned columns, rows;
};

static void look_around(struct findings *f, FILE *out) {
    struct winsize size = {0};
    for (int i = 0; i < TOOLS; i++) {
        if (!find_program(tools[i].name, f->tool[i], sizeof f->tool[i])) {
            f->tool[i][0] = '\0';
        }
    }
    if (!cli_scenarios(f->scenarios, sizeof f->scenarios)) {
        f->scenarios[0] = '\0';
    }
    /* Only the character set: nothing else of the locale may influence the program. */
    f->charset = setlocale(LC_CTYPE, "") ? nl_langinfo(CODESET) : "unknown";
    f->is_utf8 = !strcmp(f->charset, "UTF-8");
    f->terminal = getenv("TERM");
    f->is_terminal = isatty(fileno(out));
    if (f->is_terminal && !ioctl(fileno(out), TIOCGWINSZ, &size)) {
        f->columns = size.ws_col;
        f->rows = size.ws_row;
    }
}

static json_t *text_or_null(const char *text) { return cli_json_text(text && *text ? text : NULL); }

static bool print_findings_json(const struct cli *cli, const struct findings *f) {
    json_t *o = json_object(), *programs = json_object(), *terminal = json_object();
    const char *packages = getenv("CLOUD370_PACKAGES");
    for (int i = 0; i < TOOLS; i++) {
        json_object_set_new(programs, tools[i].name, text_or_null(f->tool[i]));
    }
    json_object_set_new(terminal, "type", text_or_null(f->terminal));
    json_object_set_new(terminal, "charset", cli_json_text(f->charset));
    json_object_set_new(terminal, "utf8", json_boolean(f->is_utf8));
    json_object_set_new(o, "built", json_true());
    json_object_set_new(o, "version", json_string(CLOUD370_VERSION));
    json_object_set_new(o, "compiler", json_string(__VERSION__));
    json_object_set_new(o, "lua", json_string(LUA_RELEASE));
    json_object_set_new(o, "jansson", json_string(jansson_version_str()));
    json_object_set_new(o, "zstd", json_string(archive_compressor()));
    json_object_set_new(o, "scenarios", text_or_null(f->scenarios));
    json_object_set_new(o, "terminal", terminal);
    json_object_set_new(o, "programs", programs);
    if (packages) {
        json_object_set_new(o, "packages", packages_json(packages));
    }
    return cli_print_json(cli, o);
}

static void print_findings(const struct cli *cli, const struct findings *f) {
#ifdef __clang__
    const char *compiler = __VERSION__;
#else
    const char *compiler = "GCC " __VERSION__;
#endif
    FILE *out = cli->out;
    fprintf(out, "cloud370       %s, built with %s\n", CLOUD370_VERSION, compiler);
    fprintf(out, "libraries      %s, jansson %s, zstd %s\n", LUA_RELEASE, jansson_version_str(), archive_compressor());
    fprintf(out, "scenarios      %s\n", *f->scenarios ? f->scenarios : "not found (give paths of your own)");
    fprintf(out, "terminal       %s", f->terminal ? f->terminal : "TERM is not set");
    if (f->columns) {
        fprintf(out, ", %u x %u%s", f->columns, f->rows, f->columns < 80 || f->rows < 24 ? " (80 x 24 is better)" : "");
    } else {
        fputs(f->is_terminal ? "" : ", output is not a terminal", out);
    }
    fprintf(out, "\ncharacter set  %s%s\n", f->charset, f->is_utf8 ? "" : " (UTF-8 is better)");
    for (int i = 0; i < TOOLS; i++) {
        fprintf(out, "%-22s %s (%s)\n", tools[i].name, *f->tool[i] ? f->tool[i] : "not found", tools[i].purpose);
    }
}

static int run_doctor(struct cli *cli) {
    struct findings *f = calloc(1, sizeof *f);
    bool ok = true;
    if (!f) {
        return cli_fail(cli, &(struct error){ERROR_INTERNAL, "out of memory"});
    }
    look_around(f, cli->out);
    if (cli->json) {
        ok = print_findings_json(cli, f);
    } else {
        print_findings(cli, f);
    }
    free(f);
    return ok ? 0 : ERROR_INTERNAL;
}

const struct cli_command cli_doctor = {
    .name = "doctor",
    .summary = "what is installed, what is missing, terminal and locale",
    .usage = "",
    .run = run_doctor,
};
