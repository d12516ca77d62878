/* Tests of devices in scenarios: decks, forms, disks in storage and in files, the operator, and where they lie outside
 * of what a scenario may touch. */
#include <sys/stat.h>
#include <unistd.h>

#include "tests/scenarios/scenario.h"

#define CARDS "local image = assemble.file('guests/cards.s')\n"

/* The guest cards.s reads the deck, prints it and keeps it. */
static void test_devices_list_a_deck(void **state) {
    (void)state;
    static const char *const decks[] = {
        "{'ONE', 'TWO', eof = true}",
        "{bytes = '\\xD6\\xD5\\xC5' .. ('\\x40'):rep(77) .. '\\xE3\\xE6\\xD6' .. ('\\x40'):rep(77), eof = true}",
    };
    static const char *const machines[] = {
        "machine.new{memory = '64K', disk = {blocks = 1000}, cards = %s}",
        "vmm.new{on = machine.new{memory = '1M'}}:guest{memory = '64K', disk = {blocks = 1000}, cards = %s}",
    };
    for (int i = 0; i < 4; i++) {
        char make[300], text[900];
        snprintf(make, sizeof make, machines[i / 2], decks[i % 2]);
        snprintf(text, sizeof text,
                 CARDS "local m = %s print(m.reader.cards) m:load(image) m:restart() local s = m:run{cycles = 1e9}\n"
                       "print(s.status, s.address, m.reader.cards, m:word(image.symbols.COUNT))\n"
                       "text = m.printer:text():gsub('\\n', '/') print(text)\n"
                       "print(m.disk:read(1):sub(1, 4) == '\\xE3\\xE6\\xD6\\x40', m.disk:read(2) == ('\\0'):rep(512))",
                 make);
        scenario_prints(text, "2\ndisabled-wait\t0\t0\t2\nONE/TWO/\ntrue\ttrue\n");
    }
}

