/* Archives: what is saved is loaded, and everything else is refused with a reason. */
#include "base/archive.h"
#include "tests/support/unit.h"

enum kind { KIND_A, KIND_B, KIND_C };

struct values {
    uint8_t u8, raw[5];
    uint16_t u16;
    uint32_t u32, list[3];
    uint64_t u64, wide[2];
    bool flag;
    unsigned small;
    size_t size;
    enum kind kind;
    struct bytes buffer;
};

static void archive_values(struct values *v, struct archive *a) {
    archive_same(a, 815, "a number");
    archive_same_text(a, "text", "a text");
    archive_u8(a, &v->u8);
    archive_u16(a, &v->u16);
    archive_u32(a, &v->u32);
    archive_u64(a, &v->u64);
    archive_bool(a, &v->flag);
    archive_unsigned(a, &v->small, 9, "a small number");
    archive_size(a, &v->size, 1000, "a size");
    ARCHIVE_ENUM(a, &v->kind, KIND_C, "a kind");
    archive_bytes(a, v->raw, sizeof v->raw);
    archive_u32s(a, v->list, 3);
    archive_u64s(a, v->wide, 2);
    archive_buffer(a, &v->buffer, 16, "a buffer");
}

static void save_values(struct bytes *to) {
    struct values v = {.u8 = 1,
                       .raw = "four",
                       .u16 = 0x1234,
                       .u32 = 0x12345678,
                       .list = {1, 2, UINT32_MAX},
                       .u64 = UINT64_MAX - 1,
                       .wide = {3, 4},
                       .flag = true,
                       .small = 9,
                       .size = 1000,
                       .kind = KIND_B};
    struct error e = ERROR_CLEAR;
    bytes_append(&v.buffer, "buffered", 8);
    struct archive a = archive_saving(to, &e);
    archive_values(&v, &a);
    assert_true(archive_finish(&a));
    bytes_fini(&v.buffer);
}

static bool load_values(struct values *v, const uint8_t *from, size_t length, struct error *e) {
    struct archive a = archive_loading(from, length, e);
    *v = (struct values){0};
    archive_values(v, &a);
    return archive_finish(&a);
}

static void test_values_come_back(void **state) {
    struct bytes saved = {0};
    struct values v;
    struct error e = ERROR_CLEAR;
    (void)state;
    save_values(&saved);
    assert_true(load_values(&v, saved.data, saved.length, &e));
    assert_true(v.u8 == 1 && v.u16 == 0x1234 && v.u32 == 0x12345678 && v.u64 == UINT64_MAX - 1 && v.flag);
    assert_true(v.small == 9 && v.size == 1000 && v.kind == KIND_B && v.list[2] == UINT32_MAX && v.wide[1] == 4);
    assert_string_equal((const char *)v.raw, "four");
    assert_int_equal(v.buffer.length, 8);
    assert_memory_equal(v.buffer.data, "buffered", 8);
    bytes_fini(&v.buffer);
    bytes_fini(&saved);
}

static void test_every_shorter_and_longer_archive_is_refused(void **state) {
    struct bytes saved = {0};
    struct values v;
    (void)state;
    save_values(&saved);
    for (size_t length = 0; length < saved.length; length++) {
        struct error e = ERROR_CLEAR;
        assert_false(load_values(&v, saved.data, length, &e));
        assert_true(e.text[0] != 0);
        bytes_fini(&v.buffer);
    }
    struct error e = ERROR_CLEAR;
    bytes_append(&saved, "!", 1);
    assert_false(load_values(&v, saved.data, saved.length, &e));
    assert_string_equal(e.text, "there are 1 bytes more than the state has");
    bytes_fini(&v.buffer);
    bytes_fini(&saved);
}

static void test_what_cannot_be_is_refused_and_the_first_trouble_is_told(void **state) {
    static const struct {
        size_t at;
        uint8_t value;
        const char *why;
    } rows[] = {
        {7, 1, "a number is 769 there and 815 here"}, {16, 7, "a text is ?ext there and text here"},
        {38, 2, "a truth value is 2, of at most 1"},  {42, 10, "a small number is 10, of at most 9"},
        {49, 4, "a size is 1256, of at most 1000"},   {54, 3, "a kind is 3, of at most 2"},
        {95, 99, "a buffer is 99, of at most 16"},
    };
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
        struct bytes saved = {0};
        struct values v;
        struct error e = ERROR_CLEAR;
        save_values(&saved);
        saved.data[rows[n].at] = rows[n].value;
        assert_false(load_values(&v, saved.data, saved.length, &e));
        assert_string_equal(e.text, rows[n].why);
        bytes_fini(&v.buffer);
        bytes_fini(&saved);
    }
}

static void test_a_state_that_is_too_long_is_refused(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    const struct bytes state_of_a_giant = {.length = ((size_t)1 << 30) + 1}; /* it is not looked at */
    assert_false(archive_write_file("/nowhere", &(struct archive_kind){"C370TEST", 1, "state"}, &state_of_a_giant, &e));
    assert_string_equal(e.text, "/nowhere: a state of 1073741825 bytes is too long; the most is 1073741824");
    assert_int_equal(e.kind, ERROR_INPUT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_come_back),
        cmocka_unit_test(test_every_shorter_and_longer_archive_is_refused),
        cmocka_unit_test(test_what_cannot_be_is_refused_and_the_first_trouble_is_told),
        cmocka_unit_test(test_a_state_that_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
