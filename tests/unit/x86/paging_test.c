/* SPDX-License-Identifier: BSD-2-Clause */
/* Page tables against a plain array of what each page should be. */
#include "../../../rt/x86/paging.c"

#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define CPUID_LEAF_MAX 0x80000008u
#define PHYS_BITS 46
#define CPUID_NX (1u << 20) /* 80000001h EDX */
#define CPUID_PAGES_1G (1u << 26)

/* The image's parts; the addresses are what map_image() maps, page aligned. */
__asm__(".bss\n.balign 4096\n"
        ".globl _text_start, _text_end, _rodata_start, _rodata_end, _relro_start, _relro_end\n"
        "_text_start: .skip 8192\n_text_end:\n_rodata_start: .skip 4096\n_rodata_end:\n"
        "_relro_start: .skip 4096\n_relro_end: .skip 4096\n.text\n");

static struct boot_info bi;
static uint8_t *tables; /* where page tables come from */
static uint64_t tables_left;

void *memory_alloc_below(size_t bytes, size_t align, uint64_t limit_phys, const char *what)
{
    assert_int_equal(bytes, 4096);
    assert_true(limit_phys == MEMORY_4GIB);
    if (tables_left == 0)
        return NULL;
    tables_left--;
    return memset(tables + tables_left * 4096, 0, 4096);
}

bool memory_is_ram(const struct boot_info *info, uint64_t base, uint64_t bytes)
{
    return base < 64 * MIB;
}

enum { TABLES = 2000 };

static int setup(void **state)
{
    fake_reset();
    memset(&bi, 0, sizeof(bi));
    tables = aligned_alloc(4096, TABLES * 4096);
    tables_left = TABLES;
    fake_cpuid(0x80000000, CPUID_LEAF_MAX, 0, 0, 0);
    fake_cpuid(0x80000001, 0, 0, 0, CPUID_NX);
    fake_cpuid(0x80000008, 0x3000 | PHYS_BITS, 0, 0, 0); /* and 48 bits of virtual addresses */
    return 0;
}

static int teardown(void **state)
{
    free(tables);
    return 0;
}

static void add(uint64_t base, uint64_t bytes, uint32_t type)
{
    bi.mem[bi.mem_count++] = (struct boot_mem){.base = base, .bytes = bytes, .type = type};
}

static uint64_t access_of(uint64_t address)
{
    uint64_t page_bytes;

    return paging_lookup(address, &page_bytes) &
           (PAGE_ACCESS_MASK | PTE_PCD | PTE_PWT);
}

static uint64_t page_of(uint64_t address)
{
    uint64_t page_bytes = 0;

    (void)paging_lookup(address, &page_bytes);
    return page_bytes;
}

static void machine_map(void **state)
{
    fake_cpuid(0x80000001, 0, 0, 0, CPUID_NX | CPUID_PAGES_1G);
    add(0, 0x9fc00, BOOT_MEM_RAM);
    add(0x9fc00, 0x400, BOOT_MEM_RESERVED);
    add(1 * MIB, 1 * MIB, BOOT_MEM_RAM);
    add(2 * MIB, 1 * MIB, BOOT_MEM_IMAGE);
    add(3 * MIB, 3 * GIB - 3 * MIB - 0x5000, BOOT_MEM_RAM);
    add(3 * GIB - 0x5000, 0x1800, BOOT_MEM_MODULE);
    add(3 * GIB - 0x3000, 0x1000, BOOT_MEM_ACPI);
    add(3 * GIB - 0x2000, 0x2000, BOOT_MEM_RESERVED);
    add(4 * GIB, 2 * GIB, BOOT_MEM_RAM);
    assert_int_equal(paging_init(&bi), RT_OK);
    assert_int_equal(access_of(0), 0);
    assert_int_equal(access_of(4095), 0);
    assert_int_equal(access_of(0x1000), PAGE_RW);
    assert_int_equal(access_of(0x9e000), PAGE_RW);
    assert_int_equal(access_of(0x9f000), 0); /* not a whole page of RAM */
    assert_int_equal(access_of(0xa0000), 0);
    assert_int_equal(access_of(2 * MIB), PAGE_RW);
    assert_int_equal(access_of(GIB + 5), PAGE_RW);
    assert_int_equal(page_of(GIB + 5), GIB); /* RAM, image and RAM again are one stretch */
    assert_int_equal(page_of(3 * GIB - 4 * MIB), 2 * MIB);
    assert_int_equal(access_of(3 * GIB - 0x5000), PAGE_R); /* whole page of a module */
    assert_int_equal(access_of(3 * GIB - 0x4000), 0);      /* its odd end: not RAM either */
    assert_int_equal(access_of(3 * GIB - 0x3000), PAGE_R);
    assert_int_equal(access_of(3 * GIB - 0x2000), 0);
    assert_int_equal(page_of(4 * GIB), GIB);
    assert_int_equal(access_of(6 * GIB - 1), PAGE_RW);
    assert_int_equal(access_of(6 * GIB), 0);
    assert_int_equal(access_of((uintptr_t)_text_start + 4096), PAGE_RX);
    assert_int_equal(access_of((uintptr_t)_rodata_start), PAGE_R);
    assert_int_equal(access_of((uintptr_t)_relro_start), PAGE_R);
    assert_int_equal(access_of((uintptr_t)_relro_end), 0);
    assert_int_equal(paging_table_bytes(), (TABLES - tables_left) * 4096);
    assert_in_range(paging_table_bytes(), 4096, 20 * 4096);
}

