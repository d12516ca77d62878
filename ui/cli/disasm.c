/* disasm: a storage image as assembler source that reassembles to the same bytes. */
#include "base/bytes.h"
#include "isa/disassembler.h"
#include "mmu/storage.h"
#include "ui/cli/cli.h"

static int print_rows(const struct cli *cli, enum profile profile, const struct bytes *image, uint32_t at) {
    json_t *rows = json_array();
    for (size_t done = 0; done + 1 < image->length;) {
        char text[DISASSEMBLER_TEXT], address[8], hex[16];
        unsigned length = disassemble_in(profile, text, image->data + done, image->length - done);
        snprintf(address, sizeof address, "%06X", (unsigned)(at + done));
        bytes_to_hex(hex, image->data + done, length);
        json_array_append_new(rows, json_pack("{s:s,s:s,s:s}", "addr", address, "hex", hex, "text", text));
        done += length;
    }
    return cli_print_json(cli, rows) ? 0 : ERROR_INTERNAL;
}

static int run_disasm(struct cli *cli) {
    const char *path = cli->operands[0], *text = cli_value(cli, "at");
    struct bytes image = {0}, source = {0};
    struct error e = ERROR_CLEAR;
    enum profile profile = PROFILE_S370;
    uint32_t at = 0;
    int status = 0;
    if (!cli_read_profile(cli, &profile)) {
        return ERROR_INPUT;
    }
    if (text && !cli_read_hex(cli, "--at", text, STORAGE_MOST_BYTES - 1, &at)) {
        return ERROR_INPUT;
    }
    if (!bytes_read_file(&image, path, STORAGE_MOST_BYTES, &e)) {
        return cli_fail(cli, &e);
    }
    if (image.length > STORAGE_MOST_BYTES - at) {
        status = cli_refuse(cli, "%s does not fit below FFFFFF: %zu bytes at %06X", path, image.length, at);
    } else if (cli->json) {
        status = print_rows(cli, profile, &image, at);
    } else {
        disassemble_image(&source, profile, image.data, image.length, at);
        fprintf(cli->out, "%s", source.data ? (const char *)source.data : "");
        if (source.failed) {
            status = cli_fail(cli, &(struct error){ERROR_INTERNAL, "out of memory"});
        }
    }
    bytes_fini(&source);
    bytes_fini(&image);
    return status;
}

static const struct cli_option options[] = {
    {"at", 0, "ADDRESS", false, "the address of the first byte (hex; default 0)"},
    {"profile", 0, "NAME", false, "instruction set: s370 (the default) or flawed"},
    {NULL, 0, NULL, false, NULL},
};

const struct cli_command cli_disasm = {
    .name = "disasm",
    .summary = "print a storage image as assembler source",
    .usage = "IMAGE [--at ADDRESS] [--profile NAME]",
    .details = "What is not an instruction becomes DC; cloud370 asm makes the same bytes again.\n",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run_disasm,
};
