/* Disks of scenarios, beside those of isa/disk.h. */
#ifndef SCENARIOS_ENGINE_DISKS_H
#define SCENARIOS_ENGINE_DISKS_H

#include "isa/disk.h"

/* The blocks of the file at `path`, which is not changed: what is written is kept in the process's storage until the
 * backing is freed. Errors as disk_backing_file gives them. */
bool disks_overlay(struct disk_backing *to, const char *path, struct error *e);

#endif
