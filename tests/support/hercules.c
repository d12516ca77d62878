/* Hercules as an oracle: see hercules.h.
 *
 * Each process is a small state machine, advanced by what appears in its log. The order of commands is what makes it
 * safe: `savecore` is refused unless the CPU has stopped, so when it is accepted everything after it shows the end. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tests/support/hercules.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "base/bytes.h"

enum {
    START_MS = 10000, /* a process may take so long to come up */
    RUN_MS = 400,     /* no case that ends takes as long, unless it says so */
    DUMP_MS = 5000,
    LOG_BYTES = 1 << 16,
    PATH_BYTES = 256,
};

enum state { STARTING, FREE, RUNNING, STOPPING, DUMPING, DEAD };

struct process {
    pid_t pid;
    int commands, log; /* our ends of the pipes */
    enum state state;
    struct hercules_job *job;
    unsigned attempts;    /* of the job */
    int64_t deadline;     /* milliseconds, monotonic */
    bool limit;           /* the case had to be stopped */
    char text[LOG_BYTES]; /* the log since the last step */
    size_t length;
    unsigned number;
};

struct hercules {
    char folder[PATH_BYTES - 64];
    unsigned megabytes, cpus, count;
    struct process *process;
    struct sigaction old_pipe;
};

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void path_of(const struct hercules *h, const struct process *p, const char *what, int piece, char *to) {
    snprintf(to, PATH_BYTES, "%s/%s.%u.%d", h->folder, what, p ? p->number : 0, piece);
}

bool hercules_present(void) {
    const char *path = getenv("PATH");
    if (!path)
        return false;
    char name[1024];
    while (*path) {
        size_t length = strcspn(path, ":");
        snprintf(name, sizeof name, "%.*s/hercules", (int)length, path);
        if (length && access(name, X_OK) == 0)
            return true;
        path += length + (path[length] == ':');
    }
    return false;
}

static bool write_text(const char *path, const char *text) {
    struct error e = ERROR_CLEAR;
    return bytes_write_file(path, text, strlen(text), &e);
}

static bool make_folder(struct hercules *h, struct error *e) {
    const char *places[] = {"/dev/shm", getenv("TMPDIR"), "/tmp"};
    for (size_t i = 0; i < 3; i++) {
        if (!places[i] || !*places[i] || access(places[i], W_OK | X_OK) != 0)
            continue;
        snprintf(h->folder, sizeof h->folder, "%s/cloud370-hercules-XXXXXX", places[i]);
        if (mkdtemp(h->folder))
            return true;
    }
    h->folder[0] = 0;
    return error_set(e, ERROR_INTERNAL, "no folder for Hercules' files: %s", strerror(errno));
}

static bool write_configuration(const struct hercules *h, const struct process *p, struct error *e) {
    static const uint8_t disk[HERCULES_DISK_BLOCKS * 512];
    char path[PATH_BYTES], text[1024];
    path_of(h, p, "disk", 0, path);
    bool ok = bytes_write_file(path, disk, sizeof disk, e);
    snprintf(path, sizeof path, "%s/hercules.rc", h->folder);
    ok = write_text(path, "* ready\n") && ok;
    path_of(h, p, "configuration", 0, path);
    snprintf(text, sizeof text,
             "ARCHMODE S/370\nMAINSIZE %u\nNUMCPU %u\nCPUSERIAL 002623\nCPUMODEL 3033\nOSTAILOR QUIET\nPANRATE 50\n"
             "TIMERINT 1000000\nDIAG8CMD DISABLE\nSHCMDOPT DISABLE\n0009 3215-C\n000C 3505\n000E 1403 printer.%u.0\n"
             "0150 3370 disk.%u.0\n",
             h->megabytes, h->cpus, p->number, p->number);
    ok = write_text(path, text) && ok;
    return ok || error_set(e, ERROR_INTERNAL, "cannot write Hercules' configuration in %s", h->folder);
}

