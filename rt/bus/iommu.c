/* SPDX-License-Identifier: BSD-2-Clause */
#include <rt/assert.h>
#include <rt/hal.h>
#include <rt/iommu.h>
#include <rt/log.h>

enum {
    UNIT_BYTES = 4096,
    AMD_UNIT_BYTES = 16384,
    TIMEOUT_US = 100000,
    /* VT-d 11.4: offsets */
    VTD_VER = 0x00,
    VTD_CAP = 0x08,
    VTD_GCMD = 0x18,
    VTD_GSTS = 0x1c,
    VTD_PMEN = 0x64,
    VTD_IQH = 0x80,
    VTD_IQT = 0x88,
    /* AMD 3.4 */
    AMD_CONTROL = 0x18,
};

/* The same places in GCMD (wanted) and GSTS (is so). */
#define VTD_TE RT_BIT(31)  /* DMA is translated */
#define VTD_QIE RT_BIT(26) /* invalidations by queue */
#define VTD_IRE RT_BIT(25) /* interrupts are remapped */
/* 11.4.4.1: set for one command only, never written back from GSTS: SRTP, SFL, WBF, SIRTP */
#define VTD_ONE_SHOT (RT_BIT(30) | RT_BIT(29) | RT_BIT(27) | RT_BIT(24))
#define VTD_VER_MAJOR RT_BITS(7, 4)
#define VTD_CAP_PROTECTED RT_BITS(6, 5) /* low, high protected memory */
#define VTD_PMEN_EPM RT_BIT(31)
#define VTD_PMEN_PRS RT_BIT(0)
#define VTD_QUEUE_AT RT_BITS(18, 4)
#define AMD_ENABLE RT_BIT(0)
#define AMD_LOGS_AND_COMMANDS (RT_BIT(2) | RT_BIT(3) | RT_BIT(12) | RT_BIT(13) | RT_BIT(14) | \
                               RT_BIT(15)) /* event log, command buffer, page requests */

/* 11.4.4.1: one bit a command, then its status. The other bits go on as they are. */
static enum rt_status vtd_clear(const struct hal_mmio *unit, uint32_t bit)
{
    uint32_t now = hal_read32(unit, VTD_GSTS) & ~VTD_ONE_SHOT;

    RT_ASSERT_NE(bit, 0u);
    RT_ASSERT_EQ(bit & VTD_ONE_SHOT, 0u);
    if ((now & bit) == 0)
        return RT_OK;
    hal_write32(unit, VTD_GCMD, now & ~bit);
    return hal_wait_reg(unit, VTD_GSTS, bit, 0, TIMEOUT_US, NULL);
}

/* 6.5.2: the queue goes off when it has nothing left to do; one that hangs goes off as it is. */
static enum rt_status vtd_queue_off(const struct hal_mmio *unit)
{
    uint32_t tail = hal_read32(unit, VTD_IQT) & VTD_QUEUE_AT;

    if ((hal_read32(unit, VTD_GSTS) & VTD_QIE) != 0 &&
        hal_wait_reg(unit, VTD_IQH, VTD_QUEUE_AT, tail, TIMEOUT_US, NULL) != RT_OK)
        rt_log("iommu warning=\"the invalidation queue does not move\"");
    return vtd_clear(unit, VTD_QIE);
}

static bool vtd_protects(const struct hal_mmio *unit)
{
    return (hal_read32(unit, VTD_CAP) & VTD_CAP_PROTECTED) != 0 &&
           (hal_read32(unit, VTD_PMEN) & (VTD_PMEN_EPM | VTD_PMEN_PRS)) != 0;
}

static enum rt_status vtd_protection_off(const struct hal_mmio *unit)
{
    hal_write32(unit, VTD_PMEN, hal_read32(unit, VTD_PMEN) & ~VTD_PMEN_EPM);
    return hal_wait_reg(unit, VTD_PMEN, VTD_PMEN_PRS, 0, TIMEOUT_US, NULL);
}

