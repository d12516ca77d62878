/* A guest seen from outside, as a machine like any other: `struct machine_ops` over the monitor's data.
 *
 * Nothing here is part of an activation and nothing costs cycles. While the guest runs, its registers are the CPU's;
 * its storage is looked up through the machine below, whose own frames may in turn be those of one further down. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/vmm_internal.h"

/* ---- Storage ---- */

/* Page by page, since prefixing moves whole pages; nothing at all when the end is not installed. */
static enum access move(struct guest *g, uint32_t real, uint8_t *bytes, uint32_t length, bool poke) {
    struct machine *host = g->monitor->machine;
    if (real >= g->memory || length > g->memory - real)
        return ACCESS_ADDRESSING;
    for (uint32_t done = 0, n; done < length; done += n) {
        uint32_t left = VMM_FRAME_BYTES - ((real + done) & (VMM_FRAME_BYTES - 1));
        n = left < length - done ? left : length - done;
        uint32_t at = g->origin + guest_absolute(g, real + done);
        enum access x = poke ? machine_poke(host, at, bytes + done, n) : machine_peek(host, at, bytes + done, n);
        if (x != ACCESS_OK)
            return x;
    }
    return ACCESS_OK;
}

static enum access guest_peek(void *self, uint32_t real, void *to, uint32_t length) {
    return move(self, real, to, length, false);
}

static enum access guest_poke(void *self, uint32_t real, const void *from, uint32_t length) {
    /* The bytes are only read: machine_poke takes them as const. */
    return move(self, real, (uint8_t *)(uintptr_t)from, length, true);
}

static int guest_key_outside(void *self, uint32_t real) {
    const struct guest *g = self;
    if (real >= g->memory)
        return -1;
    return machine_key(g->monitor->machine, g->origin + guest_absolute(g, real));
}

/* ---- State ---- */

static void guest_state(void *self, struct machine_state *to) {
    const struct guest *g = self;
    struct machine_state below;
    machine_state(g->monitor->machine, &below);
    uint64_t now = clock_cycles(below.tod);
    *to = (struct machine_state){.psw = g->psw, .prefix = g->prefix};
    memcpy(to->gpr, g->gpr, sizeof to->gpr);
    memcpy(to->cr, g->cr, sizeof to->cr);
    to->tod = timers_tod(g, now);
    to->clock_comparator = g->comparator;
    to->cpu_timer = timers_cpu_timer(g, now);
    if (!machine_is_live(g->machine) || g->monitor->dispatched != DISPATCHED_GUEST)
        return;
    struct psw live;
    machine_live_gprs(g->machine, to->gpr);
    machine_live_psw(g->machine, &live);
    to->psw.cc = live.cc;
    to->psw.program_mask = live.program_mask;
    to->psw.ia = live.ia;
}

static void guest_set_state(void *self, const struct machine_state *from) {
    struct guest *g = self;
    g->psw = from->psw;
    memcpy(g->gpr, from->gpr, sizeof g->gpr);
    memcpy(g->cr, from->cr, sizeof g->cr);
    g->prefix = from->prefix & 0x00FFF000;
    if (g->prefix >= g->memory)
        g->prefix = 0;
    g->shadows_stale = true;
}

/* ---- Events ---- */

/* The guest has a new condition: its monitor is interrupted, by the interrupt key of its own machine, to look. */
static void interrupt_monitor(struct guest *g) { machine_raise(g->monitor->machine, CONDITION_INTERRUPT_KEY); }

static void guest_raise(void *self, enum machine_condition c) {
    struct guest *g = self;
    switch (c) {
    case CONDITION_INTERRUPT_KEY: g->external |= EXTERNAL_INTERRUPT_KEY; break;
    case CONDITION_MACHINE_CHECK: g->machine_check = true; break;
    case CONDITION_ATTENTION: channel_attention(g->channels, ADDRESS_CONSOLE); return; /* which notifies */
    }
    interrupt_monitor(g);
}

/* A device has something to say; what the timeline fires in an activation, the monitor sees by itself. */
static void device_notifies(void *self) {
    struct guest *g = self;
    if (!g->advancing)
        interrupt_monitor(g);
}

static void guest_start(void *self, const uint8_t *psw) {
    struct guest *g = self;
    g->start_with_psw = psw != NULL;
    if (psw)
        memcpy(g->start_psw, psw, sizeof g->start_psw);
}

static struct device *guest_device(void *self, uint16_t address) {
    struct guest *g = self;
    return channel_device(g->channels, address);
}

static bool guest_attach(void *self, uint16_t address, struct device *d) {
    struct guest *g = self;
    return channel_attach(g->channels, address, d);
}