static void child(const struct hercules *h, const struct process *p, int commands, int log) {
    char configuration[PATH_BYTES];
    snprintf(configuration, sizeof configuration, "configuration.%u.0", p->number);
#ifdef __linux__
    /* With its standard input gone Hercules would spin for ever. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    int null = open("/dev/null", O_WRONLY);
    if (null < 0 || dup2(commands, 0) < 0 || dup2(log, 1) < 0 || dup2(null, 2) < 0 || chdir(h->folder) != 0)
        _exit(126);
    for (int fd = 3; fd < 256; fd++)
        close(fd);
    setenv("HERCULES_RC", "hercules.rc", 1);
    execlp("hercules", "hercules", "-d", "-f", configuration, "EXTERNALGUI", (char *)NULL);
    _exit(127);
}

static void process_start(struct hercules *h, struct process *p) {
    int commands[2], log[2];
    p->state = DEAD;
    p->pid = 0;
    p->length = 0;
    if (pipe2(commands, O_CLOEXEC) != 0)
        return;
    if (pipe2(log, O_CLOEXEC) != 0) {
        close(commands[0]);
        close(commands[1]);
        return;
    }
    fflush(NULL);
    p->pid = fork();
    if (p->pid == 0)
        child(h, p, commands[0], log[1]);
    close(commands[0]);
    close(log[1]);
    if (p->pid < 0) {
        close(commands[1]);
        close(log[0]);
        p->pid = 0;
        return;
    }
    p->commands = commands[1];
    p->log = log[0];
    fcntl(p->log, F_SETFL, O_NONBLOCK);
    p->state = STARTING;
    p->deadline = now_ms() + START_MS;
}

static void process_end(struct process *p) {
    if (!p->pid)
        return;
    close(p->commands);
    close(p->log);
    kill(p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
    p->pid = 0;
    p->state = DEAD;
}

static void command(struct process *p, const char *text) {
    size_t length = strlen(text);
    while (length) {
        ssize_t n = write(p->commands, text, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* it died: the end of its log will say so */
        text += n;
        length -= (size_t)n;
    }
}

static bool write_piece(const char *path, const uint8_t *bytes, uint32_t length) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0)
        return false;
    bool ok = write(fd, bytes, length) == (ssize_t)length;
    return close(fd) == 0 && ok;
}

static bool read_piece(const char *path, uint8_t *bytes, uint32_t length) {
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return false;
    uint32_t got = 0;
    ssize_t n;
    while (got < length && (n = read(fd, bytes + got, length - got)) > 0)
        got += (uint32_t)n;
    close(fd);
    return got == length;
}

static void job_start(struct hercules *h, struct process *p) {
    char text[1024], path[PATH_BYTES];
    size_t used = 0;
    if (p->job->deck) {
        path_of(h, p, "deck", 0, path);
        write_piece(path, p->job->deck, p->job->deck_length);
        used = (size_t)snprintf(text, sizeof text, "devinit 000C deck.%u.0 ebcdic%s\n", p->number,
                                p->job->deck_eof ? " eof" : "");
    }
    used += (size_t)snprintf(text + used, sizeof text - used, "sysclear\n");
    for (int i = 0; i < 2; i++) {
        if (!p->job->load[i].length)
            continue;
        path_of(h, p, "load", i, path);
        write_piece(path, p->job->load[i].bytes, p->job->load[i].length);
        used += (size_t)snprintf(text + used, sizeof text - used, "loadcore load.%u.%d %X\n", p->number, i,
                                 p->job->load[i].at);
    }
    snprintf(text + used, sizeof text - used, "restart\n");
    p->length = 0;
    p->limit = false;
    p->state = RUNNING;
    p->deadline = now_ms() + (p->job->limit_ms ? p->job->limit_ms : RUN_MS);
    command(p, text);
}

static void dump_start(struct hercules *h, struct process *p) {
    char text[1024], path[PATH_BYTES];
    size_t used = 0;
    text[0] = 0;
    for (int i = 0; i < 2; i++) {
        if (!p->job->save[i].length)
            continue;
        path_of(h, p, "save", i, path);
        unlink(path);
        used += (size_t)snprintf(text + used, sizeof text - used, "savecore save.%u.%d %X %X\n", p->number, i,
                                 p->job->save[i].at, p->job->save[i].at + p->job->save[i].length - 1);
    }
    snprintf(text + used, sizeof text - used, "psw\ngpr\ncr\n");
    p->length = 0;
    p->state = DUMPING;
    p->deadline = now_ms() + DUMP_MS;
    command(p, text);
}

