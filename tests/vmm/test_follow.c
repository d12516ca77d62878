/* A guest's disk write followed to the host's: at every level the program, the data, the blocks; at the bottom what the
 * disk has. */
#include "isa/disk.h"
#include "tests/support/orders.h"
#include "tests/vmm/hosts.h"
#include "tests/vmm/towers.h"
#include "vmm/follow.h"

enum { SMALL = 64 * 1024, BLOCKS = 2000, PART = 100 };

static struct cost_model model;

/* Writes blocks 7 and 8 from a list of three pieces, then, in the same program and through a transfer, block 30 from an
 * area that crosses a page; waits for the end; and block 9 by a second one. */
static const char writer[] = "W        START 0\n"
                             "         USING W,0\n"
                             "         DC    X'0008000000000200'\n"
                             "         ORG   W+X'78'\n"
                             "         DC    X'0008000000000300'\n"
                             "         ORG   W+X'200'\n"
                             "         LCTL  2,2,=F'-1'\n"
                             "         LA    1,PROGRAM\n"
                             "         ST    1,72\n"
                             "         SIO   X'150'(0)\n"
                             "         LPSW  WAIT\n"
                             "         ORG   W+X'300'\n"
                             "         LA    5,1(,5)\n"
                             "         CH    5,=H'2'\n"
                             "         BE    STOP\n"
                             "         LA    1,SECOND\n"
                             "         ST    1,72\n"
                             "         SIO   X'150'(0)\n"
                             "         LPSW  WAIT\n"
                             "STOP     LPSW  END\n"
                             "         DS    0D\n"
                             "WAIT     DC    X'020A000000000000'\n"
                             "END      DC    X'000A000000000000'\n"
                             "PROGRAM  CCW   X'63',EXTENT,X'40',16\n"
                             "         CCW   X'43',TWO,X'40',8\n"
                             "         CCW   X'41',LIST,X'44',1024\n"
                             "         CCW   X'08',REST,0,0\n"
                             "REST     CCW   X'43',ONE,X'40',8\n"
                             "         CCW   X'41',X'4F00',0,512\n"
                             "SECOND   CCW   X'63',EXTENT,X'40',16\n"
                             "         CCW   X'43',NINE,X'40',8\n"
                             "         CCW   X'41',X'3800',X'80',100\n"
                             "         CCW   0,X'6000',0,412\n"
                             "EXTENT   DC    X'C0000000',F'5',F'0',F'50'\n"
                             "TWO      DC    X'01000002',F'2'\n"
                             "ONE      DC    X'01000001',F'25'\n"
                             "NINE     DC    X'01000001',F'4'\n"
                             "LIST     DC    A(X'17C0'),A(X'3800')\n"
                             "         LTORG\n"
                             "         ORG   W+X'17C0'\n"
                             "         DC    64X'A1'\n"
                             "         ORG   W+X'3800'\n"
                             "         DC    960X'A2'\n"
                             "         ORG   W+X'4F00'\n"
                             "         DC    256X'B1',256X'B2'\n"
                             "         ORG   W+X'6000'\n"
                             "         DC    412X'C2'\n"
                             "         END\n";

/* Monitors of these kinds, from the bare machine upward (C or A); each C gives a part of its disk that begins at PART.
 */
static void build(struct order *o, const char *kinds) {
    struct error e = ERROR_CLEAR;
    struct disk_backing backing;
    *o = (struct order){0};
    assert_true(cost_model_find(&model, "s370", &e));
    o->bare = o->innermost =
        machine_new(&(struct machine_options){.memory_bytes = SMALL + overheads(kinds), .model = &model}, &e);
    assert_true(o->bare && disk_backing_memory(&backing, BLOCKS, &e) &&
                machine_attach(o->bare, ADDRESS_DISK, disk_new(&model, &backing), &e));
    uint32_t blocks = BLOCKS;
    for (const char *kind = kinds; *kind; kind++, o->count++) {
        if (*kind == 'A') {
            add_assembler(o, SMALL + overheads(kind + 1), &e);
        } else {
            const struct minidisk part = {
                .address = ADDRESS_DISK, .host_address = ADDRESS_DISK, .first = PART, .blocks = blocks -= PART};
            add_monitor(o, 'C', SMALL + overheads(kind + 1), NULL, 0, &e);
            assert_true(vmm_minidisk(o->innermost, &part, &e));
        }
        assert_non_null(o->innermost);
    }
}