static void test_reader_takes_decks_in_every_form(void **state) {
    (void)state;
    scenario_prints("local m = machine.new{cards = 'A\\nB\\n'} print(m.reader.cards) m.reader:load{'C'} "
                    "m.reader:load('D') m.reader:load{} print(m.reader.cards, m.reader)",
                    "2\n4\tcard reader of bare\n");
    scenario_prints("local m = machine.new{} m.reader:load{('x'):rep(80), 'Gr\xC3\xBC\xC3\x9F"
                    "e'} print(m.reader.cards)",
                    "2\n");
    static const char *const rows[][2] = {
        {"cards = 5", "machine.new: cards: the deck is 5; it takes a text of lines, a list of cards, {bytes = ...}"},
        {"cards = {5}", "machine.new: cards: card is 5; it takes a text"},
        {"cards = {'A\\nB'}", "machine.new: cards: card 1 has more than one line"},
        {"cards = {('x'):rep(81)}", "machine.new: cards: "},
        {"cards = {bytes = 'abc'}", "machine.new: cards: "},
        {"cards = {bytes = 5}", "machine.new: cards: bytes is 5; it takes a text"},
        {"cards = {'A', bytes = ''}", "only one of them"},
        {"cards = {'A', file = 'x'}", "only one of them"},
        {"cards = {'A', end_ = true}", "unknown option \"end_\"; there are bytes, file, eof"},
        {"cards = {'A', [3] = 'B'}", "unknown option 3"},
        {"cards = {'A', eof = 1}", "machine.new: cards: eof is 1; it takes true or false"},
        {"cards = {file = '/etc/passwd'}", "relative paths"},
        {"cards = {file = 'none'}", "no such file"},
        {"cards = {'\xE2\x82\xAC'}", "card has a character that is not in ISO 8859-1, at byte 1"},
        {"cards = {'\xC3'}", "at byte 1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[300];
        snprintf(text, sizeof text, "machine.new{%s}", rows[i][0]);
        scenario_fails(text, ERROR_INPUT, rows[i][1]);
    }
    scenario_fails("local r = machine.new{}.reader r.load('x')", ERROR_INPUT,
                   "m.reader:load is \"x\"; it takes a card");
    scenario_fails("machine.new{}.reader:load()", ERROR_INPUT, "m.reader:load: the deck is missing");
    scenario_fails("return machine.new{}.reader.foo", ERROR_INPUT, "a card reader has no foo; it has load, cards");
}

static void test_reader_takes_a_file_beside_the_scenario(void **state) {
    (void)state;
    struct error e = ERROR_CLEAR;
    assert_true(bytes_write_file("deck.txt", "FIRST\nSECOND\n", 13, &e));
    scenario_prints("local m = machine.new{cards = {file = 'deck.txt', eof = true}} print(m.reader.cards)", "2\n");
    assert_int_equal(unlink("deck.txt"), 0);
}

/* Two forms on one roll of paper. */
static void test_printer_pages_follow_the_form(void **state) {
    (void)state;
    scenario_prints("local m = machine.new{} print(#m.printer:pages(), m.printer:text() == '', m.printer)",
                    "0\ttrue\tprinter of bare\n");
    scenario_prints("local image = assemble.string[[\n"
                    "     DC    A(0,GO)\n     ORG   X'48'\n     DC    A(PRINT)\n     ORG   X'200'\n"
                    "GO   BALR  15,0\n     USING *,15\n     SIO   X'00E'\n     TIO   X'00E'\n     BC    7,*-4\n"
                    "     LPSW  DONE\n     DS    0D\nDONE DC    X'0002000000000000'\n"
                    "PRINT CCW  X'89',A,X'60',1\n      CCW  X'89',B,X'20',1\nA    DC    C'A'\nB    DC    C'B'\n"
                    "     END\n]]\n"
                    "local m = machine.new{memory = '64K'} m.printer:form{lines = 4, holes = {[1] = 1}}\n"
                    "m:load(image) m:restart() m:run{cycles = 1e9}\n"
                    "for i, page in ipairs(m.printer:pages()) do print(i, (page:gsub('\\n', '/'))) end",
                    "1\tA/\n2\tB/\n3\t\n");
    static const char *const rows[][2] = {
        {"", "m.printer:form: the argument is missing"},
        {"{}", "m.printer:form: lines is missing; it takes a whole number from 1 to 255"},
        {"{lines = 256}", "m.printer:form: lines is 256"},
        {"{lines = 10, holes = 5}", "m.printer:form: holes is 5; it takes a table, channel to line"},
        {"{lines = 10, holes = {[13] = 1}}", "m.printer:form: a channel is 13; it takes a whole number from 1 to 12"},
        {"{lines = 10, holes = {[1] = 11}}", "m.printer:form: the line of a hole is 11"},
        {"{lines = 10, x = 1}", "unknown option \"x\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[200];
        snprintf(text, sizeof text, "machine.new{}.printer:form(%s)", rows[i][0]);
        scenario_fails(text, ERROR_INPUT, rows[i][1]);
    }
}

static void test_printer_saves_its_pages(void **state) {
    (void)state;
    struct bytes text = {0};
    struct error e = ERROR_CLEAR;
    unlink("list.prt");
    scenario_prints(CARDS "local m = machine.new{memory = '64K', disk = {blocks = 1000}, cards = {'GR\xC3\x9C"
                          "N', 'B', eof = true}}\n"
                          "m:load(image) m:restart() m:run() m.printer:save('list.prt')",
                    "");
    assert_true(bytes_read_file(&text, "list.prt", 100, &e));
    assert_string_equal((const char *)text.data, "GR\xC3\x9CN\nB\n");
    bytes_fini(&text);
    assert_int_equal(unlink("list.prt"), 0);
    scenario_fails("machine.new{}.printer:save('list.txt')", ERROR_INPUT,
                   "m.printer:save: the file is \"list.txt\"; it takes a name that ends in \".prt\"");
    scenario_fails("machine.new{}.printer:save('.prt')", ERROR_INPUT, "a name that ends in");
    scenario_fails("machine.new{}.printer:save('/tmp/x.prt')", ERROR_INPUT, "relative paths");
    scenario_fails("machine.new{}.printer:save('../x.prt')", ERROR_INPUT, "outside of the scenario's folder");
    scenario_fails("machine.new{}.printer:save()", ERROR_INPUT, "m.printer:save: the file is missing");
}

static void test_disk_in_storage(void **state) {
    (void)state;
    scenario_prints(
        "local m = machine.new{disk = {blocks = 10}} local d = m.disk print(d, d.blocks, #d:read(0), "
        "#d:read(2, 8), machine.new{}.disk)\n"
        "d:write(8, ('a'):rep(513)) print(d:read(8) == ('a'):rep(512), d:read(9) == 'a' .. ('\\0'):rep(511))\n"
        "d:write(0, '') print(d:read(0) == ('\\0'):rep(512))",
        "disk of bare\t10\t512\t4096\tnil\ntrue\ttrue\ntrue\n");
    scenario_prints("local g = vmm.new{on = machine.new{memory = '1M'}}:guest{memory = '64K', disk = {blocks = 5}} "
                    "g.disk:write(4, 'x') print(g.disk, g.disk:read(4):byte(1, 2))",
                    "disk of guest1\t120\t0\n");
    static const char *const rows[][2] = {
        {"machine.new{disk = 5}", "machine.new: disk is 5; it takes a table of options, {blocks, file, keep, first}"},
        {"machine.new{disk = {}}", "machine.new: disk takes {blocks = N}, {file = \"...\"}"},
        {"machine.new{disk = {blocks = 0}}", "machine.new: disk.blocks is 0; it takes a whole number from 1"},
        {"machine.new{disk = {blocks = 1 << 25}}", "machine.new: disk.blocks is 33554432"},
        {"machine.new{disk = {blocks = 5, keep = true}}", "machine.new: disk takes {blocks = N}"},
        {"machine.new{disk = {blocks = 5, size = 1}}", "unknown option \"size\"; there are blocks, file, keep, first"},
        {"vmm.new{on = machine.new{memory = '1M'}}:guest{memory = '64K', disk = 5}", "v:guest: disk is 5"},
        {"machine.new{disk = {blocks = 10}}.disk:read(10)", "m.disk:read: the block is 10; it takes a whole number"},
        {"machine.new{disk = {blocks = 10}}.disk:read(5, 6)", "m.disk:read: the number of blocks is 6"},
        {"machine.new{disk = {blocks = 10}}.disk:read()", "m.disk:read: the block is missing"},
        {"machine.new{disk = {blocks = 10}}.disk:write(9, ('x'):rep(513))", "513 bytes from block 9 on do not fit"},
        {"machine.new{disk = {blocks = 10}}.disk:write(9, 5)", "m.disk:write: the bytes is 5"},
        {"return machine.new{disk = {blocks = 10}}.disk.size", "a disk has no size; it has read, write, blocks"},
        {"local m = machine.new{disk = {blocks = 10}} local d = m.disk m:close() print(d) d:read(0)",
         "m.disk:read: the machine was closed"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scenario_fails(rows[i][0], ERROR_INPUT, rows[i][1]);
    }
}

static void test_disk_counts_in_the_budget_of_storage(void **state) {
    (void)state;
    struct engine_options options = {.budgets = {.storage_bytes = 8 << 20}};
    struct outcome o;
    scenario_run(&o, "local t = {} for i = 1, 10 do t[i] = machine.new{memory = '64K', disk = {blocks = 4096}} end",
                 &options);
    assert_int_equal(o.e.kind, ERROR_BUDGET);
    assert_non_null(strstr(o.e.text, "machines and disks would be more than the budget of 8M"));
    scenario_fini(&o);
    scenario_run(&o,
                 "for i = 1, 10 do machine.new{memory = '64K', disk = {file = i .. '.disk', keep = true, blocks = "
                 "4096}}:close() end",
                 &options);
    assert_int_equal(o.e.kind, ERROR_BUDGET);
    scenario_fini(&o);
    for (int i = 1; i <= 10; i++) {
        char name[30];
        snprintf(name, sizeof name, "%d.disk", i);
        assert_int_equal(unlink(name) == 0, i <= 4);
        strcat(name, ".journal");
        unlink(name);
    }
    scenario_run(&o,
                 "for i = 1, 20 do machine.new{memory = '64K', disk = {blocks = 4096}}:close() "
                 "pcall(machine.new, {memory = 5, disk = {blocks = 4096}}) end print('done')",
                 &options);
    assert_true(o.ok);
    scenario_fini(&o);
}

/* A file is read; what is written to it stays in the run, unless it is kept. */
static void test_disk_in_a_file(void **state) {
    (void)state;
    static const char make[] = "local m = machine.new{disk = {file = 'd.disk', keep = true, blocks = 4}} ";
    static const char keep[] = "local m = machine.new{disk = {file = 'd.disk', keep = true}} ";
    static const char read[] = "local m = machine.new{disk = {file = 'd.disk'}} ";
    static const char show[] = "print(m.disk.blocks, m.disk:read(1):byte(1))";
    char text[300];
    unlink("d.disk");
    scenario_fails("machine.new{disk = {file = 'd.disk'}}", ERROR_INPUT, "no such file beside the scenario");
    scenario_fails("machine.new{disk = {file = 'd.disk', keep = true}}", ERROR_INPUT, "with blocks = N it is made");
    snprintf(text, sizeof text, "%sm.disk:write(1, 'A') %s", make, show);
    scenario_prints(text, "4\t65\n");
    snprintf(text, sizeof text, "%sm.disk:write(1, 'B') %s", read, show);
    scenario_prints(text, "4\t66\n");
    snprintf(text, sizeof text, "%s%s m.disk:write(1, 'C') ", read, show);
    scenario_prints(text, "4\t65\n");
    snprintf(text, sizeof text, "%s%s m.disk:write(1, 'D') m:close() ", keep, show);
    scenario_prints(text, "4\t65\n");
    snprintf(text, sizeof text, "%s%s", make, show);
    scenario_prints(text, "4\t68\n");
    snprintf(text, sizeof text, "%s local n = machine.new{disk = {file = 'd.disk', keep = true}}", keep);
    scenario_fails(text, ERROR_INPUT, "machine.new: disk: ");
    scenario_fails("machine.new{disk = {file = 'd.disk', blocks = 5}}", ERROR_INPUT,
                   "machine.new: disk.blocks is 5; d.disk has 4");
    assert_int_equal(unlink("d.disk"), 0);
    unlink("d.disk.journal");
}

static void test_disk_files_stay_in_the_folder(void **state) {
    (void)state;
    static const char *const paths[] = {"/tmp/d.disk", "../d.disk", "none/d.disk", "link/d.disk", "link.disk"};
    struct stat status;
    unlink("link");
    unlink("link.disk");
    assert_int_equal(symlink("/tmp", "link"), 0);
    assert_int_equal(symlink("/etc/passwd", "link.disk"), 0);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char text[200];
        snprintf(text, sizeof text, "machine.new{disk = {file = '%s', keep = true, blocks = 4}}", paths[i]);
        scenario_fails(text, ERROR_INPUT, paths[i]);
        assert_int_not_equal(stat("../d.disk", &status), 0);
        assert_int_not_equal(stat("/tmp/d.disk", &status), 0);
        snprintf(text, sizeof text, "machine.new{disk = {file = '%s'}}", paths[i]);
        scenario_fails(text, ERROR_INPUT, paths[i]);
    }
    unlink("link");
    unlink("link.disk");
}

static void test_operator_has_keys(void **state) {
    (void)state;
    /* External interruption 0040 of the key; attention of the console. */
    scenario_prints("local m = machine.new{memory = '64K'} m:write(24, ('\\0'):rep(8)) "
                    "m:write(0, '\\0\\8\\0\\0\\0\\0\\2\\0') m:write(88, '\\0\\10\\0\\0\\0\\0\\1\\0') "
                    "m:write(120, '\\0\\10\\0\\0\\0\\0\\2\\0') m:write(0x200, '\\x82\\0\\3\\0') "
                    "m:write(0x300, '\\3\\10\\0\\0\\0\\0\\0\\0') m.cr[0] = 0x40 m:restart()\n"
                    "m:run{instructions = 5} m:interrupt_key() local s = m:run() "
                    "print(s.status, s.address, m:word(132) & 0xFFFF)\n"
                    "m:start('030A000000000000') m:run{instructions = 5} m:attention() s = m:run() "
                    "print(s.status, s.address, m:word(184) & 0xFFFF)",
                    "disabled-wait\t256\t64\ndisabled-wait\t512\t9\n");
    scenario_fails("local m = machine.new{} m.attention()", ERROR_INPUT, "m:attention is missing");
    scenario_prints("print(machine.new{}.console:cancel())", "false\n");
    scenario_fails("machine.new{}.console:type('a\\nb')", ERROR_INPUT, "one line of up to 150 characters");
    scenario_fails("machine.new{}.console:type('\xE2\x82\xAC')", ERROR_INPUT, "not in ISO 8859-1");
}

/* hello.s on a card, as far as it goes: a PSW that waits. */
static void test_machine_is_loaded_from_its_devices(void **state) {
    (void)state;
    static const char deck[] =
        "local deck = '\\0\\2\\0\\0\\0\\0\\x12\\x34' .. string.pack('>I1I3I1I1I2', 2, 0x500, 0x20, 0, "
        "80) .. ('\\0'):rep(64) .. ('\\xC1'):rep(80)\n";
    static const char *const machines[] = {"machine.new{memory = '64K', disk = {blocks = 9}}",
                                           "vmm.new{on = machine.new{memory = '1M'}}:guest{memory = '64K', disk = "
                                           "{blocks = 9}}"};
    static const char *const addresses[] = {"'00C'", "12", "'C'"};
    for (int i = 0; i < 6; i++) {
        char text[700];
        snprintf(text, sizeof text,
                 "%slocal m = %s m:write(0x600, 'old') m.reader:load{bytes = deck} m:ipl(%s) local s = m:run()\n"
                 "print(s.status, hex(s.address), m:read(0x500, 80) == ('\\xC1'):rep(80), m:word(0) & 0xFFFF, "
                 "m:read(0x600, 3))\n"
                 "m.reader:load{bytes = deck} m:ipl(%s, {clear = true}) m:run() print(m:word(0x600))",
                 deck, machines[i / 3], addresses[i % 3], addresses[i % 3]);
        scenario_prints(text, "disabled-wait\t001234\ttrue\t12\told\n0\n");
    }
    static const char *const rows[][2] = {
        {"machine.new{}:ipl()", "m:ipl: the device is missing; it takes three or four hexadecimal digits"},
        {"machine.new{}:ipl('xyz')", "m:ipl: the device is \"xyz\"; it takes three or four hexadecimal digits"},
        {"machine.new{}:ipl(1 << 16)", "m:ipl: the device is 65536"},
        {"machine.new{}:ipl(1.5)", "m:ipl: the device is 1.5"},
        {"machine.new{}:ipl('150', true)", "m:ipl: the argument is true; it takes a table of options, {clear}"},
        {"machine.new{}:ipl('150', {clear = 1})", "m:ipl: clear is 1; it takes true or false"},
        {"machine.new{}:ipl('150')", "m:ipl: "},
        {"machine.new{}:ipl('00C')", "m:ipl: "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scenario_fails(rows[i][0], ERROR_INPUT, rows[i][1]);
    }
}

static void test_channels_are_as_asked_for(void **state) {
    (void)state;
    scenario_prints("machine.new{channels = 'hercules'} machine.new{channels = 'architecture'} print('ok')", "ok\n");
    scenario_fails("machine.new{channels = 'x'}", ERROR_INPUT,
                   "machine.new: channels is \"x\"; it takes \"hercules\" or \"architecture\"");
    /* No-operation is immediate: its status is stored by SIO there, and interrupts here. */
    static const char text[] =
        "local image = assemble.string[[\n"
        "     DC    A(0,GO)\n     ORG   X'48'\n     DC    A(NOP)\n     ORG   X'200'\nGO   SIO   9\n     LPSW  X'300'\n"
        "NOP  CCW   3,0,X'20',1\n     ORG   X'300'\n     DC    X'0002000000000000'\n     END\n]]\n"
        "for _, kind in ipairs{'hercules', 'architecture'} do local m = machine.new{memory = '64K', channels = kind} "
        "m:load(image) m:restart() m:run{until_address = 0x204} print(kind, m.psw.cc) end";
    scenario_prints(text, "hercules\t0\narchitecture\t1\n");
}

static void test_addresses_lead_down_to_the_bare_machine(void **state) {
    (void)state;
    static const char make[] = "local m = machine.new{memory = '4M', name = 'm'} local v = vmm.new{on = m} "
                               "local g = v:guest{memory = '2M', name = 'g'} local w = vmm.new{on = g} "
                               "local h = w:guest{memory = '64K', name = 'h'}\n";
    char text[900];
    snprintf(
        text, sizeof text,
        "%sh:write(0x5678, 'here') local path = h:path(0x5678) for i, p in ipairs(path) do print(i, p.machine) end\n"
        "print(path[1].real == 0x5678, path[2].real == w:frame(0x5000) + 0x678, "
        "path[3].real == v:frame(w:frame(0x5000)) + 0x678, m:read(path[3].real, 4), #m:path(0))",
        make);
    scenario_prints(text, "1\th\n2\tg\n3\tm\ntrue\ttrue\ttrue\there\t1\n");
    snprintf(
        text, sizeof text,
        "%sh:load(assemble.file('guests/walk.s')) h:restart() h:run{instructions = 1e6} local walk = h:walk(0x1000)\n"
        "print(walk.result, #walk.path, walk.path[1].machine, walk.path[1].real == walk.real, "
        "h:read(walk.real, 100) == m:read(walk.path[3].real, 100))",
        make);
    scenario_prints(text, "ok\t3\th\ttrue\ttrue\n");
    scenario_fails("machine.new{memory = '64K'}:path(0x10000)", ERROR_INPUT,
                   "m:path: the real address is 65536; it takes an address in the machine's storage");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_devices_list_a_deck),
        cmocka_unit_test(test_reader_takes_decks_in_every_form),
        cmocka_unit_test(test_reader_takes_a_file_beside_the_scenario),
        cmocka_unit_test(test_printer_pages_follow_the_form),
        cmocka_unit_test(test_printer_saves_its_pages),
        cmocka_unit_test(test_disk_in_storage),
        cmocka_unit_test(test_disk_counts_in_the_budget_of_storage),
        cmocka_unit_test(test_disk_in_a_file),
        cmocka_unit_test(test_disk_files_stay_in_the_folder),
        cmocka_unit_test(test_operator_has_keys),
        cmocka_unit_test(test_machine_is_loaded_from_its_devices),
        cmocka_unit_test(test_channels_are_as_asked_for),
        cmocka_unit_test(test_addresses_lead_down_to_the_bare_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
