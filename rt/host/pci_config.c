/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI on the host: configuration space and registers of software devices. */
#include <rt/assert.h>

#include "host.h"

enum { MMIO_MAX = 64 };

static const struct host_pci_ops *pci_ops;
static void *pci_ctx;
static uint32_t pci_last_bus;
static struct {
    uint64_t phys;
    struct hal_mmio mmio;
} regions[MMIO_MAX];
static uint32_t region_count;

uint32_t hal_pci_read32(uint32_t bdf, uint32_t offset)
{
    return pci_ops != NULL ? pci_ops->read32(pci_ctx, bdf, offset) : UINT32_MAX;
}

void hal_pci_write32(uint32_t bdf, uint32_t offset, uint32_t value)
{
    if (pci_ops != NULL)
        pci_ops->write32(pci_ctx, bdf, offset, value);
}

bool hal_pci_range(uint32_t index, struct hal_pci_range *range)
{
    *range = (struct hal_pci_range){.last_bus = (uint8_t)pci_last_bus};
    return index == 0;
}

void host_pci(const struct host_pci_ops *ops, void *ctx, uint32_t last_bus)
{
    RT_ASSERT_LE(last_bus, 255u);
    pci_ops = ops;
    pci_ctx = ctx;
    pci_last_bus = last_bus;
}

enum rt_status hal_map_mmio(phys_t phys, size_t bytes, struct hal_mmio *mmio)
{
    for (uint32_t i = 0; i < region_count; i++) {
        if (regions[i].phys == phys.v && bytes <= regions[i].mmio.bytes) {
            *mmio = regions[i].mmio;
            return RT_OK;
        }
    }
    return RT_NOT_FOUND;
}

enum rt_status host_mmio_add(uint64_t phys, size_t bytes, const struct hal_mmio_ops *ops,
                             void *ctx)
{
    if (region_count == MMIO_MAX)
        return RT_FULL;
    RT_ASSERT_NE(bytes, 0u);
    RT_ASSERT(ops != NULL || ctx != NULL);
    regions[region_count].phys = phys;
    regions[region_count].mmio = (struct hal_mmio){
        .base = (volatile uint8_t *)ctx, /* without ops: ctx is the memory */
        .bytes = bytes,
        .ops = ops,
        .ctx = ctx,
    };
    region_count++;
    return RT_OK;
}

void host_mmio_reset(void)
{
    region_count = 0;
}
