/* The Lua face of a machine's devices: m.console, m.printer, m.reader, m.disk, and what the operator does. */
#include <stdio.h>
#include <string.h>

#include "isa/assembler.h"
#include "scenarios/engine/disks.h"
#include "scenarios/engine/engine_internal.h"

#define CLASS_DISK_CHOICE "cloud370.disk choice"
#define PAGE_FILE ".prt"

enum {
    BYTES_PER_CHARGE = 16,
    BLOCK_CHARGE = 20,
    LINE_MOST = 150,
    READ_BLOCKS_MOST = 1 << 15,
    DECK_MOST_BYTES = 16 << 20
};

/* --- text --------------------------------------------------------------------------------------------------------- */

/* Pushes ISO 8859-1 text as UTF-8. */
static void push_latin1(lua_State *L, const uint8_t *text, size_t length) {
    luaL_Buffer b;
    engine_charge(L, length / BYTES_PER_CHARGE);
    luaL_buffinit(L, &b);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = text[i];
        if (c < 0x80) {
            luaL_addchar(&b, (char)c);
        } else {
            luaL_addchar(&b, (char)(0xC0 | c >> 6));
            luaL_addchar(&b, (char)(0x80 | (c & 0x3F)));
        }
    }
    luaL_pushresult(&b);
}

/* Pushes UTF-8 text as ISO 8859-1; refuses what has a character that is not in it. */
static const char *push_to_latin1(lua_State *L, int index, const char *what, size_t *length) {
    const char *text = arguments_text(L, index, what, length);
    luaL_Buffer b;
    engine_charge(L, *length / BYTES_PER_CHARGE);
    luaL_buffinit(L, &b);
    for (size_t i = 0; i < *length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x80) {
            unsigned char next = i + 1 < *length ? (unsigned char)text[i + 1] : 0;
            if ((c != 0xC2 && c != 0xC3) || (next & 0xC0) != 0x80) {
                luaL_error(L, "%s has a character that is not in ISO 8859-1, at byte %I", what, (lua_Integer)i + 1);
            }
            c = (unsigned char)(c << 6 | (next & 0x3F));
            i++;
        }
        luaL_addchar(&b, (char)c);
    }
    luaL_pushresult(&b);
    return lua_tolstring(L, -1, length);
}

/* Pushes the option of this name; whether there is one. */
static bool push_option(lua_State *L, int table, const char *name) { return lua_getfield(L, table, name) != LUA_TNIL; }

/* --- console and printer ------------------------------------------------------------------------------------------ */

static struct device *check_device(lua_State *L, const char *class, uint16_t address, const char *what) {
    struct device *device = machine_device(objects_check(L, 1, class, what)->node->machine, address);
    if (!device) {
        luaL_error(L, "%s: the machine has no device %d", what, address);
    }
    return device;
}

static int console_text_lua(lua_State *L) {
    const struct bytes *text = console_text(check_device(L, CLASS_CONSOLE, ADDRESS_CONSOLE, "m.console:text"));
    push_latin1(L, text->data, text->length);
    return 1;
}

static int console_type_lua(lua_State *L) {
    struct device *device = check_device(L, CLASS_CONSOLE, ADDRESS_CONSOLE, "m.console:type");
    size_t length;
    machine_refuse_while_running(L, "m.console:type");
    const char *line = push_to_latin1(L, 2, "m.console:type: the line", &length);
    if (length > LINE_MOST || memchr(line, '\n', length) || memchr(line, '\r', length)) {
        return arguments_refuse(L, 2, "m.console:type: the line", "one line of up to 150 characters");
    }
    if (!console_type(device, line, length)) {
        return luaL_error(L, "not enough memory");
    }
    return 0;
}

/* The operator presses cancel; whether a read was waiting. */
static int console_cancel_lua(lua_State *L) {
    struct device *device = check_device(L, CLASS_CONSOLE, ADDRESS_CONSOLE, "m.console:cancel");
    machine_refuse_while_running(L, "m.console:cancel");
    lua_pushboolean(L, console_cancel(device));
    return 1;
}