static void say(const struct acpi_iommu *unit, enum rt_status st, uint32_t found, bool protects)
{
    rt_log("iommu kind=vt-d address=0x%lx segment=%u dma_remapping=%u interrupt_remapping=%u"
           " protected_memory=%u found=on action=off status=%s", unit->base, unit->segment,
           (found & VTD_TE) != 0, (found & VTD_IRE) != 0, protects, rt_status_name(st));
}

/* Interrupts first: its entries may lie in memory that the other keeps devices from. */
static enum rt_status vtd_off(const struct acpi_iommu *unit, const struct hal_mmio *mmio)
{
    uint32_t version = hal_read32(mmio, VTD_VER), found = hal_read32(mmio, VTD_GSTS);
    enum rt_status interrupts, dma, rest = RT_OK;
    bool protects;

    if (version == UINT32_MAX || FIELD_GET(VTD_VER_MAJOR, version) == 0)
        return RT_IO;
    protects = vtd_protects(mmio);
    if ((found & (VTD_TE | VTD_IRE | VTD_QIE)) == 0 && !protects)
        return RT_OK;
    interrupts = vtd_clear(mmio, VTD_IRE);
    dma = vtd_clear(mmio, VTD_TE);
    if (interrupts == RT_OK && dma == RT_OK) /* else it may still be needed */
        rest = vtd_queue_off(mmio);
    if (protects && vtd_protection_off(mmio) != RT_OK)
        dma = RT_TIMEOUT;
    if (interrupts == RT_OK)
        interrupts = dma != RT_OK ? dma : rest;
    say(unit, interrupts, found, protects);
    return interrupts;
}

/* Without IommuEn everything passes as it is, DMA and interrupts. */
static enum rt_status amd_off(const struct acpi_iommu *unit, const struct hal_mmio *mmio)
{
    uint32_t control = hal_read32(mmio, AMD_CONTROL);
    enum rt_status st;

    if (control == UINT32_MAX)
        return RT_IO;
    if ((control & AMD_ENABLE) == 0)
        return RT_OK;
    control &= ~AMD_LOGS_AND_COMMANDS;
    hal_write32(mmio, AMD_CONTROL, control);
    hal_write32(mmio, AMD_CONTROL, control & ~AMD_ENABLE);
    st = hal_wait_reg(mmio, AMD_CONTROL, AMD_ENABLE, 0, TIMEOUT_US, NULL);
    rt_log("iommu kind=amd address=0x%lx segment=%u found=on action=off status=%s", unit->base,
           unit->segment, rt_status_name(st));
    return st;
}

enum rt_status iommu_unit_off(const struct acpi_iommu *unit)
{
    bool amd = unit->kind == ACPI_IOMMU_AMD;
    struct hal_mmio mmio;
    enum rt_status st =
        hal_map_mmio((phys_t){unit->base}, amd ? AMD_UNIT_BYTES : UNIT_BYTES, &mmio);

    if (st != RT_OK)
        return st;
    return amd ? amd_off(unit, &mmio) : vtd_off(unit, &mmio);
}

void iommu_off(const struct acpi_info *acpi)
{
    uint32_t count = RT_MIN(acpi->iommu_count, (uint32_t)ACPI_IOMMUS_MAX);

    if (acpi->iommus_dropped > 0)
        rt_log("iommu warning=\"%u units more than this build looks at\"",
               acpi->iommus_dropped);
    for (uint32_t i = 0; i < count; i++) {
        const struct acpi_iommu *unit = &acpi->iommu[i];
        enum rt_status st = iommu_unit_off(unit);

        if (st == RT_TIMEOUT)
            rt_log("iommu address=0x%lx state=on reason=\"left on before us, and it does not go"
                   " off: frames or interrupts may be missing\" remedy=\"switch VT-d or the IOMMU"
                   " off in the firmware's set-up, or boot cold, not by kexec\"", unit->base);
        else if (st != RT_OK)
            rt_log("iommu address=0x%lx state=unknown status=%s", unit->base,
                   rt_status_name(st));
    }
}
