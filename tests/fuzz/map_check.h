/* SPDX-License-Identifier: BSD-2-Clause */
/* What every finished memory map must satisfy. */
#ifndef MAP_CHECK_H
#define MAP_CHECK_H

#include "boot.h"
#include <stdlib.h>

static inline void map_check(const struct boot_info *bi)
{
    if (bi->mem_count > BOOT_MEM_MAX)
        abort();
    for (uint32_t i = 0; i < bi->mem_count; i++) {
        const struct boot_mem *m = &bi->mem[i];

        if (m->bytes == 0 || m->base >= MEMMAP_ADDRESS_END ||
            m->bytes > MEMMAP_ADDRESS_END - m->base)
            abort();
        if (m->type == BOOT_MEM_RAM && (m->base == 0 || (m->base | m->bytes) % RT_PAGE_BYTES))
            abort();
        if (i > 0 && m[-1].base + m[-1].bytes > m->base)
            abort();
    }
}

#endif
