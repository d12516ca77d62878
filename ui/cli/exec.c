/* exec: runs a raw storage image on a bare machine, or as the innermost guest of a tower of monitors, and prints what
 * became of it. The JSON form is a fixed contract with other people's programs (docs/command-line.md). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "isa/assembler.h"
#include "isa/machine.h"
#include "scenarios/engine/units.h"
#include "ui/cli/cli.h"
#include "vmm/vmm.h"

enum { ADDRESS_MOST = 0xFFFFFF };

/* A --set or --dump: where, and what or how much. */
struct span {
    uint32_t at, length;
    struct bytes value; /* --set only */
};

/* The invocation, checked. */
struct job {
    const struct cli *cli;
    struct bytes image;
    uint32_t at, memory_bytes;
    bool has_psw;
    uint8_t psw[8];
    bool has_limit;
    uint64_t limit;
    struct cost_model model;
    enum profile profile;
    char *kinds_text; /* the value of --under, cut into the kinds */
    const char *kinds[TOWER_MOST];
    unsigned kind_count;
    struct span *sets, *dumps;
    unsigned set_count, dump_count;
    uint32_t gpr[16], cr[16];
    uint16_t gpr_given, cr_given; /* a bit a register */
};

static void free_job(struct job *job) {
    bytes_fini(&job->image);
    for (unsigned i = 0; i < job->set_count; i++) {
        bytes_fini(&job->sets[i].value);
    }
    free(job->sets);
    free(job->dumps);
    free(job->kinds_text);
}

/* --- reading the options; each says what is wrong and answers false ----------------------------------------------- */

/* Splits `text` at the first `separator` into `left` and what follows it. */
static const char *split(const char *text, char separator, char *left, size_t size) {
    const char *at = strchr(text, separator);
    if (!at || (size_t)(at - text) >= size) {
        return NULL;
    }
    memcpy(left, text, (size_t)(at - text));
    left[at - text] = '\0';
    return at + 1;
}

static bool read_registers(struct job *job, const char *option, uint32_t *registers, uint16_t *given) {
    const char *text;
    for (unsigned at = 0; (text = cli_next_value(job->cli, option, &at));) {
        char number[8], what[48];
        uint64_t n;
        const char *value = split(text, '=', number, sizeof number);
        if (!value || !units_decimal(number, 15, &n)) {
            cli_refuse(job->cli, "--%s is %s; it takes N=HEX, N a register number 0 to 15, decimal", option, text);
            return false;
        }
        snprintf(what, sizeof what, "--%s: the value of register %u", option, (unsigned)n);
        if (!cli_read_hex(job->cli, what, value, UINT32_MAX, &registers[n])) {
            return false;
        }
        *given |= (uint16_t)(1u << n);
    }
    return true;
}

static bool read_sets(struct job *job) {
    const char *text;
    for (unsigned at = 0; (text = cli_next_value(job->cli, "set", &at));) {
        char address[16];
        struct span *set = &job->sets[job->set_count];
        const char *value = split(text, '=', address, sizeof address);
        if (!value || !units_hex(address, ADDRESS_MOST, &set->at) || !bytes_from_hex(&set->value, value)) {
            cli_refuse(job->cli,
                       "--set is %.60s; it takes ADDR=HEX, an address of up to 6 hexadecimal digits and an "
                       "even number of hexadecimal digits",
                       text);
            return false;
        }
        job->set_count++;
        if (set->value.length > job->memory_bytes || set->at > job->memory_bytes - set->value.length) {
            cli_refuse(job->cli, "--set of %zu bytes at %06X does not fit: the last address of this machine is %06X",
                       set->value.length, set->at, job->memory_bytes - 1);
            return false;
        }
    }
    return true;
}

static bool read_dumps(struct job *job) {
    const char *text;
    for (unsigned at = 0; (text = cli_next_value(job->cli, "dump", &at));) {
        char address[16];
        struct span *dump = &job->dumps[job->dump_count];
        const char *length = split(text, ':', address, sizeof address);
        if (!length || !units_hex(address, ADDRESS_MOST, &dump->at) ||
            !units_hex(length, ADDRESS_MOST + 1, &dump->length) || dump->length == 0) {
            cli_refuse(job->cli, "--dump is %.60s; it takes ADDR:LENGTH, both hexadecimal, LENGTH 1 to 1000000", text);
            return false;
        }
        if (dump->length > job->memory_bytes || dump->at > job->memory_bytes - dump->length) {
            cli_refuse(job->cli, "--dump of %X bytes at %06X does not fit: the last address of this machine is %06X",
                       dump->length, dump->at, job->memory_bytes - 1);
            return false;
        }
        job->dump_count++;
    }
    return true;
}

