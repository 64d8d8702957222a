/* SPDX-License-Identifier: BSD-2-Clause */
/* Bare part of rt/boot: what the entries share. Core 0, once, on the boot stack. */
#ifndef BOOT_START_H
#define BOOT_START_H

#include "boot.h"
#include <rt/image.h>

extern struct boot_info boot_info; /* filled here, read-only from rt_start() on */
extern struct memmap boot_memmap;

/* Sets image bounds and how we came. */
void boot_describe(uint32_t entry, uint64_t entry_cycles, const char *loader);

/* The loader's structures end here; past it nothing is mapped. */
bool boot_reachable(uint64_t address, uint64_t bytes);

/* Reads a NUL-ended line at a loader's address; nothing when it is not reachable. */
void boot_read_cmdline(uint64_t address, enum cmdline_first first);
void boot_read_initrd(uint64_t address, uint64_t bytes);

/* from_linux.c: rsi of the Linux boot protocol. */
bool linux_ramdisk(const void *params, uint64_t *base, uint64_t *bytes);
void from_linux(const void *params);
/* from_pvh.c: ebx of a PVH entry. */
bool pvh_module_overlaps(const void *start_info, uint64_t base, uint64_t bytes);
void from_pvh(const void *start_info);

/* Own identity tables instead of the loader's, which lie in memory we are about to use. When
 * the image or `need_end` is above what ours can map, the loader's stay. */
void boot_map_identity(uint64_t need_end);

/* The last step of every entry. */
RT_NORETURN void boot_finish(void);

#endif
