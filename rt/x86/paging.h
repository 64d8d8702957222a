/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables: one identity map, virt == phys, so no page has an alias.
 *
 *   our text        read, execute           RAM             read, write
 *   our constants   read                    modules, ACPI   read
 *   our data        read, write             registers       read, write, uncached
 *   page 0, the page below each stack, and everything else: not mapped
 *
 * Nothing is both writable and executable, except on a processor without no-execute, where
 * everything that is mapped can be executed. The tables are shared by all cores. Ranges use
 * 1 GiB pages where the processor has them, else 2 MiB, and 4 KiB at the edges.
 * Intel SDM 3A chapter 4.
 */
#ifndef RT_X86_PAGING_H
#define RT_X86_PAGING_H

#include <rt/boot_info.h>

#define PTE_PRESENT (UINT64_C(1) << 0)
#define PTE_WRITE (UINT64_C(1) << 1)
#define PTE_PWT (UINT64_C(1) << 3)
#define PTE_PCD (UINT64_C(1) << 4)
#define PTE_LARGE (UINT64_C(1) << 7)
#define PTE_NX (UINT64_C(1) << 63)

/* What a range may be used for. UC and WC are PAT entries 3 and 1 (paging_setup_core). */
#define PAGE_NONE UINT64_C(0)
#define PAGE_R (PTE_PRESENT | PTE_NX)
#define PAGE_RX PTE_PRESENT
#define PAGE_RW (PTE_PRESENT | PTE_WRITE | PTE_NX)
#define PAGE_RW_UC (PAGE_RW | PTE_PCD | PTE_PWT)
#define PAGE_RW_WC (PAGE_RW | PTE_PWT)
#define PAGE_ACCESS_MASK (PTE_PRESENT | PTE_WRITE | PTE_NX)

/* Builds the tables from the memory map; hal_map_mmio() works from now on, in them. The
 * tables lie below 4 GiB, where starting cores can reach them. */
RT_NODISCARD enum rt_status paging_init(const struct boot_info *bi);
/* Switches the calling core to them, with write protection and, where the processor has it,
 * no-execute, SMEP and UMIP. */
void paging_setup_core(void);

/* Sets the access of [base, base + bytes), whole pages. Core 0 while other cores are not yet
 * running, or for ranges that no core has touched: nothing is flushed elsewhere. */
RT_NODISCARD enum rt_status paging_set(uint64_t base, uint64_t bytes, uint64_t access);

/* The entry that maps `addr` and the size of its page; 0 when nothing does. */
uint64_t paging_lookup(uint64_t addr, uint64_t *page_bytes);

uint64_t paging_root(void);        /* physical address of the top table */
unsigned paging_levels(void);      /* 4 or 5 */
uint64_t paging_limit(void);       /* the first address that this processor cannot reach */
bool paging_nx(void);              /* PTE_NX is in the entries */
bool paging_nx_unlocked(void);     /* after its switch was turned: other cores need that too */
uint64_t paging_table_bytes(void); /* memory that the tables take */

#endif
