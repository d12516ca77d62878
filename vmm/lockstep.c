/* One step of the guest, then the same step of the reference. */
#include "vmm/lockstep.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "isa/clock.h"
#include "isa/disk.h"
#include "isa/supervisor.h"
#include "mmu/storage.h"
#include "vmm/isomorphism.h"

enum { PATIENCE = 100000000, WAITS_MOST = 100000, CSW_LOCATION = 64 };

bool lockstep_broken(struct lockstep *l, const char *format, ...) {
    va_list arguments;
    if (l->broken)
        return false;
    l->broken = true;
    va_start(arguments, format);
    vsnprintf(l->what, sizeof l->what, format, arguments);
    va_end(arguments);
    return false;
}

/* ---- What is next ---- */

/* Logical to real in the state before the step; false: it cannot be translated. */
static bool real_of(struct lockstep *l, uint32_t address, uint32_t *real) {
    struct dat_walk w;
    if (!psw_dat(&l->before.psw)) {
        *real = address & 0xFFFFFF;
        return true;
    }
    if (machine_walk_under(l->reference, l->before.cr[0], l->before.cr[1], address & 0xFFFFFF, &w) != ACCESS_OK)
        return false;
    *real = w.real;
    return true;
}

static bool read_logical(struct lockstep *l, uint32_t address, uint8_t *to, uint32_t length) {
    for (uint32_t i = 0; i < length; i++) {
        uint32_t real;
        if (!real_of(l, address + i, &real) || machine_peek(l->reference, real, to + i, 1) != ACCESS_OK)
            return false;
    }
    return true;
}

static uint32_t operand_of(const struct lockstep *l) {
    return ((l->f.b2 ? l->before.gpr[l->f.b2] : 0) + l->f.d2) & 0xFFFFFF;
}

/* The target of an EXECUTE takes its place: its first operand's fields are of no interest here. */
static void find_target(struct lockstep *l) {
    uint8_t text[6];
    uint32_t address = operand_of(l) + (l->f.r3 ? l->before.gpr[l->f.r3] : 0);
    memset(text, 0, sizeof text);
    if (!read_logical(l, address, text, 2) || !read_logical(l, address, text, instruction_length(text[0])))
        return;
    text[1] |= l->f.r1 ? (uint8_t)l->before.gpr[l->f.r1] : 0;
    l->instruction = instruction_decode(text);
    if (l->instruction)
        instruction_take(&l->f, l->instruction, text);
}

static void look_ahead(struct lockstep *l) {
    uint8_t raw[8] = {0};
    memset(l->text, 0, sizeof l->text);
    l->instruction = NULL;
    machine_state(l->reference, &l->before);
    uint32_t at = l->before.psw.ia;
    if (psw_wait(&l->before.psw) || !read_logical(l, at, l->text, 2) ||
        !read_logical(l, at, l->text, instruction_length(l->text[0])))
        return;
    l->instruction = instruction_decode(l->text);
    if (!l->instruction)
        return;
    instruction_take(&l->f, l->instruction, l->text);
    if (instruction_id(l->instruction) == INSTRUCTION_EX)
        find_target(l);
    if (lockstep_is(l, INSTRUCTION_SCK) || lockstep_is(l, INSTRUCTION_SPT))
        read_logical(l, operand_of(l), raw, sizeof raw);
    l->operand = bytes_get64(raw);
}

static void note_step(struct lockstep *l, const char *interruption) {
    if (l->last_count == LOCKSTEP_LAST) {
        memmove(l->last, l->last + 1, (LOCKSTEP_LAST - 1) * sizeof l->last[0]);
        l->last_count--;
    }
    struct lockstep_step *s = &l->last[l->last_count++];
    s->address = l->before.psw.ia;
    memcpy(s->text, l->text, sizeof s->text);
    snprintf(s->interruption, sizeof s->interruption, "%s", interruption);
}

