/* SPDX-License-Identifier: BSD-2-Clause */
#include <rt/assert.h>
#include <rt/hal.h>
#include <rt/image.h>

#include "memory.h"
#include "paging.h"
#include "x86.h"

#define TABLE_ENTRIES 512
#define PTE_ACCESSED (UINT64_C(1) << 5)
#define PTE_DIRTY (UINT64_C(1) << 6)
#define PTE_ADDRESS UINT64_C(0x000ffffffffff000)
/* Set from the start: the processor need never write an entry. */
#define PTE_PRESET (PTE_ACCESSED | PTE_DIRTY)
#define PTE_TABLE (PTE_PRESENT | PTE_WRITE | PTE_PRESET)
/* Write-back, write-combining, UC-, uncached; twice. Intel SDM 3A 11.12.4, encodings 11-10. */
#define PAT_VALUE UINT64_C(0x0007010600070106)

static struct {
    const struct boot_info *bi;
    uint64_t *root;
    unsigned levels;
    uint64_t limit; /* the first physical address that no entry can hold */
    bool gib_pages;
    bool nx;           /* pages can be kept from being executed */
    bool nx_unlocked;  /* firmware had switched that off */
    bool active;
    uint64_t table_pages;
} paging;

/* Bytes that one entry of a level covers: 1 -> 4 KiB, 2 -> 2 MiB, 3 -> 1 GiB, ... */
static uint64_t level_bytes(unsigned level)
{
    return RT_PAGE_BYTES << (9 * (level - 1));
}

static uint64_t *table_alloc(void)
{
    uint64_t *table = memory_alloc_below(RT_PAGE_BYTES, RT_PAGE_BYTES, MEMORY_4GIB, "page tables");

    if (table != NULL)
        paging.table_pages++;
    return table;
}

static uint64_t *entry_table(uint64_t entry)
{
    return (uint64_t *)(uintptr_t)(entry & PTE_ADDRESS);
}

/* Replaces a large page by a table of smaller ones with the same access. */
static bool split(uint64_t *entry, unsigned level)
{
    uint64_t *table = table_alloc();
    const uint64_t step = level_bytes(level - 1);
    const uint64_t keep = *entry & ~(PTE_ADDRESS | PTE_LARGE);
    uint64_t base = *entry & PTE_ADDRESS;

    RT_ASSERT_LT(1u, level);
    RT_ASSERT_NE(*entry & PTE_LARGE, 0u);
    if (table == NULL)
        return false;
    for (unsigned i = 0; i < TABLE_ENTRIES; i++, base += step)
        table[i] = base | keep | (level - 1 > 1 ? PTE_LARGE : 0);
    *entry = (uintptr_t)table | PTE_TABLE;
    return true;
}

/* The entry of `addr` at `level`; tables on the way are made. NULL without memory. */
static uint64_t *entry_at(uint64_t addr, unsigned level)
{
    uint64_t *table = paging.root;

    RT_ASSERT_NE(level, 0u);
    RT_ASSERT_LE(level, paging.levels);
    for (unsigned l = paging.levels;; l--) { /* ends at `level` */
        uint64_t *entry = &table[(addr >> (12 + 9 * (l - 1))) % TABLE_ENTRIES];

        if (l == level)
            return entry;
        if ((*entry & PTE_PRESENT) == 0) {
            uint64_t *next = table_alloc();

            if (next == NULL)
                return NULL;
            *entry = (uintptr_t)next | PTE_TABLE;
        } else if ((*entry & PTE_LARGE) != 0 && !split(entry, l)) {
            return NULL;
        }
        table = entry_table(*entry);
    }
}

/* The largest page that starts at `base` and does not reach over `end`. */
static unsigned level_for(uint64_t base, uint64_t end)
{
    unsigned level = paging.gib_pages ? 3 : 2;

    RT_ASSERT_LT(base, end);
    while (level > 1 && (base % level_bytes(level) != 0 || end - base < level_bytes(level)))
        level--;
    return level;
}

/* Without no-execute its bit is reserved: a page table entry that has it set faults. */
static uint64_t usable_access(uint64_t access)
{
    return paging.nx ? access : access & ~PTE_NX;
}

enum rt_status paging_set(uint64_t base, uint64_t bytes, uint64_t access)
{
    const uint64_t limit = UINT64_C(1) << (paging.levels == 5 ? 52 : 47);
    uint64_t end;

    RT_ASSERT(paging.root != NULL);
    RT_ASSERT_EQ(base % RT_PAGE_BYTES, 0u);
    RT_ASSERT_EQ(bytes % RT_PAGE_BYTES, 0u);
    if (base > limit || bytes > limit - base)
        return RT_UNSUPPORTED;
    end = base + bytes;
    while (base < end) { /* each turn maps at least a page */
        unsigned level = level_for(base, end);
        uint64_t *entry = entry_at(base, level);

        /* Where smaller pages are already, stay with them. */
        while (entry != NULL && level > 1 && (*entry & PTE_PRESENT) != 0 &&
               (*entry & PTE_LARGE) == 0)
            entry = entry_at(base, --level);
        if (entry == NULL)
            return RT_NO_MEMORY;
        *entry = access == PAGE_NONE
                     ? 0
                     : base | usable_access(access) | PTE_PRESET | (level > 1 ? PTE_LARGE : 0);
        if (paging.active)
            x86_invlpg(base);
        base += level_bytes(level);
    }
    return RT_OK;
}

