/* Hercules is driven by commands on its standard input and answers with its log on standard output. Nothing of it is
 * needed but: load, restart, and the line that says that the CPU has stopped. */
#include "ui/cli/bench_hercules.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"

enum { PATIENCE_MS = 120000, SETTLE_MS = 300 };

struct bench_hercules {
    pid_t pid;
    int to, from;
    char folder[64];
    char line[1024];
    size_t length;
};

bool bench_hercules_present(void) {
    const char *path = getenv("PATH");
    char file[512];
    while (path && *path) {
        size_t n = strcspn(path, ":");
        snprintf(file, sizeof file, "%.*s/hercules", (int)n, path);
        if (access(file, X_OK) == 0)
            return true;
        path += n + (path[n] == ':');
    }
    return false;
}

static bool write_configuration(const struct bench_hercules *h, struct error *e) {
    static const char configuration[] = "ARCHMODE S/370\nMAINSIZE 2\nNUMCPU 1\nOSTAILOR QUIET\nPANRATE 1000\n"
                                        "DIAG8CMD DISABLE\nSHCMDOPT DISABLE\n000E 1403 print.txt\n";
    char path[128];
    snprintf(path, sizeof path, "%s/h.rc", h->folder);
    if (!bytes_write_file(path, "# nothing\n", 10, e))
        return false;
    snprintf(path, sizeof path, "%s/h.cnf", h->folder);
    return bytes_write_file(path, configuration, sizeof configuration - 1, e);
}

static void become_hercules(const struct bench_hercules *h, int in, int out) {
    int null = open("/dev/null", O_WRONLY);
    dup2(in, 0);
    dup2(out, 1);
    dup2(null, 2);
    setenv("HERCULES_RC", "h.rc", 1);
    if (chdir(h->folder) == 0)
        execlp("hercules", "hercules", "-d", "-f", "h.cnf", "EXTERNALGUI", (char *)NULL);
    _exit(127);
}

static void pause_ms(long ms) {
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static bool spawn(struct bench_hercules *h) {
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0)
        return false;
    if (pipe2(out, O_CLOEXEC) != 0) {
        close(in[0]);
        close(in[1]);
        return false;
    }
    h->pid = fork();
    if (h->pid == 0)
        become_hercules(h, in[0], out[1]);
    close(in[0]);
    close(out[1]);
    h->to = in[1];
    h->from = out[0];
    return h->pid > 0;
}

static bool send_line(struct bench_hercules *h, const char *text) {
    size_t n = strlen(text);
    return write(h->to, text, n) == (ssize_t)n;
}

/* Reads the log until a line that contains one of the messages; false: it ended, or took too long. */
static bool wait_for(struct bench_hercules *h, const char *message) {
    for (;;) {
        char *end = memchr(h->line, '\n', h->length);
        if (end) {
            *end = 0;
            bool found = strstr(h->line, message) != NULL;
            h->length -= (size_t)(end + 1 - h->line);
            memmove(h->line, end + 1, h->length);
            if (found)
                return true;
            continue;
        }
        if (h->length == sizeof h->line - 1)
            h->length = 0;
        struct pollfd p = {.fd = h->from, .events = POLLIN};
        if (poll(&p, 1, PATIENCE_MS) != 1)
            return false;
        ssize_t n = read(h->from, h->line + h->length, sizeof h->line - 1 - h->length);
        if (n <= 0)
            return false;
        h->length += (size_t)n;
    }
}

struct bench_hercules *bench_hercules_new(struct error *e) {
    struct bench_hercules *h = calloc(1, sizeof *h);
    if (!h) {
        error_set(e, ERROR_INTERNAL, "no memory");
        return NULL;
    }
    h->to = h->from = -1;
    signal(SIGPIPE, SIG_IGN);
    snprintf(h->folder, sizeof h->folder, "/tmp/cloud370-bench-XXXXXX");
    if (!mkdtemp(h->folder) || !write_configuration(h, e) || !spawn(h) || !send_line(h, "maxrates\n") ||
        !wait_for(h, "HHC")) {
        bench_hercules_free(h);
        error_set(e, ERROR_INTERNAL, "hercules does not start");
        return NULL;
    }
    pause_ms(1000);
    return h;
}

static double cpu_seconds(const struct bench_hercules *h) {
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(h->pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return 0;
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double bench_hercules_run(struct bench_hercules *h, const uint8_t *image, size_t length, struct error *e) {
    char path[128], command[192];
    snprintf(path, sizeof path, "%s/image", h->folder);
    snprintf(command, sizeof command, "sysclear\nloadcore %s 0\n", path);
    if (!bytes_write_file(path, image, length, e))
        return -1;
    if (!send_line(h, command))
        return error_set(e, ERROR_INTERNAL, "hercules has ended"), -1;
    pause_ms(SETTLE_MS);
    double before = cpu_seconds(h);
    if (!send_line(h, "restart\n") || !wait_for(h, "HHCCP011I")) {
        error_set(e, ERROR_INTERNAL, "hercules does not finish a loop");
        return -1;
    }
    return cpu_seconds(h) - before;
}

void bench_hercules_free(struct bench_hercules *h) {
    static const char *const files[] = {"h.rc", "h.cnf", "image", "print.txt"};
    char path[128];
    if (!h)
        return;
    if (h->to >= 0)
        send_line(h, "quit\n");
    if (h->pid > 0) {
        for (int i = 0; i < 20 && waitpid(h->pid, NULL, WNOHANG) == 0; i++) {
            pause_ms(100);
            if (i == 19) {
                kill(h->pid, SIGKILL);
                waitpid(h->pid, NULL, 0);
            }
        }
    }
    if (h->to >= 0)
        close(h->to);
    if (h->from >= 0)
        close(h->from);
    for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", h->folder, files[i]);
        unlink(path);
    }
    rmdir(h->folder);
    free(h);
}
