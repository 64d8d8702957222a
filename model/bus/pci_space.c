/* SPDX-License-Identifier: BSD-2-Clause */
#include "bus/pci_space.h"

#include <rt/assert.h>
#include <string.h>

#define BAR_IO          0x1u
#define BAR_64_PREFETCH 0xcu

static void put(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

void pci_space_set(struct pci_space *space, uint32_t offset, uint32_t value, uint32_t writable)
{
    RT_ASSERT_EQ(offset % 4, 0u);
    RT_ASSERT_LE(offset, (uint32_t)PCI_SPACE_BYTES - 4);
    put(space->value + offset, value);
    put(space->writable + offset, writable);
}

static void set_bar64(struct pci_space *space, uint32_t offset, uint32_t bytes)
{
    RT_ASSERT_LE(16u, bytes);
    RT_ASSERT_EQ(bytes & (bytes - 1), 0u);
    pci_space_set(space, offset, BAR_64_PREFETCH, ~(bytes - 1));
    pci_space_set(space, offset + 4, 0, UINT32_MAX);
}

/* PCI 3.0 section 6.7, PCI power management 1.2 section 3.2: what Linux, DPDK and iPXE expect. */
static void capabilities(struct pci_space *space, const struct model_ops *ops)
{
    pci_space_set(space, PCI_SPACE_CAPS, PCI_SPACE_PM, 0);
    pci_space_set(space, PCI_SPACE_PM, 0x00030001 | PCI_SPACE_MSI << 8, 0);
    pci_space_set(space, PCI_SPACE_PM + 4, 0x00002008, 0x00000103);
    /* 64 bit, maskable */
    pci_space_set(space, PCI_SPACE_MSI, 0x01800005 | PCI_SPACE_MSIX << 8, 0x00710000);
    pci_space_set(space, PCI_SPACE_MSI + 4, 0, 0xfffffffc);
    pci_space_set(space, PCI_SPACE_MSI + 8, 0, 0xffffffff);
    pci_space_set(space, PCI_SPACE_MSI + 12, 0, 0x0000ffff);
    pci_space_set(space, PCI_SPACE_MSI + 16, 0, 0x00000001);
    pci_space_set(space, PCI_SPACE_MSIX, (ops->vectors - 1) << 16 | PCI_SPACE_PCIE << 8 | 0x11,
                  PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL);
    pci_space_set(space, PCI_SPACE_MSIX + 4, 4, 0); /* the table, in BAR 4 */
    pci_space_set(space, PCI_SPACE_MSIX + 8, PCI_MSIX_PBA | 4, 0);
}

void pci_space_init(struct pci_space *space, const struct model_ops *ops, const void *dev)
{
    RT_ASSERT_LE(ops->vectors, MODEL_VECTORS_MAX);
    RT_ASSERT_EQ(ops->io_bytes & (ops->io_bytes - 1), 0u);
    memset(space, 0, sizeof(*space));
    pci_space_set(space, PCI_SPACE_COMMAND, 0x00100000, 0x00000547); /* it has capabilities */
    pci_space_set(space, PCI_SPACE_CACHE_LINE, 0x00000010, 0x000000ff);
    set_bar64(space, PCI_SPACE_BAR0, ops->register_bytes);
    if (ops->io_bytes > 0)
        pci_space_set(space, PCI_SPACE_BAR2, BAR_IO, ~(ops->io_bytes - 1));
    set_bar64(space, PCI_SPACE_BAR4, PCI_BAR4_BYTES);
    pci_space_set(space, PCI_SPACE_LINE, 0x00000100, 0x000000ff); /* INTA */
    capabilities(space, ops);
    ops->space(dev, space);
}

void pci_space_reset(struct pci_space *space)
{
    uint8_t zero[4] = {0};

    pci_space_write(space, PCI_SPACE_COMMAND, zero, 2);
    pci_space_write(space, PCI_SPACE_MSI, zero, 4);
    pci_space_write(space, PCI_SPACE_MSIX, zero, 4);
}

uint32_t pci_space_get32(const struct pci_space *space, uint32_t offset)
{
    uint32_t value = UINT32_MAX;

    if (offset <= PCI_SPACE_BYTES - sizeof(value)) /* asked for with every DMA: short */
        memcpy(&value, space->value + offset, sizeof(value));
    return value;
}

void pci_space_read(const struct pci_space *space, uint32_t offset, void *out, uint32_t bytes)
{
    memset(out, 0xff, bytes);
    if (offset < PCI_SPACE_BYTES)
        memcpy(out, space->value + offset, RT_MIN(bytes, PCI_SPACE_BYTES - offset));
}

void pci_space_write(struct pci_space *space, uint32_t offset, const void *in, uint32_t bytes)
{
    const uint8_t *p = in;

    for (uint32_t i = 0; i < bytes && offset < PCI_SPACE_BYTES; i++, offset++)
        space->value[offset] =
            (uint8_t)((space->value[offset] & ~space->writable[offset]) |
                      (p[i] & space->writable[offset]));
}

bool pci_space_may_dma(const struct pci_space *space)
{
    return (pci_space_get32(space, PCI_SPACE_COMMAND) & PCI_COMMAND_MASTER) != 0;
}

enum model_irq pci_space_irq(const struct pci_space *space)
{
    if ((pci_space_get32(space, PCI_SPACE_MSIX) & PCI_MSIX_ENABLE) != 0)
        return MODEL_IRQ_MSIX;
    if ((pci_space_get32(space, PCI_SPACE_MSI) & PCI_MSI_ENABLE) != 0)
        return MODEL_IRQ_MSI;
    return MODEL_IRQ_INTX;
}
