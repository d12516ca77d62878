/* The command line: one table of commands, one parser of options, one form of errors.
 *
 * A command is a row: name, summary, usage, options and a function. The parser knows options only from the rows, so
 * that every command understands the same forms (--name value, --name=value, options before and after operands) and
 * every help text is made from the same table that is obeyed. docs/command-line.md is the user's view. */
#ifndef UI_CLI_CLI_H
#define UI_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "base/error.h"
#include "isa/instruction.h"

struct cli_option {
    const char *name;     /* without the dashes; NULL ends the table */
    char letter;          /* a short form, or 0 */
    const char *argument; /* what it takes, for the help; NULL: nothing */
    bool many;            /* may be given more than once */
    const char *help;
};

struct cli;
struct cli_command {
    const char *name;
    const char *summary; /* a line for the list of commands */
    const char *usage;   /* what follows the name */
    const char *details; /* paragraphs for --help; may be NULL */
    const struct cli_option *options;
    unsigned least, most;        /* operands */
    bool rest;                   /* operands may follow `--` */
    int (*run)(struct cli *cli); /* the exit status */
};

/* All of them, in the order of the help; ends with NULL. One file each: ui/cli/<name>.c. */
extern const struct cli_command *const cli_commands[];
extern const struct cli_command cli_run, cli_tui, cli_asm, cli_disasm, cli_exec, cli_classify, cli_bench, cli_doctor,
    cli_help;

struct cli_given {
    const struct cli_option *option;
    const char *value; /* borrowed from argv; NULL for an option that takes nothing */
};

/* One invocation, as parsed. */
struct cli {
    const char *program; /* argv[0] */
    const struct cli_command *command;
    FILE *out, *err;
    bool json, color;
    const char **operands;
    unsigned operand_count;
    const char *const *rest; /* after `--` */
    unsigned rest_count;
    struct cli_given *given;
    unsigned given_count;
};

/* The whole program; the exit status. */
int cli_main(int argc, char **argv, FILE *out, FILE *err);

/* The value of an option, the option's own name if it takes nothing, or NULL when it was not given. */
const char *cli_value(const struct cli *cli, const char *option);
/* Walks over all values of an option that may be given often: *at starts at 0. NULL past the last. */
const char *cli_next_value(const struct cli *cli, const char *option, unsigned *at);

/* Prints "cloud370: text" as one line on standard error; control characters become '?'. Returns the exit status. */
int cli_fail(const struct cli *cli, const struct error *e);
/* The same for bad usage or bad input: exit status 2. */
int cli_refuse(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The nearest of `names` to a mistyped one, or NULL when none is near. `next` gives name i, NULL past the last. */
const char *cli_nearest(const char *typed, const char *(*next)(const void *table, unsigned i), const void *table);

/* Values of options; false after having said what is wrong. `what` names the option and its part: "--gpr: register". */
bool cli_read_hex(const struct cli *cli, const char *what, const char *text, uint32_t most, uint32_t *to);
bool cli_read_decimal(const struct cli *cli, const char *what, const char *text, uint64_t most, uint64_t *to);
/* --profile, which may be missing: then *to stays. */
bool cli_read_profile(const struct cli *cli, enum profile *to);
bool cli_read_size(const struct cli *cli, const char *what, const char *text, uint64_t least, uint64_t most,
                   uint64_t *to);

/* Prints a JSON value as one line on standard output, and frees it; false (and said why) when it is NULL, or there is
 * no memory. That the output cannot be written is said in the end, for everything. */
bool cli_print_json(const struct cli *cli, json_t *value);

/* A JSON string of text that people gave: what is not UTF-8 becomes '?'. NULL: null. */
json_t *cli_json_text(const char *text);

/* Ctrl-C: from cli_catch_interrupt on it is only remembered, for those who ask with cli_interrupted (the signature of
 * machine_limits.interrupted; self is not used). A second one ends the program at once. */
void cli_catch_interrupt(void);
bool cli_interrupted(void *self);

/* The folder of the scenarios that come with the product, or false: beside the source tree, or installed. */
bool cli_scenarios(char *to, size_t size);
/* The file itself, or, when there is none, the one of this name in that folder (NULL: none), its path in `place`. */
const char *cli_find_scenario(const char *path, const char *library, char *place, size_t size);

#endif