static bool read_kinds(struct job *job) {
    const char *text = cli_value(job->cli, "under");
    if (!text) {
        return true;
    }
    char ready[256] = "";
    const char *name;
    for (unsigned i = 0; (name = vmm_kind_name(i)); i++) {
        snprintf(ready + strlen(ready), sizeof ready - strlen(ready), "%s%s", i ? ", " : "", name);
    }
    if (!*text) {
        cli_refuse(job->cli,
                   "--under is empty; it takes the kinds of the monitors, from the lowest up, separated by commas: %s",
                   ready);
        return false;
    }
    job->kinds_text = strdup(text);
    if (!job->kinds_text) {
        cli_fail(job->cli, &(struct error){ERROR_INTERNAL, "out of memory"});
        return false;
    }
    for (char *rest = job->kinds_text, *kind; (kind = strsep(&rest, ","));) {
        bool is_ready = false;
        for (unsigned i = 0; (name = vmm_kind_name(i)); i++) {
            is_ready |= !strcmp(kind, name);
        }
        if (!is_ready) {
            cli_refuse(job->cli, "--under: %s %s; there %s: %s", *kind ? kind : "an empty kind",
                       vmm_kind_known(kind) ? "is not there yet" : "is not a kind of monitor",
                       vmm_kind_name(1) ? "are" : "is", ready);
            return false;
        }
        if (job->kind_count == TOWER_MOST) {
            cli_refuse(job->cli, "--under: at most %d monitors can be nested", TOWER_MOST);
            return false;
        }
        job->kinds[job->kind_count++] = kind;
    }
    return true;
}

static bool read_memory(struct job *job) {
    const char *text = cli_value(job->cli, "memory");
    uint64_t bytes = 1 << 20;
    uint32_t unit = job->kind_count ? 4096 : 2048;
    if (text && !cli_read_size(job->cli, "--memory", text, 4096, STORAGE_MOST_BYTES, &bytes)) {
        return false;
    }
    if (bytes % unit) {
        cli_refuse(job->cli, "--memory is %s; it takes a multiple of %uK%s", text, unit / 1024,
                   job->kind_count ? " under a monitor" : "");
        return false;
    }
    job->memory_bytes = (uint32_t)bytes;
    return true;
}

static bool read_start(struct job *job) {
    const char *psw = cli_value(job->cli, "psw");
    if (!psw) {
        return true;
    }
    if (cli_value(job->cli, "restart")) {
        cli_refuse(job->cli, "--psw and --restart exclude each other");
        return false;
    }
    struct bytes value = {0};
    if (strlen(psw) == 16 && bytes_from_hex(&value, psw)) {
        memcpy(job->psw, value.data, 8);
        job->has_psw = true;
    }
    bytes_fini(&value);
    if (!job->has_psw) {
        cli_refuse(job->cli, "--psw is %.60s; it takes exactly 16 hexadecimal digits", psw);
    }
    return job->has_psw;
}

static bool read_image(struct job *job) {
    struct error e = ERROR_CLEAR;
    const char *path = job->cli->operands[0], *at = cli_value(job->cli, "at");
    if (at && !cli_read_hex(job->cli, "--at", at, ADDRESS_MOST, &job->at)) {
        return false;
    }
    if (!bytes_read_file(&job->image, path, STORAGE_MOST_BYTES, &e)) {
        cli_fail(job->cli, &e);
        return false;
    }
    if (job->image.length > job->memory_bytes || job->at > job->memory_bytes - job->image.length) {
        cli_refuse(job->cli, "%s does not fit: %zu bytes at %06X, and the last address of this machine is %06X", path,
                   job->image.length, job->at, job->memory_bytes - 1);
        return false;
    }
    return true;
}

