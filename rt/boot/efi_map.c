/* SPDX-License-Identifier: BSD-2-Clause */
/* EFI memory descriptors to our ranges. Pure. UEFI 2.10 section 7.2.3 (GetMemoryMap). */
#include "boot.h"

#define EFI_DESCRIPTORS_MAX 4096 /* firmware gives 100 to 300 */
#define EFI_MEMORY_WB UINT64_C(0x8)
#define EFI_MEMORY_SP UINT64_C(0x40000) /* "specific purpose": not ours to take */
#define EFI_PAGES_MAX (MEMMAP_ADDRESS_END / RT_PAGE_BYTES)

struct efi_descriptor {
    uint32_t type;
    uint32_t pad;
    uint64_t physical_start;
    uint64_t virtual_start;
    uint64_t pages;
    uint64_t attribute;
};
_Static_assert(sizeof(struct efi_descriptor) == 40, "UEFI 2.10 7.2.3 EFI_MEMORY_DESCRIPTOR");
_Static_assert(offsetof(struct efi_descriptor, pages) == 24, "UEFI 2.10 7.2.3");

enum efi_memory_type { /* UEFI 2.10 table 7.6; what is not named here is reserved */
    EFI_LOADER_CODE = 1,
    EFI_LOADER_DATA = 2,
    EFI_BOOT_SERVICES_CODE = 3,
    EFI_BOOT_SERVICES_DATA = 4,
    EFI_CONVENTIONAL = 7,
    EFI_UNUSABLE = 8,
    EFI_ACPI_RECLAIM = 9,
    EFI_ACPI_NVS = 10,
};

static uint32_t mem_type(const struct efi_descriptor *d)
{
    switch (d->type) {
    case EFI_LOADER_CODE:
    case EFI_LOADER_DATA:
    case EFI_BOOT_SERVICES_CODE:
    case EFI_BOOT_SERVICES_DATA:
    case EFI_CONVENTIONAL:
        if (!(d->attribute & EFI_MEMORY_WB) || (d->attribute & EFI_MEMORY_SP))
            return BOOT_MEM_RESERVED;
        return BOOT_MEM_RAM; /* the services are gone when this map counts */
    case EFI_UNUSABLE:
        return BOOT_MEM_BAD;
    case EFI_ACPI_RECLAIM:
        return BOOT_MEM_ACPI;
    case EFI_ACPI_NVS:
        return BOOT_MEM_NVS;
    default:
        return BOOT_MEM_RESERVED;
    }
}

enum rt_status efi_map_add(struct memmap *map, const void *descriptors, uint64_t bytes,
                           uint64_t stride_bytes)
{
    const uint8_t *at = descriptors;

    if (stride_bytes < sizeof(struct efi_descriptor) || stride_bytes > bytes)
        return RT_INVALID;
    for (uint32_t i = 0; i < EFI_DESCRIPTORS_MAX && bytes >= stride_bytes; i++) {
        struct efi_descriptor d;

        __builtin_memcpy(&d, at, sizeof(d));
        memmap_add(map, d.physical_start, RT_MIN(d.pages, EFI_PAGES_MAX) * RT_PAGE_BYTES,
                   mem_type(&d));
        at += stride_bytes;
        bytes -= stride_bytes;
    }
    if (bytes >= stride_bytes)
        map->truncated = true;
    return RT_OK;
}
