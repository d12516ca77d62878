/* Initial program load: what the operator's LOAD key does to a machine, bare or virtual (Principles of Operation,
 * "Initial Program Loading").
 *
 * The machine is reset, and a channel program that begins with an implied read of 24 bytes brings a PSW and two more
 * CCWs to real 0, where it continues. It is run from outside and takes no simulated time; the storage of a virtual
 * machine is reached as everybody outside reaches it, so that its monitor need not be active. */
#include <stdio.h>

#include "isa/isa_internal.h"

enum {
    LOAD_BYTES = 24,
    LOAD_ADDRESS_BC = 2,  /* where the address of the device is stored when the PSW is a BC one, */
    LOAD_ADDRESS_EC = 184 /* and, as a fullword, when it is an EC one */
};

/* --- the machine's storage, for the channel ----------------------------------------------------------------------- */

static uint8_t load_fetch(void *self, uint32_t absolute, unsigned key, void *to, uint32_t length) {
    (void)key; /* 0: it opens everything */
    return machine_peek(self, absolute, to, length) == ACCESS_OK ? 0 : CHANNEL_PROGRAM_CHECK;
}

static uint8_t load_store(void *self, uint32_t absolute, unsigned key, const void *from, uint32_t length) {
    (void)key;
    return machine_poke(self, absolute, from, length) == ACCESS_OK ? 0 : CHANNEL_PROGRAM_CHECK;
}

/* --- reset -------------------------------------------------------------------------------------------------------- */

/* Zeros wherever there is something else: pages that were never touched stay untouched. */
static void clear_storage(struct machine *m) {
    static const uint8_t zeros[STORAGE_BLOCK_BYTES];
    uint8_t block[STORAGE_BLOCK_BYTES];
    for (uint32_t at = 0; at < m->memory; at += STORAGE_BLOCK_BYTES) {
        machine_peek(m, at, block, sizeof block);
        if (memcmp(block, zeros, sizeof block) != 0)
            machine_poke(m, at, zeros, sizeof zeros);
        machine_set_key(m, at, 0);
    }
}

static void reset(struct machine *m, enum machine_load_kind kind) {
    struct machine_state state;
    if (m->ops) {
        m->ops->reset(m->self);
    } else {
        for (unsigned i = 0; i < m->cpus; i++) {
            processor_flush(m->cpu[i]);
            if (i == 0 || kind == LOAD_CLEAR)
                initial_cpu_reset(m->cpu[i]);
            else
                cpu_reset(m->cpu[i]);
        }
        channel_reset(m->channels);
        m->start_psw = false;
    }
    if (kind == LOAD_NORMAL)
        return;
    machine_state(m, &state);
    memset(state.gpr, 0, sizeof state.gpr);
    machine_set_state(m, &state);
    clear_storage(m);
}

/* --- what went wrong ---------------------------------------------------------------------------------------------- */

static const char *unit_check_reason(uint8_t sense) {
    static const struct {
        uint8_t bit;
        const char *text;
    } reasons[] = {
        {0x80, "the device refused a command"},
        {0x40, "the device is not ready"},
        {0x10, "the device failed"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (sense & reasons[i].bit)
            return reasons[i].text;
    return "unit check";
}

static const char *reason_of(uint8_t unit, uint8_t channel, uint8_t sense) {
    if (unit & UNIT_CHECK)
        return unit_check_reason(sense);
    if (unit & UNIT_EXCEPTION)
        return "the deck is at its end";
    if (channel & CHANNEL_PROGRAM_CHECK)
        return "the channel program is not valid";
    if (channel & CHANNEL_INCORRECT_LENGTH)
        return "a record has another length than the channel program says";
    return "the channel program failed";
}

static bool load_failed(struct machine *m, uint16_t address, uint64_t csw, struct error *e) {
    const struct device *d = machine_device(m, address);
    uint8_t unit = (uint8_t)(csw >> 24), channel = (uint8_t)(csw >> 16);
    return error_set(e, ERROR_INPUT, "machine %s cannot be loaded from device %03X: %s (CSW %016llX, sense %02X)",
                     m->name, address, reason_of(unit, channel, d->sense[0]), (unsigned long long)csw, d->sense[0]);
}

/* --- load --------------------------------------------------------------------------------------------------------- */

static bool run_channel_program(struct machine *m, uint16_t address, struct error *e) {
    static const uint8_t implied_ccw[8] = {0x02, 0, 0, 0, 0x60, 0, 0, LOAD_BYTES}; /* read, chain command, SLI */
    const struct channel_host host = {.fetch = load_fetch, .store = load_store, .self = m};
    struct channel_set *channels = machine_channels(m);
    uint64_t csw = 0;
    machine_poke(m, 0, implied_ccw, sizeof implied_ccw);
    switch (channel_load(channels, address, &host, &csw)) {
    case CHANNEL_LOAD_ENDED:
        if ((csw >> 16 & 0xFFFF) == (UNIT_CHANNEL_END | UNIT_DEVICE_END) << 8)
            return true;
        return load_failed(m, address, csw, e);
    case CHANNEL_LOAD_WAITS:
        return error_set(e, ERROR_INPUT, "machine %s cannot be loaded from device %03X: it waits for input", m->name,
                         address);
    case CHANNEL_LOAD_NO_DEVICE: break;
    }
    return error_set(e, ERROR_INPUT, "machine %s has no device %03X to be loaded from", m->name, address);
}

bool machine_ipl(struct machine *m, uint16_t address, enum machine_load_kind kind, struct error *e) {
    uint8_t psw[8], device[4] = {0};
    struct psw loaded;
    if (m->supervisor)
        return error_set(e, ERROR_INPUT, "machine %s has a monitor: it is not loaded from a device", m->name);
    if (machine_only_seen(m))
        return error_set(e, ERROR_INPUT, "machine %s belongs to a hypervisor in assembler, which alone can load it",
                         m->name);
    reset(m, kind);
    if (!run_channel_program(m, address, e)) {
        m->status = MACHINE_LOAD;
        return false;
    }
    machine_peek(m, 0, psw, sizeof psw);
    psw_load(&loaded, psw);
    bytes_put16(device + 2, address);
    if (psw_ec(&loaded))
        machine_poke(m, LOAD_ADDRESS_EC, device, 4);
    else
        machine_poke(m, LOAD_ADDRESS_BC, device + 2, 2);
    machine_peek(m, 0, psw, sizeof psw);
    machine_start_psw(m, psw);
    return true;
}