static bool read_job(struct job *job) {
    const struct cli *cli = job->cli;
    const char *text;
    struct error e = ERROR_CLEAR;
    job->sets = calloc(cli->given_count + 1, sizeof *job->sets);
    job->dumps = calloc(cli->given_count + 1, sizeof *job->dumps);
    if (!job->sets || !job->dumps) {
        cli_fail(cli, &(struct error){ERROR_INTERNAL, "out of memory"});
        return false;
    }
    if (!cli_read_profile(cli, &job->profile)) {
        return false;
    }
    if ((text = cli_value(cli, "max-instructions"))) {
        job->has_limit = true;
        if (!cli_read_decimal(cli, "--max-instructions", text, UINT64_MAX, &job->limit)) {
            return false;
        }
    }
    text = cli_value(cli, "model");
    if (!cost_model_find(&job->model, text ? text : "s370", &e)) {
        cli_fail(cli, &e);
        return false;
    }
    return read_kinds(job) && read_memory(job) && read_start(job) &&
           read_registers(job, "gpr", job->gpr, &job->gpr_given) &&
           read_registers(job, "cr", job->cr, &job->cr_given) && read_sets(job) && read_dumps(job) && read_image(job);
}

/* --- running ------------------------------------------------------------------------------------------------------ */

/* A line of the console or the printer. Control characters could drive the terminal, so they are shown as dots. */
static void print_line(void *self, const char *line, size_t length) {
    FILE *to = self;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)line[i];
        if (c < 0x20 || (c >= 0x7F && c < 0xA0)) {
            fputc('.', to);
        } else if (c < 0x80) {
            fputc(c, to);
        } else { /* ISO 8859-1 to UTF-8 */
            fputc(0xC0 | c >> 6, to);
            fputc(0x80 | (c & 0x3F), to);
        }
    }
    fputc('\n', to);
}

/* Puts image and registers into the innermost machine, and makes the whole tower ready to start. */
static bool prepare(const struct job *job, struct tower *tower, struct error *e) {
    struct machine *m = tower->innermost;
    struct machine_state state;
    if (job->image.length && !machine_load(m, job->at, job->image.data, job->image.length, e)) {
        return false;
    }
    for (unsigned i = 0; i < job->set_count; i++) {
        const struct span *set = &job->sets[i];
        if (!machine_load(m, set->at, set->value.data, set->value.length, e)) {
            return false;
        }
    }
    machine_state(m, &state);
    for (unsigned n = 0; n < 16; n++) {
        if (job->gpr_given >> n & 1) {
            state.gpr[n] = job->gpr[n];
        }
        if (job->cr_given >> n & 1) {
            state.cr[n] = job->cr[n];
        }
    }
    machine_set_state(m, &state);
    if (job->has_psw) {
        machine_start_psw(m, job->psw);
    } else {
        machine_restart(m);
    }
    /* Its monitor starts it, when the machine below has been started. */
    for (struct machine *host = machine_host(m); host; host = machine_host(host)) {
        machine_restart(host);
    }
    return true;
}

static const char *stop_name(enum machine_status status) {
    switch (status) {
    case MACHINE_DISABLED_WAIT: return "disabled-wait";
    case MACHINE_CHECK_STOP: return "check-stop";
    default: return "limit";
    }
}

static int stop_status(enum machine_status status) {
    switch (status) {
    case MACHINE_DISABLED_WAIT: return 0;
    case MACHINE_CHECK_STOP: return ERROR_EXPECTATION;
    default: return ERROR_BUDGET;
    }
}

/* --- the answer as JSON ------------------------------------------------------------------------------------------- */

static json_t *registers_json(const uint32_t registers[16]) {
    json_t *list = json_array();
    for (unsigned n = 0; n < 16; n++) {
        char hex[12];
        snprintf(hex, sizeof hex, "%08X", registers[n]);
        json_array_append_new(list, json_string(hex));
    }
    return list;
}

static json_t *number(uint64_t n) { return json_integer((json_int_t)n); }

static json_t *dumps_json(const struct job *job, struct machine *m) {
    json_t *list = json_array();
    for (unsigned i = 0; i < job->dump_count; i++) {
        const struct span *dump = &job->dumps[i];
        uint8_t *data = malloc(dump->length);
        char *hex = malloc(2 * (size_t)dump->length + 1), address[8];
        if (data && hex && machine_peek(m, dump->at, data, dump->length) == ACCESS_OK) {
            bytes_to_hex(hex, data, dump->length);
            snprintf(address, sizeof address, "%06X", dump->at);
            json_array_append_new(list, json_pack("{s:s,s:s}", "addr", address, "hex", hex));
        }
        free(hex);
        free(data);
    }
    return list;
}