bool lockstep_is(const struct lockstep *l, enum instruction_id id) {
    return l->instruction && instruction_id(l->instruction) == id;
}

static bool is_any(const struct lockstep *l, const enum instruction_id *ids, size_t count) {
    for (size_t n = 0; n < count; n++)
        if (lockstep_is(l, ids[n]))
            return true;
    return false;
}

/* Instructions that a device answers. */
static bool transfers(const struct lockstep *l) {
    static const enum instruction_id ids[] = {INSTRUCTION_SIO, INSTRUCTION_SIOF, INSTRUCTION_TIO, INSTRUCTION_CLRIO,
                                              INSTRUCTION_HIO, INSTRUCTION_HDV,  INSTRUCTION_TCH};
    return is_any(l, ids, sizeof ids / sizeof *ids);
}

static bool starts(const struct lockstep *l) {
    return lockstep_is(l, INSTRUCTION_SIO) || lockstep_is(l, INSTRUCTION_SIOF);
}

/* ---- Devices that were not the same from the beginning ---- */

static struct lockstep_device *device_at(struct lockstep *l, uint16_t address) {
    for (unsigned n = 0; n < l->devices; n++)
        if (l->device[n].address == address)
            return &l->device[n];
    return NULL;
}

static bool model_at(const struct machine *m, uint16_t address, struct isomorphism_device *to) {
    for (unsigned n = 0; isomorphism_device_at(m, n, to); n++)
        if (to->address == address)
            return true;
    return false;
}

static void copy_disk(const struct isomorphism_device *from, struct device *to) {
    uint8_t block[DISK_BLOCK_BYTES], there[DISK_BLOCK_BYTES];
    for (uint32_t n = 0; n < from->blocks; n++)
        if (disk_read_block(from->model, from->first + n, block) && disk_read_block(to, n, there) &&
            memcmp(block, there, sizeof block) != 0)
            disk_write_block(to, n, block);
}

/* What it was typed, which cards it has: its own state, from one model to the other. */
static void copy_state(struct device *from, struct device *to) {
    struct bytes state = {0};
    struct error e = ERROR_CLEAR;
    struct archive saving = archive_saving(&state, &e);
    if (!from->ops->archive)
        return;
    from->ops->archive(from, &saving);
    if (archive_finish(&saving)) {
        struct archive loading = archive_loading(state.data, state.length, &e);
        to->ops->archive(to, &loading);
    }
    bytes_fini(&state);
}

/* Before the guest uses the device, for the first time since the two were made the same. */
static void adopt_device(struct lockstep *l) {
    uint16_t address = (uint16_t)operand_of(l);
    struct lockstep_device *d = device_at(l, address);
    struct isomorphism_device from;
    struct device *to = machine_device(l->reference, address);
    if (!d || !d->adopt || !to || !model_at(l->guest, address, &from) || from.model->ops->type != to->ops->type)
        return;
    d->adopt = false;
    memcpy(to->sense, from.model->sense, sizeof to->sense);
    if (from.blocks)
        copy_disk(&from, to);
    else
        copy_state(from.model, to);
}

/* Whether what this instruction says is of a program that was started before. */
static bool speaks_of_earlier(struct lockstep *l) {
    uint16_t address = (uint16_t)operand_of(l);
    const struct lockstep_device *d = device_at(l, address);
    if (!lockstep_is(l, INSTRUCTION_TCH))
        return d && d->earlier;
    for (unsigned n = 0; n < l->devices; n++)
        if (l->device[n].earlier && l->device[n].address >> 8 == address >> 8)
            return true;
    return false;
}

static void copy_words(struct lockstep *l, uint32_t real, uint32_t length) {
    machine_peek(l->guest, real, l->a, length);
    machine_poke(l->reference, real, l->a, length);
}