const struct engine_function console_methods[] = {
    {"text", console_text_lua, "all that was written so far, lines ended by newlines", 0},
    {"type", console_type_lua, "type(line): the operator types a line; the next read gets it", 1},
    {"cancel", console_cancel_lua,
     "the operator presses cancel: a read that waits ends without a line; false: none did", 0},
    {NULL, NULL, NULL, 0},
};

static const struct bytes *printed(lua_State *L, const char *what) {
    return printer_text(check_device(L, CLASS_PRINTER, ADDRESS_PRINTER, what));
}

static int printer_text_lua(lua_State *L) {
    const struct bytes *text = printed(L, "m.printer:text");
    push_latin1(L, text->data, text->length);
    return 1;
}

/* m.printer:pages(): the text without its form feeds. */
static int printer_pages_lua(lua_State *L) {
    const struct bytes *text = printed(L, "m.printer:pages");
    size_t begin = 0;
    lua_newtable(L);
    while (begin <= text->length && text->length) {
        const uint8_t *feed = memchr(text->data + begin, '\f', text->length - begin);
        size_t end = feed ? (size_t)(feed - text->data) : text->length;
        push_latin1(L, text->data + begin, end - begin);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
        begin = end + 1;
    }
    return 1;
}

/* m.printer:form{lines=, holes={[channel] = line}} */
static int printer_form_lua(lua_State *L) {
    static const char *const keys[] = {"lines", "holes", NULL};
    struct device *device = check_device(L, CLASS_PRINTER, ADDRESS_PRINTER, "m.printer:form");
    uint8_t holes[PRINTER_CHANNELS] = {0};
    machine_refuse_while_running(L, "m.printer:form");
    arguments_table(L, 2, "m.printer:form: the argument", keys, false);
    lua_getfield(L, 2, "lines");
    unsigned lines = (unsigned)arguments_integer(L, -1, "m.printer:form: lines", 1, 255);
    bool has_holes = push_option(L, 2, "holes");
    if (has_holes && !lua_istable(L, -1)) {
        return arguments_refuse(L, -1, "m.printer:form: holes", "a table, channel to line");
    }
    for (lua_pushnil(L); has_holes && lua_next(L, -2); lua_pop(L, 1)) {
        lua_Integer channel = arguments_integer(L, -2, "m.printer:form: a channel", 1, PRINTER_CHANNELS);
        holes[channel - 1] = (uint8_t)arguments_integer(L, -1, "m.printer:form: the line of a hole", 1, lines);
    }
    printer_set_form(device, lines, has_holes ? holes : NULL);
    return 0;
}

/* m.printer:save(file): a page file. Its name's end keeps a scenario from writing over sources. */
static int printer_save_lua(lua_State *L) {
    struct engine *engine = engine_of(L);
    struct device *device = check_device(L, CLASS_PRINTER, ADDRESS_PRINTER, "m.printer:save");
    struct error e = ERROR_CLEAR;
    char path[4096];
    bool exists;
    const char *file = arguments_file(L, 2, "m.printer:save: the file");
    size_t length = strlen(file);
    if (length <= strlen(PAGE_FILE) || strcmp(file + length - strlen(PAGE_FILE), PAGE_FILE)) {
        return arguments_refuse(L, 2, "m.printer:save: the file", "a name that ends in \"" PAGE_FILE "\"");
    }
    size_t bytes = printer_text(device)->length;
    engine_count_made(L, bytes, "m.printer:save");
    engine_charge(L, bytes);
    if (!files_own(engine, file, path, sizeof path, &exists, &e) || !printer_save(device, path, &e)) {
        return luaL_error(L, "m.printer:save: %s", e.text);
    }
    return 0;
}

