/* SPDX-License-Identifier: BSD-2-Clause */
/* From the assembly entries to rt_start(): .bss, loader's words, memory map, tables. */
#include "start.h"
#include "layout.h"

#define CMDLINE_SEARCH_BYTES UINT64_C(65536) /* longest line we look for the end of */
#define CR4_LA57 (UINT64_C(1) << 12)
#define PTE_PRESENT_WRITE UINT64_C(0x3)
#define PTE_LARGE UINT64_C(0x80)
#define TABLE_ENTRIES 512
#define CPUID_PAGES_1G (1u << 26) /* 80000001h EDX */

struct boot_info boot_info;
struct memmap boot_memmap;
uint64_t boot_mapped_bytes;

/* head.S: level 4, level 3, four of level 2, wide level 3, level 5 */
extern uint64_t boot_tables[8][TABLE_ENTRIES];
extern uint8_t _bss_clear_start[];

RT_NORETURN void boot_begin(uint64_t via, const void *info, uint64_t entry_cycles);

void boot_describe(uint32_t entry, uint64_t entry_cycles, const char *loader)
{
    boot_info.entry = entry;
    boot_info.entry_cycles = entry_cycles;
    boot_info.image_base = (uint64_t)_image_base;
    boot_info.image_end = (uint64_t)_image_end;
    boot_copy_text(boot_info.loader, sizeof(boot_info.loader), loader,
                   sizeof(boot_info.loader));
}

bool boot_reachable(uint64_t address, uint64_t bytes)
{
    return address != 0 && address < boot_mapped_bytes && bytes <= boot_mapped_bytes - address;
}

void boot_read_cmdline(uint64_t address, enum cmdline_first first)
{
    uint64_t bytes;

    if (!boot_reachable(address, 1))
        return;
    bytes = RT_MIN(boot_mapped_bytes - address, CMDLINE_SEARCH_BYTES);
    cmdline_set(&boot_info, (const char *)address, bytes, first);
}

void boot_read_initrd(uint64_t address, uint64_t bytes)
{
    if (bytes == 0)
        return;
    if (!boot_reachable(address, bytes)) {
        boot_info.flags |= BOOT_FLAG_MODULE_CUT_SHORT;
        return;
    }
    if (boot_ranges_overlap(address, bytes, boot_info.image_base,
                            boot_info.image_end - boot_info.image_base)) {
        boot_info.flags |= BOOT_FLAG_MODULE_OVERLAP;
        return;
    }
    cpio_add_modules(&boot_info, (const uint8_t *)address, bytes, address);
}

static bool has_1g_pages(void)
{
    uint32_t a = 0x80000001u, b, c, d;

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
    return (d & CPUID_PAGES_1G) != 0;
}

void boot_map_identity(uint64_t need_end)
{
    uint64_t *level4 = boot_tables[0], *level3 = boot_tables[1], *wide = boot_tables[6];
    uint64_t *level5 = boot_tables[7];
    uint64_t cr4, top = (uint64_t)level4;
    bool pages_1g = has_1g_pages();

    boot_mapped_bytes = pages_1g ? UINT64_C(1) << 39 : UINT64_C(1) << 32;
    if (RT_MAX(need_end, boot_info.image_end) > boot_mapped_bytes) {
        boot_mapped_bytes = MEMMAP_ADDRESS_END;
        return;
    }
    /* These may be the live tables: every word gets its final value in one write. */
    for (uint64_t i = 0; i < TABLE_ENTRIES; i++) {
        wide[i] = i << 30 | PTE_LARGE | PTE_PRESENT_WRITE;
        for (uint64_t quarter = 0; quarter < 4; quarter++)
            boot_tables[2 + quarter][i] =
                (quarter << 30 | i << 21) | PTE_LARGE | PTE_PRESENT_WRITE;
        level3[i] = i < 4 ? (uint64_t)boot_tables[2 + i] | PTE_PRESENT_WRITE : 0;
    }
    for (uint64_t i = 0; i < TABLE_ENTRIES; i++) {
        uint64_t *below = pages_1g ? wide : level3;

        level4[i] = i == 0 ? (uint64_t)below | PTE_PRESENT_WRITE : 0;
        level5[i] = i == 0 ? (uint64_t)level4 | PTE_PRESENT_WRITE : 0;
    }

    /* The number of levels cannot change in 64-bit mode: keep what the loader chose. */
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    if (cr4 & CR4_LA57)
        top = (uint64_t)level5;
    __asm__ volatile("mov %0, %%cr3" ::"r"(top) : "memory");
}

static void clear_bss(void)
{
    uint8_t *at = _bss_clear_start; /* behind .bss.boot, which is whole pages */
    uint64_t words = (uint64_t)(_bss_end - _bss_clear_start) / sizeof(uint64_t);

    __asm__ volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(UINT64_C(0)) : "memory");
}

/* A loader may put a ramdisk over .bss without looking (iPXE and QEMU's PVH do). Once .bss is
 * cleared nothing tells any more, so this looks first. */
static bool ramdisk_over_image(uint64_t via, const void *info)
{
    uint64_t base = (uint64_t)_image_base;
    uint64_t bytes = (uint64_t)(_image_end - _image_base);
    uint64_t ramdisk, ramdisk_bytes;

    if ((via & 0xff) == BOOT_VIA_PVH)
        return pvh_module_overlaps(info, base, bytes);
    return linux_ramdisk(info, &ramdisk, &ramdisk_bytes) &&
           boot_ranges_overlap(ramdisk, ramdisk_bytes, base, bytes);
}

/* From head.S: with any 64-bit page tables, .bss still dirty. */
void boot_begin(uint64_t via, const void *info, uint64_t entry_cycles)
{
    bool over = ramdisk_over_image(via, info);
    bool pvh = (via & 0xff) == BOOT_VIA_PVH;

    clear_bss();
    boot_describe(pvh ? BOOT_ENTRY_PVH : BOOT_ENTRY_LINUX, entry_cycles, "");
    boot_map_identity((uint64_t)info + RT_PAGE_BYTES);
    if (over)
        boot_info.flags |= BOOT_FLAG_MODULE_OVERLAP;
    if (pvh)
        from_pvh(info);
    else
        from_linux(info);
    boot_finish();
}

void boot_finish(void)
{
    if (boot_info.entry == BOOT_ENTRY_EFI)
        boot_map_identity(0);
    boot_complete(&boot_info, &boot_memmap);
    rt_start(&boot_info);
}
