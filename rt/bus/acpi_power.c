/* SPDX-License-Identifier: BSD-2-Clause */
/* Switching off and on: FADT, and the \_S5 that AML defines. */
#include <rt/assert.h>

#include "acpi_table.h"

enum { S5_BYTES_MAX = 20 }; /* name, package and two integers */

/* ---- \_S5 in AML, 7.4.2.6 and 20.2 ---- */

/* One integer of a package: returns bytes used, 0 when it is not a small constant. */
static uint32_t aml_integer(const uint8_t *p, uint32_t left, uint8_t *value)
{
    static const uint8_t extra_bytes[] = {[0x0a] = 1, [0x0b] = 2, [0x0c] = 4};
    uint32_t extra;

    if (left == 0)
        return 0;
    if (p[0] <= 1) { /* ZeroOp, OneOp */
        *value = p[0];
        return 1;
    }
    extra = p[0] < sizeof(extra_bytes) ? extra_bytes[p[0]] : 0;
    if (extra == 0 || extra >= left || p[1] > 7) /* SLP_TYP is three bits, 4.8.3.2.1 */
        return 0;
    for (uint32_t i = 1; i < extra; i++) {
        if (p[1 + i] != 0)
            return 0;
    }
    *value = p[1];
    return 1 + extra;
}

/* `p` starts at "_S5_": NameString, PackageOp, PkgLength, NumElements, elements. */
static bool aml_s5_package(const uint8_t *p, uint32_t left, uint8_t *type_a, uint8_t *type_b)
{
    uint32_t at, elements, used;

    if (left < 7 || p[4] != 0x12)
        return false;
    at = 6 + (uint32_t)(p[5] >> 6); /* lead byte says how many more */
    if (at >= left)
        return false;
    elements = p[at++];
    if (elements == 0)
        return false;
    used = aml_integer(p + at, left - at, type_a);
    if (used == 0)
        return false;
    at += used;
    RT_ASSERT_LE(at, left);
    *type_b = *type_a; /* some tables give one only, and mean both */
    return elements == 1 || aml_integer(p + at, left - at, type_b) != 0;
}

static bool aml_s5_at(const struct table *t, uint32_t offset, uint8_t *type_a,
                      uint8_t *type_b)
{
    uint8_t p[S5_BYTES_MAX];
    uint32_t left = RT_MIN(t->bytes - offset, (uint32_t)S5_BYTES_MAX);
    uint8_t before = acpi_take8(t, offset - 1);

    RT_ASSERT_LE((uint32_t)HEADER_BYTES, offset);
    RT_ASSERT_LT(offset, t->bytes);
    /* Defined by NameOp, perhaps with the root prefix; else it is only a mention. */
    if (before != 0x08 && !(before == '\\' && acpi_take8(t, offset - 2) == 0x08))
        return false;
    return acpi_take(t, offset, p, left) && aml_s5_package(p, left, type_a, type_b);
}

/* What the AML of all tables adds up to. */
struct aml_found {
    bool s5;
    uint8_t s5_type_a, s5_type_b;
    uint32_t pcie_roots; /* mentions of EISA id PNP0A08 */
    uint32_t pci_roots;  /* of PNP0A03, which PCI Express roots give as second id */
};

static void aml_look(struct aml_found *found, const struct table *t, uint32_t at,
                     uint32_t name)
{
    if (name == SIG(0x41, 0xd0, 0x0a, 0x08))
        found->pcie_roots++;
    else if (name == SIG(0x41, 0xd0, 0x0a, 0x03))
        found->pci_roots++;
    else if (name == SIG('_', 'S', '5', '_') && !found->s5)
        found->s5 = aml_s5_at(t, at, &found->s5_type_a, &found->s5_type_b);
}

static void aml_scan(struct acpi_info *info, const struct table *t)
{
    uint8_t chunk[CHUNK_BYTES];
    struct aml_found found = {.s5 = info->fadt.s5_found};

    /* Chunks overlap by three bytes, so that no four-byte name is cut or seen twice. */
    for (uint32_t at = HEADER_BYTES; at < t->bytes; at += CHUNK_BYTES - 3) {
        uint32_t n = RT_MIN(t->bytes - at, (uint32_t)CHUNK_BYTES);

        if (n < 4 || !acpi_take(t, at, chunk, n))
            break;
        for (uint32_t i = 0; i <= n - 4; i++) {
            if (chunk[i] == '_' || chunk[i] == 0x41) /* nearly no byte is worth a look */
                aml_look(&found, t, at + i, le32(chunk + i));
        }
    }
    info->host_bridges += RT_MAX(found.pcie_roots, found.pci_roots);
    if (!found.s5 || info->fadt.s5_found)
        return;
    info->fadt.s5_found = true;
    info->fadt.s5_type_a = found.s5_type_a;
    info->fadt.s5_type_b = found.s5_type_b;
}

/* ---- FADT, 5.2.9 ---- */

/* The 64-bit block when there is one, else the 32-bit port. */
static struct acpi_gas fadt_block(const struct table *t, uint32_t offset, uint32_t x_offset,
                                  uint8_t width_bits)
{
    struct acpi_gas gas = acpi_take_gas(t, x_offset);

    if (gas.address != 0)
        return gas;
    return (struct acpi_gas){.space = ACPI_SPACE_IO,
                             .width_bits = width_bits,
                             .address = acpi_take32(t, offset)};
}

static bool open_dsdt(const struct acpi_info *info, const struct acpi_reader *reader,
                      uint64_t phys, struct table *t)
{
    return info->fadt.present && acpi_table_open(reader, phys, t) &&
           t->signature == SIG('D', 'S', 'D', 'T') && acpi_table_checksum(t);
}

void acpi_parse_fadt(struct acpi_info *info, const struct table *t)
{
    struct acpi_fadt *fadt = &info->fadt;
    struct table dsdt;

    fadt->present = true;
    fadt->revision = t->revision;
    fadt->sci_irq = acpi_take16(t, 46);
    fadt->smi_command = acpi_take32(t, 48);
    fadt->acpi_enable = acpi_take8(t, 52);
    fadt->flags = acpi_take32(t, 112);
    fadt->boot_arch = acpi_take16(t, 109);
    fadt->pm1a_control = fadt_block(t, 64, 172, 16);
    fadt->pm1b_control = fadt_block(t, 68, 184, 16);
    fadt->pm_timer = fadt_block(t, 76, 208, 32);
    fadt->pm_timer_32bit = (fadt->flags & RT_BIT(8)) != 0;
    fadt->reset = acpi_take_gas(t, 116);
    fadt->reset_value = acpi_take8(t, 128);
    fadt->reset_supported = (fadt->flags & RT_BIT(10)) != 0 && fadt->reset.address != 0;
    fadt->hardware_reduced = (fadt->flags & RT_BIT(20)) != 0;
    fadt->sleep_control = acpi_take_gas(t, 244);
    fadt->dsdt = acpi_take64(t, 140);
    if (open_dsdt(info, t->reader, fadt->dsdt, &dsdt)) {
        aml_scan(info, &dsdt);
        return;
    }
    fadt->dsdt = acpi_take32(t, 40);
    if (open_dsdt(info, t->reader, fadt->dsdt, &dsdt))
        aml_scan(info, &dsdt);
}

void acpi_parse_ssdt(struct acpi_info *info, const struct table *t)
{
    if (info->fadt.present)
        aml_scan(info, t);
}
