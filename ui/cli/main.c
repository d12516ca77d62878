/* The executable cloud370; everything is in the library, where tests can call it. */
#include <signal.h>

#include "ui/cli/cli.h"

int main(int argc, char **argv) {
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error like a full disk, and told like one */
    return cli_main(argc, argv, stdout, stderr);
}
