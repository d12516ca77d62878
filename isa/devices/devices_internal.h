/* What the devices of isa/devices/ have in common: answers to commands, sense data, and printed text. */
#ifndef ISA_DEVICES_INTERNAL_H
#define ISA_DEVICES_INTERNAL_H

#include "isa/channel.h"

enum device_common_command {
    COMMAND_NO_OPERATION = 0x03,
    COMMAND_SENSE = 0x04,
    COMMAND_SENSE_ID = 0xE4,
};
enum device_sense_bit { /* sense byte 0 */
                        SENSE_COMMAND_REJECT = 0x80,
                        SENSE_INTERVENTION_REQUIRED = 0x40,
                        SENSE_EQUIPMENT_CHECK = 0x10,
};

/* The command was done, with `used` of its bytes, and takes so many cycles. */
static inline void device_done(struct device_command *c, uint32_t used, uint64_t cycles) {
    c->used = used;
    c->status = UNIT_CHANNEL_END | UNIT_DEVICE_END;
    c->cycles = cycles;
}

/* Command reject, with the unit status that this kind of device gives. */
static inline void device_reject(struct device *d, struct device_command *c, uint8_t status) {
    d->sense[0] = SENSE_COMMAND_REJECT;
    c->status = status;
}

/* Answers a read or sense command with a record of `length` bytes. */
static inline void device_deliver(struct device_command *c, const uint8_t *record, uint32_t length, uint64_t cycles) {
    uint32_t used = c->count < length ? c->count : length;
    memcpy(c->data, record, used);
    c->more = used < length;
    device_done(c, used, cycles);
}

/* Sense: delivers the sense data and clears them. */
static inline void device_sense(struct device *d, struct device_command *c) {
    device_deliver(c, d->sense, d->sense_length, 0);
    memset(d->sense, 0, sizeof d->sense);
}

/* What a device has written, ISO 8859-1. Each line is announced when it is complete, and then kept, or forgotten where
 * nobody will ask for it. */
enum { DEVICE_LINE_MOST = 1 << 16 }; /* bytes; a line that becomes longer is ended, so that each is announced */
struct device_text {
    struct bytes text;
    size_t line_begin; /* of the unfinished line, in text */
    device_line *line; /* may be NULL */
    void *line_self;
    bool forget;
};
void device_text_add(struct device_text *t, const void *from, size_t length);
void device_text_end_line(struct device_text *t);
void device_text_archive(struct device_text *t, struct archive *a);

/* A character of code page 037 as ISO 8859-1, or `otherwise` when it is a control character. */
static inline uint8_t printable(uint8_t latin1, uint8_t otherwise) {
    return (latin1 >= 0x20 && latin1 <= 0x7E) || latin1 >= 0xA0 ? latin1 : otherwise;
}

#endif