const struct engine_function printer_methods[] = {
    {"text", printer_text_lua, "all that was printed so far; a form feed begins a page", 0},
    {"pages", printer_pages_lua, "the same as a list of pages", 0},
    {"save", printer_save_lua, "save(\"list.prt\"): writes the text to a file beside the scenario", 1},
    {"form", printer_form_lua, "form{lines=, holes={[channel]=line}}: another form, from its first line on", 1},
    {NULL, NULL, NULL, 0},
};

/* --- card reader -------------------------------------------------------------------------------------------------- */

/* Pushes the deck of the table at `at` as lines of ISO 8859-1. */
static const char *push_lines(lua_State *L, int at, const char *what, size_t *length) {
    luaL_Buffer b;
    lua_Integer count = (lua_Integer)lua_rawlen(L, at);
    luaL_buffinit(L, &b);
    for (lua_Integer i = 1; i <= count; i++) {
        size_t line_length;
        lua_rawgeti(L, at, i);
        const char *line = push_to_latin1(L, -1, what, &line_length);
        if (memchr(line, '\n', line_length)) {
            luaL_error(L, "%s %I has more than one line", what, i);
        }
        lua_remove(L, -2);
        luaL_addvalue(&b);
        luaL_addchar(&b, '\n');
    }
    luaL_pushresult(&b);
    return lua_tolstring(L, -1, length);
}

/* Checks that the table of a deck has its cards, or one of bytes and file, and perhaps eof. */
static void check_deck(lua_State *L, int at, const char *what) {
    bool has_cards = lua_rawlen(L, at) > 0;
    int sources = has_cards + push_option(L, at, "bytes") + push_option(L, at, "file");
    lua_pop(L, 2);
    for (lua_pushnil(L); lua_next(L, at); lua_pop(L, 1)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        bool is_place =
            lua_isinteger(L, -2) && lua_tointeger(L, -2) >= 1 && lua_tointeger(L, -2) <= (lua_Integer)lua_rawlen(L, at);
        if (!is_place && strcmp(key, "bytes") && strcmp(key, "file") && strcmp(key, "eof")) {
            char got[96];
            luaL_error(L, "%s: unknown option %s; there are bytes, file, eof, and cards without a name", what,
                       arguments_describe(L, -2, got, sizeof got));
        }
    }
    if (sources > 1) {
        luaL_error(L, "%s is cards, bytes or a file, and only one of them", what);
    }
}

/* Puts the deck at stack `at` into the reader: a text of lines, a list of cards, {bytes=} or {file=}; with eof=true. */
static void load_deck(lua_State *L, int at, struct device *reader, const char *who) {
    struct engine *engine = engine_of(L);
    struct error e = ERROR_CLEAR;
    char what[80], path[4096];
    size_t length = 0;
    bool eof = false, ok;
    snprintf(what, sizeof what, "%s: %s", who, "the deck");
    if (lua_type(L, at) == LUA_TSTRING) {
        const char *text = push_to_latin1(L, at, what, &length);
        ok = reader_load_text(reader, text, length, false, &e);
    } else if (!lua_istable(L, at)) {
        arguments_refuse(L, at, what, "a text of lines, a list of cards, {bytes = ...} or {file = ...}");
        return;
    } else {
        check_deck(L, at, what);
        if (push_option(L, at, "eof")) {
            snprintf(what, sizeof what, "%s: eof", who);
            eof = arguments_flag(L, -1, what);
        }
        if (push_option(L, at, "bytes")) {
            snprintf(what, sizeof what, "%s: bytes", who);
            const char *bytes = arguments_text(L, -1, what, &length);
            ok = reader_load(reader, (const uint8_t *)bytes, length, eof, &e);
        } else if (push_option(L, at, "file")) {
            snprintf(what, sizeof what, "%s: file", who);
            const char *file = arguments_file(L, -1, what);
            struct bytes *text = engine_scratch(L);
            ok = files_find(engine, file, path, sizeof path, &e) && files_read(engine, path, DECK_MOST_BYTES, text, &e);
            if (ok) {
                engine_push_scratch(L, text);
                const char *lines = push_to_latin1(L, -1, what, &length);
                ok = reader_load_text(reader, lines, length, eof, &e);
            }
        } else {
            snprintf(what, sizeof what, "%s: card", who);
            const char *lines = push_lines(L, at, what, &length);
            ok = reader_load_text(reader, lines, length, eof, &e);
        }
    }
    engine_charge(L, length);
    if (!ok) {
        luaL_error(L, "%s: %s", who, e.text);
    }
}

