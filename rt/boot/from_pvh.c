/* SPDX-License-Identifier: BSD-2-Clause */
/* PVH: hvm_start_info to boot_info. Xen public/arch-x86/hvm/start_info.h. */
#include "start.h"

#define PVH_MAGIC 0x336ec578u
#define PVH_MODULES_MAX 64
#define PVH_RANGES_MAX 512
#define NAME_SEARCH_BYTES 256

struct pvh_start_info {
    uint32_t magic, version;
    uint32_t flags, module_count;
    uint64_t modules;
    uint64_t cmdline;
    uint64_t rsdp;
    uint64_t memmap; /* version 1 and later */
    uint32_t memmap_count;
    uint32_t reserved;
};
_Static_assert(sizeof(struct pvh_start_info) == 56, "start_info.h version 1");

struct pvh_module {
    uint64_t base, bytes, cmdline, reserved;
};
_Static_assert(sizeof(struct pvh_module) == 32, "start_info.h hvm_modlist_entry");

struct pvh_range {
    uint64_t base, bytes;
    uint32_t type, reserved; /* types as in E820 */
};
_Static_assert(sizeof(struct pvh_range) == 24, "start_info.h hvm_memmap_table_entry");

/* Runs before .bss is cleared: reads only what the loader gave. */
bool pvh_module_overlaps(const void *start_info, uint64_t base, uint64_t bytes)
{
    const struct pvh_start_info *info = start_info;
    const struct pvh_module *modules = (const void *)info->modules;

    if (info->magic != PVH_MAGIC || info->modules == 0 || info->modules >> 32 != 0)
        return false;
    for (uint32_t i = 0; i < RT_MIN(info->module_count, PVH_MODULES_MAX); i++) {
        if (boot_ranges_overlap(modules[i].base, modules[i].bytes, base, bytes))
            return true;
    }
    return false;
}

/* The first module is an initrd by custom; a later one may be a plain file with a name. */
static void add_module(const struct pvh_module *module)
{
    const char *name = (const char *)module->cmdline;
    uint32_t before = boot_info.module_count;
    size_t length = 0;

    boot_read_initrd(module->base, module->bytes);
    if (!boot_reachable(module->cmdline, NAME_SEARCH_BYTES) ||
        boot_info.module_count != before + 1)
        return;
    while (length < NAME_SEARCH_BYTES && name[length] != '\0')
        length++;
    if (length > 0 && boot_info.module[before].base == module->base)
        boot_copy_text(boot_info.module[before].name, BOOT_MODULE_NAME_BYTES, name, length);
}

void from_pvh(const void *start_info)
{
    const struct pvh_start_info *info = start_info;
    const struct pvh_range *ranges;
    uint32_t ranges_count, modules_count;

    boot_copy_text(boot_info.loader, sizeof(boot_info.loader), "pvh", sizeof("pvh"));
    if (info->magic != PVH_MAGIC)
        return; /* no memory map: the runtime says so and stops */
    if (info->version >= 1) {
        ranges_count = RT_MIN(info->memmap_count, PVH_RANGES_MAX);
        ranges = (const void *)info->memmap;
        if (!boot_reachable(info->memmap, ranges_count * sizeof(*ranges)))
            ranges_count = 0;
        for (uint32_t i = 0; i < ranges_count; i++)
            memmap_add(&boot_memmap, ranges[i].base, ranges[i].bytes,
                       RT_MIN(ranges[i].type, 255u));
    }
    boot_read_cmdline(info->cmdline, CMDLINE_FIRST_GUESS);
    modules_count = RT_MIN(info->module_count, PVH_MODULES_MAX);
    if (!boot_reachable(info->modules, modules_count * sizeof(struct pvh_module)))
        modules_count = 0;
    for (uint32_t i = 0; i < modules_count; i++)
        add_module((const struct pvh_module *)info->modules + i);
    boot_info.rsdp = info->rsdp;
}
