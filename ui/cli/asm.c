/* asm: assembler source in, storage image out. Nothing is written when the source has an error. */
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "isa/assembler.h"
#include "ui/cli/cli.h"

/* Whether writing to `path` would destroy the source. */
static bool is_source(const struct cli *cli, const char *path) {
    struct stat source, target;
    return !stat(cli->operands[0], &source) && !stat(path, &target) && source.st_dev == target.st_dev &&
           source.st_ino == target.st_ino;
}

/* The options that name outputs, the image last: who finds it may rely on the others. */
static const char *const outputs[] = {"listing", "symbols", "output"};
enum { OUTPUTS = 3 };

static bool check_outputs(const struct cli *cli) {
    for (int i = 0; i < OUTPUTS; i++) {
        const char *path = cli_value(cli, outputs[i]);
        if (path && is_source(cli, path)) {
            cli_refuse(cli, "asm: --%s %s would overwrite the source", outputs[i], path);
            return false;
        }
        for (int j = 0; path && j < i; j++) {
            const char *other = cli_value(cli, outputs[j]);
            if (other && !strcmp(path, other)) {
                cli_refuse(cli, "asm: --%s and --%s both name %s", outputs[j], outputs[i], path);
                return false;
            }
        }
    }
    return true;
}

static bool write_outputs(const struct cli *cli, const struct assembly *a, struct error *e) {
    struct bytes symbols = {0};
    assembly_print_symbols(a, &symbols);
    const struct bytes *contents[OUTPUTS] = {&a->listing, &symbols, &a->image};
    bool ok = !symbols.failed || error_set(e, ERROR_INTERNAL, "out of memory");
    for (int i = 0; ok && i < OUTPUTS; i++) {
        const char *path = cli_value(cli, outputs[i]);
        ok = !path || bytes_write_file(path, contents[i]->data ? contents[i]->data : (const uint8_t *)"",
                                       contents[i]->length, e);
    }
    bytes_fini(&symbols);
    return ok;
}

static int print_result(const struct cli *cli, const struct assembly *a) {
    const char *image = cli_value(cli, "output");
    char origin[8], entry[8];
    snprintf(origin, sizeof origin, "%06X", a->origin & 0xFFFFFF);
    snprintf(entry, sizeof entry, "%06X", a->entry & 0xFFFFFF);
    if (!cli->json) {
        fprintf(cli->out, "%s: %zu bytes at %s%s%s\n", image, a->image.length, origin, a->has_entry ? ", entry " : "",
                a->has_entry ? entry : "");
        return 0;
    }
    json_t *o = json_object();
    json_object_set_new(o, "image", cli_json_text(image));
    json_object_set_new(o, "origin", json_string(origin));
    json_object_set_new(o, "bytes", json_integer((json_int_t)a->image.length));
    json_object_set_new(o, "entry", a->has_entry ? json_string(entry) : json_null());
    json_object_set_new(o, "warnings", json_integer((json_int_t)(a->diagnostic_count - a->error_count)));
    return cli_print_json(cli, o) ? 0 : ERROR_INTERNAL;
}

static int run_asm(struct cli *cli) {
    struct assembly a = {0};
    struct assembler_options options = {.listing = cli_value(cli, "listing") != NULL};
    struct bytes diagnostics = {0};
    struct error e = ERROR_CLEAR;
    int status;
    if (!cli_value(cli, "output")) {
        return cli_refuse(cli, "asm: -o IMAGE is missing; usage: cloud370 asm %s", cli->command->usage);
    }
    if (!check_outputs(cli)) {
        return ERROR_INPUT;
    }
    bool ok = assemble_file(&a, cli->operands[0], &options, &e);
    assembly_print_diagnostics(&a, &diagnostics);
    fprintf(cli->err, "%s", diagnostics.data ? (const char *)diagnostics.data : "");
    bytes_fini(&diagnostics);
    if (ok && write_outputs(cli, &a, &e)) {
        status = print_result(cli, &a);
    } else {
        status = cli_fail(cli, &e);
    }
    assembly_fini(&a);
    return status;
}

static const struct cli_option options[] = {
    {"output", 'o', "IMAGE", false, "the storage image to write"},
    {"listing", 0, "FILE", false, "write a listing"},
    {"symbols", 0, "FILE", false, "write the symbols: name, value, length, kind"},
    {NULL, 0, NULL, false, NULL},
};

const struct cli_command cli_asm = {
    .name = "asm",
    .summary = "assemble S/370 source into a storage image",
    .usage = "FILE -o IMAGE [--listing FILE] [--symbols FILE]",
    .details = "Errors and warnings go to standard error, one line each, as\n"
               "file:line:column: error: text. With an error nothing is written.\n",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run_asm,
};