static json_t *interruptions_json(const struct machine_stats *stats) {
    static const enum interruption_class order[] = {INTERRUPTION_PROGRAM,       INTERRUPTION_SVC,
                                                    INTERRUPTION_EXTERNAL,      INTERRUPTION_IO,
                                                    INTERRUPTION_MACHINE_CHECK, INTERRUPTION_RESTART};
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        json_object_set_new(object, interruption_name(order[i]), number(stats->interruptions[order[i]]));
    }
    return object;
}

static json_t *levels_json(const struct tower *tower) {
    json_t *list = json_array();
    for (unsigned k = 0; k < tower->count; k++) {
        struct vmm_stats stats;
        json_t *level = json_object();
        vmm_stats(tower->monitor[k], &stats);
        json_object_set_new(level, "kind", json_string(vmm_kind(tower->monitor[k])));
        json_object_set_new(level, "traps", number(stats.traps));
        json_object_set_new(level, "shadow_faults", number(stats.shadow_faults));
        json_object_set_new(level, "cycles", number(machine_booked_level(tower->bare, (int)k)));
        json_array_append_new(list, level);
    }
    return list;
}

/* Who a level of the books is: the monitors from the bare machine upward, then the program itself. */
static const char *level_name(const struct tower *tower, unsigned k) {
    return k < tower->count ? vmm_kind(tower->monitor[k]) : "program";
}

static json_t *account_json(const struct tower *tower) {
    json_t *list = json_array();
    for (unsigned k = 0; k <= tower->count; k++) {
        json_t *level = json_object(), *causes = json_object();
        for (int c = 0; c < CAUSE_COUNT; c++) {
            json_object_set_new(causes, cycle_cause_name((enum cycle_cause)c),
                                number(machine_booked(tower->bare, (int)k, (enum cycle_cause)c)));
        }
        json_object_set_new(level, "level", number(k));
        json_object_set_new(level, "who", json_string(level_name(tower, k)));
        json_object_set_new(level, "cycles", number(machine_booked_level(tower->bare, (int)k)));
        json_object_set_new(level, "causes", causes);
        json_array_append_new(list, level);
    }
    return list;
}

static bool print_answer_json(const struct job *job, const struct tower *tower, enum machine_status status) {
    struct machine_state state;
    struct machine_stats stats, bare;
    uint8_t psw[8];
    char hex[17];
    json_t *o = json_object();
    machine_state(tower->innermost, &state);
    machine_stats(tower->innermost, &stats);
    machine_stats(tower->bare, &bare);
    psw_store(&state.psw, psw, 0, 0);
    bytes_to_hex(hex, psw, sizeof psw);
    json_object_set_new(o, "stop", json_string(stop_name(status)));
    json_object_set_new(o, "model", json_string(job->model.name));
    json_object_set_new(o, "psw", json_string(hex));
    json_object_set_new(o, "gpr", registers_json(state.gpr));
    json_object_set_new(o, "cr", registers_json(state.cr));
    json_object_set_new(o, "cc", number(state.psw.cc));
    json_object_set_new(o, "instructions", number(stats.instructions));
    json_object_set_new(o, "cycles", number(bare.cycles));
    json_object_set_new(o, "dump", dumps_json(job, tower->innermost));
    json_object_set_new(o, "interruptions", interruptions_json(&stats));
    json_object_set_new(o, "levels", levels_json(tower));
    if (cli_value(job->cli, "account")) {
        json_object_set_new(o, "account", account_json(tower));
    }
    return cli_print_json(job->cli, o);
}

/* --- the answer for people ---------------------------------------------------------------------------------------- */

/* What makes a noun plural behind the number n. */
static const char *plural(uint64_t n) { return n == 1 ? "" : "s"; }

static void print_registers(FILE *out, const char *name, const uint32_t registers[16]) {
    for (unsigned n = 0; n < 16; n += 8) {
        fprintf(out, "%-3s %2u-%-2u ", name, n, n + 7);
        for (unsigned i = n; i < n + 8; i++) {
            fprintf(out, " %08X", registers[i]);
        }
        fputc('\n', out);
    }
}