static void copy_storage(struct lockstep *l) {
    for (uint32_t at = 0; at < l->memory; at += LOCKSTEP_CHUNK)
        copy_words(l, at, LOCKSTEP_CHUNK < l->memory - at ? LOCKSTEP_CHUNK : l->memory - at);
}

/* The answer to an instruction that only the guest's device knows: condition code and CSW. False: it is to be executed,
 * and the device is as the guest's from now on. */
static bool take_over_answer(struct lockstep *l) {
    struct machine_state s;
    if (!l->completed || !speaks_of_earlier(l))
        return false;
    if (starts(l) && l->now.psw.cc == 0) {
        device_at(l, (uint16_t)operand_of(l))->earlier = false;
        return false;
    }
    machine_state(l->reference, &s);
    s.psw.cc = l->now.psw.cc;
    s.psw.ia = (s.psw.ia + instruction_length(l->text[0])) & 0xFFFFFF;
    machine_set_state(l->reference, &s);
    copy_words(l, CSW_LOCATION, 8);
    return true;
}

/* An interruption of a program that was started before: with its data. */
static void take_over_status(struct lockstep *l, uint16_t address) {
    struct lockstep_device *d = device_at(l, address);
    uint8_t csw[8];
    machine_peek(l->guest, CSW_LOCATION, csw, sizeof csw);
    bool attention = csw[4] == UNIT_ATTENTION && csw[5] == 0; /* somebody has pressed a key */
    if (!attention && (!d || !d->earlier))
        return;
    machine_device_presents(l->reference, address, bytes_get64(csw));
    if (attention)
        return;
    copy_storage(l);
    d->earlier = csw[4] == 0 && csw[5] == CHANNEL_PCI;
}

/* ---- What is taken over from the guest ---- */

/* The interval timer is a clock. */
static void take_over_timer(struct lockstep *l) { copy_words(l, LOCKSTEP_TIMER_WORD, 4); }

/* What a clock said. */
static bool take_over_clock(struct lockstep *l) {
    uint8_t value[8] = {0};
    for (uint32_t i = 0; i < sizeof value; i++) {
        uint32_t real;
        if (real_of(l, operand_of(l) + i, &real) && machine_peek(l->guest, real, value + i, 1) == ACCESS_OK)
            machine_poke(l->reference, real, value + i, 1);
    }
    if (lockstep_is(l, INSTRUCTION_STPT))
        return true;
    if (bytes_get64(value) < l->clock)
        return lockstep_broken(l, "the TOD clock ran backwards, from %016" PRIX64 " to %016" PRIX64, l->clock,
                               bytes_get64(value));
    l->clock = bytes_get64(value);
    return true;
}

/* What a storage key's reference bit, and so the instruction, said. */
static void take_over_reference(struct lockstep *l) {
    struct machine_state r;
    machine_state(l->reference, &r);
    if (lockstep_is(l, INSTRUCTION_ISK) || lockstep_is(l, INSTRUCTION_ISKE))
        r.gpr[l->f.r1] = (r.gpr[l->f.r1] & ~(uint32_t)KEY_REFERENCE) | (l->now.gpr[l->f.r1] & KEY_REFERENCE);
    else
        r.psw.cc = (uint8_t)((r.psw.cc & 1) | (l->now.psw.cc & 2));
    machine_set_state(l->reference, &r);
}

/* A part of a long move, that the guest was interrupted in: the rest of it is compared. */
static void take_over_part(struct lockstep *l) {
    struct machine_state r;
    machine_state(l->reference, &r);
    for (unsigned n = 0; n < 2; n++) {
        r.gpr[(l->f.r1 + n) & 15] = l->now.gpr[(l->f.r1 + n) & 15];
        r.gpr[(l->f.r3 + n) & 15] = l->now.gpr[(l->f.r3 + n) & 15];
    }
    machine_set_state(l->reference, &r);
    copy_storage(l);
}

/* The guest's device was not busy (any more). */
static void take_over_device(struct lockstep *l) {
    if (l->now.psw.cc != 2)
        machine_device_ends(l->reference, (uint16_t)operand_of(l));
}

