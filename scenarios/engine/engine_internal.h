/* What the files of the engine share: the engine's state, budgets, arguments, and the objects that scenarios hold.
 *
 * Two rules hold in all of them. A Lua error jumps over C frames: whatever must be freed is owned by the engine or by a
 * userdata before anything is called that can raise. And once a budget is used up the engine has `expired`: from then
 * on every hook, every protected call and every resumption raises again, so that no scenario can catch the end. */
#ifndef SCENARIOS_ENGINE_ENGINE_INTERNAL_H
#define SCENARIOS_ENGINE_ENGINE_INTERNAL_H

#include <lauxlib.h>
#include <lua.h>

#include "base/bytes.h"
#include "base/trace.h"
#include "isa/disk.h"
#include "isa/history.h"
#include "isa/machine.h"
#include "scenarios/engine/engine.h"
#include "vmm/map.h"
#include "vmm/story.h"
#include "vmm/vmm.h"

/* One row of a binding: its name in Lua, its C function, and a line of help. */
struct engine_function {
    const char *name;
    lua_CFunction function;
    const char *help;
    int most; /* arguments, a method's object not counted; ENGINE_ANY: as many as one likes */
};
enum { ENGINE_ANY = -1 };
/* The tables of all binding files, for engine_help; `where` as there. */
struct engine_table {
    const char *where;
    const struct engine_function *functions; /* ends with a row without a name */
};
extern const struct engine_table engine_tables[]; /* ends with a row without functions */

struct tree;
struct event_queue;

struct engine {
    struct engine_options options; /* budgets filled in */
    lua_State *L;
    char *folder; /* of the scenario, "" for the current one */

    uint64_t lua_used, lua_bytes, machine_used, storage_bytes, printed_bytes, device_bytes;
    uint64_t made_bytes; /* of files, for disks and of pages */
    bool expired;
    struct error end; /* why it expired */
    unsigned close_depth;

    struct trace *trace;
    struct trace_writer *writer;
    int subscription; /* of the events that handlers want; -1: none */
    uint32_t wanted;  /* their kinds */
    struct event_queue *queue;
    bool again;               /* what happens is known to the handlers */
    uint64_t collected_bytes; /* lua_bytes after the watcher's last collection */
    lua_State *active;        /* whose m:run is in progress; NULL: none is */
    bool evaluating;          /* for the watcher: its runs are not the watcher's to hold */
    bool delivery_failed;     /* the error is to be raised when the run returns; it lies in the registry */
    bool running, faulted;    /* events of a running machine are being handed out; a monitor went wrong */

    struct tree *trees;
    unsigned made[MACHINE_LEVELS];    /* machines without a name of their own, by level: for names */
    unsigned clones, numbered_clones; /* how many trees were copied, and machines of them with a number: for names */

    struct engine_check *checks;
    size_t check_count, check_room;
    int in_check;                     /* a check's function is running */
    struct engine_lab *lab, *new_lab; /* the second: while it is being read */
};

static inline struct engine *engine_of(lua_State *L) { return *(struct engine **)lua_getextraspace(L); }

/* --- engine.c: budgets and output --- */

/* Charges n Lua instructions; raises when the budget is used up or the user wants to stop. Library functions call it
 * for the work they do, and every few microseconds: an instruction stands for some 5 to 20 nanoseconds. */
