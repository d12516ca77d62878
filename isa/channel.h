/* Channels and devices of one machine, bare or virtual: the I/O instructions, channel programs, CSWs and I/O
 * interruptions (Principles of Operation, "Input/Output Operations").
 *
 * The channel set knows nothing of CPUs: whoever owns it (the bare machine, or a monitor for its VM) gives it a way to
 * absolute storage and a timeline, and carries the condition codes, CSWs and interruptions to its CPU. A channel
 * program runs as a whole when it is started; its ending status becomes pending after the modelled time. */
#ifndef ISA_CHANNEL_H
#define ISA_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/archive.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/timeline.h"
#include "base/trace.h"
#include "isa/cost.h"

enum unit_status {
    UNIT_ATTENTION = 0x80,
    UNIT_STATUS_MODIFIER = 0x40,
    UNIT_CONTROL_UNIT_END = 0x20,
    UNIT_BUSY = 0x10,
    UNIT_CHANNEL_END = 0x08,
    UNIT_DEVICE_END = 0x04,
    UNIT_CHECK = 0x02,
    UNIT_EXCEPTION = 0x01,
};

enum channel_status {
    CHANNEL_PCI = 0x80,
    CHANNEL_INCORRECT_LENGTH = 0x40,
    CHANNEL_PROGRAM_CHECK = 0x20,
    CHANNEL_PROTECTION_CHECK = 0x10,
    CHANNEL_DATA_CHECK = 0x08,
    CHANNEL_CONTROL_CHECK = 0x04,
    CHANNEL_INTERFACE_CONTROL_CHECK = 0x02,
    CHANNEL_CHAINING_CHECK = 0x01,
};

/* A device: a struct of functions and a state of its own. One file a device in isa/devices/. */
struct device;
struct device_command {
    uint8_t code;   /* CCW bits 0-7 */
    uint8_t *data;  /* control and write: what the program sent; read and sense: to be filled */
    uint32_t count; /* bytes sent, or room in data; 0 when the command is immediate */
    bool chained;   /* another command of the same channel program came before: `previous` is its code */
    uint8_t previous;
    /* The device's answer; zero before the call. */
    uint32_t used;   /* bytes taken or delivered, 0..count */
    bool more;       /* the device has, or would take, more bytes than that: the length is incorrect */
    bool wait;       /* the device cannot do it yet, and has done nothing: the channel stays busy and offers the same
                      * command again after channel_device_ready; the rest of the answer is ignored */
    uint8_t status;  /* enum unit_status; channel end + device end when all is well */
    uint64_t cycles; /* how long it takes, in cycles of the machine's clock; a multiple of 100 */
    /* Parts of that, multiples of 100. At its end: for how long the device works on without the channel, so that device
     * end comes so much later than channel end; before that: for how long it holds the channel to transfer data. */
    uint64_t alone, burst;
};
struct device_ops {
    const char *type; /* "3215", "1403" */
    void (*command)(struct device *d, struct device_command *c);
    /* Which control commands, beside X'03', transfer no data: their data address is not looked at, and their length
     * cannot be incorrect. May be NULL: no other. */
    bool (*immediate)(uint8_t code);
    void (*free)(struct device *d);
    /* The command that waits, if any, was forgotten by a reset. May be NULL: nothing to be done. */
    void (*reset)(struct device *d);
    /* Its own state, sense data apart; what is loaded is checked. May be NULL: it has none. */
    void (*archive)(struct device *d, struct archive *a);
    /* From now on it remembers (or does no longer) what brief archives leave out, so that they can be loaded. May be
     * NULL: they leave out nothing of it. */
    void (*remember)(struct device *d, bool on);
};
struct device {
    const struct device_ops *ops;
    uint8_t sense[24];
    unsigned sense_length;
    struct subchannel *subchannel; /* the channel set's own: where the device is attached */
};