/* ---- One step ---- */

static uint64_t interruptions_of(struct machine *m, uint64_t counts[INTERRUPTION_CLASSES]) {
    struct machine_stats s;
    machine_stats(m, &s);
    memcpy(counts, s.interruptions, sizeof s.interruptions);
    return interruption_total(counts);
}

/* The class of the interruption that the guest took in this step, if it was not the instruction's own. */
static enum interruption_class came(const struct lockstep *l, const uint64_t now[INTERRUPTION_CLASSES]) {
    static const enum interruption_class outside[] = {INTERRUPTION_EXTERNAL, INTERRUPTION_IO,
                                                      INTERRUPTION_MACHINE_CHECK};
    for (size_t n = 0; n < sizeof outside / sizeof *outside; n++)
        if (now[outside[n]] != l->counts[outside[n]])
            return outside[n];
    return INTERRUPTION_CLASSES;
}

/* Its code, from where the guest's CPU stored it. */
static unsigned code_of(struct lockstep *l, enum interruption_class c, unsigned *sender) {
    uint8_t low[192];
    machine_peek(l->guest, 0, low, sizeof low);
    *sender = bytes_get16(low + 132);
    bool ec = psw_ec(&l->before.psw);
    if (c == INTERRUPTION_EXTERNAL)
        return bytes_get16(low + (ec ? 134 : 26));
    return bytes_get16(low + (ec ? 186 : 58));
}

static bool deliver(struct lockstep *l, enum interruption_class c) {
    unsigned sender, code = code_of(l, c, &sender);
    char text[16];
    snprintf(text, sizeof text, "%.8s %04X", interruption_name(c), code & 0xFFFF);
    if (lockstep_is(l, INSTRUCTION_MVCL) || lockstep_is(l, INSTRUCTION_CLCL))
        take_over_part(l);
    if (c == INTERRUPTION_IO)
        take_over_status(l, (uint16_t)code);
    note_step(l, text);
    bool taken = c == INTERRUPTION_EXTERNAL ? machine_deliver_external(l->reference, code, sender)
                 : c == INTERRUPTION_IO     ? machine_deliver_io(l->reference, (uint16_t)code)
                                            : false;
    return taken || lockstep_broken(l, "an interruption came, %s, that the bare machine would not take", text);
}

/* The instruction, or the interruption that starts the machine. */
static bool execute(struct lockstep *l) {
    static const enum instruction_id clocks[] = {INSTRUCTION_STCK, INSTRUCTION_STPT},
                                     references[] = {INSTRUCTION_ISK, INSTRUCTION_ISKE, INSTRUCTION_RRB,
                                                     INSTRUCTION_RRBE};
    note_step(l, l->restarts ? interruption_name(INTERRUPTION_RESTART) : "");
    if (transfers(l)) {
        if (take_over_answer(l))
            return true;
        take_over_device(l);
    }
    machine_run(l->reference, &(struct machine_limits){.instructions = 1});
    if (is_any(l, clocks, sizeof clocks / sizeof *clocks))
        return take_over_clock(l);
    if (is_any(l, references, sizeof references / sizeof *references))
        take_over_reference(l);
    return true;
}

static uint64_t exits_of(struct lockstep *l) {
    uint64_t counts[INTERRUPTION_CLASSES];
    return interruptions_of(machine_host(l->guest), counts);
}

/* An interruption that the guest enables does not wait for longer than to the second exit. */
static bool nothing_lost(struct lockstep *l) {
    if (!machine_has_pending(l->guest)) {
        l->exits_since = UINT64_MAX;
        return true;
    }
    uint64_t exits = exits_of(l);
    if (l->exits_since == UINT64_MAX)
        l->exits_since = exits;
    return exits - l->exits_since <= 2 ||
           lockstep_broken(
               l, "an interruption that is pending and enabled was not given to the guest in %" PRIu64 " exits",
               exits - l->exits_since);
}

