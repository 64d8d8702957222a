/* SPDX-License-Identifier: BSD-2-Clause */
/* Any EFI memory map; the first byte of the input is the descriptor stride. */
#include "map_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct memmap map;
    static struct boot_info bi;

    if (bytes < 1)
        return 0;
    map.count = 0;
    map.truncated = false;
    bi.flags = 0;
    if (efi_map_add(&map, data + 1, bytes - 1, data[0]) != RT_OK && map.count != 0)
        abort();
    memmap_finish(&map, &bi);
    map_check(&bi);
    return 0;
}
