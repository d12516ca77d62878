/* Writes the card of keys and commands of the terminal UI, docs/keys.md, from the table of commands and the panes.
 *
 *     key_card [FILE]
 *
 * The build target `docs` runs it; the test docs/generated.sh compares what it writes with the file in the source tree.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "ui/tui/tui.h"

/* Keys as they stand on a keyboard, in the way of Markdown. */
static void append_keys(struct bytes *to, const char *keys) {
    static const struct {
        const char *name, *text;
    } names[] = {{"S-Tab", "Shift-Tab"}, {"PageDown", "Page Down"}, {"PageUp", "Page Up"}};
    for (bool first = true; *keys; first = false) {
        size_t length = strcspn(keys, " ");
        char key[20];
        snprintf(key, sizeof key, "%.*s", (int)length, keys);
        const char *text = key;
        for (size_t n = 0; n < sizeof names / sizeof *names; n++)
            if (strcmp(names[n].name, key) == 0)
                text = names[n].text;
        bytes_printf(to, "%s`%s`", first ? "" : " ", text);
        keys += length + (keys[length] == ' ');
    }
}

/* A bar would end the column. */
static void append_escaped(struct bytes *to, const char *text) {
    for (; *text; text++)
        bytes_printf(to, "%s%c", *text == '|' ? "\\" : "", *text);
}

int main(int argc, char **argv) {
    struct bytes out = {0};
    struct error e = ERROR_CLEAR;
    const char *group = "";
    bytes_printf(
        &out, "# Keys and commands of the terminal UI\n\n"
              "Made from the tables that the program obeys; `?` shows the same. Every key is a command, which can be\n"
              "typed behind `:` as well, in [plain mode](tui.md#plain-mode), or stand in a file for `--replay`; the\n"
              "beginning of its name is enough. While a machine runs, Ctrl-C stops it. An ADDRESS is hexadecimal\n"
              "digits, a symbol of the program, `psw`, or `r0` to `r15`; `+HEX` may follow.\n");
    for (size_t n = 0; command_at(n); n++) {
        const struct command *c = command_at(n);
        if (strcmp(group, c->group) != 0)
            bytes_printf(&out, "\n## %s\n\n| Key | Command | |\n|---|---|---|\n", c->group);
        group = c->group;
        bytes_printf(&out, "| ");
        append_keys(&out, c->keys);
        bytes_printf(&out, " | `%s%s", c->name, *c->arguments ? " " : "");
        append_escaped(&out, c->arguments);
        bytes_printf(&out, "` | %s |\n", c->help);
    }
    bytes_printf(&out, "\n## Panes\n\n| Key | Pane | |\n|---|---|---|\n");
    for (size_t n = 0; pane_kind_at(n); n++) {
        const struct pane_kind *k = pane_kind_at(n);
        bytes_printf(&out, "| %s%c%s | `%s%s%s` | %s |\n", k->key ? "`" : "", k->key ? k->key : ' ', k->key ? "`" : "",
                     k->name, k->arguments ? " " : "", k->arguments ? k->arguments : "", k->help);
    }
    bool ok = !out.failed && (argc < 2 ? fwrite(out.data, 1, out.length, stdout) == out.length
                                       : bytes_write_file(argv[1], out.data, out.length, &e));
    bytes_fini(&out);
    if (!ok)
        fprintf(stderr, "key_card: %s\n", e.text);
    return !ok;
}