/* Runs the guest for one step; it may wait for a device for as long as that takes. False: it hangs. */
static bool run_step(struct lockstep *l, bool *done) {
    struct machine_limits limits = {.instructions = 1, .cycles = l->patience};
    struct machine_stats before, after;
    uint64_t busy = machine_busy_cycles(l->guest), now[INTERRUPTION_CLASSES];
    uint64_t took = interruptions_of(l->guest, now);
    machine_stats(l->guest, &before);
    for (unsigned n = 0; n < WAITS_MOST; n++) {
        l->status =
            l->run ? (enum machine_status)l->run(l->run_self, l->guest, &limits) : machine_run(l->guest, &limits);
        machine_stats(l->guest, &after);
        *done = after.instructions != before.instructions || interruptions_of(l->guest, now) != took;
        if (l->status != MACHINE_READY || *done)
            return true;
        if (machine_busy_cycles(l->guest) - busy >= l->patience)
            break;
    }
    return lockstep_broken(l, "it did nothing in %" PRIu64 " cycles of the bare machine below",
                           machine_busy_cycles(l->guest) - busy);
}

/* The reference does what the guest did. */
static bool same_step(struct lockstep *l, bool instruction, const uint64_t now[INTERRUPTION_CLASSES]) {
    enum interruption_class c = came(l, now);
    l->restarts = now[INTERRUPTION_RESTART] != l->counts[INTERRUPTION_RESTART];
    l->completed = now[INTERRUPTION_PROGRAM] == l->counts[INTERRUPTION_PROGRAM];
    take_over_timer(l);
    if (instruction || c == INTERRUPTION_CLASSES) {
        if (!execute(l))
            return false;
        if (c != INTERRUPTION_CLASSES)
            look_ahead(l); /* and then an interruption came, in the same step */
    } else {
        l->completed = false;
    }
    return c == INTERRUPTION_CLASSES || deliver(l, c);
}

enum lockstep_result lockstep_step(struct lockstep *l) {
    uint64_t now[INTERRUPTION_CLASSES];
    struct machine_stats before, after;
    bool done;
    interruptions_of(l->guest, l->counts);
    machine_stats(l->guest, &before);
    machine_state(l->guest, &l->was);
    l->cycles = before.cycles;
    look_ahead(l);
    if (transfers(l))
        adopt_device(l);
    if (!run_step(l, &done))
        return LOCKSTEP_BROKEN;
    if (!done)
        return LOCKSTEP_NOTHING;
    machine_stats(l->guest, &after);
    machine_state(l->guest, &l->now);
    interruptions_of(l->guest, now);
    if (!same_step(l, after.instructions != before.instructions, now))
        return LOCKSTEP_BROKEN;
    machine_state(l->reference, &l->reference_now);
    l->steps++;
    return nothing_lost(l) ? LOCKSTEP_DONE : LOCKSTEP_BROKEN;
}

uint64_t lockstep_passed(const struct lockstep *l) {
    struct machine_stats s;
    machine_stats(l->guest, &s);
    return clock_units(s.cycles - l->cycles) + 2; /* readings are rounded down */
}

/* ---- The end ---- */

/* The guest waits, and nothing can end that: so it must be with the bare machine when its devices have ended. */
static bool waits_as_well(struct lockstep *l) {
    for (unsigned address = 0; address <= 0xFFF; address++)
        if (machine_deliver_io(l->reference, (uint16_t)address))
            return lockstep_broken(
                l, "it waits for ever for an interruption of device %03X, which the bare machine gets", address);
    return true;
}

