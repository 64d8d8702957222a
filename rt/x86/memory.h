/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's RAM as one allocator that only ever gives (hal_alloc in <rt/hal.h>).
 *
 * Small blocks (tables, stacks, descriptors) grow from the bottom of the largest range, big
 * ones (2 MiB and more: packet pools) come 2 MiB aligned from its top, so that pools keep
 * whole large pages. Everything handed out is cleared.
 */
#ifndef RT_X86_MEMORY_H
#define RT_X86_MEMORY_H

#include <rt/boot_info.h>

#define LOW_MEMORY_END UINT64_C(0xa0000) /* 640 KiB: a core starts in a page below */
#define MEMORY_4GIB (UINT64_C(1) << 32)
#define MEMORY_BIG_BYTES (UINT64_C(2) << 20)

/* Takes the RAM of the map from 1 MiB up. Only what lies below `limit_phys` is given out
 * until memory_set_limit() says that more is mapped. */
void memory_init(const struct boot_info *bi, uint64_t limit_phys);
void memory_set_limit(uint64_t limit_phys);
/* As hal_alloc, wholly below `limit_phys`. */
void *memory_alloc_below(size_t bytes, size_t align, uint64_t limit_phys, const char *what);
/* A free page below 640 KiB (and above page 0) for real-mode code; 0 when there is none. */
uint64_t memory_low_page(const struct boot_info *bi);
/* RAM in the map, all of it, whatever it is used for. */
uint64_t memory_ram_bytes(const struct boot_info *bi);
/* True when any byte of the range is RAM, our image or a module: never device registers. */
bool memory_is_ram(const struct boot_info *bi, uint64_t base, uint64_t bytes);

#endif
