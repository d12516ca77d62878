/* Card reader, IBM 3505.
 *
 * What lies in the hopper is a queue of cards and of ends of decks. A card is read from the reader's buffer at once;
 * the next one is brought there by a feed, which is what takes time. */
#include <stdlib.h>

#include "isa/assembler.h"
#include "isa/devices/devices_internal.h"

enum {
    READER_READ = 0x02, /* and, by stacker, X'42', X'82', X'C2' */
    READER_FEED = 0x23, /* and X'63', X'A3', X'E3' */
    STACKER_MASK = 0x3F,
    TAB_COLUMNS = 8,
    ENTRY_CARD = 0,
    ENTRY_END = 1,
    EBCDIC_BLANK = 0x40,
};

struct hopper_entry {
    uint8_t kind;
    uint8_t card[READER_COLUMNS];
};

struct reader {
    struct device device;
    uint64_t card_cycles;
    struct bytes hopper; /* of struct hopper_entry */
    size_t taken;        /* bytes of it that are gone */
    bool stopped;        /* a program was told that intervention is required */
};

static struct reader *reader_of(const struct device *d) { return (struct reader *)d; }

static const struct hopper_entry *next_entry(struct reader *r) {
    if (r->taken == r->hopper.length)
        return NULL;
    const struct hopper_entry *entry = (const struct hopper_entry *)(r->hopper.data + r->taken);
    r->taken += sizeof *entry;
    return entry;
}

static void read_card(struct reader *r, struct device_command *c) {
    const struct hopper_entry *entry = next_entry(r);
    if (!entry) {
        r->hopper.length = r->taken = 0;
        r->stopped = true;
        r->device.sense[0] = SENSE_INTERVENTION_REQUIRED;
        c->status = UNIT_CHECK;
    } else if (entry->kind == ENTRY_END) {
        c->status = UNIT_CHANNEL_END | UNIT_DEVICE_END | UNIT_EXCEPTION;
    } else {
        device_deliver(c, entry->card, READER_COLUMNS, r->card_cycles);
        c->alone = c->cycles;
    }
}

static void reader_command(struct device *d, struct device_command *c) {
    static const uint8_t id[] = {0xFF, 0x28, 0x21, 0x01, 0x35, 0x05, 0x01};
    struct reader *r = reader_of(d);
    if ((c->code & STACKER_MASK) == READER_READ) {
        read_card(r, c);
        return;
    }
    if ((c->code & STACKER_MASK) == READER_FEED) { /* the card that was read goes to another stacker */
        device_done(c, 0, 0);
        return;
    }
    switch (c->code) {
    case COMMAND_NO_OPERATION: device_done(c, 0, 0); break;
    case COMMAND_SENSE: device_sense(d, c); break;
    case COMMAND_SENSE_ID: device_deliver(c, id, sizeof id, 0); break;
    default: device_reject(d, c, UNIT_CHANNEL_END | UNIT_DEVICE_END | UNIT_CHECK); break;
    }
}

static bool reader_immediate(uint8_t code) { return (code & STACKER_MASK) == READER_FEED; }

static void reader_archive(struct device *d, struct archive *a) {
    struct reader *r = reader_of(d);
    archive_buffer(a, &r->hopper, SIZE_MAX, "the hopper");
    archive_size(a, &r->taken, r->hopper.length, "how many cards are taken");
    archive_bool(a, &r->stopped);
    if (r->hopper.length % sizeof(struct hopper_entry) || r->taken % sizeof(struct hopper_entry)) {
        r->hopper.length = r->taken = 0;
        archive_fail(a, "the hopper does not hold whole cards");
    }
}

static void reader_free(struct device *d) {
    bytes_fini(&reader_of(d)->hopper);
    free(d);
}

static const struct device_ops reader_ops = {.type = "3505",
                                             .command = reader_command,
                                             .immediate = reader_immediate,
                                             .free = reader_free,
                                             .archive = reader_archive};

struct device *reader_new(const struct cost_model *model) {
    struct reader *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->device.ops = &reader_ops;
    r->device.sense_length = 4;
    r->card_cycles = model->reader_card;
    return &r->device;
}

/* --- decks -------------------------------------------------------------------------------------------------------- */

/* The deck that was put into the hopper from `before` on is complete, or taken out again. */
static bool end_deck(struct reader *r, size_t before, bool eof, struct error *e) {
    if (eof)
        bytes_append(&r->hopper, &(struct hopper_entry){.kind = ENTRY_END}, sizeof(struct hopper_entry));
    if (r->hopper.failed) {
        r->hopper.length = before;
        r->hopper.failed = false;
        return error_set(e, ERROR_INTERNAL, "no memory for a deck of cards");
    }
    if (r->stopped && r->hopper.length > before) {
        r->stopped = false;
        channel_device_end(&r->device);
    }
    return true;
}

bool reader_load(struct device *d, const uint8_t *cards, size_t length, bool eof, struct error *e) {
    struct reader *r = reader_of(d);
    size_t before = r->hopper.length;
    if (length % READER_COLUMNS != 0)
        return error_set(e, ERROR_INPUT, "a deck of %zu bytes is not a whole number of cards of %d", length,
                         READER_COLUMNS);
    for (size_t at = 0; at < length; at += READER_COLUMNS) {
        struct hopper_entry entry = {.kind = ENTRY_CARD};
        memcpy(entry.card, cards + at, READER_COLUMNS);
        bytes_append(&r->hopper, &entry, sizeof entry);
    }
    return end_deck(r, before, eof, e);
}

/* Punches one line; false: it is too long. */
static bool punch(struct hopper_entry *entry, const char *line, size_t length) {
    size_t column = 0;
    entry->kind = ENTRY_CARD;
    memset(entry->card, EBCDIC_BLANK, sizeof entry->card);
    for (size_t i = 0; i < length; i++) {
        if (line[i] == '\t') {
            column = (column / TAB_COLUMNS + 1) * TAB_COLUMNS;
            continue;
        }
        if (column >= READER_COLUMNS)
            return false;
        entry->card[column++] = ebcdic_from_latin1[(uint8_t)line[i]];
    }
    return true;
}

bool reader_load_text(struct device *d, const char *text, size_t length, bool eof, struct error *e) {
    struct reader *r = reader_of(d);
    size_t before = r->hopper.length, line = 1;
    for (size_t at = 0; at < length; line++) {
        struct hopper_entry entry;
        const char *end = memchr(text + at, '\n', length - at);
        size_t next = end ? (size_t)(end - text) + 1 : length, stop = end ? next - 1 : length;
        if (stop > at && text[stop - 1] == '\r')
            stop--;
        if (!punch(&entry, text + at, stop - at)) {
            r->hopper.length = before;
            return error_set(e, ERROR_INPUT, "line %zu of the deck is longer than the %d columns of a card", line,
                             READER_COLUMNS);
        }
        bytes_append(&r->hopper, &entry, sizeof entry);
        at = next;
    }
    return end_deck(r, before, eof, e);
}

size_t reader_cards(const struct device *d) {
    const struct reader *r = reader_of(d);
    size_t cards = 0;
    for (size_t at = r->taken; at < r->hopper.length; at += sizeof(struct hopper_entry))
        cards += r->hopper.data[at] == ENTRY_CARD;
    return cards;
}
