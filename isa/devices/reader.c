/* Card reader, IBM 3505. Its hopper is empty: every read ends with intervention required. */
#include <stdlib.h>

#include "isa/devices/devices_internal.h"

enum { READ_MASK = 0x3F, READ = 0x02 };

static void reader_command(struct device *d, struct device_command *c) {
    static const uint8_t id[] = {0xFF, 0x28, 0x21, 0x01, 0x35, 0x05, 0x01};
    if ((c->code & READ_MASK) == READ) { /* X'02', X'42', X'82', X'C2': the stackers */
        d->sense[0] = SENSE_INTERVENTION_REQUIRED;
        c->status = UNIT_CHECK;
        return;
    }
    switch (c->code) {
    case COMMAND_NO_OPERATION: device_done(c, 0, 0); break;
    case COMMAND_SENSE: device_sense(d, c); break;
    case COMMAND_SENSE_ID: device_deliver(c, id, sizeof id, 0); break;
    default: device_reject(d, c, UNIT_CHECK); break;
    }
}

static void reader_free(struct device *d) { free(d); }

static const struct device_ops reader_ops = {"3505", reader_command, NULL, reader_free};

struct device *reader_new(void) {
    struct device *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->ops = &reader_ops;
    d->sense_length = 4;
    return d;
}