/* "NAME=hhhhhhhh" after `from`; NULL when it is not (all) there. */
static const char *find_word(const char *from, const char *name, uint32_t *value) {
    const char *at = strstr(from, name);
    if (!at)
        return NULL;
    at += strlen(name);
    char *end;
    *value = (uint32_t)strtoul(at, &end, 16);
    return end - at == 8 ? end : NULL;
}

static bool read_registers(const char *log, struct hercules_job *job) {
    const char *at = strstr(log, "psw sm=");
    uint32_t word[2];
    if (!at || !(at = find_word(at, "PSW=", &word[0])) || strlen(at) < 9)
        return false;
    word[1] = (uint32_t)strtoul(at, NULL, 16);
    bytes_put32(job->psw, word[0]);
    bytes_put32(job->psw + 4, word[1]);
    for (int i = 0; i < 32; i++) {
        char name[8];
        snprintf(name, sizeof name, "%s%02d=", i < 16 ? "GR" : "CR", i & 15);
        if (!(at = find_word(at, name, i < 16 ? &job->gpr[i] : &job->cr[i - 16])))
            return false;
    }
    return true;
}

static void job_done(struct process *p) {
    p->job = NULL;
    p->state = FREE;
}

/* The process is lost: another takes its place and the case gets one more chance. */
static void process_lost(struct hercules *h, struct process *p) {
    process_end(p);
    if (p->job && ++p->attempts >= 2) {
        p->job->end = HERCULES_DIED;
        p->job = NULL;
    }
    process_start(h, p);
}

/* Looks at the log so far and does what follows. */
static void step(struct hercules *h, struct process *p) {
    p->text[p->length] = 0;
    switch (p->state) {
    case STARTING:
        if (!strstr(p->text, "HHCPN013I"))
            return;
        p->length = 0;
        p->state = FREE;
        if (p->job)
            job_start(h, p);
        return;
    case RUNNING: {
        const char *wait = strstr(p->text, "HHCCP011I"), *loop = strstr(p->text, "HHCCP016I");
        const char *message = wait ? wait : loop;
        if (!message)
            return;
        if (wait && !strstr(message, "PSW="))
            return;
        p->job->end = wait ? HERCULES_WAIT : HERCULES_LOOP;
        dump_start(h, p);
        return;
    }
    case STOPPING:
    case DUMPING: {
        if (!strstr(p->text, "CR15=") || !strchr(strstr(p->text, "CR15="), '\n'))
            return;
        if (strstr(p->text, "HHCPN102E")) { /* the CPU had not stopped yet */
            if (p->state == DUMPING && now_ms() > p->deadline - DUMP_MS + RUN_MS) {
                process_lost(h, p);
                return;
            }
            int64_t deadline = p->deadline;
            nanosleep(&(struct timespec){0, 20000}, NULL);
            dump_start(h, p);
            p->deadline = deadline;
            return;
        }
        bool ok = read_registers(p->text, p->job);
        for (int i = 0; i < 2; i++) {
            char path[PATH_BYTES];
            if (!p->job->save[i].length)
                continue;
            path_of(h, p, "save", i, path);
            ok = read_piece(path, p->job->save[i].to, p->job->save[i].length) && ok;
        }
        if (!ok) {
            process_lost(h, p);
            return;
        }
        job_done(p);
        return;
    }
    default: return;
    }
}

static void overdue(struct hercules *h, struct process *p) {
    if (p->state == RUNNING && !p->limit) {
        p->limit = true;
        command(p, "stop\n");
        nanosleep(&(struct timespec){0, 20000000}, NULL);
        p->job->end = HERCULES_LIMIT;
        dump_start(h, p);
    } else {
        process_lost(h, p);
    }
}

static void listen(struct hercules *h, struct process *p) {
    ssize_t n;
    while ((n = read(p->log, p->text + p->length, LOG_BYTES - 1 - p->length)) > 0) {
        p->length += (size_t)n;
        if (p->length == LOG_BYTES - 1)
            p->length /= 2; /* a flood of messages: nothing that we wait for */
        for (size_t i = 0; i < p->length; i++)
            if (!p->text[i])
                p->text[i] = ' ';
    }
    if (n == 0) {
        process_lost(h, p);
        return;
    }
    step(h, p);
}