static int reader_load_lua(lua_State *L) {
    struct device *device = check_device(L, CLASS_READER, ADDRESS_READER, "m.reader:load");
    machine_refuse_while_running(L, "m.reader:load");
    lua_settop(L, 2);
    load_deck(L, 2, device, "m.reader:load");
    return 0;
}

static void push_cards(lua_State *L, const struct handle *h) {
    lua_pushinteger(L, (lua_Integer)reader_cards(machine_device(h->node->machine, ADDRESS_READER)));
}

const struct engine_function reader_methods[] = {
    {"load", reader_load_lua, "load{cards} or load(lines), load{bytes=}, load{file=}, with eof=: a deck for the hopper",
     1},
    {NULL, NULL, NULL, 0},
};

/* --- disk --------------------------------------------------------------------------------------------------------- */

/* A disk that no machine has yet: owned by this userdata until it is attached. */
struct disk_choice {
    struct engine *engine;
    struct disk_backing backing;
    bool owned;
    uint64_t storage_bytes; /* counted in the budget */
    bool is_minidisk;       /* a part of the host's disk: then there is no backing */
    struct minidisk minidisk;
};

static int free_choice(lua_State *L) {
    struct disk_choice *choice = lua_touserdata(L, 1);
    if (choice->owned) {
        choice->owned = false;
        choice->backing.free(choice->backing.self);
        choice->engine->storage_bytes -= choice->storage_bytes;
    }
    return 0;
}

/* Makes a file for a disk. */
static bool make_file(lua_State *L, const char *file, const char *path, uint32_t blocks, const char *who,
                      struct error *e) {
    if (!blocks) {
        return error_set(e, ERROR_INPUT, "%s: there is no such file; with blocks = N it is made", file);
    }
    engine_count_made(L, (uint64_t)blocks * DISK_BLOCK_BYTES, who);
    return disk_file_new(path, blocks, e);
}

/* {first=, blocks=, shared=}: a part of the disk of the machine below. */
static void choose_minidisk(lua_State *L, int at, const struct node *host, const char *who,
                            struct disk_choice *choice) {
    static const char *const keys[] = {"first", "blocks", "shared", NULL};
    char what[80];
    snprintf(what, sizeof what, "%s: disk", who);
    arguments_table(L, at, what, keys, false);
    uint32_t begins, all = host ? objects_disk(host, &begins) : 0;
    if (!all) {
        luaL_error(L, "%s: disk.first makes a minidisk, a part of the disk of the machine below; there is %s", who,
                   host ? "none" : "no machine below");
        return;
    }
    choice->is_minidisk = true;
    lua_getfield(L, at, "first");
    snprintf(what, sizeof what, "%s: disk.first", who);
    struct minidisk *part = &choice->minidisk;
    part->address = part->host_address = ADDRESS_DISK;
    part->first = (uint32_t)arguments_integer(L, -1, what, 0, (lua_Integer)all - 1);
    part->blocks = all - part->first;
    if (push_option(L, at, "blocks")) {
        snprintf(what, sizeof what, "%s: disk.blocks", who);
        part->blocks = (uint32_t)arguments_integer(L, -1, what, 1, part->blocks);
    }
    snprintf(what, sizeof what, "%s: disk.shared", who);
    part->shared = push_option(L, at, "shared") && arguments_flag(L, -1, what);
}