static void print_dump(FILE *out, struct machine *m, const struct span *dump) {
    for (uint32_t done = 0; done < dump->length; done += 16) {
        uint8_t row[16];
        uint32_t n = dump->length - done < 16 ? dump->length - done : 16;
        if (machine_peek(m, dump->at + done, row, n) != ACCESS_OK) {
            return;
        }
        fprintf(out, "%06X ", dump->at + done);
        for (uint32_t i = 0; i < 16; i++) {
            fprintf(out, i < n ? "%s%02X" : "%s  ", i % 4 ? "" : " ", i < n ? row[i] : 0u);
        }
        fputs("  ", out);
        for (uint32_t i = 0; i < n; i++) {
            uint8_t c = latin1_from_ebcdic[row[i]];
            fputc(c >= 0x20 && c < 0x7F ? c : '.', out);
        }
        fputc('\n', out);
    }
}

static void print_account(FILE *out, const struct tower *tower) {
    char text[32];
    fprintf(out, "\nwhere the cycles went\n%-16s", "");
    for (unsigned k = 0; k <= tower->count; k++) {
        fprintf(out, " %*u %-*s", 2, k, k < tower->count ? 17 : 0, level_name(tower, k));
    }
    fputc('\n', out);
    for (int c = 0; c <= CAUSE_COUNT; c++) {
        fprintf(out, "%-16s", c < CAUSE_COUNT ? cycle_cause_name((enum cycle_cause)c) : "all");
        for (unsigned k = 0; k <= tower->count; k++) {
            units_grouped(text, c < CAUSE_COUNT ? machine_booked(tower->bare, (int)k, (enum cycle_cause)c)
                                                : machine_booked_level(tower->bare, (int)k));
            fprintf(out, " %20s", text);
        }
        fputc('\n', out);
    }
}

static void print_answer(const struct job *job, const struct tower *tower, enum machine_status status) {
    FILE *out = job->cli->out;
    struct machine_state state;
    struct machine_stats stats, bare;
    uint8_t psw[8];
    char hex[17], a[32], b[32], c[32];
    machine_state(tower->innermost, &state);
    machine_stats(tower->innermost, &stats);
    machine_stats(tower->bare, &bare);
    psw_store(&state.psw, psw, 0, 0);
    bytes_to_hex(hex, psw, sizeof psw);
    units_grouped(a, stats.instructions);
    units_grouped(b, bare.cycles);
    units_grouped(c, bare.cycles * (CYCLE_PICOSECONDS / 1000) / 1000);
    fprintf(out, "stopped: %s, after %s instruction%s and %s cycle%s (%s us, model %s)\n",
            status == MACHINE_IDLE ? "waiting for what will not come" : stop_name(status), a,
            plural(stats.instructions), b, plural(bare.cycles), c, job->model.name);
    fprintf(out, "PSW %.8s %s  %s mode, %s state%s%s, key %X, cc %u, at %06X\n", hex, hex + 8,
            psw_ec(&state.psw) ? "EC" : "BC", psw_problem(&state.psw) ? "problem" : "supervisor",
            psw_dat(&state.psw) ? ", DAT on" : "", psw_wait(&state.psw) ? ", waiting" : "", state.psw.key, state.psw.cc,
            state.psw.ia);
    print_registers(out, "GPR", state.gpr);
    print_registers(out, "CR", state.cr);
    fputs("interruptions:", out);
    const char *separator = " ";
    for (int k = 0; k < INTERRUPTION_CLASSES; k++) {
        if (stats.interruptions[k]) {
            units_grouped(a, stats.interruptions[k]);
            fprintf(out, "%s%s %s", separator, interruption_name((enum interruption_class)k), a);
            separator = ", ";
        }
    }
    fputs(*separator == ' ' ? " none\n" : "\n", out);
    for (unsigned k = 0; k < tower->count; k++) {
        struct vmm_stats monitor;
        vmm_stats(tower->monitor[k], &monitor);
        units_grouped(a, monitor.traps);
        units_grouped(b, monitor.shadow_faults);
        units_grouped(c, machine_booked_level(tower->bare, (int)k));
        fprintf(out, "monitor %u, %s: %s trap%s, %s shadow fault%s, %s cycles\n", k + 1, vmm_kind(tower->monitor[k]), a,
                plural(monitor.traps), b, plural(monitor.shadow_faults), c);
    }
    for (unsigned i = 0; i < job->dump_count; i++) {
        print_dump(out, tower->innermost, &job->dumps[i]);
    }
    if (cli_value(job->cli, "account")) {
        print_account(out, tower);
    }
}

