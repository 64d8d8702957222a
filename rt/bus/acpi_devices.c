/* SPDX-License-Identifier: BSD-2-Clause */
/* Where devices lie: MCFG, HPET, SPCR, DMAR and IVRS. */
#include <rt/assert.h>

#include "acpi_table.h"

enum { MCFG_ENTRIES_MAX = 1024 };

/* ---- MCFG, PCI Firmware 3.3 4.1.2 ---- */

void acpi_parse_mcfg(struct acpi_info *info, const struct table *t)
{
    uint8_t e[16];

    for (uint32_t i = 0; i < MCFG_ENTRIES_MAX && acpi_take(t, 44 + i * 16, e, sizeof(e)); i++) {
        struct acpi_ecam ecam = {.base = le64(e),
                                 .segment = le16(e + 8),
                                 .start_bus = e[10],
                                 .end_bus = e[11]};
        bool usable = ecam.base != 0 && (ecam.base & 0xfffff) == 0 &&
                      ecam.start_bus <= ecam.end_bus &&
                      ecam.base <= UINT64_MAX - (UINT64_C(256) << 20);

        if (!usable)
            continue;
        RT_ASSERT_LE(info->ecam_count, (uint32_t)ACPI_ECAMS_MAX);
        if (info->ecam_count < ACPI_ECAMS_MAX)
            info->ecam[info->ecam_count++] = ecam;
        else
            info->ecam_dropped++;
    }
}

/* ---- HPET (IA-PC HPET 1.0a 3.2.4), SPCR ---- */

void acpi_parse_hpet(struct acpi_info *info, const struct table *t)
{
    struct acpi_gas gas = acpi_take_gas(t, 40);

    if (gas.space != ACPI_SPACE_MEMORY || gas.address == 0 || info->hpet.present)
        return;
    info->hpet = (struct acpi_hpet){.present = true,
                                    .base = gas.address,
                                    .block_id = acpi_take32(t, 36),
                                    .min_tick = acpi_take16(t, 53)};
}

void acpi_parse_spcr(struct acpi_info *info, const struct table *t)
{
    static const uint32_t baud_of_code[] = {[3] = 9600, [4] = 19200, [6] = 57600, [7] = 115200};
    struct acpi_gas gas = acpi_take_gas(t, 40);
    uint32_t precise_baud = acpi_take32(t, 80);
    uint8_t code = acpi_take8(t, 58);

    if (gas.address == 0) /* redirection is switched off */
        return;
    info->spcr = (struct acpi_spcr){.present = true,
                                    .interface_type = acpi_take8(t, 36),
                                    .base = gas,
                                    .irq_gsi = acpi_take32(t, 54)};
    if (code < RT_ARRAY_SIZE(baud_of_code))
        info->spcr.baud = baud_of_code[code];
    if (t->revision >= 4 && precise_baud != 0)
        info->spcr.baud = precise_baud;
    if (t->revision >= 3)
        info->spcr.clock_hz = acpi_take32(t, 76);
}

/* ---- DMAR (VT-d 4.1 8.1, 8.3), IVRS (AMD IOMMU 3.08 5.2) ---- */

enum {
    IOMMU_ENTRIES_AT = 48, /* both tables: entries with their length at offset 2 */
    IOMMU_ENTRY_BYTES_MIN = 4,
    DMAR_DRHD = 0,
    DRHD_BYTES = 16,
    IVHD_10 = 0x10, /* the same unit may be told in all three */
    IVHD_11 = 0x11,
    IVHD_40 = 0x40,
    IVHD_BYTES = 24,
};

static void add_iommu(struct acpi_info *info, struct acpi_iommu unit)
{
    if (unit.base == 0 || unit.base % RT_PAGE_BYTES != 0)
        return;
    RT_ASSERT_LE(info->iommu_count, (uint32_t)ACPI_IOMMUS_MAX);
    for (uint32_t i = 0; i < info->iommu_count; i++) {
        if (info->iommu[i].base == unit.base)
            return;
    }
    if (info->iommu_count == ACPI_IOMMUS_MAX)
        info->iommus_dropped++;
    else
        info->iommu[info->iommu_count++] = unit;
}

/* The bytes of the entry at `at`; 0: there is none, or its length is wrong. */
static uint32_t iommu_entry(const struct table *t, uint32_t at)
{
    uint32_t bytes;

    RT_ASSERT_LE((uint32_t)HEADER_BYTES, t->bytes);
    if (at > t->bytes || t->bytes - at < IOMMU_ENTRY_BYTES_MIN)
        return 0;
    bytes = acpi_take16(t, at + 2);
    return bytes < IOMMU_ENTRY_BYTES_MIN || bytes > t->bytes - at ? 0 : bytes;
}

void acpi_parse_dmar(struct acpi_info *info, const struct table *t)
{
    uint32_t bytes;

    info->dmar = true;
    info->dmar_dma_opt_in = (acpi_take8(t, 37) & RT_BIT(2)) != 0;
    for (uint32_t at = IOMMU_ENTRIES_AT; (bytes = iommu_entry(t, at)) != 0; at += bytes) {
        if (acpi_take16(t, at) == DMAR_DRHD && bytes >= DRHD_BYTES)
            add_iommu(info, (struct acpi_iommu){ACPI_IOMMU_VTD, acpi_take16(t, at + 6),
                                                acpi_take64(t, at + 8)});
    }
}

void acpi_parse_ivrs(struct acpi_info *info, const struct table *t)
{
    uint32_t bytes;

    for (uint32_t at = IOMMU_ENTRIES_AT; (bytes = iommu_entry(t, at)) != 0; at += bytes) {
        uint8_t type = acpi_take8(t, at);

        if ((type == IVHD_10 || type == IVHD_11 || type == IVHD_40) && bytes >= IVHD_BYTES)
            add_iommu(info, (struct acpi_iommu){ACPI_IOMMU_AMD, acpi_take16(t, at + 16),
                                                acpi_take64(t, at + 8)});
    }
}
