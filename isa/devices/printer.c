/* Line printer, IBM 1403.
 *
 * A line is complete when the paper moves. Skips stop where the carriage tape has a hole for the channel; the usual one
 * is the common one for a page of 66 lines at six lines an inch, with channel 1 at the first line. */
#include <stdlib.h>

#include "isa/assembler.h"
#include "isa/devices/devices_internal.h"

enum {
    PRINTER_COLUMNS = 132,
    PRINTER_PAGE_LINES = 66,
    PRINTER_PAGE_LINES_MOST = 255,
    PRINTER_SPACES_MOST = 3,
    PRINTER_BLOCK_DATA_CHECK = 0x73, /* accepted; there are no data checks */
    PRINTER_ALLOW_DATA_CHECK = 0x7B,
};

struct printer {
    struct device device;
    uint64_t line_cycles;
    struct device_text text; /* its unfinished line is the one at which the paper stands */
    bool printed;            /* something was printed on it */
    unsigned page_line;      /* which line of the page it is, from 1 */
    unsigned page_lines;
    uint8_t hole[PRINTER_CHANNELS + 1]; /* the line for each channel */
};

static struct printer *printer_of(const struct device *d) { return (struct printer *)d; }

/* Command codes: mmmm m001 write and move the paper, mmmm m011 move it; mmmmm = 0nnnn space n lines, 1nnnn skip to
 * channel n. */
static bool is_write(uint8_t code) { return (code & 7) == 1; }
static bool is_motion(uint8_t code) {
    unsigned n = code >> 3 & 15;
    return ((code & 7) == 1 || (code & 7) == 3) &&
           (code & 0x80 ? n >= 1 && n <= PRINTER_CHANNELS : n <= PRINTER_SPACES_MOST);
}

static void print(struct printer *t, const uint8_t *data, uint32_t length) {
    uint8_t line[PRINTER_COLUMNS];
    uint32_t columns = length < PRINTER_COLUMNS ? length : PRINTER_COLUMNS, last = 0;
    for (uint32_t i = 0; i < columns; i++) {
        line[i] = printable(latin1_from_ebcdic[data[i]], ' ');
        if (line[i] != ' ')
            last = i + 1;
    }
    if (t->printed)
        device_text_add(&t->text, "\r", 1);
    device_text_add(&t->text, line, last);
    t->printed = true;
}

static void space_line(struct printer *t) {
    device_text_end_line(&t->text);
    t->printed = false;
    t->page_line = t->page_line % t->page_lines + 1;
}

static void skip_to_channel(struct printer *t, unsigned channel) {
    if (t->hole[channel] <= t->page_line) { /* on the next page */
        if (t->printed)
            space_line(t);
        device_text_add(&t->text, "\f", 1);
        t->page_line = 1;
    }
    while (t->page_line != t->hole[channel])
        space_line(t);
}

static void move_paper(struct printer *t, uint8_t code) {
    unsigned n = code >> 3 & 15;
    if (code & 0x80)
        skip_to_channel(t, n);
    else
        while (n--)
            space_line(t);
}

static void printer_command(struct device *d, struct device_command *c) {
    static const uint8_t id[] = {0xFF, 0x28, 0x21, 0x01, 0x14, 0x03, 0x01};
    struct printer *t = printer_of(d);
    if (is_motion(c->code)) { /* the no-operation X'03' is one too: space 0 lines */
        bool write = is_write(c->code);
        if (write)
            print(t, c->data, c->count);
        move_paper(t, c->code);
        device_done(c, c->count, write ? t->line_cycles : 0);
        c->alone = c->cycles; /* the line is printed from a buffer */
        return;
    }
    switch (c->code) {
    case PRINTER_BLOCK_DATA_CHECK:
    case PRINTER_ALLOW_DATA_CHECK: device_done(c, 0, 0); break;
    case COMMAND_SENSE: device_sense(d, c); break;
    case COMMAND_SENSE_ID: device_deliver(c, id, sizeof id, 0); break;
    default: device_reject(d, c, UNIT_CHECK); break;
    }
}

static bool printer_immediate(uint8_t code) {
    return (is_motion(code) && !is_write(code)) || code == PRINTER_BLOCK_DATA_CHECK || code == PRINTER_ALLOW_DATA_CHECK;
}

static void printer_archive(struct device *d, struct archive *a) {
    struct printer *t = printer_of(d);
    device_text_archive(&t->text, a);
    archive_bool(a, &t->printed);
    archive_unsigned(a, &t->page_lines, PRINTER_PAGE_LINES_MOST, "the lines of a page");
    archive_unsigned(a, &t->page_line, t->page_lines, "the line of a page");
    archive_bytes(a, t->hole, sizeof t->hole);
    bool holes = t->page_line >= 1;
    for (unsigned i = 1; i <= PRINTER_CHANNELS; i++)
        holes = holes && t->hole[i] >= 1 && t->hole[i] <= t->page_lines;
    if (!holes) {
        printer_set_form(d, PRINTER_PAGE_LINES, NULL);
        archive_fail(a, "a form has holes beyond its page");
    }
}

static void printer_free(struct device *d) {
    bytes_fini(&printer_of(d)->text.text);
    free(d);
}

static const struct device_ops printer_ops = {.type = "1403",
                                              .command = printer_command,
                                              .immediate = printer_immediate,
                                              .free = printer_free,
                                              .archive = printer_archive};

struct device *printer_new(const struct cost_model *model, device_line *line, void *self, bool forget) {
    struct printer *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->device.ops = &printer_ops;
    t->device.sense_length = 1;
    t->line_cycles = model->printer_line;
    t->text = (struct device_text){.line = line, .line_self = self, .forget = forget};
    printer_set_form(&t->device, PRINTER_PAGE_LINES, NULL);
    return &t->device;
}

bool printer_set_form(struct device *d, unsigned lines, const uint8_t holes[PRINTER_CHANNELS]) {
    static const uint8_t usual[PRINTER_CHANNELS] = {1, 7, 13, 19, 25, 31, 37, 43, 63, 49, 55, 61};
    struct printer *t = printer_of(d);
    if (lines < 1 || lines > PRINTER_PAGE_LINES_MOST)
        return false;
    for (unsigned i = 0; holes && i < PRINTER_CHANNELS; i++)
        if (holes[i] > lines)
            return false;
    for (unsigned i = 0; i < PRINTER_CHANNELS; i++) {
        uint8_t hole = holes ? holes[i] : usual[i];
        t->hole[i + 1] = hole >= 1 && hole <= lines ? hole : 1;
    }
    t->page_lines = lines;
    t->page_line = 1;
    return true;
}

const struct bytes *printer_text(const struct device *d) { return &printer_of(d)->text.text; }

bool printer_save(const struct device *d, const char *path, struct error *e) {
    const struct bytes *text = printer_text(d);
    struct bytes_writer *w = bytes_writer_open(path, e);
    if (!w)
        return false;
    for (size_t i = 0; i < text->length; i++) {
        uint8_t c = text->data[i], wide[] = {(uint8_t)(0xC0 | c >> 6), (uint8_t)(0x80 | (c & 0x3F))};
        bytes_writer_append(w, c < 0x80 ? &c : wide, c < 0x80 ? 1 : sizeof wide);
    }
    return bytes_writer_close(w, e);
}