uint64_t paging_lookup(uint64_t addr, uint64_t *page_bytes)
{
    const uint64_t *table = paging.root;

    RT_ASSERT(page_bytes != NULL);
    if (table == NULL)
        return 0;
    for (unsigned l = paging.levels; l >= 1; l--) {
        const uint64_t entry = table[(addr >> (12 + 9 * (l - 1))) % TABLE_ENTRIES];

        *page_bytes = level_bytes(l);
        if ((entry & PTE_PRESENT) == 0)
            return 0;
        if (l == 1 || (entry & PTE_LARGE) != 0)
            return entry;
        table = entry_table(entry);
    }
    return 0;
}

static bool is_our_ram(uint32_t type)
{
    return type == BOOT_MEM_RAM || type == BOOT_MEM_IMAGE || type == BOOT_MEM_MODULE ||
           type == BOOT_MEM_BOOT;
}

/* All RAM read-write; neighbours of different type are joined first, for large pages. */
static enum rt_status map_ram(const struct boot_info *bi)
{
    uint64_t base = 0, end = 0;

    for (uint32_t i = 0; i <= bi->mem_count; i++) {
        const struct boot_mem *m = &bi->mem[i];
        const bool more = i < bi->mem_count && is_our_ram(m->type);
        enum rt_status st;

        if (more && m->base == end) {
            end += m->bytes;
            continue;
        }
        base = RT_ALIGN_UP(RT_MAX(base, RT_PAGE_BYTES), RT_PAGE_BYTES); /* page 0 stays out */
        end = RT_ALIGN_DOWN(end, RT_PAGE_BYTES);
        st = end > base ? paging_set(base, end - base, PAGE_RW) : RT_OK;
        if (st != RT_OK)
            return st;
        base = more ? m->base : 0;
        end = more ? m->base + m->bytes : 0;
    }
    return RT_OK;
}

/* Modules and firmware's tables can be read and nothing else. */
static enum rt_status map_read_only(const struct boot_info *bi)
{
    for (uint32_t i = 0; i < bi->mem_count; i++) {
        const struct boot_mem *m = &bi->mem[i];
        const bool firmware = m->type == BOOT_MEM_ACPI || m->type == BOOT_MEM_NVS;
        uint64_t base, end;
        enum rt_status st;

        if (m->type != BOOT_MEM_MODULE && !firmware)
            continue;
        /* A module may share its edge pages with RAM, which must stay writable. */
        base = firmware ? RT_ALIGN_DOWN(m->base, RT_PAGE_BYTES)
                        : RT_ALIGN_UP(m->base, RT_PAGE_BYTES);
        end = firmware ? RT_ALIGN_UP(m->base + m->bytes, RT_PAGE_BYTES)
                       : RT_ALIGN_DOWN(m->base + m->bytes, RT_PAGE_BYTES);
        base = RT_MAX(base, RT_PAGE_BYTES);
        st = end > base ? paging_set(base, end - base, PAGE_R) : RT_OK;
        if (st != RT_OK)
            return st;
    }
    return RT_OK;
}

static enum rt_status map_image(void)
{
    const struct {
        const uint8_t *start, *end;
        uint64_t access;
    } parts[] = {
        {_text_start, _text_end, PAGE_RX},
        {_rodata_start, _rodata_end, PAGE_R},
        {_relro_start, _relro_end, PAGE_R},
    };

    for (unsigned i = 0; i < RT_ARRAY_SIZE(parts); i++) {
        enum rt_status st;

        RT_ASSERT_LE((uintptr_t)parts[i].start, (uintptr_t)parts[i].end);
        st = paging_set((uintptr_t)parts[i].start, (uint64_t)(parts[i].end - parts[i].start),
                        parts[i].access);

        if (st != RT_OK)
            return st;
    }
    return RT_OK;
}

/* SDM 3A 4.1.4: an entry whose address has a higher bit faults. Without the leaf it is 36 bits. No
 * processor of 64 bits has less than 32, whatever a hypervisor says. */
static uint64_t find_limit(void)
{
    const bool told = x86_cpuid(0x80000000, 0).eax >= 0x80000008;
    const uint32_t bits = told ? x86_cpuid(0x80000008, 0).eax & 0xff : 36;

    return UINT64_C(1) << RT_MIN(RT_MAX(bits, 32u), paging.levels == 5 ? 52u : 47u);
}

static bool has_nx(void)
{
    return (x86_cpuid(0x80000001, 0).edx & RT_BIT(20)) != 0;
}