/* Opens what the table at `at` says: {blocks=} in storage, {file=} with changes in storage, {file=, keep=true}, and
 * {file=, keep=true, blocks=}, which makes the file when there is none. */
static void open_disk(lua_State *L, int at, const char *who, struct disk_choice *choice) {
    static const char *const keys[] = {"blocks", "file", "keep", "first", NULL};
    struct engine *engine = choice->engine;
    struct error e = ERROR_CLEAR;
    char what[80], path[4096];
    uint32_t blocks = 0;
    snprintf(what, sizeof what, "%s: disk", who);
    arguments_table(L, at, what, keys, false);
    if (push_option(L, at, "blocks")) {
        snprintf(what, sizeof what, "%s: disk.blocks", who);
        blocks = (uint32_t)arguments_integer(L, -1, what, 1, DISK_BLOCKS_MOST);
    }
    snprintf(what, sizeof what, "%s: disk.keep", who);
    bool keep = push_option(L, at, "keep") && arguments_flag(L, -1, what);
    snprintf(what, sizeof what, "%s: disk.file", who);
    const char *file = push_option(L, at, "file") ? arguments_file(L, -1, what) : NULL;
    bool exists = true, ok;
    if (!file) {
        if (!blocks || keep) {
            luaL_error(L,
                       "%s: disk takes {blocks = N}, {file = \"...\"} or {file = \"...\", keep = true}; a guest's also "
                       "{first = N}",
                       who);
        }
        objects_make_room(L, (uint64_t)blocks * DISK_BLOCK_BYTES, who);
        ok = disk_backing_memory(&choice->backing, blocks, &e);
    } else if (keep) {
        ok = files_own(engine, file, path, sizeof path, &exists, &e) &&
             (exists || make_file(L, file, path, blocks, who, &e)) &&
             disk_backing_file(&choice->backing, path, DISK_WRITABLE, &e);
    } else {
        ok = files_find(engine, file, path, sizeof path, &e) && disks_overlay(&choice->backing, path, &e);
    }
    if (!ok) {
        luaL_error(L, "%s: disk: %s", who, e.text);
    }
    choice->owned = true;
    if (file && blocks && choice->backing.blocks != blocks) {
        luaL_error(L, "%s: disk.blocks is %d; %s has %d", who, (int)blocks, file, (int)choice->backing.blocks);
    }
    if (!keep) { /* what is written is kept in storage */
        choice->storage_bytes = (uint64_t)choice->backing.blocks * DISK_BLOCK_BYTES;
        engine->storage_bytes += choice->storage_bytes;
    }
}

struct disk_choice *devices_choose(lua_State *L, int options, const struct node *host, const char *who) {
    if (lua_isnoneornil(L, options) || !push_option(L, options, "disk")) {
        return NULL;
    }
    int table = lua_gettop(L);
    struct disk_choice *choice = lua_newuserdatauv(L, sizeof *choice, 0);
    *choice = (struct disk_choice){.engine = engine_of(L)};
    luaL_setmetatable(L, CLASS_DISK_CHOICE);
    if (lua_istable(L, table) && push_option(L, table, "first")) {
        choose_minidisk(L, table, host, who, choice);
    } else {
        open_disk(L, table, who, choice);
    }
    lua_pushvalue(L, table + 1);
    return choice;
}

static void attach_minidisk(lua_State *L, struct node *node, struct disk_choice *choice, const char *who) {
    struct error e = ERROR_CLEAR;
    if (!vmm_minidisk(node->machine, &choice->minidisk, &e)) {
        luaL_error(L, "%s: %s", who, e.text);
    }
    node->disk_blocks = choice->minidisk.blocks;
}

