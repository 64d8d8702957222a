/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of a PCI function: MSI-X (LB 6.8.2) and MSI (LB 6.8.1). */
#include "pci_function.h"

#include <rt/assert.h>

/* ---- MSI-X ---- */

uint32_t pci_msix_count(const struct pci_dev *dev)
{
    uint32_t cap = pci_find_cap(dev, PCI_CAP_MSIX);
    uint32_t count;

    if (cap == 0)
        return 0;
    count = FIELD_GET(PCI_MSIX_SIZE, pci_read32(dev, cap)) + 1;
    return RT_MIN(count, (uint32_t)PCI_MSIX_VECTORS_MAX);
}

/* Bits of a capability's first dword; the id and next bytes below are read-only. */
static void cap_update(const struct pci_dev *dev, uint32_t cap, uint32_t clear, uint32_t set)
{
    uint32_t value = pci_read32(dev, cap);

    RT_ASSERT_NE(cap, 0u);
    RT_ASSERT_EQ(clear & set, 0u);
    if (value != PCI_NOTHING)
        pci_write32(dev, cap, (value & ~clear) | set);
}

/* Maps the BAR that holds the table, after checking that the table is inside it. */
static enum rt_status msix_map(struct pci_dev *dev, uint32_t cap, uint32_t count)
{
    phys_t base;
    size_t bytes;
    uint32_t table = pci_read32(dev, cap + PCI_MSIX_TABLE);
    unsigned bar = FIELD_GET(PCI_MSIX_TABLE_BAR, table);
    uint32_t offset = table & PCI_MSIX_TABLE_OFFSET;
    enum rt_status st = pci_bar(dev, bar, &base, &bytes);
    if (st != RT_OK)
        return st;
    if (offset > bytes || (uint64_t)count * PCI_MSIX_ENTRY_BYTES > bytes - offset)
        return RT_IO;
    RT_ASSERT_NE(count, 0u);
    RT_ASSERT_LE(count, (uint32_t)PCI_MSIX_VECTORS_MAX);
    pci_command_update(dev, 0, PCI_COMMAND_MEMORY);
    st = hal_map_mmio(base, bytes, &dev->msix);
    if (st != RT_OK)
        return st;
    dev->msix_offset = offset;
    dev->msix_entries = count;
    return RT_OK;
}

enum rt_status pci_msix_enable(struct pci_dev *dev)
{
    uint32_t cap = pci_find_cap(dev, PCI_CAP_MSIX);
    enum rt_status st;

    if (cap == 0)
        return RT_UNSUPPORTED;
    st = msix_map(dev, cap, pci_msix_count(dev));
    if (st != RT_OK)
        return st;
    /* Masked as a whole until each entry is: entries keep what a loader left in them. */
    cap_update(dev, cap, 0, PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL);
    for (uint32_t i = 0; i < dev->msix_entries; i++)
        pci_msix_set(dev, i, NULL);
    pci_command_update(dev, 0, PCI_COMMAND_INTX_OFF);
    cap_update(dev, cap, PCI_MSIX_MASK_ALL, 0);
    return RT_OK;
}

void pci_msix_set(const struct pci_dev *dev, uint32_t entry, const struct hal_irq *irq)
{
    uint32_t at = dev->msix_offset + entry * PCI_MSIX_ENTRY_BYTES;

    RT_ASSERT_LT(entry, dev->msix_entries);
    hal_write32(&dev->msix, at + PCI_MSIX_ENTRY_CONTROL, PCI_MSIX_ENTRY_MASKED);
    if (irq == NULL)
        return;
    /* LB 6.8.2: address and data change only while the entry is masked. */
    hal_write32(&dev->msix, at + PCI_MSIX_ENTRY_ADDRESS, (uint32_t)irq->msi_address);
    hal_write32(&dev->msix, at + PCI_MSIX_ENTRY_ADDRESS_HIGH,
                (uint32_t)(irq->msi_address >> 32));
    hal_write32(&dev->msix, at + PCI_MSIX_ENTRY_DATA, irq->msi_data);
    hal_write32(&dev->msix, at + PCI_MSIX_ENTRY_CONTROL, 0);
    (void)hal_read32(&dev->msix, at + PCI_MSIX_ENTRY_CONTROL);
}

void pci_msix_disable(struct pci_dev *dev)
{
    uint32_t cap = pci_find_cap(dev, PCI_CAP_MSIX);

    if (cap != 0)
        cap_update(dev, cap, PCI_MSIX_ENABLE, 0);
    dev->msix_entries = 0;
}

/* ---- MSI ---- */

enum rt_status pci_msi_enable(const struct pci_dev *dev, const struct hal_irq *irq)
{
    uint32_t cap = pci_find_cap(dev, PCI_CAP_MSI);
    uint32_t control;
    bool wide;

    RT_ASSERT(irq != NULL);
    RT_ASSERT_LE(irq->msi_data, 0xffffu); /* the register has 16 bits */
    if (cap == 0)
        return RT_UNSUPPORTED;
    control = pci_read32(dev, cap);
    wide = (control & PCI_MSI_64BIT) != 0;
    if (!wide && irq->msi_address >> 32 != 0)
        return RT_UNSUPPORTED;
    cap_update(dev, cap, PCI_MSI_ENABLE | PCI_MSI_VECTORS, 0); /* off, one vector */
    pci_write32(dev, cap + PCI_MSI_ADDRESS, (uint32_t)irq->msi_address);
    if (wide)
        pci_write32(dev, cap + PCI_MSI_ADDRESS_HIGH, (uint32_t)(irq->msi_address >> 32));
    pci_write32(dev, cap + (wide ? PCI_MSI_DATA_64 : PCI_MSI_DATA_32), irq->msi_data & 0xffff);
    if ((control & PCI_MSI_MASKABLE) != 0)
        pci_write32(dev, cap + (wide ? PCI_MSI_MASK_64 : PCI_MSI_MASK_32), 0);
    pci_command_update(dev, 0, PCI_COMMAND_INTX_OFF);
    cap_update(dev, cap, 0, PCI_MSI_ENABLE);
    return pci_is_gone(dev) ? RT_IO : RT_OK;
}

void pci_msi_disable(const struct pci_dev *dev)
{
    uint32_t cap = pci_find_cap(dev, PCI_CAP_MSI);

    if (cap != 0)
        cap_update(dev, cap, PCI_MSI_ENABLE, 0);
}