/* What an I/O instruction's condition code depends on, and how status reaches the program: see docs/devices.md. */
enum channel_conditions {
    /* As in Hercules: SIO gives 0, 2 or 3; all status comes by interruption; channel end and device end together. */
    CHANNEL_CONDITIONS_HERCULES,
    /* As in the Principles of Operation: what SIO sees at once it stores itself; status that is pending refuses another
     * start; channels 1 and up are busy while data are transferred; device end may come after channel end. */
    CHANNEL_CONDITIONS_ARCHITECTURE,
};

/* How a channel set reaches its machine. fetch and store answer with a channel status: 0,
 * CHANNEL_PROGRAM_CHECK (address not installed) or CHANNEL_PROTECTION_CHECK (key). They check and transfer `length`
 * bytes (1..2048, within one 2 KB block) of absolute storage; key 0..15; all or nothing. In a monitor they may suspend
 * the caller, who may never be resumed: nothing is owned across them. They are called only from within
 * channel_start_io, channel_test_io, channel_clear_io, channel_halt_io, channel_test and channel_take_interruption,
 * never from an event of the timeline. */
struct channel_host {
    uint8_t (*fetch)(void *self, uint32_t absolute, unsigned key, void *to, uint32_t length);
    uint8_t (*store)(void *self, uint32_t absolute, unsigned key, const void *from, uint32_t length);
    void *self;
    struct timeline *timeline; /* of the machine's clock, in picoseconds; borrowed */
    /* Called when channel_has_interruption may have become true other than by one of the machine's own I/O
     * instructions: by an event of the timeline, console_type or channel_attention. May be NULL. */
    void (*notify)(void *self);
    enum channel_conditions conditions;
};

struct channel_set;

struct channel_set *channel_set_new(const struct channel_host *host); /* copies *host; NULL: no memory */
void channel_set_free(struct channel_set *s);                         /* frees its devices too */
/* Attaches a device at a 16-bit I/O address; takes it over. False when the address is taken or there is no memory (the
 * device is freed then, too), or device is NULL. */
bool channel_attach(struct channel_set *s, uint16_t address, struct device *device);
struct device *channel_device(const struct channel_set *s, uint16_t address); /* NULL: none */
/* The n-th in order of attachment, and its address; NULL: there are no more. */
struct device *channel_device_at(const struct channel_set *s, unsigned n, uint16_t *address);
/* I/O system reset: everything in progress and pending is forgotten, and sense data too. What a device has printed, or
 * was typed, stays. */
void channel_reset(struct channel_set *s);

/* The I/O instructions; each returns the condition code. `address` is 16 bits. Where *csw is set (condition code 1) the
 * caller stores it at real 64 of its machine: all of it after TIO and CLRIO, and for HIO and HDV under Hercules'
 * conditions; only its status, bits 32-47 at real 68, after SIO and SIOF, and for HIO and HDV under the architecture's.
 * Otherwise it is untouched.
 *
 * A device holds at most one condition of each kind: program-controlled interruption, ending status, device end,
 * attention. A later one of the same kind replaces an earlier one that was not taken. A program-controlled interruption
 * arises when the channel fetches the CCW.
 *
 * Under Hercules' conditions:
 * channel_start_io, SIO and SIOF: 0 started, 2 the device is busy, 3 no such device; never 1, every error ends by
 * interruption. A condition pending does not prevent the start; those of the device's earlier program are forgotten.
 * channel_test_io and channel_clear_io, TIO and CLRIO: 0 available, 1 the oldest condition of the device is in *csw and
 * cleared, 2 busy, 3 none.
 * channel_halt_io, HIO, and channel_halt_device, HDV: 0 a condition is pending, 1 nothing was in progress: *csw is the
 * device's last, which is made pending as well, 2 busy, 3 none. A program that waits for its device (read inquiry) is
 * ended by it.
 * channel_test, TCH: 0 available, 1 a condition is pending on the channel, 3 no device on it.
 *
 * Under the architecture's:
 * SIO: 0 started; 1 the program has ended already (no CCW could be executed, the first command was immediate or was
 * refused by the device, and led to no other), or the device, not its subchannel, has status or is busy: *csw has that,
 * with busy, and it is cleared; 2 the subchannel has a program or its status, or the channel transfers data; 3 none.
 * TIO: as above, and 1 also when the device is busy after channel end (busy), 2 also when the channel transfers data.
 * HIO: 0 status is pending in the subchannel, 1 what the device did, if anything, is ended: *csw is 0, 2 the transfer
 * that held the channel is ended, of whatever device, 3 none. HDV: 2 and nothing ended where that is another device.
 * TCH: 0, 3 as above; 1 a condition is pending on a channel other than 0, 2 the channel transfers data.
 *
 * The device is marked busy last: when the caller is dropped inside fetch or store, the device remains idle and no
 * condition is left behind (what it has already printed stays printed). A channel program is ended by a program check
 * after 65536 accesses to storage (each CCW, and each piece of data within a 2 KB block, is one), so that an endless
 * loop of CCWs ends; a data chain may move at most 1 MB.
 * channel_id, STIDC: 0 and *id, the word for real 168; 3 no device on the channel. */
