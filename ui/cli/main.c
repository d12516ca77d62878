/* The executable cloud370; everything is in the library, where tests can call it. */
#include "ui/cli/cli.h"

int main(int argc, char **argv) { return cli_main(argc, argv, stdout, stderr); }