/* Guest block `first` of a write, at every level; the data of its pieces are the bytes that were sent. */
static void expect_write(const struct order *o, const struct follow_write *w, const char *kinds, uint64_t number,
                         uint32_t first, uint32_t blocks) {
    uint32_t part = 0;
    assert_non_null(w);
    assert_int_equal(w->number, number);
    assert_int_equal(w->levels, strlen(kinds) + 1);
    assert_ptr_equal(w->level[0].machine, o->innermost);
    assert_ptr_equal(w->level[w->levels - 1].machine, o->bare);
    assert_int_equal(w->length, blocks * 512);
    for (unsigned n = 0; n < w->levels; n++) {
        const struct follow_level *l = &w->level[n];
        uint32_t done = 0;
        assert_int_equal(l->level, w->levels - 1 - n);
        assert_int_equal(l->first, first + part);
        assert_int_equal(l->blocks, blocks);
        assert_int_equal(l->write.text[0], 0x41);
        assert_int_equal(l->locate.text[0], 0x43);
        assert_int_equal(l->extent.text[0], 0x63);
        for (unsigned i = 0; i < l->pieces; i++) {
            uint8_t bytes[2048];
            assert_int_equal(machine_peek(l->machine, l->piece[i].address, bytes, l->piece[i].length), ACCESS_OK);
            assert_memory_equal(bytes, w->data + done, l->piece[i].length);
            done += l->piece[i].length;
        }
        assert_int_equal(done, w->length);
        if (n < strlen(kinds) && kinds[strlen(kinds) - 1 - n] == 'C')
            part += PART;
    }
    for (uint32_t n = 0; n < blocks; n++) {
        uint8_t block[512];
        assert_true(disk_read_block(machine_device(o->bare, ADDRESS_DISK), first + part + n, block));
        assert_memory_equal(block, w->data + 512 * n, sizeof block);
    }
}

static void test_writes_are_followed_at_every_depth(void **state) {
    static const char *const orders[] = {"", "C", "CC", "CCC", "A", "CA", "AC", "AA", "CAC"};
    (void)state;
    for (unsigned n = 0; n < sizeof orders / sizeof *orders; n++) {
        struct order o;
        struct error e = ERROR_CLEAR;
        build(&o, orders[n]);
        towers_load_source(o.innermost, writer);
        struct follow *f = follow_new(o.innermost, ADDRESS_DISK, &e);
        if (!f)
            fail_msg("%s: %s", orders[n], e.text);
        assert_null(follow_last(f));
        machine_restart(o.bare);
        for (unsigned i = 0; i < 8 && !follow_last(f); i++)
            machine_run(o.innermost, &(struct machine_limits){.instructions = 1});
        /* Both writes of the first program have been done when its SIO has. */
        expect_write(&o, follow_last(f), orders[n], 2, 30, 1);
        assert_int_equal(follow_last(f)->level[0].write.text[1] << 16 | follow_last(f)->level[0].write.text[2] << 8,
                         0x4F00);
        assert_int_equal(machine_run(o.innermost, NULL), MACHINE_DISABLED_WAIT);
        expect_write(&o, follow_last(f), orders[n], 3, 9, 1);
        assert_int_equal(follow_last(f)->level[0].pieces, 2);
        follow_free(f);
        order_free(&o);
    }
}

/* The list of the first command: the copy has an entry for each block of 2 KB, through which the bytes are found. */
struct first {
    struct disk_watch watch;
    struct follow *f;
    struct follow_write write;
};
static void keep_first(void *self, unsigned ordinal, uint32_t first, uint32_t blocks, const uint8_t *data,
                       uint32_t length) {
    struct first *k = self;
    (void)first, (void)blocks, (void)data, (void)length;
    if (ordinal == 0 && k->write.number == 0)
        k->write = *follow_last(k->f);
}

