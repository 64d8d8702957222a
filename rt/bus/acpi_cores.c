/* SPDX-License-Identifier: BSD-2-Clause */
/* Cores, interrupt controllers and nodes: MADT and SRAT. */
#include <rt/assert.h>

#include "acpi_table.h"

/* ---- MADT, 5.2.12 ---- */

static void madt_core(struct acpi_info *info, uint32_t apic_id, uint32_t uid, uint32_t flags)
{
    if ((flags & 1) == 0) { /* 5.2.12.2: not enabled, perhaps a hot-plug place */
        info->cores_disabled++;
        return;
    }
    RT_ASSERT_LE(info->core_count, (uint32_t)ACPI_CORES_MAX);
    for (uint32_t i = 0; i < info->core_count; i++) {
        if (info->core[i].apic_id == apic_id)
            return; /* listed as local APIC and as local x2APIC */
    }
    if (info->core_count == ACPI_CORES_MAX) {
        info->cores_dropped++;
        return;
    }
    info->core[info->core_count++] =
        (struct acpi_core){.apic_id = apic_id, .acpi_uid = uid, .node = ACPI_NODE_NONE};
}

static void madt_ioapic(struct acpi_info *info, const uint8_t *e)
{
    RT_ASSERT_LE(info->ioapic_count, (uint32_t)ACPI_IOAPICS_MAX);
    if (info->ioapic_count == ACPI_IOAPICS_MAX)
        return;
    info->ioapic[info->ioapic_count++] =
        (struct acpi_ioapic){.id = e[2], .address = le32(e + 4), .gsi_base = le32(e + 8)};
}

static void madt_override(struct acpi_info *info, const uint8_t *e)
{
    uint16_t flags = le16(e + 8);

    RT_ASSERT_LE(info->override_count, (uint32_t)ACPI_OVERRIDES_MAX);
    if (e[2] != 0 || info->override_count == ACPI_OVERRIDES_MAX)
        return; /* bus 0 is ISA; there is no other */
    info->override[info->override_count++] = (struct acpi_override){
        .source = e[3],
        .gsi = le32(e + 4),
        .active_low = (flags & 3) == 3,     /* 0 conforms to ISA: active high */
        .level = (flags >> 2 & 3) == 3, /* 0 conforms to ISA: edge */
    };
}

static void madt_entry(struct acpi_info *info, const uint8_t *e)
{
    uint8_t type = e[0];
    uint8_t bytes = e[1];

    if (type == 0 && bytes >= 8 && e[3] != 0xff)
        madt_core(info, e[3], e[2], le32(e + 4));
    else if (type == 1 && bytes >= 12)
        madt_ioapic(info, e);
    else if (type == 2 && bytes >= 10)
        madt_override(info, e);
    else if (type == 5 && bytes >= 12)
        info->lapic_base = le64(e + 4);
    else if (type == 9 && bytes >= 16 && le32(e + 4) != UINT32_MAX)
        madt_core(info, le32(e + 4), le32(e + 12), le32(e + 8));
}

void acpi_parse_madt(struct acpi_info *info, const struct table *t)
{
    uint8_t entry[ENTRY_BYTES_MAX];
    uint32_t offset = 44;

    info->lapic_base = acpi_take32(t, 36);
    info->has_8259 = (acpi_take32(t, 40) & 1) != 0;
    for (uint32_t i = 0; i < SUBTABLES_MAX && acpi_subtable_next(t, &offset, entry); i++)
        madt_entry(info, entry);
}

/* ---- SRAT, 5.2.16 ---- */

static void srat_core(struct acpi_info *info, uint32_t apic_id, uint32_t node)
{
    for (uint32_t i = 0; i < info->core_count; i++) {
        if (info->core[i].apic_id == apic_id)
            info->core[i].node = node;
    }
}

static void srat_entry(struct acpi_info *info, const uint8_t *e)
{
    if (e[0] == 0 && e[1] >= 16 && (le32(e + 4) & 1) != 0) /* 5.2.16.1 */
        srat_core(info, e[3],
                  (uint32_t)e[2] | (uint32_t)e[9] << 8 | (uint32_t)le16(e + 10) << 16);
    else if (e[0] == 2 && e[1] >= 24 && (le32(e + 12) & 1) != 0) /* 5.2.16.3 */
        srat_core(info, le32(e + 8), le32(e + 4));
}

static uint32_t count_nodes(const struct acpi_info *info)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < info->core_count; i++) {
        uint32_t first = 0;

        while (first < i && info->core[first].node != info->core[i].node)
            first++;
        count += first == i && info->core[i].node != ACPI_NODE_NONE;
    }
    return count;
}

void acpi_parse_srat(struct acpi_info *info, const struct table *t)
{
    uint8_t entry[ENTRY_BYTES_MAX];
    uint32_t offset = 48;

    for (uint32_t i = 0; i < SUBTABLES_MAX && acpi_subtable_next(t, &offset, entry); i++)
        srat_entry(info, entry);
    info->node_count = count_nodes(info);
    RT_ASSERT_LE(info->node_count, info->core_count);
}