unsigned channel_start_io(struct channel_set *s, uint16_t address, uint32_t caw, uint64_t *csw);
unsigned channel_test_io(struct channel_set *s, uint16_t address, uint64_t *csw);
unsigned channel_clear_io(struct channel_set *s, uint16_t address, uint64_t *csw);
unsigned channel_halt_io(struct channel_set *s, uint16_t address, uint64_t *csw);
unsigned channel_halt_device(struct channel_set *s, uint16_t address, uint64_t *csw);
unsigned channel_test(struct channel_set *s, uint16_t address);
unsigned channel_id(struct channel_set *s, uint16_t address, uint32_t *id);

/* The first pending I/O interruption on a channel enabled in `channels` (psw_channels): sets address and CSW, and
 * clears it. Lowest channel first, then by arrival. False: there is none. Programs that waited for a device that is
 * ready now are continued here. */
bool channel_take_interruption(struct channel_set *s, uint32_t channels, uint16_t *address, uint64_t *csw);
/* Whether channel_take_interruption has something to do: true also for a program to be continued, after which there may
 * be no interruption yet. */
bool channel_has_interruption(const struct channel_set *s, uint32_t channels);
/* What the device does and has pending, for comparing: its activity (0: none) in the first byte, conditions in the
 * second, the status of their CSWs in the others. 0: no such device. */
uint64_t channel_observe(const struct channel_set *s, uint16_t address);
/* The same for one device, whatever is enabled. False: it has none. */
bool channel_take_from(struct channel_set *s, uint16_t address, uint64_t *csw);
/* Whether the device is busy with something that ends by an event of the timeline. */
bool channel_is_working(const struct channel_set *s, uint16_t address);
/* Presents attention from a device (the operator pressed request). False: no such device. */
bool channel_attention(struct channel_set *s, uint16_t address);
/* Whether something is in progress that will end by itself on the channels in `channels`: a read inquiry for which no
 * line was typed will not. */
bool channel_active(const struct channel_set *s, uint32_t channels);

/* For a device whose programs are run by somebody else (a monitor, on a disk of its own machine): the device is busy
 * from now on, and conditions of its earlier program are forgotten; false: it was busy, or there is none. And what has
 * become of the program: it ended with this CSW, it goes on and this is a program-controlled interruption, or it never
 * began. */
enum channel_progress { CHANNEL_ENDED, CHANNEL_GOES_ON, CHANNEL_NEVER_BEGAN };
bool channel_outside_begin(struct channel_set *s, uint16_t address);
void channel_outside_end(struct channel_set *s, uint16_t address, uint64_t csw, enum channel_progress progress);

/* Saves or restores everything that is in progress and pending, and the devices, which must be the same ones. The
 * timeline is archived by its owner, before. A brief archive holds no blocks of disks; it can be loaded, with what was
 * written meanwhile taken back or done again, when the disks have remembered that since it was made. */
