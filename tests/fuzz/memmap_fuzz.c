/* SPDX-License-Identifier: BSD-2-Clause */
/* Any ranges, 20 bytes each as in E820: sorted, disjoint, no RAM where something else is. */
#include "map_check.h"
#include <string.h>

struct RT_PACKED input {
    uint64_t base, bytes;
    uint32_t type;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void check_ram(const struct boot_info *bi, const struct input *in, bool truncated)
{
    for (uint32_t i = 0; i < bi->mem_count; i++) {
        if (bi->mem[i].type != BOOT_MEM_RAM || in->type == BOOT_MEM_RAM)
            continue;
        if (in->base < MEMMAP_ADDRESS_END && !truncated &&
            boot_ranges_overlap(bi->mem[i].base, bi->mem[i].bytes, in->base, in->bytes))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct memmap map;
    static struct boot_info bi;
    struct input in;
    size_t count = bytes / sizeof(in);

    map.count = 0;
    map.truncated = false;
    bi.flags = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(&in, data + i * sizeof(in), sizeof(in));
        memmap_add(&map, in.base, in.bytes, in.type);
    }
    memmap_finish(&map, &bi);
    map_check(&bi);
    for (size_t i = 0; i < count; i++) {
        memcpy(&in, data + i * sizeof(in), sizeof(in));
        check_ram(&bi, &in, map.truncated);
    }
    return 0;
}