static bool serve(struct hercules *h) {
    struct pollfd fds[16];
    bool busy = false;
    int64_t now = now_ms(), wait = 1000;
    for (unsigned i = 0; i < h->count; i++) {
        struct process *p = &h->process[i];
        fds[i] = (struct pollfd){.fd = p->state == DEAD ? -1 : p->log, .events = POLLIN};
        if (!p->job && p->state != STARTING)
            continue;
        busy = true;
        if (p->deadline - now < wait)
            wait = p->deadline - now;
    }
    if (!busy)
        return false;
    poll(fds, h->count, wait < 0 ? 0 : (int)wait + 1);
    for (unsigned i = 0; i < h->count; i++) {
        struct process *p = &h->process[i];
        if (fds[i].revents)
            listen(h, p);
        if ((p->job || p->state == STARTING) && now_ms() > p->deadline && p->state != FREE)
            overdue(h, p);
    }
    return true;
}

void hercules_run(struct hercules *h, struct hercules_job *jobs, size_t count) {
    size_t next = 0;
    for (;;) {
        bool working = false;
        for (unsigned i = 0; i < h->count; i++) {
            struct process *p = &h->process[i];
            if (p->state == DEAD) {
                if (p->job || next < count)
                    process_start(h, p);
            }
            if (!p->job && next < count) {
                p->job = &jobs[next++];
                p->attempts = 0;
                if (p->state == FREE)
                    job_start(h, p);
            }
            working = working || p->job;
        }
        if (!working && next >= count)
            return;
        serve(h);
    }
}

struct hercules *hercules_new(unsigned processes, unsigned megabytes, unsigned cpus, struct error *e) {
    struct hercules *h = calloc(1, sizeof *h);
    struct process *process = calloc(processes, sizeof *process);
    if (!h || !process) {
        free(h);
        free(process);
        error_set(e, ERROR_INTERNAL, "out of memory");
        return NULL;
    }
    h->process = process;
    h->megabytes = megabytes;
    h->cpus = cpus;
    sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, &h->old_pipe);
    if (!make_folder(h, e)) {
        hercules_free(h);
        return NULL;
    }
    h->count = processes < 16 ? processes : 16;
    for (unsigned i = 0; i < h->count; i++) {
        h->process[i].number = i;
        h->process[i].state = DEAD;
        if (!write_configuration(h, &h->process[i], e)) {
            hercules_free(h);
            return NULL;
        }
        process_start(h, &h->process[i]);
    }
    for (unsigned i = 0; i < h->count; i++) {
        struct process *p = &h->process[i];
        while (p->state == STARTING && now_ms() < p->deadline) {
            poll(&(struct pollfd){.fd = p->log, .events = POLLIN}, 1, 100);
            ssize_t n = read(p->log, p->text + p->length, LOG_BYTES - 1 - p->length);
            if (n == 0)
                process_end(p);
            if (n <= 0)
                continue;
            p->length += (size_t)n;
            step(h, p);
        }
        if (p->state != FREE) {
            error_set(e, ERROR_INTERNAL, "Hercules does not start");
            hercules_free(h);
            return NULL;
        }
    }
    return h;
}

void hercules_free(struct hercules *h) {
    if (!h)
        return;
    char path[PATH_BYTES];
    for (unsigned i = 0; i < h->count; i++) {
        process_end(&h->process[i]);
        for (int piece = 0; piece < 2; piece++) {
            path_of(h, &h->process[i], "load", piece, path);
            unlink(path);
            path_of(h, &h->process[i], "save", piece, path);
            unlink(path);
        }
        static const char *const names[] = {"configuration", "disk", "deck", "printer"};
        for (size_t name = 0; name < sizeof names / sizeof names[0]; name++) {
            path_of(h, &h->process[i], names[name], 0, path);
            unlink(path);
        }
    }
    if (h->folder[0]) {
        snprintf(path, sizeof path, "%s/hercules.rc", h->folder);
        unlink(path);
        rmdir(h->folder);
    }
    sigaction(SIGPIPE, &h->old_pipe, NULL);
    free(h->process);
    free(h);
}