void channel_archive(struct channel_set *s, struct archive *a);
void channel_remember(struct channel_set *s, bool on);

/* Initial program load: runs the channel program at absolute 0 with key 0, by another way to storage (of host, only
 * fetch, store and self), from outside, and at once; nothing becomes pending. The set was reset before. */
enum channel_load_end { CHANNEL_LOAD_ENDED /* *csw is its CSW */, CHANNEL_LOAD_WAITS, CHANNEL_LOAD_NO_DEVICE };
enum channel_load_end channel_load(struct channel_set *s, uint16_t address, const struct channel_host *host,
                                   uint64_t *csw);

/* For devices: the device can now do the command to which it answered `wait`. False, and no effect, when there was
 * none. */
bool channel_device_ready(struct device *d);
/* For devices: presents device end that belongs to no command (the device was made ready). */
void channel_device_end(struct device *d);

/* Devices. `line` is called for each line that was completed (ISO 8859-1 bytes without the line end); may be NULL.
 * Where a device is to `forget`, its lines are not kept after that call. A line of more than 64 KB is ended. */
typedef void device_line(void *self, const char *line, size_t length);
/* Console typewriter, 3215. */
struct device *console_new(const struct cost_model *model, device_line *line, void *self, bool forget);
/* Everything that programs have written so far (but what was forgotten), as ISO 8859-1, lines ended by \n; the last one
 * may be unfinished. Characters that cannot be printed are dots; X'15', new line, ends a line. Borrowed. */
const struct bytes *console_text(const struct device *d);
/* A line that the operator types, ISO 8859-1 without the line end; each read inquiry takes one, and waits until there
 * is one. Does not present attention. False: no memory. */
bool console_type(struct device *d, const char *line, size_t length);
/* The operator presses cancel: a read inquiry that waits for a line ends with unit exception, without one. False, and
 * no effect, when none does. */
bool console_cancel(struct device *d);
/* Line printer, 1403: 132 columns, what goes beyond is lost. `line` is called for blank lines too; a skip to channel 1
 * is one form feed, "\f", in printer_text and the first character of the next line; lines printed over each other
 * (write without space) are joined by \r. Characters that it does not have are blanks. */
struct device *printer_new(const struct cost_model *model, device_line *line, void *self, bool forget);
const struct bytes *printer_text(const struct device *d);
/* The form, from now on at its first line: so many lines a page, 1 to 255, and at which of them the carriage tape has a
 * hole for channels 1 to 12; 0: it has none, and a skip there goes to the first line. holes NULL: the usual tape, as
 * far as the page goes. False: a hole beyond the page, or no such page. A new printer has pages of 66 lines. */
enum { PRINTER_CHANNELS = 12 };
bool printer_set_form(struct device *d, unsigned lines, const uint8_t holes[PRINTER_CHANNELS]);
/* Writes everything printed so far (but what was forgotten) to a file, in UTF-8: the pages with their form feeds. False
 * and *e when it cannot. */
bool printer_save(const struct device *d, const char *path, struct error *e);
/* Card reader, 3505, with an empty hopper. Each read takes a card; with none left it is a unit check, intervention
 * required; the next deck then ends that with device end. */
enum { READER_COLUMNS = 80 };
struct device *reader_new(const struct cost_model *model);
/* Puts a deck behind what is in the hopper: cards of 80 bytes of EBCDIC, or lines of ISO 8859-1 (tabs go to every
 * eighth column). With `eof` the read after its last card is a unit exception, which has to be read before a deck
 * behind it. False and *e, nothing put in, when the deck is not whole cards, a line is too long, or there is no memory.
 */
bool reader_load(struct device *d, const uint8_t *cards, size_t length, bool eof, struct error *e);
bool reader_load_text(struct device *d, const char *text, size_t length, bool eof, struct error *e);
size_t reader_cards(const struct device *d); /* that are left in the hopper */

#endif
