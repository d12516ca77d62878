/* Hercules with a console: see hercules_boot.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tests/support/hercules_boot.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/unit.h"

enum { PATIENCE_MS = 60000, SILENCE_MS = 2000, PAUSE_NS = 20000000 };

static const char configuration[] = "ARCHMODE S/370\nMAINSIZE 2\nNUMCPU 1\nOSTAILOR QUIET\nPANRATE 50\nTIMERINT 1000\n"
                                    "DIAG8CMD DISABLE\nSHCMDOPT DISABLE\n0009 3215-C\n";
static const char disk_line[] = "0150 3370 disk\n";

static void write_files(const struct hercules_boot *b) {
    struct error e = ERROR_CLEAR;
    struct bytes text = {0};
    bytes_append(&text, configuration, strlen(configuration));
    if (b->disk) {
        assert_true(bytes_write_file("disk", b->disk, b->disk_length, &e));
        bytes_append(&text, disk_line, strlen(disk_line));
    }
    assert_true(bytes_write_file("boot.cnf", text.data, text.length, &e));
    bytes_fini(&text);
    if (b->image)
        assert_true(bytes_write_file("boot.img", b->image, b->length, &e));
    const char *script = b->image ? "loadcore boot.img 0\nrestart\n" : "ipl 150\n";
    assert_true(bytes_write_file("boot.rc", script, strlen(script), &e));
}

static pid_t start(int *commands, int *log) {
    int in[2], out[2];
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        alarm(PATIENCE_MS / 1000 + 10); /* should we be killed */
        if (null < 0 || dup2(in[0], 0) < 0 || dup2(out[1], 1) < 0 || dup2(null, 2) < 0)
            _exit(126);
        setenv("HERCULES_RC", "boot.rc", 1);
        execlp("hercules", "hercules", "-d", "-f", "boot.cnf", "EXTERNALGUI", (char *)NULL);
        _exit(127);
    }
    assert_true(pid > 0);
    close(in[0]);
    close(out[1]);
    *commands = in[1];
    *log = out[0];
    return pid;
}

/* How often `what` is in the log. */
static size_t occurrences(const struct bytes *log, const char *what) {
    size_t count = 0;
    for (const char *at = (const char *)log->data; (at = strstr(at, what)); at += strlen(what))
        count++;
    return count;
}

/* Adds to the log what Hercules says within the time. False: nothing more comes. */
static bool listen(int out, int milliseconds, struct bytes *log) {
    struct pollfd ready = {.fd = out, .events = POLLIN};
    char text[4096];
    if (poll(&ready, 1, milliseconds) <= 0)
        return true;
    ssize_t n = read(out, text, sizeof text);
    for (ssize_t i = 0; i < n; i++)
        if (text[i])
            bytes_append(log, &text[i], 1);
    bytes_append(log, "", 1);
    log->length--; /* a string for those who look, not in what is there */
    return n > 0;
}

static bool waits(const struct bytes *log, uint64_t *psw) {
    unsigned left, right;
    const char *at = strstr((const char *)log->data, "HHCCP011I");
    if (!at || !(at = strstr(at, "PSW=")) || !strchr(at, '\n') || sscanf(at, "PSW=%8X %8X", &left, &right) != 2)
        return false;
    *psw = (uint64_t)left << 32 | right;
    return true;
}

/* Reads the log until the CPU waits, typing when asked. Hercules asks a moment before it listens, and does not notice
 * what comes in between until something else comes: so the line is typed a little later, and once more when nothing
 * happens. */
static bool follow(const struct hercules_boot *b, int commands, int out, struct bytes *log, uint64_t *psw) {
    size_t typed = 0;
    bytes_append(log, "", 1);
    log->length--;
    for (int silent_ms = 0; silent_ms < PATIENCE_MS;) {
        size_t before = log->length;
        if (!listen(out, SILENCE_MS, log))
            return false;
        if (waits(log, psw))
            return true;
        silent_ms = log->length == before ? silent_ms + SILENCE_MS : 0;
        if (typed < b->typed_count && typed < occurrences(log, "Enter input for console")) {
            nanosleep(&(struct timespec){0, PAUSE_NS}, NULL);
            dprintf(commands, "/%s\n", b->typed[typed++]);
        } else if (silent_ms && typed) {
            dprintf(commands, "/%s\n", b->typed[typed - 1]);
        }
    }
    return false;
}

/* Of what was logged behind the command that started it: all but Hercules' messages and the echo of what was typed. */
static void program_lines(const struct hercules_boot *b, const struct bytes *log, struct bytes *to) {
    const char *line = strstr((const char *)log->data, b->image ? "\nrestart\n" : "\nipl 150\n");
    for (line = line ? line + 1 : NULL; line && (line = strchr(line, '\n'));) {
        line++;
        size_t length = strcspn(line, "\n");
        if (length && *line != ' ' && strncmp(line, "HHC", 3) != 0 && strncmp(line, "/(", 2) != 0) {
            bytes_append(to, line, length);
            bytes_append(to, "\n", 1);
        }
    }
}

bool hercules_boot(const struct hercules_boot *b, struct bytes *lines, uint64_t *psw) {
    int commands, out;
    struct bytes log = {0};
    write_files(b);
    pid_t pid = start(&commands, &out);
    bool ended = follow(b, commands, out, &log, psw);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(commands);
    close(out);
    if (ended)
        program_lines(b, &log, lines);
    else
        bytes_append(lines, log.data, log.length);
    bytes_fini(&log);
    return ended;
}