static void without_large_pages(void **state)
{
    add(0, 64 * MIB, BOOT_MEM_RAM);
    add(4 * GIB, GIB, BOOT_MEM_RAM);
    assert_int_equal(paging_init(&bi), RT_OK);
    assert_int_equal(page_of(32 * MIB), 2 * MIB);
    assert_int_equal(page_of(4 * GIB), 2 * MIB);
    assert_int_equal(page_of(0x1000), 4096);
}

/* Random ranges and accesses over 64 MiB; after each, every page as the array says. */
static void random_ranges(void **state)
{
    enum { PAGES = 64 * 256 };
    static const uint64_t kinds[] = {PAGE_NONE, PAGE_R,     PAGE_RX,
                                     PAGE_RW,   PAGE_RW_UC, PAGE_RW_WC};
    static uint64_t model[PAGES];

    srand(11);
    fake_cpuid(0x80000001, 0, 0, 0, CPUID_NX | CPUID_PAGES_1G);
    assert_int_equal(paging_init(&bi), RT_OK);
    for (unsigned n = 0; n < 150; n++) {
        const unsigned grain = n % 3 == 0 ? 512 : 1;
        const unsigned from = (unsigned)rand() % PAGES / grain * grain;
        const unsigned wanted = (unsigned)rand() % 2000 + 1;
        const unsigned count = RT_MIN(wanted, PAGES - from);
        const uint64_t kind = kinds[(unsigned)rand() % RT_ARRAY_SIZE(kinds)];

        assert_int_equal(paging_set(from * 4096ull, count * 4096ull, kind), RT_OK);
        for (unsigned i = from; i < from + count; i++)
            model[i] = kind;
        for (unsigned i = 0; i < PAGES; i++) {
            uint64_t page_bytes;
            const uint64_t entry = paging_lookup(i * 4096ull, &page_bytes);

            assert_int_equal(entry & (PAGE_ACCESS_MASK | PTE_PCD | PTE_PWT), model[i]);
            if (entry != 0) /* identity */
                assert_int_equal(entry & PTE_ADDRESS & ~(page_bytes - 1),
                                 i * 4096ull & ~(page_bytes - 1));
        }
    }
}

static void five_levels(void **state)
{
    const uint64_t high = UINT64_C(1) << 50;

    fake.cr4 = CR4_LA57;
    add(0, 64 * MIB, BOOT_MEM_RAM);
    assert_int_equal(paging_init(&bi), RT_OK);
    assert_int_equal(paging_levels(), 5);
    assert_int_equal(access_of(32 * MIB), PAGE_RW);
    assert_int_equal(paging_set(high, 4096, PAGE_RW), RT_OK);
    assert_int_equal(access_of(high), PAGE_RW);
    assert_int_equal(access_of(high + 4096), 0);
}