/* Intel's MISC_ENABLE came with family 6 model 13 (SDM 4, table 2-2); its bit 34 hides the
 * feature from CPUID. No other vendor has it. */
static bool has_misc_enable(void)
{
    const struct cpuid_regs vendor = x86_cpuid(0, 0);
    const uint32_t signature = x86_cpuid(1, 0).eax;
    const uint32_t family = signature >> 8 & 0xf;
    const uint32_t model = (signature >> 12 & 0xf0) | (signature >> 4 & 0xf);
    const bool intel = vendor.ebx == UINT32_C(0x756e6547) && /* "Genu" "ineI" "ntel" */
                       vendor.edx == UINT32_C(0x49656e69) &&
                       vendor.ecx == UINT32_C(0x6c65746e);

    return intel && (family > 6 || (family == 6 && model >= 13));
}

/* Firmware's setup can switch no-execute off ("Execute Disable"); what it did is undone. */
static void find_nx(void)
{
    paging.nx = has_nx();
    paging.nx_unlocked = false;
    if (paging.nx || !has_misc_enable())
        return;
    if ((x86_rdmsr(MSR_MISC_ENABLE) & MISC_ENABLE_XD_OFF) == 0)
        return;
    x86_wrmsr(MSR_MISC_ENABLE, x86_rdmsr(MSR_MISC_ENABLE) & ~MISC_ENABLE_XD_OFF);
    paging.nx = paging.nx_unlocked = has_nx();
}

enum rt_status paging_init(const struct boot_info *bi)
{
    enum rt_status st;

    RT_ASSERT_LE(bi->mem_count, (uint32_t)BOOT_MEM_MAX);
    paging.bi = bi;
    paging.active = false;
    find_nx();
    paging.table_pages = 0;
    paging.levels = (x86_read_cr4() & CR4_LA57) != 0 ? 5 : 4; /* cannot change in long mode */
    paging.limit = find_limit();
    paging.gib_pages = (x86_cpuid(0x80000001, 0).edx & RT_BIT(26)) != 0;
    paging.root = table_alloc();
    if (paging.root == NULL)
        return RT_NO_MEMORY;
    st = map_ram(bi);
    if (st == RT_OK)
        st = map_read_only(bi);
    if (st == RT_OK)
        st = map_image();
    return st;
}

void paging_setup_core(void)
{
    const struct cpuid_regs features = x86_cpuid(7, 0);
    uint64_t cr4 = x86_read_cr4() & ~CR4_PGE;

    RT_ASSERT(paging.root != NULL);
    if (paging.nx) /* the tables depend on it; without it the bit faults */
        x86_wrmsr(MSR_EFER, x86_rdmsr(MSR_EFER) | EFER_NXE);
    x86_wrmsr(MSR_PAT, PAT_VALUE);
    if ((features.ebx & RT_BIT(7)) != 0)
        cr4 |= CR4_SMEP;
    if ((features.ecx & RT_BIT(2)) != 0)
        cr4 |= CR4_UMIP;
    if ((x86_cpuid(1, 0).edx & RT_BIT(7)) != 0)
        cr4 |= CR4_MCE; /* a machine check is reported, not a silent reset */
    x86_write_cr4(cr4); /* clearing PGE also drops global entries of the loader's tables */
    x86_write_cr3(paging_root());
    x86_write_cr0(x86_read_cr0() | CR0_WP);
    paging.active = true;
}

enum rt_status hal_map_mmio(phys_t phys, size_t bytes, struct hal_mmio *mmio)
{
    const uint64_t base = RT_ALIGN_DOWN(phys.v, RT_PAGE_BYTES);
    enum rt_status st;

    if (bytes == 0 || phys.v > UINT64_MAX - RT_PAGE_BYTES ||
        bytes > UINT64_MAX - RT_PAGE_BYTES - phys.v)
        return RT_INVALID;
    if (paging.root == NULL || memory_is_ram(paging.bi, phys.v, bytes))
        return RT_INVALID;
    if (phys.v > paging.limit || bytes > paging.limit - phys.v)
        return RT_UNSUPPORTED; /* tables and devices may name any address */
    st = paging_set(base, RT_ALIGN_UP(phys.v + bytes, RT_PAGE_BYTES) - base, PAGE_RW_UC);
    if (st != RT_OK)
        return st;
    mmio->base = (volatile uint8_t *)(uintptr_t)phys.v;
    mmio->bytes = bytes;
    return RT_OK;
}

uint64_t paging_root(void)
{
    return (uintptr_t)paging.root;
}

uint64_t paging_limit(void)
{
    return paging.limit;
}

unsigned paging_levels(void)
{
    return paging.levels;
}

bool paging_nx(void)
{
    return paging.nx;
}

bool paging_nx_unlocked(void)
{
    return paging.nx_unlocked;
}

uint64_t paging_table_bytes(void)
{
    return paging.table_pages * RT_PAGE_BYTES;
}