static void attach_disk(lua_State *L, struct node *node, struct disk_choice *choice, const char *who) {
    struct error e = ERROR_CLEAR;
    choice->owned = false;
    node->tree->storage_bytes += choice->storage_bytes;
    struct device *disk = disk_new(machine_model(node->machine), &choice->backing);
    if (!machine_attach(node->machine, ADDRESS_DISK, disk, &e)) {
        luaL_error(L, "%s: %s", who, e.text);
    }
    node->disk_blocks = choice->backing.blocks;
}

void devices_attach(lua_State *L, int options, struct node *node, struct disk_choice *choice, const char *who) {
    int top = lua_gettop(L);
    if (choice) {
        (choice->is_minidisk ? attach_minidisk : attach_disk)(L, node, choice, who);
    }
    if (!lua_isnoneornil(L, options) && push_option(L, options, "cards")) {
        char what[40];
        snprintf(what, sizeof what, "%s: cards", who);
        load_deck(L, top + 1, machine_device(node->machine, ADDRESS_READER), what);
    }
    lua_settop(L, top);
}

/* *first: the device's block that is block 0 of the machine's disk. */
static struct device *check_disk(lua_State *L, const char *what, uint32_t *first, uint32_t *blocks) {
    const struct node *node = objects_check(L, 1, CLASS_DISK, what)->node;
    *blocks = objects_disk(node, first);
    if (!*blocks) {
        luaL_error(L, "%s: the hypervisor of %s gives it no disk any more", what, node->name);
    }
    return machine_device(node->machine, ADDRESS_DISK);
}

static uint32_t block_at(lua_State *L, uint32_t blocks, const char *what) {
    return (uint32_t)arguments_integer(L, 2, what, 0, (lua_Integer)blocks - 1);
}

/* m.disk:read(block [, n]) */
static int disk_read_lua(lua_State *L) {
    uint32_t first, blocks;
    struct device *disk = check_disk(L, "m.disk:read", &first, &blocks);
    uint32_t block = block_at(L, blocks, "m.disk:read: the block"), most = blocks - block;
    most = most < READ_BLOCKS_MOST ? most : READ_BLOCKS_MOST;
    lua_Integer count =
        lua_isnoneornil(L, 3) ? 1 : arguments_integer(L, 3, "m.disk:read: the number of blocks", 1, most);
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (lua_Integer i = 0; i < count; i++) {
        engine_charge(L, BLOCK_CHARGE);
        uint8_t *to = (uint8_t *)luaL_prepbuffsize(&b, DISK_BLOCK_BYTES);
        if (!disk_read_block(disk, first + block + (uint32_t)i, to)) {
            return luaL_error(L, "m.disk:read: the host cannot read block %I", (lua_Integer)block + i);
        }
        luaL_addsize(&b, DISK_BLOCK_BYTES);
    }
    luaL_pushresult(&b);
    return 1;
}

/* m.disk:write(block, bytes) */
static int disk_write_lua(lua_State *L) {
    uint32_t first, blocks;
    struct device *disk = check_disk(L, "m.disk:write", &first, &blocks);
    uint32_t block = block_at(L, blocks, "m.disk:write: the block");
    size_t length;
    const char *from = arguments_text(L, 3, "m.disk:write: the bytes", &length);
    machine_refuse_while_running(L, "m.disk:write");
    if (length > (uint64_t)(blocks - block) * DISK_BLOCK_BYTES) {
        return luaL_error(L, "m.disk:write: %I bytes from block %I on do not fit; the last block is %I",
                          (lua_Integer)length, (lua_Integer)block, (lua_Integer)blocks - 1);
    }
    for (size_t done = 0; done < length; done += DISK_BLOCK_BYTES, block++) {
        uint8_t bytes[DISK_BLOCK_BYTES] = {0};
        engine_charge(L, BLOCK_CHARGE);
        memcpy(bytes, from + done, length - done < DISK_BLOCK_BYTES ? length - done : DISK_BLOCK_BYTES);
        if (!disk_write_block(disk, first + block, bytes)) {
            return luaL_error(L, "m.disk:write: the host cannot write block %I", (lua_Integer)block);
        }
    }
    return 0;
}