bool lockstep_same_end(struct lockstep *l) {
    if (l->status == MACHINE_READY)
        return true;
    if (l->status == MACHINE_IDLE)
        return waits_as_well(l);
    machine_run(l->reference, &(struct machine_limits){.instructions = 1});
    enum machine_status other = machine_status(l->reference);
    machine_state(l->guest, &l->now);
    machine_state(l->reference, &l->reference_now);
    return l->status == other || lockstep_broken(l, "it ended in status %s, and the bare machine in %s",
                                                 machine_status_name(l->status), machine_status_name(other));
}

/* ---- The beginning ---- */

static bool suitable(struct machine *guest, struct machine *reference, struct error *e) {
    if (!machine_host(guest))
        return error_set(e, ERROR_INPUT, "%s is no virtual machine", machine_name(guest));
    if (machine_host(reference) || machine_cpus(reference) != 1 || machine_cpus(guest) != 1)
        return error_set(e, ERROR_INPUT, "the reference is a bare machine, and both have one CPU");
    if (machine_started(reference))
        return error_set(e, ERROR_INPUT, "the reference, %s, was started", machine_name(reference));
    if (strcmp(machine_model(guest)->name, machine_model(reference)->name) != 0 ||
        machine_profile(guest) != machine_profile(reference) ||
        machine_channel_conditions(guest) != machine_channel_conditions(reference))
        return error_set(e, ERROR_INPUT,
                         "guest and reference are to be of the same model, profile and channel conditions");
    if (machine_memory(guest) != machine_memory(reference))
        return error_set(e, ERROR_INPUT, "the guest has %u bytes of storage, the reference %u", machine_memory(guest),
                         machine_memory(reference));
    return true;
}

/* The states of both models, as they would be saved. */
static bool same_state(struct device *a, struct device *b, struct error *e) {
    struct bytes states[2] = {{0}};
    bool same = a->ops->archive == b->ops->archive;
    for (int n = 0; n < 2 && same && a->ops->archive; n++) {
        struct archive saving = archive_saving(&states[n], e);
        (n ? b : a)->ops->archive(n ? b : a, &saving);
        same = archive_finish(&saving);
    }
    same = same && states[0].length == states[1].length &&
           (states[0].length == 0 || memcmp(states[0].data, states[1].data, states[0].length) == 0);
    bytes_fini(&states[0]);
    bytes_fini(&states[1]);
    return same;
}

static bool same_disks(const struct lockstep *l, const struct isomorphism_device *g, const struct isomorphism_device *r,
                       struct error *e) {
    uint8_t a[DISK_BLOCK_BYTES], b[DISK_BLOCK_BYTES];
    if (g->blocks != r->blocks)
        return error_set(e, ERROR_INPUT, "disk %03X of %s has %u blocks, that of %s %u", g->address,
                         machine_name(l->guest), g->blocks, machine_name(l->reference), r->blocks);
    for (uint32_t n = 0; n < g->blocks; n++)
        if (!disk_read_block(g->model, g->first + n, a) || !disk_read_block(r->model, r->first + n, b) ||
            memcmp(a, b, sizeof a) != 0)
            return error_set(e, ERROR_INPUT, "block %u of disk %03X is not the same in %s and %s", n, g->address,
                             machine_name(l->guest), machine_name(l->reference));
    return true;
}

/* Each device of one is there in the other. */
static bool has_devices_of(const struct machine *m, const struct machine *other, struct error *e) {
    struct isomorphism_device theirs, own;
    for (unsigned n = 0; isomorphism_device_at(other, n, &theirs); n++)
        if (!model_at(m, theirs.address, &own) || strcmp(own.model->ops->type, theirs.model->ops->type) != 0)
            return error_set(e, ERROR_INPUT, "%s has a device %03X (%s), and %s has not", machine_name(other),
                             theirs.address, theirs.model->ops->type, machine_name(m));
    return true;
}

