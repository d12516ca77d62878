/* The scheduler: virtual CPUs take turns, each for a slice of the machine's CPU timer, in the order in which they were
 * made. One that has been waiting is looked at in its turn as well; it has cost nothing meanwhile. */
#include "vmm/reference/reference.h"

/* The one after c, round all of them. */
static struct virtual_cpu *next(struct vmm *v, const struct virtual_cpu *c) {
    unsigned guest = c->guest, address = c->address + 1;
    if (address >= monitor_guest(v, guest)->cpus) {
        address = 0;
        guest = (guest + 1) % monitor_guests(v);
    }
    return &monitor_guest(v, guest)->cpu[address];
}

static struct virtual_cpu *choose(struct vmm *v, struct virtual_cpu *last, bool expired) {
    if (!last)
        return &monitor_guest(v, 0)->cpu[0];
    return expired ? next(v, last) : last;
}

static struct virtual_cpu *after(struct vmm *v, struct virtual_cpu *c) { return next(v, c); }

const struct monitor_scheduler reference_scheduler = {.choose = choose, .after = after};
