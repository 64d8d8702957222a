/* SPDX-License-Identifier: BSD-2-Clause */
/* boot_info: small helpers, lookup, completion. Pure. */
#include "boot.h"

#define BOOT_INFO_VERSION 1

bool boot_ranges_overlap(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes)
{
    if (a_bytes == 0 || b_bytes == 0)
        return false;
    return a <= b ? b - a < a_bytes : a - b < b_bytes;
}

size_t boot_copy_text(char *out, size_t out_bytes, const char *text, size_t text_bytes)
{
    size_t n = 0;

    for (; n < text_bytes && n + 1 < out_bytes && text[n] != '\0'; n++)
        out[n] = text[n];
    out[n] = '\0';
    return n;
}

const struct boot_module *boot_module_find(const struct boot_info *bi, const char *name)
{
    for (uint32_t i = 0; i < bi->module_count; i++) {
        const char *have = bi->module[i].name;
        size_t n = 0;

        while (n < BOOT_MODULE_NAME_BYTES - 1 && have[n] != '\0' && have[n] == name[n])
            n++;
        if (have[n] == name[n])
            return &bi->module[i];
    }
    return NULL;
}

void boot_drop_overlapping(struct boot_info *bi)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < bi->module_count; i++) {
        struct boot_module *m = &bi->module[i];

        if (boot_ranges_overlap(m->base, m->bytes, bi->image_base,
                                bi->image_end - bi->image_base)) {
            bi->flags |= BOOT_FLAG_MODULE_OVERLAP;
            continue;
        }
        if (kept != i)
            bi->module[kept] = *m;
        kept++;
    }
    bi->module_count = kept;
}

void boot_complete(struct boot_info *bi, struct memmap *map)
{
    boot_drop_overlapping(bi);
    memmap_add(map, bi->image_base, bi->image_end - bi->image_base, BOOT_MEM_IMAGE);
    for (uint32_t i = 0; i < bi->module_count; i++) {
        uint64_t base = RT_ALIGN_DOWN(bi->module[i].base, RT_PAGE_BYTES);
        uint64_t end = bi->module[i].base + bi->module[i].bytes;

        if (bi->module[i].bytes > 0)
            memmap_add(map, base, RT_ALIGN_UP(end, RT_PAGE_BYTES) - base, BOOT_MEM_MODULE);
    }
    memmap_finish(map, bi);
    bi->version = BOOT_INFO_VERSION;
    bi->magic = BOOT_INFO_MAGIC;
}
