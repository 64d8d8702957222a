/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine as ACPI tells it, for the boot log. */
#include <rt/acpi.h>
#include <rt/log.h>

static void log_io(const struct acpi_info *info)
{
    for (uint32_t i = 0; i < info->ioapic_count; i++)
        rt_log("ioapic%u id=%u address=0x%x gsi_base=%u", i, info->ioapic[i].id,
               info->ioapic[i].address, info->ioapic[i].gsi_base);
    for (uint32_t i = 0; i < info->ecam_count; i++)
        rt_log("ecam%u base=0x%lx segment=%u buses=%u..%u", i, info->ecam[i].base,
               info->ecam[i].segment, info->ecam[i].start_bus, info->ecam[i].end_bus);
    if (info->spcr.present)
        rt_log("spcr type=%u space=%u address=0x%lx access=%u baud=%u clock_hz=%u",
               info->spcr.interface_type, info->spcr.base.space, info->spcr.base.address,
               info->spcr.base.access, info->spcr.baud, info->spcr.clock_hz);
    if (info->dmar)
        rt_log("dmar dma_opt_in=%u%s", info->dmar_dma_opt_in,
               info->dmar_dma_opt_in ?
                   " note=\"firmware wants DMA protection kept on; it goes off here\"" : "");
    if (info->iommu_count > 0)
        rt_log("iommu units=%u first=0x%lx", info->iommu_count, info->iommu[0].base);
}

void acpi_log(const struct acpi_info *info)
{
    if (!info->valid) {
        rt_log("acpi state=absent");
        return;
    }
    rt_log("acpi revision=%u oem=%s tables=%u bad=%u cores=%u cores_disabled=%u "
           "cores_dropped=%u nodes=%u pci_roots=%u",
           info->revision, info->oem, info->table_count, info->table_bad, info->core_count,
           info->cores_disabled, info->cores_dropped, info->node_count, info->host_bridges);
    log_io(info);
    if (info->hpet.present)
        rt_log("hpet address=0x%lx id=0x%x", info->hpet.base, info->hpet.block_id);
    if (info->fadt.present)
        rt_log("fadt revision=%u pm_timer=0x%lx bits=%u s5=%u reset=%u boot_arch=0x%x",
               info->fadt.revision, info->fadt.pm_timer.address,
               info->fadt.pm_timer_32bit ? 32U : 24U, info->fadt.s5_found,
               info->fadt.reset_supported, info->fadt.boot_arch);
}