/* And what it has been given is the same. */
static bool same_devices(const struct lockstep *l, struct error *e) {
    struct isomorphism_device g, r;
    if (!has_devices_of(l->reference, l->guest, e) || !has_devices_of(l->guest, l->reference, e))
        return false;
    for (unsigned n = 0; isomorphism_device_at(l->guest, n, &g); n++) {
        model_at(l->reference, g.address, &r);
        if (g.blocks && !same_disks(l, &g, &r, e))
            return false;
        if (!g.blocks && !same_state(g.model, r.model, e))
            return error_set(e, ERROR_INPUT, "device %03X (%s) is not in the same state in %s and %s", g.address,
                             g.model->ops->type, machine_name(l->guest), machine_name(l->reference));
    }
    return true;
}

/* Its devices answer for themselves from the first program on that both start. */
static void expect_devices(struct lockstep *l) {
    struct isomorphism_device d;
    for (unsigned n = 0; l->devices < LOCKSTEP_DEVICES_MOST && isomorphism_device_at(l->guest, n, &d); n++)
        l->device[l->devices++] = (struct lockstep_device){.address = d.address, .adopt = true, .earlier = true};
}

static void copy_keys(struct lockstep *l) {
    for (uint32_t at = 0; at < l->memory; at += STORAGE_BLOCK_BYTES)
        machine_set_key(l->reference, at, (uint8_t)machine_key(l->guest, at));
}

/* Between two steps: it has the CPU, or waits like all below it. */
bool lockstep_between_steps(struct machine *guest) {
    struct machine_state s;
    if (machine_is_live(guest, 0))
        return true;
    for (struct machine *m = guest; m; m = machine_host(m)) {
        machine_state(m, &s);
        if (!psw_wait(&s.psw))
            return false;
    }
    return true;
}

/* From the state that the guest is in. */
static bool begin_now(struct lockstep *l, struct error *e) {
    struct machine_state s;
    bool done;
    if (!lockstep_between_steps(l->guest) && !run_step(l, &done))
        return error_set(e, ERROR_INPUT, "%s", l->what);
    expect_devices(l);
    machine_state(l->guest, &s);
    machine_set_state(l->reference, &s); /* before its storage, which is copied as its prefix has it */
    machine_set_comparator(l->reference, s.clock_comparator);
    copy_storage(l);
    copy_keys(l);
    machine_direct(l->reference);
    return true;
}

bool lockstep_begin(struct lockstep *l, struct machine *guest, struct machine *reference, enum lockstep_begin from,
                    uint64_t patience, struct error *e) {
    if (!suitable(guest, reference, e))
        return false;
    *l = (struct lockstep){.guest = guest,
                           .reference = reference,
                           .memory = machine_memory(guest),
                           .patience = patience ? patience : PATIENCE,
                           .exits_since = UINT64_MAX};
    if (from == LOCKSTEP_FROM_NOW)
        return begin_now(l, e);
    if (!same_devices(l, e))
        return false;
    copy_storage(l);
    copy_keys(l);
    machine_direct(reference);
    machine_restart(guest);
    machine_restart(reference);
    return true;
}

static bool add_disks(struct machine *m, const struct machine *guest, struct error *e) {
    struct isomorphism_device d;
    for (unsigned n = 0; isomorphism_device_at(guest, n, &d); n++) {
        struct disk_backing backing;
        if (!d.blocks)
            continue;
        if (!disk_backing_memory(&backing, d.blocks, e) ||
            !machine_attach(m, d.address, disk_new(machine_model(guest), &backing), e))
            return false;
    }
    return true;
}

struct machine *lockstep_reference(const struct machine *guest, struct error *e) {
    const struct machine_options o = {.name = "reference",
                                      .memory_bytes = machine_memory(guest),
                                      .model = machine_model(guest),
                                      .nominal_time = machine_nominal(guest),
                                      .profile = machine_profile(guest),
                                      .channel_conditions = machine_channel_conditions(guest),
                                      .forget_lines = true};
    struct machine *m = machine_new(&o, e);
    if (m && !add_disks(m, guest, e)) {
        machine_free(m);
        m = NULL;
    }
    return m;
}
