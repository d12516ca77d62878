/* The interface of a virtual machine monitor: what a monitor is given, and what its parts owe each other.
 *
 * A monitor is a program of its machine. It consists of five parts under their classical names (Popek and Goldberg;
 * Goldberg's thesis for shadow tables): dispatcher, allocator, interpreter, shadow paging, and the scheduling of virtual
 * CPUs. Each is a struct of functions here, and may be replaced by itself; the reference monitor (vmm/reference/) is
 * written on this header and nothing else.
 *
 * Every call passes plain values or copies of bytes whose length is known: no pointer into the simulator's storage, no
 * callback that must return before something else may happen. What is shared, the virtual machines below, is a
 * mirror: read by the simulator only when the monitor has given control away, and by the monitor only while it has it. So
 * every call and every entry can cross the border between two processes.
 *
 * Addresses have three names, and so on upward: *guest virtual* (what the guest's program says), *guest real* (after
 * the guest's own tables), *guest absolute* (after its prefix), and *host real*: a real address of the monitor's own machine,
 * which may itself be a guest, whose host real addresses ...
 *
 * A monitor may be suspended in any call that is marked [exits], and be dropped there for good (a restart). Across
 * such a call it owns nothing, and what it has written by then must make sense by itself. */
#ifndef VMM_MODULE_H
#define VMM_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/trace.h"
#include "isa/clock.h"
#include "isa/instruction.h"
#include "isa/psw.h"
#include "isa/supervisor_cells.h"
#include "mmu/dat.h"
#include "mmu/storage_key.h"

enum { MONITOR_ABI = 1 }; /* changes whenever a struct or a signature of this header does */
