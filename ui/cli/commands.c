/* The table of commands. A new command is a file with its row, and its name here and in cli.h. */
#include "ui/cli/cli.h"

const struct cli_command *const cli_commands[] = {
    &cli_run, &cli_tui, &cli_asm, &cli_disasm, &cli_exec, &cli_classify, &cli_bench, &cli_doctor, &cli_help, NULL,
};