static void registers(void **state)
{
    struct hal_mmio mmio;

    add(0, 64 * MIB, BOOT_MEM_RAM);
    assert_int_equal(paging_init(&bi), RT_OK);
    assert_int_equal(hal_map_mmio((phys_t){0xfebc0010}, 0x2000, &mmio), RT_OK);
    assert_ptr_equal(mmio.base, (void *)0xfebc0010);
    assert_int_equal(mmio.bytes, 0x2000);
    assert_int_equal(access_of(0xfebc0000), PAGE_RW_UC);
    assert_int_equal(access_of(0xfebc2000), PAGE_RW_UC); /* reaches into a third page */
    assert_int_equal(access_of(0xfebc3000), 0);
    assert_int_equal(hal_map_mmio((phys_t){0xfebc0010}, 0x2000, &mmio), RT_OK);
    assert_int_equal(hal_map_mmio((phys_t){32 * MIB}, 0x2000, &mmio), RT_INVALID);
    assert_int_equal(hal_map_mmio((phys_t){0xfebc0000}, 0, &mmio), RT_INVALID);
    assert_int_equal(hal_map_mmio((phys_t){UINT64_MAX - 10}, 100, &mmio), RT_INVALID);
    assert_int_equal(hal_map_mmio((phys_t){UINT64_C(1) << 47}, 4096, &mmio), RT_UNSUPPORTED);
}

/* What a table or a BAR may name and no entry can hold: such an entry would fault. */
static void registers_out_of_reach(void **state)
{
    static const struct {
        uint32_t leaf_max, bits, cr4;
        unsigned reach_bits;
    } rows[] = {{CPUID_LEAF_MAX, 40, 0, 40},
                {CPUID_LEAF_MAX, 52, 0, 47},
                {CPUID_LEAF_MAX, 52, CR4_LA57, 52},
                {CPUID_LEAF_MAX, 0, 0, 32},
                {0x80000004, 0, 0, 36}};
    struct hal_mmio mmio;

    add(0, 64 * MIB, BOOT_MEM_RAM);
    for (unsigned i = 0; i < RT_ARRAY_SIZE(rows); i++) {
        const uint64_t limit = UINT64_C(1) << rows[i].reach_bits;

        fake_cpuid(0x80000000, rows[i].leaf_max, 0, 0, 0);
        fake_cpuid(0x80000008, 0x3000 | rows[i].bits, 0, 0, 0);
        fake.cr4 = rows[i].cr4;
        assert_int_equal(paging_init(&bi), RT_OK);
        assert_int_equal(paging_limit(), limit);
        assert_int_equal(hal_map_mmio((phys_t){limit - 4096}, 4096, &mmio), RT_OK);
        assert_int_equal(hal_map_mmio((phys_t){limit - 4096}, 4097, &mmio), RT_UNSUPPORTED);
        assert_int_equal(hal_map_mmio((phys_t){limit}, 4096, &mmio), RT_UNSUPPORTED);
        assert_int_equal(access_of(limit), 0);
    }
}

static void no_memory_for_tables(void **state)
{
    add(0, 64 * MIB, BOOT_MEM_RAM);
    for (uint64_t n = 0; n < 4; n++) {
        tables_left = n;
        assert_int_equal(paging_init(&bi), RT_NO_MEMORY);
    }
}

static void core_switches(void **state)
{
    fake_cpuid(7, 0, 1u << 7, 1u << 2, 0); /* SMEP, UMIP */
    fake_cpuid(1, 0, 0, 0, 1u << 7);       /* machine check */
    fake.cr4 = CR4_PGE;
    assert_int_equal(paging_init(&bi), RT_OK);
    paging_setup_core();
    assert_int_equal(fake.cr3, paging_root());
    assert_int_equal(fake.cr4, CR4_SMEP | CR4_UMIP | CR4_MCE);
    assert_int_equal(fake.cr0, CR0_WP);
    assert_int_equal(x86_rdmsr(MSR_EFER), EFER_NXE);
    assert_int_equal(x86_rdmsr(MSR_PAT) >> 8 & 0xff, 1);  /* PWT alone: write combining */
    assert_int_equal(x86_rdmsr(MSR_PAT) >> 24 & 0xff, 0); /* PCD and PWT: uncached */
}

static void cpu_is(const char *vendor, uint32_t signature)
{
    uint32_t word[3];

    memcpy(word, vendor, sizeof(word));
    fake_cpuid(0, 1, word[0], word[2], word[1]);
    fake_cpuid(1, signature, 0, 0, 0);
    fake_cpuid(0x80000001, 0, 0, 0, 0);
}