/* --- the command -------------------------------------------------------------------------------------------------- */

static int run_tower(const struct job *job, struct tower *tower) {
    struct machine_limits limits = {.interrupted = cli_interrupted};
    enum machine_status status = MACHINE_READY;
    limits.instructions = job->limit;
    cli_catch_interrupt();
    /* In limits 0 stands for no limit; a user's 0 means not one. */
    if (!job->has_limit || job->limit) {
        status = machine_run(tower->innermost, &limits);
    }
    if (status == MACHINE_FAULT) {
        struct error e = {.kind = ERROR_INTERNAL};
        snprintf(e.text, sizeof e.text, "a supervisor went wrong: %s", machine_fault(tower->innermost));
        return cli_fail(job->cli, &e);
    }
    fflush(job->cli->err);
    if (!job->cli->json) {
        print_answer(job, tower, status);
    } else if (!print_answer_json(job, tower, status)) {
        return ERROR_INTERNAL;
    }
    if (status == MACHINE_READY && cli_interrupted(NULL)) {
        return cli_fail(job->cli, &(struct error){ERROR_BUDGET, "interrupted"});
    }
    return stop_status(status);
}

static int run_exec(struct cli *cli) {
    struct job job = {.cli = cli};
    int status = ERROR_INPUT;
    if (read_job(&job)) {
        struct error e = ERROR_CLEAR;
        struct tower tower = {0};
        struct machine_options options = {.memory_bytes = job.memory_bytes,
                                          .model = &job.model,
                                          .nominal_time = true,
                                          .profile = job.profile,
                                          .console_line = print_line,
                                          .printer_line = print_line,
                                          .line_self = cli->err,
                                          .forget_lines = true};
        if (!tower_new(&tower, &options, job.kinds, job.kind_count, &e)) {
            status = cli_fail(cli, &e);
        } else {
            status = prepare(&job, &tower, &e) ? run_tower(&job, &tower) : cli_fail(cli, &e);
            tower_free(&tower);
        }
    }
    free_job(&job);
    return status;
}

static const struct cli_option options[] = {
    {"at", 0, "ADDR", false, "where to load the image (hex; default 0)"},
    {"memory", 0, "SIZE", false, "storage: 64K, 2M, ... (default 1M)"},
    {"psw", 0, "HEX16", false, "start with this PSW"},
    {"restart", 0, NULL, false, "start with a restart interruption, from\nthe PSW at 0 (the default)"},
    {"profile", 0, "NAME", false, "instruction set: s370 (the default) or flawed"},
    {"set", 0, "ADDR=HEX", true, "store these bytes after loading;\nmay be repeated"},
    {"gpr", 0, "N=HEX", true, "set general register N, decimal;\nmay be repeated"},
    {"cr", 0, "N=HEX", true, "set control register N, decimal;\nmay be repeated"},
    {"model", 0, "NAME", false, "cost model: s370 (the default) or flat"},
    {"account", 0, NULL, false, "print the cycles by level and cause"},
    {"under", 0, "KIND[,KIND...]", false, "run under monitors, the lowest first"},
    {"max-instructions", 0, "N", false, "stop after N instructions and interruptions"},
    {"dump", 0, "ADDR:LENGTH", true, "print storage at the end, both hex;\nmay be repeated"},
    {NULL, 0, NULL, false, NULL},
};

const struct cli_command cli_exec = {
    .name = "exec",
    .summary = "run a raw storage image on a bare machine or under monitors",
    .usage = "IMAGE [OPTION]...",
    .details = "Loads IMAGE, raw bytes, into real storage and runs it until a disabled wait, a\n"
               "check-stop or the limit; prints PSW, registers, counts and dumps of the machine,\n"
               "under monitors those of the innermost one. Console (009) and printer (00E) lines\n"
               "go to standard error. Exit status: 0 disabled wait, 1 check-stop, 3 limit, an\n"
               "enabled wait that nothing can end, or Ctrl-C.\n",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run_exec,
};
