/* Console typewriter, IBM 3215.
 *
 * What programs write is one text, and each line of it is announced when it is complete: a line begun by a write
 * without carrier return goes on until a write with one, or an X'15' among the data. What the operator types is a
 * queue of lines; a read inquiry takes the first, and waits while there is none. */
#include <stdlib.h>

#include "isa/assembler.h"
#include "isa/devices/devices_internal.h"

enum {
    CONSOLE_WRITE = 0x01,
    CONSOLE_WRITE_RETURN = 0x09,
    CONSOLE_READ_INQUIRY = 0x0A,
    CONSOLE_ALARM = 0x0B,

    CONSOLE_WRITE_MOST = 150, /* characters in one command */
    EBCDIC_NEW_LINE = 0x15,
    LENGTH_BYTES = 4, /* before each line in `typed` */
};

struct console {
    struct device device;
    uint64_t character_cycles;
    struct device_text text;
    struct bytes typed; /* lines in EBCDIC, each behind its length */
    size_t typed_taken; /* bytes of `typed` already read */
    bool cancelled;     /* the read inquiry that waited */
};

static struct console *console_of(const struct device *d) { return (struct console *)d; }

static void write_text(struct console *t, struct device_command *c, bool carrier_return) {
    uint32_t used = c->count < CONSOLE_WRITE_MOST ? c->count : CONSOLE_WRITE_MOST;
    for (uint32_t i = 0; i < used; i++) {
        uint8_t character = printable(latin1_from_ebcdic[c->data[i]], '.');
        if (c->data[i] == EBCDIC_NEW_LINE)
            device_text_end_line(&t->text);
        else
            device_text_add(&t->text, &character, 1);
    }
    if (carrier_return)
        device_text_end_line(&t->text);
    device_done(c, used, used * t->character_cycles);
}

static void read_inquiry(struct console *t, struct device_command *c) {
    if (t->cancelled) {
        t->cancelled = false;
        c->status = UNIT_CHANNEL_END | UNIT_DEVICE_END | UNIT_EXCEPTION;
        return;
    }
    if (t->typed_taken == t->typed.length) {
        c->wait = true;
        return;
    }
    const uint8_t *line = t->typed.data + t->typed_taken;
    uint32_t length = bytes_get32(line);
    device_deliver(c, line + LENGTH_BYTES, length, 0);
    c->cycles = c->used * t->character_cycles;
    t->typed_taken += LENGTH_BYTES + length;
    if (t->typed_taken == t->typed.length)
        t->typed_taken = t->typed.length = 0;
}

static void console_command(struct device *d, struct device_command *c) {
    static const uint8_t id[] = {0xFF, 0x32, 0x15, 0x00, 0x32, 0x15, 0x00};
    struct console *t = console_of(d);
    switch (c->code) {
    case CONSOLE_WRITE: write_text(t, c, false); break;
    case CONSOLE_WRITE_RETURN: write_text(t, c, true); break;
    case CONSOLE_READ_INQUIRY: read_inquiry(t, c); break;
    case CONSOLE_ALARM:
    case COMMAND_NO_OPERATION: device_done(c, 0, 0); break;
    case COMMAND_SENSE: device_sense(d, c); break;
    case COMMAND_SENSE_ID: device_deliver(c, id, sizeof id, 0); break;
    default: device_reject(d, c, UNIT_CHANNEL_END | UNIT_DEVICE_END | UNIT_CHECK); break;
    }
}

static bool console_immediate(uint8_t code) { return code == CONSOLE_ALARM; }

static void console_reset(struct device *d) { console_of(d)->cancelled = false; }

/* The lines in `typed` are whole, and what is taken are some of them. */
static bool typed_lines(const struct console *t) {
    size_t at = 0;
    bool taken = t->typed_taken == 0;
    while (t->typed.length - at >= LENGTH_BYTES && bytes_get32(t->typed.data + at) <= UINT16_MAX &&
           bytes_get32(t->typed.data + at) <= t->typed.length - at - LENGTH_BYTES) {
        at += LENGTH_BYTES + bytes_get32(t->typed.data + at);
        taken = taken || at == t->typed_taken;
    }
    return at == t->typed.length && taken;
}

static void console_archive(struct device *d, struct archive *a) {
    struct console *t = console_of(d);
    device_text_archive(&t->text, a);
    archive_buffer(a, &t->typed, SIZE_MAX, "what was typed");
    archive_size(a, &t->typed_taken, t->typed.length, "how much of what was typed is taken");
    archive_bool(a, &t->cancelled);
    if (a->loading && !a->failed && !typed_lines(t)) {
        t->typed.length = t->typed_taken = 0;
        archive_fail(a, "what was typed is not whole lines");
    }
}

static void console_free(struct device *d) {
    struct console *t = console_of(d);
    bytes_fini(&t->text.text);
    bytes_fini(&t->typed);
    free(t);
}

static const struct device_ops console_ops = {.type = "3215",
                                              .command = console_command,
                                              .immediate = console_immediate,
                                              .free = console_free,
                                              .reset = console_reset,
                                              .archive = console_archive};

struct device *console_new(const struct cost_model *model, device_line *line, void *self, bool forget) {
    struct console *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->device.ops = &console_ops;
    t->device.sense_length = 1;
    t->character_cycles = model->console_character;
    t->text = (struct device_text){.line = line, .line_self = self, .forget = forget};
    return &t->device;
}

const struct bytes *console_text(const struct device *d) { return &console_of(d)->text.text; }

bool console_type(struct device *d, const char *line, size_t length) {
    struct console *t = console_of(d);
    size_t before = t->typed.length;
    uint8_t head[LENGTH_BYTES];
    if (length > UINT16_MAX)
        return false;
    bytes_put32(head, (uint32_t)length);
    bytes_append(&t->typed, head, sizeof head);
    for (size_t i = 0; i < length; i++)
        bytes_append(&t->typed, &ebcdic_from_latin1[(uint8_t)line[i]], 1);
    if (t->typed.failed) {
        t->typed.length = before;
        t->typed.failed = false;
        return false;
    }
    channel_device_ready(d);
    return true;
}

bool console_cancel(struct device *d) {
    bool waited = channel_device_ready(d);
    console_of(d)->cancelled = waited || console_of(d)->cancelled;
    return waited;
}