void engine_charge(lua_State *L, uint64_t n);
/* Ends the run: sets why, and raises what nothing can catch. */
int engine_expire(lua_State *L, enum error_kind kind, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The hook as it is until the end of the run. */
void engine_restore_hook(struct engine *engine);
/* Raises again after the end. */
int engine_raise_end(lua_State *L);
/* Prints; control characters other than newline and tab become dots. */
void engine_print(lua_State *L, const char *text, size_t length);
/* Prints our own text as it is, colours included. */
void engine_print_plain(lua_State *L, const char *text);
/* An empty buffer on the top of the stack, freed by the collector: for text that is built across calls that can raise.
 */
struct bytes *engine_scratch(lua_State *L);
/* Replaces the scratch on the top of the stack by its text as a Lua string. */
void engine_push_scratch(lua_State *L, struct bytes *scratch);

/* --- sandbox_base.c: the basic library and coroutines, made safe; sandbox_string.c, sandbox_table.c: so are these ---
 */

void sandbox_open_base(lua_State *L);
void sandbox_open_string(lua_State *L);
void sandbox_open_table(lua_State *L);
/* tostring without host addresses: pushes the text of the value. */
const char *sandbox_text(lua_State *L, int index, size_t *length);
/* A NaN has a sign, which depends on the host and would be printed: makes the value at `index` the one without. */
void sandbox_clear_nan_sign(lua_State *L, int index);
/* Calls the library's function in upvalue 1 with all that is on the stack; the number of results, which are the stack.
 */
int sandbox_call_original(lua_State *L);
struct sandbox_wrapper {
    const char *name;
    lua_CFunction function; /* its upvalue 1 is what it replaces */
};
/* Puts wrappers, up to a row without a name, into the library on the top of the stack. */
void sandbox_wrap(lua_State *L, const struct sandbox_wrapper *wrappers);
/* Whether the pattern is found anywhere in the subject (both strings on the stack). */
bool sandbox_matches(lua_State *L, int subject, int pattern);
/* Adds the functions to the table on the top of the stack. */
void engine_add_functions(lua_State *L, const struct engine_function *functions);
/* Makes the metatable `name` with the methods of these tables (up to a NULL; may be NULL), closed to scenarios; pushes
 * nothing. `index` has the table of methods as its upvalue. */
void engine_new_class(lua_State *L, const char *name, const struct engine_function *const *methods, lua_CFunction index,
                      lua_CFunction newindex, lua_CFunction gc, lua_CFunction text);

/* --- arguments.c: reading arguments and option tables, with messages that name them --- */

/* Raises "what is got; it takes accepts". */
int arguments_refuse(lua_State *L, int index, const char *what, const char *accepts);
/* A whole number (also a float without a fraction) in least..most. */
lua_Integer arguments_integer(lua_State *L, int index, const char *what, lua_Integer least, lua_Integer most);
/* A number, or a text like "64K". */
uint64_t arguments_size(lua_State *L, int index, const char *what, uint64_t least, uint64_t most);
const char *arguments_text(lua_State *L, int index, const char *what, size_t *length);
/* A string that can be the name of a file: not empty, and without the NUL at which the host would end it. */
const char *arguments_file(lua_State *L, int index, const char *what);
bool arguments_flag(lua_State *L, int index, const char *what);
enum profile arguments_profile(lua_State *L, int index, const char *what);
/* Checks that the value is a table (or, where `optional`, absent: false) and has no keys but these. */
bool arguments_table(lua_State *L, int index, const char *what, const char *const *keys, bool optional);
/* Writes a short description of the value for messages: quoted text, numbers, or the type. */
const char *arguments_describe(lua_State *L, int index, char *to, size_t size);

/* --- files.c: the files that a scenario may read --- */

/* Finds `path`, relative to the scenario's folder, then to the library; only regular files below one of the two. Writes
 * the path to open. */
bool files_find(const struct engine *engine, const char *path, char *to, size_t size, struct error *e);
/* The path of a file that is the scenario's own to write: in its folder or below. Whether there is one goes to *exists.
 */
bool files_own(const struct engine *engine, const char *path, char *to, size_t size, bool *exists, struct error *e);
/* Reads a file that was found, or one that a found one names. */
bool files_read(const struct engine *engine, const char *path, size_t most, struct bytes *to, struct error *e);

/* --- objects.c: machines and monitors that scenarios hold ---
 *
 * A tree is a bare machine with all that runs on it. It lives while any handle to any part of it lives, whatever order
 * the collector takes, and is taken down from the top: monitors in the reverse order of their making, then the machine.
 */

struct monitor;
enum { NODE_NAME = 40 };
struct node { /* a machine of a tree */
    struct node *next;
    struct tree *tree;
    struct machine *machine;
    struct node *host;       /* NULL: bare */
    struct monitor *monitor; /* whose guest it is; NULL: bare */
    char name[NODE_NAME];
    bool started;
    uint32_t wanted;      /* kinds of events that its handlers want */
    uint32_t disk_blocks; /* of its own disk at ADDRESS_DISK; 0: it has none (objects_disk) */
    struct story *story;  /* of its traps; NULL: nobody follows it */
    unsigned number;      /* of a guest of a hypervisor in assembler */
};
struct program {
    struct program *next; /* loaded before */
    const struct node *node;
    struct source_map *map;
};
struct monitor {
    struct monitor *next; /* made before */
    struct tree *tree;
    struct node *on;
    struct vmm *vmm;
    struct map *map; /* of a hypervisor in assembler, instead of vmm */
};
struct tree {
    struct tree *next;
    struct engine *engine;
    unsigned handles;
    bool closed;            /* by the scenario: only handles are left */
    bool watched;           /* one of the handles is the watcher's */
    uint64_t storage_bytes; /* of the bare machine and of disks: what counts in the budget */
    struct cost_model model;
    struct machine *bare;
    struct node *nodes;
    struct monitor *monitors; /* the last made first */
    struct program *programs; /* that were loaded, the last first, with a watcher */
    struct history *history;  /* NULL: it is not kept */
    bool history_watched;     /* the watcher has begun it */
    uint64_t history_bytes;   /* that it may take, part of storage_bytes */
    uint64_t replayed;        /* of history_stats, as charged so far */
};

/* What a scenario holds; all classes share it. */
struct handle {
    struct tree *tree; /* NULL until it is complete */
    struct node *node;
    struct monitor *monitor;
    int part; /* which registers, which device */
};

#define CLASS_MACHINE "cloud370.machine"
#define CLASS_VMM "cloud370.vmm"
#define CLASS_CONSOLE "cloud370.console"
#define CLASS_PRINTER "cloud370.printer"
#define CLASS_READER "cloud370.card reader"
#define CLASS_DISK "cloud370.disk"
#define CLASS_RESOURCES "cloud370.resource check"
#define CLASS_FOLLOWER "cloud370.follower"
#define CLASS_ASSEMBLY "cloud370.assembly"

/* Makes sure that so many bytes of storage more are within the budget; raises when they are not. */
void objects_make_room(lua_State *L, uint64_t bytes, const char *what);
/* Counts a file that the run makes: all of them together are within the budget of storage, whatever becomes of them. */
void engine_count_made(lua_State *L, uint64_t bytes, const char *who);
/* Pushes a handle of this class, not yet complete; its user value 1 keeps what it stands on, 2 is free. */
struct handle *objects_push(lua_State *L, const char *class);
/* Completes a handle. */
void objects_hold(struct handle *h, struct tree *tree, struct node *node, struct monitor *monitor);
/* Makes a tree whose bare machine is options->name, or a free name; the handle on the top of the stack holds it. */
struct node *objects_new_tree(lua_State *L, struct handle *h, const struct machine_options *options, const char *model,
                              const char *what);
struct monitor *objects_new_monitor(lua_State *L, struct handle *h, struct node *on, const char *kind,
                                    const struct monitor_options *options);
struct node *objects_new_guest(lua_State *L, struct handle *h, struct monitor *monitor,
                               const struct guest_options *options);
/* Guest `number` of the hypervisor in assembler that was loaded into `on`, as map_guest has it; pushes its handle. */
void objects_push_seen(lua_State *L, struct node *on, unsigned number, uint32_t memory, const char *name);
/* What a monitor, in C or in assembler, is called, and what it counted. */
const char *monitor_kind(const struct monitor *monitor, struct vmm_stats *stats);
/* How many blocks the disk at ADDRESS_DISK has, 0 for none; *first: where it begins on the device that the machine has
 * there. A guest of a hypervisor in assembler has a part of its host's disk, as large as the map says now. */
uint32_t objects_disk(const struct node *node, uint32_t *first);
/* Copies the tree that `node` stands in; h, not yet complete, holds the copy. Returns the node's copy; raises when
 * there is something that cannot be copied. */
struct node *objects_clone(lua_State *L, struct handle *h, const struct node *node);
/* Pushes the machine's handle, the same one every time. */
void objects_push_machine(lua_State *L, struct node *node);
/* The handle at `index`; raises when it is of another class, or closed. */
struct handle *objects_check(lua_State *L, int index, const char *class, const char *what);
/* Pushes a handle on a part of the machine whose handle is at stack 1, which it keeps alive. */
void objects_push_part(lua_State *L, const struct handle *machine, const char *class, int part);
void objects_close(struct tree *tree);
void objects_free_all(struct engine *engine);
int objects_gc(lua_State *L);
/* The machine of this name. */
struct node *objects_find(const struct engine *engine, const char *name);
void objects_open(lua_State *L);

/* --- events.c: from the trace to a scenario's handlers ---
 *
 * An event may arise on a foreign stack in the middle of an instruction, where Lua must not run. So events are queued,
 * and handed to the handlers when the machine pauses; a full queue makes it pause. */

struct event_queue *events_new(void);
void events_free(struct event_queue *q);
void events_clear(struct event_queue *q);
bool events_full(const struct event_queue *q);
/* m:on(kind, function): stack 1 the machine's handle, 2 the kind, 3 the function. */
int events_on(lua_State *L);
/* Calls the handlers of everything queued. */
void events_deliver(lua_State *L);

/* --- one binding file per layer; each opens its globals --- */

void lua_open_machine(lua_State *L);
void lua_open_cpu(lua_State *L);
void lua_open_devices(lua_State *L);
void lua_open_vmm(lua_State *L);
void lua_open_properties(lua_State *L);
void lua_open_isomorphism(lua_State *L);
void lua_open_assemble(lua_State *L);
void lua_open_check(lua_State *L);
void lua_open_report(lua_State *L);
void lua_open_lab(lua_State *L);
void lua_open_classify(lua_State *L);
extern const struct engine_function machine_functions[], machine_methods[], state_methods[], cpu_methods[],
    operator_methods[], history_methods[], story_methods[], console_methods[], printer_methods[], reader_methods[],
    disk_methods[], vmm_functions[], vmm_methods[], property_functions[], property_machine_methods[],
    property_monitor_methods[], resources_methods[], isomorphism_functions[], follower_methods[], assemble_functions[],
    assembly_methods[], check_functions[], expect_methods[], report_functions[], lab_functions[], random_functions[],
    random_methods[], base_functions[], classify_functions[];
struct assembly;
/* --- watch.c: for the watcher --- */

/* A program was loaded. */
void watch_loaded(struct node *node, const struct assembly *a);
/* Of a tree that goes away. */
void watch_forget(struct tree *tree);
/* The machine's place in the scenario; NULL: it is none of the scenario's. */
struct node *watch_node(const struct engine *engine, const struct machine *m);
/* Calls function(argument) where the scenario is now, protected, with a budget of its own: what it uses up is not the
 * scenario's affair. False and *e, one line. */
bool watch_call(struct engine *engine, lua_CFunction function, void *argument, struct error *e);
/* --- lua_lab.c --- */

void lab_free(struct engine *engine);

/* The assembly in the userdata at `index`, or NULL. */
const struct assembly *lua_to_assembly(lua_State *L, int index);
/* Prints the line that sums the checks up, when there were any. */
void check_print_summary(lua_State *L);

/* The node of the machine at stack 1. */
struct node *machine_self(lua_State *L, const char *what);
/* Pushes m.position. */
void history_push_position(lua_State *L, const struct handle *h);
/* An address, 0 to X'FFFFFF'. */
uint32_t machine_address(lua_State *L, int index, const char *what);
/* A device's address, as "150" or a number. */
uint16_t machine_device_address(lua_State *L, int index, const char *what);
/* Pushes a row of the map f. */
struct isomorphism_row;
void isomorphism_push_row(lua_State *L, const struct isomorphism_row *row);
/* Raises inside an event handler. */
void machine_refuse_while_running(lua_State *L, const char *what);
enum { STATE_BYTES_PER_CHARGE = 16 }; /* of storage copied, for one Lua instruction */
/* A guest is started by its monitor, which is started by the machine below: marks it as started, and starts those below
 * that do not run yet. */
void machine_start_hosts(struct node *node);
/* Instructions and interruptions so far. */
uint64_t machine_count(const struct machine *m);
/* Ends the scenario when its machines have used up a budget; used_up: it is known that they have. */
void machine_raise_budget(lua_State *L, const char *who, bool used_up);
/* Parts of the tables that show counts and states. */
void state_set_count(lua_State *L, const char *name, uint64_t n);
void state_set_text(lua_State *L, const char *name, const char *text);
void state_push_registers(lua_State *L, const uint32_t registers[16]);
void state_push_interruptions(lua_State *L, const struct machine_stats *stats);
/* The account of all CPUs (cpu -1), or of one of the bare machine. */
void state_push_account(lua_State *L, const struct tree *tree, int cpu);

/* A PSW as a text of 16 digits; raises when it is none. */
int cpu_read_psw(lua_State *L, int index, const char *what, uint8_t to[8]);
/* Pushes a field of a CPU of the machine at stack 1; false: it has none of that name. */
bool cpu_push_field(lua_State *L, const struct handle *h, unsigned cpu, const char *name);
const char *cpu_field_names(void);
/* Sets the PSW to the text at `index`. */
void cpu_set_psw(lua_State *L, const struct handle *h, unsigned cpu, int index, const char *what);
/* Pushes the list of CPUs of the machine at stack 1. */
void cpu_push_all(lua_State *L, const struct handle *h);

/* The disk that the table of options at `options` (or nothing) asks for, opened but not attached yet: NULL for none.
 * Pushes what owns it. host: the machine below, of a guest; NULL: it is to be a bare one. `who` begins messages. */
struct disk_choice;
struct disk_choice *devices_choose(lua_State *L, int options, const struct node *host, const char *who);
/* Attaches them, and loads the deck that the options have; takes them over. */
void devices_attach(lua_State *L, int options, struct node *node, struct disk_choice *choice, const char *who);

#endif