/* As on metal: CPUID shows the feature again once its switch is turned. */
static void misc_enable_written(uint32_t msr, uint64_t value)
{
    if (msr == MSR_MISC_ENABLE && (value & MISC_ENABLE_XD_OFF) == 0)
        fake_cpuid(0x80000001, 0, 0, 0, CPUID_NX);
}

/* Bit 63 is reserved and EFER.NXE faults: neither may be touched. */
static void without_no_execute(void **state)
{
    cpu_is("AuthenticAMD", 0x00800f11);
    add(0, 64 * MIB, BOOT_MEM_RAM);
    assert_int_equal(paging_init(&bi), RT_OK);
    assert_false(paging_nx());
    paging_setup_core();
    assert_int_equal(fake_msr_writes(MSR_EFER), 0);
    assert_int_equal(fake_msr_writes(MSR_MISC_ENABLE), 0);
    assert_int_equal(access_of(32 * MIB), PTE_PRESENT | PTE_WRITE);
    assert_int_equal(access_of((uintptr_t)_rodata_start), PTE_PRESENT);
    assert_int_equal(paging_set(0xfebc0000, 4096, PAGE_RW_UC), RT_OK);
    assert_int_equal(access_of(0xfebc0000), PAGE_RW_UC & ~PTE_NX);
}

/* "Execute Disable: off" of an Intel machine is a bit that we may clear. */
static void firmware_hides_no_execute(void **state)
{
    cpu_is("GenuineIntel", 0x000306f2); /* Xeon E5 v3 */
    x86_wrmsr(MSR_MISC_ENABLE, MISC_ENABLE_XD_OFF | 0x850089);
    fake.msr_written = misc_enable_written;
    add(0, 64 * MIB, BOOT_MEM_RAM);
    assert_int_equal(paging_init(&bi), RT_OK);
    assert_true(paging_nx());
    assert_true(paging_nx_unlocked());
    assert_true(x86_rdmsr(MSR_MISC_ENABLE) == 0x850089); /* its neighbours stay */
    assert_int_equal(access_of(32 * MIB), PAGE_RW);
    paging_setup_core();
    assert_int_equal(x86_rdmsr(MSR_EFER), EFER_NXE);
}

/* MISC_ENABLE is read only where it exists. */
static void no_misc_enable(void **state)
{
    static const struct {
        const char *vendor;
        uint32_t signature;
    } cpus[] = {
        {"GenuineIntel", 0x000006b1}, /* family 6 model 11 */
        {"AuthenticAMD", 0x00a00f11}, {"GenuineTMx86", 0x000306f2}, {"HygonGenuine", 0x900f01},
    };

    x86_wrmsr(MSR_MISC_ENABLE, MISC_ENABLE_XD_OFF);
    for (unsigned i = 0; i < RT_ARRAY_SIZE(cpus); i++) {
        cpu_is(cpus[i].vendor, cpus[i].signature);
        assert_int_equal(paging_init(&bi), RT_OK);
        assert_false(paging_nx());
        assert_int_equal(fake_msr_writes(MSR_MISC_ENABLE), 1);
    }
    cpu_is("GenuineIntel", 0x000006d6); /* model 13: the first that has it */
    assert_int_equal(paging_init(&bi), RT_OK);
    assert_int_equal(fake_msr_writes(MSR_MISC_ENABLE), 2);
    cpu_is("GenuineIntel", 0x00000f41); /* family 15 */
    x86_wrmsr(MSR_MISC_ENABLE, MISC_ENABLE_XD_OFF);
    assert_int_equal(paging_init(&bi), RT_OK);
    assert_int_equal(fake_msr_writes(MSR_MISC_ENABLE), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(machine_map, setup, teardown),
        cmocka_unit_test_setup_teardown(without_large_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(random_ranges, setup, teardown),
        cmocka_unit_test_setup_teardown(five_levels, setup, teardown),
        cmocka_unit_test_setup_teardown(registers, setup, teardown),
        cmocka_unit_test_setup_teardown(registers_out_of_reach, setup, teardown),
        cmocka_unit_test_setup_teardown(no_memory_for_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(core_switches, setup, teardown),
        cmocka_unit_test_setup_teardown(without_no_execute, setup, teardown),
        cmocka_unit_test_setup_teardown(firmware_hides_no_execute, setup, teardown),
        cmocka_unit_test_setup_teardown(no_misc_enable, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