const struct engine_function disk_methods[] = {
    {"read", disk_read_lua, "read(block, n): the bytes of n blocks, one unless said otherwise", 2},
    {"write", disk_write_lua, "write(block, bytes): from this block on; the last one is filled with zeros", 2},
    {NULL, NULL, NULL, 0},
};

/* --- the operator ------------------------------------------------------------------------------------------------- */

static int raise_condition(lua_State *L, const char *what, enum machine_condition condition) {
    struct node *node = machine_self(L, what);
    machine_refuse_while_running(L, what);
    machine_raise(node->machine, condition);
    return 0;
}

static int attention_lua(lua_State *L) { return raise_condition(L, "m:attention", CONDITION_ATTENTION); }
static int interrupt_key_lua(lua_State *L) { return raise_condition(L, "m:interrupt_key", CONDITION_INTERRUPT_KEY); }

const struct engine_function operator_methods[] = {
    {"attention", attention_lua, "the operator presses request: attention from the console", 0},
    {"interrupt_key", interrupt_key_lua, "the operator presses the interrupt key", 0},
    {NULL, NULL, NULL, 0},
};

/* --- the devices as Lua objects ----------------------------------------------------------------------------------- */

static void push_blocks(lua_State *L, const struct handle *h) {
    uint32_t first;
    lua_pushinteger(L, objects_disk(h->node, &first));
}

/* A kind of device: its field besides the methods, if it has one. */
static const struct device_class {
    const char *class;
    const struct engine_function *methods;
    const char *field;
    void (*push)(lua_State *L, const struct handle *h);
} classes[] = {
    {CLASS_CONSOLE, console_methods, NULL, NULL},
    {CLASS_PRINTER, printer_methods, NULL, NULL},
    {CLASS_READER, reader_methods, "cards", push_cards},
    {CLASS_DISK, disk_methods, "blocks", push_blocks},
};
enum { CLASSES = sizeof classes / sizeof *classes };

/* What the value at stack 1 is; the methods are the index function's upvalue. */
static const struct device_class *class_of(lua_State *L) {
    const struct device_class *c = classes;
    while (c < classes + CLASSES - 1 && !luaL_testudata(L, 1, c->class)) {
        c++;
    }
    return c;
}

static int refuse_device_field(lua_State *L, const struct device_class *c, const char *name) {
    struct bytes *list = engine_scratch(L);
    for (const struct engine_function *f = c->methods; f->name; f++) {
        bytes_printf(list, "%s%s", f == c->methods ? "" : ", ", f->name);
    }
    if (c->field) {
        bytes_printf(list, ", %s", c->field);
    }
    engine_push_scratch(L, list);
    return luaL_error(L, "a %s has no %s; it has %s", strchr(c->class, '.') + 1, name, lua_tostring(L, -1));
}

static int device_index(lua_State *L) {
    const struct device_class *c = class_of(L);
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : luaL_typename(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) {
        return 1;
    }
    if (!c->field || strcmp(name, c->field)) {
        return refuse_device_field(L, c, name);
    }
    c->push(L, objects_check(L, 1, c->class, c->field));
    return 1;
}

static int device_name(lua_State *L) {
    const struct device_class *c = class_of(L);
    struct handle *h = luaL_checkudata(L, 1, c->class);
    bool closed = !h->tree || h->tree->closed;
    lua_pushfstring(L, "%s of %s", strchr(c->class, '.') + 1, closed ? "a closed machine" : h->node->name);
    return 1;
}

void lua_open_devices(lua_State *L) {
    for (int i = 0; i < CLASSES; i++) {
        const struct engine_function *const methods[] = {classes[i].methods, NULL};
        engine_new_class(L, classes[i].class, methods, device_index, NULL, objects_gc, device_name);
    }
    engine_new_class(L, CLASS_DISK_CHOICE, NULL, NULL, NULL, free_choice, NULL);
}