static void test_lists_of_addresses_are_followed(void **state) {
    struct order o;
    struct error e = ERROR_CLEAR;
    struct first k = {.write = {0}};
    (void)state;
    build(&o, "C");
    towers_load_source(o.innermost, writer);
    k.watch = (struct disk_watch){.written = keep_first, .self = &k};
    assert_true(disk_watch(machine_device(o.bare, ADDRESS_DISK), &k.watch)); /* told after the one that comes later */
    k.f = follow_new(o.innermost, ADDRESS_DISK, &e);
    machine_restart(o.bare);
    machine_run(o.innermost, NULL);
    expect_write(&o, &k.write, "C", 1, 7, 2);
    const struct follow_level *g = &k.write.level[0], *h = &k.write.level[1];
    assert_int_equal(g->pieces, 2);
    assert_int_equal(g->piece[0].address, 0x17C0);
    assert_int_equal(g->piece[0].length, 64);
    assert_int_equal(g->piece[1].address, 0x3800);
    assert_int_equal(g->piece[1].list, g->piece[0].list + 4);
    assert_int_equal(h->pieces, 2);
    assert_true(h->piece[1].list == h->piece[0].list + 4 && h->write.text[4] & 0x04);
    assert_int_equal(h->piece[1].address, (uint32_t)vmm_frame(o.innermost, 0x3000) + 0x800);
    follow_free(k.f);
    order_free(&o);
    disk_unwatch(&k.watch); /* the disk has gone before */
}

/* Two guests on one disk, whose programs take turns: each one's writes are its own. */
static void test_guests_of_one_disk_are_told_apart(void **state) {
    struct host h;
    struct error e = ERROR_CLEAR;
    struct follow *f[2];
    (void)state;
    hosts_build(&h, 0x100000, 1, false);
    hosts_disk(&h, BLOCKS);
    for (unsigned n = 0; n < 2; n++) {
        hosts_add(&h, writer, SMALL, 1);
        hosts_minidisk(&h, n, 100 + 500 * n, 100);
        f[n] = follow_new(h.guest[n], ADDRESS_DISK, &e);
        assert_non_null(f[n]);
    }
    hosts_start(&h);
    machine_run(h.below.bare, NULL);
    for (unsigned n = 0; n < 2; n++) {
        assert_int_equal(follow_last(f[n])->number, 3);
        assert_int_equal(follow_last(f[n])->level[0].first, 9);
        assert_int_equal(follow_last(f[n])->level[1].first, 109 + 500 * n);
    }
    hosts_free(&h); /* the followers stay behind */
    follow_free(f[0]);
    follow_free(f[1]);
}

/* What is run again by going back in time was followed before. */
static void test_one_that_is_deaf_follows_nothing(void **state) {
    struct order o;
    struct error e = ERROR_CLEAR;
    bool again = true;
    (void)state;
    build(&o, "C");
    towers_load_source(o.innermost, writer);
    struct follow *f = follow_new(o.innermost, ADDRESS_DISK, &e);
    assert_non_null(f);
    follow_deaf_while(f, &again);
    machine_restart(o.bare);
    assert_int_equal(machine_run(o.innermost, NULL), MACHINE_DISABLED_WAIT);
    assert_null(follow_last(f));
    follow_free(f);
    order_free(&o);
}

static void test_what_cannot_be_followed_is_refused(void **state) {
    struct order o;
    struct error e = ERROR_CLEAR;
    (void)state;
    build(&o, "C");
    assert_null(follow_new(o.innermost, 0x151, &e));
    assert_string_equal(e.text, "guest1 has no disk 151 that can be followed");
    assert_null(follow_new(o.bare, ADDRESS_PRINTER, &e));
    struct disk_watch watch = {.written = keep_first}; /* of a part nobody is told: it has no blocks of its own */
    assert_false(disk_watch(machine_device(o.innermost, ADDRESS_DISK), &watch));
    disk_unwatch(&watch);
    order_free(&o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes_are_followed_at_every_depth),
        cmocka_unit_test(test_lists_of_addresses_are_followed),
        cmocka_unit_test(test_guests_of_one_disk_are_told_apart),
        cmocka_unit_test(test_one_that_is_deaf_follows_nothing),
        cmocka_unit_test(test_what_cannot_be_followed_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