static const struct machine_ops operations = {
    .peek = guest_peek,
    .poke = guest_poke,
    .key = guest_key_outside,
    .state = guest_state,
    .set_state = guest_set_state,
    .raise = guest_raise,
    .start = guest_start,
    .device = guest_device,
    .attach = guest_attach,
};

struct guest *guest_of(const struct machine *m) {
    return machine_virtual_self(m, &operations);
}

/* ---- Channels: guest absolute storage, with the channel's key ---- */

static uint8_t channel_move(struct guest *g, uint32_t absolute, unsigned key, uint8_t *bytes, uint32_t length,
                            bool store) {
    struct vmm *v = g->monitor;
    if (absolute >= g->memory || length > g->memory - absolute)
        return CHANNEL_PROGRAM_CHECK;
    if (key) {
        uint8_t block = guest_key(v, g, absolute);
        if (store ? !storage_may_store(block, key) : !storage_may_fetch(block, key))
            return CHANNEL_PROTECTION_CHECK;
    }
    for (uint32_t done = 0, n; done < length; done += n) {
        n = length - done < 256 ? length - done : 256;
        uint32_t at = g->origin + absolute + done;
        if (store)
            processor_store(v->p, at, bytes + done, n);
        else
            processor_fetch(v->p, at, bytes + done, n);
    }
    return 0;
}

static uint8_t channel_fetch(void *self, uint32_t absolute, unsigned key, void *to, uint32_t length) {
    return channel_move(self, absolute, key, to, length, false);
}

static uint8_t channel_store(void *self, uint32_t absolute, unsigned key, const void *from, uint32_t length) {
    return channel_move(self, absolute, key, (uint8_t *)(uintptr_t)from, length, true); /* only read */
}

/* ---- Life ---- */

static bool make_devices(struct guest *g, const struct guest_options *o) {
    g->timeline = timeline_new();
    if (!g->timeline)
        return false;
    const struct channel_host host = {.fetch = channel_fetch,
                                      .store = channel_store,
                                      .self = g,
                                      .timeline = g->timeline,
                                      .notify = device_notifies,
                                      .conditions = machine_channel_conditions(g->machine)};
    g->channels = channel_set_new(&host);
    if (!g->channels)
        return false;
    return machine_attach_devices(g->machine, g->channels, o->console_line, o->printer_line, o->line_self,
                                  o->forget_lines);
}

/* Initial CPU reset. */
static void reset(struct guest *g) {
    g->cr[0] = CR0_INTERVAL_TIMER | CR0_INTERRUPT_KEY | CR0_EXTERNAL_SIGNALS;
    g->cr[2] = 0xFFFFFFFF;
    g->cr[14] = 0xC2000000;
    g->cr[15] = 512;
    for (unsigned n = 0; n <= SHADOW_SPACES; n++) {
        struct shadow_space *s = n < SHADOW_SPACES ? &g->shadow.space[n] : &g->shadow.real;
        s->table = g->tables + n * SHADOW_SPACE_BYTES;
        s->page_shift = 12;
    }
}

static bool place(struct vmm *v, struct guest *g, struct error *e) {
    int64_t tables = allocator_take(&v->frames, SHADOW_BYTES, FRAME_MONITOR);
    int64_t frames = tables < 0 ? -1 : allocator_take(&v->frames, g->memory, FRAME_GUEST);
    if (frames < 0)
        return error_set(e, ERROR_INPUT, "%s has %u KB, and a monitor needs %u KB for a guest of %u KB",
                         machine_name(v->machine), machine_memory(v->machine) / 1024, vmm_host_bytes(g->memory) / 1024,
                         g->memory / 1024);
    g->tables = (uint32_t)tables;
    g->origin = (uint32_t)frames;
    return true;
}

struct guest *guest_new(struct vmm *v, const struct guest_options *o, struct error *e) {
    struct guest *g = calloc(1, sizeof *g);
    char name[32];
    if (!g) {
        error_set(e, ERROR_INTERNAL, "no memory for a guest");
        return NULL;
    }
    g->monitor = v;
    g->memory = o->memory_bytes;
    snprintf(name, sizeof name, "guest%d", machine_level(v->machine) + 1);
    if (!place(v, g, e))
        goto failed;
    g->machine = machine_new_virtual(v->machine, &operations, g, o->name ? o->name : name, g->memory, e);
    if (!g->machine)
        goto failed;
    reset(g);
    if (make_devices(g, o))
        return g;
    error_set(e, ERROR_INTERNAL, "no memory for a guest's devices");
failed:
    guest_free(g);
    return NULL;
}

void guest_free(struct guest *g) {
    if (!g)
        return;
    allocator_give_back(&g->monitor->frames, FRAME_GUEST);
    if (g->channels)
        channel_set_free(g->channels);
    if (g->machine)
        machine_free_virtual(g->machine);
    if (g->timeline)
        timeline_free(g->timeline);
    free(g);
}
