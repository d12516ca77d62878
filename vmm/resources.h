// clang-format off
/* Resource control, the second of Popek and Goldberg's three properties, put to the test: nothing of the machine
 * changes hands behind the allocator.
 *
 * What the allocator has decided is noted once, in the beginning. Whenever one looks afterwards, all of this must be so:
 *   frames      each guest still has the frames that it was given, and the allocator says so, and to no other guest;
 *   tables      of a guest that is running, every entry that is valid in the tables under which it really runs leads to
 *               a frame of its own;
 *   mode        it runs in problem state, with DAT on;
 *   devices     the minidisks of different guests have no block in common but where one is shared;
 *   processor   it has not had a CPU, without an exit, for longer than two slices while another one is ready.
 * Of a hypervisor in assembler, which is seen through its map (vmm/map.h), the same: there is one piece of storage for
 * each guest, and what lies before the first one and the shadow tables are not to be in it. Of tables all that it keeps
 * are looked at, not only those in force. A part of a disk that it gives to each guest alike is shared.
 *
 * A look costs a walk over all valid table entries: some 4,000 entries at most for each CPU. */
// clang-format on
#ifndef VMM_RESOURCES_H
#define VMM_RESOURCES_H

#include <stdbool.h>

#include "vmm/map.h"
#include "vmm/vmm.h"

struct resources;

/* v and its guests must outlive it; guests that come later are not looked at. NULL and *e: no memory. */
struct resources *resources_new(struct vmm *v, struct error *e);
/* The same of the guests of a hypervisor in assembler, as many as its parameters ask for. NULL and *e also when it has
 * not made them yet, which is the first thing that it does. */
struct resources *resources_new_seen(const struct map *f, struct error *e);
void resources_free(struct resources *r);
/* Looks, between two runs. False: control is lost, and `what`, one line, says how. */
bool resources_look(struct resources *r, char what[256]);

#endif
