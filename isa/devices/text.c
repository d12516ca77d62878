/* The text that a console or a printer has written. */
#include "isa/devices/devices_internal.h"

void device_text_end_line(struct device_text *t) {
    if (t->line && !t->text.failed)
        t->line(t->line_self, t->text.data ? (const char *)t->text.data + t->line_begin : "",
                t->text.length - t->line_begin);
    if (t->forget)
        t->text.length = 0;
    else
        bytes_append(&t->text, "\n", 1);
    t->line_begin = t->text.length;
}

void device_text_add(struct device_text *t, const void *from, size_t length) {
    if (t->text.length - t->line_begin + length > DEVICE_LINE_MOST)
        device_text_end_line(t);
    bytes_append(&t->text, from, length);
}

void device_text_archive(struct device_text *t, struct archive *a) {
    archive_buffer(a, &t->text, SIZE_MAX, "a text");
    archive_size(a, &t->line_begin, t->text.length, "the beginning of a line");
}
