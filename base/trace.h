/* Trace: one typed event bus, from whoever does something to whoever watches.
 *
 * Producers ask `trace_wants` first, so that with no subscriber an event costs a branch. Subscribers are the terminal
 * UI, writers, checkers and Lua callbacks; they are called in order of subscription, synchronously, and must not change
 * what they watch. Events carry simulated time only, so a trace is the same, byte for byte, in every run. */
#ifndef BASE_TRACE_H
#define BASE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* One row a kind: enumerator, name in JSON, and the names of its values in JSON; NULL: not used. Values are numbers,
 * written in hexadecimal where the name ends in '*' (the star is not part of the name). `text` is the name of the
 * string value. */
// clang-format off
#define TRACE_KINDS(KIND)                                                                                            \
    /*   enumerator    "kind"         a            b         c          text */                                      \
    KIND(INSTRUCTION, "instruction", "address*", "length", "cost", "text")      /* before it is executed */          \
    KIND(INTERRUPTION, "interruption", "code*", "old_address*", "new_address*", "class") /* a PSW swap was done */   \
    KIND(ACTIVATION, "activation", "class", "supervisor", NULL, NULL)           /* a C supervisor was entered */     \
    KIND(CELL, "cell", "address*", NULL, NULL, "text")                          /* it executes a privileged cell */  \
    KIND(TRAP, "trap", "code*", "address*", "detail*", "cause")                 /* a monitor classified an exit */   \
    KIND(INTERPRET, "interpret", "address*", "mnemonic_code*", NULL, "text")    /* a privileged one was interpreted */ \
    KIND(REFLECT, "reflect", "code*", "old_address*", "new_address*", "class")  /* an interruption given to a VM */  \
    KIND(SHADOW_FILL, "shadow_fill", "virtual*", "guest_real*", "host_real*", NULL) /* a shadow entry made valid */  \
    KIND(SHADOW_PURGE, "shadow_purge", "spaces", NULL, NULL, "cause")           /* shadow entries made invalid */    \
    KIND(DISPATCH, "dispatch", "address*", "cr1*", "problem", NULL)             /* a VM is about to run */           \
    KIND(WALK, "walk", "virtual*", "real*", "code*", NULL)                      /* a DAT walk after a TLB miss */    \
    KIND(IO_START, "io_start", "device*", "condition", "ccw*", "instruction")   /* an I/O instruction ended */       \
    KIND(IO_END, "io_end", "device*", "status*", "residual", NULL)              /* a device presented status */      \
    KIND(SIGNAL, "signal", "order*", "cpu_address", "condition", "name")        /* SIGP was executed */              \
    KIND(CONSOLE, "console", "device*", NULL, NULL, "line")                     /* a line was written */             \
    KIND(STOP, "stop", "address*", NULL, NULL, "reason")                        /* a machine stopped */
// clang-format on

enum trace_kind {
#define TRACE_ENUM(id, ...) TRACE_##id,
    TRACE_KINDS(TRACE_ENUM)
#undef TRACE_ENUM
        TRACE_KIND_COUNT
};

struct trace_event {
    enum trace_kind kind;
    uint64_t cycle;      /* of the bare machine */
    const char *machine; /* whose event; borrowed for the call */
    int level;           /* 0: the bare machine, 1: a VM on it, … */
    unsigned cpu;        /* CPU address, of the bare machine */
    uint64_t a, b, c;
    const char *text; /* may be NULL; borrowed for the call */
};

typedef void trace_function(void *self, const struct trace_event *event);

struct trace;

struct trace *trace_new(void); /* NULL when there is no memory */
void trace_free(struct trace *t);
/* Calls `function` for every event whose kind's bit (1 << kind) is in `kinds`. Returns a handle for
 * trace_unsubscribe, or -1 when there is no memory. */
int trace_subscribe(struct trace *t, uint32_t kinds, trace_function *function, void *self);
void trace_unsubscribe(struct trace *t, int handle);

/* The union of all subscribed kinds, readable without a call. */
struct trace_head {
    uint32_t kinds;
};
static inline bool trace_wants(const struct trace *t, enum trace_kind kind) {
    return t && ((const struct trace_head *)(const void *)t)->kinds >> kind & 1;
}
void trace_emit(struct trace *t, const struct trace_event *event);
/* While it is mute nobody wants anything: what happens has been told before. t may be NULL. */
void trace_mute(struct trace *t, bool mute);

/* Appends the event as one line of JSON, with a newline, to *to; keys in a fixed order: cycle, machine, level, cpu
 * (where it is not 0), kind, then the kind's own values. The schema is documented in docs/trace.md. */
struct bytes;
void trace_to_json(struct bytes *to, const struct trace_event *event);

/* A writer: appends JSON lines to a file that gets its name when it is closed (beside and renamed). `kinds` as for
 * trace_subscribe. NULL and *e when the folder of `path` is not writable. */
struct trace_writer;
struct trace_writer *trace_writer_open(struct trace *t, uint32_t kinds, const char *path, struct error *e);
/* Unsubscribes, writes, frees; false and *e when the file could not be written. */
bool trace_writer_close(struct trace_writer *w, struct error *e);

#endif
